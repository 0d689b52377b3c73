/* peer_arg.h: a peer as an argument (api/peer_arg.h says how it is written). */
#ifndef PEERWALK_CLI_PEER_ARG_H
#define PEERWALK_CLI_PEER_ARG_H

#include "api/peer_arg.h"
#include "cli/cli.h"

/* peer_arg_parse for a command line: prints the sentence, returns an exit status. */
int peer_arg_read(const struct cli *cli, const char *text, const struct network *network,
		  bool any_network, struct peer_arg *out);

#endif
