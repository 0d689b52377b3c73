#include "engine/swarm_inner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_SLOTS = 16,
	CHECK_MS = 30 * 1000, /* a check's session, from the connection on: Core's feelers take
			       * a few round trips */
	/* A check is over after some round trips; whoever is still here then wants to stay. */
	CALLER_MS = 2000,
	NEVER = -1,
};

/* --- the heap of who wants to be woken --- */

static void place(struct swarm *s, uint32_t at, struct wake wake)
{
	s->heap[at] = wake;
	s->conns[wake.slot]->heap_at = at;
}

static void sift_up(struct swarm *s, uint32_t at, struct wake wake)
{
	for (; at > 0 && wake.at_ms < s->heap[(at - 1) / 2].at_ms; at = (at - 1) / 2)
		place(s, at, s->heap[(at - 1) / 2]);
	place(s, at, wake);
}

static void sift_down(struct swarm *s, uint32_t at, struct wake wake)
{
	uint32_t child;

	while ((child = 2 * at + 1) < s->heap_len) {
		if (child + 1 < s->heap_len && s->heap[child + 1].at_ms < s->heap[child].at_ms)
			child++;
		if (s->heap[child].at_ms >= wake.at_ms)
			break;
		place(s, at, s->heap[child]);
		at = child;
	}
	place(s, at, wake);
}

static void heap_remove(struct swarm *s, struct conn *c)
{
	uint32_t at = c->heap_at;
	struct wake last;

	if (at == NO_SLOT)
		return;
	c->heap_at = NO_SLOT;
	last = s->heap[--s->heap_len];
	if (last.slot == c->slot)
		return;
	if (at > 0 && last.at_ms < s->heap[(at - 1) / 2].at_ms)
		sift_up(s, at, last);
	else
		sift_down(s, at, last);
}

/* One that is in the heap for an earlier time stays there: it is looked at anew when that has
 * come, which costs less than moving it after each message. */
void swarm_conn_schedule(struct swarm *s, struct conn *c)
{
	uint64_t at_ms;

	if (c->state != CONN_OPEN && c->state != CONN_UP)
		return;
	at_ms = swarm_earlier(s->proto->deadline(c->session), c->announce_ms);
	at_ms = swarm_earlier(at_ms, c->tell_ms);
	if (at_ms == UINT64_MAX)
		return;
	if (at_ms <= s->now_ms)
		at_ms = s->now_ms + 1;
	if (c->heap_at == NO_SLOT)
		sift_up(s, s->heap_len++, (struct wake){ at_ms, c->slot });
	else if (at_ms < s->heap[c->heap_at].at_ms)
		sift_up(s, c->heap_at, (struct wake){ at_ms, c->slot });
}

struct conn *swarm_conn_due(struct swarm *s)
{
	struct conn *c;

	if (s->heap_len == 0 || s->heap[0].at_ms > s->now_ms)
		return NULL;
	c = s->conns[s->heap[0].slot];
	heap_remove(s, c);
	return c;
}

void swarm_conn_tick(struct swarm *s, struct conn *c)
{
	if (s->now_ms >= c->announce_ms)
		swarm_talk_announce(s, c);
	if (s->now_ms >= c->tell_ms)
		swarm_conn_tell(s, c);
	if (c->state == CONN_GONE)
		return;
	if (s->now_ms < s->proto->deadline(c->session)) {
		swarm_conn_schedule(s, c);
		return;
	}
	s->proto->tick(c->session, s->now_ms);
	swarm_conn_events(s, c);
}

/* --- birth and death --- */

static bool grow(struct swarm *s)
{
	uint32_t cap = s->slots_cap == 0 ? FIRST_SLOTS : s->slots_cap * 2;
	struct conn **conns = realloc(s->conns, cap * sizeof(struct conn *));
	struct wake *heap;
	uint32_t *free_slots;

	if (conns == NULL)
		return false;
	s->conns = conns;
	heap = realloc(s->heap, cap * sizeof(*heap));
	if (heap == NULL)
		return false;
	s->heap = heap;
	free_slots = realloc(s->free_slots, cap * sizeof(*free_slots));
	if (free_slots == NULL)
		return false;
	s->free_slots = free_slots;
	s->slots_cap = cap;
	return true;
}

static size_t conn_bytes(const struct swarm *s)
{
	return sizeof(struct conn) + s->proto->session_size;
}

static struct conn *allocate(struct swarm *s)
{
	struct conn *c;

