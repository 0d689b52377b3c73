#include "cli/help.h"

#include "cli/options.h"
#include "cli/terminal.h"

#include <string.h>

enum {
	LABEL_COLUMN = 28, /* where the sentences of options begin */
	COMMAND_COLUMN = 12,
};

struct page {
	FILE *out;
	size_t width;
	bool colour;
};

static struct page page_of(FILE *out)
{
	struct page p = { .out = out, .width = terminal_width(fileno(out)) };

	if (p.width > TERMINAL_TEXT_WIDTH_MAX)
		p.width = TERMINAL_TEXT_WIDTH_MAX;
	p.colour = terminal_can_colour(fileno(out));
	return p;
}

static void bold(const struct page *p, const char *text)
{
	fprintf(p->out, p->colour ? "\033[1m%s\033[0m" : "%s", text);
}

static void heading(const struct page *p, const char *text)
{
	putc('\n', p->out);
	bold(p, text);
	putc('\n', p->out);
}

void help_option_label(const struct option_row *row, char out[static HELP_OPTION_MAX])
{
	const char *arg = row->arg != NULL ? row->arg : "VALUE";
	bool flag = option_is_flag(row);
	char letter[8] = "    ";

	if (row->letter != 0)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	snprintf(out, HELP_OPTION_MAX, "%s--%s%s%s", letter, row->name, flag ? "" : " ",
		 flag ? "" : arg);
}

/* The sentence of an option, with what else there is to know about its values. */
static void option_sentence(const struct option_row *row, char *out, size_t cap)
{
	int len = snprintf(out, cap, "%s", row->help);

	if (row->type == OPTION_CHOICE && len >= 0 && (size_t)len < cap)
		len += snprintf(out + len, cap - (size_t)len, "; one of: %s", row->choices);
	if (row->type == OPTION_LIST && len >= 0 && (size_t)len < cap)
		len += snprintf(out + len, cap - (size_t)len, " (may be given again)");
	if (row->initial != NULL && !option_is_flag(row) && len >= 0 && (size_t)len < cap)
		snprintf(out + len, cap - (size_t)len, " (default: %s)", row->initial);
}

static void print_options(const struct page *p, const struct option_row *rows)
{
	for (; rows->name != NULL; rows++) {
		char label[HELP_OPTION_MAX], sentence[512];
		size_t column;

		help_option_label(rows, label);
		option_sentence(rows, sentence, sizeof(sentence));
		fputs("  ", p->out);
		bold(p, label);
		column = 2 + terminal_text_width(label);
		if (column + 2 > LABEL_COLUMN) {
			putc('\n', p->out);
			column = 0;
		}
		fprintf(p->out, "%*s", (int)(LABEL_COLUMN - column), "");
		terminal_wrap(p->out, sentence, LABEL_COLUMN, LABEL_COLUMN, p->width);
		putc('\n', p->out);
	}
}

/* "command\n    what it does\n", indented by two. */
static void print_examples(const struct page *p, const char *examples)
{
	while (*examples != '\0') {
		size_t len = strcspn(examples, "\n");

		if (len > 0)
			fprintf(p->out, "  %.*s\n", (int)len, examples);
		else
			putc('\n', p->out);
		examples += len + (examples[len] == '\n');
	}
}

void help_program(FILE *out)
{
	struct page p = page_of(out);

	fputs("peerwalk: walks peer-to-peer networks, and keeps what every peer said\n", out);
	heading(&p, "Usage");
	fputs("  peerwalk SUBCOMMAND [arguments] [options]\n", out);
	heading(&p, "Subcommands");
	for (size_t i = 0; commands[i] != NULL; i++) {
		int pad = (int)(COMMAND_COLUMN - strlen(commands[i]->name));

		fputs("  ", out);
		bold(&p, commands[i]->name);
		fprintf(out, "%*s", pad > 1 ? pad : 1, "");
		terminal_wrap(out, commands[i]->summary, COMMAND_COLUMN + 2, COMMAND_COLUMN + 2,
			      p.width);
		putc('\n', out);
	}
	heading(&p, "Options of every subcommand");
	print_options(&p, global_options);
	heading(&p, "Examples");
	print_examples(&p, "peerwalk crawl bitcoin\n"
			   "    walk the Bitcoin network and keep the result in peerwalk.db\n"
			   "peerwalk help crawl\n"
			   "    everything about one subcommand\n");
	putc('\n', out);
	terminal_wrap(out,
		      "Options can be set in the environment (PEERWALK_DB for --db) and in a "
		      "configuration file (--config). \"peerwalk help --man\" prints the manual "
		      "page.",
		      0, 0, p.width);
	putc('\n', out);
}

void help_command(FILE *out, const struct command *command)
{
	struct page p = page_of(out);

	fprintf(out, "peerwalk %s: ", command->name);
	terminal_wrap(out, command->summary, strlen(command->name) + 11, 0, p.width);
	putc('\n', out);
	heading(&p, "Usage");
	fprintf(out, "  peerwalk %s%s%s\n", command->name, command->usage[0] != '\0' ? " " : "",
		command->usage);
	if (command->about != NULL) {
		putc('\n', out);
		terminal_wrap(out, command->about, 0, 0, p.width);
		putc('\n', out);
	}
	if (command->options != NULL && command->options[0].name != NULL) {
		heading(&p, "Options");
		print_options(&p, command->options);
	}
	heading(&p, "Options of every subcommand");
	print_options(&p, global_options);
	if (command->examples != NULL) {
		heading(&p, "Examples");
		print_examples(&p, command->examples);
	}
}
