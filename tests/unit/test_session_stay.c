/* A Bitcoin session that is to stay: what a standing peer says, suffers and waits for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* After cmocka's own. */
#include "proto/bitcoin/inventory.h"
#include "proto/bitcoin/stay.h"
#include "support/session.h"

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

static struct side *stay(enum session_role role)
{
	struct session_params p = params_of(role, SESSION_GOAL_STAY);

	p.timeout_ms = 0;
	return new_side(&p);
}

/* What it says, as names; drops it. */
static const char *says(struct side *s)
{
	static char names[1024];
	uint8_t out[4096];

	commands_of(out, collect(s, out, sizeof(out)), names);
	return names;
}

static void hears(struct side *s, enum bitcoin_command id)
{
	struct writer w = script();

	put_empty(&w, id);
	play(s, &w);
}

static struct side *stay_ready(enum session_role role)
{
	struct side *s = stay(role);

	shake_hands(s);
	says(s);
	return s;
}

static void an_initiator_goes_step_by_step(void **state)
{
	struct side *s = stay(SESSION_INITIATOR);
	struct writer w = script();
	struct bitcoin_version v;
	uint8_t out[1024];
	char names[256];
	struct reader r;
	size_t len;

	(void)state;
	len = collect(s, out, sizeof(out));
	commands_of(out, len, names);
	assert_string_equal(names, "version ");
	reader_init(&r, slice_of(out + BITCOIN_HEADER_LEN, len - BITCOIN_HEADER_LEN));
	bitcoin_version_decode(&r, &v);
	assert_true(reader_ok(&r));
	assert_int_equal(v.services, 0);
	assert_false(v.relay);
	put_version(&w, 77);
	play(s, &w);
	assert_string_equal(says(s), "wtxidrelay sendaddrv2 verack ");
	hears(s, BITCOIN_VERACK);
	assert_string_equal(says(s), "getaddr ping ");
	assert_string_equal(s->log, "version verack ");
	free(s);
}

static void a_responder_waits_for_the_version(void **state)
{
	struct side *s = stay(SESSION_RESPONDER);
	struct writer w = script();

	(void)state;
	assert_string_equal(says(s), "");
	put_version(&w, 77);
	play(s, &w);
	assert_string_equal(says(s), "version wtxidrelay sendaddrv2 verack ");
	hears(s, BITCOIN_VERACK);
	assert_string_equal(says(s), "ping ");
	free(s);
}

/* Getaddr is answered to who called, once; getheaders to both. */
static void questions(void **state)
{
	(void)state;
	for (int role = SESSION_INITIATOR; role <= SESSION_RESPONDER; role++) {
		struct side *s = stay_ready((enum session_role)role);

		hears(s, BITCOIN_GETADDR);
		hears(s, BITCOIN_GETADDR);
		assert_int_equal(s->asked, role == SESSION_RESPONDER);
		hears(s, BITCOIN_GETHEADERS);
		hears(s, BITCOIN_INV);
		hears(s, BITCOIN_MEMPOOL);
		assert_string_equal(says(s), "headers ");
		assert_string_equal(s->log,
				    "version verack getaddr getaddr getheaders inv mempool ");
		assert_false(s->done);
		free(s);
	}
}

