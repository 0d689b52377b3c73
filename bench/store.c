/* bench_store: how fast a crawl's writer stores its visits, beside what bare SQLite inserts of rows
 * of that size do in the same run, on the same disk.
 *
 *     bench_store [--json] [COUNT [FOLDER]]
 *
 * Visits go through store_writer_known and store_writer_visit, as a crawl's do; a full queue makes
 * us wait, so the time is that of the writer's thread. One of three peers answers. --json prints
 * the figures alone, an object a line. */
#include "tool.h"

#include "base/hash.h"
#include "store/query.h"
#include "store/writer.h"

#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FLOOR_BATCH = 50 * 1000,
	HOUR_MS = 60 * 60 * 1000,
	/* How many a crawl knows that it has not visited yet: what is in flight, and some seconds
	 * of waiting. */
	AHEAD = 20 * 1000,
};

static const int64_t start_ms = 1780000000000;

struct bench {
	struct store *store;
	struct store_crawl crawl;
	struct store_writer *writer;
	uint64_t count, written; /* visits */
	char path[4096];
	double floor_per_s;
	bool json;
	double wall, cpu; /* when the case began */
	int64_t bytes;    /* of the file then */
};

/* Spread like strangers' addresses: no order at all. */
static struct netaddr address(uint64_t i)
{
	return netaddr_ipv4((uint32_t)random_mix(i + 1), (uint16_t)(8333 + i % 100));
}

static void remove_db(const char *path)
{
	char log[4200];

	unlink(path);
	snprintf(log, sizeof(log), "%s-wal", path);
	unlink(log);
	snprintf(log, sizeof(log), "%s-shm", path);
	unlink(log);
}

