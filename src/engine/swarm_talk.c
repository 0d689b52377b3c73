#include "engine/swarm_inner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAMED_AT_ONCE = 64,
	/* Whom we asked may name so many more: one answer of any protocol. */
	ASKED_CREDIT = 1000,
	FRESH_S = 10 * 60, /* Core relays what is younger; and we only once within it */
	/* So many network groups see us at one address within an hour: with ten outgoing
	 * connections and their replacements that is within reach, and no single network's
	 * doing. */
	SEEN_NEEDED = 4,
	SEEN_WINDOW_MS = 60 * 60 * 1000,
	MOVED_MS = 60 * 1000, /* within it everybody is told of a new address of ours */
};

enum err swarm_talk_new(struct swarm *s)
{
	statements_init(&s->statements, SEEN_NEEDED, SEEN_WINDOW_MS);
	s->scratch = calloc(s->policy.answer_max, sizeof(*s->scratch));
	if (s->scratch == NULL)
		return ERR_NOMEM;
	if (s->config.relay_nothing || s->policy.relay_fanout == 0)
		return ERR_OK;
	s->ring = calloc(RELAY_RING, sizeof(*s->ring));
	return s->ring != NULL ? ERR_OK : ERR_NOMEM;
}

void swarm_talk_clear(struct swarm *s)
{
	free(s->scratch);
	free(s->ring);
	for (unsigned i = 0; i < ANSWER_CACHES; i++)
		free(s->caches[i].adverts);
}

size_t swarm_talk_bytes(const struct swarm *s)
{
	size_t bytes = s->policy.answer_max * sizeof(*s->scratch);

	if (s->ring != NULL)
		bytes += RELAY_RING * sizeof(*s->ring);
	for (unsigned i = 0; i < ANSWER_CACHES; i++)
		if (s->caches[i].adverts != NULL)
			bytes += s->policy.answer_max * sizeof(struct advert);
	return bytes;
}

/* --- what is taken --- */

bool swarm_bucket_take(struct bucket *b, uint64_t now_ms, uint64_t first, uint64_t per_10s,
		       uint64_t burst)
{
	uint64_t full = burst * 1000, more = (now_ms - b->at_ms) * per_10s / 10;

	if (b->at_ms == 0)
		b->milli += first * 1000;
	else if (b->milli < full)
		b->milli = swarm_earlier(b->milli + more, full);
	b->at_ms = now_ms;
	if (b->milli < 1000)
		return false;
	b->milli -= 1000;
	return true;
}

bool swarm_talk_messages(struct swarm *s, struct conn *c)
{
	struct session_counts counts;

	s->proto->counts(c->session, &counts);
	for (; c->messages_seen != counts.messages_in; c->messages_seen++) {
		s->counts.messages_in++;
		if (s->policy.messages_burst > 0 &&
		    !swarm_bucket_take(&c->messages, s->now_ms, s->policy.messages_burst,
				       10ULL * s->policy.messages_per_s, s->policy.messages_burst))
			return false;
	}
	return true;
}

/* Whom we asked may name more than strangers who speak up. */
static void credit_asked(struct swarm *s, struct conn *c)
{
	struct session_times times;

	s->proto->times(c->session, &times);
	if (times.asked_ms == c->asked_ms)
		return;
	c->asked_ms = times.asked_ms;
	c->takes.milli += ASKED_CREDIT * 1000ULL;
}

static bool relays_hearsay(const struct swarm *s, const struct session_event *event,
			   const struct advert *peer)
{
	int64_t now_s = swarm_unix_s(s);

	return s->policy.vouched_ms == 0 && event->count <= s->policy.relay_max &&
	       peer->last_seen_s > now_s - FRESH_S && peer->last_seen_s < now_s + FRESH_S;
}

static void take_one(struct swarm *s, struct conn *c, const struct session_event *event,
		     const struct advert *peer)
{
	bool added;

	if (swarm_reach(&peer->addr) < swarm_reach(&c->remote) || swarm_is_own(s, &peer->addr))
		return;
	s->counts.named++;
	/* Who says where he is himself may have begun to listen there just now. */
	if (swarm_out_missed(s, &peer->addr) && !netaddr_same_host(&peer->addr, &c->remote))
		return;
	added = book_add(s->config.book, peer, &c->remote, swarm_unix_s(s));
	if (added) {
		c->useful++;
		swarm_tell_addr(s, SWARM_EVENT_KNOWN, &peer->addr);
		swarm_out_hurry(s);
	}
	if (relays_hearsay(s, event, peer) &&
	    (added || book_find(s->config.book, &peer->addr, NULL)))
		swarm_talk_relay(s, peer, c->id);
}

