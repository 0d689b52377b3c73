/* The library's codecs: messages as bytes, JSON for those of gossip networks. */
#include "peerwalk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct pw_bytes bytes_of(const char *text)
{
	return (struct pw_bytes){ (const uint8_t *)text, strlen(text) };
}

/* A ping of main as it is on the wire, nonce 0x0807060504030201. */
static const uint8_t ping[32] = { 0xf9, 0xbe, 0xb4, 0xd9, 'p', 'i', 'n', 'g', 0, 0,    0,
				  0,    0,    0,    0,    0,   8,   0,   0,   0, 0x50, 0x2c,
				  0xa3, 0x24, 1,    2,    3,   4,   5,   6,   7, 8 };

/* --- Bitcoin --- */

static void test_bitcoin(void **state)
{
	const struct pw_network *bitcoin = pw_network_find("bitcoin");
	struct pw_message m = { .size = sizeof(m) };
	uint8_t out[64];
	size_t len;

	(void)state;
	assert_int_equal(pw_message_encode(bitcoin, "ping", (struct pw_bytes){ ping + 24, 8 }, out,
					   sizeof(out), &len),
			 PW_OK);
	assert_int_equal(len, sizeof(ping));
	assert_memory_equal(out, ping, 20);
	assert_memory_equal(out + 24, ping + 24, 8);
	assert_int_equal(pw_message_decode(bitcoin, out, sizeof(out), &m, NULL), PW_OK);
	assert_string_equal(m.name, "ping");
	assert_int_equal(m.whole.len, sizeof(ping));
	assert_ptr_equal(m.whole.data, out);
	assert_int_equal(m.payload.len, 8);
	assert_ptr_equal(m.payload.data, out + 24);
	assert_int_equal(m.needed, sizeof(ping));

	/* The published checksum of nothing. */
	assert_int_equal(pw_message_encode(bitcoin, "verack", (struct pw_bytes){ NULL, 0 }, out,
					   sizeof(out), &len),
			 PW_OK);
	assert_int_equal(len, 24);
	assert_memory_equal(out + 20, "\x5d\xf6\xe0\xe2", 4);

	/* Each part of it alone: how much is needed is known as soon as can be. */
	for (size_t n = 0; n < 24; n++) {
		m = (struct pw_message){ .size = sizeof(m) };
		assert_int_equal(pw_message_decode(bitcoin, out, n, &m, NULL), PW_ERR_SHORT);
		assert_int_equal(m.needed, 24);
		assert_int_equal(m.whole.len, 0);
	}
}

static void test_bitcoin_broken(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		uint8_t byte;
		enum pw_err err;
		size_t fault_at;
		const char *rule;
	} rows[] = {
		{ "another magic", 0, 0, PW_ERR_MAGIC, 0, "magic" },
		{ "unprintable name", 5, 7, PW_ERR_VALUE, 5, "command" },
		{ "letters behind the end of the name", 10, 'x', PW_ERR_VALUE, 10, "command" },
		{ "too long", 19, 1, PW_ERR_LIMIT, 16, "4,000,000" },
		{ "longer than there is", 17, 1, PW_ERR_SHORT, 99, "" },
		{ "wrong checksum", 21, 0, PW_ERR_CHECKSUM, 20, "checksum" },
		{ "other payload", 30, 0, PW_ERR_CHECKSUM, 20, "checksum" },
	};
	const struct pw_network *bitcoin = pw_network_find("bitcoin");
	uint8_t in[sizeof(ping)];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pw_message m = { .size = sizeof(m) };
		struct pw_fault fault = { 99, "" };
		enum pw_err err;

		assert_int_equal(pw_message_encode(bitcoin, "ping",
						   (struct pw_bytes){ ping + 24, 8 }, in,
						   sizeof(in), &len),
				 PW_OK);
		in[rows[i].at] = rows[i].byte;
		err = pw_message_decode(bitcoin, in, sizeof(in), &m, &fault);
		if (err != rows[i].err || fault.at != rows[i].fault_at ||
		    strstr(fault.rule, rows[i].rule) == NULL)
			fail_msg("%s: %s at %zu: %s", rows[i].what, pw_err_text(err), fault.at,
				 fault.rule);
		assert_int_equal(m.whole.len, 0);
		assert_string_equal(m.name, "");
	}
}

static void test_bitcoin_encode_errors(void **state)
{
	static uint8_t big[4000001];
	static const struct {
		const char *what, *name;
		size_t payload, cap;
		enum pw_err err;
		size_t len;
	} rows[] = {
		{ "no name", "", 0, 64, PW_ERR_VALUE, 0 },
		{ "longest name", "abcdefghijkl", 0, 64, PW_OK, 24 },
		{ "longer name", "abcdefghijklm", 0, 64, PW_ERR_VALUE, 0 },
		{ "no ASCII", "p\xc3\xa4", 0, 64, PW_ERR_VALUE, 0 },
		{ "just fits", "ping", 8, 32, PW_OK, 32 },
		{ "doesn't fit", "ping", 8, 31, PW_ERR_FULL, 32 },
		{ "nowhere to put it", "ping", 8, 0, PW_ERR_FULL, 32 },
		{ "too long for everybody", "ping", sizeof(big), 64, PW_ERR_LIMIT, 0 },
	};
	uint8_t out[64];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum pw_err err = pw_message_encode(pw_network_find("bitcoin"), rows[i].name,
						    (struct pw_bytes){ big, rows[i].payload }, out,
						    rows[i].cap, &len);

		if (err != rows[i].err || len != rows[i].len)
			fail_msg("%s: %s, %zu", rows[i].what, pw_err_text(err), len);
	}
}

