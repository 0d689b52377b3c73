/* test_rlpx.c: RLPx's handshake against EIP-8's vectors, its frames against themselves. */
#include "base/text.h"
#include "proto/ethereum/rlp.h"
#include "proto/ethereum/rlpx.h"
#include "unit/rlpx_vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bytes {
	uint8_t data[RLPX_PACKET_MAX + RLPX_SIZE_LEN + 1];
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

static void expect_hex(const char *name, const uint8_t *data, size_t len, const char *expected)
{
	char text[256];

	assert_true(2 * len < sizeof(text));
	hex_encode(slice_of(data, len), text);
	if (strcmp(text, expected) != 0)
		fail_msg("%s: %s", name, text);
}

static struct secp secp;

static int start(void **state)
{
	const uint8_t random[SECP_RANDOM_LEN] = { 1, 2, 3 };

	(void)state;
	secp_init(&secp, random);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	secp_clear(&secp);
	return 0;
}

static void set_key(struct secp_key *key, const char *text)
{
	assert_true(secp_key_init(key, hex(text).data));
}

static struct rlpx_local local(const char *key, const char *ephemeral, const char *nonce)
{
	struct rlpx_local l = { .secp = &secp, .padding = 7 };

	set_key(&l.key, key);
	set_key(&l.ephemeral, ephemeral);
	memcpy(l.nonce, hex(nonce).data, sizeof(l.nonce));
	/* Of the test's own: EIP-8 doesn't publish these. */
	memset(l.ecies.ephemeral.bytes, 0x55, sizeof(l.ecies.ephemeral.bytes));
	memset(l.ecies.iv, 0x66, sizeof(l.ecies.iv));
	return l;
}

static void begin(struct rlpx_handshake *a, struct rlpx_handshake *b)
{
	struct rlpx_local la = local(eip8_static_key_a, eip8_ephemeral_key_a, eip8_nonce_a);
	struct rlpx_local lb = local(eip8_static_key_b, eip8_ephemeral_key_b, eip8_nonce_b);
	uint8_t public[SECP_PUBLIC_LEN];

	secp_public(&secp, &lb.key, public);
	rlpx_handshake_init(a, SESSION_INITIATOR, &la, public);
	rlpx_handshake_init(b, SESSION_RESPONDER, &lb, NULL);
}

static const struct {
	const char *name, *auth, *ack;
} published[] = {
	{ "version 4", eip8_auth2, eip8_ack2 },
	{ "later versions, with more elements", eip8_auth3, eip8_ack3 },
};

static void packets_of_eip8(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(published) / sizeof(*published); i++) {
		const char *name = published[i].name;
		struct bytes auth = hex(published[i].auth), ack = hex(published[i].ack);
		uint8_t public[SECP_PUBLIC_LEN];
		struct rlpx_handshake a, b;
		const char *rule;

		begin(&a, &b);
		assert_int_equal(rlpx_packet_len(slice(&auth)), auth.len);
		assert_int_equal(rlpx_packet_len(slice(&ack)), ack.len);
		rule = rlpx_auth_read(&b, slice(&auth));
		if (rule == NULL)
			rule = rlpx_ack_read(&a, slice(&ack));
		if (rule != NULL)
			fail_msg("%s: %s", name, rule);
		secp_public(&secp, &a.local.key, public);
		assert_memory_equal(b.remote, public, sizeof(public));
		secp_public(&secp, &a.local.ephemeral, public);
		assert_memory_equal(b.remote_ephemeral, public, sizeof(public));
		secp_public(&secp, &b.local.ephemeral, public);
		assert_memory_equal(a.remote_ephemeral, public, sizeof(public));
		expect_hex(name, b.remote_nonce, sizeof(b.remote_nonce), eip8_nonce_a);
		expect_hex(name, a.remote_nonce, sizeof(a.remote_nonce), eip8_nonce_b);
	}
}

static void secrets_of_eip8(void **state)
{
	struct bytes auth = hex(eip8_auth2), ack = hex(eip8_ack2);
	struct rlpx_handshake a, b;
	struct rlpx_secrets of_a, of_b;
	struct rlpx_frames frames;
	uint8_t digest[32];

	(void)state;
	begin(&a, &b);
	assert_null(rlpx_auth_read(&b, slice(&auth)));
	assert_null(rlpx_ack_read(&a, slice(&ack)));
	rlpx_secrets_derive(&b, &of_b);
	expect_hex("aes", of_b.aes, 32, eip8_aes_secret);
	expect_hex("mac", of_b.mac, 32, eip8_mac_secret);
	rlpx_secrets_derive(&a, &of_a);
	assert_memory_equal(&of_a, &of_b, sizeof(of_a));

	rlpx_frames_init(&frames, &b, slice(&auth));
	keccak_update(&frames.ingress, slice_text("foo"));
	keccak_digest(&frames.ingress, digest);
	expect_hex("ingress", digest, sizeof(digest), eip8_ingress_mac_foo);
}

