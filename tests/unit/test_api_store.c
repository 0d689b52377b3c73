/* The library's view of a database: what crawls have kept is told as it was. */
#include "peerwalk.h"
#include "support/nodes.h"
#include "support/sql.h"
#include "support/store_rig.h"

#include "store/book.h"
#include "store/writer.h"

static struct pw_store *opened(void)
{
	struct pw_store *s;

	assert_int_equal(pw_store_open(folder.db, &s), PW_OK);
	assert_string_equal(pw_store_why(s), "");
	return s;
}

static void put(struct store_crawl *crawl, const struct record *r)
{
	assert_int_equal(store_begin(store), ERR_OK);
	assert_int_equal(store_put_known(store, crawl, &r->addr,
					 r->node != NULL
						 ? &(struct advert){ .addr = r->addr,
								     .node_id = r->info.node_id }
						 : NULL,
					 1780000000500),
			 ERR_OK);
	assert_int_equal(store_put_visit(store, crawl, r), ERR_OK);
	assert_int_equal(store_commit(store), ERR_OK);
}

/* --- crawls --- */

struct crawls {
	unsigned count, most;
	struct pw_kept_crawl last;
	char network[64], settings[64];
};

static bool on_crawl(void *ctx, const struct pw_kept_crawl *c)
{
	struct crawls *seen = ctx;

	seen->count++;
	seen->last = *c;
	snprintf(seen->network, sizeof(seen->network), "%s", c->network);
	snprintf(seen->settings, sizeof(seen->settings), "%s", c->settings);
	return seen->count != seen->most;
}

static void test_crawls(void **state)
{
	struct store_crawl one = begin_crawl(store, "bitcoin"), two = begin_crawl(store, "signet");
	struct crawls seen = { 0 };
	struct pw_store *s = opened();

	(void)state;
	one.ended_at_ms = 1780000100000;
	one.complete = true;
	one.known = 10;
	one.visited = 9;
	one.reached = 3;
	one.adverts = 1000;
	one.bytes_in = 1ULL << 40;
	one.bytes_out = 77;
	assert_int_equal(store_crawl_end(store, &one), ERR_OK);

	assert_int_equal(pw_store_crawls(s, NULL, on_crawl, &seen), PW_OK);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.last.crawl, two.id);
	assert_string_equal(seen.network, "signet");
	assert_int_equal(seen.last.ended_at_ms, 0);
	assert_false(seen.last.complete);

	seen = (struct crawls){ 0 };
	assert_int_equal(pw_store_crawls(s, "bitcoin", on_crawl, &seen), PW_OK);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.settings, "{\"concurrency\":100}");
	assert_int_equal(seen.last.started_at_ms, one.started_at_ms);
	assert_int_equal(seen.last.ended_at_ms, one.ended_at_ms);
	assert_true(seen.last.complete);
	assert_int_equal(seen.last.known, 10);
	assert_int_equal(seen.last.visited, 9);
	assert_int_equal(seen.last.reached, 3);
	assert_int_equal(seen.last.adverts, 1000);
	assert_int_equal(seen.last.bytes_in, 1ULL << 40);
	assert_int_equal(seen.last.bytes_out, 77);

	/* A callback that has had enough is no error. */
	seen = (struct crawls){ .most = 1 };
	assert_int_equal(pw_store_crawls(s, NULL, on_crawl, &seen), PW_OK);
	assert_int_equal(seen.count, 1);
	seen = (struct crawls){ 0 };
	assert_int_equal(pw_store_crawls(s, "nowhere", on_crawl, &seen), PW_OK);
	assert_int_equal(seen.count, 0);
	pw_store_close(s);
}

/* --- peers and visits --- */

struct rows {
	unsigned count, most;
	char text[2048]; /* a line for each */
};

