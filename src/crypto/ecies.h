/* ecies.h: ECIES on secp256k1 as RLPx has it: a message that one key alone can open.
 *
 * Source: the devp2p specifications, rlpx.md, "ECIES Encryption". The message is
 *
 *     04, ephemeral public key (64) | iv (16) | AES-128-CTR of the text | HMAC (32)
 *
 * The keys come from the shared x coordinate by the concatenation KDF (NIST SP 800-56A) with
 * SHA-256; the MAC covers iv, text and the shared data, which is not part of the message.
 * Nothing allocates. */
#ifndef PEERWALK_CRYPTO_ECIES_H
#define PEERWALK_CRYPTO_ECIES_H

#include "crypto/secp256k1.h"

enum {
	ECIES_IV_LEN = 16,
	ECIES_MAC_LEN = 32,
	/* What a message is longer than its text. */
	ECIES_OVERHEAD = 1 + SECP_PUBLIC_LEN + ECIES_IV_LEN + ECIES_MAC_LEN,
};

/* Random, and never used twice: the caller draws it. */
struct ecies_random {
	struct secp_key ephemeral;
	uint8_t iv[ECIES_IV_LEN];
};

/* Writes text.len + ECIES_OVERHEAD bytes; out must not overlap the text. False if `to` is no
 * point of the curve. */
bool ecies_encrypt(const struct secp *s, const uint8_t to[static SECP_PUBLIC_LEN],
		   const struct ecies_random *random, struct slice shared, struct slice text,
		   uint8_t *out);
/* Writes in.len - ECIES_OVERHEAD bytes. False, and nothing written, if the message is too
 * short, isn't for this key, or was changed. */
bool ecies_decrypt(const struct secp *s, const struct secp_key *key, struct slice shared,
		   struct slice in, uint8_t *out);

#endif
