#include "store/rows.h"

#include <string.h>

enum { SIDE_COLUMNS = 7, SIDES_AT = 3 };

static void side_read(sqlite3_stmt *st, int at, struct store_change_side *out)
{
	struct slice fork = db_column(st, at + 6);

	out->visited = row_is_set(st, at);
	if (out->visited) {
		out->outcome = db_column_outcome(st, at);
		out->reached = sqlite3_column_int(st, at + 1) != 0;
	}
	out->has_version = row_is_set(st, at + 2);
	out->agent = db_column(st, at + 3);
	if (out->has_version) {
		out->protocol = sqlite3_column_int64(st, at + 2);
		out->services = (uint64_t)sqlite3_column_int64(st, at + 4);
	}
	out->has_record_seq = row_is_set(st, at + 5);
	if (out->has_record_seq)
		out->record_seq = (uint64_t)sqlite3_column_int64(st, at + 5);
	out->has_fork = fork.len == sizeof(out->fork_hash);
	if (out->has_fork)
		memcpy(out->fork_hash, fork.data, fork.len);
}

static enum err change_row(sqlite3_stmt *st, store_change_fn *fn, void *ctx)
{
	struct advert key = db_key_peer(db_column(st, 1));
	struct store_change change = {
		.id = sqlite3_column_int64(st, 0),
		.addr = key.addr,
		.public = key.node_id,
		.tcp_port = (uint16_t)sqlite3_column_int(st, 2),
		.back = sqlite3_column_int(st, SIDES_AT + 2 * SIDE_COLUMNS) != 0,
	};

	side_read(st, SIDES_AT, &change.was);
	side_read(st, SIDES_AT + SIDE_COLUMNS, &change.is);
	return fn(ctx, &change);
}

/* id 0: all of them. *count: how many there were. */
static enum err changes(struct store *s, enum sql sql, int64_t a, int64_t b, int64_t id,
			store_change_fn *fn, void *ctx, size_t *count)
{
	sqlite3_stmt *st = db_use(s, sql);
	enum err err = ERR_OK;
	int rc = SQLITE_DONE;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, a);
	sqlite3_bind_int64(st, 2, b);
	if (id != 0)
		sqlite3_bind_int64(st, 3, id);
	for (*count = 0; err == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW; ++*count)
		err = change_row(st, fn, ctx);
	if (err == ERR_OK && rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

enum err store_changes(struct store *s, int64_t a, int64_t b, store_change_fn *fn, void *ctx)
{
	size_t count;

	return changes(s, SQL_CHANGES, a, b, 0, fn, ctx, &count);
}

enum err store_change_of(struct store *s, int64_t a, int64_t b, int64_t id, store_change_fn *fn,
			 void *ctx)
{
	size_t count = 0;
	enum err err = changes(s, SQL_CHANGE_OF_A, a, b, id, fn, ctx, &count);

	if (err != ERR_OK || count > 0)
		return err;
	return changes(s, SQL_CHANGE_OF_B, a, b, id, fn, ctx, &count);
}
