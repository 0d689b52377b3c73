/* test_score_nodes.c: crawls of simulated Ethereum nodes, held against the truth. */
#include "report/score.h"

#include "support/nodes.h"
#include "support/store_rig.h"

#define HEADING      "peer,address,port,kind,agent,reachable\n"
#define ZEROS30      "000000000000000000000000000000000000000000000000000000000000"
#define ENODE(first) "enode://" first "beef" ZEROS30 ZEROS30 "07@"

static const struct score_options options = { .key = { 7, 8 } };

/* 1 stands at two addresses, and 2 where 1 is: three are reachable, and all are others. */
/* clang-format off */
#define ROW(first, ip, rest) ENODE(first) ip ":30303," ip ",30303," rest "\n"

static const char truth[] = HEADING
	ROW("01", "127.1.0.1", "honest,Geth/v1/x,1")
	ROW("01", "127.1.0.2", "honest,,1")
	ENODE("02") "127.1.0.1:0?discport=30303,127.1.0.1,30303,honest,,1\n"
	ROW("03", "127.1.0.3", "honest,,0")
	ROW("04", "127.1.0.4", "ghost,,0")
	ROW("05", "127.1.0.5", "bad_hash,,0")
	ROW("06", "127.1.0.6", "bad_signature,,0")
	ROW("07", "127.1.0.7", "expired,,0")
	ROW("08", "127.1.0.8", "wrong_pong,,0")
	ROW("09", "127.1.0.9", "other_key,,0")
	ROW("0a", "127.1.0.10", "oversized,,1")
	ROW("0b", "127.1.0.11", "unsolicited,,1")
	ROW("0c", "127.1.0.12", "invent,,1")
	ROW("0d", "127.1.0.13", "private,,1")
	ENODE("0e") "[fc00::e]:30303,fc00::e,30303,bad_record,,1\n";
/* clang-format on */

enum { REACHABLE = 8 };

static void visit_agent(const struct store_crawl *crawl, const char *at, uint8_t first,
			enum outcome outcome, bool reached, const char *agent)
{
	struct node_key key = node_key(first);
	struct node_info node = { .completeness = reached ? "drained" : NULL };
	struct record r = reached ? node_record(at, &key, &node) : ghost_record(at, &key, &node);

	/* As the engine has them: no address of Ethereum's is of CJDNS. */
	if (r.addr.kind == NETADDR_CJDNS)
		r.addr.kind = NETADDR_IPV6;
	r.outcome = outcome;
	r.info.has_version = agent != NULL;
	r.info.agent = slice_text(agent != NULL ? agent : "");
	assert_int_equal(store_put_visit(store, crawl, &r), ERR_OK);
}

static void visit(const struct store_crawl *crawl, const char *at, uint8_t first,
		  enum outcome outcome, bool reached)
{
	visit_agent(crawl, at, first, outcome, reached, NULL);
}

static struct store_crawl right(void)
{
	struct store_crawl crawl = begin_crawl(store, "ethereum");

	visit_agent(&crawl, "127.1.0.1:30303", 1, OUTCOME_OK, true, "Geth/v1/x");
	visit(&crawl, "127.1.0.2:30303", 1, OUTCOME_OK, true);
	visit(&crawl, "127.1.0.1:30303", 2, OUTCOME_NO_PEERS, true);
	visit(&crawl, "127.1.0.4:30303", 4, OUTCOME_CONNECT_TIMEOUT, false);
	visit(&crawl, "127.1.0.5:30303", 5, OUTCOME_CONNECT_TIMEOUT, false);
	visit(&crawl, "127.1.0.6:30303", 6, OUTCOME_CONNECT_TIMEOUT, false);
	visit(&crawl, "127.1.0.7:30303", 7, OUTCOME_CONNECT_TIMEOUT, false);
	visit(&crawl, "127.1.0.8:30303", 8, OUTCOME_CONNECT_TIMEOUT, false);
	visit(&crawl, "127.1.0.9:30303", 9, OUTCOME_PROTOCOL_ERROR, false);
	visit(&crawl, "127.1.0.10:30303", 10, OUTCOME_OK, true);
	visit(&crawl, "127.1.0.11:30303", 11, OUTCOME_TOO_BIG, true);
	visit(&crawl, "127.1.0.12:30303", 12, OUTCOME_OK, true);
	visit(&crawl, "127.1.0.13:30303", 13, OUTCOME_OK, true);
	visit(&crawl, "[fc00::e]:30303", 14, OUTCOME_OK, true);
	return crawl;
}

