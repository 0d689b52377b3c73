/* test_node_keep.c: what a node of Ethereum keeps from one time to the next, with nodes on real
 * sockets of the loopback. */
#include "api/node_keep.h"

#include "store/db.h"
#include "support/sql.h"
#include "support/store_rig.h"

#include <time.h>

/* After cmocka's own. */
#include "support/served.h"

enum { NOW = 1780000000 };

static struct node_keep *keep;
static int64_t now_ms = (int64_t)NOW * 1000;

static void on_event(void *ctx, const struct discv4_event *event)
{
	struct served *s = ctx;

	served_event(ctx, event);
	node_keep_event(keep, s->node, event, now_ms);
}

static const struct store_waiter nobody;

static void keep_open(const struct served *s)
{
	char why[NODE_KEEP_WHY_MAX] = "";

	if (node_keep_open(folder.db, "ethereum", s->identity.public, nobody, &keep, why) != ERR_OK)
		fail_msg("%s", why);
}

static void keep_close(void)
{
	char why[NODE_KEEP_WHY_MAX] = "";

	if (node_keep_close(keep, why) != ERR_OK)
		fail_msg("%s", why);
	keep = NULL;
}

/* The one that keeps what it knows. */
static struct served *keeper_start(struct served *boot)
{
	struct served *s = served_init(0);

	keep_open(s);
	s->config.on_event = on_event;
	assert_int_equal(node_keep_prepare(keep, now_ms, &s->config), ERR_OK);
	served_start(s, boot);
	node_keep_started(keep, s->node);
	return s;
}

static void served_end(struct served *s)
{
	node_serve_stop(s->node);
	s->node = NULL;
	served_for(10);
}

struct wanted {
	const struct served *s;
	unsigned live;
};

static bool has_live(void *arg)
{
	const struct wanted *w = arg;

	return served_counts(w->s).live >= w->live;
}

static void a_table_is_there_again_without_anybody_to_begin_with(void **state)
{
	enum { OTHERS = 8 };
	struct served *s;
	struct wanted all = { .live = OTHERS };

	(void)state;
	for (unsigned i = 1; i <= OTHERS; i++)
		served_start(served_init(i), i > 1 ? &served[1] : NULL);
	all.s = s = keeper_start(&served[1]);
	assert_int_equal(s->config.known_count, 0);
	served_until("all are in the table", has_live, &all);
	served_end(s);
	keep_close();
	/* Two of them are gone meanwhile. */
	served_end(&served[2]);
	served_end(&served[3]);
	now_ms += 3600 * 1000;
	all.s = s = keeper_start(NULL);
	all.live = OTHERS - 2;
	assert_int_equal(s->config.known_count, OTHERS);
	served_until("those that are left are in the table", has_live, &all);
	served_end(s);
	keep_close();
	/* The gone are still known: it may have been our own line. */
	store = open_db(folder.db, STORE_READ);
	assert_sql(store->db, "SELECT count(*) FROM book WHERE tried AND length(node_id) = 128",
		   "8");
	assert_sql(store->db, "SELECT count(*) FROM book WHERE good_s = 1780000000", "2");
	store_close(store);
	/* But not for ever. */
	now_ms += ((int64_t)NODE_KEEP_S - 60) * 1000;
	s = served_init(0);
	keep_open(s);
	assert_int_equal(node_keep_prepare(keep, now_ms, &s->config), ERR_OK);
	assert_int_equal(s->config.known_count, OTHERS - 2);
	keep_close();
	store = open_db(folder.db, STORE_READ);
	assert_sql(store->db, "SELECT count(*) FROM book", "6");
	store_close(store);
}

/* What a node is told, without the network: the events are made by hand. */
static void tell(const struct served *s, enum discv4_event_type type,
		 const struct kademlia_node *node, const struct netaddr *addr)
{
	struct discv4_event event = { .type = type };

	if (node != NULL)
		event.node = *node;
	if (addr != NULL)
		event.addr = *addr;
	node_keep_event(keep, s->node, &event, now_ms);
}

