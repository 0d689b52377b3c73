#include "store/feed.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* SQLite's classes begin with a part of its own. */
struct table {
	sqlite3_vtab base;
	struct store *store;
};

struct cursor {
	sqlite3_vtab_cursor base;
	const struct feed *feed;
	size_t row;
};

static int connect_table(sqlite3 *db, void *ctx, int argc, const char *const *argv,
			 sqlite3_vtab **out, char **why)
{
	char sql[32 + 6 * FEED_COLUMNS];
	size_t len = (size_t)snprintf(sql, sizeof(sql), "CREATE TABLE batch(c0");
	struct table *table = sqlite3_malloc(sizeof(*table));
	int rc = SQLITE_NOMEM;

	(void)argc;
	(void)argv;
	(void)why;
	for (int i = 1; i < FEED_COLUMNS; i++)
		len += (size_t)snprintf(sql + len, sizeof(sql) - len, ", c%d", i);
	snprintf(sql + len, sizeof(sql) - len, ")");
	if (table != NULL)
		rc = sqlite3_declare_vtab(db, sql);
	if (rc != SQLITE_OK) {
		sqlite3_free(table);
		return rc;
	}
	*table = (struct table){ .store = ctx };
	*out = &table->base;
	return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *table)
{
	sqlite3_free(table);
	return SQLITE_OK;
}

/* Whatever is asked, all rows come in their order: joins look up the other table for each. */
static int plan(sqlite3_vtab *table, sqlite3_index_info *info)
{
	(void)table;
	info->estimatedRows = 1000;
	info->estimatedCost = 1000;
	return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
	struct cursor *c = sqlite3_malloc(sizeof(*c));

	(void)table;
	if (c == NULL)
		return SQLITE_NOMEM;
	*c = (struct cursor){ 0 };
	*out = &c->base;
	return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
	sqlite3_free(base);
	return SQLITE_OK;
}

static int first_row(sqlite3_vtab_cursor *base, int number, const char *text, int argc,
		     sqlite3_value **argv)
{
	struct cursor *c = (struct cursor *)base;

	(void)number;
	(void)text;
	(void)argc;
	(void)argv;
	c->feed = ((struct table *)base->pVtab)->store->feed;
	c->row = 0;
	return SQLITE_OK;
}

static int next_row(sqlite3_vtab_cursor *base)
{
	((struct cursor *)base)->row++;
	return SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *base)
{
	const struct cursor *c = (const struct cursor *)base;

	return c->feed == NULL || c->row >= c->feed->count;
}

static int column_of_row(sqlite3_vtab_cursor *base, sqlite3_context *out, int column)
{
	const struct cursor *c = (const struct cursor *)base;

	c->feed->column(c->feed, c->row, column, out);
	return SQLITE_OK;
}

static int id_of_row(sqlite3_vtab_cursor *base, sqlite3_int64 *id)
{
	*id = (sqlite3_int64)((const struct cursor *)base)->row;
	return SQLITE_OK;
}

/* Without a way to create one it is there by its name alone. */
static const sqlite3_module module = {
	.xConnect = connect_table,
	.xBestIndex = plan,
	.xDisconnect = disconnect_table,
	.xOpen = open_cursor,
	.xClose = close_cursor,
	.xFilter = first_row,
	.xNext = next_row,
	.xEof = at_end,
	.xColumn = column_of_row,
	.xRowid = id_of_row,
};

enum err feed_open(struct store *s)
{
	return sqlite3_create_module(s->db, "batch", &module, s) == SQLITE_OK ? ERR_OK : db_fail(s);
}

sqlite3_stmt *feed_use(struct store *s, enum sql sql, const struct feed *feed)
{
	s->feed = feed;
	return db_use(s, sql);
}

enum err feed_run(struct store *s, enum sql sql, const struct feed *feed)
{
	sqlite3_stmt *st = feed_use(s, sql, feed);

	return st != NULL ? db_run(s, st) : db_fail(s);
}

void feed_text(sqlite3_context *out, struct slice s)
{
	/* A NULL pointer would mean SQL's NULL, which is "not said". */
	sqlite3_result_text(out, s.len > 0 ? (const char *)s.data : "", (int)s.len, SQLITE_STATIC);
}

void feed_bytes(sqlite3_context *out, struct slice s)
{
	if (db_is_text(s))
		feed_text(out, s);
	else
		sqlite3_result_blob(out, s.data, (int)s.len, SQLITE_STATIC);
}

void feed_hex(sqlite3_context *out, struct slice s)
{
	char hex[2 * PEER_NODE_ID_MAX + 1];

	s.len = s.len < PEER_NODE_ID_MAX ? s.len : PEER_NODE_ID_MAX;
	hex_encode(s, hex);
	sqlite3_result_text(out, hex, (int)(2 * s.len), SQLITE_TRANSIENT);
}
