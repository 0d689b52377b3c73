#include "io/tcp.h"

#include "base/unset.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* Whose a descriptor is. Events carry the serial too: of one that was closed meanwhile, and whose
 * number another has got, they say nothing. */
struct place {
	struct tcp *owner; /* NULL: a spare one, or none of ours */
	uint32_t serial;
};

/* The set as the loop sees it. On the heap, as it is closed in a later turn. */
struct tcp_watch {
	uv_poll_t poll;
	int epoll;
	struct place *places; /* by descriptor */
	size_t places_cap;
	uint32_t serial;
	const struct tcp *told; /* whose event is being told; NULL: no events are */
	struct {
		int fd;
		int family;
	} spares[TCP_SPARES_MAX];
	unsigned spare_count;
};

void tcp_set_init(struct tcp_set *s, uv_loop_t *loop, const struct tcp_calls *calls)
{
	*s = (struct tcp_set){ .turn_bytes = SIZE_MAX, .loop = loop, .calls = calls };
}

/* --- sending --- */

/* Below 0: this machine has no memory for it, and no event would tell when it has. */
static ssize_t send_now(struct tcp *t, const uint8_t *data, size_t len)
{
	ssize_t n;

	do
		n = send(t->fd, data, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return n;
	if (errno == ENOBUFS || errno == ENOMEM)
		return -1;
	/* Whoever reads learns of a broken connection, but not why any more. */
	if (errno == ECONNRESET || errno == ETIMEDOUT || errno == EHOSTUNREACH ||
	    errno == ENETUNREACH)
		t->error = (int16_t)uv_translate_sys_error(errno);
	return 0;
}

static ssize_t end_of(const struct tcp *t)
{
	return t->error != 0 ? t->error : UV_EOF;
}

static void forget(struct tcp *t)
{
	t->set->held -= t->late_cap;
	free(t->late);
	t->late = NULL;
	t->late_len = t->late_cap = 0;
}

static bool keep(struct tcp *t, const uint8_t *data, size_t len)
{
	if (t->late_len + len > t->late_cap) {
		size_t cap = t->late_len == 0 ? len : 2 * (t->late_len + len);
		uint8_t *late = realloc(t->late, cap);

		if (late == NULL)
			return false;
		t->set->held += cap - t->late_cap;
		t->late = late;
		t->late_cap = cap;
	}
	memcpy(t->late + t->late_len, data, len);
	t->late_len += len;
	return true;
}

bool tcp_send(struct tcp *t, const uint8_t *data, size_t len)
{
	ssize_t sent = t->late_len == 0 ? send_now(t, data, len) : 0;

	return sent >= 0 && ((size_t)sent == len || keep(t, data + sent, len - (size_t)sent));
}

static void send_late(struct tcp *t)
{
	ssize_t sent = send_now(t, t->late, t->late_len);

	if (sent < 0) {
		t->set->calls->on_read(t, UV_ENOBUFS, NULL);
		return;
	}
	t->late_len -= (size_t)sent;
	memmove(t->late, t->late + sent, t->late_len);
	if (t->late_len > 0)
		return;
	forget(t);
	if (t->set->calls->on_sent != NULL)
		t->set->calls->on_sent(t);
}

/* --- events --- */

static struct epoll_event everything(const struct tcp_watch *w, int fd)
{
	return (struct epoll_event){ .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				     .data.u64 =
					     (uint64_t)w->places[fd].serial << 32 | (uint32_t)fd };
}

/* NULL: it is nobody's any more. */
static struct tcp *owner_of(const struct tcp_watch *w, const struct epoll_event *e)
{
	const struct place *place = &w->places[e->data.u64 & UINT32_MAX];

	return place->serial == e->data.u64 >> 32 ? place->owner : NULL;
}

/* Of what is there already, no new edge would tell. */
static void ask_anew(struct tcp *t)
{
	struct tcp_watch *w = t->set->watch;
	struct epoll_event e = everything(w, t->fd);

	epoll_ctl(w->epoll, EPOLL_CTL_MOD, t->fd, &e);
}

/* Edge-triggered: on until the socket is empty, which a read shows that was not filled; or
 * until the end, if there is one. A broken connection is read to its end even when paused. */
static void read_on(struct tcp *t, bool ends, bool broken)
{
	const struct tcp_calls *calls = t->set->calls;
	uint32_t serial = t->serial;
	size_t got = 0;

	for (unsigned i = 0; i < TCP_READS_MAX && got < t->set->turn_bytes; i++) {
		uv_buf_t buf = calls->room(t);
		ssize_t n;

		do
			n = read(t->fd, buf.base, buf.len);
		while (n < 0 && errno == EINTR);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		calls->on_read(t,
			       n > 0    ? n
			       : n == 0 ? end_of(t)
					: uv_translate_sys_error(errno),
			       (const uint8_t *)buf.base);
		if (t->fd < 0 || t->serial != serial || n <= 0 || (t->paused && !broken) ||
		    ((size_t)n < buf.len && !ends))
			return;
		got += (size_t)n;
	}
	ask_anew(t);
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
	bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
	bool ends = broken || (events & EPOLLRDHUP) != 0;
	uint32_t serial = t->serial;

	if (!t->connected) {
		int error = broken ? socket_error(t) : 0;

		if (error == 0 && (events & EPOLLOUT) == 0)
			return;
		t->connected = error == 0;
		t->set->calls->on_connect(t, error);
		if (error != 0 || t->fd < 0 || t->serial != serial)
			return;
	}
	if (t->late_len > 0 && (events & EPOLLOUT) != 0)
		send_late(t);
	if (t->fd < 0 || t->serial != serial)
		return;
	if ((ends || (events & EPOLLIN) != 0) && (!t->paused || broken))
		read_on(t, ends, broken);
}

static void on_set(uv_poll_t *poll, int status, int what)
{
	struct tcp_watch *w = poll->data;
	UNSET struct epoll_event events[TCP_EVENTS];
	unsigned rounds = 0;
	int n;

	(void)status;
	(void)what;
	/* All that wait, before the loop looks at its timers: whoever has answered while
	 * this process was held up did so in time. */
	do {
		n = epoll_wait(w->epoll, events, TCP_EVENTS, 0);
		for (int i = 0; i < n; i++) {
			struct tcp *t = owner_of(w, &events[i]);

			w->told = t;
			if (t != NULL)
				on_event(t, events[i].events);
		}
		w->told = NULL;
	} while (n == TCP_EVENTS && ++rounds < TCP_ROUNDS_MAX);
}

/* --- the set --- */

static void on_watch_closed(uv_handle_t *handle)
{
	struct tcp_watch *w = handle->data;

	while (w->spare_count > 0)
		close(w->spares[--w->spare_count].fd);
	close(w->epoll);
	free(w->places);
	free(w);
}

static int open_watch(struct tcp_set *s)
{
	struct tcp_watch *w = calloc(1, sizeof(*w));
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

/* --- a descriptor in the set --- */

static bool make_place(struct tcp_watch *w, int fd)
{
	size_t cap = w->places_cap > 0 ? w->places_cap : 64;
	struct place *places;

	while (cap <= (size_t)fd)
		cap *= 2;
	if (cap == w->places_cap)
		return true;
	places = realloc(w->places, cap * sizeof(*places));
	if (places == NULL)
		return false;
	memset(places + w->places_cap, 0, (cap - w->places_cap) * sizeof(*places));
	w->places = places;
	w->places_cap = cap;
	return true;
}

static int watch_socket(struct tcp_watch *w, struct tcp *t)
{
	struct epoll_event e;

	if (!make_place(w, t->fd))
		return UV_ENOMEM;
	w->places[t->fd] = (struct place){ .owner = t, .serial = ++w->serial };
	e = everything(w, t->fd);
	if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, t->fd, &e) == 0)
		return 0;
	w->places[t->fd].owner = NULL;
	return uv_translate_sys_error(errno);
}

