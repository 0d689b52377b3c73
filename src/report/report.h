/* report.h: what one crawl found, as tables: who is out there, and how fast they answer.
 *
 * report_gather walks once over the crawl's visits, or reads what report_keep has kept of that walk
 * at the crawl's end; the result stands on its own. Text in it that came from peers is escaped
 * already (base/text.h). */
#ifndef PEERWALK_REPORT_REPORT_H
#define PEERWALK_REPORT_REPORT_H

#include "base/hash.h"
#include "geo/geo.h"
#include "store/query.h"

#include <jansson.h>

/* X(symbol, JSON key, title, what is counted) */
#define REPORT_TABLE_LIST(X)                                                  \
	X(OUTCOMES, "outcomes", "outcome", "visits")                          \
	X(KINDS, "kinds", "network", "reached")                               \
	X(AGENTS, "agents", "user agent", "reached")                          \
	X(PROTOCOLS, "protocols", "protocol version", "reached")              \
	X(SERVICES, "services", "services", "reached")                        \
	X(SERVICE_BITS, "service_bits", "service", "reached")                 \
	X(PORTS, "ports", "port", "reached")                                  \
	X(HEIGHTS, "heights", "height", "reached")                            \
	/* Of those whose place is known. */                                  \
	X(COUNTRIES, "countries", "country", "reached")                       \
	X(ASNS, "asns", "autonomous system", "reached")                       \
	/* Of nodes alone: */                                                 \
	X(COMPLETENESS, "completeness", "table", "asked for their tables")    \
	X(SESSIONS, "sessions", "session", "called")                          \
	X(CLIENTS, "clients", "client", "said Hello")                         \
	X(CLIENT_VERSIONS, "client_versions", "client version", "said Hello") \
	X(CAPABILITIES, "capabilities", "capability", "said Hello")           \
	X(NETWORKS, "networks", "network id", "said their Status")            \
	X(FORKS, "forks", "fork", "said a fork id")

enum report_table_id {
#define REPORT_TABLE_ENUM(symbol, key, title, of) REPORT_##symbol,
	REPORT_TABLE_LIST(REPORT_TABLE_ENUM)
#undef REPORT_TABLE_ENUM
		REPORT_TABLES,
	REPORT_NODE_TABLES = REPORT_COMPLETENESS, /* from here on they are of nodes */
};

struct report_row {
	char *label; /* for people; harmless */
	char *value; /* for programs, where it is not the label; NULL otherwise */
	bool is_number;
	int64_t number; /* the value itself, where it is one */
	uint64_t count;
};

/* The most frequent first (heights: the highest first). */
struct report_table {
	const char *key, *title, *of;
	struct report_row *rows;
	size_t count;
	size_t distinct; /* different values, those without a row included */
	uint64_t total;  /* what a share is a share of */
	uint64_t others; /* counted, but without a row of their own */
};

enum report_time_id {
	REPORT_CONNECT,
	REPORT_HANDSHAKE,
	REPORT_REPLY,
	REPORT_TOTAL, /* of reached peers: the others' is the time limit */
	REPORT_TIMES,
};

/* How times are spread: bin i has those of up to report_bins_ms[i] that the bin before does not
 * have; the last one has all that are longer. */
enum { REPORT_BINS = 12 };
extern const uint32_t report_bins_ms[REPORT_BINS];

struct report_times {
	const char *key, *title;
	uint64_t count;
	uint32_t median_ms, p90_ms; /* 0 if the count is 0 */
	uint64_t bins[REPORT_BINS];
};

enum report_count_id {
	REPORT_ENTRIES,   /* nodes in a table that was listed, at least in part */
	REPORT_FINDNODES, /* questions for that */
	REPORT_COUNTS,
};

struct report_counts {
	const char *key, *title;
	uint64_t count;
	uint32_t median, p90; /* 0 if the count is 0 */
};

/* The share of the time in which peers that are watched were up, of those that were ever reached:
 * bin i has those up to (i + 1) tenths, and above i tenths; the first one has those never up. */
enum { REPORT_UPTIMES = 3, REPORT_UPTIME_BINS = 10 };
struct report_uptime {
	const char *key; /* the window: "1d", "7d", "30d" */
	uint64_t count;
	uint64_t bins[REPORT_UPTIME_BINS];
};

