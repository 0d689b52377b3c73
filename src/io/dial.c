#include "io/dial.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct dial {
	uv_tcp_t tcp;
	uv_timer_t timer;
	uv_connect_t connect;
	struct dialer *dialer;
	dial_done_fn *on_done;
	void *ctx;
	uint64_t timer_ms; /* for when the timer is set; UINT64_MAX: it isn't */
	uint8_t *held;     /* an unfinished message */
	uint32_t held_len, held_cap;
	unsigned closing; /* handles on their way out */
	bool told;        /* on_done was called */
	bool dialled_again;
	int connect_error;  /* of the attempt to connect, to be told from the loop */
	struct visit visit; /* last: its session follows it */
};

void dialer_init(struct dialer *d, uv_loop_t *loop)
{
	uv_timeval64_t wall;

	d->loop = loop;
	uv_update_time(loop);
	uv_gettimeofday(&wall);
	d->wall_minus_loop_ms = wall.tv_sec * 1000 + wall.tv_usec / 1000 - (int64_t)uv_now(loop);
}

uint64_t dialer_now_ms(const struct dialer *d)
{
	return uv_now(d->loop);
}

int64_t dialer_unix_ms(const struct dialer *d)
{
	return (int64_t)uv_now(d->loop) + d->wall_minus_loop_ms;
}

void dial_random(void *out, size_t len)
{
	int err = uv_random(NULL, NULL, out, len, 0, NULL);

	assert(err == 0);
	(void)err;
}

socklen_t dial_sockaddr(const struct netaddr *addr, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;

	assert(netaddr_is_ip(addr));
	memset(out, 0, sizeof(*out));
	if (addr->kind == NETADDR_IPV4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(addr->port);
		memcpy(&v4->sin_addr, addr->bytes, 4);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(addr->port);
	memcpy(&v6->sin6_addr, addr->bytes, 16);
	return sizeof(*v6);
}

bool dial_netaddr(const struct sockaddr *sa, struct netaddr *out)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)sa;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)sa;

	if (sa->sa_family == AF_INET) {
		*out = netaddr_ipv4(ntohl(v4->sin_addr.s_addr), ntohs(v4->sin_port));
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		*out = netaddr_from_ip16(v6->sin6_addr.s6_addr, ntohs(v6->sin6_port));
		return true;
	}
	*out = (struct netaddr){ 0 };
	return false;
}

bool dial_outcome(int uv_error, enum outcome *out)
{
	switch (uv_error) {
	case UV_ECONNREFUSED:
		*out = OUTCOME_REFUSED;
		return true;
	case UV_ETIMEDOUT:
		*out = OUTCOME_CONNECT_TIMEOUT;
		return true;
	case UV_ECONNRESET:
	case UV_ECONNABORTED:
	case UV_EPIPE:
		*out = OUTCOME_RESET;
		return true;
	case UV_EMFILE:
	case UV_ENFILE:
	case UV_ENOBUFS:
	case UV_ENOMEM:
	case UV_EADDRNOTAVAIL: /* no local port is free */
	case UV_EADDRINUSE:
		*out = OUTCOME_CANCELLED;
		return false;
	default: /* no route, prohibited, no such family, ... */
		*out = OUTCOME_UNREACHABLE;
		return true;
	}
}

struct visit *dial_visit(struct dial *dial)
{
	return &dial->visit;
}

/* --- after every step: send, set the timer, close --- */

static void step(struct dial *dial);

static void on_handle_closed(uv_handle_t *handle)
{
	struct dial *dial = handle->data;

	if (--dial->closing > 0)
		return;
	free(dial->held);
	free(dial);
}

static void tell_done(struct dial *dial)
{
	struct record record;

	if (dial->told)
		return;
	dial->told = true;
	visit_record(&dial->visit, dialer_now_ms(dial->dialer), &record);
	dial->on_done(dial->ctx, dial, &record);
}

