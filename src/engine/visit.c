#include "engine/visit.h"

#include <assert.h>
#include <string.h>

static const struct proto *proto_of(const struct visit *v)
{
	return v->config->session.network->proto;
}

size_t visit_size(const struct network *network)
{
	assert(network->proto->session_align <= 16);
	return sizeof(struct visit) + network->proto->session_size;
}

void visit_init(struct visit *v, const struct visit_config *config, const struct netaddr *addr,
		const struct patience_wait *wait, uint64_t nonce, uint64_t now_ms, int64_t unix_ms)
{
	memset(v, 0, sizeof(*v));
	if (wait != NULL)
		v->wait = *wait;
	v->config = config;
	v->addr = *addr;
	v->nonce = nonce;
	v->started_ms = v->attempt_ms = now_ms;
	v->started_unix_ms = unix_ms;
	v->stepwise = config->session.stepwise;
	v->attempts = 1;
	v->state = VISIT_CONNECTING;
	v->outcome = OUTCOME_CANCELLED;
}

static void finish(struct visit *v, enum outcome outcome, const char *rule)
{
	v->state = VISIT_DONE;
	v->outcome = outcome;
	v->rule = rule;
}

/* Of the first connection, as the session is about to be started anew. */
static void keep_counts(struct visit *v)
{
	struct session_counts counts;

	proto_of(v)->counts(v->session, &counts);
	v->bytes_in += counts.bytes_in;
	v->bytes_out += counts.bytes_out;
	v->messages_in += counts.messages_in;
	v->unknown_in += counts.unknown_in;
}

static void on_done(struct visit *v, const struct session_event *event, uint64_t now_ms)
{
	finish(v, event->outcome, event->rule);
	if (event->retry_stepwise && v->attempts == 1) {
		v->attempts++;
		v->first_ms = v->attempt_ms;
		v->attempt_ms = now_ms;
		v->state = VISIT_RECONNECT;
	}
}

/* The second connection failed: then the visit was the first one, with all that was said there. */
static void back_to_first(struct visit *v)
{
	v->attempt_ms = v->first_ms;
	v->hung_up = true;
	v->state = VISIT_DONE;
}

static void drain(struct visit *v, uint64_t now_ms)
{
	struct session_event event;

	while (v->state == VISIT_OPEN && proto_of(v)->next(v->session, &event)) {
		if (event.kind == SESSION_EVENT_HANDSHAKE)
			v->handshaken = true;
		if (event.kind == SESSION_EVENT_ADVERTS)
			v->adverts += event.count;
		if (event.kind == SESSION_EVENT_DONE)
			on_done(v, &event, now_ms);
		if (v->config->on_event != NULL)
			v->config->on_event(v->config->on_event_ctx, v, &event);
	}
}

void visit_connected(struct visit *v, uint64_t now_ms)
{
	struct session_params params = v->config->session;

	assert(v->state == VISIT_CONNECTING || v->state == VISIT_RECONNECT);
	if (v->state == VISIT_RECONNECT) {
		keep_counts(v);
		v->stepwise = params.again = true;
		v->handshaken = false;
	}
	v->state = VISIT_OPEN;
	v->connected_ms = now_ms;
	params.peer = v->addr;
	params.nonce = v->nonce;
	params.stepwise = v->stepwise;
	if (v->wait.answer_ms > 0)
		params.answer_ms = v->wait.answer_ms + 2 * (now_ms - v->attempt_ms);
	params.unix_s = (v->started_unix_ms + (int64_t)(now_ms - v->started_ms)) / 1000;
	proto_of(v)->init(v->session, &params, now_ms);
	drain(v, now_ms);
}

void visit_connect_failed(struct visit *v, enum outcome why, uint64_t now_ms)
{
	(void)now_ms;
	assert(v->state == VISIT_CONNECTING || v->state == VISIT_RECONNECT);
	if (v->state == VISIT_RECONNECT)
		back_to_first(v);
	else
		finish(v, why, NULL);
}

size_t visit_recv(struct visit *v, struct slice in, uint64_t now_ms)
{
	size_t used;

	if (v->state != VISIT_OPEN || in.len == 0)
		return 0;
	used = proto_of(v)->recv(v->session, in, now_ms);
	drain(v, now_ms);
	return used;
}

size_t visit_need(const struct visit *v)
{
	return v->state == VISIT_OPEN ? proto_of(v)->need(v->session) : 0;
}

