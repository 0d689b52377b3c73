/* codec_probe.c: what our decoders make of bytes, for a comparison with those of other people.
 *
 * stdin has inputs, one behind the other: the length of a name in one byte, the name, the length
 * of the bytes (32 bits, little-endian), the bytes. The name is that of a message of Bitcoin's (the
 * bytes are its payload), or rlp, hello, status/VERSION, discv4, enr. For each there is a line of
 * JSON: {"ok":true,"fields":[["NAME","VALUE"],...]}, or {"ok":false,"rule":"..."}. Numbers are in
 * decimal digits, bytes in hex and in the order of the wire. */
#include "base/text.h"
#include "proto/bitcoin/messages.h"
#include "proto/ethereum/discv4_wire.h"
#include "proto/ethereum/eth.h"
#include "proto/ethereum/rlp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct text out;
static const char *separator;

static void tell(const char *name, const char *value)
{
	text_printf(&out, "%s[\"%s\",\"%s\"]", separator, name, value);
	separator = ",";
}

static void tell_number(const char *name, uint64_t v)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%" PRIu64, v);
	tell(name, digits);
}

static void tell_signed(const char *name, int64_t v)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%" PRId64, v);
	tell(name, digits);
}

static void tell_bytes(const char *name, struct slice s)
{
	char *digits = malloc(2 * s.len + 1);

	if (digits == NULL)
		exit(1);
	hex_encode(s, digits);
	tell(name, digits);
	free(digits);
}

static void on_field(void *ctx, const struct field *f)
{
	(void)ctx;
	switch (f->kind) {
	case FIELD_UINT:
	case FIELD_HEX:
		tell_number(f->name, f->value);
		break;
	case FIELD_INT:
	case FIELD_TIME:
		tell_signed(f->name, (int64_t)f->value);
		break;
	case FIELD_BYTES:
	case FIELD_TEXT:
	case FIELD_HASH:
		tell_bytes(f->name, f->bytes);
		break;
	case FIELD_ADDR:
		tell(f->name, f->text != NULL ? f->text : "");
		break;
	case FIELD_GROUP:
		break;
	}
}

/* Strings in hex, lists in brackets. */
static void tell_item(struct reader *r)
{
	struct rlp_item item = rlp_peek(r, "item");
	struct rlp_list list;

	if (!reader_ok(r))
		return;
	if (!item.is_list) {
		tell_bytes("string", item.payload);
		rlp_pass(r, &item);
		return;
	}
	tell("list", "[");
	list = rlp_enter(r, "list");
	while (rlp_more(r))
		tell_item(r);
	rlp_leave(r, &list);
	tell("list", "]");
}

static void tell_rlp(struct reader *r)
{
	tell_item(r);
	reader_end(r, "one item");
}

static void tell_hello(struct reader *r)
{
	struct p2p_hello hello;

	p2p_hello_decode(r, &hello);
	tell_number("version", hello.version);
	tell_bytes("client", hello.client);
	for (size_t i = 0; i < hello.caps_count; i++) {
		tell_bytes("capability", slice_text(hello.caps[i].name));
		tell_number("capability version", hello.caps[i].version);
	}
	tell_number("port", hello.listen_port);
	tell_bytes("key", slice_of(hello.key, sizeof(hello.key)));
}

static void tell_status(struct reader *r, uint32_t version)
{
	struct eth_status s;

	eth_status_decode(r, version, &s);
	tell_number("version", s.version);
	tell_number("network", s.network_id);
	tell_bytes("difficulty", slice_of(s.difficulty, sizeof(s.difficulty)));
	tell_bytes("head", slice_of(s.head, sizeof(s.head)));
	tell_bytes("genesis", slice_of(s.genesis, sizeof(s.genesis)));
	tell_bytes("fork", slice_of(s.forkid.hash, sizeof(s.forkid.hash)));
	tell_number("next", s.forkid.next);
}

