/* Each kind of simulated peer against the initiator's session, and against hostile bytes. */
#include "sim/peer.h"

#include "proto/bitcoin/messages.h"
#include "sim/liars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PORT = 8333, NOW_S = 1790000000, START_MS = 1000, TALK_MAX = 400 * 1024 };

static const uint64_t own_nonce = 0x1122334455667788;

struct world {
	struct sim_world *w;
	uint32_t of_kind[SIM_KIND_COUNT]; /* one peer of each */
};

static int set_up(void **state)
{
	struct sim_config config = {
		.network = network_find("bitcoin"),
		.peers = 2000,
		.ghosts = 500,
		.seed = 6,
		.latency_ms = 50,
		.liars = 0.3,
		.port = PORT,
	};
	struct world *world = calloc(1, sizeof(*world));
	struct sim_peer peer;

	assert_non_null(world);
	assert_int_equal(cidr_parse(slice_text("127.0.0.0/8"), &config.range), ERR_OK);
	assert_int_equal(sim_world_new(&config, &world->w), ERR_OK);
	for (uint32_t i = sim_world_count(world->w); i-- > 0;) {
		sim_world_peer(world->w, i, &peer);
		world->of_kind[peer.kind] = i;
	}
	for (int kind = 0; kind < SIM_KIND_COUNT; kind++) {
		if (!sim_kind_is_of((enum sim_kind)kind, config.network))
			continue;
		sim_world_peer(world->w, world->of_kind[kind], &peer);
		assert_int_equal(peer.kind, kind);
	}
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	sim_world_free(world->w);
	free(world);
	return 0;
}

/* A conversation without latency between an initiator's session and a simulated peer. */
struct talk {
	const struct proto *proto;
	struct sim_conn *conn;
	uint64_t now_ms;
	_Alignas(16) uint8_t session[SESSION_SIZE_MAX];
	uint8_t *heard; /* all that the peer said */
	size_t heard_len, taken;
	bool handshake, done, retry_stepwise, closed, reset;
	enum outcome outcome;
	uint32_t messages, adverts, first_adverts;
	uint64_t handshake_ms, adverts_ms;
	struct advert *named;
	uint32_t named_len;
};

static void note_adverts(struct talk *t, struct session_event event)
{
	struct advert advert;

	if (t->messages++ == 0) {
		t->first_adverts = event.count;
		t->adverts_ms = t->now_ms;
	}
	t->adverts += event.count;
	while (t->named_len < 6 * SIM_TABLE_MAX && t->proto->adverts(&event, &advert, 1) == 1)
		t->named[t->named_len++] = advert;
}

static void drain(struct talk *t)
{
	uint8_t bytes[1024];
	struct session_event event;
	size_t n;

	while (t->proto->next(t->session, &event)) {
		if (event.kind == SESSION_EVENT_HANDSHAKE) {
			t->handshake = true;
			t->handshake_ms = t->now_ms;
		} else if (event.kind == SESSION_EVENT_ADVERTS) {
			note_adverts(t, event);
		} else if (event.kind == SESSION_EVENT_DONE) {
			t->done = true;
			t->outcome = event.outcome;
			t->retry_stepwise = event.retry_stepwise;
		}
	}
	while ((n = t->proto->send(t->session, bytes, sizeof(bytes))) > 0)
		sim_conn_recv(t->conn, slice_of(bytes, n), t->now_ms);
}

static void hear(struct talk *t, struct slice bytes)
{
	size_t n;

	assert_true(t->heard_len + bytes.len <= TALK_MAX);
	memcpy(t->heard + t->heard_len, bytes.data, bytes.len);
	t->heard_len += bytes.len;
	while (!t->done && t->taken < t->heard_len) {
		n = t->proto->recv(t->session,
				   slice_of(t->heard + t->taken, t->heard_len - t->taken),
				   t->now_ms);
		t->taken += n;
		drain(t);
		if (n == 0)
			break;
	}
}

