/* test_discv4_wire.c: the packets of discovery v4. */
#include "base/hash.h"
#include "base/keccak.h"
#include "proto/ethereum/discv4_wire.h"
#include "support/rlp.h"
#include "support/told.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* EIP-8, "Test Vectors": all signed by one key, all long expired. */
static const char eip8_key[] = "b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291";
static const char eip8_public[] =
	"ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138"
	"7574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f";
enum { EIP8_EXPIRATION_S = 1136239445 };
static const char ping_v4[] =
	"71dbda3a79554728d4f94411e42ee1f8b0d561c10e1e5f5893367948c6a7d70bb87b235fa28a7707"
	"0271b6c164a2dce8c7e13a5739b53b5e96f2e5acb0e458a02902f5965d55ecbeb2ebb6cabb8b2b23"
	"2896a36b737666c55265ad0a68412f250001ea04cb847f000001820cfa8215a8d790000000000000"
	"000000000000000000018208ae820d058443b9a355";
static const char ping_more[] =
	"e9614ccfd9fc3e74360018522d30e1419a143407ffcce748de3e22116b7e8dc92ff74788c0b6663a"
	"aa3d67d641936511c8f8d6ad8698b820a7cf9e1be7155e9a241f556658c55428ec0563514365799a"
	"4be2be5a685a80971ddcfa80cb422cdd0101ec04cb847f000001820cfa8215a8d790000000000000"
	"000000000000000000018208ae820d058443b9a3550102";
static const char findnode_more[] =
	"c7c44041b9f7c7e41934417ebac9a8e1a4c6298f74553f2fcfdcae6ed6fe53163eb3d2b52e39fe91"
	"831b8a927bf4fc222c3902202027e5e9eb812195f95d20061ef5cd31d502e47ecb61183f74a504fe"
	"04c51e73df81f25c4d506b26db4517490103f84eb840ca634cae0d49acb401d8a4c6b6fe8c55b70d"
	"115bf400769cc1400f3258cd31387574077f301b421bc84df7266c44e9e6d569fc56be0081290476"
	"7bf5ccd1fc7f8443b9a35582999983999999280dc62cc8255c73471e0a61da0c89acdc0e035e260a"
	"dd7fc0c04ad9ebf3919644c91cb247affc82b69bd2ca235c71eab8e49737c937a2c396";
static const char neighbors_more[] =
	"c679fc8fe0b8b12f06577f2e802d34f6fa257e6137a995f6f4cbfc9ee50ed3710faf6e66f932c4c8"
	"d81d64343f429651328758b47d3dbc02c4042f0fff6946a50f4a49037a72bb550f3a7872363a83e1"
	"b9ee6469856c24eb4ef80b7535bcf99c0004f9015bf90150f84d846321163782115c82115db84031"
	"55e1427f85f10a5c9a7755877748041af1bcd8d474ec065eb33df57a97babf54bfd2103575fa8291"
	"15d224c523596b401065a97f74010610fce76382c0bf32f84984010203040101b840312c55512422"
	"cf9b8a4097e9a6ad79402e87a15ae909a4bfefa22398f03d20951933beea1e4dfa6f968212385e82"
	"9f04c2d314fc2d4e255e0d3bc08792b069dbf8599020010db83c4d001500000000abcdef12820d05"
	"820d05b84038643200b172dcfef857492156971f0e6aa2c538d8b74010f8e140811d53b98c765dd2"
	"d96126051913f44582e8c199ad7c6d6819e9a56483f637feaac9448aacf8599020010db885a308d3"
	"13198a2e037073488203e78203e8b8408dcab8618c3253b558d459da53bd8fa68935a719aff8b811"
	"197101a4b2b47dd2d47295286fc00cc081bb542d760717d1bdd6bec2c37cd72eca367d6dd3b9df73"
	"8443b9a355010203b525a138aa34383fec3d2719a0";

static struct secp secp;
static struct secp_key key;
static uint8_t public[SECP_PUBLIC_LEN];

static int start(void **state)
{
	static const uint8_t random[SECP_RANDOM_LEN] = { 4 };
	uint8_t bytes[SECP_KEY_LEN];

	(void)state;
	secp_init(&secp, random);
	hex_bytes(eip8_key, bytes, sizeof(bytes));
	hex_bytes(eip8_public, public, sizeof(public));
	return secp_key_init(&key, bytes) ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	secp_clear(&secp);
	return 0;
}

