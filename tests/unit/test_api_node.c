/* The library's sessions with nodes of Ethereum, in memory: with each other and with a node that
 * has a chain; and what pw_explain makes of Ethereum's packets. */
#include "peerwalk.h"

#include "proto/ethereum/enode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* After cmocka's own. */
#include "support/hex.h"
#include "support/rlpx.h"

/* The URL of the node with that key (support/rlpx.h). */
static const char *url_of(uint8_t seed)
{
	static char url[ENODE_TEXT_MAX];
	struct enode node = { .endpoint = { netaddr_ipv4(0x7f000001, 30303), 30303 } };

	memcpy(node.key, public_of(seed), sizeof(node.key));
	enode_text(&node, url);
	return url;
}

static struct pw_session *new_session(enum pw_role role, uint8_t seed, const char *peer)
{
	struct pw_session_config config = { .size = sizeof(config) };
	struct pw_session *s;
	struct secp_key key;

	key_of(&key, seed);
	config.network = pw_network_find("ethereum");
	config.role = role;
	config.peer = peer;
	config.key = key.bytes;
	assert_int_equal(pw_session_new(&config, START_MS, &s), PW_OK);
	memset(&key, 0, sizeof(key)); /* it was copied */
	return s;
}

/* --- two ends --- */

struct end {
	struct pw_session *session; /* NULL: a node with a chain */
	struct rlpx_session node;
	uint8_t in[8192]; /* sent to the node, and not yet taken */
	size_t in_len;
	char said[8]; /* events, a letter each */
	enum pw_outcome outcome;
	const char *rule;
};

static void handle(struct end *e)
{
	const struct pw_event *event;

	while (e->session != NULL && (event = pw_session_next(e->session)) != NULL) {
		size_t len = strlen(e->said);

		assert_true(len < sizeof(e->said) - 1);
		e->said[len] = "HAQMPD"[event->kind];
		if (event->kind == PW_EVENT_DONE) {
			e->outcome = event->outcome;
			e->rule = event->rule;
		}
	}
}

static size_t send(struct end *e, uint8_t *out, size_t cap)
{
	return e->session != NULL ? pw_session_send(e->session, out, cap)
				  : rlpx_session_send(&e->node, out, cap);
}

static void take(struct end *e, const uint8_t *bytes, size_t len)
{
	size_t n;

	if (e->session != NULL) {
		assert_int_equal(pw_session_recv(e->session, bytes, len, START_MS + 10), PW_OK);
		handle(e);
		return;
	}
	assert_true(e->in_len + len <= sizeof(e->in));
	memcpy(e->in + e->in_len, bytes, len);
	e->in_len += len;
	while ((n = rlpx_session_recv(&e->node, slice_of(e->in, e->in_len), START_MS + 10)) > 0) {
		memmove(e->in, e->in + n, e->in_len - n);
		e->in_len -= n;
	}
}

/* Until neither has anything to say. */
static void talk(struct end *a, struct end *b, size_t piece)
{
	uint8_t bytes[4096];
	bool more = true;
	size_t n;

	while (more) {
		more = false;
		handle(a);
		while ((n = send(a, bytes, piece)) > 0) {
			take(b, bytes, n);
			more = true;
		}
		while ((n = send(b, bytes, piece)) > 0) {
			take(a, bytes, n);
			more = true;
		}
	}
}

static void init_node(struct end *e)
{
	struct rlpx_session_params p = { .role = SESSION_RESPONDER,
					 .goal = RLPX_GOAL_SERVE,
					 .local = local_of(NODE),
					 .client = slice_text("node/\n1"),
					 .listen_port = 30304,
					 .status = &chain };

	memset(e, 0, sizeof(*e));
	rlpx_session_init(&e->node, &p, START_MS);
}

