/* Alarms on a real loop; what is timed has a lower bound alone, as the machine may be slow. */
#include "io/alarms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MANY = 2000 };

struct bell {
	struct alarm alarm; /* first */
	struct rig *rig;
	uint64_t due_ms, rang_ms;
	unsigned rang, again;      /* again: to be set anew when it rings */
	struct bell *drops, *sets; /* others, when it rings */
};

struct rig {
	uv_loop_t loop;
	struct alarms alarms;
	struct bell bells[MANY];
	unsigned rang;
};

static void set(struct bell *b, uint64_t in_ms)
{
	b->due_ms = uv_now(&b->rig->loop) + in_ms;
	alarm_set(&b->rig->alarms, &b->alarm, b->due_ms);
}

static void on_ring(struct alarm *a)
{
	struct bell *b = (struct bell *)(void *)a;

	b->rang_ms = uv_now(&b->rig->loop);
	b->rang++;
	b->rig->rang++;
	assert_true(b->rang_ms >= b->due_ms);
	if (b->drops != NULL)
		alarm_drop(&b->rig->alarms, &b->drops->alarm);
	if (b->sets != NULL)
		set(b->sets, 0);
	if (b->again > 0) {
		b->again--;
		set(b, 0);
	}
}

static struct rig *rig_new(void)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	assert_int_equal(uv_loop_init(&r->loop), 0);
	alarms_init(&r->alarms, &r->loop, on_ring);
	for (unsigned i = 0; i < MANY; i++)
		r->bells[i].rig = r;
	return r;
}

/* The loop ends by itself once no alarm is set, and nothing is left open in it. */
static void run(struct rig *r)
{
	uv_run(&r->loop, UV_RUN_DEFAULT);
}

static void rig_free(struct rig *r)
{
	assert_int_equal(uv_loop_close(&r->loop), 0);
	free(r);
}

/* Many of them in one slot, set in no order. */
static void each_rings_once_and_never_early(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	for (unsigned i = 0; i < MANY; i++)
		set(&r->bells[i], (i * 7919ULL) % 300);
	run(r);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(r->bells[i].rang, 1);
	rig_free(r);
}

/* Beyond the last slot: its slot comes round earlier, and it stays. */
static void a_far_one_waits_for_its_round(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	set(&r->bells[0], ALARMS_SLOTS * ALARMS_GRAIN_MS + 40ULL);
	set(&r->bells[1], 40);
	uv_run(&r->loop, UV_RUN_ONCE);
	assert_int_equal(r->bells[1].rang, 1);
	assert_int_equal(r->bells[0].rang, 0);
	alarm_drop(&r->alarms, &r->bells[0].alarm);
	run(r);
	assert_int_equal(r->rang, 1);
	rig_free(r);
}

static void one_that_is_set_is_moved(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	set(&r->bells[0], 3600 * 1000);
	set(&r->bells[0], 30);
	set(&r->bells[1], 30);
	set(&r->bells[1], 80);
	run(r);
	assert_int_equal(r->bells[0].rang, 1);
	assert_int_equal(r->bells[1].rang, 1);
	assert_true(r->bells[0].rang_ms < r->bells[1].rang_ms);
	rig_free(r);
}

static void a_dropped_one_is_silent(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		set(&r->bells[i], 20);
	alarm_drop(&r->alarms, &r->bells[1].alarm);
	alarm_drop(&r->alarms, &r->bells[1].alarm);
	run(r);
	assert_int_equal(r->rang, 3);
	assert_int_equal(r->bells[1].rang, 0);
	rig_free(r);
}

/* Of one tick, all of which are due already: whoever rings may drop others and set any. */
static void ringing_may_set_and_drop(void **state)
{
	struct rig *r = rig_new();
	struct bell *b = r->bells;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		set(&b[i], 20);
	/* Whichever of both comes first drops the other. */
	b[0].drops = &b[1];
	b[1].drops = &b[0];
	b[2].sets = &b[3];
	b[3].again = 5;
	run(r);
	assert_int_equal(b[0].rang + b[1].rang, 1);
	assert_int_equal(b[2].rang, 1);
	assert_int_equal(b[3].rang, 6);
	rig_free(r);
}

/* While the timer is being closed, and after that. */
static void the_set_can_be_filled_again(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	set(&r->bells[0], 10);
	alarm_drop(&r->alarms, &r->bells[0].alarm);
	set(&r->bells[1], 10);
	run(r);
	assert_int_equal(r->bells[1].rang, 1);
	set(&r->bells[2], 10);
	run(r);
	assert_int_equal(r->bells[2].rang, 1);
	assert_int_equal(r->rang, 2);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rings_once_and_never_early),
		cmocka_unit_test(a_far_one_waits_for_its_round),
		cmocka_unit_test(one_that_is_set_is_moved),
		cmocka_unit_test(a_dropped_one_is_silent),
		cmocka_unit_test(ringing_may_set_and_drop),
		cmocka_unit_test(the_set_can_be_filled_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
