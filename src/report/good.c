#include "report/good.h"

#include <math.h>

double good_uptime(const struct store_peer *p, const struct schedule *schedule)
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
	       good_uptime(p, schedule) >= rules->min_uptime;
}

struct walk {
	good_fn *fn;
	void *ctx;
};

static enum err on_peer(void *ctx, const struct store_peer *p)
{
	struct walk *w = ctx;

	return w->fn(w->ctx, p, NULL);
}

enum err good_walk(struct store *s, const char *network, const struct store_filter *filter,
		   good_fn *fn, void *ctx)
{
	struct walk w = { .fn = fn, .ctx = ctx };
	struct store_filter of_network = *filter;

	of_network.network = network;
	return store_peers(s, &of_network, on_peer, &w);
}
