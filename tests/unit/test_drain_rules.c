/* test_drain_rules.c: when a table counts as listed and proven, and when it doesn't.
 * The same in the large: tests/sim/test_drain.c. */
#include "base/text.h"
#include "proto/ethereum/drain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct targets targets;

static int make_targets(void **state)
{
	(void)state;
	targets_init(&targets);
	return 0;
}

static void every_prefix_has_a_key(void **state)
{
	(void)state;
	for (unsigned prefix = 0; prefix < TARGETS_COUNT; prefix++) {
		uint8_t key[KADEMLIA_KEY_LEN], hash[KADEMLIA_HASH_LEN];

		targets_key(&targets, (uint16_t)prefix, key);
		kademlia_hash(key, hash);
		if (((unsigned)hash[0] << 8 | hash[1]) != prefix)
			fail_msg("prefix %04x: %02x%02x", prefix, hash[0], hash[1]);
	}
}

static void targets_by_depth(void **state)
{
	struct random random = { 3 };

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		uint8_t node[KADEMLIA_HASH_LEN], key[KADEMLIA_KEY_LEN], hash[KADEMLIA_HASH_LEN];

		for (unsigned j = 0; j < sizeof(node); j++)
			node[j] = (uint8_t)random_next(&random);
		for (unsigned depth = 0; depth <= TARGETS_BITS; depth++) {
			targets_near(&targets, node, depth, key);
			kademlia_hash(key, hash);
			if (depth < TARGETS_BITS)
				assert_int_equal(kademlia_common(node, hash), depth);
			else
				assert_true(kademlia_common(node, hash) >= TARGETS_BITS);
		}
	}
}

/* A table is a list of depths, a letter each: a is depth 0, b depth 1 ... q is 16; the node
 * itself is all zeros, as is whom it doesn't know. */
enum { TABLE_MAX = 400 };

struct peer {
	uint8_t hashes[TABLE_MAX][KADEMLIA_HASH_LEN];
	unsigned count;
};

static void peer_make(struct peer *p, const char *depths)
{
	memset(p, 0, sizeof(*p));
	for (; *depths != '\0'; depths++) {
		uint8_t *hash = p->hashes[p->count];
		unsigned depth = (unsigned)(*depths - 'a');
		/* What follows the first set bit tells the nodes of one depth apart. */
		uint64_t tail = random_mix(p->count + 1) >> (depth + 1);
		uint64_t id = (1ULL << (63 - depth)) | (tail & ((1ULL << (63 - depth)) - 1));

		for (unsigned i = 0; i < 8; i++)
			hash[i] = (uint8_t)(id >> (56 - 8 * i));
		p->count++;
	}
}

/* One more than is sent: who would come next. */
enum { REPLY_NODES = DRAIN_REPLY_MAX + 1 };

struct reply {
	uint8_t hashes[REPLY_NODES][KADEMLIA_HASH_LEN];
	unsigned count;
};

/* The nearest, the nearest first. */
static void peer_answer(const struct peer *p, const uint8_t *key, struct reply *out)
{
	uint8_t target[KADEMLIA_HASH_LEN];

	kademlia_hash(key, target);
	out->count = 0;
	for (unsigned i = 0; i < p->count; i++) {
		unsigned at = out->count;

		while (at > 0 && kademlia_compare(target, p->hashes[i], out->hashes[at - 1]) < 0)
			at--;
		if (at == REPLY_NODES)
			continue;
		out->count += out->count < REPLY_NODES;
		memmove(out->hashes[at + 1], out->hashes[at],
			(out->count - at - 1) * sizeof(out->hashes[0]));
		memcpy(out->hashes[at], p->hashes[i], sizeof(out->hashes[0]));
	}
}

