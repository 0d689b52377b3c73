#include "report/json_text.h"
#include "report/report_gather.h"

#include "base/text.h"

#include <inttypes.h>

/* Shares with four digits: 0.1234 is 12.34 %. */
static json_t *share(uint64_t part, uint64_t whole)
{
	uint64_t of_10000 = whole > 0 ? part * 10000 / whole : 0;

	return json_real((double)of_10000 / 10000);
}

json_t *report_time_json(int64_t unix_ms)
{
	char text[32];

	if (unix_ms <= 0)
		return json_null();
	format_time(unix_ms, true, text);
	return json_string(text);
}

/* Bit fields with the highest bit set are more than a JSON integer holds. */
static json_t *unsigned_json(uint64_t v)
{
	return v <= INT64_MAX ? json_integer((json_int_t)v) : json_sprintf("%" PRIu64, v);
}

json_t *report_crawl_json(const struct store_crawl *c)
{
	json_t *settings = json_loads(c->settings, 0, NULL);
	json_t *out = json_pack("{s:I s:s s:o s:o s:b s:o*}", "id", (json_int_t)c->id, "network",
				c->network, "started_at", report_time_json(c->started_at_ms),
				"ended_at", report_time_json(c->ended_at_ms), "complete",
				(int)c->complete, "settings", settings);

	size_t keys = json_object_size(out) + 8 + (c->ended_at_ms > 0);

	/* A crawl that still runs, or was killed, has not written its sums. */
	if (out == NULL || (c->ended_at_ms <= 0 && c->visited == 0))
		return out;
	if (c->ended_at_ms > 0)
		json_object_set_new(out, "seconds",
				    json_real((double)(c->ended_at_ms - c->started_at_ms) / 1000));
	json_object_set_new(out, "known", unsigned_json(c->known));
	json_object_set_new(out, "visited", unsigned_json(c->visited));
	json_object_set_new(out, "reached", unsigned_json(c->reached));
	json_object_set_new(out, "adverts", unsigned_json(c->adverts));
	json_object_set_new(out, "bytes_in", unsigned_json(c->bytes_in));
	json_object_set_new(out, "bytes_out", unsigned_json(c->bytes_out));
	json_object_set_new(out, "cpu_seconds", json_real(c->cpu_seconds));
	json_object_set_new(out, "max_rss_bytes", unsigned_json(c->max_rss_bytes));
	return json_whole(out, keys);
}

json_t *report_value_json(enum report_table_id id, const struct report_row *row)
{
	if (!row->is_number)
		return json_string(row->value != NULL ? row->value : row->label);
	if (id == REPORT_SERVICES || id == REPORT_NETWORKS)
		return unsigned_json((uint64_t)row->number);
	return json_integer(row->number);
}

static json_t *row_json(const struct report *r, const struct report_table *t,
			const struct report_row *row)
{
	json_t *value = report_value_json((enum report_table_id)(t - r->tables), row);
	json_t *out = json_pack("{s:o s:I s:o}", "value", value, "count", (json_int_t)row->count,
				"share", share(row->count, t->total));
	bool has_text = row->is_number || row->value != NULL;

	if (has_text)
		json_object_set_new(out, "text", json_string(row->label));
	return json_whole(out, 3 + (size_t)has_text);
}

static json_t *table_json(const struct report *r, const struct report_table *t)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < t->count; i++)
		json_array_append_new(rows, row_json(r, t, &t->rows[i]));
	return json_pack("{s:I s:I s:I s:o}", "total", (json_int_t)t->total, "distinct",
			 (json_int_t)t->distinct, "others", (json_int_t)t->others, "rows",
			 json_whole(rows, t->count));
}

/* What is known of nodes alone. NULL: out of memory. */
static json_t *nodes_json(const struct report *r)
{
	json_t *out = json_object();

	for (unsigned i = 0; i < REPORT_COUNTS; i++) {
		const struct report_counts *c = &r->counts[i];
		bool any = c->count > 0;

		json_object_set_new(out, c->key,
				    json_pack("{s:I s:o s:o}", "count", (json_int_t)c->count,
					      "median", any ? json_integer(c->median) : json_null(),
					      "p90", any ? json_integer(c->p90) : json_null()));
	}
	for (unsigned i = REPORT_NODE_TABLES; i < REPORT_TABLES; i++)
		json_object_set_new(out, r->tables[i].key, table_json(r, &r->tables[i]));
	return json_whole(out, REPORT_COUNTS + REPORT_TABLES - REPORT_NODE_TABLES);
}

