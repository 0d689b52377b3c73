/* data.h: a database with something of everything, for scenarios that read; and what to put into
 * one, for those that write. */
#ifndef PEERWALK_TESTS_FAULTS_DATA_H
#define PEERWALK_TESTS_FAULTS_DATA_H

#include "base/rfc4648.h"
#include "faults/scenario.h"
#include "report/report.h"
#include "store/book.h"
#include "store/watch.h"
#include "support/nodes.h"

#include <sqlite3.h>

enum { DATA_PEERS = 12, DATA_ROUNDS = 3, DATA_HOUR_MS = 3600 * 1000 };

static const int64_t data_start_ms = 1780000000000;

/* Visit number i of a crawl: most went well, one is not there. */
static inline struct record data_record(unsigned i)
{
	static const char *const agents[] = { "/Satoshi:27.0.0/", "/\x1b[2J<b>/", "=1+1,\"",
					      "/x/" };
	struct netaddr addr = netaddr_ipv4(0x01000000 + i * 0x10001, (uint16_t)(8333 + i / 11));
	struct record r = i % 5 == 4 ? failed_record(addr, OUTCOME_CONNECT_TIMEOUT)
				     : ok_record(addr, slice_text(agents[i % 4]));

	if (i % 5 == 3) {
		r.outcome = OUTCOME_PROTOCOL_ERROR;
		r.rule = "a rule that was broken";
	}
	return r;
}

static inline struct record data_node(unsigned i, const struct node_key *key,
				      const struct node_info *node)
{
	char at[32];

	snprintf(at, sizeof(at), "1.2.3.%u:30303", i);
	return i % 4 == 3 ? ghost_record(at, key, node) : node_record(at, key, node);
}

/* Not signed; with an IPv4 address and a TCP port. */
static inline struct slice data_enr(unsigned i, char out[static 256])
{
	static const char pairs[] = "\x82ip\x84\x01\x02\x03\x04\x83tcp\x82\x76\x5f";
	uint8_t bytes[60 + sizeof(pairs) - 1] = { [8] = (uint8_t)i };

	memcpy(bytes + 60, pairs, sizeof(pairs) - 1);
	memcpy(out, "enr:", 4);
	return slice_of(out, 4 + base64url_encode(slice_of(bytes, sizeof(bytes)), out + 4));
}

static inline enum err data_put_nodes(struct store *s, const struct store_crawl *crawl)
{
	struct node_info node = full_node(), none = { .completeness = "timed_out" };
	enum err err = ERR_OK;

	for (unsigned i = 1; err == ERR_OK && i <= DATA_PEERS; i++) {
		struct node_key key = node_key((uint8_t)i);
		struct record r = data_node(i, &key, i % 4 == 3 ? &none : &node);
		char enr[256];

		node.record = data_enr(i, enr);
		node.record_seq++;
		err = store_put_visit(s, crawl, &r);
	}
	return err;
}

static inline enum err data_put_visits(struct store *s, const struct store_crawl *crawl,
				       unsigned skip)
{
	struct advert from = { .addr = netaddr_ipv4(0x01000000, 8333) };
	enum err err = ERR_OK;

	for (unsigned i = 0; err == ERR_OK && i < DATA_PEERS; i++) {
		struct record r = data_record(i);
		struct advert told = { .addr = r.addr, .services = 9, .last_seen_s = 1780000000 };

		if (i == skip)
			continue;
		r.started_at_ms = crawl->started_at_ms + i;
		err = store_put_known(s, crawl, &r.addr, &told, r.started_at_ms);
		if (err == ERR_OK)
			err = store_put_advert(s, crawl, &from, &told, r.started_at_ms);
		if (err == ERR_OK)
			err = store_put_visit(s, crawl, &r);
	}
	return err;
}

/* A whole crawl in one batch; every_ms > 0: a round of watching. */
static inline enum err data_crawl(struct store *s, const char *network, unsigned round,
				  uint64_t every_ms)
{
	struct store_crawl crawl = { .started_at_ms = data_start_ms + round * DATA_HOUR_MS,
				     .every_ms = every_ms,
				     .settings = "{\"concurrency\":100}" };
	enum err err;

	snprintf(crawl.network, sizeof(crawl.network), "%s", network);
	err = store_crawl_begin(s, &crawl);
	if (err == ERR_OK)
		err = store_begin(s);
	if (err == ERR_OK)
		err = strcmp(network, "ethereum") == 0 ? data_put_nodes(s, &crawl)
						       : data_put_visits(s, &crawl, round);
	crawl.ended_at_ms = crawl.started_at_ms + 60000;
	crawl.complete = true;
	crawl.known = crawl.visited = DATA_PEERS;
	crawl.reached = DATA_PEERS / 2;
	if (err == ERR_OK)
		err = store_crawl_end(s, &crawl);
	return err == ERR_OK ? store_commit(s) : err;
}

static inline enum err data_keep(struct store *s)
{
	struct report_options options = { .key = { 3, 4 } };
	enum err err = ERR_OK;

	for (int64_t id = 1; err == ERR_OK && id <= DATA_ROUNDS + 3; id++) {
		options.crawl_id = id;
		err = report_keep(s, &options);
	}
	return err;
}

static inline void data_book(struct store *s)
{
	struct store_book *book;

	assert_int_equal(store_book_start(s, "bitcoin", NULL, NULL, &book), ERR_OK);
	for (unsigned i = 0; i < DATA_PEERS; i++) {
		struct store_book_row row = { .addr = netaddr_ipv4(0x01000000 + i, 8333),
					      .named_s = 1780000000,
					      .good_s = i % 2 * 1780000000,
					      .tried = i % 2 };

		store_book_put(book, &row);
	}
	assert_int_equal(store_book_stop(book), ERR_OK);
}

/* A new one in the scenario's folder: DATA_ROUNDS rounds of watching bitcoin, two crawls of
 * ethereum, one of gossip, a book, and kept reports. */
static inline const char *data_make(const char *name)
{
	static char path[256];
	struct store *s;

	snprintf(path, sizeof(path), "%s/%s", scenario_folder(), name);
	db_remove(path);
	s = open_db(path, STORE_CREATE);
	for (unsigned i = 0; i < DATA_ROUNDS; i++)
		assert_int_equal(data_crawl(s, "bitcoin", i, DATA_HOUR_MS), ERR_OK);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(data_crawl(s, "ethereum", i, 0), ERR_OK);
	assert_int_equal(data_crawl(s, "gossip", 0, 0), ERR_OK);
	assert_int_equal(data_keep(s), ERR_OK);
	data_book(s);
	store_close(s);
	return path;
}

/* The first column of its first row, as a number. */
static inline int64_t data_number(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	int64_t n = -1;

	if (sqlite3_open(path, &db) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

/* Whole, and open to whoever comes next. */
static inline bool data_sound(const char *path)
{
	return data_number(path, "SELECT count(*) FROM pragma_integrity_check WHERE"
				 " integrity_check <> 'ok'") == 0 &&
	       data_number(path, "SELECT count(*) FROM pragma_foreign_key_check") == 0;
}

#endif
