/* peerwalk.h: the library's public interface. Walks peer-to-peer networks.
 *
 * Four parts, each usable without the others:
 *
 *   networks   pw_network_find("bitcoin"), "ethereum", or your own Bitcoin-like chain
 *   crawls     pw_crawl_new, pw_crawl_add_seed, pw_crawl_run: visits everybody, calls you back
 *   sessions   one connection as a state machine, for an event loop of your own
 *   explain    names each field of a message
 *
 * Errors: functions that can fail return an enum pw_err. What a peer does wrong is no
 * error but the outcome of its visit.
 *
 * Threads: the library has no global state. Different objects can be used by different
 * threads at once; one object by one thread at a time, but for pw_crawl_stop and
 * pw_crawl_stats, which any thread may call at any time.
 *
 * Memory: what a `_new` function made is freed by its `_free`, which takes NULL, too.
 * Strings and structs that you pass in are copied; those that you are given live as long
 * as their description says. Text is UTF-8 and ends with NUL.
 *
 * Versions: structs that you fill begin with `size`: set it to sizeof the struct and leave
 * what you don't know zero, so that later versions can add members. Those that you are given
 * by a pointer may grow at their end. New values may be added to enums, too. */
#ifndef PEERWALK_H
#define PEERWALK_H

/** @file
 *  Walks peer-to-peer networks. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Marks what the library exports. */
#define PW_API __attribute__((visibility("default")))

/** The version of the library.
 *  @return e.g. "0.1.0"; static. */
PW_API const char *pw_version(void);

/* --- errors --------------------------------------------------------------------------- */

/** What can go wrong; pw_err_text() has a sentence for each. */
enum pw_err {
	PW_OK,               /**< no error */
	PW_ERR_SHORT,        /**< the input ends early */
	PW_ERR_TRAILING,     /**< bytes are left over */
	PW_ERR_NONCANONICAL, /**< a value is not in its shortest form */
	PW_ERR_LIMIT,        /**< a limit is exceeded */
	PW_ERR_VALUE,        /**< a value is not allowed */
	PW_ERR_MAGIC,        /**< the magic belongs to another network */
	PW_ERR_CHECKSUM,     /**< the checksum is wrong */
	PW_ERR_SYNTAX,       /**< the text is not in the expected form */
	PW_ERR_FULL,         /**< there is no room left for the output */
	PW_ERR_NOMEM,        /**< out of memory */
	PW_ERR_IO,           /**< input or output failed */
	PW_ERR_DISK_FULL,    /**< the disk is full */
	PW_ERR_READ_ONLY,    /**< the file or its folder is read-only */
	PW_ERR_NOT_OURS,     /**< the file is no peerwalk database */
	PW_ERR_NEWER,        /**< the database was written by a newer peerwalk */
	PW_ERR_CORRUPT,      /**< the database is damaged */
	PW_ERR_BUSY,         /**< another process holds the database */
	PW_ERR_NOT_FOUND     /**< there is no such thing */
};

/** A sentence for an error, without a full stop.
 *  @param err any value
 *  @return static text, never NULL */
PW_API const char *pw_err_text(enum pw_err err);

/** Borrowed bytes, perhaps a stranger's: any values, no NUL at the end. */
struct pw_bytes {
	const uint8_t *data; /**< NULL only if len is 0 */
	size_t len;          /**< how many */
};

/** Makes a stranger's bytes harmless for terminals, logs and files: letters stay, control
 *  and formatting characters, the backslash and what is no UTF-8 become \\xNN (\\\\).
 *  @param bytes the bytes
 *  @param out   where the text goes, cut to fit, always with a NUL if cap > 0
 *  @param cap   bytes at out; 4 * bytes.len + 1 are always enough
 *  @return the length of the text */
PW_API size_t pw_escape(struct pw_bytes bytes, char *out, size_t cap);

/* --- networks ------------------------------------------------------------------------- */

/** A network: mainnet, a test network, a chain of your own. */
struct pw_network;

