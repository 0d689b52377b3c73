/* test_peer_arg.c: peers as they are written: each form, in each context. */
#include "api/peer_arg.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

/* A boot node's key, and one that is no point of the curve. */
#define KEY                                                                \
	"d860a01f9722d78051619d1e2351aba3f43f943f6f00718d1b9baa4101932a1f" \
	"5011f16bb2b1bb35db20d6fe28fa0bf09636d26a87d31de9ec6203eeedb1f666"
#define OFF_CURVE                                                          \
	"d860a01f9722d78051619d1e2351aba3f43f943f6f00718d1b9baa4101932a1f" \
	"5011f16bb2b1bb35db20d6fe28fa0bf09636d26a87d31de9ec6203eeedb1f667"
/* EIP-778, "Test Vectors": 127.0.0.1, UDP port 30303. */
#define RECORD                                                                                     \
	"enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls" \
	"8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1" \
	"ZHCCdl8"
/* Made with `peerwalk enr --key` for this test. */
#define BOTH                                                                               \
	"enr:-Ki4QNxGxlB9tHdOe1BsVEI4fU1Z2OlYlPyZm_Oi-UhYRDhJNgcornaFAVFqqu4dkkZZ-mDm-tZT" \
	"jj6-yWFN7Hr0HJUBgmlkgnY0gmlwhMAAAgGDaXA2kCABDbgAAAAAAAAAAAAAAAGJc2VjcDI1NmsxoQMP" \
	"_tunLSEB_YoqRiHUi7uNQKQ0CYiRO98tVNWjqp5SAoN0Y3CCdl6DdWRwgnZdhHVkcDaCdmA"
#define ONLY6_UDP                                                                          \
	"enr:-KG4QL8OFbITqUsMMmv_uT1dRKtssc3BP1b0GIqdgyNO-4y0OBEphsqIm1N5QY3hRc4LSL3DJ5zS" \
	"ffFUd0UAhKrKya4BgmlkgnY0gmlwhMAAAgGDaXA2kCABDbgAAAAAAAAAAAAAAAGJc2VjcDI1NmsxoQMP" \
	"_tunLSEB_YoqRiHUi7uNQKQ0CYiRO98tVNWjqp5SAoN0Y3CCdl6EdWRwNoJ2YA"
#define NO_ADDRESS                                                                         \
	"enr:-Hy4QAZjg4UumjWjSxVAhXZrhyh9suZkDeEuezgzY6NXjVgLdhCrPD5O9UDFEiJm81_UCtRF3tLb" \
	"ovE_-7QlwdCC93QBgmlkgnY0iXNlY3AyNTZrMaEDD_7bpy0hAf2KKkYh1Iu7jUCkNAmIkTvfLVTVo6qe" \
	"UgKDdWRwgnZd"
#define NO_UDP                                                                             \
	"enr:-IS4QL2CufbwFjmmHG1CkzWCi0wKK58NLMkT5M3KI4o-FY8XfljflxX1kGMo7nHJ0ugZUtdA7l_c" \
	"nTkCT70WqRFk2LwBgmlkgnY0gmlwhMAAAgGJc2VjcDI1NmsxoQMP_tunLSEB_YoqRiHUi7uNQKQ0CYiR" \
	"O98tVNWjqp5SAoN0Y3CCdl4"

