#include "web/api_peer.h"

#include "report/json_text.h"
#include "report/peer_url.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { JSON_EXACT_BITS = 53 /* a double holds integers up to here, and so do many readers */ };

json_t *api_time(int64_t unix_ms)
{
	char text[32];

	if (unix_ms <= 0 || format_time(unix_ms, false, text) == 0)
		return json_null();
	return json_string(text);
}

/* Over 2^53 as text. */
static json_t *whole(uint64_t v)
{
	return v >> JSON_EXACT_BITS == 0 ? json_integer((json_int_t)v)
					 : json_sprintf("%" PRIu64, v);
}

json_t *api_text(struct slice s)
{
	struct text t = { 0 };
	json_t *out;

	text_add(&t, "");
	text_add_escaped(&t, s);
	out = t.err == ERR_OK ? json_stringn(t.data, t.len) : NULL;
	text_clear(&t);
	return out;
}

json_t *api_text_if(bool there, struct slice s)
{
	return there ? api_text(s) : json_null();
}

static json_t *word(const char *text)
{
	return api_text_if(text != NULL, slice_text(text != NULL ? text : ""));
}

static json_t *number_if(bool there, int64_t v)
{
	return there ? json_integer((json_int_t)v) : json_null();
}

static json_t *unsigned_if(bool there, uint64_t v)
{
	return there ? whole(v) : json_null();
}

static json_t *service_names(const struct api_peers *a, const char *network, uint64_t services)
{
	json_t *out = json_array();
	size_t count = (size_t)__builtin_popcountll(services);

	for (uint64_t bits = services; bits != 0; bits &= bits - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(bits);
		const char *name = a->service_name != NULL ? a->service_name(network, bit) : NULL;

		json_array_append_new(out, name != NULL ? json_string(name)
							: json_sprintf("bit %u", bit));
	}
	return json_whole(out, count);
}

static json_t *hash_if(bool there, const uint8_t *bytes, size_t len)
{
	char hex[2 * 32 + 1];

	if (!there)
		return json_null();
	hex_encode(slice_of(bytes, len), hex);
	return json_sprintf("0x%s", hex);
}

static json_t *node_json(const struct store_peer *p)
{
	const struct node_info *n = &p->node;
	const struct peer_chain *c = &n->chain;

	return json_pack(
		"{s:o s:o s:o s:o s:o s:o s:o s:o s:o s:o}", "tcp_port",
		number_if(p->tcp_port != 0, p->tcp_port), "capabilities",
		api_text_if(n->has_hello, n->capabilities), "fork_hash",
		hash_if(c->has_fork, c->fork_hash, sizeof(c->fork_hash)), "fork_next",
		unsigned_if(c->has_fork, c->fork_next), "network_id",
		unsigned_if(c->has_status, c->network_id), "completeness", word(n->completeness),
		"entries", number_if(n->completeness != NULL, n->entries), "record",
		api_text_if(n->record.len > 0, n->record), "record_seq",
		unsigned_if(n->has_record_seq, n->record_seq), "session", word(n->session));
}

/* Four digits are more than the averages mean. */
static json_t *uptime_json(const struct schedule *s)
{
	json_t *out = json_object();

	for (unsigned i = 0; i < SCHEDULE_WINDOWS; i++) {
		double up = s != NULL ? schedule_uptime(s, (enum schedule_window)i) : -1;

		json_object_set_new(out, schedule_window_names[i],
				    up >= 0 ? json_real(round(up * 10000) / 10000) : json_null());
	}
	return json_whole(out, SCHEDULE_WINDOWS);
}

static void put_place(const struct api_peers *a, const struct store_peer *p, json_t *out)
{
	struct geo_place g;

	geo_find(a->geo, &p->addr, &g);
	json_object_set_new(out, "country", api_text_if(g.country[0] != 0, slice_text(g.country)));
	json_object_set_new(out, "country_name",
			    api_text_if(g.country_name[0] != 0, slice_text(g.country_name)));
	json_object_set_new(out, "city", api_text_if(g.city[0] != 0, slice_text(g.city)));
	json_object_set_new(out, "latitude", g.has_location ? json_real(g.latitude) : json_null());
	json_object_set_new(out, "longitude",
			    g.has_location ? json_real(g.longitude) : json_null());
	json_object_set_new(out, "asn", number_if(g.asn != 0, g.asn));
	json_object_set_new(out, "as_name", api_text_if(g.as_name[0] != 0, slice_text(g.as_name)));
}

