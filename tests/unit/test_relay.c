/* test_relay.c: which addresses to believe of whom. */
#include "proto/ethereum/relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Kinds of senders and the special networks: go-ethereum's p2p/netutil and the IANA
 * special-purpose address registries. */
static const struct {
	const char *name, *from, *named;
	enum relay want;
} rows[] = {
	{ "public from public", "8.8.8.8:30303", "9.9.9.9:30303", RELAY_OK },
	{ "public from a LAN", "10.1.2.3:30303", "9.9.9.9:30303", RELAY_OK },
	{ "public from loopback", "127.0.0.1:30303", "9.9.9.9:30303", RELAY_OK },
	{ "public IPv6 from IPv4", "8.8.8.8:30303", "[2a00:1450::1]:30303", RELAY_OK },
	{ "itself", "8.8.8.8:30303", "8.8.8.8:30303", RELAY_OK },
	{ "loopback from loopback", "127.0.0.1:30303", "127.9.8.7:30303", RELAY_OK },
	{ "IPv6 loopback from IPv4's", "127.0.0.1:30303", "[::1]:30303", RELAY_OK },
	{ "loopback from public", "8.8.8.8:30303", "127.0.0.1:30303", RELAY_LOOPBACK },
	{ "loopback from a LAN", "192.168.1.1:30303", "127.0.0.1:30303", RELAY_LOOPBACK },
	{ "IPv6 loopback from public", "[2a00:1450::1]:30303", "[::1]:30303", RELAY_LOOPBACK },
	{ "LAN from loopback", "127.0.0.1:30303", "10.0.0.1:30303", RELAY_OK },
	{ "LAN from the same LAN", "10.0.0.2:30303", "10.0.0.1:30303", RELAY_OK },
	{ "LAN from another LAN", "192.168.0.2:30303", "172.31.255.255:30303", RELAY_OK },
	{ "10/8 from public", "8.8.8.8:30303", "10.255.0.1:30303", RELAY_LAN },
	{ "172.16/12 from public", "8.8.8.8:30303", "172.16.0.1:30303", RELAY_LAN },
	{ "172.32 is public", "8.8.8.8:30303", "172.32.0.1:30303", RELAY_OK },
	{ "192.168/16 from public", "8.8.8.8:30303", "192.168.0.1:30303", RELAY_LAN },
	{ "unique-local from public", "[2a00:1450::1]:30303", "[fd00::1]:30303", RELAY_LAN },
	{ "unique-local from a LAN", "[fd00::2]:30303", "[fd00::1]:30303", RELAY_OK },
	{ "link-local from public", "[2a00:1450::1]:30303", "[fe80::1]:30303", RELAY_LAN },
	{ "fec0 is not link-local", "[fd00::2]:30303", "[fec0::1]:30303", RELAY_SPECIAL },
	{ "unspecified", "127.0.0.1:30303", "0.0.0.0:30303", RELAY_NO_IP },
	{ "unspecified IPv6", "127.0.0.1:30303", "[::]:30303", RELAY_NO_IP },
	{ "no IP", "127.0.0.1:30303",
	  "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:30303", RELAY_NO_IP },
	{ "this network", "127.0.0.1:30303", "0.1.2.3:30303", RELAY_SPECIAL },
	{ "carriers' shared space", "10.0.0.1:30303", "100.64.0.1:30303", RELAY_SPECIAL },
	{ "IPv4 link-local", "10.0.0.1:30303", "169.254.0.1:30303", RELAY_SPECIAL },
	{ "TEST-NET-1", "127.0.0.1:30303", "192.0.2.1:30303", RELAY_SPECIAL },
	{ "benchmarking", "127.0.0.1:30303", "198.19.255.255:30303", RELAY_SPECIAL },
	{ "TEST-NET-2", "127.0.0.1:30303", "198.51.100.1:30303", RELAY_SPECIAL },
	{ "TEST-NET-3, even of itself", "203.0.113.1:30303", "203.0.113.1:30303", RELAY_SPECIAL },
	{ "multicast", "127.0.0.1:30303", "224.0.0.1:30303", RELAY_SPECIAL },
	{ "IPv6 multicast", "[::1]:30303", "[ff02::1]:30303", RELAY_SPECIAL },
	{ "broadcast", "127.0.0.1:30303", "255.255.255.255:30303", RELAY_SPECIAL },
	{ "IPv6 documentation", "[::1]:30303", "[2001:db8::1]:30303", RELAY_SPECIAL },
	{ "6to4", "[::1]:30303", "[2002:808:808::1]:30303", RELAY_SPECIAL },
	{ "Teredo", "[::1]:30303", "[2001::1]:30303", RELAY_SPECIAL },
	{ "DNS", "8.8.8.8:30303", "9.9.9.9:53", RELAY_LOW_PORT },
	{ "no port", "8.8.8.8:30303", "9.9.9.9:0", RELAY_LOW_PORT },
	{ "the last system port", "127.0.0.1:30303", "127.0.0.1:1024", RELAY_LOW_PORT },
	{ "the first other port", "127.0.0.1:30303", "127.0.0.1:1025", RELAY_OK },
};

static void verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct netaddr from, named;
		enum relay verdict;

		if (netaddr_parse(slice_text(rows[i].from), 0, &from) != ERR_OK ||
		    netaddr_parse(slice_text(rows[i].named), 0, &named) != ERR_OK)
			fail_msg("%s: no address", rows[i].name);
		verdict = relay_check(&from, &named);
		if (verdict != rows[i].want)
			fail_msg("%s: %s, not %s", rows[i].name, relay_text(verdict),
				 relay_text(rows[i].want));
	}
}

/* Every verdict has a sentence of its own. */
static void sentences(void **state)
{
	(void)state;
	for (int v = RELAY_OK; v <= RELAY_LAN; v++) {
		assert_true(strlen(relay_text(v)) > 0);
		for (int other = RELAY_OK; other < v; other++)
			assert_string_not_equal(relay_text(v), relay_text(other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
