/* kill -9 at any moment: the database stays whole, and what was committed stays in it.
 *
 * A child writes, and tells what it has committed; it is killed at a random moment; the
 * database is opened and checked; the next child goes on with the same file. */
#include "store/writer.h"

#include "base/hash.h"
#include "store/book.h"
#include "store/db.h"
#include "store/watch.h"
#include "support/sanitized.h"
#include "support/sql.h"
#include "support/store.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

enum { BATCH = 200 };

struct plan {
	void (*child)(const char *path, int out);
	unsigned rounds, life_ms_min, life_ms_max;
	uint64_t seed;
};

/* Each batch is committed, then told through the pipe. */
static void write_batches(const char *path, int out)
{
	struct store_crawl crawl = { .network = "bitcoin", .started_at_ms = 1 };
	struct store *s;
	char why[640];

	if (store_open(path, STORE_CREATE, &s, why, sizeof(why)) != ERR_OK ||
	    store_crawl_begin(s, &crawl) != ERR_OK)
		_exit(1);
	for (uint32_t n = 0;; n += BATCH) {
		uint64_t told[2] = { (uint64_t)crawl.id, n + BATCH };

		if (store_begin(s) != ERR_OK)
			_exit(2);
		for (uint32_t i = n; i < n + BATCH; i++) {
			struct record r = ok_record(netaddr_ipv4(i, 8333), slice_text("/x/"));

			if (store_put_known(s, &crawl, &r.addr, NULL, 1) != ERR_OK ||
			    store_put_visit(s, &crawl, &r) != ERR_OK)
				_exit(3);
		}
		if (store_commit(s) != ERR_OK || write(out, told, sizeof(told)) != sizeof(told))
			_exit(4);
	}
}

/* A writer that never stops; the moment of the kill decides what is left. */
static void write_on(const char *path, int out)
{
	struct store_crawl crawl = { .network = "bitcoin", .started_at_ms = 1 };
	struct store_writer *w;
	struct store *s;
	char why[640];

	(void)out;
	if (store_open(path, STORE_CREATE, &s, why, sizeof(why)) != ERR_OK ||
	    store_crawl_begin(s, &crawl) != ERR_OK ||
	    store_writer_start(s, &crawl, NULL, NULL, &w) != ERR_OK)
		_exit(1);
	for (uint32_t i = 0;; i++) {
		struct record r = ok_record(netaddr_ipv4(i, 8333), slice_text("/x/"));

		store_writer_known(w, &r.addr, NULL, 1);
		store_writer_visit(w, &r);
	}
}

struct whole {
	unsigned count;
	int64_t crawl_id;
};

static enum err count_rows(void *ctx, const struct store_visit *v)
{
	struct whole *w = ctx;

	assert_int_equal(v->crawl_id, w->crawl_id);
	assert_true(v->record.reached);
	w->count++;
	return ERR_OK;
}

/* Starts the child, lets it live for a while, kills it. Returns what it told last. */
static void live_and_die(const char *path, void (*child)(const char *, int), unsigned life_ms,
			 uint64_t told[2])
{
	struct timespec life = { .tv_sec = life_ms / 1000,
				 .tv_nsec = (long)(life_ms % 1000) * 1000000 };
	uint64_t got[2];
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(ends[0]);
		child(path, ends[1]);
		_exit(9);
	}
	close(ends[1]);
	nanosleep(&life, NULL);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* It was the kill that ended it, no error of its own. */
	assert_true(WIFSIGNALED(status));
	while (read(ends[0], got, sizeof(got)) == sizeof(got))
		memcpy(told, got, sizeof(got));
	close(ends[0]);
}

