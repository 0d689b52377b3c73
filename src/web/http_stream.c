/* http_stream.c: clients that listen to events, and the thread that feeds them.
 *
 * A stream that has nothing is suspended, and costs no thread; libmicrohttpd then doesn't see
 * whether the client is still there, which the next bytes tell. */
#include "web/http_inner.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BLOCK = 4096 };

int64_t http_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* libmicrohttpd asks for more. */
static ssize_t on_read(void *ctx, uint64_t at, char *out, size_t cap)
{
	struct http_stream *s = ctx;
	struct http *h = s->http;
	size_t left;
	ssize_t given = 0;

	(void)at;
	pthread_mutex_lock(&h->lock);
	left = s->out.len - s->at;
	if (left > 0) {
		left = left < cap ? left : cap;
		memcpy(out, s->out.data + s->at, left);
		s->at += left;
		given = (ssize_t)left;
	} else if (s->over || s->conn == NULL) {
		given = MHD_CONTENT_READER_END_OF_STREAM;
	} else {
		s->suspended = true;
		MHD_suspend_connection(s->conn->request.mhd);
	}
	pthread_mutex_unlock(&h->lock);
	return given;
}

static void on_gone(void *ctx)
{
	struct http_stream *s = ctx;
	struct http *h = s->http;

	pthread_mutex_lock(&h->lock);
	if (s->next != NULL)
		s->next->before = s->before;
	if (s->before != NULL)
		s->before->next = s->next;
	else
		h->streams = s->next;
	h->streams_count--;
	if (s->conn != NULL)
		s->conn->stream = NULL;
	pthread_mutex_unlock(&h->lock);
	if (s->end != NULL)
		s->end(s->ctx);
	text_clear(&s->out);
	free(s);
}

struct MHD_Response *http_stream_new(struct http *h, struct http_conn *c,
				     const struct http_response *r)
{
	struct http_stream *s = calloc(1, sizeof(*s));
	struct MHD_Response *m = NULL;

	if (s == NULL)
		return NULL;
	*s = (struct http_stream){ .http = h,
				   .conn = c,
				   .fn = r->stream,
				   .end = r->stream_end,
				   .ctx = r->stream_ctx,
				   .filled_at_ms = http_now_ms() };
	pthread_mutex_lock(&h->lock);
	if (h->streams_count < HTTP_STREAMS_MAX && !h->stopping)
		m = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_read, s, on_gone);
	if (m != NULL) {
		s->next = h->streams;
		if (s->next != NULL)
			s->next->before = s;
		h->streams = s;
		h->streams_count++;
		c->stream = s;
		h->wake = true;
		pthread_cond_signal(&h->woken);
	}
	pthread_mutex_unlock(&h->lock);
	if (m == NULL)
		free(s);
	return m;
}

/* --- the thread --- */

static void resume(struct http_stream *s)
{
	if (s->suspended) {
		s->suspended = false;
		MHD_resume_connection(s->conn->request.mhd);
	}
}

void http_stream_gone(struct http_conn *c)
{
	if (c->stream != NULL)
		c->stream->conn = NULL;
	c->stream = NULL;
}

static void feed(struct http_stream *s, int64_t now_ms)
{
	if (s->over || s->conn == NULL)
		return;
	if (s->at < s->out.len) {
		if (now_ms - s->filled_at_ms > HTTP_STREAM_STUCK_S * 1000)
			shutdown(s->conn->fd, SHUT_RDWR);
		return;
	}
	s->out.len = s->at = 0;
	s->over = !s->fn(s->ctx, &s->out) || s->out.err != ERR_OK;
	if (s->out.len == 0 && now_ms - s->filled_at_ms > HTTP_STREAM_BEAT_S * 1000)
		text_add(&s->out, ":\n\n");
	if (s->out.len > 0)
		s->filled_at_ms = now_ms;
	if (s->over || s->out.len > 0)
		resume(s);
}

/* What takes too long as a whole, though each byte comes in time. */
static void cut_slow(const struct http_conn *c, int64_t now_ms)
{
	int64_t waiting = c->waiting_since_ms, answering = c->answering_since_ms;

	if ((waiting != 0 && now_ms - waiting > HTTP_REQUEST_S * 1000) ||
	    (answering != 0 && c->stream == NULL && now_ms - answering > HTTP_ANSWER_S * 1000))
		shutdown(c->fd, SHUT_RDWR);
}

void *http_watch(void *http)
{
	struct http *h = http;

	pthread_mutex_lock(&h->lock);
	while (!h->stopping) {
		int64_t now_ms = http_now_ms();
		struct timespec until;

		for (struct http_conn *c = h->conns; c != NULL; c = c->next)
			cut_slow(c, now_ms);
		for (struct http_stream *s = h->streams; s != NULL; s = s->next)
			feed(s, now_ms);
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += HTTP_EVENT_MS / 1000;
		while (!h->wake && !h->stopping &&
		       pthread_cond_timedwait(&h->woken, &h->lock, &until) == 0)
			continue;
		h->wake = false;
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

void http_wake(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	h->wake = true;
	pthread_cond_signal(&h->woken);
	pthread_mutex_unlock(&h->lock);
}

void http_streams_end(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	h->stopping = true;
	for (struct http_stream *s = h->streams; s != NULL; s = s->next) {
		s->over = true;
		resume(s);
	}
	pthread_cond_signal(&h->woken);
	pthread_mutex_unlock(&h->lock);
}
