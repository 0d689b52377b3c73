#include "io/held.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SHARED = 1000 };

static void room_grows_with_what_has_come(void **state)
{
	static const struct {
		const char *name;
		uint32_t had;
		size_t len, need, cap;
	} rows[] = {
		{ "a little has the least", 0, 10, 0, HELD_LEAST },
		{ "but no more than it needs", 0, 10, 24, 24 },
		{ "what is announced is not believed", 0, 10, 4000000, HELD_LEAST },
		{ "twice what has come", 0, 10000, 4000000, 20000 },
		{ "up to what it needs", 0, 3000000, 4000000, 4000000 },
		{ "more than it needs is there", 0, 10000, 5000, 20000 },
		{ "small room stays", 20000, 10, 24, 20000 },
		{ "large room stays while it is used", 200000, 50000, 0, 200000 },
		{ "and is given back when less will do", 200000, 10, 24, 24 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct held h = { .cap = rows[i].had };
		size_t cap = held_cap(&h, rows[i].len, rows[i].need);

		if (cap != rows[i].cap)
			fail_msg("%s: %zu instead of %zu", rows[i].name, cap, rows[i].cap);
	}
}

/* As whoever reads does it: into the room, then what is left of the whole is kept. */
static void what_is_kept_is_read_on(void **state)
{
	uint8_t shared[SHARED] = "abcdef";
	struct held h = { 0 };
	size_t all = 7;
	uv_buf_t room = held_room(&h, shared, sizeof(shared));

	(void)state;
	assert_ptr_equal(room.base, shared);
	assert_int_equal(room.len, SHARED);
	assert_true(held_keep(&h, shared + 2, 4, held_cap(&h, 4, 10), &all));
	assert_int_equal(all, 7 + 10);
	room = held_room(&h, shared, sizeof(shared));
	assert_int_equal(room.len, 6);
	memcpy(room.base, "ghijkl", 6);
	/* Of ten, six were a message; the rest lies in what is held. */
	assert_true(held_keep(&h, h.bytes + 6, 4, held_cap(&h, 4, 5), &all));
	assert_int_equal(h.len, 4);
	assert_memory_equal(h.bytes, "ijkl", 4);
	assert_true(held_keep(&h, h.bytes, 4, held_cap(&h, 100000, 0), &all));
	assert_int_equal(all, 7 + 200000);
	assert_memory_equal(h.bytes, "ijkl", 4);
	held_clear(&h, &all);
	assert_int_equal(all, 7);
	assert_int_equal(held_room(&h, shared, sizeof(shared)).len, SHARED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room_grows_with_what_has_come),
		cmocka_unit_test(what_is_kept_is_read_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