static void kill_loop(const struct plan *plan, uint64_t *told_in_all, uint64_t *found_in_all)
{
	struct random random = { plan->seed };
	struct folder folder;

	folder_make(&folder);
	for (unsigned round = 0; round < plan->rounds; round++) {
		uint64_t told[2] = { 0 };
		struct store_filter filter = STORE_FILTER_ANY;
		struct store_crawl crawl;
		struct whole whole = { 0 };
		struct store *s;

		unsigned life_ms =
			plan->life_ms_min +
			(unsigned)random_below(&random, plan->life_ms_max - plan->life_ms_min);

		live_and_die(folder.db, plan->child, life_ms, told);
		s = open_db(folder.db, STORE_CREATE);
		assert_sql(s->db, "PRAGMA integrity_check", "ok");
		if (store_crawl_get(s, 0, NULL, &crawl) == ERR_OK) {
			filter.crawl_id = whole.crawl_id = crawl.id;
			assert_int_equal(store_visits(s, &filter, count_rows, &whole), ERR_OK);
		}
		if (told[0] != 0) {
			assert_int_equal(crawl.id, told[0]);
			assert_true(whole.count >= told[1]);
			assert_int_equal(whole.count % BATCH, 0);
		}
		*told_in_all += told[1];
		*found_in_all += whole.count;
		store_close(s);
	}
	folder_remove(&folder);
}

static void batches_survive(void **state)
{
	/* A database is opened, at least once, before the first batch. */
	static const struct plan plan = { write_batches, 10, 0, SANITIZED ? 1000 : 100, 1 };
	uint64_t told = 0, found = 0;

	(void)state;
	kill_loop(&plan, &told, &found);
	print_message("%llu visits told, %llu found\n", (unsigned long long)told,
		      (unsigned long long)found);
	assert_true(told > 0); /* else nothing was tried */
	assert_true(found >= told);
}

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A node that learns an address each millisecond, and forgets those before the newest thousand.
 * A row has the moment at which it was put. */
static void keep_book(const char *path, int out)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	struct store_book *b;
	struct store *s;
	char why[640];

	(void)out;
	if (store_open(path, STORE_CREATE, &s, why, sizeof(why)) != ERR_OK ||
	    store_book_start(s, "bitcoin", NULL, NULL, &b) != ERR_OK)
		_exit(1);
	for (uint32_t i = 0;; i++) {
		const struct store_book_row row = { .addr = netaddr_ipv4(i, 8333),
						    .named_s = clock_ms() };
		const struct netaddr old = netaddr_ipv4(i - 1000, 8333);

		if (!store_book_put(b, &row) || !store_book_drop(b, &old, slice_of(NULL, 0)))
			_exit(2);
		nanosleep(&pause, NULL);
	}
}

struct rows {
	uint32_t count, least, most;
	int64_t last_ms;
};

static bool see_row(void *ctx, const struct store_book_row *row)
{
	struct rows *r = ctx;
	uint32_t i;

	memcpy(&i, row->addr.bytes, sizeof(i));
	i = ntohl(i);
	r->least = r->count == 0 || i < r->least ? i : r->least;
	r->most = i > r->most ? i : r->most;
	r->last_ms = row->named_s > r->last_ms ? row->named_s : r->last_ms;
	r->count++;
	return true;
}

/* Kills a few of them. A row that was put is there, or none after it. Returns what was lost at
 * most: the time between the last row that is there and the kill. */
static int64_t kill_keepers(struct random *random)
{
	int64_t lost_ms = 0;

	for (unsigned round = 0; round < 4; round++) {
		struct folder folder;
		struct rows rows = { 0 };
		uint64_t told[2];
		struct store *s;
		int64_t killed_ms;

		folder_make(&folder);
		live_and_die(folder.db, keep_book, 1100 + (unsigned)random_below(random, 1000),
			     told);
		killed_ms = clock_ms();
		s = open_db(folder.db, STORE_CREATE);
		assert_sql(s->db, "PRAGMA integrity_check", "ok");
		assert_int_equal(store_book_load(s, "bitcoin", see_row, &rows), ERR_OK);
		assert_int_equal(rows.count, rows.count == 0 ? 0 : rows.most - rows.least + 1);
		assert_in_range(rows.count, 0, 1001);
		if (killed_ms - rows.last_ms > lost_ms)
			lost_ms = killed_ms - rows.last_ms;
		store_close(s);
		folder_remove(&folder);
	}
	return lost_ms;
}

static void book_survives(void **state)
{
	struct random random = { 3 };
	int64_t lost_ms = kill_keepers(&random);

	(void)state;
	/* A machine that is very busy doesn't keep to time, but once in a while. */
	for (unsigned again = 0; lost_ms > 1000 && again < 5; again++)
		lost_ms = kill_keepers(&random);
	print_message("the last %lld ms were lost at most\n", (long long)lost_ms);
	assert_in_range(lost_ms, 0, 1000);
}

