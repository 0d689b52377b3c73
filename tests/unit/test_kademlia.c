/* test_kademlia.c: distances, the node table and how it checks its nodes, rule by rule. */
#include "base/text.h"
#include "proto/ethereum/kademlia.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct kademlia table;
static struct random dice;

/* A table whose owner's hash is all zeros: the bits in common with it are those before
 * the first one that is set. */
static int setup(void **state)
{
	static const uint8_t self[KADEMLIA_HASH_LEN];

	(void)state;
	kademlia_init(&table, self);
	dice = (struct random){ 7 };
	return 0;
}

/* A node with `common` bits in common with the owner; the rest of the hash is `number`.
 * The table doesn't look at keys. */
static struct kademlia_node node_at(unsigned common, uint32_t number, const char *addr)
{
	struct kademlia_node node = { .seq = 1 };

	assert_int_equal(netaddr_parse(slice_text(addr), 30303, &node.addr), ERR_OK);
	node.hash[common / 8] = (uint8_t)(0x80 >> common % 8);
	node.hash[28] = (uint8_t)(number >> 24);
	node.hash[29] = (uint8_t)(number >> 16);
	node.hash[30] = (uint8_t)(number >> 8);
	node.hash[31] = (uint8_t)number;
	return node;
}

static enum kademlia_added add(const struct kademlia_node *node)
{
	return kademlia_add(&table, node, 0, &dice);
}

/* `count` nodes in the owner's own network, numbered from `first`. */
static void fill(unsigned common, uint32_t first, unsigned count, enum kademlia_added want)
{
	for (uint32_t i = first; i < first + count; i++) {
		struct kademlia_node node = node_at(common, i, "10.0.0.1");

		assert_int_equal(add(&node), want);
	}
}

/* discv4.md, "Node Identities": XOR of hashes; the log distance is the length of that
 * number in bits. */
static const struct {
	const char *name, *a, *b; /* the hashes' first bytes */
	unsigned distance;
} distances[] = {
	{ "equal", "00", "00", 0 },
	{ "first bit", "00", "80", 256 },
	{ "first bit of both is set", "c0", "80", 255 },
	{ "last bit of the first byte", "00", "01", 249 },
	{ "first bit of the second byte", "ab00", "ab80", 248 },
	{ "the last bucket of its own", "0000", "0001", 241 },
	{ "the first in the shared bucket", "000000", "000080", 240 },
	{ "third byte", "123456", "123457", 233 },
	{ "last bit of all", "0000000000000000000000000000000000000000000000000000000000000000",
	  "0000000000000000000000000000000000000000000000000000000000000001", 1 },
};

static void log_distance(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(distances) / sizeof(*distances); i++) {
		uint8_t a[KADEMLIA_HASH_LEN] = { 0 }, b[KADEMLIA_HASH_LEN] = { 0 };
		size_t len;
		unsigned d;

		assert_int_equal(hex_decode(slice_text(distances[i].a), a, sizeof(a), &len),
				 ERR_OK);
		assert_int_equal(hex_decode(slice_text(distances[i].b), b, sizeof(b), &len),
				 ERR_OK);
		d = kademlia_log_distance(a, b);
		if (d != distances[i].distance || kademlia_log_distance(b, a) != d)
			fail_msg("%s: %u", distances[i].name, d);
		assert_int_equal(kademlia_common(a, b), 256 - d);
	}
}

static void compare(void **state)
{
	struct kademlia_node zero = node_at(255, 0, "10.0.0.1");
	struct kademlia_node near = node_at(9, 0, "10.0.0.1"), far = node_at(8, 5, "10.0.0.1");

	(void)state;
	memset(zero.hash, 0, sizeof(zero.hash));
	assert_true(kademlia_compare(zero.hash, near.hash, far.hash) < 0);
	assert_true(kademlia_compare(zero.hash, far.hash, near.hash) > 0);
	assert_true(kademlia_compare(far.hash, far.hash, near.hash) < 0);
	assert_int_equal(kademlia_compare(zero.hash, far.hash, far.hash), 0);
}

/* The id of a node is the hash of its key: Keccak-256 of 64 zero bytes, as Solidity's
 * documents give it for a mapping's first slot. */
