#include "cli/chain_arg.h"
#include "cli/cli.h"

#include "base/text.h"
#include "cli/json_line.h"
#include "cli/loop.h"
#include "cli/signals.h"
#include "cli/simulation.h"
#include "cli/terminal.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SEEDS = 8, /* first contacts that are told */
	PROGRESS_MS = 500,
};

struct simulate_options {
	uint64_t peers, ghosts, seed, latency_ms, tail_ms, jitter_ms, port, duration_ms;
	double loss, liars;
	bool black_holes;
	const char *range, *truth, *seeds_out, *magic, *device;
};

#define AT(field) offsetof(struct simulate_options, field)

static const struct option_row rows[] = {
	{ "peers", 'n', OPTION_UINT, "N", "how many peers there are", "1000", AT(peers), 1,
	  UINT32_MAX / 2, NULL },
	{ "ghosts", 'g', OPTION_UINT, "N", "how many more addresses are named, with nobody there",
	  "1000", AT(ghosts), 0, UINT32_MAX / 2, NULL },
	{ "seed", 's', OPTION_UINT, "S", "another number makes another world", "1", AT(seed), 0, 0,
	  NULL },
	{ "latency", 'l', OPTION_DURATION, "T", "median round trip to a peer", "50ms",
	  AT(latency_ms), 0, 0, NULL },
	{ "tail", 0, OPTION_DURATION, "T",
	  "a long tail of round trips: one peer in n beyond n times the median, up to this", NULL,
	  AT(tail_ms), 1, 0, NULL },
	{ "black-holes", 0, OPTION_FLAG, NULL,
	  "all ghosts are silent; else every second one refuses", NULL, AT(black_holes), 0, 0,
	  NULL },
	{ "jitter", 0, OPTION_DURATION, "T", "answers take up to so much longer", "10ms",
	  AT(jitter_ms), 0, 0, NULL },
	{ "loss", 0, OPTION_FRACTION, "P",
	  "share of the answers that have to be sent again; for Ethereum, of the datagrams that "
	  "get lost",
	  "0", AT(loss), 0, 0, NULL },
	{ "liars", 0, OPTION_FRACTION, "P", "share of the peers that break the protocol", "5%",
	  AT(liars), 0, 0, NULL },
	{ "range", 0, OPTION_TEXT, "CIDR",
	  "where the addresses lie; 127.0.0.0/8 needs no privileges", "127.0.0.0/8", AT(range), 0,
	  0, NULL },
	{ "port", 'p', OPTION_UINT, "N",
	  "port of most peers; the four after it are used too, for Ethereum the one after it "
	  "(default: the network's)",
	  NULL, AT(port), 0, 65531, NULL },
	{ "device", 0, OPTION_TEXT, "NAME",
	  "the network device that callers come from, in a network namespace of your own; "
	  "nobody can come over another",
	  "lo", AT(device), 0, 0, NULL },
	{ "magic", 0, OPTION_TEXT, "HEX",
	  "the four magic bytes of a Bitcoin-like chain that is not on the list", NULL, AT(magic),
	  0, 0, NULL },
	{ "truth", 't', OPTION_TEXT, "FILE", "write who is where, and who can be found, as CSV",
	  NULL, AT(truth), 0, 0, NULL },
	{ "seeds-out", 'o', OPTION_TEXT, "FILE", "write the first contacts, one a line", NULL,
	  AT(seeds_out), 0, 0, NULL },
	{ "duration", 'd', OPTION_DURATION, "T", "stop by itself after this time", NULL,
	  AT(duration_ms), 1, 0, NULL },
	{ 0 },
};

struct run {
	const struct cli *cli;
	const struct simulate_options *options;
	struct network network;
	const struct simulation_kind *kind;
	void *world, *server;
	char seeds[SEEDS][SIMULATION_PEER_MAX];
	size_t seeds_count;
	uv_loop_t loop;
	struct signals signals;
	uv_timer_t progress, duration;
	json_t *counts;
	uint64_t started_ms;
	int interrupted; /* the status that a signal has set; 0: none */
	bool drawn;
};

/* --- files --- */

static bool write_file(const char *path, const struct text *t)
{
	FILE *f = t->err == ERR_OK ? fopen(path, "w") : NULL;
	bool ok = f != NULL && (t->len == 0 || fwrite(t->data, 1, t->len, f) == t->len);
	int error = errno;

	if (f != NULL && fclose(f) != 0 && ok) {
		ok = false;
		error = errno;
	}
	if (t->err != ERR_OK)
		cli_error("%s: %s", path, err_text(t->err));
	else if (!ok)
		cli_error("cannot write %s: %s; choose another file", path, strerror(error));
	return ok;
}

