/* report_kept.c: the report of a crawl that has ended, as the store keeps it.
 *
 * Values stand there as they were counted; what they are called (services, forks) is said when they
 * are read. As JSON:
 *
 *     {"visited", "reached", "nodes": bool, "tip"?, "before"?: [CRAWL, CAME, WENT],
 *      "tables": {KEY: [TOTAL, DISTINCT, OTHERS, [[VALUE, COUNT, LABEL?] ...]]},
 *      "times": {KEY: [COUNT, MEDIAN, P90, BIN ...]}, "counts": {KEY: [COUNT, MEDIAN, P90]},
 *      "uptime"?: {WINDOW: [COUNT, BIN ...]}}
 *
 * A database may be anybody's: whatever does not have this form is as if nothing were kept. */
#include "report/report_gather.h"

#include "report/json_text.h"
#include "store/watch.h"

#include <stdlib.h>
#include <string.h>

/* Rows of each table: what a page, a chart over time or a person asks for. */
enum { KEPT_ROWS = 100 };

/* --- writing --- */

/* Of the others the label is made of the value. */
static bool has_label(enum report_table_id id)
{
	return id == REPORT_COUNTRIES || id == REPORT_ASNS;
}

static json_t *row_json(enum report_table_id id, const struct report_row *row)
{
	json_t *value = row->is_number ? json_integer(row->number)
				       : json_string(row->value != NULL ? row->value : row->label);

	if (has_label(id))
		return json_pack("[o, I, s]", value, (json_int_t)row->count, row->label);
	return json_pack("[o, I]", value, (json_int_t)row->count);
}

static json_t *table_json(enum report_table_id id, const struct report_table *t)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < t->count; i++)
		json_array_append_new(rows, row_json(id, &t->rows[i]));
	return json_pack("[I, I, I, o]", (json_int_t)t->total, (json_int_t)t->distinct,
			 (json_int_t)t->others, json_whole(rows, t->count));
}

static json_t *numbers_json(const uint64_t *numbers, size_t count)
{
	json_t *out = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(out, json_integer((json_int_t)numbers[i]));
	return json_whole(out, count);
}

static json_t *times_json(const struct report_times *t)
{
	uint64_t numbers[3 + REPORT_BINS] = { t->count, t->median_ms, t->p90_ms };

	memcpy(numbers + 3, t->bins, sizeof(t->bins));
	return numbers_json(numbers, 3 + REPORT_BINS);
}

static json_t *uptime_json(const struct report_uptime *u)
{
	uint64_t numbers[1 + REPORT_UPTIME_BINS] = { u->count };

	memcpy(numbers + 1, u->bins, sizeof(u->bins));
	return numbers_json(numbers, 1 + REPORT_UPTIME_BINS);
}

/* As it is kept; NULL: out of memory. */
static json_t *kept_json(const struct report *r)
{
	json_t *tables = json_object(), *times = json_object(), *counts = json_object();
	json_t *out = json_pack("{s:I s:I s:b s:o s:o s:o}", "visited", (json_int_t)r->visited,
				"reached", (json_int_t)r->reached, "nodes", (int)r->has_nodes,
				"tables", tables, "times", times, "counts", counts);
	int failed = out == NULL;

	for (unsigned i = 0; i < REPORT_TABLES && !failed; i++) {
		if (r->tables[i].total > 0)
			failed |= json_object_set_new(tables, r->tables[i].key,
						      table_json(i, &r->tables[i]));
	}
	for (unsigned i = 0; i < REPORT_TIMES && !failed; i++)
		failed |= json_object_set_new(times, r->times[i].key, times_json(&r->times[i]));
	for (unsigned i = 0; i < REPORT_COUNTS && !failed; i++) {
		const struct report_counts *c = &r->counts[i];
		uint64_t numbers[] = { c->count, c->median, c->p90 };

		failed |= json_object_set_new(counts, c->key, numbers_json(numbers, 3));
	}
	if (!failed && r->has_tip)
		failed |= json_object_set_new(out, "tip", json_integer(r->tip));
	if (!failed && r->before_id != 0)
		failed |= json_object_set_new(out, "before",
					      json_pack("[I, I, I]", (json_int_t)r->before_id,
							(json_int_t)r->came, (json_int_t)r->went));
	if (!failed && r->has_uptime) {
		json_t *uptime = json_object();

		for (unsigned i = 0; i < REPORT_UPTIMES; i++)
			failed |= json_object_set_new(uptime, r->uptime[i].key,
						      uptime_json(&r->uptime[i]));
		failed |= json_object_set_new(out, "uptime", uptime);
	}
	if (failed) {
		json_decref(out);
		return NULL;
	}
	return out;
}

