/* test_enr.c: node records: read, checked, signed and written. */
#include "base/hash.h"
#include "base/keccak.h"
#include "base/text.h"
#include "proto/ethereum/enr.h"
#include "support/hex.h"
#include "support/told.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* EIP-778, "Test Vectors". */
static const char example_key[] =
	"b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291";
static const char example[] =
	"enr:-IS4QHCYrYZbAKWCBRlAy5zzaDZXJBGkcnh4MHcBFZntXNFrdvJjX04jRzjzCBOonrkTfj499SZuOh8R33Ls"
	"8RRcy5wBgmlkgnY0gmlwhH8AAAGJc2VjcDI1NmsxoQPKY0yuDUmstAHYpMa2_oxVtw0RW_QAdpzBQA8yWM0xOIN1"
	"ZHCCdl8";

static struct secp secp;
static struct secp_key key;

static int start(void **state)
{
	static const uint8_t random[SECP_RANDOM_LEN] = { 4 };
	uint8_t bytes[SECP_KEY_LEN];

	(void)state;
	secp_init(&secp, random);
	hex_bytes(example_key, bytes, sizeof(bytes));
	return secp_key_init(&key, bytes) ? 0 : -1;
}

static int stop(void **state)
{
	(void)state;
	secp_clear(&secp);
	return 0;
}

static void example_read(void **state)
{
	uint8_t buf[ENR_LEN_MAX], expected[64], id[ENODE_ID_LEN], public[64];
	char text[ENR_TEXT_MAX], host[NETADDR_TEXT_MAX];
	struct enode_endpoint endpoint;
	struct forkid forkid;
	const char *rule;
	struct enr e;

	(void)state;
	assert_int_equal(enr_parse(slice_text(example), buf, &e, &rule), ERR_OK);
	assert_null(rule);
	assert_int_equal(e.seq, 1);
	hex_bytes("7098ad865b00a582051940cb9cf36836572411a47278783077011599ed5cd16b"
		  "76f2635f4e234738f30813a89eb9137e3e3df5266e3a1f11df72ecf1145ccb9c",
		  expected, sizeof(expected));
	assert_memory_equal(e.signature.data, expected, sizeof(expected));
	enode_id(e.key, id);
	hex_bytes("a448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7", expected, 32);
	assert_memory_equal(id, expected, sizeof(id));
	secp_public(&secp, &key, public);
	assert_memory_equal(e.key, public, sizeof(public));
	assert_true(enr_endpoint4(&e, &endpoint));
	netaddr_text(&endpoint.addr, host);
	assert_string_equal(host, "127.0.0.1:30303");
	assert_int_equal(endpoint.tcp_port, 0);
	assert_false(enr_endpoint6(&e, &endpoint));
	assert_int_equal(endpoint.addr.kind, NETADDR_NONE);
	assert_false(enr_forkid(&e, &forkid));
	enr_text(&e, text);
	assert_string_equal(text, example);
}

static void example_signed(void **state)
{
	struct enode_endpoint endpoint = { .addr = netaddr_ipv4(0x7f000001, 30303) };
	uint8_t out[ENR_LEN_MAX];
	char text[ENR_TEXT_MAX];
	struct enr_draft d;
	struct reader r;
	struct writer w;
	struct enr e;

	(void)state;
	enr_draft_init(&d, 1);
	enr_draft_endpoint(&d, &endpoint);
	writer_init(&w, out, sizeof(out));
	enr_draft_sign(&d, &secp, &key, &w);
	assert_true(writer_ok(&w));
	reader_init(&r, slice_of(out, w.len));
	enr_decode(&r, &e);
	assert_true(reader_ok(&r));
	enr_text(&e, text);
	assert_string_equal(text, example);
}

/* The boot nodes of Ethereum's consensus layer, as of August 2026: other software, other
 * keys. */
