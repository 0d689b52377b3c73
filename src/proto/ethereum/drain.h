/* drain.h: to get the whole table out of one node by FINDNODE, and to know when it is whole.
 *
 * An answer to FINDNODE names the 16 nodes of a table that are nearest to the target. For
 * a target with exactly d bits at its start in common with the node's own hash (depth d),
 * the nearest are all entries with d bits in common, then those with more, then those with
 * fewer. A bucket of the reference client's table holds 16, so one answer at each depth
 * lists its bucket; and as soon as the answer for depth d names a node with fewer than d
 * bits in common, all entries with d and more are in it: the table is listed, and that is
 * proven. Without such a node the last depth, 16, ends it, as all that is nearer shares
 * one bucket.
 *
 * The proof needs whole answers. One of 16 nodes, the nearest first, with no node left out
 * that the peer has named before and that would belong there, is whole. A shorter one may
 * have lost a packet, and to be short is never a proof by itself: the peer leaves out what
 * it may not name to us. It is whole if the sizes of its packets say so; otherwise it is
 * asked for again, and what came is put together. Answers that stay short count when they
 * were the same DRAIN_AGREE times in a row and name all that the peer has ever named.
 * What stays in doubt is PARTIAL, and so is a table that shows more than 16 in a bucket.
 * (One that has more, but does not show it, can't be told from the reference client's.)
 *
 * Who does not name the nearest first may sort by something else (ethereumjs: by the keys, not
 * by their hashes). Of such a node the same 16 twice are taken for an answer, but nothing is
 * proven. When it leaves out a node that would belong there, and else when all depths are
 * through, it is asked for all sorts of places, until DRAIN_BARREN answers in a row name nobody
 * new.
 *
 *     drain_init()
 *     while drain_next(): send the FINDNODE; then
 *         drain_neighbors() for each NEIGHBORS, until it returns true or the wait is over
 *         drain_reply_end()
 *     drain_result()
 *
 * No I/O, no clock, no allocation. NEIGHBORS says not which FINDNODE it answers: keep one
 * outstanding for each node. */
#ifndef PEERWALK_PROTO_ETHEREUM_DRAIN_H
#define PEERWALK_PROTO_ETHEREUM_DRAIN_H

#include "proto/ethereum/targets.h"

enum {
	DRAIN_REPLY_MAX = KADEMLIA_BUCKET_SIZE, /* nodes of a whole answer (discv4.md) */
	DRAIN_PACKET_NODES = 12, /* that fit into the 1280 bytes of a NEIGHBORS packet */
	DRAIN_DEPTHS = KADEMLIA_BUCKETS,
	DRAIN_AGREE = 3,          /* equal short answers: two losses in a row are not so rare */
	DRAIN_REPEAT = 2,         /* equal answers of 16 in another order than ours */
	DRAIN_BARREN = 5,         /* then as good as all of its nodes were named */
	DRAIN_ATTEMPTS = 4,       /* at one depth; then it stays in doubt */
	DRAIN_ATTEMPTS_DOUBT = 2, /* once the proof is lost: to find more, nevertheless */
	DRAIN_SILENCES = 3,       /* unanswered in a row; then the node is gone */
	/* Twice the 17 depths and some: a bound on what one node costs, and on what it can
	 * make us send. */
	DRAIN_FINDNODES_MAX = 40,
	DRAIN_SEEN_MAX = KADEMLIA_ENTRIES_MAX, /* more don't fit into such a table */
};

/* X(symbol, name, sentence) */
#define DRAIN_LIST(X)                                                              \
	X(DRAINED, "drained", "the whole table is listed, and that is proven")     \
	X(PARTIAL, "partial", "some of the table; whether all of it is not known") \
	X(TIMED_OUT, "timed_out", "no answer to any question")

enum drain_result {
#define DRAIN_ENUM(symbol, name, text) DRAIN_##symbol,
	DRAIN_LIST(DRAIN_ENUM)
#undef DRAIN_ENUM
};

/* Nodes are known here by the first 64 bits of their hash. */
struct drain_set {
	uint64_t ids[DRAIN_REPLY_MAX];
	unsigned count;
};

struct drain {
	/* private */
	uint64_t node, target; /* ids: of the node itself, of the outstanding FINDNODE */
	unsigned depth, attempts, silences, findnodes;
	size_t first_count;     /* nodes of its first packet */
	unsigned packets;       /* of the outstanding answer */
	bool clean;             /* the answer is in order so far */
	struct drain_set got;   /* the answer */
	struct drain_set whole; /* clean answers at this depth, put together */
	uint64_t last_print;    /* stands for the set of the last answer */
	unsigned agree;         /* answers in a row with that set */
	unsigned small;         /* the size of a table that was taken for whole; or UINT_MAX */
	bool answered, doubt, over;
	bool endless;
	bool disorder;        /* some packet of the answer was not in order */
	bool unsorted;        /* such an answer was taken */
	bool scatter;         /* so it is asked for all sorts of places */
	unsigned barren;      /* answers in a row that named nobody new */
	unsigned seen_before; /* seen_count when the outstanding answer began */
	unsigned seen_count, bucket_counts[DRAIN_DEPTHS];
	uint64_t seen[DRAIN_SEEN_MAX];
};

const char *drain_result_name(enum drain_result result); /* "timed_out" */
const char *drain_result_text(enum drain_result result); /* a sentence without a full stop */

/* The hash of the node whose table it is. */
void drain_init(struct drain *d, const uint8_t node[static KADEMLIA_HASH_LEN]);
/* The key to put into the next FINDNODE; false once it is over. */
bool drain_next(struct drain *d, const struct targets *targets,
		uint8_t key[static KADEMLIA_KEY_LEN]);
/* The hashes of a NEIGHBORS packet, in its order, all of them: also of nodes that we
 * would not call on. True: the answer is complete, no more packets are to come. */
bool drain_neighbors(struct drain *d, const uint8_t (*hashes)[KADEMLIA_HASH_LEN], size_t count);
/* Whatever came of the answer, came. */
void drain_reply_end(struct drain *d);

/* What can be said when it is over, or if it ended now. */
enum drain_result drain_result(const struct drain *d);
unsigned drain_findnodes(const struct drain *d); /* sent so far */
/* Different nodes named, up to a full table; whether that is one of them. */
unsigned drain_count(const struct drain *d);
bool drain_has(const struct drain *d, const uint8_t hash[static KADEMLIA_HASH_LEN]);
/* It has named more different nodes than any table holds: it makes them up. */
bool drain_endless(const struct drain *d);

#endif