/* What becomes of an answer, a letter each; the last holds for all that follow:
 *   . it comes as the reference client sends it: packets of 12 and the rest
 *   h only the first packet     t only the second, or nothing if there is none
 *   - nothing                   s the second packet before the first
 *   r each packet backwards     8 packets of 8
 *   e only the first 8, as if no answer could hold more
 *   d the first packet twice
 *   f the first two are left out, the packets closed up
 *   o the first one is left out, and the next ones move up
 *   6 packets of 6, and the third is lost */
static void deliver(struct drain *d, const struct reply *reply, char how)
{
	uint8_t packets[4][DRAIN_REPLY_MAX][KADEMLIA_HASH_LEN];
	unsigned counts[4] = { 0 }, used = 1,
		 size = how == '8' || how == 'e' ? 8
			: how == '6'             ? 6
						 : 12;
	unsigned first = how == 'f' ? 2 : how == 'o' ? 1 : 0;
	unsigned end = DRAIN_REPLY_MAX + (how == 'o');
	static const uint8_t orders[][3] = { { 0, 1, 2 }, { 1, 0, 2 }, { 0, 0, 1 } };
	const uint8_t *order = orders[how == 's' ? 1 : how == 'd' ? 2 : 0];
	bool complete = false;

	for (unsigned i = first; i < reply->count && i < end; i++) {
		if (counts[used - 1] == size)
			used++;
		memcpy(packets[used - 1][counts[used - 1]++], reply->hashes[i], KADEMLIA_HASH_LEN);
	}
	if (how == '-' || (how == 't' && used < 2))
		return;
	for (unsigned i = 0; how == 'r' && i < used; i++) {
		for (unsigned j = 0; j < counts[i]; j++)
			memcpy(packets[i][j], reply->hashes[i * size + counts[i] - 1 - j],
			       KADEMLIA_HASH_LEN);
	}
	for (unsigned i = 0; i < used + (how == 'd') && !complete; i++) {
		unsigned at = used == 1 ? 0 : order[i];

		if (((how == 'h' || how == 'e') && at != 0) || (how == 't' && at != 1) ||
		    (how == '6' && at == 2))
			continue;
		complete = drain_neighbors(d, (const uint8_t(*)[KADEMLIA_HASH_LEN])packets[at],
					   counts[at]);
	}
}

#define SIXTEEN(x) x x x x x x x x x x x x x x x x

/* Buckets of 16 at depths 0 to 2, fewer below: 4 questions are enough, as less than 16
 * are at depth 3 and below. */
#define TABLE SIXTEEN("a") SIXTEEN("b") SIXTEEN("c") "ddddddddeeefg"

