#include "store/store.h"

#include "support/sql.h"
#include "support/store_rig.h"

static void assert_slice(struct slice got, struct slice want)
{
	assert_int_equal(got.len, want.len);
	if (want.len > 0)
		assert_memory_equal(got.data, want.data, want.len);
}

static void assert_text(const char *got, const char *want)
{
	if (want == NULL)
		assert_null(got);
	else
		assert_string_equal(got, want);
}

/* Every field, as far as it holds something. */
static void assert_record(const struct record *got, const struct record *want)
{
	const struct peer_info *g = &got->info, *w = &want->info;

	assert_true(netaddr_equal(&got->addr, &want->addr));
	assert_int_equal(got->started_at_ms, want->started_at_ms);
	assert_int_equal(got->outcome, want->outcome);
	assert_int_equal(got->reached, want->reached);
	assert_int_equal(got->tries, want->tries);
	assert_int_equal(got->stepwise, want->stepwise);
	assert_text(got->rule, want->rule);
	assert_int_equal(got->connect_ms, want->connect_ms);
	assert_int_equal(got->version_ms, want->version_ms);
	assert_int_equal(got->handshake_ms, want->handshake_ms);
	assert_int_equal(got->reply_ms, want->reply_ms);
	assert_int_equal(got->total_ms, want->total_ms);
	assert_slice(g->agent, w->agent);
	assert_slice(g->node_id, w->node_id);
	assert_slice(g->negotiation, w->negotiation);
	assert_int_equal(g->has_version, w->has_version);
	assert_int_equal(g->protocol, w->protocol);
	assert_int_equal(g->services, w->services);
	assert_int_equal(g->height, w->height);
	assert_int_equal(g->relay, w->relay);
	assert_int_equal(g->has_clock, w->has_clock);
	assert_int_equal(g->clock_skew_s, w->clock_skew_s);
	assert_int_equal(g->has_feefilter, w->has_feefilter);
	assert_int_equal(g->feefilter, w->feefilter);
	assert_true(netaddr_equal(&g->sees_us_as, &w->sees_us_as));
	assert_int_equal(got->adverts, want->adverts);
	assert_int_equal(got->adverts_new, want->adverts_new);
	assert_int_equal(got->adverts_cut, want->adverts_cut);
	assert_int_equal(got->messages_in, want->messages_in);
	assert_int_equal(got->unknown_in, want->unknown_in);
	assert_int_equal(got->bytes_in, want->bytes_in);
	assert_int_equal(got->bytes_out, want->bytes_out);
}

struct expect_visit {
	const struct record *want;
	unsigned seen;
};

static enum err expect_visit(void *ctx, const struct store_visit *v)
{
	struct expect_visit *e = ctx;

	assert_string_equal(v->network, "bitcoin");
	assert_record(&v->record, e->want);
	e->seen++;
	return ERR_OK;
}

static const uint8_t node_id[PEER_NODE_ID_MAX] = { 0xde, 0xad, [63] = 0x07 };
static const uint8_t not_utf8[] = { '/', 0xff, 0xc0, 0x80, '/' };

static struct record full_record(void)
{
	struct record r = ok_record(addr_of("[2a01:4f8::7]:18333"), slice_text("/Satoshi:27.0.0/"));

	r.outcome = OUTCOME_PROTOCOL_ERROR;
	r.tries = 2;
	r.stepwise = true;
	r.rule = "a rule that was broken";
	r.info.node_id = slice_of(node_id, sizeof(node_id));
	r.info.negotiation = slice_text("version wtxidrelay verack");
	r.info.services = UINT64_MAX;
	r.info.relay = true;
	r.info.has_clock = true;
	r.info.clock_skew_s = -7200;
	r.info.has_feefilter = true;
	r.info.feefilter = UINT64_MAX - 1;
	r.info.sees_us_as = addr_of("[2a01::1]:1");
	r.adverts = UINT32_MAX;
	r.adverts_new = 3;
	r.adverts_cut = 4;
	r.messages_in = 5;
	r.unknown_in = 6;
	r.bytes_in = 1ULL << 40;
	r.bytes_out = 8;
	return r;
}

static struct record with_agent(struct slice agent)
{
	struct record r = full_record();

	r.info.agent = agent;
	return r;
}

