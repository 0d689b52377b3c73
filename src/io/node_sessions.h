/* node_sessions.h: RLPx for whoever calls: the TCP side of a node of ours (node_serve.h).
 *
 * A node without a chain of its own: it says Hello, sends the caller's own Status back to it,
 * answers its pings meanwhile, and leaves, "client quitting" (rlpx_session.h). So a session
 * is short, whatever the caller does, and costs one struct of a fixed size. Callers beyond
 * the caps below are closed without a byte.
 *
 * Everything happens on the loop's thread. */
#ifndef PEERWALK_IO_NODE_SESSIONS_H
#define PEERWALK_IO_NODE_SESSIONS_H

#include "proto/ethereum/identity.h"
#include "proto/ethereum/rlpx_session.h"

#include <uv.h>

struct node_sessions;

enum {
	NODE_SESSIONS_SOCKETS_MAX = 2, /* IPv4 and IPv6 */
	/* At a time; go-ethereum has 50 places for peers. They hold less than 1 MiB. */
	NODE_SESSIONS_MAX = 64,
	/* Of them, of one host; several nodes may live behind one address. */
	NODE_SESSIONS_PER_HOST = 4,
	/* Of one host, begun in a second, and at once: a handshake is four operations on the
	 * curve, and nobody has a reason to call again so soon. */
	NODE_SESSIONS_RATE = 5,
	NODE_SESSIONS_BURST = 20,
	/* From the connection to our Disconnect: both waits of a session. */
	NODE_SESSIONS_LIFE_MS = RLPX_HANDSHAKE_MS + RLPX_STATUS_MS,
	/* Then for the caller to read it and to close: a socket that is closed with something
	 * unread takes back what it has sent. */
	NODE_SESSIONS_LINGER_MS = 1000,
	NODE_SESSIONS_LINGER_BYTES = 256 * 1024,
	/* Connections taken in a turn of the loop. */
	NODE_SESSIONS_ROUND = 16,
};

/* How one ended; borrowed for the call. */
struct node_session {
	struct netaddr from;
	enum rlpx_outcome outcome;
	const char *rule; /* that the caller broke, or NULL */
	struct rlpx_info info;
};

struct node_sessions_config {
	const struct identity *identity;                         /* outlives all sessions */
	struct slice client;                                     /* our name; the same */
	uint64_t life_ms;                                        /* 0: NODE_SESSIONS_LIFE_MS */
	void (*on_end)(void *ctx, const struct node_session *s); /* may be NULL */
	void *ctx;
};

struct node_sessions_counts {
	uint64_t taken, refused; /* connections; refused: beyond a cap */
	uint64_t hellos, statuses;
	uint64_t bytes_in, bytes_out;
	unsigned open;
};

/* ERR_NOMEM. */
enum err node_sessions_new(uv_loop_t *loop, const struct node_sessions_config *config,
			   struct node_sessions **out);
/* Listens there, at NODE_SESSIONS_SOCKETS_MAX places at most. ERR_NOMEM; ERR_IO, and
 * errno says why. */
enum err node_sessions_listen(struct node_sessions *s, const struct netaddr *at);
void node_sessions_counts(const struct node_sessions *s, struct node_sessions_counts *out);
/* Takes leave of everybody, and closes; on_end is told no more. Frees itself once the loop has
 * run the close callbacks; at once, if there is nobody. */
void node_sessions_stop(struct node_sessions *s);

#endif
