/* fuzz_payload.c: every payload's decoder: the first byte chooses the command.
 *
 * Whatever the bytes: the verdict is the same with and without a hook, the fields lie
 * one behind the other inside the input, an error has a place and a rule; what was
 * understood, written and read again, is the same; and lists hold what was counted. */
#include "fuzz/fuzz.h"
#include "support/bitcoin.h"

enum { OUT_MAX = 1 << 20 };

struct seen {
	size_t end;
	bool failed;
};

static void on_field(void *ctx, const struct field *f)
{
	struct seen *seen = ctx;

	CHECK(f->name != NULL && f->name[0] != 0);
	CHECK(f->at == seen->end);
	seen->end = f->at + f->len;
}

static void check_explain(enum bitcoin_command id, struct slice in)
{
	struct seen seen = { .end = 0 };
	struct reader told, quiet;

	reader_init(&told, in);
	told.on_field = on_field;
	told.on_field_ctx = &seen;
	bitcoin_payload_explain(&told, id);
	reader_init(&quiet, in);
	bitcoin_payload_explain(&quiet, id);
	CHECK(seen.end <= in.len);
	CHECK(told.err == quiet.err && told.err_at == quiet.err_at && told.rule == quiet.rule);
	if (told.err == ERR_OK)
		CHECK(seen.end == in.len);
	else
		CHECK(told.err_at <= in.len && told.rule != NULL && told.rule[0] != 0);
}

static void check_reencoded(enum bitcoin_command id, struct slice in)
{
	static uint8_t first[OUT_MAX], second[OUT_MAX];
	struct writer w, again;
	struct reader r;

	reader_init(&r, in);
	writer_init(&w, first, sizeof(first));
	reencode(id, &r, &w);
	if (!reader_ok(&r))
		return;
	CHECK(writer_ok(&w));
	if (reencodes_exactly(id))
		CHECK(slice_equal(slice_of(in.data, r.at), slice_of(first, w.len)));
	reader_init(&r, slice_of(first, w.len));
	writer_init(&again, second, sizeof(second));
	reencode(id, &r, &again);
	CHECK(reader_ok(&r) && reader_left(&r) == 0 && writer_ok(&again));
	CHECK(slice_equal(slice_of(first, w.len), slice_of(second, again.len)));
}

/* Lists whose form was checked: as many steps as were counted, and nothing left. */
static void step_tx(const struct bitcoin_tx *tx)
{
	struct reader inputs, outputs, witnesses, items;
	struct bitcoin_witness witness;
	struct bitcoin_tx_out output;
	struct bitcoin_tx_in input;
	uint32_t ins = 0, outs = 0, seen = 0;
	struct slice item;

	reader_init(&inputs, tx->inputs);
	while (bitcoin_tx_in_next(&inputs, &input))
		ins++;
	reader_init(&outputs, tx->outputs);
	while (bitcoin_tx_out_next(&outputs, &output))
		outs++;
	CHECK(reader_ok(&inputs) && reader_ok(&outputs));
	CHECK(ins == tx->in_count && outs == tx->out_count);
	reader_init(&witnesses, tx->witnesses);
	for (; bitcoin_witness_next(&witnesses, &witness); seen++) {
		uint32_t count = 0;

		reader_init(&items, witness.items);
		while (bitcoin_witness_item_next(&items, &item))
			count++;
		CHECK(reader_ok(&items) && count == witness.count);
	}
	CHECK(reader_ok(&witnesses) && seen == (tx->segwit ? tx->in_count : 0));
}

static void step_txs(struct slice txs, uint32_t want)
{
	struct bitcoin_tx tx;
	uint32_t count = 0;
	struct reader r;

	reader_init(&r, txs);
	for (; bitcoin_block_tx_next(&r, &tx); count++)
		step_tx(&tx);
	CHECK(reader_ok(&r) && count == want);
}

static void step_prefilled(const struct bitcoin_cmpctblock *m)
{
	struct bitcoin_tx tx;
	uint32_t count = 0, gap;
	struct reader r;

	reader_init(&r, m->prefilled);
	for (; bitcoin_prefilled_next(&r, &gap, &tx); count++)
		step_tx(&tx);
	CHECK(reader_ok(&r) && count == m->prefilled_count);
}

static void check_steps(enum bitcoin_command id, struct slice in)
{
	struct bitcoin_cmpctblock compact;
	struct bitcoin_blocktxn txn;
	struct bitcoin_block block;
	struct bitcoin_tx tx;
	struct reader r;

	reader_init(&r, in);
	if (id == BITCOIN_TX) {
		bitcoin_tx_decode(&r, &tx);
		if (reader_ok(&r))
			step_tx(&tx);
	} else if (id == BITCOIN_BLOCK) {
		bitcoin_block_decode(&r, &block);
		if (reader_ok(&r))
			step_txs(block.txs, block.tx_count);
	} else if (id == BITCOIN_BLOCKTXN) {
		bitcoin_blocktxn_decode(&r, &txn);
		if (reader_ok(&r))
			step_txs(txn.txs, txn.tx_count);
	} else if (id == BITCOIN_CMPCTBLOCK) {
		bitcoin_cmpctblock_decode(&r, &compact);
		if (reader_ok(&r))
			step_prefilled(&compact);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum bitcoin_command id;

	if (size < 1 || size > OUT_MAX / 2)
		return 0;
	id = (enum bitcoin_command)(data[0] % BITCOIN_COMMAND_COUNT);
	check_explain(id, slice_of(data + 1, size - 1));
	check_reencoded(id, slice_of(data + 1, size - 1));
	check_steps(id, slice_of(data + 1, size - 1));
	return 0;
}
