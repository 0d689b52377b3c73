#include "store/book.h"

#include "engine/book.h"
#include "store/db.h"
#include "store/writer.h"
#include "support/sql.h"
#include "support/store_rig.h"

#include <stdatomic.h>
#include <time.h>

static struct store_book *start(struct store *s, const char *name)
{
	struct store_book *b;
	enum err err = store_book_start(s, name, NULL, NULL, &b);

	if (err != ERR_OK)
		print_error("%s\n", store_why(s));
	assert_int_equal(err, ERR_OK);
	return b;
}

struct loaded {
	unsigned count, enough;
	struct store_book_row rows[16];
	uint8_t ids[16][PEER_NODE_ID_MAX];
};

static bool load_row(void *ctx, const struct store_book_row *row)
{
	struct loaded *l = ctx;
	struct store_book_row *r = &l->rows[l->count];

	assert_true(l->count < 16);
	*r = *row;
	if (row->node_id.len > 0)
		memcpy(l->ids[l->count], row->node_id.data, row->node_id.len);
	r->node_id.data = l->ids[l->count];
	return ++l->count != l->enough;
}

static struct loaded load(const char *name)
{
	struct loaded l = { 0 };

	assert_int_equal(store_book_load(store, name, load_row, &l), ERR_OK);
	return l;
}

static void assert_row(const struct store_book_row *got, const struct store_book_row *want)
{
	assert_true(netaddr_equal(&got->addr, &want->addr));
	assert_true(netaddr_equal(&got->source, &want->source));
	assert_int_equal(got->services, want->services);
	assert_int_equal(got->named_s, want->named_s);
	assert_int_equal(got->asked_s, want->asked_s);
	assert_int_equal(got->good_s, want->good_s);
	assert_int_equal(got->failures, want->failures);
	assert_int_equal(got->tried, want->tried);
	assert_int_equal(got->tcp_port, want->tcp_port);
	assert_true(slice_equal(got->node_id, want->node_id));
}

static const char onion[] = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333";

static void what_goes_in_comes_out(void **state)
{
	static uint8_t key[PEER_NODE_ID_MAX] = { 1, 2, 3, [63] = 0xff };
	const struct store_book_row rows[] = {
		/* In the order in which they come out. */
		{ .addr = addr_of("1.2.3.4"), .source = addr_of("5.6.7.8"), .named_s = 1780000000 },
		{ .addr = addr_of("[2a00::1]:8333"),
		  .source = addr_of("[2a00::2]:1"),
		  .services = UINT64_MAX,
		  .named_s = 1,
		  .asked_s = 2,
		  .failures = UINT32_MAX },
		{ .addr = addr_of(onion), .good_s = 3, .tried = true },
		{ .addr = addr_of("9.9.9.9:30303"),
		  .asked_s = 1,
		  .good_s = 4,
		  .node_id = slice_of(key, sizeof(key)),
		  .tcp_port = 30304 },
		{ .addr = addr_of("9.9.9.9:30303"), .asked_s = 5, .good_s = 5 },
	};
	enum { ROWS = sizeof(rows) / sizeof(*rows) };
	struct store_book *b = start(store, "ethereum");
	struct loaded got;

	(void)state;
	for (unsigned i = ROWS; i-- > 0;)
		assert_true(store_book_put(b, &rows[i]));
	assert_int_equal(store_book_stop(b), ERR_OK);
	got = load("ethereum");
	assert_int_equal(got.count, ROWS);
	for (unsigned i = 0; i < ROWS; i++)
		assert_row(&got.rows[i], &rows[i]);
	got = (struct loaded){ .enough = 2 };
	assert_int_equal(store_book_load(store, "ethereum", load_row, &got), ERR_OK);
	assert_int_equal(got.count, 2);
	assert_file_sql(
		folder.db,
		"SELECT group_concat(address || ' ' || port || ' ' || ifnull(asked, '-'), ', ')"
		" FROM (SELECT * FROM book_readable WHERE services = '0x0' AND kind = 'ipv4'"
		" AND node_id = '' ORDER BY address)",
		"1.2.3.4 8333 -, 9.9.9.9 30303 1970-01-01T00:00:05Z");
}

