#include "sim/world.h"

#include "proto/gossip/session.h"
#include "sim/agents.h"
#include "sim/hosts.h"
#include "sim/walk.h"

#include <stdlib.h>
#include <string.h>

/* Streams of randomness: everything about a peer is drawn from (seed, stream, index). */
enum stream {
	STREAM_KIND = 1,
	STREAM_LIE,
	STREAM_AGENT,
	STREAM_SERVICES,
	STREAM_PORT,
	STREAM_HIDDEN,
	STREAM_HEIGHT,
	STREAM_RTT,
	STREAM_CLOCK,
	STREAM_TABLE,
	STREAM_ALIEN,
	STREAM_INVENTED,
	STREAM_HOSTS,
};

enum {
	/* Shares of the peers that do not lie, in thousandths. */
	OLD_PERMILLE = 20,
	STEPWISE_PERMILLE = 30,
	FULL_PERMILLE = 50,
	HIDDEN_PERMILLE = 5, /* of the honest ones */

	ALIEN_EVERY = 50,    /* one in so many adverts is of Tor, I2P or CJDNS */
	KNOWN_PERCENT = 60,  /* of all the addresses that a peer knows */
	KNOWN_MIN = 200,     /* or all, in a smaller world */
	ANSWER_PERCENT = 23, /* Bitcoin Core's MAX_PCT_ADDR_TO_SEND */
	ANSWER_MIN = 32,     /* keeps everybody findable in a small world */

	/* Mainnet's tip in November 2026: block 900,000 was mined in June 2025. */
	TIP_HEIGHT = 976000,
};

/* Kept per address: six bytes, so that naming a peer costs no drawing. */
struct trait {
	uint8_t kind;
	uint8_t agent;
	uint8_t port; /* offset */
	uint8_t hidden;
	uint16_t services;
};

struct sim_world {
	struct sim_config config;
	uint32_t count;
	struct sim_hosts hosts;
	struct trait *traits;
};

static uint64_t draw(const struct sim_world *w, enum stream stream, uint64_t index)
{
	return random_mix(random_mix(w->config.seed + stream * 0x9e3779b97f4a7c15ULL) ^
			  random_mix(index + 0x632be59bd9b4e019ULL));
}

const char *sim_kind_name(enum sim_kind kind)
{
	static const char *const names[] = {
#define SIM_KIND_NAME(symbol, name) name,
		SIM_KIND_LIST(SIM_KIND_NAME)
#undef SIM_KIND_NAME
	};

	return names[kind];
}

/* Old software and hand-shakes in several steps are Bitcoin's, as are magics and checksums. */
static enum sim_kind gossip_kind(enum sim_kind kind)
{
	switch (kind) {
	case SIM_OLD:
	case SIM_STEPWISE:
		return SIM_TUTORIAL;
	case SIM_LIAR_MAGIC:
		return SIM_LIAR_GARBAGE;
	case SIM_LIAR_CHECKSUM:
		return SIM_LIAR_TRUNCATED;
	case SIM_HONEST:
	case SIM_TUTORIAL:
	case SIM_FULL:
	case SIM_GHOST_REFUSED:
	case SIM_GHOST_SILENT:
	case SIM_LIAR_HUGE:
	case SIM_LIAR_GARBAGE:
	case SIM_LIAR_TRUNCATED:
	case SIM_LIAR_DRIBBLE:
	case SIM_LIAR_INVENT:
	case SIM_LIAR_MUTE:
	case SIM_LIAR_ECHO:
	case SIM_LIAR_BAD_ADDR:
	case SIM_KIND_COUNT:
		break;
	}
	return kind;
}

bool sim_kind_is_of(enum sim_kind kind, const struct network *network)
{
	return network->proto == &gossip_proto ? gossip_kind(kind) == kind : kind != SIM_TUTORIAL;
}

