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

int log_arg_default(struct cli *cli)
{
	return open_log(cli, &(struct log_config){ .level = default_level(cli), .all = true });
}

int log_arg_open(struct cli *cli, const struct log_arg *arg)
{
	struct log_config config = {
		.level = default_level(cli),
		.json = arg->format != NULL && strcmp(arg->format, "json") == 0,
		.path = arg->file,
	};

	if (arg->level != NULL)
		log_level_parse(arg->level, &config.level);
	return open_log(cli, &config);
}
