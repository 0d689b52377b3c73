/* test_rlpx_session.c: RLPx sessions against a puppet that says whatever a row wants. */
#include "base/text.h"
#include "proto/ethereum/rlp.h"
#include "proto/ethereum/rlpx_session.h"
#include "proto/ethereum/snappy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* After cmocka's own. */
#include "support/rlpx.h"

enum step_kind {
	END,
	HELLO,    /* a good one, with eth/68 */
	HELLO_V4, /* from before Snappy */
	HELLO_OTHER_ETH,
	HELLO_OTHER_KEY,
	STATUS,       /* a good one, packed */
	STATUS_PLAIN, /* the same, not packed */
	STATUS_BIG,   /* packed, of 1025 bytes */
	STATUS_LONG,  /* the same, not packed */
	RAW,          /* a message as it stands in hex, its number included */
	LONG_PLAIN,   /* a message of 3000 bytes, number 11 */
	LONG,         /* the same behind Hello, where it declares its length */
	HUGE_HEADER,  /* the header of a frame of 16 MiB */
	EMPTY,        /* a frame without data */
	HALF,         /* half a frame */
	BAD_HEADER,   /* its MAC is changed */
	BAD_DATA,     /* its last byte is changed */
	CLOSE,
	RESET,
	WAIT,  /* until the deadline */
	LEAVE, /* we do */
};

struct step {
	enum step_kind kind;
	const char *hex;
};

enum { SENT_NOTHING = -1, STEPS_MAX = 5 };

