#include "engine/book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	NOW = 1700000000,
	DAY = 24 * 3600,
	KNOWN_S = 30 * DAY,
};

static const struct book_config small = {
	.new_max = 1024,
	.tried_max = 256,
	.source_max = 64,
	.group_max = 32,
	.known_s = KNOWN_S,
	.seed = 42,
};

static struct book *make(const struct book_config *config)
{
	struct book *b;

	assert_int_equal(book_new(config, &b), ERR_OK);
	return b;
}

static struct netaddr parse(const char *text)
{
	struct netaddr a;

	assert_int_equal(netaddr_parse(slice_text(text), 8333, &a), ERR_OK);
	return a;
}

/* The i-th of many: each group of 65,536 begins with another two bytes, all routable. */
static struct netaddr nth(uint32_t group, uint32_t i)
{
	return netaddr_ipv4(0x30000000 + (group << 16) + i, 8333);
}

static uint32_t group_of(const struct netaddr *addr)
{
	return addr->bytes[1] + 256U * (addr->bytes[0] - 0x30U);
}

static bool named(struct book *b, struct netaddr addr, struct netaddr source, int64_t seen_s,
		  int64_t now_s)
{
	const struct advert peer = { .addr = addr, .services = 1, .last_seen_s = seen_s };

	return book_add(b, &peer, &source, now_s);
}

static void reach(struct book *b, struct netaddr addr, int64_t now_s)
{
	book_asked(b, &addr, now_s);
	book_reached(b, &addr, 9, now_s);
}

static void miss(struct book *b, struct netaddr addr, int64_t now_s)
{
	book_asked(b, &addr, now_s);
	book_failed(b, &addr, now_s);
}

static struct book_counts counts(const struct book *b)
{
	struct book_counts c;

	book_counts(b, &c);
	return c;
}

/* --- what is taken --- */

static void it_takes_what_can_be_a_peers(void **state)
{
	static const struct {
		const char *name, *addr;
		bool public, private;
	} rows[] = {
		{ "ipv4", "8.8.8.8", true, true },
		{ "ipv6", "[2a00::1]:8333", true, true },
		{ "tor", "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333",
		  true, true },
		{ "loopback", "127.0.0.1", false, true },
		{ "private", "192.168.3.4", false, true },
		{ "unspecified", "0.0.0.0", false, false },
		{ "multicast", "224.0.0.1", false, false },
		{ "no port", "8.8.8.8:0", false, false },
	};
	struct book_config config = small;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (int private = 0; private < 2; private ++) {
			struct netaddr a = parse(rows[i].addr);
			struct book *b;

			print_message("%s, private %d\n", rows[i].name, private);
			config.allow_private = private;
			b = make(&config);
			assert_int_equal(named(b, a, a, 0, NOW),
					 private ? rows[i].private : rows[i].public);
			assert_int_equal(book_find(b, &a, NULL), counts(b).new_count);
			book_free(b);
		}
	}
}

