/* test_explain_ethereum.c: packets, records, URLs and RLP, field by field. */
#include "base/keccak.h"
#include "base/text.h"
#include "proto/ethereum/discv4_wire.h"
#include "proto/ethereum/explain.h"
#include "support/hex.h"
#include "support/told.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* EIP-8, "Test Vectors": a ping with more elements than it needs. */
#define PING                                                                               \
	"e9614ccfd9fc3e74360018522d30e1419a143407ffcce748de3e22116b7e8dc92ff74788c0b6663a" \
	"aa3d67d641936511c8f8d6ad8698b820a7cf9e1be7155e9a241f556658c55428ec0563514365799a" \
	"4be2be5a685a80971ddcfa80cb422cdd0101ec04cb847f000001820cfa8215a8d790000000000000" \
	"000000000000000000018208ae820d058443b9a3550102"
#define SIGNER                                                             \
	"ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138" \
	"7574077f301b421bc84df7266c44e9e6d569fc56be00812904767bf5ccd1fc7f"
/* EIP-778, "Test Vectors": the same key; its text and its bytes. */
#define NODE_ID "a448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7"
#define RECORD                                                                                     \
	"enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls" \
	"8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1" \
	"ZHCCdl8"
#define RECORD_HEX                                                                         \
	"f884b8407098ad865b00a582051940cb9cf36836572411a47278783077011599ed5cd16b"         \
	"76f2635f4e234738f30813a89eb9137e3e3df5266e3a1f11df72ecf1145ccb9c"                 \
	"01826964827634826970847f00000189736563703235366b31a103ca634cae0d49acb401d8a4c6b6" \
	"fe8c55b70d115bf400769cc1400f3258cd31388375647082765f"
#define URL "enode://" SIGNER "@127.0.0.1:30303"

#define RECORD_FIELDS \
	"record|signature|seq|key|id|key|ip|key|secp256k1|key|udp|public key|node id|enode"

static const struct {
	const char *name, *in; /* in: text, or hex behind a blank */
	enum err err;
	size_t at;
	const char *fields;
} rows[] = {
	{ "a packet", " " PING, ERR_OK, 0,
	  "hash|signature|signer|node id|type|data|version|from|ip|udp port|tcp port|to|ip|udp "
	  "port|"
	  "tcp port|expiration|enr seq|more" },
	{ "a record's bytes", " " RECORD_HEX, ERR_OK, 0, RECORD_FIELDS },
	{ "a record's text", RECORD, ERR_OK, 0, "scheme|" RECORD_FIELDS },
	{ "an URL", URL, ERR_OK, 0, "scheme|public key|ip|tcp port|udp port|node id" },
	{ "an URL with two ports", URL "?discport=30301", ERR_OK, 0,
	  "scheme|public key|ip|tcp port|udp port|node id" },
	{ "a list", " c88363617483646f67", ERR_OK, 0, "item|item 0|item 1" },
	/* The yellow paper's set-theoretic three: [ [], [[]], [ [], [[]] ] ] */
	{ "lists in lists", " c7c0c1c0c3c0c1c0", ERR_OK, 0,
	  "item|item 0|item 1|item 1.0|item 2|item 2.0|item 2.1|item 2.1.0" },
	{ "a string", " 83646f67", ERR_OK, 0, "item" },

	{ "nothing", "", ERR_SHORT, 0, "" },
	{ "less than a packet", " 01020304", ERR_SHORT, 4, NULL },
	{ "a list that is cut", " c8836361", ERR_SHORT, 0, "" },
	{ "an element that is cut", " c28363", ERR_SHORT, 1, "item" },
	{ "something behind a list", " c18001", ERR_TRAILING, 2, "item|item 0" },
	{ "lists too deep", " d0cfcecdcccbcac9c8c7c6c5c4c3c2c1c0", ERR_LIMIT, 16, NULL },
	{ "a record that is cut", " f884b8407098ad", ERR_SHORT, 0, "" },
	{ "a record and a byte", " " RECORD_HEX "00", ERR_TRAILING, 134, NULL },
	{ "a digit that is none", "enr:-IS4QHCY!", ERR_SYNTAX, 12, "scheme" },
	{ "bits beyond the last byte", "enr:-IS5", ERR_SHORT, 4, "scheme" },
	/* Character 90 belongs to the signature's last byte. */
	{ "a changed signature",
	  "enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzC"
	  "BOonrkTfj499SZuOh8R33Ls8RRcyZwBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxV"
	  "tw0RW_QAdpzBQA8yWM0xOIN1ZHCCdl8",
	  ERR_CHECKSUM, 9, NULL },
	{ "no address", "enode://" SIGNER "@", ERR_SYNTAX, 137, "scheme|public key" },
	{ "no key", "enode://127.0.0.1:30303", ERR_SYNTAX, 0, "scheme" },
	{ "a short key", "enode://ca63@127.0.0.1:30303", ERR_SYNTAX, 8, "scheme" },
	{ "another query", URL "?port=1", ERR_SYNTAX, 153, "scheme|public key" },
};

