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
	/* "eth/68 snap/1 ...": 32 names of up to 8 bytes with their versions. */
	PEER_CAPABILITIES_MAX = 640,
	PEER_RECORD_MAX =
		408, /* a node record as text: EIP-778's 300 bytes in base64, "enr:", NUL */
	PEER_FAULTS_MAX = 320, /* the names of all kinds of faults, with their counts */
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
	uint16_t listen_port;      /* where it takes connections, as it says; 0: not said */
	struct slice group;        /* gossip: the name of its group; empty if not said */
};

/* Which chain a node is on, as Ethereum's nodes say it. */
struct peer_chain {
	bool has_fork; /* from its Status, or else from its record */
	uint8_t fork_hash[4];
	uint64_t fork_next; /* 0: none known */
	bool has_status;    /* network_id, genesis and head hold something */
	uint64_t network_id;
	uint8_t genesis[32], head[32];
};

/* What a visit learns of a node where peers are named over datagrams (Ethereum), beside
 * peer_info: there agent is the client's name of the TCP session, protocol the version of
 * eth that was agreed on, height the newest block. Slices borrow, like those of peer_info. */
struct node_info {
	/* Its table: how completely it was listed ("drained", "partial", "timed_out"; NULL: it
	 * was not asked), by how many questions, and how many different nodes it holds. */
	const char *completeness;
	uint32_t findnodes, entries;
	struct slice record; /* its signed record, "enr:..."; empty if it gave none */
	bool has_record_seq; /* that of the record, or else the one that it announced */
	uint64_t record_seq;
	uint32_t datagrams_out; /* sent to it; those that came are the record's messages_in */
	struct slice faults;    /* rules it broke without ending the visit: "expired 1, many 2" */

	uint16_t tcp_port;         /* where it takes sessions; 0: not known */
	const char *session;       /* how the session ended, a word; NULL: none was tried */
	const char *session_rule;  /* the rule it broke there, or NULL */
	bool has_hello;            /* capabilities and listen_port hold something */
	struct slice capabilities; /* "eth/67 eth/68 snap/1" */
	uint16_t listen_port;
	struct peer_chain chain;
};

/* One peer named by another. */
struct advert {
	struct netaddr addr;
	uint64_t services;
	int64_t last_seen_s;  /* as claimed, seconds since 1970; 0: not said */
	struct slice node_id; /* borrowed; empty where the network has none */
	uint16_t tcp_port;    /* of a node, whose addr has the UDP port; 0: none, or not said */
};

#endif
