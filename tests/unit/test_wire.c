/* test_wire.c: the frame of Bitcoin's messages, and CompactSize. */
#include "base/hash.h"
#include "proto/bitcoin/wire.h"
#include "support/bitcoin.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const uint8_t mainnet[4] = { 0xf9, 0xbe, 0xb4, 0xd9 };

/* Each row is one rule of CompactSize; the maximum is 2^64 - 1 unless given. */
static const struct {
	const char *name, *hex;
	uint64_t value, max;
	enum err err;
} size_rows[] = {
	{ "zero", "00", 0, UINT64_MAX, ERR_OK },
	{ "last one-byte", "fc", 252, UINT64_MAX, ERR_OK },
	{ "first three-byte", "fdfd00", 253, UINT64_MAX, ERR_OK },
	{ "last three-byte", "fdffff", 65535, UINT64_MAX, ERR_OK },
	{ "first five-byte", "fe00000100", 65536, UINT64_MAX, ERR_OK },
	{ "last five-byte", "feffffffff", UINT32_MAX, UINT64_MAX, ERR_OK },
	{ "first nine-byte", "ff0000000001000000", 4294967296, UINT64_MAX, ERR_OK },
	{ "largest", "ffffffffffffffffff", UINT64_MAX, UINT64_MAX, ERR_OK },
	{ "at the limit", "fde803", 1000, 1000, ERR_OK },
	{ "padded to three", "fdfc00", 0, UINT64_MAX, ERR_NONCANONICAL },
	{ "padded to five", "feffff0000", 0, UINT64_MAX, ERR_NONCANONICAL },
	{ "padded to nine", "ffffffffff00000000", 0, UINT64_MAX, ERR_NONCANONICAL },
	{ "empty", "", 0, UINT64_MAX, ERR_SHORT },
	{ "three-byte cut short", "fd00", 0, UINT64_MAX, ERR_SHORT },
	{ "five-byte cut short", "fe000001", 0, UINT64_MAX, ERR_SHORT },
	{ "nine-byte cut short", "ff00000000010000", 0, UINT64_MAX, ERR_SHORT },
	{ "over the limit", "fde903", 0, 1000, ERR_LIMIT },
	{ "four gigabytes", "feffffffff", 0, BITCOIN_PAYLOAD_MAX, ERR_LIMIT },
};

static void compact_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(size_rows) / sizeof(*size_rows); i++) {
		uint8_t bytes[16] = { 0xaa }, out[9];
		struct slice in = from_hex(size_rows[i].hex, bytes + 1, sizeof(bytes) - 1);
		struct reader r;
		struct writer w;
		uint64_t v;

		/* One byte stands before, so that the place of an error isn't 0 by chance. */
		reader_init(&r, slice_of(bytes, in.len + 1));
		reader_u8(&r, "first");
		v = bitcoin_compact_size(&r, size_rows[i].max, "size", "the limit");
		if (r.err != size_rows[i].err || v != size_rows[i].value)
			fail_msg("row \"%s\": %s, %llu", size_rows[i].name, err_name(r.err),
				 (unsigned long long)v);
		if (r.err != ERR_OK) {
			assert_int_equal(r.err_at, 1);
			assert_non_null(r.rule);
			continue;
		}
		assert_int_equal(r.at, in.len + 1);
		writer_init(&w, out, sizeof(out));
		bitcoin_put_compact_size(&w, v);
		assert_true(slice_equal(in, slice_of(out, w.len)));
	}
}

static void compact_size_round_trip(void **state)
{
	struct random random = { 1 };

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t v = random_next(&random) >> random_below(&random, 64), back;
		uint8_t out[9];
		struct reader r;
		struct writer w;

		writer_init(&w, out, sizeof(out));
		bitcoin_put_compact_size(&w, v);
		reader_init(&r, slice_of(out, w.len));
		back = bitcoin_compact_size(&r, UINT64_MAX, "size", NULL);
		assert_true(reader_ok(&r) && back == v && reader_left(&r) == 0);
	}
}

/* Each row is one rule of the header. verack's checksum 5df6e0e2 is that of an empty
 * payload: the start of the double SHA-256 of nothing. */
