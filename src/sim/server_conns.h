/* server_conns.h: TCP connections to the members of a simulated network, for sim/server.h and
 * sim/server_ethereum.h.
 *
 * One listening socket a port serves every address of the range: the local address of an
 * accepted connection tells who was dialled. What is said there is the network's own: a talk,
 * with outputs and times as in sim/peer.h. Answers take the member's round trip and up to
 * jitter_ms; the first one two round trips, as the kernel has accepted the connection in no
 * time. With loss an answer takes a retransmission longer now and then. */
#ifndef PEERWALK_SIM_SERVER_CONNS_H
#define PEERWALK_SIM_SERVER_CONNS_H

#include "sim/peer.h"
#include "sim/server_sockets.h"

#include <uv.h>

enum {
	SIM_CONNS_PORTS = 4, /* listened on */
	SIM_CONNS_LIFE_MS = 10 * 60 * 1000,
};

struct sim_conns;

struct sim_conns_kind {
	/* Who is at that address, and how far away; false: nobody. */
	bool (*find)(void *ctx, const struct netaddr *addr, uint32_t *index, uint32_t *rtt_ms);
	/* A talk of `remote` with member index, from now_ms on; NULL: no memory for it. */
	void *(*begin)(void *ctx, uint32_t index, const struct netaddr *remote, uint64_t now_ms);
	void (*free)(void *talk);
	void (*recv)(void *talk, struct slice in, uint64_t now_ms);
	bool (*next)(void *talk, uint64_t now_ms, struct sim_output *out);
	uint64_t (*deadline)(const void *talk);
	bool (*asked)(const void *talk); /* what is counted as asked */
};

struct sim_conns_config {
	uv_loop_t *loop;
	const struct sim_config *sim; /* outlives it */
	const struct sim_conns_kind *kind;
	void *ctx;
	/* At a time; fewer where the limit on open files is lower. More are closed at once. */
	uint64_t open_max;
	void (*on_closed)(void *ctx); /* after sim_conns_stop, once: all is closed */
};

struct sim_conns_counts {
	uint64_t connections, open, bytes_in, bytes_out, asked, strangers;
};

/* ERR_NOMEM. Raises the soft limit on open files to the hard one. */
enum err sim_conns_new(const struct sim_conns_config *config, struct sim_conns **out);
/* False, with why filled in. */
bool sim_conns_listen(struct sim_conns *s, uint16_t port, struct sim_why why);
void sim_conns_counts(const struct sim_conns *s, struct sim_conns_counts *out);
/* Closes everything; frees itself, at once if nothing is open. */
void sim_conns_stop(struct sim_conns *s);

#endif
