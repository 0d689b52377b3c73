#include "proto/bitcoin/messages.h"
#include "proto/bitcoin/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { START = 1000, WALL = 1800000000 };

/* One session with what came out of it. */
struct side {
	_Alignas(16) uint8_t memory[SESSION_SIZE_MAX];
	uint8_t in[1 << 17]; /* what it has not taken yet */
	size_t in_len;
	uint64_t now;
	unsigned handshakes, asked, messages, pongs;
	uint32_t advert_count, adverts_seen;
	char log[2048]; /* names of the MESSAGE events */
	bool done, retry_stepwise;
	enum outcome outcome;
	const char *rule;
};

static const struct network *main_net(void)
{
	return network_find("bitcoin");
}

static struct session_params params_of(enum session_role role, enum session_goal goal)
{
	struct session_params p = {
		.network = main_net(),
		.role = role,
		.goal = goal,
		.nonce = role == SESSION_INITIATOR ? 111 : 222,
		.unix_s = WALL,
		.agent = slice_text(role == SESSION_INITIATOR ? "/peerwalk:test/" : "/other:1.0/"),
		.timeout_ms = 20000,
		.ping_count = 2,
		.ping_interval_ms = 1000,
	};

	netaddr_parse(slice_text("5.6.7.8:8333"), 0, &p.peer);
	return p;
}

static void drain(struct side *s)
{
	struct session_event e;
	struct advert advert;

	while (bitcoin_proto.next(s->memory, &e)) {
		switch (e.kind) {
		case SESSION_EVENT_HANDSHAKE:
			s->handshakes++;
			break;
		case SESSION_EVENT_ADVERTS:
			s->advert_count += e.count;
			while (bitcoin_proto.adverts(&e, &advert, 1) == 1)
				s->adverts_seen++;
			break;
		case SESSION_EVENT_ASKED:
			s->asked++;
			break;
		case SESSION_EVENT_MESSAGE:
			s->messages++;
			strcat(s->log, e.name);
			strcat(s->log, " ");
			break;
		case SESSION_EVENT_PONG:
			s->pongs++;
			break;
		case SESSION_EVENT_DONE:
			assert_false(s->done);
			s->done = true;
			s->outcome = e.outcome;
			s->rule = e.rule;
			s->retry_stepwise = e.retry_stepwise;
			break;
		}
	}
}

static struct side *new_side(const struct session_params *params)
{
	struct side *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->now = START;
	assert_true(bitcoin_proto.session_size <= sizeof(s->memory));
	bitcoin_proto.init(s->memory, params, START);
	drain(s);
	return s;
}

/* Bytes arrive, in pieces of `piece` bytes. */
static void feed(struct side *s, const uint8_t *data, size_t len, size_t piece)
{
	while (len > 0) {
		size_t n = len < piece ? len : piece, used;

		assert_true(s->in_len + n <= sizeof(s->in));
		memcpy(s->in + s->in_len, data, n);
		s->in_len += n;
		data += n;
		len -= n;
		do {
			used = bitcoin_proto.recv(s->memory, slice_of(s->in, s->in_len), s->now);
			drain(s);
			memmove(s->in, s->in + used, s->in_len - used);
			s->in_len -= used;
		} while (used > 0);
	}
}

static size_t collect(struct side *s, uint8_t *out, size_t cap)
{
	size_t len = 0, n;

	while ((n = bitcoin_proto.send(s->memory, out + len, cap - len)) > 0)
		len += n;
	return len;
}

static void tick_at(struct side *s, uint64_t now)
{
	s->now = now;
	bitcoin_proto.tick(s->memory, now);
	drain(s);
}

/* --- messages of a peer --- */

