/* metrics.h: numbers in the text format that Prometheus reads (0.0.4), and a server that shows
 * nothing but them (`crawl --every --metrics ADDR`, `node --metrics ADDR`). */
#ifndef PEERWALK_WEB_METRICS_H
#define PEERWALK_WEB_METRICS_H

#include "web/http.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Begins a metric: its HELP and TYPE ("counter", "gauge"). */
void metrics_begin(struct text *out, const char *name, const char *type, const char *help);
/* One value of it. label NULL: none. value of a label: a stranger's bytes, escaped here. */
void metrics_value(struct text *out, const char *name, const char *label, struct slice label_value,
		   double value);

/* The same with several labels; the last one has no name. */
struct metrics_label {
	const char *name;
	struct slice value;
};
void metrics_values(struct text *out, const char *name, const struct metrics_label *labels,
		    double value);

/* Makes the whole text; on one of the server's threads, and several at once. */
typedef void metrics_fn(void *ctx, struct text *out);
/* http_start with /metrics and /healthz. The same errors. */
enum err metrics_serve(const char *listen, const char *token, metrics_fn *fn, void *ctx,
		       struct http **out, char why[static HTTP_WHY_MAX]);

/* process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds,
 * process_start_time_seconds, peerwalk_build_info. */
void metrics_process(struct text *out);

#endif
