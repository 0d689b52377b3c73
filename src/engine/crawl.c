#include "engine/crawl.h"

#include "base/addrset.h"
#include "base/unset.h"
#include "engine/gates.h"
#include "engine/late.h"
#include "engine/rate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What an address's byte in the set says: one of these, */
enum state {
	WAITING = 0, /* a new entry of the set */
	ACTIVE,
	LEFT,       /* by an earlier run, as RETRY: for this one it is a peer to be tried */
	RETRY,      /* a connect timeout that waits for its second try: among the late ones, */
	LEFT_TAKEN, /* or handed out of them, and waiting at a gate */
	RETRY_TAKEN,
	ACTIVE_RETRY, /* the second try */
	DONE,
	NO_DIAL,
	EXCLUDED,
	OWN,
	RESTING, /* not due in this round */
};
/* and beside it */
enum {
	UNNAMED = 0x80, /* a peer of earlier rounds, whom nobody has named in this one */
	HASTY = 0x40,   /* its first try had less than the whole time (engine/patience.h) */
};

enum {
	DIALABLE_CLASSES = 2, /* of the set: IPv4; IPv6 and CJDNS */
	BLOCK = 32,           /* addresses hashed ahead of their look-up */
	GLANCES = 128,        /* the same, of what is looked for in the cache */
};

struct crawl {
	struct crawl_config config;
	uint64_t start_ms;
	struct addrset known; /* unless config.nodes */
	struct glance_key glance_key;
	struct glance_cache plain; /* known, and nothing is to be done about them */
	struct nodeset nodes;      /* if config.nodes */
	struct gates gates;
	uint32_t cursors[DIALABLE_CLASSES]; /* who comes next, in order of discovery */
	unsigned turn;
	struct late late;
	struct patience patience;
	struct rate rate;
	uint64_t tried; /* addresses, counted against max_visits */
	uint32_t unnamed;
	bool stopped;
	struct crawl_stats stats;
};

enum err crawl_new(const struct crawl_config *config, uint64_t now_ms, struct crawl **out)
{
	struct crawl *c = calloc(1, sizeof(*c));

	*out = NULL;
	assert(config->concurrency > 0);
	if (c == NULL)
		return ERR_NOMEM;
	c->config = *config;
	if (c->config.per_group == 0)
		c->config.per_group = config->nodes ? CRAWL_NODES_PER_GROUP : CRAWL_PER_GROUP;
	if (c->config.new_per_peer == 0)
		c->config.new_per_peer = config->nodes ? CRAWL_NEW_PER_NODE : CRAWL_NEW_PER_PEER;
	if (c->config.known_max == 0)
		c->config.known_max = config->nodes ? CRAWL_NODES_MAX : CRAWL_KNOWN_MAX;
	patience_init(&c->patience, &config->patience);
	rate_init(&c->rate, config->rate_per_s, now_ms);
	c->start_ms = now_ms;
	glance_key_init(&c->glance_key, &config->key);
	if ((config->nodes ? nodeset_init(&c->nodes, &config->key)
			   : addrset_init(&c->known, &config->key)) != ERR_OK ||
	    glance_cache_init(&c->plain) != ERR_OK ||
	    gates_init(&c->gates, config->concurrency * 2) != ERR_OK) {
		crawl_free(c);
		return ERR_NOMEM;
	}
	*out = c;
	return ERR_OK;
}

void crawl_free(struct crawl *c)
{
	if (c == NULL)
		return;
	addrset_clear(&c->known);
	nodeset_clear(&c->nodes);
	glance_cache_clear(&c->plain);
	gates_clear(&c->gates);
	late_clear(&c->late);
	free(c);
}

/* --- whom we know --- */

static uint8_t *tag_of(const struct crawl *c, uint32_t id)
{
	return c->config.nodes ? nodeset_tag(&c->nodes, id) : addrset_tag(&c->known, id);
}

static enum state state_of(const struct crawl *c, uint32_t id)
{
	return *tag_of(c, id) & ~(UNNAMED | HASTY);
}

static void set_state(struct crawl *c, uint32_t id, enum state state)
{
	uint8_t *tag = tag_of(c, id);

	*tag = (uint8_t)((*tag & (UNNAMED | HASTY)) | state);
}

