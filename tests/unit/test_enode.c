/* test_enode.c: enode:// URLs, and addresses as Ethereum writes them. */
#include "base/hash.h"
#include "proto/ethereum/enode.h"
#include "support/hex.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The boot nodes of the public networks, as of August 2026. */
static const struct {
	const char *network, *url;
} boot_nodes[] = {
	{ "ethereum", "enode://"
		      "d860a01f9722d78051619d1e2351aba3f43f943f6f00718d1b9baa4101932a1f5011f16bb2b1"
		      "bb35db20d6fe28fa0bf09636d26a87d31de9ec6203eeedb1f666@18.138.108.67:30303" },
	{ "ethereum", "enode://"
		      "22a8232c3abc76a16ae9d6c3b164f98775fe226f0917b0ca871128a74a8e9630b458460865ba"
		      "b457221f1d448dd9791d24c4e5d88786180ac185df813a68d4de@3.209.45.79:30303" },
	{ "ethereum", "enode://"
		      "2b252ab6a1d0f971d9722cb839a42cb81db019ba44c08754628ab4a823487071b5695317c8cc"
		      "d085219c3a03af063495b2f1da8d18218da2d6a82981b45e6ffc@65.108.70.101:30303" },
	{ "ethereum", "enode://"
		      "4aeb4ab6c14b23e2c4cfdce879c04b0748a20d8e9b59e25ded2a08143e265c6c25936e74cbc8"
		      "e641e3312ca288673d91f2f93f8e277de3cfa444ecdaaf982052@157.90.35.166:30303" },
	{ "sepolia", "enode://"
		     "4e5e92199ee224a01932a377160aa432f31d0b351f84ab413a8e0a42f4f36476f8fb1cbe914af"
		     "0d9aef0d51665c214cf653c651c4bbd9d5550a934f241f1682b@138.197.51.181:30303" },
	{ "sepolia", "enode://"
		     "143e11fb766781d22d92a2e33f8f104cddae4411a122295ed1fdb6638de96a6ce65f5b7c964ba"
		     "3763bba27961738fef7d3ecc739268f3e5e771fb4c87b6234ba@146.190.1.103:30303" },
	{ "sepolia", "enode://"
		     "8b61dc2d06c3f96fddcbebb0efb29d60d3598650275dc469c22229d3e5620369b0d3dedafd929"
		     "835fe7f489618f19f456fe7c0df572bf2d914a9f4e006f783a9@170.64.250.88:30303" },
	{ "sepolia", "enode://"
		     "10d62eff032205fcef19497f35ca8477bea0eadfff6d769a147e895d8b2b8f8ae6341630c645c"
		     "30f5df6e67547c03494ced3d9c5764e8622a26587b083b028e8@139.59.49.206:30303" },
	{ "sepolia", "enode://"
		     "9e9492e2e8836114cc75f5b929784f4f46c324ad01daf87d956f98b3b6c5fcba95524d6e5cf98"
		     "61dc96a2c8a171ea7105bb554a197455058de185fa870970c7c@138.68.123.152:30303" },
	{ "holesky", "enode://"
		     "ac906289e4b7f12df423d654c5a962b6ebe5b3a74cc9e06292a85221f9a64a6f1cfdd6b714ed6"
		     "dacef51578f92b34c60ee91e9ede9c7f8fadc4d347326d95e2b@146.190.13.128:30303" },
	{ "holesky", "enode://"
		     "a3435a0155a3e837c02f5e7f5662a2f1fbc25b48e4dc232016e1c51b544cb5b4510ef633ea327"
		     "8c0e970fa8ad8141e2d4d0f9f95456c537ff05fdf9b31c15072@178.128.136.233:30303" },
	{ "hoodi", "enode://"
		   "2112dd3839dd752813d4df7f40936f06829fc54c0e051a93967c26e5f5d27d99d886b57b4ffcc3c"
		   "475e930ec9e79c56ef1dbb7d86ca5ee83a9d2ccf36e5c240c@134.209.138.84:30303" },
	{ "hoodi", "enode://"
		   "60203fcb3524e07c5df60a14ae1c9c5b24023ea5d47463dfae051d2c9f3219f309657537576090c"
		   "a0ae641f73d419f53d8e8000d7a464319d4784acd7d2abc41@209.38.124.160:30303" },
	{ "hoodi", "enode://"
		   "8ae4a48101b2299597341263da0deb47cc38aa4d3ef4b7430b897d49bfa10eb1ccfe1655679b1ed"
		   "46928ef177fbf21b86837bd724400196c508427a6f41602cd@134.199.184.23:30303" },
};

