/* stand.h: a standing peer from the address book on disk to its sockets: what `peerwalk node` and
 * the library share, for networks of engine/swarm.h.
 *
 *     stand_new -> stand_peer, stand_name ... -> stand_start -> uv_run ... stand_stop -> stand_end
 *
 * Everything happens on the loop's thread. Failures leave a sentence with the remedy: in
 * stand_new's `why`, later in stand_why. */
#ifndef PEERWALK_API_STAND_H
#define PEERWALK_API_STAND_H

#include "api/names.h"
#include "io/swarm_host.h"
#include "store/book.h"

enum {
	/* What has changed in the book is handed to the store so often; it commits twice a second,
	 * and a kill may cost no more than one. */
	STAND_KEEP_MS = 250,
	/* Core's: without two peers by then, a network's DNS seeds are asked; at once if nobody is
	 * known at all. */
	STAND_SEEDS_MS = 11 * 1000,
	/* And again, while that is so: they are a few people's machines. */
	STAND_SEEDS_AGAIN_MS = 10 * 60 * 1000,
	/* Names of peers to begin with are looked up so often, while nobody is connected. */
	STAND_AGAIN_MS = 30 * 1000,
	STAND_WHY_MAX = 640,
};

struct stand;

struct stand_config {
	/* The book, the seed, and of the session nonce and own_id are made here. */
	struct swarm_host_config host;
	const char *db;     /* where the book is kept; NULL: in memory alone */
	bool default_seeds; /* the network's own DNS seeds are asked, should it be necessary */
	/* On the loop's thread; any may be NULL. A name was looked up. The store has failed: the
	 * sentence is stand_why's, and nothing is kept from now on. */
	void (*on_answer)(void *ctx, const struct resolve_answer *answer);
	void (*on_error)(void *ctx, enum err err);
	/* From any thread: another process holds the database (struct store_waiter). */
	void (*on_wait)(void *ctx);
	void *ctx;
};

/* Opens the store and reads the book. The errors of store_open; ERR_NOMEM, ERR_IO. */
enum err stand_new(const struct stand_config *config, struct stand **out,
		   char why[static STAND_WHY_MAX]);
void stand_free(struct stand *s); /* after the loop has closed what was started; takes NULL */

/* Before stand_start: somebody to begin with, by address (ERR_LIMIT, ERR_NOMEM) or by a name for
 * DNS (as names_add). */
enum err stand_peer(struct stand *s, const struct netaddr *addr);
enum err stand_name(struct stand *s, const char *name, uint16_t port);

/* As swarm_host_start. */
enum err stand_start(struct stand *s, uv_loop_t *loop);
/* Takes leave of everybody; the loop ends once all is closed, if nothing else is on it. May be
 * called by callbacks, and again. */
void stand_stop(struct stand *s);
/* After that: writes what is left, and closes the store. The first error that it had. */
enum err stand_end(struct stand *s);

struct swarm_host *stand_host(struct stand *s); /* NULL: not started, or stopped */
const char *stand_why(const struct stand *s);

#endif
