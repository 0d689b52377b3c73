/* config.h: the settings of an INI file that concern one subcommand.
 *
 *     ; general: for every subcommand that has such an option
 *     db = /var/lib/peerwalk/bitcoin.db
 *
 *     [crawl]
 *     concurrency = 2000
 *
 * The keys are the long names of options. A key or section that nobody knows is an
 * error: a misspelt setting must not be passed over in silence. */
#ifndef PEERWALK_CLI_CONFIG_H
#define PEERWALK_CLI_CONFIG_H

#include "cli/cli.h"

/* One setting; own: from the command's own section; `where` says where it stands, for
 * errors. Returns an exit status. */
typedef int config_fn(void *ctx, bool own, const char *name, const char *value, const char *where);

/* Tells fn the general settings, then those of the command's own section, each part
 * in the order of the file. EXIT_FAILED if the file can't be read, EXIT_USAGE for
 * something wrong in it, else what fn returned first other than EXIT_DONE. */
int config_read(const struct cli *cli, const char *path, const struct command *command,
		config_fn *fn, void *ctx);

#endif
