#include "store/writer.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	/* Two halves: putters fill one while the thread empties the other. */
	HALF_BYTES = STORE_WRITER_QUEUE_BYTES / 2,
	/* A batch begins this long after its first item came, which leaves the rest of
	 * STORE_WRITER_COMMIT_MS for the work itself. Waiting first and then writing all
	 * at once keeps the database locked for as short as can be. */
	GATHER_MS = STORE_WRITER_COMMIT_MS * 3 / 5,
	/* ... or as soon as a half is this full. */
	GATHER_BYTES = HALF_BYTES / 2,
};

enum item_kind {
	ITEM_KNOWN,
	ITEM_VISIT,
	ITEM_ADVERT,
};

/* An item in a half: this, and behind it the bytes that its slices had pointed to. */
struct item {
	uint32_t size;        /* of all, a multiple of 8 */
	uint16_t kind;        /* enum item_kind */
	uint16_t from_id_len; /* ITEM_ADVERT: of its node id, the last of the bytes */
	union {
		struct {
			struct netaddr addr; /* ITEM_KNOWN: the peer; ITEM_ADVERT: who named */
			bool has_advert;
			struct advert advert;
			int64_t at_ms;
		} named;
		struct record record;
	};
};

struct half {
	uint8_t *data;
	size_t len;
};

struct store_writer {
	struct store *store;
	const struct store_crawl *crawl;
	void (*on_error)(void *ctx, enum err err, const char *why);
	void *on_error_ctx;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled; /* something came, or stop */
	pthread_cond_t emptied;
	/* Under the lock: */
	struct half front;
	uint64_t front_since_ms; /* when its first item came */
	bool stop;
	enum err err; /* the first one; from then on everything is dropped */
	/* The thread's own: */
	struct half back;
};

static uint64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The bytes of s at p, which is moved behind them; *s is made to point there. */
static uint8_t *pack(uint8_t *p, struct slice *s)
{
	if (s->len > 0)
		memcpy(p, s->data, s->len);
	s->data = p;
	return p + s->len;
}

/* Waits until the front half has room for size bytes; NULL once the store has failed. */
static struct item *reserve(struct store_writer *w, size_t size)
{
	struct item *item;

	while (w->err == ERR_OK && size > HALF_BYTES - w->front.len)
		pthread_cond_wait(&w->emptied, &w->lock);
	if (w->err != ERR_OK)
		return NULL;
	if (w->front.len == 0)
		w->front_since_ms = clock_ms();
	item = (struct item *)(void *)(w->front.data + w->front.len);
	/* The thread sleeps without a deadline while there is nothing. */
	if (w->front.len == 0 || w->front.len + size >= GATHER_BYTES)
		pthread_cond_signal(&w->filled);
	w->front.len += size;
	return item;
}

