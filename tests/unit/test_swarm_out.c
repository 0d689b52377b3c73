/* Whom a swarm dials, keeps and checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/swarm_rig.h"

static int end(void **state)
{
	(void)state;
	rig_end();
	return 0;
}

static void begin(const char *network, uint32_t out_wanted)
{
	rig_begin(network);
	rig.policy.out_wanted = out_wanted;
	rig.config.allow_private = true;
	rig.config.session.listen_port = 5999;
	rig_start();
}

static void bootstrap(const char *text)
{
	struct netaddr addr = at(text);

	swarm_bootstrap(rig.swarm, &addr);
	rig_actions();
}

static bool dialled(const char *text)
{
	struct netaddr addr = at(text);

	for (unsigned i = 0; i < rig.dials_count; i++)
		if (netaddr_equal(&rig.dials[i].addr, &addr))
			return true;
	return false;
}

static void who_was_given_is_dialled_first(void **state)
{
	(void)state;
	begin("bitcoin", 2);
	rig_knows("5.5.5.5:8333");
	bootstrap("6.6.6.6:8333");
	bootstrap("7.7.7.7:8333");
	bootstrap("8.8.8.8:8333");
	rig_later(1000);
	assert_int_equal(rig.dialled, 2);
	assert_true(dialled("6.6.6.6:8333") && dialled("7.7.7.7:8333"));
	assert_int_equal(rig_counts().dialling, 2);
}

static void and_again_with_longer_waits_when_nobody_is_known(void **state)
{
	uint64_t last = 0, wait = 0;

	(void)state;
	begin("bitcoin", 8);
	bootstrap("6.6.6.6:8333");
	for (unsigned i = 0; i < 12; i++) {
		while (rig.dials_count == 0)
			rig_later(100);
		/* Twice as long each time, to the second; five minutes at most. */
		if (i > 1)
			assert_in_range(rig.now - last, wait, wait * 2 + 3000);
		if (i > 0)
			wait = rig.now - last;
		assert_true(wait < 5 * 60 * 1000 + 2000);
		last = rig.now;
		rig_fails(OUTCOME_REFUSED);
	}
	assert_true(wait >= 5 * 60 * 1000);
	while (rig.dials_count == 0)
		rig_later(100);
	rig_stands();
	rig_later(60 * 60 * 1000);
	assert_int_equal(rig.dials_count, 0); /* nobody else is known, but somebody is there */
}

/* Two groups that began with the same peer, which was away for long, become one again. */
static void a_forgotten_beginning_is_looked_for_where_checks_are_made(void **state)
{
	static const struct {
		const char *network, *addr;
		unsigned min, max; /* within an hour */
	} rows[] = { { "gossip", "10.0.0.5:5999", 12, 13 }, { "bitcoin", "5.5.5.5:8333", 0, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t id[16] = { 1 };
		unsigned tries = 0;

		begin(rows[i].network, 8);
		bootstrap(rows[i].addr);
		rig_later(100);
		rig_fails(OUTCOME_REFUSED);
		assert_non_null(rig_calls_as("10.0.0.6:4000",
					     (struct far_kind){ .goal = SESSION_GOAL_STAY,
								.node_id = slice_of(id, 16) }));
		rig_later(10 * 60 * 1000); /* its first tries */
		for (unsigned s = 0; s < 70 * 60; s++) {
			tries += s > 10 * 60 && rig.dials_count > 0;
			while (rig.dials_count > 0)
				rig_fails(OUTCOME_REFUSED);
			rig_later(1000);
		}
		assert_in_range(tries, rows[i].min, rows[i].max);
		rig_end();
	}
	begin("gossip", 8); /* for the teardown */
}

static void the_wanted_number_is_kept(void **state)
{
	struct far *first;
	char text[32];

	(void)state;
	begin("bitcoin", 3);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "5.%u.1.1:8333", i);
		rig_knows(text);
	}
	rig_later(5000);
	assert_int_equal(rig.dialled, 3);
	first = rig_stands();
	rig_stands();
	rig_fails(OUTCOME_CONNECT_TIMEOUT);
	rig_later(1000);
	assert_int_equal(rig.dialled, 4); /* somebody else */
	rig_stands();
	rig_later(1000);
	assert_int_equal(rig.dialled, 4);
	assert_int_equal(rig_counts().out, 3);
	assert_int_equal(rig_counts().up, 3);
	rig_hangs_up(first);
	rig_later(1000);
	assert_int_equal(rig.dialled, 5);
	assert_false(dialled("5.5.5.5:8333") && first == NULL);
}

