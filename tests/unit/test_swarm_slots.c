/* Who has a place: how many of one host, and who goes when all are taken. */
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

static void begin(uint32_t in_max, uint32_t host_max)
{
	rig_begin("bitcoin");
	rig.policy.in_max = in_max;
	rig.policy.host_max = host_max;
	rig.policy.out_wanted = 0;
	rig_start();
}

/* The a-th group, the b-th host of it. */
static struct far *calls_from(unsigned group, unsigned host)
{
	char text[32];

	snprintf(text, sizeof(text), "5.%u.1.%u:4000", group, host);
	return rig_calls(text);
}

static void of_one_host_so_many(void **state)
{
	static const struct {
		const char *name, *addresses[4];
		bool counts, last_is_in;
	} rows[] = {
		{ "IPv4: one address", { "5.6.7.8:1", "5.6.7.8:2", "5.6.7.8:3" }, false, false },
		{ "IPv4: a neighbour is another host",
		  { "5.6.7.8:1", "5.6.7.8:2", "5.6.7.9:3" },
		  false,
		  true },
		{ "IPv6: whoever has one address has its /64",
		  { "[2a01:1:2:3::1]:1", "[2a01:1:2:3::2]:1", "[2a01:1:2:3:4::5]:1" },
		  false,
		  false },
		{ "IPv6: another /64 is another host",
		  { "[2a01:1:2:3::1]:1", "[2a01:1:2:3::2]:1", "[2a01:1:2:4::1]:1" },
		  false,
		  true },
		{ "private addresses count",
		  { "10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3" },
		  false,
		  false },
		{ "loopback does not",
		  { "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3" },
		  false,
		  true },
		{ "nor IPv6's", { "[::1]:1", "[::1]:2", "[::1]:3" }, false, true },
		{ "unless it is said",
		  { "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3" },
		  true,
		  false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		begin(100, 2);
		swarm_free(rig.swarm);
		rig.config.loopback_counts = rows[i].counts;
		assert_int_equal(swarm_new(&rig.config, rig.now, &rig.swarm), ERR_OK);
		assert_non_null(rig_calls(rows[i].addresses[0]));
		assert_non_null(rig_calls(rows[i].addresses[1]));
		if ((rig_calls(rows[i].addresses[2]) != NULL) != rows[i].last_is_in)
			fail_msg("%s", rows[i].name);
		assert_int_equal(rig_counts().refused, !rows[i].last_is_in);
		rig_end();
	}
	begin(1, 1); /* for the teardown */
}

static void a_place_of_a_host_is_free_again(void **state)
{
	(void)state;
	begin(100, 1);
	for (unsigned i = 0; i < 5; i++) {
		struct far *f = rig_calls("5.6.7.8:1000");

		assert_non_null(f);
		assert_null(rig_calls("5.6.7.8:1001"));
		rig_hangs_up(f);
	}
	assert_int_equal(rig_counts().in, 0);
}

/* Ten places: four of group 1, the others each of their own, in the order of the rows. */
static void full_house(struct far *fars[10])
{
	static const unsigned groups[10] = { 1, 2, 3, 4, 5, 1, 1, 6, 1, 7 };

	begin(10, 100);
	for (unsigned i = 0; i < 10; i++) {
		fars[i] = calls_from(groups[i], i);
		assert_non_null(fars[i]);
		rig_later(10);
	}
}

static void the_youngest_of_the_largest_group_goes(void **state)
{
	struct far *fars[10];

	(void)state;
	full_house(fars);
	assert_non_null(calls_from(9, 1));
	assert_false(fars[8]->open);
	assert_non_null(calls_from(10, 1));
	assert_false(fars[6]->open);
	/* Two each of group 1 and of nobody else: the newcomer's would be as large. */
	assert_null(calls_from(2, 1));
	assert_int_equal(rig_counts().evicted, 2);
	assert_int_equal(rig_counts().in, 10);
	assert_int_equal(rig.told[SWARM_EVENT_DOWN], 2);
	assert_int_equal(rig.last_outcome, OUTCOME_CANCELLED);
}

static void who_is_of_the_largest_group_himself_is_refused(void **state)
{
	struct far *fars[10];

	(void)state;
	full_house(fars);
	assert_null(calls_from(1, 99));
	for (unsigned i = 0; i < 10; i++)
		assert_true(fars[i]->open);
}

static void the_older_half_stays(void **state)
{
	struct far *fars[10];

	(void)state;
	begin(10, 100);
	for (unsigned i = 0; i < 10; i++)
		fars[i] = calls_from(i < 5 ? 1 : 10 + i, i);
	/* Group 1 has five, all of them old. */
	assert_null(calls_from(99, 1));
	rig_hangs_up(fars[9]);
	fars[9] = calls_from(1, 77);
	assert_non_null(calls_from(99, 1)); /* the sixth is young */
	for (unsigned i = 0; i < 9; i++)
		assert_true(fars[i]->open);
	assert_false(fars[9]->open);
}

static void who_does_not_shake_hands_goes_first(void **state)
{
	struct far *mute;

	(void)state;
	begin(4, 100);
	calls_from(1, 1);
	mute = rig_stares("5.2.1.1:4000");
	calls_from(3, 1);
	calls_from(4, 1);
	assert_null(calls_from(5, 1)); /* it may still come */
	rig_later(3000);
	assert_non_null(calls_from(5, 1));
	assert_false(mute->open);
	assert_null(calls_from(6, 1));
}

/* The answer to our ping takes so long. */
static struct far *calls_from_afar(unsigned group, unsigned host, uint64_t rtt_ms)
{
	unsigned up = rig.told[SWARM_EVENT_UP];
	char text[32];
	struct far *f;

	snprintf(text, sizeof(text), "5.%u.1.%u:4000", group, host);
	f = rig_calls_as(text, (struct far_kind){ .goal = SESSION_GOAL_STAY, .held = true });
	assert_non_null(f);
	while (rig.told[SWARM_EVENT_UP] == up) {
		assert_true(far_passes(f));
		rig_run();
	}
	swarm_tick(rig.swarm, rig.now += rtt_ms);
	f->held = false;
	rig_run();
	return f;
}

/* 64 places: 48 old ones of their own groups, 16 young ones of one. What the last of them is
 * good at protects it, who would be the first to go. */
static void merits_protect(void **state)
{
	static const struct {
		const char *name;
		bool near, useful;
	} rows[] = {
		{ "the best ping", true, false },
		{ "an address that was new to us", false, true },
		{ "nothing", false, false },
	};

	(void)state;
	for (size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++) {
		struct far *fars[64], *last;

		begin(64, 100);
		for (unsigned i = 0; i < 64; i++) {
			uint64_t rtt = i < 63 ? 50 : rows[row].near ? 10 : 60;

			fars[i] = i < 48 ? calls_from_afar(100 + i, 1, rtt)
					 : calls_from_afar(1, i, rtt);
		}
		last = fars[63];
		if (rows[row].useful)
			far_names_one(last, "7.7.7.7:8333", 0);
		assert_non_null(calls_from(200, 1));
		if (last->open != (rows[row].near || rows[row].useful))
			fail_msg("%s", rows[row].name);
		assert_int_equal(rig_counts().evicted, 1);
		rig_end();
	}
	begin(1, 1); /* for the teardown */
}

/* All are of one group each, or all of one host: whoever knows nobody else gets in for a while. */
static void who_had_his_turn_makes_room(void **state)
{
	static const struct {
		const char *name;
		bool loopback;
	} rows[] = { { "all of their own groups", false }, { "all on loopback", true } };

	(void)state;
	for (size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++) {
		struct far *fars[10];
		char text[32];

		begin(10, 1);
		for (unsigned i = 0; i < 11; i++) {
			snprintf(text, sizeof(text), "%s.%u:4000",
				 rows[row].loopback ? "127.0.0" : "10.0.0",
				 rows[row].loopback ? 1 : i + 1);
			if (i < 10)
				fars[i] = rig_calls(text);
		}
		rig_later(9 * 1000);
		if (rig_calls(text) != NULL)
			fail_msg("%s: too early", rows[row].name);
		rig_later(1000);
		if (rig_calls(text) == NULL)
			fail_msg("%s: shut out", rows[row].name);
		assert_false(fars[9]->open);
		for (unsigned i = 0; i < 9; i++)
			assert_true(fars[i]->open);
		rig_end();
	}
	begin(1, 1); /* for the teardown */
}

/* A group that is more numerous than anybody's can't take turns with the others. */
static void turns_are_not_for_those_who_are_many(void **state)
{
	(void)state;
	begin(12, 100);
	for (unsigned i = 0; i < 12; i++)
		assert_non_null(calls_from(i < 3 ? 1 : 10 + i, i));
	rig_later(60 * 1000);
	assert_null(calls_from(1, 99));
	assert_non_null(calls_from(2, 1));
	assert_non_null(calls_from(2, 2));
	assert_null(calls_from(2, 3)); /* there are two of them: of nobody else as many */
}

/* 10,000 of them are to fit into a small machine. */
static void an_idle_connection_takes_four_kib_at_most(void **state)
{
	static const char *const names[] = { "bitcoin", "gossip" };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		size_t before;

		rig_begin(names[i]);
		rig.policy.in_max = 10000;
		rig_start();
		before = rig_counts().bytes;
		for (uint32_t k = 0; k < 10000; k++) {
			struct netaddr addr = netaddr_ipv4(0x05000000 + k * 256, 4000);

			assert_int_not_equal(swarm_accepted(rig.swarm, &addr, rig.now), SWARM_NONE);
		}
		rig_actions();
		assert_in_range((rig_counts().bytes - before) / 10000, 512, 4096);
		swarm_stop(rig.swarm, rig.now);
		rig_actions();
		/* What stays are the indexes, for the next time. */
		assert_in_range(rig_counts().bytes - before, 0, 10000 * 256);
		if (i == 0)
			rig_end();
	}
}

