#include "proto/ethereum/enr.h"

#include "base/keccak.h"

#include <assert.h>
#include <string.h>

static const char id_key[] = "id", public_key[] = "secp256k1", scheme[] = "v4";

/* What stands behind the keys that are known, for those who look at a record. */
enum value_kind {
	VALUE_TEXT,
	VALUE_BYTES,
	VALUE_ADDR,
	VALUE_PORT,
	VALUE_FORKID,
};

static const struct known {
	const char *key;
	enum value_kind kind;
} known_keys[] = {
	{ "attnets", VALUE_BYTES },  { "eth", VALUE_FORKID }, { "eth2", VALUE_BYTES },
	{ "id", VALUE_TEXT },        { "ip", VALUE_ADDR },    { "ip6", VALUE_ADDR },
	{ "quic", VALUE_PORT },      { "quic6", VALUE_PORT }, { "secp256k1", VALUE_BYTES },
	{ "syncnets", VALUE_BYTES }, { "tcp", VALUE_PORT },   { "tcp6", VALUE_PORT },
	{ "udp", VALUE_PORT },       { "udp6", VALUE_PORT },
};

static const struct known *find_known(struct slice key)
{
	for (size_t i = 0; i < sizeof(known_keys) / sizeof(*known_keys); i++) {
		if (slice_equal(key, slice_text(known_keys[i].key)))
			return &known_keys[i];
	}
	return NULL;
}

/* A string that has a better form than its bytes; false if it hasn't. */
static bool tell_string(struct reader *r, const struct known *known, const struct rlp_item *item)
{
	char text[NETADDR_HOST_TEXT_MAX];
	struct slice bytes = item->payload;
	struct netaddr a;

	switch (known->kind) {
	case VALUE_TEXT:
		rlp_tell(r, known->key, FIELD_TEXT, item, 0, NULL);
		return true;
	case VALUE_ADDR:
		a = enode_addr(bytes, 0);
		netaddr_host_text(&a, text);
		if (a.kind != NETADDR_NONE)
			rlp_tell(r, known->key, FIELD_ADDR, item, 0, text);
		return a.kind != NETADDR_NONE;
	case VALUE_PORT:
		if (bytes.len < 1 || bytes.len > 2 || bytes.data[0] == 0)
			return false;
		rlp_tell(r, known->key, FIELD_UINT, item,
			 bytes.len == 1 ? bytes.data[0]
					: (uint64_t)bytes.data[0] << 8 | bytes.data[1],
			 NULL);
		return true;
	case VALUE_BYTES:
	case VALUE_FORKID:
		break;
	}
	return false;
}

/* [[hash, next], ...], if it is that; else the reader has not moved. */
static bool read_forkid(struct reader *r, struct forkid *out)
{
	struct reader copy = *r;
	struct rlp_list list;

	/* First without the hook: who hears of a field must not hear of it twice. */
	copy.on_field = NULL;
	list = rlp_enter(&copy, "eth");
	forkid_decode(&copy, out);
	rlp_leave(&copy, &list);
	if (!reader_ok(&copy))
		return false;
	list = rlp_enter(r, "eth");
	forkid_decode(r, out);
	rlp_leave(r, &list);
	return true;
}

/* One value of any kind. What it means is only told: a strange one breaks no rule here. */
static struct slice read_value(struct reader *r, struct slice key)
{
	const struct known *known = find_known(key);
	struct rlp_item item = rlp_peek(r, "value");
	struct forkid forkid;

	if (!reader_ok(r) || known == NULL)
		return rlp_any(r, "value");
	if (known->kind == VALUE_FORKID && read_forkid(r, &forkid))
		return slice_of(r->data + item.at, r->at - item.at);
	if (!item.is_list) {
		struct reader after = *r;

		rlp_pass(&after, &item);
		if (tell_string(&after, known, &item)) {
			*r = after;
			return slice_of(r->data + item.at, r->at - item.at);
		}
	}
	return rlp_any(r, known->key);
}

