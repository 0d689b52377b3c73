#include "cli/cli.h"

#include "cli/alloc.h"
#include "cli/contacts.h"
#include "cli/node_key.h"
#include "cli/node_tell.h"
#include "cli/peer_arg.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "io/dial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROGRESS_MS = 500 };

struct node_options {
	struct option_list listen, bootstrap;
	bool no_default_bootstrap;
	const char *advertise, *key;
	uint64_t duration_ms;
};

static const struct option_row rows[] = {
	{ .name = "listen",
	  .letter = 'l',
	  .type = OPTION_LIST,
	  .arg = "ADDR[:PORT]",
	  .help = "where to listen, UDP and TCP, port 0 for any; one IPv4 and one IPv6 address at "
		  "most (default: everywhere, port 30303)",
	  .offset = offsetof(struct node_options, listen) },
	{ .name = "bootstrap",
	  .letter = 'b',
	  .type = OPTION_LIST,
	  .arg = "PEER",
	  .help = "a node to begin with: enode://..., enr:...",
	  .offset = offsetof(struct node_options, bootstrap) },
	{ .name = "no-default-bootstrap",
	  .type = OPTION_FLAG,
	  .help = "not with the network's own bootstrap nodes",
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
	  .help = "its private key, made if there is no such file; without one it is somebody else "
		  "each time",
	  .offset = offsetof(struct node_options, key) },
	{ .name = "duration",
	  .letter = 'd',
	  .type = OPTION_DURATION,
	  .arg = "T",
	  .help = "stop by itself after this time",
	  .min = 1,
	  .offset = offsetof(struct node_options, duration_ms) },
	{ 0 },
};

struct run {
	const struct node_options *options;
	struct node_tell tell;
	struct identity identity;
	struct node_serve_config config;
	struct kademlia_node *boots;
	uv_loop_t loop;
	struct node_serve *node;
	struct signals signals;
	uv_timer_t progress, duration;
	int interrupted; /* the status that a signal has set; 0: none */
};

/* --- the command line --- */

static int read_network(const struct cli *cli, const char *name, const struct network **out)
{
	char names[256] = "";
	size_t len = 0;

	*out = network_find(name);
	if (*out != NULL && (*out)->discovery == DISCOVERY_V4)
		return EXIT_DONE;
	for (size_t i = 0; i < networks_count; i++) {
		if (networks[i].discovery == DISCOVERY_V4 && len < sizeof(names))
			len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
						len > 0 ? ", " : "", networks[i].name);
	}
	return cli_usage(cli, "%s \"%s\"; node serves one of these: %s",
			 *out != NULL ? "node is nobody on" : "there is no network", name, names);
}

static int read_listen(const struct cli *cli, struct run *run)
{
	const struct option_list *list = &run->options->listen;
	struct node_serve_config *c = &run->config;
	uint16_t port = run->tell.network->default_port;

	if (list->count == 0) {
		/* A machine without IPv6, or without IPv4, is no reason to fail. */
		c->places[0] = (struct node_serve_place){ netaddr_ipv4(0, port), .optional = true };
		c->places[1] = (struct node_serve_place){ { .kind = NETADDR_IPV6, .port = port },
							  .optional = true };
		c->places_count = 2;
		return EXIT_DONE;
	}
	for (size_t i = 0; i < list->count; i++) {
		struct netaddr addr;

		if (!node_listen_parse(list->items[i], port, &addr))
			return cli_usage(cli,
					 "--listen: expected ADDR or ADDR:PORT, such as "
					 "0.0.0.0:30303 or [::1]:0, instead of \"%s\"",
					 list->items[i]);
		if (i >= NODE_SERVE_PLACES_MAX || (i == 1 && addr.kind == c->places[0].addr.kind))
			return cli_usage(cli, "--listen: one IPv4 and one IPv6 address at most");
		if (i == 1 && addr.port != c->places[0].addr.port)
			return cli_usage(cli, "--listen: the same port for IPv4 and IPv6, as a "
					      "node says one port of itself");
		c->places[c->places_count++].addr = addr;
	}
	return EXIT_DONE;
}

