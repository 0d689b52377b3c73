/* test_store_nodes.c: nodes of discovery in the store. */
#include "store/writer.h"

#include "base/text.h"
#include "support/nodes.h"
#include "support/sql.h"
#include "support/store_rig.h"

struct expected {
	const struct record *record;
	uint16_t tcp_port;
	unsigned seen;
};

static enum err expect_visit(void *ctx, const struct store_visit *v)
{
	struct expected *e = ctx;
	const struct record *want = e->record;

	assert_true(netaddr_equal(&v->record.addr, &want->addr));
	assert_bytes(v->record.info.node_id, want->info.node_id);
	assert_bytes(v->record.info.agent, want->info.agent);
	assert_non_null(v->record.node);
	assert_node(v->record.node, want->node);
	/* What that visit knew; or else the newest. */
	assert_int_equal(v->tcp_port, e->tcp_port);
	e->seen++;
	return ERR_OK;
}

static const uint8_t no_text[] = { 'e', 0, 0xff };

static struct node_info node_row(size_t row)
{
	struct node_info node = full_node();

	switch (row) {
	case 1:
		return (struct node_info){ 0 };
	case 2:
		node.capabilities = slice_of(no_text, sizeof(no_text));
		break;
	case 3:
		node.capabilities = slice_of(NULL, 0);
		break;
	case 4: /* in its record only */
		node.chain.has_status = false;
		break;
	case 5:
		node.chain.has_fork = false;
		node.completeness = NULL;
		break;
	case 6:
		node.entries = UINT32_MAX;
		node.findnodes = 0;
		node.chain.network_id = 0;
		node.record_seq = UINT64_MAX;
		break;
	default:
		break;
	}
	return node;
}

static void round_trip(void **state)
{
	static const char *const names[] = {
		"all of it", "nothing",           "no text",       "a Hello without capabilities",
		"no Status", "no fork, no table", "largest, none",
	};
	struct node_key key = node_key(9);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct store *s = open_db(folder.db, STORE_CREATE);
		struct store_crawl crawl = begin_crawl(s, "ethereum");
		struct node_info node = node_row(i);
		struct record r = node_record("[2a01::1]:30301", &key, &node);
		struct expected e = { .record = &r, .tcp_port = 30303 };
		struct store_filter filter = STORE_FILTER_ANY;
		struct store_writer *w;

		print_message("%s\n", names[i]);
		filter.crawl_id = crawl.id;
		assert_int_equal(store_put_visit(s, &crawl, &r), ERR_OK);
		assert_int_equal(store_visits(s, &filter, expect_visit, &e), ERR_OK);
		/* Through the writer's queue, which copies. */
		crawl = begin_crawl(s, "ethereum");
		filter.crawl_id = crawl.id;
		assert_int_equal(store_writer_start(s, &crawl, NULL, NULL, &w), ERR_OK);
		store_writer_visit(w, &r);
		memset(&node, 0xff, sizeof(node));
		assert_int_equal(store_writer_stop(w), ERR_OK);
		node = node_row(i);
		assert_int_equal(store_visits(s, &filter, expect_visit, &e), ERR_OK);
		assert_int_equal(e.seen, 2);
		store_close(s);
	}
}

/* A late retry takes the place of the first try, in both tables. */
static void retry_replaces(void **state)
{
	struct node_key key = node_key(1);
	struct node_info full = full_node(), none = { 0 };
	struct record ghost = ghost_record("1.2.3.4:30303", &key, &none);
	struct record there = node_record("1.2.3.4:30303", &key, &full);
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "ethereum");
	struct expected e = { .record = &there, .tcp_port = 30303 };

	(void)state;
	assert_int_equal(store_put_visit(s, &crawl, &ghost), ERR_OK);
	assert_int_equal(store_put_visit(s, &crawl, &there), ERR_OK);
	assert_int_equal(store_visits(s, &STORE_FILTER_ANY, expect_visit, &e), ERR_OK);
	assert_int_equal(e.seen, 1);
	store_close(s);
}

