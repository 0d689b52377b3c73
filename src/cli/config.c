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
	/* Twice: the command's own section counts for more than the general part,
	 * wherever it stands. */
	for (int pass = 0; pass < 2 && c.status == EXIT_DONE; pass++) {
		int line;

		rewind(file);
		c.own_section = pass == 1;
		line = ini_parse_file(file, on_setting, &c);
		if (line > 0 && c.status == EXIT_DONE)
			c.status = cli_usage(cli,
					     "%s:%d: expected \"name = value\", [section], or a "
					     "comment that begins with ; or #, in at most %d bytes",
					     path, line, INI_MAX_LINE - 1);
		if (line < 0 || ferror(file)) {
			cli_error("cannot read the configuration file %s; see --config", path);
			c.status = EXIT_FAILED;
		}
	}
	fclose(file);
	return c.status;
}
