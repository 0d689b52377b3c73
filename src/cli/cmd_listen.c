#include "cli/cli.h"

#include "cli/contacts.h"
#include "cli/field_text.h"
#include "cli/peer_text.h"
#include "cli/terminal.h"
#include "cli/visit_args.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct listen_options {
	struct visit_args visit; /* its timeout is not used: listening has no end */
	uint64_t duration_ms, count;
};

static const struct option_row options[] = {
	{ .name = "duration",
	  .letter = 'd',
	  .type = OPTION_DURATION,
	  .arg = "T",
	  .help = "stop after that time",
	  .offset = offsetof(struct listen_options, duration_ms) },
	{ .name = "count",
	  .letter = 'c',
	  .type = OPTION_UINT,
	  .arg = "N",
	  .help = "stop after so many messages",
	  .offset = offsetof(struct listen_options, count) },
	{ VISIT_ARGS_NETWORK(offsetof(struct listen_options, visit)) },
	{ CHAIN_ARG_MAGIC(offsetof(struct listen_options, visit.chain)) },
	{ CHAIN_ARG_PORT(offsetof(struct listen_options, visit.chain)) },
	{ VISIT_ARGS_CONNECT_TIMEOUT(offsetof(struct listen_options, visit)) },
	{ 0 },
};

enum {
	SUMMARY_COLUMNS = 200, /* of a line that does not go to a terminal */
	SUMMARY_BYTES = 8,     /* shown of a field of bytes, in the summary */
	FIELD_BYTES_MAX = 32,  /* the same where each field has its line */
	FIELD_NAME_WIDTH = 16,
};

struct listen {
	const struct cli *cli;
	const struct peer_arg *peer;
	const struct listen_options *options;
	uint64_t messages;
	bool enough; /* --count is reached, or nobody reads our output any more */
	int status;
};

/* Collects the fields of one message. */
struct telling {
	size_t header; /* fields before this are the frame's */
	struct text text;
	json_t *fields; /* --json --verbose */
	bool cut;       /* a second element of a list has begun */
	size_t limit;   /* bytes of text that a line has use for */
};

static void now_text(char out[static 32])
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	format_time((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, true, out);
}

/* "count 3 entry 0: type 5 hash ab...": the first of each list stands for all. */
static void summarize(void *ctx, const struct field *f)
{
	struct telling *t = ctx;

	if (f->at < t->header || t->cut || t->text.len > t->limit)
		return;
	if (f->kind == FIELD_GROUP) {
		if (f->value > 0) {
			t->cut = true;
			text_add(&t->text, " ...");
		}
		return;
	}
	text_printf(&t->text, "%s%s ", t->text.len > 0 ? ", " : "", f->name);
	field_text_add(&t->text, f, SUMMARY_BYTES);
	field_text_add_meaning(&t->text, f);
}

static void list_field(void *ctx, const struct field *f)
{
	struct telling *t = ctx;

	if (f->at < t->header)
		return;
	if (f->kind == FIELD_GROUP) {
		text_printf(&t->text, "    %s %" PRIu64 "\n", f->name, f->value);
		return;
	}
	text_printf(&t->text, "      %-*s  ", FIELD_NAME_WIDTH, f->name);
	field_text_add(&t->text, f, FIELD_BYTES_MAX);
	field_text_add_meaning(&t->text, f);
	text_add(&t->text, "\n");
}

static void json_field(void *ctx, const struct field *f)
{
	struct telling *t = ctx;
	json_t *o;

	if (f->at < t->header)
		return;
	o = json_object();
	json_object_set_new(o, "name", json_string(f->name));
	json_object_set_new(o, f->kind == FIELD_GROUP ? "index" : "value", field_text_json(f));
	if (f->text != NULL && f->kind != FIELD_ADDR)
		json_object_set_new(o, "meaning", json_string(f->text));
	json_array_append_new(t->fields, o);
}

/* Returns the rule that the message breaks, or NULL. */
static const char *tell_fields(const struct network *network, const struct session_event *event,
			       field_fn *fn, struct telling *t)
{
	size_t err_at;
	const char *rule = NULL;

	t->header = event->whole.len - event->payload.len;
	return network->proto->explain(network, event->whole, fn, t, &err_at, &rule) != ERR_OK
		       ? rule
		       : NULL;
}