static bool write_truth(const struct run *run)
{
	struct text t = { 0 };
	bool ok = false;
	enum err err;

	text_add(&t, "peer,address,port,kind,agent,reachable\n");
	err = run->kind->truth(run->world, run->seeds_count, &t);
	if (err != ERR_OK)
		cli_error("%s", err_text(err));
	else
		ok = write_file(run->options->truth, &t);
	text_clear(&t);
	return ok;
}

static bool write_seeds(const struct run *run)
{
	struct text t = { 0 };
	bool ok;

	for (size_t i = 0; i < run->seeds_count; i++)
		text_printf(&t, "%s\n", run->seeds[i]);
	ok = write_file(run->options->seeds_out, &t);
	text_clear(&t);
	return ok;
}

/* --- what is printed --- */

static void print_ready(const struct run *run)
{
	json_t *seeds = json_array();

	for (size_t i = 0; i < run->seeds_count; i++)
		json_array_append_new(seeds, json_string(run->seeds[i]));
	json_line_print(json_pack("{s:b, s:o, s:s, s:I, s:I}", "ready", 1, "seeds", seeds,
				  "network", run->network.name, "peers",
				  (json_int_t)run->options->peers, "ghosts",
				  (json_int_t)run->options->ghosts));
}

static void print_counts(const struct run *run, uint64_t elapsed_ms)
{
	json_t *line = json_pack("{s:b, s:f}", "ready", 0, "seconds", (double)elapsed_ms / 1000);

	json_object_update(line, run->counts);
	json_line_print(line);
}

static void draw_progress(struct run *run)
{
	char counts[SIMULATION_LINE_MAX], line[SIMULATION_LINE_MAX + 64];

	run->kind->progress(run->server, counts);
	snprintf(line, sizeof(line), "%s: %s", run->network.name, counts);
	terminal_draw_line(line, &run->drawn);
}

static void clear_progress(struct run *run)
{
	terminal_hide_line(&run->drawn);
}

/* --- running --- */

static void on_progress(uv_timer_t *timer)
{
	draw_progress(timer->data);
}

static void stop(struct run *run)
{
	if (run->server == NULL)
		return;
	run->counts = run->kind->counts(run->server);
	run->kind->stop(run->server);
	run->server = NULL;
	signals_close(&run->signals);
	uv_close((uv_handle_t *)&run->progress, NULL);
	uv_close((uv_handle_t *)&run->duration, NULL);
}

static void on_duration(uv_timer_t *timer)
{
	stop(timer->data);
}

static void on_signal(void *ctx, int status)
{
	struct run *run = ctx;

	run->interrupted = status;
	stop(run);
}

static void start_handles(struct run *run)
{
	signals_watch(&run->signals, &run->loop, on_signal, run);
	uv_timer_init(&run->loop, &run->progress);
	uv_timer_init(&run->loop, &run->duration);
	run->progress.data = run->duration.data = run;
	if (!run->cli->quiet && terminal_can_draw(STDERR_FILENO))
		uv_timer_start(&run->progress, on_progress, 0, PROGRESS_MS);
	if (run->options->duration_ms > 0)
		uv_timer_start(&run->duration, on_duration, run->options->duration_ms, 0);
}

static int serve(struct run *run)
{
	char why[SIMULATION_WHY_MAX], no_loop[DRIVER_WHY_MAX];
	int status = EXIT_FAILED;

	if (!loop_begin(&run->loop, NULL, no_loop)) {
		cli_error("%s", no_loop);
		return EXIT_FAILED;
	}
	/* A client that goes away is no reason to end. */
	signal(SIGPIPE, SIG_IGN);
	if (run->kind->start(&run->loop, run->world, &run->server, why) != ERR_OK) {
		cli_error("%s", why);
		uv_run(&run->loop, UV_RUN_DEFAULT); /* closes what was opened */
		goto out;
	}
	run->started_ms = uv_now(&run->loop);
	start_handles(run);
	print_ready(run);
	uv_run(&run->loop, UV_RUN_DEFAULT);
	clear_progress(run);
	print_counts(run, uv_now(&run->loop) - run->started_ms);
	status = run->interrupted != 0 ? run->interrupted : EXIT_DONE;
out:
	uv_loop_close(&run->loop);
	return status;
}

