/* test_node_visit.c: visits of nodes on real sockets of the loopback, of all sorts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* After cmocka's own. */
#include "support/visits.h"

/* --- as it should be --- */

static void a_whole_visit(void **state)
{
	struct puppet *p = puppet(0, PUPPET_SERVES);
	struct told t;

	(void)state;
	p->record_chain = ethereum_chain_find("ethereum");
	visit_puppet(&t, p);
	assert_int_equal(t.outcome, OUTCOME_OK);
	assert_true(t.reached);
	assert_string_equal(t.completeness, "drained");
	assert_int_equal(t.entries, PUPPET_TABLE_MAX);
	assert_true(t.adverts >= PUPPET_TABLE_MAX);
	assert_int_equal(t.named, t.adverts);
	assert_string_equal(t.faults, "");
	assert_string_equal(t.rule, "");
	assert_string_equal(t.session, "ok");
	assert_string_equal(t.agent, "puppet/1");
	assert_true(t.had_session);
	assert_false(t.failed_here);
	assert_int_equal(t.tcp_port, p->enode.endpoint.tcp_port);
	assert_true(t.chain.has_status && t.chain.has_fork);
	assert_int_equal(t.height, 1000);
	/* Its PING was answered, and its record asked for. */
	assert_int_equal(p->pings, 1);
	assert_int_equal(p->pongs, 1);
	assert_int_equal(p->enrrequests, 1);
	assert_int_equal(p->unreadable, 0);
	assert_int_equal(t.out, p->pings + p->pongs + p->findnodes + p->enrrequests);
	/* PONG, PING, two packets an answer, the record. */
	assert_int_equal(t.in, 3 + 2 * p->findnodes);
	assert_memory_equal(p->session.info.key, identity.public, SECP_PUBLIC_LEN);
	assert_true(slice_equal(p->session.info.hello.client, slice_text("visitor/1")));
}

static void over_ipv6(void **state)
{
	struct puppet *p = &puppets[0];
	struct udp_config probe = { .on_datagram = puppet_datagram };
	struct udp *six;
	struct told t;

	(void)state;
	assert_int_equal(netaddr_parse(slice_text("[::1]"), 0, &probe.local), ERR_OK);
	if (udp_open(&loop, &probe, &six) != ERR_OK)
		skip(); /* a machine without IPv6 */
	udp_close(six);
	p->table_count = PUPPET_TABLE_MAX;
	p->sessions = PUPPET_SERVES;
	puppet_start(p, &loop, &secp, 1000, "[::1]");
	visit_puppet(&t, p);
	assert_int_equal(t.outcome, OUTCOME_OK);
	assert_string_equal(t.session, "ok");
	assert_string_equal(t.completeness, "drained");
}