static void not_two_of_one_network_while_there_are_others(void **state)
{
	static const struct {
		const char *name, *known[3];
		const char *must, *must_not; /* of the two that are dialled */
	} rows[] = {
		{ "IPv4: a /16",
		  { "5.5.1.1:8333", "5.5.2.2:8333", "6.6.6.6:8333" },
		  "6.6.6.6:8333",
		  NULL },
		{ "IPv6: a /32",
		  { "[2a01:1::1]:8333", "[2a01:1:5::1]:8333", "[2a01:2::1]:8333" },
		  "[2a01:2::1]:8333",
		  NULL },
		{ "nobody else is there",
		  { "5.5.1.1:8333", "5.5.2.2:8333" },
		  "5.5.1.1:8333",
		  NULL },
		{ "a private network is one house",
		  { "10.0.0.1:8333", "10.0.0.2:8333" },
		  "10.0.0.1:8333",
		  NULL },
	};

	(void)state;
	for (size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++)
		for (uint64_t seed = 0; seed < 8; seed++) {
			rig_begin("bitcoin");
			rig.policy.out_wanted = 2;
			rig.config.allow_private = true;
			rig.config.seed = seed;
			rig.book_config.seed = seed + 100;
			rig_start();
			for (unsigned i = 0; i < 3 && rows[row].known[i] != NULL; i++)
				rig_knows(rows[row].known[i]);
			rig_later(5000);
			assert_int_equal(rig.dialled, 2);
			if (!dialled(rows[row].must))
				fail_msg("%s", rows[row].name);
			rig_end();
		}
	begin("bitcoin", 1); /* for the teardown */
}

static void a_failure_makes_him_wait(void **state)
{
	unsigned tries = 0;

	(void)state;
	begin("bitcoin", 8);
	rig_knows("5.6.6.6:8333");
	rig_later(1000);
	rig_stands(); /* so that it can't be the network's fault */
	rig_knows("5.5.5.5:8333");
	for (unsigned s = 0; s < 3600; s++) {
		rig_later(1000);
		if (rig.dials_count > 0) {
			tries++;
			rig_fails(OUTCOME_REFUSED);
		}
	}
	/* After 1, 2, 4, 8, 16, 32 minutes, and not each minute. */
	assert_in_range(tries, 4, 9);
}

static void never_ourselves(void **state)
{
	struct netaddr own = at("5.5.5.5:8333");

	(void)state;
	begin("bitcoin", 8);
	swarm_own(rig.swarm, &own);
	bootstrap("5.5.5.5:8333");
	rig_later(60 * 1000);
	assert_int_equal(rig.dialled, 0);
}

