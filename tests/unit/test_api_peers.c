#include "web/api_peers.h"

#include "support/mmdb.h"
#include "support/nodes.h"
#include "support/store_rig.h"

#include <jansson.h>

/* A database with somebody of each sort in it, and answers about it without a socket. */

enum { EVERY_MS = 600 * 1000 };
static const int64_t began_ms = 1780000000000;

static struct census *census;
static struct geo *geo;
static struct api_peers api;

static const char *service_name(const char *network, unsigned bit)
{
	return strcmp(network, "ethereum") == 0 ? NULL
	       : bit == 0                       ? "NETWORK"
	       : bit == 3                       ? "WITNESS"
						: NULL;
}

static const char hostile[] = "/<script>alert(1)</script>\x1b[31m\xe2\x80\xae\"\\/";

static void put(struct store_crawl *crawl, struct record r)
{
	assert_int_equal(store_put_known(store, crawl, &r.addr, NULL, r.started_at_ms), ERR_OK);
	assert_int_equal(store_put_visit(store, crawl, &r), ERR_OK);
}

static void put_round(int64_t at_ms, bool second)
{
	struct store_crawl round = {
		.network = "bitcoin", .started_at_ms = at_ms, .settings = "{}", .every_ms = EVERY_MS
	};
	struct record r;

	assert_int_equal(store_crawl_begin(store, &round), ERR_OK);
	r = ok_record(addr_of("1.2.3.4:8333"),
		      slice_text(second ? "/Satoshi:28.0.0/" : "/Satoshi:27.0.0/"));
	r.started_at_ms = at_ms;
	put(&round, r);
	r = second ? failed_record(addr_of("5.6.7.8:8333"), OUTCOME_REFUSED)
		   : ok_record(addr_of("5.6.7.8:8333"), slice_text(hostile));
	r.started_at_ms = at_ms;
	put(&round, r);
	round.ended_at_ms = at_ms + 1000;
	round.complete = true;
	assert_int_equal(store_crawl_end(store, &round), ERR_OK);
}

static void put_others(void)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin-signet");
	struct store_crawl nodes = begin_crawl(store, "ethereum");
	struct node_key key = node_key(0xab);
	struct node_info info = full_node();
	struct record r = ok_record(addr_of("[2a01:4f8::7]:38333"), slice_text("/Größe:1/"));
	struct netaddr known =
		addr_of("pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333");

	r.info.services = UINT64_MAX;
	put(&crawl, r);
	assert_int_equal(store_put_known(store, &crawl, &known, NULL, began_ms), ERR_OK);
	r = node_record("9.9.9.9:30303", &key, &info);
	assert_int_equal(store_put_visit(store, &nodes, &r), ERR_OK);
}

static void open_geo(void)
{
	char path[300], why[GEO_WHY_MAX];
	const char *paths[] = { path };
	struct mmdb m;

	snprintf(path, sizeof(path), "%s/geo.mmdb", folder.path);
	mmdb_init(&m, "x", 4, 24);
	mmdb_add(&m, "1.2.0.0/16",
		 "{\"country\": {\"iso_code\": \"DE\", \"names\": {\"en\": \"Germany\"}}, "
		 "\"city\": {\"names\": {\"en\": \"Evil\\u202e<b>\"}}, "
		 "\"location\": {\"latitude\": 50.2, \"longitude\": 8.7}, "
		 "\"autonomous_system_number\": 24940, "
		 "\"autonomous_system_organization\": \"Hetzner\"}");
	mmdb_add(&m, "9.0.0.0/8", "{\"country\": {\"iso_code\": \"US\"}}");
	mmdb_write(&m, path);
	mmdb_clear(&m);
	if (geo_open(paths, 1, NULL, &geo, why) != ERR_OK)
		fail_msg("%s", why);
}

static int set_up(void **state)
{
	store_set_up(state);
	put_round(began_ms, false);
	put_round(began_ms + EVERY_MS, true);
	put_others();
	open_geo();
	assert_int_equal(census_new(geo, &census), ERR_OK);
	assert_int_equal(census_refresh(census, store, 0), ERR_OK);
	api = (struct api_peers){ .census = census, .geo = geo, .service_name = service_name };
	return 0;
}