static const struct {
	const char *name;
	struct step steps[STEPS_MAX];
	enum rlpx_outcome outcome;
	const char *rule;
	int reason;        /* of the Disconnect that the session sends, or SENT_NOTHING */
	uint32_t messages; /* that it sends: Hello, Status, Pong, Disconnect, as bits */
} rows[] = {
#define H    (1 << P2P_HELLO)
#define D    (1 << P2P_DISCONNECT)
#define PONG (1 << P2P_PONG)
#define S    (1 << 0x10)
	{ "as it should be", { { HELLO, 0 }, { STATUS, 0 } }, RLPX_OUTCOME_OK, NULL, 8, H | S | D },
	{ "an old peer, nothing is packed",
	  { { HELLO_V4, 0 }, { STATUS_PLAIN, 0 } },
	  RLPX_OUTCOME_OK,
	  NULL,
	  8,
	  H | S | D },
	{ "too many peers, before Hello",
	  { { RAW, "01c104" } },
	  RLPX_OUTCOME_FULL,
	  NULL,
	  SENT_NOTHING,
	  H },
	{ "too many peers, before Hello, a bare byte",
	  { { RAW, "0104" } },
	  RLPX_OUTCOME_FULL,
	  NULL,
	  SENT_NOTHING,
	  H },
	{ "too many peers, behind Hello, not packed",
	  { { HELLO, 0 }, { RAW, "0104" } },
	  RLPX_OUTCOME_DISCONNECTED,
	  NULL,
	  SENT_NOTHING,
	  H },
	{ "too many peers, behind Hello, packed",
	  { { HELLO, 0 }, { RAW, "010204c104" } },
	  RLPX_OUTCOME_DISCONNECTED,
	  NULL,
	  SENT_NOTHING,
	  H },
	{ "useless peer, before Hello",
	  { { RAW, "01c103" } },
	  RLPX_OUTCOME_DISCONNECTED,
	  NULL,
	  SENT_NOTHING,
	  H },
	{ "a Disconnect that is none",
	  { { RAW, "01c1c0" } },
	  RLPX_OUTCOME_PROTOCOL_ERROR,
	  "disconnect: a reason, in a list or bare",
	  SENT_NOTHING,
	  H },
	{ "a ping, then its Status",
	  { { HELLO, 0 }, { RAW, "020100c0" }, { STATUS, 0 } },
	  RLPX_OUTCOME_OK,
	  NULL,
	  8,
	  H | PONG | S | D },
	{ "numbers that nobody has defined",
	  { { HELLO, 0 }, { RAW, "030100c0" }, { RAW, "0f" }, { RAW, "110100c0" }, { STATUS, 0 } },
	  RLPX_OUTCOME_OK,
	  NULL,
	  8,
	  H | S | D },
	{ "a long message is let go",
	  { { HELLO, 0 }, { LONG, 0 }, { STATUS, 0 } },
	  RLPX_OUTCOME_OK,
	  NULL,
	  8,
	  H | S | D },
	{ "a message's number as zero byte for Hello",
	  { { RAW, "00c0" } },
	  RLPX_OUTCOME_PROTOCOL_ERROR,
	  "version",
	  2,
	  H | D },
	{ "a ping before Hello",
	  { { RAW, "02c0" } },
	  RLPX_OUTCOME_PROTOCOL_ERROR,
	  "hello: before all other messages",
	  2,
	  H | D },
	{ "a Status before Hello",
	  { { RAW, "10c0" } },
	  RLPX_OUTCOME_PROTOCOL_ERROR,
	  "hello: before all other messages",
	  2,
	  H | D },
	{ "Hello twice",
	  { { HELLO, 0 }, { HELLO, 0 } },
	  RLPX_OUTCOME_PROTOCOL_ERROR,
	  "hello: once",
	  2,
	  H | D },
	{ "Hello with another key",
	  { { HELLO_OTHER_KEY, 0 } },
	  RLPX_OUTCOME_PROTOCOL_ERROR,
	  "hello: the key that the handshake proved",
	  9,
	  H | D },
	{ "no version of eth in common",
	  { { HELLO_OTHER_ETH, 0 } },
	  RLPX_OUTCOME_NO_ETH,
	  NULL,
	  3,
	  H | D },
	{ "a message longer than any Hello",
	  { { LONG_PLAIN, 0 } },
	  RLPX_OUTCOME_TOO_BIG,
	  "hello: no longer than 2048 bytes",
	  2,
	  H | D },
	{ "no number",
	  { { RAW, "c0" } },
	  RLPX_OUTCOME_PROTOCOL_ERROR,
	  "message: begins with its number",
	  2,
	  H | D },
	{ "an empty frame",
	  { { EMPTY, 0 } },
	  RLPX_OUTCOME_PROTOCOL_ERROR,
	  "frame: not empty",
	  SENT_NOTHING,
	  H },
	{ "a header that was changed",
	  { { BAD_HEADER, 0 } },
	  RLPX_OUTCOME_PROTOCOL_ERROR,
	  "frame: the MAC of the header is wrong",
	  SENT_NOTHING,
	  H },
	{ "data that was changed",
	  { { HELLO, 0 }, { BAD_DATA, 0 } },
	  RLPX_OUTCOME_PROTOCOL_ERROR,
	  "frame: the MAC of the data is wrong",
	  SENT_NOTHING,
	  H },
	{ "16 MiB before its Status",
	  { { HELLO, 0 }, { HUGE_HEADER, 0 } },
	  RLPX_OUTCOME_TOO_BIG,
	  "status: before 256 KiB of anything else",
	  2,
	  H | D },
	{ "a Status that is not packed",
	  { { HELLO, 0 }, { STATUS_PLAIN, 0 } },
	  RLPX_OUTCOME_TOO_BIG,
	  "status: packed, and no longer than 1024 bytes",
	  2,
	  H | D },
	{ "a Status that Snappy can't unpack",
	  { { HELLO, 0 }, { RAW, "100408616263" } },
	  RLPX_OUTCOME_PROTOCOL_ERROR,
	  "status: packed by Snappy",
	  2,
	  H | D },
	{ "a Status that is packed, from before Snappy",
	  { { HELLO_V4, 0 }, { STATUS, 0 } },
	  RLPX_OUTCOME_PROTOCOL_ERROR,
	  "a list is expected here",
	  2,
	  H | D },
	{ "a Status of 1025 bytes",
	  { { HELLO, 0 }, { STATUS_BIG, 0 } },
	  RLPX_OUTCOME_TOO_BIG,
	  "status: packed, and no longer than 1024 bytes",
	  2,
	  H | D },
	{ "a Status without a byte",
	  { { HELLO_V4, 0 }, { RAW, "10" } },
	  RLPX_OUTCOME_PROTOCOL_ERROR,
	  "status",
	  2,
	  H | D },
	{ "a Status of 1025 bytes that nobody packs",
	  { { HELLO_V4, 0 }, { STATUS_LONG, 0 } },
	  RLPX_OUTCOME_TOO_BIG,
	  "status: no longer than 1024 bytes",
	  2,
	  H | D },
	{ "a Status that declares 17 MiB",
	  { { HELLO, 0 }, { RAW, "108180800800" } },
	  RLPX_OUTCOME_TOO_BIG,
	  "snappy: declares no more than 16 MiB",
	  2,
	  H | D },
	{ "anything that declares 4 GiB",
	  { { HELLO, 0 }, { RAW, "12ffffffff0f00" } },
	  RLPX_OUTCOME_TOO_BIG,
	  "snappy: declares no more than 16 MiB",
	  2,
	  H | D },
	{ "anything without a length",
	  { { HELLO, 0 }, { RAW, "12ffffffffffff" } },
	  RLPX_OUTCOME_PROTOCOL_ERROR,
	  "snappy: begins with a length",
	  2,
	  H | D },
	{ "an empty Status",
	  { { HELLO, 0 }, { RAW, "100100c0" } },
	  RLPX_OUTCOME_PROTOCOL_ERROR,
	  "version",
	  2,
	  H | D },
	{ "closed before Hello", { { CLOSE, 0 } }, RLPX_OUTCOME_CLOSED, NULL, SENT_NOTHING, H },
	{ "reset before Hello", { { RESET, 0 } }, RLPX_OUTCOME_CLOSED, NULL, SENT_NOTHING, H },
	{ "silent before Hello", { { WAIT, 0 } }, RLPX_OUTCOME_TIMEOUT, NULL, 11, H | D },
	{ "closed before its Status",
	  { { HELLO, 0 }, { CLOSE, 0 } },
	  RLPX_OUTCOME_NO_STATUS,
	  NULL,
	  SENT_NOTHING,
	  H },
	{ "silent before its Status",
	  { { HELLO, 0 }, { WAIT, 0 } },
	  RLPX_OUTCOME_NO_STATUS,
	  NULL,
	  11,
	  H | D },
	{ "we leave before Hello", { { LEAVE, 0 } }, RLPX_OUTCOME_TIMEOUT, NULL, 8, H | D },
	{ "we leave before its Status",
	  { { HELLO, 0 }, { LEAVE, 0 } },
	  RLPX_OUTCOME_NO_STATUS,
	  NULL,
	  8,
	  H | D },
	{ "we leave, and nothing is left to say",
	  { { HELLO, 0 }, { STATUS, 0 }, { LEAVE, 0 } },
	  RLPX_OUTCOME_OK,
	  NULL,
	  8,
	  H | S | D },
	{ "closed in the middle of a frame",
	  { { HALF, 0 }, { CLOSE, 0 } },
	  RLPX_OUTCOME_PROTOCOL_ERROR,
	  "closed in the middle of a message",
	  SENT_NOTHING,
	  H },
};