/** Finds a network that the library knows.
 *  @param name e.g. "bitcoin", "bitcoin-testnet4", "bitcoin-regtest", "ethereum", "sepolia"
 *  @return static; NULL if there is none of that name */
PW_API const struct pw_network *pw_network_find(const char *name);

/** The networks that the library knows, one by one.
 *  @param index from 0
 *  @return static; NULL at the end */
PW_API const struct pw_network *pw_network_at(size_t index);

/** Makes a network that speaks Bitcoin's protocol and is not on the list.
 *  @param name  1 to 32 lower-case letters, digits and hyphens; none of the list
 *  @param magic the four bytes that its messages begin with, in the order of the wire
 *  @param port  its usual port, not 0
 *  @param out   the network: free it after everything that was made with it
 *  @return PW_ERR_VALUE for a name or port that is not allowed, PW_ERR_NOMEM */
PW_API enum pw_err pw_network_new(const char *name, const uint8_t magic[4], uint16_t port,
				  struct pw_network **out);

/** Frees what pw_network_new() made.
 *  @param network it, or NULL */
PW_API void pw_network_free(struct pw_network *network);

/** The name of a network.
 *  @param network it
 *  @return text that lives as long as the network */
PW_API const char *pw_network_name(const struct pw_network *network);

/** The usual port of a network.
 *  @param network it
 *  @return the port */
PW_API uint16_t pw_network_port(const struct pw_network *network);

/** What a bit of the services means that a peer offers.
 *  @param network it
 *  @param bit     0 to 63
 *  @return e.g. "NETWORK" (static); NULL for a bit without a name */
PW_API const char *pw_service_name(const struct pw_network *network, unsigned bit);

/* --- what is known of a peer ---------------------------------------------------------- */

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
	const char *negotiation;   /**< its messages up to the handshake, e.g. "version verack" */
	const char *sees_us_as;    /**< HOST:PORT under which it sees us; "" if not said */
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

/* --- crawls --------------------------------------------------------------------------- */

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
	struct pw_info info;        /**< what it says of itself */
	const struct pw_node *node; /**< what a node says beside that; NULL for networks where
					 peers have no keys */
};

/** How a crawl stands. */
struct pw_stats {
	size_t size;           /**< sizeof(struct pw_stats), set by you */
	int64_t crawl;         /**< its number in the database; 0 without one */
	uint64_t elapsed_ms;   /**< since its start */
	uint64_t known;        /**< addresses heard of, seeds included */
	uint64_t waiting;      /**< of these, to be visited yet */
	uint64_t in_flight;    /**< being visited */
	uint64_t visited;      /**< visited, with a final outcome */
	uint64_t reached;      /**< of these, reached */
	uint64_t adverts;      /**< addresses named, with repeats */
	uint64_t bytes_in;     /**< received */
	uint64_t bytes_out;    /**< sent */
	bool complete;         /**< nobody is left to ask */
	uint64_t outcomes[32]; /**< visited ones by enum pw_outcome */
};

/** A walk through a network. */
struct pw_crawl;

/** Called by a crawl for each visit that has ended.
 *  @param ctx   of the configuration
 *  @param visit the visit; lives for the call */
typedef void pw_visit_fn(void *ctx, const struct pw_visit *visit);

/** Called by a crawl about ten times a second.
 *  @param ctx   of the configuration
 *  @param stats how things stand; lives for the call */
typedef void pw_progress_fn(void *ctx, const struct pw_stats *stats);

/** What a crawl is to be like. Zero and NULL mean the default.
 *
 *  The callbacks are never called two at a time. They come from the thread in
 *  pw_crawl_run(), or with more `threads` from any of the crawl's own. They should be
 *  quick, and may call pw_crawl_stop() and pw_crawl_stats(), but nothing else of the crawl. */
