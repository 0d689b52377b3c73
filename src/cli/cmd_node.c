#include "cli/node.h"

#include "api/place_arg.h"
#include "cli/alloc.h"
#include "cli/group_arg.h"
#include "cli/loop.h"
#include "cli/store_arg.h"
#include "cli/terminal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PROGRESS_MS = 500 };

static const struct option_row rows[] = {
	{ .name = "listen",
	  .letter = 'l',
	  .type = OPTION_LIST,
	  .arg = "ADDR[:PORT]",
	  .help = "where to listen, port 0 for any; for Ethereum one IPv4 and one IPv6 address at "
		  "most (default: everywhere, at the network's port)",
	  .offset = offsetof(struct node_options, listen) },
	{ .name = "bootstrap",
	  .letter = 'b',
	  .type = OPTION_LIST,
	  .arg = "PEER",
	  .help = "somebody to begin with: HOST:PORT; for Ethereum enode://..., enr:...",
	  .offset = offsetof(struct node_options, bootstrap) },
	{ .name = "no-default-bootstrap",
	  .type = OPTION_FLAG,
	  .help = "not with the network's own bootstrap nodes or DNS seeds",
	  .offset = offsetof(struct node_options, no_default_bootstrap) },
	{ .name = "advertise",
	  .letter = 'a',
	  .type = OPTION_TEXT,
	  .arg = "ADDR:PORT",
	  .help = "where others reach it, if that is another place (NAT)",
	  .offset = offsetof(struct node_options, advertise) },
	{ .name = "key",
	  .letter = 'k',
	  .type = OPTION_TEXT,
	  .arg = "FILE",
	  .help = "Ethereum: its private key, made if there is no such file; without one it is "
		  "somebody else each time",
	  .offset = offsetof(struct node_options, key) },
	{ .name = "db",
	  .type = OPTION_TEXT,
	  .arg = "FILE",
	  .help = "keep the addresses that it knows in this database, for the next time",
	  .offset = offsetof(struct node_options, db) },
	{ GROUP_ARG_ROW(offsetof(struct node_options, group)) },
	{ .name = "contact",
	  .type = OPTION_TEXT,
	  .arg = "TEXT",
	  .help = "whom to write to about this peer: goes into the user agent",
	  .offset = offsetof(struct node_options, contact) },
	{ .name = "allow-private",
	  .type = OPTION_FLAG,
	  .help = "Bitcoin: dial, keep and tell addresses that aren't public, too; gossip does",
	  .offset = offsetof(struct node_options, allow_private) },
	{ .name = "max-in",
	  .type = OPTION_UINT,
	  .arg = "N",
	  .help = "callers at a time, at most (default: 189 for Bitcoin, 1000 for gossip)",
	  .min = 1,
	  .max = 1000000,
	  .offset = offsetof(struct node_options, max_in) },
	{ .name = "max-out",
	  .type = OPTION_UINT,
	  .arg = "N",
	  .help = "peers that it dials and keeps (default: 8)",
	  .min = 1,
	  .max = 1000,
	  .offset = offsetof(struct node_options, max_out) },
	{ .name = "max-per-host",
	  .type = OPTION_UINT,
	  .arg = "N",
	  .help = "callers of one IP address (IPv6: one /64), at most (default: 8 for Bitcoin, 64 "
		  "for gossip, and any number of this machine's own)",
	  .min = 1,
	  .max = 1000000,
	  .offset = offsetof(struct node_options, max_per_host) },
	{ .name = "speed-up",
	  .type = OPTION_UINT,
	  .arg = "N",
	  .help = "for tests: its clock runs N times as fast, and all waiting times of the "
		  "protocol are so much shorter; everybody of a network has to do the same",
	  .min = 1,
	  .max = 1000,
	  .offset = offsetof(struct node_options, speed_up) },
	{ CHAIN_ARG_MAGIC(offsetof(struct node_options, chain)) },
	{ CHAIN_ARG_PORT(offsetof(struct node_options, chain)) },
	{ .name = "duration",
	  .letter = 'd',
	  .type = OPTION_DURATION,
	  .arg = "T",
	  .help = "stop by itself after this time",
	  .min = 1,
	  .offset = offsetof(struct node_options, duration_ms) },
	{ .name = "status",
	  .type = OPTION_TEXT,
	  .arg = "PATH",
	  .help = "answer \"peerwalk status\" at this Unix socket (default: "
		  "$RUNTIME_DIRECTORY/status, where systemd sets that)",
	  .offset = offsetof(struct node_options, status) },
	{ .name = "metrics",
	  .type = OPTION_TEXT,
	  .arg = "ADDR:PORT",
	  .help = "show Prometheus how it goes, at http://ADDR:PORT/metrics",
	  .offset = offsetof(struct node_options, metrics) },
	{ .name = "token",
	  .type = OPTION_TEXT,
	  .arg = "FILE",
	  .help = "who asks for metrics must have the token in this file; needed beyond loopback",
	  .offset = offsetof(struct node_options, token) },
	{ LOG_ARG_FILE(offsetof(struct node_options, log)) },
	{ LOG_ARG_LEVEL(offsetof(struct node_options, log)) },
	{ LOG_ARG_FORMAT(offsetof(struct node_options, log)) },
	{ 0 },
};

