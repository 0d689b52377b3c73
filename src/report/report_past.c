/* report_past.c: how a network changed from crawl to crawl: how many were reached, who came, and
 * who went, and how the most frequent values did. Out of the kept reports where there are any. */
#include "report/report_gather.h"

#include "store/watch.h"

#include <stdlib.h>
#include <string.h>

/* --- two crawls --- */

/* Whom a crawl asked: twice a peer's number, and one more if it was reached; ascending. */
struct asked {
	uint64_t *items;
	size_t count, cap;
	int64_t crawl_id; /* 0: none yet */
	uint64_t reached;
};

static enum err on_asked(void *ctx, int64_t peer, bool reached)
{
	struct asked *a = ctx;

	if (a->count == a->cap) {
		size_t cap = a->cap > 0 ? 2 * a->cap : 1024;
		uint64_t *items = realloc(a->items, cap * sizeof(*items));

		if (items == NULL)
			return ERR_NOMEM;
		a->items = items;
		a->cap = cap;
	}
	/* (A number that is none of ours may wrap around: it is compared, and no more.) */
	a->items[a->count++] = (uint64_t)peer * 2 + reached;
	a->reached += reached;
	return ERR_OK;
}

static enum err ask(struct store *s, const struct report_options *options, int64_t crawl_id,
		    struct asked *out)
{
	struct store_filter filter = STORE_FILTER_ANY;

	if (out->crawl_id == crawl_id)
		return ERR_OK;
	filter.crawl_id = crawl_id;
	filter.forks = options->forks;
	filter.forks_count = options->forks_count;
	out->count = 0;
	out->reached = 0;
	out->crawl_id = crawl_id;
	return store_asked(s, &filter, on_asked, out);
}

static void compare(const struct asked *before, bool before_complete, const struct asked *now,
		    bool now_complete, uint64_t *came, uint64_t *went)
{
	size_t b = 0, n = 0;

	*came = *went = 0;
	while (b < before->count || n < now->count) {
		uint64_t old = b < before->count ? before->items[b] : UINT64_MAX;
		uint64_t new = n < now->count ? now->items[n] : UINT64_MAX;

		if (old / 2 < new / 2) {
			*went += old % 2 != 0 && now_complete;
			b++;
		} else if (new / 2 < old / 2) {
			*came += new % 2 != 0 && before_complete;
			n++;
		} else {
			*went += old % 2 != 0 && new % 2 == 0;
			*came += old % 2 == 0 && new % 2 != 0;
			b++;
			n++;
		}
	}
}

enum err report_before_gather(struct store *s, const struct report_options *options,
			      struct report *r)
{
	struct store_crawl before;
	struct asked lists[2] = { 0 };
	enum err err = store_crawl_before(s, &r->crawl, &before);

	if (err != ERR_OK)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	err = ask(s, options, before.id, &lists[0]);
	if (err == ERR_OK)
		err = ask(s, options, r->crawl.id, &lists[1]);
	/* Of a crawl whose visits are gone nobody knows whom it reached. */
	if (err == ERR_OK && lists[0].count >= before.visited) {
		r->before_id = before.id;
		compare(&lists[0], before.complete, &lists[1], r->crawl.complete, &r->came,
			&r->went);
	}
	free(lists[0].items);
	free(lists[1].items);
	return err;
}

/* --- which crawls --- */

struct candidate {
	struct report_past past;
	uint64_t visited, reached; /* by its sums */
	bool kept;
};

struct past {
	struct store *store;
	const struct report_options *options;
	struct report *report;
	int64_t from_ms, to_ms, last_id; /* 0: any */
	bool only_ended;
	struct candidate *all;
	size_t count, cap, next;
	struct asked lists[2];
};

static enum err on_crawl(void *ctx, const struct store_crawl *crawl)
{
	struct past *p = ctx;

	if ((p->last_id != 0 && crawl->id > p->last_id) ||
	    (p->only_ended && crawl->ended_at_ms == 0) ||
	    (p->from_ms != 0 && crawl->started_at_ms < p->from_ms) ||
	    (p->to_ms != 0 && crawl->started_at_ms > p->to_ms))
		return ERR_OK;
	if (p->count == p->cap) {
		size_t cap = p->cap > 0 ? 2 * p->cap : 64;
		struct candidate *all = realloc(p->all, cap * sizeof(*all));

		if (all == NULL)
			return ERR_NOMEM;
		p->all = all;
		p->cap = cap;
	}
	p->all[p->count++] = (struct candidate){
		.past = { .crawl_id = crawl->id,
			  .started_at_ms = crawl->started_at_ms,
			  .ended_at_ms = crawl->ended_at_ms,
			  .complete = crawl->complete,
			  .has_known = p->options->forks_count == 0 &&
				       (crawl->ended_at_ms > 0 || crawl->visited > 0),
			  .known = crawl->known },
		.visited = crawl->visited,
		.reached = crawl->reached,
	};
	return ERR_OK;
}