static void tell_endpoint(const char *name, const struct enode_endpoint *e)
{
	char host[NETADDR_HOST_TEXT_MAX] = "";

	if (e->addr.kind != NETADDR_NONE)
		netaddr_host_text(&e->addr, host);
	tell(name, host);
	tell_number("udp", e->addr.port);
	tell_number("tcp", e->tcp_port);
}

static void tell_neighbors(const struct discv4_neighbors *m)
{
	struct reader nodes;
	struct enode node;

	reader_init(&nodes, m->nodes);
	while (discv4_neighbors_next(&nodes, &node)) {
		tell_endpoint("node", &node.endpoint);
		tell_bytes("key", slice_of(node.key, sizeof(node.key)));
	}
	tell_signed("expiration", m->expiration_s);
}

static void tell_discv4(struct reader *r)
{
	struct discv4_packet p = { .type = 0 };

	discv4_decode_long(r, &p);
	if (!reader_ok(r))
		return;
	tell_number("type", p.type);
	tell_bytes("signer", slice_of(p.signer, sizeof(p.signer)));
	switch (p.type) {
	case DISCV4_PING:
		tell_number("version", p.ping.version);
		tell_endpoint("from", &p.ping.from);
		tell_endpoint("to", &p.ping.to);
		tell_signed("expiration", p.ping.expiration_s);
		break;
	case DISCV4_PONG:
		tell_endpoint("to", &p.pong.to);
		tell_bytes("hash", p.pong.ping_hash);
		tell_signed("expiration", p.pong.expiration_s);
		break;
	case DISCV4_FINDNODE:
		tell_bytes("target", p.findnode.target);
		tell_signed("expiration", p.findnode.expiration_s);
		break;
	case DISCV4_NEIGHBORS:
		tell_neighbors(&p.neighbors);
		break;
	case DISCV4_ENRREQUEST:
	case DISCV4_ENRRESPONSE:
		break;
	}
}

static const char *tell_enr(struct slice text)
{
	struct enode_endpoint endpoint;
	uint8_t buf[ENR_LEN_MAX];
	const char *rule = "";
	struct enr e;

	if (enr_parse(text, buf, &e, &rule) != ERR_OK)
		return rule;
	enr_endpoint4(&e, &endpoint);
	tell_endpoint("address", &endpoint);
	return NULL;
}

/* The rule that is broken, or NULL. */
static const char *tell_input(const char *name, struct slice in)
{
	struct reader r;

	reader_init(&r, in);
	if (strcmp(name, "rlp") == 0) {
		tell_rlp(&r);
	} else if (strcmp(name, "hello") == 0) {
		tell_hello(&r);
	} else if (strncmp(name, "status/", 7) == 0) {
		tell_status(&r, (uint32_t)atoi(name + 7));
	} else if (strcmp(name, "discv4") == 0) {
		tell_discv4(&r);
	} else if (strcmp(name, "enr") == 0) {
		return tell_enr(in);
	} else {
		r.on_field = on_field;
		bitcoin_payload_check(&r, bitcoin_command_find(name));
	}
	return reader_ok(&r) ? NULL : r.rule;
}

int main(void)
{
	uint8_t name_len, length[4];
	char name[256];

	while (fread(&name_len, 1, 1, stdin) == 1) {
		const char *rule;
		uint8_t *data;
		size_t len;

		if (fread(name, 1, name_len, stdin) != name_len || fread(length, 4, 1, stdin) != 1)
			return 1;
		name[name_len] = 0;
		len = (size_t)length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 |
		      (size_t)length[3] << 24;
		/* Of its own: a sanitizer sees what is read behind it. */
		data = malloc(len > 0 ? len : 1);
		if (data == NULL || fread(data, 1, len, stdin) != len)
			return 1;
		out.len = 0;
		separator = "";
		text_add(&out, "");
		rule = tell_input(name, slice_of(data, len));
		free(data);
		if (rule != NULL)
			printf("{\"ok\":false,\"rule\":\"%s\"}\n", rule);
		else
			printf("{\"ok\":true,\"fields\":[%s]}\n", out.data);
	}
	text_clear(&out);
	return 0;
}
