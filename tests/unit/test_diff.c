/* test_diff.c: what changed between two crawls: each kind of change, and the counts. */
#include "report/diff.h"

#include "store/sql.h"

#include "support/nodes.h"
#include "support/store_rig.h"

#include <sqlite3.h>

#define SIDE(...)                                                 \
	{                                                         \
		.visited = true, .has_version = true, __VA_ARGS__ \
	}
#define UP(...)  SIDE(.reached = true, .outcome = OUTCOME_OK, __VA_ARGS__)
#define AGENT(s) .agent = { (const uint8_t *)(s), sizeof(s) - 1 }

static const uint8_t a_key[PEER_NODE_ID_MAX];

/* One peer, as two crawls may see it. */
static const struct {
	const char *name;
	struct store_change_side was, is;
	bool back, is_node;
	enum diff_kind kind;
	unsigned fields;
} rows[] = {
	{ "came", { 0 }, UP(AGENT("/a/")), .kind = DIFF_NEW },
	{ "came, known before", SIDE(.outcome = OUTCOME_REFUSED), UP(AGENT("/a/")),
	  .kind = DIFF_NEW },
	{ "came back", { 0 }, UP(AGENT("/a/")), .back = true, .kind = DIFF_BACK },
	{ "left", UP(AGENT("/a/")), SIDE(.outcome = OUTCOME_REFUSED), .kind = DIFF_LEFT },
	{ "left, not visited", UP(AGENT("/a/")), { 0 }, .kind = DIFF_LEFT },
	{ "left, and said another name", UP(AGENT("/a/")), SIDE(AGENT("/b/")), .kind = DIFF_LEFT },
	{ "stayed", UP(AGENT("/a/"), .protocol = 7), UP(AGENT("/a/"), .protocol = 7),
	  .kind = DIFF_SAME },
	{ "another agent", UP(AGENT("/a/")), UP(AGENT("/b/")), .kind = DIFF_CHANGED,
	  .fields = 1 << DIFF_FIELD_AGENT },
	{ "agents with NUL", UP(AGENT("a\0b")), UP(AGENT("a\0c")), .kind = DIFF_CHANGED,
	  .fields = 1 << DIFF_FIELD_AGENT },
	{ "an empty agent is one", UP(AGENT("/a/")), UP(AGENT("")), .kind = DIFF_CHANGED,
	  .fields = 1 << DIFF_FIELD_AGENT },
	{ "but not of a node without a session", UP(AGENT("/a/")), UP(AGENT("")), .is_node = true,
	  .kind = DIFF_SAME },
	{ "another protocol, other services", UP(.protocol = 1, .services = 9),
	  UP(.protocol = 2, .services = UINT64_MAX), .kind = DIFF_CHANGED,
	  .fields = 1 << DIFF_FIELD_PROTOCOL | 1 << DIFF_FIELD_SERVICES },
	{ "a node agreed on no protocol once", UP(.protocol = 68), UP(.protocol = 0),
	  .is_node = true, .kind = DIFF_SAME },
	{ "said nothing the second time",
	  UP(AGENT("/a/"), .protocol = 1),
	  { .visited = true, .reached = true },
	  .kind = DIFF_SAME },
	{ "another record and fork", UP(.has_record_seq = true, .record_seq = 1, .has_fork = true),
	  UP(.has_record_seq = true, .record_seq = 2, .has_fork = true, .fork_hash = { 1 }),
	  .is_node = true, .kind = DIFF_CHANGED,
	  .fields = 1 << DIFF_FIELD_RECORD | 1 << DIFF_FIELD_FORK },
	{ "no record the second time", UP(.has_record_seq = true, .record_seq = 1), UP(),
	  .is_node = true, .kind = DIFF_SAME },
};

static void kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct store_change c = { .was = rows[i].was,
					  .is = rows[i].is,
					  .back = rows[i].back };

		if (rows[i].is_node)
			c.public = slice_of(a_key, sizeof(a_key));
		print_message("%s\n", rows[i].name);
		assert_string_equal(diff_kind_name(diff_kind(&c)), diff_kind_name(rows[i].kind));
		assert_int_equal(diff_fields(&c), rows[i].fields);
	}
}

