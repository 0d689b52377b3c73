/* node.h: `peerwalk node`: what standing peers of all networks share (options, the loop, what
 * ends them), and the kinds of them, which cmd_node.c chooses from. */
#ifndef PEERWALK_CLI_NODE_H
#define PEERWALK_CLI_NODE_H

#include "cli/chain_arg.h"
#include "cli/log_arg.h"
#include "cli/node_ops.h"
#include "cli/signals.h"

#include <jansson.h>

struct node_options {
	struct option_list listen, bootstrap;
	bool no_default_bootstrap;
	const char *advertise, *key, *status, *db, *group, *contact, *metrics, *token;
	bool allow_private;
	uint64_t max_in, max_out, max_per_host, speed_up; /* 0: not given */
	uint64_t duration_ms;
	struct log_arg log;
	struct chain_arg chain;
};

struct node_run;

/* A kind of node. Whatever can fail prints why. */
struct node_kind {
	size_t size; /* bytes of its own state, which begins as zeros: run->node */
	/* Whether it stands on that network. */
	bool (*serves)(const struct network *network);
	/* Makes its settings from the options; an exit status. clear() follows in every case. */
	int (*read)(struct node_run *run);
	/* Begins on run->loop. False: it can't; the loop is run once more. */
	bool (*start)(struct node_run *run);
	/* What it says when all is set up: where it is. */
	void (*ready)(struct node_run *run);
	/* Draws its line of the terminal. */
	void (*progress)(struct node_run *run);
	/* How it is doing, for `peerwalk status`: sets listen (an array), address (where others
	 * see it, or null), peers_in, peers_out, messages_in, messages_out, bytes_in, bytes_out,
	 * known (addresses), and what only it has. */
	void (*status)(struct node_run *run, json_t *o);
	/* One of its peers: address, direction, agent, since ...; *at begins with 0, and is moved
	 * on. NULL: no more. */
	json_t *(*peer)(struct node_run *run, uint32_t *at);
	/* Says how it went, and closes what it has on the loop. Once, after start. */
	void (*stop)(struct node_run *run);
	void (*clear)(struct node_run *run);
};

extern const struct node_kind node_ethereum, node_swarm;

struct node_run {
	const struct cli *cli;
	const struct network *network;
	const struct node_options *options;
	const struct node_kind *kind;
	void *node; /* the kind's own */
	uv_loop_t loop;
	bool failed; /* not all was kept: the kind has said why, and the exit status says it, too */
	/* private */
	struct network chain; /* network, where it is described */
	struct signals signals;
	uv_timer_t progress, duration;
	struct node_ops ops;
	bool running;
	int interrupted; /* the status that a signal has set; 0: none */
};

/* --listen and --advertise, one value; they print what is wrong, and return an exit status. */
int node_read_listen(const struct node_run *run, const char *text, struct netaddr *out);
int node_read_advertise(const struct node_run *run, const char *text, struct netaddr *out);
static inline bool node_is_running(const struct node_run *run)
{
	return run->running;
}
/* Ends it; may be called from its callbacks, and again. */
void node_stop(struct node_run *run);
/* The same if whoever read our lines has gone: after each line. */
void node_look_at_stdout(struct node_run *run);
/* Says that another process holds --db. Any thread; ctx: the run. */
void node_waits(void *ctx);

#endif
