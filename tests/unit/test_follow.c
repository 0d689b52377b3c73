/* test_follow.c: what a peer announces is asked for, once, and looked at when it comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* After cmocka's own. */
#include "crypto/sha256.h"
#include "proto/bitcoin/follow.h"
#include "support/bitcoin.h"

enum { TX = 1, BLOCK = 2, FILTERED = 3, WTX = 5, WITNESS_TX = 0x40000001 };

/* The signed native P2WPKH example of BIP 143. */
#define SEGWIT_TX                                                                       \
	"01000000 00 01"                                                                \
	"02 fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f 00000000"  \
	"49 4830450221008b9d1dc26ba6a9cb62127b02742fa9d754cd3bebf337f7a55d114c8e5cdd30" \
	"be022040529b194ba3f9281a99f2b1c0a19c0489bc22ede944ccf4ecbab4cc618ef3ed01"      \
	"eeffffff ef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a"     \
	"01000000 00 ffffffff"                                                          \
	"02 202cb20600000000 1976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac"      \
	"9093510d00000000 1976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac"         \
	"00 02 47304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc" \
	"44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee01"     \
	"21025476c2e83188368da1ff3e292e7acafcdb3566bb0ad253f62fc70f07aeee6357"          \
	"11000000"
/* The header of the main chain's first block, 2009-01-03. */
#define GENESIS_HEADER                                                              \
	"01000000 0000000000000000000000000000000000000000000000000000000000000000" \
	"3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a"          \
	"29ab5f49 ffff001d 1dac2b7c"

struct rig {
	struct follow f;
	uint64_t now_ms;
	unsigned reports, kinds[FOLLOW_LOST + 1], asked;
	struct follow_report last; /* without what it points to */
	/* The question that was asked last. */
	char command[16];
	uint8_t payload[FOLLOW_OUT_MAX];
	size_t payload_len;
};

static void on_report(void *ctx, const struct follow_report *report)
{
	struct rig *rig = ctx;

	rig->reports++;
	rig->kinds[report->kind]++;
	rig->asked += report->asked;
	rig->last = *report;
}

static struct rig *new_rig(void)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	follow_init(&rig->f, network_find("bitcoin"), (struct hash_key){ 1, 2 });
	rig->now_ms = 1000;
	return rig;
}

static void hear(struct rig *rig, const char *name, struct slice payload)
{
	follow_hear(&rig->f, name, payload, rig->now_ms, on_report, rig);
}

static void hear_hex(struct rig *rig, const char *name, const char *hex)
{
	static uint8_t bytes[4096];

	hear(rig, name, from_hex(hex, bytes, sizeof(bytes)));
}

/* inv, notfound: `count` hashes that differ in their first bytes, from `first` on. */
static void hear_list(struct rig *rig, const char *name, uint32_t type, uint32_t first,
		      uint32_t count)
{
	static uint8_t bytes[9 + BITCOIN_INV_MAX * BITCOIN_INV_LEN];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	bitcoin_put_compact_size(&w, count);
	for (uint32_t i = first; i < first + count; i++) {
		writer_u32le(&w, type);
		writer_u32le(&w, i);
		writer_zeros(&w, 28);
	}
	assert_true(writer_ok(&w));
	hear(rig, name, slice_of(w.data, w.len));
}

static void hear_inv_of(struct rig *rig, uint32_t type, const uint8_t hash[32])
{
	uint8_t bytes[1 + BITCOIN_INV_LEN];
	struct writer w;

	writer_init(&w, bytes, sizeof(bytes));
	writer_u8(&w, 1);
	writer_u32le(&w, type);
	writer_bytes(&w, hash, 32);
	hear(rig, "inv", slice_of(w.data, w.len));
}

/* The next question; false: there is none. */
static bool question(struct rig *rig)
{
	uint8_t out[FOLLOW_OUT_MAX];
	struct bitcoin_header header;
	size_t len = follow_send(&rig->f, out, sizeof(out));
	struct reader r;

	if (len == 0)
		return false;
	reader_init(&r, slice_of(out, len));
	bitcoin_header_decode(&r, rig->f.network->magic, &header);
	assert_true(reader_ok(&r));
	assert_int_equal(len, BITCOIN_HEADER_LEN + header.length);
	memcpy(rig->command, header.command, sizeof(header.command));
	rig->payload_len = header.length;
	memcpy(rig->payload, out + BITCOIN_HEADER_LEN, header.length);
	return true;
}

