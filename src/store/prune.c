/* prune.c: what keeps a database small that is written for years: visits that are old become sums
 * by day. */
#include "store/watch.h"

#include "store/put.h"

#include <assert.h>

enum {
	/* Rows that a step deals with: some tens of milliseconds, for which a crawl's writer waits.
	 */
	PRUNE_ROWS = 20 * 1000,
	/* What is a sum already, and who was up once, is kept for that many times as long. */
	PRUNE_LONG = 10,
};

struct prune {
	struct store *store;
	int64_t network_id, before_ms, long_before_ms;
};

/* A statement that takes up to five numbers. */
static sqlite3_stmt *use(struct prune *p, enum sql sql, const int64_t *numbers, int count)
{
	sqlite3_stmt *st = db_use(p->store, sql);

	for (int i = 0; st != NULL && i < count; i++)
		sqlite3_bind_int64(st, i + 1, numbers[i]);
	return st;
}

static enum err run(struct prune *p, enum sql sql, const int64_t *numbers, int count)
{
	sqlite3_stmt *st = use(p, sql, numbers, count);

	return st != NULL ? db_run(p->store, st) : db_fail(p->store);
}

/* The one number that a question yields, or `none`. */
static enum err ask(struct prune *p, enum sql sql, const int64_t *numbers, int count, int64_t none,
		    int64_t *out)
{
	return db_ask(p->store, use(p, sql, numbers, count), none, out);
}

/* The oldest whose visits may go; 0: none. One that did not end may go on, or be taken up again if
 * it is the newest. */
static enum err oldest_crawl(struct prune *p, int64_t *crawl)
{
	const int64_t numbers[] = { p->network_id, p->before_ms };
	sqlite3_stmt *st = use(p, SQL_PRUNE_CRAWLS, numbers, 2);
	enum err err = ERR_OK;
	int rc = SQLITE_DONE;

	*crawl = 0;
	if (st == NULL)
		return db_fail(p->store);
	while (*crawl == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(st, 0);

		if (sqlite3_column_int(st, 1) != 0 || !db_crawl_held(p->store, id))
			*crawl = id;
	}
	if (*crawl == 0 && rc != SQLITE_DONE)
		err = db_fail(p->store);
	db_done(st);
	return err;
}

/* A part of its adverts, or else of its visits; when none are left, its report may go. */
static enum err prune_crawl(struct prune *p, int64_t crawl)
{
	const int64_t rows[] = { crawl, PRUNE_ROWS };
	const int64_t begun[] = { crawl, 1 }, done[] = { crawl, 2 };
	int64_t upto[] = { crawl, 0 };
	enum err err = run(p, SQL_PRUNED, begun, 2);

	if (err == ERR_OK)
		err = run(p, SQL_PRUNE_ADVERTS, rows, 2);
	if (err != ERR_OK || sqlite3_changes(p->store->db) > 0)
		return err;
	err = ask(p, SQL_PRUNE_LAST, rows, 2, INT64_MAX, &upto[1]);
	if (err == ERR_OK)
		err = run(p, SQL_PRUNE_SUMS, upto, 2);
	if (err == ERR_OK)
		err = run(p, SQL_PRUNE_NODE_VISITS, upto, 2);
	if (err == ERR_OK)
		err = run(p, SQL_PRUNE_VISITS, upto, 2);
	if (err != ERR_OK || upto[1] != INT64_MAX)
		return err;
	err = run(p, SQL_PRUNED, done, 2);
	return err == ERR_OK ? run(p, SQL_PRUNE_REPORTS, &crawl, 1) : err;
}

/* What is old of the next peers, and those that are; *more: there are others after them. */
static enum err prune_peers(struct prune *p, bool *more)
{
	struct store *s = p->store;
	int64_t from[] = { s->pruned_peer, PRUNE_ROWS };
	int64_t old[] = { s->pruned_peer, 0, p->network_id, p->before_ms, p->long_before_ms };
	int64_t days[] = { s->pruned_peer, 0, p->network_id, p->long_before_ms };
	enum err err = ask(p, SQL_PRUNE_RANGE, from, 2, INT64_MAX, &old[1]);

	days[1] = old[1];
	if (err == ERR_OK)
		err = run(p, SQL_PRUNE_SESSIONS, old, 4);
	if (err == ERR_OK)
		err = run(p, SQL_PRUNE_CHANGES, old, 4);
	if (err == ERR_OK)
		err = run(p, SQL_PRUNE_DAYS, days, 4);
	if (err == ERR_OK)
		err = run(p, SQL_PRUNE_PEERS, old, 5);
	if (err == ERR_OK)
		err = run(p, SQL_PRUNE_NODES, old, 2);
	*more = old[1] != INT64_MAX;
	s->pruned_peer = *more && err == ERR_OK ? old[1] : 0;
	put_forget_ids(s);
	return err;
}

static enum err prune_step(struct prune *p, bool *more)
{
	int64_t crawl = 0;
	enum err err = oldest_crawl(p, &crawl);

	if (err != ERR_OK || crawl == 0)
		return err == ERR_OK ? prune_peers(p, more) : err;
	*more = true;
	return prune_crawl(p, crawl);
}

enum err store_prune(struct store *s, const char *network, int64_t now_ms, int64_t keep_ms,
		     bool *more)
{
	struct prune p = {
		.store = s,
		.before_ms = now_ms - keep_ms,
		/* Before 1970 is as good as never. */
		.long_before_ms = keep_ms < now_ms / PRUNE_LONG ? now_ms - PRUNE_LONG * keep_ms : 0,
	};
	enum err err;

	assert(keep_ms > 0);
	*more = false;
	err = db_network(s, network, false, &p.network_id);
	if (err != ERR_OK)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	if (s->pruned_network != p.network_id)
		s->pruned_peer = 0;
	s->pruned_network = p.network_id;
	err = store_begin(s);
	if (err == ERR_OK)
		err = db_ended(s, prune_step(&p, more));
	return err == ERR_OK ? store_commit(s) : err;
}
