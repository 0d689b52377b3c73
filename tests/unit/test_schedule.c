#include "engine/schedule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static const int64_t start = 1780000000000;

static double left(int64_t ms, int64_t window_ms)
{
	return exp(-(double)ms / (double)window_ms);
}

static void assert_near(double got, double want)
{
	if (fabs(got - want) > 1e-9)
		print_error("%.12f instead of %.12f\n", got, want);
	assert_true(fabs(got - want) <= 1e-9);
}

static void misses_double_the_wait_up_to_a_day(void **state)
{
	static const struct {
		const char *name;
		int64_t every_ms;
		uint32_t misses;
		int64_t wait_ms;
	} rows[] = {
		{ "reached", 10 * MINUTE, 0, 10 * MINUTE },
		{ "one miss", 10 * MINUTE, 1, 20 * MINUTE },
		{ "two", 10 * MINUTE, 2, 40 * MINUTE },
		{ "the last that is shorter", 10 * MINUTE, 7, 1280 * MINUTE },
		{ "a day", 10 * MINUTE, 8, DAY },
		{ "a day at most", 10 * MINUTE, 1000, DAY },
		{ "every day", DAY, 5, DAY },
		{ "a longer one stays", 3 * DAY, 0, 3 * (int64_t)DAY },
		{ "a longer one doesn't double", 3 * DAY, 9, 3 * (int64_t)DAY },
		{ "just over half a day", 13 * HOUR, 1, DAY },
		{ "a millisecond", 1, 40, DAY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct schedule s = { 0 };
		struct schedule_session ended;
		int64_t at = start;

		print_message("%s\n", rows[i].name);
		schedule_visited(&s, rows[i].every_ms, at, true, &ended);
		for (uint32_t n = 0; n < rows[i].misses; n++) {
			at = s.due_ms;
			assert_true(schedule_visited(&s, rows[i].every_ms, at, false, &ended) ==
				    (n == 0));
		}
		assert_int_equal(s.misses, rows[i].misses);
		assert_int_equal(s.due_ms - at, rows[i].wait_ms);
		/* Reached again: as often as anybody. */
		schedule_visited(&s, rows[i].every_ms, s.due_ms, true, &ended);
		assert_int_equal(s.misses, 0);
		assert_int_equal(s.due_ms - s.visited_ms, rows[i].every_ms);
	}
}

/* What each interval adds, summed up on its own. */
static void uptime_is_the_weighted_share(void **state)
{
	static const struct {
		int64_t after_ms;
		bool reached;
	} visits[] = {
		{ 0, false },           { 10 * MINUTE, true }, { 10 * MINUTE, true },
		{ 11 * MINUTE, false }, { 20 * MINUTE, true }, { 9 * MINUTE, true },
		{ 59 * MINUTE, true },  { 2, false },          { 80 * MINUTE, false },
		{ 40 * MINUTE, true },
	};
	enum { VISITS = sizeof(visits) / sizeof(*visits) };
	struct schedule s = { 0 };
	struct schedule_session ended;
	int64_t at[VISITS];

	(void)state;
	for (size_t i = 0; i < VISITS; i++) {
		at[i] = (i == 0 ? start : at[i - 1]) + visits[i].after_ms;
		schedule_visited(&s, 10 * MINUTE, at[i], visits[i].reached, &ended);
		for (unsigned w = 0; w < SCHEDULE_WINDOWS; w++) {
			int64_t window = schedule_window_ms[w];
			double up = 0;

			for (size_t j = 1; j <= i; j++) {
				int64_t from = at[j - 1], middle = (at[j - 1] + at[j]) / 2;

				if (visits[j - 1].reached)
					up += left(at[i] - middle, window) -
					      left(at[i] - from, window);
				if (visits[j].reached)
					up += left(at[i] - at[j], window) -
					      left(at[i] - middle, window);
			}
			assert_near(s.up[w], up);
			if (i > 0)
				up /= 1 - left(at[i] - at[0], window);
			assert_near(schedule_uptime(&s, w), i == 0 ? -1 : up);
		}
	}
}

static void a_steady_peer(void **state)
{
	struct schedule up = { 0 }, down = { 0 }, half = { 0 };
	struct schedule_session ended;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		int64_t at = start + (int64_t)i * HOUR;

		schedule_visited(&up, HOUR, at, true, &ended);
		schedule_visited(&down, HOUR, at, false, &ended);
		schedule_visited(&half, HOUR, at, i % 2 == 0, &ended);
	}
	for (unsigned w = 0; w < SCHEDULE_WINDOWS; w++) {
		assert_near(schedule_uptime(&up, w), 1);
		assert_near(schedule_uptime(&down, w), 0);
		assert_true(fabs(schedule_uptime(&half, w) - 0.5) < 0.13);
	}
	assert_true(fabs(schedule_uptime(&half, WINDOW_30D) - 0.5) < 0.001);
}