/* --- peers --- */

struct peers {
	unsigned count;
	struct {
		struct netaddr addr;
		uint8_t key;
		uint16_t tcp_port;
		bool visited, has_node;
		char session[16], record[128];
		uint64_t record_seq, entries;
		struct peer_chain chain;
		int64_t first_reached_ms, visit_at_ms;
		uint64_t reached_count;
	} rows[8];
};

static enum err keep_peer(void *ctx, const struct store_peer *p)
{
	struct peers *out = ctx;
	const struct node_info *n = &p->node;

	assert_true(out->count < 8);
	assert_int_equal(p->public.len, PEER_NODE_ID_MAX);
	assert_int_equal(p->node_id.len, 2 * PEER_NODE_ID_MAX);
	assert_false(p->has_claim);
	out->rows[out->count].addr = p->addr;
	out->rows[out->count].key = p->public.data[0];
	out->rows[out->count].tcp_port = p->tcp_port;
	out->rows[out->count].visited = p->visited;
	out->rows[out->count].has_node = p->has_node;
	snprintf(out->rows[out->count].session, 16, "%s", n->session != NULL ? n->session : "");
	snprintf(out->rows[out->count].record, 128, "%.*s", (int)n->record.len,
		 n->record.len > 0 ? (const char *)n->record.data : "");
	out->rows[out->count].record_seq = n->record_seq;
	out->rows[out->count].entries = n->entries;
	out->rows[out->count].chain = n->chain;
	out->rows[out->count].first_reached_ms = p->first_reached_ms;
	out->rows[out->count].visit_at_ms = p->visit_at_ms;
	out->rows[out->count].reached_count = p->reached_count;
	out->count++;
	return ERR_OK;
}

static struct peers all_peers(struct store *s, int64_t crawl_id, const char *forks)
{
	struct store_filter filter = STORE_FILTER_ANY;
	struct peers out = { 0 };
	uint8_t hashes[2][4] = { { 1, 2, 3, 4 } };

	filter.crawl_id = crawl_id;
	if (forks != NULL) {
		memcpy(hashes[1], forks, 4);
		filter.forks = (const uint8_t(*)[4])hashes;
		filter.forks_count = 2;
	}
	assert_int_equal(store_peers(s, &filter, keep_peer, &out), ERR_OK);
	return out;
}

/* One address with two keys, one key at two addresses: four peers, and each its own visits. */
static void key_and_address(void **state)
{
	struct node_key one = node_key(1), two = node_key(2);
	struct node_info full = full_node(), none = { 0 };
	struct record right = node_record("1.1.1.1:30303", &one, &full);
	struct record wrong = ghost_record("1.1.1.1:30303", &two, &none);
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "ethereum");
	struct advert named[] = {
		node_advert("1.1.1.1:30303", 30303, &one),
		node_advert("1.1.1.1:30303", 0, &two),
		node_advert("2.2.2.2:30303", 7, &one),
		node_advert("1.1.1.1:30304", 7, &one),
	};
	struct peers got;

	(void)state;
	for (int times = 0; times < 2; times++) {
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(
				store_put_known(s, &crawl, &named[i].addr, &named[i], 1000 + times),
				ERR_OK);
	}
	assert_int_equal(store_put_visit(s, &crawl, &wrong), ERR_OK);
	assert_int_equal(store_put_visit(s, &crawl, &right), ERR_OK);
	got = all_peers(s, 0, NULL);
	assert_int_equal(got.count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_true(netaddr_equal(&got.rows[i].addr, &named[i].addr));
		assert_int_equal(got.rows[i].key, named[i].node_id.data[0]);
		assert_int_equal(got.rows[i].tcp_port, named[i].tcp_port);
		assert_int_equal(got.rows[i].visited, i < 2);
		assert_int_equal(got.rows[i].has_node, i == 0);
	}
	store_close(s);
}

