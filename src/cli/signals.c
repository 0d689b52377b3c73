#include "cli/signals.h"

#include "cli/cli.h"

#include <signal.h>
#include <unistd.h>

enum { ENDINGS = 2, HANGUP = 2, HANDLES = 3 };

static void on_ending(uv_signal_t *handle, int number)
{
	struct signals *s = handle->data;

	if (s->told) {
		for (unsigned i = 0; i < ENDINGS; i++)
			uv_signal_stop(&s->handles[i]);
		raise(number);
		return;
	}
	s->told = true;
	s->on_signal(s->ctx, number == SIGINT ? EXIT_INTERRUPTED : EXIT_TERMINATED);
}

static void on_hangup(uv_signal_t *handle, int number)
{
	const struct signals *s = handle->data;

	(void)number;
	log_reopen(s->log);
}

void signals_watch(struct signals *s, uv_loop_t *loop, void (*told)(void *ctx, int status),
		   void *ctx)
{
	static const int numbers[ENDINGS] = { SIGINT, SIGTERM };

	s->on_signal = told;
	s->ctx = ctx;
	s->told = false;
	for (unsigned i = 0; i < HANDLES; i++) {
		uv_signal_init(loop, &s->handles[i]);
		s->handles[i].data = s;
	}
	for (unsigned i = 0; i < ENDINGS; i++)
		uv_signal_start(&s->handles[i], on_ending, numbers[i]);
}

void signals_watch_log(struct signals *s, struct log *log)
{
	s->log = log;
	if (!log_is_stderr(log) || !isatty(STDERR_FILENO))
		uv_signal_start(&s->handles[HANGUP], on_hangup, SIGHUP);
}

void signals_unref(struct signals *s)
{
	for (unsigned i = 0; i < HANDLES; i++)
		uv_unref((uv_handle_t *)&s->handles[i]);
}

void signals_close(struct signals *s)
{
	for (unsigned i = 0; i < HANDLES; i++)
		uv_close((uv_handle_t *)&s->handles[i], NULL);
}
