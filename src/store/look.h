/* look.h: what somebody asks who looks at a database for as long as others write to it
 * (`peerwalk serve`): what there is, what is new, and pages of it. */
#ifndef PEERWALK_STORE_LOOK_H
#define PEERWALK_STORE_LOOK_H

#include "store/query.h"

/* A number that is another one when somebody else has committed since; without a look at the
 * tables. */
enum err store_version(struct store *s, int64_t *version);
/* It is the migrated copy of an older database: nothing new comes into it. */
bool store_is_copy(const struct store *s);

struct store_network {
	const char *name;
	uint64_t crawls;
	int64_t newest_crawl; /* 0: none */
};
/* In order of their names. */
typedef enum err store_network_fn(void *ctx, const struct store_network *network);
enum err store_networks(struct store *s, store_network_fn *fn, void *ctx);

/* As store_crawls, but the newest first; those below a number, and no more than limit. */
enum err store_crawls_newest(struct store *s, const char *network, int64_t below, size_t limit,
			     store_crawl_fn *fn, void *ctx);

/* How far a crawl has come that has not written its sums. All zero at first; the same struct again
 * costs only what came since. */
struct store_progress {
	int64_t last_visit; /* the newest row that was counted */
	uint64_t visited, reached;
	uint64_t fresh; /* visits since the call before */
};
enum err store_progress(struct store *s, int64_t crawl_id, struct store_progress *p);
/* Peers that the crawl knows, if it is the newest one of its network: a walk over all peers. */
enum err store_progress_known(struct store *s, int64_t crawl_id, uint64_t *known);

/* Visits of that crawl with a row above a number (store_progress), the newest first. */
struct store_recent {
	int64_t id;         /* of the peer */
	struct advert peer; /* addr, node_id and tcp_port */
	enum outcome outcome;
	bool reached;
	bool has_agent; /* it has said one, be it empty */
	struct slice agent;
};
typedef enum err store_recent_fn(void *ctx, const struct store_recent *visit);
enum err store_recent(struct store *s, int64_t crawl_id, int64_t above, size_t limit,
		      store_recent_fn *fn, void *ctx);

#endif
