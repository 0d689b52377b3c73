/* query_differ.c: of two crawls the peers that differ, without a look at the rest of those that
 * don't.
 *
 * Each crawl's visits are read in the order in which they lie in the file, and of each peer that
 * was reached no more than a hash of what it said is kept (16 bytes); where both hashes are the
 * same, nothing is looked up. A peer that finds words with the same hash hides that it changed. */
#include "store/query.h"

#include "base/hash.h"
#include "store/feed.h"
#include "store/rows.h"

#include <stdlib.h>

struct said {
	int64_t peer;
	uint64_t hash;
};

struct side {
	struct said *rows;
	size_t count, cap;
};

static const struct hash_key no_key;

static uint64_t with_number(uint64_t hash, sqlite3_stmt *st, int at)
{
	uint64_t value[3] = { hash, (uint64_t)sqlite3_column_int64(st, at),
			      sqlite3_column_type(st, at) != SQLITE_NULL };

	return hash_siphash13(&no_key, value, sizeof(value));
}

static uint64_t with_bytes(uint64_t hash, sqlite3_stmt *st, int at)
{
	struct slice s = db_column(st, at);
	uint64_t value[2] = { hash, hash_siphash13(&no_key, s.data, s.len) };

	return hash_siphash13(&no_key, value, sizeof(value));
}

static int by_peer(const void *left, const void *right)
{
	int64_t a = ((const struct said *)left)->peer, b = ((const struct said *)right)->peer;

	return (a > b) - (a < b);
}

static enum err add(struct side *side, int64_t peer, uint64_t hash)
{
	if (side->count == side->cap) {
		size_t cap = side->cap > 0 ? 2 * side->cap : 1024;
		struct said *rows = realloc(side->rows, cap * sizeof(*rows));

		if (rows == NULL)
			return ERR_NOMEM;
		side->rows = rows;
		side->cap = cap;
	}
	side->rows[side->count++] = (struct said){ peer, hash };
	return ERR_OK;
}

static enum err read_visits(struct store *s, int64_t crawl, struct side *out)
{
	int64_t range[2] = { 1, 0 };
	enum err err = row_visits_range(s, crawl, range);
	sqlite3_stmt *st = db_use(s, SQL_DIFFER_VISITS);
	int rc = SQLITE_DONE;

	if (err != ERR_OK || st == NULL)
		return err != ERR_OK ? err : db_fail(s);
	sqlite3_bind_int64(st, 1, crawl);
	sqlite3_bind_int64(st, 2, range[0]);
	sqlite3_bind_int64(st, 3, range[1]);
	while (err == ERR_OK && (rc = sqlite3_step(st)) == SQLITE_ROW)
		err = add(out, sqlite3_column_int64(st, 0),
			  with_number(with_number(with_bytes(0, st, 1), st, 2), st, 3));
	if (err == ERR_NOMEM)
		err = db_fail_as(s, err, NULL);
	else if (rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	if (out->count > 1)
		qsort(out->rows, out->count, sizeof(*out->rows), by_peer);
	return err;
}

/* What nodes say beside it, in the order of the peers. */
static enum err read_nodes(struct store *s, int64_t crawl, struct side *out)
{
	sqlite3_stmt *st = db_use(s, SQL_DIFFER_NODES);
	enum err err = ERR_OK;
	size_t i = 0;
	int rc;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, crawl);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		int64_t peer = sqlite3_column_int64(st, 0);

		while (i < out->count && out->rows[i].peer < peer)
			i++;
		if (i < out->count && out->rows[i].peer == peer)
			out->rows[i].hash =
				with_bytes(with_number(out->rows[i].hash, st, 1), st, 2);
	}
	if (rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

static enum err read_side(struct store *s, int64_t crawl, struct side *out)
{
	enum err err = read_visits(s, crawl, out);

	return err == ERR_OK ? read_nodes(s, crawl, out) : err;
}

/* --- who came --- */

/* Where both sides are, or one of them is behind. */
struct pair {
	struct said *was, *was_end, *is, *is_end;
	bool has_was, has_is;
};

static struct said *end_of(const struct side *s)
{
	return s->count > 0 ? s->rows + s->count : s->rows;
}

static struct pair pair_begin(const struct side sides[2])
{
	return (struct pair){ sides[0].rows, end_of(&sides[0]),
			      sides[1].rows, end_of(&sides[1]),
			      false,         false };
}

/* The next peer that is on either side, or on both; false at the end. */
static bool pair_next(struct pair *p)
{
	if (p->has_was)
		p->was++;
	if (p->has_is)
		p->is++;
	p->has_was = p->was < p->was_end && (p->is == p->is_end || p->was->peer <= p->is->peer);
	p->has_is = p->is < p->is_end && (p->was == p->was_end || p->is->peer <= p->was->peer);
	return p->has_was || p->has_is;
}

/* Columns of `batch` in SQL_DIFFER_BACK. */
static void came_column(const struct feed *feed, size_t row, int column, sqlite3_context *out)
{
	struct said *const *came = feed->rows;

	sqlite3_result_int64(out, column == 0 ? (int64_t)row : came[row]->peer);
}

/* Which of those a crawl before b had reached (enum store_difference, in place of the hash). */
static enum err find_back(struct store *s, enum sql sql, int64_t b, struct said **came,
			  size_t count)
{
	const struct feed feed = { came, count, came_column };
	sqlite3_stmt *st = feed_use(s, sql, &feed);
	enum err err = ERR_OK;
	int rc;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, b);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		came[sqlite3_column_int64(st, 0)]->hash = STORE_BACK;
	if (rc != SQLITE_DONE)
		err = db_fail(s);
	db_done(st);
	return err;
}

static size_t leave_out_back(struct said **came, size_t count)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++)
		if (came[i]->hash != STORE_BACK)
			came[left++] = came[i];
	return left;
}

static enum err tell_back(struct store *s, int64_t b, struct side sides[2])
{
	struct said **came = malloc((sides[1].count + 1) * sizeof(struct said *));
	struct pair p = pair_begin(sides);
	size_t count = 0;
	enum err err;

	if (came == NULL)
		return db_fail_as(s, ERR_NOMEM, NULL);
	while (pair_next(&p)) {
		if (p.has_was)
			continue;
		p.is->hash = STORE_CAME;
		came[count++] = p.is;
	}
	err = find_back(s, SQL_DIFFER_BEFORE, b, came, count);
	if (err == ERR_OK)
		err = find_back(s, SQL_DIFFER_BACK, b, came, leave_out_back(came, count));
	free(came);
	return err;
}

static enum err tell(const struct side sides[2], store_difference_fn *fn, void *ctx)
{
	struct pair p = pair_begin(sides);
	enum err err = ERR_OK;

	while (err == ERR_OK && pair_next(&p)) {
		if (!p.has_was)
			err = fn(ctx, p.is->peer, (enum store_difference)p.is->hash);
		else if (!p.has_is)
			err = fn(ctx, p.was->peer, STORE_WENT);
		else if (p.was->hash != p.is->hash)
			err = fn(ctx, p.is->peer, STORE_SAID);
	}
	return err;
}

enum err store_differences(struct store *s, int64_t a, int64_t b, store_difference_fn *fn,
			   void *ctx)
{
	struct side sides[2] = { 0 };
	enum err err = read_side(s, a, &sides[0]);

	if (err == ERR_OK)
		err = read_side(s, b, &sides[1]);
	if (err == ERR_OK)
		err = tell_back(s, b, sides);
	if (err == ERR_OK)
		err = tell(sides, fn, ctx);
	free(sides[0].rows);
	free(sides[1].rows);
	return err;
}
