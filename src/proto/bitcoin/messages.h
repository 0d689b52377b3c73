/* messages.h: the payloads of Bitcoin's P2P messages, both ways.
 *
 * X_decode fills a struct that the caller owns; its slices point into the reader's
 * input. Lists are not copied: they stay slices whose form has been checked, with
 * X_next to step through them. X_encode appends to a bounded writer. Errors stick in
 * reader and writer. Every rule names its source: a BIP, or Bitcoin Core's constant. */
#ifndef PEERWALK_PROTO_BITCOIN_MESSAGES_H
#define PEERWALK_PROTO_BITCOIN_MESSAGES_H

#include "base/glance.h"
#include "base/peer.h"
#include "proto/bitcoin/wire.h"

enum {
	BITCOIN_AGENT_MAX = 256,        /* MAX_SUBVERSION_LENGTH */
	BITCOIN_ADDR_MAX = 1000,        /* MAX_ADDR_TO_SEND */
	BITCOIN_ADDRV2_BYTES_MAX = 512, /* BIP 155: longer addresses break the message */
	BITCOIN_INV_MAX = 50000,        /* MAX_INV_SZ */
	BITCOIN_HEADERS_MAX = 2000,     /* MAX_HEADERS_RESULTS */
	BITCOIN_LOCATOR_MAX = 101,      /* MAX_LOCATOR_SZ */
	BITCOIN_FEATURE_ID_MAX = 80,
	BITCOIN_FEATURE_ID_MIN = 4, /* BIP 434 */
	BITCOIN_FEATURE_DATA_MAX = 512,
	BITCOIN_PROTOCOL = 70017,     /* the newest version that we speak */
	BITCOIN_PROTOCOL_MIN = 31800, /* MIN_PEER_PROTO_VERSION */
	BITCOIN_PROTOCOL_WTXIDRELAY = 70016,
	BITCOIN_PROTOCOL_PONG = 60001, /* BIP 31: pong only above 60000 */
};

/* Service bits (src/protocol.h); the text of a bit or NULL. */
enum {
	BITCOIN_NODE_NETWORK = 1 << 0,
	BITCOIN_NODE_BLOOM = 1 << 2,
	BITCOIN_NODE_WITNESS = 1 << 3,
	BITCOIN_NODE_COMPACT_FILTERS = 1 << 6,
	BITCOIN_NODE_NETWORK_LIMITED = 1 << 10,
	BITCOIN_NODE_P2P_V2 = 1 << 11,
};
const char *bitcoin_service_name(unsigned bit);

/* 26 bytes: services, 16-byte address, port. */
struct bitcoin_net_addr {
	uint64_t services;
	struct netaddr addr;
};

/* Old forms end early: after addr_recv (before 106), after nonce..height (before
 * 70001 no relay). has_* says what was there; what wasn't is zero, relay is true. */
struct bitcoin_version {
	int32_t protocol;
	uint64_t services;
	int64_t time_s;
	struct bitcoin_net_addr recv, from;
	uint64_t nonce;
	struct slice agent;
	int32_t height;
	bool relay;
	bool has_from; /* from, nonce, agent */
	bool has_height, has_relay;
};
void bitcoin_version_decode(struct reader *r, struct bitcoin_version *out);
void bitcoin_version_encode(struct writer *w, const struct bitcoin_version *v);

/* addr and addrv2: a checked list of count entries. Counted in count, but skipped by
 * bitcoin_addr_next: networks unknown to us, Tor v2 in any form, and IPv4 dressed up
 * as IPv6 in addrv2 (BIP 155). */
struct bitcoin_addr {
	uint32_t count;
	bool v2;
	struct slice entries;
};
void bitcoin_addr_decode(struct reader *r, bool v2, struct bitcoin_addr *out);
/* Steps through entries with a reader that was set on them; false at the end. */
bool bitcoin_addr_next(struct reader *r, bool v2, struct advert *out);
/* The same for many: cap of them at most; 0 at the end. */
size_t bitcoin_addr_read(struct reader *r, bool v2, struct advert *out, size_t cap);
/* The same, at a glance: no more than the hashes of the addresses, and where they stand. */
size_t bitcoin_addr_glance(struct reader *r, bool v2, const struct glance_key *key,
			   struct glance *out, size_t cap);
/* Writes a payload without the entries that have no place in it: Tor v2 (BIP 155), in
 * v1 form all but IPv4 and IPv6. Doesn't hold itself to BITCOIN_ADDR_MAX. */
void bitcoin_addr_encode(struct writer *w, bool v2, const struct advert *adverts, size_t count);

/* ping, pong: the nonce; old pings are empty (has_nonce false). */
struct bitcoin_ping {
	bool has_nonce;
	uint64_t nonce;
};
void bitcoin_ping_decode(struct reader *r, struct bitcoin_ping *out);
void bitcoin_ping_encode(struct writer *w, const struct bitcoin_ping *p);

/* feefilter, BIP 133: satoshi per 1000 vbytes, with a sign. */
void bitcoin_feefilter_decode(struct reader *r, int64_t *out);
void bitcoin_feefilter_encode(struct writer *w, int64_t fee);

/* Decodes any payload by command, so that on_field of the reader is told each field.
 * Unknown commands are one field of bytes. Bytes behind the last field: ERR_TRAILING. */
void bitcoin_payload_explain(struct reader *r, enum bitcoin_command id);
/* The same for what comes from the wire: bytes behind the last field are no error, as
 * Core leaves them to later versions. */
void bitcoin_payload_check(struct reader *r, enum bitcoin_command id);
/* The rule that a message breaks which is cut off: static text. */
const char *bitcoin_short_rule(enum bitcoin_command id);

/* Further messages: sendtxrcncl, feature, inv, getdata, notfound, getheaders, headers,
 * getblocks, tx, block, sendcmpct, reject, alert, filterload, filteradd, merkleblock,
 * getcfilters and kin stand in options.h, inventory.h, blocks.h and filters.h, one idea a
 * file. */

#endif
