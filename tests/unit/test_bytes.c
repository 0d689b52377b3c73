/* test_bytes.c: readers and writers: values, ends, and that they stick at the first error. */
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t bytes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x88, 0xff, 0xff };

static void reads_values(void **state)
{
	struct reader r;

	(void)state;
	reader_init(&r, slice_of(bytes, sizeof(bytes)));
	assert_int_equal(reader_u8(&r, "a"), 0x01);
	assert_int_equal(reader_u16le(&r, "b"), 0x0302);
	assert_int_equal(reader_u16be(&r, "c"), 0x0405);
	assert_int_equal(reader_left(&r), 5);
	assert_int_equal(reader_bytes(&r, 3, "d").data[0], 0x06);
	reader_end(&r, "two are left");
	assert_int_equal(r.err, ERR_TRAILING);
	assert_int_equal(r.err_at, 8);

	reader_init(&r, slice_of(bytes, sizeof(bytes)));
	assert_true(reader_u64le(&r, "a") == 0x8807060504030201);
	reader_end(&r, "two are left");
	reader_init(&r, slice_of(bytes, 8));
	assert_true(reader_i64le(&r, "a") == (int64_t)0x8807060504030201);
	reader_end(&r, "nothing is left");
	assert_int_equal(r.err, ERR_OK);
	reader_init(&r, slice_of(bytes + 4, 4));
	assert_int_equal(reader_u32le(&r, "a"), 0x88070605);
	reader_init(&r, slice_of(bytes + 4, 4));
	assert_true(reader_i32le(&r, "a") == (int32_t)0x88070605);
}

/* Each row reads more than is there; the error is at the start of the field that is cut. */
static void read_u8(struct reader *r)
{
	reader_u8(r, "field");
}
static void read_u16le(struct reader *r)
{
	reader_u16le(r, "field");
}
static void read_u16be(struct reader *r)
{
	reader_u16be(r, "field");
}
static void read_u32le(struct reader *r)
{
	reader_u32le(r, "field");
}
static void read_u64le(struct reader *r)
{
	reader_u64le(r, "field");
}
static void read_i32le(struct reader *r)
{
	reader_i32le(r, "field");
}
static void read_bytes(struct reader *r)
{
	reader_bytes(r, SIZE_MAX, "field");
}
static void read_text(struct reader *r)
{
	reader_text(r, 11, "field");
}
static void read_hash(struct reader *r)
{
	reader_hash(r, "field");
}

static const struct {
	const char *name;
	void (*read)(struct reader *r);
	size_t needs;
} short_rows[] = {
	{ "u8", read_u8, 1 },
	{ "u16le", read_u16le, 2 },
	{ "u16be", read_u16be, 2 },
	{ "u32le", read_u32le, 4 },
	{ "u64le", read_u64le, 8 },
	{ "i32le", read_i32le, 4 },
	{ "huge bytes", read_bytes, 8 },
	{ "text", read_text, 8 },
	{ "hash", read_hash, 8 },
};

static void sticks_at_the_first_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(short_rows) / sizeof(*short_rows); i++) {
		struct reader r;

		reader_init(&r, slice_of(bytes, short_rows[i].needs - 1 + 2));
		reader_u16le(&r, "before");
		short_rows[i].read(&r);
		if (r.err != ERR_SHORT || r.err_at != 2 || strcmp(r.rule, "field") != 0)
			fail_msg("%s: error %s at %zu", short_rows[i].name, err_name(r.err),
				 r.err_at);
		/* A later failure, and a later success, change nothing. */
		reader_fail(&r, ERR_VALUE, "later");
		assert_int_equal(reader_u8(&r, "later"), 0);
		assert_int_equal(reader_bytes(&r, 0, "later").len, 0);
		assert_int_equal(reader_left(&r), 0);
		reader_end(&r, "later");
		assert_int_equal(r.err, ERR_SHORT);
		assert_int_equal(r.err_at, 2);
		assert_string_equal(r.rule, "field");
	}
}

static void empty_input(void **state)
{
	struct reader r;

	(void)state;
	reader_init(&r, slice_of(NULL, 0));
	assert_int_equal(reader_bytes(&r, 0, "nothing").len, 0);
	reader_end(&r, "empty");
	assert_int_equal(r.err, ERR_OK);

	struct writer w;

	writer_init(&w, NULL, 0);
	writer_bytes(&w, NULL, 0);
	writer_zeros(&w, 0);
	assert_int_equal(w.err, ERR_OK);
	writer_u8(&w, 0);
	assert_int_equal(w.err, ERR_FULL);
}

struct told {
	unsigned count;
	struct field last;
};

static void on_field(void *ctx, const struct field *field)
{
	struct told *told = ctx;

	told->count++;
	told->last = *field;
}

