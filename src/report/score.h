/* score.h: a crawl of a simulated network, held against the truth.
 *
 * The truth is the CSV that `simulate --truth` writes. What counts:
 *   recall      of the peers that the truth says can be reached: those recorded reached
 *   precision   of those recorded reached: those of a kind that completes a handshake
 *   false ok    recorded `ok` or `no_peers` though such a kind never gets that far
 * None of Bitcoin's liars may end as ok. Those of Ethereum that prove their address may: what
 * they lie about comes beside a right answer, or can't be told from one.
 *
 * Who is who: of Ethereum the key (in the truth's column `peer`, an enode URL), at its address
 * and UDP port. A right answer by another key, or from elsewhere, finds nobody. */
#ifndef PEERWALK_REPORT_SCORE_H
#define PEERWALK_REPORT_SCORE_H

#include "base/hash.h"
#include "store/query.h"

#include <jansson.h>

enum {
	SCORE_KINDS_MAX = 32,
	SCORE_KIND_NAME_MAX = 32,
	SCORE_TABLES_MAX = 4, /* drained, partial, timed_out; the rest is put together */
};

struct score_kind {
	char name[SCORE_KIND_NAME_MAX];
	bool may_reach, may_be_ok;
	uint64_t peers, reachable, reached, unvisited;
	uint64_t outcomes[OUTCOME_COUNT];
};

/* A row of the truth, and what the crawl made of it. */
struct score_peer {
	struct netaddr addr;
	uint8_t node_id[PEER_NODE_ID_MAX];
	uint8_t node_id_len; /* 0 where the network has none */
	char *peer;          /* the URL of one that has; NULL otherwise */
	char *agent;         /* as in the truth, quotes undone */
	uint8_t kind;        /* index into kinds */
	bool reachable;
	bool visited, reached, agent_differs;
	enum outcome outcome;
};

struct score {
	struct store_crawl crawl;
	struct score_peer *peers;
	size_t count, cap;
	struct score_kind kinds[SCORE_KINDS_MAX];
	size_t kinds_count;
	uint32_t *slots; /* hash table over peers: index + 1 */
	size_t slots_count;
	struct hash_key key;
	uint64_t reachable, found;             /* recall = found / reachable */
	uint64_t reached, reached_right;       /* precision = reached_right / reached */
	uint64_t false_reached, false_ok;      /* of known kinds that can't be */
	uint64_t strangers, strangers_reached; /* visited, but not in the truth */
	uint64_t agents_differ;
	/* How completely the tables of nodes were listed, by the crawl's own account. */
	struct {
		char name[SCORE_KIND_NAME_MAX];
		uint64_t count;
	} tables[SCORE_TABLES_MAX];
	size_t tables_count;
	uint64_t truth_line; /* where the truth could not be read */
};

struct score_options {
	int64_t crawl_id;    /* 0: the newest */
	const char *network; /* NULL: any */
	struct hash_key key; /* random */
};

/* ERR_SYNTAX with truth_line: the truth is not what simulate writes; store errors, told
 * by store_why; ERR_NOMEM. Clear the score in any case. */
enum err score_run(struct store *s, struct slice truth, const struct score_options *options,
		   struct score *out);
void score_clear(struct score *score);
/* 1 if there was nothing to find. */
double score_recall(const struct score *score);
double score_precision(const struct score *score);
/* Reachable peers that were not reached: the next at or after *at, or NULL. */
const struct score_peer *score_missing(const struct score *score, size_t *at);
/* missing_max: how many missing peers are listed. NULL: out of memory. */
json_t *score_json(const struct score *score, size_t missing_max);

#endif
