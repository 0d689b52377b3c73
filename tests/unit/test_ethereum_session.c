/* test_ethereum_session.c: RLPx as the rest of the program drives sessions: against each other,
 * against a node, and against Hellos of all sorts. */
#include "proto/ethereum/chains.h"
#include "proto/ethereum/enode.h"
#include "proto/ethereum/rlp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* After cmocka's own. */
#include "support/rlpx.h"

enum { WIRE_MAX = 1 << 14 };

/* One end of a connection: the adapter, or what it adapts. */
struct end {
	bool bare; /* what it adapts: a node that has a chain */
	struct identity identity;
	_Alignas(16) uint8_t memory[SESSION_SIZE_MAX];
	struct rlpx_session node;
	uint8_t in[WIRE_MAX]; /* sent to it, and not yet taken */
	size_t in_len;
	uint64_t sent, taken;
	/* What the adapter has told. */
	unsigned handshakes, dones;
	enum outcome outcome;
	const char *rule;
	uint64_t now;
};

static void hear_events(struct end *e)
{
	struct session_event event;

	while (!e->bare && ethereum_proto.next(e->memory, &event)) {
		assert_int_equal(e->dones, 0); /* it is the last one */
		if (event.kind == SESSION_EVENT_HANDSHAKE) {
			e->handshakes++;
			continue;
		}
		assert_int_equal(event.kind, SESSION_EVENT_DONE);
		e->dones++;
		e->outcome = event.outcome;
		e->rule = event.rule;
		assert_false(event.retry_stepwise);
	}
}

static struct end *new_end(uint8_t seed)
{
	struct end *e = calloc(1, sizeof(*e));
	uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN];

	assert_non_null(e);
	memset(random, seed, sizeof(random));
	identity_init(&e->identity, NULL, random);
	e->now = START_MS;
	return e;
}

static void end_free(struct end *e)
{
	identity_clear(&e->identity);
	free(e);
}

/* remote: whom to call; NULL: to be called. */
static struct end *adapter(uint8_t seed, const struct end *remote)
{
	struct end *e = new_end(seed);
	struct session_params p = {
		.network = network_find("ethereum"),
		.role = remote != NULL ? SESSION_INITIATOR : SESSION_RESPONDER,
		.nonce = seed,
		.agent = slice_text(remote != NULL ? "caller/1" : "called/1"),
		.identity = &e->identity,
	};

	if (remote != NULL)
		p.node_id = slice_of(remote->identity.public, SECP_PUBLIC_LEN);
	ethereum_proto.init(e->memory, &p, e->now);
	hear_events(e);
	return e;
}

static struct end *node_with_chain(uint8_t seed, const struct p2p_offer *offers, size_t count)
{
	struct end *e = new_end(seed);
	struct rlpx_session_params p = { .role = SESSION_RESPONDER,
					 .goal = RLPX_GOAL_SERVE,
					 .client = slice_text("node/1"),
					 .listen_port = 30303,
					 .status = &chain,
					 .offers = offers,
					 .offers_count = count };

	e->bare = true;
	identity_local(&e->identity, seed, &p.local);
	rlpx_session_init(&e->node, &p, e->now);
	return e;
}

static size_t end_send(struct end *e, uint8_t *out, size_t cap)
{
	size_t n = e->bare ? rlpx_session_send(&e->node, out, cap)
			   : ethereum_proto.send(e->memory, out, cap);

	e->sent += n;
	return n;
}

static void end_take(struct end *e)
{
	size_t n;

	do {
		struct slice in = slice_of(e->in, e->in_len);

		n = e->bare ? rlpx_session_recv(&e->node, in, e->now)
			    : ethereum_proto.recv(e->memory, in, e->now);
		hear_events(e);
		memmove(e->in, e->in + n, e->in_len - n);
		e->in_len -= n;
		e->taken += n;
	} while (n > 0);
	if (!e->bare && e->dones == 0 && e->in_len > 0)
		assert_in_range(ethereum_proto.need(e->memory), e->in_len + 1,
				ethereum_proto.buffer_max);
}

static bool carry(struct end *from, struct end *to, size_t piece)
{
	size_t n;

	assert_true(to->in_len + piece <= WIRE_MAX);
	n = end_send(from, to->in + to->in_len, piece);
	to->in_len += n;
	end_take(to);
	return n > 0;
}

