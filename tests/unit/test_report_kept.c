/* test_report_kept.c: a kept report says what the walk over the visits says, as long as it can, and
 * outlives them. */
#include "report/report.h"
#include "store/watch.h"

#include "support/nodes.h"
#include "support/report.h"
#include "support/sql.h"

#include "base/hash.h"

static const char *service_name(const char *network, unsigned bit)
{
	return strcmp(network, "bitcoin") == 0 && bit == 0 ? "NETWORK" : NULL;
}

static void fork_text(const uint8_t hash[4], int64_t unix_ms, char *out, size_t cap)
{
	snprintf(out, cap, "%s", hash[0] % 2 != 0 && unix_ms > 0 ? "odd" : "");
}

static void network_text(uint64_t network_id, char *out, size_t cap)
{
	snprintf(out, cap, "%s", network_id == 1 ? "mainnet" : "");
}

static const struct report_options options = { .top = 10,
					       .history = true,
					       .key = { 1, 2 },
					       .service_name = service_name,
					       .fork_text = fork_text,
					       .network_text = network_text };

/* --- crawls of anything --- */

static const char *const agents[] = { "/Satoshi:27.0.0/", "/\x1b[2J/",     "",
				      "Geth/v1.2.3/x",    "b\xc3\xbc\\\"", "erigon/3.0" };

static struct record any_record(struct random *rng, uint32_t peer, bool is_gossip)
{
	static const char *const tor =
		"2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion:1";
	struct netaddr addr = netaddr_ipv4(0x01000000 + peer, (uint16_t)(8333 + peer % 7));
	struct record r = ok_record(peer == 7 ? addr_of(tor) : addr,
				    slice_text(agents[random_below(rng, 6)]));

	if (random_below(rng, 3) == 0)
		return failed_record(addr, random_below(rng, OUTCOME_COUNT - 1) + 1);
	r.outcome = random_below(rng, OUTCOME_COUNT);
	r.connect_ms = (int32_t)random_below(rng, 12000);
	r.handshake_ms = r.connect_ms + (int32_t)random_below(rng, 100);
	r.info.has_version = !is_gossip && random_below(rng, 9) > 0;
	r.info.protocol = 70000 + (int64_t)random_below(rng, 150);
	r.info.services = random_next(rng) >> random_below(rng, 32);
	r.info.height = (int64_t)random_below(rng, 3000) - 1;
	return r;
}

static void put_node(const struct store_crawl *crawl, struct random *rng, struct record r,
		     uint32_t peer)
{
	static const char *const ends[] = { "drained", "partial", "timed_out", NULL };
	struct node_key key = { { (uint8_t)peer, (uint8_t)(peer >> 8) } };
	struct node_info node = full_node();

	node.completeness = ends[random_below(rng, 4)];
	node.entries = (uint32_t)random_below(rng, 200);
	node.chain.fork_hash[0] = (uint8_t)random_below(rng, 200);
	node.chain.network_id = random_below(rng, 4) > 0 ? random_below(rng, 3) : random_next(rng);
	node.has_hello = random_below(rng, 3) > 0;
	if (!node.has_hello)
		r.info.agent = slice_text("");
	r.info.node_id = key_slice(&key);
	r.node = &node;
	assert_int_equal(store_put_visit(store, crawl, &r), ERR_OK);
}

static struct store_crawl crawl_anything(const char *network, uint64_t seed, bool complete)
{
	struct store_crawl crawl = { .started_at_ms = 1780000000000 + (int64_t)seed,
				     .settings = "{}" };
	struct random rng = { seed };

