#include "cli/log_arg.h"

#include <string.h>

static enum log_level default_level(const struct cli *cli)
{
	if (cli->quiet)
		return LOG_ERROR;
	return cli->verbose > 0 ? LOG_DEBUG : LOG_INFO;
}

static int open_log(struct cli *cli, const struct log_config *config)
{
	char why[LOG_WHY_MAX];
	struct log *log;

	if (log_open(config, &log, why) != ERR_OK) {
		cli_error("%s", why);
		return EXIT_FAILED;
	}
	log_close(cli->log);
	cli->log = log;
	return EXIT_DONE;
}

/* What the process has given up was given up before there was a log. */
static int tell_confined(struct cli *cli)
{
	if (cli->confined[0] != '\0')
		cli_debug(cli, "%s", cli->confined);
	return EXIT_DONE;
}

static bool has_log_options(const struct command *command)
{
	const struct option_row *row = command->options;

	while (row != NULL && row->name != NULL && strcmp(row->name, "log") != 0)
		row++;
	return row != NULL && row->name != NULL;
}

int log_arg_default(struct cli *cli)
{
	const struct log_config config = { .level = default_level(cli), .all = true };
	int status = open_log(cli, &config);

	/* Who has a log of his own will open it next. */
	if (status == EXIT_DONE && !has_log_options(cli->command))
		return tell_confined(cli);
	return status;
}

int log_arg_open(struct cli *cli, const struct log_arg *arg)
{
	struct log_config config = {
		.level = default_level(cli),
		.json = arg->format != NULL && strcmp(arg->format, "json") == 0,
		.path = arg->file,
	};
	int status;

	if (arg->level != NULL)
		log_level_parse(arg->level, &config.level);
	status = open_log(cli, &config);
	return status == EXIT_DONE ? tell_confined(cli) : status;
}
