#include "proto/ethereum/kademlia.h"

#include "base/keccak.h"
#include "proto/ethereum/relay.h"

#include <assert.h>
#include <string.h>

static const uint64_t interval_ms[KADEMLIA_LISTS] = { KADEMLIA_FAST_MS, KADEMLIA_SLOW_MS };

void kademlia_hash(const uint8_t key[static KADEMLIA_KEY_LEN],
		   uint8_t out[static KADEMLIA_HASH_LEN])
{
	keccak_256(slice_of(key, KADEMLIA_KEY_LEN), out);
}

struct kademlia_node kademlia_node(const uint8_t key[static KADEMLIA_KEY_LEN],
				   const struct netaddr *addr, uint16_t tcp_port)
{
	struct kademlia_node node = { .addr = *addr, .tcp_port = tcp_port };

	memcpy(node.key, key, sizeof(node.key));
	kademlia_hash(key, node.hash);
	return node;
}

unsigned kademlia_common(const uint8_t a[static KADEMLIA_HASH_LEN],
			 const uint8_t b[static KADEMLIA_HASH_LEN])
{
	for (unsigned i = 0; i < KADEMLIA_HASH_LEN; i++) {
		unsigned differs = a[i] ^ b[i];

		if (differs != 0)
			return 8 * i + (unsigned)__builtin_clz(differs) - 24;
	}
	return KADEMLIA_HASH_BITS;
}

unsigned kademlia_log_distance(const uint8_t a[static KADEMLIA_HASH_LEN],
			       const uint8_t b[static KADEMLIA_HASH_LEN])
{
	return KADEMLIA_HASH_BITS - kademlia_common(a, b);
}

int kademlia_compare(const uint8_t target[static KADEMLIA_HASH_LEN],
		     const uint8_t a[static KADEMLIA_HASH_LEN],
		     const uint8_t b[static KADEMLIA_HASH_LEN])
{
	for (unsigned i = 0; i < KADEMLIA_HASH_LEN; i++) {
		if (a[i] != b[i])
			return (a[i] ^ target[i]) < (b[i] ^ target[i]) ? -1 : 1;
	}
	return 0;
}

static bool same(const uint8_t a[static KADEMLIA_HASH_LEN],
		 const uint8_t b[static KADEMLIA_HASH_LEN])
{
	return memcmp(a, b, KADEMLIA_HASH_LEN) == 0;
}

void kademlia_init(struct kademlia *t, const uint8_t self[static KADEMLIA_HASH_LEN])
{
	memset(t, 0, sizeof(*t));
	memcpy(t->self, self, sizeof(t->self));
	t->next_ms[KADEMLIA_FAST] = UINT64_MAX;
	t->next_ms[KADEMLIA_SLOW] = UINT64_MAX;
}

static struct kademlia_bucket *bucket_of(struct kademlia *t,
					 const uint8_t hash[static KADEMLIA_HASH_LEN])
{
	unsigned common = kademlia_common(t->self, hash);

	return &t->buckets[common < KADEMLIA_BUCKETS ? common : KADEMLIA_BUCKETS - 1];
}

static struct kademlia_entry *entry_of(struct kademlia_bucket *b,
				       const uint8_t hash[static KADEMLIA_HASH_LEN])
{
	for (unsigned i = 0; i < b->entry_count; i++) {
		if (same(b->entries[i].node.hash, hash))
			return &b->entries[i];
	}
	return NULL;
}

const struct kademlia_entry *kademlia_find(const struct kademlia *t,
					   const uint8_t hash[static KADEMLIA_HASH_LEN])
{
	/* The table is not changed: the cast only spares a second copy of the look-ups. */
	return entry_of(bucket_of((struct kademlia *)t, hash), hash);
}

unsigned kademlia_count(const struct kademlia *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < KADEMLIA_BUCKETS; i++)
		n += t->buckets[i].entry_count;
	return n;
}

static bool same_subnet(const struct netaddr *a, const struct netaddr *b)
{
	return a->kind == b->kind && memcmp(a->bytes, b->bytes, 3) == 0;
}

static unsigned subnet_count(const struct kademlia_bucket *b, const struct netaddr *addr)
{
	unsigned n = 0;

	for (unsigned i = 0; i < b->entry_count; i++)
		n += same_subnet(&b->entries[i].node.addr, addr);
	for (unsigned i = 0; i < b->replacement_count; i++)
		n += same_subnet(&b->replacements[i].addr, addr);
	return n;
}

/* Whether one more of that network may be kept in the bucket. leaving: one that makes
 * place for it, or NULL. */
