/* http.h: an HTTP server for a few local readers, on libmicrohttpd; bounded in everything that a
 * client can grow.
 *
 * GET and HEAD alone. The handler runs on one of HTTP_THREADS threads, and answers with a whole
 * body, or with a stream that it feeds. Every answer carries a strict Content-Security-Policy,
 * X-Content-Type-Options, Referrer-Policy, and an ETag (of the body), for which If-None-Match is
 * honoured; bodies are compressed where the client takes it. */
#ifndef PEERWALK_WEB_HTTP_H
#define PEERWALK_WEB_HTTP_H

#include "base/text.h"

enum {
	HTTP_THREADS = 4,
	HTTP_CONNECTIONS_MAX = 256,
	HTTP_PER_HOST_MAX = 64,
	HTTP_STREAMS_MAX = 64,        /* clients that listen to events */
	HTTP_REQUEST_MAX = 16 * 1024, /* line and headers */
	HTTP_IDLE_S = 15,             /* without a byte either way */
	HTTP_REQUEST_S = 30,          /* a whole request, however slowly it comes */
	HTTP_ANSWER_S = 120,          /* a whole answer, however slowly it is read */
	HTTP_PARAMS_MAX = 32,         /* more than any path has */
	HTTP_PARAM_MAX = 256,         /* bytes of one parameter */
	HTTP_WHY_MAX = 512,
};

struct http;
struct http_request;

struct http_response {
	unsigned status;   /* 200 if it is left at 0 */
	const char *type;  /* Content-Type; NULL: application/json */
	const char *cache; /* Cache-Control; NULL: no-cache (ask again, with the ETag) */
	struct text body;  /* freed by the server */
	/* Where the body lives as long as the server (the page's files): not copied; may be
	 * gzipped already. */
	struct slice fixed;
	bool fixed_gzipped;
	/* A stream of events: called on one thread for all streams, at once, each HTTP_EVENT_MS
	 * and after http_wake, if the client has taken what came before; adds what there is, and
	 * doesn't wait. Until it returns false or the client goes: then stream_end (may be NULL),
	 * on any thread. */
	bool (*stream)(void *ctx, struct text *out);
	void (*stream_end)(void *ctx);
	void *stream_ctx;
};

enum { HTTP_EVENT_MS = 1000 };

/* {"error": "..."} with that status. What comes from the request is made harmless. */
void http_error(struct http_response *r, unsigned status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The path, unescaped and without the query: "/api/v1/peers". */
const char *http_path(const struct http_request *r);
/* A parameter of the query, unescaped; NULL: not given. More than HTTP_PARAM_MAX bytes, a NUL in
 * it, or given twice, and the request was refused before. */
const char *http_param(const struct http_request *r, const char *name);
/* The first parameter that is none of those names (with blanks between them), or NULL. */
const char *http_param_unknown(const struct http_request *r, const char *names);
/* For tests of handlers: a request as the server would make it of "/path?name=value&...". NULL: it
 * would be refused, or no memory. */
struct http_request *http_request_new(const char *target);
void http_request_free(struct http_request *r);
/* Likewise: all parameters, one after the other, from i = 0; false: there is none at i. */
bool http_param_at(const struct http_request *r, size_t i, const char **name, const char **value);

typedef void http_handler(void *ctx, const struct http_request *request,
			  struct http_response *response);

struct http_config {
	const char *listen; /* ADDR:PORT, [ADDR]:PORT, :PORT (loopback), PORT (likewise) */
	/* Everybody who asks for anything but /healthz must have it ("Authorization: Bearer ...",
	 * or once as /?token=..., which sets a cookie). NULL: nobody has to; then listen must be a
	 * loopback address, and a request's Host a number or localhost: a page of somebody else,
	 * whose name leads here, gets no answer. */
	const char *token;
	http_handler *handler;
	void *ctx;
	void (*end)(void *ctx); /* when http_stop is done with it; may be NULL */
};

/* ERR_VALUE (not loopback and no token; not an address), ERR_IO, ERR_NOMEM; why gets a sentence
 * with the remedy. */
enum err http_start(const struct http_config *config, struct http **out,
		    char why[static HTTP_WHY_MAX]);
/* Where it listens, as text: "127.0.0.1:8080". */
const char *http_where(const struct http *h);
/* There is something for the streams. */
void http_wake(struct http *h);
void http_stop(struct http *h); /* lets answers end, for a second; NULL is fine */

/* A file with a token: its first line, 16 .. 256 printable characters; refused if others can
 * read it. ERR_NOT_FOUND, ERR_VALUE, ERR_IO. */
enum err http_token_read(const char *path, char out[static HTTP_PARAM_MAX + 1],
			 char why[static HTTP_WHY_MAX]);

#endif