	snprintf(crawl.network, sizeof(crawl.network), "%s", network);
	assert_int_equal(store_begin(store), ERR_OK);
	assert_int_equal(store_crawl_begin(store, &crawl), ERR_OK);
	for (uint32_t peer = 0; peer < 400; peer++) {
		struct record r = any_record(&rng, peer, strcmp(network, "gossip") == 0);

		if (random_below(&rng, 5) == 0)
			continue;
		if (strcmp(network, "ethereum") == 0)
			put_node(&crawl, &rng, r, peer);
		else
			assert_int_equal(store_put_visit(store, &crawl, &r), ERR_OK);
		crawl.visited++;
		crawl.reached += r.reached;
	}
	crawl.ended_at_ms = crawl.started_at_ms + 1000;
	crawl.complete = complete;
	crawl.known = 500;
	assert_int_equal(store_crawl_end(store, &crawl), ERR_OK);
	assert_int_equal(store_commit(store), ERR_OK);
	return crawl;
}

/* --- what is asked --- */

static json_t *ask(int64_t crawl_id, size_t top)
{
	struct report_options o = options;
	struct report r;
	json_t *doc;

	o.crawl_id = crawl_id;
	o.top = top;
	assert_int_equal(report_gather(store, &o, &r), ERR_OK);
	doc = report_json(&r);
	assert_non_null(doc);
	/* Only a kept report knows more of the crawls before. */
	if (json_object_get(doc, "history") != NULL) {
		size_t i;
		json_t *item;

		json_array_foreach(json_object_get(doc, "history"), i, item)
			json_object_del(item, "values");
	}
	report_clear(&r);
	return doc;
}

static void keep(int64_t crawl_id)
{
	struct report_options o = { .crawl_id = crawl_id, .key = { 3, 4 } };

	assert_int_equal(report_keep(store, &o), ERR_OK);
}

static void assert_same(const json_t *got, const json_t *want, bool same)
{
	char *a = json_dumps(got, JSON_SORT_KEYS), *b = json_dumps(want, JSON_SORT_KEYS);

	if (same)
		assert_string_equal(a, b);
	else
		assert_string_not_equal(a, b);
	free(a);
	free(b);
}

static uint64_t integer_of(const json_t *doc, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(doc, key));
}

static void drop_visits(void)
{
	run_sql(folder.db, "DELETE FROM node_visits; DELETE FROM visits");
}

/* --- tests --- */

/* Of every network, and however many rows are asked for: with the visits gone, nothing but the kept
 * report can have said it. */
static void as_walked(void **state)
{
	static const char *const networks[] = { "bitcoin", "gossip", "ethereum" };
	static const size_t tops[] = { 1, 2, 10, 100 };
	json_t *walked[3][4], *kept;
	struct store_crawl crawls[3][3];

	(void)state;
	for (unsigned n = 0; n < 3; n++) {
		for (unsigned i = 0; i < 3; i++)
			crawls[n][i] = crawl_anything(networks[n], 10 * n + i, i != 1);
		for (unsigned t = 0; t < 4; t++)
			walked[n][t] = ask(crawls[n][2].id, tops[t]);
	}
	for (unsigned n = 0; n < 3; n++) {
		for (unsigned i = 0; i < 3; i++)
			keep(crawls[n][i].id);
	}
	drop_visits();
	for (unsigned n = 0; n < 3; n++) {
		for (unsigned t = 0; t < 4; t++) {
			print_message("%s, %zu rows\n", networks[n], tops[t]);
			kept = ask(crawls[n][2].id, tops[t]);
			assert_true(integer_of(kept, "reached") > 100);
			assert_same(kept, walked[n][t], true);
			json_decref(walked[n][t]);
			json_decref(kept);
		}
	}
}

/* More rows than are kept are counted anew, as long as that is possible. */
static void more_than_kept(void **state)
{
	struct store_crawl crawl = crawl_anything("bitcoin", 1, true);
	json_t *walked = ask(crawl.id, 0), *again;
	const json_t *services = json_object_get(walked, "services");

	(void)state;
	assert_true(integer_of(services, "distinct") > 100);
	keep(crawl.id);
	again = ask(crawl.id, 0);
	assert_same(again, walked, true);
	json_decref(again);
	drop_visits();
	again = ask(crawl.id, 0);
	assert_same(again, walked, false);
	services = json_object_get(again, "services");
	assert_int_equal(json_array_size(json_object_get(services, "rows")), 100);
	assert_int_equal(integer_of(services, "distinct"),
			 integer_of(json_object_get(walked, "services"), "distinct"));
	assert_int_equal(integer_of(again, "visited"), crawl.visited);
	json_decref(again);
	json_decref(walked);
}

