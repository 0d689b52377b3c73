/* test_p2p.c: devp2p's own messages, how Snappy packs them, shared capabilities, and the
 * Status of eth. The bytes were made with an RLP encoder of a few lines of Python. */
#include "base/text.h"
#include "proto/ethereum/eth.h"
#include "proto/ethereum/p2p.h"
#include "proto/ethereum/rlp.h"
#include "proto/ethereum/snappy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bytes {
	uint8_t data[4096];
	size_t len;
};

static struct bytes hex(const char *text)
{
	struct bytes b = { .len = 0 };

	assert_int_equal(hex_decode(slice_text(text), b.data, sizeof(b.data), &b.len), ERR_OK);
	return b;
}

static struct slice slice(const struct bytes *b)
{
	return slice_of(b->data, b->len);
}

static void expect_written(const char *name, const struct writer *w, const char *expected)
{
	char text[2048];

	assert_true(writer_ok(w) && 2 * w->len < sizeof(text));
	hex_encode(slice_of(w->data, w->len), text);
	if (strcmp(text, expected) != 0)
		fail_msg("%s: %s", name, text);
}

#define K8  "0102030405060708"
#define KEY "b840" K8 K8 K8 K8 K8 K8 K8 K8

/* --- Hello --- */

#define GETH "f859058447657468cdc58365746844c684736e61700182765f" KEY

static void hello_of_geth(void **state)
{
	struct bytes in = hex(GETH);
	struct p2p_hello hello;
	uint8_t out[256];
	struct writer w;
	struct reader r;

	(void)state;
	reader_init(&r, slice(&in));
	p2p_hello_decode(&r, &hello);
	assert_true(reader_ok(&r));
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(hello.version, 5);
	assert_true(slice_equal(hello.client, slice_text("Geth")));
	assert_int_equal(hello.caps_count, 2);
	assert_int_equal(hello.caps_said, 2);
	assert_string_equal(hello.caps[0].name, "eth");
	assert_int_equal(hello.caps[0].version, 68);
	assert_string_equal(hello.caps[1].name, "snap");
	assert_int_equal(hello.caps[1].version, 1);
	assert_int_equal(hello.listen_port, 30303);
	assert_int_equal(hello.key[0], 1);
	assert_int_equal(hello.key[63], 8);
	writer_init(&w, out, sizeof(out));
	p2p_hello_encode(&w, &hello);
	expect_written("hello", &w, GETH);
}

static const struct {
	const char *name, *in;
	enum err err;
	uint32_t version;
	uint16_t port;
	size_t kept, said;
} hellos[] = {
	{ "no capabilities, no name, no port", "f8460580c080" KEY, ERR_OK, 5, 0, 0, 0 },
	{ "a later version, with more in all lists",
	  "f859068447657468c7c683657468447882765f" KEY "836e6577c101", ERR_OK, 6, 30303, 1, 1 },
	{ "integers with leading zeros", "f8558300000561c8c783657468820044840000765f" KEY, ERR_OK,
	  5, 30303, 1, 1 },
	{ "names that are none: empty, too long, a blank, no ASCII; a good one",
	  "f8670561e1c28001cd8b746f6f6c6f6e676e616d6501c6846520746801c58365c3a901c2618001" KEY,
	  ERR_OK, 5, 1, 1, 5 },
	{ "nothing", "", ERR_SHORT, 0, 0, 0, 0 },
	{ "no list", "05", ERR_VALUE, 0, 0, 0, 0 },
	{ "an empty list", "c0", ERR_SHORT, 0, 0, 0, 0 },
	{ "no key", "c50580c08201ff", ERR_SHORT, 0, 0, 0, 0 },
	{ "a key of 1 byte", "c50580c08001", ERR_VALUE, 0, 0, 0, 0 },
	{ "the name is a list", "f84605c0c080" KEY, ERR_VALUE, 0, 0, 0, 0 },
	{ "capabilities are text", "f84605808080" KEY, ERR_VALUE, 0, 0, 0, 0 },
	{ "a capability is text", "f8470580c16180" KEY, ERR_VALUE, 0, 0, 0, 0 },
	{ "a capability without a version", "f8480580c2c16180" KEY, ERR_SHORT, 0, 0, 0, 0 },
	{ "a port of 65536", "f8490580c083010000" KEY, ERR_LIMIT, 0, 0, 0, 0 },
	{ "longer than it is", "f8470580c080" KEY, ERR_SHORT, 0, 0, 0, 0 },
};

