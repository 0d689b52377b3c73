#include "base/hash.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

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
	struct sip s = sip_start(key);
	size_t left = len;

	for (; left >= 8; left -= 8, p += 8) {
		uint64_t m;

		memcpy(&m, p, sizeof(m)); /* one load: this runs for every address named */
		m = le64toh(m);
		s.d ^= m;
		sip_round(&s);
		s.a ^= m;
	}
	return sip_end(&s, word(p, left), len);
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
