#include "report/export_seeds.h"

#include "report/export_format.h"
#include "report/good.h"

#include <inttypes.h>

struct seeds {
	const struct export_options *options;
	export_sink_fn *sink;
	void *sink_ctx;
	struct text out;
	uint64_t *rows;
};

static void add_agent(struct text *out, struct slice agent)
{
	text_add(out, "\"");
	for (size_t i = 0; i < agent.len; i++) {
		uint8_t c = agent.data[i];

		if (c <= ' ' || c >= 0x7f || c == '"')
			text_printf(out, "\\x%02x", c);
		else
			text_printf(out, c == '\\' ? "\\%c" : "%c", c);
	}
	text_add(out, "\"\n");
}

static enum err on_peer(void *ctx, const struct store_peer *p, const struct schedule *schedule)
{
	struct seeds *d = ctx;
	char place[NETADDR_TEXT_MAX];
	bool good = schedule != NULL && good_peer(&d->options->rules, p, schedule) &&
		    p->has_version && (p->services & GOOD_NODE_NETWORK) != 0 &&
		    p->protocol >= GOOD_PROTOCOL_MIN;

	if (p->last_reached_ms < 0)
		return ERR_OK;
	netaddr_text(&p->addr, place);
	text_printf(&d->out, "%-47s  %4d  %11" PRId64 " ", place, good, p->last_reached_ms / 1000);
	for (unsigned w = 0; w < SCHEDULE_WINDOWS; w++)
		text_printf(&d->out, " %6.2f%%", schedule != NULL ? 100 * schedule->up[w] : 0);
	text_printf(&d->out, "  %6" PRId64 "  %08" PRIx64 "  %5" PRId64 " ",
		    p->has_version && p->height > 0 ? p->height : 0,
		    p->has_version ? p->services : 0, p->has_version ? p->protocol : 0);
	add_agent(&d->out, p->agent);
	++*d->rows;
	return export_flush(&d->out, EXPORT_FLUSH_BYTES, d->sink, d->sink_ctx);
}

enum err export_seeds_run(struct store *s, unsigned form, const struct store_filter *filter,
			  struct export_options *options, export_sink_fn *sink, void *sink_ctx,
			  uint64_t *rows)
{
	struct seeds d = { .options = options, .sink = sink, .sink_ctx = sink_ctx, .rows = rows };
	struct store_crawl crawl;
	enum err err = store_crawl_get(s, 0, filter->network, &crawl);

	(void)form;
	text_printf(&d.out, "# %-45s  %4s  %11s ", "address", "good", "lastSuccess");
	for (unsigned w = 0; w < SCHEDULE_WINDOWS; w++)
		text_printf(&d.out, "  %%(%s)", schedule_window_names[w]);
	text_add(&d.out, "  blocks      svcs  version\n");
	if (err == ERR_OK)
		err = good_walk(s, crawl.network, filter, on_peer, &d);
	if (err == ERR_OK)
		err = export_flush(&d.out, 1, sink, sink_ctx);
	text_clear(&d.out);
	return err;
}
