#include "cli/complete.h"

#include "base/peer.h"
#include "cli/cli.h"
#include "cli/options.h"

#include <string.h>

/* What can be completed after an option, or as an argument. */
enum value_kind {
	VALUE_NOTHING, /* numbers, times, free text */
	VALUE_FILES,
	VALUE_NETWORKS,
	VALUE_PEERS,
	VALUE_COMMANDS,
	VALUE_OUTCOMES,
	VALUE_WORDS,
};

static enum value_kind kind_of_option(const struct option_row *row)
{
	if (row->choices != NULL)
		return VALUE_WORDS;
	if (row->arg == NULL)
		return VALUE_NOTHING;
	if (strcmp(row->name, "network") == 0)
		return VALUE_NETWORKS;
	if (strcmp(row->name, "outcome") == 0)
		return VALUE_OUTCOMES;
	if (strcmp(row->arg, "FILE") == 0)
		return VALUE_FILES;
	if (strcmp(row->arg, "PEER") == 0)
		return VALUE_PEERS;
	return VALUE_NOTHING;
}

static enum value_kind kind_of_args(const struct command *c)
{
	static const struct {
		const char *name;
		enum value_kind kind;
	} kinds[] = {
		{ "networks", VALUE_NETWORKS },
		{ "files", VALUE_FILES },
		{ "peers", VALUE_PEERS },
		{ "commands", VALUE_COMMANDS },
	};

	for (size_t i = 0; c->args_choices != NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(c->args_choices, kinds[i].name) == 0)
			return kinds[i].kind;
	}
	return VALUE_NOTHING;
}

/* The words that can stand there, separated by blanks. */
static void put_words(FILE *out, enum value_kind kind, const char *choices)
{
	switch (kind) {
	case VALUE_WORDS:
		fputs(choices, out);
		return;
	case VALUE_NETWORKS:
	case VALUE_PEERS:
		for (size_t i = 0; i < networks_count; i++)
			fprintf(out, "%s%s%s", i > 0 ? " " : "", networks[i].name,
				kind == VALUE_PEERS ? "://" : "");
		return;
	case VALUE_COMMANDS:
		for (size_t i = 0; commands[i] != NULL; i++)
			fprintf(out, "%s%s", i > 0 ? " " : "", commands[i]->name);
		return;
	case VALUE_OUTCOMES:
		for (unsigned i = 0; i < OUTCOME_COUNT; i++)
			fprintf(out, "%s%s", i > 0 ? " " : "", outcome_name((enum outcome)i));
		return;
	case VALUE_NOTHING:
	case VALUE_FILES:
		return;
	}
}

/* Text inside a shell's single quotes; `more` are further characters to escape. */
static void put_quoted(FILE *out, const char *text, const char *more, const char *quote)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs(quote, out);
		else if (strchr(more, *text) != NULL)
			fprintf(out, "\\%c", *text);
		else
			putc(*text, out);
	}
}

/* bash */

static void bash_action(FILE *out, enum value_kind kind, const char *choices)
{
	if (kind == VALUE_NOTHING) {
		fputs("return ;;\n", out);
		return;
	}
	if (kind == VALUE_FILES) {
		fputs("compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- \"$cur\")); "
		      "return ;;\n",
		      out);
		return;
	}
	if (kind == VALUE_PEERS)
		fputs("compopt -o nospace 2>/dev/null; ", out);
	fputs("COMPREPLY=($(compgen -W '", out);
	put_words(out, kind, choices);
	fputs("' -- \"$cur\")); return ;;\n", out);
}

static void bash_values(FILE *out, const char *command, const struct option_row *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++) {
		if (option_is_flag(rows))
			continue;
		fprintf(out, "\t%s:--%s", command, rows->name);
		if (rows->letter != 0)
			fprintf(out, " | %s:-%c", command, rows->letter);
		fputs(") ", out);
		bash_action(out, kind_of_option(rows), rows->choices);
	}
}

