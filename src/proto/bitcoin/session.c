#include "proto/bitcoin/session.h"

#include "crypto/sha256.h"
#include "proto/bitcoin/explain.h"
#include "proto/bitcoin/messages.h"

#include <assert.h>
#include <string.h>

enum session_state {
	HANDSHAKE,
	READY,
	CLOSED,
};

/* Events wait as bits and are told in this order, which is also that of the enum. */
enum pending {
	PENDING_HANDSHAKE = 1 << SESSION_EVENT_HANDSHAKE,
	PENDING_ADVERTS = 1 << SESSION_EVENT_ADVERTS,
	PENDING_ASKED = 1 << SESSION_EVENT_ASKED,
	PENDING_MESSAGE = 1 << SESSION_EVENT_MESSAGE,
	PENDING_PONG = 1 << SESSION_EVENT_PONG,
	PENDING_DONE = 1 << SESSION_EVENT_DONE,
};

enum {
	OUT_CAP = 640, /* the first flight (470 bytes at most) and a few answers */
	NEVER = -1,
};

struct session {
	struct session_params params;
	enum session_state state;
	uint64_t start_ms;
	struct session_times times;
	struct session_counts counts;

	/* What the peer said. */
	bool has_version, has_verack, wants_addrv2, asked;
	int32_t protocol, height;
	uint64_t services, feefilter;
	bool relay, has_feefilter;
	int64_t clock_skew_s;
	struct netaddr sees_us_as;
	uint16_t agent_len, negotiation_len;
	uint64_t seen; /* commands in the negotiation list, as bits */
	uint8_t agent[PEER_AGENT_MAX];
	char negotiation[PEER_NEGOTIATION_MAX];

	/* The answer to getaddr. */
	uint32_t named;      /* entries so far */
	bool named_others;   /* somebody but itself was named */
	uint64_t quiet_ends; /* UINT64_MAX: no reply yet */

	/* Pings. */
	uint32_t pings_sent, pongs;
	uint64_t ping_nonce, ping_at, next_ping; /* ping_nonce 0: none outstanding */

	/* A message that is passed over. */
	struct sha256 skip_hash;
	uint32_t skip_left;
	bool skipping;
	uint8_t skip_checksum[4];

	bool partial; /* an unfinished message waits in the caller's buffer */
	uint32_t need;
	uint8_t pending;
	struct session_event event;
	enum outcome outcome;
	const char *rule;
	bool retry_stepwise;

	uint16_t out_at, out_len;
	uint8_t out[OUT_CAP];
};

_Static_assert(sizeof(struct session) <= SESSION_SIZE_MAX, "the session fits its place");
_Static_assert(BITCOIN_COMMAND_COUNT <= 64, "the commands fit the bit set");

static int64_t since_start(const struct session *s, uint64_t now_ms)
{
	return (int64_t)(now_ms - s->start_ms);
}

static void done(struct session *s, enum outcome outcome, const char *rule)
{
	if (s->state == CLOSED)
		return;
	s->state = CLOSED;
	s->outcome = outcome;
	s->rule = rule;
	s->pending |= PENDING_DONE;
}

/* What the visit came to when it ends without a fault of the peer. */
static enum outcome result(const struct session *s)
{
	if (s->params.goal != SESSION_GOAL_PEERS || s->named_others)
		return OUTCOME_OK;
	return OUTCOME_NO_PEERS;
}

/* --- what we say --- */

static struct writer out_writer(struct session *s)
{
	struct writer w;

	if (s->out_at > 0) {
		memmove(s->out, s->out + s->out_at, (size_t)(s->out_len - s->out_at));
		s->out_len = (uint16_t)(s->out_len - s->out_at);
		s->out_at = 0;
	}
	writer_init(&w, s->out, sizeof(s->out));
	w.len = s->out_len;
	return w;
}

