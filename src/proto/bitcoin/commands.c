#include "proto/bitcoin/blocks.h"
#include "proto/bitcoin/filters.h"
#include "proto/bitcoin/inventory.h"
#include "proto/bitcoin/options.h"

#include <string.h>

enum {
	/* Core reads the fields that it knows and leaves what follows to later versions:
	 * so do we, up to this. The longest fixed message, version, has 344 bytes. */
	ROOMY = 1024,
};

struct command_row {
	char name[BITCOIN_COMMAND_LEN + 1]; /* with NULs to the end, as in a header */
	uint32_t max;
	void (*explain)(struct reader *r);
	const char *short_rule;
};

static void explain_nothing(struct reader *r)
{
	(void)r;
}

static void explain_raw(struct reader *r)
{
	if (reader_left(r) > 0)
		reader_bytes(r, reader_left(r), "payload");
}

static void explain_addr(struct reader *r)
{
	struct bitcoin_addr a;

	bitcoin_addr_decode(r, false, &a);
}

static void explain_addrv2(struct reader *r)
{
	struct bitcoin_addr a;

	bitcoin_addr_decode(r, true, &a);
}

/* The rest have a decoder of one form. */
#define EXPLAIN(name, type)                          \
	static void explain_##name(struct reader *r) \
	{                                            \
		type m;                              \
		bitcoin_##name##_decode(r, &m);      \
	}

EXPLAIN(version, struct bitcoin_version)
EXPLAIN(ping, struct bitcoin_ping)
EXPLAIN(feefilter, int64_t)
EXPLAIN(sendtxrcncl, struct bitcoin_sendtxrcncl)
EXPLAIN(feature, struct bitcoin_feature)
EXPLAIN(sendcmpct, struct bitcoin_sendcmpct)
EXPLAIN(reject, struct bitcoin_reject)
EXPLAIN(alert, struct bitcoin_alert)
EXPLAIN(inv, struct bitcoin_inv_list)
EXPLAIN(locator, struct bitcoin_locator)
EXPLAIN(headers, struct bitcoin_headers)
EXPLAIN(tx, struct bitcoin_tx)
EXPLAIN(block, struct bitcoin_block)
EXPLAIN(merkleblock, struct bitcoin_merkleblock)
EXPLAIN(cmpctblock, struct bitcoin_cmpctblock)
EXPLAIN(getblocktxn, struct bitcoin_getblocktxn)
EXPLAIN(blocktxn, struct bitcoin_blocktxn)
EXPLAIN(filterload, struct bitcoin_filterload)
EXPLAIN(filteradd, struct slice)
EXPLAIN(getcfilters, struct bitcoin_getcfilters)
EXPLAIN(cfilter, struct bitcoin_cfilter)
EXPLAIN(cfheaders, struct bitcoin_cfheaders)
EXPLAIN(getcfcheckpt, struct bitcoin_getcfcheckpt)
EXPLAIN(cfcheckpt, struct bitcoin_cfcheckpt)

#define ROW(name, max, explain)                                         \
	{                                                               \
		name, max, explain, name ": ends before its last field" \
	}
