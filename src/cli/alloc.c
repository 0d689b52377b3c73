#include "cli/alloc.h"

#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

static void *or_exit(void *p)
{
	if (p == NULL) {
		cli_error("out of memory: free some, or raise the limit that this process has");
		exit(EXIT_FAILED);
	}
	return p;
}

void *alloc_zeroed(size_t count, size_t size)
{
	return or_exit(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}

void *alloc_grow(void *p, size_t count, size_t size)
{
	return or_exit(reallocarray(p, count > 0 ? count : 1, size));
}

char *alloc_text(const char *text, size_t len)
{
	char *copy = alloc_zeroed(len + 1, 1);

	memcpy(copy, text, len);
	return copy;
}
