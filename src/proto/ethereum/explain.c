#include "proto/ethereum/explain.h"

#include "base/keccak.h"
#include "base/text.h"
#include "proto/ethereum/discv4_wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	MEANING_MAX = 128,
	/* Each step of a path through lists: a dot and a number. */
	PATH_MAX_LEN = 8 + RLP_DEPTH_MAX * 21,
	TEXT_SHOWN_MAX = 64,
};

/* Whom the fields go to, with what they mean beside what they are. */
struct teller {
	field_fn *on_field;
	void *ctx;
	/* Of a record's text: the length of both; fields are moved to their characters. */
	size_t text_len, bytes_len;
	/* Of RLP: the lists that the next field may stand in, outermost first. */
	size_t depth, ends[RLP_DEPTH_MAX];
	uint64_t index[RLP_DEPTH_MAX];
};

static bool is(const struct field *f, const char *name)
{
	return strcmp(f->name, name) == 0;
}

static bool starts_with(struct slice in, const char *text)
{
	return in.len >= strlen(text) && memcmp(in.data, text, strlen(text)) == 0;
}

/* Something that stands nowhere, but follows from what does. */
static void tell_computed(struct teller *t, const char *name, enum field_kind kind, size_t at,
			  struct slice bytes)
{
	t->on_field(
		t->ctx,
		&(struct field){
			.name = name, .kind = kind, .at = at, .bytes = bytes, .text = "computed" });
}

static void tell_id(struct teller *t, size_t at, const uint8_t key[static SECP_PUBLIC_LEN])
{
	uint8_t id[ENODE_ID_LEN];

	enode_id(key, id);
	tell_computed(t, "node id", FIELD_BYTES, at, slice_of(id, sizeof(id)));
}

/* --- what fields mean --- */

static void key_text(const char *what, const uint8_t key[static SECP_PUBLIC_LEN],
		     char out[static MEANING_MAX])
{
	char hex[2 * ENODE_ID_LEN + 1];
	uint8_t id[ENODE_ID_LEN];

	enode_id(key, id);
	hex_encode(slice_of(id, sizeof(id)), hex);
	snprintf(out, MEANING_MAX, "%s %s", what, hex);
}

static void fork_text(const struct field *f, char out[static MEANING_MAX])
{
	size_t place;
	const struct ethereum_chain *chain = forkid_chain(f->bytes.data, &place);

	if (chain == NULL)
		snprintf(out, MEANING_MAX, "a chain that is not known here");
	else
		snprintf(out, MEANING_MAX, "%s, after %zu of %zu forks", chain->name, place,
			 chain->forks_count);
}

static void next_fork_text(uint64_t next, char out[static MEANING_MAX])
{
	char time[32];

	if (next == 0) {
		snprintf(out, MEANING_MAX, "none known");
	} else if (!forkid_is_time(next) || next > INT64_MAX / 1000) {
		snprintf(out, MEANING_MAX, "a block");
	} else {
		format_time((int64_t)next * 1000, false, time);
		snprintf(out, MEANING_MAX, "%s", time);
	}
}

/* Leaves out empty where the value says it all. */
static void mean(const struct field *f, char out[static MEANING_MAX])
{
	uint8_t key[SECP_PUBLIC_LEN];

	out[0] = '\0';
	if (f->kind == FIELD_UINT && is(f, "next fork"))
		next_fork_text(f->value, out);
	if (f->kind != FIELD_BYTES)
		return;
	if (is(f, "fork hash")) {
		fork_text(f, out);
	} else if (is(f, "target")) {
		/* Any 64 bytes: what is near to their hash is asked for. */
		key_text("hash", f->bytes.data, out);
	} else if (is(f, "public key")) {
		if (secp_public_valid(f->bytes.data))
			key_text("node id", f->bytes.data, out);
		else
			snprintf(out, MEANING_MAX, "no point of the curve: nobody's");
	} else if (is(f, "secp256k1") && f->bytes.len == SECP_COMPRESSED_LEN &&
		   secp_expand(f->bytes.data, key)) {
		key_text("node id", key, out);
	}
}

static bool is_zero(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] != 0)
			return false;
	}
	return true;
}

static void tell(void *ctx, const struct field *f)
{
	struct teller *t = ctx;
	struct field told = *f;
	char meaning[MEANING_MAX];

	/* Of a packet whose envelope is wrong nobody knows who made it. */
	if (is(f, "signer") && is_zero(f->bytes))
		return;
	mean(f, meaning);
	if (meaning[0] != '\0')
		told.text = meaning;
	t->on_field(t->ctx, &told);
	if (is(f, "signer"))
		tell_id(t, f->at, f->bytes.data);
}

static void begin(struct reader *r, struct slice in, field_fn *hook, struct teller *t)
{
	reader_init(r, in);
	r->on_field = hook;
	r->on_field_ctx = t;
}

/* --- a packet --- */

