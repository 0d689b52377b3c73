#include "cli/options.h"

#include "cli/alloc.h"
#include "cli/config.h"
#include "cli/option_value.h"
#include "cli/suggest.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a value comes from; a higher one overrides a lower one. */
enum layer {
	LAYER_DEFAULT,
	LAYER_CONFIG,     /* the general part of the file */
	LAYER_CONFIG_OWN, /* the section of the subcommand */
	LAYER_ENV,
	LAYER_ARGV,
};

enum { LONG_BASE = 256 /* getopt's val for row i is LONG_BASE + i: no letter is that high */ };

#define GLOBAL(field) offsetof(struct global_options, field)

const struct option_row global_options[] = {
	{ .name = "help",
	  .letter = 'h',
	  .type = OPTION_FLAG,
	  .help = "print this help",
	  .offset = GLOBAL(help) },
	{ .name = "version",
	  .type = OPTION_FLAG,
	  .help = "print the version",
	  .offset = GLOBAL(version) },
	{ .name = "json",
	  .letter = 'j',
	  .type = OPTION_FLAG,
	  .help = "print the result as JSON: one document, or one object a line for streams",
	  .offset = GLOBAL(json) },
	{ .name = "quiet",
	  .letter = 'q',
	  .type = OPTION_FLAG,
	  .help = "no progress and no notes on stderr, only errors",
	  .offset = GLOBAL(quiet) },
	{ .name = "verbose",
	  .letter = 'v',
	  .type = OPTION_COUNT,
	  .help = "tell more on stderr; twice tells even more",
	  .offset = GLOBAL(verbose) },
	{ .name = "config",
	  .type = OPTION_TEXT,
	  .arg = "FILE",
	  .help = "read settings from this INI file",
	  .offset = GLOBAL(config) },
	{ .name = "no-sandbox",
	  .type = OPTION_FLAG,
	  .help = "keep all that the system permits, as a debugger needs it; otherwise the process "
		  "gives up what it has no use for",
	  .offset = GLOBAL(no_sandbox) },
	{ 0 },
};

bool option_is_flag(const struct option_row *row)
{
	return row->type == OPTION_FLAG || row->type == OPTION_COUNT;
}

bool option_has_env(const struct option_row *row)
{
	return row != &global_options[0] && row != &global_options[1];
}

void option_env_name(const struct option_row *row, char out[static OPTIONS_ENV_MAX])
{
	int len = snprintf(out, OPTIONS_ENV_MAX, "PEERWALK_%s", row->name);

	for (int i = 0; i < len && i < OPTIONS_ENV_MAX - 1; i++)
		out[i] = out[i] == '-' ? '_' : (char)toupper((unsigned char)out[i]);
}

static size_t rows_length(const struct option_row *rows)
{
	size_t n = 0;

	while (rows != NULL && rows[n].name != NULL)
		n++;
	return n;
}

/* Row number i, and the struct that its offset counts from. */
static const struct option_row *row_at(struct options *o, size_t i, void **base)
{
	size_t globals = rows_length(global_options);

	*base = i < globals ? (void *)&o->globals : o->values;
	return i < globals ? &global_options[i] : &o->command->options[i - globals];
}

static size_t row_find(struct options *o, const char *name)
{
	void *base;

	for (size_t i = 0; i < o->rows_count; i++) {
		if (strcmp(row_at(o, i, &base)->name, name) == 0)
			return i;
	}
	return o->rows_count;
}

/* `where` names the source for the error: "--rate", "PEERWALK_RATE", "x.ini:3: rate". */
static int set_value(struct options *o, size_t index, enum layer layer, const char *text,
		     const char *where)
{
	void *base;
	const struct option_row *row = row_at(o, index, &base);
	char expected[OPTIONS_EXPECTED_MAX];

	if (o->layers[index] < layer) {
		option_value_reset(row, base);
		o->layers[index] = (unsigned char)layer;
	}
	if (option_value_set(row, base, text))
		return EXIT_DONE;
	option_expected(row, expected);
	return cli_usage(o->cli, "%s: expected %s, not \"%s\"", where, expected, text);
}

static char *keep(struct options *o, const char *text, size_t len)
{
	char *copy = alloc_text(text, len);

	o->kept = alloc_grow(o->kept, o->kept_count + 1, sizeof(*o->kept));
	o->kept[o->kept_count++] = copy;
	return copy;
}

