/* serve.h: what a database holds, for readers over HTTP (docs/api.md): the page, the API, metrics,
 * events of crawls that go on.
 *
 * The database is only read. One thread looks each second whether somebody has written, and keeps
 * the census and the sums up to date; handlers, on the server's threads, have stores of their own.
 * A database that is not there yet, is replaced, or can't be read is told by /healthz and by each
 * answer of the API, and looked for again each second.
 *
 *     serve_new, http_start with serve_handle, serve_start; then serve_stop, http_stop, serve_free
 */
#ifndef PEERWALK_WEB_SERVE_H
#define PEERWALK_WEB_SERVE_H

#include "base/hash.h"
#include "geo/geo.h"
#include "web/http.h"

struct serve;

/* Everything outlives the server. */
struct serve_config {
	const char *db;
	const struct geo *geo; /* NULL: places are not known */
	struct hash_key key;   /* random */
	/* As those of report/report.h. */
	const char *(*service_name)(const char *network, unsigned bit);
	void (*fork_text)(const uint8_t hash[4], int64_t unix_ms, char *out, size_t cap);
	void (*network_text)(uint64_t network_id, char *out, size_t cap);
};

/* ERR_NOMEM. */
enum err serve_new(const struct serve_config *config, struct serve **out);
/* Starts the thread; h is where the events go. ERR_NOMEM: no thread. */
enum err serve_start(struct serve *s, struct http *h);
/* Ends the thread, which wakes the server: before that ends. NULL is fine. */
void serve_stop(struct serve *s);
/* When nobody handles anything any more. NULL is fine. */
void serve_free(struct serve *s);

/* An http_handler; ctx is the struct serve. */
void serve_handle(void *ctx, const struct http_request *q, struct http_response *r);

#endif