/* A getdata for so many of that type; its first hash is the list's element `first`. */
static void expect_getdata(struct rig *rig, uint32_t count, uint32_t type, uint32_t first)
{
	struct bitcoin_inv_list list;
	struct bitcoin_inv inv;
	struct reader r;

	assert_true(question(rig));
	assert_string_equal(rig->command, "getdata");
	reader_init(&r, slice_of(rig->payload, rig->payload_len));
	bitcoin_inv_decode(&r, &list);
	assert_true(reader_ok(&r));
	assert_int_equal(list.count, count);
	reader_init(&r, list.entries);
	while (bitcoin_inv_next(&r, &inv)) {
		assert_int_equal(inv.type, type);
		assert_int_equal(inv.hash.data[0] | inv.hash.data[1] << 8, first++);
	}
}

static void segwit_tx(struct slice *bytes, uint8_t txid[32], uint8_t wtxid[32])
{
	static uint8_t memory[512];
	struct bitcoin_tx tx;
	struct reader r;

	*bytes = from_hex(SEGWIT_TX, memory, sizeof(memory));
	reader_init(&r, *bytes);
	bitcoin_tx_decode(&r, &tx);
	assert_true(reader_ok(&r));
	bitcoin_txid(&tx, txid);
	bitcoin_wtxid(&tx, wtxid);
}

/* By which kind of hash it was announced, by whom, and by which it is asked for. */
static void transactions(void **state)
{
	static const struct {
		const char *name;
		uint64_t services;
		uint32_t announced, asked;
	} rows[] = {
		{ "wtxid", BITCOIN_NODE_NETWORK | BITCOIN_NODE_WITNESS, WTX, WTX },
		{ "txid, of a peer with witness", BITCOIN_NODE_WITNESS, TX, WITNESS_TX },
		{ "txid, of a peer without", BITCOIN_NODE_NETWORK, TX, TX },
	};
	uint8_t txid[32], wtxid[32], version[512];
	struct slice tx;

	(void)state;
	segwit_tx(&tx, txid, wtxid);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig *rig = new_rig();
		struct writer w;
		struct bitcoin_version v = { .protocol = 70016,
					     .services = rows[i].services,
					     .has_from = true,
					     .from.addr.kind = NETADDR_IPV6 };
		const uint8_t *hash = rows[i].announced == WTX ? wtxid : txid;

		netaddr_parse(slice_text("1.2.3.4:8333"), 0, &v.recv.addr);
		writer_init(&w, version, sizeof(version));
		bitcoin_version_encode(&w, &v);
		hear(rig, "version", slice_of(version, w.len));
		hear_inv_of(rig, rows[i].announced, hash);
		assert_true(question(rig));
		assert_string_equal(rig->command, "getdata");
		assert_int_equal(rig->payload_len, 1 + BITCOIN_INV_LEN);
		if (memcmp(rig->payload + 5, hash, 32) != 0 ||
		    (rig->payload[1] | (uint32_t)rig->payload[4] << 24) != rows[i].asked)
			fail_msg("%s: asks for something else", rows[i].name);
		assert_false(question(rig));
		hear(rig, "tx", tx);
		assert_int_equal(rig->reports, 1);
		assert_int_equal(rig->last.kind, FOLLOW_TX);
		assert_true(rig->last.asked);
		assert_memory_equal(rig->last.hash, txid, 32);
		assert_memory_equal(rig->last.wtxid, wtxid, 32);
		assert_int_equal(rig->last.size, tx.len);
		/* 110 bytes of its 343 are witness, marker and flag. */
		assert_int_equal(rig->last.stripped, tx.len - 110);
		hear(rig, "tx", tx); /* once more, unasked */
		assert_false(rig->last.asked);
		assert_int_equal(rig->f.counts.came, 1);
		assert_int_equal(rig->f.counts.unasked, 1);
		free(rig);
	}
}

