#include "store/book.h"

#include "store/batch.h"
#include "store/db.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum item_kind { ITEM_PUT, ITEM_DROP, ITEM_KEEP };

struct item {
	enum item_kind kind;
	union {
		struct {
			struct store_book_row row; /* of a drop: addr and node_id */
			uint8_t node_id[PEER_NODE_ID_MAX];
		};
		struct {
			char key[STORE_BOOK_KEY_MAX];
			uint8_t value[STORE_BOOK_VALUE_MAX];
			size_t value_len;
		};
	};
};

struct store_book {
	struct store *store;
	int64_t id;
	struct batches *batches;
};

/* --- reading --- */

static struct netaddr addr_of_key(struct slice key)
{
	return db_key_peer(key).addr;
}

/* Seconds, as whoever calculates with them can bear, whatever was written into the file by hand. */
static int64_t read_time(sqlite3_stmt *st, int at)
{
	int64_t s = sqlite3_column_int64(st, at);

	return s < 0 ? 0 : s > UINT32_MAX ? UINT32_MAX : s;
}

static struct store_book_row read_row(sqlite3_stmt *st)
{
	struct advert peer = db_key_peer(db_column(st, 1));

	return (struct store_book_row){
		.addr = peer.addr,
		.node_id = peer.node_id,
		.tcp_port = (uint16_t)sqlite3_column_int(st, 2),
		.source = addr_of_key(db_column(st, 3)),
		.tried = sqlite3_column_int(st, 4) != 0,
		.services = (uint64_t)sqlite3_column_int64(st, 5),
		.named_s = read_time(st, 6),
		.asked_s = read_time(st, 7),
		.good_s = read_time(st, 8),
		.failures = (uint32_t)sqlite3_column_int64(st, 9),
	};
}

