/* test_messages.c: version, addr, addrv2, ping and feefilter. */
#include "base/hash.h"
#include "proto/bitcoin/fields.h"
#include "support/bitcoin.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define VERSION_HEAD  "7f110100 0f04000000000000 9341555b00000000"
#define ADDR_ZERO     "0f04000000000000 00000000000000000000000000000000 0000"
#define VERSION_NAMES "protocol|services|time|receiver services|receiver address|receiver port"
#define VERSION_MORE  "|sender services|sender address|sender port|nonce"

/* The first row is the payload of a captured message (protocol 70015, services 0x40f,
 * "/some-cool-software/", height 1, relay 1), printed in a tutorial on the protocol;
 * the others are its beginnings, and one rule each. */
static const struct payload_row version_rows[] = {
	{ "the whole", BITCOIN_VERSION,
	  VERSION_HEAD ADDR_ZERO ADDR_ZERO "7256c5439b3aea89"
					   "142f736f6d652d636f6f6c2d736f6674776172652f 01000000 01",
	  ERR_OK, 0, VERSION_NAMES VERSION_MORE "|length|user agent|height|relay" },
	{ "before 106: no sender", BITCOIN_VERSION, VERSION_HEAD ADDR_ZERO, ERR_OK, 0,
	  VERSION_NAMES },
	{ "before 209: no height", BITCOIN_VERSION,
	  VERSION_HEAD ADDR_ZERO ADDR_ZERO "7256c5439b3aea89 00", ERR_OK, 0,
	  VERSION_NAMES VERSION_MORE "|length|user agent" },
	{ "before 70001: no relay", BITCOIN_VERSION,
	  VERSION_HEAD ADDR_ZERO ADDR_ZERO "7256c5439b3aea89 00 01000000", ERR_OK, 0,
	  VERSION_NAMES VERSION_MORE "|length|user agent|height" },
	{ "nothing behind the nonce", BITCOIN_VERSION,
	  VERSION_HEAD ADDR_ZERO ADDR_ZERO "7256c5439b3aea89", ERR_OK, 0,
	  VERSION_NAMES VERSION_MORE },
	{ "cut in the protocol", BITCOIN_VERSION, "7f1101", ERR_SHORT, 0, "" },
	{ "cut in the time", BITCOIN_VERSION, "7f110100 0f04000000000000 9341", ERR_SHORT, 12,
	  "protocol|services" },
	{ "cut in the receiver", BITCOIN_VERSION, VERSION_HEAD "0f04000000000000 0000", ERR_SHORT,
	  28, "protocol|services|time|receiver services" },
	{ "cut in the nonce", BITCOIN_VERSION, VERSION_HEAD ADDR_ZERO ADDR_ZERO "7256c5", ERR_SHORT,
	  72, NULL },
	{ "cut in the user agent", BITCOIN_VERSION,
	  VERSION_HEAD ADDR_ZERO ADDR_ZERO "7256c5439b3aea89 142f", ERR_SHORT, 81, NULL },
	{ "user agent over 256", BITCOIN_VERSION,
	  VERSION_HEAD ADDR_ZERO ADDR_ZERO "7256c5439b3aea89 fd0101", ERR_LIMIT, 80, NULL },
	{ "user agent's length padded", BITCOIN_VERSION,
	  VERSION_HEAD ADDR_ZERO ADDR_ZERO "7256c5439b3aea89 fd1400", ERR_NONCANONICAL, 80, NULL },
	{ "cut in the height", BITCOIN_VERSION,
	  VERSION_HEAD ADDR_ZERO ADDR_ZERO "7256c5439b3aea89 00 010000", ERR_SHORT, 81, NULL },
	{ "more than there should be", BITCOIN_VERSION,
	  VERSION_HEAD ADDR_ZERO ADDR_ZERO "7256c5439b3aea89 00 01000000 01 ff", ERR_TRAILING, 86,
	  NULL },
};

