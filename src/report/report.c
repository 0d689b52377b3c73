#include "report/report.h"

#include "base/text.h"
#include "report/report_gather.h"

#include <inttypes.h>
#include <stdio.h>
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

enum err gather_row(struct report_table *t, const char *label, const char *value, uint64_t count)
{
	struct report_row *rows = realloc(t->rows, (t->count + 1) * sizeof(*rows));
	struct report_row *row;

	if (rows == NULL)
		return ERR_NOMEM;
	t->rows = rows;
	row = &rows[t->count++];
	*row = (struct report_row){ .label = strdup(label), .count = count };
	if (value != NULL)
		row->value = strdup(value);
	return row->label != NULL && (value == NULL || row->value != NULL) ? ERR_OK : ERR_NOMEM;
}

enum err gather_number_row(struct report_table *t, const char *label, int64_t number,
			   uint64_t count)
{
	enum err err = gather_row(t, label, NULL, count);

	if (err == ERR_OK) {
		t->rows[t->count - 1].is_number = true;
		t->rows[t->count - 1].number = number;
	}
	return err;
}

/* "NETWORK", or "bit 27". */
static void bit_label(const struct gather *g, unsigned bit, char *out, size_t cap)
{
	const char *name = g->options->service_name != NULL
				   ? g->options->service_name(g->report->crawl.network, bit)
				   : NULL;

	if (name != NULL)
		snprintf(out, cap, "%s", name);
	else
		snprintf(out, cap, "bit %u", bit);
}

/* "0x409 NETWORK WITNESS NETWORK_LIMITED" */
static void services_label(const struct gather *g, uint64_t services, char *out, size_t cap)
{
	size_t len = (size_t)snprintf(out, cap, "0x%" PRIx64, services);

	for (unsigned bit = 0; bit < 64 && len < cap; bit++) {
		char name[48];

		if ((services >> bit & 1) == 0)
			continue;
		bit_label(g, bit, name, sizeof(name));
		len += (size_t)snprintf(out + len, cap - len, " %s", name);
	}
}

static enum err agent_row(const struct gather *g, struct report_table *t,
			  const struct tally_entry *e)
{
	char label[LABEL_MAX];

	(void)g;
	text_escape(slice_of(e->key, e->len), label, sizeof(label));
	return gather_row(t, label, NULL, e->count);
}

static enum err services_row(const struct gather *g, struct report_table *t,
			     const struct tally_entry *e)
{
	char label[LABEL_MAX];

	services_label(g, (uint64_t)e->number, label, sizeof(label));
	return gather_number_row(t, label, e->number, e->count);
}

static enum err number_row(const struct gather *g, struct report_table *t,
			   const struct tally_entry *e)
{
	char label[32];

	(void)g;
	snprintf(label, sizeof(label), "%" PRId64, e->number);
	return gather_number_row(t, label, e->number, e->count);
}

enum err gather_tally(struct gather *g, enum report_table_id id, gather_row_fn *row)
{
	struct report_table *t = &g->report->tables[id];
	struct tally *tally = &g->tallies[id];
	enum err err = tally->err;

	tally_sort_by_count(tally);
	t->total = tally->total;
	t->distinct = tally->len;
	t->others = tally->cut;
	for (size_t i = 0; i < tally->len && err == ERR_OK; i++) {
		if (g->options->top == 0 || i < g->options->top)
			err = row(g, t, &tally->entries[i]);
		else
			t->others += tally->entries[i].count;
	}
	return err;
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
	char label[64];