static void out_done(struct session *s, struct writer *w, size_t mark, enum bitcoin_command id)
{
	bitcoin_message_end(w, mark, s->params.network->magic, id);
	if (!writer_ok(w)) {
		done(s, OUTCOME_PROTOCOL_ERROR, "asks for answers without reading them");
		return;
	}
	s->out_len = (uint16_t)w->len;
}

static void say(struct session *s, enum bitcoin_command id)
{
	struct writer w = out_writer(s);

	out_done(s, &w, bitcoin_message_begin(&w), id);
}

static void say_version(struct session *s, uint64_t now_ms)
{
	const struct session_params *p = &s->params;
	struct writer w = out_writer(s);
	size_t mark = bitcoin_message_begin(&w);
	struct bitcoin_version v = {
		.protocol = p->protocol != 0 ? p->protocol : BITCOIN_PROTOCOL,
		.services = p->services,
		.time_s = p->unix_s + since_start(s, now_ms) / 1000,
		.recv = { .addr = p->peer },
		/* Core has sent zeros here since 0.14: the receiver knows better. */
		.from = { .services = p->services, .addr = { .kind = NETADDR_IPV6 } },
		.nonce = p->nonce,
		.agent = p->agent,
		.height = p->height,
		/* Whoever asks for peers wants no transactions; a listener does. */
		.relay = p->goal == SESSION_GOAL_LISTEN,
		.has_from = true,
		.has_height = true,
		.has_relay = true,
	};

	bitcoin_version_encode(&w, &v);
	out_done(s, &w, mark, BITCOIN_VERSION);
}

static void say_ping(struct session *s, enum bitcoin_command id, uint64_t nonce)
{
	struct writer w = out_writer(s);
	size_t mark = bitcoin_message_begin(&w);

	bitcoin_ping_encode(&w, &(struct bitcoin_ping){ .has_nonce = true, .nonce = nonce });
	out_done(s, &w, mark, id);
}

static bool wants_peers(const struct session *s)
{
	return s->params.role == SESSION_INITIATOR && s->params.goal != SESSION_GOAL_PING;
}

static void say_getaddr(struct session *s, uint64_t now_ms)
{
	say(s, BITCOIN_GETADDR);
	s->times.asked_ms = since_start(s, now_ms);
}

/* The offers between version and verack; unknown to peers before 70016. */
static void say_offers(struct session *s)
{
	say(s, BITCOIN_WTXIDRELAY);
	say(s, BITCOIN_SENDADDRV2);
}

static void next_ping(struct session *s, uint64_t now_ms)
{
	s->pings_sent++;
	s->ping_nonce = s->params.nonce ^ (0x9e3779b97f4a7c15ULL * s->pings_sent);
	s->ping_at = now_ms;
	s->next_ping = UINT64_MAX;
	say_ping(s, BITCOIN_PING, s->ping_nonce);
}

/* --- what the peer says --- */

static void note_negotiation(struct session *s, enum bitcoin_command id)
{
	const char *name = bitcoin_command_name(id);
	size_t len = strlen(name), space = s->negotiation_len > 0;

	if ((s->seen & 1ULL << id) != 0 ||
	    s->negotiation_len + space + len > sizeof(s->negotiation))
		return;
	s->seen |= 1ULL << id;
	if (space)
		s->negotiation[s->negotiation_len] = ' ';
	memcpy(s->negotiation + s->negotiation_len + space, name, len);
	s->negotiation_len = (uint16_t)(s->negotiation_len + space + len);
}

static void handshake_step(struct session *s, uint64_t now_ms)
{
	if (s->state != HANDSHAKE || !s->has_version || !s->has_verack)
		return;
	s->state = READY;
	s->times.handshake_ms = since_start(s, now_ms);
	s->pending |= PENDING_HANDSHAKE;
	if (s->params.stepwise && wants_peers(s))
		say_getaddr(s, now_ms);
	if (s->params.role == SESSION_INITIATOR && s->params.goal == SESSION_GOAL_PING)
		next_ping(s, now_ms);
}