static void rows_are_replaced_and_dropped(void **state)
{
	struct store_book_row row = { .addr = addr_of("1.2.3.4"), .named_s = 7 };
	struct store_book_row node = row;
	const uint8_t key[PEER_NODE_ID_MAX] = { 9 };
	struct store_book *b = start(store, "bitcoin");

	(void)state;
	node.node_id = slice_of(key, sizeof(key));
	store_book_put(b, &row);
	store_book_put(b, &node);
	row.named_s = 8;
	store_book_put(b, &row);
	store_book_stop(b);
	assert_int_equal(load("bitcoin").count, 2);
	b = start(store, "bitcoin");
	store_book_drop(b, &node.addr, node.node_id); /* the other one stays */
	store_book_stop(b);
	assert_int_equal(load("bitcoin").count, 1);
	assert_int_equal(load("bitcoin").rows[0].named_s, 8);
	b = start(store, "bitcoin");
	store_book_drop(b, &row.addr, row.node_id);
	store_book_put(b, &row);
	store_book_drop(b, &row.addr, row.node_id);
	store_book_stop(b);
	assert_int_equal(load("bitcoin").count, 0);
}

static void what_was_written_by_hand_does_no_harm(void **state)
{
	const struct store_book_row row = { .addr = addr_of("1.2.3.4") };
	struct store_book *b = start(store, "bitcoin");
	struct loaded got;

	(void)state;
	store_book_put(b, &row);
	store_book_stop(b);
	run_sql(folder.db, "UPDATE book SET named_s = 9223372036854775807,"
			   " good_s = -9223372036854775807 - 1, failures = -1, source = x'07',"
			   " tcp_port = 65536;"
			   "INSERT INTO book SELECT book_id, x'01', kind, address, port, node_id,"
			   " NULL, NULL, 1, 0, NULL, NULL, NULL, 0 FROM book");
	got = load("bitcoin"); /* a key that is none is nobody */
	assert_int_equal(got.count, 1);
	assert_true(netaddr_equal(&got.rows[0].addr, &row.addr));
	assert_int_equal(got.rows[0].named_s, UINT32_MAX);
	assert_int_equal(got.rows[0].good_s, 0);
	assert_int_equal(got.rows[0].source.kind, NETADDR_NONE);
}

static void values_are_kept(void **state)
{
	struct store_book *b = start(store, "ethereum");
	uint8_t got[STORE_BOOK_VALUE_MAX], most[STORE_BOOK_VALUE_MAX];
	size_t len = 99;

	(void)state;
	memset(most, 0xa5, sizeof(most));
	store_book_keep(b, "seq", slice_text("12"));
	store_book_keep(b, "seq", slice_of(most, sizeof(most)));
	store_book_keep(b, "nothing", slice_of(NULL, 0));
	store_book_stop(b);
	assert_int_equal(store_book_value(store, "ethereum", "seq", got, &len), ERR_OK);
	assert_int_equal(len, sizeof(most));
	assert_memory_equal(got, most, len);
	assert_int_equal(store_book_value(store, "ethereum", "nothing", got, &len), ERR_OK);
	assert_int_equal(len, 0);
	len = 99;
	assert_int_equal(store_book_value(store, "bitcoin", "seq", got, &len), ERR_OK);
	assert_int_equal(len, 0);
}

struct named {
	char text[256];
};

static enum err tell(void *ctx, const char *name, const struct store_book_row *row)
{
	struct named *n = ctx;
	char addr[NETADDR_TEXT_MAX];
	size_t len = strlen(n->text);

	netaddr_text(&row->addr, addr);
	snprintf(n->text + len, sizeof(n->text) - len, "%s %s;", name, addr);
	return ERR_OK;
}

