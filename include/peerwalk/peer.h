/* peer.h: what is known of a peer, and how a visit of it ended. */
#ifndef PEERWALK_PEER_H
#define PEERWALK_PEER_H

/** @file
 *  What is known of a peer. */

#include "peerwalk/words.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How a visit or a session ended. */
enum pw_outcome {
	PW_OUTCOME_OK,                /**< answered, and named peers */
	PW_OUTCOME_NO_PEERS,          /**< answered, but named nobody */
	PW_OUTCOME_REFUSED,           /**< nothing listens there */
	PW_OUTCOME_UNREACHABLE,       /**< no route leads there */
	PW_OUTCOME_CONNECT_TIMEOUT,   /**< no answer to the connection attempt */
	PW_OUTCOME_RESET,             /**< the connection was reset */
	PW_OUTCOME_PEER_FULL,         /**< accepted, then closed without a byte */
	PW_OUTCOME_MUTE,              /**< accepted the connection, but never spoke */
	PW_OUTCOME_HANDSHAKE_TIMEOUT, /**< spoke, but did not finish the handshake */
	PW_OUTCOME_WRONG_NETWORK,     /**< speaks for another network */
	PW_OUTCOME_PROTOCOL_ERROR,    /**< broke a rule of the protocol */
	PW_OUTCOME_TOO_BIG,           /**< announced or sent more than the protocol allows */
	PW_OUTCOME_SELF,              /**< this is ourselves */
	PW_OUTCOME_CANCELLED,         /**< stopped before it ended */
	PW_OUTCOME_COUNT              /**< how many there are in this version */
};

/** The name of an outcome, as the program prints and stores it.
 *  @param outcome below PW_OUTCOME_COUNT
 *  @return e.g. "connect_timeout"; static */
PW_API const char *pw_outcome_name(enum pw_outcome outcome);

/** A sentence for an outcome, without a full stop.
 *  @param outcome below PW_OUTCOME_COUNT
 *  @return static text */
PW_API const char *pw_outcome_text(enum pw_outcome outcome);

/** What a peer says of itself. All of it is its own claim. */
struct pw_info {
	bool has_version;          /**< it said so much that the rest holds something */
	const char *agent;         /**< its software, made harmless by pw_escape() */
	struct pw_bytes raw_agent; /**< the same as it was sent */
	int64_t protocol;          /**< version of the protocol */
	uint64_t services;         /**< bits, see pw_service_name() */
	int64_t height;            /**< of its chain; -1: not said */
	bool relay;                /**< wants to be told of transactions */
	int64_t clock_skew_s;      /**< its clock minus ours, in seconds */
	const char *negotiation;   /**< what it offered, in its order, e.g. "version verack" */
	const char *sees_us_as;    /**< HOST:PORT under which it sees us; "" if not said */
	uint16_t listen_port;      /**< where it takes connections, on a gossip network; 0: nowhere,
					or not said */
	const char *id;            /**< on a gossip network: the UUID of its run; or "" */
	const char *group;         /**< on a gossip network: the group that it belongs to, made
					harmless; or "" */
};

/** What is known of a node of Ethereum beside struct pw_info, where `agent` is the name of its
 *  client, `protocol` the version of eth that it shares with us and `height` its newest block.
 *  All of it is its own claim but the key. Text is never NULL unless that is said. */
struct pw_node {
	struct pw_bytes public_key; /**< its name, 64 bytes; empty as long as it is not known */
	uint16_t tcp_port;          /**< where it takes sessions; 0: not known, or nowhere */

	/* Discovery. */
	const char *completeness; /**< how much of its table is known: "drained" (all of it),
				       "partial", "timed_out"; NULL: it was not asked */
	uint32_t questions;       /**< that it was asked for its table */
	uint32_t entries;         /**< different nodes that its table was seen to hold */
	const char *record;       /**< its signed record, "enr:..."; "" if it gave none */
	bool has_record_seq;      /**< record_seq holds something */
	uint64_t record_seq;      /**< that of the record, or else the one that it announced */
	const char *faults;       /**< rules that it broke, e.g. "expired 1, many 2"; or "" */

	/* The session. */
	const char *session;      /**< how it ended, e.g. "ok", "full", "no_eth", "refused"; NULL:
				       none was tried, or it goes on */
	const char *session_rule; /**< the rule of sessions that it broke, or NULL */
	bool has_hello;           /**< capabilities and listen_port hold something */
	const char *capabilities; /**< what it speaks, e.g. "eth/68 eth/69 snap/1"; or "" */
	uint16_t listen_port;     /**< its TCP port, as it says; 0: it doesn't */

