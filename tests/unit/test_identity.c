/* test_identity.c: one key for all, and for each session numbers that nobody else has. */
#include "proto/ethereum/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RANDOM_LEN = SECP_RANDOM_LEN + IDENTITY_SEED_LEN };

static void init(struct identity *id, const struct secp_key *key, uint8_t seed)
{
	uint8_t random[RANDOM_LEN];

	memset(random, 1, SECP_RANDOM_LEN);
	memset(random + SECP_RANDOM_LEN, seed, IDENTITY_SEED_LEN);
	identity_init(id, key, random);
}

static bool all_of(const void *bytes, size_t len, uint8_t value)
{
	for (size_t i = 0; i < len; i++) {
		if (((const uint8_t *)bytes)[i] != value)
			return false;
	}
	return true;
}

/* The numbers of a session, one behind the other. */
struct numbers {
	uint8_t bytes[2 * SECP_KEY_LEN + 32 + 16];
	uint8_t padding;
};

static struct numbers numbers_of(const struct identity *id, uint64_t nonce)
{
	struct rlpx_local l;
	struct numbers n;

	_Static_assert(sizeof(l.nonce) == 32 && sizeof(l.ecies.iv) == 16, "they fit");
	identity_local(id, nonce, &l);
	memcpy(n.bytes, l.ephemeral.bytes, SECP_KEY_LEN);
	memcpy(n.bytes + SECP_KEY_LEN, l.ecies.ephemeral.bytes, SECP_KEY_LEN);
	memcpy(n.bytes + 2 * SECP_KEY_LEN, l.nonce, 32);
	memcpy(n.bytes + 2 * SECP_KEY_LEN + 32, l.ecies.iv, 16);
	n.padding = l.padding;
	return n;
}

/* The parts of a session's numbers, each of which must not repeat. */
static const struct {
	const char *name;
	size_t at, len;
} parts[] = {
	{ "ephemeral key", 0, SECP_KEY_LEN },
	{ "key of the first packet", SECP_KEY_LEN, SECP_KEY_LEN },
	{ "nonce", 2 * SECP_KEY_LEN, 32 },
	{ "IV of the first packet", 2 * SECP_KEY_LEN + 32, 16 },
};

static void a_key_that_is_given(void **state)
{
	const uint8_t bytes[SECP_KEY_LEN] = { [SECP_KEY_LEN - 1] = 7 };
	uint8_t public[SECP_PUBLIC_LEN];
	struct identity id;
	struct secp_key key;

	(void)state;
	assert_true(secp_key_init(&key, bytes));
	init(&id, &key, 3);
	secp_public(&id.secp, &key, public);
	assert_memory_equal(id.key.bytes, key.bytes, sizeof(key.bytes));
	assert_memory_equal(id.public, public, sizeof(public));
	identity_clear(&id);
}

static void a_key_that_is_drawn(void **state)
{
	uint8_t public[SECP_PUBLIC_LEN];
	struct identity a, b, other;

	(void)state;
	init(&a, NULL, 3);
	init(&b, NULL, 3);
	init(&other, NULL, 4);
	/* From the seed alone. */
	assert_memory_equal(a.key.bytes, b.key.bytes, SECP_KEY_LEN);
	assert_memory_not_equal(a.key.bytes, other.key.bytes, SECP_KEY_LEN);
	assert_memory_not_equal(a.key.bytes, a.seed, SECP_KEY_LEN);
	secp_public(&a.secp, &a.key, public);
	assert_memory_equal(a.public, public, sizeof(public));
	assert_true(secp_public_valid(a.public));
	/* No session's, though their numbers come from the same seed. */
	for (uint64_t nonce = 0; nonce < 3; nonce++) {
		struct numbers n = numbers_of(&a, UINT64_MAX - nonce);

		for (size_t i = 0; i < 3; i++)
			assert_memory_not_equal(n.bytes + parts[i].at, a.key.bytes, SECP_KEY_LEN);
	}
	identity_clear(&a);
	identity_clear(&b);
	identity_clear(&other);
}

