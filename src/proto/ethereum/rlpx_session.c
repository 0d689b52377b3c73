#include "proto/ethereum/rlpx_session.h"

#include "proto/ethereum/rlp.h"
#include "proto/ethereum/snappy.h"

#include <assert.h>
#include <string.h>

enum {
	NEVER = -1,
	PIECE_MAX = 1024,      /* bytes of a frame's data that are decrypted at a time */
	HELLO_SENT_MAX = 1024, /* with the longest name and all capabilities */
};

const char *rlpx_outcome_name(enum rlpx_outcome o)
{
	static const char *const names[] = {
#define OUTCOME_NAME(symbol, name, text) name,
		RLPX_OUTCOME_LIST(OUTCOME_NAME)
#undef OUTCOME_NAME
	};

	return names[o];
}

const char *rlpx_outcome_text(enum rlpx_outcome o)
{
	static const char *const texts[] = {
#define OUTCOME_TEXT(symbol, name, text) text,
		RLPX_OUTCOME_LIST(OUTCOME_TEXT)
#undef OUTCOME_TEXT
	};

	return texts[o];
}

const char *rlpx_state_name(enum rlpx_state s)
{
	switch (s) {
	case RLPX_STATE_PACKET:
		return "packet";
	case RLPX_STATE_HELLO:
		return "hello";
	case RLPX_STATE_STATUS:
		return "status";
	case RLPX_STATE_READY:
		return "ready";
	case RLPX_STATE_CLOSED:
		return "closed";
	}
	return "";
}

static int64_t since_start(const struct rlpx_session *s, uint64_t now_ms)
{
	return (int64_t)(now_ms - s->start_ms);
}

static void done(struct rlpx_session *s, enum rlpx_outcome outcome, const char *rule)
{
	if (s->state == RLPX_STATE_CLOSED)
		return;
	s->state = RLPX_STATE_CLOSED;
	s->outcome = outcome;
	s->rule = rule;
	s->need = 0;
	/* What is still to be sent is sealed already. */
	rlpx_handshake_clear(&s->handshake);
	rlpx_frames_clear(&s->frames);
	explicit_bzero(&s->params.local, sizeof(s->params.local));
}

/* --- sending --- */

static size_t out_room(const struct rlpx_session *s)
{
	return sizeof(s->out) - s->out_len;
}

static void queue(struct rlpx_session *s, struct slice bytes)
{
	/* What may stand here at once has a place; pongs look for themselves. */
	assert(bytes.len <= out_room(s));
	memcpy(s->out + s->out_len, bytes.data, bytes.len);
	s->out_len += bytes.len;
}

static void queue_message(struct rlpx_session *s, uint32_t id, struct slice payload)
{
	uint8_t data[HELLO_SENT_MAX + SNAPPY_OVERHEAD + 5];
	uint8_t frame[sizeof(data) + 15 + RLPX_HEADER_LEN + RLPX_MAC_LEN];
	struct writer d, f;

	writer_init(&d, data, sizeof(data));
	rlp_put_uint(&d, id);
	if (s->snappy)
		snappy_pack(&d, payload);
	else
		writer_slice(&d, payload);
	writer_init(&f, frame, sizeof(frame));
	rlpx_frame_write(&s->frames, &f, slice_of(d.data, d.len));
	assert(writer_ok(&d) && writer_ok(&f));
	queue(s, slice_of(f.data, f.len));
}

static void send_disconnect(struct rlpx_session *s, enum p2p_reason reason)
{
	uint8_t payload[8];
	struct writer w;

	writer_init(&w, payload, sizeof(payload));
	p2p_disconnect_encode(&w, reason);
	queue_message(s, P2P_DISCONNECT, slice_of(w.data, w.len));
}

static void send_pong(struct rlpx_session *s)
{
	uint8_t payload[1];
	struct writer w;

	/* A peer that asks faster than it reads gets fewer answers. */
	if (out_room(s) < RLPX_OUT_RESERVE)
		return;
	writer_init(&w, payload, sizeof(payload));
	p2p_empty_encode(&w);
	queue_message(s, P2P_PONG, slice_of(w.data, w.len));
}

static void send_hello(struct rlpx_session *s)
{
	const struct rlpx_session_params *p = &s->params;
	struct p2p_hello hello = {
		.version = P2P_VERSION,
		.client = p->client,
		.caps_count = p->offers_count,
		.listen_port = p->listen_port,
	};
	uint8_t payload[HELLO_SENT_MAX];
	struct writer w;

	for (size_t i = 0; i < p->offers_count; i++)
		hello.caps[i] = p->offers[i].cap;
	secp_public(p->local.secp, &p->local.key, hello.key);
	writer_init(&w, payload, sizeof(payload));
	p2p_hello_encode(&w, &hello);
	assert(writer_ok(&w));
	queue_message(s, P2P_HELLO, slice_of(w.data, w.len));
}

