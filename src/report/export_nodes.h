/* export_nodes.h: Ethereum nodes as files for other tools: those that ever answered, each once.
 *
 * A key that answered at several addresses is one node: the address of its newest visit that
 * succeeded counts, or else the one where it answered last. As the files are in order of the
 * node ids, what they hold of each node, some 400 bytes, is held in memory. */
#ifndef PEERWALK_REPORT_EXPORT_NODES_H
#define PEERWALK_REPORT_EXPORT_NODES_H

#include "report/export.h"

enum export_nodes {
	/* JSON as go-ethereum's devp2p tool reads and writes it: an object keyed by the node id,
	 * the Keccak-256 of the public key. Its score counts checks that succeeded, and is
	 * halved by one that failed; ours is the number of crawls that reached the node,
	 * halved if the newest did not. A node without a record has its enode URL. */
	EXPORT_NODES_SET,
	EXPORT_NODES_URLS,    /* an enode URL a line */
	EXPORT_NODES_RECORDS, /* a record a line; nodes without one are left out */
};

/* form: enum export_nodes. *rows counts the nodes written. ERR_NOMEM; store errors; the sink's. */
export_run_fn export_nodes_run;

/* The same nodes in the same order, for files that are made of them; of URLs or records, without
 * the line feed. An error of fn's ends it. */
struct export_node {
	struct slice text;
	bool reached;     /* by the newest visit */
	int64_t check_ms; /* newest visit */
	uint64_t visits, reached_count;
};
typedef enum err export_node_fn(void *ctx, const struct export_node *node);
enum err export_nodes_each(struct store *s, enum export_nodes form,
			   const struct store_filter *filter, export_node_fn *fn, void *ctx);

#endif
