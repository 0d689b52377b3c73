/* rate.h: so many a second, saved up for a tenth of a second at most. */
#ifndef PEERWALK_ENGINE_RATE_H
#define PEERWALK_ENGINE_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
	/* private */
	double per_s, tokens;
	uint64_t tokens_ms;
};

/* per_s 0: no limit. */
void rate_init(struct rate *r, double per_s, uint64_t now_ms);
/* Takes one, or tells when to ask again. */
bool rate_take(struct rate *r, uint64_t now_ms, uint64_t *wait_until_ms);
/* It was not used after all. */
void rate_put_back(struct rate *r);

#endif
