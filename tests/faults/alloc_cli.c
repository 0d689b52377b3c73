/* alloc_cli.c: what the command line reads of files before a crawl begins: settings, peers to begin
 * with, blocks to leave out. (What it keeps of its own words is src/cli/alloc.h's, which ends the
 * program with a sentence: sweep.c.) */
#include "cli/config.h"
#include "cli/options.h"
#include "cli/seeds.h"
#include "faults/data.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* --- a program with one subcommand, in the place of ours --- */

static const struct option_row rows[] = {
	{ .name = "db", .type = OPTION_TEXT, .arg = "FILE", .help = "a file" },
	{ .name = "listen", .type = OPTION_LIST, .arg = "ADDR", .help = "places" },
	{ 0 },
};
static const struct command walk = { .name = "walk", .options = rows };
const struct command *const commands[] = { &walk, NULL };
const struct option_row global_options[] = { { .name = "json", .type = OPTION_FLAG }, { 0 } };

bool option_has_env(const struct option_row *row)
{
	(void)row;
	return true;
}

static const struct cli cli = { .command = &walk };

/* --- what it says on stderr --- */

enum { SAID_MAX = 4096 };

static int usual = -1;

static void catch (const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	usual = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

/* Back to what it was; what was caught is in out. */
static void let_go(const char *path, char out[static SAID_MAX])
{
	FILE *f;

	dup2(usual, STDERR_FILENO);
	close(usual);
	f = fopen(path, "rb");
	assert_non_null(f);
	out[fread(out, 1, SAID_MAX - 1, f)] = 0;
	fclose(f);
}

/* --- files --- */

static char path[256], told[256];

static FILE *begin_file(const char *name)
{
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", scenario_folder(), name);
	snprintf(told, sizeof(told), "%s/told", scenario_folder());
	f = fopen(path, "wb");
	assert_non_null(f);
	return f;
}

static void end_file(FILE *f)
{
	fclose(f);
	catch (told);
}

static void before_seeds(void)
{
	FILE *f = begin_file("seeds");

	for (unsigned i = 0; i < 300; i++)
		fprintf(f, "9.9.%u.%u:8333 # one of many\nseed%u.example.org\n", i / 256, i % 256,
			i);
	end_file(f);
}

static void before_exclude(void)
{
	FILE *f = begin_file("blocks");

	for (unsigned i = 0; i < 600; i++)
		fprintf(f, "9.%u.%u.0/24\n", i / 256, i % 256);
	end_file(f);
}

static void before_settings(void)
{
	FILE *f = begin_file("settings.ini");

	fputs("json = yes\n[walk]\ndb = a\n", f);
	for (unsigned i = 0; i < 20; i++)
		fprintf(f, "listen = 192.0.2.%u:5999\n", i);
	end_file(f);
}

static enum err result_of(int status)
{
	return status == EXIT_DONE ? ERR_OK : status == EXIT_FAILED ? ERR_NOMEM : ERR_VALUE;
}

/* Whoever is told that it failed is told why. */
static void after(enum err err)
{
	char text[SAID_MAX];

	let_go(told, text);
	want(err == ERR_OK ? text[0] == 0 : strstr(text, "memory") != NULL);
}

static enum err run_seeds(void)
{
	struct seeds seeds = { 0 };
	int status = seeds_read(&seeds, &cli, network_find("bitcoin"), path);

	if (status == EXIT_DONE)
		status = seeds_add(&seeds, &cli, network_find("bitcoin"), "[2001:db8::1]:8333");
	if (status == EXIT_DONE) {
		said_number(seeds.count);
		said_number(seeds.names_count);
	}
	seeds_clear(&seeds);
	return result_of(status);
}

static enum err run_exclude(void)
{
	struct cidr *blocks;
	size_t count;
	int status = exclude_read(&cli, path, &blocks, &count);

	said_number(count);
	free(blocks);
	return result_of(status);
}

static int on_setting(void *ctx, bool own, const char *name, const char *value, const char *where)
{
	(void)ctx;
	(void)where;
	said_number(own);
	said(slice_text(name));
	said(slice_text(value));
	return EXIT_DONE;
}

static enum err run_settings(void)
{
	return result_of(config_read(&cli, path, &walk, on_setting, NULL));
}

const struct scenario cli_scenarios[] = {
	SCENARIO("peers to begin with", before_seeds, run_seeds, after),
	SCENARIO("blocks to leave out", before_exclude, run_exclude, after),
	SCENARIO("settings", before_settings, run_settings, after),
	{ 0 },
};
