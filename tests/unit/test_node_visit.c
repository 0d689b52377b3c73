/* test_node_visit.c: visits of nodes on real sockets of the loopback, of all sorts, and ended at
 * every point. */
#include "io/node_visit.h"

#include "base/keccak.h"
#include "proto/ethereum/rlp.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

/* After cmocka's own. */
#include "support/puppet.h"

enum { PUPPETS_MAX = 24, GUARD_MS = 10 * 1000, VISITOR = 77, CROWD = 700 };

/* What a visit has told. */
struct told {
	struct node_visit *visit;
	unsigned dones, named, in, out;
	bool reached, had_session, failed_here;
	enum outcome outcome;
	uint32_t adverts, entries;
	uint64_t bytes_in, bytes_out;
	uint16_t tcp_port;
	int64_t height;
	struct peer_chain chain;
	char agent[64], session[32], faults[PEER_FAULTS_MAX], completeness[32], rule[64];
};

/* Where a visit is cancelled. */
enum cancel {
	NEVER,
	AT_ONCE,
	ON_FIRST_OUT,
	ON_FIRST_IN,
	ON_NODE,
	ON_NAMED,
	ON_DONE, /* too late: nothing happens */
};

static uv_loop_t loop;
static uv_timer_t guard;
static struct secp secp;
static struct targets targets;
static struct identity identity;
static struct dialer dialer;
static struct node_visitor *visitor;
static struct node_visit_config config;
static struct puppet puppets[PUPPETS_MAX];
static unsigned left; /* visits in flight */
static enum cancel cancel_at;
static bool close_with_the_last;
static void (*then)(struct told *t); /* in on_done */

static int begin_all(void **state)
{
	const uint8_t random[SECP_RANDOM_LEN] = { 8 };

	(void)state;
	secp_init(&secp, random);
	targets_init(&targets);
	return 0;
}

static int end_all(void **state)
{
	(void)state;
	secp_clear(&secp);
	return 0;
}

static void cancel_if(struct node_visit *v, enum cancel where)
{
	if (cancel_at == where)
		node_visit_cancel(v);
}

static void on_named(void *ctx, struct node_visit *v, const struct advert *adverts, size_t count)
{
	struct told *t = node_visit_owner(v);

	assert_ptr_equal(ctx, &config);
	assert_int_equal(t->dones, 0);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(adverts[i].node_id.len, SECP_PUBLIC_LEN);
		assert_int_equal(adverts[i].tcp_port, adverts[i].addr.port);
	}
	t->named += (unsigned)count;
	cancel_if(v, ON_NAMED);
}

static void on_node(void *ctx, struct node_visit *v, const struct probe_event *event)
{
	(void)ctx;
	(void)event;
	assert_int_equal(((struct told *)node_visit_owner(v))->dones, 0);
	cancel_if(v, ON_NODE);
}

static void on_datagram(void *ctx, struct node_visit *v, bool outgoing, struct slice bytes)
{
	struct told *t = node_visit_owner(v);

	(void)ctx;
	(void)bytes;
	assert_int_equal(t->dones, 0);
	*(outgoing ? &t->out : &t->in) += 1;
	cancel_if(v, outgoing ? ON_FIRST_OUT : ON_FIRST_IN);
}

static void copy(char *out, size_t cap, struct slice text)
{
	snprintf(out, cap, "%.*s", (int)text.len, text.len > 0 ? (const char *)text.data : "");
}

static void copy_word(char *out, size_t cap, const char *word)
{
	snprintf(out, cap, "%s", word != NULL ? word : "");
}

static void on_done(void *ctx, struct node_visit *v, const struct record *record)
{
	struct told *t = node_visit_owner(v);
	struct rlpx_info info;

	(void)ctx;
	assert_int_equal(t->dones++, 0);
	t->outcome = record->outcome;
	t->reached = record->reached;
	t->adverts = record->adverts;
	t->entries = record->node->entries;
	t->bytes_in = record->bytes_in;
	t->bytes_out = record->bytes_out;
	t->tcp_port = record->node->tcp_port;
	t->chain = record->node->chain;
	t->height = record->info.height;
	t->failed_here = node_visit_failed_here(v);
	t->had_session = node_visit_session(v, &info);
	copy(t->agent, sizeof(t->agent), record->info.agent);
	copy(t->faults, sizeof(t->faults), record->node->faults);
	copy_word(t->session, sizeof(t->session), record->node->session);
	copy_word(t->completeness, sizeof(t->completeness), record->node->completeness);
	copy_word(t->rule, sizeof(t->rule), record->rule);
	assert_true(left-- > 0);
	cancel_if(v, ON_DONE);
	if (then != NULL)
		then(t);
	if (left == 0 && close_with_the_last) {
		node_visitor_close(visitor);
		visitor = NULL;
	}
}

