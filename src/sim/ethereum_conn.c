#include "sim/ethereum_conn.h"

#include "proto/ethereum/rlpx_session.h"

#include <stdlib.h>
#include <string.h>

enum step {
	STEP_TALK,  /* a session, or the handshake of a full node */
	STEP_CLOSE, /* close, once all is said */
	STEP_RESET,
	STEP_OVER,
};

struct sim_ethereum_conn {
	struct sim_ethereum_node node;
	enum step step;
	bool shook_hands;
	uint64_t due_ms;       /* of what is to be said, or of the end */
	uint64_t handshake_ms; /* until then, it has to be done with a full node */
	struct rlpx_session session;
	struct rlpx_handshake handshake; /* of a full node, which needs no session */
	size_t in_len, out_len;
	uint8_t in[SIM_ETHEREUM_IN_MAX], out[SIM_ETHEREUM_OUT_MAX], told[SIM_ETHEREUM_OUT_MAX];
};

enum err sim_ethereum_conn_new(const struct sim_ethereum *w, uint32_t index,
			       const struct identity *random, uint64_t number, uint64_t now_ms,
			       struct sim_ethereum_conn **out)
{
	struct sim_ethereum_conn *c = calloc(1, sizeof(*c));
	struct rlpx_session_params params = {
		.role = SESSION_RESPONDER,
		.goal = RLPX_GOAL_SERVE,
	};

	*out = c;
	if (c == NULL)
		return ERR_NOMEM;
	sim_ethereum_node(w, index, &c->node);
	c->due_ms = now_ms;
	c->handshake_ms = now_ms + RLPX_HANDSHAKE_MS;
	identity_local(random, number, &params.local);
	params.local.key = *sim_ethereum_key(w, index);
	params.client = slice_text(c->node.client);
	params.listen_port = c->node.enode.endpoint.tcp_port;
	params.status = &c->node.status;
	params.offers = c->node.offers;
	params.offers_count = c->node.offers_count;
	switch (c->node.session) {
	case SIM_ETHEREUM_SESSION_STATUS:
		rlpx_session_init(&c->session, &params, now_ms);
		break;
	case SIM_ETHEREUM_SESSION_FULL:
		rlpx_handshake_init(&c->handshake, SESSION_RESPONDER, &params.local, NULL);
		break;
	case SIM_ETHEREUM_SESSION_HANGS_UP:
	case SIM_ETHEREUM_SESSION_CLOSED: /* whoever comes nevertheless */
	case SIM_ETHEREUM_SESSION_NONE:
	case SIM_ETHEREUM_SESSION_COUNT:
		c->step = STEP_CLOSE;
		break;
	}
	return ERR_OK;
}

void sim_ethereum_conn_free(struct sim_ethereum_conn *c)
{
	free(c);
}

/* Queues bytes; they leave when the first of them is due. */
static void say(struct sim_ethereum_conn *c, const uint8_t *bytes, size_t len, uint64_t now_ms)
{
	if (len > sizeof(c->out) - c->out_len) {
		c->step = STEP_RESET;
		return;
	}
	if (c->out_len == 0)
		c->due_ms = now_ms;
	memcpy(c->out + c->out_len, bytes, len);
	c->out_len += len;
}

static void end(struct sim_ethereum_conn *c, uint64_t now_ms)
{
	if (c->step != STEP_TALK)
		return;
	c->step = STEP_CLOSE;
	if (c->out_len == 0)
		c->due_ms = now_ms;
}

/* What the session wants to say, and whether it is over. */
static void serve(struct sim_ethereum_conn *c, uint64_t now_ms)
{
	uint8_t bytes[RLPX_OUT_CAP];
	enum rlpx_outcome outcome;
	const char *rule;
	size_t len;

	while (c->step == STEP_TALK &&
	       (len = rlpx_session_send(&c->session, bytes, sizeof(bytes))) > 0)
		say(c, bytes, len, now_ms);
	c->shook_hands = c->session.info.has_key;
	if (rlpx_session_done(&c->session, &outcome, &rule))
		end(c, now_ms);
}

