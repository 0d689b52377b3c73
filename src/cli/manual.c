#include "cli/manual.h"

#include "base/peer.h"
#include "cli/cli.h"
#include "cli/options.h"

#include <ctype.h>
#include <string.h>

/* Text for roff: backslashes and hyphens escaped (a plain "-" becomes a typographic
 * hyphen that can't be searched or copied), and no line that begins like a request. */
static void put_text(FILE *out, const char *text, size_t len)
{
	bool line_start = true;

	for (size_t i = 0; i < len; i++) {
		if (line_start && (text[i] == '.' || text[i] == '\''))
			fputs("\\&", out);
		line_start = text[i] == '\n';
		if (text[i] == '\\')
			fputs("\\e", out);
		else if (text[i] == '-')
			fputs("\\-", out);
		else
			putc(text[i], out);
	}
}

static void put(FILE *out, const char *text)
{
	put_text(out, text, strlen(text));
}

/* With a capital and a full stop, which the rows don't have. */
static void put_sentence(FILE *out, const char *text)
{
	putc(toupper((unsigned char)text[0]), out);
	put(out, text + 1);
	putc('.', out);
}

/* Paragraphs: an empty line begins a new one; a line that begins with a blank is
 * printed as it stands. */
static void put_about(FILE *out, const char *text)
{
	bool fill = true;

	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		bool as_is = text[0] == ' ';

		if (len == 0) {
			fputs(fill ? ".PP\n" : ".fi\n.PP\n", out);
			fill = true;
		} else {
			if (fill == as_is)
				fputs(as_is ? ".nf\n" : ".fi\n", out);
			fill = !as_is;
			put_text(out, text, len);
			putc('\n', out);
		}
		text += len + (text[len] == '\n');
	}
	if (!fill)
		fputs(".fi\n", out);
}

static void put_option(FILE *out, const struct option_row *row)
{
	fputs(".TP\n", out);
	if (row->letter != 0)
		fprintf(out, "\\fB\\-%c\\fR, ", row->letter);
	fputs("\\fB\\-\\-", out);
	put(out, row->name);
	fputs("\\fR", out);
	if (!option_is_flag(row))
		fprintf(out, " \\fI%s\\fR", row->arg != NULL ? row->arg : "VALUE");
	putc('\n', out);
	put_sentence(out, row->help);
	if (row->type == OPTION_CHOICE) {
		fputs(" One of: ", out);
		put(out, row->choices);
		putc('.', out);
	}
	if (row->type == OPTION_LIST)
		fputs(" May be given again and again.", out);
	if (row->initial != NULL && !option_is_flag(row)) {
		fputs(" The default is ", out);
		put(out, row->initial);
		putc('.', out);
	}
	putc('\n', out);
}

static void put_options(FILE *out, const struct option_row *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++)
		put_option(out, rows);
}

/* "command\n    what it does\n": the command in bold, the rest indented. */
static void put_examples(FILE *out, const char *examples)
{
	bool after_command = false;

	while (*examples != '\0') {
		size_t len = strcspn(examples, "\n");
		size_t blanks = strspn(examples, " ");

		if (len > 0 && blanks == 0) {
			fputs(after_command ? ".br\n\\fB" : ".TP\n\\fB", out);
			put_text(out, examples, len);
			fputs("\\fR\n", out);
			after_command = true;
		} else if (len > blanks) {
			put_text(out, examples + blanks, len - blanks);
			putc('\n', out);
			after_command = false;
		}
		examples += len + (examples[len] == '\n');
	}
}

static void put_command(FILE *out, const struct command *c)
{
	fprintf(out, ".SS peerwalk %s\n", c->name);
	fprintf(out, "\\fBpeerwalk %s\\fR ", c->name);
	put(out, c->usage);
	fputs("\n.PP\n", out);
	put_sentence(out, c->summary);
	putc('\n', out);
	if (c->about != NULL) {
		fputs(".PP\n", out);
		put_about(out, c->about);
	}
	put_options(out, c->options);
}

static void put_outcomes(FILE *out)
{
	fputs(".SH OUTCOMES\nHow the visit of a peer ended:\n", out);
	for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
		fputs(".TP\n\\fB", out);
		put(out, outcome_name((enum outcome)i));
		fputs("\\fR\n", out);
		put_sentence(out, outcome_text((enum outcome)i));
		putc('\n', out);
	}
}

static void put_exit_statuses(FILE *out)
{
	static const struct {
		const char *status, *text;
	} rows[] = {
		{ "0", "Done." },
		{ "1", "It failed; standard error has the reason and what to do about it." },
		{ "2", "The command line, the environment or the configuration file is wrong." },
		{ "3", "Nothing could be reached: no seed or peer answered." },
		{ "130", "Interrupted (Ctrl-C); everything learnt until then is kept." },
		{ "143", "Terminated (SIGTERM); everything learnt until then is kept." },
	};

	fputs(".SH EXIT STATUS\n", out);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fprintf(out, ".TP\n\\fB%s\\fR\n", rows[i].status);
		put(out, rows[i].text);
		putc('\n', out);
	}
}

/* True if an earlier command has an option of that name: it was listed already. */
static bool seen_before(size_t command, const char *name)
{
	for (size_t c = 0; c < command; c++) {
		const struct option_row *row = commands[c]->options;

		for (; row != NULL && row->name != NULL; row++) {
			if (strcmp(row->name, name) == 0)
				return true;
		}
	}
	return false;
}