struct pw_crawl_config {
	size_t size;                      /**< sizeof(struct pw_crawl_config) */
	const struct pw_network *network; /**< which network; outlives the crawl */
	const char *database;             /**< file to keep everything in, as `peerwalk crawl
					       --db` does; NULL: keep nothing */
	bool resume;                 /**< go on with the newest unfinished crawl in the database */
	bool keep_adverts;           /**< keep who named whom, too (large) */
	bool dns_seeds;              /**< begin with the network's own seeds: those that its
					  DNS seeds name, or its bootstrap nodes */
	bool allow_private;          /**< dial loopback and private addresses, too */
	bool patient;                /**< wait for old software, which takes up to 61 s to answer */
	uint32_t concurrency;        /**< visits at a time (2000; nodes of Ethereum 10000), as far
					  as descriptors go */
	uint32_t per_group;          /**< of these, to one /16 (IPv4) or /32 (IPv6) (16) */
	uint32_t threads;            /**< loops that share the work (1; for Ethereum, where
					  signatures are most of it, one a core), at most 64 */
	double rate_per_s;           /**< visits begun a second (no limit) */
	uint64_t max_visits;         /**< stop once so many were tried (no limit) */
	uint64_t duration_ms;        /**< begin no visit after this time (no limit) */
	uint64_t connect_timeout_ms; /**< for a connection (5,000) */
	uint64_t timeout_ms;         /**< for a visit once connected (20,000; patient 90,000);
					  of a node's visit for the session */
	const char *agent;           /**< our name, printable ASCII of 1 to 256 bytes: the user
					  agent of BIP 14 ("/peerwalk:VERSION/"), for Ethereum
					  the client's ("peerwalk/vVERSION"); say whom to
					  write to */
	pw_visit_fn *on_visit;       /**< called for each visit, or NULL */
	pw_progress_fn *on_progress; /**< called ten times a second, or NULL */
	void *ctx;                   /**< handed to the callbacks */

	/* For Ethereum's networks alone. */
	bool no_session;    /**< discovery alone: ask nobody for client and chain */
	const char *chain;  /**< whose nodes are wanted: "mainnet", "sepolia", "holesky", "hoodi";
				 others end as wrong_network (what the network's name says, or
				 everybody's) */
	const uint8_t *key; /**< who we are: the 32 bytes of a private key (a new one for each
				 run). Copied, and wiped by pw_crawl_free() */
};

/** Prepares a crawl. Nothing is opened or dialled yet.
 *  @param config copied, but for the network
 *  @param out    the crawl, or NULL on failure
 *  @return PW_ERR_VALUE for a size, a network, an agent, a number, a chain or a key that is not
 *          allowed, PW_ERR_NOMEM */
PW_API enum pw_err pw_crawl_new(const struct pw_crawl_config *config, struct pw_crawl **out);

/** Frees a crawl; not while it runs.
 *  @param crawl it, or NULL */
PW_API void pw_crawl_free(struct pw_crawl *crawl);

/** Adds a peer to begin with; not while the crawl runs.
 *  @param crawl the crawl
 *  @param peer  HOST[:PORT] or NETWORK://HOST[:PORT]; the host is an address (IPv6 in
 *               brackets if a port follows) or a name for DNS. Names need one port in
 *               common, and there can be 64 of them, the DNS seeds (two each) included.
 *               A node of Ethereum has a key: enode://KEY\@IP:PORT, or its record, enr:...
 *  @return PW_ERR_SYNTAX, told by pw_crawl_why(); PW_ERR_NOMEM */
PW_API enum pw_err pw_crawl_add_seed(struct pw_crawl *crawl, const char *peer);

/** Leaves addresses out: they are never dialled. Not while the crawl runs.
 *  @param crawl the crawl
 *  @param block an address or a CIDR block such as "192.0.2.0/24" or "2001:db8::/32"
 *  @return PW_ERR_SYNTAX, told by pw_crawl_why(); PW_ERR_NOMEM */
PW_API enum pw_err pw_crawl_add_exclude(struct pw_crawl *crawl, const char *block);

