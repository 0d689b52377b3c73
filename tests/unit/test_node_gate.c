/* test_node_gate.c: how often one host passes, and that others pass meanwhile. */
#include "io/node_gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { RATE = 10, BURST = 20, START_MS = 5000 };

static unsigned passes(struct node_gate *g, const struct netaddr *host, unsigned tries,
		       uint64_t now_ms)
{
	unsigned n = 0;

	for (unsigned i = 0; i < tries; i++)
		n += node_gate_pass(g, host, now_ms);
	return n;
}

static const struct {
	const char *name;
	uint64_t after_ms; /* the first burst */
	unsigned passes;   /* of a hundred then */
} rows[] = {
	{ "at once", 0, 0 },
	{ "a moment later", 99, 0 },
	{ "after the time of one", 100, 1 },
	{ "after a second", 1000, RATE },
	{ "after the time of a burst", 2000, BURST },
	{ "after an hour", 3600 * 1000, BURST },
};

static void a_host_has_its_share(void **state)
{
	const struct netaddr host = netaddr_ipv4(0x08080808, 30303);
	const struct hash_key key = { 1, 2 };
	struct node_gate g;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		node_gate_init(&g, &key, RATE, BURST);
		assert_int_equal(passes(&g, &host, 100, START_MS), BURST);
		if (passes(&g, &host, 100, START_MS + rows[i].after_ms) != rows[i].passes)
			fail_msg("%s", rows[i].name);
	}
}

/* Of 200 other hosts hardly any shares the place of one that floods. */
static void others_have_theirs(void **state)
{
	struct netaddr host = netaddr_ipv4(0x08080808, 30303);
	const struct hash_key key = { 3, 4 };
	struct node_gate g;
	unsigned n = 0;

	(void)state;
	node_gate_init(&g, &key, RATE, BURST);
	passes(&g, &host, 1000, START_MS);
	for (unsigned i = 0; i < 200; i++) {
		host = netaddr_ipv4(0x09000000 + i, 30303);
		n += node_gate_pass(&g, &host, START_MS);
	}
	assert_in_range(n, 190, 200);
}

static struct netaddr parsed(const char *text)
{
	struct netaddr a;

	assert_int_equal(netaddr_parse(slice_text(text), 30303, &a), ERR_OK);
	return a;
}

static const struct {
	const char *name, *a, *b;
	bool same;
} pairs[] = {
	{ "another port", "192.0.2.1:1", "192.0.2.1:2", true },
	{ "another IPv4 address", "192.0.2.1", "192.0.2.2", false },
	{ "within 64 bits of IPv6", "2001:db8::1", "2001:db8:0:0:ffff::2", true },
	{ "other 64 bits", "2001:db8:0:1::1", "2001:db8:0:2::1", false },
	{ "another kind", "0.0.0.1", "2001:db8::1", false },
};

static void who_is_the_same(void **state)
{
	const struct hash_key key = { 5, 6 };
	struct node_gate g;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct netaddr a = parsed(pairs[i].a), b = parsed(pairs[i].b);

		node_gate_init(&g, &key, RATE, BURST);
		if (node_gate_same(&a, &b) != pairs[i].same)
			fail_msg("%s: told apart wrongly", pairs[i].name);
		passes(&g, &a, BURST, START_MS);
		if (node_gate_pass(&g, &b, START_MS) == pairs[i].same)
			fail_msg("%s: another share", pairs[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_has_its_share),
		cmocka_unit_test(others_have_theirs),
		cmocka_unit_test(who_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
