#include "sim/peer.h"

#include "proto/bitcoin/messages.h"
#include "sim/liars.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* One message of answers: header, count, and for each at most time, services,
	 * network, length, the longest address and port. */
	ANSWER_CAP = BITCOIN_HEADER_LEN + 9 + SIM_BAD_ADDR_COUNT * (4 + 9 + 1 + 1 + 32 + 2),
	SEND_CAP = 1024,     /* of a session's own words, at a time */
	KEEP_CAP = 4 * 1024, /* a longer buffer is given back once it was read */
	/* Core 0.21 and before put addr messages on a timer; measured. */
	OLD_WAIT_MS = 16 * 1000,
	OLD_WAIT_MAX_MS = 61 * 1000,
	/* Mostly both parts of an answer leave together; for one peer in so many, the
	 * list comes so much after the peer's own address. */
	LATE_EVERY = 16,
	LATE_MS = 700,
};

struct sim_conn {
	const struct sim_world *world;
	const struct proto *proto;
	struct sim_peer peer;
	struct netaddr from;
	uint64_t start_ms;
	int64_t start_s;
	bool has_session, shaken, spoke, asked, told_self;

	/* What the client sent and nobody has taken yet. */
	uint8_t *in;
	size_t in_len, in_cap;

	/* What waits to be told, due at out_ms; then the end, if there is one. */
	uint8_t *out;
	size_t out_at, out_len, out_cap;
	uint64_t out_ms;
	bool ends;
	enum sim_output_kind end;
	uint64_t end_ms;

	uint64_t answer_ms; /* when the next list of peers is due; UINT64_MAX: none */
	uint64_t invented;  /* how many LIAR_INVENT has made up */
	bool verack_waits;  /* SIM_STEPWISE holds its verack back */
	uint8_t verack[BITCOIN_HEADER_LEN];

	_Alignas(16) uint8_t session[];
};

static int64_t wall_s(const struct sim_conn *c, uint64_t now_ms)
{
	return c->start_s + (int64_t)(now_ms - c->start_ms) / 1000;
}

static void end(struct sim_conn *c, enum sim_output_kind how, uint64_t now_ms)
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
			end(c, SIM_OUTPUT_RESET, now_ms);
			return NULL;
		}
		c->out = grown;
		c->out_cap = cap;
	}
	return c->out + c->out_len;
}

static void tell(struct sim_conn *c, const uint8_t *data, size_t len, uint64_t now_ms)
{
	uint8_t *to = c->ends || len == 0 ? NULL : out_room(c, len, now_ms);

	if (to == NULL)
		return;
	memcpy(to, data, len);
	if (c->out_len == 0)
		c->out_ms = now_ms;
	c->out_len += len;
}

static void tell_lie(struct sim_conn *c, uint64_t now_ms)
{
	uint8_t bytes[SIM_LIE_MAX];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	sim_lie_opening(c->world, &c->peer, wall_s(c, now_ms), &w);
	assert(writer_ok(&w));
	tell(c, bytes, w.len, now_ms);
}

/* What Bitcoin Core says unasked once it has shaken hands: compact blocks (BIP 152),
 * a ping, where its chain ends, its fee filter (BIP 133). A few peers say something
 * that nobody knows. */
static void tell_unasked(struct sim_conn *c, uint64_t now_ms)
{
	const uint8_t *magic = sim_world_config(c->world)->network->magic;
	uint8_t bytes[512];
	struct writer w;
	size_t mark;

	writer_init(&w, bytes, sizeof(bytes));
	mark = bitcoin_message_begin(&w);
	writer_u8(&w, 0);
	writer_u64le(&w, 2);
	bitcoin_message_end(&w, mark, magic, BITCOIN_SENDCMPCT);
	mark = bitcoin_message_begin(&w);
	writer_u64le(&w, random_mix(c->peer.index ^ now_ms));
	bitcoin_message_end(&w, mark, magic, BITCOIN_PING);
	mark = bitcoin_message_begin(&w);
	writer_u32le(&w, (uint32_t)c->peer.protocol);
	bitcoin_put_compact_size(&w, 1);
	writer_zeros(&w, 2 * 32);
	bitcoin_message_end(&w, mark, magic, BITCOIN_GETHEADERS);
	mark = bitcoin_message_begin(&w);
	bitcoin_feefilter_encode(&w, c->peer.index % 20 == 0 ? 100 : 1000);
	bitcoin_message_end(&w, mark, magic, BITCOIN_FEEFILTER);
	if (c->peer.index % 50 == 1) {
		mark = bitcoin_message_begin(&w);
		writer_u64le(&w, c->peer.index);
		bitcoin_message_end(&w, mark, magic, BITCOIN_PING);
		memcpy(bytes + mark + 4, "wherefore\0\0\0", BITCOIN_COMMAND_LEN);
	}
	assert(writer_ok(&w));
	tell(c, bytes, w.len, now_ms);
}