/* What goes in comes out, in the same process and after a new start. */
static void visit_round_trip(void **state)
{
	const struct {
		const char *name;
		struct record record;
	} rows[] = {
		{ "every field", full_record() },
		{ "nothing said", failed_record(addr_of("1.2.3.4"), OUTCOME_CONNECT_TIMEOUT) },
		{ "no UTF-8", with_agent(slice_of(not_utf8, sizeof(not_utf8))) },
		{ "a NUL inside", with_agent(slice_of("a\0b", 3)) },
		{ "an empty agent", with_agent(slice_of(NULL, 0)) },
		{ "cut UTF-8", with_agent(slice_text("\xe2\x82")) },
		{ "a surrogate", with_agent(slice_text("\xed\xa0\x80")) },
		{ "letters", with_agent(slice_text("/Größe:1/\xf0\x9f\x98\x80")) },
		{ "CJDNS", ok_record(addr_of("[fc00::5]:8333"), slice_text("/x/")) },
		{ "I2P",
		  failed_record(
			  addr_of("ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p:0"),
			  OUTCOME_MUTE) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct expect_visit e = { .want = &rows[i].record };
		struct store_filter filter = STORE_FILTER_ANY;
		struct store *s = open_db(folder.db, STORE_CREATE);
		struct store_crawl crawl = begin_crawl(s, "bitcoin");

		print_message("%s\n", rows[i].name);
		filter.crawl_id = crawl.id;
		assert_int_equal(store_put_visit(s, &crawl, &rows[i].record), ERR_OK);
		assert_int_equal(store_visits(s, &filter, expect_visit, &e), ERR_OK);
		store_close(s);
		s = open_db(folder.db, STORE_READ);
		assert_int_equal(store_visits(s, &filter, expect_visit, &e), ERR_OK);
		assert_int_equal(e.seen, 2);
		store_close(s);
	}
}

static enum err keep_peer(void *ctx, const struct store_peer *p)
{
	struct store_peer *out = ctx;

	*out = *p;
	return ERR_OK;
}

/* The one peer that the filter leaves. */
static struct store_peer only_peer(struct store *s, int64_t crawl_id)
{
	struct store_filter filter = STORE_FILTER_ANY;
	struct store_peer p = { 0 };

	filter.crawl_id = crawl_id;
	assert_int_equal(store_peers(s, &filter, keep_peer, &p), ERR_OK);
	return p;
}

static void peers_over_crawls(void **state)
{
	struct netaddr addr = addr_of("1.2.3.4:8333");
	struct advert advert = { .addr = addr, .services = 9, .last_seen_s = 1779999000 };
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl first = begin_crawl(s, "bitcoin");
	struct record r = failed_record(addr, OUTCOME_CONNECT_TIMEOUT);
	struct store_peer p;

	(void)state;
	assert_int_equal(store_put_known(s, &first, &addr, NULL, 1000), ERR_OK);
	p = only_peer(s, 0);
	assert_false(p.visited);
	assert_false(p.has_version);
	assert_false(p.has_claim);
	assert_int_equal(p.visits, 0);
	assert_int_equal(p.last_reached_ms, -1);
	assert_int_equal(store_put_known(s, &first, &addr, &advert, 3000), ERR_OK);
	p = only_peer(s, 0);
	assert_true(p.has_claim);
	assert_int_equal(p.claimed_services, 9);
	assert_int_equal(p.first_seen_ms, 1000);
	assert_int_equal(p.last_seen_ms, 3000);
	/* Threads may tell in another order than it happened. */
	assert_int_equal(store_put_known(s, &first, &addr, NULL, 900), ERR_OK);
	p = only_peer(s, 0);
	assert_int_equal(p.first_seen_ms, 900);
	assert_int_equal(p.last_seen_ms, 3000);
	assert_true(p.has_claim);

	/* A first try, then the late retry, which takes its place. */
	assert_int_equal(store_put_visit(s, &first, &r), ERR_OK);
	p = only_peer(s, 0);
	assert_true(p.visited);
	assert_int_equal(p.outcome, OUTCOME_CONNECT_TIMEOUT);
	assert_int_equal(p.visits, 1);
	assert_int_equal(p.reached_count, 0);
	assert_int_equal(p.last_seen_ms, 3000);
	r = ok_record(addr, slice_text("/first/"));
	r.tries = 2;
	assert_int_equal(store_put_visit(s, &first, &r), ERR_OK);
	p = only_peer(s, 0);
	assert_int_equal(p.outcome, OUTCOME_OK);
	assert_int_equal(p.visits, 1);
	assert_int_equal(p.reached_count, 1);
	assert_int_equal(p.last_reached_ms, r.started_at_ms + 81);
	assert_int_equal(p.last_seen_ms, r.started_at_ms);

	store_close(s);
}

/* Somebody who is silent twice: nothing is new but that it was tried twice. */
static void silent_twice(void **state)
{
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "bitcoin");
	struct record r = failed_record(addr_of("1.2.3.4:8333"), OUTCOME_CONNECT_TIMEOUT);
	const struct store_filter any = STORE_FILTER_ANY;
	int64_t first_ms = r.started_at_ms;
	struct expect_visit e;
	struct store_peer p;

	(void)state;
	assert_int_equal(store_put_visit(s, &crawl, &r), ERR_OK);
	r.tries = 2;
	r.started_at_ms += 60000;
	assert_int_equal(store_put_visit(s, &crawl, &r), ERR_OK);
	p = only_peer(s, 0);
	assert_int_equal(p.visits, 1);
	assert_int_equal(p.outcome, OUTCOME_CONNECT_TIMEOUT);
	assert_int_equal(p.visit_at_ms, first_ms);
	r.started_at_ms = first_ms;
	e = (struct expect_visit){ .want = &r };
	assert_int_equal(store_visits(s, &any, expect_visit, &e), ERR_OK);
	assert_int_equal(e.seen, 1);
	store_close(s);
}

