/* test_rlp.c: RLP, read and written. */
#include "base/hash.h"
#include "proto/ethereum/rlp.h"
#include "support/hex.h"
#include "support/told.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Strings of the yellow paper's appendix B and its published examples. */
static const char lorem[] = "Lorem ipsum dolor sit amet, consectetur adipisicing elit";
static const struct {
	const char *name, *text, *hex;
} string_rows[] = {
	{ "dog", "dog", "83646f67" },
	{ "empty", "", "80" },
	{ "a byte below 80", "\x0f", "0f" },
	{ "the last of these", "\x7f", "7f" },
	{ "a byte from 80", "\x80", "8180" },
	{ "two bytes", "\x04\x01", "820401" },
	{ "56 bytes", lorem,
	  "b8384c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e7365637465747572"
	  "206164697069736963696e6720656c6974" },
};

static void strings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(string_rows) / sizeof(*string_rows); i++) {
		struct slice text = slice_text(string_rows[i].text), in, read;
		uint8_t bytes[80], out[80];
		struct reader r;
		struct writer w;

		in = hex_bytes(string_rows[i].hex, bytes, sizeof(bytes));
		reader_init(&r, in);
		read = rlp_bytes(&r, 0, 100, "text", "at most 100 bytes");
		if (!reader_ok(&r) || reader_left(&r) > 0 || !slice_equal(read, text))
			fail_msg("row \"%s\": %s", string_rows[i].name, err_name(r.err));
		writer_init(&w, out, sizeof(out));
		rlp_put_bytes(&w, text);
		assert_true(slice_equal(in, slice_of(out, w.len)));
		assert_int_equal(rlp_bytes_size(text), w.len);
	}
}

/* Each row is one rule of integers. "strict" and "lenient": what either mode makes of it. */
static const struct {
	const char *name, *hex;
	size_t bytes;
	uint64_t value;
	enum err strict, lenient;
} uint_rows[] = {
	{ "zero is empty", "80", 8, 0, ERR_OK, ERR_OK },
	{ "15", "0f", 8, 15, ERR_OK, ERR_OK },
	{ "127", "7f", 8, 127, ERR_OK, ERR_OK },
	{ "128", "8180", 8, 128, ERR_OK, ERR_OK },
	{ "1024", "820400", 8, 1024, ERR_OK, ERR_OK },
	{ "a port", "82765f", 2, 30303, ERR_OK, ERR_OK },
	{ "the largest", "88ffffffffffffffff", 8, UINT64_MAX, ERR_OK, ERR_OK },
	{ "a zero byte", "00", 8, 0, ERR_NONCANONICAL, ERR_OK },
	{ "port at fixed width", "820050", 2, 80, ERR_NONCANONICAL, ERR_OK },
	{ "time at fixed width", "8443b9a355", 8, 1136239445, ERR_OK, ERR_OK },
	{ "port in four bytes", "840000765f", 2, 30303, ERR_NONCANONICAL, ERR_OK },
	{ "zero in two bytes", "820000", 2, 0, ERR_NONCANONICAL, ERR_OK },
	{ "32 bytes of it", "a00000000000000000000000000000000000000000000000000000000000000001", 8,
	  1, ERR_NONCANONICAL, ERR_OK },
	{ "33 bytes of it", "a1000000000000000000000000000000000000000000000000000000000000000001",
	  8, 0, ERR_NONCANONICAL, ERR_LIMIT },
	{ "no port", "83010000", 2, 0, ERR_LIMIT, ERR_LIMIT },
	{ "nine bytes", "89010000000000000000", 8, 0, ERR_LIMIT, ERR_LIMIT },
	{ "a byte with a header", "817f", 8, 0, ERR_NONCANONICAL, ERR_NONCANONICAL },
	{ "a list", "c101", 8, 0, ERR_VALUE, ERR_VALUE },
	{ "cut short", "8204", 8, 0, ERR_SHORT, ERR_SHORT },
	{ "not there", "", 8, 0, ERR_SHORT, ERR_SHORT },
};

