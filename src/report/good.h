/* good.h: which peers are good enough to be told to others. */
#ifndef PEERWALK_REPORT_GOOD_H
#define PEERWALK_REPORT_GOOD_H

#include "report/export.h"
#include "store/watch.h"

enum {
	/* Bitcoin's, of BIP 37 in 2013: what DNS seeds have always asked */
	GOOD_PROTOCOL_MIN = 70001,
	GOOD_NODE_NETWORK = 1, /* has all blocks */
};

/* The newest visit reached it, no longer ago than max_age_ms, and it is up often enough: by the
 * smaller of the averages over one and seven days, or of the part of them since it has been
 * watched. Of who is not watched (schedule NULL), or was visited once only since, the share of all
 * visits that reached it counts. */
bool good_peer(const struct export_rules *rules, const struct store_peer *p,
	       const struct schedule *schedule);

/* Everybody of that network with a schedule, or without one (NULL); of the filter outcome and kind
 * count. */
typedef enum err good_fn(void *ctx, const struct store_peer *p, const struct schedule *schedule);
enum err good_walk(struct store *s, const char *network, const struct store_filter *filter,
		   good_fn *fn, void *ctx);

#endif