static bool is_own_nonce(const struct session *s, uint64_t nonce)
{
	if (s->params.is_own != NULL)
		return s->params.is_own(s->params.is_own_ctx, nonce);
	return nonce == s->params.nonce;
}

static void keep_version(struct session *s, const struct bitcoin_version *v, uint64_t now_ms)
{
	s->has_version = true;
	s->times.version_ms = since_start(s, now_ms);
	s->protocol = v->protocol;
	s->services = v->services;
	s->height = v->has_height ? v->height : -1;
	s->relay = v->relay;
	s->sees_us_as = v->recv.addr;
	s->agent_len = (uint16_t)v->agent.len;
	if (v->agent.len > 0)
		memcpy(s->agent, v->agent.data, v->agent.len);
	/* A hostile clock must not overflow; anything past 2^40 s is nonsense anyway. */
	if (v->time_s > -(1LL << 40) && v->time_s < 1LL << 40)
		s->clock_skew_s = v->time_s - s->params.unix_s - since_start(s, now_ms) / 1000;
}

static void on_version(struct session *s, struct reader *r, uint64_t now_ms)
{
	struct bitcoin_version v;

	bitcoin_version_decode(r, &v);
	/* Core ignores a second version. */
	if (!reader_ok(r) || s->has_version)
		return;
	assert(v.agent.len <= PEER_AGENT_MAX);
	keep_version(s, &v, now_ms);
	if (v.has_from && v.nonce != 0 && is_own_nonce(s, v.nonce)) {
		done(s, OUTCOME_SELF, NULL);
		return;
	}
	if (s->params.role == SESSION_RESPONDER)
		say_version(s, now_ms);
	if (s->params.role == SESSION_RESPONDER || s->params.stepwise) {
		if (v.protocol >= BITCOIN_PROTOCOL_WTXIDRELAY)
			say_offers(s);
		say(s, BITCOIN_VERACK);
	}
	handshake_step(s, now_ms);
}

static uint64_t quiet_ms(const struct session *s, uint32_t count)
{
	int64_t rtt = s->times.handshake_ms;

	if (count <= BITCOIN_RELAYED_MAX)
		return BITCOIN_QUIET_SHORT_MS;
	if (rtt < BITCOIN_QUIET_MIN_MS)
		return BITCOIN_QUIET_MIN_MS;
	return rtt > BITCOIN_QUIET_MAX_MS ? BITCOIN_QUIET_MAX_MS : (uint64_t)rtt;
}

/* Whether the list of one names somebody else than the peer itself. */
static bool names_another(const struct session *s, const struct bitcoin_addr *list)
{
	struct advert advert;
	struct reader r;

	reader_init(&r, list->entries);
	return bitcoin_addr_next(&r, list->v2, &advert) &&
	       !netaddr_same_host(&advert.addr, &s->params.peer);
}

static void on_addr(struct session *s, struct reader *r, bool v2, uint64_t now_ms)
{
	struct bitcoin_addr list;

	bitcoin_addr_decode(r, v2, &list);
	if (!reader_ok(r) || list.count == 0)
		return;
	s->pending |= PENDING_ADVERTS;
	s->event.count = list.count;
	s->event.variant = v2;
	reader_init(&s->event.reader, list.entries);
	if (list.count > 1 || names_another(s, &list))
		s->named_others = true;
	if (s->params.goal != SESSION_GOAL_PEERS || s->params.role != SESSION_INITIATOR)
		return;
	s->named += list.count;
	if (s->named > BITCOIN_NAMED_MAX) {
		done(s, OUTCOME_TOO_BIG, "addr: more than 5,000 addresses in one visit");
		return;
	}
	if (list.count > 1) {
		if (s->times.reply_ms == NEVER)
			s->times.reply_ms = since_start(s, now_ms);
		s->quiet_ends = now_ms + quiet_ms(s, list.count);
	}
}

