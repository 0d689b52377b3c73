#include "web/serve.h"

#include "web/page.h"
#include "web/serve_inner.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- stores for handlers --- */

/* A slot for a store that nobody uses: one that has one, if there is, else an empty one. */
static int free_slot(const struct serve *s)
{
	int empty = -1;

	for (int i = 0; i < HTTP_THREADS; i++) {
		if (s->used[i])
			continue;
		if (s->stores[i] != NULL)
			return i;
		empty = empty < 0 ? i : empty;
	}
	return empty;
}

struct store *serve_take(struct serve *s, struct http_response *r)
{
	char why[SERVE_WHY_MAX] = "";
	struct store *store;
	int slot;

	pthread_mutex_lock(&s->lock);
	/* There is one copy of an older database, and all take turns; else there are as many as
	 * threads. */
	while (slot = free_slot(s),
	       slot < 0 || (s->is_copy && s->stores[slot] == NULL && !s->why[0]))
		pthread_cond_wait(&s->changed, &s->lock);
	if (s->why[0] != '\0') {
		http_error(r, 503, "%s", s->why);
		pthread_mutex_unlock(&s->lock);
		return NULL;
	}
	s->used[slot] = true;
	store = s->stores[slot];
	pthread_mutex_unlock(&s->lock);
	if (store != NULL ||
	    store_open(s->config.db, STORE_READ, &store, why, sizeof(why)) == ERR_OK) {
		pthread_mutex_lock(&s->lock);
		s->stores[slot] = store;
		pthread_mutex_unlock(&s->lock);
		return store;
	}
	pthread_mutex_lock(&s->lock);
	s->used[slot] = false;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	http_error(r, 503, "%s", why);
	return NULL;
}

