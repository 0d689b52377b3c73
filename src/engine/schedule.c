#include "engine/schedule.h"

#include <assert.h>
#include <math.h>

enum { HOUR_MS = 60 * 60 * 1000, DAY_MS = 24 * HOUR_MS };

const char *const schedule_window_names[SCHEDULE_WINDOWS] = { "2h", "8h", "1d", "7d", "30d" };
const int64_t schedule_window_ms[SCHEDULE_WINDOWS] = {
	2 * HOUR_MS, 8 * HOUR_MS, DAY_MS, 7 * (int64_t)DAY_MS, 30 * (int64_t)DAY_MS,
};

static int64_t wait_ms(int64_t every_ms, uint32_t misses)
{
	int64_t most = every_ms > SCHEDULE_WAIT_MAX_MS ? every_ms : SCHEDULE_WAIT_MAX_MS;
	int64_t wait = every_ms;

	for (uint32_t i = 0; i < misses && wait < most; i++)
		wait *= 2;
	return wait < most ? wait : most;
}

/* What is left of the weight of something after that time. */
static double left_of(double ms, enum schedule_window window)
{
	return exp(-ms / (double)schedule_window_ms[window]);
}

/* What the time between two visits adds at its end, by what both found. */
static double gain(bool was_up, bool is_up, int64_t ms, enum schedule_window window)
{
	double all = 1 - left_of((double)ms, window), later = 1 - left_of((double)ms / 2, window);

	if (was_up)
		return is_up ? all : all - later;
	return is_up ? later : 0;
}

/* Whether somebody looked all the time between the newest visit and this one. */
static bool is_watched_until(const struct schedule *s, int64_t at_ms)
{
	int64_t expected = s->due_ms - s->visited_ms, passed = at_ms - s->visited_ms;
	int64_t most = expected + (expected > SCHEDULE_LATE_MS ? expected : SCHEDULE_LATE_MS);

	return passed >= 0 && passed <= most;
}

/* That time is left out. */
static void skip_until(struct schedule *s, int64_t at_ms)
{
	s->first_ms += at_ms - s->visited_ms;
	s->visited_ms = s->before_ms = at_ms;
}

static void found(struct schedule *s, int64_t every_ms, bool reached)
{
	s->misses = reached ? 0 : s->misses + (s->misses < UINT32_MAX);
	s->due_ms = s->visited_ms + wait_ms(every_ms, s->misses);
	if (!reached) {
		s->up_since_ms = 0;
		return;
	}
	if (s->up_since_ms == 0)
		s->up_since_ms = s->visited_ms;
	s->up_until_ms = s->visited_ms;
}

bool schedule_visited(struct schedule *s, int64_t every_ms, int64_t at_ms, bool reached,
		      struct schedule_session *ended)
{
	bool watched = s->visited_ms == 0 || is_watched_until(s, at_ms), end;
	bool was_up = s->up_since_ms != 0;

	assert(every_ms > 0 && at_ms > 0);
	end = was_up && (!reached || !watched);
	if (end) {
		*ended = (struct schedule_session){ s->up_since_ms, s->up_until_ms };
		s->up_since_ms = 0;
	}
	if (s->visited_ms == 0) {
		s->first_ms = s->visited_ms = s->before_ms = at_ms;
	} else if (!watched) {
		skip_until(s, at_ms);
	} else {
		for (unsigned w = 0; w < SCHEDULE_WINDOWS; w++) {
			enum schedule_window window = (enum schedule_window)w;
			int64_t passed = at_ms - s->visited_ms;

			s->up[w] *= left_of((double)passed, window);
			s->up[w] += gain(was_up, reached, passed, window);
		}
		s->before_ms = s->visited_ms;
		s->visited_ms = at_ms;
	}
	found(s, every_ms, reached);
	return end;
}

void schedule_retried(struct schedule *s, int64_t every_ms, int64_t at_ms, bool reached,
		      int64_t goes_on_ms)
{
	int64_t passed = at_ms > s->visited_ms ? at_ms - s->visited_ms : 0;

	assert(every_ms > 0 && s->visited_ms != 0 && s->misses > 0);
	if (s->before_ms == s->visited_ms) {
		skip_until(s, s->visited_ms + passed);
	} else {
		int64_t first = s->visited_ms - s->before_ms;
		bool was_up = goes_on_ms != 0;

		s->visited_ms += passed;
		for (unsigned w = 0; w < SCHEDULE_WINDOWS; w++) {
			enum schedule_window window = (enum schedule_window)w;

			s->up[w] -= gain(was_up, false, first, window);
			s->up[w] *= left_of((double)passed, window);
			s->up[w] += gain(was_up, reached, first + passed, window);
		}
	}
	s->misses--;
	s->up_since_ms = goes_on_ms;
	found(s, every_ms, reached);
}

bool schedule_is_due(const struct schedule *s, int64_t before_ms)
{
	return s->due_ms < before_ms || s->visited_ms >= before_ms;
}

double schedule_uptime(const struct schedule *s, enum schedule_window window)
{
	double share;

	if (s->visited_ms <= s->first_ms)
		return -1;
	share = s->up[window] / (1 - left_of((double)(s->visited_ms - s->first_ms), window));
	return share < 1 ? share : 1;
}

void schedule_set_uptime(struct schedule *s, enum schedule_window window, double share)
{
	s->up[window] = 0;
	if (s->visited_ms > s->first_ms && share > 0)
		s->up[window] = (share < 1 ? share : 1) *
				(1 - left_of((double)(s->visited_ms - s->first_ms), window));
}