static void the_record_goes_on_where_it_was(void **state)
{
	const struct netaddr seen = netaddr_ipv4(0xc0000207, 4000);
	struct served *s = keeper_start(NULL);
	struct netaddr bound = node_serve_local(s->node, 0);
	struct enode_endpoint at;
	uint64_t seq = discv4_seq(node_serve_node(s->node));

	(void)state;
	assert_int_equal(seq, now_ms);
	tell(s, DISCV4_EVENT_MOVED, NULL, &seen);
	served_end(s);
	keep_close();
	/* The clock was set back by a day; the port is the same. */
	now_ms -= 24 * 3600 * 1000;
	s = served_init(0);
	keep_open(s);
	assert_int_equal(node_keep_prepare(keep, now_ms, &s->config), ERR_OK);
	s->config.places[0].addr = bound;
	served_start(s, NULL);
	at = discv4_endpoint(node_serve_node(s->node));
	assert_true(netaddr_equal(&at.addr, &seen));
	assert_int_equal(discv4_seq(node_serve_node(s->node)), seq + 1);
	node_keep_started(keep, s->node);
	served_end(s);
	keep_close();
	/* At another port nobody has seen it yet; what is said on the command line counts most. */
	s = served_init(0);
	keep_open(s);
	assert_int_equal(node_keep_prepare(keep, now_ms, &s->config), ERR_OK);
	served_start(s, NULL);
	at = discv4_endpoint(node_serve_node(s->node));
	assert_false(netaddr_same_host(&at.addr, &seen));
	assert_int_equal(discv4_seq(node_serve_node(s->node)), seq + 2);
	served_end(s);
	s->config.places[0].addr = bound;
	s->config.advertise = netaddr_ipv4(0xc0000208, 1);
	served_start(s, NULL);
	at = discv4_endpoint(node_serve_node(s->node));
	assert_true(netaddr_equal(&at.addr, &s->config.advertise));
	served_end(s);
	keep_close();
	/* With another key it is somebody else, at the same place. */
	s = served_init(1);
	keep_open(s);
	assert_int_equal(node_keep_prepare(keep, now_ms, &s->config), ERR_OK);
	assert_int_equal(s->config.seq, now_ms);
	assert_true(netaddr_equal(&s->config.earlier.seen, &seen));
	keep_close();
}

/* On the disk, as soon as it is there. */
static void assert_kept_since(int64_t good_s)
{
	const struct timespec pause = { .tv_sec = 2 * STORE_COMMIT_MS / 1000 };
	char want[32];

	nanosleep(&pause, NULL); /* the loop stands still: nobody is asked anything */
	snprintf(want, sizeof(want), "%lld", (long long)good_s);
	store = open_db(folder.db, STORE_READ);
	assert_sql(store->db, "SELECT good_s FROM book", want);
	store_close(store);
}

/* A newer record says where a node is now: it has one row, at the place where it answered last. */
static void a_node_that_moves_has_one_row(void **state)
{
	struct served *s = keeper_start(NULL);
	/* The table is changed behind the node's back, as its record would. */
	struct discv4 *d = (struct discv4 *)node_serve_node(s->node);
	const uint8_t key[KADEMLIA_KEY_LEN] = { 1 };
	const struct netaddr first = netaddr_ipv4(0x7f080808, 30303);
	const struct netaddr second = netaddr_ipv4(0x7f090909, 30304);
	struct kademlia_node node = kademlia_node(key, &first, 0);

	(void)state;
	assert_int_equal(discv4_add(d, &node, 0), KADEMLIA_ADDED);
	tell(s, DISCV4_EVENT_ALIVE, &node, NULL); /* of a stranger, as far as the table knows */
	kademlia_alive(&d->table, &node, 0, &d->random);
	tell(s, DISCV4_EVENT_ALIVE, &node, NULL);
	/* Again, now and after an hour. */
	now_ms += 60 * 1000;
	tell(s, DISCV4_EVENT_ALIVE, &node, NULL);
	assert_kept_since(NOW);
	now_ms += 3600 * 1000;
	tell(s, DISCV4_EVENT_ALIVE, &node, NULL);
	assert_kept_since(now_ms / 1000);
	node.addr = second;
	node.seq = 1;
	assert_int_equal(discv4_add(d, &node, 0), KADEMLIA_MOVED);
	kademlia_alive(&d->table, &node, 0, &d->random);
	tell(s, DISCV4_EVENT_ALIVE, &node, NULL);
	tell(s, DISCV4_EVENT_DROPPED, &node, NULL);
	served_end(s);
	keep_close();
	store = open_db(folder.db, STORE_READ);
	assert_sql(store->db, "SELECT count(*) FROM book", "1");
	assert_sql(store->db, "SELECT address || ' ' || port || ' ' || failures FROM book",
		   "127.9.9.9 30304 1");
	store_close(store);
}