/* One that stays in the set, and belongs to nobody yet; -1: there is none. */
static int take_spare(struct tcp_watch *w, int family)
{
	if (w->spare_count == 0 || w->spares[w->spare_count - 1].family != family)
		return -1;
	return w->spares[--w->spare_count].fd;
}

/* A socket may try the next address: that costs half of what a new one does, or less where a
 * connection stands, which Linux resets. The next attempt forgets the error of this one. False: it
 * has to be closed. */
static bool make_spare(struct tcp_watch *w, struct tcp *t)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	/* While events are told, another's may be among those that are still to come. */
	if (t->family == AF_UNSPEC || w->spare_count == TCP_SPARES_MAX ||
	    (w->told != NULL && w->told != t) || connect(t->fd, &nobody, sizeof(nobody)) != 0)
		return false;
	w->spares[w->spare_count].fd = t->fd;
	w->spares[w->spare_count++].family = t->family;
	return true;
}

/* --- a connection --- */

static int bind_to(int fd, const struct sockaddr *from, socklen_t len)
{
	int one = 1;

	/* The port is chosen by connect, when it is known whither: it may serve several. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	return bind(fd, from, len);
}

static int begin(struct tcp *t, const struct sockaddr *to, socklen_t len,
		 const struct sockaddr *from)
{
	struct tcp_watch *w = t->set->watch;
	bool watched;

	if (from == NULL)
		t->fd = take_spare(w, to->sa_family);
	watched = t->fd >= 0;
	if (!watched)
		t->fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->fd < 0 || (from != NULL && bind_to(t->fd, from, len) != 0) ||
	    (connect(t->fd, to, len) != 0 && errno != EINPROGRESS))
		return uv_translate_sys_error(errno);
	if (from == NULL)
		t->family = to->sa_family;
	if (!watched)
		return watch_socket(w, t);
	w->places[t->fd].owner = t;
	return 0;
}

static int enter(struct tcp_set *s, struct tcp *t)
{
	int err = s->watch == NULL ? open_watch(s) : 0;

	*t = (struct tcp){ .set = s, .fd = -1, .serial = t->serial + 1 };
	if (err == 0)
		s->open++;
	return err;
}

static void leave(struct tcp *t)
{
	t->fd = -1;
	if (--t->set->open == 0)
		close_watch(t->set);
}

int tcp_connect(struct tcp_set *s, struct tcp *t, const struct sockaddr *to, socklen_t len,
		const struct sockaddr *from)
{
	int err = enter(s, t);

	if (err != 0)
		return err;
	err = begin(t, to, len, from);
	if (err == 0)
		return 0;
	if (t->fd >= 0)
		close(t->fd);
	leave(t);
	return err;
}

int tcp_adopt(struct tcp_set *s, struct tcp *t, int fd)
{
	int err = enter(s, t);

	if (err != 0)
		return err;
	t->fd = fd;
	t->connected = true;
	err = watch_socket(s->watch, t);
	if (err != 0)
		leave(t);
	return err;
}

void tcp_no_delay(struct tcp *t)
{
	int one = 1;

	setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

void tcp_resume(struct tcp *t)
{
	if (!t->paused)
		return;
	t->paused = false;
	if (t->fd >= 0)
		ask_anew(t);
}

static void end(struct tcp *t, bool drop)
{
	struct tcp_watch *w;

	if (t->set == NULL || t->fd < 0)
		return;
	w = t->set->watch;
	w->places[t->fd].owner = NULL;
	if ((t->connected && !drop) || !make_spare(w, t))
		close(t->fd);
	forget(t);
	leave(t);
}

void tcp_close(struct tcp *t)
{
	end(t, false);
}

void tcp_drop(struct tcp *t)
{
	end(t, true);
}