static void on_guard(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("a visit does not end");
}

static int begin(void **state)
{
	const uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN] = { 2, 2 };
	struct player self;
	struct netaddr nowhere = { 0 };

	(void)state;
	memset(puppets, 0, sizeof(puppets));
	left = 0;
	cancel_at = NEVER;
	close_with_the_last = false;
	then = NULL;
	player_init(&self, &secp, VISITOR, &nowhere);
	identity_init(&identity, &self.key, random);
	assert_int_equal(uv_loop_init(&loop), 0);
	uv_timer_init(&loop, &guard);
	uv_timer_start(&guard, on_guard, GUARD_MS, 0);
	uv_unref((uv_handle_t *)&guard);
	dialer_init(&dialer, &loop);
	config = (struct node_visit_config){
		.visit = { .session = { .network = network_find("ethereum"),
					.role = SESSION_INITIATOR,
					.agent = slice_text("visitor/1"),
					.identity = &identity,
					.timeout_ms = 5000 },
			   .connect_timeout_ms = 2000 },
		.targets = &targets,
		.on_named = on_named,
		.on_node = on_node,
		.on_datagram = on_datagram,
		.on_done = on_done,
		.ctx = &config,
	};
	return 0;
}

/* Nothing is left on the loop, or the loop says so. */
static int end(void **state)
{
	(void)state;
	if (visitor != NULL)
		node_visitor_close(visitor);
	visitor = NULL;
	for (unsigned i = 0; i < PUPPETS_MAX; i++)
		puppet_stop(&puppets[i]);
	uv_close((uv_handle_t *)&guard, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	identity_clear(&identity);
	return uv_loop_close(&loop);
}

static void open_visitor(void)
{
	char why[NODE_VISIT_WHY_MAX];

	if (node_visitor_open(&dialer, &config, &visitor, why) != ERR_OK)
		fail_msg("%s", why);
}

static void visit(struct told *t, const struct enode *node)
{
	static uint64_t nonce;

	memset(t, 0, sizeof(*t));
	left++;
	assert_int_equal(node_visit_start(visitor, node, 0, ++nonce, t, &t->visit), ERR_OK);
	assert_ptr_equal(node_visit_owner(t->visit), t);
	assert_memory_equal(node_visit_node(t->visit), node, sizeof(*node));
	/* Even what is over already is told from the loop. */
	assert_int_equal(t->dones, 0);
}

static void run(void)
{
	while (left > 0)
		uv_run(&loop, UV_RUN_ONCE);
}

/* What may still come comes: of a visit that has ended nothing does. */
static void run_some(void)
{
	for (unsigned i = 0; i < 10; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
}

/* Puppet number i, with a full table unless told otherwise. */
static struct puppet *puppet(unsigned i, enum puppet_session sessions)
{
	struct puppet *p = &puppets[i];
	char at[32];

	if (p->table_count == 0)
		p->table_count = PUPPET_TABLE_MAX;
	p->sessions = sessions;
	snprintf(at, sizeof(at), "127.0.3.%u", 1 + i);
	puppet_start(p, &loop, &secp, 1000 + i, at);
	return p;
}

static void visit_puppet(struct told *t, struct puppet *p)
{
	if (visitor == NULL)
		open_visitor();
	visit(t, &p->enode);
	run();
	assert_int_equal(t->dones, 1);
}

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

/* --- ended by us --- */

static void cancelled(void **state)
{
	static const struct {
		const char *name;
		enum cancel at;
		unsigned in, out; /* datagrams that were told, at most */
		unsigned pings;   /* that the node has seen */
		enum outcome outcome;
	} rows[] = { { "before the first packet", AT_ONCE, 0, 0, 0, OUTCOME_CANCELLED },
		     { "by the first packet", ON_FIRST_OUT, 0, 1, 0, OUTCOME_CANCELLED },
		     { "by the first answer", ON_FIRST_IN, 1, 1, 1, OUTCOME_CANCELLED },
		     { "by the first node", ON_NODE, 4, 4, 1, OUTCOME_CANCELLED },
		     { "by whom it names", ON_NAMED, 4, 4, 1, OUTCOME_CANCELLED },
		     { "when it is over", ON_DONE, 99, 99, 1, OUTCOME_OK } };

	(void)state;
	open_visitor();
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct puppet *p = puppet(i, PUPPET_SERVES);
		struct told t;

		cancel_at = rows[i].at;
		visit(&t, &p->enode);
		if (rows[i].at == AT_ONCE)
			node_visit_cancel(t.visit);
		run();
		run_some();
		if (t.dones != 1 || t.outcome != rows[i].outcome || t.in > rows[i].in ||
		    t.out > rows[i].out || p->pings != rows[i].pings)
			fail_msg("%s: %s, %u in, %u out, %u pings", rows[i].name,
				 outcome_name(t.outcome), t.in, t.out, p->pings);
		if (rows[i].at == ON_NODE)
			assert_int_equal(t.named, 0);
	}
}

static void cancel_the_visit(struct puppet *p)
{
	struct told *t = p->ctx;

	assert_int_equal(t->dones, 0);
	node_visit_cancel(t->visit);
	assert_int_equal(t->dones, 1);
}

static void cancelled_in_its_session(void **state)
{
	static const enum puppet_session kinds[] = { PUPPET_IS_SILENT, PUPPET_SERVES };

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct puppet *p = puppet(i, kinds[i]);
		struct told t;

		p->on_accept = cancel_the_visit;
		p->ctx = &t;
		visit_puppet(&t, p);
		assert_int_equal(t.outcome, OUTCOME_CANCELLED);
		/* What discovery has learnt stands. */
		assert_true(t.reached);
		assert_int_equal(t.entries, PUPPET_TABLE_MAX);
		assert_string_equal(t.session, "cancelled");
		assert_false(t.failed_here);
		run_some();
	}
}

