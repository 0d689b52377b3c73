/* feed.h: rows that lie in memory, as a table that a statement reads: a batch is one statement,
 * and not one for each row, as most of what a small INSERT costs is to begin and to end it.
 * Private to src/store.
 *
 * In SQL it is the table `batch` with the columns c0, c1, and so on. It has what the feed has with
 * which the statement is run, in that order, and is read from its first row to its last. */
#ifndef PEERWALK_STORE_FEED_H
#define PEERWALK_STORE_FEED_H

#include "store/db.h"

struct feed {
	const void *rows; /* the owner's */
	size_t count;
	/* Sets `out` to that column of that row; untouched it is NULL. What is set borrows until
	 * the next row. */
	void (*column)(const struct feed *feed, size_t row, int column, sqlite3_context *out);
};

enum { FEED_COLUMNS = 31 /* as many as a visit has */ };

/* Makes the table known to the store's database. ERR_NOMEM. */
enum err feed_open(struct store *s);
/* A statement whose `batch` is that feed, as db_use; until db_done. NULL on failure. */
sqlite3_stmt *feed_use(struct store *s, enum sql sql, const struct feed *feed);
/* The same for one that yields no rows. */
enum err feed_run(struct store *s, enum sql sql, const struct feed *feed);

/* As db_bind_text, db_bind_bytes and db_bind_hex. */
void feed_text(sqlite3_context *out, struct slice s);
void feed_bytes(sqlite3_context *out, struct slice s);
void feed_hex(sqlite3_context *out, struct slice s);

#endif
