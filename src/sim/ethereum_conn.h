/* ethereum_conn.h: one RLPx connection as a node of a simulated Ethereum network sees it, without
 * a socket or a clock.
 *
 * What becomes of it is the node's sim_ethereum_session: a responder of rlpx_session.h that says
 * Hello and Status; the handshake and then "too many peers" in place of Hello, as a list or as a
 * bare byte; or an end without a word. Outputs and times are as in sim/peer.h. */
#ifndef PEERWALK_SIM_ETHEREUM_CONN_H
#define PEERWALK_SIM_ETHEREUM_CONN_H

#include "proto/ethereum/identity.h"
#include "sim/ethereum_world.h"
#include "sim/peer.h"

enum {
	/* What a client can make us hold: the longest packet of a handshake, and as much again
	 * of what follows. */
	SIM_ETHEREUM_IN_MAX = 2 * (RLPX_SIZE_LEN + RLPX_PACKET_MAX),
	/* What may wait for a client: two fillings of the session's own buffer; more resets. */
	SIM_ETHEREUM_OUT_MAX = 6144,
};

struct sim_ethereum_conn;

/* A connection to node `index`; ERR_NOMEM. random: for all connections; number: of this one,
 * never used before with it. The world outlives the connection. */
enum err sim_ethereum_conn_new(const struct sim_ethereum *w, uint32_t index,
			       const struct identity *random, uint64_t number, uint64_t now_ms,
			       struct sim_ethereum_conn **out);
void sim_ethereum_conn_free(struct sim_ethereum_conn *c);
void sim_ethereum_conn_recv(struct sim_ethereum_conn *c, struct slice in, uint64_t now_ms);
/* The next output that is due by now_ms; false if none is. */
bool sim_ethereum_conn_next(struct sim_ethereum_conn *c, uint64_t now_ms, struct sim_output *out);
/* When to look again; UINT64_MAX: only after recv. */
uint64_t sim_ethereum_conn_deadline(const struct sim_ethereum_conn *c);
/* Whether the client has completed the handshake with the node's key. */
bool sim_ethereum_conn_shook_hands(const struct sim_ethereum_conn *c);

#endif