static void get_peer(const struct crawl *c, uint32_t id, struct advert *out)
{
	if (c->config.nodes) {
		nodeset_get(&c->nodes, id, out);
		return;
	}
	*out = (struct advert){ 0 };
	addrset_get(&c->known, id, &out->addr);
}

static void get_dial(const struct crawl *c, uint32_t id, struct crawl_dial *out)
{
	struct advert peer;

	get_peer(c, id, &peer);
	*out = (struct crawl_dial){
		.id = id, .addr = peer.addr, .node_id = peer.node_id, .tcp_port = peer.tcp_port
	};
}

static uint32_t known_count(const struct crawl *c)
{
	return c->config.nodes ? nodeset_count(&c->nodes) : addrset_count(&c->known);
}

static bool is_excluded(const struct crawl *c, const struct netaddr *addr)
{
	for (size_t i = 0; i < c->config.exclude_count; i++) {
		if (cidr_contains(&c->config.exclude[i], addr))
			return true;
	}
	return false;
}

/* Whether the rules for this crawl let it be known at all. */
static bool is_allowed(const struct crawl *c, const struct netaddr *addr)
{
	return c->config.allow_private ? netaddr_is_host(addr) : netaddr_is_routable(addr);
}

/* A new entry of the set: what becomes of it. */
static enum crawl_verdict judge(struct crawl *c, const struct netaddr *addr, uint8_t *tag)
{
	if (is_excluded(c, addr)) {
		/* Kept, so that the list is searched once an address. */
		*tag = EXCLUDED;
		return CRAWL_EXCLUDED;
	}
	c->stats.known++;
	if (!netaddr_is_ip(addr)) {
		*tag = NO_DIAL;
		c->stats.no_dial++;
		return CRAWL_NEW_NO_DIAL;
	}
	c->stats.waiting++;
	return CRAWL_NEW;
}

/* Somebody names whom we know. */
static enum crawl_verdict known_verdict(struct crawl *c, uint32_t id)
{
	uint8_t *tag = tag_of(c, id);
	bool again = (*tag & UNNAMED) != 0;
	enum state state = state_of(c, id);

	if (again) {
		*tag &= (uint8_t)~UNNAMED;
		c->unnamed--;
	}
	if (state == EXCLUDED || state == OWN)
		return CRAWL_EXCLUDED;
	return again ? CRAWL_AGAIN : CRAWL_KNOWN;
}

static bool was_added(struct crawl *c, enum err err)
{
	c->stats.no_memory += err == ERR_NOMEM;
	return err == ERR_OK;
}

/* A new address, or one that may not become known. */
static enum crawl_verdict add_new(struct crawl *c, const struct netaddr *addr, uint64_t hash)
{
	bool added;
	uint32_t id;

	if (known_count(c) >= c->config.known_max)
		return CRAWL_CUT;
	if (!is_allowed(c, addr))
		return CRAWL_NOT_ROUTABLE;
	if (!was_added(c, addrset_add_hashed(&c->known, addr, hash, &id, &added)))
		return CRAWL_CUT;
	glance_cache_expect(&c->plain, addrset_count(&c->known));
	return judge(c, addr, tag_of(c, id));
}

/* The same for a node. */
static enum crawl_verdict add_node(struct crawl *c, const struct advert *peer, bool over_cap)
{
	bool added;
	uint32_t id;

	if (peer->node_id.len != PEER_NODE_ID_MAX || !netaddr_is_ip(&peer->addr))
		return CRAWL_NOT_ROUTABLE;
	if (over_cap || known_count(c) >= c->config.known_max)
		return nodeset_find(&c->nodes, peer, &id) ? known_verdict(c, id) : CRAWL_CUT;
	if (!is_allowed(c, &peer->addr))
		return CRAWL_NOT_ROUTABLE;
	if (!was_added(c, nodeset_add(&c->nodes, peer, &id, &added)))
		return CRAWL_CUT;
	return added ? judge(c, &peer->addr, tag_of(c, id)) : known_verdict(c, id);
}

