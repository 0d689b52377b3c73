/* test_store_schema.c: files of older schemas, written and read. */
#include "store/book.h"

#include "base/text.h"
#include "support/nodes.h"
#include "support/sql.h"
#include "support/store_rig.h"

#include "store/db.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const struct old {
	const char *script, *network;
	unsigned peers, visits, adverts, nodes, reached, rows;
} olds[] = {
	{ "schema1.sql", "bitcoin", 8, 8, 64, 0, 8, 0 },
	{ "schema2.sql", "ethereum", 15, 15, 144, 12, 12, 0 },
	{ "schema3.sql", "ethereum", 11, 11, 68, 8, 8, 1 },
};

enum { OLDS = sizeof(olds) / sizeof(*olds) };

static void make_old(const char *path, const struct old *old)
{
	static char script[64 * 1024];
	char name[512];
	FILE *in;
	size_t len;

	print_message("%s\n", old->script);
	snprintf(name, sizeof(name), TEST_DATA "/unit/%s", old->script);
	in = fopen(name, "r");
	assert_non_null(in);
	len = fread(script, 1, sizeof(script) - 1, in);
	assert_true(len > 1000 && len < sizeof(script) - 1);
	script[len] = 0;
	fclose(in);
	run_sql(path, script);
}

/* Everything that a schema says, one object a line. */
static void schema_text(const char *path, struct text *out)
{
	static const char sql[] = "SELECT name || ':' || ifnull(sql, '') FROM sqlite_schema"
				  " ORDER BY type, name";
	sqlite3_stmt *st;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW)
		text_printf(out, "%s\n", (const char *)sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	sqlite3_close(db);
}

struct seen {
	unsigned peers, visits, adverts, nodes, reached, rows;
};

static enum err see_peer(void *ctx, const struct store_peer *p)
{
	struct seen *seen = ctx;

	seen->peers++;
	seen->nodes += p->has_node;
	seen->reached += p->reached;
	return ERR_OK;
}

static enum err see_visit(void *ctx, const struct store_visit *v)
{
	(void)v;
	((struct seen *)ctx)->visits++;
	return ERR_OK;
}

static enum err see_advert(void *ctx, const struct store_advert *a)
{
	(void)a;
	((struct seen *)ctx)->adverts++;
	return ERR_OK;
}

static enum err see_row(void *ctx, const char *name, const struct store_book_row *row)
{
	(void)name;
	(void)row;
	((struct seen *)ctx)->rows++;
	return ERR_OK;
}

/* All of it is there, and questions about what came later have an answer, too. */
static void assert_whole(const char *path, const struct old *old)
{
	struct store *s = open_db(path, STORE_READ);
	struct store_crawl crawl;
	struct seen seen = { 0 };

	assert_int_equal(store_peers(s, &STORE_FILTER_ANY, see_peer, &seen), ERR_OK);
	assert_int_equal(store_visits(s, &STORE_FILTER_ANY, see_visit, &seen), ERR_OK);
	assert_int_equal(store_adverts(s, &STORE_FILTER_ANY, see_advert, &seen), ERR_OK);
	assert_int_equal(store_books(s, &STORE_FILTER_ANY, see_row, &seen), ERR_OK);
	assert_int_equal(seen.peers, old->peers);
	assert_int_equal(seen.visits, old->visits);
	assert_int_equal(seen.adverts, old->adverts);
	assert_int_equal(seen.nodes, old->nodes);
	assert_int_equal(seen.reached, old->reached);
	assert_int_equal(seen.rows, old->rows);
	assert_int_equal(store_crawl_get(s, 0, NULL, &crawl), ERR_OK);
	assert_string_equal(crawl.network, old->network);
	assert_true(crawl.complete);
	assert_int_equal(crawl.every_ms, 0);
	assert_false(crawl.pruned);
	/* What a node that moves is found by. */
	assert_sql(s->db,
		   "SELECT count(*) FROM nodes JOIN peers p ON p.id = peer_id"
		   " WHERE key_start IS NOT substr(p.node_id, 1, 16)",
		   "0");
	store_close(s);
}

static void opened_for_writing_it_becomes_like_any_other(void **state)
{
	(void)state;
	for (unsigned i = 0; i < OLDS; i++) {
		struct text migrated = { 0 }, made = { 0 };
		struct node_key key = node_key(1);
		struct node_info node = full_node();
		struct record r = node_record("127.0.0.5:30303", &key, &node);
		struct store_crawl crawl;
		char other[256];
		struct store *s;

		make_old(folder.db, &olds[i]);
		store_close(open_db(folder.db, STORE_WRITE));
		assert_whole(folder.db, &olds[i]);
		snprintf(other, sizeof(other), "%s/new.db", folder.path);
		store_close(open_db(other, STORE_CREATE));
		schema_text(folder.db, &migrated);
		schema_text(other, &made);
		assert_non_null(strstr(made.data, "book_values"));
		assert_string_equal(migrated.data, made.data);
		s = open_db(folder.db, STORE_CREATE);
		crawl = begin_crawl(s, "ethereum");
		assert_int_equal(store_put_visit(s, &crawl, &r), ERR_OK);
		store_close(s);
		text_clear(&migrated);
		text_clear(&made);
		db_remove(folder.db);
		db_remove(other);
	}
}