void swarm_talk_named(struct swarm *s, struct conn *c, const struct session_event *event)
{
	struct session_event reading = *event;
	struct advert named[NAMED_AT_ONCE];
	size_t n;

	credit_asked(s, c);
	while ((n = s->proto->adverts(&reading, named, NAMED_AT_ONCE)) > 0)
		for (size_t i = 0; i < n; i++) {
			if (!swarm_bucket_take(&c->takes, s->now_ms, s->policy.take_first,
					       s->policy.take_per_10s, s->policy.take_burst))
				return;
			take_one(s, c, event, &named[i]);
			if (c->state == CONN_GONE)
				return;
		}
}

/* --- what is passed on unasked --- */

static bool is_peer(const struct conn *c)
{
	return c != NULL && c->state == CONN_UP && c->direction != SWARM_CHECK;
}

static bool passed_on_before(const struct swarm *s, const struct netaddr *addr)
{
	uint32_t first = s->ring_head > RELAY_RING ? s->ring_head - RELAY_RING : 0;

	for (uint32_t i = first; i != s->ring_head; i++) {
		const struct relayed *r = &s->ring[i % RELAY_RING];

		if (s->now_ms - r->at_ms < FRESH_S * 1000ULL && netaddr_equal(&r->addr, addr))
			return true;
	}
	return false;
}

/* The same peers for the same address, as long as they stay: an address that comes again and
 * again goes no further than once. */
static void choose_targets(const struct swarm *s, struct relayed *r)
{
	uint64_t hash = swarm_addr_key(s, &r->addr);
	unsigned n = 0;

	for (uint32_t i = 0; i < s->slots_len && n < s->policy.relay_fanout; i++) {
		const struct conn *c = s->conns[(hash + i) % s->slots_len];

		if (is_peer(c) && c->id != r->from)
			r->to[n++] = c->id;
	}
}

void swarm_talk_relay(struct swarm *s, const struct advert *peer, uint32_t from)
{
	struct relayed r = {
		.addr = peer->addr,
		.services = peer->services,
		.seen_s = peer->last_seen_s,
		.at_ms = s->now_ms,
		.from = from,
	};

	if (s->ring == NULL)
		return;
	if (s->policy.vouched_ms == 0 && passed_on_before(s, &peer->addr))
		return;
	if (s->policy.relay_fanout > RELAY_TO_MAX)
		r.to[0] = SWARM_NONE;
	else
		choose_targets(s, &r);
	s->ring[s->ring_head++ % RELAY_RING] = r;
	s->relay_ms = swarm_earlier(s->relay_ms, s->now_ms + RELAY_BATCH_MS);
}

static void hurry_reader(struct swarm *s, uint32_t id)
{
	struct conn *c = swarm_conn_find(s, id);

	if (is_peer(c))
		swarm_wants_send(s, c);
}

uint64_t swarm_talk_deadline(const struct swarm *s)
{
	return s->relay_ms;
}

void swarm_talk_tick(struct swarm *s)
{
	bool all = false;

	if (s->now_ms < s->relay_ms)
		return;
	s->relay_ms = UINT64_MAX;
	if (s->ring_head - s->ring_told > RELAY_RING)
		s->ring_told = s->ring_head - RELAY_RING;
	for (; s->ring_told != s->ring_head; s->ring_told++) {
		const struct relayed *r = &s->ring[s->ring_told % RELAY_RING];

		all = all || r->to[0] == SWARM_NONE;
		for (unsigned i = 0; i < RELAY_TO_MAX; i++)
			hurry_reader(s, r->to[i]);
	}
	for (uint32_t i = 0; all && i < s->slots_len; i++)
		if (is_peer(s->conns[i]))
			swarm_wants_send(s, s->conns[i]);
}

/* --- what is said, made when it can be sent --- */

/* The id of a peer that is connected, for protocols that name it. */
static struct slice node_id_of(const struct swarm *s, const struct netaddr *addr)
{
	const struct conn *c = s->policy.ids_unique ? swarm_conn_at(s, addr) : NULL;
	struct peer_info info;

	if (c == NULL || c->state != CONN_UP)
		return slice_of(NULL, 0);
	s->proto->info(c->session, &info);
	return info.node_id;
}

static size_t say_adverts(struct swarm *s, struct conn *c, const struct advert *adverts,
			  size_t count, uint8_t *out, size_t cap)
{
	size_t len = s->proto->answer(c->session, adverts, count, out, cap);

	assert(len > 0);
	return len;
}