static const char *const boot_nodes[] = {
	"enr:-KG4QMOEswP62yzDjSwWS4YEjtTZ5PO6r65CPqYBkgTTkrpaedQ8uEUo1uMALtJIvb2w_"
	"WWEVmg5yt1UAuK1ftxUU7QDhGV0aDKQu6TalgMAAAD__________"
	"4JpZIJ2NIJpcIQEnfA2iXNlY3AyNTZrMaEDfol8oLr6XJ7FsdAYE7lpJhKMls4G_v6qQOGKJUWGb_"
	"uDdGNwgiMog3VkcIIjKA",
	"enr:-KG4QF4B5WrlFcRhUU6dZETwY5ZzAXnA0vGC__"
	"L1Kdw602nDZwXSTs5RFXFIFUnbQJmhNGVU6OIX7KVrCSTODsz1tK4DhGV0aDKQu6TalgMAAAD__________"
	"4JpZIJ2NIJpcIQExNYEiXNlY3AyNTZrMaECQmM9vp7KhaXhI-nqL_"
	"R0ovULLCFSFTa9CPPSdb1zPX6DdGNwgiMog3VkcIIjKA",
	"enr:-"
	"Ku4QImhMc1z8yCiNJ1TyUxdcfNucje3BGwEHzodEZUan8PherEo4sF7pPHPSIB1NNuSg5fZy7qFsjmUKs2ea1Whi0E"
	"Bh2F0dG5ldHOIAAAAAAAAAACEZXRoMpD1pf1CAAAAAP__________"
	"gmlkgnY0gmlwhBLf22SJc2VjcDI1NmsxoQOVphkDqal4QzPMksc5wnpuC3gvSC8AfbFOnZY_On34wIN1ZHCCIyg",
	"enr:-Ku4QP2xDnEtUXIjzJ_DhlCRN9SN99RYQPJL92TMlSv7U5C1YnYLjwOQHgZIUXw6c-BvRg2Yc2QsZxxoS_"
	"pPRVe0yK8Bh2F0dG5ldHOIAAAAAAAAAACEZXRoMpD1pf1CAAAAAP__________"
	"gmlkgnY0gmlwhBLf22SJc2VjcDI1NmsxoQMeFF5GrS7UZpAH2Ly84aLK-TyvH-dRo0JM1i8yygH50YN1ZHCCJxA",
	"enr:-Ku4QPp9z1W4tAO8Ber_"
	"NQierYaOStqhDqQdOPY3bB3jDgkjcbk6YrEnVYIiCBbTxuar3CzS528d2iE7TdJsrL-"
	"dEKoBh2F0dG5ldHOIAAAAAAAAAACEZXRoMpD1pf1CAAAAAP__________"
	"gmlkgnY0gmlwhBLf22SJc2VjcDI1NmsxoQMw5fqqkw2hHC4F5HZZDPsNmPdB1Gi8JPQK7pRc9XHh-oN1ZHCCKvg",
	"enr:-Le4QPUXJS2BTORXxyx2Ia-9ae4YqA_JWX3ssj4E_J-3z1A-HmFGrU8BpvpqhNabayXeOZ2Nq_"
	"sbeDgtzMJpLLnXFgAChGV0aDKQtTA_KgEAAAAAIgEAAAAAAIJpZIJ2NIJpcISsaa0Zg2lwNpAkAIkHAAAAAPA8kv_-"
	"awoTiXNlY3AyNTZrMaEDHAD2JKYevx89W0CcFJFiskdcEzkH_Wdv9iW42qLK79ODdWRwgiMohHVkcDaCI4I",
	"enr:-Le4QLHZDSvkLfqgEo8IWGG96h6mxwe_"
	"PsggC20CL3neLBjfXLGAQFOPSltZ7oP6ol54OvaNqO02Rnvb8YmDR274uq8ChGV0aDKQtTA_"
	"KgEAAAAAIgEAAAAAAIJpZIJ2NIJpcISLosQxg2lwNpAqAX4AAAAAAPA8kv_-ax65iXNlY3AyNTZrMaEDBJj7_"
	"dLFACaxBfaI8KZTh_SSJUjhyAyfshimvSqo22WDdWRwgiMohHVkcDaCI4I",
	"enr:-Le4QH6LQrusDbAHPjU_"
	"HcKOuMeXfdEB5NJyXgHWFadfHgiySqeDyusQMvfphdYWOzuSZO9Uq2AMRJR5O4ip7OvVma8BhGV0aDKQtTA_"
	"KgEAAAAAIgEAAAAAAIJpZIJ2NIJpcISLY9ncg2lwNpAkAh8AgQIBAAAAAAAAAAmXiXNlY3AyNTZrMaECDYCZTZEksF"
	"-kmgPholqgVt8IXr-8L7Nu7YrZ7HUpgxmDdWRwgiMohHVkcDaCI4I",
	"enr:-Le4QIqLuWybHNONr933Lk0dcMmAB5WgvGKRyDihy1wHDIVlNuuztX62W51voT4I8qD34GcTEOTmag1bcdZ_"
	"8aaT4NUBhGV0aDKQtTA_KgEAAAAAIgEAAAAAAIJpZIJ2NIJpcISLY04ng2lwNpAkAh8AgAIBAAAAAAAAAA-"
	"fiXNlY3AyNTZrMaEDscnRV6n1m-D9ID5UsURk0jsoKNXt1TIrj8uKOGW6iluDdWRwgiMohHVkcDaCI4I",
	"enr:-Ku4QHqVeJ8PPICcWk1vSn_"
	"XcSkjOkNiTg6Fmii5j6vUQgvzMc9L1goFnLKgXqBJspJjIsB91LTOleFmyWWrFVATGngBh2F0dG5ldHOIAAAAAAAAA"
	"ACEZXRoMpC1MD8qAAAAAP__________"
	"gmlkgnY0gmlwhAMRHkWJc2VjcDI1NmsxoQKLVXFOhp2uX6jeT0DvvDpPcU8FWMjQdR4wMuORMhpX24N1ZHCCIyg",
	"enr:-Ku4QG-2_Md3sZIAUebGYT6g0SMskIml77l6yR-M_JXc-"
	"UdNHCmHQeOiMLbylPejyJsdAPsTHJyjJB2sYGDLe0dn8uYBh2F0dG5ldHOIAAAAAAAAAACEZXRoMpC1MD8qAAAAAP_"
	"_________gmlkgnY0gmlwhBLY-NyJc2VjcDI1NmsxoQORcM6e19T1T9gi7jxEZjk_"
	"sjVLGFscUNqAY9obgZaxbIN1ZHCCIyg",
	"enr:-Ku4QPn5eVhcoF1opaFEvg1b6JNFD2rqVkHQ8HApOKK61OIcIXD127bKWgAtbwI7pnxx6cDyk_"
	"nI88TrZKQaGMZj0q0Bh2F0dG5ldHOIAAAAAAAAAACEZXRoMpC1MD8qAAAAAP__________"
	"gmlkgnY0gmlwhDayLMaJc2VjcDI1NmsxoQK2sBOLGcUb4AwuYzFuAVCaNHA-dy24UuEKkeFNgCVCsIN1ZHCCIyg",
	"enr:-Ku4QEWzdnVtXc2Q0ZVigfCGggOVB2Vc1ZCPEc6j21NIFLODSJbvNaef1g4PxhPwl_"
	"3kax86YPheFUSLXPRs98vvYsoBh2F0dG5ldHOIAAAAAAAAAACEZXRoMpC1MD8qAAAAAP__________"
	"gmlkgnY0gmlwhDZBrP2Jc2VjcDI1NmsxoQM6jr8Rb1ktLEsVcKAPa08wCsKUmvoQ8khiOl_SLozf9IN1ZHCCIyg",
	"enr:-LK4QA8FfhaAjlb_BXsXxSfiysR7R52Nhi9JBt4F8SPssu8hdE1BXQQEtVDC3qStCW60LSO7hEsVHv5zm8_"
	"6Vnjhcn0Bh2F0dG5ldHOIAAAAAAAAAACEZXRoMpC1MD8qAAAAAP__________"
	"gmlkgnY0gmlwhAN4aBKJc2VjcDI1NmsxoQJerDhsJ-"
	"KxZ8sHySMOCmTO6sHM3iCFQ6VMvLTe948MyYN0Y3CCI4yDdWRwgiOM",
	"enr:-LK4QKWrXTpV9T78hNG6s8AM6IO4XH9kFT91uZtFg1GcsJ6dKovDOr1jtAAFPnS2lvNltkOGA9k29BUN7lFh_"
	"sjuc9QBh2F0dG5ldHOIAAAAAAAAAACEZXRoMpC1MD8qAAAAAP__________gmlkgnY0gmlwhANAdd-"
	"Jc2VjcDI1NmsxoQLQa6ai7y9PMN5hpLe5HmiJSlYzMuzP7ZhwRiwHvqNXdoN0Y3CCI4yDdWRwgiOM",
};

