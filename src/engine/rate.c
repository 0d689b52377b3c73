#include "engine/rate.h"

enum { WAIT_MAX_MS = 3600 * 1000 }; /* for the next token; then it is looked at again */

void rate_init(struct rate *r, double per_s, uint64_t now_ms)
{
	*r = (struct rate){ .per_s = per_s, .tokens = 1, .tokens_ms = now_ms };
}

bool rate_take(struct rate *r, uint64_t now_ms, uint64_t *wait_until_ms)
{
	double burst = r->per_s / 10 > 1 ? r->per_s / 10 : 1, wait_ms;

	if (r->per_s <= 0)
		return true;
	/* Loops have clocks of their own, which may lag behind each other. */
	if (now_ms > r->tokens_ms) {
		r->tokens += (double)(now_ms - r->tokens_ms) * r->per_s / 1000;
		r->tokens_ms = now_ms;
	}
	if (r->tokens > burst)
		r->tokens = burst;
	if (r->tokens >= 1) {
		r->tokens -= 1;
		return true;
	}
	wait_ms = (1 - r->tokens) * 1000 / r->per_s;
	*wait_until_ms = now_ms + 1 + (uint64_t)(wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS);
	return false;
}

void rate_put_back(struct rate *r)
{
	r->tokens += 1;
}
