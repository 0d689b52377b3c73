/* main.c: the table of subcommands, and the way to one of them. */
#include "cli/alloc.h"
#include "cli/cli.h"
#include "cli/confine_needs.h"
#include "cli/help.h"
#include "cli/log_arg.h"
#include "cli/options.h"
#include "cli/spare.h"
#include "cli/suggest.h"
#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct command command_crawl, command_decode, command_diff, command_enr,
	command_export, command_help, command_key, command_listen, command_networks, command_node,
	command_peers, command_ping, command_report, command_score, command_serve, command_simulate,
	command_status;

/* In the order in which help lists them. clang-format would put several in a line. */
/* clang-format off */
const struct command *const commands[] = {
	&command_crawl,
	&command_ping,
	&command_peers,
	&command_listen,
	&command_node,
	&command_status,
	&command_report,
	&command_diff,
	&command_export,
	&command_serve,
	&command_decode,
	&command_key,
	&command_enr,
	&command_simulate,
	&command_score,
	&command_networks,
	&command_help,
	NULL,
};
/* clang-format on */

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

static int unknown_command(const struct cli *cli, const char *name)
{
	struct suggest suggest = { 0 };

	for (size_t i = 0; commands[i] != NULL; i++)
		suggest_offer(&suggest, name, commands[i]->name);
	if (suggest.best != NULL)
		return cli_usage(cli, "there is no subcommand \"%s\"; did you mean \"%s\"?", name,
				 suggest.best);
	return cli_usage(cli, "there is no subcommand \"%s\"", name);
}

/* The place of the subcommand's name: global options may stand before it. */
static int command_place(int argc, char **argv)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-' && argv[i][1] != '\0') {
		if (strcmp(argv[i], "--") == 0)
			return i + 1;
		/* The only one whose value can be a word of its own. */
		i += strcmp(argv[i], "--config") == 0 ? 2 : 1;
	}
	return i < argc ? i : argc;
}

/* The n-th word of "NETWORK [options]", if the usage names it as a must. */
static const char *usage_word(const char *usage, unsigned n, size_t *len)
{
	for (;;) {
		usage += strspn(usage, " ");
		*len = strcspn(usage, " ");
		if (*len == 0 || *usage == '[')
			return NULL;
		if (n-- == 0) {
			if (*len > 3 && memcmp(usage + *len - 3, "...", 3) == 0)
				*len -= 3;
			return usage;
		}
		usage += *len;
	}
}

static int check_args(const struct cli *cli, const struct options *o)
{
	const struct command *c = o->command;

	if (o->args_count < c->args_min) {
		size_t len;
		const char *word = usage_word(c->usage, o->args_count, &len);

		if (word == NULL)
			return cli_usage(cli, "an argument is missing; expected: peerwalk %s %s",
					 c->name, c->usage);
		return cli_usage(cli, "%.*s is missing; expected: peerwalk %s %s", (int)len, word,
				 c->name, c->usage);
	}
	if (o->args_count > c->args_max)
		return cli_usage(cli, "\"%s\" is one argument too many; expected: peerwalk %s %s",
				 o->args[c->args_max], c->name, c->usage);
	return EXIT_DONE;
}

static void print_version(void)
{
	puts("peerwalk " PEERWALK_VERSION);
}

/* A command line without a subcommand. */
static int run_bare(struct cli *cli, int argc, char **argv)
{
	struct options o;
	int status = options_read(&o, cli, NULL, argc, argv);

	if (status == EXIT_DONE && o.globals.help)
		help_program(stdout);
	else if (status == EXIT_DONE && o.globals.version)
		print_version();
	else if (status == EXIT_DONE)
		status = cli_usage(cli, "expected a subcommand, such as \"%s\"", commands[0]->name);
	options_clear(&o);
	return status;
}

static int run_command(struct cli *cli, const struct command *command, int argc, char **argv)
{
	struct options o;
	int status;

	cli->command = command;
	status = options_read(&o, cli, command, argc, argv);
	if (status != EXIT_DONE)
		goto out;
	if (o.globals.help) {
		help_command(stdout, command);
		goto out;
	}
	if (o.globals.version) {
		print_version();
		goto out;
	}
	cli->json = o.globals.json;
	cli->quiet = o.globals.quiet;
	cli->verbose = o.globals.verbose;
	status = check_args(cli, &o);
	if (status == EXIT_DONE)
		confine_command(cli, &o);
	if (status == EXIT_DONE)
		status = log_arg_default(cli);
	if (status == EXIT_DONE)
		status = command->run(cli, o.values, o.args, o.args_count);
	log_close(cli->log);
	cli->log = NULL;
out:
	options_clear(&o);
	return status;
}

/* A result that could not be written is a failure, whatever the command thinks. */
static int flush_result(int status)
{
	bool failed = fflush(stdout) != 0 || ferror(stdout);

	if (!failed)
		return status;
	if (errno != EPIPE)
		cli_error("cannot write the result: %s; is the disk full?", strerror(errno));
	return status == EXIT_DONE ? EXIT_FAILED : status;
}

/* Whoever starts us with one of them closed would have his text written into the next socket or
 * file. What takes its place can't be used either, so that a lost result is told all the same. */
static void open_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
	struct cli cli = {
		.err_is_terminal = isatty(STDERR_FILENO),
		.out_is_terminal = isatty(STDOUT_FILENO),
		.colour_err = terminal_can_colour(STDERR_FILENO),
		.colour_out = terminal_can_colour(STDOUT_FILENO),
	};
	const struct command *command;
	char **words;
	int place, status;

	/* Peers that go away must not end the program; nor must a closed pipe. */
	signal(SIGPIPE, SIG_IGN);
	open_standard();
	spare_use();
	if (argc < 1)
		return EXIT_USAGE;
	place = command_place(argc, argv);
	if (place >= argc)
		return flush_result(run_bare(&cli, argc, argv));
	command = command_find(argv[place]);
	if (command == NULL)
		return unknown_command(&cli, argv[place]);
	/* What stood before the name belongs to the command's options. */
	words = alloc_zeroed((size_t)argc, sizeof(*words));
	for (int i = 0, n = 0; i < argc; i++) {
		if (i != place)
			words[n++] = argv[i];
	}
	status = flush_result(run_command(&cli, command, argc - 1, words));
	free(words);
	return status;
}
