#include "cli/node.h"

#include "api/stand.h"
#include "base/uuid.h"
#include "cli/agent.h"
#include "cli/group_arg.h"
#include "cli/peer_arg.h"
#include "cli/swarm_tell.h"
#include "io/dial.h"

#include <string.h>

/* What stands behind run->node. */
struct own {
	struct stand *stand;
	struct stand_config config;
	struct peer_policy policy;
	struct swarm_tell tell;
	char agent[PEER_AGENT_MAX];
	uint8_t id[UUID_LEN];
	uint32_t in_max; /* asked for */
};

static bool serves(const struct network *network)
{
	return network->proto != NULL && network->proto->policy != NULL;
}

/* --- the command line --- */

static int read_listen(struct node_run *run)
{
	const struct option_list *list = &run->options->listen;
	struct own *own = run->node;
	struct swarm_host_config *c = &own->config.host;

	if (list->count == 0)
		c->places_count = listen_anywhere(run->network->default_port, c->places);
	if (list->count > SWARM_HOST_PLACES_MAX)
		return cli_usage(run->cli, "--listen: at most %d addresses", SWARM_HOST_PLACES_MAX);
	for (size_t i = 0; i < list->count; i++) {
		int status = node_read_listen(run, list->items[i], &c->places[i].addr);

		if (status != EXIT_DONE)
			return status;
		c->places_count++;
	}
	return EXIT_DONE;
}

static int read_peers(struct node_run *run)
{
	const struct option_list *list = &run->options->bootstrap;
	struct own *own = run->node;

	for (size_t i = 0; i < list->count; i++) {
		struct peer_arg peer;
		int status = peer_arg_read(run->cli, list->items[i], run->network, false, &peer);

		if (status != EXIT_DONE)
			return status;
		if ((peer.is_name ? stand_name(own->stand, peer.name, peer.port)
				  : stand_peer(own->stand, &peer.addr)) != ERR_OK)
			return cli_usage(run->cli, "--bootstrap: %s", stand_why(own->stand));
	}
	return EXIT_DONE;
}

/* The protocol's policy, with what the options say otherwise. */
static void read_policy(struct node_run *run)
{
	const struct node_options *o = run->options;
	struct own *own = run->node;

	own->policy = *run->network->proto->policy;
	if (o->max_in > 0)
		own->policy.in_max = (uint32_t)o->max_in;
	if (o->max_out > 0)
		own->policy.out_wanted = (uint32_t)o->max_out;
	if (o->max_per_host > 0) {
		own->policy.host_max = (uint32_t)o->max_per_host;
		own->config.host.swarm.loopback_counts = true;
	}
	own->in_max = own->policy.in_max;
	own->config.host.swarm.policy = &own->policy;
}

static int open_stand(struct node_run *run)
{
	struct own *own = run->node;
	char why[STAND_WHY_MAX];

	if (stand_new(&own->config, &own->stand, why) == ERR_OK)
		return EXIT_DONE;
	cli_fail(run->cli, "%s", why);
	return EXIT_FAILED;
}

static void on_event(void *ctx, const struct swarm_event *event);
static void on_answer(void *ctx, const struct resolve_answer *answer);
static void on_error(void *ctx, enum err err);

