/* confine_needs.h: what each subcommand still needs once its command line is read. */
#ifndef PEERWALK_CLI_CONFINE_NEEDS_H
#define PEERWALK_CLI_CONFINE_NEEDS_H

#include "cli/options.h"

/* Confines the process (confine.h) to what this command line needs, unless --no-sandbox is given or
 * the subcommand meets no strangers; cli->confined tells. Before there is a thread. */
void confine_command(struct cli *cli, const struct options *o);

#endif