static void uints(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(uint_rows) / sizeof(*uint_rows); i++) {
		size_t row = i / 2;
		enum rlp_mode mode = i % 2 == 0 ? RLP_STRICT : RLP_LENIENT;
		enum err err = i % 2 == 0 ? uint_rows[row].strict : uint_rows[row].lenient;
		uint8_t bytes[64] = { 0xaa }, out[16];
		struct slice in = hex_bytes(uint_rows[row].hex, bytes + 1, sizeof(bytes) - 1);
		struct reader r;
		struct writer w;
		uint64_t v;

		/* One byte stands before, so that the place of an error isn't 0 by chance. */
		reader_init(&r, slice_of(bytes, in.len + 1));
		reader_u8(&r, "first");
		v = rlp_uint(&r, uint_rows[row].bytes, mode, "number");
		if (r.err != err || v != (err == ERR_OK ? uint_rows[row].value : 0))
			fail_msg("row \"%s\": %s, %llu", uint_rows[row].name, err_name(r.err),
				 (unsigned long long)v);
		if (err != ERR_OK) {
			assert_int_equal(r.err_at, 1);
			assert_non_null(r.rule);
		} else if (mode == RLP_STRICT) {
			writer_init(&w, out, sizeof(out));
			rlp_put_uint(&w, v);
			assert_true(slice_equal(in, slice_of(out, w.len)));
			assert_int_equal(rlp_uint_size(v), w.len);
		}
	}
}

/* Each row is one item or breaks one rule; names are what the hook is told. */
#define DEEP15 "cfcecdcccbcac9c8c7c6c5c4c3c2c1"
static const struct {
	const char *name, *hex;
	enum err err;
	size_t at;
	const char *fields;
} item_rows[] = {
	{ "a string", "83646f67", ERR_OK, 0, "item" },
	{ "a list", "c88363617483646f67", ERR_OK, 0, "item|item|item" },
	{ "an empty list", "c0", ERR_OK, 0, "item" },
	{ "the set theory of three", "c7c0c1c0c3c0c1c0", ERR_OK, 0,
	  "item|item|item|item|item|item|item|item" },
	{ "16 within each other", DEEP15 "c0", ERR_OK, 0, NULL },
	{ "17 within each other", "d0" DEEP15 "c0", ERR_LIMIT, 16, NULL },
	{ "vector: 8100", "8100", ERR_NONCANONICAL, 0, "" },
	{ "vector: 817f", "817f", ERR_NONCANONICAL, 0, "" },
	{ "vector: b800", "b800", ERR_NONCANONICAL, 0, "" },
	{ "vector: b80102", "b80102", ERR_NONCANONICAL, 0, "" },
	{ "vector: b90001aa", "b90001aa", ERR_NONCANONICAL, 0, "" },
	{ "vector: f80102", "f80102", ERR_NONCANONICAL, 0, "" },
	{ "vector: 83646f", "83646f", ERR_SHORT, 0, "" },
	{ "vector: c3836461", "c3836461", ERR_SHORT, 1, "item" },
	{ "vector: ff80..", "ff8000000000000000", ERR_SHORT, 0, "" },
	{ "the longest length", "bfffffffffffffffff", ERR_SHORT, 0, "" },
	{ "the length is cut short", "b901", ERR_SHORT, 0, "" },
	{ "nothing", "", ERR_SHORT, 0, "" },
	{ "a list longer than its bytes", "c20f", ERR_SHORT, 0, "" },
	{ "an element beyond its list", "c482ffff8201 ff", ERR_SHORT, 4, "item|item" },
	{ "more behind it", "0102", ERR_TRAILING, 1, "item" },
};