static void tells_each_field(void **state)
{
	struct told told = { 0 };
	struct reader r;

	(void)state;
	reader_init(&r, slice_of(bytes, sizeof(bytes)));
	r.on_field = on_field;
	r.on_field_ctx = &told;
	reader_group(&r, "list", 7);
	assert_int_equal(told.last.kind, FIELD_GROUP);
	assert_int_equal(told.last.value, 7);
	reader_u16be(&r, "port");
	assert_string_equal(told.last.name, "port");
	assert_int_equal(told.last.at, 0);
	assert_int_equal(told.last.len, 2);
	assert_int_equal(told.last.value, 0x0102);
	reader_time32le(&r, "time");
	assert_int_equal(told.last.kind, FIELD_TIME);
	assert_int_equal(told.last.at, 2);
	reader_hex32le(&r, "bits");
	assert_int_equal(told.last.kind, FIELD_HEX);
	assert_int_equal(told.last.value, 0xffff8807);
	assert_int_equal(told.count, 4);
	reader_u8(&r, "missing"); /* what isn't there isn't told */
	reader_group(&r, "list", 8);
	assert_int_equal(told.count, 4);

	reader_init(&r, slice_of(bytes + 8, 2));
	r.on_field = on_field;
	r.on_field_ctx = &told;
	reader_text(&r, 2, "text");
	assert_int_equal(told.last.kind, FIELD_TEXT);
	assert_int_equal(told.last.bytes.len, 2);
	assert_ptr_equal(told.last.bytes.data, bytes + 8);
}

static void signed_fields_keep_their_sign(void **state)
{
	static const uint8_t minus_two[] = { 0xfe, 0xff, 0xff, 0xff };
	struct told told = { 0 };
	struct reader r;

	(void)state;
	reader_init(&r, slice_of(minus_two, sizeof(minus_two)));
	r.on_field = on_field;
	r.on_field_ctx = &told;
	assert_int_equal(reader_i32le(&r, "height"), -2);
	assert_int_equal(told.last.kind, FIELD_INT);
	assert_true((int64_t)told.last.value == -2);
}

static void writes_values(void **state)
{
	static const uint8_t expected[] = { 0x01, 0x03, 0x02, 0x04, 0x05, 0x09, 0x08,
					    0x07, 0x06, 0x11, 0x10, 0x0f, 0x0e, 0x0d,
					    0x0c, 0x0b, 0x0a, 0x68, 0x69, 0x00, 0x00 };
	uint8_t out[sizeof(expected)];
	struct writer w;

	(void)state;
	memset(out, 0xaa, sizeof(out));
	writer_init(&w, out, sizeof(out));
	writer_u8(&w, 0x01);
	writer_u16le(&w, 0x0203);
	writer_u16be(&w, 0x0405);
	writer_u32le(&w, 0x06070809);
	writer_u64le(&w, 0x0a0b0c0d0e0f1011);
	writer_bytes(&w, "hi", 2);
	writer_zeros(&w, 2);
	writer_slice(&w, slice_of(NULL, 0));
	assert_true(writer_ok(&w));
	assert_int_equal(w.len, sizeof(expected));
	assert_memory_equal(out, expected, sizeof(expected));
}

static void a_full_writer_writes_nothing_more(void **state)
{
	uint8_t out[4] = { 9, 9, 9, 9 };
	struct writer w;

	(void)state;
	writer_init(&w, out, 3);
	writer_u16le(&w, 0);
	writer_u32le(&w, 0);
	assert_int_equal(w.err, ERR_FULL);
	writer_u8(&w, 1); /* would fit, but comes after the error */
	assert_int_equal(w.len, 2);
	assert_int_equal(out[2], 9);
	writer_fail(&w, ERR_VALUE);
	assert_int_equal(w.err, ERR_FULL);
}

static void slices(void **state)
{
	struct slice s = slice_text("peer");

	(void)state;
	assert_int_equal(s.len, 4);
	assert_true(slice_equal(slice_from(s, 2), slice_text("er")));
	assert_int_equal(slice_from(s, 4).len, 0);
	assert_int_equal(slice_from(s, 5).len, 0);
	assert_true(slice_equal(slice_of(NULL, 0), slice_text("")));
	assert_false(slice_equal(s, slice_text("peek")));
	assert_false(slice_equal(s, slice_text("pee")));
}

static void every_error_has_a_sentence(void **state)
{
	(void)state;
#define CHECK_ERR(name, text)                             \
	assert_string_equal(err_name(ERR_##name), #name); \
	assert_string_equal(err_text(ERR_##name), text);
	ERR_LIST(CHECK_ERR)
#undef CHECK_ERR
	assert_non_null(err_text((enum err)9999));
	assert_non_null(err_name((enum err)9999));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_values),
		cmocka_unit_test(sticks_at_the_first_error),
		cmocka_unit_test(empty_input),
		cmocka_unit_test(tells_each_field),
		cmocka_unit_test(signed_fields_keep_their_sign),
		cmocka_unit_test(writes_values),
		cmocka_unit_test(a_full_writer_writes_nothing_more),
		cmocka_unit_test(slices),
		cmocka_unit_test(every_error_has_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
