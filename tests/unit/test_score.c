#include "report/score.h"

#include "support/store_rig.h"

static const struct score_options options = { .key = { 7, 8 } };

static const char truth[] = "peer,address,port,kind,agent,reachable\n"
			    "bitcoin://127.1.0.1:8333,127.1.0.1,8333,honest,/a/,1\n"
			    "bitcoin://127.1.0.2:8333,127.1.0.2,8333,honest,/b/,1\n"
			    "bitcoin://127.1.0.3:8333,127.1.0.3,8333,honest,\"/c, \"\"d\"\"/\",1\n"
			    "bitcoin://127.1.0.4:8333,127.1.0.4,8333,stepwise,/e/,1\n"
			    "bitcoin://127.1.0.5:8333,127.1.0.5,8333,honest,/hidden/,0\n"
			    "bitcoin://[fd00::1]:8333,fd00::1,8333,bad_addr,/liar/,1\n"
			    "bitcoin://127.1.0.6:8333,127.1.0.6,8333,truncated,/liar/,1\n"
			    "bitcoin://127.1.0.7:8333,127.1.0.7,8333,invent,/liar/,1\n"
			    "bitcoin://127.1.0.8:8333,127.1.0.8,8333,full,,0\n"
			    "bitcoin://127.1.0.9:8336,127.1.0.9,8336,ghost_refused,,0\n"
			    "bitcoin://127.1.0.10:8337,127.1.0.10,8337,ghost_silent,,0\n";

static void visit(const struct store_crawl *crawl, const char *addr, enum outcome outcome,
		  bool reached, const char *agent)
{
	struct record r = reached ? ok_record(addr_of(addr), slice_text(agent))
				  : failed_record(addr_of(addr), outcome);

	r.outcome = outcome;
	assert_int_equal(store_put_visit(store, crawl, &r), ERR_OK);
}

/* All as it should be. */
static struct store_crawl right(void)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");

	visit(&crawl, "127.1.0.1:8333", OUTCOME_OK, true, "/a/");
	visit(&crawl, "127.1.0.2:8333", OUTCOME_OK, true, "/b/");
	visit(&crawl, "127.1.0.3:8333", OUTCOME_OK, true, "/c, \"d\"/");
	visit(&crawl, "127.1.0.4:8333", OUTCOME_OK, true, "/e/");
	visit(&crawl, "[fd00::1]:8333", OUTCOME_TOO_BIG, true, "/liar/");
	visit(&crawl, "127.1.0.6:8333", OUTCOME_PROTOCOL_ERROR, true, "/liar/");
	visit(&crawl, "127.1.0.7:8333", OUTCOME_TOO_BIG, true, "/liar/");
	visit(&crawl, "127.1.0.8:8333", OUTCOME_PEER_FULL, false, NULL);
	visit(&crawl, "127.1.0.9:8336", OUTCOME_REFUSED, false, NULL);
	visit(&crawl, "127.1.0.10:8337", OUTCOME_CONNECT_TIMEOUT, false, NULL);
	return crawl;
}

static const struct score_kind *kind(const struct score *s, const char *name)
{
	for (size_t i = 0; i < s->kinds_count; i++) {
		if (strcmp(s->kinds[i].name, name) == 0)
			return &s->kinds[i];
	}
	fail_msg("no kind %s", name);
	return NULL;
}

static void all_right(void **state)
{
	struct score s;
	size_t at = 0;

	(void)state;
	right();
	assert_int_equal(score_run(store, slice_text(truth), &options, &s), ERR_OK);
	assert_int_equal(s.count, 11);
	assert_int_equal(s.reachable, 7);
	assert_int_equal(s.found, 7);
	assert_int_equal(s.reached, 7);
	assert_true(score_recall(&s) == 1);
	assert_true(score_precision(&s) == 1);
	assert_int_equal(s.false_reached, 0);
	assert_int_equal(s.false_ok, 0);
	assert_int_equal(s.strangers, 0);
	assert_int_equal(s.agents_differ, 0);
	assert_null(score_missing(&s, &at));
	assert_int_equal(kind(&s, "honest")->peers, 4);
	assert_int_equal(kind(&s, "honest")->reachable, 3);
	assert_int_equal(kind(&s, "honest")->outcomes[OUTCOME_OK], 3);
	assert_int_equal(kind(&s, "honest")->unvisited, 1);
	assert_int_equal(kind(&s, "ghost_silent")->outcomes[OUTCOME_CONNECT_TIMEOUT], 1);
	score_clear(&s);
}

