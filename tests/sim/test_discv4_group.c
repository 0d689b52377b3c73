/* test_discv4_group.c: 120 discv4 nodes on virtual time find each other from one bootstrap
 * node, learn their own addresses, and survive the death of a third of them, the
 * bootstrap node included. Packets take 20 to 120 ms; one in fifty is lost. */
#include "base/hash.h"
#include "proto/ethereum/discv4.h"
#include "support/sanitized.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	NODES = SANITIZED ? 60 : 120,
	DEAD = NODES / 3,
	JOIN_MS = 60 * 1000,
	SETTLED_MS = 3 * 60 * 1000,
	SURVIVED_MS = 8 * 60 * 1000,
	REFRESH_MS = 75 * 1000,
	DELAY_MIN_MS = 20,
	DELAY_MAX_MS = 120,
	LOSS_PERCENT = 2,
	FLIGHT_MAX = 1 << 14,
	ASKERS = 25,
	/* Of 16. Up to five packets make a question, and each may be lost: one question in
	 * ten fails. */
	RIGHT_MIN = 14,
	RIGHT_AT_ONCE_MIN = 12, /* while a third of what the tables name is dead */
	START_S = 1780000000,
};

struct member {
	struct discv4 *node;
	struct netaddr addr;
	uint64_t joins_ms, deadline_ms;
	bool alive;
};

/* A packet on its way. */
struct flight {
	uint64_t at_ms, order;
	unsigned from;
	struct discv4_datagram *datagram;
};

static struct secp secp;
static struct member members[NODES];
static struct kademlia_node boot;
static struct flight flights[FLIGHT_MAX]; /* a heap: the next one first */
static unsigned flight_count;
static struct random weather = { 77 };
static uint64_t now_ms, packets, moves;

/* What the lookup under way has found. */
static bool found;
static size_t found_count;
static uint8_t found_hashes[LOOKUP_RESULT_MAX][KADEMLIA_HASH_LEN];