/* A peer counts once a crawl, with what came of it last, however often it is visited. */
static void visited_again(void **state)
{
	struct netaddr addr = addr_of("1.2.3.4:8333");
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "bitcoin");
	struct record ok = ok_record(addr, slice_text("/x/"));
	struct record failed = failed_record(addr, OUTCOME_RESET);
	struct store_peer p;

	(void)state;
	assert_int_equal(store_put_visit(s, &crawl, &ok), ERR_OK);
	assert_int_equal(store_put_visit(s, &crawl, &ok), ERR_OK);
	p = only_peer(s, 0);
	assert_int_equal(p.visits, 1);
	assert_int_equal(p.reached_count, 1);
	assert_int_equal(store_put_visit(s, &crawl, &failed), ERR_OK);
	p = only_peer(s, 0);
	assert_int_equal(p.visits, 1);
	assert_int_equal(p.reached_count, 0);
	assert_int_equal(p.last_reached_ms, ok.started_at_ms + ok.handshake_ms);
	store_close(s);
}

/* The next crawl finds nobody: what the peer had said stays. */
static void peer_gone(void **state)
{
	struct netaddr addr = addr_of("1.2.3.4:8333");
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl first = begin_crawl(s, "bitcoin"), second;
	struct record r = ok_record(addr, slice_text("/first/"));
	struct store_peer p;

	(void)state;
	assert_int_equal(store_put_visit(s, &first, &r), ERR_OK);
	second = begin_crawl(s, "bitcoin");
	r = failed_record(addr, OUTCOME_REFUSED);
	r.started_at_ms += 86400000;
	assert_int_equal(store_put_visit(s, &second, &r), ERR_OK);
	p = only_peer(s, 0);
	assert_int_equal(p.outcome, OUTCOME_REFUSED);
	assert_int_equal(p.connect_ms, -1);
	assert_int_equal(p.visits, 2);
	assert_int_equal(p.reached_count, 1);
	assert_int_equal(p.last_reached_ms, 1780000001081);
	assert_true(p.has_version);
	assert_int_equal(p.height, 900000);
	/* Each crawl has its own view. */
	p = only_peer(s, first.id);
	assert_int_equal(p.outcome, OUTCOME_OK);
	assert_int_equal(p.handshake_ms, 81);
	p = only_peer(s, second.id);
	assert_int_equal(p.outcome, OUTCOME_REFUSED);
	assert_false(p.has_version);
	store_close(s);
}

static enum err count_rows(void *ctx, const struct store_visit *v)
{
	(void)v;
	++*(unsigned *)ctx;
	return ERR_OK;
}

static unsigned visits_of(struct store *s, const struct store_filter *filter)
{
	unsigned n = 0;

	assert_int_equal(store_visits(s, filter, count_rows, &n), ERR_OK);
	return n;
}

