#include "store/batch.h"

#include "store/db.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum {
	/* A batch begins this long after its first item came, which leaves the rest of
	 * STORE_COMMIT_MS for the work itself. Waiting first and then writing all
	 * at once keeps the database locked for as short as can be. */
	GATHER_MS = STORE_COMMIT_MS * 3 / 5,
};

struct half {
	uint8_t *data;
	size_t len;
};

struct batches {
	struct store *store;
	batch_write_fn *write;
	batch_rest_fn *rest;
	void *ctx;
	batch_error_fn *on_error;
	void *error_ctx;
	size_t half_bytes;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled; /* something came, or stop */
	pthread_cond_t emptied;
	/* Under the lock. Two halves: putters fill one while the thread empties the other. */
	struct half front;
	uint64_t front_since_ms; /* when its first item came */
	bool stop;
	enum err err; /* the first one; from then on everything is dropped */
	/* The thread's own: */
	struct half back;
};

static size_t whole(size_t size)
{
	return BATCH_HEAD_BYTES + ((size + 7) & ~(size_t)7);
}

/* ... or as soon as a half is this full. */
static size_t gather_bytes(const struct batches *b)
{
	return b->half_bytes / 2;
}

void *batches_take(struct batches *b, size_t size, bool wait)
{
	uint8_t *head;

	size = whole(size);
	pthread_mutex_lock(&b->lock);
	while (wait && b->err == ERR_OK && size > b->half_bytes - b->front.len)
		pthread_cond_wait(&b->emptied, &b->lock);
	if (b->err != ERR_OK || size > b->half_bytes - b->front.len) {
		pthread_mutex_unlock(&b->lock);
		return NULL;
	}
	if (b->front.len == 0)
		b->front_since_ms = db_clock_ms();
	/* The thread sleeps without a deadline while there is nothing. */
	if (b->front.len == 0 || b->front.len + size >= gather_bytes(b))
		pthread_cond_signal(&b->filled);
	head = b->front.data + b->front.len;
	*(uint64_t *)(void *)head = size;
	b->front.len += size;
	return head + BATCH_HEAD_BYTES;
}

void batches_put(struct batches *b)
{
	pthread_mutex_unlock(&b->lock);
}

size_t batches_room(struct batches *b, size_t size)
{
	size_t n;

	pthread_mutex_lock(&b->lock);
	n = b->err == ERR_OK ? (b->half_bytes - b->front.len) / whole(size) : 0;
	pthread_mutex_unlock(&b->lock);
	return n;
}

static enum err write_half(struct batches *b, const struct half *half)
{
	enum err err = store_begin(b->store);
	size_t at = 0;

	while (err == ERR_OK && at < half->len) {
		const uint8_t *head = half->data + at;

		err = b->write(b->ctx, head + BATCH_HEAD_BYTES);
		at += *(const uint64_t *)(const void *)head;
	}
	if (err == ERR_OK && b->rest != NULL)
		err = b->rest(b->ctx);
	return err == ERR_OK ? store_commit(b->store) : db_ended(b->store, err);
}

/* Until a batch is due; false when there will be none. Called with the lock held. */
static bool wait_for_batch(struct batches *b)
{
	while (!b->stop && b->front.len < gather_bytes(b)) {
		uint64_t due_ms = b->front_since_ms + GATHER_MS;
		struct timespec until = { .tv_sec = (time_t)(due_ms / 1000),
					  .tv_nsec = (long)(due_ms % 1000) * 1000000 };

		if (b->front.len == 0)
			pthread_cond_wait(&b->filled, &b->lock);
		else if (pthread_cond_timedwait(&b->filled, &b->lock, &until) == ETIMEDOUT)
			break;
	}
	return b->front.len > 0;
}

static void *run(void *arg)
{
	struct batches *b = arg;
	enum err err = ERR_OK;

	pthread_mutex_lock(&b->lock);
	while (err == ERR_OK && wait_for_batch(b)) {
		struct half half = b->front;

		b->front = b->back;
		b->front.len = 0;
		b->back = half;
		pthread_cond_broadcast(&b->emptied);
		pthread_mutex_unlock(&b->lock);
		err = write_half(b, &half);
		pthread_mutex_lock(&b->lock);
	}
	b->err = err;
	pthread_cond_broadcast(&b->emptied);
	pthread_mutex_unlock(&b->lock);
	if (err != ERR_OK && b->on_error != NULL)
		b->on_error(b->error_ctx, err, store_why(b->store));
	return NULL;
}

static void free_all(struct batches *b)
{
	pthread_cond_destroy(&b->emptied);
	pthread_cond_destroy(&b->filled);
	pthread_mutex_destroy(&b->lock);
	free(b->front.data);
	free(b->back.data);
	free(b);
}

enum err batches_start(struct store *store, size_t queue_bytes, batch_write_fn *write,
		       batch_rest_fn *rest, void *ctx, batch_error_fn *on_error, void *error_ctx,
		       struct batches **out)
{
	struct batches *b = calloc(1, sizeof(*b));
	pthread_condattr_t monotonic;

	*out = NULL;
	if (b == NULL)
		return ERR_NOMEM;
	b->store = store;
	b->write = write;
	b->rest = rest;
	b->ctx = ctx;
	b->on_error = on_error;
	b->error_ctx = error_ctx;
	b->half_bytes = queue_bytes / 2;
	b->front.data = malloc(b->half_bytes);
	b->back.data = malloc(b->half_bytes);
	pthread_mutex_init(&b->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&b->filled, &monotonic);
	pthread_cond_init(&b->emptied, NULL);
	pthread_condattr_destroy(&monotonic);
	if (b->front.data == NULL || b->back.data == NULL ||
	    pthread_create(&b->thread, NULL, run, b) != 0) {
		free_all(b);
		return ERR_NOMEM;
	}
	*out = b;
	return ERR_OK;
}

enum err batches_stop(struct batches *b)
{
	enum err err;

	pthread_mutex_lock(&b->lock);
	b->stop = true;
	pthread_cond_signal(&b->filled);
	pthread_mutex_unlock(&b->lock);
	pthread_join(b->thread, NULL);
	err = b->err;
	free_all(b);
	return err;
}
