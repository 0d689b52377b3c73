/* glance.h: for the question that a crawl asks most: is this address known already?
 *
 * Peers name a thousand others each, nearly all of whom are known. A glance is the
 * 64-bit hash of such an address, made where its bytes are; the cache holds halves of the
 * hashes of addresses that are known. What is not in it may be known all the same: then the
 * set of all addresses (addrset.h) is asked.
 *
 * The hash is multilinear with factors of 128 bits, of which the upper half is kept: for
 * any two addresses the chance of one hash is 2^-64 (Lemire, Kaser: "Strongly universal
 * string hashing is fast", 2014), whoever chose them, as long as the key is secret.
 *
 * Each look-up waits for memory, so the cache is small above all: it keeps 32 bits of a hash, in
 * a place that the others choose. A new address is taken for a known one, and missed by that
 * crawl, with a chance of 17 in 2^32 at most (16 places, and one half looks like an empty one): one
 * address in 2,500 crawls of a hundred thousand. The next crawl has another key. */
#ifndef PEERWALK_BASE_GLANCE_H
#define PEERWALK_BASE_GLANCE_H

#include "base/hash.h"
#include "base/netaddr.h"

enum {
	GLANCE_WORDS = 1 + NETADDR_BYTES_MAX / 8, /* kind and port; the address */
	/* 2 MiB, all of the processor's second cache. A larger one, of which each look-up waits for
	 * memory, is still faster than the set, which has two of them to wait for: it grows to
	 * 16 MiB, but never beyond 5.4 bytes a known address (glance_cache_expect). Addresses
	 * beyond it are looked up in the set, as if there were no cache. */
	GLANCE_SLOTS_NEAR = 1 << 19,
	GLANCE_SLOTS_MAX = 1 << 22,
	/* Places that a hash may have, one line of the processor's cache: the table may be
	 * nearly full before anybody is pushed out. */
	GLANCE_WAYS = 16,
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
	uint32_t *slots; /* in groups of GLANCE_WAYS; 0: empty */
	uint32_t mask, used;
};

static inline uint32_t glance_tag(uint64_t hash)
{
	return (uint32_t)(hash >> 32);
}
/* ERR_NOMEM. */
enum err glance_cache_init(struct glance_cache *c);
void glance_cache_clear(struct glance_cache *c);
static inline bool glance_cache_has(const struct glance_cache *c, uint64_t hash)
{
	const uint32_t *ways = &c->slots[hash & c->mask];
	uint32_t tag = glance_tag(hash), found = 0;

	_Static_assert(GLANCE_WAYS == 16, "each is compared");
	/* Without a branch, four of them at a time where the processor can. */
	for (unsigned i = 0; i < 4; i++)
		found |= (ways[i] == tag) | (ways[i + 4] == tag) | (ways[i + 8] == tag) |
			 (ways[i + 12] == tag);
	return found != 0;
}
static inline void glance_cache_prefetch(const struct glance_cache *c, uint64_t hash)
{
	__builtin_prefetch(&c->slots[hash & c->mask]);
}
/* Remembers, perhaps in another's place. By itself it grows to GLANCE_SLOTS_NEAR. */
void glance_cache_put(struct glance_cache *c, uint64_t hash);
/* So many addresses are known by now: it grows further if they fill it one and a half times. */
void glance_cache_enlarge(struct glance_cache *c, uint32_t known);
static inline void glance_cache_expect(struct glance_cache *c, uint32_t known)
{
	if (known / 3 > (c->mask + GLANCE_WAYS) / 2)
		glance_cache_enlarge(c, known);
}
void glance_cache_drop(struct glance_cache *c, uint64_t hash);
size_t glance_cache_bytes(const struct glance_cache *c);

#endif