static void filters(void **state)
{
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl main_net = begin_crawl(s, "bitcoin");
	struct store_crawl test_net = begin_crawl(s, "bitcoin-testnet4");
	struct record a = ok_record(addr_of("1.1.1.1"), slice_text("/a/"));
	struct record b = failed_record(addr_of("[2a01::1]:8333"), OUTCOME_REFUSED);
	const struct {
		const char *name;
		struct store_filter filter;
		unsigned count;
	} rows[] = {
		{ "any", { .outcome = -1 }, 3 },
		{ "a crawl", { .outcome = -1, .crawl_id = main_net.id }, 2 },
		{ "another crawl", { .outcome = -1, .crawl_id = test_net.id }, 1 },
		{ "no such crawl", { .outcome = -1, .crawl_id = 99 }, 0 },
		{ "a network", { .outcome = -1, .network = "bitcoin" }, 2 },
		{ "no such network", { .outcome = -1, .network = "bitcoin-signet" }, 0 },
		{ "an outcome", { .outcome = OUTCOME_OK }, 2 },
		{ "a kind", { .outcome = -1, .kind = NETADDR_IPV6 }, 1 },
		{ "all of them",
		  { .crawl_id = main_net.id,
		    .network = "bitcoin",
		    .outcome = OUTCOME_REFUSED,
		    .kind = NETADDR_IPV6 },
		  1 },
		{ "contradicting", { .outcome = OUTCOME_OK, .kind = NETADDR_IPV6 }, 0 },
	};

	(void)state;
	/* The same address in two networks is two peers. */
	assert_int_equal(store_put_visit(s, &main_net, &a), ERR_OK);
	assert_int_equal(store_put_visit(s, &main_net, &b), ERR_OK);
	assert_int_equal(store_put_visit(s, &test_net, &a), ERR_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(visits_of(s, &rows[i].filter), rows[i].count);
	}
	store_close(s);
}

static void batches(void **state)
{
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store *reader = open_db(folder.db, STORE_READ);
	struct store_crawl crawl = begin_crawl(s, "bitcoin");
	struct store_filter any = STORE_FILTER_ANY;

	(void)state;
	assert_int_equal(store_begin(s), ERR_OK);
	for (uint32_t i = 0; i < 1000; i++) {
		struct record r = failed_record(netaddr_ipv4(i, 8333), OUTCOME_REFUSED);

		assert_int_equal(store_put_visit(s, &crawl, &r), ERR_OK);
	}
	assert_int_equal(visits_of(reader, &any), 0);
	assert_int_equal(store_commit(s), ERR_OK);
	assert_int_equal(visits_of(reader, &any), 1000);
	/* A batch that was never committed is gone. */
	assert_int_equal(store_begin(s), ERR_OK);
	for (uint32_t i = 0; i < 10; i++) {
		struct record r = failed_record(netaddr_ipv4(i, 1), OUTCOME_REFUSED);

		assert_int_equal(store_put_visit(s, &crawl, &r), ERR_OK);
	}
	store_close(s);
	assert_int_equal(visits_of(reader, &any), 1000);
	store_close(reader);
}

