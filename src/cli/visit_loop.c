#include "cli/visit_loop.h"

#include "cli/alloc.h"
#include "cli/cli.h"
#include "cli/loop.h"

#include <assert.h>
#include <stdlib.h>

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
	struct visit_loop *l = alloc_zeroed(1, sizeof(*l));
	char why[DRIVER_WHY_MAX];
	uint64_t left;

	if (!loop_begin(&l->loop, &left, why)) {
		cli_error("%s", why);
		free(l);
		return NULL;
	}
	l->at_once = left < VISIT_LOOP_AT_ONCE ? left : VISIT_LOOP_AT_ONCE;
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