/* Each row spoils one thing, and says which number must move. */
static void each_fault(void **state)
{
	static const struct {
		const char *name, *addr;
		enum outcome outcome;
		bool reached;
		const char *agent;
		uint64_t found, reached_all, false_reached, false_ok, strangers, agents;
	} rows[] = {
		{ "missed", "127.1.0.1:8333", OUTCOME_CONNECT_TIMEOUT, false, NULL, 6, 6, 0, 0, 0,
		  0 },
		{ "a ghost reached", "127.1.0.9:8336", OUTCOME_PROTOCOL_ERROR, true, "/x/", 7, 8, 1,
		  0, 0, 0 },
		{ "a ghost ok", "127.1.0.10:8337", OUTCOME_OK, true, "/x/", 7, 8, 1, 1, 0, 0 },
		{ "a full one heard", "127.1.0.8:8333", OUTCOME_NO_PEERS, false, NULL, 7, 7, 0, 1,
		  0, 0 },
		{ "a liar ok", "127.1.0.6:8333", OUTCOME_OK, true, "/liar/", 7, 7, 0, 1, 0, 0 },
		{ "a liar no_peers", "[fd00::1]:8333", OUTCOME_NO_PEERS, true, "/liar/", 7, 7, 0, 1,
		  0, 0 },
		{ "an inventor ok", "127.1.0.7:8333", OUTCOME_OK, true, "/liar/", 7, 7, 0, 1, 0,
		  0 },
		{ "another agent", "127.1.0.2:8333", OUTCOME_OK, true, "/x/", 7, 7, 0, 0, 0, 1 },
		{ "an empty agent", "127.1.0.2:8333", OUTCOME_OK, true, "", 7, 7, 0, 0, 0, 1 },
		{ "an invented address", "127.9.9.9:8333", OUTCOME_REFUSED, false, NULL, 7, 7, 0, 0,
		  1, 0 },
		{ "a hidden one found", "127.1.0.5:8333", OUTCOME_OK, true, "/hidden/", 7, 8, 0, 0,
		  0, 0 },
		{ "another port", "127.1.0.1:9999", OUTCOME_OK, true, "/a/", 7, 8, 0, 0, 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct store_crawl crawl = right();
		struct score s;

		print_message("%s\n", rows[i].name);
		visit(&crawl, rows[i].addr, rows[i].outcome, rows[i].reached, rows[i].agent);
		assert_int_equal(score_run(store, slice_text(truth), &options, &s), ERR_OK);
		assert_int_equal(s.crawl.id, crawl.id);
		assert_int_equal(s.found, rows[i].found);
		assert_int_equal(s.reached, rows[i].reached_all);
		assert_int_equal(s.false_reached, rows[i].false_reached);
		assert_int_equal(s.false_ok, rows[i].false_ok);
		assert_int_equal(s.strangers, rows[i].strangers);
		assert_int_equal(s.agents_differ, rows[i].agents);
		score_clear(&s);
	}
}

static void missing_are_listed(void **state)
{
	struct store_crawl crawl = right();
	struct score s;
	const struct score_peer *p;
	json_t *doc, *missing;
	size_t at = 0;

	(void)state;
	visit(&crawl, "127.1.0.1:8333", OUTCOME_RESET, false, NULL);
	visit(&crawl, "[fd00::1]:8333", OUTCOME_MUTE, false, NULL);
	assert_int_equal(score_run(store, slice_text(truth), &options, &s), ERR_OK);
	p = score_missing(&s, &at);
	assert_non_null(p);
	assert_int_equal(p->outcome, OUTCOME_RESET);
	p = score_missing(&s, &at);
	assert_non_null(p);
	assert_int_equal(p->addr.kind, NETADDR_IPV6);
	assert_null(score_missing(&s, &at));
	doc = score_json(&s, 1);
	assert_non_null(doc);
	missing = json_object_get(doc, "missing");
	assert_int_equal(json_array_size(missing), 1);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(missing, 0), "outcome")), "reset");
	assert_true(json_real_value(json_object_get(doc, "recall")) > 0.71 &&
		    json_real_value(json_object_get(doc, "recall")) < 0.72);
	json_decref(doc);
	score_clear(&s);
}