static bool subnet_allows(const struct kademlia *t, const struct kademlia_bucket *b,
			  const struct netaddr *addr, const struct netaddr *leaving)
{
	unsigned spare = leaving != NULL && same_subnet(leaving, addr) ? 1 : 0;
	unsigned n = 0;

	if (relay_is_lan(addr))
		return true;
	if (subnet_count(b, addr) >= KADEMLIA_SUBNET_BUCKET + spare)
		return false;
	for (unsigned i = 0; i < KADEMLIA_BUCKETS; i++)
		n += subnet_count(&t->buckets[i], addr);
	return n < KADEMLIA_SUBNET_TABLE + spare;
}

static void list_schedule(struct kademlia *t, enum kademlia_list list, uint64_t now_ms,
			  struct random *random)
{
	t->next_ms[list] = now_ms + random_below(random, interval_ms[list]);
}

static void list_enter(struct kademlia *t, struct kademlia_entry *e, enum kademlia_list list,
		       uint64_t now_ms, struct random *random)
{
	e->list = (uint8_t)list;
	if (t->list_count[list]++ == 0)
		list_schedule(t, list, now_ms, random);
}

static void list_leave(struct kademlia *t, const struct kademlia_entry *e)
{
	assert(t->list_count[e->list] > 0);
	if (--t->list_count[e->list] == 0)
		t->next_ms[e->list] = UINT64_MAX;
}

static void list_move(struct kademlia *t, struct kademlia_entry *e, enum kademlia_list list,
		      uint64_t now_ms, struct random *random)
{
	if (e->list == list)
		return;
	list_leave(t, e);
	list_enter(t, e, list, now_ms, random);
}

static void entry_append(struct kademlia *t, struct kademlia_bucket *b,
			 const struct kademlia_node *node, uint64_t now_ms, struct random *random)
{
	struct kademlia_entry *e = &b->entries[b->entry_count++];

	*e = (struct kademlia_entry){ .node = *node };
	list_enter(t, e, KADEMLIA_FAST, now_ms, random);
}

static void replacement_remove(struct kademlia_bucket *b, unsigned at)
{
	b->replacement_count--;
	memmove(&b->replacements[at], &b->replacements[at + 1],
		(b->replacement_count - at) * sizeof(*b->replacements));
}

static enum kademlia_added replacement_add(struct kademlia *t, struct kademlia_bucket *b,
					   const struct kademlia_node *node)
{
	for (unsigned i = 0; i < b->replacement_count; i++) {
		if (same(b->replacements[i].hash, node->hash))
			return KADEMLIA_KNOWN;
	}
	if (!subnet_allows(t, b, &node->addr, NULL))
		return KADEMLIA_SUBNET_LIMIT;
	if (b->replacement_count == KADEMLIA_REPLACEMENTS)
		b->replacement_count--; /* the oldest goes */
	memmove(&b->replacements[1], &b->replacements[0],
		b->replacement_count * sizeof(*b->replacements));
	b->replacements[0] = *node;
	b->replacement_count++;
	return KADEMLIA_REPLACEMENT;
}

static enum kademlia_added entry_update(struct kademlia *t, struct kademlia_bucket *b,
					struct kademlia_entry *e, const struct kademlia_node *node,
					uint64_t now_ms, struct random *random)
{
	bool moved = !netaddr_equal(&e->node.addr, &node->addr);

	if (node->seq <= e->node.seq)
		return KADEMLIA_KNOWN;
	if (moved && !subnet_allows(t, b, &node->addr, &e->node.addr))
		return KADEMLIA_SUBNET_LIMIT;
	e->node = *node;
	if (!moved)
		return KADEMLIA_KNOWN;
	/* Nothing is known of the new address: not named to others until it is checked. */
	e->live = false;
	e->busy = false;
	list_move(t, e, KADEMLIA_FAST, now_ms, random);
	return KADEMLIA_MOVED;
}

enum kademlia_added kademlia_add(struct kademlia *t, const struct kademlia_node *node,
				 uint64_t now_ms, struct random *random)
{
	struct kademlia_bucket *b = bucket_of(t, node->hash);
	struct kademlia_entry *e = entry_of(b, node->hash);

	if (same(node->hash, t->self))
		return KADEMLIA_SELF;
	if (!netaddr_is_ip(&node->addr))
		return KADEMLIA_NO_IP;
	if (e != NULL)
		return entry_update(t, b, e, node, now_ms, random);
	if (b->entry_count == KADEMLIA_BUCKET_SIZE)
		return replacement_add(t, b, node);
	/* Replacements wait only for full buckets, so the node can't be one of them. */
	if (!subnet_allows(t, b, &node->addr, NULL))
		return KADEMLIA_SUBNET_LIMIT;
	entry_append(t, b, node, now_ms, random);
	return KADEMLIA_ADDED;
}

/* The entry number `at` of a list, of those that are not being checked. */
static struct kademlia_entry *list_at(struct kademlia *t, enum kademlia_list list, uint64_t at)
{
	for (unsigned i = 0; i < KADEMLIA_BUCKETS; i++) {
		struct kademlia_bucket *b = &t->buckets[i];

		for (unsigned j = 0; j < b->entry_count; j++) {
			if (b->entries[j].list == list && !b->entries[j].busy && at-- == 0)
				return &b->entries[j];
		}
	}
	return NULL;
}

