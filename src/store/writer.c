#include "store/writer.h"

#include "store/batch.h"
#include "store/put.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum item_kind {
	ITEM_KNOWN,
	ITEM_VISIT,
	ITEM_ADVERT,
};

/* An item in a half: this, and behind it the bytes that its slices had pointed to. */
struct item {
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

struct store_writer {
	struct store *store;
	const struct store_crawl *crawl;
	struct batches *batches;
};

/* The bytes of s at p, which is moved behind them; *s is made to point there. */
static uint8_t *pack(uint8_t *p, struct slice *s)
{
	if (s->len > 0)
		memcpy(p, s->data, s->len);
	s->data = p;
	return p + s->len;
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
	item = batches_take(w->batches, size + tail, true);
	if (item != NULL) {
		item->kind = (uint16_t)kind;
		item->from_id_len = (uint16_t)from_id.len;
		item->named.addr = *addr;
		item->named.has_advert = advert != NULL;
		item->named.at_ms = at_ms;
		if (advert != NULL) {
			item->named.advert = *advert;
			pack(pack((uint8_t *)item + size, &item->named.advert.node_id), &from_id);
		}
		batches_put(w->batches);
	}
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
	item = batches_take(w->batches, size + tail, true);
	if (item != NULL) {
		uint8_t *p = (uint8_t *)item + size;

		item->kind = ITEM_VISIT;
		item->record = *record;
		if (record->node != NULL)
			p = pack_node(p, &item->record.node);
		p = pack(p, &item->record.info.agent);
		p = pack(p, &item->record.info.node_id);
		p = pack(p, &item->record.info.negotiation);
		pack_word(p, &item->record.rule);
		batches_put(w->batches);
	}
}

static enum err write_advert(struct store_writer *w, const struct item *item)
{
	const struct advert *advert = &item->named.advert;
	const struct advert from = {
		.addr = item->named.addr,
		.node_id = slice_of(advert->node_id.data + advert->node_id.len, item->from_id_len),
	};

	return put_advert(w->store, w->crawl, &from, advert, item->named.at_ms);
}

static enum err write_item(void *ctx, const void *data)
{
	struct store_writer *w = ctx;
	const struct item *item = data;

	switch ((enum item_kind)item->kind) {
	case ITEM_KNOWN:
		return put_known(w->store, w->crawl, &item->named.addr,
				 item->named.has_advert ? &item->named.advert : NULL,
				 item->named.at_ms);
	case ITEM_VISIT:
		return put_visit(w->store, w->crawl, &item->record);
	case ITEM_ADVERT:
		return write_advert(w, item);
	}
	return ERR_VALUE;
}

static enum err write_rest(void *ctx)
{
	struct store_writer *w = ctx;

	return put_flush(w->store);
}

enum err store_writer_start(struct store *store, const struct store_crawl *crawl,
			    void (*on_error)(void *ctx, enum err err, const char *why), void *ctx,
			    struct store_writer **out)
{
	struct store_writer *w = calloc(1, sizeof(*w));
	enum err err;

	*out = NULL;
	if (w == NULL)
		return ERR_NOMEM;
	w->store = store;
	w->crawl = crawl;
	err = batches_start(store, STORE_WRITER_QUEUE_BYTES, write_item, write_rest, w, on_error,
			    ctx, &w->batches);
	if (err != ERR_OK)
		free(w);
	else
		*out = w;
	return err;
}

enum err store_writer_stop(struct store_writer *w)
{
	enum err err = batches_stop(w->batches);

	free(w);
	return err;
}