static void known_nodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(boot_nodes) / sizeof(*boot_nodes); i++) {
		uint8_t buf[ENR_LEN_MAX];
		struct enode_endpoint endpoint;
		char text[ENR_TEXT_MAX];
		struct slice value;
		const char *rule;
		struct enr e;

		if (enr_parse(slice_text(boot_nodes[i]), buf, &e, &rule) != ERR_OK)
			fail_msg("%s: %s", boot_nodes[i], rule);
		assert_true(enr_endpoint4(&e, &endpoint));
		assert_true(endpoint.addr.port > 0 && netaddr_is_routable(&endpoint.addr));
		/* A key of another layer: kept, though nothing here reads it. */
		assert_true(enr_find(&e, "eth2", &value));
		assert_int_equal(value.len, 17);
		enr_text(&e, text);
		assert_string_equal(text, boot_nodes[i]);
	}
}

/* The sixth of them, field by field: IPv6, and both of its ports in their own right. */
static void fields(void **state)
{
	struct told told = { .covered = 0 };
	uint8_t buf[ENR_LEN_MAX];
	struct enode_endpoint e6;
	char host[NETADDR_TEXT_MAX];
	const char *rule;
	struct reader r;
	struct enr e;

	(void)state;
	assert_int_equal(enr_parse(slice_text(boot_nodes[5]), buf, &e, &rule), ERR_OK);
	reader_init(&r, e.raw);
	r.on_field = told_field;
	r.on_field_ctx = &told;
	enr_decode(&r, &e);
	assert_true(reader_ok(&r) && !told.gap && told.covered == e.raw.len);
	assert_string_equal(told.names, "record|signature|seq|key|eth2|key|id|key|ip|key|ip6|key|"
					"secp256k1|key|udp|key|udp6");
	assert_true(enr_endpoint6(&e, &e6));
	netaddr_text(&e6.addr, host);
	assert_string_equal(host, "[2400:8907::f03c:92ff:fe6b:a13]:9090");
}

