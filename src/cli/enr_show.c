#include "cli/enr_show.h"

#include "base/text.h"
#include "cli/field_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	LABEL_WIDTH = 11, /* "public key", "secp256k1" */
};

enum value_kind {
	VALUE_TEXT,
	VALUE_ADDR,
	VALUE_PORT,
	VALUE_FORKID,
	VALUE_STRING, /* bytes that nobody here knows the meaning of */
	VALUE_LIST,   /* the same of a list */
};

/* One pair, understood as far as may be. */
struct pair {
	struct slice key, rlp;
	enum value_kind kind;
	struct slice bytes; /* TEXT, STRING */
	struct netaddr addr;
	uint16_t port;
	struct forkid forkid;
};

static bool is_one_of(struct slice key, const char *const *names)
{
	for (; *names != NULL; names++) {
		if (slice_equal(key, slice_text(*names)))
			return true;
	}
	return false;
}

/* EIP-778's keys, EIP-2124's, and those of the consensus layer that are ports. A value that is
 * not what its key promises stays what it is: bytes. */
static struct pair understand(const struct enr *e, struct slice key, struct slice rlp)
{
	static const char *const ports[] = { "quic", "quic6", "tcp", "tcp6", "udp", "udp6", NULL };
	static const char *const addrs[] = { "ip", "ip6", NULL };
	static const char *const texts[] = { "id", NULL };
	static const char *const forkids[] = { "eth", NULL };
	struct pair p = { .key = key, .rlp = rlp, .kind = VALUE_STRING };
	struct rlp_item item;
	struct reader r;

	reader_init(&r, rlp);
	item = rlp_peek(&r, "value");
	p.bytes = item.payload;
	if (item.is_list) {
		p.kind = VALUE_LIST;
		if (is_one_of(key, forkids) && enr_forkid(e, &p.forkid))
			p.kind = VALUE_FORKID;
	} else if (is_one_of(key, texts)) {
		p.kind = VALUE_TEXT;
	} else if (is_one_of(key, addrs)) {
		p.addr = enode_addr(p.bytes, 0);
		if (p.addr.kind != NETADDR_NONE && p.bytes.len == (key.len == 2 ? 4U : 16U))
			p.kind = VALUE_ADDR;
	} else if (is_one_of(key, ports)) {
		p.port = (uint16_t)rlp_uint(&r, 2, RLP_STRICT, "port");
		if (reader_ok(&r))
			p.kind = VALUE_PORT;
	}
	return p;
}

/* "ethereum, after 18 of 18 forks": what this program knows. */
static void add_place(struct text *t, const struct forkid *id)
{
	size_t place;
	const struct ethereum_chain *chain = forkid_chain(id->hash, &place);

	if (chain == NULL)
		text_add(t, "a chain that is not known here");
	else
		text_printf(t, "%s, after %zu of %zu forks", chain->name, place,
			    chain->forks_count);
}

void enr_show_add_forkid(struct text *t, const struct forkid *id)
{
	field_text_add_hex(t, slice_of(id->hash, sizeof(id->hash)), false);
	if (id->next != 0)
		text_printf(t, ", next fork at %" PRIu64, id->next);
	else
		text_add(t, ", no next fork");
	text_add(t, "  (");
	add_place(t, id);
	text_add(t, ")");
}

static void add_value(struct text *t, const struct pair *p)
{
	char host[NETADDR_HOST_TEXT_MAX];

	switch (p->kind) {
	case VALUE_TEXT:
		text_add_escaped(t, p->bytes);
		return;
	case VALUE_ADDR:
		netaddr_host_text(&p->addr, host);
		text_add(t, host);
		return;
	case VALUE_PORT:
		text_printf(t, "%u", p->port);
		return;
	case VALUE_FORKID:
		enr_show_add_forkid(t, &p->forkid);
		return;
	case VALUE_STRING:
		text_add(t, p->bytes.len > 0 ? "0x" : "(empty)");
		field_text_add_hex(t, p->bytes, false);
		return;
	case VALUE_LIST:
		text_add(t, "0x");
		field_text_add_hex(t, p->rlp, false);
		text_add(t, "  (an RLP list)");
		return;
	}
}

static void add_label(struct text *t, const char *label)
{
	text_printf(t, "%-*s ", LABEL_WIDTH, label);
}

/* The URL of an endpoint; false where the record has none. */
static bool enode_of(const struct enr *e, const struct enode_endpoint *endpoint,
		     char out[static ENODE_TEXT_MAX])
{
	struct enode node = { .endpoint = *endpoint };

	if (!netaddr_is_ip(&endpoint->addr))
		return false;
	memcpy(node.key, e->key, sizeof(node.key));
	enode_text(&node, out);
	return true;
}

