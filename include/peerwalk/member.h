/* member.h: a peer of one's own, that stays: takes calls, keeps connections, speaks. */
#ifndef PEERWALK_MEMBER_H
#define PEERWALK_MEMBER_H

/** @file
 *  A peer of one's own. */

#include "peerwalk/peer.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A member of a network, that stays: it keeps the connections that the network expects of a
 *  peer, answers who asks, finds others and is found by them, remembers whom it knows, and says
 *  what you have to say.
 *
 *  pw_member_new(), pw_member_add_seed() ..., pw_member_run() until pw_member_stop(). All
 *  callbacks come from the thread that is in pw_member_run(); they should be quick, as nothing
 *  else happens meanwhile. Any thread and any callback may call pw_member_say(),
 *  pw_member_say_all(), pw_member_stop() and pw_member_stats() at any time; callbacks may call
 *  pw_member_peers() as well.
 *
 *  In a gossip network it takes part fully, and what is said may be any message of your own. On
 *  Bitcoin's networks it is a peer without a chain: it knows and names addresses, and relays
 *  nothing else. On Ethereum's it is a node of discovery, and who calls it over TCP has a short
 *  session: see `node` in struct pw_member_peer, and what the functions say. */
struct pw_member;

/** Who began a connection. */
enum pw_direction {
	PW_INCOMING, /**< the other side did */
	PW_OUTGOING, /**< the member did */
	PW_CHECK     /**< the member did, and only to see whether somebody is there */
};

/** Somebody at the other end of a connection; lives for the call. On Ethereum's networks a node in
 *  the table, or one whose session has ended; then `id` is 0. */
struct pw_member_peer {
	uint32_t id;                 /**< for pw_member_say(); another connection has another */
	enum pw_direction direction; /**< who began it */
	const char *remote;          /**< the other end of the connection, HOST:PORT; of a node in
					  the table its URL */
	const char *listen;          /**< where it takes connections itself; "" if not known */
	bool up;                     /**< hands are shaken: info holds something */
	const struct pw_info *info;  /**< what it says of itself */
	const struct pw_node *node;  /**< what a node says beside that; NULL on other networks */
	uint64_t age_ms;             /**< the connection stands for so long */
	int64_t rtt_ms;              /**< of its best ping, there and back; -1: none yet */
	uint64_t messages_in;        /**< received from it */
	uint64_t bytes_in;           /**< received from it */
	uint64_t bytes_out;          /**< sent to it */
};

/** How a member is doing. */
struct pw_member_stats {
	size_t size;           /**< sizeof(struct pw_member_stats), set by you */
	uint64_t uptime_ms;    /**< since pw_member_run() began */
	uint32_t in;           /**< connections that others have begun */
	uint32_t out;          /**< connections that the member has begun */
	uint32_t up;           /**< of these, with hands shaken */
	uint32_t known;        /**< addresses that it knows; of Ethereum nodes in the table */
	uint32_t proven;       /**< of these, reached by itself */
	uint64_t messages_in;  /**< received; of Ethereum datagrams */
	uint64_t messages_out; /**< sent */
	uint64_t bytes_in;     /**< received */
	uint64_t bytes_out;    /**< sent */
	uint64_t refused;      /**< callers that there was no place for */
	uint64_t unsaid;       /**< messages of pw_member_say() whose peer was gone, or too slow */
	enum pw_err database;  /**< why nothing is kept any more; PW_OK: it is, or was not to be */
};

/** Called for each place where the member listens, once it does; and when others agree that they
 *  see it somewhere else.
 *  @param ctx     of the configuration
 *  @param address HOST:PORT, or a node's URL
 *  @param seen    it is where others see it */
typedef void pw_place_fn(void *ctx, const char *address, bool seen);

/** Called when hands are shaken with a peer. Never for Ethereum.
 *  @param ctx  of the configuration
 *  @param peer the peer; lives for the call */
typedef void pw_peer_fn(void *ctx, const struct pw_member_peer *peer);