static void print_json(struct listen *l, const struct session_event *event)
{
	struct telling t = { 0 };
	char time[32], name[CONTACTS_TEXT_MAX];
	const char *rule;
	json_t *o;

	now_text(time);
	contacts_peer_text(l->peer, NULL, name);
	o = json_pack("{s:s, s:s, s:s, s:I}", "time", time, "peer", name, "message", event->name,
		      "bytes", (json_int_t)event->payload.len);
	if (l->cli->verbose > 0) {
		t.fields = json_array();
		rule = tell_fields(l->peer->network, event, json_field, &t);
		json_object_set_new(o, "fields", t.fields);
		if (rule != NULL)
			json_object_set_new(o, "rule", json_string(rule));
	}
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

static size_t line_width(const struct cli *cli)
{
	return cli->out_is_terminal ? terminal_width(STDOUT_FILENO) : SUMMARY_COLUMNS;
}

static void print_text(struct listen *l, const struct session_event *event)
{
	struct telling t = { 0 };
	const char *rule, *bold = l->cli->colour_out ? "\033[1m" : "";
	const char *plain = l->cli->colour_out ? "\033[0m" : "";
	size_t width = line_width(l->cli);
	char time[32];
	int head;

	now_text(time);
	head = printf("%.12s  %s%-12s%s %8zu", time + strlen("2026-01-01T"), bold, event->name,
		      plain, event->payload.len);
	head -= (int)(strlen(bold) + strlen(plain));
	if (l->cli->verbose > 0) {
		rule = tell_fields(l->peer->network, event, list_field, &t);
		printf("\n%s", t.text.data != NULL ? t.text.data : "");
	} else {
		t.limit = 4 * width;
		rule = tell_fields(l->peer->network, event, summarize, &t);
		width = (size_t)head + 2 < width ? width - (size_t)head - 2 : 0;
		if (t.text.data != NULL)
			printf("  %.*s", (int)terminal_text_fit(t.text.data, width), t.text.data);
		putchar('\n');
	}
	if (rule != NULL)
		printf("      breaks a rule: %s\n", rule);
	text_clear(&t.text);
}

static void on_event(void *ctx, struct visit *v, struct session_event *event)
{
	struct listen *l = ctx;

	if (event->kind != SESSION_EVENT_MESSAGE || l->enough)
		return;
	if (l->cli->json)
		print_json(l, event);
	else
		print_text(l, event);
	l->messages++;
	/* Nobody reads any more: the other end of the pipe is closed. */
	l->enough = fflush(stdout) != 0 || ferror(stdout) ||
		    (l->options->count > 0 && l->messages >= l->options->count);
	if (l->enough)
		visit_cancel(v, 0);
}

static void on_done(void *ctx, unsigned index, const struct record *r, const char *why)
{
	struct listen *l = ctx;
	char name[CONTACTS_TEXT_MAX];
	const char *hint;

	(void)index;
	contacts_peer_text(l->peer, r, name);
	if (r == NULL) {
		cli_error("%s: no answer: %s", name, why);
		l->status = EXIT_UNREACHED;
		return;
	}
	if (r->outcome == OUTCOME_CANCELLED && (r->reached || l->messages > 0))
		return; /* --duration, --count or a signal */
	hint = peer_text_hint(r->outcome);
	if (!r->reached) {
		cli_error("%s: %s (%s). %s", name, outcome_text(r->outcome),
			  outcome_name(r->outcome), hint != NULL ? hint : "");
		l->status = EXIT_UNREACHED;
		return;
	}
	if (r->outcome == OUTCOME_OK || r->outcome == OUTCOME_NO_PEERS)
		cli_error("%s: closed the connection after %" PRIu64
			  " messages; it may want its place back: try again",
			  name, l->messages);
	else
		cli_error("%s: %s (%s)%s%s", name, outcome_text(r->outcome),
			  outcome_name(r->outcome), r->rule != NULL ? ": " : "",
			  r->rule != NULL ? r->rule : "");
	l->status = EXIT_FAILED;
}

static int run(struct cli *cli, void *values, char **args, unsigned args_count)
{
	const struct listen_options *o = values;
	struct peer_arg peer;
	struct listen l = { .cli = cli, .peer = &peer, .options = o };
	struct contacts_config config = { .cli = cli,
					  .peers = &peer,
					  .count = 1,
					  .duration_ms = o->duration_ms,
					  .on_done = on_done,
					  .ctx = &l };
	struct network chain;
	int status = visit_args_read(cli, &o->visit, args, args_count, &chain, &peer);

	if (status != EXIT_DONE)
		return status;
	visit_args_config(&o->visit, SESSION_GOAL_LISTEN, &config.visit);
	config.visit.on_event = on_event;
	config.visit.on_event_ctx = &l;
	status = contacts_run(&config);
	return status != EXIT_DONE ? status : l.status;
}

const struct command command_listen = {
	.name = "listen",
	.summary = "prints each message of a peer as it arrives, decoded",
	.usage = "PEER [options]",
	.about =
		"Shakes hands, then prints one line a message: the time (UTC), its name, the bytes "
		"of its payload, and the first of its fields. With --verbose each field has a line "
		"of its own. Goes on until it is interrupted, or the peer closes.\n"
		"\n"
		"To keep the packets themselves, run beside it:\n"
		"  tshark -i any -f 'tcp port 8333' -w bitcoin.pcapng\n",
	.examples = "peerwalk listen bitcoin://127.0.0.1\n"
		    "    what does the node on this machine talk about?\n"
		    "peerwalk listen --verbose --count 20 bitcoin-testnet4://203.0.113.5\n"
		    "    every field of the first twenty messages\n"
		    "peerwalk listen --json --duration 1h bitcoin://203.0.113.5 > messages.jsonl\n"
		    "    an hour's messages, one JSON object a line\n",
	.options = options,
	.options_size = sizeof(struct listen_options),
	.args_min = 1,
	.args_max = 1,
	.args_choices = "peers",
	.run = run,
};