static void tell_adverts(struct sim_conn *c, const struct advert *adverts, size_t count,
			 uint64_t now_ms)
{
	uint8_t bytes[ANSWER_CAP];
	size_t len = c->proto->answer(c->session, adverts, count, bytes, sizeof(bytes));

	assert(len > 0);
	tell(c, bytes, len, now_ms);
}

/* As Core does it: first itself, alone (if it listens) ... */
static void tell_self(struct sim_conn *c, uint64_t now_ms)
{
	const struct advert self = {
		.addr = c->peer.addr,
		.services = c->peer.services,
		.last_seen_s = wall_s(c, now_ms),
	};

	tell_adverts(c, &self, 1, now_ms);
	c->told_self = true;
}

/* ... then whom it knows. */
static void tell_table(struct sim_conn *c, uint64_t now_ms)
{
	struct advert table[SIM_TABLE_MAX];
	size_t count =
		sim_world_table(c->world, c->peer.index, wall_s(c, now_ms), table, SIM_TABLE_MAX);

	if (count > 0)
		tell_adverts(c, table, count, now_ms);
}

static void tell_invented(struct sim_conn *c, size_t count, uint64_t now_ms)
{
	struct advert adverts[SIM_BAD_ADDR_COUNT];

	assert(count <= SIM_BAD_ADDR_COUNT);
	sim_lie_adverts(c->world, c->peer.index * 977ULL + c->invented, wall_s(c, now_ms), adverts,
			count);
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
		tell_self(c, now_ms);
		if (c->peer.index % LATE_EVERY == LATE_EVERY - 1)
			c->answer_ms = now_ms + LATE_MS;
		else
			tell_table(c, now_ms);
	} else {
		tell_table(c, now_ms);
	}
}

/* --- the session --- */

/* Of the session's words, what this peer's software would really say. */
static void tell_spoken(struct sim_conn *c, uint8_t *words, size_t len, uint64_t now_ms)
{
	struct bitcoin_header header;
	struct reader r;
	size_t whole;

	if (c->peer.kind == SIM_LIAR_CHECKSUM)
		sim_lie_checksums(words, len);
	for (size_t at = 0; at < len; at += whole) {
		reader_init(&r, slice_of(words + at, len - at));
		bitcoin_header_decode(&r, sim_world_config(c->world)->network->magic, &header);
		assert(reader_ok(&r));
		whole = BITCOIN_HEADER_LEN + header.length;
		if (header.id == BITCOIN_VERACK && c->peer.kind == SIM_STEPWISE && !c->shaken) {
			memcpy(c->verack, words + at, sizeof(c->verack));
			c->verack_waits = true;
			continue;
		}
		tell(c, words + at, whole, now_ms);
	}
}

static uint64_t old_wait_ms(const struct sim_conn *c)
{
	uint64_t roll = random_mix(sim_world_config(c->world)->seed ^ (c->peer.index * 31ULL));

	return OLD_WAIT_MS + roll % (OLD_WAIT_MAX_MS - OLD_WAIT_MS);
}

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
	tell_spoken(c, words, len, now_ms);
	if (shaken) {
		c->shaken = true;
		if (c->verack_waits)
			tell(c, c->verack, sizeof(c->verack), now_ms);
		c->verack_waits = false;
		tell_unasked(c, now_ms);
	}
	if (asked) {
		c->asked = true;
		c->answer_ms = now_ms + (c->peer.kind == SIM_OLD ? old_wait_ms(c) : 0);
	}
	if (done)
		end(c, SIM_OUTPUT_CLOSE, now_ms);
}

/* LIAR_ECHO speaks with the nonce that it has just heard, so "is this me?" is no. */
static bool never_own(void *ctx, uint64_t nonce)
{
	(void)ctx;
	(void)nonce;
	return false;
}

static void start_session(struct sim_conn *c, uint64_t nonce, uint64_t now_ms)
{
	const struct session_params params = {
		.network = sim_world_config(c->world)->network,
		.role = SESSION_RESPONDER,
		.goal = SESSION_GOAL_LISTEN, /* real peers want transactions relayed */
		.nonce = nonce,
		.is_own = never_own,
		.unix_s = wall_s(c, now_ms) + c->peer.clock_skew_s,
		.services = c->peer.services,
		.height = c->peer.height,
		.protocol = c->peer.protocol,
		.agent = slice_text(c->peer.agent),
		.peer = c->from,
	};

	c->proto->init(c->session, &params, now_ms);
	c->has_session = true;
	drain_session(c, now_ms);
}

