#include "sim/peer.h"

#include "proto/gossip/session.h"
#include "sim/peer_inner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* One message of answers, and for each at most: of Bitcoin time, services, network,
	 * length, the longest address and port; of gossip brackets, quotes, an address of
	 * IPv6 and port, in a message that has an id for each only as far as they fit. */
	ANSWER_CAP = 256 + SIM_BAD_ADDR_COUNT * 52,
	SEND_CAP = 1024,     /* of a session's own words, at a time */
	KEEP_CAP = 4 * 1024, /* a longer buffer is given back once it was read */
	/* Mostly both parts of an answer leave together; for one peer in so many, the
	 * list comes so much after the peer's own address. */
	LATE_EVERY = 16,
	LATE_MS = 700,
};

int64_t sim_wall_s(const struct sim_conn *c, uint64_t now_ms)
{
	return c->start_s + (int64_t)(now_ms - c->start_ms) / 1000;
}

void sim_end(struct sim_conn *c, enum sim_output_kind how, uint64_t now_ms)
{
	if (c->ends)
		return;
	c->ends = true;
	c->end = how;
	c->end_ms = now_ms;
	c->answer_ms = UINT64_MAX;
}

/* --- what is to be told --- */

/* Room for more bytes; NULL if there is none, and then the connection is reset. */
static uint8_t *out_room(struct sim_conn *c, size_t more, uint64_t now_ms)
{
	size_t cap = c->out_len + more;
	uint8_t *grown;

	if (c->out_at == c->out_len) {
		c->out_at = c->out_len = 0;
		cap = more;
	}
	if (cap > c->out_cap) {
		/* By half, while there is room: many small words may follow. */
		if (cap < c->out_cap + c->out_cap / 2 && c->out_cap <= SIM_OUT_MAX / 2)
			cap = c->out_cap + c->out_cap / 2;
		grown = cap <= SIM_OUT_MAX ? realloc(c->out, cap) : NULL;
		if (grown == NULL) {
			c->out_at = c->out_len = 0;
			sim_end(c, SIM_OUTPUT_RESET, now_ms);
			return NULL;
		}
		c->out = grown;
		c->out_cap = cap;
	}
	return c->out + c->out_len;
}

void sim_tell(struct sim_conn *c, const void *data, size_t len, uint64_t now_ms)
{
	uint8_t *to = c->ends || len == 0 ? NULL : out_room(c, len, now_ms);

	if (to == NULL)
		return;
	memcpy(to, data, len);
	if (c->out_len == 0)
		c->out_ms = now_ms;
	c->out_len += len;
}

static void tell_adverts(struct sim_conn *c, const struct advert *adverts, size_t count,
			 uint64_t now_ms)
{
	uint8_t bytes[ANSWER_CAP];
	size_t len = c->manner->answer(c, adverts, count, bytes, sizeof(bytes));

	assert(len > 0);
	sim_tell(c, bytes, len, now_ms);
}

/* As Core does it: first itself, alone (if it listens) ... */
void sim_tell_self(struct sim_conn *c, uint64_t now_ms)
{
	const struct advert self = {
		.addr = c->peer.addr,
		.services = c->peer.services,
		.last_seen_s = sim_wall_s(c, now_ms),
	};

	tell_adverts(c, &self, 1, now_ms);
	c->told_self = true;
}

/* ... then whom it knows. */
static void tell_table(struct sim_conn *c, uint64_t now_ms)
{
	struct advert table[SIM_TABLE_MAX];
	size_t count = sim_world_table(c->world, c->peer.index, sim_wall_s(c, now_ms), table,
				       SIM_TABLE_MAX);

	if (count > 0)
		tell_adverts(c, table, count, now_ms);
}

static void tell_invented(struct sim_conn *c, size_t count, uint64_t now_ms)
{
	struct advert adverts[SIM_BAD_ADDR_COUNT];

	assert(count <= SIM_BAD_ADDR_COUNT);
	sim_lie_adverts(c->world, c->peer.index * 977ULL + c->invented, sim_wall_s(c, now_ms),
			adverts, count);
	c->invented += count;
	tell_adverts(c, adverts, count, now_ms);
}

