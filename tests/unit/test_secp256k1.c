/* test_secp256k1.c: keys, signatures and shared secrets against published vectors. */
#include "base/hash.h"
#include "crypto/secp256k1.h"
#include "crypto/sha256.h"
#include "support/hex.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The order of the curve, SEC 2, 2.4.1. */
#define ORDER "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"

static struct secp secp;

static int start(void **state)
{
	static const uint8_t random[SECP_RANDOM_LEN] = { 1, 2, 3 };

	(void)state;
	secp_init(&secp, random);
	return 0;
}

static int stop(void **state)
{
	static const struct secp zero;

	(void)state;
	secp_clear(&secp);
	assert_memory_equal(secp.state, zero.state, sizeof(zero.state));
	return 0;
}

static struct secp_key key_of(const char *hex)
{
	uint8_t bytes[SECP_KEY_LEN];
	struct secp_key key;

	hex_bytes(hex, bytes, sizeof(bytes));
	assert_true(secp_key_init(&key, bytes));
	return key;
}

/* Each row is one rule of what a private key is. */
static const struct {
	const char *name, *hex;
	bool good;
} key_rows[] = {
	{ "zero", "00", false },
	{ "one", "0000000000000000000000000000000000000000000000000000000000000001", true },
	{ "the last", "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140", true },
	{ "the order", ORDER, false },
	{ "all bits", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false },
};

static void keys(void **state)
{
	static const struct secp_key none;

	(void)state;
	for (size_t i = 0; i < sizeof(key_rows) / sizeof(*key_rows); i++) {
		struct secp_key key = { { 9 } };
		uint8_t bytes[SECP_KEY_LEN];

		hex_bytes(key_rows[i].hex, bytes, sizeof(bytes));
		if (secp_key_init(&key, bytes) != key_rows[i].good)
			fail_msg("row \"%s\"", key_rows[i].name);
		assert_memory_equal(key.bytes, key_rows[i].good ? bytes : none.bytes, 32);
		secp_key_clear(&key);
		assert_memory_equal(key.bytes, none.bytes, sizeof(none.bytes));
	}
}

/* The key of EIP-778's and EIP-8's examples, and the generator itself (SEC 2). */
static const struct {
	const char *name, *key, *public, *compressed;
} public_rows[] = {
	{ "EIP-8", "b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291",
	  "ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138"
	  "7574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f",
	  "03ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138" },
	{ "one", "0000000000000000000000000000000000000000000000000000000000000001",
	  "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
	  "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
	  "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" },
};

static void public_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(public_rows) / sizeof(*public_rows); i++) {
		uint8_t public[64], expected[64], compressed[33], short_form[33], back[64];
		struct secp_key key = key_of(public_rows[i].key);

		hex_bytes(public_rows[i].public, expected, sizeof(expected));
		hex_bytes(public_rows[i].compressed, compressed, sizeof(compressed));
		secp_public(&secp, &key, public);
		assert_memory_equal(public, expected, sizeof(expected));
		assert_true(secp_public_valid(public));
		secp_compress(public, short_form);
		assert_memory_equal(short_form, compressed, sizeof(compressed));
		assert_true(secp_expand(compressed, back));
		assert_memory_equal(back, expected, sizeof(expected));
		public[63] ^= 1;
		assert_false(secp_public_valid(public));
	}
}

/* Each row is no point of the curve. */
static const struct {
	const char *name, *hex;
} no_points[] = {
	{ "nothing", "00" },
	{ "an uncompressed mark",
	  "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" },
	{ "no such x: 5", "020000000000000000000000000000000000000000000000000000000000000005" },
	{ "x beyond the field",
	  "02ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff" },
};

static void no_point(void **state)
{
	static const uint8_t zero[64];

	(void)state;
	for (size_t i = 0; i < sizeof(no_points) / sizeof(*no_points); i++) {
		uint8_t compressed[33], out[64] = { 7 };

		hex_bytes(no_points[i].hex, compressed, sizeof(compressed));
		if (secp_expand(compressed, out))
			fail_msg("row \"%s\"", no_points[i].name);
		assert_memory_equal(out, zero, sizeof(zero));
	}
	assert_false(secp_public_valid(zero));
}

