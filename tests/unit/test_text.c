/* test_text.c: escaping what strangers wrote, hex, units, times. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LITERAL(s) (s), sizeof(s) - 1

static const struct {
	const char *name;
	const char *in;
	size_t len;
	const char *out;
} escape_rows[] = {
	{ "empty", LITERAL(""), "" },
	{ "an honest agent", LITERAL("/Satoshi:27.0.0/"), "/Satoshi:27.0.0/" },
	{ "all punctuation", LITERAL(" !\"#$%&'()*+,-./:;<=>?@[]^_`{|}~"),
	  " !\"#$%&'()*+,-./:;<=>?@[]^_`{|}~" },
	{ "backslash", LITERAL("a\\x41"), "a\\\\x41" },
	{ "NUL inside", LITERAL("a\0b"), "a\\x00b" },
	{ "line ends", LITERAL("a\r\nb\t"), "a\\x0d\\x0ab\\x09" },
	{ "escape sequence", LITERAL("\x1b[2Jhi\x7f"), "\\x1b[2Jhi\\x7f" },
	{ "letters of two, three, four bytes", LITERAL("\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80"),
	  "\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80" },
	{ "C1 as UTF-8",
	  LITERAL("\xc2\x9b"
		  "2J"),
	  "\\xc2\\x9b2J" },
	{ "C1 as a byte",
	  LITERAL("\x9b"
		  "2J"),
	  "\\x9b2J" },
	{ "no-break space", LITERAL("\xc2\xa0"), "\\xc2\\xa0" },
	{ "right-to-left override",
	  LITERAL("a\xe2\x80\xae"
		  "b"),
	  "a\\xe2\\x80\\xaeb" },
	{ "isolate", LITERAL("\xe2\x81\xa6"), "\\xe2\\x81\\xa6" },
	{ "zero-width space", LITERAL("\xe2\x80\x8b"), "\\xe2\\x80\\x8b" },
	{ "line separator", LITERAL("\xe2\x80\xa8"), "\\xe2\\x80\\xa8" },
	{ "a dash is a letter to us", LITERAL("\xe2\x80\x93"), "\xe2\x80\x93" },
	{ "byte order mark", LITERAL("\xef\xbb\xbf"), "\\xef\\xbb\\xbf" },
	{ "tag character", LITERAL("\xf3\xa0\x81\x81"), "\\xf3\\xa0\\x81\\x81" },
	{ "overlong slash", LITERAL("\xc0\xaf"), "\\xc0\\xaf" },
	{ "overlong, three bytes", LITERAL("\xe0\x80\xaf"), "\\xe0\\x80\\xaf" },
	{ "surrogate", LITERAL("\xed\xa0\x80"), "\\xed\\xa0\\x80" },
	{ "beyond Unicode", LITERAL("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80" },
	{ "five-byte form", LITERAL("\xf8\x88\x80\x80\x80"), "\\xf8\\x88\\x80\\x80\\x80" },
	{ "cut short", LITERAL("a\xe4\xb8"), "a\\xe4\\xb8" },
	{ "lead byte, then a letter",
	  LITERAL("\xc3"
		  "A"),
	  "\\xc3A" },
	{ "bytes that are never UTF-8", LITERAL("\xfe\xff"), "\\xfe\\xff" },
};

static void escapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(escape_rows) / sizeof(*escape_rows); i++) {
		struct slice in = slice_of(escape_rows[i].in, escape_rows[i].len);
		struct text t = { 0 };
		char fixed[128];
		size_t len;

		text_add_escaped(&t, in);
		len = text_escape(in, fixed, sizeof(fixed));
		if (strcmp(t.data, escape_rows[i].out) != 0)
			fail_msg("%s: %s", escape_rows[i].name, t.data);
		assert_string_equal(fixed, t.data);
		assert_int_equal(len, t.len);
		text_clear(&t);
	}
}

/* Whatever bytes come in, what comes out can't steer a terminal. */
static void escapes_every_pair_of_bytes(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair < 0x10000; pair++) {
		uint8_t in[2] = { (uint8_t)(pair >> 8), (uint8_t)pair };
		char out[16];
		size_t len = text_escape(slice_of(in, 2), out, sizeof(out));

		assert_int_equal(strlen(out), len);
		for (size_t i = 0; i < len; i++) {
			uint8_t c = (uint8_t)out[i];

			assert_true(c >= 0x20 && c != 0x7f);
			/* C1 in UTF-8 is c2 80 .. c2 9f. */
			assert_false(c == 0xc2 && (uint8_t)out[i + 1] < 0xa0);
		}
	}
}

