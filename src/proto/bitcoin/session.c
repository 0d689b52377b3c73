#include "proto/bitcoin/session.h"

#include "proto/bitcoin/explain.h"
#include "proto/bitcoin/stay.h"

#include <assert.h>
#include <string.h>

/* Another magic in a header that is otherwise sound is another network's peer;
 * anything else is no peer at all. */
static void bad_header(struct talk *t, struct slice in, const struct reader *r)
{
	struct bitcoin_header header;
	struct reader again;

	if (r->err == ERR_LIMIT) {
		talk_done(t, OUTCOME_TOO_BIG, r->rule);
		return;
	}
	if (r->err == ERR_MAGIC) {
		reader_init(&again, slice_of(in.data, BITCOIN_HEADER_LEN));
		bitcoin_header_decode(&again, in.data, &header);
		if (reader_ok(&again)) {
			talk_done(t, OUTCOME_WRONG_NETWORK, r->rule);
			return;
		}
	}
	talk_done(t, OUTCOME_PROTOCOL_ERROR, r->rule);
}

static size_t skip(struct talk *t, struct slice in)
{
	size_t n = in.len < t->skip_left ? in.len : t->skip_left;
	uint8_t digest[32];

	sha256_update(&t->skip_hash, slice_of(in.data, n));
	t->skip_left -= (uint32_t)n;
	if (t->skip_left == 0) {
		t->skipping = false;
		sha256_final(&t->skip_hash, digest);
		sha256(slice_of(digest, sizeof(digest)), digest);
		if (memcmp(digest, t->skip_checksum, sizeof(t->skip_checksum)) != 0)
			talk_done(t, OUTCOME_PROTOCOL_ERROR,
				  "header: checksum of the payload is wrong");
	}
	return n;
}

static void count_message(struct talk *t, const struct bitcoin_header *header)
{
	t->counts.messages_in++;
	t->counts.unknown_in += header->id == BITCOIN_UNKNOWN;
}

/* A whole message with its header is at hand. */
static void take(struct talk *t, const struct bitcoin_header *header, struct slice payload,
		 uint64_t now_ms)
{
	uint8_t checksum[4];
	struct reader r;

	count_message(t, header);
	bitcoin_checksum(payload, checksum);
	if (memcmp(checksum, header->checksum, sizeof(checksum)) != 0) {
		talk_done(t, OUTCOME_PROTOCOL_ERROR, "header: checksum of the payload is wrong");
		return;
	}
	if (t->params.goal == SESSION_GOAL_LISTEN || t->params.goal == SESSION_GOAL_STAY) {
		t->pending |= PENDING_MESSAGE;
		t->message = slice_of(payload.data - BITCOIN_HEADER_LEN,
				      BITCOIN_HEADER_LEN + payload.len);
	}
	reader_init(&r, payload);
	talk_hear(t, header->id, &r, now_ms);
}

static void begin_again(struct talk *t)
{
	struct talk first = *t;

	memset(t, 0, sizeof(*t));
	t->had_version = first.has_version;
	t->protocol = first.protocol;
	t->services = first.services;
	t->height = first.height;
	t->relay = first.relay;
	t->clock_skew_s = first.clock_skew_s;
	t->sees_us_as = first.sees_us_as;
	t->agent_len = first.agent_len;
	memcpy(t->agent, first.agent, first.agent_len);
}

static void session_init(void *session, const struct session_params *params, uint64_t now_ms)
{
	struct talk *t = session;

	assert(params->agent.len <= BITCOIN_AGENT_MAX);
	if (params->again) {
		begin_again(t);
	} else {
		memset(t, 0, sizeof(*t));
		t->height = -1;
	}
	t->params = *params;
	t->start_ms = t->heard_at = now_ms;
	/* There is no hurry, and nobody to be called a second time. */
	t->params.stepwise |= params->goal == SESSION_GOAL_STAY;
	t->quiet_ends = t->next_ping = UINT64_MAX;
	t->need = BITCOIN_HEADER_LEN;
	t->times = (struct session_times){ TALK_NEVER, TALK_NEVER, TALK_NEVER, TALK_NEVER,
					   TALK_NEVER };
	if (params->role == SESSION_RESPONDER)
		return;
	talk_begin(t, now_ms);
}

/* Whether a message is waited for in full; the others are passed over. */
static bool holds(const struct talk *t, const struct bitcoin_header *header)
{
	switch (t->params.goal) {
	case SESSION_GOAL_LISTEN:
		return true;
	case SESSION_GOAL_STAY:
		return talk_understands(header->id) || header->length <= BITCOIN_STAY_TOLD_MAX;
	case SESSION_GOAL_PEERS:
	case SESSION_GOAL_PING:
		break;
	}
	return talk_understands(header->id) || header->length == 0 ||
	       (header->id != BITCOIN_UNKNOWN && header->length <= BITCOIN_CHECKED_MAX);
}

