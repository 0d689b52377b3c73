/* report_uptime.c: how much of the time the peers are up that are watched. */
#include "report/report_gather.h"

#include "store/watch.h"

static const enum schedule_window windows[REPORT_UPTIMES] = { WINDOW_1D, WINDOW_7D, WINDOW_30D };

void report_uptime_name(struct report *r)
{
	for (unsigned i = 0; i < REPORT_UPTIMES; i++)
		r->uptime[i] = (struct report_uptime){ .key = schedule_window_names[windows[i]] };
}

static enum err on_schedule(void *ctx, const struct schedule *schedule)
{
	struct report *r = ctx;

	for (unsigned i = 0; i < REPORT_UPTIMES; i++) {
		double share = schedule_uptime(schedule, windows[i]);
		int bin = 0;

		if (share < 0)
			continue;
		while (bin + 1 < REPORT_UPTIME_BINS && share * REPORT_UPTIME_BINS > bin + 1)
			bin++;
		r->uptime[i].bins[bin]++;
		r->uptime[i].count++;
	}
	return ERR_OK;
}

enum err report_uptime_gather(struct store *s, struct report *r)
{
	if (r->crawl.every_ms == 0)
		return ERR_OK;
	r->has_uptime = true;
	return store_schedules(s, r->crawl.network, on_schedule, r);
}