/* Reads a packet of which nothing may be wrong, with a hook and without. */
static void read_good(struct slice in, struct discv4_packet *out, const char *fields)
{
	struct told told = { .covered = 0 };
	struct reader r;

	reader_init(&r, in);
	r.on_field = told_field;
	r.on_field_ctx = &told;
	discv4_decode(&r, out);
	if (!reader_ok(&r))
		fail_msg("%s at %zu: %s", err_name(r.err), r.err_at, r.rule);
	assert_true(!told.gap && told.covered == in.len);
	if (fields != NULL)
		assert_string_equal(told.names, fields);
	reader_init(&r, in);
	discv4_decode(&r, out);
	assert_true(reader_ok(&r) && reader_left(&r) == 0);
	assert_memory_equal(out->signer, public, sizeof(public));
	assert_true(slice_equal(out->hash, slice_of(in.data, DISCV4_HASH_LEN)));
}

static void expect_endpoint(const struct enode_endpoint *e, const char *text, uint16_t tcp)
{
	char out[NETADDR_TEXT_MAX];

	netaddr_text(&e->addr, out);
	assert_string_equal(out, text);
	assert_int_equal(e->tcp_port, tcp);
}

/* The same bytes, from the type on. The signatures of EIP-8 were made with other nonces
 * than RFC 6979's: they can be checked, but not made again. */
static void expect_bytes(struct slice in, uint8_t *out, struct writer *w)
{
	const size_t type_at = DISCV4_HEADER_LEN - 1;
	struct discv4_packet p;

	discv4_end(w, 0, &secp, &key);
	assert_true(writer_ok(w));
	assert_int_equal(w->len, in.len);
	assert_memory_equal(out + type_at, in.data + type_at, in.len - type_at);
	read_good(slice_of(out, w->len), &p, NULL);
}

static void vector_ping(void **state)
{
	uint8_t bytes[DISCV4_PACKET_MAX], out[DISCV4_PACKET_MAX];
	struct slice in = hex_bytes(ping_v4, bytes, sizeof(bytes));
	struct discv4_packet p;
	struct writer w;

	(void)state;
	read_good(
		in, &p,
		"hash|signature|signer|type|data|version|from|ip|udp port|tcp port|to|ip|udp port|"
		"tcp port|expiration");
	assert_int_equal(p.type, DISCV4_PING);
	assert_int_equal(p.ping.version, 4);
	expect_endpoint(&p.ping.from, "127.0.0.1:3322", 5544);
	expect_endpoint(&p.ping.to, "[::1]:2222", 3333);
	assert_int_equal(p.ping.expiration_s, EIP8_EXPIRATION_S);

	writer_init(&w, out, sizeof(out));
	discv4_begin(&w, DISCV4_PING);
	discv4_ping_encode(&w, &p.ping);
	expect_bytes(in, out, &w);
}

static void vector_ping_more(void **state)
{
	uint8_t bytes[DISCV4_PACKET_MAX], out[DISCV4_PACKET_MAX];
	struct slice in = hex_bytes(ping_more, bytes, sizeof(bytes));
	struct discv4_packet p;
	struct writer w;
	size_t list;

	(void)state;
	read_good(in, &p, NULL);
	expect_endpoint(&p.ping.from, "127.0.0.1:3322", 5544);
	assert_true(p.ping.has_enr_seq);
	assert_int_equal(p.ping.enr_seq, 1);

	writer_init(&w, out, sizeof(out));
	discv4_begin(&w, DISCV4_PING);
	list = rlp_put_list(&w);
	discv4_ping_encode(&w, &p.ping);
	/* One more element: the list without its header, and 0x02. */
	memmove(out + list, out + list + 1, w.len - list - 1);
	w.len--;
	rlp_put_uint(&w, 2);
	rlp_end_list(&w, list);
	expect_bytes(in, out, &w);
}

static void vector_findnode(void **state)
{
	uint8_t bytes[DISCV4_PACKET_MAX];
	struct slice in = hex_bytes(findnode_more, bytes, sizeof(bytes));
	struct discv4_packet p;

	(void)state;
	read_good(in, &p, "hash|signature|signer|type|data|target|expiration|more|more|ignored");
	assert_int_equal(p.type, DISCV4_FINDNODE);
	assert_true(slice_equal(p.findnode.target, slice_of(public, sizeof(public))));
	assert_int_equal(p.findnode.expiration_s, EIP8_EXPIRATION_S);
}

static const struct {
	const char *addr, *key;
	uint16_t tcp;
} vector_nodes[] = {
	{ "99.33.22.55:4444", "3155e1427f85f10a", 4445 },
	{ "1.2.3.4:1", "312c55512422cf9b", 1 },
	{ "[2001:db8:3c4d:15::abcd:ef12]:3333", "38643200b172dcfe", 3333 },
	{ "[2001:db8:85a3:8d3:1319:8a2e:370:7348]:999", "8dcab8618c3253b5", 1000 },
};

