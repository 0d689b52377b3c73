/* test_netaddr.c: addresses as text and bytes, and which of them are public. */
#include "base/netaddr.h"
#include "base/peer.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Canonical forms. IPv6 rows: RFC 5952, sections 2 and 4. Tor and I2P names: the
 * examples of BIP 155's reference tests (Bitcoin Core, src/test/net_tests.cpp). */
static const struct {
	const char *name, *text, *canonical;
	unsigned kind;
	const char *hex;
} text_rows[] = {
	{ "IPv4", "1.2.3.4", "1.2.3.4", NETADDR_IPV4, "01020304" },
	{ "leading zeros", "2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1",
	  NETADDR_IPV6, "20010db8000000000001000000000001" },
	{ "upper case", "2001:DB8::ABCD", "2001:db8::abcd", NETADDR_IPV6,
	  "20010db800000000000000000000abcd" },
	{ "one field of zeros stays", "2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1", NETADDR_IPV6,
	  "20010db8000000010001000100010001" },
	{ "the longest run is cut", "2001:0:0:1:0:0:0:1", "2001:0:0:1::1", NETADDR_IPV6,
	  "20010000000000010000000000000001" },
	{ "of two equal runs the first", "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", NETADDR_IPV6,
	  "20010db8000000000001000000000001" },
	{ "all zeros", "0:0:0:0:0:0:0:0", "::", NETADDR_IPV6, "00000000000000000000000000000000" },
	{ "loopback", "::1", "::1", NETADDR_IPV6, "00000000000000000000000000000001" },
	{ "mapped is IPv4", "::ffff:1.2.3.4", "1.2.3.4", NETADDR_IPV4, "01020304" },
	{ "OnionCat is Tor v2", "fd87:d87e:eb43:f1f2:f3f4:f5f6:f7f8:f9fa", "6hzph5hv6337r6p2.onion",
	  NETADDR_TORV2, "f1f2f3f4f5f6f7f8f9fa" },
	{ "Tor v2", "6hzph5hv6337r6p2.onion", "6hzph5hv6337r6p2.onion", NETADDR_TORV2,
	  "f1f2f3f4f5f6f7f8f9fa" },
	{ "Tor v3", "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion",
	  "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", NETADDR_TORV3,
	  "79bcc625184b05194975c28b66b66b0469f7f6556fb1ac3189a79b40dda32f1f" },
	{ "Tor v3, upper case", "PG6MMJIYJMCRSSLVYKFWNNTLARU7P5SVN6Y2YMMJU6NUBXNDF4PSCRYD.ONION",
	  "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", NETADDR_TORV3,
	  "79bcc625184b05194975c28b66b66b0469f7f6556fb1ac3189a79b40dda32f1f" },
	{ "I2P", "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p",
	  "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p", NETADDR_I2P,
	  "a2894dabaec08c0051a481a6dac88b64f98232ae42d4b6fd2fa81952dfe36a87" },
	{ "CJDNS", "fc00:1:2:3:4:5:6:7", "fc00:1:2:3:4:5:6:7", NETADDR_CJDNS,
	  "fc000001000200030004000500060007" },
};

static void canonical_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(text_rows) / sizeof(*text_rows); i++) {
		struct netaddr a, again;
		char host[NETADDR_HOST_TEXT_MAX], with_port[NETADDR_TEXT_MAX];
		char bytes[2 * NETADDR_BYTES_MAX + 1];
		enum err err = netaddr_parse(slice_text(text_rows[i].text), 8333, &a);
		size_t len;

		if (err != ERR_OK || a.kind != text_rows[i].kind)
			fail_msg("%s: %s, %s", text_rows[i].name, err_name(err),
				 netaddr_kind_name(a.kind));
		len = netaddr_host_text(&a, host);
		hex_encode(slice_of(a.bytes, netaddr_len(a.kind)), bytes);
		if (strcmp(host, text_rows[i].canonical) != 0 ||
		    strcmp(bytes, text_rows[i].hex) != 0 || len != strlen(host))
			fail_msg("%s: %s, %s", text_rows[i].name, host, bytes);
		assert_int_equal(a.port, 8333);
		/* The form with a port reads back as the same address. */
		a.port = 65535;
		len = netaddr_text(&a, with_port);
		assert_int_equal(len, strlen(with_port));
		assert_int_equal(netaddr_parse(slice_text(with_port), 1, &again), ERR_OK);
		assert_true(netaddr_equal(&a, &again));
	}
}

