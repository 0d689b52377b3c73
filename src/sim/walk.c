#include "sim/walk.h"

static uint64_t divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

void sim_walk_start(struct sim_walk *walk, struct random *r, uint32_t n)
{
	*walk = (struct sim_walk){ .n = n, .left = n, .step = 1 };
	if (n < 2)
		return;
	walk->at = random_below(r, n);
	do
		walk->step = 1 + random_below(r, n - 1);
	while (divisor(n, walk->step) != 1);
}

bool sim_walk_next(struct sim_walk *walk, uint32_t *out)
{
	if (walk->left == 0)
		return false;
	walk->left--;
	*out = (uint32_t)walk->at;
	walk->at += walk->step;
	if (walk->at >= walk->n)
		walk->at -= walk->n;
	return true;
}
