/* test_gossip_messages.c: the codec of gossip's messages: rows, limits, and what is written
 * reads back as it was. */
#include "base/hash.h"
#include "base/text.h"
#include "proto/gossip/json_walk.h"
#include "proto/gossip/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID          "a46de8d6-177e-4644-a711-63d182fdbade"
#define HELLO(rest) "{\"msgtype\":\"hello\",\"nodeid\":\"" ID "\"" rest "}"
#define ADDR(peers) "{\"msgtype\":\"addr\",\"peers\":[" peers "]}"

static const struct {
	const char *name, *line;
	enum err err;
	enum gossip_type type;
	const char *rule; /* NULL: any */
} rows[] = {
	{ "the tutorial's hello", "{\"nodeid\": \"" ID "\", \"msgtype\": \"hello\"}", ERR_OK,
	  GOSSIP_HELLO, NULL },
	{ "the tutorial's ping", "{\"msgtype\": \"ping\"}", ERR_OK, GOSSIP_PING, NULL },
	{ "the tutorial's pong", "{\"msgtype\": \"pong\"}", ERR_OK, GOSSIP_PONG, NULL },
	{ "the tutorial's getaddr", "{\"msgtype\": \"getaddr\"}", ERR_OK, GOSSIP_GETADDR, NULL },
	{ "the tutorial's addr",
	  "{\"msgtype\": \"addr\", \"peers\": [[\"127.0.0.1:5999\", \"" ID "\"]]}", ERR_OK,
	  GOSSIP_ADDR, NULL },
	{ "the tutorial's announcement", "{\"msgtype\": \"addr\", \"peers\": [\"127.0.0.1:5999\"]}",
	  ERR_OK, GOSSIP_ADDR, NULL },
	{ "the tutorial's empty addr", "{\"msgtype\": \"addr\", \"peers\": []}", ERR_OK,
	  GOSSIP_ADDR, NULL },

	{ "an application's own", "{\"msgtype\":\"chat\",\"text\":\"\\u0000 \xc3\xa4\"}", ERR_OK,
	  GOSSIP_UNKNOWN, NULL },
	{ "numbers beyond 64 bits", "{\"msgtype\":\"x\",\"n\":123456789012345678901234567890}",
	  ERR_OK, GOSSIP_UNKNOWN, NULL },
	{ "a msgtype in capitals", "{\"msgtype\":\"HELLO\"}", ERR_OK, GOSSIP_UNKNOWN, NULL },
	{ "a msgtype spelt in escapes", "{\"msgtype\":\"p\\u0069ng\"}", ERR_OK, GOSSIP_PING, NULL },
	{ "blanks around", " \t{ \"msgtype\" : \"ping\" } \r", ERR_OK, GOSSIP_PING, NULL },
	{ "fields that nobody knows", HELLO(",\"x\":[{\"y\":null}],\"\":1"), ERR_OK, GOSSIP_HELLO,
	  NULL },

	{ "an empty line", "", ERR_SYNTAX, 0, "a line is one JSON object" },
	{ "words", "hello", ERR_SYNTAX, 0, "a line is one JSON object" },
	{ "a list", "[]", ERR_SYNTAX, 0, "a line is one JSON object" },
	{ "a string", "\"ping\"", ERR_SYNTAX, 0, "a line is one JSON object" },
	{ "two objects", "{\"msgtype\":\"ping\"}{\"msgtype\":\"ping\"}", ERR_SYNTAX, 0,
	  "a line is one JSON object" },
	{ "an object that is cut", "{\"msgtype\":\"ping\"", ERR_SYNTAX, 0,
	  "a line is one JSON object" },
	{ "single quotes, as Python prints it", "{'msgtype': 'ping'}", ERR_SYNTAX, 0, NULL },
	{ "no UTF-8", "{\"msgtype\":\"\xff\"}", ERR_SYNTAX, 0, "a line is UTF-8" },
	{ "half a surrogate", "{\"msgtype\":\"\\ud800\"}", ERR_SYNTAX, 0, NULL },
	{ "a key twice", "{\"msgtype\":\"ping\",\"msgtype\":\"pong\"}", ERR_SYNTAX, 0,
	  "a key stands once in an object" },
	{ "a key twice, further in", "{\"msgtype\":\"x\",\"a\":{\"b\":1,\"\\u0062\":2}}",
	  ERR_SYNTAX, 0, "a key stands once in an object" },
	{ "NaN", "{\"msgtype\":\"x\",\"a\":NaN}", ERR_SYNTAX, 0, NULL },
	{ "no msgtype", "{\"nodeid\":\"" ID "\"}", ERR_VALUE, 0,
	  "a message has a msgtype, a string" },
	{ "a msgtype that is a number", "{\"msgtype\":1}", ERR_VALUE, 0, NULL },

	{ "hello in full", HELLO(",\"port\":5999,\"agent\":\"x/1\",\"network\":\"g\""), ERR_OK,
	  GOSSIP_HELLO, NULL },
	{ "hello, null for what is left out",
	  HELLO(",\"port\":null,\"agent\":null,\"network\":null"), ERR_OK, GOSSIP_HELLO, NULL },
	{ "hello without nodeid", "{\"msgtype\":\"hello\"}", ERR_VALUE, 0,
	  "hello: nodeid is a UUID" },
	{ "hello, no UUID", "{\"msgtype\":\"hello\",\"nodeid\":\"me\"}", ERR_VALUE, 0,
	  "hello: nodeid is a UUID" },
	{ "hello, port 0", HELLO(",\"port\":0"), ERR_VALUE, 0,
	  "hello: port is a number from 1 to 65,535" },
	{ "hello, port 65,536", HELLO(",\"port\":65536"), ERR_VALUE, 0, NULL },
	{ "hello, port -1", HELLO(",\"port\":-1"), ERR_VALUE, 0, NULL },
	{ "hello, port 1.5", HELLO(",\"port\":1.5"), ERR_VALUE, 0, NULL },
	{ "hello, port 1e300", HELLO(",\"port\":1e300"), ERR_VALUE, 0, NULL },
	{ "hello, port as text", HELLO(",\"port\":\"5999\""), ERR_VALUE, 0, NULL },
	{ "hello, port 5999.0", HELLO(",\"port\":5999.0"), ERR_OK, GOSSIP_HELLO, NULL },
	{ "hello, agent a number", HELLO(",\"agent\":1"), ERR_VALUE, 0,
	  "hello: agent is a string" },
	{ "hello, network a list", HELLO(",\"network\":[]"), ERR_VALUE, 0,
	  "hello: network is a string" },

	{ "addr without peers", "{\"msgtype\":\"addr\"}", ERR_VALUE, 0, "addr: peers is a list" },
	{ "addr, peers an object", "{\"msgtype\":\"addr\",\"peers\":{}}", ERR_VALUE, 0, NULL },
	{ "addr, an entry is a number", ADDR("1"), ERR_VALUE, 0, NULL },
	{ "addr, an entry is null", ADDR("null"), ERR_VALUE, 0, NULL },
	{ "addr, an entry is an empty list", ADDR("[]"), ERR_VALUE, 0, NULL },
	{ "addr, a pair begins with a number", ADDR("[1,\"" ID "\"]"), ERR_VALUE, 0, NULL },
	{ "addr, a nodeid is a number", ADDR("[\"1.2.3.4:5\",6]"), ERR_VALUE, 0, NULL },
	{ "addr, a nodeid is null", ADDR("[\"1.2.3.4:5\",null]"), ERR_OK, GOSSIP_ADDR, NULL },
	{ "addr, a pair of three", ADDR("[\"1.2.3.4:5\",\"" ID "\",{}]"), ERR_OK, GOSSIP_ADDR,
	  NULL },
	{ "addr, a nodeid that is too long", ADDR("[\"1.2.3.4:5\",\"" ID "0\"]"), ERR_LIMIT, 0,
	  "addr: nodeid over 36 bytes" },
};

