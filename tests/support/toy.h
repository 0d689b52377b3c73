/* toy.h: a protocol for tests of whoever carries a session's bytes. Messages are lines:
 *
 *     h           the first word of each side; hands are shaken
 *     a           ask: answered with TOY_ANSWER bytes, the last of them a line feed
 *     n           names somebody, whom nobody looks at
 *     m LENGTH    with so many bytes behind the line feed: has to be held until all is there
 *
 * Anything else breaks a rule. Of a peer that has not said h within TOY_WAIT_MS nothing is
 * expected any more. */
#ifndef PEERWALK_TESTS_SUPPORT_TOY_H
#define PEERWALK_TESTS_SUPPORT_TOY_H

#include "proto/proto.h"

#include <stdlib.h>
#include <string.h>

enum { TOY_ANSWER = 128 * 1024, TOY_WAIT_MS = 10 * 1000, TOY_MESSAGE_MAX = 4 << 20 };

struct toy {
	struct session_params params;
	struct session_counts counts;
	uint64_t start_ms;
	size_t need, message;
	unsigned owed;
	bool up, hello_due, told_up, over, told_over;
	enum outcome outcome;
};

static void toy_end(struct toy *t, enum outcome outcome)
{
	if (!t->over)
		t->outcome = outcome;
	t->over = true;
}

static void toy_init(void *session, const struct session_params *params, uint64_t now_ms)
{
	*(struct toy *)session = (struct toy){ .params = *params,
					       .start_ms = now_ms,
					       .need = 1,
					       .hello_due = params->role == SESSION_INITIATOR };
}

static void toy_hear(struct toy *t, const char *line)
{
	t->counts.messages_in++;
	if (*line == 'h') {
		t->hello_due = !t->up && t->params.role == SESSION_RESPONDER;
		t->up = true;
	} else if (t->up && *line == 'n') {
		return;
	} else if (t->up && *line == 'a') {
		t->owed++;
	} else if (t->up && *line == 'm' && atol(line + 2) <= TOY_MESSAGE_MAX) {
		t->message = (size_t)atol(line + 2);
	} else {
		toy_end(t, OUTCOME_PROTOCOL_ERROR);
	}
}

static size_t toy_recv(void *session, struct slice in, uint64_t now_ms)
{
	struct toy *t = session;
	const uint8_t *end = memchr(in.data, '\n', in.len);
	size_t used = 0;

	(void)now_ms;
	if (t->over || in.len == 0)
		return 0;
	if (t->message > 0) {
		used = in.len >= t->message ? t->message : 0;
		t->message -= used;
	} else if (end != NULL) {
		used = (size_t)(end - in.data) + 1;
		toy_hear(t, (const char *)in.data);
	} else if (in.len > 16) {
		toy_end(t, OUTCOME_TOO_BIG);
	}
	t->need = t->message > 0 ? t->message : in.len - used + 1;
	t->counts.bytes_in += used;
	return used;
}

static size_t toy_need(const void *session)
{
	return ((const struct toy *)session)->need;
}

static size_t toy_send(void *session, uint8_t *out, size_t cap)
{
	struct toy *t = session;
	size_t n = 0;

	if (t->hello_due) {
		memcpy(out, "h\n", 2);
		n = 2;
		t->hello_due = false;
	} else if (t->owed > 0 && cap >= TOY_ANSWER) {
		memset(out, 'x', TOY_ANSWER);
		out[TOY_ANSWER - 1] = '\n';
		n = TOY_ANSWER;
		t->owed--;
	}
	t->counts.bytes_out += n;
	t->counts.messages_out += n > 0;
	return n;
}

static bool toy_next(void *session, struct session_event *out)
{
	struct toy *t = session;

	*out = (struct session_event){ .kind = SESSION_EVENT_HANDSHAKE };
	if (t->up && !t->told_up)
		return t->told_up = true;
	*out = (struct session_event){ .kind = SESSION_EVENT_DONE, .outcome = t->outcome };
	if (t->over && !t->told_over)
		return t->told_over = true;
	return false;
}

static uint64_t toy_deadline(const void *session)
{
	const struct toy *t = session;

	return t->up || t->over ? UINT64_MAX : t->start_ms + TOY_WAIT_MS;
}

static void toy_tick(void *session, uint64_t now_ms)
{
	if (now_ms >= toy_deadline(session))
		toy_end(session, OUTCOME_HANDSHAKE_TIMEOUT);
}

static void toy_closed(void *session, enum session_close how, uint64_t now_ms)
{
	(void)now_ms;
	toy_end(session, how == SESSION_CLOSE_EOF ? OUTCOME_OK : OUTCOME_RESET);
}

static void toy_info(const void *session, struct peer_info *out)
{
	(void)session;
	memset(out, 0, sizeof(*out));
}

static void toy_times(const void *session, struct session_times *out)
{
	(void)session;
	memset(out, 0, sizeof(*out));
}

static void toy_counts(const void *session, struct session_counts *out)
{
	*out = ((const struct toy *)session)->counts;
}

static size_t toy_adverts(struct session_event *event, struct advert *out, size_t cap)
{
	(void)event;
	(void)out;
	(void)cap;
	return 0;
}

static size_t toy_answer(void *session, const struct advert *adverts, size_t count, uint8_t *out,
			 size_t cap)
{
	(void)adverts;
	(void)count;
	(void)cap;
	((struct toy *)session)->counts.messages_out++;
	memcpy(out, "n\n", 2);
	return 2;
}

static const struct peer_policy toy_policy = {
	.out_wanted = 2,
	.in_max = 1000,
	.host_max = 4,
	.known_max = 1000,
	.known_s = 3600,
	.answer_max = 10,
	.answer_percent = 100,
	.take_first = 10,
	.take_per_10s = 10,
	.take_burst = 10,
	.messages_burst = 100000,
	.messages_per_s = 100000,
};

static const struct proto toy_proto = {
	.name = "toy",
	.policy = &toy_policy,
	.session_size = sizeof(struct toy),
	.session_align = _Alignof(struct toy),
	.buffer_max = TOY_MESSAGE_MAX,
	.init = toy_init,
	.recv = toy_recv,
	.need = toy_need,
	.send = toy_send,
	.next = toy_next,
	.deadline = toy_deadline,
	.tick = toy_tick,
	.closed = toy_closed,
	.info = toy_info,
	.times = toy_times,
	.counts = toy_counts,
	.adverts = toy_adverts,
	.answer = toy_answer,
};

static const struct network toy_network = { .name = "toy",
					    .proto = &toy_proto,
					    .default_port = 5999 };

#endif
