#include "report/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Fields are joined with '|', rows with '$'. The rules are those of RFC 4180, section 2. */
static void rows(void **state)
{
	static const struct {
		const char *name, *in, *want;
		enum err err;
	} table[] = {
		{ "nothing", "", "", ERR_OK },
		{ "a row", "a,b,c\n", "a|b|c$", ERR_OK },
		{ "no newline at the end", "a,b", "a|b$", ERR_OK },
		{ "rule 1: CRLF", "a,b\r\nc,d\r\n", "a|b$c|d$", ERR_OK },
		{ "empty fields", ",,\n", "||$", ERR_OK },
		{ "empty line", "\na\n", "$a$", ERR_OK },
		{ "rule 4: spaces stay", " a , b\n", " a | b$", ERR_OK },
		{ "rule 5: quotes", "\"a\",\"b\"\n", "a|b$", ERR_OK },
		{ "rule 6: comma, break", "\"a,b\",\"c\nd\"\r\ne\n", "a,b|c\nd$e$", ERR_OK },
		{ "rule 7: doubled quote", "\"a\"\"b\",\"\"\"\"\n", "a\"b|\"$", ERR_OK },
		{ "empty in quotes", "\"\",x\n", "|x$", ERR_OK },
		{ "quoted, then CRLF", "\"a\"\r\n\"b\"\r\n", "a$b$", ERR_OK },
		{ "a quote inside", "a\"b,c\n", "a\"b|c$", ERR_OK },
		{ "no end of a quote", "a,\"b\n", "", ERR_SYNTAX },
		{ "text behind a quote", "\"a\"b\n", "", ERR_SYNTAX },
		{ "the second row", "a\n\"b", "a$", ERR_SYNTAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct text got = { 0 };
		struct csv csv;
		enum err err;

		print_message("%s\n", table[i].name);
		text_add(&got, "");
		csv_init(&csv, slice_text(table[i].in));
		while (csv_next(&csv, &err)) {
			for (size_t f = 0; f < csv.count; f++) {
				text_add(&got, f > 0 ? "|" : "");
				text_add_slice(&got, csv.fields[f]);
			}
			text_add(&got, "$");
		}
		assert_int_equal(err, table[i].err);
		assert_string_equal(got.data, table[i].want);
		csv_clear(&csv);
		text_clear(&got);
	}
}

static void too_many_fields(void **state)
{
	struct text in = { 0 };
	struct csv csv;
	enum err err;

	(void)state;
	for (unsigned i = 0; i < CSV_FIELDS_MAX - 1; i++)
		text_add(&in, ",");
	csv_init(&csv, slice_of(in.data, in.len));
	assert_true(csv_next(&csv, &err));
	assert_int_equal(csv.count, CSV_FIELDS_MAX);
	csv_clear(&csv);
	text_add(&in, ",");
	csv_init(&csv, slice_of(in.data, in.len));
	assert_false(csv_next(&csv, &err));
	assert_int_equal(err, ERR_LIMIT);
	csv_clear(&csv);
	text_clear(&in);
}

static void lines_and_names(void **state)
{
	struct csv csv;
	enum err err;

	(void)state;
	csv_init(&csv, slice_text("peer,kind\n\"a\nb\",c\nd,e\n"));
	assert_true(csv_next(&csv, &err));
	assert_int_equal(csv.line, 1);
	assert_int_equal(csv_find(&csv, "kind"), 1);
	assert_int_equal(csv_find(&csv, "kin"), -1);
	assert_true(csv_next(&csv, &err));
	assert_int_equal(csv.line, 2);
	assert_true(csv_next(&csv, &err));
	assert_int_equal(csv.line, 4);
	assert_false(csv_next(&csv, &err));
	csv_clear(&csv);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(too_many_fields),
		cmocka_unit_test(lines_and_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
