#include "store/store.h"

#include "store/put.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *store_why(const struct store *s)
{
	return s->why;
}

/* What was learnt inside the transaction is no longer so. */
static void rollback(struct store *s)
{
	db_undo(s);
	s->in_batch = false;
	s->network_id = 0;
	s->round = 0;
	put_drop(s);
}

enum err store_begin(struct store *s)
{
	enum err err;

	assert(!s->in_batch);
	err = db_begin(s, SQL_BEGIN);
	s->in_batch = err == ERR_OK;
	return err;
}

/* What goes on into a file that has no name any more is lost at the end. */
static enum err check_place(struct store *s)
{
	int moved = 0;

	if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
	    moved == 0)
		return ERR_OK;
	snprintf(s->why, sizeof(s->why),
		 "%s: the file was moved or removed while it was being written; put it back, or "
		 "name another with --db",
		 s->path);
	return ERR_NOT_FOUND;
}

enum err store_commit(struct store *s)
{
	enum err err;

	/* A failure inside the batch has ended it: there is nothing left to commit. */
	if (!s->in_batch)
		return db_fail_as(s, ERR_IO, "the batch had failed before");
	err = db_do(s, SQL_COMMIT);
	if (err != ERR_OK)
		rollback(s);
	s->in_batch = false;
	return err == ERR_OK ? check_place(s) : err;
}

enum err db_ended(struct store *s, enum err err)
{
	if (err != ERR_OK && s->in_batch)
		rollback(s);
	return err;
}

enum err store_crawl_begin(struct store *s, struct store_crawl *crawl)
{
	int64_t network_id = 0;
	enum err err = db_network(s, crawl->network, true, &network_id);
	sqlite3_stmt *st;

	if (err != ERR_OK)
		return db_ended(s, err);
	st = db_use(s, SQL_CRAWL_ADD);
	if (st == NULL)
		return db_ended(s, db_fail(s));
	sqlite3_bind_int64(st, 1, network_id);
	sqlite3_bind_int64(st, 2, crawl->started_at_ms);
	db_bind_text(st, 3, slice_text(crawl->settings));
	sqlite3_bind_int64(st, 4, (int64_t)crawl->every_ms);
	err = db_run(s, st);
	if (err == ERR_OK)
		crawl->id = sqlite3_last_insert_rowid(s->db);
	if (err == ERR_OK)
		err = db_hold_crawl(s, crawl->id);
	return db_ended(s, err);
}

enum err store_crawl_end(struct store *s, const struct store_crawl *crawl)
{
	sqlite3_stmt *st = db_use(s, SQL_CRAWL_END);
	enum err err;

	if (st == NULL)
		return db_ended(s, db_fail(s));
	sqlite3_bind_int64(st, 1, crawl->id);
	sqlite3_bind_int64(st, 2, crawl->ended_at_ms);
	sqlite3_bind_int(st, 3, crawl->complete);
	sqlite3_bind_int64(st, 4, (int64_t)crawl->known);
	sqlite3_bind_int64(st, 5, (int64_t)crawl->visited);
	sqlite3_bind_int64(st, 6, (int64_t)crawl->reached);
	sqlite3_bind_int64(st, 7, (int64_t)crawl->adverts);
	sqlite3_bind_int64(st, 8, (int64_t)crawl->bytes_in);
	sqlite3_bind_int64(st, 9, (int64_t)crawl->bytes_out);
	sqlite3_bind_double(st, 10, crawl->cpu_seconds);
	sqlite3_bind_int64(st, 11, (int64_t)crawl->max_rss_bytes);
	err = db_run(s, st);
	/* A process that watches goes on to the next one. */
	if (err == ERR_OK && crawl->ended_at_ms != 0)
		db_let_crawl(s, crawl->id);
	return db_ended(s, err);
}

/* One by itself; a writer puts whole batches (store/writer.h). */
static enum err alone(struct store *s, enum err err)
{
	if (err == ERR_OK)
		err = put_flush(s);
	if (err != ERR_OK)
		put_drop(s);
	return db_ended(s, err);
}

enum err store_put_known(struct store *s, const struct store_crawl *crawl,
			 const struct netaddr *addr, const struct advert *advert, int64_t at_ms)
{
	return alone(s, put_known(s, crawl, addr, advert, at_ms));
}

enum err store_put_visit(struct store *s, const struct store_crawl *crawl,
			 const struct record *record)
{
	return alone(s, put_visit(s, crawl, record));
}

enum err store_put_advert(struct store *s, const struct store_crawl *crawl,
			  const struct advert *from, const struct advert *advert, int64_t at_ms)
{
	return alone(s, put_advert(s, crawl, from, advert, at_ms));
}
