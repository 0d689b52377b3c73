/* test_store_guard.c: databases whose schema another program has changed. */
#include "store/guard.h"

#include "support/sql.h"
#include "support/store_rig.h"

#define ENDLESS "WITH RECURSIVE e(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM e)"

static void make(const char *sql)
{
	store_close(open_db(folder.db, STORE_CREATE));
	run_sql(folder.db, sql);
}

static void assert_refused(const char *says)
{
	for (enum store_mode mode = STORE_READ; mode <= STORE_CREATE; mode++) {
		struct store *s;
		char why[STORE_WHY_MAX] = "";

		assert_int_equal(store_open(folder.db, mode, &s, why, sizeof(why)), ERR_CORRUPT);
		assert_null(s);
		if (strstr(why, says) == NULL || strstr(why, "--db") == NULL ||
		    strstr(why, folder.db) == NULL)
			fail_msg("the sentence is: %s", why);
	}
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *sql, *says;
	} rows[] = {
		{ "CREATE TRIGGER t AFTER INSERT ON visits BEGIN DELETE FROM peers; END",
		  "trigger" },
		{ "CREATE TRIGGER t INSTEAD OF INSERT ON peers_readable BEGIN SELECT 1; END",
		  "trigger" },
		{ "PRAGMA writable_schema = ON; CREATE TRIGGER t AFTER INSERT ON visits"
		  " BEGIN SELECT 1; END; UPDATE sqlite_schema SET type = 'TRIGGER'"
		  " WHERE type = 'trigger'",
		  "trigger" },
		{ "DROP TABLE peers; CREATE VIEW Peers AS " ENDLESS " SELECT * FROM e",
		  "place of a table" },
		{ "DROP TABLE peers; PRAGMA writable_schema = ON; INSERT INTO sqlite_schema"
		  " VALUES('table', 'peers', 'peers', 0, 'CREATE VIRTUAL TABLE peers USING v')",
		  "place of a table" },
		{ "CREATE TABLE batch(c0, c1, c2)", "batch" },
		{ "DROP TABLE daily", "missing" },
		/* SQLite itself sees these. */
		{ "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql ="
		  " 'CREATE VIEW peers AS SELECT 1' WHERE name = 'peers'",
		  "malformed" },
		{ "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET type = NULL"
		  " WHERE name = 'peers'",
		  "malformed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s\n", rows[i].sql);
		make(rows[i].sql);
		assert_refused(rows[i].says);
		db_remove(folder.db);
	}
}

/* Each table of the schema is looked for, also those of steps to come. */
static void each_table_must_be_one(void **state)
{
	char names[32][32], sql[4096];
	unsigned count = 0;
	sqlite3_stmt *st;

	(void)state;
	store = open_db(folder.db, STORE_CREATE);
	assert_int_equal(sqlite3_prepare_v2(store->db,
					    "SELECT name FROM sqlite_schema WHERE type = 'table'",
					    -1, &st, NULL),
			 SQLITE_OK);
	for (; sqlite3_step(st) == SQLITE_ROW; count++)
		snprintf(names[count], sizeof(names[count]), "%s", sqlite3_column_text(st, 0));
	sqlite3_finalize(st);
	store_close(store);
	assert_true(count > 10 && count < 32);
	for (unsigned i = 0; i < count; i++) {
		print_message("%s\n", names[i]);
		snprintf(sql, sizeof(sql), "ALTER TABLE %s RENAME TO was_there", names[i]);
		run_sql(folder.db, sql);
		assert_refused("missing");
		snprintf(sql, sizeof(sql), "CREATE VIEW %s AS " ENDLESS " SELECT * FROM e",
			 names[i]);
		run_sql(folder.db, sql);
		assert_refused("place of a table");
		snprintf(sql, sizeof(sql), "DROP VIEW %s; ALTER TABLE was_there RENAME TO %s",
			 names[i], names[i]);
		run_sql(folder.db, sql);
	}
	store_close(open_db(folder.db, STORE_READ));
}

/* What people add for their own questions. */
static void what_is_let_be(void **state)
{
	(void)state;
	make("CREATE TABLE notes(peer_id, note); CREATE INDEX by_agent ON peers(agent);"
	     "CREATE VIEW agents AS SELECT agent, count(*) FROM peers GROUP BY 1;"
	     "DROP VIEW visits_readable");
	store_close(open_db(folder.db, STORE_READ));
	store_close(open_db(folder.db, STORE_WRITE));
}

static int prepare(const char *sql)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(store->db, sql, -1, &st, NULL);

	sqlite3_finalize(st);
	return rc;
}

/* Once it is open, too, and whatever was overlooked. */
static void nothing_of_the_files_own_runs(void **state)
{
	struct store_crawl crawl;

	(void)state;
	make("CREATE TABLE notes(a)");
	store = open_db(folder.db, STORE_WRITE);
	run_sql(folder.db, "CREATE TRIGGER t AFTER INSERT ON crawls BEGIN"
			   " INSERT INTO notes VALUES(1); END;"
			   "CREATE VIEW endless AS " ENDLESS " SELECT * FROM e;"
			   "CREATE VIEW fed AS SELECT * FROM batch");
	crawl = begin_crawl(store, "bitcoin");
	assert_true(crawl.id > 0);
	assert_sql(store->db, "SELECT count(*) FROM crawls", "1");
	assert_sql(store->db, "SELECT count(*) FROM notes", "0");
	assert_int_equal(prepare("SELECT * FROM endless"), SQLITE_ERROR);
	assert_int_equal(prepare("SELECT * FROM fed"), SQLITE_ERROR);
	assert_int_equal(prepare("SELECT * FROM batch"), SQLITE_OK);
	assert_int_equal(prepare("ATTACH 'other.db' AS other"), SQLITE_OK);
	assert_int_equal(db_script(store, "ATTACH ':memory:' AS other"), ERR_CORRUPT);
	assert_int_equal(db_script(store, "SELECT zeroblob(1 << 30)"), ERR_CORRUPT);
	assert_int_equal(db_script(store, "PRAGMA writable_schema = ON;"
					  "DELETE FROM sqlite_schema"),
			 ERR_CORRUPT);
	assert_sql(store->db, "PRAGMA cell_size_check", "1");
	assert_sql(store->db, "PRAGMA trusted_schema", "0");
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_refused, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(each_table_must_be_one, folder_set_up,
						folder_tear_down),
		cmocka_unit_test_setup_teardown(what_is_let_be, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(nothing_of_the_files_own_runs, folder_set_up,
						folder_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
