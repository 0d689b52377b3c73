/* test_blocks.c: transactions, blocks, and what is sent of them. */
#include "base/hash.h"
#include "crypto/sha256.h"
#include "support/bitcoin.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The genesis block of the main chain, 2009-01-03. */
#define GENESIS_HEADER                                                              \
	"01000000 0000000000000000000000000000000000000000000000000000000000000000" \
	"3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a"          \
	"29ab5f49 ffff001d 1dac2b7c"
#define GENESIS_TX                                                                     \
	"01000000 01 0000000000000000000000000000000000000000000000000000000000000000" \
	"ffffffff 4d 04ffff001d0104455468652054696d65732030332f4a616e2f32303039204368" \
	"616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f" \
	"722062616e6b73 ffffffff"                                                      \
	"01 00f2052a01000000 43 4104678afdb0fe5548271967f1a67130b7105cd6a828e03909a6"  \
	"7962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf1" \
	"1d5fac 00000000"
#define GENESIS_HASH "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
#define GENESIS_TXID "4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b"

/* The signed native P2WPKH example of BIP 143, with and without what BIP 144 adds. */
#define SEGWIT_INPUTS                                                                   \
	"02 fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f 00000000"  \
	"49 4830450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30" \
	"be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01"      \
	"eeffffff ef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a"     \
	"01000000 00 ffffffff"
#define SEGWIT_OUTPUTS                                                             \
	"02 202cb20600000000 1976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac" \
	"9093510d00000000 1976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac"
#define SEGWIT_WITNESS                                                                  \
	"00 02 47304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc" \
	"44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee01"     \
	"21025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee6357"
#define SEGWIT_TX "01000000 00 01" SEGWIT_INPUTS SEGWIT_OUTPUTS SEGWIT_WITNESS "11000000"
#define PLAIN_TX  "01000000" SEGWIT_INPUTS SEGWIT_OUTPUTS "11000000"

#define HEADER_NAMES "version|previous block|merkle root|time|bits|nonce|block hash"
#define COINBASE_NAMES                                                           \
	"version|input count|input#0|previous txid|previous index|length|script" \
	"|sequence|output count|output#0|value|length|script|lock time|txid"
#define INPUT "|previous txid|previous index|length|script|sequence"