static void send_status(struct rlpx_session *s, const struct eth_status *status)
{
	struct eth_status ours = *status;
	uint8_t payload[ETH_STATUS_MAX];
	struct writer w;

	ours.version = s->info.eth.version;
	writer_init(&w, payload, sizeof(payload));
	eth_status_encode(&w, &ours);
	assert(writer_ok(&w));
	queue_message(s, s->eth_first_id + ETH_STATUS, slice_of(w.data, w.len));
}

/* A rule is broken behind the handshake: the peer is told, as the specification asks. */
static void breach(struct rlpx_session *s, enum rlpx_outcome outcome, const char *rule)
{
	send_disconnect(s, P2P_REASON_BREACH);
	done(s, outcome, rule);
}

/* --- the messages --- */

static void hear_disconnect(struct rlpx_session *s, struct slice payload)
{
	uint8_t reason;

	if (!p2p_disconnect_read(payload, s->snappy, &reason)) {
		done(s, RLPX_OUTCOME_PROTOCOL_ERROR, "disconnect: a reason, in a list or bare");
		return;
	}
	s->info.has_reason = true;
	s->info.reason = reason;
	if (s->state == RLPX_STATE_READY)
		done(s, RLPX_OUTCOME_OK, NULL);
	else if (s->state == RLPX_STATE_HELLO && reason == P2P_REASON_TOO_MANY)
		done(s, RLPX_OUTCOME_FULL, NULL);
	else
		done(s, RLPX_OUTCOME_DISCONNECTED, NULL);
}

/* Keeps what Hello said beyond the message's life. */
static void keep_hello(struct rlpx_session *s, const struct p2p_hello *hello, uint64_t now_ms)
{
	size_t len = hello->client.len;

	if (len > sizeof(s->client))
		len = sizeof(s->client);
	if (len > 0)
		memcpy(s->client, hello->client.data, len);
	s->info.hello = *hello;
	s->info.hello.client = slice_of(s->client, len);
	s->info.has_hello = true;
	s->info.hello_ms = since_start(s, now_ms);
	s->hello_at_ms = now_ms;
}

static void hear_hello(struct rlpx_session *s, struct slice payload, uint64_t now_ms)
{
	struct p2p_shared shared[P2P_CAPS_MAX];
	struct p2p_hello hello;
	struct reader r;
	size_t count;

	reader_init(&r, payload);
	p2p_hello_decode(&r, &hello);
	if (!reader_ok(&r)) {
		breach(s, RLPX_OUTCOME_PROTOCOL_ERROR, r.rule);
		return;
	}
	keep_hello(s, &hello, now_ms);
	if (memcmp(hello.key, s->info.key, sizeof(hello.key)) != 0) {
		send_disconnect(s, P2P_REASON_UNEXPECTED);
		done(s, RLPX_OUTCOME_PROTOCOL_ERROR, "hello: the key that the handshake proved");
		return;
	}
	s->snappy = hello.version >= P2P_SNAPPY_VERSION;
	count = p2p_share(s->params.offers, s->params.offers_count, &hello, shared);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(shared[i].cap.name, "eth") != 0)
			continue;
		s->info.eth = shared[i].cap;
		s->eth_first_id = shared[i].first_id;
		s->state = RLPX_STATE_STATUS;
		if (s->params.goal == RLPX_GOAL_SERVE)
			send_status(s, s->params.status);
		return;
	}
	send_disconnect(s, P2P_REASON_USELESS);
	done(s, RLPX_OUTCOME_NO_ETH, NULL);
}