static void test_rows(void **state)
{
	struct gossip_message m;
	const char *rule;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum err err = gossip_decode(slice_text(rows[i].line), &m, &rule);

		if (err != rows[i].err || (err == ERR_OK) != (rule == NULL) ||
		    (err == ERR_OK && m.type != rows[i].type) ||
		    (rows[i].rule != NULL && (rule == NULL || strcmp(rule, rows[i].rule) != 0)))
			fail_msg("%s: %s, %s", rows[i].name, err_name(err),
				 rule != NULL ? rule : "no rule");
	}
}

static void test_fields(void **state)
{
	struct gossip_message m;
	char id[UUID_TEXT_MAX];
	const char *rule;

	(void)state;
	gossip_decode(slice_text(HELLO(",\"port\":65535,\"agent\":\"a\\\"\",\"network\":\"gr\"")),
		      &m, &rule);
	uuid_text(m.hello.node_id, id);
	assert_string_equal(id, ID);
	assert_string_equal(m.name, "hello");
	assert_int_equal(m.hello.port, 65535);
	assert_true(slice_equal(slice_of(m.hello.agent, m.hello.agent_len), slice_text("a\"")));
	assert_true(slice_equal(slice_of(m.hello.group, m.hello.group_len), slice_text("gr")));
	gossip_decode(slice_text(HELLO("")), &m, &rule);
	assert_int_equal(m.hello.port, 0);
	assert_int_equal(m.hello.agent_len, 0);
	assert_int_equal(m.hello.group_len, 0);
	gossip_decode(slice_text("{\"msgtype\":\"\\u001b[31m a name that goes on and on\"}"), &m,
		      &rule);
	assert_string_equal(m.name, "\\x1b[31m a name that go");
}

