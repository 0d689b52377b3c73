#include "web/serve_feed.h"

#include "report/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct listener {
	struct serve_feed *feed;
	uint64_t at; /* the next event for it */
	bool greeted;
	char network[SERVE_FEED_NAME_MAX]; /* "": all */
};

void serve_feed_init(struct serve_feed *f)
{
	memset(f, 0, sizeof(*f));
	pthread_mutex_init(&f->lock, NULL);
}

void serve_feed_end(struct serve_feed *f)
{
	for (size_t i = 0; i < SERVE_FEED_EVENTS; i++)
		free(f->events[i].text);
	pthread_mutex_destroy(&f->lock);
}

void serve_feed_add(struct serve_feed *f, const char *network, const char *event, json_t *data)
{
	struct text text = { 0 };
	struct serve_event *e;

	/* JSON has no line feeds of its own: one line of data. */
	text_printf(&text, "event: %s\ndata: ", event);
	json_text_add(&text, data, JSON_COMPACT);
	text_add(&text, "\n\n");
	if (text.err != ERR_OK) {
		text_clear(&text);
		return;
	}
	pthread_mutex_lock(&f->lock);
	e = &f->events[f->next++ % SERVE_FEED_EVENTS];
	free(e->text);
	e->text = text.data;
	snprintf(e->network, sizeof(e->network), "%s", network != NULL ? network : "");
	pthread_mutex_unlock(&f->lock);
}

static bool is_for(const struct listener *l, const struct serve_event *e)
{
	return l->network[0] == '\0' || e->network[0] == '\0' ||
	       strcmp(l->network, e->network) == 0;
}

static bool on_room(void *ctx, struct text *out)
{
	struct listener *l = ctx;
	struct serve_feed *f = l->feed;

	if (!l->greeted)
		text_add(out, "retry: 2000\nevent: hello\ndata: {\"version\":\"" PEERWALK_VERSION
			      "\"}\n\n");
	l->greeted = true;
	pthread_mutex_lock(&f->lock);
	if (f->next - l->at > SERVE_FEED_EVENTS) {
		l->at = f->next - SERVE_FEED_EVENTS;
		text_add(out, "event: changed\ndata: {\"version\":null}\n\n");
	}
	for (; l->at < f->next && out->len < SERVE_FEED_TAKE_BYTES; l->at++) {
		const struct serve_event *e = &f->events[l->at % SERVE_FEED_EVENTS];

		if (is_for(l, e))
			text_add(out, e->text);
	}
	pthread_mutex_unlock(&f->lock);
	return true;
}

void serve_feed_listen(struct serve_feed *f, const char *network, struct http_response *r)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		http_error(r, 503, "out of memory: end other programs");
		return;
	}
	l->feed = f;
	snprintf(l->network, sizeof(l->network), "%s", network != NULL ? network : "");
	pthread_mutex_lock(&f->lock);
	l->at = f->next;
	pthread_mutex_unlock(&f->lock);
	r->type = "text/event-stream";
	r->cache = "no-store";
	r->stream = on_room;
	r->stream_end = free;
	r->stream_ctx = l;
}
