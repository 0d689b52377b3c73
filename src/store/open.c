#include "store/feed.h"
#include "store/guard.h"
#include "store/put.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	/* Pages that a batch touches stay in memory: 64 MiB hold the index of a million
	 * peers. Readers go through the file once, in order. */
	WRITER_CACHE_KIB = 64 * 1024,
	READER_CACHE_KIB = 16 * 1024,
	/* Pages in the write-ahead log before they move to the file (4 KiB each): large
	 * batches write a page once, small crawls never wait for it. */
	CHECKPOINT_PAGES = 16 * 1024,
	/* The log is cut to this after a checkpoint, so that it doesn't stay at its peak. */
	LOG_LIMIT_BYTES = 64 << 20,
};

static enum err pragma_get(struct store *s, const char *sql, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	enum err err = ERR_OK;

	*out = 0;
	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK)
		return db_fail(s);
	if (sqlite3_step(st) == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	else
		err = db_fail(s);
	sqlite3_finalize(st);
	return err;
}

/* Whose file this is, and of which version; 0: an empty one. Also whether all of it is ours. Inside
 * a transaction: the parts must be of one moment. */
static enum err schema_read(struct store *s, int64_t *version)
{
	int64_t application = 0, objects = 0;
	enum err err = pragma_get(s, "PRAGMA application_id", &application);

	*version = 0;
	if (err == ERR_OK)
		err = pragma_get(s, "PRAGMA user_version", version);
	if (err == ERR_OK)
		err = pragma_get(s, "SELECT count(*) FROM sqlite_schema", &objects);
	if (err != ERR_OK)
		return err;
	if (application == 0 && *version == 0 && objects == 0)
		return ERR_OK;
	if (application != SQL_APPLICATION_ID || *version < 1)
		return db_fail_as(s, ERR_NOT_OURS, "it belongs to another program");
	if (*version > STORE_SCHEMA) {
		char detail[64];

		snprintf(detail, sizeof(detail), "its schema is %lld, ours is %d",
			 (long long)*version, STORE_SCHEMA);
		return db_fail_as(s, ERR_NEWER, detail);
	}
	return guard_schema(s, *version == STORE_SCHEMA);
}

static enum err schema_get(struct store *s, int64_t *version)
{
	enum err err = db_begin(s, SQL_BEGIN_READ);

	*version = 0;
	if (err == ERR_OK)
		err = schema_read(s, version);
	db_undo(s);
	return err;
}

/* Fills the tables that name our numbers, for people who query by hand. Takes part in
 * the caller's transaction. */
static enum err put_names(struct store *s)
{
	sqlite3_stmt *st = db_use(s, SQL_OUTCOME_ADD);
	enum err err = st != NULL ? ERR_OK : db_fail(s);

	for (unsigned i = 0; i < OUTCOME_COUNT && err == ERR_OK; i++) {
		sqlite3_bind_int(st, 1, (int)i);
		db_bind_text(st, 2, slice_text(outcome_name((enum outcome)i)));
		db_bind_text(st, 3, slice_text(outcome_text((enum outcome)i)));
		err = db_run(s, st);
	}
	st = err == ERR_OK ? db_use(s, SQL_KIND_ADD) : NULL;
	if (err == ERR_OK && st == NULL)
		return db_fail(s);
	for (unsigned i = NETADDR_NONE; i <= NETADDR_CJDNS && err == ERR_OK; i++) {
		sqlite3_bind_int(st, 1, (int)i);
		db_bind_text(st, 2, slice_text(netaddr_kind_name(i)));
		err = db_run(s, st);
	}
	return err;
}

static enum err set_version(struct store *s, int64_t version)
{
	char script[128];

	snprintf(script, sizeof(script), "PRAGMA application_id = %d; PRAGMA user_version = %lld",
		 SQL_APPLICATION_ID, (long long)version);
	return db_script(s, script);
}

/* Brings the schema up to date: all steps or none. The version is read again inside
 * the transaction, as another process may have been quicker. */
static enum err migrate(struct store *s)
{
	int64_t version = 0;
	enum err err = db_begin(s, SQL_BEGIN);

	if (err != ERR_OK)
		return err;
	err = schema_read(s, &version);
	if (err == ERR_OK && version < STORE_SCHEMA) {
		for (int64_t i = version; i < STORE_SCHEMA && err == ERR_OK; i++)
			err = db_script(s, sql_steps[i]);
		if (err == ERR_OK)
			err = guard_schema(s, true);
		if (err == ERR_OK)
			err = set_version(s, STORE_SCHEMA);
	}
	if (err == ERR_OK)
		err = put_names(s);
	if (err == ERR_OK)
		err = db_do(s, SQL_COMMIT);
	if (err != ERR_OK)
		db_undo(s);
	return err;
}