static const struct {
	const char *name, *context; /* context: the network, NULL: none */
	bool any;                   /* network: a scheme may name another */
	const char *text;
	/* What comes of it: NETWORK HOST:PORT, for nodes with /TCP; or NULL, and what the
	 * sentence says. */
	const char *peer, *why;
} rows[] = {
	{ "a bare address", "bitcoin", false, "192.0.2.1", "bitcoin 192.0.2.1:8333", NULL },
	{ "a bare name", "bitcoin", false, "seed.example.org:18333",
	  "bitcoin seed.example.org:18333", NULL },
	{ "a scheme", NULL, false, "bitcoin-signet://[2001:db8::1]:99",
	  "bitcoin-signet [2001:db8::1]:99", NULL },
	{ "a scheme of another network", "bitcoin", true, "bitcoin-signet://192.0.2.1",
	  "bitcoin-signet 192.0.2.1:38333", NULL },
	{ "no network at all", NULL, false, "192.0.2.1", NULL, "names no network" },
	{ "a network that isn't wanted", "bitcoin", false, "bitcoin-signet://192.0.2.1", NULL,
	  "belongs to another network: expected bitcoin://..." },
	{ "a network that there isn't", "bitcoin", true, "bitcoim://192.0.2.1", NULL,
	  "there is no network \"bitcoim\"" },
	{ "a port that is none", "bitcoin", false, "example.org:0", NULL,
	  "expected a port from 1 to 65535" },

	{ "an URL of a node", "ethereum", false, "enode://" KEY "@192.0.2.1:30303",
	  "ethereum 192.0.2.1:30303/30303", NULL },
	{ "two ports", "sepolia", false, "enode://" KEY "@192.0.2.1:30303?discport=30301",
	  "sepolia 192.0.2.1:30301/30303", NULL },
	{ "IPv6", "ethereum", false, "enode://" KEY "@[2001:db8::1]:1025",
	  "ethereum [2001:db8::1]:1025/1025", NULL },
	{ "no TCP port", "ethereum", false, "enode://" KEY "@192.0.2.1:0?discport=30301",
	  "ethereum 192.0.2.1:30301/0", NULL },
	{ "an URL chooses Ethereum", "bitcoin", true, "enode://" KEY "@192.0.2.1:30303",
	  "ethereum 192.0.2.1:30303/30303", NULL },
	{ "an URL is of the context's network", "holesky", true, "enode://" KEY "@192.0.2.1:30303",
	  "holesky 192.0.2.1:30303/30303", NULL },
	{ "an URL without a context", NULL, false, "enode://" KEY "@192.0.2.1:30303",
	  "ethereum 192.0.2.1:30303/30303", NULL },
	{ "the network as scheme", "bitcoin", true,
	  "hoodi://" KEY "@192.0.2.1:30303?discport=30301", "hoodi 192.0.2.1:30301/30303", NULL },
	{ "a key without a scheme", "ethereum", false, KEY "@192.0.2.1:30303",
	  "ethereum 192.0.2.1:30303/30303", NULL },
	{ "a node of Bitcoin", "bitcoin", false, "enode://" KEY "@192.0.2.1:30303", NULL,
	  "is a node of Ethereum, and bitcoin is another network: expected bitcoin://HOST" },
	{ "another chain of Ethereum", "sepolia", false, "holesky://" KEY "@192.0.2.1:30303", NULL,
	  "belongs to another network: expected sepolia://..." },
	{ "a node without its key", "ethereum", false, "192.0.2.1:30303", NULL,
	  "expected enode://KEY@IP:PORT or enr:..." },
	{ "a scheme without the key", "bitcoin", true, "ethereum://192.0.2.1", NULL,
	  "geth also as admin.nodeInfo" },
	{ "an URL without the key", "ethereum", false, "enode://192.0.2.1:30303", NULL,
	  "expected enode://KEY@IP:PORT or enr:..." },
	{ "a short key", "ethereum", false, "enode://d860@192.0.2.1:30303", NULL,
	  "is no node; expected the key: 128 hexadecimal digits" },
	{ "a key that is none", "ethereum", false, "enode://" OFF_CURVE "@192.0.2.1:30303", NULL,
	  "expected the key: a point of the curve" },
	{ "a name for DNS", "ethereum", false, "enode://" KEY "@node.example.org:30303", NULL,
	  "by its IP address" },
	{ "no port", "ethereum", false, "enode://" KEY "@192.0.2.1", NULL,
	  "expected the address: IP:PORT" },
	{ "another query", "ethereum", false, "enode://" KEY "@192.0.2.1:30303?tcp=1", NULL,
	  "expected after the question mark: discport=N" },
	{ "no UDP port", "ethereum", false, "enode://" KEY "@192.0.2.1:30303?discport=0", NULL,
	  "has no UDP port" },
	{ "an address of nobody", "ethereum", false, "enode://" KEY "@224.0.0.1:30303", NULL,
	  "no node can have that address" },
	{ "something behind the URL", "ethereum", false,
	  "enode://" KEY "@[2001:db8:1111:2222:3333:4444:5555:6666]:30303?discport=30303x", NULL,
	  "expected after the question mark: discport=N" },

	{ "a record", "bitcoin", true, RECORD, "ethereum 127.0.0.1:30303/0", NULL },
	{ "a record in its context", "hoodi", false, RECORD, "hoodi 127.0.0.1:30303/0", NULL },
	{ "IPv4 before IPv6", "ethereum", false, BOTH, "ethereum 192.0.2.1:30301/30302", NULL },
	{ "IPv4 has no UDP port", "ethereum", false, ONLY6_UDP,
	  "ethereum [2001:db8::1]:30304/30302", NULL },
	{ "no address", "ethereum", false, NO_ADDRESS, NULL,
	  "names no IP address with a UDP port" },
	{ "no UDP port in the record", "ethereum", false, NO_UDP, NULL,
	  "names no IP address with a UDP port" },
	{ "a record of Bitcoin", "bitcoin", false, RECORD, NULL, "is a node of Ethereum" },
	{ "a record that is cut", "ethereum", false, "enr:-IS4QHCY", NULL, "is no node record" },
	{ "a record with a byte more", "ethereum", false, RECORD "AAAA", NULL,
	  "is no node record" },
};