static void test_node(void **state)
{
	static const size_t pieces[] = { 1, 97, 4096 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct end a = { .session = new_session(PW_INITIATOR, CRAWLER, url_of(NODE)) };
		struct rlpx_info heard;
		struct end b;
		const struct pw_node *node = pw_session_node(a.session);
		const struct pw_info *info;

		/* So far only what we were told. */
		assert_memory_equal(node->public_key.data, public_of(NODE), SECP_PUBLIC_LEN);
		assert_int_equal(node->tcp_port, 30303);
		assert_null(node->session);
		assert_null(node->chain);
		assert_false(node->has_hello || node->has_fork || node->has_status);

		init_node(&b);
		talk(&a, &b, pieces[i]);
		assert_string_equal(a.said, "HD");
		assert_int_equal(a.outcome, PW_OUTCOME_OK);
		assert_null(a.rule);
		info = pw_session_info(a.session);
		assert_true(info->has_version);
		assert_string_equal(info->agent, "node/\\x0a1");
		assert_int_equal(info->raw_agent.len, 7);
		assert_int_equal(info->height, chain.latest);
		node = pw_session_node(a.session);
		assert_int_equal(node->public_key.len, SECP_PUBLIC_LEN);
		assert_memory_equal(node->public_key.data, public_of(NODE), SECP_PUBLIC_LEN);
		assert_string_equal(node->session, "ok");
		assert_null(node->session_rule);
		assert_true(node->has_hello && node->has_fork && node->has_status);
		assert_non_null(strstr(node->capabilities, "eth/69"));
		assert_int_equal(node->listen_port, 30304);
		assert_string_equal(node->chain, "mainnet");
		assert_int_equal(node->network_id, chain.network_id);
		assert_memory_equal(node->genesis, chain.genesis, 32);
		assert_memory_equal(node->head, chain.head, 32);
		assert_memory_equal(node->fork_hash, chain.forkid.hash, 4);
		assert_int_equal(node->fork_next, chain.forkid.next);
		/* Nothing of discovery. */
		assert_null(node->completeness);
		assert_string_equal(node->record, "");
		assert_string_equal(node->faults, "");

		/* Who we are: the key of the configuration, and a name of Ethereum's form. */
		rlpx_session_info(&b.node, &heard);
		assert_memory_equal(heard.key, public_of(CRAWLER), SECP_PUBLIC_LEN);
		assert_true(
			slice_equal(heard.hello.client, slice_text("peerwalk/v" PEERWALK_VERSION)));
		rlpx_session_clear(&b.node);
		pw_session_free(a.session);
	}
}

/* Neither has a chain to show: each learns who the other is, until the wait is over. */
static void test_each_other(void **state)
{
	struct end a = { .session = new_session(PW_INITIATOR, CRAWLER, url_of(NODE)) };
	struct end b = { .session = new_session(PW_RESPONDER, NODE, NULL) };
	const struct pw_node *node;

	(void)state;
	assert_int_equal(pw_session_node(b.session)->public_key.len, 0);
	talk(&a, &b, 4096);
	assert_string_equal(a.said, "H");
	assert_string_equal(b.said, "H");
	assert_string_equal(pw_session_info(b.session)->agent, "peerwalk/v" PEERWALK_VERSION);
	node = pw_session_node(b.session);
	assert_memory_equal(node->public_key.data, public_of(CRAWLER), SECP_PUBLIC_LEN);
	assert_null(node->session);
	pw_session_tick(a.session, pw_session_deadline(a.session));
	talk(&a, &b, 4096);
	assert_string_equal(a.said, "HD");
	assert_int_equal(a.outcome, PW_OUTCOME_OK);
	node = pw_session_node(a.session);
	assert_string_equal(node->session, "no_status");
	assert_true(node->has_hello && !node->has_status);
	/* It heard our leaving. */
	assert_string_equal(b.said, "HD");
	assert_int_equal(pw_session_recv(b.session, "late", 4, START_MS + 20), PW_OK);
	assert_null(pw_session_next(b.session));
	pw_session_free(a.session);
	pw_session_free(b.session);
}