/* Another version, and what is no report, are as none; a crawl that goes on has none, either. */
static void not_ours(void **state)
{
	static const struct {
		const char *name, *sql;
		uint64_t sums; /* that the history believes; 0: none */
	} rows[] = {
		{ "another version", "UPDATE reports SET version = version + 1", 0 },
		{ "no JSON", "UPDATE reports SET report = '{'", 0 },
		{ "a list", "UPDATE reports SET report = '[]'", 0 },
		{ "no tables", "UPDATE reports SET report = '{\"visited\": 7, \"reached\": 7}'",
		  0 },
		{ "no sums", "UPDATE reports SET report = '{\"tables\": {}}'", 0 },
		{ "sums below zero",
		  "UPDATE reports SET report = '{\"visited\": 7, "
		  "\"reached\": -7, \"tables\": {}}'",
		  0 },
		{ "a row that is none",
		  "UPDATE reports SET report = '{\"visited\": 7, \"reached\": 7, \"tables\": "
		  "{\"ports\": [1,1,0,[]], \"agents\": [1,1,0,[7]]}}'",
		  7 },
		{ "a crawl that goes on",
		  "UPDATE reports SET report = replace(report, "
		  "'\"visited\":', '\"visited\":7'); "
		  "UPDATE crawls SET ended_at_ms = NULL",
		  0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct store_crawl crawl = crawl_anything("bitcoin", i, true);
		json_t *doc;
		const json_t *last;

		print_message("%s\n", rows[i].name);
		keep(crawl.id);
		run_sql(folder.db, rows[i].sql);
		doc = ask(crawl.id, 10);
		assert_int_equal(integer_of(doc, "visited"), crawl.visited);
		assert_int_equal(integer_of(doc, "reached"), crawl.reached);
		last = json_array_get(json_object_get(doc, "history"), i);
		assert_int_equal(integer_of(last, "visited"),
				 rows[i].sums > 0 ? rows[i].sums : crawl.visited);
		assert_int_equal(integer_of(last, "reached"),
				 rows[i].sums > 0 ? rows[i].sums : crawl.reached);
		json_decref(doc);
	}
}

/* Whoever wrote the file wrote what a terminal obeys. */
static void harmless(void **state)
{
	struct store_crawl crawl = crawl_anything("bitcoin", 1, true);
	json_t *doc;
	char *text;

	(void)state;
	keep(crawl.id);
	run_sql(folder.db, "UPDATE reports SET report = '{\"visited\": 7, \"reached\": 1, "
			   "\"tables\": {\"agents\": "
			   "[1,1,0,[[\"\\u001b[2J\",1,\"\\u202e\"]]]}}'");
	doc = ask(crawl.id, 10);
	text = json_dumps(doc, JSON_ENSURE_ASCII);
	assert_int_equal(integer_of(doc, "visited"), 7);
	assert_non_null(strstr(text, "\\\\x1b[2J"));
	assert_null(strstr(text, "\\u001b"));
	assert_null(strstr(text, "\\u202e"));
	free(text);
	json_decref(doc);
}

/* Visits that are gone without a report leave their sums. */
static void only_sums(void **state)
{
	struct store_crawl before = crawl_anything("bitcoin", 1, true);
	struct store_crawl crawl = crawl_anything("bitcoin", 2, true);
	json_t *doc, *last;

	(void)state;
	drop_visits();
	doc = ask(crawl.id, 10);
	assert_int_equal(integer_of(doc, "visited"), crawl.visited);
	assert_int_equal(integer_of(doc, "reached"), crawl.reached);
	last = json_array_get(json_object_get(doc, "history"), 1);
	assert_int_equal(integer_of(last, "reached"), crawl.reached);
	assert_true(json_is_null(json_object_get(last, "came")));
	last = json_array_get(json_object_get(doc, "history"), 0);
	assert_int_equal(integer_of(last, "visited"), before.visited);
	json_decref(doc);
	/* What is kept now knows nothing of who came. */
	crawl = crawl_anything("bitcoin", 3, true);
	keep(crawl.id);
	doc = ask(crawl.id, 10);
	last = json_array_get(json_object_get(doc, "history"), 2);
	assert_true(json_is_null(json_object_get(last, "came")));
	json_decref(doc);
}

/* --- series --- */

static json_t *series(const char *network, int64_t from_ms, int64_t to_ms, size_t limit,
		      const char *table, size_t top)
{
	struct report_options o = options;
	json_t *out;

	o.network = network;
	o.top = top;
	assert_int_equal(report_series(store, &o, from_ms, to_ms, limit, table, &out), ERR_OK);
	return out;
}

static void over_time(void **state)
{
	enum { CRAWLS = 40, KEPT = 30 };
	struct store_crawl crawls[CRAWLS];
	json_t *doc, *items, *first;

	(void)state;
	for (unsigned i = 0; i < CRAWLS; i++) {
		crawls[i] = crawl_anything("bitcoin", i, true);
		if (i < KEPT)
			keep(crawls[i].id);
	}
	crawl_anything("gossip", 1, true);
	run_sql(folder.db, "UPDATE crawls SET ended_at_ms = NULL WHERE id = 40");
	doc = series("bitcoin", 0, 0, 0, "agents", 3);
	items = json_object_get(doc, "items");
	assert_int_equal(json_array_size(items), CRAWLS - 1);
	assert_int_equal(json_array_size(json_object_get(doc, "values")), 3);
	first = json_array_get(items, 0);
	assert_int_equal(integer_of(first, "id"), crawls[0].id);
	assert_true(json_is_null(json_object_get(first, "came")));
	assert_int_equal(json_object_size(json_object_get(first, "values")), 3);
	first = json_array_get(items, 1);
	assert_true(json_is_integer(json_object_get(first, "came")));
	assert_int_equal(integer_of(first, "reached"), crawls[1].reached);
	/* Without a kept report, its sums. */
	first = json_array_get(items, CRAWLS - 2);
	assert_int_equal(integer_of(first, "visited"), crawls[CRAWLS - 2].visited);
	assert_int_equal(json_object_size(json_object_get(first, "values")), 0);
	json_decref(doc);
	/* Of each ten of them one, and rather one of which something was kept. */
	doc = series("bitcoin", 0, 0, 4, NULL, 3);
	items = json_object_get(doc, "items");
	assert_int_equal(json_array_size(items), 4);
	assert_int_equal(json_array_size(json_object_get(doc, "values")), 0);
	assert_int_equal(integer_of(json_array_get(items, 0), "id"), crawls[8].id);
	assert_int_equal(integer_of(json_array_get(items, 3), "id"), crawls[CRAWLS - 2].id);
	json_decref(doc);
	doc = series("bitcoin", crawls[5].started_at_ms, crawls[7].started_at_ms, 0, "service_bits",
		     2);
	items = json_object_get(doc, "items");
	assert_int_equal(json_array_size(items), 3);
	assert_int_equal(integer_of(json_array_get(items, 0), "id"), crawls[5].id);
	json_decref(doc);
	doc = series("nowhere", 0, 0, 0, "agents", 0);
	assert_int_equal(json_array_size(json_object_get(doc, "items")), 0);
	json_decref(doc);
	{
		struct report_options o = { .network = "bitcoin" };

		assert_int_equal(report_series(store, &o, 0, 0, 0, "nothing", &doc), ERR_VALUE);
		assert_null(doc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(as_walked, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(more_than_kept, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(not_ours, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(harmless, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(only_sums, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(over_time, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