static int tear_down(void **state)
{
	census_free(census);
	geo_close(geo);
	return store_tear_down(state);
}

/* The answer; status 0 counts as 200. */
static json_t *ask(const char *target, unsigned status)
{
	struct http_request *q = http_request_new(target);
	struct http_response r = { 0 };
	json_error_t error;
	json_t *out;

	assert_non_null(q);
	assert_true(api_peers(&api, store, q, &r));
	if ((r.status != 0 ? r.status : 200) != status)
		print_error("%s: %u %s\n", target, r.status, r.body.data);
	assert_int_equal(r.status != 0 ? r.status : 200, status);
	for (const char *c = r.body.data; *c != 0; c++)
		assert_false((unsigned char)*c < 0x20 && *c != '\n');
	assert_null(strstr(r.body.data, "\xe2\x80\xae"));
	out = json_loads(r.body.data, 0, &error);
	if (out == NULL)
		print_error("%s: %s\n%s\n", target, error.text, r.body.data);
	assert_non_null(out);
	text_clear(&r.body);
	http_request_free(q);
	return out;
}

static json_t *at(json_t *doc, const char *key)
{
	json_t *v = json_object_get(doc, key);

	if (v == NULL)
		print_error("there is no %s\n", key);
	assert_non_null(v);
	return v;
}

static void assert_word(json_t *doc, const char *key, const char *want)
{
	if (want == NULL)
		assert_true(json_is_null(at(doc, key)));
	else
		assert_string_equal(json_string_value(at(doc, key)), want);
}

static int64_t total(const char *target)
{
	json_t *doc = ask(target, 200);
	int64_t n = json_integer_value(at(doc, "total"));

	json_decref(doc);
	return n;
}

/* The only one that a list has. */
static json_t *only(const char *target)
{
	json_t *doc = ask(target, 200), *peer;

	assert_int_equal(json_integer_value(at(doc, "total")), 1);
	peer = json_incref(json_array_get(at(doc, "items"), 0));
	json_decref(doc);
	assert_non_null(peer);
	return peer;
}