static void claims_about_the_time_are_believed_as_far_as_they_can_be_true(void **state)
{
	static const struct {
		const char *name;
		int64_t claim, expected; /* -1: not taken */
	} rows[] = {
		{ "none", 0, NOW },
		{ "an hour ago", NOW - 3600, NOW - 3600 },
		{ "a clock a little ahead", NOW + 600, NOW },
		{ "the future", NOW + 601, NOW - 5 * DAY },
		{ "far beyond 32 bits", INT64_MAX, NOW - 5 * DAY },
		{ "before 1970", -5, NOW - 5 * DAY },
		{ "before there was any such network", 99999999, NOW - 5 * DAY },
		{ "nearly too old", NOW - KNOWN_S, NOW - KNOWN_S },
		{ "too old", NOW - KNOWN_S - 1, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct book *b = make(&small);
		struct book_entry e;
		bool taken = named(b, nth(0, 1), nth(1, 1), rows[i].claim, NOW);

		print_message("%s\n", rows[i].name);
		assert_int_equal(taken, rows[i].expected >= 0);
		if (taken) {
			struct netaddr a = nth(0, 1);

			assert_true(book_find(b, &a, &e));
			assert_int_equal(e.named_s, rows[i].expected);
		}
		book_free(b);
	}
}

static void being_named_again_makes_younger_never_older(void **state)
{
	struct book *b = make(&small);
	struct netaddr a = nth(0, 1);
	struct book_entry e;
	bool gone;

	(void)state;
	assert_true(named(b, a, nth(1, 1), NOW - 2 * DAY, NOW));
	assert_true(book_changed(b, &e, &gone));
	assert_false(named(b, a, nth(2, 1), NOW - 3 * DAY, NOW));
	assert_false(book_changed(b, &e, &gone));
	assert_false(named(b, a, nth(2, 1), NOW - 2 * DAY + 60, NOW)); /* not worth a write */
	assert_false(book_changed(b, &e, &gone));
	assert_false(named(b, a, nth(2, 1), NOW - DAY, NOW));
	assert_true(book_changed(b, &e, &gone));
	assert_int_equal(e.named_s, NOW - DAY);
	assert_int_equal(e.source.bytes[1], 1);
	book_free(b);
}

static void our_own_addresses_stay_out(void **state)
{
	struct book *b = make(&small);
	struct netaddr a = nth(0, 1);
	struct book_entry e = { .addr = a, .named_s = NOW };

	(void)state;
	assert_true(named(b, a, a, 0, NOW));
	book_own(b, &a);
	assert_false(book_find(b, &a, NULL));
	assert_false(named(b, a, a, 0, NOW));
	book_restore(b, &e, NOW);
	assert_false(book_find(b, &a, NULL));
	/* As many as a stranger may show us: the oldest are forgotten, nothing breaks. */
	for (uint32_t i = 0; i < 3 * BOOK_OWN_MAX; i++) {
		struct netaddr other = nth(2, i);

		book_own(b, &other);
		assert_false(named(b, other, a, 0, NOW));
	}
	assert_true(named(b, a, a, 0, NOW));
	book_free(b);
}

/* --- poisoning --- */

static unsigned held_by(struct book *b, uint32_t group, uint32_t from, uint32_t count)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct netaddr a = nth(group, from + i);

		n += book_find(b, &a, NULL);
	}
	return n;
}

/* One corner names a million addresses all over the world. */
static void one_source_takes_its_share_and_pushes_out_nobody(void **state)
{
	struct book *b = make(&small);

	(void)state;
	for (uint32_t i = 0; i < 900; i++) /* of 60 sources, in 90 groups */
		assert_true(named(b, nth(i % 90, i), nth(200 + i % 60, 1), NOW - DAY, NOW));
	for (uint32_t i = 0; i < 1000000; i++)
		named(b, nth(300 + i % 5000, 1000 + i), nth(299, i % 1000), 0, NOW);
	assert_int_equal(counts(b).new_count, 900 + 64);
	for (uint32_t i = 0; i < 900; i++) {
		struct netaddr a = nth(i % 90, i);

		assert_true(book_find(b, &a, NULL));
	}
	assert_int_equal(counts(b).refused, 0); /* it replaced its own */
	book_free(b);
}

/* Hundreds of corners do: each gets as much as everybody else, at most. */
static void many_sources_take_an_equal_share_each(void **state)
{
	enum { HONEST = 24, EACH = 40, LIARS = 200 };
	struct book *b = make(&small);
	unsigned kept = 0;

	(void)state;
	for (uint32_t i = 0; i < HONEST * EACH; i++)
		assert_true(named(b, nth(i % 100, i), nth(200 + i / EACH, 1), NOW - DAY, NOW));
	for (uint32_t i = 0; i < LIARS * 100; i++)
		named(b, nth(2000 + i % 5000, 1000 + i), nth(300 + i % LIARS, 7), 0, NOW);
	assert_int_equal(counts(b).new_count, 1024);
	for (uint32_t i = 0; i < HONEST * EACH; i++)
		kept += held_by(b, i % 100, i, 1);
	/* 1,024 places for 224 sources: four or five each. */
	assert_in_range(kept, 4 * HONEST, 5 * HONEST);
	book_free(b);
}

