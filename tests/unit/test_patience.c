#include "engine/patience.h"

#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { CEILING_MS = 5000, ANSWER_MS = 10000 };

static struct patience new_patience(void)
{
	struct patience p;

	patience_init(
		&p, &(struct patience_config){ .connect_ms = CEILING_MS, .answer_ms = ANSWER_MS });
	return p;
}

static void learn_many(struct patience *p, unsigned count, int64_t connect_ms, int64_t answer_ms)
{
	for (unsigned i = 0; i < count; i++)
		patience_learn(p, connect_ms, answer_ms);
}

static uint32_t connect_ms(const struct patience *p)
{
	struct patience_wait wait;

	patience_learned(p, &wait);
	return wait.connect_ms;
}

static uint32_t answer_ms(const struct patience *p)
{
	struct patience_wait wait;

	patience_learned(p, &wait);
	return wait.answer_ms;
}

static void few_say_nothing(void **state)
{
	struct patience p = new_patience();

	(void)state;
	learn_many(&p, PATIENCE_LEAST - 1, 400, 2000);
	assert_int_equal(connect_ms(&p), CEILING_MS);
	assert_int_equal(answer_ms(&p), ANSWER_MS);
	/* Who didn't connect or answer is no sample. */
	learn_many(&p, 1000, -1, -1);
	assert_int_equal(connect_ms(&p), CEILING_MS);
	patience_learn(&p, 400, 2000);
	assert_in_range(connect_ms(&p), 3 * 400, 3 * 450);
	assert_in_range(answer_ms(&p), 4 * 2000, 4 * 2250);
}

static void a_percentile_times_a_factor_between_bounds(void **state)
{
	static const struct {
		const char *name;
		int64_t fast_ms, slow_ms;
		unsigned slow; /* of a hundred */
		uint32_t from_ms, to_ms;
	} rows[] = {
		{ "all at once", 0, 0, 0, PATIENCE_CONNECT_MIN_MS, PATIENCE_CONNECT_MIN_MS },
		{ "fast", 50, 50, 0, PATIENCE_CONNECT_MIN_MS, PATIENCE_CONNECT_MIN_MS },
		{ "slow", 700, 700, 0, 2100, 2400 },
		{ "at the ceiling", CEILING_MS, CEILING_MS, 0, CEILING_MS, CEILING_MS },
		{ "three of a hundred are slow", 300, 4900, 3, 900, 1020 },
		{ "ten of a hundred are", 300, 4900, 10, CEILING_MS, CEILING_MS },
		{ "beyond all bounds", INT64_MAX, INT64_MAX, 0, CEILING_MS, CEILING_MS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct patience p = new_patience();

		for (unsigned k = 0; k < 2000; k++)
			patience_learn(
				&p, k % 100 < rows[i].slow ? rows[i].slow_ms : rows[i].fast_ms, -1);
		if (connect_ms(&p) < rows[i].from_ms || connect_ms(&p) > rows[i].to_ms)
			fail_msg("%s: %u", rows[i].name, connect_ms(&p));
	}
}

/* An answer gets no second try: it is never cut below what a busy machine takes. */
static void answers_have_a_higher_floor(void **state)
{
	struct patience p = new_patience();

	(void)state;
	learn_many(&p, 1000, 20, 30);
	assert_int_equal(answer_ms(&p), PATIENCE_ANSWER_MIN_MS);
	learn_many(&p, 1000, 20, 1900);
	assert_in_range(answer_ms(&p), 4 * 1900, 4 * 2100);
	learn_many(&p, 1000, 20, 60000);
	assert_int_equal(answer_ms(&p), ANSWER_MS);
}

/* Whoever is silent is waited for once in haste and once for the whole time, in either order. */
static void each_has_the_whole_time_once(void **state)
{
	struct patience p = new_patience();
	unsigned whole = 0;

	(void)state;
	learn_many(&p, 1000, 100, 100);
	for (unsigned i = 0; i < 10 * PATIENCE_WHOLE_EVERY; i++) {
		struct patience_wait first, second;
		bool hasty = patience_first(&p, &first);

		patience_second(&p, hasty, &second);
		assert_int_equal(hasty, first.connect_ms < CEILING_MS);
		assert_int_equal(first.connect_ms + second.connect_ms,
				 CEILING_MS + PATIENCE_CONNECT_MIN_MS);
		assert_int_equal(second.answer_ms, ANSWER_MS);
		whole += !hasty;
	}
	assert_int_equal(whole, 10);
}

static void before_anything_is_learned_nobody_is_hasty(void **state)
{
	struct patience p = new_patience();
	struct patience_wait wait;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		assert_false(patience_first(&p, &wait));
		assert_int_equal(wait.connect_ms, CEILING_MS);
	}
	patience_second(&p, false, &wait);
	assert_int_equal(wait.connect_ms, CEILING_MS);
}