static void crawls(void **state)
{
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl got, ended = begin_crawl(s, "bitcoin"), open = begin_crawl(s, "bitcoin");
	struct store_crawl other = begin_crawl(s, "gossip");

	(void)state;
	ended.ended_at_ms = ended.started_at_ms + 60000;
	ended.complete = true;
	ended.known = 1;
	ended.visited = 2;
	ended.reached = 3;
	ended.adverts = 4;
	ended.bytes_in = 5;
	ended.bytes_out = 6;
	ended.cpu_seconds = 7.5;
	ended.max_rss_bytes = 8;
	assert_int_equal(store_crawl_end(s, &ended), ERR_OK);
	assert_int_equal(store_crawl_get(s, ended.id, NULL, &got), ERR_OK);
	assert_string_equal(got.network, "bitcoin");
	assert_string_equal(got.settings, "{\"concurrency\":100}");
	assert_int_equal(got.started_at_ms, ended.started_at_ms);
	assert_int_equal(got.ended_at_ms, ended.ended_at_ms);
	assert_true(got.complete);
	assert_int_equal(got.known, 1);
	assert_int_equal(got.visited, 2);
	assert_int_equal(got.reached, 3);
	assert_int_equal(got.adverts, 4);
	assert_int_equal(got.bytes_in, 5);
	assert_int_equal(got.bytes_out, 6);
	assert_true(got.cpu_seconds == 7.5);
	assert_int_equal(got.max_rss_bytes, 8);

	assert_int_equal(store_crawl_get(s, 0, NULL, &got), ERR_OK);
	assert_int_equal(got.id, other.id);
	assert_int_equal(store_crawl_get(s, 0, "bitcoin", &got), ERR_OK);
	assert_int_equal(got.id, open.id);
	assert_int_equal(store_crawl_unfinished(s, "bitcoin", &got), ERR_OK);
	assert_int_equal(got.id, open.id);
	assert_int_equal(store_crawl_get(s, 77, NULL, &got), ERR_NOT_FOUND);
	assert_non_null(strstr(store_why(s), "crawl 77"));
	assert_int_equal(store_crawl_get(s, ended.id, "gossip", &got), ERR_NOT_FOUND);
	assert_int_equal(store_crawl_get(s, 0, "sepolia", &got), ERR_NOT_FOUND);
	assert_non_null(strstr(store_why(s), "sepolia"));

	/* Only the newest can be resumed. */
	open.ended_at_ms = open.started_at_ms + 1;
	open.complete = false;
	assert_int_equal(store_crawl_end(s, &open), ERR_OK);
	assert_int_equal(store_crawl_unfinished(s, "bitcoin", &got), ERR_OK);
	open.complete = true;
	assert_int_equal(store_crawl_end(s, &open), ERR_OK);
	assert_int_equal(store_crawl_unfinished(s, "bitcoin", &got), ERR_NOT_FOUND);
	store_close(s);
}

struct resumed {
	unsigned count, stop_after;
	struct netaddr addrs[8];
	enum outcome outcomes[8];
	bool reached[8];
	unsigned tries[8];
};

static bool on_resumed(void *ctx, const struct advert *peer, enum outcome outcome, bool reached,
		       unsigned tries)
{
	struct resumed *r = ctx;

	assert_true(r->count < 8);
	r->addrs[r->count] = peer->addr;
	r->outcomes[r->count] = outcome;
	r->reached[r->count] = reached;
	r->tries[r->count] = tries;
	return ++r->count != r->stop_after;
}

static void resume(void **state)
{
	struct netaddr seed = addr_of("1.1.1.1"), timed_out = addr_of("2.2.2.2"),
		       waiting = addr_of("[2a01::3]:1"), old = addr_of("4.4.4.4");
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl before = begin_crawl(s, "bitcoin"), crawl, other;
	struct record r = ok_record(seed, slice_text("/x/"));
	struct advert advert = { .addr = addr_of("10.0.0.1") }, from = { .addr = seed };
	struct resumed got = { 0 };

	(void)state;
	assert_int_equal(store_put_known(s, &before, &old, NULL, 1), ERR_OK);
	assert_int_equal(store_put_known(s, &before, &seed, NULL, 1), ERR_OK);
	crawl = begin_crawl(s, "bitcoin");
	other = begin_crawl(s, "bitcoin-signet");
	assert_int_equal(store_put_known(s, &crawl, &seed, NULL, 2), ERR_OK);
	assert_int_equal(store_put_visit(s, &crawl, &r), ERR_OK);
	assert_int_equal(store_put_known(s, &crawl, &timed_out, NULL, 2), ERR_OK);
	r = failed_record(timed_out, OUTCOME_CONNECT_TIMEOUT);
	assert_int_equal(store_put_visit(s, &crawl, &r), ERR_OK);
	assert_int_equal(store_put_known(s, &crawl, &waiting, NULL, 2), ERR_OK);
	assert_int_equal(store_put_known(s, &other, &old, NULL, 2), ERR_OK);
	/* Named, but never taken for a peer: not to be dialled. */
	assert_int_equal(store_put_advert(s, &crawl, &from, &advert, 2), ERR_OK);

	assert_int_equal(store_resume(s, &crawl, on_resumed, &got), ERR_OK);
	assert_int_equal(got.count, 3);
	assert_true(netaddr_equal(&got.addrs[0], &seed));
	assert_int_equal(got.outcomes[0], OUTCOME_OK);
	assert_true(got.reached[0]);
	assert_int_equal(got.tries[0], 1);
	assert_true(netaddr_equal(&got.addrs[1], &timed_out));
	assert_int_equal(got.outcomes[1], OUTCOME_CONNECT_TIMEOUT);
	assert_false(got.reached[1]);
	assert_true(netaddr_equal(&got.addrs[2], &waiting));
	assert_int_equal(got.tries[2], 0);
	got = (struct resumed){ .stop_after = 2 };
	assert_int_equal(store_resume(s, &crawl, on_resumed, &got), ERR_OK);
	assert_int_equal(got.count, 2);
	store_close(s);
}

