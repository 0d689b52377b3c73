#include "cli/confine_needs.h"

#include "api/place_arg.h"
#include "cli/alloc.h"
#include "cli/confine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a subcommand's arguments are. */
enum words { WORDS_OTHER, WORDS_FILES, WORDS_KEY, WORDS_STATUS };

struct need {
	const char *command;
	unsigned net;
	bool secrets;
	enum words words;
};

#define TALKS (CONFINE_DIAL | CONFINE_NAMES | CONFINE_PACKETS)

/* Those that are not here stay as they are: networks and help read nothing, and simulate is
 * everybody itself, strangers included, for tests on this machine. */
static const struct need needs[] = {
	{ "crawl", TALKS, true, WORDS_OTHER },
	{ "ping", TALKS, true, WORDS_OTHER },
	{ "peers", TALKS, true, WORDS_OTHER },
	{ "listen", TALKS, true, WORDS_OTHER },
	{ "node", TALKS | CONFINE_LISTEN | CONFINE_SOURCE, true, WORDS_OTHER },
	{ "status", CONFINE_LOCAL, false, WORDS_STATUS },
	{ "report", 0, false, WORDS_OTHER },
	{ "diff", 0, false, WORDS_OTHER },
	{ "export", 0, true, WORDS_OTHER },
	{ "serve", CONFINE_LISTEN, false, WORDS_OTHER },
	{ "decode", 0, false, WORDS_FILES },
	{ "key", 0, true, WORDS_KEY },
	{ "enr", 0, true, WORDS_FILES },
	{ "score", 0, false, WORDS_OTHER },
};

/* What is done with the value of an option. */
enum use {
	USE_READ,     /* once, as it is now */
	USE_REREAD,   /* again when another file takes its name */
	USE_DATABASE, /* with what SQLite makes beside it */
	USE_KEY,      /* read, or made */
	USE_OUTPUT,   /* made anew, or another takes its place */
	USE_SOCKET,   /* of `status` */
	USE_LISTEN,   /* TCP, there */
};

/* Any other option whose value is a FILE is USE_READ. */
static const struct {
	const char *option;
	enum use use;
} uses[] = {
	{ "db", USE_DATABASE },    { "key", USE_KEY },       { "log", USE_OUTPUT },
	{ "html", USE_OUTPUT },    { "output", USE_OUTPUT }, { "mmdb", USE_REREAD },
	{ "asmap", USE_REREAD },   { "status", USE_SOCKET }, { "listen", USE_LISTEN },
	{ "metrics", USE_LISTEN },
};

enum {
	/* A file; of a folder that somebody names in its place, it is said that it is one. */
	A_FILE = CONFINE_READ | CONFINE_LIST,
	HERE = CONFINE_READ | CONFINE_WRITE | CONFINE_MAKE,
};

struct needed {
	const struct options *options;
	const struct need *need;
	struct confine confine;
	uint16_t port; /* the network's own */
};

/* --- files --- */

static void allow_output(struct confine *c, const char *path)
{
	struct stat st;

	if (strcmp(path, "-") == 0)
		return;
	/* A link is written through, a device or a pipe as it is. */
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		confine_allow(c, path, CONFINE_WRITE);
	confine_allow_folder(c, path, HERE);
}

/* Where SQLite keeps the copy of an older database that may not be written: as it chooses. */
static void allow_temporary(struct confine *c)
{
	const char *folders[] = { getenv("SQLITE_TMPDIR"), getenv("TMPDIR"), "/var/tmp", "/usr/tmp",
				  "/tmp" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		struct stat st;

		if (folders[i] == NULL || stat(folders[i], &st) != 0 || !S_ISDIR(st.st_mode) ||
		    access(folders[i], W_OK | X_OK) != 0)
			continue;
		confine_allow(c, folders[i], HERE);
		return;
	}
}

/* SQLite follows a link, and has log and journal beside what it leads to. */
static void allow_database(struct needed *n, const char *path)
{
	char *real = realpath(path, NULL);

	confine_allow_folder(&n->confine, real != NULL ? real : path, HERE | CONFINE_LIST);
	free(real);
	if ((n->need->net & CONFINE_DIAL) == 0)
		allow_temporary(&n->confine);
}

static void allow_key(struct confine *c, const char *path, bool made)
{
	confine_allow(c, path, A_FILE);
	if (made && access(path, F_OK) != 0)
		confine_allow_folder(c, path, HERE | CONFINE_LIST);
}