static void hello_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(hellos) / sizeof(*hellos); i++) {
		struct bytes in = hex(hellos[i].in);
		struct p2p_hello hello;
		struct reader r;

		reader_init(&r, slice(&in));
		p2p_hello_decode(&r, &hello);
		if (r.err != hellos[i].err)
			fail_msg("%s: %s", hellos[i].name, err_name(r.err));
		if (r.err == ERR_OK &&
		    (hello.version != hellos[i].version || hello.listen_port != hellos[i].port ||
		     hello.caps_count != hellos[i].kept || hello.caps_said != hellos[i].said))
			fail_msg("%s", hellos[i].name);
	}
}

static void too_many_capabilities(void **state)
{
	struct p2p_hello hello;
	uint8_t out[1024];
	struct writer w;
	struct reader r;
	size_t list, caps;

	(void)state;
	writer_init(&w, out, sizeof(out));
	list = rlp_put_list(&w);
	rlp_put_uint(&w, 5);
	rlp_put_bytes(&w, slice_text("x"));
	caps = rlp_put_list(&w);
	for (unsigned i = 0; i < P2P_CAPS_MAX + 3; i++) {
		size_t cap = rlp_put_list(&w);

		rlp_put_bytes(&w, slice_text("eth"));
		rlp_put_uint(&w, i);
		rlp_end_list(&w, cap);
	}
	rlp_end_list(&w, caps);
	rlp_put_uint(&w, 1);
	rlp_put_bytes(&w, slice_of(out, SECP_PUBLIC_LEN));
	rlp_end_list(&w, list);
	assert_true(writer_ok(&w));
	reader_init(&r, slice_of(out, w.len));
	p2p_hello_decode(&r, &hello);
	assert_true(reader_ok(&r));
	assert_int_equal(hello.caps_count, P2P_CAPS_MAX);
	assert_int_equal(hello.caps_said, P2P_CAPS_MAX + 3);
	assert_int_equal(hello.caps[P2P_CAPS_MAX - 1].version, P2P_CAPS_MAX - 1);
}

/* --- Disconnect --- */

static const struct {
	const char *name, *in;
	bool snappy, ok;
	uint8_t reason;
} disconnects[] = {
	{ "a list", "c104", false, true, 4 },
	{ "a list, packed", "0204c104", true, true, 4 },
	{ "a list, forgotten to pack", "c104", true, true, 4 },
	{ "a bare byte", "04", false, true, 4 },
	{ "a bare byte, packed", "010004", true, true, 4 },
	{ "a bare byte, forgotten to pack", "04", true, true, 4 },
	{ "packed, while nobody packs yet", "0204c104", false, false, 0 },
	{ "requested, as a list", "c180", false, true, 0 },
	{ "requested, as a bare byte", "80", true, true, 0 },
	{ "requested, as a bare zero", "00", true, true, 0 },
	{ "requested, as a bare zero, plain", "00", false, true, 0 },
	{ "an empty list", "c0", false, true, 0 },
	{ "an empty list, packed", "0100c0", true, true, 0 },
	{ "of a subprotocol", "c110", true, true, 16 },
	{ "an unknown reason", "c17f", false, true, 127 },
	{ "more in the list", "c20401", false, true, 4 },
	{ "nothing", "", false, false, 0 },
	{ "nothing, where packing is agreed", "", true, false, 0 },
	{ "a list in a list", "c1c0", false, false, 0 },
	{ "a reason of two bytes", "c3820104", false, false, 0 },
	{ "two reasons", "0405", false, false, 0 },
	{ "packed, longer than any", "c8010004", true, false, 0 },
};