/* One step: everything that is due now. */
static void exchange(struct talk *t)
{
	struct sim_output output;

	while (!t->done && !t->closed && !t->reset && sim_conn_next(t->conn, t->now_ms, &output)) {
		assert_true(output.at_ms <= t->now_ms);
		switch (output.kind) {
		case SIM_OUTPUT_BYTES:
			hear(t, output.bytes);
			break;
		case SIM_OUTPUT_CLOSE:
			t->closed = true;
			break;
		case SIM_OUTPUT_RESET:
			t->reset = true;
			break;
		}
	}
	if (!t->done && (t->closed || t->reset)) {
		t->proto->closed(t->session, t->closed ? SESSION_CLOSE_EOF : SESSION_CLOSE_RESET,
				 t->now_ms);
		drain(t);
	}
}

static void talk_init(struct talk *t, const struct sim_world *w, uint32_t index, bool stepwise,
		      bool patient)
{
	const struct network *network = sim_world_config(w)->network;
	struct netaddr from = netaddr_ipv4(0x7f000001, 40000);
	struct session_params params = {
		.network = network,
		.role = SESSION_INITIATOR,
		.goal = SESSION_GOAL_PEERS,
		.stepwise = stepwise,
		.patient = patient,
		.nonce = own_nonce,
		.unix_s = NOW_S,
		.agent = slice_text("/test:1/"),
	};
	struct sim_peer peer;

	memset(t, 0, sizeof(*t));
	t->proto = network->proto;
	t->now_ms = START_MS;
	t->heard = malloc(TALK_MAX);
	t->named = calloc(6 * SIM_TABLE_MAX, sizeof(*t->named));
	assert_true(t->heard && t->named);
	sim_world_peer(w, index, &peer);
	params.peer = peer.addr;
	assert_int_equal(sim_conn_new(w, index, &from, t->now_ms, NOW_S, &t->conn), ERR_OK);
	t->proto->init(t->session, &params, t->now_ms);
	drain(t);
}

/* Until the session is done, or nothing would ever happen any more. */
static void talk_run(struct talk *t)
{
	exchange(t);
	while (!t->done) {
		uint64_t next_ms = t->proto->deadline(t->session);

		if (sim_conn_deadline(t->conn) < next_ms)
			next_ms = sim_conn_deadline(t->conn);
		if (next_ms == UINT64_MAX)
			return;
		t->now_ms = next_ms;
		exchange(t);
		if (!t->done) {
			t->proto->tick(t->session, t->now_ms);
			drain(t);
			exchange(t);
		}
	}
}

static void talk_clear(struct talk *t)
{
	sim_conn_free(t->conn);
	free(t->heard);
	free(t->named);
}

/* Each kind's outcome with this program's own session, in its first try. */
static const struct {
	enum sim_kind kind;
	enum outcome outcome;
	bool handshake, stepwise, patient;
} rows[] = {
	{ SIM_HONEST, OUTCOME_OK, true, false, false },
	{ SIM_HONEST, OUTCOME_OK, true, true, false },
	{ SIM_OLD, OUTCOME_NO_PEERS, true, false, false },
	{ SIM_OLD, OUTCOME_OK, true, false, true },
	{ SIM_STEPWISE, OUTCOME_HANDSHAKE_TIMEOUT, false, false, false },
	{ SIM_STEPWISE, OUTCOME_OK, true, true, false },
	{ SIM_FULL, OUTCOME_PEER_FULL, false, false, false },
	{ SIM_LIAR_MAGIC, OUTCOME_WRONG_NETWORK, false, false, false },
	{ SIM_LIAR_CHECKSUM, OUTCOME_PROTOCOL_ERROR, false, false, false },
	{ SIM_LIAR_HUGE, OUTCOME_TOO_BIG, false, false, false },
	{ SIM_LIAR_TRUNCATED, OUTCOME_PROTOCOL_ERROR, false, false, false },
	{ SIM_LIAR_DRIBBLE, OUTCOME_HANDSHAKE_TIMEOUT, false, false, false },
	{ SIM_LIAR_INVENT, OUTCOME_TOO_BIG, true, false, false },
	{ SIM_LIAR_MUTE, OUTCOME_MUTE, false, false, false },
	{ SIM_LIAR_ECHO, OUTCOME_SELF, false, false, false },
	{ SIM_LIAR_BAD_ADDR, OUTCOME_TOO_BIG, true, false, false },
};

