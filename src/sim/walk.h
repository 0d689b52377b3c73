/* walk.h: the numbers 0 .. n-1, each once, in an order by chance that needs no memory. */
#ifndef PEERWALK_SIM_WALK_H
#define PEERWALK_SIM_WALK_H

#include "base/hash.h"

/* private; goes in steps that share no divisor with n */
struct sim_walk {
	uint32_t n, left;
	uint64_t at, step;
};

void sim_walk_start(struct sim_walk *walk, struct random *r, uint32_t n);
/* False once all of them were there. */
bool sim_walk_next(struct sim_walk *walk, uint32_t *out);

#endif