bool sim_kind_shakes_hands(enum sim_kind kind)
{
	switch (kind) {
	case SIM_HONEST:
	case SIM_OLD:
	case SIM_STEPWISE:
	case SIM_TUTORIAL:
	case SIM_LIAR_INVENT:
	case SIM_LIAR_BAD_ADDR:
		return true;
	case SIM_FULL:
	case SIM_GHOST_REFUSED:
	case SIM_GHOST_SILENT:
	case SIM_LIAR_MAGIC:
	case SIM_LIAR_CHECKSUM:
	case SIM_LIAR_HUGE:
	case SIM_LIAR_GARBAGE:
	case SIM_LIAR_TRUNCATED:
	case SIM_LIAR_DRIBBLE:
	case SIM_LIAR_MUTE:
	case SIM_LIAR_ECHO:
	case SIM_KIND_COUNT:
		break;
	}
	return false;
}

uint32_t sim_kind_outcomes(enum sim_kind kind)
{
	switch (kind) {
	case SIM_HONEST:
	case SIM_STEPWISE:
	case SIM_TUTORIAL:
		return 1U << OUTCOME_OK;
	case SIM_OLD: /* hangs on patience */
		return 1U << OUTCOME_OK | 1U << OUTCOME_NO_PEERS;
	case SIM_FULL:
		return 1U << OUTCOME_PEER_FULL;
	case SIM_GHOST_REFUSED:
		return 1U << OUTCOME_REFUSED;
	case SIM_GHOST_SILENT:
		return 1U << OUTCOME_CONNECT_TIMEOUT;
	case SIM_LIAR_MAGIC:
		return 1U << OUTCOME_WRONG_NETWORK;
	case SIM_LIAR_CHECKSUM: /* Core drops such a message and waits on */
		return 1U << OUTCOME_PROTOCOL_ERROR | 1U << OUTCOME_HANDSHAKE_TIMEOUT;
	case SIM_LIAR_HUGE:
		return 1U << OUTCOME_TOO_BIG;
	case SIM_LIAR_GARBAGE: /* may be shorter than a header, and then nothing */
		return 1U << OUTCOME_PROTOCOL_ERROR | 1U << OUTCOME_WRONG_NETWORK |
		       1U << OUTCOME_HANDSHAKE_TIMEOUT;
	case SIM_LIAR_TRUNCATED:
		return 1U << OUTCOME_PROTOCOL_ERROR | 1U << OUTCOME_HANDSHAKE_TIMEOUT;
	case SIM_LIAR_DRIBBLE:
		return 1U << OUTCOME_HANDSHAKE_TIMEOUT;
	case SIM_LIAR_INVENT:
		return 1U << OUTCOME_TOO_BIG;
	case SIM_LIAR_MUTE:
		return 1U << OUTCOME_MUTE;
	case SIM_LIAR_ECHO:
		return 1U << OUTCOME_SELF;
	case SIM_LIAR_BAD_ADDR:
		return 1U << OUTCOME_TOO_BIG | 1U << OUTCOME_PROTOCOL_ERROR;
	case SIM_KIND_COUNT:
		break;
	}
	return 0;
}

static enum err lay_out_addresses(struct sim_world *w)
{
	uint64_t random[SIM_HOSTS_ROUNDS];

	for (unsigned i = 0; i < SIM_HOSTS_ROUNDS; i++)
		random[i] = draw(w, STREAM_HOSTS, i);
	return sim_hosts_init(&w->hosts, &w->config.range, w->count, random);
}

static struct netaddr address_of(const struct sim_world *w, uint32_t index)
{
	return sim_hosts_address(&w->hosts, index,
				 (uint16_t)(w->config.port + w->traits[index].port));
}

static enum sim_kind draw_kind(const struct sim_world *w, uint32_t index)
{
	uint64_t roll = draw(w, STREAM_KIND, index);
	uint64_t lies = SIM_KIND_COUNT - SIM_LIAR_MAGIC;

