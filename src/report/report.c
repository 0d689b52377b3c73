#include "report/report.h"

#include "report/report_gather.h"

#include <stdlib.h>
#include <string.h>

void gather_time(struct times *t, int32_t ms)
{
	if (ms < 0)
		return;
	t->slots[ms < TIME_SLOTS ? ms : TIME_SLOTS - 1]++;
	t->count++;
}

uint32_t gather_quantile(const struct times *t, unsigned percent)
{
	uint64_t rank = (t->count * percent + 99) / 100, seen = 0;

	for (uint32_t ms = 0; ms < TIME_SLOTS; ms++) {
		seen += t->slots[ms];
		if (seen >= rank && seen > 0)
			return ms;
	}
	return 0;
}

static enum err on_visit(void *ctx, const struct store_visit *visit)
{
	struct gather *g = ctx;
	const struct record *r = &visit->record;
	const struct peer_info *info = &r->info;

	g->report->visited++;
	g->report->has_nodes |= r->node != NULL;
	g->outcomes[r->outcome]++;
	gather_time(&g->times[REPORT_CONNECT], r->connect_ms);
	if (!r->reached)
		return ERR_OK;
	g->report->reached++;
	g->kinds[r->addr.kind <= NETADDR_CJDNS ? r->addr.kind : NETADDR_NONE]++;
	tally_add_number(&g->tallies[REPORT_PORTS], r->addr.port);
	gather_place(g, &r->addr);
	gather_time(&g->times[REPORT_HANDSHAKE], r->handshake_ms);
	gather_time(&g->times[REPORT_REPLY], r->reply_ms);
	gather_time(&g->times[REPORT_TOTAL], r->total_ms);
	if (r->node != NULL)
		gather_node(g, r);
	if (info->has_version || (r->node == NULL && info->node_id.len > 0))
		tally_add(&g->tallies[REPORT_AGENTS], info->agent);
	if (!info->has_version)
		return ERR_OK;
	tally_add_number(&g->tallies[REPORT_HEIGHTS], info->height);
	/* A node that shares no version of eth has told none; none has services. */
	if (r->node == NULL || info->protocol != 0)
		tally_add_number(&g->tallies[REPORT_PROTOCOLS], info->protocol);
	if (r->node != NULL)
		return ERR_OK;
	tally_add_number(&g->tallies[REPORT_SERVICES], (int64_t)info->services);
	for (unsigned bit = 0; bit < 64; bit++)
		g->bits[bit] += info->services >> bit & 1;
	return ERR_OK;
}

static int rows_by_count(const void *left, const void *right)
{
	const struct report_row *a = left, *b = right;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return (a->number > b->number) - (a->number < b->number);
}

static void sort_rows(struct report_table *t)
{
	if (t->count > 0)
		qsort(t->rows, t->count, sizeof(*t->rows), rows_by_count);
	t->distinct = t->count;
}

/* The tables with few possible values: all have a row. */
static enum err fill_lists(struct gather *g)
{
	struct report_table *t = &g->report->tables[REPORT_OUTCOMES];
	enum err err = ERR_OK;

	t->total = g->report->visited;
	for (unsigned i = 0; i < OUTCOME_COUNT && err == ERR_OK; i++) {
		if (g->outcomes[i] > 0)
			err = report_text_row(g->report, g->options, REPORT_OUTCOMES,
					      outcome_name((enum outcome)i), NULL, g->outcomes[i]);
	}
	sort_rows(t);
	t = &g->report->tables[REPORT_KINDS];
	t->total = g->report->reached;
	for (unsigned i = 0; i <= NETADDR_CJDNS && err == ERR_OK; i++) {
		if (g->kinds[i] > 0)
			err = report_text_row(g->report, g->options, REPORT_KINDS,
					      netaddr_kind_name(i), NULL, g->kinds[i]);
	}
	sort_rows(t);
	t = &g->report->tables[REPORT_SERVICE_BITS];
	t->total = g->tallies[REPORT_SERVICES].total;
	for (unsigned i = 0; i < 64 && err == ERR_OK; i++) {
		if (g->bits[i] > 0)
			err = report_number_row(g->report, g->options, REPORT_SERVICE_BITS,
						(int64_t)i, NULL, g->bits[i]);
	}
	sort_rows(t);
	return err;
}

/* How far from the tip, in blocks behind it; the highest first. 144 blocks are a day of
 * Bitcoin, 1,008 a week. */