/* One bit in a witness is another: the txid alone would not tell. */
static void what_was_not_asked_for_is_told(void **state)
{
	static const struct {
		const char *name;
		size_t at; /* of the byte that is changed */
		uint32_t announced;
		bool asked;
	} rows[] = {
		{ "an output, asked for by wtxid", 200, WTX, false },
		{ "an output, asked for by txid", 200, TX, false },
		{ "a witness, asked for by wtxid", 300, WTX, false },
		{ "a witness, which no txid covers", 300, TX, true },
	};
	uint8_t txid[32], wtxid[32], changed[512];
	struct slice tx;

	(void)state;
	segwit_tx(&tx, txid, wtxid);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rig *rig = new_rig();

		hear_inv_of(rig, rows[i].announced, rows[i].announced == WTX ? wtxid : txid);
		assert_true(question(rig));
		memcpy(changed, tx.data, tx.len);
		changed[rows[i].at] ^= 1;
		hear(rig, "tx", slice_of(changed, tx.len));
		if (rig->reports != 1 || rig->last.asked != rows[i].asked)
			fail_msg("%s: %u reports, asked %d", rows[i].name, rig->reports,
				 rig->last.asked);
		assert_int_equal(rig->f.flight_count, !rows[i].asked);
		free(rig);
	}
}

static void nothing_is_asked_for_twice(void **state)
{
	struct rig *rig = new_rig();

	(void)state;
	hear_list(rig, "inv", WTX, 0, 3);
	hear_list(rig, "inv", WTX, 1, 4);
	expect_getdata(rig, 5, WTX, 0);
	hear_list(rig, "inv", WTX, 0, 5);
	assert_false(question(rig));
	/* The peer takes two back; should it find them after all, they are asked for again. */
	hear_list(rig, "notfound", WTX, 3, 2);
	assert_int_equal(rig->kinds[FOLLOW_MISSING], 2);
	assert_int_equal(rig->last.type, WTX);
	assert_int_equal(rig->last.hash[0], 4);
	hear_list(rig, "inv", WTX, 0, 5);
	expect_getdata(rig, 2, WTX, 3);
	assert_int_equal(rig->f.counts.announced, 3 + 4 + 5 + 5);
	assert_int_equal(rig->f.counts.asked, 5 + 2);
	free(rig);
}

static void other_kinds_are_left_alone(void **state)
{
	struct rig *rig = new_rig();

	(void)state;
	hear_list(rig, "inv", FILTERED, 0, 3);
	hear_list(rig, "inv", WITNESS_TX, 0, 3); /* a kind to be asked for, never announced */
	hear_list(rig, "getdata", WTX, 0, 3);
	hear_list(rig, "notfound", WTX, 0, 3);
	assert_false(question(rig));
	assert_int_equal(rig->reports, 0);
	free(rig);
}

static void so_many_at_a_time(void **state)
{
	struct rig *rig = new_rig();

	(void)state;
	hear_list(rig, "inv", WTX, 0, 250);
	expect_getdata(rig, 100, WTX, 0);
	assert_false(question(rig));
	hear_list(rig, "notfound", WTX, 10, 30);
	expect_getdata(rig, 30, WTX, 100);
	rig->now_ms += FOLLOW_ANSWER_MS - 1;
	hear(rig, "ping", slice_of(NULL, 0));
	assert_false(question(rig));
	rig->now_ms += 1;
	hear(rig, "ping", slice_of(NULL, 0));
	assert_int_equal(rig->kinds[FOLLOW_LOST], 100);
	expect_getdata(rig, 100, WTX, 130);
	free(rig);
}

static void what_waits_is_bounded(void **state)
{
	struct rig *rig = new_rig();

	(void)state;
	hear_list(rig, "inv", WTX, 0, BITCOIN_INV_MAX);
	assert_int_equal(rig->f.counts.dropped, BITCOIN_INV_MAX - FOLLOW_WANTED_MAX);
	/* What found no place may be announced again. */
	expect_getdata(rig, 100, WTX, 0);
	hear_list(rig, "inv", WTX, FOLLOW_WANTED_MAX, 1);
	assert_int_equal(rig->f.wanted_count, FOLLOW_WANTED_MAX - 100 + 1);
	free(rig);
}

