#include "cli/node.h"

#include "api/node_keep.h"
#include "cli/alloc.h"
#include "cli/contacts.h"
#include "cli/node_key.h"
#include "cli/node_tell.h"
#include "cli/peer_arg.h"
#include "io/dial.h"
#include "io/wall.h"

#include <stdlib.h>
#include <string.h>

/* What stands behind run->node. */
struct own {
	struct node_tell tell;
	struct identity identity;
	struct node_serve_config config;
	struct kademlia_node *boots;
	struct node_serve *node;
	struct node_keep *keep; /* NULL: without --db */
};

static bool serves(const struct network *network)
{
	return network->discovery == DISCOVERY_V4;
}

/* --- the command line --- */

static int read_listen(struct node_run *run)
{
	const struct option_list *list = &run->options->listen;
	struct own *own = run->node;
	struct node_serve_config *c = &own->config;

	if (list->count == 0)
		c->places_count = listen_anywhere(run->network->default_port, c->places);
	for (size_t i = 0; i < list->count; i++) {
		struct netaddr addr;
		int status = node_read_listen(run, list->items[i], &addr);

		if (status != EXIT_DONE)
			return status;
		if (i >= NODE_SERVE_PLACES_MAX || (i == 1 && addr.kind == c->places[0].addr.kind))
			return cli_usage(run->cli,
					 "--listen: one IPv4 and one IPv6 address at most");
		if (i == 1 && addr.port != c->places[0].addr.port)
			return cli_usage(run->cli, "--listen: the same port for IPv4 and IPv6, as "
						   "a node says one port of itself");
		c->places[c->places_count++].addr = addr;
	}
	return EXIT_DONE;
}

static void add_boot(struct own *own, const uint8_t *key, const struct netaddr *addr,
		     uint16_t tcp_port)
{
	size_t n = own->config.boots_count++;

	own->boots = alloc_grow(own->boots, n + 1, sizeof(*own->boots));
	own->boots[n] = kademlia_node(key, addr, tcp_port);
	own->config.boots = own->boots;
}

static int read_boots(struct node_run *run)
{
	const struct node_options *o = run->options;
	const char *const *urls = run->network->boot_nodes;
	const char *rule;

	for (; !o->no_default_bootstrap && urls != NULL && *urls != NULL; urls++) {
		struct enode node;

		if (enode_parse(slice_text(*urls), &node, &rule) == ERR_OK)
			add_boot(run->node, node.key, &node.endpoint.addr, node.endpoint.tcp_port);
	}
	for (size_t i = 0; i < o->bootstrap.count; i++) {
		struct peer_arg peer;
		int status =
			peer_arg_read(run->cli, o->bootstrap.items[i], run->network, false, &peer);

		if (status != EXIT_DONE)
			return status;
		add_boot(run->node, peer.node_id, &peer.addr, peer.tcp_port);
	}
	return EXIT_DONE;
}

/* The last of the settings, as it may make a file. */
static int read_key(struct node_run *run)
{
	uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN];
	const char *path = run->options->key;
	struct own *own = run->node;
	struct node_key k = { 0 };
	int status = EXIT_DONE;

	if (path != NULL) {
		status = node_key_read(path, true, &k);
		if (status == EXIT_DONE && k.created)
			cli_note(run->cli, "%s is new; whoever has it can pretend to be this node",
				 path);
	} else {
		cli_note(run->cli, "a key for this time alone; --key FILE keeps one");
	}
	if (status == EXIT_DONE) {
		dial_random(random, sizeof(random));
		identity_init(&own->identity, path != NULL ? &k.key : NULL, random);
		explicit_bzero(random, sizeof(random));
		own->config.identity = &own->identity;
	}
	if (path != NULL)
		node_key_clear(&k);
	return status;
}

/* What only peers have that keep connections. */
static int refuse_others(const struct node_run *run)
{
	const struct node_options *o = run->options;

	if (o->group == NULL && o->contact == NULL && !o->allow_private &&
	    o->max_in + o->max_out + o->max_per_host + o->speed_up == 0)
		return EXIT_DONE;
	return cli_usage(run->cli, "--group, --contact, --allow-private, --max-in, --max-out, "
				   "--max-per-host and --speed-up are for Bitcoin's networks and "
				   "gossip");
}

