/* A whole crawl of a simulated network on virtual time, compared with the truth. */
#include "sim/virtual.h"
#include "support/sanitized.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { SEEDS = 8 };

/* What a run came to, seen from the world. */
struct tally {
	const struct sim_world *world;
	uint8_t *visits; /* final records for each index */
	bool *reached;
	uint64_t table[SIM_KIND_COUNT][OUTCOME_COUNT];
	uint64_t nobody, not_refused, wrong_agent, wrong_version, bad_outcome, clock_off;
	uint64_t adverts_new, digest;
	uint32_t adverts_max;
};

static void mix(struct tally *t, const void *data, size_t len)
{
	t->digest = hash_siphash13(&(struct hash_key){ t->digest, 7 }, data, len);
}

static void check_reached(struct tally *t, const struct sim_peer *peer, const struct record *record)
{
	const struct peer_info *info = &record->info;
	int64_t off = info->clock_skew_s - peer->clock_skew_s;

	t->wrong_agent += !slice_equal(info->agent, slice_text(peer->agent));
	if (sim_world_config(t->world)->network->proto != network_find("bitcoin")->proto)
		return; /* gossip: no more is said that could be wrong */
	t->wrong_version += !info->has_version || info->protocol != peer->protocol ||
			    info->services != peer->services || info->height != peer->height;
	t->clock_off += off < -3 || off > 3;
}

static void on_record(void *ctx, uint32_t index, const struct record *record)
{
	struct tally *t = ctx;
	struct sim_peer peer;

	mix(t, &index, sizeof(index));
	mix(t, &record->outcome, sizeof(record->outcome));
	mix(t, &record->total_ms, sizeof(record->total_ms));
	mix(t, &record->bytes_in, sizeof(record->bytes_in));
	t->adverts_new += record->adverts_new;
	if (index == SIM_NOBODY) {
		t->nobody++;
		t->not_refused += record->outcome != OUTCOME_REFUSED;
		return;
	}
	sim_world_peer(t->world, index, &peer);
	t->visits[index]++;
	t->reached[index] = record->reached;
	t->table[peer.kind][record->outcome]++;
	t->bad_outcome += (sim_kind_outcomes(peer.kind) >> record->outcome & 1) == 0;
	if (record->reached && sim_kind_shakes_hands(peer.kind))
		check_reached(t, &peer, record);
	if (record->adverts > t->adverts_max)
		t->adverts_max = record->adverts;
}

static void print_table(const struct tally *t)
{
	for (int kind = 0; kind < SIM_KIND_COUNT; kind++) {
		for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
			if (t->table[kind][outcome] > 0)
				print_message("    %-15s %-18s %8llu\n",
					      sim_kind_name((enum sim_kind)kind),
					      outcome_name((enum outcome)outcome),
					      (unsigned long long)t->table[kind][outcome]);
		}
	}
}

struct setup {
	uint32_t peers, ghosts, concurrency;
	uint64_t seed;
	double loss, liars;
	bool patient;
	const char *range, *network; /* NULL: bitcoin */
};

struct world_run {
	struct sim_world *world;
	struct tally tally;
	struct sim_result result;
	bool *reachable;
	double cpu_s;
};

