#include "sim/server.h"

#include "sim/peer.h"
#include "sim/server_sockets.h"
#include "sim/virtual.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	BACKLOG = 4096, /* Linux' default net.core.somaxconn */
	READ_BYTES = 64 * 1024,
	LINGER_MS = 2000, /* after our close, for the client's */
	FILES_SPARE = 64, /* descriptors left to the rest of the program */
};

struct conn {
	uv_tcp_t tcp;
	uv_timer_t timer;
	struct sim_server *server;
	struct conn *prev, *next;
	struct sim_conn *sim;
	uint64_t accepted_ms, expires_ms, heard_ms;
	uint32_t rtt_ms;
	uint8_t handles; /* whose close callbacks are still to come */
	bool writing, shut, closing, asked;
};

struct writing {
	uv_write_t req;
	struct conn *conn;
	size_t len;
	uint8_t data[];
};

struct sim_server {
	uv_loop_t *loop;
	const struct sim_world *world;
	const struct sim_config *config;
	struct sim_server_counts counts;
	struct random random;
	uint64_t open_max;
	uv_tcp_t listeners[SIM_PORTS];
	unsigned listeners_open;      /* close callbacks to come */
	int refusing, silent, filler; /* descriptors, or -1 */
	struct conn *conns;
	bool stopping;
	uint8_t read_buffer[READ_BYTES];
};

static void free_if_over(struct sim_server *s)
{
	if (s->stopping && s->listeners_open == 0 && s->counts.open == 0)
		free(s);
}

/* --- one connection --- */

static void on_handle_closed(uv_handle_t *handle)
{
	struct conn *c = handle->data;
	struct sim_server *s = c->server;

	if (--c->handles > 0)
		return;
	sim_conn_free(c->sim);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		s->conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	free(c);
	s->counts.open--;
	free_if_over(s);
}

static void conn_close(struct conn *c, bool reset)
{
	if (c->closing)
		return;
	c->closing = true;
	/* A reset is no longer possible once the end was announced. */
	if (!reset || c->shut || uv_tcp_close_reset(&c->tcp, on_handle_closed) != 0)
		uv_close((uv_handle_t *)&c->tcp, on_handle_closed);
	uv_close((uv_handle_t *)&c->timer, on_handle_closed);
}

static void conn_pump(struct conn *c);
static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf);
static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void on_written(uv_write_t *req, int status)
{
	struct writing *w = (struct writing *)req;
	struct conn *c = w->conn;

	c->server->counts.bytes_out += status == 0 ? w->len : 0;
	c->writing = false;
	free(w);
	if (c->closing)
		return;
	if (status != 0 || uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0)
		conn_close(c, false);
	else
		conn_pump(c);
}

static void conn_write(struct conn *c, struct slice bytes)
{
	uv_buf_t buf = uv_buf_init((char *)bytes.data, (unsigned)bytes.len);
	int n = uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);
	struct writing *w;

	if (n < 0 && n != UV_EAGAIN) {
		conn_close(c, false);
		return;
	}
	n = n < 0 ? 0 : n;
	c->server->counts.bytes_out += (uint64_t)n;
	if ((size_t)n == bytes.len)
		return;
	/* The client reads slowly: nothing more is heard or said until this is gone. */
	w = malloc(sizeof(*w) + bytes.len - (size_t)n);
	if (w == NULL) {
		conn_close(c, true);
		return;
	}
	w->conn = c;
	w->len = bytes.len - (size_t)n;
	memcpy(w->data, bytes.data + n, w->len);
	buf = uv_buf_init((char *)w->data, (unsigned)w->len);
	c->writing = true;
	uv_read_stop((uv_stream_t *)&c->tcp);
	if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &buf, 1, on_written) != 0) {
		c->writing = false;
		free(w);
		conn_close(c, false);
	}
}

static void on_shut(uv_shutdown_t *req, int status)
{
	(void)status;
	free(req);
}

/* Closes our direction first and goes on reading, so that the client sees an orderly
 * end even if it was just saying something. */
static void conn_shut(struct conn *c)
{
	uv_shutdown_t *req = malloc(sizeof(*req));

	if (req == NULL || uv_shutdown(req, (uv_stream_t *)&c->tcp, on_shut) != 0) {
		free(req);
		conn_close(c, false);
		return;
	}
	c->shut = true;
	c->expires_ms = uv_now(c->server->loop) + LINGER_MS;
}

