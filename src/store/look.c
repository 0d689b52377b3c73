#include "store/look.h"

#include "store/db.h"

enum err store_version(struct store *s, int64_t *version)
{
	return db_ask(s, db_use(s, SQL_VERSION), 0, version);
}

bool store_is_copy(const struct store *s)
{
	return s->is_copy;
}

enum err store_networks(struct store *s, store_network_fn *fn, void *ctx)
{
	sqlite3_stmt *st = db_use(s, SQL_NETWORK_LIST);
	enum err err = ERR_OK;
	int rc = SQLITE_DONE;

	if (st == NULL)
		return db_fail(s);
	while (err == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_network n = {
			.name = db_column_name(st, 0),
			.crawls = (uint64_t)sqlite3_column_int64(st, 1),
			.newest_crawl = sqlite3_column_int64(st, 2),
		};

		err = fn(ctx, &n);
	}
	if (err == ERR_OK && rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

/* --- a crawl that goes on --- */

static enum err count_visits(struct store *s, int64_t crawl_id, struct store_progress *p)
{
	sqlite3_stmt *st = db_use(s, p->last_visit > 0 ? SQL_PROGRESS_MORE : SQL_PROGRESS);
	enum err err = ERR_OK;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, crawl_id);
	if (p->last_visit > 0)
		sqlite3_bind_int64(st, 2, p->last_visit);
	if (sqlite3_step(st) == SQLITE_ROW) {
		p->fresh = (uint64_t)sqlite3_column_int64(st, 0);
		/* A late retry comes as a row of its own, in the place of one that was not reached.
		 */
		p->reached += (uint64_t)sqlite3_column_int64(st, 1);
		if (p->fresh > 0)
			p->last_visit = sqlite3_column_int64(st, 2);
	} else {
		err = db_fail(s);
	}
	db_done(st);
	return err;
}

static enum err count(struct store *s, enum sql sql, int64_t crawl_id, uint64_t *out)
{
	sqlite3_stmt *st = db_use(s, sql);
	int64_t n;
	enum err err;

	if (st != NULL)
		sqlite3_bind_int64(st, 1, crawl_id);
	err = db_ask(s, st, 0, &n);
	*out = (uint64_t)n;
	return err;
}

enum err store_progress(struct store *s, int64_t crawl_id, struct store_progress *p)
{
	enum err err = count_visits(s, crawl_id, p);

	if (err == ERR_OK && p->fresh > 0)
		err = count(s, SQL_PROGRESS_VISITED, crawl_id, &p->visited);
	return err;
}

enum err store_progress_known(struct store *s, int64_t crawl_id, uint64_t *known)
{
	return count(s, SQL_PROGRESS_KNOWN, crawl_id, known);
}

enum err store_recent(struct store *s, int64_t crawl_id, int64_t above, size_t limit,
		      store_recent_fn *fn, void *ctx)
{
	sqlite3_stmt *st = db_use(s, SQL_RECENT);
	enum err err = ERR_OK;
	int rc = SQLITE_DONE;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, crawl_id);
	sqlite3_bind_int64(st, 2, above);
	sqlite3_bind_int64(st, 3, (sqlite3_int64)limit);
	while (err == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_recent v = {
			.id = sqlite3_column_int64(st, 0),
			.peer = db_key_peer(db_column(st, 1)),
			.outcome = db_column_outcome(st, 3),
			.reached = sqlite3_column_int(st, 4) != 0,
			.has_agent = sqlite3_column_type(st, 5) != SQLITE_NULL,
			.agent = db_column(st, 5),
		};

		v.peer.tcp_port = (uint16_t)sqlite3_column_int(st, 2);
		err = fn(ctx, &v);
	}
	if (err == ERR_OK && rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}
