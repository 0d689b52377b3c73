/* member_swarm.c: members of networks of engine/swarm.h: a stand, in the library's words. */
#include "api/member.h"

#include "api/stand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct swarm_member {
	struct stand *stand; /* NULL: it could not be made */
	struct peer_policy policy;
};

static struct swarm *swarm_of(struct pw_member *m)
{
	struct swarm_member *own = m->own;
	struct swarm_host *host = own->stand != NULL ? stand_host(own->stand) : NULL;

	return host != NULL ? swarm_host_swarm(host) : NULL;
}

static bool serves(const struct network *network)
{
	return network->proto->policy != NULL;
}

static bool allows(const struct pw_member_config *c)
{
	return c->key == NULL;
}

/* --- what happens --- */

/* Borrows what the swarm's peer borrows. */
static void make_peer(struct member_peer *out, const struct swarm_peer *p, uint64_t now_ms)
{
	out->peer = (struct pw_member_peer){
		.id = p->id + 1, /* 0 is MEMBER_ALL */
		.direction = p->direction == SWARM_IN    ? PW_INCOMING
			     : p->direction == SWARM_OUT ? PW_OUTGOING
							 : PW_CHECK,
		.remote = out->remote,
		.listen = out->listen,
		.up = p->up,
		.info = &out->info.info,
		.age_ms = now_ms > p->since_ms ? now_ms - p->since_ms : 0,
		.rtt_ms = p->rtt_ms,
		.messages_in = p->counts.messages_in,
		.bytes_in = p->counts.bytes_in,
		.bytes_out = p->counts.bytes_out,
	};
	netaddr_text(&p->remote, out->remote);
	out->listen[0] = 0;
	if (p->listen.kind != NETADDR_NONE)
		netaddr_text(&p->listen, out->listen);
	api_info(&out->info, &p->info);
}

/* The swarm's clock; what is told after it was stopped has no other. */
static uint64_t now_ms(const struct pw_member *m)
{
	const struct swarm_member *own = m->own;
	struct swarm_host *host = stand_host(own->stand);

	return host != NULL ? swarm_host_now_ms(host) : uv_now(&m->loop);
}

/* Checks are the swarm's own business. */
static bool is_told(const struct swarm_event *e)
{
	return e->peer.up && e->peer.direction != SWARM_CHECK;
}

static void tell_peer(struct pw_member *m, const struct swarm_event *e)
{
	const struct pw_member_config *c = &m->config;
	struct member_peer peer;

	make_peer(&peer, &e->peer, now_ms(m));
	if (e->kind == SWARM_EVENT_UP)
		c->on_peer_up(c->ctx, &peer.peer);
	else if (e->kind == SWARM_EVENT_DOWN)
		c->on_peer_down(c->ctx, &peer.peer, (enum pw_outcome)e->outcome, e->why);
	else
		c->on_message(c->ctx, &peer.peer, e->session->name, api_bytes(e->session->payload));
}

static void on_event(void *ctx, const struct swarm_event *e)
{
	struct pw_member *m = ctx;
	const struct pw_member_config *c = &m->config;
	char text[NETADDR_TEXT_MAX];

	switch (e->kind) {
	case SWARM_EVENT_UP:
		if (c->on_peer_up != NULL && is_told(e))
			tell_peer(m, e);
		break;
	case SWARM_EVENT_DOWN:
		if (c->on_peer_down != NULL && is_told(e))
			tell_peer(m, e);
		break;
	case SWARM_EVENT_MESSAGE:
		if (c->on_message != NULL && is_told(e))
			tell_peer(m, e);
		break;
	case SWARM_EVENT_KNOWN:
		member_tell_address(m, c->on_known, &e->addr);
		break;
	case SWARM_EVENT_LOST:
		member_tell_address(m, c->on_lost, &e->addr);
		break;
	case SWARM_EVENT_SELF:
		netaddr_text(&e->addr, text);
		member_tell_place(m, text, true);
		break;
	}
}

static void on_error(void *ctx, enum err err)
{
	struct pw_member *m = ctx;
	struct swarm_member *own = m->own;

	member_keeps_nothing(m, err, stand_why(own->stand));
}

/* --- running --- */

static void set_places(const struct pw_member *m, struct swarm_host_config *c)
{
	if (m->places_count == 0 && !m->config.no_listen)
		c->places_count = listen_anywhere(m->network->default_port, c->places);
	for (unsigned i = 0; !m->config.no_listen && i < m->places_count; i++)
		c->places[c->places_count++].addr = m->places[i];
	for (unsigned i = 0; i < m->advertised_count; i++)
		c->advertise[i] = m->advertised[i];
}

/* The protocol's, with what was said otherwise. */
static void make_policy(struct pw_member *m)
{
	struct swarm_member *own = m->own;

	own->policy = *m->network->proto->policy;
	if (m->config.in_max > 0)
		own->policy.in_max = m->config.in_max;
	if (m->config.out_wanted > 0)
		own->policy.out_wanted = m->config.out_wanted;
}