static unsigned list_idle(const struct kademlia *t, enum kademlia_list list)
{
	unsigned n = 0;

	for (unsigned i = 0; i < KADEMLIA_BUCKETS; i++) {
		const struct kademlia_bucket *b = &t->buckets[i];

		for (unsigned j = 0; j < b->entry_count; j++)
			n += b->entries[j].list == list && !b->entries[j].busy;
	}
	return n;
}

bool kademlia_due(struct kademlia *t, uint64_t now_ms, struct random *random,
		  struct kademlia_node *out)
{
	for (int list = KADEMLIA_FAST; list < KADEMLIA_LISTS; list++) {
		struct kademlia_entry *e;
		unsigned idle;

		if (t->next_ms[list] > now_ms)
			continue;
		/* Also when all are being checked: look again after a while. */
		list_schedule(t, list, now_ms, random);
		idle = list_idle(t, list);
		if (idle == 0)
			continue;
		e = list_at(t, list, random_below(random, idle));
		e->busy = true;
		*out = e->node;
		return true;
	}
	return false;
}

uint64_t kademlia_deadline(const struct kademlia *t)
{
	uint64_t fast = t->next_ms[KADEMLIA_FAST], slow = t->next_ms[KADEMLIA_SLOW];

	return fast < slow ? fast : slow;
}

static struct kademlia_entry *checked_entry(struct kademlia_bucket *b,
					    const struct kademlia_node *checked)
{
	struct kademlia_entry *e = entry_of(b, checked->hash);

	return e != NULL && netaddr_equal(&e->node.addr, &checked->addr) ? e : NULL;
}

void kademlia_alive(struct kademlia *t, const struct kademlia_node *checked, uint64_t now_ms,
		    struct random *random)
{
	struct kademlia_entry *e = checked_entry(bucket_of(t, checked->hash), checked);

	if (e == NULL)
		return;
	e->busy = false;
	e->live = true;
	e->checks++;
	list_move(t, e, KADEMLIA_SLOW, now_ms, random);
}

static void entry_drop(struct kademlia *t, struct kademlia_bucket *b, struct kademlia_entry *e,
		       uint64_t now_ms, struct random *random)
{
	unsigned at = (unsigned)(e - b->entries);

	list_leave(t, e);
	b->entry_count--;
	memmove(e, e + 1, (b->entry_count - at) * sizeof(*e));
	if (b->replacement_count > 0) {
		unsigned pick = (unsigned)random_below(random, b->replacement_count);
		struct kademlia_node node = b->replacements[pick];

		replacement_remove(b, pick);
		entry_append(t, b, &node, now_ms, random);
	}
}

void kademlia_silent(struct kademlia *t, const struct kademlia_node *checked, uint64_t now_ms,
		     struct random *random)
{
	struct kademlia_bucket *b = bucket_of(t, checked->hash);
	struct kademlia_entry *e = checked_entry(b, checked);

	if (e == NULL)
		return;
	e->busy = false;
	e->checks /= KADEMLIA_FAILURE_DIVISOR;
	if (e->checks == 0)
		entry_drop(t, b, e, now_ms, random);
	else
		list_move(t, e, KADEMLIA_FAST, now_ms, random);
}

/* Puts a node in its place among the nearest; returns the new count. */
static size_t closest_insert(const uint8_t target[static KADEMLIA_HASH_LEN],
			     const struct kademlia_node *out[static KADEMLIA_BUCKET_SIZE],
			     size_t count, const struct kademlia_node *node)
{
	size_t at = count;

	if (count == KADEMLIA_BUCKET_SIZE) {
		if (kademlia_compare(target, node->hash, out[count - 1]->hash) >= 0)
			return count;
		at = --count;
	}
	for (; at > 0 && kademlia_compare(target, node->hash, out[at - 1]->hash) < 0; at--)
		out[at] = out[at - 1];
	out[at] = node;
	return count + 1;
}

size_t kademlia_closest(const struct kademlia *t, const uint8_t target[static KADEMLIA_HASH_LEN],
			const struct kademlia_node *out[static KADEMLIA_BUCKET_SIZE])
{
	size_t count = 0;
	bool live_only = false;

	for (unsigned i = 0; i < KADEMLIA_BUCKETS; i++) {
		const struct kademlia_bucket *b = &t->buckets[i];

		for (unsigned j = 0; j < b->entry_count; j++) {
			const struct kademlia_entry *e = &b->entries[j];

			if (live_only && !e->live)
				continue;
			if (e->live && !live_only) {
				live_only = true; /* the first: forget the others */
				count = 0;
			}
			count = closest_insert(target, out, count, &e->node);
		}
	}
	return count;
}
