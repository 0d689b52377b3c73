#include "cli/config.h"

#include "cli/options.h"
#include "cli/suggest.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { WHERE_MAX = PATH_MAX + 128 };

struct config {
	const struct cli *cli;
	const char *path;
	const struct command *command;
	bool own_section; /* this pass is for the command's section */
	config_fn *fn;
	void *ctx;
	int status;
	FILE *file;
	int line;      /* read so far in this pass */
	bool too_long; /* that line is */
};

static bool has_option(const struct option_row *rows, const char *name)
{
	for (; rows != NULL && rows->name != NULL; rows++) {
		if (option_has_env(rows) && strcmp(rows->name, name) == 0)
			return true;
	}
	return false;
}

static void offer_options(struct suggest *s, const char *name, const struct option_row *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++)
		suggest_offer(s, name, rows->name);
}

static const struct command *section_command(const char *section)
{
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (strcmp(commands[i]->name, section) == 0)
			return commands[i];
	}
	return NULL;
}

static void wrong_section(struct config *c, const char *section)
{
	struct suggest s = { 0 };

	suggest_offer(&s, section, "general");
	for (size_t i = 0; commands[i] != NULL; i++)
		suggest_offer(&s, section, commands[i]->name);
	c->status =
		cli_usage(c->cli, "%s: there is no section [%s]; %s%s%s", c->path, section,
			  s.best != NULL ? "did you mean [" : "expected the name of a subcommand",
			  s.best != NULL ? s.best : "", s.best != NULL ? "]?" : "");
}

/* owner: the section's command; NULL in the general part, where any command's do. */
static bool check_name(struct config *c, const struct command *owner, const char *section,
		       const char *name)
{
	struct suggest s = { 0 };

	if (has_option(global_options, name))
		return true;
	offer_options(&s, name, global_options);
	for (size_t i = 0; commands[i] != NULL; i++) {
		if (owner != NULL && owner != commands[i])
			continue;
		if (has_option(commands[i]->options, name))
			return true;
		offer_options(&s, name, commands[i]->options);
	}
	c->status = cli_usage(c->cli, "%s: there is no setting \"%s\" in [%s]%s%s%s", c->path, name,
			      section, s.best != NULL ? "; did you mean \"" : "",
			      s.best != NULL ? s.best : "", s.best != NULL ? "\"?" : "");
	return false;
}

static int on_setting(void *user, const char *section, const char *name, const char *value)
{
	struct config *c = user;
	bool general = section[0] == '\0' || strcmp(section, "general") == 0;
	const struct command *owner = general ? NULL : section_command(section);
	char where[WHERE_MAX];

	if (c->status != EXIT_DONE)
		return 0;
	if (!general && owner == NULL) {
		wrong_section(c, section);
		return 0;
	}
	if (!check_name(c, owner, general ? "general" : section, name))
		return 0;
	if (c->own_section ? owner != c->command : !general)
		return 1;
	snprintf(where, sizeof(where), "%s: [%s] %s", c->path, general ? "general" : section, name);
	c->status = c->fn(c->ctx, c->own_section, name, value, where);
	return c->status == EXIT_DONE;
}

/* fgets for inih, which would take the rest of a line that is too long for another. */
static char *next_line(char *text, int size, void *stream)
{
	struct config *c = stream;

	if (c->too_long || fgets(text, size, c->file) == NULL)
		return NULL;
	c->line++;
	c->too_long = strchr(text, '\n') == NULL && !feof(c->file);
	return c->too_long ? NULL : text;
}

/* One reading of the whole file. */
static void pass(struct config *c)
{
	int line;

	rewind(c->file);
	c->line = 0;
	line = ini_parse_stream(next_line, c, on_setting, c);
	if (c->status != EXIT_DONE)
		return;
	if (line < 0 || ferror(c->file)) {
		cli_error("cannot read the configuration file %s; see --config", c->path);
		c->status = EXIT_FAILED;
	} else if (c->too_long) {
		c->status = cli_usage(c->cli,
				      "%s:%d: the line is too long: expected at most %d bytes; the "
				      "items of a list can have a line each",
				      c->path, c->line, INI_MAX_LINE - 2);
	} else if (line > 0) {
		c->status = cli_usage(c->cli,
				      "%s:%d: expected \"name = value\", [section], or a comment "
				      "that begins with ; or #",
				      c->path, line);
	}
}

int config_read(const struct cli *cli, const char *path, const struct command *command,
		config_fn *fn, void *ctx)
{
	struct config c = { .cli = cli, .path = path, .command = command, .fn = fn, .ctx = ctx };
	FILE *file = fopen(path, "r");

	if (file == NULL) {
		cli_error("cannot read the configuration file %s: %s; see --config", path,
			  strerror(errno));
		return EXIT_FAILED;
	}
	c.file = file;
	/* Twice: the command's own section counts for more than the general part,
	 * wherever it stands. */
	for (int i = 0; i < 2 && c.status == EXIT_DONE; i++) {
		c.own_section = i == 1;
		pass(&c);
	}
	fclose(file);
	return c.status;
}