static size_t session_recv(void *session, struct slice in, uint64_t now_ms)
{
	struct talk *t = session;
	struct bitcoin_header header;
	struct reader r;
	size_t n;

	if (t->state == TALK_CLOSED || in.len == 0)
		return 0;
	t->heard_at = now_ms;
	if (t->times.first_byte_ms == TALK_NEVER)
		t->times.first_byte_ms = talk_since_start(t, now_ms);
	if (t->skipping) {
		n = skip(t, in);
		t->counts.bytes_in += n;
		return n;
	}
	t->partial = true;
	t->need = BITCOIN_HEADER_LEN;
	if (in.len < BITCOIN_HEADER_LEN)
		return 0;
	reader_init(&r, in);
	bitcoin_header_decode(&r, t->params.network->magic, &header);
	if (reader_ok(&r) && header.length > bitcoin_command_max(header.id))
		reader_fail(&r, ERR_LIMIT, "header: length over the message's limit");
	if (reader_ok(&r) && t->params.goal == SESSION_GOAL_PEERS &&
	    t->counts.bytes_in + header.length > BITCOIN_VISIT_BYTES_MAX)
		reader_fail(&r, ERR_LIMIT, "header: more than 16 MiB in one visit");
	if (!reader_ok(&r)) {
		bad_header(t, in, &r);
		return 0;
	}
	n = BITCOIN_HEADER_LEN;
	if (!holds(t, &header)) {
		count_message(t, &header);
		sha256_init(&t->skip_hash);
		t->skip_left = header.length;
		t->skipping = true;
		memcpy(t->skip_checksum, header.checksum, sizeof(header.checksum));
	} else {
		n += header.length;
		t->need = (uint32_t)n;
		if (in.len < n)
			return 0;
		take(t, &header, slice_of(in.data + BITCOIN_HEADER_LEN, header.length), now_ms);
		t->need = BITCOIN_HEADER_LEN;
	}
	t->partial = false;
	t->counts.bytes_in += n;
	return n;
}

static size_t session_need(const void *session)
{
	return ((const struct talk *)session)->need;
}

static size_t session_send(void *session, uint8_t *out, size_t cap)
{
	struct talk *t = session;
	size_t n = talk_send(t, out, cap);

	t->counts.bytes_out += n;
	return n;
}

static void fill_event(const struct talk *t, struct session_event *out)
{
	switch (out->kind) {
	case SESSION_EVENT_ADVERTS:
		out->count = t->entry_count;
		out->variant = t->entries_v2;
		out->payload = t->entries;
		reader_init(&out->reader, t->entries);
		break;
	case SESSION_EVENT_MESSAGE:
		/* Printable, or the header would have been refused. */
		memcpy(out->name, t->message.data + 4, BITCOIN_COMMAND_LEN);
		out->payload = slice_from(t->message, BITCOIN_HEADER_LEN);
		out->whole = t->message;
		break;
	case SESSION_EVENT_PONG:
		out->rtt_ms = t->rtt_ms;
		break;
	case SESSION_EVENT_DONE:
		out->outcome = t->outcome;
		out->rule = t->rule;
		out->retry_stepwise = t->retry_stepwise;
		break;
	case SESSION_EVENT_HANDSHAKE:
	case SESSION_EVENT_ASKED:
		break;
	}
}