static const struct {
	const char *name, *table, *how;
	enum drain_result want;
	unsigned findnodes;
} rows[] = {
	{ "all in order", TABLE, ".", DRAIN_DRAINED, 4 },
	/* The stop needs a node that is less deep: 16 of depth 3 and below are one more. */
	{ "16 left below", SIXTEEN("a") SIXTEEN("b") "ccccddddeeeeffff", ".", DRAIN_DRAINED, 4 },
	{ "15 left below", SIXTEEN("a") SIXTEEN("b") "ccccddddeeeefff", ".", DRAIN_DRAINED, 3 },
	{ "deep only", SIXTEEN("q"), ".", DRAIN_DRAINED, 17 },
	{ "all buckets full", SIXTEEN("abcdefghijklmnopq"), ".", DRAIN_DRAINED, 17 },
	{ "last packet lost, then all", TABLE, "h.", DRAIN_DRAINED, 5 },
	{ "first packet lost, then all", TABLE, "t.", DRAIN_DRAINED, 5 },
	{ "one half each time", TABLE, "ht.", DRAIN_DRAINED, 5 },
	{ "one half each time, reverse", TABLE, "th.", DRAIN_DRAINED, 5 },
	{ "a lost question", TABLE, "--.", DRAIN_DRAINED, 6 },
	{ "lost questions all along", TABLE, ".--.--.--.", DRAIN_DRAINED, 10 },
	{ "gone in the middle", TABLE, "..-", DRAIN_PARTIAL, 5 },
	{ "never there", TABLE, "-", DRAIN_TIMED_OUT, 3 },
	{ "packets swapped once", TABLE, "s.", DRAIN_DRAINED, 5 },
	{ "packets swapped always", TABLE, "s", DRAIN_DRAINED, 8 },
	{ "a packet twice", TABLE, "d.", DRAIN_DRAINED, 5 },
	{ "a packet twice, always", TABLE, "d", DRAIN_DRAINED, 8 },
	/* The right nodes in another order: that they are the right ones is not known. */
	{ "not sorted by distance", TABLE, "r", DRAIN_PARTIAL, 13 },
	{ "small and not sorted", "aaabbcd", "r", DRAIN_DRAINED, 4 },
	{ "packets of 8", TABLE, "8", DRAIN_DRAINED, 4 },
	/* At last nothing but the end of each answer, or its start: never a proof, even if
	 * nodes that are less deep are among them. */
	{ "last packets only", TABLE, "t", DRAIN_PARTIAL, 35 },
	{ "first packets only", TABLE, "h", DRAIN_PARTIAL, 11 },
	/* Shorter than 16 every time, and there is more: not known to be whole. */
	{ "the third of three is always lost", TABLE, "6", DRAIN_PARTIAL, 11 },
	/* Two answers mixed, or the table has changed: one that was named is missing. */
	{ "15, one is missing", "aabbbbbbbbbbbbbb", ".o.", DRAIN_DRAINED, 3 },
	{ "16, one is missing", "aabbbbbbbbbbbbbbb", ".o.", DRAIN_DRAINED, 3 },
	{ "never more than 8", TABLE, "e", DRAIN_PARTIAL, 11 },
	/* ... but two packets, the first of them full, are whole without two that the peer
	 * may not name to us. */
	{ "two are not named", TABLE, "f", DRAIN_DRAINED, 4 },
	{ "small table", "aaabbcd", ".", DRAIN_DRAINED, 4 },
	{ "small and deep", "ffg", ".", DRAIN_DRAINED, 9 },
	{ "one node", "a", ".", DRAIN_DRAINED, 4 },
	{ "empty table", "", ".", DRAIN_DRAINED, 19 },
	{ "empty table, a lost answer", "", ".-.", DRAIN_DRAINED, 20 },
	{ "12 nodes", "aaaaaabbbbcd", ".", DRAIN_DRAINED, 4 },
	{ "13 nodes, the last one lost once", "aaaaaaabbbbcd", "h.", DRAIN_DRAINED, 3 },
	{ "13 nodes, always but one", "aaaaaaabbbbcd", "h", DRAIN_PARTIAL, 5 },
	/* Three times the end of the answer, which looks like a small table; then more. */
	{ "small at first sight", TABLE, "ttt.", DRAIN_PARTIAL, 6 },
	/* More than 16 at one depth, and it shows. */
	{ "larger buckets", SIXTEEN("a") SIXTEEN("b") "bbbbbbbbccc", ".", DRAIN_PARTIAL, 3 },
};

static void rules(void **state)
{
	static struct peer peer;
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const uint8_t self[KADEMLIA_HASH_LEN] = { 0 };
		uint8_t key[KADEMLIA_KEY_LEN];
		const char *how = rows[i].how;
		enum drain_result result;
		struct drain d;

		peer_make(&peer, rows[i].table);
		drain_init(&d, self);
		while (drain_next(&d, &targets, key)) {
			struct reply reply;

			peer_answer(&peer, key, &reply);
			deliver(&d, &reply, *how);
			drain_reply_end(&d);
			how += how[1] != '\0';
		}
		result = drain_result(&d);
		if (result != rows[i].want || drain_findnodes(&d) != rows[i].findnodes) {
			print_error("%s: %s after %u\n", rows[i].name, drain_result_name(result),
				    drain_findnodes(&d));
			failed++;
		}
		if (result == DRAIN_DRAINED && *rows[i].how != 'f' && drain_count(&d) != peer.count)
			fail_msg("%s: %u of %u", rows[i].name, drain_count(&d), peer.count);
	}
	assert_int_equal(failed, 0);
}

