#include "cli/cli.h"

#include "base/text.h"
#include "cli/suggest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void say(const char *who, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

/* It may quote a file that came from somebody else. */
static void say(const char *who, const char *format, va_list args)
{
	struct text safe = { 0 };
	char *message = NULL;

	fflush(stdout); /* so that the two streams stay in order on a terminal */
	if (log_stderr_is_journal())
		fputs("<3>", stderr); /* an error, to the journal */
	if (vasprintf(&message, format, args) < 0)
		message = NULL;
	text_add_escaped_rest(&safe, message != NULL ? message : "out of memory");
	fprintf(stderr, "peerwalk%s%s: %s\n", who != NULL ? " " : "", who != NULL ? who : "",
		safe.data != NULL ? safe.data : "out of memory");
	text_clear(&safe);
	free(message);
}

void cli_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(NULL, format, args);
	va_end(args);
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
	const char *name = cli->command != NULL ? cli->command->name : NULL;
	va_list args;

	va_start(args, format);
	say(name, format, args);
	va_end(args);
	fprintf(stderr, "See \"peerwalk%s%s --help\".\n", name != NULL ? " " : "",
		name != NULL ? name : "");
	return EXIT_USAGE;
}

static void log_it(const struct cli *cli, enum log_level level, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

static void log_it(const struct cli *cli, enum log_level level, const char *format, va_list args)
{
	if (log_is_stderr(cli->log))
		fflush(stdout); /* as above */
	log_vsay(cli->log, level, format, args);
}

void cli_fail(const struct cli *cli, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_it(cli, LOG_ERROR, format, args);
	va_end(args);
	if (log_is_stderr(cli->log))
		return;
	va_start(args, format);
	say(NULL, format, args);
	va_end(args);
}

void cli_note(const struct cli *cli, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_it(cli, LOG_INFO, format, args);
	va_end(args);
}

void cli_debug(const struct cli *cli, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_it(cli, LOG_DEBUG, format, args);
	va_end(args);
}

void cli_event(const struct cli *cli, enum log_level level, const char *event,
	       const struct log_field *fields)
{
	if (!log_is_plain(cli->log))
		log_event(cli->log, level, event, fields);
}

const struct network *cli_network(const struct cli *cli, const char *name)
{
	const struct network *network = network_find(name);
	struct suggest suggest = { 0 };

	if (network != NULL)
		return network;
	for (size_t i = 0; i < networks_count; i++)
		suggest_offer(&suggest, name, networks[i].name);
	if (suggest.best != NULL)
		cli_usage(cli, "there is no network \"%s\"; did you mean \"%s\"?", name,
			  suggest.best);
	else
		cli_usage(cli, "there is no network \"%s\"; \"peerwalk networks\" lists them",
			  name);
	return NULL;
}