/* What follows the signature, signed by the key of the example whatever it says. */
static struct slice sign(struct slice payload, uint8_t *out, size_t cap)
{
	uint8_t content[1024], hash[32], signature[SECP_SIGNATURE_LEN];
	struct writer w;
	size_t list;

	writer_init(&w, content, sizeof(content));
	list = rlp_put_list(&w);
	writer_slice(&w, payload);
	rlp_end_list(&w, list);
	keccak_256(slice_of(content, w.len), hash);
	secp_sign(&secp, &key, hash, signature);
	writer_init(&w, out, cap);
	list = rlp_put_list(&w);
	rlp_put_bytes(&w, slice_of(signature, ENR_SIGNATURE_LEN));
	writer_slice(&w, payload);
	rlp_end_list(&w, list);
	assert_true(writer_ok(&w));
	return slice_of(out, w.len);
}

/* The pairs "id" and "secp256k1" as bytes of a row. */
#define ID "826964 827634 "
#define KEY                     \
	"89736563703235366b31 " \
	"a103ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138 "

/* Each row is one rule of records, rightly signed. at: the offset, or -1: wherever. The
 * payload begins 68 bytes in: a header of 2, the signature of 66. */
static const struct {
	const char *name, *hex;
	enum err err;
	int at;
} rule_rows[] = {
	{ "nothing but the identity", "01" ID KEY, ERR_OK, -1 },
	{ "sequence number 0", "80" ID KEY, ERR_OK, -1 },
	{ "the largest", "88ffffffffffffffff" ID KEY, ERR_OK, -1 },
	{ "a padded sequence number", "820001" ID KEY, ERR_NONCANONICAL, 68 },
	{ "a sequence number of 9 bytes", "89010000000000000000" ID KEY, ERR_LIMIT, 68 },
	{ "an unknown key", "01" ID KEY "847a7a7a7a c3010203", ERR_OK, -1 },
	{ "an empty key", "01 80 80" ID KEY, ERR_OK, -1 },
	{ "an ip of five bytes", "01" ID "826970 857f00000101" KEY, ERR_OK, -1 },
	{ "a port that is a list", "01" ID KEY "83756470 c101", ERR_OK, -1 },
	{ "not sorted", "01" KEY ID, ERR_VALUE, 113 },
	{ "twice the same", "01" ID ID KEY, ERR_VALUE, 75 },
	{ "shorter comes first", "01" ID "82697036 80 826970 80" KEY, ERR_VALUE, -1 },
	{ "a key without a value", "01" ID KEY "83756470", ERR_SHORT, 123 },
	{ "a list for a key", "01" ID KEY "c1 75 80", ERR_VALUE, 119 },
	{ "no identity scheme", "01" KEY, ERR_VALUE, 0 },
	{ "another scheme", "01 826964 827635" KEY, ERR_VALUE, 0 },
	{ "no key", "01" ID, ERR_VALUE, 0 },
	{ "a key of 32 bytes",
	  "01" ID "89736563703235366b31 a0ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f32"
	  "58cd3138",
	  ERR_VALUE, 0 },
	{ "a key off the curve",
	  "01" ID "89736563703235366b31 a1020000000000000000000000000000000000000000000000000000"
	  "000000000005",
	  ERR_VALUE, 0 },
	{ "somebody else's key",
	  "01" ID "89736563703235366b31 a10279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f281"
	  "5b16f81798",
	  ERR_CHECKSUM, 4 },
	{ "no sequence number", "", ERR_SHORT, 68 },
};