static size_t make_relayed(struct swarm *s, struct conn *c, uint8_t *out, size_t cap)
{
	struct advert list[RELAY_AT_ONCE];
	size_t max = s->policy.relay_max < RELAY_AT_ONCE ? s->policy.relay_max : RELAY_AT_ONCE;
	size_t n = 0;

	if (s->ring_head - c->relay_at > RELAY_RING)
		c->relay_at = s->ring_head - RELAY_RING;
	for (; (int32_t)(s->ring_told - c->relay_at) > 0 && n < max; c->relay_at++) {
		const struct relayed *r = &s->ring[c->relay_at % RELAY_RING];

		if (r->from == c->id || swarm_reach(&r->addr) < swarm_reach(&c->remote) ||
		    (r->to[0] != SWARM_NONE && r->to[0] != c->id && r->to[1] != c->id))
			continue;
		list[n++] = (struct advert){ .addr = r->addr,
					     .services = r->services,
					     .last_seen_s = r->seen_s,
					     .node_id = node_id_of(s, &r->addr) };
	}
	if (n == 0)
		return 0;
	s->counts.relayed += n;
	return say_adverts(s, c, list, n, out, cap);
}

/* Of our addresses the one that fits best to where the peer is. */
static const struct netaddr *own_for(const struct swarm *s, const struct conn *c)
{
	enum reach reach = swarm_reach(&c->remote);
	const struct netaddr *best = NULL;
	int best_score = -1;

	for (unsigned i = 0; i < s->own_count; i++) {
		enum reach own = swarm_reach(&s->own[i]);
		int score = 2 * (own == reach) + (s->own[i].kind == c->remote.kind);

		if (own >= reach && netaddr_is_host(&s->own[i]) && score > best_score) {
			best = &s->own[i];
			best_score = score;
		}
	}
	return best;
}

static size_t make_self(struct swarm *s, struct conn *c, uint8_t *out, size_t cap)
{
	const struct netaddr *own = own_for(s, c);
	struct advert self = { .services = s->config.session.services,
			       .last_seen_s = swarm_unix_s(s),
			       .node_id = s->config.session.own_id };

	c->wants_self = false;
	if (own == NULL)
		return 0;
	self.addr = *own;
	return say_adverts(s, c, &self, 1, out, cap);
}

/* One who may be told, and where: whoever failed when we last tried is not vouched for. */
static size_t sample(struct swarm *s, enum reach reach, uint32_t cap)
{
	int64_t now_s = swarm_unix_s(s);
	int64_t vouched_s = (int64_t)(s->policy.vouched_ms / 1000), since_s = 0;
	struct book_entry entry;
	size_t n, kept = 0;

	if (vouched_s > 0)
		since_s = now_s - vouched_s;
	n = book_sample(s->config.book, now_s, since_s, s->scratch, cap);
	for (size_t i = 0; i < n; i++) {
		const struct advert *peer = &s->scratch[i];

		if (swarm_reach(&peer->addr) < reach ||
		    (vouched_s > 0 && book_find(s->config.book, &peer->addr, &entry) &&
		     entry.failures > 0))
			continue;
		s->scratch[kept++] = *peer;
	}
	return kept;
}

static size_t sample_share(struct swarm *s, enum reach reach)
{
	struct book_counts counts;
	uint64_t share;

	book_counts(s->config.book, &counts);
	share = (uint64_t)counts.new_count + counts.tried_count;
	share = (share * s->policy.answer_percent + 99) / 100;
	return sample(s, reach, (uint32_t)swarm_earlier(share, s->policy.answer_max));
}

/* Made anew when its time is over; sooner if we know twice as many as then, or the first who
 * asks a new peer would leave next to nothing for all that come after him that day. */
static bool is_stale(const struct swarm *s, const struct answer_cache *cache, uint32_t known)
{
	return s->now_ms >= cache->until_ms || known > 2ULL * cache->known;
}

/* The same answer for all of one kind of network and for long: whoever asks again and again, or
 * from many places, learns no more of what we know. */
static size_t cached(struct swarm *s, const struct netaddr *asker)
{
	enum reach reach = swarm_reach(asker);
	bool ipv6 = reach == REACH_PUBLIC && asker->kind != NETADDR_IPV4;
	struct answer_cache *cache = &s->caches[reach + (ipv6 ? 1 : 0)];
	uint64_t ms = s->policy.answer_cache_ms;
	struct book_counts counts;
	uint32_t known;

	if (ms == 0)
		return sample_share(s, reach);
	if (cache->adverts == NULL)
		cache->adverts = calloc(s->policy.answer_max, sizeof(*cache->adverts));
	if (cache->adverts == NULL)
		return 0;
	book_counts(s->config.book, &counts);
	known = counts.new_count + counts.tried_count;
	if (is_stale(s, cache, known)) {
		cache->known = known;
		cache->count = (uint32_t)sample_share(s, reach);
		memcpy(cache->adverts, s->scratch, cache->count * sizeof(*s->scratch));
		/* Core: 21 to 27 of 24 hours. */
		cache->until_ms = s->now_ms + ms - ms / 8 + random_below(&s->random, ms / 4 + 1);
	}
	memcpy(s->scratch, cache->adverts, cache->count * sizeof(*s->scratch));
	return cache->count;
}

