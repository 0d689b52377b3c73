#include "web/census.h"

#include "support/sql.h"
#include "support/store_rig.h"
#include "web/census_inner.h"

#include <pthread.h>
#include <stdatomic.h>

static struct store_peer told_of(const char *addr, const char *agent)
{
	struct store_peer t = { .network = "bitcoin",
				.visited = true,
				.reached = true,
				.has_version = true,
				.agent = slice_text(agent),
				.protocol = 70016,
				.last_reached_ms = 1,
				.first_seen_ms = 1 };

	assert_int_equal(netaddr_parse(slice_text(addr), 8333, &t.addr), ERR_OK);
	return t;
}

static void put_told(struct census *c, int64_t id, const struct store_peer *t)
{
	struct census_news *n = calloc(1, sizeof(*n));

	assert_non_null(n);
	assert_int_equal(census_news_init(n, id, t, NULL), ERR_OK);
	assert_int_equal(census_table_put(c->table, n), ERR_OK);
	free(n);
}

static uint64_t count_of(const struct census *c, const char *text)
{
	struct census_filter f = CENSUS_FILTER_ANY;
	struct census_page page = { .limit = 1 };
	struct census_found found;
	int64_t id;

	f.text = text;
	assert_int_equal(census_find(c, &f, &page, &id, &found), ERR_OK);
	return found.total;
}

static void finds_what_people_paste(void **state)
{
	static const struct {
		const char *text;
		uint64_t count;
	} rows[] = {
		{ "1.2.3.4", 1 },
		{ "1.2.3.4:8333", 1 },
		{ "1.2.3.4:8334", 0 },
		{ "bitcoin://1.2.3.4:8333", 1 },
		{ "1.2.3.", 1 },
		{ ".3.", 2 },
		{ "2.3", 2 },
		{ "1.2.3.4.5", 0 },
		{ "2A01:04F8:0::0001", 1 },
		{ "[2a01:4f8::1]:8333", 1 },
		{ "2a01:4f8", 1 },
		{ "::1", 1 },
		{ "::", 1 },
		{ ":", 4 },
		{ "4f8:0", 0 },
		{ "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", 1 },
		{ "PG6MMJIY", 1 },
		{ "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscrye", 0 },
		{ "pg6mmjiy.onion", 0 },
		{ ".onion", 1 },
		{ "ukeu3k5oycga", 1 },
		{ "b32", 1 },
		{ "satoshi", 4 },
		{ "SATOSHI:27", 4 },
		{ "\\x01", 0 },
		{ "%n%s%d", 0 },
	};
	struct census *c;
	struct store_peer t;
	static const char *const addresses[] = {
		"1.2.3.4",
		"12.3.40.1",
		"[2a01:4f8::1]:8333",
		"pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333",
		"ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p:0",
	};
	char long_text[2000];

	(void)state;
	assert_int_equal(census_new(NULL, &c), ERR_OK);
	for (size_t i = 0; i < 5; i++) {
		t = told_of(addresses[i], i < 4 ? "/Satoshi:27.0.0/" : "");
		put_told(c, (int64_t)i + 1, &t);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s\n", rows[i].text);
		assert_int_equal(count_of(c, rows[i].text), rows[i].count);
	}
	memset(long_text, '1', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = 0;
	assert_int_equal(count_of(c, long_text), 0);
	census_free(c);
}

static void cursors_are_none_but_ours(void **state)
{
	static const char *const bad[] = {
		"",
		"a",
		"a.",
		"a.1",
		"a.1.",
		"A.1.5",
		"a.1.5.6",
		"a.1.xyz",
		"a.fffffffff.1",
		"a..1",
		"a.1.--",
		"h.1.zz",
		"h.1.0102",
		"g.1.abc",
		"g.1.",
		"h.1.",
		"h.1.01010203040",
		"\xff",
		"a.1.11112222333344445",
	};
	struct census_filter f = CENSUS_FILTER_ANY;
	struct store_peer t = told_of("1.2.3.4", "/x/");
	struct census *c;

	(void)state;
	assert_int_equal(census_new(NULL, &c), ERR_OK);
	put_told(c, 1, &t);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		for (unsigned sort = 0; sort < CENSUS_SORTS; sort++) {
			struct census_page page = { .sort = (enum census_sort)sort,
						    .limit = 1,
						    .after = bad[i] };
			struct census_found found;
			int64_t id;

			assert_int_equal(census_find(c, &f, &page, &id, &found), ERR_SYNTAX);
		}
	}
	census_free(c);
}