static void version_forms(void **state)
{
	static const size_t whole[] = { 46, 80, 101, 105 };

	(void)state;
	assert_true(check_rows(version_rows, sizeof(version_rows) / sizeof(*version_rows)));
	assert_true(check_prefixes(&version_rows[0], whole, 4));
}

static void version_fields(void **state)
{
	uint8_t bytes[200], out[200];
	struct slice in = from_hex(version_rows[0].hex, bytes, sizeof(bytes));
	struct bitcoin_version v;
	struct reader r;
	struct writer w;

	(void)state;
	reader_init(&r, in);
	bitcoin_version_decode(&r, &v);
	assert_true(reader_ok(&r));
	assert_int_equal(v.protocol, 70015);
	assert_int_equal(v.services, 0x40f);
	assert_int_equal(v.time_s, 0x5b554193);
	assert_int_equal(v.recv.services, 0x40f);
	assert_int_equal(v.from.services, 0x40f);
	assert_int_equal(v.recv.addr.kind, NETADDR_IPV6);
	assert_true(v.nonce == 0x89ea3a9b43c55672);
	assert_true(slice_equal(v.agent, slice_text("/some-cool-software/")));
	assert_int_equal(v.height, 1);
	assert_true(v.relay && v.has_from && v.has_height && v.has_relay);
	writer_init(&w, out, sizeof(out));
	bitcoin_version_encode(&w, &v);
	assert_true(slice_equal(in, slice_of(out, w.len)));

	/* What an old form leaves out is zero, except relay. */
	reader_init(&r, slice_of(bytes, 46));
	bitcoin_version_decode(&r, &v);
	assert_true(reader_ok(&r) && v.relay);
	assert_false(v.has_from || v.has_height || v.has_relay);
	assert_int_equal(v.nonce, 0);
	assert_int_equal(v.agent.len, 0);
}

/* The message of version_rows[0] in its frame, with the checksum that was captured. */
static void version_checksum(void **state)
{
	static const uint8_t captured[4] = { 0x9b, 0x22, 0x8b, 0x9e };
	uint8_t bytes[200], sum[4];

	(void)state;
	bitcoin_checksum(from_hex(version_rows[0].hex, bytes, sizeof(bytes)), sum);
	assert_memory_equal(sum, captured, 4);
}

#define IP1 "00000000000000000000000000000001"

/* The second row is an addr from a tutorial on the protocol. */
static const struct payload_row addr_rows[] = {
	{ "nobody", BITCOIN_ADDR, "00", ERR_OK, 0, "count" },
	{ "one", BITCOIN_ADDR, "01 6843905c 0d04000000000000 00000000000000000000ffff5f1cda3d 208d",
	  ERR_OK, 0, "count|entry#0|time|services|address|port" },
	{ "three of Core's", BITCOIN_ADDR,
	  /* Bitcoin Core, src/test/netbase_tests.cpp, stream_addrv1_hex */
	  "03 61bc6649 0000000000000000 " IP1 " 0000 79627683 0100000000000000 " IP1
	  " 00f1 ffffffff 4804000000000000 " IP1 " f1f2",
	  ERR_OK, 0,
	  "count|entry#0|time|services|address|port|entry#1|time|services|address|port"
	  "|entry#2|time|services|address|port" },
	{ "empty", BITCOIN_ADDR, "", ERR_SHORT, 0, "" },
	{ "1,001 entries", BITCOIN_ADDR, "fde903", ERR_LIMIT, 0, "" },
	{ "count padded", BITCOIN_ADDR, "fd0100", ERR_NONCANONICAL, 0, "" },
	{ "cut in the port", BITCOIN_ADDR, "01 6843905c 0d04000000000000 " IP1 " 20", ERR_SHORT, 29,
	  NULL },
	{ "second entry missing", BITCOIN_ADDR,
	  "02 6843905c 0d04000000000000 00000000000000000000ffff5f1cda3d 208d", ERR_SHORT, 31,
	  "count|entry#0|time|services|address|port|entry#1" },
	{ "one byte more", BITCOIN_ADDR,
	  "01 6843905c 0d04000000000000 00000000000000000000ffff5f1cda3d 208d 00", ERR_TRAILING, 31,
	  NULL },
};