static void disconnect_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(disconnects) / sizeof(*disconnects); i++) {
		struct bytes in = hex(disconnects[i].in);
		uint8_t reason = 0;
		bool ok = p2p_disconnect_read(slice(&in), disconnects[i].snappy, &reason);

		if (ok != disconnects[i].ok || (ok && reason != disconnects[i].reason))
			fail_msg("%s: %d, reason %d", disconnects[i].name, ok, reason);
	}
}

static void disconnect_written(void **state)
{
	uint8_t out[8];
	struct writer w;

	(void)state;
	writer_init(&w, out, sizeof(out));
	p2p_disconnect_encode(&w, P2P_REASON_QUITTING);
	p2p_disconnect_encode(&w, P2P_REASON_REQUESTED);
	p2p_empty_encode(&w);
	expect_written("disconnect", &w, "c108c180c0");
	assert_string_equal(p2p_reason_text(4), "too many peers");
	assert_string_equal(p2p_reason_text(0x10), "error of a subprotocol");
	assert_string_equal(p2p_reason_text(0x0c), "unknown reason");
}

/* --- Snappy --- */

static const struct {
	const char *name, *in;
	size_t cap;
	enum err err;
	const char *out;
} packed[] = {
	{ "nothing", "00", 10, ERR_OK, "" },
	{ "one literal", "0308616263", 10, ERR_OK, "616263" },
	/* A literal "ab", then six bytes from two back: format description, 2.2.1. */
	{ "a copy", "080461620902", 8, ERR_OK, "6162616261626162" },
	{ "no room", "080461620902", 7, ERR_FULL, NULL },
	{ "no length", "", 10, ERR_SYNTAX, NULL },
	{ "a length that never ends", "ffffffffffff", 10, ERR_SYNTAX, NULL },
	{ "less than declared", "0408616263", 10, ERR_SYNTAX, NULL },
	{ "more than declared", "0208616263", 10, ERR_SYNTAX, NULL },
	{ "a copy from before the start", "080461620903", 10, ERR_SYNTAX, NULL },
	{ "16 MiB", "8080800800", 10, ERR_FULL, NULL },
	{ "16 MiB and a byte", "8180800800", 10, ERR_LIMIT, NULL },
	{ "4 GiB", "ffffffff0f00", 10, ERR_LIMIT, NULL },
};

static void snappy_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(packed) / sizeof(*packed); i++) {
		struct bytes in = hex(packed[i].in);
		uint8_t out[16];
		char text[33];
		size_t len;
		enum err err = snappy_unpack(slice(&in), out, packed[i].cap, &len);

		if (err != packed[i].err)
			fail_msg("%s: %s", packed[i].name, err_name(err));
		if (err != ERR_OK)
			continue;
		hex_encode(slice_of(out, len), text);
		if (strcmp(text, packed[i].out) != 0)
			fail_msg("%s: %s", packed[i].name, text);
	}
}

/* What we pack, libsnappy unpacks; around the lengths where the form changes. */
static void packed_by_us(void **state)
{
	static const size_t lengths[] = {
		0, 1, 59, 60, 61, 127, 128, 255, 256, 1000, 65535, 65536
	};
	static uint8_t in[SNAPPY_PACK_MAX], wire[SNAPPY_PACK_MAX + SNAPPY_OVERHEAD];
	static uint8_t out[SNAPPY_PACK_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 13 + i / 256);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct writer w;
		size_t len;

		writer_init(&w, wire, lengths[i] + SNAPPY_OVERHEAD);
		snappy_pack(&w, slice_of(in, lengths[i]));
		assert_true(writer_ok(&w));
		assert_int_equal(snappy_unpack(slice_of(wire, w.len), out, sizeof(out), &len),
				 ERR_OK);
		assert_int_equal(len, lengths[i]);
		assert_memory_equal(out, in, len);
	}
}

/* --- shared capabilities --- */