static void sessions(void **state)
{
	static const struct {
		const char *name;
		enum puppet_session sessions;
		bool no_session, silent, always;
		enum outcome outcome;
		const char *session;
		unsigned accepted;
	} rows[] = {
		{ "none is wanted", PUPPET_SERVES, true, false, false, OUTCOME_OK, "", 0 },
		{ "it takes none", PUPPET_NO_SESSIONS, false, false, false, OUTCOME_OK, "", 0 },
		{ "nobody listens", PUPPET_REFUSES, false, false, false, OUTCOME_OK, "refused", 0 },
		{ "discovery had no answer", PUPPET_SERVES, false, true, false,
		  OUTCOME_CONNECT_TIMEOUT, "", 0 },
		{ "discovery had no answer, tried all the same", PUPPET_SERVES, false, true, true,
		  OUTCOME_CONNECT_TIMEOUT, "ok", 1 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct puppet *p = puppet(i, rows[i].sessions);
		struct told t;

		p->silent = rows[i].silent;
		config.no_session = rows[i].no_session;
		config.always_session = rows[i].always;
		config.timeout_ms = rows[i].silent ? 50 : 0;
		visit_puppet(&t, p);
		if (t.outcome != rows[i].outcome || strcmp(t.session, rows[i].session) != 0)
			fail_msg("%s: %s, session %s", rows[i].name, outcome_name(t.outcome),
				 t.session);
		assert_int_equal(p->accepted, rows[i].accepted);
		assert_int_equal(t.had_session, rows[i].accepted > 0);
		assert_false(t.failed_here);
		node_visitor_close(visitor);
		visitor = NULL;
	}
}

static void what_is_not_asked(void **state)
{
	static const struct {
		const char *name;
		bool no_table, no_record;
		unsigned findnodes, enrrequests;
	} rows[] = { { "is it there?", true, true, 0, 0 },
		     { "its record alone", true, false, 0, 1 },
		     { "its table alone", false, true, 2, 0 } };

	(void)state;
	config.no_session = true;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct puppet *p = puppet(i, PUPPET_NO_SESSIONS);
		struct told t;

		config.no_table = rows[i].no_table;
		config.no_record = rows[i].no_record;
		config.targets = rows[i].no_table ? NULL : &targets;
		visit_puppet(&t, p);
		if (t.outcome != OUTCOME_OK || (p->findnodes > 0) != (rows[i].findnodes > 0) ||
		    p->enrrequests != rows[i].enrrequests)
			fail_msg("%s: %s, %u, %u", rows[i].name, outcome_name(t.outcome),
				 p->findnodes, p->enrrequests);
		/* Whatever was asked, its PING is answered. */
		run_some();
		assert_int_equal(p->pongs, 1);
		node_visitor_close(visitor);
		visitor = NULL;
	}
}

/* --- who is not there, or does not behave --- */

static void refused_by_icmp(void **state)
{
	struct puppet *p = puppet(0, PUPPET_NO_SESSIONS);
	struct enode node = p->enode;
	struct told t;

	(void)state;
	puppet_stop(p);
	run_some();
	for (unsigned i = 0; i < 3; i++) {
		visit_puppet(&t, p);
		assert_int_equal(t.outcome, OUTCOME_REFUSED);
		assert_false(t.reached);
		assert_string_equal(t.completeness, "");
		assert_int_equal(t.out, 1);
	}
	/* And the socket still works. */
	p = puppet(1, PUPPET_NO_SESSIONS);
	visit_puppet(&t, p);
	assert_int_equal(t.outcome, OUTCOME_OK);
	(void)node;
}

static void silent(void **state)
{
	struct puppet *p = puppet(0, PUPPET_SERVES);
	struct told t;

	(void)state;
	p->silent = true;
	config.timeout_ms = 60;
	visit_puppet(&t, p);
	assert_int_equal(t.outcome, OUTCOME_CONNECT_TIMEOUT);
	assert_false(t.reached);
	assert_int_equal(p->pings, 1);
	assert_int_equal(t.bytes_in, 0);
	assert_true(t.bytes_out > 0);
	assert_int_equal(p->accepted, 0);
}

static void another_key_lives_there(void **state)
{
	struct puppet *p = puppet(0, PUPPET_SERVES);
	struct player other;
	struct told t;

	(void)state;
	player_init(&other, &secp, 5, &p->player.addr);
	p->as = &other;
	visit_puppet(&t, p);
	assert_int_equal(t.outcome, OUTCOME_PROTOCOL_ERROR);
	assert_string_equal(t.rule, "another key speaks at its address");
	assert_false(t.reached);
	assert_int_equal(p->findnodes, 0);
	assert_int_equal(p->accepted, 0);
}

static void ourselves(void **state)
{
	struct puppet *p = puppet(0, PUPPET_SERVES);
	struct told t;

	(void)state;
	memcpy(p->enode.key, identity.public, SECP_PUBLIC_LEN);
	visit_puppet(&t, p);
	assert_int_equal(t.outcome, OUTCOME_SELF);
	run_some();
	assert_int_equal(p->pings, 0);
	assert_int_equal(t.out, 0);
}

