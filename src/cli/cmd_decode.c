#include "cli/alloc.h"
#include "cli/chain_arg.h"
#include "cli/cli.h"
#include "cli/field_text.h"

#include "base/text.h"
#include "proto/bitcoin/messages.h"
#include "proto/bitcoin/session.h"
#include "proto/ethereum/session.h"
#include "proto/gossip/session.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	INPUT_MAX = 64 * 1024 * 1024, /* sixteen of the largest messages, as binary */
	READ_STEP = 64 * 1024,
	NAME_WIDTH = 22,      /* "previous filter header" */
	BYTES_SHOWN_MAX = 65, /* of a long value, without --verbose; a signature fits */
};

struct decode_options {
	const char *payload;
	struct chain_arg chain;
};

/* What is decoded, and where the first rule is broken. */
struct job {
	const struct cli *cli;
	struct network network;
	const char *payload; /* the command, or NULL for whole messages */
	struct slice in;
	enum err err;
	size_t err_at;
	const char *rule;
	/* while printing */
	int offset_width;
	bool any;    /* JSON: something stands before */
	bool marked; /* the broken field was told, and marked */
	bool failed; /* out of memory */
};

/* --- input --- */

/* The whole stream; NULL after an error, which was printed. */
static uint8_t *read_stream(FILE *f, const char *name, size_t *len)
{
	uint8_t *data = NULL;
	size_t got, cap = 0;

	*len = 0;
	do {
		if (cap - *len < READ_STEP) {
			cap = cap == 0 ? READ_STEP : cap * 2;
			data = alloc_grow(data, cap, 1);
		}
		got = fread(data + *len, 1, READ_STEP, f);
		*len += got;
	} while (got > 0 && *len <= INPUT_MAX);
	if (ferror(f)) {
		cli_error("cannot read %s: %s", name, strerror(errno));
	} else if (*len > INPUT_MAX) {
		cli_error("%s is longer than 64 MiB; cut it into its messages", name);
	} else if (*len == 0) {
		cli_error("%s is empty; give the bytes as hex or binary", name);
	} else {
		return data;
	}
	free(data);
	return NULL;
}

static bool is_hex_text(const uint8_t *data, size_t len)
{
	bool any = false;

	for (size_t i = 0; i < len; i++) {
		if (isxdigit(data[i]))
			any = true;
		else if (!isspace(data[i]))
			return false;
	}
	return any;
}

/* Hex with blanks anywhere, in place; false if a digit is missing. */
static bool unhex(uint8_t *data, size_t *len)
{
	size_t digits = 0;
	enum err err;

	for (size_t i = 0; i < *len; i++) {
		if (!isspace(data[i]))
			data[digits++] = data[i];
	}
	err = hex_decode(slice_of(data, digits), data, digits / 2, len);
	return err == ERR_OK;
}

