#include "io/alarms.h"

#include <string.h>

static void on_timer(uv_timer_t *timer);

void alarms_init(struct alarms *s, uv_loop_t *loop, void (*ring)(struct alarm *a))
{
	memset(s, 0, sizeof(*s));
	s->loop = loop;
	s->ring = ring;
}

static void put(struct alarm **list, struct alarm *a)
{
	a->next = *list;
	a->link = list;
	if (a->next != NULL)
		a->next->link = &a->next;
	*list = a;
}

static void take(struct alarm *a)
{
	*a->link = a->next;
	if (a->next != NULL)
		a->next->link = a->link;
	a->link = NULL;
}

/* --- the timer --- */

static void start(struct alarms *s, uint64_t tick)
{
	uint64_t now = uv_now(s->loop), at = tick * ALARMS_GRAIN_MS;

	s->set_for = tick;
	uv_timer_start(&s->timer, on_timer, at > now ? at - now : 0, 0);
}

/* For the next slot that holds anything. */
static void start_next(struct alarms *s)
{
	uint64_t tick = s->passed + 1;

	while (s->slots[tick % ALARMS_SLOTS] == NULL)
		tick++;
	start(s, tick);
}

static void open_timer(struct alarms *s)
{
	uv_timer_init(s->loop, &s->timer);
	s->timer.data = s;
	s->open = true;
	s->set_for = UINT64_MAX;
}

static void on_closed(uv_handle_t *handle)
{
	struct alarms *s = handle->data;

	s->open = s->closing = false;
	if (s->count == 0)
		return;
	open_timer(s);
	start_next(s);
}

static void close_if_empty(struct alarms *s)
{
	if (s->count > 0 || s->closing)
		return;
	s->closing = true;
	uv_close((uv_handle_t *)&s->timer, on_closed);
}

/* What is due leaves its slot first: those who ring may set and drop others. */
static void on_timer(uv_timer_t *timer)
{
	struct alarms *s = timer->data;
	uint64_t now = uv_now(s->loop) / ALARMS_GRAIN_MS, first = s->passed + 1;
	struct alarm *due = NULL, *next;

	/* After a long stall once around is enough. */
	if (now >= ALARMS_SLOTS && first < now - ALARMS_SLOTS)
		first = now - ALARMS_SLOTS;
	for (uint64_t tick = first; tick <= now; tick++) {
		for (struct alarm *a = s->slots[tick % ALARMS_SLOTS]; a != NULL; a = next) {
			next = a->next;
			if (a->tick > now)
				continue;
			take(a);
			put(&due, a);
		}
	}
	s->passed = now;
	s->set_for = UINT64_MAX;
	while (due != NULL) {
		struct alarm *a = due;

		take(a);
		s->count--;
		s->ring(a);
	}
	close_if_empty(s);
	if (!s->closing)
		start_next(s);
}

/* --- the alarms --- */

void alarm_set(struct alarms *s, struct alarm *a, uint64_t at_ms)
{
	if (a->link != NULL)
		take(a);
	else
		s->count++;
	if (!s->open) {
		open_timer(s);
		s->passed = uv_now(s->loop) / ALARMS_GRAIN_MS;
	}
	a->tick = at_ms / ALARMS_GRAIN_MS + (at_ms % ALARMS_GRAIN_MS > 0);
	if (a->tick <= s->passed)
		a->tick = s->passed + 1;
	put(&s->slots[a->tick % ALARMS_SLOTS], a);
	if (!s->closing && a->tick < s->set_for)
		start(s, a->tick);
}

void alarm_drop(struct alarms *s, struct alarm *a)
{
	if (a->link == NULL)
		return;
	take(a);
	s->count--;
	close_if_empty(s);
}
