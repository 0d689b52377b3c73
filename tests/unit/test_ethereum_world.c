/* The population of a simulated Ethereum network: what follows from a seed, whom tables hold,
 * who can be found. */
#include "sim/ethereum_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PEERS = 600, GHOSTS = 500, COUNT = PEERS + GHOSTS };

static struct sim_config config_of(const char *network, const char *range, uint64_t seed)
{
	struct sim_config config = { .network = network_find(network),
				     .peers = PEERS,
				     .ghosts = GHOSTS,
				     .seed = seed,
				     .latency_ms = 50,
				     .liars = 0.2,
				     .port = 30303 };

	assert_int_equal(cidr_parse(slice_text(range), &config.range), ERR_OK);
	return config;
}

static struct sim_ethereum *world_of(const char *network, const char *range, uint64_t seed)
{
	struct sim_config config = config_of(network, range, seed);
	struct sim_ethereum *w;

	assert_int_equal(sim_ethereum_new(&config, &w), ERR_OK);
	return w;
}

static bool same_node(const struct sim_ethereum_node *a, const struct sim_ethereum_node *b)
{
	return a->kind == b->kind && a->seq == b->seq && a->rtt_ms == b->rtt_ms &&
	       a->hidden == b->hidden && a->session == b->session && a->client == b->client &&
	       memcmp(a->enode.key, b->enode.key, sizeof(a->enode.key)) == 0 &&
	       enode_endpoint_equal(&a->enode.endpoint, &b->enode.endpoint) &&
	       memcmp(&a->status, &b->status, sizeof(a->status)) == 0;
}

static void a_seed_makes_one_world(void **state)
{
	struct sim_ethereum *a = world_of("ethereum", "127.0.0.0/8", 3);
	struct sim_ethereum *b = world_of("ethereum", "127.0.0.0/8", 3);
	struct sim_ethereum *other = world_of("ethereum", "127.0.0.0/8", 4);
	uint32_t table[KADEMLIA_ENTRIES_MAX], again[KADEMLIA_ENTRIES_MAX];
	unsigned same = 0;

	(void)state;
	for (uint32_t i = 0; i < COUNT; i++) {
		struct sim_ethereum_node n[3];
		size_t count;

		sim_ethereum_node(a, i, &n[0]);
		sim_ethereum_node(b, i, &n[1]);
		sim_ethereum_node(other, i, &n[2]);
		assert_true(same_node(&n[0], &n[1]));
		same += memcmp(n[0].enode.key, n[2].enode.key, sizeof(n[0].enode.key)) == 0;
		same += netaddr_equal(&n[0].enode.endpoint.addr, &n[2].enode.endpoint.addr);
		count = sim_ethereum_table(a, i, table);
		assert_int_equal(sim_ethereum_table(b, i, again), count);
		assert_memory_equal(table, again, count * sizeof(*table));
	}
	assert_in_range(same, 0, 2); /* an address may be hit by chance */
	sim_ethereum_free(a);
	sim_ethereum_free(b);
	sim_ethereum_free(other);
}

static void everybody_has_an_address_and_a_key(void **state)
{
	static const char *const ranges[] = { "127.0.0.0/8", "20.1.0.0/16", "fd00::/8" };

	(void)state;
	for (size_t r = 0; r < sizeof(ranges) / sizeof(*ranges); r++) {
		struct sim_ethereum *w = world_of("ethereum", ranges[r], 5);

		for (uint32_t i = 0; i < COUNT; i++) {
			uint8_t public[SECP_PUBLIC_LEN];
			struct enode node;

			sim_ethereum_enode(w, i, &node);
			assert_true(
				cidr_contains(&sim_ethereum_config(w)->range, &node.endpoint.addr));
			/* No two share one, as each finds back to itself. */
			assert_int_equal(sim_ethereum_find(w, &node.endpoint.addr), i);
			secp_public(sim_ethereum_secp(w), sim_ethereum_key(w, i), public);
			assert_memory_equal(public, node.key, sizeof(public));
		}
		sim_ethereum_free(w);
	}
}

