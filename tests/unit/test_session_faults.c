/* A Bitcoin session with a peer that falls silent, hangs up, breaks rules or floods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* After cmocka's own. */
#include "support/session.h"

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
		  "5ba4a1b480110100",
		  OUTCOME_PROTOCOL_ERROR, "version: ends before its last field" },
		{ "an inv that is cut off, of no use here",
		  "f9beb4d9696e76000000000000000000010000009c12cfdc"
		  "01",
		  OUTCOME_PROTOCOL_ERROR, "inv: ends before its last field" },
		{ "bad checksum of an inv",
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

/* Nor are many of them read: what is of no use to a visit has a bound. */
static void a_visit_reads_so_much_and_no_more(void **state)
{
	enum { LEN = 4000 * 1000, WHOLE = BITCOIN_VISIT_BYTES_MAX / LEN };
	static const enum session_goal goals[] = { SESSION_GOAL_PEERS, SESSION_GOAL_PING };
	uint8_t header[BITCOIN_HEADER_LEN], checksum[4];
	uint8_t *bytes = calloc(1, LEN);
	struct writer w;

	(void)state;
	assert_non_null(bytes);
	bitcoin_checksum(slice_of(bytes, LEN), checksum);
	writer_init(&w, header, sizeof(header));
	put_empty(&w, BITCOIN_BLOCK);
	memcpy(header + 4, "bulk\0", 6);
	memcpy(header + 16, &(uint32_t){ LEN }, 4); /* little-endian, as this machine is */
	memcpy(header + 20, checksum, 4);
	for (size_t goal = 0; goal < 2; goal++) {
		struct session_params p = params_of(SESSION_INITIATOR, goals[goal]);
		struct side *s = new_side(&p);

		shake_hands(s);
		for (unsigned i = 0; i < WHOLE + 1; i++) {
			assert_false(s->done);
			feed(s, header, sizeof(header), 24);
			for (size_t at = 0; at < LEN && !s->done; at += 50000)
				feed(s, bytes + at, 50000, 50000);
		}
		/* Who asked for signs of life has said how long that may take. */
		assert_int_equal(s->done, goal == 0);
		if (s->done) {
			assert_int_equal(s->outcome, OUTCOME_TOO_BIG);
			assert_string_equal(s->rule, "header: more than 16 MiB in one visit");
		}
		free(s);
	}
	free(bytes);
}

/* What comes before the handshake was not asked for, and can't be the end of the reply. */
static void addresses_before_the_handshake_are_no_reply(void **state)
{
	struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
	struct side *s = new_side(&p);
	struct writer w = script();

	(void)state;
	put_version(&w, 77);
	put_addr(&w, 500, false);
	play(s, &w);
	s->now += 100;
	w = script();
	put_empty(&w, BITCOIN_VERACK);
	play(s, &w);
	assert_int_equal(s->handshakes, 1);
	assert_int_equal(bitcoin_proto.deadline(s->memory), START + 100 + BITCOIN_REPLY_MS);
	w = script();
	put_addr(&w, 700, false);
	play(s, &w);
	assert_int_equal(bitcoin_proto.deadline(s->memory), START + 100 + 100);
	assert_int_equal(s->advert_count, 1200);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endings),
		cmocka_unit_test(broken_rules),
		cmocka_unit_test(own_nonce_is_oneself),
		cmocka_unit_test(endless_addresses_end),
		cmocka_unit_test(pings_without_reading_end),
		cmocka_unit_test(large_messages_are_passed_over),
		cmocka_unit_test(a_visit_reads_so_much_and_no_more),
		cmocka_unit_test(addresses_before_the_handshake_are_no_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
