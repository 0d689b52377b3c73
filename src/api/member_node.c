/* member_node.c: members of Ethereum's networks: a node of discovery, in the library's words. */
#include "api/member.h"

#include "api/node_keep.h"
#include "io/dial.h"
#include "io/wall.h"
#include "proto/ethereum/session.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node_member {
	struct node_serve *node; /* NULL: not started, or on its way out */
	struct node_keep *keep;  /* NULL: nothing is kept */
	struct identity identity;
	struct kademlia_node *boots;
	size_t boots_count;
};

static bool serves(const struct network *network)
{
	return network->discovery == DISCOVERY_V4;
}

static bool allows(const struct pw_member_config *c)
{
	return c->group == NULL && !c->no_listen && c->in_max == 0 && c->out_wanted == 0;
}

/* --- what happens --- */

static void node_url(const struct kademlia_node *node, char out[static ENODE_TEXT_MAX])
{
	enode_url(node->key, &node->addr, node->tcp_port, out);
}

static void tell_node(struct pw_member *m, pw_address_fn *tell, const struct kademlia_node *node)
{
	char url[ENODE_TEXT_MAX];

	if (tell == NULL)
		return;
	node_url(node, url);
	tell(m->config.ctx, url);
}

static void tell_self(struct pw_member *m, bool seen)
{
	struct node_member *own = m->own;
	char url[ENODE_TEXT_MAX];

	node_serve_url(own->node, url);
	member_tell_place(m, url, seen);
}

static void keep_event(struct pw_member *m, const struct discv4_event *event)
{
	struct node_member *own = m->own;
	const char *why = NULL;

	if (own->keep != NULL)
		why = node_keep_event(own->keep, own->node, event, wall_ms());
	if (why != NULL)
		member_keeps_nothing(m, ERR_IO, why);
}

static void on_event(void *ctx, const struct discv4_event *event)
{
	struct pw_member *m = ctx;

	keep_event(m, event);
	switch (event->type) {
	case DISCV4_EVENT_BONDED:
		tell_node(m, m->config.on_known, &event->node);
		break;
	case DISCV4_EVENT_DROPPED:
		tell_node(m, m->config.on_lost, &event->node);
		break;
	case DISCV4_EVENT_MOVED:
		tell_self(m, true);
		break;
	case DISCV4_EVENT_ALIVE:
	case DISCV4_EVENT_SILENT:
	case DISCV4_EVENT_STATEMENT:
	case DISCV4_EVENT_RECORD:
	case DISCV4_EVENT_FOUND:
		break;
	}
}

static void on_session(void *ctx, const struct node_session *s)
{
	struct pw_member *m = ctx;
	struct member_peer p;

	if (m->config.on_peer_down == NULL)
		return;
	p.peer = (struct pw_member_peer){
		.direction = PW_INCOMING,
		.remote = p.remote,
		.listen = p.listen,
		.up = s->info.has_hello,
		.info = &p.info.info,
		.node = &p.node.node,
		.rtt_ms = -1,
	};
	netaddr_text(&s->from, p.remote);
	p.listen[0] = 0;
	api_called(&s->from, &s->info, s->outcome, s->rule, &p.node, &p.info);
	m->config.on_peer_down(m->config.ctx, &p.peer,
			       (enum pw_outcome)ethereum_outcome(s->outcome, s->info.has_hello),
			       s->rule != NULL ? s->rule : rlpx_outcome_text(s->outcome));
}

/* --- running --- */

static void add_boot(struct node_member *own, const uint8_t *key, const struct netaddr *addr,
		     uint16_t tcp_port)
{
	own->boots[own->boots_count++] = kademlia_node(key, addr, tcp_port);
}

static enum err make_boots(struct pw_member *m)
{
	const char *const *urls = m->config.dns_seeds ? m->network->boot_nodes : NULL;
	struct node_member *own = m->own;
	size_t count = m->seeds_count;
	struct enode node;
	const char *rule;

	for (size_t i = 0; urls != NULL && urls[i] != NULL; i++)
		count++;
	own->boots = calloc(count + 1, sizeof(*own->boots));
	if (own->boots == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < m->seeds_count; i++)
		add_boot(own, m->seeds[i].node_id, &m->seeds[i].addr, m->seeds[i].tcp_port);
	for (size_t i = 0; urls != NULL && urls[i] != NULL; i++) {
		if (enode_parse(slice_text(urls[i]), &node, &rule) == ERR_OK)
			add_boot(own, node.key, &node.endpoint.addr, node.endpoint.tcp_port);
	}
	return ERR_OK;
}

static void make_identity(struct pw_member *m)
{
	uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN];
	struct node_member *own = m->own;

	dial_random(random, sizeof(random));
	identity_init(&own->identity, m->config.key != NULL ? &m->key : NULL, random);
	explicit_bzero(random, sizeof(random));
}

static void set_places(const struct pw_member *m, struct node_serve_config *c)
{
	assert(m->places_count <= NODE_SERVE_PLACES_MAX);
	for (unsigned i = 0; i < m->places_count; i++)
		c->places[c->places_count++].addr = m->places[i];
	if (m->places_count == 0)
		c->places_count = listen_anywhere(m->network->default_port, c->places);
	if (m->advertised_count > 0)
		c->advertise = m->advertised[0];
}