static void no_room_and_no_peers_are_refused(void **state)
{
	static const struct {
		const char *name, *range;
		uint32_t peers, ghosts, port;
		enum err err;
	} rows[] = {
		{ "as many as there is room for", "10.0.0.0/24", 150, 40, 30303, ERR_OK },
		{ "no place for invented nodes", "10.0.0.0/24", 150, 41, 30303, ERR_VALUE },
		{ "nobody", "10.0.0.0/8", 0, 10, 30303, ERR_VALUE },
		{ "no port behind the port", "10.0.0.0/8", 10, 10, 65535, ERR_VALUE },
		{ "more than numbers", "10.0.0.0/8", UINT32_MAX, 10, 30303, ERR_VALUE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sim_config config = config_of("ethereum", rows[i].range, 1);
		struct sim_ethereum *w;

		config.peers = rows[i].peers;
		config.ghosts = rows[i].ghosts;
		config.port = (uint16_t)rows[i].port;
		if (sim_ethereum_new(&config, &w) != rows[i].err)
			fail_msg("%s", rows[i].name);
		assert_true((w != NULL) == (rows[i].err == ERR_OK));
		sim_ethereum_free(w);
	}
}

static unsigned bucket_of(const struct sim_ethereum *w, uint32_t a, uint32_t b)
{
	struct enode x, y;
	uint8_t hash_x[KADEMLIA_HASH_LEN], hash_y[KADEMLIA_HASH_LEN];
	unsigned common;

	sim_ethereum_enode(w, a, &x);
	sim_ethereum_enode(w, b, &y);
	kademlia_hash(x.key, hash_x);
	kademlia_hash(y.key, hash_y);
	common = kademlia_common(hash_x, hash_y);
	return common < KADEMLIA_BUCKETS ? common : KADEMLIA_BUCKETS - 1;
}

static void tables_keep_to_the_rules(void **state)
{
	struct sim_ethereum *w = world_of("ethereum", "127.0.0.0/8", 6);
	unsigned strict[2] = { 0 }, lenient[2] = { 0 }, full = 0, empty = 0;
	uint32_t table[KADEMLIA_ENTRIES_MAX];

	(void)state;
	for (uint32_t i = 0; i < PEERS; i++) {
		unsigned buckets[KADEMLIA_BUCKETS] = { 0 };
		size_t count = sim_ethereum_table(w, i, table);
		bool seen[COUNT] = { false };
		struct sim_ethereum_node self, node;
		unsigned *tally;

		sim_ethereum_node(w, i, &self);
		tally = strncmp(self.client, "Geth/v1.17", 10) == 0   ? strict
			: strncmp(self.client, "Nethermind", 10) == 0 ? lenient
								      : NULL;
		for (size_t k = 0; k < count; k++) {
			sim_ethereum_node(w, table[k], &node);
			assert_int_not_equal(table[k], i);
			assert_false(seen[table[k]] || node.hidden);
			seen[table[k]] = true;
			buckets[bucket_of(w, i, table[k])]++;
			if (tally != NULL)
				tally[sim_ethereum_kind_answers(node.kind)]++;
		}
		for (unsigned b = 0; b < KADEMLIA_BUCKETS; b++)
			assert_in_range(buckets[b], 0, KADEMLIA_BUCKET_SIZE);
		full += buckets[0] == KADEMLIA_BUCKET_SIZE;
		empty += count == 0;
	}
	/* All but newcomers fill the bucket of those farthest away. */
	assert_in_range(full, PEERS * 9 / 10, PEERS - 1);
	assert_in_range(empty, 1, PEERS / 20);
	/* [0] never answers, [1] does: by its share, or hardly ever. */
	assert_true(lenient[0] > lenient[1] * 3 / 4 && lenient[1] > 0);
	assert_true(strict[0] > 0 && strict[0] < strict[1] / 20);
	for (uint32_t i = PEERS; i < COUNT; i++)
		assert_int_equal(sim_ethereum_table(w, i, table), 0);
	sim_ethereum_free(w);
}

/* In 16 networks of 24 bits; the same is no limit in a local network. */
static void subnets_are_limited(void **state)
{
	static const struct {
		const char *range;
		unsigned most_in_bucket, most_in_table;
	} rows[] = {
		{ "20.0.0.0/20", KADEMLIA_SUBNET_BUCKET, KADEMLIA_SUBNET_TABLE },
		{ "10.0.0.0/20", KADEMLIA_BUCKET_SIZE, KADEMLIA_ENTRIES_MAX },
	};

	(void)state;
	for (size_t r = 0; r < 2; r++) {
		struct sim_ethereum *w = world_of("ethereum", rows[r].range, 7);
		uint32_t table[KADEMLIA_ENTRIES_MAX];
		unsigned in_table = 0, in_bucket = 0;

		for (uint32_t i = 0; i < PEERS; i++) {
			unsigned by_bucket[KADEMLIA_BUCKETS][16] = { 0 }, all[16] = { 0 };
			size_t count = sim_ethereum_table(w, i, table);

			for (size_t k = 0; k < count; k++) {
				unsigned bucket = bucket_of(w, i, table[k]), net;
				struct enode node;

				sim_ethereum_enode(w, table[k], &node);
				net = node.endpoint.addr.bytes[2];
				if (++by_bucket[bucket][net] > in_bucket)
					in_bucket = by_bucket[bucket][net];
				if (++all[net] > in_table)
					in_table = all[net];
			}
		}
		assert_in_range(in_bucket, 2, rows[r].most_in_bucket);
		assert_in_range(in_table, 10, rows[r].most_in_table);
		if (r == 1)
			assert_true(in_table > KADEMLIA_SUBNET_TABLE);
		sim_ethereum_free(w);
	}
}

static void the_nearest_are_the_nearest(void **state)
{
	struct sim_ethereum *w = world_of("ethereum", "127.0.0.0/8", 8);
	uint8_t(*hashes)[KADEMLIA_HASH_LEN] = calloc(COUNT, KADEMLIA_HASH_LEN);
	uint32_t table[KADEMLIA_ENTRIES_MAX], near[KADEMLIA_BUCKET_SIZE];

	(void)state;
	assert_non_null(hashes);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct enode node;

		sim_ethereum_enode(w, i, &node);
		kademlia_hash(node.key, hashes[i]);
	}
	for (uint32_t i = 0; i < 100; i++) {
		const uint8_t *target = hashes[COUNT - 1 - i];
		size_t count = sim_ethereum_table(w, i, table);
		size_t n = sim_ethereum_closest(w, table, count, target, near), nearer = 0;

		assert_int_equal(n, count < KADEMLIA_BUCKET_SIZE ? count : KADEMLIA_BUCKET_SIZE);
		for (size_t k = 1; k < n; k++)
			assert_true(kademlia_compare(target, hashes[near[k - 1]], hashes[near[k]]) <
				    0);
		for (size_t k = 0; n > 0 && k < count; k++)
			nearer += kademlia_compare(target, hashes[table[k]], hashes[near[n - 1]]) <=
				  0;
		assert_int_equal(nearer, n);
	}
	free(hashes);
	sim_ethereum_free(w);
}