static void on_timer(uv_timer_t *timer)
{
	struct dial *dial = timer->data;

	enum outcome why;

	dial->timer_ms = UINT64_MAX;
	if (dial->connect_error != 0) {
		dial_outcome(dial->connect_error, &why);
		visit_connect_failed(&dial->visit, why, dialer_now_ms(dial->dialer));
	}
	visit_tick(&dial->visit, dialer_now_ms(dial->dialer));
	step(dial);
}

static void set_timer(struct dial *dial)
{
	uint64_t now = dialer_now_ms(dial->dialer), at = visit_deadline(&dial->visit);

	/* A timer that rings early only looks and is set anew: no need to move it back. */
	if (at >= dial->timer_ms)
		return;
	dial->timer_ms = at;
	uv_timer_start(&dial->timer, on_timer, at > now ? at - now : 0, 0);
}

static void finish(struct dial *dial)
{
	tell_done(dial);
	if (dial->closing > 0)
		return;
	dial->closing = 2;
	uv_close((uv_handle_t *)&dial->timer, on_handle_closed);
	if (!uv_is_closing((uv_handle_t *)&dial->tcp)) /* else it closes to dial again */
		uv_close((uv_handle_t *)&dial->tcp, on_handle_closed);
}

struct late_write {
	uv_write_t req;
	uint8_t bytes[];
};

static void on_late_write(uv_write_t *req, int status)
{
	(void)status; /* the reading side learns of a broken connection */
	free(req);
}

/* What the socket doesn't take at once goes into libuv's queue. */
static void write_late(struct dial *dial, const uint8_t *data, size_t len)
{
	struct late_write *late = malloc(sizeof(*late) + len);
	uv_buf_t buf;

	if (late == NULL)
		return; /* the peer misses a message, and its visit runs out of time */
	memcpy(late->bytes, data, len);
	buf = uv_buf_init((char *)late->bytes, (unsigned)len);
	if (uv_write(&late->req, (uv_stream_t *)&dial->tcp, &buf, 1, on_late_write) != 0)
		free(late);
}

static void send_pending(struct dial *dial)
{
	uint8_t out[1024];
	uv_stream_t *stream = (uv_stream_t *)&dial->tcp;
	size_t n;

	while (uv_stream_get_write_queue_size(stream) < DIAL_QUEUE_MAX &&
	       (n = visit_send(&dial->visit, out, sizeof(out))) > 0) {
		uv_buf_t buf = uv_buf_init((char *)out, (unsigned)n);
		int sent = uv_try_write(stream, &buf, 1);

		if (sent < 0)
			sent = 0;
		if ((size_t)sent < n)
			write_late(dial, out + sent, n - (size_t)sent);
	}
}

/* --- reading --- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct dial *dial = handle->data;

	(void)suggested;
	if (dial->held_len > 0)
		*buf = uv_buf_init((char *)dial->held + dial->held_len,
				   dial->held_cap - dial->held_len);
	else
		*buf = uv_buf_init((char *)dial->dialer->buffer, DIAL_READ_BYTES);
}

/* Keeps what the session has not taken, with room for what it waits for. The room
 * grows with what has come, not with what the peer has announced. */
static bool hold(struct dial *dial, const uint8_t *data, size_t len)
{
	size_t need = visit_need(&dial->visit), cap = len * 2 < 4096 ? 4096 : len * 2;

	if (cap > need && need > len)
		cap = need;
	if (cap > dial->held_cap) {
		uint8_t *held = malloc(cap);

		if (held == NULL)
			return false;
		memcpy(held, data, len);
		free(dial->held);
		dial->held = held;
		dial->held_cap = (uint32_t)cap;
	} else {
		memmove(dial->held, data, len);
	}
	dial->held_len = (uint32_t)len;
	return true;
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf)
{
	struct dial *dial = stream->data;
	uint64_t now = dialer_now_ms(dial->dialer);
	const uint8_t *data = (const uint8_t *)buf->base;
	size_t len, used;

	if (nread == 0)
		return;
	if (nread < 0) {
		visit_closed(&dial->visit,
			     nread == UV_EOF ? SESSION_CLOSE_EOF : SESSION_CLOSE_RESET, now);
		step(dial);
		return;
	}
	len = (size_t)nread;
	if (dial->held_len > 0) {
		data = dial->held;
		len += dial->held_len;
	}
	used = visit_recv(&dial->visit, slice_of(data, len), now);
	dial->held_len = 0;
	if (dial->visit.state == VISIT_OPEN && used < len && !hold(dial, data + used, len - used))
		visit_cancel(&dial->visit, now);
	step(dial);
}

