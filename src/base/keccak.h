/* keccak.h: Keccak-256 with the original padding (Ethereum) and SHA3-256 (FIPS 202; Tor's names).
 *
 * Own code: no packaged C library offers the original padding. It stands in base,
 * not in crypto, because the text of a Tor v3 address needs it. */
#ifndef PEERWALK_BASE_KECCAK_H
#define PEERWALK_BASE_KECCAK_H

#include "base/bytes.h"

void keccak_256(struct slice in, uint8_t out[32]);
void sha3_256(struct slice in, uint8_t out[32]);

#endif