static enum err make_stand(struct pw_member *m)
{
	const struct pw_member_config *p = &m->config;
	struct swarm_member *own = m->own;
	struct stand_config config = {
		.host.swarm = { .network = m->network,
				.policy = &own->policy,
				.session = { .network = m->network,
					     .agent = slice_text(m->agent),
					     .group = slice_text(m->group) },
				.allow_private = p->allow_private || own->policy.allow_private,
				.on_event = on_event,
				.ctx = m },
		.db = m->database,
		.default_seeds = p->dns_seeds,
		.on_error = on_error,
		.ctx = m,
	};

	set_places(m, &config.host);
	return stand_new(&config, &own->stand, m->why);
}

static enum err add_seeds(struct pw_member *m)
{
	struct swarm_member *own = m->own;
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < m->seeds_count; i++) {
		const struct peer_arg *seed = &m->seeds[i];

		err = seed->is_name ? stand_name(own->stand, seed->name, seed->port)
				    : stand_peer(own->stand, &seed->addr);
	}
	return err;
}

static void tell_places(struct pw_member *m)
{
	struct swarm_member *own = m->own;
	struct swarm_host *host = stand_host(own->stand);
	char text[NETADDR_TEXT_MAX];

	for (unsigned i = 0; i < swarm_host_places(host); i++) {
		struct netaddr local = swarm_host_local(host, i);

		netaddr_text(&local, text);
		member_tell_place(m, text, false);
	}
}

static enum err begin(struct pw_member *m)
{
	struct swarm_member *own = calloc(1, sizeof(*own));
	enum err err;

	m->own = own;
	if (own == NULL) {
		snprintf(m->why, sizeof(m->why), "out of memory");
		return ERR_NOMEM;
	}
	make_policy(m);
	err = make_stand(m);
	if (err != ERR_OK)
		return err;
	err = add_seeds(m);
	if (err == ERR_OK)
		err = stand_start(own->stand, &m->loop);
	if (err != ERR_OK)
		snprintf(m->why, sizeof(m->why), "%s", stand_why(own->stand));
	else
		tell_places(m);
	return err;
}

static bool say_all(struct swarm *s, struct slice message)
{
	struct swarm_peer peer;
	uint32_t at = 0;
	bool said = true;

	while ((at = swarm_look(s, at, &peer)) != SWARM_NONE) {
		if (peer.up && peer.direction != SWARM_CHECK)
			said = swarm_say(s, peer.id, message) && said;
	}
	return said;
}

static bool say(struct pw_member *m, uint32_t peer, struct slice message)
{
	struct swarm_member *own = m->own;
	struct swarm *s = swarm_of(m);
	bool said;

	if (s == NULL)
		return false;
	said = peer == MEMBER_ALL ? say_all(s, message) : swarm_say(s, peer - 1, message);
	swarm_host_step(stand_host(own->stand));
	return said;
}

static void peers(struct pw_member *m, pw_peer_fn *on_peer, void *ctx)
{
	struct swarm *s = swarm_of(m);
	struct swarm_peer peer;
	struct member_peer told;
	uint32_t at = 0;

	while (s != NULL && (at = swarm_look(s, at, &peer)) != SWARM_NONE) {
		make_peer(&told, &peer, now_ms(m));
		on_peer(ctx, &told.peer);
	}
}

static void stats(struct pw_member *m, struct pw_member_stats *out)
{
	struct swarm_member *own = m->own;
	struct swarm_host *host = stand_host(own->stand);
	struct swarm_host_counts c;

	if (host == NULL)
		return;
	swarm_host_counts(host, &c);
	*out = (struct pw_member_stats){
		.in = c.swarm.in,
		.out = c.swarm.out,
		.up = c.swarm.up,
		.known = c.swarm.book.new_count + c.swarm.book.tried_count,
		.proven = c.swarm.book.tried_count,
		.messages_in = c.swarm.messages_in,
		.messages_out = c.swarm.messages_out,
		.bytes_in = c.swarm.bytes_in,
		.bytes_out = c.swarm.bytes_out,
		.refused = c.swarm.refused,
	};
}

static void leave(struct pw_member *m)
{
	struct swarm_member *own = m->own;

	stand_stop(own->stand);
}

static enum err end(struct pw_member *m)
{
	struct swarm_member *own = m->own;
	enum err err = ERR_OK;

	if (own == NULL)
		return ERR_OK;
	if (own->stand != NULL) {
		err = stand_end(own->stand);
		if (err != ERR_OK && m->why[0] == 0)
			snprintf(m->why, sizeof(m->why), "%s", stand_why(own->stand));
	}
	stand_free(own->stand);
	free(own);
	return err;
}

const struct member_kind member_swarm = {
	.places_max = SWARM_HOST_PLACES_MAX,
	.advertised_max = MEMBER_ADVERTISED_MAX,
	.serves = serves,
	.allows = allows,
	.begin = begin,
	.say = say,
	.peers = peers,
	.stats = stats,
	.leave = leave,
	.end = end,
};
