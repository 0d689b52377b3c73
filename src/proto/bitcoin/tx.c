#include "crypto/sha256.h"
#include "proto/bitcoin/blocks.h"
#include "proto/bitcoin/fields.h"

#include <string.h>

enum {
	LOCK_TIME_THRESHOLD = 500000000, /* Core's LOCKTIME_THRESHOLD: below it a height */
};

void bitcoin_amount_text(int64_t satoshi, char out[static BITCOIN_AMOUNT_TEXT_MAX])
{
	uint64_t v = satoshi < 0 ? 0 - (uint64_t)satoshi : (uint64_t)satoshi;
	char digits[24];
	size_t n = 0, len = 0;

	for (; n < 9 || v > 0; v /= 10) {
		if (n == 8)
			digits[n++] = '.';
		digits[n++] = (char)('0' + v % 10);
	}
	if (satoshi < 0)
		out[len++] = '-';
	while (n > 0)
		out[len++] = digits[--n];
	memcpy(out + len, " BTC", 5);
}

static void read_in(struct reader *r, struct bitcoin_tx_in *out)
{
	out->previous_txid = reader_hash(r, "previous txid");
	out->previous_index = reader_u32le(r, "previous index");
	out->script = bitcoin_read_var_bytes(r, BITCOIN_PAYLOAD_MAX, "script",
					     "script: no longer than a message");
	out->sequence = reader_hex32le(r, "sequence");
}

static void read_out(struct reader *r, struct bitcoin_tx_out *out)
{
	char text[BITCOIN_AMOUNT_TEXT_MAX];
	field_fn *hook = r->on_field;

	r->on_field = NULL;
	out->value = reader_i64le(r, "value");
	r->on_field = hook;
	if (hook != NULL && reader_ok(r)) {
		bitcoin_amount_text(out->value, text);
		bitcoin_tell_number(r, "value", FIELD_INT, 8, (uint64_t)out->value, text);
	}
	out->script = bitcoin_read_var_bytes(r, BITCOIN_PAYLOAD_MAX, "script",
					     "script: no longer than a message");
}

static void read_witness(struct reader *r, struct bitcoin_witness *out)
{
	uint64_t count = bitcoin_compact_size(r, BITCOIN_PAYLOAD_MAX, "item count",
					      "witness: no more items than a message has bytes");
	size_t start = r->at;

	for (uint64_t i = 0; i < count && reader_ok(r); i++)
		bitcoin_read_var_bytes(r, BITCOIN_PAYLOAD_MAX, "item",
				       "witness item: no longer than a message");
	*out = (struct bitcoin_witness){ 0 };
	if (reader_ok(r)) {
		out->count = (uint32_t)count;
		out->items = bitcoin_read_since(r, start);
	}
}

static struct slice read_inputs(struct reader *r, uint32_t *count)
{
	struct bitcoin_tx_in in;
	size_t start;

	*count = (uint32_t)bitcoin_compact_size(r, BITCOIN_INPUTS_MAX, "input count",
						"inputs: 41 bytes each, in one message");
	start = r->at;
	for (uint32_t i = 0; i < *count && reader_ok(r); i++) {
		reader_group(r, "input", i);
		read_in(r, &in);
	}
	return bitcoin_read_since(r, start);
}

static struct slice read_outputs(struct reader *r, uint32_t *count)
{
	struct bitcoin_tx_out o;
	size_t start;

	*count = (uint32_t)bitcoin_compact_size(r, BITCOIN_OUTPUTS_MAX, "output count",
						"outputs: 9 bytes each, in one message");
	start = r->at;
	for (uint32_t i = 0; i < *count && reader_ok(r); i++) {
		reader_group(r, "output", i);
		read_out(r, &o);
	}
	return bitcoin_read_since(r, start);
}

/* One for each input; how many of them hold something goes to *filled. */
static struct slice read_witnesses(struct reader *r, uint32_t count, uint32_t *filled)
{
	struct bitcoin_witness witness;
	size_t start = r->at;

	*filled = 0;
	for (uint32_t i = 0; i < count && reader_ok(r); i++) {
		reader_group(r, "witness", i);
		read_witness(r, &witness);
		*filled += witness.count > 0;
	}
	return bitcoin_read_since(r, start);
}

static uint32_t read_lock_time(struct reader *r)
{
	field_fn *hook = r->on_field;
	uint32_t v;

	r->on_field = NULL;
	v = reader_u32le(r, "lock time");
	r->on_field = hook;
	if (hook != NULL && reader_ok(r))
		bitcoin_tell_number(r, "lock time",
				    v >= LOCK_TIME_THRESHOLD ? FIELD_TIME : FIELD_UINT, 4, v, NULL);
	return v;
}

/* BIP 144: a zero where the count of inputs would be, then flags other than zero. */
static bool read_marker(struct reader *r)
{
	if (reader_left(r) < 2 || r->data[r->at] != 0 || r->data[r->at + 1] == 0)
		return false;
	reader_u8(r, "marker");
	if (r->data[r->at] != 1)
		reader_fail(r, ERR_VALUE, "flag: 1, the only one that is known (BIP 144)");
	reader_u8(r, "flag");
	return true;
}

