/* alarms.h: many deadlines on one timer of a libuv loop.
 *
 * A crawl sets and drops tens of thousands of deadlines, few of which ring, and none of which
 * is pressing. They ring together, on a grid of ALARMS_GRAIN_MS: never early, and late by no more
 * than that. So the loop wakes up for many at a time, and setting one costs a few memory accesses
 * where a timer of its own costs a walk through a heap and another turn of the loop to close it.
 *
 * The caller embeds struct alarm. The set has a handle in the loop while alarms are set, and for
 * one more turn: it has to live until the loop is closed. Everything happens on the loop's
 * thread. */
#ifndef PEERWALK_IO_ALARMS_H
#define PEERWALK_IO_ALARMS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum {
	ALARMS_GRAIN_MS = 16,
	/* Eight seconds: what rings later is met earlier, once a round, and stays. */
	ALARMS_SLOTS = 512,
};

struct alarm {
	/* private; zero: not set */
	uint64_t tick;
	struct alarm *next, **link;
};

struct alarms {
	/* private */
	uv_loop_t *loop;
	void (*ring)(struct alarm *a);
	uv_timer_t timer;
	bool open, closing; /* the timer */
	unsigned count;
	uint64_t passed;  /* the last tick whose alarms have rung */
	uint64_t set_for; /* the tick that the timer is set for */
	struct alarm *slots[ALARMS_SLOTS];
};

/* ring may set and drop any alarms; its own is not set any more. */
void alarms_init(struct alarms *s, uv_loop_t *loop, void (*ring)(struct alarm *a));
/* Rings at at_ms (of the loop's clock), and not before the loop's next turn. One that is set is
 * moved. */
void alarm_set(struct alarms *s, struct alarm *a, uint64_t at_ms);
void alarm_drop(struct alarms *s, struct alarm *a); /* may not be set */

#endif
