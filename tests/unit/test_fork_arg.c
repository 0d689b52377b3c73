/* test_fork_arg.c: the chain that --fork means. */
#include "cli/fork_arg.h"
#include "support/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GENESIS "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
#define TEN     "1,2,3,4,5,6,7,8,9,10,"
#define FORKS24 TEN "11,12,13,14,15,16,17,18,19,20,21,22,23,24"

static const struct {
	const char *name, *text;
	enum err err;
	const char *chain; /* NULL: not looked at */
	size_t block_forks, forks_count;
	const char *newest; /* the hash after all forks; NULL: not looked at */
} rows[] = {
	{ "mainnet has a name of its own", "mainnet", ERR_OK, "ethereum", 12, 18, "07c9462e" },
	{ "... and that of its network", "ethereum", ERR_OK, "ethereum", 12, 18, "07c9462e" },
	{ "sepolia", "sepolia", ERR_OK, "sepolia", 1, 7, "268956b6" },
	{ "holesky", "holesky", ERR_OK, "holesky", 0, 6, "9bc6cb31" },
	{ "hoodi", "hoodi", ERR_OK, "hoodi", 0, 4, "23aa1351" },
	/* EIP-2124's examples, and EIP-6122's first time on mainnet. */
	{ "no forks", "0x" GENESIS ":", ERR_OK, "custom", 0, 0, "fc64ec04" },
	{ "one fork", "0x" GENESIS ":1150000", ERR_OK, "custom", 1, 1, "97c2c34c" },
	{ "two forks", GENESIS ":1150000,1920000", ERR_OK, "custom", 2, 2, "91d1f948" },
	{ "a block and a time", GENESIS ":1150000,1681338455", ERR_OK, "custom", 1, 2, NULL },
	{ "the last that is a block", GENESIS ":1438269973", ERR_OK, "custom", 1, 1, NULL },
	{ "the first that is a time", GENESIS ":1438269974", ERR_OK, "custom", 0, 1, NULL },
	{ "forks at the genesis and at one place are none and one",
	  GENESIS ":0,0,1150000,1150000,1920000", ERR_OK, "custom", 2, 2, "91d1f948" },
	{ "as many forks as fit", GENESIS ":" FORKS24, ERR_OK, "custom", 24, 24, NULL },
	{ "one more", GENESIS ":" FORKS24 ",25", ERR_LIMIT, NULL, 0, 0, NULL },
	{ "the largest number", GENESIS ":18446744073709551615", ERR_OK, "custom", 0, 1, NULL },
	{ "one more than that", GENESIS ":18446744073709551616", ERR_SYNTAX, NULL, 0, 0, NULL },
	{ "21 digits", GENESIS ":100000000000000000000", ERR_SYNTAX, NULL, 0, 0, NULL },
	{ "nothing", "", ERR_NOT_FOUND, NULL, 0, 0, NULL },
	{ "no chain of that name", "ropsten", ERR_NOT_FOUND, NULL, 0, 0, NULL },
	{ "names are as they are written", "Mainnet", ERR_NOT_FOUND, NULL, 0, 0, NULL },
	{ "a genesis alone", "0x" GENESIS, ERR_NOT_FOUND, NULL, 0, 0, NULL },
	{ "a genesis cut short", "0xd4e5:1150000", ERR_SYNTAX, NULL, 0, 0, NULL },
	{ "a genesis with more behind", GENESIS "00:1150000", ERR_SYNTAX, NULL, 0, 0, NULL },
	{ "no genesis", ":1150000", ERR_SYNTAX, NULL, 0, 0, NULL },
	{ "a name with forks", "mainnet:1150000", ERR_SYNTAX, NULL, 0, 0, NULL },
	{ "forks out of order", GENESIS ":1920000,1150000", ERR_VALUE, NULL, 0, 0, NULL },
	{ "a time before a block", GENESIS ":1681338455,1150000", ERR_VALUE, NULL, 0, 0, NULL },
	{ "an empty fork", GENESIS ":1150000,,1920000", ERR_SYNTAX, NULL, 0, 0, NULL },
	{ "a comma at the end", GENESIS ":1150000,", ERR_SYNTAX, NULL, 0, 0, NULL },
	{ "a comma alone", GENESIS ":,", ERR_SYNTAX, NULL, 0, 0, NULL },
	{ "a sign", GENESIS ":-1", ERR_SYNTAX, NULL, 0, 0, NULL },
	{ "hexadecimal forks", GENESIS ":0x118c30", ERR_SYNTAX, NULL, 0, 0, NULL },
	{ "blanks", GENESIS ":1150000, 1920000", ERR_SYNTAX, NULL, 0, 0, NULL },
};

static bool holds(size_t i, bool ok, const char *what)
{
	if (!ok)
		print_error("%s: %s\n", rows[i].name, what);
	return ok;
}

static void texts(void **state)
{
	bool ok = true;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *rule = "untouched";
		struct fork_arg arg;
		enum err err = fork_arg_parse(rows[i].text, &arg, &rule);
		const struct ethereum_chain *c = &arg.chain;
		bool has_rule = err != ERR_OK && err != ERR_NOT_FOUND;

		ok &= holds(i, err == rows[i].err, err_text(err));
		ok &= holds(i, (rule != NULL) == has_rule, "a rule where one was broken");
		if (rows[i].chain == NULL || err != ERR_OK)
			continue;
		ok &= holds(i, strcmp(c->name, rows[i].chain) == 0, "name");
		ok &= holds(i, c->block_forks == rows[i].block_forks, "forks that are blocks");
		ok &= holds(i, c->forks_count == rows[i].forks_count, "forks");
		if (rows[i].newest != NULL) {
			uint8_t hash[4];

			hex_bytes(rows[i].newest, hash, sizeof(hash));
			ok &= holds(i, memcmp(forkid_after(c, c->forks_count).hash, hash, 4) == 0,
				    "hash after all forks");
		}
	}
	assert_true(ok);
}

/* A chain that is described is the chain itself. */
static void described(void **state)
{
	const struct ethereum_chain *chain = ethereum_chain_find("ethereum");
	char text[1024] = GENESIS ":";
	struct fork_arg arg;
	const char *rule;
	size_t len = strlen(text);

	(void)state;
	for (size_t i = 0; i < chain->forks_count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%llu", i > 0 ? "," : "",
					(unsigned long long)chain->forks[i]);
	assert_int_equal(fork_arg_parse(text, &arg, &rule), ERR_OK);
	assert_memory_equal(arg.chain.genesis, chain->genesis, sizeof(chain->genesis));
	assert_int_equal(arg.chain.block_forks, chain->block_forks);
	assert_int_equal(arg.chain.forks_count, chain->forks_count);
	assert_memory_equal(arg.chain.forks, chain->forks, sizeof(chain->forks));
}

/* Each hash is that of its place, none stands there twice. */
static void hashes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ethereum_chains_count; i++) {
		const struct ethereum_chain *chain = &ethereum_chains[i];
		uint8_t got[FORK_ARG_HASHES_MAX][4];
		size_t place = 0;

		assert_int_equal(fork_arg_hashes(chain, got), chain->forks_count + 1);
		for (size_t n = 0; n <= chain->forks_count; n++) {
			assert_true(forkid_place(chain, got[n], &place));
			assert_int_equal(place, n);
		}
	}
}

static void names(void **state)
{
	char text[FORK_ARG_NAMES_MAX];

	(void)state;
	fork_arg_names(text);
	assert_string_equal(text, "mainnet, sepolia, holesky, hoodi");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(described),
		cmocka_unit_test(hashes),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
