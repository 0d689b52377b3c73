/* sha256.h: SHA-256 and double SHA-256, by OpenSSL's libcrypto. */
#ifndef PEERWALK_CRYPTO_SHA256_H
#define PEERWALK_CRYPTO_SHA256_H

#include "base/bytes.h"

/* SHA-256 of what comes in pieces. */
struct sha256 {
	_Alignas(8) uint8_t state[112]; /* private */
};
void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, struct slice in);
void sha256_final(struct sha256 *s, uint8_t out[32]);

void sha256(struct slice in, uint8_t out[32]);
void sha256d(struct slice in, uint8_t out[32]); /* SHA-256 of the SHA-256 */

#endif