/* An attacker names a group full, so that its real members would have no place. */
static void a_full_group_is_shared_out_too(void **state)
{
	struct book *b = make(&small);
	unsigned real = 0;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++)
		named(b, nth(5, i), nth(299, 1), 0, NOW);
	assert_int_equal(held_by(b, 5, 0, 10000), 32);
	for (uint32_t i = 0; i < 16; i++)
		real += named(b, nth(5, 20000 + i), nth(100 + i, 1), 0, NOW);
	assert_int_equal(real, 16);
	/* And again: those are not his to replace. */
	for (uint32_t i = 0; i < 10000; i++)
		named(b, nth(5, 30000 + i), nth(299, 1), 0, NOW);
	assert_int_equal(held_by(b, 5, 20000, 16), 16);
	book_free(b);
}

/* A provider's customer answers on ever more of its addresses. */
static void one_group_takes_its_share_of_the_tried(void **state)
{
	struct book *b = make(&small);

	(void)state;
	for (uint32_t i = 0; i < 200; i++) {
		named(b, nth(i, 1), nth(i, 1), 0, NOW);
		reach(b, nth(i, 1), NOW);
	}
	for (uint32_t i = 0; i < 20000; i++) {
		named(b, nth(299, i), nth(299, i), 0, NOW);
		reach(b, nth(299, i), NOW);
	}
	assert_int_equal(counts(b).tried_count, 200 + 32);
	for (uint32_t i = 0; i < 200; i++)
		assert_int_equal(held_by(b, i, 1, 1), 1);
	book_free(b);
}

/* The tried are full. Who was reached within four hours stays; then, who was not for longest
 * goes back among the new, and isn't forgotten. */
static void tried_ones_give_way_only_when_they_were_not_reached_for_hours(void **state)
{
	struct book *b = make(&small);
	struct netaddr late = nth(300, 1), bad = nth(7, 1);
	struct book_entry e;

	(void)state;
	for (uint32_t i = 0; i < 256; i++) {
		named(b, nth(i, 1), nth(i, 1), 0, NOW);
		reach(b, nth(i, 1), NOW);
	}
	named(b, late, late, 0, NOW);
	reach(b, late, NOW + 4 * 3600);
	assert_true(book_find(b, &late, &e));
	assert_false(e.tried);
	assert_int_equal(e.good_s, NOW + 4 * 3600);
	/* One fails: but the lot has to fall on it. */
	miss(b, bad, NOW + 4 * 3600);
	for (unsigned i = 0; i < 1000 && !e.tried; i++) {
		book_reached(b, &late, 9, NOW + 4 * 3600);
		assert_true(book_find(b, &late, &e));
	}
	assert_true(e.tried);
	assert_true(book_find(b, &bad, &e));
	assert_false(e.tried);
	/* Hours later anybody may give way. */
	late = nth(301, 1);
	named(b, late, late, 0, NOW);
	reach(b, late, NOW + 9 * 3600);
	assert_true(book_find(b, &late, &e));
	assert_true(e.tried);
	assert_int_equal(counts(b).tried_count, 256);
	assert_int_equal(counts(b).new_count, 2);
	book_free(b);
}