static double cpu_now_s(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static void run_world(const struct setup *setup, struct world_run *out)
{
	struct sim_config config = {
		.network = network_find(setup->network != NULL ? setup->network : "bitcoin"),
		.peers = setup->peers,
		.ghosts = setup->ghosts,
		.seed = setup->seed,
		.latency_ms = 80,
		.jitter_ms = 20,
		.loss = setup->loss,
		.liars = setup->liars,
		.port = 8333,
	};
	struct crawl_config crawl = {
		.concurrency = setup->concurrency,
		.allow_private = true,
		.key = { setup->seed, 1 },
	};
	struct visit_config visit = {
		.session = { .network = config.network,
			     .agent = slice_text("/peerwalk-test:1/"),
			     .patient = setup->patient,
			     .timeout_ms = setup->patient ? 120000 : 30000 },
		.connect_timeout_ms = 5000,
	};
	struct netaddr seeds[SEEDS];
	struct sim_run run = { .crawl = &crawl, .visit = &visit, .on_record = on_record };
	size_t seeds_count;
	double cpu_s;

	memset(out, 0, sizeof(*out));
	assert_int_equal(cidr_parse(slice_text(setup->range), &config.range), ERR_OK);
	assert_int_equal(sim_world_new(&config, &out->world), ERR_OK);
	out->tally.world = out->world;
	out->tally.visits = calloc(sim_world_count(out->world), 1);
	out->tally.reached = calloc(sim_world_count(out->world), 1);
	out->reachable = calloc(sim_world_count(out->world), 1);
	assert_true(out->tally.visits && out->tally.reached && out->reachable);
	seeds_count = sim_world_seeds(out->world, seeds, SEEDS);
	assert_int_equal(seeds_count, SEEDS);
	run.world = out->world;
	run.ctx = &out->tally;
	cpu_s = cpu_now_s();
	assert_int_equal(sim_run(&run, seeds, seeds_count, &out->result), ERR_OK);
	out->cpu_s = cpu_now_s() - cpu_s;
	assert_int_equal(
		sim_world_reachable(out->world, seeds, seeds_count, setup->patient, out->reachable),
		ERR_OK);
	print_message("  %u peers, %u ghosts: %.1f s of CPU, %.0f s of virtual time, "
		      "%llu events, %.1f MB at most\n",
		      setup->peers, setup->ghosts, out->cpu_s,
		      (double)out->result.virtual_ms / 1000, (unsigned long long)out->result.events,
		      (double)out->result.peak_bytes / 1e6);
	print_table(&out->tally);
}

static void world_run_clear(struct world_run *r)
{
	free(r->tally.visits);
	free(r->tally.reached);
	free(r->reachable);
	sim_world_free(r->world);
}

/* Everybody who can be found is found and nobody else; each has its right outcome. */
static void check_truth(const struct world_run *r)
{
	const struct tally *t = &r->tally;
	const struct crawl_stats *stats = &r->result.stats;
	uint64_t missed = 0, reachable = 0, invented = 0, twice = 0, records = t->nobody, sum = 0;

	for (uint32_t i = 0; i < sim_world_count(r->world); i++) {
		reachable += r->reachable[i];
		missed += r->reachable[i] && !t->reached[i];
		invented += !r->reachable[i] && t->reached[i];
		twice += t->visits[i] > 1;
		records += t->visits[i];
	}
	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++)
		sum += stats->outcomes[outcome];
	assert_true(reachable > 0);
	assert_int_equal(missed, 0);
	assert_int_equal(invented, 0);
	assert_int_equal(twice, 0);
	assert_int_equal(t->bad_outcome, 0);
	assert_int_equal(t->not_refused, 0);
	assert_int_equal(t->wrong_agent, 0);
	assert_int_equal(t->wrong_version, 0);
	assert_int_equal(t->clock_off, 0);
	/* The crawl's own books agree with what its records say. */
	assert_int_equal(stats->reached, reachable);
	assert_int_equal(stats->visited, records);
	assert_int_equal(sum, records);
	assert_int_equal(stats->in_flight, 0);
	assert_int_equal(stats->waiting, 0);
	assert_int_equal(stats->known, stats->visited + stats->no_dial);
	assert_int_equal(stats->known, t->adverts_new + SEEDS);
}

/* What one peer can make the crawler take and hold. */
static void check_caps(const struct world_run *r, size_t bytes_max)
{
	assert_true(r->tally.adverts_max <= 6 * SIM_TABLE_MAX);
	assert_true(r->result.peak_bytes <= bytes_max);
}

enum { MB = 1000 * 1000 };

static const struct {
	const char *name;
	struct setup setup;
	size_t bytes_max;
} worlds[] = {
	{ "ten thousand", { 10000, 10000, 1000, 1, 0, 0.05, false, "127.0.0.0/8", NULL }, 8 * MB },
	{ "every second one lies",
	  { 3000, 0, 500, 2, 0, 0.5, false, "127.0.0.0/8", NULL },
	  5 * MB },
	{ "mostly ghosts", { 300, 12000, 500, 3, 0, 0.05, false, "10.0.0.0/8", NULL }, 5 * MB },
	{ "patient", { 2000, 2000, 500, 4, 0, 0.05, true, "127.0.0.0/8", NULL }, 5 * MB },
	{ "IPv6", { 2000, 2000, 500, 5, 0, 0.05, false, "2a00::/12", NULL }, 5 * MB },
	{ "one network group", { 500, 500, 500, 6, 0, 0.05, false, "10.1.0.0/16", NULL }, 5 * MB },
	{ "gossip", { 1500, 1500, 500, 10, 0, 0.05, false, "127.0.0.0/8", "gossip" }, 5 * MB },
	{ "gossip, every second one lies",
	  { 2000, 100, 500, 11, 0, 0.5, false, "10.0.0.0/8", "gossip" },
	  5 * MB },
	{ "gossip, all at one's own machine",
	  { 100, 20, 10, 12, 0, 0.1, false, "127.0.0.0/24", "gossip" },
	  2 * MB },
	{ "one at a time", { 40, 20, 1, 7, 0, 0.2, false, "127.0.0.0/8", NULL }, 2 * MB },
};

