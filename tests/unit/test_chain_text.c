/* test_chain_text.c: which chain a fork hash and a network id stand for, in words. */
#include "cli/chain_text.h"

#include "support/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The hashes as published (test_forkid.c); the times are those of the forks. */
static const struct {
	const char *hash;
	int64_t unix_s;
	const char *text;
} forks[] = {
	{ "07c9462e", 1767747671, "mainnet" },
	{ "07c9462e", 1767747670, "mainnet, ahead" },
	{ "cba2a1c0", 1767747670, "mainnet" },
	{ "cba2a1c0", 1767747671, "mainnet, 1 fork behind" },
	{ "fc64ec04", 1767747671, "mainnet, 18 forks behind" },
	{ "268956b6", 1800000000, "sepolia" },
	{ "9bc6cb31", 1800000000, "holesky" },
	{ "23aa1351", 1800000000, "hoodi" },
	{ "bef71d30", 0, "hoodi" },
	{ "00000000", 1800000000, "" },
	{ "07c9462f", 1800000000, "" },
};

static void by_fork(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forks) / sizeof(*forks); i++) {
		char text[64] = "untouched";
		uint8_t hash[4];

		hex_bytes(forks[i].hash, hash, sizeof(hash));
		chain_text_fork(hash, 1000 * forks[i].unix_s, text, sizeof(text));
		assert_string_equal(text, forks[i].text);
	}
}

static void by_network(void **state)
{
	char text[64];

	(void)state;
	chain_text_network(1, text, sizeof(text));
	assert_string_equal(text, "mainnet");
	chain_text_network(560048, text, sizeof(text));
	assert_string_equal(text, "hoodi");
	chain_text_network(2, text, sizeof(text));
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_fork),
		cmocka_unit_test(by_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
