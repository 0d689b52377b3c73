/* help.h: what --help prints, from the same rows as everything else. */
#ifndef PEERWALK_CLI_HELP_H
#define PEERWALK_CLI_HELP_H

#include "cli/cli.h"

#include <stdio.h>

/* The program as a whole: its subcommands and the options that all of them have. */
void help_program(FILE *out);
void help_command(FILE *out, const struct command *command);

enum { HELP_OPTION_MAX = 96 /* bytes of "-s, --seed PEER" */ };
/* "-s, --seed PEER", as help and the manual page name an option. */
void help_option_label(const struct option_row *row, char out[static HELP_OPTION_MAX]);

#endif
