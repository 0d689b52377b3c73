/* test_explain.c: whole messages field by field, and the five chains. */
#include "proto/bitcoin/explain.h"
#include "support/bitcoin.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define VERACK "f9beb4d9 76657261636b000000000000 00000000 5df6e0e2"
/* A captured message, printed in a tutorial on the protocol. */
#define VERSION                                                                             \
	"f9beb4d9 76657273696f6e0000000000 6a000000 9b228b9e"                               \
	"7f1101000f040000000000009341555b000000000f04000000000000000000000000000000000000"  \
	"0000000000000f0400000000000000000000000000000000000000000000 00007256c5439b3aea89" \
	"142f736f6d652d636f6f6c2d736f6674776172652f0100000001"

static const struct {
	const char *name, *hex;
	enum err err;
	size_t at;
} rows[] = {
	{ "one message", VERACK, ERR_OK, 0 },
	{ "two messages", VERACK VERACK, ERR_OK, 0 },
	{ "with a payload", VERSION, ERR_OK, 0 },
	{ "an unknown command", "f9beb4d9 666f6f000000000000000000 00000000 5df6e0e2", ERR_OK, 0 },
	{ "nothing", "", ERR_SHORT, 0 },
	{ "another network", "0b110907 76657261636b000000000000 00000000 5df6e0e2", ERR_MAGIC, 0 },
	{ "another network's second", VERACK "0b110907 76657261636b", ERR_MAGIC, 24 },
	{ "no Bitcoin at all", "474554202f20485454502f312e31", ERR_MAGIC, 0 },
	{ "half a header behind", VERACK "f9beb4d9 7665", ERR_SHORT, 28 },
	{ "a wrong checksum", "f9beb4d9 76657261636b000000000000 00000000 5df6e0e3", ERR_CHECKSUM,
	  20 },
	{ "the checksum comes before the payload",
	  "f9beb4d9 70696e670000000000000000 03000000 00000000 010203", ERR_CHECKSUM, 20 },
	{ "the payload breaks a rule",
	  "f9beb4d9 61646472000000000000 0000 03000000 b3cf8e5e fde903", ERR_LIMIT, 24 },
	{ "the payload is cut short", "f9beb4d9 70696e670000000000000000 08000000 00000000 010203",
	  ERR_SHORT, 24 },
	{ "a payload is missing that may be empty",
	  "f9beb4d9 70696e670000000000000000 08000000 00000000", ERR_SHORT, 24 },
	{ "a bad character in the command", "f9beb4d9 7665ff61636b000000000000 00000000 5df6e0e2",
	  ERR_VALUE, 6 },
	{ "too long for any message", "f9beb4d9 74780000000000000000 0000 01093d00 00000000",
	  ERR_LIMIT, 16 },
};

static enum err explain(struct slice in, struct told *told, size_t *at, const char **rule)
{
	*told = (struct told){ .covered = 0 };
	return bitcoin_explain(network_find("bitcoin"), in, tell_row, told, at, rule);
}

static void messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t bytes[400];
		struct slice in = from_hex(rows[i].hex, bytes, sizeof(bytes));
		struct told told;
		const char *rule;
		size_t at;
		enum err err = explain(in, &told, &at, &rule);

		if (err != rows[i].err || at != rows[i].at)
			fail_msg("row \"%s\": %s at %zu (%s)", rows[i].name, err_name(err), at,
				 rule != NULL ? rule : "");
		assert_true(err == ERR_OK || (rule != NULL && rule[0] != 0));
		assert_false(told.gap);
		if (err == ERR_OK)
			assert_int_equal(told.covered, in.len);
	}
}

