/* A book under a long, random treatment, beside the plainest thing that could do the same: an
 * array of what is known of each address, and a disk that is told of changes alone. */
#include "engine/book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	NOW = 1700000000,
	ADDRS = 1500, /* in 30 groups */
	GROUPS = 30,
	SOURCES = 40,
	STEPS = 120000,
};

static const struct book_config config = {
	.new_max = 300,
	.tried_max = 120,
	.source_max = 25,
	.group_max = 15,
	.known_s = 5000,
	.wait_s = 10,
	.seed = 11,
};

/* What the book should know of an address while it holds it. */
struct model {
	bool in;
	struct netaddr source;
	int64_t asked_s, good_s, failed_asked_s;
	bool failed;
};

struct fixture {
	struct book *book;
	struct random random;
	int64_t now_s;
	struct model models[ADDRS];
	struct book_entry disk[ADDRS];
	bool on_disk[ADDRS];
	unsigned seen; /* by book_each */
	unsigned of_source[SOURCES], of_group[2][GROUPS];
};

static struct netaddr addr_of(uint32_t i)
{
	return netaddr_ipv4(0x30000000 + ((i % GROUPS) << 16) + i, 8333);
}

static uint32_t index_of(const struct netaddr *a)
{
	return a->bytes[2] * 256U + a->bytes[3];
}

static struct netaddr source_of(uint32_t i)
{
	return netaddr_ipv4(0x38000000 + ((i % SOURCES) << 16) + 1, 8333);
}

static void assert_same(const struct book_entry *a, const struct book_entry *b)
{
	assert_true(netaddr_equal(&a->addr, &b->addr));
	assert_true(netaddr_equal(&a->source, &b->source));
	assert_int_equal(a->services, b->services);
	assert_int_equal(a->named_s, b->named_s);
	assert_int_equal(a->asked_s, b->asked_s);
	assert_int_equal(a->good_s, b->good_s);
	assert_int_equal(a->failures, b->failures);
	assert_int_equal(a->tried, b->tried);
}

static void write_changes(struct fixture *f)
{
	struct book_entry e;
	bool gone, told[ADDRS] = { false };

	while (book_changed(f->book, &e, &gone)) {
		uint32_t i = index_of(&e.addr);

		assert_false(told[i]);
		told[i] = true;
		assert_true(!gone || f->on_disk[i]); /* else nobody need know */
		f->on_disk[i] = !gone;
		f->disk[i] = e;
	}
}

static bool look(void *ctx, const struct book_entry *e)
{
	struct fixture *f = ctx;
	uint32_t i = index_of(&e->addr);
	const struct model *m = &f->models[i];

	assert_true(m->in);
	assert_true(netaddr_equal(&e->source, &m->source));
	assert_int_equal(e->asked_s, m->asked_s);
	assert_int_equal(e->good_s, m->good_s);
	assert_int_equal(e->failures > 0, m->failed);
	assert_true(!e->tried || e->good_s > 0);
	assert_true(e->named_s <= f->now_s);
	assert_true(f->on_disk[i]);
	assert_same(e, &f->disk[i]);
	if (!e->tried)
		f->of_source[e->source.bytes[1]]++;
	f->of_group[e->tried][i % GROUPS]++;
	f->seen++;
	return true;
}

/* Everything that has to be true at any time, counted anew. */
static void check(struct fixture *f)
{
	struct advert out[ADDRS];
	struct book_counts c;
	unsigned on_disk = 0;
	size_t n;

	write_changes(f);
	f->seen = 0;
	memset(f->of_source, 0, sizeof(f->of_source));
	memset(f->of_group, 0, sizeof(f->of_group));
	book_each(f->book, look, f);
	for (uint32_t i = 0; i < ADDRS; i++)
		on_disk += f->on_disk[i];
	assert_int_equal(on_disk, f->seen);
	book_counts(f->book, &c);
	assert_int_equal(c.new_count + c.tried_count, f->seen);
	assert_in_range(c.new_count, 0, config.new_max);
	assert_in_range(c.tried_count, 0, config.tried_max);
	for (unsigned s = 0; s < SOURCES; s++)
		assert_in_range(f->of_source[s], 0, config.source_max);
	for (unsigned g = 0; g < GROUPS; g++)
		for (unsigned t = 0; t < 2; t++)
			assert_in_range(f->of_group[t][g], 0, config.group_max);
	n = book_sample(f->book, f->now_s, 0, out, ADDRS);
	assert_in_range(n, 0, f->seen);
	for (size_t i = 0; i < n; i++)
		assert_true(book_find(f->book, &out[i].addr, NULL));
}

static bool odd(void *ctx, const struct netaddr *addr)
{
	(void)ctx;
	return index_of(addr) % 2 == 1;
}

static void choose(struct fixture *f)
{
	struct advert few[5];
	struct book_entry e;
	size_t n = book_sample(f->book, f->now_s, 0, few, 5);

	for (size_t i = 0; i < n; i++)
		assert_true(book_find(f->book, &few[i].addr, NULL));

	if (book_pick(f->book, f->now_s, odd, NULL, &e)) {
		assert_true(book_find(f->book, &e.addr, NULL));
		assert_int_equal(index_of(&e.addr) % 2, 0);
		assert_true(e.asked_s == 0 || f->now_s - e.asked_s >= config.wait_s);
	}
	if (book_oldest(f->book, f->now_s, f->now_s - 50, odd, NULL, &e)) {
		assert_true(book_find(f->book, &e.addr, NULL));
		assert_int_equal(index_of(&e.addr) % 2, 0);
		assert_true(e.asked_s < f->now_s - 50 && e.good_s < f->now_s - 50);
	}
}