static void on_ping(struct session *s, struct reader *r)
{
	struct bitcoin_ping ping;

	bitcoin_ping_decode(r, &ping);
	if (reader_ok(r) && ping.has_nonce && s->has_version)
		say_ping(s, BITCOIN_PONG, ping.nonce);
}

static void on_pong(struct session *s, struct reader *r, uint64_t now_ms)
{
	struct bitcoin_ping pong;

	bitcoin_ping_decode(r, &pong);
	if (!reader_ok(r) || !pong.has_nonce || s->ping_nonce == 0 || pong.nonce != s->ping_nonce)
		return;
	s->ping_nonce = 0;
	s->pongs++;
	s->pending |= PENDING_PONG;
	s->event.rtt_ms = now_ms - s->ping_at;
	if (s->params.goal != SESSION_GOAL_PING)
		return;
	if (s->pongs >= s->params.ping_count)
		done(s, OUTCOME_OK, NULL);
	else
		s->next_ping = s->ping_at + s->params.ping_interval_ms;
}

static void on_getaddr(struct session *s)
{
	/* Core answers a peer that dialled in, once a connection. */
	if (s->params.role != SESSION_RESPONDER || s->state != READY || s->asked)
		return;
	s->asked = true;
	s->pending |= PENDING_ASKED;
}

/* An honest "I have none": whoever waits for headers need not wait for us. */
static void on_getheaders(struct session *s)
{
	struct writer w;
	size_t mark;

	if (s->params.role != SESSION_RESPONDER || s->state != READY)
		return;
	w = out_writer(s);
	mark = bitcoin_message_begin(&w);
	bitcoin_put_compact_size(&w, 0);
	out_done(s, &w, mark, BITCOIN_HEADERS);
}

static bool is_negotiation(enum bitcoin_command id)
{
	return id == BITCOIN_VERSION || id == BITCOIN_VERACK || id == BITCOIN_WTXIDRELAY ||
	       id == BITCOIN_SENDADDRV2 || id == BITCOIN_SENDTXRCNCL || id == BITCOIN_FEATURE ||
	       id == BITCOIN_SENDHEADERS || id == BITCOIN_SENDCMPCT || id == BITCOIN_FEEFILTER;
}

/* Messages that the session itself understands; the others are for listeners. */
static bool is_handled(enum bitcoin_command id)
{
	return is_negotiation(id) || id == BITCOIN_ADDR || id == BITCOIN_ADDRV2 ||
	       id == BITCOIN_GETADDR || id == BITCOIN_PING || id == BITCOIN_PONG ||
	       id == BITCOIN_GETHEADERS;
}

static void handle(struct session *s, enum bitcoin_command id, struct reader *r, uint64_t now_ms)
{
	if (is_negotiation(id))
		note_negotiation(s, id);
	if (id == BITCOIN_VERSION) {
		on_version(s, r, now_ms);
	} else if (id == BITCOIN_VERACK) {
		s->has_verack = true;
		handshake_step(s, now_ms);
	} else if (id == BITCOIN_SENDADDRV2) {
		s->wants_addrv2 = true;
	} else if (id == BITCOIN_ADDR || id == BITCOIN_ADDRV2) {
		on_addr(s, r, id == BITCOIN_ADDRV2, now_ms);
	} else if (id == BITCOIN_GETADDR) {
		on_getaddr(s);
	} else if (id == BITCOIN_PING) {
		on_ping(s, r);
	} else if (id == BITCOIN_PONG) {
		on_pong(s, r, now_ms);
	} else if (id == BITCOIN_FEEFILTER) {
		bitcoin_feefilter_decode(r, &s->feefilter);
		s->has_feefilter = reader_ok(r);
	} else if (id == BITCOIN_GETHEADERS) {
		on_getheaders(s);
	} else if (id != BITCOIN_UNKNOWN) {
		bitcoin_payload_explain(r, id); /* checks the form; nobody listens */
	}
	/* A limit that is passed is too much; any other rule is broken. */
	if (!reader_ok(r))
		done(s, r->err == ERR_LIMIT ? OUTCOME_TOO_BIG : OUTCOME_PROTOCOL_ERROR, r->rule);
}