static void tell_ids(struct reader *r, const struct bitcoin_tx *tx)
{
	uint8_t hash[32];

	if (r->on_field == NULL || !reader_ok(r))
		return;
	bitcoin_txid(tx, hash);
	bitcoin_tell_computed(r, "txid", hash);
	if (tx->segwit) {
		bitcoin_wtxid(tx, hash);
		bitcoin_tell_computed(r, "wtxid", hash);
	}
}

void bitcoin_tx_decode(struct reader *r, struct bitcoin_tx *out)
{
	struct bitcoin_tx tx = { 0 };
	uint32_t filled = 0;
	size_t marker_at;

	tx.version = reader_i32le(r, "version");
	marker_at = r->at;
	tx.segwit = read_marker(r);
	tx.inputs = read_inputs(r, &tx.in_count);
	tx.outputs = read_outputs(r, &tx.out_count);
	if (tx.segwit) {
		tx.witnesses = read_witnesses(r, tx.in_count, &filled);
		if (filled == 0)
			reader_fail_at(r, ERR_NONCANONICAL, marker_at,
				       "marker: only where some input has a witness (BIP 144)");
	}
	tx.lock_time = read_lock_time(r);
	tell_ids(r, &tx);
	*out = reader_ok(r) ? tx : (struct bitcoin_tx){ 0 };
}

void bitcoin_tx_encode(struct writer *w, const struct bitcoin_tx *tx)
{
	writer_u32le(w, (uint32_t)tx->version);
	if (tx->segwit) {
		writer_u8(w, 0);
		writer_u8(w, 1);
	}
	bitcoin_put_compact_size(w, tx->in_count);
	writer_slice(w, tx->inputs);
	bitcoin_put_compact_size(w, tx->out_count);
	writer_slice(w, tx->outputs);
	if (tx->segwit)
		writer_slice(w, tx->witnesses);
	writer_u32le(w, tx->lock_time);
}

bool bitcoin_tx_in_next(struct reader *r, struct bitcoin_tx_in *out)
{
	if (reader_left(r) == 0)
		return false;
	read_in(r, out);
	return reader_ok(r);
}

bool bitcoin_tx_out_next(struct reader *r, struct bitcoin_tx_out *out)
{
	if (reader_left(r) == 0)
		return false;
	read_out(r, out);
	return reader_ok(r);
}

bool bitcoin_witness_next(struct reader *r, struct bitcoin_witness *out)
{
	if (reader_left(r) == 0)
		return false;
	read_witness(r, out);
	return reader_ok(r);
}

bool bitcoin_witness_item_next(struct reader *r, struct slice *out)
{
	if (reader_left(r) == 0)
		return false;
	*out = bitcoin_read_var_bytes(r, BITCOIN_PAYLOAD_MAX, "item",
				      "witness item: no longer than a message");
	return reader_ok(r);
}

void bitcoin_tx_in_put(struct writer *w, const struct bitcoin_tx_in *in)
{
	bitcoin_put_hash(w, in->previous_txid);
	writer_u32le(w, in->previous_index);
	bitcoin_put_var_slice(w, in->script);
	writer_u32le(w, in->sequence);
}

void bitcoin_tx_out_put(struct writer *w, const struct bitcoin_tx_out *o)
{
	writer_u64le(w, (uint64_t)o->value);
	bitcoin_put_var_slice(w, o->script);
}

/* Hashes what stands before (out of) the slices of a transaction: a few bytes at a time. */
static void hash_start(struct sha256 *s, const struct bitcoin_tx *tx, bool with_witness)
{
	uint8_t bytes[4 + 2 + 9];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	writer_u32le(&w, (uint32_t)tx->version);
	if (with_witness) {
		writer_u8(&w, 0);
		writer_u8(&w, 1);
	}
	bitcoin_put_compact_size(&w, tx->in_count);
	sha256_init(s);
	sha256_update(s, slice_of(bytes, w.len));
}

static void hash_tx(const struct bitcoin_tx *tx, bool with_witness, uint8_t out[32])
{
	struct sha256 s;
	uint8_t bytes[9], first[32];
	struct writer w;

	hash_start(&s, tx, with_witness);
	sha256_update(&s, tx->inputs);
	writer_init(&w, bytes, sizeof(bytes));
	bitcoin_put_compact_size(&w, tx->out_count);
	sha256_update(&s, slice_of(bytes, w.len));
	sha256_update(&s, tx->outputs);
	if (with_witness)
		sha256_update(&s, tx->witnesses);
	writer_init(&w, bytes, sizeof(bytes));
	writer_u32le(&w, tx->lock_time);
	sha256_update(&s, slice_of(bytes, w.len));
	sha256_final(&s, first);
	sha256(slice_of(first, sizeof(first)), out);
}

void bitcoin_txid(const struct bitcoin_tx *tx, uint8_t out[32])
{
	hash_tx(tx, false, out);
}

void bitcoin_wtxid(const struct bitcoin_tx *tx, uint8_t out[32])
{
	hash_tx(tx, tx->segwit, out);
}