/* name NULL: all. */
static enum err walk(struct store *s, const char *name, bool groups, unsigned kind,
		     store_books_fn *fn, void *ctx)
{
	sqlite3_stmt *st = db_use(s, SQL_BOOK_ROWS);
	enum err err = ERR_OK;
	int rc = SQLITE_DONE;

	if (st == NULL)
		return db_fail(s);
	if (name != NULL)
		db_bind_text(st, 1, slice_text(name));
	sqlite3_bind_int(st, 2, groups);
	if (kind != 0)
		sqlite3_bind_int(st, 3, (int)kind);
	while (err == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_book_row row = read_row(st);
		const unsigned char *of = sqlite3_column_text(st, 0);

		if (row.addr.kind != NETADDR_NONE && of != NULL)
			err = fn(ctx, (const char *)of, &row);
	}
	if (err == ERR_OK && rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

enum err store_books(struct store *store, const struct store_filter *filter, store_books_fn *fn,
		     void *ctx)
{
	return walk(store, filter->network, true, filter->kind, fn, ctx);
}

struct load {
	store_book_fn *fn;
	void *ctx;
	bool enough;
};

static enum err load_row(void *ctx, const char *name, const struct store_book_row *row)
{
	struct load *l = ctx;

	(void)name;
	l->enough = !l->fn(l->ctx, row);
	return l->enough ? ERR_LIMIT : ERR_OK;
}

enum err store_book_load(struct store *store, const char *name, store_book_fn *fn, void *ctx)
{
	struct load l = { fn, ctx, false };
	enum err err = walk(store, name, false, 0, load_row, &l);

	return l.enough ? ERR_OK : err;
}

enum err store_book_value(struct store *store, const char *name, const char *key,
			  uint8_t out[static STORE_BOOK_VALUE_MAX], size_t *len)
{
	sqlite3_stmt *st = db_use(store, SQL_BOOK_VALUE);
	enum err err = ERR_OK;
	int rc;

	*len = 0;
	if (st == NULL)
		return db_fail(store);
	db_bind_text(st, 1, slice_text(name));
	db_bind_text(st, 2, slice_text(key));
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		struct slice value = db_column(st, 0);

		*len = value.len < STORE_BOOK_VALUE_MAX ? value.len : STORE_BOOK_VALUE_MAX;
		if (*len > 0)
			memcpy(out, value.data, *len);
	} else if (rc != SQLITE_DONE) {
		err = db_fail(store);
	}
	db_done(st);
	return err;
}

/* --- writing, on the thread --- */

static enum err write_row(struct store_book *b, const struct store_book_row *row,
			  struct slice node_id)
{
	sqlite3_stmt *st = db_use(b->store, SQL_BOOK_PUT);
	uint8_t key[DB_KEY_MAX], source[DB_KEY_MAX];
	char host[NETADDR_HOST_TEXT_MAX], hex[2 * PEER_NODE_ID_MAX + 1];

	if (st == NULL)
		return db_fail(b->store);
	sqlite3_bind_int64(st, 1, b->id);
	sqlite3_bind_blob(st, 2, key, (int)db_key(&row->addr, node_id, key), SQLITE_STATIC);
	sqlite3_bind_int(st, 3, row->addr.kind);
	db_bind_text(st, 4, slice_of(host, netaddr_host_text(&row->addr, host)));
	sqlite3_bind_int(st, 5, row->addr.port);
	db_bind_hex(st, 6, node_id, hex);
	if (row->tcp_port != 0)
		sqlite3_bind_int(st, 7, row->tcp_port);
	if (row->source.kind != NETADDR_NONE)
		sqlite3_bind_blob(st, 8, source, (int)netaddr_key(&row->source, source),
				  SQLITE_STATIC);
	sqlite3_bind_int(st, 9, row->tried);
	sqlite3_bind_int64(st, 10, (int64_t)row->services);
	sqlite3_bind_int64(st, 11, row->named_s);
	sqlite3_bind_int64(st, 12, row->asked_s);
	sqlite3_bind_int64(st, 13, row->good_s);
	sqlite3_bind_int64(st, 14, row->failures);
	return db_run(b->store, st);
}

static enum err remove_row(struct store_book *b, const struct netaddr *addr, struct slice node_id)
{
	sqlite3_stmt *st = db_use(b->store, SQL_BOOK_DROP);
	uint8_t key[DB_KEY_MAX];

	if (st == NULL)
		return db_fail(b->store);
	sqlite3_bind_int64(st, 1, b->id);
	sqlite3_bind_blob(st, 2, key, (int)db_key(addr, node_id, key), SQLITE_STATIC);
	return db_run(b->store, st);
}

static enum err write_value(struct store_book *b, const struct item *item)
{
	sqlite3_stmt *st = db_use(b->store, SQL_BOOK_KEEP);

	if (st == NULL)
		return db_fail(b->store);
	sqlite3_bind_int64(st, 1, b->id);
	db_bind_text(st, 2, slice_text(item->key));
	sqlite3_bind_blob(st, 3, item->value, (int)item->value_len, SQLITE_STATIC);
	return db_run(b->store, st);
}

static enum err write_item(void *ctx, const void *data)
{
	struct store_book *b = ctx;
	const struct item *item = data;
	enum err err = ERR_VALUE;

	switch (item->kind) {
	case ITEM_PUT:
		err = write_row(b, &item->row, slice_of(item->node_id, item->row.node_id.len));
		break;
	case ITEM_DROP:
		err = remove_row(b, &item->row.addr,
				 slice_of(item->node_id, item->row.node_id.len));
		break;
	case ITEM_KEEP:
		err = write_value(b, item);
		break;
	}
	return db_ended(b->store, err);
}

/* --- handing over --- */

/* The book's id, which it is given now if it is new. */
static enum err find_book(struct store *s, const char *name, int64_t *id)
{
	static const enum sql steps[] = { SQL_BOOK_ADD, SQL_BOOK_FIND };
	enum err err = ERR_OK;

	*id = 0;
	for (unsigned i = 0; i < 2 && err == ERR_OK; i++) {
		sqlite3_stmt *st = db_use(s, steps[i]);

		if (st != NULL)
			db_bind_text(st, 1, slice_text(name));
		err = db_ask(s, st, 0, id);
	}
	return err;
}

enum err store_book_start(struct store *store, const char *name,
			  void (*on_error)(void *ctx, enum err err, const char *why), void *ctx,
			  struct store_book **out)
{
	struct store_book *b = calloc(1, sizeof(*b));
	/* Two halves, each for all that may be queued. */
	size_t bytes = 2 * STORE_BOOK_QUEUE_MAX * (sizeof(struct item) + BATCH_HEAD_BYTES);
	enum err err;

	*out = NULL;
	if (b == NULL)
		return db_fail_as(store, ERR_NOMEM, NULL);
	b->store = store;
	err = find_book(store, name, &b->id);
	if (err == ERR_OK)
		err = db_hold_book(store, b->id);
	if (err == ERR_OK) {
		err = batches_start(store, bytes, write_item, NULL, b, on_error, ctx, &b->batches);
		if (err != ERR_OK)
			db_fail_as(store, err, NULL);
	}
	if (err != ERR_OK)
		free(b);
	else
		*out = b;
	return err;
}

size_t store_book_room(struct store_book *b)
{
	return batches_room(b->batches, sizeof(struct item));
}

static bool put(struct store_book *b, enum item_kind kind, const struct store_book_row *row)
{
	struct item *item = batches_take(b->batches, sizeof(*item), false);

	assert(row->node_id.len <= PEER_NODE_ID_MAX);
	if (item == NULL)
		return false;
	item->kind = kind;
	item->row = *row;
	if (row->node_id.len > 0)
		memcpy(item->node_id, row->node_id.data, row->node_id.len);
	batches_put(b->batches);
	return true;
}

bool store_book_put(struct store_book *b, const struct store_book_row *row)
{
	return put(b, ITEM_PUT, row);
}

bool store_book_drop(struct store_book *b, const struct netaddr *addr, struct slice node_id)
{
	const struct store_book_row row = { .addr = *addr, .node_id = node_id };

	return put(b, ITEM_DROP, &row);
}

bool store_book_keep(struct store_book *b, const char *key, struct slice value)
{
	struct item *item;

	assert(strlen(key) < STORE_BOOK_KEY_MAX && value.len <= STORE_BOOK_VALUE_MAX);
	item = batches_take(b->batches, sizeof(*item), false);
	if (item == NULL)
		return false;
	item->kind = ITEM_KEEP;
	strcpy(item->key, key);
	item->value_len = value.len;
	if (value.len > 0)
		memcpy(item->value, value.data, value.len);
	batches_put(b->batches);
	return true;
}

enum err store_book_stop(struct store_book *b)
{
	enum err err = batches_stop(b->batches);

	free(b);
	return err;
}