/* A value from the environment or a file: lists are separated by white space there. */
static int set_outside(struct options *o, size_t index, enum layer layer, const char *text,
		       const char *where)
{
	void *base;
	const struct option_row *row = row_at(o, index, &base);

	if (row->type != OPTION_LIST)
		return set_value(o, index, layer, keep(o, text, strlen(text)), where);
	for (;;) {
		size_t len;
		int status;

		text += strspn(text, " \t\r\n");
		len = strcspn(text, " \t\r\n");
		if (len == 0)
			return EXIT_DONE;
		status = set_value(o, index, layer, keep(o, text, len), where);
		if (status != EXIT_DONE)
			return status;
		text += len;
	}
}

static int apply_defaults(struct options *o)
{
	for (size_t i = 0; i < o->rows_count; i++) {
		void *base;
		const struct option_row *row = row_at(o, i, &base);
		int status;

		if (row->initial == NULL)
			continue;
		status = set_value(o, i, LAYER_DEFAULT, row->initial, row->name);
		if (status != EXIT_DONE)
			return status;
	}
	return EXIT_DONE;
}

static int apply_env(struct options *o)
{
	for (size_t i = 0; i < o->rows_count; i++) {
		void *base;
		const struct option_row *row = row_at(o, i, &base);
		char name[OPTIONS_ENV_MAX];
		const char *text;
		int status;

		if (!option_has_env(row))
			continue;
		option_env_name(row, name);
		text = getenv(name);
		if (text == NULL || text[0] == '\0')
			continue;
		status = set_outside(o, i, LAYER_ENV, text, name);
		if (status != EXIT_DONE)
			return status;
	}
	return EXIT_DONE;
}

static int apply_given(struct options *o)
{
	for (size_t i = 0; i < o->given_count; i++) {
		void *base;
		const struct option_row *row = row_at(o, o->given[i].row, &base);
		char where[OPTIONS_ENV_MAX];
		int status;

		snprintf(where, sizeof(where), "--%s", row->name);
		status = set_value(o, o->given[i].row, LAYER_ARGV, o->given[i].text, where);
		if (status != EXIT_DONE)
			return status;
	}
	return EXIT_DONE;
}

static int on_config(void *ctx, bool own, const char *name, const char *value, const char *where)
{
	struct options *o = ctx;
	size_t index = row_find(o, name);

	/* A general setting that this subcommand has no use for. */
	if (index == o->rows_count)
		return EXIT_DONE;
	return set_outside(o, index, own ? LAYER_CONFIG_OWN : LAYER_CONFIG, value, where);
}

static int apply_config(struct options *o)
{
	size_t index = row_find(o, "config");
	const char *path = getenv("PEERWALK_CONFIG");

	for (size_t i = 0; i < o->given_count; i++) {
		if (o->given[i].row == index)
			path = o->given[i].text;
	}
	if (path == NULL || path[0] == '\0' || o->command == NULL)
		return EXIT_DONE;
	return config_read(o->cli, path, o->command, on_config, o);
}

/* "--connect" may have been meant for --connect-timeout or --connections. */
static int ambiguous(struct options *o, const char *typed, size_t len)
{
	char names[256] = "";
	size_t at = 0;
	unsigned count = 0;

	for (size_t i = 0; i < o->rows_count; i++) {
		void *base;
		const char *name = row_at(o, i, &base)->name;

		if (strncmp(name, typed, len) != 0)
			continue;
		if (at < sizeof(names))
			at += (size_t)snprintf(names + at, sizeof(names) - at, "%s--%s",
					       count > 0 ? ", " : "", name);
		count++;
	}
	if (count < 2)
		return EXIT_DONE;
	return cli_usage(o->cli, "--%.*s is ambiguous: %s", (int)len, typed, names);
}

/* Another subcommand that has an option of this name, or NULL. */
static const struct command *owner_of(const char *name)
{
	for (size_t c = 0; commands[c] != NULL; c++) {
		const struct option_row *rows = commands[c]->options;

		for (size_t i = 0; i < rows_length(rows); i++) {
			if (strcmp(rows[i].name, name) == 0)
				return commands[c];
		}
	}
	return NULL;
}

static int unknown_long(struct options *o, const char *typed)
{
	size_t len = strcspn(typed, "=");
	char name[SUGGEST_NAME_MAX + 1];
	struct suggest suggest = { 0 };
	const struct command *owner;
	int status = ambiguous(o, typed, len);

	if (status != EXIT_DONE)
		return status;
	snprintf(name, sizeof(name), "%.*s", (int)len, typed);
	for (size_t i = 0; i < o->rows_count; i++) {
		void *base;

		suggest_offer(&suggest, name, row_at(o, i, &base)->name);
	}
	if (suggest.best != NULL)
		return cli_usage(o->cli, "there is no option --%s; did you mean --%s?", name,
				 suggest.best);
	owner = owner_of(name);
	if (owner != NULL && o->command != NULL)
		return cli_usage(o->cli, "there is no option --%s here; it belongs to \"%s\"", name,
				 owner->name);
	if (owner != NULL)
		return cli_usage(o->cli, "--%s belongs after a subcommand, such as \"%s\"", name,
				 owner->name);
	return cli_usage(o->cli, "there is no option --%s", name);
}