static void vector_neighbors(void **state)
{
	uint8_t bytes[DISCV4_PACKET_MAX];
	struct slice in = hex_bytes(neighbors_more, bytes, sizeof(bytes));
	struct discv4_packet p;
	struct enode node;
	struct reader r;

	(void)state;
	read_good(in, &p, NULL);
	assert_int_equal(p.type, DISCV4_NEIGHBORS);
	assert_int_equal(p.neighbors.expiration_s, EIP8_EXPIRATION_S);
	assert_int_equal(p.neighbors.count, 4);
	reader_init(&r, p.neighbors.nodes);
	for (size_t i = 0; i < 4; i++) {
		uint8_t start_of_key[8];

		assert_true(discv4_neighbors_next(&r, &node));
		expect_endpoint(&node.endpoint, vector_nodes[i].addr, vector_nodes[i].tcp);
		hex_bytes(vector_nodes[i].key, start_of_key, sizeof(start_of_key));
		assert_memory_equal(node.key, start_of_key, sizeof(start_of_key));
		assert_true(secp_public_valid(node.key));
	}
	assert_false(discv4_neighbors_next(&r, &node));
	assert_true(reader_ok(&r));
}

/* The same lists without their additions are ours to make: the same fields come back, and
 * with the additions put behind, the vectors' bytes. */
static void vectors_rebuilt(void **state)
{
	static const struct {
		const char *packet, *more, *behind;
	} rows[] = {
		{ findnode_more, "829999 83999999",
		  "280dc62cc8255c73471e0a61da0c89acdc0e035e260add7fc0c04ad9ebf3919644c91cb247affc82"
		  "b69bd2ca235c71eab8e49737c937a2c396" },
		{ neighbors_more, "010203", "b525a138aa34383fec3d2719a0" },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t bytes[DISCV4_PACKET_MAX], out[DISCV4_PACKET_MAX], list[1200], more[80];
		struct slice in = hex_bytes(rows[i].packet, bytes, sizeof(bytes));
		struct enode nodes[4];
		struct discv4_packet p;
		struct rlp_item item;
		struct writer w;
		struct reader r;
		size_t mark;

		read_good(in, &p, NULL);
		writer_init(&w, list, sizeof(list));
		if (p.type == DISCV4_FINDNODE) {
			discv4_findnode_encode(&w, &p.findnode);
		} else {
			reader_init(&r, p.neighbors.nodes);
			for (size_t n = 0; n < 4; n++)
				assert_true(discv4_neighbors_next(&r, &nodes[n]));
			assert_int_equal(
				discv4_neighbors_encode(&w, nodes, 4, p.neighbors.expiration_s), 4);
		}
		reader_init(&r, slice_of(list, w.len));
		item = rlp_peek(&r, "list");
		writer_init(&w, out, sizeof(out));
		discv4_begin(&w, p.type);
		mark = rlp_put_list(&w);
		writer_slice(&w, item.payload);
		writer_slice(&w, hex_bytes(rows[i].more, more, sizeof(more)));
		rlp_end_list(&w, mark);
		writer_slice(&w, hex_bytes(rows[i].behind, more, sizeof(more)));
		expect_bytes(in, out, &w);
	}
}

/* A packet with this list, signed by the key of EIP-8. */
static struct slice packet_of(unsigned type, const char *list, uint8_t *out, size_t cap)
{
	struct writer w;

	writer_init(&w, out, cap);
	discv4_begin(&w, (enum discv4_type)type);
	rlp_notation(&w, list);
	discv4_end(&w, 0, &secp, &key);
	assert_true(writer_ok(&w));
	return slice_of(out, w.len);
}

/* clang-format off */
#define KEY64 "b840 ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138" \
	"7574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f "
#define HASH31 "9f 11111111111111111111111111111111111111111111111111111111111111 "
#define HASH32 "a0 1111111111111111111111111111111111111111111111111111111111111111 "
#define EXP "8443b9a355 "
/* EIP-778's example record. */
#define RECORD "(b840 7098ad865b00a582051940cb9cf36836572411a47278783077011599ed5cd16b" \
	"76f2635f4e234738f30813a89eb9137e3e3df5266e3a1f11df72ecf1145ccb9c 01 826964 827634" \
	"826970 847f000001 89736563703235366b31 a103ca634cae0d49acb401d8a4c6b6fe8c55b70d11" \
	"5bf400769cc1400f3258cd3138 83756470 82765f) "
#define FROM "(84 7f000001 820cfa 8215a8) "
#define TO "(84 7f000001 8208ae 820d05) "

