#include "proto/ethereum/discv4_wire.h"

#include "base/keccak.h"

#include <assert.h>
#include <string.h>

enum { TYPE_AT = DISCV4_HASH_LEN + SECP_SIGNATURE_LEN };

static const char hash_rule[] = "hash: Keccak-256 of all that follows it";
static const char signature_rule[] = "signature: one that somebody can have made";
static const char type_rule[] = "type: 1 to 6";

const char *discv4_type_name(unsigned type)
{
	switch ((enum discv4_type)type) {
	case DISCV4_PING:
		return "ping";
	case DISCV4_PONG:
		return "pong";
	case DISCV4_FINDNODE:
		return "findnode";
	case DISCV4_NEIGHBORS:
		return "neighbors";
	case DISCV4_ENRREQUEST:
		return "enrrequest";
	case DISCV4_ENRRESPONSE:
		return "enrresponse";
	}
	return NULL;
}

/* Software of all ages has sent 0, 4 and 16 bytes here; others are no reason to end a
 * talk over what nobody relies on. */
static struct netaddr read_addr(struct reader *r)
{
	char text[NETADDR_HOST_TEXT_MAX] = "no address";
	struct rlp_item item = rlp_peek(r, "ip");
	struct netaddr a = { .kind = NETADDR_NONE };

	if (reader_ok(r) && item.is_list)
		reader_fail(r, ERR_VALUE, "ip: no list is expected here");
	if (!reader_ok(r))
		return a;
	a = enode_addr(item.payload, 0);
	/* For who looks; nearly nobody does. */
	if (a.kind != NETADDR_NONE && r->on_field != NULL)
		netaddr_host_text(&a, text);
	rlp_pass(r, &item);
	rlp_tell(r, "ip", a.kind != NETADDR_NONE ? FIELD_ADDR : FIELD_BYTES, &item, 0, text);
	return a;
}

/* The three elements that endpoints and nodes begin with; the last may be missing. */
static void read_endpoint_fields(struct reader *r, struct enode_endpoint *out)
{
	out->addr = read_addr(r);
	out->addr.port = (uint16_t)rlp_uint(r, 2, RLP_LENIENT, "udp port");
	out->tcp_port = rlp_more(r) ? (uint16_t)rlp_uint(r, 2, RLP_LENIENT, "tcp port") : 0;
}

static void read_endpoint(struct reader *r, const char *name, struct enode_endpoint *out)
{
	struct rlp_list list = rlp_enter(r, name);

	read_endpoint_fields(r, out);
	rlp_leave(r, &list);
}

static int64_t read_expiration(struct reader *r)
{
	return (int64_t)rlp_uint_as(r, 8, RLP_LENIENT, FIELD_TIME, "expiration");
}

static struct slice read_hash(struct reader *r, const char *name)
{
	return rlp_bytes(r, DISCV4_HASH_LEN, DISCV4_HASH_LEN, name, "hash: 32 bytes");
}

/* EIP-868. Elements that others put here are ignored, as any that nobody knows. */
static bool read_enr_seq(struct reader *r, uint64_t *out)
{
	struct reader copy = *r;

	*out = 0;
	if (!rlp_more(r))
		return false;
	copy.on_field = NULL;
	rlp_uint(&copy, 8, RLP_LENIENT, "enr seq");
	if (!reader_ok(&copy))
		return false;
	*out = rlp_uint(r, 8, RLP_LENIENT, "enr seq");
	return true;
}

static void ping_decode(struct reader *r, struct discv4_ping *out)
{
	out->version = rlp_uint(r, 8, RLP_LENIENT, "version");
	read_endpoint(r, "from", &out->from);
	read_endpoint(r, "to", &out->to);
	out->expiration_s = read_expiration(r);
	out->has_enr_seq = read_enr_seq(r, &out->enr_seq);
}

static void pong_decode(struct reader *r, struct discv4_pong *out)
{
	read_endpoint(r, "to", &out->to);
	out->ping_hash = read_hash(r, "ping hash");
	out->expiration_s = read_expiration(r);
	out->has_enr_seq = read_enr_seq(r, &out->enr_seq);
}

