/* pipe_guard.h: a program that links the library may not ignore SIGPIPE, and need not.
 *
 * A peer that is gone makes writing raise SIGPIPE, which would end a process that doesn't ignore
 * it. Only the mask of this thread is changed, and that of the threads it makes. */
#ifndef PEERWALK_API_PIPE_GUARD_H
#define PEERWALK_API_PIPE_GUARD_H

#include <signal.h>
#include <stdbool.h>

struct pipe_guard {
	bool pending;
	sigset_t pipe, before;
};

void pipe_guard_begin(struct pipe_guard *g);
void pipe_guard_end(const struct pipe_guard *g);

#endif
