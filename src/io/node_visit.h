/* node_visit.h: carries visits of Ethereum's nodes: discovery over UDP (probe.h), then, if the
 * node is there and has a TCP port, a session (dial.h) that asks for its client and its chain.
 * One record comes of both.
 *
 * A visitor is what all visits of one loop share: the sockets (one for IPv4, one for IPv6),
 * our key, the keys to search with. At most one visit at a time goes to one IP address:
 * whatever comes from there is for that visit, up to a number of datagrams, of which few may wait
 * at a time. What is more, or comes from elsewhere, is dropped unread.
 * Signatures are made and checked in the loop's thread; several loops share several cores.
 *
 * A visit owns its memory and frees itself after on_done; until then the caller may cancel it.
 * Everything happens on the loop's thread. */
#ifndef PEERWALK_IO_NODE_VISIT_H
#define PEERWALK_IO_NODE_VISIT_H

#include "io/dial.h"
#include "io/udp.h"
#include "proto/ethereum/probe.h"
#include "proto/ethereum/rlpx_session.h"

struct node_visitor;
struct node_visit;

enum {
	/* Discovery's part of a visit. 13 questions a round trip of a second apart fit, and
	 * some losses. */
	NODE_VISIT_TIMEOUT_MS = 30 * 1000,
	NODE_VISIT_WHY_MAX = 256,
};

struct node_visit_config {
	/* Of the session, and for both: its network, agent, identity (all outlive the visitor),
	 * timeout_ms and connect_timeout_ms. The events are not used. */
	struct visit_config visit;
	uint64_t timeout_ms;           /* of discovery; 0: NODE_VISIT_TIMEOUT_MS */
	const struct targets *targets; /* outlives the visitor; NULL with no_table */
	bool no_table, no_record;      /* of discovery: what is not asked for (probe.h) */
	bool no_session;               /* discovery alone */
	bool always_session;           /* also where discovery had no answer */
	/* Whose nodes are wanted; a node that is known to be on another chain ends as
	 * OUTCOME_WRONG_NETWORK. NULL: everybody's. */
	const struct ethereum_chain *chain;

	/* Nodes that this one named, as far as they may be believed; borrowed for the call. May be
	 * NULL. */
	void (*on_named)(void *ctx, struct node_visit *v, const struct advert *adverts,
			 size_t count);
	/* The same one by one, those that may not be believed, too, and repeated; may be NULL. */
	void (*on_node)(void *ctx, struct node_visit *v, const struct probe_event *event);
	/* A datagram of the visit, as it came or goes; may be NULL. */
	void (*on_datagram)(void *ctx, struct node_visit *v, bool outgoing, struct slice bytes);
	/* Once, at the end; the record borrows from the visit. */
	void (*on_done)(void *ctx, struct node_visit *v, const struct record *record);
	void *ctx;
};

/* ERR_IO, ERR_NOMEM, and why in a sentence with the remedy. The dialer outlives it. */
enum err node_visitor_open(struct dialer *dialer, const struct node_visit_config *config,
			   struct node_visitor **out, char why[static NODE_VISIT_WHY_MAX]);
/* Without a visit in flight. */
void node_visitor_close(struct node_visitor *n);

/* Begins a visit of the node at node->endpoint.addr, as soon as there is time for it; its times
 * count from then. pings: before it counts as silent; 0: PROBE_TRIES. pong_ms: how long to wait
 * after each; 0: PROBE_REPLY_MS. nonce: random, never used before with this identity. ERR_NOMEM;
 * ERR_BUSY if a visit of that IP address is going on. */
enum err node_visit_start(struct node_visitor *n, const struct enode *node, unsigned pings,
			  uint32_t pong_ms, uint64_t nonce, void *owner, struct node_visit **out);
void node_visit_cancel(struct node_visit *v);
void *node_visit_owner(const struct node_visit *v);
const struct enode *node_visit_node(const struct node_visit *v);
/* In on_done: more than the record says. Slices borrow from the visit. */
void node_visit_probe(const struct node_visit *v, struct probe_info *out);
/* False if no session was begun. */
bool node_visit_session(const struct node_visit *v, struct rlpx_info *out);
/* In on_done: this machine could not begin its session (no descriptor, no port): nothing against
 * the node, which may be visited again. */
bool node_visit_failed_here(const struct node_visit *v);

#endif