static void visit(const struct store_crawl *crawl, unsigned host, const char *agent)
{
	struct netaddr addr = netaddr_ipv4(0x01000000 + host, 8333);
	struct record r = agent != NULL ? ok_record(addr, slice_text(agent))
					: failed_record(addr, OUTCOME_REFUSED);

	assert_int_equal(store_put_visit(store, crawl, &r), ERR_OK);
}

/* Four crawls: the first is long ago, another network's stands between, the last is later. */
static void fill(struct store_crawl *a, struct store_crawl *b)
{
	struct store_crawl old = begin_crawl(store, "bitcoin"), later, other;

	visit(&old, 7, "/back/");
	visit(&old, 8, NULL);
	*a = begin_crawl(store, "bitcoin");
	other = begin_crawl(store, "bitcoin-signet");
	*b = begin_crawl(store, "bitcoin");
	later = begin_crawl(store, "bitcoin");
	visit(a, 1, "/old/");
	visit(a, 2, "/old/");
	visit(a, 3, "/old/");
	visit(a, 4, "/gone/");
	visit(a, 5, "/gone/");
	visit(a, 6, NULL);
	visit(&other, 9, "/signet/");
	visit(b, 1, "/old/");
	visit(b, 2, "/new\x1b[2J/");
	visit(b, 3, "/new\x1b[2J/");
	visit(b, 4, NULL);
	visit(b, 6, "/came/");
	visit(b, 7, "/back/");
	visit(b, 8, "/new\x1b[2J/");
	visit(b, 9, "/came/");
	/* What came after b makes nobody in it one who is back. */
	visit(&later, 6, "/came/");
	visit(&later, 8, "/came/");
}

static struct diff gather(const struct store_crawl *a, const struct store_crawl *b, size_t top)
{
	struct diff_options ask = { .a = *a, .b = *b, .top = top, .key = { 1, 2 } };
	struct diff d;

	assert_int_equal(diff_gather(store, &ask, &d), ERR_OK);
	return d;
}

static void counts(void **state)
{
	static const struct diff_agent want[] = {
		{ (char *)"/new\\x1b[2J/", 0, 3 }, { (char *)"/came/", 0, 2 },
		{ (char *)"/gone/", 2, 0 },        { (char *)"/old/", 3, 1 },
		{ (char *)"/back/", 0, 1 },
	};
	struct store_crawl a, b;
	struct diff d;

	(void)state;
	fill(&a, &b);
	d = gather(&a, &b, 0);
	assert_int_equal(d.kinds[DIFF_NEW], 3);
	assert_int_equal(d.kinds[DIFF_BACK], 1);
	assert_int_equal(d.kinds[DIFF_LEFT], 2);
	assert_int_equal(d.kinds[DIFF_CHANGED], 2);
	assert_int_equal(d.kinds[DIFF_SAME], 1);
	assert_int_equal(d.reached_a, 5);
	assert_int_equal(d.reached_b, 7);
	assert_int_equal(d.outcomes[OUTCOME_REFUSED], 1);
	assert_int_equal(d.unvisited, 1);
	assert_int_equal(d.fields[DIFF_FIELD_AGENT], 2);
	assert_int_equal(d.fields[DIFF_FIELD_SERVICES], 0);
	assert_int_equal(d.agents_moved, 5);
	assert_int_equal(d.agents_count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(d.agents[i].label, want[i].label);
		assert_int_equal(d.agents[i].was, want[i].was);
		assert_int_equal(d.agents[i].is, want[i].is);
	}
	diff_clear(&d);
	d = gather(&a, &b, 2);
	assert_int_equal(d.agents_count, 2);
	assert_int_equal(d.agents_moved, 5);
	diff_clear(&d);
	/* The other way round: who came has left, and nobody was there before a but 7. */
	d = gather(&b, &a, 0);
	assert_int_equal(d.kinds[DIFF_NEW], 2);
	assert_int_equal(d.kinds[DIFF_BACK], 0);
	assert_int_equal(d.kinds[DIFF_LEFT], 4);
	assert_int_equal(d.outcomes[OUTCOME_REFUSED], 1);
	assert_int_equal(d.unvisited, 3);
	diff_clear(&d);
}

