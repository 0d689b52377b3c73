/* virtual.h: a whole crawl on virtual time: the engine's decisions carried out in a
 * simulated world, without a socket. Deterministic: one seed, one result. */
#ifndef PEERWALK_SIM_VIRTUAL_H
#define PEERWALK_SIM_VIRTUAL_H

#include "engine/crawl.h"
#include "engine/visit.h"
#include "sim/peer.h"

struct sim_run {
	const struct sim_world *world;
	const struct crawl_config *crawl;
	const struct visit_config *visit;
	/* Each final record, in order of ending; may be NULL. */
	void (*on_record)(void *ctx, uint32_t index, const struct record *record);
	void *ctx;
};

struct sim_result {
	struct crawl_stats stats;
	uint64_t virtual_ms;
	uint64_t events;
	size_t peak_bytes; /* of crawl and visits in flight, without the world */
};

enum err sim_run(const struct sim_run *run, const struct netaddr *seeds, size_t seeds_count,
		 struct sim_result *out);

#endif
