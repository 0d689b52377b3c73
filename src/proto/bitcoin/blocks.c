#include "proto/bitcoin/blocks.h"

#include "crypto/sha256.h"
#include "proto/bitcoin/fields.h"

void bitcoin_block_header_decode(struct reader *r, struct bitcoin_block_header *out)
{
	size_t start = r->at;
	uint8_t hash[32];

	*out = (struct bitcoin_block_header){ 0 };
	out->version = (int32_t)reader_hex32le(r, "version");
	out->previous = reader_hash(r, "previous block");
	out->merkle_root = reader_hash(r, "merkle root");
	out->time_s = reader_time32le(r, "time");
	out->bits = reader_hex32le(r, "bits");
	out->nonce = reader_hex32le(r, "nonce");
	if (r->on_field == NULL || !reader_ok(r))
		return;
	sha256d(slice_of(r->data + start, BITCOIN_BLOCK_HEADER_LEN), hash);
	bitcoin_tell_computed(r, "block hash", hash);
}

void bitcoin_block_header_encode(struct writer *w, const struct bitcoin_block_header *h)
{
	writer_u32le(w, (uint32_t)h->version);
	bitcoin_put_hash(w, h->previous);
	bitcoin_put_hash(w, h->merkle_root);
	writer_u32le(w, h->time_s);
	writer_u32le(w, h->bits);
	writer_u32le(w, h->nonce);
}

static struct slice read_txs(struct reader *r, uint32_t *count)
{
	struct bitcoin_tx tx;
	size_t start;

	*count = (uint32_t)bitcoin_compact_size(r, BITCOIN_TXS_MAX, "transaction count",
						"transactions: 10 bytes each, in one message");
	start = r->at;
	for (uint32_t i = 0; i < *count && reader_ok(r); i++) {
		reader_group(r, "transaction", i);
		bitcoin_tx_decode(r, &tx);
	}
	return bitcoin_read_since(r, start);
}

void bitcoin_block_decode(struct reader *r, struct bitcoin_block *out)
{
	*out = (struct bitcoin_block){ 0 };
	bitcoin_block_header_decode(r, &out->header);
	out->txs = read_txs(r, &out->tx_count);
}

void bitcoin_block_encode(struct writer *w, const struct bitcoin_block *b)
{
	bitcoin_block_header_encode(w, &b->header);
	bitcoin_put_compact_size(w, b->tx_count);
	writer_slice(w, b->txs);
}

bool bitcoin_block_tx_next(struct reader *r, struct bitcoin_tx *out)
{
	if (reader_left(r) == 0)
		return false;
	bitcoin_tx_decode(r, out);
	return reader_ok(r);
}

void bitcoin_merkleblock_decode(struct reader *r, struct bitcoin_merkleblock *out)
{
	*out = (struct bitcoin_merkleblock){ 0 };
	bitcoin_block_header_decode(r, &out->header);
	out->tx_count = reader_u32le(r, "transaction count");
	out->hash_count = (uint32_t)bitcoin_compact_size(r, BITCOIN_HASHES_MAX, "hash count",
							 "hashes: 32 bytes each, in one message");
	out->hashes = bitcoin_read_hashes(r, out->hash_count, "hash");
	out->flags = bitcoin_read_var_bytes(r, BITCOIN_PAYLOAD_MAX, "flags",
					    "flags: no longer than a message");
}

void bitcoin_merkleblock_encode(struct writer *w, const struct bitcoin_merkleblock *m)
{
	bitcoin_block_header_encode(w, &m->header);
	writer_u32le(w, m->tx_count);
	bitcoin_put_compact_size(w, m->hash_count);
	writer_slice(w, m->hashes);
	bitcoin_put_var_slice(w, m->flags);
}

static struct slice read_short_ids(struct reader *r, uint32_t count)
{
	size_t start = r->at;
	struct slice list;

	if (bitcoin_read_list_fast(r, count, BITCOIN_SHORT_ID_LEN, &list))
		return list;
	for (uint32_t i = 0; i < count && reader_ok(r); i++)
		reader_bytes(r, BITCOIN_SHORT_ID_LEN, "short id");
	return bitcoin_read_since(r, start);
}