/* What stands in a packet that B can open; returns the signature. */
static void inside(const struct rlpx_handshake *b, struct slice packet, uint8_t signature[65],
		   size_t *padding)
{
	uint8_t text[RLPX_PACKET_MAX];
	struct rlp_list list;
	struct slice field;
	struct reader r;

	assert_true(ecies_decrypt(&secp, &b->local.key, slice_of(packet.data, 2),
				  slice_from(packet, 2), text));
	reader_init(&r, slice_of(text, packet.len - 2 - ECIES_OVERHEAD));
	list = rlp_enter(&r, "auth");
	field = rlp_bytes(&r, 65, 65, "signature", "");
	assert_true(reader_ok(&r));
	memcpy(signature, field.data, 65);
	rlp_bytes(&r, 64, 64, "key", "");
	field = rlp_bytes(&r, 32, 32, "nonce", "");
	assert_true(reader_ok(&r));
	expect_hex("nonce", field.data, field.len, eip8_nonce_a);
	assert_int_equal(rlp_uint(&r, 1, RLP_STRICT, "version"), 4);
	assert_int_equal(reader_left(&r), 0);
	rlp_leave(&r, &list);
	*padding = reader_left(&r);
}

/* Ours can't be compared byte by byte, as EIP-8 says nothing of the keys of its ECIES, and
 * its signature was not made the deterministic way. What is within can. */
static void our_auth(void **state)
{
	struct bytes published_auth = hex(eip8_auth2);
	struct rlpx_handshake a, b;
	uint8_t signature[65], public[SECP_PUBLIC_LEN];
	struct slice packet;
	size_t padding;

	(void)state;
	begin(&a, &b);
	inside(&b, slice(&published_auth), signature, &padding);
	expect_hex("signature", signature, sizeof(signature), eip8_auth_signature);
	packet = rlpx_auth_write(&a);
	assert_int_equal(rlpx_packet_len(packet), packet.len);
	inside(&b, packet, signature, &padding);
	assert_int_equal(padding, RLPX_PADDING_MIN + 7);
	/* Recovered from the signature. */
	assert_null(rlpx_auth_read(&b, packet));
	secp_public(&secp, &a.local.ephemeral, public);
	assert_memory_equal(b.remote_ephemeral, public, sizeof(public));
}

static void shake(struct rlpx_handshake *a, struct rlpx_handshake *b, struct rlpx_frames *fa,
		  struct rlpx_frames *fb)
{
	begin(a, b);
	assert_null(rlpx_auth_read(b, rlpx_auth_write(a)));
	assert_null(rlpx_ack_read(a, rlpx_ack_write(b)));
	rlpx_frames_init(fa, a, slice_of(b->sent, b->sent_len));
	rlpx_frames_init(fb, b, slice_of(a->sent, a->sent_len));
}

/* The longest and the shortest packet that we send. */
static void paddings(void **state)
{
	const uint8_t rows[] = { 0, 255 };
	struct rlpx_handshake a, b;

	(void)state;
	for (size_t i = 0; i < sizeof(rows); i++) {
		begin(&a, &b);
		a.local.padding = b.local.padding = rows[i];
		assert_int_equal(rlpx_auth_write(&a).len, 2 + 113 + 169 + 100 + rows[i]);
		assert_null(rlpx_auth_read(&b, slice_of(a.sent, a.sent_len)));
		assert_int_equal(rlpx_ack_write(&b).len, 2 + 113 + 102 + 100 + rows[i]);
		assert_null(rlpx_ack_read(&a, slice_of(b.sent, b.sent_len)));
	}
}