static void sessions_differ(void **state)
{
	/* Neighbours, and nonces that differ in one byte of each place. */
	static const uint64_t nonces[] = { 0,
					   1,
					   2,
					   255,
					   256,
					   UINT64_C(1) << 16,
					   UINT64_C(1) << 24,
					   UINT64_C(1) << 32,
					   UINT64_C(1) << 40,
					   UINT64_C(1) << 48,
					   UINT64_C(1) << 56,
					   UINT64_MAX };
	enum { COUNT = sizeof(nonces) / sizeof(*nonces) };
	struct numbers all[COUNT + 1];
	struct identity id, other;

	(void)state;
	init(&id, NULL, 3);
	init(&other, NULL, 4);
	for (size_t i = 0; i < COUNT; i++)
		all[i] = numbers_of(&id, nonces[i]);
	all[COUNT] = numbers_of(&other, nonces[0]);
	for (size_t i = 0; i <= COUNT; i++) {
		for (size_t j = 0; j < i; j++) {
			for (size_t p = 0; p < sizeof(parts) / sizeof(*parts); p++) {
				if (memcmp(all[i].bytes + parts[p].at, all[j].bytes + parts[p].at,
					   parts[p].len) == 0)
					fail_msg("%s: sessions %zu and %zu", parts[p].name, i, j);
			}
		}
		/* Nor is one part another's. */
		for (size_t p = 1; p < sizeof(parts) / sizeof(*parts); p++) {
			for (size_t q = 0; q < p; q++)
				assert_memory_not_equal(all[i].bytes + parts[p].at,
							all[i].bytes + parts[q].at, parts[p].len);
		}
	}
	identity_clear(&id);
	identity_clear(&other);
}

static void the_same_session_again(void **state)
{
	struct identity id;
	struct numbers a, b;

	(void)state;
	init(&id, NULL, 3);
	a = numbers_of(&id, 42);
	numbers_of(&id, 43); /* nothing is remembered between two */
	b = numbers_of(&id, 42);
	assert_memory_equal(a.bytes, b.bytes, sizeof(a.bytes));
	assert_int_equal(a.padding, b.padding);
	identity_clear(&id);
}

static void keys_and_paddings(void **state)
{
	bool padding[256] = { false };
	struct identity id;
	unsigned lengths = 0;

	(void)state;
	init(&id, NULL, 3);
	for (uint64_t nonce = 0; nonce < 1000; nonce++) {
		struct rlpx_local l;
		struct secp_key key;

		identity_local(&id, nonce, &l);
		assert_ptr_equal(l.secp, &id.secp);
		assert_memory_equal(l.key.bytes, id.key.bytes, SECP_KEY_LEN);
		assert_true(secp_key_init(&key, l.ephemeral.bytes));
		assert_true(secp_key_init(&key, l.ecies.ephemeral.bytes));
		padding[l.padding] = true;
	}
	for (unsigned i = 0; i < 256; i++)
		lengths += padding[i];
	/* The first packets have lengths of all sorts: 256 ways, of which a thousand draws miss
	 * some five. */
	assert_in_range(lengths, 230, 256);
	identity_clear(&id);
}

/* What stays behind in memory says nothing. */
static void cleared(void **state)
{
	struct identity *id = calloc(1, sizeof(*id));

	(void)state;
	assert_non_null(id);
	init(id, NULL, 3);
	assert_false(all_of(id->seed, sizeof(id->seed), 0));
	identity_clear(id);
	assert_true(all_of(id, sizeof(*id), 0));
	free(id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_that_is_given), cmocka_unit_test(a_key_that_is_drawn),
		cmocka_unit_test(sessions_differ),     cmocka_unit_test(the_same_session_again),
		cmocka_unit_test(keys_and_paddings),   cmocka_unit_test(cleared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
