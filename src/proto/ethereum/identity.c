#include "proto/ethereum/identity.h"

#include "base/keccak.h"
#include "base/wipe.h"

#include <assert.h>
#include <string.h>

/* 32 bytes of the stream that belongs to (seed, nonce): Keccak-256 is one-way, and its input
 * has one length and a secret at its start. */
static void draw(const struct identity *id, uint64_t nonce, uint8_t number, uint8_t out[static 32])
{
	struct keccak k;
	uint8_t tail[9];

	for (unsigned i = 0; i < 8; i++)
		tail[i] = (uint8_t)(nonce >> (8 * i));
	tail[8] = number;
	keccak_init(&k);
	keccak_update(&k, slice_of(id->seed, sizeof(id->seed)));
	keccak_update(&k, slice_of(tail, sizeof(tail)));
	keccak_digest(&k, out);
	explicit_bzero(&k, sizeof(k));
}

static void draw_key(const struct identity *id, uint64_t nonce, uint8_t number,
		     struct secp_key *out)
{
	uint8_t bytes[32];

	/* All but one in 2^127 are a key: the second in a row is a fault of ours. */
	draw(id, nonce, number, bytes);
	if (!secp_key_init(out, bytes)) {
		draw(id, nonce, number | 0x80, bytes);
		if (!secp_key_init(out, bytes))
			assert(!"no key can be drawn");
	}
	explicit_bzero(bytes, sizeof(bytes));
}

void identity_init(struct identity *id, const struct secp_key *key,
		   const uint8_t random[static SECP_RANDOM_LEN + IDENTITY_SEED_LEN])
{
	memset(id, 0, sizeof(*id));
	secp_init(&id->secp, random);
	memcpy(id->seed, random + SECP_RANDOM_LEN, IDENTITY_SEED_LEN);
	if (key != NULL)
		id->key = *key;
	else
		draw_key(id, UINT64_MAX, 0x7f, &id->key);
	secp_public(&id->secp, &id->key, id->public);
}

void identity_clear(struct identity *id)
{
	secp_clear(&id->secp);
	secp_key_clear(&id->key);
	explicit_bzero(id, sizeof(*id));
}

void identity_local(const struct identity *id, uint64_t nonce, struct rlpx_local *out)
{
	uint8_t bytes[32];

	/* No literal: a compiler may make one on the stack first. */
	memset(out, 0, sizeof(*out));
	out->secp = &id->secp;
	out->key = id->key;
	draw_key(id, nonce, 0, &out->ephemeral);
	draw_key(id, nonce, 1, &out->ecies.ephemeral);
	draw(id, nonce, 2, out->nonce);
	draw(id, nonce, 3, bytes);
	memcpy(out->ecies.iv, bytes, sizeof(out->ecies.iv));
	out->padding = bytes[31];
	explicit_bzero(bytes, sizeof(bytes));
	wipe_stack(); /* Keccak's */
}
