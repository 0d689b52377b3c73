/* tables.h: a simulated network of discv4 nodes, each with a table as the reference client's
 * rules make it (kademlia.h): it has met some of all others at each distance, and has checked
 * on them for a while; some are gone. A table is made when it is needed, always the same. */
#ifndef PEERWALK_TESTS_SUPPORT_TABLES_H
#define PEERWALK_TESTS_SUPPORT_TABLES_H

#include "proto/ethereum/drain.h"
#include "proto/ethereum/relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	/* Nodes met at each distance: a bucket and its replacements, more. */
	TABLES_MET_MAX = 40,
};

struct node {
	struct kademlia_node node;
	unsigned number; /* before they were sorted */
	bool online;
	uint16_t *named; /* what the drain found; indexes, in order of arrival */
	uint16_t *truth; /* what the table has to say */
	unsigned named_count, truth_count;
	enum drain_result result;
};

struct world {
	struct node *nodes; /* sorted by hash */
	unsigned count;
	struct targets targets;
	struct netaddr asker;
};

static inline int tables_by_hash(const void *a, const void *b)
{
	return memcmp(((const struct node *)a)->node.hash, ((const struct node *)b)->node.hash,
		      KADEMLIA_HASH_LEN);
}

static inline bool tables_bit_of(const struct world *w, unsigned at, unsigned bit)
{
	return w->nodes[at].node.hash[bit / 8] >> (7 - bit % 8) & 1;
}

/* The networks of five hosters hold a fifth of the nodes, so that subnet limits matter. */
static inline struct netaddr tables_random_addr(struct random *random, double lan)
{
	for (;;) {
		uint32_t ip = (uint32_t)random_next(random);
		struct netaddr a;

		if (random_unit(random) < 0.2)
			ip = 0x05000000 + ((uint32_t)random_below(random, 5) << 16) + (ip & 0x1fff);
		if (random_unit(random) < lan)
			ip = 0x0a000000 | (ip & 0xffffff);
		a = netaddr_ipv4(ip, 30303);
		if (netaddr_is_routable(&a) || (lan > 0 && relay_is_lan(&a)))
			return a;
	}
}

/* make_key: the key of node `number` of all, into key; NULL: random bytes, which are no key
 * that anybody could sign with. */
static inline void world_init(struct world *w, unsigned count, double lan,
			      void (*make_key)(unsigned number, uint8_t *key))
{
	struct random random = { 4242 };

	w->count = count;
	w->nodes = calloc(w->count, sizeof(*w->nodes));
	assert_non_null(w->nodes);
	for (unsigned i = 0; i < w->count; i++) {
		struct netaddr addr = tables_random_addr(&random, lan);
		uint8_t key[KADEMLIA_KEY_LEN];

		for (unsigned j = 0; j < sizeof(key); j++)
			key[j] = (uint8_t)random_next(&random);
		if (make_key != NULL)
			make_key(i, key);
		w->nodes[i].number = i;
		w->nodes[i].node = kademlia_node(key, &addr, 30303);
		w->nodes[i].online = random_unit(&random) < 0.7;
	}
	qsort(w->nodes, w->count, sizeof(*w->nodes), tables_by_hash);
	w->asker = netaddr_ipv4(0x08080808, 30303);
}

static inline void world_clear(struct world *w)
{
	for (unsigned i = 0; i < w->count; i++) {
		free(w->nodes[i].named);
		free(w->nodes[i].truth);
	}
	free(w->nodes);
}

static inline unsigned index_of(const struct world *w, const uint8_t hash[KADEMLIA_HASH_LEN])
{
	struct node key;
	const struct node *found;

	memcpy(key.node.hash, hash, KADEMLIA_HASH_LEN);
	found = bsearch(&key, w->nodes, w->count, sizeof(*w->nodes), tables_by_hash);
	assert_non_null(found);
	return (unsigned)(found - w->nodes);
}

/* Of the nodes lo .. hi - 1 the table's owner has met up to `met`. */
static inline void tables_meet(const struct world *w, struct kademlia *t, unsigned lo, unsigned hi,
			       unsigned met, struct random *random)
{
	unsigned span = hi - lo, first = span > 0 ? (unsigned)random_below(random, span) : 0;

	/* A stride through the range, as nodes of one range are near each other. */
	for (unsigned i = 0; i < span && i < met; i++) {
		unsigned at = span <= met ? lo + (first + i) % span
					  : lo + (unsigned)random_below(random, span);

		kademlia_add(t, &w->nodes[at].node, 0, random);
	}
}