static void bash_options(FILE *out, const struct option_row *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++)
		fprintf(out, " --%s", rows->name);
}

void complete_bash(FILE *out)
{
	fputs("# bash completion of peerwalk; made by: peerwalk help --completion bash\n"
	      "_peerwalk()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	      "\tlocal command= i\n"
	      "\tCOMPREPLY=()\n"
	      "\t# --option=value arrives as three words\n"
	      "\tif [[ $prev == = ]]; then\n\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n"
	      "\telif [[ $cur == = ]]; then\n\t\tcur=\n\tfi\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tcase ${COMP_WORDS[i]} in\n\t\t--config) ((i++)) ;;\n\t\t-*) ;;\n"
	      "\t\t*) command=${COMP_WORDS[i]}; break ;;\n\t\tesac\n\tdone\n"
	      "\tcase $command:$prev in\n",
	      out);
	bash_values(out, "*", global_options);
	for (size_t i = 0; commands[i] != NULL; i++)
		bash_values(out, commands[i]->name, commands[i]->options);
	fputs("\tesac\n\tcase $command in\n", out);
	for (size_t i = 0; commands[i] != NULL; i++) {
		fprintf(out,
			"\t%s)\n\t\tif [[ $cur == -* ]]; then\n"
			"\t\t\tCOMPREPLY=($(compgen -W '",
			commands[i]->name);
		bash_options(out, commands[i]->options);
		bash_options(out, global_options);
		fputs("' -- \"$cur\"))\n\t\t\treturn\n\t\tfi\n\t\tcase x in\n\t\tx) ", out);
		bash_action(out, kind_of_args(commands[i]), NULL);
		fputs("\t\tesac ;;\n", out);
	}
	fputs("\t*)\n\t\tif [[ $cur == -* ]]; then\n\t\t\tCOMPREPLY=($(compgen -W '", out);
	bash_options(out, global_options);
	fputs("' -- \"$cur\"))\n\t\telse\n\t\t\tCOMPREPLY=($(compgen -W '", out);
	put_words(out, VALUE_COMMANDS, NULL);
	fputs("' -- \"$cur\"))\n\t\tfi ;;\n\tesac\n}\ncomplete -F _peerwalk peerwalk\n", out);
}

/* zsh */

static void zsh_action(FILE *out, enum value_kind kind, const char *choices)
{
	if (kind == VALUE_NOTHING) {
		putc(' ', out);
	} else if (kind == VALUE_FILES) {
		fputs("_files", out);
	} else if (kind == VALUE_PEERS) {
		/* Colons end an action unless escaped, and blanks are not wanted here. */
		fputs("compadd -S \"\" -- ", out);
		for (size_t i = 0; i < networks_count; i++)
			fprintf(out, "%s%s\\://", i > 0 ? " " : "", networks[i].name);
	} else {
		putc('(', out);
		put_words(out, kind, choices);
		putc(')', out);
	}
}

static void zsh_option(FILE *out, const struct option_row *row)
{
	bool again = row->type == OPTION_LIST || row->type == OPTION_COUNT;

	fputs(" \\\n\t\t\t", out);
	if (again)
		fputs("'*'", out);
	else if (row->letter != 0)
		fprintf(out, "'(-%c --%s)'", row->letter, row->name);
	if (row->letter != 0)
		fprintf(out, "{-%c,--%s}", row->letter, row->name);
	else
		fprintf(out, "--%s", row->name);
	/* "=" lets the value follow in the same word or in the next. */
	fputs(option_is_flag(row) || row->letter != 0 ? "'[" : "'=[", out);
	put_quoted(out, row->help, "[]:\\", "'\\''");
	putc(']', out);
	if (!option_is_flag(row)) {
		fprintf(out, ":%s:", row->arg != NULL ? row->arg : "VALUE");
		zsh_action(out, kind_of_option(row), row->choices);
	}
	putc('\'', out);
}