/* What was said before stays, until it is said anew. */
static void newest_words(void **state)
{
	struct node_key key = node_key(1);
	struct node_info full = full_node(), less = {
		.completeness = "timed_out", .findnodes = 3, .has_record_seq = true, .record_seq = 5
	};
	struct node_info later = { .record = slice_text("enr:later"),
				   .has_record_seq = true,
				   .record_seq = 6,
				   .tcp_port = 9999,
				   .session = "full",
				   .chain = { .has_fork = true, .fork_hash = { 9, 9, 9, 9 } } };
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl first = begin_crawl(s, "ethereum"), second, third;
	struct record r = node_record("1.2.3.4:30303", &key, &full);
	struct peers got;

	(void)state;
	assert_int_equal(store_put_visit(s, &first, &r), ERR_OK);
	second = begin_crawl(s, "ethereum");
	r.node = &less;
	r.started_at_ms += 1000;
	assert_int_equal(store_put_visit(s, &second, &r), ERR_OK);
	got = all_peers(s, 0, NULL);
	assert_string_equal(got.rows[0].session, "ok");
	assert_string_equal(got.rows[0].record, NODE_RECORD_TEXT);
	/* That of the record that is there. */
	assert_int_equal(got.rows[0].record_seq, full.record_seq);
	assert_int_equal(got.rows[0].entries, 0);
	assert_int_equal(got.rows[0].tcp_port, 30303);
	assert_int_equal(got.rows[0].visit_at_ms, r.started_at_ms);
	assert_int_equal(got.rows[0].first_reached_ms, r.started_at_ms - 1000);
	assert_int_equal(got.rows[0].reached_count, 2);
	/* That crawl alone knows less. */
	got = all_peers(s, second.id, NULL);
	assert_string_equal(got.rows[0].session, "");
	assert_string_equal(got.rows[0].record, "");
	assert_int_equal(got.rows[0].record_seq, 5);
	assert_int_equal(got.rows[0].first_reached_ms, r.started_at_ms - 1000);

	third = begin_crawl(s, "ethereum");
	r.node = &later;
	r.started_at_ms += 1000;
	assert_int_equal(store_put_visit(s, &third, &r), ERR_OK);
	got = all_peers(s, 0, NULL);
	assert_string_equal(got.rows[0].session, "full");
	assert_string_equal(got.rows[0].record, "enr:later");
	assert_int_equal(got.rows[0].record_seq, 6);
	assert_int_equal(got.rows[0].tcp_port, 9999);
	assert_int_equal(got.rows[0].chain.fork_hash[0], 9);
	assert_true(got.rows[0].chain.has_status);
	assert_int_equal(got.rows[0].chain.network_id, 1ULL << 63);
	got = all_peers(s, first.id, NULL);
	assert_string_equal(got.rows[0].session, "ok");
	assert_int_equal(got.rows[0].tcp_port, 30303);
	store_close(s);
}

/* The hashes of a chain, put together from bytes that also stand across two of them. */
static void forks(void **state)
{
	static const struct {
		const char *name, *hash;
		bool found;
	} rows[] = {
		{ "its hash", "\x07\xc9\x46\x2e", true },
		{ "another", "\x07\xc9\x46\x2f", false },
		{ "half of it, before", "\x46\x2e\x00\x00", false },
		{ "shifted by four bits", "\x00\x7c\x94\x62", false },
	};
	struct node_key key = node_key(1), other = node_key(2);
	struct node_info full = full_node(), none = { 0 };
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "ethereum");
	struct record r = node_record("1.1.1.1:30303", &key, &full);
	struct record mute = node_record("2.2.2.2:30303", &other, &none);

	(void)state;
	assert_int_equal(store_put_visit(s, &crawl, &r), ERR_OK);
	assert_int_equal(store_put_visit(s, &crawl, &mute), ERR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(all_peers(s, 0, rows[i].hash).count, rows[i].found);
		assert_int_equal(all_peers(s, crawl.id, rows[i].hash).count, rows[i].found);
	}
	store_close(s);
}