static void talk(struct end *a, struct end *b, size_t piece)
{
	bool more = true;

	while (more) {
		more = carry(a, b, piece);
		more |= carry(b, a, piece);
	}
}

static void tick_at_deadline(struct end *e)
{
	uint64_t at = ethereum_proto.deadline(e->memory);

	assert_true(at != UINT64_MAX);
	e->now = at;
	ethereum_proto.tick(e->memory, at);
	hear_events(e);
}

static struct peer_info info_of(const struct end *e)
{
	struct peer_info info;

	ethereum_proto.info(e->memory, &info);
	return info;
}

static void expect_text(struct slice got, const char *want)
{
	if (!slice_equal(got, slice_text(want)))
		fail_msg("%.*s instead of %s", (int)got.len, (const char *)got.data, want);
}

/* --- the whole of it --- */

static const struct p2p_offer only_68[] = { { { "eth", 68 }, 17 } };
static const struct p2p_offer only_69[] = { { { "eth", 69 }, 18 } };

static void a_node_is_asked(void **state)
{
	static const struct {
		const char *name;
		const struct p2p_offer *offers;
		size_t piece;
		int64_t version, height;
	} rows[] = { { "eth/68 tells no height", only_68, 4096, 68, -1 },
		     { "eth/69 does", only_69, 4096, 69, 22500000 },
		     { "byte by byte", only_69, 1, 69, 22500000 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct end *node = node_with_chain(NODE, rows[i].offers, 1);
		struct end *caller = adapter(CRAWLER, node);
		struct session_counts counts;
		struct session_times times;
		struct rlpx_info learnt;
		struct peer_info info;
		const char *rule;

		assert_null(ethereum_session_end(caller->memory, &rule));
		caller->now = node->now = START_MS + 70;
		talk(caller, node, rows[i].piece);
		if (caller->handshakes != 1 || caller->dones != 1 || caller->outcome != OUTCOME_OK)
			fail_msg("%s", rows[i].name);
		assert_null(caller->rule);
		assert_string_equal(ethereum_session_end(caller->memory, &rule), "ok");
		assert_null(rule);

		info = info_of(caller);
		expect_text(info.agent, "node/1");
		assert_true(slice_equal(info.node_id,
					slice_of(node->identity.public, SECP_PUBLIC_LEN)));
		assert_true(info.has_version);
		assert_int_equal(info.protocol, rows[i].version);
		assert_int_equal(info.height, rows[i].height);
		assert_int_equal(info.sees_us_as.kind, NETADDR_NONE);

		ethereum_session_info(caller->memory, &learnt);
		assert_true(learnt.has_status);
		assert_int_equal(learnt.hello.listen_port, 30303);
		assert_memory_equal(learnt.status.genesis, chain.genesis, 32);

		ethereum_proto.times(caller->memory, &times);
		assert_int_equal(times.first_byte_ms, 70);
		assert_int_equal(times.version_ms, 70);
		assert_int_equal(times.handshake_ms, 70);
		assert_int_equal(times.reply_ms, 70);
		assert_int_equal(times.asked_ms, -1);
		ethereum_proto.counts(caller->memory, &counts);
		assert_int_equal(counts.bytes_in, caller->taken);
		assert_int_equal(counts.bytes_out, caller->sent);
		assert_true(caller->taken > 300 && caller->sent > 300);
		end_free(caller);
		end_free(node);
	}
}

/* Neither has a chain to show: each learns who the other is, and waits for its Status; who is
 * called not for long. */
static void against_each_other(void **state)
{
	static const size_t pieces[] = { 4096, 97, 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct end *called = adapter(NODE, NULL), *caller = adapter(CRAWLER, called);
		struct end *both[] = { caller, called };
		const char *rule;

		talk(caller, called, pieces[i]);
		for (size_t j = 0; j < 2; j++) {
			struct end *e = both[j];

			assert_int_equal(e->handshakes, 1);
			assert_int_equal(e->dones, 0);
			assert_int_equal(
				ethereum_proto.deadline(e->memory),
				START_MS + (e == caller ? RLPX_STATUS_MS : RLPX_STATUS_CALLED_MS));
			tick_at_deadline(e);
			assert_int_equal(e->dones, 1);
			assert_int_equal(e->outcome, OUTCOME_OK);
			assert_string_equal(ethereum_session_end(e->memory, &rule), "no_status");
			assert_int_equal(info_of(e).protocol, ETH_VERSION_LAST);
		}
		expect_text(info_of(caller).agent, "called/1");
		expect_text(info_of(called).agent, "caller/1");
		assert_true(slice_equal(info_of(called).node_id,
					slice_of(caller->identity.public, SECP_PUBLIC_LEN)));
		end_free(caller);
		end_free(called);
	}
}

static void nothing_is_said_before_its_time(void **state)
{
	struct end *called = adapter(NODE, NULL), *caller = adapter(CRAWLER, called);
	struct peer_info info = info_of(caller);
	struct session_times times;
	struct advert advert;
	uint8_t out[16];

	(void)state;
	assert_int_equal(info.agent.len, 0);
	assert_false(info.has_version);
	assert_int_equal(info.height, -1);
	/* Whom it calls is no news; who calls is not known yet. */
	assert_int_equal(info_of(called).node_id.len, 0);
	ethereum_proto.times(caller->memory, &times);
	assert_int_equal(times.first_byte_ms, -1);
	assert_int_equal(times.handshake_ms, -1);
	assert_int_equal(times.reply_ms, -1);
	/* Nobody is named in a session, and nobody asks. */
	assert_int_equal(ethereum_proto.adverts(&(struct session_event){ 0 }, &advert, 1), 0);
	assert_int_equal(ethereum_proto.answer(called->memory, NULL, 0, out, sizeof(out)), 0);
	assert_null(ethereum_proto.service_name(0));
	end_free(caller);
	end_free(called);
}

/* --- how it can end --- */

static void ends(void **state)
{
	static const struct {
		const char *name;
		int how; /* enum session_close; -1: silence */
		bool after_hello;
		enum outcome outcome;
		const char *end;
	} rows[] = {
		{ "silent", -1, false, OUTCOME_MUTE, "mute" },
		{ "closed at once", SESSION_CLOSE_EOF, false, OUTCOME_PEER_FULL, "hung_up" },
		{ "reset at once", SESSION_CLOSE_RESET, false, OUTCOME_PEER_FULL, "hung_up" },
		{ "silent after Hello", -1, true, OUTCOME_OK, "no_status" },
		{ "closed after Hello", SESSION_CLOSE_EOF, true, OUTCOME_OK, "no_status" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct end *called = adapter(NODE, NULL), *caller = adapter(CRAWLER, called);
		const char *rule, *end;

		if (rows[i].after_hello)
			talk(caller, called, 4096);
		if (rows[i].how < 0) {
			tick_at_deadline(caller);
		} else {
			ethereum_proto.closed(caller->memory, (enum session_close)rows[i].how,
					      START_MS + 5);
			hear_events(caller);
		}
		end = ethereum_session_end(caller->memory, &rule);
		if (caller->dones != 1 || caller->outcome != rows[i].outcome ||
		    strcmp(end, rows[i].end) != 0)
			fail_msg("%s: %s", rows[i].name, end);
		assert_int_equal(caller->handshakes, rows[i].after_hello);
		assert_int_equal(ethereum_proto.deadline(caller->memory), UINT64_MAX);
		end_free(caller);
		end_free(called);
	}
}

/* Another key lives there: it can't read what we say, and closes; or it says something. */
static void another_key(void **state)
{
	struct end *called = adapter(NODE, NULL), *other = adapter(NODE + 9, NULL);
	struct end *caller = adapter(CRAWLER, other);
	const char *rule;

	(void)state;
	talk(caller, called, 4096);
	assert_int_equal(called->dones, 1);
	assert_int_equal(called->outcome, OUTCOME_PROTOCOL_ERROR);
	assert_non_null(called->rule);
	ethereum_proto.closed(caller->memory, SESSION_CLOSE_EOF, START_MS);
	hear_events(caller);
	assert_string_equal(ethereum_session_end(caller->memory, &rule), "hung_up");
	end_free(caller);
	end_free(called);
	end_free(other);
}

static void the_one_list(void **state)
{
	static const struct {
		enum rlpx_outcome from;
		enum outcome silent, told; /* without a Hello, and with one */
	} rows[] = {
		{ RLPX_OUTCOME_OK, OUTCOME_OK, OUTCOME_OK },
		{ RLPX_OUTCOME_NO_STATUS, OUTCOME_OK, OUTCOME_OK },
		{ RLPX_OUTCOME_NO_ETH, OUTCOME_OK, OUTCOME_OK },
		{ RLPX_OUTCOME_FULL, OUTCOME_PEER_FULL, OUTCOME_PEER_FULL },
		{ RLPX_OUTCOME_DISCONNECTED, OUTCOME_HANDSHAKE_TIMEOUT, OUTCOME_OK },
		{ RLPX_OUTCOME_HUNG_UP, OUTCOME_PEER_FULL, OUTCOME_PEER_FULL },
		{ RLPX_OUTCOME_CLOSED, OUTCOME_HANDSHAKE_TIMEOUT, OUTCOME_OK },
		{ RLPX_OUTCOME_MUTE, OUTCOME_MUTE, OUTCOME_MUTE },
		{ RLPX_OUTCOME_TIMEOUT, OUTCOME_HANDSHAKE_TIMEOUT, OUTCOME_HANDSHAKE_TIMEOUT },
		{ RLPX_OUTCOME_PROTOCOL_ERROR, OUTCOME_PROTOCOL_ERROR, OUTCOME_PROTOCOL_ERROR },
		{ RLPX_OUTCOME_TOO_BIG, OUTCOME_TOO_BIG, OUTCOME_TOO_BIG },
		{ RLPX_OUTCOME_NO_KEY, OUTCOME_PROTOCOL_ERROR, OUTCOME_PROTOCOL_ERROR },
		{ RLPX_OUTCOME_SELF, OUTCOME_SELF, OUTCOME_SELF },
	};

	(void)state;
	/* A new one has to get its row. */
	assert_int_equal(sizeof(rows) / sizeof(*rows), RLPX_OUTCOME_COUNT);
	for (unsigned i = 0; i < RLPX_OUTCOME_COUNT; i++) {
		assert_int_equal(rows[i].from, i);
		if (ethereum_outcome(rows[i].from, false) != rows[i].silent ||
		    ethereum_outcome(rows[i].from, true) != rows[i].told)
			fail_msg("%s", rlpx_outcome_name(rows[i].from));
	}
}

/* --- Hello --- */

static void capabilities(void **state)
{
	char text[PEER_CAPABILITIES_MAX];
	struct p2p_hello hello = { .caps_count = 0 };

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(ethereum_capabilities(&hello, text), 0);
	assert_string_equal(text, "");

	hello = (struct p2p_hello){ .caps_count = 3,
				    .caps = { { "eth", 67 }, { "eth", 68 }, { "snap", 1 } } };
	assert_int_equal(ethereum_capabilities(&hello, text), 20);
	assert_string_equal(text, "eth/67 eth/68 snap/1");

	/* As many as are kept, each as long as can be. */
	hello.caps_count = P2P_CAPS_MAX;
	for (size_t i = 0; i < P2P_CAPS_MAX; i++)
		hello.caps[i] = (struct p2p_cap){ "abcdefgh", UINT32_MAX };
	assert_int_equal(ethereum_capabilities(&hello, text), P2P_CAPS_MAX * 20 - 1);
	assert_int_equal(strlen(text), P2P_CAPS_MAX * 20 - 1);
	assert_string_equal(text + sizeof(text) - 20, "abcdefgh/4294967295");
}

/* A Hello by hand, from a node that is called. */
static struct end *told(const struct p2p_hello *as, struct end **caller_out)
{
	struct end *node = new_end(NODE), *caller = adapter(CRAWLER, node);
	static struct rlpx_handshake handshake;
	static struct rlpx_frames frames;
	struct p2p_hello hello = *as;
	uint8_t wire[WIRE_MAX], data[P2P_BASE_MAX] = { 0x80 };
	struct rlpx_local local;
	struct slice auth, ack;
	struct writer w;

	identity_local(&node->identity, 1, &local);
	rlpx_handshake_init(&handshake, SESSION_RESPONDER, &local, NULL);
	auth = slice_of(wire, end_send(caller, wire, sizeof(wire)));
	assert_null(rlpx_auth_read(&handshake, auth));
	ack = rlpx_ack_write(&handshake);
	rlpx_frames_init(&frames, &handshake, auth);
	memcpy(caller->in, ack.data, ack.len);
	caller->in_len = ack.len;
	hello.version = P2P_VERSION;
	memcpy(hello.key, node->identity.public, sizeof(hello.key));
	writer_init(&w, data + 1, sizeof(data) - 1);
	p2p_hello_encode(&w, &hello);
	assert_true(writer_ok(&w));
	{
		struct slice payload = slice_of(data, 1 + w.len);

		writer_init(&w, caller->in + caller->in_len, WIRE_MAX - caller->in_len);
		rlpx_frame_write(&frames, &w, payload);
		caller->in_len += w.len;
	}
	end_take(caller);
	*caller_out = caller;
	return node;
}

static void names_of_clients(void **state)
{
	static uint8_t all_bytes[256], long_name[1800];
	static const uint8_t escapes[] = "Geth\x1b[2J\r\n\0evil\xff\xfe";
	const struct {
		const char *name;
		struct slice client;
		size_t kept;
	} rows[] = {
		{ "usual", slice_text("Geth/v1.16.4-stable/linux-amd64/go1.24.2"), 40 },
		{ "empty", slice_of(NULL, 0), 0 },
		{ "escapes and zeros", slice_of(escapes, sizeof(escapes)), sizeof(escapes) },
		{ "all bytes there are", slice_of(all_bytes, sizeof(all_bytes)), 256 },
		{ "as long as a Hello can be", slice_of(long_name, sizeof(long_name)),
		  PEER_AGENT_MAX },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(all_bytes); i++)
		all_bytes[i] = (uint8_t)i;
	memset(long_name, 0x9b, sizeof(long_name));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct p2p_hello hello = { .client = rows[i].client,
					   .caps_count = 1,
					   .caps = { { "eth", 68 } } };
		struct end *caller, *node = told(&hello, &caller);
		struct peer_info info = info_of(caller);

		/* As it came, for whoever shows it to escape. */
		if (caller->handshakes != 1 ||
		    !slice_equal(info.agent, slice_of(rows[i].client.data, rows[i].kept)))
			fail_msg("%s", rows[i].name);
		end_free(caller);
		end_free(node);
	}
}

static void without_eth(void **state)
{
	struct p2p_hello hello = { .client = slice_text("les"),
				   .caps_count = 2,
				   .caps = { { "les", 4 }, { "eth", 63 } } };
	struct end *caller, *node = told(&hello, &caller);
	const char *rule;

	(void)state;
	assert_int_equal(caller->outcome, OUTCOME_OK);
	assert_string_equal(ethereum_session_end(caller->memory, &rule), "no_eth");
	assert_true(info_of(caller).has_version);
	assert_int_equal(info_of(caller).protocol, 0);
	end_free(caller);
	end_free(node);
}

/* --- the networks --- */

static void networks_of_ethereum(void **state)
{
	unsigned count = 0;

	(void)state;
	for (size_t i = 0; i < networks_count; i++) {
		const struct network *n = &networks[i];
		const char *const *url = n->boot_nodes;

		if (n->discovery != DISCOVERY_V4) {
			assert_null(n->boot_nodes);
			continue;
		}
		count++;
		assert_ptr_equal(n->proto, &ethereum_proto);
		assert_int_equal(n->default_port, 30303);
		if (n->chain != NULL && ethereum_chain_find(n->chain) == NULL)
			fail_msg("%s: no chain", n->name);
		assert_true(url != NULL && *url != NULL);
		for (; *url != NULL; url++) {
			struct enode node;
			const char *rule;

			/* That includes a key that is a point of the curve. */
			if (enode_parse(slice_text(*url), &node, &rule) != ERR_OK)
				fail_msg("%s: %s", n->name, rule);
			if (!netaddr_is_routable(&node.endpoint.addr) ||
			    node.endpoint.tcp_port != 30303)
				fail_msg("%s: %s", n->name, *url);
			for (const char *const *other = n->boot_nodes; other != url; other++)
				assert_string_not_equal(*other, *url);
		}
	}
	assert_int_equal(count, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_node_is_asked),
		cmocka_unit_test(against_each_other),
		cmocka_unit_test(nothing_is_said_before_its_time),
		cmocka_unit_test(ends),
		cmocka_unit_test(another_key),
		cmocka_unit_test(the_one_list),
		cmocka_unit_test(capabilities),
		cmocka_unit_test(names_of_clients),
		cmocka_unit_test(without_eth),
		cmocka_unit_test(networks_of_ethereum),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
