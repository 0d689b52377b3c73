/* test_options.c: sendtxrcncl, feature, sendcmpct, reject and alert. */
#include "support/bitcoin.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ID80                                                                               \
	"62626262626262626262626262626262626262626262626262626262626262626262626262626262" \
	"62626262626262626262626262626262626262626262626262626262626262626262626262626262"

static const struct payload_row rows[] = {
	{ "sendtxrcncl", BITCOIN_SENDTXRCNCL, "01000000 0102030405060708", ERR_OK, 0,
	  "version|salt" },
	{ "sendtxrcncl, a later version", BITCOIN_SENDTXRCNCL, "09000000 0102030405060708", ERR_OK,
	  0, NULL },
	{ "sendtxrcncl, version 0", BITCOIN_SENDTXRCNCL, "00000000 0102030405060708", ERR_VALUE, 0,
	  NULL },
	{ "sendtxrcncl cut short", BITCOIN_SENDTXRCNCL, "01000000 01020304050607", ERR_SHORT, 4,
	  "version" },
	/* BIP 434: the shortest id is that of a BIP with one digit. */
	{ "feature", BITCOIN_FEATURE, "06 424950343334 03 010203", ERR_OK, 0,
	  "length|feature id|length|feature data" },
	{ "feature without data", BITCOIN_FEATURE, "04 42495039 00", ERR_OK, 0, NULL },
	{ "feature, id of 80", BITCOIN_FEATURE, "50" ID80 "00", ERR_OK, 0, NULL },
	{ "feature, id of 81", BITCOIN_FEATURE, "51" ID80 "62 00", ERR_LIMIT, 0, NULL },
	{ "feature, id of 3", BITCOIN_FEATURE, "03 424950 00", ERR_VALUE, 0, NULL },
	{ "feature, no data field", BITCOIN_FEATURE, "04 42495039", ERR_SHORT, 5, NULL },
	{ "feature, data of 513", BITCOIN_FEATURE, "04 42495039 fd0102", ERR_LIMIT, 5, NULL },
	{ "feature, data cut short", BITCOIN_FEATURE, "04 42495039 02 01", ERR_SHORT, 6, NULL },
	{ "feature, more behind", BITCOIN_FEATURE, "04 42495039 00 01", ERR_TRAILING, 6, NULL },
	{ "sendcmpct", BITCOIN_SENDCMPCT, "00 0200000000000000", ERR_OK, 0, "announce|version" },
	{ "sendcmpct, announce", BITCOIN_SENDCMPCT, "01 0100000000000000", ERR_OK, 0, NULL },
	{ "sendcmpct, announce 2", BITCOIN_SENDCMPCT, "02 0100000000000000", ERR_VALUE, 0, NULL },
	{ "sendcmpct cut short", BITCOIN_SENDCMPCT, "01 01000000000000", ERR_SHORT, 1, NULL },
	{ "reject of a version", BITCOIN_REJECT, "07 76657273696f6e 11 08 6f62736f6c657465", ERR_OK,
	  0, "length|rejected command|code|length|reason" },
	{ "reject of a tx", BITCOIN_REJECT,
	  "02 7478 12 03 647570"
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	  ERR_OK, 0, "length|rejected command|code|length|reason|rejected hash" },
	{ "reject with other data", BITCOIN_REJECT, "00 01 00 aabb", ERR_OK, 0,
	  "length|rejected command|code|length|reason|data" },
	{ "reject of a long command", BITCOIN_REJECT, "0d 61616161616161616161616161 01 00",
	  ERR_LIMIT, 0, NULL },
	{ "reject for a long reason", BITCOIN_REJECT, "00 01 70", ERR_LIMIT, 2, NULL },
	{ "reject without code", BITCOIN_REJECT, "02 7478", ERR_SHORT, 3, NULL },
};

static void forms(void **state)
{
	(void)state;
	assert_true(check_rows(rows, sizeof(rows) / sizeof(*rows)));
}

/* The last alert, which Core 0.14 to 0.20 sent to peers up to 70012
 * (src/net_processing.cpp, finalAlert). */
#define FINAL                                                                      \
	"01000000 0000000000000000 ffffff7f00000000 ffffff7f feffff7f 01 ffffff7f" \
	"00000000 ffffff7f 00 ffffff7f 00"