static void names(void **state)
{
	uint8_t bytes[400];
	struct told told;
	const char *rule;
	size_t at;

	(void)state;
	explain(from_hex(VERACK VERSION, bytes, sizeof(bytes)), &told, &at, &rule);
	assert_string_equal(told.names,
			    "message#0|magic|command|length|checksum"
			    "|message#1|magic|command|length|checksum|protocol|services|time"
			    "|receiver services|receiver address|receiver port|sender services"
			    "|sender address|sender port|nonce|length|user agent|height|relay");
	/* What is wrong with the frame doesn't keep the payload from being told. */
	bytes[24 + 20] ^= 1;
	assert_int_equal(explain(slice_of(bytes, 24 + 130), &told, &at, &rule), ERR_CHECKSUM);
	assert_int_equal(at, 24 + 20);
	assert_int_equal(told.covered, 24 + 130);
}

static void every_beginning_is_short(void **state)
{
	uint8_t bytes[400];
	struct slice in = from_hex(VERSION, bytes, sizeof(bytes));

	(void)state;
	for (size_t len = 0; len < in.len; len++) {
		struct told told;
		const char *rule;
		size_t at;

		assert_int_equal(explain(slice_of(in.data, len), &told, &at, &rule), ERR_SHORT);
		assert_true(at <= len && at + 20 >= len);
		assert_true(told.covered <= len && !told.gap);
	}
}

static void every_changed_bit_is_found(void **state)
{
	uint8_t bytes[400];
	struct slice in = from_hex(VERSION, bytes, sizeof(bytes));

	(void)state;
	for (size_t bit = 0; bit < in.len * 8; bit++) {
		struct told told;
		const char *rule;
		size_t at;
		enum err err;

		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		err = explain(in, &told, &at, &rule);
		/* The name of the command is under no checksum: another may be as good. */
		if (bit / 8 >= 4 && bit / 8 < 16)
			assert_true(err == ERR_OK || err == ERR_VALUE);
		else
			assert_int_not_equal(err, ERR_OK);
		if (bit / 8 >= 20)
			assert_int_equal(at, 20);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* Bitcoin Core, src/kernel/chainparams.cpp. */
static const struct {
	const char *name, *magic;
	uint16_t port;
	bool has_seeds;
} chains[] = {
	{ "bitcoin", "f9beb4d9", 8333, true },
	{ "bitcoin-testnet3", "0b110907", 18333, true },
	{ "bitcoin-testnet4", "1c163f28", 48333, true },
	{ "bitcoin-signet", "0a03cf40", 38333, true },
	{ "bitcoin-regtest", "fabfb5da", 18444, false },
};

/* BIP 325: signet's magic is the start of the double SHA-256 of its challenge as a
 * script with its length; this is the challenge of the default signet. */
static const char signet_challenge[] =
	"47512103ad5e0edad18cb1f0fc0d28a3d4f1f3e445640337489abb10404f2d1e086be43021"
	"0359ef5021964fe22d6f8e05b2463c9540ce96883fe3b278760f048f5189f2e6c452ae";

static void chain_facts(void **state)
{
	uint8_t bytes[100], magic[4];

	(void)state;
	for (size_t i = 0; i < sizeof(chains) / sizeof(*chains); i++) {
		const struct network *n = network_find(chains[i].name);

		assert_non_null(n);
		from_hex(chains[i].magic, magic, sizeof(magic));
		assert_memory_equal(n->magic, magic, sizeof(magic));
		assert_int_equal(n->default_port, chains[i].port);
		assert_int_equal(n->dns_seeds[0] != NULL, chains[i].has_seeds);
		assert_null(n->dns_seeds[NETWORKS_SEEDS_MAX - 1]);
		assert_ptr_equal(n->proto->explain, bitcoin_explain);
	}
	assert_null(network_find("bitcoin-testnet"));
	bitcoin_checksum(from_hex(signet_challenge, bytes, sizeof(bytes)), magic);
	assert_memory_equal(magic, network_find("bitcoin-signet")->magic, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages),
		cmocka_unit_test(names),
		cmocka_unit_test(every_beginning_is_short),
		cmocka_unit_test(every_changed_bit_is_found),
		cmocka_unit_test(chain_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
