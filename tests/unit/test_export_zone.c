/* test_export_zone.c: who gets into the zone of a DNS seed. */
#include "report/export_zone.h"

#include "store/watch.h"
#include "support/asmap.h"
#include "support/export.h"
#include "support/hostile.h"

enum { NOW_S = 1780000000, HOUR_S = 3600 };

static struct dns_zone zone;
static struct export_names names;
static struct export_options options;

static int set_up(void **state)
{
	zone = (struct dns_zone){ .origin = "seed.example.org", .ttl_s = 60, .serial = 1 };
	names = (struct export_names){ .port = 8333, .per_name = 25, .height_within = 100 };
	options = (struct export_options){
		.zone = &zone,
		.names = &names,
		.rules = { .now_ms = NOW_S * 1000LL,
			   .max_age_ms = 24 * HOUR_S * 1000LL,
			   .min_uptime = 0.5 },
	};
	return store_set_up(state);
}

static struct text run(uint64_t want_rows)
{
	struct text out = { 0 };
	uint64_t rows = 0;

	text_add(&out, "");
	assert_int_equal(export_run(store, "peers", "zone", &STORE_FILTER_ANY, &options, collect,
				    &out, &rows),
			 ERR_OK);
	if (want_rows > 0)
		assert_int_equal(rows, want_rows);
	return out;
}

/* Is there such a line? */
static bool has(const struct text *file, const char *name, const char *type, const char *address)
{
	char line[128];

	snprintf(line, sizeof(line), "\n%s IN %s %s\n", name, type, address);
	return strstr(file->data, line) != NULL;
}

static size_t count(const struct text *file, const char *line_begin)
{
	size_t n = 0;
	char begin[64];

	snprintf(begin, sizeof(begin), "\n%s", line_begin);
	for (const char *p = file->data; (p = strstr(p, begin)) != NULL; p++)
		n++;
	return n;
}

static struct record good_record(const char *addr)
{
	struct record r = ok_record(addr_of(addr), slice_text("/Satoshi:29.0.0/"));

	r.started_at_ms = (NOW_S - HOUR_S) * 1000LL;
	return r;
}

/* --- the rules --- */

/* Each beside ten good peers of height 900,000. */
static const struct rule {
	const char *name, *addr;
	int64_t age_s, protocol, height;
	uint64_t services;
	bool unreached, silent;
	bool in;
} rules[] = {
	{ "like the others", "2.2.2.2", 0, 70016, 900000, 0xc09, .in = true },
	{ "IPv6", "[2a01::1]:8333", 0, 70016, 900000, 0xc09, .in = true },
	{ "visited a day ago", "2.2.2.2", 24 * HOUR_S, 70016, 900000, 0xc09, .in = true },
	{ "longer ago", "2.2.2.2", 24 * HOUR_S + 1, 70016, 900000, 0xc09, .in = false },
	{ "another port", "2.2.2.2:8334", 0, 70016, 900000, 0xc09, .in = false },
	{ "private", "192.168.1.1", 0, 70016, 900000, 0xc09, .in = false },
	{ "loopback", "127.0.0.1", 0, 70016, 900000, 0xc09, .in = false },
	{ "documentation", "[2001:db8::1]:8333", 0, 70016, 900000, 0xc09, .in = false },
	{ "CJDNS", "[fc01::1]:8333", 0, 70016, 900000, 0xc09, .in = false },
	{ "Tor", "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333", 0, 70016,
	  900000, 0xc09, .in = false },
	{ "oldest protocol", "2.2.2.2", 0, 70001, 900000, 0xc09, .in = true },
	{ "older", "2.2.2.2", 0, 70000, 900000, 0xc09, .in = false },
	{ "as far behind as may be", "2.2.2.2", 0, 70016, 899900, 0xc09, .in = true },
	{ "further", "2.2.2.2", 0, 70016, 899899, 0xc09, .in = false },
	{ "as far ahead as may be", "2.2.2.2", 0, 70016, 900100, 0xc09, .in = true },
	{ "further ahead", "2.2.2.2", 0, 70016, 900101, 0xc09, .in = false },
	{ "highest number", "2.2.2.2", 0, 70016, INT64_MAX, 0xc09, .in = false },
	{ "height not said", "2.2.2.2", 0, 70016, -1, 0xc09, .in = false },
	{ "pruned", "2.2.2.2", 0, 70016, 900000, 0xc08, .in = false },
	{ "no services", "2.2.2.2", 0, 70016, 900000, 0, .in = false },
	{ "not reached", "2.2.2.2", 0, 70016, 900000, 0xc09, .unreached = true, .in = false },
	{ "never said who it is", "2.2.2.2", 0, 70016, 900000, 0xc09, .silent = true, .in = false },
};