#define FINAL_STATUS                                                                \
	"2f 555247454e543a20416c657274206b657920636f6d70726f6d697365642c2075706772" \
	"616465207265717569726564 00"
#define FINAL_SIGNATURE                                                             \
	"46 30440220653febd6410f470f6bae11cad19c48413becb1ac2c17f908fd0fd53bdc3abd" \
	"5202206d0e9c96fe88d4a0f01ed9dedae2b6f9e00da94cad0fecaae66ecf689bf71b50"

static const struct payload_row alert_rows[] = {
	{ "the final alert", BITCOIN_ALERT, "60" FINAL FINAL_STATUS FINAL_SIGNATURE, ERR_OK, 0,
	  "alert length|version|relay until|expires|id|cancels up to|cancelled count|cancelled"
	  "|lowest protocol|highest protocol|user agent count|priority|length|comment|length"
	  "|status bar|length|reserved|length|signature" },
	{ "a user agent", BITCOIN_ALERT,
	  "30 01000000 0000000000000000 ffffff7f00000000 ffffff7f feffff7f 00 00000000 ffffff7f"
	  "01 02 2f41 ffffff7f 00 00 00 00",
	  ERR_OK, 0, NULL },
	{ "no signature", BITCOIN_ALERT, "60" FINAL FINAL_STATUS, ERR_SHORT, 97, NULL },
	{ "the inner length is one less", BITCOIN_ALERT, "5f" FINAL FINAL_STATUS FINAL_SIGNATURE,
	  ERR_SHORT, 96, NULL },
	{ "the inner length is one more", BITCOIN_ALERT, "61" FINAL FINAL_STATUS FINAL_SIGNATURE,
	  ERR_TRAILING, 97, NULL },
	{ "shorter than it says", BITCOIN_ALERT, "60 01000000", ERR_SHORT, 1, NULL },
	{ "longer than any alert", BITCOIN_ALERT, "fea1860100", ERR_LIMIT, 0, NULL },
	{ "too many ids", BITCOIN_ALERT,
	  "21 01000000 0000000000000000 ffffff7f00000000 ffffff7f feffff7f fd1127 0000", ERR_LIMIT,
	  29, NULL },
	{ "status over 256 bytes", BITCOIN_ALERT, "34" FINAL "fd0101 00000000000000", ERR_LIMIT, 48,
	  NULL },
};

static void alerts(void **state)
{
	uint8_t bytes[300];
	struct bitcoin_alert alert;
	struct reader r;

	(void)state;
	assert_true(check_rows(alert_rows, sizeof(alert_rows) / sizeof(*alert_rows)));
	reader_init(&r, from_hex(alert_rows[0].hex, bytes, sizeof(bytes)));
	bitcoin_alert_decode(&r, &alert);
	assert_int_equal(alert.version, 1);
	assert_int_equal(alert.id, INT32_MAX);
	assert_int_equal(alert.cancel, INT32_MAX - 1);
	assert_int_equal(alert.cancel_count, 1);
	assert_int_equal(alert.expires_s, INT32_MAX);
	assert_int_equal(alert.priority, INT32_MAX);
	assert_true(slice_equal(alert.status,
				slice_text("URGENT: Alert key compromised, upgrade required")));
	assert_int_equal(alert.signature.len, 70);
}

static void values(void **state)
{
	uint8_t bytes[100];
	struct bitcoin_feature feature;
	struct bitcoin_reject reject;
	struct reader r;

	(void)state;
	reader_init(&r, from_hex("06 424950343334 03 010203", bytes, sizeof(bytes)));
	bitcoin_feature_decode(&r, &feature);
	assert_true(slice_equal(feature.id, slice_text("BIP434")));
	assert_true(slice_equal(feature.data, slice_of("\1\2\3", 3)));
	reader_init(&r, from_hex("07 76657273696f6e 11 08 6f62736f6c657465", bytes, sizeof(bytes)));
	bitcoin_reject_decode(&r, &reject);
	assert_true(slice_equal(reject.command, slice_text("version")));
	assert_true(slice_equal(reject.reason, slice_text("obsolete")));
	assert_string_equal(bitcoin_reject_code_name(reject.code), "obsolete");
	assert_null(bitcoin_reject_code_name(0x99));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(alerts),
		cmocka_unit_test(values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
