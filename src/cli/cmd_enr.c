#include "cli/cli.h"
#include "cli/enr_show.h"
#include "cli/node_key.h"

#include "api/place_arg.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	LINE_MAX_LEN = 4096, /* ten times the longest record; more is no list of records */
	SHOWN_MAX = 40,      /* of a record, in a message */
	SOURCE_MAX = 300,
};

struct enr_options {
	const char *key;
	const char *ip, *ip6;
	uint64_t udp, tcp, udp6, tcp6;
	uint64_t seq;
};

struct job {
	const struct cli *cli;
	uint64_t records; /* so far */
	bool any;         /* something stands on stdout */
	int status;
	bool failed; /* out of memory */
};

/* --- reading --- */

static void print_json(struct job *job, json_t *o)
{
	fputs(job->any ? ",\n  " : "[\n  ", stdout);
	job->any = true;
	if (o == NULL || json_dumpf(o, stdout, JSON_COMPACT) != 0)
		job->failed = true;
	json_decref(o);
}

/* Where the input ends early, the rule is the name of what isn't there. */
static const char *rule_word(enum err err)
{
	return err == ERR_SHORT ? "; what is cut off: " : "; the rule: ";
}

/* source: how a message calls the place that the record comes from. */
static void show_good(struct job *job, const char *source, const struct enr *e)
{
	json_t *o;

	if (!job->cli->json) {
		if (job->any)
			putchar('\n');
		job->any = true;
		if (!enr_show_text(e))
			job->failed = true;
		return;
	}
	o = enr_show_json(e);
	if (o != NULL) {
		json_object_set_new(o, "source", json_string(source));
		json_object_set_new(o, "ok", json_true());
		json_object_set_new(o, "error", json_null());
	}
	print_json(job, o);
}

static void show_bad(struct job *job, const char *source, enum err err, const char *rule)
{
	job->status = EXIT_FAILED;
	cli_error("%s: %s%s%s", source, err_text(err), rule_word(err), rule);
	if (job->cli->json)
		print_json(job, json_pack("{s:s, s:b, s:{s:s, s:s, s:s}}", "source", source, "ok",
					  false, "error", "name", err_name(err), "message",
					  err_text(err), "rule", rule));
}

static void show(struct job *job, const char *source, const char *text)
{
	uint8_t buf[ENR_LEN_MAX];
	const char *rule;
	struct enr e;
	enum err err = enr_parse(slice_text(text), buf, &e, &rule);

	job->records++;
	if (err == ERR_OK)
		show_good(job, source, &e);
	else
		show_bad(job, source, err, rule);
}

/* "enr:-IS4QHCYrYZbAKWCBRlA..." */
static void show_argument(struct job *job, const char *text)
{
	char source[SOURCE_MAX];
	size_t len = text_escape(slice_text(text), source, SHOWN_MAX);

	if (len < strlen(text))
		snprintf(source + len, sizeof(source) - len, "...");
	show(job, source, text);
}

/* One a line; empty lines and what follows a # are passed over. */
static void show_lines(struct job *job, FILE *f, const char *name)
{
	char line[LINE_MAX_LEN], shown[SOURCE_MAX - 40], source[SOURCE_MAX];

	text_escape(slice_text(name), shown, sizeof(shown));
	for (uint64_t number = 1; fgets(line, sizeof(line), f) != NULL; number++) {
		bool whole = strchr(line, '\n') != NULL || feof(f);
		char *text = line + strspn(line, " \t");
		size_t len = strcspn(text, "#\r\n");

		while (len > 0 && strchr(" \t", text[len - 1]) != NULL)
			len--;
		text[len] = '\0';
		snprintf(source, sizeof(source), "%s:%" PRIu64, shown, number);
		if (!whole) {
			cli_error("%s: no text, or a line of more than %d bytes; expected one "
				  "record a "
				  "line",
				  source, LINE_MAX_LEN - 2);
			job->status = EXIT_FAILED;
			return;
		}
		if (len > 0)
			show(job, source, text);
	}
	if (ferror(f)) {
		cli_error("cannot read %s: %s", name, strerror(errno));
		job->status = EXIT_FAILED;
	}
}

