#include "report/report.h"

#include "support/report.h"

#include <sqlite3.h>

static const char *service_name(const char *network, unsigned bit)
{
	assert_string_equal(network, "bitcoin");
	return bit == 0 ? "NETWORK" : bit == 3 ? "WITNESS" : NULL;
}

static const struct report_options options = { .top = 2,
					       .key = { 1, 2 },
					       .service_name = service_name };

static void put(const struct store_crawl *crawl, const struct record *r)
{
	assert_int_equal(store_put_visit(store, crawl, r), ERR_OK);
}

/* Ten peers that answer, one that is reached and says nothing, and four failures. */
static struct store_crawl fill(void)
{
	static const struct {
		const char *agent;
		uint64_t services;
		int64_t height;
		int32_t ms;
	} rows[] = {
		{ "/Satoshi:27.0.0/", 9, 900000, 10 },
		{ "/Satoshi:27.0.0/", 9, 900000, 20 },
		{ "/Satoshi:27.0.0/", 9, 900001, 30 },
		{ "/Satoshi:27.0.0/", 9, 900000, 40 },
		{ "/btcd/", 1, 899995, 50 },
		{ "/btcd/", 1, 899900, 60 },
		{ "/one/", UINT64_MAX, 800000, 70 },
		{ "/two/\x1b[2J", 0, 5000000000, 80 },
		{ "", 8, -1, 90 },
		{ "/three/", 8, 899000, 100 },
	};
	struct store_crawl crawl = begin_crawl(store, "bitcoin");

	for (uint32_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct record r = ok_record(netaddr_ipv4(0x01000000 + i, i < 8 ? 8333 : 18333),
					    slice_text(rows[i].agent));

		r.info.services = rows[i].services;
		r.info.height = rows[i].height;
		r.connect_ms = rows[i].ms;
		r.handshake_ms = 10 * rows[i].ms;
		put(&crawl, &r);
	}
	for (uint32_t i = 0; i < 4; i++) {
		struct record r =
			failed_record(netaddr_ipv4(0x02000000 + i, 8333),
				      i < 3 ? OUTCOME_CONNECT_TIMEOUT : OUTCOME_PEER_FULL);

		if (i == 3)
			r.connect_ms = 1000;
		put(&crawl, &r);
	}
	put(&crawl, &(struct record){ .addr = addr_of("[2a01::1]:8333"),
				      .outcome = OUTCOME_PROTOCOL_ERROR,
				      .reached = true,
				      .connect_ms = -1,
				      .handshake_ms = -1,
				      .reply_ms = -1,
				      .total_ms = -1 });
	return crawl;
}

static void tables(void **state)
{
	struct report r;

	(void)state;
	fill();
	assert_int_equal(report_gather(store, &options, &r), ERR_OK);
	assert_int_equal(r.visited, 15);
	assert_int_equal(r.reached, 11);
	assert_table(&r, REPORT_OUTCOMES, 15, 4, 0,
		     ROWS({ "ok", 10 }, { "connect_timeout", 3 }, { "full", 1 },
			  { "protocol_error", 1 }));
	assert_table(&r, REPORT_KINDS, 11, 2, 0, ROWS({ "ipv4", 10 }, { "ipv6", 1 }));
	assert_table(&r, REPORT_AGENTS, 10, 6, 4, ROWS({ "/Satoshi:27.0.0/", 4 }, { "/btcd/", 2 }));
	assert_table(&r, REPORT_PROTOCOLS, 10, 1, 0, ROWS({ "70016", 10 }));
	assert_table(&r, REPORT_SERVICES, 10, 5, 4,
		     ROWS({ "0x9 NETWORK WITNESS", 4 }, { "0x1 NETWORK", 2 }));
	assert_table(&r, REPORT_PORTS, 11, 2, 0, ROWS({ "8333", 9 }, { "18333", 2 }));
	/* The median of the heights told is 900,000, five billion or not. */
	assert_true(r.has_tip);
	assert_int_equal(r.tip, 900000);
	assert_table(&r, REPORT_HEIGHTS, 10, 8, 0,
		     ROWS({ "ahead of the tip by 2 or more", 1 },
			  { "at the tip, give or take one", 4 }, { "2 to 9 behind", 1 },
			  { "10 to 143 behind", 1 }, { "144 to 1,007 behind", 1 },
			  { "1,008 or more behind", 1 }, { "not said", 1 }));
	assert_int_equal(r.tables[REPORT_SERVICE_BITS].count, 64);
	assert_string_equal(r.tables[REPORT_SERVICE_BITS].rows[0].label, "NETWORK");
	assert_int_equal(r.tables[REPORT_SERVICE_BITS].rows[0].count, 7);
	assert_string_equal(r.tables[REPORT_SERVICE_BITS].rows[2].label, "bit 1");
	report_clear(&r);
}

/* Nearest rank: of 10, 20 .. 100 the fifth and the ninth; connect has a 1,000 more. */
static void times(void **state)
{
	struct report r;

	(void)state;
	fill();
	assert_int_equal(report_gather(store, &options, &r), ERR_OK);
	assert_int_equal(r.times[REPORT_CONNECT].count, 11);
	assert_int_equal(r.times[REPORT_CONNECT].median_ms, 60);
	assert_int_equal(r.times[REPORT_CONNECT].p90_ms, 100);
	assert_int_equal(r.times[REPORT_HANDSHAKE].count, 10);
	assert_int_equal(r.times[REPORT_HANDSHAKE].median_ms, 500);
	assert_int_equal(r.times[REPORT_HANDSHAKE].p90_ms, 900);
	assert_int_equal(r.times[REPORT_REPLY].median_ms, 120);
	assert_int_equal(r.times[REPORT_TOTAL].count, 10);
	report_clear(&r);
}

