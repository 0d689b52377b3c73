/* test_store_prune.c: what is old goes, what is needed stays, and the file stops growing. */
#include "store/watch.h"

#include "support/nodes.h"
#include "support/sql.h"
#include "support/store_rig.h"

#include "store/db.h"

static const int64_t hour = 60 * 60 * 1000, day = 24 * (int64_t)(60 * 60 * 1000);
static const int64_t start = 1780012800000; /* 2026-05-29, 00:00 */

static struct store_crawl begin_at(const char *network, int64_t at_ms)
{
	struct store_crawl crawl = { .started_at_ms = at_ms, .every_ms = (uint64_t)hour };

	snprintf(crawl.network, sizeof(crawl.network), "%s", network);
	assert_int_equal(store_crawl_begin(store, &crawl), ERR_OK);
	return crawl;
}

static void end_at(struct store_crawl *crawl, int64_t at_ms)
{
	crawl->ended_at_ms = at_ms;
	assert_int_equal(store_crawl_end(store, crawl), ERR_OK);
	assert_int_equal(store_report_put(store, crawl->id, 1, slice_text("{}")), ERR_OK);
}

static void visit(const struct store_crawl *crawl, const char *addr, bool reached, int64_t at_ms)
{
	struct record r = reached ? ok_record(addr_of(addr), slice_text("/x/"))
				  : failed_record(addr_of(addr), OUTCOME_REFUSED);

	r.started_at_ms = at_ms;
	assert_int_equal(store_put_known(store, crawl, &r.addr, NULL, at_ms), ERR_OK);
	assert_int_equal(store_put_visit(store, crawl, &r), ERR_OK);
}

/* Whoever is up each second hour, somebody who never is, and somebody of each round's own. */
static struct store_crawl round_at(int64_t n)
{
	struct store_crawl crawl = begin_at("bitcoin", start + n * hour);
	int64_t at_ms = start + n * hour;
	char own[32];

	snprintf(own, sizeof(own), "9.9.%d.%d", (int)(n / 250), (int)(n % 250));
	visit(&crawl, "1.2.3.4", n % 2 == 0, at_ms);
	visit(&crawl, "1.2.3.5", false, at_ms);
	visit(&crawl, own, false, at_ms);
	end_at(&crawl, at_ms + hour / 2);
	return crawl;
}

static unsigned prune(const char *network, int64_t now_ms, int64_t keep_ms)
{
	unsigned steps = 0;
	bool more = true;

	for (; more && steps < 1000; steps++)
		assert_int_equal(store_prune(store, network, now_ms, keep_ms, &more), ERR_OK);
	assert_false(more);
	assert_sql(store->db, "PRAGMA integrity_check", "ok");
	assert_sql(store->db, "SELECT count(*) FROM pragma_foreign_key_check", "0");
	return steps;
}

static void visits_become_sums_by_day(void **state)
{
	struct store_crawl crawl;

	(void)state;
	for (int64_t n = 0; n < 60; n++)
		crawl = round_at(n);
	/* Ended before 30 h: rounds 0 .. 29. */
	assert_int_equal(prune("bitcoin", start + 40 * hour, 10 * hour), 31);
	assert_sql(store->db,
		   "SELECT group_concat(peer_id || ' ' || day || ' ' || visits || ' ' || reached)"
		   " FROM daily",
		   "1 20602 24 12,1 20603 6 3");
	assert_sql(store->db, "SELECT count(*) || ' ' || min(crawl_id) FROM visits", "90 31");
	assert_sql(store->db,
		   "SELECT count(*) || ' ' || sum(pruned = 2) || ' ' || sum(pruned) FROM crawls",
		   "60 30 60");
	assert_sql(store->db, "SELECT visits || ' ' || reached_count FROM peers WHERE id = 1",
		   "60 30");
	/* The last of the first day; of the second one the last is not among those that went. */
	assert_sql(store->db, "SELECT group_concat(crawl_id) FROM reports WHERE crawl_id <= 31",
		   "24,31");
	assert_int_equal(store_crawl_get(store, 30, NULL, &crawl), ERR_OK);
	assert_true(crawl.pruned);
	assert_int_equal(crawl.visited, 0);
	assert_int_equal(store_crawl_get(store, 31, NULL, &crawl), ERR_OK);
	assert_false(crawl.pruned);
	/* Again, nothing happens; a while later, the day's sum grows. */
	assert_int_equal(prune("bitcoin", start + 40 * hour, 10 * hour), 1);
	assert_int_equal(prune("bitcoin", start + 42 * hour, 10 * hour), 3);
	assert_sql(store->db,
		   "SELECT group_concat(peer_id || ' ' || day || ' ' || visits || ' ' || reached)"
		   " FROM daily",
		   "1 20602 24 12,1 20603 8 4");
}