static json_t *bins_json(const struct report_times *t)
{
	json_t *out = json_array();

	for (unsigned i = 0; i < REPORT_BINS; i++) {
		json_t *up_to = report_bins_ms[i] < UINT32_MAX ? json_integer(report_bins_ms[i])
							       : json_null();

		json_array_append_new(out, json_pack("{s:o s:I}", "up_to", up_to, "count",
						     (json_int_t)t->bins[i]));
	}
	return json_whole(out, REPORT_BINS);
}

static json_t *count_or_null(bool has, uint64_t count)
{
	return has ? json_integer((json_int_t)count) : json_null();
}

static json_t *past_json(const struct report *r)
{
	json_t *out = json_array();

	for (size_t i = 0; i < r->past_count; i++) {
		const struct report_past *p = &r->past[i];

		json_array_append_new(out, json_pack("{s:I s:o s:o s:b s:o s:I s:I s:o s:o s:o}",
						     "crawl", (json_int_t)p->crawl_id, "started_at",
						     report_time_json(p->started_at_ms), "ended_at",
						     report_time_json(p->ended_at_ms), "complete",
						     (int)p->complete, "known",
						     count_or_null(p->has_known, p->known),
						     "visited", (json_int_t)p->visited, "reached",
						     (json_int_t)p->reached, "came",
						     count_or_null(p->has_before, p->came), "went",
						     count_or_null(p->has_before, p->went),
						     "values", report_past_values_json(r, p)));
	}
	return json_whole(out, r->past_count);
}

/* How many were up for up to that share of the time, as the bins of times are. */
static json_t *uptime_json(const struct report *r)
{
	json_t *out = json_object();

	for (unsigned i = 0; i < REPORT_UPTIMES; i++) {
		const struct report_uptime *u = &r->uptime[i];
		json_t *bins = json_array();

		for (unsigned bin = 0; bin < REPORT_UPTIME_BINS; bin++)
			json_array_append_new(bins, json_pack("{s:f s:I}", "up_to",
							      (bin + 1.0) / REPORT_UPTIME_BINS,
							      "count", (json_int_t)u->bins[bin]));
		json_object_set_new(out, u->key,
				    json_pack("{s:I s:o}", "count", (json_int_t)u->count,
					      "histogram", json_whole(bins, REPORT_UPTIME_BINS)));
	}
	return json_whole(out, REPORT_UPTIMES);
}

/* Adds the history, if there is one. NULL: out of memory. */
static json_t *history_json(const struct report *r, json_t *out)
{
	size_t keys = json_object_size(out) + 2;

	if (r->past_count == 0)
		return out;
	json_object_set_new(out, "history", past_json(r));
	json_object_set_new(out, "history_of",
			    json_pack("{s:s s:o}", "table", r->tables[r->trend.table].key, "values",
				      report_trend_json(r)));
	return json_object_size(out) == keys ? out : NULL;
}

json_t *report_json(const struct report *r)
{
	json_t *times = json_object();
	json_t *out = json_pack("{s:o s:I s:I s:o}", "crawl", report_crawl_json(&r->crawl),
				"visited", (json_int_t)r->visited, "reached",
				(json_int_t)r->reached, "times", times);

	if (out == NULL)
		return NULL;
	for (unsigned i = 0; i < REPORT_TIMES; i++) {
		const struct report_times *t = &r->times[i];
		bool any = t->count > 0;

		json_object_set_new(times, t->key,
				    json_pack("{s:I s:o s:o s:o}", "count", (json_int_t)t->count,
					      "median",
					      any ? json_integer(t->median_ms) : json_null(), "p90",
					      any ? json_integer(t->p90_ms) : json_null(),
					      "histogram", bins_json(t)));
	}
	json_object_set_new(out, "tip", r->has_tip ? json_integer(r->tip) : json_null());
	for (unsigned i = 0; i < REPORT_NODE_TABLES; i++)
		json_object_set_new(out, r->tables[i].key, table_json(r, &r->tables[i]));
	if (r->has_nodes)
		json_object_set_new(out, "nodes", nodes_json(r));
	if (r->has_uptime)
		json_object_set_new(out, "uptime", uptime_json(r));
	/* jansson drops what it can't make: a missing last key means out of memory. */
	if (json_object_size(out) !=
		    5 + REPORT_NODE_TABLES + (size_t)r->has_nodes + (size_t)r->has_uptime ||
	    json_object_size(times) != REPORT_TIMES || history_json(r, out) == NULL) {
		json_decref(out);
		return NULL;
	}
	return out;
}
