/* query_differ.c: of two crawls the peers that differ, without a look at the rest of those that
 * don't.
 *
 * Each crawl's visits are read in the order in which they lie in the file, and of each peer that
 * was reached no more than a hash of what it said is kept (16 bytes); where both hashes are the
 * same, nothing is looked up. A peer that finds words with the same hash hides that it changed. */
#include "store/query.h"

#include "base/hash.h"
#include "store/db.h"

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
	sqlite3_stmt *st = db_use(s, SQL_DIFFER_VISITS);
	enum err err = ERR_OK;
	int rc = SQLITE_DONE;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, crawl);
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

/* Whether a crawl before b had reached it. */
static enum err find_back(struct store *s, int64_t b, int64_t peer, enum store_difference *out)
{
	sqlite3_stmt *st = db_use(s, SQL_DIFFER_BACK);
	int rc;

	if (st == NULL)
		return db_fail(s);
	sqlite3_bind_int64(st, 1, peer);
	sqlite3_bind_int64(st, 2, b);
	rc = sqlite3_step(st);
	*out = rc == SQLITE_ROW ? STORE_BACK : STORE_CAME;
	db_done(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? ERR_OK : db_fail(s);
}

static enum err merge(struct store *s, int64_t b, const struct side sides[2],
		      store_difference_fn *fn, void *ctx)
{
	const struct said *was = sides[0].rows, *was_end = was + sides[0].count;
	const struct said *is = sides[1].rows, *is_end = is + sides[1].count;
	enum err err = ERR_OK;

	while (err == ERR_OK && (was < was_end || is < is_end)) {
		bool has_was = was < was_end && (is == is_end || was->peer <= is->peer);
		bool has_is = is < is_end && (was == was_end || is->peer <= was->peer);
		bool same = has_was && has_is && was->hash == is->hash;
		enum store_difference what = has_is ? STORE_SAID : STORE_WENT;

		if (!has_was)
			err = find_back(s, b, is->peer, &what);
		if (err == ERR_OK && !same)
			err = fn(ctx, has_was ? was->peer : is->peer, what);
		was += has_was;
		is += has_is;
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
		err = merge(s, b, sides, fn, ctx);
	free(sides[0].rows);
	free(sides[1].rows);
	return err;
}
