/* simnet.h: a simulated network on real sockets of loopback, on the first ports that are free:
 * on the test's own loop, or in a thread beside it. */
#ifndef PEERWALK_TESTS_SUPPORT_SIMNET_H
#define PEERWALK_TESTS_SUPPORT_SIMNET_H

#include "sim/server.h"
#include "sim/server_ethereum.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct simnet {
	uv_loop_t loop;
	struct sim_config config; /* with the port that it has got */
	void *world, *server;     /* of the kind that it was started as */
	const struct simnet_kind *kind;
	uv_async_t ending;
	pthread_t thread; /* 0: none */
};

struct simnet_kind {
	void (*make)(struct simnet *net);
	enum err (*serve)(struct simnet *net, char *why, size_t why_cap);
	void (*halt)(struct simnet *net);
	void (*unmake)(struct simnet *net);
};

/* --- of Bitcoin: struct sim_world, struct sim_server --- */

static inline void simnet_bitcoin_make(struct simnet *net)
{
	struct sim_world *world;

	assert_int_equal(sim_world_new(&net->config, &world), ERR_OK);
	net->world = world;
}

static inline enum err simnet_bitcoin_serve(struct simnet *net, char *why, size_t why_cap)
{
	struct sim_server *server;
	enum err err = sim_server_start(&net->loop, net->world, &server, why, why_cap);

	net->server = server;
	return err;
}

static inline void simnet_bitcoin_halt(struct simnet *net)
{
	sim_server_stop(net->server);
}

static inline void simnet_bitcoin_unmake(struct simnet *net)
{
	sim_world_free(net->world);
}

static const struct simnet_kind simnet_bitcoin = { simnet_bitcoin_make, simnet_bitcoin_serve,
						   simnet_bitcoin_halt, simnet_bitcoin_unmake };

/* --- of Ethereum: struct sim_ethereum, struct sim_ethereum_server --- */

static inline void simnet_ethereum_make(struct simnet *net)
{
	struct sim_ethereum *world;

	assert_int_equal(sim_ethereum_new(&net->config, &world), ERR_OK);
	net->world = world;
}

static inline enum err simnet_ethereum_serve(struct simnet *net, char *why, size_t why_cap)
{
	struct sim_ethereum_server *server;
	enum err err = sim_ethereum_server_start(&net->loop, net->world, &server, why, why_cap);

	net->server = server;
	return err;
}

static inline void simnet_ethereum_halt(struct simnet *net)
{
	sim_ethereum_server_stop(net->server);
}

static inline void simnet_ethereum_unmake(struct simnet *net)
{
	sim_ethereum_free(net->world);
}

static const struct simnet_kind simnet_ethereum = { simnet_ethereum_make, simnet_ethereum_serve,
						    simnet_ethereum_halt, simnet_ethereum_unmake };

/* --- either --- */

/* On all of 127.0.0.0/8. Tests of several build folders may run side by side: the first free
 * ports are ours, below those that the system gives to connections. */
static inline void simnet_start(struct simnet *net, const struct simnet_kind *kind,
				struct sim_config config)
{
	char why[256] = "";
	enum err err = ERR_IO;

	memset(net, 0, sizeof(*net));
	net->kind = kind;
	net->config = config;
	assert_int_equal(cidr_parse(slice_text("127.0.0.0/8"), &net->config.range), ERR_OK);
	assert_int_equal(uv_loop_init(&net->loop), 0);
	for (unsigned i = 0; i < 50 && err != ERR_OK; i++) {
		net->config.port = (uint16_t)(12000 + (getpid() * 5 + i * 500) % 20000);
		kind->make(net);
		err = kind->serve(net, why, sizeof(why));
		uv_run(&net->loop, UV_RUN_NOWAIT);
		if (err != ERR_OK)
			kind->unmake(net);
	}
	if (err != ERR_OK)
		fail_msg("%s", why);
}

static inline void simnet_on_ending(uv_async_t *async)
{
	struct simnet *net = async->data;

	net->kind->halt(net);
	uv_close((uv_handle_t *)async, NULL);
}

static inline void *simnet_run(void *arg)
{
	struct simnet *net = arg;

	uv_run(&net->loop, UV_RUN_DEFAULT);
	return NULL;
}

/* Once it has started: leaves the loop to a thread. */
static inline int simnet_detach(struct simnet *net)
{
	net->ending.data = net;
	assert_int_equal(uv_async_init(&net->loop, &net->ending, simnet_on_ending), 0);
	return pthread_create(&net->thread, NULL, simnet_run, net);
}

/* The loop ends only if the server has closed everything. */
static inline void simnet_stop(struct simnet *net)
{
	if (net->thread != 0) {
		uv_async_send(&net->ending);
		pthread_join(net->thread, NULL);
	} else {
		net->kind->halt(net);
		uv_run(&net->loop, UV_RUN_DEFAULT);
	}
	assert_int_equal(uv_loop_close(&net->loop), 0);
	net->kind->unmake(net);
}

#endif
