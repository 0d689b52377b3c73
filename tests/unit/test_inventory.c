/* test_inventory.c: inv and its kin, locators, headers, and filters. */
#include "base/hash.h"
#include "support/bitcoin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define H32    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEADER "01000000" H32 H32 "29ab5f49 ffff001d 1dac2b7c"
#define HEADER_NAMES \
	"version|previous block|merkle root|time|bits|nonce|block hash|transaction count"

static const struct payload_row rows[] = {
	{ "inv of nothing", BITCOIN_INV, "00", ERR_OK, 0, "count" },
	{ "inv", BITCOIN_INV, "02 01000000" H32 "02000000" H32, ERR_OK, 0,
	  "count|entry#0|type|hash|entry#1|type|hash" },
	{ "getdata", BITCOIN_GETDATA, "01 02000040" H32, ERR_OK, 0, "count|entry#0|type|hash" },
	{ "notfound", BITCOIN_NOTFOUND, "01 05000000" H32, ERR_OK, 0, "count|entry#0|type|hash" },
	{ "inv of an unknown type", BITCOIN_INV, "01 63000000" H32, ERR_OK, 0, NULL },
	{ "inv of 50,001", BITCOIN_INV, "fd51c3", ERR_LIMIT, 0, NULL },
	{ "inv of 2^32", BITCOIN_INV, "ff0000000001000000", ERR_LIMIT, 0, NULL },
	{ "inv, count padded", BITCOIN_INV, "fd0100", ERR_NONCANONICAL, 0, NULL },
	{ "inv, cut in a hash", BITCOIN_INV, "01 01000000 0001", ERR_SHORT, 5, NULL },
	{ "inv, second missing", BITCOIN_INV, "02 01000000" H32, ERR_SHORT, 37, NULL },
	{ "inv, one more", BITCOIN_INV, "00 01000000", ERR_TRAILING, 1, NULL },
	{ "getheaders", BITCOIN_GETHEADERS, "7f110100 02" H32 H32 H32, ERR_OK, 0,
	  "protocol|count|block hash|block hash|stop hash" },
	{ "getblocks", BITCOIN_GETBLOCKS, "7f110100 00" H32, ERR_OK, 0,
	  "protocol|count|stop hash" },
	{ "a locator of 102", BITCOIN_GETHEADERS, "7f110100 66", ERR_LIMIT, 4, NULL },
	{ "a locator without stop", BITCOIN_GETHEADERS, "7f110100 01" H32 "00", ERR_SHORT, 37,
	  NULL },
	{ "a locator cut short", BITCOIN_GETHEADERS, "7f110100 02" H32 "00", ERR_SHORT, 37, NULL },
	{ "no headers", BITCOIN_HEADERS, "00", ERR_OK, 0, "count" },
	{ "headers", BITCOIN_HEADERS, "02" HEADER "00" HEADER "00", ERR_OK, 0,
	  "count|header#0|" HEADER_NAMES "|header#1|" HEADER_NAMES },
	{ "2,001 headers", BITCOIN_HEADERS, "fdd107", ERR_LIMIT, 0, NULL },
	{ "a header with a transaction", BITCOIN_HEADERS, "01" HEADER "01", ERR_LIMIT, 81, NULL },
	{ "a header without its count", BITCOIN_HEADERS, "01" HEADER, ERR_SHORT, 81, NULL },
	{ "a header cut short", BITCOIN_HEADERS, "01 01000000" H32 "00", ERR_SHORT, 37, NULL },
	{ "filterload", BITCOIN_FILTERLOAD, "02 b50f 0b000000 00000000 00", ERR_OK, 0,
	  "length|filter|hash functions|tweak|flags" },
	{ "filterload, 36,001 bytes", BITCOIN_FILTERLOAD, "fda18c", ERR_LIMIT, 0, NULL },
	{ "filterload, 51 functions", BITCOIN_FILTERLOAD, "00 33000000 00000000 00", ERR_LIMIT, 1,
	  NULL },
	{ "filterload, no flags", BITCOIN_FILTERLOAD, "00 32000000 00000000", ERR_SHORT, 9, NULL },
	{ "filteradd", BITCOIN_FILTERADD, "03 010203", ERR_OK, 0, "length|element" },
	{ "filteradd, 521 bytes", BITCOIN_FILTERADD, "fd0902", ERR_LIMIT, 0, NULL },
	{ "filteradd cut short", BITCOIN_FILTERADD, "03 0102", ERR_SHORT, 1, NULL },
	{ "getcfilters", BITCOIN_GETCFILTERS, "00 01000000" H32, ERR_OK, 0,
	  "filter type|start height|stop hash" },
	{ "getcfheaders", BITCOIN_GETCFHEADERS, "00 01000000" H32, ERR_OK, 0,
	  "filter type|start height|stop hash" },
	{ "getcfilters cut short", BITCOIN_GETCFILTERS, "00 01000000 00", ERR_SHORT, 5, NULL },
	{ "cfilter", BITCOIN_CFILTER, "00" H32 "02 aabb", ERR_OK, 0,
	  "filter type|block hash|length|filter" },
	{ "cfilter cut short", BITCOIN_CFILTER, "00" H32 "02 aa", ERR_SHORT, 34, NULL },
	{ "cfheaders", BITCOIN_CFHEADERS, "00" H32 H32 "02" H32 H32, ERR_OK, 0,
	  "filter type|stop hash|previous filter header|count|filter hash|filter hash" },
	{ "cfheaders, 2,001 hashes", BITCOIN_CFHEADERS, "00" H32 H32 "fdd107", ERR_LIMIT, 65,
	  NULL },
	{ "cfheaders cut short", BITCOIN_CFHEADERS, "00" H32 H32 "02" H32, ERR_SHORT, 98, NULL },
	{ "getcfcheckpt", BITCOIN_GETCFCHECKPT, "00" H32, ERR_OK, 0, "filter type|stop hash" },
	{ "getcfcheckpt cut short", BITCOIN_GETCFCHECKPT, "00 01", ERR_SHORT, 1, NULL },
	{ "cfcheckpt", BITCOIN_CFCHECKPT, "00" H32 "01" H32, ERR_OK, 0,
	  "filter type|stop hash|count|filter header" },
	{ "cfcheckpt, too many", BITCOIN_CFCHECKPT, "00" H32 "fe49e80100", ERR_LIMIT, 33, NULL },
	{ "cfcheckpt cut short", BITCOIN_CFCHECKPT, "00" H32 "02" H32, ERR_SHORT, 66, NULL },
};