/* A message of exactly so many bytes: `before`, filling, `after`. */
static char *filled(size_t len, const char *before, char filling, const char *after)
{
	char *line = malloc(len + 1);

	assert_non_null(line);
	memset(line, filling, len);
	memcpy(line, before, strlen(before));
	strcpy(line + len - strlen(after), after);
	return line;
}

static void expect_filled(const char *name, size_t len, const char *before, char filling,
			  const char *after, enum err want, const char *want_rule)
{
	char *line = filled(len, before, filling, after);
	struct gossip_message m;
	const char *rule;
	enum err err = gossip_decode(slice_of(line, len), &m, &rule);

	if (err != want || (want_rule != NULL && (rule == NULL || strcmp(rule, want_rule) != 0)))
		fail_msg("%s: %s, %s", name, err_name(err), rule != NULL ? rule : "no rule");
	free(line);
}

static void test_limits(void **state)
{
	const char *agent = "{\"nodeid\":\"" ID "\",\"msgtype\":\"hello\",\"agent\":\"";
	const char *group = "{\"nodeid\":\"" ID "\",\"msgtype\":\"hello\",\"network\":\"";
	const char *nonce = "{\"msgtype\":\"ping\",\"nonce\":\"";
	const char *place = "{\"msgtype\":\"addr\",\"peers\":[\"";

	(void)state;
	expect_filled("64 KiB", 65536, "{\"msgtype\":\"x\",\"a\":\"", 'a', "\"}", ERR_OK, NULL);
	expect_filled("one byte more", 65537, "{\"msgtype\":\"x\",\"a\":\"", 'a', "\"}", ERR_LIMIT,
		      "a message over 64 KiB");
	expect_filled("msgtype of 64", 12 + 64 + 2, "{\"msgtype\":\"", 'a', "\"}", ERR_OK, NULL);
	expect_filled("msgtype of 65", 12 + 65 + 2, "{\"msgtype\":\"", 'a', "\"}", ERR_LIMIT,
		      "msgtype over 64 bytes");
	expect_filled("agent of 256", strlen(agent) + 256 + 2, agent, 'a', "\"}", ERR_OK, NULL);
	expect_filled("agent of 257", strlen(agent) + 257 + 2, agent, 'a', "\"}", ERR_LIMIT,
		      "hello: agent over 256 bytes");
	expect_filled("network of 64", strlen(group) + 64 + 2, group, 'a', "\"}", ERR_OK, NULL);
	expect_filled("network of 65", strlen(group) + 65 + 2, group, 'a', "\"}", ERR_LIMIT,
		      "hello: network over 64 bytes");
	expect_filled("nonce of 64, as written", strlen(nonce) + 62 + 2, nonce, 'a', "\"}", ERR_OK,
		      NULL);
	expect_filled("nonce of 65, as written", strlen(nonce) + 63 + 2, nonce, 'a', "\"}",
		      ERR_LIMIT, "ping, pong: nonce over 64 bytes");
	expect_filled("host:port of 259", strlen(place) + 259 + 3, place, 'a', "\"]}", ERR_OK,
		      NULL);
	expect_filled("host:port of 260", strlen(place) + 260 + 3, place, 'a', "\"]}", ERR_LIMIT,
		      "addr: host:port over 259 bytes");
	/* Neither the parser's stack nor its memory is a stranger's to use up. */
	expect_filled("64 KiB of brackets", 65536, "{\"msgtype\":\"x\",\"a\":", '[', "", ERR_LIMIT,
		      "a message nested more than 32 deep");
	expect_filled("64 KiB of braces", 65536, "", '{', "", ERR_LIMIT,
		      "a message nested more than 32 deep");
	expect_filled("brackets in a string are letters", 65536, "{\"msgtype\":\"x\",\"a\":\"\\\"",
		      '[', "\"}", ERR_OK, NULL);
}

