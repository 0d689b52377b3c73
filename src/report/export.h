/* export.h: everything that the store holds, as files for other programs.
 *
 * What can be exported is a row of columns, a format is one function that writes a row
 * of cells: each knows nothing of the other. Rows are written as they are read, so that
 * a million of them need no more memory than one. */
#ifndef PEERWALK_REPORT_EXPORT_H
#define PEERWALK_REPORT_EXPORT_H

#include "base/text.h"
#include "geo/geo.h"
#include "store/query.h"

enum export_kind {
	EXPORT_NONE,     /* nothing there: an empty field, null */
	EXPORT_INT,      /* number */
	EXPORT_UINT,     /* unumber */
	EXPORT_BOOL,     /* number, 0 or 1 */
	EXPORT_TIME,     /* number, milliseconds since 1970; ISO 8601 in whole seconds */
	EXPORT_TIME_MS,  /* the same with milliseconds */
	EXPORT_PLAIN,    /* text of ours: needs no escaping */
	EXPORT_STRANGER, /* text, any bytes */
};

struct export_cell {
	enum export_kind kind;
	union {
		int64_t number;
		uint64_t unumber;
		struct slice text;
	};
};

enum export_step {
	EXPORT_HEAD, /* before the first row */
	EXPORT_ROW,
	EXPORT_TAIL, /* after the last */
};

/* Appends to out. row counts from 0; in the HEAD and the TAIL cells is NULL and row the
 * number of rows written so far. */
typedef void export_format_fn(struct text *out, enum export_step step, uint64_t row,
			      const char *const *names, const struct export_cell *cells,
			      size_t count);

/* Takes finished output; an error ends the export. */
typedef enum err export_sink_fn(void *ctx, struct slice data);

/* Who is good enough to be told to others. */
struct export_rules {
	int64_t now_ms;      /* the wall clock, since 1970 */
	uint64_t max_age_ms; /* of the newest visit */
	double min_uptime;   /* 0 .. 1 */
};

struct dns_zone;
struct export_names;
struct export_tree;

enum { EXPORT_NOTE_MAX = 512 };

/* What some formats need to know beside what the store holds; all zero is fine for the rest. */
struct export_options {
	const struct geo *geo; /* NULL: nothing is known of places */
	/* Of tables of peers and visits, and of bitnodes: only those in this country (two
	 * capitals) or this AS, as geo has it. "" and 0: any. */
	char country[3];
	uint32_t asn;
	const struct dns_zone *zone;      /* of zone files */
	const struct export_names *names; /* zone */
	const struct export_tree *tree;   /* enrtree */
	struct export_rules rules;
	/* Set by formats that have something to say beside the output, or why they gave up (for
	 * a reason that is not the store's): a sentence without a full stop; else empty. */
	char note[EXPORT_NOTE_MAX];
};

/* For formats that are more than rows of cells. form tells those apart that one function writes;
 * *rows counts what was written. */
typedef enum err export_run_fn(struct store *s, unsigned form, const struct store_filter *filter,
			       struct export_options *options, export_sink_fn *sink, void *sink_ctx,
			       uint64_t *rows);

struct export_format {
	const char *name, *summary;
	export_format_fn *write; /* NULL: a format of one `what` alone, which run writes */
	const char *what;
	export_run_fn *run;
	unsigned form;
};

/* End with a row without a name. */
extern const struct export_format export_formats[];
/* Words for `what`: "peers", "visits", "adverts", "book"; ends with NULL. */
extern const char *const export_whats[];

/* ERR_NOT_FOUND without store_why: no such `what` or format. ERR_NOT_FOUND with it: no
 * such crawl. ERR_VALUE: a format of another `what`. Of a book the
 * filter's network and kind count. *rows counts what was written. */
enum err export_run(struct store *s, const char *what, const char *format,
		    const struct store_filter *filter, struct export_options *options,
		    export_sink_fn *sink, void *sink_ctx, uint64_t *rows);

#endif
