#include "engine/swarm_inner.h"

#include <string.h>

enum {
	DIAL_GAP_MS = 100,   /* between two attempts: a start is no burst */
	DIAL_IDLE_MS = 1000, /* when nobody is to be dialled: look again */
	BOOTSTRAP_FIRST_MS = 1000,
	BOOTSTRAP_MAX_MS = 5 * 60 * 1000,
	FEELER_MS = 2 * 60 * 1000, /* Core's FEELER_INTERVAL */
	CHECK_IDLE_MS = 1000,
	/* An attempt to reach somebody silent takes the driver's five seconds: so many are under
	 * way at once when all are. */
	CHECK_AT_ONCE_S = 6,
	CHECK_AT_ONCE_MAX = 128,
	/* Where checks are made, an address that was reachable is out of the book after so many
	 * failures in a row: one may be a peer that restarts. */
	CHECK_FAILURES = 2,
};

/* --- addresses --- */

enum reach swarm_reach(const struct netaddr *addr)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (addr->kind == NETADDR_IPV4 && addr->bytes[0] == 127)
		return REACH_LOOPBACK;
	if (addr->kind == NETADDR_IPV6 && memcmp(addr->bytes, loopback6, 16) == 0)
		return REACH_LOOPBACK;
	if (netaddr_is_ip(addr)) {
		struct netaddr host = *addr;

		host.port = 1; /* port 0 alone makes nobody private */
		return netaddr_is_routable(&host) ? REACH_PUBLIC : REACH_PRIVATE;
	}
	return REACH_PUBLIC;
}

static uint64_t key_of(const struct swarm *s, char what, const struct netaddr *addr, size_t len)
{
	uint8_t bytes[2 + NETADDR_BYTES_MAX] = { (uint8_t)what, addr->kind };

	memcpy(bytes + 2, addr->bytes, len);
	return hash_siphash13(&s->key, bytes, 2 + len) | 1;
}

/* IPv6: whoever has one address has its /64. */
uint64_t swarm_host_key(const struct swarm *s, const struct netaddr *addr)
{
	return key_of(s, 'h', addr, addr->kind == NETADDR_IPV6 ? 8 : netaddr_len(addr->kind));
}

/* The /16 or /32 of a public address, as Core has it; elsewhere, where a network is one house,
 * the host. */
uint64_t swarm_group_key(const struct swarm *s, const struct netaddr *addr)
{
	if (!netaddr_is_ip(addr) || swarm_reach(addr) != REACH_PUBLIC)
		return swarm_host_key(s, addr);
	return key_of(s, 'g', addr, addr->kind == NETADDR_IPV6 ? 4 : 2);
}

uint64_t swarm_addr_key(const struct swarm *s, const struct netaddr *addr)
{
	uint8_t bytes[NETADDR_KEY_MAX];

	return hash_siphash13(&s->key, bytes, netaddr_key(addr, bytes)) | 1;
}

bool swarm_is_own(const struct swarm *s, const struct netaddr *addr)
{
	for (unsigned i = 0; i < s->own_count; i++)
		if (netaddr_equal(&s->own[i], addr))
			return true;
	return false;
}

/* Never dialled, and not in the book. */
static void disown_bootstrap(struct swarm *s, const struct netaddr *addr)
{
	for (unsigned i = 0; i < s->bootstraps_count; i++)
		if (netaddr_equal(&s->bootstraps[i].addr, addr))
			s->bootstraps[i].next_ms = UINT64_MAX;
}

void swarm_own(struct swarm *s, const struct netaddr *addr)
{
	book_own(s->config.book, addr);
	disown_bootstrap(s, addr);
	if (!swarm_is_own(s, addr) && s->own_count < SWARM_OWN_MAX)
		s->own[s->own_count++] = *addr;
}

void swarm_bootstrap(struct swarm *s, const struct netaddr *addr)
{
	for (unsigned i = 0; i < s->bootstraps_count; i++)
		if (netaddr_equal(&s->bootstraps[i].addr, addr))
			return;
	if (s->bootstraps_count == SWARM_BOOTSTRAPS_MAX || swarm_is_own(s, addr))
		return;
	s->bootstraps[s->bootstraps_count++] = (struct bootstrap){ .addr = *addr };
	swarm_out_hurry(s);
}

