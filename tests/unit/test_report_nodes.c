/* test_report_nodes.c: what a report says of Ethereum's nodes. */
#include "report/report.h"

#include "support/nodes.h"
#include "support/report.h"

static void fork_text(const uint8_t hash[4], int64_t unix_ms, char *out, size_t cap)
{
	assert_int_equal(unix_ms, 1780000000000);
	snprintf(out, cap, "%s", hash[0] == 0x07 ? "mainnet" : "");
}

static void network_text(uint64_t network_id, char *out, size_t cap)
{
	snprintf(out, cap, "%s", network_id == 1 ? "mainnet" : "");
}

static const struct report_options options = {
	.top = 3, .key = { 1, 2 }, .fork_text = fork_text, .network_text = network_text
};

static const struct {
	const char *agent; /* NULL: no Hello */
	const char *capabilities, *session, *completeness;
	uint32_t entries, findnodes;
	uint8_t fork; /* 0: none said */
	uint64_t network_id;
} rows[] = {
	{ "Geth/v1.16.4-stable-41714b49/linux-amd64/go1.25", "eth/68 eth/69 snap/1", "ok",
	  "drained", 150, 11, 0x07, 1 },
	{ "Geth/mine/v1.16.4-unstable/linux-amd64/go1.25", "eth/68 snap/1", "ok", "drained", 140,
	  12, 0x07, 1 },
	{ "Geth/v1.15.0-stable/linux-amd64/go1.24", "eth/68 eth/68 eth/68", "no_status", "drained",
	  130, 13, 0x07, 0 },
	{ "erigon/3.0.1+abc/linux-amd64", "eth/68", "ok", "partial", 120, 14, 0x26, UINT64_MAX },
	{ "\x1b[2J\xff/vx/\n", "", "no_eth", "partial", 110, 15, 0, 0 },
	{ "/", " a  b ", "no_eth", "timed_out", 0, 3, 0, 0 },
	{ "nameless", "eth/68", "ok", "drained", 100, 10, 0x99, 7 },
	{ NULL, NULL, "full", "drained", 90, 9, 0, 0 },
	{ NULL, NULL, NULL, "drained", 80, 8, 0, 0 },
};

enum { COUNT = sizeof(rows) / sizeof(*rows) };

static void fill(void)
{
	struct store_crawl crawl = begin_crawl(store, "ethereum");
	struct node_key key = node_key(200);
	struct node_info none = { 0 };
	struct record r;

	for (uint8_t i = 0; i < COUNT; i++) {
		bool hello = rows[i].agent != NULL;
		struct node_info node = {
			.completeness = rows[i].completeness,
			.entries = rows[i].entries,
			.findnodes = rows[i].findnodes,
			.session = rows[i].session,
			.has_hello = hello,
			.capabilities = slice_text(hello ? rows[i].capabilities : ""),
			.chain = { .has_fork = rows[i].fork != 0,
				   .fork_hash = { rows[i].fork, 1, 2, 3 },
				   .has_status = rows[i].network_id != 0,
				   .network_id = rows[i].network_id },
		};

		key = node_key(i);
		r = node_record("1.2.3.4:30303", &key, &node);
		r.info.agent = slice_text(hello ? rows[i].agent : "");
		r.info.has_version = hello;
		r.info.protocol = node.chain.has_status ? 68 : 0;
		r.info.height = -1;
		assert_int_equal(store_put_visit(store, &crawl, &r), ERR_OK);
	}
	key = node_key(200);
	r = ghost_record("1.2.3.4:30303", &key, &none);
	assert_int_equal(store_put_visit(store, &crawl, &r), ERR_OK);
}

static void tables(void **state)
{
	struct report r;

	(void)state;
	fill();
	assert_int_equal(report_gather(store, &options, &r), ERR_OK);
	assert_true(r.has_nodes);
	assert_int_equal(r.visited, 10);
	assert_int_equal(r.reached, 9);
	assert_table(&r, REPORT_COMPLETENESS, 9, 3, 0,
		     ROWS({ "drained", 6 }, { "partial", 2 }, { "timed_out", 1 }));
	assert_table(&r, REPORT_SESSIONS, 8, 4, 1,
		     ROWS({ "ok", 4 }, { "no_eth", 2 }, { "full", 1 }));
	/* An empty name counts, too. */
	assert_table(&r, REPORT_CLIENTS, 7, 5, 2,
		     ROWS({ "Geth", 3 }, { "", 1 }, { "\\x1b[2J\\xff", 1 }));
	assert_table(&r, REPORT_CLIENT_VERSIONS, 7, 6, 3,
		     ROWS({ "Geth v1.16.4", 2 }, { "", 1 }, { "\\x1b[2J\\xff", 1 }));
	/* One node offers several, and says some of them thrice. */
	assert_table(&r, REPORT_CAPABILITIES, 7, 5, 0,
		     ROWS({ "eth/68", 5 }, { "snap/1", 2 }, { "a", 1 }));
	assert_table(&r, REPORT_NETWORKS, 4, 3, 0,
		     ROWS({ "1 mainnet", 2 }, { "18446744073709551615", 1 }, { "7", 1 }));
	assert_table(&r, REPORT_FORKS, 5, 3, 0,
		     ROWS({ "0x07010203 mainnet", 3 }, { "0x26010203", 1 }, { "0x99010203", 1 }));
	/* What nodes do not have. */
	assert_table(&r, REPORT_SERVICES, 0, 0, 0, ROWS({ NULL, 0 }));
	assert_table(&r, REPORT_SERVICE_BITS, 0, 0, 0, ROWS({ NULL, 0 }));
	/* No version was agreed on in three sessions. */
	assert_table(&r, REPORT_PROTOCOLS, 4, 1, 0, ROWS({ "68", 4 }));
	report_clear(&r);
}

