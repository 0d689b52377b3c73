#include "base/keccak.h"

#include <endian.h>
#include <string.h>

enum { RATE = 136 /* bytes absorbed at a time: 200 - 2 * 32 */ };

static const uint64_t round_constants[24] = {
	0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
	0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
	0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
	0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
	0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
	0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

/* FIPS 202, 3.2: theta, rho, pi, chi and iota. */
static inline uint64_t rotate(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

/* One round, from the lanes of a to those of e. Two of them in turn need no copying, and a row
 * at a time needs few registers: three times as fast as a loop over tables of 25 lanes. */
#define ROW(e, y, f0, r0, f1, r1, f2, r2, f3, r3, f4, r4) \
	b0 = rotate(f0, r0);                              \
	b1 = rotate(f1, r1);                              \
	b2 = rotate(f2, r2);                              \
	b3 = rotate(f3, r3);                              \
	b4 = rotate(f4, r4);                              \
	(e)[y] = b0 ^ (~b1 & b2);                         \
	(e)[(y) + 1] = b1 ^ (~b2 & b3);                   \
	(e)[(y) + 2] = b2 ^ (~b3 & b4);                   \
	(e)[(y) + 3] = b3 ^ (~b4 & b0);                   \
	(e)[(y) + 4] = b4 ^ (~b0 & b1);

static inline __attribute__((always_inline)) void keccak_round(const uint64_t a[25], uint64_t e[25],
							       uint64_t constant)
{
	uint64_t c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
	uint64_t c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
	uint64_t c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
	uint64_t c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
	uint64_t c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
	uint64_t d0 = c4 ^ rotate(c1, 1), d1 = c0 ^ rotate(c2, 1), d2 = c1 ^ rotate(c3, 1);
	uint64_t d3 = c2 ^ rotate(c4, 1), d4 = c3 ^ rotate(c0, 1);
	uint64_t b0, b1, b2, b3, b4;

	b0 = a[0] ^ d0;
	b1 = rotate(a[6] ^ d1, 44);
	b2 = rotate(a[12] ^ d2, 43);
	b3 = rotate(a[18] ^ d3, 21);
	b4 = rotate(a[24] ^ d4, 14);
	e[0] = b0 ^ (~b1 & b2) ^ constant;
	e[1] = b1 ^ (~b2 & b3);
	e[2] = b2 ^ (~b3 & b4);
	e[3] = b3 ^ (~b4 & b0);
	e[4] = b4 ^ (~b0 & b1);
	ROW(e, 5, a[3] ^ d3, 28, a[9] ^ d4, 20, a[10] ^ d0, 3, a[16] ^ d1, 45, a[22] ^ d2, 61)
	ROW(e, 10, a[1] ^ d1, 1, a[7] ^ d2, 6, a[13] ^ d3, 25, a[19] ^ d4, 8, a[20] ^ d0, 18)
	ROW(e, 15, a[4] ^ d4, 27, a[5] ^ d0, 36, a[11] ^ d1, 10, a[17] ^ d2, 15, a[23] ^ d3, 56)
	ROW(e, 20, a[2] ^ d2, 62, a[8] ^ d3, 55, a[14] ^ d4, 39, a[15] ^ d0, 41, a[21] ^ d1, 2)
}

static void permute(uint64_t a[25])
{
	uint64_t e[25];

	for (unsigned round = 0; round < 24; round += 2) {
		keccak_round(a, e, round_constants[round]);
		keccak_round(e, a, round_constants[round + 1]);
	}
}

static void absorb_byte(struct keccak *k, uint8_t byte)
{
	k->lanes[k->at / 8] ^= (uint64_t)byte << (8 * (k->at % 8));
	k->at++;
}

void keccak_init(struct keccak *k)
{
	*k = (struct keccak){ 0 };
}

void keccak_update(struct keccak *k, struct slice in)
{
	for (size_t i = 0; i < in.len;) {
		if (k->at % 8 == 0 && in.len - i >= 8) {
			uint64_t lane;

			memcpy(&lane, in.data + i, sizeof(lane));
			k->lanes[k->at / 8] ^= le64toh(lane);
			k->at += 8;
			i += 8;
		} else {
			absorb_byte(k, in.data[i++]);
		}
		if (k->at == RATE) {
			permute(k->lanes);
			k->at = 0;
		}
	}
}

/* k is used up by this. */
static void squeeze(struct keccak *k, uint8_t padding, uint8_t out[32])
{
	absorb_byte(k, padding);
	k->at = RATE - 1;
	absorb_byte(k, 0x80);
	permute(k->lanes);
	for (unsigned i = 0; i < 32; i++)
		out[i] = (uint8_t)(k->lanes[i / 8] >> (8 * (i % 8)));
}

void keccak_digest(const struct keccak *k, uint8_t out[32])
{
	struct keccak copy = *k;

	squeeze(&copy, 0x01, out);
	/* Who knows the state can go back to what was put in, which may be secret. */
	explicit_bzero(&copy, sizeof(copy));
}

static void sponge(struct slice in, uint8_t padding, uint8_t out[32])
{
	struct keccak k;

	keccak_init(&k);
	keccak_update(&k, in);
	squeeze(&k, padding, out);
}

void keccak_256(struct slice in, uint8_t out[32])
{
	sponge(in, 0x01, out);
}

void sha3_256(struct slice in, uint8_t out[32])
{
	sponge(in, 0x06, out);
}