static void known_nodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(boot_nodes) / sizeof(*boot_nodes); i++) {
		char text[ENODE_TEXT_MAX];
		struct enode node;
		const char *rule;
		size_t len;

		if (enode_parse(slice_text(boot_nodes[i].url), &node, &rule) != ERR_OK)
			fail_msg("%s: %s", boot_nodes[i].url, rule);
		assert_null(rule);
		assert_int_equal(node.endpoint.addr.kind, NETADDR_IPV4);
		assert_int_equal(node.endpoint.addr.port, 30303);
		assert_int_equal(node.endpoint.tcp_port, 30303);
		len = enode_text(&node, text);
		assert_int_equal(len, strlen(text));
		assert_string_equal(text, boot_nodes[i].url);
	}
}

#define KEY                                                                \
	"ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138" \
	"7574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f"
#define KEY_UPPER                                                          \
	"CA634CAE0D49ACB401D8A4C6B6FE8C55B70D115BF400769CC1400F3258CD3138" \
	"7574077F301B421BC84DF7266C44E9E6D569FC56BE00812904767BF5CCD1FC7F"
#define OFF_CURVE                                                          \
	"ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138" \
	"7574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7e"

/* Each row is one rule. text: what it is written as again; NULL: as it stands. */
static const struct {
	const char *name, *url;
	enum err err;
	const char *text;
	uint16_t udp, tcp;
} rows[] = {
	{ "IPv4", "enode://" KEY "@10.3.58.6:30303", ERR_OK, NULL, 30303, 30303 },
	{ "another UDP port", "enode://" KEY "@10.3.58.6:30303?discport=30301", ERR_OK, NULL, 30301,
	  30303 },
	{ "the same UDP port", "enode://" KEY "@10.3.58.6:30303?discport=30303", ERR_OK,
	  "enode://" KEY "@10.3.58.6:30303", 30303, 30303 },
	{ "no UDP", "enode://" KEY "@10.3.58.6:30303?discport=0", ERR_OK, NULL, 0, 30303 },
	{ "no TCP", "enode://" KEY "@10.3.58.6:0?discport=30303", ERR_OK, NULL, 30303, 0 },
	{ "IPv6", "enode://" KEY "@[2001:db8::1]:30303?discport=1", ERR_OK, NULL, 1, 30303 },
	{ "IPv6, fc00::/8", "enode://" KEY "@[fc00::1]:30303", ERR_OK, NULL, 30303, 30303 },
	{ "IPv4 as IPv6", "enode://" KEY "@[::ffff:10.3.58.6]:30303", ERR_OK,
	  "enode://" KEY "@10.3.58.6:30303", 30303, 30303 },
	{ "capital digits", "enode://" KEY_UPPER "@10.3.58.6:65535", ERR_OK,
	  "enode://" KEY "@10.3.58.6:65535", 65535, 65535 },
	{ "nothing", "", ERR_SYNTAX, NULL, 0, 0 },
	{ "another scheme", "enr://" KEY "@10.3.58.6:30303", ERR_SYNTAX, NULL, 0, 0 },
	{ "a bare key", "enode://" KEY, ERR_SYNTAX, NULL, 0, 0 },
	{ "no key", "enode://@10.3.58.6:30303", ERR_SYNTAX, NULL, 0, 0 },
	{ "a short key", "enode://ca63@10.3.58.6:30303", ERR_SYNTAX, NULL, 0, 0 },
	{ "a long key", "enode://" KEY "00@10.3.58.6:30303", ERR_SYNTAX, NULL, 0, 0 },
	{ "a key with 0x", "enode://0x" KEY "@10.3.58.6:30303", ERR_SYNTAX, NULL, 0, 0 },
	{ "off the curve", "enode://" OFF_CURVE "@10.3.58.6:30303", ERR_VALUE, NULL, 0, 0 },
	{ "no port", "enode://" KEY "@10.3.58.6", ERR_SYNTAX, NULL, 0, 0 },
	{ "an empty port", "enode://" KEY "@10.3.58.6:", ERR_SYNTAX, NULL, 0, 0 },
	{ "a port too large", "enode://" KEY "@10.3.58.6:65536", ERR_SYNTAX, NULL, 0, 0 },
	{ "no address", "enode://" KEY "@:30303", ERR_SYNTAX, NULL, 0, 0 },
	{ "a name", "enode://" KEY "@node.example.org:30303", ERR_SYNTAX, NULL, 0, 0 },
	{ "IPv6 without brackets", "enode://" KEY "@2001:db8::1:30303", ERR_SYNTAX, NULL, 0, 0 },
	{ "IPv6 without a port", "enode://" KEY "@[2001:db8::1]", ERR_SYNTAX, NULL, 0, 0 },
	{ "an unclosed bracket", "enode://" KEY "@[2001:db8::1:30303", ERR_SYNTAX, NULL, 0, 0 },
	{ "an onion",
	  "enode://" KEY "@pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:30303",
	  ERR_SYNTAX, NULL, 0, 0 },
	{ "an empty query", "enode://" KEY "@10.3.58.6:30303?", ERR_SYNTAX, NULL, 0, 0 },
	{ "an unknown query", "enode://" KEY "@10.3.58.6:30303?port=1", ERR_SYNTAX, NULL, 0, 0 },
	{ "discport too large", "enode://" KEY "@10.3.58.6:30303?discport=65536", ERR_SYNTAX, NULL,
	  0, 0 },
	{ "discport and more", "enode://" KEY "@10.3.58.6:30303?discport=1&x=2", ERR_SYNTAX, NULL,
	  0, 0 },
	{ "a path", "enode://" KEY "@10.3.58.6:30303/", ERR_SYNTAX, NULL, 0, 0 },
};