static void rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rule_rows) / sizeof(*rule_rows); i++) {
		uint8_t payload[300], out[400];
		struct told told = { .covered = 0 };
		struct slice in = sign(hex_bytes(rule_rows[i].hex, payload, sizeof(payload)), out,
				       sizeof(out));
		struct reader r, quiet;
		struct enr e;

		reader_init(&quiet, in);
		enr_decode(&quiet, &e);
		reader_init(&r, in);
		r.on_field = told_field;
		r.on_field_ctx = &told;
		enr_decode(&r, &e);
		if (r.err != rule_rows[i].err ||
		    (rule_rows[i].at >= 0 && r.err_at != (size_t)rule_rows[i].at))
			fail_msg("row \"%s\": %s at %zu", rule_rows[i].name, err_name(r.err),
				 r.err_at);
		assert_true(quiet.err == r.err && quiet.err_at == r.err_at && quiet.rule == r.rule);
		assert_false(told.gap);
		if (r.err == ERR_OK)
			assert_true(told.covered == in.len && slice_equal(e.raw, in));
		else
			assert_non_null(r.rule);
	}
}

/* One of 300 bytes is read, one of 301 is not. */
static void longest(void **state)
{
	uint8_t payload[300], out[400], filler[200] = { 0 };
	struct slice identity = hex_bytes("01" ID KEY, payload, sizeof(payload));

	(void)state;
	for (size_t len = 300; len <= 301; len++) {
		struct slice in;
		struct reader r;
		struct writer w;
		struct enr e;

		writer_init(&w, payload, sizeof(payload));
		w.len = identity.len;
		rlp_put_bytes(&w, slice_text("zz"));
		/* Three bytes of header for the list, 66 of signature, two for the filler. */
		rlp_put_bytes(&w, slice_of(filler, len - 3 - 66 - w.len - 2));
		in = sign(slice_of(payload, w.len), out, sizeof(out));
		assert_int_equal(in.len, len);
		reader_init(&r, in);
		enr_decode(&r, &e);
		assert_int_equal(r.err, len == 300 ? ERR_OK : ERR_LIMIT);
	}
}