static void test_ends(void **state)
{
	struct end mute = { .session = new_session(PW_INITIATOR, CRAWLER, url_of(NODE)) };
	struct end hung_up = { .session = new_session(PW_INITIATOR, CRAWLER, url_of(NODE)) };
	struct end garbage = { .session = new_session(PW_RESPONDER, NODE, "192.0.2.1:5000") };
	struct end self = { .session = new_session(PW_INITIATOR, NODE, url_of(NODE)) };
	struct pw_advert advert = { .host = "192.0.2.7", .port = 30303 };
	uint8_t junk[600];

	(void)state;
	pw_session_tick(mute.session, pw_session_deadline(mute.session));
	handle(&mute);
	assert_int_equal(mute.outcome, PW_OUTCOME_MUTE);
	assert_string_equal(pw_session_node(mute.session)->session, "mute");

	pw_session_closed(hung_up.session, false, START_MS + 10);
	handle(&hung_up);
	assert_int_equal(hung_up.outcome, PW_OUTCOME_PEER_FULL);
	assert_string_equal(pw_session_node(hung_up.session)->session, "hung_up");

	memset(junk, 1, sizeof(junk)); /* as long as it says: 257 bytes */
	assert_int_equal(pw_session_answer(garbage.session, &advert, 1), PW_ERR_VALUE);
	take(&garbage, junk, sizeof(junk));
	assert_string_equal(garbage.said, "D");
	assert_int_equal(garbage.outcome, PW_OUTCOME_PROTOCOL_ERROR);
	assert_non_null(garbage.rule);
	assert_string_equal(pw_session_node(garbage.session)->session_rule, garbage.rule);

	handle(&self);
	assert_int_equal(self.outcome, PW_OUTCOME_SELF);
	pw_session_free(mute.session);
	pw_session_free(hung_up.session);
	pw_session_free(garbage.session);
	pw_session_free(self.session);
}

/* Without a key each session is somebody else. */
static void test_new_keys(void **state)
{
	struct pw_session_config config = { .size = sizeof(config) };
	uint8_t seen[2][SECP_PUBLIC_LEN];

	(void)state;
	config.network = pw_network_find("ethereum");
	config.agent = "walk/1.0";
	config.peer = url_of(NODE);
	for (unsigned i = 0; i < 2; i++) {
		struct rlpx_info heard;
		struct end a = { 0 }, b;

		assert_int_equal(pw_session_new(&config, START_MS, &a.session), PW_OK);
		init_node(&b);
		talk(&a, &b, 4096);
		assert_int_equal(a.outcome, PW_OUTCOME_OK);
		rlpx_session_info(&b.node, &heard);
		assert_true(slice_equal(heard.hello.client, slice_text("walk/1.0")));
		memcpy(seen[i], heard.key, sizeof(seen[i]));
		rlpx_session_clear(&b.node);
		pw_session_free(a.session);
	}
	assert_memory_not_equal(seen[0], seen[1], SECP_PUBLIC_LEN);
}