enum err report_keep(struct store *s, const struct report_options *options)
{
	struct report_options ask = *options;
	struct report r = { 0 };
	struct text text = { 0 };
	enum err err;

	ask.top = KEPT_ROWS;
	ask.forks_count = 0;
	report_name_parts(&r);
	err = store_crawl_get(s, options->crawl_id, NULL, &r.crawl);
	if (err == ERR_OK)
		err = report_walk(s, &ask, &r);
	if (err == ERR_OK)
		err = report_before_gather(s, &ask, &r);
	if (err == ERR_OK)
		err = report_uptime_gather(s, &r);
	if (err == ERR_OK)
		err = json_text_add(&text, kept_json(&r), JSON_COMPACT);
	if (err == ERR_OK)
		err = store_report_put(s, r.crawl.id, REPORT_KEPT_VERSION,
				       slice_of(text.data, text.len));
	text_clear(&text);
	report_clear(&r);
	return err;
}

/* --- reading --- */

struct kept_reader {
	const struct report_options *options;
	struct report *report;
	bool whatever; /* as many rows as there are will do */
};

static uint64_t count_at(const json_t *array, size_t i)
{
	json_int_t n = json_integer_value(json_array_get(array, i));

	return n > 0 ? (uint64_t)n : 0;
}

/* Tables of few values are never cut. */
static bool may_cut(enum report_table_id id)
{
	return id != REPORT_OUTCOMES && id != REPORT_KINDS && id != REPORT_SERVICE_BITS &&
	       id != REPORT_HEIGHTS;
}

static enum err read_row(const struct kept_reader *in, enum report_table_id id, const json_t *row)
{
	const json_t *value = json_array_get(row, 0);
	const char *label = json_string_value(json_array_get(row, 2));
	struct text safe = { 0 }, safe_label = { 0 };
	enum err err;

	if (!report_has_numbers(id) && !json_is_string(value))
		return ERR_NOT_FOUND;
	/* They were harmless when they were written; but anybody may have written. */
	if (label != NULL)
		text_add_escaped_rest(&safe_label, label);
	text_add(&safe, "");
	if (json_is_string(value))
		text_add_escaped_rest(&safe, json_string_value(value));
	err = safe.err != ERR_OK ? safe.err : safe_label.err;
	if (err == ERR_OK && report_has_numbers(id))
		err = report_number_row(in->report, in->options, id, json_integer_value(value),
					safe_label.data, count_at(row, 1));
	else if (err == ERR_OK)
		err = report_text_row(in->report, in->options, id, safe.data, safe_label.data,
				      count_at(row, 1));
	text_clear(&safe);
	text_clear(&safe_label);
	return err;
}

static enum err read_table(const struct kept_reader *in, enum report_table_id id,
			   const json_t *table)
{
	struct report_table *t = &in->report->tables[id];
	const json_t *rows = json_array_get(table, 3);
	size_t top = in->options->top;
	enum err err = ERR_OK;

	if (table == NULL)
		return ERR_OK;
	t->total = count_at(table, 0);
	t->distinct = count_at(table, 1);
	t->others = count_at(table, 2);
	if (may_cut(id) && (top == 0 || top > json_array_size(rows)) && !in->whatever &&
	    t->distinct > json_array_size(rows))
		return ERR_NOT_FOUND;
	for (size_t i = 0; i < json_array_size(rows) && err == ERR_OK; i++) {
		const json_t *row = json_array_get(rows, i);

		if (top == 0 || i < top || !may_cut(id))
			err = read_row(in, id, row);
		else if (id != REPORT_CAPABILITIES)
			t->others += count_at(row, 1);
	}
	return err;
}