static void everybody_is_found_and_nobody_invented(void **state)
{
	struct world_run r;

	(void)state;
	for (size_t i = 0; i < sizeof(worlds) / sizeof(worlds[0]); i++) {
		print_message("%s\n", worlds[i].name);
		run_world(&worlds[i].setup, &r);
		check_truth(&r);
		check_caps(&r, worlds[i].bytes_max);
		if (worlds[i].setup.patient) {
			assert_int_equal(r.tally.table[SIM_OLD][OUTCOME_NO_PEERS], 0);
			assert_true(r.tally.table[SIM_OLD][OUTCOME_OK] > 0);
		}
		world_run_clear(&r);
	}
}

/* Packets get lost: that costs time, not peers. */
static void loss_costs_time_not_peers(void **state)
{
	struct setup setup = { 2000, 500, 500, 8, 0, 0.05, false, "127.0.0.0/8", NULL };
	struct world_run calm, lossy;
	uint64_t missed = 0;

	(void)state;
	run_world(&setup, &calm);
	setup.loss = 0.05;
	run_world(&setup, &lossy);
	for (uint32_t i = 0; i < sim_world_count(lossy.world); i++) {
		missed += lossy.reachable[i] && !lossy.tally.reached[i];
		assert_true(lossy.reachable[i] || !lossy.tally.reached[i]);
	}
	/* Both attempts would have to be lost three times each: once in 60 million. */
	assert_int_equal(missed, 0);
	assert_true(lossy.result.virtual_ms > calm.result.virtual_ms);
	assert_true(lossy.tally.digest != calm.tally.digest);
	world_run_clear(&calm);
	world_run_clear(&lossy);
}

static void one_seed_gives_one_result(void **state)
{
	struct setup setup = { 1000, 1000, 300, 9, 0.02, 0.1, false, "127.0.0.0/8", NULL };
	struct world_run a, b, c;

	(void)state;
	run_world(&setup, &a);
	run_world(&setup, &b);
	setup.seed++;
	run_world(&setup, &c);
	assert_true(a.tally.digest == b.tally.digest);
	assert_int_equal(a.result.events, b.result.events);
	assert_int_equal(a.result.virtual_ms, b.result.virtual_ms);
	assert_int_equal(a.result.peak_bytes, b.result.peak_bytes);
	assert_memory_equal(&a.result.stats, &b.result.stats, sizeof(a.result.stats));
	assert_true(a.tally.digest != c.tally.digest);
	world_run_clear(&a);
	world_run_clear(&b);
	world_run_clear(&c);
}

/* The size of the real network several times over. About 15 s of CPU. */
static void a_hundred_thousand(void **state)
{
	const struct setup setup = { 100000, 100000, 2000, 1, 0, 0.05, false, "127.0.0.0/8", NULL };
	enum { CPU_MAX_S = 90 }; /* six times what it takes: a cliff, not a slope */
	struct world_run r;

	(void)state;
	if (SANITIZED && getenv("PEERWALK_SIM_FULL") == NULL) {
		print_message("under a sanitizer only with PEERWALK_SIM_FULL set\n");
		skip();
	}
	run_world(&setup, &r);
	check_truth(&r);
	check_caps(&r, 24 * MB);
	if (!SANITIZED)
		assert_true(r.cpu_s < CPU_MAX_S);
	world_run_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_is_found_and_nobody_invented),
		cmocka_unit_test(loss_costs_time_not_peers),
		cmocka_unit_test(one_seed_gives_one_result),
		cmocka_unit_test(a_hundred_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
