/* statements.h: what others say our own address is, and when to believe it.
 *
 * A PONG repeats the address at which it saw our PING. One voice counts for nothing; ten
 * hosts that say the same within five minutes do, if nobody else has more votes
 * (go-ethereum, p2p/enode/localnode.go and p2p/netutil/iptrack.go). Each host has one
 * voice, its last.
 *
 * No I/O, no clock, no allocation. */
#ifndef PEERWALK_PROTO_ETHEREUM_STATEMENTS_H
#define PEERWALK_PROTO_ETHEREUM_STATEMENTS_H

#include "base/netaddr.h"

enum {
	STATEMENTS_MAX = 64, /* the oldest goes; six times as many as are needed */
	STATEMENTS_NEEDED = 10,
	STATEMENTS_WINDOW_MS = 5 * 60 * 1000,
};

struct statements {
	/* private */
	struct {
		struct netaddr by, says;
		uint64_t at_ms;
	} list[STATEMENTS_MAX];
	unsigned count;
};

void statements_init(struct statements *s);
void statements_add(struct statements *s, const struct netaddr *by, const struct netaddr *says,
		    uint64_t now_ms);
/* What the most of them say, if enough say so; a draw is no answer. */
bool statements_agreed(const struct statements *s, uint64_t now_ms, struct netaddr *out);

#endif