static void filters(void **state)
{
	static const struct {
		const char *query;
		int64_t total;
	} rows[] = {
		{ "", 5 },
		{ "?network=bitcoin", 2 },
		{ "?network=nowhere", 0 },
		{ "?q=", 5 },
		{ "?q=satoshi", 1 },
		{ "?q=%3Cscript%3E", 1 },
		{ "?q=hetz", 1 },
		{ "?q=as24940", 1 },
		{ "?q=1.2.3.4%3A8333", 1 },
		{ "?q=bitcoin%3A%2F%2F1.2.3.4%3A8333", 1 },
		{ "?q=pg6mm", 1 },
		{ "?q=ABBEEF", 1 },
		{ "?agent=%2FSatoshi%3A28.0.0%2F", 1 },
		{ "?agent=%2FSatoshi%2F", 0 },
		{ "?protocol=70016", 3 },
		{ "?country=de", 1 },
		{ "?country=none", 3 },
		{ "?asn=24940", 1 },
		{ "?asn=AS24940", 1 },
		{ "?asn=none", 4 },
		{ "?kind=onion", 1 },
		{ "?kind=ipv4&reached=no", 1 },
		{ "?outcome=refused", 1 },
		{ "?visited=no", 1 },
		{ "?reached=yes", 3 },
		{ "?service=0", 3 },
		{ "?service=NETWORK,3", 3 },
		{ "?service=witness", 3 },
		{ "?service=NODE_NETWORK", 3 },
		{ "?service=63", 1 },
		{ "?crawl=2", 2 },
		{ "?crawl=1", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char target[300];

		print_message("%s\n", rows[i].query);
		snprintf(target, sizeof(target), "/api/v1/peers%s", rows[i].query);
		assert_int_equal(total(target), rows[i].total);
		snprintf(target, sizeof(target), "/api/v1/facets%s", rows[i].query);
		assert_int_equal(total(target), rows[i].total);
		snprintf(target, sizeof(target), "/api/v1/map%s", rows[i].query);
		json_decref(ask(target, 200));
	}
}

static void refuses_what_it_does_not_know(void **state)
{
	static const struct {
		const char *target;
		unsigned status;
		const char *why;
	} rows[] = {
		{ "/api/v1/peers?nework=x", 400, "expected one of: network q" },
		{ "/api/v1/peers?top=5", 400, "no parameter \"top\"" },
		{ "/api/v1/facets?limit=5", 400, "no parameter \"limit\"" },
		{ "/api/v1/map?sort=seen", 400, "no parameter \"sort\"" },
		{ "/api/v1/peers/1?q=x", 400, "nor any other" },
		{ "/api/v1/peers?limit=0", 400, "from 1 to 1000" },
		{ "/api/v1/peers?limit=1001", 400, "from 1 to 1000" },
		{ "/api/v1/peers?limit=-1", 400, "from 1 to 1000" },
		{ "/api/v1/peers?limit=", 400, "from 1 to 1000" },
		{ "/api/v1/facets?top=9999999999999999999999", 400, "from 1 to 1000" },
		{ "/api/v1/peers?sort=age", 400, "seen, reached" },
		{ "/api/v1/peers?order=up", 400, "asc or desc" },
		{ "/api/v1/peers?cursor=x", 400, "begin again" },
		{ "/api/v1/peers?cursor=", 400, "begin again" },
		{ "/api/v1/peers?sort=seen&cursor=b.1.5", 400, "begin again" },
		{ "/api/v1/peers?kind=tor", 400, "onion" },
		{ "/api/v1/peers?outcome=good", 400, "connect_timeout" },
		{ "/api/v1/peers?country=DEU", 400, "two letters" },
		{ "/api/v1/peers?country=D1", 400, "two letters" },
		{ "/api/v1/peers?asn=0", 400, "number of an AS" },
		{ "/api/v1/peers?asn=4294967296", 400, "number of an AS" },
		{ "/api/v1/peers?protocol=x", 400, "protocol version" },
		{ "/api/v1/peers?crawl=0", 400, "number of a crawl" },
		{ "/api/v1/peers?crawl=newest", 400, "number of a crawl" },
		{ "/api/v1/peers?reached=1", 400, "yes or no" },
		{ "/api/v1/peers?service=64", 400, "0 to 63" },
		{ "/api/v1/peers?service=NETWORK,", 400, "0 to 63" },
		{ "/api/v1/peers?service=", 400, "0 to 63" },
		{ "/api/v1/peers?service=%1b%e2%80%ae", 400, "0 to 63" },
		{ "/api/v1/peers/999", 404, "no peer 999" },
		{ "/api/v1/peers/999/history", 404, "no peer 999" },
		{ "/api/v1/peers/1/hist", 404, "/history" },
		{ "/api/v1/peers/", 404, "as id" },
		{ "/api/v1/peers/0", 404, "as id" },
		{ "/api/v1/peers/1e3", 404, "as id" },
		{ "/api/v1/peers/99999999999999999999999999", 404, "as id" },
		{ "/api/v1/peers/1/history?limit=0", 400, "from 1 to" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json_t *doc = ask(rows[i].target, rows[i].status);
		const char *why = json_string_value(at(doc, "error"));

		if (strstr(why, rows[i].why) == NULL)
			print_error("%s: %s\n", rows[i].target, why);
		assert_non_null(strstr(why, rows[i].why));
		json_decref(doc);
	}
}

static void answers_for_its_paths_alone(void **state)
{
	static const char *const others[] = { "/", "/api/v1/peersx", "/api/v1/networks",
					      "/api/v1/map/", "/api/v1" };

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		struct http_request *q = http_request_new(others[i]);
		struct http_response r = { 0 };

		assert_false(api_peers(&api, store, q, &r));
		assert_null(r.body.data);
		http_request_free(q);
	}
}

static void a_peer_that_is_watched(void **state)
{
	json_t *peer = only("/api/v1/peers?q=1.2.3.4"), *uptime;

	(void)state;
	assert_word(peer, "network", "bitcoin");
	assert_word(peer, "peer", "bitcoin://1.2.3.4:8333");
	assert_word(peer, "address", "1.2.3.4");
	assert_int_equal(json_integer_value(at(peer, "port")), 8333);
	assert_word(peer, "kind", "ipv4");
	assert_word(peer, "node_id", NULL);
	assert_word(peer, "outcome", "ok");
	assert_true(json_is_true(at(peer, "reached")));
	assert_word(peer, "agent", "/Satoshi:28.0.0/");
	assert_int_equal(json_integer_value(at(peer, "protocol")), 70016);
	assert_word(peer, "services", "0xc09");
	assert_int_equal(json_array_size(at(peer, "service_names")), 4);
	assert_string_equal(json_string_value(json_array_get(at(peer, "service_names"), 1)),
			    "WITNESS");
	assert_string_equal(json_string_value(json_array_get(at(peer, "service_names"), 2)),
			    "bit 10");
	assert_int_equal(json_integer_value(at(peer, "height")), 900000);
	assert_word(peer, "first_seen", "2026-05-28T20:26:40Z");
	assert_int_equal(json_integer_value(at(peer, "connect_ms")), 40);
	assert_int_equal(json_integer_value(at(peer, "handshake_ms")), 81);
	assert_int_equal(json_integer_value(at(peer, "visits")), 2);
	assert_int_equal(json_integer_value(at(peer, "reached_count")), 2);
	assert_word(peer, "country", "DE");
	assert_word(peer, "country_name", "Germany");
	assert_word(peer, "city", "Evil\\xe2\\x80\\xae<b>");
	assert_true(json_real_value(at(peer, "latitude")) > 50.1);
	assert_int_equal(json_integer_value(at(peer, "asn")), 24940);
	assert_word(peer, "as_name", "Hetzner");
	assert_word(peer, "up_since", "2026-05-28T20:26:40Z");
	uptime = at(peer, "uptime");
	assert_int_equal(json_object_size(uptime), 5);
	assert_true(json_real_value(at(uptime, "30d")) == 1);
	assert_null(json_object_get(peer, "node"));
	json_decref(peer);
}

static void what_strangers_wrote_is_harmless(void **state)
{
	json_t *peer = only("/api/v1/peers?outcome=refused"), *facets, *row;

	(void)state;
	assert_word(peer, "agent", "/<script>alert(1)</script>\\x1b[31m\\xe2\\x80\\xae\"\\\\/");
	assert_word(peer, "up_since", NULL);
	json_decref(peer);
	/* What a facet has as value is what the filter takes. */
	facets = ask("/api/v1/facets?q=script", 200);
	row = json_array_get(at(facets, "agents"), 0);
	assert_int_equal(json_array_size(at(facets, "agents")), 1);
	assert_word(row, "value", "/<script>alert(1)</script>\\x1b[31m\\xe2\\x80\\xae\"\\\\/");
	assert_int_equal(total("/api/v1/peers?agent=%2F%3Cscript%3Ealert(1)%3C%2Fscript%3E%5Cx1b"
			       "%5B31m%5Cxe2%5Cx80%5Cxae%22%5C%5C%2F"),
			 1);
	json_decref(facets);
}

static void a_node(void **state)
{
	json_t *peer = only("/api/v1/peers?network=ethereum"), *node = at(peer, "node");

	(void)state;
	assert_true(strncmp(json_string_value(at(peer, "peer")), "enode://abbeef", 14) == 0);
	assert_int_equal(strlen(json_string_value(at(peer, "node_id"))), 128);
	assert_word(peer, "services", NULL);
	assert_int_equal(json_array_size(at(peer, "service_names")), 0);
	assert_word(peer, "uptime", NULL);
	assert_word(peer, "country", "US");
	assert_word(peer, "country_name", NULL);
	assert_int_equal(json_integer_value(at(node, "tcp_port")), 30303);
	assert_word(node, "capabilities", "eth/67 eth/68 snap/1");
	assert_word(node, "fork_hash", "0x07c9462e");
	assert_word(node, "fork_next", "18446744073709551615");
	assert_word(node, "network_id", "9223372036854775808");
	assert_word(node, "completeness", "drained");
	assert_int_equal(json_integer_value(at(node, "entries")), 143);
	assert_word(node, "record", NODE_RECORD_TEXT);
	assert_int_equal(json_integer_value(at(node, "record_seq")), 1780000000123);
	assert_word(node, "session", "ok");
	json_decref(peer);
}

static void a_peer_nobody_visited(void **state)
{
	json_t *peer = only("/api/v1/peers?visited=no");
	static const char *const nulls[] = {
		"outcome",    "agent",        "protocol", "services", "height", "last_reached",
		"connect_ms", "handshake_ms", "country",  "city",     "asn",    "as_name",
		"latitude",   "longitude",    "up_since", "uptime",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(nulls) / sizeof(*nulls); i++)
		assert_word(peer, nulls[i], NULL);
	assert_true(json_is_false(at(peer, "reached")));
	json_decref(peer);
}

static void pages(void **state)
{
	static const char *const sorts[] = { "seen",    "reached", "uptime", "first",
					     "latency", "height",  "agent",  "address" };

	(void)state;
	for (size_t i = 0; i < 16; i++) {
		char next[300] = "", target[600];
		bool seen[10] = { false };
		size_t count = 0;

		do {
			json_t *doc, *peer;
			int64_t id;

			snprintf(target, sizeof(target),
				 "/api/v1/peers?limit=1&sort=%s&order=%s%s%s", sorts[i / 2],
				 i % 2 ? "asc" : "desc", next[0] ? "&cursor=" : "", next);
			doc = ask(target, 200);
			assert_int_equal(json_array_size(at(doc, "items")), 1);
			peer = json_array_get(at(doc, "items"), 0);
			id = json_integer_value(at(peer, "id"));
			assert_in_range(id, 1, 9);
			assert_false(seen[id]);
			seen[id] = true;
			count++;
			snprintf(next, sizeof(next), "%s",
				 json_is_null(at(doc, "next"))
					 ? ""
					 : json_string_value(at(doc, "next")));
			json_decref(doc);
		} while (next[0] != 0);
		assert_int_equal(count, 5);
	}
}

static void orders(void **state)
{
	json_t *low = ask("/api/v1/peers?sort=address&order=asc", 200);
	json_t *high = ask("/api/v1/peers?sort=address&order=desc", 200);
	json_t *own = ask("/api/v1/peers?sort=address", 200);
	json_t *seen = ask("/api/v1/peers?sort=seen", 200), *a, *b;

	(void)state;
	assert_word(json_array_get(at(low, "items"), 0), "address", "1.2.3.4");
	assert_word(json_array_get(at(high, "items"), 0), "kind", "onion");
	assert_true(json_equal(low, own));
	a = json_array_get(at(seen, "items"), 0);
	b = json_array_get(at(seen, "items"), 4);
	assert_true(strcmp(json_string_value(at(a, "last_seen")),
			   json_string_value(at(b, "last_seen"))) > 0);
	json_decref(low);
	json_decref(high);
	json_decref(own);
	json_decref(seen);
}

static void facets(void **state)
{
	json_t *doc = ask("/api/v1/facets?network=bitcoin", 200), *row;

	(void)state;
	assert_int_equal(json_array_size(at(doc, "agents")), 2);
	assert_int_equal(json_array_size(at(doc, "countries")), 2);
	row = json_array_get(at(doc, "countries"), 0);
	assert_int_equal(json_integer_value(at(row, "count")), 1);
	row = json_array_get(at(doc, "asns"), 1);
	assert_word(row, "value", "24940");
	assert_word(row, "text", "AS24940 Hetzner");
	row = json_array_get(at(doc, "asns"), 0);
	assert_word(row, "value", "none");
	assert_word(row, "text", "unknown");
	assert_int_equal(json_array_size(at(doc, "services")), 4);
	row = json_array_get(at(doc, "services"), 0);
	assert_word(row, "value", "0");
	assert_word(row, "text", "NETWORK");
	row = json_array_get(at(doc, "protocols"), 0);
	assert_word(row, "value", "70016");
	assert_int_equal(json_integer_value(at(row, "count")), 2);
	json_decref(doc);
	doc = ask("/api/v1/facets?top=1", 200);
	assert_int_equal(json_array_size(at(doc, "services")), 1);
	assert_int_equal(json_array_size(at(doc, "agents")), 1);
	json_decref(doc);
}

static void the_map(void **state)
{
	json_t *doc = ask("/api/v1/map", 200), *place;

	(void)state;
	assert_int_equal(json_array_size(at(doc, "countries")), 2);
	assert_int_equal(json_array_size(at(doc, "places")), 1);
	assert_int_equal(json_integer_value(at(doc, "unknown")), 3);
	place = json_array_get(at(doc, "places"), 0);
	assert_int_equal(json_integer_value(at(place, "latitude")), 50);
	assert_int_equal(json_integer_value(at(place, "longitude")), 9);
	assert_word(place, "city", "Evil\\xe2\\x80\\xae<b>");
	assert_word(place, "country", "DE");
	json_decref(doc);
}

static json_t *below(int64_t id, const char *rest)
{
	char target[100];

	snprintf(target, sizeof(target), "/api/v1/peers/%lld%s", (long long)id, rest);
	return ask(target, 200);
}

static void one_and_its_history(void **state)
{
	json_t *peer = only("/api/v1/peers?q=1.2.3.4"), *doc, *row;
	int64_t id = json_integer_value(at(peer, "id"));

	(void)state;
	json_decref(peer);
	doc = below(id, "");
	assert_word(at(doc, "schedule"), "due", "2026-05-28T20:46:40Z");
	assert_int_equal(json_integer_value(at(at(doc, "schedule"), "misses")), 0);
	json_decref(doc);
	doc = below(id, "/history");
	row = json_array_get(at(doc, "sessions"), 0);
	assert_word(row, "from", "2026-05-28T20:26:40Z");
	assert_word(row, "to", NULL);
	assert_int_equal(json_array_size(at(doc, "visits")), 2);
	row = json_array_get(at(doc, "visits"), 0);
	assert_int_equal(json_integer_value(at(row, "crawl")), 2);
	assert_word(row, "started_at", "2026-05-28T20:36:40Z");
	assert_word(row, "outcome", "ok");
	assert_word(row, "rule", NULL);
	assert_word(row, "agent", "/Satoshi:28.0.0/");
	assert_int_equal(json_array_size(at(doc, "changes")), 1);
	row = json_array_get(at(doc, "changes"), 0);
	assert_word(row, "what", "agent");
	assert_word(row, "was", "/Satoshi:27.0.0/");
	assert_word(row, "now", "/Satoshi:28.0.0/");
	assert_int_equal(json_array_size(at(doc, "days")), 0);
	json_decref(doc);
	doc = below(id, "/history?limit=1");
	assert_int_equal(json_array_size(at(doc, "visits")), 1);
	json_decref(doc);
	peer = only("/api/v1/peers?outcome=refused");
	id = json_integer_value(at(peer, "id"));
	json_decref(peer);
	doc = below(id, "/history");
	row = json_array_get(at(doc, "sessions"), 0);
	assert_word(row, "to", "2026-05-28T20:26:40Z");
	json_decref(doc);
	peer = only("/api/v1/peers?visited=no");
	doc = below(json_integer_value(at(peer, "id")), "");
	assert_word(doc, "schedule", NULL);
	json_decref(doc);
	json_decref(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters),
		cmocka_unit_test(refuses_what_it_does_not_know),
		cmocka_unit_test(answers_for_its_paths_alone),
		cmocka_unit_test(a_peer_that_is_watched),
		cmocka_unit_test(what_strangers_wrote_is_harmless),
		cmocka_unit_test(a_node),
		cmocka_unit_test(a_peer_nobody_visited),
		cmocka_unit_test(pages),
		cmocka_unit_test(orders),
		cmocka_unit_test(facets),
		cmocka_unit_test(the_map),
		cmocka_unit_test(one_and_its_history),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