static void all_right(void **state)
{
	struct score s;
	size_t at = 0;
	json_t *doc;

	(void)state;
	right();
	assert_int_equal(score_run(store, slice_text(truth), &options, &s), ERR_OK);
	assert_int_equal(s.reachable, REACHABLE);
	assert_int_equal(s.found, REACHABLE);
	assert_int_equal(s.reached, REACHABLE);
	assert_true(score_recall(&s) == 1);
	assert_true(score_precision(&s) == 1);
	assert_int_equal(s.false_ok + s.false_reached + s.strangers + s.agents_differ, 0);
	assert_null(score_missing(&s, &at));
	assert_int_equal(s.tables_count, 1);
	assert_string_equal(s.tables[0].name, "drained");
	assert_int_equal(s.tables[0].count, REACHABLE);
	doc = score_json(&s, 10);
	assert_int_equal(json_integer_value(
				 json_object_get(json_object_get(doc, "completeness"), "drained")),
			 REACHABLE);
	json_decref(doc);
	score_clear(&s);
}

/* Each row spoils one thing, and says which numbers must move. */
static void each_fault(void **state)
{
	static const struct {
		const char *name, *at;
		uint8_t key;
		enum outcome outcome;
		bool reached;
		const char *agent;
		uint64_t found, reached_all, right, false_ok, strangers, agents;
	} rows[] = {
		{ "missed", "127.1.0.1:30303", 1, OUTCOME_CONNECT_TIMEOUT, false, NULL, 7, 7, 7, 0,
		  0, 0 },
		/* The right key elsewhere, and another key at the right address, find nobody. */
		{ "an address that is not its own", "127.1.0.3:30303", 1, OUTCOME_OK, true, NULL, 8,
		  9, 8, 0, 1, 0 },
		{ "a port that is not its own", "127.1.0.1:30304", 1, OUTCOME_OK, true, NULL, 8, 9,
		  8, 0, 1, 0 },
		{ "a key that is not there", "127.1.0.9:30303", 99, OUTCOME_OK, true, NULL, 8, 9, 8,
		  0, 1, 0 },
		{ "an invented one, unreached", "127.1.0.9:30303", 99, OUTCOME_REFUSED, false, NULL,
		  8, 8, 8, 0, 1, 0 },
		{ "ghost", "127.1.0.4:30303", 4, OUTCOME_OK, true, NULL, 8, 9, 8, 1, 0, 0 },
		{ "bad_hash", "127.1.0.5:30303", 5, OUTCOME_OK, true, NULL, 8, 9, 8, 1, 0, 0 },
		{ "bad_signature", "127.1.0.6:30303", 6, OUTCOME_OK, true, NULL, 8, 9, 8, 1, 0, 0 },
		{ "expired", "127.1.0.7:30303", 7, OUTCOME_NO_PEERS, true, NULL, 8, 9, 8, 1, 0, 0 },
		{ "wrong_pong", "127.1.0.8:30303", 8, OUTCOME_TOO_BIG, true, NULL, 8, 9, 8, 0, 0,
		  0 },
		{ "other_key", "127.1.0.9:30303", 9, OUTCOME_OK, true, NULL, 8, 9, 8, 1, 0, 0 },
		{ "hidden, but met", "127.1.0.3:30303", 3, OUTCOME_OK, true, NULL, 8, 9, 9, 0, 0,
		  0 },
		{ "another client", "127.1.0.1:30303", 1, OUTCOME_OK, true, "Geth/v2/x", 8, 8, 8, 0,
		  0, 1 },
		{ "a client where none is told", "127.1.0.2:30303", 1, OUTCOME_OK, true, "x", 8, 8,
		  8, 0, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct store_crawl crawl = right();
		struct score s;

		print_message("%s\n", rows[i].name);
		visit_agent(&crawl, rows[i].at, rows[i].key, rows[i].outcome, rows[i].reached,
			    rows[i].agent);
		assert_int_equal(score_run(store, slice_text(truth), &options, &s), ERR_OK);
		assert_int_equal(s.found, rows[i].found);
		assert_int_equal(s.reached, rows[i].reached_all);
		assert_int_equal(s.reached_right, rows[i].right);
		assert_int_equal(s.false_ok, rows[i].false_ok);
		assert_int_equal(s.strangers, rows[i].strangers);
		assert_int_equal(s.agents_differ, rows[i].agents);
		score_clear(&s);
	}
}

/* Whom is missing is said by key and address. */
static void missing_are_listed(void **state)
{
	const struct score_peer *p;
	struct store_crawl crawl = right();
	struct score s;
	size_t at = 0;
	json_t *doc, *missing;

	(void)state;
	visit(&crawl, "127.1.0.1:30303", 2, OUTCOME_CONNECT_TIMEOUT, false);
	assert_int_equal(score_run(store, slice_text(truth), &options, &s), ERR_OK);
	p = score_missing(&s, &at);
	assert_non_null(p);
	assert_string_equal(p->peer, ENODE("02") "127.1.0.1:0?discport=30303");
	assert_null(score_missing(&s, &at));
	doc = score_json(&s, 5);
	missing = json_array_get(json_object_get(doc, "missing"), 0);
	assert_string_equal(json_string_value(json_object_get(missing, "peer")), p->peer);
	json_decref(doc);
	score_clear(&s);
}

static void bad_truth(void **state)
{
	static const struct {
		const char *name, *text;
		uint64_t line;
	} rows[] = {
		{ "the same key and address twice",
		  HEADING ENODE("01") "1.2.3.4:1,1.2.3.4,1,honest,,1\n" ENODE(
			  "01") "1.2.3.4:2?discport=1,1.2.3.4,1,ghost,,0\n",
		  3 },
		{ "a short key", HEADING "enode://01@1.2.3.4:1,1.2.3.4,1,honest,,1\n", 2 },
		{ "no hexadecimal", HEADING ENODE("0x") "1.2.3.4:1,1.2.3.4,1,honest,,1\n", 2 },
		{ "a key alone",
		  HEADING "enode://01beef" ZEROS30 ZEROS30 "07,1.2.3.4,1,honest,,1\n", 2 },
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

/* More words than there is room for are put together. */
static void words_of_tables(void **state)
{
	static const char *const words[] = { "drained", "partial", "a", "b", "c", "drained", "a" };
	struct store_crawl crawl = begin_crawl(store, "ethereum");
	struct score s;
	uint64_t sum = 0;

	(void)state;
	for (uint8_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		struct node_key key = node_key(i);
		struct node_info node = { .completeness = words[i] };
		struct record r = node_record("127.1.0.1:1", &key, &node);

		assert_int_equal(store_put_visit(store, &crawl, &r), ERR_OK);
	}
	assert_int_equal(score_run(store, slice_text(HEADING), &options, &s), ERR_OK);
	assert_int_equal(s.tables_count, SCORE_TABLES_MAX);
	assert_int_equal(s.tables[0].count, 2);
	assert_int_equal(s.tables[2].count, 2);
	assert_string_equal(s.tables[SCORE_TABLES_MAX - 1].name, "other");
	for (size_t i = 0; i < s.tables_count; i++)
		sum += s.tables[i].count;
	assert_int_equal(sum, sizeof(words) / sizeof(*words));
	score_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_right, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(each_fault, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(missing_are_listed, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(bad_truth, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(words_of_tables, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