/* Somebody between two pages who is gone, or says something else, moves nobody else. */
static void pages_go_on_behind_who_is_gone(void **state)
{
	struct census_filter f = CENSUS_FILTER_ANY;
	struct census_page page = { .sort = CENSUS_BY_AGENT, .limit = 2 };
	struct census_found found;
	char after[CENSUS_CURSOR_MAX];
	struct store_peer t;
	int64_t ids[9];
	struct census *c;

	(void)state;
	assert_int_equal(census_new(NULL, &c), ERR_OK);
	for (int i = 1; i <= 5; i++) {
		char agent[8];

		snprintf(agent, sizeof(agent), "/%c/", 'a' + i);
		t = told_of("1.2.3.4", agent);
		put_told(c, i, &t);
	}
	assert_int_equal(census_find(c, &f, &page, ids, &found), ERR_OK);
	assert_int_equal(ids[1], 2);
	memcpy(after, found.next, sizeof(after));
	t = told_of("1.2.3.4", "/zz/");
	put_told(c, 2, &t);
	page.after = after;
	page.limit = 9;
	assert_int_equal(census_find(c, &f, &page, ids, &found), ERR_OK);
	assert_int_equal(found.count, 4);
	assert_int_equal(ids[0], 3);
	assert_int_equal(ids[3], 2);
	census_free(c);
}

static void invented_agents_end_as_others(void **state)
{
	/* Escaped each is four times as long: the bytes are used up first. */
	enum { INVENTED = CENSUS_NAMES_BYTES / (4 * PEER_AGENT_MAX) + 1000 };
	struct census_filter f = CENSUS_FILTER_ANY;
	struct census_facets facets;
	struct store_peer t = told_of("1.2.3.4", "/real/");
	uint8_t agent[PEER_AGENT_MAX] = { 0 };
	struct census *c;
	bool others = false;

	(void)state;
	assert_int_equal(census_new(NULL, &c), ERR_OK);
	put_told(c, 1, &t);
	put_told(c, 2, &t);
	t.agent = slice_of(agent, sizeof(agent));
	for (uint32_t i = 0; i < INVENTED; i++) {
		memcpy(agent, &i, sizeof(i));
		put_told(c, 3 + i, &t);
	}
	assert_true(census_bytes(c) < 64 * 1024 * 1024);
	assert_int_equal(census_facets(c, &f, 10, &facets), ERR_OK);
	assert_int_equal(facets.total, INVENTED + 2);
	for (size_t i = 0; i < facets.counts[CENSUS_AGENTS]; i++) {
		const struct census_count *row = &facets.rows[CENSUS_AGENTS][i];

		if (row->value[0] == 0) {
			assert_string_equal(row->text, "others");
			assert_true(row->count > 900);
			others = true;
		}
	}
	assert_true(others);
	assert_string_equal(facets.rows[CENSUS_AGENTS][1].value, "/real/");
	census_facets_clear(&facets);
	census_free(c);
}

