/* ethereum_world.h: the population of a simulated Ethereum discovery network, from a seed.
 *
 * Everything about node number i follows from (seed, i): its key, its address, its client, its
 * chain, its round trip, what it lies about, and whom its table holds. Nodes come first, then
 * ghosts: keys with an address where nobody answers. Tables are made when they are asked for,
 * so that 10,000 nodes cost some megabytes, and the truth of a crawl can be computed.
 *
 * A table is that of a node which has run for a while under the reference client's rules
 * (kademlia.h): 17 buckets by the bits in common, 16 entries each, in every bucket some of all
 * that could be there, chosen at random; who is near knows each other. Outside of local networks
 * no more than 2 of a /24 in a bucket and 10 in a table. A few nodes have just started, and know
 * up to three a bucket, or nobody. A few are hidden: nobody names them.
 *
 * How ghosts get named: a client of the strict ones (Geth, Erigon) names only nodes that have
 * answered it; of those a few are gone since (SIM_ETHEREUM_STALE). The others name whom they
 * have heard of, so that ghosts stand in their tables by their share of the population. Nodes
 * that never prove their address (see below) are ghosts in the eyes of both.
 *
 * The private keys are no secrets: anybody can compute them from the seed. */
#ifndef PEERWALK_SIM_ETHEREUM_WORLD_H
#define PEERWALK_SIM_ETHEREUM_WORLD_H

#include "proto/ethereum/enode.h"
#include "proto/ethereum/eth.h"
#include "proto/ethereum/identity.h"
#include "proto/ethereum/kademlia.h"
#include "sim/world.h"

/* What is at an address. X(symbol, name, reach, ok): whether a right crawler may reach it (it
 * completes the proof of its address), and whether a visit of it may then end as "ok". Everything
 * from LIAR_* on is a liar. */
#define SIM_ETHEREUM_KIND_LIST(X)                                                                 \
	X(HONEST, "honest", true, true)                                                           \
	X(GHOST, "ghost", false, false)                                                           \
	X(LIAR_BAD_HASH, "bad_hash", false, false)           /* of its packets */                 \
	X(LIAR_BAD_SIGNATURE, "bad_signature", false, false) /* nobody can have made it */        \
	X(LIAR_EXPIRED, "expired", false, false)             /* all that it sends */              \
	X(LIAR_OVERSIZED, "oversized", true, true)           /* NEIGHBORS over 1280 bytes */      \
	X(LIAR_UNSOLICITED, "unsolicited", true, true)       /* NEIGHBORS that nobody wanted */   \
	X(LIAR_INVENT, "invent", true, true)           /* names other invented nodes each time */ \
	X(LIAR_WRONG_PONG, "wrong_pong", false, false) /* names no PING */                        \
	X(LIAR_PRIVATE, "private", true, true)         /* names where no node can be */           \
	X(LIAR_OTHER_KEY, "other_key", false, false)   /* another key answers */                  \
	X(LIAR_BAD_RECORD, "bad_record", true, true)   /* not its own, or a broken one */

enum sim_ethereum_kind {
#define SIM_ETHEREUM_KIND_ENUM(symbol, name, reach, ok) SIM_ETHEREUM_##symbol,
	SIM_ETHEREUM_KIND_LIST(SIM_ETHEREUM_KIND_ENUM)
#undef SIM_ETHEREUM_KIND_ENUM
		SIM_ETHEREUM_KIND_COUNT,
};

const char *sim_ethereum_kind_name(enum sim_ethereum_kind kind);
/* Whether a crawler gets the proof of its address from a node of that kind. */
bool sim_ethereum_kind_answers(enum sim_ethereum_kind kind);

/* What becomes of a session with a node that is there. X(symbol, name) */
#define SIM_ETHEREUM_SESSION_LIST(X)                                                  \
	X(STATUS, "status")    /* Hello and Status */                                 \
	X(FULL, "full")        /* "too many peers" before Hello, as most nodes are */ \
	X(HANGS_UP, "hung_up") /* accepts, and closes without a byte */               \
	X(CLOSED, "closed")    /* nothing listens at its TCP port */                  \
	X(NONE, "none")        /* says that it has no TCP port: a bootstrap node */

enum sim_ethereum_session {
#define SIM_ETHEREUM_SESSION_ENUM(symbol, name) SIM_ETHEREUM_SESSION_##symbol,
	SIM_ETHEREUM_SESSION_LIST(SIM_ETHEREUM_SESSION_ENUM)
#undef SIM_ETHEREUM_SESSION_ENUM
		SIM_ETHEREUM_SESSION_COUNT,
};