/** Walks, until nobody is left to ask or pw_crawl_stop() is called. That nobody answered
 *  is no error: look at pw_crawl_stats(). May be called again for another crawl from the
 *  same seeds.
 *
 *  Raises the process's soft limit of open files to its hard limit, and handles no
 *  signals; SIGPIPE is blocked in its threads while it runs. An interrupted crawl loses no
 *  more than half a second of what it has learnt.
 *  @param crawl the crawl
 *  @return PW_ERR_NOT_FOUND without a seed, or without a crawl to resume; PW_ERR_LIMIT or
 *          PW_ERR_VALUE for too many names or different ports; PW_ERR_IO, PW_ERR_DISK_FULL,
 *          PW_ERR_READ_ONLY, PW_ERR_NOT_OURS, PW_ERR_NEWER, PW_ERR_CORRUPT, PW_ERR_BUSY for
 *          the database; PW_ERR_NOMEM. pw_crawl_why() tells what to do about each. */
PW_API enum pw_err pw_crawl_run(struct pw_crawl *crawl);

/** Makes pw_crawl_run() return within about a tenth of a second, with all that was learnt
 *  kept. From any thread, a callback, or a signal handler. If the crawl is not running,
 *  its next run ends at once.
 *  @param crawl the crawl */
PW_API void pw_crawl_stop(struct pw_crawl *crawl);

/** How the crawl stands, or how its last run ended. From any thread and any callback.
 *  @param crawl the crawl
 *  @param out   its `size` set, the rest is filled */
PW_API void pw_crawl_stats(struct pw_crawl *crawl, struct pw_stats *out);

/** What went wrong in the last call that failed, and what to do about it.
 *  @param crawl the crawl
 *  @return a sentence, "" if nothing failed; until the next call for this crawl */
PW_API const char *pw_crawl_why(const struct pw_crawl *crawl);

/* --- sessions ------------------------------------------------------------------------- */

/** One connection as a state machine: no socket, no clock, no callbacks.
 *
 *  You own the connection and the time. Once after pw_session_new(), and then after each
 *  pw_session_recv(), pw_session_tick() and pw_session_closed(): call pw_session_next() until
 *  it returns NULL, then pw_session_send() until it returns 0. Call pw_session_tick() no later
 *  than pw_session_deadline(). PW_EVENT_DONE is the last event: send what there is to send, and
 *  close the connection.
 *
 *  Bitcoin's sessions name peers and more; those of Ethereum are encrypted, and tell who is
 *  there and on which chain: pw_session_info() and pw_session_node() know it at the end. Nobody
 *  is named in them. As a responder such a session is a node without a chain of its own. */
struct pw_session;

/** Which end of the connection the session is. */
enum pw_role {
	PW_INITIATOR, /**< it dialled */
	PW_RESPONDER  /**< it was dialled; answers until closed */
};

/** What an initiator is there for; to a node of Ethereum it is PW_GOAL_PEERS alone. */
enum pw_goal {
	PW_GOAL_PEERS, /**< shake hands, ask whom it knows, end */
	PW_GOAL_PING,  /**< shake hands, ping, end */
	PW_GOAL_LISTEN /**< shake hands, then tell every message until closed */
};

/** What a session is to be like. Zero and NULL mean the default. */
struct pw_session_config {
	size_t size;                      /**< sizeof(struct pw_session_config) */
	const struct pw_network *network; /**< which network; outlives the session */
	enum pw_role role;                /**< PW_INITIATOR */
	enum pw_goal goal;                /**< PW_GOAL_PEERS */
	bool stepwise;                    /**< send nothing before our turn, see retry_stepwise */
	bool patient;                     /**< wait long for the list of peers */
	int64_t unix_s;                   /**< the time of day, seconds since 1970 */
	uint64_t nonce;                   /**< tells a connection to ourselves; 0: a random one */
	uint64_t timeout_ms;       /**< for the whole session (no limit but the protocol's) */
	uint32_t ping_count;       /**< PW_GOAL_PING: how often (1) */
	uint64_t ping_interval_ms; /**< PW_GOAL_PING: from one to the next */
	uint64_t services;         /**< bits that we claim to offer (none) */
	int32_t height;            /**< of the chain that we claim to have */
	const char *agent;         /**< as in struct pw_crawl_config */
	const char *peer;          /**< HOST:PORT of the other end, as numbers (unknown). An
					initiator of Ethereum has to know whom it calls:
					enode://KEY\@IP:PORT, or a record, enr:... */
	const uint8_t *key;        /**< Ethereum: who we are, the 32 bytes of a private key (a new
					one); copied, and wiped by pw_session_free() */
};

