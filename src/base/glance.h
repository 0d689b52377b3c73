/* glance.h: for the question that a crawl asks most: is this address known already?
 *
 * Peers name a thousand others each, nearly all of whom are known. A glance is the
 * 64-bit hash of such an address, made where its bytes are; the cache holds the hashes of
 * addresses that are known. What is not in it may be known all the same: then the set of
 * all addresses (addrset.h) is asked.
 *
 * The hash is multilinear with factors of 128 bits, of which the upper half is kept: for
 * any two addresses the chance of one hash is 2^-64 (Lemire, Kaser: "Strongly universal
 * string hashing is fast", 2014), whoever chose them, as long as the key is secret. The
 * cache goes by a place and 31 more bits: one new address in 500 million is taken for a
 * known one, and nobody can choose which. With all 64 bits it would be twice the
 * size, and the processor would wait for it. */
#ifndef PEERWALK_BASE_GLANCE_H
#define PEERWALK_BASE_GLANCE_H

#include "base/hash.h"
#include "base/netaddr.h"

enum {
	GLANCE_WORDS = 1 + NETADDR_BYTES_MAX / 8, /* kind and port; the address */
	/* 1 MiB, all of a processor's second cache. Addresses beyond it are looked up in
	 * the set. */
	GLANCE_SLOTS_MAX = 1 << 18,
	/* Places that a hash may have, beside each other in one line of the processor's
	 * cache: the table stays small, and few are pushed out. */
	GLANCE_WAYS = 4,
};

struct glance_key {
	unsigned __int128 factors[GLANCE_WORDS], offset;
};

struct glance {
	uint64_t hash;
	uint32_t at; /* where the address stands in its message */
};

void glance_key_init(struct glance_key *k, const struct hash_key *key);

/* Of an IPv4 address: its bytes and those of its port (big-endian), as a little-endian
 * number of 48 bits. */
static inline uint64_t glance_ipv4(const struct glance_key *k, uint64_t bytes)
{
	uint64_t word = bytes | (uint64_t)NETADDR_IPV4 << 48;

	return (uint64_t)((k->factors[0] * word + k->offset) >> 64);
}
uint64_t glance_of(const struct glance_key *k, const struct netaddr *addr);

struct glance_cache {
	/* private */
	uint32_t *slots; /* in groups of GLANCE_WAYS; 0: empty */
	uint32_t mask, used;
};

/* ERR_NOMEM. */
enum err glance_cache_init(struct glance_cache *c);
void glance_cache_clear(struct glance_cache *c);
/* What a slot keeps: bits that don't choose the place. */
static inline uint32_t glance_mark(uint64_t hash)
{
	return (uint32_t)(hash >> 32) | 1;
}
static inline bool glance_cache_has(const struct glance_cache *c, uint64_t hash)
{
	const uint32_t *ways = &c->slots[hash & c->mask];
	uint32_t mark = glance_mark(hash);

	_Static_assert(GLANCE_WAYS == 4, "each is compared");
	/* Without a branch. */
	return (ways[0] == mark) | (ways[1] == mark) | (ways[2] == mark) | (ways[3] == mark);
}
static inline void glance_cache_prefetch(const struct glance_cache *c, uint64_t hash)
{
	__builtin_prefetch(&c->slots[hash & c->mask]);
}
/* Remembers, perhaps in another's place. */
void glance_cache_put(struct glance_cache *c, uint64_t hash);
void glance_cache_drop(struct glance_cache *c, uint64_t hash);
size_t glance_cache_bytes(const struct glance_cache *c);

#endif
