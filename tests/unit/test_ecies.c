/* test_ecies.c: AES, HMAC-SHA256 and ECIES. A published ECIES message, EIP-8's, is in
 * test_rlpx.c. */
#include "base/text.h"
#include "crypto/aes.h"
#include "crypto/ecies.h"
#include "crypto/hmac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t unhex(const char *text, uint8_t *out, size_t cap)
{
	size_t len;

	assert_int_equal(hex_decode(slice_text(text), out, cap, &len), ERR_OK);
	return len;
}

/* NIST SP 800-38A, F.5.1 and F.5.5. */
static const char nist_text[] = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
				"30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
static const struct {
	const char *name, *key, *coded;
} ctr_rows[] = {
	{ "CTR-AES128", "2b7e151628aed2a6abf7158809cf4f3c",
	  "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
	  "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee" },
	{ "CTR-AES256", "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
	  "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
	  "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6" },
};

static void counter_mode(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t key[32], iv[16], in[64], coded[64], out[64];
		size_t key_len = unhex(ctr_rows[i].key, key, sizeof(key));

		unhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", iv, sizeof(iv));
		unhex(nist_text, in, sizeof(in));
		unhex(ctr_rows[i].coded, coded, sizeof(coded));
		for (size_t step = 1; step <= sizeof(in); step++) {
			struct aes_ctr ctr;

			aes_ctr_init(&ctr, slice_of(key, key_len), iv);
			memcpy(out, in, sizeof(in));
			for (size_t at = 0; at < sizeof(in); at += step) {
				size_t n = sizeof(in) - at < step ? sizeof(in) - at : step;

				aes_ctr_apply(&ctr, slice_of(out + at, n), out + at);
			}
			if (memcmp(out, coded, sizeof(out)) != 0)
				fail_msg("%s in steps of %zu", ctr_rows[i].name, step);
		}
	}
}

/* The counter carries through all 16 bytes, and begins anew after the last. The expected
 * stream is the cipher's on the blocks ff..ff, 00..00 and 00..01. */
static void counter_wraps(void **state)
{
	uint8_t key[16] = { 7 }, iv[16], zeros[48] = { 0 }, out[48], block[16] = { 0 }, one[16];
	struct aes_ctr ctr;
	struct aes_key plain;

	(void)state;
	memset(iv, 0xff, sizeof(iv));
	aes_ctr_init(&ctr, slice_of(key, sizeof(key)), iv);
	aes_ctr_apply(&ctr, slice_of(zeros, sizeof(zeros)), out);
	aes_key_init(&plain, slice_of(key, sizeof(key)));
	aes_block(&plain, iv, one);
	assert_memory_equal(out, one, 16);
	aes_block(&plain, block, one);
	assert_memory_equal(out + 16, one, 16);
	block[15] = 1;
	aes_block(&plain, block, one);
	assert_memory_equal(out + 32, one, 16);
}

/* NIST SP 800-38A, F.1.5. */
static void one_block(void **state)
{
	uint8_t key[32], block[16], expected[16];
	struct aes_key k;

	(void)state;
	unhex(ctr_rows[1].key, key, sizeof(key));
	unhex("6bc1bee22e409f96e93d7e117393172a", block, sizeof(block));
	unhex("f3eed1bdb5d2a03c064b5a7e3db181f8", expected, sizeof(expected));
	aes_key_init(&k, slice_of(key, sizeof(key)));
	aes_block(&k, block, block);
	assert_memory_equal(block, expected, sizeof(block));
}