#define KEY32 "53cd5648488c4707914182655b7664034e09e66f7e8cbf1084e654eb56c5bd88"
#define ENTRY "count|entry#0|time|services|network|length|address|port"

/* Addresses: Bitcoin Core, src/test/net_tests.cpp (cnetaddr_unserialize_v2), set into
 * entries of time 1 and services 1; rules: BIP 155. */
static const struct payload_row addrv2_rows[] = {
	{ "nobody", BITCOIN_ADDRV2, "00", ERR_OK, 0, "count" },
	{ "IPv4", BITCOIN_ADDRV2, "01 01000000 01 01 04 01020304 208d", ERR_OK, 0, ENTRY },
	{ "IPv6", BITCOIN_ADDRV2, "01 01000000 01 02 10 0102030405060708090a0b0c0d0e0f10 208d",
	  ERR_OK, 0, ENTRY },
	{ "Tor v3", BITCOIN_ADDRV2, "01 01000000 01 04 20" KEY32 "208d", ERR_OK, 0, ENTRY },
	{ "I2P", BITCOIN_ADDRV2, "01 01000000 01 05 20" KEY32 "0000", ERR_OK, 0, ENTRY },
	{ "CJDNS", BITCOIN_ADDRV2, "01 01000000 01 06 10 fc000001000200030004000500060007 208d",
	  ERR_OK, 0, ENTRY },
	{ "services of nine bytes", BITCOIN_ADDRV2,
	  "01 01000000 ff0000000001000000 01 04 01020304 208d", ERR_OK, 0, ENTRY },
	{ "Tor v2 is ignored", BITCOIN_ADDRV2, "01 01000000 01 03 0a f1f2f3f4f5f6f7f8f9fa 208d",
	  ERR_OK, 0, ENTRY },
	{ "Tor v2 of any length", BITCOIN_ADDRV2, "01 01000000 01 03 07 00000000000000 208d",
	  ERR_OK, 0, ENTRY },
	{ "an unknown network", BITCOIN_ADDRV2, "01 01000000 01 aa 04 01020304 208d", ERR_OK, 0,
	  ENTRY },
	{ "an unknown network, no address", BITCOIN_ADDRV2, "01 01000000 01 aa 00 208d", ERR_OK, 0,
	  ENTRY },
	{ "IPv4 dressed up as IPv6", BITCOIN_ADDRV2,
	  "01 01000000 01 02 10 00000000000000000000ffff01020304 208d", ERR_OK, 0, ENTRY },
	{ "OnionCat", BITCOIN_ADDRV2, "01 01000000 01 02 10 fd87d87eeb430102030405060708090a 208d",
	  ERR_OK, 0, ENTRY },
	{ "IPv4 of 5 bytes", BITCOIN_ADDRV2, "01 01000000 01 01 05 0102030405 208d", ERR_VALUE, 7,
	  NULL },
	{ "IPv6 of 4 bytes", BITCOIN_ADDRV2, "01 01000000 01 02 04 00000000 208d", ERR_VALUE, 7,
	  NULL },
	{ "Tor v3 of no bytes", BITCOIN_ADDRV2, "01 01000000 01 04 00 208d", ERR_VALUE, 7, NULL },
	{ "I2P of 3 bytes", BITCOIN_ADDRV2, "01 01000000 01 05 03 000000 208d", ERR_VALUE, 7,
	  NULL },
	{ "CJDNS of 1 byte", BITCOIN_ADDRV2, "01 01000000 01 06 01 fc 208d", ERR_VALUE, 7, NULL },
	{ "unknown, over 512 bytes", BITCOIN_ADDRV2, "01 01000000 01 aa fd0102 00", ERR_LIMIT, 7,
	  NULL },
	{ "IPv4, over 512 bytes", BITCOIN_ADDRV2, "01 01000000 01 01 fd0102 00", ERR_LIMIT, 7,
	  NULL },
	{ "the address is cut short", BITCOIN_ADDRV2, "01 01000000 01 01 04 0102", ERR_SHORT, 8,
	  NULL },
	{ "the port is cut short", BITCOIN_ADDRV2, "01 01000000 01 01 04 01020304 20", ERR_SHORT,
	  12, NULL },
	{ "services padded", BITCOIN_ADDRV2, "01 01000000 fd0100 01 04 01020304 208d",
	  ERR_NONCANONICAL, 5, NULL },
	{ "length padded", BITCOIN_ADDRV2, "01 01000000 01 01 fd0400 01020304 208d",
	  ERR_NONCANONICAL, 7, NULL },
	{ "1,001 entries", BITCOIN_ADDRV2, "fde903", ERR_LIMIT, 0, NULL },
	{ "second entry missing", BITCOIN_ADDRV2, "02 01000000 01 01 04 01020304 208d", ERR_SHORT,
	  14, NULL },
	{ "an error in the second entry", BITCOIN_ADDRV2,
	  "02 01000000 01 01 04 01020304 208d 01000000 01 01 03 010203 208d", ERR_VALUE, 20, NULL },
};

