/* walk.h: one crawl from its first seed to its last record, kept in a store if there is
 * one: what `peerwalk crawl` and the library share.
 *
 *     walk_new -> walk_seed, walk_name ... -> walk_run -> walk_end -> walk_free
 *
 * Callbacks come from the threads of the driver (io/driver.h says how). Everything else
 * happens on the caller's thread, which is also that of the first loop. Failures leave a
 * sentence with the remedy: in walk_new's `why`, later in walk_why. */
#ifndef PEERWALK_API_WALK_H
#define PEERWALK_API_WALK_H

#include "io/driver.h"
#include "io/resolve.h"
#include "store/store.h"

enum {
	WALK_CONCURRENCY = 2000,
	/* Visits over UDP hold no descriptor most of the time, and nearly all that wait wait for
	 * nodes that are gone: each of those some seconds, and some kilobytes. */
	WALK_NODES_CONCURRENCY = 10000,
	/* Unless others are asked for, these are the most: what is waited in fact is learned
	 * (engine/patience.h). */
	WALK_CONNECT_TIMEOUT_MS = 5 * 1000, /* Bitcoin Core's own */
	WALK_ANSWER_TIMEOUT_MS = 10 * 1000, /* the protocols' own, of the hand-shake */
	/* Round the world and back; a node over UDP is asked again, twice at least. */
	WALK_PONG_MIN_MS = 300,
	/* A whole visit: handshake and reply have limits of their own. */
	WALK_TIMEOUT_MS = 20 * 1000,
	WALK_TIMEOUT_PATIENT_MS = 90 * 1000,
	/* A crawl that has run out of peers waits for late names no longer than this from its
	 * start: a dead DNS seed costs nothing. */
	WALK_NAMES_MS = 5 * 1000,
	WALK_WHY_MAX = 640,
};

struct walk;

struct walk_config {
	/* session.network, its agent and its flags; zero times: ours, or what is learned. */
	struct visit_config visit;
	/* The key is drawn here, and patience is set; exclude outlives the walk. */
	struct crawl_config crawl;
	unsigned threads;    /* 0: walk_threads() */
	uint64_t give_up_ms; /* as that of struct driver_config */

	/* Networks of DISCOVERY_V4 alone. What visit.session.identity is there, is made here. */
	const struct secp_key *key;         /* who we are; NULL: a new key for this walk */
	const struct ethereum_chain *chain; /* whose nodes are wanted; NULL: everybody's */
	bool no_session;                    /* discovery alone, without a word over TCP */
	const struct targets *targets;      /* the keys to search with; NULL: they are made here */

	const char *db; /* NULL: nothing is kept */
	bool resume;    /* go on with the newest unfinished crawl in db */
	bool adverts;   /* keep who named whom, too */
	/* A round of watching (engine/rounds.h), which needs db; 0: a crawl by itself. Who is
	 * watched already is visited if it is due before then. Of a round that is resumed both are
	 * those with which it began. */
	uint64_t every_ms;
	int64_t due_before_ms;

	/* A visit ended; final is false if it will be tried again. May be NULL. */
	void (*on_visit)(void *ctx, const struct record *record, bool final);
	/* On the first loop, every DRIVER_TICK_MS; may be NULL. */
	void (*on_tick)(void *ctx, struct walk *w);
	/* Another process holds the database (store_waiter). From any thread; may be NULL. */
	void (*on_wait)(void *ctx);
	/* On the first loop, once for every name; may be NULL. */
	void (*on_answer)(void *ctx, const struct resolve_answer *answer);
	void *ctx;
};

struct walk_result {
	struct crawl_stats stats;
	struct driver_totals totals;
	int64_t crawl_id; /* in the store; 0 without one */
	int64_t started_at_ms;
	uint64_t elapsed_ms;
	/* How long a first try waits by now: learned, or as it was asked for. */
	uint64_t connect_timeout_ms, answer_timeout_ms;
	double cpu_seconds; /* of this process since walk_new */
	uint64_t max_rss_bytes;
	bool complete; /* nobody was left to ask */
	bool left_out; /* somebody was, as this machine had no memory or no descriptor for him */
	bool unheard;  /* a round in which nobody gave a sign of life (store_round_end) */
};

/* Opens the store and takes up what an earlier run has left. The errors of store_open;
 * ERR_NOT_FOUND without a crawl to resume; ERR_NOMEM, ERR_IO. why has WALK_WHY_MAX bytes. */
enum err walk_new(const struct walk_config *config, struct walk **out, char *why);
void walk_free(struct walk *w);

/* What a walk of that network does if nothing else is asked of it. */
uint32_t walk_concurrency(const struct network *network);
unsigned walk_threads(const struct network *network);

/* Before walk_run. As crawl_add wants it. */
void walk_seed(struct walk *w, const struct advert *peer);
/* A name to be resolved. ERR_LIMIT beyond RESOLVE_NAMES_MAX. */
enum err walk_name(struct walk *w, const char *name, uint16_t port);
/* The network's own seeds: names for DNS, plain and with the x9. filter (full nodes with witness);
 * its bootstrap nodes. */
enum err walk_default_seeds(struct walk *w);

/* Until nobody is left to ask, or until walk_stop. ERR_IO if names can't be looked up;
 * what befalls the store is told by walk_end. Once. */
enum err walk_run(struct walk *w);
/* Cancels what is in flight; on the first loop's thread, or before walk_run. */
void walk_stop(struct walk *w);
/* Writes what is still queued and the end of the crawl; a stopped one stays open, to be
 * resumed. The store's errors. ERR_NOMEM, ERR_IO with left_out: it is all written, but somebody was
 * left out, and it stays open as well. */
enum err walk_end(struct walk *w, struct walk_result *out);

/* The state of things; any thread between walk_new and walk_free. */
void walk_stats(struct walk *w, struct walk_result *out);
uv_loop_t *walk_loop(struct walk *w); /* the first one, for signals */
const char *walk_why(const struct walk *w);

#endif