static void without_places_nobody_comes_in(void **state)
{
	(void)state;
	begin(0, 8);
	assert_null(rig_calls("5.6.7.8:1000"));
	assert_int_equal(rig_counts().refused, 1);
}

/* A flood from one network takes no place of anybody else's. */
static void a_flood_pushes_out_nobody_else(void **state)
{
	struct far *others[20];

	(void)state;
	begin(40, 1000);
	for (unsigned i = 0; i < 20; i++)
		others[i] = calls_from(100 + i, 1);
	for (unsigned i = 0; i < 400; i++) {
		char text[32];

		snprintf(text, sizeof(text), "6.6.%u.%u:4000", i / 200, i % 200 + 1);
		rig_stares(text);
		rig_later(20);
	}
	for (unsigned i = 0; i < 20; i++)
		assert_true(others[i]->open);
	assert_int_equal(rig_counts().in, 40);
	assert_non_null(calls_from(200, 1)); /* and keeps out nobody */
	for (unsigned i = 0; i < 20; i++)
		assert_true(others[i]->open);
}

/* As soon as one connection is gone. */
static void close_all(void *ctx, const struct swarm_event *event)
{
	struct swarm_peer peer;
	uint32_t at = 0;

	rig_on_event(ctx, event);
	while (event->kind == SWARM_EVENT_DOWN &&
	       (at = swarm_look(rig.swarm, at, &peer)) != SWARM_NONE)
		swarm_close(rig.swarm, peer.id, "so we like it", rig.now);
}

