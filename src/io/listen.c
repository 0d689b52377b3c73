#include "io/listen.h"

#include "io/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HANDLES = 2 };

struct listener {
	uv_poll_t poll;
	uv_timer_t pause;
	struct listen_config config;
	int fd, reserve;
	unsigned open; /* handles */
	bool closing;
	uint64_t unaccepted;
};

/* --- callers --- */

static int open_reserve(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int take(const struct listener *l, struct netaddr *from)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);
	int fd;

	do
		fd = accept4(l->fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	if (fd >= 0)
		dial_netaddr((struct sockaddr *)&sa, from);
	return fd;
}

static void turn_away(struct listener *l)
{
	struct netaddr from;

	for (unsigned i = 0; i < l->config.round && l->reserve >= 0; i++) {
		int fd;

		close(l->reserve);
		fd = take(l, &from);
		if (fd >= 0) {
			close(fd);
			l->unaccepted++;
		}
		l->reserve = open_reserve();
		if (fd < 0)
			return;
	}
}

static void on_knock(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer)
{
	struct listener *l = timer->data;

	if (l->reserve < 0)
		l->reserve = open_reserve();
	uv_poll_start(&l->poll, UV_READABLE, on_knock);
}

static void pause_taking(struct listener *l)
{
	uv_poll_stop(&l->poll);
	uv_timer_start(&l->pause, on_pause_over, LISTEN_PAUSE_MS, 0);
}

static void on_knock(uv_poll_t *poll, int status, int events)
{
	struct listener *l = poll->data;
	struct netaddr from = { 0 };
	unsigned taken = 0;

	(void)status; /* accept tells more */
	(void)events;
	for (unsigned i = 0; i < l->config.round && !l->closing; i++) {
		int fd = take(l, &from);

		if (fd >= 0) {
			taken++;
			if (!l->config.on_caller(l->config.ctx, fd, &from))
				close(fd);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		if (errno == ECONNABORTED) /* that one is gone; the next may be there */
			continue;
		if (errno == EMFILE || errno == ENFILE)
			turn_away(l);
		pause_taking(l);
		return;
	}
	if (taken == 0 && !l->closing)
		pause_taking(l);
}

/* --- opening and closing --- */

static int open_socket(const struct netaddr *at)
{
	struct sockaddr_storage sa;
	socklen_t len = dial_sockaddr(at, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0)
		return -1;
	/* Connections inherit TCP_NODELAY: all that we say is whole messages. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0 &&
	    (sa.ss_family != AF_INET6 ||
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) == 0) &&
	    bind(fd, (struct sockaddr *)&sa, len) == 0)
		return fd;
	one = errno;
	close(fd);
	errno = one;
	return -1;
}

static void on_closed(uv_handle_t *handle)
{
	struct listener *l = handle->data;

	if (--l->open > 0)
		return;
	close(l->fd);
	if (l->reserve >= 0)
		close(l->reserve);
	free(l);
}

enum err listener_take(uv_loop_t *loop, int fd, const struct listen_config *config,
		       struct listener **out)
{
	struct listener *l = calloc(1, sizeof(*l));
	int err = ENOMEM;

	*out = NULL;
	if (l != NULL)
		err = listen(fd, config->backlog) != 0 ? errno : -uv_poll_init(loop, &l->poll, fd);
	if (err != 0) {
		enum err why = l == NULL ? ERR_NOMEM : ERR_IO;

		close(fd);
		free(l);
		errno = err;
		return why;
	}
	l->config = *config;
	l->fd = fd;
	uv_timer_init(loop, &l->pause);
	l->open = HANDLES;
	l->poll.data = l->pause.data = l;
	l->reserve = open_reserve();
	uv_poll_start(&l->poll, UV_READABLE, on_knock);
	*out = l;
	return ERR_OK;
}

enum err listener_open(uv_loop_t *loop, const struct listen_config *config, struct listener **out)
{
	int fd = open_socket(&config->at);

	*out = NULL;
	return fd >= 0 ? listener_take(loop, fd, config, out) : ERR_IO;
}

struct netaddr listener_local(const struct listener *l)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);
	struct netaddr local = { 0 };

	if (getsockname(l->fd, (struct sockaddr *)&sa, &len) == 0)
		dial_netaddr((struct sockaddr *)&sa, &local);
	return local;
}

uint64_t listener_unaccepted(const struct listener *l)
{
	return l->unaccepted;
}

void listener_close(struct listener *l)
{
	if (l->closing)
		return;
	l->closing = true;
	uv_close((uv_handle_t *)&l->poll, on_closed);
	uv_close((uv_handle_t *)&l->pause, on_closed);
}

/* --- places --- */

unsigned listen_anywhere(uint16_t port, struct listen_place out[static LISTEN_ANYWHERE])
{
	out[0] = (struct listen_place){ netaddr_ipv4(0, port), .optional = true };
	out[1] = (struct listen_place){ { .kind = NETADDR_IPV6, .port = port }, .optional = true };
	return LISTEN_ANYWHERE;
}

/* --- in words --- */

bool listen_no_such_address(int error)
{
	return error == EAFNOSUPPORT || error == EADDRNOTAVAIL || error == EPROTONOSUPPORT;
}

bool listen_is_anywhere(const struct netaddr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->bytes, zero, netaddr_len(a->kind)) == 0;
}

void listen_why(const struct netaddr *at, int error, char why[static LISTEN_WHY_MAX])
{
	char addr[NETADDR_TEXT_MAX];
	const char *what;

	netaddr_text(at, addr);
	if (error == EADDRINUSE)
		what = "another program does; choose another port";
	else if (error == EACCES)
		what = "that needs privileges; choose a port from 1024 up";
	else if (listen_no_such_address(error))
		what = "it is no address of this machine";
	else
		what = strerror(error);
	snprintf(why, LISTEN_WHY_MAX, "cannot listen at %s: %s", addr, what);
}