/* Each row is one leniency, or one rule. at: in the list, which begins at byte 98. */
static const struct {
	const char *name;
	unsigned type;
	const char *list;
	enum err err;
	size_t at;
} list_rows[] = {
	{ "ping", 1, "(04" FROM TO EXP ")", ERR_OK, 0 },
	{ "ping with enr-seq", 1, "(04" FROM TO EXP "05)", ERR_OK, 0 },
	{ "ping of version 3, fixed width", 1, "(03" FROM "(84 7f000001 820050 820000)" EXP ")",
	  ERR_OK, 0 },
	{ "ping with 4 bytes for a port", 1, "(04 (84 00000000 8400000cfa 80)" TO EXP ")", ERR_OK,
	  0 },
	{ "ping without a tcp port", 1, "(04 (84 00000000 820cfa)" TO EXP ")", ERR_OK, 0 },
	{ "ping with an empty tcp port", 1, "(04 (84 00000000 820cfa 80)" TO EXP ")", ERR_OK, 0 },
	{ "ping from nowhere", 1, "(04 (80 80 80)" TO EXP ")", ERR_OK, 0 },
	{ "ping from three bytes", 1, "(04 (83 010203 80 80)" TO EXP ")", ERR_OK, 0 },
	{ "endpoint with more elements", 1, "(04 (80 80 80 01 ())" TO EXP ")", ERR_OK, 0 },
	{ "ping: the fifth element is a list", 1, "(04" FROM TO EXP "(01 02))", ERR_OK, 0 },
	{ "ping of version 555", 1, "(82022b" FROM TO EXP ")", ERR_OK, 0 },
	{ "ping: a negative expiration", 1, "(04" FROM TO "88fffffffffffffff0)", ERR_OK, 0 },
	{ "bytes behind the list", 1, "(04" FROM TO EXP ") ff ff", ERR_OK, 0 },
	{ "ping: port 65536", 1, "(04 (80 83010000 80)" TO EXP ")", ERR_LIMIT, 4 },
	{ "ping: an ip that is a list", 1, "(04 (() 80 80)" TO EXP ")", ERR_VALUE, 3 },
	{ "ping: no endpoint", 1, "(04 80" TO EXP ")", ERR_VALUE, 2 },
	{ "ping: an empty endpoint", 1, "(04 ()" TO EXP ")", ERR_SHORT, 3 },
	{ "ping: an expiration of 9 bytes", 1, "(04" FROM TO "89010000000000000000)", ERR_LIMIT,
	  26 },
	{ "ping without expiration", 1, "(04" FROM TO ")", ERR_SHORT, 26 },
	{ "ping: an element that is broken", 1, "(04" FROM TO EXP "05 817f)", ERR_NONCANONICAL,
	  32 },
	{ "ping: a list longer than the packet", 1, "e0 04", ERR_SHORT, 0 },
	{ "pong", 2, "(" TO HASH32 EXP ")", ERR_OK, 0 },
	{ "pong with enr-seq", 2, "(" TO HASH32 EXP "05)", ERR_OK, 0 },
	{ "pong: a hash of 31 bytes", 2, "(" TO HASH31 EXP ")", ERR_VALUE, 13 },
	{ "pong without expiration", 2, "(" TO HASH32 ")", ERR_SHORT, 46 },
	{ "findnode", 3, "(" KEY64 EXP ")", ERR_OK, 0 },
	{ "findnode: a target of one byte", 3, "(05" EXP ")", ERR_VALUE, 1 },
	{ "findnode: a target that is a list", 3, "((" KEY64 ")" EXP ")", ERR_VALUE, 2 },
	{ "findnode: no list", 3, "05", ERR_VALUE, 0 },
	{ "findnode: nothing", 3, "", ERR_SHORT, 0 },
	{ "neighbors: none", 4, "(()" EXP ")", ERR_OK, 0 },
	{ "neighbors: one", 4, "(((84 01020304 82765f 82765f" KEY64 "))" EXP ")", ERR_OK, 0 },
	{ "neighbors: no address", 4, "(((80 80 80" KEY64 "))" EXP ")", ERR_OK, 0 },
	{ "neighbors: more elements", 4, "(((84 01020304 01 02" KEY64 "80))" EXP "())", ERR_OK, 0 },
	{ "neighbors: a node without a key", 4, "(((84 01020304 01 02))" EXP ")", ERR_SHORT, 10 },
	{ "neighbors: a node that is none", 4, "((05)" EXP ")", ERR_VALUE, 2 },
	{ "neighbors: no list", 4, "(80" EXP ")", ERR_VALUE, 1 },
	{ "enrrequest", 5, "(" EXP ")", ERR_OK, 0 },
	{ "enrrequest without expiration", 5, "()", ERR_SHORT, 1 },
	{ "enrresponse", 6, "(" HASH32 RECORD ")", ERR_OK, 0 },
	{ "enrresponse: more behind the record", 6, "(" HASH32 RECORD "())", ERR_OK, 0 },
	{ "enrresponse without a record", 6, "(" HASH32 ")", ERR_SHORT, 34 },
	{ "enrresponse: an empty record", 6, "(" HASH32 "())", ERR_SHORT, 35 },
	{ "type 0", 0, "(" EXP ")", ERR_VALUE, SIZE_MAX },
	{ "type 7", 7, "(" EXP ")", ERR_VALUE, SIZE_MAX },
	{ "type 255", 255, "(" EXP ")", ERR_VALUE, SIZE_MAX },
};
/* clang-format on */