struct puppet {
	struct rlpx_session session;
	struct rlpx_handshake handshake;
	struct rlpx_frames frames;
	uint8_t wire[8192];
	int reason;
	uint32_t messages;
};

static void feed(struct puppet *p, struct slice in)
{
	size_t n;

	while ((n = rlpx_session_recv(&p->session, in, START_MS)) > 0)
		in = slice_from(in, n);
}

/* Reads all that the session has sent: frames, once there are some. */
static void listen(struct puppet *p)
{
	size_t len = rlpx_session_send(&p->session, p->wire, sizeof(p->wire)), at = 0;

	while (at < len) {
		uint8_t data[4096];
		uint32_t data_len, padded;
		struct reader r;
		uint64_t id;

		assert_null(rlpx_header_read(&p->frames, p->wire + at, &data_len));
		padded = rlpx_padded(data_len);
		assert_true(padded <= sizeof(data));
		at += RLPX_HEADER_LEN;
		rlpx_data_read(&p->frames, slice_of(p->wire + at, padded), data);
		assert_null(rlpx_data_check(&p->frames, p->wire + at + padded));
		at += padded + RLPX_MAC_LEN;
		reader_init(&r, slice_of(data, data_len));
		id = rlp_uint(&r, 1, RLP_STRICT, "id");
		assert_true(reader_ok(&r) && id < 32);
		p->messages |= UINT32_C(1) << id;
		if (id == P2P_DISCONNECT) {
			uint8_t reason;

			assert_true(p2p_disconnect_read(slice_of(data + r.at, data_len - r.at),
							true, &reason));
			p->reason = reason;
		}
	}
	assert_int_equal(at, len);
}

