/* test_report_past.c: what a report says of the crawls before it. */
#include "report/report.h"

#include "support/nodes.h"
#include "support/report.h"

static const struct report_options options = { .key = { 1, 2 }, .history = true };

/* What a crawl knows of a peer. */
enum state { ABSENT, MISSED, REACHED };

static void put(const struct store_crawl *crawl, uint32_t peer, enum state state)
{
	struct netaddr addr = netaddr_ipv4(0x01000000 + peer, 8333);
	struct record r = state == REACHED ? ok_record(addr, slice_text("/x/"))
					   : failed_record(addr, OUTCOME_REFUSED);

	if (state != ABSENT)
		assert_int_equal(store_put_visit(store, crawl, &r), ERR_OK);
}

static struct store_crawl begin(const char *network, int64_t started_at_ms)
{
	struct store_crawl crawl = { .started_at_ms = started_at_ms, .settings = "{}" };

	snprintf(crawl.network, sizeof(crawl.network), "%s", network);
	assert_int_equal(store_crawl_begin(store, &crawl), ERR_OK);
	return crawl;
}

static void end(struct store_crawl *crawl, bool complete, uint64_t known)
{
	crawl->ended_at_ms = crawl->started_at_ms + 1000;
	crawl->complete = complete;
	crawl->known = known;
	assert_int_equal(store_crawl_end(store, crawl), ERR_OK);
}

static void came_and_went(void **state)
{
	static const struct {
		const char *name;
		enum state before, now;
		bool before_complete, now_complete;
		unsigned came, went;
	} rows[] = {
		{ "stays", REACHED, REACHED, true, true, 0, 0 },
		{ "stays away", MISSED, MISSED, true, true, 0, 0 },
		{ "answers at last", MISSED, REACHED, true, true, 1, 0 },
		{ "answers at last, of some", MISSED, REACHED, false, false, 1, 0 },
		{ "answers no more", REACHED, MISSED, true, true, 0, 1 },
		{ "answers no more, of some", REACHED, MISSED, false, false, 0, 1 },
		{ "was named by nobody yet", ABSENT, REACHED, true, true, 1, 0 },
		{ "was not asked before", ABSENT, REACHED, false, true, 0, 0 },
		{ "is named by nobody any more", REACHED, ABSENT, true, true, 0, 1 },
		{ "was not asked now", REACHED, ABSENT, true, false, 0, 0 },
		{ "is named in vain", ABSENT, MISSED, true, true, 0, 0 },
		{ "was named in vain", MISSED, ABSENT, true, true, 0, 0 },
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct store_crawl before = begin("bitcoin", 1780000000000), now;
		struct report r;

		print_message("%s\n", rows[i].name);
		/* On both sides of it, somebody who stays. */
		put(&before, 3 * i, REACHED);
		put(&before, 3 * i + 1, rows[i].before);
		put(&before, 3 * i + 2, REACHED);
		end(&before, rows[i].before_complete, 3);
		now = begin("bitcoin", 1780000100000);
		put(&now, 3 * i, REACHED);
		put(&now, 3 * i + 2, REACHED);
		put(&now, 3 * i + 1, rows[i].now);
		end(&now, rows[i].now_complete, 4);
		assert_int_equal(report_gather(store, &options, &r), ERR_OK);
		assert_int_equal(r.past_count, 2 * (i + 1));
		assert_true(r.past[2 * i + 1].has_before);
		assert_int_equal(r.past[2 * i + 1].came, rows[i].came);
		assert_int_equal(r.past[2 * i + 1].went, rows[i].went);
		assert_int_equal(r.past[2 * i + 1].reached, 2 + (rows[i].now == REACHED));
		assert_int_equal(r.past[2 * i + 1].visited, 2 + (rows[i].now != ABSENT));
		assert_int_equal(r.past[2 * i + 1].known, 4);
		assert_int_equal(r.past[2 * i + 1].complete, rows[i].now_complete);
		report_clear(&r);
	}
}

/* Those of the same network up to the one that the report is of; nobody is asked unless asked
 * for. */
static void which_crawls(void **state)
{
	struct store_crawl first = begin("bitcoin", 1), other = begin("gossip", 2), second, third;
	struct report_options ask = options;
	struct report r;

	(void)state;
	put(&first, 1, REACHED);
	end(&first, true, 10);
	put(&other, 1, REACHED);
	end(&other, true, 1);
	second = begin("bitcoin", 3);
	put(&second, 2, REACHED);
	third = begin("bitcoin", 4);
	ask.crawl_id = second.id;
	assert_int_equal(report_gather(store, &ask, &r), ERR_OK);
	assert_int_equal(r.past_count, 2);
	assert_int_equal(r.past[0].crawl_id, first.id);
	assert_false(r.past[0].has_before);
	assert_true(r.past[0].has_known);
	assert_int_equal(r.past[0].known, 10);
	/* It still runs, or was killed. */
	assert_int_equal(r.past[1].crawl_id, second.id);
	assert_false(r.past[1].has_known);
	assert_int_equal(r.past[1].ended_at_ms, 0);
	assert_int_equal(r.past[1].reached, 1);
	assert_int_equal(r.past[1].came, 1);
	assert_int_equal(r.past[1].went, 0);
	report_clear(&r);
	ask.crawl_id = third.id;
	ask.history = false;
	assert_int_equal(report_gather(store, &ask, &r), ERR_OK);
	assert_int_equal(r.past_count, 0);
	report_clear(&r);
}