/* "{"msgtype":"x","a":[[...]]}", so deep in all. */
static void test_depth(void **state)
{
	struct gossip_message m;
	char line[256];
	const char *rule;

	(void)state;
	for (unsigned depth = 2; depth <= 33; depth++) {
		int n = snprintf(line, sizeof(line), "{\"msgtype\":\"x\",\"a\":%.*s%.*s}",
				 (int)depth - 1, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", (int)depth - 1,
				 "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");

		assert_int_equal(json_depth(slice_of(line, (size_t)n)), depth);
		assert_int_equal(gossip_decode(slice_of(line, (size_t)n), &m, &rule),
				 depth <= GOSSIP_DEPTH_MAX ? ERR_OK : ERR_LIMIT);
	}
}

static const struct {
	const char *line, *nonce;
	bool is_number;
} nonces[] = {
	{ "{\"msgtype\":\"ping\"}", "", false },
	{ "{\"msgtype\":\"ping\",\"nonce\":null}", "", false },
	{ "{\"msgtype\":\"ping\",\"nonce\":7}", "7", true },
	{ "{\"nonce\" : 18446744073709551615 , \"msgtype\":\"ping\"}", "18446744073709551615",
	  true },
	{ "{\"msgtype\":\"pong\",\"nonce\":-1.50e3}", "-1.50e3", true },
	{ "{\"msgtype\":\"ping\",\"nonce\":\"a\\\"b,}\"}", "\"a\\\"b,}\"", false },
	{ "{\"x\":{\"nonce\":1},\"msgtype\":\"ping\",\"nonce\":[1, {\"a\":2}]}", "[1, {\"a\":2}]",
	  false },
};

static void test_nonces(void **state)
{
	struct gossip_message m;
	const char *rule;

	(void)state;
	for (size_t i = 0; i < sizeof(nonces) / sizeof(*nonces); i++) {
		assert_int_equal(gossip_decode(slice_text(nonces[i].line), &m, &rule), ERR_OK);
		if (!slice_equal(m.nonce, slice_text(nonces[i].nonce)) ||
		    m.nonce_is_number != nonces[i].is_number)
			fail_msg("%s: %.*s", nonces[i].line, (int)m.nonce.len, m.nonce.data);
	}
}

static const struct {
	const char *entry, *addr; /* addr empty: nothing that is dialled */
	bool has_id;
} entries[] = {
	{ "\"1.2.3.4:5\"", "1.2.3.4:5", false },
	{ "[\"1.2.3.4:5\"]", "1.2.3.4:5", false },
	{ "[\"1.2.3.4:5\",\"" ID "\"]", "1.2.3.4:5", true },
	{ "[\"1.2.3.4:5\",\"me\"]", "1.2.3.4:5", false },
	{ " [ \"[2001:db8::1]:5999\" , \"" ID "\" ] ", "[2001:db8::1]:5999", true },
	{ "\"[2001:db8::1]:5999\"", "[2001:db8::1]:5999", false },
	{ "\"[::ffff:1.2.3.4]:5\"", "1.2.3.4:5", false },
	{ "\"1.2.\\u0033.4:5\"", "1.2.3.4:5", false },
	{ "\"localhost:5999\"", "", false },
	{ "[\"example.org:5999\",\"" ID "\"]", "", true },
	{ "\"1.2.3.4\"", "", false },
	{ "\"1.2.3.4:0\"", "", false },
	{ "\"1.2.3.4:65536\"", "", false },
	{ "\"1.2.3.4:5,6.7.8.9:1\"", "", false },
	{ "\"2001:db8::1\"", "", false },
	{ "\"\"", "", false },
	{ "\"\\u0000\"", "", false },
	{ "\""
	  "expyuzz4wqqyqhjn.onion:80"
	  "\"",
	  "", false },
};