/** What has happened in a session. */
enum pw_event_kind {
	PW_EVENT_HANDSHAKE, /**< hands are shaken; pw_session_info() is worth reading */
	PW_EVENT_ADVERTS,   /**< the peer named `count` peers: pw_session_advert() */
	PW_EVENT_ASKED,     /**< to a responder: the peer asks whom we know */
	PW_EVENT_MESSAGE,   /**< a message came: name, payload, whole */
	PW_EVENT_PONG,      /**< the answer to our ping: rtt_ms */
	PW_EVENT_DONE       /**< the end: outcome, rule, retry_stepwise */
};

/** An event of a session; lives until the next call for that session. */
struct pw_event {
	enum pw_event_kind kind; /**< says which members below hold something */
	enum pw_outcome outcome; /**< DONE: how it ended */
	const char *rule;        /**< DONE: the rule that the peer broke, or NULL */
	bool retry_stepwise;     /**< DONE: old software hung up; try once more with `stepwise` */
	const char *name;        /**< MESSAGE: e.g. "inv", made harmless */
	struct pw_bytes payload; /**< MESSAGE: without its header */
	struct pw_bytes whole;   /**< MESSAGE: as pw_explain() takes it */
	uint32_t count;          /**< ADVERTS: how many */
	uint64_t rtt_ms;         /**< PONG: milliseconds from the ping to its answer */
};

/** Begins a session on a connection that stands.
 *  @param config copied, but for the network
 *  @param now_ms milliseconds on a clock of yours that never goes back, not 0
 *  @param out    the session, or NULL on failure
 *  @return PW_ERR_VALUE for a size, a network, an agent, an enum, a time or a key that is not
 *          allowed, PW_ERR_SYNTAX for the peer or one that is missing, PW_ERR_NOMEM */
PW_API enum pw_err pw_session_new(const struct pw_session_config *config, uint64_t now_ms,
				  struct pw_session **out);

/** Frees a session.
 *  @param session it, or NULL */
PW_API void pw_session_free(struct pw_session *session);

/** Takes bytes that came from the peer. All of them are kept as long as they are needed,
 *  which is bounded by the largest message of the protocol (4 MB for Bitcoin).
 *  @param session the session
 *  @param data    the bytes
 *  @param len     how many, at most 1 MiB
 *  @param now_ms  the time
 *  @return PW_ERR_NOMEM; PW_ERR_FULL for more than 1 MiB, or if pw_session_next() was not
 *          called until it returned NULL. Nothing is taken then. */
PW_API enum pw_err pw_session_recv(struct pw_session *session, const void *data, size_t len,
				   uint64_t now_ms);

/** The next event.
 *  @param session the session
 *  @return the event, until the next call for the session; NULL: none for now */
PW_API const struct pw_event *pw_session_next(struct pw_session *session);

/** Steps through the addresses of a PW_EVENT_ADVERTS.
 *  @param session the session
 *  @return the next one, until the next call for the session; NULL at the end */
PW_API const struct pw_advert *pw_session_advert(struct pw_session *session);

/** Bytes for the peer.
 *  @param session the session
 *  @param out     where they go
 *  @param cap     how many fit
 *  @return how many were written; 0: there are none */
PW_API size_t pw_session_send(struct pw_session *session, void *out, size_t cap);

/** When pw_session_tick() has to be called at the latest.
 *  @param session the session
 *  @return milliseconds on your clock; UINT64_MAX: never */
