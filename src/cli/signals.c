#include "cli/signals.h"

#include "cli/cli.h"

#include <signal.h>

static void on_signal(uv_signal_t *handle, int number)
{
	const struct signals *s = handle->data;

	s->on_signal(s->ctx, number == SIGINT ? EXIT_INTERRUPTED : EXIT_TERMINATED);
}

void signals_watch(struct signals *s, uv_loop_t *loop, void (*told)(void *ctx, int status),
		   void *ctx)
{
	static const int numbers[] = { SIGINT, SIGTERM };

	s->on_signal = told;
	s->ctx = ctx;
	for (unsigned i = 0; i < 2; i++) {
		uv_signal_init(loop, &s->handles[i]);
		s->handles[i].data = s;
		uv_signal_start(&s->handles[i], on_signal, numbers[i]);
	}
}

void signals_unref(struct signals *s)
{
	for (unsigned i = 0; i < 2; i++)
		uv_unref((uv_handle_t *)&s->handles[i]);
}

void signals_close(struct signals *s)
{
	for (unsigned i = 0; i < 2; i++)
		uv_close((uv_handle_t *)&s->handles[i], NULL);
}