static void zsh_options(FILE *out, const struct option_row *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++)
		zsh_option(out, rows);
}

void complete_zsh(FILE *out)
{
	fputs("#compdef peerwalk\n"
	      "# zsh completion of peerwalk; made by: peerwalk help --completion zsh\n"
	      "_peerwalk()\n{\n"
	      "\tlocal curcontext=$curcontext state line\n\ttypeset -A opt_args\n"
	      "\tlocal -a subcommands\n\tsubcommands=(\n",
	      out);
	for (size_t i = 0; commands[i] != NULL; i++) {
		fprintf(out, "\t\t'%s:", commands[i]->name);
		put_quoted(out, commands[i]->summary, "\\", "'\\''");
		fputs("'\n", out);
	}
	fputs("\t)\n\t_arguments -C", out);
	zsh_options(out, global_options);
	fputs(" \\\n\t\t\t'1:subcommand:->subcommand' '*::argument:->argument'\n"
	      "\tcase $state in\n\tsubcommand)\n\t\t_describe subcommand subcommands ;;\n"
	      "\targument)\n\t\tcase $words[1] in\n",
	      out);
	for (size_t i = 0; commands[i] != NULL; i++) {
		fprintf(out, "\t\t%s)\n\t\t\t_arguments", commands[i]->name);
		zsh_options(out, commands[i]->options);
		zsh_options(out, global_options);
		if (commands[i]->args_max > 0) {
			fputs(" \\\n\t\t\t'*:argument:", out);
			zsh_action(out, kind_of_args(commands[i]), NULL);
			putc('\'', out);
		}
		fputs(" ;;\n", out);
	}
	fputs("\t\tesac ;;\n\tesac\n}\n"
	      "# Autoloaded from fpath, or sourced.\n"
	      "if [[ $funcstack[1] == _peerwalk ]]; then\n\t_peerwalk \"$@\"\n"
	      "else\n\tcompdef _peerwalk peerwalk\nfi\n",
	      out);
}

/* fish */

static void fish_options(FILE *out, const char *condition, const struct option_row *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++) {
		enum value_kind kind = kind_of_option(rows);

		fprintf(out, "complete -c peerwalk%s -l %s", condition, rows->name);
		if (rows->letter != 0)
			fprintf(out, " -s %c", rows->letter);
		if (!option_is_flag(rows))
			fputs(kind == VALUE_FILES ? " -r -F" : " -x", out);
		if (!option_is_flag(rows) && kind != VALUE_FILES && kind != VALUE_NOTHING) {
			fputs(" -a '", out);
			put_words(out, kind, rows->choices);
			putc('\'', out);
		}
		fputs(" -d '", out);
		put_quoted(out, rows->help, "\\", "\\'");
		fputs("'\n", out);
	}
}

void complete_fish(FILE *out)
{
	fputs("# fish completion of peerwalk; made by: peerwalk help --completion fish\n"
	      "complete -c peerwalk -f\n",
	      out);
	fish_options(out, "", global_options);
	for (size_t i = 0; commands[i] != NULL; i++) {
		const struct command *c = commands[i];
		enum value_kind kind = kind_of_args(c);
		char condition[128];

		fprintf(out, "complete -c peerwalk -n __fish_use_subcommand -a %s -d '", c->name);
		put_quoted(out, c->summary, "\\", "\\'");
		fputs("'\n", out);
		snprintf(condition, sizeof(condition), " -n '__fish_seen_subcommand_from %s'",
			 c->name);
		fish_options(out, condition, c->options);
		if (kind == VALUE_NOTHING)
			continue;
		fprintf(out, "complete -c peerwalk%s %s", condition,
			kind == VALUE_FILES ? "-F" : "-a '");
		put_words(out, kind, NULL);
		fputs(kind == VALUE_FILES ? "\n" : "'\n", out);
	}
}
