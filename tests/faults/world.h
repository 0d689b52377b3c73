/* world.h: a simulated network on real sockets of the loopback, for scenarios that talk to
 * somebody. It lives in a thread of its own, and has all the memory it wants. */
#ifndef PEERWALK_TESTS_FAULTS_WORLD_H
#define PEERWALK_TESTS_FAULTS_WORLD_H

#include "base/peer.h"
#include "proto/proto.h"

enum { WORLD_PEERS = 8, WORLD_SEED_MAX = 256 };

extern struct world {
	const struct network *network; /* NULL: there is none yet */
	struct netaddr seed;
	uint8_t seed_key[PEER_NODE_ID_MAX];
	char seed_text[WORLD_SEED_MAX]; /* as people write it */
} world;

/* Once for each process, and the same network each time; it ends with the process. */
void world_need(const char *network);

#endif
