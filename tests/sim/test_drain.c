/* test_drain.c: tables of 10,000 simulated nodes, drained, and compared with the truth.
 *
 * No packets: the answers go straight from the one's table to the other's drain, cut into
 * NEIGHBORS as the reference client does. */
#include "support/sanitized.h"
#include "support/tables.h"

enum {
	NODES = SANITIZED ? 2000 : 10000,
	FINDNODES_MEDIAN = 13, /* at most */
	PACKET_NODES = 12,     /* of a NEIGHBORS packet: as many as fit into 1280 bytes */
	SEEDS = 3,
};

/* How packets fare, each a share of 1. */
struct weather {
	double lost, swapped, late;
};

/* NEIGHBORS packets on their way. */
struct packets {
	uint8_t hashes[4][PACKET_NODES][KADEMLIA_HASH_LEN];
	unsigned counts[4], count;
};

static void packet_add(struct packets *p, const struct kademlia_node **nodes, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		memcpy(p->hashes[p->count][i], nodes[i]->hash, KADEMLIA_HASH_LEN);
	p->counts[p->count++] = count;
}

/* What a node answers: the relay check comes after the choice of the nearest, 12 a packet,
 * and an empty packet if there is nobody. */
static void answer(const struct world *w, const struct kademlia *t, const uint8_t *key,
		   struct packets *out)
{
	const struct kademlia_node *nodes[KADEMLIA_BUCKET_SIZE];
	uint8_t target[KADEMLIA_HASH_LEN];
	size_t count, kept = 0;

	kademlia_hash(key, target);
	count = kademlia_closest(t, target, nodes);
	for (size_t i = 0; i < count; i++) {
		if (!relay_is_lan(&nodes[i]->addr) || relay_is_lan(&w->asker))
			nodes[kept++] = nodes[i];
	}
	packet_add(out, nodes, kept < PACKET_NODES ? (unsigned)kept : PACKET_NODES);
	if (kept > PACKET_NODES)
		packet_add(out, nodes + PACKET_NODES, (unsigned)kept - PACKET_NODES);
}

static void name(struct world *w, struct node *n, const uint8_t hash[KADEMLIA_HASH_LEN])
{
	uint16_t at = (uint16_t)index_of(w, hash);

	for (unsigned i = 0; i < n->named_count; i++) {
		if (n->named[i] == at)
			return;
	}
	assert_true(n->named_count < KADEMLIA_ENTRIES_MAX);
	n->named[n->named_count++] = at;
}

static void packet_move(struct packets *to, const struct packets *from, unsigned at)
{
	memcpy(to->hashes[to->count], from->hashes[at], sizeof(*to->hashes));
	to->counts[to->count++] = from->counts[at];
}

/* One whole drain; returns how many FINDNODEs it took. */
static unsigned drain_table(struct world *w, unsigned at, const struct kademlia *t,
			    const struct weather *weather)
{
	struct random random = { 77000 + at };
	struct node *n = &w->nodes[at];
	struct packets late = { .count = 0 };
	uint8_t key[KADEMLIA_KEY_LEN];
	struct drain d;

	drain_init(&d, n->node.hash);
	while (drain_next(&d, &w->targets, key)) {
		struct packets sent = { .count = 0 }, come = { .count = 0 };

		if (late.count > 0)
			packet_move(&come, &late, 0);
		late.count = 0;
		if (random_unit(&random) >= weather->lost)
			answer(w, t, key, &sent);
		for (unsigned i = 0; i < sent.count; i++) {
			bool swap = sent.count == 2 && random_unit(&random) < weather->swapped;
			unsigned which = swap ? 1 - i : i;

			if (random_unit(&random) < weather->lost)
				continue;
			if (late.count == 0 && random_unit(&random) < weather->late)
				packet_move(&late, &sent, which);
			else
				packet_move(&come, &sent, which);
		}
		for (unsigned i = 0; i < come.count; i++) {
			for (unsigned j = 0; j < come.counts[i]; j++)
				name(w, n, come.hashes[i][j]);
			if (drain_neighbors(&d, (const uint8_t(*)[KADEMLIA_HASH_LEN])come.hashes[i],
					    come.counts[i]))
				break;
		}
		drain_reply_end(&d);
	}
	n->result = drain_result(&d);
	qsort(n->named, n->named_count, sizeof(*n->named), tables_by_number);
	return drain_findnodes(&d);
}

static bool complete(const struct node *n)
{
	return n->named_count == n->truth_count &&
	       memcmp(n->named, n->truth, n->truth_count * sizeof(*n->truth)) == 0;
}

struct tally {
	unsigned drained, results[3], falsely, median, findnodes_max;
	uint16_t findnodes[NODES];
	uint64_t truth, named;
};

