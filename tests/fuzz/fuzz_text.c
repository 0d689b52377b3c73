/* fuzz_text.c: everything that reads text: addresses, CIDR blocks, hex, units; and the
 * escapes that make a stranger's bytes harmless. What is read is written and read again. */
#include "base/netaddr.h"
#include "base/text.h"
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 1024 };

static void check_addr(struct slice in)
{
	char text[NETADDR_TEXT_MAX];
	struct netaddr a, b;
	size_t len;

	if (netaddr_parse(in, 8333, &a) != ERR_OK) {
		CHECK(a.kind == NETADDR_NONE);
		return;
	}
	len = netaddr_text(&a, text);
	CHECK(len == strlen(text) && len < sizeof(text));
	CHECK(netaddr_parse(slice_of(text, len), 0, &b) == ERR_OK);
	CHECK(netaddr_equal(&a, &b));
	netaddr_is_routable(&a);
}

static void check_cidr(struct slice in)
{
	struct netaddr first;
	struct cidr c;

	if (cidr_parse(in, &c) != ERR_OK)
		return;
	first = cidr_address(&c, 0);
	CHECK(netaddr_same_host(&first, &c.base));
	CHECK(cidr_contains(&c, &first));
	first = cidr_address(&c, UINT64_MAX);
	CHECK(cidr_contains(&c, &first));
}

static void check_numbers(const char *text)
{
	uint8_t bytes[INPUT_MAX];
	uint64_t number;
	double real;
	size_t len;

	if (hex_decode(slice_text(text), bytes, sizeof(bytes), &len) == ERR_OK)
		CHECK(len <= strlen(text) / 2);
	parse_duration(text, &number);
	parse_size(text, &number);
	if (parse_rate(text, &real) == ERR_OK)
		CHECK(real >= 0);
	if (parse_fraction(text, &real) == ERR_OK)
		CHECK(real >= 0 && real <= 1);
	if (parse_uint(text, 1000, &number) == ERR_OK)
		CHECK(number <= 1000);
}

static bool is_harmless(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((uint8_t)text[i] < 0x20 || text[i] == 0x7f)
			return false;
	}
	return true;
}

static void check_escapes(struct slice in)
{
	char small[16], full[4 * INPUT_MAX + 1];
	struct text t = { 0 };
	size_t len = text_escape(in, full, sizeof(full));

	CHECK(len == strlen(full) && is_harmless(full, len));
	CHECK(text_escape(in, small, sizeof(small)) < sizeof(small));
	text_add_escaped(&t, in);
	CHECK(t.err == ERR_OK && t.len == len && (len == 0 || memcmp(t.data, full, len) == 0));
	text_clear(&t);
	text_add_csv(&t, in);
	/* One field: nothing unquoted that ends it, nothing that a spreadsheet computes. */
	CHECK(t.err == ERR_OK && is_harmless(t.len > 0 ? t.data : "", t.len));
	if (t.len > 0 && t.data[0] != '"')
		CHECK(strpbrk(t.data, ",\"") == NULL && strchr("=+-@", t.data[0]) == NULL);
	text_clear(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[INPUT_MAX + 1];
	struct slice in = slice_of(data, size);

	if (size > INPUT_MAX)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = 0;
	check_addr(in);
	check_cidr(in);
	check_numbers(text);
	check_escapes(in);
	return 0;
}
