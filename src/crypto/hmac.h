/* hmac.h: HMAC-SHA256 (RFC 2104). */
#ifndef PEERWALK_CRYPTO_HMAC_H
#define PEERWALK_CRYPTO_HMAC_H

#include "crypto/sha256.h"

/* Of the parts, one after the other. */
void hmac_sha256(struct slice key, const struct slice *parts, size_t count, uint8_t out[32]);

/* Whether two MACs agree, in a time that doesn't tell where they differ. */
bool mac_equal(const uint8_t *a, const uint8_t *b, size_t len);

#endif