static void who_is_good(void **state)
{
	for (unsigned i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		const struct rule *rule = &rules[i];
		struct record r = good_record(rule->addr);
		struct store_crawl crawl;
		char host[NETADDR_HOST_TEXT_MAX];
		struct text out;

		print_message("%s\n", rule->name);
		set_up(state);
		crawl = begin_crawl(store, "bitcoin");
		for (uint32_t k = 0; k < 10; k++)
			put(&crawl, good_record((char[16]){ '1', '.', (char)('0' + k), '.', '1',
							    '.', '1' }));
		if (rule->unreached)
			r = failed_record(r.addr, OUTCOME_REFUSED);
		r.started_at_ms = (NOW_S - rule->age_s) * 1000LL;
		r.info.protocol = rule->protocol;
		r.info.height = rule->height;
		r.info.services = rule->services;
		r.info.has_version = !rule->silent && !rule->unreached;
		put(&crawl, r);
		out = run(0);
		netaddr_host_text(&r.addr, host);
		assert_int_equal(has(&out, "@", r.addr.kind == NETADDR_IPV6 ? "AAAA" : "A", host),
				 rule->in);
		assert_int_equal(count(&out, "@ IN A"), 10 + rule->in);
		text_clear(&out);
		store_tear_down(state);
	}
}

static void private_if_wanted(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct text out;

	(void)state;
	put(&crawl, good_record("127.0.0.1:8334"));
	put(&crawl, good_record("[::1]:8334"));
	names.allow_private = true;
	names.port = 8334;
	out = run(2);
	assert_true(has(&out, "@", "A", "127.0.0.1"));
	assert_true(has(&out, "@", "AAAA", "::1"));
	text_clear(&out);
}

/* Of several networks that of the newest crawl, or the one that is named. */
static void of_one_network(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct store_filter filter = STORE_FILTER_ANY;
	struct text out;
	uint64_t rows;

	(void)state;
	put(&crawl, good_record("1.1.1.1"));
	crawl = begin_crawl(store, "mychain");
	put(&crawl, good_record("2.2.2.2"));
	out = run(1);
	assert_true(has(&out, "@", "A", "2.2.2.2"));
	text_clear(&out);
	filter.network = "bitcoin";
	assert_int_equal(
		export_run(store, "peers", "zone", &filter, &options, collect, &out, &rows),
		ERR_OK);
	assert_true(has(&out, "@", "A", "1.1.1.1"));
	assert_int_equal(rows, 1);
	text_clear(&out);
}

/* --- uptime --- */

/* Rounds an hour apart, the last one an hour ago: in which of them it is there, oldest first. */
static void put_rounds(const char *addr, const char *there, bool watched)
{
	size_t rounds = strlen(there);

	for (size_t i = 0; i < rounds; i++) {
		struct store_crawl crawl = { .network = "bitcoin",
					     .settings = "{}",
					     .every_ms = watched ? HOUR_S * 1000 : 0 };
		struct record r = good_record(addr);
		bool looked = true;

		crawl.started_at_ms = (NOW_S - (int64_t)(rounds - i) * HOUR_S) * 1000LL;
		if (there[i] != '+')
			r = failed_record(r.addr, OUTCOME_CONNECT_TIMEOUT);
		r.started_at_ms = crawl.started_at_ms;
		assert_int_equal(store_crawl_begin(store, &crawl), ERR_OK);
		put(&crawl, r);
		if (watched)
			assert_int_equal(store_round_end(store, &crawl, &looked), ERR_OK);
		assert_true(looked);
		crawl.ended_at_ms = crawl.started_at_ms + 1000;
		assert_int_equal(store_crawl_end(store, &crawl), ERR_OK);
	}
}

static void uptime(void **state)
{
	static const struct {
		const char *name, *there;
		bool watched, in;
	} rows[] = {
		{ "all the time", "++++++++++++++++", true, true },
		{ "half of the time", "+-+-+-+-+-+-+-+-+", true, true },
		{ "down for long, and back", "------------++", true, false },
		{ "a third", "--+--+--+--+--+--+", true, false },
		{ "down now", "++++++++++++++++-", true, false },
		{ "once only", "+", true, true },
		{ "not watched: half of the visits", "-+", false, true },
		{ "not watched: a third", "--+", false, false },
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct store_crawl crawl;
		struct text out;

		print_message("%s\n", rows[i].name);
		set_up(state);
		put_rounds("2.2.2.2", rows[i].there, rows[i].watched);
		crawl = begin_crawl(store, "bitcoin");
		put(&crawl, good_record("1.1.1.1"));
		out = run(0);
		assert_true(has(&out, "@", "A", "1.1.1.1"));
		assert_int_equal(has(&out, "@", "A", "2.2.2.2"), rows[i].in);
		text_clear(&out);
		store_tear_down(state);
	}
}

