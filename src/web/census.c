#include "web/census.h"

#include "web/census_inner.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
	/* Put under one lock: some tenths of a millisecond. */
	BATCH_ROWS = 256,
};

static enum err lock_init(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attr;
	int failed = pthread_rwlockattr_init(&attr);

	/* Or a row of questions could keep a refresh waiting for as long as it lasts. */
	if (failed == 0)
		failed = pthread_rwlockattr_setkind_np(
			&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	if (failed == 0)
		failed = pthread_rwlock_init(lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	return failed == 0 ? ERR_OK : ERR_NOMEM;
}

enum err census_new(const struct geo *geo, struct census **out)
{
	struct census *c = calloc(1, sizeof(*c));
	enum err err = ERR_NOMEM;

	*out = NULL;
	if (c == NULL)
		return ERR_NOMEM;
	c->geo = geo;
	atomic_init(&c->version, 0);
	if (getrandom(&c->key, sizeof(c->key), 0) == sizeof(c->key))
		err = census_table_new(&c->key, &c->table);
	if (err == ERR_OK)
		err = lock_init(&c->lock);
	if (err != ERR_OK) {
		census_table_free(c->table);
		free(c);
		return err;
	}
	*out = c;
	return ERR_OK;
}

void census_free(struct census *c)
{
	if (c == NULL)
		return;
	pthread_rwlock_destroy(&c->lock);
	census_table_free(c->table);
	free(c);
}

uint64_t census_version(const struct census *c)
{
	return atomic_load(&c->version);
}

/* A census is const for whoever asks; its lock is not. */
const struct census_table *census_read(const struct census *c)
{
	pthread_rwlock_rdlock((pthread_rwlock_t *)&c->lock);
	return c->table;
}

void census_read_end(const struct census *c)
{
	pthread_rwlock_unlock((pthread_rwlock_t *)&c->lock);
}

size_t census_bytes(const struct census *c)
{
	size_t bytes = census_table_bytes(census_read(c));

	census_read_end(c);
	return bytes;
}

static int by_name(const void *left, const void *right)
{
	const struct census_network *a = left, *b = right;

	return strcmp(a->name, b->name);
}

size_t census_networks(const struct census *c, struct census_network *out, size_t cap)
{
	const struct census_table *t = census_read(c);
	size_t count = 0, kept;

	for (uint32_t i = 0; i < t->sums_count; i++) {
		if (t->sums[i].peers == 0)
			continue;
		if (count < cap)
			out[count] = t->sums[i];
		count++;
	}
	census_read_end(c);
	kept = count < cap ? count : cap;
	if (kept > 0)
		qsort(out, kept, sizeof(*out), by_name);
	return count;
}

/* --- refreshing --- */

struct batch {
	struct census *census;
	struct census_table *table;
	bool apart; /* nobody else sees the table yet */
	size_t count;
	struct census_news news[BATCH_ROWS];
};

static enum err batch_put(struct batch *b)
{
	enum err err = ERR_OK;

	if (b->count == 0)
		return ERR_OK;
	if (!b->apart)
		pthread_rwlock_wrlock(&b->census->lock);
	for (size_t i = 0; err == ERR_OK && i < b->count; i++)
		err = census_table_put(b->table, &b->news[i]);
	if (!b->apart) {
		atomic_fetch_add(&b->census->version, 1);
		pthread_rwlock_unlock(&b->census->lock);
	}
	b->count = 0;
	return err;
}

static enum err on_news(void *ctx, int64_t id, const struct store_peer *peer,
			const struct schedule *schedule)
{
	struct batch *b = ctx;
	struct census_news *n = &b->news[b->count];
	enum err err = census_news_init(n, id, peer, schedule);

	if (err != ERR_OK)
		return err;
	if (b->census->geo != NULL && census_table_find(b->table, n->row.id) == NULL) {
		geo_find(b->census->geo, &peer->addr, &n->place);
		n->has_place = true;
	}
	return ++b->count < BATCH_ROWS ? ERR_OK : batch_put(b);
}

static enum err take(struct batch *b, struct store *s)
{
	struct census *c = b->census;
	int64_t peer_id = b->apart ? 0 : c->peer_id, visit_id = b->apart ? 0 : c->visit_id;
	enum err err = store_news(s, &peer_id, &visit_id, on_news, b);

	if (err == ERR_OK)
		err = batch_put(b);
	/* After an error all of it comes once more. */
	if (err == ERR_OK) {
		c->peer_id = peer_id;
		c->visit_id = visit_id;
	}
	return err;
}

/* Reads everything into a new table, which then takes the place of the old one. */
static enum err sweep(struct batch *b, struct store *s)
{
	struct census *c = b->census;
	struct census_table *old;
	enum err err = census_table_new(&c->key, &b->table);

	b->apart = true;
	if (err == ERR_OK)
		err = take(b, s);
	if (err != ERR_OK) {
		census_table_free(b->table);
		return err;
	}
	pthread_rwlock_wrlock(&c->lock);
	old = c->table;
	c->table = b->table;
	atomic_fetch_add(&c->version, 1);
	pthread_rwlock_unlock(&c->lock);
	census_table_free(old);
	return ERR_OK;
}

enum err census_refresh(struct census *c, struct store *s, int64_t now_ms)
{
	struct batch *b = calloc(1, sizeof(*b));
	enum err err;

	if (b == NULL)
		return ERR_NOMEM;
	b->census = c;
	b->table = c->table;
	if (c->swept && now_ms - c->swept_ms < CENSUS_SWEEP_MS) {
		err = take(b, s);
	} else {
		err = sweep(b, s);
		if (err == ERR_OK) {
			c->swept = true;
			c->swept_ms = now_ms;
		}
	}
	free(b);
	return err;
}
