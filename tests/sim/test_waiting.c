/* Deadlines that are learned (engine/patience.h), in whole crawls on virtual time: whatever the
 * latencies are like, nobody is lost, and black holes don't rule the time. */
#include "sim/virtual.h"
#include "support/sanitized.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEEDS = 8, CEILING_MS = 5000, ANSWER_MS = 10000, JUST_BELOW_MS = 4900 };

struct setup {
	const char *name;
	uint32_t peers, ghosts, concurrency;
	struct sim_config world; /* of it latency, tail, black_holes, loss and liars */
	uint64_t slower_from_ms;
	uint32_t slower_by;
};

struct outcome_of {
	uint64_t reachable, missed, invented;
	uint64_t silent;  /* addresses without any answer */
	uint64_t busy_ms; /* what those took that did answer */
	struct sim_result result;
};

struct watch {
	bool *reached;
	struct outcome_of *out;
};

static void on_record(void *ctx, uint32_t index, const struct record *record)
{
	struct watch *w = ctx;

	if (record->outcome == OUTCOME_CONNECT_TIMEOUT)
		w->out->silent++;
	else
		w->out->busy_ms += (uint64_t)record->total_ms;
	if (index != SIM_NOBODY)
		w->reached[index] = record->reached;
}

static void compare(const struct sim_world *world, const struct netaddr *seeds, const bool *reached,
		    struct outcome_of *out)
{
	bool *reachable = calloc(sim_world_count(world), sizeof(*reachable));

	assert_non_null(reachable);
	assert_int_equal(sim_world_reachable(world, seeds, SEEDS, false, reachable), ERR_OK);
	for (uint32_t i = 0; i < sim_world_count(world); i++) {
		out->reachable += reachable[i];
		out->missed += reachable[i] && !reached[i];
		out->invented += !reachable[i] && reached[i];
	}
	free(reachable);
}

static void crawl(const struct setup *setup, bool learn, struct outcome_of *out)
{
	struct sim_config config = setup->world;
	struct crawl_config crawl = { .concurrency = setup->concurrency,
				      .allow_private = true,
				      .key = { 5, 1 } };
	struct visit_config visit = { .connect_timeout_ms = CEILING_MS };
	struct sim_run run = { .crawl = &crawl,
			       .visit = &visit,
			       .on_record = on_record,
			       .slower_from_ms = setup->slower_from_ms,
			       .slower_by = setup->slower_by };
	struct watch watch = { .out = out };
	struct netaddr seeds[SEEDS];
	struct sim_world *world;

	*out = (struct outcome_of){ 0 };
	config.network = network_find("bitcoin");
	config.peers = setup->peers;
	config.ghosts = setup->ghosts;
	config.seed = 3;
	config.port = 8333;
	config.jitter_ms = 20;
	assert_int_equal(cidr_parse(slice_text("127.0.0.0/8"), &config.range), ERR_OK);
	visit.session = (struct session_params){ .network = config.network,
						 .agent = slice_text("/peerwalk-test:1/"),
						 .timeout_ms = 30000 };
	if (learn)
		crawl.patience = (struct patience_config){ .connect_ms = CEILING_MS,
							   .answer_ms = ANSWER_MS };
	assert_int_equal(sim_world_new(&config, &world), ERR_OK);
	watch.reached = calloc(sim_world_count(world), sizeof(*watch.reached));
	assert_non_null(watch.reached);
	assert_int_equal(sim_world_seeds(world, seeds, SEEDS), SEEDS);
	run.world = world;
	run.ctx = &watch;
	assert_int_equal(sim_run(&run, seeds, SEEDS, &out->result), ERR_OK);
	compare(world, seeds, watch.reached, out);
	free(watch.reached);
	sim_world_free(world);
}

/* As fast as its places, its latencies and its deadlines allow: each silent address waited for
 * once in haste, and once for the whole time. */
static double ideal_ms(const struct setup *setup, const struct outcome_of *o)
{
	uint64_t silent_ms = o->silent * (PATIENCE_CONNECT_MIN_MS + CEILING_MS);

	return (double)(o->busy_ms + silent_ms) / setup->concurrency;
}

