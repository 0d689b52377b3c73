/* test_store_put.c: a batch leaves behind what its rows would have, put one after the other. */
#include "store/put.h"

#include "base/hash.h"
#include "base/text.h"
#include "support/nodes.h"
#include "support/sql.h"
#include "support/store_rig.h"

enum { ROUNDS = 40, OPS = 12, ADDRESSES = 6, CRAWLS = 3 };

enum op_kind {
	OP_KNOWN,
	OP_VISIT,
	OP_ADVERT,
	OP_FLUSH,
	OP_OTHER,  /* another store makes somebody known */
	OP_REMOVE, /* ... or removes those to whom nothing refers */
	OP_KINDS,
};

struct op {
	enum op_kind kind;
	struct advert advert, from;
	bool has_advert;
	struct record record;
	struct node_info node;
	int64_t at_ms;
};

/* What happens in one crawl. */
struct story {
	const char *network;
	uint64_t every_ms;
	struct op ops[OPS];
};

static const char *const agents[] = { "/a/", "/b/", "", "\xff\xfe" };
static struct node_key keys[ADDRESSES];

static uint64_t below(struct random *r, uint64_t n)
{
	return random_next(r) % n;
}

static struct advert somebody(struct random *r, bool nodes)
{
	unsigned i = (unsigned)below(r, ADDRESSES);
	struct advert a = { .addr = netaddr_ipv4(0x01020300 + i % 5, (uint16_t)(8333 + i / 5)),
			    .services = below(r, 4),
			    .last_seen_s = (int64_t)below(r, 1000) };

	if (nodes) {
		keys[i] = node_key((uint8_t)(i + 1));
		a.node_id = key_slice(&keys[i]);
		a.tcp_port = (uint16_t)(below(r, 3) * 1000);
	}
	return a;
}

static struct record some_visit(struct random *r, struct op *op, bool nodes)
{
	struct slice agent = slice_text(agents[below(r, 4)]);
	struct record v = failed_record(op->advert.addr, OUTCOME_CONNECT_TIMEOUT);

	v.tries = (uint8_t)(1 + below(r, 2));
	if (below(r, 3) == 0)
		v.outcome = OUTCOME_REFUSED;
	if (below(r, 2) == 0)
		v = ok_record(op->advert.addr, agent);
	v.started_at_ms = op->at_ms;
	if (v.reached && below(r, 4) == 0) /* a gossip peer */
		v.info = (struct peer_info){ .agent = agent,
					     .node_id = slice_text("runrunrunrunrunr"),
					     .height = -1 };
	if (nodes) {
		op->node = v.reached ? full_node() : (struct node_info){ 0 };
		op->node.tcp_port = (uint16_t)(below(r, 3) * 100);
		v.node = &op->node;
		v.info.node_id = op->advert.node_id;
	}
	return v;
}

static void make_story(struct random *r, struct story *story, bool nodes, int64_t *at_ms)
{
	for (unsigned i = 0; i < OPS; i++) {
		struct op *op = &story->ops[i];

		/* The clock is set back now and then. */
		*at_ms += (int64_t)below(r, 1000) - (below(r, 10) == 0 ? 3000 : 0);
		*op = (struct op){ .at_ms = *at_ms, .advert = somebody(r, nodes) };
		op->kind = below(r, 4) != 0 ? (enum op_kind)below(r, OP_FLUSH)
					    : (enum op_kind)below(r, OP_KINDS);
		op->from = somebody(r, nodes);
		op->has_advert = nodes || below(r, 3) != 0;
		op->record = some_visit(r, op, nodes);
	}
}

/* A database, and who else has it open. */
struct side {
	char path[256];
	struct store *store, *another;
};

/* Nobody pulls the plug here. */
static struct store *open_hasty(const char *path)
{
	struct store *s = open_db(path, STORE_CREATE);

	assert_int_equal(sqlite3_exec(s->db, "PRAGMA synchronous = OFF", NULL, NULL, NULL),
			 SQLITE_OK);
	return s;
}