/* --- what comes of attempts --- */

static bool is_recent(const struct swarm *s, const struct book_entry *entry)
{
	int64_t age_ms = (swarm_unix_s(s) - entry->good_s) * 1000;

	return entry->good_s > 0 && age_ms < (int64_t)s->policy.vouched_ms;
}

/* The address answered ourselves: it is passed on, where that is what has to be known of it. */
static void reached(struct swarm *s, const struct conn *c, uint64_t services)
{
	const struct netaddr *addr = &c->listen;
	struct advert peer = { .addr = *addr,
			       .services = services,
			       .last_seen_s = swarm_unix_s(s) };
	struct book_entry entry;
	bool known = book_find(s->config.book, addr, &entry);

	if (known ? entry.good_s > 0 && entry.failures > 0
		  : book_add(s->config.book, &peer, &c->remote, swarm_unix_s(s)))
		swarm_tell_addr(s, SWARM_EVENT_KNOWN, addr);
	book_reached(s->config.book, addr, services, swarm_unix_s(s));
	if (s->policy.vouched_ms > 0 && !(known && entry.failures == 0 && is_recent(s, &entry)))
		swarm_talk_relay(s, &peer, c->id);
}

/* Where checks are made, hearsay has one try, unless nobody is reached at all, and whoever was
 * reached two, unless that is too long ago. */
static bool is_hopeless(const struct swarm *s, const struct book_entry *entry)
{
	if (s->policy.check_ms == 0)
		return false;
	if (entry->good_s == 0)
		return s->counts.up > 0;
	return entry->failures >= CHECK_FAILURES || (entry->failures > 0 && !is_recent(s, entry));
}

static struct missed *missed_place(struct swarm *s, uint64_t key)
{
	return &s->missed[(key >> 1) % MISSED_MAX];
}

/* Out of the book it has no wait there any more: whoever names it again and again would have us
 * knock each time. */
static void note_missed(struct swarm *s, const struct netaddr *addr)
{
	uint64_t key = swarm_addr_key(s, addr);

	*missed_place(s, key) = (struct missed){ key, s->now_ms };
}

bool swarm_out_missed(struct swarm *s, const struct netaddr *addr)
{
	uint64_t key = swarm_addr_key(s, addr);
	const struct missed *m = missed_place(s, key);

	return m->key == key && s->now_ms - m->at_ms < BOOK_WAIT_S * 1000ULL;
}

static void missed(struct swarm *s, const struct netaddr *addr)
{
	struct book_entry before, after;

	if (!book_find(s->config.book, addr, &before))
		return;
	book_failed(s->config.book, addr, swarm_unix_s(s));
	if (book_find(s->config.book, addr, &after) && is_hopeless(s, &after)) {
		book_drop(s->config.book, addr);
		if (before.good_s == 0)
			note_missed(s, addr);
	}
	if (before.good_s > 0 && before.failures == 0)
		swarm_tell_addr(s, SWARM_EVENT_LOST, addr);
}

void swarm_out_shaken(struct swarm *s, const struct conn *c, const struct peer_info *info)
{
	for (unsigned i = 0; i < s->bootstraps_count; i++)
		if (netaddr_equal(&s->bootstraps[i].addr, &c->remote))
			s->bootstraps[i].wait_ms = BOOTSTRAP_FIRST_MS;
	if (s->policy.vouched_ms == 0) /* else a ping has to be answered first */
		reached(s, c, info->services);
}

void swarm_out_pong(struct swarm *s, const struct conn *c)
{
	struct peer_info info;

	if (c->listen.kind == NETADDR_NONE)
		return;
	s->proto->info(c->session, &info);
	reached(s, c, info.services);
}

/* A session that is to stay ends by itself when the peer doesn't answer any more. */
static bool fell_silent(const struct conn *c, enum outcome outcome)
{
	return c->was_up && c->direction != SWARM_CHECK && !c->closed &&
	       (outcome == OUTCOME_OK || outcome == OUTCOME_MUTE);
}

