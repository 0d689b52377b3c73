/* rows.h: rows of questions as structs. What they hold borrows from the statement. Private to
 * src/store. */
#ifndef PEERWALK_STORE_ROWS_H
#define PEERWALK_STORE_ROWS_H

#include "engine/schedule.h"
#include "store/db.h"
#include "store/query.h"

bool row_is_set(sqlite3_stmt *st, int at);
int32_t row_ms(sqlite3_stmt *st, int at); /* -1: not reached */
/* Cut to cap, NUL included. */
void row_text(sqlite3_stmt *st, int at, char *out, size_t cap);

/* ?5 of the questions that take a filter: its fork hashes, if there are any. forks lives until the
 * statement is done. */
enum { ROW_FORKS_MAX = STORE_FORKS_MAX * 9 + 1 };
void row_forks(sqlite3_stmt *st, const struct store_filter *filter,
	       char forks[static ROW_FORKS_MAX]);
/* Between which numbers a crawl's visits lie in the file, others among them; none: 1 and 0. */
enum err row_visits_range(struct store *s, int64_t crawl, int64_t range[static 2]);

/* The network of a row, whose id is column 0; hardly ever another one than that of the row
 * before. All zero before the first. */
struct row_network {
	int64_t id;
	char name[64];
};
enum err row_network(struct store *s, sqlite3_stmt *row, struct row_network *network);

/* Of a row of SQL_PEERS and its kin: where the columns of its node begin, and where what a
 * question adds. */
enum {
	ROW_PEER_NODE = 20,
	ROW_PEER_MORE = ROW_PEER_NODE + NODE_COLUMNS_COUNT + 2,
};
void row_peer(sqlite3_stmt *st, const char *network, struct store_peer *out);

/* From the columns at and after `at`; false, and all zero, if there is no row. */
bool row_schedule(sqlite3_stmt *st, int at, struct schedule *out);

/* A visit, and what it points to. */
struct row_visit {
	struct store_visit visit;
	struct node_info node;
	uint8_t node_id[PEER_NODE_ID_MAX];
};
/* Of a row of SQL_VISITS and its kin. */
void row_visit(sqlite3_stmt *st, const char *network, struct row_visit *out);

#endif