/* A table that is sorted by the keys themselves, as ethereumjs does it, up to 16 in one packet:
 * the nearest by the key, the nearest first. */
struct raw {
	uint8_t keys[100][KADEMLIA_KEY_LEN], hashes[100][KADEMLIA_HASH_LEN];
	unsigned count;
};

static void random_bytes(struct random *random, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)random_next(random);
}

static bool is_nearer(const uint8_t *target, const uint8_t *a, const uint8_t *b)
{
	for (unsigned i = 0; i < KADEMLIA_KEY_LEN; i++) {
		if (a[i] != b[i])
			return (a[i] ^ target[i]) < (b[i] ^ target[i]);
	}
	return false;
}

static unsigned raw_answer(const struct raw *t, const uint8_t *target,
			   uint8_t out[][KADEMLIA_HASH_LEN])
{
	unsigned nearest[DRAIN_REPLY_MAX + 1], count = 0;

	for (unsigned i = 0; i < t->count; i++) {
		unsigned at = count;

		for (; at > 0 && is_nearer(target, t->keys[i], t->keys[nearest[at - 1]]); at--)
			nearest[at] = nearest[at - 1];
		nearest[at] = i;
		count += count < DRAIN_REPLY_MAX;
	}
	for (unsigned i = 0; i < count; i++)
		memcpy(out[i], t->hashes[nearest[i]], KADEMLIA_HASH_LEN);
	return count;
}

/* Returns how many nodes were found; adds to *questions. */
static unsigned drain_raw(struct raw *t, unsigned count, double loss, struct random *random,
			  enum drain_result *result, unsigned *questions)
{
	uint8_t self[KADEMLIA_HASH_LEN], key[KADEMLIA_KEY_LEN];
	struct drain d;

	t->count = count;
	for (unsigned i = 0; i < count; i++) {
		random_bytes(random, t->keys[i], KADEMLIA_KEY_LEN);
		kademlia_hash(t->keys[i], t->hashes[i]);
	}
	random_bytes(random, self, sizeof(self));
	drain_init(&d, self);
	while (drain_next(&d, &targets, key)) {
		uint8_t hashes[DRAIN_REPLY_MAX + 1][KADEMLIA_HASH_LEN];
		unsigned n = raw_answer(t, key, hashes);

		if (random_unit(random) >= loss)
			drain_neighbors(&d, (const uint8_t(*)[KADEMLIA_HASH_LEN])hashes, n);
		drain_reply_end(&d);
	}
	*result = drain_result(&d);
	*questions += drain_findnodes(&d);
	assert_true(drain_findnodes(&d) <= DRAIN_FINDNODES_MAX);
	return drain_count(&d);
}

static void sorted_by_keys(void **state)
{
	enum { TABLES = 200 };
	static const struct {
		const char *name;
		unsigned count;
		double loss, share; /* of the nodes that have to be found, all tables together */
		unsigned questions; /* on the average */
	} cases[] = {
		{ "1", 1, 0, 1, 6 },
		{ "15", 15, 0, 1, 6 },
		{ "16", 16, 0, 1, 9 },
		{ "17", 17, 0, 1, 9 },
		{ "20", 20, 0, 1, 10 },
		{ "20, lost packets", 20, 0.1, 0.99, 12 },
		{ "32", 32, 0, 0.98, 13 },
		{ "100", 100, 0, 0.9, 26 },
		{ "100, lost packets", 100, 0.1, 0.88, 28 },
	};
	static struct raw table;
	struct random random = { 21 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		unsigned found = 0, questions = 0;

		for (unsigned n = 0; n < TABLES; n++) {
			enum drain_result result;
			unsigned got = drain_raw(&table, cases[i].count, cases[i].loss, &random,
						 &result, &questions);

			if (result == DRAIN_DRAINED && got != cases[i].count)
				fail_msg("%s nodes: drained, with %u", cases[i].name, got);
			/* Of 16 and more nobody can tell whether they are all. */
			if (result == DRAIN_DRAINED && got >= DRAIN_REPLY_MAX)
				fail_msg("%s nodes: drained", cases[i].name);
			found += got;
		}
		if (found < cases[i].share * cases[i].count * TABLES ||
		    questions > cases[i].questions * TABLES)
			fail_msg("%s nodes: %u of %u, %u questions", cases[i].name, found,
				 cases[i].count * TABLES, questions);
	}
}