static void add_boot(struct run *run, const uint8_t *key, const struct netaddr *addr,
		     uint16_t tcp_port)
{
	size_t n = run->config.boots_count++;

	run->boots = alloc_grow(run->boots, n + 1, sizeof(*run->boots));
	run->boots[n] = kademlia_node(key, addr, tcp_port);
	run->config.boots = run->boots;
}

static int read_boots(const struct cli *cli, struct run *run)
{
	const struct node_options *o = run->options;
	const char *const *urls = run->tell.network->boot_nodes;
	const char *rule;

	for (; !o->no_default_bootstrap && urls != NULL && *urls != NULL; urls++) {
		struct enode node;

		if (enode_parse(slice_text(*urls), &node, &rule) == ERR_OK)
			add_boot(run, node.key, &node.endpoint.addr, node.endpoint.tcp_port);
	}
	for (size_t i = 0; i < o->bootstrap.count; i++) {
		struct peer_arg peer;
		int status =
			peer_arg_read(cli, o->bootstrap.items[i], run->tell.network, false, &peer);

		if (status != EXIT_DONE)
			return status;
		add_boot(run, peer.node_id, &peer.addr, peer.tcp_port);
	}
	return EXIT_DONE;
}

/* The last of the settings, as it may make a file. */
static int read_key(const struct cli *cli, struct run *run)
{
	uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN];
	const char *path = run->options->key;
	struct node_key k = { 0 };
	int status = EXIT_DONE;

	if (path != NULL) {
		status = node_key_read(path, true, &k);
		if (status == EXIT_DONE && k.created)
			cli_note(cli, "%s is new; whoever has it can pretend to be this node",
				 path);
	} else {
		cli_note(cli, "a key for this time alone; --key FILE keeps one");
	}
	if (status == EXIT_DONE) {
		dial_random(random, sizeof(random));
		identity_init(&run->identity, path != NULL ? &k.key : NULL, random);
		explicit_bzero(random, sizeof(random));
		run->config.identity = &run->identity;
	}
	if (path != NULL)
		node_key_clear(&k);
	return status;
}

static int read_all(const struct cli *cli, struct run *run)
{
	const char *advertise = run->options->advertise;
	int status = read_listen(cli, run);

	if (status == EXIT_DONE)
		status = read_boots(cli, run);
	if (status == EXIT_DONE && advertise != NULL &&
	    !node_addr_parse(advertise, true, &run->config.advertise))
		status = cli_usage(cli,
				   "--advertise: expected ADDR:PORT, such as 192.0.2.1:30303 or "
				   "[2001:db8::1]:30303, instead of \"%s\"",
				   advertise);
	return status == EXIT_DONE ? read_key(cli, run) : status;
}

/* --- running --- */

static void stop(struct run *run)
{
	if (run->node == NULL)
		return;
	node_tell_end(&run->tell, uv_now(&run->loop));
	node_serve_stop(run->node);
	run->node = NULL;
	signals_close(&run->signals);
	uv_close((uv_handle_t *)&run->progress, NULL);
	uv_close((uv_handle_t *)&run->duration, NULL);
}

/* Whoever read our lines has gone. */
static void look_at_stdout(struct run *run)
{
	if (ferror(stdout))
		stop(run);
}

static void on_event(void *ctx, const struct discv4_event *event)
{
	struct run *run = ctx;

	if (event->type == DISCV4_EVENT_MOVED)
		node_tell_self(&run->tell, true);
	else
		node_tell_event(&run->tell, event);
	look_at_stdout(run);
}

static void on_datagram(void *ctx, const struct node_serve_datagram *d)
{
	struct run *run = ctx;

	node_tell_datagram(&run->tell, d);
	look_at_stdout(run);
}

static void on_session(void *ctx, const struct node_session *s)
{
	struct run *run = ctx;

	node_tell_session(&run->tell, s);
	look_at_stdout(run);
}

static void on_signal(void *ctx, int status)
{
	struct run *run = ctx;

	run->interrupted = status;
	stop(run);
}