static enum crawl_verdict add_hashed(struct crawl *c, const struct netaddr *addr, uint64_t hash,
				     bool over_cap)
{
	enum crawl_verdict verdict = CRAWL_CUT;
	uint32_t id;

	if (addrset_find_hashed(&c->known, addr, hash, &id))
		verdict = known_verdict(c, id);
	else if (!over_cap)
		verdict = add_new(c, addr, hash);
	if (verdict == CRAWL_KNOWN || verdict == CRAWL_AGAIN || verdict == CRAWL_NEW ||
	    verdict == CRAWL_NEW_NO_DIAL)
		glance_cache_put(&c->plain, glance_of(&c->glance_key, addr));
	return verdict;
}

/* From now on naming it is told from naming just anybody. */
static void set_own(struct crawl *c, uint32_t id)
{
	struct advert peer;

	c->unnamed -= (*tag_of(c, id) & UNNAMED) != 0;
	*tag_of(c, id) = OWN;
	get_peer(c, id, &peer);
	glance_cache_drop(&c->plain, glance_of(&c->glance_key, &peer.addr));
}

static bool is_usable(const struct netaddr *addr)
{
	return netaddr_len(addr->kind) > 0;
}

enum crawl_verdict crawl_add(struct crawl *c, const struct advert *peer)
{
	if (c->config.nodes)
		return add_node(c, peer, false);
	if (!is_usable(&peer->addr))
		return CRAWL_NOT_ROUTABLE;
	return add_hashed(c, &peer->addr, addrset_hash(&c->known, &peer->addr), false);
}

static void count_verdict(enum crawl_verdict v, uint32_t counts[static CRAWL_CUT + 1],
			  uint32_t *taken)
{
	counts[v]++;
	*taken += v == CRAWL_NEW || v == CRAWL_NEW_NO_DIAL;
}

static void add_addresses(struct crawl *c, const struct advert *adverts, size_t count,
			  uint32_t *taken, enum crawl_verdict *verdicts,
			  uint32_t counts[static CRAWL_CUT + 1])
{
	uint64_t hashes[BLOCK];

	for (size_t start = 0; start < count; start += BLOCK) {
		size_t n = count - start < BLOCK ? count - start : BLOCK;
		const struct advert *block = adverts + start;

		for (size_t i = 0; i < n; i++) {
			hashes[i] = is_usable(&block[i].addr)
					    ? addrset_hash(&c->known, &block[i].addr)
					    : 0;
			addrset_prefetch(&c->known, hashes[i]);
		}
		for (size_t i = 0; i < n; i++)
			addrset_prefetch_entry(&c->known, hashes[i]);
		for (size_t i = 0; i < n; i++) {
			enum crawl_verdict v = CRAWL_NOT_ROUTABLE;

			if (is_usable(&block[i].addr))
				v = add_hashed(c, &block[i].addr, hashes[i],
					       *taken >= c->config.new_per_peer);
			count_verdict(v, counts, taken);
			verdicts[start + i] = v;
		}
	}
}

static void add_nodes(struct crawl *c, const struct advert *adverts, size_t count, uint32_t *taken,
		      enum crawl_verdict *verdicts, uint32_t counts[static CRAWL_CUT + 1])
{
	for (size_t i = 0; i < count; i++) {
		verdicts[i] = add_node(c, &adverts[i], *taken >= c->config.new_per_peer);
		count_verdict(verdicts[i], counts, taken);
	}
}

uint32_t crawl_add_named(struct crawl *c, const struct advert *adverts, size_t count,
			 uint32_t *taken, enum crawl_verdict *verdicts)
{
	uint32_t counts[CRAWL_CUT + 1] = { 0 };

	if (c->config.nodes)
		add_nodes(c, adverts, count, taken, verdicts, counts);
	else
		add_addresses(c, adverts, count, taken, verdicts, counts);
	c->stats.adverts += count;
	c->stats.not_routable += counts[CRAWL_NOT_ROUTABLE];
	c->stats.excluded += counts[CRAWL_EXCLUDED];
	c->stats.cut += counts[CRAWL_CUT];
	return counts[CRAWL_CUT];
}

const struct glance_key *crawl_glance_key(const struct crawl *c)
{
	return &c->glance_key;
}