static void what_nobody_can_read(void **state)
{
	struct puppet *p = puppet(0, PUPPET_SERVES);
	struct told t;

	(void)state;
	p->garbage = true;
	visit_puppet(&t, p);
	assert_int_equal(t.outcome, OUTCOME_OK);
	assert_string_equal(t.faults, "garbage 3");
	assert_string_equal(t.session, "ok");
}

/* As ethereumjs sends it: 16 nodes in one packet. */
static void a_packet_that_is_too_long(void **state)
{
	struct puppet *p = puppet(0, PUPPET_NO_SESSIONS);
	struct told t;
	char wanted[32];

	(void)state;
	p->in_one = true;
	visit_puppet(&t, p);
	assert_int_equal(t.outcome, OUTCOME_OK);
	assert_int_equal(t.entries, PUPPET_TABLE_MAX);
	snprintf(wanted, sizeof(wanted), "long %u", p->findnodes);
	assert_string_equal(t.faults, wanted);
}

static void gone_in_the_middle(void **state)
{
	struct puppet *p = puppet(0, PUPPET_REFUSES);
	struct told t;

	(void)state;
	p->goes_after = 1;
	config.timeout_ms = 150;
	visit_puppet(&t, p);
	assert_int_equal(t.outcome, OUTCOME_OK);
	assert_true(t.reached);
	assert_string_equal(t.completeness, "partial");
	assert_int_equal(t.entries, PUPPET_TABLE_MAX);
	/* By whoever named it: no record came. */
	assert_int_equal(t.tcp_port, p->enode.endpoint.tcp_port);
}

/* Of strangers nothing is heard, whoever they say that they are. */
static struct puppet *stranger;

static void let_the_stranger_speak(struct puppet *p, enum discv4_type type)
{
	struct packet out;

	if (type != DISCV4_PING || stranger == NULL)
		return;
	stranger->asker = p->asker;
	puppet_ping(stranger, &stranger->player);
	/* With the very key of the node that is visited, from elsewhere. */
	puppet_ping(stranger, &p->player);
	say_findnode(&stranger->player, p->enode.key, puppet_now_s() + 20, &out);
	puppet_send(stranger, &out);
}

static void strangers(void **state)
{
	struct puppet *p = puppet(0, PUPPET_NO_SESSIONS);
	struct told t;

	(void)state;
	stranger = puppet(1, PUPPET_NO_SESSIONS);
	p->on_packet = let_the_stranger_speak;
	visit_puppet(&t, p);
	assert_int_equal(t.outcome, OUTCOME_OK);
	assert_string_equal(t.faults, "");
	assert_int_equal(t.in, 3 + 2 * p->findnodes);
	run_some();
	assert_int_equal(stranger->pongs + stranger->pings + stranger->unreadable, 0);
	stranger = NULL;
}

/* Somebody at the node's address sends as fast as the loop turns, each packet worth a signature;
 * nothing else lets it end but the clock. */
static uv_idle_t flood;
static struct puppet *flooder;
static struct packet flood_packet;
static unsigned flooded;

static void on_flood(uv_idle_t *idle)
{
	(void)idle;
	for (unsigned i = 0; i < UDP_BATCH; i++)
		udp_send(flooder->udp, &flooder->asker, NULL, packet_slice(&flood_packet));
	flooded += UDP_BATCH;
}

static void begin_flood(struct puppet *p, enum discv4_type type)
{
	struct player other;

	if (type != DISCV4_PING || uv_is_active((uv_handle_t *)&flood))
		return;
	flooder = p;
	player_init(&other, &secp, 5, &p->player.addr);
	say_findnode(&other, p->enode.key, puppet_now_s() + PLAYER_EXPIRATION_S, &flood_packet);
	uv_idle_start(&flood, on_flood);
}

/* A visit of somebody who floods, with so much time for an answer, and one of somebody who doesn't
 * meanwhile. */