/* Its packets are signed: there is nothing to frame. */
static void test_ethereum(void **state)
{
	struct pw_message m = { .size = sizeof(m) };
	const struct pw_network *ethereum = pw_network_find("ethereum");
	uint8_t out[64];
	size_t len;

	(void)state;
	assert_int_equal(pw_message_decode(ethereum, ping, sizeof(ping), &m, NULL),
			 PW_ERR_NOT_FOUND);
	assert_int_equal(pw_message_encode(ethereum, "ping", (struct pw_bytes){ ping, 8 }, out,
					   sizeof(out), &len),
			 PW_ERR_NOT_FOUND);
}

/* --- gossip --- */

static void test_gossip(void **state)
{
	static const struct {
		const char *what, *name, *payload;
		enum pw_err err;
		const char *line;
	} rows[] = {
		{ "nothing to carry", "getaddr", "", PW_OK, "{\"msgtype\":\"getaddr\"}\n" },
		{ "an application's own", "chat", "{\"text\": \"a\\nb\"}", PW_OK,
		  "{\"msgtype\":\"chat\",\"text\":\"a\\nb\"}\n" },
		{ "lines in it become one", "x", "{\n\"a\":\n[1,\r\n2.5]\n}\n", PW_OK,
		  "{\"msgtype\":\"x\",\"a\":[1,2.5]}\n" },
		{ "no object", "chat", "\"text\"", PW_ERR_SYNTAX, "" },
		{ "no JSON", "chat", "{", PW_ERR_SYNTAX, "" },
		{ "its own msgtype", "chat", "{\"msgtype\":\"x\"}", PW_ERR_SYNTAX, "" },
		{ "a key twice", "chat", "{\"a\":1,\"a\":2}", PW_ERR_SYNTAX, "" },
		{ "no name", "", "", PW_ERR_VALUE, "" },
		{ "a name of two lines", "a\nb", "", PW_ERR_VALUE, "" },
		{ "what peers would hang up on", "hello", "{\"port\":1}", PW_ERR_VALUE, "" },
	};
	const struct pw_network *gossip = pw_network_find("gossip");
	char out[256];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pw_message m = { .size = sizeof(m) };
		enum pw_err err;

		err = pw_message_encode(gossip, rows[i].name, bytes_of(rows[i].payload), out,
					sizeof(out), &len);
		if (err != rows[i].err || len != strlen(rows[i].line) ||
		    memcmp(out, rows[i].line, len) != 0)
			fail_msg("%s: %s, \"%.*s\"", rows[i].what, pw_err_text(err), (int)len, out);
		if (err != PW_OK)
			continue;
		assert_int_equal(pw_message_encode(gossip, rows[i].name, bytes_of(rows[i].payload),
						   out, len - 1, &len),
				 PW_ERR_FULL);
		assert_int_equal(len, strlen(rows[i].line));
		assert_int_equal(pw_message_decode(gossip, rows[i].line, len, &m, NULL), PW_OK);
		assert_string_equal(m.name, rows[i].name);
		assert_int_equal(m.whole.len, len);
		assert_int_equal(m.payload.len, len - 1);
	}
}

static void test_gossip_decode(void **state)
{
	static const struct {
		const char *what, *in;
		enum pw_err err;
		const char *name;
		size_t whole, payload;
	} rows[] = {
		{ "one and more behind it", "{\"msgtype\":\"a\"}\n{\"msg", PW_OK, "a", 16, 15 },
		{ "CR LF", "{\"msgtype\":\"a\"}\r\n", PW_OK, "a", 17, 15 },
		{ "a stranger's name", "{\"msgtype\":\"\\u001b[\"}\n", PW_OK, "\\x1b[", 22, 21 },
		{ "no end yet", "{\"msgtype\":\"a\"}", PW_ERR_SHORT, "", 0, 0 },
		{ "nothing", "", PW_ERR_SHORT, "", 0, 0 },
		{ "an empty line", "\n", PW_ERR_SYNTAX, "", 0, 0 },
		{ "no JSON", "GET / HTTP/1.1\r\n", PW_ERR_SYNTAX, "", 0, 0 },
	};
	const struct pw_network *gossip = pw_network_find("gossip");
	struct pw_message m = { .size = sizeof(m) };
	struct pw_fault fault;
	char *big = malloc(70000);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t len = strlen(rows[i].in);
		enum pw_err err = pw_message_decode(gossip, rows[i].in, len, &m, &fault);

		if (err != rows[i].err || strcmp(m.name, rows[i].name) != 0 ||
		    m.whole.len != rows[i].whole || m.payload.len != rows[i].payload)
			fail_msg("%s: %s, \"%s\", %zu, %zu", rows[i].what, pw_err_text(err), m.name,
				 m.whole.len, m.payload.len);
		if (err == PW_ERR_SHORT)
			assert_int_equal(m.needed, len + 1);
	}
	/* The longest line, and one that has no end. */
	assert_non_null(big);
	memset(big, ' ', 70000);
	memcpy(big, "{\"msgtype\":\"a\"}", 15);
	big[65536] = '\n';
	assert_int_equal(pw_message_decode(gossip, big, 65536, &m, &fault), PW_ERR_SHORT);
	assert_int_equal(pw_message_decode(gossip, big, 70000, &m, &fault), PW_OK);
	assert_int_equal(m.whole.len, 65537);
	big[65536] = ' ';
	assert_int_equal(pw_message_decode(gossip, big, 70000, &m, &fault), PW_ERR_LIMIT);
	assert_int_equal(fault.at, 65536);
	free(big);
}

