#include "api/pipe_guard.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

void pipe_guard_begin(struct pipe_guard *g)
{
	sigset_t pending;

	sigemptyset(&g->pipe);
	sigaddset(&g->pipe, SIGPIPE);
	sigpending(&pending);
	g->pending = sigismember(&pending, SIGPIPE) == 1;
	pthread_sigmask(SIG_BLOCK, &g->pipe, &g->before);
}

void pipe_guard_end(const struct pipe_guard *g)
{
	static const struct timespec now;

	if (!g->pending && sigismember(&g->before, SIGPIPE) == 0) {
		while (sigtimedwait(&g->pipe, NULL, &now) < 0 && errno == EINTR)
			;
	}
	pthread_sigmask(SIG_SETMASK, &g->before, NULL);
}