static size_t make_answer(struct swarm *s, struct conn *c, uint8_t *out, size_t cap)
{
	size_t n = cached(s, &c->remote), kept = 0;

	c->wants_answer = false;
	s->counts.answered++;
	for (size_t i = 0; i < n; i++) {
		if (netaddr_equal(&s->scratch[i].addr, &c->listen))
			continue; /* he knows himself */
		s->scratch[kept] = s->scratch[i];
		s->scratch[kept].node_id = node_id_of(s, &s->scratch[i].addr);
		kept++;
	}
	/* Whoever tells all that he may says also that it is nobody; some of Bitcoin's take
	 * an empty list for a fault. */
	if (kept == 0 && s->policy.answer_percent < 100)
		return 0;
	return say_adverts(s, c, s->scratch, kept, out, cap);
}

static size_t make_said(struct swarm *s, struct conn *c, uint8_t *out, size_t cap)
{
	size_t n = c->said_len;

	assert(n <= cap);
	if (n == 0)
		return 0;
	memcpy(out, c->said, n);
	free(c->said);
	c->said = NULL;
	c->said_len = 0;
	s->counts.messages_out++;
	return n;
}

size_t swarm_talk_make(struct swarm *s, struct conn *c, uint8_t *out, size_t cap)
{
	size_t n = 0;

	if (!is_peer(c))
		return 0;
	n = make_said(s, c, out, cap);
	if (n == 0 && c->wants_self)
		n = make_self(s, c, out, cap);
	if (n == 0 && c->wants_answer)
		n = make_answer(s, c, out, cap);
	if (n == 0 && s->ring != NULL)
		n = make_relayed(s, c, out, cap);
	return n;
}

/* --- who we are --- */

void swarm_talk_announce(struct swarm *s, struct conn *c)
{
	uint64_t ms = s->policy.announce_ms;

	c->announce_ms = ms > 0 ? s->now_ms + ms / 2 + random_below(&s->random, ms) : UINT64_MAX;
	c->wants_self = true;
	swarm_wants_send(s, c);
}

/* The network that a voice counts for. */
static struct netaddr voice_of(const struct netaddr *addr)
{
	struct netaddr voice = *addr;
	size_t len = addr->kind == NETADDR_IPV4 ? 2 : 4;

	if (swarm_reach(addr) == REACH_PUBLIC)
		memset(voice.bytes + len, 0, sizeof(voice.bytes) - len);
	return voice;
}

static void move_to(struct swarm *s, const struct netaddr *addr)
{
	for (unsigned i = 0; i < s->own_count; i++)
		if (netaddr_equal(&s->own[i], &s->seen_as))
			s->own[i] = s->own[--s->own_count];
	s->seen_as = *addr;
	swarm_own(s, addr);
	for (uint32_t i = 0; i < s->slots_len; i++)
		if (is_peer(s->conns[i])) {
			s->conns[i]->announce_ms = s->now_ms + random_below(&s->random, MOVED_MS);
			swarm_conn_schedule(s, s->conns[i]);
		}
	swarm_tell_addr(s, SWARM_EVENT_SELF, addr);
}

/* Only those that we dialled have a voice: nobody chooses to be one of them. The port at which
 * they see us is the connection's; ours is where we listen. */
static void hear_self(struct swarm *s, const struct conn *c, const struct peer_info *info)
{
	struct netaddr seen = info->sees_us_as, by = voice_of(&c->remote), agreed;

	if (c->direction != SWARM_OUT || s->config.session.listen_port == 0 ||
	    !netaddr_is_ip(&seen))
		return;
	seen.port = s->config.session.listen_port;
	if (s->config.allow_private ? !netaddr_is_host(&seen) : !netaddr_is_routable(&seen))
		return;
	statements_add(&s->statements, &by, &seen, s->now_ms);
	if (statements_agreed(&s->statements, s->now_ms, &agreed) && !swarm_is_own(s, &agreed))
		move_to(s, &agreed);
}

void swarm_talk_begin(struct swarm *s, struct conn *c, const struct peer_info *info)
{
	c->relay_at = s->ring_told;
	swarm_talk_announce(s, c);
	hear_self(s, c, info);
}