/* Several books in one file, at the same time, and a crawl. */
static void books_are_told_apart_by_their_names(void **state)
{
	static const char *const names[] = { "gossip", "gossip/a", "gossip/b", "gossipers",
					     "bitcoin" };
	static const struct {
		const char *network, *text;
		unsigned kind;
	} rows[] = {
		{ "gossip", "gossip 1.1.1.1:1;gossip/a 1.1.1.2:1;gossip/b 1.1.1.3:1;", 0 },
		{ "gossip/a", "gossip/a 1.1.1.2:1;", 0 },
		{ "bitcoin", "bitcoin 1.1.1.5:1;", NETADDR_IPV4 },
		{ "bitcoin", "", NETADDR_IPV6 },
		{ "go", "", 0 },
	};
	struct store *stores[5];
	struct store_book *books[5];
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct record r = ok_record(addr_of("1.2.3.4"), slice_text("/x/"));
	struct store_writer *w;

	(void)state;
	assert_int_equal(store_writer_start(store, &crawl, NULL, NULL, &w), ERR_OK);
	for (uint32_t i = 0; i < 5; i++) {
		const struct store_book_row row = { .addr = netaddr_ipv4(0x01010101 + i, 1) };

		stores[i] = open_db(folder.db, STORE_CREATE);
		books[i] = start(stores[i], names[i]);
		assert_true(store_book_put(books[i], &row));
		store_writer_visit(w, &r);
	}
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(store_book_stop(books[i]), ERR_OK);
		store_close(stores[i]);
	}
	assert_int_equal(store_writer_stop(w), ERR_OK);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct store_filter filter = STORE_FILTER_ANY;
		struct named n = { 0 };

		print_message("%s\n", rows[i].network);
		filter.network = rows[i].network;
		filter.kind = rows[i].kind;
		assert_int_equal(store_books(store, &filter, tell, &n), ERR_OK);
		assert_string_equal(n.text, rows[i].text);
	}
	assert_int_equal(load("gossip").count, 1);
}

static void a_book_belongs_to_one_node_at_a_time(void **state)
{
	struct store *second = open_db(folder.db, STORE_CREATE);
	struct store_book *b = start(store, "bitcoin"), *c;

	(void)state;
	assert_int_equal(store_book_start(second, "bitcoin", NULL, NULL, &c), ERR_BUSY);
	assert_null(c);
	assert_non_null(strstr(store_why(second), "a node of that network keeps its addresses"));
	assert_non_null(strstr(store_why(second), "--db"));
	c = start(second, "bitcoin-testnet");
	store_book_stop(c);
	store_book_stop(b);
	/* The store is what holds it. */
	assert_int_equal(store_book_start(second, "bitcoin", NULL, NULL, &c), ERR_BUSY);
	store_close(store);
	c = start(second, "bitcoin");
	store_book_stop(c);
	store_close(second);
	store = open_db(folder.db, STORE_CREATE);
}

static void wait_ms(unsigned ms)
{
	struct timespec t = { .tv_nsec = (long)ms * 1000000 };

	nanosleep(&t, NULL);
}