enum {
	/* Of a node's capabilities: some versions of eth, snap, one of the client's own. */
	SIM_ETHEREUM_OFFERS_MAX = 8,
	/* One of so many ghosts that a strict client has met is still in its table. */
	SIM_ETHEREUM_STALE = 32,
	/* Addresses that must be left for invented nodes; there are up to SIM_INVENTED_MAX. */
	SIM_ETHEREUM_INVENTED_MIN = 64,
	/* Sessions: the network's port is everybody's, and nothing listens on the next one. */
	SIM_ETHEREUM_PORT_CLOSED = 1,
};

/* What never changes about a node. */
struct sim_ethereum_node {
	uint32_t index;
	enum sim_ethereum_kind kind;
	struct enode enode;
	uint64_t seq; /* of its record */
	uint32_t rtt_ms;
	bool hidden;
	enum sim_ethereum_session session;
	const char *client; /* its name in Hello */
	size_t offers_count;
	struct p2p_offer offers[SIM_ETHEREUM_OFFERS_MAX];
	struct forkid forkid;     /* in its record and its Status */
	struct eth_status status; /* version 0: that of the session counts */
};

struct sim_ethereum;

/* Of the configuration, loss and jitter_ms are the driver's. ERR_NOMEM; ERR_VALUE if the range
 * has no room. network->chain names the chain of most nodes; NULL: mainnet. */
enum err sim_ethereum_new(const struct sim_config *config, struct sim_ethereum **out);
void sim_ethereum_free(struct sim_ethereum *w);
const struct sim_config *sim_ethereum_config(const struct sim_ethereum *w);
uint32_t sim_ethereum_count(const struct sim_ethereum *w); /* nodes, then ghosts */
void sim_ethereum_node(const struct sim_ethereum *w, uint32_t index, struct sim_ethereum_node *out);
/* The parts of it that every packet needs. */
enum sim_ethereum_kind sim_ethereum_kind(const struct sim_ethereum *w, uint32_t index);
enum sim_ethereum_session sim_ethereum_session(const struct sim_ethereum *w, uint32_t index);
void sim_ethereum_enode(const struct sim_ethereum *w, uint32_t index, struct enode *out);
const struct secp_key *sim_ethereum_key(const struct sim_ethereum *w, uint32_t index);
uint32_t sim_ethereum_rtt_ms(const struct sim_ethereum *w, uint32_t index);
uint64_t sim_ethereum_seq(const struct sim_ethereum *w, uint32_t index);
/* For keys of others' making: no secrets either. */
const struct secp *sim_ethereum_secp(const struct sim_ethereum *w);
/* Where the random numbers of sessions come from; that its key is nobody's doesn't matter. */
void sim_ethereum_identity(const struct sim_ethereum *w, struct identity *out);
/* Index of the node or ghost at that address, whatever the port, or -1. */
int64_t sim_ethereum_find(const struct sim_ethereum *w, const struct netaddr *addr);

/* Whom the table of a node holds and may name, in no order; how many. */
size_t sim_ethereum_table(const struct sim_ethereum *w, uint32_t index,
			  uint32_t out[static KADEMLIA_ENTRIES_MAX]);
/* Of those the nearest to the hash of a key, the nearest first; how many. */
size_t sim_ethereum_closest(const struct sim_ethereum *w, const uint32_t *table, size_t count,
			    const uint8_t target[static KADEMLIA_HASH_LEN],
			    uint32_t out[static KADEMLIA_BUCKET_SIZE]);
/* Node number `number` of those that liars make up: a key that somebody could have, at an
 * address of the range where nobody is, so that nothing goes to strangers. There are
 * sim_ethereum_invented_count(). */
void sim_ethereum_invented(const struct sim_ethereum *w, uint32_t number, struct enode *out);
uint32_t sim_ethereum_invented_count(const struct sim_ethereum *w);
/* Somebody else's key, for LIAR_OTHER_KEY and LIAR_BAD_RECORD. */
void sim_ethereum_other_key(const struct sim_ethereum *w, uint32_t index, struct secp_key *out);

/* First contacts: up to count honest nodes that aren't hidden and know many. Node 0 is honest
 * in every world. */
size_t sim_ethereum_seeds(const struct sim_ethereum *w, uint32_t *out, size_t count);
/* Marks in reachable[] (sim_ethereum_count entries) whom a right crawler reaches: who is a seed,
 * or stands in the table of an honest node on the way there, and proves its address. What liars
 * name counts for nothing, even if it is true. */
enum err sim_ethereum_reachable(const struct sim_ethereum *w, const uint32_t *seeds, size_t count,
				bool *reachable);

#endif