	if (index >= w->config.peers)
		return w->config.black_holes || (roll & 1) != 0 ? SIM_GHOST_SILENT
								: SIM_GHOST_REFUSED;
	if (index == 0) /* somebody to begin with, in every world */
		return SIM_HONEST;
	if ((double)(roll >> 11) * 0x1p-53 < w->config.liars)
		return (enum sim_kind)(SIM_LIAR_MAGIC + draw(w, STREAM_LIE, index) % lies);
	roll = draw(w, STREAM_LIE, index) % 1000;
	if (roll < OLD_PERMILLE)
		return SIM_OLD;
	if (roll < OLD_PERMILLE + STEPWISE_PERMILLE)
		return SIM_STEPWISE;
	if (roll < OLD_PERMILLE + STEPWISE_PERMILLE + FULL_PERMILLE)
		return SIM_FULL;
	return SIM_HONEST;
}

static uint16_t draw_services(const struct sim_world *w, uint32_t index,
			      const struct sim_agent *agent)
{
	uint64_t roll = draw(w, STREAM_SERVICES, index);
	uint16_t services = agent->services;

	if (roll % 100 >= 9) /* the others are pruned */
		services |= agent->full_services;
	if ((roll >> 16) % 100 < 8)
		services |= 1 << 6; /* COMPACT_FILTERS, BIP 157 */
	if ((roll >> 32) % 100 < 3)
		services |= 1 << 2; /* BLOOM, BIP 111 */
	return services;
}

static void draw_trait(const struct sim_world *w, uint32_t index, struct trait *t)
{
	enum sim_kind kind = draw_kind(w, index);
	enum sim_family family = SIM_FAMILY_MODERN;
	uint64_t port = draw(w, STREAM_PORT, index) % 100;

	if (w->config.network->proto == &gossip_proto) {
		kind = gossip_kind(kind);
		family = kind == SIM_TUTORIAL ? SIM_FAMILY_TUTORIAL : SIM_FAMILY_GOSSIP;
	}
	if (kind == SIM_OLD)
		family = SIM_FAMILY_OLD;
	else if (kind == SIM_STEPWISE)
		family = SIM_FAMILY_STEPWISE;
	t->kind = (uint8_t)kind;
	t->agent = sim_agent_draw(family, draw(w, STREAM_AGENT, index));
	t->services = draw_services(w, index, sim_agent_at(t->agent));
	if (kind == SIM_GHOST_REFUSED)
		t->port = SIM_PORT_REFUSED;
	else if (kind == SIM_GHOST_SILENT)
		t->port = SIM_PORT_SILENT;
	else
		t->port = port < 90 ? 0 : port < 97 ? 1 : 2;
	t->hidden = kind == SIM_HONEST && index != 0 &&
		    draw(w, STREAM_HIDDEN, index) % 1000 < HIDDEN_PERMILLE;
}

enum err sim_world_new(const struct sim_config *config, struct sim_world **out)
{
	struct sim_world *w;
	enum err err = ERR_NOMEM;

	*out = NULL;
	if (config->peers == 0 || config->peers > UINT32_MAX - config->ghosts ||
	    config->port == 0 || config->port > UINT16_MAX - SIM_PORT_SILENT)
		return ERR_VALUE;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return ERR_NOMEM;
	w->config = *config;
	w->count = config->peers + config->ghosts;
	err = lay_out_addresses(w);
	if (err != ERR_OK)
		goto out;
	w->traits = calloc(w->count, sizeof(*w->traits));
	if (w->traits == NULL) {
		err = ERR_NOMEM;
		goto out;
	}
	for (uint32_t i = 0; i < w->count; i++)
		draw_trait(w, i, &w->traits[i]);
	*out = w;
	return ERR_OK;
out:
	free(w);
	return err;
}

void sim_world_free(struct sim_world *w)
{
	if (w != NULL)
		free(w->traits);
	free(w);
}

const struct sim_config *sim_world_config(const struct sim_world *w)
{
	return &w->config;
}

uint32_t sim_world_count(const struct sim_world *w)
{
	return w->count;
}

static int32_t draw_height(const struct sim_world *w, uint32_t index)
{
	uint64_t roll = draw(w, STREAM_HEIGHT, index), far = (roll >> 20);

	switch (roll % 100) {
	case 0: /* still in its first download */
		return (int32_t)(far % TIP_HEIGHT);
	case 1: /* stuck for days or weeks */
	case 2:
		return TIP_HEIGHT - 10 - (int32_t)(far % 4000);
	case 3: /* a block behind or ahead of the rest */
	case 4:
	case 5:
		return TIP_HEIGHT - 1;
	default:
		return TIP_HEIGHT;
	}
}

