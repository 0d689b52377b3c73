#include "store/watch.h"

#include "base/text.h"
#include "store/feed.h"
#include "store/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Addresses of one key that are looked at: a node has one, and may have moved a few times;
	 * whoever answers with one key from thousands would make each look-up a walk. */
	ELSEWHERE_MAX = 64,
	/* Nobody is forgotten because nobody looked for a month: he has missed a few visits. */
	FORGET_MISSES = 3,
};

/* Columns of SQL_WATCH_BEFORE. */
enum {
	BEFORE_CRAWL,
	BEFORE_REACHED,
	BEFORE_REACHED_MS,
	BEFORE_AGENT,
	BEFORE_PROTOCOL,
	BEFORE_SERVICES,
	BEFORE_RECORD_SEQ,
	BEFORE_FORK,
	BEFORE_SCHEDULE,
	BEFORE_AT = BEFORE_SCHEDULE + 7 + SCHEDULE_WINDOWS, /* which of the visits */
};

/* A peer's schedule after its visit. */
struct watched {
	int64_t id;
	struct schedule schedule;
};

/* A visit in a round, and the row of SQL_WATCH_BEFORE of its peer: all NULL if it is new. */
struct watch {
	struct store *store;
	const struct store_crawl *crawl;
	int64_t network_id, id;
	const struct record *record;
	sqlite3_stmt *row;
	bool first; /* of their tries in this round */
};

bool row_schedule(sqlite3_stmt *st, int at, struct schedule *out)
{
	*out = (struct schedule){ 0 };
	if (!row_is_set(st, at))
		return false;
	out->due_ms = db_column_ms(st, at);
	out->misses = (uint32_t)sqlite3_column_int64(st, at + 1);
	out->first_ms = db_column_ms(st, at + 2);
	out->visited_ms = db_column_ms(st, at + 3);
	out->before_ms = db_column_ms(st, at + 4);
	out->up_since_ms = db_column_ms(st, at + 5);
	out->up_until_ms = db_column_ms(st, at + 6);
	for (int i = 0; i < SCHEDULE_WINDOWS; i++)
		if (row_is_set(st, at + 7 + i))
			schedule_set_uptime(out, (enum schedule_window)i,
					    sqlite3_column_double(st, at + 7 + i));
	return true;
}

/* Columns of SQL_WATCH_PUT. */
static void schedule_column(const struct feed *feed, size_t row, int column, sqlite3_context *out)
{
	const struct watched *watched = (const struct watched *)feed->rows + row;
	const struct schedule *s = &watched->schedule;
	const int64_t numbers[] = { watched->id,   s->due_ms,    s->misses,      s->first_ms,
				    s->visited_ms, s->before_ms, s->up_since_ms, s->up_until_ms };
	double share;

	if (column < 8) {
		/* There is no session, or was none. */
		if (column < 6 || numbers[column] != 0)
			sqlite3_result_int64(out, numbers[column]);
		return;
	}
	share = schedule_uptime(s, (enum schedule_window)(column - 8));
	if (share >= 0)
		sqlite3_result_double(out, share);
}

static enum err put_session(struct store *s, int64_t id, const struct schedule_session *session)
{
	sqlite3_stmt *st = db_use(s, SQL_SESSION_PUT);

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, id);
	sqlite3_bind_int64(st, 2, session->from_ms);
	sqlite3_bind_int64(st, 3, session->to_ms);
	return db_run(s, st);
}

/* Takes back the session that ended with the first try; *from_ms: 0 if there was none. */
static enum err resume_session(struct store *s, int64_t id, const struct schedule *schedule,
			       int64_t *from_ms)
{
	sqlite3_stmt *st;
	int rc;

	*from_ms = 0;
	if (schedule->misses != 1 || schedule->up_until_ms == 0 ||
	    schedule->before_ms == schedule->visited_ms)
		return ERR_OK;
	st = db_use(s, SQL_SESSION_RESUME);
	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, id);
	sqlite3_bind_int64(st, 2, schedule->up_until_ms);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		*from_ms = db_column_ms(st, 0);
	if (rc != SQLITE_DONE) {
		enum err err = db_fail(s);

		db_done(st);
		return err;
	}
	db_done(st);
	return ERR_OK;
}

static enum err put_times(struct watch *w, struct schedule *schedule)
{
	const struct record *r = w->record;
	int64_t every_ms = (int64_t)w->crawl->every_ms, goes_on_ms = 0;
	bool again = !w->first && row_is_set(w->row, BEFORE_CRAWL) &&
		     sqlite3_column_int64(w->row, BEFORE_CRAWL) == w->crawl->id &&
		     sqlite3_column_int(w->row, BEFORE_REACHED) == 0;
	struct schedule_session ended;
	enum err err = ERR_OK;