/* A transaction of ten bytes: no inputs, no outputs. */
#define TINY "01000000 00 00 00000000"
#define H32  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static const struct payload_row rows[] = {
	{ "the first transaction", BITCOIN_TX, GENESIS_TX, ERR_OK, 0, COINBASE_NAMES },
	{ "with witness", BITCOIN_TX, SEGWIT_TX, ERR_OK, 0,
	  "version|marker|flag|input count|input#0" INPUT "|input#1" INPUT
	  "|output count|output#0|value|length|script|output#1|value|length|script"
	  "|witness#0|item count|witness#1|item count|length|item|length|item|lock time|txid"
	  "|wtxid" },
	{ "without witness", BITCOIN_TX, PLAIN_TX, ERR_OK, 0, NULL },
	{ "neither inputs nor outputs", BITCOIN_TX, TINY, ERR_OK, 0,
	  "version|input count|output count|lock time|txid" },
	{ "a flag that nobody knows", BITCOIN_TX, "01000000 00 02 00 00 00000000", ERR_VALUE, 5,
	  NULL },
	{ "a marker for no witness", BITCOIN_TX,
	  "01000000 00 01 01" H32 "00000000 00 ffffffff 00 00 00000000", ERR_NONCANONICAL, 4,
	  NULL },
	{ "a marker for no input", BITCOIN_TX, "01000000 00 01 00 00 00000000", ERR_NONCANONICAL, 4,
	  NULL },
	{ "more inputs than fit", BITCOIN_TX, "01000000 fe197d0100", ERR_LIMIT, 4, NULL },
	{ "more outputs than fit", BITCOIN_TX, "01000000 01" H32 "00000000 00 ffffffff fe1dc80600",
	  ERR_LIMIT, 46, NULL },
	{ "input count padded", BITCOIN_TX, "01000000 fd0100", ERR_NONCANONICAL, 4, NULL },
	{ "script longer than the rest", BITCOIN_TX, "01000000 01" H32 "00000000 05 0102",
	  ERR_SHORT, 42, NULL },
	{ "script longer than any message", BITCOIN_TX, "01000000 01" H32 "00000000 fe01093d00",
	  ERR_LIMIT, 41, NULL },
	{ "no lock time", BITCOIN_TX, "01000000 00 00 0000", ERR_SHORT, 6, NULL },
	{ "the genesis block", BITCOIN_BLOCK, GENESIS_HEADER "01" GENESIS_TX, ERR_OK, 0,
	  HEADER_NAMES "|transaction count|transaction#0|" COINBASE_NAMES },
	{ "a block without transactions", BITCOIN_BLOCK, GENESIS_HEADER "00", ERR_OK, 0, NULL },
	{ "a block of a header", BITCOIN_BLOCK, GENESIS_HEADER, ERR_SHORT, 80, NULL },
	{ "a block of too many", BITCOIN_BLOCK, GENESIS_HEADER "fe811a0600", ERR_LIMIT, 80, NULL },
	{ "the second is missing", BITCOIN_BLOCK, GENESIS_HEADER "02" TINY, ERR_SHORT, 91, NULL },
	/* Bitcoin's developer reference, "merkleblock". */
	{ "merkleblock", BITCOIN_MERKLEBLOCK,
	  "01000000 82bb869cf3a793432a66e826e05a6fc37469f8efb7421dc88067010000000000"
	  "7f16c5962e8bd963659c793ce370d95f093bc7e367117b3c30c1f8fdd0d97287 76381b4d"
	  "4c86041b 554b8529 07000000 04"
	  "3612262624047ee87660be1a707519a443b1c1ce3d248cbfc6c15870f6c5daa2"
	  "019f5b01d4195ecbc9398fbf3c3b1fa9bb3183301d7a1fb3bd174fcfa40a2b65"
	  "41ed70551dd7e841883ab8f0b16bf04176b7d1480e4f0af9f3d4c3595768d068"
	  "20d2a7bc994987302e5b1ac80fc425fe25f8b63169ea78e68fbaaefa59379bbf 01 1d",
	  ERR_OK, 0,
	  HEADER_NAMES "|transaction count|hash count|hash|hash|hash|hash|length|flags" },
	{ "merkleblock, a hash is missing", BITCOIN_MERKLEBLOCK,
	  GENESIS_HEADER "07000000 02" H32 "00", ERR_SHORT, 117, NULL },
	{ "merkleblock, too many hashes", BITCOIN_MERKLEBLOCK, GENESIS_HEADER "07000000 fe49e80100",
	  ERR_LIMIT, 84, NULL },
	/* BIP 152; no bytes are published. */
	{ "cmpctblock", BITCOIN_CMPCTBLOCK,
	  GENESIS_HEADER "0102030405060708 02 010203040506 0708090a0b0c 01 00" TINY, ERR_OK, 0,
	  HEADER_NAMES "|nonce|short id count|short id|short id|prefilled count|prefilled#0"
		       "|gap|version|input count|output count|lock time|txid" },
	{ "cmpctblock, the last index", BITCOIN_CMPCTBLOCK,
	  GENESIS_HEADER "0102030405060708 00 02 00" TINY "fdfeff" TINY, ERR_OK, 0, NULL },
	{ "cmpctblock, an index too far", BITCOIN_CMPCTBLOCK,
	  GENESIS_HEADER "0102030405060708 00 02 00" TINY "fdffff" TINY, ERR_LIMIT, 101, NULL },
	{ "cmpctblock, too many short ids", BITCOIN_CMPCTBLOCK,
	  GENESIS_HEADER "0102030405060708 fe00000100", ERR_LIMIT, 88, NULL },
	{ "cmpctblock, cut in a short id", BITCOIN_CMPCTBLOCK,
	  GENESIS_HEADER "0102030405060708 02 010203040506 0708", ERR_SHORT, 95, NULL },
	{ "getblocktxn", BITCOIN_GETBLOCKTXN, H32 "03 00 01 fd0001", ERR_OK, 0,
	  "block hash|index count|gap|gap|gap" },
	{ "getblocktxn, the last index", BITCOIN_GETBLOCKTXN, H32 "02 00 fdfeff", ERR_OK, 0, NULL },
	{ "getblocktxn, an index too far", BITCOIN_GETBLOCKTXN, H32 "02 00 fdffff", ERR_LIMIT, 34,
	  NULL },
	{ "getblocktxn, a gap over 16 bits", BITCOIN_GETBLOCKTXN, H32 "01 fe00000100", ERR_LIMIT,
	  33, NULL },
	{ "getblocktxn, cut short", BITCOIN_GETBLOCKTXN, H32 "02 00", ERR_SHORT, 34, NULL },
	{ "blocktxn", BITCOIN_BLOCKTXN, H32 "01" TINY, ERR_OK, 0,
	  "block hash|transaction count|transaction#0|version|input count|output count|lock time"
	  "|txid" },
	{ "blocktxn, cut short", BITCOIN_BLOCKTXN, H32 "02" TINY, ERR_SHORT, 43, NULL },
};