static struct slice read_key(struct reader *r, const char *name)
{
	return rlp_bytes(r, SECP_PUBLIC_LEN, SECP_PUBLIC_LEN, name, "public key: 64 bytes");
}

static void findnode_decode(struct reader *r, struct discv4_findnode *out)
{
	out->target = read_key(r, "target");
	out->expiration_s = read_expiration(r);
}

static void read_node(struct reader *r, struct enode *out)
{
	struct rlp_list list = rlp_enter(r, "node");
	struct slice key;

	read_endpoint_fields(r, &out->endpoint);
	key = read_key(r, "public key");
	rlp_leave(r, &list);
	if (reader_ok(r))
		memcpy(out->key, key.data, sizeof(out->key));
}

static void neighbors_decode(struct reader *r, struct discv4_neighbors *out)
{
	struct rlp_list list = rlp_enter(r, "nodes");
	size_t start = r->at;
	struct enode node;

	out->count = 0;
	for (; rlp_more(r); out->count++) {
		if (out->count == DISCV4_NEIGHBORS_MAX) {
			reader_fail(r, ERR_LIMIT, "nodes: no more than 16");
			break;
		}
		reader_group(r, "node", out->count);
		read_node(r, &node);
	}
	out->nodes = reader_ok(r) ? slice_of(r->data + start, r->at - start) : slice_of(NULL, 0);
	rlp_leave(r, &list);
	out->expiration_s = read_expiration(r);
}

bool discv4_neighbors_next(struct reader *nodes, struct enode *out)
{
	*out = (struct enode){ 0 };
	if (!rlp_more(nodes))
		return false;
	read_node(nodes, out);
	return reader_ok(nodes);
}

static void enrresponse_decode(struct reader *r, struct discv4_enrresponse *out)
{
	out->request_hash = read_hash(r, "request hash");
	enr_decode(r, &out->record);
}

static void list_decode(struct reader *r, struct discv4_packet *out)
{
	struct rlp_list list = rlp_enter(r, "data");

	switch (out->type) {
	case DISCV4_PING:
		ping_decode(r, &out->ping);
		break;
	case DISCV4_PONG:
		pong_decode(r, &out->pong);
		break;
	case DISCV4_FINDNODE:
		findnode_decode(r, &out->findnode);
		break;
	case DISCV4_NEIGHBORS:
		neighbors_decode(r, &out->neighbors);
		break;
	case DISCV4_ENRREQUEST:
		out->enrrequest.expiration_s = read_expiration(r);
		break;
	case DISCV4_ENRRESPONSE:
		enrresponse_decode(r, &out->enrresponse);
		break;
	}
	rlp_leave(r, &list);
}

static uint8_t read_type(struct reader *r)
{
	size_t at = r->at;
	field_fn *hook = r->on_field;
	uint8_t type;

	r->on_field = NULL;
	type = reader_u8(r, "type");
	r->on_field = hook;
	reader_tell(r, &(struct field){ .name = "type",
					.kind = FIELD_UINT,
					.at = at,
					.len = r->at - at,
					.value = type,
					.bytes = { r->data + at, r->at - at },
					.text = discv4_type_name(type) });
	return type;
}

/* How to learn who signed. */
struct signer {
	bool trusted;            /* not at all */
	const uint8_t *expected; /* this key has probably; NULL: anybody */
};

static bool has_signed(const uint8_t *expected, struct slice whole, const uint8_t hash[static 32])
{
	return expected != NULL && secp_verify(whole.data + DISCV4_HASH_LEN, hash, expected);
}

