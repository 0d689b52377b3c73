#include "cli/cli.h"

#include "cli/complete.h"
#include "cli/help.h"
#include "cli/manual.h"
#include "cli/suggest.h"

#include <stdio.h>
#include <string.h>

struct help_options {
	bool man;
	const char *completion;
};

static const struct option_row options[] = {
	{ .name = "man",
	  .type = OPTION_FLAG,
	  .help = "print the whole manual page, in roff",
	  .offset = offsetof(struct help_options, man) },
	{ .name = "completion",
	  .type = OPTION_CHOICE,
	  .arg = "SHELL",
	  .choices = "bash zsh fish",
	  .help = "print the completions for a shell",
	  .offset = offsetof(struct help_options, completion) },
	{ 0 },
};

static int print_completion(const char *shell)
{
	if (strcmp(shell, "bash") == 0)
		complete_bash(stdout);
	else if (strcmp(shell, "zsh") == 0)
		complete_zsh(stdout);
	else
		complete_fish(stdout);
	return EXIT_DONE;
}

static int run(struct cli *cli, void *values, char **args, unsigned args_count)
{
	const struct help_options *o = values;
	struct suggest suggest = { 0 };

	if (o->man + (o->completion != NULL) + (args_count > 0) > 1)
		return cli_usage(cli, "expected only one of --man, --completion and a subcommand");
	if (o->man) {
		manual_print(stdout);
		return EXIT_DONE;
	}
	if (o->completion != NULL)
		return print_completion(o->completion);
	if (args_count == 0) {
		help_program(stdout);
		return EXIT_DONE;
	}
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (strcmp(commands[i]->name, args[0]) == 0) {
			help_command(stdout, commands[i]);
			return EXIT_DONE;
		}
		suggest_offer(&suggest, args[0], commands[i]->name);
	}
	if (suggest.best != NULL)
		return cli_usage(cli, "there is no subcommand \"%s\"; did you mean \"%s\"?",
				 args[0], suggest.best);
	return cli_usage(cli, "there is no subcommand \"%s\"", args[0]);
}

const struct command command_help = {
	.name = "help",
	.summary = "explains a subcommand; prints the manual page and shell completions",
	.usage = "[SUBCOMMAND] [options]",
	.about = "Without an argument lists the subcommands. The manual page and the "
		 "completions are made from the same table as the options themselves, so they "
		 "are always complete.\n",
	.examples = "peerwalk help crawl\n"
		    "    everything about one subcommand\n"
		    "peerwalk help --man | man -l -\n"
		    "    read the manual page\n"
		    "source <(peerwalk help --completion bash)\n"
		    "    completions in this shell\n",
	.options = options,
	.options_size = sizeof(struct help_options),
	.args_max = 1,
	.args_choices = "commands",
	.run = run,
};
