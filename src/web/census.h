/* census.h: all peers of a database in memory, for questions that no index answers: any filters
 * together, sorted by anything, with counts.
 *
 * 64 bytes a peer, its address, and each different text once; a million peers are read in seconds,
 * and then kept up to date by what has changed (store_news). One thread refreshes, any may ask: a
 * question holds a read lock for as long as a pass over the table takes, a refresh holds the other
 * for some hundred rows at a time.
 *
 * Text is escaped already (base/text.h), that of the databases of places as well. */
#ifndef PEERWALK_WEB_CENSUS_H
#define PEERWALK_WEB_CENSUS_H

#include "geo/geo.h"
#include "store/watch.h"

struct census;

enum {
	/* Different user agents; what comes after counts as "others". The real networks show some
	 * thousands: the rest is invented. */
	CENSUS_AGENTS_MAX = 100 * 1000,
	CENSUS_AS_MAX = 200 * 1000, /* there are some 120,000 in use */
	/* Different places of a database of cities; later ones are known by their country alone. */
	CENSUS_PLACES_MAX = 500 * 1000,
	CENSUS_NETWORKS_MAX = 1000,            /* names; peers of later ones count as "others" */
	CENSUS_NAMES_BYTES = 16 * 1024 * 1024, /* of all user agents, and so on */
	CENSUS_PROTOCOLS_MAX = 4096,           /* different ones that are counted by themselves */
	CENSUS_MAP_PLACES_MAX = 2000,          /* more is no map any more */
	/* What store_news does not tell (a peer that is gone, one that was only named again) is
	 * seen so much later. */
	CENSUS_SWEEP_MS = 60 * 60 * 1000,
	CENSUS_VALUE_MAX = 4 * PEER_AGENT_MAX + 1,
	CENSUS_NAME_MAX = 4 * GEO_NAME_MAX + 1,
	CENSUS_CURSOR_MAX = 240,
	/* So many bytes of an agent count in its order. */
	CENSUS_AGENT_ORDER_MAX = 96,
};

/* ERR_NOMEM. geo outlives it, and may be NULL. */
enum err census_new(const struct geo *geo, struct census **out);
void census_free(struct census *c);
/* Takes what has changed since the last call; everything at first, and each CENSUS_SWEEP_MS: until
 * that is read, questions are answered from what was there before. now_ms: of a clock that is
 * steady. The store's errors; ERR_NOMEM; ERR_LIMIT: a peer's number is over 2^32. */
enum err census_refresh(struct census *c, struct store *s, int64_t now_ms);
uint64_t census_version(const struct census *c); /* grows with each change */
size_t census_bytes(const struct census *c);     /* memory held */

/* Sums of a network. reached, outcomes: of newest visits. */
struct census_network {
	char name[64];
	uint64_t peers, visited, reached;
	uint64_t outcomes[OUTCOME_COUNT];
};
/* In order of their names; cap at most. Returns how many there are. */
size_t census_networks(const struct census *c, struct census_network *out, size_t cap);

/* NULL, 0, negative or empty: any. */
struct census_filter {
	const char *network;
	/* Is in the agent, the AS's name or an IP address; or is how an onion or I2P name begins,
	 * or a node id (by 4 digits or more); or is HOST:PORT, or a peer's URL. ASCII letters
	 * match whatever their case. */
	const char *text;
	const char *agent;   /* exactly, as escaped text */
	const char *country; /* two letters; "none": of no known country */
	int64_t asn;         /* 0: any; -1: those of no known AS */
	int kind;            /* enum netaddr_kind */
	int outcome;         /* of the newest visit; -1: any */
	int visited;         /* 1: yes, 0: no, -1: any */
	int reached;         /* in the newest visit; 1, 0, -1 */
	uint64_t services;   /* has all of these bits */
	int64_t protocol;    /* -1: any */
	int64_t crawl_id;    /* the newest crawl that knew it; 0: any */
};
#define CENSUS_FILTER_ANY \
	((struct census_filter){ .outcome = -1, .visited = -1, .reached = -1, .protocol = -1 })

/* X(symbol, name). What interests comes first, what is not known last. Equals are in order of
 * their ids. */
#define CENSUS_SORT_LIST(X)                                             \
	X(SEEN, "seen")       /* last seen, the newest first */         \
	X(REACHED, "reached") /* last reached, likewise */              \
	X(UPTIME, "uptime")   /* over 7 days, the longest first */      \
	X(FIRST, "first")     /* first seen, the newest first */        \
	X(LATENCY, "latency") /* until connected, the shortest first */ \
	X(HEIGHT, "height")   /* the highest first */                   \
	X(AGENT, "agent")     /* by its bytes */                        \
	X(ADDRESS, "address") /* by kind, bytes and port */

enum census_sort {
#define CENSUS_SORT_ENUM(symbol, name) CENSUS_BY_##symbol,
	CENSUS_SORT_LIST(CENSUS_SORT_ENUM)
#undef CENSUS_SORT_ENUM
		CENSUS_SORTS,
};

/* Whether that order begins with the highest. */
bool census_sort_descends(enum census_sort sort);

struct census_page {
	enum census_sort sort;
	bool reverse;
	size_t limit;
	/* The `next` of the page before, by the same sort; NULL: the first page. A page begins
	 * behind the last peer of the one before as that stood then: who did not change meanwhile
	 * is on one page, and on one alone. */
	const char *after;
};
struct census_found {
	uint64_t total;               /* all matches, on whatever page */
	size_t count;                 /* ids on this page */
	char next[CENSUS_CURSOR_MAX]; /* "": this is the last page */
};
/* ids has room for page->limit; they are the database's (peers.id). ERR_SYNTAX: `after` is nothing
 * that a page of that sort ended with; ERR_NOMEM. */
enum err census_find(const struct census *c, const struct census_filter *filter,
		     const struct census_page *page, int64_t *ids, struct census_found *out);

enum census_facet {
	CENSUS_AGENTS,
	CENSUS_COUNTRIES,
	CENSUS_ASNS,
	CENSUS_KINDS,
	CENSUS_OUTCOMES,
	CENSUS_SERVICES, /* each bit; value: its number */
	CENSUS_PROTOCOLS,
	CENSUS_FACETS,
};
struct census_count {
	char value[CENSUS_VALUE_MAX]; /* as the filter takes it; "": it can't be asked for */
	char text[CENSUS_VALUE_MAX];  /* for people; "": nothing beyond the value */
	uint64_t count;
};
/* How the matches divide, the most frequent first, `top` at most of each. */
struct census_facets {
	uint64_t total;
	struct census_count *rows[CENSUS_FACETS];
	size_t counts[CENSUS_FACETS];
};
/* ERR_NOMEM. Clear the result in any case. */
enum err census_facets(const struct census *c, const struct census_filter *filter, size_t top,
		       struct census_facets *out);
void census_facets_clear(struct census_facets *f);

struct census_country {
	char code[3];
	char name[CENSUS_NAME_MAX];
	uint64_t count;
};
struct census_place {
	int latitude, longitude;    /* whole degrees */
	char city[CENSUS_NAME_MAX]; /* where the most of them are; "": not known */
	char country[3];            /* likewise */
	uint64_t count;
};
/* Each the most frequent first. */
struct census_map {
	struct census_country *countries;
	struct census_place *places; /* CENSUS_MAP_PLACES_MAX at most */
	size_t countries_count, places_count;
	uint64_t unknown; /* peers of no known country or place */
};
/* ERR_NOMEM. Clear the result in any case. */
enum err census_map(const struct census *c, const struct census_filter *filter,
		    struct census_map *out);
void census_map_clear(struct census_map *m);

#endif