static void hear_status(struct rlpx_session *s, struct slice payload, uint64_t now_ms)
{
	uint8_t plain[ETH_STATUS_MAX];
	struct eth_status status;
	struct reader r;

	if (s->snappy) {
		size_t len;
		enum err err = snappy_unpack(payload, plain, sizeof(plain), &len);

		if (err == ERR_FULL)
			breach(s, RLPX_OUTCOME_TOO_BIG,
			       "status: packed, and no longer than 1024 bytes");
		else if (err != ERR_OK)
			breach(s, RLPX_OUTCOME_PROTOCOL_ERROR, "status: packed by Snappy");
		if (err != ERR_OK)
			return;
		payload = slice_of(plain, len);
	} else if (payload.len > ETH_STATUS_MAX) {
		breach(s, RLPX_OUTCOME_TOO_BIG, "status: no longer than 1024 bytes");
		return;
	}
	reader_init(&r, payload);
	eth_status_decode(&r, s->info.eth.version, &status);
	if (!reader_ok(&r)) {
		breach(s, RLPX_OUTCOME_PROTOCOL_ERROR, r.rule);
		return;
	}
	s->info.status = status;
	s->info.has_status = true;
	s->info.status_ms = since_start(s, now_ms);
	if (s->params.goal == RLPX_GOAL_SERVE) {
		s->state = RLPX_STATE_READY;
		return;
	}
	send_status(s, &status);
	send_disconnect(s, P2P_REASON_QUITTING);
	done(s, RLPX_OUTCOME_OK, NULL);
}

/* Behind Hello. */
static void hear_later(struct rlpx_session *s, uint32_t id, struct slice payload, uint64_t now_ms)
{
	size_t declared;
	enum err err;

	if (id == P2P_HELLO) {
		breach(s, RLPX_OUTCOME_PROTOCOL_ERROR, "hello: once");
		return;
	}
	if (id == P2P_PING)
		send_pong(s);
	if (id < P2P_FIRST_SHARED) /* Pong, and what nobody has defined */
		return;
	/* Also of what is let go: who declares more is no peer for anybody. */
	err = s->snappy ? snappy_declared(payload, &declared) : ERR_OK;
	if (err == ERR_LIMIT)
		breach(s, RLPX_OUTCOME_TOO_BIG, "snappy: declares no more than 16 MiB");
	else if (err != ERR_OK)
		breach(s, RLPX_OUTCOME_PROTOCOL_ERROR, "snappy: begins with a length");
	else if (id != s->eth_first_id + ETH_STATUS)
		return;
	else if (s->state == RLPX_STATE_READY)
		breach(s, RLPX_OUTCOME_PROTOCOL_ERROR, "status: once");
	else
		hear_status(s, payload, now_ms);
}

/* A whole message, or as much of it as is kept. */
static void hear(struct rlpx_session *s, uint64_t now_ms)
{
	struct slice payload;
	struct reader r;
	uint32_t id;

	reader_init(&r, slice_of(s->held, s->held_len));
	id = (uint32_t)rlp_uint(&r, 4, RLP_LENIENT, "id");
	if (!reader_ok(&r)) {
		breach(s, RLPX_OUTCOME_PROTOCOL_ERROR, "message: begins with its number");
		return;
	}
	payload = slice_of(s->held + r.at, s->held_len - r.at);
	if (id == P2P_DISCONNECT)
		hear_disconnect(s, payload);
	else if (s->state != RLPX_STATE_HELLO)
		hear_later(s, id, payload, now_ms);
	else if (id == P2P_HELLO)
		hear_hello(s, payload, now_ms);
	else
		breach(s, RLPX_OUTCOME_PROTOCOL_ERROR, "hello: before all other messages");
}

/* --- the stream --- */

static bool is_self(const struct rlpx_session *s, const uint8_t key[static SECP_PUBLIC_LEN])
{
	uint8_t own[SECP_PUBLIC_LEN];

	secp_public(s->params.local.secp, &s->params.local.key, own);
	return memcmp(own, key, sizeof(own)) == 0;
}

void rlpx_session_init(struct rlpx_session *s, const struct rlpx_session_params *params,
		       uint64_t now_ms)
{
	struct rlpx_session_params *p = &s->params;

	assert(params->client.len <= PEER_AGENT_MAX && params->offers_count <= P2P_CAPS_MAX);
	assert((params->status != NULL) == (params->goal == RLPX_GOAL_SERVE));
	memset(s, 0, sizeof(*s));
	s->params = *params;
	if (p->offers == NULL) {
		p->offers = eth_offers;
		p->offers_count = ETH_VERSIONS;
	}
	s->start_ms = now_ms;
	s->need = RLPX_SIZE_LEN;
	s->info.first_byte_ms = s->info.handshake_ms = NEVER;
	s->info.hello_ms = s->info.status_ms = NEVER;
	rlpx_handshake_init(&s->handshake, p->role, &p->local, p->remote);
	if (p->role == SESSION_RESPONDER)
		return;
	if (!secp_public_valid(p->remote))
		done(s, RLPX_OUTCOME_NO_KEY, NULL);
	else if (is_self(s, p->remote))
		done(s, RLPX_OUTCOME_SELF, NULL);
	else
		queue(s, rlpx_auth_write(&s->handshake));
}