static void frames_there_and_back(void **state)
{
	static const size_t sizes[] = { 1, 15, 16, 17, 100, 1024 };
	static const size_t pieces[] = { 1, 7, 16, 5000 };
	struct rlpx_handshake a, b;
	struct rlpx_frames fa, fb;
	uint8_t data[1024], wire[2048], got[1024];
	struct rlpx_frames *from = &fa, *to = &fb, *swap;

	(void)state;
	shake(&a, &b, &fa, &fb);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	/* One stream, whose state goes on from row to row, and both ways. */
	for (size_t i = 0; i < 6; i++) {
		for (size_t p = 0; p < 4; p++) {
			struct writer w;
			uint32_t len;
			size_t at = RLPX_HEADER_LEN, end;

			writer_init(&w, wire, rlpx_frame_size(sizes[i]));
			rlpx_frame_write(from, &w, slice_of(data, sizes[i]));
			assert_true(writer_ok(&w));
			assert_int_equal(w.len, rlpx_frame_size(sizes[i]));
			assert_null(rlpx_header_read(to, wire, &len));
			assert_int_equal(len, sizes[i]);
			for (end = at + rlpx_padded(len); at < end;) {
				size_t n = end - at < pieces[p] ? end - at : pieces[p];

				rlpx_data_read(to, slice_of(wire + at, n),
					       got + (at - RLPX_HEADER_LEN));
				at += n;
			}
			assert_null(rlpx_data_check(to, wire + at));
			assert_memory_equal(got, data, len);
			swap = from;
			from = to;
			to = swap;
		}
	}
}

static void a_writer_too_small(void **state)
{
	struct rlpx_handshake a, b;
	struct rlpx_frames fa, fb;
	uint8_t wire[63];
	struct writer w;

	(void)state;
	shake(&a, &b, &fa, &fb);
	writer_init(&w, wire, sizeof(wire));
	rlpx_frame_write(&fa, &w, slice_text("x"));
	assert_int_equal(w.err, ERR_FULL);
	assert_int_equal(w.len, 0);
}

/* Each byte of a frame is covered by one of its MACs. */
static void every_byte_counts(void **state)
{
	struct rlpx_handshake a, b;
	struct rlpx_frames fa, fb;
	uint8_t wire[64], out[16];
	struct writer w;

	(void)state;
	for (size_t i = 0; i < sizeof(wire); i++) {
		const char *rule;
		uint32_t len;

		shake(&a, &b, &fa, &fb);
		writer_init(&w, wire, sizeof(wire));
		rlpx_frame_write(&fa, &w, slice_text("x"));
		wire[i] ^= 0x40;
		rule = rlpx_header_read(&fb, wire, &len);
		if (i < RLPX_HEADER_LEN) {
			assert_string_equal(rule, "frame: the MAC of the header is wrong");
			continue;
		}
		assert_null(rule);
		rlpx_data_read(&fb, slice_of(wire + 32, 16), out);
		assert_string_equal(rlpx_data_check(&fb, wire + 48),
				    "frame: the MAC of the data is wrong");
	}
}

/* --- packets that break a rule --- */

