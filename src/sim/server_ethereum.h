/* server_ethereum.h: a simulated Ethereum network on real sockets.
 *
 * One UDP socket serves every address of the range: a datagram says which one it came to, and
 * the answer leaves from there. It is bound to the loopback device, so nobody outside can reach
 * it. No privileges are needed on 127.0.0.0/8; other ranges have to be made local first, in a
 * network namespace.
 *
 * A datagram is answered at once, and the answers wait for the node's round trip and up to
 * jitter_ms; those to one datagram keep their order. With config.loss a datagram is lost now and
 * then, on either way. Ghosts are silent: a socket for all addresses can't refuse.
 *
 * Sessions are TCP connections to the same port, as server_conns.h says; on the port behind it
 * nothing listens. */
#ifndef PEERWALK_SIM_SERVER_ETHEREUM_H
#define PEERWALK_SIM_SERVER_ETHEREUM_H

#include "sim/ethereum_peer.h"

#include <uv.h>

struct sim_ethereum_server;

enum {
	/* Connections at a time (server_conns.h): each costs some 27 KiB. */
	SIM_ETHEREUM_OPEN_MAX = 8192,
};

struct sim_ethereum_server_counts {
	uint64_t datagrams_in, datagrams_out, bytes_in, bytes_out;
	uint64_t connections, open, sessions; /* sessions: handshakes with a node's key */
	uint64_t lost;                        /* by config.loss */
	uint64_t overrun;                     /* lost as too much was on its way */
	uint64_t strangers; /* sent to an address that is nobody's: of an invented node, say */
	struct sim_ethereum_peer_counts peers;
};

/* ERR_IO with why filled in (port in use, no such route ...); ERR_NOMEM. The world outlives the
 * server. */
enum err sim_ethereum_server_start(uv_loop_t *loop, const struct sim_ethereum *w,
				   struct sim_ethereum_server **out, char *why, size_t why_cap);
void sim_ethereum_server_counts(const struct sim_ethereum_server *s,
				struct sim_ethereum_server_counts *out);
/* Closes everything; frees itself once the loop has run the close callbacks. */
void sim_ethereum_server_stop(struct sim_ethereum_server *s);

#endif