static void groups_are_what_one_hand_holds(void **state)
{
	static const struct {
		const char *name;
		enum netaddr_kind kind;
		uint8_t first[5], second[5];
		bool same;
	} rows[] = {
		{ "one /16", NETADDR_IPV4, { 48, 1, 0, 1 }, { 48, 1, 255, 1 }, true },
		{ "two /16", NETADDR_IPV4, { 48, 1, 0, 1 }, { 48, 2, 0, 1 }, false },
		{ "one /32", NETADDR_IPV6, { 42, 0, 0, 1, 2 }, { 42, 0, 0, 1, 255 }, true },
		{ "two /32", NETADDR_IPV6, { 42, 0, 0, 1 }, { 42, 0, 0, 2 }, false },
		{ "onion, four bits", NETADDR_TORV3, { 0xa1, 2 }, { 0xaf, 3 }, true },
		{ "onion, other bits", NETADDR_TORV3, { 0xa1, 2 }, { 0xb1, 2 }, false },
		{ "i2p, four bits", NETADDR_I2P, { 0xa1, 2 }, { 0xaf, 3 }, true },
		{ "cjdns, four bits behind fc",
		  NETADDR_CJDNS,
		  { 0xfc, 0x1f },
		  { 0xfc, 0x12 },
		  true },
		{ "cjdns, other bits", NETADDR_CJDNS, { 0xfc, 0x1f }, { 0xfc, 0x2f }, false },
	};
	struct book_config config = small;

	(void)state;
	config.group_max = 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct netaddr x = { .kind = (uint8_t)rows[i].kind, .port = 1 }, y = x;
		struct book *b = make(&config);

		print_message("%s\n", rows[i].name);
		memcpy(x.bytes, rows[i].first, sizeof(rows[i].first));
		memcpy(y.bytes, rows[i].second, sizeof(rows[i].second));
		assert_true(named(b, x, nth(0, 1), 0, NOW));
		assert_true(named(b, y, nth(1, 1), 0, NOW));
		assert_int_equal(counts(b).new_count, rows[i].same ? 1 : 2);
		book_free(b);
	}
}

static void a_thousand_nodes_fit_on_one_host_where_private_ones_are_allowed(void **state)
{
	struct book_config config = small;
	struct book *b;

	(void)state;
	config.allow_private = true;
	config.tried_max = 1024;
	b = make(&config);
	for (uint16_t i = 0; i < 1000; i++)
		assert_true(named(b, netaddr_ipv4(0x7f000001, 1000 + i),
				  netaddr_ipv4(0x7f000001, 999), 0, NOW));
	for (uint16_t i = 0; i < 1000; i++)
		reach(b, netaddr_ipv4(0x7f000001, 1000 + i), NOW);
	assert_int_equal(counts(b).tried_count, 1000);
	/* A public stranger is held to his share all the same. */
	for (uint16_t i = 0; i < 1000; i++)
		named(b, netaddr_ipv4(0x7f000001, 5000 + i), nth(0, 1), 0, NOW);
	assert_int_equal(counts(b).new_count, 64);
	book_free(b);
}

/* --- choices --- */

static bool skip_all_but(void *ctx, const struct netaddr *addr)
{
	return !netaddr_equal(addr, ctx);
}