static void every_kind_does_what_it_says(void **state)
{
	const struct world *world = *state;
	struct talk t;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		talk_init(&t, world->w, world->of_kind[rows[i].kind], rows[i].stepwise,
			  rows[i].patient);
		talk_run(&t);
		assert_true(t.done);
		if (t.outcome != rows[i].outcome)
			print_error("%s: %s\n", sim_kind_name(rows[i].kind),
				    outcome_name(t.outcome));
		assert_int_equal(t.outcome, rows[i].outcome);
		assert_int_equal(t.handshake, rows[i].handshake);
		if (rows[i].handshake)
			assert_true(sim_conn_asked(t.conn));
		if (!t.retry_stepwise)
			assert_true(sim_kind_outcomes(rows[i].kind) >> t.outcome & 1);
		if (sim_kind_shakes_hands(rows[i].kind) && !t.retry_stepwise)
			assert_true(t.handshake);
		talk_clear(&t);
	}
}

static void honest_peers_say_who_they_are(void **state)
{
	const struct world *world = *state;
	struct advert table[SIM_TABLE_MAX];
	struct sim_peer peer;
	struct peer_info info;
	struct session_counts counts;
	unsigned strange = 0, checked = 0;
	struct talk t;

	for (uint32_t i = 0; i < 300; i++) {
		size_t count;

		sim_world_peer(world->w, i, &peer);
		if (peer.kind != SIM_HONEST)
			continue;
		talk_init(&t, world->w, i, false, false);
		talk_run(&t);
		t.proto->info(t.session, &info);
		t.proto->counts(t.session, &counts);
		assert_true(slice_equal(info.agent, slice_text(peer.agent)));
		assert_int_equal(info.protocol, peer.protocol);
		assert_int_equal(info.services, peer.services);
		assert_int_equal(info.height, peer.height);
		assert_int_equal(info.clock_skew_s, peer.clock_skew_s);
		assert_true(info.relay && info.has_feefilter);
		assert_int_equal(info.sees_us_as.port, 40000);
		strange += counts.unknown_in;
		/* Itself alone, then everybody it knows in one message. */
		count = sim_world_table(world->w, i, NOW_S, table, SIM_TABLE_MAX);
		assert_int_equal(t.messages, 2);
		assert_int_equal(t.first_adverts, 1);
		assert_int_equal(t.named_len, count + 1);
		assert_true(netaddr_equal(&t.named[0].addr, &peer.addr));
		for (size_t k = 0; k < count; k++) {
			assert_true(netaddr_equal(&t.named[k + 1].addr, &table[k].addr));
			assert_int_equal(t.named[k + 1].services, table[k].services);
			assert_int_equal(t.named[k + 1].last_seen_s, table[k].last_seen_s);
		}
		talk_clear(&t);
		checked++;
	}
	assert_true(checked > 100);
	assert_true(strange > 0); /* some say what nobody knows */
}

static void old_peers_take_their_time(void **state)
{
	const struct world *world = *state;
	struct sim_peer peer;
	unsigned checked = 0;
	struct talk t;

	for (uint32_t i = 0; i < 2000; i++) {
		sim_world_peer(world->w, i, &peer);
		if (peer.kind != SIM_OLD)
			continue;
		talk_init(&t, world->w, i, false, true);
		talk_run(&t);
		assert_int_equal(t.outcome, OUTCOME_OK);
		assert_in_range(t.adverts_ms - t.handshake_ms, 16000, 61000);
		/* Names that fit no addr message of version 1 are left out for the elder. */
		for (uint32_t k = 0; k < t.named_len && peer.protocol < 70016; k++)
			assert_true(netaddr_is_ip(&t.named[k].addr));
		talk_clear(&t);
		checked++;
	}
	assert_true(checked > 10);
}