static void side_open(struct side *side, const char *name)
{
	snprintf(side->path, sizeof(side->path), "%s/%s.db", folder.path, name);
	side->store = open_hasty(side->path);
	side->another = open_hasty(side->path);
}

static void by_another(const struct side *side, const struct story *story, const struct op *op)
{
	struct store_crawl crawl;

	if (op->kind == OP_OTHER) {
		assert_int_equal(store_crawl_get(side->another, 0, story->network, &crawl), ERR_OK);
		assert_int_equal(store_put_known(side->another, &crawl, &op->advert.addr,
						 &op->advert, op->at_ms),
				 ERR_OK);
	} else if (op->kind == OP_REMOVE) {
		assert_int_equal(sqlite3_exec(side->another->db,
					      "DELETE FROM peers WHERE visits = 0 AND id NOT IN"
					      " (SELECT from_id FROM adverts"
					      " UNION SELECT peer_id FROM adverts)",
					      NULL, NULL, NULL),
				 SQLITE_OK);
	}
}

static void commit(struct store *s)
{
	assert_int_equal(put_flush(s), ERR_OK);
	assert_int_equal(store_commit(s), ERR_OK);
}

/* In as few batches as there can be. */
static void tell_batches(const struct side *side, const struct story *story,
			 const struct store_crawl *crawl)
{
	struct store *s = side->store;

	assert_int_equal(store_begin(s), ERR_OK);
	for (unsigned i = 0; i < OPS; i++) {
		const struct op *op = &story->ops[i];
		const struct advert *advert = op->has_advert ? &op->advert : NULL;
		enum err err = ERR_OK;

		if (op->kind == OP_KNOWN)
			err = put_known(s, crawl, &op->advert.addr, advert, op->at_ms);
		else if (op->kind == OP_VISIT)
			err = put_visit(s, crawl, &op->record);
		else if (op->kind == OP_ADVERT)
			err = put_advert(s, crawl, &op->from, &op->advert, op->at_ms);
		assert_int_equal(err, ERR_OK);
		if (op->kind < OP_FLUSH)
			continue;
		commit(s);
		by_another(side, story, op);
		assert_int_equal(store_begin(s), ERR_OK);
	}
	commit(s);
}

static void tell_singly(const struct side *side, const struct story *story,
			const struct store_crawl *crawl)
{
	struct store *s = side->store;

	for (unsigned i = 0; i < OPS; i++) {
		const struct op *op = &story->ops[i];
		const struct advert *advert = op->has_advert ? &op->advert : NULL;
		enum err err = ERR_OK;

		if (op->kind == OP_KNOWN)
			err = store_put_known(s, crawl, &op->advert.addr, advert, op->at_ms);
		else if (op->kind == OP_VISIT)
			err = store_put_visit(s, crawl, &op->record);
		else if (op->kind == OP_ADVERT)
			err = store_put_advert(s, crawl, &op->from, &op->advert, op->at_ms);
		assert_int_equal(err, ERR_OK);
		by_another(side, story, op);
	}
}

static void add_rows(sqlite3 *db, const char *sql, struct text *out)
{
	sqlite3_stmt *st;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		for (int c = 0; c < sqlite3_column_count(st); c++) {
			int type = sqlite3_column_type(st, c);
			const uint8_t *data = sqlite3_column_blob(st, c);

			text_printf(out, " %s=%d:", sqlite3_column_name(st, c), type);
			for (int i = 0; i < sqlite3_column_bytes(st, c); i++)
				text_printf(out, data[i] > 32 && data[i] < 127 ? "%c" : "\\%02x",
					    data[i]);
		}
		text_add(out, "\n");
	}
	sqlite3_finalize(st);
}

/* All tables of peers, with their addresses for the numbers of rows: a peer that was removed and
 * comes again may get another one. */