static bool before(const struct flight *a, const struct flight *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void swap(unsigned a, unsigned b)
{
	struct flight t = flights[a];

	flights[a] = flights[b];
	flights[b] = t;
}

static void flight_push(const struct flight *f)
{
	unsigned at = flight_count++;

	assert_true(flight_count < FLIGHT_MAX);
	flights[at] = *f;
	for (; at > 0 && before(&flights[at], &flights[(at - 1) / 2]); at = (at - 1) / 2)
		swap(at, (at - 1) / 2);
}

static struct flight flight_pop(void)
{
	struct flight first = flights[0];
	unsigned at = 0, child;

	flights[0] = flights[--flight_count];
	while ((child = 2 * at + 1) < flight_count) {
		if (child + 1 < flight_count && before(&flights[child + 1], &flights[child]))
			child++;
		if (!before(&flights[child], &flights[at]))
			break;
		swap(at, child);
		at = child;
	}
	return first;
}

/* Where a packet for that address goes: 5.0.0.1, 5.0.1.1 and so on. */
static struct member *member_at(const struct netaddr *addr)
{
	unsigned i = addr->bytes[2];

	return i < NODES && netaddr_equal(&members[i].addr, addr) ? &members[i] : NULL;
}

static void take_event(struct member *m, const struct discv4_event *e)
{
	const struct kademlia_node *nodes[LOOKUP_RESULT_MAX];

	if (e->type == DISCV4_EVENT_MOVED)
		moves++;
	if (e->type != DISCV4_EVENT_FOUND)
		return;
	found = true;
	found_count = discv4_found(m->node, nodes);
	for (size_t i = 0; i < found_count; i++)
		memcpy(found_hashes[i], nodes[i]->hash, KADEMLIA_HASH_LEN);
}

static void drain(struct member *m)
{
	struct discv4_datagram d;
	struct discv4_event e;

	while (discv4_send(m->node, &d)) {
		struct flight f = { .from = (unsigned)(m - members), .order = ++packets };

		if (random_below(&weather, 100) < LOSS_PERCENT)
			continue;
		f.at_ms =
			now_ms + DELAY_MIN_MS + random_below(&weather, DELAY_MAX_MS - DELAY_MIN_MS);
		f.datagram = malloc(sizeof(d));
		assert_non_null(f.datagram);
		*f.datagram = d;
		flight_push(&f);
	}
	while (discv4_next(m->node, &e))
		take_event(m, &e);
	m->deadline_ms = discv4_deadline(m->node);
}

static void join(struct member *m)
{
	struct discv4_params params = { .secp = &secp, .refresh_ms = REFRESH_MS, .seq = 1 };
	unsigned number = (unsigned)(m - members);

	params.key.bytes[0] = (uint8_t)(number + 1);
	params.key.bytes[9] = 77;
	params.seed = number;
	params.hash.k0 = number;
	params.wall_ms = (int64_t)START_S * 1000;
	params.self.addr.port = m->addr.port; /* but not where */
	params.self.tcp_port = m->addr.port;
	if (m != members) {
		params.boots = &boot;
		params.boots_count = 1;
	}
	m->alive = true;
	discv4_init(m->node, &params, now_ms);
	drain(m);
	if (m == members)
		boot = kademlia_node(m->node->key, &m->addr, m->addr.port);
}

static void deliver(void)
{
	struct flight f = flight_pop();
	struct member *to = member_at(&f.datagram->to);

	if (to != NULL && to->alive) {
		discv4_recv(to->node, &members[f.from].addr,
			    slice_of(f.datagram->bytes, f.datagram->len), now_ms);
		drain(to);
	}
	free(f.datagram);
}

/* Whose turn comes first, of those that have one before `until_ms`. */
static struct member *next_member(uint64_t until_ms)
{
	struct member *next = NULL;

	for (unsigned i = 0; i < NODES; i++) {
		uint64_t due = members[i].alive ? members[i].deadline_ms : members[i].joins_ms;

		if (due <= until_ms) {
			next = &members[i];
			until_ms = due;
		}
	}
	return next;
}

/* One thing that happens; false: nothing more before `until_ms`. */
static bool step(uint64_t until_ms)
{
	bool packet_first = flight_count > 0 && flights[0].at_ms <= until_ms;
	struct member *m = next_member(packet_first ? flights[0].at_ms : until_ms);
	uint64_t at_ms;

	if (m == NULL && !packet_first)
		return false;
	at_ms = m == NULL ? flights[0].at_ms : m->alive ? m->deadline_ms : m->joins_ms;
	if (at_ms > now_ms)
		now_ms = at_ms;
	if (m == NULL) {
		deliver();
	} else if (!m->alive) {
		m->joins_ms = UINT64_MAX;
		join(m);
	} else {
		discv4_tick(m->node, now_ms);
		drain(m);
	}
	return true;
}

static void run_until(uint64_t until_ms)
{
	while (step(until_ms))
		;
	now_ms = until_ms;
}

/* Of the 16 living nodes that are nearest to the target, how many were found. The asker
 * doesn't find itself. */
static unsigned found_right(const uint8_t target[KADEMLIA_HASH_LEN], const struct member *asker)
{
	unsigned right = 0;

	for (unsigned i = 0; i < NODES; i++) {
		const uint8_t *hash = members[i].node->table.self;
		unsigned nearer = 0;
		bool is_found = false;

		if (!members[i].alive || &members[i] == asker)
			continue;
		for (unsigned j = 0; j < NODES; j++) {
			if (members[j].alive && &members[j] != asker &&
			    kademlia_compare(target, members[j].node->table.self, hash) < 0)
				nearer++;
		}
		for (size_t j = 0; j < found_count; j++)
			is_found |= memcmp(found_hashes[j], hash, KADEMLIA_HASH_LEN) == 0;
		right += is_found && nearer < LOOKUP_RESULT_MAX;
	}
	return right;
}

/* Lookups of random places by some of the living: how many of 16 they find, at average. */
static double lookups(void)
{
	unsigned right = 0, asked = 0;

	for (unsigned i = 0; asked < ASKERS; i = (i + 7) % NODES) {
		uint8_t target[SECP_PUBLIC_LEN] = { 0 }, hash[KADEMLIA_HASH_LEN];
		uint64_t v = random_next(&weather);

		if (!members[i].alive)
			continue;
		memcpy(target, &v, sizeof(v));
		kademlia_hash(target, hash);
		found = false;
		assert_int_not_equal(discv4_lookup(members[i].node, target, now_ms), 0);
		drain(&members[i]);
		while (!found)
			assert_true(step(now_ms + 60 * 1000));
		right += found_right(hash, &members[i]);
		asked++;
	}
	return right / (double)asked;
}

/* How many of the living can be reached from the first of them, by what the tables name. */
static unsigned reached(void)
{
	unsigned queue[NODES], count = 0;
	bool seen[NODES] = { false };

	for (unsigned i = 0; count == 0; i++) {
		if (members[i].alive) {
			queue[count++] = i;
			seen[i] = true;
		}
	}
	for (unsigned at = 0; at < count; at++) {
		const struct kademlia *t = &members[queue[at]].node->table;

		for (unsigned i = 0; i < KADEMLIA_BUCKETS; i++) {
			for (unsigned j = 0; j < t->buckets[i].entry_count; j++) {
				const struct kademlia_entry *e = &t->buckets[i].entries[j];
				const struct member *m = member_at(&e->node.addr);

				if (!e->live || m == NULL || !m->alive || seen[m - members])
					continue;
				seen[m - members] = true;
				queue[count++] = (unsigned)(m - members);
			}
		}
	}
	return count;
}

static unsigned alive_count(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < NODES; i++)
		n += members[i].alive;
	return n;
}

