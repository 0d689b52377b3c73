/* test_keccak.c: both paddings of Keccak-256 against known digests. */
#include "base/keccak.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char fox[] = "The quick brown fox jumps over the lazy dog";

/* Keccak-256: the values that Ethereum's documents give (the first is the code hash of
 * an empty account). SHA3-256: FIPS 202 examples; repeated letters: Python's hashlib
 * (OpenSSL), around the 136 bytes that are absorbed at a time. */
static const struct {
	const char *name;
	void (*hash)(struct slice in, uint8_t out[32]);
	const char *text;
	size_t repeat;
	const char *digest;
} rows[] = {
	{ "keccak, empty", keccak_256, "", 0,
	  "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470" },
	{ "keccak, abc", keccak_256, "abc", 1,
	  "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45" },
	{ "keccak, fox", keccak_256, fox, 1,
	  "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15" },
	{ "sha3, empty", sha3_256, "", 0,
	  "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a" },
	{ "sha3, abc", sha3_256, "abc", 1,
	  "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532" },
	{ "sha3, a byte less than a block", sha3_256, "a", 135,
	  "8094bb53c44cfb1e67b7c30447f9a1c33696d2463ecc1d9c92538913392843c9" },
	{ "sha3, one block", sha3_256, "a", 136,
	  "3fc5559f14db8e453a0a3091edbd2bc25e11528d81c66fa570a4efdcc2695ee1" },
	{ "sha3, a block and a byte", sha3_256, "a", 137,
	  "f8d6846cedd2ccfadf15c5879ef95af724d799eed7391fb1c91f95344e738614" },
	{ "sha3, two blocks", sha3_256, "a", 272,
	  "a490357b9b3fb39d0a89a117734e5b020b1f33c7bf3fa3575c396425432003d3" },
};

static void digests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct text in = { 0 };
		uint8_t digest[32];
		char hex[65];

		for (size_t n = 0; n < rows[i].repeat; n++)
			text_add(&in, rows[i].text);
		rows[i].hash(slice_of(in.data, in.len), digest);
		hex_encode(slice_of(digest, sizeof(digest)), hex);
		text_clear(&in);
		if (strcmp(hex, rows[i].digest) != 0)
			fail_msg("%s: %s", rows[i].name, hex);
	}
}

/* However the bytes come, and however often the digest was taken on the way. */
static void pieces(void **state)
{
	uint8_t in[500], expected[32], digest[32];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 31);
	for (size_t step = 1; step <= sizeof(in); step += 1 + step / 3) {
		struct keccak k;

		keccak_init(&k);
		for (size_t at = 0; at < sizeof(in); at += step) {
			size_t n = sizeof(in) - at < step ? sizeof(in) - at : step;

			keccak_update(&k, slice_of(in + at, n));
			keccak_digest(&k, digest);
			keccak_256(slice_of(in, at + n), expected);
			if (memcmp(digest, expected, sizeof(digest)) != 0)
				fail_msg("%zu bytes in steps of %zu", at + n, step);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests),
		cmocka_unit_test(pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
