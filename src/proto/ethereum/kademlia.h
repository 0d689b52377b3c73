/* kademlia.h: Ethereum's node table: who is near whom, and whom to keep.
 *
 * A node is its 64-byte public key; distances are between the Keccak-256 of keys
 * (discv4.md, "Node Identities"). What the table keeps, and how it checks that its nodes
 * are still there, follows the reference client (go-ethereum, p2p/discover/table.go and
 * table_reval.go), so that a simulated node answers as most real ones do.
 *
 * No I/O, no clock, no allocation: the caller owns the table (some 65 KiB), and passes
 * the time and a seeded generator. Pointers to nodes live until the next call that
 * changes the table.
 *
 *     kademlia_add(), as nodes become known
 *     kademlia_due() until it returns false, no later than kademlia_deadline():
 *         ping that node, then kademlia_alive() or kademlia_silent()
 *     kademlia_closest(), for the answer to a FINDNODE */
#ifndef PEERWALK_PROTO_ETHEREUM_KADEMLIA_H
#define PEERWALK_PROTO_ETHEREUM_KADEMLIA_H

#include "base/hash.h"
#include "base/netaddr.h"

enum {
	KADEMLIA_KEY_LEN = 64,
	KADEMLIA_HASH_LEN = 32,
	KADEMLIA_HASH_BITS = 256,
	/* Entries of a bucket; as many as one answer to FINDNODE names (k of discv4.md). */
	KADEMLIA_BUCKET_SIZE = 16,
	KADEMLIA_REPLACEMENTS = 10, /* waiting for a place in the bucket */
	/* Log distances 256 to 241 have a bucket each; 240 and less share the last, as half
	 * of all nodes are at 256, a quarter at 255 ... and hardly any is nearer. */
	KADEMLIA_BUCKETS = 17,
	KADEMLIA_ENTRIES_MAX = KADEMLIA_BUCKETS * KADEMLIA_BUCKET_SIZE,
	/* Nodes, replacements as well, of one network of 24 bits: somebody with one such
	 * network can't fill the table. Not for local networks. */
	KADEMLIA_SUBNET_BUCKET = 2,
	KADEMLIA_SUBNET_TABLE = 10,
	/* The next check of a list comes within this time: nodes not yet checked, and
	 * nodes that have passed. */
	KADEMLIA_FAST_MS = 3000,
	KADEMLIA_SLOW_MS = 9000,
	KADEMLIA_FAILURE_DIVISOR = 3, /* a failure costs two thirds of the passed checks */
};

struct kademlia_node {
	uint8_t key[KADEMLIA_KEY_LEN];
	uint8_t hash[KADEMLIA_HASH_LEN]; /* of the key */
	struct netaddr addr;             /* with the UDP port */
	uint16_t tcp_port;               /* 0: none */
	uint64_t seq;                    /* of its record (EIP-778); 0: unknown */
};

/* Fills hash from key. */
void kademlia_hash(const uint8_t key[static KADEMLIA_KEY_LEN],
		   uint8_t out[static KADEMLIA_HASH_LEN]);
struct kademlia_node kademlia_node(const uint8_t key[static KADEMLIA_KEY_LEN],
				   const struct netaddr *addr, uint16_t tcp_port);

/* Bits at the start that both have in common: 256 for equal hashes. The log distance is
 * 256 less this. */
unsigned kademlia_common(const uint8_t a[static KADEMLIA_HASH_LEN],
			 const uint8_t b[static KADEMLIA_HASH_LEN]);
unsigned kademlia_log_distance(const uint8_t a[static KADEMLIA_HASH_LEN],
			       const uint8_t b[static KADEMLIA_HASH_LEN]);
/* Which of a and b is nearer to target, by XOR: < 0 for a, > 0 for b, 0 if equal. */
int kademlia_compare(const uint8_t target[static KADEMLIA_HASH_LEN],
		     const uint8_t a[static KADEMLIA_HASH_LEN],
		     const uint8_t b[static KADEMLIA_HASH_LEN]);

enum kademlia_list {
	KADEMLIA_FAST, /* not yet checked, failed lately, or moved to another address */
	KADEMLIA_SLOW, /* passed its last check */
	KADEMLIA_LISTS,
};

struct kademlia_entry {
	struct kademlia_node node;
	uint32_t checks; /* passed; less after failures */
	uint8_t list;    /* enum kademlia_list */
	bool live;       /* passed a check at this address */
	bool busy;       /* kademlia_due() gave it out, and no result came yet */
};

struct kademlia_bucket {
	struct kademlia_entry entries[KADEMLIA_BUCKET_SIZE];
	struct kademlia_node replacements[KADEMLIA_REPLACEMENTS]; /* the newest first */
	uint8_t entry_count, replacement_count;
};

struct kademlia {
	/* Private; for tests and simulations to look at. */
	uint8_t self[KADEMLIA_HASH_LEN];
	struct kademlia_bucket buckets[KADEMLIA_BUCKETS]; /* by bits in common, 0 first */
	uint64_t next_ms[KADEMLIA_LISTS];                 /* UINT64_MAX: the list is empty */
	uint16_t list_count[KADEMLIA_LISTS];
};

enum kademlia_added {
	KADEMLIA_ADDED,
	KADEMLIA_REPLACEMENT,  /* the bucket is full; it waits */
	KADEMLIA_KNOWN,        /* nothing new */
	KADEMLIA_MOVED,        /* a newer record with another address: to be checked again */
	KADEMLIA_SELF,         /* refused: it is the table's owner */
	KADEMLIA_NO_IP,        /* refused */
	KADEMLIA_SUBNET_LIMIT, /* refused; a known node keeps its old address */
};

void kademlia_init(struct kademlia *t, const uint8_t self[static KADEMLIA_HASH_LEN]);
/* A known node's address changes only by a record with a higher sequence number. */
enum kademlia_added kademlia_add(struct kademlia *t, const struct kademlia_node *node,
				 uint64_t now_ms, struct random *random);
/* NULL if it has no place in the table (a replacement has none). */
const struct kademlia_entry *kademlia_find(const struct kademlia *t,
					   const uint8_t hash[static KADEMLIA_HASH_LEN]);
unsigned kademlia_count(const struct kademlia *t); /* entries, without replacements */

/* Which node to check now, if any. */
bool kademlia_due(struct kademlia *t, uint64_t now_ms, struct random *random,
		  struct kademlia_node *out);
uint64_t kademlia_deadline(const struct kademlia *t); /* UINT64_MAX: the table is empty */
/* How the check of a node that kademlia_due() gave out has ended. Ignored if the node is
 * no longer there, or has moved to another address since. */
void kademlia_alive(struct kademlia *t, const struct kademlia_node *checked, uint64_t now_ms,
		    struct random *random);
/* Drops the node once nothing is left of its passed checks; a replacement, chosen at
 * random, takes its place. */
void kademlia_silent(struct kademlia *t, const struct kademlia_node *checked, uint64_t now_ms,
		     struct random *random);

/* The entries nearest to target, the nearest first: those that are live, or all if none
 * is. Returns how many. */
size_t kademlia_closest(const struct kademlia *t, const uint8_t target[static KADEMLIA_HASH_LEN],
			const struct kademlia_node *out[static KADEMLIA_BUCKET_SIZE]);

#endif
