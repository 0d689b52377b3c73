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

/* The state of the hash; for the two functions below. */
struct sip {
	uint64_t a, b, c, d;
};

static inline uint64_t hash_rotate(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}
static inline void sip_round(struct sip *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = hash_rotate(s->b, 13) ^ s->a;
	s->d = hash_rotate(s->d, 16) ^ s->c;
	s->a = hash_rotate(s->a, 32);
	s->c += s->b;
	s->a += s->d;
	s->b = hash_rotate(s->b, 17) ^ s->c;
	s->d = hash_rotate(s->d, 21) ^ s->a;
	s->c = hash_rotate(s->c, 32);
}
static inline struct sip sip_start(const struct hash_key *key)
{
	return (struct sip){ key->k0 ^ 0x736f6d6570736575, key->k1 ^ 0x646f72616e646f6d,
			     key->k0 ^ 0x6c7967656e657261, key->k1 ^ 0x7465646279746573 };
}
/* tail: the last len % 8 bytes, little-endian; len: of the whole input. */
static inline uint64_t sip_end(struct sip *s, uint64_t tail, size_t len)
{
	uint64_t m = (uint64_t)len << 56 | tail;

	s->d ^= m;
	sip_round(s);
	s->a ^= m;
	s->c ^= 0xff;
	sip_round(s);
	sip_round(s);
	sip_round(s);
	return s->a ^ s->b ^ s->c ^ s->d;
}
/* hash_siphash13 of len < 8 bytes that are at hand as one little-endian number:
 * without a call, as this runs for every address that a peer names. */
static inline uint64_t hash_siphash13_short(const struct hash_key *key, uint64_t bytes, size_t len)
{
	struct sip s = sip_start(key);

	return sip_end(&s, bytes, len);
}

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
