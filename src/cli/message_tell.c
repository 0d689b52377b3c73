#include "cli/message_tell.h"

#include "cli/field_text.h"
#include "cli/terminal.h"
#include "io/wall.h"
#include "proto/ethereum/rlp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	SUMMARY_COLUMNS = 200, /* of a line that does not go to a terminal */
	SUMMARY_BYTES = 8,     /* shown of a field of bytes, in the summary */
	FIELD_BYTES_MAX = 32,  /* the same where each field has its line */
	FIELD_NAME_WIDTH = 16,
};

/* Collects the fields of one message. */
struct telling {
	size_t header; /* fields before this are the frame's */
	struct text text;
	json_t *fields; /* --json --verbose */
	bool cut;       /* a second element of a list has begun */
	bool in_list;   /* the name of a list is the last that was told */
	size_t limit;   /* bytes of text that a line has use for */
};

static void now_text(char out[static 32])
{
	format_time(wall_ms(), true, out);
}

/* "count 3 entry 0: type 5 hash ab...": the first of each list stands for all. */
static void summarize(void *ctx, const struct field *f)
{
	struct telling *t = ctx;

	if (f->at < t->header || t->cut || t->text.len > t->limit)
		return;
	if (rlp_field_is_list(f)) {
		/* Its name, before the first of its fields; that of the whole says nothing. */
		if (f->at > t->header)
			text_printf(&t->text, "%s%s", t->text.len > 0 ? ", " : "", f->name);
		t->in_list = f->at > t->header;
		return;
	}
	if (f->kind == FIELD_GROUP) {
		if (f->value > 0) {
			t->cut = true;
			text_add(&t->text, " ...");
		}
		return;
	}
	text_printf(&t->text, "%s%s ", t->in_list ? " " : t->text.len > 0 ? ", " : "", f->name);
	t->in_list = false;
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
static const char *tell_fields(const struct message_tell *m, field_fn *fn, struct telling *t)
{
	const struct network *network = m->network;
	const char *rule = NULL;
	size_t err_at;

	t->header = m->header;
	if (network->proto->explain(network, m->whole, fn, t, &err_at, &rule) == ERR_OK)
		return m->rule;
	return m->rule != NULL ? m->rule : rule;
}

static void print_json(const struct cli *cli, const struct message_tell *m)
{
	struct telling t = { 0 };
	const char *rule;
	char time[32];
	json_t *o;

	now_text(time);
	o = json_pack("{s:s, s:s, s:s, s:I}", "time", time, "peer", m->peer, "message", m->name,
		      "bytes", (json_int_t)m->bytes);
	if (cli->verbose > 0) {
		t.fields = json_array();
		rule = tell_fields(m, json_field, &t);
		json_object_set_new(o, "fields", t.fields);
		if (rule != NULL)
			json_object_set_new(o, "rule", json_string(rule));
	}
	if (m->more_json != NULL)
		json_object_update(o, m->more_json);
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

static size_t line_width(const struct cli *cli)
{
	return cli->out_is_terminal ? terminal_width(STDOUT_FILENO) : SUMMARY_COLUMNS;
}

static void print_text(const struct cli *cli, const struct message_tell *m)
{
	struct telling t = { 0 };
	const char *rule, *bold = cli->colour_out ? "\033[1m" : "";
	const char *plain = cli->colour_out ? "\033[0m" : "";
	size_t width = line_width(cli);
	char time[32];
	int head;

	now_text(time);
	head = printf("%.12s  %s%-12s%s %8zu", time + strlen("2026-01-01T"), bold, m->name, plain,
		      m->bytes);
	head -= (int)(strlen(bold) + strlen(plain));
	if (cli->verbose > 0) {
		rule = tell_fields(m, list_field, &t);
		printf("\n%s", t.text.data != NULL ? t.text.data : "");
	} else {
		t.limit = 4 * width;
		rule = tell_fields(m, summarize, &t);
		width = (size_t)head + 2 < width ? width - (size_t)head - 2 : 0;
		if (t.text.data != NULL)
			printf("  %.*s", (int)terminal_text_fit(t.text.data, width), t.text.data);
		putchar('\n');
	}
	if (m->more != NULL)
		printf("%s", m->more);
	if (rule != NULL)
		printf("      breaks a rule: %s\n", rule);
	text_clear(&t.text);
}

bool message_tell(const struct cli *cli, const struct message_tell *m)
{
	if (cli->json)
		print_json(cli, m);
	else
		print_text(cli, m);
	return fflush(stdout) == 0 && !ferror(stdout);
}