/* An answer may be over before the wait is: 16 nodes, or an empty packet. */
static void end_of_answer(void **state)
{
	static struct peer peer;
	const uint8_t self[KADEMLIA_HASH_LEN] = { 0 };
	uint8_t key[KADEMLIA_KEY_LEN];
	const uint8_t(*hashes)[KADEMLIA_HASH_LEN] =
		(const uint8_t(*)[KADEMLIA_HASH_LEN])peer.hashes;
	struct drain d;

	(void)state;
	peer_make(&peer, SIXTEEN("a") SIXTEEN("b"));
	drain_init(&d, self);
	assert_int_equal(drain_result(&d), DRAIN_TIMED_OUT);
	assert_true(drain_next(&d, &targets, key));
	assert_false(drain_neighbors(&d, hashes, 12));
	assert_false(drain_neighbors(&d, hashes, 0));
	assert_false(drain_neighbors(&d, hashes + 12, 3));
	assert_true(drain_neighbors(&d, hashes + 15, 1));
	assert_int_equal(drain_count(&d), 16);
	assert_int_equal(drain_result(&d), DRAIN_PARTIAL); /* not over yet */

	drain_init(&d, self);
	assert_true(drain_next(&d, &targets, key));
	assert_true(drain_neighbors(&d, hashes, 0));
}

/* Whoever names new nodes without end costs no more than the cap, and proves nothing. */
static void endless_table(void **state)
{
	const uint8_t self[KADEMLIA_HASH_LEN] = { 0 };
	uint8_t key[KADEMLIA_KEY_LEN], hashes[20][KADEMLIA_HASH_LEN];
	struct random random = { 5 };
	struct drain d;

	(void)state;
	drain_init(&d, self);
	while (drain_next(&d, &targets, key)) {
		for (unsigned i = 0; i < 20; i++) {
			for (unsigned j = 0; j < KADEMLIA_HASH_LEN; j++)
				hashes[i][j] = (uint8_t)random_next(&random);
		}
		drain_neighbors(&d, (const uint8_t(*)[KADEMLIA_HASH_LEN])hashes, 20);
		drain_reply_end(&d);
	}
	assert_int_equal(drain_result(&d), DRAIN_PARTIAL);
	assert_in_range(drain_findnodes(&d), 2, DRAIN_FINDNODES_MAX);
	assert_in_range(drain_count(&d), 17, DRAIN_SEEN_MAX);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(drain_result_name(DRAIN_DRAINED), "drained");
	assert_string_equal(drain_result_name(DRAIN_PARTIAL), "partial");
	assert_string_equal(drain_result_name(DRAIN_TIMED_OUT), "timed_out");
	assert_string_equal(drain_result_text(DRAIN_TIMED_OUT), "no answer to any question");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_prefix_has_a_key),
		cmocka_unit_test(targets_by_depth),
		cmocka_unit_test(rules),
		cmocka_unit_test(sorted_by_keys),
		cmocka_unit_test(end_of_answer),
		cmocka_unit_test(endless_table),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, make_targets, NULL);
}
