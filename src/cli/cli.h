/* cli.h: what every subcommand is: a row in main.c's table, one file, rows of options.
 *
 * One row per option feeds the flags, the environment (PEERWALK_DB for --db), the
 * configuration file (db = ... ), --help, the manual page and the shell completions.
 * Order: command line over environment over --config FILE over default. */
#ifndef PEERWALK_CLI_CLI_H
#define PEERWALK_CLI_CLI_H

#include "base/bytes.h"
#include "cli/confine.h"
#include "io/log.h"
#include "proto/proto.h"

/* Exit statuses: docs/cli.md. */
enum {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_UNREACHED = 3,
	EXIT_INTERRUPTED = 130,
	EXIT_TERMINATED = 143,
};

enum option_type {
	OPTION_FLAG,     /* bool */
	OPTION_TEXT,     /* const char * */
	OPTION_LIST,     /* struct option_list: may be given again and again */
	OPTION_UINT,     /* uint64_t, between min and max */
	OPTION_DURATION, /* uint64_t, milliseconds */
	OPTION_SIZE,     /* uint64_t, bytes */
	OPTION_RATE,     /* double, per second */
	OPTION_FRACTION, /* double, 0..1 */
	OPTION_CHOICE,   /* const char *, one of choices */
	OPTION_COUNT,    /* unsigned: how often it was given */
};

struct option_list {
	const char **items;
	size_t count;
};

struct option_row {
	const char *name; /* long name, without dashes */
	char letter;      /* short one, or 0 */
	enum option_type type;
	const char *arg;     /* how help calls its value: "FILE", "N", "T" */
	const char *help;    /* one sentence without a full stop */
	const char *initial; /* default, as it would be typed; NULL: zero */
	size_t offset;       /* of the field in the command's options struct */
	/* OPTION_UINT; max 0: no limit. Of a duration (milliseconds) and a rate min 1 says that
	 * zero, which the code takes for no limit, can't be meant. */
	uint64_t min, max;
	const char *choices; /* OPTION_CHOICE, and completions of OPTION_TEXT: "csv jsonl json" */
};

/* Set by the options that every subcommand has (--json, --quiet, --verbose, --config). */
struct cli {
	bool json, quiet;
	unsigned verbose; /* how often -v was given */
	bool err_is_terminal, out_is_terminal;
	bool colour_err, colour_out; /* terminal, and NO_COLOR is not set */
	struct log *log;             /* stderr, unless --log says otherwise (log_arg.h) */
	const struct command *command;
	char confined[CONFINE_TEXT_MAX]; /* what the process has given up; "": nothing */
};

struct command {
	const char *name, *summary;       /* summary: one line without a full stop */
	const char *usage;                /* after the name: "NETWORK [options]" */
	const char *about;                /* paragraphs for --help and the manual page */
	const char *examples;             /* lines "command\n    what it does\n" */
	const struct option_row *options; /* ends with a row without a name */
	size_t options_size;              /* bytes of the options struct */
	unsigned args_min, args_max;      /* positional arguments; max 0 with min 0: none */
	const char *args_choices; /* completion of the arguments: "networks", "files", "peers",
				     "commands", NULL */
	int (*run)(struct cli *cli, void *options, char **args, unsigned args_count);
};

extern const struct command *const commands[]; /* ends with NULL; main.c */

/* "peerwalk: ..." on stderr, with a full stop's worth of remedy by the caller. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, and in the log, too, if that is elsewhere: for what has a log of its own. */
void cli_fail(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with "see peerwalk COMMAND --help"; returns EXIT_USAGE. */
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Into the log, as LOG_INFO (unless --quiet) and LOG_DEBUG (-v). */
void cli_note(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cli_debug(const struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* What stdout says in words of its own: into the log, but not beside those on stderr. */
void cli_event(const struct cli *cli, enum log_level level, const char *event,
	       const struct log_field *fields);

/* A network by name; on failure says which there are and returns NULL (EXIT_USAGE). */
const struct network *cli_network(const struct cli *cli, const char *name);

/* A table of aligned columns on stdout; right-aligned where the header begins with '>'. */
struct table;
struct table *table_new(const char *const *headers, unsigned columns);
void table_cell(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_print(struct table *t); /* prints and frees */

#endif
