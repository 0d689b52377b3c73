#include "engine/gates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_full_gate_wakes_first_come_first_served(void **state)
{
	struct gates g;
	uint32_t id;

	(void)state;
	assert_int_equal(gates_init(&g, 4), ERR_OK);
	assert_true(gates_enter(&g, 5, 2));
	assert_true(gates_enter(&g, 5, 2));
	assert_false(gates_enter(&g, 5, 2));
	assert_int_equal(gates_park(&g, 5, 100), ERR_OK);
	assert_int_equal(gates_park(&g, 5, 101), ERR_OK);
	assert_false(gates_ready(&g, &id));
	gates_leave(&g, 5);
	assert_true(gates_ready(&g, &id));
	assert_int_equal(id, 100);
	assert_false(gates_ready(&g, &id));
	assert_true(gates_enter(&g, 5, 2));
	gates_leave(&g, 5);
	gates_leave(&g, 5);
	assert_true(gates_ready(&g, &id));
	assert_int_equal(id, 101);
	gates_clear(&g);
}

/* Whoever was woken and could not use the place lets the next one pass. */
static void a_place_not_used_is_passed_on(void **state)
{
	struct gates g;
	uint32_t id;

	(void)state;
	assert_int_equal(gates_init(&g, 4), ERR_OK);
	assert_true(gates_enter(&g, 9, 1));
	gates_park(&g, 9, 1);
	gates_park(&g, 9, 2);
	gates_leave(&g, 9);
	assert_true(gates_ready(&g, &id));
	assert_int_equal(id, 1);
	gates_pass_on(&g, 9);
	assert_true(gates_ready(&g, &id));
	assert_int_equal(id, 2);
	gates_pass_on(&g, 9); /* nobody waits: nothing */
	assert_false(gates_ready(&g, &id));
	gates_clear(&g);
}

/* Keys come and go by the thousand, in one run of slots: none may get lost. */
static void slots_survive_removal(void **state)
{
	enum { KEYS = 60 };
	struct gates g;

	(void)state;
	assert_int_equal(gates_init(&g, KEYS), ERR_OK);
	for (unsigned round = 0; round < 200; round++) {
		for (uint64_t k = 1; k <= KEYS; k++)
			assert_true(gates_enter(&g, (k << 40) + (round & 7) + 1 + k % 3, 1));
		for (uint64_t k = 1; k <= KEYS; k++)
			assert_false(gates_enter(&g, (k << 40) + (round & 7) + 1 + k % 3, 1));
		for (uint64_t k = KEYS; k >= 1; k--)
			gates_leave(&g, ((round % 2 ? k : KEYS + 1 - k) << 40) + (round & 7) + 1 +
						(round % 2 ? k : KEYS + 1 - k) % 3);
	}
	for (uint32_t i = 0; i <= g.mask; i++)
		assert_int_equal(g.slots[i].key, 0);
	gates_clear(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_gate_wakes_first_come_first_served),
		cmocka_unit_test(a_place_not_used_is_passed_on),
		cmocka_unit_test(slots_survive_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
