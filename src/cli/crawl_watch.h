/* crawl_watch.h: `crawl --every`: round after round, until a signal or the end of --duration. */
#ifndef PEERWALK_CLI_CRAWL_WATCH_H
#define PEERWALK_CLI_CRAWL_WATCH_H

#include "cli/crawl_run.h"

/* An exit status. */
int crawl_watch(struct crawl_run *run);

#endif