static const struct {
	int64_t least, most;
	const char *label;
} height_rows[] = {
	{ INT64_MIN, -2, "ahead of the tip by 2 or more" },
	{ -1, 1, "at the tip, give or take one" },
	{ 2, 9, "2 to 9 behind" },
	{ 10, 143, "10 to 143 behind" },
	{ 144, 1007, "144 to 1,007 behind" },
	{ 1008, INT64_MAX, "1,008 or more behind" },
};

/* Negative heights mean "not said"; a height far outside is a lie, but counted. */
static enum err fill_heights(struct gather *g)
{
	struct report_table *t = &g->report->tables[REPORT_HEIGHTS];
	struct tally *tally = &g->tallies[REPORT_HEIGHTS];
	enum { ROWS = sizeof(height_rows) / sizeof(*height_rows) };
	uint64_t counts[ROWS] = { 0 }, unsaid = 0, told = 0, seen = 0;
	enum err err = tally->err;

	tally_sort_by_number(tally);
	for (size_t i = 0; i < tally->len; i++)
		*(tally->entries[i].number < 0 ? &unsaid : &told) += tally->entries[i].count;
	for (size_t i = 0; i < tally->len && !g->report->has_tip; i++) {
		if (tally->entries[i].number < 0)
			continue;
		seen += tally->entries[i].count;
		if (2 * seen < told)
			continue;
		g->report->has_tip = true;
		g->report->tip = tally->entries[i].number;
	}
	for (size_t i = 0; i < tally->len; i++) {
		int64_t behind = g->report->tip - tally->entries[i].number;

		if (tally->entries[i].number < 0)
			continue;
		for (size_t row = 0; row < ROWS; row++) {
			if (behind >= height_rows[row].least && behind <= height_rows[row].most)
				counts[row] += tally->entries[i].count;
		}
	}
	t->total = tally->total;
	t->distinct = tally->len;
	t->others = tally->cut;
	for (size_t row = 0; row < ROWS && err == ERR_OK; row++) {
		if (counts[row] > 0)
			err = report_text_row(g->report, g->options, REPORT_HEIGHTS,
					      height_rows[row].label, NULL, counts[row]);
	}
	if (unsaid > 0 && err == ERR_OK)
		err = report_text_row(g->report, g->options, REPORT_HEIGHTS, "not said", NULL,
				      unsaid);
	return err;
}

const uint32_t report_bins_ms[REPORT_BINS] = { 5,   10,   20,   50,   100,   200,
					       500, 1000, 2000, 5000, 10000, UINT32_MAX };

static void fill_bins(const struct times *times, struct report_times *out)
{
	unsigned bin = 0;

	for (uint32_t ms = 0; ms < TIME_SLOTS; ms++) {
		while (ms > report_bins_ms[bin])
			bin++;
		out->bins[bin] += times->slots[ms];
	}
}

static void fill_times(struct gather *g)
{
	for (unsigned i = 0; i < REPORT_TIMES; i++) {
		struct report_times *t = &g->report->times[i];

		t->count = g->times[i].count;
		t->median_ms = gather_quantile(&g->times[i], 50);
		t->p90_ms = gather_quantile(&g->times[i], 90);
		fill_bins(&g->times[i], t);
	}
}

static enum err fill(struct gather *g)
{
	static const enum report_table_id tables[] = { REPORT_AGENTS,    REPORT_PROTOCOLS,
						       REPORT_SERVICES,  REPORT_PORTS,
						       REPORT_COUNTRIES, REPORT_ASNS };
	enum err err = fill_lists(g);

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables) && err == ERR_OK; i++)
		err = gather_tally(g, tables[i]);
	if (err == ERR_OK)
		err = fill_heights(g);
	if (err == ERR_OK)
		err = gather_fill_nodes(g);
	fill_times(g);
	return err;
}