static int64_t draw_clock_skew_s(const struct sim_world *w, uint32_t index)
{
	uint64_t roll = draw(w, STREAM_CLOCK, index);
	int64_t sign = roll >> 63 ? 1 : -1, far = (int64_t)(roll >> 16 & 0xffff);

	if (roll % 100 < 2) /* a time zone off: hours */
		return sign * (1 + far % 12) * 3600;
	if (roll % 100 < 6)
		return sign * (3 + far % 117);
	return sign * (far % 3);
}

void sim_world_peer(const struct sim_world *w, uint32_t index, struct sim_peer *out)
{
	const struct trait *t = &w->traits[index];
	const struct sim_agent *agent = sim_agent_at(t->agent);

	*out = (struct sim_peer){
		.index = index,
		.kind = (enum sim_kind)t->kind,
		.addr = address_of(w, index),
		.agent = agent->text,
		.protocol = agent->protocol,
		.services = t->services,
		.height = draw_height(w, index),
		.rtt_ms = sim_rtt_ms(w->config.latency_ms, w->config.tail_ms,
				     draw(w, STREAM_RTT, index)),
		.clock_skew_s = draw_clock_skew_s(w, index),
		.listed = !t->hidden,
	};
}

int64_t sim_world_find(const struct sim_world *w, const struct netaddr *addr)
{
	uint64_t x;

	if (!sim_hosts_index(&w->hosts, addr, &x))
		return -1;
	if (x >= w->count || addr->port != w->config.port + w->traits[x].port)
		return -1;
	return (int64_t)x;
}

struct netaddr sim_world_invented(const struct sim_world *w, uint64_t number)
{
	uint64_t roll = draw(w, STREAM_INVENTED, number % SIM_INVENTED_MAX);

	return sim_hosts_any(&w->hosts, roll, (uint16_t)(w->config.port + SIM_PORT_REFUSED));
}

/* What one peer answers: so many peers, ghosts and aliens, in a mixed order. */
struct answer {
	const struct sim_world *world;
	uint32_t self;
	size_t peers, ghosts, size;
	struct sim_walk peers_walk, ghosts_walk;
	struct random random;
};

static void answer_start(struct answer *a, const struct sim_world *w, uint32_t index)
{
	size_t known = (size_t)((uint64_t)w->count * KNOWN_PERCENT / 100), named;

	if (known < KNOWN_MIN)
		known = w->count < KNOWN_MIN ? w->count : KNOWN_MIN;
	*a = (struct answer){ .world = w, .self = index };
	a->random.state = draw(w, STREAM_TABLE, index);
	a->size = known * ANSWER_PERCENT / 100;
	if (a->size < ANSWER_MIN)
		a->size = known < ANSWER_MIN ? known : ANSWER_MIN;
	if (a->size > SIM_TABLE_MAX)
		a->size = SIM_TABLE_MAX;
	named = a->size - a->size / ALIEN_EVERY;
	/* Their share of the population, but never so few that somebody gets lost. */
	a->peers = (size_t)((uint64_t)named * w->config.peers / w->count);
	if (a->peers < ANSWER_MIN)
		a->peers = named < ANSWER_MIN ? named : ANSWER_MIN;
	a->ghosts = named - a->peers;
	sim_walk_start(&a->peers_walk, &a->random, w->config.peers);
	sim_walk_start(&a->ghosts_walk, &a->random, w->config.ghosts);
}

static bool answer_next_peer(struct answer *a, uint32_t *out)
{
	while (sim_walk_next(&a->peers_walk, out)) {
		if (*out != a->self && !a->world->traits[*out].hidden)
			return true;
	}
	return false;
}