static void time_in_which_nobody_looked(void **state)
{
	static const struct {
		const char *name;
		int64_t every_ms, after_ms;
		uint32_t misses; /* before it */
		bool counts;
	} rows[] = {
		{ "on time", 10 * MINUTE, 10 * MINUTE, 0, true },
		{ "early", 10 * MINUTE, 1, 0, true },
		{ "at the same moment", 10 * MINUTE, 0, 0, true },
		{ "an hour late", 10 * MINUTE, 70 * MINUTE, 0, true },
		{ "and a millisecond", 10 * MINUTE, 70 * MINUTE + 1, 0, false },
		{ "twice a long wait", 4 * HOUR, 8 * HOUR, 0, true },
		{ "more than that", 4 * HOUR, 8 * HOUR + 1, 0, false },
		{ "twice the doubled wait", 4 * HOUR, 16 * HOUR, 1, true },
		{ "more than that, too", 4 * HOUR, 16 * HOUR + 1, 1, false },
		{ "the clock was set back", 10 * MINUTE, -1, 0, false },
		{ "by years", 10 * MINUTE, -1000 * (int64_t)DAY, 0, false },
		{ "a year off", 10 * MINUTE, 365 * (int64_t)DAY, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct schedule s = { 0 }, before;
		struct schedule_session ended;
		int64_t at;

		print_message("%s\n", rows[i].name);
		schedule_visited(&s, rows[i].every_ms, start, true, &ended);
		schedule_visited(&s, rows[i].every_ms, s.due_ms, true, &ended);
		for (uint32_t n = 0; n < rows[i].misses; n++)
			schedule_visited(&s, rows[i].every_ms, s.due_ms, false, &ended);
		before = s;
		at = s.visited_ms + rows[i].after_ms;
		schedule_visited(&s, rows[i].every_ms, at, rows[i].misses == 0, &ended);
		assert_int_equal(s.visited_ms, at);
		assert_int_equal(s.misses, rows[i].misses == 0 ? 0 : rows[i].misses + 1);
		assert_true(s.due_ms > at);
		assert_int_equal(s.first_ms - before.first_ms,
				 rows[i].counts ? 0 : rows[i].after_ms);
		for (unsigned w = 0; w < SCHEDULE_WINDOWS; w++)
			if (rows[i].counts && rows[i].misses == 0)
				assert_near(schedule_uptime(&s, w), 1);
			else if (rows[i].counts)
				assert_near(s.up[w], before.up[w] * left(rows[i].after_ms,
									 schedule_window_ms[w]));
			else
				assert_near(schedule_uptime(&s, w), schedule_uptime(&before, w));
	}
}

struct step {
	int64_t at_ms; /* after start */
	bool reached;
	int64_t from_ms, to_ms; /* of the session that ends; -1: none */
};

static void sessions_begin_and_end(void **state)
{
	static const struct step steps[] = {
		{ 0, false, -1, 0 },
		{ 20 * MINUTE, true, -1, 0 },
		{ 30 * MINUTE, true, -1, 0 },
		{ 40 * MINUTE, true, -1, 0 },
		{ 50 * MINUTE, false, 20 * MINUTE, 40 * MINUTE },
		{ 70 * MINUTE, false, -1, 0 },
		{ 80 * MINUTE, true, -1, 0 },
		{ 90 * MINUTE, false, 80 * MINUTE, 80 * MINUTE },
		{ 100 * MINUTE, true, -1, 0 },
		/* Nobody looked: it may have been down. */
		{ 10 * HOUR, true, 100 * MINUTE, 100 * MINUTE },
		{ 10 * HOUR + 10 * MINUTE, true, -1, 0 },
		{ 30 * HOUR, false, 10 * HOUR, 10 * HOUR + 10 * MINUTE },
		{ 30 * HOUR + 20 * MINUTE, true, -1, 0 },
		/* A clock that was set back. */
		{ 20 * HOUR, true, 30 * HOUR + 20 * MINUTE, 30 * HOUR + 20 * MINUTE },
		{ 20 * HOUR + 10 * MINUTE, false, 20 * HOUR, 20 * HOUR },
	};
	struct schedule s = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		const struct step *step = &steps[i];
		struct schedule_session ended;
		bool end = schedule_visited(&s, 10 * MINUTE, start + step->at_ms, step->reached,
					    &ended);

		print_message("%zu\n", i);
		assert_true(end == (step->from_ms >= 0));
		if (end) {
			assert_int_equal(ended.from_ms - start, step->from_ms);
			assert_int_equal(ended.to_ms - start, step->to_ms);
		}
		assert_true((s.up_since_ms != 0) == step->reached);
		if (step->reached)
			assert_int_equal(s.up_until_ms, s.visited_ms);
	}
}

