#include "base/hash.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

struct sip {
	uint64_t a, b, c, d;
};

static uint64_t rotate(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

static void sip_round(struct sip *s)
{
	s->a += s->b;
	s->c += s->d;
	s->b = rotate(s->b, 13) ^ s->a;
	s->d = rotate(s->d, 16) ^ s->c;
	s->a = rotate(s->a, 32);
	s->c += s->b;
	s->a += s->d;
	s->b = rotate(s->b, 17) ^ s->c;
	s->d = rotate(s->d, 21) ^ s->a;
	s->c = rotate(s->c, 32);
}

static uint64_t word(const uint8_t *p, size_t len)
{
	uint64_t v = 0;

	for (size_t i = 0; i < len; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

uint64_t hash_siphash13(const struct hash_key *key, const void *data, size_t len)
{
	const uint8_t *p = data;
	struct sip s = { key->k0 ^ 0x736f6d6570736575, key->k1 ^ 0x646f72616e646f6d,
			 key->k0 ^ 0x6c7967656e657261, key->k1 ^ 0x7465646279746573 };
	uint64_t m;
	size_t left = len;

	for (; left >= 8; left -= 8, p += 8) {
		memcpy(&m, p, sizeof(m)); /* one load: this runs for every address named */
		m = le64toh(m);
		s.d ^= m;
		sip_round(&s);
		s.a ^= m;
	}
	m = (uint64_t)len << 56 | word(p, left);
	s.d ^= m;
	sip_round(&s);
	s.a ^= m;
	s.c ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}

uint64_t random_below(struct random *r, uint64_t bound)
{
	assert(bound > 0);
	/* Multiply-shift: the bias is below 2^-32 for the bounds used here. */
	return (uint64_t)(((unsigned __int128)random_next(r) * bound) >> 64);
}

double random_unit(struct random *r)
{
	return (double)(random_next(r) >> 11) * 0x1p-53;
}
