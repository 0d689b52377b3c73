#include "engine/late.h"

#include "base/addrset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MEMBERS = 5000 };

struct owner {
	struct late late;
	bool waits[LATE_CLASSES][MEMBERS];
	unsigned asked;
};

static bool waits(const void *ctx, uint32_t id)
{
	const struct owner *o = ctx;
	uint32_t position = id & ADDRSET_CLASS_MAX;

	((struct owner *)(uintptr_t)o)->asked++;
	return position < MEMBERS && o->waits[id >> ADDRSET_CLASS_SHIFT][position];
}

static struct owner *new_owner(void)
{
	struct owner *o = calloc(1, sizeof(*o));

	assert_non_null(o);
	return o;
}

static void owner_free(struct owner *o)
{
	late_clear(&o->late);
	free(o);
}

static void add(struct owner *o, unsigned class, uint32_t position)
{
	assert_int_equal(late_add(&o->late, addrset_id(class, position)), ERR_OK);
	o->waits[class][position] = true;
}

static bool take(struct owner *o, uint32_t *id)
{
	if (!late_next(&o->late, waits, o, id))
		return false;
	assert_true(waits(o, *id));
	o->waits[*id >> ADDRSET_CLASS_SHIFT][*id & ADDRSET_CLASS_MAX] = false;
	return true;
}

static void in_the_order_of_ids_whatever_the_order_of_waiting(void **state)
{
	static const uint32_t order[] = { 4999, 3, 1024, 1023, 2047, 0, 4096 };
	static const uint32_t sorted[] = { 0, 3, 1023, 1024, 2047, 4096, 4999 };
	struct owner *o = new_owner();
	uint32_t id;

	(void)state;
	assert_false(take(o, &id));
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		add(o, 0, order[i]);
	add(o, 1, 7);
	for (size_t i = 0; i < sizeof(sorted) / sizeof(*sorted); i++) {
		assert_true(take(o, &id));
		assert_int_equal(id, sorted[i]);
	}
	assert_true(take(o, &id));
	assert_int_equal(id, addrset_id(1, 7));
	assert_false(take(o, &id));
	owner_free(o);
}

/* Who begins to wait behind the place where the search stands is found in the next turn. */
static void those_behind_are_not_forgotten(void **state)
{
	struct owner *o = new_owner();
	uint32_t id;

	(void)state;
	add(o, 0, 3000);
	assert_true(take(o, &id));
	add(o, 0, 2999); /* of the same block */
	add(o, 0, 1);
	add(o, 1, 0);
	for (int i = 0; i < 3; i++)
		assert_true(take(o, &id));
	assert_false(take(o, &id));
	owner_free(o);
}

/* Against a plain list, with ids that come and go at random. */
static void nobody_is_lost_or_found_twice(void **state)
{
	struct owner *o = new_owner();
	struct random r = { 11 };
	unsigned waiting = 0, found = 0, added = 0;
	uint32_t id;

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		unsigned class = (unsigned)random_below(&r, LATE_CLASSES);
		uint32_t position = (uint32_t)random_below(&r, MEMBERS);

		if (random_below(&r, 2) == 0 && !o->waits[class][position]) {
			add(o, class, position);
			added++;
			waiting++;
		} else if (take(o, &id)) {
			found++;
			waiting--;
		} else {
			assert_int_equal(waiting, 0);
		}
	}
	for (; take(o, &id); found++)
		waiting--;
	assert_int_equal(waiting, 0);
	assert_int_equal(found, added);
	owner_free(o);
}

/* One that waits among millions: a block is looked at, not all of them. */
static void the_search_is_short(void **state)
{
	struct owner *o = new_owner();
	uint32_t id;

	(void)state;
	assert_int_equal(late_add(&o->late, ADDRSET_CLASS_MAX), ERR_OK);
	add(o, 0, 17);
	assert_true(take(o, &id));
	assert_int_equal(id, 17);
	add(o, 0, 16);
	add(o, 0, 4000);
	o->asked = 0;
	assert_true(take(o, &id));
	assert_true(o->asked <= LATE_BLOCK + 1);
	assert_true(late_bytes(&o->late) <= 64 * 1024);
	owner_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_the_order_of_ids_whatever_the_order_of_waiting),
		cmocka_unit_test(those_behind_are_not_forgotten),
		cmocka_unit_test(nobody_is_lost_or_found_twice),
		cmocka_unit_test(the_search_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
