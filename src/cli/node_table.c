#include "cli/node_table.h"

#include "base/text.h"
#include "cli/alloc.h"
#include "cli/node_contacts.h"
#include "cli/node_show.h"
#include "proto/ethereum/kademlia.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One that was named. A table has KADEMLIA_ENTRIES_MAX of them; a liar can't name more than
 * PROBE_PACKETS_MAX packets hold, about a megabyte of this. */
struct listed {
	struct enode node;
	enum relay relay;
	bool on_curve, usable;
};

struct node_table {
	const struct cli *cli;
	const struct peer_arg *peer;
	const struct node_table_options *options;
	uint8_t hash[KADEMLIA_HASH_LEN]; /* the node's */
	struct listed *list;
	size_t count, cap;
	int status;
};

/* --- one of them --- */

static const char *reason(const struct listed *l)
{
	if (!l->on_curve)
		return "its key is no point of the curve";
	return l->relay != RELAY_OK ? relay_text(l->relay) : NULL;
}

static unsigned distance(const struct node_table *t, const struct listed *l)
{
	uint8_t hash[KADEMLIA_HASH_LEN];

	kademlia_hash(l->node.key, hash);
	return kademlia_log_distance(t->hash, hash);
}

static bool is_listed(const struct node_table *t, const struct enode *node)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct enode *other = &t->list[i].node;

		if (memcmp(other->key, node->key, sizeof(node->key)) == 0 &&
		    enode_endpoint_equal(&other->endpoint, &node->endpoint))
			return true;
	}
	return false;
}

static void on_node(void *ctx, unsigned index, const struct probe_event *event)
{
	struct node_table *t = ctx;
	char url[ENODE_TEXT_MAX];

	(void)index;
	/* Without an address it is nobody that could be written down; it is a fault as well. */
	if (!netaddr_is_ip(&event->node.endpoint.addr) || is_listed(t, &event->node))
		return;
	if (t->count == t->cap) {
		t->cap = t->cap == 0 ? KADEMLIA_ENTRIES_MAX : 2 * t->cap;
		t->list = alloc_grow(t->list, t->cap, sizeof(*t->list));
	}
	t->list[t->count++] = (struct listed){ .node = event->node,
					       .relay = event->relay,
					       .on_curve = event->on_curve,
					       .usable = event->usable };
	if (t->cli->json || t->options->long_form || !event->usable)
		return;
	enode_text(&event->node, url);
	puts(url);
	fflush(stdout);
}

/* --- all of them --- */

static void print_table(const struct node_table *t)
{
	static const char *const headers[] = { "PEER", ">DISTANCE", "BELIEVED" };
	struct table *table = table_new(headers, 3);
	char url[ENODE_TEXT_MAX];

	for (size_t i = 0; i < t->count; i++) {
		const char *why = reason(&t->list[i]);

		enode_text(&t->list[i].node, url);
		table_cell(table, "%s", url);
		table_cell(table, "%u", distance(t, &t->list[i]));
		table_cell(table, "%s%s", why != NULL ? "no: " : "yes", why != NULL ? why : "");
	}
	table_print(table);
}

static json_t *listed_json(const struct node_table *t, const struct listed *l)
{
	const struct enode_endpoint *e = &l->node.endpoint;
	char url[ENODE_TEXT_MAX], host[NETADDR_HOST_TEXT_MAX];
	char key[2 * SECP_PUBLIC_LEN + 1], id[2 * ENODE_ID_LEN + 1];
	uint8_t hash[ENODE_ID_LEN];

	enode_text(&l->node, url);
	netaddr_host_text(&e->addr, host);
	enode_id(l->node.key, hash);
	hex_encode(slice_of(l->node.key, sizeof(l->node.key)), key);
	hex_encode(slice_of(hash, sizeof(hash)), id);
	return json_pack("{s:s?, s:s, s:i, s:i, s:s, s:s, s:i, s:b, s:s?}", "enode",
			 l->on_curve ? url : NULL, "address", host, "port", (int)e->addr.port,
			 "tcp_port", (int)e->tcp_port, "public_key", key, "node_id", id, "distance",
			 (int)distance(t, l), "believed", (int)l->usable, "reason", reason(l));
}

