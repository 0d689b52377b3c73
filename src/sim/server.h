/* server.h: a simulated world on real sockets.
 *
 * One listening socket a port serves every address of the range: the local address of
 * an accepted connection tells which peer was dialled. The sockets are bound to the
 * loopback device unless the configuration names another, so nobody outside can reach them. Ports:
 * port..port+2 are peers', port+3 refuses (nothing listens), port+4 is silent (a full accept queue,
 * so that the kernel drops the SYN). No privileges are needed on 127.0.0.0/8; other ranges have to
 * be made local first, in a network namespace.
 *
 * Answers take the peer's round trip and up to jitter_ms; the first one two round
 * trips, as the kernel has accepted the connection in no time. With config.loss an
 * answer takes a retransmission longer now and then. */
#ifndef PEERWALK_SIM_SERVER_H
#define PEERWALK_SIM_SERVER_H

#include "sim/world.h"

#include <uv.h>

struct sim_server;

enum {
	/* What clients can make the server hold: connections at a time (fewer where the
	 * limit on open files is lower; more are closed at once). */
	SIM_SERVER_OPEN_MAX = 60000,
};

struct sim_server_counts {
	uint64_t connections, open, bytes_in, bytes_out, getaddr, strangers;
};

/* ERR_IO with why filled in (port in use, no such route ...); ERR_NOMEM. Raises the soft
 * limit on open files to the hard one. The world outlives the server. */
enum err sim_server_start(uv_loop_t *loop, const struct sim_world *w, struct sim_server **out,
			  char *why, size_t why_cap);
void sim_server_counts(const struct sim_server *s, struct sim_server_counts *out);
/* Closes everything; frees itself once the loop has run the close callbacks. */
void sim_server_stop(struct sim_server *s);

#endif