static void escape_cuts_between_characters(void **state)
{
	static const char *const expected[] = { NULL,     "",       "a",
						"a",      "a",      "a",
						"a\\x01", "a\\x01", "a\\x01\xc3\xa9" };
	char out[16];

	(void)state;
	assert_int_equal(text_escape(slice_text("a"), NULL, 0), 0);
	for (size_t cap = 1; cap <= 8; cap++) {
		assert_int_equal(text_escape(slice_text("a\x01\xc3\xa9"), out, cap),
				 strlen(expected[cap]));
		assert_string_equal(out, expected[cap]);
	}
}

static const struct {
	const char *name, *in, *out;
} csv_rows[] = {
	{ "plain", "/Satoshi:27.0.0/", "/Satoshi:27.0.0/" },
	{ "empty", "", "" },
	{ "comma", "a,b", "\"a,b\"" },
	{ "quote", "a\"b", "\"a\"\"b\"" },
	{ "line end", "a\nb", "a\\x0ab" },
	{ "blanks at the edge", " a", "\" a\"" },
	{ "formula", "=1+1", "'=1+1" },
	{ "formula with a comma", "=cmd(1,\"2\")", "\"'=cmd(1,\"\"2\"\")\"" },
	{ "formula behind a blank", " =1", "\"' =1\"" },
	{ "plus", "+1", "'+1" },
	{ "minus", "-1", "'-1" },
	{ "at", "@SUM", "'@SUM" },
	{ "full-width equals",
	  "\xef\xbc\x9d"
	  "1",
	  "'\xef\xbc\x9d"
	  "1" },
	{ "equals later on", "a=1", "a=1" },
	{ "a semicolon is quoted", "a;b", "\"a;b\"" },
	{ "a formula behind a semicolon", "a;=1", "\"a\\x3b=1\"" },
	{ "blanks and quotes between", "a; \"=1;", "\"a\\x3b \"\"=1;\"" },
	{ "at the start, too", ";-1", "\"\\x3b-1\"" },
	{ "full-width behind a semicolon", "a;\uff20x", "\"a\\x3b\uff20x\"" },
	{ "semicolons one after the other", ";;+1", "\";\\x3b+1\"" },
};

static void csv_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(csv_rows) / sizeof(*csv_rows); i++) {
		struct text t = { 0 };

		text_add_csv(&t, slice_text(csv_rows[i].in));
		if (strcmp(t.data, csv_rows[i].out) != 0)
			fail_msg("%s: %s", csv_rows[i].name, t.data);
		text_clear(&t);
	}
}

static void text_grows(void **state)
{
	struct text t = { 0 };

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		text_printf(&t, "%03u,", i);
	assert_int_equal(t.err, ERR_OK);
	assert_int_equal(t.len, 4000);
	assert_int_equal(strlen(t.data), 4000);
	assert_memory_equal(t.data + 3996, "999,", 5);
	text_printf(&t, "%*d", 100000, 5);
	assert_int_equal(t.len, 104000);
	assert_memory_equal(t.data + 103998, " 5", 3);
	text_clear(&t);
	assert_null(t.data);
	text_add(&t, "");
	assert_string_equal(t.data, "");
	text_clear(&t);
}

static const struct {
	const char *name, *text, *hex;
	size_t cap;
	enum err err;
} hex_rows[] = {
	{ "both cases", "00fFAb9", NULL, 8, ERR_SYNTAX },
	{ "even", "00fFAb", "00ffab", 3, ERR_OK },
	{ "empty", "", "", 0, ERR_OK },
	{ "no digit", "0g", NULL, 8, ERR_SYNTAX },
	{ "blank", "00 01", NULL, 8, ERR_SYNTAX },
	{ "sign", "-1", NULL, 8, ERR_SYNTAX },
	{ "too long", "000102", NULL, 2, ERR_FULL },
};

