/* report_gather.h: what the files report*.c share: what is counted on a walk over the visits, and
 * how counts become rows. Private to them. */
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

/* NULL: out of memory. */
struct gather *gather_new(const struct report_options *options, struct report *r);
void gather_free(struct gather *g);

void gather_time(struct times *t, int32_t ms);
/* The smallest value that at least that share of the values don't exceed. */
uint32_t gather_quantile(const struct times *t, unsigned percent);
/* A row for each of the most frequent in the tally; ERR_NOMEM. */
enum err gather_tally(struct gather *g, enum report_table_id id);

/* report.c: a report without rows: what its parts are called. */
void report_name_parts(struct report *r);
/* Without its rows, but of the same crawl. */
void report_empty(struct report *r);
/* The walk, for the report of r->crawl. */
enum err report_walk(struct store *s, const struct report_options *options, struct report *r);

/* report_rows.c: its rows. All copy what they are given; ERR_NOMEM. */
bool report_has_numbers(enum report_table_id id);
/* A row of a table whose values are numbers, or of any other one: value is harmless, and so is
 * label, which stands for it for people; NULL: what is known of it. */
enum err report_number_row(struct report *r, const struct report_options *o,
			   enum report_table_id id, int64_t number, const char *label,
			   uint64_t count);
enum err report_text_row(struct report *r, const struct report_options *o, enum report_table_id id,
			 const char *value, const char *label, uint64_t count);
void report_row_clear(struct report_row *row);

/* report_kept.c: the kept report of r->crawl, if that can answer what is asked; ERR_NOT_FOUND. r
 * has its names, and no rows. */
enum err report_kept_read(struct store *s, const struct report_options *options, bool whatever,
			  struct report *r);
enum { REPORT_KEPT_VERSION = 1 };
/* A kept text as a tree, with its sums and its tables; ERR_NOT_FOUND: it is none. ERR_NOMEM. */
enum err report_kept_parse(struct slice text, json_t **out);

/* report_past.c: the crawls before that of the report. */
enum err report_past_gather(struct store *s, const struct report_options *options,
			    struct report *r);
/* Only what came and went since the crawl before. */
enum err report_before_gather(struct store *s, const struct report_options *options,
			      struct report *r);
/* Crawls between those times (0: any) as r->past, at most limit of them, and their trend, of kept
 * reports alone. */
enum err report_past_series(struct store *s, const struct report_options *options, int64_t from_ms,
			    int64_t to_ms, size_t limit, struct report *r);

/* report_uptime.c */
void report_uptime_name(struct report *r);
enum err report_uptime_gather(struct store *s, struct report *r);

/* report_json.c */
json_t *report_time_json(int64_t unix_ms);
json_t *report_value_json(enum report_table_id id, const struct report_row *row);

/* report_series.c: the trend's values in one crawl; and what they are. */
json_t *report_past_values_json(const struct report *r, const struct report_past *p);
json_t *report_trend_json(const struct report *r);

/* report_places.c: where a peer that was reached is; a row of that; and a walk for that alone,
 * over peers of r->crawl that were reached. */
void gather_place(struct gather *g, const struct netaddr *addr);
enum err gather_place_row(struct gather *g, enum report_table_id id, const struct tally_entry *e);
enum err report_places_walk(struct store *s, const struct report_options *options,
			    struct report *r);

/* report_nodes.c: a visit of a node that was reached; and all tables of nodes. */
void gather_node(struct gather *g, const struct record *r);
enum err gather_fill_nodes(struct gather *g);

#endif