static void forms(void **state)
{
	(void)state;
	assert_true(check_rows(rows, sizeof(rows) / sizeof(*rows)));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].err == ERR_OK)
			assert_true(check_prefixes(&rows[i], NULL, 0));
	}
}

static void reversed(const uint8_t hash[32], char out[65])
{
	for (unsigned i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", hash[31 - i]);
}

static void genesis(void **state)
{
	static const char text[] = "The Times 03/Jan/2009 Chancellor on brink of second bailout "
				   "for banks";
	uint8_t bytes[400], hash[32];
	char shown[65];
	struct slice in = from_hex(GENESIS_HEADER "01" GENESIS_TX, bytes, sizeof(bytes));
	struct bitcoin_block block;
	struct bitcoin_tx tx;
	struct bitcoin_tx_in input;
	struct bitcoin_tx_out output;
	struct reader r;

	(void)state;
	reader_init(&r, in);
	bitcoin_block_decode(&r, &block);
	assert_true(reader_ok(&r) && reader_left(&r) == 0);
	assert_int_equal(block.tx_count, 1);
	assert_int_equal(block.header.time_s, 1231006505);
	assert_int_equal(block.header.bits, 0x1d00ffff);
	assert_int_equal(block.header.nonce, 2083236893);
	sha256d(slice_of(in.data, BITCOIN_BLOCK_HEADER_LEN), hash);
	reversed(hash, shown);
	assert_string_equal(shown, GENESIS_HASH);
	reader_init(&r, block.txs);
	assert_true(bitcoin_block_tx_next(&r, &tx));
	bitcoin_txid(&tx, hash);
	reversed(hash, shown);
	assert_string_equal(shown, GENESIS_TXID);
	/* A block with one transaction has its id for a Merkle root. */
	assert_memory_equal(hash, block.header.merkle_root.data, 32);
	assert_false(bitcoin_block_tx_next(&r, &tx));
	assert_true(reader_ok(&r));

	reader_init(&r, block.txs);
	bitcoin_tx_decode(&r, &tx);
	reader_init(&r, tx.inputs);
	assert_true(bitcoin_tx_in_next(&r, &input));
	assert_int_equal(input.previous_index, UINT32_MAX);
	assert_true(slice_equal(slice_from(input.script, 8), slice_text(text)));
	assert_false(bitcoin_tx_in_next(&r, &input));
	reader_init(&r, tx.outputs);
	assert_true(bitcoin_tx_out_next(&r, &output));
	assert_int_equal(output.value, 5000000000);
	assert_int_equal(output.script.len, 67);
	assert_false(bitcoin_tx_out_next(&r, &output));
}

static void witness(void **state)
{
	uint8_t bytes[500], plain[500], hash[32], expected[32];
	struct slice in = from_hex(SEGWIT_TX, bytes, sizeof(bytes));
	struct bitcoin_witness stack;
	struct slice item;
	struct bitcoin_tx tx;
	struct reader r, items;

	(void)state;
	reader_init(&r, in);
	bitcoin_tx_decode(&r, &tx);
	assert_true(tx.segwit);
	assert_int_equal(tx.lock_time, 17);
	/* BIP 144: the id is that of the old form, the other one is of all bytes. */
	bitcoin_txid(&tx, hash);
	sha256d(from_hex(PLAIN_TX, plain, sizeof(plain)), expected);
	assert_memory_equal(hash, expected, 32);
	bitcoin_wtxid(&tx, hash);
	sha256d(in, expected);
	assert_memory_equal(hash, expected, 32);

	reader_init(&r, tx.witnesses);
	assert_true(bitcoin_witness_next(&r, &stack));
	assert_int_equal(stack.count, 0);
	assert_true(bitcoin_witness_next(&r, &stack));
	assert_int_equal(stack.count, 2);
	reader_init(&items, stack.items);
	assert_true(bitcoin_witness_item_next(&items, &item));
	assert_int_equal(item.len, 0x47);
	assert_true(bitcoin_witness_item_next(&items, &item));
	assert_int_equal(item.len, 0x21);
	assert_false(bitcoin_witness_item_next(&items, &item));
	assert_false(bitcoin_witness_next(&r, &stack));
}

/* The merkleblock row is of a real block: its hash meets its own target. */
static void merkleblock_is_real(void **state)
{
	uint8_t bytes[400], hash[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(rows[i].name, "merkleblock") != 0)
			continue;
		from_hex(rows[i].hex, bytes, sizeof(bytes));
		sha256d(slice_of(bytes, BITCOIN_BLOCK_HEADER_LEN), hash);
		/* Bits 0x1b04864c: five bytes of zeros at the end. */
		for (unsigned z = 27; z < 32; z++)
			assert_int_equal(hash[z], 0);
		return;
	}
	fail();
}