/* RFC 4231, test cases 1, 2 and 6. */
static const struct {
	const char *name, *key, *text, *mac;
} hmac_rows[] = {
	{ "case 1", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ "case 2: a short key", "4a656665", "what do ya want for nothing?",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ "case 6: a key longer than a block", NULL,
	  "Test Using Larger Than Block-Size Key - Hash Key First",
	  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
};

static void hmac(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hmac_rows) / sizeof(*hmac_rows); i++) {
		uint8_t key[131], mac[32], expected[32];
		struct slice text = slice_text(hmac_rows[i].text), parts[2];
		size_t len = sizeof(key);

		memset(key, 0xaa, sizeof(key));
		if (hmac_rows[i].key != NULL)
			len = unhex(hmac_rows[i].key, key, sizeof(key));
		unhex(hmac_rows[i].mac, expected, sizeof(expected));
		for (size_t cut = 0; cut <= text.len; cut++) {
			parts[0] = slice_of(text.data, cut);
			parts[1] = slice_of(text.data + cut, text.len - cut);
			hmac_sha256(slice_of(key, len), parts, 2, mac);
			if (!mac_equal(mac, expected, sizeof(mac)))
				fail_msg("%s, cut at %zu", hmac_rows[i].name, cut);
		}
		mac[31] ^= 1;
		assert_false(mac_equal(mac, expected, sizeof(mac)));
	}
}

static struct secp secp;

static int start(void **state)
{
	const uint8_t random[SECP_RANDOM_LEN] = { 9 };

	(void)state;
	secp_init(&secp, random);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	secp_clear(&secp);
	return 0;
}

static void key_of(struct secp_key *key, uint8_t seed)
{
	uint8_t bytes[SECP_KEY_LEN];

	memset(bytes, seed, sizeof(bytes));
	assert_true(secp_key_init(key, bytes));
}

static void there_and_back(void **state)
{
	uint8_t text[200], sealed[200 + ECIES_OVERHEAD], out[200], public[SECP_PUBLIC_LEN];
	struct ecies_random random = { .iv = { 5, 6 } };
	struct slice shared = slice_text("size");
	struct secp_key key;

	(void)state;
	key_of(&key, 1);
	key_of(&random.ephemeral, 2);
	secp_public(&secp, &key, public);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)i;
	for (size_t len = 0; len <= sizeof(text); len += 50) {
		assert_true(
			ecies_encrypt(&secp, public, &random, shared, slice_of(text, len), sealed));
		assert_true(ecies_decrypt(&secp, &key, shared,
					  slice_of(sealed, len + ECIES_OVERHEAD), out));
		assert_memory_equal(out, text, len);
	}
}

static void what_cannot_be_opened(void **state)
{
	uint8_t sealed[9 + ECIES_OVERHEAD], out[9], public[SECP_PUBLIC_LEN];
	struct ecies_random random = { .iv = { 5, 6 } };
	struct slice shared = slice_text("size");
	struct slice all = slice_of(sealed, sizeof(sealed));
	struct secp_key key, other;

	(void)state;
	key_of(&key, 1);
	key_of(&other, 3);
	key_of(&random.ephemeral, 2);
	secp_public(&secp, &key, public);
	assert_true(ecies_encrypt(&secp, public, &random, shared, slice_text("some text"), sealed));
	assert_true(ecies_decrypt(&secp, &key, shared, all, out));
	assert_false(ecies_decrypt(&secp, &other, shared, all, out));
	assert_false(ecies_decrypt(&secp, &key, slice_text("sizf"), all, out));
	assert_false(ecies_decrypt(&secp, &key, slice_text(""), all, out));
	for (size_t i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 0x10;
		if (ecies_decrypt(&secp, &key, shared, all, out))
			fail_msg("byte %zu was changed", i);
		sealed[i] ^= 0x10;
	}
	for (size_t len = 0; len < sizeof(sealed); len++)
		if (ecies_decrypt(&secp, &key, shared, slice_of(sealed, len), out))
			fail_msg("cut to %zu bytes", len);
	public[63] ^= 1; /* off the curve */
	assert_false(ecies_encrypt(&secp, public, &random, shared, slice_text("text"), sealed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counter_mode),   cmocka_unit_test(counter_wraps),
		cmocka_unit_test(one_block),      cmocka_unit_test(hmac),
		cmocka_unit_test(there_and_back), cmocka_unit_test(what_cannot_be_opened),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
