/* fuzz_gossip.c: a session of a gossip network that is fed a stranger's bytes, and what
 * `peerwalk decode gossip` makes of them.
 *
 * The first byte chooses role and goal. Whatever follows: the session takes no more than it was
 * given, asks for no more than it announced, tells its end exactly once, names no more than a
 * message may, sends nothing but well-formed messages, and comes to the same verdict however the
 * bytes were cut up on their way. Each line by itself: what was decoded and is written again
 * decodes to the same. */
#include "fuzz/fuzz.h"
#include "proto/gossip/explain.h"
#include "proto/gossip/json_walk.h"
#include "proto/gossip/messages.h"
#include "proto/gossip/session.h"

#include <stdlib.h>
#include <string.h>

enum {
	INPUT_MAX = GOSSIP_LINE_MAX + 4096,
	OUT_MAX = 1 << 18,
	EVENTS_MAX = 16, /* after one call; there are six kinds */
	TICKS_MAX = 1000,
};

struct run {
	_Alignas(16) uint8_t memory[SESSION_SIZE_MAX];
	uint64_t now;
	unsigned done;
	enum outcome outcome;
	uint32_t adverts;
	uint8_t out[OUT_MAX];
	size_t out_len;
};

static void take_adverts(struct run *run, struct session_event *e)
{
	struct advert batch[7];
	uint32_t count = 0;
	size_t n;

	CHECK(e->count > 0 && e->count <= GOSSIP_PEERS_MAX);
	while ((n = gossip_proto.adverts(e, batch, 7)) > 0) {
		CHECK(n <= 7);
		for (size_t i = 0; i < n; i++)
			CHECK(netaddr_is_ip(&batch[i].addr) && batch[i].addr.port != 0);
		count += (uint32_t)n;
	}
	CHECK(count <= e->count);
	run->adverts += count;
}

static void take_event(struct run *run, struct session_event *e)
{
	struct advert advert = { .addr = netaddr_ipv4(0x01020304, 5999) };

	CHECK(run->done == 0);
	switch (e->kind) {
	case SESSION_EVENT_HANDSHAKE:
	case SESSION_EVENT_PONG:
		break;
	case SESSION_EVENT_ADVERTS:
		take_adverts(run, e);
		break;
	case SESSION_EVENT_ASKED:
		run->out_len += gossip_proto.answer(
			run->memory, &advert, 1, run->out + run->out_len, OUT_MAX - run->out_len);
		break;
	case SESSION_EVENT_MESSAGE:
		CHECK(memchr(e->name, 0, sizeof(e->name)) != NULL);
		CHECK(e->whole.data == e->payload.data && e->whole.len > e->payload.len);
		break;
	case SESSION_EVENT_DONE:
		run->done++;
		run->outcome = e->outcome;
		break;
	}
}

static void drain(struct run *run)
{
	struct session_event e;
	unsigned events = 0;
	size_t n;

	while (gossip_proto.next(run->memory, &e)) {
		take_event(run, &e);
		CHECK(++events <= EVENTS_MAX);
	}
	do {
		size_t cap = OUT_MAX - run->out_len;

		n = gossip_proto.send(run->memory, run->out + run->out_len, cap < 100 ? cap : 100);
		CHECK(n <= 100 && n <= cap);
		run->out_len += n;
	} while (n > 0);
}

static void feed(struct run *run, struct slice in, size_t piece)
{
	size_t taken = 0, there = 0, n;

	while (there < in.len && run->done == 0) {
		there = in.len - there > piece ? there + piece : in.len;
		do {
			size_t offered = there - taken;

			n = gossip_proto.recv(run->memory, slice_of(in.data + taken, offered),
					      run->now);
			CHECK(n <= offered);
			taken += n;
			drain(run);
			CHECK(gossip_proto.need(run->memory) <= gossip_proto.buffer_max);
		} while (n > 0 && run->done == 0);
	}
}

static void finish(struct run *run)
{
	struct peer_info info;

	for (unsigned i = 0; i < TICKS_MAX && run->done == 0; i++) {
		uint64_t deadline = gossip_proto.deadline(run->memory);

		if (deadline == UINT64_MAX)
			break;
		if (deadline > run->now)
			run->now = deadline;
		gossip_proto.tick(run->memory, run->now);
		drain(run);
	}
	if (run->done == 0) {
		gossip_proto.closed(run->memory, SESSION_CLOSE_EOF, run->now);
		drain(run);
	}
	CHECK(run->done == 1);
	CHECK(run->outcome < OUTCOME_COUNT);
	gossip_proto.info(run->memory, &info);
	CHECK(info.agent.len <= PEER_AGENT_MAX && info.group.len <= GOSSIP_GROUP_MAX);
	CHECK(info.node_id.len == 0 || info.node_id.len == UUID_LEN);
}