void rlpx_session_clear(struct rlpx_session *s)
{
	explicit_bzero(s, sizeof(*s));
}

static size_t recv_packet(struct rlpx_session *s, struct slice in, uint64_t now_ms)
{
	bool initiator = s->params.role == SESSION_INITIATOR;
	const char *rule;
	size_t len;

	s->need = RLPX_SIZE_LEN;
	if (in.len < RLPX_SIZE_LEN)
		return 0;
	len = rlpx_packet_len(in);
	if (len == 0) {
		done(s, RLPX_OUTCOME_PROTOCOL_ERROR, "handshake: a packet of 209 to 2048 bytes");
		return 0;
	}
	s->need = (uint32_t)len;
	if (in.len < len)
		return 0;
	in = slice_of(in.data, len);
	rule = initiator ? rlpx_ack_read(&s->handshake, in) : rlpx_auth_read(&s->handshake, in);
	if (rule != NULL) {
		done(s, RLPX_OUTCOME_PROTOCOL_ERROR, rule);
		return 0;
	}
	if (!initiator) {
		if (is_self(s, s->handshake.remote)) {
			done(s, RLPX_OUTCOME_SELF, NULL);
			return 0;
		}
		queue(s, rlpx_ack_write(&s->handshake));
	}
	rlpx_frames_init(&s->frames, &s->handshake, in);
	memcpy(s->info.key, s->handshake.remote, sizeof(s->info.key));
	s->info.has_key = true;
	s->info.handshake_ms = since_start(s, now_ms);
	s->state = RLPX_STATE_HELLO;
	s->need = RLPX_HEADER_LEN;
	send_hello(s);
	rlpx_handshake_clear(&s->handshake);
	explicit_bzero(&s->params.local, sizeof(s->params.local));
	return len;
}

/* A frame begins. */
static size_t recv_header(struct rlpx_session *s, struct slice in)
{
	const char *rule;

	s->need = RLPX_HEADER_LEN;
	if (in.len < RLPX_HEADER_LEN)
		return 0;
	rule = rlpx_header_read(&s->frames, in.data, &s->data_len);
	if (rule == NULL && s->data_len == 0)
		rule = "frame: not empty";
	if (rule != NULL) {
		done(s, RLPX_OUTCOME_PROTOCOL_ERROR, rule);
		return 0;
	}
	s->passed += s->data_len;
	if (s->state == RLPX_STATE_HELLO && s->data_len > P2P_BASE_MAX) {
		breach(s, RLPX_OUTCOME_TOO_BIG, "hello: no longer than 2048 bytes");
		return 0;
	}
	if (s->params.goal == RLPX_GOAL_LEARN && s->passed > RLPX_PASSED_MAX) {
		breach(s, RLPX_OUTCOME_TOO_BIG, "status: before 256 KiB of anything else");
		return 0;
	}
	s->in_frame = true;
	s->data_left = rlpx_padded(s->data_len);
	s->held_len = 0;
	s->need = 1;
	return RLPX_HEADER_LEN;
}

/* What comes of a frame's data, decrypted; the first of it is kept. */
static size_t recv_data(struct rlpx_session *s, struct slice in)
{
	uint32_t keep = s->data_len < RLPX_HELD_MAX ? s->data_len : RLPX_HELD_MAX;
	uint8_t piece[PIECE_MAX];
	size_t n = in.len < sizeof(piece) ? in.len : sizeof(piece);
	size_t kept;

	if (n > s->data_left)
		n = s->data_left;
	rlpx_data_read(&s->frames, slice_of(in.data, n), piece);
	kept = keep - s->held_len < n ? keep - s->held_len : n;
	memcpy(s->held + s->held_len, piece, kept);
	s->held_len += (uint32_t)kept;
	s->data_left -= (uint32_t)n;
	s->need = s->data_left > 0 ? 1 : RLPX_MAC_LEN;
	return n;
}

static size_t recv_mac(struct rlpx_session *s, struct slice in, uint64_t now_ms)
{
	const char *rule;

	if (in.len < RLPX_MAC_LEN)
		return 0;
	rule = rlpx_data_check(&s->frames, in.data);
	if (rule != NULL) {
		done(s, RLPX_OUTCOME_PROTOCOL_ERROR, rule);
		return 0;
	}
	s->in_frame = false;
	s->need = RLPX_HEADER_LEN;
	hear(s, now_ms);
	return RLPX_MAC_LEN;
}

