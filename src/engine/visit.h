/* visit.h: one visit of one peer over a stream connection, without a socket or a clock.
 *
 *     CONNECTING -> OPEN -> DONE
 *          ^          |
 *          +----------+  RECONNECT: once more, step by step, for a peer that
 *                        closed on the one-flight handshake; if it can't be
 *                        reached again, what came of the first time counts
 *
 * The caller owns the memory (visit_size bytes), the socket, the bytes and the time.
 * It dials when the state is CONNECTING or RECONNECT, reports what became of that,
 * feeds bytes, drains visit_send after each call, closes the socket when the state
 * is RECONNECT or DONE, and calls visit_tick no later than visit_deadline.
 * Every session event is passed to on_event during the call that caused it. */
#ifndef PEERWALK_ENGINE_VISIT_H
#define PEERWALK_ENGINE_VISIT_H

#include "engine/patience.h"
#include "engine/record.h"
#include "proto/proto.h"

enum {
	/* Room that whoever drains visit_send offers, at least: `more` has messages of up to
	 * that size, and nothing may come into the middle of one. */
	VISIT_SEND_MIN = 4096,
};

enum visit_state {
	VISIT_CONNECTING,
	VISIT_OPEN,
	VISIT_RECONNECT,
	VISIT_DONE,
};

struct visit;

typedef void visit_event_fn(void *ctx, struct visit *v, struct session_event *event);
/* What somebody beside the session has to say: one whole message; 0: nothing. */
typedef size_t visit_more_fn(void *ctx, struct visit *v, uint8_t *out, size_t cap);

/* What all visits of a crawl share; outlives them. */
struct visit_config {
	struct session_params session; /* peer, nonce, unix_s, stepwise are set per visit */
	uint64_t connect_timeout_ms;
	visit_event_fn *on_event; /* may be NULL */
	visit_more_fn *more;      /* asked once the session has said all; may be NULL */
	void *on_event_ctx;       /* of both */
};

struct visit {
	const struct visit_config *config;
	enum visit_state state;
	struct netaddr addr;
	void *owner; /* the caller's, untouched */
	/* private */
	uint64_t nonce, started_ms, attempt_ms;
	uint64_t connected_ms; /* 0: never; now_ms is never 0 */
	uint64_t first_ms;     /* once there is a second attempt: the first one's attempt_ms */
	struct patience_wait wait;
	int64_t started_unix_ms;
	uint8_t attempts;
	bool handshaken, stepwise;
	bool hung_up; /* there was a connection, and is none any more */
	enum outcome outcome;
	const char *rule;
	uint32_t adverts;
	uint64_t bytes_in, bytes_out; /* of earlier attempts; out: also what `more` said */
	uint32_t messages_in, unknown_in;
	_Alignas(16) uint8_t session[];
};

size_t visit_size(const struct network *network);
/* wait: how long the peer may take, where that differs from what all visits of the config share;
 * may be NULL. To its answer the visit adds twice the time that it took to connect. The nonce tells
 * our own connections apart: random, unknown to others. unix_ms is the wall clock at now_ms, which
 * counts from anywhere but is never 0. */
void visit_init(struct visit *v, const struct visit_config *config, const struct netaddr *addr,
		const struct patience_wait *wait, uint64_t nonce, uint64_t now_ms, int64_t unix_ms);
void visit_connected(struct visit *v, uint64_t now_ms);
/* REFUSED, UNREACHABLE, RESET or CONNECT_TIMEOUT. */
void visit_connect_failed(struct visit *v, enum outcome why, uint64_t now_ms);
/* Takes one message, or a part of one that is passed over, and returns its bytes: drain
 * visit_send, then call again with the rest. After 0 the rest belongs to an unfinished
 * message, of which visit_need() bytes have to be there before it helps to call again. */
size_t visit_recv(struct visit *v, struct slice in, uint64_t now_ms);
size_t visit_need(const struct visit *v);
size_t visit_send(struct visit *v, uint8_t *out, size_t cap);
void visit_closed(struct visit *v, enum session_close how, uint64_t now_ms);
uint64_t visit_deadline(const struct visit *v);
void visit_tick(struct visit *v, uint64_t now_ms);
/* Ends the visit from our side, as CANCELLED unless it was already done. */
void visit_cancel(struct visit *v, uint64_t now_ms);
/* What came of it; meaningful in DONE. Slices borrow from the visit. */
void visit_record(const struct visit *v, uint64_t now_ms, struct record *out);
/* Wipes what the session has of our keys, once all of it has been read. */
void visit_clear(struct visit *v);

#endif