/* getopt said '?' or ':' about the word it has just looked at. */
static int complain(struct options *o, int verdict, const char *word)
{
	void *base;
	const struct option_row *row;

	if (verdict == '?' && optopt == 0)
		return unknown_long(o, strncmp(word, "--", 2) == 0 ? word + 2 : word);
	if (optopt >= LONG_BASE) {
		row = row_at(o, (size_t)(optopt - LONG_BASE), &base);
		return cli_usage(o->cli, "--%s needs a value: %s", row->name,
				 row->arg != NULL ? row->arg : "VALUE");
	}
	if (verdict == ':')
		return cli_usage(o->cli, "-%c needs a value", optopt);
	return cli_usage(o->cli, "there is no option -%c", optopt);
}

static void make_tables(struct options *o, struct option *longs, char *shorts)
{
	*shorts++ = ':';
	for (size_t i = 0; i < o->rows_count; i++) {
		void *base;
		const struct option_row *row = row_at(o, i, &base);

		/* A flag takes an optional value, so that --patient=no undoes a setting. */
		longs[i] = (struct option){ .name = row->name,
					    .has_arg = option_is_flag(row) ? optional_argument
									   : required_argument,
					    .val = LONG_BASE + (int)i };
		if (row->letter == 0)
			continue;
		*shorts++ = row->letter;
		if (!option_is_flag(row))
			*shorts++ = ':';
	}
	*shorts = '\0';
	longs[o->rows_count] = (struct option){ 0 };
}

static size_t row_of_value(struct options *o, int value)
{
	void *base;

	if (value >= LONG_BASE)
		return (size_t)(value - LONG_BASE);
	for (size_t i = 0; i < o->rows_count; i++) {
		if (row_at(o, i, &base)->letter == value)
			return i;
	}
	return 0;
}

static int read_argv(struct options *o, int argc, char **argv)
{
	struct option *longs = alloc_zeroed(o->rows_count + 1, sizeof(*longs));
	char *shorts = alloc_zeroed(2 * o->rows_count + 2, 1);
	int status = EXIT_DONE;
	int value;

	make_tables(o, longs, shorts);
	opterr = 0;
	optind = 0; /* GNU: begin afresh */
	while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct option_row *row;
		void *base;
		size_t index;

		if (value == '?' || value == ':') {
			status = complain(o, value, argv[optind - 1]);
			break;
		}
		index = row_of_value(o, value);
		o->given = alloc_grow(o->given, o->given_count + 1, sizeof(*o->given));
		o->given[o->given_count++] = (struct option_given){ index, optarg };
		row = row_at(o, index, &base);
		if (!option_has_env(row)) {
			option_value_set(row, base, NULL);
			break;
		}
	}
	o->args = argv + optind;
	o->args_count = (unsigned)(argc - optind);
	free(longs);
	free(shorts);
	return status;
}

int options_read(struct options *o, const struct cli *cli, const struct command *command, int argc,
		 char **argv)
{
	int status;

	*o = (struct options){ .cli = cli, .command = command };
	o->rows_count = rows_length(global_options);
	if (command != NULL) {
		o->rows_count += rows_length(command->options);
		o->values = alloc_zeroed(1, command->options_size);
	}
	o->layers = alloc_zeroed(o->rows_count, sizeof(*o->layers));
	status = read_argv(o, argc, argv);
	if (status != EXIT_DONE || o->globals.help || o->globals.version)
		return status;
	status = apply_defaults(o);
	if (status == EXIT_DONE)
		status = apply_config(o);
	if (status == EXIT_DONE)
		status = apply_env(o);
	if (status == EXIT_DONE)
		status = apply_given(o);
	return status;
}

void options_clear(struct options *o)
{
	for (size_t i = 0; i < o->rows_count; i++) {
		void *base;
		const struct option_row *row = row_at(o, i, &base);

		option_value_reset(row, base);
	}
	for (size_t i = 0; i < o->kept_count; i++)
		free(o->kept[i]);
	free(o->kept);
	free(o->given);
	free(o->layers);
	free(o->values);
	*o = (struct options){ 0 };
}
