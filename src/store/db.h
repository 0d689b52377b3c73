/* db.h: what the files of src/store share: the open database, its prepared
 * statements, and how SQLite's errors become ours. Private to src/store.
 *
 * Statements are prepared at first use and live until store_close. db_use hands one
 * out reset and without values; whoever has stepped a SELECT to less than its end
 * calls db_done, or it would hold a read transaction open. */
#ifndef PEERWALK_STORE_DB_H
#define PEERWALK_STORE_DB_H

#include "store/sql.h"
#include "store/store.h"

#include <sqlite3.h>

enum {
	STORE_WHY_MAX = 640,
	/* How long to wait for another process's transaction when a store is opened; and then: what
	 * was learnt in an hour is worth a minute. */
	STORE_BUSY_MS = 10 * 1000,
	STORE_PATIENCE_MS = 60 * 1000,
	STORE_TELL_MS = 2 * 1000, /* who waits for so long says so (struct store_waiter) */
	DB_KEY_MAX = NETADDR_KEY_MAX + PEER_NODE_ID_MAX,
};

struct feed;
struct puts;

struct store {
	sqlite3 *db;
	char *path;
	enum store_mode mode;
	bool in_batch;
	bool is_copy; /* of an older file */
	int hold_fd;  /* of the locks on crawls and books; -1: none yet */
	int patience_ms;
	uint64_t waits_since_ms; /* for another process; of CLOCK_MONOTONIC */
	bool wait_told;
	struct store_waiter waiter;
	sqlite3_stmt *stmts[SQL_COUNT];
	char why[STORE_WHY_MAX];
	/* The last network asked for. */
	char network[64];
	int64_t network_id;
	const struct feed *feed; /* what the statement reads that runs (feed.h) */
	struct puts *puts;       /* what a batch has learnt so far (put.h); NULL: nothing yet */
	/* In that round somebody was heard; 0: it is not known of any. */
	int64_t round;
	bool round_heard;
	/* Up to that peer of that network old things were removed (prune.c); 0: none yet. */
	int64_t pruned_peer, pruned_network;
};

/* The error that belongs to SQLite's result code and the errno of its system call. */
enum err db_err(int rc, int sys_errno);
/* A sentence with the remedy. detail (SQLite's own words) may be NULL. */
void db_explain(enum err err, const char *path, const char *detail, char *why, size_t why_cap);

uint64_t db_clock_ms(void); /* monotonic */
/* From now on another process's transaction is waited for that long. */
void db_wait(struct store *s, int patience_ms);
/* After so many tries: waits a little, or says that it has waited long enough. */
bool db_may_try(struct store *s, int tries);

/* Turns SQLite's last error into ours and fills s->why. */
enum err db_fail(struct store *s);
/* The same for an error that SQLite did not tell. */
enum err db_fail_as(struct store *s, enum err err, const char *detail);

/* All or nothing: the first failure inside a batch ends the batch. Returns err. */
enum err db_ended(struct store *s, enum err err);

/* This store alone writes that crawl, or that book, from now on; ERR_BUSY if another one does. */
enum err db_hold_crawl(struct store *s, int64_t crawl);
enum err db_hold_book(struct store *s, int64_t book);
/* This store no longer writes that crawl: it has ended. */
void db_let_crawl(struct store *s, int64_t crawl);
/* Whether a store writes that crawl, this one or another. */
bool db_crawl_held(struct store *s, int64_t crawl);
/* Lets go of all of them. */
void db_release(struct store *s);

/* NULL on failure, told by db_fail. */
sqlite3_stmt *db_use(struct store *s, enum sql sql);
void db_done(sqlite3_stmt *st);
/* Steps a statement that yields no rows, and is done with it. */
enum err db_run(struct store *s, sqlite3_stmt *st);
/* The number that a statement yields in its first row, or `none` without a row; and is done with
 * it. st as db_use gave it, NULL too. */
enum err db_ask(struct store *s, sqlite3_stmt *st, int64_t none, int64_t *out);
/* db_use and db_run for one without values. */
enum err db_do(struct store *s, enum sql sql);
/* SQL_BEGIN or SQL_BEGIN_READ. The way back is prepared with it: db_undo, which ends the
 * transaction if there is one, needs no memory. */
enum err db_begin(struct store *s, enum sql sql);
void db_undo(struct store *s);
/* A whole script. */
enum err db_script(struct store *s, const char *script);

/* Well-formed UTF-8 (RFC 3629) without NUL. */
bool db_is_text(struct slice s);
/* Text where it is that, a blob otherwise: strangers' bytes come back as they were, and tools that
 * read text are never handed anything else. */
void db_bind_bytes(sqlite3_stmt *st, int at, struct slice s);
void db_bind_text(sqlite3_stmt *st, int at, struct slice s);
/* Hex digits. out has room for 2 * PEER_NODE_ID_MAX + 1 and lives until the step. */
void db_bind_hex(sqlite3_stmt *st, int at, struct slice s, char *out);
struct slice db_column(sqlite3_stmt *st, int at);
/* A database may be anybody's. What stands in a column of ours, as whoever takes it for ours can
 * bear:
 * a name, an address, hex digits: letters, digits, and -.:_/ between them. "" for anything else; */
const char *db_column_name(sqlite3_stmt *st, int at);
/* a word or a sentence: printable ASCII. NULL where nothing is said, and for anything else; */
const char *db_column_words(sqlite3_stmt *st, int at);
/* milliseconds: 0, up to the end of the year 9999. */
int64_t db_column_ms(sqlite3_stmt *st, int at);
/* OUTCOME_CANCELLED for a number kept by a program that knows more outcomes than we do, or by a
 * damaged file. */
enum outcome db_column_outcome(sqlite3_stmt *st, int at);
/* peers.key: what tells one peer of a network from another. The address, and behind it the
 * key where it is a node of discovery. The length. */
size_t db_key(const struct netaddr *addr, struct slice node_id, uint8_t out[static DB_KEY_MAX]);
/* The reverse: addr and node_id, which borrows from the key; addr's kind is NETADDR_NONE if
 * the key is none. */
struct advert db_key_peer(struct slice key);

/* A round's visits of different peers, before they change the peers' rows: keeps their schedules,
 * ends their sessions, notes what they said otherwise than before (watch.c); or not yet, as long as
 * nobody was heard in that round (watch_round.c). */
struct watch_visit {
	int64_t id; /* of the peer's row, which may be still to come */
	const struct record *record;
};
enum err watch_round_put(struct store *s, const struct store_crawl *crawl, int64_t network_id,
			 const struct watch_visit *visits, size_t count);
/* At once. first: none of them is a second try, whatever the rows say. */
enum err watch_put(struct store *s, const struct store_crawl *crawl, int64_t network_id,
		   const struct watch_visit *visits, size_t count, bool first);

/* What a visit learnt of a node, beside its row in visits (node.c). peer: its row's id. */
enum err node_put(struct store *s, const struct store_crawl *crawl, int64_t peer,
		  const struct record *record);
/* The reverse, from the columns at and after `at`; false if there is no row. Borrows. */
bool node_read(sqlite3_stmt *st, int at, struct node_info *out);
enum { NODE_COLUMNS_COUNT = 17 };

/* The id of a network of that name. ERR_NOT_FOUND without store_why; with `add` it
 * is made. */
enum err db_network(struct store *s, const char *name, bool add, int64_t *id);

#endif
