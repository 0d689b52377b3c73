/* signals.h: Ctrl-C and SIGTERM, which end what runs on a loop, and SIGHUP, which opens a log
 * anew. */
#ifndef PEERWALK_CLI_SIGNALS_H
#define PEERWALK_CLI_SIGNALS_H

#include "io/log.h"

#include <uv.h>

struct signals {
	uv_signal_t handles[3];
	/* With EXIT_INTERRUPTED or EXIT_TERMINATED, once: whoever asks again has waited long
	 * enough, and the process ends at once, as if nobody watched. */
	void (*on_signal)(void *ctx, int status);
	void *ctx;
	struct log *log;
	bool told;
};

/* Keeps the loop running. */
void signals_watch(struct signals *s, uv_loop_t *loop, void (*told)(void *ctx, int status),
		   void *ctx);
/* SIGHUP, too. A log on a terminal is left out: when that closes, the process shall end. */
void signals_watch_log(struct signals *s, struct log *log);
/* ... no longer. */
void signals_unref(struct signals *s);
/* s stays until the loop has run once more. */
void signals_close(struct signals *s);

#endif
