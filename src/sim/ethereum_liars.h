/* ethereum_liars.h: what the liars of a simulated Ethereum network do to their packets: one
 * function a lie. Those that take a kind leave the packets of all other kinds alone.
 *
 * Private to sim/ethereum_peer.c. */
#ifndef PEERWALK_SIM_ETHEREUM_LIARS_H
#define PEERWALK_SIM_ETHEREUM_LIARS_H

#include "proto/ethereum/enr.h"
#include "sim/ethereum_world.h"

/* Who makes up nodes: their keys are made once. */
struct sim_liars;

enum err sim_liars_new(const struct sim_ethereum *w, struct sim_liars **out);
void sim_liars_free(struct sim_liars *l);
/* The next ones: over and over, after sim_ethereum_invented_count() of them. */
void sim_liars_invent(struct sim_liars *l, struct enode *out, size_t count);

/* A signed packet: its hash or its signature. */
void sim_lie_envelope(enum sim_ethereum_kind kind, uint8_t *packet, size_t len);
int64_t sim_lie_expiration(enum sim_ethereum_kind kind, int64_t expiration_s);
void sim_lie_pong(enum sim_ethereum_kind kind, uint8_t ping_hash[static 32]);
/* All nodes in one packet: more than 1280 bytes, as they are, or filled up to 2048. */
void sim_lie_neighbors(struct writer *w, const struct enode *nodes, size_t count,
		       int64_t expiration_s, uint32_t index);
/* Every second node is said to be where none can be: a network for special purposes, a port of
 * the system's services, loopback or a local network named from outside of it. */
void sim_lie_addresses(const struct sim_ethereum *w, struct enode *nodes, size_t count);
/* Somebody else's record, one whose signature is wrong, or one that isn't even a record. */
size_t sim_lie_record(const struct sim_ethereum *w, uint32_t index,
		      uint8_t out[static ENR_LEN_MAX]);

#endif
