/* simulation.h: what `peerwalk simulate` needs of a simulated network, for each way of finding
 * peers: one const table of functions, as sim/server.h and sim/server_ethereum.h offer them.
 *
 * make, then seeds and truth as wanted; start, counts and progress while it runs, stop, and free
 * once the loop has run to its end. */
#ifndef PEERWALK_CLI_SIMULATION_H
#define PEERWALK_CLI_SIMULATION_H

#include "base/text.h"
#include "sim/world.h"

#include <jansson.h>
#include <uv.h>

enum {
	SIMULATION_PEER_MAX = 256, /* a peer as text, with NUL: the longest is an enode URL */
	SIMULATION_LINE_MAX = 256,
	SIMULATION_WHY_MAX = 256,
};

struct simulation_kind {
	/* ERR_VALUE: no room in the range; ERR_NOMEM. The config is copied, its network is not. */
	enum err (*make)(const struct sim_config *config, void **world);
	void (*free)(void *world);
	/* Up to `count` first contacts, as text; how many. */
	size_t (*seeds)(const void *world, char (*out)[SIMULATION_PEER_MAX], size_t count);
	/* The rows of the truth behind its heading, as seen from the first `seeds` contacts. */
	enum err (*truth)(const void *world, size_t seeds, struct text *out);
	enum err (*start)(uv_loop_t *loop, const void *world, void **server,
			  char why[static SIMULATION_WHY_MAX]);
	/* A new object, or NULL. */
	json_t *(*counts)(const void *server);
	/* One line for the terminal, without the network's name. */
	void (*progress)(const void *server, char out[static SIMULATION_LINE_MAX]);
	void (*stop)(void *server);
};

extern const struct simulation_kind simulation_sessions, simulation_ethereum;

#endif
