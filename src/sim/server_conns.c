#include "sim/server_conns.h"

#include "io/dial.h"
#include "sim/virtual.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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
	struct sim_conns *conns;
	struct conn *prev, *next;
	void *talk;
	uint64_t accepted_ms, expires_ms, heard_ms;
	uint32_t index, rtt_ms;
	uint8_t handles; /* whose close callbacks are still to come */
	bool writing, shut, closing, asked;
};

struct writing {
	uv_write_t req;
	struct conn *conn;
	size_t len;
	uint8_t data[];
};

struct sim_conns {
	struct sim_conns_config config;
	struct sim_conns_counts counts;
	struct random random;
	uv_tcp_t listeners[SIM_CONNS_PORTS];
	unsigned listening, listeners_open; /* open: close callbacks to come */
	struct conn *first;
	bool stopping;
	uint8_t read_buffer[READ_BYTES];
};

static void free_if_over(struct sim_conns *s)
{
	void (*on_closed)(void *ctx) = s->config.on_closed;
	void *ctx = s->config.ctx;

	if (!s->stopping || s->listeners_open > 0 || s->counts.open > 0)
		return;
	free(s);
	on_closed(ctx);
}

/* --- one connection --- */

static void on_handle_closed(uv_handle_t *handle)
{
	struct conn *c = handle->data;
	struct sim_conns *s = c->conns;

	if (--c->handles > 0)
		return;
	if (c->talk != NULL)
		s->config.kind->free(c->talk);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		s->first = c->next;
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

	c->conns->counts.bytes_out += status == 0 ? w->len : 0;
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
	c->conns->counts.bytes_out += (uint64_t)n;
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
	c->expires_ms = uv_now(c->conns->config.loop) + LINGER_MS;
}

static void on_timer(uv_timer_t *timer)
{
	struct conn *c = timer->data;

	if (uv_now(c->conns->config.loop) >= c->expires_ms)
		conn_close(c, true);
	else
		conn_pump(c);
}

