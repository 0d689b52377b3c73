/* keccak.h: Keccak-256 with the original padding (Ethereum) and SHA3-256 (FIPS 202; Tor's names).
 *
 * Own code: no packaged C library offers the original padding. It stands in base,
 * not in crypto, because the text of a Tor v3 address needs it. */
#ifndef PEERWALK_BASE_KECCAK_H
#define PEERWALK_BASE_KECCAK_H

#include "base/bytes.h"

void keccak_256(struct slice in, uint8_t out[32]);
void sha3_256(struct slice in, uint8_t out[32]);

/* Keccak-256 of what comes in pieces. The digest can be taken again and again: it is that
 * of all bytes so far, and more may follow (RLPx's running MACs). */
struct keccak {
	uint64_t lanes[25]; /* private */
	unsigned at;        /* bytes of the block absorbed so far */
};
void keccak_init(struct keccak *k);
void keccak_update(struct keccak *k, struct slice in);
void keccak_digest(const struct keccak *k, uint8_t out[32]);

#endif