/* The nonce of Bitcoin's version: our own other end hears it, and tells both. */
static void who_dials_himself_knows(void **state)
{
	struct netaddr addr;
	static uint8_t bytes[SWARM_SEND_MIN];
	uint32_t out, in;
	struct swarm_action action;
	size_t n = 0;

	(void)state;
	begin("bitcoin", 8);
	bootstrap("5.5.5.5:8333");
	rig_later(1000);
	out = rig_attempt(&addr);
	in = swarm_accepted(rig.swarm, &(struct netaddr){ .kind = NETADDR_IPV4, .port = 9 },
			    rig.now);
	swarm_connected(rig.swarm, out, rig.now);
	while (swarm_next(rig.swarm, &action))
		if (action.what == SWARM_SEND && action.id == out)
			n = swarm_send(rig.swarm, out, bytes, sizeof(bytes), rig.now);
		else
			swarm_send(rig.swarm, action.id, rig.out, sizeof(rig.out), rig.now);
	assert_int_equal(swarm_send(rig.swarm, out, rig.out, sizeof(rig.out), rig.now), 0);
	assert_true(n > 0);
	swarm_recv(rig.swarm, in, slice_of(bytes, n), rig.now);
	rig_actions();
	assert_int_equal(rig.last_outcome, OUTCOME_SELF);
	swarm_closed(rig.swarm, out, SESSION_CLOSE_EOF, rig.now);
	rig_actions();
	assert_int_equal(rig.last_outcome, OUTCOME_SELF);
	assert_int_equal(rig_counts().ends[OUTCOME_SELF], 2);
	rig_later(60 * 60 * 1000);
	assert_int_equal(rig.dialled, 1);
	assert_false(book_find(rig.book, &addr, NULL));
}

/* Gossip's hello: the same, by the node id. */
static void a_hello_of_ourselves_makes_the_address_ours(void **state)
{
	struct netaddr addr = at("10.0.0.5:5999");

	(void)state;
	begin("gossip", 8);
	bootstrap("10.0.0.5:5999");
	rig_later(1000);
	rig_stands_as((struct far_kind){ .node_id = slice_of(rig.own_id, 16) });
	assert_int_equal(rig.last_outcome, OUTCOME_SELF);
	rig_later(60 * 60 * 1000);
	assert_int_equal(rig.dialled, 1);
	assert_false(book_add(rig.book, &(struct advert){ .addr = addr }, &addr, rig_unix_s()));
}

static void reached(const char *text, bool is)
{
	struct netaddr addr = at(text);
	struct book_entry entry;

	assert_int_equal(book_find(rig.book, &addr, &entry) && entry.tried && entry.failures == 0,
			 is);
}

static void feelers_go_to_hearsay_one_at_a_time(void **state)
{
	char text[NETADDR_TEXT_MAX];
	unsigned minutes = 0;

	(void)state;
	begin("bitcoin", 1);
	rig_knows("5.5.5.5:8333");
	rig_later(1000);
	rig_stands();
	for (unsigned i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "6.%u.1.1:8333", i);
		rig_knows(text);
	}
	for (; rig.dials_count == 0; minutes++)
		rig_later(60 * 1000);
	assert_in_range(minutes, 1, 3);
	assert_int_equal(rig_counts().checking, 1);
	rig_later(10 * 60 * 1000);
	assert_int_equal(rig.dials_count, 1);
	netaddr_text(&rig.dials[0].addr, text);
	rig_stands();
	rig_later(1000);
	assert_int_equal(rig_counts().checking, 0); /* a sign of life, and gone */
	reached(text, true);
	assert_int_equal(rig.told[SWARM_EVENT_UP], 1); /* it was no peer */
	while (rig.dials_count == 0)
		rig_later(1000);
	assert_int_equal(rig.dialled, 3);
}