/* A caller says where it listens, and answers on its own connection: that vouches for the address
 * as long as the connection stands. One that we never dialled is to answer there itself then, or
 * one host could have any number of ports told to everybody. */
static bool was_mere_claim(const struct swarm *s, const struct conn *c)
{
	struct book_entry entry;

	return s->policy.check_ms > 0 && c->direction == SWARM_IN && c->was_up &&
	       swarm_conn_at(s, &c->listen) == NULL &&
	       book_find(s->config.book, &c->listen, &entry) && entry.asked_s == 0;
}

static bool never_answered(const struct swarm *s, const struct conn *c, enum outcome outcome)
{
	if (c->was_up || outcome == OUTCOME_CANCELLED)
		return false;
	/* One that is full lives: neither reached nor missed, where checks tell. */
	return outcome != OUTCOME_PEER_FULL || s->policy.check_ms == 0;
}

void swarm_out_ended(struct swarm *s, const struct conn *c, enum outcome outcome)
{
	if (s->stopping)
		return;
	if (c->direction == SWARM_OUT)
		swarm_out_hurry(s);
	if (c->listen.kind == NETADDR_NONE)
		return;
	if (fell_silent(c, outcome) || was_mere_claim(s, c)) {
		missed(s, &c->listen);
	} else if (c->direction == SWARM_IN) {
		return;
	} else if (outcome == OUTCOME_SELF) {
		book_own(s->config.book, &c->remote);
		disown_bootstrap(s, &c->remote);
	} else if (outcome == OUTCOME_WRONG_NETWORK) {
		book_drop(s->config.book, &c->remote);
	} else if (never_answered(s, c, outcome)) {
		missed(s, &c->remote);
	}
}

/* --- whom to dial --- */

static void dial(struct swarm *s, const struct netaddr *addr, enum swarm_direction direction)
{
	struct conn *c = swarm_conn_new(s, direction, addr);

	if (c == NULL)
		return;
	s->counts.dialled++;
	book_asked(s->config.book, addr, swarm_unix_s(s));
	swarm_queue(s, c);
}

static bool skip_connected(void *ctx, const struct netaddr *addr)
{
	return swarm_conn_at(ctx, addr) != NULL;
}

static bool skip_same_group(void *ctx, const struct netaddr *addr)
{
	const struct swarm *s = ctx;
	uint64_t key = swarm_group_key(s, addr);

	if (skip_connected(ctx, addr))
		return true;
	if (swarm_reach(addr) != REACH_PUBLIC)
		return false;
	return keymap_find(&s->out_groups, key) != NULL;
}

static bool skip_tried(void *ctx, const struct netaddr *addr)
{
	const struct swarm *s = ctx;
	struct book_entry entry;

	return skip_connected(ctx, addr) ||
	       (book_find(s->config.book, addr, &entry) && entry.tried);
}

/* Those that we began with: which were not tried yet; or whose time has come again; or that has,
 * and nobody tells of them any more. */
enum bootstraps { BOOTSTRAPS_FRESH, BOOTSTRAPS_AGAIN, BOOTSTRAPS_FORGOTTEN };

static bool pick_bootstrap(struct swarm *s, enum bootstraps which, struct netaddr *out)
{
	for (unsigned i = 0; i < s->bootstraps_count; i++) {
		struct bootstrap *b = &s->bootstraps[i];

		if ((b->wait_ms > 0 && which == BOOTSTRAPS_FRESH) || s->now_ms < b->next_ms ||
		    swarm_conn_at(s, &b->addr) != NULL)
			continue;
		if (which == BOOTSTRAPS_FORGOTTEN && book_find(s->config.book, &b->addr, NULL))
			continue;
		b->wait_ms = b->wait_ms == 0 ? BOOTSTRAP_FIRST_MS
					     : swarm_earlier(b->wait_ms * 2, BOOTSTRAP_MAX_MS);
		b->next_ms = s->now_ms + b->wait_ms;
		*out = b->addr;
		return true;
	}
	return false;
}