/* No single bit can be changed. */
static void tampering(void **state)
{
	uint8_t buf[ENR_LEN_MAX], changed[ENR_LEN_MAX];
	const char *rule;
	struct enr e, other;

	(void)state;
	assert_int_equal(enr_parse(slice_text(example), buf, &e, &rule), ERR_OK);
	for (size_t bit = 0; bit < 8 * e.raw.len; bit++) {
		struct reader r;

		memcpy(changed, buf, e.raw.len);
		changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		reader_init(&r, slice_of(changed, e.raw.len));
		enr_decode(&r, &other);
		reader_end(&r, "the record alone");
		if (reader_ok(&r))
			fail_msg("bit %zu makes no difference", bit);
	}
}

/* Each row is a text that is no record. */
static const struct {
	const char *name, *text;
	enum err err;
} text_rows[] = {
	{ "nothing", "", ERR_SYNTAX },
	{ "no prefix", "-IS4QHCY", ERR_SYNTAX },
	{ "capitals", "ENR:-IS4QHCY", ERR_SYNTAX },
	{ "no record", "enr:", ERR_SHORT },
	{ "padding", "enr:gA==", ERR_SYNTAX },
	{ "the other alphabet", "enr:+/+/", ERR_SYNTAX },
	{ "a blank", "enr:gA gA", ERR_SYNTAX },
	{ "one digit too many", "enr:gAAAA", ERR_SYNTAX },
	{ "bits beyond the last byte", "enr:gB", ERR_SYNTAX },
	{ "no list", "enr:gA", ERR_VALUE },
	{ "an empty list", "enr:wA", ERR_SHORT },
};

static void texts(void **state)
{
	char text[500] = "enr:";
	uint8_t buf[ENR_LEN_MAX];
	const char *rule;
	struct enr e;

	(void)state;
	for (size_t i = 0; i < sizeof(text_rows) / sizeof(*text_rows); i++) {
		enum err err = enr_parse(slice_text(text_rows[i].text), buf, &e, &rule);

		if (err != text_rows[i].err || rule == NULL)
			fail_msg("row \"%s\": %s", text_rows[i].name, err_name(err));
	}
	/* More behind it. */
	snprintf(text, sizeof(text), "%sAAAA", example);
	assert_int_equal(enr_parse(slice_text(text), buf, &e, &rule), ERR_TRAILING);
	/* 301 bytes. */
	memset(text + 4, 'A', 402);
	text[4 + 402] = 0;
	assert_int_equal(enr_parse(slice_text(text), buf, &e, &rule), ERR_LIMIT);
}

/* The ports of IPv6 default to those of IPv4 (EIP-778). */
static void ports(void **state)
{
	uint8_t payload[200], out[300];
	struct slice in = sign(hex_bytes("01" ID "83697036 90 20010db8000000000000000000000001" KEY
					 "83746370 821111 83756470 822222 8475647036 823333",
					 payload, sizeof(payload)),
			       out, sizeof(out));
	struct enode_endpoint e4, e6;
	struct reader r;
	uint16_t port;
	struct enr e;

	(void)state;
	reader_init(&r, in);
	enr_decode(&r, &e);
	assert_true(reader_ok(&r));
	assert_false(enr_endpoint4(&e, &e4));
	assert_true(enr_endpoint6(&e, &e6));
	assert_int_equal(e6.addr.port, 0x3333);
	assert_int_equal(e6.tcp_port, 0x1111);
	assert_true(enr_port(&e, "udp", &port));
	assert_int_equal(port, 0x2222);
	assert_false(enr_port(&e, "tcp6", &port));
	assert_int_equal(port, 0);
	assert_false(enr_port(&e, "ip6", &port));
}