void serve_give(struct serve *s, struct store *store)
{
	pthread_mutex_lock(&s->lock);
	for (int i = 0; i < HTTP_THREADS; i++) {
		if (s->stores[i] == store)
			s->used[i] = false;
	}
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

/* --- what takes long --- */

int64_t serve_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One walk at a time; and nobody holds one of the few threads for long because of another's. */
static bool begin_heavy(struct serve *s, bool wait)
{
	struct timespec until;
	bool begun;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += SERVE_HEAVY_WAIT_S;
	pthread_mutex_lock(&s->lock);
	while (wait && s->heavy && pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0)
		continue;
	begun = !s->heavy;
	s->heavy = true;
	pthread_mutex_unlock(&s->lock);
	return begun;
}

static void end_heavy(struct serve *s)
{
	pthread_mutex_lock(&s->lock);
	s->heavy = false;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

/* While s->heavy is ours. */
static enum err make(struct serve *s, const char *key, bool lasting, serve_make_fn *fn, void *ctx,
		     struct text *out)
{
	int64_t began_ms = serve_now_ms(), fresh_ms;
	enum err err = fn(ctx, out);

	fresh_ms = 10 * (serve_now_ms() - began_ms);
	fresh_ms = fresh_ms > SERVE_FRESH_MS ? fresh_ms : SERVE_FRESH_MS;
	err = err != ERR_OK ? err : out->err;
	if (err == ERR_OK)
		serve_cache_put(&s->cache, key, slice_of(out->data, out->len),
				lasting ? 0 : serve_now_ms() + fresh_ms);
	return err;
}

enum err serve_kept(struct serve *s, const char *key, bool lasting, serve_make_fn *fn, void *ctx,
		    struct text *out)
{
	enum serve_cache_state state = serve_cache_get(&s->cache, key, serve_now_ms(), out);
	enum err err = ERR_OK;

	if (state == SERVE_CACHE_FRESH)
		return out->err;
	if (state == SERVE_CACHE_NONE) {
		if (!begin_heavy(s, true))
			return ERR_LIMIT;
	} else if (!begin_heavy(s, false)) {
		return out->err;
	}
	/* Somebody may have made it meanwhile. */
	text_clear(out);
	if (serve_cache_get(&s->cache, key, serve_now_ms(), out) != SERVE_CACHE_FRESH) {
		text_clear(out);
		err = make(s, key, lasting, fn, ctx, out);
	}
	end_heavy(s);
	return err != ERR_OK ? err : out->err;
}

/* --- requests --- */

static void health(struct serve *s, struct http_response *r)
{
	r->type = "text/plain; charset=utf-8";
	pthread_mutex_lock(&s->lock);
	if (s->why[0] != '\0') {
		r->status = 503;
		text_add_escaped(&r->body, slice_text(s->why));
		text_add(&r->body, "\n");
	} else if (!s->ready) {
		r->status = 503;
		text_add(&r->body, "the database is being read\n");
	} else {
		text_add(&r->body, s->is_copy ? "ok, as a copy: the database is of an older "
						"peerwalk; the next crawl updates it\n"
					      : "ok\n");
	}
	pthread_mutex_unlock(&s->lock);
}

static bool is_ready(struct serve *s, struct http_response *r)
{
	bool ready;

	pthread_mutex_lock(&s->lock);
	ready = s->ready;
	if (s->why[0] != '\0')
		http_error(r, 503, "%s", s->why);
	else if (!ready)
		http_error(r, 503, "the database is being read: ask again in a moment");
	ready = ready && s->why[0] == '\0';
	pthread_mutex_unlock(&s->lock);
	return ready;
}

/* What is answered from the store. */
static void ask_store(struct serve *s, const char *path, const struct http_request *q,
		      struct http_response *r)
{
	static const char crawl[] = "/crawls/";
	const struct api_peers peers = { .census = s->census,
					 .geo = s->config.geo,
					 .service_name = s->config.service_name };
	struct store *store = serve_take(s, r);

	if (store == NULL)
		return;
	if (strcmp(path, "/crawls") == 0)
		api_crawls(s, store, q, r);
	else if (strncmp(path, crawl, sizeof(crawl) - 1) == 0)
		api_crawl(s, store, path + sizeof(crawl) - 1, q, r);
	else if (strcmp(path, "/history") == 0)
		api_history(s, store, q, r);
	else if (strcmp(path, "/diff") == 0)
		api_diff(s, store, q, r);
	else if (!api_peers(&peers, store, q, r))
		http_error(r, 404, "there is no %s; docs/api.md has what there is", http_path(q));
	serve_give(s, store);
}

static void events(struct serve *s, const struct http_request *q, struct http_response *r)
{
	if (api_known(q, r, "network"))
		serve_feed_listen(&s->feed, http_param(q, "network"), r);
}

static void ask_page(const char *path, struct http_response *r)
{
	const struct page_file *file = page_find(path);

	if (file == NULL) {
		http_error(r, 404, "there is no %s; the page is at /, the API at /api/v1", path);
		return;
	}
	r->type = file->type;
	r->fixed = file->data;
	r->fixed_gzipped = file->gzipped;
	if (strncmp(path, "/assets/", 8) == 0)
		r->cache = "public, max-age=31536000, immutable";
}

void serve_handle(void *ctx, const struct http_request *q, struct http_response *r)
{
	static const char api[] = "/api/v1";
	struct serve *s = ctx;
	const char *path = http_path(q);

	if (strcmp(path, "/healthz") == 0) {
		health(s, r);
	} else if (strcmp(path, "/metrics") == 0) {
		if (api_known(q, r, ""))
			api_metrics(s, r);
	} else if (strncmp(path, api, sizeof(api) - 1) != 0) {
		ask_page(path, r);
	} else if (strcmp(path, "/api/v1/events") == 0) {
		events(s, q, r);
	} else {
		pthread_rwlock_rdlock(&s->swap);
		if (is_ready(s, r) && strcmp(path, "/api/v1/networks") == 0)
			api_networks(s, q, r);
		else if (r->status == 0)
			ask_store(s, path + sizeof(api) - 1, q, r);
		pthread_rwlock_unlock(&s->swap);
	}
}

/* --- starting and stopping --- */

static void init_locks(struct serve *s)
{
	pthread_condattr_t clock;
	pthread_rwlockattr_t fair;

	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &clock);
	pthread_condattr_destroy(&clock);
	pthread_mutex_init(&s->lock, NULL);
	/* Readers that never pause must not keep another database out. */
	pthread_rwlockattr_init(&fair);
	pthread_rwlockattr_setkind_np(&fair, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&s->swap, &fair);
	pthread_rwlockattr_destroy(&fair);
}

enum err serve_new(const struct serve_config *config, struct serve **out)
{
	struct serve *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s == NULL)
		return ERR_NOMEM;
	s->config = *config;
	if (census_new(config->geo, &s->census) != ERR_OK) {
		free(s);
		return ERR_NOMEM;
	}
	init_locks(s);
	serve_feed_init(&s->feed);
	serve_cache_init(&s->cache);
	*out = s;
	return ERR_OK;
}

enum err serve_start(struct serve *s, struct http *h)
{
	sigset_t all, before;
	int rc;

	s->http = h;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&s->thread, NULL, serve_watch, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	s->has_thread = rc == 0;
	return rc == 0 ? ERR_OK : ERR_NOMEM;
}

void serve_stop(struct serve *s)
{
	if (s == NULL || !s->has_thread)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	s->has_thread = false;
}

void serve_free(struct serve *s)
{
	if (s == NULL)
		return;
	assert(!s->has_thread);
	for (int i = 0; i < HTTP_THREADS; i++)
		store_close(s->stores[i]);
	store_close(s->store);
	census_free(s->census);
	free(s->networks);
	serve_feed_end(&s->feed);
	serve_cache_end(&s->cache);
	pthread_rwlock_destroy(&s->swap);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->changed);
	free(s);
}