	assert(s->proto->session_align <= 16);
	if (s->free_len == 0 && s->slots_len == s->slots_cap && !grow(s))
		return NULL;
	c = malloc(conn_bytes(s));
	if (c == NULL)
		return NULL;
	memset(c, 0, sizeof(*c));
	c->slot = s->free_len > 0 ? s->free_slots[--s->free_len] : s->slots_len++;
	s->conns[c->slot] = c;
	s->counts.bytes += conn_bytes(s);
	return c;
}

void swarm_conn_free(struct swarm *s, struct conn *c)
{
	if (c == NULL)
		return;
	s->counts.bytes -= conn_bytes(s);
	s->conns[c->slot] = NULL;
	s->free_slots[s->free_len++] = c->slot;
	keymap_remove(&s->ids, c->id);
	free(c->said);
	free(c);
}

static bool put_slot(struct keymap *map, uint64_t key, uint32_t slot)
{
	struct keymap_slot *place = keymap_put(map, key);

	if (place == NULL)
		return false;
	place->id = slot;
	return true;
}

/* Addresses are claimed by whoever calls: the first claim stands. */
static bool put_addr(struct swarm *s, const struct netaddr *addr, uint32_t slot)
{
	uint64_t key = swarm_addr_key(s, addr);

	return keymap_find(&s->addrs, key) != NULL || put_slot(&s->addrs, key, slot);
}

static void remove_slot(struct keymap *map, uint64_t key, uint32_t slot)
{
	const struct keymap_slot *place = keymap_find(map, key);

	if (place != NULL && place->id == slot)
		keymap_remove(map, key);
}

static uint32_t next_id(struct swarm *s)
{
	do {
		s->last_id++;
	} while (s->last_id == 0 || s->last_id == SWARM_NONE ||
		 keymap_find(&s->ids, s->last_id) != NULL);
	return s->last_id;
}

static uint32_t nonce_mask(const struct swarm *s, uint32_t low)
{
	return (uint32_t)hash_siphash13(&s->key, &low, sizeof(low));
}

/* Random to others, but leads us to the connection that it is of. */
static uint64_t make_nonce(struct swarm *s, uint32_t id)
{
	uint32_t low = (uint32_t)random_next(&s->random) | 1;

	return (uint64_t)(id ^ nonce_mask(s, low)) << 32 | low;
}

bool swarm_conn_is_own_nonce(void *ctx, uint64_t nonce)
{
	struct swarm *s = ctx;
	uint32_t low = (uint32_t)nonce;
	struct conn *c = swarm_conn_find(s, (uint32_t)(nonce >> 32) ^ nonce_mask(s, low));

	if (c == NULL || c->nonce != nonce || c->direction == SWARM_IN)
		return false;
	c->is_self = true;
	return true;
}

static void leave_indexes(struct swarm *s, const struct conn *c)
{
	if (c->listen.kind != NETADDR_NONE)
		remove_slot(&s->addrs, swarm_addr_key(s, &c->listen), c->slot);
	if (c->id_key != 0)
		remove_slot(&s->nodes, c->id_key, c->slot);
}

static bool enter_indexes(struct swarm *s, struct conn *c)
{
	if (!put_slot(&s->ids, c->id, c->slot))
		return false;
	if (c->direction == SWARM_IN)
		return swarm_evict_enter(s, c);
	if (!put_addr(s, &c->remote, c->slot))
		return false;
	return c->direction != SWARM_OUT || swarm_count_more(&s->out_groups, c->group_key);
}

struct conn *swarm_conn_new(struct swarm *s, enum swarm_direction direction,
			    const struct netaddr *remote)
{
	struct conn *c = allocate(s);

	if (c == NULL)
		return NULL;
	c->id = next_id(s);
	c->direction = (uint8_t)direction;
	c->state = CONN_DIALLING;
	c->remote = *remote;
	c->group_key = swarm_group_key(s, remote);
	c->since_ms = s->now_ms;
	c->announce_ms = c->tell_ms = UINT64_MAX;
	c->rtt_ms = c->asked_ms = NEVER;
	c->nonce = make_nonce(s, c->id);
	c->heap_at = NO_SLOT;
	c->relay_at = s->ring_head;
	if (direction != SWARM_IN)
		c->listen = *remote;
	if (!enter_indexes(s, c)) {
		leave_indexes(s, c);
		swarm_conn_free(s, c);
		return NULL;
	}
	s->counts.dialling++;
	s->counts.in += direction == SWARM_IN;
	s->counts.out += direction == SWARM_OUT;
	s->counts.checking += direction == SWARM_CHECK;
	return c;
}

struct conn *swarm_conn_any(const struct swarm *s, uint32_t id)
{
	const struct keymap_slot *place = id != 0 ? keymap_find(&s->ids, id) : NULL;

	return place != NULL ? s->conns[place->id] : NULL;
}

