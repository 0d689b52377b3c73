/* identity.h: who we are on an Ethereum network: one key, for discovery and for sessions.
 *
 * Sessions need random numbers that nobody can guess, and have no source of their own: they
 * are drawn from a secret seed and from the number that each session is given (its nonce),
 * which must not repeat. The caller owns the struct, and wipes it with identity_clear. */
#ifndef PEERWALK_PROTO_ETHEREUM_IDENTITY_H
#define PEERWALK_PROTO_ETHEREUM_IDENTITY_H

#include "crypto/secp256k1.h"
#include "proto/ethereum/rlpx.h"

enum { IDENTITY_SEED_LEN = 32 };

struct identity {
	struct secp secp;
	struct secp_key key;
	uint8_t public[SECP_PUBLIC_LEN];
	uint8_t seed[IDENTITY_SEED_LEN]; /* private */
};

/* random: secret, never used before; wipe it. key: NULL for one drawn from random. */
void identity_init(struct identity *id, const struct secp_key *key,
		   const uint8_t random[static SECP_RANDOM_LEN + IDENTITY_SEED_LEN]);
void identity_clear(struct identity *id); /* wipes */

/* Our part of RLPx session number `nonce`: key and random numbers. To be wiped by the caller
 * (struct rlpx_local holds keys). */
void identity_local(const struct identity *id, uint64_t nonce, struct rlpx_local *out);

#endif