static void names_are_few_and_each_once(void **state)
{
	struct hash_key key = { 1, 2 };
	struct names n;
	uint32_t a, b, x;

	(void)state;
	assert_int_equal(names_init(&n, &key, 2), ERR_OK);
	assert_int_equal(names_put(&n, "a", &a), ERR_OK);
	assert_int_equal(names_put(&n, "others", &b), ERR_OK);
	assert_int_equal(names_put(&n, "c", &x), ERR_OK);
	assert_int_equal(x, NAMES_OTHERS);
	assert_true(a >= NAMES_FIRST && b >= NAMES_FIRST && a != b);
	assert_int_equal(names_put(&n, "a", &x), ERR_OK);
	assert_int_equal(x, a);
	assert_int_equal(names_find(&n, "others"), b);
	assert_int_equal(names_find(&n, "c"), NAMES_NONE);
	assert_int_equal(names_find(&n, ""), NAMES_NONE);
	names_clear(&n);
}

static void numbers_have_ends(void **state)
{
	struct census_news *n = calloc(1, sizeof(*n));
	struct store_peer t = told_of("1.2.3.4", "/x/");

	(void)state;
	t.height = INT64_MAX;
	t.protocol = INT64_MIN;
	t.last_seen_ms = INT64_MAX;
	t.connect_ms = INT32_MAX;
	t.crawl_id = INT64_MAX;
	assert_int_equal(census_news_init(n, UINT32_MAX, &t, NULL), ERR_OK);
	assert_int_equal(n->row.height, INT32_MAX);
	assert_int_not_equal(n->row.protocol, CENSUS_PROTOCOL_NONE);
	assert_int_equal(n->row.seen_s, UINT32_MAX);
	assert_int_not_equal(n->row.latency_ms, CENSUS_LATENCY_NONE);
	assert_int_equal(census_news_init(n, 1LL << 32, &t, NULL), ERR_LIMIT);
	assert_int_equal(census_news_init(n, 0, &t, NULL), ERR_LIMIT);
	free(n);
}

/* --- with a store --- */

static struct netaddr nth(uint32_t i)
{
	return netaddr_ipv4(0x05000000 + i, 8333);
}

static void visit(struct store *s, const struct store_crawl *crawl, uint32_t i, const char *agent)
{
	struct record r = agent != NULL ? ok_record(nth(i), slice_text(agent))
					: failed_record(nth(i), OUTCOME_CONNECT_TIMEOUT);
	struct netaddr addr = nth(i);

	assert_int_equal(store_put_known(s, crawl, &addr, NULL, r.started_at_ms), ERR_OK);
	assert_int_equal(store_put_visit(s, crawl, &r), ERR_OK);
}

static void follows_the_store(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct store_crawl other = begin_crawl(store, "bitcoin-signet");
	struct census_network sums[4];
	struct census *c;
	uint64_t version;

	(void)state;
	assert_int_equal(census_new(NULL, &c), ERR_OK);
	assert_int_equal(store_begin(store), ERR_OK);
	for (uint32_t i = 0; i < 600; i++)
		visit(store, &crawl, i, i % 2 ? "/one/" : NULL);
	assert_int_equal(store_commit(store), ERR_OK);
	assert_int_equal(census_refresh(c, store, 0), ERR_OK);
	assert_int_equal(count_of(c, "/one/"), 300);
	assert_int_equal(count_of(c, "5.0.0.7"), 10 + 1); /* .7, .70 .. .79 */
	version = census_version(c);
	assert_int_equal(census_refresh(c, store, 1000), ERR_OK);
	assert_int_equal(census_version(c), version);
	crawl = begin_crawl(store, "bitcoin");
	visit(store, &crawl, 1, "/two/");
	visit(store, &crawl, 3, NULL);
	visit(store, &crawl, 1000, "/two/");
	visit(store, &other, 1, "/two/");
	assert_int_equal(census_refresh(c, store, 2000), ERR_OK);
	assert_true(census_version(c) > version);
	assert_int_equal(count_of(c, "/one/"), 299); /* what 3 said once is still known */
	assert_int_equal(count_of(c, "/two/"), 3);
	assert_int_equal(census_networks(c, sums, 4), 2);
	assert_string_equal(sums[0].name, "bitcoin");
	assert_int_equal(sums[0].peers, 601);
	assert_int_equal(sums[0].reached, 300);
	assert_int_equal(sums[0].outcomes[OUTCOME_CONNECT_TIMEOUT], 301);
	assert_string_equal(sums[1].name, "bitcoin-signet");
	assert_int_equal(sums[1].peers, 1);
	assert_int_equal(census_networks(c, sums, 1), 2);
	census_free(c);
}