/* As go-ethereum does it when it has no place left: encrypted, but before Hello. */
static void say_full(struct sim_ethereum_conn *c, struct slice auth, uint64_t now_ms)
{
	static const uint8_t as_list[] = { P2P_DISCONNECT, 0xc1, P2P_REASON_TOO_MANY };
	static const uint8_t bare[] = { P2P_DISCONNECT, P2P_REASON_TOO_MANY };
	struct slice ack = rlpx_ack_write(&c->handshake);
	struct rlpx_frames frames;
	uint8_t frame[128];
	struct writer w;

	say(c, ack.data, ack.len, now_ms);
	rlpx_frames_init(&frames, &c->handshake, auth);
	writer_init(&w, frame, sizeof(frame));
	rlpx_frame_write(&frames, &w,
			 c->node.index % 4 == 0 ? slice_of(bare, sizeof(bare))
						: slice_of(as_list, sizeof(as_list)));
	rlpx_frames_clear(&frames);
	say(c, frame, w.len, now_ms);
	c->shook_hands = true;
}

/* Bytes taken of what has come to a full node. */
static size_t recv_full(struct sim_ethereum_conn *c, struct slice in, uint64_t now_ms)
{
	size_t len;

	if (in.len < RLPX_SIZE_LEN)
		return 0;
	len = rlpx_packet_len(in);
	if (len > in.len)
		return 0;
	in = slice_of(in.data, len);
	if (len > 0 && rlpx_auth_read(&c->handshake, in) == NULL)
		say_full(c, in, now_ms);
	end(c, now_ms);
	return len;
}

void sim_ethereum_conn_recv(struct sim_ethereum_conn *c, struct slice in, uint64_t now_ms)
{
	while (c->step == STEP_TALK) {
		bool full = c->node.session == SIM_ETHEREUM_SESSION_FULL;
		size_t room = sizeof(c->in) - c->in_len, part = in.len < room ? in.len : room;
		size_t used;

		if (part > 0)
			memcpy(c->in + c->in_len, in.data, part);
		c->in_len += part;
		in = slice_from(in, part);
		used = full ? recv_full(c, slice_of(c->in, c->in_len), now_ms)
			    : rlpx_session_recv(&c->session, slice_of(c->in, c->in_len), now_ms);
		memmove(c->in, c->in + used, c->in_len - used);
		c->in_len -= used;
		if (!full)
			serve(c, now_ms);
		if (used == 0)
			break; /* all is here, as no part is longer than the buffer */
	}
}

/* When the session wants to be looked at, or a full node has waited long enough. */
static uint64_t talk_deadline(const struct sim_ethereum_conn *c)
{
	if (c->step != STEP_TALK)
		return UINT64_MAX;
	return c->node.session == SIM_ETHEREUM_SESSION_FULL ? c->handshake_ms
							    : rlpx_session_deadline(&c->session);
}

bool sim_ethereum_conn_next(struct sim_ethereum_conn *c, uint64_t now_ms, struct sim_output *out)
{
	if (now_ms >= talk_deadline(c)) {
		if (c->node.session == SIM_ETHEREUM_SESSION_FULL) {
			end(c, now_ms);
		} else {
			rlpx_session_tick(&c->session, now_ms);
			serve(c, now_ms);
		}
	}
	*out = (struct sim_output){ .at_ms = c->due_ms };
	if (c->step == STEP_RESET) {
		c->step = STEP_OVER;
		out->kind = SIM_OUTPUT_RESET;
		return true;
	}
	if (now_ms < c->due_ms || c->step == STEP_OVER)
		return false;
	if (c->out_len > 0) {
		memcpy(c->told, c->out, c->out_len);
		out->kind = SIM_OUTPUT_BYTES;
		out->bytes = slice_of(c->told, c->out_len);
		c->out_len = 0;
		return true;
	}
	if (c->step != STEP_CLOSE)
		return false;
	c->step = STEP_OVER;
	out->kind = SIM_OUTPUT_CLOSE;
	return true;
}

uint64_t sim_ethereum_conn_deadline(const struct sim_ethereum_conn *c)
{
	uint64_t talk_ms = talk_deadline(c);

	if (c->step == STEP_OVER)
		return UINT64_MAX;
	if (c->step == STEP_TALK && c->out_len == 0)
		return talk_ms;
	return c->due_ms < talk_ms ? c->due_ms : talk_ms;
}

bool sim_ethereum_conn_shook_hands(const struct sim_ethereum_conn *c)
{
	return c->shook_hands;
}