/* Shakes hands as a node that is called. */
static struct puppet *puppet_new(void)
{
	struct rlpx_session_params params = params_of(CRAWLER, SESSION_INITIATOR, RLPX_GOAL_LEARN);
	struct rlpx_local local = local_of(NODE);
	struct puppet *p = calloc(1, sizeof(*p));
	struct slice auth, ack;

	assert_non_null(p);
	p->reason = SENT_NOTHING;
	rlpx_session_init(&p->session, &params, START_MS);
	rlpx_handshake_init(&p->handshake, SESSION_RESPONDER, &local, NULL);
	auth = slice_of(p->wire, rlpx_session_send(&p->session, p->wire, sizeof(p->wire)));
	assert_null(rlpx_auth_read(&p->handshake, auth));
	ack = rlpx_ack_write(&p->handshake);
	rlpx_frames_init(&p->frames, &p->handshake, auth);
	feed(p, ack);
	return p;
}

static void frame(struct puppet *p, struct slice data)
{
	struct writer w;

	writer_init(&w, p->wire, sizeof(p->wire));
	rlpx_frame_write(&p->frames, &w, data);
	assert_true(writer_ok(&w));
	feed(p, slice_of(w.data, w.len));
}

static void say_hello(struct puppet *p, enum step_kind kind)
{
	struct p2p_hello hello = { .version = kind == HELLO_V4 ? 4 : 5,
				   .client = slice_text("puppet"),
				   .caps_count = 1,
				   .caps = { { "eth", kind == HELLO_OTHER_ETH ? 63 : 68 } } };
	uint8_t data[256] = { 0x80 };
	struct writer w;

	memcpy(hello.key, public_of(kind == HELLO_OTHER_KEY ? CRAWLER : NODE), sizeof(hello.key));
	writer_init(&w, data + 1, sizeof(data) - 1);
	p2p_hello_encode(&w, &hello);
	frame(p, slice_of(data, 1 + w.len));
}

static void say_status(struct puppet *p, enum step_kind kind)
{
	uint8_t plain[2048] = { 0 }, data[3000] = { 0x10 };
	struct eth_status status = chain;
	struct writer w, d;

	status.version = 68;
	writer_init(&w, plain, sizeof(plain));
	eth_status_encode(&w, &status);
	if (kind == STATUS_BIG || kind == STATUS_LONG)
		w.len = ETH_STATUS_MAX + 1;
	writer_init(&d, data + 1, sizeof(data) - 1);
	if (kind == STATUS_PLAIN || kind == STATUS_LONG)
		writer_slice(&d, slice_of(plain, w.len));
	else
		snappy_pack(&d, slice_of(plain, w.len));
	frame(p, slice_of(data, 1 + d.len));
}

