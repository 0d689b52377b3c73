/* fuzz_rlpx.c: an RLPx session that is fed a stranger's bytes.
 *
 * The first byte chooses role, goal, and whether the rest comes as it is or, behind an honest
 * handshake, as the data of good frames: two bytes of length before each. Whatever follows:
 * the session takes no more than it was given, sends nothing but good frames of messages that
 * it knows, and comes to the same verdict however the bytes were cut up. */
#include "fuzz/fuzz.h"
#include "proto/ethereum/rlp.h"
#include "proto/ethereum/rlpx_session.h"

#include <string.h>

enum {
	INPUT_MAX = 1 << 13,
	WIRE_MAX = 1 << 16,
	RESPONDER = 1,
	SERVE = 2,
	AS_IT_IS = 4,
};

static struct secp secp;
static uint8_t ours[SECP_PUBLIC_LEN], theirs[SECP_PUBLIC_LEN];

static const struct eth_status chain = { .network_id = 1, .head = { 1 }, .latest = 7 };

static struct rlpx_local local_of(uint8_t seed)
{
	struct rlpx_local l = { .secp = &secp, .padding = seed };

	memset(l.key.bytes, seed, SECP_KEY_LEN);
	memset(l.ephemeral.bytes, seed + 1, SECP_KEY_LEN);
	memset(l.ecies.ephemeral.bytes, seed + 2, SECP_KEY_LEN);
	memset(l.nonce, seed + 3, sizeof(l.nonce));
	return l;
}

struct run {
	struct rlpx_session session;
	struct rlpx_handshake handshake;
	struct rlpx_frames frames;
	bool framed;
	uint8_t out[WIRE_MAX];
	size_t out_len;
	enum rlpx_outcome outcome;
	const char *rule;
};

/* Opens what the session has sent since the last time. */
static void listen(struct run *run)
{
	size_t n, at = 0;

	while ((n = rlpx_session_send(&run->session, run->out + run->out_len, 100)) > 0) {
		CHECK(n <= 100);
		run->out_len += n;
		CHECK(run->out_len + 100 < WIRE_MAX);
	}
	while (run->framed && at < run->out_len) {
		uint8_t data[4096];
		uint32_t len, padded;
		struct reader r;
		uint64_t id;

		CHECK(rlpx_header_read(&run->frames, run->out + at, &len) == NULL);
		padded = rlpx_padded(len);
		CHECK(padded <= sizeof(data));
		at += RLPX_HEADER_LEN;
		rlpx_data_read(&run->frames, slice_of(run->out + at, padded), data);
		CHECK(rlpx_data_check(&run->frames, run->out + at + padded) == NULL);
		at += padded + RLPX_MAC_LEN;
		reader_init(&r, slice_of(data, len));
		id = rlp_uint(&r, 1, RLP_STRICT, "id");
		CHECK(reader_ok(&r));
		CHECK(id == P2P_HELLO || id == P2P_DISCONNECT || id == P2P_PONG || id == 0x10);
	}
	if (run->framed) {
		CHECK(at == run->out_len);
		run->out_len = 0;
	}
}

static void feed(struct run *run, struct slice in, size_t step)
{
	uint8_t *piece = malloc(in.len + 1); /* of the size of what is there: watched */
	size_t from = 0, to = 0, n;

	CHECK(piece != NULL);
	while (to < in.len) {
		to = in.len - to < step ? in.len : to + step;
		do {
			memcpy(piece, in.data + from, to - from);
			n = rlpx_session_recv(&run->session, slice_of(piece, to - from), 1000);
			CHECK(n <= to - from);
			from += n;
			listen(run);
		} while (n > 0);
	}
	free(piece);
}

