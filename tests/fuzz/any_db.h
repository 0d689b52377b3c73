/* any_db.h: a database that holds something in every table, and what the fuzzer makes of it: any
 * value in any column of any row, rows that are gone, bytes of the file that are others.
 *
 * It lives in memory, and is as it was at first with each input. Its tables are not STRICT, and
 * nothing in them is NOT NULL: whoever makes a database makes its schema, too. */
#ifndef PEERWALK_TESTS_FUZZ_ANY_DB_H
#define PEERWALK_TESTS_FUZZ_ANY_DB_H

#include "fuzz/fuzz.h"
#include "report/report.h"
#include "store/db.h"
#include "store/watch.h"

#include <string.h>
#include <unistd.h>

enum {
	ANY_DB_UNIX_S = 1780000000,
	ANY_DB_COLUMNS_MAX = 256,
	ANY_DB_COMMANDS_MAX = 24,
	ANY_DB_SQL_MAX = 512,
};

#define ANY_DB_MS (ANY_DB_UNIX_S * (int64_t)1000)

/* --- what the fuzzer says --- */

struct any_in {
	const uint8_t *data;
	size_t len;
};

static inline uint8_t any_byte(struct any_in *in)
{
	if (in->len == 0)
		return 0;
	in->len--;
	return *in->data++;
}

static inline uint64_t any_number(struct any_in *in, unsigned bytes)
{
	uint64_t v = 0;

	while (bytes-- > 0)
		v = v << 8 | any_byte(in);
	return v;
}

static inline struct slice any_bytes(struct any_in *in, size_t len)
{
	struct slice s;

	len = len < in->len ? len : in->len;
	s = slice_of(in->data, len);
	in->data += len;
	in->len -= len;
	return s;
}

/* --- what is there at first --- */

static struct {
	struct store *store;
	sqlite3 *source; /* what this input's store is copied from */
	uint8_t *image;
	size_t image_len;
	char sql[ANY_DB_COLUMNS_MAX][ANY_DB_SQL_MAX];   /* sets one value; ?1: it, ?2: which row */
	char drop[ANY_DB_COLUMNS_MAX][ANY_DB_SQL_MAX];  /* of the column's table */
	char cover[ANY_DB_COLUMNS_MAX][ANY_DB_SQL_MAX]; /* sets it in all rows */
	unsigned columns;
} any_db;

static inline void any_db_sql(const char *sql)
{
	bool is_done = sqlite3_exec(any_db.store->db, sql, NULL, NULL, NULL) == SQLITE_OK;

	if (!is_done)
		fprintf(stderr, "%s\n", sqlite3_errmsg(any_db.store->db));
	CHECK(is_done);
}

static inline struct netaddr any_addr(const char *text)
{
	struct netaddr a;

	CHECK(netaddr_parse(slice_text(text), 8333, &a) == ERR_OK);
	return a;
}

static inline struct store_crawl any_crawl(const char *network, unsigned day, bool watching)
{
	struct store_crawl c = { .started_at_ms = ANY_DB_MS + day * (int64_t)86400000,
				 .settings = "{\"concurrency\":100}",
				 .every_ms = watching ? 3600000 : 0 };

	snprintf(c.network, sizeof(c.network), "%s", network);
	CHECK(store_crawl_begin(any_db.store, &c) == ERR_OK);
	return c;
}

static inline void any_crawl_ends(struct store_crawl *c, unsigned visited)
{
	struct report_options ask = { .crawl_id = c->id, .key = { 1, 2 } };
	bool looked;

	c->ended_at_ms = c->started_at_ms + 60000;
	c->complete = true;
	c->known = visited + 2;
	c->visited = visited;
	c->reached = visited / 2;
	c->cpu_seconds = 1.5;
	if (c->every_ms > 0)
		CHECK(store_round_end(any_db.store, c, &looked) == ERR_OK);
	CHECK(store_crawl_end(any_db.store, c) == ERR_OK);
	CHECK(report_keep(any_db.store, &ask) == ERR_OK);
}

static inline void any_visit(const struct store_crawl *c, struct record r)
{
	r.started_at_ms = c->started_at_ms + 1000;
	r.tries = 1;
	CHECK(store_put_visit(any_db.store, c, &r) == ERR_OK);
}

static inline struct record any_reached(const char *at, const char *agent)
{
	return (struct record){
		.addr = any_addr(at),
		.outcome = OUTCOME_OK,
		.reached = true,
		.connect_ms = 20,
		.version_ms = 40,
		.handshake_ms = 60,
		.reply_ms = 90,
		.total_ms = 100,
		.adverts = 1000,
		.info = { .agent = slice_text(agent),
			  .negotiation = slice_text("version verack"),
			  .has_version = true,
			  .protocol = 70016,
			  .services = 0x409,
			  .height = 900000,
			  .has_clock = true,
			  .clock_skew_s = -3,
			  .has_feefilter = true,
			  .feefilter = 1000,
			  .sees_us_as = any_addr("9.9.9.9:1") },
	};
}

