/* discv4_inner.h: what the three parts of a discv4 node need of each other; the rest of the
 * world calls discv4.h.
 *
 *     discv4.c         what is outstanding, what goes out, what is due
 *     discv4_take.c    what becomes of a packet
 *     discv4_search.c  FINDNODEs, and the lookup that they serve
 *
 * One lookup goes on at a time, so that one FINDNODE is outstanding for each node: NEIGHBORS
 * doesn't say which one it answers. */
#ifndef PEERWALK_PROTO_ETHEREUM_DISCV4_INNER_H
#define PEERWALK_PROTO_ETHEREUM_DISCV4_INNER_H

#include "proto/ethereum/discv4.h"

/* discv4.c */
void discv4_clock_set(struct discv4 *d, uint64_t now_ms);
int64_t discv4_wall_s(const struct discv4 *d);
int64_t discv4_expiration_s(const struct discv4 *d); /* of what we send now */
/* Signs our record anew. */
void discv4_record_make(struct discv4 *d);
/* An event of which all but type and node is to be filled in; node may be NULL. */
struct discv4_event *discv4_tell(struct discv4 *d, enum discv4_event_type type,
				 const struct kademlia_node *node);
/* A packet in the making, or NULL: too many wait to be sent. */
struct discv4_datagram *discv4_begin_to(struct discv4 *d, const struct netaddr *to,
					enum discv4_type type, struct writer *w);
void discv4_end_to(struct discv4 *d, struct discv4_datagram *datagram, const struct writer *w);
/* False: too much is outstanding, or waits to be sent. */
bool discv4_ping_for(struct discv4 *d, const struct kademlia_node *node,
		     enum discv4_purpose purpose);
/* The same as an answer to a PING, of no more than max bytes; how many, or 0. brief: as short as
 * can be. */
size_t discv4_ping_back(struct discv4 *d, const struct kademlia_node *node, bool brief, size_t max);
void discv4_pending_free(struct discv4 *d, struct discv4_pending *p);
/* Those known from an earlier time are still being pinged. */
bool discv4_is_meeting(const struct discv4 *d);

/* discv4_search.c */
/* The node pinged us, and was answered. */
void discv4_search_pinged(struct discv4 *d, const uint8_t hash[static KADEMLIA_HASH_LEN],
			  const struct netaddr *from);
/* The node proved its address. */
void discv4_search_proven(struct discv4 *d, const struct discv4_bond *bond);
/* False: nobody asked for these. */
bool discv4_search_neighbors(struct discv4 *d, const uint8_t hash[static KADEMLIA_HASH_LEN],
			     const struct netaddr *from, const struct discv4_neighbors *n);
/* Everything that is due: questions that ended, lookups that go on or begin. */
void discv4_search_tick(struct discv4 *d);
uint64_t discv4_search_deadline(const struct discv4 *d);

#endif
