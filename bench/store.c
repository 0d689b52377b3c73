/* bench_store: how fast the store takes known addresses and visits, as a share of what
 * bare SQLite inserts of rows of that size do in the same run, on the same disk.
 *
 *     bench_store [COUNT [FOLDER]]
 */
#include "base/hash.h"
#include "base/text.h"
#include "store/query.h"
#include "store/writer.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 50 * 1000, HOUR_MS = 60 * 60 * 1000 };

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(bool ok, const char *what, const char *why)
{
	if (ok)
		return;
	fprintf(stderr, "bench_store: %s: %s\n", what, why);
	exit(1);
}

/* Spread like strangers' addresses: no order at all. */
static struct netaddr address(uint64_t i)
{
	return netaddr_ipv4((uint32_t)random_mix(i + 1), (uint16_t)(8333 + i % 3));
}

static void tell(const char *what, uint64_t count, double seconds, double floor_per_s)
{
	double per_s = (double)count / seconds;

	printf("%-28s %10.0f /s", what, per_s);
	if (floor_per_s > 0)
		printf("   %.2f of bare inserts", per_s / floor_per_s);
	printf("\n");
	fflush(stdout);
}

static void remove_db(const char *path)
{
	char log[4096];

	unlink(path);
	snprintf(log, sizeof(log), "%s-wal", path);
	unlink(log);
	snprintf(log, sizeof(log), "%s-shm", path);
	unlink(log);
}

/* The floor: one prepared INSERT into one table without an index, of rows of about the
 * bytes that a visit has, in transactions of the same size. */
static double bare(const char *path, uint64_t count)
{
	sqlite3 *db;
	sqlite3_stmt *st;
	double start;

	remove_db(path);
	check(sqlite3_open(path, &db) == SQLITE_OK, "open", path);
	sqlite3_exec(db,
		     "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
		     "PRAGMA wal_autocheckpoint = 16384; CREATE TABLE t(a, b, c, d, e, f, g, h);"
		     "BEGIN",
		     NULL, NULL, NULL);
	sqlite3_prepare_v2(db, "INSERT INTO t VALUES(?,?,?,?,?,?,?,?)", -1, &st, NULL);
	start = now_s();
	for (uint64_t i = 0; i < count; i++) {
		sqlite3_bind_int64(st, 1, (int64_t)i);
		sqlite3_bind_text(st, 2, "/Satoshi:27.0.0/", -1, SQLITE_STATIC);
		sqlite3_bind_text(st, 3, "version wtxidrelay sendaddrv2 verack", -1, SQLITE_STATIC);
		for (int c = 4; c <= 8; c++)
			sqlite3_bind_int64(st, c, (int64_t)i * c);
		check(sqlite3_step(st) == SQLITE_DONE, "insert", sqlite3_errmsg(db));
		sqlite3_reset(st);
		if (i % BATCH == BATCH - 1)
			sqlite3_exec(db, "COMMIT; BEGIN", NULL, NULL, NULL);
	}
	sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
	start = now_s() - start;
	sqlite3_finalize(st);
	sqlite3_close(db);
	remove_db(path);
	return (double)count / start;
}

/* Every third peer answers, as in the real network; the others never do. */
static struct record visit(uint64_t i)
{
	struct record r = { .addr = address(i),
			    .started_at_ms = 1780000000000 + (int64_t)i,
			    .outcome = OUTCOME_CONNECT_TIMEOUT,
			    .tries = 2,
			    .connect_ms = -1,
			    .version_ms = -1,
			    .handshake_ms = -1,
			    .reply_ms = -1,
			    .total_ms = 5000,
			    .info.height = -1 };

	if (i % 3 != 0)
		return r;
	r.outcome = OUTCOME_OK;
	r.reached = true;
	r.connect_ms = 40 + (int32_t)(i % 100);
	r.version_ms = r.handshake_ms = 2 * r.connect_ms;
	r.reply_ms = 3 * r.connect_ms;
	r.total_ms = r.reply_ms + 5;
	r.info = (struct peer_info){
		.agent = slice_text("/Satoshi:27.0.0/"),
		.negotiation = slice_text("version wtxidrelay sendaddrv2 verack"),
		.has_version = true,
		.protocol = 70016,
		.services = 0xc09,
		.height = 900000,
		.relay = true,
		.has_clock = true,
		.clock_skew_s = 1,
		.sees_us_as = netaddr_ipv4(0x01020304, 8333),
	};
	r.adverts = 1000;
	r.messages_in = 8;
	r.bytes_in = 30000;
	r.bytes_out = 300;
	return r;
}

static void batch(struct store *s, uint64_t i, uint64_t count)
{
	if (i % BATCH == BATCH - 1 || i == count - 1)
		check(store_commit(s) == ERR_OK, "commit", store_why(s));
}