static void node_hash(void **state)
{
	const uint8_t key[KADEMLIA_KEY_LEN] = { 0 };
	struct netaddr addr = netaddr_ipv4(0x7f000001, 30303);
	struct kademlia_node node = kademlia_node(key, &addr, 30304);
	char hex[2 * KADEMLIA_HASH_LEN + 1];

	(void)state;
	hex_encode(slice_of(node.hash, sizeof(node.hash)), hex);
	assert_string_equal(hex,
			    "ad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e597ba5fb5");
	assert_true(netaddr_equal(&node.addr, &addr));
	assert_int_equal(node.tcp_port, 30304);
}

static const struct {
	unsigned common, bucket;
} buckets[] = {
	{ 0, 0 }, { 1, 1 }, { 7, 7 }, { 8, 8 }, { 15, 15 }, { 16, 16 }, { 17, 16 }, { 255, 16 },
};

static void bucket_of_distance(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(buckets) / sizeof(*buckets); i++) {
		struct kademlia_node node = node_at(buckets[i].common, 1, "10.0.0.1");

		setup(NULL);
		if (buckets[i].common == 255)
			node.hash[31] = 1;
		assert_int_equal(add(&node), KADEMLIA_ADDED);
		if (table.buckets[buckets[i].bucket].entry_count != 1)
			fail_msg("%u bits in common: not in bucket %u", buckets[i].common,
				 buckets[i].bucket);
		assert_non_null(kademlia_find(&table, node.hash));
		assert_int_equal(kademlia_count(&table), 1);
	}
}

static void full_bucket(void **state)
{
	struct kademlia_node oldest = node_at(3, 16, "10.0.0.1");
	struct kademlia_node newest = node_at(3, 26, "10.0.0.1");
	const struct kademlia_bucket *b = &table.buckets[3];

	(void)state;
	fill(3, 0, 16, KADEMLIA_ADDED);
	fill(3, 0, 16, KADEMLIA_KNOWN);
	fill(3, 16, 10, KADEMLIA_REPLACEMENT);
	fill(3, 16, 10, KADEMLIA_KNOWN);
	assert_int_equal(b->replacement_count, 10);
	assert_memory_equal(b->replacements[9].hash, oldest.hash, KADEMLIA_HASH_LEN);
	/* One more: the oldest goes. */
	fill(3, 26, 1, KADEMLIA_REPLACEMENT);
	assert_int_equal(b->replacement_count, 10);
	assert_memory_equal(b->replacements[0].hash, newest.hash, KADEMLIA_HASH_LEN);
	for (unsigned i = 0; i < 10; i++)
		assert_memory_not_equal(b->replacements[i].hash, oldest.hash, KADEMLIA_HASH_LEN);
	assert_int_equal(kademlia_count(&table), 16);
	assert_null(kademlia_find(&table, newest.hash));
	/* Other buckets are not concerned. */
	fill(4, 0, 1, KADEMLIA_ADDED);
}

static void refused(void **state)
{
	struct kademlia_node self = node_at(3, 0, "10.0.0.1");
	struct kademlia_node onion =
		node_at(3, 0, "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion");

	(void)state;
	memset(self.hash, 0, sizeof(self.hash));
	assert_int_equal(add(&self), KADEMLIA_SELF);
	assert_int_equal(add(&onion), KADEMLIA_NO_IP);
	assert_int_equal(kademlia_count(&table), 0);
	assert_true(kademlia_deadline(&table) == UINT64_MAX);
}

