/* discv4_credit.h: how many bytes hosts that have proven nothing may be sent.
 *
 * Anybody can write any sender on a PING, and PONG and PING, the answer that everybody expects,
 * are longer than it. So each host has an account: what comes is put in, what goes is taken
 * out, and beyond that it has an advance, which comes back with time. A host gets what it sent
 * and the advance once, whoever pretends to be it, then as many bytes as come, and some 34 a
 * second more. Who has no credit is answered by a PING alone, as short as can be; its PONG
 * follows its proof.
 *
 * A host has a place in a table by a secret hash, so that nobody can choose whose place to
 * share; who shares one has less, never more. In IPv6 a host is the first 64 bits of an
 * address, as whoever has one of them has all. Plain values, no clock of their own. */
#ifndef PEERWALK_PROTO_ETHEREUM_DISCV4_CREDIT_H
#define PEERWALK_PROTO_ETHEREUM_DISCV4_CREDIT_H

#include "base/hash.h"
#include "base/netaddr.h"

enum {
	DISCV4_CREDIT_PLACES = 1024,
	/* PONG and PING have 330 bytes at most, and a PING that can be read pays 111 of them: nine
	 * strangers of one host are answered in full, whatever they are, before one of them has to
	 * prove itself. */
	DISCV4_CREDIT_ADVANCE = 2048,
	DISCV4_CREDIT_BACK_MS = 60 * 1000, /* all of the advance, if all is used up */
};

struct discv4_debt {
	uint32_t bytes; /* at most DISCV4_CREDIT_ADVANCE, at at_ms */
	uint64_t at_ms;
};

struct discv4_credit {
	/* all private */
	struct hash_key key;
	struct discv4_debt places[DISCV4_CREDIT_PLACES];
};

/* key: random. */
void discv4_credit_init(struct discv4_credit *c, const struct hash_key *key);
void discv4_credit_receive(struct discv4_credit *c, const struct netaddr *host, size_t bytes,
			   uint64_t now_ms);
/* How many bytes may go there now. */
size_t discv4_credit_left(const struct discv4_credit *c, const struct netaddr *host,
			  uint64_t now_ms);
/* No more than are left. */
void discv4_credit_spend(struct discv4_credit *c, const struct netaddr *host, size_t bytes,
			 uint64_t now_ms);
/* Somebody there has proven to receive what is sent: nothing is owed. */
void discv4_credit_proven(struct discv4_credit *c, const struct netaddr *host);

#endif