/* Random transactions, built element by element, read back element by element. */
static void tx_round_trip(void **state)
{
	struct random random = { 144 };
	uint8_t inputs[4000], outputs[4000], out[9000], junk[64];

	(void)state;
	for (unsigned i = 0; i < sizeof(junk); i++)
		junk[i] = (uint8_t)random_next(&random);
	for (unsigned round = 0; round < 2000; round++) {
		struct bitcoin_tx tx = { .version = (int32_t)random_next(&random),
					 .in_count = 1 + (uint32_t)random_below(&random, 5),
					 .out_count = (uint32_t)random_below(&random, 5),
					 .lock_time = (uint32_t)random_next(&random) };
		struct bitcoin_tx back;
		struct bitcoin_tx_in in;
		struct writer wi, wo, w;
		struct reader r;

		writer_init(&wi, inputs, sizeof(inputs));
		for (uint32_t i = 0; i < tx.in_count; i++)
			bitcoin_tx_in_put(&wi, &(struct bitcoin_tx_in){
						       .previous_txid = slice_of(junk + i, 32),
						       .previous_index = i,
						       .script = slice_of(junk, 7 * i),
						       .sequence = ~i });
		writer_init(&wo, outputs, sizeof(outputs));
		for (uint32_t i = 0; i < tx.out_count; i++)
			bitcoin_tx_out_put(&wo, &(struct bitcoin_tx_out){
							.value = (int64_t)random_next(&random),
							.script = slice_of(junk, 5 * i) });
		tx.inputs = slice_of(inputs, wi.len);
		tx.outputs = slice_of(outputs, wo.len);
		writer_init(&w, out, sizeof(out));
		bitcoin_tx_encode(&w, &tx);
		assert_true(writer_ok(&wi) && writer_ok(&wo) && writer_ok(&w));
		reader_init(&r, slice_of(out, w.len));
		bitcoin_tx_decode(&r, &back);
		assert_true(reader_ok(&r) && reader_left(&r) == 0 && !back.segwit);
		assert_int_equal(back.version, tx.version);
		assert_int_equal(back.in_count, tx.in_count);
		assert_int_equal(back.out_count, tx.out_count);
		assert_int_equal(back.lock_time, tx.lock_time);
		reader_init(&r, back.inputs);
		for (uint32_t i = 0; bitcoin_tx_in_next(&r, &in); i++) {
			assert_int_equal(in.previous_index, i);
			assert_int_equal(in.sequence, ~i);
			assert_true(slice_equal(in.script, slice_of(junk, 7 * i)));
			assert_true(slice_equal(in.previous_txid, slice_of(junk + i, 32)));
		}
		assert_true(reader_ok(&r));
		assert_true(slice_equal(back.outputs, tx.outputs));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),         cmocka_unit_test(genesis),
		cmocka_unit_test(witness),       cmocka_unit_test(merkleblock_is_real),
		cmocka_unit_test(tx_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