static void items(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(item_rows) / sizeof(*item_rows); i++) {
		uint8_t bytes[80];
		struct slice in = hex_bytes(item_rows[i].hex, bytes, sizeof(bytes));
		struct told told = { .covered = 0 };
		struct reader r;

		reader_init(&r, in);
		r.on_field = told_field;
		r.on_field_ctx = &told;
		rlp_any(&r, "item");
		reader_end(&r, "one item");
		if (r.err != item_rows[i].err || r.err_at != item_rows[i].at || told.gap)
			fail_msg("row \"%s\": %s at %zu", item_rows[i].name, err_name(r.err),
				 r.err_at);
		if (item_rows[i].fields != NULL)
			assert_string_equal(told.names, item_rows[i].fields);
		if (r.err == ERR_OK)
			assert_int_equal(told.covered, in.len);
		assert_int_equal(rlp_is_item(in), r.err == ERR_OK);
		assert_int_equal(r.len, in.len);
	}
}

static void count_list(void *ctx, const struct field *f)
{
	*(unsigned *)ctx += rlp_field_is_list(f);
}

/* Numbers that are as large as a list is long are none. */
static void lists_are_told_apart(void **state)
{
	uint8_t bytes[32];
	struct slice in = hex_bytes("cb 0a c5 83646f67 04 82ffff c0", bytes, sizeof(bytes));
	struct rlp_list outer, inner;
	unsigned count = 0;
	struct reader r;

	(void)state;
	reader_init(&r, in);
	r.on_field = count_list;
	r.on_field_ctx = &count;
	outer = rlp_enter(&r, "outer");
	rlp_uint(&r, 1, RLP_STRICT, "ten");
	assert_int_equal(count, 1);
	inner = rlp_enter(&r, "inner");
	rlp_text(&r, 3, "dog", "3 bytes");
	rlp_uint(&r, 1, RLP_STRICT, "four");
	rlp_leave(&r, &inner);
	rlp_leave(&r, &outer);
	assert_true(reader_ok(&r));
	assert_int_equal(count, 3); /* one of them is told as what is left */
}

static void lists(void **state)
{
	uint8_t bytes[32], out[32];
	struct slice in = hex_bytes("ca 05 c4 83646f67 82ffff c0 02", bytes, sizeof(bytes));
	struct told told = { .covered = 0 };
	struct rlp_list outer, inner;
	struct reader r;
	struct writer w;
	size_t a, b;

	(void)state;
	reader_init(&r, in);
	r.on_field = told_field;
	r.on_field_ctx = &told;
	outer = rlp_enter(&r, "outer");
	assert_int_equal(rlp_uint(&r, 1, RLP_STRICT, "five"), 5);
	inner = rlp_enter(&r, "inner");
	assert_true(slice_equal(rlp_text(&r, 3, "dog", "3 bytes"), slice_text("dog")));
	assert_false(rlp_more(&r));
	rlp_leave(&r, &inner);
	/* Two elements are left, of which nobody here knows. */
	assert_true(rlp_more(&r));
	rlp_leave(&r, &outer);
	assert_int_equal(rlp_uint(&r, 1, RLP_STRICT, "two"), 2);
	assert_true(reader_ok(&r) && reader_left(&r) == 0);
	assert_string_equal(told.names, "outer|five|inner|dog|more|more|two");
	assert_false(told.gap);

	writer_init(&w, out, sizeof(out));
	a = rlp_put_list(&w);
	rlp_put_uint(&w, 5);
	b = rlp_put_list(&w);
	rlp_put_bytes(&w, slice_text("dog"));
	rlp_end_list(&w, b);
	rlp_put_uint(&w, 65535);
	b = rlp_put_list(&w);
	rlp_end_list(&w, b);
	rlp_end_list(&w, a);
	rlp_put_uint(&w, 2);
	assert_true(slice_equal(in, slice_of(out, w.len)));
}

