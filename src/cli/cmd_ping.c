#include "cli/cli.h"

#include "base/uuid.h"
#include "cli/alloc.h"
#include "cli/contacts.h"
#include "cli/node_contacts.h"
#include "cli/node_show.h"
#include "cli/peer_text.h"
#include "cli/visit_args.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ping_options {
	struct visit_args visit;
	uint64_t count, interval_ms;
	const char *key;
};

static const struct option_row options[] = {
	{ .name = "count",
	  .letter = 'c',
	  .type = OPTION_UINT,
	  .arg = "N",
	  .initial = "1",
	  .min = 1,
	  .max = 1000000,
	  .help = "how many signs of life to ask for",
	  .offset = offsetof(struct ping_options, count) },
	{ .name = "interval",
	  .letter = 'i',
	  .type = OPTION_DURATION,
	  .arg = "T",
	  .initial = "1s",
	  .help = "time between one ping and the next",
	  .offset = offsetof(struct ping_options, interval_ms) },
	{ VISIT_ARGS_NETWORK(offsetof(struct ping_options, visit)) },
	{ VISIT_ARGS_GROUP(offsetof(struct ping_options, visit)) },
	{ CHAIN_ARG_MAGIC(offsetof(struct ping_options, visit.chain)) },
	{ CHAIN_ARG_PORT(offsetof(struct ping_options, visit.chain)) },
	{ VISIT_ARGS_CONNECT_TIMEOUT(offsetof(struct ping_options, visit)) },
	{ VISIT_ARGS_TIMEOUT(offsetof(struct ping_options, visit)) },
	{ NODE_CONTACTS_KEY(offsetof(struct ping_options, key)) },
	{ 0 },
};

/* The round trips of one peer. */
struct pings {
	uint64_t count, sum_ms, min_ms, max_ms;
};

struct ping {
	const struct cli *cli;
	const struct peer_arg *peers;
	const struct ping_options *options;
	struct pings *pings; /* one a peer */
	unsigned answered;
	json_t *json;
};

static void on_pong(void *ctx, unsigned index, uint64_t rtt_ms)
{
	struct ping *p = ctx;
	struct pings *pings = &p->pings[index];
	char peer[CONTACTS_TEXT_MAX];

	if (pings->count == 0 || rtt_ms < pings->min_ms)
		pings->min_ms = rtt_ms;
	if (rtt_ms > pings->max_ms)
		pings->max_ms = rtt_ms;
	pings->sum_ms += rtt_ms;
	pings->count++;
	if (p->json != NULL || p->options->count == 1)
		return;
	contacts_peer_text(&p->peers[index], NULL, peer);
	printf("%s: ping %" PRIu64 " of %" PRIu64 ": %" PRIu64 " ms\n", peer, pings->count,
	       p->options->count, rtt_ms);
	fflush(stdout);
}

static void on_event(void *ctx, struct visit *v, struct session_event *event)
{
	if (event->kind == SESSION_EVENT_PONG)
		on_pong(ctx, contacts_index(v), event->rtt_ms);
}

enum { LABEL_WIDTH = 12, NODE_LABEL_WIDTH = 13 /* as node_show's */ };

static void label(const char *name)
{
	printf("  %-*s", LABEL_WIDTH, name);
}

/* A stranger's bytes. */
static void print_escaped(struct slice s)
{
	struct text t = { 0 };

	text_add_escaped(&t, s);
	fputs(t.data != NULL ? t.data : "", stdout);
	text_clear(&t);
}

static void print_clock(int64_t skew_s)
{
	char text[32];

	label("clock");
	if (skew_s == 0) {
		puts("as ours");
		return;
	}
	if (llabs(skew_s) < 60)
		snprintf(text, sizeof(text), "%lld s", llabs(skew_s));
	else
		format_duration((uint64_t)llabs(skew_s) * 1000, text);
	printf("%s %s ours\n", text, skew_s > 0 ? "ahead of" : "behind");
}

/* Many peers fill the address that they see with zeros. */
static bool sees_us(const struct peer_info *info)
{
	static const uint8_t zeros[NETADDR_BYTES_MAX];

	return info->sees_us_as.kind != NETADDR_NONE &&
	       memcmp(info->sees_us_as.bytes, zeros, sizeof(zeros)) != 0;
}