static void addr_forms(void **state)
{
	(void)state;
	assert_true(check_rows(addr_rows, sizeof(addr_rows) / sizeof(*addr_rows)));
	assert_true(check_rows(addrv2_rows, sizeof(addrv2_rows) / sizeof(*addrv2_rows)));
	assert_true(check_prefixes(&addr_rows[2], NULL, 0));
	assert_true(check_prefixes(&addrv2_rows[3], NULL, 0));
}

/* What bitcoin_addr_next makes of the entry of a row: its text, or "" if skipped. */
static const struct {
	const char *name, *text;
} next_rows[] = {
	{ "nobody", "" },
	{ "IPv4", "1.2.3.4:8333" },
	{ "IPv6", "[102:304:506:708:90a:b0c:d0e:f10]:8333" },
	{ "Tor v3", "kpgvmscirrdqpekbqjsvw5teanhatztpp2gl6eee4zkowvwfxwenqaid.onion:8333" },
	{ "CJDNS", "[fc00:1:2:3:4:5:6:7]:8333" },
	{ "services of nine bytes", "1.2.3.4:8333" },
	{ "Tor v2 is ignored", "" },
	{ "Tor v2 of any length", "" },
	{ "an unknown network", "" },
	{ "an unknown network, no address", "" },
	{ "IPv4 dressed up as IPv6", "" },
	{ "OnionCat", "" },
};

static const struct payload_row *find_row(const char *name)
{
	for (size_t i = 0; i < sizeof(addrv2_rows) / sizeof(*addrv2_rows); i++) {
		if (strcmp(addrv2_rows[i].name, name) == 0)
			return &addrv2_rows[i];
	}
	fail_msg("no row \"%s\"", name);
	return NULL;
}

static void addr_next_skips(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(next_rows) / sizeof(*next_rows); i++) {
		uint8_t bytes[200];
		char text[NETADDR_TEXT_MAX] = "";
		struct bitcoin_addr list;
		struct advert advert;
		struct reader r, entries;

		reader_init(&r, from_hex(find_row(next_rows[i].name)->hex, bytes, sizeof(bytes)));
		bitcoin_addr_decode(&r, true, &list);
		assert_true(reader_ok(&r));
		assert_int_equal(list.count, bytes[0]);
		reader_init(&entries, list.entries);
		if (bitcoin_addr_next(&entries, true, &advert)) {
			netaddr_text(&advert.addr, text);
			assert_int_equal(advert.last_seen_s, 1);
			assert_false(bitcoin_addr_next(&entries, true, &advert));
		}
		assert_true(reader_ok(&entries));
		assert_string_equal(text, next_rows[i].text);
	}
}