static const struct {
	const char *name, *text;
	enum err err;
	uint16_t port;
} parse_rows[] = {
	{ "no port", "1.2.3.4", ERR_OK, 8333 },
	{ "port", "1.2.3.4:18444", ERR_OK, 18444 },
	{ "brackets, port", "[2001:db8::1]:1", ERR_OK, 1 },
	{ "brackets alone", "[2001:db8::1]", ERR_OK, 8333 },
	{ "bare IPv6", "2001:db8::1", ERR_OK, 8333 },
	{ "largest port", "1.2.3.4:65535", ERR_OK, 65535 },
	{ "port too large", "1.2.3.4:65536", ERR_SYNTAX, 0 },
	{ "port far too large", "1.2.3.4:4294967297", ERR_SYNTAX, 0 },
	{ "empty port", "1.2.3.4:", ERR_SYNTAX, 0 },
	{ "signed port", "1.2.3.4:+1", ERR_SYNTAX, 0 },
	{ "empty", "", ERR_SYNTAX, 0 },
	{ "port alone", ":8333", ERR_SYNTAX, 0 },
	{ "a name", "example.org", ERR_SYNTAX, 0 },
	{ "three numbers", "1.2.3", ERR_SYNTAX, 0 },
	{ "octal in disguise", "01.2.3.4", ERR_SYNTAX, 0 },
	{ "number over 255", "1.2.3.256", ERR_SYNTAX, 0 },
	{ "blank behind", "1.2.3.4 ", ERR_SYNTAX, 0 },
	{ "IPv4 in brackets", "[1.2.3.4]:8333", ERR_SYNTAX, 0 },
	{ "open bracket", "[::1", ERR_SYNTAX, 0 },
	{ "rubbish behind the bracket", "[::1]x", ERR_SYNTAX, 0 },
	{ "zone", "fe80::1%eth0", ERR_SYNTAX, 0 },
	{ "Tor v3 with a wrong letter",
	  "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryq.onion", ERR_SYNTAX, 0 },
	{ "Tor v3 of version 4", "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscrye.onion",
	  ERR_SYNTAX, 0 },
	{ "Tor name of a wrong length", "abc.onion", ERR_SYNTAX, 0 },
	{ "I2P with bits left over", "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdr.b32.i2p",
	  ERR_SYNTAX, 0 },
	{ "no base32", "6hzph5hv6337r6p1.onion", ERR_SYNTAX, 0 },
};

static void parse_forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(parse_rows) / sizeof(*parse_rows); i++) {
		struct netaddr a;
		enum err err = netaddr_parse(slice_text(parse_rows[i].text), 8333, &a);

		if (err != parse_rows[i].err || a.port != parse_rows[i].port)
			fail_msg("%s: %s, port %u", parse_rows[i].name, err_name(err), a.port);
		if (err != ERR_OK)
			assert_int_equal(a.kind, NETADDR_NONE);
	}
	/* A NUL must not end the text early. */
	struct netaddr a;

	assert_int_equal(netaddr_parse(slice_of("1.2.3.4\0x", 9), 1, &a), ERR_SYNTAX);
}

/* Both ends of each block of the IANA special-purpose registries (2025), and their
 * neighbours outside. */