static const struct p2p_offer offers[] = {
	{ { "snap", 1 }, 8 },  { { "eth", 66 }, 17 }, { { "eth", 69 }, 18 },
	{ { "eth", 68 }, 17 }, { { "aa", 1 }, 3 },
};

static const struct {
	const char *name;
	struct p2p_cap peer[4];
	size_t count, shared;
	struct p2p_shared expected[3];
} shares[] = {
	{ "nothing said", { { "", 0 } }, 0, 0, { { { "", 0 }, 0 } } },
	{ "the highest of both",
	  { { "eth", 66 }, { "eth", 68 }, { "eth", 70 } },
	  3,
	  1,
	  { { { "eth", 68 }, 0x10 } } },
	{ "in the order of the alphabet, whatever theirs",
	  { { "snap", 1 }, { "eth", 68 }, { "eth", 69 }, { "aa", 1 } },
	  4,
	  3,
	  { { { "aa", 1 }, 0x10 }, { { "eth", 69 }, 0x13 }, { { "snap", 1 }, 0x25 } } },
	{ "ids depend on the version",
	  { { "snap", 1 }, { "eth", 68 } },
	  2,
	  2,
	  { { { "eth", 68 }, 0x10 }, { { "snap", 1 }, 0x21 } } },
	{ "other versions alone", { { "eth", 67 }, { "snap", 2 } }, 2, 0, { { { "", 0 }, 0 } } },
	{ "twice the same", { { "eth", 68 }, { "eth", 68 } }, 2, 1, { { { "eth", 68 }, 0x10 } } },
	{ "capitals are another name", { { "ETH", 68 } }, 1, 0, { { { "", 0 }, 0 } } },
};

static void share_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++) {
		struct p2p_hello hello = { .caps_count = shares[i].count };
		struct p2p_shared out[5];
		size_t n;

		memcpy(hello.caps, shares[i].peer, sizeof(shares[i].peer));
		n = p2p_share(offers, sizeof(offers) / sizeof(*offers), &hello, out);
		if (n != shares[i].shared)
			fail_msg("%s: %zu", shares[i].name, n);
		for (size_t k = 0; k < n; k++)
			if (strcmp(out[k].cap.name, shares[i].expected[k].cap.name) != 0 ||
			    out[k].cap.version != shares[i].expected[k].cap.version ||
			    out[k].first_id != shares[i].expected[k].first_id)
				fail_msg("%s: %s/%u at %x", shares[i].name, out[k].cap.name,
					 out[k].cap.version, out[k].first_id);
	}
}

/* --- Status --- */

#define ZEROS_30 "000000000000000000000000000000000000000000000000000000000000"
#define GENESIS  "a0d4" ZEROS_30 "e5"
#define HEAD     "a001" ZEROS_30 "00"
#define FORK     "ca84c376cf8b846930b057"
#define STATUS_68 \
	"f85544"  \
	"01"      \
	"850400000000" HEAD GENESIS FORK
#define STATUS_69 \
	"f85545"  \
	"01" GENESIS FORK "8084015752a0" HEAD