/* --- names --- */

static void filters(void **state)
{
	static const uint64_t services[] = {
		0x1, 0x9, 0xd, 0x49, 0x408, 0xc09, 0x8000000000000001
	};
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct text out;

	(void)state;
	for (uint32_t i = 0; i < 7; i++) {
		struct record r =
			good_record((char[16]){ (char)('1' + i), '.', '1', '.', '1', '.', '1' });

		r.info.services = services[i];
		put(&crawl, r);
	}
	names.filters_count = 5;
	memcpy(names.filters, (uint64_t[]){ 0x9, 0x49, 0x408, 0x40, 0x8000000000000000 },
	       5 * sizeof(uint64_t));
	out = run(6 + 4 + 1 + 2 + 1 + 1);
	assert_int_equal(count(&out, "@ IN A "), 6);
	assert_false(has(&out, "@", "A", "5.1.1.1")); /* it is pruned */
	assert_int_equal(count(&out, "x9 IN A "), 4);
	assert_true(has(&out, "x49", "A", "4.1.1.1"));
	assert_true(has(&out, "x408", "A", "5.1.1.1"));
	assert_true(has(&out, "x40", "A", "4.1.1.1"));
	assert_true(has(&out, "x8000000000000000", "A", "7.1.1.1"));
	text_clear(&out);
}

static void filter_names(void **state)
{
	static const struct {
		const char *text;
		uint64_t want; /* 0: refused */
	} rows[] = {
		{ "x1", 1 },
		{ "x9", 9 },
		{ "xd", 13 },
		{ "xc09", 0xc09 },
		{ "xffffffffffffffff", UINT64_MAX },
		{ "x", 0 },
		{ "x0", 0 },
		{ "x09", 0 },
		{ "xD", 0 },
		{ "9", 0 },
		{ "X9", 0 },
		{ "x9 ", 0 },
		{ "xg", 0 },
		{ "x10000000000000000", 0 },
		{ "", 0 },
	};
	uint64_t bits;

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s\n", rows[i].text);
		assert_int_equal(zone_filter_parse(slice_text(rows[i].text), &bits),
				 rows[i].want != 0);
		if (rows[i].want != 0)
			assert_int_equal(bits, rows[i].want);
	}
}

/* --- the choice --- */

static void put_many(const struct store_crawl *crawl, const char *before, const char *after,
		     unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		char addr[64];

		snprintf(addr, sizeof(addr), "%s%u%s", before, i, after);
		put(crawl, good_record(addr));
	}
}

static void one_of_a_network(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct text out;

	(void)state;
	put_many(&crawl, "1.2.", ".1", 30);
	put_many(&crawl, "[2a01:1:", "::1]:8333", 30);
	put_many(&crawl, "3.", ".1.1", 5);
	out = run(7);
	assert_int_equal(count(&out, "@ IN A 1.2."), 1);
	assert_int_equal(count(&out, "@ IN AAAA 2a01:1:"), 1);
	assert_int_equal(count(&out, "@ IN A 3."), 5);
	text_clear(&out);
}

/* An AS of many networks, of both kinds of addresses, is one. */
static void one_of_an_as(void **state)
{
	static struct asmap_tree tree; /* large */
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct text bits = { 0 }, out;
	char why[GEO_WHY_MAX], path[200];
	uint8_t bytes[4096];
	struct geo *geo;
	FILE *file;

	(void)state;
	asmap_add(&tree, "3.0.0.0/8", 64500);
	asmap_add(&tree, "2a01:5::/32", 64500);
	asmap_add(&tree, "4.0.0.0/8", 64501);
	asmap_node_text(&tree, 0, &bits);
	snprintf(path, sizeof(path), "%s/asmap", folder.path);
	file = fopen(path, "w");
	fwrite(bytes, 1, asmap_pack(&bits, bytes, sizeof(bytes)), file);
	fclose(file);
	text_clear(&bits);
	assert_int_equal(geo_open(NULL, 0, path, &geo, why), ERR_OK);
	options.geo = geo;
	put_many(&crawl, "3.", ".1.1", 5);
	put_many(&crawl, "[2a01:5:", "::1]:8333", 5);
	put_many(&crawl, "4.", ".1.1", 5);
	put_many(&crawl, "5.", ".1.1", 5); /* of no known AS */
	out = run(7);
	assert_int_equal(count(&out, "@ IN A 3.") + count(&out, "@ IN AAAA 2a01"), 1);
	assert_int_equal(count(&out, "@ IN A 4."), 1);
	assert_int_equal(count(&out, "@ IN A 5."), 5);
	text_clear(&out);
	geo_close(geo);
}