size_t visit_send(struct visit *v, uint8_t *out, size_t cap)
{
	size_t n = 0;

	/* Also the last words of a session that is over, a Disconnect with its reason. */
	if (v->state == VISIT_OPEN ||
	    (v->state == VISIT_DONE && v->connected_ms != 0 && !v->hung_up))
		n = proto_of(v)->send(v->session, out, cap);
	if (n == 0 && v->state == VISIT_OPEN && v->config->more != NULL) {
		assert(cap >= VISIT_SEND_MIN);
		n = v->config->more(v->config->on_event_ctx, v, out, cap);
		v->bytes_out += n;
	}
	return n;
}

void visit_closed(struct visit *v, enum session_close how, uint64_t now_ms)
{
	if (v->state != VISIT_OPEN)
		return;
	proto_of(v)->closed(v->session, how, now_ms);
	drain(v, now_ms);
	assert(v->state != VISIT_OPEN);
}

uint64_t visit_deadline(const struct visit *v)
{
	uint64_t connect_ms =
		v->wait.connect_ms > 0 ? v->wait.connect_ms : v->config->connect_timeout_ms;

	switch (v->state) {
	case VISIT_CONNECTING:
	case VISIT_RECONNECT:
		return connect_ms < UINT64_MAX - v->attempt_ms ? v->attempt_ms + connect_ms
							       : UINT64_MAX;
	case VISIT_OPEN:
		return proto_of(v)->deadline(v->session);
	case VISIT_DONE:
		break;
	}
	return UINT64_MAX;
}

void visit_tick(struct visit *v, uint64_t now_ms)
{
	if (now_ms < visit_deadline(v))
		return;
	if (v->state == VISIT_OPEN) {
		proto_of(v)->tick(v->session, now_ms);
		drain(v, now_ms);
	} else if (v->state != VISIT_DONE) {
		visit_connect_failed(v, OUTCOME_CONNECT_TIMEOUT, now_ms);
	}
}

void visit_cancel(struct visit *v, uint64_t now_ms)
{
	(void)now_ms;
	if (v->state == VISIT_DONE)
		return;
	if (v->state == VISIT_RECONNECT)
		back_to_first(v);
	finish(v, OUTCOME_CANCELLED, NULL);
}

void visit_clear(struct visit *v)
{
	if (v->config->session.identity != NULL)
		explicit_bzero(v->session, proto_of(v)->session_size);
}

static int32_t clamp_ms(int64_t ms)
{
	return ms > INT32_MAX ? INT32_MAX : (int32_t)ms;
}

/* From the start of the attempt, where the session counts from its connection. */
static int32_t from_attempt(const struct visit *v, int64_t session_ms)
{
	if (session_ms < 0)
		return -1;
	return clamp_ms((int64_t)(v->connected_ms - v->attempt_ms) + session_ms);
}

void visit_record(const struct visit *v, uint64_t now_ms, struct record *out)
{
	struct session_times times;
	struct session_counts counts;

	*out = (struct record){
		.addr = v->addr,
		.started_at_ms = v->started_unix_ms,
		.outcome = v->outcome,
		.reached = v->handshaken,
		.tries = v->attempts,
		.stepwise = v->stepwise,
		.rule = v->rule,
		.connect_ms = -1,
		.version_ms = -1,
		.handshake_ms = -1,
		.reply_ms = -1,
		.total_ms = clamp_ms((int64_t)(now_ms - v->started_ms)),
		.info = { .height = -1 },
		.adverts = v->adverts,
		.bytes_in = v->bytes_in,
		.bytes_out = v->bytes_out,
		.messages_in = v->messages_in,
		.unknown_in = v->unknown_in,
	};
	if (v->connected_ms == 0)
		return; /* no session was begun on the last connection */
	proto_of(v)->times(v->session, &times);
	proto_of(v)->counts(v->session, &counts);
	proto_of(v)->info(v->session, &out->info);
	out->connect_ms = clamp_ms((int64_t)(v->connected_ms - v->attempt_ms));
	out->version_ms = from_attempt(v, times.version_ms);
	out->handshake_ms = from_attempt(v, times.handshake_ms);
	out->reply_ms = from_attempt(v, times.reply_ms);
	out->bytes_in += counts.bytes_in;
	out->bytes_out += counts.bytes_out;
	out->messages_in += counts.messages_in;
	out->unknown_in += counts.unknown_in;
}