/* --- JSON --- */

static void test_json_quote(void **state)
{
	static const struct {
		const char *what, *text, *json;
	} rows[] = {
		{ "nothing", "", "\"\"" },
		{ "plain", "hello", "\"hello\"" },
		{ "quote and backslash", "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "control characters", "\n\t\x1f\x7f", "\"\\u000a\\u0009\\u001f\x7f\"" },
		{ "UTF-8", "gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"" },
		{ "no UTF-8", "a\xff\xc3", "\"a\\ufffd\\ufffd\"" },
		{ "half a character, then a good one", "\xe2\x82z", "\"\\ufffd\\ufffdz\"" },
	};
	char out[64], back[64], object[96];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pw_bytes text = bytes_of(rows[i].text);

		len = pw_json_quote(text, out, 6 * text.len + 3);
		if (len != strlen(rows[i].json) || strcmp(out, rows[i].json) != 0)
			fail_msg("%s: %s", rows[i].what, out);
		/* What doesn't fit is not cut: half a string is none. */
		for (size_t cap = 1; cap <= len; cap++) {
			memset(out, 'x', sizeof(out));
			assert_int_equal(pw_json_quote(text, out, cap), 0);
			assert_int_equal(out[0], 0);
			assert_int_equal(out[cap], 'x');
		}
		assert_int_equal(pw_json_quote(text, out, len + 1), len);
		snprintf(object, sizeof(object), "{\"a\": %s}", out);
		assert_int_equal(pw_json_text(bytes_of(object), "a", back, sizeof(back), &len),
				 PW_OK);
		if (strstr(rows[i].json, "ufffd") == NULL)
			assert_string_equal(back, rows[i].text);
	}
}

static void test_json_text(void **state)
{
	static const struct {
		const char *what, *object;
		enum pw_err err;
		const char *text;
	} rows[] = {
		{ "a text", "{\"msgtype\":\"chat\",\"text\":\"a\\u0041\\n\"}", PW_OK, "aA\n" },
		{ "an empty one", "{\"text\":\"\"}", PW_OK, "" },
		{ "blanks around", " {\"text\": \"x\"} \r\n", PW_OK, "x" },
		{ "no such member", "{\"texts\":\"x\"}", PW_ERR_NOT_FOUND, "" },
		{ "no string", "{\"text\":7}", PW_ERR_NOT_FOUND, "" },
		{ "no object", "[\"text\"]", PW_ERR_SYNTAX, "" },
		{ "no JSON", "{\"text\":", PW_ERR_SYNTAX, "" },
		{ "nothing", "", PW_ERR_SYNTAX, "" },
		{ "said twice", "{\"text\":\"a\",\"text\":\"b\"}", PW_ERR_SYNTAX, "" },
		{ "no UTF-8", "{\"text\":\"\xff\"}", PW_ERR_SYNTAX, "" },
		{ "NUL", "{\"text\":\"a\\u0000b\"}", PW_ERR_SYNTAX, "" },
		{ "just fits", "{\"text\":\"1234567\"}", PW_OK, "1234567" },
		{ "doesn't fit", "{\"text\":\"12345678\"}", PW_ERR_FULL, "" },
	};
	static char deep[200001];
	char out[8];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum pw_err err;

		memset(out, 'x', sizeof(out));
		err = pw_json_text(bytes_of(rows[i].object), "text", out, sizeof(out), &len);
		if (err != rows[i].err || strcmp(out, rows[i].text) != 0 || len != strlen(out))
			fail_msg("%s: %s, \"%.8s\"", rows[i].what, pw_err_text(err), out);
	}
	memset(deep, '[', sizeof(deep) - 1);
	assert_int_equal(pw_json_text(bytes_of(deep), "text", out, sizeof(out), NULL),
			 PW_ERR_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bitcoin),    cmocka_unit_test(test_bitcoin_broken),
		cmocka_unit_test(test_ethereum),   cmocka_unit_test(test_bitcoin_encode_errors),
		cmocka_unit_test(test_gossip),     cmocka_unit_test(test_gossip_decode),
		cmocka_unit_test(test_json_quote), cmocka_unit_test(test_json_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
