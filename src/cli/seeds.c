#include "cli/seeds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHERE_MAX_BYTES = 1024 };

void seeds_clear(struct seeds *s)
{
	free(s->list);
	free(s->names);
	*s = (struct seeds){ 0 };
}

/* Room for one more of `size` bytes each; NULL without memory. */
static void *grow(void *items, size_t count, size_t *cap, size_t size)
{
	if (count < *cap)
		return items;
	*cap = *cap == 0 ? 64 : *cap * 2;
	items = realloc(items, *cap * size);
	if (items == NULL)
		cli_error("out of memory");
	return items;
}

static int add_name(struct seeds *s, const char *name, uint16_t port)
{
	struct seed_name *names = grow(s->names, s->names_count, &s->names_cap, sizeof(*names));

	if (names == NULL)
		return EXIT_FAILED;
	s->names = names;
	snprintf(names[s->names_count].name, sizeof(names->name), "%s", name);
	names[s->names_count++].port = port;
	return EXIT_DONE;
}

static int add_parsed(struct seeds *s, const struct peer_arg *peer)
{
	struct seed *list, *seed;

	if (peer->is_name)
		return add_name(s, peer->name, peer->port);
	list = grow(s->list, s->count, &s->cap, sizeof(*list));
	if (list == NULL)
		return EXIT_FAILED;
	s->list = list;
	seed = &list[s->count++];
	*seed = (struct seed){ .addr = peer->addr,
			       .tcp_port = peer->tcp_port,
			       .node_id_len = (uint8_t)peer->node_id_len };
	memcpy(seed->node_id, peer->node_id, sizeof(seed->node_id));
	return EXIT_DONE;
}

struct advert seeds_advert(const struct seeds *s, size_t index)
{
	const struct seed *seed = &s->list[index];

	return (struct advert){ .addr = seed->addr,
				.node_id = slice_of(seed->node_id, seed->node_id_len),
				.tcp_port = seed->tcp_port };
}

int seeds_add(struct seeds *s, const struct cli *cli, const struct network *network,
	      const char *peer)
{
	struct peer_arg parsed;
	int status = peer_arg_read(cli, peer, network, false, &parsed);

	return status == EXIT_DONE ? add_parsed(s, &parsed) : status;
}

/* Cuts comments and space off; NULL for a line with nothing on it. */
static char *clean(char *line)
{
	char *end;

	line[strcspn(line, "#\r\n")] = 0;
	line += strspn(line, " \t");
	end = line + strlen(line);
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = 0;
	return *line != 0 ? line : NULL;
}

typedef int line_fn(void *ctx, char *line, const char *where);

static int read_lines(const char *path, line_fn *on_line, void *ctx)
{
	char *line = NULL, where[WHERE_MAX_BYTES], *text;
	size_t cap = 0;
	ssize_t len;
	FILE *file = fopen(path, "re");
	unsigned number = 0;
	int status = EXIT_DONE;

	if (file == NULL) {
		cli_error("cannot read %s: %s", path, strerror(errno));
		return EXIT_FAILED;
	}
	while (status == EXIT_DONE && (len = getline(&line, &cap, file)) >= 0) {
		snprintf(where, sizeof(where), "%.900s, line %u", path, ++number);
		/* What follows it would be passed over without a word. */
		if (strlen(line) < (size_t)len) {
			cli_error("%s: holds a NUL byte; a list of peers is plain text", where);
			status = EXIT_USAGE;
			break;
		}
		text = clean(line);
		if (text != NULL)
			status = on_line(ctx, text, where);
	}
	if (status == EXIT_DONE && !feof(file)) {
		cli_error("cannot read %s: %s", path, strerror(errno));
		status = EXIT_FAILED;
	}
	free(line);
	fclose(file);
	return status;
}

struct seed_lines {
	struct seeds *seeds;
	const struct network *network;
};

static int on_seed_line(void *ctx, char *line, const char *where)
{
	struct seed_lines *l = ctx;
	struct peer_arg parsed;
	char why[PEER_ARG_WHY_MAX];

	if (!peer_arg_parse(line, l->network, false, &parsed, why)) {
		cli_error("%s: %s", where, why);
		return EXIT_USAGE;
	}
	return add_parsed(l->seeds, &parsed);
}

int seeds_read(struct seeds *s, const struct cli *cli, const struct network *network,
	       const char *path)
{
	(void)cli;
	return read_lines(path, on_seed_line,
			  &(struct seed_lines){ .seeds = s, .network = network });
}

struct exclude_lines {
	struct cidr *blocks;
	size_t count, cap;
};

static int on_exclude_line(void *ctx, char *line, const char *where)
{
	struct exclude_lines *l = ctx;
	struct cidr *blocks;
	struct cidr block;

	if (cidr_parse(slice_text(line), &block) != ERR_OK) {
		cli_error("%s: \"%s\" is no address and no CIDR block such as 192.0.2.0/24 or "
			  "2001:db8::/32 (the bits after the prefix have to be zero)",
			  where, line);
		return EXIT_USAGE;
	}
	blocks = grow(l->blocks, l->count, &l->cap, sizeof(*blocks));
	if (blocks == NULL)
		return EXIT_FAILED;
	l->blocks = blocks;
	blocks[l->count++] = block;
	return EXIT_DONE;
}

int exclude_read(const struct cli *cli, const char *path, struct cidr **out, size_t *count)
{
	struct exclude_lines lines = { 0 };
	int status = read_lines(path, on_exclude_line, &lines);

	(void)cli;
	*out = lines.blocks;
	*count = lines.count;
	return status;
}
