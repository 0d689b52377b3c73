#include "proto/gossip/talk.h"

#include "proto/gossip/json_walk.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void gossip_talk_done(struct talk *t, enum outcome outcome, const char *rule)
{
	if (t->state == TALK_CLOSED)
		return;
	t->state = TALK_CLOSED;
	t->outcome = outcome;
	t->rule = rule;
	t->pending |= 1U << SESSION_EVENT_DONE;
}

enum outcome gossip_talk_result(const struct talk *t)
{
	if (t->params.goal != SESSION_GOAL_PEERS || t->named_others)
		return OUTCOME_OK;
	return OUTCOME_NO_PEERS;
}

static bool stays(const struct talk *t)
{
	return t->params.goal == SESSION_GOAL_STAY;
}

static bool is_initiator(const struct talk *t)
{
	return t->params.role == SESSION_INITIATOR;
}

/* --- what we say --- */

static struct writer out_writer(struct talk *t)
{
	struct writer w;

	if (t->out_at > 0) {
		memmove(t->out, t->out + t->out_at, (size_t)(t->out_len - t->out_at));
		t->out_len = (uint16_t)(t->out_len - t->out_at);
		t->out_at = 0;
	}
	writer_init(&w, t->out, sizeof(t->out));
	w.len = t->out_len;
	return w;
}

static void out_done(struct talk *t, const struct writer *w)
{
	if (writer_ok(w))
		t->out_len = (uint16_t)w->len;
	else
		gossip_talk_done(t, OUTCOME_PROTOCOL_ERROR,
				 "asks for answers without reading them");
}

void gossip_talk_hello(const struct talk *t, struct writer *w)
{
	const struct session_params *p = &t->params;
	struct gossip_hello hello = { .port = p->listen_port };

	memcpy(hello.node_id, t->own_id, UUID_LEN);
	hello.agent_len = (uint16_t)p->agent.len;
	if (p->agent.len > 0)
		memcpy(hello.agent, p->agent.data, p->agent.len);
	hello.group_len = (uint16_t)p->group.len;
	if (p->group.len > 0)
		memcpy(hello.group, p->group.data, p->group.len);
	gossip_hello_encode(w, &hello);
}

static void say_ping(struct talk *t, enum gossip_type type, struct slice nonce)
{
	struct writer w = out_writer(t);

	gossip_ping_encode(&w, type, nonce);
	out_done(t, &w);
}

/* 53 bits: what every language's numbers hold, whole. */
static uint64_t make_nonce(const struct talk *t)
{
	uint64_t nonce = (t->params.nonce ^ 0x9e3779b97f4a7c15ULL * (t->pings_sent + 1)) >> 11;

	return nonce | 1; /* 0: none is outstanding */
}

void gossip_talk_ping(struct talk *t, uint64_t now_ms)
{
	char text[32];

	if (t->ping_nonce == 0) {
		t->ping_nonce = make_nonce(t);
		t->ping_at = now_ms;
	}
	t->pings_sent++;
	t->next_ping = stays(t) ? talk_after(now_ms, GOSSIP_PING_MS) : UINT64_MAX;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)t->ping_nonce);
	say_ping(t, GOSSIP_PING, slice_text(text));
}

void gossip_talk_ask(struct talk *t, uint64_t now_ms)
{
	struct writer w = out_writer(t);

	gossip_getaddr_encode(&w);
	out_done(t, &w);
	if (t->times.asked_ms == TALK_NEVER)
		t->times.asked_ms = talk_since_start(t, now_ms);
	t->next_ask = UINT64_MAX;
	if (stays(t))
		t->next_ask = talk_after(now_ms,
					 GOSSIP_ASK_MS + make_nonce(t) / 2 % GOSSIP_ASK_SPREAD_MS);
}

/* --- what the peer says --- */

static void ready(struct talk *t, uint64_t now_ms)
{
	t->state = TALK_READY;
	t->times.handshake_ms = talk_since_start(t, now_ms);
	t->pending |= 1U << SESSION_EVENT_HANDSHAKE;
	if (stays(t)) {
		t->gone_at = talk_after(now_ms, GOSSIP_GONE_MS);
		gossip_talk_ping(t, now_ms);
		t->next_ask = now_ms; /* at the next tick: behind what our driver announces */
	} else if (is_initiator(t)) {
		if (t->params.goal != SESSION_GOAL_PING)
			gossip_talk_ask(t, now_ms);
		if (t->params.goal != SESSION_GOAL_LISTEN)
			gossip_talk_ping(t, now_ms);
	}
}

static void on_hello(struct talk *t, const struct gossip_hello *hello, uint64_t now_ms)
{
	struct slice group = slice_of(hello->group, hello->group_len);

	/* The first one counts; the tutorial's peers may say it again. */
	if (t->state != TALK_HANDSHAKE)
		return;
	t->hello = *hello;
	t->times.version_ms = talk_since_start(t, now_ms);
	if (!is_initiator(t))
		t->says_hello = true;
	if (memcmp(hello->node_id, t->own_id, UUID_LEN) == 0)
		gossip_talk_done(t, OUTCOME_SELF, NULL);
	else if (t->params.group.len > 0 && group.len > 0 && !slice_equal(group, t->params.group))
		gossip_talk_done(t, OUTCOME_WRONG_NETWORK, NULL);
	else
		ready(t, now_ms);
}

