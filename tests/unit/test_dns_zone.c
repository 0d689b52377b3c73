/* test_dns_zone.c: names that go into zone files, and what such a file begins with. */
#include "report/dns_zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LABEL63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"
#define NAME253                             \
	LABEL63 "." LABEL63 "." LABEL63 "." \
		"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxy"

static const struct {
	const char *name, *text, *want; /* want NULL: refused */
} names[] = {
	{ "ordinary", "seed.example.org", "seed.example.org" },
	{ "upper case", "Seed.EXAMPLE.org", "seed.example.org" },
	{ "with its last dot", "seed.example.org.", "seed.example.org" },
	{ "digits, hyphens, underscores", "0-9._dns.xn--a", "0-9._dns.xn--a" },
	{ "longest label", LABEL63 ".org", LABEL63 ".org" },
	{ "longest", NAME253, NAME253 },
	{ "no dot", "localhost", NULL },
	{ "empty", "", NULL },
	{ "the root", ".", NULL },
	{ "an empty label", "seed..org", NULL },
	{ "a dot in front", ".seed.org", NULL },
	{ "two dots behind", "seed.org..", NULL },
	{ "a hyphen in front", "-seed.org", NULL },
	{ "a hyphen behind", "seed-.org", NULL },
	{ "a hyphen at the end", "seed.org-", NULL },
	{ "label too long", LABEL63 "1.org", NULL },
	{ "too long", NAME253 "1", NULL },
	{ "blank", "seed .org", NULL },
	{ "line feed", "seed.org\n@ IN A 6.6.6.6", NULL },
	{ "comment", "seed.org;", NULL },
	{ "escape", "seed\\.org", NULL },
	{ "not ASCII",
	  "s\xc3\xa9"
	  "ed.org",
	  NULL },
	{ "at", "@", NULL },
};

static const struct {
	const char *name, *text, *want;
} contacts[] = {
	{ "address", "hostmaster@example.org", "hostmaster.example.org" },
	{ "dots before the at", "Host.Master+x@Example.org", "Host\\.Master+x.example.org" },
	{ "a name already", "hostmaster.example.org", "hostmaster.example.org" },
	{ "nobody", "@example.org", NULL },
	{ "nowhere", "hostmaster@", NULL },
	{ "two", "a@b@example.org", NULL },
	{ "blank", "host master@example.org", NULL },
	{ "quoted", "\"host\"@example.org", NULL },
	{ "user too long", LABEL63 "1@example.org", NULL },
	{ "too long together", "hostmaster@" NAME253, NULL },
};

static void name_rows(void **state)
{
	char out[DNS_NAME_MAX];

	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		print_message("%s\n", names[i].name);
		assert_int_equal(dns_name_parse(slice_text(names[i].text), out),
				 names[i].want != NULL);
		if (names[i].want != NULL)
			assert_string_equal(out, names[i].want);
	}
	assert_false(dns_name_parse(slice_of("a\0.org", 6), out));
}

static void contact_rows(void **state)
{
	char out[DNS_NAME_MAX];

	(void)state;
	for (unsigned i = 0; i < sizeof(contacts) / sizeof(*contacts); i++) {
		print_message("%s\n", contacts[i].name);
		assert_int_equal(dns_contact_parse(slice_text(contacts[i].text), out),
				 contacts[i].want != NULL);
		if (contacts[i].want != NULL)
			assert_string_equal(out, contacts[i].want);
	}
}

static void head(void **state)
{
	struct dns_zone zone = { .origin = "seed.example.org",
				 .contact = "hostmaster.example.org",
				 .ns = { "ns1.example.net", "ns2.example.net" },
				 .ns_count = 2,
				 .ttl_s = 60,
				 .serial = UINT32_MAX };
	struct text out = { 0 };

	(void)state;
	dns_zone_head(&out, &zone);
	assert_string_equal(out.data,
			    "$ORIGIN seed.example.org.\n$TTL 60\n"
			    "@ 3600 IN SOA ns1.example.net. hostmaster.example.org. 4294967295 "
			    "900 300 604800 60\n"
			    "@ 3600 IN NS ns1.example.net.\n@ 3600 IN NS ns2.example.net.\n");
	text_clear(&out);
	zone.ns_count = 0;
	dns_zone_head(&out, &zone);
	assert_string_equal(out.data, "$ORIGIN seed.example.org.\n$TTL 60\n");
	text_clear(&out);
}

/* A string of DNS has 255 bytes at most, and an empty text is one string. */
static void strings(void **state)
{
	static const size_t lengths[] = { 0, 1, 254, 255, 256, 510, 511 };
	char text[512], want[600];
	struct text out = { 0 };

	(void)state;
	memset(text, 'x', sizeof(text));
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		size_t len = lengths[i], at = 0;

		strcpy(want, "a 7 IN TXT");
		do {
			int part = (int)(len - at < 255 ? len - at : 255);

			snprintf(want + strlen(want), sizeof(want) - strlen(want), " \"%.*s\"",
				 part, text);
			at += (size_t)part;
		} while (at < len);
		strcat(want, "\n");
		dns_zone_txt(&out, "a", 7, slice_of(text, len));
		assert_string_equal(out.data, want);
		text_clear(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_rows),
		cmocka_unit_test(contact_rows),
		cmocka_unit_test(head),
		cmocka_unit_test(strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
