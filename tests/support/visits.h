/* visits.h: visits of nodes on real sockets, with what they tell, and whom to visit (puppet.h).
 *
 * Included after cmocka's own. */
#ifndef PEERWALK_TESTS_SUPPORT_VISITS_H
#define PEERWALK_TESTS_SUPPORT_VISITS_H

#include "io/node_visit.h"
#include "support/puppet.h"

#include <signal.h>
#include <stdio.h>

enum { PUPPETS_MAX = 24, GUARD_MS = 10 * 1000, VISITOR = 77 };

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

static inline int begin_all(void **state)
{
	const uint8_t random[SECP_RANDOM_LEN] = { 8 };

	(void)state;
	secp_init(&secp, random);
	targets_init(&targets);
	return 0;
}

static inline int end_all(void **state)
{
	(void)state;
	secp_clear(&secp);
	return 0;
}

static inline void cancel_if(struct node_visit *v, enum cancel where)
{
	if (cancel_at == where)
		node_visit_cancel(v);
}

static inline void on_named(void *ctx, struct node_visit *v, const struct advert *adverts,
			    size_t count)
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

static inline void on_node(void *ctx, struct node_visit *v, const struct probe_event *event)
{
	(void)ctx;
	(void)event;
	assert_int_equal(((struct told *)node_visit_owner(v))->dones, 0);
	cancel_if(v, ON_NODE);
}

static inline void on_datagram(void *ctx, struct node_visit *v, bool outgoing, struct slice bytes)
{
	struct told *t = node_visit_owner(v);

	(void)ctx;
	(void)bytes;
	assert_int_equal(t->dones, 0);
	*(outgoing ? &t->out : &t->in) += 1;
	cancel_if(v, outgoing ? ON_FIRST_OUT : ON_FIRST_IN);
}

static inline void copy(char *out, size_t cap, struct slice text)
{
	snprintf(out, cap, "%.*s", (int)text.len, text.len > 0 ? (const char *)text.data : "");
}

static inline void copy_word(char *out, size_t cap, const char *word)
{
	snprintf(out, cap, "%s", word != NULL ? word : "");
}

static inline void on_done(void *ctx, struct node_visit *v, const struct record *record)
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

static inline void on_guard(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("a visit does not end");
}

static inline int begin(void **state)
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
	uv_timer_start(&guard, on_guard, GUARD_MS, GUARD_MS);
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
static inline int end(void **state)
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

static inline void open_visitor(void)
{
	char why[NODE_VISIT_WHY_MAX];

	if (node_visitor_open(&dialer, &config, &visitor, why) != ERR_OK)
		fail_msg("%s", why);
}

static inline void visit(struct told *t, const struct enode *node)
{
	static uint64_t nonce;

	memset(t, 0, sizeof(*t));
	left++;
	assert_int_equal(node_visit_start(visitor, node, 0, 0, ++nonce, t, &t->visit), ERR_OK);
	assert_ptr_equal(node_visit_owner(t->visit), t);
	assert_memory_equal(node_visit_node(t->visit), node, sizeof(*node));
	/* Even what is over already is told from the loop. */
	assert_int_equal(t->dones, 0);
}

static inline void run(void)
{
	while (left > 0)
		uv_run(&loop, UV_RUN_ONCE);
}

/* What may still come comes: of a visit that has ended nothing does. */
static inline void run_some(void)
{
	for (unsigned i = 0; i < 10; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
}

/* Puppet number i, with a full table unless told otherwise. */
static inline struct puppet *puppet(unsigned i, enum puppet_session sessions)
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

static inline void visit_puppet(struct told *t, struct puppet *p)
{
	if (visitor == NULL)
		open_visitor();
	visit(t, &p->enode);
	run();
	assert_int_equal(t->dones, 1);
}

#endif
