/* eth.h: the first message of the eth capability: which chain a node is on, and how far.
 *
 * Source: the devp2p specifications, caps/eth.md; EIP-7642 for the form from eth/69 on.
 *
 *     eth/66 to 68: [version, network, total difficulty, head, genesis, fork id]
 *     eth/69 to 72: [version, network, genesis, fork id, earliest, latest, latest hash]
 *
 * Integers may have leading zeros; what the list has more is ignored. */
#ifndef PEERWALK_PROTO_ETHEREUM_ETH_H
#define PEERWALK_PROTO_ETHEREUM_ETH_H

#include "proto/ethereum/forkid.h"
#include "proto/ethereum/p2p.h"

enum {
	ETH_STATUS = 0x00, /* the message's id, from the capability's first */
	ETH_VERSION_FIRST = 66,
	ETH_VERSION_RANGES = 69, /* from here on: the range of blocks, no difficulty */
	ETH_VERSION_LAST = 72,
	ETH_VERSIONS = ETH_VERSION_LAST - ETH_VERSION_FIRST + 1,
	/* A Status that we take. It has 90 to 190 bytes. */
	ETH_STATUS_MAX = 1024,
};

/* What we offer in a Hello: all versions, the oldest first. */
extern const struct p2p_offer eth_offers[ETH_VERSIONS];

struct eth_status {
	uint32_t version;
	uint64_t network_id;
	uint8_t genesis[32];
	struct forkid forkid;
	uint8_t head[32]; /* hash of the newest block */
	/* Up to eth/68. Big-endian, as wide as a word of the chain. */
	uint8_t difficulty[32];
	/* From eth/69 on: the blocks that the node has. */
	uint64_t earliest, latest;
};

/* version: what both sides agreed on; it decides about the form. A Status that names
 * another one breaks a rule. */
void eth_status_decode(struct reader *r, uint32_t version, struct eth_status *out);
/* In the form of s->version. */
void eth_status_encode(struct writer *w, const struct eth_status *s);

#endif
