/* swarm_host.h: a standing peer on real sockets: a swarm (engine/swarm.h), its listening sockets,
 * its connections and its clock, on a libuv loop.
 *
 * Whatever strangers do it holds bounded memory: unfinished messages of all connections together
 * SWARM_HOST_IN_MAX, what waits for slow readers SWARM_HOST_OUT_MAX (over either, whoever holds
 * most is let go), and a number of connections that the limit on descriptors leaves room for.
 * One that sends byte by byte, or reads nothing, costs the others nothing: nobody gets more than
 * SWARM_HOST_TURN_BYTES read in a turn of the loop.
 *
 * Everything happens on the loop's thread. */
#ifndef PEERWALK_IO_SWARM_HOST_H
#define PEERWALK_IO_SWARM_HOST_H

#include "engine/swarm.h"
#include "io/listen.h"

struct swarm_host;

enum {
	SWARM_HOST_PLACES_MAX = 4, /* where to listen */
	SWARM_HOST_IN_MAX = 32 << 20,
	SWARM_HOST_OUT_MAX = 32 << 20,
	SWARM_HOST_TURN_BYTES = 64 * 1024,
	/* Waiting for one connection: more is not made before this is sent. */
	SWARM_HOST_WAITING_MAX = 128 * 1024,
	SWARM_HOST_CONNECT_MS = 5000, /* Core's */
	/* After the last word to a slow reader the connection is closed all the same. */
	SWARM_HOST_LINGER_MS = 2000,
	SWARM_HOST_ROUND = 64, /* callers taken in a turn of the loop */
	/* Descriptors left to the rest of the program: store, logs, names that are resolved. */
	SWARM_HOST_SPARE = 64,
	/* A timer that rings so much later was held up by this process, or it by a stop. */
	SWARM_HOST_LATE_MS = 100,
	SWARM_HOST_WHY_MAX = LISTEN_WHY_MAX,
};

struct swarm_host_config {
	/* The caller's swarm settings; its on_event and ctx are told as they are. The host sets
	 * session.unix_s and session.listen_port, and says to the swarm where it listens. */
	struct swarm_config swarm;
	struct listen_place places[SWARM_HOST_PLACES_MAX];
	unsigned places_count;       /* 0: takes nobody in */
	struct netaddr advertise[2]; /* what others are told instead; NETADDR_NONE: none */
	uint64_t connect_timeout_ms; /* 0: SWARM_HOST_CONNECT_MS */
	/* The swarm's clock, with the wall clock that it is told, runs so much faster: all waiting
	 * times of the protocol are so much shorter. For tests; everybody of a network has to do
	 * the same. 0: 1. */
	unsigned speed_up;
};

/* ERR_IO, ERR_NOMEM, and why in a sentence with the remedy; then the loop has to be run once more,
 * to close what was opened. Connections go out from the address that is listened on, where that
 * is one address: others see us as they can reach us. */
enum err swarm_host_start(uv_loop_t *loop, const struct swarm_host_config *config,
			  struct swarm_host **out, char why[static SWARM_HOST_WHY_MAX]);
/* Takes leave and closes, beginning with the next turn of the loop; what was said by then is sent,
 * but to slow readers SWARM_HOST_LINGER_MS long at most. Frees itself once its close callbacks have
 * run. May be called by callbacks, which are told of the ends. */
void swarm_host_stop(struct swarm_host *h);

struct swarm *swarm_host_swarm(struct swarm_host *h);
uint64_t swarm_host_now_ms(const struct swarm_host *h); /* the swarm's clock */
/* Incoming connections that may stand at a time: the policy's number, or fewer where the limit on
 * descriptors is lower. */
uint32_t swarm_host_in_max(const struct swarm_host *h);
/* After a call of the swarm that was not made from a callback of its own (swarm_say ...): carries
 * out what follows from it. */
void swarm_host_step(struct swarm_host *h);
/* Where it listens, with its port; i below swarm_host_places. */
unsigned swarm_host_places(const struct swarm_host *h);
struct netaddr swarm_host_local(const struct swarm_host *h, unsigned i);

struct swarm_host_counts {
	struct swarm_counts swarm;
	size_t in_bytes, out_bytes; /* held now for unfinished messages and for slow readers */
	uint64_t let_go;            /* for such bytes */
	uint64_t unaccepted;        /* accept failed for want of descriptors */
};
void swarm_host_counts(const struct swarm_host *h, struct swarm_host_counts *out);

#endif