static void packet_sizes(void **state)
{
	static const struct {
		const char *name;
		uint8_t size[2];
		size_t len;
	} rows[] = {
		{ "nothing", { 0, 0 }, 0 },
		{ "one short of a list with a key", { 0, RLPX_PACKET_MIN - 1 }, 0 },
		{ "the shortest", { 0, RLPX_PACKET_MIN }, 2 + RLPX_PACKET_MIN },
		{ "the longest", { 8, 0 }, 2 + RLPX_PACKET_MAX },
		{ "one longer", { 8, 1 }, 0 },
		{ "TLS", { 0x16, 0x03 }, 0 },
		{ "HTTP", { 'G', 'E' }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rlpx_packet_len(slice_of(rows[i].size, 2)) != rows[i].len)
			fail_msg("%s", rows[i].name);
}

/* The elements of a list, before its header is put before them. */
#define KEY_A                                                              \
	"fda1cff674c90c9a197539fe3dfb53086ace64f83ed7c6eabec741f7f381cc80" \
	"3e52ab2cd55d5569bce4347107a310dfd5f88a010cd2ffd1005ca406f1842877"
#define ZEROS_32 "0000000000000000000000000000000000000000000000000000000000000000"
#define ZEROS_64 ZEROS_32 ZEROS_32
#define NONCE    "a0" ZEROS_32
#define SIGNATURE                                                              \
	"b841"                                                                 \
	"299ca6acfd35e3d72d8ba3d1e2b60b5561d5af5218eb5bc182045769eb4226910a30" \
	"1acae3b369fffc4a4899d6b02531e89fd4fe36a2cf0d93607ba470b50f7800"

static const struct {
	const char *name;
	bool ack;
	const char *list, *rule;
} broken[] = {
	{ "auth: good", false, SIGNATURE "b840" KEY_A NONCE "04", NULL },
	{ "auth: no version is none of our business", false, SIGNATURE "b840" KEY_A NONCE, NULL },
	{ "auth: no nonce", false, SIGNATURE "b840" KEY_A, "nonce" },
	{ "auth: a signature too short", false, "b83f" ZEROS_32 ZEROS_32 "b840" KEY_A NONCE,
	  "auth: a signature of 65 bytes" },
	{ "auth: a key of 65 bytes", false, SIGNATURE "b84104" KEY_A NONCE,
	  "auth: a public key of 64 bytes" },
	{ "auth: a nonce of 31 bytes", false,
	  SIGNATURE "b840" KEY_A "9f00000000000000000000000000000000000000000000000000000000000000",
	  "auth: a nonce of 32 bytes" },
	{ "auth: a key off the curve", false, SIGNATURE "b840" ZEROS_64 NONCE,
	  "auth: the public key is no point of the curve" },
	{ "auth: a signature of zeros", false,
	  "b841" ZEROS_64 "00"
	  "b840" KEY_A NONCE "04",
	  "auth: the signature can be nobody's" },
	{ "auth: a recovery id of 4", false,
	  "b841" ZEROS_64 "04"
	  "b840" KEY_A NONCE "04",
	  "auth: the signature can be nobody's" },
	{ "ack: good", true, "b840" KEY_A NONCE "04", NULL },
	{ "ack: a key of 65 bytes", true, "b84104" KEY_A NONCE "04",
	  "ack: an ephemeral key of 64 bytes" },
	{ "ack: no nonce", true, "b840" KEY_A, "nonce" },
	{ "ack: a key off the curve", true, "b840" ZEROS_64 NONCE "04",
	  "ack: the ephemeral key is no point of the curve" },
};

/* Padded with zeros to the length of any packet, as EIP-8 allows. */
static size_t packet_of(const char *elements, const struct rlpx_local *from, const uint8_t *to,
			uint8_t out[RLPX_PACKET_MAX])
{
	uint8_t text[600];
	struct bytes b = hex(elements);
	struct writer w;
	size_t list, len;

	writer_init(&w, text, sizeof(text));
	list = rlp_put_list(&w);
	writer_bytes(&w, b.data, b.len);
	rlp_end_list(&w, list);
	writer_zeros(&w, 120);
	assert_true(writer_ok(&w));
	len = w.len + ECIES_OVERHEAD;
	out[0] = (uint8_t)(len >> 8);
	out[1] = (uint8_t)len;
	assert_true(ecies_encrypt(&secp, to, &from->ecies, slice_of(out, 2), slice_of(text, w.len),
				  out + 2));
	return 2 + len;
}

static void broken_packets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		uint8_t packet[RLPX_PACKET_MAX], public[SECP_PUBLIC_LEN];
		struct rlpx_handshake a, b;
		const char *rule;
		struct slice in;

		begin(&a, &b);
		secp_public(&secp, broken[i].ack ? &a.local.key : &b.local.key, public);
		in = slice_of(packet, packet_of(broken[i].list, &a.local, public, packet));
		rule = broken[i].ack ? rlpx_ack_read(&a, in) : rlpx_auth_read(&b, in);
		if ((rule == NULL) != (broken[i].rule == NULL) ||
		    (rule != NULL && strcmp(rule, broken[i].rule) != 0))
			fail_msg("%s: %s", broken[i].name, rule != NULL ? rule : "accepted");
	}
}

static void changed_packets(void **state)
{
	struct bytes auth = hex(eip8_auth2);
	struct rlpx_handshake a, b;

	(void)state;
	/* The size is covered as well, as long as it is that of a packet. */
	for (size_t i = 2; i < auth.len; i += 13) {
		begin(&a, &b);
		auth.data[i] ^= 1;
		assert_string_equal(rlpx_auth_read(&b, slice(&auth)),
				    "auth: encrypted for another key, or changed on its way");
		auth.data[i] ^= 1;
	}
	begin(&a, &b);
	auth.data[1]--;
	auth.len--;
	assert_non_null(rlpx_auth_read(&b, slice(&auth)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_of_eip8),
		cmocka_unit_test(secrets_of_eip8),
		cmocka_unit_test(our_auth),
		cmocka_unit_test(paddings),
		cmocka_unit_test(frames_there_and_back),
		cmocka_unit_test(a_writer_too_small),
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(packet_sizes),
		cmocka_unit_test(broken_packets),
		cmocka_unit_test(changed_packets),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