/* The names of the subcommands that have such an option. */
static void put_owners(FILE *out, const char *name)
{
	unsigned count = 0;

	for (size_t c = 0; commands[c] != NULL; c++) {
		const struct option_row *row = commands[c]->options;

		while (row != NULL && row->name != NULL && strcmp(row->name, name) != 0)
			row++;
		if (row == NULL || row->name == NULL)
			continue;
		fputs(count++ == 0 ? " of " : ", ", out);
		put(out, commands[c]->name);
	}
}

static void put_env(FILE *out, const struct option_row *row)
{
	char name[OPTIONS_ENV_MAX];

	if (!option_has_env(row))
		return;
	option_env_name(row, name);
	fprintf(out, ".TP\n\\fB%s\\fR\n\\fB\\-\\-", name);
	put(out, row->name);
	fputs("\\fR", out);
	put_owners(out, row->name);
	putc('\n', out);
}

static void put_environment(FILE *out)
{
	fputs(".SH ENVIRONMENT\n", out);
	put(out, "Every option can be set by a variable. It overrides the configuration file, and "
		 "the command line overrides it. A flag is yes or no; the items of a list are "
		 "separated by white space.\n");
	fputs(".PP\n.PD 0\n", out); /* a long list: no empty lines between its items */
	for (const struct option_row *row = global_options; row->name != NULL; row++)
		put_env(out, row);
	for (size_t c = 0; commands[c] != NULL; c++) {
		const struct option_row *row = commands[c]->options;

		for (; row != NULL && row->name != NULL; row++) {
			if (!seen_before(c, row->name))
				put_env(out, row);
		}
	}
	fputs(".PD\n.TP\n\\fBNO_COLOR\\fR\nIf set and not empty: no colour.\n", out);
}

static void put_files(FILE *out)
{
	fputs(".SH FILES\n.TP\n\\fIpeerwalk.db\\fR\n", out);
	put(out, "The database that subcommands use unless --db names another: SQLite in WAL mode, "
		 "with peerwalk.db-wal and peerwalk.db-shm beside it while it is open.\n");
	fputs(".TP\nThe file of \\fB\\-\\-config\\fR\n", out);
	put(out,
	    "An INI file. Settings have the long names of the options. Those at the top, or in "
	    "[general], are for every subcommand that has such an option; a section of "
	    "the subcommand's name overrides them. Comments begin with ; or #. A setting that "
	    "nobody knows is an error.\n");
	fputs(".IP\n.nf\n", out);
	put(out, "db = /var/lib/peerwalk/bitcoin.db\n[crawl]\nconcurrency = 2000\n");
	fputs(".fi\n", out);
}

static void put_peers(FILE *out)
{
	fputs(".SH NETWORKS AND PEERS\nThe networks are", out);
	for (size_t i = 0; i < networks_count; i++) {
		fputs(i == 0 ? " " : i + 1 == networks_count ? " and " : ", ", out);
		put(out, networks[i].name);
	}
	fputs(".\n", out);
	put(out, "A Bitcoin-like chain that is not on the list is described with --magic and "
		 "--port.\n");
	fputs(".PP\n", out);
	put(out, "A peer is written NETWORK://HOST[:PORT]. A bare HOST[:PORT] belongs to the "
		 "network that the subcommand or --network names. HOST is an IPv4 address, an IPv6 "
		 "address in brackets, or a name. Without a port it is the network's usual one.\n");
}

static void put_units(FILE *out)
{
	fputs(".SH VALUES\n", out);
	put(out, "A time takes a unit: 250ms, 5s, 10m, 2h, 1d; a bare number is seconds. A size: "
		 "4096, 64KiB, 10MB, 1GiB. A rate: 2000/s, 100/m; a bare number is a second's. A "
		 "share: 0.25 or 25%. A flag that a setting has switched on is switched off by "
		 "--flag=no.\n");
}

void manual_print(FILE *out)
{
	fputs(".TH PEERWALK 1 \"\" \"peerwalk " PEERWALK_VERSION "\" \"User Commands\"\n", out);
	fputs(".SH NAME\npeerwalk \\- walks peer\\-to\\-peer networks, and keeps what every peer "
	      "said\n",
	      out);
	fputs(".SH SYNOPSIS\n", out);
	for (size_t i = 0; commands[i] != NULL; i++) {
		fprintf(out, "%s\\fBpeerwalk %s\\fR ", i > 0 ? ".br\n" : "", commands[i]->name);
		put(out, commands[i]->usage);
		putc('\n', out);
	}
	fputs(".SH DESCRIPTION\n", out);
	put(out,
	    "peerwalk dials a few known peers, speaks their protocol, asks each whom it knows, "
	    "and goes on until nobody is left to ask. It keeps what every peer said.\n");
	fputs(".PP\n", out);
	put(out, "Standard output carries the result and nothing else; progress and messages go to "
		 "standard error.\n");
	put_peers(out);
	fputs(".SH OPTIONS OF EVERY SUBCOMMAND\n", out);
	put_options(out, global_options);
	put_units(out);
	fputs(".SH SUBCOMMANDS\n", out);
	for (size_t i = 0; commands[i] != NULL; i++)
		put_command(out, commands[i]);
	put_outcomes(out);
	put_exit_statuses(out);
	put_environment(out);
	put_files(out);
	fputs(".SH EXAMPLES\n", out);
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (commands[i]->examples != NULL)
			put_examples(out, commands[i]->examples);
	}
}