/* Of a run that was killed, only its visits remain: a later one can't know its counts. */
static void totals_after_a_kill(void **state)
{
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "bitcoin"), got;
	struct record r = ok_record(addr_of("1.1.1.1"), slice_text("/x/"));

	(void)state;
	r.bytes_in = 30000;
	r.bytes_out = 200;
	assert_int_equal(store_put_visit(s, &crawl, &r), ERR_OK);
	crawl.adverts = 3;
	crawl.bytes_in = 100;
	crawl.bytes_out = 900; /* what was cancelled is in no visit */
	assert_int_equal(store_crawl_end(s, &crawl), ERR_OK);
	assert_int_equal(store_crawl_get(s, crawl.id, NULL, &got), ERR_OK);
	assert_int_equal(got.adverts, 1000);
	assert_int_equal(got.bytes_in, 30000);
	assert_int_equal(got.bytes_out, 900);
	store_close(s);
}

static enum err count_peers(void *ctx, const struct store_peer *p)
{
	(void)p;
	++*(unsigned *)ctx;
	return ERR_OK;
}

struct adverts {
	unsigned count;
	struct store_advert last;
};

static enum err on_advert(void *ctx, const struct store_advert *a)
{
	struct adverts *out = ctx;

	out->last = *a;
	out->count++;
	return ERR_OK;
}

static void adverts(void **state)
{
	struct advert from = { .addr = addr_of("1.1.1.1") },
		      second = { .addr = addr_of("3.3.3.3") };
	struct advert advert = { .addr = addr_of("2.2.2.2:1"),
				 .services = UINT64_MAX,
				 .last_seen_s = -5 };
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "bitcoin");
	struct store_filter filter = STORE_FILTER_ANY;
	struct adverts got = { 0 };
	unsigned peers = 0;

	(void)state;
	assert_int_equal(store_put_known(s, &crawl, &from.addr, NULL, 1), ERR_OK);
	assert_int_equal(store_put_advert(s, &crawl, &from, &advert, 1000), ERR_OK);
	/* The same again replaces it. */
	assert_int_equal(store_put_advert(s, &crawl, &from, &advert, 2000), ERR_OK);
	assert_int_equal(store_adverts(s, &filter, on_advert, &got), ERR_OK);
	assert_int_equal(got.count, 1);
	assert_true(netaddr_equal(&got.last.from.addr, &from.addr));
	assert_true(netaddr_equal(&got.last.advert.addr, &advert.addr));
	assert_int_equal(got.last.at_ms, 2000);
	assert_int_equal(got.last.advert.services, UINT64_MAX);
	assert_int_equal(got.last.advert.last_seen_s, -5);
	assert_int_equal(store_put_advert(s, &crawl, &second, &advert, 3000), ERR_OK);
	got.count = 0;
	filter.crawl_id = crawl.id;
	assert_int_equal(store_adverts(s, &filter, on_advert, &got), ERR_OK);
	assert_int_equal(got.count, 2);
	/* Who was only named is no peer yet. */
	filter.crawl_id = 0;
	assert_int_equal(store_peers(s, &filter, count_peers, &peers), ERR_OK);
	assert_int_equal(peers, 1);
	store_close(s);
}

static enum err stop_walk(void *ctx, const struct store_visit *v)
{
	(void)ctx;
	(void)v;
	return ERR_FULL;
}

