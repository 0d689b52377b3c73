/* crawl.h: a whole crawl as decisions: whom to dial next, when, and when it is over.
 *
 * No I/O, no clock, no randomness of its own: the seed is an argument. A driver (on
 * sockets, or on virtual time) asks crawl_next and carries out what it says, tells
 * crawl_add whom a peer named and crawl_finish how each visit ended.
 * Not thread-safe: loops that share a crawl hold a lock around each call.
 *
 * The rules, each with its cap:
 *   - every address is visited once; a connect timeout, or no way there (of a node over UDP also a
 *     handshake timeout), is tried once more, when no first try waits; how long either try may take
 * is learned (engine/patience.h);
 *   - at most one visit at a time to one IP, per_group to one /16 (IPv4) or /32 (IPv6);
 *   - non-routable, own and excluded addresses are never dialled, seeds included;
 *   - of those that earlier rounds knew (crawl_add_watched) those alone are dialled that are due;
 *   - new addresses taken from one peer are capped, the excess is counted.
 *
 * Where peers have keys (config.nodes), "address" means a key at an address, as in nodeset.h:
 * every such pair is visited once. */
#ifndef PEERWALK_ENGINE_CRAWL_H
#define PEERWALK_ENGINE_CRAWL_H

#include "base/hash.h"
#include "base/nodeset.h"
#include "engine/patience.h"
#include "engine/record.h"
#include "proto/proto.h"

struct crawl;

enum {
	CRAWL_PER_GROUP = 16,
	/* Bitcoin Core names at most 1,000; twice that leaves room for announcements. */
	CRAWL_NEW_PER_PEER = 2000,
	/* 16 million addresses: 250 MB of memory, a hundred times the known network. */
	CRAWL_KNOWN_MAX = 16 * 1000 * 1000,
	/* The same for nodes: a whole discv4 table holds 272 of them, and two million take 230 MB
	 * at most: fifty times those that Ethereum's tables are known to name, the dead
	 * included. */
	CRAWL_NEW_PER_NODE = 544,
	/* A visit over UDP is a packet a round trip: no burden to a network. */
	CRAWL_NODES_PER_GROUP = 64,
	CRAWL_NODES_MAX = 2 * 1000 * 1000,
};

struct crawl_config {
	bool nodes;                      /* peers have keys: adverts come with node_id */
	uint32_t concurrency;            /* visits at a time, all loops together; > 0 */
	double rate_per_s;               /* visits begun a second; 0: no limit */
	uint64_t max_visits;             /* 0: no limit */
	uint64_t duration_ms;            /* begin no visit later than this; 0: no limit */
	bool allow_private;              /* dial private and loopback addresses too */
	uint32_t per_group;              /* 0: CRAWL_PER_GROUP, or CRAWL_NODES_PER_GROUP */
	uint32_t new_per_peer;           /* 0: CRAWL_NEW_PER_PEER, or CRAWL_NEW_PER_NODE */
	uint32_t known_max;              /* 0: CRAWL_KNOWN_MAX, or CRAWL_NODES_MAX */
	struct patience_config patience; /* how long a visit waits; zeroes: nothing is learned */
	const struct cidr *exclude;      /* outlives the crawl */
	size_t exclude_count;
	struct hash_key key; /* random: keeps peers from choosing colliding addresses */
};

enum crawl_action {
	CRAWL_DIAL,
	CRAWL_WAIT, /* until a visit ends, or until wait_until_ms, whichever is first */
	CRAWL_DONE,
};

struct crawl_dial {
	uint32_t id;
	struct netaddr addr;
	uint8_t attempt;      /* 1, or 2 for the late retry */
	struct slice node_id; /* nodes: whom to expect there; borrows from the crawl for good */
	uint16_t tcp_port;    /* nodes: 0: not known */
	/* How long it may take to connect (nodes: to answer a PING) and to answer; 0: as long as
	 * whoever visits waits anyway. */
	struct patience_wait wait;
	bool hasty;     /* that is less than the whole time; */
	bool was_hasty; /* the second try: so was the first, or it may have been */
};