static void lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(list_rows) / sizeof(*list_rows); i++) {
		uint8_t bytes[DISCV4_PACKET_MAX];
		struct slice in =
			packet_of(list_rows[i].type, list_rows[i].list, bytes, sizeof(bytes));
		struct told told = { .covered = 0 };
		struct discv4_packet p;
		struct reader r, quiet;
		/* SIZE_MAX wraps to the type, the byte before the list. */
		size_t at = list_rows[i].err == ERR_OK ? 0 : list_rows[i].at + DISCV4_HEADER_LEN;

		reader_init(&r, in);
		r.on_field = told_field;
		r.on_field_ctx = &told;
		discv4_decode(&r, &p);
		if (r.err != list_rows[i].err || r.err_at != at)
			fail_msg("row \"%s\": %s at %zu (%s)", list_rows[i].name, err_name(r.err),
				 r.err_at - DISCV4_HEADER_LEN, r.rule != NULL ? r.rule : "");
		reader_init(&quiet, in);
		discv4_decode(&quiet, &p);
		assert_true(quiet.err == r.err && quiet.err_at == r.err_at && quiet.rule == r.rule);
		assert_false(told.gap);
		if (r.err == ERR_OK)
			assert_int_equal(told.covered, in.len);
		else
			assert_non_null(r.rule);
	}
}

static void old_software(void **state)
{
	uint8_t bytes[DISCV4_PACKET_MAX];
	struct discv4_packet p;

	(void)state;
	/* Fixed widths: ports of two bytes, time of four; then an empty tcp port. */
	read_good(packet_of(1,
			    "(03 (84 7f000001 820050 820000) (84 7f000001 8208ae 80) 84 00000009)",
			    bytes, sizeof(bytes)),
		  &p, NULL);
	assert_int_equal(p.ping.version, 3);
	expect_endpoint(&p.ping.from, "127.0.0.1:80", 0);
	expect_endpoint(&p.ping.to, "127.0.0.1:2222", 0);
	assert_int_equal(p.ping.expiration_s, 9);
	assert_false(p.ping.has_enr_seq);
	read_good(packet_of(1, "(04 (80 80 80) (84 7f000001 01 02) 88fffffffffffffff0)", bytes,
			    sizeof(bytes)),
		  &p, NULL);
	assert_true(p.ping.expiration_s == -16);
	assert_int_equal(p.ping.from.addr.kind, NETADDR_NONE);
}

/* Longer than allowed: read by who asks for it, up to a bound of its own. */
static void long_packets(void **state)
{
	static const size_t lens[] = { DISCV4_PACKET_MAX, DISCV4_PACKET_MAX + 1, DISCV4_LONG_MAX,
				       DISCV4_LONG_MAX + 1 };
	static uint8_t bytes[DISCV4_LONG_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		struct slice packet = slice_of(bytes, lens[i]);
		struct discv4_packet p;
		struct reader r;
		uint8_t hash[32];

		hex_bytes(ping_v4, bytes, sizeof(bytes));
		keccak_256(slice_from(packet, DISCV4_HEADER_LEN - 1), hash);
		secp_sign(&secp, &key, hash, bytes + DISCV4_HASH_LEN);
		keccak_256(slice_from(packet, DISCV4_HASH_LEN), bytes);
		reader_init(&r, packet);
		discv4_decode(&r, &p);
		assert_int_equal(r.err, lens[i] <= DISCV4_PACKET_MAX ? ERR_OK : ERR_LIMIT);
		reader_init(&r, packet);
		discv4_decode_long(&r, &p);
		assert_int_equal(r.err, lens[i] <= DISCV4_LONG_MAX ? ERR_OK : ERR_LIMIT);
		if (reader_ok(&r)) {
			assert_memory_equal(p.signer, public, sizeof(public));
			assert_int_equal(p.ping.expiration_s, EIP8_EXPIRATION_S);
		}
	}
}

