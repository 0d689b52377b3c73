/* ethereum_peer.h: how the nodes of a simulated Ethereum network answer datagrams, without a
 * socket or a clock.
 *
 * An honest node does what the specification of discv4 and the reference client do: PONG to a
 * PING, and a PING of its own to who hasn't proven its address to it; FINDNODE and ENRREQUEST of
 * others are dropped; 16 NEIGHBORS at most, 12 to a packet. It never volunteers anything. Liars
 * break one rule each (ethereum_world.h).
 *
 * It is made to be cheap, as it shares the machine with who crawls it. A real node recovers the
 * sender's key of every packet; here that is done for the first PING from an address, and for
 * those of an address that has proven itself to the node before: if it is another key, the
 * address has to prove itself anew, to everybody. Besides, who sends from an address is taken
 * for who has pinged from there. Answers are signed as ethereum_sign.h says.
 *
 * For each datagram: recv, then next until it returns false. */
#ifndef PEERWALK_SIM_ETHEREUM_PEER_H
#define PEERWALK_SIM_ETHEREUM_PEER_H

#include "proto/ethereum/enr.h"
#include "sim/ethereum_world.h"

enum {
	/* Addresses that talk to the network at a time. Each costs 24 bytes a node; of more
	 * than that, who was heard of least lately has to prove itself anew. */
	SIM_ETHEREUM_ASKERS_MAX = 64,
	/* Tables kept as they were made: of nodes that are being asked just now. */
	SIM_ETHEREUM_TABLES_MAX = 4096,
	/* Datagrams that one can cause: the most are of a liar. */
	SIM_ETHEREUM_ANSWERS_MAX = 4,
	/* A datagram: what udp.h sends at most, and discv4_decode_long reads. */
	SIM_ETHEREUM_DATAGRAM_MAX = 2048,
	SIM_ETHEREUM_EXPIRATION_S = 20,
	SIM_ETHEREUM_BOND_S = 24 * 60 * 60, /* the reference client's */
};

struct sim_ethereum_peer_counts {
	uint64_t pings, bonds, findnodes, enrrequests; /* answered; bonds: proofs of an address */
	uint64_t dropped; /* expired, not proven, unreadable or unwanted */
	uint64_t ghosts;  /* sent to ghosts and to nobody's key */
};

struct sim_ethereum_peers;

/* ERR_NOMEM. The world outlives it. */
enum err sim_ethereum_peers_new(const struct sim_ethereum *w, struct sim_ethereum_peers **out);
void sim_ethereum_peers_free(struct sim_ethereum_peers *p);
/* A datagram from `from` has come to node `index`. Forgets answers that were not fetched. */
void sim_ethereum_peers_recv(struct sim_ethereum_peers *p, uint32_t index,
			     const struct netaddr *from, struct slice datagram, int64_t unix_s);
/* The next answer to it; lives until the next recv. */
bool sim_ethereum_peers_next(struct sim_ethereum_peers *p, struct slice *out);
void sim_ethereum_peers_counts(const struct sim_ethereum_peers *p,
			       struct sim_ethereum_peer_counts *out);
/* A node's record, of ENR_LEN_MAX bytes at most; the length. */
size_t sim_ethereum_record(const struct sim_ethereum *w, uint32_t index,
			   uint8_t out[static ENR_LEN_MAX]);

#endif
