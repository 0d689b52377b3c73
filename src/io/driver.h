/* driver.h: carries out a crawl's decisions on real sockets.
 *
 * One or more loops, each in a thread of its own, share the crawl under a lock. The
 * callbacks come from any of these threads, never two for one visit at a time, and
 * without the lock. */
#ifndef PEERWALK_IO_DRIVER_H
#define PEERWALK_IO_DRIVER_H

#include "engine/crawl.h"
#include "io/node_visit.h"

#include <uv.h>

enum {
	DRIVER_THREADS_MAX = 64,
	/* Descriptors kept free for the database, the loops and the name resolver; of a small
	 * limit only a quarter, as few connections with a wait now and then are better than one. */
	DRIVER_DESCRIPTORS_SPARE = 64,
	DRIVER_TICK_MS = 100, /* progress */
	/* After this machine's own refusal (no descriptor, no port) nothing is begun
	 * for a while. */
	DRIVER_BACK_OFF_MS = 200,
	/* Nodes: the second try of whoever was silent to a hasty one: two PINGs in the time that
	 * three have otherwise. */
	DRIVER_PONG_MS = PROBE_TRIES * PROBE_REPLY_MS / 2,
	/* If that is all that happens for so long, it is no passing shortage. */
	DRIVER_GIVE_UP_MS = 30 * 1000,
};

struct driver;

/* Where peers are nodes (DISCOVERY_V4): how completely their tables were listed, of those that
 * were reached; and the sessions. */
struct driver_nodes {
	uint64_t drained, partial, timed_out;
	uint64_t sessions;      /* begun */
	uint64_t sessions_told; /* said Hello */
	uint64_t sessions_full; /* "too many peers": it lives */
	uint64_t datagrams_in, datagrams_out;
};

struct driver_totals {
	uint64_t bytes_in, bytes_out;
	uint64_t visits_ms; /* what all visits took, first tries of the silent too */
	struct driver_nodes nodes;
	uint64_t local_errors; /* visits that this machine could not begin */
	bool gave_up;          /* it could begin none for give_up_ms, and the crawl has stopped */
};

struct driver_config {
	struct visit_config visit; /* on_event is the driver's */
	/* Where the network is found by DISCOVERY_V4: its targets, chain, no_session and timeout_ms
	 * are used. */
	struct node_visit_config node;
	struct crawl_config crawl;
	unsigned threads;
	uint64_t give_up_ms; /* 0: DRIVER_GIVE_UP_MS */

	/* An address became known, or (crawl_add_watched) was named for the first time in this
	 * round; advert is NULL for a seed that has no node_id. */
	void (*on_known)(void *ctx, const struct netaddr *addr, const struct advert *advert,
			 int64_t unix_ms);
	/* A visit ended; final is false if it will be tried again. CANCELLED ones too. */
	void (*on_visit)(void *ctx, const struct record *record, bool final);
	/* Everybody that a peer names; may be NULL. Of from there are addr, node_id, tcp_port. */
	void (*on_advert)(void *ctx, const struct advert *from, const struct advert *advert,
			  int64_t unix_ms);
	/* On the first loop, every DRIVER_TICK_MS; may be NULL. */
	void (*on_tick)(void *ctx, struct driver *driver);
	void *ctx;
};

enum { DRIVER_WHY_MAX = NODE_VISIT_WHY_MAX };

/* ERR_NOMEM, ERR_IO, and why in a sentence with the remedy. The configuration is copied. */
enum err driver_new(const struct driver_config *config, struct driver **out,
		    char why[static DRIVER_WHY_MAX]);
void driver_free(struct driver *d);

uv_loop_t *driver_loop(struct driver *d); /* the first one, for timers, signals, names */
/* The crawl, for adding what an earlier run has left; only before driver_run. */
struct crawl *driver_crawl(struct driver *d);
/* Adds a seed (crawl_add) and tells on_known if it was new; before or during driver_run, on the
 * first loop's thread. */
enum crawl_verdict driver_seed(struct driver *d, const struct advert *peer);
/* While held, running out of peers is no end (names are still being resolved). */
void driver_hold(struct driver *d);
void driver_release(struct driver *d);

/* Until nobody is left to ask, or driver_stop. */
void driver_run(struct driver *d);
/* Begins nothing new; with now, what is in flight is cancelled. Any thread. */
void driver_stop(struct driver *d, bool now);

void driver_stats(struct driver *d, struct crawl_stats *stats, struct driver_totals *totals);

/* The visits that fit the descriptors of this process, at most `wanted`; 0: not even one. Raises
 * the limit to its hard maximum first. */
uint32_t driver_fit_concurrency(uint32_t wanted, unsigned threads, uint64_t *limit);
/* What there is to say where none fits. */
void driver_few_descriptors(uint64_t limit, char why[static DRIVER_WHY_MAX]);

#endif