static void put_version(struct writer *w, uint64_t nonce)
{
	size_t mark = bitcoin_message_begin(w);
	struct bitcoin_version v = {
		.protocol = 70016,
		.services = 9,
		.time_s = WALL + 5,
		.nonce = nonce,
		.agent = slice_text("/scripted:1.0/"),
		.height = 900000,
		.relay = true,
		.has_from = true,
		.has_height = true,
		.has_relay = true,
	};

	netaddr_parse(slice_text("9.8.7.6:1234"), 0, &v.recv.addr);
	v.from.addr.kind = NETADDR_IPV6;
	bitcoin_version_encode(w, &v);
	bitcoin_message_end(w, mark, main_net()->magic, BITCOIN_VERSION);
}

static void put_empty(struct writer *w, enum bitcoin_command id)
{
	bitcoin_message_end(w, bitcoin_message_begin(w), main_net()->magic, id);
}

static void put_addr(struct writer *w, unsigned count, bool v2)
{
	struct advert *adverts = calloc(count, sizeof(*adverts));
	size_t mark = bitcoin_message_begin(w);

	assert_non_null(adverts);
	for (unsigned i = 0; i < count; i++) {
		adverts[i].addr = netaddr_ipv4(0x08000000U + i, 8333);
		adverts[i].last_seen_s = WALL - 60;
	}
	bitcoin_addr_encode(w, v2, adverts, count);
	bitcoin_message_end(w, mark, main_net()->magic, v2 ? BITCOIN_ADDRV2 : BITCOIN_ADDR);
	free(adverts);
}

static void put_self_addr(struct writer *w)
{
	struct advert advert = { .last_seen_s = WALL };
	size_t mark = bitcoin_message_begin(w);

	netaddr_parse(slice_text("5.6.7.8:8333"), 0, &advert.addr);
	bitcoin_addr_encode(w, false, &advert, 1);
	bitcoin_message_end(w, mark, main_net()->magic, BITCOIN_ADDR);
}

static void put_ping(struct writer *w, enum bitcoin_command id, uint64_t nonce)
{
	size_t mark = bitcoin_message_begin(w);

	bitcoin_ping_encode(w, &(struct bitcoin_ping){ .has_nonce = true, .nonce = nonce });
	bitcoin_message_end(w, mark, main_net()->magic, id);
}

static uint8_t script_bytes[1 << 16];

static struct writer script(void)
{
	struct writer w;

	writer_init(&w, script_bytes, sizeof(script_bytes));
	return w;
}

static void play(struct side *s, const struct writer *w)
{
	assert_true(writer_ok(w));
	feed(s, w->data, w->len, w->len);
}

static void shake_hands(struct side *s)
{
	struct writer w = script();

	put_version(&w, 77);
	put_empty(&w, BITCOIN_VERACK);
	play(s, &w);
	assert_int_equal(s->handshakes, 1);
}

/* Commands of whole messages in a row of bytes. */
static void commands_of(const uint8_t *data, size_t len, char *out)
{
	struct bitcoin_header h;
	struct reader r;

	*out = 0;
	while (len > 0) {
		reader_init(&r, slice_of(data, len));
		bitcoin_header_decode(&r, main_net()->magic, &h);
		assert_true(reader_ok(&r));
		strcat(out, h.command);
		strcat(out, " ");
		data += BITCOIN_HEADER_LEN + h.length;
		len -= BITCOIN_HEADER_LEN + h.length;
	}
}

/* --- tests --- */

static void the_first_flight(void **state)
{
	struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
	struct side *s = new_side(&p);
	struct bitcoin_version v;
	uint8_t out[2048];
	struct reader r;
	size_t len = collect(s, out, sizeof(out));
	char names[256];

	(void)state;
	commands_of(out, len, names);
	assert_string_equal(names, "version wtxidrelay sendaddrv2 verack getaddr ");
	reader_init(&r, slice_of(out + BITCOIN_HEADER_LEN, len - BITCOIN_HEADER_LEN));
	bitcoin_version_decode(&r, &v);
	assert_int_equal(v.protocol, BITCOIN_PROTOCOL);
	assert_int_equal(v.services, 0);
	assert_int_equal(v.nonce, 111);
	assert_int_equal(v.time_s, WALL);
	assert_int_equal(v.height, 0);
	assert_false(v.relay);
	assert_true(slice_equal(v.agent, slice_text("/peerwalk:test/")));
	free(s);
}

