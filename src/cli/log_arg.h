/* log_arg.h: the log of a subcommand that runs for long: --log, --log-level, --log-format.
 *
 * Such a subcommand puts the rows below among its own, with the offset of a `struct log_arg`, and
 * calls log_arg_open before anything else: from then on cli_note, cli_debug and cli_fail write
 * there. The others log to stderr, as -q and -v say. */
#ifndef PEERWALK_CLI_LOG_ARG_H
#define PEERWALK_CLI_LOG_ARG_H

#include "cli/cli.h"

struct log_arg {
	const char *file, *level, *format; /* NULL: not given */
};

/* The initializers of rows: { LOG_ARG_FILE(offsetof(struct x_options, log)) } */
#define LOG_ARG_FILE(at)                                                                   \
	.name = "log", .type = OPTION_TEXT, .arg = "FILE",                                 \
	.help = "log to this file, opened anew at each SIGHUP (logrotate), not to stderr", \
	.offset = (at) + offsetof(struct log_arg, file)
#define LOG_ARG_LEVEL(at)                                                                    \
	.name = "log-level", .type = OPTION_CHOICE, .arg = "LEVEL",                          \
	.help = "log this and what is graver; otherwise info, with -q error, with -v debug", \
	.choices = "error warn info debug", .offset = (at) + offsetof(struct log_arg, level)
#define LOG_ARG_FORMAT(at)                                                          \
	.name = "log-format", .type = OPTION_CHOICE, .arg = "FORMAT",               \
	.help = "lines of text, or one JSON object a line", .choices = "text json", \
	.offset = (at) + offsetof(struct log_arg, format)

/* The log of a subcommand without these options; an exit status, after saying why. */
int log_arg_default(struct cli *cli);
int log_arg_open(struct cli *cli, const struct log_arg *arg);

#endif
