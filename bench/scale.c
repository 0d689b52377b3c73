/* scale.c: what a crawl costs as the network grows: 1,000, 10,000, 100,000 peers and as
 * many ghosts, on virtual time. Flat columns are what is wanted: cost is linear.
 *
 * usage: bench_scale [LARGEST] */
#include "sim/virtual.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool crawl(uint32_t peers)
{
	struct sim_config config = { .network = network_find("bitcoin"),
				     .peers = peers,
				     .ghosts = peers,
				     .seed = 1,
				     .latency_ms = 50,
				     .port = 8333 };
	struct crawl_config crawl = { .concurrency = 2000, .key = { 1, 2 } };
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
	printf("  %8u %12llu %12llu %12.1f %14.1f %16.1f\n", peers,
	       (unsigned long long)result.stats.visited, (unsigned long long)result.stats.reached,
	       seconds * 1e6 / (double)result.stats.reached,
	       (double)result.stats.bytes / (double)result.stats.known,
	       (double)result.peak_bytes / (double)result.stats.known);
	fflush(stdout);
	sim_world_free(world);
	return true;
}

int main(int argc, char **argv)
{
	unsigned long largest = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;

	printf("  %8s %12s %12s %12s %14s %16s\n", "peers", "visited", "reached", "us/reached",
	       "bytes/known", "peak bytes/known");
	for (uint32_t peers = 1000; peers <= largest; peers *= 10) {
		if (!crawl(peers))
			return 1;
	}
	return 0;
}