static void forms(void **state)
{
	(void)state;
	assert_true(check_rows(rows, sizeof(rows) / sizeof(*rows)));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].err == ERR_OK)
			assert_true(check_prefixes(&rows[i], NULL, 0));
	}
}

/* The longest inv there may be, built and read entry by entry. */
static void longest_inv(void **state)
{
	size_t cap = bitcoin_command_max(BITCOIN_INV);
	uint8_t *out = malloc(cap), hash[32] = { 0 };
	struct bitcoin_inv_list list;
	struct bitcoin_inv inv;
	struct reader r, entries;
	struct writer w;
	uint32_t n = 0;

	(void)state;
	assert_non_null(out);
	writer_init(&w, out, cap);
	bitcoin_put_compact_size(&w, BITCOIN_INV_MAX);
	for (uint32_t i = 0; i < BITCOIN_INV_MAX; i++) {
		memcpy(hash, &i, sizeof(i));
		bitcoin_inv_put(&w, &(struct bitcoin_inv){ i, slice_of(hash, 32) });
	}
	assert_true(writer_ok(&w));
	assert_int_equal(w.len, cap);
	reader_init(&r, slice_of(out, w.len));
	bitcoin_inv_decode(&r, &list);
	assert_true(reader_ok(&r) && reader_left(&r) == 0);
	assert_int_equal(list.count, BITCOIN_INV_MAX);
	reader_init(&entries, list.entries);
	for (; bitcoin_inv_next(&entries, &inv); n++) {
		assert_int_equal(inv.type, n);
		assert_memory_equal(inv.hash.data, &n, sizeof(n));
	}
	assert_true(reader_ok(&entries));
	assert_int_equal(n, BITCOIN_INV_MAX);
	free(out);
}

static void headers_round_trip(void **state)
{
	uint8_t out[200], hash[32] = { 1, 2, 3 };
	struct bitcoin_block_header h = { .version = -1,
					  .previous = slice_of(hash, 32),
					  .merkle_root = slice_of(hash, 32),
					  .time_s = 5,
					  .bits = 6,
					  .nonce = 7 };
	struct bitcoin_block_header back;
	struct bitcoin_headers list;
	struct reader r, entries;
	struct writer w;

	(void)state;
	writer_init(&w, out, sizeof(out));
	bitcoin_put_compact_size(&w, 2);
	bitcoin_headers_put(&w, &h);
	bitcoin_headers_put(&w, &h);
	reader_init(&r, slice_of(out, w.len));
	bitcoin_headers_decode(&r, &list);
	assert_true(reader_ok(&r));
	assert_int_equal(list.count, 2);
	reader_init(&entries, list.entries);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(bitcoin_headers_next(&entries, &back));
		assert_int_equal(back.version, -1);
		assert_true(slice_equal(back.previous, h.previous));
		assert_true(back.time_s == 5 && back.bits == 6 && back.nonce == 7);
	}
	assert_false(bitcoin_headers_next(&entries, &back));
	assert_true(reader_ok(&entries));
}

static void type_names(void **state)
{
	(void)state;
	assert_string_equal(bitcoin_inv_type_name(1), "tx");
	assert_string_equal(bitcoin_inv_type_name(5), "wtx");
	assert_string_equal(bitcoin_inv_type_name(0x40000002), "witness block");
	assert_null(bitcoin_inv_type_name(0));
	assert_null(bitcoin_inv_type_name(6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(longest_inv),
		cmocka_unit_test(headers_round_trip),
		cmocka_unit_test(type_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
