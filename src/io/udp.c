#include "io/udp.h"

#include "io/dial.h"

#include <assert.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CONTROL_BYTES = 64, /* one struct in6_pktinfo */
	/* In a row, and the fault is the datagram's own: that so many messages by ICMP come in
	 * between is unlikely. */
	REFUSALS_MAX = 4,
	/* When the system has no memory; it says nothing when it has some again. */
	REST_MS = 5,
};

/* A datagram with all that a system call wants to know of it. */
struct cell {
	struct sockaddr_storage peer;
	socklen_t peer_len;
	size_t control_len;
	struct iovec iov;
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_BYTES];
	uint8_t bytes[UDP_DATAGRAM_MAX];
};

struct udp {
	struct udp_config config;
	uv_poll_t poll;
	uv_prepare_t prepare;
	uv_timer_t rest;       /* running where one of these two is set: */
	bool no_send, no_read; /* for want of memory, just now */
	int fd, family;
	unsigned closing;  /* handles on their way out */
	bool waits;        /* for the kernel to take more */
	unsigned refusals; /* in a row, of the first in the queue */
	struct udp_counts counts;
	struct netaddr local;

	/* The queue: a ring of cells, allocated when they are first used. */
	struct cell *queue[UDP_QUEUE_MAX];
	unsigned first, count;

	struct mmsghdr in_headers[UDP_BATCH], out_headers[UDP_BATCH];
	struct cell in[UDP_BATCH];
};

/* --- opening --- */

static bool set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

/* Large buffers: as large as the privileges of this process allow. */
static void set_buffers(int fd)
{
	if (!set(fd, SOL_SOCKET, SO_RCVBUFFORCE, UDP_KERNEL_BYTES))
		set(fd, SOL_SOCKET, SO_RCVBUF, UDP_KERNEL_BYTES);
	if (!set(fd, SOL_SOCKET, SO_SNDBUFFORCE, UDP_KERNEL_BYTES))
		set(fd, SOL_SOCKET, SO_SNDBUF, UDP_KERNEL_BYTES);
}

static bool set_options(const struct udp *u)
{
	bool v4 = u->family == AF_INET;

	set_buffers(u->fd);
	if (!v4 && !set(u->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1))
		return false;
	if (u->config.on_failed != NULL &&
	    !set(u->fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, 1))
		return false;
	if (u->config.any_address &&
	    !set(u->fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, 1))
		return false;
	/* Addresses that are local by a route alone may be answered from, as IPv4 has it: without
	 * this the kernel refuses. */
	if (u->config.any_address && !v4)
		set(u->fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	return u->config.device == NULL ||
	       setsockopt(u->fd, SOL_SOCKET, SO_BINDTODEVICE, u->config.device,
			  (socklen_t)strlen(u->config.device) + 1) == 0;
}

static bool bind_socket(struct udp *u)
{
	struct sockaddr_storage sa;
	socklen_t len = dial_sockaddr(&u->config.local, &sa);

	u->family = sa.ss_family;
	u->fd = socket(u->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (u->fd < 0 || !set_options(u) || bind(u->fd, (struct sockaddr *)&sa, len) != 0)
		return false;
	len = sizeof(sa);
	if (getsockname(u->fd, (struct sockaddr *)&sa, &len) != 0)
		return false;
	dial_netaddr((struct sockaddr *)&sa, &u->local);
	return true;
}

static void prepare_headers(struct udp *u)
{
	for (unsigned i = 0; i < UDP_BATCH; i++) {
		u->in[i].iov = (struct iovec){ u->in[i].bytes, UDP_DATAGRAM_MAX };
		u->in_headers[i].msg_hdr = (struct msghdr){ .msg_name = &u->in[i].peer,
							    .msg_iov = &u->in[i].iov,
							    .msg_iovlen = 1 };
	}
}

/* --- waiting --- */

static void on_poll(uv_poll_t *poll, int status, int events);
static void flush(struct udp *u);

/* A socket counts as ready also where the system has no memory for what it is asked: the loop
 * would turn and turn. */
static void poll_on(struct udp *u)
{
	int events = 0;

	if (!u->no_read)
		events |= UV_READABLE;
	if (u->waits && !u->no_send)
		events |= UV_WRITABLE;
	uv_poll_start(&u->poll, events, on_poll);
}

static void on_rested(uv_timer_t *timer)
{
	struct udp *u = timer->data;

	u->no_send = u->no_read = false;
	poll_on(u);
	flush(u);
}

static bool no_memory(void)
{
	return errno == ENOBUFS || errno == ENOMEM;
}

/* Of one of the two; the other goes on. */
static void rest(struct udp *u, bool *no_memory_for)
{
	*no_memory_for = true;
	if (!uv_is_active((uv_handle_t *)&u->rest))
		uv_timer_start(&u->rest, on_rested, REST_MS, 0);
	poll_on(u);
}

/* --- receiving --- */

/* The local address that a datagram came to. */
static void read_local(struct udp *u, struct msghdr *header, struct netaddr *out)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			*out = netaddr_ipv4(ntohl(info.ipi_addr.s_addr), u->local.port);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			*out = netaddr_from_ip16(info.ipi6_addr.s6_addr, u->local.port);
		}
	}
}

