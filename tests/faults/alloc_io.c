/* alloc_io.c: whole crawls on real sockets of the loopback, with their database; a node that
 * answers. The simulated network lives in a thread of its own, and has all the memory it wants. */
#include "api/walk.h"
#include "faults/data.h"
#include "sim/server.h"
#include "sim/server_ethereum.h"

#include <pthread.h>
#include <unistd.h>

enum { PEERS = 8 };

/* --- the network --- */

static struct world {
	const char *name;
	uv_loop_t loop;
	struct sim_world *world;
	struct sim_ethereum *nodes;
	struct netaddr seed;
	uint8_t seed_key[PEER_NODE_ID_MAX];
	pthread_t thread;
} world;

static void *serve_world(void *arg)
{
	(void)arg;
	failing_exempt(true);
	uv_run(&world.loop, UV_RUN_DEFAULT);
	return NULL;
}

static bool start_world(struct sim_config *config)
{
	struct sim_ethereum_server *ethereum;
	struct sim_server *server;
	char why[256];
	enum err err;

	if (config->network->discovery == DISCOVERY_V4) {
		assert_int_equal(sim_ethereum_new(config, &world.nodes), ERR_OK);
		err = sim_ethereum_server_start(&world.loop, world.nodes, &ethereum, why,
						sizeof(why));
	} else {
		assert_int_equal(sim_world_new(config, &world.world), ERR_OK);
		err = sim_server_start(&world.loop, world.world, &server, why, sizeof(why));
	}
	if (err == ERR_OK)
		return true;
	uv_run(&world.loop, UV_RUN_NOWAIT);
	sim_world_free(world.world);
	sim_ethereum_free(world.nodes);
	world.world = NULL;
	world.nodes = NULL;
	return false;
}

/* Once for each process; it ends with that. */
static void need_world(const char *network)
{
	struct sim_config config = { .network = network_find(network), .peers = PEERS, .seed = 5 };
	struct enode node;
	uint32_t first;
	bool up = false;

	if (world.name != NULL)
		return;
	world.name = network;
	cidr_parse(slice_text("127.0.0.0/8"), &config.range);
	assert_int_equal(uv_loop_init(&world.loop), 0);
	for (unsigned i = 0; i < 50 && !up; i++) {
		config.port = (uint16_t)(12000 + (getpid() * 5 + i * 500) % 20000);
		up = start_world(&config);
	}
	assert_true(up);
	if (world.nodes != NULL) {
		sim_ethereum_seeds(world.nodes, &first, 1);
		sim_ethereum_enode(world.nodes, first, &node);
		world.seed = node.endpoint.addr;
		memcpy(world.seed_key, node.key, sizeof(world.seed_key));
	} else {
		sim_world_seeds(world.world, &world.seed, 1);
	}
	assert_int_equal(pthread_create(&world.thread, NULL, serve_world, NULL), 0);
}

/* --- crawls --- */

static char path[256];
static uint64_t reached_at_best;

static enum err crawl_once(bool resume, uint64_t *reached)
{
	struct walk_config config = {
		.visit = { .session = { .network = network_find(world.name),
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
	if (world.nodes != NULL)
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
	need_world(network);
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
