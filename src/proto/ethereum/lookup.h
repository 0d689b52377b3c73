/* lookup.h: the walk to the nodes nearest to a target, asking each whom it knows nearer.
 *
 * Kademlia's iterative lookup (Maymounkov and Mazieres, 2002; discv4.md, "Recursive
 * Lookup"): of the nearest 16 nodes known, ask those not yet asked, up to three at a time;
 * what they name joins the known. Over when the nearest 16 have all answered. A node that
 * doesn't answer is left out, and the next one takes its place.
 *
 *     lookup_init(), lookup_add() whoever is known
 *     lookup_next() until it returns false: send FINDNODE to each
 *     lookup_add() for each node that an answer names, then lookup_end() for the one
 *         who answered, or did not; and so on, until lookup_done()
 *     lookup_closest()
 *
 * No I/O, no clock, no allocation. */
#ifndef PEERWALK_PROTO_ETHEREUM_LOOKUP_H
#define PEERWALK_PROTO_ETHEREUM_LOOKUP_H

#include "proto/ethereum/kademlia.h"

enum {
	LOOKUP_PARALLEL = 3, /* questions outstanding: alpha of discv4.md */
	LOOKUP_RESULT_MAX = KADEMLIA_BUCKET_SIZE,
	/* The nearest that are remembered: three silent ones for each that counts. */
	LOOKUP_KNOWN_MAX = 4 * LOOKUP_RESULT_MAX,
	/* Peers can always name somebody nearer who doesn't exist; a lookup among a million
	 * takes some 30. */
	LOOKUP_ASKED_MAX = 128,
};

enum lookup_state {
	LOOKUP_NEW,
	LOOKUP_ASKED,
	LOOKUP_ANSWERED,
	LOOKUP_SILENT,
};

struct lookup {
	/* private */
	uint8_t target[KADEMLIA_HASH_LEN], self[KADEMLIA_HASH_LEN];
	struct kademlia_node known[LOOKUP_KNOWN_MAX]; /* the nearest first */
	uint8_t states[LOOKUP_KNOWN_MAX];             /* enum lookup_state */
	unsigned known_count, outstanding, asked;
};

/* self: our own hash; others name us, and we don't ask ourselves. */
void lookup_init(struct lookup *l, const uint8_t target[static KADEMLIA_HASH_LEN],
		 const uint8_t self[static KADEMLIA_HASH_LEN]);
/* False for a node that is known already, is ourselves, or is too far to be remembered. */
bool lookup_add(struct lookup *l, const struct kademlia_node *node);
/* Whom to ask now; false: nobody before some answer is there, or nobody any more. */
bool lookup_next(struct lookup *l, struct kademlia_node *out);
/* The question to this node has ended. */
void lookup_end(struct lookup *l, const uint8_t hash[static KADEMLIA_HASH_LEN], bool answered);
bool lookup_done(const struct lookup *l);
/* The nearest of those that answered, the nearest first; they live as long as l. Returns
 * how many. */
size_t lookup_closest(const struct lookup *l,
		      const struct kademlia_node *out[static LOOKUP_RESULT_MAX]);

#endif
