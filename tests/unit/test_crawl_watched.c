/* test_crawl_watched.c: a round of watching: peers of earlier rounds, of which some are due and the
 * others rest. */
#include "engine/crawl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NOW_MS = 1000 };

/* A peer by its number: with a key, or without one. */
struct peer {
	uint8_t key[PEER_NODE_ID_MAX];
	struct advert advert;
};

static const struct advert *peer_at(struct peer *p, bool nodes, uint8_t number, const char *addr)
{
	memset(p, 0, sizeof(*p));
	p->key[0] = number;
	assert_int_equal(netaddr_parse(slice_text(addr), 8333, &p->advert.addr), ERR_OK);
	if (nodes)
		p->advert.node_id = slice_of(p->key, sizeof(p->key));
	return &p->advert;
}

static struct crawl *new_crawl(const struct crawl_config *config)
{
	struct crawl *c;

	assert_int_equal(crawl_new(config, NOW_MS, &c), ERR_OK);
	return c;
}

static struct crawl_stats stats_of(const struct crawl *c)
{
	struct crawl_stats stats;

	crawl_stats(c, &stats);
	return stats;
}

static enum crawl_verdict name(struct crawl *c, const struct advert *advert)
{
	enum crawl_verdict verdict;
	uint32_t taken = 0;

	crawl_add_named(c, advert, 1, &taken, &verdict);
	assert_int_equal(taken, verdict == CRAWL_NEW || verdict == CRAWL_NEW_NO_DIAL);
	return verdict;
}

static void watch(struct crawl *c, bool nodes, uint8_t number, const char *addr, bool due)
{
	struct peer p;

	crawl_add_watched(c, peer_at(&p, nodes, number, addr), due);
}

static void check_round(bool nodes)
{
	const struct crawl_config config = { .nodes = nodes, .concurrency = 10, .key = { 3, 4 } };
	struct crawl *c = new_crawl(&config);
	struct crawl_dial dial;
	struct peer due, resting, stranger;
	uint64_t until;

	peer_at(&due, nodes, 1, "1.1.1.1");
	peer_at(&resting, nodes, 2, "2.2.2.2");
	peer_at(&stranger, nodes, 3, "3.3.3.3");
	crawl_add_watched(c, &resting.advert, false);
	crawl_add_watched(c, &due.advert, true);
	assert_int_equal(stats_of(c).known, 2);
	assert_int_equal(stats_of(c).waiting, 1);
	assert_int_equal(stats_of(c).resting, 1);
	assert_int_equal(crawl_unnamed(c), 2);
	assert_int_equal(crawl_next(c, NOW_MS, &dial, &until), CRAWL_DIAL);
	assert_true(netaddr_equal(&dial.addr, &due.advert.addr));
	assert_int_equal(crawl_next(c, NOW_MS, &dial, &until), CRAWL_WAIT);

	/* Told once, in whatever state. */
	assert_int_equal(name(c, &resting.advert), CRAWL_AGAIN);
	assert_int_equal(name(c, &resting.advert), CRAWL_KNOWN);
	assert_int_equal(crawl_unnamed(c), 1);
	assert_int_equal(name(c, &stranger.advert), CRAWL_NEW);
	assert_true(crawl_finish(c, dial.id, OUTCOME_OK, true));
	assert_int_equal(name(c, &due.advert), CRAWL_AGAIN);
	assert_int_equal(name(c, &due.advert), CRAWL_KNOWN);
	assert_int_equal(crawl_unnamed(c), 0);

	assert_int_equal(crawl_next(c, NOW_MS, &dial, &until), CRAWL_DIAL);
	assert_true(netaddr_equal(&dial.addr, &stranger.advert.addr));
	assert_true(crawl_finish(c, dial.id, OUTCOME_REFUSED, false));
	assert_int_equal(crawl_next(c, NOW_MS, &dial, &until), CRAWL_DONE);
	assert_int_equal(stats_of(c).known, 3);
	assert_int_equal(stats_of(c).visited, 2);
	assert_int_equal(stats_of(c).waiting, 0);
	assert_int_equal(stats_of(c).resting, 1);
	crawl_free(c);
}

static void who_is_due_is_dialled_and_who_rests_is_told_once(void **state)
{
	(void)state;
	check_round(false);
	check_round(true);
}

static void seeds_that_rest_are_not_dialled(void **state)
{
	const struct crawl_config config = { .concurrency = 10, .key = { 3, 4 } };
	struct crawl *c = new_crawl(&config);
	struct crawl_dial dial;
	struct peer p;
	uint64_t until;

	(void)state;
	watch(c, false, 0, "1.1.1.1", false);
	assert_int_equal(crawl_add(c, peer_at(&p, false, 0, "1.1.1.1")), CRAWL_AGAIN);
	assert_int_equal(crawl_add(c, &p.advert), CRAWL_KNOWN);
	assert_int_equal(crawl_next(c, NOW_MS, &dial, &until), CRAWL_DONE);
	crawl_free(c);
}