enum crawl_verdict {
	CRAWL_NEW, /* will be dialled */
	CRAWL_KNOWN,
	CRAWL_AGAIN, /* known from an earlier round, and named for the first time in this one */
	CRAWL_NEW_NO_DIAL, /* new, but of a network we can't dial (Tor, I2P, CJDNS) */
	CRAWL_NOT_ROUTABLE,
	CRAWL_EXCLUDED,
	CRAWL_CUT, /* over a cap */
};

struct crawl_stats {
	uint64_t known;   /* addresses, seeds included, dialable or not */
	uint64_t no_dial; /* of these, not dialable */
	uint64_t resting; /* of these, not due in this round */
	uint64_t visited; /* addresses with a final outcome */
	uint64_t waiting; /* not begun yet, late retries included */
	uint32_t in_flight;
	uint64_t begun; /* dials handed out, retries included */
	uint64_t reached;
	uint64_t adverts, not_routable, excluded, cut;
	/* Addresses that were left out, and visits that were cut short, for want of memory: without
	 * crawl_stop nobody else cancels any. */
	uint64_t no_memory;
	uint64_t outcomes[OUTCOME_COUNT];
	struct patience_wait wait; /* what is learned by now */
	uint64_t bytes;            /* memory of the crawl */
};

/* ERR_NOMEM. */
enum err crawl_new(const struct crawl_config *config, uint64_t now_ms, struct crawl **out);
void crawl_free(struct crawl *c);

enum crawl_action crawl_next(struct crawl *c, uint64_t now_ms, struct crawl_dial *out,
			     uint64_t *wait_until_ms);

/* A seed, or a peer of an earlier run; never capped by new_per_peer. Of the advert count
 * addr and, for nodes, node_id (else CRAWL_NOT_ROUTABLE) and tcp_port. */
enum crawl_verdict crawl_add(struct crawl *c, const struct advert *peer);
/* Addresses named by one peer in one message; taken counts what this peer has added
 * so far (start at 0). verdicts has room for count. Returns how many were cut. */
uint32_t crawl_add_named(struct crawl *c, const struct advert *adverts, size_t count,
			 uint32_t *taken, enum crawl_verdict *verdicts);
/* Reads on in an ADVERTS event, as the protocol's adverts() does, but passes over (and
 * counts) those who are known for sure: the rest is for crawl_add_named. cap adverts at
 * most; 0 at the end of the event. */
size_t crawl_read_named(struct crawl *c, const struct proto *proto, struct session_event *event,
			struct advert *out, size_t cap);
/* The parts of it, for threads that share a crawl. The key never changes, so that hashes are made
 * without the lock; of addresses that were glanced at (the protocol's glance()), those that are
 * not known for sure are kept, and the others counted. Returns how many are kept. */
const struct glance_key *crawl_glance_key(const struct crawl *c);
size_t crawl_pass_known(struct crawl *c, struct glance *named, size_t count);
/* Resume: this address was visited before the interruption. What is worth a
 * second try, and had one, goes to the late retries. */
void crawl_add_visited(struct crawl *c, const struct advert *peer, enum outcome outcome,
		       bool reached, uint8_t tries);
/* A peer of earlier rounds: dialled if it is due, else it rests. When somebody names it, it is
 * CRAWL_AGAIN, once. Nothing is done about those that are known already. */
void crawl_add_watched(struct crawl *c, const struct advert *peer, bool due);
/* Of these, those that nobody has named yet. */
uint32_t crawl_unnamed(const struct crawl *c);
/* An address of our own: never dialled from now on. Nothing to do for nodes, which are known
 * by their keys. */
void crawl_add_own(struct crawl *c, const struct netaddr *addr);

/* What a visit tells of how long peers take to answer: its record, before crawl_finish. */
void crawl_learn(struct crawl *c, const struct record *record);
/* How the visit handed out as `id` ended. Returns false if it will be tried again
 * later in this crawl (then this outcome is not final). One that was cancelled is no visit: the
 * address counts as waiting, and is left for a later run. */
bool crawl_finish(struct crawl *c, uint32_t id, enum outcome outcome, bool reached);

/* The machine could not even begin that visit (no descriptor, no local port): the
 * address waits again, as if it had not been handed out. */
void crawl_give_back(struct crawl *c, uint32_t id);

/* From now on begin nothing new (Ctrl-C): what is in flight may end. */
void crawl_stop(struct crawl *c);

void crawl_stats(const struct crawl *c, struct crawl_stats *out);

#endif