static struct far *calls_with_id(const char *from, uint8_t id)
{
	const uint8_t node_id[16] = { id };

	return rig_calls_as(from, (struct far_kind){ .goal = SESSION_GOAL_STAY,
						     .node_id = slice_of(node_id, 16) });
}

/* The first of two connections to one node is given up, and whoever is told of that closes the
 * other one: nothing of them is left behind for who gets its slot. */
static void an_event_may_close_the_second_of_two(void **state)
{
	static const uint8_t id[16] = { 1 }; /* smaller than ours: its call stays */
	struct netaddr addr = at("10.0.0.5:5999");

	(void)state;
	rig_begin("gossip");
	rig.config.allow_private = true;
	rig.config.on_event = close_all;
	rig_start();
	swarm_bootstrap(rig.swarm, &addr);
	rig_later(100);
	rig_stands_as((struct far_kind){ .node_id = slice_of(id, 16) });
	calls_with_id("10.0.0.5:4000", 1);
	assert_int_equal(rig.told[SWARM_EVENT_DOWN], 2);
	assert_int_equal(rig_counts().up, 0);
	for (uint8_t i = 0; i < 2; i++) /* in the slots of those two */
		assert_true(calls_with_id("10.0.0.6:4000", (uint8_t)(2 + i))->open);
	assert_true(calls_with_id("10.0.0.7:4000", 1)->open);
	assert_int_equal(rig_counts().up, 3);
	rig_later(10 * 60 * 1000);
	assert_true(rig.dialled > 1); /* the address is nobody's now */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(of_one_host_so_many, end),
		cmocka_unit_test_teardown(a_place_of_a_host_is_free_again, end),
		cmocka_unit_test_teardown(the_youngest_of_the_largest_group_goes, end),
		cmocka_unit_test_teardown(who_is_of_the_largest_group_himself_is_refused, end),
		cmocka_unit_test_teardown(the_older_half_stays, end),
		cmocka_unit_test_teardown(who_does_not_shake_hands_goes_first, end),
		cmocka_unit_test_teardown(merits_protect, end),
		cmocka_unit_test_teardown(who_had_his_turn_makes_room, end),
		cmocka_unit_test_teardown(turns_are_not_for_those_who_are_many, end),
		cmocka_unit_test_teardown(an_idle_connection_takes_four_kib_at_most, end),
		cmocka_unit_test_teardown(without_places_nobody_comes_in, end),
		cmocka_unit_test_teardown(a_flood_pushes_out_nobody_else, end),
		cmocka_unit_test_teardown(an_event_may_close_the_second_of_two, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
