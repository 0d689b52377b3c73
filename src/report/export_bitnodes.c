#include "report/export_bitnodes.h"

#include "report/export_format.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct bitnodes {
	const struct export_options *options;
	export_sink_fn *sink;
	void *sink_ctx;
	struct text out;
	uint64_t written;
	int64_t newest_ms; /* visit */
	int64_t *heights;
	size_t count, cap;
};

static bool is_node(const struct store_peer *p)
{
	return p->reached && p->has_version && p->public.len == 0;
}

static enum err on_count(void *ctx, const struct store_peer *p)
{
	struct bitnodes *b = ctx;
	struct geo_place place;

	if (!is_node(p) || !export_place(b->options, &p->addr, &place))
		return ERR_OK;
	if (b->count == b->cap) {
		size_t cap = b->cap > 0 ? 2 * b->cap : 1024;
		int64_t *heights = realloc(b->heights, cap * sizeof(*heights));

		if (heights == NULL)
			return ERR_NOMEM;
		b->heights = heights;
		b->cap = cap;
	}
	b->heights[b->count++] = p->height;
	if (p->visit_at_ms > b->newest_ms)
		b->newest_ms = p->visit_at_ms;
	return ERR_OK;
}

static int by_height(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

/* The one that most have told, of several the highest; 0 if nobody told one. */
static int64_t latest_height(struct bitnodes *b)
{
	int64_t latest = 0;
	size_t most = 0, run = 0;

	if (b->count > 0)
		qsort(b->heights, b->count, sizeof(*b->heights), by_height);
	for (size_t i = 0; i < b->count; i++) {
		run = i > 0 && b->heights[i] == b->heights[i - 1] ? run + 1 : 1;
		if (b->heights[i] >= 0 && run >= most) {
			most = run;
			latest = b->heights[i];
		}
	}
	return latest;
}

static void add_text_or_null(struct text *out, const char *s)
{
	if (s[0] != 0)
		export_json_text(out, slice_text(s));
	else
		text_add(out, "null");
	text_add(out, ", ");
}

/* Hostname, city, country, latitude, longitude, timezone, ASN, organization. */
static void add_place(struct text *out, const struct geo_place *p)
{
	char asn[16] = "";

	if (p->asn != 0)
		snprintf(asn, sizeof(asn), "AS%" PRIu32, p->asn);
	text_add(out, "null, ");
	add_text_or_null(out, p->city);
	add_text_or_null(out, p->country);
	if (p->has_location)
		text_printf(out, "%.4f, %.4f, ", p->latitude, p->longitude);
	else
		text_add(out, "null, null, ");
	add_text_or_null(out, p->time_zone);
	add_text_or_null(out, asn);
	if (p->as_name[0] != 0)
		export_json_text(out, slice_text(p->as_name));
	else
		text_add(out, "null");
}

static enum err on_node(void *ctx, const struct store_peer *p)
{
	struct bitnodes *b = ctx;
	struct geo_place place;
	char host[NETADDR_TEXT_MAX];

	if (!is_node(p) || !export_place(b->options, &p->addr, &place))
		return ERR_OK;
	netaddr_text(&p->addr, host);
	text_printf(&b->out, "%s\"%s\": [%" PRId64 ", ", b->written++ > 0 ? ",\n" : "\n", host,
		    p->protocol);
	export_json_text(&b->out, p->agent);
	text_printf(&b->out, ", %" PRId64 ", %" PRIu64 ", ", p->visit_at_ms / 1000, p->services);
	if (p->height >= 0)
		text_printf(&b->out, "%" PRId64, p->height);
	else
		text_add(&b->out, "null");
	text_add(&b->out, ", ");
	add_place(&b->out, &place);
	text_add(&b->out, "]");
	return export_flush(&b->out, EXPORT_FLUSH_BYTES, b->sink, b->sink_ctx);
}

enum err export_bitnodes_run(struct store *s, unsigned form, const struct store_filter *filter,
			     struct export_options *options, export_sink_fn *sink, void *sink_ctx,
			     uint64_t *rows)
{
	struct bitnodes b = { .options = options, .sink = sink, .sink_ctx = sink_ctx };
	struct store_filter of_crawl = *filter;
	struct store_crawl crawl;
	enum err err = store_crawl_get(s, filter->crawl_id, filter->network, &crawl);

	(void)form;
	of_crawl.crawl_id = crawl.id;
	if (err == ERR_OK)
		err = store_peers(s, &of_crawl, on_count, &b);
	if (err == ERR_OK) {
		int64_t at_ms = crawl.ended_at_ms > 0 ? crawl.ended_at_ms : b.newest_ms;

		text_printf(&b.out,
			    "{\"timestamp\": %" PRId64 ", \"total_nodes\": %zu, "
			    "\"latest_height\": %" PRId64 ", \"nodes\": {",
			    at_ms / 1000, b.count, latest_height(&b));
		err = store_peers(s, &of_crawl, on_node, &b);
	}
	text_add(&b.out, b.written > 0 ? "\n}}\n" : "}}\n");
	if (err == ERR_OK)
		err = export_flush(&b.out, 1, sink, sink_ctx);
	text_clear(&b.out);
	free(b.heights);
	*rows = b.written;
	return err;
}
