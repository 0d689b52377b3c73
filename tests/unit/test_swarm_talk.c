/* What a swarm takes from its peers and tells them. */
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

static void begin(const char *network)
{
	rig_begin(network);
	rig.policy.out_wanted = 8;
	rig.config.session.listen_port = 8333;
	rig_start();
}

static void own(const char *text)
{
	struct netaddr addr = at(text);

	swarm_own(rig.swarm, &addr);
}

static bool knows(const char *text)
{
	struct netaddr addr = at(text);

	return book_find(rig.book, &addr, NULL);
}

/* The a-th peer calls, each from a network of its own. */
static struct far *caller(unsigned i)
{
	char text[32];

	snprintf(text, sizeof(text), "9.%u.1.1:4000", i);
	return rig_calls(text);
}

/* --- who we are --- */

static void where_we_are_is_said_to_all_as_it_fits(void **state)
{
	static const struct {
		const char *name, *peer, *told;
	} rows[] = {
		{ "IPv4 to IPv4", "6.6.6.6:4000", "5.5.5.5:8333" },
		{ "IPv6 to IPv6", "[2a01::6]:4000", "[2a01::5]:8333" },
		{ "a private one in the house", "10.0.0.6:4000", "10.0.0.5:8333" },
		{ "loopback stays here", "127.0.0.1:4000", "127.0.0.1:8333" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct far *f;

		begin("bitcoin");
		own("127.0.0.1:8333");
		own("10.0.0.5:8333");
		own("[2a01::5]:8333");
		own("5.5.5.5:8333");
		own("0.0.0.0:8333");
		f = rig_calls(rows[i].peer);
		if (f->named != 1 || f->lists != 1 || !far_was_told(f, rows[i].told))
			fail_msg("%s", rows[i].name);
		assert_int_equal(f->told[0].services, 0);
		assert_in_range(f->told[0].last_seen_s, rig_unix_s() - 1, rig_unix_s());
		rig_end();
	}
	begin("bitcoin"); /* for the teardown */
}

static void it_is_said_again_after_a_day(void **state)
{
	struct far *f;

	(void)state;
	begin("bitcoin");
	own("5.5.5.5:8333");
	f = caller(1);
	assert_int_equal(f->named, 1);
	rig_later(12 * 3600 * 1000 - 1000);
	assert_int_equal(f->named, 1);
	rig_later(24 * 3600 * 1000 + 2000);
	assert_in_range(f->named, 2, 3);
}

static void without_an_address_nothing_is_said(void **state)
{
	(void)state;
	begin("bitcoin");
	own("10.0.0.5:8333"); /* nobody outside is to know */
	assert_int_equal(caller(1)->lists, 0);
}

static void the_wall_clock_may_be_set(void **state)
{
	static const int64_t rows[][2] = { { 0, 0 }, { 2, 0 },           { -2, 0 },
					   { 3, 3 }, { -86400, -86400 }, { 1000000, 1000000 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		begin("bitcoin");
		own("5.5.5.5:8333");
		rig_later(3600 * 1000);
		swarm_clock(rig.swarm, rig_unix_s() + rows[i][0], rig.now);
		assert_int_equal(caller(1)->told[0].last_seen_s, rig_unix_s() + rows[i][1]);
		rig_end();
	}
	begin("bitcoin"); /* for the teardown */
}

static struct far *dialled_sees(unsigned network, const char *seen)
{
	char text[32];

	snprintf(text, sizeof(text), "6.%u.1.%u:8333", network, rig.fars_count + 1);
	rig_knows(text);
	while (rig.dials_count == 0)
		rig_later(100);
	return rig_stands_as((struct far_kind){ .sees_us_as = at(seen) });
}

static const struct {
	const char *name;
	unsigned networks[4];
	const char *seen[4];
	bool called, believed;
} voices[] = {
	{ "four of four",
	  { 1, 2, 3, 4 },
	  { "5.5.5.5:1", "5.5.5.5:2", "5.5.5.5:3", "5.5.5.5:4" },
	  false,
	  true },
	{ "one network has one voice",
	  { 1, 1, 2, 3 },
	  { "5.5.5.5:1", "5.5.5.5:2", "5.5.5.5:3", "5.5.5.5:4" },
	  false,
	  false },
	{ "three of four",
	  { 1, 2, 3, 4 },
	  { "5.5.5.5:1", "5.5.5.5:2", "5.5.5.5:3", "5.5.5.6:4" },
	  false,
	  false },
	{ "nobody chooses to have a voice",
	  { 1, 2, 3, 4 },
	  { "5.5.5.5:1", "5.5.5.5:2", "5.5.5.5:3", "5.5.5.5:4" },
	  true,
	  false },
	{ "a private address is none of ours",
	  { 1, 2, 3, 4 },
	  { "10.5.5.5:1", "10.5.5.5:2", "10.5.5.5:3", "10.5.5.5:4" },
	  false,
	  false },
};

static void four_networks_that_see_us_alike_are_believed(void **state)
{
	(void)state;
	for (size_t row = 0; row < sizeof(voices) / sizeof(*voices); row++) {
		struct netaddr self = at("5.5.5.5:8333");
		struct far *first = NULL;

		begin("bitcoin");
		for (unsigned i = 0; i < 4; i++) {
			char text[32];
			struct far *f;

			snprintf(text, sizeof(text), "6.%u.1.1:8333", voices[row].networks[i]);
			f = voices[row].called
				    ? rig_calls_as(text,
						   (struct far_kind){
							   .goal = SESSION_GOAL_STAY,
							   .sees_us_as = at(voices[row].seen[i]) })
				    : dialled_sees(voices[row].networks[i], voices[row].seen[i]);
			first = first != NULL ? first : f;
		}
		if (rig.told[SWARM_EVENT_SELF] != voices[row].believed)
			fail_msg("%s", voices[row].name);
		if (voices[row].believed) {
			/* With the port where we listen; said to all, and never dialled. */
			assert_true(netaddr_equal(&rig.last_addr, &self));
			rig_later(60 * 1000);
			assert_true(far_was_told(first, "5.5.5.5:8333"));
			assert_false(book_add(rig.book, &(struct advert){ .addr = self }, &self,
					      rig_unix_s()));
		}
		rig_end();
	}
	begin("bitcoin"); /* for the teardown */
}

/* --- who is known --- */

static void know_many(unsigned from, unsigned to)
{
	char text[32];

	for (unsigned i = from; i < to; i++) {
		snprintf(text, sizeof(text), "7.%u.%u.1:8333", i / 200, i % 200);
		rig_knows(text);
	}
}

static bool same_told(const struct far *a, const struct far *b)
{
	if (a->named != b->named)
		return false;
	for (uint32_t i = 0; i < a->named; i++)
		if (!netaddr_equal(&a->told[i].addr, &b->told[i].addr))
			return false;
	return true;
}

static void bitcoins_answer_is_a_share_and_the_same_for_a_day(void **state)
{
	struct far *first, *again, *other, *later;
	struct netaddr addr;

	(void)state;
	begin("bitcoin");
	rig.policy.out_wanted = 0;
	swarm_free(rig.swarm);
	assert_int_equal(swarm_new(&rig.config, rig.now, &rig.swarm), ERR_OK);
	know_many(0, 1000);
	first = caller(1);
	assert_int_equal(first->named, 230);
	assert_int_equal(first->lists, 1);
	know_many(1000, 1200);
	again = caller(2);
	assert_true(same_told(first, again));
	other = rig_calls("[2a01::1]:4000"); /* another kind of network: another answer */
	assert_false(same_told(first, other));
	rig_later(20 * 3600 * 1000);
	assert_true(same_told(first, caller(3)));
	for (unsigned i = 0; i < 1200; i++) { /* still heard of */
		char text[32];

		snprintf(text, sizeof(text), "7.%u.%u.1:8333", i / 200, i % 200);
		addr = at(text);
		book_add(rig.book, &(struct advert){ .addr = addr, .last_seen_s = rig_unix_s() },
			 &addr, rig_unix_s());
	}
	rig_later(8 * 3600 * 1000);
	later = caller(4);
	assert_int_equal(later->named, 276);
	assert_false(same_told(first, later));
	assert_int_equal(rig_counts().answered, 5);
}

/* Who asks first, when hardly anybody is known, doesn't make the answer of a whole day. */
static void an_early_answer_is_made_anew(void **state)
{
	struct far *later;

	(void)state;
	begin("bitcoin");
	rig.policy.out_wanted = 0;
	swarm_free(rig.swarm);
	assert_int_equal(swarm_new(&rig.config, rig.now, &rig.swarm), ERR_OK);
	assert_int_equal(caller(1)->named, 0);
	know_many(0, 100);
	later = caller(2);
	assert_int_equal(later->named, 23);
	know_many(100, 200); /* twice as many: not more than that */
	assert_true(same_told(later, caller(3)));
	know_many(200, 201);
	assert_int_equal(caller(4)->named, 47);
}

static void a_thousand_is_the_most(void **state)
{
	struct far *f;

	(void)state;
	rig_begin("bitcoin");
	rig.policy.out_wanted = 0;
	rig.policy.answer_percent = 100;
	rig_start();
	know_many(0, 3000);
	f = caller(1);
	assert_int_equal(f->lists, 1);
	assert_int_equal(f->named, 1000);
}

/* Gossip: whoever answered a ping in the last 240 s, and takes connections. */
static void gossip_tells_of_whom_it_vouches_for(void **state)
{
	static const uint8_t ids[4][16] = { { 1 }, { 2 }, { 3 }, { 4 } };
	struct netaddr place = at("6.6.6.6:5999");
	struct far *listens, *hidden, *asks, *answers = NULL;

	(void)state;
	begin("gossip");
	know_many(0, 10); /* hearsay */
	listens = rig_calls_as("6.6.6.6:4000", (struct far_kind){ .goal = SESSION_GOAL_STAY,
								  .node_id = slice_of(ids[0], 16),
								  .listen_port = 5999 });
	hidden = rig_calls_as("6.7.7.7:4000", (struct far_kind){ .goal = SESSION_GOAL_STAY,
								 .node_id = slice_of(ids[1], 16) });
	asks = rig_calls_as("6.8.8.8:4000", (struct far_kind){ .goal = SESSION_GOAL_STAY,
							       .node_id = slice_of(ids[2], 16) });
	rig_later(10);
	assert_int_equal(asks->named, 1);
	assert_true(far_was_told(asks, "6.6.6.6:5999"));
	/* Gone, it has only claimed that port, until it answers there itself. */
	rig_hangs_up(listens);
	rig_hangs_up(asks);
	asks = rig_calls_as("6.8.8.8:4000", (struct far_kind){ .goal = SESSION_GOAL_STAY,
							       .node_id = slice_of(ids[2], 16) });
	rig_later(10);
	assert_int_equal(asks->lists, 0);
	rig_hangs_up(asks);
	while (answers == NULL) {
		rig_later(1000);
		while (rig.dials_count > 0 && answers == NULL) {
			if (netaddr_equal(&rig.dials[0].addr, &place))
				answers = rig_stands();
			else
				rig_fails(OUTCOME_REFUSED);
		}
	}
	rig_later(1000);
	asks = rig_calls_as("6.8.8.8:4000", (struct far_kind){ .goal = SESSION_GOAL_STAY,
							       .node_id = slice_of(ids[2], 16) });
	rig_later(10);
	assert_int_equal(asks->named, 1);
	assert_true(far_was_told(asks, "6.6.6.6:5999"));
	rig_hangs_up(asks);
	rig_hangs_up(answers);
	rig_later(241 * 1000);
	asks = rig_calls_as("6.8.8.8:4000", (struct far_kind){ .goal = SESSION_GOAL_STAY,
							       .node_id = slice_of(ids[3], 16) });
	rig_later(10);
	assert_int_equal(asks->lists, 0); /* an empty answer: no adverts */
	assert_true(hidden->open);
}

static void nobody_is_told_or_believed_of_what_is_nearer_to_us(void **state)
{
	static const struct {
		const char *name, *by, *named;
		bool taken;
	} rows[] = {
		{ "public of public", "6.6.6.6:4000", "7.7.7.7:8333", true },
		{ "public of private", "6.6.6.6:4000", "10.7.7.7:8333", false },
		{ "public of loopback", "6.6.6.6:4000", "127.0.0.1:22", false },
		{ "private of loopback", "10.6.6.6:4000", "127.0.0.1:22", false },
		{ "private of private", "10.6.6.6:4000", "10.7.7.7:8333", true },
		{ "loopback of everybody", "127.0.0.1:4000", "10.7.7.7:8333", true },
		{ "and of itself", "127.0.0.1:4000", "127.0.0.1:8444", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct far *asks;

		rig_begin("bitcoin");
		rig.config.allow_private = true;
		rig.policy.answer_percent = 100;
		rig.policy.answer_cache_ms = 0;
		rig.policy.out_wanted = 0;
		rig_start();
		far_names_one(rig_calls(rows[i].by), rows[i].named, 3600);
		if (knows(rows[i].named) != rows[i].taken)
			fail_msg("taken: %s", rows[i].name);
		if (!rows[i].taken)
			rig_knows(rows[i].named);
		asks = rig_calls(rows[i].by);
		if (far_was_told(asks, rows[i].named) != rows[i].taken)
			fail_msg("told: %s", rows[i].name);
		rig_end();
	}
	begin("bitcoin"); /* for the teardown */
}

/* --- what is passed on --- */

static unsigned told_of(struct far *const *fars, unsigned count, const char *text)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		n += far_was_told(fars[i], text);
	return n;
}

static void bitcoin_passes_on_what_is_fresh_to_two(void **state)
{
	struct far *fars[20];
	struct advert many[11];
	unsigned told;

	(void)state;
	rig_begin("bitcoin");
	rig.policy.out_wanted = 0;
	rig.policy.take_first = 100;
	rig_start();
	for (unsigned i = 0; i < 20; i++)
		fars[i] = caller(i);
	far_names_one(fars[0], "7.7.7.7:8333", 60);
	assert_int_equal(told_of(fars, 20, "7.7.7.7:8333"), 0); /* in a second, with others */
	rig_later(1000);
	assert_int_equal(told_of(fars, 20, "7.7.7.7:8333"), 2);
	assert_false(far_was_told(fars[0], "7.7.7.7:8333"));
	assert_int_equal(rig_counts().relayed, 2);
	for (unsigned i = 1; i < 10; i++) /* others say it again */
		far_names_one(fars[i], "7.7.7.7:8333", 30);
	rig_later(1000);
	assert_int_equal(rig_counts().relayed, 2);
	far_names_one(fars[0], "7.7.7.8:8333", 11 * 60);
	rig_later(1000);
	assert_int_equal(told_of(fars, 20, "7.7.7.8:8333"), 0); /* stale */
	for (unsigned i = 0; i < 11; i++)
		many[i] = (struct advert){ .addr = netaddr_ipv4(0x08080801 + i, 8333),
					   .last_seen_s = rig_unix_s() };
	far_names(fars[0], many, 11);
	rig_later(1000);
	told = told_of(fars, 20, "8.8.8.1:8333");
	assert_int_equal(told, 0); /* an answer, not news */
	far_names(fars[0], many, 10);
	rig_later(1000);
	assert_int_equal(told_of(fars, 20, "8.8.8.1:8333"), 2);
}

static void who_passes_on_nothing_tells_nothing(void **state)
{
	struct far *fars[3];

	(void)state;
	rig_begin("bitcoin");
	rig.policy.out_wanted = 0;
	rig.config.relay_nothing = true;
	rig_start();
	for (unsigned i = 0; i < 3; i++)
		fars[i] = caller(i);
	far_names_one(fars[0], "7.7.7.7:8333", 60);
	rig_later(5000);
	assert_int_equal(told_of(fars, 3, "7.7.7.7:8333"), 0);
	assert_true(knows("7.7.7.7:8333"));
}

static void gossip_tells_all_of_a_newcomer_at_once(void **state)
{
	uint8_t ids[12][16];
	struct far *fars[12];
	char text[32];

	(void)state;
	rig_begin("gossip");
	rig.policy.out_wanted = 0;
	rig.policy.check_ms = 0;
	rig_start();
	for (unsigned i = 0; i < 10; i++) {
		memset(ids[i], (int)i + 1, 16);
		snprintf(text, sizeof(text), "9.%u.1.1:4000", i);
		fars[i] = rig_calls_as(text, (struct far_kind){ .goal = SESSION_GOAL_STAY,
								.node_id = slice_of(ids[i], 16) });
	}
	memset(ids[10], 99, 16);
	fars[10] =
		rig_calls_as("9.99.1.1:4000", (struct far_kind){ .goal = SESSION_GOAL_STAY,
								 .node_id = slice_of(ids[10], 16),
								 .listen_port = 5999 });
	rig_later(1010);
	assert_int_equal(told_of(fars, 10, "9.99.1.1:5999"), 10);
	assert_false(far_was_told(fars[10], "9.99.1.1:5999"));
	assert_int_equal(rig_counts().relayed, 10);
	rig_later(120 * 1000); /* it goes on answering: that is no news */
	assert_int_equal(rig_counts().relayed, 10);
	far_names_one(fars[0], "7.7.7.7:5999", 0); /* hearsay is none, either */
	rig_later(2000);
	assert_int_equal(rig_counts().relayed, 10);
	assert_true(knows("7.7.7.7:5999"));
}

/* --- what is too much --- */

static void so_many_addresses_are_taken(void **state)
{
	static struct advert many[1000];
	struct far *caller_far, *asked;

	(void)state;
	rig_begin("bitcoin");
	rig.policy.out_wanted = 1;
	rig.policy.take_burst = 50;
	rig.policy.take_per_10s = 10;
	rig_start();
	for (unsigned i = 0; i < 1000; i++)
		many[i] = (struct advert){ .addr = netaddr_ipv4(0x08010101 + i * 0x100, 8333),
					   .last_seen_s = rig_unix_s() - 3600 };
	caller_far = caller(1);
	far_names(caller_far, many, 1000);
	assert_int_equal(rig_counts().named, 1); /* Core's: his own */
	rig_later(30 * 1000);
	far_names(caller_far, many, 1000);
	assert_int_equal(rig_counts().named, 31);
	rig_later(3600 * 1000); /* patience saves up no more than the burst */
	far_names(caller_far, many, 1000);
	assert_int_equal(rig_counts().named, 81);
	while (rig.dials_count == 0)
		rig_later(1000);
	asked = rig_stands(); /* was asked, and may say more */
	far_names(asked, many, 1000);
	far_names(asked, many, 1000);
	assert_int_equal(rig_counts().named, 81 + 1000 + 1);
	assert_true(asked->open && caller_far->open);
}

static void too_many_messages_end_it(void **state)
{
	struct far *f, *other;
	static uint8_t bytes[SWARM_SEND_MIN];
	struct advert one = { .addr = at("7.7.7.7:8333") };
	size_t n;

	(void)state;
	rig_begin("bitcoin");
	rig.policy.out_wanted = 0;
	rig.policy.messages_burst = 100;
	rig.policy.messages_per_s = 10;
	rig_start();
	f = caller(1);
	other = caller(2);
	n = rig_proto()->answer(f->session, &one, 1, bytes, sizeof(bytes));
	for (unsigned second = 0; second < 60; second++) { /* as fast as it may */
		for (unsigned i = 0; i < 9; i++)
			rig_say(f, slice_of(bytes, n));
		rig_later(1000);
	}
	assert_true(f->open);
	for (unsigned i = 0; i < 200 && f->open; i++)
		rig_say(f, slice_of(bytes, n));
	assert_false(f->open);
	assert_int_equal(rig.last_outcome, OUTCOME_TOO_BIG);
	assert_true(other->open);
}

/* Whoever doesn't read our answers isn't heard, and costs nothing. */
static void a_slow_reader_waits(void **state)
{
	static uint8_t bytes[SWARM_SEND_MIN];
	struct advert one = { .addr = at("7.7.7.7:8333"), .services = 1 };
	struct far *f;
	size_t n, before;

	(void)state;
	rig_begin("bitcoin");
	rig.policy.out_wanted = 0;
	rig_start();
	f = caller(1);
	know_many(0, 1000);
	before = rig_counts().bytes;
	n = rig_proto()->answer(f->session, &one, 1, bytes, sizeof(bytes));
	rig.deaf = true;
	assert_int_equal(rig_say(f, slice_of(bytes, n)), n);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(swarm_recv(rig.swarm, f->id, slice_of(bytes, n), rig.now), 0);
	assert_int_equal(rig_counts().bytes, before);
	rig.deaf = false;
	far_reads(f);
	assert_int_equal(rig_say(f, slice_of(bytes, n)), n);
}

static void what_the_caller_says_waits_in_order_and_within_bounds(void **state)
{
	static const uint8_t junk[SWARM_SAY_MAX];
	struct far *f;
	uint32_t id;

	(void)state;
	begin("bitcoin");
	f = caller(1);
	id = f->id;
	rig.deaf = true;
	assert_true(swarm_say(rig.swarm, id, slice_of("one ", 4)));
	assert_true(swarm_say(rig.swarm, id, slice_of("two", 3)));
	assert_false(swarm_say(rig.swarm, id, slice_of(junk, SWARM_SAY_MAX - 6)));
	assert_true(swarm_say(rig.swarm, id, slice_of(junk, SWARM_SAY_MAX - 7)));
	assert_false(swarm_say(rig.swarm, id, slice_of(junk, 1)));
	assert_int_equal(swarm_send(rig.swarm, id, rig.out, sizeof(rig.out), rig.now),
			 SWARM_SAY_MAX);
	assert_memory_equal(rig.out, "one two", 7);
	assert_true(swarm_say(rig.swarm, id, slice_of(junk, 1)));
	assert_false(swarm_say(rig.swarm, id + 1, slice_of(junk, 1)));
	swarm_close(rig.swarm, id, "test", rig.now);
	assert_false(swarm_say(rig.swarm, id, slice_of(junk, 1)));
	assert_string_equal(rig.last_why, "test");
	rig_actions();
	assert_false(f->open);
}

/* --- ids --- */

static void of_two_connections_to_one_the_smaller_ids_call_stays(void **state)
{
	static const struct {
		const char *name, *calls_from;
		bool theirs_is_smaller, call_stays, first_call;
	} rows[] = {
		{ "ours is smaller: what we dialled stays", "6.6.6.6:4000", false, false, false },
		{ "theirs is smaller: what they dialled stays", "6.6.6.6:4000", true, true, false },
		{ "the same if they called first", "6.6.6.6:4000", true, true, true },
		{ "and if they called first, and ours is smaller", "6.6.6.6:4000", false, false,
		  true },
		{ "another host can't push out what we dialled", "7.7.7.7:4000", true, false,
		  false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct far_kind kind = { .goal = SESSION_GOAL_STAY };
		struct netaddr boot = at("6.6.6.6:5999");
		struct far *call = NULL, *dialled;
		struct book_entry entry;
		uint8_t id[16];

		memset(id, rows[i].theirs_is_smaller ? 0x11 : 0x99, sizeof(id));
		kind.node_id = slice_of(id, sizeof(id));
		begin("gossip");
		swarm_bootstrap(rig.swarm, &boot);
		rig_later(1000);
		if (rows[i].first_call)
			call = rig_calls_as(rows[i].calls_from, kind);
		dialled = rig_stands_as(kind);
		if (!rows[i].first_call)
			call = rig_calls_as(rows[i].calls_from, kind);
		if (call->open != rows[i].call_stays || dialled->open == rows[i].call_stays)
			fail_msg("%s", rows[i].name);
		assert_int_equal(rig_counts().up, 1);
		rig_later(60 * 1000);
		assert_int_equal(rig_counts().up, 1);
		/* Its hello has no port, but we have dialled it: whichever stays, its pongs are a
		 * sign of life of that address. */
		assert_true(book_find(rig.book, &boot, &entry));
		if (entry.good_s < rig_unix_s() - 30)
			fail_msg("%s: %d s", rows[i].name, (int)(rig_unix_s() - entry.good_s));
		rig_end();
	}
	begin("bitcoin"); /* for the teardown */
}

/* Others' checks come and go: whoever calls has to do something that they don't. */
static void a_caller_is_told_of_when_he_stays(void **state)
{
	static const struct {
		const char *name;
		uint32_t pings;   /* it sends, an hour apart, and leaves; 0: it stays, and asks */
		const char *says; /* after the hand-shake */
		uint64_t waits_ms;
		bool told;
	} rows[] = {
		{ "a check", 1, NULL, 0, false },
		{ "a peer asks", 0, NULL, 10, true },
		{ "one who only listens, at first", 2, NULL, 1900, false },
		{ "one who only listens, later", 2, NULL, 2000, true },
		{ "one that pings", 2, "{\"msgtype\":\"ping\"}\n", 0, false },
		{ "one that announces somebody", 2,
		  "{\"msgtype\":\"addr\",\"peers\":[\"6.6.6.6:5999\"]}\n", 0, true },
		{ "one with a message of its own", 2, "{\"msgtype\":\"news\"}\n", 0, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t id[16] = { 7 };
		struct far *f;

		begin("gossip");
		f = rig_calls_as("9.9.9.9:4000",
				 (struct far_kind){ .goal = rows[i].pings > 0 ? SESSION_GOAL_PING
									      : SESSION_GOAL_STAY,
						    .pings = rows[i].pings,
						    .node_id = slice_of(id, 16) });
		if (rows[i].says != NULL)
			rig_say(f, slice_text(rows[i].says));
		if (rows[i].waits_ms > 0)
			rig_later(rows[i].waits_ms);
		if (rig.told[SWARM_EVENT_UP] != rows[i].told)
			fail_msg("%s", rows[i].name);
		if (f->open)
			rig_hangs_up(f);
		assert_int_equal(rig.told[SWARM_EVENT_DOWN], 1);
		assert_int_equal(rig.last_was_up, rows[i].told);
		rig_end();
	}
	begin("bitcoin"); /* for the teardown */
}

static void leaving_takes_leave_of_all(void **state)
{
	struct far *fars[5];

	(void)state;
	begin("bitcoin");
	for (unsigned i = 0; i < 5; i++)
		fars[i] = caller(i);
	know_many(0, 5);
	rig_later(1000);
	assert_true(rig_counts().dialling > 0);
	swarm_stop(rig.swarm, rig.now);
	rig_actions();
	for (unsigned i = 0; i < 5; i++)
		assert_false(fars[i]->open);
	assert_null(caller(9));
	rig_later(3600 * 1000);
	assert_int_equal(rig_counts().in + rig_counts().out + rig_counts().dialling, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(where_we_are_is_said_to_all_as_it_fits, end),
		cmocka_unit_test_teardown(it_is_said_again_after_a_day, end),
		cmocka_unit_test_teardown(the_wall_clock_may_be_set, end),
		cmocka_unit_test_teardown(without_an_address_nothing_is_said, end),
		cmocka_unit_test_teardown(four_networks_that_see_us_alike_are_believed, end),
		cmocka_unit_test_teardown(bitcoins_answer_is_a_share_and_the_same_for_a_day, end),
		cmocka_unit_test_teardown(an_early_answer_is_made_anew, end),
		cmocka_unit_test_teardown(a_thousand_is_the_most, end),
		cmocka_unit_test_teardown(gossip_tells_of_whom_it_vouches_for, end),
		cmocka_unit_test_teardown(nobody_is_told_or_believed_of_what_is_nearer_to_us, end),
		cmocka_unit_test_teardown(bitcoin_passes_on_what_is_fresh_to_two, end),
		cmocka_unit_test_teardown(who_passes_on_nothing_tells_nothing, end),
		cmocka_unit_test_teardown(gossip_tells_all_of_a_newcomer_at_once, end),
		cmocka_unit_test_teardown(so_many_addresses_are_taken, end),
		cmocka_unit_test_teardown(too_many_messages_end_it, end),
		cmocka_unit_test_teardown(a_slow_reader_waits, end),
		cmocka_unit_test_teardown(what_the_caller_says_waits_in_order_and_within_bounds,
					  end),
		cmocka_unit_test_teardown(of_two_connections_to_one_the_smaller_ids_call_stays,
					  end),
		cmocka_unit_test_teardown(a_caller_is_told_of_when_he_stays, end),
		cmocka_unit_test_teardown(leaving_takes_leave_of_all, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
