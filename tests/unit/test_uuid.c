/* test_uuid.c: UUIDs as bytes and as text. */
#include "base/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *name, *text;
	enum err err;
} rows[] = {
	{ "as Python's uuid4 writes it", "a46de8d6-177e-4644-a711-63d182fdbade", ERR_OK },
	{ "capitals", "A46DE8D6-177E-4644-A711-63D182FDBADE", ERR_OK },
	{ "all zeros", "00000000-0000-0000-0000-000000000000", ERR_OK },
	{ "nothing", "", ERR_SYNTAX },
	{ "a digit short", "a46de8d6-177e-4644-a711-63d182fdbad", ERR_SYNTAX },
	{ "a digit long", "a46de8d6-177e-4644-a711-63d182fdbade0", ERR_SYNTAX },
	{ "no dashes", "a46de8d6177e4644a71163d182fdbade0000", ERR_SYNTAX },
	{ "a dash at a digit's place", "a46de8d6-177e-4644-a711-63d182fdbad-", ERR_SYNTAX },
	{ "no digit", "g46de8d6-177e-4644-a711-63d182fdbade", ERR_SYNTAX },
	{ "in braces", "{46de8d6-177e-4644-a711-63d182fdbad}", ERR_SYNTAX },
};

static void test_parse(void **state)
{
	uint8_t id[UUID_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (uuid_parse(slice_text(rows[i].text), id) != rows[i].err)
			fail_msg("%s", rows[i].name);
	}
}

static void test_text(void **state)
{
	static const uint8_t want[UUID_LEN] = { 0xa4, 0x6d, 0xe8, 0xd6, 0x17, 0x7e, 0x46, 0x44,
						0xa7, 0x11, 0x63, 0xd1, 0x82, 0xfd, 0xba, 0xde };
	char text[UUID_TEXT_MAX];
	uint8_t id[UUID_LEN];

	(void)state;
	assert_int_equal(uuid_parse(slice_text(rows[1].text), id), ERR_OK);
	assert_memory_equal(id, want, sizeof(id));
	uuid_text(id, text);
	assert_string_equal(text, rows[0].text);
}

/* RFC 9562, 5.4: version 4 in the high half of byte 6, variant 10 in the two top bits of 8. */
static void test_make(void **state)
{
	uint8_t ones[UUID_LEN], zeros[UUID_LEN] = { 0 };
	char text[UUID_TEXT_MAX];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	uuid_make(ones);
	uuid_make(zeros);
	uuid_text(ones, text);
	assert_string_equal(text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
	uuid_text(zeros, text);
	assert_string_equal(text, "00000000-0000-4000-8000-000000000000");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_make),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
