/* api_peers.h: what the API (docs/api.md) says of peers: lists of them, how they divide, one of
 * them, where they are. */
#ifndef PEERWALK_WEB_API_PEERS_H
#define PEERWALK_WEB_API_PEERS_H

#include "web/census.h"
#include "web/http.h"

/* What the answers are made of; any number of threads may ask at once. */
struct api_peers {
	const struct census *census;
	const struct geo *geo; /* may be NULL */
	/* The name of a service bit of that network, or NULL; "": of whatever network. May be NULL
	 * itself. */
	const char *(*service_name)(const char *network, unsigned bit);
};

enum {
	API_LIMIT_DEFAULT = 50,
	API_LIMIT_MAX = 1000,
	API_TOP_DEFAULT = 20,
	API_HISTORY_DEFAULT = 200,
};

/* Answers what is asked of /api/v1/peers and what stands below it, /api/v1/facets and
 * /api/v1/map; false, and no answer: the path is none of these. store: this thread's. */
bool api_peers(const struct api_peers *a, struct store *store, const struct http_request *request,
	       struct http_response *response);

#endif