enum {
	/* A year of weekly crawls. Of those without a kept report each costs a walk over its
	 * visits. */
	REPORT_PAST_MAX = 52,
	/* More, and the lines of a chart can't be told apart, nor an answer be read. */
	REPORT_TREND_MAX = 50,
};

/* One of several crawls of the same network. */
struct report_past {
	int64_t crawl_id, started_at_ms, ended_at_ms; /* ended: 0 while running or interrupted */
	bool complete;
	bool has_known; /* its sums were written, and are of everybody */
	uint64_t known, visited, reached;
	/* Against the crawl before it. Came: reached, and not before; went: the reverse. Where one
	 * crawl has not visited a peer at all, it counts only if that crawl was complete: who was
	 * not asked may well be there. */
	bool has_before;
	uint64_t came, went;
	/* Of the trend's values, where the crawl's report was kept, and has a row for it. */
	bool has_value[REPORT_TREND_MAX];
	uint64_t values[REPORT_TREND_MAX];
};

/* The most frequent values of a table in the newest of several crawls. */
struct report_trend {
	enum report_table_id table;
	struct report_row rows[REPORT_TREND_MAX];
	size_t count; /* 0: of none of the crawls a report was kept */
};

struct report {
	struct store_crawl crawl;
	uint64_t visited, reached;
	struct report_table tables[REPORT_TABLES];
	struct report_times times[REPORT_TIMES];
	bool has_tip;
	int64_t tip;    /* the median of the heights told */
	bool has_nodes; /* the peers are nodes of discovery (Ethereum): */
	struct report_counts counts[REPORT_COUNTS];
	bool has_uptime; /* a round of watching, and its report is kept, or nothing came after: */
	struct report_uptime uptime[REPORT_UPTIMES];
	/* Against the crawl before this one (its id; 0: none, or not known). */
	int64_t before_id;
	uint64_t came, went;
	/* The network's crawls up to this one, the oldest first, evenly chosen where there are more
	 * than REPORT_PAST_MAX; none unless asked for. */
	struct report_past *past;
	size_t past_count;
	struct report_trend trend; /* user agents; of nodes, clients */
};

struct report_options {
	int64_t crawl_id;      /* 0: the newest */
	const char *network;   /* ... of that network; NULL: of any */
	size_t top;            /* rows a table; 0: all */
	bool history;          /* look at the crawls before it, too */
	struct hash_key key;   /* random */
	const struct geo *geo; /* NULL: no places */
	/* The name of a service bit of that network, or NULL; may be NULL itself. */
	const char *(*service_name)(const char *network, unsigned bit);
	/* What is known of a fork hash (at that time) or a network id, to stand behind it:
	 * "mainnet". May write nothing; may be NULL. */
	void (*fork_text)(const uint8_t hash[4], int64_t unix_ms, char *out, size_t cap);
	void (*network_text)(uint64_t network_id, char *out, size_t cap);
	/* Only nodes with one of these fork hashes; forks_count 0: everybody. */
	const uint8_t (*forks)[4];
	size_t forks_count;
};

/* ERR_NOT_FOUND: no such crawl; other errors of the store, told by store_why; ERR_NOMEM.
 * Clear the report in any case. */
enum err report_gather(struct store *s, const struct report_options *options, struct report *out);
void report_clear(struct report *r);
/* To be called when the crawl options->crawl_id has ended: the store keeps its report, so that
 * nobody has to walk over its visits again, and what came and went against the crawl before it. Of
 * the options the key counts, and where peers are, if that is known. Errors of the store;
 * ERR_NOMEM. */
enum err report_keep(struct store *s, const struct report_options *options);

/* Crawls of options->network that have ended and had begun between those times (0: any), the
 * oldest first, at most limit of them, evenly chosen; with the options->top most frequent values
 * (0: eight) of that table ("agents"; NULL: none) in the newest of them. Of kept reports alone, in
 * the form of /api/v1/history (docs/api.md). ERR_VALUE: no such table; errors of the store;
 * ERR_NOMEM. json_decref it. */
enum err report_series(struct store *s, const struct report_options *options, int64_t from_ms,
		       int64_t to_ms, size_t limit, const char *table, json_t **out);

/* The same numbers. NULL: out of memory. */
json_t *report_json(const struct report *r);
/* A crawl as an object. NULL: out of memory. */
json_t *report_crawl_json(const struct store_crawl *c);

#endif
