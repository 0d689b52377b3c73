#include "base/keccak.h"

enum { RATE = 136 /* bytes absorbed at a time: 200 - 2 * 32 */ };

static const uint64_t round_constants[24] = {
	0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
	0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
	0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
	0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
	0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
	0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

/* FIPS 202, 3.2.2 and 3.2.3: X(lane, the lane that pi moves it to, rho's turn). Written
 * out, as the turns then are constants to the compiler: twice as fast as a loop. */
#define LANES(X)      \
	X(1, 10, 1)   \
	X(10, 7, 3)   \
	X(7, 11, 6)   \
	X(11, 17, 10) \
	X(17, 18, 15) \
	X(18, 3, 21)  \
	X(3, 5, 28)   \
	X(5, 16, 36)  \
	X(16, 8, 45)  \
	X(8, 21, 55)  \
	X(21, 24, 2)  \
	X(24, 4, 14)  \
	X(4, 15, 27)  \
	X(15, 23, 41) \
	X(23, 19, 56) \
	X(19, 13, 8)  \
	X(13, 12, 25) \
	X(12, 2, 43)  \
	X(2, 20, 62)  \
	X(20, 14, 18) \
	X(14, 22, 39) \
	X(22, 9, 61)  \
	X(9, 6, 20)   \
	X(6, 1, 44)

static uint64_t rotate(uint64_t v, unsigned by)
{
	return v << by | v >> (64 - by);
}

static void permute(uint64_t a[25])
{
	for (unsigned round = 0; round < 24; round++) {
		uint64_t b[25], c[5], d[5];

		for (unsigned x = 0; x < 5; x++)
			c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
		for (unsigned x = 0; x < 5; x++)
			d[x] = c[(x + 4) % 5] ^ rotate(c[(x + 1) % 5], 1);
		b[0] = a[0] ^ d[0];
#define MOVE(from, to, turn) b[to] = rotate(a[from] ^ d[(from) % 5], turn);
		LANES(MOVE)
#undef MOVE
		for (unsigned y = 0; y < 25; y += 5) {
			a[y] = b[y] ^ (~b[y + 1] & b[y + 2]);
			a[y + 1] = b[y + 1] ^ (~b[y + 2] & b[y + 3]);
			a[y + 2] = b[y + 2] ^ (~b[y + 3] & b[y + 4]);
			a[y + 3] = b[y + 3] ^ (~b[y + 4] & b[y]);
			a[y + 4] = b[y + 4] ^ (~b[y] & b[y + 1]);
		}
		a[0] ^= round_constants[round];
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
	for (size_t i = 0; i < in.len; i++) {
		absorb_byte(k, in.data[i]);
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
