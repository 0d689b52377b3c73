/* secp256k1.h: keys, signatures and shared secrets on the curve secp256k1, by libsecp256k1.
 *
 * The symbols are called secp_*, as the library owns secp256k1_*. What works on public
 * data alone (recover, verify, expand) needs no context. What touches a private key does:
 * struct secp belongs to the caller, is started with random bytes, which blind the
 * computation against side channels, and may be read by many threads afterwards.
 *
 * Nothing here allocates, draws random numbers or keeps a key: private keys are the
 * caller's, who ends their lives with secp_key_clear. */
#ifndef PEERWALK_CRYPTO_SECP256K1_H
#define PEERWALK_CRYPTO_SECP256K1_H

#include "base/bytes.h"

enum {
	SECP_KEY_LEN = 32,
	SECP_PUBLIC_LEN = 64,     /* x and y, big-endian: without the byte 04 before them */
	SECP_COMPRESSED_LEN = 33, /* 02 or 03 (y is even or odd), and x */
	SECP_SIGNATURE_LEN = 65,  /* r, s and the recovery id */
	SECP_RANDOM_LEN = 32,
	SECP_STATE_LEN = 512, /* libsecp256k1 0.2 needs 208 bytes; checked at the start */
};

struct secp {
	_Alignas(16) uint8_t state[SECP_STATE_LEN]; /* private */
};

void secp_init(struct secp *s, const uint8_t random[static SECP_RANDOM_LEN]);
void secp_clear(struct secp *s);

struct secp_key {
	uint8_t bytes[SECP_KEY_LEN];
};

/* False for zero and for what is not below the order of the curve: no key; *out is zero then.
 * Of random bytes all but one in 2^127 are a key. */
bool secp_key_init(struct secp_key *key, const uint8_t bytes[static SECP_KEY_LEN]);
void secp_key_clear(struct secp_key *key); /* wipes */

/* The keys given to these are what secp_key_init accepted; anything else is an assert. */
void secp_public(const struct secp *s, const struct secp_key *key,
		 uint8_t out[static SECP_PUBLIC_LEN]);
/* Deterministic (RFC 6979), and with the smaller of both possible s. */
void secp_sign(const struct secp *s, const struct secp_key *key, const uint8_t hash[static 32],
	       uint8_t out[static SECP_SIGNATURE_LEN]);
/* The x coordinate of the shared point, unhashed, as RLPx takes it; false, and zeros, if
 * `public` is no point of the curve. */
bool secp_ecdh_x(const struct secp *s, const struct secp_key *key,
		 const uint8_t public[static SECP_PUBLIC_LEN], uint8_t out[static 32]);
/* The whole shared point, compressed, as discv5 takes it. */
bool secp_ecdh_point(const struct secp *s, const struct secp_key *key,
		     const uint8_t public[static SECP_PUBLIC_LEN],
		     uint8_t out[static SECP_COMPRESSED_LEN]);

/* Who signed the hash; false, and zeros, if nobody can have. */
bool secp_recover(const uint8_t signature[static SECP_SIGNATURE_LEN], const uint8_t hash[static 32],
		  uint8_t out[static SECP_PUBLIC_LEN]);
/* r and s alone. The larger of both possible s is refused, as geth does: nobody else
 * can make a second valid signature of a first one. */
bool secp_verify(const uint8_t signature[static 64], const uint8_t hash[static 32],
		 const uint8_t public[static SECP_PUBLIC_LEN]);
/* Whether x and y are a point of the curve. */
bool secp_public_valid(const uint8_t public[static SECP_PUBLIC_LEN]);
/* From 33 bytes; false, and zeros, if there is no such point. */
bool secp_expand(const uint8_t compressed[static SECP_COMPRESSED_LEN],
		 uint8_t out[static SECP_PUBLIC_LEN]);
/* To 33 bytes; the y coordinate is taken on trust. */
void secp_compress(const uint8_t public[static SECP_PUBLIC_LEN],
		   uint8_t out[static SECP_COMPRESSED_LEN]);

#endif