size_t crawl_pass_known(struct crawl *c, struct glance *named, size_t count)
{
	size_t left = 0;

	for (size_t start = 0; start < count; start += GLANCES) {
		size_t end = count - start < GLANCES ? count : start + GLANCES;

		for (size_t i = start; i < end; i++)
			glance_cache_prefetch(&c->plain, named[i].hash);
		for (size_t i = start; i < end; i++) {
			named[left] = named[i];
			left += !glance_cache_has(&c->plain, named[i].hash);
		}
	}
	c->stats.adverts += count - left;
	return left;
}

size_t crawl_read_named(struct crawl *c, const struct proto *proto, struct session_event *event,
			struct advert *out, size_t cap)
{
	UNSET struct glance named[GLANCES];
	size_t count, left;

	if (proto->glance == NULL)
		return proto->adverts(event, out, cap);
	do {
		count = proto->glance(event, &c->glance_key, named, cap < GLANCES ? cap : GLANCES);
		left = crawl_pass_known(c, named, count);
	} while (count > 0 && left == 0);
	for (size_t i = 0; i < left; i++)
		proto->advert_at(event, named[i].at, &out[i]);
	return left;
}

void crawl_add_own(struct crawl *c, const struct netaddr *addr)
{
	bool added;
	uint32_t id;

	if (c->config.nodes || !is_usable(addr) ||
	    !was_added(c, addrset_add(&c->known, addr, &id, &added)))
		return;
	if (!added && state_of(c, id) != WAITING)
		return; /* under way already, or never dialled anyhow */
	if (!added) {
		c->stats.known--;
		c->stats.waiting--;
	}
	set_own(c, id);
}

/* --- who comes next --- */

/* Nodes are of one class. */
static uint32_t class_count(const struct crawl *c, unsigned class)
{
	if (c->config.nodes)
		return class == 0 ? nodeset_count(&c->nodes) : 0;
	return addrset_class_count(&c->known, class);
}

/* Whether the state is that of an address which may be dialled: beyond max_visits, those alone
 * that were tried before. */
static bool is_due(const struct crawl *c, enum state state)
{
	return state == RETRY_TAKEN ||
	       ((state == WAITING || state == LEFT_TAKEN) &&
		(c->config.max_visits == 0 || c->tried < c->config.max_visits));
}

/* The next address of a class that still waits; false at the end of what is known. */
static bool next_of_class(struct crawl *c, unsigned class, uint32_t *id)
{
	while (is_due(c, WAITING) && c->cursors[class] < class_count(c, class)) {
		*id = addrset_id(class, c->cursors[class]++);
		if (state_of(c, *id) == WAITING)
			return true;
	}
	return false;
}

/* Of any id, also one that there is not. */
static bool is_late(const void *ctx, uint32_t id)
{
	const struct crawl *c = ctx;
	enum state state;

	if ((id & ADDRSET_CLASS_MAX) >= class_count(c, id >> ADDRSET_CLASS_SHIFT))
		return false;
	state = state_of(c, id);
	return state == RETRY || state == LEFT;
}

/* Second tries come last: when no first try waits. Those in flight may still name somebody new, who
 * then goes first; to wait for the slowest of them would leave all other places empty. */
static bool next_late(struct crawl *c, uint32_t *id)
{
	if (!late_next(&c->late, is_late, c, id))
		return false;
	set_state(c, *id, state_of(c, *id) == RETRY ? RETRY_TAKEN : LEFT_TAKEN);
	return true;
}

static bool next_candidate(struct crawl *c, uint32_t *id)
{
	if (gates_ready(&c->gates, id))
		return true;
	for (unsigned i = 0; i < DIALABLE_CLASSES; i++) {
		c->turn = (c->turn + 1) % DIALABLE_CLASSES;
		if (next_of_class(c, c->turn, id))
			return true;
	}
	return next_late(c, id);
}

/* Without memory for the queue an address is given up, and counted. */
static void give_up(struct crawl *c, uint32_t id)
{
	set_state(c, id, DONE);
	c->stats.waiting--;
	c->stats.no_memory++;
}