/* --- resume, adverts --- */

struct resumed {
	unsigned count;
	uint8_t keys[8];
	uint16_t tcp_ports[8];
	unsigned tries[8];
};

static bool on_resumed(void *ctx, const struct advert *peer, enum outcome outcome, bool reached,
		       unsigned tries)
{
	struct resumed *r = ctx;

	(void)outcome;
	assert_true(r->count < 8);
	assert_int_equal(peer->node_id.len, PEER_NODE_ID_MAX);
	assert_int_equal(reached, tries > 0);
	r->keys[r->count] = peer->node_id.data[0];
	r->tcp_ports[r->count] = peer->tcp_port;
	r->tries[r->count] = tries;
	r->count++;
	return true;
}

static enum err on_advert(void *ctx, const struct store_advert *a)
{
	unsigned *seen = ctx;
	struct node_key one = node_key(1), two = node_key(2);

	assert_bytes(a->from.node_id, key_slice(*seen == 0 ? &one : &two));
	assert_bytes(a->advert.node_id, key_slice(&two));
	assert_int_equal(a->from.tcp_port, *seen == 0 ? 30303 : 9);
	assert_int_equal(a->advert.tcp_port, 9);
	++*seen;
	return ERR_OK;
}

static void resume_and_adverts(void **state)
{
	struct node_key one = node_key(1), two = node_key(2);
	struct node_info full = full_node();
	struct record r = node_record("1.1.1.1:30303", &one, &full);
	struct advert first = node_advert("1.1.1.1:30303", 30303, &one);
	/* The same address: told apart by the key alone. */
	struct advert second = node_advert("1.1.1.1:30303", 9, &two);
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "ethereum");
	struct resumed got = { 0 };
	struct store_writer *w;
	unsigned seen = 0;

	(void)state;
	assert_int_equal(store_writer_start(s, &crawl, NULL, NULL, &w), ERR_OK);
	store_writer_known(w, &first.addr, &first, 1);
	store_writer_known(w, &second.addr, &second, 1);
	store_writer_visit(w, &r);
	store_writer_advert(w, &first, &second, 2);
	store_writer_advert(w, &second, &second, 3);
	assert_int_equal(store_writer_stop(w), ERR_OK);
	assert_int_equal(store_resume(s, &crawl, on_resumed, &got), ERR_OK);
	assert_int_equal(got.count, 2);
	assert_int_equal(got.keys[0], 1);
	assert_int_equal(got.tcp_ports[0], 30303);
	assert_int_equal(got.tries[0], 1);
	assert_int_equal(got.keys[1], 2);
	assert_int_equal(got.tcp_ports[1], 9);
	assert_int_equal(got.tries[1], 0);
	assert_int_equal(store_adverts(s, &STORE_FILTER_ANY, on_advert, &seen), ERR_OK);
	assert_int_equal(seen, 2);
	store_close(s);
}