static void urls(void **state)
{
	static const struct enode none;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[ENODE_TEXT_MAX];
		struct enode node;
		const char *rule;
		enum err err = enode_parse(slice_text(rows[i].url), &node, &rule);

		if (err != rows[i].err)
			fail_msg("row \"%s\": %s", rows[i].name, err_name(err));
		if (err != ERR_OK) {
			assert_non_null(rule);
			assert_memory_equal(node.key, none.key, sizeof(none.key));
			continue;
		}
		assert_int_equal(node.endpoint.addr.port, rows[i].udp);
		assert_int_equal(node.endpoint.tcp_port, rows[i].tcp);
		enode_text(&node, text);
		assert_string_equal(text, rows[i].text != NULL ? rows[i].text : rows[i].url);
	}
}

/* EIP-778's example: the id of the key. */
static void id(void **state)
{
	uint8_t key[SECP_PUBLIC_LEN], expected[ENODE_ID_LEN], out[ENODE_ID_LEN];

	(void)state;
	hex_bytes(KEY, key, sizeof(key));
	hex_bytes("a448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7", expected,
		  sizeof(expected));
	enode_id(key, out);
	assert_memory_equal(out, expected, sizeof(expected));
}

/* Each row is one form of an address in a packet; OnionCat and CJDNS mean nothing here. */
static const struct {
	const char *name, *hex, *text;
} addr_rows[] = {
	{ "IPv4", "7f000001", "127.0.0.1:7" },
	{ "IPv4 as IPv6", "00000000000000000000ffff0a030201", "10.3.2.1:7" },
	{ "IPv6", "20010db83c4d001500000000abcdef12", "[2001:db8:3c4d:15::abcd:ef12]:7" },
	{ "OnionCat's prefix", "fd87d87eeb4300000000000000000001", "[fd87:d87e:eb43::1]:7" },
	{ "CJDNS's prefix", "fc000000000000000000000000000001", "[fc00::1]:7" },
	{ "nothing", "", "none:7" },
	{ "three bytes", "7f0000", "none:7" },
	{ "five bytes", "7f00000100", "none:7" },
	{ "17 bytes", "20010db83c4d001500000000abcdef1200", "none:7" },
};

static void addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(addr_rows) / sizeof(*addr_rows); i++) {
		char text[NETADDR_TEXT_MAX];
		uint8_t bytes[20];
		struct netaddr a = enode_addr(hex_bytes(addr_rows[i].hex, bytes, sizeof(bytes)), 7);

		netaddr_text(&a, text);
		if (strcmp(text, addr_rows[i].text) != 0)
			fail_msg("row \"%s\": %s", addr_rows[i].name, text);
	}
}

/* Whatever the endpoint: what is written is read as the same. */
static void round_trips(void **state)
{
	struct random random = { 5 };
	struct enode node = { 0 };

	(void)state;
	hex_bytes(KEY, node.key, sizeof(node.key));
	for (unsigned n = 0; n < 500; n++) {
		char text[ENODE_TEXT_MAX];
		struct enode back;
		const char *rule;
		uint8_t ip[16];

		for (size_t i = 0; i < sizeof(ip); i++)
			ip[i] = random_below(&random, 3) == 0 ? 0 : (uint8_t)random_next(&random);
		node.endpoint.addr = enode_addr(slice_of(ip, n % 2 == 0 ? 4 : 16),
						(uint16_t)random_next(&random));
		node.endpoint.tcp_port =
			n % 3 == 0 ? node.endpoint.addr.port : (uint16_t)random_next(&random);
		enode_text(&node, text);
		assert_int_equal(enode_parse(slice_text(text), &back, &rule), ERR_OK);
		assert_true(enode_endpoint_equal(&node.endpoint, &back.endpoint));
		assert_memory_equal(node.key, back.key, sizeof(node.key));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_nodes), cmocka_unit_test(urls),        cmocka_unit_test(id),
		cmocka_unit_test(addresses),   cmocka_unit_test(round_trips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