/* Bitcoin Core, src/test/netbase_tests.cpp: fixture_addresses in both forms. */
static const char core_v1[] = "03 61bc6649 0000000000000000 " IP1 " 0000"
			      "79627683 0100000000000000 " IP1 " 00f1"
			      "ffffffff 4804000000000000 " IP1 " f1f2";
static const char core_v2[] = "03 61bc6649 00 02 10 " IP1 " 0000"
			      "79627683 01 02 10 " IP1 " 00f1"
			      "ffffffff fd4804 02 10 " IP1 " f1f2";

static void core_fixture(void **state)
{
	struct netaddr one;
	struct advert adverts[3] = {
		{ .last_seen_s = 0x4966bc61, .services = 0 },
		{ .last_seen_s = 0x83766279, .services = 1 },
		{ .last_seen_s = 0xffffffff, .services = 0x448 },
	};
	uint8_t bytes[200], out[200];
	struct writer w;

	(void)state;
	assert_int_equal(netaddr_parse(slice_text("::1"), 0, &one), ERR_OK);
	for (unsigned i = 0; i < 3; i++)
		adverts[i].addr = one;
	adverts[1].addr.port = 0xf1;
	adverts[2].addr.port = 0xf1f2;
	writer_init(&w, out, sizeof(out));
	bitcoin_addr_encode(&w, false, adverts, 3);
	assert_true(slice_equal(from_hex(core_v1, bytes, sizeof(bytes)), slice_of(out, w.len)));
	writer_init(&w, out, sizeof(out));
	bitcoin_addr_encode(&w, true, adverts, 3);
	assert_true(slice_equal(from_hex(core_v2, bytes, sizeof(bytes)), slice_of(out, w.len)));
}

static struct advert random_advert(struct random *random)
{
	static const uint8_t kinds[] = { NETADDR_IPV4, NETADDR_IPV6,  NETADDR_TORV2, NETADDR_TORV3,
					 NETADDR_I2P,  NETADDR_CJDNS, NETADDR_NONE };
	struct advert a = { .last_seen_s = (int64_t)(random_next(random) & UINT32_MAX),
			    .services = random_next(random) >> random_below(random, 64) };

	a.addr.kind = kinds[random_below(random, sizeof(kinds))];
	a.addr.port = (uint16_t)random_next(random);
	for (size_t i = 0; i < netaddr_len(a.addr.kind); i++)
		a.addr.bytes[i] = (uint8_t)random_next(random);
	return a;
}

static bool can_travel(const struct advert *a, bool v2)
{
	if (a->addr.kind == NETADDR_NONE || a->addr.kind == NETADDR_TORV2)
		return false;
	return v2 || netaddr_is_ip(&a->addr);
}

/* What is written is read again, less what has no place in the form. */
static void addr_round_trip(void **state)
{
	static struct advert adverts[BITCOIN_ADDR_MAX];
	static uint8_t out[100000];
	struct random random = { 155 };

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		bool v2 = round % 2 == 0;
		size_t count = round < 2 ? BITCOIN_ADDR_MAX : random_below(&random, 50), i = 0;
		struct bitcoin_addr list;
		struct advert advert;
		struct reader r, entries;
		struct writer w;

		for (size_t n = 0; n < count; n++)
			adverts[n] = random_advert(&random);
		writer_init(&w, out, sizeof(out));
		bitcoin_addr_encode(&w, v2, adverts, count);
		assert_true(writer_ok(&w));
		reader_init(&r, slice_of(out, w.len));
		bitcoin_addr_decode(&r, v2, &list);
		assert_true(reader_ok(&r) && reader_left(&r) == 0);
		for (reader_init(&entries, list.entries); bitcoin_addr_next(&entries, v2, &advert);
		     i++) {
			while (i < count && !can_travel(&adverts[i], v2))
				i++;
			assert_true(i < count);
			assert_true(netaddr_equal(&advert.addr, &adverts[i].addr));
			assert_true(advert.services == adverts[i].services);
			assert_true(advert.last_seen_s == adverts[i].last_seen_s);
			assert_int_equal(advert.node_id.len, 0);
		}
		assert_true(reader_ok(&entries));
		while (i < count)
			assert_false(can_travel(&adverts[i++], v2));
	}
}

