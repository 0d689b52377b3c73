/* node_metrics.h: `peerwalk node --metrics`: what `peerwalk status` tells, for Prometheus. */
#ifndef PEERWALK_CLI_NODE_METRICS_H
#define PEERWALK_CLI_NODE_METRICS_H

#include <stdbool.h>

struct node_run;
struct node_metrics;

/* Serves it, if it is asked for; *out is NULL if it isn't. False, after saying why. */
bool node_metrics_start(struct node_run *run, struct node_metrics **out);
/* Frees itself when the loop has run once more. Takes NULL. */
void node_metrics_stop(struct node_metrics *m);

#endif