static const struct {
	const char *name, *hex;
	enum err err;
	size_t at;
	enum bitcoin_command id;
	const char *command;
	uint32_t length;
} header_rows[] = {
	{ "verack", "f9beb4d9 76657261636b000000000000 00000000 5df6e0e2", ERR_OK, 0,
	  BITCOIN_VERACK, "verack", 0 },
	{ "a name of all twelve bytes", "f9beb4d9 6765746366636865636b7074 25000000 00000000",
	  ERR_OK, 0, BITCOIN_GETCFCHECKPT, "getcfcheckpt", 37 },
	{ "twelve bytes, unknown", "f9beb4d9 6162636465666768696a6b6c 00000000 5df6e0e2", ERR_OK, 0,
	  BITCOIN_UNKNOWN, "abcdefghijkl", 0 },
	{ "no name at all", "f9beb4d9 000000000000000000000000 00000000 5df6e0e2", ERR_OK, 0,
	  BITCOIN_UNKNOWN, "", 0 },
	{ "the beginning of a name", "f9beb4d9 76657261000000000000 0000 00000000 5df6e0e2", ERR_OK,
	  0, BITCOIN_UNKNOWN, "vera", 0 },
	{ "the longest payload", "f9beb4d9 626c6f636b00000000000000 00093d00 5df6e0e2", ERR_OK, 0,
	  BITCOIN_BLOCK, "block", 4000000 },
	{ "one byte too long", "f9beb4d9 626c6f636b00000000000000 01093d00 5df6e0e2", ERR_LIMIT, 16,
	  BITCOIN_BLOCK, "block", 4000001 },
	{ "four gigabytes", "f9beb4d9 61646472 0000000000000000 ffffffff 5df6e0e2", ERR_LIMIT, 16,
	  BITCOIN_ADDR, "addr", UINT32_MAX },
	{ "testnet's magic", "0b110907 76657261636b000000000000 00000000 5df6e0e2", ERR_MAGIC, 0,
	  BITCOIN_UNKNOWN, "", 0 },
	{ "one bit off", "f9beb4d8 76657261636b000000000000 00000000 5df6e0e2", ERR_MAGIC, 0,
	  BITCOIN_UNKNOWN, "", 0 },
	{ "a control character", "f9beb4d9 76651b61636b000000000000 05000000 01020304", ERR_VALUE,
	  6, BITCOIN_UNKNOWN, "ve?ack", 5 },
	{ "a byte over ASCII", "f9beb4d9 766572616390000000000000 00000000 5df6e0e2", ERR_VALUE, 9,
	  BITCOIN_UNKNOWN, "verac?", 0 },
	{ "more after the padding", "f9beb4d9 76657261636b000000000041 00000000 5df6e0e2",
	  ERR_VALUE, 15, BITCOIN_UNKNOWN, "verack", 0 },
	{ "bad name and too long", "f9beb4d9 7665721b636b000000000000 01093d00 5df6e0e2", ERR_LIMIT,
	  16, BITCOIN_UNKNOWN, "ver?ck", 4000001 },
	{ "empty", "", ERR_SHORT, 0, BITCOIN_UNKNOWN, "", 0 },
	{ "half a magic", "f9be", ERR_SHORT, 0, BITCOIN_UNKNOWN, "", 0 },
	{ "half a name", "f9beb4d9 7665", ERR_SHORT, 4, BITCOIN_UNKNOWN, "", 0 },
	{ "no length", "f9beb4d9 76657261636b000000000000 0000", ERR_SHORT, 16, BITCOIN_VERACK,
	  "verack", 0 },
	{ "no checksum", "f9beb4d9 76657261636b000000000000 00000000 5df6e0", ERR_SHORT, 20,
	  BITCOIN_VERACK, "verack", 0 },
};

static void headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(header_rows) / sizeof(*header_rows); i++) {
		uint8_t bytes[BITCOIN_HEADER_LEN + 1];
		struct bitcoin_header h;
		struct reader r;

		reader_init(&r, from_hex(header_rows[i].hex, bytes, sizeof(bytes)));
		bitcoin_header_decode(&r, mainnet, &h);
		if (r.err != header_rows[i].err || r.err_at != header_rows[i].at)
			fail_msg("row \"%s\": %s at %zu", header_rows[i].name, err_name(r.err),
				 r.err_at);
		assert_string_equal(h.command, header_rows[i].command);
		assert_int_equal(h.id, header_rows[i].id);
		assert_int_equal(h.length, header_rows[i].length);
	}
}

static void checksum(void **state)
{
	static const uint8_t verack[4] = { 0x5d, 0xf6, 0xe0, 0xe2 };
	uint8_t sum[4];

	(void)state;
	bitcoin_checksum(slice_of("", 0), sum);
	assert_memory_equal(sum, verack, 4);
}

static void message_in_place(void **state)
{
	uint8_t expected[64], out[64];
	struct slice verack = from_hex("f9beb4d9 76657261636b000000000000 00000000 5df6e0e2",
				       expected, sizeof(expected));
	struct writer w;
	size_t mark;

	(void)state;
	writer_init(&w, out, sizeof(out));
	writer_u8(&w, 7);
	mark = bitcoin_message_begin(&w);
	assert_int_equal(mark, 1);
	bitcoin_message_end(&w, mark, mainnet, BITCOIN_VERACK);
	assert_true(writer_ok(&w));
	assert_true(slice_equal(verack, slice_of(out + 1, w.len - 1)));

	/* No room: the error sticks, and nothing is written over the end. */
	writer_init(&w, out, BITCOIN_HEADER_LEN + 7);
	mark = bitcoin_message_begin(&w);
	writer_u64le(&w, 1);
	bitcoin_message_end(&w, mark, mainnet, BITCOIN_PING);
	assert_int_equal(w.err, ERR_FULL);
}

static void command_table(void **state)
{
	(void)state;
	for (unsigned i = BITCOIN_UNKNOWN + 1; i < BITCOIN_COMMAND_COUNT; i++) {
		const char *name = bitcoin_command_name((enum bitcoin_command)i);

		assert_in_range(strlen(name), 1, BITCOIN_COMMAND_LEN);
		assert_int_equal(bitcoin_command_find(name), i);
		assert_in_range(bitcoin_command_max((enum bitcoin_command)i), 1,
				BITCOIN_PAYLOAD_MAX);
	}
	assert_int_equal(bitcoin_command_find(""), BITCOIN_UNKNOWN);
	assert_int_equal(bitcoin_command_find("Version"), BITCOIN_UNKNOWN);
	assert_int_equal(bitcoin_command_max(BITCOIN_UNKNOWN), BITCOIN_PAYLOAD_MAX);
	assert_string_equal(bitcoin_command_name(BITCOIN_UNKNOWN), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compact_size),     cmocka_unit_test(compact_size_round_trip),
		cmocka_unit_test(headers),          cmocka_unit_test(checksum),
		cmocka_unit_test(message_in_place), cmocka_unit_test(command_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