static void hand_out(struct udp *u, unsigned i)
{
	struct msghdr *header = &u->in_headers[i].msg_hdr;
	struct udp_datagram d = { .bytes = slice_of(u->in[i].bytes, u->in_headers[i].msg_len),
				  .cut = (header->msg_flags & MSG_TRUNC) != 0 };

	if (!dial_netaddr((struct sockaddr *)&u->in[i].peer, &d.from))
		return;
	if (u->config.any_address)
		read_local(u, header, &d.to);
	u->counts.datagrams_in++;
	u->counts.bytes_in += d.bytes.len;
	u->config.on_datagram(u->config.ctx, &d);
}

static bool read_batch(struct udp *u)
{
	int n;

	for (unsigned i = 0; i < UDP_BATCH; i++) {
		struct msghdr *header = &u->in_headers[i].msg_hdr;

		header->msg_namelen = sizeof(u->in[i].peer);
		header->msg_control = u->config.any_address ? u->in[i].control : NULL;
		header->msg_controllen = u->config.any_address ? CONTROL_BYTES : 0;
	}
	n = recvmmsg(u->fd, u->in_headers, UDP_BATCH, 0, NULL);
	if (n < 0 && no_memory())
		rest(u, &u->no_read);
	for (int i = 0; i < n && u->closing == 0; i++)
		hand_out(u, (unsigned)i);
	return n == UDP_BATCH && u->closing == 0;
}

/* One of the errors that the kernel keeps for us: what came back by ICMP, and for whom. */
static bool read_error(struct udp *u)
{
	struct sockaddr_storage to = { 0 };
	uint8_t byte, control[512];
	struct iovec iov = { &byte, sizeof(byte) };
	struct msghdr header = { .msg_name = &to,
				 .msg_namelen = sizeof(to),
				 .msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control) };
	struct netaddr addr;

	if (recvmsg(u->fd, &header, MSG_ERRQUEUE) < 0)
		return false;
	if (!dial_netaddr((struct sockaddr *)&to, &addr))
		return true;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c != NULL; c = CMSG_NXTHDR(&header, c)) {
		struct sock_extended_err e;

		if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
		    !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		/* A message that is too long for some link is not the peer's doing. */
		if (e.ee_errno != EMSGSIZE && e.ee_errno != 0)
			u->config.on_failed(u->config.ctx, &addr,
					    e.ee_errno == ECONNREFUSED ? OUTCOME_REFUSED
								       : OUTCOME_UNREACHABLE);
	}
	return true;
}

/* --- sending --- */

static struct cell *new_cell(struct udp *u)
{
	struct cell **place = &u->queue[(u->first + u->count) % UDP_QUEUE_MAX];

	if (u->count == UDP_QUEUE_MAX)
		return NULL;
	if (*place == NULL)
		*place = malloc(sizeof(**place));
	return *place;
}

static void set_source(const struct udp *u, struct cell *cell, const struct netaddr *from)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)cell->control;
	struct in_pktinfo v4 = { 0 };
	struct in6_pktinfo v6 = { 0 };
	bool is_v4 = u->family == AF_INET;
	size_t len = is_v4 ? sizeof(v4) : sizeof(v6);

	memcpy(&v4.ipi_spec_dst, from->bytes, 4);
	memcpy(&v6.ipi6_addr, from->bytes, 16);
	memset(cell->control, 0, sizeof(cell->control));
	c->cmsg_level = is_v4 ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = is_v4 ? IP_PKTINFO : IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), is_v4 ? (void *)&v4 : (void *)&v6, len);
	cell->control_len = CMSG_SPACE(len);
}

static void forget_first(struct udp *u)
{
	u->first = (u->first + 1) % UDP_QUEUE_MAX;
	u->count--;
	u->refusals = 0;
}

static int send_batch(struct udp *u)
{
	unsigned n = u->count < UDP_BATCH ? u->count : UDP_BATCH;
	int sent;

	for (unsigned i = 0; i < n; i++) {
		struct cell *cell = u->queue[(u->first + i) % UDP_QUEUE_MAX];

		u->out_headers[i].msg_hdr =
			(struct msghdr){ .msg_name = &cell->peer,
					 .msg_namelen = cell->peer_len,
					 .msg_iov = &cell->iov,
					 .msg_iovlen = 1,
					 .msg_control =
						 cell->control_len > 0 ? cell->control : NULL,
					 .msg_controllen = cell->control_len };
	}
	sent = sendmmsg(u->fd, u->out_headers, n, 0);
	for (int i = 0; i < sent; i++) {
		u->counts.datagrams_out++;
		u->counts.bytes_out += u->queue[u->first]->iov.iov_len;
		forget_first(u);
	}
	return sent;
}

void udp_send(struct udp *u, const struct netaddr *to, const struct netaddr *from,
	      struct slice bytes)
{
	struct cell *cell = new_cell(u);