static inline struct record any_missed(const char *at, enum outcome outcome, const char *rule)
{
	return (struct record){ .addr = any_addr(at),
				.outcome = outcome,
				.rule = rule,
				.connect_ms = -1,
				.version_ms = -1,
				.handshake_ms = -1,
				.reply_ms = -1,
				.total_ms = 5000,
				.info.height = -1 };
}

static inline void any_db_bitcoin(unsigned day, bool watching, bool ends)
{
	static const char onion[] =
		"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333";
	struct store_crawl c = any_crawl("bitcoin", day, watching);
	struct advert from = { .addr = any_addr("1.2.3.4:8333") };
	struct advert named = { .addr = any_addr(onion), .services = 9, .last_seen_s = 5 };

	any_visit(&c, any_reached("1.2.3.4:8333", day % 2 ? "/Satoshi:28.0.0/" : "/Satoshi:27/"));
	any_visit(&c, day % 2 ? any_reached("[2a01:4f8::7]:8333", "\"<b>\x1b[31m\\\xff")
			      : any_missed("[2a01:4f8::7]:8333", OUTCOME_RESET, NULL));
	any_visit(&c, any_reached(day % 2 ? "5.5.5.5:8333" : "6.6.6.6:8334", "/btcd:0.24/"));
	any_visit(&c, any_missed("5.6.7.8:8333", OUTCOME_PROTOCOL_ERROR, "too long"));
	any_visit(&c, any_missed("5.6.7.9:8334", OUTCOME_CONNECT_TIMEOUT, NULL));
	CHECK(store_put_known(any_db.store, &c, &named.addr, &named, c.started_at_ms) == ERR_OK);
	CHECK(store_put_advert(any_db.store, &c, &from, &named, c.started_at_ms) == ERR_OK);
	if (ends)
		any_crawl_ends(&c, 5);
}

static inline void any_db_ethereum(unsigned day)
{
	static const uint8_t keys[2][PEER_NODE_ID_MAX] = { { 1, 0xbe, [63] = 7 }, { 2, [63] = 9 } };
	static const char record[] =
		"enr:-"
		"HW4QOFzoVLaFJnNhbgMoDXPnOvcdVuj7pDpqRvh6BRDO68aVi5ZcjB3vzQRZH2IcLBGHzo8uUN3snq"
		"mgTiE56CH3AMBgmlkgnY0iXNlY3AyNTZrMaECC2_24YYkYHEgdzxlSNKQEnHhuNAbNlMlWJxrJxbAFvA";
	struct node_info node = {
		.completeness = "drained",
		.findnodes = 11,
		.entries = 143,
		.record = slice_text(record),
		.has_record_seq = true,
		.record_seq = 7 + day,
		.faults = slice_text("expired 1, many 2"),
		.tcp_port = 30303,
		.session = "ok",
		.session_rule = "a rule",
		.has_hello = true,
		.capabilities = slice_text("eth/68 snap/1"),
		.listen_port = 30303,
		.chain = { .has_fork = true,
			   .fork_hash = { 0x07, 0xc9, 0x46, (uint8_t)(0x2e + day) },
			   .fork_next = UINT64_MAX,
			   .has_status = true,
			   .network_id = 1 },
	};
	struct store_crawl c = any_crawl("ethereum", day, true);

	for (unsigned i = 0; i < 2; i++) {
		struct record r = any_reached(i == 0 ? "1.2.3.4:30303" : "[2a01::1]:30303",
					      "Geth/v1.16.4-stable/linux-amd64/go1.25");
		struct advert known = { .addr = r.addr, .tcp_port = 30303 };

		r.info.node_id = known.node_id = slice_of(keys[i], sizeof(keys[i]));
		r.info.protocol = 68;
		r.node = &node;
		CHECK(store_put_known(any_db.store, &c, &r.addr, &known, c.started_at_ms) ==
		      ERR_OK);
		any_visit(&c, r);
	}
	any_crawl_ends(&c, 2);
}

static inline void any_db_gossip(void)
{
	static const uint8_t id[16] = { 4, 2 };
	struct store_crawl c = any_crawl("gossip", 3, false);
	struct record r = any_reached("7.7.7.7:5999", "");

	r.info.node_id = slice_of(id, sizeof(id));
	any_visit(&c, r);
	any_crawl_ends(&c, 1);
}