static void park(struct crawl *c, uint64_t key, uint32_t id)
{
	if (gates_park(&c->gates, key, id) != ERR_OK)
		give_up(c, id);
}

/* Takes a place for its group and its IP, or parks the address with the one that is
 * full. */
static bool enter(struct crawl *c, uint32_t id, const struct netaddr *addr)
{
	uint64_t group = gates_group_key(&c->config.key, addr),
		 ip = gates_ip_key(&c->config.key, addr);

	if (!gates_enter(&c->gates, group, c->config.per_group)) {
		park(c, group, id);
		gates_pass_on(&c->gates, ip);
		return false;
	}
	if (!gates_enter(&c->gates, ip, 1)) {
		park(c, ip, id);
		gates_leave(&c->gates, group);
		return false;
	}
	return true;
}

static bool is_over(const struct crawl *c, uint64_t now_ms)
{
	return c->stopped || (c->config.duration_ms > 0 && now_ms > c->start_ms &&
			      now_ms - c->start_ms >= c->config.duration_ms);
}

static void hand_out(struct crawl *c, uint32_t id, enum state state, struct crawl_dial *out)
{
	uint8_t *tag = tag_of(c, id);

	out->attempt = state == WAITING ? 1 : 2;
	if (out->attempt == 1) {
		out->hasty = patience_first(&c->patience, &out->wait);
		*tag = (uint8_t)((*tag & UNNAMED) | (out->hasty ? HASTY : 0));
	} else {
		/* How long the run waited that left it, nobody knows. */
		out->was_hasty = state == LEFT_TAKEN || (*tag & HASTY) != 0;
		patience_second(&c->patience, out->was_hasty, &out->wait);
	}
	c->tried += state != RETRY_TAKEN;
	set_state(c, id, state == WAITING ? ACTIVE : ACTIVE_RETRY);
	c->stats.waiting--;
	c->stats.in_flight++;
	c->stats.begun++;
}

enum crawl_action crawl_next(struct crawl *c, uint64_t now_ms, struct crawl_dial *out,
			     uint64_t *wait_until_ms)
{
	uint32_t id;

	*wait_until_ms = UINT64_MAX;
	if (is_over(c, now_ms))
		return c->stats.in_flight > 0 ? CRAWL_WAIT : CRAWL_DONE;
	if (c->stats.in_flight >= c->config.concurrency)
		return CRAWL_WAIT;
	if (!rate_take(&c->rate, now_ms, wait_until_ms))
		return CRAWL_WAIT;
	while (next_candidate(c, &id)) {
		enum state state = state_of(c, id);

		get_dial(c, id, out);
		if (!is_due(c, state)) {
			/* While it waited it became our own, or others used up what may be
			 * tried: let the next one pass. */
			gates_pass_on(&c->gates, gates_group_key(&c->config.key, &out->addr));
			gates_pass_on(&c->gates, gates_ip_key(&c->config.key, &out->addr));
			continue;
		}
		if (!enter(c, id, &out->addr))
			continue;
		hand_out(c, id, state, out);
		return CRAWL_DIAL;
	}
	rate_put_back(&c->rate);
	return c->stats.in_flight > 0 ? CRAWL_WAIT : CRAWL_DONE;
}

/* --- how it ended --- */

static bool push_retry(struct crawl *c, uint32_t id, enum state state)
{
	if (late_add(&c->late, id) != ERR_OK)
		return false;
	set_state(c, id, state);
	c->stats.waiting++;
	return true;
}

static void count_final(struct crawl *c, enum outcome outcome, bool reached)
{
	c->stats.visited++;
	c->stats.reached += reached;
	c->stats.outcomes[outcome]++;
}

/* The visit is over: its places are free. Tells whether it was a first try. */
static bool leave(struct crawl *c, uint32_t id)
{
	enum state state = state_of(c, id);
	struct advert peer;

	assert(state == ACTIVE || state == ACTIVE_RETRY);
	assert(c->stats.in_flight > 0);
	get_peer(c, id, &peer);
	gates_leave(&c->gates, gates_ip_key(&c->config.key, &peer.addr));
	gates_leave(&c->gates, gates_group_key(&c->config.key, &peer.addr));
	c->stats.in_flight--;
	return state == ACTIVE;
}