/* What is wrong with the packet as such. */
static void envelopes(void **state)
{
	uint8_t bytes[DISCV4_PACKET_MAX + 1], hash[32];
	struct slice in = hex_bytes(ping_v4, bytes, sizeof(bytes));
	struct told told = { .covered = 0 };
	struct discv4_packet p;
	struct reader r;

	(void)state;
	for (size_t len = 0; len < in.len; len++) {
		reader_init(&r, slice_of(bytes, len));
		discv4_decode(&r, &p);
		assert_int_equal(r.err, len < DISCV4_PACKET_MIN ? ERR_SHORT : ERR_CHECKSUM);
		assert_true(r.err_at <= len);
	}
	reader_init(&r, slice_of(bytes, sizeof(bytes)));
	discv4_decode(&r, &p);
	assert_int_equal(r.err, ERR_LIMIT);
	assert_string_equal(r.rule, "packet: at most 1280 bytes");

	/* Recovery ids beyond 1, and an r that is none, under a right hash. */
	for (size_t i = 0; i < 3; i++) {
		hex_bytes(ping_v4, bytes, sizeof(bytes));
		if (i < 2)
			bytes[DISCV4_HASH_LEN + 64] = i == 0 ? 2 : 27;
		else
			memset(bytes + DISCV4_HASH_LEN, 0xff, 32);
		keccak_256(slice_of(bytes + DISCV4_HASH_LEN, in.len - DISCV4_HASH_LEN), hash);
		memcpy(bytes, hash, sizeof(hash));
		reader_init(&r, in);
		discv4_decode(&r, &p);
		assert_int_equal(r.err, ERR_VALUE);
		assert_int_equal(r.err_at, DISCV4_HASH_LEN);
		assert_string_equal(r.rule, "signature: one that somebody can have made");
	}
	/* Another byte in the list: the hash, or, with a right one, another signer. */
	hex_bytes(ping_v4, bytes, sizeof(bytes));
	bytes[in.len - 1] ^= 1;
	reader_init(&r, in);
	discv4_decode(&r, &p);
	assert_int_equal(r.err, ERR_CHECKSUM);
	assert_int_equal(r.err_at, 0);
	assert_int_equal(p.hash.len, 0);
	reader_init(&r, in);
	r.on_field = told_field;
	r.on_field_ctx = &told;
	discv4_decode(&r, &p);
	assert_true(r.err == ERR_CHECKSUM && told.covered == in.len && !told.gap);
	assert_true(strstr(told.names, "|type|data|version|from|") != NULL);
	keccak_256(slice_of(bytes + DISCV4_HASH_LEN, in.len - DISCV4_HASH_LEN), bytes);
	reader_init(&r, in);
	discv4_decode(&r, &p);
	assert_true(!reader_ok(&r) || memcmp(p.signer, public, sizeof(public)) != 0);
}

/* What is done to a packet of the key that is expected; its hash is made right again. */
static const struct {
	const char *name;
	size_t at;    /* of the byte that is changed */
	uint8_t with; /* by XOR */
	enum err err;
	bool expected; /* whether the one who is expected signed it */
} spoilt[] = {
	{ "nothing", 0, 0, ERR_OK, true },
	{ "its recovery id is the other one", DISCV4_HASH_LEN + 64, 1, ERR_OK, true },
	{ "its recovery id is none", DISCV4_HASH_LEN + 64, 2, ERR_VALUE, false },
	{ "another r", DISCV4_HASH_LEN + 31, 1, ERR_OK, false },
	{ "another s", DISCV4_HASH_LEN + 63, 1, ERR_OK, false },
	{ "another list", DISCV4_HEADER_LEN + 10, 1, ERR_OK, false },
};

/* Who signed is found out, whoever was expected. */
static void expected_signers(void **state)
{
	uint8_t bytes[DISCV4_LONG_MAX], nobody[SECP_PUBLIC_LEN] = { 0 }, other[SECP_PUBLIC_LEN];
	const struct secp_key other_key = { { [31] = 9 } };
	const uint8_t *const expected[] = { public, nobody, other };
	struct discv4_packet p;
	struct reader r;

	(void)state;
	secp_public(&secp, &other_key, other);
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		reader_init(&r, hex_bytes(neighbors_more, bytes, sizeof(bytes)));
		discv4_decode_from(&r, expected[i], &p);
		assert_int_equal(r.err, ERR_OK);
		assert_int_equal(p.type, DISCV4_NEIGHBORS);
		assert_memory_equal(p.signer, public, sizeof(public));
	}
	for (size_t i = 0; i < sizeof(spoilt) / sizeof(*spoilt); i++) {
		struct slice in = hex_bytes(ping_v4, bytes, sizeof(bytes));
		bool is_expected;

		bytes[spoilt[i].at] ^= spoilt[i].with;
		keccak_256(slice_from(in, DISCV4_HASH_LEN), bytes);
		reader_init(&r, in);
		discv4_decode_from(&r, public, &p);
		is_expected = reader_ok(&r) && memcmp(p.signer, public, sizeof(public)) == 0;
		/* A signature that is off may be one that nobody can have made. */
		if ((r.err != spoilt[i].err && (spoilt[i].expected || r.err != ERR_VALUE)) ||
		    is_expected != spoilt[i].expected)
			fail_msg("%s", spoilt[i].name);
	}
	/* The hash comes first, and long packets are taken. */
	reader_init(&r, hex_bytes(ping_v4, bytes, sizeof(bytes)));
	bytes[0] ^= 1;
	discv4_decode_from(&r, public, &p);
	assert_int_equal(r.err, ERR_CHECKSUM);
	reader_init(&r, slice_of(bytes, DISCV4_LONG_MAX));
	discv4_decode_from(&r, public, &p);
	assert_int_equal(r.err, ERR_CHECKSUM);
}