/* As the table of node `at` looks like after it has run for a while. */
static inline void table_make(const struct world *w, unsigned at, struct kademlia *t)
{
	struct random random = { 1000 + at };
	struct kademlia_node checked;
	unsigned lo = 0, hi = w->count;
	/* One in twenty has just started; of those some know nobody. */
	bool newcomer = at % 20 == 0;
	unsigned met = newcomer ? at / 20 % 3 : TABLES_MET_MAX;
	unsigned checks = newcomer ? 5 : 20 + (unsigned)random_below(&random, 580);

	kademlia_init(t, w->nodes[at].node.hash);
	for (unsigned bit = 0; hi - lo > 1; bit++) {
		unsigned a = lo, b = hi; /* find the first that has the bit set */

		while (a < b) {
			unsigned mid = (a + b) / 2;

			if (tables_bit_of(w, mid, bit))
				b = mid;
			else
				a = mid + 1;
		}
		if (tables_bit_of(w, at, bit)) {
			tables_meet(w, t, lo, a, met, &random);
			lo = a;
		} else {
			tables_meet(w, t, a, hi, met, &random);
			hi = a;
		}
	}
	for (unsigned i = 0; i < checks && kademlia_deadline(t) != UINT64_MAX; i++) {
		uint64_t now_ms = kademlia_deadline(t);

		if (!kademlia_due(t, now_ms, &random, &checked))
			continue;
		/* Some that are gone now were there then. */
		if (w->nodes[index_of(w, checked.hash)].online || random_unit(&random) < 0.1)
			kademlia_alive(t, &checked, now_ms, &random);
		else
			kademlia_silent(t, &checked, now_ms, &random);
	}
}

static inline int tables_by_number(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* All that node `at` would ever name to us, by looking into its table. */
static inline void truth_of(struct world *w, unsigned at, const struct kademlia *t)
{
	struct node *n = &w->nodes[at];
	bool live = false;

	n->truth = calloc(KADEMLIA_ENTRIES_MAX, sizeof(*n->truth));
	n->named = calloc(KADEMLIA_ENTRIES_MAX, sizeof(*n->named));
	assert_true(n->truth != NULL && n->named != NULL);
	for (int pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < KADEMLIA_BUCKETS; i++) {
			for (unsigned j = 0; j < t->buckets[i].entry_count; j++) {
				const struct kademlia_entry *e = &t->buckets[i].entries[j];

				if (pass == 0)
					live = live || e->live;
				else if ((e->live || !live) &&
					 relay_check(&n->node.addr, &e->node.addr) == RELAY_OK &&
					 (!relay_is_lan(&e->node.addr) || relay_is_lan(&w->asker)))
					n->truth[n->truth_count++] =
						(uint16_t)index_of(w, e->node.hash);
			}
		}
	}
	qsort(n->truth, n->truth_count, sizeof(*n->truth), tables_by_number);
}

/* Everybody who can be reached by what the nodes name (lists: named, else truth). */
static inline unsigned world_crawl(const struct world *w, const unsigned *seeds,
				   unsigned seed_count, bool named, bool *reached)
{
	uint16_t *queue = calloc(w->count, sizeof(*queue));
	unsigned count = 0;

	assert_non_null(queue);
	memset(reached, 0, w->count * sizeof(*reached));
	for (unsigned i = 0; i < seed_count; i++) {
		reached[seeds[i]] = true;
		queue[count++] = (uint16_t)seeds[i];
	}
	for (unsigned i = 0; i < count; i++) {
		const struct node *n = &w->nodes[queue[i]];
		const uint16_t *list = named ? n->named : n->truth;
		unsigned list_count = named ? n->named_count : n->truth_count;

		for (unsigned j = 0; j < list_count; j++) {
			if (reached[list[j]] || !w->nodes[list[j]].online)
				continue;
			reached[list[j]] = true;
			queue[count++] = list[j];
		}
	}
	free(queue);
	return count;
}

#endif