/* A name of a network that can't be dialled over IP: no peer of the world. */
static void alien_advert(const struct sim_world *w, uint64_t number, struct advert *out)
{
	static const enum netaddr_kind kinds[] = { NETADDR_TORV3, NETADDR_TORV3, NETADDR_I2P,
						   NETADDR_CJDNS };
	struct random r = { draw(w, STREAM_ALIEN, number) };
	struct netaddr a = { .kind = (uint8_t)kinds[number % 4], .port = w->config.port };
	size_t len = netaddr_len(a.kind);

	for (size_t at = 0; at < len; at += 8) {
		uint64_t bits = random_next(&r);

		memcpy(a.bytes + at, &bits, 8);
	}
	if (a.kind == NETADDR_CJDNS)
		a.bytes[0] = 0xfc;
	if (a.kind == NETADDR_I2P)
		a.port = 0;
	out->addr = a;
	out->services = sim_agent_at(0)->services;
}

size_t sim_world_table(const struct sim_world *w, uint32_t index, int64_t now_s, struct advert *out,
		       size_t cap)
{
	enum { DAY_S = 24 * 60 * 60 };
	uint32_t aliens = w->count / ALIEN_EVERY + 1, who;
	size_t peers = 0, ghosts = 0, n = 0;
	struct answer a;

	answer_start(&a, w, index);
	for (size_t k = 0; k < a.size && n < cap; k++) {
		uint64_t roll = random_next(&a.random);
		struct advert *to = &out[n];

		*to = (struct advert){ .last_seen_s = now_s - (int64_t)(roll >> 16) % (3 * DAY_S) };
		if (k % ALIEN_EVERY == ALIEN_EVERY - 1) {
			alien_advert(w, roll % aliens, to);
			n++;
			continue;
		}
		if (peers < a.peers && peers * a.ghosts <= ghosts * a.peers) {
			peers++;
			if (!answer_next_peer(&a, &who))
				continue;
		} else {
			ghosts++;
			if (!sim_walk_next(&a.ghosts_walk, &who))
				continue;
			who += w->config.peers;
			/* Core names nobody unseen for 30 days. */
			to->last_seen_s = now_s - (int64_t)(roll >> 16) % (29 * DAY_S);
		}
		to->addr = address_of(w, who);
		to->services = w->traits[who].services;
		n++;
	}
	return n;
}

size_t sim_world_seeds(const struct sim_world *w, struct netaddr *out, size_t count)
{
	size_t n = 0;

	for (uint32_t i = 0; i < w->config.peers && n < count; i++) {
		const struct trait *t = &w->traits[i];

		if (t->kind == SIM_HONEST && !t->hidden)
			out[n++] = address_of(w, i);
	}
	return n;
}

static bool answers(enum sim_kind kind, bool patient)
{
	return kind == SIM_HONEST || kind == SIM_STEPWISE || kind == SIM_TUTORIAL ||
	       (kind == SIM_OLD && patient);
}

enum err sim_world_reachable(const struct sim_world *w, const struct netaddr *seeds, size_t count,
			     bool patient, bool *reachable)
{
	uint32_t *queue = malloc(w->config.peers * sizeof(*queue)), ends = 0, who;
	struct answer a;

	if (queue == NULL)
		return ERR_NOMEM;
	memset(reachable, 0, w->count * sizeof(*reachable));
	for (size_t i = 0; i < count; i++) {
		int64_t at = sim_world_find(w, &seeds[i]);

		if (at >= 0 && at < w->config.peers && !reachable[at]) {
			reachable[at] = true;
			queue[ends++] = (uint32_t)at;
		}
	}
	for (uint32_t i = 0; i < ends; i++) {
		if (!answers((enum sim_kind)w->traits[queue[i]].kind, patient))
			continue;
		answer_start(&a, w, queue[i]);
		for (size_t k = 0; k < a.peers && answer_next_peer(&a, &who); k++) {
			if (!reachable[who]) {
				reachable[who] = true;
				queue[ends++] = who;
			}
		}
	}
	free(queue);
	/* So far: who gets known. Who of them completes a handshake? */
	for (uint32_t i = 0; i < w->count; i++)
		reachable[i] =
			reachable[i] && sim_kind_shakes_hands((enum sim_kind)w->traits[i].kind);
	return ERR_OK;
}
