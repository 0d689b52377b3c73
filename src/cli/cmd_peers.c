#include "cli/cli.h"

#include "base/addrset.h"
#include "cli/contacts.h"
#include "cli/node_contacts.h"
#include "cli/node_table.h"
#include "cli/peer_text.h"
#include "cli/visit_args.h"
#include "io/dial.h"

#include <stdio.h>
#include <stdlib.h>

struct peers_options {
	struct visit_args visit;
	bool long_form, patient;
	const char *key;
};

static const struct option_row options[] = {
	{ .name = "long",
	  .letter = 'l',
	  .type = OPTION_FLAG,
	  .help = "also when each was last seen, and the services it is said to offer; of a node "
		  "of "
		  "Ethereum how far each is from it, and whether it is to be believed",
	  .offset = offsetof(struct peers_options, long_form) },
	{ .name = "patient",
	  .type = OPTION_FLAG,
	  .help = "wait longer than a minute for the answer: old software takes its time",
	  .offset = offsetof(struct peers_options, patient) },
	{ VISIT_ARGS_NETWORK(offsetof(struct peers_options, visit)) },
	{ VISIT_ARGS_GROUP(offsetof(struct peers_options, visit)) },
	{ CHAIN_ARG_MAGIC(offsetof(struct peers_options, visit.chain)) },
	{ CHAIN_ARG_PORT(offsetof(struct peers_options, visit.chain)) },
	{ VISIT_ARGS_CONNECT_TIMEOUT(offsetof(struct peers_options, visit)) },
	{ VISIT_ARGS_TIMEOUT(offsetof(struct peers_options, visit)) },
	{ NODE_CONTACTS_KEY(offsetof(struct peers_options, key)) },
	{ 0 },
};

/* Longer than the longest that software is known to take to answer. */
enum { PATIENT_TIMEOUT_MS = 100 * 1000 };

struct peers {
	const struct cli *cli;
	const struct peer_arg *peer;
	bool long_form;
	struct addrset seen; /* each is printed once, however often it is named */
	struct table *table; /* --long */
	json_t *list;        /* --json */
	json_t *json;
	uint32_t named;
	int status;
};

/* Empty where it was not said. */
static void seen_text(const struct advert *a, char out[static 32])
{
	format_time(a->last_seen_s > 0 ? a->last_seen_s * 1000 : -1, false, out);
}

static void show_json(struct peers *p, const struct advert *a)
{
	char host[NETADDR_HOST_TEXT_MAX], seen[32];

	netaddr_host_text(&a->addr, host);
	seen_text(a, seen);
	json_array_append_new(
		p->list, json_pack("{s:s, s:i, s:s, s:o, s:o, s:o}", "address", host, "port",
				   (int)a->addr.port, "kind", netaddr_kind_name(a->addr.kind),
				   "services", peer_text_bits_json(a->services), "service_names",
				   peer_text_services_json(p->peer->network, a->services),
				   "last_seen", seen[0] != '\0' ? json_string(seen) : json_null()));
}

static void show(struct peers *p, const struct advert *a)
{
	struct text services = { 0 };
	char addr[NETADDR_TEXT_MAX], seen[32];

	if (p->list != NULL) {
		show_json(p, a);
		return;
	}
	netaddr_text(&a->addr, addr);
	if (p->table == NULL) {
		puts(addr);
		return;
	}
	seen_text(a, seen);
	peer_text_services(&services, p->peer->network, a->services);
	table_cell(p->table, "%s", addr);
	table_cell(p->table, "%s", seen);
	table_cell(p->table, "%s", services.data != NULL ? services.data : "");
	text_clear(&services);
}

static void on_event(void *ctx, struct visit *v, struct session_event *event)
{
	const struct proto *proto = v->config->session.network->proto;
	struct peers *p = ctx;
	struct advert advert;

	if (event->kind != SESSION_EVENT_ADVERTS)
		return;
	while (proto->adverts(event, &advert, 1) == 1) {
		uint32_t id;
		bool added;

		if (netaddr_len(advert.addr.kind) == 0)
			continue;
		if (addrset_add(&p->seen, &advert.addr, &id, &added) != ERR_OK || !added)
			continue;
		p->named++;
		show(p, &advert);
	}
	fflush(stdout);
}