static const struct {
	const char *text;
	bool routable;
} routable_rows[] = {
	{ "0.0.0.0", false },
	{ "0.255.255.255", false },
	{ "1.0.0.0", true },
	{ "9.255.255.255", true },
	{ "10.0.0.0", false },
	{ "10.255.255.255", false },
	{ "11.0.0.0", true },
	{ "100.63.255.255", true },
	{ "100.64.0.0", false },
	{ "100.127.255.255", false },
	{ "100.128.0.0", true },
	{ "126.255.255.255", true },
	{ "127.0.0.1", false },
	{ "127.255.255.255", false },
	{ "128.0.0.0", true },
	{ "169.253.255.255", true },
	{ "169.254.0.0", false },
	{ "169.254.255.255", false },
	{ "169.255.0.0", true },
	{ "172.15.255.255", true },
	{ "172.16.0.0", false },
	{ "172.31.255.255", false },
	{ "172.32.0.0", true },
	{ "192.0.0.0", false },
	{ "192.0.0.255", false },
	{ "192.0.1.0", true },
	{ "192.0.2.1", false },
	{ "192.0.3.0", true },
	{ "192.88.99.1", false },
	{ "192.88.100.0", true },
	{ "192.167.255.255", true },
	{ "192.168.0.0", false },
	{ "192.168.255.255", false },
	{ "192.169.0.0", true },
	{ "198.17.255.255", true },
	{ "198.18.0.0", false },
	{ "198.19.255.255", false },
	{ "198.20.0.0", true },
	{ "198.51.100.7", false },
	{ "198.51.101.0", true },
	{ "203.0.113.7", false },
	{ "203.0.114.0", true },
	{ "223.255.255.255", true },
	{ "224.0.0.0", false },
	{ "239.255.255.255", false },
	{ "240.0.0.0", false },
	{ "255.255.255.255", false },
	{ "8.8.8.8:0", false },
	{ "::", false },
	{ "::1", false },
	{ "::1.2.3.4", false },
	{ "::ffff:8.8.8.8", true },
	{ "::ffff:10.0.0.1", false },
	{ "64:ff9b::808:808", false },
	{ "64:ff9b:1::1", false },
	{ "100::1", false },
	{ "1fff:ffff::1", false },
	{ "2000::1", true },
	{ "2001::1", false },
	{ "2001:1ff:ffff::1", false },
	{ "2001:200::1", true },
	{ "2001:db7:ffff::1", true },
	{ "2001:db8::1", false },
	{ "2001:db9::1", true },
	{ "2002:808:808::1", false },
	{ "2003::1", true },
	{ "2a01:4f8::2", true },
	{ "3ffe:ffff::1", true },
	{ "3fff::1", false },
	{ "3fff:fff:ffff::1", false },
	{ "3fff:1000::1", true },
	{ "4000::1", false },
	{ "5f00::1", false },
	{ "fc00::1", true }, /* CJDNS */
	{ "fd00::1", false },
	{ "fe80::1", false },
	{ "fec0::1", false },
	{ "ff02::1", false },
	{ "[2a01:4f8::2]:0", false },
	{ "6hzph5hv6337r6p2.onion", false },
	{ "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion", true },
	{ "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p:0", true },
};

static void routable(void **state)
{
	struct netaddr none = { .port = 8333 };

	(void)state;
	assert_false(netaddr_is_routable(&none));
	for (size_t i = 0; i < sizeof(routable_rows) / sizeof(*routable_rows); i++) {
		struct netaddr a;

		assert_int_equal(netaddr_parse(slice_text(routable_rows[i].text), 8333, &a),
				 ERR_OK);
		if (netaddr_is_routable(&a) != routable_rows[i].routable)
			fail_msg("%s should %sbe routable", routable_rows[i].text,
				 routable_rows[i].routable ? "" : "not ");
	}
}

static void ip16_round_trip(void **state)
{
	static const char *const texts[] = { "8.8.8.8", "2a01:4f8::2", "6hzph5hv6337r6p2.onion" };
	uint8_t ip[16];
	struct netaddr a, b;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		assert_int_equal(netaddr_parse(slice_text(texts[i]), 7, &a), ERR_OK);
		assert_true(netaddr_to_ip16(&a, ip));
		b = netaddr_from_ip16(ip, 7);
		assert_true(netaddr_equal(&a, &b));
		assert_memory_equal(&a, &b, sizeof(a)); /* no stray bytes */
	}
	assert_int_equal(netaddr_parse(slice_text("fc00::1"), 7, &a), ERR_OK);
	assert_false(netaddr_to_ip16(&a, ip));
	a = netaddr_ipv4(0x01020304, 5);
	assert_int_equal(netaddr_parse(slice_text("1.2.3.4:5"), 7, &b), ERR_OK);
	assert_true(netaddr_equal(&a, &b));
}

static void equality_and_keys(void **state)
{
	struct netaddr a = netaddr_ipv4(0x01020304, 0x0506), b = a;
	uint8_t key[NETADDR_KEY_MAX];

	(void)state;
	assert_int_equal(netaddr_key(&a, key), 7);
	assert_memory_equal(key, "\x01\x01\x02\x03\x04\x05\x06", 7);
	b.port++;
	assert_false(netaddr_equal(&a, &b));
	assert_true(netaddr_same_host(&a, &b));
	b = a;
	b.bytes[3]++;
	assert_false(netaddr_same_host(&a, &b));
	/* The same 16 bytes as IPv6 and as CJDNS are two hosts. */
	assert_int_equal(netaddr_parse(slice_text("fc00::1"), 7, &a), ERR_OK);
	b = a;
	b.kind = NETADDR_IPV6;
	assert_false(netaddr_same_host(&a, &b));
	memset(&a, 0xff, sizeof(a));
	a.kind = NETADDR_TORV3;
	assert_int_equal(netaddr_key(&a, key), NETADDR_KEY_MAX);
}

