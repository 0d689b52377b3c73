#include "cli/visit_loop.h"

#include "cli/alloc.h"
#include "cli/cli.h"
#include "io/limits.h"

#include <assert.h>
#include <stdlib.h>

enum { DESCRIPTORS_OWN = 16 /* epoll, wake-up and signal pipes, sockets of no connection */ };

static void stop(struct visit_loop *l)
{
	l->stopping = true;
	l->on_stop(l->ctx);
}

static void on_signal(void *ctx, int status)
{
	struct visit_loop *l = ctx;

	l->status = status;
	stop(l);
}

static void on_duration(uv_timer_t *timer)
{
	stop(timer->data);
}

struct visit_loop *visit_loop_new(uint64_t duration_ms, void (*on_stop)(void *ctx), void *ctx)
{
	uint64_t limit = limits_raise_descriptors(), used = limits_open_descriptors();
	struct visit_loop *l = alloc_zeroed(1, sizeof(*l));

	/* libuv aborts where a loop's own descriptors don't fit. */
	if (limit < used + DESCRIPTORS_OWN + 1 || uv_loop_init(&l->loop) != 0) {
		cli_error("cannot start: too many open files; raise the limit (ulimit -n)");
		free(l);
		return NULL;
	}
	limit -= used + DESCRIPTORS_OWN;
	l->at_once = limit < VISIT_LOOP_AT_ONCE ? limit : VISIT_LOOP_AT_ONCE;
	l->on_stop = on_stop;
	l->ctx = ctx;
	dialer_init(&l->dialer, &l->loop);
	signals_watch(&l->signals, &l->loop, on_signal, l);
	uv_timer_init(&l->loop, &l->duration);
	l->duration.data = l;
	if (duration_ms > 0)
		uv_timer_start(&l->duration, on_duration, duration_ms, 0);
	return l;
}

void visit_loop_end(struct visit_loop *l)
{
	signals_close(&l->signals);
	uv_close((uv_handle_t *)&l->duration, NULL);
}

int visit_loop_run(struct visit_loop *l)
{
	int status, err;

	uv_run(&l->loop, UV_RUN_DEFAULT);
	err = uv_loop_close(&l->loop);
	assert(err == 0);
	(void)err;
	status = l->status;
	free(l);
	return status;
}

void visit_loop_failed(struct visit_loop *l)
{
	if (l->status != EXIT_FAILED)
		cli_error("cannot open a connection: this machine has no descriptor, no local port "
			  "or no memory left; ulimit -n raises the limit of open files");
	l->status = EXIT_FAILED;
}