static inline void any_db_fill(void)
{
	for (unsigned day = 0; day < 4; day++)
		any_db_bitcoin(day, day >= 1, day < 3);
	any_db_ethereum(1);
	any_db_ethereum(2);
	any_db_gossip();
	any_db_sql("INSERT OR IGNORE INTO sessions SELECT peer_id, first_ms, visited_ms FROM watch;"
		   "INSERT OR IGNORE INTO changes SELECT peer_id, visited_ms, 'agent', 'a', x'ff'"
		   " FROM watch;"
		   "INSERT INTO daily SELECT peer_id, 20000, 4, 3 FROM watch;"
		   "INSERT INTO books(name) VALUES('bitcoin'), ('ethereum'), ('gossip/club');"
		   "INSERT INTO book SELECT b.id, p.key, p.kind, p.address, p.port, p.node_id,"
		   " p.tcp_port, x'0102020202208d', p.id % 2, 9, 1780000000, 1780000000,"
		   " (p.id % 2) * 1780000000, 1 FROM peers p, books b;"
		   "INSERT INTO book_values SELECT id, 'seq', x'0000000000000001' FROM books;"
		   "INSERT INTO book_values SELECT id, 'key', x'77' FROM books");
}

/* --- its columns --- */

struct any_key {
	char names[128]; /* of the table's primary key */
	bool any;
};

static inline void any_db_add_column(const char *table, const struct any_key *key, const char *name)
{
	unsigned i = any_db.columns++;

	CHECK(i < ANY_DB_COLUMNS_MAX);
	snprintf(any_db.sql[i], ANY_DB_SQL_MAX,
		 "UPDATE OR IGNORE %s SET %s = ?1 WHERE (%s) ="
		 " (SELECT %s FROM %s LIMIT 1 OFFSET ?2)",
		 table, name, key->names, key->names, table);
	snprintf(any_db.drop[i], ANY_DB_SQL_MAX,
		 "DELETE FROM %s WHERE ?1 IS ?1 AND (%s) = (SELECT %s FROM %s LIMIT 1 OFFSET ?2)",
		 table, key->names, key->names, table);
	snprintf(any_db.cover[i], ANY_DB_SQL_MAX, "UPDATE OR IGNORE %s SET %s = ?1 WHERE ?2 IS ?2",
		 table, name);
}

static inline void any_db_find_columns(void)
{
	static const char list[] =
		"SELECT t.name, group_concat(c.name, ', ') FILTER (WHERE c.pk > 0)"
		" OVER (PARTITION BY t.name), c.name FROM sqlite_schema t,"
		" pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY t.name, c.cid";
	sqlite3_stmt *st;

	CHECK(sqlite3_prepare_v2(any_db.store->db, list, -1, &st, NULL) == SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		struct any_key key = { .any = true };

		snprintf(key.names, sizeof(key.names), "%s",
			 (const char *)sqlite3_column_text(st, 1));
		any_db_add_column((const char *)sqlite3_column_text(st, 0), &key,
				  (const char *)sqlite3_column_text(st, 2));
	}
	CHECK(sqlite3_finalize(st) == SQLITE_OK && any_db.columns > 100);
}

/* A new file is made, and opened; and gone, but for those that have it open. */
static inline void any_db_open(char path[static 64])
{
	char why[STORE_WHY_MAX];

	strcpy(path, "/tmp/peerwalk-test.XXXXXX");
	CHECK(mkdtemp(path) != NULL);
	strcat(path, "/a.db");
	CHECK(store_open(path, STORE_CREATE, &any_db.store, why, sizeof(why)) == ERR_OK);
	any_db_sql("PRAGMA synchronous = OFF");
}

static inline void any_db_unlink(char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char name[80];

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
	*strrchr(path, '/') = 0;
	rmdir(path);
}

static inline void any_db_put_image(sqlite3 *to, struct any_in *in, unsigned patches);