/* What it knew the last time. */
static int read_db(struct node_run *run)
{
	struct own *own = run->node;
	char why[NODE_KEEP_WHY_MAX];
	enum err err;

	/* Without a memory of its own it is the time, which is higher each time, as go-ethereum has
	 * it: no node changes its record once in a millisecond. */
	own->config.seq = (uint64_t)wall_ms();
	if (run->options->db == NULL)
		return EXIT_DONE;
	err = node_keep_open(run->options->db, run->network->name, own->identity.public,
			     (struct store_waiter){ node_waits, run }, &own->keep, why);
	if (err == ERR_OK)
		err = node_keep_prepare(own->keep, wall_ms(), &own->config);
	else
		cli_fail(run->cli, "%s", why);
	if (err == ERR_NOMEM && own->keep != NULL)
		cli_fail(run->cli, "out of memory: end other programs");
	return err == ERR_OK ? EXIT_DONE : EXIT_FAILED;
}

static int read_all(struct node_run *run)
{
	struct own *own = run->node;
	int status = refuse_others(run);

	own->tell.cli = run->cli;
	own->tell.network = run->network;
	if (status == EXIT_DONE)
		status = read_listen(run);
	if (status == EXIT_DONE)
		status = read_boots(run);
	if (status == EXIT_DONE)
		status = node_read_advertise(run, run->options->advertise, &own->config.advertise);
	if (status == EXIT_DONE)
		status = read_key(run);
	return status == EXIT_DONE ? read_db(run) : status;
}

/* --- running --- */

static void keep_event(struct node_run *run, const struct discv4_event *event)
{
	struct own *own = run->node;
	const char *why = NULL;

	if (own->keep != NULL)
		why = node_keep_event(own->keep, own->node, event, wall_ms());
	if (why == NULL)
		return;
	run->failed = true;
	node_tell_hide(&own->tell);
	cli_fail(run->cli, "%s; it goes on, and keeps nothing", why);
}

static void on_event(void *ctx, const struct discv4_event *event)
{
	struct node_run *run = ctx;
	struct own *own = run->node;

	keep_event(run, event);
	if (event->type == DISCV4_EVENT_MOVED)
		node_tell_self(&own->tell, true);
	else
		node_tell_event(&own->tell, event);
	node_look_at_stdout(run);
}

static void on_datagram(void *ctx, const struct node_serve_datagram *d)
{
	struct node_run *run = ctx;
	struct own *own = run->node;

	node_tell_datagram(&own->tell, d);
	node_look_at_stdout(run);
}

static void on_session(void *ctx, const struct node_session *s)
{
	struct node_run *run = ctx;
	struct own *own = run->node;

	node_tell_session(&own->tell, s);
	node_look_at_stdout(run);
}

static bool start(struct node_run *run)
{
	struct own *own = run->node;
	struct node_serve_config *c = &own->config;
	char why[NODE_SERVE_WHY_MAX];

	c->refresh_ms = NODE_SERVE_REFRESH_MS;
	c->client = contacts_client();
	c->on_event = on_event;
	c->on_datagram = on_datagram;
	c->on_session = on_session;
	c->ctx = run;
	if (node_serve_start(&run->loop, c, &own->node, why) != ERR_OK) {
		cli_fail(run->cli, "%s", why);
		return false;
	}
	if (own->keep != NULL)
		node_keep_started(own->keep, own->node);
	own->tell.node = own->node;
	own->tell.started_ms = uv_now(&run->loop);
	return true;
}

static void ready(struct node_run *run)
{
	struct own *own = run->node;

	node_tell_self(&own->tell, false);
}

static void progress(struct node_run *run)
{
	struct own *own = run->node;

	node_tell_progress(&own->tell);
}

static void status(struct node_run *run, json_t *o)
{
	const struct own *own = run->node;

	node_tell_status(&own->tell, o);
}

static json_t *peer(struct node_run *run, uint32_t *at)
{
	const struct own *own = run->node;

	return node_tell_peer(&own->tell, at);
}

static void stop(struct node_run *run)
{
	struct own *own = run->node;

	node_tell_end(&own->tell, uv_now(&run->loop));
	node_serve_stop(own->node);
}

static void clear(struct node_run *run)
{
	struct own *own = run->node;
	char why[NODE_KEEP_WHY_MAX];

	if (node_keep_close(own->keep, why) != ERR_OK) {
		run->failed = true;
		cli_fail(run->cli, "%s", why);
	}
	identity_clear(&own->identity);
	free(own->boots);
}

const struct node_kind node_ethereum = {
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
