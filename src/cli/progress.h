/* progress.h: the live view of a crawl on stderr.
 *
 * On a terminal a block of a few lines, redrawn in place; elsewhere a line of the log now and
 * then, if that wants LOG_DEBUG (--verbose); with --quiet nothing. Anything else that goes to
 * stderr in the meantime has to be preceded by progress_hide. One thread at a time. */
#ifndef PEERWALK_CLI_PROGRESS_H
#define PEERWALK_CLI_PROGRESS_H

#include "cli/cli.h"
#include "engine/crawl.h"

enum {
	PROGRESS_DRAW_MS = 100,   /* at most ten times a second */
	PROGRESS_LINE_MS = 10000, /* plain lines, where stderr is no terminal */
};

struct progress;

/* How things stand; elapsed counts from the start of the crawl. */
struct progress_sample {
	struct crawl_stats stats;
	uint64_t elapsed_ms;
	uint64_t bytes_in, bytes_out;
	bool stopping; /* interrupted: waiting for what is in flight */
};

struct progress *progress_new(const struct cli *cli, const char *network);
/* Call as often as convenient: it draws when it is time to. */
void progress_update(struct progress *p, const struct progress_sample *sample);
/* Takes the block off the screen; the next update brings it back. */
void progress_hide(struct progress *p);
/* Takes it off and frees; NULL is nothing. */
void progress_end(struct progress *p);

#endif
