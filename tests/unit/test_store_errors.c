/* What goes wrong with files, and what the user is told. */
#include "store/store.h"

#include "store/db.h"
#include "support/sql.h"
#include "support/store_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int tear_down(void **state)
{
	chmod(folder.path, 0700);
	return folder_tear_down(state);
}

static void write_file(const char *path, const void *data, size_t len, off_t at)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, at), (ssize_t)len);
	close(fd);
}

static void nothing(void)
{
}

static void a_text(void)
{
	write_file(folder.db, "these are notes about a journey\n", 32, 0);
}

static void an_empty_file(void)
{
	write_file(folder.db, "", 0, 0);
}

static void foreign(void)
{
	run_sql(folder.db, "CREATE TABLE invoices(id, sum); INSERT INTO invoices VALUES(1, 2)");
}

static void foreign_marked(void)
{
	run_sql(folder.db, "PRAGMA application_id = 7; PRAGMA user_version = 1");
}

static void ours(void)
{
	store_close(open_db(folder.db, STORE_CREATE));
}

static void newer(void)
{
	ours();
	run_sql(folder.db, "PRAGMA user_version = 99");
}

static void cut(void)
{
	ours();
	assert_int_equal(truncate(folder.db, 5000), 0);
}

static void a_folder(void)
{
	assert_int_equal(mkdir(folder.db, 0700), 0);
}

/* Opening: the error, a word of the sentence that says what is wrong, and one of the
 * remedy. */
static void opening(void **state)
{
	static const struct {
		const char *name;
		void (*make)(void);
		enum store_mode mode;
		enum err err;
		const char *says, *remedy;
	} rows[] = {
		{ "missing, read", nothing, STORE_READ, ERR_NOT_FOUND, "test.db", "crawl" },
		{ "missing, write", nothing, STORE_WRITE, ERR_NOT_FOUND, "test.db", "--db" },
		{ "missing, create", nothing, STORE_CREATE, ERR_OK, "", "" },
		{ "empty, read", an_empty_file, STORE_READ, ERR_NOT_OURS, "empty", "--db" },
		{ "empty, write", an_empty_file, STORE_WRITE, ERR_NOT_OURS, "empty", "--db" },
		{ "empty, create", an_empty_file, STORE_CREATE, ERR_OK, "", "" },
		{ "text, read", a_text, STORE_READ, ERR_NOT_OURS, "no peerwalk", "left as it is" },
		{ "text, create", a_text, STORE_CREATE, ERR_NOT_OURS, "no peerwalk", "--db" },
		{ "foreign, read", foreign, STORE_READ, ERR_NOT_OURS, "another program", "--db" },
		{ "foreign, create", foreign, STORE_CREATE, ERR_NOT_OURS, "another", "--db" },
		{ "marked, create", foreign_marked, STORE_CREATE, ERR_NOT_OURS, "another", "--db" },
		{ "newer, read", newer, STORE_READ, ERR_NEWER, "99", "update peerwalk" },
		{ "newer, create", newer, STORE_CREATE, ERR_NEWER, "99", "update peerwalk" },
		{ "cut, read", cut, STORE_READ, ERR_CORRUPT, "damaged", ".recover" },
		{ "cut, create", cut, STORE_CREATE, ERR_CORRUPT, "damaged", ".recover" },
		{ "a folder", a_folder, STORE_CREATE, ERR_NOT_OURS, "folder", "--db" },
		{ "ours, read", ours, STORE_READ, ERR_OK, "", "" },
		{ "ours, write", ours, STORE_WRITE, ERR_OK, "", "" },
		{ "ours, create", ours, STORE_CREATE, ERR_OK, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct store *s = NULL;
		char why[640] = "";

		print_message("%s\n", rows[i].name);
		folder_remove(&folder);
		rmdir(folder.db);
		folder_remove(&folder);
		folder_make(&folder);
		rows[i].make();
		assert_int_equal(store_open(folder.db, rows[i].mode, &s, why, sizeof(why)),
				 rows[i].err);
		assert_true((s != NULL) == (rows[i].err == ERR_OK));
		if (rows[i].err != ERR_OK &&
		    (strstr(why, rows[i].says) == NULL || strstr(why, rows[i].remedy) == NULL))
			fail_msg("the sentence is: %s", why);
		store_close(s);
	}
	rmdir(folder.db);
}

/* Whoever mistypes --db must not find the other file changed. */
static void others_untouched(void **state)
{
	char before[8192], after[8192], why[640], log[200];
	struct store *s;
	ssize_t n;
	int fd;

	(void)state;
	foreign();
	fd = open(folder.db, O_RDONLY);
	n = read(fd, before, sizeof(before));
	assert_true(n > 0);
	assert_int_equal(store_open(folder.db, STORE_CREATE, &s, why, sizeof(why)), ERR_NOT_OURS);
	assert_int_equal(pread(fd, after, sizeof(after), 0), n);
	assert_memory_equal(before, after, (size_t)n);
	close(fd);
	snprintf(log, sizeof(log), "%s-wal", folder.db);
	assert_int_equal(access(log, F_OK), -1);
}

static void missing_folder(void **state)
{
	char path[256], why[640];
	struct store *s;

	(void)state;
	snprintf(path, sizeof(path), "%s/none/test.db", folder.path);
	assert_int_equal(store_open(path, STORE_CREATE, &s, why, sizeof(why)), ERR_NOT_FOUND);
	assert_null(s);
	assert_non_null(strstr(why, "mkdir"));
}

static void odd_names(void **state)
{
	static const char *const names[] = { ":memory:", "a?mode=ro", "file:x", "50%25#1", "ä ö" };
	char cwd[1024];

	(void)state;
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(folder.path), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		print_message("%s\n", names[i]);
		store_close(open_db(names[i], STORE_CREATE));
		assert_int_equal(access(names[i], F_OK), 0);
		store_close(open_db(names[i], STORE_READ));
	}
	assert_int_equal(chdir(cwd), 0);
}

