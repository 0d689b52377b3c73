#include "cli/contacts.h"

#include "cli/alloc.h"
#include "cli/visit_loop.h"
#include "io/dial.h"
#include "io/resolve.h"
#include "proto/ethereum/enode.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct contacts;

struct contact {
	struct contacts *all;
	unsigned index;
	struct visit_config visit;
	struct netaddr *addrs;
	size_t addrs_count, next; /* next: to be dialled if the present one does not accept */
	struct resolve *resolve;  /* NULL: none is going on */
	uv_timer_t resolve_timer;
	struct dial *dial; /* NULL: none is going on */
};

struct contacts {
	const struct contacts_config *config;
	struct visit_loop *loop;
	struct contact *list; /* of those that are ours */
	unsigned count, begun, told;
	bool beginning; /* begin_some is at work */
};

struct slice contacts_agent(void)
{
	return slice_text("/peerwalk:" PEERWALK_VERSION "/");
}

struct slice contacts_client(void)
{
	return slice_text("peerwalk/v" PEERWALK_VERSION);
}

unsigned contacts_index(const struct visit *v)
{
	return ((const struct contact *)v->owner)->index;
}

void contacts_peer_text(const struct peer_arg *peer, const struct record *record,
			char out[static CONTACTS_TEXT_MAX])
{
	char addr[NETADDR_TEXT_MAX] = "";
	struct enode node = { .endpoint = { peer->addr, peer->tcp_port } };

	if (peer->node_id_len == sizeof(node.key)) {
		memcpy(node.key, peer->node_id, sizeof(node.key));
		enode_text(&node, out);
		return;
	}
	if (!peer->is_name || record != NULL)
		netaddr_text(peer->is_name ? &record->addr : &peer->addr, addr);
	if (peer->is_name)
		snprintf(out, CONTACTS_TEXT_MAX, "%s://%s:%u%s%s%s", peer->network->name,
			 peer->name, peer->port, record != NULL ? " (" : "", addr,
			 record != NULL ? ")" : "");
	else
		snprintf(out, CONTACTS_TEXT_MAX, "%s://%s", peer->network->name, addr);
}

static void begin_some(struct contacts *all);

static void tell(struct contact *c, const struct record *record, const char *why)
{
	struct contacts *all = c->all;

	all->config->on_done(all->config->ctx, c->index, record, why);
	uv_close((uv_handle_t *)&c->resolve_timer, NULL);
	if (++all->told == all->count)
		visit_loop_end(all->loop);
	else
		begin_some(all);
}

static void dial_next(struct contact *c);

/* Nobody accepted at this address, but the name has another. */
static bool try_another(const struct contact *c, const struct record *record)
{
	return !c->all->loop->stopping && record->connect_ms < 0 &&
	       record->outcome != OUTCOME_CANCELLED && c->next < c->addrs_count;
}

static void failed_here(struct contact *c)
{
	visit_loop_failed(c->all->loop);
	tell(c, NULL, "this machine could not open a connection");
}

static void on_dial_done(void *ctx, struct dial *dial, const struct record *record)
{
	struct contact *c = ctx;

	c->dial = NULL;
	if (dial_failed_here(dial))
		failed_here(c);
	else if (try_another(c, record))
		dial_next(c);
	else
		tell(c, record, NULL);
}

static void dial_next(struct contact *c)
{
	const struct netaddr *addr = &c->addrs[c->next++];
	uint64_t nonce;

	if (!netaddr_is_ip(addr)) {
		tell(c, NULL, "Tor, I2P and CJDNS addresses can't be dialled from here");
		return;
	}
	dial_random(&nonce, sizeof(nonce));
	if (dial_start(&c->all->loop->dialer, &c->visit, addr, NULL, nonce, on_dial_done, c,
		       &c->dial) != ERR_OK)
		failed_here(c);
}

static void end_resolve(struct contact *c)
{
	resolve_stop(c->resolve);
	c->resolve = NULL;
	uv_timer_stop(&c->resolve_timer);
}

static void on_resolved(void *ctx, const struct resolve_answer *answer)
{
	struct contact *c = ctx;
	char why[256];

	if (answer->count == 0) {
		snprintf(why, sizeof(why), "%s has no address: %s", answer->name,
			 answer->error != NULL ? answer->error : "DNS knows none");
		end_resolve(c);
		tell(c, NULL, why);
		return;
	}
	c->addrs = alloc_zeroed(answer->count, sizeof(*c->addrs));
	memcpy(c->addrs, answer->addrs, answer->count * sizeof(*c->addrs));
	c->addrs_count = answer->count;
	end_resolve(c);
	dial_next(c);
}

static void on_resolve_timer(uv_timer_t *timer)
{
	struct contact *c = timer->data;

	end_resolve(c);
	tell(c, NULL, "DNS did not answer");
}

static void begin(struct contact *c)
{
	const struct peer_arg *peer = &c->all->config->peers[c->index];
	const struct resolve_name name = { peer->name, peer->port };
	enum err err;

	uv_timer_init(&c->all->loop->loop, &c->resolve_timer);
	c->resolve_timer.data = c;
	if (c->all->loop->stopping) {
		tell(c, NULL, "stopped before its turn");
		return;
	}
	if (!peer->is_name) {
		c->addrs = alloc_zeroed(1, sizeof(*c->addrs));
		c->addrs[0] = peer->addr;
		c->addrs_count = 1;
		dial_next(c);
		return;
	}
	err = resolve_start(&c->all->loop->loop, &name, 1, on_resolved, c, &c->resolve);
	if (err != ERR_OK) {
		tell(c, NULL, err_text(err));
		return;
	}
	uv_timer_start(&c->resolve_timer, on_resolve_timer, CONTACTS_RESOLVE_MS, 0);
}

/* Whoever ends at once makes room for another in the loop, not in a recursion. */
static void begin_some(struct contacts *all)
{
	if (all->beginning)
		return;
	all->beginning = true;
	while (all->begun < all->count && all->begun - all->told < all->loop->at_once)
		begin(&all->list[all->begun++]);
	all->beginning = false;
}

static void on_stop(void *ctx)
{
	struct contacts *all = ctx;

	/* Those that have not begun are told by begin_some, as places become free. */
	for (unsigned i = 0; i < all->begun; i++) {
		struct contact *c = &all->list[i];

		if (c->resolve != NULL) {
			end_resolve(c);
			tell(c, NULL, "stopped before its address was known");
		} else if (c->dial != NULL) {
			dial_cancel(c->dial);
		}
	}
}

/* The peers whose networks are walked by sessions alone. */
static void choose(struct contacts *all)
{
	for (unsigned i = 0; i < all->config->count; i++) {
		const struct network *network = all->config->peers[i].network;
		struct contact *c = &all->list[all->count];

		if (network->discovery != DISCOVERY_SESSION)
			continue;
		*c = (struct contact){ .all = all, .index = i, .visit = all->config->visit };
		c->visit.session.network = network;
		all->count++;
	}
}

int contacts_run(const struct contacts_config *config)
{
	struct contacts all = { .config = config };
	int status = EXIT_FAILED;

	assert(config->count > 0);
	all.list = alloc_zeroed(config->count, sizeof(*all.list));
	choose(&all);
	if (all.count == 0) {
		free(all.list);
		return EXIT_DONE;
	}
	all.loop = visit_loop_new(config->duration_ms, on_stop, &all);
	if (all.loop != NULL) {
		begin_some(&all);
		status = visit_loop_run(all.loop);
	}
	for (unsigned i = 0; i < all.count; i++)
		free(all.list[i].addrs);
	free(all.list);
	return status;
}
