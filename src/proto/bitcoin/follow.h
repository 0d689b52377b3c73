/* follow.h: asks a peer for what it announces: each transaction, and each block's header.
 *
 * It stands beside a session that tells every message (SESSION_GOAL_LISTEN): hear() each of
 * them, and after it say what send() gives until that is 0. Transactions are asked for with
 * getdata, by the kind of hash they were announced with, and with their witness where the
 * peer offers it (BIP 144, BIP 339); headers with getheaders that has no locator, which
 * Core and its kin take as "this one alone". A block as a whole is never asked for.
 *
 * Nothing is believed: what comes is hashed, and is what was asked for, or is told as unasked.
 * A hash is asked for once, as long as the table of those that were has room for it.
 *
 * The caller owns the struct (some 800 KiB). No I/O, no clock, no allocation. */
#ifndef PEERWALK_PROTO_BITCOIN_FOLLOW_H
#define PEERWALK_PROTO_BITCOIN_FOLLOW_H

#include "base/hash.h"
#include "proto/bitcoin/inventory.h"
#include "proto/proto.h"

enum {
	FOLLOW_IN_FLIGHT_MAX = 100,   /* MAX_PEER_TX_REQUEST_IN_FLIGHT: what Core asks one peer */
	FOLLOW_WANTED_MAX = 5000,     /* MAX_PEER_TX_ANNOUNCEMENTS: waiting to be asked for */
	FOLLOW_ANSWER_MS = 60 * 1000, /* GETDATA_TX_INTERVAL: then it is given up */
	FOLLOW_SEEN_MAX = 1 << 16,    /* hashes remembered; a power of two */
	/* A question for so many: the longest message. */
	FOLLOW_OUT_MAX = BITCOIN_HEADER_LEN + 1 + FOLLOW_IN_FLIGHT_MAX * BITCOIN_INV_LEN,
};

enum follow_kind {
	FOLLOW_TX,
	FOLLOW_BLOCK,   /* its header */
	FOLLOW_MISSING, /* the peer says that it does not have it */
	FOLLOW_LOST,    /* no answer came */
};

/* Borrowed for the call. */
struct follow_report {
	enum follow_kind kind;
	bool asked;       /* TX, BLOCK: this is what was asked for; its hash is that */
	uint8_t hash[32]; /* TX: the txid; MISSING, LOST: as it was announced */
	uint8_t wtxid[32];
	const struct bitcoin_tx *tx;              /* TX */
	size_t size, stripped;                    /* TX: bytes; without witness */
	const struct bitcoin_block_header *block; /* BLOCK */
	uint32_t type;                            /* MISSING, LOST: as in inventory.h */
};
typedef void follow_fn(void *ctx, const struct follow_report *report);

struct follow_counts {
	uint64_t announced, asked, came, missing, lost;
	uint64_t unasked; /* came, but wasn't what was asked for */
	uint64_t dropped; /* announced while FOLLOW_WANTED_MAX waited */
};

struct follow {
	struct follow_counts counts;
	/* private */
	const struct network *network;
	struct hash_key key;
	bool witness; /* the peer offers NODE_WITNESS */
	uint64_t now_ms;
	struct follow_item {
		uint32_t type;
		uint8_t hash[32];
		uint64_t asked_ms, number; /* number: in the order of asking */
	} wanted[FOLLOW_WANTED_MAX], flight[FOLLOW_IN_FLIGHT_MAX];
	uint32_t wanted_at, wanted_count, flight_count;
	uint64_t seen[FOLLOW_SEEN_MAX]; /* hashed by key; 0: nothing. A later one takes the place */
};

/* key: random, secret: nobody can choose what falls into one place. */
void follow_init(struct follow *f, const struct network *network, struct hash_key key);
/* One message of the peer: its name, as a session tells it. fn is told what came of it. */
void follow_hear(struct follow *f, const char *name, struct slice payload, uint64_t now_ms,
		 follow_fn *fn, void *ctx);
/* What is to be said: one whole message; 0: nothing. cap is at least FOLLOW_OUT_MAX. */
size_t follow_send(struct follow *f, uint8_t *out, size_t cap);

#endif