/* One entry too many is rejected by the decoder; the encoder leaves that to its caller. */
static void addr_too_many(void **state)
{
	static struct advert adverts[BITCOIN_ADDR_MAX + 1];
	static uint8_t out[100000];

	(void)state;
	for (size_t i = 0; i <= BITCOIN_ADDR_MAX; i++)
		adverts[i].addr = netaddr_ipv4(0x01020304, 8333);
	for (unsigned v2 = 0; v2 < 2; v2++) {
		struct bitcoin_addr list;
		struct reader r;
		struct writer w;

		writer_init(&w, out, sizeof(out));
		bitcoin_addr_encode(&w, v2 == 1, adverts, BITCOIN_ADDR_MAX + 1);
		reader_init(&r, slice_of(out, w.len));
		bitcoin_addr_decode(&r, v2 == 1, &list);
		assert_int_equal(r.err, ERR_LIMIT);
		assert_int_equal(list.count, 0);
	}
}

static const struct payload_row small_rows[] = {
	{ "ping before BIP 31", BITCOIN_PING, "", ERR_OK, 0, "" },
	{ "ping", BITCOIN_PING, "0102030405060708", ERR_OK, 0, "nonce" },
	{ "ping cut short", BITCOIN_PING, "01020304050607", ERR_SHORT, 0, "" },
	{ "pong", BITCOIN_PONG, "ffffffffffffffff", ERR_OK, 0, "nonce" },
	{ "pong with more", BITCOIN_PONG, "010203040506070809", ERR_TRAILING, 8, "nonce" },
	{ "feefilter", BITCOIN_FEEFILTER, "e803000000000000", ERR_OK, 0, "feerate" },
	{ "feefilter below zero", BITCOIN_FEEFILTER, "ffffffffffffffff", ERR_OK, 0, "feerate" },
	{ "feefilter cut short", BITCOIN_FEEFILTER, "e8030000000000", ERR_SHORT, 0, "" },
	{ "verack", BITCOIN_VERACK, "", ERR_OK, 0, "" },
	{ "verack with something", BITCOIN_VERACK, "00", ERR_TRAILING, 0, "" },
	{ "getaddr", BITCOIN_GETADDR, "", ERR_OK, 0, "" },
	{ "mempool", BITCOIN_MEMPOOL, "", ERR_OK, 0, "" },
	{ "filterclear", BITCOIN_FILTERCLEAR, "", ERR_OK, 0, "" },
	{ "sendheaders", BITCOIN_SENDHEADERS, "", ERR_OK, 0, "" },
	{ "wtxidrelay", BITCOIN_WTXIDRELAY, "", ERR_OK, 0, "" },
	{ "sendaddrv2", BITCOIN_SENDADDRV2, "", ERR_OK, 0, "" },
	{ "unknown, empty", BITCOIN_UNKNOWN, "", ERR_OK, 0, "" },
	{ "unknown", BITCOIN_UNKNOWN, "0102", ERR_OK, 0, "payload" },
};

static void small_forms(void **state)
{
	struct bitcoin_ping ping;
	struct reader r;
	uint8_t bytes[8];

	(void)state;
	assert_true(check_rows(small_rows, sizeof(small_rows) / sizeof(*small_rows)));
	reader_init(&r, from_hex("0102030405060708", bytes, sizeof(bytes)));
	bitcoin_ping_decode(&r, &ping);
	assert_true(ping.has_nonce && ping.nonce == 0x0807060504030201);
	/* What follows the last field on the wire belongs to later versions. */
	reader_init(&r, slice_of(bytes, sizeof(bytes)));
	bitcoin_payload_check(&r, BITCOIN_VERACK);
	assert_true(reader_ok(&r));
}