static struct enode random_node(struct random *random)
{
	struct enode node;
	uint8_t ip[16];

	for (size_t i = 0; i < sizeof(node.key); i++)
		node.key[i] = (uint8_t)random_next(random);
	for (size_t i = 0; i < sizeof(ip); i++)
		ip[i] = (uint8_t)random_next(random);
	node.endpoint.addr =
		enode_addr(slice_of(ip, random_below(random, 2) == 0 ? 4 : 16),
			   (uint16_t)(random_next(random) >> random_below(random, 64)));
	node.endpoint.tcp_port = (uint16_t)(random_next(random) >> random_below(random, 64));
	return node;
}

/* Whatever the nodes: packets no longer than 1280 bytes carry them all, in order, and
 * another node would not have fitted. */
static void neighbors_split(void **state)
{
	struct random random = { 23 };

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct enode nodes[40];
		size_t count = (size_t)random_below(&random, 41), sent = 0, packets = 0;
		int64_t expiration_s = (int64_t)(random_next(&random) >> random_below(&random, 64));

		for (size_t i = 0; i < count; i++)
			nodes[i] = random_node(&random);
		do {
			uint8_t out[DISCV4_PACKET_MAX];
			struct discv4_packet p;
			struct enode node;
			struct reader r;
			struct writer w;
			size_t n;

			writer_init(&w, out, sizeof(out));
			discv4_begin(&w, DISCV4_NEIGHBORS);
			n = discv4_neighbors_encode(&w, nodes + sent, count - sent, expiration_s);
			discv4_end(&w, 0, &secp, &key);
			assert_true(writer_ok(&w));
			/* The largest node takes 91 bytes. */
			assert_true(sent + n == count || w.len > DISCV4_PACKET_MAX - 91);
			read_good(slice_of(out, w.len), &p, NULL);
			assert_true(p.neighbors.expiration_s == expiration_s);
			assert_int_equal(p.neighbors.count, n);
			reader_init(&r, p.neighbors.nodes);
			for (size_t i = 0; i < n; i++) {
				assert_true(discv4_neighbors_next(&r, &node));
				assert_memory_equal(node.key, nodes[sent + i].key,
						    sizeof(node.key));
				assert_true(enode_endpoint_equal(&node.endpoint,
								 &nodes[sent + i].endpoint));
			}
			sent += n;
			packets++;
		} while (sent < count);
		assert_true(packets <= 1 + count / 12);
	}
}

/* 16 of the smallest are the most that is read, and 16 of IPv6 take two packets. */
static void neighbors_limits(void **state)
{
	uint8_t out[DISCV4_PACKET_MAX];
	struct enode nodes[17] = { 0 };
	struct discv4_packet p;
	struct writer w;

	(void)state;
	writer_init(&w, out, sizeof(out));
	discv4_begin(&w, DISCV4_NEIGHBORS);
	assert_int_equal(discv4_neighbors_encode(&w, nodes, 17, 1), 16);
	discv4_end(&w, 0, &secp, &key);
	read_good(slice_of(out, w.len), &p, NULL);
	assert_int_equal(p.neighbors.count, 16);
	for (size_t i = 0; i < 17; i++)
		nodes[i].endpoint = (struct enode_endpoint){
			{ .kind = NETADDR_IPV6, .port = 30303, .bytes = { 0x20, 1 } }, 30303
		};
	writer_init(&w, out, sizeof(out));
	discv4_begin(&w, DISCV4_NEIGHBORS);
	assert_int_equal(discv4_neighbors_encode(&w, nodes, 16, EIP8_EXPIRATION_S), 12);
}

