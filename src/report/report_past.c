/* report_past.c: how a network changed from crawl to crawl: how many were reached, who came, and
 * who went. */
#include "report/report_gather.h"

#include <stdlib.h>
#include <string.h>

/* Whom a crawl asked: twice a peer's number, and one more if it was reached; ascending. */
struct asked {
	uint64_t *items;
	size_t count, cap;
	bool complete;
};

static enum err on_crawl(void *ctx, const struct store_crawl *crawl)
{
	struct gather *g = ctx;
	struct report *r = g->report;

	if (crawl->id > r->crawl.id)
		return ERR_OK;
	if (r->past_count == REPORT_PAST_MAX) {
		r->past_count--;
		memmove(r->past, r->past + 1, r->past_count * sizeof(*r->past));
	}
	r->past[r->past_count++] = (struct report_past){
		.crawl_id = crawl->id,
		.started_at_ms = crawl->started_at_ms,
		.ended_at_ms = crawl->ended_at_ms,
		.complete = crawl->complete,
		.has_known = g->options->forks_count == 0 &&
			     (crawl->ended_at_ms > 0 || crawl->visited > 0),
		.known = crawl->known,
	};
	return ERR_OK;
}

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
	return ERR_OK;
}

static void compare(const struct asked *before, const struct asked *now, struct report_past *out)
{
	size_t b = 0, n = 0;

	out->has_before = true;
	while (b < before->count || n < now->count) {
		uint64_t old = b < before->count ? before->items[b] : UINT64_MAX;
		uint64_t new = n < now->count ? now->items[n] : UINT64_MAX;

		if (old / 2 < new / 2) {
			out->went += old % 2 != 0 && now->complete;
			b++;
		} else if (new / 2 < old / 2) {
			out->came += new % 2 != 0 && before->complete;
			n++;
		} else {
			out->went += old % 2 != 0 && new % 2 == 0;
			out->came += old % 2 == 0 && new % 2 != 0;
			b++;
			n++;
		}
	}
}

enum err gather_past(struct gather *g, struct store *s)
{
	struct report *r = g->report;
	struct store_filter filter = STORE_FILTER_ANY;
	struct asked lists[2] = { 0 };
	enum err err = store_crawls(s, r->crawl.network, on_crawl, g);

	filter.forks = g->options->forks;
	filter.forks_count = g->options->forks_count;
	for (size_t i = 0; i < r->past_count && err == ERR_OK; i++) {
		struct asked *now = &lists[i % 2];
		struct report_past *past = &r->past[i];

		filter.crawl_id = past->crawl_id;
		now->count = 0;
		now->complete = past->complete;
		err = store_asked(s, &filter, on_asked, now);
		past->visited = now->count;
		for (size_t k = 0; k < now->count; k++)
			past->reached += now->items[k] % 2 != 0;
		if (i > 0)
			compare(&lists[1 - i % 2], now, past);
	}
	free(lists[0].items);
	free(lists[1].items);
	return err;
}
