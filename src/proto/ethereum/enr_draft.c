#include "proto/ethereum/enr.h"

#include "base/keccak.h"

#include <assert.h>
#include <string.h>

enum { SIGNATURE_SIZE = 2 + ENR_SIGNATURE_LEN /* with its header */ };

void enr_draft_init(struct enr_draft *d, uint64_t seq)
{
	*d = (struct enr_draft){ .seq = seq };
}

void enr_draft_set(struct enr_draft *d, const char *key, struct slice value)
{
	size_t i = d->count;

	assert(strlen(key) < ENR_DRAFT_KEY_MAX && rlp_is_item(value));
	if (d->err == ERR_OK &&
	    (d->count == ENR_DRAFT_PAIRS_MAX || value.len > sizeof(d->values) - d->used))
		d->err = ERR_FULL;
	if (d->err != ERR_OK)
		return;
	for (; i > 0 && strcmp(key, d->pairs[i - 1].key) < 0; i--)
		d->pairs[i] = d->pairs[i - 1];
	assert(i == 0 || strcmp(key, d->pairs[i - 1].key) != 0);
	memset(d->pairs[i].key, 0, sizeof(d->pairs[i].key));
	memcpy(d->pairs[i].key, key, strlen(key));
	d->pairs[i].at = d->used;
	d->pairs[i].len = value.len;
	memcpy(d->values + d->used, value.data, value.len);
	d->used += value.len;
	d->count++;
}

/* What was written as the value of a key; too long for the writer is too long for a record. */
static void set_written(struct enr_draft *d, const char *key, const struct writer *w)
{
	if (writer_ok(w))
		enr_draft_set(d, key, slice_of(w->data, w->len));
	else if (d->err == ERR_OK)
		d->err = ERR_FULL;
}

void enr_draft_bytes(struct enr_draft *d, const char *key, struct slice bytes)
{
	uint8_t value[ENR_LEN_MAX];
	struct writer w;

	writer_init(&w, value, sizeof(value));
	rlp_put_bytes(&w, bytes);
	set_written(d, key, &w);
}

void enr_draft_uint(struct enr_draft *d, const char *key, uint64_t v)
{
	uint8_t value[RLP_HEADER_MAX];
	struct writer w;

	writer_init(&w, value, sizeof(value));
	rlp_put_uint(&w, v);
	set_written(d, key, &w);
}

void enr_draft_endpoint(struct enr_draft *d, const struct enode_endpoint *e)
{
	bool six = e->addr.kind == NETADDR_IPV6;

	assert(netaddr_is_ip(&e->addr));
	enr_draft_bytes(d, six ? "ip6" : "ip", slice_of(e->addr.bytes, netaddr_len(e->addr.kind)));
	if (e->addr.port != 0)
		enr_draft_uint(d, six ? "udp6" : "udp", e->addr.port);
	if (e->tcp_port != 0)
		enr_draft_uint(d, six ? "tcp6" : "tcp", e->tcp_port);
}

void enr_draft_forkid(struct enr_draft *d, const struct forkid *id)
{
	uint8_t value[32];
	struct writer w;
	size_t list;

	writer_init(&w, value, sizeof(value));
	list = rlp_put_list(&w);
	forkid_encode(&w, id);
	rlp_end_list(&w, list);
	set_written(d, "eth", &w);
}

static void add_identity(struct enr_draft *d, const struct secp *s, const struct secp_key *key)
{
	uint8_t public[SECP_PUBLIC_LEN], compressed[SECP_COMPRESSED_LEN];

	secp_public(s, key, public);
	secp_compress(public, compressed);
	enr_draft_bytes(d, "id", slice_text("v4"));
	enr_draft_bytes(d, "secp256k1", slice_of(compressed, sizeof(compressed)));
}

void enr_draft_sign(struct enr_draft *d, const struct secp *s, const struct secp_key *key,
		    struct writer *w)
{
	uint8_t bytes[ENR_LEN_MAX], hash[32], signature[SECP_SIGNATURE_LEN];
	size_t list, payload_len;
	struct writer content;

	add_identity(d, s, key);
	writer_init(&content, bytes, sizeof(bytes));
	list = rlp_put_list(&content);
	rlp_put_uint(&content, d->seq);
	for (size_t i = 0; i < d->count; i++) {
		rlp_put_bytes(&content, slice_text(d->pairs[i].key));
		writer_bytes(&content, d->values + d->pairs[i].at, d->pairs[i].len);
	}
	payload_len = content.len;
	rlp_end_list(&content, list);
	if (d->err != ERR_OK || !writer_ok(&content) ||
	    rlp_list_size(SIGNATURE_SIZE + payload_len) > ENR_LEN_MAX) {
		writer_fail(w, ERR_LIMIT);
		return;
	}
	/* EIP-778: signed is the list without its first element, which the signature becomes. */
	keccak_256(slice_of(bytes, content.len), hash);
	secp_sign(s, key, hash, signature);
	list = rlp_put_list(w);
	rlp_put_bytes(w, slice_of(signature, ENR_SIGNATURE_LEN));
	writer_bytes(w, bytes + content.len - payload_len, payload_len);
	rlp_end_list(w, list);
}