static void name(struct fixture *f, uint32_t i)
{
	uint32_t source = (uint32_t)random_below(&f->random, SOURCES);
	struct advert peer = { .addr = addr_of(i),
			       .services = random_below(&f->random, 4),
			       .last_seen_s = f->now_s - (int64_t)random_below(&f->random, 6000) };
	struct netaddr from = source_of(source);

	if (book_add(f->book, &peer, &from, f->now_s))
		f->models[i] = (struct model){ .in = true, .source = from };
}

/* Of one that the book holds, the model has to follow. */
static void deal(struct fixture *f, uint32_t i)
{
	struct netaddr a = addr_of(i);
	struct model *m = &f->models[i];
	bool there = book_find(f->book, &a, NULL);

	switch (random_below(&f->random, 8)) {
	case 0:
	case 1:
	case 2:
		book_asked(f->book, &a, f->now_s);
		m->asked_s = f->now_s;
		break;
	case 3:
	case 4:
		book_reached(f->book, &a, 7, f->now_s);
		m->good_s = f->now_s;
		m->failed = false;
		break;
	case 5:
	case 6:
		book_failed(f->book, &a, f->now_s);
		m->asked_s = f->now_s;
		m->failed = true;
		break;
	case 7:
		if (random_below(&f->random, 10) == 0)
			book_drop(f->book, &a);
		break;
	}
	if (!there)
		*m = (struct model){ 0 };
}

static bool restore(void *ctx, const struct book_entry *e)
{
	book_restore(ctx, e, NOW + 2 * STEPS);
	return true;
}

static bool compare(void *ctx, const struct book_entry *e)
{
	struct book_entry other;

	assert_true(book_find(ctx, &e->addr, &other));
	assert_same(e, &other);
	return true;
}

static void it_agrees_with_the_plainest_thing(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct book_counts before, after;
	struct book *again;
	struct book_entry e;
	bool gone;

	(void)state;
	f->random.state = 3;
	f->now_s = NOW;
	assert_int_equal(book_new(&config, &f->book), ERR_OK);
	for (unsigned step = 0; step < STEPS; step++) {
		uint32_t i = (uint32_t)random_below(&f->random, ADDRS);

		f->now_s += random_below(&f->random, 100) == 0;
		if (random_below(&f->random, 2) == 0)
			name(f, i);
		else
			deal(f, i);
		choose(f);
		if (random_below(&f->random, 3000) == 0)
			book_expire(f->book, f->now_s);
		/* Often, and then not for long: what waits to be told piles up. */
		if (step / 5000 % 2 == 0 ? step % 50 == 0 : step % 5000 == 4999)
			check(f);
	}
	/* After a start: all the same, and nothing new to tell. */
	assert_int_equal(book_new(&config, &again), ERR_OK);
	book_each(f->book, restore, again);
	book_each(f->book, compare, again);
	book_counts(f->book, &before);
	book_counts(again, &after);
	assert_int_equal(after.new_count, before.new_count);
	assert_int_equal(after.tried_count, before.tried_count);
	assert_in_range(before.tried_count, 50, config.tried_max); /* the test was one */
	assert_false(book_changed(again, &e, &gone));
	book_free(again);
	book_free(f->book);
	free(f);
}

/* A node without a disk: nobody ever reads the changes, and they take no more than the places. */
static void changes_that_nobody_reads_are_bounded(void **state)
{
	struct book *b;
	struct book_counts first, last;
	struct netaddr source = source_of(1);
	unsigned told = 0;
	struct book_entry e;
	bool gone;

	(void)state;
	assert_int_equal(book_new(&config, &b), ERR_OK);
	for (uint32_t i = 0; i < config.source_max; i++) {
		e = (struct book_entry){ .addr = addr_of(i), .source = source, .named_s = NOW };
		book_restore(b, &e, NOW);
	}
	for (uint32_t i = 0; i < 200000; i++) {
		const struct advert peer = { .addr = netaddr_ipv4(0x30100000 + i * 7919, 1) };

		book_add(b, &peer, &source, NOW);
		if (i == 1000)
			book_counts(b, &first);
	}
	book_counts(b, &last);
	assert_int_equal(first.bytes, last.bytes);
	for (; book_changed(b, &e, &gone); told++)
		;
	assert_in_range(told, config.source_max, 2 * config.source_max);
	book_free(b);
}

/* What book.h states: with Core's sizes, filled from all over the world. */
static void an_address_takes_what_the_header_says(void **state)
{
	const struct book_config core = { .new_max = 65536,
					  .tried_max = 16384,
					  .source_max = 64,
					  .group_max = 64,
					  .known_s = 30 * 86400,
					  .seed = 5 };
	struct book *b;
	struct book_counts c;
	struct random random = { 9 };

	(void)state;
	assert_int_equal(book_new(&core, &b), ERR_OK);
	for (uint32_t i = 0; i < 400000; i++) {
		const struct advert peer = {
			.addr = netaddr_ipv4(
				0x30000000 + (uint32_t)random_below(&random, 0x20000000), 8333),
		};
		struct netaddr source = netaddr_ipv4(0x58000000 + i % 7000 * 65536 % 0x20000000, 1);

		if (book_add(b, &peer, &source, NOW) && i % 16 == 0)
			book_reached(b, &peer.addr, 1, NOW);
	}
	book_counts(b, &c);
	print_message("%u new, %u tried, %zu bytes: %.1f each\n", c.new_count, c.tried_count,
		      c.bytes, (double)c.bytes / (c.new_count + c.tried_count));
	assert_int_equal(c.new_count, core.new_max);
	assert_in_range(c.bytes / (c.new_count + c.tried_count), 136, 180);
	book_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_agrees_with_the_plainest_thing),
		cmocka_unit_test(changes_that_nobody_reads_are_bounded),
		cmocka_unit_test(an_address_takes_what_the_header_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