static bool note(struct rows *rows, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool note(struct rows *rows, const char *format, ...)
{
	size_t len = strlen(rows->text);
	va_list args;

	va_start(args, format);
	vsnprintf(rows->text + len, sizeof(rows->text) - len, format, args);
	va_end(args);
	return ++rows->count != rows->most;
}

static bool on_peer(void *ctx, const struct pw_kept_peer *p)
{
	return note(ctx, "%s %s %s %u %d %s %d %d %d %s %lld %lld %llu %llu\n", p->network, p->peer,
		    p->host, p->port, p->visited, p->visited ? pw_outcome_name(p->outcome) : "-",
		    p->reached, (int)p->connect_ms, (int)p->handshake_ms, p->info->agent,
		    (long long)p->info->height, (long long)p->last_reached_ms,
		    (unsigned long long)p->visits, (unsigned long long)p->visits_reached);
}

static bool on_visit(void *ctx, const struct pw_kept_visit *v)
{
	const struct pw_visit *w = v->visit;

	assert_true(w->final);
	return note(ctx, "%s %lld %s %s %u %s %s %d %d %d %u %s\n", v->network, (long long)v->crawl,
		    w->peer, w->host, w->port, pw_outcome_name(w->outcome),
		    w->rule != NULL ? w->rule : "-", (int)w->connect_ms, (int)w->reply_ms,
		    (int)w->total_ms, (unsigned)w->adverts, w->info->agent);
}

static void test_peers(void **state)
{
	struct store_crawl one = begin_crawl(store, "bitcoin"), two = begin_crawl(store, "bitcoin");
	struct record a = ok_record(addr_of("[2001:db8::7]:8333"), slice_of("/x\033/", 4));
	struct record b = failed_record(addr_of("192.0.2.1:8334"), OUTCOME_PROTOCOL_ERROR);
	struct rows rows = { 0 };
	struct pw_store *s;

	(void)state;
	b.rule = "a rule";
	put(&one, &a);
	put(&one, &b);
	a.outcome = OUTCOME_NO_PEERS;
	a.info.height = 900001;
	put(&two, &a);
	s = opened();

	assert_int_equal(pw_store_peers(s, NULL, 0, on_peer, &rows), PW_OK);
	assert_string_equal(rows.text,
			    "bitcoin [2001:db8::7]:8333 2001:db8::7 8333 1 no_peers 1 40 81 "
			    "/x\\x1b/ 900001 1780000001081 2 2\n"
			    "bitcoin 192.0.2.1:8334 192.0.2.1 8334 1 protocol_error 0 -1 -1 "
			    " -1 -1 1 0\n");
	rows = (struct rows){ 0 };
	assert_int_equal(pw_store_peers(s, "bitcoin", two.id, on_peer, &rows), PW_OK);
	assert_int_equal(rows.count, 1);
	rows = (struct rows){ .most = 1 };
	assert_int_equal(pw_store_peers(s, NULL, 0, on_peer, &rows), PW_OK);
	assert_int_equal(rows.count, 1);

	rows = (struct rows){ 0 };
	assert_int_equal(pw_store_visits(s, NULL, one.id, on_visit, &rows), PW_OK);
	assert_string_equal(rows.text,
			    "bitcoin 1 [2001:db8::7]:8333 2001:db8::7 8333 ok - 40 120 130 1000 "
			    "/x\\x1b/\n"
			    "bitcoin 1 192.0.2.1:8334 192.0.2.1 8334 protocol_error a rule -1 -1 "
			    "5000 0 \n");
	rows = (struct rows){ 0 };
	assert_int_equal(pw_store_visits(s, "bitcoin", 0, on_visit, &rows), PW_OK);
	assert_int_equal(rows.count, 3);
	rows = (struct rows){ 0 };
	assert_int_equal(pw_store_visits(s, NULL, 99, on_visit, &rows), PW_OK);
	assert_int_equal(pw_store_peers(s, "signet", 0, on_peer, &rows), PW_OK);
	assert_int_equal(rows.count, 0);
	pw_store_close(s);
}

/* --- nodes --- */

struct node_seen {
	unsigned count;
	char peer[512];
};

static void check_node(struct node_seen *seen, const char *peer, const struct pw_node *n)
{
	seen->count++;
	snprintf(seen->peer, sizeof(seen->peer), "%s", peer);
	assert_non_null(n);
	assert_int_equal(n->public_key.len, 64);
	assert_int_equal(n->tcp_port, 30303);
	assert_string_equal(n->completeness, "drained");
	assert_int_equal(n->entries, 143);
	assert_string_equal(n->record, NODE_RECORD_TEXT);
	assert_string_equal(n->session, "ok");
	assert_string_equal(n->capabilities, "eth/67 eth/68 snap/1");
	assert_string_equal(n->chain, "mainnet");
	assert_true(n->has_status);
	assert_int_equal(n->genesis[0], 0xd4);
}

static bool on_node(void *ctx, const struct pw_kept_peer *p)
{
	check_node(ctx, p->peer, p->node);
	return true;
}

static bool on_node_visit(void *ctx, const struct pw_kept_visit *v)
{
	check_node(ctx, v->visit->peer, v->visit->node);
	assert_string_equal(v->visit->node->faults, "expired 1, many 2");
	return true;
}

static void test_nodes(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "ethereum");
	struct node_key key = node_key(7);
	struct node_info node = full_node();
	struct record r = node_record("192.0.2.9:30301", &key, &node);
	struct node_seen seen = { 0 };
	struct pw_store *s;

	(void)state;
	put(&crawl, &r);
	s = opened();
	assert_int_equal(pw_store_peers(s, NULL, 0, on_node, &seen), PW_OK);
	assert_int_equal(seen.count, 1);
	assert_memory_equal(seen.peer, "enode://07beef", 14);
	assert_string_equal(strchr(seen.peer, '@'), "@192.0.2.9:30303?discport=30301");
	assert_int_equal(pw_store_visits(s, NULL, 0, on_node_visit, &seen), PW_OK);
	assert_int_equal(seen.count, 2);
	assert_string_equal(strchr(seen.peer, '@'), "@192.0.2.9:30303?discport=30301");
	pw_store_close(s);
}

