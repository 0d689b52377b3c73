/* statements.h: what others say our own address is, and when to believe it.
 *
 * Many protocols tell a peer at which address it is seen. One voice counts for nothing; so many
 * hosts that say the same within a window of time do, if nobody else has more votes (after
 * go-ethereum, p2p/enode/localnode.go and p2p/netutil/iptrack.go). Each host has one voice, its
 * last; whoever wants one voice for a whole network passes that network's first address.
 *
 * No I/O, no clock, no allocation. */
#ifndef PEERWALK_BASE_STATEMENTS_H
#define PEERWALK_BASE_STATEMENTS_H

#include "base/netaddr.h"

enum {
	STATEMENTS_MAX = 64, /* the oldest goes; some times as many as anybody needs */
};

struct statements {
	/* private */
	struct {
		struct netaddr by, says;
		uint64_t at_ms;
	} list[STATEMENTS_MAX];
	unsigned count, needed;
	uint64_t window_ms;
};

void statements_init(struct statements *s, unsigned needed, uint64_t window_ms);
void statements_add(struct statements *s, const struct netaddr *by, const struct netaddr *says,
		    uint64_t now_ms);
/* What the most of them say, if enough say so; a draw is no answer. */
bool statements_agreed(const struct statements *s, uint64_t now_ms, struct netaddr *out);

#endif
