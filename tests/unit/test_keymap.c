#include "base/hash.h"
#include "base/keymap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* What is put is found, what is taken out isn't, whatever runs of slots the keys share: compared
 * with a plain array, over keys that nearly all want the same few slots. */
static void it_agrees_with_an_array(void **state)
{
	enum { KEYS = 500, STEPS = 200000 };
	struct keymap m;
	struct random random = { 7 };
	uint64_t keys[KEYS];
	uint32_t ids[KEYS] = { 0 }, used = 0; /* 0: not there */

	(void)state;
	for (unsigned i = 0; i < KEYS; i++)
		keys[i] = (uint64_t)(i + 1) << 32 | (i % 3 == 0 ? i : random_below(&random, 40));
	assert_int_equal(keymap_init(&m), ERR_OK);
	for (uint32_t step = 1; step <= STEPS; step++) {
		unsigned i = (unsigned)random_below(&random, KEYS);
		struct keymap_slot *slot = keymap_find(&m, keys[i]);

		assert_int_equal(slot != NULL ? slot->id : 0, ids[i]);
		if (random_below(&random, 2) == 0) {
			used -= ids[i] != 0;
			keymap_remove(&m, keys[i]);
			ids[i] = 0;
		} else {
			used += ids[i] == 0;
			slot = keymap_put(&m, keys[i]);
			assert_non_null(slot);
			assert_int_equal(slot->id, ids[i]);
			slot->id = ids[i] = step;
		}
		assert_int_equal(m.used, used);
	}
	for (unsigned i = 0; i < KEYS; i++)
		keymap_remove(&m, keys[i]);
	for (uint32_t i = 0; i <= m.mask; i++)
		assert_int_equal(m.slots[i].key, 0);
	keymap_clear(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_agrees_with_an_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
