/* watch_peer.c: one peer over time, and what is new of all of them. */
#include "store/watch.h"

#include "store/rows.h"

#include <limits.h>

enum err store_peer_by_id(struct store *s, int64_t id, store_peer_fn *fn, void *ctx)
{
	struct row_network network = { 0 };
	sqlite3_stmt *st = db_use(s, SQL_PEER_BY_ID);
	struct store_peer peer;
	enum err err;
	int rc;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, id);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		err = row_network(s, st, &network);
		if (err == ERR_OK) {
			row_peer(st, network.name, &peer);
			err = fn(ctx, &peer);
		}
	} else if (rc == SQLITE_DONE) {
		err = db_fail_as(s, ERR_NOT_FOUND, "no peer has that number");
	} else {
		err = db_fail(s);
	}
	db_done(st);
	return err;
}

enum err store_peer_schedule(struct store *s, int64_t id, struct schedule *out)
{
	sqlite3_stmt *st = db_use(s, SQL_PEER_SCHEDULE);
	enum err err = ERR_OK;
	int rc;

	*out = (struct schedule){ 0 };
	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, id);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		row_schedule(st, 0, out);
	else if (rc == SQLITE_DONE)
		err = db_fail_as(s, ERR_NOT_FOUND, "that peer is not watched");
	else
		err = db_fail(s);
	db_done(st);
	return err;
}

/* Some rows of one peer; row hands one to the caller's function. */
struct of_peer {
	sqlite3_stmt *st;
	enum err (*row)(struct of_peer *q);
	void *fn_ctx;
	store_session_fn *on_session;
	store_told_fn *on_told;
	store_day_fn *on_day;
	store_visit_fn *on_visit;
	struct store *store;
	struct row_network network;
};

static enum err ask(struct of_peer *q, enum sql sql, int64_t id, size_t limit)
{
	enum err err = ERR_OK;
	int rc = SQLITE_DONE;

	q->st = db_use(q->store, sql);
	if (q->st == NULL)
		return db_fail(q->store);
	sqlite3_bind_int64(q->st, 1, id);
	sqlite3_bind_int64(q->st, 2, limit < INT_MAX ? (int64_t)limit : INT_MAX);
	while (err == ERR_OK && (rc = sqlite3_step(q->st)) == SQLITE_ROW)
		err = q->row(q);
	if (err == ERR_OK && rc != SQLITE_DONE)
		err = db_fail(q->store);
	db_done(q->st);
	return err;
}

static enum err session_row(struct of_peer *q)
{
	return q->on_session(q->fn_ctx, db_column_ms(q->st, 0), db_column_ms(q->st, 1));
}

enum err store_peer_sessions(struct store *s, int64_t id, size_t limit, store_session_fn *fn,
			     void *ctx)
{
	struct of_peer q = { .store = s, .row = session_row, .on_session = fn, .fn_ctx = ctx };

	return ask(&q, SQL_PEER_SESSIONS, id, limit);
}

static enum err told_row(struct of_peer *q)
{
	struct store_told told = {
		.at_ms = db_column_ms(q->st, 0),
		.what = db_column_name(q->st, 1),
		.was = db_column(q->st, 2),
		.now = db_column(q->st, 3),
	};

	return q->on_told(q->fn_ctx, &told);
}

enum err store_peer_told(struct store *s, int64_t id, size_t limit, store_told_fn *fn, void *ctx)
{
	struct of_peer q = { .store = s, .row = told_row, .on_told = fn, .fn_ctx = ctx };

	return ask(&q, SQL_PEER_TOLD, id, limit);
}

static enum err visit_row(struct of_peer *q)
{
	struct row_visit row;
	enum err err = row_network(q->store, q->st, &q->network);

	if (err != ERR_OK)
		return err;
	row_visit(q->st, q->network.name, &row);
	return q->on_visit(q->fn_ctx, &row.visit);
}

enum err store_peer_visits(struct store *s, int64_t id, size_t limit, store_visit_fn *fn, void *ctx)
{
	struct of_peer q = { .store = s, .row = visit_row, .on_visit = fn, .fn_ctx = ctx };

	return ask(&q, SQL_PEER_VISITS, id, limit);
}

static enum err day_row(struct of_peer *q)
{
	enum { LAST = 2932896 /* the end of the year 9999 */ };
	int64_t number = sqlite3_column_int64(q->st, 0);
	struct store_day day = {
		.day = number < 0      ? 0
		       : number < LAST ? number
				       : LAST,
		.visits = (uint32_t)sqlite3_column_int64(q->st, 1),
		.reached = (uint32_t)sqlite3_column_int64(q->st, 2),
	};

	return q->on_day(q->fn_ctx, &day);
}

enum err store_peer_days(struct store *s, int64_t id, size_t limit, store_day_fn *fn, void *ctx)
{
	struct of_peer q = { .store = s, .row = day_row, .on_day = fn, .fn_ctx = ctx };

	return ask(&q, SQL_PEER_DAYS, id, limit);
}

/* The newest numbers of all. */
static enum err newest(struct store *s, int64_t *peer_id, int64_t *visit_id)
{
	sqlite3_stmt *st = db_use(s, SQL_NEWS_NEWEST);
	enum err err = ERR_OK;

	if (st == NULL)
		return db_fail(s);
	if (sqlite3_step(st) == SQLITE_ROW) {
		*peer_id = sqlite3_column_int64(st, 0);
		*visit_id = sqlite3_column_int64(st, 1);
	} else {
		err = db_fail(s);
	}
	db_done(st);
	return err;
}

static enum err news(struct store *s, enum sql sql, int64_t peer_id, int64_t visit_id,
		     store_news_fn *fn, void *ctx)
{
	struct row_network network = { 0 };
	sqlite3_stmt *st = db_use(s, sql);
	enum err err = ERR_OK;
	int rc = SQLITE_DONE;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, peer_id);
	if (sql == SQL_NEWS_VISITS)
		sqlite3_bind_int64(st, 2, visit_id);
	while (err == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct schedule schedule;
		struct store_peer peer;
		bool watched = row_schedule(st, ROW_PEER_MORE + 1, &schedule);

		err = row_network(s, st, &network);
		if (err != ERR_OK)
			break;
		row_peer(st, network.name, &peer);
		err = fn(ctx, sqlite3_column_int64(st, ROW_PEER_MORE), &peer,
			 watched ? &schedule : NULL);
	}
	if (err == ERR_OK && rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

enum err store_news(struct store *s, int64_t *peer_id, int64_t *visit_id, store_news_fn *fn,
		    void *ctx)
{
	bool own = sqlite3_get_autocommit(s->db) != 0;
	int64_t newest_peer = 0, newest_visit = 0;
	enum err err = own ? store_read_begin(s) : ERR_OK;

	if (err == ERR_OK)
		err = newest(s, &newest_peer, &newest_visit);
	if (err == ERR_OK && newest_visit > *visit_id && *peer_id > 0)
		err = news(s, SQL_NEWS_VISITS, *peer_id, *visit_id, fn, ctx);
	if (err == ERR_OK && newest_peer > *peer_id)
		err = news(s, SQL_NEWS_PEERS, *peer_id, 0, fn, ctx);
	if (own)
		store_read_end(s);
	if (err == ERR_OK) {
		*peer_id = newest_peer;
		*visit_id = newest_visit;
	}
	return err;
}
