/* listen_node.h: `peerwalk listen` for a node of Ethereum: we are a node of discovery that knows
 * this one, and print each packet that comes from it. */
#ifndef PEERWALK_CLI_LISTEN_NODE_H
#define PEERWALK_CLI_LISTEN_NODE_H

#include "cli/peer_arg.h"

struct listen_node_config {
	const struct cli *cli;
	const struct peer_arg *peer;
	uint64_t count, duration_ms; /* 0: no end */
	uint64_t answer_ms;          /* for its first answer */
};

/* Returns an exit status; says on stderr what went wrong. */
int listen_node(const struct listen_node_config *config);

#endif