static void describe(const struct peer_arg *p, char *out, size_t cap)
{
	char host[NETADDR_TEXT_MAX];

	if (p->is_name) {
		snprintf(out, cap, "%s %s:%u", p->network->name, p->name, p->port);
		return;
	}
	netaddr_text(&p->addr, host);
	if (p->network->discovery == DISCOVERY_V4)
		snprintf(out, cap, "%s %s/%u", p->network->name, host, p->tcp_port);
	else
		snprintf(out, cap, "%s %s", p->network->name, host);
}

static void forms(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct network *context =
			rows[i].context != NULL ? network_find(rows[i].context) : NULL;
		char why[PEER_ARG_WHY_MAX] = "", shown[400] = "";
		struct peer_arg peer;
		bool good = peer_arg_parse(rows[i].text, context, rows[i].any, &peer, why);

		if (good)
			describe(&peer, shown, sizeof(shown));
		if (good != (rows[i].peer != NULL) ||
		    (good ? strcmp(shown, rows[i].peer) != 0 : strstr(why, rows[i].why) == NULL))
			fail_msg("row \"%s\": %s%s", rows[i].name, shown, why);
		if (good && !peer.is_name)
			assert_int_equal(peer.port, peer.addr.port);
	}
}

static void keys(void **state)
{
	char why[PEER_ARG_WHY_MAX];
	struct peer_arg peer;
	struct advert advert;

	(void)state;
	assert_true(peer_arg_parse("enode://" KEY "@192.0.2.1:30303?discport=30301",
				   network_find("ethereum"), false, &peer, why));
	advert = peer_arg_advert(&peer);
	assert_int_equal(advert.node_id.len, 64);
	assert_int_equal(advert.node_id.data[0], 0xd8);
	assert_int_equal(advert.node_id.data[63], 0x66);
	assert_int_equal(advert.addr.port, 30301);
	assert_int_equal(advert.tcp_port, 30303);
	assert_true(peer_arg_parse(RECORD, network_find("ethereum"), false, &peer, why));
	/* EIP-778 prints the compressed key: x is the same. */
	assert_int_equal(peer.node_id[0], 0xca);
	assert_int_equal(peer.node_id[31], 0x38);
	assert_true(peer_arg_parse("192.0.2.1", network_find("bitcoin"), false, &peer, why));
	assert_int_equal(peer_arg_advert(&peer).node_id.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
