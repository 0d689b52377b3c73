#include "cli/node_contacts.h"

#include "cli/alloc.h"
#include "cli/node_key.h"
#include "cli/visit_loop.h"
#include "proto/ethereum/identity.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two nodes at one IP address are visited one after the other: so often the second looks. */
enum { BUSY_RETRY_MS = 50 };

struct node_contacts;

struct node_contact {
	struct node_contacts *all;
	unsigned index;
	struct enode node;
	uint64_t pings_left;  /* before the visit proper */
	uint64_t begun_ms;    /* the last ping */
	uv_timer_t timer;     /* until the next one */
	struct node_visit *v; /* NULL: none goes on */
	bool told;
};

struct node_contacts {
	const struct node_contacts_config *config;
	struct visit_loop *loop;
	struct identity identity;
	struct targets *targets;
	/* Of the visits proper, and of pings alone, if more than one is wanted. */
	struct node_visitor *visitor, *pinger;
	uv_timer_t closing;
	struct node_contact *list; /* of those that are ours */
	unsigned count, begun, told;
	bool beginning; /* begin_some is at work */
};

/* --- the end --- */

/* Not from within a visit's own end. */
static void on_closing(uv_timer_t *timer)
{
	struct node_contacts *all = timer->data;

	node_visitor_close(all->visitor);
	if (all->pinger != NULL)
		node_visitor_close(all->pinger);
	uv_close((uv_handle_t *)&all->closing, NULL);
	visit_loop_end(all->loop);
}

static void begin_some(struct node_contacts *all);

static void tell(struct node_contact *c, const struct node_visit *v, const struct record *record,
		 const char *why)
{
	struct node_contacts *all = c->all;

	c->told = true;
	all->config->on_done(all->config->ctx, c->index, v, record, why);
	uv_close((uv_handle_t *)&c->timer, NULL);
	if (++all->told == all->count)
		uv_timer_start(&all->closing, on_closing, 0, 0);
	else
		begin_some(all);
}

static void failed_here(struct node_contact *c)
{
	visit_loop_failed(c->all->loop);
	tell(c, NULL, NULL, "this machine could not open a connection");
}

/* --- visits --- */

static void on_timer(uv_timer_t *timer);

static void start(struct node_contact *c)
{
	struct node_contacts *all = c->all;
	uint64_t nonce;
	enum err err;

	dial_random(&nonce, sizeof(nonce));
	c->begun_ms = dialer_now_ms(&all->loop->dialer);
	err = node_visit_start(c->pings_left > 0 ? all->pinger : all->visitor, &c->node, 0, 0,
			       nonce, c, &c->v);
	if (err == ERR_BUSY)
		uv_timer_start(&c->timer, on_timer, BUSY_RETRY_MS, 0);
	else if (err != ERR_OK)
		failed_here(c);
}

static void on_timer(uv_timer_t *timer)
{
	start(timer->data);
}

static void pong(struct node_contact *c, int64_t rtt_ms)
{
	const struct node_contacts_config *config = c->all->config;

	if (rtt_ms >= 0 && config->on_pong != NULL)
		config->on_pong(config->ctx, c->index, (uint64_t)rtt_ms);
}

static void on_ping_done(void *ctx, struct node_visit *v, const struct record *record)
{
	struct node_contact *c = node_visit_owner(v);
	uint64_t next = c->begun_ms + c->all->config->interval_ms;
	uint64_t now = dialer_now_ms(&c->all->loop->dialer);

	(void)ctx;
	c->v = NULL;
	if (record->outcome == OUTCOME_CANCELLED) {
		tell(c, NULL, NULL, "stopped before the last of the pings");
		return;
	}
	pong(c, record->connect_ms);
	c->pings_left--;
	uv_timer_start(&c->timer, on_timer, next > now ? next - now : 0, 0);
}

static void on_visit_done(void *ctx, struct node_visit *v, const struct record *record)
{
	struct node_contact *c = node_visit_owner(v);

	(void)ctx;
	c->v = NULL;
	if (node_visit_failed_here(v)) {
		failed_here(c);
		return;
	}
	pong(c, record->connect_ms);
	tell(c, v, record, NULL);
}

static void on_node(void *ctx, struct node_visit *v, const struct probe_event *event)
{
	const struct node_contact *c = node_visit_owner(v);
	const struct node_contacts_config *config = c->all->config;

	(void)ctx;
	if (config->on_node != NULL)
		config->on_node(config->ctx, c->index, event);
}