static enum err pass(void *ctx, const struct store_visit *v)
{
	(void)v;
	++*(unsigned *)ctx;
	return ERR_OK;
}

static unsigned fill(struct store *s, const struct store_crawl *crawl, uint32_t from,
		     uint32_t count, enum err *err)
{
	unsigned done = 0;

	*err = store_begin(s);
	for (uint32_t i = 0; i < count && *err == ERR_OK; i++, done++) {
		struct record r = ok_record(netaddr_ipv4(from + i, 8333), slice_text("/x/"));

		*err = store_put_visit(s, crawl, &r);
	}
	if (*err == ERR_OK)
		*err = store_commit(s);
	return done;
}

static void damaged_inside(void **state)
{
	struct store_filter any = STORE_FILTER_ANY;
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "bitcoin");
	char garbage[4096];
	unsigned n = 0;
	struct stat st;
	enum err err;

	(void)state;
	fill(s, &crawl, 0, 5000, &err);
	assert_int_equal(err, ERR_OK);
	store_close(s);
	assert_int_equal(stat(folder.db, &st), 0);
	memset(garbage, 0xa5, sizeof(garbage));
	/* All but the schema, which stands in the first pages. */
	for (off_t at = 32 * 4096; at < st.st_size; at += 4096)
		write_file(folder.db, garbage, sizeof(garbage), at);
	s = open_db(folder.db, STORE_READ);
	assert_int_equal(store_visits(s, &any, pass, &n), ERR_CORRUPT);
	assert_non_null(strstr(store_why(s), ".recover"));
	store_close(s);
}

