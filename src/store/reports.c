/* reports.c: what is kept of crawls that have ended: their reports, as text. */
#include "store/watch.h"

#include "store/db.h"

enum err store_report_put(struct store *s, int64_t crawl_id, int version, struct slice json)
{
	sqlite3_stmt *st = db_use(s, SQL_REPORT_PUT);

	if (st == NULL)
		return db_ended(s, db_fail(s));
	sqlite3_bind_int64(st, 1, crawl_id);
	sqlite3_bind_int(st, 2, version);
	db_bind_text(st, 3, json);
	return db_ended(s, db_run(s, st));
}

enum err store_report_get(struct store *s, int64_t crawl_id, int version, store_report_fn *fn,
			  void *ctx)
{
	sqlite3_stmt *st = db_use(s, SQL_REPORT_GET);
	enum err err;
	int rc;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, crawl_id);
	sqlite3_bind_int(st, 2, version);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		err = fn(ctx, db_column(st, 0));
	else if (rc == SQLITE_DONE)
		err = db_fail_as(s, ERR_NOT_FOUND, "no report is kept of that crawl");
	else
		err = db_fail(s);
	db_done(st);
	return err;
}

enum err store_reports(struct store *s, int version, store_reports_fn *fn, void *ctx)
{
	sqlite3_stmt *st = db_use(s, SQL_REPORT_LIST);
	enum err err = ERR_OK;
	int rc = SQLITE_DONE;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int(st, 1, version);
	while (err == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
		err = fn(ctx, sqlite3_column_int64(st, 0));
	if (err == ERR_OK && rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}