/* What it knew the last time. */
static enum err open_keep(struct pw_member *m, struct node_serve_config *config)
{
	struct node_member *own = m->own;
	enum err err;

	if (m->database == NULL)
		return ERR_OK;
	err = node_keep_open(m->database, m->network->name, own->identity.public,
			     (struct store_waiter){ NULL, NULL }, &own->keep, m->why);
	if (err != ERR_OK)
		return err;
	err = node_keep_prepare(own->keep, wall_ms(), config);
	if (err != ERR_OK)
		snprintf(m->why, sizeof(m->why), "out of memory");
	return err;
}

static enum err start(struct pw_member *m)
{
	struct node_member *own = m->own;
	struct node_serve_config config = {
		.identity = &own->identity,
		.boots = own->boots,
		.boots_count = own->boots_count,
		.refresh_ms = NODE_SERVE_REFRESH_MS,
		.client = slice_text(m->agent),
		.on_event = on_event,
		.on_session = on_session,
		.ctx = m,
	};
	char why[NODE_SERVE_WHY_MAX];
	enum err err;

	/* Without a memory of its own it is the time, as go-ethereum has it. */
	config.seq = (uint64_t)wall_ms();
	set_places(m, &config);
	err = open_keep(m, &config);
	if (err != ERR_OK)
		return err;
	err = node_serve_start(&m->loop, &config, &own->node, why);
	if (err != ERR_OK) {
		own->node = NULL;
		snprintf(m->why, sizeof(m->why), "%s", why);
	} else if (own->keep != NULL) {
		node_keep_started(own->keep, own->node);
	}
	return err;
}

/* One of each kind, at one port: a node says one port of itself. */
static bool are_places(const struct pw_member *m)
{
	return m->places_count < 2 ||
	       (m->places[0].kind != m->places[1].kind && m->places[0].port == m->places[1].port);
}

static enum err begin(struct pw_member *m)
{
	enum err err = ERR_NOMEM;

	if (!are_places(m)) {
		snprintf(m->why, sizeof(m->why),
			 "a node listens at one IPv4 and one IPv6 address at most, and at the same "
			 "port of both");
		return ERR_VALUE;
	}
	m->own = calloc(1, sizeof(struct node_member));
	if (m->own != NULL)
		err = make_boots(m);
	if (err != ERR_OK) {
		snprintf(m->why, sizeof(m->why), "out of memory");
		return err;
	}
	make_identity(m);
	err = start(m);
	if (err == ERR_OK)
		tell_self(m, false);
	return err;
}

static void peers(struct pw_member *m, pw_peer_fn *on_peer, void *ctx)
{
	const struct node_member *own = m->own;
	const struct kademlia *table = &node_serve_node(own->node)->table;
	static const struct peer_info nothing = { .height = -1 };
	struct node_info node = { 0 };
	struct member_peer p;

	for (unsigned i = 0; i < KADEMLIA_ENTRIES_MAX; i++) {
		const struct kademlia_bucket *b = &table->buckets[i / KADEMLIA_BUCKET_SIZE];
		const struct kademlia_entry *e = &b->entries[i % KADEMLIA_BUCKET_SIZE];

		if (i % KADEMLIA_BUCKET_SIZE >= b->entry_count)
			continue;
		p.peer = (struct pw_member_peer){
			.direction = PW_OUTGOING,
			.remote = p.remote,
			.listen = p.listen,
			.up = e->live,
			.info = &p.info.info,
			.node = &p.node.node,
			.rtt_ms = -1,
		};
		node_url(&e->node, p.remote);
		netaddr_text(&e->node.addr, p.listen);
		api_info(&p.info, &nothing);
		node.tcp_port = e->node.tcp_port;
		node.has_record_seq = e->node.seq != 0;
		node.record_seq = e->node.seq;
		api_node(&p.node, &node, slice_of(e->node.key, sizeof(e->node.key)));
		on_peer(ctx, &p.peer);
	}
}

static void stats(struct pw_member *m, struct pw_member_stats *out)
{
	const struct node_member *own = m->own;
	struct node_serve_counts c;

	node_serve_counts(own->node, &c);
	*out = (struct pw_member_stats){
		.in = c.sessions.open,
		.known = c.table,
		.proven = c.live,
		.messages_in = c.datagrams_in,
		.messages_out = c.datagrams_out,
		.bytes_in = c.bytes_in + c.sessions.bytes_in,
		.bytes_out = c.bytes_out + c.sessions.bytes_out,
		.refused = c.sessions.refused,
	};
}

static void leave(struct pw_member *m)
{
	struct node_member *own = m->own;

	node_serve_stop(own->node);
	own->node = NULL;
}

static enum err end(struct pw_member *m)
{
	struct node_member *own = m->own;
	char why[NODE_KEEP_WHY_MAX];
	enum err err;

	if (own == NULL)
		return ERR_OK;
	err = node_keep_close(own->keep, why);
	if (err != ERR_OK && m->why[0] == 0)
		snprintf(m->why, sizeof(m->why), "%s", why);
	identity_clear(&own->identity);
	free(own->boots);
	free(own);
	return err;
}

const struct member_kind member_node = {
	.places_max = NODE_SERVE_PLACES_MAX,
	.advertised_max = 1,
	.serves = serves,
	.allows = allows,
	.begin = begin,
	.peers = peers,
	.stats = stats,
	.leave = leave,
	.end = end,
};