/* Whether the list of one names somebody else than the peer itself. On one machine, many share
 * an address; behind a router, what a peer takes for its own address isn't what we dialled. */
static bool names_another(const struct talk *t, struct slice peers)
{
	struct netaddr announced = t->params.peer;
	struct gossip_peer peer;
	struct reader r;

	reader_init(&r, peers);
	json_enter(&r);
	gossip_peer_next(&r, &peer);
	if (t->hello.port != 0)
		announced.port = t->hello.port;
	if (peer.has_id)
		return memcmp(peer.node_id, t->hello.node_id, UUID_LEN) != 0;
	return peer.addr.kind != NETADDR_NONE && !netaddr_equal(&peer.addr, &t->params.peer) &&
	       !netaddr_equal(&peer.addr, &announced);
}

static uint64_t quiet_ms(const struct talk *t)
{
	int64_t rtt = t->times.handshake_ms;

	if (!t->marked)
		return GOSSIP_QUIET_SHORT_MS;
	if (rtt < GOSSIP_QUIET_MIN_MS)
		return GOSSIP_QUIET_MIN_MS;
	return rtt > GOSSIP_QUIET_MAX_MS ? GOSSIP_QUIET_MAX_MS : (uint64_t)rtt;
}

static void on_addr(struct talk *t, const struct gossip_message *m, uint64_t now_ms)
{
	bool others = m->count > 1 || (m->count == 1 && names_another(t, m->peers));

	if (m->count > 0) {
		t->pending |= 1U << SESSION_EVENT_ADVERTS;
		t->event.count = m->count;
		reader_init(&t->event.reader, m->peers);
		json_enter(&t->event.reader);
	}
	t->named_others |= others;
	if (t->params.goal != SESSION_GOAL_PEERS || !is_initiator(t))
		return;
	t->named += m->count;
	if (t->named > GOSSIP_NAMED_MAX) {
		gossip_talk_done(t, OUTCOME_TOO_BIG,
				 "addr: more than 5,000 addresses in one visit");
	} else if (others || m->count == 0) {
		if (t->times.reply_ms == TALK_NEVER)
			t->times.reply_ms = talk_since_start(t, now_ms);
		t->quiet_ends = talk_after(now_ms, quiet_ms(t));
	}
}

static void on_pong(struct talk *t, const struct gossip_message *m, uint64_t now_ms)
{
	/* The tutorial's pong has no nonce. */
	if (t->ping_nonce == 0 ||
	    (m->nonce.len > 0 && (!m->nonce_is_number || m->nonce_value != (double)t->ping_nonce)))
		return;
	t->ping_nonce = 0;
	t->pongs++;
	t->pending |= 1U << SESSION_EVENT_PONG;
	t->event.rtt_ms = now_ms - t->ping_at;
	t->gone_at = talk_after(now_ms, GOSSIP_GONE_MS);
	if (!is_initiator(t))
		return;
	if (t->params.goal == SESSION_GOAL_PEERS) {
		t->marked = true;
		if (t->quiet_ends != UINT64_MAX)
			t->quiet_ends = talk_after(now_ms, quiet_ms(t));
	} else if (t->params.goal == SESSION_GOAL_PING) {
		if (t->pongs >= t->params.ping_count)
			gossip_talk_done(t, OUTCOME_OK, NULL);
		else
			t->next_ping = talk_after(t->ping_at, t->params.ping_interval_ms);
	}
}

static void on_getaddr(struct talk *t, uint64_t now_ms)
{
	struct writer w;

	if (t->answered_at != UINT64_MAX && now_ms < talk_after(t->answered_at, GOSSIP_ASKED_MS))
		return;
	t->answered_at = now_ms;
	if (stays(t) || !is_initiator(t)) {
		t->pending |= 1U << SESSION_EVENT_ASKED;
		return;
	}
	/* A guest who knows nobody: whoever waits for an answer need not. */
	w = out_writer(t);
	gossip_addr_encode(&w, NULL, 0);
	out_done(t, &w);
}

void gossip_talk_hear(struct talk *t, const struct gossip_message *m, uint64_t now_ms)
{
	if (t->state == TALK_HANDSHAKE && m->type != GOSSIP_HELLO) {
		gossip_talk_done(t, OUTCOME_PROTOCOL_ERROR, "the first message is hello");
		return;
	}
	switch (m->type) {
	case GOSSIP_HELLO:
		on_hello(t, &m->hello, now_ms);
		break;
	case GOSSIP_PING:
		say_ping(t, GOSSIP_PONG, m->nonce);
		break;
	case GOSSIP_PONG:
		on_pong(t, m, now_ms);
		break;
	case GOSSIP_GETADDR:
		on_getaddr(t, now_ms);
		break;
	case GOSSIP_ADDR:
		on_addr(t, m, now_ms);
		break;
	case GOSSIP_UNKNOWN:
		break;
	}
}
