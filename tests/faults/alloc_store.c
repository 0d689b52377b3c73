/* alloc_store.c: the database: opened, migrated, written, asked, pruned. Whatever fails, what was
 * committed stays, a batch is there or it is not, and whoever comes next finds a sound file. */
#include "faults/data.h"
#include "store/look.h"
#include "store/writer.h"

#include <stdatomic.h>

static char path[256];
static struct store *store;
static char why[640];

/* --- files --- */

static void copy_file(const char *from, const char *to)
{
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	char bytes[4096];
	size_t n;

	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0)
		fwrite(bytes, 1, n, out);
	fclose(in);
	fclose(out);
}

/* Each point has a copy of its own. */
static void fresh_copy(void)
{
	static char origin[256];

	if (origin[0] == 0)
		snprintf(origin, sizeof(origin), "%s", data_make("origin.db"));
	snprintf(path, sizeof(path), "%s/point.db", scenario_folder());
	db_remove(path);
	copy_file(origin, path);
}

static void fresh_store(void)
{
	fresh_copy();
	store = open_db(path, STORE_CREATE);
}

static bool says_memory(const char *text)
{
	return strstr(text, "memory") != NULL;
}

/* Nothing of what was there before is lost. */
static void check_origin(void)
{
	want(data_sound(path));
	want(data_number(path, "SELECT count(*) FROM crawls WHERE id <= 6") == 6);
	want(data_number(path, "SELECT count(*) FROM visits WHERE crawl_id <= 6") ==
	     3 * (DATA_PEERS - 1) + 2 * DATA_PEERS + DATA_PEERS - 1);
	want(data_number(path, "SELECT count(*) FROM book") >= DATA_PEERS);
}

static void close_and_check(enum err err)
{
	if (err != ERR_OK)
		want(says_memory(store_why(store)));
	store_close(store);
	check_origin();
}

/* --- opening --- */

static void no_file(void)
{
	snprintf(path, sizeof(path), "%s/new.db", scenario_folder());
	db_remove(path);
}

static enum err open_and_close(enum store_mode mode)
{
	struct store *s;
	enum err err = store_open(path, mode, &s, why, sizeof(why));

	want(err == ERR_OK || (s == NULL && says_memory(why)));
	store_close(s);
	return err;
}

static enum err run_open_new(void)
{
	return open_and_close(STORE_CREATE);
}

static enum err run_open_read(void)
{
	return open_and_close(STORE_READ);
}

/* What is there of it is no hindrance. */
static void after_open(enum err err)
{
	struct store *s = open_db(path, STORE_CREATE);

	(void)err;
	store_close(s);
	want(data_sound(path));
	want(data_number(path, "PRAGMA user_version") == STORE_SCHEMA);
}