static int make_world(struct run *run)
{
	const struct simulate_options *o = run->options;
	struct sim_config config = {
		.network = &run->network,
		.peers = (uint32_t)o->peers,
		.ghosts = (uint32_t)o->ghosts,
		.seed = o->seed,
		.latency_ms = (uint32_t)o->latency_ms,
		.tail_ms = (uint32_t)o->tail_ms,
		.black_holes = o->black_holes,
		.jitter_ms = (uint32_t)o->jitter_ms,
		.loss = o->loss,
		.liars = o->liars,
		.port = (uint16_t)(o->port != 0 ? o->port : run->network.default_port),
		.device = o->device,
	};
	enum { MINUTE_MS = 60 * 1000 };
	enum err err;

	if (o->latency_ms > MINUTE_MS || o->jitter_ms > MINUTE_MS || o->tail_ms > MINUTE_MS)
		return cli_usage(run->cli, "--latency, --tail and --jitter: at most a minute");
	if (cidr_parse(slice_text(o->range), &config.range) != ERR_OK)
		return cli_usage(run->cli,
				 "--range: expected a block of addresses such as 127.0.0.0/8 or "
				 "fd00::/8, not \"%s\"",
				 o->range);
	run->kind = run->network.discovery == DISCOVERY_V4 ? &simulation_ethereum
							   : &simulation_sessions;
	err = run->kind->make(&config, &run->world);
	if (err == ERR_VALUE)
		return cli_usage(run->cli,
				 "%s has no room for %" PRIu64
				 " addresses; choose a larger --range "
				 "or fewer peers and ghosts",
				 o->range, o->peers + o->ghosts);
	if (err != ERR_OK) {
		cli_error("%s: choose fewer peers and ghosts", err_text(err));
		return EXIT_FAILED;
	}
	run->seeds_count = run->kind->seeds(run->world, run->seeds, SEEDS);
	return EXIT_DONE;
}

static int simulate(struct cli *cli, void *options, char **args, unsigned args_count)
{
	struct run run = { .cli = cli, .options = options };
	struct chain_arg chain = { .magic = run.options->magic };
	int status;

	(void)args_count;
	if (chain.magic != NULL)
		chain.port = run.options->port;
	status = chain_arg_read(cli, &chain, args[0], &run.network);
	if (status == EXIT_DONE)
		status = make_world(&run);
	if (status == EXIT_DONE && run.options->truth != NULL && !write_truth(&run))
		status = EXIT_FAILED;
	if (status == EXIT_DONE && run.options->seeds_out != NULL && !write_seeds(&run))
		status = EXIT_FAILED;
	if (status == EXIT_DONE)
		status = serve(&run);
	json_decref(run.counts);
	if (run.kind != NULL)
		run.kind->free(run.world);
	return status;
}

const struct command command_simulate = {
	.name = "simulate",
	.summary = "a simulated network on this machine's loopback",
	.usage = "NETWORK [options]",
	.about = "Runs a whole network of simulated peers, for trying out a crawl and for tests. "
		 "Each peer has an address of its own within the range. Most answer as Bitcoin "
		 "Core does; some are old, full or hidden, some lie about everything that can "
		 "be lied about, and some addresses are gossiped although nobody is there. "
		 "The same numbers make the same network.\n"
		 "Gossip's peers are programs of anybody's; some speak the bare messages of the "
		 "tutorial, some make their answers late.\n"
		 "Ethereum's nodes answer discovery as Geth does, with tables like its, and take "
		 "sessions over TCP: many are full, others say which client they are and on "
		 "which chain. Some of the clients name nodes that they have never checked, so "
		 "that ghosts spread.\n"
		 "Nobody but this machine can reach it: the sockets are bound to the loopback "
		 "device, unless --device names another. It runs until interrupted.\n"
		 "The truth has a line for each peer and ghost; reachable is 1 for those that a "
		 "crawl from the seeds can find and that complete a handshake; Ethereum's: that "
		 "prove their address.",
	.examples = "peerwalk simulate bitcoin --peers 2000 --ghosts 3000 --truth truth.csv "
		    "--seeds-out seeds.txt\n"
		    "    2,000 peers to walk; ends with Ctrl-C\n"
		    "peerwalk crawl bitcoin --no-default-seeds --seeds seeds.txt --allow-private\n"
		    "    walks them, from another terminal\n"
		    "peerwalk score --truth truth.csv\n"
		    "    tells how much of it was found\n"
		    "peerwalk simulate ethereum --peers 1000 --ghosts 1000 --loss 5% --seeds-out "
		    "seeds.txt\n"
		    "    1,000 Ethereum nodes, and as many ghosts, on a lossy network\n",
	.options = rows,
	.options_size = sizeof(struct simulate_options),
	.args_min = 1,
	.args_max = 1,
	.args_choices = "networks",
	.run = simulate,
};
