/* suggest.h: the name that somebody may have meant. */
#ifndef PEERWALK_CLI_SUGGEST_H
#define PEERWALK_CLI_SUGGEST_H

#include <stddef.h>

enum { SUGGEST_NAME_MAX = 64 /* longer names are never close to anything */ };

/* Keeps the closest of the names offered so far; begin with a zeroed struct. */
struct suggest {
	const char *best;
	size_t distance;
};

/* Takes `candidate` if it is closer to `typed` than the best so far, and close enough
 * for a slip of the fingers: one edit for each three characters. */
void suggest_offer(struct suggest *s, const char *typed, const char *candidate);

#endif