/* Both are in the order of their ids. */
static enum err on_kept(void *ctx, int64_t crawl_id)
{
	struct past *p = ctx;

	while (p->next < p->count && p->all[p->next].past.crawl_id < crawl_id)
		p->next++;
	if (p->next < p->count && p->all[p->next].past.crawl_id == crawl_id)
		p->all[p->next].kept = p->all[p->next].past.ended_at_ms > 0;
	return ERR_OK;
}

static enum err find_crawls(struct past *p, const char *network)
{
	enum err err = store_crawls(p->store, network, on_crawl, p);

	if (err == ERR_OK && p->options->forks_count == 0)
		err = store_reports(p->store, REPORT_KEPT_VERSION, on_kept, p);
	return err;
}

/* The place of the one that stands for the i-th of `limit` equal parts: its newest with a kept
 * report, or else its newest; of the last part its newest, in any case. */
static size_t chosen(const struct past *p, size_t i, size_t limit)
{
	size_t from = i * p->count / limit, to = (i + 1) * p->count / limit;

	for (size_t at = to; at > from && i + 1 < limit; at--) {
		if (p->all[at - 1].kept)
			return at - 1;
	}
	return to - 1;
}

/* --- what is known of each --- */

struct kept {
	struct report *report;
	struct report_past *past;
};

static bool is_value(const json_t *value, const struct report_row *row)
{
	const char *text = json_string_value(value);

	if (row->is_number)
		return json_is_integer(value) && json_integer_value(value) == row->number;
	return text != NULL && strcmp(text, row->value != NULL ? row->value : row->label) == 0;
}

static void read_values(const json_t *rows, struct kept *k)
{
	const struct report_trend *trend = &k->report->trend;
	size_t at;
	json_t *row;

	json_array_foreach(rows, at, row)
	{
		for (size_t i = 0; i < trend->count; i++) {
			if (!is_value(json_array_get(row, 0), &trend->rows[i]))
				continue;
			k->past->has_value[i] = true;
			k->past->values[i] = (uint64_t)json_integer_value(json_array_get(row, 1));
		}
	}
}

static enum err on_text(void *ctx, struct slice text)
{
	struct kept *k = ctx;
	unsigned table = k->report->trend.table; /* REPORT_TABLES: none is asked for */
	const json_t *before;
	json_t *doc;
	enum err err = report_kept_parse(text, &doc);

	if (err != ERR_OK)
		return err;
	before = json_object_get(doc, "before");
	k->past->visited = (uint64_t)json_integer_value(json_object_get(doc, "visited"));
	k->past->reached = (uint64_t)json_integer_value(json_object_get(doc, "reached"));
	k->past->has_before = json_array_size(before) == 3;
	k->past->came = (uint64_t)json_integer_value(json_array_get(before, 1));
	k->past->went = (uint64_t)json_integer_value(json_array_get(before, 2));
	if (table < REPORT_TABLES)
		read_values(json_array_get(json_object_get(json_object_get(doc, "tables"),
							   k->report->tables[table].key),
					   3),
			    k);
	json_decref(doc);
	return ERR_OK;
}

/* The crawl that the report is of has its numbers already; but not what came before it, if it was
 * walked over. */
static enum err walk_one(struct past *p, size_t at, struct report_past *out)
{
	struct asked *now = &p->lists[at % 2], *before = &p->lists[1 - at % 2];
	const struct candidate *c = &p->all[at], *b = at > 0 ? &p->all[at - 1] : NULL;
	enum err err = ask(p->store, p->options, out->crawl_id, now);

	out->visited = now->count;
	out->reached = now->reached;
	if (now->count == 0 && p->options->forks_count == 0) {
		out->visited = c->visited;
		out->reached = c->reached;
	}
	if (err != ERR_OK || b == NULL || (now->count == 0 && c->visited > 0))
		return err;
	err = ask(p->store, p->options, b->past.crawl_id, before);
	if (err == ERR_OK && (before->count > 0 || b->visited == 0)) {
		out->has_before = true;
		compare(before, b->past.complete, now, out->complete, &out->came, &out->went);
	}
	return err;
}