/** Called when a peer is gone with which hands were shaken; for Ethereum, when a session with
 *  whoever called has ended.
 *  @param ctx     of the configuration
 *  @param peer    the peer; lives for the call
 *  @param outcome how it ended
 *  @param why     the same in words, or the rule that was broken; static */
typedef void pw_peer_down_fn(void *ctx, const struct pw_member_peer *peer, enum pw_outcome outcome,
			     const char *why);

/** Called for each message of a peer, the network's own among them. Not for Ethereum.
 *  @param ctx     of the configuration
 *  @param peer    who sent it; lives for the call
 *  @param name    e.g. "inv", or the msgtype of a gossip network; made harmless
 *  @param payload what it carries, of a gossip network the whole JSON object: a stranger's bytes,
 *                 for the call */
typedef void pw_peer_message_fn(void *ctx, const struct pw_member_peer *peer, const char *name,
				struct pw_bytes payload);

/** Called for an address that has become known, or that was reached and can't be any more.
 *  @param ctx     of the configuration
 *  @param address HOST:PORT, or a node's URL */
typedef void pw_address_fn(void *ctx, const char *address);

/** Called once a second.
 *  @param ctx   of the configuration
 *  @param stats how the member is doing; lives for the call */
typedef void pw_member_progress_fn(void *ctx, const struct pw_member_stats *stats);

/** What a member is to be like. Zero and NULL mean the default. */
struct pw_member_config {
	size_t size;                      /**< sizeof(struct pw_member_config) */
	const struct pw_network *network; /**< which network; outlives the member */
	const char *group;                /**< of a gossip network: the name of the group, 1 to 64
					       bytes; others are not talked to (any) */
	const char *database;             /**< file to keep the known addresses in, as `peerwalk
					       node --db` does; NULL: forget them */
	bool no_listen;                   /**< take nobody in. Not for Ethereum */
	bool dns_seeds; /**< begin with the network's own seeds, if nothing else leads into it:
			     its DNS seeds; for Ethereum always, its bootstrap nodes */
	/** Talk to loopback and private addresses, too; members of a gossip network always do. */
	bool allow_private;
	uint32_t in_max;     /**< connections of others (what is usual on the network). Not for
				  Ethereum */
	uint32_t out_wanted; /**< own connections to keep (what is usual on the network). Not for
				  Ethereum */
	const char *agent;   /**< our name, as in struct pw_crawl_config */
	const uint8_t *key;  /**< Ethereum: who we are, the 32 bytes of a private key (a new one);
				  copied, and wiped by pw_member_free() */

	pw_place_fn *on_place;              /**< where it listens, and is seen */
	pw_peer_fn *on_peer_up;             /**< a peer is there */
	pw_peer_down_fn *on_peer_down;      /**< a peer is gone */
	pw_peer_message_fn *on_message;     /**< a peer has said something */
	pw_address_fn *on_known;            /**< an address is new, or back */
	pw_address_fn *on_lost;             /**< an address is lost */
	pw_member_progress_fn *on_progress; /**< a second has passed */
	void *ctx;                          /**< handed to the callbacks */
};

/** Prepares a member. Nothing is opened or dialled yet.
 *  @param config copied, but for the network
 *  @param out    the member, or NULL on failure
 *  @return PW_ERR_VALUE for a size, a network, a group, an agent or a key that is not allowed, or
 *          a member that the network doesn't have; PW_ERR_NOMEM, PW_ERR_IO */
PW_API enum pw_err pw_member_new(const struct pw_member_config *config, struct pw_member **out);

/** Frees a member; not while it runs.
 *  @param member it, or NULL */
PW_API void pw_member_free(struct pw_member *member);

/** Adds a place to listen at, before it runs: at most four, for Ethereum one of IPv4 and one of
 *  IPv6. Without any it is everywhere, at the network's usual port.
 *  @param member the member
 *  @param place  ADDR or ADDR:PORT as numbers; port 0 is any that is free
 *  @return PW_ERR_SYNTAX, PW_ERR_LIMIT, told by pw_member_why() */