static void stepwise_peers_hang_up_on_haste(void **state)
{
	const struct world *world = *state;
	uint32_t index = world->of_kind[SIM_STEPWISE];
	struct peer_info info;
	struct talk t;

	talk_init(&t, world->w, index, false, false);
	talk_run(&t);
	assert_true(t.closed && t.retry_stepwise);
	talk_clear(&t);
	talk_init(&t, world->w, index, true, false);
	talk_run(&t);
	t.proto->info(t.session, &info);
	assert_false(t.closed);
	/* Nothing of BIP 339 and 155 in software that is older. */
	assert_true(
		slice_equal(info.negotiation, slice_text("version verack sendcmpct feefilter")));
	assert_true(t.adverts > 1);
	talk_clear(&t);
}

static void scripts_send_their_bytes(void **state)
{
	const struct world *world = *state;
	const uint8_t *magic = network_find("bitcoin")->magic;
	unsigned greetings = 0, noise = 0;
	struct sim_peer peer;
	struct talk t;

	talk_init(&t, world->w, world->of_kind[SIM_LIAR_HUGE], false, false);
	talk_run(&t);
	assert_memory_equal(t.heard, magic, 4);
	assert_memory_equal(t.heard + 16, "\xff\xff\xff\xff", 4);
	talk_clear(&t);

	talk_init(&t, world->w, world->of_kind[SIM_LIAR_TRUNCATED], false, false);
	talk_run(&t);
	assert_true(t.closed);
	/* Half of the message whose length it has told. */
	assert_int_equal(t.heard_len, (24U + t.heard[16]) / 2);
	talk_clear(&t);

	talk_init(&t, world->w, world->of_kind[SIM_LIAR_MUTE], false, false);
	talk_run(&t);
	assert_int_equal(t.heard_len, 0);
	talk_clear(&t);

	for (uint32_t i = 0; i < 2000; i++) {
		sim_world_peer(world->w, i, &peer);
		if (peer.kind != SIM_LIAR_GARBAGE)
			continue;
		talk_init(&t, world->w, i, false, false);
		talk_run(&t);
		assert_true(t.heard_len > 0 && t.heard[0] != magic[0]);
		greetings += t.heard_len < 100;
		noise += t.heard_len == SIM_GARBAGE_LEN;
		assert_true(sim_kind_outcomes(SIM_LIAR_GARBAGE) >> t.outcome & 1);
		talk_clear(&t);
	}
	assert_true(greetings > 5 && noise > 5);
}

static void dribble_is_a_byte_a_second(void **state)
{
	const struct world *world = *state;
	struct talk t;
	size_t before;

	talk_init(&t, world->w, world->of_kind[SIM_LIAR_DRIBBLE], false, false);
	exchange(&t);
	for (unsigned s = 0; s < 8; s++) {
		before = t.heard_len;
		assert_int_equal(sim_conn_deadline(t.conn), t.now_ms + 1000);
		t.now_ms += 999;
		exchange(&t);
		assert_int_equal(t.heard_len, before);
		t.now_ms += 1;
		exchange(&t);
		assert_int_equal(t.heard_len, before + 1);
	}
	talk_clear(&t);
}

static void inventors_never_end(void **state)
{
	const struct world *world = *state;
	const struct cidr *range = &sim_world_config(world->w)->range;
	struct sim_output output;
	unsigned messages = 0;
	size_t bytes = 0;
	struct talk t;

	talk_init(&t, world->w, world->of_kind[SIM_LIAR_INVENT], false, false);
	exchange(&t);
	assert_int_equal(t.adverts, SIM_INVENT_BURST * 1000);
	for (uint32_t i = 0; i < t.named_len; i++) {
		assert_true(cidr_contains(range, &t.named[i].addr));
		assert_int_equal(t.named[i].addr.port, PORT + SIM_PORT_REFUSED);
	}
	for (; messages < 200; messages++) {
		assert_true(sim_conn_deadline(t.conn) <= t.now_ms + SIM_INVENT_MS);
		t.now_ms += SIM_INVENT_MS;
		while (sim_conn_next(t.conn, t.now_ms, &output)) {
			assert_int_equal(output.kind, SIM_OUTPUT_BYTES);
			bytes += output.bytes.len;
		}
	}
	assert_true(bytes > 200 * 1000 * 10);
	talk_clear(&t);
}

