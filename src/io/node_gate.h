/* node_gate.h: how often one host may make us work.
 *
 * A signature costs its maker as much as its reader, but one host with an idle core must not
 * have all of ours. A host has a place in a table by a secret hash, so that nobody can choose
 * whose place to share; what goes on in the table is bounded, whoever sends. In IPv6 a host
 * is the first 64 bits of an address, as whoever has one of them has all.
 *
 * Plain values, no clock of its own. */
#ifndef PEERWALK_IO_NODE_GATE_H
#define PEERWALK_IO_NODE_GATE_H

#include "base/hash.h"
#include "base/netaddr.h"

/* So many strangers at a time have hardly ever to share a place. */
enum { NODE_GATE_PLACES = 1024 };

struct node_gate {
	/* all private */
	struct hash_key key;
	uint64_t interval_us, burst_us;
	uint64_t free_at_us[NODE_GATE_PLACES]; /* when all that passed has had its time */
};

/* rate: how often a second, over time; burst: how often at once. key: random. */
void node_gate_init(struct node_gate *g, const struct hash_key *key, unsigned rate, unsigned burst);
/* False: it has had its share. */
bool node_gate_pass(struct node_gate *g, const struct netaddr *host, uint64_t now_ms);
/* Whether both are the same, as far as their share goes. */
bool node_gate_same(const struct netaddr *a, const struct netaddr *b);

#endif