/* One step after the other, in one table. */
static const struct {
	const char *name, *addr;
	unsigned common, number;
	enum kademlia_added want;
} subnets[] = {
	{ "first", "5.6.7.1", 0, 1, KADEMLIA_ADDED },
	{ "second", "5.6.7.2", 0, 2, KADEMLIA_ADDED },
	{ "third of the bucket", "5.6.7.3", 0, 3, KADEMLIA_SUBNET_LIMIT },
	{ "even at the same address", "5.6.7.1", 0, 4, KADEMLIA_SUBNET_LIMIT },
	{ "another network", "5.6.8.1", 0, 5, KADEMLIA_ADDED },
	{ "another bucket", "5.6.7.3", 1, 6, KADEMLIA_ADDED },
	{ "4th of the table", "5.6.7.4", 1, 7, KADEMLIA_ADDED },
	{ "5th", "5.6.7.5", 2, 8, KADEMLIA_ADDED },
	{ "6th", "5.6.7.6", 2, 9, KADEMLIA_ADDED },
	{ "7th", "5.6.7.7", 3, 10, KADEMLIA_ADDED },
	{ "8th", "5.6.7.8", 3, 11, KADEMLIA_ADDED },
	{ "9th", "5.6.7.9", 4, 12, KADEMLIA_ADDED },
	{ "10th", "5.6.7.10", 4, 13, KADEMLIA_ADDED },
	{ "11th of the table", "5.6.7.11", 5, 14, KADEMLIA_SUBNET_LIMIT },
	{ "still another network", "5.6.9.1", 5, 15, KADEMLIA_ADDED },
	{ "LAN", "192.168.0.1", 6, 16, KADEMLIA_ADDED },
	{ "LAN", "192.168.0.2", 6, 17, KADEMLIA_ADDED },
	{ "LAN has no limit", "192.168.0.3", 6, 18, KADEMLIA_ADDED },
	{ "nor has loopback", "127.0.0.1", 7, 19, KADEMLIA_ADDED },
	{ "nor has loopback", "127.0.0.1", 7, 20, KADEMLIA_ADDED },
	{ "nor has loopback", "127.0.0.1", 7, 21, KADEMLIA_ADDED },
	{ "IPv6", "2a00:1450:1::1", 8, 22, KADEMLIA_ADDED },
	{ "IPv6 of the same 24 bits", "2a00:1499:2::1", 8, 23, KADEMLIA_ADDED },
	{ "IPv6, third", "2a00:14ff:3::1", 8, 24, KADEMLIA_SUBNET_LIMIT },
	{ "IPv6, others", "2a00:15ff:3::1", 8, 25, KADEMLIA_ADDED },
};

static void subnet_limits(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(subnets) / sizeof(*subnets); i++) {
		struct kademlia_node node =
			node_at(subnets[i].common, subnets[i].number, subnets[i].addr);
		enum kademlia_added added = add(&node);

		if (added != subnets[i].want)
			fail_msg("%s (row %zu): %d", subnets[i].name, i, (int)added);
	}
}

/* Replacements take of the limit, and give back when they go. */
static void subnet_limit_of_replacements(void **state)
{
	struct kademlia_node a = node_at(0, 100, "5.6.7.1"), b = node_at(0, 101, "5.6.7.2");
	struct kademlia_node c = node_at(0, 102, "5.6.7.3");

	(void)state;
	fill(0, 0, 16, KADEMLIA_ADDED);
	assert_int_equal(add(&a), KADEMLIA_REPLACEMENT);
	assert_int_equal(add(&b), KADEMLIA_REPLACEMENT);
	assert_int_equal(add(&c), KADEMLIA_SUBNET_LIMIT);
	fill(0, 16, 9, KADEMLIA_REPLACEMENT); /* the first of the two goes */
	assert_int_equal(add(&c), KADEMLIA_REPLACEMENT);
}

/* A newer record moves the node; it isn't named to others until it is checked again. */
static void moved_node(void **state)
{
	struct kademlia_node node = node_at(2, 1, "5.6.7.1"), other = node_at(2, 2, "5.6.7.2");
	struct kademlia_node third = node_at(2, 3, "5.6.8.1");
	struct kademlia_node before = node;
	const struct kademlia_entry *e;

	(void)state;
	assert_int_equal(add(&node), KADEMLIA_ADDED);
	kademlia_alive(&table, &node, 0, &dice);
	e = kademlia_find(&table, node.hash);
	assert_true(e->live && e->checks == 1 && e->list == KADEMLIA_SLOW);

	node.addr.bytes[3] = 9;
	assert_int_equal(add(&node), KADEMLIA_KNOWN); /* not newer: no effect */
	assert_true(netaddr_equal(&e->node.addr, &before.addr));
	node.seq = 2;
	assert_int_equal(add(&node), KADEMLIA_MOVED);
	assert_true(netaddr_equal(&e->node.addr, &node.addr));
	assert_true(!e->live && e->checks == 1 && e->list == KADEMLIA_FAST);
	/* What the old address answers counts no more. */
	kademlia_alive(&table, &before, 0, &dice);
	kademlia_silent(&table, &before, 0, &dice);
	assert_true(!e->live && e->checks == 1);
	kademlia_alive(&table, &node, 0, &dice);
	assert_true(e->live && e->checks == 2);
	node.seq = 3; /* newer, at the same place */
	assert_int_equal(add(&node), KADEMLIA_KNOWN);
	assert_true(e->live && e->node.seq == 3);

	/* No third one of a network by moving there; but within it is no third one. */
	assert_int_equal(add(&other), KADEMLIA_ADDED);
	assert_int_equal(add(&third), KADEMLIA_ADDED);
	third.addr = other.addr;
	third.seq = 2;
	assert_int_equal(add(&third), KADEMLIA_SUBNET_LIMIT);
	assert_int_equal(kademlia_find(&table, third.hash)->node.addr.bytes[2], 8);
	other.addr.bytes[3] = 77;
	other.seq = 2;
	assert_int_equal(add(&other), KADEMLIA_MOVED);
}