/* Says what is due, and comes back when the rest is. */
static void conn_pump(struct conn *c)
{
	const struct sim_conns_kind *kind = c->conns->config.kind;
	uint64_t now_ms = uv_now(c->conns->config.loop), due_ms;
	struct sim_output output;

	while (!c->closing && !c->writing && !c->shut && kind->next(c->talk, now_ms, &output)) {
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
	if (!c->asked && kind->asked(c->talk)) {
		c->asked = true;
		c->conns->counts.asked++;
	}
	due_ms = c->writing || c->shut ? UINT64_MAX : kind->deadline(c->talk);
	if (due_ms > c->expires_ms)
		due_ms = c->expires_ms;
	uv_timer_start(&c->timer, on_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

/* When the peer hears what has just been read: the answer then leaves at once. */
static uint64_t arrival_ms(struct conn *c)
{
	struct sim_conns *s = c->conns;
	uint64_t at_ms = uv_now(s->config.loop) + c->rtt_ms, timeout_ms = SIM_RETRANSMIT_MS;

	/* The first round trip belongs to the connection itself. */
	if (at_ms < c->accepted_ms + 2ULL * c->rtt_ms)
		at_ms = c->accepted_ms + 2ULL * c->rtt_ms;
	if (s->config.sim->jitter_ms > 0)
		at_ms += random_below(&s->random, s->config.sim->jitter_ms + 1ULL);
	if (timeout_ms < 2ULL * c->rtt_ms)
		timeout_ms = 2ULL * c->rtt_ms;
	for (int i = 1; i < SIM_SYN_TRIES && s->config.sim->loss > 0 &&
			random_unit(&s->random) < s->config.sim->loss;
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
	*buf = uv_buf_init((char *)c->conns->read_buffer, READ_BYTES);
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
	c->conns->counts.bytes_in += (uint64_t)n;
	if (c->shut)
		return;
	c->conns->config.kind->recv(c->talk, slice_of(buf->base, (size_t)n), arrival_ms(c));
	conn_pump(c);
}

/* --- accepting --- */

/* Whom it reaches, and who is there; false if that is nobody of this world. */
static bool conn_meet(struct conn *c)
{
	struct sim_conns *s = c->conns;
	struct sockaddr_storage sockaddr;
	struct netaddr local, remote;
	int len = sizeof(sockaddr);

	if (uv_tcp_getsockname(&c->tcp, (struct sockaddr *)&sockaddr, &len) != 0 ||
	    !dial_netaddr((struct sockaddr *)&sockaddr, &local))
		return false;
	len = sizeof(sockaddr);
	if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&sockaddr, &len) != 0 ||
	    !dial_netaddr((struct sockaddr *)&sockaddr, &remote))
		return false;
	if (s->config.kind->find(s->config.ctx, &local, &c->index, &c->rtt_ms)) {
		c->talk = s->config.kind->begin(s->config.ctx, c->index, &remote,
						c->accepted_ms + c->rtt_ms);
		return c->talk != NULL;
	}
	s->counts.strangers++;
	return false;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct sim_conns *s = listener->data;
	struct conn *c;

	if (status != 0)
		return; /* gone before it was accepted */
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return; /* the port accepts nobody any more: there is no memory for it */
	c->conns = s;
	c->handles = 2;
	c->tcp.data = c->timer.data = c;
	c->accepted_ms = uv_now(s->config.loop);
	c->expires_ms = c->accepted_ms + SIM_CONNS_LIFE_MS;
	uv_tcp_init(s->config.loop, &c->tcp);
	uv_timer_init(s->config.loop, &c->timer);
	c->next = s->first;
	if (c->next != NULL)
		c->next->prev = c;
	s->first = c;
	s->counts.open++;
	s->counts.connections++;
	if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0 ||
	    s->counts.open > s->config.open_max || !conn_meet(c) ||
	    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0) {
		conn_close(c, false);
		return;
	}
	conn_pump(c);
}

/* --- the whole --- */

/* How many of the wanted connections the limit on open files allows. */
static uint64_t raise_files(uint64_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 256;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			getrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur > wanted + FILES_SPARE)
		return wanted;
	return limit.rlim_cur > 2 * FILES_SPARE ? limit.rlim_cur - FILES_SPARE : FILES_SPARE;
}

enum err sim_conns_new(const struct sim_conns_config *config, struct sim_conns **out)
{
	struct sim_conns *s = calloc(1, sizeof(*s));

	*out = s;
	if (s == NULL)
		return ERR_NOMEM;
	s->config = *config;
	s->config.open_max = raise_files(config->open_max);
	s->random.state = config->sim->seed;
	return ERR_OK;
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct sim_conns *s = handle->data;

	s->listeners_open--;
	free_if_over(s);
}

bool sim_conns_listen(struct sim_conns *s, uint16_t port, struct sim_why why)
{
	int fd = sim_socket_bind(s->config.sim, port, why);
	uv_tcp_t *listener = &s->listeners[s->listening];
	int status;

	assert(s->listening < SIM_CONNS_PORTS);
	if (fd < 0)
		return false;
	uv_tcp_init(s->config.loop, listener);
	listener->data = s;
	s->listening++;
	s->listeners_open++;
	status = uv_tcp_open(listener, fd);
	if (status != 0)
		close(fd);
	else
		status = uv_listen((uv_stream_t *)listener, BACKLOG, on_connection);
	if (status != 0)
		snprintf(why.text, why.cap, "can't listen on port %u: %s", port,
			 uv_strerror(status));
	return status == 0;
}

void sim_conns_counts(const struct sim_conns *s, struct sim_conns_counts *out)
{
	*out = s->counts;
}

void sim_conns_stop(struct sim_conns *s)
{
	unsigned open = s->listeners_open;

	s->stopping = true;
	for (struct conn *c = s->first; c != NULL; c = c->next)
		conn_close(c, true);
	for (unsigned i = 0; i < open; i++)
		uv_close((uv_handle_t *)&s->listeners[i], on_listener_closed);
	if (open == 0)
		free_if_over(s);
}
