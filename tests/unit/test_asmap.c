#include "support/asmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static uint32_t find(struct slice map, const char *host)
{
	struct netaddr a;
	uint8_t ip[16];

	assert_int_equal(netaddr_parse(slice_text(host), 0, &a), ERR_OK);
	assert_true(netaddr_to_ip16(&a, ip));
	return asmap_find(map, ip);
}

/* src/test/data/asmap.raw of Bitcoin Core: what its tests of the address manager say of it. */
static const uint8_t core_map[] = {
	0xfb, 0x03, 0xec, 0x0f, 0xb0, 0x3f, 0xc0, 0xfe, 0x00, 0xfb, 0x03, 0xec, 0x0f, 0xb0, 0x3f,
	0xc0, 0xfe, 0x00, 0xfb, 0x03, 0xec, 0x0f, 0xb0, 0xff, 0xff, 0xfe, 0xff, 0xed, 0xb0, 0xff,
	0xd4, 0x86, 0xe6, 0x28, 0x29, 0x00, 0x00, 0x40, 0x00, 0x00, 0x40, 0x00, 0x40, 0x99, 0x01,
	0x00, 0x80, 0x01, 0x80, 0x04, 0x00, 0x00, 0x05, 0x00, 0x06, 0x00, 0x1c, 0xf0, 0x39,
};

static void core_example(void **state)
{
	struct slice map = slice_of(core_map, sizeof(core_map));
	const char *rule;
	size_t at;
	char host[64];

	(void)state;
	assert_true(asmap_check(map, &rule, &at));
	assert_int_equal(find(map, "250.0.0.0"), 1000);
	assert_int_equal(find(map, "250.255.255.255"), 1000);
	for (unsigned i = 1; i <= 8; i++) {
		snprintf(host, sizeof(host), "101.%u.128.99", i);
		assert_int_equal(find(map, host), i);
	}
	assert_int_equal(find(map, "127.0.0.1"), 0);
	/* Core's files are "filled": what nobody announces may lie in a neighbour's AS. */
	assert_int_equal(find(map, "128.0.0.0"), 1000);
	/* An IPv6 address that only looks alike. */
	assert_int_equal(find(map, "fa00::1"), 0);
}

/* What is written is found again: all classes of numbers, IPv4 and IPv6, both ends of blocks. */
static void written(void **state)
{
	static struct asmap_tree tree;
	static const struct {
		const char *net;
		uint32_t asn;
		const char *first, *last, *before, *after;
	} rows[] = {
		{ "1.2.3.0/24", 1, "1.2.3.0", "1.2.3.255", "1.2.2.255", "1.2.4.0" },
		{ "1.2.8.0/21", 32768, "1.2.8.0", "1.2.15.255", "1.2.7.255", "1.2.16.0" },
		{ "8.8.8.8", 32769, "8.8.8.8", "8.8.8.8", "8.8.8.7", "8.8.8.9" },
		{ "128.0.0.0/1", 398324, "128.0.0.0", "255.255.255.255", "127.255.255.255", "::" },
		{ "2001:db8::/32", 33521664, "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
		  "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::" },
		{ "2a00::1", 15169, "2a00::1", "2a00::1", "2a00::", "2a00::2" },
	};
	struct text bits = { 0 };
	uint8_t image[512];
	struct slice map;
	const char *rule;
	size_t at;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		asmap_add(&tree, rows[i].net, rows[i].asn);
	asmap_node_text(&tree, 0, &bits);
	map = slice_of(image, asmap_pack(&bits, image, sizeof(image)));
	assert_true(asmap_check(map, &rule, &at));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s\n", rows[i].net);
		assert_int_equal(find(map, rows[i].first), rows[i].asn);
		assert_int_equal(find(map, rows[i].last), rows[i].asn);
		assert_int_equal(find(map, rows[i].before), 0);
		assert_int_equal(find(map, rows[i].after), 0);
	}
	/* Cut anywhere it is no file any more, and looking into it does no harm. */
	for (size_t len = 0; len < map.len; len++) {
		assert_false(asmap_check(slice_of(image, len), &rule, &at));
		assert_true(at <= 8 * len);
		find(slice_of(image, len), "1.2.3.4");
		find(slice_of(image, len), "2001:db8::1");
	}
	text_clear(&bits);
}

static void all_in_one(void **state)
{
	struct text bits = { 0 };
	uint8_t image[8];
	struct slice map;
	const char *rule;
	size_t at;

	(void)state;
	asmap_return(&bits, 7);
	map = slice_of(image, asmap_pack(&bits, image, sizeof(image)));
	assert_int_equal(map.len, 3);
	assert_true(asmap_check(map, &rule, &at));
	assert_int_equal(find(map, "::"), 7);
	assert_int_equal(find(map, "255.0.0.1"), 7);
	text_clear(&bits);
}

