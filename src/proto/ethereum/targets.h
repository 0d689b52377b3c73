/* targets.h: keys for FINDNODE whose hash begins as wanted.
 *
 * FINDNODE names a 64-byte key, but tables are sorted by Keccak-256 of keys: to ask for
 * the surroundings of a hash one needs a key that hashes to there. One search at start
 * finds a key for each of the 65,536 ways in which a hash can begin; keys are numbers, so
 * that 256 KiB hold them all. As many bits as tell the 17 buckets of a table apart
 * (kademlia.h). Nodes don't check that the key of a FINDNODE is a point of the curve.
 *
 * The search always finds the same keys: fill one table at start, and share it. */
#ifndef PEERWALK_PROTO_ETHEREUM_TARGETS_H
#define PEERWALK_PROTO_ETHEREUM_TARGETS_H

#include "proto/ethereum/kademlia.h"

enum {
	TARGETS_BITS = 16,
	TARGETS_COUNT = 1 << TARGETS_BITS,
};

struct targets {
	uint32_t numbers[TARGETS_COUNT]; /* private; by prefix */
};

/* Some 700,000 hashes, about half a second. */
void targets_init(struct targets *t);
/* A key whose hash begins with these 16 bits. */
void targets_key(const struct targets *t, uint16_t prefix, uint8_t key[static KADEMLIA_KEY_LEN]);
/* A key whose hash has exactly `common` bits at its start in common with `hash`; from
 * TARGETS_BITS on: that many or more. */
void targets_near(const struct targets *t, const uint8_t hash[static KADEMLIA_HASH_LEN],
		  unsigned common, uint8_t key[static KADEMLIA_KEY_LEN]);

#endif