/* The discv5 wire specification, "ECDH". */
static void shared_point(void **state)
{
	struct secp_key key =
		key_of("fb757dc581730490a1d7a00deea65e9b1936924caaea8f44d476014856b68736");
	uint8_t compressed[33], public[64], expected[33], point[33], x[32];

	(void)state;
	hex_bytes("039961e4c2356d61bedb83052c115d311acb3a96f5777296dcf297351130266231", compressed,
		  sizeof(compressed));
	hex_bytes("033b11a2a1f214567e1537ce5e509ffd9b21373247f2a3ff6841f4976f53165e7e", expected,
		  sizeof(expected));
	assert_true(secp_expand(compressed, public));
	assert_true(secp_ecdh_point(&secp, &key, public, point));
	assert_memory_equal(point, expected, sizeof(expected));
	assert_true(secp_ecdh_x(&secp, &key, public, x));
	assert_memory_equal(x, expected + 1, sizeof(x));

	public[63] ^= 1;
	assert_false(secp_ecdh_point(&secp, &key, public, point));
	assert_false(secp_ecdh_x(&secp, &key, public, x));
	memset(expected, 0, sizeof(expected));
	assert_memory_equal(point, expected, sizeof(point));
	assert_memory_equal(x, expected, sizeof(x));
}

/* EIP-8, "RLPx Handshake": the signature in Auth is made by A's ephemeral key, of the
 * secret shared by both static keys, xor A's nonce. (Whoever made it took another number
 * than RFC 6979 does: it can be checked, but not made again.) */
static void rlpx_signature(void **state)
{
	struct secp_key a =
		key_of("49a7b37aa6f6645917e7b807e9d1c00d4fa71f18343b0d4122a4d2df64dd6fee");
	struct secp_key b =
		key_of("b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291");
	struct secp_key ephemeral =
		key_of("869d6ecf5211f1cc60418a13b9d870b22959d0c16f02bec714c960dd2298a32d");
	uint8_t nonce[32], public[64], secret[32], signature[65], signer[64];

	(void)state;
	hex_bytes("7e968bba13b6c50e2c4cd7f241cc0d64d1ac25c7f5952df231ac6a2bda8ee5d6", nonce,
		  sizeof(nonce));
	hex_bytes("299ca6acfd35e3d72d8ba3d1e2b60b5561d5af5218eb5bc182045769eb422691"
		  "0a301acae3b369fffc4a4899d6b02531e89fd4fe36a2cf0d93607ba470b50f7800",
		  signature, sizeof(signature));
	secp_public(&secp, &b, public);
	assert_true(secp_ecdh_x(&secp, &a, public, secret));
	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] ^= nonce[i];
	secp_public(&secp, &ephemeral, public);
	assert_true(secp_recover(signature, secret, signer));
	assert_memory_equal(signer, public, sizeof(public));
	assert_true(secp_verify(signature, secret, public));
}

/* The discv5 wire specification, "ID Nonce Signing". */
static void id_signature(void **state)
{
	struct secp_key key =
		key_of("fb757dc581730490a1d7a00deea65e9b1936924caaea8f44d476014856b68736");
	uint8_t text[256], expected[64], hash[32], signature[65];
	struct slice challenge;
	struct writer w;

	(void)state;
	writer_init(&w, text, sizeof(text));
	writer_slice(&w, slice_text("discovery v5 identity proof"));
	challenge = hex_bytes("00000000000000000000000000000000 64697363763500010101020304050607"
			      "08090a0b0c00180102030405060708090a0b0c0d0e0f100000000000000000"
			      "039961e4c2356d61bedb83052c115d311acb3a96f5777296dcf297351130266231"
			      "bbbb9d047f0488c0b5a93c1c3f2d8bafc7c8ff337024a55434a0d0555de64db9",
			      text + w.len, sizeof(text) - w.len);
	sha256(slice_of(text, w.len + challenge.len), hash);
	hex_bytes("94852a1e2318c4e5e9d422c98eaf19d1d90d876b29cd06ca7cb7546d0fff7b48"
		  "4fe86c09a064fe72bdbef73ba8e9c34df0cd2b53e9d65528c2c7f336d5dfc6e6",
		  expected, sizeof(expected));
	secp_sign(&secp, &key, hash, signature);
	assert_memory_equal(signature, expected, sizeof(expected));
}