static void run_session(struct run *run, const struct session_params *params, struct slice in,
			size_t piece)
{
	const char *rule;
	size_t at;

	CHECK(gossip_proto.session_size <= sizeof(run->memory));
	memset(run->memory, 0xa5, sizeof(run->memory)); /* init has to set everything */
	run->now = 1000;
	run->done = 0;
	run->adverts = 0;
	run->out_len = 0;
	gossip_proto.init(run->memory, params, run->now);
	drain(run);
	feed(run, in, piece);
	finish(run);
	if (run->out_len > 0)
		CHECK(gossip_explain(params->network, slice_of(run->out, run->out_len), NULL, NULL,
				     &at, &rule) == ERR_OK);
}

static void check_session(uint8_t how, struct slice in)
{
	static struct run whole, pieces;
	struct session_params params = {
		.network = network_find("gossip"),
		.role = how & 1 ? SESSION_RESPONDER : SESSION_INITIATOR,
		.goal = (enum session_goal)(how >> 1 & 3),
		.nonce = 111,
		.agent = slice_text("peerwalk \"fuzz\""),
		.peer = netaddr_ipv4(0x05060708, 5999),
		.group = how & 8 ? slice_text("group") : slice_of(NULL, 0),
		.timeout_ms = 20000,
		.ping_count = 2,
		.ping_interval_ms = 1000,
	};

	if (params.goal == SESSION_GOAL_STAY)
		params.timeout_ms = 0;
	run_session(&whole, &params, in, INPUT_MAX);
	run_session(&pieces, &params, in, in.len < 500 ? 1 : 37);
	CHECK(whole.outcome == pieces.outcome);
	CHECK(whole.adverts == pieces.adverts);
	CHECK(slice_equal(slice_of(whole.out, whole.out_len),
			  slice_of(pieces.out, pieces.out_len)));
}

/* --- lines --- */

static void check_hello(const struct gossip_hello *hello)
{
	uint8_t bytes[4096];
	struct gossip_message again;
	const char *rule;
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	gossip_hello_encode(&w, hello);
	CHECK(writer_ok(&w));
	CHECK(gossip_decode(slice_of(bytes, w.len - 1), &again, &rule) == ERR_OK);
	CHECK(again.type == GOSSIP_HELLO && memcmp(&again.hello, hello, sizeof(*hello)) == 0);
}

static void check_nonce(const struct gossip_message *m)
{
	uint8_t bytes[256];
	struct gossip_message again;
	const char *rule;
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	gossip_ping_encode(&w, m->type, m->nonce);
	CHECK(writer_ok(&w));
	CHECK(gossip_decode(slice_of(bytes, w.len - 1), &again, &rule) == ERR_OK);
	CHECK(again.type == m->type && slice_equal(again.nonce, m->nonce));
}

/* Every entry of the list is walked over, however it is written. */
static void check_peers(const struct gossip_message *m)
{
	struct gossip_peer peer;
	uint32_t count = 0;
	struct reader r;

	reader_init(&r, m->peers);
	if (m->count > 0)
		json_enter(&r);
	while (m->count > 0 && gossip_peer_next(&r, &peer))
		count++;
	CHECK(count == m->count);
}

static void check_field(void *ctx, const struct field *f)
{
	const struct slice *in = ctx;

	CHECK(f->name != NULL);
	CHECK(f->at <= in->len && f->len <= in->len - f->at);
	CHECK(f->kind != FIELD_TEXT || f->bytes.len <= f->len);
}

static void check_line(struct slice line)
{
	struct gossip_message m;
	const char *rule;
	size_t at;
	enum err err = gossip_decode(line, &m, &rule);

	CHECK((err == ERR_OK) == (rule == NULL));
	CHECK(gossip_explain(network_find("gossip"), line, check_field, &line, &at, &rule) == err ||
	      memchr(line.data, '\n', line.len) != NULL ||
	      (line.len > 0 && line.data[line.len - 1] == '\r'));
	if (err != ERR_OK)
		return;
	if (m.type == GOSSIP_HELLO)
		check_hello(&m.hello);
	else if (m.type == GOSSIP_PING || m.type == GOSSIP_PONG)
		check_nonce(&m);
	else if (m.type == GOSSIP_ADDR)
		check_peers(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > INPUT_MAX)
		return 0;
	check_session(data[0], slice_of(data + 1, size - 1));
	check_line(slice_of(data + 1, size - 1));
	return 0;
}
