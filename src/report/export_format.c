#include "report/export_format.h"

#include <string.h>

/* A million rows have twenty million numbers: printf would be half of the work. */
static void add_uint(struct text *out, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	text_add_slice(out, slice_of(digits + at, sizeof(digits) - at));
}

static void add_int(struct text *out, int64_t v)
{
	if (v < 0)
		text_add(out, "-");
	add_uint(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static void add_time(struct text *out, int64_t unix_ms, bool with_ms)
{
	char time[32];

	text_add_slice(out, slice_of(time, format_time(unix_ms, with_ms, time)));
}

static void csv_cell(struct text *out, const struct export_cell *cell)
{
	switch (cell->kind) {
	case EXPORT_NONE:
		break;
	case EXPORT_INT:
	case EXPORT_BOOL:
		add_int(out, cell->number);
		break;
	case EXPORT_UINT:
		add_uint(out, cell->unumber);
		break;
	case EXPORT_TIME:
	case EXPORT_TIME_MS:
		add_time(out, cell->number, cell->kind == EXPORT_TIME_MS);
		break;
	case EXPORT_PLAIN:
		text_add_slice(out, cell->text);
		break;
	case EXPORT_STRANGER:
		text_add_csv(out, cell->text);
		break;
	}
}

/* RFC 4180, but with bare newlines, as every tool on Unix writes them. */
void export_csv(struct text *out, enum export_step step, uint64_t row, const char *const *names,
		const struct export_cell *cells, size_t count)
{
	(void)row;
	if (step == EXPORT_TAIL)
		return;
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			text_add(out, ",");
		if (step == EXPORT_HEAD)
			text_add(out, names[i]);
		else
			csv_cell(out, &cells[i]);
	}
	text_add(out, "\n");
}

/* What text_add_escaped leaves needs only these two escapes in JSON (RFC 8259, 7). */
void export_json_text(struct text *out, struct slice s)
{
	struct text plain = { 0 };
	size_t from = 0;

	text_add_escaped(&plain, s);
	if (plain.err != ERR_OK)
		out->err = plain.err;
	text_add(out, "\"");
	for (size_t i = 0; i < plain.len; i++) {
		if (plain.data[i] != '"' && plain.data[i] != '\\')
			continue;
		text_add_slice(out, slice_of(plain.data + from, i - from));
		text_add(out, "\\");
		from = i;
	}
	text_add_slice(out, slice_of(plain.data + from, plain.len - from));
	text_add(out, "\"");
	text_clear(&plain);
}

static void json_cell(struct text *out, const struct export_cell *cell)
{
	bool quoted = false;

	switch (cell->kind) {
	case EXPORT_NONE:
		text_add(out, "null");
		return;
	case EXPORT_BOOL:
		text_add(out, cell->number != 0 ? "true" : "false");
		return;
	case EXPORT_STRANGER:
		export_json_text(out, cell->text);
		return;
	case EXPORT_UINT:
		/* More than 63 bits would break readers that have signed integers only. */
		quoted = cell->unumber > INT64_MAX;
		break;
	case EXPORT_INT:
		break;
	case EXPORT_TIME:
	case EXPORT_TIME_MS:
	case EXPORT_PLAIN:
		quoted = true;
		break;
	}
	text_add(out, quoted ? "\"" : "");
	csv_cell(out, cell);
	text_add(out, quoted ? "\"" : "");
}

static void json_object(struct text *out, const char *const *names, const struct export_cell *cells,
			size_t count)
{
	for (size_t i = 0; i < count; i++) {
		text_add(out, i == 0 ? "{\"" : ",\"");
		text_add(out, names[i]);
		text_add(out, "\":");
		json_cell(out, &cells[i]);
	}
	text_add(out, "}");
}

/* One array, one object a line. */
void export_json(struct text *out, enum export_step step, uint64_t row, const char *const *names,
		 const struct export_cell *cells, size_t count)
{
	switch (step) {
	case EXPORT_HEAD:
		text_add(out, "[");
		break;
	case EXPORT_ROW:
		text_add(out, row > 0 ? ",\n" : "\n");
		json_object(out, names, cells, count);
		break;
	case EXPORT_TAIL:
		text_add(out, "\n]\n");
		break;
	}
}

/* One object a line, and nothing else. */
void export_jsonl(struct text *out, enum export_step step, uint64_t row, const char *const *names,
		  const struct export_cell *cells, size_t count)
{
	(void)row;
	if (step != EXPORT_ROW)
		return;
	json_object(out, names, cells, count);
	text_add(out, "\n");
}

bool export_place(const struct export_options *options, const struct netaddr *addr,
		  struct geo_place *out)
{
	geo_find(options->geo, addr, out);
	return (options->country[0] == 0 || strcmp(options->country, out->country) == 0) &&
	       (options->asn == 0 || options->asn == out->asn);
}

enum err export_flush(struct text *out, size_t least, export_sink_fn *sink, void *sink_ctx)
{
	enum err err = out->err;

	if (err != ERR_OK || out->len < least)
		return err;
	err = sink(sink_ctx, slice_of(out->data, out->len));
	out->len = 0;
	return err;
}
