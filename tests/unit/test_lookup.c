/* test_lookup.c: the iterative lookup, rule by rule and in a small network. */
#include "proto/ethereum/lookup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct lookup lookup;

/* The target is all zeros, so a node's number is its distance; 0xff.. is ourselves. */
static int setup(void **state)
{
	static const uint8_t target[KADEMLIA_HASH_LEN];
	uint8_t self[KADEMLIA_HASH_LEN];

	(void)state;
	memset(self, 0xff, sizeof(self));
	lookup_init(&lookup, target, self);
	return 0;
}

static struct kademlia_node node_at(unsigned distance)
{
	struct kademlia_node node = { .addr = netaddr_ipv4(0x7f000001, 30303) };

	node.hash[0] = (uint8_t)(distance >> 8);
	node.hash[1] = (uint8_t)distance;
	return node;
}

static bool add(unsigned distance)
{
	struct kademlia_node node = node_at(distance);

	return lookup_add(&lookup, &node);
}

/* The distance of whom to ask next; 0: nobody. */
static unsigned next(void)
{
	struct kademlia_node node;

	return lookup_next(&lookup, &node) ? (unsigned)node.hash[0] << 8 | node.hash[1] : 0;
}

static void end(unsigned distance, bool answered)
{
	struct kademlia_node node = node_at(distance);

	lookup_end(&lookup, node.hash, answered);
}

static size_t closest_are(const unsigned *distances, size_t count)
{
	const struct kademlia_node *out[LOOKUP_RESULT_MAX];
	size_t n = lookup_closest(&lookup, out);

	assert_int_equal(n, count);
	for (size_t i = 0; i < n; i++) {
		struct kademlia_node want = node_at(distances[i]);

		assert_memory_equal(out[i]->hash, want.hash, KADEMLIA_HASH_LEN);
	}
	return n;
}

static void nobody_known(void **state)
{
	struct kademlia_node self;

	(void)state;
	assert_true(lookup_done(&lookup));
	memset(self.hash, 0xff, sizeof(self.hash));
	assert_false(lookup_add(&lookup, &self));
	assert_true(lookup_done(&lookup));
	assert_int_equal(next(), 0);
	closest_are(NULL, 0);
}

static void three_at_a_time(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 5; i++)
		assert_true(add(60 - 10 * i)); /* 50 .. 10 */
	assert_false(add(30));
	assert_int_equal(next(), 10);
	assert_int_equal(next(), 20);
	assert_int_equal(next(), 30);
	assert_int_equal(next(), 0); /* three are outstanding */
	assert_false(lookup_done(&lookup));
	end(40, true); /* was not asked: no effect */
	assert_int_equal(next(), 0);
	assert_true(add(5)); /* what 20 answers: somebody nearer goes first */
	assert_false(add(20));
	end(20, true);
	end(20, true); /* once is enough */
	assert_int_equal(next(), 5);
	assert_int_equal(next(), 0);
	end(10, false);
	assert_int_equal(next(), 40);
	end(30, true);
	end(5, true);
	assert_int_equal(next(), 50);
	end(40, true);
	assert_false(lookup_done(&lookup));
	end(50, false);
	assert_true(lookup_done(&lookup));
	assert_false(add(10)); /* silent, and not asked again */
	assert_int_equal(next(), 0);
	closest_are((const unsigned[]){ 5, 20, 30, 40 }, 4);
}

/* Over when the nearest 16 have answered; farther ones are asked for silent ones only. */
static void sixteen_count(void **state)
{
	static const unsigned want[LOOKUP_RESULT_MAX] = { 1,  2,  4,  5,  6,  7,  8,  9,
							  10, 11, 12, 13, 14, 15, 16, 17 };

	(void)state;
	for (unsigned i = 1; i <= 20; i++)
		assert_true(add(i));
	for (unsigned i = 1; i <= 17; i++) {
		assert_false(lookup_done(&lookup));
		assert_int_equal(next(), i);
		end(i, i != 3);
	}
	assert_int_equal(next(), 0);
	assert_true(lookup_done(&lookup));
	closest_are(want, LOOKUP_RESULT_MAX);
	/* Heard of late: somebody farther changes nothing, somebody nearer is asked. */
	assert_true(add(300));
	assert_true(lookup_done(&lookup));
	assert_true(add(0)); /* distance 0: the target itself */
	assert_false(lookup_done(&lookup));
}

/* Only the nearest are remembered, but nobody is forgotten while being asked. */
static void known_are_capped(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LOOKUP_KNOWN_MAX; i++)
		assert_true(add(1000 + i));
	assert_false(add(5000));
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(next(), 1000 + i);
	for (unsigned i = 0; i < LOOKUP_KNOWN_MAX - 3; i++)
		assert_true(add(100 + i));
	assert_false(add(999)); /* would push out one of the three */
	assert_true(add(50));   /* but this one pushes out one of the nearer */
	assert_int_equal(next(), 0);
	end(1000, true);
	assert_int_equal(next(), 50);
	end(1001, false);
	end(1002, true);
	closest_are((const unsigned[]){ 1000, 1002 }, 2);
}

/* A liar names somebody nearer each time: it has an end. */
static void endless_liar(void **state)
{
	unsigned asked = 0, at;

	(void)state;
	add(60000);
	for (unsigned i = 1; (at = next()) != 0; i++) {
		asked++;
		add(60000 - i);
		end(at, true);
		assert_true(asked <= LOOKUP_ASKED_MAX);
	}
	assert_int_equal(asked, LOOKUP_ASKED_MAX);
	assert_true(lookup_done(&lookup));
}