static void waits_double_after_failures(void **state)
{
	static const struct {
		unsigned failures;
		uint32_t wait_s;
	} rows[] = { { 0, 60 },    { 1, 60 },     { 2, 120 },    { 3, 240 },
		     { 9, 15360 }, { 10, 21600 }, { 200, 21600 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct book *b = make(&small);
		struct netaddr a = nth(0, 1), other = nth(1, 1);
		struct book_entry e;
		uint32_t at = NOW;

		print_message("%u failures\n", rows[i].failures);
		named(b, a, a, 0, NOW);
		named(b, other, other, 0, NOW);
		for (unsigned k = 0; k < rows[i].failures; k++) {
			miss(b, a, ++at);
			book_reached(b, &other, 0, ++at); /* the line is not dead */
		}
		book_asked(b, &a, at);
		assert_false(book_pick(b, at + rows[i].wait_s - 1, skip_all_but, &a, &e));
		assert_false(book_oldest(b, at + rows[i].wait_s - 1, at + 1, skip_all_but, &a, &e));
		assert_true(book_pick(b, at + rows[i].wait_s, skip_all_but, &a, &e));
		assert_int_equal(e.failures, rows[i].failures);
		assert_true(book_oldest(b, at + rows[i].wait_s, at + 1, skip_all_but, &a, &e));
		assert_true(netaddr_equal(&e.addr, &a));
		book_free(b);
	}
}

/* Our own line is dead for a week: nobody is beyond use after it. */
static void failures_count_only_while_somebody_can_be_reached(void **state)
{
	struct book *b = make(&small);
	struct book_entry e;

	(void)state;
	for (uint32_t i = 0; i < 50; i++)
		named(b, nth(i, 1), nth(i, 1), 0, NOW);
	for (unsigned round = 1; round <= 20; round++)
		for (uint32_t i = 0; i < 50; i++)
			miss(b, nth(i, 1), NOW + round * 3600);
	for (uint32_t i = 0; i < 50; i++) {
		struct netaddr a = nth(i, 1);

		assert_true(book_find(b, &a, &e));
		assert_int_equal(e.failures, 1);
	}
	book_free(b);
}

static void tried_and_new_are_picked_with_equal_odds(void **state)
{
	enum { PICKS = 4000 };
	struct book *b = make(&small);
	struct book_entry e;
	unsigned tried = 0, faulty = 0;

	(void)state;
	for (uint32_t i = 0; i < 800; i++)
		named(b, nth(i, 1), nth(i, 1), 0, NOW - 4000);
	for (uint32_t i = 0; i < 40; i++)
		reach(b, nth(i, 1), NOW - 4000);
	for (uint32_t i = 0; i < 20; i++)
		miss(b, nth(i, 1), NOW - 3000);
	for (unsigned i = 0; i < PICKS; i++) {
		assert_true(book_pick(b, NOW, NULL, NULL, &e));
		tried += e.tried;
		faulty += e.failures > 0;
	}
	assert_in_range(tried, PICKS / 2 - 200, PICKS / 2 + 200); /* 6 sigma */
	/* Half of the tried have failed; an eighth of the choices of three are those alone. */
	assert_in_range(faulty, PICKS / 16 - 100, PICKS / 16 + 100);
	book_free(b);
}

static void whoever_is_left_is_found(void **state)
{
	struct book *b = make(&small);
	struct book_entry e;
	struct netaddr last = nth(577, 1);

	(void)state;
	assert_false(book_pick(b, NOW, NULL, NULL, &e));
	assert_false(book_oldest(b, NOW, NOW, NULL, NULL, &e));
	for (uint32_t i = 0; i < 1000; i++)
		named(b, nth(i, 1), nth(i, 1), 0, NOW);
	assert_true(book_pick(b, NOW, skip_all_but, &last, &e));
	assert_true(netaddr_equal(&e.addr, &last));
	last = nth(1000, 1);
	assert_false(book_pick(b, NOW, skip_all_but, &last, &e));
	book_free(b);
}

/* Checked round after round: each once in every round, those named on the way included. */
static void checks_go_round_in_order(void **state)
{
	enum { PEERS = 300, ROUND_S = 1000 };
	struct book *b = make(&small);
	struct book_entry e;

	(void)state;
	for (uint32_t i = 0; i < PEERS; i++)
		named(b, nth(i, 1), nth(i, 1), 0, NOW);
	for (unsigned round = 0; round < 5; round++) {
		int64_t now_s = NOW + (int64_t)round * ROUND_S;
		unsigned seen[PEERS] = { 0 };

		for (uint32_t i = 0; i < PEERS; i++) {
			assert_true(
				book_oldest(b, now_s + i, now_s + i - ROUND_S + 1, NULL, NULL, &e));
			seen[group_of(&e.addr)]++;
			reach(b, e.addr, now_s + i);
		}
		for (uint32_t i = 0; i < PEERS; i++)
			assert_int_equal(seen[i], 1);
		assert_false(book_oldest(b, now_s + PEERS, now_s, NULL, NULL, &e));
	}
	book_free(b);
}

/* Someone names addresses without end; those known are still checked, every other time. */
static void a_flood_of_names_delays_checks_by_half_at_most(void **state)
{
	struct book *b = make(&small);
	struct book_entry e;
	unsigned known = 0;

	(void)state;
	for (uint32_t i = 0; i < 200; i++) {
		named(b, nth(i, 1), nth(i, 1), 0, NOW);
		reach(b, nth(i, 1), NOW + i / 100);
	}
	for (uint32_t i = 0; i < 400; i++) {
		for (uint32_t k = 0; k < 10; k++)
			named(b, nth(1000 + i, k), nth(999, 1), 0, NOW + 1000);
		assert_true(book_oldest(b, NOW + 1000, NOW + 500, NULL, NULL, &e));
		known += e.tried;
		book_asked(b, &e.addr, NOW + 1000);
	}
	assert_in_range(known, 150, 200);
	book_free(b);
}

static int by_addr(const void *a, const void *b)
{
	return memcmp(&((const struct advert *)a)->addr, &((const struct advert *)b)->addr,
		      sizeof(struct netaddr));
}

static void samples_are_random_without_repeats(void **state)
{
	enum { PEERS = 400, CAP = 100, ROUNDS = 1000 };
	struct book *b = make(&small);
	struct advert out[PEERS + 1];
	unsigned drawn[PEERS] = { 0 };

	(void)state;
	for (uint32_t i = 0; i < PEERS; i++) {
		named(b, nth(i, 1), nth(i, 1), 0, NOW);
		if (i % 4 == 0)
			reach(b, nth(i, 1), NOW);
	}
	assert_int_equal(book_sample(b, NOW, 0, out, PEERS + 1), PEERS);
	for (unsigned round = 0; round < ROUNDS; round++) {
		assert_int_equal(book_sample(b, NOW, 0, out, CAP), CAP);
		qsort(out, CAP, sizeof(*out), by_addr);
		for (unsigned i = 0; i < CAP; i++) {
			assert_true(i == 0 || by_addr(&out[i], &out[i - 1]) != 0);
			drawn[group_of(&out[i].addr)]++;
		}
	}
	for (uint32_t i = 0; i < PEERS; i++) /* 250 each, sigma 14 */
		assert_in_range(drawn[i], 250 - 90, 250 + 90);
	book_free(b);
}

static void samples_leave_out_who_is_beyond_use(void **state)
{
	static const struct {
		const char *name;
		int64_t named_s, good_s;
		uint32_t failures;
		bool sampled, vouched; /* in an answer; in one with good ones of a week alone */
	} rows[] = {
		{ "fresh hearsay", NOW, 0, 0, true, false },
		{ "two failures, never reached", NOW, 0, 2, true, false },
		{ "three failures, never reached", NOW, 0, 3, false, false },
		{ "nine failures since", NOW, NOW - 8 * DAY, 9, true, false },
		{ "ten failures in a week", NOW, NOW - 8 * DAY, 10, false, false },
		{ "ten failures in six days", NOW, NOW - 6 * DAY, 10, true, true },
		{ "reached", NOW - 20 * DAY, NOW - DAY, 0, true, true },
		{ "named long ago", NOW - KNOWN_S, 0, 0, true, false },
		{ "too old", NOW - KNOWN_S - 1, 0, 0, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct book *b = make(&small);
		struct advert out;
		const struct book_entry e = {
			.addr = nth(0, 1),
			.source = nth(1, 1),
			.services = 5,
			.named_s = rows[i].named_s,
			.asked_s = rows[i].failures ? NOW - 120 : 0,
			.good_s = rows[i].good_s,
			.failures = rows[i].failures,
			.tried = rows[i].good_s != 0,
		};

		print_message("%s\n", rows[i].name);
		book_restore(b, &e, NOW);
		assert_int_equal(book_sample(b, NOW, 0, &out, 1), rows[i].sampled);
		if (rows[i].sampled) {
			assert_true(netaddr_equal(&out.addr, &e.addr));
			assert_int_equal(out.services, 5);
			assert_int_equal(out.last_seen_s % 3600, 0);
		}
		assert_int_equal(book_sample(b, NOW, NOW - 7 * DAY, &out, 1), rows[i].vouched);
		book_expire(b, NOW);
		assert_int_equal(counts(b).new_count + counts(b).tried_count,
				 strcmp(rows[i].name, "too old") != 0);
		book_free(b);
	}
}

/* The clock is set back: what it left behind is not believed for ever. */
static void a_clock_set_back_leaves_nothing_in_the_future(void **state)
{
	struct book *b = make(&small);
	struct netaddr a = nth(0, 1);
	struct book_entry e;
	struct advert out;

	(void)state;
	named(b, a, a, 0, NOW + 3600);
	assert_int_equal(book_sample(b, NOW, 0, &out, 1), 0);
	assert_true(book_find(b, &a, &e));
	book_free(b);
	b = make(&small);
	e.asked_s = e.good_s = INT64_MAX;
	book_restore(b, &e, NOW);
	assert_true(book_find(b, &a, &e));
	assert_int_equal(e.named_s, NOW);
	assert_int_equal(e.asked_s, NOW);
	assert_int_equal(e.good_s, NOW);
	book_free(b);
}

/* What was noted while the clock was a year ahead is taken for now's as soon as anybody looks. */
static void after_a_clock_set_back_all_goes_on(void **state)
{
	enum { YEAR = 365 * DAY };
	struct book *b = make(&small);
	struct netaddr hearsay = nth(0, 1), good = nth(1, 1);
	struct book_entry e;
	struct advert out[2];

	(void)state;
	named(b, hearsay, hearsay, 0, NOW + YEAR);
	named(b, good, good, 0, NOW + YEAR);
	reach(b, good, NOW + YEAR);
	book_expire(b, NOW);
	assert_int_equal(book_sample(b, NOW, 0, out, 2), 2);
	for (unsigned i = 0; i < 2; i++)
		assert_in_range(out[i].last_seen_s, NOW - 3600, NOW);
	book_drop(b, &hearsay);
	assert_true(book_oldest(b, NOW + 200, NOW + 80, NULL, NULL, &e)); /* is checked again */
	assert_true(netaddr_equal(&e.addr, &good));
	assert_int_equal(e.good_s, NOW);
	book_expire(b, NOW + KNOWN_S + 1);
	assert_int_equal(counts(b).tried_count, 0); /* and forgotten in time */
	book_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_takes_what_can_be_a_peers),
		cmocka_unit_test(claims_about_the_time_are_believed_as_far_as_they_can_be_true),
		cmocka_unit_test(being_named_again_makes_younger_never_older),
		cmocka_unit_test(our_own_addresses_stay_out),
		cmocka_unit_test(one_source_takes_its_share_and_pushes_out_nobody),
		cmocka_unit_test(many_sources_take_an_equal_share_each),
		cmocka_unit_test(a_full_group_is_shared_out_too),
		cmocka_unit_test(one_group_takes_its_share_of_the_tried),
		cmocka_unit_test(tried_ones_give_way_only_when_they_were_not_reached_for_hours),
		cmocka_unit_test(groups_are_what_one_hand_holds),
		cmocka_unit_test(a_thousand_nodes_fit_on_one_host_where_private_ones_are_allowed),
		cmocka_unit_test(waits_double_after_failures),
		cmocka_unit_test(failures_count_only_while_somebody_can_be_reached),
		cmocka_unit_test(tried_and_new_are_picked_with_equal_odds),
		cmocka_unit_test(whoever_is_left_is_found),
		cmocka_unit_test(checks_go_round_in_order),
		cmocka_unit_test(a_flood_of_names_delays_checks_by_half_at_most),
		cmocka_unit_test(samples_are_random_without_repeats),
		cmocka_unit_test(samples_leave_out_who_is_beyond_use),
		cmocka_unit_test(a_clock_set_back_leaves_nothing_in_the_future),
		cmocka_unit_test(after_a_clock_set_back_all_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