/* Rows of text, or of hex behind a blank. */
static struct slice row_bytes(const char *in, uint8_t *out, size_t cap)
{
	return in[0] == ' ' ? hex_bytes(in, out, cap) : slice_text(in);
}

static void inputs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint8_t bytes[400];
		struct slice in = row_bytes(rows[i].in, bytes, sizeof(bytes));
		struct told told = { .covered = 0 };
		const char *rule = NULL;
		size_t at = 0;
		enum err err = ethereum_explain(network_find("ethereum"), in, told_field, &told,
						&at, &rule);

		if (err != rows[i].err || (err != ERR_OK && at != rows[i].at))
			fail_msg("row \"%s\": %s at %zu (%s)", rows[i].name, err_name(err), at,
				 rule != NULL ? rule : "");
		assert_true(err == ERR_OK || (rule != NULL && rule[0] != '\0'));
		assert_false(told.gap);
		if (err == ERR_OK)
			assert_int_equal(told.covered, in.len);
		if (rows[i].fields != NULL && strcmp(told.names, rows[i].fields) != 0)
			fail_msg("row \"%s\": %s", rows[i].name, told.names);
	}
}

/* --- what fields mean --- */

struct meanings {
	const char *name; /* of the field that is looked for */
	char value[200], meaning[200];
};

static void find_field(void *ctx, const struct field *f)
{
	struct meanings *m = ctx;

	if (strcmp(f->name, m->name) != 0 || m->value[0] != '\0')
		return;
	if (f->kind == FIELD_UINT)
		snprintf(m->value, sizeof(m->value), "%u", (unsigned)f->value);
	else if (f->kind == FIELD_BYTES && f->bytes.len < sizeof(m->value) / 2)
		hex_encode(f->bytes, m->value);
	else
		snprintf(m->value, sizeof(m->value), "%.*s", (int)f->bytes.len,
			 (const char *)f->bytes.data);
	snprintf(m->meaning, sizeof(m->meaning), "%s", f->text != NULL ? f->text : "");
}

static void expect_field(const char *in, const char *name, const char *value, const char *meaning)
{
	uint8_t bytes[400];
	struct meanings m = { .name = name };
	const char *rule;
	size_t at;

	ethereum_explain(network_find("ethereum"), row_bytes(in, bytes, sizeof(bytes)), find_field,
			 &m, &at, &rule);
	if (strcmp(m.value, value) != 0 || strcmp(m.meaning, meaning) != 0)
		fail_msg("%s: %s (%s)", name, m.value, m.meaning);
}

static void meanings(void **state)
{
	(void)state;
	expect_field(" " PING, "signer", SIGNER, "computed");
	expect_field(" " PING, "node id", NODE_ID, "computed");
	expect_field(" " PING, "type", "1", "ping");
	expect_field(RECORD, "secp256k1",
		     "03ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138",
		     "node id " NODE_ID);
	expect_field(RECORD, "public key", SIGNER, "computed");
	expect_field(RECORD, "enode", "enode://" SIGNER "@127.0.0.1:0?discport=30303", "computed");
	expect_field(URL, "node id", NODE_ID, "computed");
	expect_field(URL, "tcp port", "30303", "");
	expect_field(URL, "udp port", "30303", "that of TCP");
	expect_field(URL "?discport=30301", "udp port", "30301", "");
	expect_field(" c88363617483646f67", "item 1", "646f67", "6582119, \"dog\"");
	expect_field(" c180", "item 0", "", "empty, or 0");
	expect_field(" c20001", "item 0", "00", "");
}

/* --- packets that are made here --- */

enum { TYPE_AT = DISCV4_HEADER_LEN - 1 };

struct packet {
	uint8_t bytes[DISCV4_LONG_MAX];
	size_t len;
};

static struct secp secp;
static struct secp_key keys[2];

static int start(void **state)
{
	static const uint8_t random[SECP_RANDOM_LEN] = { 4 };
	uint8_t bytes[SECP_KEY_LEN] = { [SECP_KEY_LEN - 1] = 1 };

	(void)state;
	secp_init(&secp, random);
	for (size_t i = 0; i < 2; i++) {
		bytes[0] = (uint8_t)(i + 1);
		if (!secp_key_init(&keys[i], bytes))
			return -1;
	}
	return 0;
}

static int stop(void **state)
{
	(void)state;
	secp_clear(&secp);
	return 0;
}