/* --- several visits --- */

static void one_visit_of_one_address(void **state)
{
	struct puppet *p = puppet(0, PUPPET_NO_SESSIONS), *q = puppet(1, PUPPET_NO_SESSIONS);
	struct enode beside = q->enode;
	struct node_visit *none;
	struct told t, u;

	(void)state;
	open_visitor();
	visit(&t, &p->enode);
	assert_int_equal(node_visit_start(visitor, &p->enode, 0, 90, NULL, &none), ERR_BUSY);
	assert_null(none);
	/* Another key and port of that host, too; another host not. */
	beside.endpoint.addr = p->enode.endpoint.addr;
	beside.endpoint.addr.port++;
	assert_int_equal(node_visit_start(visitor, &beside, 0, 91, NULL, &none), ERR_BUSY);
	visit(&u, &q->enode);
	run();
	assert_int_equal(t.outcome, OUTCOME_OK);
	assert_int_equal(u.outcome, OUTCOME_OK);
	visit(&t, &p->enode);
	run();
	assert_int_equal(t.outcome, OUTCOME_OK);
}

static struct told again_told;
static unsigned again_left;

/* The address is free as soon as the end of its visit is told. */
static void visit_again(struct told *t)
{
	(void)t;
	if (again_left-- > 0)
		visit(&again_told, &puppets[0].enode);
	else
		then = NULL;
}

static void again_from_its_end(void **state)
{
	static const enum outcome outcomes[] = { OUTCOME_OK, OUTCOME_CANCELLED };
	struct puppet *p = puppet(0, PUPPET_NO_SESSIONS);
	struct told t;

	(void)state;
	open_visitor();
	for (unsigned i = 0; i < 2; i++) {
		again_left = 2;
		then = visit_again;
		visit(&t, &p->enode);
		if (i > 0)
			node_visit_cancel(t.visit);
		run();
		assert_int_equal(t.outcome, outcomes[i]);
		assert_int_equal(again_told.outcome, OUTCOME_OK);
		assert_string_equal(again_told.faults, "");
	}
}

/* More than the index of visits holds at first; nearly all ends at once, some in between
 * goes on. */