/* BIP 152: indexes stand as gaps: each is one less than the difference to the last.
 * *next is the lowest index that can follow; the list must stay within 16 bits. */
static uint32_t read_gap(struct reader *r, uint32_t *next, const char *name)
{
	size_t at = r->at;
	uint64_t gap = bitcoin_compact_size(r, BITCOIN_COMPACT_INDEX_MAX, name,
					    "index: at most 65,535 (BIP 152)");

	if (reader_ok(r) && *next + gap > BITCOIN_COMPACT_INDEX_MAX)
		reader_fail_at(r, ERR_LIMIT, at, "index: gaps add up to at most 65,535 (BIP 152)");
	*next += (uint32_t)gap + 1;
	return (uint32_t)gap;
}

void bitcoin_cmpctblock_decode(struct reader *r, struct bitcoin_cmpctblock *out)
{
	struct bitcoin_tx tx;
	uint32_t next = 0;
	size_t start;

	*out = (struct bitcoin_cmpctblock){ 0 };
	bitcoin_block_header_decode(r, &out->header);
	out->nonce = reader_hex64le(r, "nonce");
	out->short_count = (uint32_t)bitcoin_compact_size(
		r, BITCOIN_COMPACT_INDEX_MAX, "short id count", "short ids: at most 65,535");
	out->short_ids = read_short_ids(r, out->short_count);
	out->prefilled_count = (uint32_t)bitcoin_compact_size(
		r, BITCOIN_COMPACT_INDEX_MAX, "prefilled count", "prefilled: at most 65,535");
	start = r->at;
	for (uint32_t i = 0; i < out->prefilled_count && reader_ok(r); i++) {
		reader_group(r, "prefilled", i);
		read_gap(r, &next, "gap");
		bitcoin_tx_decode(r, &tx);
	}
	out->prefilled = bitcoin_read_since(r, start);
}

void bitcoin_cmpctblock_encode(struct writer *w, const struct bitcoin_cmpctblock *m)
{
	bitcoin_block_header_encode(w, &m->header);
	writer_u64le(w, m->nonce);
	bitcoin_put_compact_size(w, m->short_count);
	writer_slice(w, m->short_ids);
	bitcoin_put_compact_size(w, m->prefilled_count);
	writer_slice(w, m->prefilled);
}

bool bitcoin_prefilled_next(struct reader *r, uint32_t *gap, struct bitcoin_tx *out)
{
	uint32_t next = 0;

	if (reader_left(r) == 0)
		return false;
	*gap = read_gap(r, &next, "gap");
	bitcoin_tx_decode(r, out);
	return reader_ok(r);
}

void bitcoin_getblocktxn_decode(struct reader *r, struct bitcoin_getblocktxn *out)
{
	uint32_t next = 0;
	size_t start;

	*out = (struct bitcoin_getblocktxn){ 0 };
	out->block_hash = reader_hash(r, "block hash");
	out->count = (uint32_t)bitcoin_compact_size(r, BITCOIN_COMPACT_INDEX_MAX + 1, "index count",
						    "indexes: at most 65,536 (BIP 152)");
	start = r->at;
	for (uint32_t i = 0; i < out->count && reader_ok(r); i++)
		read_gap(r, &next, "gap");
	out->gaps = bitcoin_read_since(r, start);
}

void bitcoin_getblocktxn_encode(struct writer *w, const struct bitcoin_getblocktxn *m)
{
	bitcoin_put_hash(w, m->block_hash);
	bitcoin_put_compact_size(w, m->count);
	writer_slice(w, m->gaps);
}

void bitcoin_blocktxn_decode(struct reader *r, struct bitcoin_blocktxn *out)
{
	*out = (struct bitcoin_blocktxn){ 0 };
	out->block_hash = reader_hash(r, "block hash");
	out->txs = read_txs(r, &out->tx_count);
}

void bitcoin_blocktxn_encode(struct writer *w, const struct bitcoin_blocktxn *m)
{
	bitcoin_put_hash(w, m->block_hash);
	bitcoin_put_compact_size(w, m->tx_count);
	writer_slice(w, m->txs);
}
