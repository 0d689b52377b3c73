/* loop.h: an event loop, where there is memory for it. */
#ifndef PEERWALK_IO_LOOP_H
#define PEERWALK_IO_LOOP_H

#include <stdlib.h>
#include <uv.h>

enum { LOOP_BYTES = 64 * 1024 /* more than a loop takes at its beginning */ };

/* As uv_loop_init, which (1.44) ends the process if its table of descriptors can't be made. That is
 * no library's place, so who has not so much gets UV_ENOMEM. */
static inline int loop_init(uv_loop_t *loop)
{
	void *volatile room = malloc(LOOP_BYTES); /* or the compiler would know better */

	if (room == NULL)
		return UV_ENOMEM;
	free(room);
	return uv_loop_init(loop);
}

#endif
