#include "io/dial.h"
#include "base/unset.h"
#include "io/wall.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct dial {
	struct tcp tcp;     /* first: its callbacks have no other way to the dial */
	struct alarm alarm; /* the visit's deadline; once that is over, the end of the dial */
	struct dialer *dialer;
	dial_done_fn *on_done;
	void *ctx;
	uint64_t alarm_ms; /* for when the alarm is set; UINT64_MAX: it isn't */
	struct held held;  /* an unfinished message */
	bool told;         /* on_done was called */
	bool over;         /* the alarm takes the dial with it: the next, or the one that rings */
	bool ringing;
	bool dialled_again;
	bool failed_here;   /* this machine's fault, not the peer's */
	bool granted;       /* an alarm rang late, and the peer got its grace */
	int connect_error;  /* of the attempt to connect, to be told from the loop */
	struct visit visit; /* last: its session follows it */
};

static void on_alarm(struct alarm *alarm);
static void on_connect(struct tcp *tcp, int error);
static uv_buf_t room(struct tcp *tcp);
static void on_read(struct tcp *tcp, ssize_t nread, const uint8_t *data);

static const struct tcp_calls calls = { .on_connect = on_connect,
					.room = room,
					.on_read = on_read };

void dialer_init(struct dialer *d, uv_loop_t *loop)
{
	d->loop = loop;
	d->held_bytes = 0;
	tcp_set_init(&d->connections, loop, &calls);
	alarms_init(&d->alarms, loop, on_alarm);
	uv_update_time(loop);
	d->wall_minus_loop_ms = wall_ms() - (int64_t)uv_now(loop);
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
	case UV_ENOSPC:        /* the system watches no more descriptors for this user */
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

bool dial_failed_here(const struct dial *dial)
{
	return dial->failed_here;
}

/* --- after every step: send, set the alarm, close --- */

static void step(struct dial *dial);

static void tell_done(struct dial *dial)
{
	struct record record;

	if (dial->told)
		return;
	dial->told = true;
	visit_record(&dial->visit, dialer_now_ms(dial->dialer), &record);
	dial->on_done(dial->ctx, dial, &record);
}

static void set_alarm(struct dial *dial, uint64_t at_ms)
{
	dial->alarm_ms = at_ms;
	alarm_set(&dial->dialer->alarms, &dial->alarm, at_ms);
}

static struct dial *dial_of_alarm(struct alarm *alarm)
{
	return (struct dial *)(void *)((char *)alarm - offsetof(struct dial, alarm));
}

static void wake(struct dial *dial)
{
	uint64_t now = dialer_now_ms(dial->dialer);
	enum outcome why;

	if (dial->connect_error != 0) {
		dial_outcome(dial->connect_error, &why);
		visit_connect_failed(&dial->visit, why, now);
	} else if (!dial->granted && now > dial->alarm_ms + DIAL_LATE_MS) {
		/* This process was held up (a slow disk, SIGSTOP): what the peer has done
		 * meanwhile is heard before its time is called, once. libuv runs timers
		 * first; until the next alarm the sockets have their turn. */
		dial->granted = true;
		set_alarm(dial, now);
		return;
	}
	dial->granted = false;
	dial->alarm_ms = UINT64_MAX;
	visit_tick(&dial->visit, now);
	step(dial);
}

/* Most visits end here, and no event can name theirs any more: the next one has its memory while
 * that is warm. */
static void on_alarm(struct alarm *alarm)
{
	struct dial *dial = dial_of_alarm(alarm);

	if (!dial->over) {
		dial->ringing = true;
		wake(dial);
		dial->ringing = false;
	}
	if (dial->over)
		free(dial);
}

static void await_deadline(struct dial *dial)
{
	uint64_t at = visit_deadline(&dial->visit);

	/* An alarm that rings early only looks and is set anew: no need to move it back. */
	if (at < dial->alarm_ms)
		set_alarm(dial, at);
}

static void hang_up(struct dial *dial)
{
	if (dial->visit.config->session.network->proto->ends_by_reset)
		tcp_drop(&dial->tcp);
	else
		tcp_close(&dial->tcp);
}

static void finish(struct dial *dial)
{
	tell_done(dial);
	if (dial->over)
		return;
	dial->over = true;
	held_clear(&dial->held, &dial->dialer->held_bytes);
	hang_up(dial);
	visit_clear(&dial->visit);
	/* Whoever has called this may still look at it. */
	if (!dial->ringing)
		set_alarm(dial, dialer_now_ms(dial->dialer));
}

static void fail_here(struct dial *dial)
{
	dial->failed_here = true;
	visit_cancel(&dial->visit, dialer_now_ms(dial->dialer));
}

static void send_pending(struct dial *dial)
{
	UNSET uint8_t out[VISIT_SEND_MIN];
	size_t n;

	while (!dial->failed_here && tcp_waiting(&dial->tcp) < DIAL_QUEUE_MAX &&
	       (n = visit_send(&dial->visit, out, sizeof(out))) > 0) {
		if (!tcp_send(&dial->tcp, out, n))
			fail_here(dial);
	}
}

/* --- reading --- */

static struct dial *dial_of(struct tcp *tcp)
{
	return (struct dial *)(void *)tcp;
}

static uv_buf_t room(struct tcp *tcp)
{
	struct dial *dial = dial_of(tcp);

	return held_room(&dial->held, dial->dialer->buffer, DIAL_READ_BYTES);
}

/* Keeps what the session has not taken, with room for what it waits for. All dials together
 * have DIAL_HELD_MAX beyond the DIAL_HELD_FREE that each may have. */
static bool hold(struct dial *dial, const uint8_t *data, size_t len)
{
	struct dialer *d = dial->dialer;
	size_t cap = held_cap(&dial->held, len, visit_need(&dial->visit));

	if (cap > dial->held.cap && cap > DIAL_HELD_FREE &&
	    d->held_bytes - dial->held.cap + cap > DIAL_HELD_MAX)
		return false;
	return held_keep(&dial->held, data, len, cap, &d->held_bytes);
}

/* A message at a time: the answer to one is sent before the next is heard. */
static size_t hear(struct dial *dial, struct slice in, uint64_t now)
{
	size_t used = 0, n;

	while ((n = visit_recv(&dial->visit, slice_from(in, used), now)) > 0) {
		used += n;
		send_pending(dial);
	}
	return used;
}

/* The end of the connection; or this machine can't read it on, which is nothing of the peer's. */
static void read_failed(struct dial *dial, int error, uint64_t now)
{
	enum outcome why;

	if (error != UV_EOF && !dial_outcome(error, &why)) {
		fail_here(dial);
		return;
	}
	visit_closed(&dial->visit, error == UV_EOF ? SESSION_CLOSE_EOF : SESSION_CLOSE_RESET, now);
}

static void on_read(struct tcp *tcp, ssize_t nread, const uint8_t *data)
{
	struct dial *dial = dial_of(tcp);
	uint64_t now = dialer_now_ms(dial->dialer);
	size_t len, used;

	if (nread < 0) {
		read_failed(dial, (int)nread, now);
		step(dial);
		return;
	}
	len = (size_t)nread;
	if (dial->held.len > 0) {
		data = dial->held.bytes;
		len += dial->held.len;
	}
	used = hear(dial, slice_of(data, len), now);
	dial->held.len = 0;
	if (dial->visit.state == VISIT_OPEN && used < len && !hold(dial, data + used, len - used))
		visit_cancel(&dial->visit, now);
	if (dial->held.len == 0 && dial->held.cap > DIAL_HELD_FREE)
		held_clear(&dial->held, &dial->dialer->held_bytes);
	step(dial);
}

/* --- connecting --- */

static void connect_failed(struct dial *dial, int error)
{
	uint64_t now = dialer_now_ms(dial->dialer);
	enum outcome why;

	if (dial_outcome(error, &why)) {
		visit_connect_failed(&dial->visit, why, now);
	} else {
		fail_here(dial);
	}
}

static bool is_v6(const struct dial *dial)
{
	return dial->visit.addr.kind != NETADDR_IPV4;
}

static void on_connect(struct tcp *tcp, int error)
{
	struct dial *dial = dial_of(tcp);

	if (error == 0) {
		dial->dialer->has_reached[is_v6(dial)] = true;
		visit_connected(&dial->visit, dialer_now_ms(dial->dialer));
	} else {
		connect_failed(dial, error);
	}
	step(dial);
}

/* Whether this machine has an address from which that one can be reached. A datagram
 * socket takes no port that others want, and connecting it sends nothing. */
static bool has_source(const struct sockaddr_storage *sa, socklen_t len)
{
	int fd = socket(sa->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return errno != EAFNOSUPPORT;
	err = connect(fd, (const struct sockaddr *)sa, len) == 0 ? 0 : errno;
	close(fd);
	return err != EADDRNOTAVAIL;
}

int dial_connect(struct tcp_set *set, struct tcp *tcp, const struct netaddr *to,
		 const struct netaddr *from)
{
	struct sockaddr_storage sa, source;
	socklen_t len = dial_sockaddr(to, &sa);
	int err;

	if (from != NULL)
		dial_sockaddr(from, &source);
	err = tcp_connect(set, tcp, (struct sockaddr *)&sa, len,
			  from != NULL ? (struct sockaddr *)&source : NULL);
	/* Linux says the same where no port is free (which passes) and where it has no
	 * address of that family (IPv6 is switched off), which stays so. */
	return err == UV_EADDRNOTAVAIL && !has_source(&sa, len) ? UV_ENETUNREACH : err;
}

static int begin_connect(struct dial *dial)
{
	int err = dial_connect(&dial->dialer->connections, &dial->tcp, &dial->visit.addr, NULL);

	/* Where others of that family were reached, this machine has lost its way to all of them:
	 * like a lack of ports that passes. */
	if ((err == UV_ENETUNREACH || err == UV_ENETDOWN) && dial->dialer->has_reached[is_v6(dial)])
		return UV_EADDRNOTAVAIL;
	return err;
}

static void dial_again(struct dial *dial)
{
	int err;

	dial->dialled_again = true;
	dial->held.len = 0;
	hang_up(dial);
	err = begin_connect(dial);
	if (err != 0)
		connect_failed(dial, err);
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
		if (!dial->dialled_again)
			dial_again(dial);
		break;
	case VISIT_DONE:
		send_pending(dial); /* last words */
		break;
	}
	if (dial->visit.state == VISIT_DONE)
		finish(dial);
	else
		await_deadline(dial);
}

enum err dial_start(struct dialer *d, const struct visit_config *config, const struct netaddr *addr,
		    const struct patience_wait *wait, uint64_t nonce, dial_done_fn *on_done,
		    void *ctx, struct dial **out)
{
	size_t size =
		sizeof(struct dial) - sizeof(struct visit) + visit_size(config->session.network);
	struct dial *dial = malloc(size);
	enum outcome why;
	int err;

	*out = NULL;
	if (dial == NULL)
		return ERR_NOMEM;
	*dial = (struct dial){
		.dialer = d, .on_done = on_done, .ctx = ctx, .alarm_ms = UINT64_MAX
	};
	visit_init(&dial->visit, config, addr, wait, nonce, dialer_now_ms(d), dialer_unix_ms(d));
	dial->visit.owner = ctx;
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
		set_alarm(dial, dialer_now_ms(d));
		return ERR_OK;
	}
	await_deadline(dial);
	return ERR_OK;
}

void dial_cancel(struct dial *dial)
{
	visit_cancel(&dial->visit, dialer_now_ms(dial->dialer));
	step(dial);
}