static void headers(void **state)
{
	struct rig *rig = new_rig();
	uint8_t header[BITCOIN_BLOCK_HEADER_LEN], hash[32];
	struct bitcoin_locator locator;
	struct reader r;

	(void)state;
	from_hex(GENESIS_HEADER, header, sizeof(header));
	sha256d(slice_of(header, sizeof(header)), hash);
	hear_inv_of(rig, BLOCK, hash);
	assert_true(question(rig));
	assert_string_equal(rig->command, "getheaders");
	reader_init(&r, slice_of(rig->payload, rig->payload_len));
	bitcoin_locator_decode(&r, &locator);
	assert_true(reader_ok(&r));
	assert_int_equal(locator.count, 0);
	assert_memory_equal(locator.stop.data, hash, 32);
	/* Another one than this, then this. */
	hear_hex(rig, "headers",
		 "02 01000000 0000000000000000000000000000000000000000000000000000000000000000"
		 "3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a"
		 "29ab5f49 ffff001d 1dac2b7d 00" GENESIS_HEADER "00");
	assert_int_equal(rig->kinds[FOLLOW_BLOCK], 2);
	assert_int_equal(rig->asked, 1);
	assert_true(rig->last.asked);
	assert_memory_equal(rig->last.hash, hash, 32);
	/* Whose header came needs no asking. */
	hear_inv_of(rig, BLOCK, hash);
	assert_false(question(rig));
	free(rig);
}

/* An empty answer belongs to the question that was asked first. */
static void headers_that_are_not_there(void **state)
{
	struct rig *rig = new_rig();

	(void)state;
	hear_list(rig, "inv", BLOCK, 0, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(question(rig));
		assert_string_equal(rig->command, "getheaders");
	}
	assert_false(question(rig));
	for (unsigned i = 0; i < 3; i++) {
		hear_hex(rig, "headers", "00");
		assert_int_equal(rig->kinds[FOLLOW_MISSING], i + 1);
		assert_int_equal(rig->last.hash[0], i);
		assert_int_equal(rig->last.type, BLOCK);
	}
	hear_hex(rig, "headers", "00");
	assert_int_equal(rig->reports, 3);
	free(rig);
}

/* Each kind goes by a message of its own, in the order of the announcements. */
static void kinds_take_turns(void **state)
{
	struct rig *rig = new_rig();

	(void)state;
	hear_list(rig, "inv", WTX, 0, 2);
	hear_list(rig, "inv", BLOCK, 2, 1);
	hear_list(rig, "inv", WTX, 3, 2);
	expect_getdata(rig, 2, WTX, 0);
	assert_true(question(rig));
	assert_string_equal(rig->command, "getheaders");
	expect_getdata(rig, 2, WTX, 3);
	assert_false(question(rig));
	free(rig);
}

static void broken_payloads_change_nothing(void **state)
{
	static const struct {
		const char *name, *hex;
	} rows[] = {
		{ "inv", "02 05000000 00" },
		{ "notfound", "01 05" },
		{ "headers", "01 01000000 00" },
		{ "tx", "01000000 00 01" },
		{ "version", "00" },
	};
	struct rig *rig = new_rig();

	(void)state;
	hear_list(rig, "inv", WTX, 0, 1);
	expect_getdata(rig, 1, WTX, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		hear_hex(rig, rows[i].name, rows[i].hex);
	assert_int_equal(rig->reports, 0);
	assert_false(question(rig));
	assert_int_equal(rig->f.flight_count, 1);
	free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transactions),
		cmocka_unit_test(what_was_not_asked_for_is_told),
		cmocka_unit_test(nothing_is_asked_for_twice),
		cmocka_unit_test(other_kinds_are_left_alone),
		cmocka_unit_test(so_many_at_a_time),
		cmocka_unit_test(what_waits_is_bounded),
		cmocka_unit_test(headers),
		cmocka_unit_test(headers_that_are_not_there),
		cmocka_unit_test(kinds_take_turns),
		cmocka_unit_test(broken_payloads_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
