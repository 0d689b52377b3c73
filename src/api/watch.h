/* watch.h: a network that is watched for weeks: which round is next, and what is done between
 * rounds.
 *
 *     watch_new -> watch_next, and what it says ... -> watch_free
 *
 * A round is a walk (api/walk.h) that the caller runs:
 *
 *     watch_begin -> walk_seed, walk_name ... -> walk_run -> walk_end -> watch_end -> walk_free
 *
 * What is to be done is read from the database, so that a process that was killed at any moment is
 * followed by one that goes on. Times are those of the wall clock, milliseconds since 1970.
 * Failures leave a sentence in watch_why, with the remedy. One thread. */
#ifndef PEERWALK_API_WATCH_H
#define PEERWALK_API_WATCH_H

#include "api/walk.h"

enum {
	/* Between rounds, and a few times a day: forgetting and pruning walk over tables. */
	WATCH_TIDY_EVERY_MS = 6 * 60 * 60 * 1000,
	/* A round is not held up by that for longer. */
	WATCH_TIDY_LATE_MS = 30 * 1000,
	/* With fewer that were reached, a round is begun from the seeds again. Else they are left
	 * alone: DNS seeds are there to begin with, not to be asked every ten minutes. */
	WATCH_FEW = 8,
};

struct watch;

struct watch_config {
	const char *db, *network; /* they outlive the watch */
	uint64_t every_ms, keep_ms;
};

/* The errors of store_open; ERR_BUSY while somebody else watches that network. */
enum err watch_new(const struct watch_config *config, struct watch **out,
		   char why[static WALK_WHY_MAX]);
void watch_free(struct watch *w);

enum watch_step {
	WATCH_ROUND, /* watch_begin */
	WATCH_TIDY,  /* watch_tidy, which takes a moment */
	WATCH_WAIT,  /* until watch_next_ms */
};
enum watch_step watch_next(struct watch *w, int64_t now_ms);
/* When the next round begins; now_ms or later. */
int64_t watch_next_ms(const struct watch *w, int64_t now_ms);

/* A step of what keeps the database small. Who finds it busy leaves it for the next time. */
enum err watch_tidy(struct watch *w, int64_t now_ms);

/* The walk of the next round. ERR_BUSY: somebody holds the database; it may be tried again. Of
 * config, db, resume, every_ms and due_before_ms are set here. */
enum err watch_begin(struct watch *w, struct walk_config *config, int64_t now_ms,
		     struct walk **out);
/* Whether this round is to begin with the network's own seeds, too. */
bool watch_wants_seeds(const struct watch *w);
/* After walk_end, unless walk_stop was called: that round is for a later process. */
void watch_end(struct watch *w, const struct walk_result *result);

uint64_t watch_round(const struct watch *w);     /* the newest one's number; 0: none yet */
bool watch_is_resumed(const struct watch *w);    /* ... an earlier process began it */
uint64_t watch_forgotten(const struct watch *w); /* by this process */
const char *watch_why(const struct watch *w);

#endif