/* WAL lets readers work while a crawl writes. A file system without shared memory keeps
 * the rollback journal, which is as safe, only slower.
 *
 * In WAL mode kill -9 alone would be survived without syncing; a power cut would take
 * all that came after the last checkpoint. FULL syncs at each commit: the writer has a
 * few a second, which costs nothing that could be measured. */
static enum err set_journal(struct store *s)
{
	static const char script[] = "PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL";
	enum err err;

	/* While two processes make the same file, SQLite gives up at once instead of
	 * waiting: it could be a deadlock. It is none here, as we hold nothing. */
	sqlite3_busy_timeout(s->db, 0);
	err = db_script(s, script);
	for (int tries = 0; err == ERR_BUSY && db_may_try(s, tries); tries++)
		err = db_script(s, script);
	db_wait(s, STORE_BUSY_MS);
	return err;
}

static enum err set_limits(struct store *s)
{
	char script[256];

	snprintf(script, sizeof(script),
		 "PRAGMA cache_size = -%d; PRAGMA wal_autocheckpoint = %d;"
		 "PRAGMA journal_size_limit = %d; PRAGMA temp_store = MEMORY",
		 s->mode == STORE_READ ? READER_CACHE_KIB : WRITER_CACHE_KIB, CHECKPOINT_PAGES,
		 LOG_LIMIT_BYTES);
	return db_script(s, script);
}

static void close_file(struct store *s)
{
	for (unsigned i = 0; i < SQL_COUNT; i++) {
		sqlite3_finalize(s->stmts[i]);
		s->stmts[i] = NULL;
	}
	sqlite3_close(s->db);
	s->db = NULL;
}

/* An older database, of which nothing may be written: a copy of it in a file that SQLite removes
 * is brought up to date instead, and read. */
static enum err read_copy(struct store *s)
{
	sqlite3 *copy = NULL;
	sqlite3_backup *backup = NULL;
	enum err err;

	if (sqlite3_open_v2("", &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
	    SQLITE_OK)
		backup = sqlite3_backup_init(copy, "main", s->db, "main");
	if (backup != NULL) {
		sqlite3_backup_step(backup, -1);
		sqlite3_backup_finish(backup); /* with the error of the step */
	}
	close_file(s);
	s->db = copy;
	s->is_copy = true;
	if (copy == NULL)
		return db_fail_as(s, ERR_NOMEM, NULL);
	sqlite3_extended_result_codes(copy, 1);
	err = sqlite3_errcode(copy) == SQLITE_OK ? guard_open(s) : db_fail(s);
	if (err == ERR_OK)
		err = set_limits(s);
	if (err == ERR_OK)
		err = feed_open(s);
	if (err == ERR_OK)
		err = migrate(s);
	if (err == ERR_DISK_FULL)
		return db_fail_as(s, err, "a copy of it, as it is older, has no room in TMPDIR");
	return err;
}

static enum err prepare_file(struct store *s)
{
	int64_t version = 0;
	enum err err = schema_get(s, &version);

	if (err != ERR_OK)
		return err;
	if (s->mode == STORE_READ) {
		if (version == 0)
			return db_fail_as(s, ERR_NOT_OURS, "it is empty");
		if (version < STORE_SCHEMA)
			return read_copy(s);
		return set_limits(s);
	}
	if (version == 0 && s->mode == STORE_WRITE)
		return db_fail_as(s, ERR_NOT_OURS, "it is empty");
	if (sqlite3_db_readonly(s->db, "main") == 1)
		return db_fail_as(s, ERR_READ_ONLY, NULL);
	err = set_journal(s);
	if (err == ERR_OK)
		err = set_limits(s);
	/* Also finds out now, not an hour later, whether the file can be written. */
	return err == ERR_OK ? migrate(s) : err;
}

static enum err open_file(struct store *s, const char *name, int flags)
{
	enum err err;

	/* One thread at a time uses a store: SQLite's own lock is not needed. */
	if (sqlite3_open_v2(name, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		if (s->db == NULL)
			return db_fail_as(s, ERR_NOMEM, NULL);
		return db_fail(s);
	}
	sqlite3_extended_result_codes(s->db, 1);
	db_wait(s, STORE_BUSY_MS);
	err = guard_open(s);
	if (err == ERR_OK)
		err = feed_open(s);
	if (err == ERR_OK)
		err = prepare_file(s);
	s->patience_ms = s->mode == STORE_READ ? STORE_BUSY_MS : STORE_PATIENCE_MS;
	return err;
}

/* A database in a folder that can't be written, at rest: SQLite can't make the shared
 * memory that WAL needs, and nobody is writing. Read it as something that never changes. */
static enum err open_at_rest(struct store *s)
{
	size_t len = strlen(s->path), cap = 3 * len + 32, n;
	char *uri = malloc(cap), *log = malloc(len + 5);
	struct stat st;
	enum err err = ERR_READ_ONLY;

