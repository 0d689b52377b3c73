/* query.h: what reports and exports ask the store: crawls, peers, visits, adverts,
 * one row at a time.
 *
 * Rows borrow from the store: they live for the call. A function that returns
 * anything but ERR_OK ends the walk, and its error is the walk's. Between
 * store_read_begin and store_read_end every question sees the same moment, while a
 * crawl may be writing. */
#ifndef PEERWALK_STORE_QUERY_H
#define PEERWALK_STORE_QUERY_H

#include "store/store.h"

enum err store_read_begin(struct store *s);
void store_read_end(struct store *s);

/* Everything that is zero, NULL or negative means "any". */
struct store_filter {
	int64_t crawl_id;
	const char *network;
	int outcome;   /* enum outcome, or -1; of the newest visit, or of that crawl's */
	unsigned kind; /* enum netaddr_kind */
	/* Nodes of one chain: those with one of these fork hashes (EIP-2124), as they said in
	 * the newest visit in which they did, or in that of the crawl. */
	const uint8_t (*forks)[4];
	size_t forks_count; /* 0: any; STORE_FORKS_MAX at most */
};

enum { STORE_FORKS_MAX = 64 /* twice what a chain has in ten years */ };

#define STORE_FILTER_ANY ((struct store_filter){ .outcome = -1 })

/* network NULL: all. In order of their ids. */
typedef enum err store_crawl_fn(void *ctx, const struct store_crawl *crawl);
enum err store_crawls(struct store *s, const char *network, store_crawl_fn *fn, void *ctx);

struct store_peer {
	const char *network;
	int64_t crawl_id; /* the newest that knew it */
	struct netaddr addr;
	struct slice address; /* as text, without port and brackets */
	struct slice node_id; /* hex digits: a node's key, or the id of its newest run; or empty */
	struct slice public;  /* a node's as bytes: its key; else empty */
	uint16_t tcp_port;    /* of a node; 0: none, or not known */
	/* The newest visit, or that of the crawl in the filter. */
	bool visited; /* visit_at_ms .. handshake_ms hold something */
	int64_t visit_at_ms;
	enum outcome outcome;
	bool reached;
	int32_t connect_ms, handshake_ms; /* -1: not reached */
	/* What it said of itself: in the newest visit in which it did, or in that of the
	 * crawl in the filter. */
	bool has_version;
	struct slice agent;
	int64_t protocol, height;
	uint64_t services;
	int64_t first_seen_ms, last_seen_ms;
	int64_t last_reached_ms; /* -1: never */
	uint64_t visits, reached_count;
	bool has_claim; /* somebody named it: */
	uint64_t claimed_services;
	int64_t claimed_seen_s;
	bool has_node; /* the rest holds something */
	/* What it said last of each, or in the visit of that crawl; without faults if it is
	 * not of one visit. */
	struct node_info node;
	int64_t first_reached_ms; /* -1: never */
};

typedef enum err store_peer_fn(void *ctx, const struct store_peer *peer);
enum err store_peers(struct store *s, const struct store_filter *filter, store_peer_fn *fn,
		     void *ctx);

struct store_visit {
	const char *network;
	int64_t crawl_id;
	struct record record; /* with node, where the visit was that of a node */
	uint16_t tcp_port;    /* of a node: of that visit, or else of the newest; 0: not known */
};

typedef enum err store_visit_fn(void *ctx, const struct store_visit *visit);
enum err store_visits(struct store *s, const struct store_filter *filter, store_visit_fn *fn,
		      void *ctx);

/* Of one crawl what a report counts, in no order: outcome, reached, connect_ms, and whether the
 * visit was a node's; of those that were reached also the address, the other times, what the peer
 * said of itself first, and its node. The rest is as if it had not been said. Of the filter
 * crawl_id and forks count. */
enum err store_counted(struct store *s, const struct store_filter *filter, store_visit_fn *fn,
		       void *ctx);

/* Whom a crawl visited, by the numbers that its peers have in this store (the same in every
 * crawl), in ascending order. Of the filter crawl_id and forks count. */
typedef enum err store_asked_fn(void *ctx, int64_t peer, bool reached);
enum err store_asked(struct store *s, const struct store_filter *filter, store_asked_fn *fn,
		     void *ctx);

/* Where those are whom a crawl reached, in ascending order of their numbers. */
typedef enum err store_reached_fn(void *ctx, const struct netaddr *addr);
enum err store_reached(struct store *s, int64_t crawl_id, store_reached_fn *fn, void *ctx);

struct store_advert {
	const char *network;
	int64_t crawl_id, at_ms;
	struct advert from;       /* addr, node_id and tcp_port */
	int64_t from_id, peer_id; /* numbers of both peers in this database */
	struct advert advert;
};

/* filter->outcome: of the newest visit of the peer that is named. */
typedef enum err store_advert_fn(void *ctx, const struct store_advert *advert);
enum err store_adverts(struct store *s, const struct store_filter *filter, store_advert_fn *fn,
		       void *ctx);

/* Somebody on either side of those adverts. */
struct store_advert_peer {
	const char *network;
	int64_t id;
	struct advert peer; /* addr, node_id and tcp_port */
	/* The newest visit, or that of the crawl in the filter. */
	bool visited;
	enum outcome outcome;
	struct slice agent; /* what it said last, or in that crawl; empty: nothing */
};

/* Each once, in order of their ids, which SQLite holds in memory. */
typedef enum err store_advert_peer_fn(void *ctx, const struct store_advert_peer *peer);
enum err store_advert_peers(struct store *s, const struct store_filter *filter,
			    store_advert_peer_fn *fn, void *ctx);

/* One side of a change: what a crawl learnt of a peer. */
struct store_change_side {
	bool visited; /* outcome and reached hold something */
	enum outcome outcome;
	bool reached;
	bool has_version; /* protocol and services hold something, and agent, if it is not empty */
	struct slice agent;
	int64_t protocol;
	uint64_t services;
	bool has_record_seq, has_fork; /* of a node */
	uint64_t record_seq;
	uint8_t fork_hash[4];
};

/* A peer that one or both of two crawls reached. */
struct store_change {
	int64_t id; /* the peer's number in this database */
	struct netaddr addr;
	struct slice public; /* a node's key; else empty */
	uint16_t tcp_port;   /* of a node; 0: not known */
	struct store_change_side was, is;
	bool back; /* crawl a did not reach it, b did, and an earlier one than b had, too */
};

/* From crawl a to crawl b, which are of one network; in order of the peers' ids. */
typedef enum err store_change_fn(void *ctx, const struct store_change *change);
enum err store_changes(struct store *s, int64_t a, int64_t b, store_change_fn *fn, void *ctx);
/* Of that one peer alone. */
enum err store_change_of(struct store *s, int64_t a, int64_t b, int64_t id, store_change_fn *fn,
			 void *ctx);

enum store_difference {
	STORE_WENT, /* a reached it, and b did not */
	STORE_CAME, /* b reached it, and nobody before */
	STORE_BACK, /* b reached it, a did not, and an earlier one than b had */
	STORE_SAID, /* both reached it, and it may have said something else (store_change_of) */
};

/* The numbers of the peers among them that are not the same in both, in their order: several times
 * as fast, where most are the same. ERR_NOMEM, too. */
typedef enum err store_difference_fn(void *ctx, int64_t id, enum store_difference what);
enum err store_differences(struct store *s, int64_t a, int64_t b, store_difference_fn *fn,
			   void *ctx);

#endif
