/* fuzz_discv4.c: packets of discovery v4.
 *
 * A fuzzer guesses no hash: each input is tried as a packet, and as a type and a list in an
 * envelope that fits. What was understood, written and read again, is the same. */
#include "base/keccak.h"
#include "fuzz/fields.h"
#include "proto/ethereum/discv4_wire.h"

enum { ENVELOPE_LEN = DISCV4_HEADER_LEN - 1, NODES_MAX = DISCV4_NEIGHBORS_MAX };

/* r is the x coordinate of the curve's generator, s is 1: somebody's signature, whatever
 * the packet. */
static const uint8_t signature[SECP_SIGNATURE_LEN] = {
	0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62,
	0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce,
	0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98, [63] = 1,
};

static void close_envelope(uint8_t *packet, size_t len)
{
	memcpy(packet + DISCV4_HASH_LEN, signature, sizeof(signature));
	keccak_256(slice_of(packet + DISCV4_HASH_LEN, len - DISCV4_HASH_LEN), packet);
}

static size_t read_nodes(const struct discv4_neighbors *n, struct enode *out)
{
	struct reader r;
	size_t count = 0;

	reader_init(&r, n->nodes);
	while (count < NODES_MAX && discv4_neighbors_next(&r, &out[count]))
		count++;
	CHECK(reader_ok(&r) && reader_left(&r) == 0 && count == n->count);
	return count;
}

static void encode(struct writer *w, const struct discv4_packet *p)
{
	struct enode nodes[NODES_MAX];
	size_t count;

	discv4_begin(w, p->type);
	switch (p->type) {
	case DISCV4_PING:
		discv4_ping_encode(w, &p->ping);
		break;
	case DISCV4_PONG:
		discv4_pong_encode(w, &p->pong);
		break;
	case DISCV4_FINDNODE:
		discv4_findnode_encode(w, &p->findnode);
		break;
	case DISCV4_NEIGHBORS:
		count = read_nodes(&p->neighbors, nodes);
		CHECK(discv4_neighbors_encode(w, nodes, count, p->neighbors.expiration_s) == count);
		break;
	case DISCV4_ENRREQUEST:
		discv4_enrrequest_encode(w, &p->enrrequest);
		break;
	case DISCV4_ENRRESPONSE:
		discv4_enrresponse_encode(w, p->enrresponse.request_hash,
					  p->enrresponse.record.raw);
		break;
	}
	CHECK(writer_ok(w));
	close_envelope(w->data, w->len);
}

/* The other ways to read it: for who knows of whom it should be, and for long ones. */
static void check_ways(struct slice in, const struct discv4_packet *p)
{
	static const uint8_t nobody[SECP_PUBLIC_LEN];
	struct discv4_packet other;
	struct reader r;

	reader_init(&r, in);
	discv4_decode_long(&r, &other);
	CHECK(reader_ok(&r) && other.type == p->type);
	CHECK(memcmp(other.signer, p->signer, sizeof(p->signer)) == 0);
	reader_init(&r, in);
	discv4_decode_from(&r, p->signer, &other);
	CHECK(reader_ok(&r) && other.type == p->type);
	CHECK(memcmp(other.signer, p->signer, sizeof(p->signer)) == 0);
	reader_init(&r, in);
	discv4_decode_from(&r, nobody, &other);
	CHECK(reader_ok(&r) && memcmp(other.signer, p->signer, sizeof(p->signer)) == 0);
}

static void check(struct slice in)
{
	uint8_t first[DISCV4_PACKET_MAX], second[DISCV4_PACKET_MAX];
	struct discv4_packet p, back;
	struct reader told, quiet;
	struct writer w, again;
	size_t end = 0;

	reader_init(&told, in);
	told.on_field = check_field;
	told.on_field_ctx = &end;
	discv4_decode(&told, &p);
	reader_init(&quiet, in);
	discv4_decode(&quiet, &p);
	check_verdicts(&told, &quiet, end);
	if (!reader_ok(&quiet))
		return;
	CHECK(quiet.at == in.len && secp_public_valid(p.signer));
	check_ways(in, &p);
	writer_init(&w, first, sizeof(first));
	encode(&w, &p);
	reader_init(&quiet, slice_of(first, w.len));
	discv4_decode(&quiet, &back);
	CHECK(reader_ok(&quiet) && back.type == p.type);
	writer_init(&again, second, sizeof(second));
	encode(&again, &back);
	CHECK(slice_equal(slice_of(first, w.len), slice_of(second, again.len)));
}

/* Whatever its length. */
static void check_long(struct slice in)
{
	uint8_t packet[DISCV4_LONG_MAX];
	struct enode nodes[DISCV4_LONG_MAX / 16];
	struct discv4_packet p;
	struct reader r, list;
	size_t count = 0;

	if (in.len < 1 || in.len > sizeof(packet) - ENVELOPE_LEN)
		return;
	memcpy(packet + ENVELOPE_LEN, in.data, in.len);
	close_envelope(packet, ENVELOPE_LEN + in.len);
	reader_init(&r, slice_of(packet, ENVELOPE_LEN + in.len));
	discv4_decode_long(&r, &p);
	if (!reader_ok(&r) || p.type != DISCV4_NEIGHBORS)
		return;
	reader_init(&list, p.neighbors.nodes);
	while (count < sizeof(nodes) / sizeof(*nodes) &&
	       discv4_neighbors_next(&list, &nodes[count]))
		count++;
	CHECK(reader_ok(&list) && count == p.neighbors.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t packet[DISCV4_PACKET_MAX];

	check(slice_of(data, size));
	check_long(slice_of(data, size));
	if (size < 1 || size > sizeof(packet) - ENVELOPE_LEN)
		return 0;
	memcpy(packet + ENVELOPE_LEN, data, size);
	close_envelope(packet, ENVELOPE_LEN + size);
	check(slice_of(packet, ENVELOPE_LEN + size));
	return 0;
}