	if (again && schedule->misses > 0 && schedule->visited_ms > 0) {
		if (r->reached)
			err = resume_session(w->store, w->id, schedule, &goes_on_ms);
		schedule_retried(schedule, every_ms, r->started_at_ms, r->reached, goes_on_ms);
	} else if (schedule_visited(schedule, every_ms, r->started_at_ms, r->reached, &ended)) {
		err = put_session(w->store, w->id, &ended);
	}
	return err;
}

static enum err put_change(struct watch *w, const char *what, struct slice was, struct slice now)
{
	sqlite3_stmt *st;

	if (slice_equal(was, now))
		return ERR_OK;
	st = db_use(w->store, SQL_CHANGE_PUT);
	if (st == NULL)
		return db_fail(w->store);
	sqlite3_bind_int64(st, 1, w->id);
	sqlite3_bind_int64(st, 2, w->record->started_at_ms);
	db_bind_text(st, 3, slice_text(what));
	db_bind_bytes(st, 4, was);
	db_bind_bytes(st, 5, now);
	return db_run(w->store, st);
}

static enum err put_number(struct watch *w, const char *what, unsigned base, int64_t was,
			   int64_t now)
{
	char texts[2][32];

	for (unsigned i = 0; i < 2; i++)
		snprintf(texts[i], sizeof(texts[i]), base == 16 ? "0x%llx" : "%lld",
			 (long long)(i == 0 ? was : now));
	return put_change(w, what, slice_text(texts[0]), slice_text(texts[1]));
}

static int64_t number(const struct watch *w, int at)
{
	return sqlite3_column_int64(w->row, at);
}

/* A node's record and chain. */
static enum err put_node_told(struct watch *w)
{
	const struct node_info *node = w->record->node;
	struct slice fork = db_column(w->row, BEFORE_FORK);
	char texts[2][2 + 2 * sizeof(node->chain.fork_hash) + 1] = { "0x", "0x" };
	enum err err = ERR_OK;

	if (node->has_record_seq && row_is_set(w->row, BEFORE_RECORD_SEQ))
		err = put_number(w, "record", 10, number(w, BEFORE_RECORD_SEQ),
				 (int64_t)node->record_seq);
	if (err != ERR_OK || !node->chain.has_fork || fork.len != sizeof(node->chain.fork_hash))
		return err;
	hex_encode(fork, texts[0] + 2);
	hex_encode(slice_of(node->chain.fork_hash, fork.len), texts[1] + 2);
	return put_change(w, "fork", slice_text(texts[0]), slice_text(texts[1]));
}

/* It is up again, or for the first time: is it one that was elsewhere till now? One that is at
 * several addresses all the time has not moved. */
static enum err put_move(struct watch *w)
{
	sqlite3_stmt *st = db_use(w->store, SQL_NODE_ELSEWHERE);
	char key[2 * PEER_NODE_ID_MAX + 1], was[NETADDR_TEXT_MAX], now[NETADDR_TEXT_MAX];
	size_t was_len = 0, now_len;
	enum err err = ERR_OK;
	int rc;

	if (st == NULL)
		return db_fail(w->store);
	sqlite3_bind_int64(st, 1, w->network_id);
	db_bind_hex(st, 2, w->record->info.node_id, key);
	sqlite3_bind_int64(st, 3, w->id);
	sqlite3_bind_int64(st, 4, sqlite3_column_int64(w->row, BEFORE_REACHED_MS));
	sqlite3_bind_int(st, 5, ELSEWHERE_MAX);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		struct advert other = db_key_peer(db_column(st, 0));

		if (other.addr.kind != NETADDR_NONE)
			was_len = netaddr_text(&other.addr, was);
	} else if (rc != SQLITE_DONE) {
		err = db_fail(w->store);
	}
	db_done(st);
	if (err != ERR_OK || was_len == 0)
		return err;
	now_len = netaddr_text(&w->record->addr, now);
	return put_change(w, "address", slice_of(was, was_len), slice_of(now, now_len));
}

static enum err put_told(struct watch *w, bool began)
{
	const struct peer_info *info = &w->record->info;
	enum err err = ERR_OK;

	if (info->agent.len > 0 && row_is_set(w->row, BEFORE_AGENT))
		err = put_change(w, "agent", db_column(w->row, BEFORE_AGENT), info->agent);
	if (err == ERR_OK && info->has_version && row_is_set(w->row, BEFORE_PROTOCOL)) {
		err = put_number(w, "protocol", 10, number(w, BEFORE_PROTOCOL), info->protocol);
		if (err == ERR_OK)
			err = put_number(w, "services", 16, number(w, BEFORE_SERVICES),
					 (int64_t)info->services);
	}
	if (err == ERR_OK && w->record->node != NULL)
		err = put_node_told(w);
	if (err == ERR_OK && w->record->node != NULL && began)
		err = put_move(w);
	return err;
}