struct conn *swarm_conn_find(const struct swarm *s, uint32_t id)
{
	struct conn *c = swarm_conn_any(s, id);

	return c != NULL && c->state != CONN_GONE ? c : NULL;
}

struct conn *swarm_conn_at(const struct swarm *s, const struct netaddr *addr)
{
	const struct keymap_slot *place = keymap_find(&s->addrs, swarm_addr_key(s, addr));

	return place != NULL ? s->conns[place->id] : NULL;
}

void swarm_conn_open(struct swarm *s, struct conn *c)
{
	struct session_params params = s->config.session;

	params.network = s->config.network;
	params.role = c->direction == SWARM_IN ? SESSION_RESPONDER : SESSION_INITIATOR;
	params.goal = SESSION_GOAL_STAY;
	params.nonce = c->nonce;
	params.secret = s->key;
	params.is_own = swarm_conn_is_own_nonce;
	params.is_own_ctx = s;
	params.unix_s = swarm_unix_s(s);
	params.peer = c->remote;
	if (c->direction == SWARM_CHECK) {
		params.goal = SESSION_GOAL_PING;
		params.stepwise = true; /* there is no hurry, and no second try */
		params.ping_count = 1;
		params.timeout_ms = CHECK_MS;
	}
	c->state = CONN_OPEN;
	s->counts.dialling--;
	c->since_ms = s->now_ms;
	c->began = true;
	s->proto->init(c->session, &params, s->now_ms);
	swarm_conn_events(s, c);
}

static void leave_counts(struct swarm *s, const struct conn *c)
{
	s->counts.dialling -= c->state == CONN_DIALLING;
	s->counts.up -= c->state == CONN_UP && c->direction != SWARM_CHECK;
	s->counts.in -= c->direction == SWARM_IN;
	s->counts.out -= c->direction == SWARM_OUT;
	s->counts.checking -= c->direction == SWARM_CHECK;
}

void swarm_conn_end(struct swarm *s, struct conn *c, enum outcome outcome, const char *why)
{
	struct swarm_event event = { .kind = SWARM_EVENT_DOWN, .outcome = outcome, .why = why };

	if (c->state == CONN_GONE)
		return;
	if (c->is_self)
		event.outcome = outcome = OUTCOME_SELF;
	leave_counts(s, c);
	s->counts.ends[outcome]++;
	heap_remove(s, c);
	if (c->direction == SWARM_IN)
		swarm_evict_leave(s, c);
	if (c->direction == SWARM_OUT)
		swarm_count_less(&s->out_groups, c->group_key);
	leave_indexes(s, c);
	c->state = CONN_GONE;
	c->unsent = c->began && !c->closed; /* its last words */
	swarm_queue(s, c);
	swarm_out_ended(s, c, outcome);
	swarm_show(s, c, &event.peer);
	event.peer.up = c->direction == SWARM_CHECK ? c->was_up : c->told_up;
	swarm_tell(s, &event);
}

void swarm_conn_tell(struct swarm *s, struct conn *c)
{
	struct swarm_event event = { .kind = SWARM_EVENT_UP };

	if (c->told_up || c->state != CONN_UP)
		return;
	c->told_up = true;
	c->tell_ms = UINT64_MAX;
	swarm_show(s, c, &event.peer);
	swarm_tell(s, &event);
}

/* --- what sessions say --- */

/* The outcomes' own sentences are those of visits: a standing peer that goes in order leaves. */
static const char *why_ended(const struct session_event *done)
{
	if (done->rule != NULL)
		return done->rule;
	return done->outcome == OUTCOME_OK || done->outcome == OUTCOME_NO_PEERS
		       ? "the peer has left"
		       : outcome_text(done->outcome);
}

/* Two connections to one node are one too many: the one that was dialled by the smaller id
 * stays, which both sides know alike. That holds between two hosts alone, and else the first
 * stays: an id is no secret, and must not be good for pushing somebody else out. */
static bool keeps_older(const struct swarm *s, const struct conn *older, const struct conn *newer,
			struct slice their_id)
{
	struct slice own = s->config.session.own_id;
	bool older_ours = older->direction != SWARM_IN, newer_ours = newer->direction != SWARM_IN;
	size_t len = own.len < their_id.len ? own.len : their_id.len;
	bool we_are_smaller;

	if (older_ours == newer_ours || !netaddr_same_host(&older->remote, &newer->remote))
		return true;
	we_are_smaller = len > 0 && memcmp(own.data, their_id.data, len) < 0;
	return older_ours == we_are_smaller;
}

static const char second[] = "a second connection to the same peer";