static void liars_sessions_and_chains_have_their_shares(void **state)
{
	static const char *const names[] = { "ethereum", "sepolia", "holesky", "hoodi" };

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct sim_ethereum *w = world_of(names[k], "127.0.0.0/8", 9);
		const struct ethereum_chain *chain = ethereum_chain_find(names[k]);
		unsigned kinds[SIM_ETHEREUM_KIND_COUNT] = { 0 }, own = 0, foreign = 0;
		unsigned sessions[SIM_ETHEREUM_SESSION_COUNT] = { 0 };
		struct sim_ethereum_node node;
		size_t place;

		for (uint32_t i = 0; i < COUNT; i++) {
			bool known = false;

			sim_ethereum_node(w, i, &node);
			assert_true((node.kind == SIM_ETHEREUM_GHOST) == (i >= PEERS));
			assert_int_equal(sim_ethereum_kind(w, i), node.kind);
			assert_int_equal(sim_ethereum_session(w, i), node.session);
			kinds[node.kind]++;
			sessions[node.session]++;
			own += node.status.network_id == chain->network_id &&
			       forkid_place(chain, node.forkid.hash, &place);
			for (size_t c = 0; c < ethereum_chains_count; c++)
				known = known ||
					forkid_place(&ethereum_chains[c], node.forkid.hash, &place);
			foreign += !known;
			assert_true(node.rtt_ms >= 1 && node.rtt_ms <= 500);
			assert_true(node.offers_count > 0);
		}
		sim_ethereum_node(w, 0, &node);
		assert_int_equal(node.kind, SIM_ETHEREUM_HONEST);
		for (unsigned i = 0; i < SIM_ETHEREUM_KIND_COUNT; i++)
			assert_true(kinds[i] > 0);
		assert_in_range(kinds[SIM_ETHEREUM_HONEST], PEERS * 75 / 100, PEERS * 85 / 100);
		assert_in_range(sessions[SIM_ETHEREUM_SESSION_FULL], COUNT * 35 / 100,
				COUNT * 45 / 100);
		for (unsigned i = 0; i < SIM_ETHEREUM_SESSION_COUNT; i++)
			assert_true(sessions[i] > 0);
		assert_in_range(own, COUNT * 68 / 100, COUNT * 80 / 100);
		assert_in_range(foreign, COUNT * 12 / 100, COUNT * 24 / 100);
		sim_ethereum_free(w);
	}
}