static void dump(const struct side *side, struct text *out)
{
	static const char *const tables[] = { "visits", "adverts", "nodes",    "node_visits",
					      "watch",  "changes", "sessions", "daily" };
	char sql[512];

	add_rows(side->store->db, "SELECT *, 0 AS id FROM peers ORDER BY network_id, key", out);
	for (unsigned i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		snprintf(sql, sizeof(sql),
			 "SELECT hex(p.key), t.*%s FROM %s t JOIN peers p ON p.id = t.peer_id"
			 " ORDER BY 1, 2, 3, 4",
			 i == 1 ? ", (SELECT hex(key) FROM peers WHERE id = t.from_id)" : "",
			 tables[i]);
		text_printf(out, "%s\n", tables[i]);
		add_rows(side->store->db, sql, out);
	}
}

/* Those of visits of a batch are in the order of their peers. */
static void number_visits(struct side *side)
{
	assert_int_equal(sqlite3_exec(side->store->db,
				      "UPDATE visits SET id = 1000000 + 1000 * crawl_id + (SELECT"
				      " count(*) FROM peers q WHERE q.key < (SELECT key FROM peers"
				      " WHERE id = peer_id))",
				      NULL, NULL, NULL),
			 SQLITE_OK);
}

static void side_close(struct side *side, struct text *out)
{
	number_visits(side);
	dump(side, out);
	store_close(side->store);
	store_close(side->another);
	db_remove(side->path);
}

static struct store_crawl begin(const struct side *side, const struct story *story, int64_t at_ms)
{
	struct store_crawl crawl = { .started_at_ms = at_ms, .every_ms = story->every_ms };

	snprintf(crawl.network, sizeof(crawl.network), "%s", story->network);
	assert_int_equal(store_crawl_begin(side->store, &crawl), ERR_OK);
	return crawl;
}

/* Shows the first line that is not the same. */
static void assert_same(const struct text *batches, const struct text *singly, uint64_t seed)
{
	const char *a = batches->data, *b = singly->data;
	size_t from = 0;

	for (size_t i = 0; a[i] == b[i]; i++) {
		if (a[i] == 0)
			return;
		from = a[i] == '\n' ? i + 1 : from;
	}
	fprintf(stderr, "in batches %.*s\nsingly     %.*s\n", (int)strcspn(a + from, "\n"),
		a + from, (int)strcspn(b + from, "\n"), b + from);
	fail_msg("seed %llu", (unsigned long long)seed);
}

static void compare(uint64_t seed, const char *network, uint64_t every_ms)
{
	struct story story = { .network = network, .every_ms = every_ms };
	struct random r = { seed };
	struct text texts[2] = { 0 };
	int64_t at_ms = 1780000000000;
	struct side batches, singly;

	side_open(&batches, "batches");
	side_open(&singly, "singly");
	for (unsigned c = 0; c < CRAWLS; c++) {
		struct store_crawl crawl = begin(&batches, &story, at_ms);
		struct store_crawl same = begin(&singly, &story, at_ms);

		make_story(&r, &story, strcmp(network, "ethereum") == 0, &at_ms);
		tell_batches(&batches, &story, &crawl);
		tell_singly(&singly, &story, &same);
	}
	side_close(&batches, &texts[0]);
	side_close(&singly, &texts[1]);
	assert_same(&texts[0], &texts[1], seed);
	text_clear(&texts[0]);
	text_clear(&texts[1]);
}

static void batches_are_as_single_rows(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= ROUNDS; seed++)
		compare(seed, "bitcoin", 0);
}

static void so_are_those_of_nodes(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= ROUNDS / 2; seed++)
		compare(seed, "ethereum", seed % 2 * 1000);
}

static void so_are_those_of_who_is_watched(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= ROUNDS; seed++)
		compare(seed, "bitcoin", 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(batches_are_as_single_rows, folder_set_up,
						folder_tear_down),
		cmocka_unit_test_setup_teardown(so_are_those_of_nodes, folder_set_up,
						folder_tear_down),
		cmocka_unit_test_setup_teardown(so_are_those_of_who_is_watched, folder_set_up,
						folder_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
