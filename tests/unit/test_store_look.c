/* test_store_look.c: what somebody sees who looks at a database while another one writes it. */
#include "store/look.h"

#include "support/store_rig.h"

static struct netaddr host(unsigned n)
{
	return netaddr_ipv4(0x01000000 + n, 8333);
}

static void visit(const struct store_crawl *crawl, unsigned n, const char *agent)
{
	struct record r = agent != NULL ? ok_record(host(n), slice_text(agent))
					: failed_record(host(n), OUTCOME_REFUSED);

	assert_int_equal(store_put_visit(store, crawl, &r), ERR_OK);
}

static void test_version(void **state)
{
	struct store *reader = open_db(folder.db, STORE_READ);
	int64_t before, now;

	(void)state;
	assert_int_equal(store_version(reader, &before), ERR_OK);
	assert_int_equal(store_version(reader, &now), ERR_OK);
	assert_int_equal(now, before);
	assert_false(store_is_copy(reader));
	begin_crawl(store, "bitcoin");
	assert_int_equal(store_version(reader, &now), ERR_OK);
	assert_int_not_equal(now, before);
	store_close(reader);
}

struct seen {
	char text[512];
};

static enum err on_network(void *ctx, const struct store_network *n)
{
	struct seen *seen = ctx;
	size_t len = strlen(seen->text);

	snprintf(seen->text + len, sizeof(seen->text) - len, "%s %d %d;", n->name, (int)n->crawls,
		 (int)n->newest_crawl);
	return ERR_OK;
}

static enum err on_crawl(void *ctx, const struct store_crawl *c)
{
	struct seen *seen = ctx;
	size_t len = strlen(seen->text);

	snprintf(seen->text + len, sizeof(seen->text) - len, "%d ", (int)c->id);
	return ERR_OK;
}

static void test_lists(void **state)
{
	static const struct {
		const char *network;
		int64_t below;
		size_t limit;
		const char *ids;
	} rows[] = {
		{ NULL, INT64_MAX, 9, "4 3 2 1 " },  { NULL, 3, 1, "2 " },
		{ "bitcoin", INT64_MAX, 2, "4 3 " }, { "bitcoin", 3, 2, "1 " },
		{ "sepolia", INT64_MAX, 2, "" },     { NULL, 1, 2, "" },
	};
	struct seen seen = { "" };

	(void)state;
	begin_crawl(store, "bitcoin");
	begin_crawl(store, "bitcoin-signet");
	begin_crawl(store, "bitcoin");
	begin_crawl(store, "bitcoin");
	assert_int_equal(store_networks(store, on_network, &seen), ERR_OK);
	assert_string_equal(seen.text, "bitcoin 3 4;bitcoin-signet 1 2;");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		seen.text[0] = 0;
		assert_int_equal(store_crawls_newest(store, rows[i].network, rows[i].below,
						     rows[i].limit, on_crawl, &seen),
				 ERR_OK);
		assert_string_equal(seen.text, rows[i].ids);
	}
}

static enum err on_recent(void *ctx, const struct store_recent *v)
{
	struct seen *seen = ctx;
	size_t len = strlen(seen->text);

	snprintf(seen->text + len, sizeof(seen->text) - len, "%d%s%.*s ", v->peer.addr.bytes[3],
		 v->reached ? "+" : "-", (int)v->agent.len,
		 v->agent.len > 0 ? (const char *)v->agent.data : "");
	/* Who was not reached has said none; an empty one is one. */
	assert_int_equal(v->has_agent, v->reached);
	return ERR_OK;
}