PW_API enum pw_err pw_member_add_listen(struct pw_member *member, const char *place);

/** Says where others reach it, if that is another place than it listens at (NAT). Before it runs,
 *  at most twice, for Ethereum once.
 *  @param member the member
 *  @param place  ADDR:PORT as numbers
 *  @return PW_ERR_SYNTAX, PW_ERR_LIMIT, told by pw_member_why() */
PW_API enum pw_err pw_member_add_advertise(struct pw_member *member, const char *place);

/** Adds a peer to begin with, before it runs: at most 64.
 *  @param member the member
 *  @param peer   as pw_crawl_add_seed() takes it
 *  @return PW_ERR_SYNTAX, PW_ERR_LIMIT, told by pw_member_why(); PW_ERR_NOMEM */
PW_API enum pw_err pw_member_add_seed(struct pw_member *member, const char *peer);

/** Is a member of the network until pw_member_stop() is called. May be called again then.
 *
 *  Raises the process's soft limit of open files to its hard limit, and handles no
 *  signals; SIGPIPE is blocked in its threads while it runs. What it knows is kept in the
 *  database no later than a second after it was learnt. A database that fails meanwhile ends
 *  nothing: it is told by pw_member_stats(), and by what this returns.
 *  @param member the member
 *  @return PW_ERR_IO for a place that can't be listened at; the errors of the database, as
 *          pw_crawl_run(); PW_ERR_NOMEM. pw_member_why() tells what to do about each. */
PW_API enum pw_err pw_member_run(struct pw_member *member);

/** Makes pw_member_run() take leave of everybody and return. What was said before is sent. From
 *  any thread, a callback, or a signal handler. If the member is not running, its next run ends at
 *  once.
 *  @param member the member */
PW_API void pw_member_stop(struct pw_member *member);

/** Says something to one peer. It is on its way when this returns, but not sent: a peer that is
 *  gone by then, or doesn't read what was said before, never hears it (`unsaid`).
 *  @param member  the member, while it runs
 *  @param peer    its `id`
 *  @param name    of the message, as pw_message_encode() takes it, as it does
 *  @param payload what it carries
 *  @return PW_ERR_NOT_FOUND if the member is not running, or nothing can be said (Ethereum);
 *          PW_ERR_FULL: too much waits to be sent, try later; PW_ERR_LIMIT for a message of more
 *          than 64 KiB; PW_ERR_VALUE, PW_ERR_SYNTAX, PW_ERR_NOMEM */
PW_API enum pw_err pw_member_say(struct pw_member *member, uint32_t peer, const char *name,
				 struct pw_bytes payload);

/** Says something to every peer with which hands are shaken.
 *  @param member  the member, while it runs
 *  @param name    of the message, as pw_message_encode() takes it, as it does
 *  @param payload what it carries
 *  @return as pw_member_say() */
PW_API enum pw_err pw_member_say_all(struct pw_member *member, const char *name,
				     struct pw_bytes payload);

/** The connections, one after the other; of Ethereum the nodes in the table. From callbacks alone.
 *  @param member  the member
 *  @param on_peer called for each
 *  @param ctx     handed to on_peer
 *  @return PW_ERR_BUSY from anywhere else */
PW_API enum pw_err pw_member_peers(struct pw_member *member, pw_peer_fn *on_peer, void *ctx);

/** How the member is doing, or how its last run ended; no older than a second. From any thread
 *  and any callback.
 *  @param member the member
 *  @param out    its `size` set, the rest is filled */
PW_API void pw_member_stats(struct pw_member *member, struct pw_member_stats *out);

/** What went wrong in the last call that failed, and what to do about it. Of pw_member_run(), and
 *  of what belongs before it.
 *  @param member the member, while it doesn't run
 *  @return a sentence, "" if nothing failed; until the next call for this member */
PW_API const char *pw_member_why(const struct pw_member *member);

#ifdef __cplusplus
}
#endif

#endif