/* Of very many some, as evenly as it goes, and always the one that the report is of. */
static void many_crawls(void **state)
{
	enum { CRAWLS = REPORT_PAST_MAX + 8 };
	struct report r;
	json_t *doc, *history;

	(void)state;
	assert_int_equal(store_begin(store), ERR_OK);
	for (uint32_t i = 1; i <= CRAWLS; i++) {
		struct store_crawl crawl = begin("bitcoin", 1780000000000 + i);

		for (uint32_t peer = 0; peer < i; peer++)
			put(&crawl, peer, REACHED);
		end(&crawl, true, i);
	}
	assert_int_equal(store_commit(store), ERR_OK);
	assert_int_equal(report_gather(store, &options, &r), ERR_OK);
	assert_int_equal(r.past_count, REPORT_PAST_MAX);
	assert_int_equal(r.past[0].crawl_id, 1);
	assert_false(r.past[0].has_before);
	for (size_t i = 0; i < r.past_count; i++) {
		assert_true(i == 0 || r.past[i].crawl_id > r.past[i - 1].crawl_id);
		assert_true(i == 0 || r.past[i].crawl_id <= r.past[i - 1].crawl_id + 2);
		/* Against the crawl before it, be that chosen or not. */
		assert_int_equal(r.past[i].reached, r.past[i].crawl_id);
		assert_int_equal(r.past[i].came, i > 0);
	}
	assert_int_equal(r.past[REPORT_PAST_MAX - 1].crawl_id, CRAWLS);
	doc = report_json(&r);
	history = json_object_get(doc, "history");
	assert_int_equal(json_array_size(history), REPORT_PAST_MAX);
	assert_true(json_is_null(json_object_get(json_array_get(history, 0), "came")));
	assert_int_equal(json_integer_value(json_object_get(json_array_get(history, 1), "came")),
			 1);
	json_decref(doc);
	report_clear(&r);
}

/* Of one chain's nodes; how many were known of them nobody can tell. */
static void one_chain(void **state)
{
	static const uint8_t mainnet[][4] = { { 0x07, 0xc9, 0x46, 0x2e } };
	struct node_key a = node_key(1), b = node_key(2);
	struct node_info here = full_node(), elsewhere = full_node();
	struct record first = node_record("1.2.3.4:30303", &a, &here);
	struct record second = node_record("1.2.3.5:30303", &b, &elsewhere);
	struct report_options ask = options;
	struct report r;

	(void)state;
	elsewhere.chain.fork_hash[0] = 0x99;
	ask.forks = mainnet;
	ask.forks_count = 1;
	for (unsigned i = 0; i < 2; i++) {
		struct store_crawl crawl = begin("ethereum", 1780000000000 + i);

		if (i == 0)
			assert_int_equal(store_put_visit(store, &crawl, &first), ERR_OK);
		assert_int_equal(store_put_visit(store, &crawl, &second), ERR_OK);
		end(&crawl, true, 2);
	}
	assert_int_equal(report_gather(store, &ask, &r), ERR_OK);
	assert_int_equal(r.past[0].reached, 1);
	assert_int_equal(r.past[1].reached, 0);
	assert_int_equal(r.past[1].went, 1);
	assert_false(r.past[1].has_known);
	report_clear(&r);
}

/* Each millisecond is in one bin, a limit in that which it ends. */
static void bins(void **state)
{
	static const int32_t ms[] = { 0, 5, 6, 10, 100, 101, 10000, 10001, 3600 * 1000 };
	static const uint64_t want[REPORT_BINS] = { 2, 2, 0, 0, 1, 1, 0, 0, 0, 0, 1, 2 };
	struct store_crawl crawl = begin("bitcoin", 1);
	struct report r;

	(void)state;
	for (uint32_t i = 0; i < sizeof(ms) / sizeof(*ms); i++) {
		struct record record = ok_record(netaddr_ipv4(i + 1, 1), slice_text(""));

		record.connect_ms = ms[i];
		assert_int_equal(store_put_visit(store, &crawl, &record), ERR_OK);
	}
	assert_int_equal(report_gather(store, &options, &r), ERR_OK);
	for (unsigned i = 0; i < REPORT_BINS; i++) {
		print_message("up to %u ms\n", report_bins_ms[i]);
		assert_int_equal(r.times[REPORT_CONNECT].bins[i], want[i]);
	}
	report_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(came_and_went, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(which_crawls, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(many_crawls, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(one_chain, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(bins, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