static void bench_puts(struct store *s, const struct store_crawl *crawl, uint64_t count,
		       double floor_per_s, const char *again)
{
	struct advert advert = { .services = 9, .last_seen_s = 1780000000 };
	char what[64];
	double start = now_s();

	for (uint64_t i = 0; i < count; i++) {
		if (i % BATCH == 0)
			check(store_begin(s) == ERR_OK, "begin", store_why(s));
		advert.addr = address(i);
		check(store_put_known(s, crawl, &advert.addr, &advert, 1780000000000) == ERR_OK,
		      "known", store_why(s));
		batch(s, i, count);
	}
	snprintf(what, sizeof(what), "known%s", again);
	tell(what, count, now_s() - start, floor_per_s);
	start = now_s();
	for (uint64_t i = 0; i < count; i++) {
		struct record r = visit(i);

		r.started_at_ms += crawl->id * HOUR_MS;
		if (i % BATCH == 0)
			check(store_begin(s) == ERR_OK, "begin", store_why(s));
		check(store_put_visit(s, crawl, &r) == ERR_OK, "visit", store_why(s));
		batch(s, i, count);
	}
	snprintf(what, sizeof(what), "visits%s", again);
	tell(what, count, now_s() - start, floor_per_s);
}

static void bench_adverts(struct store *s, const struct store_crawl *crawl, uint64_t count,
			  double floor_per_s)
{
	double start = now_s();

	for (uint64_t i = 0; i < count; i++) {
		struct advert from = { .addr = address(i / 1000) };
		struct advert advert = { .addr = address(random_mix(i) % count), .services = 9 };

		if (i % BATCH == 0)
			check(store_begin(s) == ERR_OK, "begin", store_why(s));
		check(store_put_advert(s, crawl, &from, &advert, 1780000000000) == ERR_OK, "advert",
		      store_why(s));
		batch(s, i, count);
	}
	tell("adverts", count, now_s() - start, floor_per_s);
}

static void bench_writer(struct store *s, const struct store_crawl *crawl, uint64_t count,
			 double floor_per_s)
{
	struct store_writer *w;
	double start = now_s();

	check(store_writer_start(s, crawl, NULL, NULL, &w) == ERR_OK, "writer", "start");
	for (uint64_t i = 0; i < count; i++) {
		struct record r = visit(i);

		store_writer_known(w, &r.addr, NULL, r.started_at_ms);
		store_writer_visit(w, &r);
	}
	check(store_writer_stop(w) == ERR_OK, "writer", store_why(s));
	tell("writer: known and visit", count, now_s() - start, floor_per_s);
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

int main(int argc, char **argv)
{
	uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 500 * 1000, n = 0;
	const char *folder = argc > 2 ? argv[2] : ".";
	struct store_crawl crawl = { .network = "bitcoin", .started_at_ms = 1780000000000 };
	struct store_filter filter = STORE_FILTER_ANY;
	char path[4096], why[512];
	struct store *s;
	double floor_per_s, start;

	check(count > 0, "COUNT", "must be a number above 0");
	snprintf(path, sizeof(path), "%s/bench_store.%d.db", folder, (int)getpid());
	floor_per_s = bare(path, count);
	tell("bare inserts (the floor)", count, (double)count / floor_per_s, 0);
	check(store_open(path, STORE_CREATE, &s, why, sizeof(why)) == ERR_OK, "open", why);
	check(store_crawl_begin(s, &crawl) == ERR_OK, "crawl", store_why(s));
	bench_puts(s, &crawl, count, floor_per_s, "");
	check(store_crawl_begin(s, &crawl) == ERR_OK, "crawl", store_why(s));
	bench_puts(s, &crawl, count, floor_per_s, ", next crawl");
	crawl.every_ms = HOUR_MS;
	for (unsigned i = 0; i < 2; i++) {
		check(store_crawl_begin(s, &crawl) == ERR_OK, "crawl", store_why(s));
		bench_puts(s, &crawl, count, floor_per_s, i == 0 ? ", watched" : ", watched again");
	}
	crawl.every_ms = 0;
	bench_adverts(s, &crawl, count, floor_per_s);
	check(store_crawl_begin(s, &crawl) == ERR_OK, "crawl", store_why(s));
	bench_writer(s, &crawl, count, floor_per_s);
	start = now_s();
	check(store_peers(s, &filter, count_peer, &n) == ERR_OK, "peers", store_why(s));
	tell("walk over peers", n, now_s() - start, floor_per_s);
	filter.crawl_id = crawl.id;
	start = now_s();
	n = 0;
	check(store_visits(s, &filter, count_visit, &n) == ERR_OK, "visits", store_why(s));
	tell("walk over visits", n, now_s() - start, floor_per_s);
	store_close(s);
	remove_db(path);
	return 0;
}
