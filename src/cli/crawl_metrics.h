/* crawl_metrics.h: `crawl --every --metrics`: how the round that runs is doing, for Prometheus.
 *
 * The crawl's thread says how things stand, the server's threads show it. */
#ifndef PEERWALK_CLI_CRAWL_METRICS_H
#define PEERWALK_CLI_CRAWL_METRICS_H

#include "engine/crawl.h"
#include "web/metrics.h"

struct crawl_metrics;

/* How things stand. Strings outlive the metrics. */
struct crawl_numbers {
	const char *network, *db;
	struct crawl_stats stats; /* of the newest round */
	uint64_t round;           /* its number; 0: none yet */
	bool running;
	int64_t started_at_ms, ended_at_ms; /* since 1970; ended: 0 while it runs */
	int64_t next_ms;                    /* when the next one begins; 0: not known yet */
	uint64_t elapsed_ms;
	uint64_t rounds, visits, bytes_in, bytes_out; /* of this process */
	uint64_t forgotten;
};

/* The errors of metrics_serve. */
enum err crawl_metrics_start(const char *listen, const char *token,
			     const struct crawl_numbers *numbers, struct crawl_metrics **out,
			     char why[static HTTP_WHY_MAX]);
const char *crawl_metrics_where(const struct crawl_metrics *m);
/* NULL is nothing, for both. */
void crawl_metrics_set(struct crawl_metrics *m, const struct crawl_numbers *numbers);
void crawl_metrics_stop(struct crawl_metrics *m);

#endif