static void print_json(const struct node_table *t, const struct node_seen *s, const char *why)
{
	json_t *o = visit_args_json(t->peer, s != NULL ? &s->record : NULL, why);
	json_t *list = json_array();

	for (size_t i = 0; i < t->count; i++)
		json_array_append_new(list, listed_json(t, &t->list[i]));
	if (s != NULL) {
		const struct node_info *n = s->record.node;

		json_object_set_new(o, "text", json_string(node_show_text_of(s)));
		json_object_set_new(o, "completeness",
				    n->completeness != NULL ? json_string(n->completeness)
							    : json_null());
		json_object_set_new(o, "findnodes", json_integer(n->findnodes));
		json_object_set_new(o, "entries", json_integer(n->entries));
		json_object_set_new(o, "faults", node_show_faults_json(&s->probe));
	}
	json_object_set_new(o, "peers", list);
	visit_args_print_json(o);
}

/* "drained: the whole table ..." */
static void tell_completeness(const struct node_table *t, const struct node_seen *s)
{
	const struct node_info *n = s->record.node;

	if (s->record.outcome == OUTCOME_CANCELLED) {
		cli_note(t->cli, "stopped before the table was listed: %u nodes so far",
			 n->entries);
		return;
	}
	if (n->completeness == NULL)
		return;
	cli_note(t->cli, "%s: %s; %u nodes, %u questions", n->completeness,
		 drain_result_text(s->probe.completeness), n->entries, n->findnodes);
	if (n->faults.len > 0)
		cli_note(t->cli, "what the node did that it should not: %.*s", (int)n->faults.len,
			 (const char *)n->faults.data);
}

static void tell_failure(const struct node_table *t, const struct node_seen *s)
{
	const char *hint = node_show_hint_of(s), *rule = s->record.rule;
	char name[CONTACTS_TEXT_MAX];

	contacts_peer_text(t->peer, &s->record, name);
	if (s->record.reached)
		cli_note(t->cli, "%s: %s (%s)%s%s. %s", name, node_show_text_of(s),
			 outcome_name(s->record.outcome), rule != NULL ? ": " : "",
			 rule != NULL ? rule : "", hint != NULL ? hint : "");
	else
		cli_error("%s: %s (%s)%s%s. %s", name, node_show_text_of(s),
			  outcome_name(s->record.outcome), rule != NULL ? ": " : "",
			  rule != NULL ? rule : "", hint != NULL ? hint : "");
}

static void on_done(void *ctx, unsigned index, const struct node_visit *v,
		    const struct record *record, const char *why)
{
	struct node_table *t = ctx;
	struct node_seen seen;

	(void)index;
	if (record == NULL) {
		cli_error("no answer: %s", why);
		if (t->cli->json)
			print_json(t, NULL, why);
		return;
	}
	node_seen_init(&seen, t->peer, v, record);
	if (record->reached)
		t->status = EXIT_DONE;
	if (t->cli->json)
		print_json(t, &seen, NULL);
	else if (t->options->long_form)
		print_table(t);
	fflush(stdout);
	if (seen.record.outcome != OUTCOME_OK && seen.record.outcome != OUTCOME_CANCELLED)
		tell_failure(t, &seen);
	if (record->reached)
		tell_completeness(t, &seen);
}

int node_table_run(const struct cli *cli, const struct peer_arg *peer,
		   const struct node_table_options *options)
{
	struct node_table t = {
		.cli = cli, .peer = peer, .options = options, .status = EXIT_UNREACHED
	};
	const struct node_contacts_config config = {
		.cli = cli,
		.peers = peer,
		.count = 1,
		.visit = { .no_record = true, .no_session = true },
		.args = options->visit,
		.key = options->key,
		.on_node = on_node,
		.on_done = on_done,
		.ctx = &t,
	};
	int status;

	kademlia_hash(peer->node_id, t.hash);
	status = node_contacts_run(&config);
	free(t.list);
	return status != EXIT_DONE ? status : t.status;
}