static void old_file(void)
{
	char from[512], sql[64 * 1024];
	FILE *f;
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/old.db", scenario_folder());
	snprintf(from, sizeof(from), "%s/schema1.sql", TEST_DATA);
	db_remove(path);
	f = fopen(from, "rb");
	assert_non_null(f);
	sql[fread(sql, 1, sizeof(sql) - 1, f)] = 0;
	fclose(f);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void after_migration(enum err err)
{
	int64_t version = data_number(path, "PRAGMA user_version");
	int64_t visits = data_number(path, "SELECT count(*) FROM visits");

	want(visits > 0);
	want(version == (err == ERR_OK ? STORE_SCHEMA : version)); /* whole steps alone */
	want(version >= 1 && version <= STORE_SCHEMA);
	after_open(err);
	want(data_number(path, "SELECT count(*) FROM visits") == visits);
}

static void after_migrated_copy(enum err err)
{
	(void)err;
	want(data_number(path, "PRAGMA user_version") == 1);
	want(data_sound(path));
}

/* --- writing --- */

static enum err run_crawl(void)
{
	return data_crawl(store, "bitcoin", 7, 0);
}

static enum err run_round(void)
{
	return data_crawl(store, "bitcoin", 7, DATA_HOUR_MS);
}

static enum err run_nodes(void)
{
	return data_crawl(store, "ethereum", 7, DATA_HOUR_MS);
}

/* The row of the crawl is committed before; its visits are all there, or none. */
static void after_write(enum err err)
{
	int64_t visits;

	close_and_check(err);
	visits = data_number(path, "SELECT count(*) FROM visits WHERE crawl_id > 6");
	want(err == ERR_OK ? visits >= DATA_PEERS - 1 : visits == 0);
	want(data_number(path, "SELECT count(*) FROM crawls WHERE id > 6 AND visited > 0") ==
	     (err == ERR_OK));
}

/* With the thread that does it in a real crawl. */
static atomic_int told;

static void on_error(void *ctx, enum err err, const char *text)
{
	(void)ctx;
	told = (int)err;
	want(err == ERR_NOMEM && says_memory(text));
}

static enum err run_writer(void)
{
	struct store_crawl crawl = { .network = "bitcoin", .started_at_ms = data_start_ms };
	struct store_writer *w;
	enum err err = store_crawl_begin(store, &crawl);

	told = ERR_OK;
	if (err == ERR_OK)
		err = store_writer_start(store, &crawl, on_error, NULL, &w);
	if (err != ERR_OK)
		return err;
	for (unsigned i = 0; i < DATA_PEERS; i++) {
		struct record r = data_record(i);

		store_writer_known(w, &r.addr, NULL, data_start_ms);
		store_writer_visit(w, &r);
	}
	err = store_writer_stop(w);
	want((int)err == told);
	return err == ERR_OK ? store_crawl_end(store, &crawl) : err;
}

static void after_writer(enum err err)
{
	int64_t visits;

	store_close(store);
	check_origin();
	visits = data_number(path, "SELECT count(*) FROM visits WHERE crawl_id > 6");
	want(visits == 0 || visits == DATA_PEERS);
	want(err != ERR_OK || visits == DATA_PEERS);
}

static bool count_row(void *ctx, const struct store_book_row *row)
{
	++*(unsigned *)ctx;
	said_number(row->addr.bytes[3]);
	return true;
}

static enum err run_book(void)
{
	uint8_t value[STORE_BOOK_VALUE_MAX];
	struct store_book *book;
	unsigned rows = 0;
	size_t len;
	enum err err = store_book_load(store, "bitcoin", count_row, &rows);

	if (err == ERR_OK)
		err = store_book_value(store, "bitcoin", "seq", value, &len);
	if (err == ERR_OK)
		err = store_book_start(store, "bitcoin", NULL, NULL, &book);
	if (err != ERR_OK)
		return err;
	want(rows == DATA_PEERS);
	for (unsigned i = 0; i < 5; i++) {
		struct store_book_row row = { .addr = netaddr_ipv4(0x02000000 + i, 8333) };

		store_book_put(book, &row);
	}
	store_book_keep(book, "seq", slice_text("7"));
	return store_book_stop(book);
}

static void after_book(enum err err)
{
	int64_t rows;

	store_close(store);
	check_origin();
	rows = data_number(path, "SELECT count(*) FROM book");
	want(rows == DATA_PEERS || rows == DATA_PEERS + 5);
	want(err != ERR_OK || rows == DATA_PEERS + 5);
}

static enum err run_prune(void)
{
	bool more = true;
	uint64_t forgotten;
	enum err err = store_watch_hold(store, "bitcoin");

	while (err == ERR_OK && more)
		err = store_prune(store, "bitcoin", data_start_ms + 5 * 86400000LL, 86400000,
				  &more);
	if (err == ERR_OK)
		err = store_watch_forget(store, "bitcoin", data_start_ms + 5 * 86400000LL,
					 &forgotten);
	return err;
}

static void after_prune(enum err err)
{
	static int64_t right;
	int64_t days;
	bool more;

	if (err != ERR_OK)
		want(says_memory(store_why(store)));
	/* Whoever comes again ends what was begun. */
	do {
		err = store_prune(store, "bitcoin", data_start_ms + 5 * 86400000LL, 86400000,
				  &more);
		want(err == ERR_OK);
	} while (err == ERR_OK && more);
	store_close(store);
	want(data_sound(path));
	days = data_number(path, "SELECT sum(visits) FROM daily");
	if (right == 0)
		right = days; /* the first time nothing fails */
	want(days > 0 && days == right);
	want(data_number(path, "SELECT count(*) FROM visits WHERE crawl_id IN (1, 2)") == 0);
	want(data_number(path, "SELECT count(*) FROM visits WHERE crawl_id = 3") == DATA_PEERS - 1);
}

/* --- asking --- */

static enum err on_crawl(void *ctx, const struct store_crawl *c)
{
	(void)ctx;
	said_number((uint64_t)c->id);
	said(slice_text(c->settings));
	return ERR_OK;
}

static enum err on_peer(void *ctx, const struct store_peer *p)
{
	(void)ctx;
	said(p->address);
	said(p->agent);
	said(p->node_id);
	said_number(p->visits);
	return ERR_OK;
}

static enum err on_visit(void *ctx, const struct store_visit *v)
{
	(void)ctx;
	said(slice_of(v->record.addr.bytes, 4));
	said(v->record.info.agent);
	said(slice_text(v->record.rule != NULL ? v->record.rule : ""));
	return ERR_OK;
}

static enum err on_advert(void *ctx, const struct store_advert *a)
{
	(void)ctx;
	said_number((uint64_t)a->peer_id);
	return ERR_OK;
}

static enum err on_advert_peer(void *ctx, const struct store_advert_peer *p)
{
	(void)ctx;
	said_number((uint64_t)p->id);
	said(p->agent);
	return ERR_OK;
}

static enum err on_change(void *ctx, const struct store_change *c)
{
	(void)ctx;
	said_number((uint64_t)c->id);
	said(c->was.agent);
	said(c->is.agent);
	return ERR_OK;
}

static enum err on_difference(void *ctx, int64_t id, enum store_difference what)
{
	(void)ctx;
	said_number((uint64_t)id * 8 + what);
	return ERR_OK;
}

static enum err on_schedule(void *ctx, const struct schedule *s)
{
	(void)ctx;
	said_number((uint64_t)s->due_ms);
	return ERR_OK;
}

static enum err on_news(void *ctx, int64_t id, const struct store_peer *p, const struct schedule *s)
{
	(void)ctx;
	said_number((uint64_t)id);
	said(p->agent);
	said_number(s != NULL);
	return ERR_OK;
}

static enum err on_network(void *ctx, const struct store_network *n)
{
	(void)ctx;
	said(slice_text(n->name));
	return ERR_OK;
}

static enum err on_recent(void *ctx, const struct store_recent *r)
{
	(void)ctx;
	said(r->agent);
	return ERR_OK;
}

static enum err on_told(void *ctx, const struct store_told *t)
{
	(void)ctx;
	said(t->was);
	said(t->now);
	return ERR_OK;
}

static enum err on_session(void *ctx, int64_t from_ms, int64_t to_ms)
{
	(void)ctx;
	said_number((uint64_t)(from_ms ^ to_ms));
	return ERR_OK;
}

static bool on_resume(void *ctx, const struct advert *peer, enum outcome outcome, bool reached,
		      unsigned tries)
{
	(void)ctx;
	(void)reached;
	said(slice_of(peer->addr.bytes, 4));
	said_number(outcome + tries);
	return true;
}

static enum err ask_rows(struct store *s)
{
	struct store_filter any = STORE_FILTER_ANY, crawl = STORE_FILTER_ANY;
	enum err err = store_crawls(s, NULL, on_crawl, NULL);

	crawl.crawl_id = 4;
	if (err == ERR_OK)
		err = store_peers(s, &any, on_peer, NULL);
	if (err == ERR_OK)
		err = store_peers(s, &crawl, on_peer, NULL);
	if (err == ERR_OK)
		err = store_visits(s, &any, on_visit, NULL);
	if (err == ERR_OK)
		err = store_adverts(s, &any, on_advert, NULL);
	if (err == ERR_OK)
		err = store_advert_peers(s, &any, on_advert_peer, NULL);
	if (err == ERR_OK)
		err = store_changes(s, 1, 2, on_change, NULL);
	if (err == ERR_OK)
		err = store_differences(s, 1, 3, on_difference, NULL);
	return err;
}

static enum err ask_watch(struct store *s)
{
	int64_t peer_id = 0, visit_id = 0;
	struct schedule schedule;
	enum err err = store_schedules(s, "bitcoin", on_schedule, NULL);

	if (err == ERR_OK)
		err = store_peer_by_id(s, 1, on_peer, NULL);
	if (err == ERR_OK)
		err = store_peer_schedule(s, 2, &schedule);
	if (err == ERR_OK)
		err = store_peer_sessions(s, 2, 10, on_session, NULL);
	if (err == ERR_OK)
		err = store_peer_told(s, 2, 10, on_told, NULL);
	if (err == ERR_OK)
		err = store_peer_visits(s, 2, 10, on_visit, NULL);
	if (err == ERR_OK)
		err = store_news(s, &peer_id, &visit_id, on_news, NULL);
	return err;
}

static enum err ask_looks(struct store *s)
{
	struct store_progress progress = { 0 };
	struct store_crawl crawl;
	uint64_t known;
	int64_t version;
	enum err err = store_version(s, &version);

	if (err == ERR_OK)
		err = store_networks(s, on_network, NULL);
	if (err == ERR_OK)
		err = store_crawls_newest(s, NULL, 6, 3, on_crawl, NULL);
	if (err == ERR_OK)
		err = store_progress(s, 3, &progress);
	if (err == ERR_OK)
		err = store_progress_known(s, 3, &known);
	if (err == ERR_OK)
		err = store_recent(s, 3, 0, 10, on_recent, NULL);
	if (err == ERR_OK)
		err = store_crawl_get(s, 2, NULL, &crawl);
	if (err == ERR_OK)
		err = store_resume(s, &crawl, on_resume, NULL);
	return err;
}

static void open_origin(void)
{
	if (path[0] == 0)
		fresh_copy();
	store = open_db(path, STORE_READ);
}

static enum err in_one_moment(enum err (*ask)(struct store *))
{
	enum err err = store_read_begin(store);

	if (err == ERR_OK)
		err = ask(store);
	store_read_end(store);
	return err;
}

static enum err run_rows(void)
{
	return in_one_moment(ask_rows);
}

static enum err run_watch(void)
{
	return in_one_moment(ask_watch);
}

static enum err run_looks(void)
{
	return in_one_moment(ask_looks);
}

/* The same store answers the next question. */
static void after_asking(enum err err)
{
	if (err != ERR_OK)
		want(says_memory(store_why(store)));
	want(in_one_moment(ask_looks) == ERR_OK);
	store_close(store);
}

const struct scenario store_scenarios[] = {
	SCENARIO("open a new file", no_file, run_open_new, after_open, .points = 15),
	SCENARIO("open to read", fresh_copy, run_open_read, after_open, .points = 15),
	SCENARIO("migrate", old_file, run_open_new, after_migration, .points = 15),
	SCENARIO("migrate a copy", old_file, run_open_read, after_migrated_copy, .points = 15),
	SCENARIO("write a crawl", fresh_store, run_crawl, after_write, .points = 15),
	SCENARIO("write a round", fresh_store, run_round, after_write, .points = 15),
	SCENARIO("write nodes", fresh_store, run_nodes, after_write, .points = 15),
	SCENARIO("writer", fresh_store, run_writer, after_writer, .threads = true, .points = 15),
	SCENARIO("book of a node", fresh_store, run_book, after_book, .threads = true,
		 .points = 15),
	SCENARIO("prune", fresh_store, run_prune, after_prune, .points = 15),
	SCENARIO("questions", open_origin, run_rows, after_asking, .points = 15),
	SCENARIO("questions of watching", open_origin, run_watch, after_asking, .points = 15),
	SCENARIO("questions of serve", open_origin, run_looks, after_asking, .points = 15),
	{ 0 },
};
