/* test_page.c: what tools/build-page wrote can be found, whether the page was built or not. */
#include "web/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_there_is_a_page(void **state)
{
	const struct page_file *page = page_find("/");

	(void)state;
	assert_non_null(page);
	assert_string_equal(page->type, "text/html; charset=utf-8");
	assert_true(page->gzipped);
	assert_null(page_find(""));
	assert_null(page_find("/nothing"));
	assert_null(page_find("/assets/"));
	assert_null(page_find("/.stamp"));
}

/* Whatever was built: each file has a type, something in it, and one name. */
static void test_files(void **state)
{
	static const uint8_t gzip[] = { 0x1f, 0x8b };

	(void)state;
	assert_true(page_file_count > 0);
	for (size_t i = 0; i < page_file_count; i++) {
		const struct page_file *file = &page_files[i];

		assert_int_equal(file->path[0], '/');
		assert_non_null(strchr(file->type, '/'));
		assert_true(file->data.len > 20);
		assert_memory_equal(file->data.data, gzip, sizeof(gzip));
		assert_ptr_equal(page_find(file->path), file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_is_a_page),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
