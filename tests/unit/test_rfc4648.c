/* test_rfc4648.c: digits of 5 and 6 bits. The vectors are those of RFC 4648, section 10, without
 * their padding. */
#include "base/rfc4648.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

static const struct {
	const char *bytes, *base32, *base64;
} vectors[] = {
	{ "", "", "" },
	{ "f", "MY", "Zg" },
	{ "fo", "MZXQ", "Zm8" },
	{ "foo", "MZXW6", "Zm9v" },
	{ "foob", "MZXW6YQ", "Zm9vYg" },
	{ "fooba", "MZXW6YTB", "Zm9vYmE" },
	{ "foobar", "MZXW6YTBOI", "Zm9vYmFy" },
	/* Section 5: the digits that are others than those of base64. */
	{ "\xfb\xff", "7P7Q", "-_8" },
};

static void published(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
		struct slice in = slice_text(vectors[i].bytes);
		char text[32], lower[32];
		uint8_t back[32];
		size_t len, at;

		assert_int_equal(base32_encode(in, true, text), BASE32_DIGITS(in.len));
		assert_string_equal(text, vectors[i].base32);
		base32_encode(in, false, lower);
		assert_int_equal(strcasecmp(text, lower), 0);
		assert_true(in.len == 0 || strcmp(text, lower) != 0);
		assert_true(base32_decode(slice_text(text), back, in.len));
		assert_memory_equal(back, in.data, in.len);
		assert_true(base32_decode(slice_text(lower), back, in.len));
		assert_memory_equal(back, in.data, in.len);
		assert_int_equal(base64url_encode(in, text), BASE64_DIGITS(in.len));
		assert_string_equal(text, vectors[i].base64);
		assert_int_equal(base64url_decode(slice_text(text), back, sizeof(back), &len, &at),
				 ERR_OK);
		assert_int_equal(len, in.len);
		assert_memory_equal(back, in.data, in.len);
	}
}

static void refused(void **state)
{
	static const struct {
		const char *name, *text;
		size_t bytes;
	} rows32[] = {
		{ "another length", "MZXW6", 4 }, { "no digit of it", "MZXW1", 3 },
		{ "padding", "MZXW6===", 5 },     { "bits left over", "MZXX", 2 },
		{ "blank", "MZ W6", 3 },
	};
	static const struct {
		const char *name, *text;
		size_t at;
		enum err err;
	} rows64[] = {
		{ "base64's own digit", "ab+c", 2, ERR_SYNTAX },
		{ "padding", "Zg==", 2, ERR_SYNTAX },
		{ "bits left over", "Zh", 1, ERR_SYNTAX },
		{ "a digit that adds no byte", "Zm9vA", 4, ERR_SYNTAX },
		{ "too long", "Zm9vYmFy", 5, ERR_LIMIT },
	};
	uint8_t out[4];
	size_t len, at;

	(void)state;
	for (unsigned i = 0; i < sizeof(rows32) / sizeof(*rows32); i++) {
		print_message("%s\n", rows32[i].name);
		assert_false(base32_decode(slice_text(rows32[i].text), out, rows32[i].bytes));
	}
	for (unsigned i = 0; i < sizeof(rows64) / sizeof(*rows64); i++) {
		print_message("%s\n", rows64[i].name);
		assert_int_equal(base64url_decode(slice_text(rows64[i].text), out, 3, &len, &at),
				 rows64[i].err);
		assert_int_equal(at, rows64[i].at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