/* Agents that the CSV escapes are still the same agents. */
static void escaped_agents(void **state)
{
	static const struct {
		const char *name, *agent, *field;
	} rows[] = {
		{ "control characters", "/a\n\x1b/", "/a\\x0a\\x1b/" },
		{ "no UTF-8", "/\xff/", "/\\xff/" },
		{ "a formula", "=1+1", "'=1+1" },
		{ "comma and quote", "a,\"b", "\"a,\"\"b\"" },
		{ "backslash", "a\\b", "a\\\\b" },
		{ "empty", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct store_crawl crawl = begin_crawl(store, "bitcoin");
		char text[256];
		struct score s;

		print_message("%s\n", rows[i].name);
		snprintf(text, sizeof(text),
			 "peer,address,port,kind,agent,reachable\r\nx,127.1.0.1,8333,honest,%s,"
			 "1\r\n",
			 rows[i].field);
		visit(&crawl, "127.1.0.1:8333", OUTCOME_OK, true, rows[i].agent);
		assert_int_equal(score_run(store, slice_text(text), &options, &s), ERR_OK);
		assert_int_equal(s.found, 1);
		assert_int_equal(s.agents_differ, 0);
		score_clear(&s);
	}
}

#define HEADING "peer,address,port,kind,agent,reachable\n"

static void bad_truth(void **state)
{
	static const struct {
		const char *name, *text;
		uint64_t line;
	} rows[] = {
		{ "empty", "", 1 },
		{ "no heading", "bitcoin://1.2.3.4:1,1.2.3.4,1,honest,/a/,1\n", 1 },
		{ "a column is missing", "peer,address,port,kind,agent\n", 1 },
		{ "an address", HEADING "x,1.2.3,1,honest,/a/,1\n", 2 },
		{ "a port", HEADING "x,1.2.3.4,70000,honest,/a/,1\n", 2 },
		{ "yes or no", HEADING "x,1.2.3.4,1,honest,/a/,maybe\n", 2 },
		{ "a short row", HEADING "x,1.2.3.4,1,honest,/a/,1\nx,1.2.3.5\n", 3 },
		{ "a quote", HEADING "x,1.2.3.4,1,honest,\"/a/,1\n", 2 },
		{ "the same twice", HEADING "x,1.2.3.4,1,honest,,1\nx,1.2.3.4,1,full,,0\n", 3 },
	};

	(void)state;
	right();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct score s;

		print_message("%s\n", rows[i].name);
		assert_int_equal(score_run(store, slice_text(rows[i].text), &options, &s),
				 ERR_SYNTAX);
		assert_int_equal(s.truth_line, rows[i].line);
		score_clear(&s);
	}
}

/* Columns that come later, in any order, and empty lines do no harm. */
static void other_columns(void **state)
{
	static const char text[] = "reachable,rtt_ms,agent,kind,port,address,peer\n"
				   "true,40,/a/,honest,8333,127.1.0.1,x\n\n"
				   "false,40,,new_kind,8333,127.1.0.2,x\n";
	struct score s;

	(void)state;
	right();
	assert_int_equal(score_run(store, slice_text(text), &options, &s), ERR_OK);
	assert_int_equal(s.reachable, 1);
	assert_int_equal(s.found, 1);
	/* A kind that we don't know can't be held against the crawler. */
	assert_int_equal(s.false_ok, 0);
	assert_int_equal(kind(&s, "new_kind")->reached, 1);
	score_clear(&s);
}

static void nothing_there(void **state)
{
	struct score s;

	(void)state;
	assert_int_equal(score_run(store, slice_text(truth), &options, &s), ERR_NOT_FOUND);
	score_clear(&s);
	begin_crawl(store, "bitcoin");
	assert_int_equal(score_run(store, slice_text(truth), &options, &s), ERR_OK);
	assert_true(score_recall(&s) == 0);
	assert_true(score_precision(&s) == 1);
	score_clear(&s);
	assert_int_equal(score_run(store, slice_text(HEADING), &options, &s), ERR_OK);
	assert_true(score_recall(&s) == 1);
	score_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_right, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(each_fault, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(missing_are_listed, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(escaped_agents, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(bad_truth, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(other_columns, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(nothing_there, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