/* Keys and addresses cost strangers nothing: rows do, and there is a limit. */
static void it_keeps_so_many_and_no_more(void **state)
{
	struct store_book *b;
	struct served *s;
	struct wanted one = { .live = 1 };
	uint8_t key[KADEMLIA_KEY_LEN] = { 0 };

	(void)state;
	store = open_db(folder.db, STORE_CREATE);
	assert_int_equal(store_book_start(store, "ethereum", NULL, NULL, &b), ERR_OK);
	for (uint32_t i = 0; i < NODE_KEEP_MAX + 100; i++) {
		struct store_book_row row = { .addr = netaddr_ipv4(0xc6336400 + i, 30303),
					      .good_s = NOW + i % 500,
					      .node_id = slice_of(key, sizeof(key)) };

		memcpy(key, &i, sizeof(i));
		assert_true(store_book_put(b, &row));
	}
	assert_int_equal(store_book_stop(b), ERR_OK);
	store_close(store);
	served_start(served_init(1), NULL);
	now_ms = (int64_t)NOW * 1000 + 3600 * 1000;
	one.s = s = keeper_start(&served[1]);
	assert_int_equal(s->config.known_count, NODE_KEEP_MAX);
	/* The newest first. */
	for (unsigned i = 0; i + 1 < NODE_KEEP_MAX; i++) {
		uint32_t a, c;

		memcpy(&a, s->config.known[i].key, sizeof(a));
		memcpy(&c, s->config.known[i + 1].key, sizeof(c));
		assert_true(a % 500 >= c % 500);
	}
	served_until("one has answered", has_live, &one);
	served_end(s);
	keep_close();
	store = open_db(folder.db, STORE_READ);
	/* One came, and the oldest of those that were read went. */
	assert_sql(store->db, "SELECT count(*) FROM book", "1124");
	assert_sql(store->db, "SELECT count(*) FROM book WHERE address = '127.0.0.1'", "1");
	store_close(store);
}

static void what_is_damaged_is_left_out(void **state)
{
	static const struct {
		const char *name, *seq, *reflected;
	} rows[] = {
		{ "nothing", "", "" },
		{ "no number", "x", "y z" },
		{ "no address", "12", "0.0.0.0:1 0.0.0.0:0" },
		{ "text of strangers", "99999999999999999999 x", "127.0.0.1:1 x.onion:3" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct served *s = served_init(0);
		const struct store_book_row row = { .addr = netaddr_ipv4(0x01020304, 5) };
		struct store_book *b;

		print_message("%s\n", rows[i].name);
		store = open_db(folder.db, STORE_CREATE);
		assert_int_equal(store_book_start(store, "ethereum", NULL, NULL, &b), ERR_OK);
		store_book_keep(b, "seq", slice_text(rows[i].seq));
		store_book_keep(b, "reflected", slice_text(rows[i].reflected));
		store_book_put(b, &row); /* without a key */
		assert_int_equal(store_book_stop(b), ERR_OK);
		store_close(store);
		keep_open(s);
		assert_int_equal(node_keep_prepare(keep, now_ms, &s->config), ERR_OK);
		assert_int_equal(s->config.seq, now_ms);
		assert_int_equal(s->config.known_count, 0);
		assert_int_equal(s->config.earlier.seen.kind, NETADDR_NONE);
		keep_close();
	}
}

static void two_nodes_dont_mix(void **state)
{
	struct served *s = served_init(0);
	struct node_keep *second;
	char why[NODE_KEEP_WHY_MAX] = "";

	(void)state;
	keep_open(s);
	assert_int_equal(
		node_keep_open(folder.db, "ethereum", s->identity.public, nobody, &second, why),
		ERR_BUSY);
	assert_null(second);
	assert_non_null(strstr(why, "--db"));
	keep_close();
}

static int set_up(void **state)
{
	now_ms = (int64_t)NOW * 1000;
	folder_set_up(state);
	return served_setup(state);
}

static int tear_down(void **state)
{
	folder_tear_down(state);
	return served_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_table_is_there_again_without_anybody_to_begin_with, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_record_goes_on_where_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_node_that_moves_has_one_row, set_up, tear_down),
		cmocka_unit_test_setup_teardown(it_keeps_so_many_and_no_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_damaged_is_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_nodes_dont_mix, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