static void hex(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hex_rows) / sizeof(*hex_rows); i++) {
		uint8_t out[8];
		char back[17];
		size_t len;
		enum err err = hex_decode(slice_text(hex_rows[i].text), out, hex_rows[i].cap, &len);

		if (err != hex_rows[i].err)
			fail_msg("%s: %s", hex_rows[i].name, err_name(err));
		if (err != ERR_OK)
			continue;
		hex_encode(slice_of(out, len), back);
		assert_string_equal(back, hex_rows[i].hex);
	}
}

static const struct {
	const char *text;
	enum err (*parse)(const char *text, uint64_t *out);
	enum err err;
	uint64_t value;
} quantity_rows[] = {
	{ "250ms", parse_duration, ERR_OK, 250 },
	{ "5s", parse_duration, ERR_OK, 5000 },
	{ "5", parse_duration, ERR_OK, 5000 },
	{ "0", parse_duration, ERR_OK, 0 },
	{ "1.5s", parse_duration, ERR_OK, 1500 },
	{ "0.0015s", parse_duration, ERR_OK, 1 },
	{ "10m", parse_duration, ERR_OK, 600000 },
	{ "2h", parse_duration, ERR_OK, 7200000 },
	{ "90d", parse_duration, ERR_OK, 7776000000 },
	{ "36525d", parse_duration, ERR_OK, 3155760000000 },
	{ "36526d", parse_duration, ERR_LIMIT, 0 },
	{ "99999999999999999999", parse_duration, ERR_LIMIT, 0 },
	{ "18446744073709551615d", parse_duration, ERR_LIMIT, 0 },
	{ "", parse_duration, ERR_SYNTAX, 0 },
	{ "s", parse_duration, ERR_SYNTAX, 0 },
	{ "-5s", parse_duration, ERR_SYNTAX, 0 },
	{ "+5s", parse_duration, ERR_SYNTAX, 0 },
	{ "5 s", parse_duration, ERR_SYNTAX, 0 },
	{ "5S", parse_duration, ERR_SYNTAX, 0 },
	{ "5sec", parse_duration, ERR_SYNTAX, 0 },
	{ "1.s", parse_duration, ERR_SYNTAX, 0 },
	{ ".5s", parse_duration, ERR_SYNTAX, 0 },
	{ "1e3", parse_duration, ERR_SYNTAX, 0 },
	{ "0x10", parse_duration, ERR_SYNTAX, 0 },
	{ "4096", parse_size, ERR_OK, 4096 },
	{ "10KiB", parse_size, ERR_OK, 10240 },
	{ "64MiB", parse_size, ERR_OK, 67108864 },
	{ "1.5MiB", parse_size, ERR_OK, 1572864 },
	{ "1GB", parse_size, ERR_OK, 1000000000 },
	{ "16777215TiB", parse_size, ERR_OK, 18446742974197923840U },
	{ "16777216TiB", parse_size, ERR_LIMIT, 0 },
	{ "1M", parse_size, ERR_SYNTAX, 0 },
};

static void quantities(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(quantity_rows) / sizeof(*quantity_rows); i++) {
		uint64_t v = 7;
		enum err err = quantity_rows[i].parse(quantity_rows[i].text, &v);

		if (err != quantity_rows[i].err || (err == ERR_OK && v != quantity_rows[i].value))
			fail_msg("\"%s\": %s, %llu", quantity_rows[i].text, err_name(err),
				 (unsigned long long)v);
	}
}

static const struct {
	const char *text;
	enum err (*parse)(const char *text, double *out);
	enum err err;
	double value;
} real_rows[] = {
	{ "2000/s", parse_rate, ERR_OK, 2000 },    { "500", parse_rate, ERR_OK, 500 },
	{ "90/m", parse_rate, ERR_OK, 1.5 },       { "1800/h", parse_rate, ERR_OK, 0.5 },
	{ "0.5/s", parse_rate, ERR_OK, 0.5 },      { "5/", parse_rate, ERR_SYNTAX, 0 },
	{ "/s", parse_rate, ERR_SYNTAX, 0 },       { "5/d", parse_rate, ERR_SYNTAX, 0 },
	{ "nan", parse_rate, ERR_SYNTAX, 0 },      { "inf", parse_rate, ERR_SYNTAX, 0 },
	{ "0.25", parse_fraction, ERR_OK, 0.25 },  { "25%", parse_fraction, ERR_OK, 0.25 },
	{ "0", parse_fraction, ERR_OK, 0 },        { "1", parse_fraction, ERR_OK, 1 },
	{ "100%", parse_fraction, ERR_OK, 1 },     { "1.01", parse_fraction, ERR_LIMIT, 0 },
	{ "101%", parse_fraction, ERR_LIMIT, 0 },  { "-0.1", parse_fraction, ERR_SYNTAX, 0 },
	{ "25 %", parse_fraction, ERR_SYNTAX, 0 },
};