static void put_said(const struct api_peers *a, const struct store_peer *p, json_t *out)
{
	/* A node offers capabilities instead of services, and may share no version of eth. */
	bool is_node = p->public.len > 0, has_services = p->has_version && !is_node;

	json_object_set_new(out, "agent",
			    api_text_if(p->has_version || p->agent.len > 0, p->agent));
	json_object_set_new(
		out, "protocol",
		number_if(p->has_version && !(is_node && p->protocol == 0), p->protocol));
	json_object_set_new(out, "services",
			    has_services ? json_sprintf("0x%" PRIx64, p->services) : json_null());
	json_object_set_new(out, "service_names",
			    service_names(a, p->network, has_services ? p->services : 0));
	json_object_set_new(out, "height", number_if(p->has_version && p->height >= 0, p->height));
}

/* That peer_json sets, and put_said and put_place for it; without a node's. */
enum { PEER_KEYS = 30 };

/* NULL: out of memory, of any part of it. */
static json_t *peer_json(const struct api_peers *a, int64_t id, const struct store_peer *p,
			 const struct schedule *schedule)
{
	char url[PEER_URL_MAX];
	json_t *out = json_object();

	peer_url(p->network, &p->addr, p->public, p->tcp_port, url);
	json_object_set_new(out, "id", json_integer((json_int_t)id));
	json_object_set_new(out, "network", api_text(slice_text(p->network)));
	json_object_set_new(out, "peer", api_text(slice_text(url)));
	json_object_set_new(out, "address", api_text(p->address));
	json_object_set_new(out, "port", json_integer(p->addr.port));
	json_object_set_new(out, "kind", json_string(netaddr_kind_name(p->addr.kind)));
	json_object_set_new(out, "node_id", api_text_if(p->node_id.len > 0, p->node_id));
	json_object_set_new(out, "outcome",
			    p->visited ? json_string(outcome_name(p->outcome)) : json_null());
	json_object_set_new(out, "reached", json_boolean(p->visited && p->reached));
	put_said(a, p, out);
	json_object_set_new(out, "first_seen", api_time(p->first_seen_ms));
	json_object_set_new(out, "last_seen", api_time(p->last_seen_ms));
	json_object_set_new(out, "last_reached", api_time(p->last_reached_ms));
	json_object_set_new(out, "connect_ms", number_if(p->connect_ms >= 0, p->connect_ms));
	json_object_set_new(out, "handshake_ms", number_if(p->handshake_ms >= 0, p->handshake_ms));
	json_object_set_new(out, "visits", whole(p->visits));
	json_object_set_new(out, "reached_count", whole(p->reached_count));
	put_place(a, p, out);
	json_object_set_new(out, "up_since",
			    api_time(schedule != NULL ? schedule->up_since_ms : 0));
	json_object_set_new(out, "uptime", schedule != NULL ? uptime_json(schedule) : json_null());
	if (p->public.len > 0)
		json_object_set_new(out, "node", node_json(p));
	return json_whole(out, PEER_KEYS + (p->public.len > 0));
}

struct reading {
	const struct api_peers *api;
	int64_t id;
	const struct schedule *schedule;
	json_t *out;
};

static enum err on_peer(void *ctx, const struct store_peer *p)
{
	struct reading *r = ctx;

	r->out = peer_json(r->api, r->id, p, r->schedule);
	return r->out != NULL ? ERR_OK : ERR_NOMEM;
}

enum err api_peer(const struct api_peers *a, struct store *s, int64_t id, json_t **out)
{
	struct reading r = { .api = a, .id = id };
	struct schedule schedule;
	enum err err = store_peer_schedule(s, id, &schedule);

	*out = NULL;
	if (err == ERR_OK)
		r.schedule = &schedule;
	if (err == ERR_OK || err == ERR_NOT_FOUND)
		err = store_peer_by_id(s, id, on_peer, &r);
	*out = r.out;
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* --- what became of it --- */

static enum err on_session(void *ctx, int64_t from_ms, int64_t to_ms)
{
	json_t *session = json_pack("{s:o s:o}", "from", api_time(from_ms), "to", api_time(to_ms));