static void test_entries(void **state)
{
	char line[256], text[NETADDR_TEXT_MAX];
	struct gossip_message m;
	struct gossip_peer peer;
	const char *rule;
	struct reader r;

	(void)state;
	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
		/* Behind another one: the walk goes on in the right place. */
		snprintf(line, sizeof(line), ADDR("[\"9.9.9.9:9\",null],%s"), entries[i].entry);
		assert_int_equal(gossip_decode(slice_text(line), &m, &rule), ERR_OK);
		assert_int_equal(m.count, 2);
		reader_init(&r, m.peers);
		json_enter(&r);
		assert_true(gossip_peer_next(&r, &peer));
		assert_true(gossip_peer_next(&r, &peer));
		text[0] = '\0';
		if (peer.addr.kind != NETADDR_NONE)
			netaddr_text(&peer.addr, text);
		if (strcmp(text, entries[i].addr) != 0 || peer.has_id != entries[i].has_id)
			fail_msg("%s: %s", entries[i].entry, text);
		assert_false(gossip_peer_next(&r, &peer));
		assert_false(gossip_peer_next(&r, &peer));
	}
}

/* --- what is written reads back --- */

static struct slice line_of(const struct writer *w)
{
	assert_true(writer_ok(w));
	assert_true(w->len > 0 && w->data[w->len - 1] == '\n');
	assert_null(memchr(w->data, '\n', w->len - 1));
	return slice_of(w->data, w->len - 1);
}

static uint16_t random_text(struct random *random, uint8_t *out, size_t cap)
{
	static const char *const letters[] = { "a",  "\"", "\\",       "\n",
					       "\t", "/",  "\xc3\xa4", "\xf0\x9f\x90\xa6" };
	size_t len = 0, wanted = random_below(random, (uint32_t)cap + 1);

	while (len < wanted) {
		const char *letter = letters[random_below(random, 8)];

		if (len + strlen(letter) > wanted)
			letter = "b";
		memcpy(out + len, letter, strlen(letter));
		len += strlen(letter);
	}
	return (uint16_t)len;
}

static void test_hello_round_trip(void **state)
{
	struct random random = { .state = 1 };
	uint8_t bytes[4096];

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		struct gossip_hello hello = { .port = (uint16_t)random_next(&random) };
		struct gossip_message m;
		const char *rule;
		struct writer w;

		for (unsigned k = 0; k < UUID_LEN; k++)
			hello.node_id[k] = (uint8_t)random_next(&random);
		hello.agent_len = random_text(&random, hello.agent, sizeof(hello.agent));
		hello.group_len = random_text(&random, hello.group, sizeof(hello.group));
		writer_init(&w, bytes, sizeof(bytes));
		gossip_hello_encode(&w, &hello);
		assert_int_equal(gossip_decode(line_of(&w), &m, &rule), ERR_OK);
		assert_int_equal(m.type, GOSSIP_HELLO);
		assert_memory_equal(&m.hello, &hello, sizeof(hello));
	}
}