/* Of an interrupted round, and of seeds: what is known already stays as it is. */
static void who_is_known_already_stays(void **state)
{
	const struct crawl_config config = { .concurrency = 10, .key = { 3, 4 } };
	struct crawl *c = new_crawl(&config);
	struct crawl_dial dial;
	struct peer p;
	uint64_t until;

	(void)state;
	crawl_add_visited(c, peer_at(&p, false, 0, "1.1.1.1"), OUTCOME_OK, true, 1);
	watch(c, false, 0, "1.1.1.1", true);
	watch(c, false, 0, "1.1.1.1", false);
	crawl_add(c, peer_at(&p, false, 0, "1.1.1.2"));
	watch(c, false, 0, "1.1.1.2", false);
	assert_int_equal(stats_of(c).known, 2);
	assert_int_equal(stats_of(c).resting, 0);
	assert_int_equal(crawl_unnamed(c), 0);
	assert_int_equal(crawl_next(c, NOW_MS, &dial, &until), CRAWL_DIAL);
	assert_true(crawl_finish(c, dial.id, OUTCOME_OK, true));
	assert_int_equal(crawl_next(c, NOW_MS, &dial, &until), CRAWL_DONE);
	crawl_free(c);
}

/* The rules may have changed since the last round. */
static void the_rules_of_this_round_count(void **state)
{
	static const struct {
		const char *name, *addr;
		uint64_t known, waiting;
	} rows[] = {
		{ "public", "1.2.3.4", 1, 1 },
		{ "private", "10.0.0.1", 0, 0 },
		{ "excluded", "9.9.9.9", 0, 0 },
		{ "not dialable",
		  "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333", 1, 0 },
	};
	struct crawl_config config = { .concurrency = 10, .key = { 3, 4 } };
	struct cidr exclude;

	(void)state;
	assert_int_equal(cidr_parse(slice_text("9.9.9.0/24"), &exclude), ERR_OK);
	config.exclude = &exclude;
	config.exclude_count = 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (int due = 0; due < 2; due++) {
			struct crawl *c = new_crawl(&config);
			struct crawl_stats stats;

			watch(c, false, 0, rows[i].addr, due);
			stats = stats_of(c);
			if (stats.known != rows[i].known ||
			    (due ? stats.waiting : stats.resting) != rows[i].waiting)
				fail_msg("%s", rows[i].name);
			crawl_free(c);
		}
	}
}

static void the_cap_of_known_addresses_holds(void **state)
{
	const struct crawl_config config = { .concurrency = 10, .known_max = 2, .key = { 3, 4 } };
	struct crawl *c = new_crawl(&config);

	(void)state;
	watch(c, false, 0, "1.1.1.1", false);
	watch(c, false, 0, "1.1.1.2", true);
	watch(c, false, 0, "1.1.1.3", false);
	assert_int_equal(stats_of(c).known, 2);
	crawl_free(c);
}

/* Retries, and what this machine could not begin, keep that nobody has named them yet. */
static void nobody_is_named_by_being_dialled(void **state)
{
	const struct crawl_config config = { .concurrency = 10, .key = { 3, 4 } };
	struct crawl *c = new_crawl(&config);
	struct crawl_dial dial;
	struct peer p;
	uint64_t until;

	(void)state;
	watch(c, false, 0, "1.1.1.1", true);
	assert_int_equal(crawl_next(c, NOW_MS, &dial, &until), CRAWL_DIAL);
	crawl_give_back(c, dial.id);
	assert_int_equal(crawl_next(c, NOW_MS, &dial, &until), CRAWL_DIAL);
	assert_int_equal(dial.attempt, 1);
	assert_false(crawl_finish(c, dial.id, OUTCOME_CONNECT_TIMEOUT, false));
	assert_int_equal(crawl_next(c, NOW_MS, &dial, &until), CRAWL_DIAL);
	assert_int_equal(dial.attempt, 2);
	assert_true(crawl_finish(c, dial.id, OUTCOME_CONNECT_TIMEOUT, false));
	assert_int_equal(crawl_unnamed(c), 1);
	assert_int_equal(name(c, peer_at(&p, false, 0, "1.1.1.1")), CRAWL_AGAIN);
	crawl_free(c);
}

static void who_is_our_own_is_no_longer_waited_for(void **state)
{
	const struct crawl_config config = { .concurrency = 10, .key = { 3, 4 } };
	struct crawl *c = new_crawl(&config);
	struct crawl_dial dial;
	struct peer p;
	uint64_t until;

	(void)state;
	watch(c, false, 0, "1.1.1.1", true);
	crawl_add_own(c, &peer_at(&p, false, 0, "1.1.1.1")->addr);
	assert_int_equal(stats_of(c).known, 0);
	assert_int_equal(crawl_unnamed(c), 0);
	assert_int_equal(name(c, &p.advert), CRAWL_EXCLUDED);
	assert_int_equal(crawl_next(c, NOW_MS, &dial, &until), CRAWL_DONE);
	crawl_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_due_is_dialled_and_who_rests_is_told_once),
		cmocka_unit_test(seeds_that_rest_are_not_dialled),
		cmocka_unit_test(who_is_known_already_stays),
		cmocka_unit_test(the_rules_of_this_round_count),
		cmocka_unit_test(the_cap_of_known_addresses_holds),
		cmocka_unit_test(nobody_is_named_by_being_dialled),
		cmocka_unit_test(who_is_our_own_is_no_longer_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
