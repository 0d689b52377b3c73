/* status.h: how a running node is doing, told to whoever asks over a Unix socket.
 *
 * The protocol: the client sends one line, the name of a question; it gets one JSON document and
 * the end of the stream. What cannot be answered is answered by {"error": "..."}.
 *
 * Only the user that the node runs as (and root) may ask: the socket's mode is 0600 from its first
 * moment on. Even so nobody can hold more than a few small structs and answers, for a few
 * seconds. The process has to ignore SIGPIPE. */
#ifndef PEERWALK_IO_STATUS_H
#define PEERWALK_IO_STATUS_H

#include "base/text.h"

#include <uv.h>

struct status;

enum {
	STATUS_LINE_MAX = 128, /* a question and its line feed; all are single words */
	/* At a time. An answer about 10,000 peers has some MB. */
	STATUS_CLIENTS_MAX = 4,
	STATUS_CLIENT_MS = 5000,          /* from the connection to the last byte of the answer */
	STATUS_ANSWER_MAX = 64 << 20,     /* that a client reads */
	STATUS_ASK_MS = STATUS_CLIENT_MS, /* that it waits for the next bytes */
	STATUS_WHY_MAX = 320,
};

struct status_config {
	const char *path;
	/* Adds one JSON document to out. False: there is no such question. */
	bool (*answer)(void *ctx, const char *question, struct text *out);
	void *ctx;
	uint64_t client_ms; /* 0: STATUS_CLIENT_MS */
};

/* A socket that a dead process has left there is replaced. ERR_BUSY (somebody answers there),
 * ERR_IO, ERR_NOMEM, and why, with the remedy; then the loop has to be run once more. */
enum err status_start(uv_loop_t *loop, const struct status_config *config, struct status **out,
		      char why[static STATUS_WHY_MAX]);
/* Takes the socket out of its folder; frees itself when the loop has run once more. Takes NULL. */
void status_stop(struct status *s);

/* The other end. ERR_NOT_FOUND (nobody there), ERR_IO, ERR_LIMIT, ERR_NOMEM, and why. */
enum err status_ask(const char *path, const char *question, struct text *out,
		    char why[static STATUS_WHY_MAX]);

#endif
