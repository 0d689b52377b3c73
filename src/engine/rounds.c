#include "engine/rounds.h"

/* Rounds begin some moments late. What is later than this was meant to be another time. */
enum { LATE_SHARE = 4 };

static bool is_within(int64_t begin_ms, int64_t every_ms, int64_t now_ms)
{
	return now_ms >= begin_ms && now_ms - begin_ms < every_ms;
}

int64_t rounds_next_ms(int64_t last_ms, int64_t every_ms, int64_t now_ms)
{
	/* A clock that was set back would have us wait for long. */
	return last_ms > 0 && is_within(last_ms, every_ms, now_ms) ? last_ms + every_ms : now_ms;
}

int64_t rounds_due_before_ms(int64_t last_ms, int64_t every_ms, int64_t begin_ms)
{
	int64_t planned_ms = last_ms + every_ms;

	/* Who was the first of the last round, and missed, waits twice `every`: not a moment less
	 * because this round is a moment late. */
	if (last_ms > 0 && is_within(planned_ms, every_ms / LATE_SHARE, begin_ms))
		return planned_ms + every_ms;
	return begin_ms + every_ms;
}

bool rounds_go_on(int64_t begin_ms, int64_t every_ms, int64_t now_ms)
{
	return is_within(begin_ms, every_ms, now_ms);
}