static void explain_packet(struct reader *r, struct slice in, struct teller *t)
{
	struct discv4_packet p;

	begin(r, in, tell, t);
	discv4_decode_long(r, &p);
	if (!reader_ok(r))
		return;
	if (p.type == DISCV4_ENRRESPONSE &&
	    memcmp(p.enrresponse.record.key, p.signer, sizeof(p.signer)) != 0)
		reader_fail_at(r, ERR_VALUE, (size_t)(p.enrresponse.record.raw.data - in.data),
			       "record: that of the key that signed the packet (EIP-868)");
	if (in.len > DISCV4_PACKET_MAX)
		reader_fail_at(r, ERR_LIMIT, DISCV4_PACKET_MAX, "packet: at most 1280 bytes");
}

static bool is_packet(struct slice in)
{
	uint8_t hash[32];

	if (in.len < DISCV4_PACKET_MIN)
		return false;
	keccak_256(slice_from(in, DISCV4_HASH_LEN), hash);
	return memcmp(hash, in.data, sizeof(hash)) == 0;
}

/* --- a record --- */

static void tell_url(struct teller *t, size_t at, const struct enr *e,
		     const struct enode_endpoint *endpoint)
{
	struct enode node = { .endpoint = *endpoint };
	char url[ENODE_TEXT_MAX];

	memcpy(node.key, e->key, sizeof(node.key));
	enode_text(&node, url);
	tell_computed(t, "enode", FIELD_TEXT, at, slice_text(url));
}

static void explain_record(struct reader *r, struct slice in, field_fn *hook, struct teller *t,
			   size_t end)
{
	struct enode_endpoint endpoint;
	struct enr e;

	begin(r, in, hook, t);
	enr_decode(r, &e);
	reader_end(r, "record: nothing comes behind it");
	if (!reader_ok(r))
		return;
	tell_computed(t, "public key", FIELD_BYTES, end, slice_of(e.key, sizeof(e.key)));
	tell_id(t, end, e.key);
	if (enr_endpoint4(&e, &endpoint))
		tell_url(t, end, &e, &endpoint);
	if (enr_endpoint6(&e, &endpoint))
		tell_url(t, end, &e, &endpoint);
}

/* A list that begins with 64 bytes, too long for one byte of length. */
static bool is_record(struct slice in)
{
	static const uint8_t signature[] = { 0xb8, ENR_SIGNATURE_LEN };
	size_t header = in.len < 2 ? 0 : in.data[0] == 0xf8 ? 2 : in.data[0] == 0xf9 ? 3 : 0;

	return header > 0 && in.len >= header + sizeof(signature) &&
	       memcmp(in.data + header, signature, sizeof(signature)) == 0;
}

/* Where the character stands that a byte of the record begins in. */
static size_t char_at(const struct teller *t, size_t at)
{
	return at == t->bytes_len ? t->text_len : strlen("enr:") + at * 8 / 6;
}

static void tell_char(void *ctx, const struct field *f)
{
	struct teller *t = ctx;
	struct field moved = *f;

	moved.at = char_at(t, f->at);
	moved.len = char_at(t, f->at + f->len) - moved.at;
	tell(ctx, &moved);
}

static void explain_record_text(struct reader *r, struct slice in, struct teller *t)
{
	uint8_t bytes[ENR_LEN_MAX];
	size_t err_at = 0;
	const char *rule;
	enum err err;

	begin(r, in, tell, t);
	reader_text(r, strlen("enr:"), "scheme");
	err = enr_text_bytes(in, bytes, &t->bytes_len, &err_at, &rule);
	if (err != ERR_OK) {
		reader_fail_at(r, err, err_at, rule);
		return;
	}
	t->text_len = in.len;
	explain_record(r, slice_of(bytes, t->bytes_len), tell_char, t, in.len);
	if (!reader_ok(r))
		r->err_at = char_at(t, r->err_at);
}

/* --- an URL --- */

static size_t find(struct slice in, size_t from, char c)
{
	const uint8_t *at = memchr(in.data + from, c, in.len - from);

	return at != NULL ? (size_t)(at - in.data) : in.len;
}

static void tell_part(struct teller *t, const char *name, enum field_kind kind, size_t at,
		      size_t end, struct slice bytes, uint64_t value, const char *text)
{
	t->on_field(t->ctx, &(struct field){ .name = name,
					     .kind = kind,
					     .at = at,
					     .len = end - at,
					     .bytes = bytes,
					     .value = value,
					     .text = text });
}

