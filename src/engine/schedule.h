/* schedule.h: when a peer that is watched is visited next, and how much of the time it is up.
 *
 * Pure decisions for `crawl --every`: a peer that was reached is due again after `every`; one
 * that was missed waits twice as long with each miss, up to a day (or `every`, if that is longer).
 *
 * Uptime is the share of the time in which a peer was up, as averages that forget: with a window
 * of W an hour that is W old weighs 1/e of the last one. The time between two visits counts as
 * what both found, and half and half where they differ: who comes back after a day is found after
 * the last and longest of the waits, and was not up all of it. Time in which nobody looked (we were
 * off) counts for nothing, and ends a session: a visit that comes later than twice the wait that
 * was expected, or an hour later than that wait if this is longer, has such a time before it. So
 * has one before its predecessor (a clock that was set back). */
#ifndef PEERWALK_ENGINE_SCHEDULE_H
#define PEERWALK_ENGINE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	SCHEDULE_WAIT_MAX_MS = 24 * 60 * 60 * 1000,
	/* Neither reached nor named for so long: no longer watched. */
	SCHEDULE_FORGET_S = 30 * 24 * 60 * 60,
	/* So much later than it was due, a visit is no sign that nobody looked: rounds take time,
	 * and a restart for an update should not end everybody's session. */
	SCHEDULE_LATE_MS = 60 * 60 * 1000,
};

enum schedule_window {
	WINDOW_2H,
	WINDOW_8H,
	WINDOW_1D,
	WINDOW_7D,
	WINDOW_30D,
	SCHEDULE_WINDOWS,
};

/* "2h", "8h", "1d", "7d", "30d". */
extern const char *const schedule_window_names[SCHEDULE_WINDOWS];
extern const int64_t schedule_window_ms[SCHEDULE_WINDOWS];

/* Times are milliseconds since 1970. All zero: never visited. */
struct schedule {
	int64_t due_ms;
	uint32_t misses;     /* since it was last reached */
	int64_t first_ms;    /* first visit, moved on by the time in which nobody looked */
	int64_t visited_ms;  /* newest visit: that of which the averages are */
	int64_t before_ms;   /* where the time begins that it counts for; visited_ms: for none */
	int64_t up_since_ms; /* the first visit of the session that goes on; 0: it is down */
	int64_t up_until_ms; /* the newest visit that reached it; 0: none */
	double up[SCHEDULE_WINDOWS]; /* 0 .. 1; time before first_ms counts as down */
};

/* A session that is over. */
struct schedule_session {
	int64_t from_ms, to_ms; /* first and last visit of it */
};

/* A visit that began then. Returns true if a session ended with it. */
bool schedule_visited(struct schedule *s, int64_t every_ms, int64_t at_ms, bool reached,
		      struct schedule_session *ended);
/* A second try in the place of the newest visit, which had missed. goes_on_ms: where the session
 * began that ended with the first try, and goes on if the second one reached it; 0: none. */
void schedule_retried(struct schedule *s, int64_t every_ms, int64_t at_ms, bool reached,
		      int64_t goes_on_ms);
/* Whether a visit is due before that moment, which is still to come. So is that of a peer whose
 * newest visit was not before it: a clock that was set back leaves such, and else the peer would
 * have to wait until that time has come again. */
bool schedule_is_due(const struct schedule *s, int64_t before_ms);
/* The share of the window, or of the part of it since the first visit, in which the peer was up:
 * 0 .. 1; -1 before the second visit. */
double schedule_uptime(const struct schedule *s, enum schedule_window window);
/* The reverse, for who keeps shares: sets the average, given first_ms and visited_ms. */
void schedule_set_uptime(struct schedule *s, enum schedule_window window, double share);

#endif