/* Gossip: everybody is checked in time, and lost by two failures, or one if he was hearsay. */
static void everybody_is_checked(void **state)
{
	static const uint8_t id[16] = { 7 };
	char text[32];
	unsigned checked = 0;

	(void)state;
	rig_begin("gossip");
	rig.policy.out_wanted = 0;
	rig.policy.check_ms = 70 * 1000; /* the second check comes before he is long unheard of */
	rig.config.allow_private = true;
	rig_start();
	for (unsigned i = 0; i < 20; i++) {
		snprintf(text, sizeof(text), "10.0.0.%u:5999", i + 1);
		rig_knows(text);
	}
	/* One stays and answers: so it can't be the network's fault. */
	rig_calls_as("10.1.1.1:4000", (struct far_kind){ .goal = SESSION_GOAL_STAY,
							 .node_id = slice_of(id, sizeof(id)),
							 .listen_port = 5999 });
	for (unsigned s = 0; s < 10; s++) {
		rig_later(1000);
		assert_true(rig.dials_count <= rig.policy.checks_per_s + 1);
		while (rig.dials_count > 0) {
			if (checked++ < 15)
				rig_stands();
			else
				rig_fails(OUTCOME_CONNECT_TIMEOUT);
		}
	}
	assert_int_equal(checked, 20);
	assert_int_equal(rig_counts().book.tried_count, 16);
	assert_int_equal(rig_counts().book.new_count, 0); /* one try for hearsay */
	assert_int_equal(rig.told[SWARM_EVENT_LOST], 0);
	rig_later(rig.policy.check_ms);
	while (rig.dials_count > 0) {
		rig_fails(OUTCOME_CONNECT_TIMEOUT);
		rig_later(500);
	}
	assert_int_equal(rig.told[SWARM_EVENT_LOST], 15);
	assert_int_equal(rig_counts().book.tried_count, 16);
	rig_later(rig.policy.check_ms);
	while (rig.dials_count > 0) {
		rig_fails(OUTCOME_CONNECT_TIMEOUT);
		rig_later(500);
	}
	assert_int_equal(rig.told[SWARM_EVENT_LOST], 15);
	assert_int_equal(rig_counts().book.tried_count, 1);
}

/* Whoever names a dead address over and over has us knock there no more often for it. */
static void a_dead_address_is_not_tried_each_time_it_is_named(void **state)
{
	static const uint8_t id[16] = { 7 };
	unsigned tries = 0;
	struct far *f;

	(void)state;
	begin("gossip", 8);
	f = rig_calls_as("10.1.1.1:4000", (struct far_kind){ .goal = SESSION_GOAL_STAY,
							     .node_id = slice_of(id, 16) });
	for (unsigned i = 0; i < 10 * 60 * 4; i++) {
		far_names_one(f, "10.0.0.5:5999", 0);
		rig_later(250);
		for (; rig.dials_count > 0; tries++)
			rig_fails(OUTCOME_REFUSED);
	}
	assert_true(f->open);
	assert_in_range(tries, 9, 10);
}

/* As of a machine whose clock was a day ahead until the network told better. */
static void checks_go_on_when_the_clock_is_set_back(void **state)
{
	unsigned checks = 0;

	(void)state;
	begin("gossip", 0);
	rig_knows("10.0.0.5:5999");
	rig_later(5000);
	rig_stands();
	swarm_clock(rig.swarm, rig_unix_s() - 24 * 3600, rig.now);
	for (unsigned s = 0; s < 10 * 60; s++) {
		rig_later(1000);
		for (; rig.dials_count > 0; checks++)
			rig_stands();
	}
	assert_in_range(checks, 4, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(who_was_given_is_dialled_first, end),
		cmocka_unit_test_teardown(and_again_with_longer_waits_when_nobody_is_known, end),
		cmocka_unit_test_teardown(a_forgotten_beginning_is_looked_for_where_checks_are_made,
					  end),
		cmocka_unit_test_teardown(the_wanted_number_is_kept, end),
		cmocka_unit_test_teardown(not_two_of_one_network_while_there_are_others, end),
		cmocka_unit_test_teardown(a_failure_makes_him_wait, end),
		cmocka_unit_test_teardown(never_ourselves, end),
		cmocka_unit_test_teardown(who_dials_himself_knows, end),
		cmocka_unit_test_teardown(a_hello_of_ourselves_makes_the_address_ours, end),
		cmocka_unit_test_teardown(feelers_go_to_hearsay_one_at_a_time, end),
		cmocka_unit_test_teardown(everybody_is_checked, end),
		cmocka_unit_test_teardown(a_dead_address_is_not_tried_each_time_it_is_named, end),
		cmocka_unit_test_teardown(checks_go_on_when_the_clock_is_set_back, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
