/* tool.h: what the programs that write a database share. */
#ifndef PEERWALK_BENCH_TOOL_H
#define PEERWALK_BENCH_TOOL_H

#include "engine/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* CLOCK_MONOTONIC, or CLOCK_PROCESS_CPUTIME_ID: that doesn't run while others do. */
static inline double seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline void check(bool ok, const char *what, const char *why)
{
	if (ok)
		return;
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
	exit(1);
}

/* Whoever answers: one of three. */
static inline bool answers(uint64_t i)
{
	return i % 3 == 0;
}

/* The i-th of a crawl's visits, of a peer of Bitcoin's; the others say nothing, twice. */
static inline struct record made_visit(uint64_t i, struct netaddr addr, int64_t at_ms)
{
	struct record r = { .addr = addr,
			    .started_at_ms = at_ms,
			    .outcome = OUTCOME_CONNECT_TIMEOUT,
			    .tries = 1,
			    .connect_ms = -1,
			    .version_ms = -1,
			    .handshake_ms = -1,
			    .reply_ms = -1,
			    .total_ms = 5000,
			    .info.height = -1 };

	if (!answers(i))
		return r;
	r.outcome = OUTCOME_OK;
	r.reached = true;
	r.connect_ms = 40 + (int32_t)(i % 100);
	r.version_ms = r.handshake_ms = 2 * r.connect_ms;
	r.reply_ms = 3 * r.connect_ms;
	r.total_ms = r.reply_ms + 5;
	r.info = (struct peer_info){
		.agent = slice_text("/Satoshi:29.0.0/"),
		.negotiation = slice_text("version wtxidrelay sendaddrv2 verack"),
		.has_version = true,
		.protocol = 70016,
		.services = 0xc09,
		.height = 950000,
		.relay = true,
		.has_clock = true,
		.clock_skew_s = 1,
		.sees_us_as = netaddr_ipv4(0x01020304, 8333),
	};
	r.adverts = 1000;
	r.messages_in = 8;
	r.bytes_in = 30000;
	r.bytes_out = 300;
	return r;
}

#endif