/* Where a match fails the default counts that stands before it. */
static void defaults(void **state)
{
	struct text bits = { 0 };
	uint8_t image[32];
	struct slice map;
	const char *rule;
	size_t at;

	(void)state;
	asmap_match(&bits, 1U << 8);
	asmap_default(&bits, 500);
	asmap_match(&bits, 3);
	asmap_return(&bits, 900);
	map = slice_of(image, asmap_pack(&bits, image, sizeof(image)));
	assert_true(asmap_check(map, &rule, &at));
	assert_int_equal(find(map, "8000::"), 0); /* before the default */
	assert_int_equal(find(map, "0:1::"), 500);
	assert_int_equal(find(map, "80::"), 900);
	text_clear(&bits);
}

/* --- what is no asmap file --- */

static void put_many_matches(struct text *out)
{
	for (unsigned i = 0; i < 16; i++)
		asmap_match(out, 1U << 8 | 0x55);
}

static void empty(struct text *out)
{
	text_add(out, "");
}

static void no_return(struct text *out)
{
	asmap_match(out, 3);
	asmap_default(out, 12);
}

static void two_defaults(struct text *out)
{
	asmap_default(out, 12);
	asmap_default(out, 13);
	asmap_match(out, 3);
	asmap_return(out, 9);
}

static void default_and_return(struct text *out)
{
	asmap_default(out, 12);
	asmap_return(out, 9);
}

static void two_short_matches(struct text *out)
{
	asmap_match(out, 3);
	asmap_match(out, 3);
	asmap_return(out, 9);
}

static void match_129_bits(struct text *out)
{
	put_many_matches(out);
	asmap_match(out, 3);
	asmap_return(out, 9);
}

static void jump_129_bits(struct text *out)
{
	put_many_matches(out);
	asmap_jump(out, 17);
	asmap_return(out, 8);
	asmap_return(out, 9);
}

static void jump_out(struct text *out)
{
	asmap_jump(out, 1 << 20);
	asmap_return(out, 8);
	asmap_return(out, 9);
}

static void jump_too_short(struct text *out)
{
	asmap_jump(out, 18);
	asmap_match(out, 3);
	asmap_return(out, 8);
	asmap_return(out, 9);
}

static void jump_too_long(struct text *out)
{
	asmap_jump(out, 20);
	asmap_return(out, 8);
	asmap_return(out, 9);
}

static void jumps_cross(struct text *out)
{
	asmap_jump(out, 30);
	asmap_jump(out, 40);
	asmap_return(out, 7);
	asmap_return(out, 8);
	asmap_return(out, 9);
}

static void bytes_behind(struct text *out)
{
	asmap_return(out, 9);
	text_add(out, "00000000"
		      "00000000");
}

static void bit_behind(struct text *out)
{
	asmap_return(out, 9);
	text_add(out, "01");
}

static void wrong_files(void **state)
{
	static const struct {
		void (*put)(struct text *out);
		const char *rule;
	} rows[] = {
		{ empty, "it is empty" },
		{ no_return, "it ends in the middle of an instruction" },
		{ two_defaults, "a default that nothing can need" },
		{ default_and_return, "a default that nothing can need" },
		{ two_short_matches, "two matches that could be one" },
		{ match_129_bits, "it asks for more bits than an address has" },
		{ jump_129_bits, "it asks for more bits than an address has" },
		{ jump_out, "a jump leads out of it" },
		{ jump_too_short, "instructions that nothing leads to" },
		{ jump_too_long, "instructions that nothing leads to" },
		{ jumps_cross, "jumps cross each other" },
		{ bytes_behind, "bytes are left over behind its end" },
		{ bit_behind, "a bit is set behind its end" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct text bits = { 0 };
		uint8_t image[128];
		struct slice map;
		const char *rule;
		size_t at;

		rows[i].put(&bits);
		map = slice_of(image, asmap_pack(&bits, image, sizeof(image)));
		assert_false(asmap_check(map, &rule, &at));
		print_message("row %zu: %s\n", i, rule);
		assert_string_equal(rule, rows[i].rule);
		assert_true(at <= 8 * map.len);
		find(map, "::1");
		text_clear(&bits);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(core_example), cmocka_unit_test(written),
		cmocka_unit_test(all_in_one),   cmocka_unit_test(defaults),
		cmocka_unit_test(wrong_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