static void test_config(void **state)
{
	static const uint8_t key[32] = { [31] = 1 }, zero[32] = { 0 };
	const char *url = url_of(NODE);
	struct {
		const char *what, *network;
		struct pw_session_config config;
		enum pw_err err;
	} rows[] = {
		{ "an initiator", "ethereum", { .peer = url }, PW_OK },
		{ "on another network", "hoodi", { .peer = url, .key = key }, PW_OK },
		{ "a responder", "ethereum", { .role = PW_RESPONDER }, PW_OK },
		{ "whose goal is none",
		  "ethereum",
		  { .role = PW_RESPONDER, .goal = PW_GOAL_PING },
		  PW_OK },
		{ "who calls nobody", "ethereum", { .peer = NULL }, PW_ERR_SYNTAX },
		{ "nobody's key", "ethereum", { .peer = "127.0.0.1:30303" }, PW_ERR_SYNTAX },
		{ "no peer", "ethereum", { .peer = "enode://1@127.0.0.1:1" }, PW_ERR_SYNTAX },
		{ "zero is no key", "ethereum", { .peer = url, .key = zero }, PW_ERR_VALUE },
		{ "pings", "ethereum", { .peer = url, .goal = PW_GOAL_PING }, PW_ERR_VALUE },
		{ "messages", "ethereum", { .peer = url, .goal = PW_GOAL_LISTEN }, PW_ERR_VALUE },
		{ "no role", "ethereum", { .peer = url, .role = (enum pw_role)7 }, PW_ERR_VALUE },
		{ "a key for Bitcoin", "bitcoin", { .key = key }, PW_ERR_VALUE },
		{ "a node of Bitcoin", "bitcoin", { .peer = url }, PW_ERR_SYNTAX },
	};
	struct pw_session *s;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pw_session_config c = rows[i].config;
		enum pw_err err;

		c.size = sizeof(c);
		c.network = pw_network_find(rows[i].network);
		err = pw_session_new(&c, START_MS, &s);
		if (err != rows[i].err || (s != NULL) != (err == PW_OK))
			fail_msg("%s: %s", rows[i].what, pw_err_text(err));
		pw_session_free(s);
	}
	assert_int_equal(
		pw_session_new(&(struct pw_session_config){ .size = sizeof(rows[0].config),
							    .network = pw_network_find("bitcoin") },
			       START_MS, &s),
		PW_OK);
	assert_null(pw_session_node(s));
	pw_session_free(s);
}

/* --- explain --- */

/* EIP-8, "Test Vectors": a ping with more elements than it needs. */
#define PING                                                                               \
	"e9614ccfd9fc3e74360018522d30e1419a143407ffcce748de3e22116b7e8dc92ff74788c0b6663a" \
	"aa3d67d641936511c8f8d6ad8698b820a7cf9e1be7155e9a241f556658c55428ec0563514365799a" \
	"4be2be5a685a80971ddcfa80cb422cdd0101ec04cb847f000001820cfa8215a8d790000000000000" \
	"000000000000000000018208ae820d058443b9a3550102"

struct seen {
	size_t computed;
	char text[4096];
};

static void note_field(void *ctx, const struct pw_field *field)
{
	struct seen *seen = ctx;
	size_t len = strlen(seen->text);

	seen->computed += field->len == 0;
	snprintf(seen->text + len, sizeof(seen->text) - len, "%zu %s: %s|", field->at, field->name,
		 field->text);
}

static void test_explain(void **state)
{
	const struct pw_network *ethereum = pw_network_find("ethereum");
	struct pw_fault fault = { 99, NULL };
	struct seen seen = { 0 };
	const char *url = url_of(NODE);
	uint8_t bytes[256];
	struct slice packet = hex_bytes(PING, bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(pw_explain(ethereum, packet.data, packet.len, note_field, &seen, &fault),
			 PW_OK);
	assert_int_equal(fault.at, 99);
	assert_non_null(strstr(seen.text, "0 hash: e9614ccf"));
	assert_non_null(strstr(seen.text, "signer: ca634cae"));
	assert_non_null(strstr(seen.text, "ip: 127.0.0.1|"));
	assert_true(seen.computed >= 2);

	seen = (struct seen){ 0 };
	bytes[120] ^= 1;
	assert_int_equal(pw_explain(ethereum, packet.data, packet.len, note_field, &seen, &fault),
			 PW_ERR_CHECKSUM);
	assert_int_equal(fault.at, 0);
	assert_non_null(strstr(fault.rule, "hash"));

	seen = (struct seen){ 0 };
	assert_int_equal(pw_explain(ethereum, url, strlen(url), note_field, &seen, NULL), PW_OK);
	assert_non_null(strstr(seen.text, "tcp port: 30303|"));
	seen = (struct seen){ 0 };
	assert_int_equal(pw_explain(ethereum, url, strlen(url) - 5, note_field, &seen, &fault),
			 PW_ERR_SYNTAX);
	assert_true(fault.at > 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_node),   cmocka_unit_test(test_each_other),
		cmocka_unit_test(test_ends),   cmocka_unit_test(test_new_keys),
		cmocka_unit_test(test_config), cmocka_unit_test(test_explain),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