static void visit_both(uint64_t timeout_ms, struct told *bad, struct told *good)
{
	struct puppet *p = puppet(0, PUPPET_NO_SESSIONS), *q = puppet(1, PUPPET_SERVES);

	flooded = 0;
	uv_idle_init(&loop, &flood);
	uv_timer_again(&guard);
	p->silent = true;
	p->on_packet = begin_flood;
	config.timeout_ms = timeout_ms;
	open_visitor();
	visit(bad, &p->enode);
	while (flooded < 10 * UDP_BATCH)
		uv_run(&loop, UV_RUN_NOWAIT);
	visit(good, &q->enode);
	run();
	uv_close((uv_handle_t *)&flood, NULL);
	node_visitor_close(visitor);
	visitor = NULL;
	puppet_stop(p);
	puppet_stop(q);
	run_some();
	memset(puppets, 0, sizeof(puppets));
}

/* Twice the time until it was enough for as many packets as are read of anybody: that a machine has
 * much else to do is no fault. */
static void a_flood_takes_nobodys_turn(void **state)
{
	enum { READ_MAX = 4 * PROBE_PACKETS_MAX, LONGEST_MS = 8000 };
	struct told bad = { 0 }, good = { 0 };

	(void)state;
	for (uint64_t ms = 500; ms <= LONGEST_MS && bad.in < READ_MAX; ms *= 2)
		visit_both(ms, &bad, &good);
	assert_int_equal(good.outcome, OUTCOME_OK);
	assert_string_equal(good.completeness, "drained");
	assert_string_equal(good.session, "ok");
	assert_int_equal(bad.outcome, OUTCOME_CONNECT_TIMEOUT);
	assert_false(bad.reached);
	if (bad.in < READ_MAX && flooded < 2 * READ_MAX)
		skip(); /* there was no time for as much as that */
	/* Read up to a cap, however long it lasts. */
	assert_int_equal(bad.in, READ_MAX);
}

/* --- one chain's nodes --- */

static void chains(void **state)
{
	static const struct {
		const char *name, *record, *status;
		enum outcome outcome;
		unsigned accepted; /* whether a session was needed to tell */
	} rows[] = { { "ours", "sepolia", "sepolia", OUTCOME_OK, 1 },
		     { "no fork in its record", NULL, "sepolia", OUTCOME_OK, 1 },
		     { "another by its record", "hoodi", "hoodi", OUTCOME_WRONG_NETWORK, 0 },
		     { "another by its Status", NULL, "hoodi", OUTCOME_WRONG_NETWORK, 1 },
		     { "another than its record says", "sepolia", "hoodi", OUTCOME_WRONG_NETWORK,
		       1 } };

	(void)state;
	config.chain = ethereum_chain_find("sepolia");
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct puppet *p = puppet(i, PUPPET_SERVES);
		struct told t;

		if (rows[i].record != NULL)
			p->record_chain = ethereum_chain_find(rows[i].record);
		p->status_chain = ethereum_chain_find(rows[i].status);
		visit_puppet(&t, p);
		if (t.outcome != rows[i].outcome || p->accepted != rows[i].accepted)
			fail_msg("%s: %s, %u sessions", rows[i].name, outcome_name(t.outcome),
				 p->accepted);
		/* Its table is everybody's: all of them share one discovery. */
		assert_int_equal(t.entries, PUPPET_TABLE_MAX);
		assert_true(t.reached);
	}
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		ROW(a_whole_visit),
		ROW(over_ipv6),
		ROW(sessions),
		ROW(what_is_not_asked),
		ROW(refused_by_icmp),
		ROW(silent),
		ROW(another_key_lives_there),
		ROW(ourselves),
		ROW(what_nobody_can_read),
		ROW(a_packet_that_is_too_long),
		ROW(gone_in_the_middle),
		ROW(strangers),
		ROW(a_flood_takes_nobodys_turn),
		ROW(chains),
	};

	signal(SIGPIPE, SIG_IGN); /* as the program does */
	return cmocka_run_group_tests(tests, begin_all, end_all);
}