static void bad_addr_is_twice_too_long(void **state)
{
	const struct world *world = *state;
	uint8_t *at, *end;
	struct reader r;
	struct talk t;

	talk_init(&t, world->w, world->of_kind[SIM_LIAR_BAD_ADDR], false, false);
	talk_run(&t);
	end = t.heard + t.heard_len - 27;
	for (at = t.heard; at < end && memcmp(at + 4, "addrv2", 7) != 0; at += 24 + at[16])
		;
	assert_true(at < end);
	reader_init(&r, slice_of(at + 24, 3));
	assert_int_equal(bitcoin_compact_size(&r, 5000, "count", "-"), SIM_BAD_ADDR_COUNT);
	talk_clear(&t);
}

/* --- hostile clients --- */

static size_t put_message(uint8_t *out, size_t cap, enum bitcoin_command id, size_t payload)
{
	struct writer w;
	size_t mark;

	writer_init(&w, out, cap);
	mark = bitcoin_message_begin(&w);
	writer_zeros(&w, payload);
	bitcoin_message_end(&w, mark, network_find("bitcoin")->magic, id);
	assert_true(writer_ok(&w));
	return w.len;
}

static enum sim_output_kind last_output(struct sim_conn *c, uint64_t now_ms)
{
	enum sim_output_kind kind = SIM_OUTPUT_BYTES;
	struct sim_output output;

	while (sim_conn_next(c, now_ms, &output))
		kind = output.kind;
	return kind;
}

static void hostile_clients_are_cut_off(void **state)
{
	const struct world *world = *state;
	const struct netaddr from = netaddr_ipv4(0x7f000001, 1);
	static uint8_t bytes[SIM_IN_MAX + 1000];
	struct sim_conn *c;
	size_t len;

	/* No Bitcoin at all. */
	assert_int_equal(sim_conn_new(world->w, 0, &from, 0, NOW_S, &c), ERR_OK);
	sim_conn_recv(c, slice_text("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"), 5);
	assert_int_equal(last_output(c, 5), SIM_OUTPUT_RESET);
	assert_int_equal(sim_conn_deadline(c), UINT64_MAX);
	sim_conn_recv(c, slice_text("more"), 6);
	assert_int_equal(last_output(c, 6), SIM_OUTPUT_BYTES);
	sim_conn_free(c);

	/* A message longer than it will hold. */
	len = put_message(bytes, sizeof(bytes), BITCOIN_BLOCK, SIM_IN_MAX);
	assert_int_equal(sim_conn_new(world->w, 0, &from, 0, NOW_S, &c), ERR_OK);
	sim_conn_recv(c, slice_of(bytes, 100), 5);
	assert_int_equal(last_output(c, 5), SIM_OUTPUT_RESET);
	sim_conn_free(c);

	/* Half a message, kept, and then silence: the session's own patience ends it. */
	len = put_message(bytes, sizeof(bytes), BITCOIN_VERSION, 85);
	assert_int_equal(sim_conn_new(world->w, 0, &from, 0, NOW_S, &c), ERR_OK);
	sim_conn_recv(c, slice_of(bytes, len - 1), 5);
	assert_int_equal(last_output(c, 5), SIM_OUTPUT_BYTES);
	assert_true(sim_conn_deadline(c) <= 120 * 1000);
	assert_int_equal(last_output(c, sim_conn_deadline(c)), SIM_OUTPUT_CLOSE);
	sim_conn_free(c);
}

