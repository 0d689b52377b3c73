#include "proto/gossip/session.h"

#include "base/hash.h"
#include "proto/gossip/explain.h"
#include "proto/gossip/talk.h"

#include <assert.h>
#include <string.h>

/* Who has no id of his own gets one of his nonce. A crawl does: a peer that has two addresses
 * would take two visits of one id for one too many. */
static void make_own_id(struct talk *t)
{
	const struct session_params *p = &t->params;

	if (p->own_id.len > 0) {
		assert(p->own_id.len == UUID_LEN);
		memcpy(t->own_id, p->own_id.data, UUID_LEN);
		return;
	}
	for (unsigned i = 0; i < UUID_LEN; i++)
		t->own_id[i] = (uint8_t)(random_mix(p->nonce + i / 8) >> 8 * (i % 8));
	uuid_make(t->own_id);
}

static void session_init(void *session, const struct session_params *params, uint64_t now_ms)
{
	struct talk *t = session;

	assert(params->agent.len <= PEER_AGENT_MAX && params->group.len <= GOSSIP_GROUP_MAX);
	memset(t, 0, sizeof(*t));
	t->params = *params;
	t->start_ms = now_ms;
	t->quiet_ends = t->next_ping = t->next_ask = t->gone_at = t->answered_at = UINT64_MAX;
	t->times = (struct session_times){ TALK_NEVER, TALK_NEVER, TALK_NEVER, TALK_NEVER,
					   TALK_NEVER };
	make_own_id(t);
	t->says_hello = params->role == SESSION_INITIATOR;
}

/* A whole line with its end. */
static void take(struct talk *t, struct slice whole, uint64_t now_ms)
{
	struct slice line = slice_of(whole.data, whole.len - 1);
	struct gossip_message m;
	const char *rule;
	enum err err;

	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	err = gossip_decode(line, &m, &rule);
	if (err != ERR_OK) {
		gossip_talk_done(t,
				 err == ERR_NOMEM   ? OUTCOME_CANCELLED
				 : err == ERR_LIMIT ? OUTCOME_TOO_BIG
						    : OUTCOME_PROTOCOL_ERROR,
				 rule);
		return;
	}
	t->counts.messages_in++;
	t->counts.unknown_in += m.type == GOSSIP_UNKNOWN;
	if (t->params.goal == SESSION_GOAL_LISTEN || t->params.goal == SESSION_GOAL_STAY) {
		t->pending |= 1U << SESSION_EVENT_MESSAGE;
		_Static_assert(sizeof(t->event.name) == sizeof(m.name), "the name fits");
		memcpy(t->event.name, m.name, sizeof(m.name));
		t->event.payload = line;
		t->event.whole = whole;
	}
	gossip_talk_hear(t, &m, now_ms);
}

static size_t session_recv(void *session, struct slice in, uint64_t now_ms)
{
	struct talk *t = session;
	struct slice fresh = slice_from(in, t->scanned);
	const uint8_t *end;
	size_t n;

	if (t->state == TALK_CLOSED || in.len == 0)
		return 0;
	if (t->times.first_byte_ms == TALK_NEVER)
		t->times.first_byte_ms = talk_since_start(t, now_ms);
	end = fresh.len > 0 ? memchr(fresh.data, '\n', fresh.len) : NULL;
	n = end != NULL ? (size_t)(end - in.data) + 1 : in.len;
	if (n > GOSSIP_LINE_MAX || (end == NULL && n == GOSSIP_LINE_MAX)) {
		gossip_talk_done(t, OUTCOME_TOO_BIG, "a message over 64 KiB");
		return 0;
	}
	t->scanned = end != NULL ? 0 : n;
	if (end == NULL)
		return 0;
	t->counts.bytes_in += n;
	take(t, slice_of(in.data, n), now_ms);
	return n;
}

static size_t session_need(const void *session)
{
	return ((const struct talk *)session)->scanned + 1;
}

/* So much of from, behind *at, as there is room for. */
static size_t give(struct talk *t, struct slice from, uint16_t *at, uint8_t *out, size_t cap)
{
	size_t n = from.len - *at < cap ? from.len - *at : cap;

	if (n == 0)
		return 0;
	memcpy(out, from.data + *at, n);
	*at = (uint16_t)(*at + n);
	t->counts.bytes_out += n;
	for (size_t i = 0; i < n; i++)
		t->counts.messages_out += out[i] == '\n';
	return n;
}

