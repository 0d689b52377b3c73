#include "cli/simulation.h"

#include "cli/alloc.h"
#include "cli/terminal.h"
#include "sim/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEEDS_MAX = 64 };

static enum err make(const struct sim_config *config, void **world)
{
	struct sim_world *w;
	enum err err = sim_world_new(config, &w);

	*world = w;
	return err;
}

static void release(void *world)
{
	sim_world_free(world);
}

/* NETWORK://HOST:PORT */
static void peer_text(const struct sim_world *w, const struct netaddr *addr, char *out, size_t cap)
{
	char host[NETADDR_TEXT_MAX];

	netaddr_text(addr, host);
	snprintf(out, cap, "%s://%s", sim_world_config(w)->network->name, host);
}

static size_t seeds(const void *world, char (*out)[SIMULATION_PEER_MAX], size_t count)
{
	struct netaddr addrs[SEEDS_MAX];
	size_t n = sim_world_seeds(world, addrs, count < SEEDS_MAX ? count : SEEDS_MAX);

	for (size_t i = 0; i < n; i++)
		peer_text(world, &addrs[i], out[i], SIMULATION_PEER_MAX);
	return n;
}

static void add_truth_row(const struct sim_world *w, struct text *t, uint32_t index, bool reachable)
{
	char peer_name[SIMULATION_PEER_MAX], host[NETADDR_HOST_TEXT_MAX];
	struct sim_peer peer;

	sim_world_peer(w, index, &peer);
	peer_text(w, &peer.addr, peer_name, sizeof(peer_name));
	netaddr_host_text(&peer.addr, host);
	text_printf(t, "%s,%s,%u,%s,", peer_name, host, peer.addr.port, sim_kind_name(peer.kind));
	/* What nobody can ever hear from the others is no part of the truth. */
	if (sim_kind_shakes_hands(peer.kind))
		text_add_csv(t, slice_text(peer.agent));
	text_printf(t, ",%d\n", reachable);
}

static enum err truth(const void *world, size_t seeds_count, struct text *out)
{
	uint32_t count = sim_world_count(world);
	bool *reachable = alloc_zeroed(count, sizeof(*reachable));
	struct netaddr addrs[SEEDS_MAX];
	enum err err;

	seeds_count = sim_world_seeds(world, addrs, seeds_count);
	err = sim_world_reachable(world, addrs, seeds_count, false, reachable);
	for (uint32_t i = 0; i < count && err == ERR_OK; i++)
		add_truth_row(world, out, i, reachable[i]);
	free(reachable);
	return err;
}

static enum err start(uv_loop_t *loop, const void *world, void **server,
		      char why[static SIMULATION_WHY_MAX])
{
	struct sim_server *s;
	enum err err = sim_server_start(loop, world, &s, why, SIMULATION_WHY_MAX);

	*server = s;
	return err;
}

static json_t *counts(const void *server)
{
	struct sim_server_counts n;

	sim_server_counts(server, &n);
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "connections", (json_int_t)n.connections,
			 "getaddr", (json_int_t)n.getaddr, "strangers", (json_int_t)n.strangers,
			 "bytes_in", (json_int_t)n.bytes_in, "bytes_out", (json_int_t)n.bytes_out);
}

static void progress(const void *server, char out[static SIMULATION_LINE_MAX])
{
	char connections[32], sent[32], asked[32];
	struct sim_server_counts n;

	sim_server_counts(server, &n);
	format_count(n.connections, connections);
	format_count(n.getaddr, asked);
	format_bytes(n.bytes_out, sent);
	snprintf(out, SIMULATION_LINE_MAX, "%" PRIu64 " open, %s connections, %s getaddr, %s sent",
		 n.open, connections, asked, sent);
}

static void stop(void *server)
{
	sim_server_stop(server);
}

const struct simulation_kind simulation_sessions = {
	.make = make,
	.free = release,
	.seeds = seeds,
	.truth = truth,
	.start = start,
	.counts = counts,
	.progress = progress,
	.stop = stop,
};