static void tell_answer(struct sim_conn *c, uint64_t now_ms)
{
	c->answer_ms = UINT64_MAX;
	if (c->peer.kind == SIM_LIAR_BAD_ADDR) {
		tell_invented(c, SIM_BAD_ADDR_COUNT, now_ms);
	} else if (c->peer.kind == SIM_LIAR_INVENT) {
		for (unsigned i = 0; i < SIM_INVENT_BURST; i++)
			tell_invented(c, SIM_TABLE_MAX, now_ms);
		c->answer_ms = now_ms + SIM_INVENT_MS;
	} else if (!c->told_self) {
		sim_tell_self(c, now_ms);
		if (c->peer.index % LATE_EVERY == LATE_EVERY - 1)
			c->answer_ms = now_ms + LATE_MS;
		else
			tell_table(c, now_ms);
	} else {
		tell_table(c, now_ms);
	}
}

/* --- the session --- */

static void drain_session(struct sim_conn *c, uint64_t now_ms)
{
	uint8_t words[SEND_CAP];
	struct session_event event;
	bool shaken = false, asked = false, done = false;
	size_t len = 0, n;

	while (c->proto->next(c->session, &event)) {
		shaken = shaken || event.kind == SESSION_EVENT_HANDSHAKE;
		asked = asked || event.kind == SESSION_EVENT_ASKED;
		done = done || event.kind == SESSION_EVENT_DONE;
	}
	while ((n = c->proto->send(c->session, words + len, sizeof(words) - len)) > 0)
		len += n;
	c->manner->spoken(c, words, len, now_ms);
	if (shaken) {
		c->shaken = true;
		c->manner->shaken(c, now_ms);
	}
	if (asked) {
		c->asked = true;
		c->answer_ms = now_ms + c->manner->wait_ms(c);
	}
	if (done)
		sim_end(c, SIM_OUTPUT_CLOSE, now_ms);
}

/* LIAR_ECHO speaks with the nonce that it has just heard, so "is this me?" is no. */
static bool never_own(void *ctx, uint64_t nonce)
{
	(void)ctx;
	(void)nonce;
	return false;
}

void sim_start_session(struct sim_conn *c, uint64_t nonce, uint64_t now_ms)
{
	const struct session_params params = {
		.network = sim_world_config(c->world)->network,
		.role = SESSION_RESPONDER,
		.goal = SESSION_GOAL_LISTEN, /* real peers want transactions relayed */
		.nonce = nonce,
		.is_own = never_own,
		.unix_s = sim_wall_s(c, now_ms) + c->peer.clock_skew_s,
		.services = c->peer.services,
		.height = c->peer.height,
		.protocol = c->peer.protocol,
		.agent = slice_text(c->peer.agent),
		.peer = c->from,
		.own_id = slice_of(c->own_id, sizeof(c->own_id)),
		/* The tutorial's hello has no port. */
		.listen_port = c->peer.kind == SIM_TUTORIAL ? 0 : c->peer.addr.port,
	};

	c->proto->init(c->session, &params, now_ms);
	c->has_session = true;
	drain_session(c, now_ms);
}

void sim_hear(struct sim_conn *c, struct slice in, uint64_t now_ms)
{
	for (size_t at = 0, n; at < in.len; at += n) {
		n = c->proto->recv(c->session, slice_from(in, at), now_ms);
		drain_session(c, now_ms);
		if (n == 0)
			break;
	}
}

/* --- the connection --- */

static bool speaks_protocol(enum sim_kind kind)
{
	return sim_kind_shakes_hands(kind) || kind == SIM_LIAR_CHECKSUM ||
	       kind == SIM_LIAR_DRIBBLE || kind == SIM_LIAR_ECHO;
}

enum err sim_conn_new(const struct sim_world *w, uint32_t index, const struct netaddr *from,
		      uint64_t now_ms, int64_t now_s, struct sim_conn **out)
{
	const struct proto *proto = sim_world_config(w)->network->proto;
	struct sim_conn *c = malloc(sizeof(*c) + proto->session_size);

	assert(proto->session_align <= 16);
	*out = c;
	if (c == NULL)
		return ERR_NOMEM;
	memset(c, 0, sizeof(*c));
	c->world = w;
	c->proto = proto;
	c->manner = proto == &gossip_proto ? &sim_manner_gossip : &sim_manner_bitcoin;
	c->from = *from;
	c->start_ms = now_ms;
	c->start_s = now_s;
	c->answer_ms = UINT64_MAX;
	sim_world_peer(w, index, &c->peer);
	c->manner->begin(c);
	if (c->peer.kind == SIM_FULL) {
		sim_end(c, SIM_OUTPUT_CLOSE, now_ms);
	} else if (c->peer.kind == SIM_LIAR_GARBAGE) {
		c->manner->lie(c, now_ms);
		c->spoke = true;
	} else if (speaks_protocol(c->peer.kind) && c->peer.kind != SIM_LIAR_ECHO) {
		sim_start_session(c, random_mix(sim_world_config(w)->seed + index), now_ms);
	}
	return ERR_OK;
}