/* A list's header has no room: the error sticks, and nothing is written over the end. */
static void no_room(void **state)
{
	uint8_t out[8] = { 0 };
	struct writer w;
	size_t list;

	(void)state;
	writer_init(&w, out, 4);
	list = rlp_put_list(&w);
	writer_zeros(&w, 4);
	rlp_end_list(&w, list);
	assert_int_equal(w.err, ERR_FULL);
	assert_int_equal(out[4], 0);
	list = rlp_put_list(&w);
	rlp_end_list(&w, list);
	assert_int_equal(w.err, ERR_FULL);
}

/* A string where a list should be, and the reverse; sizes out of bounds. */
static void wrong_kinds(void **state)
{
	uint8_t bytes[8];
	struct rlp_list list;
	struct reader r;

	(void)state;
	reader_init(&r, hex_bytes("83646f67", bytes, sizeof(bytes)));
	list = rlp_enter(&r, "list");
	assert_int_equal(r.err, ERR_VALUE);
	rlp_leave(&r, &list);
	assert_int_equal(r.len, 4);
	reader_init(&r, hex_bytes("c20102", bytes, sizeof(bytes)));
	assert_int_equal(rlp_bytes(&r, 0, 8, "bytes", "a rule").len, 0);
	assert_int_equal(r.err, ERR_VALUE);
	reader_init(&r, hex_bytes("83646f67", bytes, sizeof(bytes)));
	rlp_bytes(&r, 4, 8, "bytes", "4 bytes");
	assert_int_equal(r.err, ERR_VALUE);
	assert_string_equal(r.rule, "4 bytes");
	reader_init(&r, hex_bytes("83646f67", bytes, sizeof(bytes)));
	rlp_text(&r, 2, "text", "2 bytes");
	assert_int_equal(r.err, ERR_VALUE);
}

static void put_random(struct writer *w, struct random *random, unsigned depth)
{
	static const uint8_t bytes[300];
	uint64_t kind = random_below(random, depth < 6 ? 4 : 2);
	size_t list;

	if (kind == 0) {
		rlp_put_uint(w, random_next(random) >> random_below(random, 64));
	} else if (kind == 1) {
		rlp_put_bytes(w, slice_of(bytes, random_below(random, sizeof(bytes))));
	} else {
		list = rlp_put_list(w);
		for (uint64_t n = random_below(random, 6); n > 0; n--)
			put_random(w, random, depth + 1);
		rlp_end_list(w, list);
	}
}

static void copy_item(struct reader *r, struct writer *w)
{
	struct rlp_item item = rlp_peek(r, "item");
	struct rlp_list list;
	size_t mark;

	if (!item.is_list) {
		rlp_put_bytes(w, rlp_bytes(r, 0, SIZE_MAX, "string", "any"));
		return;
	}
	list = rlp_enter(r, "list");
	mark = rlp_put_list(w);
	while (rlp_more(r))
		copy_item(r, w);
	rlp_end_list(w, mark);
	rlp_leave(r, &list);
}

/* What was written, read element by element and written again, is the same. */
static void round_trips(void **state)
{
	static uint8_t first[1 << 22], second[1 << 22];
	struct random random = { 3 };

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		struct writer w, again;
		struct reader r;

		writer_init(&w, first, sizeof(first));
		put_random(&w, &random, 0);
		assert_true(writer_ok(&w) && rlp_is_item(slice_of(first, w.len)));
		reader_init(&r, slice_of(first, w.len));
		writer_init(&again, second, sizeof(second));
		copy_item(&r, &again);
		assert_true(reader_ok(&r) && reader_left(&r) == 0);
		assert_true(slice_equal(slice_of(first, w.len), slice_of(second, again.len)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strings),     cmocka_unit_test(uints),
		cmocka_unit_test(items),       cmocka_unit_test(lists_are_told_apart),
		cmocka_unit_test(lists),       cmocka_unit_test(no_room),
		cmocka_unit_test(wrong_kinds), cmocka_unit_test(round_trips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