static const struct command_row rows[BITCOIN_COMMAND_COUNT] = {
	[BITCOIN_UNKNOWN] = ROW("", BITCOIN_PAYLOAD_MAX, explain_raw),
	[BITCOIN_VERSION] = ROW("version", ROOMY, explain_version),
	[BITCOIN_VERACK] = ROW("verack", ROOMY, explain_nothing),
	[BITCOIN_WTXIDRELAY] = ROW("wtxidrelay", ROOMY, explain_nothing),
	[BITCOIN_SENDADDRV2] = ROW("sendaddrv2", ROOMY, explain_nothing),
	[BITCOIN_SENDTXRCNCL] = ROW("sendtxrcncl", ROOMY, explain_sendtxrcncl),
	[BITCOIN_FEATURE] = ROW("feature", ROOMY, explain_feature),
	/* 3 bytes of count and 1,000 entries of 30. */
	[BITCOIN_ADDR] = ROW("addr", 30003, explain_addr),
	/* The same with 4 of time, 9 of services, 1, 3 of length, 512 and 2. */
	[BITCOIN_ADDRV2] = ROW("addrv2", 531003, explain_addrv2),
	[BITCOIN_GETADDR] = ROW("getaddr", ROOMY, explain_nothing),
	[BITCOIN_PING] = ROW("ping", ROOMY, explain_ping),
	[BITCOIN_PONG] = ROW("pong", ROOMY, explain_ping),
	/* 3 bytes of count and 50,000 entries of 36. */
	[BITCOIN_INV] = ROW("inv", 1800003, explain_inv),
	[BITCOIN_GETDATA] = ROW("getdata", 1800003, explain_inv),
	[BITCOIN_NOTFOUND] = ROW("notfound", 1800003, explain_inv),
	/* 4 of version, 1 of count, 101 hashes and the one to stop at. */
	[BITCOIN_GETHEADERS] = ROW("getheaders", 3269, explain_locator),
	/* 3 bytes of count and 2,000 entries of 81. */
	[BITCOIN_HEADERS] = ROW("headers", 162003, explain_headers),
	[BITCOIN_GETBLOCKS] = ROW("getblocks", 3269, explain_locator),
	[BITCOIN_TX] = ROW("tx", BITCOIN_PAYLOAD_MAX, explain_tx),
	[BITCOIN_BLOCK] = ROW("block", BITCOIN_PAYLOAD_MAX, explain_block),
	[BITCOIN_FEEFILTER] = ROW("feefilter", ROOMY, explain_feefilter),
	[BITCOIN_SENDHEADERS] = ROW("sendheaders", ROOMY, explain_nothing),
	[BITCOIN_SENDCMPCT] = ROW("sendcmpct", ROOMY, explain_sendcmpct),
	[BITCOIN_MEMPOOL] = ROW("mempool", ROOMY, explain_nothing),
	[BITCOIN_REJECT] = ROW("reject", ROOMY, explain_reject),
	[BITCOIN_ALERT] = ROW("alert", BITCOIN_ALERT_PAYLOAD_MAX + BITCOIN_ALERT_SIGNATURE_MAX + 8,
			      explain_alert),
	[BITCOIN_FILTERLOAD] =
		ROW("filterload", BITCOIN_BLOOM_BYTES_MAX + 3 + 9, explain_filterload),
	[BITCOIN_FILTERADD] = ROW("filteradd", ROOMY, explain_filteradd),
	[BITCOIN_FILTERCLEAR] = ROW("filterclear", ROOMY, explain_nothing),
	[BITCOIN_MERKLEBLOCK] = ROW("merkleblock", BITCOIN_PAYLOAD_MAX, explain_merkleblock),
	[BITCOIN_GETCFILTERS] = ROW("getcfilters", ROOMY, explain_getcfilters),
	[BITCOIN_CFILTER] = ROW("cfilter", BITCOIN_PAYLOAD_MAX, explain_cfilter),
	[BITCOIN_GETCFHEADERS] = ROW("getcfheaders", ROOMY, explain_getcfilters),
	/* 65 bytes, 3 of count and 2,000 entries of 32. */
	[BITCOIN_CFHEADERS] = ROW("cfheaders", 64068, explain_cfheaders),
	[BITCOIN_GETCFCHECKPT] = ROW("getcfcheckpt", ROOMY, explain_getcfcheckpt),
	[BITCOIN_CFCHECKPT] = ROW("cfcheckpt", BITCOIN_PAYLOAD_MAX, explain_cfcheckpt),
	[BITCOIN_CMPCTBLOCK] = ROW("cmpctblock", BITCOIN_PAYLOAD_MAX, explain_cmpctblock),
	[BITCOIN_GETBLOCKTXN] = ROW("getblocktxn", BITCOIN_PAYLOAD_MAX, explain_getblocktxn),
	[BITCOIN_BLOCKTXN] = ROW("blocktxn", BITCOIN_PAYLOAD_MAX, explain_blocktxn),
};

const char *bitcoin_command_name(enum bitcoin_command id)
{
	return id < BITCOIN_COMMAND_COUNT ? rows[id].name : "";
}

enum bitcoin_command bitcoin_command_find(const char *name)
{
	char padded[sizeof(rows->name)] = { 0 };
	size_t len = strnlen(name, sizeof(padded));

	if (len == sizeof(padded))
		return BITCOIN_UNKNOWN;
	memcpy(padded, name, len);
	/* A comparison of fixed length is two instructions: this runs for every message. */
	for (unsigned i = BITCOIN_UNKNOWN + 1; i < BITCOIN_COMMAND_COUNT; i++) {
		if (memcmp(rows[i].name, padded, BITCOIN_COMMAND_LEN) == 0)
			return (enum bitcoin_command)i;
	}
	return BITCOIN_UNKNOWN;
}

uint32_t bitcoin_command_max(enum bitcoin_command id)
{
	return id < BITCOIN_COMMAND_COUNT ? rows[id].max : BITCOIN_PAYLOAD_MAX;
}

const char *bitcoin_short_rule(enum bitcoin_command id)
{
	return rows[id < BITCOIN_COMMAND_COUNT ? id : BITCOIN_UNKNOWN].short_rule;
}

void bitcoin_payload_check(struct reader *r, enum bitcoin_command id)
{
	rows[id < BITCOIN_COMMAND_COUNT ? id : BITCOIN_UNKNOWN].explain(r);
}

void bitcoin_payload_explain(struct reader *r, enum bitcoin_command id)
{
	bitcoin_payload_check(r, id);
	reader_end(r, "payload: ends with its last field");
}