/* The specification's order: first the hash, then who signed. */
static void check_envelope(struct reader *r, struct discv4_packet *out, const struct signer *signer)
{
	struct slice whole = slice_of(r->data, r->len);
	uint8_t hash[32];

	keccak_256(slice_from(whole, DISCV4_HASH_LEN), hash);
	if (memcmp(hash, whole.data, sizeof(hash)) != 0) {
		reader_fail(r, ERR_CHECKSUM, hash_rule);
		return;
	}
	if (signer->trusted)
		return;
	keccak_256(slice_from(whole, TYPE_AT), hash);
	/* The specification allows the recovery ids 0 and 1 alone. */
	if (whole.data[TYPE_AT - 1] > 1)
		reader_fail_at(r, ERR_VALUE, DISCV4_HASH_LEN, signature_rule);
	else if (has_signed(signer->expected, whole, hash))
		memcpy(out->signer, signer->expected, sizeof(out->signer));
	else if (!secp_recover(whole.data + DISCV4_HASH_LEN, hash, out->signer))
		reader_fail_at(r, ERR_VALUE, DISCV4_HASH_LEN, signature_rule);
}

static void packet_read(struct reader *r, struct discv4_packet *out)
{
	uint8_t type;

	out->hash = reader_bytes(r, DISCV4_HASH_LEN, "hash");
	reader_bytes(r, SECP_SIGNATURE_LEN, "signature");
	reader_tell(r, &(struct field){ .name = "signer",
					.kind = FIELD_BYTES,
					.at = r->at,
					.bytes = { out->signer, sizeof(out->signer) },
					.text = "computed" });
	type = read_type(r);
	if (reader_ok(r) && discv4_type_name(type) == NULL)
		reader_fail_at(r, ERR_VALUE, TYPE_AT, type_rule);
	if (!reader_ok(r))
		return;
	out->type = (enum discv4_type)type;
	out->len = r->len;
	list_decode(r, out);
	if (reader_left(r) > 0)
		reader_bytes(r, reader_left(r), "ignored");
}

static void decode(struct reader *r, struct discv4_packet *out, size_t max, const char *max_rule,
		   const struct signer *signer)
{
	struct reader copy = *r;

	assert(r->at == 0);
	*out = (struct discv4_packet){ .type = DISCV4_PING };
	if (r->len < DISCV4_PACKET_MIN)
		reader_fail_at(r, ERR_SHORT, r->len, "packet: at least 98 bytes");
	else if (r->len > max)
		reader_fail_at(r, ERR_LIMIT, max, max_rule);
	else
		check_envelope(r, out, signer);
	if (reader_ok(r)) {
		packet_read(r, out);
		return;
	}
	/* Nobody has said any of it; who looks wants to see it all the same. */
	if (copy.on_field != NULL)
		packet_read(&copy, out);
	*out = (struct discv4_packet){ .type = DISCV4_PING };
}

void discv4_decode(struct reader *r, struct discv4_packet *out)
{
	decode(r, out, DISCV4_PACKET_MAX, "packet: at most 1280 bytes", &(struct signer){ 0 });
}

void discv4_decode_long(struct reader *r, struct discv4_packet *out)
{
	decode(r, out, DISCV4_LONG_MAX, "packet: at most 2048 bytes", &(struct signer){ 0 });
}

void discv4_decode_from(struct reader *r, const uint8_t expected[static SECP_PUBLIC_LEN],
			struct discv4_packet *out)
{
	decode(r, out, DISCV4_LONG_MAX, "packet: at most 2048 bytes",
	       &(struct signer){ .expected = expected });
}

void discv4_decode_unproven(struct reader *r, struct discv4_packet *out)
{
	decode(r, out, DISCV4_PACKET_MAX, "packet: at most 1280 bytes",
	       &(struct signer){ .trusted = true });
}

size_t discv4_begin(struct writer *w, enum discv4_type type)
{
	size_t mark = w->len;

	writer_zeros(w, TYPE_AT);
	writer_u8(w, (uint8_t)type);
	return mark;
}

void discv4_end(struct writer *w, size_t mark, const struct secp *s, const struct secp_key *key)
{
	uint8_t hash[32];
	struct slice packet;

	if (writer_ok(w) && w->len - mark > DISCV4_PACKET_MAX)
		writer_fail(w, ERR_LIMIT);
	if (!writer_ok(w))
		return;
	assert(w->len - mark >= DISCV4_PACKET_MIN);
	packet = slice_of(w->data + mark, w->len - mark);
	keccak_256(slice_from(packet, TYPE_AT), hash);
	secp_sign(s, key, hash, w->data + mark + DISCV4_HASH_LEN);
	keccak_256(slice_from(packet, DISCV4_HASH_LEN), w->data + mark);
}