	return json_array_append_new(ctx, session) == 0 ? ERR_OK : ERR_NOMEM;
}

static enum err on_visit(void *ctx, const struct store_visit *v)
{
	const struct record *rec = &v->record;
	const struct peer_info *i = &rec->info;
	json_t *visit = json_pack(
		"{s:I s:o s:s s:b s:o s:o s:o s:o s:o}", "crawl", (json_int_t)v->crawl_id,
		"started_at", api_time(rec->started_at_ms), "outcome", outcome_name(rec->outcome),
		"reached", (int)rec->reached, "rule", word(rec->rule), "agent",
		api_text_if(i->has_version || i->agent.len > 0, i->agent), "height",
		number_if(i->has_version && i->height >= 0, i->height), "connect_ms",
		number_if(rec->connect_ms >= 0, rec->connect_ms), "handshake_ms",
		number_if(rec->handshake_ms >= 0, rec->handshake_ms));

	return json_array_append_new(ctx, visit) == 0 ? ERR_OK : ERR_NOMEM;
}

static enum err on_told(void *ctx, const struct store_told *t)
{
	json_t *told = json_pack("{s:o s:s s:o s:o}", "at", api_time(t->at_ms), "what", t->what,
				 "was", api_text(t->was), "now", api_text(t->now));

	return json_array_append_new(ctx, told) == 0 ? ERR_OK : ERR_NOMEM;
}

static enum err on_day(void *ctx, const struct store_day *d)
{
	char text[32] = "";
	json_t *day;

	format_time(d->day * 24 * 60 * 60 * 1000, false, text);
	day = json_pack("{s:s% s:I s:I}", "day", text, strcspn(text, "T"), "visits",
			(json_int_t)d->visits, "reached", (json_int_t)d->reached);
	return json_array_append_new(ctx, day) == 0 ? ERR_OK : ERR_NOMEM;
}

/* All of one moment. */
static enum err history_read(struct store *s, int64_t id, size_t limit, json_t *doc)
{
	json_t *sessions = json_object_get(doc, "sessions");
	size_t limit_over = limit;
	struct schedule schedule;
	enum err err = store_peer_schedule(s, id, &schedule);

	if (err == ERR_OK && schedule.up_since_ms > 0) {
		err = on_session(sessions, schedule.up_since_ms, 0);
		limit_over--;
	}
	if (err == ERR_OK || err == ERR_NOT_FOUND)
		err = store_peer_sessions(s, id, limit_over, on_session, sessions);
	if (err == ERR_OK)
		err = store_peer_visits(s, id, limit, on_visit, json_object_get(doc, "visits"));
	if (err == ERR_OK)
		err = store_peer_told(s, id, limit, on_told, json_object_get(doc, "changes"));
	if (err == ERR_OK)
		err = store_peer_days(s, id, limit, on_day, json_object_get(doc, "days"));
	return err;
}

static enum err on_any(void *ctx, const struct store_peer *p)
{
	(void)ctx;
	(void)p;
	return ERR_OK;
}

void api_peer_history(struct store *s, int64_t id, const struct http_request *q,
		      struct http_response *r)
{
	size_t limit;
	json_t *doc;
	enum err err;

	if (!api_known(q, r, "limit") || !api_number(q, r, "limit", API_HISTORY_DEFAULT, &limit))
		return;
	doc = json_pack("{s:[] s:[] s:[] s:[]}", "sessions", "visits", "changes", "days");
	err = doc != NULL ? store_read_begin(s) : ERR_NOMEM;
	if (err == ERR_OK) {
		err = store_peer_by_id(s, id, on_any, NULL);
		if (err == ERR_OK)
			err = history_read(s, id, limit, doc);
		store_read_end(s);
	}
	if (err == ERR_OK) {
		api_send(r, doc);
		return;
	}
	json_decref(doc);
	if (err == ERR_NOT_FOUND)
		http_error(r, 404, "there is no peer %" PRId64 " in this database", id);
	else
		api_failed(r, s, err);
}