/* A late retry leaves what the second try alone would have left. */
static void a_retry_takes_the_first_try_s_place(void **state)
{
	static const struct {
		const char *name;
		bool known, was_up, reached;
	} rows[] = {
		{ "somebody new, missed twice", false, false, false },
		{ "somebody new, reached at last", false, false, true },
		{ "down, and still", true, false, false },
		{ "back", true, false, true },
		{ "gone", true, true, false },
		{ "up all the time", true, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct schedule got = { 0 }, want = { 0 };
		struct schedule_session ended = { 0 }, unused;
		int64_t at = start;

		print_message("%s\n", rows[i].name);
		for (unsigned n = 0; rows[i].known && n < 5; n++, at += 10 * MINUTE)
			schedule_visited(&got, 10 * MINUTE, at, rows[i].was_up || n == 2, &ended);
		want = got;
		at += MINUTE;
		ended.from_ms = 0;
		assert_true(schedule_visited(&got, 10 * MINUTE, at, false, &ended) ==
			    rows[i].was_up);
		schedule_retried(&got, 10 * MINUTE, at + MINUTE, rows[i].reached, ended.from_ms);
		schedule_visited(&want, 10 * MINUTE, at + MINUTE, rows[i].reached, &unused);
		assert_int_equal(got.due_ms, want.due_ms);
		assert_int_equal(got.misses, want.misses);
		assert_int_equal(got.first_ms, want.first_ms);
		assert_int_equal(got.visited_ms, want.visited_ms);
		assert_int_equal(got.before_ms, want.before_ms);
		assert_int_equal(got.up_since_ms, want.up_since_ms);
		assert_int_equal(got.up_until_ms, want.up_until_ms);
		for (unsigned w = 0; w < SCHEDULE_WINDOWS; w++)
			assert_near(got.up[w], want.up[w]);
	}
}

static void who_is_due(void **state)
{
	static const struct {
		const char *name;
		int64_t visited_ms, due_ms;
		bool due;
	} rows[] = {
		{ "overdue", -HOUR, -MINUTE, true },
		{ "just due", -HOUR, -1, true },
		{ "not yet", -HOUR, 0, false },
		{ "tomorrow", -1, DAY, false },
		{ "visited tomorrow, by a clock that was set back", DAY, 2 * DAY, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct schedule s = { .visited_ms = start + rows[i].visited_ms,
				      .due_ms = start + rows[i].due_ms };

		print_message("%s\n", rows[i].name);
		assert_true(schedule_is_due(&s, start) == rows[i].due);
	}
}

static void shares_are_kept(void **state)
{
	struct schedule s = { 0 }, copy;
	struct schedule_session ended;

	(void)state;
	schedule_visited(&s, HOUR, start, true, &ended);
	schedule_visited(&s, HOUR, start + HOUR, false, &ended);
	schedule_visited(&s, HOUR, start + 2 * HOUR, true, &ended);
	copy = s;
	for (unsigned w = 0; w < SCHEDULE_WINDOWS; w++) {
		schedule_set_uptime(&copy, w, schedule_uptime(&s, w));
		assert_near(copy.up[w], s.up[w]);
		schedule_set_uptime(&copy, w, -1);
		assert_near(copy.up[w], 0);
		schedule_set_uptime(&copy, w, 7); /* another program may have written it */
		assert_near(schedule_uptime(&copy, w), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(misses_double_the_wait_up_to_a_day),
		cmocka_unit_test(uptime_is_the_weighted_share),
		cmocka_unit_test(a_steady_peer),
		cmocka_unit_test(time_in_which_nobody_looked),
		cmocka_unit_test(sessions_begin_and_end),
		cmocka_unit_test(a_retry_takes_the_first_try_s_place),
		cmocka_unit_test(who_is_due),
		cmocka_unit_test(shares_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
