/* api_peer.h: what the files of the API (api_*.c) share. */
#ifndef PEERWALK_WEB_API_PEER_H
#define PEERWALK_WEB_API_PEER_H

#include "web/api_peers.h"

#include <jansson.h>

#define API_FILTER_NAMES \
	"network q agent protocol country asn kind outcome service reached visited crawl"

/* The filter's parameters; false: answered, as one of them is wrong. The filter borrows from the
 * request. */
bool api_filter(const struct api_peers *a, const struct http_request *q, struct http_response *r,
		struct census_filter *out);
/* "limit", "top": 1 .. API_LIMIT_MAX; false: answered. */
bool api_number(const struct http_request *q, struct http_response *r, const char *name,
		size_t initial, size_t *out);
/* False: answered, as there is a parameter that is none of those names. */
bool api_known(const struct http_request *q, struct http_response *r, const char *names);
/* Sends it, and lets go of it. NULL: out of memory. */
void api_send(struct http_response *r, json_t *doc);
void api_failed(struct http_response *r, struct store *s, enum err err);

/* Times, or null for none. */
json_t *api_time(int64_t unix_ms);
/* A stranger's bytes, escaped. */
json_t *api_text(struct slice s);
json_t *api_text_if(bool there, struct slice s);

/* A PEER (docs/api.md), read from the store; *out NULL without an error: there is none. */
enum err api_peer(const struct api_peers *a, struct store *s, int64_t id, json_t **out);
void api_peer_history(struct store *s, int64_t id, const struct http_request *q,
		      struct http_response *r);

#endif
