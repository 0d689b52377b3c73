/* sha256.h: SHA-256 and double SHA-256, by OpenSSL's libcrypto. */
#ifndef PEERWALK_CRYPTO_SHA256_H
#define PEERWALK_CRYPTO_SHA256_H

#include "base/bytes.h"

void sha256(struct slice in, uint8_t out[32]);
void sha256d(struct slice in, uint8_t out[32]); /* SHA-256 of the SHA-256 */

#endif