	/* Its chain. */
	const char *chain;    /**< by its fork id, as struct pw_crawl_config takes it, e.g.
				   "mainnet"; NULL: not said, or none that is known here */
	bool has_fork;        /**< fork_hash and fork_next hold something */
	uint8_t fork_hash[4]; /**< of its fork id (EIP-2124), of its Status or else its record */
	uint64_t fork_next;   /**< the next fork that it knows of; 0: none */
	bool has_status;      /**< network_id, genesis and head hold something */
	uint64_t network_id;  /**< of its chain */
	uint8_t genesis[32];  /**< hash of the first block of its chain */
	uint8_t head[32];     /**< hash of its newest block */
};

/** An address that a peer named. */
struct pw_advert {
	const char *host;    /**< IPv4, IPv6 (RFC 5952), .onion or .b32.i2p, without brackets */
	uint16_t port;       /**< its port */
	uint64_t services;   /**< bits that it is said to offer */
	int64_t last_seen_s; /**< when it is said to have been there last, seconds since 1970 */
};

/** One visit of one peer, for on_visit; lives for that call.
 *
 *  A node of Ethereum is asked over UDP first, where connect_ms is the way of a packet there and
 *  back, and the handshake is the proof of its address. Then, if it has a TCP port, it is asked
 *  for its name and its chain in a session: see `node`. */
struct pw_visit {
	const char *peer; /**< as pw_crawl_add_seed() takes it: HOST:PORT with IPv6 in brackets;
			       of a node the URL, enode://KEY\@IP:PORT */
	const char *host; /**< the host alone, without brackets */
	uint16_t port;    /**< its port; of a node the UDP port */
	enum pw_outcome outcome;    /**< how it ended */
	bool reached;               /**< a handshake was completed, whatever came after it */
	bool final;                 /**< false: it will be visited once more, at the end */
	unsigned tries;             /**< connections that were attempted */
	const char *rule;           /**< the rule of the protocol that it broke, or NULL */
	int64_t started_at_ms;      /**< milliseconds since 1970 */
	int32_t connect_ms;         /**< until the connection stood; -1: it never did */
	int32_t handshake_ms;       /**< until the handshake was complete; -1: it never was */
	int32_t reply_ms;           /**< until it named others; -1: it never did */
	int32_t total_ms;           /**< the whole visit */
	uint32_t adverts;           /**< addresses it named, with repeats */
	uint32_t adverts_new;       /**< of these, unknown before in this crawl */
	uint64_t bytes_in;          /**< received from it */
	uint64_t bytes_out;         /**< sent to it */
	const struct pw_info *info; /**< what it says of itself */
	const struct pw_node *node; /**< what a node says beside that; NULL for networks where
					 peers have no keys */
};

/* --- peers as people write them ------------------------------------------------------- */

/** A peer that somebody has written down: where it is, and, if peers have keys, who. */
struct pw_contact {
	size_t size;                      /**< sizeof(struct pw_contact), set by you */
	const struct pw_network *network; /**< that it belongs to */
	char peer[320];         /**< the one way to write it, with its port: HOST:PORT with
				      IPv6 in brackets, or enode://KEY\@IP:PORT */
	char host[256];         /**< the host alone, without brackets */
	const char *kind;       /**< of the host: "ipv4", "ipv6", "onion", "i2p", "cjdns",
				      or "name" for one that DNS has to resolve; static */
	uint16_t port;          /**< its port; of a node the UDP port */
	uint16_t tcp_port;      /**< of a node; 0: none */
	bool is_routable;       /**< an address that the public Internet may have; false for
				      names */
	bool has_key;           /**< public_key holds something */
	uint8_t public_key[64]; /**< of a node */
};

/** Reads a peer as pw_crawl_add_seed() takes it: HOST[:PORT], NETWORK://HOST[:PORT],
 *  enode://KEY\@IP:PORT, enr:...
 *  @param text    the peer
 *  @param network whom it belongs to if it doesn't say; NULL: then it has to
 *  @param out     its `size` set, the rest is filled
 *  @param why     where a sentence goes that says what was expected, "" if nothing is wrong;
 *                 may be NULL
 *  @param cap     bytes at why
 *  @return PW_ERR_SYNTAX */
PW_API enum pw_err pw_contact_parse(const char *text, const struct pw_network *network,
				    struct pw_contact *out, char *why, size_t cap);

#ifdef __cplusplus
}
#endif

#endif