void sim_conn_free(struct sim_conn *c)
{
	if (c == NULL)
		return;
	free(c->in);
	free(c->out);
	free(c);
}

/* Keeps what is no whole message yet: less than SIM_IN_MAX, as take() has seen to. */
static void keep(struct sim_conn *c, struct slice rest, uint64_t now_ms)
{
	uint8_t *grown;

	assert(c->in_len == 0 && rest.len < SIM_IN_MAX);
	if (rest.len > c->in_cap) {
		grown = realloc(c->in, rest.len);
		if (grown == NULL) {
			sim_end(c, SIM_OUTPUT_RESET, now_ms);
			return;
		}
		c->in = grown;
		c->in_cap = rest.len;
	}
	if (rest.len > 0)
		memcpy(c->in, rest.data, rest.len);
	c->in_len = rest.len;
}

/* Adds to an unfinished message what it lacks, no more; returns how much that was. */
static size_t complete(struct sim_conn *c, struct slice in, uint64_t now_ms)
{
	uint8_t *grown;

	in.len = c->manner->lacks(slice_of(c->in, c->in_len), in);
	if (c->in_len + in.len > c->in_cap) {
		grown = realloc(c->in, c->in_len + in.len);
		if (grown == NULL) {
			sim_end(c, SIM_OUTPUT_RESET, now_ms);
			return in.len;
		}
		c->in = grown;
		c->in_cap = c->in_len + in.len;
	}
	memcpy(c->in + c->in_len, in.data, in.len);
	c->in_len += in.len;
	if (c->manner->take(c, slice_of(c->in, c->in_len), now_ms) > 0)
		c->in_len = 0;
	return in.len;
}

void sim_conn_recv(struct sim_conn *c, struct slice in, uint64_t now_ms)
{
	if (c->ends || in.len == 0)
		return;
	if (!speaks_protocol(c->peer.kind)) {
		/* Liars with a script hear that somebody is there, and begin. */
		if (!c->spoke)
			c->manner->lie(c, now_ms);
		c->spoke = true;
		if (c->peer.kind == SIM_LIAR_TRUNCATED)
			sim_end(c, SIM_OUTPUT_CLOSE, now_ms);
		return;
	}
	while (c->in_len > 0 && in.len > 0 && !c->ends)
		in = slice_from(in, complete(c, in, now_ms));
	if (in.len == 0 || c->ends)
		return;
	keep(c, slice_from(in, c->manner->take(c, in, now_ms)), now_ms);
}

static void give_back(struct sim_conn *c)
{
	if (c->out_at < c->out_len || c->out_cap <= KEEP_CAP)
		return;
	free(c->out);
	c->out = NULL;
	c->out_at = c->out_len = c->out_cap = 0;
}

bool sim_conn_next(struct sim_conn *c, uint64_t now_ms, struct sim_output *out)
{
	give_back(c);
	if (c->has_session && !c->ends && now_ms >= c->proto->deadline(c->session)) {
		c->proto->tick(c->session, now_ms);
		drain_session(c, now_ms);
	}
	if (c->out_at == c->out_len && now_ms >= c->answer_ms)
		tell_answer(c, c->answer_ms);
	if (c->out_at < c->out_len) {
		if (now_ms < c->out_ms)
			return false;
		*out = (struct sim_output){ .kind = SIM_OUTPUT_BYTES, .at_ms = c->out_ms };
		out->bytes = slice_of(c->out + c->out_at, c->out_len - c->out_at);
		if (c->peer.kind == SIM_LIAR_DRIBBLE) {
			out->bytes.len = 1;
			c->out_ms += SIM_DRIBBLE_MS;
		}
		c->out_at += out->bytes.len;
		return true;
	}
	if (!c->ends || c->end_ms == UINT64_MAX)
		return false;
	*out = (struct sim_output){ .kind = c->end, .at_ms = c->end_ms };
	c->end_ms = UINT64_MAX; /* told */
	return true;
}

uint64_t sim_conn_deadline(const struct sim_conn *c)
{
	uint64_t session = UINT64_MAX;

	if (c->out_at < c->out_len)
		return c->out_ms;
	if (c->ends)
		return c->end_ms;
	if (c->has_session)
		session = c->proto->deadline(c->session);
	return session < c->answer_ms ? session : c->answer_ms;
}

bool sim_conn_asked(const struct sim_conn *c)
{
	return c->asked;
}
