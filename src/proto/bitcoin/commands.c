#include "proto/bitcoin/messages.h"

#include <string.h>

enum {
	/* Core reads the fields that it knows and leaves what follows to later versions:
	 * so do we, up to this. The longest fixed message, version, has 344 bytes. */
	ROOMY = 1024,
};

struct command_row {
	const char *name;
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

static void explain_version(struct reader *r)
{
	struct bitcoin_version v;

	bitcoin_version_decode(r, &v);
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

static void explain_ping(struct reader *r)
{
	struct bitcoin_ping p;

	bitcoin_ping_decode(r, &p);
}

static void explain_feefilter(struct reader *r)
{
	uint64_t fee;

	bitcoin_feefilter_decode(r, &fee);
}

static const struct command_row rows[BITCOIN_COMMAND_COUNT] = {
	[BITCOIN_UNKNOWN] = { "", BITCOIN_PAYLOAD_MAX, explain_raw },
	[BITCOIN_VERSION] = { "version", ROOMY, explain_version },
	[BITCOIN_VERACK] = { "verack", ROOMY, explain_nothing },
	[BITCOIN_WTXIDRELAY] = { "wtxidrelay", ROOMY, explain_nothing },
	[BITCOIN_SENDADDRV2] = { "sendaddrv2", ROOMY, explain_nothing },
	[BITCOIN_SENDTXRCNCL] = { "sendtxrcncl", ROOMY, explain_raw },
	[BITCOIN_FEATURE] = { "feature", ROOMY, explain_raw },
	/* 3 bytes of count and 1,000 entries of 30. */
	[BITCOIN_ADDR] = { "addr", 30003, explain_addr },
	/* The same with 4 of time, 9 of services, 1, 3 of length, 512 and 2. */
	[BITCOIN_ADDRV2] = { "addrv2", 531003, explain_addrv2 },
	[BITCOIN_GETADDR] = { "getaddr", ROOMY, explain_nothing },
	[BITCOIN_PING] = { "ping", ROOMY, explain_ping },
	[BITCOIN_PONG] = { "pong", ROOMY, explain_ping },
	/* 3 bytes of count and 50,000 entries of 36. */
	[BITCOIN_INV] = { "inv", 1800003, explain_raw },
	[BITCOIN_GETDATA] = { "getdata", 1800003, explain_raw },
	[BITCOIN_NOTFOUND] = { "notfound", 1800003, explain_raw },
	/* 4 of version, 1 of count, 101 hashes and the one to stop at. */
	[BITCOIN_GETHEADERS] = { "getheaders", 3269, explain_raw },
	/* 3 bytes of count and 2,000 entries of 81. */
	[BITCOIN_HEADERS] = { "headers", 162003, explain_raw },
	[BITCOIN_GETBLOCKS] = { "getblocks", 3269, explain_raw },
	[BITCOIN_TX] = { "tx", BITCOIN_PAYLOAD_MAX, explain_raw },
	[BITCOIN_BLOCK] = { "block", BITCOIN_PAYLOAD_MAX, explain_raw },
	[BITCOIN_FEEFILTER] = { "feefilter", ROOMY, explain_feefilter },
	[BITCOIN_SENDHEADERS] = { "sendheaders", ROOMY, explain_nothing },
	[BITCOIN_SENDCMPCT] = { "sendcmpct", ROOMY, explain_raw },
	[BITCOIN_MEMPOOL] = { "mempool", ROOMY, explain_nothing },
	[BITCOIN_REJECT] = { "reject", ROOMY, explain_raw },
	[BITCOIN_ALERT] = { "alert", BITCOIN_PAYLOAD_MAX, explain_raw },
	[BITCOIN_FILTERLOAD] = { "filterload", BITCOIN_PAYLOAD_MAX, explain_raw },
	[BITCOIN_FILTERADD] = { "filteradd", ROOMY, explain_raw },
	[BITCOIN_FILTERCLEAR] = { "filterclear", ROOMY, explain_nothing },
	[BITCOIN_MERKLEBLOCK] = { "merkleblock", BITCOIN_PAYLOAD_MAX, explain_raw },
	[BITCOIN_GETCFILTERS] = { "getcfilters", ROOMY, explain_raw },
	[BITCOIN_CFILTER] = { "cfilter", BITCOIN_PAYLOAD_MAX, explain_raw },
	[BITCOIN_GETCFHEADERS] = { "getcfheaders", ROOMY, explain_raw },
	[BITCOIN_CFHEADERS] = { "cfheaders", BITCOIN_PAYLOAD_MAX, explain_raw },
	[BITCOIN_GETCFCHECKPT] = { "getcfcheckpt", ROOMY, explain_raw },
	[BITCOIN_CFCHECKPT] = { "cfcheckpt", BITCOIN_PAYLOAD_MAX, explain_raw },
	[BITCOIN_CMPCTBLOCK] = { "cmpctblock", BITCOIN_PAYLOAD_MAX, explain_raw },
	[BITCOIN_GETBLOCKTXN] = { "getblocktxn", BITCOIN_PAYLOAD_MAX, explain_raw },
	[BITCOIN_BLOCKTXN] = { "blocktxn", BITCOIN_PAYLOAD_MAX, explain_raw },
};

const char *bitcoin_command_name(enum bitcoin_command id)
{
	return id < BITCOIN_COMMAND_COUNT ? rows[id].name : "";
}

enum bitcoin_command bitcoin_command_find(const char *name)
{
	for (unsigned i = BITCOIN_UNKNOWN + 1; i < BITCOIN_COMMAND_COUNT; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return (enum bitcoin_command)i;
	}
	return BITCOIN_UNKNOWN;
}

uint32_t bitcoin_command_max(enum bitcoin_command id)
{
	return id < BITCOIN_COMMAND_COUNT ? rows[id].max : BITCOIN_PAYLOAD_MAX;
}

void bitcoin_payload_explain(struct reader *r, enum bitcoin_command id)
{
	rows[id < BITCOIN_COMMAND_COUNT ? id : BITCOIN_UNKNOWN].explain(r);
	reader_end(r, "payload: ends with its last field");
}