void crawl_give_back(struct crawl *c, uint32_t id)
{
	bool first = leave(c, id);

	set_state(c, id, first ? WAITING : RETRY_TAKEN);
	c->tried -= first;
	c->stats.begun--;
	c->stats.waiting++;
	if (gates_make_ready(&c->gates, id) != ERR_OK)
		give_up(c, id);
}

/* Over UDP a node that was heard, but not its PONGs, may have lost them on the way; and no way may
 * be a router's trouble that passes. */
static bool is_worth_another_try(const struct crawl *c, enum outcome outcome)
{
	return outcome == OUTCOME_CONNECT_TIMEOUT || outcome == OUTCOME_UNREACHABLE ||
	       (c->config.nodes && outcome == OUTCOME_HANDSHAKE_TIMEOUT);
}

void crawl_learn(struct crawl *c, const struct record *record)
{
	/* Where nodes answer over UDP there is no more to learn than a round trip. */
	bool answered = !c->config.nodes && record->handshake_ms >= 0 && record->connect_ms >= 0;

	patience_learn(&c->patience, record->connect_ms,
		       answered ? record->handshake_ms - record->connect_ms : -1);
}

bool crawl_finish(struct crawl *c, uint32_t id, enum outcome outcome, bool reached)
{
	bool first = leave(c, id);

	set_state(c, id, DONE);
	if (outcome == OUTCOME_SELF)
		set_own(c, id);
	if (outcome == OUTCOME_CANCELLED) {
		c->stats.waiting++; /* for a later run */
		c->stats.no_memory += !c->stopped;
		return true;
	}
	if (is_worth_another_try(c, outcome) && first && push_retry(c, id, RETRY))
		return false;
	count_final(c, outcome, reached);
	return true;
}

/* A peer that may be there already; false if it is, or can't be added. */
static bool add_quietly(struct crawl *c, const struct advert *peer, uint32_t *id)
{
	bool added = false;

	if (c->config.nodes)
		return peer->node_id.len == PEER_NODE_ID_MAX && netaddr_is_ip(&peer->addr) &&
		       was_added(c, nodeset_add(&c->nodes, peer, id, &added)) && added;
	return is_usable(&peer->addr) &&
	       was_added(c, addrset_add(&c->known, &peer->addr, id, &added)) && added;
}

void crawl_add_visited(struct crawl *c, const struct advert *peer, enum outcome outcome,
		       bool reached, uint8_t tries)
{
	const struct netaddr *addr = &peer->addr;
	uint32_t id;

	if (!add_quietly(c, peer, &id))
		return;
	c->stats.known++;
	set_state(c, id, DONE);
	/* The rules may have changed between the runs: a second try keeps to those of now. */
	if (is_worth_another_try(c, outcome) && tries < 2 && netaddr_is_ip(addr) &&
	    is_allowed(c, addr) && !is_excluded(c, addr) && push_retry(c, id, LEFT))
		return;
	count_final(c, outcome, reached);
}

void crawl_add_watched(struct crawl *c, const struct advert *peer, bool due)
{
	uint32_t id;

	if (known_count(c) >= c->config.known_max || !is_allowed(c, &peer->addr) ||
	    !add_quietly(c, peer, &id) || judge(c, &peer->addr, tag_of(c, id)) != CRAWL_NEW)
		return;
	*tag_of(c, id) = (uint8_t)(UNNAMED | (due ? WAITING : RESTING));
	c->unnamed++;
	if (due)
		return;
	c->stats.waiting--;
	c->stats.resting++;
}

uint32_t crawl_unnamed(const struct crawl *c)
{
	return c->unnamed;
}

void crawl_stop(struct crawl *c)
{
	c->stopped = true;
}

void crawl_stats(const struct crawl *c, struct crawl_stats *out)
{
	*out = c->stats;
	patience_learned(&c->patience, &out->wait);
	out->bytes = sizeof(*c) +
		     (c->config.nodes ? nodeset_bytes(&c->nodes) : addrset_bytes(&c->known)) +
		     glance_cache_bytes(&c->plain) + gates_bytes(&c->gates) + late_bytes(&c->late);
}
