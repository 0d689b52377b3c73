#include "store/store.h"

#include "store/db.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *store_why(const struct store *s)
{
	return s->why;
}

/* What was learnt inside the transaction is no longer so. */
static void rollback(struct store *s)
{
	db_undo(s);
	s->in_batch = false;
	s->network_id = 0;
	s->from_id = 0;
}

enum err store_begin(struct store *s)
{
	enum err err;

	assert(!s->in_batch);
	err = db_begin(s, SQL_BEGIN);
	s->in_batch = err == ERR_OK;
	return err;
}

enum err store_commit(struct store *s)
{
	enum err err;

	/* A failure inside the batch has ended it: there is nothing left to commit. */
	if (!s->in_batch)
		return db_fail_as(s, ERR_IO, "the batch had failed before");
	err = db_do(s, SQL_COMMIT);
	if (err != ERR_OK)
		rollback(s);
	s->in_batch = false;
	return err;
}

enum err db_ended(struct store *s, enum err err)
{
	if (err != ERR_OK && s->in_batch)
		rollback(s);
	return err;
}

enum err store_crawl_begin(struct store *s, struct store_crawl *crawl)
{
	int64_t network_id = 0;
	enum err err = db_network(s, crawl->network, true, &network_id);
	sqlite3_stmt *st;

	if (err != ERR_OK)
		return db_ended(s, err);
	st = db_use(s, SQL_CRAWL_ADD);
	if (st == NULL)
		return db_ended(s, db_fail(s));
	sqlite3_bind_int64(st, 1, network_id);
	sqlite3_bind_int64(st, 2, crawl->started_at_ms);
	db_bind_text(st, 3, slice_text(crawl->settings));
	sqlite3_bind_int64(st, 4, (int64_t)crawl->every_ms);
	err = db_run(s, st);
	if (err == ERR_OK)
		crawl->id = sqlite3_last_insert_rowid(s->db);
	if (err == ERR_OK)
		err = db_hold_crawl(s, crawl->id);
	return db_ended(s, err);
}

enum err store_crawl_end(struct store *s, const struct store_crawl *crawl)
{
	sqlite3_stmt *st = db_use(s, SQL_CRAWL_END);
	enum err err;

	if (st == NULL)
		return db_ended(s, db_fail(s));
	sqlite3_bind_int64(st, 1, crawl->id);
	sqlite3_bind_int64(st, 2, crawl->ended_at_ms);
	sqlite3_bind_int(st, 3, crawl->complete);
	sqlite3_bind_int64(st, 4, (int64_t)crawl->known);
	sqlite3_bind_int64(st, 5, (int64_t)crawl->visited);
	sqlite3_bind_int64(st, 6, (int64_t)crawl->reached);
	sqlite3_bind_int64(st, 7, (int64_t)crawl->adverts);
	sqlite3_bind_int64(st, 8, (int64_t)crawl->bytes_in);
	sqlite3_bind_int64(st, 9, (int64_t)crawl->bytes_out);
	sqlite3_bind_double(st, 10, crawl->cpu_seconds);
	sqlite3_bind_int64(st, 11, (int64_t)crawl->max_rss_bytes);
	err = db_run(s, st);
	/* A process that watches goes on to the next one. */
	if (err == ERR_OK && crawl->ended_at_ms != 0)
		db_let_crawl(s, crawl->id);
	return db_ended(s, err);
}

/* What an address needs in any statement that may make its row. */
struct peer_row {
	uint8_t key[DB_KEY_MAX];
	size_t key_len;
	char host[NETADDR_HOST_TEXT_MAX];
	size_t host_len;
	char node_id[2 * PEER_NODE_ID_MAX + 1];
};

