/* discv4_bonds.h: who has proven its address to us, and who knows ours.
 *
 * A bond is between us and a node at an IP address (the port may change), holds 24 hours
 * (go-ethereum's time; the specification asks for 12 or more), and begins with a PONG that
 * names our PING: only who gets packets there can have sent it. What has not proven itself
 * is not kept here, so spoofed packets can't fill it.
 *
 * Whoever owns one address can make any number of keys. So the set of places in which a
 * bond may stand depends on the address alone, in IPv6 on its first 64 bits: such a
 * one can push out its own bonds, and those of a few unlucky others. In local networks,
 * where many nodes share an address, the key counts as well. */
#ifndef PEERWALK_PROTO_ETHEREUM_DISCV4_BONDS_H
#define PEERWALK_PROTO_ETHEREUM_DISCV4_BONDS_H

#include "proto/ethereum/kademlia.h"

enum {
	DISCV4_BOND_SETS = 128,
	DISCV4_BOND_WAYS = 16, /* of them the oldest goes, if all are taken */
	DISCV4_BONDS_MAX = DISCV4_BOND_SETS * DISCV4_BOND_WAYS,
	DISCV4_BOND_MS = 24 * 60 * 60 * 1000,
};

struct discv4_bond {
	uint8_t hash[KADEMLIA_HASH_LEN]; /* of the node's key */
	struct netaddr addr;             /* with the port last seen */
	uint64_t proven_at_ms;           /* its last good PONG */
	uint64_t pinged_at_ms;           /* its last PING that we answered, if has_pinged */
	bool used, has_pinged;
	uint8_t failures; /* FINDNODEs without an answer since the last one with */
};

struct discv4_bonds {
	/* private */
	struct hash_key key;
	struct discv4_bond sets[DISCV4_BOND_SETS][DISCV4_BOND_WAYS];
};

void discv4_bonds_init(struct discv4_bonds *b, const struct hash_key *key);
/* NULL, unless there is a bond that holds. */
struct discv4_bond *discv4_bonds_find(struct discv4_bonds *b,
				      const uint8_t hash[static KADEMLIA_HASH_LEN],
				      const struct netaddr *addr, uint64_t now_ms);
/* It has just proven itself: the bond, a new one or one that begins anew. */
struct discv4_bond *discv4_bonds_prove(struct discv4_bonds *b,
				       const uint8_t hash[static KADEMLIA_HASH_LEN],
				       const struct netaddr *addr, uint64_t now_ms);
/* Whether the node has seen us prove our address, as far as we can know. */
bool discv4_bond_knows_us(const struct discv4_bond *bond, uint64_t now_ms);
unsigned discv4_bonds_count(const struct discv4_bonds *b, uint64_t now_ms);

#endif
