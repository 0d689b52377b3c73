/* test_store_watch.c: what rounds of watching leave in a store, and who asks for it. */
#include "store/watch.h"

#include "support/nodes.h"
#include "support/sql.h"
#include "support/store_rig.h"

#include "store/db.h"

#include <math.h>

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE, EVERY = 10 * MINUTE };

static const int64_t start = 1780000000000;

static struct store_crawl begin_round(const char *network, int64_t at_ms)
{
	struct store_crawl crawl = { .started_at_ms = at_ms, .every_ms = EVERY };

	snprintf(crawl.network, sizeof(crawl.network), "%s", network);
	assert_int_equal(store_crawl_begin(store, &crawl), ERR_OK);
	return crawl;
}

static void visit(const struct store_crawl *crawl, struct record r, int64_t at_ms)
{
	r.started_at_ms = at_ms;
	assert_int_equal(store_put_visit(store, crawl, &r), ERR_OK);
}

/* A round of its own for that visit. */
static void visit_once(struct record r, int64_t at_ms)
{
	struct store_crawl crawl = begin_round("bitcoin", at_ms);

	visit(&crawl, r, at_ms);
}

static struct record up(const char *addr)
{
	return ok_record(addr_of(addr), slice_text("/x/"));
}

/* Somebody refused, so there is a network. */
static struct record down(const char *addr)
{
	return failed_record(addr_of(addr), OUTCOME_REFUSED);
}

static struct record silent(const char *addr)
{
	return failed_record(addr_of(addr), OUTCOME_CONNECT_TIMEOUT);
}

static bool end_round(const struct store_crawl *crawl)
{
	bool looked;

	assert_int_equal(store_round_end(store, crawl, &looked), ERR_OK);
	return looked;
}

static struct schedule schedule_of(int64_t id)
{
	struct schedule s;

	assert_int_equal(store_peer_schedule(store, id, &s), ERR_OK);
	return s;
}

static void assert_schedule(const struct schedule *got, const struct schedule *want)
{
	assert_int_equal(got->due_ms, want->due_ms);
	assert_int_equal(got->misses, want->misses);
	assert_int_equal(got->first_ms, want->first_ms);
	assert_int_equal(got->visited_ms, want->visited_ms);
	assert_int_equal(got->before_ms, want->before_ms);
	assert_int_equal(got->up_since_ms, want->up_since_ms);
	assert_int_equal(got->up_until_ms, want->up_until_ms);
	for (unsigned w = 0; w < SCHEDULE_WINDOWS; w++)
		assert_true(fabs(got->up[w] - want->up[w]) < 1e-9);
}

static void a_round_keeps_the_schedule(void **state)
{
	static const bool reached[] = { false, true, true, false, false, true, true };
	struct schedule want = { 0 }, got;
	struct schedule_session ended;
	unsigned sessions = 0;
	int64_t at = start;

	(void)state;
	assert_int_equal(store_peer_schedule(store, 1, &got), ERR_NOT_FOUND);
	for (size_t i = 0; i < sizeof(reached) / sizeof(*reached); i++) {
		visit_once(reached[i] ? up("1.2.3.4") : down("1.2.3.4"), at);
		sessions += schedule_visited(&want, EVERY, at, reached[i], &ended);
		got = schedule_of(1);
		assert_schedule(&got, &want);
		at = want.due_ms + MINUTE;
	}
	assert_int_equal(sessions, 1);
	assert_sql(store->db,
		   "SELECT group_concat(peer_id || ' ' || from_ms || ' ' || to_ms) FROM sessions",
		   "1 1780001260000 1780001920000");
	assert_int_equal(ended.from_ms, 1780001260000);
}

static void a_crawl_by_itself_watches_nobody(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");

	(void)state;
	visit(&crawl, up("1.2.3.4"), start);
	visit(&crawl, down("1.2.3.5"), start);
	crawl = begin_crawl(store, "bitcoin");
	visit(&crawl, ok_record(addr_of("1.2.3.4"), slice_text("/y/")), start + HOUR);
	assert_sql(store->db,
		   "SELECT (SELECT count(*) FROM watch) || (SELECT count(*) FROM changes)"
		   " || (SELECT count(*) FROM sessions)",
		   "000");
}