static void read_times(const json_t *doc, struct report *r)
{
	for (unsigned i = 0; i < REPORT_TIMES; i++) {
		struct report_times *t = &r->times[i];
		const json_t *numbers = json_object_get(json_object_get(doc, "times"), t->key);

		t->count = count_at(numbers, 0);
		t->median_ms = (uint32_t)count_at(numbers, 1);
		t->p90_ms = (uint32_t)count_at(numbers, 2);
		for (unsigned bin = 0; bin < REPORT_BINS; bin++)
			t->bins[bin] = count_at(numbers, 3 + bin);
	}
	for (unsigned i = 0; i < REPORT_COUNTS; i++) {
		struct report_counts *c = &r->counts[i];
		const json_t *numbers = json_object_get(json_object_get(doc, "counts"), c->key);

		c->count = count_at(numbers, 0);
		c->median = (uint32_t)count_at(numbers, 1);
		c->p90 = (uint32_t)count_at(numbers, 2);
	}
}

static void read_more(const json_t *doc, struct report *r)
{
	const json_t *before = json_object_get(doc, "before"), *tip = json_object_get(doc, "tip");
	const json_t *uptime = json_object_get(doc, "uptime");

	r->visited = (uint64_t)json_integer_value(json_object_get(doc, "visited"));
	r->reached = (uint64_t)json_integer_value(json_object_get(doc, "reached"));
	r->has_nodes = json_is_true(json_object_get(doc, "nodes"));
	r->has_tip = json_is_integer(tip);
	r->tip = json_integer_value(tip);
	r->before_id = (int64_t)count_at(before, 0);
	r->came = count_at(before, 1);
	r->went = count_at(before, 2);
	r->has_uptime = uptime != NULL;
	for (unsigned i = 0; i < REPORT_UPTIMES; i++) {
		struct report_uptime *u = &r->uptime[i];
		const json_t *numbers = json_object_get(uptime, u->key);

		u->count = count_at(numbers, 0);
		for (unsigned bin = 0; bin < REPORT_UPTIME_BINS; bin++)
			u->bins[bin] = count_at(numbers, 1 + bin);
	}
}

static bool is_count(const json_t *value)
{
	return json_is_integer(value) && json_integer_value(value) >= 0;
}

enum err report_kept_parse(struct slice text, json_t **out)
{
	json_error_t error = { 0 };

	*out = json_loadb((const char *)text.data, text.len, 0, &error);
	if (*out == NULL) /* jansson tells of what is written, but not of memory */
		return error.text[0] == '\0' ? ERR_NOMEM : ERR_NOT_FOUND;
	if (is_count(json_object_get(*out, "visited")) &&
	    is_count(json_object_get(*out, "reached")) &&
	    json_is_object(json_object_get(*out, "tables")))
		return ERR_OK;
	json_decref(*out);
	*out = NULL;
	return ERR_NOT_FOUND;
}

static enum err on_text(void *ctx, struct slice text)
{
	const struct kept_reader *in = ctx;
	json_t *doc;
	enum err err = report_kept_parse(text, &doc);
	const json_t *tables = json_object_get(doc, "tables");

	for (unsigned i = 0; i < REPORT_TABLES && err == ERR_OK; i++)
		err = read_table(in, i, json_object_get(tables, in->report->tables[i].key));
	if (err == ERR_OK) {
		read_times(doc, in->report);
		read_more(doc, in->report);
	}
	json_decref(doc);
	return err;
}

enum err report_kept_read(struct store *s, const struct report_options *options, bool whatever,
			  struct report *r)
{
	struct kept_reader in = { .options = options, .report = r, .whatever = whatever };
	enum err err = store_report_get(s, r->crawl.id, REPORT_KEPT_VERSION, on_text, &in);

	if (err == ERR_NOT_FOUND)
		report_empty(r);
	return err;
}
