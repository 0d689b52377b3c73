/* diff.h: what changed between two crawls of one network: who came, who left, who stayed, and
 * what those who stayed say of themselves now.
 *
 * A peer is there if the crawl reached it. diff_gather and diff_peers each walk once over both
 * crawls, and keep nothing of a peer but the counts of user agents; between store_read_begin and
 * store_read_end they see the same. Text in the result that came from peers is escaped already
 * (base/text.h). */
#ifndef PEERWALK_REPORT_DIFF_H
#define PEERWALK_REPORT_DIFF_H

#include "base/hash.h"
#include "base/text.h"
#include "store/query.h"

#include <jansson.h>

/* X(symbol, name) */
#define DIFF_KIND_LIST(X)                                                                 \
	X(NEW, "new")   /* came: no crawl before b has reached it */                      \
	X(BACK, "back") /* came: not reached in a, but in an earlier crawl than b, too */ \
	X(LEFT, "left")                                                                   \
	X(CHANGED, "changed") /* stayed, and says something else of itself */             \
	X(SAME, "same")       /* stayed, and does not */

enum diff_kind {
#define DIFF_KIND_ENUM(symbol, name) DIFF_##symbol,
	DIFF_KIND_LIST(DIFF_KIND_ENUM)
#undef DIFF_KIND_ENUM
		DIFF_KINDS,
};

/* What one that stayed may say otherwise. X(symbol, JSON key, for people) */
#define DIFF_FIELD_LIST(X)                                  \
	X(AGENT, "agent", "another user agent")             \
	X(PROTOCOL, "protocol", "another protocol version") \
	X(SERVICES, "services", "other services")           \
	/* Of nodes: */                                     \
	X(RECORD, "record_seq", "another record")           \
	X(FORK, "fork_hash", "another fork")

enum diff_field {
#define DIFF_FIELD_ENUM(symbol, key, text) DIFF_FIELD_##symbol,
	DIFF_FIELD_LIST(DIFF_FIELD_ENUM)
#undef DIFF_FIELD_ENUM
		DIFF_FIELDS,
};

const char *diff_kind_name(enum diff_kind kind);
const char *diff_field_key(enum diff_field field);
const char *diff_field_text(enum diff_field field);
/* What that side says there, for people; escaped. */
void diff_add_value(struct text *out, enum diff_field field, const struct store_change_side *side);

enum diff_kind diff_kind(const struct store_change *c);
/* A bit for each field (1 << enum diff_field) that both sides have, and that differs: what was not
 * said once has not changed. 0 unless both were reached. */
unsigned diff_fields(const struct store_change *c);

struct diff_agent {
	char *label; /* harmless */
	uint64_t was, is;
};

struct diff {
	struct store_crawl a, b;
	uint64_t kinds[DIFF_KINDS];
	uint64_t reached_a, reached_b;
	/* How crawl b's visits of those who left ended; without a visit: unvisited. */
	uint64_t outcomes[OUTCOME_COUNT], unvisited;
	uint64_t fields[DIFF_FIELDS]; /* of those that changed */
	/* User agents whose number changed, the biggest change first. */
	struct diff_agent *agents;
	size_t agents_count;
	size_t agents_moved;         /* those without a row included */
	uint64_t agents_a, agents_b; /* peers that said theirs */
};

struct diff_options {
	struct store_crawl a, b; /* of one network */
	size_t top;              /* rows of agents; 0: all */
	struct hash_key key;     /* random */
};

/* Errors of the store; ERR_NOMEM. Clear the result in any case. */
enum err diff_gather(struct store *s, const struct diff_options *options, struct diff *out);
void diff_clear(struct diff *d);
/* The same numbers. NULL: out of memory. */
json_t *diff_json(const struct diff *d);

/* Everybody but DIFF_SAME. An error of fn ends the walk. */
typedef enum err diff_peer_fn(void *ctx, const struct store_change *c, enum diff_kind kind,
			      unsigned fields);
enum err diff_peers(struct store *s, const struct diff *d, diff_peer_fn *fn, void *ctx);
/* One of them as an object. NULL: out of memory. */
json_t *diff_peer_json(const struct diff *d, const struct store_change *c, enum diff_kind kind,
		       unsigned fields);

#endif
