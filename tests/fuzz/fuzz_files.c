/* fuzz_files.c: what a user hands to the program: configuration files, lists of seeds and of
 * addresses to leave out, key files, tables, the values of options.
 *
 * The first byte chooses one. Whatever is refused is refused with a sentence; what is accepted is
 * what it says it is. */
#include "base/text.h"
#include "base/uuid.h"
#include "cli/chain_arg.h"
#include "cli/config.h"
#include "cli/fork_arg.h"
#include "cli/group_arg.h"
#include "cli/option_value.h"
#include "cli/options.h"
#include "cli/seed_arg.h"
#include "cli/seeds.h"
#include "fuzz/file.h"
#include "io/keyfile.h"
#include "report/csv.h"
#include "report/dns_zone.h"
#include "report/export_enrtree.h"
#include "report/export_zone.h"

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

enum { INPUT_MAX = 8192, ARGS_MAX = 16 };

/* --- in the place of main.c and cli.c: messages are written, and go nowhere --- */

static unsigned messages;

static void say(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

static void say(const char *format, va_list args)
{
	char text[16 * 1024];

	messages++;
	CHECK(vsnprintf(text, sizeof(text), format, args) > 0);
}

#define SAY(format)                     \
	do {                            \
		va_list args;           \
		va_start(args, format); \
		say(format, args);      \
		va_end(args);           \
	} while (0)

void cli_error(const char *format, ...)
{
	SAY(format);
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
	(void)cli;
	SAY(format);
	return EXIT_USAGE;
}

const struct network *cli_network(const struct cli *cli, const char *name)
{
	(void)cli;
	messages++;
	return network_find(name);
}

struct values {
	bool flag;
	const char *text, *choice;
	struct option_list list;
	uint64_t number, duration, size;
	double rate, fraction;
	unsigned count;
};

#define AT(field) .offset = offsetof(struct values, field), .help = "help"

static const struct option_row rows[] = {
	{ .name = "flag", .letter = 'f', .type = OPTION_FLAG, AT(flag) },
	{ .name = "text", .letter = 't', .type = OPTION_TEXT, .arg = "TEXT", AT(text) },
	{ .name = "list", .type = OPTION_LIST, .arg = "ITEM", AT(list) },
	{ .name = "number", .type = OPTION_UINT, .arg = "N", .min = 2, .max = 99, AT(number) },
	{ .name = "duration", .type = OPTION_DURATION, .arg = "T", AT(duration) },
	{ .name = "size", .type = OPTION_SIZE, .arg = "SIZE", AT(size) },
	{ .name = "rate", .type = OPTION_RATE, .arg = "R", .min = 1, AT(rate) },
	{ .name = "fraction", .type = OPTION_FRACTION, .arg = "F", AT(fraction) },
	{ .name = "choice", .type = OPTION_CHOICE, .arg = "X", .choices = "a bc", AT(choice) },
	{ .name = "count", .letter = 'c', .type = OPTION_COUNT, AT(count) },
	{ 0 },
};

static const struct command crawl = {
	.name = "crawl",
	.summary = "crawls",
	.usage = "NETWORK",
	.about = "",
	.examples = "",
	.options = rows,
	.options_size = sizeof(struct values),
	.args_max = 3,
};
static const struct command other = { .name = "other", .args_max = 1 };
const struct command *const commands[] = { &crawl, &other, NULL };

static const struct cli cli = { .command = &crawl };

/* --- each of them --- */

static int on_setting(void *ctx, bool own, const char *name, const char *value, const char *where)
{
	(void)own;
	(*(unsigned *)ctx)++;
	CHECK(name[0] != 0 && where[0] != 0);
	return strcmp(value, "stop") == 0 ? EXIT_USAGE : EXIT_DONE;
}

static void check_config(struct slice in)
{
	unsigned settings = 0;
	int status = config_read(&cli, fuzz_file(in), &crawl, on_setting, &settings);

	CHECK(status == EXIT_DONE || messages > 0 || settings > 0);
}

/* Arguments with NUL between them. No --config: it might name a terminal. */
static void check_arguments(struct slice in)
{
	char text[INPUT_MAX + 1], *argv[ARGS_MAX + 1] = { text };
	struct options o;
	int argc = 1, status;

	memcpy(text, in.data, in.len);
	text[in.len] = 0;
	if (memmem(text, in.len, "--con", 5) != NULL)
		return;
	for (size_t i = 0; i < in.len && argc < ARGS_MAX; i++) {
		if (text[i] == 0)
			argv[argc++] = text + i + 1;
	}
	status = options_read(&o, &cli, &crawl, argc, argv);
	CHECK(status == EXIT_DONE || messages > 0);
	if (status == EXIT_DONE && !o.globals.help && !o.globals.version) {
		const struct values *v = o.values;

		CHECK(v->number == 0 || (v->number >= 2 && v->number <= 99));
		CHECK(v->fraction >= 0 && v->fraction <= 1 && v->rate >= 0);
		CHECK(v->choice == NULL || strcmp(v->choice, "a") == 0 ||
		      strcmp(v->choice, "bc") == 0);
	}
	options_clear(&o);
}

static void check_seeds(struct slice in, const char *network)
{
	struct seeds seeds = { 0 };
	int status = seeds_read(&seeds, &cli, network_find(network), fuzz_file(in));

	CHECK(status == EXIT_DONE || messages > 0);
	for (size_t i = 0; i < seeds.count; i++) {
		struct advert a = seeds_advert(&seeds, i);

		CHECK(netaddr_len(a.addr.kind) > 0 && a.node_id.len <= PEER_NODE_ID_MAX);
	}
	seeds_clear(&seeds);
}

static void check_exclude(struct slice in)
{
	struct cidr *blocks;
	size_t count;
	int status = exclude_read(&cli, fuzz_file(in), &blocks, &count);

	CHECK(status == EXIT_DONE || messages > 0);
	for (size_t i = 0; i < count; i++) {
		struct netaddr first = cidr_address(&blocks[i], 0);

		CHECK(cidr_contains(&blocks[i], &first));
	}
	free(blocks);
}

static void check_key(struct slice in)
{
	static const struct secp_key zero;
	char why[KEYFILE_WHY_MAX];
	struct secp_key key;
	enum err err = keyfile_read(fuzz_file(in), &key, why);

	CHECK((err == ERR_OK) == (why[0] == 0));
	CHECK(err == ERR_OK || memcmp(&key, &zero, sizeof(key)) == 0);
	CHECK(err != ERR_OK || (in.len >= KEYFILE_DIGITS && in.len <= KEYFILE_DIGITS + 2));
}

static void check_fork(const char *text)
{
	uint8_t hashes[FORK_ARG_HASHES_MAX][4];
	const char *rule = NULL;
	struct fork_arg fork;

	if (fork_arg_parse(text, &fork, &rule) != ERR_OK) {
		CHECK(rule != NULL || strchr(text, ':') == NULL);
		return;
	}
	CHECK(fork_arg_hashes(&fork.chain, hashes) <= FORK_ARG_HASHES_MAX);
}

static void check_names(const char *text)
{
	char name[DNS_NAME_MAX], again[DNS_NAME_MAX], uuid[UUID_TEXT_MAX];
	uint8_t id[UUID_LEN], id2[UUID_LEN];
	struct slice in = slice_text(text);
	uint64_t bits;

	if (dns_name_parse(in, name))
		CHECK(dns_name_parse(slice_text(name), again) && strcmp(name, again) == 0);
	if (dns_contact_parse(in, name))
		CHECK(memchr(name, 0, sizeof(name)) != NULL);
	enrtree_url_valid(in);
	zone_filter_parse(in, &bits);
	if (uuid_parse(in, id) == ERR_OK) {
		uuid_text(id, uuid);
		CHECK(uuid_parse(slice_text(uuid), id2) == ERR_OK &&
		      memcmp(id, id2, UUID_LEN) == 0);
	}
}

/* The lines of the text, at most `max`; what is not there is "". */
static void split_lines(char *text, char *lines[], size_t max)
{
	for (size_t i = 0; i < max; i++) {
		char *end = strchr(text, '\n');

		lines[i] = text;
		text = end != NULL ? end + 1 : text + strlen(text);
		if (end != NULL)
			*end = 0;
	}
}

/* A chain that is not on the list, and a group: name, magic, port and group. */
static void check_chain(char *text)
{
	struct chain_arg arg = { 0 };
	struct network network;
	struct slice group;
	char *lines[4];
	int status;

	split_lines(text, lines, 4);
	arg.magic = lines[1][0] != 0 ? lines[1] : NULL;
	if (parse_uint(lines[2], UINT16_MAX, &arg.port) != ERR_OK)
		arg.port = 0;
	status = chain_arg_read(&cli, &arg, lines[0], &network);
	CHECK(status == EXIT_DONE || messages > 0);
	if (status == EXIT_DONE) {
		CHECK(network.proto != NULL && strlen(network.name) <= 32);
		CHECK(arg.magic == NULL || network.default_port == arg.port);
	}
	status = group_arg_read(&cli, lines[3], network_find("gossip"), &group);
	CHECK(status == EXIT_DONE || messages > 0);
	CHECK(status != EXIT_DONE || (group.len > 0 && group.len <= 64));
}

/* A table in RFC 4180's form: fields that lie within it, rows of at most so many. */
static void check_table(struct slice in)
{
	uint64_t line = 0;
	enum err err = ERR_OK;
	struct csv csv;

	csv_init(&csv, in);
	while (csv_next(&csv, &err)) {
		CHECK(csv.line > line && csv.count >= 1 && csv.count <= CSV_FIELDS_MAX);
		for (size_t i = 0; i < csv.count; i++)
			CHECK(csv.fields[i].len <= in.len);
		csv_find(&csv, "address");
		line = csv.line;
	}
	CHECK(err == ERR_OK || err == ERR_SYNTAX || err == ERR_LIMIT);
	csv_clear(&csv);
}

/* What a zone or a tree is told of itself: origin, name servers, contact, filters, a link. */
static void check_seed(char *text)
{
	static const char *const formats[] = { "zone", "enrtree", "seeds" };
	const char *items[2];
	char *lines[6];
	struct seed_arg arg = { .ttl_ms = 60000, .per_name = 25, .max_age_ms = 1000 };

	split_lines(text, lines, 6);
	for (unsigned i = 0; i < 2; i++)
		items[i] = lines[1 + i];
	arg.origin = lines[0][0] != 0 ? lines[0] : NULL;
	arg.ns.items = items;
	arg.ns.count = lines[1][0] != 0 ? 2 : 0;
	arg.contact = lines[3][0] != 0 ? lines[3] : NULL;
	arg.filter = lines[4];
	arg.links.items = (const char **)&lines[5];
	arg.links.count = lines[5][0] != 0;
	arg.key = "/dev/null";
	for (unsigned i = 0; i < 3; i++) {
		struct export_options extra = { 0 };
		struct seed_options out;
		int status = seed_arg_read(&cli, &arg, formats[i], &out, &extra);

		CHECK(status == EXIT_DONE || messages > 0);
		CHECK(out.names.filters_count <= ZONE_FILTERS_MAX);
		CHECK(strlen(out.zone.origin) < DNS_NAME_MAX);
		CHECK(strlen(out.zone.contact) < DNS_NAME_MAX);
		seed_options_clear(&out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[INPUT_MAX + 1];
	struct slice in;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	in = slice_of(data + 1, size - 1);
	memcpy(text, in.data, in.len);
	text[in.len] = 0;
	messages = 0;
	switch (data[0] % 11) {
	case 0:
		check_config(in);
		break;
	case 1:
		check_arguments(in);
		break;
	case 2:
		check_seeds(in, "bitcoin");
		break;
	case 3:
		check_seeds(in, "ethereum");
		break;
	case 4:
		check_exclude(in);
		break;
	case 5:
		check_key(in);
		break;
	case 6:
		check_fork(text);
		break;
	case 7:
		check_names(text);
		break;
	case 8:
		check_chain(text);
		break;
	case 9:
		check_table(in);
		break;
	case 10:
		check_seed(text);
		break;
	}
	return 0;
}
