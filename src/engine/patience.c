#include "engine/patience.h"

#include <assert.h>
#include <string.h>

enum {
	WEIGHT = 1 << 8, /* of a sample; halved again and again as it grows old */
	/* Samples until a quantile is computed anew: it changes slowly. */
	STALE_MAX = 16,
};

void patience_init(struct patience *p, const struct patience_config *config)
{
	memset(p, 0, sizeof(*p));
	p->config = *config;
	if (p->config.connect_min_ms == 0)
		p->config.connect_min_ms = PATIENCE_CONNECT_MIN_MS;
}

/* --- a distribution of times --- */

/* The octave, and the eighth of it. */
static unsigned bucket_of(uint64_t ms)
{
	unsigned octave, bucket;

	if (ms < 1)
		ms = 1;
	octave = 63 - (unsigned)__builtin_clzll(ms);
	if (octave >= PATIENCE_BUCKETS / PATIENCE_STEPS)
		return PATIENCE_BUCKETS - 1;
	bucket = octave * PATIENCE_STEPS +
		 (unsigned)((ms * PATIENCE_STEPS >> octave) % PATIENCE_STEPS);
	return bucket;
}

/* The longest time that falls into it, and one more where that is no whole number. */
static uint32_t bucket_end_ms(unsigned bucket)
{
	uint64_t octave = bucket / PATIENCE_STEPS, step = bucket % PATIENCE_STEPS;

	return (uint32_t)(((PATIENCE_STEPS + step + 1) << octave) / PATIENCE_STEPS);
}

static uint32_t quantile_ms(const struct patience_times *t, unsigned permille)
{
	uint64_t wanted = (uint64_t)t->sum * permille / 1000, below = 0;
	unsigned i = 0;

	for (; i < PATIENCE_BUCKETS - 1; i++) {
		below += t->weights[i];
		if (below > wanted)
			break;
	}
	return bucket_end_ms(i);
}

static void forget_half(struct patience_times *t)
{
	t->sum = 0;
	for (unsigned i = 0; i < PATIENCE_BUCKETS; i++) {
		t->weights[i] /= 2;
		t->sum += t->weights[i];
	}
}

static void learn(struct patience_times *t, int64_t ms, unsigned permille)
{
	if (ms < 0)
		return;
	t->weights[bucket_of((uint64_t)ms)] += WEIGHT;
	t->sum += WEIGHT;
	t->samples += t->samples < PATIENCE_LEAST;
	if (t->sum >= 2 * PATIENCE_MEMORY * WEIGHT)
		forget_half(t);
	if (t->samples < PATIENCE_LEAST || (t->quantile_ms != 0 && ++t->stale < STALE_MAX))
		return;
	t->stale = 0;
	t->quantile_ms = quantile_ms(t, permille);
}

static uint32_t wait_ms(const struct patience_times *t, unsigned factor, uint32_t min_ms,
			uint32_t max_ms)
{
	uint64_t ms = (uint64_t)t->quantile_ms * factor;

	if (t->quantile_ms == 0 || ms > max_ms || min_ms > max_ms)
		return max_ms;
	return ms < min_ms ? min_ms : (uint32_t)ms;
}

/* --- waits --- */

void patience_learn(struct patience *p, int64_t connect_ms, int64_t answer_ms)
{
	learn(&p->connect, connect_ms, PATIENCE_CONNECT_PERMILLE);
	learn(&p->answer, answer_ms, PATIENCE_ANSWER_PERMILLE);
}

void patience_learned(const struct patience *p, struct patience_wait *out)
{
	const struct patience_config *c = &p->config;

	out->connect_ms =
		wait_ms(&p->connect, PATIENCE_CONNECT_FACTOR, c->connect_min_ms, c->connect_ms);
	out->answer_ms =
		wait_ms(&p->answer, PATIENCE_ANSWER_FACTOR, PATIENCE_ANSWER_MIN_MS, c->answer_ms);
}

static void whole(const struct patience *p, struct patience_wait *out)
{
	*out = (struct patience_wait){ .connect_ms = p->config.connect_ms,
				       .answer_ms = p->config.answer_ms };
}

bool patience_first(struct patience *p, struct patience_wait *out)
{
	if (p->firsts++ % PATIENCE_WHOLE_EVERY == 0)
		whole(p, out);
	else
		patience_learned(p, out);
	return out->connect_ms < p->config.connect_ms;
}

void patience_second(const struct patience *p, bool first_was_hasty, struct patience_wait *out)
{
	whole(p, out);
	if (!first_was_hasty) {
		uint32_t answer_ms = out->answer_ms;

		patience_learned(p, out);
		out->answer_ms = answer_ms;
	}
}
