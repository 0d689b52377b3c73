/* fuzz_enr.c: node records and enode URLs, as text and as bytes.
 *
 * A fuzzer signs nothing: each input is tried as text, as a record, and as the part of a
 * record that is signed, with a signature made for it. */
#include "base/keccak.h"
#include "fuzz/fields.h"
#include "proto/ethereum/enr.h"

enum { INPUT_MAX = 512 };

static void check_record(const struct enr *e)
{
	struct slice key, value, found;
	struct enode_endpoint endpoint;
	uint8_t buf[ENR_LEN_MAX];
	char text[ENR_TEXT_MAX];
	struct forkid forkid;
	struct reader pairs;
	const char *rule;
	struct enr back;

	CHECK(e->raw.len <= ENR_LEN_MAX && secp_public_valid(e->key));
	CHECK(enr_text(e, text) == strlen(text) && strlen(text) < sizeof(text));
	CHECK(enr_parse(slice_text(text), buf, &back, &rule) == ERR_OK);
	CHECK(slice_equal(e->raw, back.raw) && e->seq == back.seq);
	CHECK(memcmp(e->key, back.key, sizeof(back.key)) == 0);
	reader_init(&pairs, e->pairs);
	while (enr_next(&pairs, &key, &value)) {
		char name[ENR_LEN_MAX + 1] = { 0 };

		memcpy(name, key.data, key.len);
		if (strlen(name) == key.len)
			CHECK(enr_find(e, name, &found) && found.data == value.data);
		CHECK(rlp_is_item(value));
	}
	CHECK(reader_ok(&pairs) && reader_left(&pairs) == 0);
	if (enr_endpoint4(e, &endpoint))
		CHECK(endpoint.addr.kind == NETADDR_IPV4);
	if (enr_endpoint6(e, &endpoint))
		CHECK(netaddr_is_ip(&endpoint.addr));
	enr_forkid(e, &forkid);
	CHECK(enr_read_proven(e->raw, &back) && back.seq == e->seq);
	CHECK(slice_equal(back.raw, e->raw) && slice_equal(back.pairs, e->pairs));
}

static void check_bytes(struct slice in)
{
	struct reader told, quiet;
	size_t end = 0;
	struct enr e;

	enr_read_proven(in, &e);
	reader_init(&told, in);
	told.on_field = check_field;
	told.on_field_ctx = &end;
	enr_decode(&told, &e);
	reader_init(&quiet, in);
	enr_decode(&quiet, &e);
	check_verdicts(&told, &quiet, end);
	if (reader_ok(&quiet))
		check_record(&e);
}

/* The record of this payload, signed by the key of EIP-778's example. */
static void check_signed(struct slice payload)
{
	static const uint8_t example_key[SECP_KEY_LEN] = {
		0xb7, 0x1c, 0x71, 0xa6, 0x7e, 0x11, 0x77, 0xad, 0x4e, 0x90, 0x16,
		0x95, 0xe1, 0xb4, 0xb9, 0xee, 0x17, 0xae, 0x16, 0xc6, 0x66, 0x8d,
		0x31, 0x3e, 0xac, 0x2f, 0x96, 0xdb, 0xcd, 0xa3, 0xf2, 0x91,
	};
	static const uint8_t random[SECP_RANDOM_LEN];
	static struct secp secp;
	static bool started;
	uint8_t content[INPUT_MAX + RLP_HEADER_MAX], out[INPUT_MAX + 100], hash[32];
	uint8_t signature[SECP_SIGNATURE_LEN];
	struct secp_key key;
	struct writer w;
	size_t list;

	if (!started)
		secp_init(&secp, random);
	started = true;
	CHECK(secp_key_init(&key, example_key));
	writer_init(&w, content, sizeof(content));
	list = rlp_put_list(&w);
	writer_slice(&w, payload);
	rlp_end_list(&w, list);
	keccak_256(slice_of(content, w.len), hash);
	secp_sign(&secp, &key, hash, signature);
	writer_init(&w, out, sizeof(out));
	list = rlp_put_list(&w);
	rlp_put_bytes(&w, slice_of(signature, ENR_SIGNATURE_LEN));
	writer_slice(&w, payload);
	rlp_end_list(&w, list);
	CHECK(writer_ok(&w));
	check_bytes(slice_of(out, w.len));
}

static void check_text(struct slice in)
{
	uint8_t buf[ENR_LEN_MAX];
	char text[ENODE_TEXT_MAX];
	struct enode node, back;
	const char *rule;
	struct enr e;

	if (enr_parse(in, buf, &e, &rule) == ERR_OK)
		check_record(&e);
	else
		CHECK(rule != NULL && rule[0] != 0);
	if (enode_parse(in, &node, &rule) != ERR_OK) {
		CHECK(rule != NULL && rule[0] != 0);
		return;
	}
	CHECK(enode_text(&node, text) == strlen(text) && strlen(text) < sizeof(text));
	CHECK(enode_parse(slice_text(text), &back, &rule) == ERR_OK);
	CHECK(enode_endpoint_equal(&node.endpoint, &back.endpoint));
	CHECK(memcmp(node.key, back.key, sizeof(node.key)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > INPUT_MAX)
		return 0;
	check_text(slice_of(data, size));
	check_bytes(slice_of(data, size));
	check_signed(slice_of(data, size));
	return 0;
}