/* What a gossip peer says of itself. */
static void print_id(const struct peer_info *info)
{
	char id[UUID_TEXT_MAX];

	uuid_text(info->node_id.data, id);
	label("node id");
	puts(id);
	if (info->group.len > 0) {
		label("group");
		print_escaped(info->group);
		putchar('\n');
	}
	label("listens");
	if (info->listen_port != 0)
		printf("on port %u\n", info->listen_port);
	else
		puts("nowhere that it says");
}

static void print_info(const struct network *network, const struct peer_info *info)
{
	struct text services = { 0 };
	char text[NETADDR_TEXT_MAX];

	label("protocol");
	printf("%" PRId64 "\n", info->protocol);
	peer_text_services(&services, network, info->services);
	label("services");
	printf("%s (0x%" PRIx64 ")\n", services.data != NULL ? services.data : "", info->services);
	text_clear(&services);
	if (info->height >= 0) {
		label("height");
		printf("%" PRId64 "\n", info->height);
	}
	if (info->has_clock)
		print_clock(info->clock_skew_s);
	if (info->has_feefilter) {
		label("fee filter");
		printf("%" PRIu64 " satoshi per 1000 vbytes\n", info->feefilter);
	}
	if (sees_us(info)) {
		netaddr_text(&info->sees_us_as, text);
		label("sees us as");
		puts(text);
	}
	label("negotiated");
	print_escaped(info->negotiation);
	putchar('\n');
}

static void print_pings(const struct pings *pings)
{
	if (pings->count == 0)
		puts("no answer");
	else if (pings->count == 1)
		printf("%" PRIu64 " ms\n", pings->min_ms);
	else
		printf("%" PRIu64 " / %.1f / %" PRIu64 " ms (least, mean, most of %" PRIu64 ")\n",
		       pings->min_ms, (double)pings->sum_ms / (double)pings->count, pings->max_ms,
		       pings->count);
}

static void print_times(const struct record *r, const struct pings *pings)
{
	label("connect");
	printf("%d ms\n", (int)r->connect_ms);
	if (r->handshake_ms >= 0) {
		label("handshake");
		printf("%d ms after the start%s\n", (int)r->handshake_ms,
		       r->stepwise ? ", step by step" : "");
	}
	label("ping");
	print_pings(pings);
}

static void print_failure(const struct record *r)
{
	const char *hint = peer_text_hint(r->outcome);

	printf("  %s (%s)", outcome_text(r->outcome), outcome_name(r->outcome));
	if (r->rule != NULL)
		printf(": %s", r->rule);
	putchar('\n');
	if (hint != NULL)
		printf("  %s\n", hint);
}

static void print_peer(const struct peer_arg *peer, const struct record *r,
		       const struct pings *pings)
{
	char name[CONTACTS_TEXT_MAX];

	contacts_peer_text(peer, r, name);
	if (!r->reached) {
		printf("%s: no answer\n", name);
		print_failure(r);
		return;
	}
	printf("%s: ", name);
	print_escaped(r->info.agent);
	putchar('\n');
	if (r->info.has_version)
		print_info(peer->network, &r->info);
	else if (r->info.node_id.len == UUID_LEN)
		print_id(&r->info);
	print_times(r, pings);
	if (r->outcome != OUTCOME_OK && r->outcome != OUTCOME_NO_PEERS &&
	    r->outcome != OUTCOME_CANCELLED)
		print_failure(r);
}

static json_t *ms_json(int64_t ms)
{
	return ms >= 0 ? json_integer(ms) : json_null();
}

static void add_id_json(json_t *o, const struct peer_info *info)
{
	char id[UUID_TEXT_MAX];

	uuid_text(info->node_id.data, id);
	json_object_set_new(o, "agent", peer_text_json(info->agent));
	json_object_set_new(o, "node_id", json_string(id));
	json_object_set_new(o, "group",
			    info->group.len > 0 ? peer_text_json(info->group) : json_null());
	json_object_set_new(o, "listen_port",
			    info->listen_port != 0 ? json_integer(info->listen_port) : json_null());
}

