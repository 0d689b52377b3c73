#include "report/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct hash_key key = { 5, 6 };

static void words(void **state)
{
	static const struct {
		const char *word;
		uint64_t count;
	} want[] = { { "b", 3 }, { "", 2 }, { "a", 2 }, { "aa", 1 } };
	static const char *const in[] = { "b", "a", "", "b", "aa", "b", "", "a" };
	struct tally t;

	(void)state;
	tally_init(&t, &key);
	for (size_t i = 0; i < sizeof(in) / sizeof(*in); i++)
		tally_add(&t, slice_text(in[i]));
	tally_sort_by_count(&t);
	assert_int_equal(t.len, sizeof(want) / sizeof(*want));
	assert_int_equal(t.total, 8);
	assert_int_equal(t.cut, 0);
	for (size_t i = 0; i < t.len; i++) {
		assert_int_equal(t.entries[i].count, want[i].count);
		assert_true(slice_equal(slice_of(t.entries[i].key, t.entries[i].len),
					slice_text(want[i].word)));
	}
	tally_clear(&t);
}

static void numbers(void **state)
{
	static const int64_t in[] = { 7, -1, INT64_MAX, 7, INT64_MIN, -1, 7 };
	static const int64_t by_count[] = { 7, -1, INT64_MIN, INT64_MAX };
	static const int64_t by_number[] = { INT64_MIN, -1, 7, INT64_MAX };
	struct tally t;

	(void)state;
	tally_init(&t, &key);
	for (size_t i = 0; i < sizeof(in) / sizeof(*in); i++)
		tally_add_number(&t, in[i]);
	assert_int_equal(t.len, 4);
	tally_sort_by_count(&t);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(t.entries[i].number, by_count[i]);
	tally_sort_by_number(&t);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(t.entries[i].number, by_number[i]);
	tally_clear(&t);
}

/* The first name that is known stays, whenever it comes. */
static void named(void **state)
{
	struct tally t;

	(void)state;
	tally_init(&t, &key);
	tally_add_named(&t, 7, "");
	tally_add_named(&t, 7, "seven");
	tally_add_named(&t, 7, "");
	tally_add_named(&t, 7, "sept");
	tally_add_named(&t, 8, "");
	tally_sort_by_count(&t);
	assert_int_equal(t.len, 2);
	assert_int_equal(t.entries[0].count, 4);
	assert_string_equal(t.entries[0].name, "seven");
	assert_null(t.entries[1].name);
	tally_clear(&t);
}

/* Invented values end at the cap, and are still counted. */
static void capped(void **state)
{
	struct tally t;

	(void)state;
	tally_init(&t, &key);
	for (int64_t round = 0; round < 2; round++) {
		for (int64_t i = 0; i < TALLY_KEYS_MAX + 500; i++)
			tally_add_number(&t, i);
	}
	assert_int_equal(t.err, ERR_OK);
	assert_int_equal(t.len, TALLY_KEYS_MAX);
	assert_int_equal(t.cut, 1000);
	assert_int_equal(t.total, 2 * (TALLY_KEYS_MAX + 500));
	for (size_t i = 0; i < t.len; i++)
		assert_int_equal(t.entries[i].count, 2);
	tally_clear(&t);
}

static void long_keys_are_cut(void **state)
{
	uint8_t data[TALLY_KEY_MAX + 10] = { 0 };
	struct tally t;

	(void)state;
	tally_init(&t, &key);
	tally_add(&t, slice_of(data, sizeof(data)));
	tally_add(&t, slice_of(data, TALLY_KEY_MAX));
	assert_int_equal(t.len, 1);
	assert_int_equal(t.entries[0].len, TALLY_KEY_MAX);
	tally_clear(&t);
}

static void empty(void **state)
{
	struct tally t;

	(void)state;
	tally_init(&t, &key);
	tally_sort_by_count(&t);
	tally_sort_by_number(&t);
	assert_int_equal(t.len, 0);
	tally_clear(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(numbers),
		cmocka_unit_test(named),
		cmocka_unit_test(capped),
		cmocka_unit_test(long_keys_are_cut),
		cmocka_unit_test(empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
