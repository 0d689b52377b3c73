/* report_gather.h: what report.c counts while it walks over the visits. Private to report*.c. */
#ifndef PEERWALK_REPORT_REPORT_GATHER_H
#define PEERWALK_REPORT_REPORT_GATHER_H

#include "report/report.h"
#include "report/tally.h"

enum {
	/* Times are counted by the millisecond up to here; no visit takes longer. */
	TIME_SLOTS = 1 << 17,
	LABEL_MAX = 4 * TALLY_KEY_MAX + 1,
};

struct times {
	uint32_t slots[TIME_SLOTS];
	uint64_t count;
};

struct gather {
	struct report *report;
	const struct report_options *options;
	struct tally tallies[REPORT_TABLES]; /* all but OUTCOMES, KINDS, SERVICE_BITS */
	uint64_t outcomes[OUTCOME_COUNT];
	uint64_t kinds[NETADDR_CJDNS + 1];
	uint64_t bits[64];
	uint64_t hellos;      /* nodes whose Hello has come */
	struct times *times;  /* REPORT_TIMES of them */
	struct times *counts; /* REPORT_COUNTS of them: numbers instead of milliseconds */
};

void gather_time(struct times *t, int32_t ms);
/* The smallest value that at least that share of the values don't exceed. */
uint32_t gather_quantile(const struct times *t, unsigned percent);
/* ERR_NOMEM. label and value are copied; value may be NULL. */
enum err gather_row(struct report_table *t, const char *label, const char *value, uint64_t count);
enum err gather_number_row(struct report_table *t, const char *label, int64_t number,
			   uint64_t count);
/* A row for each of the most frequent in the tally; ERR_NOMEM. */
typedef enum err gather_row_fn(const struct gather *g, struct report_table *t,
			       const struct tally_entry *e);
enum err gather_tally(struct gather *g, enum report_table_id id, gather_row_fn *row);

/* report_past.c: the crawls before this one. */
enum err gather_past(struct gather *g, struct store *s);

/* report_places.c: where a peer that was reached is; and the tables of that. */
void gather_place(struct gather *g, const struct netaddr *addr);
enum err gather_fill_places(struct gather *g);

/* report_nodes.c: a visit of a node that was reached; and all tables of nodes. */
void gather_node(struct gather *g, const struct record *r);
enum err gather_fill_nodes(struct gather *g);

#endif