static void status_both_ways(void **state)
{
	static const struct {
		const char *name, *bytes;
		uint32_t version;
	} rows[] = {
		{ "eth/66",
		  "f85542"
		  "01"
		  "850400000000" HEAD GENESIS FORK,
		  66 },
		{ "eth/67",
		  "f85543"
		  "01"
		  "850400000000" HEAD GENESIS FORK,
		  67 },
		{ "eth/68", STATUS_68, 68 },
		{ "eth/69", STATUS_69, 69 },
		{ "eth/70",
		  "f85546"
		  "01" GENESIS FORK "8084015752a0" HEAD,
		  70 },
		{ "eth/71",
		  "f85547"
		  "01" GENESIS FORK "8084015752a0" HEAD,
		  71 },
		{ "eth/72",
		  "f85548"
		  "01" GENESIS FORK "8084015752a0" HEAD,
		  72 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct bytes in = hex(rows[i].bytes);
		bool ranges = rows[i].version >= 69;
		struct eth_status s;
		uint8_t out[256];
		struct writer w;
		struct reader r;

		reader_init(&r, slice(&in));
		eth_status_decode(&r, rows[i].version, &s);
		if (!reader_ok(&r))
			fail_msg("%s: %s", rows[i].name, r.rule);
		assert_int_equal(reader_left(&r), 0);
		assert_int_equal(s.version, rows[i].version);
		assert_int_equal(s.network_id, 1);
		assert_int_equal(s.genesis[0], 0xd4);
		assert_int_equal(s.genesis[31], 0xe5);
		assert_int_equal(s.head[0], 1);
		assert_int_equal(s.forkid.hash[0], 0xc3);
		assert_int_equal(s.forkid.next, 0x6930b057);
		assert_int_equal(s.difficulty[27], ranges ? 0 : 4);
		assert_int_equal(s.latest, ranges ? 22500000 : 0);
		writer_init(&w, out, sizeof(out));
		eth_status_encode(&w, &s);
		expect_written(rows[i].name, &w, rows[i].bytes);
	}
}

static const struct {
	const char *name, *in;
	uint32_t version;
	enum err err;
} statuses[] = {
	{ "more in the list",
	  "f85644"
	  "01"
	  "850400000000" HEAD GENESIS FORK "80",
	  68, ERR_OK },
	{ "more in the fork id",
	  "f85644"
	  "01"
	  "850400000000" HEAD GENESIS "cb84c376cf8b846930b05705",
	  68, ERR_OK },
	{ "a network id with leading zeros",
	  "f85744"
	  "820001"
	  "850400000000" HEAD GENESIS FORK,
	  68, ERR_OK },
	{ "no difficulty",
	  "f85044"
	  "01"
	  "80" HEAD GENESIS FORK,
	  68, ERR_OK },
	{ "another version than agreed on", STATUS_68, 67, ERR_VALUE },
	{ "the old form, where the new one is agreed on",
	  "f85545"
	  "01"
	  "850400000000" HEAD GENESIS FORK,
	  69, ERR_VALUE },
	{ "the new form, where the old one is agreed on",
	  "f85544"
	  "01" GENESIS FORK "8084015752a0" HEAD,
	  68, ERR_VALUE },
	{ "no fork id, as before eth/64",
	  "f84a44"
	  "01"
	  "850400000000" HEAD GENESIS,
	  68, ERR_SHORT },
	{ "a hash of 31 bytes",
	  "f85444"
	  "01"
	  "850400000000"
	  "9f"
	  "00" ZEROS_30 GENESIS FORK,
	  68, ERR_VALUE },
	{ "a difficulty of 33 bytes",
	  "f87144"
	  "01"
	  "a101" ZEROS_30 "0000" HEAD GENESIS FORK,
	  68, ERR_VALUE },
	{ "a fork hash of 3 bytes",
	  "f85444"
	  "01"
	  "850400000000" HEAD GENESIS "c983c376cf846930b057",
	  68, ERR_VALUE },
	{ "a network id of 9 bytes",
	  "f85e44"
	  "89010000000000000000"
	  "850400000000" HEAD GENESIS FORK,
	  68, ERR_LIMIT },
	{ "an empty list", "c0", 68, ERR_SHORT },
	{ "no list", "44", 68, ERR_VALUE },
};

static void status_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		struct bytes in = hex(statuses[i].in);
		struct eth_status s;
		struct reader r;

		reader_init(&r, slice(&in));
		eth_status_decode(&r, statuses[i].version, &s);
		if (r.err != statuses[i].err)
			fail_msg("%s: %s, %s", statuses[i].name, err_name(r.err),
				 r.rule != NULL ? r.rule : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hello_of_geth),         cmocka_unit_test(hello_rows),
		cmocka_unit_test(too_many_capabilities), cmocka_unit_test(disconnect_rows),
		cmocka_unit_test(disconnect_written),    cmocka_unit_test(snappy_rows),
		cmocka_unit_test(packed_by_us),          cmocka_unit_test(share_rows),
		cmocka_unit_test(status_both_ways),      cmocka_unit_test(status_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
