#include "cli/simulation.h"

#include "cli/alloc.h"
#include "cli/terminal.h"
#include "sim/server_ethereum.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEEDS_MAX = 64 };

_Static_assert((int)ENODE_TEXT_MAX <= (int)SIMULATION_PEER_MAX, "an enode URL fits");

static enum err make(const struct sim_config *config, void **world)
{
	struct sim_ethereum *w;
	enum err err = sim_ethereum_new(config, &w);

	*world = w;
	return err;
}

static void release(void *world)
{
	sim_ethereum_free(world);
}

static size_t seeds(const void *world, char (*out)[SIMULATION_PEER_MAX], size_t count)
{
	uint32_t indexes[SEEDS_MAX];
	size_t n = sim_ethereum_seeds(world, indexes, count < SEEDS_MAX ? count : SEEDS_MAX);

	for (size_t i = 0; i < n; i++) {
		struct enode node;

		sim_ethereum_enode(world, indexes[i], &node);
		enode_text(&node, out[i]);
	}
	return n;
}

static void add_truth_row(const struct sim_ethereum *w, struct text *t, uint32_t index,
			  bool reachable)
{
	char url[ENODE_TEXT_MAX], host[NETADDR_HOST_TEXT_MAX];
	struct sim_ethereum_node node;

	sim_ethereum_node(w, index, &node);
	enode_text(&node.enode, url);
	netaddr_host_text(&node.enode.endpoint.addr, host);
	text_printf(t, "%s,%s,%u,%s,", url, host, node.enode.endpoint.addr.port,
		    sim_ethereum_kind_name(node.kind));
	/* What nobody can ever hear from the others is no part of the truth. */
	if (sim_ethereum_kind_answers(node.kind) && node.session == SIM_ETHEREUM_SESSION_STATUS)
		text_add_csv(t, slice_text(node.client));
	text_printf(t, ",%d\n", reachable);
}

static enum err truth(const void *world, size_t seeds_count, struct text *out)
{
	uint32_t count = sim_ethereum_count(world), indexes[SEEDS_MAX];
	bool *reachable = alloc_zeroed(count, sizeof(*reachable));
	enum err err;

	seeds_count = sim_ethereum_seeds(world, indexes, seeds_count);
	err = sim_ethereum_reachable(world, indexes, seeds_count, reachable);
	for (uint32_t i = 0; i < count && err == ERR_OK; i++)
		add_truth_row(world, out, i, reachable[i]);
	free(reachable);
	return err;
}

static enum err start(uv_loop_t *loop, const void *world, void **server,
		      char why[static SIMULATION_WHY_MAX])
{
	struct sim_ethereum_server *s;
	enum err err = sim_ethereum_server_start(loop, world, &s, why, SIMULATION_WHY_MAX);

	*server = s;
	return err;
}

static json_t *counts(const void *server)
{
	struct sim_ethereum_server_counts n;

	sim_ethereum_server_counts(server, &n);
	n.lost += n.overrun;
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
			 "connections", (json_int_t)n.connections, "sessions",
			 (json_int_t)n.sessions, "datagrams_in", (json_int_t)n.datagrams_in,
			 "datagrams_out", (json_int_t)n.datagrams_out, "pings",
			 (json_int_t)n.peers.pings, "bonds", (json_int_t)n.peers.bonds, "findnodes",
			 (json_int_t)n.peers.findnodes, "enrrequests",
			 (json_int_t)n.peers.enrrequests, "ghosts", (json_int_t)n.peers.ghosts,
			 "strangers", (json_int_t)n.strangers, "dropped",
			 (json_int_t)n.peers.dropped, "lost", (json_int_t)n.lost, "bytes_in",
			 (json_int_t)n.bytes_in, "bytes_out", (json_int_t)n.bytes_out);
}

static void progress(const void *server, char out[static SIMULATION_LINE_MAX])
{
	struct sim_ethereum_server_counts n;
	char bonds[32], asked[32], sessions[32], sent[32];

	sim_ethereum_server_counts(server, &n);
	format_count(n.peers.bonds, bonds);
	format_count(n.peers.findnodes, asked);
	format_count(n.sessions, sessions);
	format_bytes(n.bytes_out, sent);
	snprintf(out, SIMULATION_LINE_MAX, "%s bonds, %s findnodes answered, %s sessions, %s sent",
		 bonds, asked, sessions, sent);
}

static void stop(void *server)
{
	sim_ethereum_server_stop(server);
}

const struct simulation_kind simulation_ethereum = {
	.make = make,
	.free = release,
	.seeds = seeds,
	.truth = truth,
	.start = start,
	.counts = counts,
	.progress = progress,
	.stop = stop,
};