/* What the second try finds is what counts, as if there had been no other. */
static void a_late_retry_takes_the_place_of_the_first_try(void **state)
{
	static const struct {
		const char *name;
		bool was_up, reached;
	} rows[] = {
		{ "down, and still", false, false },
		{ "back", false, true },
		{ "gone", true, false },
		{ "up all the time", true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char tried[32], other[32];
		struct schedule got, want;
		struct store_crawl crawl;
		struct record retry;
		int64_t at = start;

		print_message("%s\n", rows[i].name);
		snprintf(tried, sizeof(tried), "1.2.%zu.1", i);
		snprintf(other, sizeof(other), "1.2.%zu.2", i);
		for (unsigned n = 0; n < 3; n++, at += EVERY) {
			visit_once(rows[i].was_up ? up(tried) : down(tried), at);
			visit_once(rows[i].was_up ? up(other) : down(other), at);
		}
		crawl = begin_round("bitcoin", at);
		visit(&crawl, silent(tried), at);
		retry = rows[i].reached ? up(tried) : silent(tried);
		retry.tries = 2;
		visit(&crawl, retry, at + MINUTE);
		/* A timeout like the first one leaves the time of that one. */
		visit(&crawl, rows[i].reached ? up(other) : silent(other),
		      rows[i].reached ? at + MINUTE : at);
		assert_true(end_round(&crawl));
		got = schedule_of((int64_t)(2 * i) + 1);
		want = schedule_of((int64_t)(2 * i) + 2);
		assert_schedule(&got, &want);
	}
	assert_sql(store->db, "SELECT group_concat(peer_id) FROM sessions", "5,6");
}

static unsigned sum_of_misses(void)
{
	unsigned sum = 0;

	for (int64_t id = 1; id <= STORE_ROUND_FEW; id++)
		sum += schedule_of(id).misses;
	return sum;
}

/* The watcher's own network is down: nobody looked. */
static void a_round_that_hears_nobody(void **state)
{
	struct store_crawl crawl;
	char addr[16];

	(void)state;
	for (unsigned n = 0; n < 3; n++) {
		crawl = begin_round("bitcoin", start + n * EVERY);
		for (unsigned i = 1; i <= STORE_ROUND_FEW; i++) {
			snprintf(addr, sizeof(addr), "1.2.3.%u", i);
			visit(&crawl, n == 0 ? up(addr) : silent(addr), start + n * EVERY);
		}
		assert_true(end_round(&crawl) == (n == 0));
		assert_int_equal(sum_of_misses(), 0);
	}
	/* In this one somebody refuses in the end: the others count as well. */
	crawl = begin_round("bitcoin", start + 3 * EVERY);
	visit(&crawl, silent("1.2.3.1"), start + 3 * EVERY);
	visit(&crawl, failed_record(addr_of("1.2.3.2"), OUTCOME_UNREACHABLE), start + 3 * EVERY);
	assert_int_equal(sum_of_misses(), 0);
	visit(&crawl, down("1.2.3.3"), start + 3 * EVERY);
	assert_int_equal(sum_of_misses(), 3);
	visit(&crawl, silent("1.2.3.4"), start + 3 * EVERY);
	assert_true(end_round(&crawl));
	assert_int_equal(sum_of_misses(), 4);
	assert_sql(store->db, "SELECT group_concat(peer_id) FROM sessions", "1,2,3,4");
	/* Fewer are up now than would tell. */
	crawl = begin_round("bitcoin", start + 4 * EVERY);
	visit(&crawl, silent("1.2.3.5"), start + 4 * EVERY);
	assert_int_equal(sum_of_misses(), 4);
	assert_true(end_round(&crawl));
	assert_int_equal(sum_of_misses(), 5);
}

/* A round that was killed before anybody was heard goes on in another process. */
static void a_round_that_hears_somebody_late(void **state)
{
	struct store_crawl crawl = begin_round("bitcoin", start);

	(void)state;
	visit(&crawl, silent("1.2.3.4"), start);
	store->round = 0;
	visit(&crawl, up("1.2.3.4"), start + MINUTE); /* its late retry */
	assert_int_equal(schedule_of(1).misses, 0);
	assert_int_equal(schedule_of(1).up_since_ms, start + MINUTE);
	store->round = 0;
	visit(&crawl, silent("1.2.3.5"), start + MINUTE);
	assert_int_equal(schedule_of(2).misses, 1);
}

/* Refused at last, not timed out again: the row is a new one, the miss is not. */
static void a_retry_that_misses_otherwise(void **state)
{
	struct store_crawl crawl = begin_round("bitcoin", start);
	struct schedule s;

	(void)state;
	visit(&crawl, down("1.2.3.4"), start);
	visit(&crawl, failed_record(addr_of("1.2.3.4"), OUTCOME_REFUSED), start + MINUTE);
	s = schedule_of(1);
	assert_int_equal(s.misses, 1);
	assert_int_equal(s.visited_ms, start + MINUTE);
	assert_int_equal(s.due_ms, start + MINUTE + 2 * EVERY);
	/* Reached, and then lost in the same round: that is news. */
	visit(&crawl, up("1.2.3.4"), start + 2 * MINUTE);
	visit(&crawl, failed_record(addr_of("1.2.3.4"), OUTCOME_REFUSED), start + 3 * MINUTE);
	s = schedule_of(1);
	assert_int_equal(s.misses, 1);
	assert_sql(store->db, "SELECT to_ms - from_ms FROM sessions", "0");
}

struct told {
	unsigned count;
	char text[1024];
};

static enum err see_told(void *ctx, const struct store_told *told)
{
	struct told *t = ctx;
	size_t len = strlen(t->text);

	snprintf(t->text + len, sizeof(t->text) - len, "%lld %s %.*s>%.*s\n",
		 (long long)(told->at_ms - start) / MINUTE, told->what, (int)told->was.len,
		 (const char *)told->was.data, (int)told->now.len, (const char *)told->now.data);
	t->count++;
	return ERR_OK;
}

static void assert_told(int64_t id, size_t limit, const char *want)
{
	struct told told = { 0 };

	assert_int_equal(store_peer_told(store, id, limit, see_told, &told), ERR_OK);
	assert_string_equal(told.text, want);
}

static void what_a_peer_says_otherwise(void **state)
{
	struct record r = up("1.2.3.4");

	(void)state;
	visit_once(r, start);
	visit_once(r, start + EVERY);
	assert_told(1, 10, "");
	r.info.agent = slice_text("/y/");
	visit_once(r, start + 2 * EVERY);
	/* Who is down says nothing. */
	visit_once(down("1.2.3.4"), start + 3 * EVERY);
	r.info.services = 0x8000000000000009;
	r.info.protocol = -1;
	visit_once(r, start + 4 * EVERY);
	r.info.agent = slice_of("\xff\0", 2);
	visit_once(r, start + 5 * EVERY);
	assert_told(1, 10,
		    "50 agent /y/>\xff"
		    "\n40 protocol 70016>-1\n40 services 0xc09>0x8000000000000009\n"
		    "20 agent /x/>/y/\n");
	assert_told(1, 1, "50 agent /y/>\xff\n");
	assert_sql(store->db, "SELECT typeof(now) FROM changes ORDER BY at_ms DESC", "blob");
}

static void what_a_node_says_otherwise(void **state)
{
	const struct node_key key = node_key(1);
	struct node_info node = full_node();
	struct store_crawl crawl = begin_round("ethereum", start);

	(void)state;
	visit(&crawl, node_record("1.2.3.4:30303", &key, &node), start);
	crawl = begin_round("ethereum", start + EVERY);
	node.record_seq++;
	node.chain.fork_hash[0] = 0xff;
	visit(&crawl, node_record("1.2.3.4:30303", &key, &node), start + EVERY);
	assert_told(1, 10,
		    "10 fork 0x07c9462e>0xffc9462e\n10 record 1780000000123>1780000000124\n");
	/* Nobody said anything. */
	crawl = begin_round("ethereum", start + 2 * EVERY);
	node.has_record_seq = node.chain.has_fork = node.chain.has_status = false;
	node.record = slice_of(NULL, 0);
	visit(&crawl, node_record("1.2.3.4:30303", &key, &node), start + 2 * EVERY);
	assert_told(1, 1, "10 fork 0x07c9462e>0xffc9462e\n");
}

static void a_node_that_moved(void **state)
{
	const struct node_key key = node_key(1), other = node_key(2);
	const struct node_info node = full_node(), none = { 0 };
	struct store_crawl crawl = begin_round("ethereum", start);

	(void)state;
	visit(&crawl, node_record("1.2.3.4:30303", &key, &node), start);
	visit(&crawl, ghost_record("[2a01::1]:30303", &key, &none), start);
	visit(&crawl, node_record("5.6.7.8:30303", &other, &node), start);
	assert_told(2, 10, "");
	crawl = begin_round("ethereum", start + EVERY);
	visit(&crawl, ghost_record("1.2.3.4:30303", &key, &none), start + EVERY);
	visit(&crawl, node_record("[2a01::1]:30303", &key, &node), start + EVERY);
	visit(&crawl, node_record("5.6.7.8:30303", &other, &node), start + EVERY);
	assert_told(2, 10, "10 address 1.2.3.4:30303>[2a01::1]:30303\n");
	/* There it stays. */
	crawl = begin_round("ethereum", start + 2 * EVERY);
	visit(&crawl, node_record("[2a01::1]:30303", &key, &node), start + 2 * EVERY);
	assert_told(2, 1, "10 address 1.2.3.4:30303>[2a01::1]:30303\n");
	/* Back, and then at both: it moves once. */
	for (unsigned n = 3; n < 6; n++) {
		crawl = begin_round("ethereum", start + n * EVERY);
		visit(&crawl, node_record("1.2.3.4:30303", &key, &node), start + n * EVERY);
		visit(&crawl, node_record("[2a01::1]:30303", &key, &node), start + n * EVERY);
	}
	assert_told(1, 10, "30 address [2a01::1]:30303>1.2.3.4:30303\n");
	assert_told(3, 10, "");
	assert_sql(store->db, "SELECT count(*) FROM changes", "2");
}

struct watched {
	unsigned count, most;
	struct store_watched last;
};

static bool see_watched(void *ctx, const struct store_watched *watched)
{
	struct watched *w = ctx;

	w->last = *watched;
	return ++w->count < w->most;
}

static void everybody_who_is_watched(void **state)
{
	struct watched w = { .most = 10 };
	struct schedule want;
	struct store_crawl crawl;

	(void)state;
	assert_int_equal(store_watched(store, "bitcoin", see_watched, &w), ERR_OK);
	assert_int_equal(w.count, 0);
	crawl = begin_round("bitcoin", start);
	visit(&crawl, up("1.2.3.4"), start);
	visit(&crawl, down("1.2.3.5"), start);
	visit(&crawl, down("1.2.3.6:18333"), start + 5);
	crawl = begin_round("bitcoin-signet", start);
	visit(&crawl, down("1.2.3.7"), start);
	assert_int_equal(store_watched(store, "bitcoin", see_watched, &w), ERR_OK);
	assert_int_equal(w.count, 3);
	assert_true(netaddr_equal(&w.last.peer.addr, &(struct netaddr){ 0 }) == false);
	assert_int_equal(w.last.peer.addr.port, 18333);
	assert_int_equal(w.last.last_seen_ms, start + 5);
	want = schedule_of(3);
	assert_schedule(&w.last.schedule, &want);
	w = (struct watched){ .most = 2 };
	assert_int_equal(store_watched(store, "bitcoin", see_watched, &w), ERR_OK);
	assert_int_equal(w.count, 2);
}

static void who_is_forgotten(void **state)
{
	const int64_t month = (int64_t)SCHEDULE_FORGET_S * 1000;
	struct advert named = { .addr = addr_of("1.2.3.7") };
	struct store_crawl crawl;
	uint64_t count = 9;

	(void)state;
	assert_int_equal(store_watch_forget(store, "bitcoin", start, &count), ERR_OK);
	assert_int_equal(count, 0);
	for (int64_t n = 0; n < 3; n++) {
		crawl = begin_round("bitcoin", start + n * EVERY);
		visit(&crawl, down("1.2.3.4"), start + n * EVERY);
		visit(&crawl, up("1.2.3.5"), start + n * EVERY);
		visit(&crawl, n == 0 ? up("1.2.3.6") : down("1.2.3.6"), start + n * EVERY);
		visit(&crawl, down("1.2.3.7"), start + n * EVERY);
	}
	assert_int_equal(store_watch_forget(store, "bitcoin", start + month, &count), ERR_OK);
	assert_int_equal(count, 0);
	crawl = begin_round("bitcoin", start + month);
	assert_int_equal(store_put_known(store, &crawl, &named.addr, &named, start + month),
			 ERR_OK);
	/* Two of these have missed thrice, and one of the two was named; the others have not. */
	assert_int_equal(store_watch_forget(store, "bitcoin-signet", start + 2 * month, &count),
			 ERR_OK);
	assert_int_equal(count, 0);
	assert_int_equal(store_watch_forget(store, "bitcoin", start + month + 1, &count), ERR_OK);
	assert_int_equal(count, 1);
	assert_sql(store->db, "SELECT group_concat(peer_id) FROM watch", "2,3,4");
	/* Named again, it is somebody new. */
	visit(&crawl, down("1.2.3.4"), start + month);
	assert_int_equal(schedule_of(1).first_ms, start + month);
}

struct seen {
	unsigned count;
	char text[512];
};

static void note(struct seen *seen, const char *text, long long number)
{
	size_t len = strlen(seen->text);

	snprintf(seen->text + len, sizeof(seen->text) - len, "%s%lld ", text, number);
	seen->count++;
}

static enum err see_session(void *ctx, int64_t from_ms, int64_t to_ms)
{
	note(ctx, "", (from_ms - start) / MINUTE);
	note(ctx, "-", (to_ms - start) / MINUTE);
	return ERR_OK;
}

static enum err see_visit(void *ctx, const struct store_visit *v)
{
	note(ctx, v->record.reached ? "+" : "", v->crawl_id);
	return ERR_OK;
}

static enum err see_day(void *ctx, const struct store_day *day)
{
	note(ctx, "", day->day);
	note(ctx, "", day->visits);
	note(ctx, "", day->reached);
	return ERR_OK;
}

static enum err see_peer(void *ctx, const struct store_peer *p)
{
	assert_string_equal(p->network, "bitcoin");
	note(ctx, p->reached ? "+" : "", (long long)p->visits);
	return ERR_OK;
}

static enum err refuse_peer(void *ctx, const struct store_peer *p)
{
	(void)ctx;
	(void)p;
	return ERR_LIMIT;
}

static void one_peer_over_time(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	for (unsigned n = 0; n < 8; n++) {
		struct store_crawl other = begin_round("bitcoin-signet", start);

		visit(&other, up("9.9.9.9"), start + n * EVERY);
		visit_once(n % 3 == 2 ? down("1.2.3.4") : up("1.2.3.4"), start + n * EVERY);
		visit_once(up("1.2.3.5"), start + n * EVERY);
	}
	assert_int_equal(store_peer_sessions(store, 2, 10, see_session, &seen), ERR_OK);
	assert_string_equal(seen.text, "30 -40 0 -10 ");
	seen = (struct seen){ 0 };
	assert_int_equal(store_peer_sessions(store, 2, 1, see_session, &seen), ERR_OK);
	assert_string_equal(seen.text, "30 -40 ");
	seen = (struct seen){ 0 };
	assert_int_equal(store_peer_visits(store, 2, 10, see_visit, &seen), ERR_OK);
	assert_string_equal(seen.text, "+23 +20 17 +14 +11 8 +5 +2 ");
	seen = (struct seen){ 0 };
	assert_int_equal(store_peer_visits(store, 2, 3, see_visit, &seen), ERR_OK);
	assert_string_equal(seen.text, "+23 +20 17 ");
	seen = (struct seen){ 0 };
	assert_int_equal(store_peer_visits(store, 77, 3, see_visit, &seen), ERR_OK);
	assert_int_equal(store_peer_sessions(store, 77, 3, see_session, &seen), ERR_OK);
	assert_int_equal(store_peer_days(store, 2, 3, see_day, &seen), ERR_OK);
	assert_int_equal(seen.count, 0);
	assert_int_equal(store_peer_by_id(store, 2, see_peer, &seen), ERR_OK);
	assert_string_equal(seen.text, "+8 ");
	assert_int_equal(store_peer_by_id(store, 2, refuse_peer, NULL), ERR_LIMIT);
	assert_int_equal(store_peer_by_id(store, 77, see_peer, &seen), ERR_NOT_FOUND);
	run_sql(folder.db,
		"INSERT INTO daily VALUES(2, 20000, 5, 3), (2, 20001, 6, 4), (1, 1, 1, 1)");
	seen = (struct seen){ 0 };
	assert_int_equal(store_peer_days(store, 2, 3, see_day, &seen), ERR_OK);
	assert_string_equal(seen.text, "20001 6 4 20000 5 3 ");
}

static void whose_crawl_is_running(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct store *reader = open_db(folder.db, STORE_READ);
	struct store *writer = open_db(folder.db, STORE_WRITE);
	struct store_crawl other = begin_crawl(writer, "bitcoin-signet");

	(void)state;
	assert_true(store_crawl_running(reader, crawl.id));
	assert_true(store_crawl_running(reader, other.id));
	assert_false(store_crawl_running(reader, other.id + 1));
	/* One's own is none of another's. */
	assert_false(store_crawl_running(store, crawl.id));
	assert_true(store_crawl_running(store, other.id));
	assert_true(store_crawl_running(writer, crawl.id));
	/* It goes on to the next one. */
	crawl.ended_at_ms = start + HOUR;
	assert_int_equal(store_crawl_end(store, &crawl), ERR_OK);
	assert_false(store_crawl_running(reader, crawl.id));
	crawl = begin_crawl(store, "bitcoin");
	assert_true(store_crawl_running(reader, crawl.id));
	/* To ask takes no lock, and lets none go. */
	store_close(writer);
	assert_false(store_crawl_running(reader, other.id));
	assert_true(store_crawl_running(reader, crawl.id));
	store_close(store);
	assert_false(store_crawl_running(reader, crawl.id));
	store_close(reader);
	store = open_db(folder.db, STORE_WRITE);
	assert_int_equal(store_crawl_get(store, other.id, NULL, &crawl), ERR_OK);
}

struct news {
	unsigned count, watched;
	int64_t ids[16];
	enum err refuse;
};

static enum err see_news(void *ctx, int64_t id, const struct store_peer *peer,
			 const struct schedule *schedule)
{
	struct news *n = ctx;

	assert_true(peer->addr.kind == NETADDR_IPV4);
	assert_true(n->count < 16);
	n->ids[n->count++] = id;
	n->watched += schedule != NULL;
	assert_true(schedule == NULL || schedule->visited_ms > 0);
	return n->refuse;
}

static void what_is_new(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct netaddr named = addr_of("1.2.3.9");
	int64_t peer_id = 0, visit_id = 0;
	struct news n = { 0 };

	(void)state;
	assert_int_equal(store_news(store, &peer_id, &visit_id, see_news, &n), ERR_OK);
	assert_int_equal(n.count, 0);
	visit(&crawl, up("1.2.3.4"), start);
	visit(&crawl, up("1.2.3.5"), start);
	assert_int_equal(store_put_known(store, &crawl, &named, NULL, start), ERR_OK);
	n.refuse = ERR_NOMEM;
	assert_int_equal(store_news(store, &peer_id, &visit_id, see_news, &n), ERR_NOMEM);
	assert_int_equal(peer_id, 0);
	n = (struct news){ 0 };
	assert_int_equal(store_news(store, &peer_id, &visit_id, see_news, &n), ERR_OK);
	assert_int_equal(n.count, 3);
	assert_int_equal(n.watched, 0);
	assert_int_equal(peer_id, 3);
	n = (struct news){ 0 };
	assert_int_equal(store_news(store, &peer_id, &visit_id, see_news, &n), ERR_OK);
	assert_int_equal(n.count, 0);
	/* A visit of a known one in two rounds, one of somebody new, and one that replaced another.
	 */
	visit_once(up("1.2.3.5"), start + EVERY);
	crawl = begin_round("bitcoin", start + 2 * EVERY);
	visit(&crawl, up("1.2.3.5"), start + 2 * EVERY);
	visit(&crawl, down("1.2.3.6"), start + 2 * EVERY);
	n = (struct news){ 0 };
	assert_int_equal(store_news(store, &peer_id, &visit_id, see_news, &n), ERR_OK);
	assert_int_equal(n.count, 2);
	assert_int_equal(n.watched, 2);
	assert_int_equal(n.ids[0], 2);
	assert_int_equal(n.ids[1], 4);
	visit(&crawl, up("1.2.3.6"), start + 2 * EVERY + 1);
	n = (struct news){ 0 };
	assert_int_equal(store_read_begin(store), ERR_OK);
	assert_int_equal(store_news(store, &peer_id, &visit_id, see_news, &n), ERR_OK);
	store_read_end(store);
	assert_int_equal(n.count, 1);
	assert_int_equal(n.ids[0], 4);
}

static void views_for_people(void **state)
{
	const char *path = folder.db;
	struct record r = up("1.2.3.4");

	(void)state;
	for (unsigned n = 0; n < 4; n++)
		visit_once(n == 1 ? down("1.2.3.4") : r, start + n * EVERY);
	r.info.agent = slice_text("/y/");
	visit_once(r, start + 5 * EVERY);
	assert_file_sql(
		path,
		"SELECT network || ' ' || address || ' ' || port || ' ' || due || ' ' || up_since"
		" || ' ' || misses || ' ' || up_30d_percent FROM watch_readable",
		"bitcoin 1.2.3.4 8333 2026-05-28T21:26:40Z 2026-05-28T20:46:40Z 0 80.0");
	assert_file_sql(
		path,
		"SELECT group_concat(address || ' ' || began || ' ' || seconds || ' ' || goes_on)"
		" FROM sessions_readable",
		"1.2.3.4 2026-05-28T20:26:40Z 0.0 0,1.2.3.4 2026-05-28T20:46:40Z 1800.0 1");
	assert_file_sql(path,
			"SELECT address || ' ' || at || ' ' || what || ' ' || was || ' ' || now"
			" FROM changes_readable",
			"1.2.3.4 2026-05-28T21:16:40Z agent /x/ /y/");
	assert_file_sql(path, "SELECT every_seconds || ' ' || pruned FROM crawls_readable",
			"600.0 0");
}

/* An unfinished round is taken up as the file has it, and the file may be anybody's: numbers that
 * no program of ours writes. */
static void a_round_of_anybodys_making(void **state)
{
	static const struct {
		const char *sql;
		bool heard; /* else the visits wait for a sign of life, and no peer is watched yet
			     */
	} rows[] = {
		{ "UPDATE crawls SET every_ms = -1", true },
		{ "UPDATE crawls SET every_ms = -9223372036854775808", true },
		{ "UPDATE crawls SET every_ms = 9223372036854775807", true },
		{ "UPDATE crawls SET started_at_ms = -1", true },
		{ "UPDATE visits SET started_at_ms = 0", false },
		{ "UPDATE visits SET started_at_ms = -9223372036854775808", false },
		{ "UPDATE watch SET visited_ms = 0", true },
		{ "UPDATE watch SET visited_ms = -1, before_ms = 7, misses = -1", true },
		{ "UPDATE watch SET due_ms = -1, first_ms = 9223372036854775807", true },
		{ "UPDATE watch SET misses = 4294967295, up_since_ms = 9223372036854775807", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct store_crawl crawl = begin_round("bitcoin", start);

		print_message("%s\n", rows[i].sql);
		visit(&crawl, rows[i].heard ? down("1.2.3.4") : silent("1.2.3.4"), start + 1);
		visit(&crawl, silent("1.2.3.5"), start + 1);
		store_close(store);
		run_sql(folder.db, rows[i].sql);
		store = open_db(folder.db, STORE_WRITE);
		assert_int_equal(store_crawl_unfinished(store, "bitcoin", &crawl), ERR_OK);
		visit(&crawl, down("1.2.3.4"), start + MINUTE);
		visit(&crawl, up("1.2.3.5"), start + MINUTE);
		end_round(&crawl);
		assert_true(schedule_of(2).due_ms >= 0);
		store_close(store);
		db_remove(folder.db);
		store = open_db(folder.db, STORE_CREATE);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, store_set_up, store_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_round_keeps_the_schedule),
		TEST(a_crawl_by_itself_watches_nobody),
		TEST(a_late_retry_takes_the_place_of_the_first_try),
		TEST(a_retry_that_misses_otherwise),
		TEST(a_round_that_hears_nobody),
		TEST(a_round_that_hears_somebody_late),
		TEST(what_a_peer_says_otherwise),
		TEST(what_a_node_says_otherwise),
		TEST(a_node_that_moved),
		TEST(everybody_who_is_watched),
		TEST(who_is_forgotten),
		TEST(one_peer_over_time),
		TEST(whose_crawl_is_running),
		TEST(what_is_new),
		TEST(a_round_of_anybodys_making),
		TEST(views_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
