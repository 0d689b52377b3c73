/* scale.c: what a crawl costs as the network grows: 1,000, 10,000, 100,000 peers and as
 * many ghosts, on virtual time. Flat columns are what is wanted: cost is linear.
 *
 * usage: bench_scale [--json] [LARGEST] */
#include "figure.h"

#include "sim/virtual.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of a large network a part is visited: by then it is known from end to end. */
enum { VISITS_MAX = 50000 };

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell(bool json, uint32_t peers, const struct sim_result *r, double us)
{
	char name[64];

	if (json) {
		snprintf(name, sizeof(name), "growth_both_ends_%u", peers);
		figure(name, us, "us", 0);
		return;
	}
	printf("  %8u %10llu %12llu %12llu %12.1f %14.1f %16.1f\n", peers,
	       (unsigned long long)r->stats.known, (unsigned long long)r->stats.visited,
	       (unsigned long long)r->stats.reached, us,
	       (double)r->stats.bytes / (double)r->stats.known,
	       (double)r->peak_bytes / (double)r->stats.known);
	fflush(stdout);
}

static bool crawl(bool json, uint32_t peers)
{
	struct sim_config config = { .network = network_find("bitcoin"),
				     .peers = peers,
				     .ghosts = peers,
				     .seed = 1,
				     .latency_ms = 50,
				     .port = 8333 };
	struct crawl_config crawl = { .concurrency = 2000,
				      .max_visits = VISITS_MAX,
				      .key = { 1, 2 } };
	struct visit_config visit = { .session = { .network = config.network,
						   .goal = SESSION_GOAL_PEERS,
						   .agent = slice_text("/peerwalk:bench/"),
						   .timeout_ms = 20000 },
				      .connect_timeout_ms = 5000 };
	struct sim_run run = { .crawl = &crawl, .visit = &visit };
	struct netaddr seeds[8];
	struct sim_result result;
	struct sim_world *world;
	size_t seeds_count;
	double seconds;

	if (cidr_parse(slice_text("32.0.0.0/4"), &config.range) != ERR_OK ||
	    sim_world_new(&config, &world) != ERR_OK)
		return false;
	run.world = world;
	seeds_count = sim_world_seeds(world, seeds, sizeof(seeds) / sizeof(*seeds));
	seconds = cpu_seconds();
	if (sim_run(&run, seeds, seeds_count, &result) != ERR_OK) {
		sim_world_free(world);
		return false;
	}
	seconds = cpu_seconds() - seconds;
	tell(json, peers, &result, seconds * 1e6 / (double)result.stats.reached);
	sim_world_free(world);
	return true;
}

int main(int argc, char **argv)
{
	bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
	unsigned long largest = argc > 1 + json ? strtoul(argv[1 + json], NULL, 10) : 1000000;

	if (!json)
		printf("  %8s %10s %12s %12s %12s %14s %16s\n", "peers", "known", "visited",
		       "reached", "us/reached", "bytes/known", "peak bytes/known");
	for (uint32_t peers = 1000; peers <= largest; peers *= 10) {
		if (!crawl(json, peers))
			return 1;
	}
	return 0;
}