/* Moved while it is being checked: the new address is checked as soon as it may be. */
static void moved_under_check(void **state)
{
	struct kademlia_node node = node_at(2, 1, "5.6.7.1"), given;

	(void)state;
	assert_int_equal(add(&node), KADEMLIA_ADDED);
	assert_true(kademlia_due(&table, KADEMLIA_FAST_MS, &dice, &given));
	assert_false(kademlia_due(&table, 2 * KADEMLIA_FAST_MS, &dice, &given));
	node.addr.bytes[3] = 2;
	node.seq = 2;
	assert_int_equal(add(&node), KADEMLIA_MOVED);
	assert_true(kademlia_due(&table, 3 * KADEMLIA_FAST_MS, &dice, &given));
	assert_true(netaddr_equal(&given.addr, &node.addr));
}

/* Passed checks, then failures: what is left after each, until the node is dropped. */
static const struct {
	unsigned passed, left[6]; /* 0: dropped */
} failures[] = {
	{ 0, { 0 } },        { 1, { 0 } },           { 2, { 0 } },
	{ 3, { 1, 0 } },     { 8, { 2, 0 } },        { 9, { 3, 1, 0 } },
	{ 26, { 8, 2, 0 } }, { 27, { 9, 3, 1, 0 } }, { 243, { 81, 27, 9, 3, 1, 0 } },
};

static void failed_checks(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		struct kademlia_node node = node_at(0, 1, "5.6.7.1");

		setup(NULL);
		assert_int_equal(add(&node), KADEMLIA_ADDED);
		for (unsigned j = 0; j < failures[i].passed; j++)
			kademlia_alive(&table, &node, 0, &dice);
		for (unsigned j = 0;; j++) {
			const struct kademlia_entry *e;

			kademlia_silent(&table, &node, 0, &dice);
			e = kademlia_find(&table, node.hash);
			if ((e != NULL ? e->checks : 0) != failures[i].left[j])
				fail_msg("%u passed, %u failed", failures[i].passed, j + 1);
			if (e == NULL)
				break;
			/* A node that failed is looked at more often, and still named. */
			assert_true(e->list == KADEMLIA_FAST && e->live);
		}
		assert_int_equal(kademlia_count(&table), 0);
		assert_true(kademlia_deadline(&table) == UINT64_MAX);
		kademlia_silent(&table, &node, 0, &dice); /* gone: no effect */
	}
}

static void dropped_for_replacement(void **state)
{
	struct kademlia_node first = node_at(0, 0, "10.0.0.1");
	const struct kademlia_bucket *b = &table.buckets[0];
	const struct kademlia_entry *e;

	(void)state;
	fill(0, 0, 16, KADEMLIA_ADDED);
	fill(0, 16, 4, KADEMLIA_REPLACEMENT);
	kademlia_silent(&table, &first, 0, &dice);
	assert_null(kademlia_find(&table, first.hash));
	assert_int_equal(b->entry_count, 16);
	assert_int_equal(b->replacement_count, 3);
	e = &b->entries[15];
	assert_in_range(e->node.hash[31], 16, 19);
	assert_true(!e->live && e->checks == 0 && e->list == KADEMLIA_FAST);
	for (unsigned i = 0; i < 3; i++)
		assert_memory_not_equal(b->replacements[i].hash, e->node.hash, KADEMLIA_HASH_LEN);
	/* And back again, at the end of the queue. */
	fill(0, 0, 1, KADEMLIA_REPLACEMENT);
}