static enum err collect(void *ctx, const struct store_change *c, enum diff_kind kind,
			unsigned fields)
{
	struct store_crawl crawl = { .network = "bitcoin" };
	struct diff d = { .b = crawl };
	json_t *one = diff_peer_json(&d, c, kind, fields);

	assert_non_null(one);
	json_array_append_new(ctx, one);
	return ERR_OK;
}

static const char *at(const json_t *list, size_t i, const char *key, const char *inner)
{
	json_t *value = json_object_get(json_array_get(list, i), key);

	return json_string_value(inner != NULL ? json_object_get(value, inner) : value);
}

static void peers(void **state)
{
	static const struct {
		const char *peer, *change;
	} want[] = {
		{ "bitcoin://1.0.0.7:8333", "back" },    { "bitcoin://1.0.0.8:8333", "new" },
		{ "bitcoin://1.0.0.2:8333", "changed" }, { "bitcoin://1.0.0.3:8333", "changed" },
		{ "bitcoin://1.0.0.4:8333", "left" },    { "bitcoin://1.0.0.5:8333", "left" },
		{ "bitcoin://1.0.0.6:8333", "new" },     { "bitcoin://1.0.0.9:8333", "new" },
	};
	json_t *list = json_array();
	struct store_crawl a, b;
	struct diff d;

	(void)state;
	fill(&a, &b);
	d = gather(&a, &b, 0);
	assert_int_equal(diff_peers(store, &d, collect, list), ERR_OK);
	assert_int_equal(json_array_size(list), 8);
	for (size_t i = 0; i < 8; i++) {
		assert_string_equal(at(list, i, "peer", NULL), want[i].peer);
		assert_string_equal(at(list, i, "change", NULL), want[i].change);
	}
	assert_string_equal(at(list, 2, "was", "agent"), "/old/");
	assert_string_equal(at(list, 2, "is", "agent"), "/new\\x1b[2J/");
	assert_string_equal(at(list, 4, "is", "outcome"), "refused");
	assert_true(json_is_null(json_object_get(json_array_get(list, 5), "is")));
	json_decref(list);
	diff_clear(&d);
}

static void json(void **state)
{
	struct store_crawl a, b;
	struct diff d;
	json_t *doc, *agent;
	json_int_t came, fresh, back, left, unvisited, refused, stayed, changed, agents;

	(void)state;
	fill(&a, &b);
	d = gather(&a, &b, 1);
	doc = diff_json(&d);
	assert_int_equal(json_unpack(doc,
				     "{s:{s:I s:I s:I} s:{s:I s:I s:{s:I}} s:{s:I s:I s:{s:I}}}",
				     "came", "total", &came, "new", &fresh, "back", &back, "left",
				     "total", &left, "not_visited", &unvisited, "outcomes",
				     "refused", &refused, "stayed", "total", &stayed, "changed",
				     &changed, "fields", "agent", &agents),
			 0);
	assert_int_equal(came, 4);
	assert_int_equal(fresh, 3);
	assert_int_equal(back, 1);
	assert_int_equal(left, 2);
	assert_int_equal(unvisited, 1);
	assert_int_equal(refused, 1);
	assert_int_equal(stayed, 3);
	assert_int_equal(changed, 2);
	assert_int_equal(agents, 2);
	agent = json_array_get(json_object_get(json_object_get(doc, "agents"), "rows"), 0);
	assert_string_equal(json_string_value(json_object_get(agent, "value")), "/new\\x1b[2J/");
	assert_int_equal(json_integer_value(json_object_get(agent, "change")), 3);
	json_decref(doc);
	diff_clear(&d);
}

