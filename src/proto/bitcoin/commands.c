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

static const struct command_row rows[BITCOIN_COMMAND_COUNT] = {
	[BITCOIN_UNKNOWN] = { "", BITCOIN_PAYLOAD_MAX, explain_raw },
	[BITCOIN_VERSION] = { "version", ROOMY, explain_version },
	[BITCOIN_VERACK] = { "verack", ROOMY, explain_nothing },
	[BITCOIN_WTXIDRELAY] = { "wtxidrelay", ROOMY, explain_nothing },
	[BITCOIN_SENDADDRV2] = { "sendaddrv2", ROOMY, explain_nothing },
	[BITCOIN_SENDTXRCNCL] = { "sendtxrcncl", ROOMY, explain_sendtxrcncl },
	[BITCOIN_FEATURE] = { "feature", ROOMY, explain_feature },
	/* 3 bytes of count and 1,000 entries of 30. */
	[BITCOIN_ADDR] = { "addr", 30003, explain_addr },
	/* The same with 4 of time, 9 of services, 1, 3 of length, 512 and 2. */
	[BITCOIN_ADDRV2] = { "addrv2", 531003, explain_addrv2 },
	[BITCOIN_GETADDR] = { "getaddr", ROOMY, explain_nothing },
	[BITCOIN_PING] = { "ping", ROOMY, explain_ping },
	[BITCOIN_PONG] = { "pong", ROOMY, explain_ping },
	/* 3 bytes of count and 50,000 entries of 36. */
	[BITCOIN_INV] = { "inv", 1800003, explain_inv },
	[BITCOIN_GETDATA] = { "getdata", 1800003, explain_inv },
	[BITCOIN_NOTFOUND] = { "notfound", 1800003, explain_inv },
	/* 4 of version, 1 of count, 101 hashes and the one to stop at. */
	[BITCOIN_GETHEADERS] = { "getheaders", 3269, explain_locator },
	/* 3 bytes of count and 2,000 entries of 81. */
	[BITCOIN_HEADERS] = { "headers", 162003, explain_headers },
	[BITCOIN_GETBLOCKS] = { "getblocks", 3269, explain_locator },
	[BITCOIN_TX] = { "tx", BITCOIN_PAYLOAD_MAX, explain_tx },
	[BITCOIN_BLOCK] = { "block", BITCOIN_PAYLOAD_MAX, explain_block },
	[BITCOIN_FEEFILTER] = { "feefilter", ROOMY, explain_feefilter },
	[BITCOIN_SENDHEADERS] = { "sendheaders", ROOMY, explain_nothing },
	[BITCOIN_SENDCMPCT] = { "sendcmpct", ROOMY, explain_sendcmpct },
	[BITCOIN_MEMPOOL] = { "mempool", ROOMY, explain_nothing },
	[BITCOIN_REJECT] = { "reject", ROOMY, explain_reject },
	[BITCOIN_ALERT] = { "alert", BITCOIN_ALERT_PAYLOAD_MAX + BITCOIN_ALERT_SIGNATURE_MAX + 8,
			    explain_alert },
	[BITCOIN_FILTERLOAD] = { "filterload", BITCOIN_BLOOM_BYTES_MAX + 3 + 9,
				 explain_filterload },
	[BITCOIN_FILTERADD] = { "filteradd", ROOMY, explain_filteradd },
	[BITCOIN_FILTERCLEAR] = { "filterclear", ROOMY, explain_nothing },
	[BITCOIN_MERKLEBLOCK] = { "merkleblock", BITCOIN_PAYLOAD_MAX, explain_merkleblock },
	[BITCOIN_GETCFILTERS] = { "getcfilters", ROOMY, explain_getcfilters },
	[BITCOIN_CFILTER] = { "cfilter", BITCOIN_PAYLOAD_MAX, explain_cfilter },
	[BITCOIN_GETCFHEADERS] = { "getcfheaders", ROOMY, explain_getcfilters },
	/* 65 bytes, 3 of count and 2,000 entries of 32. */
	[BITCOIN_CFHEADERS] = { "cfheaders", 64068, explain_cfheaders },
	[BITCOIN_GETCFCHECKPT] = { "getcfcheckpt", ROOMY, explain_getcfcheckpt },
	[BITCOIN_CFCHECKPT] = { "cfcheckpt", BITCOIN_PAYLOAD_MAX, explain_cfcheckpt },
	[BITCOIN_CMPCTBLOCK] = { "cmpctblock", BITCOIN_PAYLOAD_MAX, explain_cmpctblock },
	[BITCOIN_GETBLOCKTXN] = { "getblocktxn", BITCOIN_PAYLOAD_MAX, explain_getblocktxn },
	[BITCOIN_BLOCKTXN] = { "blocktxn", BITCOIN_PAYLOAD_MAX, explain_blocktxn },
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

void bitcoin_payload_check(struct reader *r, enum bitcoin_command id)
{
	rows[id < BITCOIN_COMMAND_COUNT ? id : BITCOIN_UNKNOWN].explain(r);
}

void bitcoin_payload_explain(struct reader *r, enum bitcoin_command id)
{
	bitcoin_payload_check(r, id);
	reader_end(r, "payload: ends with its last field");
}