/* Drains every `step`th node. */
static void drain_world(struct world *w, const struct weather *weather, unsigned step,
			struct tally *tally)
{
	struct kademlia *t = malloc(sizeof(*t));

	assert_non_null(t);
	memset(tally, 0, sizeof(*tally));
	for (unsigned i = 0; i < NODES; i += step) {
		struct node *n = &w->nodes[i];

		table_make(w, i, t);
		truth_of(w, i, t);
		tally->findnodes[tally->drained++] = (uint16_t)drain_table(w, i, t, weather);
		tally->results[n->result]++;
		tally->falsely += n->result == DRAIN_DRAINED && !complete(n);
		tally->truth += n->truth_count;
		tally->named += n->named_count;
	}
	free(t);
	qsort(tally->findnodes, tally->drained, sizeof(*tally->findnodes), tables_by_number);
	tally->median = tally->findnodes[tally->drained / 2];
	tally->findnodes_max = tally->findnodes[tally->drained - 1];
	print_message("%u drained, %u partial, %u timed out, %u falsely; FINDNODEs: %u in the "
		      "median, %u at most; %llu of %llu entries\n",
		      tally->results[DRAIN_DRAINED], tally->results[DRAIN_PARTIAL],
		      tally->results[DRAIN_TIMED_OUT], tally->falsely, tally->median,
		      tally->findnodes_max, (unsigned long long)tally->named,
		      (unsigned long long)tally->truth);
}

static struct world world;
static struct tally tally;

static void fair_weather(void **state)
{
	static bool by_drain[NODES], by_truth[NODES];
	unsigned seeds[SEEDS], found = 0, online = 0, reached;

	(void)state;
	world_init(&world, NODES, 0, NULL);
	drain_world(&world, &(struct weather){ 0 }, 1, &tally);
	assert_int_equal(tally.results[DRAIN_DRAINED], NODES);
	assert_int_equal(tally.falsely, 0);
	assert_int_equal(tally.named, tally.truth);
	assert_in_range(tally.median, 2, FINDNODES_MEDIAN);
	assert_in_range(tally.findnodes_max, 2, DRAIN_FINDNODES_MAX);
	/* Tables worth the name: several buckets full of live nodes. */
	assert_true(tally.truth / NODES > (SANITIZED ? 3 : 5) * KADEMLIA_BUCKET_SIZE);

	for (unsigned i = 0; found < SEEDS; i += 7) {
		if (world.nodes[i].online && i % 20 != 0)
			seeds[found++] = i;
	}
	for (unsigned i = 0; i < NODES; i++)
		online += world.nodes[i].online;
	reached = world_crawl(&world, seeds, SEEDS, true, by_drain);
	assert_int_equal(reached, world_crawl(&world, seeds, SEEDS, false, by_truth));
	assert_memory_equal(by_drain, by_truth, sizeof(by_drain));
	print_message("%u of %u online nodes reached from %u seeds\n", reached, online, SEEDS);
	assert_true(reached > online * 99 / 100);
	world_clear(&world);
}

/* Packets are lost, swapped, or come when the next answer is awaited. */
static void foul_weather(void **state)
{
	(void)state;
	world_init(&world, NODES, 0, NULL);
	drain_world(&world, &(struct weather){ .lost = 0.05, .swapped = 0.02, .late = 0.01 }, 2,
		    &tally);
	assert_int_equal(tally.falsely, 0);
	assert_true(tally.results[DRAIN_DRAINED] > tally.drained * 95 / 100);
	assert_true(tally.named > tally.truth - tally.truth / 500);
	world_clear(&world);
}

/* Half of all packets are lost: little is proven, and nothing falsely. */
static void storm(void **state)
{
	(void)state;
	world_init(&world, NODES, 0, NULL);
	drain_world(&world, &(struct weather){ .lost = 0.5 }, 10, &tally);
	assert_int_equal(tally.falsely, 0);
	assert_true(tally.results[DRAIN_PARTIAL] > tally.drained / 2);
	world_clear(&world);
}

/* Nodes know others in local networks and leave them out of what they tell us: short
 * answers, without a loss. */
static void local_networks(void **state)
{
	(void)state;
	world_init(&world, NODES, 0.03, NULL);
	drain_world(&world, &(struct weather){ 0 }, 5, &tally);
	assert_int_equal(tally.falsely, 0);
	assert_true(tally.results[DRAIN_PARTIAL] > 0);
	world_clear(&world);
}

static int setup(void **state)
{
	(void)state;
	targets_init(&world.targets);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fair_weather),
		cmocka_unit_test(foul_weather),
		cmocka_unit_test(storm),
		cmocka_unit_test(local_networks),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