/* --- the command line --- */

static const struct node_kind *kind_of(const struct network *network)
{
	if (node_ethereum.serves(network))
		return &node_ethereum;
	return node_swarm.serves(network) ? &node_swarm : NULL;
}

static int read_network(struct node_run *run, const char *name)
{
	const struct chain_arg *chain = &run->options->chain;
	char names[256] = "";
	size_t len = 0;
	int status;

	run->network = network_find(name);
	if (chain->magic != NULL || chain->port != 0) {
		status = chain_arg_read(run->cli, chain, name, &run->chain);
		if (status != EXIT_DONE)
			return status;
		run->network = &run->chain;
	}
	run->kind = run->network != NULL ? kind_of(run->network) : NULL;
	if (run->kind != NULL)
		return EXIT_DONE;
	for (size_t i = 0; i < networks_count; i++) {
		if (kind_of(&networks[i]) != NULL && len < sizeof(names))
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
						len > 0 ? ", " : "", networks[i].name);
	}
	return cli_usage(run->cli, "%s \"%s\"; node serves one of these: %s",
			 run->network != NULL ? "node is nobody on" : "there is no network", name,
			 names);
}

int node_read_listen(const struct node_run *run, const char *text, struct netaddr *out)
{
	if (place_listen_parse(text, run->network->default_port, out))
		return EXIT_DONE;
	return cli_usage(run->cli,
			 "--listen: expected ADDR or ADDR:PORT, such as 0.0.0.0:%u or [::1]:0, "
			 "instead of \"%s\"",
			 (unsigned)run->network->default_port, text);
}

int node_read_advertise(const struct node_run *run, const char *text, struct netaddr *out)
{
	if (text == NULL || place_addr_parse(text, true, out))
		return EXIT_DONE;
	return cli_usage(run->cli,
			 "--advertise: expected ADDR:PORT, such as 192.0.2.1:%u or "
			 "[2001:db8::1]:%u, instead of \"%s\"",
			 (unsigned)run->network->default_port, (unsigned)run->network->default_port,
			 text);
}

/* --- running --- */

static bool draws(const struct node_run *run)
{
	return !run->cli->quiet && terminal_can_draw(STDERR_FILENO);
}

void node_stop(struct node_run *run)
{
	if (!run->running)
		return;
	run->running = false;
	node_ops_stop(run);
	run->kind->stop(run);
	signals_close(&run->signals);
	uv_close((uv_handle_t *)&run->progress, NULL);
	uv_close((uv_handle_t *)&run->duration, NULL);
}

void node_look_at_stdout(struct node_run *run)
{
	if (ferror(stdout))
		node_stop(run);
}

void node_waits(void *ctx)
{
	const struct node_run *run = ctx;
	bool drawn = draws(run); /* it may be; whose flag says so belongs to the loop */

	terminal_hide_line(&drawn);
	store_arg_waits(run->cli, run->options->db);
}

static void on_signal(void *ctx, int status)
{
	struct node_run *run = ctx;

	run->interrupted = status;
	node_stop(run);
}

static void on_duration(uv_timer_t *timer)
{
	node_stop(timer->data);
}

static void on_progress(uv_timer_t *timer)
{
	struct node_run *run = timer->data;

	run->kind->progress(run);
}