/* --- the stream of bytes --- */

/* Another magic in a header that is otherwise sound is another network's peer;
 * anything else is no peer at all. */
static void bad_header(struct session *s, struct slice in, const struct reader *r)
{
	struct bitcoin_header header;
	struct reader again;

	if (r->err == ERR_LIMIT) {
		done(s, OUTCOME_TOO_BIG, r->rule);
		return;
	}
	if (r->err == ERR_MAGIC) {
		reader_init(&again, slice_of(in.data, BITCOIN_HEADER_LEN));
		bitcoin_header_decode(&again, in.data, &header);
		if (reader_ok(&again)) {
			done(s, OUTCOME_WRONG_NETWORK, r->rule);
			return;
		}
	}
	done(s, OUTCOME_PROTOCOL_ERROR, r->rule);
}

static size_t skip(struct session *s, struct slice in)
{
	size_t n = in.len < s->skip_left ? in.len : s->skip_left;
	uint8_t digest[32];

	sha256_update(&s->skip_hash, slice_of(in.data, n));
	s->skip_left -= (uint32_t)n;
	if (s->skip_left == 0) {
		s->skipping = false;
		sha256_final(&s->skip_hash, digest);
		sha256(slice_of(digest, sizeof(digest)), digest);
		if (memcmp(digest, s->skip_checksum, sizeof(s->skip_checksum)) != 0)
			done(s, OUTCOME_PROTOCOL_ERROR, "header: checksum of the payload is wrong");
	}
	return n;
}

static void count_message(struct session *s, const struct bitcoin_header *header)
{
	s->counts.messages_in++;
	s->counts.unknown_in += header->id == BITCOIN_UNKNOWN;
}

/* A whole message with its header is at hand. */
static void take(struct session *s, const struct bitcoin_header *header, struct slice payload,
		 uint64_t now_ms)
{
	uint8_t checksum[4];
	struct reader r;

	count_message(s, header);
	bitcoin_checksum(payload, checksum);
	if (memcmp(checksum, header->checksum, sizeof(checksum)) != 0) {
		done(s, OUTCOME_PROTOCOL_ERROR, "header: checksum of the payload is wrong");
		return;
	}
	if (s->params.goal == SESSION_GOAL_LISTEN) {
		s->pending |= PENDING_MESSAGE;
		memcpy(s->event.name, header->command, sizeof(header->command));
		s->event.payload = payload;
		s->event.whole = slice_of(payload.data - BITCOIN_HEADER_LEN,
					  BITCOIN_HEADER_LEN + payload.len);
	}
	reader_init(&r, payload);
	handle(s, header->id, &r, now_ms);
}

static void session_init(void *session, const struct session_params *params, uint64_t now_ms)
{
	struct session *s = session;

	assert(params->agent.len <= BITCOIN_AGENT_MAX);
	memset(s, 0, sizeof(*s));
	s->params = *params;
	s->start_ms = now_ms;
	s->height = -1;
	s->quiet_ends = s->next_ping = UINT64_MAX;
	s->need = BITCOIN_HEADER_LEN;
	s->times = (struct session_times){ NEVER, NEVER, NEVER, NEVER, NEVER };
	if (params->role == SESSION_RESPONDER)
		return;
	say_version(s, now_ms);
	if (params->stepwise)
		return;
	say_offers(s);
	say(s, BITCOIN_VERACK);
	if (wants_peers(s))
		say_getaddr(s, now_ms);
}

