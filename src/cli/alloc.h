/* alloc.h: memory for the command line: there, or the program ends with a message.
 *
 * Only src/cli uses it, for small things (arguments, tables); what a peer can grow is
 * bounded and checked where it is kept. */
#ifndef PEERWALK_CLI_ALLOC_H
#define PEERWALK_CLI_ALLOC_H

#include <stddef.h>

void *alloc_zeroed(size_t count, size_t size);
void *alloc_grow(void *p, size_t count, size_t size);
/* The first len bytes of text, with a NUL behind them. */
char *alloc_text(const char *text, size_t len);

#endif