static void start_handles(struct node_run *run)
{
	signals_watch(&run->signals, &run->loop, on_signal, run);
	signals_watch_log(&run->signals, run->cli->log);
	uv_timer_init(&run->loop, &run->progress);
	uv_timer_init(&run->loop, &run->duration);
	run->progress.data = run->duration.data = run;
	if (draws(run))
		uv_timer_start(&run->progress, on_progress, 0, PROGRESS_MS);
	if (run->options->duration_ms > 0)
		uv_timer_start(&run->duration, on_duration, run->options->duration_ms, 0);
	run->running = true;
}

static int serve(struct node_run *run)
{
	char why[DRIVER_WHY_MAX];
	int status = EXIT_FAILED;

	if (!loop_begin(&run->loop, NULL, why)) {
		cli_fail(run->cli, "%s", why);
		return EXIT_FAILED;
	}
	if (node_ops_start(run)) {
		if (run->kind->start(run)) {
			start_handles(run);
			run->kind->ready(run);
			if (run->options->db == NULL)
				cli_note(run->cli, "what it knows is for this time alone; --db "
						   "FILE keeps it");
			node_ops_ready(run);
			status = EXIT_DONE;
		} else {
			node_ops_stop(run);
		}
	}
	uv_run(&run->loop, UV_RUN_DEFAULT); /* without a node: closes what was opened */
	uv_loop_close(&run->loop);
	return run->interrupted != 0 ? run->interrupted : status;
}

static int node(struct cli *cli, void *options, char **args, unsigned args_count)
{
	struct node_run run = { .cli = cli, .options = options };
	int status = read_network(&run, args[0]);

	(void)args_count;
	if (status == EXIT_DONE && run.options->token != NULL && run.options->metrics == NULL)
		status = cli_usage(cli, "--token is for --metrics");
	if (status == EXIT_DONE)
		status = log_arg_open(cli, &run.options->log);
	if (status != EXIT_DONE)
		return status;
	assert(run.kind != NULL);
	run.node = alloc_zeroed(1, run.kind->size);
	status = run.kind->read(&run);
	if (status == EXIT_DONE)
		status = serve(&run);
	run.kind->clear(&run);
	free(run.node);
	return run.failed ? EXIT_FAILED : status;
}

const struct command command_node = {
	.name = "node",
	.summary = "is a peer of the network oneself",
	.usage = "NETWORK [options]",
	.about =
		"A peer that stays: it takes callers, keeps a number of peers of its own choice, "
		"answers who asks whom it knows, and keeps what it knows fresh. It runs until "
		"interrupted, and takes leave of everybody.\n"
		"\n"
		"Bitcoin and its like: a peer without services, and honest about it. It relays "
		"addresses sparingly, and neither transactions nor blocks.\n"
		"\n"
		"gossip: a group of programs that find each other. Whoever knows one of them knows "
		"all of them soon. Addresses of private networks are welcome there.\n"
		"\n"
		"Ethereum: a whole node of discovery v4, over UDP. Over TCP it takes RLPx "
		"sessions; "
		"as it has no chain, it sends each caller's Status back to him, and leaves. At "
		"the start it prints its URL and its record, and again when ten hosts agree that "
		"they see it somewhere else. The network's name says whose bootstrap nodes it "
		"begins with; discovery itself is one for all, and its record names no chain.\n"
		"\n"
		"A line follows for each peer or session that comes and goes. --verbose tells the "
		"rest, each message included; for Ethereum it logs who proves to be there, and, "
		"given twice, each packet.\n",
	.examples = "peerwalk node gossip --listen 0.0.0.0:5999\n"
		    "    the first peer of a group\n"
		    "peerwalk node gossip --bootstrap 192.0.2.1:5999 --group printers\n"
		    "    one that joins it\n"
		    "peerwalk node bitcoin --db node.db --contact me@example.org\n"
		    "    a peer of Bitcoin that knows its addresses again the next time\n"
		    "peerwalk node ethereum --key node.key --advertise 192.0.2.1:30303\n"
		    "    a node of the public network, the same one each time\n"
		    "peerwalk node hoodi --duration 1h --json > node.jsonl\n"
		    "    for an hour, one JSON object a line\n",
	.options = rows,
	.options_size = sizeof(struct node_options),
	.args_min = 1,
	.args_max = 1,
	.args_choices = "networks",
	.run = node,
};