/* One message more once hands are shaken, or before. */
static void order(void **state)
{
	static const struct {
		const char *name;
		enum bitcoin_command id;
		bool ready; /* hands are shaken */
		enum outcome outcome;
		bool done;
	} rows[] = {
		{ "wtxidrelay after verack", BITCOIN_WTXIDRELAY, true, OUTCOME_PROTOCOL_ERROR,
		  true },
		{ "sendaddrv2 after verack", BITCOIN_SENDADDRV2, true, OUTCOME_PROTOCOL_ERROR,
		  true },
		{ "sendtxrcncl after verack", BITCOIN_SENDTXRCNCL, true, OUTCOME_PROTOCOL_ERROR,
		  true },
		{ "feature after verack", BITCOIN_FEATURE, true, OUTCOME_PROTOCOL_ERROR, true },
		{ "sendheaders after verack", BITCOIN_SENDHEADERS, true, OUTCOME_OK, false },
		{ "verack again", BITCOIN_VERACK, true, OUTCOME_OK, false },
		{ "getaddr before version", BITCOIN_GETADDR, false, OUTCOME_OK, false },
		{ "getheaders before version", BITCOIN_GETHEADERS, false, OUTCOME_OK, false },
		{ "sendaddrv2 before version", BITCOIN_SENDADDRV2, false, OUTCOME_OK, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct side *s =
			rows[i].ready ? stay_ready(SESSION_RESPONDER) : stay(SESSION_RESPONDER);

		hears(s, rows[i].id);
		if (s->done != rows[i].done || (s->done && s->outcome != rows[i].outcome) ||
		    s->asked > 0 || says(s)[0] != 0)
			fail_msg("%s: done %d, %s", rows[i].name, s->done,
				 outcome_name(s->outcome));
		if (!rows[i].ready)
			shake_hands(s);
		free(s);
	}
}

static void a_version_that_is_too_old_is_the_end(void **state)
{
	static const struct {
		int32_t protocol;
		bool done;
	} rows[] = { { 31799, true }, { 31800, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct side *s = stay(SESSION_RESPONDER);
		struct writer w = script();

		put_version_of(&w, 77, rows[i].protocol);
		play(s, &w);
		assert_int_equal(s->done, rows[i].done);
		free(s);
	}
}

/* When nothing comes any more. */
static void the_silent_are_let_go(void **state)
{
	static const struct {
		const char *name;
		enum session_role role;
		int32_t protocol; /* of the peer's version; 0: none comes */
		bool verack;
		uint64_t after_ms;
		enum outcome outcome;
	} rows[] = {
		{ "a caller that is mute", SESSION_RESPONDER, 0, false, MINUTE, OUTCOME_MUTE },
		{ "whom we call, mute", SESSION_INITIATOR, 0, false, BITCOIN_HANDSHAKE_MS,
		  OUTCOME_MUTE },
		{ "a version alone", SESSION_RESPONDER, 70016, false, MINUTE,
		  OUTCOME_HANDSHAKE_TIMEOUT },
		{ "no pong", SESSION_RESPONDER, 70016, true, 20 * MINUTE, OUTCOME_MUTE },
		{ "no pong of whom we called", SESSION_INITIATOR, 70016, true, 20 * MINUTE,
		  OUTCOME_MUTE },
		{ "knows no pong", SESSION_RESPONDER, 60000, true, 20 * MINUTE, OUTCOME_MUTE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct side *s = stay(rows[i].role);
		struct writer w = script();

		if (rows[i].protocol > 0)
			put_version_of(&w, 77, rows[i].protocol);
		if (rows[i].verack)
			put_empty(&w, BITCOIN_VERACK);
		play(s, &w);
		while (!s->done) {
			uint64_t next = bitcoin_proto.deadline(s->memory);

			assert_true(next > s->now && next <= START + rows[i].after_ms);
			tick_at(s, next);
			says(s);
		}
		if (s->now != START + rows[i].after_ms || s->outcome != rows[i].outcome)
			fail_msg("%s: %s after %d s", rows[i].name, outcome_name(s->outcome),
				 (int)((s->now - START) / 1000));
		free(s);
	}
}

/* Anything but a pong doesn't count as one, however often it comes. */
static void chatter_is_no_pong(void **state)
{
	struct side *s = stay_ready(SESSION_RESPONDER);
	struct writer w;

	(void)state;
	while (!s->done && s->now < START + HOUR) {
		tick_at(s, s->now + MINUTE);
		w = script();
		put_ping(&w, BITCOIN_PING, 5);
		put_ping(&w, BITCOIN_PONG, 6); /* not ours */
		if (!s->done)
			play(s, &w);
		says(s);
	}
	assert_true(s->done);
	assert_int_equal(s->now, START + 20 * MINUTE);
	assert_string_equal(s->rule, "pong: within 20 minutes (TIMEOUT_INTERVAL)");
	free(s);
}

static uint64_t nonce_of_ping(struct side *s)
{
	uint8_t out[64];
	size_t len = collect(s, out, sizeof(out));
	struct bitcoin_ping ping;
	struct reader r;

	assert_int_equal(len, BITCOIN_HEADER_LEN + 8);
	reader_init(&r, slice_of(out + BITCOIN_HEADER_LEN, 8));
	bitcoin_ping_decode(&r, &ping);
	return ping.nonce;
}

/* Two minutes from ping to ping, however late the pong. */
static void a_late_pong_counts(void **state)
{
	struct side *s = stay(SESSION_RESPONDER);
	struct writer w = script();
	uint64_t nonce;

	(void)state;
	put_version(&w, 77);
	play(s, &w);
	says(s);
	hears(s, BITCOIN_VERACK);
	nonce = nonce_of_ping(s);
	tick_at(s, START + 19 * MINUTE);
	assert_string_equal(says(s), "");
	w = script();
	put_ping(&w, BITCOIN_PONG, nonce);
	play(s, &w);
	assert_int_equal(s->pongs, 1);
	tick_at(s, s->now); /* due long ago */
	nonce = nonce_of_ping(s);
	s->now += 50;
	w = script();
	put_ping(&w, BITCOIN_PONG, nonce);
	play(s, &w);
	assert_int_equal(bitcoin_proto.deadline(s->memory), START + 21 * MINUTE);
	assert_false(s->done);
	free(s);
}

/* A message of so many bytes, of which the header comes alone: is it waited for? */
static void long_messages_are_never_held(void **state)
{
	static const struct {
		enum bitcoin_command id;
		uint32_t length;
		bool held;
	} rows[] = {
		{ BITCOIN_TX, 3999999, false },
		{ BITCOIN_BLOCK, 4000000, false },
		{ BITCOIN_INV, 1800003, false },
		{ BITCOIN_UNKNOWN, 4000000, false },
		{ BITCOIN_INV, BITCOIN_STAY_TOLD_MAX + 1, false },
		{ BITCOIN_INV, BITCOIN_STAY_TOLD_MAX, true },
		{ BITCOIN_ADDR, 30003, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct side *s = stay_ready(SESSION_RESPONDER);
		struct session_counts counts;
		struct writer w = script();

		bitcoin_message_end(&w, bitcoin_message_begin(&w), main_net()->magic, rows[i].id);
		if (rows[i].id == BITCOIN_UNKNOWN)
			memcpy(w.data + 4, "no such", 7);
		for (unsigned k = 0; k < 4; k++)
			w.data[16 + k] = (uint8_t)(rows[i].length >> 8 * k);
		play(s, &w);
		assert_false(s->done);
		assert_int_equal(s->in_len > 0, rows[i].held);
		assert_int_equal(bitcoin_proto.need(s->memory),
				 BITCOIN_HEADER_LEN + (rows[i].held ? rows[i].length : 0));
		bitcoin_proto.counts(s->memory, &counts);
		assert_int_equal(counts.messages_in, rows[i].held ? 2 : 3);
		assert_int_equal(counts.unknown_in, rows[i].id == BITCOIN_UNKNOWN);
		free(s);
	}
}

/* What we do nothing with is no business of ours, whatever stands in it. */
static void nobody_is_blamed_for_what_we_pass_over(void **state)
{
	struct side *s = stay_ready(SESSION_INITIATOR);
	struct writer w = script();
	size_t mark = bitcoin_message_begin(&w);

	(void)state;
	bitcoin_put_compact_size(&w, 7); /* and no entry follows */
	bitcoin_message_end(&w, mark, main_net()->magic, BITCOIN_INV);
	play(s, &w);
	assert_false(s->done);
	assert_string_equal(s->log, "version verack inv ");
	free(s);
}

static void more_than_a_thousand_addresses_are_the_end(void **state)
{
	(void)state;
	for (unsigned count = 1000; count <= 1001; count++) {
		struct side *s = stay_ready(SESSION_RESPONDER);
		struct writer w = script();

		put_addr(&w, count, true);
		play(s, &w);
		assert_int_equal(s->adverts_seen, count == 1000 ? 1000 : 0);
		assert_int_equal(s->done, count > 1000);
		assert_true(!s->done || s->outcome == OUTCOME_TOO_BIG);
		free(s);
	}
}

/* Answers and announcements in the form that was agreed on. */
static void answers_are_in_the_peers_form(void **state)
{
	const struct advert named = { .addr = netaddr_ipv4(0x08080808, 8333) };

	(void)state;
	for (unsigned v2 = 0; v2 <= 1; v2++) {
		struct side *s = stay(SESSION_RESPONDER);
		struct writer w = script();
		uint8_t out[256];
		char names[64];

		put_version(&w, 77);
		if (v2)
			put_empty(&w, BITCOIN_SENDADDRV2);
		put_empty(&w, BITCOIN_VERACK);
		play(s, &w);
		commands_of(out, bitcoin_proto.answer(s->memory, &named, 1, out, sizeof(out)),
			    names);
		assert_string_equal(names, v2 ? "addrv2 " : "addr ");
		free(s);
	}
}

/* Bytes of each reach the other, until neither has any. */
static unsigned exchange(struct side *a, struct side *b)
{
	static uint8_t out[1 << 14];
	unsigned pings = 0, silent = 0;
	struct side *from = a, *to = b;
	char names[512];

	while (silent < 2) {
		size_t len = collect(from, out, sizeof(out));
		struct side *other = from;

		commands_of(out, len, names);
		for (const char *p = names; (p = strstr(p, "ping ")) != NULL; p++)
			pings++;
		feed(to, out, len, sizeof(out));
		to->log[0] = 0;
		silent = len > 0 ? 0 : silent + 1;
		from = to;
		to = other;
	}
	return pings;
}

/* A whole day: nothing but a ping of each every two minutes, and its pong. */
static void two_stay_together_for_a_day(void **state)
{
	enum { DAY = 24 * HOUR };
	struct side *a = stay(SESSION_INITIATOR), *b = stay(SESSION_RESPONDER);
	struct session_counts counts;
	unsigned pings = exchange(a, b);

	(void)state;
	assert_int_equal(a->handshakes + b->handshakes, 2);
	for (;;) {
		uint64_t next_a = bitcoin_proto.deadline(a->memory);
		uint64_t next_b = bitcoin_proto.deadline(b->memory);
		uint64_t next = next_a < next_b ? next_a : next_b;

		assert_true(next > a->now);
		if (next > START + DAY)
			break;
		tick_at(a, next);
		tick_at(b, next);
		pings += exchange(a, b);
	}
	assert_false(a->done || b->done);
	assert_int_equal(b->asked, 1);
	/* The first at once, then 720 in a day: of each. */
	assert_int_equal(pings, 2 * 721);
	assert_int_equal(a->pongs, 721);
	assert_int_equal(b->pongs, 721);
	bitcoin_proto.counts(b->memory, &counts);
	/* version wtxidrelay sendaddrv2 verack getaddr, pings and pongs. */
	assert_int_equal(counts.messages_in, 5 + 2 * 721);
	assert_int_equal(counts.unknown_in, 0);
	free(a);
	free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_initiator_goes_step_by_step),
		cmocka_unit_test(a_responder_waits_for_the_version),
		cmocka_unit_test(questions),
		cmocka_unit_test(order),
		cmocka_unit_test(a_version_that_is_too_old_is_the_end),
		cmocka_unit_test(the_silent_are_let_go),
		cmocka_unit_test(chatter_is_no_pong),
		cmocka_unit_test(a_late_pong_counts),
		cmocka_unit_test(long_messages_are_never_held),
		cmocka_unit_test(nobody_is_blamed_for_what_we_pass_over),
		cmocka_unit_test(more_than_a_thousand_addresses_are_the_end),
		cmocka_unit_test(answers_are_in_the_peers_form),
		cmocka_unit_test(two_stay_together_for_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