static void the_queue_is_bounded(void **state)
{
	struct store_book *b = start(store, "bitcoin");
	sqlite3 *other;
	uint32_t put = 0;
	struct store_book_row row = { 0 };

	(void)state;
	assert_int_equal(store_book_room(b), STORE_BOOK_QUEUE_MAX);
	/* Somebody holds the database: what is put has to wait. */
	assert_int_equal(sqlite3_open(folder.db, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	for (;; put++) {
		row.addr = netaddr_ipv4(put, 1);
		if (!store_book_put(b, &row)) {
			/* One half with the thread, one in front of it. */
			if (put >= STORE_BOOK_QUEUE_MAX + STORE_BOOK_QUEUE_MAX / 2)
				break;
			wait_ms(1);
			put--;
		}
		assert_true(put <= 2 * STORE_BOOK_QUEUE_MAX);
	}
	assert_int_equal(store_book_room(b), 0);
	assert_false(store_book_drop(b, &row.addr, row.node_id));
	assert_false(store_book_keep(b, "seq", slice_text("1")));
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	assert_int_equal(store_book_stop(b), ERR_OK);
	char count[32];
	snprintf(count, sizeof(count), "%u", put);
	assert_sql(store->db, "SELECT count(*) FROM book", count);
}

static _Atomic unsigned errors;
static char told[640];

static void on_error(void *ctx, enum err err, const char *why)
{
	assert_int_equal(err, ERR_DISK_FULL);
	snprintf(ctx, sizeof(told), "%s", why);
	errors++;
}

/* What was committed stays; the node is told, and may go on without. */
static void a_full_disk_is_told_once(void **state)
{
	struct store_book *b;
	struct store_book_row row = { 0 };
	unsigned refused = 0;

	(void)state;
	assert_int_equal(sqlite3_exec(store->db, "PRAGMA max_page_count = 200", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(store_book_start(store, "bitcoin", on_error, told, &b), ERR_OK);
	errors = 0;
	for (uint32_t i = 0; errors == 0 && i < 1000000; i++) {
		row.addr = netaddr_ipv4(i, 1);
		if (!store_book_put(b, &row))
			wait_ms(1);
	}
	assert_int_equal(errors, 1);
	refused += !store_book_put(b, &row);
	assert_int_equal(refused, 1);
	assert_int_equal(store_book_room(b), 0);
	assert_int_equal(store_book_stop(b), ERR_DISK_FULL);
	assert_int_equal(errors, 1);
	assert_non_null(strstr(told, "make room"));
	assert_sql(store->db, "PRAGMA integrity_check", "ok");
	assert_sql(store->db, "SELECT count(*) > 1000 FROM book", "1");
}

/* From a book to the disk and back: what engine/book.h and this one have to do with each other. */
static bool restore(void *ctx, const struct store_book_row *r)
{
	const struct book_entry e = { r->addr,    r->source, r->services, r->named_s,
				      r->asked_s, r->good_s, r->failures, r->tried };

	book_restore(ctx, &e, 1780000000);
	return true;
}

static void a_book_comes_back(void **state)
{
	const struct book_config config = { .new_max = 4096,
					    .tried_max = 4096,
					    .source_max = 1024,
					    .group_max = 1024,
					    .known_s = 86400,
					    .seed = 1 };
	struct book *before, *after;
	struct book_counts counts, again;
	struct store_book *b = start(store, "bitcoin");
	struct book_entry e;
	bool gone;

	(void)state;
	assert_int_equal(book_new(&config, &before), ERR_OK);
	assert_int_equal(book_new(&config, &after), ERR_OK);
	for (uint32_t i = 0; i < 3000; i++) {
		const struct advert peer = { .addr = netaddr_ipv4(
						     0x30000000 + i * 65537 % 0x1000000, 1) };

		assert_true(book_add(before, &peer, &peer.addr, 1780000000));
		if (i % 3 == 0)
			book_reached(before, &peer.addr, 1, 1780000000);
		if (i % 5 == 0)
			book_drop(before, &peer.addr);
		while (store_book_room(b) > 0 && book_changed(before, &e, &gone)) {
			const struct store_book_row row = { .addr = e.addr,
							    .source = e.source,
							    .services = e.services,
							    .named_s = e.named_s,
							    .asked_s = e.asked_s,
							    .good_s = e.good_s,
							    .failures = e.failures,
							    .tried = e.tried };

			if (gone)
				assert_true(store_book_drop(b, &row.addr, row.node_id));
			else
				assert_true(store_book_put(b, &row));
		}
	}
	assert_int_equal(store_book_stop(b), ERR_OK);
	assert_int_equal(store_book_load(store, "bitcoin", restore, after), ERR_OK);
	book_counts(before, &counts);
	book_counts(after, &again);
	assert_int_equal(counts.new_count + counts.tried_count, 2400);
	assert_int_equal(again.new_count, counts.new_count);
	assert_int_equal(again.tried_count, counts.tried_count);
	book_free(before);
	book_free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_goes_in_comes_out, store_set_up,
						store_tear_down),
		cmocka_unit_test_setup_teardown(rows_are_replaced_and_dropped, store_set_up,
						store_tear_down),
		cmocka_unit_test_setup_teardown(what_was_written_by_hand_does_no_harm, store_set_up,
						store_tear_down),
		cmocka_unit_test_setup_teardown(values_are_kept, store_set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(books_are_told_apart_by_their_names, store_set_up,
						store_tear_down),
		cmocka_unit_test_setup_teardown(a_book_belongs_to_one_node_at_a_time, store_set_up,
						store_tear_down),
		cmocka_unit_test_setup_teardown(the_queue_is_bounded, store_set_up,
						store_tear_down),
		cmocka_unit_test_setup_teardown(a_full_disk_is_told_once, store_set_up,
						store_tear_down),
		cmocka_unit_test_setup_teardown(a_book_comes_back, store_set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