static void reals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(real_rows) / sizeof(*real_rows); i++) {
		double v = 7, diff;
		enum err err = real_rows[i].parse(real_rows[i].text, &v);

		diff = v - real_rows[i].value;
		if (err != real_rows[i].err || diff > 1e-12 || diff < -1e-12)
			fail_msg("\"%s\": %s, %g", real_rows[i].text, err_name(err), v);
	}
}

static const struct {
	const char *text;
	uint64_t max;
	enum err err;
	uint64_t value;
} uint_rows[] = {
	{ "0", 0, ERR_OK, 0 },
	{ "65535", 65535, ERR_OK, 65535 },
	{ "65536", 65535, ERR_LIMIT, 0 },
	{ "18446744073709551615", UINT64_MAX, ERR_OK, UINT64_MAX },
	{ "18446744073709551616", UINT64_MAX, ERR_LIMIT, 0 },
	{ "", 9, ERR_SYNTAX, 0 },
	{ "1.0", 9, ERR_SYNTAX, 0 },
	{ "1x", 9, ERR_SYNTAX, 0 },
	{ "-1", 9, ERR_SYNTAX, 0 },
	{ " 1", 9, ERR_SYNTAX, 0 },
};

static void uints(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(uint_rows) / sizeof(*uint_rows); i++) {
		uint64_t v = 7;
		enum err err = parse_uint(uint_rows[i].text, uint_rows[i].max, &v);

		if (err != uint_rows[i].err || v != uint_rows[i].value)
			fail_msg("\"%s\": %s, %llu", uint_rows[i].text, err_name(err),
				 (unsigned long long)v);
	}
}

static void times(void **state)
{
	char out[32];

	(void)state;
	assert_int_equal(format_time(0, false, out), 20);
	assert_string_equal(out, "1970-01-01T00:00:00Z");
	/* 1,000,000,000 s is known as 2001-09-09T01:46:40Z. */
	format_time(1000000000250, true, out);
	assert_string_equal(out, "2001-09-09T01:46:40.250Z");
	format_time(1000000000250, false, out);
	assert_string_equal(out, "2001-09-09T01:46:40Z");
	format_time(951782400000, true, out); /* a leap day in a year divisible by 400 */
	assert_string_equal(out, "2000-02-29T00:00:00.000Z");
	assert_int_equal(format_time(-1, true, out), 0);
	assert_string_equal(out, "");
	format_time(INT64_MAX, true, out); /* the longest fits */
	assert_string_equal(out, "292278994-08-17T07:12:55.807Z");
}

static const struct {
	size_t (*format)(uint64_t n, char out[static 32]);
	uint64_t n;
	const char *out;
} format_rows[] = {
	{ format_count, 0, "0" },
	{ format_count, 999, "999" },
	{ format_count, 1000, "1,000" },
	{ format_count, 1234567, "1,234,567" },
	{ format_count, UINT64_MAX, "18,446,744,073,709,551,615" },
	{ format_bytes, 0, "0 B" },
	{ format_bytes, 1023, "1023 B" },
	{ format_bytes, 1024, "1.0 KiB" },
	{ format_bytes, 1572864, "1.5 MiB" },
	{ format_bytes, 1048575, "1023.9 KiB" },
	{ format_bytes, UINT64_MAX, "15.9 EiB" },
	{ format_duration, 0, "0 ms" },
	{ format_duration, 999, "999 ms" },
	{ format_duration, 12345, "12.3 s" },
	{ format_duration, 59999, "59.9 s" },
	{ format_duration, 245000, "4 min 05 s" },
	{ format_duration, 7380000, "2 h 03 min" },
	{ format_duration, 86400000, "1 d 00 h" },
	{ format_duration, UINT64_MAX, "213503982334 d 14 h" },
};

static void formats(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(format_rows) / sizeof(*format_rows); i++) {
		char out[32];
		size_t len = format_rows[i].format(format_rows[i].n, out);

		assert_string_equal(out, format_rows[i].out);
		assert_int_equal(len, strlen(out));
	}
}

