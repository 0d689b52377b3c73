#include "store/db.h"

#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum err db_err(int rc, int sys_errno)
{
	bool no_room = sys_errno == ENOSPC || sys_errno == EDQUOT;

	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return ERR_OK;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return ERR_BUSY;
	case SQLITE_FULL:
		return ERR_DISK_FULL;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return ERR_READ_ONLY;
	case SQLITE_CANTOPEN:
		if (sys_errno == EACCES || sys_errno == EPERM || sys_errno == EROFS)
			return ERR_READ_ONLY;
		if (sys_errno == ENOENT || sys_errno == ENOTDIR)
			return ERR_NOT_FOUND;
		return no_room ? ERR_DISK_FULL : ERR_IO;
	case SQLITE_IOERR:
		if (rc == SQLITE_IOERR_NOMEM)
			return ERR_NOMEM;
		return no_room ? ERR_DISK_FULL : ERR_IO;
	case SQLITE_NOTADB:
		return ERR_NOT_OURS;
	case SQLITE_NOMEM:
		return ERR_NOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_ERROR: /* a table or column that is not there */
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
	case SQLITE_TOOBIG: /* guard.c */
		return ERR_CORRUPT;
	}
	return ERR_IO;
}

/* What to do about it. */
static const char *remedy(enum err err)
{
	switch (err) {
	case ERR_DISK_FULL:
		return "what was committed is kept: make room on that disk, then go on";
	case ERR_READ_ONLY:
		return "give yourself write permission on the file and on its folder, or name "
		       "another file with --db";
	case ERR_NOT_OURS:
		return "it was left as it is: name another file with --db";
	case ERR_NEWER:
		return "update peerwalk, or name another file with --db";
	case ERR_CORRUPT:
		return "save what can be read with `sqlite3 FILE .recover`, and start a new file "
		       "with --db";
	case ERR_BUSY:
		return "wait for the other process to end, or name another file with --db";
	case ERR_NOT_FOUND:
		return "make one with `peerwalk crawl`, or name another with --db";
	case ERR_NOMEM:
		return "end other programs, or give this one more memory";
	case ERR_IO:
		return "look at the disk and its file system (dmesg tells more); what was "
		       "committed is kept";
	case ERR_OK:
	case ERR_VALUE:
	case ERR_SHORT:
	case ERR_TRAILING:
	case ERR_NONCANONICAL:
	case ERR_LIMIT:
	case ERR_MAGIC:
	case ERR_CHECKSUM:
	case ERR_SYNTAX:
	case ERR_FULL:
		break;
	}
	return "this should not happen: please report it";
}

void db_explain(enum err err, const char *path, const char *detail, char *why, size_t why_cap)
{
	if (why_cap == 0)
		return;
	snprintf(why, why_cap, "%s: %s%s%s%s; %s", path, err_text(err), detail != NULL ? " (" : "",
		 detail != NULL ? detail : "", detail != NULL ? ")" : "", remedy(err));
}

enum err db_fail_as(struct store *s, enum err err, const char *detail)
{
	db_explain(err, s->path, detail, s->why, sizeof(s->why));
	return err;
}

enum err db_fail(struct store *s)
{
	int rc = sqlite3_extended_errcode(s->db);
	enum err err = db_err(rc, sqlite3_system_errno(s->db));

	/* Misuse of the interface is a fault of our own. */
	assert((rc & 0xff) != SQLITE_MISUSE && (rc & 0xff) != SQLITE_RANGE);
	if (err == ERR_OK)
		err = ERR_IO;
	return db_fail_as(s, err, sqlite3_errmsg(s->db));
}

sqlite3_stmt *db_use(struct store *s, enum sql sql)
{
	sqlite3_stmt **st = &s->stmts[sql];

	if (*st == NULL && sqlite3_prepare_v3(s->db, sql_text(sql), -1, SQLITE_PREPARE_PERSISTENT,
					      st, NULL) != SQLITE_OK) {
		db_fail(s);
		return NULL;
	}
	return *st;
}

