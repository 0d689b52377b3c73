/* peer.h: one connection as a simulated peer sees it, without a socket or a clock.
 *
 * Honest peers are the protocol's own responder session; liars are scripts. Output
 * comes with a time: "these bytes, not before that moment", "close", "reset". The
 * times are those of the peer itself: how long bytes travel is the driver's part.
 *
 * How to drive it: after new, recv and whenever the deadline has passed, call next()
 * until it returns false. recv's time may lie ahead of next's (the bytes are still on
 * their way); otherwise now_ms never goes back. */
#ifndef PEERWALK_SIM_PEER_H
#define PEERWALK_SIM_PEER_H

#include "sim/world.h"

enum sim_output_kind {
	SIM_OUTPUT_BYTES,
	SIM_OUTPUT_CLOSE,
	SIM_OUTPUT_RESET,
};

struct sim_output {
	enum sim_output_kind kind;
	uint64_t at_ms;     /* not before */
	struct slice bytes; /* lives until the next call on this connection */
};

struct sim_conn;

enum {
	/* What a client can make us hold: an honest one sends a few hundred bytes. A
	 * longer unfinished message resets the connection. */
	SIM_IN_MAX = 64 * 1024,
	/* What may wait for a client that asks without reading; more resets, too. Holds
	 * the longest answer and the pongs for all that one read can bring. */
	SIM_OUT_MAX = 256 * 1024,
	SIM_DRIBBLE_MS = 1000, /* a byte of LIAR_DRIBBLE */
	/* LIAR_INVENT goes on for ever, so many full messages at a time: more than any
	 * honest reply, so that it can be told from one. */
	SIM_INVENT_BURST = 6,
	SIM_INVENT_MS = 100,
};

/* A connection from `from` to peer `index`; ERR_NOMEM. now_s is the wall clock. */
enum err sim_conn_new(const struct sim_world *w, uint32_t index, const struct netaddr *from,
		      uint64_t now_ms, int64_t now_s, struct sim_conn **out);
void sim_conn_free(struct sim_conn *c);
void sim_conn_recv(struct sim_conn *c, struct slice in, uint64_t now_ms);
/* The next output that is due by now_ms; false if none is. */
bool sim_conn_next(struct sim_conn *c, uint64_t now_ms, struct sim_output *out);
/* When to look again; UINT64_MAX: only after recv. */
uint64_t sim_conn_deadline(const struct sim_conn *c);
/* Whether the peer was asked whom it knows, and answered or will. */
bool sim_conn_asked(const struct sim_conn *c);

#endif