static void test_progress(void **state)
{
	struct store_crawl other = begin_crawl(store, "bitcoin-signet");
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct store_progress p = { 0 };
	struct netaddr known = host(9);
	struct seen seen = { "" };
	int64_t before;
	uint64_t n;

	(void)state;
	assert_int_equal(store_progress(store, crawl.id, &p), ERR_OK);
	assert_int_equal(p.visited + p.reached + p.fresh, 0);
	assert_int_equal(store_put_known(store, &crawl, &known, NULL, 1000), ERR_OK);
	visit(&crawl, 1, "/a/");
	visit(&other, 1, "/x/");
	visit(&crawl, 2, NULL);
	assert_int_equal(store_progress(store, crawl.id, &p), ERR_OK);
	assert_int_equal(p.visited, 2);
	assert_int_equal(p.reached, 1);
	assert_int_equal(p.fresh, 2);
	assert_int_equal(store_progress_known(store, crawl.id, &n), ERR_OK);
	assert_true(n >= 1);
	/* A late retry takes the place of the first try; another crawl is none of its business. */
	before = p.last_visit;
	visit(&crawl, 2, "/b/");
	visit(&other, 2, "/x/");
	visit(&crawl, 3, NULL);
	assert_int_equal(store_progress(store, crawl.id, &p), ERR_OK);
	assert_int_equal(p.visited, 3);
	assert_int_equal(p.reached, 2);
	assert_int_equal(p.fresh, 2);
	assert_int_equal(store_recent(store, crawl.id, before, 9, on_recent, &seen), ERR_OK);
	assert_string_equal(seen.text, "3- 2+/b/ ");
	seen.text[0] = 0;
	assert_int_equal(store_recent(store, crawl.id, 0, 1, on_recent, &seen), ERR_OK);
	assert_string_equal(seen.text, "3- ");
	assert_int_equal(store_progress(store, crawl.id, &p), ERR_OK);
	assert_int_equal(p.fresh, 0);
	assert_int_equal(p.visited, 3);
	visit(&crawl, 4, "");
	seen.text[0] = 0;
	assert_int_equal(store_recent(store, crawl.id, 0, 1, on_recent, &seen), ERR_OK);
	assert_string_equal(seen.text, "4+ ");
}

static enum err on_change(void *ctx, const struct store_change *c)
{
	struct seen *seen = ctx;
	size_t len = strlen(seen->text);

	snprintf(seen->text + len, sizeof(seen->text) - len, "%d %d%d;", (int)c->id, c->was.reached,
		 c->is.reached);
	return ERR_OK;
}

static void test_change_of(void **state)
{
	struct store_crawl a = begin_crawl(store, "bitcoin"), b = begin_crawl(store, "bitcoin");
	struct seen seen = { "" };

	(void)state;
	visit(&a, 1, "/a/"); /* peers are numbered as they come */
	visit(&a, 2, "/a/");
	visit(&b, 1, "/a/");
	visit(&b, 3, "/a/");
	assert_int_equal(store_changes(store, a.id, b.id, on_change, &seen), ERR_OK);
	assert_string_equal(seen.text, "1 11;2 10;3 01;");
	for (int id = 4; id > 0; id--) {
		static const char *const expected[] = { "", "1 11;", "2 10;", "3 01;", "" };

		seen.text[0] = 0;
		assert_int_equal(store_change_of(store, a.id, b.id, id, on_change, &seen), ERR_OK);
		assert_string_equal(seen.text, expected[id]);
	}
}

static enum err on_difference(void *ctx, int64_t id, enum store_difference what)
{
	static const char words[] = "-+*?";
	struct seen *seen = ctx;
	size_t len = strlen(seen->text);

	snprintf(seen->text + len, sizeof(seen->text) - len, "%d%c ", (int)id, words[what]);
	return ERR_OK;
}

/* Who is the same in both is passed over, and nobody else. */
static void test_differences(void **state)
{
	struct store_crawl before = begin_crawl(store, "bitcoin");
	struct store_crawl a = begin_crawl(store, "bitcoin"), b = begin_crawl(store, "bitcoin");
	struct seen seen = { "" };

	(void)state;
	visit(&before, 1, "/a/");
	visit(&before, 2, "/a/");
	visit(&a, 3, "/a/");
	visit(&b, 5, "/a/"); /* crawls that go on side by side */
	visit(&a, 1, "/a/");
	visit(&a, 4, "/a/");
	visit(&a, 6, NULL);
	visit(&b, 4, NULL);
	visit(&b, 3, "/b/");
	visit(&b, 2, "/a/");
	visit(&b, 1, "/a/");
	visit(&b, 6, NULL);
	/* Peers are numbered as they come: 1, 2, 3, 5, 4, 6. */
	assert_int_equal(store_differences(store, a.id, b.id, on_difference, &seen), ERR_OK);
	assert_string_equal(seen.text, "2* 3? 4+ 5- ");
	seen.text[0] = 0;
	assert_int_equal(store_differences(store, b.id, b.id, on_difference, &seen), ERR_OK);
	assert_string_equal(seen.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_version, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(test_lists, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(test_progress, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(test_change_of, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(test_differences, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