/* --- address books --- */

static bool on_address(void *ctx, const struct pw_kept_address *a)
{
	return note(ctx, "%s %s %s %u %d %llu %lld %lld %lld %u\n", a->book, a->peer, a->host,
		    a->port, a->tried, (unsigned long long)a->services, (long long)a->named_s,
		    (long long)a->asked_s, (long long)a->good_s, (unsigned)a->failures);
}

static void keep(const char *book, const struct store_book_row *row)
{
	struct store_book *b;

	assert_int_equal(store_book_start(store, book, NULL, NULL, &b), ERR_OK);
	assert_true(store_book_put(b, row));
	assert_int_equal(store_book_stop(b), ERR_OK);
}

static void test_addresses(void **state)
{
	const struct store_book_row peer = { .addr = addr_of("[2001:db8::7]:5999"),
					     .services = 9,
					     .named_s = 1780000000,
					     .asked_s = 1780000001,
					     .good_s = 1780000002,
					     .failures = 3,
					     .tried = true };
	struct node_key key = node_key(7);
	const struct store_book_row node = { .addr = addr_of("192.0.2.9:30301"),
					     .node_id = key_slice(&key),
					     .tcp_port = 30303 };
	struct rows rows = { 0 };
	struct pw_store *s;

	(void)state;
	keep("gossip/here", &peer);
	keep("ethereum", &node);
	s = opened();
	assert_int_equal(pw_store_addresses(s, "gossip", on_address, &rows), PW_OK);
	assert_string_equal(rows.text, "gossip/here [2001:db8::7]:5999 2001:db8::7 5999 1 9 "
				       "1780000000 1780000001 1780000002 3\n");
	rows = (struct rows){ 0 };
	assert_int_equal(pw_store_addresses(s, "ethereum", on_address, &rows), PW_OK);
	assert_memory_equal(rows.text, "ethereum enode://07beef", 23);
	assert_non_null(strstr(rows.text, "@192.0.2.9:30303?discport=30301 192.0.2.9 30301 0 0 "));
	rows = (struct rows){ .most = 1 };
	assert_int_equal(pw_store_addresses(s, NULL, on_address, &rows), PW_OK);
	assert_int_equal(rows.count, 1);
	pw_store_close(s);
}