static size_t round_up(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

/* What store_writer_known and store_writer_advert put differs in one thing: the node id of
 * who named is there too. */
static void put_named(struct store_writer *w, enum item_kind kind, const struct netaddr *addr,
		      struct slice from_id, const struct advert *advert, int64_t at_ms)
{
	size_t size = offsetof(struct item, named) + sizeof(((struct item *)0)->named);
	size_t id_len = advert != NULL ? advert->node_id.len : 0, tail = id_len + from_id.len;
	struct item *item;

	assert(id_len <= PEER_NODE_ID_MAX && from_id.len <= PEER_NODE_ID_MAX);
	pthread_mutex_lock(&w->lock);
	item = reserve(w, round_up(size + tail));
	if (item != NULL) {
		item->size = (uint32_t)round_up(size + tail);
		item->kind = (uint16_t)kind;
		item->from_id_len = (uint16_t)from_id.len;
		item->named.addr = *addr;
		item->named.has_advert = advert != NULL;
		item->named.at_ms = at_ms;
		if (advert != NULL) {
			item->named.advert = *advert;
			pack(pack((uint8_t *)item + size, &item->named.advert.node_id), &from_id);
		}
	}
	pthread_mutex_unlock(&w->lock);
}

void store_writer_known(struct store_writer *w, const struct netaddr *addr,
			const struct advert *advert, int64_t at_ms)
{
	put_named(w, ITEM_KNOWN, addr, slice_of(NULL, 0), advert, at_ms);
}

void store_writer_advert(struct store_writer *w, const struct advert *from,
			 const struct advert *advert, int64_t at_ms)
{
	put_named(w, ITEM_ADVERT, &from->addr, from->node_id, advert, at_ms);
}

static size_t word_size(const char *word)
{
	return word != NULL ? strnlen(word, PEER_RULE_MAX) + 1 : 0;
}

static uint8_t *pack_word(uint8_t *p, const char **word)
{
	size_t size = word_size(*word);

	if (size == 0)
		return p;
	memcpy(p, *word, size - 1);
	p[size - 1] = 0;
	*word = (const char *)p;
	return p + size;
}

/* What a node's visit adds to its record. */
static size_t node_size(const struct node_info *node)
{
	assert(node->record.len < PEER_RECORD_MAX);
	assert(node->faults.len <= PEER_FAULTS_MAX);
	assert(node->capabilities.len <= PEER_CAPABILITIES_MAX);
	return sizeof(*node) + node->record.len + node->faults.len + node->capabilities.len +
	       word_size(node->completeness) + word_size(node->session) +
	       word_size(node->session_rule);
}

/* p is aligned: it follows the item. */
static uint8_t *pack_node(uint8_t *p, const struct node_info **node)
{
	struct node_info *copy = (struct node_info *)(void *)p;

	*copy = **node;
	*node = copy;
	p += sizeof(*copy);
	p = pack(p, &copy->record);
	p = pack(p, &copy->faults);
	p = pack(p, &copy->capabilities);
	p = pack_word(p, &copy->completeness);
	p = pack_word(p, &copy->session);
	return pack_word(p, &copy->session_rule);
}

void store_writer_visit(struct store_writer *w, const struct record *record)
{
	size_t size = offsetof(struct item, record) + sizeof(struct record);
	size_t tail = record->info.agent.len + record->info.node_id.len +
		      record->info.negotiation.len + word_size(record->rule);
	struct item *item;

	assert(record->info.agent.len <= PEER_AGENT_MAX);
	assert(record->info.node_id.len <= PEER_NODE_ID_MAX);
	assert(record->info.negotiation.len <= PEER_NEGOTIATION_MAX);
	if (record->node != NULL)
		tail += node_size(record->node);
	pthread_mutex_lock(&w->lock);
	item = reserve(w, round_up(size + tail));
	if (item != NULL) {
		uint8_t *p = (uint8_t *)item + size;

		item->size = (uint32_t)round_up(size + tail);
		item->kind = ITEM_VISIT;
		item->record = *record;
		if (record->node != NULL)
			p = pack_node(p, &item->record.node);
		p = pack(p, &item->record.info.agent);
		p = pack(p, &item->record.info.node_id);
		p = pack(p, &item->record.info.negotiation);
		pack_word(p, &item->record.rule);
	}
	pthread_mutex_unlock(&w->lock);
}

static enum err write_advert(struct store_writer *w, const struct item *item)
{
	const struct advert *advert = &item->named.advert;
	const struct advert from = {
		.addr = item->named.addr,
		.node_id = slice_of(advert->node_id.data + advert->node_id.len, item->from_id_len),
	};

	return store_put_advert(w->store, w->crawl, &from, advert, item->named.at_ms);
}

static enum err write_item(struct store_writer *w, const struct item *item)
{
	switch ((enum item_kind)item->kind) {
	case ITEM_KNOWN:
		return store_put_known(w->store, w->crawl, &item->named.addr,
				       item->named.has_advert ? &item->named.advert : NULL,
				       item->named.at_ms);
	case ITEM_VISIT:
		return store_put_visit(w->store, w->crawl, &item->record);
	case ITEM_ADVERT:
		return write_advert(w, item);
	}
	return ERR_VALUE;
}

static enum err write_half(struct store_writer *w, const struct half *half)
{
	enum err err = store_begin(w->store);
	size_t at = 0;

	while (err == ERR_OK && at < half->len) {
		const struct item *item = (const struct item *)(const void *)(half->data + at);

		err = write_item(w, item);
		at += item->size;
	}
	return err == ERR_OK ? store_commit(w->store) : err;
}

/* Until a batch is due; false when there will be none. Called with the lock held. */
static bool wait_for_batch(struct store_writer *w)
{
	while (!w->stop && w->front.len < GATHER_BYTES) {
		uint64_t due_ms = w->front_since_ms + GATHER_MS;
		struct timespec until = { .tv_sec = (time_t)(due_ms / 1000),
					  .tv_nsec = (long)(due_ms % 1000) * 1000000 };

		if (w->front.len == 0)
			pthread_cond_wait(&w->filled, &w->lock);
		else if (pthread_cond_timedwait(&w->filled, &w->lock, &until) == ETIMEDOUT)
			break;
	}
	return w->front.len > 0;
}

static void *run(void *arg)
{
	struct store_writer *w = arg;
	enum err err = ERR_OK;

	pthread_mutex_lock(&w->lock);
	while (err == ERR_OK && wait_for_batch(w)) {
		struct half half = w->front;

		w->front = w->back;
		w->front.len = 0;
		w->back = half;
		pthread_cond_broadcast(&w->emptied);
		pthread_mutex_unlock(&w->lock);
		err = write_half(w, &half);
		pthread_mutex_lock(&w->lock);
	}
	w->err = err;
	pthread_cond_broadcast(&w->emptied);
	pthread_mutex_unlock(&w->lock);
	if (err != ERR_OK && w->on_error != NULL)
		w->on_error(w->on_error_ctx, err, store_why(w->store));
	return NULL;
}

static void free_writer(struct store_writer *w)
{
	pthread_cond_destroy(&w->emptied);
	pthread_cond_destroy(&w->filled);
	pthread_mutex_destroy(&w->lock);
	free(w->front.data);
	free(w->back.data);
	free(w);
}

enum err store_writer_start(struct store *store, const struct store_crawl *crawl,
			    void (*on_error)(void *ctx, enum err err, const char *why), void *ctx,
			    struct store_writer **out)
{
	struct store_writer *w = calloc(1, sizeof(*w));
	pthread_condattr_t monotonic;

	*out = NULL;
	if (w == NULL)
		return ERR_NOMEM;
	w->store = store;
	w->crawl = crawl;
	w->on_error = on_error;
	w->on_error_ctx = ctx;
	w->front.data = malloc(HALF_BYTES);
	w->back.data = malloc(HALF_BYTES);
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w->filled, &monotonic);
	pthread_cond_init(&w->emptied, NULL);
	pthread_condattr_destroy(&monotonic);
	if (w->front.data == NULL || w->back.data == NULL ||
	    pthread_create(&w->thread, NULL, run, w) != 0) {
		free_writer(w);
		return ERR_NOMEM;
	}
	*out = w;
	return ERR_OK;
}

enum err store_writer_stop(struct store_writer *w)
{
	enum err err;

	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->filled);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	err = w->err;
	free_writer(w);
	return err;
}
