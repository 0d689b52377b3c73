/* serve_inner.h: what the files behind serve.h share. Private to src/web/serve* and api_*. */
#ifndef PEERWALK_WEB_SERVE_INNER_H
#define PEERWALK_WEB_SERVE_INNER_H

#include "store/look.h"
#include "web/api_peer.h"
#include "web/serve.h"
#include "web/serve_cache.h"
#include "web/serve_feed.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum {
	/* Between two looks at the database; ten times what one takes, if that is more, and
	 * SERVE_LOOK_MAX_MS at most: a tenth of one core, however large it is. */
	SERVE_LOOK_MS = 1000,
	SERVE_LOOK_MAX_MS = 60 * 1000,
	SERVE_FRESH_MS = 5000,
	/* So long a question waits for another one that takes long, and is then turned away. */
	SERVE_HEAVY_WAIT_S = 2,
	SERVE_CHANGED_MS = 5000, /* so often at most all pages ask again for what they show */
	SERVE_RUNNING_MAX = 16,  /* crawls that are watched as they go on */
	SERVE_WHY_MAX = 640,
	/* A copy of an older database is made anew so often at most, if that was written to. */
	SERVE_COPY_MS = 60 * 1000,
};

/* Sums of one network. */
struct serve_network {
	struct census_network of;
	uint64_t crawls;
	bool has_newest;
	struct store_crawl newest; /* its sums as they are now, if it goes on */
	bool running;
};

/* A crawl that goes on. */
struct serve_running {
	struct store_crawl crawl;
	struct store_progress progress;
	uint64_t known;
	int64_t known_at_ms, known_cost_ms; /* a walk over all peers: not each time */
	int64_t at_ms;                      /* of the newest look */
	double per_second;
};

struct serve {
	struct serve_config config;
	struct http *http;
	pthread_t thread;
	bool has_thread;
	/* Handlers read under it; the thread writes when another database takes its place. */
	pthread_rwlock_t swap;
	struct census *census;
	pthread_mutex_t lock; /* of everything from here to the next comment */
	pthread_cond_t changed;
	bool stopping;
	bool ready; /* the census has been read once */
	bool is_copy;
	bool heavy;              /* somebody walks over whole crawls: one at a time */
	char why[SERVE_WHY_MAX]; /* "": all is well */
	struct store *stores[HTTP_THREADS];
	bool used[HTTP_THREADS];
	struct serve_network *networks;
	size_t networks_count;
	/* The thread's own. */
	struct store *store;
	struct stat file;
	int64_t version; /* of the database */
	int64_t opened_ms, told_ms;
	uint64_t told_version; /* of the census */
	struct serve_running running[SERVE_RUNNING_MAX];
	size_t running_count;
	/* With locks of their own. */
	struct serve_feed feed;
	struct serve_cache cache;
};

/* A store for this thread, until serve_give. NULL: r says why. */
struct store *serve_take(struct serve *s, struct http_response *r);
void serve_give(struct serve *s, struct store *store);
/* What takes long, under a key: kept, or made by fn, one at a time; who would have to wait for
 * another one takes what was true before. lasting: it stays true for ever; else for as long as
 * SERVE_FRESH_MS, or ten times what it took. An error of fn; ERR_NOMEM; ERR_LIMIT: it would have to
 * wait. */
typedef enum err serve_make_fn(void *ctx, struct text *out);
enum err serve_kept(struct serve *s, const char *key, bool lasting, serve_make_fn *fn, void *ctx,
		    struct text *out);
int64_t serve_now_ms(void); /* of a clock that is steady */

/* --- serve_watch.c --- */

void *serve_watch(void *serve);

/* --- api_crawls.c, api_diff.c, api_metrics.c --- */

void api_networks(struct serve *s, const struct http_request *q, struct http_response *r);
void api_crawls(struct serve *s, struct store *store, const struct http_request *q,
		struct http_response *r);
/* path: what stands behind /api/v1/crawls/. */
void api_crawl(struct serve *s, struct store *store, const char *path, const struct http_request *q,
	       struct http_response *r);
void api_history(struct serve *s, struct store *store, const struct http_request *q,
		 struct http_response *r);
void api_diff(struct serve *s, struct store *store, const struct http_request *q,
	      struct http_response *r);
void api_metrics(struct serve *s, struct http_response *r);
/* A CRAWL. NULL: out of memory. */
json_t *api_crawl_json(struct store *store, const struct store_crawl *c);

#endif
