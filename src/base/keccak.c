#include "base/keccak.h"

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

/* FIPS 202, 3.2.2 and 3.2.3: the lane that pi moves to next, and rho's turn for it. */
static const uint8_t pi_lane[24] = { 10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
				     15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1 };
static const uint8_t rho_turn[24] = { 1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
				      27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44 };

static uint64_t rotate(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

static void permute(uint64_t a[25])
{
	for (unsigned round = 0; round < 24; round++) {
		uint64_t c[5], t;

		for (unsigned x = 0; x < 5; x++)
			c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
		for (unsigned x = 0; x < 5; x++) {
			t = c[(x + 4) % 5] ^ rotate(c[(x + 1) % 5], 1);
			for (unsigned y = 0; y < 25; y += 5)
				a[x + y] ^= t;
		}
		t = a[1];
		for (unsigned i = 0; i < 24; i++) {
			uint64_t next = a[pi_lane[i]];

			a[pi_lane[i]] = rotate(t, rho_turn[i]);
			t = next;
		}
		for (unsigned y = 0; y < 25; y += 5) {
			memcpy(c, a + y, sizeof(c));
			for (unsigned x = 0; x < 5; x++)
				a[x + y] = c[x] ^ (~c[(x + 1) % 5] & c[(x + 2) % 5]);
		}
		a[0] ^= round_constants[round];
	}
}

static void absorb(uint64_t a[25], const uint8_t block[RATE])
{
	for (unsigned i = 0; i < RATE; i++)
		a[i / 8] ^= (uint64_t)block[i] << (8 * (i % 8));
	permute(a);
}

static void sponge(struct slice in, uint8_t padding, uint8_t out[32])
{
	uint64_t a[25] = { 0 };
	uint8_t last[RATE] = { 0 };

	while (in.len >= RATE) {
		absorb(a, in.data);
		in = slice_from(in, RATE);
	}
	if (in.len > 0)
		memcpy(last, in.data, in.len);
	last[in.len] = padding;
	last[RATE - 1] |= 0x80;
	absorb(a, last);
	for (unsigned i = 0; i < 32; i++)
		out[i] = (uint8_t)(a[i / 8] >> (8 * (i % 8)));
}

void keccak_256(struct slice in, uint8_t out[32])
{
	sponge(in, 0x01, out);
}

void sha3_256(struct slice in, uint8_t out[32])
{
	sponge(in, 0x06, out);
}
