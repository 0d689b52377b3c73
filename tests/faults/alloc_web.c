/* alloc_web.c: the census, and the answers of the API, without a socket: each is whole, or says
 * that there is no memory. */
#include "faults/data.h"
#include "web/census.h"
#include "web/serve_inner.h"

static const char *path;
static struct store *store;

static void open_data(void)
{
	if (path == NULL)
		path = data_make("web.db");
	store = open_db(path, STORE_READ);
}

static void close_data(enum err err)
{
	(void)err;
	store_close(store);
}

/* --- the census --- */

static struct census *census;

static enum err ask_census(void)
{
	struct census_filter filter = CENSUS_FILTER_ANY;
	struct census_page page = { .sort = CENSUS_BY_AGENT, .limit = 5 };
	struct census_facets facets = { 0 };
	struct census_found found;
	struct census_map map = { 0 };
	int64_t ids[5];
	enum err err;

	filter.text = "satoshi";
	err = census_find(census, &filter, &page, ids, &found);
	if (err == ERR_OK) {
		said_number(found.total);
		said(slice_of(ids, found.count * sizeof(*ids)));
		err = census_facets(census, &filter, 10, &facets);
	}
	for (unsigned i = 0; err == ERR_OK && i < CENSUS_FACETS; i++)
		said_number(facets.counts[i]);
	if (err == ERR_OK)
		err = census_map(census, &filter, &map);
	census_facets_clear(&facets);
	census_map_clear(&map);
	return err;
}

static enum err run_census(void)
{
	enum err err = census_new(NULL, &census);

	if (err != ERR_OK) {
		census = NULL;
		return err;
	}
	err = census_refresh(census, store, 0);
	return err == ERR_OK ? ask_census() : err;
}

/* What a refresh could not take, the next one does. */
static void after_census(enum err err)
{
	static struct census_network networks[8];
	size_t count;

	(void)err;
	if (census != NULL) {
		want(census_refresh(census, store, 1) == ERR_OK);
		count = census_networks(census, networks, 8);
		want(count == 3 && networks[0].peers == DATA_PEERS);
		want(ask_census() == ERR_OK);
		census_free(census);
	}
	close_data(err);
}

/* --- answers --- */

static struct serve *serve;

static void serve_data(void)
{
	const struct serve_config config = { .key = { 1, 2 } };

	open_data();
	assert_int_equal(serve_new(&config, &serve), ERR_OK);
	assert_int_equal(census_refresh(serve->census, store, 0), ERR_OK);
	serve->config.db = path;
	serve->ready = true;
}

static void serve_end(enum err err)
{
	serve_free(serve);
	close_data(err);
}

/* 503 with a sentence, or (the server says so then) a body that lacks something. */
static enum err ask(const char *target)
{
	struct http_request *q = http_request_new(target);
	struct http_response r = { 0 };
	enum err err;

	if (q == NULL)
		return ERR_NOMEM;
	serve_handle(serve, q, &r);
	err = r.body.err;
	if (err == ERR_OK && r.status != 0 && r.status != 200) {
		want(r.status == 503);
		want(r.body.len > 0 && strstr(r.body.data, "memory") != NULL);
		err = ERR_NOMEM;
	}
	if (err == ERR_OK && strcmp(target, "/metrics") != 0) /* which have a clock in them */
		said(slice_of(r.body.data, r.body.len));
	text_clear(&r.body);
	http_request_free(q);
	return err;
}

#define ANSWERS(X)                                             \
	X(networks, "/api/v1/networks")                        \
	X(crawls, "/api/v1/crawls?limit=3")                    \
	X(crawl, "/api/v1/crawls/3")                           \
	X(report, "/api/v1/crawls/3/report")                   \
	X(nodes, "/api/v1/crawls/5/report")                    \
	X(history, "/api/v1/history?network=bitcoin")          \
	X(diff, "/api/v1/diff?a=1&b=3")                        \
	X(peers, "/api/v1/peers?sort=agent&limit=5&q=satoshi") \
	X(facets, "/api/v1/facets?network=bitcoin")            \
	X(peer, "/api/v1/peers/2")                             \
	X(past, "/api/v1/peers/2/history")                     \
	X(map, "/api/v1/map")                                  \
	X(metrics, "/metrics")

#define ANSWER_RUN(name, target)         \
	static enum err run_##name(void) \
	{                                \
		return ask(target);      \
	}
ANSWERS(ANSWER_RUN)

#define ANSWER_ROW(name, target) \
	SCENARIO("answer: " #name, serve_data, run_##name, serve_end, .points = 25),
const struct scenario web_scenarios[] = {
	SCENARIO("census", open_data, run_census, after_census),
	ANSWERS(ANSWER_ROW){ 0 },
};