static void all_rows(void **state)
{
	struct report_options all = options;
	struct report r;

	(void)state;
	fill();
	all.top = 0;
	assert_int_equal(report_gather(store, &all, &r), ERR_OK);
	assert_int_equal(r.tables[REPORT_AGENTS].count, 6);
	assert_int_equal(r.tables[REPORT_AGENTS].others, 0);
	/* What a peer says can't reach the terminal as it is. */
	assert_string_equal(r.tables[REPORT_AGENTS].rows[5].label, "/two/\\x1b[2J");
	report_clear(&r);
}

static void which_crawl(void **state)
{
	struct store_crawl first = fill(), second = begin_crawl(store, "gossip");
	struct report_options ask = { .key = { 1, 2 } };
	struct report r;

	(void)state;
	assert_int_equal(report_gather(store, &ask, &r), ERR_OK);
	assert_int_equal(r.crawl.id, second.id);
	assert_int_equal(r.visited, 0);
	assert_false(r.has_tip);
	assert_int_equal(r.times[REPORT_CONNECT].count, 0);
	report_clear(&r);
	ask.network = "bitcoin";
	assert_int_equal(report_gather(store, &ask, &r), ERR_OK);
	assert_int_equal(r.crawl.id, first.id);
	assert_int_equal(r.visited, 15);
	report_clear(&r);
	ask.crawl_id = 99;
	assert_int_equal(report_gather(store, &ask, &r), ERR_NOT_FOUND);
	assert_non_null(strstr(store_why(store), "99"));
	report_clear(&r);
}

/* Files come from elsewhere, too: no number in them may lead astray. */
static void edited_by_hand(void **state)
{
	static const char *const edits[] = {
		"UPDATE visits SET outcome = 99 WHERE id % 2",
		"UPDATE visits SET outcome = -1 WHERE id % 3 = 0",
		"UPDATE visits SET connect_ms = 9223372036854775807",
		"UPDATE visits SET total_ms = -5, height = -9223372036854775807 - 1",
		"UPDATE visits SET sees_us_as = 'nowhere', node_id = 'xyz'",
		"UPDATE peers SET key = x'09010203' WHERE id = 1",
		"UPDATE peers SET key = x'' WHERE id = 2",
		"UPDATE crawls SET settings = '{'",
	};
	struct report r;
	json_t *doc;
	sqlite3 *db;

	(void)state;
	fill();
	assert_int_equal(sqlite3_open(folder.db, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
		print_message("%s\n", edits[i]);
		assert_int_equal(sqlite3_exec(db, edits[i], NULL, NULL, NULL), SQLITE_OK);
		assert_int_equal(report_gather(store, &options, &r), ERR_OK);
		assert_int_equal(r.visited, 15);
		doc = report_json(&r);
		assert_non_null(doc);
		json_decref(doc);
		report_clear(&r);
	}
	sqlite3_close(db);
}

static json_int_t at(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

/* Written and read back: the numbers are those of the tables. */
static void as_json(void **state)
{
	struct report_options all = options;
	struct store_crawl crawl;
	struct report r;
	json_t *doc, *rows, *table;
	char *text;

	(void)state;
	crawl = fill();
	all.top = 0;
	assert_int_equal(report_gather(store, &all, &r), ERR_OK);
	doc = report_json(&r);
	assert_non_null(doc);
	text = json_dumps(doc, 0);
	json_decref(doc);
	doc = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(doc);
	assert_int_equal(at(doc, "visited"), 15);
	assert_int_equal(at(doc, "tip"), 900000);
	assert_int_equal(at(json_object_get(doc, "crawl"), "id"), crawl.id);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(doc, "crawl"), "started_at")),
		"2026-05-28T20:26:40.000Z");
	for (unsigned i = 0; i < REPORT_TABLES; i++) {
		uint64_t sum = 0;

		table = json_object_get(doc, r.tables[i].key);
		rows = json_object_get(table, "rows");
		assert_int_equal(json_array_size(rows), r.tables[i].count);
		for (size_t row = 0; row < json_array_size(rows); row++)
			sum += (uint64_t)at(json_array_get(rows, row), "count");
		if (i != REPORT_SERVICE_BITS) /* a peer has many bits */
			assert_int_equal(sum, r.tables[i].total);
	}
	rows = json_object_get(json_object_get(doc, "services"), "rows");
	assert_int_equal(at(json_array_get(rows, 0), "value"), 9);
	/* More than a signed integer holds. */
	assert_string_equal(json_string_value(json_object_get(json_array_get(rows, 3), "value")),
			    "18446744073709551615");
	assert_int_equal(
		at(json_object_get(json_object_get(doc, "times"), "handshake_ms"), "median"), 500);
	json_decref(doc);
	free(text);
	report_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tables, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(times, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(all_rows, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(which_crawl, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(edited_by_hand, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(as_json, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