static void service_names(void **state)
{
	(void)state;
	assert_string_equal(bitcoin_service_name(0), "NETWORK");
	assert_string_equal(bitcoin_service_name(3), "WITNESS");
	assert_string_equal(bitcoin_service_name(10), "NETWORK_LIMITED");
	assert_string_equal(bitcoin_service_name(11), "P2P_V2");
	assert_null(bitcoin_service_name(5));
	assert_null(bitcoin_service_name(24));
	assert_null(bitcoin_service_name(63));
}

static void service_texts(void **state)
{
	char text[BITCOIN_SERVICES_TEXT_MAX];
	size_t len;

	(void)state;
	bitcoin_services_text(0, text);
	assert_string_equal(text, "");
	bitcoin_services_text(0xc09, text);
	assert_string_equal(text, "NETWORK WITNESS NETWORK_LIMITED P2P_V2");
	bitcoin_services_text(1ULL << 24, text);
	assert_string_equal(text, "bit24");
	/* All of them fit. */
	len = bitcoin_services_text(UINT64_MAX, text);
	assert_int_equal(strlen(text), len);
	assert_string_equal(text + len - 12, " bit62 bit63");
}

/* Any version that we could send, in each of its forms, comes back as it was. */
static void version_round_trip(void **state)
{
	struct random random = { 70017 };
	uint8_t agent[BITCOIN_AGENT_MAX], out[400], again[400];

	(void)state;
	for (unsigned i = 0; i < sizeof(agent); i++)
		agent[i] = (uint8_t)random_next(&random);
	for (unsigned round = 0; round < 5000; round++) {
		struct bitcoin_version v = { .protocol = (int32_t)random_next(&random),
					     .services = random_next(&random),
					     .time_s = (int64_t)random_next(&random),
					     .has_from = round % 4 > 0,
					     .has_height = round % 4 > 1,
					     .has_relay = round % 4 > 2 };
		struct bitcoin_version back;
		struct reader r;
		struct writer w, w2;

		v.recv.addr = netaddr_ipv4((uint32_t)random_next(&random), 8333);
		v.from = v.recv;
		v.nonce = random_next(&random);
		v.agent = slice_of(agent, random_below(&random, BITCOIN_AGENT_MAX + 1));
		v.height = (int32_t)random_next(&random);
		v.relay = v.has_relay ? round / 4 % 2 : true;
		writer_init(&w, out, sizeof(out));
		bitcoin_version_encode(&w, &v);
		reader_init(&r, slice_of(out, w.len));
		bitcoin_version_decode(&r, &back);
		assert_true(reader_ok(&r) && reader_left(&r) == 0 && writer_ok(&w));
		assert_true(back.protocol == v.protocol && back.time_s == v.time_s);
		assert_true(back.has_from == v.has_from && back.has_height == v.has_height);
		assert_true(back.has_relay == v.has_relay && back.relay == v.relay);
		assert_true(netaddr_equal(&back.recv.addr, &v.recv.addr));
		assert_true(!v.has_from ||
			    (back.nonce == v.nonce && slice_equal(back.agent, v.agent)));
		assert_int_equal(back.height, v.has_height ? v.height : 0);
		writer_init(&w2, again, sizeof(again));
		bitcoin_version_encode(&w2, &back);
		assert_true(slice_equal(slice_of(out, w.len), slice_of(again, w2.len)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_forms),    cmocka_unit_test(version_fields),
		cmocka_unit_test(version_checksum), cmocka_unit_test(addr_forms),
		cmocka_unit_test(addr_next_skips),  cmocka_unit_test(core_fixture),
		cmocka_unit_test(addr_round_trip),  cmocka_unit_test(addr_too_many),
		cmocka_unit_test(small_forms),      cmocka_unit_test(service_names),
		cmocka_unit_test(service_texts),    cmocka_unit_test(version_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