PW_API uint64_t pw_session_deadline(const struct pw_session *session);

/** Lets the session notice the time. Too early does no harm.
 *  @param session the session
 *  @param now_ms  the time */
PW_API void pw_session_tick(struct pw_session *session, uint64_t now_ms);

/** Says that the connection is closed.
 *  @param session the session
 *  @param reset   false: the peer closed it in order; true: it broke
 *  @param now_ms  the time */
PW_API void pw_session_closed(struct pw_session *session, bool reset, uint64_t now_ms);

/** What the peer says of itself so far.
 *  @param session the session
 *  @return until the next call for the session */
PW_API const struct pw_info *pw_session_info(struct pw_session *session);

/** What is known so far of the node at the other end: its key, its session and its chain.
 *  @param session the session
 *  @return until the next call for the session; NULL for networks where peers have no keys */
PW_API const struct pw_node *pw_session_node(struct pw_session *session);

/** A responder's answer to PW_EVENT_ASKED; pw_session_send() has it then.
 *  @param session the session
 *  @param adverts whom we know
 *  @param count   how many, 1 to 1,000
 *  @return PW_ERR_VALUE for another count, or where sessions name nobody (Ethereum);
 *          PW_ERR_SYNTAX for a host that is no address, PW_ERR_NOMEM, PW_ERR_FULL if earlier
 *          answers were not sent yet */
PW_API enum pw_err pw_session_answer(struct pw_session *session, const struct pw_advert *adverts,
				     size_t count);

/* --- messages, field by field --------------------------------------------------------- */

/** How a field wants to be shown. */
enum pw_field_kind {
	PW_FIELD_UINT,  /**< `value`, unsigned */
	PW_FIELD_INT,   /**< `value`, as int64_t */
	PW_FIELD_HEX,   /**< `value`, in hexadecimal */
	PW_FIELD_TIME,  /**< `value`, seconds since 1970 as int64_t */
	PW_FIELD_BYTES, /**< `bytes` */
	PW_FIELD_TEXT,  /**< `bytes`, a stranger's text */
	PW_FIELD_HASH,  /**< `bytes`, 32 of them, shown last byte first */
	PW_FIELD_ADDR,  /**< `bytes`, a network address */
	PW_FIELD_GROUP  /**< element `value` of the list `name` begins here */
};

/** A field of a message; lives for the call of pw_field_fn. */
struct pw_field {
	const char *name;        /**< e.g. "user agent"; static */
	enum pw_field_kind kind; /**< which of the next holds something */
	size_t at;               /**< where it stands in the input */
	size_t len;              /**< how many bytes it has there; 0: computed from others */
	uint64_t value;          /**< its number */
	struct pw_bytes bytes;   /**< its bytes */
	const char *text;        /**< all of it for people, made harmless, meaning included */
};

/** Called by pw_explain() for each field.
 *  @param ctx   as given to pw_explain()
 *  @param field the field; lives for the call */
typedef void pw_field_fn(void *ctx, const struct pw_field *field);

/** Where the input breaks a rule for the first time. */
struct pw_fault {
	size_t at;        /**< offset of the first byte that does */
	const char *rule; /**< the rule; static */
};

/** Names each field of one or more whole messages. For Ethereum that is one packet of discovery
 *  v4, one record or other list of RLP, or the text of one record or URL.
 *  @param network  whose messages they are
 *  @param data     the messages, header and all
 *  @param len      bytes of them
 *  @param on_field called for each field up to the first that breaks a rule
 *  @param ctx      handed to on_field
 *  @param fault    filled if PW_ERR_SHORT ... PW_ERR_SYNTAX is returned; may be NULL
 *  @return PW_OK, or what is wrong with the first field that breaks a rule; PW_ERR_NOMEM */
PW_API enum pw_err pw_explain(const struct pw_network *network, const void *data, size_t len,
			      pw_field_fn *on_field, void *ctx, struct pw_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