/* 160 nodes that always answer: how often the table looks at them. */
static void pace_of_checks(void **state)
{
	uint64_t now_ms = 0, checks = 0, first_ms = 0;
	struct kademlia_node node;

	(void)state;
	assert_false(kademlia_due(&table, 0, &dice, &node));
	for (unsigned i = 0; i < 10; i++)
		fill(i, 0, 16, KADEMLIA_ADDED);
	while (table.list_count[KADEMLIA_FAST] > 0) {
		uint64_t next_ms = kademlia_deadline(&table);

		assert_in_range(next_ms - now_ms, 0, KADEMLIA_SLOW_MS);
		assert_false(next_ms > 0 && kademlia_due(&table, next_ms - 1, &dice, &node));
		now_ms = next_ms;
		while (kademlia_due(&table, now_ms, &dice, &node)) {
			checks++;
			kademlia_alive(&table, &node, now_ms, &dice);
		}
		assert_true(now_ms < 3600 * 1000);
	}
	first_ms = now_ms;
	/* 160 first checks, one each 1.5 s on average, and fewer than half as many second. */
	assert_in_range(first_ms, 160 * 1200, 160 * 1800);
	assert_in_range(checks, 161, 240);
	for (checks = 0; now_ms < first_ms + 900 * 1000; now_ms = kademlia_deadline(&table)) {
		while (kademlia_due(&table, now_ms, &dice, &node)) {
			checks++;
			kademlia_alive(&table, &node, now_ms, &dice);
		}
	}
	assert_in_range(checks, 160, 240); /* one each 4.5 s on average */
}

/* A node that is being checked is not given out again before its result is there. */
static void checks_outstanding(void **state)
{
	struct kademlia_node node, again;
	uint64_t now_ms = 0;
	unsigned given = 0;

	(void)state;
	fill(0, 0, 3, KADEMLIA_ADDED);
	for (unsigned i = 0; i < 100; i++) {
		now_ms += KADEMLIA_FAST_MS;
		given += kademlia_due(&table, now_ms, &dice, &node);
	}
	assert_int_equal(given, 3);
	kademlia_alive(&table, &node, now_ms, &dice);
	now_ms += KADEMLIA_SLOW_MS;
	assert_true(kademlia_due(&table, now_ms, &dice, &again));
	assert_memory_equal(again.hash, node.hash, KADEMLIA_HASH_LEN);
}

static void closest(void **state)
{
	const struct kademlia_node *out[KADEMLIA_BUCKET_SIZE];
	struct kademlia_node target = node_at(5, 0, "10.0.0.1"), node;

	(void)state;
	assert_int_equal(kademlia_closest(&table, target.hash, out), 0);
	for (unsigned i = 0; i < 10; i++)
		fill(i, 0, 7, KADEMLIA_ADDED);
	/* Nobody is live: all are named, the bucket of the target first, then those that
	 * are deeper, then those that are not. */
	assert_int_equal(kademlia_closest(&table, target.hash, out), KADEMLIA_BUCKET_SIZE);
	for (unsigned i = 0; i < 16; i++) {
		unsigned common = kademlia_common(table.self, out[i]->hash);

		assert_true(i < 7 ? common == 5 : common > 5);
		assert_true(i == 0 ||
			    kademlia_compare(target.hash, out[i - 1]->hash, out[i]->hash) < 0);
	}
	/* As soon as one is live, the live ones only. */
	node = node_at(0, 3, "10.0.0.1");
	kademlia_alive(&table, &node, 0, &dice);
	assert_int_equal(kademlia_closest(&table, target.hash, out), 1);
	assert_memory_equal(out[0]->hash, node.hash, KADEMLIA_HASH_LEN);
	for (unsigned i = 0; i < 7; i++) {
		node = node_at(4, i, "10.0.0.1");
		kademlia_alive(&table, &node, 0, &dice);
	}
	assert_int_equal(kademlia_closest(&table, target.hash, out), 8);
	assert_int_equal(kademlia_common(table.self, out[6]->hash), 4);
	assert_int_equal(kademlia_common(table.self, out[7]->hash), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_distance),
		cmocka_unit_test(compare),
		cmocka_unit_test(node_hash),
		cmocka_unit_test_setup(bucket_of_distance, setup),
		cmocka_unit_test_setup(full_bucket, setup),
		cmocka_unit_test_setup(refused, setup),
		cmocka_unit_test_setup(subnet_limits, setup),
		cmocka_unit_test_setup(subnet_limit_of_replacements, setup),
		cmocka_unit_test_setup(moved_node, setup),
		cmocka_unit_test_setup(moved_under_check, setup),
		cmocka_unit_test_setup(failed_checks, setup),
		cmocka_unit_test_setup(dropped_for_replacement, setup),
		cmocka_unit_test_setup(pace_of_checks, setup),
		cmocka_unit_test_setup(checks_outstanding, setup),
		cmocka_unit_test_setup(closest, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
