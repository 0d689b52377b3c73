/* glance.h: for the question that a crawl asks most: is this address known already?
 *
 * Peers name a thousand others each, nearly all of whom are known. A glance is the
 * 64-bit hash of such an address, made where its bytes are; the cache holds the hashes of
 * addresses that are known. What is not in it may be known all the same: then the set of
 * all addresses (addrset.h) is asked.
 *
 * The hash is multilinear with factors of 128 bits, of which the upper half is kept: for
 * any two addresses the chance of one hash is 2^-64 (Lemire, Kaser: "Strongly universal
 * string hashing is fast", 2014), whoever chose them, as long as the key is secret. */
#ifndef PEERWALK_BASE_GLANCE_H
#define PEERWALK_BASE_GLANCE_H

#include "base/hash.h"
#include "base/netaddr.h"

enum {
	GLANCE_WORDS = 1 + NETADDR_BYTES_MAX / 8, /* kind and port; the address */
	/* 2 MiB, all of the processor's second cache: addresses beyond it are looked up in
	 * the set, as before there was a cache. */
	GLANCE_SLOTS_MAX = 1 << 18,
	/* Places that a hash may have, beside each other in one line of the processor's
	 * cache: the table stays small, and few are pushed out. */
	GLANCE_WAYS = 4,
};

struct glance_key {
	unsigned __int128 factors[GLANCE_WORDS], offset;
};

struct glance {
	uint64_t hash; /* never 0 */
	uint32_t at;   /* where the address stands in its message */
};

void glance_key_init(struct glance_key *k, const struct hash_key *key);

static inline uint64_t glance_end(unsigned __int128 sum)
{
	uint64_t hash = (uint64_t)(sum >> 64);

	return hash + (hash == 0); /* 0 is an empty slot */
}
/* Of an IPv4 address: its bytes and those of its port (big-endian), as a little-endian
 * number of 48 bits. */
static inline uint64_t glance_ipv4(const struct glance_key *k, uint64_t bytes)
{
	return glance_end(k->factors[0] * (bytes | (uint64_t)NETADDR_IPV4 << 48) + k->offset);
}
uint64_t glance_of(const struct glance_key *k, const struct netaddr *addr);

struct glance_cache {
	/* private */
	uint64_t *slots; /* in groups of GLANCE_WAYS */
	uint32_t mask, used;
};

/* ERR_NOMEM. */
enum err glance_cache_init(struct glance_cache *c);
void glance_cache_clear(struct glance_cache *c);
static inline bool glance_cache_has(const struct glance_cache *c, uint64_t hash)
{
	const uint64_t *ways = &c->slots[hash & c->mask];

	_Static_assert(GLANCE_WAYS == 4, "each is compared");
	/* Without a branch. */
	return (ways[0] == hash) | (ways[1] == hash) | (ways[2] == hash) | (ways[3] == hash);
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