static void add_info_json(json_t *o, const struct network *network, const struct peer_info *info)
{
	char text[NETADDR_TEXT_MAX] = "";

	json_object_set_new(o, "agent", peer_text_json(info->agent));
	json_object_set_new(o, "protocol", json_integer(info->protocol));
	json_object_set_new(o, "services", peer_text_bits_json(info->services));
	json_object_set_new(o, "service_names", peer_text_services_json(network, info->services));
	json_object_set_new(o, "height",
			    info->height >= 0 ? json_integer(info->height) : json_null());
	json_object_set_new(o, "clock_skew_s",
			    info->has_clock ? json_integer(info->clock_skew_s) : json_null());
	json_object_set_new(o, "feefilter",
			    info->has_feefilter ? json_integer((json_int_t)info->feefilter)
						: json_null());
	if (sees_us(info))
		netaddr_text(&info->sees_us_as, text);
	json_object_set_new(o, "sees_us_as", text[0] != '\0' ? json_string(text) : json_null());
	json_object_set_new(o, "negotiation", peer_text_json(info->negotiation));
}

static void add_times_json(json_t *o, const struct record *r, const struct pings *pings)
{
	json_object_set_new(o, "connect_ms", ms_json(r->connect_ms));
	json_object_set_new(o, "handshake_ms", ms_json(r->handshake_ms));
	json_object_set_new(o, "pings", json_integer((json_int_t)pings->count));
	if (pings->count > 0) {
		json_object_set_new(o, "ping_min_ms", json_integer((json_int_t)pings->min_ms));
		json_object_set_new(o, "ping_mean_ms",
				    json_real((double)pings->sum_ms / (double)pings->count));
		json_object_set_new(o, "ping_max_ms", json_integer((json_int_t)pings->max_ms));
	}
}

static json_t *peer_json(const struct peer_arg *peer, const struct record *r, const char *why,
			 const struct pings *pings)
{
	json_t *o = visit_args_json(peer, r, why);

	if (r == NULL)
		return o;
	add_times_json(o, r, pings);
	if (r->info.has_version)
		add_info_json(o, peer->network, &r->info);
	else if (r->info.node_id.len == UUID_LEN)
		add_id_json(o, &r->info);
	return o;
}

/* --- nodes --- */

static json_t *node_json(const struct node_seen *s, const struct pings *pings)
{
	json_t *o = visit_args_json(s->peer, &s->record, NULL);

	json_object_set_new(o, "reached", json_boolean(node_seen_alive(s)));
	json_object_set_new(o, "text", json_string(node_show_text_of(s)));
	add_times_json(o, &s->record, pings);
	node_show_json(o, s);
	return o;
}

static void print_node(const struct node_seen *s, const struct pings *pings)
{
	char name[CONTACTS_TEXT_MAX];

	contacts_peer_text(s->peer, &s->record, name);
	printf("%s: ", name);
	if (!node_seen_alive(s)) {
		puts("no answer");
		node_show_failures(s);
		return;
	}
	node_show_name(s);
	node_show_info(s);
	printf("  %-*s", NODE_LABEL_WIDTH, "ping");
	print_pings(pings);
	node_show_failures(s);
}

static void on_done(void *ctx, unsigned index, const struct record *record, const char *why);

static void on_node_done(void *ctx, unsigned index, const struct node_visit *v,
			 const struct record *record, const char *why)
{
	struct ping *p = ctx;
	struct node_seen seen;

	if (record == NULL) {
		on_done(ctx, index, NULL, why);
		return;
	}
	node_seen_init(&seen, &p->peers[index], v, record);
	p->answered += node_seen_alive(&seen);
	if (p->json != NULL)
		json_array_set_new(p->json, index, node_json(&seen, &p->pings[index]));
	else
		print_node(&seen, &p->pings[index]);
	fflush(stdout);
}

/* --- the command --- */

static void on_done(void *ctx, unsigned index, const struct record *record, const char *why)
{
	struct ping *p = ctx;
	char name[CONTACTS_TEXT_MAX];

	p->answered += record != NULL && record->reached;
	if (p->json != NULL) {
		json_array_set_new(p->json, index,
				   peer_json(&p->peers[index], record, why, &p->pings[index]));
		return;
	}
	if (record == NULL) {
		contacts_peer_text(&p->peers[index], NULL, name);
		printf("%s: no answer\n  %s\n", name, why);
	} else {
		print_peer(&p->peers[index], record, &p->pings[index]);
	}
	fflush(stdout);
}