static void on_timer(uv_timer_t *timer)
{
	struct conn *c = timer->data;

	if (uv_now(c->server->loop) >= c->expires_ms)
		conn_close(c, true);
	else
		conn_pump(c);
}

/* Says what is due, and comes back when the rest is. */
static void conn_pump(struct conn *c)
{
	uint64_t now_ms = uv_now(c->server->loop), due_ms;
	struct sim_output output;

	while (!c->closing && !c->writing && !c->shut && sim_conn_next(c->sim, now_ms, &output)) {
		switch (output.kind) {
		case SIM_OUTPUT_BYTES:
			conn_write(c, output.bytes);
			break;
		case SIM_OUTPUT_CLOSE:
			conn_shut(c);
			break;
		case SIM_OUTPUT_RESET:
			conn_close(c, true);
			break;
		}
	}
	if (c->closing)
		return;
	if (!c->asked && sim_conn_asked(c->sim)) {
		c->asked = true;
		c->server->counts.getaddr++;
	}
	due_ms = c->writing || c->shut ? UINT64_MAX : sim_conn_deadline(c->sim);
	if (due_ms > c->expires_ms)
		due_ms = c->expires_ms;
	uv_timer_start(&c->timer, on_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

/* When the peer hears what has just been read: the answer then leaves at once. */
static uint64_t arrival_ms(struct conn *c)
{
	struct sim_server *s = c->server;
	uint64_t at_ms = uv_now(s->loop) + c->rtt_ms, timeout_ms = SIM_RETRANSMIT_MS;

	/* The first round trip belongs to the connection itself. */
	if (at_ms < c->accepted_ms + 2ULL * c->rtt_ms)
		at_ms = c->accepted_ms + 2ULL * c->rtt_ms;
	if (s->config->jitter_ms > 0)
		at_ms += random_below(&s->random, s->config->jitter_ms + 1ULL);
	if (timeout_ms < 2ULL * c->rtt_ms)
		timeout_ms = 2ULL * c->rtt_ms;
	for (int i = 1;
	     i < SIM_SYN_TRIES && s->config->loss > 0 && random_unit(&s->random) < s->config->loss;
	     i++, timeout_ms *= 2)
		at_ms += timeout_ms;
	if (at_ms < c->heard_ms)
		at_ms = c->heard_ms;
	c->heard_ms = at_ms;
	return at_ms;
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct conn *c = handle->data;

	(void)wanted;
	/* One buffer for all: what is read is taken before the next read. */
	*buf = uv_buf_init((char *)c->server->read_buffer, READ_BYTES);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = stream->data;

	if (n < 0) {
		conn_close(c, false);
		return;
	}
	if (n == 0 || c->closing)
		return;
	c->server->counts.bytes_in += (uint64_t)n;
	if (c->shut)
		return;
	sim_conn_recv(c->sim, slice_of(buf->base, (size_t)n), arrival_ms(c));
	conn_pump(c);
}

/* --- accepting --- */

static struct netaddr from_sockaddr(const struct sockaddr_storage *sockaddr)
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)sockaddr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sockaddr;
	struct netaddr a = { .kind = NETADDR_IPV4 };

	if (sockaddr->ss_family == AF_INET) {
		a.port = ntohs(in4->sin_port);
		memcpy(a.bytes, &in4->sin_addr, 4);
		return a;
	}
	a.kind = NETADDR_IPV6;
	a.port = ntohs(in6->sin6_port);
	memcpy(a.bytes, &in6->sin6_addr, 16);
	return a;
}