/* Whoever ends at once makes room for another in the loop, not in a recursion. */
static void begin_some(struct node_contacts *all)
{
	if (all->beginning)
		return;
	all->beginning = true;
	while (all->begun < all->count && all->begun - all->told < all->loop->at_once) {
		struct node_contact *c = &all->list[all->begun++];

		uv_timer_init(&all->loop->loop, &c->timer);
		c->timer.data = c;
		if (all->loop->stopping)
			tell(c, NULL, NULL, "stopped before its turn");
		else
			start(c);
	}
	all->beginning = false;
}

static void on_stop(void *ctx)
{
	struct node_contacts *all = ctx;

	for (unsigned i = 0; i < all->begun; i++) {
		struct node_contact *c = &all->list[i];

		if (c->v != NULL)
			node_visit_cancel(c->v);
		else if (!c->told)
			tell(c, NULL, NULL, "stopped while it waited for its turn");
	}
}

/* --- the run --- */

static struct node_visit_config visit_config(const struct node_contacts *all, bool ping)
{
	const struct node_contacts_config *config = all->config;
	struct node_visit_config out = config->visit;

	visit_args_config(config->args, SESSION_GOAL_PING, &out.visit);
	out.visit.session.network = all->config->peers[all->list[0].index].network;
	out.visit.session.agent = contacts_client();
	out.visit.session.identity = &all->identity;
	out.timeout_ms = config->args->timeout_ms;
	out.targets = all->targets;
	out.on_node = on_node;
	out.on_done = on_visit_done;
	if (ping) {
		out.no_table = out.no_record = out.no_session = true;
		out.on_done = on_ping_done;
	}
	return out;
}

static bool open_visitor(struct node_contacts *all, bool ping, struct node_visitor **out)
{
	const struct node_visit_config config = visit_config(all, ping);
	char why[NODE_VISIT_WHY_MAX];

	if (node_visitor_open(&all->loop->dialer, &config, out, why) == ERR_OK)
		return true;
	cli_error("%s", why);
	all->loop->status = EXIT_FAILED;
	return false;
}

/* False with everything closed again. */
static bool open_visitors(struct node_contacts *all)
{
	if (!open_visitor(all, false, &all->visitor))
		return false;
	if (all->config->pings <= 1 || open_visitor(all, true, &all->pinger))
		return true;
	node_visitor_close(all->visitor);
	return false;
}

/* The nodes among the peers. */
static void choose(struct node_contacts *all)
{
	for (unsigned i = 0; i < all->config->count; i++) {
		const struct peer_arg *peer = &all->config->peers[i];
		struct node_contact *c = &all->list[all->count];

		if (peer->network->discovery != DISCOVERY_V4)
			continue;
		*c = (struct node_contact){ .all = all, .index = i };
		c->node.endpoint = (struct enode_endpoint){ peer->addr, peer->tcp_port };
		assert(peer->node_id_len == sizeof(c->node.key));
		memcpy(c->node.key, peer->node_id, sizeof(c->node.key));
		if (all->config->pings > 1)
			c->pings_left = all->config->pings - 1;
		all->count++;
	}
}

static int make_identity(struct node_contacts *all)
{
	uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN];
	struct node_key file = { 0 };
	int status = EXIT_DONE;

	if (all->config->key != NULL)
		status = node_key_read(all->config->key, false, &file);
	dial_random(random, sizeof(random));
	if (status == EXIT_DONE)
		identity_init(&all->identity, all->config->key != NULL ? &file.key : NULL, random);
	explicit_bzero(random, sizeof(random));
	if (all->config->key != NULL)
		node_key_clear(&file);
	return status;
}

static int run(struct node_contacts *all)
{
	if (!all->config->visit.no_table) {
		all->targets = alloc_zeroed(1, sizeof(*all->targets));
		targets_init(all->targets);
	}
	all->loop = visit_loop_new(0, on_stop, all);
	if (all->loop == NULL)
		return EXIT_FAILED;
	uv_timer_init(&all->loop->loop, &all->closing);
	all->closing.data = all;
	if (open_visitors(all)) {
		begin_some(all);
	} else {
		uv_close((uv_handle_t *)&all->closing, NULL);
		visit_loop_end(all->loop);
	}
	return visit_loop_run(all->loop);
}

int node_contacts_run(const struct node_contacts_config *config)
{
	struct node_contacts all = { .config = config };
	int status = EXIT_DONE;

	all.list = alloc_zeroed(config->count, sizeof(*all.list));
	choose(&all);
	if (all.count > 0) {
		status = make_identity(&all);
		if (status == EXIT_DONE) {
			status = run(&all);
			identity_clear(&all.identity);
		}
	}
	free(all.targets);
	free(all.list);
	return status;
}
