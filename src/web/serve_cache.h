/* serve_cache.h: answers that took long, kept as long as they are true or new enough. Bounded in
 * bytes: the one that was asked for longest ago goes first. Thread-safe. */
#ifndef PEERWALK_WEB_SERVE_CACHE_H
#define PEERWALK_WEB_SERVE_CACHE_H

#include "base/text.h"

#include <pthread.h>

enum {
	SERVE_CACHE_BYTES = 48 << 20,
	SERVE_CACHE_KEY_MAX = 128,
	SERVE_CACHE_ENTRIES = 256, /* few enough to look through all of them */
};

struct serve_cached {
	char key[SERVE_CACHE_KEY_MAX];
	uint8_t *data;
	size_t len;
	int64_t until_ms; /* 0: for ever */
	uint64_t asked;
};

struct serve_cache {
	pthread_mutex_t lock;
	struct serve_cached entries[SERVE_CACHE_ENTRIES];
	size_t bytes;
	uint64_t asked;
};

void serve_cache_init(struct serve_cache *c);
void serve_cache_clear(struct serve_cache *c); /* empties it; it can be used further */
void serve_cache_end(struct serve_cache *c);
enum serve_cache_state {
	SERVE_CACHE_NONE,
	SERVE_CACHE_STALE, /* its time is over: better than waiting, for who would have to */
	SERVE_CACHE_FRESH,
};
/* A copy of it is added to out, unless it is NONE. Times are of a clock that is steady. */
enum serve_cache_state serve_cache_get(struct serve_cache *c, const char *key, int64_t now_ms,
				       struct text *out);
/* Keeps a copy, if there is memory for it. until_ms 0: for ever. */
void serve_cache_put(struct serve_cache *c, const char *key, struct slice data, int64_t until_ms);

#endif
