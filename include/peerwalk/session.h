/* session.h: sessions: one connection as a state machine. */
#ifndef PEERWALK_SESSION_H
#define PEERWALK_SESSION_H

/** @file
 *  Sessions. */

#include "peerwalk/peer.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One connection as a state machine: no socket, no clock, no callbacks.
 *
 *  You own the connection and the time. Once after pw_session_new(), and then after each
 *  pw_session_recv(), pw_session_tick() and pw_session_closed(): call pw_session_next() until
 *  it returns NULL, then pw_session_send() until it returns 0. Call pw_session_tick() no later
 *  than pw_session_deadline(). PW_EVENT_DONE is the last event: send what there is to send, and
 *  close the connection.
 *
 *  Sessions of Bitcoin's and of gossip networks name peers and more; those of Ethereum are
 *  encrypted, and tell who is there and on which chain: pw_session_info() and pw_session_node()
 *  know it at the end. Nobody is named in them. As a responder such a session is a node without a
 *  chain of its own. */
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
	const char *group;         /**< gossip: the name of our group, 1 to 64 bytes; others end as
					wrong_network (none) */
	uint16_t listen_port;      /**< gossip: where we take connections (nowhere) */
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

#ifdef __cplusplus
}
#endif

#endif
