/* forkid.h: which chain a node is on, and how far it has come, in twelve bytes.
 *
 * A fork id is the CRC-32 of the genesis hash and of all forks passed, and the next fork
 * that the node knows of: a block number or, since the Merge, a time. Source: EIP-2124,
 * and EIP-6122 for forks by time. */
#ifndef PEERWALK_PROTO_ETHEREUM_FORKID_H
#define PEERWALK_PROTO_ETHEREUM_FORKID_H

#include "proto/ethereum/rlp.h"

struct forkid {
	uint8_t hash[4]; /* the CRC-32, big-endian */
	uint64_t next;   /* 0: none known */
};

enum {
	ETHEREUM_FORKS_MAX = 24,
	/* Mainnet's genesis: a fork above is a time, below it a block (EIP-6122). */
	ETHEREUM_FIRST_TIME_S = 1438269973,
};

/* One chain as data. Forks at the genesis, and several at one place, are one or none here:
 * EIP-2124 drops them. */
struct ethereum_chain {
	const char *name;
	uint64_t network_id;
	uint8_t genesis[32];
	size_t block_forks; /* so many of the forks are blocks; the rest are times */
	size_t forks_count;
	uint64_t forks[ETHEREUM_FORKS_MAX]; /* ascending in each part */
};

extern const struct ethereum_chain ethereum_chains[];
extern const size_t ethereum_chains_count;

/* NULL if there is none of that name. */
const struct ethereum_chain *ethereum_chain_find(const char *name);

/* Where a node stands. A crawler holds no chain and takes itself for up to date: all
 * blocks, and the time of day. */
struct forkid_head {
	uint64_t block, time_s;
};

/* The id of somebody who has passed the first n forks, of forks_count at most. */
struct forkid forkid_after(const struct ethereum_chain *chain, size_t n);
/* The id of somebody who stands there. */
struct forkid forkid_at(const struct ethereum_chain *chain, const struct forkid_head *head);

/* What the validation rules of EIP-2124 make of a remote's id. */
enum forkid_verdict {
	FORKID_SAME,         /* rule 1: same forks */
	FORKID_BEHIND,       /* rule 2: the remote is syncing, and knows of the next fork */
	FORKID_AHEAD,        /* rule 3: we are behind, on the same chain */
	FORKID_STALE,        /* rule 2, broken: behind, and its software is too old to follow */
	FORKID_MISSED,       /* rule 1a: it announces a fork that we passed without noticing */
	FORKID_INCOMPATIBLE, /* rule 4: another chain */
};

enum forkid_verdict forkid_check(const struct ethereum_chain *chain, const struct forkid_head *head,
				 const struct forkid *remote);
/* One that stays connected: the first three. */
bool forkid_compatible(enum forkid_verdict v);
const char *forkid_verdict_text(enum forkid_verdict v); /* a sentence without a full stop */

/* The fork after which a node with this hash stands on the chain: 0 is the genesis rules,
 * n the n-th fork. False for a hash of another chain. Tells a node's chain from its id
 * alone, up to date or not. */
bool forkid_place(const struct ethereum_chain *chain, const uint8_t hash[static 4], size_t *out);

/* The chain on which a node with this hash stands, and after which fork; NULL if none is known
 * here. */
const struct ethereum_chain *forkid_chain(const uint8_t hash[static 4], size_t *place);
/* Whether a fork is a time and not a block (EIP-6122). */
bool forkid_is_time(uint64_t fork);

/* [hash, next]; a list that may have more elements, which are ignored. */
void forkid_decode(struct reader *r, struct forkid *out);
void forkid_encode(struct writer *w, const struct forkid *id);

#endif
