/* fuzz_text.c: everything that reads text: addresses, CIDR blocks, hex, units; and the
 * escapes that make a stranger's bytes harmless. What is read is written and read again. */
#include "api/place_arg.h"
#include "base/peer.h"
#include "base/rfc4648.h"
#include "base/text.h"
#include "fuzz/fuzz.h"
#include "io/log.h"

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

/* Where something is, or is to be. */
static void check_places(const char *text)
{
	struct netaddr a;

	for (unsigned with_port = 0; with_port < 2; with_port++) {
		if (place_addr_parse(text, with_port, &a))
			CHECK(netaddr_is_ip(&a) && (a.port != 0) == with_port);
	}
	if (place_listen_parse(text, 8333, &a))
		CHECK(netaddr_is_ip(&a));
}

static void check_names(const char *text)
{
	enum log_level level;
	enum outcome outcome;
	char again[64];
	int64_t ms, ms2;

	if (outcome_parse(text, &outcome))
		CHECK(strcmp(outcome_name(outcome), text) == 0);
	if (log_level_parse(text, &level))
		CHECK(strcmp(log_level_name(level), text) == 0);
	if (parse_time(text, &ms) != ERR_OK)
		return;
	CHECK(ms >= 0 && ms < 253402300800000);
	format_time(ms, true, again);
	CHECK(parse_time(again, &ms2) == ERR_OK && ms2 == ms);
}

/* Digits for bytes, and bytes for digits. */
static void check_digits(struct slice in)
{
	char text[BASE32_DIGITS(INPUT_MAX) + 1];
	uint8_t bytes[INPUT_MAX];
	size_t len, at;
	uint32_t code;

	CHECK(base32_encode(in, true, text) == BASE32_DIGITS(in.len));
	CHECK(base32_decode(slice_text(text), bytes, in.len));
	CHECK(slice_equal(slice_of(bytes, in.len), in));
	CHECK(base64url_encode(in, text) == BASE64_DIGITS(in.len));
	CHECK(base64url_decode(slice_text(text), bytes, sizeof(bytes), &len, &at) == ERR_OK);
	CHECK(slice_equal(slice_of(bytes, len), in));
	if (base64url_decode(in, bytes, sizeof(bytes), &len, &at) == ERR_OK) {
		base64url_encode(slice_of(bytes, len), text);
		CHECK(slice_equal(slice_text(text), in));
	} else {
		CHECK(at <= in.len);
	}
	base32_decode(in, bytes, in.len * 5 / 8);
	for (len = 1; in.len > 0 && len > 0; in = slice_from(in, len)) {
		len = utf8_decode(in, &code);
		CHECK(len <= in.len && len <= 4 && (len == 0 || code <= 0x10ffff));
	}
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
	check_places(text);
	check_names(text);
	check_digits(in);
	check_escapes(in);
	return 0;
}