	assert(bytes.len <= UDP_DATAGRAM_MAX && (from == NULL || u->config.any_address));
	if (cell == NULL || (to->kind == NETADDR_IPV4) != (u->family == AF_INET)) {
		u->counts.dropped++;
		return;
	}
	cell->peer_len = dial_sockaddr(to, &cell->peer);
	cell->control_len = 0;
	if (from != NULL)
		set_source(u, cell, from);
	memcpy(cell->bytes, bytes.data, bytes.len);
	cell->iov = (struct iovec){ cell->bytes, bytes.len };
	u->count++;
	/* A refusal is not told from here, but from the loop. */
	if (u->count % UDP_BATCH == 0 && !u->waits && u->closing == 0)
		send_batch(u);
}

/* The kernel refuses the first one. Once, that says nothing about it: what came by ICMP for an
 * earlier one is told by the next call, and again, with the address, by read_error. Nor does it
 * where others were heard, and this machine has lost its way to all of them: then it is as lost as
 * if it had gone out. */
static void refused(struct udp *u, int error)
{
	bool no_route = (error == ENETUNREACH || error == ENETDOWN) && u->counts.datagrams_in > 0;
	struct netaddr to;

	if (++u->refusals < REFUSALS_MAX)
		return;
	dial_netaddr((struct sockaddr *)&u->queue[u->first]->peer, &to);
	forget_first(u);
	u->counts.dropped++;
	if (u->config.on_failed != NULL && !no_route)
		u->config.on_failed(u->config.ctx, &to, OUTCOME_UNREACHABLE);
}

static void watch(struct udp *u, bool waits)
{
	if (u->waits == waits || u->closing > 0)
		return;
	u->waits = waits;
	poll_on(u);
}

static void flush(struct udp *u)
{
	unsigned errors = 0;

	while (u->count > 0 && u->closing == 0 && !u->no_send) {
		if (send_batch(u) > 0)
			continue;
		if (no_memory()) {
			u->waits = true;
			rest(u, &u->no_send);
			return;
		}
		if (errno == EAGAIN || ++errors > UDP_BATCH) {
			watch(u, true);
			return;
		}
		refused(u, errno);
	}
	if (!u->no_send)
		watch(u, false);
}

/* --- the loop --- */

static void on_prepare(uv_prepare_t *prepare)
{
	struct udp *u = prepare->data;

	if (!u->waits)
		flush(u);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct udp *u = poll->data;
	unsigned rounds = 0;

	/* An error on the socket is one of ICMP. libuv takes it for the end, and stops. */
	if (u->config.on_failed != NULL) {
		while (u->closing == 0 && rounds++ < UDP_BATCH && read_error(u))
			continue;
	}
	if (u->closing > 0)
		return;
	if (status < 0) {
		events = UV_READABLE;
		poll_on(u);
	}
	for (rounds = 0; (events & UV_READABLE) != 0 && rounds < UDP_ROUNDS; rounds++) {
		bool more = read_batch(u);

		if (!u->waits)
			flush(u);
		if (!more)
			break;
	}
	if (u->closing == 0 && (events & UV_WRITABLE) != 0)
		flush(u);
}

enum err udp_open(uv_loop_t *loop, const struct udp_config *config, struct udp **out)
{
	struct udp *u = calloc(1, sizeof(*u));
	int error;

	*out = NULL;
	if (u == NULL)
		return ERR_NOMEM;
	u->config = *config;
	error = bind_socket(u) ? -uv_poll_init(loop, &u->poll, u->fd) : errno;
	if (error != 0) {
		if (u->fd >= 0)
			close(u->fd);
		free(u);
		errno = error;
		return ERR_IO;
	}
	prepare_headers(u);
	uv_prepare_init(loop, &u->prepare);
	uv_timer_init(loop, &u->rest);
	u->poll.data = u->prepare.data = u->rest.data = u;
	poll_on(u);
	uv_prepare_start(&u->prepare, on_prepare);
	uv_unref((uv_handle_t *)&u->prepare);
	*out = u;
	return ERR_OK;
}

static void on_closed(uv_handle_t *handle)
{
	struct udp *u = handle->data;

	if (--u->closing > 0)
		return;
	close(u->fd);
	for (unsigned i = 0; i < UDP_QUEUE_MAX; i++)
		free(u->queue[i]);
	free(u);
}

void udp_close(struct udp *u)
{
	if (u->closing > 0)
		return;
	u->config.on_failed = NULL;
	u->no_send = false;
	flush(u);
	u->closing = 3;
	uv_close((uv_handle_t *)&u->poll, on_closed);
	uv_close((uv_handle_t *)&u->prepare, on_closed);
	uv_close((uv_handle_t *)&u->rest, on_closed);
}

struct netaddr udp_local(const struct udp *u)
{
	return u->local;
}

bool udp_is_stuck(const struct udp *u)
{
	return u->no_send || u->no_read;
}

void udp_counts(const struct udp *u, struct udp_counts *out)
{
	*out = u->counts;
}