static size_t session_recv(void *session, struct slice in, uint64_t now_ms)
{
	struct session *s = session;
	struct bitcoin_header header;
	struct reader r;
	size_t n;

	if (s->state == CLOSED || in.len == 0)
		return 0;
	if (s->times.first_byte_ms == NEVER)
		s->times.first_byte_ms = since_start(s, now_ms);
	if (s->skipping) {
		n = skip(s, in);
		s->counts.bytes_in += n;
		return n;
	}
	s->partial = true;
	s->need = BITCOIN_HEADER_LEN;
	if (in.len < BITCOIN_HEADER_LEN)
		return 0;
	reader_init(&r, in);
	bitcoin_header_decode(&r, s->params.network->magic, &header);
	if (reader_ok(&r) && header.length > bitcoin_command_max(header.id))
		reader_fail(&r, ERR_LIMIT, "header: length over the message's limit");
	if (!reader_ok(&r)) {
		bad_header(s, in, &r);
		return 0;
	}
	n = BITCOIN_HEADER_LEN;
	if (!is_handled(header.id) && s->params.goal != SESSION_GOAL_LISTEN && header.length > 0) {
		count_message(s, &header);
		sha256_init(&s->skip_hash);
		s->skip_left = header.length;
		s->skipping = true;
		memcpy(s->skip_checksum, header.checksum, sizeof(header.checksum));
	} else {
		n += header.length;
		s->need = (uint32_t)n;
		if (in.len < n)
			return 0;
		take(s, &header, slice_of(in.data + BITCOIN_HEADER_LEN, header.length), now_ms);
		s->need = BITCOIN_HEADER_LEN;
	}
	s->partial = false;
	s->counts.bytes_in += n;
	return n;
}

static size_t session_need(const void *session)
{
	return ((const struct session *)session)->need;
}

static size_t session_send(void *session, uint8_t *out, size_t cap)
{
	struct session *s = session;
	size_t n = (size_t)(s->out_len - s->out_at);

	if (n > cap)
		n = cap;
	if (n == 0)
		return 0;
	memcpy(out, s->out + s->out_at, n);
	s->out_at = (uint16_t)(s->out_at + n);
	s->counts.bytes_out += n;
	return n;
}

