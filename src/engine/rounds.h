/* rounds.h: when the rounds of a network that is watched begin, and for whom.
 *
 * A round is a crawl. The next one begins `every` after the beginning of the last, at once if that
 * has passed. A visit within a round comes some time after its beginning: whoever is due before the
 * next round belongs to this one.
 * Times are milliseconds since 1970, and somebody may set the clock. */
#ifndef PEERWALK_ENGINE_ROUNDS_H
#define PEERWALK_ENGINE_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

/* When the next round begins: now_ms or later. last_ms: the beginning of the last; 0: none. */
int64_t rounds_next_ms(int64_t last_ms, int64_t every_ms, int64_t now_ms);
/* Of a round that begins at begin_ms: who is due before then is visited. */
int64_t rounds_due_before_ms(int64_t last_ms, int64_t every_ms, int64_t begin_ms);
/* Whether a round that was interrupted is to go on; else it is too late for that. */
bool rounds_go_on(int64_t begin_ms, int64_t every_ms, int64_t now_ms);

#endif