static void add_head(struct text *t, const struct enr *e)
{
	char text[ENR_TEXT_MAX], url[ENODE_TEXT_MAX];
	struct enode_endpoint endpoint;
	uint8_t id[ENODE_ID_LEN];

	enr_text(e, text);
	enode_id(e->key, id);
	add_label(t, "record");
	text_printf(t, "%s\n", text);
	add_label(t, "seq");
	text_printf(t, "%" PRIu64 "\n", e->seq);
	add_label(t, "node id");
	field_text_add_hex(t, slice_of(id, sizeof(id)), false);
	text_add(t, "\n");
	add_label(t, "public key");
	field_text_add_hex(t, slice_of(e->key, sizeof(e->key)), false);
	text_add(t, "\n");
	enr_endpoint4(e, &endpoint);
	if (enode_of(e, &endpoint, url)) {
		add_label(t, "enode");
		text_printf(t, "%s\n", url);
	}
	enr_endpoint6(e, &endpoint);
	if (enode_of(e, &endpoint, url)) {
		add_label(t, "enode6");
		text_printf(t, "%s\n", url);
	}
}

bool enr_show_text(const struct enr *e)
{
	struct text t = { 0 };
	struct slice key, rlp;
	struct reader pairs;
	bool good;

	add_head(&t, e);
	text_add(&t, "pairs\n");
	reader_init(&pairs, e->pairs);
	while (enr_next(&pairs, &key, &rlp)) {
		struct pair p = understand(e, key, rlp);
		struct text name = { 0 };

		text_add_escaped(&name, key);
		text_printf(&t, "  %-*s ", LABEL_WIDTH - 2, name.data != NULL ? name.data : "");
		if (name.err != ERR_OK)
			t.err = name.err;
		text_clear(&name);
		add_value(&t, &p);
		text_add(&t, "\n");
	}
	good = t.err == ERR_OK;
	if (good)
		fputs(t.data, stdout);
	text_clear(&t);
	return good;
}

/* --- JSON --- */

static json_t *hex_json(struct slice s)
{
	struct text t = { 0 };
	json_t *o;

	field_text_add_hex(&t, s, false);
	o = json_stringn(t.data != NULL ? t.data : "", t.len);
	text_clear(&t);
	return o;
}

static json_t *escaped_json(struct slice s)
{
	struct text t = { 0 };
	json_t *o;

	text_add_escaped(&t, s);
	o = json_stringn(t.data != NULL ? t.data : "", t.len);
	text_clear(&t);
	return o;
}

static json_t *forkid_json(const struct forkid *id)
{
	size_t place;
	const struct ethereum_chain *chain = forkid_chain(id->hash, &place);

	return json_pack("{s:o, s:o, s:s?, s:o}", "hash",
			 hex_json(slice_of(id->hash, sizeof(id->hash))), "next",
			 field_text_number_json(id->next), "chain",
			 chain != NULL ? chain->name : NULL, "forks_passed",
			 chain != NULL ? json_integer((json_int_t)place) : json_null());
}

static json_t *value_json(const struct pair *p)
{
	char host[NETADDR_HOST_TEXT_MAX];

	switch (p->kind) {
	case VALUE_TEXT:
		return escaped_json(p->bytes);
	case VALUE_ADDR:
		netaddr_host_text(&p->addr, host);
		return json_string(host);
	case VALUE_PORT:
		return json_integer(p->port);
	case VALUE_FORKID:
		return forkid_json(&p->forkid);
	case VALUE_STRING:
		return hex_json(p->bytes);
	case VALUE_LIST:
		return json_null();
	}
	return NULL;
}

static json_t *pairs_json(const struct enr *e)
{
	json_t *list = json_array();
	struct slice key, rlp;
	struct reader pairs;
	size_t count = 0;

	reader_init(&pairs, e->pairs);
	for (; enr_next(&pairs, &key, &rlp); count++) {
		struct pair p = understand(e, key, rlp);

		json_array_append_new(list,
				      json_pack("{s:o, s:o, s:o}", "key", escaped_json(key),
						"value", value_json(&p), "rlp", hex_json(rlp)));
	}
	if (json_array_size(list) == count)
		return list;
	json_decref(list);
	return NULL;
}

json_t *enr_show_json(const struct enr *e)
{
	char text[ENR_TEXT_MAX], url4[ENODE_TEXT_MAX], url6[ENODE_TEXT_MAX];
	struct enode_endpoint endpoint4, endpoint6;
	uint8_t id[ENODE_ID_LEN];
	struct forkid forkid;

	enr_text(e, text);
	enode_id(e->key, id);
	enr_endpoint4(e, &endpoint4);
	enr_endpoint6(e, &endpoint6);
	return json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:s?, s:s?, s:o, s:o}", "record", text,
			 "bytes", (json_int_t)e->raw.len, "seq", field_text_number_json(e->seq),
			 "node_id", hex_json(slice_of(id, sizeof(id))), "public_key",
			 hex_json(slice_of(e->key, sizeof(e->key))), "signature",
			 hex_json(e->signature), "enode",
			 enode_of(e, &endpoint4, url4) ? url4 : NULL, "enode6",
			 enode_of(e, &endpoint6, url6) ? url6 : NULL, "eth",
			 enr_forkid(e, &forkid) ? forkid_json(&forkid) : json_null(), "pairs",
			 pairs_json(e));
}
