#include "report/good.h"

#include <math.h>
#include <string.h>

static double uptime(const struct store_peer *p, const struct schedule *schedule)
{
	if (schedule != NULL && schedule_uptime(schedule, WINDOW_7D) >= 0)
		return fmin(schedule_uptime(schedule, WINDOW_1D),
			    schedule_uptime(schedule, WINDOW_7D));
	return p->visits > 0 ? (double)p->reached_count / (double)p->visits : 0;
}

bool good_peer(const struct export_rules *rules, const struct store_peer *p,
	       const struct schedule *schedule)
{
	return p->visited && p->reached &&
	       p->visit_at_ms >= rules->now_ms - (int64_t)rules->max_age_ms &&
	       uptime(p, schedule) >= rules->min_uptime;
}

struct walk {
	const char *network;
	const struct store_filter *filter;
	good_fn *fn;
	void *ctx;
};

static enum err on_peer(void *ctx, int64_t id, const struct store_peer *p,
			const struct schedule *schedule)
{
	const struct walk *w = ctx;
	const struct store_filter *f = w->filter;

	(void)id;
	if (strcmp(p->network, w->network) != 0 ||
	    (f->kind != NETADDR_NONE && p->addr.kind != f->kind) ||
	    (f->outcome >= 0 && !(p->visited && (int)p->outcome == f->outcome)))
		return ERR_OK;
	return w->fn(w->ctx, p, schedule);
}

enum err good_walk(struct store *s, const char *network, const struct store_filter *filter,
		   good_fn *fn, void *ctx)
{
	struct walk w = { .network = network, .filter = filter, .fn = fn, .ctx = ctx };
	/* To who knows nobody yet, everybody is news. */
	int64_t peer_id = 0, visit_id = 0;

	return store_news(s, &peer_id, &visit_id, on_peer, &w);
}
