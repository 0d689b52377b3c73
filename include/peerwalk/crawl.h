/* crawl.h: crawls: visits everybody, calls you back. */
#ifndef PEERWALK_CRAWL_H
#define PEERWALK_CRAWL_H

/** @file
 *  Crawls. */

#include "peerwalk/peer.h"

#ifdef __cplusplus
extern "C" {
#endif

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
	uint64_t connect_timeout_ms; /**< for a connection (learned, 5,000 at most) */
	uint64_t timeout_ms;         /**< for a visit once connected (20,000; patient 90,000; for
					  its answer what is learned, 10,000 at most);
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

	/* For gossip networks alone. */
	const char *group; /**< the name of the group whose peers are wanted, 1 to 64 bytes; others
				end as wrong_network (everybody's) */
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
 *               brackets if a port follows) or a name for DNS. There can be 64 names, the
 *               DNS seeds (two each) included.
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
 *  @return PW_ERR_NOT_FOUND without a seed, or without a crawl to resume; PW_ERR_LIMIT for
 *          too many names; PW_ERR_IO, PW_ERR_DISK_FULL, PW_ERR_READ_ONLY, PW_ERR_NOT_OURS,
 *          PW_ERR_NEWER, PW_ERR_CORRUPT, PW_ERR_BUSY for the database; PW_ERR_NOMEM.
 *          pw_crawl_why() tells what to do about each. */
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

#ifdef __cplusplus
}
#endif

#endif