static void on_done(void *ctx, unsigned index, const struct record *r, const char *why)
{
	struct peers *p = ctx;
	char name[CONTACTS_TEXT_MAX];
	const char *hint;

	(void)index;
	if (p->list != NULL) {
		p->json = visit_args_json(p->peer, r, why);
		json_object_set_new(p->json, "peers", p->list);
		p->list = NULL;
	}
	p->status = r != NULL && r->reached ? EXIT_DONE : EXIT_UNREACHED;
	if (r != NULL && r->outcome == OUTCOME_OK)
		return;
	contacts_peer_text(p->peer, r, name);
	if (r == NULL) {
		cli_error("%s: no answer: %s", name, why);
		return;
	}
	/* One list of nobody is an answer too; all the same people want to know why. */
	hint = peer_text_hint(r->outcome);
	if (p->status == EXIT_DONE)
		cli_note(p->cli, "%s: %s (%s). %s", name, outcome_text(r->outcome),
			 outcome_name(r->outcome), hint != NULL ? hint : "");
	else
		cli_error("%s: %s (%s)%s%s. %s", name, outcome_text(r->outcome),
			  outcome_name(r->outcome), r->rule != NULL ? ": " : "",
			  r->rule != NULL ? r->rule : "", hint != NULL ? hint : "");
}

static int visit_peer(struct peers *p, const struct peers_options *o)
{
	struct contacts_config config = {
		.cli = p->cli, .peers = p->peer, .count = 1, .on_done = on_done, .ctx = p
	};
	int status;

	visit_args_config(&o->visit, SESSION_GOAL_PEERS, &config.visit);
	config.visit.session.patient = o->patient;
	if (o->patient && config.visit.session.timeout_ms < PATIENT_TIMEOUT_MS)
		config.visit.session.timeout_ms = PATIENT_TIMEOUT_MS;
	config.visit.on_event = on_event;
	config.visit.on_event_ctx = p;
	status = contacts_run(&config);
	return status != EXIT_DONE ? status : p->status;
}

static int run(struct cli *cli, void *values, char **args, unsigned args_count)
{
	static const char *const headers[] = { "PEER", "LAST SEEN", "SERVICES" };
	const struct peers_options *o = values;
	struct peer_arg peer;
	struct peers p = { .cli = cli, .peer = &peer, .long_form = o->long_form };
	struct network chain;
	struct hash_key key;
	int status = visit_args_read(cli, &o->visit, args, args_count, &chain, &peer);

	if (status != EXIT_DONE)
		return status;
	if (peer.network->discovery == DISCOVERY_V4)
		return node_table_run(cli, &peer,
				      &(struct node_table_options){ .visit = &o->visit,
								    .key = o->key,
								    .long_form = o->long_form });
	dial_random(&key, sizeof(key));
	if (addrset_init(&p.seen, &key) != ERR_OK) {
		cli_error("out of memory");
		return EXIT_FAILED;
	}
	if (cli->json)
		p.list = json_array();
	else if (o->long_form)
		p.table = table_new(headers, 3);
	status = visit_peer(&p, o);
	if (p.table != NULL)
		table_print(p.table);
	if (p.json != NULL)
		visit_args_print_json(p.json);
	if (status == EXIT_DONE)
		cli_debug(cli, "%u peers named", p.named);
	addrset_clear(&p.seen);
	return status;
}

const struct command command_peers = {
	.name = "peers",
	.summary = "asks one peer whom it knows",
	.usage = "PEER [options]",
	.about =
		"Prints everybody that the peer names, one a line, each once. A Bitcoin peer gives "
		"one address at most one answer a day that is new: asking again soon brings the "
		"same list.\n"
		"\n"
		"Of a node of Ethereum (enode://... or enr:...) it is the whole table, asked for "
		"bucket by bucket, as URLs. How completely it was listed goes to stderr: drained "
		"(that is proven), partial, or timed_out. Nodes that are not to be believed, as "
		"they are named where none can be or with a key that is none, are left out, unless "
		"--long or --json show them with the reason.\n",
	.examples = "peerwalk peers bitcoin://127.0.0.1\n"
		    "    whom does the node on this machine name?\n"
		    "peerwalk peers --long bitcoin://seed.bitcoin.sprovoost.nl\n"
		    "    with times and services\n"
		    "peerwalk peers --json --patient bitcoin://203.0.113.5:8333\n"
		    "    for a program, and waiting for old software\n"
		    "peerwalk peers enode://d860a01f...@192.0.2.1:30303\n"
		    "    the table of an Ethereum node\n",
	.options = options,
	.options_size = sizeof(struct peers_options),
	.args_min = 1,
	.args_max = 1,
	.args_choices = "peers",
	.run = run,
};