static void locked(void **state)
{
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "bitcoin");
	sqlite3 *other;
	enum err err;

	(void)state;
	sqlite3_busy_timeout(s->db, 30); /* the real one is too long for a test */
	assert_int_equal(sqlite3_open(folder.db, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	fill(s, &crawl, 0, 1, &err);
	assert_int_equal(err, ERR_BUSY);
	assert_non_null(strstr(store_why(s), "wait"));
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	fill(s, &crawl, 0, 1, &err);
	assert_int_equal(err, ERR_OK);
	sqlite3_close(other);
	store_close(s);
}

static unsigned committed(const char *path)
{
	struct store_filter any = STORE_FILTER_ANY;
	struct store *s = open_db(path, STORE_READ);
	unsigned n = 0;

	assert_int_equal(store_visits(s, &any, pass, &n), ERR_OK);
	store_close(s);
	return n;
}

/* Fills until there is no room; what was committed must stay, and nothing else. Runs in
 * children too, where an assertion would not end the program. */
static enum err fill_up(const char *path, int max_pages, unsigned *kept)
{
	struct store_crawl crawl = { .network = "bitcoin", .started_at_ms = 1 };
	char limit[64], why[640];
	struct store *s;
	enum err err = store_open(path, STORE_CREATE, &s, why, sizeof(why));

	*kept = 0;
	if (err != ERR_OK)
		return ERR_VALUE;
	snprintf(limit, sizeof(limit), "PRAGMA max_page_count = %d", max_pages);
	if (max_pages > 0 && sqlite3_exec(s->db, limit, NULL, NULL, NULL) != SQLITE_OK)
		err = ERR_VALUE;
	if (err == ERR_OK)
		err = store_crawl_begin(s, &crawl);
	for (uint32_t batch = 0; err == ERR_OK && batch < 1000; batch++) {
		unsigned done = fill(s, &crawl, batch * 1000, 1000, &err);

		*kept += err == ERR_OK ? done : 0;
	}
	if (strstr(store_why(s), "make room") == NULL)
		err = ERR_VALUE;
	store_close(s);
	return err;
}

static void out_of_pages(void **state)
{
	unsigned kept;

	(void)state;
	assert_int_equal(fill_up(folder.db, 300, &kept), ERR_DISK_FULL);
	assert_true(kept >= 1000);
	assert_int_equal(committed(folder.db), kept);
}

/* Runs fn in a child, which may change what it is allowed; 77: could not. */
static void in_child(void (*fn)(void))
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define CHECK(condition)                                                            \
	do {                                                                        \
		if (!(condition)) {                                                 \
			print_error("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			_exit(1);                                                   \
		}                                                                   \
	} while (0)

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* For those who are not root: be it in a namespace, under the same numbers. */
static bool own_user_namespace(void)
{
	char users[64], groups[64];

	snprintf(users, sizeof(users), "0 %d 1", (int)getuid());
	snprintf(groups, sizeof(groups), "0 %d 1", (int)getgid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	       write_text("/proc/self/uid_map", users) &&
	       write_text("/proc/self/setgroups", "deny") &&
	       write_text("/proc/self/gid_map", groups);
}

static void own_mounts(void)
{
	if (unshare(CLONE_NEWNS) != 0 && !own_user_namespace())
		_exit(77);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		_exit(77);
}

/* A file system of one megabyte in a mount namespace of its own. */
static void full_disk_child(void)
{
	struct store_filter any = STORE_FILTER_ANY;
	struct store *s;
	unsigned kept, n = 0;
	char why[640];

	own_mounts();
	if (mount("tmpfs", folder.path, "tmpfs", 0, "size=1m") != 0)
		_exit(77);
	CHECK(fill_up(folder.db, 0, &kept) == ERR_DISK_FULL);
	CHECK(kept >= 1000);
	CHECK(store_open(folder.db, STORE_READ, &s, why, sizeof(why)) == ERR_OK);
	CHECK(store_visits(s, &any, pass, &n) == ERR_OK);
	CHECK(n == kept);
	store_close(s);
}

static void full_disk(void **state)
{
	(void)state;
	in_child(full_disk_child);
}

/* Root may write everywhere: become nobody, who owns the folder. */
static void become_nobody(void)
{
	if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
		_exit(77);
}

static void read_only_file_child(void)
{
	struct store *s;
	char why[640];

	become_nobody();
	CHECK(store_open(folder.db, STORE_WRITE, &s, why, sizeof(why)) == ERR_READ_ONLY);
	CHECK(strstr(why, "permission") != NULL);
	CHECK(store_open(folder.db, STORE_CREATE, &s, why, sizeof(why)) == ERR_READ_ONLY);
	CHECK(store_open(folder.db, STORE_READ, &s, why, sizeof(why)) == ERR_OK);
	store_close(s);
}

static void read_only_file(void **state)
{
	(void)state;
	ours();
	assert_int_equal(chmod(folder.db, 0444), 0);
	assert_int_equal(chmod(folder.path, 0777), 0);
	in_child(read_only_file_child);
}

static void only_read(void)
{
	struct store *s;
	char why[640], path[256];

	CHECK(store_open(folder.db, STORE_WRITE, &s, why, sizeof(why)) == ERR_READ_ONLY);
	CHECK(strstr(why, "folder") != NULL);
	snprintf(path, sizeof(path), "%s/new.db", folder.path);
	CHECK(store_open(path, STORE_CREATE, &s, why, sizeof(why)) == ERR_READ_ONLY);
	/* A database at rest can be read all the same. */
	CHECK(store_open(folder.db, STORE_READ, &s, why, sizeof(why)) == ERR_OK);
	CHECK(store_crawl_get(s, 0, NULL, &(struct store_crawl){ 0 }) == ERR_NOT_FOUND);
	store_close(s);
}

static void read_only_folder_child(void)
{
	become_nobody();
	only_read();
}

/* There SQLite has another answer. */
static void read_only_file_system_child(void)
{
	own_mounts();
	if (mount(folder.path, folder.path, NULL, MS_BIND, NULL) != 0 ||
	    mount(NULL, folder.path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0)
		_exit(77);
	only_read();
}

static void read_only_file_system(void **state)
{
	(void)state;
	ours();
	in_child(read_only_file_system_child);
}

static void read_only_folder(void **state)
{
	(void)state;
	ours();
	assert_int_equal(chmod(folder.db, 0666), 0);
	assert_int_equal(chmod(folder.path, 0555), 0);
	in_child(read_only_folder_child);
}

/* Many start at once on a file that isn't there: one makes it, all can use it. */
static void made_by_many(void **state)
{
	enum { MANY = 8 };
	pid_t pids[MANY];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			struct store_crawl crawl = { .network = "bitcoin" };
			struct store *s;
			char why[640];

			if (store_open(folder.db, STORE_CREATE, &s, why, sizeof(why)) != ERR_OK) {
				print_error("%s\n", why);
				_exit(1);
			}
			CHECK(store_crawl_begin(s, &crawl) == ERR_OK);
			store_close(s);
			_exit(0);
		}
	}
	for (int i = 0; i < MANY; i++) {
		int status = 1;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

/* SQLite's codes, for what can't be brought about here. */
static void codes(void **state)
{
	static const struct {
		const char *name;
		int rc, sys_errno;
		enum err err;
	} rows[] = {
		{ "busy", SQLITE_BUSY_SNAPSHOT, 0, ERR_BUSY },
		{ "full", SQLITE_FULL, ENOSPC, ERR_DISK_FULL },
		{ "quota", SQLITE_IOERR_WRITE, EDQUOT, ERR_DISK_FULL },
		{ "no room for shared memory", SQLITE_IOERR_SHMSIZE, ENOSPC, ERR_DISK_FULL },
		{ "bad disk", SQLITE_IOERR_FSYNC, EIO, ERR_IO },
		{ "no memory inside I/O", SQLITE_IOERR_NOMEM, 0, ERR_NOMEM },
		{ "no memory", SQLITE_NOMEM, 0, ERR_NOMEM },
		{ "read-only file system", SQLITE_CANTOPEN, EROFS, ERR_READ_ONLY },
		{ "too many files", SQLITE_CANTOPEN, EMFILE, ERR_IO },
		{ "read-only", SQLITE_READONLY_DIRECTORY, 0, ERR_READ_ONLY },
		{ "a missing column", SQLITE_ERROR, 0, ERR_CORRUPT },
		{ "a value of gigabytes", SQLITE_TOOBIG, 0, ERR_CORRUPT },
		{ "fine", SQLITE_DONE, 0, ERR_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(db_err(rows[i].rc, rows[i].sys_errno), rows[i].err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opening, folder_set_up, tear_down),
		cmocka_unit_test_setup_teardown(others_untouched, folder_set_up, tear_down),
		cmocka_unit_test_setup_teardown(missing_folder, folder_set_up, tear_down),
		cmocka_unit_test_setup_teardown(odd_names, folder_set_up, tear_down),
		cmocka_unit_test_setup_teardown(damaged_inside, folder_set_up, tear_down),
		cmocka_unit_test_setup_teardown(locked, folder_set_up, tear_down),
		cmocka_unit_test_setup_teardown(out_of_pages, folder_set_up, tear_down),
		cmocka_unit_test_setup_teardown(full_disk, folder_set_up, tear_down),
		cmocka_unit_test_setup_teardown(read_only_file, folder_set_up, tear_down),
		cmocka_unit_test_setup_teardown(read_only_folder, folder_set_up, tear_down),
		cmocka_unit_test_setup_teardown(read_only_file_system, folder_set_up, tear_down),
		cmocka_unit_test_setup_teardown(made_by_many, folder_set_up, tear_down),
		cmocka_unit_test(codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