	t->total = g->report->visited;
	for (unsigned i = 0; i < OUTCOME_COUNT && err == ERR_OK; i++) {
		if (g->outcomes[i] > 0)
			err = gather_row(t, outcome_name((enum outcome)i), NULL, g->outcomes[i]);
	}
	sort_rows(t);
	t = &g->report->tables[REPORT_KINDS];
	t->total = g->report->reached;
	for (unsigned i = 0; i <= NETADDR_CJDNS && err == ERR_OK; i++) {
		if (g->kinds[i] > 0)
			err = gather_row(t, netaddr_kind_name(i), NULL, g->kinds[i]);
	}
	sort_rows(t);
	t = &g->report->tables[REPORT_SERVICE_BITS];
	t->total = g->tallies[REPORT_SERVICES].total;
	for (unsigned i = 0; i < 64 && err == ERR_OK; i++) {
		bit_label(g, i, label, sizeof(label));
		if (g->bits[i] > 0)
			err = gather_number_row(t, label, (int64_t)i, g->bits[i]);
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
			err = gather_row(t, height_rows[row].label, NULL, counts[row]);
	}
	if (unsaid > 0 && err == ERR_OK)
		err = gather_row(t, "not said", NULL, unsaid);
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
	static const char *const names[REPORT_TIMES][2] = {
		[REPORT_CONNECT] = { "connect_ms", "connect" },
		[REPORT_HANDSHAKE] = { "handshake_ms", "handshake" },
		[REPORT_REPLY] = { "reply_ms", "reply" },
		[REPORT_TOTAL] = { "total_ms", "whole visit" },
	};

	for (unsigned i = 0; i < REPORT_TIMES; i++) {
		g->report->times[i] = (struct report_times){
			.key = names[i][0],
			.title = names[i][1],
			.count = g->times[i].count,
			.median_ms = gather_quantile(&g->times[i], 50),
			.p90_ms = gather_quantile(&g->times[i], 90),
		};
		fill_bins(&g->times[i], &g->report->times[i]);
	}
}

static enum err fill(struct gather *g)
{
	enum err err = fill_lists(g);

	if (err == ERR_OK)
		err = gather_tally(g, REPORT_AGENTS, agent_row);
	if (err == ERR_OK)
		err = gather_tally(g, REPORT_PROTOCOLS, number_row);
	if (err == ERR_OK)
		err = gather_tally(g, REPORT_SERVICES, services_row);
	if (err == ERR_OK)
		err = gather_tally(g, REPORT_PORTS, number_row);
	if (err == ERR_OK)
		err = fill_heights(g);
	if (err == ERR_OK)
		err = gather_fill_places(g);
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

enum err report_gather(struct store *s, const struct report_options *options, struct report *out)
{
	struct gather *g = calloc(1, sizeof(*g));
	struct store_filter filter = STORE_FILTER_ANY;
	enum err err = ERR_NOMEM;

	*out = (struct report){ 0 };
	memcpy(out->tables, empty_tables, sizeof(empty_tables));
	if (g == NULL)
		return ERR_NOMEM;
	g->report = out;
	g->options = options;
	for (unsigned i = 0; i < REPORT_TABLES; i++)
		tally_init(&g->tallies[i], &options->key);
	g->times = calloc(REPORT_TIMES + REPORT_COUNTS, sizeof(*g->times));
	if (g->times == NULL)
		goto out;
	g->counts = g->times + REPORT_TIMES;
	err = store_read_begin(s);
	if (err != ERR_OK)
		goto out;
	err = store_crawl_get(s, options->crawl_id, options->network, &out->crawl);
	filter.crawl_id = out->crawl.id;
	filter.forks = options->forks;
	filter.forks_count = options->forks_count;
	if (err == ERR_OK)
		err = store_visits(s, &filter, on_visit, g);
	if (err == ERR_OK && options->history)
		err = gather_past(g, s);
	store_read_end(s);
	if (err == ERR_OK)
		err = fill(g);
out:
	for (unsigned i = 0; i < REPORT_TABLES; i++)
		tally_clear(&g->tallies[i]);
	free(g->times);
	free(g);
	return err;
}

void report_clear(struct report *r)
{
	for (unsigned i = 0; i < REPORT_TABLES; i++) {
		for (size_t row = 0; row < r->tables[i].count; row++) {
			free(r->tables[i].rows[row].label);
			free(r->tables[i].rows[row].value);
		}
		free(r->tables[i].rows);
	}
	*r = (struct report){ 0 };
}
