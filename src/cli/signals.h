/* signals.h: Ctrl-C and SIGTERM, which end what runs on a loop. */
#ifndef PEERWALK_CLI_SIGNALS_H
#define PEERWALK_CLI_SIGNALS_H

#include <uv.h>

struct signals {
	uv_signal_t handles[2];
	/* With EXIT_INTERRUPTED or EXIT_TERMINATED, as often as one comes. */
	void (*on_signal)(void *ctx, int status);
	void *ctx;
};

/* Keeps the loop running. */
void signals_watch(struct signals *s, uv_loop_t *loop, void (*told)(void *ctx, int status),
		   void *ctx);
/* ... no longer. */
void signals_unref(struct signals *s);
/* s stays until the loop has run once more. */
void signals_close(struct signals *s);

#endif
