/* agent.h: our user agent, with whom to write to about us. */
#ifndef PEERWALK_CLI_AGENT_H
#define PEERWALK_CLI_AGENT_H

#include "cli/cli.h"

/* contact: of --contact; NULL or empty: nobody. In the form that is usual on that network: BIP
 * 14's, or that of Ethereum's clients. Prints what is wrong, and returns an exit status. */
int agent_make(const struct cli *cli, const struct network *network, const char *contact,
	       char out[static PEER_AGENT_MAX]);

#endif