static void a_crowd(void **state)
{
	static struct told told[CROWD + PUPPETS_MAX];
	struct puppet *p = puppet(0, PUPPET_NO_SESSIONS);
	uint16_t free_port = p->enode.endpoint.addr.port;
	unsigned refused = 0, ok = 0;

	(void)state;
	puppet_stop(p);
	run_some();
	open_visitor();
	for (unsigned i = 0; i < CROWD; i++) {
		struct enode ghost = p->enode;

		if (i % (CROWD / (PUPPETS_MAX - 1)) == 0 && i > 0 &&
		    i / (CROWD / (PUPPETS_MAX - 1)) < PUPPETS_MAX) {
			unsigned number = i / (CROWD / (PUPPETS_MAX - 1));

			visit(&told[CROWD + number], &puppet(number, PUPPET_SERVES)->enode);
		}
		ghost.endpoint.addr = netaddr_ipv4(0x7f010001U + i, free_port);
		visit(&told[i], &ghost);
	}
	run();
	for (unsigned i = 0; i < CROWD; i++)
		refused += told[i].dones == 1 && told[i].outcome == OUTCOME_REFUSED;
	for (unsigned i = 1; i < PUPPETS_MAX; i++)
		ok += told[CROWD + i].dones == 1 && told[CROWD + i].outcome == OUTCOME_OK &&
		      strcmp(told[CROWD + i].session, "ok") == 0;
	assert_int_equal(ok, PUPPETS_MAX - 1);
	assert_int_equal(refused, CROWD);
}

/* --- the visitor --- */

/* As the crawl does it: with the last visit's end, wherever it comes from. */
static void closed_by_the_last_end(void **state)
{
	static const struct {
		const char *name;
		enum puppet_session sessions;
		bool silent, gone;
	} rows[] = { { "by a datagram", PUPPET_NO_SESSIONS, false, false },
		     { "by a session", PUPPET_SERVES, false, false },
		     { "by a timer", PUPPET_NO_SESSIONS, true, false },
		     { "by ICMP", PUPPET_NO_SESSIONS, false, true } };

	(void)state;
	close_with_the_last = true;
	config.timeout_ms = 100;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct puppet *p = puppet(i, rows[i].sessions);
		struct told t;

		p->silent = rows[i].silent;
		if (rows[i].gone)
			puppet_stop(p);
		visit_puppet(&t, p);
		assert_null(visitor);
		puppet_stop(p);
		/* Only the guard is left, which holds nobody up. */
		uv_run(&loop, UV_RUN_DEFAULT);
		if (uv_loop_alive(&loop))
			fail_msg("%s", rows[i].name);
	}
}

static void no_descriptors(void **state)
{
	struct rlimit before, none;
	char why[NODE_VISIT_WHY_MAX];
	enum err err;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	err = node_visitor_open(&dialer, &config, &visitor, why);
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(err, ERR_IO);
	assert_null(visitor);
	assert_non_null(strstr(why, "ulimit -n"));
}

static struct rlimit descriptors;

/* From the last question on the machine has no descriptor to give. */
static void take_descriptors(struct puppet *p, enum discv4_type type)
{
	struct rlimit none = descriptors;

	(void)p;
	none.rlim_cur = 0;
	if (type == DISCV4_ENRREQUEST)
		setrlimit(RLIMIT_NOFILE, &none);
}

/* Not the node's fault: the caller may visit it again. */
static void no_descriptor_for_a_session(void **state)
{
	struct puppet *p = puppet(0, PUPPET_SERVES);
	struct told t;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &descriptors), 0);
	p->on_packet = take_descriptors;
	visit_puppet(&t, p);
	setrlimit(RLIMIT_NOFILE, &descriptors);
	assert_true(t.failed_here);
	assert_int_equal(p->accepted, 0);
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
		ROW(chains),
		ROW(cancelled),
		ROW(cancelled_in_its_session),
		ROW(one_visit_of_one_address),
		ROW(again_from_its_end),
		ROW(a_crowd),
		ROW(closed_by_the_last_end),
		ROW(no_descriptors),
		ROW(no_descriptor_for_a_session),
	};

	signal(SIGPIPE, SIG_IGN); /* as the program does */
	return cmocka_run_group_tests(tests, begin_all, end_all);
}
