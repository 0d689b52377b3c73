/* api_crawls.c: what the API says of networks, crawls, their reports, and how these follow one
 * another. */
#include "web/serve_inner.h"

#include "report/json_text.h"
#include "report/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* A crawl's report is there a moment after its end. */
	HISTORY_FRESH_MS = 1000,
	REPORT_TOP = 20,
	HISTORY_LIMIT = 120,
	HISTORY_LIMIT_MAX = 500,
	HISTORY_TOP = 8,
	HISTORY_TOP_MAX = 50,
};

/* --- networks --- */

static json_t *network_json(const struct serve_network *n)
{
	json_t *newest = n->has_newest ? json_integer(n->newest.id) : json_null();
	json_t *running = n->running ? json_integer(n->newest.id) : json_null();

	return json_pack("{s:o s:I s:I s:I s:o s:o}", "name", api_text(slice_text(n->of.name)),
			 "peers", (json_int_t)n->of.peers, "reached", (json_int_t)n->of.reached,
			 "crawls", (json_int_t)n->crawls, "newest_crawl", newest, "running",
			 running);
}

void api_networks(struct serve *s, const struct http_request *q, struct http_response *r)
{
	const struct geo *geo = s->config.geo;
	json_t *list = json_array();

	if (!api_known(q, r, "")) {
		json_decref(list);
		return;
	}
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->networks_count; i++)
		json_array_append_new(list, network_json(&s->networks[i]));
	list = json_whole(list, s->networks_count);
	pthread_mutex_unlock(&s->lock);
	api_send(r,
		 json_pack("{s:o s:{s:b s:b s:b} s:s}", "networks", list, "geo", "countries",
			   (int)geo_has_countries(geo), "asns", (int)geo_has_asns(geo), "locations",
			   (int)geo_has_locations(geo), "version", PEERWALK_VERSION));
}

/* --- crawls --- */

json_t *api_crawl_json(struct store *store, const struct store_crawl *c)
{
	json_t *out = report_crawl_json(c);
	bool running = c->ended_at_ms == 0 && store_crawl_running(store, c->id);
	size_t keys = json_object_size(out) + 2;

	json_object_set_new(out, "running", json_boolean(running));
	json_object_set_new(out, "every_seconds",
			    c->every_ms > 0 ? json_integer((json_int_t)(c->every_ms / 1000))
					    : json_null());
	return json_whole(out, keys);
}

struct listing {
	struct store *store;
	json_t *items;
	int64_t last;
	size_t limit;
	bool more;
};

static enum err on_crawl(void *ctx, const struct store_crawl *c)
{
	struct listing *l = ctx;

	if (json_array_size(l->items) == l->limit) {
		l->more = true;
		return ERR_OK;
	}
	l->last = c->id;
	return json_array_append_new(l->items, api_crawl_json(l->store, c)) == 0 ? ERR_OK
										 : ERR_NOMEM;
}

/* A crawl's number in a parameter; 0 if it is not given. False: answered. */
static bool read_id(const struct http_request *q, struct http_response *r, const char *name,
		    int64_t initial, int64_t *out)
{
	const char *text = http_param(q, name);
	uint64_t v = (uint64_t)initial;

	if (text != NULL && (parse_uint(text, INT64_MAX, &v) != ERR_OK || v == 0)) {
		http_error(r, 400, "%s is \"%s\"; expected %s", name, text,
			   strcmp(name, "cursor") == 0 ? "what an answer has as next"
						       : "the number of a crawl");
		return false;
	}
	*out = (int64_t)v;
	return true;
}

void api_crawls(struct serve *s, struct store *store, const struct http_request *q,
		struct http_response *r)
{
	struct listing l = { .store = store };
	const char *network = http_param(q, "network");
	char next[24];
	int64_t below;
	enum err err;

	(void)s;
	if (!api_known(q, r, "network limit cursor") ||
	    !api_number(q, r, "limit", API_LIMIT_DEFAULT, &l.limit) ||
	    !read_id(q, r, "cursor", INT64_MAX, &below))
		return;
	l.items = json_array();
	err = store_crawls_newest(store, network, below, l.limit + 1, on_crawl, &l);
	if (err != ERR_OK) {
		json_decref(l.items);
		api_failed(r, store, err);
		return;
	}
	snprintf(next, sizeof(next), "%" PRId64, l.last);
	api_send(r, json_pack("{s:o s:s?}", "items", l.items, "next", l.more ? next : NULL));
}

/* --- one crawl --- */

struct reporting {
	const struct serve *s;
	struct store *store;
	const struct store_crawl *crawl;
	size_t top;
};

/* What `report --json` says; taken from the store where it is kept, else from the walk. */
static enum err make_report(void *ctx, struct text *out)
{
	const struct reporting *g = ctx;
	const struct serve_config *config = &g->s->config;
	struct report_options ask = { .crawl_id = g->crawl->id,
				      .top = g->top,
				      .history = true,
				      .key = config->key,
				      .geo = config->geo,
				      .service_name = config->service_name,
				      .fork_text = config->fork_text,
				      .network_text = config->network_text };
	struct report report = { 0 };
	enum err err = report_gather(g->store, &ask, &report);

	if (err == ERR_OK)
		err = json_text_add(out, report_json(&report),
				    JSON_COMPACT | JSON_REAL_PRECISION(12));
	report_clear(&report);
	return err;
}

