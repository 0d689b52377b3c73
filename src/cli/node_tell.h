/* node_tell.h: what `peerwalk node` says of a node of Ethereum's networks: lines on stdout, with
 * --json objects, and how it goes in one line of a terminal. swarm_tell.h is the other one. */
#ifndef PEERWALK_CLI_NODE_TELL_H
#define PEERWALK_CLI_NODE_TELL_H

#include "cli/cli.h"
#include "io/node_serve.h"

#include <jansson.h>

struct node_tell {
	const struct cli *cli;
	const struct network *network;
	struct node_serve *node;
	uint64_t started_ms; /* of the loop */
	bool drawn;          /* the line of the terminal is there */
};

/* Who and where it is: at the start, and whenever that changes. */
void node_tell_self(struct node_tell *t, bool moved);
void node_tell_event(struct node_tell *t, const struct discv4_event *event);       /* --verbose */
void node_tell_datagram(struct node_tell *t, const struct node_serve_datagram *d); /* twice */
void node_tell_session(struct node_tell *t, const struct node_session *s);
/* For `peerwalk status`: its counts; the nodes of its table, from *at on. */
void node_tell_status(const struct node_tell *t, json_t *o);
json_t *node_tell_peer(const struct node_tell *t, uint32_t *at);
void node_tell_end(struct node_tell *t, uint64_t now_ms);
/* The line of the terminal: drawn anew, or taken away. */
void node_tell_progress(struct node_tell *t);
void node_tell_hide(struct node_tell *t);

#endif