/* Columns of `batch` in SQL_WATCH_BEFORE. */
static void visit_column(const struct feed *feed, size_t row, int column, sqlite3_context *out)
{
	const struct watch_visit *visit = (const struct watch_visit *)feed->rows + row;

	sqlite3_result_int64(out, column == 0 ? (int64_t)row : visit->id);
}

static enum err watch_all(struct store *s, struct watch *w, const struct watch_visit *visits,
			  size_t count, struct watched *watched)
{
	const struct feed feed = { visits, count, visit_column };
	enum err err = ERR_OK;
	int rc = SQLITE_DONE;

	w->row = feed_use(s, SQL_WATCH_BEFORE, &feed);
	if (w->row == NULL)
		return db_fail(s);
	while (err == ERR_OK && (rc = sqlite3_step(w->row)) == SQLITE_ROW) {
		size_t at = (size_t)number(w, BEFORE_AT);
		struct schedule *schedule = &watched[at].schedule;

		w->id = watched[at].id = visits[at].id;
		w->record = visits[at].record;
		row_schedule(w->row, BEFORE_SCHEDULE, schedule);
		err = put_times(w, schedule);
		if (err == ERR_OK)
			err = put_told(w, schedule->up_since_ms == w->record->started_at_ms);
	}
	if (err == ERR_OK && rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(w->row);
	return err;
}

enum err watch_put(struct store *s, const struct store_crawl *crawl, int64_t network_id,
		   const struct watch_visit *visits, size_t count, bool first)
{
	struct watch w = { .store = s, .crawl = crawl, .network_id = network_id, .first = first };
	struct watched *watched = malloc(count * sizeof(*watched));
	const struct feed feed = { watched, count, schedule_column };
	enum err err;

	if (watched == NULL)
		return db_fail_as(s, ERR_NOMEM, NULL);
	err = watch_all(s, &w, visits, count, watched);
	if (err == ERR_OK)
		err = feed_run(s, SQL_WATCH_PUT, &feed);
	free(watched);
	return err;
}

static enum err network_or_none(struct store *s, const char *network, int64_t *id)
{
	enum err err = db_network(s, network, false, id);

	if (err == ERR_NOT_FOUND)
		*id = 0;
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err store_watched(struct store *s, const char *network, store_watched_fn *fn, void *ctx)
{
	struct store_watched watched;
	int64_t network_id = 0;
	enum err err = network_or_none(s, network, &network_id);
	sqlite3_stmt *st = err == ERR_OK ? db_use(s, SQL_WATCHED) : NULL;
	bool more = true;
	int rc = SQLITE_DONE;

	if (st == NULL)
		return err != ERR_OK ? err : db_fail(s);
	sqlite3_bind_int64(st, 1, network_id);
	while (more && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		watched.peer = db_key_peer(db_column(st, 0));
		watched.peer.tcp_port = (uint16_t)sqlite3_column_int(st, 1);
		watched.last_seen_ms = db_column_ms(st, 2);
		row_schedule(st, 3, &watched.schedule);
		if (watched.peer.addr.kind != NETADDR_NONE)
			more = fn(ctx, &watched);
	}
	if (more && rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

enum err store_schedules(struct store *s, const char *network, store_schedule_fn *fn, void *ctx)
{
	struct schedule schedule;
	int64_t network_id = 0;
	enum err err = network_or_none(s, network, &network_id);
	sqlite3_stmt *st = err == ERR_OK ? db_use(s, SQL_SCHEDULES) : NULL;
	int rc = SQLITE_DONE;

	if (st == NULL)
		return err != ERR_OK ? err : db_fail(s);
	sqlite3_bind_int64(st, 1, network_id);
	while (err == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		row_schedule(st, 0, &schedule);
		err = fn(ctx, &schedule);
	}
	if (err == ERR_OK && rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

enum err store_watch_forget(struct store *s, const char *network, int64_t now_ms, uint64_t *count)
{
	int64_t network_id = 0;
	enum err err = network_or_none(s, network, &network_id);
	sqlite3_stmt *st = err == ERR_OK ? db_use(s, SQL_WATCH_FORGET) : NULL;

	*count = 0;
	if (st == NULL)
		return db_ended(s, err != ERR_OK ? err : db_fail(s));
	sqlite3_bind_int64(st, 1, network_id);
	sqlite3_bind_int64(st, 2, now_ms - (int64_t)SCHEDULE_FORGET_S * 1000);
	sqlite3_bind_int(st, 3, FORGET_MISSES);
	err = db_run(s, st);
	if (err == ERR_OK)
		*count = (uint64_t)sqlite3_changes64(s->db);
	return db_ended(s, err);
}