/* --- what can go wrong --- */

struct nested {
	struct pw_store *store;
	unsigned count;
};

static bool ask_again(void *ctx, const struct pw_kept_crawl *c)
{
	struct nested *n = ctx;
	struct crawls seen = { 0 };

	(void)c;
	n->count++;
	assert_int_equal(pw_store_crawls(n->store, NULL, on_crawl, &seen), PW_ERR_BUSY);
	assert_non_null(strstr(pw_store_why(n->store), "open the database once more"));
	assert_int_equal(seen.count, 0);
	return true;
}

static void test_nested(void **state)
{
	struct nested n = { .store = opened() };

	(void)state;
	begin_crawl(store, "bitcoin");
	begin_crawl(store, "bitcoin");
	assert_int_equal(pw_store_crawls(n.store, NULL, ask_again, &n), PW_OK);
	assert_int_equal(n.count, 2);
	pw_store_close(n.store);
}

static void test_errors(void **state)
{
	static const struct {
		const char *what, *file, *text;
		enum pw_err err;
		const char *why;
	} rows[] = {
		{ "no file", "missing.db", NULL, PW_ERR_NOT_FOUND, "missing.db" },
		{ "no database", "notes.txt", "nothing that SQLite would know, but long enough",
		  PW_ERR_NOT_OURS, "notes.txt" },
	};
	struct crawls seen = { 0 };
	char path[256];
	struct pw_store *s;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/%s", folder.path, rows[i].file);
		f = rows[i].text != NULL ? fopen(path, "w") : NULL;
		if (f != NULL) {
			for (int n = 0; n < 30; n++)
				fputs(rows[i].text, f);
			fclose(f);
		}
		if (pw_store_open(path, &s) != rows[i].err)
			fail_msg("%s: %s", rows[i].what, pw_store_why(s));
		assert_non_null(strstr(pw_store_why(s), rows[i].why));
		/* Nothing is in it, and it still says why. */
		assert_int_equal(pw_store_crawls(s, NULL, on_crawl, &seen), PW_ERR_NOT_FOUND);
		assert_non_null(strstr(pw_store_why(s), rows[i].why));
		assert_int_equal(seen.count, 0);
		pw_store_close(s);
	}
	pw_store_close(NULL);
}

/* What another program may have written into the tables of a node. */
static void test_damaged(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "ethereum");
	struct node_key key = node_key(7);
	struct node_info node = full_node();
	struct record r = node_record("192.0.2.9:30301", &key, &node);
	struct rows rows = { 0 };
	struct pw_store *s;

	(void)state;
	put(&crawl, &r);
	run_sql(folder.db, "UPDATE peers SET key = substr(key, 1, 17)");
	run_sql(folder.db, "UPDATE visits SET node_id = 'beef', outcome = 99");
	s = opened();
	assert_int_equal(pw_store_visits(s, NULL, 0, on_visit, &rows), PW_OK);
	assert_int_equal(rows.count, 1);
	assert_null(strstr(rows.text, "enode://"));
	assert_int_equal(pw_store_peers(s, NULL, 0, on_peer, &rows), PW_OK);
	assert_int_equal(rows.count, 2);
	pw_store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_crawls, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(test_peers, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(test_nodes, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(test_addresses, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(test_nested, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(test_errors, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(test_damaged, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
