#include "store/query.h"

#include "base/text.h"
#include "store/look.h"
#include "store/rows.h"

#include <stdio.h>
#include <string.h>

enum err store_read_begin(struct store *s)
{
	return db_begin(s, SQL_BEGIN_READ);
}

void store_read_end(struct store *s)
{
	db_undo(s);
}

static void crawl_row(sqlite3_stmt *st, struct store_crawl *out)
{
	double seconds = sqlite3_column_double(st, 11);

	*out = (struct store_crawl){
		.id = sqlite3_column_int64(st, 0),
		.started_at_ms = db_column_ms(st, 2),
		.ended_at_ms = db_column_ms(st, 3),
		.complete = sqlite3_column_int(st, 4) != 0,
		.known = (uint64_t)sqlite3_column_int64(st, 5),
		.visited = (uint64_t)sqlite3_column_int64(st, 6),
		.reached = (uint64_t)sqlite3_column_int64(st, 7),
		.adverts = (uint64_t)sqlite3_column_int64(st, 8),
		.bytes_in = (uint64_t)sqlite3_column_int64(st, 9),
		.bytes_out = (uint64_t)sqlite3_column_int64(st, 10),
		.max_rss_bytes = (uint64_t)sqlite3_column_int64(st, 12),
	};
	snprintf(out->network, sizeof(out->network), "%s", db_column_name(st, 1));
	/* A number without end is none that JSON has. */
	if (seconds > 0 && seconds <= 1e15)
		out->cpu_seconds = seconds;
	row_text(st, 13, out->settings, sizeof(out->settings));
	out->every_ms = (uint64_t)db_column_ms(st, 14);
	out->pruned = sqlite3_column_int(st, 15) != 0;
}

/* The one row of a question that takes a number (0: none) and a network (NULL: any). missing says
 * what there is not, if there is none. */