/* Which peer was dialled, and by whom; false if it is nobody of this world. */
static bool conn_meet(struct conn *c)
{
	struct sim_server *s = c->server;
	struct sockaddr_storage sockaddr;
	struct netaddr local, remote;
	struct sim_peer peer;
	int len = sizeof(sockaddr);
	int64_t index;

	if (uv_tcp_getsockname(&c->tcp, (struct sockaddr *)&sockaddr, &len) != 0)
		return false;
	local = from_sockaddr(&sockaddr);
	len = sizeof(sockaddr);
	if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&sockaddr, &len) != 0)
		return false;
	remote = from_sockaddr(&sockaddr);
	index = sim_world_find(s->world, &local);
	if (index < 0) {
		s->counts.strangers++;
		return false;
	}
	sim_world_peer(s->world, (uint32_t)index, &peer);
	c->rtt_ms = peer.rtt_ms;
	return sim_conn_new(s->world, (uint32_t)index, &remote, c->accepted_ms + c->rtt_ms,
			    time(NULL), &c->sim) == ERR_OK;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct sim_server *s = listener->data;
	struct conn *c;

	if (status != 0)
		return; /* gone before it was accepted */
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return; /* the port accepts nobody any more: there is no memory for it */
	c->server = s;
	c->handles = 2;
	c->tcp.data = c->timer.data = c;
	c->accepted_ms = uv_now(s->loop);
	c->expires_ms = c->accepted_ms + SIM_SERVER_LIFE_MS;
	uv_tcp_init(s->loop, &c->tcp);
	uv_timer_init(s->loop, &c->timer);
	c->next = s->conns;
	if (c->next != NULL)
		c->next->prev = c;
	s->conns = c;
	s->counts.open++;
	s->counts.connections++;
	if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0 || s->counts.open > s->open_max ||
	    !conn_meet(c) || uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0) {
		conn_close(c, false);
		return;
	}
	conn_pump(c);
}

/* --- the whole --- */

static uint64_t raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 256;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			getrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur > SIM_SERVER_OPEN_MAX + FILES_SPARE)
		return SIM_SERVER_OPEN_MAX;
	return limit.rlim_cur > 2 * FILES_SPARE ? limit.rlim_cur - FILES_SPARE : FILES_SPARE;
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct sim_server *s = handle->data;

	s->listeners_open--;
	free_if_over(s);
}

static bool listen_on(struct sim_server *s, unsigned i, struct sim_why why)
{
	int fd = sim_socket_bind((enum netaddr_kind)s->config->range.base.kind,
				 (uint16_t)(s->config->port + i), why);
	int status;

	if (fd < 0)
		return false;
	uv_tcp_init(s->loop, &s->listeners[i]);
	s->listeners[i].data = s;
	s->listeners_open++;
	status = uv_tcp_open(&s->listeners[i], fd);
	if (status != 0)
		close(fd);
	else
		status = uv_listen((uv_stream_t *)&s->listeners[i], BACKLOG, on_connection);
	if (status != 0)
		snprintf(why.text, why.cap, "can't listen on port %u: %s", s->config->port + i,
			 uv_strerror(status));
	return status == 0;
}

enum err sim_server_start(uv_loop_t *loop, const struct sim_world *w, struct sim_server **out,
			  char *why_text, size_t why_cap)
{
	const struct sim_why why = { why_text, why_cap };
	struct sim_server *s = calloc(1, sizeof(*s));
	enum netaddr_kind kind;
	struct sim_peer first;

	*out = NULL;
	if (s == NULL) {
		snprintf(why.text, why.cap, "%s", err_text(ERR_NOMEM));
		return ERR_NOMEM;
	}
	s->loop = loop;
	s->world = w;
	s->config = sim_world_config(w);
	s->refusing = s->silent = s->filler = -1;
	s->random.state = s->config->seed;
	s->open_max = raise_files();
	kind = (enum netaddr_kind)s->config->range.base.kind;
	sim_world_peer(w, 0, &first);
	if (!sim_socket_is_local(&first.addr, why))
		goto fail;
	for (unsigned i = 0; i < SIM_PORTS; i++) {
		if (!listen_on(s, i, why))
			goto fail;
	}
	s->refusing = sim_socket_bind(kind, (uint16_t)(s->config->port + SIM_PORT_REFUSED), why);
	if (s->refusing < 0)
		goto fail;
	s->silent = sim_socket_silent(kind, (uint16_t)(s->config->port + SIM_PORT_SILENT),
				      &s->filler, why);
	if (s->silent < 0)
		goto fail;
	*out = s;
	return ERR_OK;
fail:
	sim_server_stop(s);
	return ERR_IO;
}

void sim_server_counts(const struct sim_server *s, struct sim_server_counts *out)
{
	*out = s->counts;
}

void sim_server_stop(struct sim_server *s)
{
	unsigned open = s->listeners_open;

	s->stopping = true;
	if (s->refusing >= 0)
		close(s->refusing);
	if (s->silent >= 0)
		close(s->silent);
	if (s->filler >= 0)
		close(s->filler);
	for (struct conn *c = s->conns; c != NULL; c = c->next)
		conn_close(c, true);
	for (unsigned i = 0; i < open; i++)
		uv_close((uv_handle_t *)&s->listeners[i], on_listener_closed);
	if (open == 0)
		free_if_over(s);
}