/* One of two connections to a node is over, `stays` isn't. Where we dialled the other one is where
 * the node listens: it need not have said so in its hello. */
static void end_second(struct swarm *s, struct conn *over, struct conn *stays)
{
	struct netaddr addr = over->listen;

	swarm_conn_end(s, over, OUTCOME_CANCELLED, second);
	if (stays->state == CONN_GONE) /* whoever was told has closed it, too */
		return;
	if (over->direction == SWARM_IN || stays->listen.kind != NETADDR_NONE ||
	    !netaddr_same_host(&addr, &stays->remote))
		return;
	stays->listen = addr;
	put_addr(s, &addr, stays->slot);
	if (stays->rtt_ms != NEVER)
		swarm_out_pong(s, stays);
}

static void check_id(struct swarm *s, struct conn *c, struct slice node_id)
{
	const struct keymap_slot *place;
	struct conn *other;

	if (!s->policy.ids_unique || node_id.len == 0)
		return;
	c->id_key = hash_siphash13(&s->key, node_id.data, node_id.len) | 1;
	place = keymap_find(&s->nodes, c->id_key);
	other = place != NULL ? s->conns[place->id] : NULL;
	if (other != NULL && keeps_older(s, other, c, node_id)) {
		end_second(s, c, other);
		return;
	}
	if (other != NULL)
		end_second(s, other, c);
	if (c->state == CONN_GONE)
		return;
	if (!put_slot(&s->nodes, c->id_key, c->slot))
		c->id_key = 0; /* without memory it goes unnoticed */
}

static void on_handshake(struct swarm *s, struct conn *c)
{
	struct peer_info info;

	s->proto->info(c->session, &info);
	if (c->direction == SWARM_IN && info.listen_port != 0 && netaddr_is_ip(&c->remote)) {
		c->listen = c->remote;
		c->listen.port = info.listen_port;
		put_addr(s, &c->listen, c->slot);
	}
	if (c->direction == SWARM_IN)
		swarm_evict_shaken(s, c);
	c->state = CONN_UP;
	s->counts.up += c->direction != SWARM_CHECK;
	check_id(s, c, info.node_id);
	if (c->state == CONN_GONE)
		return;
	c->was_up = true;
	if (c->direction == SWARM_OUT)
		swarm_out_shaken(s, c, &info);
	if (c->direction == SWARM_CHECK)
		return;
	swarm_talk_begin(s, c, &info);
	c->tell_ms = s->now_ms + CALLER_MS;
	if (c->direction == SWARM_OUT)
		swarm_conn_tell(s, c);
}

static void on_message(struct swarm *s, struct conn *c, const struct session_event *message)
{
	struct swarm_event event = { .kind = SWARM_EVENT_MESSAGE, .session = message };

	if (s->config.on_event == NULL || c->direction == SWARM_CHECK)
		return;
	swarm_show(s, c, &event.peer);
	if (event.peer.counts.unknown_in > 0) { /* an application's own */
		swarm_conn_tell(s, c);
		if (c->state == CONN_GONE)
			return;
		swarm_show(s, c, &event.peer);
	}
	event.peer.up = c->told_up;
	swarm_tell(s, &event);
}

/* Checks neither ask nor are told anything; whoever does either is a peer. */
static void on_talk(struct swarm *s, struct conn *c, const struct session_event *event)
{
	if (c->direction == SWARM_CHECK)
		return;
	swarm_conn_tell(s, c);
	if (c->state == CONN_GONE)
		return;
	if (event->kind == SESSION_EVENT_ASKED)
		c->wants_answer = true;
	else
		swarm_talk_named(s, c, event);
}

void swarm_conn_events(struct swarm *s, struct conn *c)
{
	struct session_event event;

	while (c->state != CONN_GONE && s->proto->next(c->session, &event))
		switch (event.kind) {
		case SESSION_EVENT_HANDSHAKE:
			on_handshake(s, c);
			break;
		case SESSION_EVENT_ADVERTS:
		case SESSION_EVENT_ASKED:
			on_talk(s, c, &event);
			break;
		case SESSION_EVENT_MESSAGE:
			on_message(s, c, &event);
			break;
		case SESSION_EVENT_PONG:
			if (c->rtt_ms == NEVER || (int64_t)event.rtt_ms < c->rtt_ms)
				c->rtt_ms = (int64_t)event.rtt_ms;
			swarm_out_pong(s, c);
			break;
		case SESSION_EVENT_DONE:
			swarm_conn_end(s, c, event.outcome, why_ended(&event));
			break;
		}
	if (c->state == CONN_GONE)
		return;
	swarm_wants_send(s, c);
	swarm_conn_schedule(s, c);
}