static enum err crawl_ask(struct store *s, enum sql sql, int64_t number, const char *network,
			  const char *missing, struct store_crawl *out)
{
	sqlite3_stmt *st = db_use(s, sql);
	enum err err = ERR_OK;
	char what[128];
	int rc;

	*out = (struct store_crawl){ 0 };
	if (st == NULL)
		return db_fail(s);
	if (number != 0)
		sqlite3_bind_int64(st, 1, number);
	if (network != NULL)
		db_bind_text(st, 2, slice_text(network));
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		crawl_row(st, out);
	else if (rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	if (rc != SQLITE_DONE)
		return err;
	snprintf(what, sizeof(what), "%s%s%.60s", missing, network != NULL ? " of " : "",
		 network != NULL ? network : "");
	return db_fail_as(s, ERR_NOT_FOUND, what);
}

enum err store_crawl_get(struct store *s, int64_t id, const char *network, struct store_crawl *out)
{
	char missing[48] = "no crawl";

	if (id != 0)
		snprintf(missing, sizeof(missing), "crawl %lld", (long long)id);
	return crawl_ask(s, id != 0 ? SQL_CRAWL_BY_ID : SQL_CRAWL_NEWEST, id, network, missing,
			 out);
}

enum err store_crawl_at(struct store *s, int64_t unix_ms, const char *network,
			struct store_crawl *out)
{
	char missing[64], when[32];

	format_time(unix_ms, false, when);
	snprintf(missing, sizeof(missing), "no crawl begun by %s", when);
	return crawl_ask(s, SQL_CRAWL_AT, unix_ms, network, missing, out);
}

enum err store_crawl_before(struct store *s, const struct store_crawl *crawl,
			    struct store_crawl *out)
{
	char missing[64];

	snprintf(missing, sizeof(missing), "no crawl before crawl %lld", (long long)crawl->id);
	return crawl_ask(s, SQL_CRAWL_BEFORE, crawl->id, crawl->network, missing, out);
}

enum err store_crawl_unfinished(struct store *s, const char *network, struct store_crawl *out)
{
	enum err err = store_crawl_get(s, 0, network, out);

	/* One by itself that ended before all were asked, as it was told to, may go on. */
	if (err == ERR_OK && out->ended_at_ms != 0 && (out->complete || out->every_ms > 0))
		return db_fail_as(s, ERR_NOT_FOUND, "the newest crawl came to its end");
	if (err == ERR_OK && s->mode != STORE_READ)
		err = db_hold_crawl(s, out->id);
	return err;
}

static enum err crawl_list(struct store *s, sqlite3_stmt *st, const char *network,
			   store_crawl_fn *fn, void *ctx)
{
	struct store_crawl crawl;
	enum err err = ERR_OK;
	int rc = SQLITE_DONE;

	if (st == NULL)
		return db_fail(s);
	if (network != NULL)
		db_bind_text(st, 2, slice_text(network));
	while (err == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		crawl_row(st, &crawl);
		err = fn(ctx, &crawl);
	}
	if (err == ERR_OK && rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

enum err store_crawls(struct store *s, const char *network, store_crawl_fn *fn, void *ctx)
{
	return crawl_list(s, db_use(s, SQL_CRAWL_LIST), network, fn, ctx);
}

enum err store_crawls_newest(struct store *s, const char *network, int64_t below, size_t limit,
			     store_crawl_fn *fn, void *ctx)
{
	sqlite3_stmt *st = db_use(s, SQL_CRAWL_LIST_NEWEST);

	if (st != NULL) {
		sqlite3_bind_int64(st, 1, below);
		sqlite3_bind_int64(st, 3, (sqlite3_int64)limit);
	}
	return crawl_list(s, st, network, fn, ctx);
}

enum outcome db_column_outcome(sqlite3_stmt *st, int at)
{
	int v = sqlite3_column_int(st, at);

	return v >= 0 && v < OUTCOME_COUNT ? (enum outcome)v : OUTCOME_CANCELLED;
}

enum err store_resume(struct store *s, const struct store_crawl *crawl, store_resume_fn *fn,
		      void *ctx)
{
	sqlite3_stmt *st = db_use(s, SQL_RESUME);
	enum err err = ERR_OK;
	bool more = true;
	int rc = SQLITE_DONE;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, crawl->id);
	while (more && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct advert peer = db_key_peer(db_column(st, 0));

		peer.tcp_port = (uint16_t)sqlite3_column_int(st, 4);
		if (peer.addr.kind != NETADDR_NONE)
			more = fn(ctx, &peer, db_column_outcome(st, 1),
				  sqlite3_column_int(st, 2) != 0,
				  (unsigned)sqlite3_column_int(st, 3));
	}
	if (more && rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

/* One walk over rows; row reads one and hands it to the caller's function. */
struct walk {
	struct store *store;
	sqlite3_stmt *st;
	enum err (*row)(struct walk *w);
	void *fn_ctx;
	store_peer_fn *on_peer;
	store_visit_fn *on_visit;
	store_advert_fn *on_advert;
	store_advert_peer_fn *on_advert_peer;
	struct row_network network;
};

/* forks lives until the statement is done. */
static void bind_filter(sqlite3_stmt *st, const struct store_filter *filter,
			char forks[static ROW_FORKS_MAX])
{
	if (filter->crawl_id != 0)
		sqlite3_bind_int64(st, 1, filter->crawl_id);
	if (filter->network != NULL)
		db_bind_text(st, 2, slice_text(filter->network));
	if (filter->outcome >= 0)
		sqlite3_bind_int(st, 3, filter->outcome);
	if (filter->kind != NETADDR_NONE)
		sqlite3_bind_int(st, 4, (int)filter->kind);
	row_forks(st, filter, forks);
}

static enum err walk(struct walk *w, enum sql sql, const struct store_filter *filter)
{
	char forks[ROW_FORKS_MAX];
	enum err err = ERR_OK;
	int rc = SQLITE_DONE;

	w->st = db_use(w->store, sql);
	if (w->st == NULL)
		return db_fail(w->store);
	bind_filter(w->st, filter, forks);
	while (err == ERR_OK && (rc = sqlite3_step(w->st)) == SQLITE_ROW) {
		err = row_network(w->store, w->st, &w->network);
		if (err == ERR_OK)
			err = w->row(w);
	}
	if (err == ERR_OK && rc != SQLITE_DONE)
		err = db_fail(w->store);
	db_done(w->st);
	return err;
}

static enum err peer_row(struct walk *w)
{
	struct store_peer p;

	row_peer(w->st, w->network.name, &p);
	return w->on_peer(w->fn_ctx, &p);
}

enum err store_peers(struct store *s, const struct store_filter *filter, store_peer_fn *fn,
		     void *ctx)
{
	struct walk w = { .store = s, .row = peer_row, .on_peer = fn, .fn_ctx = ctx };

	return walk(&w, filter->crawl_id != 0 ? SQL_PEERS_OF_CRAWL : SQL_PEERS, filter);
}

static enum err visit_row(struct walk *w)
{
	struct row_visit row;

	row_visit(w->st, w->network.name, &row);
	return w->on_visit(w->fn_ctx, &row.visit);
}

enum err store_visits(struct store *s, const struct store_filter *filter, store_visit_fn *fn,
		      void *ctx)
{
	struct walk w = { .store = s, .row = visit_row, .on_visit = fn, .fn_ctx = ctx };

	return walk(&w, SQL_VISITS, filter);
}

enum err store_asked(struct store *s, const struct store_filter *filter, store_asked_fn *fn,
		     void *ctx)
{
	sqlite3_stmt *st = db_use(s, SQL_ASKED);
	char forks[ROW_FORKS_MAX];
	enum err err = ERR_OK;
	int rc = SQLITE_DONE;

	if (st == NULL)
		return db_fail(s);
	bind_filter(st, filter, forks);
	while (err == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
		err = fn(ctx, sqlite3_column_int64(st, 0), sqlite3_column_int(st, 1) != 0);
	if (err == ERR_OK && rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

enum err store_reached(struct store *s, int64_t crawl_id, store_reached_fn *fn, void *ctx)
{
	sqlite3_stmt *st = db_use(s, SQL_REACHED);
	enum err err = ERR_OK;
	int rc = SQLITE_DONE;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, crawl_id);
	while (err == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct advert key = db_key_peer(db_column(st, 0));

		err = fn(ctx, &key.addr);
	}
	if (err == ERR_OK && rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

static enum err advert_row(struct walk *w)
{
	sqlite3_stmt *st = w->st;
	struct store_advert a = {
		.network = w->network.name,
		.from = db_key_peer(db_column(st, 1)),
		.crawl_id = sqlite3_column_int64(st, 3),
		.at_ms = db_column_ms(st, 4),
		.advert = db_key_peer(db_column(st, 2)),
	};

	a.from_id = sqlite3_column_int64(st, 9);
	a.peer_id = sqlite3_column_int64(st, 10);
	a.from.tcp_port = (uint16_t)sqlite3_column_int(st, 7);
	a.advert.tcp_port = (uint16_t)sqlite3_column_int(st, 8);
	a.advert.services = (uint64_t)sqlite3_column_int64(st, 5);
	a.advert.last_seen_s = sqlite3_column_int64(st, 6);
	return w->on_advert(w->fn_ctx, &a);
}

enum err store_adverts(struct store *s, const struct store_filter *filter, store_advert_fn *fn,
		       void *ctx)
{
	struct walk w = { .store = s, .row = advert_row, .on_advert = fn, .fn_ctx = ctx };

	return walk(&w, SQL_ADVERTS, filter);
}

static enum err advert_peer_row(struct walk *w)
{
	sqlite3_stmt *st = w->st;
	struct store_advert_peer p = {
		.network = w->network.name,
		.id = sqlite3_column_int64(st, 1),
		.peer = db_key_peer(db_column(st, 2)),
		.visited = row_is_set(st, 4),
		.agent = db_column(st, 5),
	};

	p.peer.tcp_port = (uint16_t)sqlite3_column_int(st, 3);
	if (p.visited)
		p.outcome = db_column_outcome(st, 4);
	return w->on_advert_peer(w->fn_ctx, &p);
}

enum err store_advert_peers(struct store *s, const struct store_filter *filter,
			    store_advert_peer_fn *fn, void *ctx)
{
	struct walk w = { .store = s, .row = advert_peer_row, .on_advert_peer = fn, .fn_ctx = ctx };

	return walk(&w, SQL_ADVERT_PEERS, filter);
}