/* Rounds of watching, an hour apart, each pruned as soon as it is not the newest. */
static void prune_rounds(const char *path, int out)
{
	/* The sums go after ten times as long as visits are kept: not during this test. */
	const int64_t hour_ms = 60 * 60 * 1000, keep_ms = 10000 * hour_ms;
	struct store *s;
	char why[640];

	if (store_open(path, STORE_CREATE, &s, why, sizeof(why)) != ERR_OK)
		_exit(1);
	for (int64_t n = 1;; n++) {
		const int64_t now_ms = (n + 1) * hour_ms + keep_ms;
		struct store_crawl crawl = { .network = "bitcoin", .every_ms = (uint64_t)hour_ms };
		uint64_t told[2] = { 0 };
		bool more = true;

		crawl.started_at_ms = n * hour_ms;
		if (store_crawl_begin(s, &crawl) != ERR_OK || store_begin(s) != ERR_OK)
			_exit(2);
		for (uint32_t i = 0; i < BATCH; i++) {
			struct record r = ok_record(netaddr_ipv4(i, 8333), slice_text("/x/"));

			r.started_at_ms = crawl.started_at_ms;
			if (store_put_visit(s, &crawl, &r) != ERR_OK)
				_exit(3);
		}
		crawl.ended_at_ms = crawl.started_at_ms + 1;
		if (store_commit(s) != ERR_OK || store_crawl_end(s, &crawl) != ERR_OK)
			_exit(4);
		told[0] = (uint64_t)crawl.id;
		told[1] = (uint64_t)n * BATCH;
		if (write(out, told, sizeof(told)) != sizeof(told))
			_exit(5);
		while (more)
			if (store_prune(s, "bitcoin", now_ms, keep_ms, &more) != ERR_OK)
				_exit(6);
	}
}

/* Each visit that was told is there, or is a part of a sum, and never both. */
static void prune_loses_nothing(void **state)
{
	struct random random = { 4 };
	uint64_t told_in_all = 0;

	(void)state;
	for (unsigned round = 0; round < 100 && (round < 10 || told_in_all == 0); round++) {
		uint64_t told[2] = { 0 };
		struct folder folder;
		struct store *s;
		char want[128];

		folder_make(&folder);
		live_and_die(folder.db, prune_rounds, 20 + (unsigned)random_below(&random, 200),
			     told);
		s = open_db(folder.db, STORE_CREATE);
		assert_sql(s->db, "PRAGMA integrity_check", "ok");
		/* A last round may have come too far to be told, or to its visits alone. */
		snprintf(want, sizeof(want),
			 "SELECT (SELECT count(*) FROM visits) + (SELECT ifnull(sum(visits), 0)"
			 " FROM daily) IN (%llu, %llu)",
			 (unsigned long long)told[1], (unsigned long long)told[1] + BATCH);
		assert_sql(s->db, want, "1");
		assert_sql(s->db,
			   "SELECT (SELECT count(*) FROM visits) + (SELECT ifnull(sum(visits), 0)"
			   " FROM daily) = (SELECT ifnull(sum(visits), 0) FROM peers)",
			   "1");
		told_in_all += told[1];
		store_close(s);
		folder_remove(&folder);
	}
	print_message("%llu visits told\n", (unsigned long long)told_in_all);
	assert_true(told_in_all > 0);
}

static void writer_survives(void **state)
{
	/* Long enough for a few commits; on a machine that is busy, in a while. */
	struct plan plan = { write_on, 4, 300, 600, 2 };
	uint64_t told = 0, found = 0;

	(void)state;
	kill_loop(&plan, &told, &found);
	while (found == 0 && plan.life_ms_max < 20 * 1000) {
		plan.life_ms_min *= 2;
		plan.life_ms_max *= 2;
		kill_loop(&plan, &told, &found);
	}
	print_message("%llu visits found\n", (unsigned long long)found);
	assert_true(found > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_survive),
		cmocka_unit_test(writer_survives),
		cmocka_unit_test(book_survives),
		cmocka_unit_test(prune_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