static void walk_stops(void **state)
{
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "bitcoin");
	struct record r = failed_record(addr_of("1.1.1.1"), OUTCOME_REFUSED);
	struct store_filter any = STORE_FILTER_ANY;

	(void)state;
	assert_int_equal(store_put_visit(s, &crawl, &r), ERR_OK);
	assert_int_equal(store_visits(s, &any, stop_walk, NULL), ERR_FULL);
	/* Nothing stays open behind it. */
	assert_int_equal(store_begin(s), ERR_OK);
	assert_int_equal(store_commit(s), ERR_OK);
	store_close(s);
}

/* The views are for people with sqlite3; the numbers' names must be there. */
static void readable_views(void **state)
{
	static const struct {
		const char *name, *sql, *want;
	} rows[] = {
		{ "outcome", "SELECT outcome FROM visits_readable", "ok" },
		{ "network", "SELECT network FROM peers_readable", "bitcoin" },
		{ "kind", "SELECT kind FROM peers_readable", "ipv6" },
		{ "address", "SELECT address FROM peers_readable", "2a01::1" },
		{ "agent", "SELECT agent FROM visits_readable", "/x/" },
		{ "services", "SELECT services FROM peers_readable", "0xc09" },
		{ "time", "SELECT started_at FROM visits_readable", "2026-05-28T20:26:41Z" },
		{ "crawl", "SELECT started_at FROM crawls_readable", "2026-05-28T20:26:40Z" },
		{ "advert", "SELECT from_address FROM adverts_readable", "2a01::1" },
		{ "outcomes", "SELECT name FROM outcomes WHERE id = 13", "cancelled" },
		{ "integrity", "PRAGMA integrity_check", "ok" },
		{ "journal", "PRAGMA journal_mode", "wal" },
	};
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "bitcoin");
	struct record r = ok_record(addr_of("[2a01::1]:8333"), slice_text("/x/"));
	struct advert advert = { .addr = r.addr };
	sqlite3 *db;

	(void)state;
	assert_int_equal(store_put_visit(s, &crawl, &r), ERR_OK);
	assert_int_equal(store_put_advert(s, &crawl, &advert, &advert, 1), ERR_OK);
	assert_int_equal(sqlite3_open(folder.db, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_sql(db, rows[i].sql, rows[i].want);
	}
	sqlite3_close(db);
	store_close(s);
}

/* Programs that take TEXT for UTF-8 are never handed anything else. */
static void text_or_blob(void **state)
{
	static const struct {
		const char *name, *agent, *type;
	} rows[] = {
		{ "ASCII", "/x/", "text" },
		{ "empty", "", "text" },
		{ "two bytes", "\xc3\xb6", "text" },
		{ "three bytes", "\xe2\x82\xac", "text" },
		{ "four bytes", "\xf0\x9f\x98\x80", "text" },
		{ "the last code point", "\xf4\x8f\xbf\xbf", "text" },
		{ "beyond it", "\xf4\x90\x80\x80", "blob" },
		{ "a surrogate", "\xed\xa0\x80", "blob" },
		{ "overlong, two bytes", "\xc1\xbf", "blob" },
		{ "overlong, three bytes", "\xe0\x9f\xbf", "blob" },
		{ "overlong, four bytes", "\xf0\x8f\xbf\xbf", "blob" },
		{ "cut", "\xe2\x82", "blob" },
		{ "a tail alone", "\x80", "blob" },
		{ "a lead and a letter", "\xc3x", "blob" },
	};
	struct store *s = open_db(folder.db, STORE_CREATE);
	struct store_crawl crawl = begin_crawl(s, "bitcoin");
	sqlite3_stmt *st;
	sqlite3 *db;

	(void)state;
	for (uint32_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct record r = ok_record(netaddr_ipv4(i, 1), slice_text(rows[i].agent));

		assert_int_equal(store_put_visit(s, &crawl, &r), ERR_OK);
	}
	assert_int_equal(sqlite3_open(folder.db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT typeof(agent) FROM peers ORDER BY id", -1,
					    &st, NULL),
			 SQLITE_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(sqlite3_step(st), SQLITE_ROW);
		assert_string_equal((const char *)sqlite3_column_text(st, 0), rows[i].type);
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(visit_round_trip, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(peers_over_crawls, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(silent_twice, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(visited_again, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(text_or_blob, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(peer_gone, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(filters, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(batches, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(crawls, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(resume, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(totals_after_a_kill, folder_set_up,
						folder_tear_down),
		cmocka_unit_test_setup_teardown(adverts, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(walk_stops, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(readable_views, folder_set_up, folder_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
