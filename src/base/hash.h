/* hash.h: SipHash-1-3, for tables whose keys strangers choose, and a seeded generator.
 *
 * The key keeps a peer from choosing addresses that all fall into one slot.
 * Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012. */
#ifndef PEERWALK_BASE_HASH_H
#define PEERWALK_BASE_HASH_H

#include "base/bytes.h"

struct hash_key {
	uint64_t k0, k1;
};

uint64_t hash_siphash13(const struct hash_key *key, const void *data, size_t len);

/* SplitMix64 (Steele, Lea, Flood, 2014): repeatable, not for secrets. */
struct random {
	uint64_t state;
};

static inline uint64_t random_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}
static inline uint64_t random_next(struct random *r)
{
	r->state += 0x9e3779b97f4a7c15ULL;
	return random_mix(r->state);
}
/* 0 <= result < bound; bound > 0. */
uint64_t random_below(struct random *r, uint64_t bound);
/* 0 <= result < 1. */
double random_unit(struct random *r);

#endif