/* What was written is read as the same, for every type. */
static void ping_round_trip(struct random *random, bool has_enr_seq)
{
	struct enode a = random_node(random), b = random_node(random);
	int64_t expiration_s = (int64_t)random_next(random);
	uint64_t enr_seq = has_enr_seq ? random_next(random) : 0;
	struct discv4_ping ping = { 4, a.endpoint, b.endpoint, expiration_s, has_enr_seq, enr_seq };
	struct discv4_pong pong = { b.endpoint, slice_of(a.key, 32), expiration_s, has_enr_seq,
				    enr_seq };
	uint8_t out[2 * DISCV4_PACKET_MAX];
	struct discv4_packet p;
	struct writer w;
	size_t mark;

	writer_init(&w, out, sizeof(out));
	discv4_begin(&w, DISCV4_PING);
	discv4_ping_encode(&w, &ping);
	discv4_end(&w, 0, &secp, &key);
	read_good(slice_of(out, w.len), &p, NULL);
	assert_true(p.type == DISCV4_PING && p.ping.expiration_s == expiration_s);
	assert_true(enode_endpoint_equal(&p.ping.from, &a.endpoint));
	assert_true(enode_endpoint_equal(&p.ping.to, &b.endpoint));
	assert_true(p.ping.has_enr_seq == has_enr_seq && p.ping.enr_seq == enr_seq);

	/* Behind another packet in the same writer. */
	mark = discv4_begin(&w, DISCV4_PONG);
	discv4_pong_encode(&w, &pong);
	discv4_end(&w, mark, &secp, &key);
	read_good(slice_of(out + mark, w.len - mark), &p, NULL);
	assert_true(p.type == DISCV4_PONG && p.pong.expiration_s == expiration_s);
	assert_true(enode_endpoint_equal(&p.pong.to, &b.endpoint));
	assert_true(slice_equal(p.pong.ping_hash, slice_of(a.key, 32)));
	assert_true(p.pong.has_enr_seq == has_enr_seq && p.pong.enr_seq == enr_seq);
}

static void enr_round_trip(struct random *random, struct slice record)
{
	int64_t expiration_s = (int64_t)random_next(random);
	struct enode node = random_node(random);
	uint8_t out[DISCV4_PACKET_MAX];
	struct discv4_packet p;
	struct writer w;

	writer_init(&w, out, sizeof(out));
	discv4_begin(&w, DISCV4_ENRREQUEST);
	discv4_enrrequest_encode(&w, &(struct discv4_enrrequest){ expiration_s });
	discv4_end(&w, 0, &secp, &key);
	read_good(slice_of(out, w.len), &p, NULL);
	assert_true(p.type == DISCV4_ENRREQUEST && p.enrrequest.expiration_s == expiration_s);

	writer_init(&w, out, sizeof(out));
	discv4_begin(&w, DISCV4_ENRRESPONSE);
	discv4_enrresponse_encode(&w, slice_of(node.key, 32), record);
	discv4_end(&w, 0, &secp, &key);
	read_good(slice_of(out, w.len), &p, NULL);
	assert_true(p.type == DISCV4_ENRRESPONSE);
	assert_true(slice_equal(p.enrresponse.request_hash, slice_of(node.key, 32)));
	assert_true(slice_equal(p.enrresponse.record.raw, record));
	assert_memory_equal(p.enrresponse.record.key, public, sizeof(public));
}

static void round_trips(void **state)
{
	struct random random = { 29 };
	uint8_t record[200];
	struct writer w;

	(void)state;
	writer_init(&w, record, sizeof(record));
	rlp_notation(&w, RECORD);
	for (unsigned n = 0; n < 200; n++) {
		ping_round_trip(&random, n % 2 == 0);
		enr_round_trip(&random, slice_of(record, w.len));
	}
}

static void too_long(void **state)
{
	uint8_t out[2 * DISCV4_PACKET_MAX];
	struct writer w;

	(void)state;
	for (size_t more = 0; more < 2; more++) {
		writer_init(&w, out, sizeof(out));
		discv4_begin(&w, DISCV4_PING);
		writer_zeros(&w, DISCV4_PACKET_MAX - DISCV4_HEADER_LEN + more);
		discv4_end(&w, 0, &secp, &key);
		assert_int_equal(w.err, more == 0 ? ERR_OK : ERR_LIMIT);
	}
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(discv4_type_name(DISCV4_PING), "ping");
	assert_string_equal(discv4_type_name(DISCV4_ENRRESPONSE), "enrresponse");
	assert_null(discv4_type_name(0));
	assert_null(discv4_type_name(7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vector_ping),      cmocka_unit_test(vector_ping_more),
		cmocka_unit_test(vector_findnode),  cmocka_unit_test(vector_neighbors),
		cmocka_unit_test(vectors_rebuilt),  cmocka_unit_test(lists),
		cmocka_unit_test(long_packets),     cmocka_unit_test(old_software),
		cmocka_unit_test(envelopes),        cmocka_unit_test(neighbors_split),
		cmocka_unit_test(neighbors_limits), cmocka_unit_test(round_trips),
		cmocka_unit_test(too_long),         cmocka_unit_test(names),
		cmocka_unit_test(expected_signers),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
