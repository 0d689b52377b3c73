#include "cli/loop.h"

#include "io/limits.h"

#include <stdio.h>

enum { LOOP_DESCRIPTORS = 16 /* epoll, wake-up and signal pipes, sockets of no connection */ };

/* With its pipe for signals, which libuv makes with the first of these: later nobody looks whether
 * that has worked. */
static bool make(uv_loop_t *loop)
{
	uv_signal_t first;

	if (uv_loop_init(loop) != 0)
		return false;
	if (uv_signal_init(loop, &first) != 0) {
		uv_loop_close(loop);
		return false;
	}
	uv_close((uv_handle_t *)&first, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
	return true;
}

bool loop_begin(uv_loop_t *loop, uint64_t *left, char why[static DRIVER_WHY_MAX])
{
	uint64_t limit = limits_raise_descriptors();
	uint64_t taken = limits_open_descriptors() + LOOP_DESCRIPTORS;

	/* libuv aborts where a loop's own don't fit. */
	if (limit <= taken) {
		driver_few_descriptors(limit, why);
		return false;
	}
	if (!make(loop)) {
		snprintf(why, DRIVER_WHY_MAX,
			 "cannot make an event loop; close other programs and try again");
		return false;
	}
	if (left != NULL)
		*left = limit - taken;
	return true;
}
