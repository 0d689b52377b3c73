/* query_counted.c: the visits of one crawl for whoever counts them: nothing else of them is read.
 */
#include "store/rows.h"

#include "base/text.h"

/* Columns of SQL_COUNTED_REACHED. */
enum { REACHED_NODE = 11 };

static void read_reached(sqlite3_stmt *st, struct row_visit *out)
{
	struct advert key = db_key_peer(db_column(st, 0));
	struct record *r = &out->visit.record;
	struct peer_info *info = &r->info;
	size_t len = 0;

	*r = (struct record){
		.addr = key.addr,
		.outcome = db_column_outcome(st, 1),
		.reached = true,
		.connect_ms = row_ms(st, 2),
		.version_ms = -1,
		.handshake_ms = row_ms(st, 3),
		.reply_ms = row_ms(st, 4),
		.total_ms = row_ms(st, 5),
	};
	info->node_id = key.node_id;
	if (row_is_set(st, 6) &&
	    hex_decode(db_column(st, 6), out->node_id, PEER_NODE_ID_MAX, &len) == ERR_OK)
		info->node_id = slice_of(out->node_id, len);
	info->agent = db_column(st, 7);
	info->has_version = row_is_set(st, 8);
	info->protocol = sqlite3_column_int64(st, 8);
	info->services = (uint64_t)sqlite3_column_int64(st, 9);
	info->height = info->has_version ? sqlite3_column_int64(st, 10) : -1;
	if (node_read(st, REACHED_NODE, &out->node))
		r->node = &out->node;
}

static void read_missed(sqlite3_stmt *st, struct row_visit *out)
{
	out->visit.record = (struct record){
		.outcome = db_column_outcome(st, 0),
		.connect_ms = row_ms(st, 1),
		.version_ms = -1,
		.handshake_ms = -1,
		.reply_ms = -1,
		.total_ms = -1,
		.node = sqlite3_column_int(st, 2) != 0 ? &out->node : NULL,
	};
}

static enum err counted(struct store *s, enum sql sql, const struct store_filter *filter,
			const int64_t range[static 2],
			void (*read)(sqlite3_stmt *, struct row_visit *), store_visit_fn *fn,
			void *ctx)
{
	struct row_visit row = { .visit = { .crawl_id = filter->crawl_id } };
	char forks[ROW_FORKS_MAX];
	sqlite3_stmt *st = db_use(s, sql);
	enum err err = ERR_OK;
	int rc = SQLITE_DONE;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, filter->crawl_id);
	sqlite3_bind_int64(st, 2, range[0]);
	sqlite3_bind_int64(st, 3, range[1]);
	row_forks(st, filter, forks);
	while (err == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		read(st, &row);
		err = fn(ctx, &row.visit);
	}
	if (err == ERR_OK && rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

enum err store_counted(struct store *s, const struct store_filter *filter, store_visit_fn *fn,
		       void *ctx)
{
	int64_t range[2] = { 1, 0 };
	enum err err = row_visits_range(s, filter->crawl_id, range);

	if (err == ERR_OK)
		err = counted(s, SQL_COUNTED_MISSED, filter, range, read_missed, fn, ctx);
	if (err == ERR_OK)
		err = counted(s, SQL_COUNTED_REACHED, filter, range, read_reached, fn, ctx);
	return err;
}