/* 1,000 nodes, a fifth of them silent; each knows 16 at every distance, if there are. */
enum { NODES = 1000, DEPTHS = 11, LOOKUPS = 200 };

struct network {
	struct kademlia_node nodes[NODES];
	bool silent[NODES];
	uint16_t knows[NODES][DEPTHS][KADEMLIA_BUCKET_SIZE];
	uint8_t counts[NODES][DEPTHS];
};

static void network_init(struct network *n, struct random *random)
{
	memset(n, 0, sizeof(*n));
	for (unsigned i = 0; i < NODES; i++) {
		for (unsigned j = 0; j < KADEMLIA_HASH_LEN; j++)
			n->nodes[i].hash[j] = (uint8_t)random_next(random);
		n->nodes[i].tcp_port = (uint16_t)i;
		n->silent[i] = random_unit(random) < 0.2;
	}
	for (unsigned i = 0; i < NODES; i++) {
		unsigned first = (unsigned)random_below(random, NODES);

		for (unsigned k = 0; k < NODES; k++) {
			unsigned j = (first + k) % NODES;
			unsigned depth = kademlia_common(n->nodes[i].hash, n->nodes[j].hash);

			if (depth >= DEPTHS)
				depth = DEPTHS - 1;
			if (j != i && n->counts[i][depth] < KADEMLIA_BUCKET_SIZE)
				n->knows[i][depth][n->counts[i][depth]++] = (uint16_t)j;
		}
	}
}

/* Node `at` names those nearest to the target, of those that it knows. */
static void answer(const struct network *n, unsigned at, struct lookup *l)
{
	const struct kademlia_node *out[KADEMLIA_BUCKET_SIZE];
	unsigned count = 0;

	for (unsigned d = 0; d < DEPTHS; d++) {
		for (unsigned i = 0; i < n->counts[at][d]; i++) {
			const struct kademlia_node *node = &n->nodes[n->knows[at][d][i]];
			unsigned place = count;

			while (place > 0 &&
			       kademlia_compare(l->target, node->hash, out[place - 1]->hash) < 0)
				place--;
			if (place == KADEMLIA_BUCKET_SIZE)
				continue;
			count += count < KADEMLIA_BUCKET_SIZE;
			memmove(&out[place + 1], &out[place], (count - place - 1) * sizeof(*out));
			out[place] = node;
		}
	}
	for (unsigned i = 0; i < count; i++)
		lookup_add(l, out[i]);
}

/* How many of the result are really of the nearest 16 that answer. */
static unsigned true_nearest(const struct network *n, const struct lookup *l)
{
	const struct kademlia_node *out[LOOKUP_RESULT_MAX];
	unsigned right = 0;

	assert_int_equal(lookup_closest(l, out), LOOKUP_RESULT_MAX);
	for (unsigned i = 0; i < LOOKUP_RESULT_MAX; i++) {
		unsigned nearer = 0;

		assert_false(n->silent[out[i]->tcp_port]);
		for (unsigned j = 0; j < NODES; j++)
			nearer += !n->silent[j] &&
				  kademlia_compare(l->target, n->nodes[j].hash, out[i]->hash) < 0;
		/* The 16th are missed now and then: where the silent fill the answers. */
		assert_true(i >= 4 || nearer == i);
		right += nearer < LOOKUP_RESULT_MAX;
	}
	return right;
}

static void small_network(void **state)
{
	struct network *n = malloc(sizeof(*n));
	struct random random = { 11 };
	const uint8_t self[KADEMLIA_HASH_LEN] = { 0 };
	unsigned right = 0, asked = 0, asked_max = 0;

	(void)state;
	assert_non_null(n);
	network_init(n, &random);
	for (unsigned i = 0; i < LOOKUPS; i++) {
		uint8_t target[KADEMLIA_HASH_LEN];
		struct kademlia_node flight[LOOKUP_PARALLEL];
		unsigned flying = 0;

		for (unsigned j = 0; j < sizeof(target); j++)
			target[j] = (uint8_t)random_next(&random);
		lookup_init(&lookup, target, self);
		for (unsigned j = 0; j < 5; j++)
			lookup_add(&lookup, &n->nodes[random_below(&random, NODES)]);
		while (!lookup_done(&lookup)) {
			unsigned pick;

			while (lookup_next(&lookup, &flight[flying]))
				flying++;
			/* Answers come in any order. */
			pick = (unsigned)random_below(&random, flying);
			if (!n->silent[flight[pick].tcp_port])
				answer(n, flight[pick].tcp_port, &lookup);
			lookup_end(&lookup, flight[pick].hash, !n->silent[flight[pick].tcp_port]);
			flight[pick] = flight[--flying];
		}
		assert_int_equal(flying, 0);
		right += true_nearest(n, &lookup);
		asked += lookup.asked;
		asked_max = lookup.asked > asked_max ? lookup.asked : asked_max;
	}
	print_message("%u of %u are the nearest; %u asked on average, %u at most\n", right,
		      LOOKUPS * LOOKUP_RESULT_MAX, asked / LOOKUPS, asked_max);
	assert_true(right > LOOKUPS * LOOKUP_RESULT_MAX * 95 / 100);
	assert_true(asked / LOOKUPS < 40);
	free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nobody_known, setup),
		cmocka_unit_test_setup(three_at_a_time, setup),
		cmocka_unit_test_setup(sixteen_count, setup),
		cmocka_unit_test_setup(known_are_capped, setup),
		cmocka_unit_test_setup(endless_liar, setup),
		cmocka_unit_test(small_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