static const struct {
	const char *name, *text;
	enum err err;
	int64_t unix_ms;
} points_in_time[] = {
	{ "a day", "2001-09-09", ERR_OK, 999993600000 },
	{ "the first", "1970-01-01", ERR_OK, 0 },
	{ "minutes", "2001-09-09T01:46", ERR_OK, 999999960000 },
	{ "seconds", "2001-09-09T01:46:40", ERR_OK, 1000000000000 },
	{ "as format_time writes it", "2001-09-09T01:46:40Z", ERR_OK, 1000000000000 },
	{ "the same with milliseconds", "2001-09-09T01:46:40.250Z", ERR_OK, 1000000000250 },
	{ "a blank", "2001-09-09 01:46:40", ERR_OK, 1000000000000 },
	{ "ahead of UTC", "2001-09-09T03:46:40+02:00", ERR_OK, 1000000000000 },
	{ "behind", "2001-09-08T22:16:40-03:30", ERR_OK, 1000000000000 },
	{ "a leap day", "2000-02-29", ERR_OK, 951782400000 },
	{ "the last", "9999-12-31T23:59:59.999Z", ERR_OK, 253402300799999 },
	{ "no leap day", "1900-02-29", ERR_VALUE, 0 },
	{ "nor here", "2001-02-29", ERR_VALUE, 0 },
	{ "the 31st of June", "2001-06-31", ERR_VALUE, 0 },
	{ "month 13", "2001-13-01", ERR_VALUE, 0 },
	{ "month 0", "2001-00-01", ERR_VALUE, 0 },
	{ "day 0", "2001-01-00", ERR_VALUE, 0 },
	{ "24 hours", "2001-01-01T24:00", ERR_VALUE, 0 },
	{ "60 minutes", "2001-01-01T12:60", ERR_VALUE, 0 },
	{ "zone of 24 hours", "2001-01-01T12:00+24:00", ERR_VALUE, 0 },
	{ "before 1970", "1969-12-31", ERR_VALUE, 0 },
	{ "before 1970 by its zone", "1970-01-01T00:00+01:00", ERR_VALUE, 0 },
	{ "nothing", "", ERR_SYNTAX, 0 },
	{ "a year", "2001", ERR_SYNTAX, 0 },
	{ "a month", "2001-09", ERR_SYNTAX, 0 },
	{ "one digit", "2001-9-9", ERR_SYNTAX, 0 },
	{ "no dashes", "20010909", ERR_SYNTAX, 0 },
	{ "an hour alone", "2001-09-09T01", ERR_SYNTAX, 0 },
	{ "nothing behind T", "2001-09-09T", ERR_SYNTAX, 0 },
	{ "half a zone", "2001-09-09T01:46+02", ERR_SYNTAX, 0 },
	{ "two zones", "2001-09-09T01:46Z+02:00", ERR_SYNTAX, 0 },
	{ "another zone", "2001-09-09T01:46 CET", ERR_SYNTAX, 0 },
	{ "a day with a zone", "2001-09-09Z", ERR_SYNTAX, 0 },
	{ "two digits of milliseconds", "2001-09-09T01:46:40.25Z", ERR_SYNTAX, 0 },
	{ "milliseconds without seconds", "2001-09-09T01:46.250", ERR_SYNTAX, 0 },
	{ "a sign", "-001-09-09", ERR_SYNTAX, 0 },
	{ "more", "2001-09-09 ", ERR_SYNTAX, 0 },
	{ "a word", "yesterday", ERR_SYNTAX, 0 },
};

static void parsed_times(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(points_in_time) / sizeof(*points_in_time); i++) {
		int64_t got = 77;

		print_message("%s\n", points_in_time[i].name);
		assert_int_equal(parse_time(points_in_time[i].text, &got), points_in_time[i].err);
		assert_int_equal(got, points_in_time[i].unix_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes),
		cmocka_unit_test(escapes_every_pair_of_bytes),
		cmocka_unit_test(escape_cuts_between_characters),
		cmocka_unit_test(csv_fields),
		cmocka_unit_test(text_grows),
		cmocka_unit_test(hex),
		cmocka_unit_test(quantities),
		cmocka_unit_test(reals),
		cmocka_unit_test(uints),
		cmocka_unit_test(times),
		cmocka_unit_test(parsed_times),
		cmocka_unit_test(formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
