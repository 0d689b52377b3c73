/* fuzz_session.c: a Bitcoin session that is fed a stranger's bytes.
 *
 * The first byte chooses role, goal and manner. Whatever follows: the session takes no
 * more than it was given, asks for no more than it announced, tells its end exactly
 * once, sends nothing but well-formed messages, and comes to the same verdict however
 * the bytes were cut up on their way. */
#include "fuzz/frames.h"
#include "fuzz/fuzz.h"
#include "proto/bitcoin/explain.h"
#include "proto/bitcoin/session.h"

enum {
	INPUT_MAX = 1 << 16,
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

/* A glance sees the same addresses as whoever reads them. */
static void compare_glance(struct session_event *glanced, const struct advert *read, size_t count)
{
	static const struct hash_key secret = { 3, 4 };
	struct glance_key key;
	struct glance glance;
	struct advert advert;

	glance_key_init(&key, &secret);
	for (size_t i = 0; i < count; i++) {
		CHECK(bitcoin_proto.glance(glanced, &key, &glance, 1) == 1);
		CHECK(glance.hash == glance_of(&key, &read[i].addr));
		bitcoin_proto.advert_at(glanced, glance.at, &advert);
		CHECK(netaddr_equal(&advert.addr, &read[i].addr));
		CHECK(advert.services == read[i].services);
		CHECK(advert.last_seen_s == read[i].last_seen_s);
	}
	if (count == 0)
		CHECK(bitcoin_proto.glance(glanced, &key, &glance, 1) == 0);
}

static void take_event(struct run *run, struct session_event *e)
{
	struct session_event glanced = *e;
	struct advert advert, batch[7];
	uint32_t count = 0;
	size_t n;

	CHECK(run->done == 0);
	switch (e->kind) {
	case SESSION_EVENT_HANDSHAKE:
	case SESSION_EVENT_PONG:
		break;
	case SESSION_EVENT_ADVERTS:
		while ((n = bitcoin_proto.adverts(e, batch, 7)) > 0) {
			CHECK(n <= 7);
			compare_glance(&glanced, batch, n);
			count += (uint32_t)n;
		}
		compare_glance(&glanced, batch, 0);
		CHECK(count <= e->count);
		run->adverts += count;
		break;
	case SESSION_EVENT_ASKED:
		advert = (struct advert){ .addr = netaddr_ipv4(0x01020304, 8333) };
		count = (uint32_t)bitcoin_proto.answer(
			run->memory, &advert, 1, run->out + run->out_len, OUT_MAX - run->out_len);
		run->out_len += count;
		break;
	case SESSION_EVENT_MESSAGE:
		CHECK(memchr(e->name, 0, sizeof(e->name)) != NULL);
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

	while (bitcoin_proto.next(run->memory, &e)) {
		take_event(run, &e);
		CHECK(++events <= EVENTS_MAX);
	}
	do {
		size_t cap = OUT_MAX - run->out_len;

		n = bitcoin_proto.send(run->memory, run->out + run->out_len, cap < 100 ? cap : 100);
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

			n = bitcoin_proto.recv(run->memory, slice_of(in.data + taken, offered),
					       run->now);
			CHECK(n <= offered);
			taken += n;
			drain(run);
			CHECK(bitcoin_proto.need(run->memory) <= bitcoin_proto.buffer_max);
		} while (n > 0 && run->done == 0);
	}
}

static void finish(struct run *run)
{
	struct peer_info info;

	for (unsigned i = 0; i < TICKS_MAX && run->done == 0; i++) {
		uint64_t deadline = bitcoin_proto.deadline(run->memory);

		if (deadline == UINT64_MAX)
			break;
		if (deadline > run->now)
			run->now = deadline;
		bitcoin_proto.tick(run->memory, run->now);
		drain(run);
	}
	if (run->done == 0) {
		bitcoin_proto.closed(run->memory, SESSION_CLOSE_EOF, run->now);
		drain(run);
	}
	CHECK(run->done == 1);
	CHECK(run->outcome < OUTCOME_COUNT);
	bitcoin_proto.info(run->memory, &info);
	CHECK(info.agent.len <= PEER_AGENT_MAX && info.negotiation.len <= PEER_NEGOTIATION_MAX);
}

static void run_session(struct run *run, const struct session_params *params, struct slice in,
			size_t piece)
{
	const char *rule;
	size_t at;

	CHECK(bitcoin_proto.session_size <= sizeof(run->memory));
	memset(run->memory, 0xa5, sizeof(run->memory)); /* init has to set everything */
	run->now = 1000;
	run->done = 0;
	run->adverts = 0;
	run->out_len = 0;
	bitcoin_proto.init(run->memory, params, run->now);
	drain(run);
	feed(run, in, piece);
	finish(run);
	if (run->out_len > 0)
		CHECK(bitcoin_explain(params->network, slice_of(run->out, run->out_len), NULL, NULL,
				      &at, &rule) == ERR_OK);
}

static void check(const struct session_params *params, struct slice in)
{
	static struct run whole, pieces;

	run_session(&whole, params, in, INPUT_MAX);
	run_session(&pieces, params, in, in.len < 500 ? 1 : 37);
	CHECK(whole.outcome == pieces.outcome);
	CHECK(whole.adverts == pieces.adverts);
	CHECK(slice_equal(slice_of(whole.out, whole.out_len),
			  slice_of(pieces.out, pieces.out_len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct network *network = network_find("bitcoin");
	struct session_params params = {
		.network = network,
		.nonce = 111,
		.unix_s = 1800000000,
		.agent = slice_text("/peerwalk:fuzz/"),
		.timeout_ms = 20000,
		.ping_count = 2,
		.ping_interval_ms = 1000,
	};
	uint8_t *copy;

	if (size < 2 || size > INPUT_MAX)
		return 0;
	params.role = data[0] & 1 ? SESSION_RESPONDER : SESSION_INITIATOR;
	params.goal = (enum session_goal)(data[0] >> 1 & 3);
	if (params.goal == SESSION_GOAL_STAY)
		params.timeout_ms = 0;
	params.stepwise = data[0] >> 3 & 1;
	params.patient = data[0] >> 4 & 1;
	netaddr_parse(slice_text("5.6.7.8:8333"), 0, &params.peer);
	copy = malloc(size - 1);
	if (copy == NULL)
		return 0;
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 0x80) /* as it came: broken frames are input too */
		put_frames_right(copy, size - 1, network->magic);
	check(&params, slice_of(copy, size - 1));
	free(copy);
	return 0;
}