/* order - s: the other signature that the same two numbers make. */
static void negate_s(uint8_t signature[65])
{
	uint8_t order[32];
	int borrow = 0;

	hex_bytes(ORDER, order, sizeof(order));
	for (size_t i = 32; i-- > 0;) {
		int d = order[i] - signature[32 + i] - borrow;

		borrow = d < 0;
		signature[32 + i] = (uint8_t)d;
	}
	signature[64] ^= 1;
}

static void bad_signatures(void **state)
{
	struct secp_key key =
		key_of("b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291");
	uint8_t hash[32] = { 5 }, public[64], signature[65], other[64], zero[64] = { 0 };

	(void)state;
	secp_public(&secp, &key, public);
	secp_sign(&secp, &key, hash, signature);

	hash[0] ^= 1;
	assert_false(secp_verify(signature, hash, public));
	assert_true(secp_recover(signature, hash, other));
	assert_memory_not_equal(other, public, sizeof(public));
	hash[0] ^= 1;

	negate_s(signature);
	assert_false(secp_verify(signature, hash, public));
	assert_true(secp_recover(signature, hash, other));
	assert_memory_equal(other, public, sizeof(public));
	negate_s(signature);
	assert_true(secp_verify(signature, hash, public));

	signature[64] = 4;
	assert_false(secp_recover(signature, hash, other));
	assert_memory_equal(other, zero, sizeof(zero));
	signature[64] = 27;
	assert_false(secp_recover(signature, hash, other));
	memset(signature, 0, sizeof(signature));
	assert_false(secp_recover(signature, hash, other));
	assert_false(secp_verify(signature, hash, public));
	memset(signature, 0xff, 64);
	assert_false(secp_recover(signature, hash, other));
	assert_false(secp_verify(signature, hash, public));
	assert_false(secp_verify(signature, hash, zero));
}

/* Whatever the keys: both sides share one secret, and a signature tells who made it. */
static void round_trips(void **state)
{
	struct random random = { 11 };

	(void)state;
	for (unsigned n = 0; n < 200; n++) {
		uint8_t bytes[2][32], hash[32], public[2][64], shared[2][33], signature[65];
		uint8_t signer[64], short_form[33];
		struct secp_key key[2];

		for (size_t i = 0; i < 32; i++) {
			bytes[0][i] = (uint8_t)random_next(&random);
			bytes[1][i] = (uint8_t)random_next(&random);
			hash[i] = (uint8_t)random_next(&random);
		}
		for (size_t i = 0; i < 2; i++) {
			assert_true(secp_key_init(&key[i], bytes[i]));
			secp_public(&secp, &key[i], public[i]);
		}
		for (size_t i = 0; i < 2; i++)
			assert_true(secp_ecdh_point(&secp, &key[i], public[1 - i], shared[i]));
		assert_memory_equal(shared[0], shared[1], sizeof(shared[0]));
		secp_sign(&secp, &key[0], hash, signature);
		assert_true(signature[64] <= 1);
		assert_true(secp_verify(signature, hash, public[0]));
		assert_false(secp_verify(signature, hash, public[1]));
		assert_true(secp_recover(signature, hash, signer));
		assert_memory_equal(signer, public[0], sizeof(signer));
		secp_compress(public[0], short_form);
		assert_true(secp_expand(short_form, signer));
		assert_memory_equal(signer, public[0], sizeof(signer));
	}
}

/* The random bytes blind the computation; they don't change what comes out. */
static void blinding_is_invisible(void **state)
{
	struct secp_key key =
		key_of("b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291");
	uint8_t random[32] = { 77 }, hash[32] = { 8 }, one[65], two[65];
	struct secp other;

	(void)state;
	secp_init(&other, random);
	secp_sign(&secp, &key, hash, one);
	secp_sign(&other, &key, hash, two);
	assert_memory_equal(one, two, sizeof(one));
	assert_memory_not_equal(secp.state, other.state, sizeof(other.state));
	secp_clear(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(public_keys),
		cmocka_unit_test(no_point),
		cmocka_unit_test(shared_point),
		cmocka_unit_test(rlpx_signature),
		cmocka_unit_test(id_signature),
		cmocka_unit_test(bad_signatures),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(blinding_is_invisible),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