void db_done(sqlite3_stmt *st)
{
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

enum err db_run(struct store *s, sqlite3_stmt *st)
{
	enum err err = ERR_OK;

	if (sqlite3_step(st) != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

enum err db_ask(struct store *s, sqlite3_stmt *st, int64_t none, int64_t *out)
{
	enum err err = ERR_OK;
	int rc;

	*out = none;
	if (st == NULL)
		return db_fail(s);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	else if (rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

enum err db_do(struct store *s, enum sql sql)
{
	sqlite3_stmt *st = db_use(s, sql);

	return st != NULL ? db_run(s, st) : db_fail(s);
}

uint64_t db_clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

bool db_may_try(struct store *s, int tries)
{
	static const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	uint64_t now_ms = db_clock_ms();

	if (tries == 0) {
		s->waits_since_ms = now_ms;
		s->wait_told = false;
	}
	if (now_ms - s->waits_since_ms >= STORE_TELL_MS && !s->wait_told) {
		s->wait_told = true;
		if (s->waiter.fn != NULL)
			s->waiter.fn(s->waiter.ctx);
	}
	if (now_ms - s->waits_since_ms >= (uint64_t)s->patience_ms)
		return false;
	nanosleep(&pause, NULL);
	return true;
}

/* SQLite asks whether to try once more. */
static int on_busy(void *ctx, int tries)
{
	return db_may_try(ctx, tries);
}

void db_wait(struct store *s, int patience_ms)
{
	s->patience_ms = patience_ms;
	sqlite3_busy_handler(s->db, on_busy, s);
}

enum err db_begin(struct store *s, enum sql sql)
{
	return db_use(s, SQL_ROLLBACK) != NULL ? db_do(s, sql) : db_fail(s);
}

void db_undo(struct store *s)
{
	sqlite3_stmt *st = s->stmts[SQL_ROLLBACK];

	if (sqlite3_get_autocommit(s->db) || st == NULL)
		return;
	sqlite3_step(st);
	db_done(st);
}

enum err db_script(struct store *s, const char *script)
{
	return sqlite3_exec(s->db, script, NULL, NULL, NULL) == SQLITE_OK ? ERR_OK : db_fail(s);
}

bool db_is_text(struct slice s)
{
	size_t i = 0;

	while (i < s.len) {
		uint8_t c = s.data[i++];
		unsigned more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		uint8_t low = 0x80, high = 0xbf;

		if (c == 0 || (c >= 0x80 && c < 0xc2) || c > 0xf4)
			return false;
		if (c == 0xe0)
			low = 0xa0; /* no overlong forms */
		else if (c == 0xed)
			high = 0x9f; /* no surrogates */
		else if (c == 0xf0)
			low = 0x90;
		else if (c == 0xf4)
			high = 0x8f; /* nothing beyond U+10FFFF */
		for (; more > 0; more--) {
			if (i == s.len || s.data[i] < low || s.data[i] > high)
				return false;
			low = 0x80;
			high = 0xbf;
			i++;
		}
	}
	return true;
}

void db_bind_text(sqlite3_stmt *st, int at, struct slice s)
{
	/* A NULL pointer would mean SQL's NULL, which is "not said". */
	sqlite3_bind_text(st, at, s.len > 0 ? (const char *)s.data : "", (int)s.len, SQLITE_STATIC);
}

void db_bind_bytes(sqlite3_stmt *st, int at, struct slice s)
{
	if (db_is_text(s))
		db_bind_text(st, at, s);
	else
		sqlite3_bind_blob(st, at, s.data, (int)s.len, SQLITE_STATIC);
}

void db_bind_hex(sqlite3_stmt *st, int at, struct slice s, char *out)
{
	s.len = s.len < PEER_NODE_ID_MAX ? s.len : PEER_NODE_ID_MAX;
	hex_encode(s, out);
	sqlite3_bind_text(st, at, out, (int)(2 * s.len), SQLITE_STATIC);
}

struct slice db_column(sqlite3_stmt *st, int at)
{
	/* The pointer first: it may convert, and the length is that of the result. */
	const void *data = sqlite3_column_blob(st, at);

	return slice_of(data, (size_t)sqlite3_column_bytes(st, at));
}

static bool is_of_name(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '-' && c <= ':') ||
	       c == '_';
}

const char *db_column_name(sqlite3_stmt *st, int at)
{
	const unsigned char *text = sqlite3_column_text(st, at), *c = text;

	while (text != NULL && is_of_name(*c))
		c++;
	return text != NULL && *c == '\0' ? (const char *)text : "";
}

const char *db_column_words(sqlite3_stmt *st, int at)
{
	const unsigned char *text = sqlite3_column_text(st, at), *c = text;

	while (text != NULL && *c >= ' ' && *c <= '~')
		c++;
	return text != NULL && *c == '\0' ? (const char *)text : NULL;
}

int64_t db_column_ms(sqlite3_stmt *st, int at)
{
	static const int64_t most = 253402300799999;
	int64_t ms = sqlite3_column_int64(st, at);

	return ms < 0 ? 0 : ms < most ? ms : most;
}

size_t db_key(const struct netaddr *addr, struct slice node_id, uint8_t out[static DB_KEY_MAX])
{
	size_t len = netaddr_key(addr, out);

	assert(node_id.len <= PEER_NODE_ID_MAX);
	if (node_id.len > 0)
		memcpy(out + len, node_id.data, node_id.len);
	return len + node_id.len;
}

struct advert db_key_peer(struct slice key)
{
	struct advert peer = { 0 };
	struct netaddr *a = &peer.addr;
	size_t len = key.len > 0 ? netaddr_len(key.data[0]) : 0;

	if (len == 0 || key.len < len + 3 || key.len > len + 3 + PEER_NODE_ID_MAX)
		return peer;
	a->kind = key.data[0];
	memcpy(a->bytes, key.data + 1, len);
	a->port = (uint16_t)(key.data[1 + len] << 8 | key.data[2 + len]);
	peer.node_id = slice_from(key, len + 3);
	return peer;
}

/* 0 in *id: there is none. */
static enum err find_network(struct store *s, const char *name, int64_t *id)
{
	sqlite3_stmt *st = db_use(s, SQL_NETWORK_FIND);

	if (st != NULL)
		db_bind_text(st, 1, slice_text(name));
	return db_ask(s, st, 0, id);
}

static enum err add_network(struct store *s, const char *name)
{
	sqlite3_stmt *st = db_use(s, SQL_NETWORK_ADD);

	if (st == NULL)
		return db_fail(s);
	db_bind_text(st, 1, slice_text(name));
	return db_run(s, st);
}

enum err db_network(struct store *s, const char *name, bool add, int64_t *id)
{
	enum err err;

	*id = s->network_id;
	if (s->network_id != 0 && strcmp(s->network, name) == 0)
		return ERR_OK;
	err = find_network(s, name, id);
	if (err == ERR_OK && *id == 0 && add) {
		/* Found again and not taken from SQLite: another process may have been
		 * quicker, and then ours was left out. */
		err = add_network(s, name);
		if (err == ERR_OK)
			err = find_network(s, name, id);
	}
	if (err == ERR_OK && *id == 0)
		return ERR_NOT_FOUND;
	if (err != ERR_OK)
		return err;
	snprintf(s->network, sizeof(s->network), "%s", name);
	s->network_id = *id;
	return ERR_OK;
}