static void other_networks_are_left_alone(void **state)
{
	struct store_crawl crawl = begin_at("bitcoin-signet", start);

	(void)state;
	visit(&crawl, "1.2.3.4", true, start);
	end_at(&crawl, start + 1);
	crawl = begin_at("bitcoin-signet", start + 2 * hour);
	visit(&crawl, "1.2.3.4", false, start + 2 * hour);
	end_at(&crawl, start + 3 * hour);
	round_at(0);
	round_at(1);
	prune("bitcoin", start + 1000 * day, day);
	prune("gossip/none", start + 1000 * day, day);
	assert_sql(store->db,
		   "SELECT count(*) FROM visits JOIN peers p ON p.id = peer_id"
		   " WHERE p.network_id = 1",
		   "2");
	assert_sql(store->db, "SELECT count(*) FROM sessions", "1");
	prune("bitcoin-signet", start + 1000 * day, day);
	assert_sql(store->db, "SELECT count(*) FROM sessions", "0");
}

static void whose_visits_stay(void **state)
{
	struct store_crawl broken_off, ended, running, newest;
	struct store *other = open_db(folder.db, STORE_WRITE);

	(void)state;
	broken_off = begin_at("bitcoin", start);
	visit(&broken_off, "1.2.3.4", true, start);
	store_close(store);
	store = open_db(folder.db, STORE_WRITE);
	ended = begin_at("bitcoin", start + hour);
	visit(&ended, "1.2.3.4", true, start + hour);
	end_at(&ended, start + 2 * hour);
	running = begin_crawl(other, "bitcoin");
	run_sql(folder.db,
		"INSERT INTO visits(crawl_id, peer_id, started_at_ms, outcome, reached, tries,"
		" stepwise, adverts, adverts_new, adverts_cut, messages_in, unknown_in,"
		" bytes_in, bytes_out) VALUES(3, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)");
	newest = begin_at("bitcoin", start + 3 * hour);
	visit(&newest, "1.2.3.4", true, start + 3 * hour);
	end_at(&newest, start + 4 * hour);
	prune("bitcoin", start + 1000 * day, day);
	assert_sql(store->db, "SELECT group_concat(crawl_id) FROM visits", "3,4");
	store_close(other);
	prune("bitcoin", start + 1000 * day, day);
	assert_sql(store->db, "SELECT group_concat(crawl_id) FROM visits", "4");
	assert_int_equal(running.id, 3);
	assert_int_equal(broken_off.id, 1);
}

/* Numbers must not be used again: copies in memory tell what is new by them. */
static void the_newest_numbers_stay(void **state)
{
	struct store_crawl crawl = begin_at("bitcoin", start), last;

	(void)state;
	visit(&crawl, "1.2.3.4", false, start);
	visit(&crawl, "1.2.3.5", false, start);
	end_at(&crawl, start + hour);
	last = begin_at("bitcoin", start + 5 * hour);
	end_at(&last, start + 6 * hour);
	run_sql(folder.db, "DELETE FROM watch");
	prune("bitcoin", start + 1000 * day, day);
	assert_sql(store->db, "SELECT group_concat(id) FROM visits", "1,2");
	crawl = begin_at("bitcoin", start + 7 * hour);
	visit(&crawl, "1.2.3.6", true, start + 7 * hour);
	end_at(&crawl, start + 8 * hour);
	prune("bitcoin", start + 1000 * day, day);
	assert_sql(store->db, "SELECT group_concat(id) FROM visits", "3");
	assert_sql(store->db, "SELECT group_concat(id) FROM peers", "3");
}