/* ?1 .. ?6 of SQL_PEER_KNOWN and SQL_PEER_ADD. */
static void bind_peer(sqlite3_stmt *st, int64_t network_id, const struct netaddr *addr,
		      struct slice node_id, struct peer_row *row)
{
	row->key_len = db_key(addr, node_id, row->key);
	row->host_len = netaddr_host_text(addr, row->host);
	sqlite3_bind_int64(st, 1, network_id);
	sqlite3_bind_blob(st, 2, row->key, (int)row->key_len, SQLITE_STATIC);
	sqlite3_bind_int(st, 3, addr->kind);
	db_bind_text(st, 4, slice_of(row->host, row->host_len));
	sqlite3_bind_int(st, 5, addr->port);
	db_bind_hex(st, 6, node_id, row->node_id);
}

/* 0: none, or not known, which is NULL. */
static void bind_port(sqlite3_stmt *st, int at, uint16_t port)
{
	if (port != 0)
		sqlite3_bind_int(st, at, port);
}

enum err store_put_known(struct store *s, const struct store_crawl *crawl,
			 const struct netaddr *addr, const struct advert *advert, int64_t at_ms)
{
	int64_t network_id = 0;
	enum err err = db_network(s, crawl->network, true, &network_id);
	sqlite3_stmt *st;
	struct peer_row row;

	if (err != ERR_OK)
		return db_ended(s, err);
	st = db_use(s, SQL_PEER_KNOWN);
	if (st == NULL)
		return db_ended(s, db_fail(s));
	bind_peer(st, network_id, addr, advert != NULL ? advert->node_id : slice_of(NULL, 0), &row);
	sqlite3_bind_int64(st, 7, crawl->id);
	sqlite3_bind_int64(st, 8, at_ms);
	/* Whoever names a node says where it is, and nothing else of it. */
	if (advert != NULL && advert->node_id.len == 0) {
		sqlite3_bind_int64(st, 9, (int64_t)advert->services);
		sqlite3_bind_int64(st, 10, advert->last_seen_s);
	}
	bind_port(st, 11, advert != NULL ? advert->tcp_port : 0);
	return db_ended(s, db_run(s, st));
}

/* The id of that peer's row, which is made if there is none. */
static enum err peer_id(struct store *s, int64_t network_id, const struct advert *peer,
			int64_t at_ms, int64_t *id)
{
	sqlite3_stmt *st = db_use(s, SQL_PEER_FIND);
	enum err err = ERR_OK;
	struct peer_row row;
	int rc;

	if (st == NULL)
		return db_fail(s);
	row.key_len = db_key(&peer->addr, peer->node_id, row.key);
	sqlite3_bind_int64(st, 1, network_id);
	sqlite3_bind_blob(st, 2, row.key, (int)row.key_len, SQLITE_STATIC);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*id = sqlite3_column_int64(st, 0);
	else if (rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	if (rc == SQLITE_ROW || err != ERR_OK)
		return err;
	st = db_use(s, SQL_PEER_ADD);
	if (st == NULL)
		return db_fail(s);
	bind_peer(st, network_id, &peer->addr, peer->node_id, &row);
	sqlite3_bind_int64(st, 7, at_ms);
	bind_port(st, 8, peer->tcp_port);
	err = db_run(s, st);
	*id = sqlite3_last_insert_rowid(s->db);
	return err;
}

/* -1: not reached, which is NULL. */
static void bind_ms(sqlite3_stmt *st, int at, int32_t ms)
{
	if (ms >= 0)
		sqlite3_bind_int(st, at, ms);
}

/* The ids of nodes tell them apart. Others' ids (gossip) are of one run of a program: what it says
 * of itself, like its agent. */
static struct slice key_id(const struct record *r)
{
	return r->node != NULL ? r->info.node_id : slice_of(NULL, 0);
}

static bool said_id(const struct record *r)
{
	return r->node == NULL && r->info.node_id.len > 0;
}

static enum err put_peer_visited(struct store *s, const struct store_crawl *crawl, int64_t id,
				 const struct record *record)
{
	bool heard = record->info.has_version || said_id(record);
	char node_id[2 * PEER_NODE_ID_MAX + 1];
	sqlite3_stmt *st = db_use(s, heard ? SQL_PEER_VISITED_HEARD : SQL_PEER_VISITED);
	int32_t handshake_ms = record->handshake_ms > 0 ? record->handshake_ms : 0;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, id);
	sqlite3_bind_int64(st, 2, crawl->id);
	sqlite3_bind_int64(st, 3, record->started_at_ms);
	sqlite3_bind_int(st, 4, (int)record->outcome);
	sqlite3_bind_int(st, 5, record->reached);
	bind_ms(st, 6, record->connect_ms);
	bind_ms(st, 7, record->handshake_ms);
	sqlite3_bind_int64(st, 8, record->started_at_ms + handshake_ms);
	if (heard)
		db_bind_bytes(st, 9, record->info.agent);
	if (record->info.has_version) {
		sqlite3_bind_int64(st, 10, record->info.protocol);
		sqlite3_bind_int64(st, 11, (int64_t)record->info.services);
		sqlite3_bind_int64(st, 12, record->info.height);
	}
	bind_port(st, 13, record->node != NULL ? record->node->tcp_port : 0);
	if (said_id(record))
		db_bind_hex(st, 14, record->info.node_id, node_id);
	return db_run(s, st);
}