/* A frame that is not as it should be. */
static void say_wrong(struct puppet *p, enum step_kind kind)
{
	struct writer w;
	uint8_t header[16] = { 0xff, 0xff, 0xff };
	uint8_t digest[32], block[16];

	if (kind == HUGE_HEADER) {
		/* Its MAC by hand: rlpx.md, "Framing". */
		aes_ctr_apply(&p->frames.send, slice_of(header, 16), header);
		keccak_digest(&p->frames.egress, digest);
		aes_block(&p->frames.mac, digest, block);
		for (unsigned i = 0; i < 16; i++)
			block[i] ^= header[i];
		keccak_update(&p->frames.egress, slice_of(block, 16));
		keccak_digest(&p->frames.egress, digest);
		memcpy(p->wire, header, 16);
		memcpy(p->wire + 16, digest, 16);
		feed(p, slice_of(p->wire, RLPX_HEADER_LEN));
		return;
	}
	writer_init(&w, p->wire, sizeof(p->wire));
	rlpx_frame_write(&p->frames, &w, slice_text("0123456789"));
	if (kind == BAD_HEADER)
		w.data[0] ^= 1;
	if (kind == BAD_DATA)
		w.data[w.len - 1] ^= 1;
	feed(p, slice_of(w.data, kind == HALF ? 40 : w.len));
}

static void take_step(struct puppet *p, const struct step *step)
{
	uint8_t data[3000] = { 0x11, 0xb8, 0x17 }; /* 3000 as Snappy's length */
	size_t len;

	switch (step->kind) {
	case END:
		break;
	case HELLO:
	case HELLO_V4:
	case HELLO_OTHER_ETH:
	case HELLO_OTHER_KEY:
		say_hello(p, step->kind);
		break;
	case STATUS:
	case STATUS_PLAIN:
	case STATUS_BIG:
	case STATUS_LONG:
		say_status(p, step->kind);
		break;
	case RAW:
		assert_int_equal(hex_decode(slice_text(step->hex), data, sizeof(data), &len),
				 ERR_OK);
		frame(p, slice_of(data, len));
		break;
	case LONG:
	case LONG_PLAIN:
		frame(p, slice_of(data, sizeof(data)));
		break;
	case EMPTY:
		frame(p, slice_of(data, 0));
		break;
	case HUGE_HEADER:
	case HALF:
	case BAD_HEADER:
	case BAD_DATA:
		say_wrong(p, step->kind);
		break;
	case CLOSE:
		rlpx_session_closed(&p->session, SESSION_CLOSE_EOF, START_MS);
		break;
	case RESET:
		rlpx_session_closed(&p->session, SESSION_CLOSE_RESET, START_MS);
		break;
	case WAIT:
		rlpx_session_tick(&p->session, rlpx_session_deadline(&p->session) - 1);
		expect_done("a millisecond too early", &p->session, RLPX_OUTCOME_COUNT);
		rlpx_session_tick(&p->session, rlpx_session_deadline(&p->session));
		break;
	case LEAVE:
		rlpx_session_leave(&p->session);
		break;
	}
}

static void rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct puppet *p = puppet_new();
		const char *rule;

		for (size_t k = 0; k < STEPS_MAX; k++)
			take_step(p, &rows[i].steps[k]);
		listen(p);
		expect_done(rows[i].name, &p->session, rows[i].outcome);
		outcome_of(&p->session, &rule);
		if ((rule == NULL) != (rows[i].rule == NULL) ||
		    (rule != NULL && strcmp(rule, rows[i].rule) != 0))
			fail_msg("%s: %s", rows[i].name, rule != NULL ? rule : "no rule");
		if (p->reason != rows[i].reason)
			fail_msg("%s: disconnected with %d", rows[i].name, p->reason);
		if (p->messages != rows[i].messages)
			fail_msg("%s: sent %x", rows[i].name, p->messages);
		/* Whatever comes now is nobody's business. */
		assert_int_equal(rlpx_session_deadline(&p->session), UINT64_MAX);
		assert_int_equal(rlpx_session_recv(&p->session, slice_text("more"), START_MS), 0);
		free(p);
	}
}