static int read_all(struct node_run *run)
{
	const struct node_options *o = run->options;
	struct own *own = run->node;
	struct swarm_config *swarm = &own->config.host.swarm;
	int status = EXIT_DONE;

	if (o->key != NULL)
		status = cli_usage(run->cli, "--key is for Ethereum's networks: others have none");
	if (status == EXIT_DONE)
		status = read_listen(run);
	if (status == EXIT_DONE)
		status = node_read_advertise(run, o->advertise, &own->config.host.advertise[0]);
	if (status == EXIT_DONE)
		status = group_arg_read(run->cli, o->group, run->network,
					&own->config.host.swarm.session.group);
	if (status == EXIT_DONE)
		status = agent_make(run->cli, run->network, o->contact, own->agent);
	if (status != EXIT_DONE)
		return status;
	read_policy(run);
	swarm->network = run->network;
	swarm->session.network = run->network;
	swarm->session.agent = slice_text(own->agent);
	if (own->policy.ids_unique) {
		dial_random(own->id, sizeof(own->id));
		uuid_make(own->id);
		swarm->session.own_id = own->tell.own_id = slice_of(own->id, sizeof(own->id));
	}
	swarm->allow_private = o->allow_private || own->policy.allow_private;
	swarm->on_event = on_event;
	swarm->ctx = run;
	own->config.host.speed_up = (unsigned)o->speed_up;
	own->config.db = o->db;
	own->config.default_seeds = !o->no_default_bootstrap;
	own->config.on_answer = on_answer;
	own->config.on_error = on_error;
	own->config.on_wait = node_waits;
	own->config.ctx = run;
	own->tell.cli = run->cli;
	own->tell.group = o->group;
	own->tell.network = run->network;
	own->tell.agent = own->agent;
	own->tell.advertise = own->config.host.advertise[0];
	status = open_stand(run);
	return status == EXIT_DONE ? read_peers(run) : status;
}

/* --- running --- */

static void on_event(void *ctx, const struct swarm_event *event)
{
	struct node_run *run = ctx;
	struct own *own = run->node;

	/* Taking leave of each is no news. */
	if (!node_is_running(run))
		return;
	swarm_tell_event(&own->tell, event);
	node_look_at_stdout(run);
}

static void on_answer(void *ctx, const struct resolve_answer *answer)
{
	struct node_run *run = ctx;
	struct own *own = run->node;

	if (answer->count > 0)
		return;
	swarm_tell_hide(&own->tell);
	cli_note(run->cli, "%s has no address now: %s", answer->name,
		 answer->error != NULL ? answer->error : "DNS knows none");
}

static void on_error(void *ctx, enum err err)
{
	struct node_run *run = ctx;
	struct own *own = run->node;

	(void)err;
	run->failed = true;
	swarm_tell_hide(&own->tell);
	cli_fail(run->cli, "%s; it goes on, and keeps nothing", stand_why(own->stand));
}

static bool start(struct node_run *run)
{
	struct own *own = run->node;

	if (stand_start(own->stand, &run->loop) != ERR_OK) {
		cli_fail(run->cli, "%s", stand_why(own->stand));
		return false;
	}
	own->tell.host = stand_host(own->stand);
	own->tell.started_ms = uv_now(&run->loop);
	return true;
}

static void ready(struct node_run *run)
{
	struct own *own = run->node;
	uint32_t in_max = swarm_host_in_max(own->tell.host);

	swarm_tell_ready(&own->tell);
	if (in_max < own->in_max)
		cli_note(run->cli,
			 "takes %u callers at a time instead of %u: this process may open no more "
			 "files; ulimit -n, or LimitNOFILE= of a systemd unit, raises that",
			 in_max, own->in_max);
}

static void progress(struct node_run *run)
{
	struct own *own = run->node;

	swarm_tell_progress(&own->tell);
}

static void status(struct node_run *run, json_t *o)
{
	const struct own *own = run->node;

	swarm_tell_status(&own->tell, o);
}

static json_t *peer(struct node_run *run, uint32_t *at)
{
	const struct own *own = run->node;

	return swarm_tell_peer(&own->tell, at);
}

static void stop(struct node_run *run)
{
	struct own *own = run->node;

	swarm_tell_end(&own->tell, uv_now(&run->loop));
	stand_stop(own->stand);
}

static void clear(struct node_run *run)
{
	struct own *own = run->node;

	if (own->stand == NULL)
		return;
	if (stand_end(own->stand) != ERR_OK && !run->failed) {
		run->failed = true;
		cli_fail(run->cli, "%s", stand_why(own->stand));
	}
	stand_free(own->stand);
}

const struct node_kind node_swarm = {
	.size = sizeof(struct own),
	.serves = serves,
	.read = read_all,
	.start = start,
	.ready = ready,
	.progress = progress,
	.status = status,
	.peer = peer,
	.stop = stop,
	.clear = clear,
};