static const struct report_table empty_tables[REPORT_TABLES] = {
#define REPORT_TABLE_ROW(symbol, key_, title_, of_) \
	[REPORT_##symbol] = { .key = key_, .title = title_, .of = of_ },
	REPORT_TABLE_LIST(REPORT_TABLE_ROW)
#undef REPORT_TABLE_ROW
};

void report_name_parts(struct report *r)
{
	static const char *const times[REPORT_TIMES][2] = {
		[REPORT_CONNECT] = { "connect_ms", "connect" },
		[REPORT_HANDSHAKE] = { "handshake_ms", "handshake" },
		[REPORT_REPLY] = { "reply_ms", "reply" },
		[REPORT_TOTAL] = { "total_ms", "whole visit" },
	};
	static const char *const counts[REPORT_COUNTS][2] = {
		[REPORT_ENTRIES] = { "entries", "entries of a table" },
		[REPORT_FINDNODES] = { "findnodes", "questions for it" },
	};

	memcpy(r->tables, empty_tables, sizeof(empty_tables));
	for (unsigned i = 0; i < REPORT_TIMES; i++)
		r->times[i] = (struct report_times){ .key = times[i][0], .title = times[i][1] };
	for (unsigned i = 0; i < REPORT_COUNTS; i++)
		r->counts[i] = (struct report_counts){ .key = counts[i][0], .title = counts[i][1] };
	report_uptime_name(r);
}

static void report_table_clear(struct report_table *t)
{
	for (size_t row = 0; row < t->count; row++)
		report_row_clear(&t->rows[row]);
	free(t->rows);
	*t = (struct report_table){ .key = t->key, .title = t->title, .of = t->of };
}

void report_clear(struct report *r)
{
	for (unsigned i = 0; i < REPORT_TABLES; i++)
		report_table_clear(&r->tables[i]);
	for (size_t i = 0; i < r->trend.count; i++)
		report_row_clear(&r->trend.rows[i]);
	free(r->past);
	*r = (struct report){ 0 };
}

void report_empty(struct report *r)
{
	struct store_crawl crawl = r->crawl;

	report_clear(r);
	r->crawl = crawl;
	report_name_parts(r);
}

struct gather *gather_new(const struct report_options *options, struct report *r)
{
	struct gather *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	g->report = r;
	g->options = options;
	for (unsigned i = 0; i < REPORT_TABLES; i++)
		tally_init(&g->tallies[i], &options->key);
	return g;
}

void gather_free(struct gather *g)
{
	if (g == NULL)
		return;
	for (unsigned i = 0; i < REPORT_TABLES; i++)
		tally_clear(&g->tallies[i]);
	free(g->times);
	free(g);
}

enum err report_walk(struct store *s, const struct report_options *options, struct report *r)
{
	struct gather *g = gather_new(options, r);
	struct store_filter filter = STORE_FILTER_ANY;
	enum err err = ERR_NOMEM;

	if (g != NULL)
		g->times = calloc(REPORT_TIMES + REPORT_COUNTS, sizeof(*g->times));
	if (g != NULL && g->times != NULL) {
		g->counts = g->times + REPORT_TIMES;
		filter.crawl_id = r->crawl.id;
		filter.forks = options->forks;
		filter.forks_count = options->forks_count;
		err = store_counted(s, &filter, on_visit, g);
	}
	if (err == ERR_OK)
		err = fill(g);
	gather_free(g);
	return err;
}

/* Where peers are says the kept report, if the crawl was told, or else whoever asks now. */
static enum err kept_rows(struct store *s, const struct report_options *options, bool whatever,
			  struct report *out)
{
	enum err err = report_kept_read(s, options, whatever, out);
	bool countries = out->tables[REPORT_COUNTRIES].total > 0;
	bool asns = out->tables[REPORT_ASNS].total > 0;

	if (err != ERR_OK || options->geo == NULL ||
	    ((countries || !geo_has_countries(options->geo)) &&
	     (asns || !geo_has_asns(options->geo))))
		return err;
	report_table_clear(&out->tables[REPORT_COUNTRIES]);
	report_table_clear(&out->tables[REPORT_ASNS]);
	return report_places_walk(s, options, out);
}

static enum err rows_of(struct store *s, const struct report_options *options, struct report *out)
{
	bool may = options->forks_count == 0 && out->crawl.ended_at_ms > 0;
	enum err err = may ? kept_rows(s, options, false, out) : ERR_NOT_FOUND;

	if (err != ERR_NOT_FOUND)
		return err;
	err = report_walk(s, options, out);
	if (err != ERR_OK || !may || out->visited >= out->crawl.visited)
		return err;
	/* Its visits are gone, or some of them: what was kept is all there is, however much was
	 * asked; or else its sums. */
	report_empty(out);
	err = kept_rows(s, options, true, out);
	if (err != ERR_NOT_FOUND)
		return err;
	out->visited = out->crawl.visited;
	out->reached = out->crawl.reached;
	return ERR_OK;
}

enum err report_gather(struct store *s, const struct report_options *options, struct report *out)
{
	enum err err;

	*out = (struct report){ 0 };
	report_name_parts(out);
	err = store_read_begin(s);
	if (err != ERR_OK)
		return err;
	err = store_crawl_get(s, options->crawl_id, options->network, &out->crawl);
	if (err == ERR_OK)
		err = rows_of(s, options, out);
	if (err == ERR_OK && options->history)
		err = report_past_gather(s, options, out);
	store_read_end(s);
	return err;
}
