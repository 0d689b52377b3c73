/* swarm_tell.h: what `peerwalk node` says of a peer of Bitcoin's or gossip's networks: lines on
 * stdout, with --json objects, and how it goes in one line of a terminal. */
#ifndef PEERWALK_CLI_SWARM_TELL_H
#define PEERWALK_CLI_SWARM_TELL_H

#include "cli/cli.h"
#include "io/swarm_host.h"

#include <jansson.h>

struct swarm_tell {
	const struct cli *cli;
	const struct network *network;
	const char *group;   /* gossip; NULL: any */
	struct slice own_id; /* gossip; empty where there are none */
	const char *agent;
	struct netaddr advertise; /* NETADDR_NONE: not given */
	struct netaddr self;      /* where others see it; NETADDR_NONE: nobody has said */
	struct swarm_host *host;  /* NULL: not started yet */
	uint64_t started_ms;      /* of the loop */
	bool drawn;               /* the line of the terminal is there */
};

/* Who and where it is, and how others reach it. */
void swarm_tell_ready(struct swarm_tell *t);
void swarm_tell_event(struct swarm_tell *t, const struct swarm_event *event);
void swarm_tell_end(struct swarm_tell *t, uint64_t now_ms);
/* The line of the terminal: drawn anew, or taken away. */
void swarm_tell_progress(struct swarm_tell *t);
void swarm_tell_hide(struct swarm_tell *t);
/* For `peerwalk status`: struct node_kind's status and peer. */
void swarm_tell_status(const struct swarm_tell *t, json_t *o);
json_t *swarm_tell_peer(const struct swarm_tell *t, uint32_t *at);

#endif