/* All of it; of a wrong one, what is good before err_at. */
static void tell_parts(struct teller *t, struct slice in, const struct enode *node, bool good,
		       size_t err_at)
{
	const size_t key = strlen("enode://"), at = find(in, key, '@');
	size_t query = find(in, key, '?'), port = query;
	char host[NETADDR_HOST_TEXT_MAX];

	tell_part(t, "scheme", FIELD_TEXT, 0, key, slice_of(in.data, key), 0, NULL);
	if (!good && err_at <= key)
		return;
	tell_part(t, "public key", FIELD_TEXT, key, at, slice_of(in.data + key, at - key), 0, NULL);
	if (!good)
		return;
	while (in.data[port - 1] != ':')
		port--;
	netaddr_host_text(&node->endpoint.addr, host);
	tell_part(t, "ip", FIELD_ADDR, at, port - 1, slice_of(in.data + at, port - 1 - at), 0,
		  host);
	tell_part(t, "tcp port", FIELD_UINT, port - 1, query, slice_of(NULL, 0),
		  node->endpoint.tcp_port, NULL);
	tell_part(t, "udp port", FIELD_UINT, query, in.len, slice_of(NULL, 0),
		  node->endpoint.addr.port, query == in.len ? "that of TCP" : NULL);
	tell_id(t, in.len, node->key);
}

static void explain_url(struct reader *r, struct slice in, struct teller *t)
{
	struct enode node;
	const char *rule;
	size_t err_at;
	enum err err = enode_parse_at(in, &node, &rule, &err_at);

	reader_init(r, in);
	if (err != ERR_OK)
		reader_fail_at(r, err, err_at, rule);
	tell_parts(t, in, &node, err == ERR_OK, err_at);
}

/* --- RLP --- */

/* "item 0.3": the fourth element of the first one. */
static void path_of(struct teller *t, size_t at, char out[static PATH_MAX_LEN])
{
	size_t len = (size_t)snprintf(out, PATH_MAX_LEN, "item");

	while (t->depth > 0 && at >= t->ends[t->depth - 1])
		t->depth--;
	/* The outer ones are counted already. */
	for (size_t i = 0; i < t->depth; i++)
		len += (size_t)snprintf(out + len, PATH_MAX_LEN - len, "%c%" PRIu64,
					i == 0 ? ' ' : '.',
					t->index[i] - (i + 1 < t->depth ? 1 : 0));
	if (t->depth > 0)
		t->index[t->depth - 1]++;
}

/* Bytes may be a number, or a text. */
static void guess(struct slice s, char out[static MEANING_MAX])
{
	size_t len = 0, printable = 0;
	uint64_t v = 0;

	out[0] = '\0';
	if (s.len == 0) {
		snprintf(out, MEANING_MAX, "empty, or 0");
		return;
	}
	while (printable < s.len && s.data[printable] >= 0x20 && s.data[printable] < 0x7f)
		printable++;
	if (s.len <= 8 && s.data[0] != 0) {
		for (size_t i = 0; i < s.len; i++)
			v = v << 8 | s.data[i];
		len = (size_t)snprintf(out, MEANING_MAX, "%" PRIu64, v);
	}
	if (printable == s.len && s.len > 1 && s.len <= TEXT_SHOWN_MAX)
		snprintf(out + len, MEANING_MAX - len, "%s\"%.*s\"", len > 0 ? ", " : "",
			 (int)s.len, (const char *)s.data);
}

static void tell_item(void *ctx, const struct field *f)
{
	struct teller *t = ctx;
	struct field told = *f;
	char path[PATH_MAX_LEN], meaning[MEANING_MAX];

	path_of(t, f->at, path);
	told.name = path;
	if (f->kind == FIELD_UINT) {
		t->ends[t->depth] = f->at + f->len + f->value;
		t->index[t->depth++] = 0;
	} else {
		guess(f->bytes, meaning);
		told.text = meaning[0] != '\0' ? meaning : NULL;
	}
	t->on_field(t->ctx, &told);
}

static void explain_rlp(struct reader *r, struct slice in, struct teller *t)
{
	begin(r, in, tell_item, t);
	rlp_any(r, "item");
	reader_end(r, "RLP: nothing comes behind the first item");
}

/* A list that is too short to be a packet stays one if it is broken. */
static bool is_rlp(struct slice in)
{
	const uint8_t lists_from = 0xc0;

	if (in.len < DISCV4_PACKET_MIN)
		return in.len > 0 && (in.data[0] >= lists_from || rlp_is_item(in));
	return in.data[0] >= lists_from && rlp_is_item(in);
}

enum err ethereum_explain(const struct network *network, struct slice in, field_fn *on_field,
			  void *ctx, size_t *err_at, const char **rule)
{
	struct teller t = { .on_field = on_field, .ctx = ctx };
	struct reader r;

	(void)network; /* all of them share one discovery */
	if (starts_with(in, "enr:"))
		explain_record_text(&r, in, &t);
	else if (starts_with(in, "enode://"))
		explain_url(&r, in, &t);
	else if (is_packet(in))
		explain_packet(&r, in, &t);
	else if (is_record(in))
		explain_record(&r, in, tell, &t, in.len);
	else if (is_rlp(in))
		explain_rlp(&r, in, &t);
	else
		explain_packet(&r, in, &t);
	*err_at = r.err_at;
	*rule = r.rule;
	return r.err;
}