/* What is gone from the store is gone when everything is read again. */
static void sweeps(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct census *c;

	(void)state;
	assert_int_equal(census_new(NULL, &c), ERR_OK);
	for (uint32_t i = 0; i < 10; i++)
		visit(store, &crawl, i, "/one/");
	assert_int_equal(census_refresh(c, store, 0), ERR_OK);
	store_close(store);
	run_sql(folder.db, "PRAGMA foreign_keys = OFF; DELETE FROM visits WHERE peer_id <= 4;"
			   "DELETE FROM peers WHERE id <= 4");
	store = open_db(folder.db, STORE_WRITE);
	assert_int_equal(census_refresh(c, store, CENSUS_SWEEP_MS - 1), ERR_OK);
	assert_int_equal(count_of(c, "/one/"), 10);
	assert_int_equal(census_refresh(c, store, CENSUS_SWEEP_MS), ERR_OK);
	assert_int_equal(count_of(c, "/one/"), 6);
	census_free(c);
}

struct asker {
	struct census *census;
	_Atomic bool stop;
};

static void *read_on(void *ctx)
{
	struct asker *reader = ctx;
	size_t passes = 0;

	for (; !reader->stop; passes++) {
		struct census_filter f = CENSUS_FILTER_ANY;
		struct census_page page = { .sort = (enum census_sort)(passes % CENSUS_SORTS),
					    .limit = 9 };
		struct census_facets facets;
		struct census_found found;
		int64_t ids[9];

		f.text = passes % 2 ? "5.0" : "one";
		if (census_find(reader->census, &f, &page, ids, &found) != ERR_OK ||
		    census_facets(reader->census, &f, 5, &facets) != ERR_OK)
			return NULL;
		census_facets_clear(&facets);
		census_networks(reader->census, NULL, 0);
	}
	return reader;
}

static void many_read_while_one_refreshes(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct asker reader = { 0 };
	pthread_t threads[3];

	(void)state;
	assert_int_equal(census_new(NULL, &reader.census), ERR_OK);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, &reader), 0);
	for (uint32_t round = 0; round < 20; round++) {
		assert_int_equal(store_begin(store), ERR_OK);
		for (uint32_t i = 0; i < 100; i++) {
			char agent[32];

			snprintf(agent, sizeof(agent), "/one:%u/", (round + i) % 37);
			visit(store, &crawl, round * 50 + i, agent);
		}
		assert_int_equal(store_commit(store), ERR_OK);
		/* Now and then all of it. */
		assert_int_equal(
			census_refresh(reader.census, store, round / 7 * (int64_t)CENSUS_SWEEP_MS),
			ERR_OK);
	}
	assert_int_equal(count_of(reader.census, "/one"), 20 * 50 + 50);
	reader.stop = true;
	for (unsigned i = 0; i < 3; i++) {
		void *fine;

		assert_int_equal(pthread_join(threads[i], &fine), 0);
		assert_non_null(fine);
	}
	census_free(reader.census);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_people_paste),
		cmocka_unit_test(cursors_are_none_but_ours),
		cmocka_unit_test(pages_go_on_behind_who_is_gone),
		cmocka_unit_test(invented_agents_end_as_others),
		cmocka_unit_test(names_are_few_and_each_once),
		cmocka_unit_test(numbers_have_ends),
		cmocka_unit_test_setup_teardown(follows_the_store, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(sweeps, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(many_read_while_one_refreshes, store_set_up,
						store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