static void step_by_step_waits_for_its_turn(void **state)
{
	struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
	struct writer w = script();
	struct side *s;
	uint8_t out[2048];
	char names[256];

	(void)state;
	p.stepwise = true;
	s = new_side(&p);
	commands_of(out, collect(s, out, sizeof(out)), names);
	assert_string_equal(names, "version ");
	put_version(&w, 77);
	play(s, &w);
	commands_of(out, collect(s, out, sizeof(out)), names);
	assert_string_equal(names, "wtxidrelay sendaddrv2 verack ");
	w = script();
	put_empty(&w, BITCOIN_VERACK);
	play(s, &w);
	commands_of(out, collect(s, out, sizeof(out)), names);
	assert_string_equal(names, "getaddr ");
	free(s);
}

/* Whatever the pieces in which bytes come, the result is the same. */
static void both_roles_talk(void **state)
{
	static const size_t pieces[] = { 1, 7, 23, 24, 25, 1000, 1 << 16 };

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct session_params pa = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
		struct session_params pb = params_of(SESSION_RESPONDER, SESSION_GOAL_PEERS);
		struct side *a = new_side(&pa), *b = new_side(&pb);
		struct advert named[50] = { 0 };
		uint8_t bytes[8192];
		struct peer_info info;
		struct session_times times;
		struct session_counts ca, cb;
		size_t len;

		pb.height = 5;
		assert_int_equal(collect(b, bytes, sizeof(bytes)), 0);
		len = collect(a, bytes, sizeof(bytes));
		feed(b, bytes, len, pieces[i]);
		assert_int_equal(b->handshakes, 1);
		assert_int_equal(b->asked, 1);
		len = collect(b, bytes, sizeof(bytes));
		feed(a, bytes, len, pieces[i]);
		assert_int_equal(a->handshakes, 1);
		assert_false(a->done);
		for (unsigned k = 0; k < 50; k++)
			named[k].addr = netaddr_ipv4(0x08080808U + k, 8333);
		len = bitcoin_proto.answer(b->memory, named, 50, bytes, sizeof(bytes));
		/* addrv2, as both have said sendaddrv2: shorter than addr's 30 an entry. */
		assert_in_range(len, 24 + 1 + 50 * 12, 24 + 1 + 50 * 29);
		a->now += 40;
		feed(a, bytes, len, pieces[i]);
		assert_int_equal(a->advert_count, 50);
		assert_int_equal(a->adverts_seen, 50);
		tick_at(a, bitcoin_proto.deadline(a->memory));
		assert_true(a->done);
		assert_int_equal(a->outcome, OUTCOME_OK);
		bitcoin_proto.info(a->memory, &info);
		assert_true(slice_equal(info.agent, slice_text("/other:1.0/")));
		assert_true(slice_equal(info.negotiation,
					slice_text("version wtxidrelay sendaddrv2 verack")));
		bitcoin_proto.times(a->memory, &times);
		assert_int_equal(times.reply_ms, 40);
		bitcoin_proto.counts(a->memory, &ca);
		bitcoin_proto.counts(b->memory, &cb);
		assert_int_equal(ca.bytes_in, cb.bytes_out);
		assert_int_equal(ca.bytes_out, cb.bytes_in);
		free(a);
		free(b);
	}
}

