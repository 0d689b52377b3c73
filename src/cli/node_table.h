/* node_table.h: everybody in the table of one Ethereum node, as peers prints it.
 *
 * The table is asked for bucket by bucket (proto/ethereum/drain.h), and how completely it was
 * listed is said on stderr: the result is worth as much. */
#ifndef PEERWALK_CLI_NODE_TABLE_H
#define PEERWALK_CLI_NODE_TABLE_H

#include "cli/peer_arg.h"
#include "cli/visit_args.h"

struct node_table_options {
	const struct visit_args *visit;
	const char *key; /* a file; NULL: a key for this run */
	bool long_form;
};

/* Prints one URL a line, each once, as they are named; with --long or --json those that are not
 * to be believed, too. An exit status. */
int node_table_run(const struct cli *cli, const struct peer_arg *peer,
		   const struct node_table_options *options);

#endif
