/* census.h: all peers of a database in memory, for questions that no index answers: any filters
 * together, sorted by anything, with counts.
 *
 * Some 64 bytes a peer, and each different text once; a million peers are read in seconds, and then
 * kept up to date by what has changed (store_news). One thread refreshes, any may ask: a question
 * holds a read lock for as long as a pass over the table takes. */
#ifndef PEERWALK_WEB_CENSUS_H
#define PEERWALK_WEB_CENSUS_H

#include "geo/geo.h"
#include "store/watch.h"

struct census;

/* ERR_NOMEM. geo outlives it, and may be NULL. */
enum err census_new(const struct geo *geo, struct census **out);
void census_free(struct census *c);
/* Takes what has changed since the last call. The store's errors; ERR_NOMEM. */
enum err census_refresh(struct census *c, struct store *s);
uint64_t census_version(const struct census *c); /* grows with each change */

enum census_sort {
	CENSUS_BY_SEEN, /* last seen, the newest first; and so on: what interests first */
	CENSUS_BY_REACHED,
	CENSUS_BY_UPTIME,
	CENSUS_BY_FIRST,
	CENSUS_BY_LATENCY, /* the shortest first */
	CENSUS_BY_HEIGHT,
	CENSUS_BY_AGENT,
	CENSUS_BY_ADDRESS,
	CENSUS_SORTS,
};

/* NULL, 0, negative or empty: any. */
struct census_filter {
	const char *network;
	const char *text;    /* is in the address, the agent, the node id or the AS's name; ASCII
				letters match whatever their case */
	const char *agent;   /* exactly, as escaped text */
	const char *country; /* two letters */
	int64_t asn;         /* 0: any; -1: those of no known AS */
	int kind;            /* enum netaddr_kind */
	int outcome;         /* of the newest visit; -1: any */
	int visited;         /* 1: yes, 0: no, -1: any */
	int reached;         /* in the newest visit; 1, 0, -1 */
	uint64_t services;   /* has all of these bits */
	int64_t protocol;    /* -1: any */
	int64_t crawl_id;    /* the newest crawl that knew it; 0: any */
};
#define CENSUS_FILTER_ANY        \
	((struct census_filter){ \
		.asn = 0, .outcome = -1, .visited = -1, .reached = -1, .protocol = -1 })

/* The row numbers of those between offset and offset + limit of the sorted matches; *total of all
 * matches. ids are those of the database (peers.id). Returns how many. ERR_NOMEM in *err. */
size_t census_find(const struct census *c, const struct census_filter *filter,
		   enum census_sort sort, bool reverse, size_t offset, size_t limit, int64_t *ids,
		   uint64_t *total, enum err *err);

enum census_facet {
	CENSUS_AGENTS,
	CENSUS_COUNTRIES,
	CENSUS_ASNS,
	CENSUS_KINDS,
	CENSUS_OUTCOMES,
	CENSUS_SERVICES, /* each bit */
	CENSUS_PROTOCOLS,
	CENSUS_FACETS,
};
struct census_count {
	char value[128]; /* as the filter takes it */
	char text[128];  /* for people */
	uint64_t count;
};
/* How the matches divide, the most frequent first; cap at most. */
size_t census_count(const struct census *c, const struct census_filter *filter,
		    enum census_facet facet, struct census_count *out, size_t cap, enum err *err);

#endif