static const struct {
	const char *name, *block, *addr;
	enum err err;
	bool contains;
} cidr_rows[] = {
	{ "first", "10.0.0.0/8", "10.0.0.0", ERR_OK, true },
	{ "last", "10.0.0.0/8", "10.255.255.255", ERR_OK, true },
	{ "behind", "10.0.0.0/8", "11.0.0.0", ERR_OK, false },
	{ "odd length, inside", "100.64.0.0/10", "100.127.255.255", ERR_OK, true },
	{ "odd length, outside", "100.64.0.0/10", "100.128.0.0", ERR_OK, false },
	{ "a host", "8.8.8.8", "8.8.8.8", ERR_OK, true },
	{ "not that host", "8.8.8.8", "8.8.8.9", ERR_OK, false },
	{ "everything", "0.0.0.0/0", "255.1.2.3", ERR_OK, true },
	{ "all of IPv6 holds no IPv4", "::/0", "8.8.8.8", ERR_OK, false },
	{ "IPv6", "2001:db8::/33", "2001:db8:7fff::1", ERR_OK, true },
	{ "IPv6, outside", "2001:db8::/33", "2001:db8:8000::1", ERR_OK, false },
	{ "unique local holds CJDNS", "fc00::/7", "fc00::1", ERR_OK, true },
	{ "host bits", "10.0.0.1/8", "", ERR_SYNTAX, false },
	{ "host bits in IPv6", "fd01::/12", "", ERR_SYNTAX, false },
	{ "too long", "10.0.0.0/33", "", ERR_SYNTAX, false },
	{ "no length", "10.0.0.0/", "", ERR_SYNTAX, false },
	{ "signed", "10.0.0.0/-1", "", ERR_SYNTAX, false },
	{ "wraps at 256", "10.0.0.0/264", "", ERR_SYNTAX, false },
	{ "a name", "example.org/8", "", ERR_SYNTAX, false },
	{ "onion", "6hzph5hv6337r6p2.onion", "", ERR_SYNTAX, false },
	{ "empty", "", "", ERR_SYNTAX, false },
};

static void cidr_blocks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cidr_rows) / sizeof(*cidr_rows); i++) {
		struct netaddr a;
		struct cidr c;
		enum err err = cidr_parse(slice_text(cidr_rows[i].block), &c);

		if (err != cidr_rows[i].err)
			fail_msg("%s: %s", cidr_rows[i].name, err_name(err));
		if (err != ERR_OK)
			continue;
		assert_int_equal(netaddr_parse(slice_text(cidr_rows[i].addr), 1, &a), ERR_OK);
		if (cidr_contains(&c, &a) != cidr_rows[i].contains)
			fail_msg("%s", cidr_rows[i].name);
	}
}

static void cidr_addresses(void **state)
{
	struct cidr c;
	struct netaddr a;
	char host[NETADDR_HOST_TEXT_MAX];

	(void)state;
	assert_int_equal(cidr_parse(slice_text("127.0.0.0/8"), &c), ERR_OK);
	a = cidr_address(&c, 0x010203);
	netaddr_host_text(&a, host);
	assert_string_equal(host, "127.1.2.3");
	assert_int_equal(a.port, 0);
	assert_int_equal(cidr_parse(slice_text("fd00::/8"), &c), ERR_OK);
	a = cidr_address(&c, UINT64_MAX);
	netaddr_host_text(&a, host);
	assert_string_equal(host, "fd00::ffff:ffff:ffff:ffff");
}

static void outcomes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
		enum outcome back = OUTCOME_COUNT;

		assert_true(outcome_parse(outcome_name((enum outcome)i), &back));
		assert_int_equal(back, i);
		assert_true(strlen(outcome_text((enum outcome)i)) > 5);
	}
	enum outcome out;

	assert_false(outcome_parse("no such outcome", &out));
	assert_string_equal(outcome_name(OUTCOME_CONNECT_TIMEOUT), "connect_timeout");
	assert_string_equal(outcome_name(OUTCOME_PEER_FULL), "full");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_text),    cmocka_unit_test(parse_forms),
		cmocka_unit_test(routable),          cmocka_unit_test(ip16_round_trip),
		cmocka_unit_test(equality_and_keys), cmocka_unit_test(cidr_blocks),
		cmocka_unit_test(cidr_addresses),    cmocka_unit_test(outcomes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