static void versions(void **state)
{
	struct report_options all = options;
	struct report r;
	bool erigon = false, nameless = false, old = false;

	(void)state;
	fill();
	all.top = 0;
	assert_int_equal(report_gather(store, &all, &r), ERR_OK);
	for (size_t i = 0; i < r.tables[REPORT_CLIENT_VERSIONS].count; i++) {
		const char *label = r.tables[REPORT_CLIENT_VERSIONS].rows[i].label;

		erigon |= strcmp(label, "erigon 3.0.1") == 0;
		nameless |= strcmp(label, "nameless") == 0;
		old |= strcmp(label, "Geth v1.15.0") == 0;
	}
	assert_true(erigon && nameless && old);
	report_clear(&r);
}

/* Of 80, 90 .. 150 the fourth and the eighth; the table that nobody answered for is none. */
static void counts(void **state)
{
	struct report r;

	(void)state;
	fill();
	assert_int_equal(report_gather(store, &options, &r), ERR_OK);
	assert_int_equal(r.counts[REPORT_ENTRIES].count, 8);
	assert_int_equal(r.counts[REPORT_ENTRIES].median, 110);
	assert_int_equal(r.counts[REPORT_FINDNODES].median, 11);
	assert_int_equal(r.counts[REPORT_FINDNODES].p90, 15);
	report_clear(&r);
}

static void one_chain(void **state)
{
	static const uint8_t forks[][4] = { { 0x07, 1, 2, 3 }, { 0x01, 2, 3, 0x26 } };
	struct report_options ask = options;
	struct report r;

	(void)state;
	fill();
	ask.forks = forks;
	ask.forks_count = 2;
	assert_int_equal(report_gather(store, &ask, &r), ERR_OK);
	assert_int_equal(r.visited, 3);
	assert_table(&r, REPORT_CLIENTS, 3, 1, 0, ROWS({ "Geth", 3 }));
	report_clear(&r);
}

static void json(void **state)
{
	static const char *const keys[] = { "entries",      "findnodes", "completeness",
					    "sessions",     "clients",   "client_versions",
					    "capabilities", "networks",  "forks" };
	const json_t *nodes, *row;
	struct store_crawl other;
	struct record bitcoin = ok_record(addr_of("1.1.1.1"), slice_text("/x/"));
	struct report r;
	json_t *doc;

	(void)state;
	fill();
	assert_int_equal(report_gather(store, &options, &r), ERR_OK);
	doc = report_json(&r);
	nodes = json_object_get(doc, "nodes");
	assert_int_equal(json_object_size(nodes), sizeof(keys) / sizeof(*keys));
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		assert_true(json_is_object(json_object_get(nodes, keys[i])));
	row = json_array_get(json_object_get(json_object_get(nodes, "forks"), "rows"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "value")), "0x07010203");
	assert_string_equal(json_string_value(json_object_get(row, "text")), "0x07010203 mainnet");
	row = json_array_get(json_object_get(json_object_get(nodes, "networks"), "rows"), 0);
	assert_int_equal(json_integer_value(json_object_get(row, "value")), 1);
	row = json_array_get(json_object_get(json_object_get(nodes, "networks"), "rows"), 1);
	assert_string_equal(json_string_value(json_object_get(row, "value")),
			    "18446744073709551615");
	row = json_array_get(json_object_get(json_object_get(nodes, "clients"), "rows"), 2);
	assert_string_equal(json_string_value(json_object_get(row, "value")), "\\x1b[2J\\xff");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(nodes, "entries"), "median")),
		110);
	json_decref(doc);
	report_clear(&r);
	/* Elsewhere there is no such part. */
	other = begin_crawl(store, "bitcoin");
	assert_int_equal(store_put_visit(store, &other, &bitcoin), ERR_OK);
	assert_int_equal(report_gather(store, &options, &r), ERR_OK);
	assert_false(r.has_nodes);
	doc = report_json(&r);
	assert_non_null(doc);
	assert_null(json_object_get(doc, "nodes"));
	json_decref(doc);
	report_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tables, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(versions, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(counts, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(one_chain, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(json, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