/* ?14 .. ?23 of SQL_VISIT_PUT: what the peer said of itself. The arrays live until
 * the step. */
static void bind_info(sqlite3_stmt *st, const struct record *record, char *node_id,
		      char sees_us_as[static NETADDR_TEXT_MAX])
{
	const struct peer_info *info = &record->info;

	if (info->has_version || said_id(record))
		db_bind_bytes(st, 14, info->agent);
	/* A node's key is who was visited: the peer's row has it, a million visits need not. */
	if (said_id(record))
		db_bind_hex(st, 15, info->node_id, node_id);
	if (info->negotiation.len > 0)
		db_bind_bytes(st, 16, info->negotiation);
	if (info->has_version) {
		sqlite3_bind_int64(st, 17, info->protocol);
		sqlite3_bind_int64(st, 18, (int64_t)info->services);
		sqlite3_bind_int64(st, 19, info->height);
		sqlite3_bind_int(st, 20, info->relay);
	}
	if (info->has_clock)
		sqlite3_bind_int64(st, 21, info->clock_skew_s);
	if (info->has_feefilter)
		sqlite3_bind_int64(st, 22, (int64_t)info->feefilter);
	if (info->sees_us_as.kind != NETADDR_NONE)
		db_bind_text(st, 23,
			     slice_of(sees_us_as, netaddr_text(&info->sees_us_as, sees_us_as)));
}

static enum err put_visit_row(struct store *s, const struct store_crawl *crawl, int64_t id,
			      const struct record *record)
{
	char node_id[2 * PEER_NODE_ID_MAX + 1], sees_us_as[NETADDR_TEXT_MAX];
	sqlite3_stmt *st = db_use(s, SQL_VISIT_PUT);

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, crawl->id);
	sqlite3_bind_int64(st, 2, id);
	sqlite3_bind_int64(st, 3, record->started_at_ms);
	sqlite3_bind_int(st, 4, (int)record->outcome);
	sqlite3_bind_int(st, 5, record->reached);
	sqlite3_bind_int(st, 6, record->tries);
	sqlite3_bind_int(st, 7, record->stepwise);
	if (record->rule != NULL)
		db_bind_text(st, 8, slice_text(record->rule));
	bind_ms(st, 9, record->connect_ms);
	bind_ms(st, 10, record->version_ms);
	bind_ms(st, 11, record->handshake_ms);
	bind_ms(st, 12, record->reply_ms);
	bind_ms(st, 13, record->total_ms);
	bind_info(st, record, node_id, sees_us_as);
	sqlite3_bind_int64(st, 24, record->adverts);
	sqlite3_bind_int64(st, 25, record->adverts_new);
	sqlite3_bind_int64(st, 26, record->adverts_cut);
	sqlite3_bind_int64(st, 27, record->messages_in);
	sqlite3_bind_int64(st, 28, record->unknown_in);
	sqlite3_bind_int64(st, 29, (int64_t)record->bytes_in);
	sqlite3_bind_int64(st, 30, (int64_t)record->bytes_out);
	return db_run(s, st);
}