/* A record by one key in a packet by another, or by the same. */
static void enrresponse(struct packet *p, const struct secp_key *record_key,
			const struct forkid *forkid)
{
	static const uint8_t hash[DISCV4_HASH_LEN] = { 7 };
	uint8_t record[ENR_LEN_MAX];
	struct enr_draft draft;
	struct writer w;

	enr_draft_init(&draft, 3);
	enr_draft_forkid(&draft, forkid);
	writer_init(&w, record, sizeof(record));
	enr_draft_sign(&draft, &secp, record_key, &w);
	assert_true(writer_ok(&w));
	p->len = w.len;
	writer_init(&w, p->bytes, sizeof(p->bytes));
	discv4_begin(&w, DISCV4_ENRRESPONSE);
	discv4_enrresponse_encode(&w, slice_of(hash, sizeof(hash)), slice_of(record, p->len));
	discv4_end(&w, 0, &secp, &keys[0]);
	assert_true(writer_ok(&w));
	p->len = w.len;
}

static enum err explain(const struct packet *p, struct meanings *m, size_t *at)
{
	const char *rule;

	return ethereum_explain(network_find("ethereum"), slice_of(p->bytes, p->len), find_field, m,
				at, &rule);
}

static void records_in_packets(void **state)
{
	/* Mainnet's last fork of forkid.c but one: it knows of the last. */
	const struct ethereum_chain *chain = ethereum_chain_find("ethereum");
	struct forkid_head head = { .block = UINT64_MAX,
				    .time_s = chain->forks[chain->forks_count - 1] - 1 };
	struct forkid forkid = forkid_at(chain, &head);
	struct meanings fork = { .name = "fork hash" }, next = { .name = "next fork" };
	struct packet p;
	char expected[64];
	size_t at;

	(void)state;
	enrresponse(&p, &keys[0], &forkid);
	assert_int_equal(explain(&p, &fork, &at), ERR_OK);
	snprintf(expected, sizeof(expected), "ethereum, after %zu of %zu forks",
		 chain->forks_count - 1, chain->forks_count);
	assert_string_equal(fork.meaning, expected);
	assert_int_equal(explain(&p, &next, &at), ERR_OK);
	assert_string_equal(next.meaning, "2026-01-07T01:01:11Z");

	forkid = (struct forkid){ .hash = { 1, 2, 3, 4 } };
	enrresponse(&p, &keys[1], &forkid);
	fork.value[0] = next.value[0] = '\0';
	assert_int_equal(explain(&p, &fork, &at), ERR_VALUE);
	/* Envelope, list header, request hash: there the record begins. */
	assert_int_equal(at, DISCV4_HEADER_LEN + 2 + 1 + DISCV4_HASH_LEN);
	assert_string_equal(fork.meaning, "a chain that is not known here");
	explain(&p, &next, &at);
	assert_string_equal(next.meaning, "none known");
}

/* Bytes behind the list are no fault, but there may be no more than 1280 in all. */
static void long_packets(void **state)
{
	struct meanings signer = { .name = "signer" };
	struct packet p = { .len = DISCV4_PACKET_MAX };
	uint8_t hash[32];
	struct writer w;
	size_t at;

	(void)state;
	writer_init(&w, p.bytes, sizeof(p.bytes));
	discv4_begin(&w, DISCV4_ENRREQUEST);
	discv4_enrrequest_encode(&w, &(struct discv4_enrrequest){ .expiration_s = 1 });
	writer_zeros(&w, DISCV4_PACKET_MAX - w.len);
	discv4_end(&w, 0, &secp, &keys[0]);
	assert_int_equal(explain(&p, &signer, &at), ERR_OK);
	p.len++;
	keccak_256(slice_of(p.bytes + TYPE_AT, p.len - TYPE_AT), hash);
	secp_sign(&secp, &keys[0], hash, p.bytes + DISCV4_HASH_LEN);
	keccak_256(slice_of(p.bytes + DISCV4_HASH_LEN, p.len - DISCV4_HASH_LEN), p.bytes);
	signer.value[0] = '\0';
	assert_int_equal(explain(&p, &signer, &at), ERR_LIMIT);
	assert_int_equal(at, DISCV4_PACKET_MAX);
	assert_string_not_equal(signer.value, "");
	/* Without the right hash nobody has signed it. */
	p.bytes[0] ^= 1;
	signer.value[0] = '\0';
	assert_int_equal(explain(&p, &signer, &at), ERR_CHECKSUM);
	assert_int_equal(at, 0);
	assert_string_equal(signer.value, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inputs),
		cmocka_unit_test(meanings),
		cmocka_unit_test(records_in_packets),
		cmocka_unit_test(long_packets),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