static bool session_next(void *session, struct session_event *out)
{
	struct session *s = session;

	for (unsigned kind = SESSION_EVENT_HANDSHAKE; kind <= SESSION_EVENT_DONE; kind++) {
		if ((s->pending & 1U << kind) == 0)
			continue;
		s->pending &= (uint8_t) ~(1U << kind);
		s->event.kind = (enum session_event_kind)kind;
		*out = s->event;
		out->outcome = s->outcome;
		out->rule = s->rule;
		out->retry_stepwise = s->retry_stepwise;
		return true;
	}
	return false;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t session_deadline(const void *session)
{
	const struct session *s = session;
	uint64_t end = UINT64_MAX;

	if (s->state == CLOSED)
		return UINT64_MAX;
	if (s->params.timeout_ms > 0)
		end = s->start_ms + s->params.timeout_ms;
	if (s->state == HANDSHAKE)
		return earlier(end, s->start_ms + BITCOIN_HANDSHAKE_MS);
	end = earlier(end, earlier(s->quiet_ends, s->next_ping));
	if (s->params.role == SESSION_RESPONDER)
		return end;
	if (s->params.goal == SESSION_GOAL_PEERS)
		end = earlier(end, s->start_ms + (uint64_t)s->times.handshake_ms +
					   (s->params.patient ? BITCOIN_REPLY_PATIENT_MS
							      : BITCOIN_REPLY_MS));
	if (s->ping_nonce != 0)
		end = earlier(end, s->ping_at + BITCOIN_PING_TIMEOUT_MS);
	return end;
}

static void session_tick(void *session, uint64_t now_ms)
{
	struct session *s = session;

	if (s->state == CLOSED || now_ms < session_deadline(s))
		return;
	if (now_ms >= s->next_ping &&
	    (s->params.timeout_ms == 0 || now_ms < s->start_ms + s->params.timeout_ms)) {
		next_ping(s, now_ms);
		return;
	}
	if (s->state == READY)
		done(s, result(s), NULL);
	else if (s->times.first_byte_ms == NEVER)
		done(s, OUTCOME_MUTE, NULL);
	else
		done(s, OUTCOME_HANDSHAKE_TIMEOUT, NULL);
}

static void session_closed(void *session, enum session_close how, uint64_t now_ms)
{
	struct session *s = session;

	(void)now_ms;
	if (s->state == CLOSED)
		return;
	if (s->state == READY) {
		if (s->times.reply_ms != NEVER)
			done(s, result(s), NULL);
		else if (s->partial || s->skipping)
			done(s, OUTCOME_PROTOCOL_ERROR, "closed in the middle of a message");
		else if (how == SESSION_CLOSE_RESET)
			done(s, OUTCOME_RESET, NULL);
		else
			done(s, result(s), NULL);
		return;
	}
	/* Closed on the flight after a word, or with unread bytes of ours (a reset): it
	 * may want to be asked step by step. A full peer closes without either. */
	s->retry_stepwise = s->params.role == SESSION_INITIATOR && !s->params.stepwise &&
			    (s->has_version || s->has_verack || how == SESSION_CLOSE_RESET);
	if (s->times.first_byte_ms == NEVER)
		done(s, OUTCOME_PEER_FULL, NULL);
	else if (s->partial || s->skipping)
		done(s, OUTCOME_PROTOCOL_ERROR, "closed in the middle of a message");
	else if (how == SESSION_CLOSE_RESET)
		done(s, OUTCOME_RESET, NULL);
	else
		done(s, OUTCOME_HANDSHAKE_TIMEOUT, "closed before the end of the handshake");
}

/* --- what is known of the peer --- */

static void session_info(const void *session, struct peer_info *out)
{
	const struct session *s = session;

	*out = (struct peer_info){
		.agent = slice_of(s->agent, s->agent_len),
		.node_id = slice_of(NULL, 0),
		.negotiation = slice_of(s->negotiation, s->negotiation_len),
		.has_version = s->has_version,
		.protocol = s->protocol,
		.services = s->services,
		.height = s->height,
		.relay = s->relay,
		.has_clock = s->has_version,
		.clock_skew_s = s->clock_skew_s,
		.has_feefilter = s->has_feefilter,
		.feefilter = s->feefilter,
		.sees_us_as = s->sees_us_as,
	};
}

static void session_times(const void *session, struct session_times *out)
{
	*out = ((const struct session *)session)->times;
}

static void session_counts(const void *session, struct session_counts *out)
{
	*out = ((const struct session *)session)->counts;
}

static size_t session_adverts(struct session_event *event, struct advert *out, size_t cap)
{
	return bitcoin_addr_read(&event->reader, event->variant != 0, out, cap);
}

static size_t session_answer(void *session, const struct advert *adverts, size_t count,
			     uint8_t *out, size_t cap)
{
	struct session *s = session;
	enum bitcoin_command id = s->wants_addrv2 ? BITCOIN_ADDRV2 : BITCOIN_ADDR;
	struct writer w;
	size_t mark;

	writer_init(&w, out, cap);
	mark = bitcoin_message_begin(&w);
	bitcoin_addr_encode(&w, s->wants_addrv2, adverts, count);
	bitcoin_message_end(&w, mark, s->params.network->magic, id);
	if (!writer_ok(&w))
		return 0;
	s->counts.bytes_out += w.len;
	return w.len;
}

const struct proto bitcoin_proto = {
	.name = "bitcoin",
	.session_size = sizeof(struct session),
	.session_align = _Alignof(struct session),
	.buffer_max = BITCOIN_HEADER_LEN + BITCOIN_PAYLOAD_MAX,
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
	.explain = bitcoin_explain,
	.service_name = bitcoin_service_name,
};
