#include "cli/loop.h"

#include "io/limits.h"

#include <stdio.h>

enum { LOOP_DESCRIPTORS = 16 /* epoll, wake-up and signal pipes, sockets of no connection */ };

bool loop_begin(uv_loop_t *loop, uint64_t *left, char why[static DRIVER_WHY_MAX])
{
	uint64_t limit = limits_raise_descriptors();
	uint64_t taken = limits_open_descriptors() + LOOP_DESCRIPTORS;

	/* libuv aborts where a loop's own don't fit. */
	if (limit <= taken) {
		driver_few_descriptors(limit, why);
		return false;
	}
	if (uv_loop_init(loop) != 0) {
		snprintf(why, DRIVER_WHY_MAX,
			 "cannot make an event loop; close other programs and try again");
		return false;
	}
	if (left != NULL)
		*left = limit - taken;
	return true;
}