/* As the other side of an honest handshake. */
static void shake(struct run *run, bool responder)
{
	struct rlpx_local local = local_of(0x41);
	struct rlpx_handshake *h = &run->handshake;
	uint8_t packet[RLPX_SENT_MAX];
	struct slice in;
	size_t len;

	if (responder) {
		rlpx_handshake_init(h, SESSION_INITIATOR, &local, ours);
		in = rlpx_auth_write(h);
		CHECK(rlpx_session_recv(&run->session, in, 1000) == in.len);
	}
	/* The packet alone: Hello may stand behind it. */
	CHECK(rlpx_session_send(&run->session, packet, RLPX_SIZE_LEN) == RLPX_SIZE_LEN);
	len = rlpx_packet_len(slice_of(packet, RLPX_SIZE_LEN));
	CHECK(len > 0 && len <= sizeof(packet));
	CHECK(rlpx_session_send(&run->session, packet + 2, len - 2) == len - 2);
	in = slice_of(packet, len);
	if (responder) {
		CHECK(rlpx_ack_read(h, in) == NULL);
	} else {
		rlpx_handshake_init(h, SESSION_RESPONDER, &local, NULL);
		CHECK(rlpx_auth_read(h, in) == NULL);
		rlpx_ack_write(h);
	}
	rlpx_frames_init(&run->frames, h, in);
	run->framed = true;
	if (!responder)
		CHECK(rlpx_session_recv(&run->session, slice_of(h->sent, h->sent_len), 1000) ==
		      h->sent_len);
	listen(run);
}

static void play(struct run *run, uint8_t flags, struct slice in, size_t step)
{
	bool responder = flags & RESPONDER;
	struct rlpx_session_params params = {
		.role = responder ? SESSION_RESPONDER : SESSION_INITIATOR,
		.goal = flags & SERVE ? RLPX_GOAL_SERVE : RLPX_GOAL_LEARN,
		.local = local_of(0x11),
		.client = slice_text("peerwalk/fuzz"),
		.status = flags & SERVE ? &chain : NULL,
		.timeout_ms = 20000,
	};
	struct rlpx_info info;

	params.remote = responder ? NULL : theirs;
	run->framed = false;
	run->out_len = 0;
	if (flags & AS_IT_IS) {
		rlpx_session_init(&run->session, &params, 1000);
		feed(run, in, step);
	} else {
		/* Curves are slow; until Hello has come, a session may be copied. */
		static struct run shaken[4];
		static bool known[4];
		unsigned kind = flags & (RESPONDER | SERVE);

		if (!known[kind]) {
			rlpx_session_init(&run->session, &params, 1000);
			shake(run, responder);
			shaken[kind] = *run;
			known[kind] = true;
		}
		*run = shaken[kind];
		while (in.len > 2) {
			size_t len = ((size_t)in.data[0] << 8 | in.data[1]) % 5000;
			static uint8_t wire[8192];
			struct writer w;

			in = slice_from(in, 2);
			if (len > in.len)
				len = in.len;
			writer_init(&w, wire, sizeof(wire));
			rlpx_frame_write(&run->frames, &w, slice_of(in.data, len));
			CHECK(writer_ok(&w));
			feed(run, slice_of(wire, w.len), step);
			in = slice_from(in, len);
		}
	}
	for (unsigned i = 0; i < 2; i++) {
		uint64_t deadline = rlpx_session_deadline(&run->session);

		if (deadline != UINT64_MAX)
			rlpx_session_tick(&run->session, deadline);
	}
	listen(run);
	CHECK(rlpx_session_done(&run->session, &run->outcome, &run->rule));
	rlpx_session_info(&run->session, &info);
	CHECK(!info.has_status || info.has_hello);
	CHECK(run->outcome != RLPX_OUTCOME_OK || info.has_status);
	CHECK(rlpx_session_recv(&run->session, slice_text("x"), 1000) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run whole, pieces;
	static bool ready;
	struct slice in;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	if (!ready) {
		const uint8_t random[SECP_RANDOM_LEN] = { 1 };

		struct rlpx_local us = local_of(0x11), them = local_of(0x41);

		secp_init(&secp, random);
		secp_public(&secp, &us.key, ours);
		secp_public(&secp, &them.key, theirs);
		ready = true;
	}
	in = slice_of(data + 1, size - 1);
	play(&whole, data[0], in, SIZE_MAX);
	play(&pieces, data[0], in, 1 + data[0] / 8);
	CHECK(whole.outcome == pieces.outcome && whole.rule == pieces.rule);
	return 0;
}
