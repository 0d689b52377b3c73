/* virtual.h: a whole crawl on virtual time: the engine's decisions carried out in a
 * simulated world, without a socket. Deterministic: one seed, one result.
 *
 * A connection takes one round trip of the peer's, each flight of bytes half of one;
 * answers take up to jitter_ms more. Nothing is lost for good: with config.loss a lost
 * connection attempt is repeated after 1, 2, 4 ... s and a lost answer after a
 * retransmission timeout, as TCP does it; an attempt lost SIM_SYN_TRIES times gets no
 * answer. Outside of the range nothing is reachable; inside it, addresses of nobody
 * behave as those of sim/server.h do. */
#ifndef PEERWALK_SIM_VIRTUAL_H
#define PEERWALK_SIM_VIRTUAL_H

#include "engine/crawl.h"
#include "engine/visit.h"
#include "sim/peer.h"

enum {
	SIM_SYN_TRIES = 6,       /* Linux' net.ipv4.tcp_syn_retries */
	SIM_SYN_RETRY_MS = 1000, /* RFC 6298, 2.1 */
	SIM_RETRANSMIT_MS = 200, /* Linux' least timeout; doubled round trips if longer */
};

/* The index of a record whose address is none of the world's. */
#define SIM_NOBODY UINT32_MAX

struct sim_run {
	const struct sim_world *world;
	const struct crawl_config *crawl;
	const struct visit_config *visit;
	/* Each final record, in order of ending, with the peer's index or SIM_NOBODY; may
	 * be NULL. */
	void (*on_record)(void *ctx, uint32_t index, const struct record *record);
	void *ctx;
	/* From this time on, round trips of new connections are so many times as long; 0: never. */
	uint64_t slower_from_ms;
	uint32_t slower_by;
};

struct sim_result {
	struct crawl_stats stats;
	uint64_t virtual_ms;
	uint64_t events;
	size_t peak_bytes; /* of crawl and visits in flight, without the world */
};

/* ERR_NOMEM. The callbacks of run->visit are called too. */
enum err sim_run(const struct sim_run *run, const struct netaddr *seeds, size_t seeds_count,
		 struct sim_result *out);

#endif
