/* node.c: what visits learn of nodes of discovery, in its two tables. */
#include "store/rows.h"

#include <string.h>

/* Of a key, to look it up: nobody finds many keys that begin with the same 8 bytes. */
enum { KEY_START = 8 };

static void bind_word(sqlite3_stmt *st, int at, const char *word)
{
	if (word != NULL)
		db_bind_text(st, at, slice_text(word));
}

/* ?3 .. ?16 of both statements: what a later visit that says less leaves standing. */
static void bind_said(sqlite3_stmt *st, const struct node_info *node)
{
	const struct peer_chain *chain = &node->chain;

	if (node->completeness != NULL) {
		bind_word(st, 3, node->completeness);
		sqlite3_bind_int64(st, 4, node->findnodes);
		sqlite3_bind_int64(st, 5, node->entries);
	}
	if (node->record.len > 0)
		db_bind_text(st, 6, node->record);
	if (node->has_record_seq)
		sqlite3_bind_int64(st, 7, (int64_t)node->record_seq);
	bind_word(st, 8, node->session);
	bind_word(st, 9, node->session_rule);
	if (node->has_hello) {
		db_bind_bytes(st, 10, node->capabilities);
		sqlite3_bind_int(st, 11, node->listen_port);
	}
	if (chain->has_fork) {
		sqlite3_bind_blob(st, 12, chain->fork_hash, sizeof(chain->fork_hash),
				  SQLITE_STATIC);
		sqlite3_bind_int64(st, 13, (int64_t)chain->fork_next);
	}
	if (chain->has_status) {
		sqlite3_bind_int64(st, 14, (int64_t)chain->network_id);
		sqlite3_bind_blob(st, 15, chain->genesis, sizeof(chain->genesis), SQLITE_STATIC);
		sqlite3_bind_blob(st, 16, chain->head, sizeof(chain->head), SQLITE_STATIC);
	}
}

static enum err put_visit(struct store *s, const struct store_crawl *crawl, int64_t peer,
			  const struct node_info *node)
{
	sqlite3_stmt *st = db_use(s, SQL_NODE_VISIT_PUT);

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, crawl->id);
	sqlite3_bind_int64(st, 2, peer);
	bind_said(st, node);
	if (node->tcp_port != 0)
		sqlite3_bind_int(st, 17, node->tcp_port);
	if (node->faults.len > 0)
		db_bind_text(st, 18, node->faults);
	return db_run(s, st);
}

static enum err put_newest(struct store *s, int64_t peer, const struct record *record)
{
	sqlite3_stmt *st = db_use(s, SQL_NODE_PUT);
	struct slice key = record->info.node_id;
	char key_start[2 * PEER_NODE_ID_MAX + 1];

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, record->started_at_ms);
	sqlite3_bind_int64(st, 2, peer);
	bind_said(st, record->node);
	if (key.len > KEY_START)
		key.len = KEY_START;
	db_bind_hex(st, 17, key, key_start);
	return db_run(s, st);
}

enum err node_put(struct store *s, const struct store_crawl *crawl, int64_t peer,
		  const struct record *record)
{
	enum err err = put_visit(s, crawl, peer, record->node);

	/* Most of those that are named are gone: they need no row that says nothing. */
	return err == ERR_OK && record->reached ? put_newest(s, peer, record) : err;
}

/* False unless it has exactly that length: another program may have written it. */
static bool read_bytes(sqlite3_stmt *st, int at, uint8_t *out, size_t len)
{
	struct slice bytes = db_column(st, at);

	if (bytes.len != len)
		return false;
	memcpy(out, bytes.data, len);
	return true;
}

static void read_chain(sqlite3_stmt *st, int at, struct peer_chain *out)
{
	out->has_fork = read_bytes(st, at, out->fork_hash, sizeof(out->fork_hash));
	if (out->has_fork)
		out->fork_next = (uint64_t)sqlite3_column_int64(st, at + 1);
	out->has_status = row_is_set(st, at + 2) &&
			  read_bytes(st, at + 3, out->genesis, sizeof(out->genesis)) &&
			  read_bytes(st, at + 4, out->head, sizeof(out->head));
	if (out->has_status)
		out->network_id = (uint64_t)sqlite3_column_int64(st, at + 2);
}

bool node_read(sqlite3_stmt *st, int at, struct node_info *out)
{
	*out = (struct node_info){ .tcp_port = (uint16_t)sqlite3_column_int(st, at) };
	if (!row_is_set(st, at + 2))
		return false;
	out->faults = db_column(st, at + 1);
	out->completeness = db_column_words(st, at + 3);
	if (out->completeness != NULL) {
		out->findnodes = (uint32_t)sqlite3_column_int64(st, at + 4);
		out->entries = (uint32_t)sqlite3_column_int64(st, at + 5);
	}
	out->record = db_column(st, at + 6);
	out->has_record_seq = row_is_set(st, at + 7);
	out->record_seq = (uint64_t)sqlite3_column_int64(st, at + 7);
	out->session = db_column_words(st, at + 8);
	out->session_rule = db_column_words(st, at + 9);
	out->has_hello = row_is_set(st, at + 10);
	if (out->has_hello) {
		out->capabilities = db_column(st, at + 10);
		out->listen_port = (uint16_t)sqlite3_column_int(st, at + 11);
	}
	read_chain(st, at + 12, &out->chain);
	return true;
}
