#include "web/http.h"

#include "web/http_inner.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { STOP_MS = 1000 };

/* --- connections --- */

static void on_connection(void *ctx, struct MHD_Connection *mhd, void **room,
			  enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct http *h = ctx;
	struct http_conn *c = *room;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		c = calloc(1, sizeof(*c));
		*room = c;
		if (c == NULL)
			return; /* each of its requests ends at once */
		c->fd = fd->connect_fd;
		c->waiting_since_ms = http_now_ms();
		c->request.mhd = mhd;
		pthread_mutex_lock(&h->lock);
		c->next = h->conns;
		if (c->next != NULL)
			c->next->before = c;
		h->conns = c;
		pthread_mutex_unlock(&h->lock);
		return;
	}
	if (c == NULL)
		return;
	pthread_mutex_lock(&h->lock);
	if (c->next != NULL)
		c->next->before = c->before;
	if (c->before != NULL)
		c->before->next = c->next;
	else
		h->conns = c->next;
	pthread_mutex_unlock(&h->lock);
	free(c);
}

static struct http_conn *conn_of(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

/* A request's line, as it came. */
static void *on_line(void *ctx, const char *uri, struct MHD_Connection *mhd)
{
	struct http_conn *c = conn_of(mhd);

	(void)ctx;
	if (c != NULL) {
		c->request.uri_len = strlen(uri);
		c->request.has_nul = strstr(uri, "%00") != NULL;
	}
	return NULL;
}

static void on_completed(void *ctx, struct MHD_Connection *mhd, void **room,
			 enum MHD_RequestTerminationCode code)
{
	struct http *h = ctx;
	struct http_conn *c = conn_of(mhd);

	(void)room;
	(void)code;
	if (c == NULL)
		return;
	pthread_mutex_lock(&h->lock);
	c->waiting_since_ms = http_now_ms();
	c->answering_since_ms = 0;
	http_stream_gone(c);
	pthread_mutex_unlock(&h->lock);
}

/* Answers at once, before a body has come: there must be none. */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *mhd, const char *path,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **room)
{
	struct http *h = ctx;
	struct http_conn *c = conn_of(mhd);
	struct http_answer a = { 0 };
	bool is_head = strcmp(method, "HEAD") == 0;

	(void)version;
	(void)upload;
	(void)upload_size;
	(void)room;
	if (c == NULL)
		return MHD_NO;
	c->request.path = path;
	pthread_mutex_lock(&h->lock);
	c->waiting_since_ms = 0;
	c->answering_since_ms = http_now_ms();
	pthread_mutex_unlock(&h->lock);
	if (!is_head && strcmp(method, "GET") != 0) {
		http_error(&a.r, 405, "expected GET or HEAD");
		a.allow = a.close = true;
	} else if (http_guard(h, &c->request, &a)) {
		h->handler(h->ctx, &c->request, &a.r);
	}
	return http_send(h, c, &a, is_head);
}

/* --- starting and stopping --- */

/* Who comes while it ends is turned away. MHD_quiesce_daemon would say it better, but aborts the
 * process when one of its threads looks at the same moment: libmicrohttpd 0.9.75, and since. */
static enum MHD_Result on_accept(void *ctx, const struct sockaddr *from, socklen_t len)
{
	struct http *h = ctx;
	bool stopping;

	(void)from;
	(void)len;
	pthread_mutex_lock(&h->lock);
	stopping = h->stopping;
	pthread_mutex_unlock(&h->lock);
	return stopping ? MHD_NO : MHD_YES;
}

static enum err start_daemon(struct http *h, char why[static HTTP_WHY_MAX])
{
	/* Signals are the main thread's. */
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	h->daemon = MHD_start_daemon(
		MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, on_accept, h,
		on_request, h, MHD_OPTION_LISTEN_SOCKET, h->listen_fd, MHD_OPTION_THREAD_POOL_SIZE,
		(unsigned)HTTP_THREADS, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)HTTP_PER_HOST_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S,
		/* Ours is the limit; this one, with room for the answer's headers, comes after. */
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, 2 * (size_t)HTTP_REQUEST_MAX,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, h, MHD_OPTION_URI_LOG_CALLBACK, on_line, h,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
	if (h->daemon != NULL && pthread_create(&h->watcher, NULL, http_watch, h) != 0) {
		MHD_stop_daemon(h->daemon); /* it closes the socket */
		h->daemon = NULL;
		h->listen_fd = -1;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (h->daemon != NULL)
		return ERR_OK;
	snprintf(why, HTTP_WHY_MAX,
		 "cannot start the server's threads; end other programs and try again");
	return ERR_IO;
}

static void init_lock(struct http *h)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->woken, &attr);
	pthread_condattr_destroy(&attr);
}

static void http_free(struct http *h)
{
	if (h->listen_fd >= 0)
		close(h->listen_fd);
	pthread_cond_destroy(&h->woken);
	pthread_mutex_destroy(&h->lock);
	explicit_bzero(h, sizeof(*h));
	free(h);
}

enum err http_start(const struct http_config *config, struct http **out,
		    char why[static HTTP_WHY_MAX])
{
	struct http *h = calloc(1, sizeof(*h));
	uint16_t port = 0;
	enum err err;

	*out = NULL;
	if (h == NULL) {
		snprintf(why, HTTP_WHY_MAX, "out of memory: end other programs");
		return ERR_NOMEM;
	}
	h->handler = config->handler;
	h->ctx = config->ctx;
	h->listen_fd = -1;
	init_lock(h);
	if (config->token != NULL) {
		assert(strlen(config->token) <= HTTP_PARAM_MAX);
		strcpy(h->token, config->token);
	}
	err = http_listen(config->listen, config->token != NULL, &h->listen_fd, &port, h->where,
			  why);
	http_guard_init(h, port);
	if (err == ERR_OK)
		err = start_daemon(h, why);
	if (err != ERR_OK) {
		http_free(h);
		return err;
	}
	h->end = config->end;
	*out = h;
	return ERR_OK;
}

const char *http_where(const struct http *h)
{
	return h->where;
}

static bool is_answering(struct http *h)
{
	bool any = false;

	pthread_mutex_lock(&h->lock);
	for (const struct http_conn *c = h->conns; c != NULL && !any; c = c->next)
		any = c->answering_since_ms != 0;
	pthread_mutex_unlock(&h->lock);
	return any;
}

void http_stop(struct http *h)
{
	static const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int64_t until_ms = http_now_ms() + STOP_MS;

	if (h == NULL)
		return;
	http_streams_end(h);
	pthread_join(h->watcher, NULL);
	while (is_answering(h) && http_now_ms() < until_ms)
		nanosleep(&pause, NULL);
	MHD_stop_daemon(h->daemon);
	h->listen_fd = -1; /* closed with it */
	if (h->end != NULL)
		h->end(h->ctx);
	http_free(h);
}