static void sessions_and_changes_go(void **state)
{
	(void)state;
	for (int64_t n = 0; n < 10; n++)
		round_at(n);
	assert_sql(store->db, "SELECT count(*) FROM sessions", "5");
	run_sql(folder.db, "INSERT INTO changes VALUES(1, 1780012800000, 'agent', '/w/', '/x/'),"
			   " (1, 1780045200000, 'agent', '/x/', '/y/')");
	/* Those that ended at 0 h, 2 h, 4 h; not at 6 h. */
	prune("bitcoin", start + 8 * hour, 2 * hour);
	assert_sql(store->db, "SELECT min(to_ms) || ' ' || count(*) FROM sessions",
		   "1780034400000 2");
	assert_sql(store->db, "SELECT group_concat(now) FROM changes", "/y/");
}

/* 20 rounds, and who of them is there afterwards: 1 and 2 are visited in each, 3 .. 22 once. */
static void peers_that_nobody_needs_go(void **state)
{
	struct netaddr named = addr_of("9.9.0.3");
	struct store_crawl crawl;

	(void)state;
	for (int64_t n = 0; n < 20; n++)
		crawl = round_at(n);
	assert_sql(store->db, "SELECT max(id) FROM peers", "22");
	/* All are watched. */
	prune("bitcoin", start + 20 * hour, 10 * hour);
	assert_sql(store->db, "SELECT count(*) FROM peers", "22");
	assert_int_equal(store_put_known(store, &crawl, &named, NULL, start + 20 * hour), ERR_OK);
	run_sql(folder.db, "DELETE FROM watch WHERE peer_id > 2");
	prune("bitcoin", start + 20 * hour, 10 * hour);
	/* Those of rounds 0 .. 8, but for the one that was named since. */
	assert_sql(store->db, "SELECT group_concat(id) FROM peers",
		   "1,2,6,12,13,14,15,16,17,18,19,20,21,22");
}

static void those_that_were_up_stay_longer(void **state)
{
	struct store_crawl crawl = begin_at("bitcoin", start);
	int64_t at_ms = start + 30 * day;

	(void)state;
	visit(&crawl, "1.2.3.4", true, start);
	visit(&crawl, "1.2.3.5", false, start);
	end_at(&crawl, start + hour);
	crawl = begin_at("bitcoin", at_ms);
	visit(&crawl, "1.2.3.6", true, at_ms);
	end_at(&crawl, at_ms + hour);
	run_sql(folder.db, "DELETE FROM watch");
	prune("bitcoin", at_ms, 5 * day);
	assert_sql(store->db, "SELECT group_concat(id) FROM peers", "1,3");
	assert_sql(store->db, "SELECT count(*) FROM daily", "1");
	prune("bitcoin", at_ms, 3 * day);
	assert_sql(store->db, "SELECT group_concat(id) FROM peers", "1,3");
	prune("bitcoin", at_ms + day, 3 * day);
	assert_sql(store->db, "SELECT group_concat(id) FROM peers", "3");
	assert_sql(store->db, "SELECT count(*) FROM daily", "0");
}

static void adverts_and_nodes(void **state)
{
	const struct node_key keys[] = { node_key(1), node_key(2) };
	const struct node_info node = full_node();
	struct store_crawl crawl;

	(void)state;
	for (int64_t n = 0; n < 3; n++) {
		struct record r = node_record("1.2.3.4:30303", &keys[0], &node);
		struct advert from = node_advert("1.2.3.4:30303", 0, &keys[0]);
		struct advert named = node_advert("1.2.3.5:30303", 1, &keys[1]);

		r.started_at_ms = start + n * hour;
		crawl = begin_at("ethereum", r.started_at_ms);
		if (n != 1) {
			assert_int_equal(store_put_visit(store, &crawl, &r), ERR_OK);
			assert_int_equal(
				store_put_advert(store, &crawl, &from, &named, r.started_at_ms),
				ERR_OK);
		}
		end_at(&crawl, start + n * hour + 1);
	}
	prune("ethereum", start + 1000 * day, day);
	assert_sql(store->db, "SELECT group_concat(crawl_id) FROM node_visits", "3");
	assert_sql(store->db, "SELECT group_concat(crawl_id) FROM adverts", "3");
	assert_sql(store->db, "SELECT group_concat(id) FROM peers", "1,2");
	/* Somebody new is known at last; all others were left long ago. */
	crawl = begin_at("ethereum", start + 500 * day);
	visit(&crawl, "1.2.3.6", true, start + 500 * day);
	end_at(&crawl, start + 501 * day);
	run_sql(folder.db, "DELETE FROM watch");
	prune("ethereum", start + 1000 * day, day);
	assert_sql(store->db, "SELECT group_concat(id) FROM peers", "3");
	assert_sql(store->db,
		   "SELECT (SELECT count(*) FROM nodes) || (SELECT count(*) FROM node_visits)"
		   " || (SELECT count(*) FROM adverts)",
		   "000");
}