static void without_ceilings_nothing_is_said(void **state)
{
	struct patience p;
	struct patience_wait wait;

	(void)state;
	patience_init(&p, &(struct patience_config){ 0 });
	learn_many(&p, 1000, 3000, 3000);
	assert_false(patience_first(&p, &wait));
	assert_int_equal(wait.connect_ms, 0);
	assert_int_equal(wait.answer_ms, 0);
	patience_second(&p, false, &wait);
	assert_int_equal(wait.connect_ms, 0);
}

static void a_ceiling_below_the_floor_holds(void **state)
{
	struct patience p;
	struct patience_wait wait;

	(void)state;
	patience_init(&p, &(struct patience_config){ .connect_ms = 200, .answer_ms = 300 });
	learn_many(&p, 1000, 10, 10);
	assert_false(patience_first(&p, &wait));
	patience_learned(&p, &wait);
	assert_int_equal(wait.connect_ms, 200);
	assert_int_equal(wait.answer_ms, 300);
}

/* Peers at a round trip of that time, as a crawl meets them: who takes longer than the try allows
 * isn't seen; second tries come much later, and aren't part of this. */
static unsigned dials_until(struct patience *p, int64_t rtt_ms, uint32_t wanted_ms)
{
	for (unsigned dials = 1; dials < 1000 * 1000; dials++) {
		struct patience_wait wait;

		patience_first(p, &wait);
		if (rtt_ms <= wait.connect_ms)
			patience_learn(p, rtt_ms, -1);
		if (connect_ms(p) == wanted_ms)
			return dials;
	}
	return UINT32_MAX;
}

static void it_grows_again_though_the_slow_are_not_seen(void **state)
{
	struct patience p = new_patience();

	(void)state;
	learn_many(&p, 5000, 60, -1);
	assert_int_equal(connect_ms(&p), PATIENCE_CONNECT_MIN_MS);
	/* All of the network becomes slow: only the tries with the whole time see anybody. */
	assert_true(dials_until(&p, 3000, CEILING_MS) <= 150 * PATIENCE_WHOLE_EVERY);
	/* And fast again, which everybody sees. */
	assert_true(dials_until(&p, 60, PATIENCE_CONNECT_MIN_MS) <= 6 * PATIENCE_MEMORY);
}

/* One liar in fifty answers as late as it may: the deadline stays; every second one: it is what it
 * would be without learning, and no more. Those who answer at once can't push it below its least.
 */
static void liars_move_it_between_its_bounds(void **state)
{
	struct patience few = new_patience(), many = new_patience(), fast = new_patience();
	struct random r = { 1 };

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		int64_t honest_ms = 100 + (int64_t)random_below(&r, 200);

		patience_learn(&few, random_below(&r, 50) == 0 ? 4999 : honest_ms, -1);
		patience_learn(&many, random_below(&r, 2) == 0 ? 4999 : honest_ms, -1);
		patience_learn(&fast, random_below(&r, 10) != 0 ? 0 : honest_ms, -1);
		if (i < 1000)
			continue;
		assert_in_range(connect_ms(&few), 500, 1100);
		assert_int_equal(connect_ms(&many), CEILING_MS);
		assert_in_range(connect_ms(&fast), PATIENCE_CONNECT_MIN_MS, 1100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_say_nothing),
		cmocka_unit_test(a_percentile_times_a_factor_between_bounds),
		cmocka_unit_test(answers_have_a_higher_floor),
		cmocka_unit_test(each_has_the_whole_time_once),
		cmocka_unit_test(before_anything_is_learned_nobody_is_hasty),
		cmocka_unit_test(without_ceilings_nothing_is_said),
		cmocka_unit_test(a_ceiling_below_the_floor_holds),
		cmocka_unit_test(it_grows_again_though_the_slow_are_not_seen),
		cmocka_unit_test(liars_move_it_between_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
