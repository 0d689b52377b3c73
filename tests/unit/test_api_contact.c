/* The library's codecs: peers as people write them, and records of nodes. */
#include "peerwalk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The example of EIP-778. */
#define RECORD                                                                           \
	"enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499S" \
	"ZuOh8R33Ls8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0R" \
	"W_QAdpzBQA8yWM0xOIN1ZHCCdl8"
#define KEY                                                                \
	"ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138" \
	"7574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f"

static void hex(const uint8_t *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		sprintf(out + 2 * i, "%02x", bytes[i]);
}

/* --- contacts --- */

static void test_contacts(void **state)
{
	static const struct {
		const char *what, *text, *network;
		const char *peer, *host, *kind;
		uint16_t port;
		bool is_routable;
	} rows[] = {
		{ "IPv4", "198.18.0.1", "bitcoin", "198.18.0.1:8333", "198.18.0.1", "ipv4", 8333,
		  false },
		{ "with a port", "8.8.8.8:1", "bitcoin", "8.8.8.8:1", "8.8.8.8", "ipv4", 1, true },
		{ "with a network", "bitcoin-testnet4://8.8.8.8", "bitcoin-testnet4",
		  "8.8.8.8:48333", "8.8.8.8", "ipv4", 48333, true },
		{ "IPv6, not in its shortest form", "[2A00:0:0::0:7]:5", "bitcoin", "[2a00::7]:5",
		  "2a00::7", "ipv6", 5, true },
		{ "IPv6 alone", "2a00::7", "bitcoin", "[2a00::7]:8333", "2a00::7", "ipv6", 8333,
		  true },
		{ "IPv4 in IPv6", "[::ffff:8.8.8.8]:7", "bitcoin", "8.8.8.8:7", "8.8.8.8", "ipv4",
		  7, true },
		{ "loopback", "127.0.0.1", "bitcoin", "127.0.0.1:8333", "127.0.0.1", "ipv4", 8333,
		  false },
		{ "a name", "seed.example.org:99", "bitcoin", "seed.example.org:99",
		  "seed.example.org", "name", 99, false },
		{ "a name like the start of a record", "bitcoin://enr:9", "bitcoin",
		  "bitcoin://enr:9", "enr", "name", 9, false },
		{ "Tor", "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333",
		  "bitcoin", "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333",
		  "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", "onion", 8333,
		  true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct pw_network *network = pw_network_find(rows[i].network);
		bool says = strstr(rows[i].text, "://") != NULL;
		struct pw_contact c = { .size = sizeof(c) };
		char why[200] = "x";

		if (pw_contact_parse(rows[i].text, says ? NULL : network, &c, why, sizeof(why)) !=
			    PW_OK ||
		    strcmp(c.peer, rows[i].peer) != 0 || strcmp(c.host, rows[i].host) != 0 ||
		    strcmp(c.kind, rows[i].kind) != 0 || c.port != rows[i].port ||
		    c.is_routable != rows[i].is_routable)
			fail_msg("%s: %s, %s, %s, %d: %s", rows[i].what, c.peer, c.host, c.kind,
				 c.is_routable, why);
		assert_ptr_equal(c.network, network);
		assert_false(c.has_key);
		assert_string_equal(why, "");
		assert_int_equal(c.size, sizeof(c));
		/* What it makes of it stays that. */
		assert_int_equal(pw_contact_parse(c.peer, network, &c, NULL, 0), PW_OK);
		assert_string_equal(c.peer, rows[i].peer);
	}
}

static void test_nodes(void **state)
{
	static const struct {
		const char *what, *text, *peer;
		uint16_t port, tcp_port;
	} rows[] = {
		{ "a URL", "enode://" KEY "@8.8.8.8:30303", "enode://" KEY "@8.8.8.8:30303", 30303,
		  30303 },
		{ "two ports", "enode://" KEY "@[2a00::7]:5?discport=6",
		  "enode://" KEY "@[2a00::7]:5?discport=6", 6, 5 },
		{ "another scheme", "ethereum://" KEY "@8.8.8.8:1", "enode://" KEY "@8.8.8.8:1", 1,
		  1 },
		{ "a record", RECORD, "enode://" KEY "@127.0.0.1:0?discport=30303", 30303, 0 },
	};
	char key[2 * 64 + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pw_contact c = { .size = sizeof(c) };

		if (pw_contact_parse(rows[i].text, NULL, &c, NULL, 0) != PW_OK ||
		    strcmp(c.peer, rows[i].peer) != 0 || c.port != rows[i].port ||
		    c.tcp_port != rows[i].tcp_port)
			fail_msg("%s: %s, %u, %u", rows[i].what, c.peer, c.port, c.tcp_port);
		assert_true(c.has_key);
		hex(c.public_key, sizeof(c.public_key), key);
		assert_string_equal(key, KEY);
		assert_ptr_equal(c.network, pw_network_find("ethereum"));
	}
}

static void test_no_contacts(void **state)
{
	static const struct {
		const char *what, *text, *network, *why;
	} rows[] = {
		{ "nothing", "", "bitcoin", "is no peer" },
		{ "no network", "192.0.2.1", NULL, "names no network" },
		{ "an unknown network", "dogecoin://192.0.2.1", NULL, "there is no network" },
		{ "another network", "bitcoin-signet://192.0.2.1", "bitcoin", "another network" },
		{ "no port", "192.0.2.1:0", "bitcoin", "port from 1 to 65535" },
		{ "a large port", "name.example:70000", "bitcoin", "port from 1 to 65535" },
		{ "half an address", "192.0.2", "bitcoin", "is no peer" },
		{ "a node without a key", "192.0.2.1", "ethereum", "key" },
		{ "a mistyped onion", "abc.onion", "bitcoin", "onion" },
		{ "escape sequences", "\033[2J", "bitcoin", "is no peer" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pw_contact c = { .size = sizeof(c), .port = 77 };
		const struct pw_network *network =
			rows[i].network != NULL ? pw_network_find(rows[i].network) : NULL;
		char why[320], cut[4] = "";

		if (pw_contact_parse(rows[i].text, network, &c, why, sizeof(why)) !=
			    PW_ERR_SYNTAX ||
		    strstr(why, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].what, why);
		assert_int_equal(c.port, 77);
		pw_contact_parse(rows[i].text, network, &c, cut, sizeof(cut));
		assert_int_equal(strlen(cut), 3);
	}
}

/* A program that was built with an older header knows less of the struct. */
static void test_smaller_struct(void **state)
{
	struct pw_contact c;

	(void)state;
	memset(&c, 0xaa, sizeof(c));
	c.size = offsetof(struct pw_contact, port);
	assert_int_equal(pw_contact_parse("bitcoin://8.8.8.8", NULL, &c, NULL, 0), PW_OK);
	assert_string_equal(c.peer, "8.8.8.8:8333");
	assert_int_equal(c.port, 0xaaaa);
	assert_int_equal(c.public_key[63], 0xaa);
}

/* --- records --- */

static void test_record(void **state)
{
	struct pw_record r = { .size = sizeof(r) };
	struct pw_fault fault = { 99, "x" };
	char text[2 * 64 + 1];

	(void)state;
	assert_int_equal(pw_record_decode(RECORD, &r, &fault), PW_OK);
	assert_int_equal(fault.at, 99);
	assert_int_equal(r.seq, 1);
	assert_string_equal(r.ip4, "127.0.0.1");
	assert_int_equal(r.udp4, 30303);
	assert_int_equal(r.tcp4, 0);
	assert_string_equal(r.ip6, "");
	assert_false(r.has_fork);
	hex(r.public_key, 64, text);
	assert_string_equal(text, KEY);
	hex(r.node_id, 32, text);
	assert_string_equal(text,
			    "a448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7");
}

static void test_no_records(void **state)
{
	static const struct {
		const char *what, *text;
		enum pw_err err;
		const char *rule;
	} rows[] = {
		{ "nothing", "", PW_ERR_SYNTAX, "" },
		{ "the start alone", "enr:", PW_ERR_SHORT, "" },
		{ "no base64", "enr:-IS4Q!", PW_ERR_SYNTAX, "" },
		{ "a URL", "enode://" KEY "@8.8.8.8:30303", PW_ERR_SYNTAX, "" },
	};
	struct pw_record r = { .size = sizeof(r), .seq = 77 };
	char changed[] = RECORD;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct pw_fault fault = { 99, NULL };
		enum pw_err err = pw_record_decode(rows[i].text, &r, &fault);

		if (err != rows[i].err || fault.rule == NULL || strlen(fault.rule) < 5)
			fail_msg("%s: %s: %s", rows[i].what, pw_err_text(err), fault.rule);
		assert_int_equal(fault.at, 0);
	}
	/* A bit of the port: the signature is no longer one. */
	changed[sizeof(changed) - 3] ^= 1;
	assert_int_equal(pw_record_decode(changed, &r, NULL), PW_ERR_CHECKSUM);
	assert_int_equal(r.seq, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contacts),    cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_no_contacts), cmocka_unit_test(test_smaller_struct),
		cmocka_unit_test(test_record),      cmocka_unit_test(test_no_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