static size_t session_send(void *session, uint8_t *out, size_t cap)
{
	struct talk *t = session;
	uint8_t hello[TALK_HELLO_MAX];
	struct writer w;
	size_t n;

	if (!t->says_hello)
		return give(t, slice_of(t->out, t->out_len), &t->out_at, out, cap);
	writer_init(&w, hello, sizeof(hello));
	gossip_talk_hello(t, &w);
	assert(writer_ok(&w));
	n = give(t, slice_of(hello, w.len), &t->hello_at, out, cap);
	t->says_hello = t->hello_at < w.len;
	return n;
}

static bool session_next(void *session, struct session_event *out)
{
	struct talk *t = session;

	for (unsigned kind = SESSION_EVENT_HANDSHAKE; kind <= SESSION_EVENT_DONE; kind++) {
		if ((t->pending & 1U << kind) == 0)
			continue;
		t->pending &= (uint8_t) ~(1U << kind);
		t->event.kind = (enum session_event_kind)kind;
		*out = t->event;
		out->outcome = t->outcome;
		out->rule = t->rule;
		return true;
	}
	return false;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t session_end(const struct talk *t)
{
	return t->params.timeout_ms > 0 ? talk_after(t->start_ms, t->params.timeout_ms)
					: UINT64_MAX;
}

static uint64_t session_deadline(const void *session)
{
	const struct talk *t = session;
	uint64_t end = session_end(t);

	if (t->state == TALK_CLOSED)
		return UINT64_MAX;
	if (t->state == TALK_HANDSHAKE)
		return earlier(end, talk_after(t->start_ms,
					       session_answer_ms(&t->params, GOSSIP_HANDSHAKE_MS)));
	end = earlier(earlier(end, t->quiet_ends), earlier(t->next_ping, t->next_ask));
	if (t->params.goal == SESSION_GOAL_STAY)
		return earlier(end, t->gone_at);
	if (t->params.role == SESSION_RESPONDER)
		return end;
	if (t->params.goal == SESSION_GOAL_PEERS)
		end = earlier(end, t->start_ms + (uint64_t)t->times.asked_ms + GOSSIP_REPLY_MS);
	if (t->params.goal == SESSION_GOAL_PING && t->ping_nonce != 0)
		end = earlier(end, t->ping_at + GOSSIP_PING_TIMEOUT_MS);
	return end;
}

static void session_tick(void *session, uint64_t now_ms)
{
	struct talk *t = session;

	if (now_ms < session_deadline(t) || t->state == TALK_CLOSED)
		return;
	if (t->state == TALK_HANDSHAKE) {
		gossip_talk_done(t,
				 t->times.first_byte_ms == TALK_NEVER ? OUTCOME_MUTE
								      : OUTCOME_HANDSHAKE_TIMEOUT,
				 NULL);
	} else if (now_ms >= session_end(t)) {
		gossip_talk_done(t, gossip_talk_result(t), NULL);
	} else if (t->params.goal == SESSION_GOAL_STAY && now_ms >= t->gone_at) {
		gossip_talk_done(t, OUTCOME_OK, "no pong in 240 seconds");
	} else if (now_ms >= t->next_ping || now_ms >= t->next_ask) {
		if (now_ms >= t->next_ping)
			gossip_talk_ping(t, now_ms);
		if (now_ms >= t->next_ask)
			gossip_talk_ask(t, now_ms);
	} else {
		gossip_talk_done(t, gossip_talk_result(t), NULL);
	}
}

static void session_closed(void *session, enum session_close how, uint64_t now_ms)
{
	struct talk *t = session;
	bool ready = t->state == TALK_READY;

	(void)now_ms;
	if (t->times.first_byte_ms == TALK_NEVER)
		gossip_talk_done(t, OUTCOME_PEER_FULL, NULL);
	else if (ready && t->times.reply_ms != TALK_NEVER)
		gossip_talk_done(t, gossip_talk_result(t), NULL);
	else if (t->scanned > 0)
		gossip_talk_done(t, OUTCOME_PROTOCOL_ERROR, "closed in the middle of a message");
	else if (how == SESSION_CLOSE_RESET)
		gossip_talk_done(t, OUTCOME_RESET, NULL);
	else if (ready)
		gossip_talk_done(t, gossip_talk_result(t), NULL);
	else
		gossip_talk_done(t, OUTCOME_HANDSHAKE_TIMEOUT,
				 "closed before the end of the handshake");
}

static void session_info(const void *session, struct peer_info *out)
{
	const struct talk *t = session;

	*out = (struct peer_info){ .height = -1 };
	if (t->times.version_ms == TALK_NEVER)
		return;
	out->agent = slice_of(t->hello.agent, t->hello.agent_len);
	out->node_id = slice_of(t->hello.node_id, UUID_LEN);
	out->group = slice_of(t->hello.group, t->hello.group_len);
	out->listen_port = t->hello.port;
}

static void session_times(const void *session, struct session_times *out)
{
	*out = ((const struct talk *)session)->times;
}

static void session_counts(const void *session, struct session_counts *out)
{
	*out = ((const struct talk *)session)->counts;
}

/* Without the ids: each is of one run of a program, and where it is reached outlives it. */
static size_t session_adverts(struct session_event *event, struct advert *out, size_t cap)
{
	struct gossip_peer peer;
	size_t n = 0;

	while (n < cap && gossip_peer_next(&event->reader, &peer)) {
		if (peer.addr.kind != NETADDR_NONE)
			out[n++] = (struct advert){ .addr = peer.addr };
	}
	return n;
}

static size_t session_answer(void *session, const struct advert *adverts, size_t count,
			     uint8_t *out, size_t cap)
{
	struct talk *t = session;
	struct writer w;

	writer_init(&w, out, cap);
	gossip_addr_encode(&w, adverts, count);
	if (!writer_ok(&w))
		return 0;
	t->counts.bytes_out += w.len;
	t->counts.messages_out++;
	return w.len;
}

static const char *service_name(unsigned bit)
{
	(void)bit;
	return NULL;
}

static const struct peer_policy policy = {
	.out_wanted = 8,      /* a promise of docs/gossip.md, and Bitcoin's figure */
	.in_max = 1000,       /* descriptors of an ordinary login; --in-max raises it */
	.host_max = 64,       /* many services of a group may stand on one machine, or behind one
			       * router; more than that in one hand could fill a peer */
	.known_max = 10000,   /* a group of programs, not an Internet */
	.known_s = 24 * 3600, /* a day without a sign; who fails his checks goes long before */
	/* Whoever is passed on has answered ourselves in the last 240 s: two checks in that
	 * time forgive one loss, and a dead peer is known for dead within five minutes. */
	.check_ms = 120 * 1000,
	.checks_per_s = 4, /* 480 addresses in time; more are checked as their turn comes */
	.answer_max = GOSSIP_PEERS_MAX,
	.answer_percent = 100, /* a group hides nobody */
	.answer_cache_ms = 0,  /* nor the moment at which it met somebody */
	.vouched_ms = GOSSIP_GONE_MS,
	/* Everybody is to hear of a new peer within seconds: passed on to all, once. */
	.relay_fanout = UINT32_MAX,
	.relay_max = GOSSIP_PEERS_MAX,
	.announce_ms = 0,
	/* A full answer at once; after it, three full answers a minute: one is asked for. */
	.take_first = GOSSIP_PEERS_MAX,
	.take_per_10s = 500,
	.take_burst = GOSSIP_PEERS_MAX,
	/* Gossip comes in bursts while a group gathers; an application's messages, too. */
	.messages_burst = 1000,
	.messages_per_s = 50,
	.allow_private = true, /* groups live on LANs */
	.ids_unique = true,
};

const struct proto gossip_proto = {
	.name = "gossip",
	.policy = &policy,
	.session_size = sizeof(struct talk),
	.session_align = _Alignof(struct talk),
	.buffer_max = GOSSIP_LINE_MAX,
	.init = session_init,
	.recv = session_recv,
	.need = session_need,
	.send = session_send,
	.next = session_next,
	.deadline = session_deadline,
	.tick = session_tick,
	.closed = session_closed,
	.info = session_info,
	.times = session_times,
	.counts = session_counts,
	.adverts = session_adverts,
	.answer = session_answer,
	.explain = gossip_explain,
	.service_name = service_name,
};