static void test_addr_round_trip(void **state)
{
	static struct advert adverts[GOSSIP_PEERS_MAX];
	static uint8_t bytes[GOSSIP_LINE_MAX], ids[GOSSIP_PEERS_MAX][UUID_LEN];
	struct random random = { .state = 2 };

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		uint32_t count = random_below(&random, 400);
		struct gossip_message m;
		struct gossip_peer peer;
		const char *rule;
		struct writer w;
		struct reader r;

		for (uint32_t k = 0; k < count; k++) {
			adverts[k] = (struct advert){
				.addr = netaddr_ipv4((uint32_t)random_next(&random),
						     (uint16_t)(1 + random_below(&random, 65535)))
			};
			if (random_below(&random, 2) == 0) {
				adverts[k].addr.kind = NETADDR_IPV6;
				adverts[k].addr.bytes[0] = 0x20;
				for (unsigned b = 1; b < 16; b++)
					adverts[k].addr.bytes[b] = (uint8_t)random_next(&random);
			}
			memset(ids[k], (int)k, UUID_LEN);
			adverts[k].node_id = slice_of(ids[k], random_below(&random, 2) * UUID_LEN);
		}
		writer_init(&w, bytes, sizeof(bytes));
		gossip_addr_encode(&w, adverts, count);
		assert_int_equal(gossip_decode(line_of(&w), &m, &rule), ERR_OK);
		assert_int_equal(m.count, count);
		reader_init(&r, m.peers);
		json_enter(&r);
		for (uint32_t k = 0; k < count; k++) {
			assert_true(gossip_peer_next(&r, &peer));
			assert_true(netaddr_equal(&peer.addr, &adverts[k].addr));
			assert_int_equal(peer.has_id, adverts[k].node_id.len > 0);
			if (peer.has_id)
				assert_memory_equal(peer.node_id, ids[k], UUID_LEN);
		}
		assert_false(gossip_peer_next(&r, &peer));
	}
}

/* A thousand of the longest addresses with ids don't fit a message: then it has no ids. */
static void test_addr_longest(void **state)
{
	static struct advert adverts[GOSSIP_PEERS_MAX];
	static uint8_t bytes[GOSSIP_LINE_MAX], id[UUID_LEN];
	struct gossip_message m;
	struct gossip_peer peer;
	const char *rule;
	struct writer w;
	struct reader r;

	(void)state;
	for (unsigned family = 0; family < 2; family++) {
		for (unsigned i = 0; i < GOSSIP_PEERS_MAX; i++) {
			adverts[i].addr = netaddr_ipv4(0xdfdfdfdf, 65535);
			adverts[i].node_id = slice_of(id, UUID_LEN);
			if (family == 1) {
				memset(adverts[i].addr.bytes, 0xdf, 16);
				adverts[i].addr.kind = NETADDR_IPV6;
			}
		}
		writer_init(&w, bytes, sizeof(bytes));
		gossip_addr_encode(&w, adverts, GOSSIP_PEERS_MAX);
		assert_int_equal(gossip_decode(line_of(&w), &m, &rule), ERR_OK);
		assert_int_equal(m.count, GOSSIP_PEERS_MAX);
		reader_init(&r, m.peers);
		json_enter(&r);
		assert_true(gossip_peer_next(&r, &peer));
		assert_int_equal(peer.has_id, family == 0);
	}
}

/* Tor's addresses have no place here, and an agent that is no UTF-8 is not said. */
static void test_left_out(void **state)
{
	struct advert adverts[2] = { { .addr = { .kind = NETADDR_TORV3, .port = 1 } },
				     { .addr = netaddr_ipv4(0x01020304, 5) } };
	struct gossip_hello hello = { .agent = { 0xff }, .agent_len = 1 };
	uint8_t bytes[512];
	struct writer w;

	(void)state;
	writer_init(&w, bytes, sizeof(bytes));
	gossip_addr_encode(&w, adverts, 2);
	assert_true(slice_equal(line_of(&w),
				slice_text("{\"msgtype\":\"addr\",\"peers\":[\"1.2.3.4:5\"]}")));
	writer_init(&w, bytes, sizeof(bytes));
	gossip_hello_encode(&w, &hello);
	assert_true(
		slice_equal(line_of(&w), slice_text("{\"msgtype\":\"hello\",\"nodeid\":"
						    "\"00000000-0000-0000-0000-000000000000\"}")));
}

static void test_no_room(void **state)
{
	struct gossip_hello hello = { .agent = "agent", .agent_len = 5 };
	struct advert advert = { .addr = netaddr_ipv4(0x01020304, 5) };
	uint8_t bytes[128];

	(void)state;
	for (size_t cap = 0; cap < 40; cap++) {
		struct writer w;

		writer_init(&w, bytes, cap);
		gossip_hello_encode(&w, &hello);
		assert_false(writer_ok(&w));
		writer_init(&w, bytes, cap);
		gossip_addr_encode(&w, &advert, 1);
		assert_int_equal(writer_ok(&w), cap >= strlen(ADDR("\"1.2.3.4:5\"")) + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_nonces),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_hello_round_trip),
		cmocka_unit_test(test_addr_round_trip),
		cmocka_unit_test(test_addr_longest),
		cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