/* One round of more rows than a step takes. */
static void a_step_is_bounded(void **state)
{
	enum { PEERS = 25 * 1000 };
	struct store_crawl crawl = begin_at("bitcoin", start), last;
	bool more = true;

	(void)state;
	assert_int_equal(store_begin(store), ERR_OK);
	for (uint32_t i = 0; i < PEERS; i++) {
		struct record r = ok_record(netaddr_ipv4(0x01000000 + i, 8333), slice_text("/x/"));
		struct advert from = { .addr = r.addr }, named = { .addr = addr_of("1.0.0.0") };

		r.started_at_ms = start;
		assert_int_equal(store_put_visit(store, &crawl, &r), ERR_OK);
		assert_int_equal(store_put_advert(store, &crawl, &from, &named, start), ERR_OK);
	}
	assert_int_equal(store_commit(store), ERR_OK);
	end_at(&crawl, start + hour);
	last = begin_at("bitcoin", start + 2 * hour);
	visit(&last, "1.0.0.0", true, start + 2 * hour);
	end_at(&last, start + 3 * hour);
	for (unsigned step = 0; step < 3; step++)
		assert_int_equal(store_prune(store, "bitcoin", start + 9 * day, day, &more),
				 ERR_OK);
	assert_sql(store->db,
		   "SELECT (SELECT count(*) FROM adverts) || ' ' || (SELECT count(*) FROM visits)"
		   " || ' ' || (SELECT sum(visits) FROM daily)",
		   "0 5001 20000");
	assert_int_equal(store_crawl_get(store, crawl.id, NULL, &crawl), ERR_OK);
	assert_true(crawl.pruned);
	assert_int_equal(prune("bitcoin", start + 9 * day, day), 3);
	assert_sql(store->db,
		   "SELECT (SELECT count(*) FROM visits) || ' ' || (SELECT sum(visits) FROM daily)",
		   "1 25000");
}

static void the_file_stops_growing(void **state)
{
	enum { PEERS = 300, ROUNDS = 50 };
	int64_t pages = 0;

	(void)state;
	assert_int_equal(sqlite3_exec(store->db, "PRAGMA synchronous = OFF", NULL, NULL, NULL),
			 SQLITE_OK);
	for (int64_t n = 0; n < ROUNDS; n++) {
		int64_t at_ms = start + n * day;
		struct store_crawl crawl = begin_at("bitcoin", at_ms);
		sqlite3_stmt *st;

		assert_int_equal(store_begin(store), ERR_OK);
		/* A third of them is new each time. */
		for (int64_t i = 0; i < PEERS; i++) {
			struct record r =
				ok_record(netaddr_ipv4((uint32_t)((n + i % 3) * 1000 + i), 8333),
					  slice_text("/x/"));

			r.started_at_ms = at_ms;
			r.reached = i % 2 == 0;
			assert_int_equal(store_put_visit(store, &crawl, &r), ERR_OK);
		}
		assert_int_equal(store_commit(store), ERR_OK);
		end_at(&crawl, at_ms + hour);
		run_sql(folder.db, "DELETE FROM watch");
		prune("bitcoin", at_ms, day);
		assert_int_equal(sqlite3_prepare_v2(store->db, "PRAGMA page_count", -1, &st, NULL),
				 SQLITE_OK);
		assert_int_equal(sqlite3_step(st), SQLITE_ROW);
		if (n == ROUNDS / 2)
			pages = sqlite3_column_int64(st, 0);
		else if (n > ROUNDS / 2)
			assert_in_range(sqlite3_column_int64(st, 0), 1, pages + pages / 10);
		sqlite3_finalize(st);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, store_set_up, store_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(visits_become_sums_by_day),
		TEST(other_networks_are_left_alone),
		TEST(whose_visits_stay),
		TEST(the_newest_numbers_stay),
		TEST(sessions_and_changes_go),
		TEST(peers_that_nobody_needs_go),
		TEST(those_that_were_up_stay_longer),
		TEST(adverts_and_nodes),
		TEST(a_step_is_bounded),
		TEST(the_file_stops_growing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
