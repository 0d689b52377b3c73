/* serve_feed.h: what happens now, for everybody who listens: one ring of events, of which each
 * listener reads at its own pace. Who is too slow for it is told that things have changed.
 * Thread-safe. */
#ifndef PEERWALK_WEB_SERVE_FEED_H
#define PEERWALK_WEB_SERVE_FEED_H

#include "web/http.h"

#include <jansson.h>
#include <pthread.h>

enum {
	/* Some minutes of one crawl. */
	SERVE_FEED_EVENTS = 256,
	SERVE_FEED_NAME_MAX = 64,
	/* Of one call: a listener takes what is left with the next. */
	SERVE_FEED_TAKE_BYTES = 256 * 1024,
};

struct serve_event {
	char network[SERVE_FEED_NAME_MAX]; /* "": of all */
	char *text;
};

struct serve_feed {
	pthread_mutex_t lock;
	struct serve_event events[SERVE_FEED_EVENTS];
	uint64_t next; /* the number of the next event; it stands at its remainder */
};

void serve_feed_init(struct serve_feed *f);
void serve_feed_end(struct serve_feed *f); /* when nobody listens any more */
/* network NULL: for everybody. Takes data over; NULL (out of memory) is no event. */
void serve_feed_add(struct serve_feed *f, const char *network, const char *event, json_t *data);
/* Makes the response a stream of that network's events, or (NULL) of all. */
void serve_feed_listen(struct serve_feed *f, const char *network, struct http_response *r);

#endif