size_t rlpx_session_recv(struct rlpx_session *s, struct slice in, uint64_t now_ms)
{
	if (s->state == RLPX_STATE_CLOSED || in.len == 0)
		return 0;
	if (s->info.first_byte_ms == NEVER)
		s->info.first_byte_ms = since_start(s, now_ms);
	if (s->state == RLPX_STATE_PACKET)
		return recv_packet(s, in, now_ms);
	if (!s->in_frame)
		return recv_header(s, in);
	return s->data_left > 0 ? recv_data(s, in) : recv_mac(s, in, now_ms);
}

size_t rlpx_session_need(const struct rlpx_session *s)
{
	return s->need;
}

size_t rlpx_session_send(struct rlpx_session *s, uint8_t *out, size_t cap)
{
	size_t n = s->out_len - s->out_at;

	if (n > cap)
		n = cap;
	if (n > 0)
		memcpy(out, s->out + s->out_at, n);
	s->out_at += n;
	if (s->out_at == s->out_len)
		s->out_at = s->out_len = 0;
	return n;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Whether we are called, and have nothing to say. */
static bool is_called(const struct rlpx_session *s)
{
	return s->params.role == SESSION_RESPONDER && s->params.goal == RLPX_GOAL_LEARN;
}

uint64_t rlpx_session_deadline(const struct rlpx_session *s)
{
	uint64_t end = s->params.timeout_ms > 0 ? s->start_ms + s->params.timeout_ms : UINT64_MAX;

	switch (s->state) {
	case RLPX_STATE_PACKET:
	case RLPX_STATE_HELLO:
		return earlier(end, s->start_ms + RLPX_HANDSHAKE_MS);
	case RLPX_STATE_STATUS:
		return earlier(end, s->hello_at_ms + (is_called(s) ? RLPX_STATUS_CALLED_MS
								   : RLPX_STATUS_MS));
	case RLPX_STATE_READY:
		return end;
	case RLPX_STATE_CLOSED:
		return UINT64_MAX;
	}
	return UINT64_MAX;
}

/* The peer has said no more, until the end of its time or of the connection. */
static void end(struct rlpx_session *s, enum rlpx_outcome silent, enum rlpx_outcome spoke)
{
	switch (s->state) {
	case RLPX_STATE_PACKET:
	case RLPX_STATE_HELLO:
		done(s, s->info.first_byte_ms == NEVER ? silent : spoke, NULL);
		break;
	case RLPX_STATE_STATUS:
		done(s, RLPX_OUTCOME_NO_STATUS, NULL);
		break;
	case RLPX_STATE_READY:
		done(s, RLPX_OUTCOME_OK, NULL);
		break;
	case RLPX_STATE_CLOSED:
		break;
	}
}

static enum p2p_reason why_over(const struct rlpx_session *s)
{
	if (s->state == RLPX_STATE_READY)
		return P2P_REASON_QUITTING;
	return s->state == RLPX_STATE_STATUS && is_called(s) ? P2P_REASON_USELESS
							     : P2P_REASON_TIMEOUT;
}

void rlpx_session_tick(struct rlpx_session *s, uint64_t now_ms)
{
	if (s->state == RLPX_STATE_CLOSED || now_ms < rlpx_session_deadline(s))
		return;
	if (s->state != RLPX_STATE_PACKET)
		send_disconnect(s, why_over(s));
	end(s, RLPX_OUTCOME_MUTE, RLPX_OUTCOME_TIMEOUT);
}

void rlpx_session_closed(struct rlpx_session *s, enum session_close how, uint64_t now_ms)
{
	(void)how; /* go-ethereum's reset and its orderly end mean the same */
	(void)now_ms;
	if (s->state != RLPX_STATE_PACKET && s->in_frame)
		done(s, RLPX_OUTCOME_PROTOCOL_ERROR, "closed in the middle of a message");
	end(s, RLPX_OUTCOME_HUNG_UP, RLPX_OUTCOME_CLOSED);
}

void rlpx_session_leave(struct rlpx_session *s)
{
	if (s->state != RLPX_STATE_CLOSED && s->state != RLPX_STATE_PACKET)
		send_disconnect(s, P2P_REASON_QUITTING);
	end(s, RLPX_OUTCOME_MUTE, RLPX_OUTCOME_TIMEOUT);
}

bool rlpx_session_done(const struct rlpx_session *s, enum rlpx_outcome *outcome, const char **rule)
{
	if (s->state != RLPX_STATE_CLOSED)
		return false;
	*outcome = s->outcome;
	*rule = s->rule;
	return true;
}

void rlpx_session_info(const struct rlpx_session *s, struct rlpx_info *out)
{
	*out = s->info;
}
