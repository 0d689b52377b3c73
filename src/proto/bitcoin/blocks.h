/* blocks.h: transactions and blocks as bytes.
 *
 * No consensus rule is checked: only the form. Lists stay slices whose form has been
 * checked; step through them with a reader set on them and X_next, which returns false
 * at the end. X_put writes one element, for those who build a list. */
#ifndef PEERWALK_PROTO_BITCOIN_BLOCKS_H
#define PEERWALK_PROTO_BITCOIN_BLOCKS_H

#include "proto/bitcoin/messages.h"

enum {
	BITCOIN_HASH_LEN = 32,
	BITCOIN_BLOCK_HEADER_LEN = 80,
	/* How many of the smallest fit into the largest payload: an input takes 41 bytes,
	 * an output 9, a transaction 10, a witness item or a hash's flag 1. */
	BITCOIN_INPUTS_MAX = BITCOIN_PAYLOAD_MAX / 41,
	BITCOIN_OUTPUTS_MAX = BITCOIN_PAYLOAD_MAX / 9,
	BITCOIN_TXS_MAX = BITCOIN_PAYLOAD_MAX / 10,
	BITCOIN_HASHES_MAX = BITCOIN_PAYLOAD_MAX / BITCOIN_HASH_LEN,
	BITCOIN_AMOUNT_TEXT_MAX = 32, /* "-92233720368.54775808 BTC" */
};

struct bitcoin_tx_in {
	struct slice previous_txid; /* 32 bytes */
	uint32_t previous_index;
	struct slice script;
	uint32_t sequence;
};
struct bitcoin_tx_out {
	int64_t value; /* satoshi */
	struct slice script;
};
/* One input's witness: count items, each a CompactSize length and bytes. */
struct bitcoin_witness {
	uint32_t count;
	struct slice items;
};
/* BIP 144: with segwit, inputs' witnesses stand between the outputs and lock_time. */
struct bitcoin_tx {
	int32_t version;
	bool segwit;
	uint32_t in_count, out_count;
	struct slice inputs, outputs;
	struct slice witnesses; /* in_count of them; empty without segwit */
	uint32_t lock_time;     /* a height, or from 500,000,000 on seconds since 1970 */
};
void bitcoin_tx_decode(struct reader *r, struct bitcoin_tx *out);
void bitcoin_tx_encode(struct writer *w, const struct bitcoin_tx *tx);
bool bitcoin_tx_in_next(struct reader *r, struct bitcoin_tx_in *out);
bool bitcoin_tx_out_next(struct reader *r, struct bitcoin_tx_out *out);
bool bitcoin_witness_next(struct reader *r, struct bitcoin_witness *out);
bool bitcoin_witness_item_next(struct reader *r, struct slice *out);
void bitcoin_tx_in_put(struct writer *w, const struct bitcoin_tx_in *in);
void bitcoin_tx_out_put(struct writer *w, const struct bitcoin_tx_out *o);
/* The id leaves the witness out; both in the order of the wire (shown reversed). */
void bitcoin_txid(const struct bitcoin_tx *tx, uint8_t out[32]);
void bitcoin_wtxid(const struct bitcoin_tx *tx, uint8_t out[32]);

/* Satoshi as bitcoin, with all eight places. */
void bitcoin_amount_text(int64_t satoshi, char out[static BITCOIN_AMOUNT_TEXT_MAX]);

struct bitcoin_block_header {
	int32_t version;
	struct slice previous, merkle_root; /* 32 bytes each */
	uint32_t time_s, bits, nonce;
};
void bitcoin_block_header_decode(struct reader *r, struct bitcoin_block_header *out);
void bitcoin_block_header_encode(struct writer *w, const struct bitcoin_block_header *h);

struct bitcoin_block {
	struct bitcoin_block_header header;
	uint32_t tx_count;
	struct slice txs;
};
void bitcoin_block_decode(struct reader *r, struct bitcoin_block *out);
void bitcoin_block_encode(struct writer *w, const struct bitcoin_block *b);
bool bitcoin_block_tx_next(struct reader *r, struct bitcoin_tx *out);

/* BIP 37: a block's header with the part of its Merkle tree that a filter asked for. */
struct bitcoin_merkleblock {
	struct bitcoin_block_header header;
	uint32_t tx_count;   /* of the block */
	uint32_t hash_count; /* of the list */
	struct slice hashes; /* 32 bytes each */
	struct slice flags;  /* bits, the lowest first */
};
void bitcoin_merkleblock_decode(struct reader *r, struct bitcoin_merkleblock *out);
void bitcoin_merkleblock_encode(struct writer *w, const struct bitcoin_merkleblock *m);

/* BIP 152. */
enum {
	BITCOIN_SHORT_ID_LEN = 6,
	BITCOIN_COMPACT_INDEX_MAX = 65535, /* Core: indexes must fit 16 bits */
};
struct bitcoin_cmpctblock {
	struct bitcoin_block_header header;
	uint64_t nonce;
	uint32_t short_count, prefilled_count;
	struct slice short_ids; /* 6 bytes each */
	struct slice prefilled; /* step with bitcoin_prefilled_next */
};
void bitcoin_cmpctblock_decode(struct reader *r, struct bitcoin_cmpctblock *out);
void bitcoin_cmpctblock_encode(struct writer *w, const struct bitcoin_cmpctblock *m);
/* gap: how many transactions lie between the one before and this one. */
bool bitcoin_prefilled_next(struct reader *r, uint32_t *gap, struct bitcoin_tx *out);

struct bitcoin_getblocktxn {
	struct slice block_hash;
	uint32_t count;
	struct slice gaps; /* CompactSizes: how many transactions lie in between */
};
void bitcoin_getblocktxn_decode(struct reader *r, struct bitcoin_getblocktxn *out);
void bitcoin_getblocktxn_encode(struct writer *w, const struct bitcoin_getblocktxn *m);

struct bitcoin_blocktxn {
	struct slice block_hash;
	uint32_t tx_count;
	struct slice txs; /* step with bitcoin_block_tx_next */
};
void bitcoin_blocktxn_decode(struct reader *r, struct bitcoin_blocktxn *out);
void bitcoin_blocktxn_encode(struct writer *w, const struct bitcoin_blocktxn *m);

#endif