static void put_endpoint_fields(struct writer *w, const struct enode_endpoint *e)
{
	rlp_put_bytes(w, slice_of(e->addr.bytes, netaddr_len(e->addr.kind)));
	rlp_put_uint(w, e->addr.port);
	rlp_put_uint(w, e->tcp_port);
}

static void put_endpoint(struct writer *w, const struct enode_endpoint *e)
{
	size_t list = rlp_put_list(w);

	assert(netaddr_is_ip(&e->addr) || e->addr.kind == NETADDR_NONE);
	put_endpoint_fields(w, e);
	rlp_end_list(w, list);
}

void discv4_ping_encode(struct writer *w, const struct discv4_ping *m)
{
	size_t list = rlp_put_list(w);

	rlp_put_uint(w, m->version);
	put_endpoint(w, &m->from);
	put_endpoint(w, &m->to);
	rlp_put_uint(w, (uint64_t)m->expiration_s);
	if (m->has_enr_seq)
		rlp_put_uint(w, m->enr_seq);
	rlp_end_list(w, list);
}

void discv4_pong_encode(struct writer *w, const struct discv4_pong *m)
{
	size_t list = rlp_put_list(w);

	put_endpoint(w, &m->to);
	rlp_put_bytes(w, m->ping_hash);
	rlp_put_uint(w, (uint64_t)m->expiration_s);
	if (m->has_enr_seq)
		rlp_put_uint(w, m->enr_seq);
	rlp_end_list(w, list);
}

void discv4_findnode_encode(struct writer *w, const struct discv4_findnode *m)
{
	size_t list = rlp_put_list(w);

	rlp_put_bytes(w, m->target);
	rlp_put_uint(w, (uint64_t)m->expiration_s);
	rlp_end_list(w, list);
}

void discv4_enrrequest_encode(struct writer *w, const struct discv4_enrrequest *m)
{
	size_t list = rlp_put_list(w);

	rlp_put_uint(w, (uint64_t)m->expiration_s);
	rlp_end_list(w, list);
}

void discv4_enrresponse_encode(struct writer *w, struct slice request_hash, struct slice record)
{
	size_t list = rlp_put_list(w);

	rlp_put_bytes(w, request_hash);
	writer_slice(w, record);
	rlp_end_list(w, list);
}

static size_t node_size(const struct enode *n)
{
	const struct enode_endpoint *e = &n->endpoint;

	return rlp_list_size(rlp_bytes_size(slice_of(e->addr.bytes, netaddr_len(e->addr.kind))) +
			     rlp_uint_size(e->addr.port) + rlp_uint_size(e->tcp_port) +
			     rlp_bytes_size(slice_of(n->key, sizeof(n->key))));
}

static void put_node(struct writer *w, const struct enode *n)
{
	size_t list = rlp_put_list(w);

	assert(netaddr_is_ip(&n->endpoint.addr) || n->endpoint.addr.kind == NETADDR_NONE);
	put_endpoint_fields(w, &n->endpoint);
	rlp_put_bytes(w, slice_of(n->key, sizeof(n->key)));
	rlp_end_list(w, list);
}

size_t discv4_neighbors_encode(struct writer *w, const struct enode *nodes, size_t count,
			       int64_t expiration_s)
{
	size_t outer = rlp_put_list(w), inner = rlp_put_list(w), used = 0, n = 0;

	for (; n < count && n < DISCV4_NEIGHBORS_MAX; n++) {
		size_t more = used + node_size(&nodes[n]);

		if (DISCV4_HEADER_LEN + rlp_list_size(rlp_list_size(more) +
						      rlp_uint_size((uint64_t)expiration_s)) >
		    DISCV4_PACKET_MAX)
			break;
		put_node(w, &nodes[n]);
		used = more;
	}
	rlp_end_list(w, inner);
	rlp_put_uint(w, (uint64_t)expiration_s);
	rlp_end_list(w, outer);
	return n;
}
