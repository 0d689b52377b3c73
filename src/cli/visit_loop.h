/* visit_loop.h: the loop on which a few visits run until all have ended, or until Ctrl-C,
 * SIGTERM or a duration ends them: what contacts and node_contacts share. */
#ifndef PEERWALK_CLI_VISIT_LOOP_H
#define PEERWALK_CLI_VISIT_LOOP_H

#include "cli/signals.h"
#include "io/dial.h"

enum {
	VISIT_LOOP_AT_ONCE = 100, /* far below the usual limit of 1024 open files */
};

struct visit_loop {
	uv_loop_t loop;
	struct dialer dialer;
	struct signals signals;
	uv_timer_t duration;
	uint64_t at_once; /* so many connections fit into the limit of open files */
	bool stopping;
	int status; /* EXIT_DONE; the signal's; the visits may set EXIT_FAILED */
	void (*on_stop)(void *ctx);
	void *ctx;
};

/* duration_ms 0: none. on_stop is told once or more often: end what is begun, begin no more.
 * NULL, after a sentence, if this machine can't. */
struct visit_loop *visit_loop_new(uint64_t duration_ms, void (*on_stop)(void *ctx), void *ctx);
/* All have ended: the loop ends once their handles are closed. */
void visit_loop_end(struct visit_loop *l);
/* Runs to that end, frees, and returns the status. */
int visit_loop_run(struct visit_loop *l);
/* This machine could not begin a visit: said once, and the status is EXIT_FAILED. */
void visit_loop_failed(struct visit_loop *l);

#endif
