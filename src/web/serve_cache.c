#include "web/serve_cache.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void serve_cache_init(struct serve_cache *c)
{
	memset(c, 0, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
}

static void drop(struct serve_cache *c, struct serve_cached *e)
{
	c->bytes -= e->len;
	free(e->data);
	*e = (struct serve_cached){ 0 };
}

void serve_cache_clear(struct serve_cache *c)
{
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < SERVE_CACHE_ENTRIES; i++)
		drop(c, &c->entries[i]);
	pthread_mutex_unlock(&c->lock);
}

void serve_cache_end(struct serve_cache *c)
{
	serve_cache_clear(c);
	pthread_mutex_destroy(&c->lock);
}

static struct serve_cached *find(struct serve_cache *c, const char *key)
{
	for (size_t i = 0; i < SERVE_CACHE_ENTRIES; i++) {
		if (c->entries[i].data != NULL && strcmp(c->entries[i].key, key) == 0)
			return &c->entries[i];
	}
	return NULL;
}

enum serve_cache_state serve_cache_get(struct serve_cache *c, const char *key, int64_t now_ms,
				       struct text *out)
{
	enum serve_cache_state state = SERVE_CACHE_NONE;
	struct serve_cached *e;

	pthread_mutex_lock(&c->lock);
	e = find(c, key);
	if (e != NULL) {
		state = e->until_ms != 0 && e->until_ms < now_ms ? SERVE_CACHE_STALE
								 : SERVE_CACHE_FRESH;
		e->asked = ++c->asked;
		text_add_slice(out, slice_of(e->data, e->len));
	}
	pthread_mutex_unlock(&c->lock);
	return state;
}

/* A free entry, or that which was asked for longest ago. */
static struct serve_cached *choose(struct serve_cache *c, bool in_use)
{
	struct serve_cached *best = NULL;

	for (size_t i = 0; i < SERVE_CACHE_ENTRIES; i++) {
		struct serve_cached *e = &c->entries[i];

		if (e->data == NULL && in_use)
			continue;
		if (best == NULL || e->asked < best->asked)
			best = e;
	}
	return best;
}

void serve_cache_put(struct serve_cache *c, const char *key, struct slice data, int64_t until_ms)
{
	uint8_t *copy;
	struct serve_cached *e;

	assert(strlen(key) < SERVE_CACHE_KEY_MAX);
	if (data.len == 0 || data.len > SERVE_CACHE_BYTES)
		return;
	copy = malloc(data.len);
	if (copy == NULL)
		return;
	memcpy(copy, data.data, data.len);
	pthread_mutex_lock(&c->lock);
	e = find(c, key);
	if (e != NULL)
		drop(c, e);
	while (c->bytes + data.len > SERVE_CACHE_BYTES)
		drop(c, choose(c, true));
	e = choose(c, false);
	drop(c, e);
	*e = (struct serve_cached){
		.data = copy, .len = data.len, .until_ms = until_ms, .asked = ++c->asked
	};
	snprintf(e->key, sizeof(e->key), "%s", key);
	c->bytes += data.len;
	pthread_mutex_unlock(&c->lock);
}