/* Entries of the living nodes' tables: all of them, and those who are dead. */
static void table_entries(unsigned *all, unsigned *dead)
{
	*all = *dead = 0;
	for (unsigned n = 0; n < NODES; n++) {
		const struct kademlia *t = &members[n].node->table;

		if (!members[n].alive)
			continue;
		for (unsigned i = 0; i < KADEMLIA_BUCKETS; i++) {
			for (unsigned j = 0; j < t->buckets[i].entry_count; j++) {
				(*all)++;
				*dead += !member_at(&t->buckets[i].entries[j].node.addr)->alive;
			}
		}
	}
}

static void find_each_other(void **state)
{
	unsigned all, dead, know = 0;
	double right;

	(void)state;
	run_until(SETTLED_MS);
	assert_int_equal(alive_count(), NODES);
	assert_int_equal(reached(), NODES);
	for (unsigned i = 0; i < NODES; i++) {
		struct netaddr self = discv4_endpoint(members[i].node).addr;

		know += netaddr_equal(&self, &members[i].addr);
	}
	table_entries(&all, &dead);
	right = lookups();
	print_message("  %u entries in %u tables; lookups find %.2f of 16; %u nodes know "
		      "where they are; %llu packets\n",
		      all, NODES, right, know, (unsigned long long)packets);
	assert_in_range(all, NODES * 40, NODES * 100);
	assert_int_equal(dead, 0);
	assert_true(right > RIGHT_MIN);
	assert_int_equal(know, NODES);
	assert_int_equal(moves, NODES); /* each once */
}

static void survive(void **state)
{
	unsigned all, dead;
	double at_once, right;

	(void)state;
	for (unsigned i = 0; i < DEAD; i++)
		members[i * 3].alive = false; /* its joins_ms is past: it stays so */
	table_entries(&all, &dead);
	print_message("  %u of %u entries die\n", dead, all);
	assert_true(dead * 4 > all);
	at_once = lookups();
	run_until(SURVIVED_MS);
	table_entries(&all, &dead);
	right = lookups();
	print_message("  lookups find %.2f of 16 at once, %.2f later; %u of %u entries are "
		      "dead; %llu packets\n",
		      at_once, right, dead, all, (unsigned long long)packets);
	assert_int_equal(reached(), NODES - DEAD);
	assert_true(at_once > RIGHT_AT_ONCE_MIN);
	assert_true(right > RIGHT_MIN);
	assert_true(dead * 5 < all);
}

static int start(void **state)
{
	static const uint8_t random[SECP_RANDOM_LEN] = { 7 };

	(void)state;
	secp_init(&secp, random);
	for (unsigned i = 0; i < NODES; i++) {
		members[i].addr = netaddr_ipv4(0x05000001 + (i << 8), (uint16_t)(30000 + i));
		members[i].joins_ms = i == 0 ? 1 : 2 + random_below(&weather, JOIN_MS);
		members[i].node = calloc(1, sizeof(*members[i].node));
		if (members[i].node == NULL)
			return -1;
	}
	return 0;
}

static int stop(void **state)
{
	(void)state;
	while (flight_count > 0)
		free(flight_pop().datagram);
	for (unsigned i = 0; i < NODES; i++)
		free(members[i].node);
	secp_clear(&secp);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(find_each_other),
		cmocka_unit_test(survive),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