static void what_the_peer_says_is_kept(void **state)
{
	struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
	struct side *s = new_side(&p);
	struct writer w = script();
	struct peer_info info;
	struct session_counts counts;
	char text[NETADDR_TEXT_MAX];
	size_t mark;

	(void)state;
	put_empty(&w, BITCOIN_VERACK); /* some send it before their version */
	put_version(&w, 77);
	put_empty(&w, BITCOIN_SENDHEADERS);
	mark = bitcoin_message_begin(&w);
	bitcoin_feefilter_encode(&w, 1000);
	bitcoin_message_end(&w, mark, main_net()->magic, BITCOIN_FEEFILTER);
	mark = bitcoin_message_begin(&w);
	writer_u64le(&w, 1);
	bitcoin_message_end(&w, mark, main_net()->magic, BITCOIN_PING);
	memcpy(w.data + mark + 4, "whatisthis\0\0", 12);
	play(s, &w);
	assert_false(s->done);
	bitcoin_proto.info(s->memory, &info);
	assert_true(slice_equal(info.agent, slice_text("/scripted:1.0/")));
	assert_true(
		slice_equal(info.negotiation, slice_text("verack version sendheaders feefilter")));
	assert_int_equal(info.protocol, 70016);
	assert_int_equal(info.services, 9);
	assert_int_equal(info.height, 900000);
	assert_int_equal(info.clock_skew_s, 5);
	assert_int_equal(info.feefilter, 1000);
	netaddr_text(&info.sees_us_as, text);
	assert_string_equal(text, "9.8.7.6:1234");
	bitcoin_proto.counts(s->memory, &counts);
	assert_int_equal(counts.messages_in, 5);
	assert_int_equal(counts.unknown_in, 1);
	free(s);
}

static void pings_are_answered_with_their_own_nonce(void **state)
{
	struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
	struct side *s = new_side(&p);
	struct writer w = script();
	struct bitcoin_ping pong;
	uint8_t out[2048];
	struct reader r;
	char names[128];
	size_t len;

	(void)state;
	collect(s, out, sizeof(out));
	shake_hands(s);
	put_ping(&w, BITCOIN_PING, 0xfeedbeef12345678);
	play(s, &w);
	len = collect(s, out, sizeof(out));
	commands_of(out, len, names);
	assert_string_equal(names, "pong ");
	reader_init(&r, slice_of(out + BITCOIN_HEADER_LEN, len - BITCOIN_HEADER_LEN));
	bitcoin_ping_decode(&r, &pong);
	assert_int_equal(pong.nonce, 0xfeedbeef12345678);
	free(s);
}