static void show_file(struct job *job, const char *name)
{
	FILE *f = fopen(name, "re");

	if (f == NULL) {
		cli_error("\"%s\" is neither a record (enr:...) nor a file that can be read: %s",
			  name, strerror(errno));
		job->status = EXIT_FAILED;
		return;
	}
	show_lines(job, f, name);
	fclose(f);
}

static int read_records(struct cli *cli, char **args, unsigned args_count)
{
	struct job job = { .cli = cli, .status = EXIT_DONE };

	for (unsigned i = 0; i < args_count; i++) {
		if (strncmp(args[i], "enr:", 4) == 0)
			show_argument(&job, args[i]);
		else if (strcmp(args[i], "-") == 0)
			show_lines(&job, stdin, "the standard input");
		else
			show_file(&job, args[i]);
	}
	if (cli->json)
		fputs(job.any ? "\n]\n" : "[]\n", stdout);
	if (job.records == 0 && job.status == EXIT_DONE) {
		cli_error("there is no record; expected enr:..., one a line");
		job.status = EXIT_FAILED;
	}
	if (job.failed) {
		cli_error("out of memory, or the output could not be written");
		job.status = EXIT_FAILED;
	}
	return job.status;
}

/* --- making one --- */

static int set_address(const struct cli *cli, struct enr_draft *d, const char *key,
		       enum netaddr_kind kind, const char *text)
{
	struct netaddr a;

	if (text == NULL)
		return EXIT_DONE;
	if (!place_addr_parse(text, false, &a) || a.kind != kind)
		return cli_usage(cli,
				 "--%s: expected an IPv%c address of a host, without a port, "
				 "instead of \"%s\"",
				 key, kind == NETADDR_IPV4 ? '4' : '6', text);
	enr_draft_bytes(d, key, slice_of(a.bytes, netaddr_len(a.kind)));
	return EXIT_DONE;
}

static int fill(const struct cli *cli, const struct enr_options *o, struct enr_draft *d)
{
	const struct {
		const char *key;
		uint64_t port;
	} ports[] = {
		{ "udp", o->udp },
		{ "tcp", o->tcp },
		{ "udp6", o->udp6 },
		{ "tcp6", o->tcp6 },
	};
	int status;

	enr_draft_init(d, o->seq);
	status = set_address(cli, d, "ip", NETADDR_IPV4, o->ip);
	if (status == EXIT_DONE)
		status = set_address(cli, d, "ip6", NETADDR_IPV6, o->ip6);
	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++) {
		if (ports[i].port != 0)
			enr_draft_uint(d, ports[i].key, ports[i].port);
	}
	return status;
}

static int print_made(const struct cli *cli, struct slice record)
{
	char text[ENR_TEXT_MAX];
	struct reader r;
	struct enr e;
	json_t *o;

	/* What was signed is read again: nothing wrong is ever handed out. */
	reader_init(&r, record);
	enr_decode(&r, &e);
	if (!reader_ok(&r)) {
		cli_error("the record that was made is wrong (%s); please report this", r.rule);
		return EXIT_FAILED;
	}
	if (!cli->json) {
		enr_text(&e, text);
		puts(text);
		return EXIT_DONE;
	}
	o = enr_show_json(&e);
	if (o == NULL) {
		cli_error("out of memory");
		return EXIT_FAILED;
	}
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
	return EXIT_DONE;
}

static int make_record(const struct cli *cli, const struct enr_options *o)
{
	uint8_t record[ENR_LEN_MAX];
	struct enr_draft draft;
	struct node_key k;
	struct writer w;
	int status = fill(cli, o, &draft);

	if (status != EXIT_DONE)
		return status;
	status = node_key_read(o->key, false, &k);
	if (status == EXIT_DONE) {
		writer_init(&w, record, sizeof(record));
		enr_draft_sign(&draft, &k.secp, &k.key, &w);
		if (writer_ok(&w)) {
			status = print_made(cli, slice_of(record, w.len));
		} else {
			cli_error("the record is longer than 300 bytes; leave something out");
			status = EXIT_FAILED;
		}
	}
	node_key_clear(&k);
	return status;
}

