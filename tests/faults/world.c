#include "faults/world.h"

#include "faults/data.h"
#include "sim/server.h"
#include "sim/server_ethereum.h"

#include <pthread.h>
#include <unistd.h>

struct world world;

static uv_loop_t loop;
static struct sim_world *peers;
static struct sim_ethereum *nodes;

static void *serve(void *arg)
{
	(void)arg;
	failing_exempt(true);
	uv_run(&loop, UV_RUN_DEFAULT);
	return NULL;
}

static bool start(struct sim_config *config)
{
	struct sim_ethereum_server *ethereum;
	struct sim_server *server;
	char why[256];
	enum err err;

	if (config->network->discovery == DISCOVERY_V4) {
		assert_int_equal(sim_ethereum_new(config, &nodes), ERR_OK);
		err = sim_ethereum_server_start(&loop, nodes, &ethereum, why, sizeof(why));
	} else {
		assert_int_equal(sim_world_new(config, &peers), ERR_OK);
		err = sim_server_start(&loop, peers, &server, why, sizeof(why));
	}
	if (err == ERR_OK)
		return true;
	uv_run(&loop, UV_RUN_NOWAIT);
	sim_world_free(peers);
	sim_ethereum_free(nodes);
	peers = NULL;
	nodes = NULL;
	return false;
}

static void take_seed(void)
{
	struct enode node;
	uint32_t first;

	if (nodes == NULL) {
		sim_world_seeds(peers, &world.seed, 1);
		netaddr_text(&world.seed, world.seed_text);
		return;
	}
	sim_ethereum_seeds(nodes, &first, 1);
	sim_ethereum_enode(nodes, first, &node);
	world.seed = node.endpoint.addr;
	memcpy(world.seed_key, node.key, sizeof(world.seed_key));
	enode_text(&node, world.seed_text);
}

void world_need(const char *network)
{
	struct sim_config config = { .network = network_find(network),
				     .peers = WORLD_PEERS,
				     .seed = 5 };
	pthread_t thread;
	bool up = false;

	if (world.network != NULL)
		return;
	world.network = config.network;
	cidr_parse(slice_text("127.0.0.0/8"), &config.range);
	assert_int_equal(uv_loop_init(&loop), 0);
	for (unsigned i = 0; i < 50 && !up; i++) {
		config.port = (uint16_t)(12000 + (getpid() * 5 + i * 500) % 20000);
		up = start(&config);
	}
	assert_true(up);
	take_seed();
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
}