/* When the answer to getaddr is complete. */
static void replies(void **state)
{
	enum { SELF = -1, NONE = 0 };
	static const struct {
		const char *name;
		int messages[4];
		bool v2;
		uint64_t ends_after_ms; /* counted from the last message */
		enum outcome outcome;
	} rows[] = {
		{ "nothing comes", { NONE }, false, BITCOIN_REPLY_MS, OUTCOME_NO_PEERS },
		{ "only itself", { SELF }, false, BITCOIN_REPLY_MS, OUTCOME_NO_PEERS },
		{ "itself, twice", { SELF, SELF }, false, BITCOIN_REPLY_MS, OUTCOME_NO_PEERS },
		{ "one other", { 1 }, false, BITCOIN_REPLY_MS, OUTCOME_OK },
		{ "itself, then the reply",
		  { SELF, 500 },
		  false,
		  BITCOIN_QUIET_MIN_MS,
		  OUTCOME_OK },
		{ "the reply, then itself",
		  { 500, SELF },
		  false,
		  BITCOIN_QUIET_MIN_MS,
		  OUTCOME_OK },
		{ "a full addrv2", { 1000 }, true, BITCOIN_QUIET_MIN_MS, OUTCOME_OK },
		{ "in two parts", { 1000, 700 }, false, BITCOIN_QUIET_MIN_MS, OUTCOME_OK },
		{ "a few: perhaps relayed", { 7 }, false, BITCOIN_QUIET_SHORT_MS, OUTCOME_OK },
		{ "a few, then the reply", { 7, 50 }, false, BITCOIN_QUIET_MIN_MS, OUTCOME_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
		struct side *s = new_side(&p);

		shake_hands(s);
		for (unsigned k = 0; k < 4 && rows[i].messages[k] != NONE; k++) {
			struct writer w = script();

			if (rows[i].messages[k] == SELF)
				put_self_addr(&w);
			else
				put_addr(&w, (unsigned)rows[i].messages[k], rows[i].v2);
			play(s, &w);
			if (s->done)
				fail_msg("%s: ended too early", rows[i].name);
		}
		if (bitcoin_proto.deadline(s->memory) != START + rows[i].ends_after_ms)
			fail_msg("%s: ends %llu ms after", rows[i].name,
				 (unsigned long long)bitcoin_proto.deadline(s->memory) - START);
		tick_at(s, START + rows[i].ends_after_ms - 1);
		assert_false(s->done);
		tick_at(s, START + rows[i].ends_after_ms);
		if (!s->done || s->outcome != rows[i].outcome)
			fail_msg("%s: outcome %s", rows[i].name, outcome_name(s->outcome));
		free(s);
	}
}

static void the_patient_wait_longer(void **state)
{
	struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
	struct side *s;

	(void)state;
	p.patient = true;
	p.timeout_ms = 90000;
	s = new_side(&p);
	shake_hands(s);
	assert_int_equal(bitcoin_proto.deadline(s->memory), START + BITCOIN_REPLY_PATIENT_MS);
	free(s);
}

/* Endings before the reply: what came, how it ended, what it is called. */
static void endings(void **state)
{
	enum how { EOF_, RESET, TIME };
	static const struct {
		const char *name;
		bool version, verack;
		size_t extra; /* bytes of an unfinished header behind them */
		enum how how;
		enum outcome outcome;
		bool retry;
	} rows[] = {
		{ "closed at once", false, false, 0, EOF_, OUTCOME_PEER_FULL, false },
		{ "reset at once", false, false, 0, RESET, OUTCOME_PEER_FULL, true },
		{ "silence", false, false, 0, TIME, OUTCOME_MUTE, false },
		{ "half a header", false, false, 9, TIME, OUTCOME_HANDSHAKE_TIMEOUT, false },
		{ "half a header, closed", false, false, 9, EOF_, OUTCOME_PROTOCOL_ERROR, false },
		{ "version alone", true, false, 0, TIME, OUTCOME_HANDSHAKE_TIMEOUT, false },
		{ "version, closed", true, false, 0, EOF_, OUTCOME_HANDSHAKE_TIMEOUT, true },
		{ "version, reset", true, false, 0, RESET, OUTCOME_RESET, true },
		{ "verack, closed", false, true, 0, EOF_, OUTCOME_HANDSHAKE_TIMEOUT, true },
		{ "handshake, closed", true, true, 0, EOF_, OUTCOME_NO_PEERS, false },
		{ "handshake, reset", true, true, 0, RESET, OUTCOME_RESET, false },
		{ "handshake, cut short", true, true, 9, EOF_, OUTCOME_PROTOCOL_ERROR, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
		struct side *s = new_side(&p);
		struct writer w = script();

		if (rows[i].version)
			put_version(&w, 77);
		if (rows[i].verack)
			put_empty(&w, BITCOIN_VERACK);
		writer_bytes(&w, "\xf9\xbe\xb4\xd9version\0", rows[i].extra);
		if (w.len > 0)
			play(s, &w);
		if (rows[i].how == TIME) {
			tick_at(s, START + BITCOIN_HANDSHAKE_MS);
		} else {
			bitcoin_proto.closed(s->memory,
					     rows[i].how == EOF_ ? SESSION_CLOSE_EOF
								 : SESSION_CLOSE_RESET,
					     s->now);
			drain(s);
		}
		if (!s->done || s->outcome != rows[i].outcome || s->retry_stepwise != rows[i].retry)
			fail_msg("%s: %s, retry %d", rows[i].name, outcome_name(s->outcome),
				 s->retry_stepwise);
		free(s);
	}
}

/* Bytes that break a rule, in front of an otherwise good talk. */
static void broken_rules(void **state)
{
	static const struct {
		const char *name;
		const char *hex; /* NULL: made below by name */
		enum outcome outcome;
		const char *rule_word;
	} rows[] = {
		{ "testnet3's verack", "0b11090776657261636b000000000000000000005df6e0e2",
		  OUTCOME_WRONG_NETWORK, "magic" },
		{ "HTTP", "485454502f312e31203430302042616420526571756573740d0a0d0a0d0a",
		  OUTCOME_PROTOCOL_ERROR, "" },
		{ "4 GiB", "f9beb4d976657273696f6e0000000000ffffffff5df6e0e2", OUTCOME_TOO_BIG,
		  "length" },
		{ "bad checksum", "f9beb4d976657261636b000000000000000000005df6e0e3",
		  OUTCOME_PROTOCOL_ERROR, "checksum" },
		{ "version of 4 bytes",
		  "f9beb4d976657273696f6e000000000004000000"
		  "8df0e5c180110100",
		  OUTCOME_PROTOCOL_ERROR, "" },
		{ "bad checksum of a skipped inv",
		  "f9beb4d9696e760000000000000000000100000000000000"
		  "00",
		  OUTCOME_PROTOCOL_ERROR, "checksum" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
		struct side *s = new_side(&p);
		uint8_t bytes[256];
		size_t len = strlen(rows[i].hex) / 2;

		for (size_t k = 0; k < len; k++) {
			unsigned byte;

			assert_int_equal(sscanf(rows[i].hex + 2 * k, "%2x", &byte), 1);
			bytes[k] = (uint8_t)byte;
		}
		feed(s, bytes, len, 5);
		if (!s->done || s->outcome != rows[i].outcome || s->rule == NULL ||
		    strstr(s->rule, rows[i].rule_word) == NULL)
			fail_msg("%s: %s, %s", rows[i].name, outcome_name(s->outcome),
				 s->rule != NULL ? s->rule : "no rule");
		free(s);
	}
}

static void own_nonce_is_oneself(void **state)
{
	struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
	struct side *s = new_side(&p);
	struct writer w = script();

	(void)state;
	put_version(&w, 111);
	play(s, &w);
	assert_true(s->done);
	assert_int_equal(s->outcome, OUTCOME_SELF);
	free(s);
}

static void endless_addresses_end(void **state)
{
	struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
	struct side *s = new_side(&p);
	unsigned rounds = 0;

	(void)state;
	shake_hands(s);
	while (!s->done && rounds++ < 100) {
		struct writer w = script();

		put_addr(&w, 1000, false);
		play(s, &w);
	}
	assert_int_equal(rounds, 6);
	assert_int_equal(s->outcome, OUTCOME_TOO_BIG);
	free(s);
}

/* A peer that only asks and never reads can't make the session grow. */
static void pings_without_reading_end(void **state)
{
	struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
	struct side *s = new_side(&p);
	unsigned rounds = 0;

	(void)state;
	shake_hands(s);
	while (!s->done && rounds++ < 100) {
		struct writer w = script();

		put_ping(&w, BITCOIN_PING, rounds);
		play(s, &w);
	}
	assert_true(rounds < 100);
	assert_int_equal(s->outcome, OUTCOME_PROTOCOL_ERROR);
	free(s);
}

/* Large messages that nobody asked for are passed over without being held. */
static void large_messages_are_passed_over(void **state)
{
	struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
	struct side *s = new_side(&p);
	uint8_t header[BITCOIN_HEADER_LEN], checksum[4];
	enum { LEN = 1000 * 1000 };
	uint8_t *block = calloc(1, LEN);
	struct session_counts counts;
	struct writer w;

	(void)state;
	assert_non_null(block);
	shake_hands(s);
	bitcoin_checksum(slice_of(block, LEN), checksum);
	writer_init(&w, header, sizeof(header));
	put_empty(&w, BITCOIN_BLOCK);
	header[16] = LEN & 0xff;
	header[17] = LEN >> 8 & 0xff;
	header[18] = LEN >> 16;
	memcpy(header + 20, checksum, 4);
	feed(s, header, sizeof(header), 24);
	for (size_t at = 0; at < LEN; at += 50000) {
		feed(s, block + at, 50000, 50000);
		assert_int_equal(s->in_len, 0);
	}
	assert_false(s->done);
	bitcoin_proto.counts(s->memory, &counts);
	assert_int_equal(counts.messages_in, 3);
	w = script();
	put_addr(&w, 100, false);
	play(s, &w);
	assert_int_equal(s->advert_count, 100);
	free(block);
	free(s);
}

static void ping_goal(void **state)
{
	struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PING);
	struct side *s = new_side(&p);
	uint8_t out[2048];
	char names[256];
	struct bitcoin_ping ping;
	struct writer w;

	(void)state;
	commands_of(out, collect(s, out, sizeof(out)), names);
	assert_string_equal(names, "version wtxidrelay sendaddrv2 verack ");
	shake_hands(s);
	for (unsigned i = 0; i < 2; i++) {
		struct reader r;
		size_t len = collect(s, out, sizeof(out));

		commands_of(out, len, names);
		assert_string_equal(names, "ping ");
		reader_init(&r, slice_of(out + BITCOIN_HEADER_LEN, len - BITCOIN_HEADER_LEN));
		bitcoin_ping_decode(&r, &ping);
		w = script();
		put_ping(&w, BITCOIN_PONG, ping.nonce + 1); /* not ours: ignored */
		put_ping(&w, BITCOIN_PONG, ping.nonce);
		s->now += 30;
		play(s, &w);
		assert_int_equal(s->pongs, i + 1);
		if (i == 0)
			tick_at(s, bitcoin_proto.deadline(s->memory));
	}
	assert_true(s->done);
	assert_int_equal(s->outcome, OUTCOME_OK);
	free(s);
}

static void listen_goal_tells_every_message(void **state)
{
	struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_LISTEN);
	struct writer w = script();
	struct side *s;

	(void)state;
	p.timeout_ms = 0;
	s = new_side(&p);
	shake_hands(s);
	put_addr(&w, 2, false);
	put_empty(&w, BITCOIN_MEMPOOL);
	play(s, &w);
	assert_string_equal(s->log, "version verack addr mempool ");
	assert_int_equal(bitcoin_proto.deadline(s->memory), UINT64_MAX);
	free(s);
}

/* A responder answers getaddr once, and getheaders with none. */
static void responder_answers_once(void **state)
{
	struct session_params p = params_of(SESSION_RESPONDER, SESSION_GOAL_PEERS);
	struct side *s = new_side(&p);
	struct writer w = script();
	uint8_t out[2048];
	char names[256];

	(void)state;
	put_empty(&w, BITCOIN_GETADDR); /* before the handshake: ignored, as Core does */
	put_version(&w, 77);
	put_empty(&w, BITCOIN_VERACK);
	play(s, &w);
	assert_int_equal(s->asked, 0);
	commands_of(out, collect(s, out, sizeof(out)), names);
	assert_string_equal(names, "version wtxidrelay sendaddrv2 verack ");
	w = script();
	put_empty(&w, BITCOIN_GETADDR);
	put_empty(&w, BITCOIN_GETADDR);
	put_empty(&w, BITCOIN_GETHEADERS);
	play(s, &w);
	assert_int_equal(s->asked, 1);
	commands_of(out, collect(s, out, sizeof(out)), names);
	assert_string_equal(names, "headers ");
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_flight),
		cmocka_unit_test(step_by_step_waits_for_its_turn),
		cmocka_unit_test(both_roles_talk),
		cmocka_unit_test(what_the_peer_says_is_kept),
		cmocka_unit_test(pings_are_answered_with_their_own_nonce),
		cmocka_unit_test(replies),
		cmocka_unit_test(the_patient_wait_longer),
		cmocka_unit_test(endings),
		cmocka_unit_test(broken_rules),
		cmocka_unit_test(own_nonce_is_oneself),
		cmocka_unit_test(endless_addresses_end),
		cmocka_unit_test(pings_without_reading_end),
		cmocka_unit_test(large_messages_are_passed_over),
		cmocka_unit_test(ping_goal),
		cmocka_unit_test(listen_goal_tells_every_message),
		cmocka_unit_test(responder_answers_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
