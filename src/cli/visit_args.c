#include "cli/visit_args.h"

#include "io/dial.h"

#include <stdio.h>

int visit_args_read(const struct cli *cli, const struct visit_args *a, char **args, unsigned count,
		    struct network *chain, struct peer_arg *peers)
{
	int status = chain_arg_read(cli, &a->chain, a->network, chain);
	struct slice group;

	for (unsigned i = 0; i < count && status == EXIT_DONE; i++) {
		status = peer_arg_read(cli, args[i], chain, true, &peers[i]);
		if (status == EXIT_DONE)
			status = group_arg_read(cli, a->group, peers[i].network, &group);
	}
	return status;
}

void visit_args_config(const struct visit_args *a, enum session_goal goal, struct visit_config *out)
{
	*out = (struct visit_config){ .connect_timeout_ms = a->connect_timeout_ms };
	out->session.role = SESSION_INITIATOR;
	out->session.goal = goal;
	out->session.agent = contacts_agent();
	out->session.group = a->group != NULL ? slice_text(a->group) : slice_of(NULL, 0);
	out->session.timeout_ms = a->timeout_ms;
	dial_random(&out->session.secret, sizeof(out->session.secret));
}

static const char *text_of(const struct record *r)
{
	/* The list's sentence is about visits that ask for peers. */
	if (r->outcome == OUTCOME_OK && r->adverts == 0)
		return "answered";
	return outcome_text(r->outcome);
}

json_t *visit_args_json(const struct peer_arg *peer, const struct record *r, const char *why)
{
	char name[CONTACTS_TEXT_MAX], host[NETADDR_HOST_TEXT_MAX] = "";
	json_t *o = json_object();

	contacts_peer_text(peer, NULL, name);
	if (r != NULL)
		netaddr_host_text(&r->addr, host);
	json_object_set_new(o, "peer", json_string(name));
	json_object_set_new(o, "network", json_string(peer->network->name));
	json_object_set_new(o, "address", r != NULL ? json_string(host) : json_null());
	json_object_set_new(o, "port", json_integer(peer->port));
	json_object_set_new(o, "outcome",
			    r != NULL ? json_string(outcome_name(r->outcome)) : json_null());
	json_object_set_new(o, "reached", json_boolean(r != NULL && r->reached));
	json_object_set_new(o, "text", json_string(r != NULL ? text_of(r) : why));
	if (r != NULL && r->rule != NULL)
		json_object_set_new(o, "rule", json_string(r->rule));
	return o;
}

void visit_args_print_json(json_t *doc)
{
	json_dumpf(doc, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(doc);
}
