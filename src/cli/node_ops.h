/* node_ops.h: what an operator has of `peerwalk node`: its status over a Unix socket (io/status.h;
 * `peerwalk status` asks), and what systemd is told (io/notify.h). */
#ifndef PEERWALK_CLI_NODE_OPS_H
#define PEERWALK_CLI_NODE_OPS_H

#include "io/status.h"

#include <jansson.h>

struct node_metrics;
struct node_run;

struct node_ops {
	struct status *status;        /* NULL: nobody may ask */
	struct node_metrics *metrics; /* NULL: not served */
	uv_timer_t beat;              /* tells systemd that all goes on */
	int64_t started_at_ms;        /* wall clock */
	uint64_t started_ns;          /* uv_hrtime */
};

/* Before the node begins. False, after saying why: its socket can't be made. */
bool node_ops_start(struct node_run *run);
/* It is up. */
void node_ops_ready(struct node_run *run);
/* It takes leave; the loop has to run once more. */
void node_ops_stop(struct node_run *run);

/* How it is doing, as `peerwalk status` prints it. NULL: out of memory. */
json_t *node_ops_status(struct node_run *run);

/* "/run/peerwalk/NETWORK/status", where the unit that comes with peerwalk has it. False: it is
 * too long. */
bool node_ops_path(const char *network, char out[static STATUS_WHY_MAX]);

#endif