static void drafts(void **state)
{
	struct enode_endpoint e4 = { netaddr_ipv4(0x01020304, 30303), 30304 },
			      e6 = { .tcp_port = 1 };
	struct forkid forkid = { { 0x07, 0xc9, 0x46, 0x2e }, 0 }, forkid_back;
	struct enode_endpoint back;
	uint8_t out[ENR_LEN_MAX];
	struct enr_draft d;
	struct slice value;
	struct writer w;
	struct reader r;
	struct enr e;

	(void)state;
	e6.addr.kind = NETADDR_IPV6;
	e6.addr.bytes[0] = 0x20;
	e6.addr.port = 2;
	enr_draft_init(&d, UINT64_MAX);
	enr_draft_set(&d, "zz", slice_of("\xc2\x01\x02", 3));
	enr_draft_endpoint(&d, &e6);
	enr_draft_forkid(&d, &forkid);
	enr_draft_endpoint(&d, &e4);
	enr_draft_bytes(&d, "a", slice_text("anything"));
	writer_init(&w, out, sizeof(out));
	enr_draft_sign(&d, &secp, &key, &w);
	assert_true(writer_ok(&w));
	reader_init(&r, slice_of(out, w.len));
	enr_decode(&r, &e);
	assert_true(reader_ok(&r) && e.seq == UINT64_MAX);
	assert_true(enr_endpoint4(&e, &back) && enode_endpoint_equal(&back, &e4));
	assert_true(enr_endpoint6(&e, &back) && enode_endpoint_equal(&back, &e6));
	assert_true(enr_forkid(&e, &forkid_back) && forkid_back.next == 0);
	assert_memory_equal(forkid_back.hash, forkid.hash, sizeof(forkid.hash));
	assert_true(enr_find(&e, "zz", &value) && value.len == 3);
	assert_true(enr_find(&e, "a", &value) && value.len == 9);

	/* Too much of it. */
	enr_draft_init(&d, 1);
	enr_draft_bytes(&d, "big", slice_of(out, 200));
	writer_init(&w, out, sizeof(out));
	enr_draft_sign(&d, &secp, &key, &w);
	assert_int_equal(w.err, ERR_LIMIT);
	assert_int_equal(w.len, 0);
	enr_draft_init(&d, 1);
	for (unsigned i = 0; i <= ENR_DRAFT_PAIRS_MAX; i++) {
		char name[4] = { 'k', (char)('a' + i), 0 };

		enr_draft_uint(&d, name, i);
	}
	assert_int_equal(d.err, ERR_FULL);
}

/* Whatever somebody puts in, signed, read and asked for again. */
static void round_trips(void **state)
{
	struct random random = { 17 };

	(void)state;
	for (unsigned n = 0; n < 300; n++) {
		size_t count = (size_t)random_below(&random, 8);
		uint8_t out[ENR_LEN_MAX], buf[ENR_LEN_MAX], filler[32];
		char text[ENR_TEXT_MAX], name[4] = "k";
		uint64_t values[8];
		struct enr_draft d;
		const char *rule;
		struct enr e, back;
		struct reader r;
		struct writer w;

		enr_draft_init(&d, random_next(&random) >> random_below(&random, 64));
		memset(filler, (int)n, sizeof(filler));
		enr_draft_bytes(&d, "bytes", slice_of(filler, random_below(&random, 32)));
		for (size_t i = 0; i < count; i++) {
			/* In descending order. */
			name[1] = (char)('z' - i);
			values[i] = random_next(&random) >> random_below(&random, 64);
			enr_draft_uint(&d, name, values[i]);
		}
		writer_init(&w, out, sizeof(out));
		enr_draft_sign(&d, &secp, &key, &w);
		assert_true(writer_ok(&w));
		reader_init(&r, slice_of(out, w.len));
		enr_decode(&r, &e);
		assert_true(reader_ok(&r) && e.seq == d.seq);
		for (size_t i = 0; i < count; i++) {
			struct slice value;

			name[1] = (char)('z' - i);
			assert_true(enr_find(&e, name, &value));
			reader_init(&r, value);
			assert_true(rlp_uint(&r, 8, RLP_STRICT, name) == values[i]);
		}
		enr_text(&e, text);
		assert_int_equal(enr_parse(slice_text(text), buf, &back, &rule), ERR_OK);
		assert_true(slice_equal(e.raw, back.raw));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(example_read), cmocka_unit_test(example_signed),
		cmocka_unit_test(known_nodes),  cmocka_unit_test(fields),
		cmocka_unit_test(rules),        cmocka_unit_test(longest),
		cmocka_unit_test(tampering),    cmocka_unit_test(texts),
		cmocka_unit_test(ports),        cmocka_unit_test(drafts),
		cmocka_unit_test(round_trips),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