/* An answer of the longest name, with all that goes with it, is not longer than 512 bytes. */
static void as_many_as_fit(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct text out;

	(void)state;
	put_many(&crawl, "3.", ".1.1", 60);
	put_many(&crawl, "[2a01:", "::1]:8333", 60);
	names.filters[0] = 0xc09;
	names.filters_count = 1;
	out = run(0);
	assert_int_equal(count(&out, "@ IN A "), 25);
	/* 12 + 18 + 4 bytes, and 28 for each, of 457. */
	assert_int_equal(count(&out, "@ IN AAAA "), 15);
	assert_int_equal(count(&out, "xc09 IN A "), 25);
	assert_int_equal(count(&out, "xc09 IN AAAA "), 14);
	text_clear(&out);
	names.per_name = 3;
	out = run(4 * 3);
	text_clear(&out);
	names.per_name = ZONE_PER_NAME_MAX;
	memset(zone.origin, 'a', 200);
	for (unsigned i = 50; i < 200; i += 50)
		zone.origin[i] = '.';
	out = run(0);
	/* 12 + 202 + 4 bytes, and 16 and 28. */
	assert_int_equal(count(&out, "@ IN A "), 14);
	assert_int_equal(count(&out, "@ IN AAAA "), 8);
	text_clear(&out);
}

static void rotates(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	bool seen[60] = { false };
	struct text first, out;
	unsigned different = 0;

	(void)state;
	put_many(&crawl, "3.", ".1.1", 60);
	names.filters[0] = 1;
	names.filters_count = 1;
	first = run(50);
	out = run(50);
	assert_string_equal(first.data, out.data);
	text_clear(&out);
	for (zone.serial = 2; zone.serial < 40; zone.serial++) {
		out = run(50);
		different += strcmp(first.data, out.data) != 0;
		for (unsigned i = 0; i < 60; i++) {
			char addr[32];

			snprintf(addr, sizeof(addr), "3.%u.1.1", i);
			seen[i] |= has(&out, "@", "A", addr);
		}
		text_clear(&out);
	}
	assert_int_equal(different, 38);
	for (unsigned i = 0; i < 60; i++)
		assert_true(seen[i]);
	/* A name has a draw of its own. */
	out = (struct text){ 0 };
	for (const char *line = first.data; (line = strstr(line, "\n@ IN A ")) != NULL; line++) {
		char other[64];

		snprintf(other, sizeof(other), "\nx1 IN A %.*s\n", (int)strcspn(line + 8, "\n"),
			 line + 8);
		if (strstr(first.data, other) == NULL)
			text_add(&out, "!");
	}
	assert_true(out.len > 0);
	text_clear(&out);
	text_clear(&first);
}

/* --- what strangers say --- */

static void no_word_of_theirs(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct text out;

	(void)state;
	for (uint32_t i = 0; i < HOSTILE; i++) {
		struct record r = good_record("1.1.1.1");

		r.addr.bytes[1] = (uint8_t)i;
		r.info.agent = hostile[i].agent;
		put(&crawl, r);
	}
	names.filters[0] = 1;
	names.filters_count = 1;
	out = run(2 * HOSTILE);
	assert_int_equal(count(&out, "@ IN A ") + count(&out, "x1 IN A "), 2 * HOSTILE);
	for (size_t i = 0; i < out.len; i++)
		assert_non_null(strchr("0123456789.@x$ADEGHILNORT: abcdefghijklmnopqrstuvwxyz\n",
				       out.data[i]));
	assert_int_equal(strlen(out.data), out.len);
	text_clear(&out);
}

static void nobody(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "bitcoin");
	struct text out = { 0 };
	uint64_t rows;

	(void)state;
	put(&crawl, good_record("1.1.1.1:8334"));
	put(&crawl, failed_record(addr_of("1.1.1.2"), OUTCOME_REFUSED));
	assert_int_equal(export_run(store, "peers", "zone", &STORE_FILTER_ANY, &options, collect,
				    &out, &rows),
			 ERR_VALUE);
	assert_int_equal(out.len, 0);
	assert_non_null(strstr(options.note, "0 of 2 peers"));
	assert_non_null(
		strstr(options.note, "1 were not reached, 1 are at another port than 8333"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_good),
		cmocka_unit_test_setup_teardown(private_if_wanted, set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(of_one_network, set_up, store_tear_down),
		cmocka_unit_test(uptime),
		cmocka_unit_test_setup_teardown(filters, set_up, store_tear_down),
		cmocka_unit_test(filter_names),
		cmocka_unit_test_setup_teardown(one_of_a_network, set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(one_of_an_as, set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(as_many_as_fit, set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(rotates, set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(no_word_of_theirs, set_up, store_tear_down),
		cmocka_unit_test_setup_teardown(nobody, set_up, store_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
