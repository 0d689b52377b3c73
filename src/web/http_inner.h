/* http_inner.h: what the files of the HTTP server share. Private to src/web/http*.c. */
#ifndef PEERWALK_WEB_HTTP_INNER_H
#define PEERWALK_WEB_HTTP_INNER_H

#include "web/http.h"

#include <microhttpd.h>
#include <pthread.h>

enum {
	HTTP_COOKIE_MAX = 64,
	HTTP_URI_MAX = HTTP_REQUEST_MAX / 2,
	/* A client that takes so little for so long has gone, or wants to hold its place. */
	HTTP_STREAM_STUCK_S = 30,
	HTTP_STREAM_BEAT_S = 10, /* without an event: a sign of life, which finds who has gone */
};

struct http_request {
	struct MHD_Connection *mhd;
	const char *path;
	bool has_nul; /* %00 somewhere in the line */
	size_t uri_len;
	struct {
		const char *name, *value;
	} params[HTTP_PARAMS_MAX];
	size_t count;
	char *room; /* of http_request_new: what the rest points into */
};

struct http_stream;

/* One connection, with its newest request. */
struct http_conn {
	struct http_conn *next, *before;
	int fd;
	/* The clock of the one or of the other runs; 0: it doesn't. */
	int64_t waiting_since_ms, answering_since_ms;
	struct http_stream *stream; /* its answer is one */
	struct http_request request;
};

struct http_stream {
	struct http_stream *next, *before;
	struct http *http;
	struct http_conn *conn; /* NULL: the client has gone */
	bool (*fn)(void *ctx, struct text *out);
	void (*end)(void *ctx);
	void *ctx;
	struct text out;
	size_t at; /* of out, taken so far */
	bool suspended, over;
	int64_t filled_at_ms;
};

struct http {
	http_handler *handler;
	void (*end)(void *ctx);
	void *ctx;
	char token[HTTP_PARAM_MAX + 1]; /* "": nobody needs one */
	char cookie_name[32], cookie[HTTP_COOKIE_MAX + 1];
	char where[64];
	int listen_fd;
	struct MHD_Daemon *daemon;
	pthread_t watcher;
	pthread_mutex_t lock; /* of everything below */
	pthread_cond_t woken;
	bool stopping, wake;
	struct http_conn *conns;
	struct http_stream *streams;
	unsigned streams_count;
};

int64_t http_now_ms(void); /* of a clock that never goes back */

/* A response and what only the server itself adds to one. */
struct http_answer {
	struct http_response r;
	const char *location;
	bool set_cookie, ask_token, allow, close;
};

/* --- http_answer.c --- */

enum MHD_Result http_send(struct http *h, struct http_conn *c, struct http_answer *a, bool is_head);

/* --- http_request.c --- */

/* Takes the parameters over. What is wrong with them, or NULL. */
const char *http_request_read(struct http_request *r);

/* --- http_guard.c --- */

/* Whether the request may go on to the handler; if not, a has the answer. */
bool http_guard(const struct http *h, struct http_request *r, struct http_answer *a);
void http_guard_init(struct http *h, uint16_t port);

/* --- http_stream.c --- */

/* Takes the response's stream over. NULL: too many of them, or no memory. */
struct MHD_Response *http_stream_new(struct http *h, struct http_conn *c,
				     const struct http_response *r);
/* The request is over. Under the lock. */
void http_stream_gone(struct http_conn *c);
/* Feeds them, and cuts off those who are too slow; until http_stop. */
void *http_watch(void *http);
/* Lets all streams end. */
void http_streams_end(struct http *h);

/* --- http_listen.c --- */

/* A listening socket, and where it is. The errors of http_start. */
enum err http_listen(const char *text, bool anywhere, int *out, uint16_t *port,
		     char where[static 64], char why[static HTTP_WHY_MAX]);

#endif
