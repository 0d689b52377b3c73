#include "base/glance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct hash_key secret = { 1, 2 };

static const struct netaddr base = { .kind = NETADDR_TORV3, .port = 8333, .bytes = { 1, 2, 3 } };

/* Each row is the base with one thing changed. */
static void whatever_differs_is_another(void **state)
{
	struct glance_key key, other;
	struct hash_key another = { 1, 3 };
	struct netaddr a = base;

	(void)state;
	glance_key_init(&key, &secret);
	glance_key_init(&other, &another);
	assert_int_equal(glance_of(&key, &a), glance_of(&key, &base));
	assert_int_not_equal(glance_of(&key, &a), glance_of(&other, &base));
	a.kind = NETADDR_I2P;
	assert_int_not_equal(glance_of(&key, &a), glance_of(&key, &base));
	a = base;
	a.port++;
	assert_int_not_equal(glance_of(&key, &a), glance_of(&key, &base));
	for (unsigned i = 0; i < NETADDR_BYTES_MAX; i++) {
		a = base;
		a.bytes[i] ^= 1;
		assert_int_not_equal(glance_of(&key, &a), glance_of(&key, &base));
	}
}

/* As they stand in a message, and as a netaddr. */
static void ipv4_has_two_ways(void **state)
{
	struct netaddr a = netaddr_ipv4(0x01020304, 0x0506);
	struct glance_key key;

	(void)state;
	glance_key_init(&key, &secret);
	assert_int_equal(glance_ipv4(&key, 0x060504030201), glance_of(&key, &a));
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* A million neighbours have a million hashes, which fill the low bits evenly. */
static void neighbours_spread(void **state)
{
	enum { COUNT = 1 << 20, BINS = 1 << 10 };
	uint64_t *hashes = malloc(COUNT * sizeof(*hashes));
	uint32_t bins[BINS] = { 0 };
	struct glance_key key;

	(void)state;
	assert_non_null(hashes);
	glance_key_init(&key, &secret);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct netaddr a = netaddr_ipv4(0x0a000000 + i, 8333);

		hashes[i] = glance_of(&key, &a);
		bins[hashes[i] % BINS]++;
	}
	for (unsigned i = 0; i < BINS; i++)
		assert_in_range(bins[i], COUNT / BINS / 2, COUNT / BINS * 2);
	qsort(hashes, COUNT, sizeof(*hashes), compare);
	for (uint32_t i = 1; i < COUNT; i++)
		assert_int_not_equal(hashes[i], hashes[i - 1]);
	free(hashes);
}

/* Never says yes to what was not put; forgets a few of what was put again since it grew; stops
 * growing at its limit. */
static void the_cache_remembers_most(void **state)
{
	static const uint32_t counts[] = { 100, 10000, 100000, 1000000, 1600000 };
	struct random random = { 7 }, again;
	struct glance_cache c;

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		uint32_t found = 0;
		size_t bytes;

		assert_int_equal(glance_cache_init(&c), ERR_OK);
		again = random;
		for (uint32_t k = 0; k < counts[i]; k++) {
			uint64_t hash = random_next(&random);

			assert_false(glance_cache_has(&c, hash));
			glance_cache_put(&c, hash);
			glance_cache_put(&c, hash);
			assert_true(glance_cache_has(&c, hash));
			glance_cache_expect(&c, k + 1);
		}
		do {
			bytes = glance_cache_bytes(&c);
			random = again;
			for (uint32_t k = 0; k < counts[i]; k++)
				glance_cache_put(&c, random_next(&random));
		} while (glance_cache_bytes(&c) != bytes);
		for (uint32_t k = 0; k < counts[i]; k++)
			found += glance_cache_has(&c, random_next(&again));
		assert_in_range(found, counts[i] / 100 * 88, counts[i]);
		if (counts[i] <= GLANCE_SLOTS_NEAR / 2)
			assert_in_range(found, counts[i] / 100 * 95, counts[i]);
		assert_in_range(glance_cache_bytes(&c), 4096, GLANCE_SLOTS_MAX * 4);
		if (counts[i] > GLANCE_SLOTS_NEAR)
			assert_in_range(glance_cache_bytes(&c), 0, counts[i] / 10 * 54);
		glance_cache_clear(&c);
	}
}

static unsigned held(const struct glance_cache *c)
{
	unsigned n = 0;

	for (uint64_t i = 1; i <= GLANCE_WAYS + 1; i++)
		n += glance_cache_has(c, i << 40);
	return n;
}

static void what_is_dropped_is_gone(void **state)
{
	struct glance_cache c;

	(void)state;
	assert_int_equal(glance_cache_init(&c), ERR_OK);
	/* One more than there are places: it takes that of another. */
	for (uint64_t i = 1; i <= GLANCE_WAYS + 1; i++)
		glance_cache_put(&c, i << 40);
	assert_int_equal(held(&c), GLANCE_WAYS);
	assert_true(glance_cache_has(&c, (GLANCE_WAYS + 1ULL) << 40));
	glance_cache_drop(&c, (GLANCE_WAYS + 1ULL) << 40);
	assert_false(glance_cache_has(&c, (GLANCE_WAYS + 1ULL) << 40));
	glance_cache_drop(&c, (GLANCE_WAYS + 1ULL) << 40);
	assert_int_equal(held(&c), GLANCE_WAYS - 1);
	glance_cache_clear(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_differs_is_another),
		cmocka_unit_test(ipv4_has_two_ways),
		cmocka_unit_test(neighbours_spread),
		cmocka_unit_test(the_cache_remembers_most),
		cmocka_unit_test(what_is_dropped_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