/* --- connecting --- */

static void on_connect(uv_connect_t *req, int status)
{
	struct dial *dial = req->handle->data;
	uint64_t now = dialer_now_ms(dial->dialer);
	enum outcome why;

	if (status == UV_ECANCELED || dial->visit.state == VISIT_DONE)
		return;
	if (status == 0) {
		visit_connected(&dial->visit, now);
		uv_read_start((uv_stream_t *)&dial->tcp, on_alloc, on_read);
	} else if (dial_outcome(status, &why)) {
		visit_connect_failed(&dial->visit, why, now);
	} else {
		visit_cancel(&dial->visit, now);
	}
	step(dial);
}

static int begin_connect(struct dial *dial)
{
	struct sockaddr_storage sa;
	int err = uv_tcp_init(dial->dialer->loop, &dial->tcp);

	assert(err == 0);
	dial->tcp.data = dial;
	dial_sockaddr(&dial->visit.addr, &sa);
	err = uv_tcp_connect(&dial->connect, &dial->tcp, (struct sockaddr *)&sa, on_connect);
	return err;
}

static void on_closed_to_dial_again(uv_handle_t *handle)
{
	struct dial *dial = handle->data;
	uint64_t now = dialer_now_ms(dial->dialer);
	enum outcome why;
	int err;

	if (dial->closing > 0) { /* cancelled meanwhile */
		on_handle_closed(handle);
		return;
	}
	dial->held_len = 0;
	err = begin_connect(dial);
	if (err != 0) {
		if (dial_outcome(err, &why))
			visit_connect_failed(&dial->visit, why, now);
		else
			visit_cancel(&dial->visit, now);
	}
	step(dial);
}

static void step(struct dial *dial)
{
	switch (dial->visit.state) {
	case VISIT_CONNECTING:
		break;
	case VISIT_OPEN:
		send_pending(dial);
		break;
	case VISIT_RECONNECT:
		if (!dial->dialled_again) {
			dial->dialled_again = true;
			uv_close((uv_handle_t *)&dial->tcp, on_closed_to_dial_again);
		}
		break;
	case VISIT_DONE:
		finish(dial);
		return;
	}
	set_timer(dial);
}

enum err dial_start(struct dialer *d, const struct visit_config *config, const struct netaddr *addr,
		    uint64_t nonce, dial_done_fn *on_done, void *ctx, struct dial **out)
{
	size_t size =
		sizeof(struct dial) - sizeof(struct visit) + visit_size(config->session.network);
	struct dial *dial = malloc(size);
	enum outcome why;
	int err;

	*out = NULL;
	if (dial == NULL)
		return ERR_NOMEM;
	memset(dial, 0, sizeof(*dial));
	dial->dialer = d;
	dial->on_done = on_done;
	dial->ctx = ctx;
	dial->timer_ms = UINT64_MAX;
	visit_init(&dial->visit, config, addr, nonce, dialer_now_ms(d), dialer_unix_ms(d));
	dial->visit.owner = ctx;
	uv_timer_init(d->loop, &dial->timer);
	dial->timer.data = dial;
	err = begin_connect(dial);
	if (err != 0 && !dial_outcome(err, &why)) {
		visit_cancel(&dial->visit, dialer_now_ms(d));
		dial->told = true;
		finish(dial);
		return ERR_IO;
	}
	*out = dial;
	if (err != 0) {
		/* Told from the loop, so that the caller has the dial before on_done. */
		dial->connect_error = err;
		dial->timer_ms = 0;
		uv_timer_start(&dial->timer, on_timer, 0, 0);
		return ERR_OK;
	}
	set_timer(dial);
	return ERR_OK;
}

void dial_cancel(struct dial *dial)
{
	visit_cancel(&dial->visit, dialer_now_ms(dial->dialer));
	step(dial);
}