static void allow_listen(struct needed *n, const char *text)
{
	struct netaddr at;

	/* What is wrong is told by who reads it. */
	if (!place_listen_parse(text, n->port, &at))
		return;
	n->confine.net |= CONFINE_LISTEN;
	confine_allow_port(&n->confine, at.port);
}

/* --- the command line --- */

static void allow_value(struct needed *n, const char *option, const char *value)
{
	struct confine *c = &n->confine;
	enum use use = USE_READ;

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		if (strcmp(uses[i].option, option) == 0)
			use = uses[i].use;
	}
	switch (use) {
	case USE_READ:
		confine_allow(c, value, A_FILE);
		break;
	case USE_REREAD:
		confine_allow(c, value, A_FILE);
		confine_allow_folder(c, value, CONFINE_READ);
		break;
	case USE_DATABASE:
		allow_database(n, value);
		break;
	case USE_KEY:
		allow_key(c, value, strcmp(n->need->command, "node") == 0);
		break;
	case USE_OUTPUT:
		allow_output(c, value);
		break;
	case USE_SOCKET:
		c->net |= CONFINE_LOCAL;
		confine_allow_folder(c, value, CONFINE_SOCKET);
		break;
	case USE_LISTEN:
		allow_listen(n, value);
		break;
	}
}

static bool names_something(const struct option_row *row)
{
	if (row->arg == NULL)
		return false;
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		if (strcmp(uses[i].option, row->name) == 0)
			return true;
	}
	return strcmp(row->arg, "FILE") == 0;
}

static void allow_options(struct needed *n)
{
	const char *values = n->options->values;

	for (const struct option_row *row = n->options->command->options;
	     row != NULL && row->name != NULL; row++) {
		const struct option_list *list;
		const char *text;

		if (!names_something(row))
			continue;
		if (row->type == OPTION_LIST) {
			list = (const struct option_list *)(const void *)(values + row->offset);
			for (size_t i = 0; i < list->count; i++)
				allow_value(n, row->name, list->items[i]);
		} else if (row->type == OPTION_TEXT) {
			memcpy(&text, values + row->offset, sizeof(text));
			if (text != NULL)
				allow_value(n, row->name, text);
		}
	}
}

static void allow_words(struct needed *n)
{
	const struct options *o = n->options;

	if (n->need->words == WORDS_STATUS)
		confine_allow(&n->confine, "/run/peerwalk", CONFINE_LIST);
	for (unsigned i = 0; i < o->args_count; i++) {
		if (n->need->words == WORDS_FILES)
			confine_allow(&n->confine, o->args[i], A_FILE);
		else if (n->need->words == WORDS_KEY)
			allow_key(&n->confine, o->args[i], true);
	}
}

/* The number that an option has; 0: there is no such option, or it isn't given. */
static uint64_t number_of(const struct options *o, const char *name)
{
	uint64_t value = 0;

	for (const struct option_row *row = o->command->options; row->name != NULL; row++) {
		if (strcmp(row->name, name) == 0)
			memcpy(&value, (const char *)o->values + row->offset, sizeof(value));
	}
	return value;
}

/* A node listens and has a socket for `status` unasked. */
static void allow_node(struct needed *n)
{
	const struct options *o = n->options;
	const struct network *network = network_find(o->args[0]);
	const char *folder = getenv("RUNTIME_DIRECTORY");
	uint64_t port = number_of(o, "port");

	n->port = port > 0 ? (uint16_t)port : network != NULL ? network->default_port : 0;
	confine_allow_port(&n->confine, n->port);
	if (folder != NULL) {
		char *first = alloc_text(folder, strcspn(folder, ":"));

		n->confine.net |= CONFINE_LOCAL;
		confine_allow(&n->confine, first, CONFINE_SOCKET);
		free(first);
	}
}

void confine_command(struct cli *cli, const struct options *o)
{
	struct needed n = { .options = o };

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		if (strcmp(needs[i].command, o->command->name) == 0)
			n.need = &needs[i];
	}
	if (n.need == NULL)
		return;
	if (o->globals.no_sandbox) {
		snprintf(cli->confined, sizeof(cli->confined), "not confined: --no-sandbox");
		return;
	}
	n.confine.net = n.need->net;
	n.confine.secrets = n.need->secrets;
	/* systemd hears how it goes. */
	if ((n.need->net & CONFINE_DIAL) != 0 && getenv("NOTIFY_SOCKET") != NULL)
		n.confine.net |= CONFINE_LOCAL;
	if (strcmp(o->command->name, "node") == 0)
		allow_node(&n);
	allow_options(&n);
	allow_words(&n);
	confine_apply(&n.confine, cli->confined);
	confine_clear(&n.confine);
}
