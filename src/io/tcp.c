#include "io/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* The set as the loop sees it. On the heap, as it is closed in a later turn. */
struct tcp_watch {
	uv_poll_t poll;
	int epoll;
};

void tcp_set_init(struct tcp_set *s, uv_loop_t *loop, const struct tcp_calls *calls)
{
	*s = (struct tcp_set){ .loop = loop, .calls = calls };
}

/* --- sending --- */

static ssize_t send_now(struct tcp *t, const uint8_t *data, size_t len)
{
	ssize_t n;

	do
		n = send(t->fd, data, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? 0 : n; /* whoever reads learns of a broken connection */
}

static void keep(struct tcp *t, const uint8_t *data, size_t len)
{
	if (t->late_len + len > t->late_cap) {
		size_t cap = 2 * (t->late_len + len);
		uint8_t *late = realloc(t->late, cap);

		if (late == NULL)
			return;
		t->late = late;
		t->late_cap = cap;
	}
	memcpy(t->late + t->late_len, data, len);
	t->late_len += len;
}

void tcp_send(struct tcp *t, const uint8_t *data, size_t len)
{
	size_t sent = t->late_len == 0 ? (size_t)send_now(t, data, len) : 0;

	if (sent < len)
		keep(t, data + sent, len - sent);
}

static void send_late(struct tcp *t)
{
	size_t sent = (size_t)send_now(t, t->late, t->late_len);

	t->late_len -= sent;
	memmove(t->late, t->late + sent, t->late_len);
}

/* --- events --- */

/* Edge-triggered: on until the socket is empty, which a read shows that was not filled; or
 * until the end, if there is one. */
static void read_on(struct tcp *t, bool ends)
{
	const struct tcp_calls *calls = t->set->calls;
	uint32_t serial = t->serial;

	for (unsigned i = 0; i < TCP_READS_MAX; i++) {
		uv_buf_t buf = calls->room(t);
		ssize_t n;

		do
			n = read(t->fd, buf.base, buf.len);
		while (n < 0 && errno == EINTR);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		calls->on_read(t,
			       n > 0    ? n
			       : n == 0 ? UV_EOF
					: uv_translate_sys_error(errno),
			       (const uint8_t *)buf.base);
		if (t->fd < 0 || t->serial != serial || n <= 0 || ((size_t)n < buf.len && !ends))
			return;
	}
	/* There may be more, of which no new edge would tell. */
	epoll_ctl(t->set->watch->epoll, EPOLL_CTL_MOD, t->fd,
		  &(struct epoll_event){ .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
					 .data.ptr = t });
}

static int socket_error(const struct tcp *t)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	return error != 0 ? uv_translate_sys_error(error) : 0;
}

static void on_event(struct tcp *t, uint32_t events)
{
	const uint32_t ends = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
	uint32_t serial = t->serial;

	if (t->fd < 0)
		return; /* closed in this turn */
	if (!t->connected) {
		int error = (events & (EPOLLHUP | EPOLLERR)) != 0 ? socket_error(t) : 0;

		if (error == 0 && (events & EPOLLOUT) == 0)
			return;
		t->connected = error == 0;
		t->set->calls->on_connect(t, error);
		if (error != 0 || t->fd < 0 || t->serial != serial)
			return;
	}
	if (t->late_len > 0 && (events & EPOLLOUT) != 0)
		send_late(t);
	if ((events & (EPOLLIN | ends)) != 0)
		read_on(t, (events & ends) != 0);
}

static void on_set(uv_poll_t *poll, int status, int what)
{
	struct tcp_watch *w = poll->data;
	struct epoll_event events[TCP_EVENTS];
	unsigned rounds = 0;
	int n;

	(void)status;
	(void)what;
	/* All that wait, before the loop looks at its timers: whoever has answered while
	 * this process was held up did so in time. */
	do {
		n = epoll_wait(w->epoll, events, TCP_EVENTS, 0);
		for (int i = 0; i < n; i++)
			on_event(events[i].data.ptr, events[i].events);
	} while (n == TCP_EVENTS && ++rounds < TCP_ROUNDS_MAX);
}

/* --- the set --- */

static void on_watch_closed(uv_handle_t *handle)
{
	struct tcp_watch *w = handle->data;

	close(w->epoll);
	free(w);
}

static int open_watch(struct tcp_set *s)
{
	struct tcp_watch *w = malloc(sizeof(*w));
	int err;

	if (w == NULL)
		return UV_ENOMEM;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	err = w->epoll >= 0 ? uv_poll_init(s->loop, &w->poll, w->epoll)
			    : uv_translate_sys_error(errno);
	if (err != 0) {
		if (w->epoll >= 0)
			close(w->epoll);
		free(w);
		return err;
	}
	w->poll.data = w;
	s->watch = w;
	uv_poll_start(&w->poll, UV_READABLE, on_set);
	return 0;
}

static void close_watch(struct tcp_set *s)
{
	struct tcp_watch *w = s->watch;

	s->watch = NULL;
	uv_close((uv_handle_t *)&w->poll, on_watch_closed);
}

/* --- a connection --- */

static int begin(struct tcp *t, const struct sockaddr *to, socklen_t len)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				 .data.ptr = t };

	t->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->fd < 0)
		return uv_translate_sys_error(errno);
	if ((connect(t->fd, to, len) == 0 || errno == EINPROGRESS) &&
	    epoll_ctl(t->set->watch->epoll, EPOLL_CTL_ADD, t->fd, &e) == 0)
		return 0;
	return uv_translate_sys_error(errno);
}

int tcp_connect(struct tcp_set *s, struct tcp *t, const struct sockaddr *to, socklen_t len)
{
	int err = s->watch == NULL ? open_watch(s) : 0;

	*t = (struct tcp){ .set = s, .fd = -1, .serial = t->serial + 1 };
	if (err != 0)
		return err;
	s->open++;
	err = begin(t, to, len);
	if (err == 0)
		return 0;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	if (--s->open == 0)
		close_watch(s);
	return err;
}

void tcp_close(struct tcp *t)
{
	if (t->set == NULL || t->fd < 0)
		return;
	close(t->fd);
	t->fd = -1;
	free(t->late);
	t->late = NULL;
	t->late_len = t->late_cap = 0;
	if (--t->set->open == 0)
		close_watch(t->set);
}
