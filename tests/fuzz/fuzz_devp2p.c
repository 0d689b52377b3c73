/* fuzz_devp2p.c: the messages of devp2p and eth, and the packets of RLPx's handshake.
 *
 * The first byte chooses one. Whatever is accepted, is written and read again: it says the
 * same. A packet is the input in a good envelope, as no fuzzer finds a MAC. */
#include "fuzz/fuzz.h"
#include "proto/ethereum/eth.h"
#include "proto/ethereum/rlpx.h"
#include "proto/ethereum/snappy.h"

#include <string.h>

static void check_hello(struct slice in)
{
	static struct p2p_hello a, b;
	uint8_t out[8192];
	struct reader r;
	struct writer w;

	reader_init(&r, in);
	p2p_hello_decode(&r, &a);
	if (!reader_ok(&r))
		return;
	CHECK(a.caps_count <= P2P_CAPS_MAX && a.caps_count <= a.caps_said);
	writer_init(&w, out, sizeof(out));
	p2p_hello_encode(&w, &a);
	CHECK(writer_ok(&w));
	reader_init(&r, slice_of(out, w.len));
	p2p_hello_decode(&r, &b);
	CHECK(reader_ok(&r) && reader_left(&r) == 0);
	CHECK(a.version == b.version && a.listen_port == b.listen_port);
	CHECK(slice_equal(a.client, b.client) && memcmp(a.key, b.key, sizeof(a.key)) == 0);
	CHECK(a.caps_count == b.caps_count && b.caps_said == b.caps_count);
	CHECK(memcmp(a.caps, b.caps, sizeof(a.caps)) == 0);
}

static void check_shared(struct slice in)
{
	static struct p2p_hello hello;
	struct p2p_shared shared[ETH_VERSIONS];
	struct reader r;
	size_t n;

	reader_init(&r, in);
	p2p_hello_decode(&r, &hello);
	n = p2p_share(eth_offers, ETH_VERSIONS, &hello, shared);
	CHECK(n <= 1);
	CHECK(n == 0 || shared[0].first_id == P2P_FIRST_SHARED);
}

static void check_disconnect(struct slice in)
{
	uint8_t reason = 0, again = 0, out[8];
	struct writer w;

	p2p_disconnect_read(in, true, &again);
	if (!p2p_disconnect_read(in, false, &reason))
		return;
	writer_init(&w, out, sizeof(out));
	p2p_disconnect_encode(&w, (enum p2p_reason)reason);
	CHECK(p2p_disconnect_read(slice_of(out, w.len), false, &again) && again == reason);
	CHECK(p2p_disconnect_read(slice_of(out, w.len), true, &again) && again == reason);
	CHECK(p2p_reason_text(reason) != NULL);
}

static void check_status(struct slice in)
{
	uint32_t version = ETH_VERSION_FIRST + in.data[0] % ETH_VERSIONS;
	struct eth_status a, b;
	uint8_t out[512];
	struct reader r;
	struct writer w;

	reader_init(&r, slice_from(in, 1));
	eth_status_decode(&r, version, &a);
	if (!reader_ok(&r))
		return;
	writer_init(&w, out, sizeof(out));
	eth_status_encode(&w, &a);
	CHECK(writer_ok(&w));
	reader_init(&r, slice_of(out, w.len));
	eth_status_decode(&r, version, &b);
	CHECK(reader_ok(&r) && reader_left(&r) == 0);
	CHECK(a.version == version && b.version == version && a.network_id == b.network_id);
	CHECK(memcmp(a.genesis, b.genesis, 32) == 0 && memcmp(a.head, b.head, 32) == 0);
	CHECK(memcmp(a.difficulty, b.difficulty, 32) == 0);
	CHECK(memcmp(a.forkid.hash, b.forkid.hash, 4) == 0 && a.forkid.next == b.forkid.next);
	CHECK(a.earliest == b.earliest && a.latest == b.latest);
}

static void check_snappy(struct slice in)
{
	uint8_t out[4096], packed[4096 + SNAPPY_OVERHEAD], again[4096];
	struct writer w;
	size_t len, len2;

	if (snappy_unpack(in, out, sizeof(out), &len) != ERR_OK)
		return;
	CHECK(len <= sizeof(out));
	writer_init(&w, packed, sizeof(packed));
	snappy_pack(&w, slice_of(out, len));
	CHECK(writer_ok(&w));
	CHECK(snappy_unpack(slice_of(packed, w.len), again, sizeof(again), &len2) == ERR_OK);
	CHECK(len == len2 && memcmp(out, again, len) == 0);
}

static void check_packet(enum session_role role, struct slice text)
{
	static struct secp secp;
	static bool ready;
	struct rlpx_local local = { .secp = &secp };
	uint8_t packet[RLPX_SIZE_LEN + RLPX_PACKET_MAX], public[SECP_PUBLIC_LEN];
	size_t len = text.len + ECIES_OVERHEAD;
	struct rlpx_handshake h;
	const char *rule;

	if (!ready) {
		const uint8_t random[SECP_RANDOM_LEN] = { 1 };

		secp_init(&secp, random);
		ready = true;
	}
	memset(local.key.bytes, 1, SECP_KEY_LEN);
	memset(local.ephemeral.bytes, 2, SECP_KEY_LEN);
	memset(local.ecies.ephemeral.bytes, 3, SECP_KEY_LEN);
	if (len < RLPX_PACKET_MIN || len > RLPX_PACKET_MAX)
		return;
	secp_public(&secp, &local.key, public);
	packet[0] = (uint8_t)(len >> 8);
	packet[1] = (uint8_t)len;
	CHECK(ecies_encrypt(&secp, public, &local.ecies, slice_of(packet, RLPX_SIZE_LEN), text,
			    packet + RLPX_SIZE_LEN));
	rlpx_handshake_init(&h, role, &local, role == SESSION_INITIATOR ? public : NULL);
	rule = role == SESSION_INITIATOR
		       ? rlpx_ack_read(&h, slice_of(packet, RLPX_SIZE_LEN + len))
		       : rlpx_auth_read(&h, slice_of(packet, RLPX_SIZE_LEN + len));
	if (rule == NULL) {
		struct rlpx_secrets secrets;

		CHECK(secp_public_valid(h.remote_ephemeral) && secp_public_valid(h.remote));
		rlpx_secrets_derive(&h, &secrets);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in;

	if (size < 2 || size > 4096)
		return 0;
	in = slice_of(data + 1, size - 1);
	switch (data[0] % 6) {
	case 0:
		check_hello(in);
		check_shared(in);
		break;
	case 1:
		check_disconnect(in);
		break;
	case 2:
		check_status(in);
		break;
	case 3:
		check_snappy(in);
		break;
	case 4:
		check_packet(SESSION_INITIATOR, in);
		break;
	case 5:
		check_packet(SESSION_RESPONDER, in);
		break;
	}
	return 0;
}