static void readable_views(void **state)
{
	static const struct {
		const char *name, *sql, *want;
	} rows[] = {
		{ "the newest", "SELECT completeness FROM nodes_readable", "drained" },
		{ "hex", "SELECT fork_hash FROM nodes_readable", "0x07c9462e" },
		{ "longer hex", "SELECT substr(genesis, 1, 6) FROM nodes_readable", "0xd4e5" },
		{ "network", "SELECT network FROM nodes_readable", "ethereum" },
		{ "first time", "SELECT first_reached FROM nodes_readable",
		  "2026-05-28T20:26:41Z" },
		{ "ports", "SELECT udp_port || ' ' || tcp_port FROM nodes_readable",
		  "30301 30303" },
		{ "those that answered", "SELECT count(*) FROM nodes_readable", "1" },
		{ "visits", "SELECT count(*) FROM node_visits_readable", "2" },
		{ "faults", "SELECT faults FROM node_visits_readable WHERE reached",
		  "expired 1, many 2" },
		{ "NULL is not 0x",
		  "SELECT genesis IS NULL AND head IS NULL AND fork_hash IS NULL"
		  " FROM node_visits_readable WHERE NOT reached",
		  "1" },
		{ "integrity", "PRAGMA integrity_check", "ok" },
	};
	struct node_key key = node_key(1), ghost = node_key(2);
	struct node_info full = full_node(), none = { 0 };
	struct record r = node_record("1.1.1.1:30301", &key, &full);
	struct record g = ghost_record("1.1.1.2:30301", &ghost, &none);
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "ethereum");
	sqlite3 *db;

	(void)state;
	assert_int_equal(store_put_visit(s, &crawl, &r), ERR_OK);
	assert_int_equal(store_put_visit(s, &crawl, &g), ERR_OK);
	assert_int_equal(sqlite3_open(folder.db, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_sql(db, rows[i].sql, rows[i].want);
	}
	sqlite3_close(db);
	store_close(s);
}

/* --- ids that are no keys --- */

struct run_seen {
	unsigned peers, visits;
	char id[2 * PEER_NODE_ID_MAX + 1];
};

static enum err see_run_peer(void *ctx, const struct store_peer *p)
{
	struct run_seen *seen = ctx;

	seen->peers++;
	assert_int_equal(p->public.len, 0);
	assert_int_equal(p->visits, 2);
	assert_false(p->has_version);
	assert_true(slice_equal(p->agent, slice_text("chat/1")));
	snprintf(seen->id, sizeof(seen->id), "%.*s", (int)p->node_id.len, p->node_id.data);
	return ERR_OK;
}

static enum err see_run_visit(void *ctx, const struct store_visit *v)
{
	struct run_seen *seen = ctx;

	assert_null(v->record.node);
	assert_int_equal(v->record.info.node_id.len, 16);
	assert_int_equal(v->record.info.node_id.data[0], 1 + seen->visits);
	assert_true(slice_equal(v->record.info.agent, slice_text("chat/1")));
	seen->visits++;
	return ERR_OK;
}

/* A gossip peer's id is of one run: after a restart it is the same peer, with another id. */
static void ids_of_runs(void **state)
{
	struct run_seen seen = { 0 };
	struct store *s = open_db(folder.db, STORE_CREATE);

	(void)state;
	for (uint8_t run = 1; run <= 2; run++) {
		struct store_crawl crawl = begin_crawl(s, "gossip");
		struct record r = ok_record(addr_of("127.0.0.5:5999"), slice_text("chat/1"));
		uint8_t id[16] = { run };

		r.info.has_version = false;
		r.info.node_id = slice_of(id, sizeof(id));
		assert_int_equal(store_begin(s), ERR_OK);
		assert_int_equal(store_put_known(s, &crawl, &r.addr, NULL, 1), ERR_OK);
		assert_int_equal(store_put_visit(s, &crawl, &r), ERR_OK);
		assert_int_equal(store_commit(s), ERR_OK);
	}
	assert_int_equal(store_peers(s, &STORE_FILTER_ANY, see_run_peer, &seen), ERR_OK);
	assert_int_equal(store_visits(s, &STORE_FILTER_ANY, see_run_visit, &seen), ERR_OK);
	assert_int_equal(seen.peers, 1);
	assert_int_equal(seen.visits, 2);
	assert_string_equal(seen.id, "02000000000000000000000000000000");
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(round_trip, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(retry_replaces, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(key_and_address, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(newest_words, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(forks, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(resume_and_adverts, folder_set_up,
						folder_tear_down),
		cmocka_unit_test_setup_teardown(readable_views, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(ids_of_runs, folder_set_up, folder_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