static void *read_file(const char *path, size_t *len)
{
	FILE *in = fopen(path, "r");
	char *data = malloc(1 << 20);

	assert_non_null(in);
	*len = fread(data, 1, 1 << 20, in);
	fclose(in);
	return data;
}

/* A report must not make the file one that the program of yesterday refuses. */
static void opened_for_reading_it_stays_as_it_is(void **state)
{
	(void)state;
	for (unsigned i = 0; i < OLDS; i++) {
		size_t before_len, after_len;
		void *before, *after;

		make_old(folder.db, &olds[i]);
		before = read_file(folder.db, &before_len);
		assert_whole(folder.db, &olds[i]);
		after = read_file(folder.db, &after_len);
		assert_int_equal(before_len, after_len);
		assert_memory_equal(before, after, before_len);
		free(before);
		free(after);
		db_remove(folder.db);
	}
}

/* The program of yesterday writes it, in WAL mode as it does. */
static void it_is_read_while_another_program_writes_it(void **state)
{
	sqlite3 *other;

	(void)state;
	make_old(folder.db, &olds[1]);
	assert_int_equal(sqlite3_open(folder.db, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other,
				      "PRAGMA journal_mode = WAL; BEGIN IMMEDIATE;"
				      "DELETE FROM adverts",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	assert_whole(folder.db, &olds[1]);
	assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	/* At rest, but marked as WAL. */
	assert_whole(folder.db, &olds[1]);
}

static void it_is_read_where_nothing_may_be_written(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	make_old(folder.db, &olds[1]);
	run_sql(folder.db, "PRAGMA journal_mode = WAL");
	assert_int_equal(chmod(folder.db, 0444), 0);
	assert_int_equal(chmod(folder.path, 0555), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* Root may write everywhere: become nobody. */
		struct store *s;
		char why[640];

		if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
			_exit(77);
		if (access(folder.path, W_OK) == 0)
			_exit(2);
		if (store_open(folder.db, STORE_READ, &s, why, sizeof(why)) != ERR_OK) {
			print_error("%s\n", why);
			_exit(3);
		}
		store_close(s);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(chmod(folder.path, 0700), 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_whole(folder.db, &olds[1]);
}

/* Before and after the steps that lead to ours. */
static void what_was_added_to_one_is_refused(void **state)
{
	static const char *const added[] = {
		"CREATE TRIGGER t AFTER UPDATE ON nodes BEGIN DELETE FROM peers; END",
		"ALTER TABLE adverts RENAME TO was; CREATE VIEW adverts AS SELECT * FROM was",
		"ALTER TABLE adverts RENAME TO was",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(added) / sizeof(*added); i++) {
		for (enum store_mode mode = STORE_READ; mode <= STORE_CREATE; mode++) {
			struct store *s;
			char why[640];

			make_old(folder.db, &olds[1]);
			run_sql(folder.db, added[i]);
			assert_int_equal(store_open(folder.db, mode, &s, why, sizeof(why)),
					 ERR_CORRUPT);
			assert_non_null(strstr(why, "changed by another program"));
			db_remove(folder.db);
		}
	}
}

/* The copy meets what is wrong with the file. */
static void a_damaged_one_is_told(void **state)
{
	struct store *s;
	char why[640];

	(void)state;
	make_old(folder.db, &olds[1]);
	assert_int_equal(truncate(folder.db, 30000), 0);
	assert_int_equal(store_open(folder.db, STORE_READ, &s, why, sizeof(why)), ERR_CORRUPT);
	assert_non_null(strstr(why, folder.db));
	assert_non_null(strstr(why, ".recover"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opened_for_writing_it_becomes_like_any_other,
						folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(opened_for_reading_it_stays_as_it_is, folder_set_up,
						folder_tear_down),
		cmocka_unit_test_setup_teardown(it_is_read_while_another_program_writes_it,
						folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(it_is_read_where_nothing_may_be_written,
						folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(what_was_added_to_one_is_refused, folder_set_up,
						folder_tear_down),
		cmocka_unit_test_setup_teardown(a_damaged_one_is_told, folder_set_up,
						folder_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
