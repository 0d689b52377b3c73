#include "sim/ethereum_sign.h"

#include "base/keccak.h"
#include "proto/ethereum/discv4_wire.h"

#include <assert.h>
#include <secp256k1.h>
#include <string.h>

/* The generator's x coordinate; its y is even. SEC 2, 2.4.1. */
static const uint8_t generator_x[32] = { 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac,
					 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b, 0x07,
					 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9,
					 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98 };
/* Half of the order of the curve, rounded down: a larger s is refused by many (EIP-2). */
static const uint8_t half_order[32] = { 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d,
					0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0 };

void sim_sign(const struct secp_key *key, const uint8_t hash[static 32],
	      uint8_t out[static SECP_SIGNATURE_LEN])
{
	const secp256k1_context *context = secp256k1_context_static;
	uint8_t s[32];
	int done;

	/* s = hash + r * key; only one hash in 2^127 is too large for that. */
	memcpy(s, key->bytes, sizeof(s));
	done = secp256k1_ec_seckey_tweak_mul(context, s, generator_x) &&
	       secp256k1_ec_seckey_tweak_add(context, s, hash);
	assert(done);
	out[64] = 0;
	if (memcmp(s, half_order, sizeof(s)) > 0) {
		done = secp256k1_ec_seckey_negate(context, s);
		assert(done);
		out[64] = 1;
	}
	(void)done;
	memcpy(out, generator_x, 32);
	memcpy(out + 32, s, 32);
}

void sim_hash_packet(uint8_t *packet, size_t len)
{
	keccak_256(slice_from(slice_of(packet, len), DISCV4_HASH_LEN), packet);
}

void sim_sign_packet(struct writer *w, size_t mark, const struct secp_key *key)
{
	enum { SIGNED_AT = DISCV4_HASH_LEN + SECP_SIGNATURE_LEN };
	uint8_t hash[32], *packet = w->data + mark;
	size_t len = w->len - mark;

	if (!writer_ok(w))
		return;
	assert(len >= DISCV4_PACKET_MIN);
	keccak_256(slice_from(slice_of(packet, len), SIGNED_AT), hash);
	sim_sign(key, hash, packet + DISCV4_HASH_LEN);
	sim_hash_packet(packet, len);
}
