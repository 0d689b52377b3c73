/* store.h: what crawls and members have kept in a database, row by row. */
#ifndef PEERWALK_STORE_H
#define PEERWALK_STORE_H

/** @file
 *  What crawls and members have kept. */

#include "peerwalk/peer.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A database, opened for reading. A crawl, of this process or another, may write it meanwhile:
 *  each of the functions below sees the one moment at which it was called.
 *
 *  They tell one row after the other to a callback, and stop when it returns false. The callback
 *  may not ask the same store anything. */
struct pw_store;

/** Opens a database.
 *  @param path the file
 *  @param out  the store. If opening failed, too: pw_store_why() tells what to do about it then,
 *              and there is nothing in it. NULL only if there is no memory for it
 *  @return PW_ERR_NOT_FOUND, PW_ERR_NOT_OURS, PW_ERR_NEWER, PW_ERR_CORRUPT, PW_ERR_BUSY,
 *          PW_ERR_IO; PW_ERR_VALUE for a database of an older peerwalk, which a crawl into it
 *          brings up to date; PW_ERR_NOMEM */
PW_API enum pw_err pw_store_open(const char *path, struct pw_store **out);

/** Closes a database; not from a callback.
 *  @param store it, or NULL */
PW_API void pw_store_close(struct pw_store *store);

/** What went wrong in the last call that failed, and what to do about it.
 *  @param store the store
 *  @return a sentence, "" if nothing failed; until the next call for this store */
PW_API const char *pw_store_why(const struct pw_store *store);

/** A crawl that was kept. */
struct pw_kept_crawl {
	int64_t crawl;         /**< its number, from 1 */
	const char *network;   /**< the name of the network */
	int64_t started_at_ms; /**< milliseconds since 1970 */
	int64_t ended_at_ms;   /**< the same; 0: it goes on, or was interrupted */
	bool complete;         /**< nobody was left to ask */
	uint64_t known;        /**< addresses heard of, seeds included; 0 before its end */
	uint64_t visited;      /**< of these, visited; 0 before its end */
	uint64_t reached;      /**< of these, reached; 0 before its end */
	uint64_t adverts;      /**< addresses named, with repeats */
	uint64_t bytes_in;     /**< received */
	uint64_t bytes_out;    /**< sent */
	const char *settings;  /**< the options that shaped it, a JSON object; or "" */
};

/** Called for each crawl.
 *  @param ctx   as given to pw_store_crawls()
 *  @param crawl the crawl; lives for the call
 *  @return false: no more */
typedef bool pw_kept_crawl_fn(void *ctx, const struct pw_kept_crawl *crawl);

/** The crawls, the oldest first.
 *  @param store    the store
 *  @param network  of this network; NULL: of all
 *  @param on_crawl called for each
 *  @param ctx      handed to on_crawl
 *  @return PW_ERR_CORRUPT, PW_ERR_BUSY, PW_ERR_IO, PW_ERR_NOMEM, told by pw_store_why() */
PW_API enum pw_err pw_store_crawls(struct pw_store *store, const char *network,
				   pw_kept_crawl_fn *on_crawl, void *ctx);

/** What all crawls together know of a peer. Of what it said and how it was reached that is the
 *  newest, or what one crawl has learnt, if that was asked for. */
struct pw_kept_peer {
	const char *network;        /**< the name of its network */
	const char *peer;           /**< as pw_crawl_add_seed() takes it */
	const char *host;           /**< the host alone, without brackets */
	uint16_t port;              /**< its port; of a node the UDP port */
	bool visited;               /**< the next five hold something */
	int64_t visited_at_ms;      /**< milliseconds since 1970 */
	enum pw_outcome outcome;    /**< how that visit ended */
	bool reached;               /**< a handshake was completed in it */
	int32_t connect_ms;         /**< until the connection stood; -1: it never did */
	int32_t handshake_ms;       /**< until the handshake was complete; -1: it never was */
	const struct pw_info *info; /**< what it says of itself: agent to height */
	const struct pw_node *node; /**< what a node says beside that; NULL for other peers */
	int64_t first_seen_ms;      /**< somebody named it for the first time */
	int64_t last_seen_ms;       /**< the same, for the last time */
	int64_t last_reached_ms;    /**< -1: never */
	uint64_t visits;            /**< how many there were, of all crawls */
	uint64_t visits_reached;    /**< of these, with a handshake */
};

/** Called for each peer.
 *  @param ctx  as given to pw_store_peers()
 *  @param peer the peer; lives for the call
 *  @return false: no more */
typedef bool pw_kept_peer_fn(void *ctx, const struct pw_kept_peer *peer);

/** The peers that became known, in the order in which they did.
 *  @param store   the store
 *  @param network of this network; NULL: of all
 *  @param crawl   whom that crawl visited, or heard of first; 0: everybody
 *  @param on_peer called for each
 *  @param ctx     handed to on_peer
 *  @return as pw_store_crawls(). That there is no such crawl is no error */
PW_API enum pw_err pw_store_peers(struct pw_store *store, const char *network, int64_t crawl,
				  pw_kept_peer_fn *on_peer, void *ctx);

/** A visit that was kept. */
struct pw_kept_visit {
	const char *network;          /**< the name of the network */
	int64_t crawl;                /**< the number of the crawl */
	const struct pw_visit *visit; /**< the same that the crawl told; always `final` */
};

/** Called for each visit.
 *  @param ctx   as given to pw_store_visits()
 *  @param visit the visit; lives for the call
 *  @return false: no more */
typedef bool pw_kept_visit_fn(void *ctx, const struct pw_kept_visit *visit);

/** The visits, one crawl after the other.
 *  @param store    the store
 *  @param network  of this network; NULL: of all
 *  @param crawl    of this crawl; 0: of all
 *  @param on_visit called for each
 *  @param ctx      handed to on_visit
 *  @return as pw_store_crawls(). That there is no such crawl is no error */
PW_API enum pw_err pw_store_visits(struct pw_store *store, const char *network, int64_t crawl,
				   pw_kept_visit_fn *on_visit, void *ctx);

/** An address that a member (member.h) or `peerwalk node` knows. */
struct pw_kept_address {
	const char *book;  /**< the network that it is of, of a group "gossip/GROUP" */
	const char *peer;  /**< as pw_member_add_seed() takes it */
	const char *host;  /**< the host alone, without brackets */
	uint16_t port;     /**< its port; of a node the UDP port */
	uint64_t services; /**< bits that it is said to offer */
	bool tried;        /**< the member has reached it itself */
	int64_t named_s;   /**< named last, as was claimed, seconds since 1970; 0: never */
	int64_t asked_s;   /**< the member's last attempt to reach it; 0: none */
	int64_t good_s;    /**< when that succeeded last; 0: never */
	uint32_t failures; /**< attempts since then that failed */
};

/** Called for each address.
 *  @param ctx     as given to pw_store_addresses()
 *  @param address the address; lives for the call
 *  @return false: no more */
typedef bool pw_kept_address_fn(void *ctx, const struct pw_kept_address *address);

/** The addresses that standing peers know.
 *  @param store      the store
 *  @param network    of this network, all groups of it; NULL: of all
 *  @param on_address called for each
 *  @param ctx        handed to on_address
 *  @return as pw_store_crawls() */
PW_API enum pw_err pw_store_addresses(struct pw_store *store, const char *network,
				      pw_kept_address_fn *on_address, void *ctx);

#ifdef __cplusplus
}
#endif

#endif