/* Most late retries find what the first try found, nobody, and then nothing but their number is
 * new: *done. That spares half of what a silent address costs. */
static enum err put_again(struct store *s, const struct store_crawl *crawl, int64_t network_id,
			  const struct record *record, bool *done)
{
	uint8_t key[DB_KEY_MAX];
	sqlite3_stmt *st;
	enum err err;

	if (record->tries < 2 || record->outcome != OUTCOME_CONNECT_TIMEOUT || record->node != NULL)
		return ERR_OK;
	st = db_use(s, SQL_VISIT_AGAIN);
	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, crawl->id);
	sqlite3_bind_int64(st, 2, network_id);
	sqlite3_bind_blob(st, 3, key, (int)db_key(&record->addr, slice_of(NULL, 0), key),
			  SQLITE_STATIC);
	sqlite3_bind_int(st, 4, record->tries);
	sqlite3_bind_int(st, 5, (int)record->outcome);
	err = db_run(s, st);
	*done = err == ERR_OK && sqlite3_changes(s->db) > 0;
	return err;
}

enum err store_put_visit(struct store *s, const struct store_crawl *crawl,
			 const struct record *record)
{
	bool done = false;
	const struct advert peer = { .addr = record->addr, .node_id = key_id(record) };
	int64_t network_id = 0, id = 0;
	enum err err = db_network(s, crawl->network, true, &network_id);

	if (err == ERR_OK)
		err = put_again(s, crawl, network_id, record, &done);
	if (err != ERR_OK || done)
		return db_ended(s, err);
	err = peer_id(s, network_id, &peer, record->started_at_ms, &id);
	if (err == ERR_OK && crawl->every_ms != 0)
		err = watch_put(s, crawl, network_id, id, record);
	if (err == ERR_OK)
		err = put_peer_visited(s, crawl, id, record);
	if (err == ERR_OK)
		err = put_visit_row(s, crawl, id, record);
	if (err == ERR_OK && record->node != NULL)
		err = node_put(s, crawl, id, record);
	return db_ended(s, err);
}

/* One peer names up to a thousand others in a row: its id is kept. */
static enum err from_id(struct store *s, int64_t network_id, const struct advert *from,
			int64_t at_ms)
{
	uint8_t key[DB_KEY_MAX];
	size_t len = db_key(&from->addr, from->node_id, key);

	if (s->from_id != 0 && s->from_network_id == network_id && s->from_key_len == len &&
	    memcmp(s->from_key, key, len) == 0)
		return ERR_OK;
	memcpy(s->from_key, key, len);
	s->from_key_len = len;
	s->from_network_id = network_id;
	return peer_id(s, network_id, from, at_ms, &s->from_id);
}

enum err store_put_advert(struct store *s, const struct store_crawl *crawl,
			  const struct advert *from, const struct advert *advert, int64_t at_ms)
{
	int64_t network_id = 0, id = 0;
	enum err err = db_network(s, crawl->network, true, &network_id);
	sqlite3_stmt *st;

	if (err == ERR_OK)
		err = from_id(s, network_id, from, at_ms);
	if (err == ERR_OK)
		err = peer_id(s, network_id, advert, at_ms, &id);
	if (err != ERR_OK)
		return db_ended(s, err);
	st = db_use(s, SQL_ADVERT_PUT);
	if (st == NULL)
		return db_ended(s, db_fail(s));
	sqlite3_bind_int64(st, 1, crawl->id);
	sqlite3_bind_int64(st, 2, s->from_id);
	sqlite3_bind_int64(st, 3, id);
	sqlite3_bind_int64(st, 4, at_ms);
	sqlite3_bind_int64(st, 5, (int64_t)advert->services);
	sqlite3_bind_int64(st, 6, advert->last_seen_s);
	return db_ended(s, db_run(s, st));
}