static void on_duration(uv_timer_t *timer)
{
	stop(timer->data);
}

static void on_progress(uv_timer_t *timer)
{
	struct run *run = timer->data;

	node_tell_progress(&run->tell);
}

static void start_handles(struct run *run)
{
	signals_watch(&run->signals, &run->loop, on_signal, run);
	uv_timer_init(&run->loop, &run->progress);
	uv_timer_init(&run->loop, &run->duration);
	run->progress.data = run->duration.data = run;
	if (!run->tell.cli->quiet && terminal_can_draw(STDERR_FILENO))
		uv_timer_start(&run->progress, on_progress, 0, PROGRESS_MS);
	if (run->options->duration_ms > 0)
		uv_timer_start(&run->duration, on_duration, run->options->duration_ms, 0);
}

static int serve(struct run *run)
{
	struct node_serve_config *c = &run->config;
	char why[NODE_SERVE_WHY_MAX];
	uv_timeval64_t wall;
	int status = EXIT_FAILED;

	if (uv_loop_init(&run->loop) != 0) {
		cli_error("cannot make an event loop; close other programs and try again");
		return EXIT_FAILED;
	}
	uv_gettimeofday(&wall);
	/* Higher each time without a memory of its own, as go-ethereum has it: unless the clock
	 * is set back, and no node changes its record once in a millisecond. */
	c->seq = (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_usec / 1000;
	c->refresh_ms = NODE_SERVE_REFRESH_MS;
	c->client = contacts_client();
	c->on_event = on_event;
	c->on_datagram = on_datagram;
	c->on_session = on_session;
	c->ctx = run;
	if (node_serve_start(&run->loop, c, &run->node, why) != ERR_OK) {
		cli_error("%s", why);
		uv_run(&run->loop, UV_RUN_DEFAULT); /* closes what was opened */
		goto out;
	}
	run->tell.node = run->node;
	run->tell.started_ms = uv_now(&run->loop);
	start_handles(run);
	node_tell_self(&run->tell, false);
	uv_run(&run->loop, UV_RUN_DEFAULT);
	status = run->interrupted != 0 ? run->interrupted : EXIT_DONE;
out:
	uv_loop_close(&run->loop);
	return status;
}

static int node(struct cli *cli, void *options, char **args, unsigned args_count)
{
	struct run run = { .options = options, .tell = { .cli = cli } };
	int status = read_network(cli, args[0], &run.tell.network);

	(void)args_count;
	if (status == EXIT_DONE)
		status = read_all(cli, &run);
	if (status == EXIT_DONE)
		status = serve(&run);
	identity_clear(&run.identity);
	free(run.boots);
	return status;
}

const struct command command_node = {
	.name = "node",
	.summary = "is a node of Ethereum's discovery oneself",
	.usage = "NETWORK [options]",
	.about = "Answers whoever asks, keeps a table of nodes that answer, and looks for more: a "
		 "whole node of discovery v4, over UDP. Over TCP it takes RLPx sessions; as it has "
		 "no chain, it sends each caller's Status back to him, and leaves.\n"
		 "\n"
		 "At the start it prints its URL and its record. A line follows for each session, "
		 "and, when ten hosts agree that they see it somewhere else, the new URL and the "
		 "new record. --verbose logs who proves to be there, given twice each packet.\n"
		 "\n"
		 "NETWORK says whose bootstrap nodes it begins with; discovery itself is one for "
		 "all. Its record names no chain. It runs until interrupted.\n",
	.examples = "peerwalk node ethereum --key node.key --advertise 192.0.2.1:30303\n"
		    "    a node of the public network, the same one each time\n"
		    "peerwalk node hoodi --duration 1h --json > node.jsonl\n"
		    "    for an hour, one JSON object a line\n"
		    "peerwalk node ethereum --no-default-bootstrap --listen 127.0.0.1:30301\n"
		    "    a node for tests on this machine; bootstrap others to its URL\n",
	.options = rows,
	.options_size = sizeof(struct node_options),
	.args_min = 1,
	.args_max = 1,
	.args_choices = "networks",
	.run = node,
};