static void what_a_full_node_tells(void **state)
{
	struct puppet *p = puppet_new();
	struct rlpx_info info;

	(void)state;
	take_step(p, &(struct step){ RAW, "01c104" });
	rlpx_session_info(&p->session, &info);
	assert_true(info.has_key && info.has_reason);
	assert_int_equal(info.reason, P2P_REASON_TOO_MANY);
	assert_false(info.has_hello || info.has_status);
	assert_memory_equal(info.key, public_of(NODE), sizeof(info.key));
	free(p);
}

static void a_long_name_is_cut(void **state)
{
	struct puppet *p = puppet_new();
	uint8_t data[1200] = { 0x80 }, name[1000];
	struct p2p_hello hello = { .version = 5, .client = slice_of(name, sizeof(name)) };
	struct rlpx_info info;
	struct writer w;

	(void)state;
	memset(name, 'n', sizeof(name));
	memcpy(hello.key, public_of(NODE), sizeof(hello.key));
	writer_init(&w, data + 1, sizeof(data) - 1);
	p2p_hello_encode(&w, &hello);
	frame(p, slice_of(data, 1 + w.len));
	expect_done("without capabilities", &p->session, RLPX_OUTCOME_NO_ETH);
	rlpx_session_info(&p->session, &info);
	assert_int_equal(info.hello.client.len, PEER_AGENT_MAX);
	assert_memory_equal(info.hello.client.data, name, PEER_AGENT_MAX);
	free(p);
}

/* A peer that asks and asks, and reads nothing: the answers end, the session does not. */
static void pings_without_end(void **state)
{
	struct puppet *p = puppet_new();

	(void)state;
	listen(p);
	say_hello(p, HELLO);
	for (unsigned i = 0; i < 1000; i++) {
		take_step(p, &(struct step){ RAW, "020100c0" });
		assert_true(p->session.out_len <= RLPX_OUT_CAP);
	}
	expect_done("pinged", &p->session, RLPX_OUTCOME_COUNT);
	say_status(p, STATUS);
	expect_done("with a Status", &p->session, RLPX_OUTCOME_OK);
	listen(p);
	assert_int_equal(p->messages, H | PONG | S | D);
	free(p);
}

static void deadlines(void **state)
{
	struct rlpx_session_params params = params_of(CRAWLER, SESSION_INITIATOR, RLPX_GOAL_LEARN);
	struct rlpx_session *s = calloc(1, sizeof(*s));
	struct puppet *p = puppet_new();

	(void)state;
	assert_non_null(s);
	params.timeout_ms = 300;
	rlpx_session_init(s, &params, START_MS);
	assert_int_equal(rlpx_session_deadline(s), START_MS + 300);
	params.timeout_ms = 0;
	rlpx_session_init(s, &params, START_MS);
	assert_int_equal(rlpx_session_deadline(s), START_MS + RLPX_HANDSHAKE_MS);
	say_hello(p, HELLO);
	assert_int_equal(rlpx_session_deadline(&p->session), START_MS + RLPX_STATUS_MS);
	free(s);
	free(p);
}

static bool is_zero(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	size_t i = 0;

	while (i < len && bytes[i] == 0)
		i++;
	return i == len;
}

/* Once it is over, neither our key nor those of the session are in memory any more. */
static void keys_are_wiped(void **state)
{
	struct puppet *p = puppet_new();
	const struct rlpx_session *s = &p->session;

	(void)state;
	say_hello(p, HELLO);
	assert_false(is_zero(&s->frames, sizeof(s->frames)));
	rlpx_session_leave(&p->session);
	assert_int_equal(s->state, RLPX_STATE_CLOSED);
	assert_true(is_zero(&s->frames, sizeof(s->frames)));
	assert_true(is_zero(&s->handshake, sizeof(s->handshake)));
	assert_true(is_zero(&s->params.local, sizeof(s->params.local)));
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules),
		cmocka_unit_test(what_a_full_node_tells),
		cmocka_unit_test(a_long_name_is_cut),
		cmocka_unit_test(pings_without_end),
		cmocka_unit_test(deadlines),
		cmocka_unit_test(keys_are_wiped),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
