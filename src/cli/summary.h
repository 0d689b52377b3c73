/* summary.h: what a crawl came to, for people and for programs. */
#ifndef PEERWALK_CLI_SUMMARY_H
#define PEERWALK_CLI_SUMMARY_H

#include "cli/cli.h"
#include "io/driver.h"

#include <jansson.h>

struct summary {
	const char *network;
	const char *db; /* NULL: not kept */
	int64_t crawl;  /* number in the database */
	int64_t started_at_ms;
	uint64_t elapsed_ms;
	uint64_t connect_timeout_ms, answer_timeout_ms; /* of first tries, in the end */
	struct crawl_stats stats;
	uint64_t visited_before; /* of stats.visited: by runs that this one resumed */
	uint64_t bytes_in, bytes_out;
	uint64_t visits_ms;               /* what all visits took together */
	const struct driver_nodes *nodes; /* NULL: a network without */
	double cpu_seconds;
	uint64_t max_rss_bytes;
	bool complete; /* nobody was left to ask */
};

/* The table, or with --json the document that docs/cli.md promises, on stdout. Returns
 * an exit status. */
int summary_print(const struct cli *cli, const struct summary *s);
/* That document. NULL: out of memory. */
json_t *summary_json(const struct summary *s);

#endif