/* Below zero, zero or above, as strings of bytes are sorted. */
static int compare(struct slice a, struct slice b)
{
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static void read_pairs(struct reader *r)
{
	struct slice before = { 0 };

	for (size_t n = 0; rlp_more(r); n++) {
		size_t at = r->at;
		struct slice key = rlp_text(r, ENR_LEN_MAX, "key", "key: no longer than a record");

		if (n > 0 && reader_ok(r) && compare(before, key) >= 0)
			reader_fail_at(r, ERR_VALUE, at, "keys: sorted, and each there once");
		before = key;
		read_value(r, key);
	}
}

/* What is signed: the list without its first element. */
static void content_hash(struct slice content, uint8_t out[static 32])
{
	uint8_t bytes[ENR_LEN_MAX + RLP_HEADER_MAX];
	struct writer w;
	size_t list;

	writer_init(&w, bytes, sizeof(bytes));
	list = rlp_put_list(&w);
	writer_slice(&w, content);
	rlp_end_list(&w, list);
	assert(writer_ok(&w));
	keccak_256(slice_of(bytes, w.len), out);
}

/* The payload of a string, if the value is one of len bytes. */
static bool value_bytes(const struct enr *e, const char *key, size_t len, struct slice *out)
{
	struct slice value;
	struct reader r;

	if (!enr_find(e, key, &value))
		return false;
	reader_init(&r, value);
	*out = rlp_bytes(&r, len, len, key, "");
	return reader_ok(&r);
}

/* The rules of the identity scheme "v4". content: what the signature is of. */
static void check_identity(struct reader *r, struct enr *e, size_t start, struct slice content)
{
	struct slice id, compressed;
	uint8_t hash[32];

	if (!value_bytes(e, id_key, strlen(scheme), &id) || !slice_equal(id, slice_text(scheme))) {
		reader_fail_at(r, ERR_VALUE, start, "id: v4, the only identity scheme there is");
		return;
	}
	if (!value_bytes(e, public_key, SECP_COMPRESSED_LEN, &compressed) ||
	    !secp_expand(compressed.data, e->key)) {
		reader_fail_at(r, ERR_VALUE, start, "secp256k1: a compressed public key");
		return;
	}
	content_hash(content, hash);
	if (!secp_verify(e->signature.data, hash, e->key))
		reader_fail_at(r, ERR_CHECKSUM, (size_t)(e->signature.data - r->data),
			       "signature: made of the rest, by the key in the record");
}

/* All but the identity; what the signature is of. */
static struct slice read_record(struct reader *r, struct enr *out)
{
	struct rlp_item item = rlp_peek(r, "record");
	size_t start = r->at, content_at, pairs_at, end;
	struct slice none = { 0 };
	struct rlp_list list;

	*out = (struct enr){ 0 };
	if (!reader_ok(r))
		return none;
	end = (size_t)(item.payload.data - r->data) + item.payload.len;
	if (end - start > ENR_LEN_MAX)
		reader_fail(r, ERR_LIMIT, "record: no longer than 300 bytes");
	list = rlp_enter(r, "record");
	out->signature = rlp_bytes(r, ENR_SIGNATURE_LEN, ENR_SIGNATURE_LEN, "signature",
				   "signature: 64 bytes");
	content_at = r->at;
	out->seq = rlp_uint(r, 8, RLP_STRICT, "seq");
	pairs_at = r->at;
	read_pairs(r);
	rlp_leave(r, &list);
	if (!reader_ok(r))
		return none;
	out->raw = slice_of(r->data + start, end - start);
	out->pairs = slice_of(r->data + pairs_at, end - pairs_at);
	return slice_of(r->data + content_at, end - content_at);
}

void enr_decode(struct reader *r, struct enr *out)
{
	size_t start = r->at;
	struct slice content = read_record(r, out);

	if (reader_ok(r))
		check_identity(r, out, start, content);
}

bool enr_read_proven(struct slice raw, struct enr *out)
{
	struct reader r;

	reader_init(&r, raw);
	read_record(&r, out);
	return reader_ok(&r);
}

bool enr_next(struct reader *pairs, struct slice *key, struct slice *value)
{
	if (!rlp_more(pairs))
		return false;
	*key = rlp_bytes(pairs, 0, ENR_LEN_MAX, "key", "");
	*value = rlp_any(pairs, "value");
	return reader_ok(pairs);
}

bool enr_find(const struct enr *e, const char *key, struct slice *value)
{
	struct slice wanted = slice_text(key), found;
	struct reader pairs;

	reader_init(&pairs, e->pairs);
	while (enr_next(&pairs, &found, value)) {
		if (slice_equal(found, wanted))
			return true;
	}
	*value = slice_of(NULL, 0);
	return false;
}

bool enr_port(const struct enr *e, const char *key, uint16_t *out)
{
	struct slice value;
	struct reader r;

	*out = 0;
	if (!enr_find(e, key, &value))
		return false;
	reader_init(&r, value);
	*out = (uint16_t)rlp_uint(&r, 2, RLP_STRICT, key);
	return reader_ok(&r);
}

bool enr_endpoint4(const struct enr *e, struct enode_endpoint *out)
{
	struct slice ip;

	*out = (struct enode_endpoint){ 0 };
	if (!value_bytes(e, "ip", 4, &ip))
		return false;
	out->addr = enode_addr(ip, 0);
	enr_port(e, "udp", &out->addr.port);
	enr_port(e, "tcp", &out->tcp_port);
	return true;
}

bool enr_endpoint6(const struct enr *e, struct enode_endpoint *out)
{
	struct slice ip;

	*out = (struct enode_endpoint){ 0 };
	if (!value_bytes(e, "ip6", 16, &ip))
		return false;
	out->addr = enode_addr(ip, 0);
	if (!enr_port(e, "udp6", &out->addr.port))
		enr_port(e, "udp", &out->addr.port);
	if (!enr_port(e, "tcp6", &out->tcp_port))
		enr_port(e, "tcp", &out->tcp_port);
	return true;
}

bool enr_forkid(const struct enr *e, struct forkid *out)
{
	struct slice value;
	struct reader r;

	*out = (struct forkid){ 0 };
	if (!enr_find(e, "eth", &value))
		return false;
	reader_init(&r, value);
	return read_forkid(&r, out);
}