static bool pick(struct swarm *s, struct netaddr *out)
{
	int64_t now_s = swarm_unix_s(s);
	struct book_entry entry;

	if (pick_bootstrap(s, BOOTSTRAPS_FRESH, out))
		return true;
	if (book_pick(s->config.book, now_s, skip_same_group, s, &entry) ||
	    book_pick(s->config.book, now_s, skip_connected, s, &entry)) {
		*out = entry.addr;
		return true;
	}
	return s->counts.up == 0 && pick_bootstrap(s, BOOTSTRAPS_AGAIN, out);
}

void swarm_out_hurry(struct swarm *s)
{
	uint64_t at_ms = s->dialled_ms + DIAL_GAP_MS;

	if (s->dial_ms > at_ms)
		s->dial_ms = at_ms > s->now_ms ? at_ms : s->now_ms;
}

static void dial_more(struct swarm *s)
{
	struct netaddr addr;

	if (s->now_ms < s->dial_ms)
		return;
	s->dial_ms = s->now_ms + DIAL_IDLE_MS;
	if (s->counts.out >= s->policy.out_wanted)
		s->dial_ms = UINT64_MAX; /* until one of them goes */
	if (s->counts.out >= s->policy.out_wanted || !pick(s, &addr))
		return;
	s->dialled_ms = s->now_ms;
	s->dial_ms = s->now_ms + DIAL_GAP_MS;
	dial(s, &addr, SWARM_OUT);
}

/* --- whom to check --- */

static uint64_t jittered(struct swarm *s, uint64_t ms)
{
	return ms / 2 + random_below(&s->random, ms);
}

static void feel(struct swarm *s)
{
	struct book_entry entry;

	s->check_ms = s->now_ms + jittered(s, FEELER_MS);
	if (s->counts.checking == 0 && s->counts.out >= s->policy.out_wanted &&
	    book_pick(s->config.book, swarm_unix_s(s), skip_tried, s, &entry))
		dial(s, &entry.addr, SWARM_CHECK);
}

static uint32_t checks_max(const struct peer_policy *policy)
{
	uint32_t rate = policy->checks_per_s > 0 ? policy->checks_per_s : 1;

	if (policy->check_ms == 0)
		return 1;
	return rate < CHECK_AT_ONCE_MAX / CHECK_AT_ONCE_S ? rate * CHECK_AT_ONCE_S
							  : CHECK_AT_ONCE_MAX;
}

uint32_t swarm_dials_max(const struct peer_policy *policy)
{
	return policy->out_wanted + checks_max(policy);
}

/* Whoever others begin with, too, may be back after everybody has forgotten him, and have a group
 * of his own by now: nobody but us would ever join the two. */
static void check_bootstraps(struct swarm *s)
{
	struct netaddr addr;

	if (s->counts.up > 0 && s->counts.checking < checks_max(&s->policy) &&
	    pick_bootstrap(s, BOOTSTRAPS_FORGOTTEN, &addr))
		dial(s, &addr, SWARM_CHECK);
}

static void check_more(struct swarm *s)
{
	uint32_t rate = s->policy.checks_per_s > 0 ? s->policy.checks_per_s : 1;
	int64_t now_s = swarm_unix_s(s), before_s = now_s - (int64_t)(s->policy.check_ms / 1000);
	struct book_entry entry;

	if (s->now_ms < s->check_ms)
		return;
	if (s->policy.check_ms == 0) {
		feel(s);
		return;
	}
	check_bootstraps(s);
	/* So many a second, however late the clock is. */
	for (uint32_t i = 0; i <= rate / 10; i++) {
		if (s->counts.checking >= checks_max(&s->policy) ||
		    !book_oldest(s->config.book, now_s, before_s, skip_connected, s, &entry)) {
			s->check_ms = s->now_ms + CHECK_IDLE_MS;
			return;
		}
		dial(s, &entry.addr, SWARM_CHECK);
	}
	s->check_ms = s->now_ms + (1000 * (rate / 10 + 1)) / rate;
}

void swarm_out_tick(struct swarm *s)
{
	dial_more(s);
	check_more(s);
}

uint64_t swarm_out_deadline(const struct swarm *s)
{
	return swarm_earlier(s->dial_ms, s->check_ms);
}