static bool session_next(void *session, struct session_event *out)
{
	struct talk *t = session;

	for (unsigned kind = SESSION_EVENT_HANDSHAKE; kind <= SESSION_EVENT_DONE; kind++) {
		if ((t->pending & 1U << kind) == 0)
			continue;
		t->pending &= (uint8_t) ~(1U << kind);
		*out = (struct session_event){ .kind = (enum session_event_kind)kind };
		fill_event(t, out);
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
	const struct talk *t = session;
	uint64_t end = UINT64_MAX;

	if (t->state == TALK_CLOSED)
		return UINT64_MAX;
	if (t->owes_pong)
		return t->owed_at;
	if (t->params.goal == SESSION_GOAL_STAY)
		return stay_deadline(t);
	if (t->params.timeout_ms > 0)
		end = talk_after(t->start_ms, t->params.timeout_ms);
	if (t->state == TALK_HANDSHAKE)
		return earlier(end,
			       t->start_ms + session_answer_ms(&t->params, BITCOIN_HANDSHAKE_MS));
	end = earlier(end, earlier(t->quiet_ends, t->next_ping));
	if (t->params.role == SESSION_RESPONDER)
		return end;
	if (t->params.goal == SESSION_GOAL_PEERS)
		end = earlier(end, t->start_ms + (uint64_t)t->times.handshake_ms +
					   (t->params.patient ? BITCOIN_REPLY_PATIENT_MS
							      : BITCOIN_REPLY_MS));
	if (t->ping_nonce != 0)
		end = earlier(end, t->ping_at + BITCOIN_PING_TIMEOUT_MS);
	return end;
}

static void session_tick(void *session, uint64_t now_ms)
{
	struct talk *t = session;

	if (t->state == TALK_CLOSED)
		return;
	talk_pay_pong(t);
	if (now_ms < session_deadline(t))
		return;
	if (t->params.goal == SESSION_GOAL_STAY) {
		stay_tick(t, now_ms);
		return;
	}
	if (now_ms >= t->next_ping &&
	    (t->params.timeout_ms == 0 || now_ms < talk_after(t->start_ms, t->params.timeout_ms))) {
		talk_ping(t, now_ms);
		return;
	}
	if (t->state == TALK_READY)
		talk_done(t, talk_result(t), NULL);
	else if (t->times.first_byte_ms == TALK_NEVER)
		talk_done(t, OUTCOME_MUTE, NULL);
	else
		talk_done(t, OUTCOME_HANDSHAKE_TIMEOUT, NULL);
}

static void session_closed(void *session, enum session_close how, uint64_t now_ms)
{
	struct talk *t = session;

	(void)now_ms;
	if (t->state == TALK_CLOSED)
		return;
	if (t->state == TALK_READY) {
		if (t->times.reply_ms != TALK_NEVER)
			talk_done(t, talk_result(t), NULL);
		else if (t->partial || t->skipping)
			talk_done(t, OUTCOME_PROTOCOL_ERROR, "closed in the middle of a message");
		else if (how == SESSION_CLOSE_RESET)
			talk_done(t, OUTCOME_RESET, NULL);
		else
			talk_done(t, talk_result(t), NULL);
		return;
	}
	/* Closed on the flight after a word, or with unread bytes of ours (a reset): it
	 * may want to be asked step by step. A full peer closes without either. */
	t->retry_stepwise = t->params.role == SESSION_INITIATOR && !t->params.stepwise &&
			    (t->has_version || t->has_verack || how == SESSION_CLOSE_RESET);
	if (t->times.first_byte_ms == TALK_NEVER)
		talk_done(t, OUTCOME_PEER_FULL, NULL);
	else if (t->partial || t->skipping)
		talk_done(t, OUTCOME_PROTOCOL_ERROR, "closed in the middle of a message");
	else if (how == SESSION_CLOSE_RESET)
		talk_done(t, OUTCOME_RESET, NULL);
	else
		talk_done(t, OUTCOME_HANDSHAKE_TIMEOUT, "closed before the end of the handshake");
}

/* --- what is known of the peer --- */

static void session_info(const void *session, struct peer_info *out)
{
	const struct talk *t = session;

	*out = (struct peer_info){
		.agent = slice_of(t->agent, t->agent_len),
		.node_id = slice_of(NULL, 0),
		.negotiation = slice_of(t->negotiation, t->negotiation_len),
		.has_version = t->has_version || t->had_version,
		.protocol = t->protocol,
		.services = t->services,
		.height = t->height,
		.relay = t->relay,
		.has_clock = t->has_version || t->had_version,
		.clock_skew_s = t->clock_skew_s,
		.has_feefilter = t->has_feefilter,
		.feefilter = t->feefilter,
		.sees_us_as = t->sees_us_as,
	};
}

static void session_times(const void *session, struct session_times *out)
{
	*out = ((const struct talk *)session)->times;
}

static void session_counts(const void *session, struct session_counts *out)
{
	*out = ((const struct talk *)session)->counts;
}

static size_t session_adverts(struct session_event *event, struct advert *out, size_t cap)
{
	return bitcoin_addr_read(&event->reader, event->variant != 0, out, cap);
}

static size_t session_glance(struct session_event *event, const struct glance_key *key,
			     struct glance *out, size_t cap)
{
	return bitcoin_addr_glance(&event->reader, event->variant != 0, key, out, cap);
}

static void session_advert_at(const struct session_event *event, uint32_t at, struct advert *out)
{
	struct reader r = event->reader;

	r.at = at;
	bitcoin_addr_next(&r, event->variant != 0, out);
}

static size_t session_answer(void *session, const struct advert *adverts, size_t count,
			     uint8_t *out, size_t cap)
{
	struct talk *t = session;
	bool v2 = t->wants_addrv2 && talk_protocol(t) >= BITCOIN_PROTOCOL_WTXIDRELAY;
	struct writer w;
	size_t mark;

	writer_init(&w, out, cap);
	mark = bitcoin_message_begin(&w);
	bitcoin_addr_encode(&w, v2, adverts, count);
	bitcoin_message_end(&w, mark, t->params.network->magic, v2 ? BITCOIN_ADDRV2 : BITCOIN_ADDR);
	if (!writer_ok(&w))
		return 0;
	t->counts.bytes_out += w.len;
	t->counts.messages_out++;
	return w.len;
}

const struct proto bitcoin_proto = {
	.name = "bitcoin",
	.policy = &bitcoin_policy,
	.session_size = sizeof(struct talk),
	.session_align = _Alignof(struct talk),
	.buffer_max = BITCOIN_HEADER_LEN + BITCOIN_PAYLOAD_MAX,
	.ends_by_reset = true,
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
	.glance = session_glance,
	.advert_at = session_advert_at,
	.answer = session_answer,
	.explain = bitcoin_explain,
	.service_name = bitcoin_service_name,
};
