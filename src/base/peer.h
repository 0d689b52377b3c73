/* peer.h: the words that every part shares about a peer: how a visit ended, what a
 * peer says of itself, whom it names. Knows no protocol. */
#ifndef PEERWALK_BASE_PEER_H
#define PEERWALK_BASE_PEER_H

#include "base/netaddr.h"

/* How a visit ended: the one list. X(symbol, name, sentence, reached)
 * The names are a promise to scripts (docs/cli.md); add at the end only.
 * The numbers are kept in databases. */
#define OUTCOME_LIST(X)                                                                      \
	X(OK, "ok", "answered, and named peers")                                             \
	X(NO_PEERS, "no_peers", "answered, but named nobody")                                \
	X(REFUSED, "refused", "nothing listens there: the connection was refused")           \
	X(UNREACHABLE, "unreachable", "no route leads there")                                \
	X(CONNECT_TIMEOUT, "connect_timeout", "no answer to the connection attempt")         \
	X(RESET, "reset", "the connection was reset")                                        \
	X(PEER_FULL, "full", "accepted, then closed without a byte: full, or we are banned") \
	X(MUTE, "mute", "accepted the connection, but never spoke")                          \
	X(HANDSHAKE_TIMEOUT, "handshake_timeout", "spoke, but did not finish the handshake") \
	X(WRONG_NETWORK, "wrong_network", "speaks for another network")                      \
	X(PROTOCOL_ERROR, "protocol_error", "broke a rule of the protocol")                  \
	X(TOO_BIG, "too_big", "announced or sent more than the protocol allows")             \
	X(SELF, "self", "this is ourselves")                                                 \
	X(CANCELLED, "cancelled", "stopped before it ended")

enum outcome {
#define OUTCOME_ENUM(symbol, name, text) OUTCOME_##symbol,
	OUTCOME_LIST(OUTCOME_ENUM)
#undef OUTCOME_ENUM
		OUTCOME_COUNT,
};

const char *outcome_name(enum outcome o); /* "connect_timeout" */
const char *outcome_text(enum outcome o); /* a sentence without a full stop */
bool outcome_parse(const char *name, enum outcome *out);

enum {
	PEER_AGENT_MAX = 256,  /* Bitcoin Core's MAX_SUBVERSION_LENGTH; other networks cut to it */
	PEER_NODE_ID_MAX = 64, /* Ethereum's public key; shorter ids leave the rest unused */
	PEER_NEGOTIATION_MAX = 160, /* bytes of the list of feature messages, in order of arrival */
	PEER_RULE_MAX = 120,
};

/* What a peer said of itself in one visit. Everything is as claimed by the peer;
 * slices borrow from the session that filled this. */
struct peer_info {
	struct slice agent;       /* any bytes: escape before showing */
	struct slice node_id;     /* empty where the network has none */
	struct slice negotiation; /* ASCII, e.g. "version wtxidrelay sendaddrv2 verack" */
	bool has_version;         /* protocol .. relay hold something */
	int64_t protocol;         /* protocol version */
	uint64_t services;        /* bit field */
	int64_t height;           /* -1: not said */
	bool relay;               /* wants transactions announced */
	bool has_clock;
	int64_t clock_skew_s; /* its clock minus ours */
	bool has_feefilter;
	uint64_t feefilter;        /* satoshi per 1000 vbytes */
	struct netaddr sees_us_as; /* kind NETADDR_NONE if not said */
};

/* One peer named by another. */
struct advert {
	struct netaddr addr;
	uint64_t services;
	int64_t last_seen_s;  /* as claimed, seconds since 1970 */
	struct slice node_id; /* borrowed; empty where the network has none */
};

#endif