/* What is decoded as the text it is: a record or an URL of Ethereum, a line of gossip. */
static bool is_text(const struct network *network, struct slice in)
{
	static const struct {
		const struct proto *proto;
		const char *start;
	} rows[] = {
		{ &ethereum_proto, "enr:" },
		{ &ethereum_proto, "enode://" },
		{ &gossip_proto, "{" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t len = strlen(rows[i].start);

		if (network->proto == rows[i].proto && in.len >= len &&
		    memcmp(in.data, rows[i].start, len) == 0)
			return true;
	}
	return false;
}

static int read_input(const struct network *network, const char *arg, uint8_t **data, size_t *len)
{
	const char *name = arg;
	FILE *f = stdin;

	*data = NULL;
	if (arg != NULL &&
	    (is_hex_text((const uint8_t *)arg, strlen(arg)) || is_text(network, slice_text(arg)))) {
		*len = strlen(arg);
		*data = (uint8_t *)alloc_text(arg, *len);
		name = "the argument";
	} else {
		if (arg == NULL || strcmp(arg, "-") == 0)
			name = "the standard input";
		else
			f = fopen(arg, "rb");
		if (f == NULL) {
			cli_error("\"%s\" is neither hex nor a file that can be read: %s", arg,
				  strerror(errno));
			return EXIT_FAILED;
		}
		*data = read_stream(f, name, len);
		if (f != stdin)
			fclose(f);
		if (*data == NULL)
			return EXIT_FAILED;
	}
	/* The line end of a file is no part of the text. */
	while (is_text(network, slice_of(*data, *len)) && isspace((*data)[*len - 1]))
		--*len;
	if (is_hex_text(*data, *len) && !unhex(*data, len)) {
		cli_error("%s has an odd number of hex digits; one is missing", name);
		free(*data);
		*data = NULL;
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

/* --- the listing --- */

static const char *kind_name(enum field_kind kind)
{
	switch (kind) {
	case FIELD_UINT:
		return "uint";
	case FIELD_INT:
		return "int";
	case FIELD_HEX:
		return "hex";
	case FIELD_TIME:
		return "time";
	case FIELD_BYTES:
		return "bytes";
	case FIELD_TEXT:
		return "text";
	case FIELD_HASH:
		return "hash";
	case FIELD_ADDR:
		return "address";
	case FIELD_GROUP:
		return "group";
	}
	return "";
}

static const char *red(const struct job *job)
{
	return job->cli->colour_out ? "\033[1;31m" : "";
}

static const char *plain(const struct job *job)
{
	return job->cli->colour_out ? "\033[0m" : "";
}

/* Where the input ends early, the rule is the name of the field that isn't there. */
static const char *rule_word(const struct job *job)
{
	return job->err == ERR_SHORT ? "; what is cut off: " : "; the rule: ";
}

static void print_group(const struct job *job, const struct field *f)
{
	printf("%*zu  %6s  %s %" PRIu64 "\n", job->offset_width, f->at, "", f->name, f->value);
}

static void print_field(void *ctx, const struct field *f)
{
	struct job *job = ctx;
	struct text t = { 0 };
	struct field shown = *f;
	size_t cut = 0;
	bool here = job->err != ERR_OK && job->err_at >= f->at && job->err_at < f->at + f->len;

	if (f->kind == FIELD_GROUP) {
		print_group(job, f);
		return;
	}
	if (f->kind == FIELD_BYTES && f->bytes.len > BYTES_SHOWN_MAX && job->cli->verbose == 0) {
		cut = f->bytes.len - BYTES_SHOWN_MAX;
		shown.bytes.len = BYTES_SHOWN_MAX;
	}
	field_text_add(&t, &shown, SIZE_MAX);
	if (cut > 0)
		text_printf(&t, "... (%zu more; --verbose shows all)", cut);
	if (f->text != NULL && f->text[0] != '\0' && f->kind != FIELD_ADDR)
		text_printf(&t, t.len > 0 ? "  (%s)" : "(%s)", f->text);
	if (f->kind == FIELD_TIME)
		text_printf(&t, "  (%" PRId64 ")", (int64_t)f->value);
	job->failed = job->failed || t.err != ERR_OK;
	printf("%s%*zu  %6zu  %-*s  %s%s%s\n", here ? red(job) : "", job->offset_width, f->at,
	       f->len, NAME_WIDTH, f->name, t.data != NULL ? t.data : "", here ? "  <-- here" : "",
	       here ? plain(job) : "");
	job->marked = job->marked || here;
	text_clear(&t);
}

static void print_broken(const struct job *job)
{
	struct text t = { 0 };
	struct slice rest = slice_from(job->in, job->err_at);

	if (!job->marked) {
		size_t shown = rest.len < 16 ? rest.len : 16;

		field_text_add_hex(&t, slice_of(rest.data, shown), false);
		printf("%s%*zu  %6zu  %-*s  %s%s  <-- here%s\n", red(job), job->offset_width,
		       job->err_at, rest.len, NAME_WIDTH, "(not understood)",
		       t.data != NULL ? t.data : "", shown < rest.len ? "..." : "", plain(job));
		text_clear(&t);
	}
	printf("%serror at offset %zu: %s%s%s%s\n", red(job), job->err_at, err_text(job->err),
	       rule_word(job), job->rule, plain(job));
}

/* --- JSON --- */

static void print_json_field(void *ctx, const struct field *f)
{
	struct job *job = ctx;
	json_t *o = json_pack("{s:I, s:I, s:s, s:s, s:o*}", "offset", (json_int_t)f->at, "length",
			      (json_int_t)f->len, "name", f->name, "kind", kind_name(f->kind),
			      f->kind == FIELD_GROUP ? "index" : "value", field_text_json(f));

	if (o != NULL && f->kind == FIELD_TIME)
		json_object_set_new(o, "seconds", json_integer((json_int_t)f->value));
	if (o != NULL && f->text != NULL && f->kind != FIELD_ADDR)
		json_object_set_new(o, "meaning", json_string(f->text));
	fputs(job->any ? ",\n  " : "\n  ", stdout);
	if (o == NULL || json_dumpf(o, stdout, JSON_COMPACT) != 0)
		job->failed = true;
	job->any = true;
	json_decref(o);
}

static void print_json_error(struct job *job)
{
	json_t *o = json_pack("{s:I, s:s, s:s, s:s}", "offset", (json_int_t)job->err_at, "name",
			      err_name(job->err), "message", err_text(job->err), "rule", job->rule);

	if (o == NULL || json_dumpf(o, stdout, JSON_COMPACT) != 0)
		job->failed = true;
	json_decref(o);
}

/* --- the command --- */

static void explain(struct job *job, field_fn *on_field)
{
	struct reader r;

	job->rule = "";
	if (job->payload == NULL) {
		job->err = job->network.proto->explain(&job->network, job->in, on_field, job,
						       &job->err_at, &job->rule);
		return;
	}
	reader_init(&r, job->in);
	r.on_field = on_field;
	r.on_field_ctx = job;
	bitcoin_payload_explain(&r, bitcoin_command_find(job->payload));
	job->err = r.err;
	job->err_at = r.err_at;
	job->rule = r.rule;
}

static void ignore_field(void *ctx, const struct field *f)
{
	(void)ctx;
	(void)f;
}

static void print_listing(struct job *job)
{
	char number[32];

	explain(job, ignore_field); /* so that the broken field can be marked as it passes */
	job->offset_width = snprintf(number, sizeof(number), "%zu", job->in.len);
	if (job->offset_width < (int)strlen("offset"))
		job->offset_width = (int)strlen("offset");
	printf("%*s  %6s  %-*s  %s\n", job->offset_width, "offset", "length", NAME_WIDTH, "field",
	       "value");
	explain(job, print_field);
	if (job->err != ERR_OK)
		print_broken(job);
}

static void print_json(struct job *job)
{
	json_t *name = json_string(job->network.name);

	fputs("{\"network\": ", stdout);
	if (name == NULL || json_dumpf(name, stdout, JSON_ENCODE_ANY) != 0)
		job->failed = true;
	json_decref(name);
	printf(", \"length\": %zu, \"fields\": [", job->in.len);
	explain(job, print_json_field);
	printf("\n], \"ok\": %s, \"error\": ", job->err == ERR_OK ? "true" : "false");
	if (job->err != ERR_OK)
		print_json_error(job);
	else
		fputs("null", stdout);
	fputs("}\n", stdout);
}

static int check_payload(const struct cli *cli, const struct job *job)
{
	if (job->payload == NULL)
		return EXIT_DONE;
	if (job->network.proto != &bitcoin_proto)
		return cli_usage(cli, "--payload is for networks that speak Bitcoin's protocol");
	if (bitcoin_command_find(job->payload) == BITCOIN_UNKNOWN)
		return cli_usage(cli,
				 "--payload: no message is called \"%s\"; expected a command "
				 "such as version, addrv2 or tx",
				 job->payload);
	return EXIT_DONE;
}

static int run(struct cli *cli, void *options, char **args, unsigned args_count)
{
	const struct decode_options *o = options;
	struct job job = { .cli = cli, .payload = o->payload };
	uint8_t *data;
	size_t len;
	int status = chain_arg_read(cli, &o->chain, args[0], &job.network);

	if (status == EXIT_DONE)
		status = check_payload(cli, &job);
	if (status == EXIT_DONE)
		status = read_input(&job.network, args_count > 1 ? args[1] : NULL, &data, &len);
	if (status != EXIT_DONE)
		return status;
	job.in = slice_of(data, len);
	if (cli->json)
		print_json(&job);
	else
		print_listing(&job);
	if (job.failed) {
		cli_error("out of memory, or the output could not be written");
		status = EXIT_FAILED;
	} else if (job.err != ERR_OK) {
		cli_error("%s at offset %zu%s%s", err_text(job.err), job.err_at, rule_word(&job),
			  job.rule);
		status = EXIT_FAILED;
	}
	free(data);
	return status;
}

static const struct option_row rows[] = {
	{ .name = "payload",
	  .letter = 'p',
	  .type = OPTION_TEXT,
	  .arg = "COMMAND",
	  .help = "the input is the payload of this Bitcoin message, without the 24-byte header",
	  .offset = offsetof(struct decode_options, payload),
	  .choices = "version addr addrv2 ping inv headers tx block feature alert" },
	{ CHAIN_ARG_MAGIC(offsetof(struct decode_options, chain)) },
	{ CHAIN_ARG_PORT(offsetof(struct decode_options, chain)) },
	{ .name = NULL },
};

const struct command command_decode = {
	.name = "decode",
	.summary = "names each field of a message, and the place and rule of the first error",
	.usage = "NETWORK [HEX|FILE|-] [options]",
	.about =
		"Takes one or more whole messages as hex (blanks and line ends don't matter) or "
		"as they are, from the command line, a file or the standard input, and prints "
		"each field with its offset, its length and its value.\n"
		"\n"
		"The first byte that breaks a rule of the protocol is marked, with the rule and "
		"the document that it comes from; the exit status is then 1. Text that a peer "
		"wrote is printed with control characters escaped. Hashes are printed the way "
		"block explorers do, with the last byte first.\n"
		"\n"
		"For a network of Ethereum the input is one of these, and tells which: a packet of "
		"discovery v4 (with who signed it), a node record as text (enr:...) or as its RLP "
		"bytes, an enode:// URL, or any other RLP item, whose elements are named by "
		"their place: item 0.3 is the fourth element of the first one. Fields of length 0 "
		"are computed from others.\n"
		"\n"
		"For gossip it is lines of JSON, as they are.\n",
	.examples =
		"peerwalk decode bitcoin "
		"f9beb4d976657261636b000000000000000000005df6e0e2\n"
		"    a verack\n"
		"peerwalk decode bitcoin capture.bin --json\n"
		"    every field of the messages in a file, for programs\n"
		"peerwalk decode bitcoin --payload addrv2 - < payload.hex\n"
		"    a payload without its header\n"
		"peerwalk decode ethereum packet.bin\n"
		"    one UDP datagram of discovery: who signed it, whom it names\n"
		"peerwalk decode ethereum enr:-IS4QHCYrYZbAKWC...\n"
		"    a node record, pair by pair\n"
		"peerwalk decode ethereum c88363617483646f67\n"
		"    any RLP\n"
		"peerwalk decode gossip '{\"msgtype\":\"addr\",\"peers\":[\"192.0.2.1:5999\"]}'\n"
		"    a line of a gossip network\n",
	.options = rows,
	.options_size = sizeof(struct decode_options),
	.args_min = 1,
	.args_max = 2,
	.args_choices = "networks",
	.run = run,
};
