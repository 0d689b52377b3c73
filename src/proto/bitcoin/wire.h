/* wire.h: the frame of a Bitcoin P2P message, and the integers inside.
 *
 * A message is a 24-byte header (magic, command, length, checksum) and a payload.
 * Decoders borrow from their input; nothing here allocates.
 * Sources: the protocol as Bitcoin Core 31 speaks it (src/protocol.h, src/net.cpp). */
#ifndef PEERWALK_PROTO_BITCOIN_WIRE_H
#define PEERWALK_PROTO_BITCOIN_WIRE_H

#include "base/bytes.h"
#include "base/netaddr.h"

enum {
	BITCOIN_HEADER_LEN = 24,
	BITCOIN_COMMAND_LEN = 12,
	BITCOIN_PAYLOAD_MAX = 4 * 1000 * 1000, /* Core's MAX_PROTOCOL_MESSAGE_LENGTH */
};

/* Every command with a name: the table of commands.c has a row for each. */
enum bitcoin_command {
	BITCOIN_UNKNOWN, /* any other: counted, never an error */
	BITCOIN_VERSION,
	BITCOIN_VERACK,
	BITCOIN_WTXIDRELAY,
	BITCOIN_SENDADDRV2,
	BITCOIN_SENDTXRCNCL,
	BITCOIN_FEATURE,
	BITCOIN_ADDR,
	BITCOIN_ADDRV2,
	BITCOIN_GETADDR,
	BITCOIN_PING,
	BITCOIN_PONG,
	BITCOIN_INV,
	BITCOIN_GETDATA,
	BITCOIN_NOTFOUND,
	BITCOIN_GETHEADERS,
	BITCOIN_HEADERS,
	BITCOIN_GETBLOCKS,
	BITCOIN_TX,
	BITCOIN_BLOCK,
	BITCOIN_FEEFILTER,
	BITCOIN_SENDHEADERS,
	BITCOIN_SENDCMPCT,
	BITCOIN_MEMPOOL,
	BITCOIN_REJECT,
	BITCOIN_ALERT,
	BITCOIN_FILTERLOAD,
	BITCOIN_FILTERADD,
	BITCOIN_FILTERCLEAR,
	BITCOIN_MERKLEBLOCK,
	BITCOIN_GETCFILTERS,
	BITCOIN_CFILTER,
	BITCOIN_GETCFHEADERS,
	BITCOIN_CFHEADERS,
	BITCOIN_GETCFCHECKPT,
	BITCOIN_CFCHECKPT,
	BITCOIN_CMPCTBLOCK,
	BITCOIN_GETBLOCKTXN,
	BITCOIN_BLOCKTXN,
	BITCOIN_COMMAND_COUNT,
};

struct bitcoin_header {
	uint8_t magic[4];
	char command[BITCOIN_COMMAND_LEN + 1]; /* NUL-terminated; '?' for what isn't printable */
	enum bitcoin_command id;
	uint32_t length;
	uint8_t checksum[4];
};

/* Fails with ERR_MAGIC on another magic, ERR_LIMIT on a length over
 * BITCOIN_PAYLOAD_MAX, ERR_VALUE on a command that isn't NUL-padded printable ASCII.
 * After ERR_VALUE the rest of *out holds: Core drops such a message and goes on. */
void bitcoin_header_decode(struct reader *r, const uint8_t magic[4], struct bitcoin_header *out);
/* The first four bytes of the double SHA-256. */
void bitcoin_checksum(struct slice payload, uint8_t out[4]);
const char *bitcoin_command_name(enum bitcoin_command id);
enum bitcoin_command bitcoin_command_find(const char *name);
/* Payloads longer than this break the rules of their message; for BITCOIN_UNKNOWN
 * it is BITCOIN_PAYLOAD_MAX. */
uint32_t bitcoin_command_max(enum bitcoin_command id);

/* Writes a whole message in place: begin reserves the header, end fills it in. */
size_t bitcoin_message_begin(struct writer *w); /* returns the mark for end */
void bitcoin_message_end(struct writer *w, size_t mark, const uint8_t magic[4],
			 enum bitcoin_command id);

/* CompactSize: 1, 3, 5 or 9 bytes, shortest form only (ERR_NONCANONICAL);
 * over max: ERR_LIMIT with the rule given. */
uint64_t bitcoin_compact_size(struct reader *r, uint64_t max, const char *name,
			      const char *limit_rule);
void bitcoin_put_compact_size(struct writer *w, uint64_t v);
/* For tight loops: the bytes taken, with ERR_OK or ERR_NONCANONICAL; 0 and ERR_SHORT. */
size_t bitcoin_compact_size_peek(const uint8_t *p, size_t left, uint64_t *out, enum err *err);

#endif
