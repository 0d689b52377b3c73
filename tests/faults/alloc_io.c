/* alloc_io.c: whole crawls on real sockets of the loopback, with their database. */
#include "api/walk.h"
#include "faults/data.h"
#include "faults/world.h"

#include <unistd.h>

/* --- crawls --- */

static char path[256];
static uint64_t reached_at_best;

static enum err crawl_once(bool resume, uint64_t *reached)
{
	struct walk_config config = {
		.visit = { .session = { .network = world.network,
					.agent = slice_text("/walk:1/"),
					.timeout_ms = 3000 },
			   .connect_timeout_ms = 2000 },
		.crawl = { .allow_private = true, .concurrency = 16 },
		.threads = 1,
		.give_up_ms = 300,
		.db = path,
		.resume = resume,
		.adverts = true,
	};
	struct advert seed = { .addr = world.seed };
	struct walk_result result = { 0 };
	char why[WALK_WHY_MAX] = "";
	struct walk *walk;
	enum err err = walk_new(&config, &walk, why);

	want(err == ERR_OK || strstr(why, "memory") != NULL);
	if (err != ERR_OK)
		return err == ERR_IO ? ERR_NOMEM : err;
	if (world.network->discovery == DISCOVERY_V4)
		seed.node_id = slice_of(world.seed_key, sizeof(world.seed_key));
	walk_seed(walk, &seed);
	err = walk_run(walk);
	if (err == ERR_OK)
		err = walk_end(walk, &result);
	want(err == ERR_OK || strstr(walk_why(walk), "memory") != NULL);
	/* Nobody is blamed for what this machine lacks. */
	want(result.stats.outcomes[OUTCOME_CANCELLED] == 0);
	*reached = result.stats.reached;
	walk_free(walk);
	return err == ERR_IO ? ERR_NOMEM : err;
}

static enum err run_walk(void)
{
	uint64_t reached = 0;
	enum err err = crawl_once(false, &reached);

	if (err == ERR_OK && reached_at_best == 0)
		reached_at_best = reached;
	want(err != ERR_OK || (reached > 0 && reached == reached_at_best));
	return err;
}

/* When there is memory again, what is there of it is sound, and the rest can be had. */
static void after_walk(enum err err)
{
	uint64_t reached = 0;
	int64_t unfinished;

	if (access(path, F_OK) != 0) {
		want(err != ERR_OK);
		return;
	}
	want(data_sound(path));
	unfinished = data_number(path, "SELECT count(*) FROM crawls WHERE ended_at_ms IS NULL");
	want(err != ERR_OK || unfinished == 0);
	if (unfinished != 1)
		return;
	want(crawl_once(true, &reached) == ERR_OK);
	want(reached == reached_at_best);
}

static void before_walk(const char *network)
{
	world_need(network);
	snprintf(path, sizeof(path), "%s/walk.db", scenario_folder());
	db_remove(path);
}

static void before_bitcoin(void)
{
	before_walk("bitcoin-regtest");
}

static void before_gossip(void)
{
	before_walk("gossip");
}

static void before_ethereum(void)
{
	before_walk("ethereum");
}

const struct scenario io_scenarios[] = {
	SCENARIO("crawl of bitcoin", before_bitcoin, run_walk, after_walk, .threads = true,
		 .points = 4),
	SCENARIO("crawl of gossip", before_gossip, run_walk, after_walk, .threads = true,
		 .points = 4),
	SCENARIO("crawl of ethereum", before_ethereum, run_walk, after_walk, .threads = true,
		 .points = 4),
	{ 0 },
};
