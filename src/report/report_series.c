/* report_series.c: crawls of a network over time, as programs get them. */
#include "report/json_text.h"
#include "report/report_gather.h"

#include <stdio.h>
#include <string.h>

enum {
	SERIES_MAX = 500, /* crawls of one answer: a point every third pixel of a wide chart */
};

/* The keys of values in an object: text, whatever they are. False: out of memory. */
static bool value_key(enum report_table_id id, const struct report_row *row, char *out, size_t cap)
{
	json_t *value = report_value_json(id, row);
	bool made = value != NULL;

	if (json_is_integer(value))
		snprintf(out, cap, "%lld", (long long)json_integer_value(value));
	else
		snprintf(out, cap, "%s", made ? json_string_value(value) : "");
	json_decref(value);
	return made;
}

json_t *report_past_values_json(const struct report *r, const struct report_past *p)
{
	json_t *values = json_object();
	char key[LABEL_MAX];
	bool made = values != NULL;

	for (size_t i = 0; i < r->trend.count && made; i++) {
		if (!p->has_value[i])
			continue;
		made = value_key(r->trend.table, &r->trend.rows[i], key, sizeof(key)) &&
		       json_object_set_new(values, key, json_integer((json_int_t)p->values[i])) ==
			       0;
	}
	if (made)
		return values;
	json_decref(values);
	return NULL;
}

json_t *report_trend_json(const struct report *r)
{
	json_t *out = json_array();
	char key[LABEL_MAX];

	for (size_t i = 0; i < r->trend.count; i++) {
		if (value_key(r->trend.table, &r->trend.rows[i], key, sizeof(key)))
			json_array_append_new(out, json_pack("{s:s s:s}", "value", key, "text",
							     r->trend.rows[i].label));
	}
	return json_whole(out, r->trend.count);
}

static json_t *count_or_null(bool has, uint64_t count)
{
	return has ? json_integer((json_int_t)count) : json_null();
}

static json_t *item_json(const struct report *r, const struct report_past *p)
{
	return json_pack(
		"{s:I s:o s:b s:I s:I s:I s:o s:o s:o}", "id", (json_int_t)p->crawl_id,
		"started_at", report_time_json(p->started_at_ms), "complete", (int)p->complete,
		"known", (json_int_t)p->known, "visited", (json_int_t)p->visited, "reached",
		(json_int_t)p->reached, "came", count_or_null(p->has_before, p->came), "went",
		count_or_null(p->has_before, p->went), "values", report_past_values_json(r, p));
}

static enum err to_json(const struct report *r, json_t **out)
{
	json_t *items = json_array();

	for (size_t i = 0; i < r->past_count; i++)
		json_array_append_new(items, item_json(r, &r->past[i]));
	*out = json_pack("{s:s s:o s:o}", "network", r->crawl.network, "items",
			 json_whole(items, r->past_count), "values", report_trend_json(r));
	return *out != NULL ? ERR_OK : ERR_NOMEM;
}

enum err report_series(struct store *s, const struct report_options *options, int64_t from_ms,
		       int64_t to_ms, size_t limit, const char *table, json_t **out)
{
	struct report r = { 0 };
	enum err err = ERR_OK;
	unsigned id = table == NULL ? REPORT_TABLES : 0;

	*out = NULL;
	report_name_parts(&r);
	while (table != NULL && id < REPORT_TABLES && strcmp(r.tables[id].key, table) != 0)
		id++;
	if (table != NULL && id == REPORT_TABLES)
		return ERR_VALUE;
	r.trend.table = id;
	snprintf(r.crawl.network, sizeof(r.crawl.network), "%s", options->network);
	err = store_read_begin(s);
	if (err == ERR_OK)
		err = report_past_series(s, options, from_ms, to_ms,
					 limit > 0 && limit < SERIES_MAX ? limit : SERIES_MAX, &r);
	store_read_end(s);
	if (err == ERR_OK)
		err = to_json(&r, out);
	report_clear(&r);
	return err;
}