static void tell(const struct setup *setup, const struct outcome_of *o,
		 const struct outcome_of *fixed)
{
	print_message("  %s: %u found, %u missed; %.1f s (ideal %.1f; %.1f with a fixed deadline); "
		      "in the end %u ms to connect, %u to answer\n",
		      setup->name, (unsigned)(o->reachable - o->missed), (unsigned)o->missed,
		      (double)o->result.virtual_ms / 1000, ideal_ms(setup, o) / 1000,
		      (double)fixed->result.virtual_ms / 1000, o->result.stats.wait.connect_ms,
		      o->result.stats.wait.answer_ms);
}

static void check(const struct setup *setup, const struct outcome_of *o)
{
	if (o->reachable == 0 || o->missed != 0 || o->invented != 0)
		fail_msg("%s", setup->name);
	assert_int_equal(o->result.stats.waiting, 0);
	assert_int_equal(o->result.stats.visited, o->result.stats.known - o->result.stats.no_dial);
}

static const struct setup worlds[] = {
	{ "log-normal", 2000, 2000, 300, { .latency_ms = 80, .liars = 0.05 }, 0, 0 },
	{ "a long tail, up to just below the ceiling",
	  3000,
	  1000,
	  300,
	  { .latency_ms = 80, .tail_ms = JUST_BELOW_MS, .liars = 0.05 },
	  0,
	  0 },
	{ "the same, and packets get lost",
	  2000,
	  1000,
	  300,
	  { .latency_ms = 80, .tail_ms = 2400, .loss = 0.01 },
	  0,
	  0 },
	{ "nearly all at the ceiling",
	  1000,
	  500,
	  300,
	  { .latency_ms = 3000, .tail_ms = JUST_BELOW_MS },
	  0,
	  0 },
	{ "everybody becomes slow in mid-crawl",
	  4000,
	  4000,
	  100,
	  { .latency_ms = 50, .black_holes = true },
	  20000,
	  9 },
	{ "nine of ten are black holes",
	  1000,
	  9000,
	  300,
	  { .latency_ms = 80, .black_holes = true },
	  0,
	  0 },
	{ "the same with a long tail",
	  1000,
	  9000,
	  300,
	  { .latency_ms = 80, .tail_ms = JUST_BELOW_MS, .black_holes = true },
	  0,
	  0 },
	{ "half of the peers lie",
	  2000,
	  1000,
	  300,
	  { .latency_ms = 80, .tail_ms = JUST_BELOW_MS, .liars = 0.5 },
	  0,
	  0 },
};

static void nobody_is_lost_however_slow(void **state)
{
	struct outcome_of learned, fixed;

	(void)state;
	for (size_t i = 0; i < sizeof(worlds) / sizeof(*worlds); i++) {
		crawl(&worlds[i], true, &learned);
		crawl(&worlds[i], false, &fixed);
		tell(&worlds[i], &learned, &fixed);
		check(&worlds[i], &learned);
		/* No slower than without, but that the slowest may have to be tried twice. */
		assert_true((double)learned.result.virtual_ms <=
			    1.1 * (double)fixed.result.virtual_ms + CEILING_MS);
	}
}

/* Ten black holes a peer. */
static void black_holes_cost_no_more_than_they_must(void **state)
{
	const struct setup large = {
		"ten thousand, and a hundred thousand black holes", 10000, 100000, 2000,
		{ .latency_ms = 50, .black_holes = true },          0,     0
	};
	const struct setup small = { "a thousand, and ten thousand black holes", 1000, 10000, 200,
				     { .latency_ms = 50, .black_holes = true },  0,    0 };
	const struct setup *setup = SANITIZED ? &small : &large;
	struct outcome_of learned, fixed;

	(void)state;
	crawl(setup, true, &learned);
	crawl(setup, false, &fixed);
	tell(setup, &learned, &fixed);
	check(setup, &learned);
	assert_int_equal(learned.result.stats.wait.connect_ms, PATIENCE_CONNECT_MIN_MS);
	assert_true((double)learned.result.virtual_ms <= 1.2 * ideal_ms(setup, &learned));
	assert_true((double)learned.result.virtual_ms <= 0.7 * (double)fixed.result.virtual_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_lost_however_slow),
		cmocka_unit_test(black_holes_cost_no_more_than_they_must),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