/* The nonce of a whole version message, where it says one. */
static uint64_t version_nonce(struct slice message)
{
	struct bitcoin_version v;
	struct reader r;

	reader_init(&r, slice_from(message, BITCOIN_HEADER_LEN));
	bitcoin_version_decode(&r, &v);
	return reader_ok(&r) ? v.nonce : 0;
}

/* Whether SIM_STEPWISE hangs up on it. */
static bool comes_too_early(const struct sim_conn *c, enum bitcoin_command id)
{
	return c->peer.kind == SIM_STEPWISE && !c->shaken && id != BITCOIN_VERSION &&
	       id != BITCOIN_VERACK;
}

static void take_message(struct sim_conn *c, enum bitcoin_command id, struct slice message,
			 uint64_t now_ms)
{
	if (comes_too_early(c, id)) {
		end(c, SIM_OUTPUT_CLOSE, now_ms);
		return;
	}
	if (id == BITCOIN_SENDADDRV2 && c->peer.protocol < BITCOIN_PROTOCOL_WTXIDRELAY)
		return; /* unknown to software of that age */
	if (!c->has_session)
		start_session(c, version_nonce(message), now_ms);
	for (size_t at = 0, n; at < message.len; at += n) {
		n = c->proto->recv(c->session, slice_from(message, at), now_ms);
		drain_session(c, now_ms);
		if (n == 0)
			break;
	}
}

/* Takes whole messages off the front; returns how many bytes are done with. */
static size_t take(struct sim_conn *c, struct slice in, uint64_t now_ms)
{
	struct bitcoin_header header;
	struct reader r;
	size_t at = 0;

	while (!c->ends && in.len - at >= BITCOIN_HEADER_LEN) {
		reader_init(&r, slice_from(in, at));
		bitcoin_header_decode(&r, sim_world_config(c->world)->network->magic, &header);
		if (!reader_ok(&r) || header.length > SIM_IN_MAX - BITCOIN_HEADER_LEN) {
			end(c, SIM_OUTPUT_RESET, now_ms);
			break;
		}
		if (in.len - at < BITCOIN_HEADER_LEN + header.length)
			break;
		take_message(c, header.id,
			     slice_of(in.data + at, BITCOIN_HEADER_LEN + header.length), now_ms);
		at += BITCOIN_HEADER_LEN + header.length;
	}
	return c->ends ? in.len : at;
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
	c->from = *from;
	c->start_ms = now_ms;
	c->start_s = now_s;
	c->answer_ms = UINT64_MAX;
	sim_world_peer(w, index, &c->peer);
	if (c->peer.kind == SIM_FULL) {
		end(c, SIM_OUTPUT_CLOSE, now_ms);
	} else if (c->peer.kind == SIM_LIAR_GARBAGE) {
		tell_lie(c, now_ms);
		c->spoke = true;
	} else if (speaks_protocol(c->peer.kind) && c->peer.kind != SIM_LIAR_ECHO) {
		start_session(c, random_mix(sim_world_config(w)->seed + index), now_ms);
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
			end(c, SIM_OUTPUT_RESET, now_ms);
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
	size_t whole = BITCOIN_HEADER_LEN;
	uint8_t *grown;
	struct reader r;

	if (c->in_len >= BITCOIN_HEADER_LEN) {
		reader_init(&r, slice_of(c->in + 16, 4)); /* take() has checked it */
		whole += reader_u32le(&r, "length");
	}
	if (in.len > whole - c->in_len)
		in.len = whole - c->in_len;
	if (c->in_len + in.len > c->in_cap) {
		grown = realloc(c->in, c->in_len + in.len);
		if (grown == NULL) {
			end(c, SIM_OUTPUT_RESET, now_ms);
			return in.len;
		}
		c->in = grown;
		c->in_cap = c->in_len + in.len;
	}
	memcpy(c->in + c->in_len, in.data, in.len);
	c->in_len += in.len;
	if (take(c, slice_of(c->in, c->in_len), now_ms) > 0)
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
			tell_lie(c, now_ms);
		c->spoke = true;
		if (c->peer.kind == SIM_LIAR_TRUNCATED)
			end(c, SIM_OUTPUT_CLOSE, now_ms);
		return;
	}
	while (c->in_len > 0 && in.len > 0 && !c->ends)
		in = slice_from(in, complete(c, in, now_ms));
	if (in.len == 0 || c->ends)
		return;
	keep(c, slice_from(in, take(c, in, now_ms)), now_ms);
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