/* All that the peer answers at once to a flight cut into pieces of step bytes. */
static size_t answer_to(const struct world *world, struct slice flight, size_t step, uint8_t *out,
			size_t cap)
{
	const struct netaddr from = netaddr_ipv4(0x7f000001, 40000);
	struct sim_output output;
	struct sim_conn *c;
	size_t len = 0;

	assert_int_equal(sim_conn_new(world->w, 0, &from, 0, NOW_S, &c), ERR_OK);
	for (size_t at = 0; at < flight.len; at += step) {
		struct slice piece = slice_from(flight, at);

		piece.len = piece.len < step ? piece.len : step;
		sim_conn_recv(c, piece, 5);
		while (sim_conn_next(c, 5, &output)) {
			assert_int_equal(output.kind, SIM_OUTPUT_BYTES);
			assert_true(len + output.bytes.len <= cap);
			memcpy(out + len, output.bytes.data, output.bytes.len);
			len += output.bytes.len;
		}
	}
	sim_conn_free(c);
	return len;
}

/* Also pieces that begin in the middle of a message and are as long as a read can be. */
static void bytes_may_come_in_any_pieces(void **state)
{
	enum { PINGS = 6000, PING_LEN = BITCOIN_HEADER_LEN + 8, CAP = 512 * 1024 };
	static const size_t steps[] = { 1, 7, 23, 24, 25, 100, 4096, SIM_IN_MAX };
	const struct world *world = *state;
	struct session_params params = { .network = network_find("bitcoin"),
					 .role = SESSION_INITIATOR,
					 .nonce = own_nonce,
					 .unix_s = NOW_S };
	uint8_t *flight = malloc(CAP), *whole = malloc(CAP), *split = malloc(CAP);
	_Alignas(16) uint8_t session[SESSION_SIZE_MAX];
	size_t len, whole_len;

	assert_true(flight && whole && split);
	params.network->proto->init(session, &params, 0);
	len = params.network->proto->send(session, flight, CAP);
	for (unsigned i = 0; i < PINGS; i++)
		len += put_message(flight + len, CAP - len, BITCOIN_PING, 8);
	whole_len = answer_to(world, slice_of(flight, len), len, whole, CAP);
	assert_true(whole_len > PINGS * PING_LEN + 5000);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(answer_to(world, slice_of(flight, len), steps[i], split, CAP),
				 whole_len);
		/* The list of peers comes when it is due, between other pongs. */
		assert_memory_equal(split, whole, 350);
	}
	free(flight);
	free(whole);
	free(split);
}

/* A client that reads nothing is told so much and no more. */
static void what_waits_is_bounded(void **state)
{
	const struct world *world = *state;
	const struct netaddr from = netaddr_ipv4(0x7f000001, 40000);
	struct session_params params = { .network = network_find("bitcoin"),
					 .role = SESSION_INITIATOR,
					 .nonce = own_nonce };
	_Alignas(16) uint8_t session[SESSION_SIZE_MAX];
	uint8_t bytes[1024];
	struct sim_output output;
	struct sim_conn *c;
	size_t len;

	params.network->proto->init(session, &params, 0);
	len = params.network->proto->send(session, bytes, sizeof(bytes));
	assert_int_equal(sim_conn_new(world->w, 0, &from, 0, NOW_S, &c), ERR_OK);
	sim_conn_recv(c, slice_of(bytes, len), 5);
	len = put_message(bytes, sizeof(bytes), BITCOIN_PING, 8);
	for (size_t sent = 0; sent < 2 * SIM_OUT_MAX; sent += len)
		sim_conn_recv(c, slice_of(bytes, len), 5);
	assert_true(sim_conn_next(c, 5, &output));
	assert_int_equal(output.kind, SIM_OUTPUT_RESET);
	assert_false(sim_conn_next(c, 5, &output));
	sim_conn_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_does_what_it_says),
		cmocka_unit_test(honest_peers_say_who_they_are),
		cmocka_unit_test(old_peers_take_their_time),
		cmocka_unit_test(stepwise_peers_hang_up_on_haste),
		cmocka_unit_test(scripts_send_their_bytes),
		cmocka_unit_test(dribble_is_a_byte_a_second),
		cmocka_unit_test(inventors_never_end),
		cmocka_unit_test(bad_addr_is_twice_too_long),
		cmocka_unit_test(hostile_clients_are_cut_off),
		cmocka_unit_test(bytes_may_come_in_any_pieces),
		cmocka_unit_test(what_waits_is_bounded),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
