/* aes.h: AES one block at a time, and as a running stream (CTR), by OpenSSL's libcrypto.
 *
 * The states belong to the caller and are plain memory: they may be copied, and end with
 * aes_ctr_clear. Nothing allocates. */
#ifndef PEERWALK_CRYPTO_AES_H
#define PEERWALK_CRYPTO_AES_H

#include "base/bytes.h"

enum {
	AES_BLOCK_LEN = 16,
	AES_128_KEY_LEN = 16,
	AES_256_KEY_LEN = 32,
};

struct aes_key {
	_Alignas(8) uint8_t state[256]; /* private */
};
/* A key of 16 or 32 bytes; anything else is an assert. */
void aes_key_init(struct aes_key *k, struct slice key);
/* out may be in. */
void aes_block(const struct aes_key *k, const uint8_t in[static AES_BLOCK_LEN],
	       uint8_t out[static AES_BLOCK_LEN]);

/* Counter mode: what comes in pieces comes out as if it were whole. The counter is the
 * whole block, big-endian (NIST SP 800-38A, appendix B.1, with m = 128). */
struct aes_ctr {
	struct aes_key key; /* all private */
	uint8_t counter[AES_BLOCK_LEN], stream[AES_BLOCK_LEN];
	unsigned used; /* bytes of the stream's block that are spent */
};
void aes_ctr_init(struct aes_ctr *c, struct slice key, const uint8_t iv[static AES_BLOCK_LEN]);
/* Encrypts and decrypts alike; out may be in.data. */
void aes_ctr_apply(struct aes_ctr *c, struct slice in, uint8_t *out);
void aes_ctr_clear(struct aes_ctr *c); /* wipes */

#endif
