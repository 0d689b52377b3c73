/* A Bitcoin session that goes well, in both roles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* After cmocka's own. */
#include "support/session.h"

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
	bitcoin_feefilter_encode(&w, -1); /* which says nothing */
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
	assert_int_equal(counts.messages_in, 6);
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
	/* Due at once, but not before all that came with it is heard. */
	assert_int_equal(collect(s, out, sizeof(out)), 0);
	assert_int_equal(bitcoin_proto.deadline(s->memory), s->now);
	tick_at(s, s->now);
	assert_true(bitcoin_proto.deadline(s->memory) > s->now);
	len = collect(s, out, sizeof(out));
	commands_of(out, len, names);
	assert_string_equal(names, "pong ");
	reader_init(&r, slice_of(out + BITCOIN_HEADER_LEN, len - BITCOIN_HEADER_LEN));
	bitcoin_ping_decode(&r, &pong);
	assert_int_equal(pong.nonce, 0xfeedbeef12345678);
	free(s);
}

/* Whoever has the reply leaves, and says nothing more; a few addresses that may have been
 * relayed unasked are no reply. */
static void no_pong_once_the_reply_is_there(void **state)
{
	static const struct {
		const char *name;
		unsigned before, entries, after; /* pings, the list, pings */
		const char *said;
	} rows[] = {
		{ "with the reply", 1, 11, 0, "" },
		{ "behind the reply", 0, 11, 1, "" },
		{ "with a short list", 1, 10, 0, "pong " },
		{ "two, of which one comes with the reply", 2, 11, 0, "pong " },
		{ "many, and no reply", 3, 0, 0, "pong pong pong " },
	};
	uint8_t out[2048];
	char names[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
		struct side *s = new_side(&p);
		struct writer w = script();

		collect(s, out, sizeof(out));
		shake_hands(s);
		for (unsigned k = 0; k < rows[i].before; k++)
			put_ping(&w, BITCOIN_PING, k + 1);
		if (rows[i].entries > 0)
			put_addr(&w, rows[i].entries, false);
		for (unsigned k = 0; k < rows[i].after; k++)
			put_ping(&w, BITCOIN_PING, 100 + k);
		play(s, &w);
		tick_at(s, s->now);
		commands_of(out, collect(s, out, sizeof(out)), names);
		if (strcmp(names, rows[i].said) != 0)
			fail_msg("%s: said \"%s\"", rows[i].name, names);
		free(s);
	}
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

/* A pong before its ping would feign nearness: what a ping asks for can't be told from what was
 * said before, and differs where the secret does. */
static void no_pong_comes_before_its_ping(void **state)
{
	uint64_t nonces[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PING);
		uint8_t out[2048];
		struct bitcoin_ping ping;
		struct reader r;
		struct side *s;

		p.secret = (struct hash_key){ 5, i };
		s = new_side(&p);
		collect(s, out, sizeof(out));
		shake_hands(s);
		reader_init(&r, slice_of(out + BITCOIN_HEADER_LEN,
					 collect(s, out, sizeof(out)) - BITCOIN_HEADER_LEN));
		bitcoin_ping_decode(&r, &ping);
		assert_true(ping.has_nonce);
		nonces[i] = ping.nonce;
		free(s);
	}
	assert_true(nonces[0] != nonces[1]);
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

/* What a version says is spoken by the older of the two. */
static void offers_go_by_the_older_version(void **state)
{
	static const struct {
		const char *name;
		int32_t own, peers;
		const char *says, *answers;
	} rows[] = {
		{ "both new", 0, 70017, "version wtxidrelay sendaddrv2 verack ", "addrv2 " },
		{ "just new enough", 70016, 70016, "version wtxidrelay sendaddrv2 verack ",
		  "addrv2 " },
		{ "an old peer", 0, 70015, "version verack ", "addr " },
		{ "we are old", 70015, 70017, "version verack ", "addr " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct session_params p = params_of(SESSION_RESPONDER, SESSION_GOAL_PEERS);
		const struct advert named = { .addr = netaddr_ipv4(0x08080808, 8333) };
		struct writer w = script();
		struct side *s;
		uint8_t out[2048];
		char names[256];

		p.protocol = rows[i].own;
		s = new_side(&p);
		put_version_of(&w, 77, rows[i].peers);
		put_empty(&w, BITCOIN_SENDADDRV2);
		put_empty(&w, BITCOIN_VERACK);
		play(s, &w);
		commands_of(out, collect(s, out, sizeof(out)), names);
		if (strcmp(names, rows[i].says) != 0)
			fail_msg("%s: says %s", rows[i].name, names);
		commands_of(out, bitcoin_proto.answer(s->memory, &named, 1, out, sizeof(out)),
			    names);
		if (strcmp(names, rows[i].answers) != 0)
			fail_msg("%s: answers %s", rows[i].name, names);
		free(s);
	}
}

/* An initiator that speaks an old version offers nothing newer. */
static void an_old_initiator_offers_nothing(void **state)
{
	struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_PEERS);
	struct side *s;
	uint8_t out[2048];
	char names[256];

	(void)state;
	p.protocol = 70015;
	s = new_side(&p);
	commands_of(out, collect(s, out, sizeof(out)), names);
	assert_string_equal(names, "version verack getaddr ");
	free(s);
}

static void the_longest_time_is_no_time_at_all(void **state)
{
	struct session_params p = params_of(SESSION_INITIATOR, SESSION_GOAL_LISTEN);
	struct side *s;

	(void)state;
	p.timeout_ms = UINT64_MAX;
	s = new_side(&p);
	assert_int_equal(bitcoin_proto.deadline(s->memory), START + BITCOIN_HANDSHAKE_MS);
	shake_hands(s);
	assert_int_equal(bitcoin_proto.deadline(s->memory), UINT64_MAX);
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
		cmocka_unit_test(no_pong_once_the_reply_is_there),
		cmocka_unit_test(replies),
		cmocka_unit_test(the_patient_wait_longer),
		cmocka_unit_test(ping_goal),
		cmocka_unit_test(no_pong_comes_before_its_ping),
		cmocka_unit_test(listen_goal_tells_every_message),
		cmocka_unit_test(responder_answers_once),
		cmocka_unit_test(offers_go_by_the_older_version),
		cmocka_unit_test(an_old_initiator_offers_nothing),
		cmocka_unit_test(the_longest_time_is_no_time_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
