/* node_show.h: what a visit of an Ethereum node has learnt, for people and as JSON.
 *
 * Discovery and session each went well or not: what one of them says stands whatever became
 * of the other. Text that the node wrote is escaped. */
#ifndef PEERWALK_CLI_NODE_SHOW_H
#define PEERWALK_CLI_NODE_SHOW_H

#include "cli/peer_arg.h"
#include "io/node_visit.h"

#include <jansson.h>

struct node_seen {
	const struct peer_arg *peer;
	/* Of the visit; OUTCOME_WRONG_NETWORK also where the peer's network names a chain that
	 * the node is not on. Borrows, as the rest. */
	struct record record;
	struct probe_info probe;
	bool connected; /* session holds something */
	struct rlpx_info session;
	int64_t unix_s; /* the time of the visit */
};

/* In on_done of node_contacts. */
void node_seen_init(struct node_seen *out, const struct peer_arg *peer, const struct node_visit *v,
		    const struct record *record);
/* Whether the node is there: it answered a PING of ours, or has proven its key in a session. */
bool node_seen_alive(const struct node_seen *s);

/* "client name", or what stands for it. */
void node_show_name(const struct node_seen *s);
/* Lines "  label  value" of a node that is alive, on stdout. */
void node_show_info(const struct node_seen *s);
/* Why discovery, and why the session failed, if they did, and what to do about it. */
void node_show_failures(const struct node_seen *s);
/* How discovery failed, in a sentence without a full stop; and the remedy, with one, or NULL. */
const char *node_show_text_of(const struct node_seen *s);
const char *node_show_hint_of(const struct node_seen *s);

/* Adds "public_key", "node_id" ... to the object of visit_args_json. */
void node_show_json(json_t *o, const struct node_seen *s);
/* {"expired": 1, ...} */
json_t *node_show_faults_json(const struct probe_info *probe);

#endif
