/* options.h: from the command line, the environment and a configuration file to the
 * options struct of a subcommand.
 *
 * Everything is made from rows (struct option_row, cli.h). Each layer overrides the
 * one below: default, configuration file, environment, command line. A list given in
 * one layer replaces the list of the layers below. */
#ifndef PEERWALK_CLI_OPTIONS_H
#define PEERWALK_CLI_OPTIONS_H

#include "cli/cli.h"

/* What every subcommand understands. */
struct global_options {
	bool help, version, json, quiet, no_sandbox;
	unsigned verbose;
	const char *config;
};

extern const struct option_row global_options[]; /* ends with a row without a name */

enum {
	OPTIONS_ENV_MAX = 96,      /* bytes of the name of an environment variable */
	OPTIONS_EXPECTED_MAX = 256 /* bytes of "a time such as ..." */
};

/* One use of an option. */
struct option_given {
	size_t row;       /* number of the row: the global ones first, then the command's */
	const char *text; /* NULL: a flag without a value */
};

struct options {
	const struct cli *cli;
	const struct command *command; /* NULL: only global options */
	struct global_options globals;
	void *values; /* the command's options struct; NULL if it has none */
	char **args;  /* positional arguments; they live in argv */
	unsigned args_count;
	/* private */
	size_t rows_count;
	unsigned char *layers; /* per row: the layer that has set it */
	struct option_given *given;
	size_t given_count;
	char **kept; /* copies of text from the configuration file and the environment */
	size_t kept_count;
};

/* Fills everything. argv[0] is skipped. On a wrong command line prints why and
 * returns EXIT_USAGE, else EXIT_DONE; a configuration file that can't be read is
 * EXIT_FAILED. Options after --help or --version are not looked at, and both end the
 * reading: globals say which. Call options_clear in every case. */
int options_read(struct options *o, const struct cli *cli, const struct command *command, int argc,
		 char **argv);
void options_clear(struct options *o);

/* True for types that stand alone on the command line, without a value. */
bool option_is_flag(const struct option_row *row);
/* The environment variable of an option, "PEERWALK_MAX_PEERS". */
void option_env_name(const struct option_row *row, char out[static OPTIONS_ENV_MAX]);
/* What a value has to look like: "a time such as 250ms, 5s or 10m". */
void option_expected(const struct option_row *row, char out[static OPTIONS_EXPECTED_MAX]);
/* --help and --version are for the command line alone. */
bool option_has_env(const struct option_row *row);

#endif
