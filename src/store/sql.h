/* sql.h: every SQL sentence of the program, by name. Private to src/store.
 *
 * The schema is made by steps: step n leads from version n to n + 1. A step that was
 * released is never edited; a change is a new step at the end. */
#ifndef PEERWALK_STORE_SQL_H
#define PEERWALK_STORE_SQL_H

enum {
	/* PRAGMA application_id, "pwlk": tells our files from other SQLite databases. */
	SQL_APPLICATION_ID = 0x70776c6b,
};

enum sql {
	SQL_BEGIN,
	SQL_BEGIN_READ,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_OUTCOME_ADD,
	SQL_KIND_ADD,
	SQL_NETWORK_FIND,
	SQL_NETWORK_ADD,
	SQL_NETWORK_NAME,
	SQL_CRAWL_ADD,
	SQL_CRAWL_END,
	SQL_CRAWL_BY_ID,
	SQL_CRAWL_NEWEST,
	SQL_CRAWL_LIST,
	SQL_CRAWL_AT,
	SQL_CRAWL_BEFORE,
	SQL_PEER_KNOWN,
	SQL_PEER_FIND,
	SQL_PEER_ADD,
	SQL_PEER_VISITED,
	SQL_PEER_VISITED_HEARD,
	SQL_VISIT_PUT,
	SQL_VISIT_AGAIN,
	SQL_NODE_VISIT_PUT,
	SQL_NODE_PUT,
	SQL_ADVERT_PUT,
	SQL_RESUME,
	SQL_PEERS,
	SQL_PEERS_OF_CRAWL,
	SQL_VISITS,
	SQL_ASKED,
	SQL_ADVERTS,
	SQL_ADVERT_PEERS,
	SQL_CHANGES,
	SQL_REPORT_PUT,
	SQL_REPORT_GET,
	SQL_REPORT_LIST,
	SQL_BOOK_FIND,
	SQL_BOOK_ADD,
	SQL_BOOK_PUT,
	SQL_BOOK_DROP,
	SQL_BOOK_ROWS,
	SQL_BOOK_KEEP,
	SQL_BOOK_VALUE,
	SQL_COUNT,
};

/* The text of a statement; never NULL. */
const char *sql_text(enum sql sql);

/* STORE_SCHEMA steps, each a script. */
extern const char *const sql_steps[];

#endif