static inline void any_db_make(void)
{
	struct any_in none = { 0 };
	sqlite3_int64 len;
	char path[64];

	any_db_open(path);
	any_db_fill();
	any_db_find_columns();
	sqlite3_db_config(any_db.store->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	any_db_sql("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET"
		   " sql = replace(replace(replace(sql, ') STRICT, ', ') '), ') STRICT', ')'),"
		   " ' NOT NULL', '') WHERE type = 'table'; PRAGMA wal_checkpoint(TRUNCATE)");
	any_db.image = sqlite3_serialize(any_db.store->db, "main", &len, 0);
	CHECK(any_db.image != NULL && len > 100);
	any_db.image_len = (size_t)len;
	store_close(any_db.store);
	any_db_unlink(path);
	any_db_open(path);
	any_db_unlink(path);
	/* Before SQLite has looked for the feed's table: it would go on with its old schema. */
	any_db_put_image(any_db.store->db, &none, 0);
	CHECK(sqlite3_open(":memory:", &any_db.source) == SQLITE_OK);
}

/* --- and what becomes of it --- */

static inline void any_bind(sqlite3_stmt *st, struct any_in *in)
{
	static const int64_t numbers[] = { INT64_MIN, INT64_MIN + 1, INT32_MIN, -1,
					   0,         UINT32_MAX,    INT32_MAX, INT64_MAX - 1,
					   INT64_MAX, 1LL << 62,     ANY_DB_MS, 1LL << 53 };
	static const double reals[] = { 1e308 * 10, -1e308 * 10, 1e308, -1e308, -0.0, 1e-320, 0.5 };
	uint8_t type = any_byte(in), more = any_byte(in);
	struct slice s;
	double real;
	uint64_t bits;

	switch (type % 9) {
	case 0:
		sqlite3_bind_null(st, 1);
		break;
	case 1:
		sqlite3_bind_int64(st, 1, (int8_t)more);
		break;
	case 2:
		sqlite3_bind_int64(st, 1, (int64_t)any_number(in, 8));
		break;
	case 3:
		sqlite3_bind_int64(st, 1, numbers[more % (sizeof(numbers) / sizeof(*numbers))]);
		break;
	case 4:
		bits = any_number(in, 8);
		memcpy(&real, &bits, sizeof(real));
		sqlite3_bind_double(st, 1, real);
		break;
	case 5:
		sqlite3_bind_double(st, 1, reals[more % (sizeof(reals) / sizeof(*reals))]);
		break;
	case 6:
		s = any_bytes(in, more >= 0x80 ? (more & 0x7fU) << 8 | any_byte(in) : more);
		sqlite3_bind_text(st, 1, s.len > 0 ? (const char *)s.data : "", (int)s.len,
				  SQLITE_STATIC);
		break;
	case 7:
		s = any_bytes(in, more);
		sqlite3_bind_blob(st, 1, s.data, (int)s.len, SQLITE_STATIC);
		break;
	case 8:
		sqlite3_bind_zeroblob(st, 1, more << 8);
		break;
	}
}

static inline void any_change(struct any_in *in, bool all, bool drops)
{
	unsigned column = any_byte(in) % any_db.columns;
	uint8_t row = all ? 0 : any_byte(in);
	const char *sql = all     ? any_db.cover[column]
			  : drops ? any_db.drop[column]
				  : any_db.sql[column];
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(any_db.store->db, sql, -1, &st, NULL) != SQLITE_OK)
		return; /* the schema itself is spoilt */
	if (!drops)
		any_bind(st, in);
	sqlite3_bind_int(st, 2, row);
	sqlite3_step(st);
	sqlite3_finalize(st);
}

/* As it was, but for some bytes of the file. */
static inline void any_db_put_image(sqlite3 *to, struct any_in *in, unsigned patches)
{
	uint8_t *copy = sqlite3_malloc64(any_db.image_len);

	CHECK(copy != NULL);
	memcpy(copy, any_db.image, any_db.image_len);
	while (patches-- > 0 && in->len > 0) {
		size_t at = any_number(in, 3) % any_db.image_len;
		struct slice s = any_bytes(in, any_byte(in) % 32);

		if (s.len > any_db.image_len - at)
			s.len = any_db.image_len - at;
		if (s.len > 0)
			memcpy(copy + at, s.data, s.len);
	}
	copy[18] = copy[19] = 1; /* no write-ahead log in memory */
	CHECK(sqlite3_deserialize(to, "main", copy, (sqlite3_int64)any_db.image_len,
				  (sqlite3_int64)any_db.image_len,
				  SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE) ==
	      SQLITE_OK);
}

/* False: SQLite itself does not want it. */
static inline bool any_db_load(struct any_in *in, unsigned patches)
{
	sqlite3_backup *backup;
	int rc;

	any_db_put_image(any_db.source, in, patches);
	backup = sqlite3_backup_init(any_db.store->db, "main", any_db.source, "main");
	CHECK(backup != NULL);
	rc = sqlite3_backup_step(backup, -1);
	sqlite3_backup_finish(backup);
	CHECK(patches > 0 || rc == SQLITE_DONE);
	return rc == SQLITE_DONE;
}

/* The store with this input's database; NULL: it is no database at all. What follows in the input
 * are up to three pieces of the file with their places, and commands. */
static inline struct store *any_db_store(struct any_in *in)
{
	if (any_db.store == NULL)
		any_db_make();
	if (!any_db_load(in, any_byte(in) % 4))
		return NULL;
	for (unsigned i = 0; i < ANY_DB_COMMANDS_MAX && in->len > 0; i++) {
		uint8_t what = any_byte(in);

		any_change(in, what % 8 == 7, what % 8 == 6);
	}
	return any_db.store;
}

#endif