static int ping_peers(struct ping *p, unsigned count)
{
	const struct ping_options *o = p->options;
	struct contacts_config config = {
		.cli = p->cli, .peers = p->peers, .count = count, .on_done = on_done, .ctx = p
	};

	visit_args_config(&o->visit, SESSION_GOAL_PING, &config.visit);
	config.visit.session.ping_count = (uint32_t)o->count;
	config.visit.session.ping_interval_ms = o->interval_ms;
	/* The time limit is for each answer, not for as many as were asked for. */
	config.visit.session.timeout_ms += (o->count - 1) * o->interval_ms;
	config.visit.on_event = on_event;
	config.visit.on_event_ctx = p;
	return contacts_run(&config);
}

static int ping_nodes(struct ping *p, unsigned count)
{
	const struct node_contacts_config config = {
		.cli = p->cli,
		.peers = p->peers,
		.count = count,
		.visit = { .no_table = true, .always_session = true },
		.args = &p->options->visit,
		.key = p->options->key,
		.pings = p->options->count,
		.interval_ms = p->options->interval_ms,
		.on_pong = on_pong,
		.on_done = on_node_done,
		.ctx = p,
	};

	return node_contacts_run(&config);
}

/* After a signal, nobody else is called. */
static void skip_nodes(struct ping *p, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (p->peers[i].network->discovery == DISCOVERY_V4)
			on_done(p, i, NULL, "stopped before its turn");
	}
}

static int run(struct cli *cli, void *values, char **args, unsigned args_count)
{
	const struct ping_options *o = values;
	struct peer_arg *peers = alloc_zeroed(args_count, sizeof(*peers));
	struct ping p = { .cli = cli, .peers = peers, .options = o };
	struct network chain;
	int status = visit_args_read(cli, &o->visit, args, args_count, &chain, peers);

	if (status != EXIT_DONE)
		goto out;
	p.pings = alloc_zeroed(args_count, sizeof(*p.pings));
	p.json = cli->json ? json_array() : NULL;
	/* In the order of the command line, whoever answers first. */
	for (unsigned i = 0; cli->json && i < args_count; i++)
		json_array_append_new(p.json, json_null());
	status = ping_peers(&p, args_count);
	if (status == EXIT_DONE)
		status = ping_nodes(&p, args_count);
	else
		skip_nodes(&p, args_count);
	if (p.json != NULL)
		visit_args_print_json(p.json);
	if (status == EXIT_DONE && p.answered == 0)
		status = EXIT_UNREACHED;
out:
	free(p.pings);
	free(peers);
	return status;
}

const struct command command_ping = {
	.name = "ping",
	.summary = "asks peers for a sign of life: who they say they are, and how far away",
	.usage = "PEER... [options]",
	.about =
		"Connects, shakes hands and pings. Prints what each peer says of itself and the "
		"times it took; where that fails, why, and what to do about it. The exit status is "
		"0 if at least one answered, 3 if none did.\n"
		"\n"
		"A node of Ethereum is given by its URL (enode://...) or its record (enr:...), and "
		"needs no --network. It is asked twice: by discovery, over UDP, for a PONG and its "
		"record, and by a session, over TCP, for its client, its capabilities and its "
		"chain. Each is told whatever became of the other. With --count N it gets N "
		"PINGs, and is asked the rest with the last.\n",
	.examples = "peerwalk ping bitcoin://127.0.0.1\n"
		    "    is the node on this machine alive?\n"
		    "peerwalk ping --count 10 --interval 500ms bitcoin-signet://203.0.113.5:38333\n"
		    "    ten round trips, two a second\n"
		    "peerwalk ping --network bitcoin [2001:db8::1]:8333 seed.example.org --json\n"
		    "    two peers at once, for a program\n"
		    "peerwalk ping enode://d860a01f...@192.0.2.1:30303\n"
		    "    an Ethereum node: round trip, record, client, chain\n",
	.options = options,
	.options_size = sizeof(struct ping_options),
	.args_min = 1,
	.args_max = 1000,
	.args_choices = "peers",
	.run = run,
};
