#include "sim/peer_inner.h"

#include "proto/gossip/messages.h"
#include "proto/gossip/session.h"

#include <assert.h>
#include <string.h>

enum {
	/* One peer in so many makes its answer on a thread of its own: behind the pong. */
	LATE_EVERY = 16,
	LATE_MS = 700,
	HUGE_LEN = GOSSIP_LINE_MAX + 1000,
};

/* The id that each of the world's peers has in every connection. */
static void id_of(const struct sim_world *w, uint32_t index, uint8_t out[static UUID_LEN])
{
	struct random r = { random_mix(sim_world_config(w)->seed) ^ random_mix(index) };

	for (unsigned i = 0; i < UUID_LEN; i++)
		out[i] = (uint8_t)random_next(&r);
	uuid_make(out);
}

/* --- liars --- */

/* A line that has no end. */
static void tell_huge(struct sim_conn *c, uint64_t now_ms)
{
	char bytes[1000];

	memset(bytes, 'a', sizeof(bytes));
	sim_tell(c, "{\"msgtype\":\"hello\",\"agent\":\"", 28, now_ms);
	for (size_t told = 0; told < HUGE_LEN; told += sizeof(bytes))
		sim_tell(c, bytes, sizeof(bytes), now_ms);
}

static void tell_lie(struct sim_conn *c, uint64_t now_ms)
{
	struct gossip_hello hello = { .port = c->peer.addr.port };
	uint8_t bytes[SIM_LIE_MAX];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	if (c->peer.kind == SIM_LIAR_HUGE) {
		tell_huge(c, now_ms);
	} else if (c->peer.kind == SIM_LIAR_GARBAGE) {
		sim_lie_garbage(c->world, c->peer.index, &w);
	} else if (c->peer.kind == SIM_LIAR_TRUNCATED) {
		gossip_hello_encode(&w, &hello);
		w.len /= 2;
	}
	assert(writer_ok(&w));
	sim_tell(c, bytes, w.len, now_ms);
}

/* --- the session --- */

static void begin(struct sim_conn *c)
{
	id_of(c->world, c->peer.index, c->own_id);
}

/* With the id that it has just heard: LIAR_ECHO. */
static void start(struct sim_conn *c, struct slice line, uint64_t now_ms)
{
	struct gossip_message m;
	const char *rule;

	if (gossip_decode(line, &m, &rule) == ERR_OK)
		memcpy(c->own_id, m.hello.node_id, UUID_LEN);
	sim_start_session(c, 0, now_ms);
}

static size_t take(struct sim_conn *c, struct slice in, uint64_t now_ms)
{
	size_t at = 0;

	while (!c->ends && at < in.len) {
		const uint8_t *from = in.data + at, *end = memchr(from, '\n', in.len - at);
		size_t len = end != NULL ? (size_t)(end - from) + 1 : in.len - at;

		if (len >= SIM_IN_MAX) {
			sim_end(c, SIM_OUTPUT_RESET, now_ms);
			break;
		}
		if (end == NULL)
			break;
		if (!c->has_session)
			start(c, slice_of(from, len - 1), now_ms);
		sim_hear(c, slice_of(from, len), now_ms);
		at += len;
	}
	return c->ends ? in.len : at;
}

static size_t lacks(struct slice held, struct slice in)
{
	const uint8_t *end = memchr(in.data, '\n', in.len);
	size_t n = end != NULL ? (size_t)(end - in.data) + 1 : in.len;

	return n < SIM_IN_MAX - held.len ? n : SIM_IN_MAX - held.len;
}

/* The tutorial's pong has no nonce. */
static void tell_spoken(struct sim_conn *c, uint8_t *words, size_t len, uint64_t now_ms)
{
	static const char pong[] = "{\"msgtype\":\"pong\"", bare[] = "{\"msgtype\": \"pong\"}\n";

	for (size_t at = 0, line; at < len; at += line) {
		const uint8_t *end = memchr(words + at, '\n', len - at);

		assert(end != NULL);
		line = (size_t)(end - (words + at)) + 1;
		if (c->peer.kind == SIM_TUTORIAL && line > strlen(pong) &&
		    memcmp(words + at, pong, strlen(pong)) == 0)
			sim_tell(c, bare, strlen(bare), now_ms);
		else
			sim_tell(c, words + at, line, now_ms);
	}
}

/* As every peer does: a sign of life, where it is, whom the other knows. A few say something
 * that nobody knows. */
static void tell_unasked(struct sim_conn *c, uint64_t now_ms)
{
	static const char ping[] = "{\"msgtype\":\"ping\"}\n",
			  ask[] = "{\"msgtype\":\"getaddr\"}\n";
	static const char unknown[] = "{\"msgtype\":\"wherefore\",\"art\":{\"thou\":[1,2.5e3]}}\n";

	sim_tell(c, ping, strlen(ping), now_ms);
	sim_tell_self(c, now_ms);
	sim_tell(c, ask, strlen(ask), now_ms);
	if (c->peer.index % 50 == 1)
		sim_tell(c, unknown, strlen(unknown), now_ms);
}

static uint64_t wait_ms(const struct sim_conn *c)
{
	return c->peer.index % LATE_EVERY == LATE_EVERY - 1 ? LATE_MS : 0;
}

/* With the ids, as the tutorial has it. */
static size_t answer(struct sim_conn *c, const struct advert *adverts, size_t count, uint8_t *out,
		     size_t cap)
{
	struct advert with_ids[SIM_BAD_ADDR_COUNT];
	uint8_t ids[SIM_BAD_ADDR_COUNT][UUID_LEN];

	assert(count <= SIM_BAD_ADDR_COUNT);
	for (size_t i = 0; i < count; i++) {
		int64_t at = sim_world_find(c->world, &adverts[i].addr);

		with_ids[i] = adverts[i];
		if (at < 0)
			continue; /* nobody's */
		id_of(c->world, (uint32_t)at, ids[i]);
		with_ids[i].node_id = slice_of(ids[i], UUID_LEN);
	}
	return c->proto->answer(c->session, with_ids, count, out, cap);
}

const struct sim_manner sim_manner_gossip = {
	.begin = begin,
	.lie = tell_lie,
	.take = take,
	.lacks = lacks,
	.spoken = tell_spoken,
	.shaken = tell_unasked,
	.wait_ms = wait_ms,
	.answer = answer,
};