	if (uri == NULL || log == NULL) {
		err = db_fail_as(s, ERR_NOMEM, NULL);
		goto out;
	}
	snprintf(log, len + 5, "%s-wal", s->path);
	if (stat(log, &st) == 0 && st.st_size > 0)
		goto out; /* the log holds what the file lacks */
	n = (size_t)snprintf(uri, cap, "file:%s", s->path[0] == '/' ? "" : "./");
	for (const char *p = s->path; *p != 0; p++) {
		bool plain = strchr("%?#", *p) == NULL;

		n += (size_t)snprintf(uri + n, cap - n, plain ? "%c" : "%%%02x", (unsigned char)*p);
	}
	snprintf(uri + n, cap - n, "?immutable=1");
	close_file(s);
	err = open_file(s, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
out:
	free(uri);
	free(log);
	return err;
}

/* Whether a new file can be made there: SQLite's own answer names no reason. */
static enum err check_folder(struct store *s)
{
	const char *slash = strrchr(s->path, '/');
	char *folder = slash == NULL      ? strdup(".")
		       : slash == s->path ? strdup("/")
					  : strndup(s->path, (size_t)(slash - s->path));
	enum err err = ERR_OK;

	if (folder == NULL)
		return db_fail_as(s, ERR_NOMEM, NULL);
	if (access(folder, W_OK | X_OK) != 0)
		err = db_fail_as(s, db_err(SQLITE_CANTOPEN, errno), strerror(errno));
	if (err == ERR_NOT_FOUND)
		snprintf(s->why, sizeof(s->why),
			 "%s: its folder is missing; make it with `mkdir -p %s`, or name another "
			 "file with --db",
			 s->path, folder);
	free(folder);
	return err;
}

static enum err open_path(struct store *s)
{
	struct stat st;
	int flags = SQLITE_OPEN_READONLY;
	bool exists = stat(s->path, &st) == 0;
	enum err err;

	if (s->path[0] == '\0') { /* to SQLite a file that is gone when it is closed */
		snprintf(s->why, sizeof(s->why),
			 "the database has an empty name; name a file with --db");
		return ERR_NOT_FOUND;
	}
	if (exists) {
		if (S_ISDIR(st.st_mode))
			return db_fail_as(s, ERR_NOT_OURS, "it is a folder");
	} else if (errno != ENOENT || s->mode != STORE_CREATE) {
		return db_fail_as(s, db_err(SQLITE_CANTOPEN, errno), strerror(errno));
	} else {
		err = check_folder(s);
		if (err != ERR_OK)
			return err;
	}
	if (s->mode != STORE_READ)
		flags = SQLITE_OPEN_READWRITE;
	if (s->mode == STORE_CREATE)
		flags |= SQLITE_OPEN_CREATE;
	err = open_file(s, s->path, flags);
	/* What SQLite didn't find is a log, which it would have made elsewhere. */
	if (err == ERR_NOT_FOUND && exists && access(s->path, W_OK) != 0 && errno == EROFS)
		err = db_fail_as(s, ERR_READ_ONLY, strerror(EROFS));
	if (s->mode == STORE_READ && err == ERR_READ_ONLY)
		err = open_at_rest(s);
	return err;
}

enum err store_open(const char *path, enum store_mode mode, struct store **out, char *why,
		    size_t why_cap)
{
	return store_open_waiting(path, mode, (struct store_waiter){ NULL, NULL }, out, why,
				  why_cap);
}

enum err store_open_waiting(const char *path, enum store_mode mode, struct store_waiter waiter,
			    struct store **out, char *why, size_t why_cap)
{
	struct store *s = calloc(1, sizeof(*s));
	/* SQLite takes ":memory:" and "file:..." for something else than a file's name. */
	const char *prefix = path[0] == ':' || strncmp(path, "file:", 5) == 0 ? "./" : "";
	enum err err;

	*out = NULL;
	if (s != NULL)
		s->path = malloc(strlen(prefix) + strlen(path) + 1);
	if (s == NULL || s->path == NULL) {
		free(s);
		db_explain(ERR_NOMEM, path, NULL, why, why_cap);
		return ERR_NOMEM;
	}
	strcpy(strcpy(s->path, prefix) + strlen(prefix), path);
	s->mode = mode;
	s->waiter = waiter;
	s->hold_fd = -1;
	err = open_path(s);
	if (err != ERR_OK) {
		if (why_cap > 0)
			snprintf(why, why_cap, "%s", s->why);
		store_close(s);
		return err;
	}
	*out = s;
	return ERR_OK;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	put_free(s);
	close_file(s);
	db_release(s);
	free(s->path);
	free(s);
}