static void begin_case(struct bench *b)
{
	b->wall = seconds_of(CLOCK_MONOTONIC);
	b->cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

/* name: in the table of all figures, or NULL. */
static void tell(const struct bench *b, const char *name, const char *what, uint64_t count)
{
	double per_s = (double)count / (seconds_of(CLOCK_MONOTONIC) - b->wall);
	double us = (seconds_of(CLOCK_PROCESS_CPUTIME_ID) - b->cpu) * 1e6 / (double)count;

	if (!b->json) {
		printf("%-46s %10.0f /s %8.2f us of CPU", what, per_s, us);
		if (b->floor_per_s > 0)
			printf("   %.2f of bare inserts", per_s / b->floor_per_s);
		printf("\n");
	} else if (name != NULL) {
		printf("{\"name\": \"%s\", \"value\": %.0f, \"unit\": \"/s\", \"floor\": %.0f, "
		       "\"ratio\": null}\n",
		       name, per_s, b->floor_per_s);
	}
	fflush(stdout);
}

/* The floor: one prepared INSERT into one table without an index, of rows of about the
 * bytes that a visit has, in large transactions. */
static void bare(struct bench *b)
{
	sqlite3 *db;
	sqlite3_stmt *st;

	remove_db(b->path);
	check(sqlite3_open(b->path, &db) == SQLITE_OK, "open", b->path);
	sqlite3_exec(db,
		     "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
		     "PRAGMA wal_autocheckpoint = 16384; CREATE TABLE t(a, b, c, d, e, f, g, h);"
		     "BEGIN",
		     NULL, NULL, NULL);
	sqlite3_prepare_v2(db, "INSERT INTO t VALUES(?,?,?,?,?,?,?,?)", -1, &st, NULL);
	begin_case(b);
	for (uint64_t i = 0; i < b->count; i++) {
		sqlite3_bind_int64(st, 1, (int64_t)i);
		sqlite3_bind_text(st, 2, "/Satoshi:27.0.0/", -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 3, "version wtxidrelay sendaddrv2 verack", -1, SQLITE_STATIC);
		for (int c = 4; c <= 8; c++)
			sqlite3_bind_int64(st, c, (int64_t)i * c);
		check(sqlite3_step(st) == SQLITE_DONE, "insert", sqlite3_errmsg(db));
		sqlite3_reset(st);
		if (i % FLOOR_BATCH == FLOOR_BATCH - 1)
			sqlite3_exec(db, "COMMIT; BEGIN", NULL, NULL, NULL);
	}
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	tell(b, NULL, "bare inserts (the floor)", b->count);
	b->floor_per_s = (double)b->count / (seconds_of(CLOCK_MONOTONIC) - b->wall);
	sqlite3_finalize(st);
	sqlite3_close(db);
	remove_db(b->path);
}

static void begin_crawl(struct bench *b, uint64_t every_ms)
{
	b->crawl = (struct store_crawl){ .network = "bitcoin",
					 .started_at_ms = start_ms + b->crawl.id * HOUR_MS,
					 .every_ms = every_ms };
	check(store_crawl_begin(b->store, &b->crawl) == ERR_OK, "crawl", store_why(b->store));
	check(store_writer_start(b->store, &b->crawl, NULL, NULL, &b->writer) == ERR_OK, "writer",
	      "start");
	begin_case(b);
}

static void end_crawl(struct bench *b, const char *name, const char *what, uint64_t count)
{
	check(store_writer_stop(b->writer) == ERR_OK, "writer", store_why(b->store));
	tell(b, name, what, count);
	b->crawl.ended_at_ms = b->crawl.started_at_ms + HOUR_MS / 2;
	check(store_crawl_end(b->store, &b->crawl) == ERR_OK, "crawl", store_why(b->store));
}

static void known(struct bench *b, uint64_t i)
{
	struct advert advert = { .addr = address(i), .services = 9, .last_seen_s = 1780000000 };

	store_writer_known(b->writer, &advert.addr, &advert, b->crawl.started_at_ms);
}

static void visit(struct bench *b, uint64_t i, uint8_t tries)
{
	struct record r =
		made_visit(i, address(i), b->crawl.started_at_ms + (int64_t)(i * 1000 / b->count));

	r.tries = tries;
	store_writer_visit(b->writer, &r);
	b->written++;
}

/* A crawl: everybody becomes known, and is visited when so many others have been. */
static void crawl(struct bench *b, uint64_t ahead, uint64_t every_ms, const char *name,
		  const char *what)
{
	begin_crawl(b, every_ms);
	for (uint64_t i = 0; i < b->count + ahead; i++) {
		if (i < b->count)
			known(b, i);
		if (i >= ahead)
			visit(b, i - ahead, 1);
	}
	end_crawl(b, name, what, b->count);
}

/* The second try of the silent, long after the first; the first is not counted. */
static void retries(struct bench *b)
{
	uint64_t silent = 0;

	begin_crawl(b, 0);
	for (uint64_t i = 0; i < b->count; i++)
		visit(b, i, 1);
	check(store_writer_stop(b->writer) == ERR_OK, "writer", store_why(b->store));
	check(store_writer_start(b->store, &b->crawl, NULL, NULL, &b->writer) == ERR_OK, "writer",
	      "start");
	begin_case(b);
	for (uint64_t i = 0; i < b->count; i++) {
		if (answers(i))
			continue;
		visit(b, i, 2);
		b->written--;
		silent++;
	}
	end_crawl(b, "store_retries", "second tries of the silent", silent);
}

static void adverts(struct bench *b)
{
	begin_crawl(b, 0);
	for (uint64_t i = 0; i < b->count; i++) {
		struct advert from = { .addr = address(i / 1000) };
		struct advert advert = { .addr = address(random_mix(i) % b->count), .services = 9 };

		store_writer_advert(b->writer, &from, &advert, b->crawl.started_at_ms);
	}
	end_crawl(b, "store_adverts", "adverts, a thousand of each", b->count);
}

static int64_t file_bytes(struct bench *b)
{
	struct stat st;

	/* The log as well, in which the last pages may be. */
	store_close(b->store);
	check(stat(b->path, &st) == 0, "stat", b->path);
	return st.st_size;
}

static void open_db(struct bench *b)
{
	char why[640];

	check(store_open(b->path, STORE_CREATE, &b->store, why, sizeof(why)) == ERR_OK, "open",
	      why);
}

static void disk(struct bench *b, const char *name, const char *what)
{
	int64_t before = b->bytes;
	double each;

	b->bytes = file_bytes(b);
	each = (double)(b->bytes - before) / (double)b->written;
	b->written = 0;
	open_db(b);
	if (!b->json)
		printf("%-46s %10.0f bytes\n", what, each);
	else
		printf("{\"name\": \"%s\", \"value\": %.0f, \"unit\": \"bytes\", \"floor\": null, "
		       "\"ratio\": null}\n",
		       name, each);
}

static enum err count_peer(void *ctx, const struct store_peer *peer)
{
	*(uint64_t *)ctx += peer->addr.kind != NETADDR_NONE;
	return ERR_OK;
}

static enum err count_visit(void *ctx, const struct store_visit *v)
{
	*(uint64_t *)ctx += v->record.addr.kind != NETADDR_NONE;
	return ERR_OK;
}

static void walks(struct bench *b)
{
	struct store_filter filter = STORE_FILTER_ANY;
	uint64_t n = 0;

	begin_case(b);
	check(store_peers(b->store, &filter, count_peer, &n) == ERR_OK, "peers",
	      store_why(b->store));
	tell(b, NULL, "walk over peers", n);
	filter.crawl_id = 1;
	begin_case(b);
	n = 0;
	check(store_visits(b->store, &filter, count_visit, &n) == ERR_OK, "visits",
	      store_why(b->store));
	tell(b, NULL, "walk over visits", n);
}

int main(int argc, char **argv)
{
	struct bench b = { .count = 500 * 1000 };
	int at = 1;

	b.json = argc > at && strcmp(argv[at], "--json") == 0;
	at += b.json;
	if (argc > at)
		b.count = strtoull(argv[at], NULL, 10);
	check(b.count > 0, "COUNT", "must be a number above 0");
	snprintf(b.path, sizeof(b.path), "%s/bench_store.%d.db", argc > at + 1 ? argv[at + 1] : ".",
		 (int)getpid());
	bare(&b);
	open_db(&b);
	crawl(&b, 0, 0, "store_new", "new, visited at once");
	disk(&b, "store_bytes_new", "  a visit and its peer on disk");
	crawl(&b, AHEAD, 0, "store_known", "known before, the next crawl");
	disk(&b, "store_bytes_known", "  a visit on disk");
	retries(&b);
	crawl(&b, 0, HOUR_MS, NULL, "watched, the first round");
	crawl(&b, 0, HOUR_MS, "store_watched", "watched, a later round");
	adverts(&b);
	walks(&b);
	store_close(b.store);
	remove_db(b.path);
	open_db(&b);
	b.crawl.id = 0;
	crawl(&b, b.count, 0, "store_ahead", "new, visited when all others were known");
	store_close(b.store);
	remove_db(b.path);
	return 0;
}