static void invented_nodes_are_nobody(void **state)
{
	static const struct {
		const char *range;
		uint32_t count;
	} rows[] = { { "127.0.0.0/8", SIM_INVENTED_MAX }, { "10.0.0.0/20", 4096 - 512 - COUNT } };

	(void)state;
	for (size_t r = 0; r < 2; r++) {
		struct sim_ethereum *w = world_of("ethereum", rows[r].range, 10);
		struct enode a, b;

		assert_int_equal(sim_ethereum_invented_count(w), rows[r].count);
		for (uint32_t i = 0; i < 200; i++) {
			sim_ethereum_invented(w, i, &a);
			sim_ethereum_invented(w, i + rows[r].count, &b);
			assert_true(secp_public_valid(a.key));
			assert_true(
				cidr_contains(&sim_ethereum_config(w)->range, &a.endpoint.addr));
			assert_int_equal(sim_ethereum_find(w, &a.endpoint.addr), -1);
			assert_memory_equal(a.key, b.key, sizeof(a.key)); /* over and over */
			sim_ethereum_invented(w, i + 1, &b);
			assert_memory_not_equal(a.key, b.key, sizeof(a.key));
			assert_false(netaddr_equal(&a.endpoint.addr, &b.endpoint.addr));
		}
		sim_ethereum_free(w);
	}
}

/* The closure again, the slow way: until nothing changes. */
static void the_truth_is_the_closure(void **state)
{
	enum { SEEDS = 2 };
	struct sim_ethereum *w = world_of("ethereum", "127.0.0.0/8", 13);
	bool reachable[COUNT], known[COUNT] = { false }, changed = true;
	uint32_t seeds[SEEDS], table[KADEMLIA_ENTRIES_MAX];
	unsigned hidden = 0, count = 0;

	(void)state;
	assert_int_equal(sim_ethereum_seeds(w, seeds, SEEDS), SEEDS);
	assert_int_equal(sim_ethereum_reachable(w, seeds, SEEDS, reachable), ERR_OK);
	for (unsigned i = 0; i < SEEDS; i++)
		known[seeds[i]] = true;
	while (changed) {
		changed = false;
		for (uint32_t i = 0; i < PEERS; i++) {
			size_t named = known[i] && sim_ethereum_kind(w, i) == SIM_ETHEREUM_HONEST
					       ? sim_ethereum_table(w, i, table)
					       : 0;

			for (size_t k = 0; k < named; k++) {
				changed = changed || !known[table[k]];
				known[table[k]] = true;
			}
		}
	}
	for (uint32_t i = 0; i < COUNT; i++) {
		struct sim_ethereum_node node;

		sim_ethereum_node(w, i, &node);
		assert_int_equal(reachable[i], known[i] && sim_ethereum_kind_answers(node.kind));
		assert_false(reachable[i] && node.hidden);
		hidden += node.hidden;
		count += reachable[i];
	}
	assert_true(hidden > 0 && count > PEERS * 7 / 10);
	/* Without a seed there is nobody. */
	assert_int_equal(sim_ethereum_reachable(w, seeds, 0, reachable), ERR_OK);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_false(reachable[i]);
	sim_ethereum_free(w);
}

static void seeds_are_of_use(void **state)
{
	struct sim_ethereum *w = world_of("ethereum", "127.0.0.0/8", 12);
	uint32_t seeds[PEERS], table[KADEMLIA_ENTRIES_MAX];
	size_t count = sim_ethereum_seeds(w, seeds, PEERS);

	(void)state;
	assert_in_range(count, PEERS / 2, PEERS - 1);
	assert_int_equal(seeds[0], 0);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(sim_ethereum_kind(w, seeds[i]), SIM_ETHEREUM_HONEST);
		assert_true(sim_ethereum_table(w, seeds[i], table) > KADEMLIA_BUCKET_SIZE);
	}
	sim_ethereum_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_makes_one_world),
		cmocka_unit_test(everybody_has_an_address_and_a_key),
		cmocka_unit_test(no_room_and_no_peers_are_refused),
		cmocka_unit_test(tables_keep_to_the_rules),
		cmocka_unit_test(subnets_are_limited),
		cmocka_unit_test(the_nearest_are_the_nearest),
		cmocka_unit_test(liars_sessions_and_chains_have_their_shares),
		cmocka_unit_test(invented_nodes_are_nobody),
		cmocka_unit_test(the_truth_is_the_closure),
		cmocka_unit_test(seeds_are_of_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