static void api_report(struct serve *s, struct store *store, const struct store_crawl *crawl,
		       size_t top, struct http_response *r)
{
	struct reporting g = { .s = s, .store = store, .crawl = crawl, .top = top };
	bool over = crawl->ended_at_ms > 0;
	char key[SERVE_CACHE_KEY_MAX];
	enum err err;

	snprintf(key, sizeof(key), "report %" PRId64 " %zu %d", crawl->id, top, over);
	err = serve_kept(s, key, over, make_report, &g, &r->body);
	if (err != ERR_OK)
		api_failed(r, store, err);
}

/* By "12", or "newest" with or without a network. False: answered. */
static bool find_crawl(struct store *store, const char *name, const char *network,
		       struct http_response *r, struct store_crawl *out)
{
	bool newest = strcmp(name, "newest") == 0;
	uint64_t id = 0;
	enum err err = ERR_NOT_FOUND;

	if (newest || (parse_uint(name, INT64_MAX, &id) == ERR_OK && id > 0))
		err = store_crawl_get(store, (int64_t)id, network, out);
	if (err == ERR_OK)
		return true;
	if (err == ERR_NOT_FOUND)
		http_error(r, 404, "there is no crawl \"%s\"%s%s; /api/v1/crawls lists all", name,
			   network != NULL ? " of " : "", network != NULL ? network : "");
	else
		api_failed(r, store, err);
	return false;
}

void api_crawl(struct serve *s, struct store *store, const char *path, const struct http_request *q,
	       struct http_response *r)
{
	size_t len = strcspn(path, "/"), top;
	bool is_report = strcmp(path + len, "/report") == 0;
	struct store_crawl crawl;
	char name[32];

	if (path[len] != '\0' && !is_report) {
		http_error(r, 404, "a crawl has nothing but /report");
		return;
	}
	if (!api_known(q, r, is_report ? "network top" : "network") ||
	    !api_number(q, r, "top", REPORT_TOP, &top))
		return;
	snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : sizeof(name) - 1),
		 path);
	if (!find_crawl(store, name, http_param(q, "network"), r, &crawl))
		return;
	if (is_report)
		api_report(s, store, &crawl, top, r);
	else
		api_send(r, api_crawl_json(store, &crawl));
}

/* --- over time --- */

/* False: answered. */
static bool read_time(const struct http_request *q, struct http_response *r, const char *name,
		      int64_t *out)
{
	const char *text = http_param(q, name);

	*out = 0;
	if (text == NULL || parse_time(text, out) == ERR_OK)
		return true;
	http_error(r, 400,
		   "%s is \"%s\"; expected a time such as 2026-08-01 or "
		   "2026-08-01T12:00:00Z",
		   name, text);
	return false;
}

static bool is_over(const struct http_request *q, struct http_response *r, const char *name,
		    size_t value, size_t most)
{
	(void)q;
	if (value > most)
		http_error(r, 400, "%s is %zu; expected %zu at most", name, value, most);
	return value > most;
}

/* What shows the newest crawl, and is told from all other questions; false: too long to be kept. */
static bool history_key(struct store *store, const struct report_options *ask, int64_t from_ms,
			int64_t to_ms, size_t limit, const char *table,
			char out[static SERVE_CACHE_KEY_MAX])
{
	struct store_crawl newest;
	int n;

	if (store_crawl_get(store, 0, ask->network, &newest) != ERR_OK)
		return false;
	n = snprintf(out, SERVE_CACHE_KEY_MAX,
		     "history %s %s %zu %zu %" PRId64 " %" PRId64 " %" PRId64 " %d", ask->network,
		     table, limit, ask->top, from_ms, to_ms, newest.id, newest.ended_at_ms > 0);
	return n > 0 && n < SERVE_CACHE_KEY_MAX;
}

void api_history(struct serve *s, struct store *store, const struct http_request *q,
		 struct http_response *r)
{
	struct report_options ask = { .network = http_param(q, "network"),
				      .key = s->config.key,
				      .geo = s->config.geo,
				      .service_name = s->config.service_name,
				      .fork_text = s->config.fork_text,
				      .network_text = s->config.network_text };
	const char *table = http_param(q, "table");
	char key[SERVE_CACHE_KEY_MAX];
	int64_t from_ms, to_ms;
	json_t *doc = NULL;
	bool keep;
	size_t limit;
	enum err err;

	if (!api_known(q, r, "network from to limit table top") ||
	    !api_number(q, r, "limit", HISTORY_LIMIT, &limit) ||
	    !api_number(q, r, "top", HISTORY_TOP, &ask.top) || !read_time(q, r, "from", &from_ms) ||
	    !read_time(q, r, "to", &to_ms) || is_over(q, r, "limit", limit, HISTORY_LIMIT_MAX) ||
	    is_over(q, r, "top", ask.top, HISTORY_TOP_MAX))
		return;
	if (ask.network == NULL) {
		http_error(r, 400, "expected network=NAME; /api/v1/networks lists all");
		return;
	}
	table = table != NULL ? table : "agents";
	keep = history_key(store, &ask, from_ms, to_ms, limit, table, key);
	if (keep && serve_cache_get(&s->cache, key, serve_now_ms(), &r->body) == SERVE_CACHE_FRESH)
		return;
	text_clear(&r->body);
	err = report_series(store, &ask, from_ms, to_ms, limit, table, &doc);
	if (err == ERR_VALUE)
		http_error(r, 400,
			   "there is no table \"%s\"; expected one that a report has, such "
			   "as agents",
			   table);
	else if (err != ERR_OK)
		api_failed(r, store, err);
	else
		api_send(r, doc);
	if (err == ERR_OK && keep && r->status == 0)
		serve_cache_put(&s->cache, key, slice_of(r->body.data, r->body.len),
				serve_now_ms() + HISTORY_FRESH_MS);
}