/* One key, twice: at the same address it stayed, with another record; the other has moved. */
static void nodes(void **state)
{
	struct node_key stays = node_key(1), moves = node_key(2);
	struct node_info node = full_node();
	struct store_crawl a = begin_crawl(store, "ethereum"), b = begin_crawl(store, "ethereum");
	struct record r = node_record("1.2.3.4:30303", &stays, &node);
	struct diff d;

	(void)state;
	assert_int_equal(store_put_visit(store, &a, &r), ERR_OK);
	node.record_seq++;
	node.chain.fork_hash[0]++;
	assert_int_equal(store_put_visit(store, &b, &r), ERR_OK);
	r = node_record("1.2.3.5:30303", &moves, &node);
	assert_int_equal(store_put_visit(store, &a, &r), ERR_OK);
	r = node_record("1.2.3.6:30303", &moves, &node);
	assert_int_equal(store_put_visit(store, &b, &r), ERR_OK);
	d = gather(&a, &b, 0);
	assert_int_equal(d.kinds[DIFF_CHANGED], 1);
	assert_int_equal(d.fields[DIFF_FIELD_RECORD], 1);
	assert_int_equal(d.fields[DIFF_FIELD_FORK], 1);
	assert_int_equal(d.fields[DIFF_FIELD_SERVICES], 0);
	assert_int_equal(d.kinds[DIFF_LEFT], 1);
	assert_int_equal(d.kinds[DIFF_NEW], 1);
	diff_clear(&d);
}

/* However many peers there are, SQLite sorts and keeps none of them. */
static void streams(void **state)
{
	char question[4096];
	sqlite3_stmt *st;
	sqlite3 *db;
	unsigned steps = 0;

	(void)state;
	assert_true(snprintf(question, sizeof(question), "EXPLAIN QUERY PLAN %s",
			     sql_text(SQL_CHANGES)) < (int)sizeof(question));
	assert_int_equal(sqlite3_open(folder.db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, question, -1, &st, NULL), SQLITE_OK);
	for (; sqlite3_step(st) == SQLITE_ROW; steps++) {
		const char *step = (const char *)sqlite3_column_text(st, 3);

		print_message("%s\n", step);
		assert_null(strstr(step, "TEMP B-TREE"));
		assert_null(strstr(step, "SCAN"));
	}
	assert_true(steps > 10);
	sqlite3_finalize(st);
	sqlite3_close(db);
}

/* Which crawl a time stands for. */
static void crawls_by_time(void **state)
{
	struct store_crawl one = { .network = "bitcoin", .started_at_ms = 1000, .settings = "{}" };
	struct store_crawl two = { .network = "gossip", .started_at_ms = 2000, .settings = "{}" };
	struct store_crawl three = { .network = "bitcoin",
				     .started_at_ms = 3000,
				     .settings = "{}" };
	struct store_crawl got;

	(void)state;
	assert_int_equal(store_crawl_begin(store, &one), ERR_OK);
	assert_int_equal(store_crawl_begin(store, &two), ERR_OK);
	assert_int_equal(store_crawl_begin(store, &three), ERR_OK);
	assert_int_equal(store_crawl_at(store, 2999, "bitcoin", &got), ERR_OK);
	assert_int_equal(got.id, one.id);
	assert_int_equal(store_crawl_at(store, 3000, "bitcoin", &got), ERR_OK);
	assert_int_equal(got.id, three.id);
	assert_int_equal(store_crawl_at(store, 2500, NULL, &got), ERR_OK);
	assert_int_equal(got.id, two.id);
	assert_int_equal(store_crawl_at(store, 999, NULL, &got), ERR_NOT_FOUND);
	assert_non_null(strstr(store_why(store), "no crawl begun by 1970-01-01T00:00:00Z"));
	assert_int_equal(store_crawl_before(store, &three, &got), ERR_OK);
	assert_int_equal(got.id, one.id);
	assert_int_equal(store_crawl_before(store, &one, &got), ERR_NOT_FOUND);
	assert_non_null(strstr(store_why(store), "no crawl before crawl 1 of bitcoin"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test_setup_teardown(counts, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(peers, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(json, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(nodes, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(streams, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(crawls_by_time, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