static enum err fill_one(struct past *p, size_t at, struct report_past *out)
{
	struct kept k = { p->report, out };
	enum err err = ERR_NOT_FOUND;

	if (p->all[at].kept)
		err = store_report_get(p->store, out->crawl_id, REPORT_KEPT_VERSION, on_text, &k);
	if (err != ERR_NOT_FOUND)
		return err;
	out->visited = p->all[at].visited;
	out->reached = p->all[at].reached;
	return p->only_ended ? ERR_OK : walk_one(p, at, out);
}

static enum err fill(struct past *p, size_t limit)
{
	struct report *r = p->report;
	size_t count = p->count < limit ? p->count : limit;
	enum err err = ERR_OK;

	r->past = calloc(count + 1, sizeof(*r->past));
	if (r->past == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		size_t at = chosen(p, i, count);

		r->past[i] = p->all[at].past;
		err = fill_one(p, at, &r->past[i]);
		r->past_count++;
	}
	return err;
}

/* The trend's values are those with the most peers in this report. */
static enum err choose_values(struct report *r, const struct report *newest, size_t top)
{
	const struct report_table *t = &newest->tables[r->trend.table];

	for (size_t i = 0; i < t->count && i < top && i < REPORT_TREND_MAX; i++) {
		struct report_row *row = &r->trend.rows[r->trend.count++];

		*row = t->rows[i];
		row->label = strdup(t->rows[i].label);
		row->value = t->rows[i].value != NULL ? strdup(t->rows[i].value) : NULL;
		if (row->label == NULL || (row->value == NULL) != (t->rows[i].value == NULL))
			return ERR_NOMEM;
	}
	return ERR_OK;
}

static void clear(struct past *p)
{
	free(p->all);
	free(p->lists[0].items);
	free(p->lists[1].items);
}

enum err report_past_gather(struct store *s, const struct report_options *options, struct report *r)
{
	enum { LINES = 6 /* that can be told apart in a chart of a page */ };
	struct past p = { .store = s, .options = options, .report = r, .last_id = r->crawl.id };
	enum err err = ERR_OK;

	r->trend.table = r->tables[REPORT_CLIENTS].count > 0 ? REPORT_CLIENTS : REPORT_AGENTS;
	if (options->forks_count == 0)
		err = choose_values(r, r, LINES);
	if (err == ERR_OK)
		err = find_crawls(&p, r->crawl.network);
	if (err == ERR_OK)
		err = fill(&p, REPORT_PAST_MAX);
	if (err == ERR_OK && p.count > 1 && r->past[r->past_count - 1].has_before) {
		r->before_id = p.all[p.count - 2].past.crawl_id;
		r->came = r->past[r->past_count - 1].came;
		r->went = r->past[r->past_count - 1].went;
	}
	clear(&p);
	return err;
}

static enum err newest_values(struct past *p, size_t limit)
{
	struct report newest = { 0 };
	struct report_options ask_for = { .top = REPORT_TREND_MAX };
	size_t count = p->count < limit ? p->count : limit, at = 0;
	bool any = false;
	enum err err = ERR_OK;

	for (size_t i = count; i > 0 && !any; i--) {
		at = chosen(p, i - 1, count);
		any = p->all[at].kept;
	}
	if (!any)
		return ERR_OK;
	ask_for = *p->options;
	ask_for.top = REPORT_TREND_MAX;
	newest.crawl.id = p->all[at].past.crawl_id;
	newest.crawl.started_at_ms = p->all[at].past.started_at_ms;
	memcpy(newest.crawl.network, p->report->crawl.network, sizeof(newest.crawl.network));
	report_name_parts(&newest);
	err = report_kept_read(p->store, &ask_for, true, &newest);
	if (err == ERR_OK)
		err = choose_values(p->report, &newest, p->options->top > 0 ? p->options->top : 8);
	report_clear(&newest);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err report_past_series(struct store *s, const struct report_options *options, int64_t from_ms,
			    int64_t to_ms, size_t limit, struct report *r)
{
	struct past p = { .store = s,
			  .options = options,
			  .report = r,
			  .from_ms = from_ms,
			  .to_ms = to_ms,
			  .only_ended = true };
	enum err err = find_crawls(&p, options->network);

	if (err == ERR_OK && r->trend.table < REPORT_TABLES)
		err = newest_values(&p, limit);
	if (err == ERR_OK)
		err = fill(&p, limit);
	clear(&p);
	return err;
}
