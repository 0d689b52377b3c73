/* record.h: one visit, as every network yields it.
 *
 * One visit is one attempt to learn what one peer says. Everything that comes after
 * the record (store, reports, exports) knows nothing of any protocol. Slices borrow:
 * whoever keeps a record copies them. */
#ifndef PEERWALK_ENGINE_RECORD_H
#define PEERWALK_ENGINE_RECORD_H

#include "base/peer.h"

struct record {
	struct netaddr addr;
	int64_t started_at_ms; /* wall clock, milliseconds since 1970 */
	enum outcome outcome;
	bool reached;     /* a handshake was completed, whatever came after it */
	uint8_t tries;    /* connection attempts: 1; 2 after a stepwise or a late retry */
	bool stepwise;    /* the hand-shake went through in the step-by-step order */
	const char *rule; /* the rule the peer broke; NULL if none */
	/* Milliseconds after the start of the (last) attempt, -1 where not reached. */
	int32_t connect_ms;   /* TCP is up */
	int32_t version_ms;   /* its version message is here */
	int32_t handshake_ms; /* version and verack */
	int32_t reply_ms;     /* its first message with more than one address */
	int32_t total_ms;
	struct peer_info info;
	const struct node_info *node; /* borrowed; NULL where the network has no such nodes */
	uint32_t adverts;             /* addresses named, with repeats */
	uint32_t adverts_new;         /* not known before in this crawl */
	uint32_t adverts_cut;         /* left out: over the cap for one peer */
	uint32_t messages_in, unknown_in;
	uint64_t bytes_in, bytes_out;
};

#endif