/* --- the command --- */

static bool describes(const struct enr_options *o)
{
	return o->ip != NULL || o->ip6 != NULL || o->udp != 0 || o->tcp != 0 || o->udp6 != 0 ||
	       o->tcp6 != 0;
}

static int run(struct cli *cli, void *options, char **args, unsigned args_count)
{
	const struct enr_options *o = options;

	/* With a record, a key that the environment names for all commands has no part in it. */
	if (o->key != NULL && args_count == 0)
		return make_record(cli, o);
	if (describes(o))
		return cli_usage(cli, "an address or a port is for a new record, which needs the "
				      "key that signs it: --key FILE");
	if (args_count == 0)
		return cli_usage(cli, "RECORD is missing; expected enr:..., a file of such lines, "
				      "- for the standard input, or --key FILE to make one");
	return read_records(cli, args, args_count);
}

#define PORT_ROW(field, help_)                                                           \
	{                                                                                \
		.name = #field, .type = OPTION_UINT, .arg = "N", .min = 1, .max = 65535, \
		.help = help_, .offset = offsetof(struct enr_options, field)             \
	}

static const struct option_row rows[] = {
	{ .name = "key",
	  .letter = 'k',
	  .type = OPTION_TEXT,
	  .arg = "FILE",
	  .help = "make a record, signed with the key in this file (\"peerwalk key FILE\" makes "
		  "it)",
	  .offset = offsetof(struct enr_options, key) },
	{ .name = "seq",
	  .letter = 's',
	  .type = OPTION_UINT,
	  .arg = "N",
	  .initial = "1",
	  .help = "its sequence number; one that is to replace another needs a higher one",
	  .offset = offsetof(struct enr_options, seq) },
	{ .name = "ip",
	  .type = OPTION_TEXT,
	  .arg = "ADDRESS",
	  .help = "the IPv4 address in it",
	  .offset = offsetof(struct enr_options, ip) },
	PORT_ROW(udp, "the UDP port, where discovery listens"),
	PORT_ROW(tcp, "the TCP port, where RLPx listens"),
	{ .name = "ip6",
	  .type = OPTION_TEXT,
	  .arg = "ADDRESS",
	  .help = "the IPv6 address in it",
	  .offset = offsetof(struct enr_options, ip6) },
	PORT_ROW(udp6, "the UDP port at the IPv6 address, if it isn't that of --udp"),
	PORT_ROW(tcp6, "the TCP port at the IPv6 address, if it isn't that of --tcp"),
	{ .name = NULL },
};

const struct command command_enr = {
	.name = "enr",
	.summary = "checks Ethereum node records, and shows all that is in them; or makes one",
	.usage = "[RECORD|FILE|-]... [options]",
	.about =
		"A node record (EIP-778) is what a node says of itself, signed. RECORD is its "
		"text, "
		"\"enr:\" and URL-safe base64; FILE has one such text a line, with comments after "
		"a #; - is the standard input.\n"
		"\n"
		"Each record is checked in full, its signature and its order included, and printed "
		"with its node id, its enode:// URL and every key in it. The entry eth (EIP-2124) "
		"is shown with the chain that it belongs to; values that nobody here knows the "
		"meaning of are shown as hex. If a record is wrong, the rule that it breaks goes "
		"to stderr, the others are printed nevertheless, and the exit status is 1.\n"
		"\n"
		"With --key FILE a new record is made, signed and printed.\n",
	.examples = "peerwalk enr enr:-IS4QHCYrYZbAKWC...\n"
		    "    is it right, and what does it say?\n"
		    "peerwalk enr --json records.txt\n"
		    "    all records of a file, for programs\n"
		    "peerwalk enr --key node.key --ip 192.0.2.1 --udp 30303 --tcp 30303 --seq 2\n"
		    "    make one\n",
	.options = rows,
	.options_size = sizeof(struct enr_options),
	.args_min = 0,
	.args_max = 1000,
	.args_choices = "files",
	.run = run,
};
