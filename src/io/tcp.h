/* tcp.h: TCP connections on a libuv loop, with few system calls.
 *
 * A visit is so short that what surrounds its few packets counts: libuv's own streams take
 * four epoll_ctl and a getsockopt for it. Here a socket enters an epoll set once,
 * edge-triggered, and leaves it with its descriptor; the loop watches that set as one
 * descriptor, which exists while there are connections. A socket that reached nobody, or was
 * dropped, is not closed: the next attempt has it.
 *
 * The caller embeds struct tcp, and keeps it until the loop has turned once after a tcp_close in
 * one of its callbacks. Errors are libuv's (negative). Everything happens on the loop's thread. */
#ifndef PEERWALK_IO_TCP_H
#define PEERWALK_IO_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uv.h>

enum {
	TCP_EVENTS = 256, /* taken from the set at a time */
	/* ... and so often in one turn of the loop (as libuv itself does). */
	TCP_ROUNDS_MAX = 48,
	/* Whole buffers read from one connection before the others have their turn. */
	TCP_READS_MAX = 16,
	/* Sockets that wait for another address: the next attempt takes one, so that more than a
	 * few are never there but at the end, when there is no next. */
	TCP_SPARES_MAX = 16,
};

struct tcp;

/* What the connections of a set have in common. Any of these may close it. */
struct tcp_calls {
	void (*on_connect)(struct tcp *t, int error); /* 0: it stands */
	/* Where the next bytes are to go. */
	uv_buf_t (*room)(struct tcp *t);
	/* n bytes have come there; UV_EOF or an error: no more will. */
	void (*on_read)(struct tcp *t, ssize_t n, const uint8_t *bytes);
	/* All that waited for the socket is sent. May be NULL. */
	void (*on_sent)(struct tcp *t);
};

struct tcp_watch;

struct tcp_set {
	/* After so many bytes of one connection the others have their turn; at first no limit but
	 * TCP_READS_MAX. */
	size_t turn_bytes;
	/* private */
	uv_loop_t *loop;
	const struct tcp_calls *calls;
	struct tcp_watch *watch; /* NULL: no connections */
	unsigned open;
	size_t held; /* by what waits for sockets, all connections together */
};

struct tcp {
	/* private */
	struct tcp_set *set;
	int fd;          /* -1: none */
	uint32_t serial; /* of the connection: a callback may make another */
	int family;      /* AF_UNSPEC: it is not to be used again */
	bool connected, paused;
	int16_t error; /* that a send has met: the socket tells it once */
	uint8_t *late; /* what the socket has not taken */
	size_t late_len, late_cap;
};

void tcp_set_init(struct tcp_set *s, uv_loop_t *loop, const struct tcp_calls *calls);
/* Begins; on_connect says how it went. An error is told at once, and leaves t closed. t is
 * zero, or was closed. `from`, an address of the same family and length: where it goes out;
 * NULL: the system chooses. */
int tcp_connect(struct tcp_set *s, struct tcp *t, const struct sockaddr *to, socklen_t len,
		const struct sockaddr *from);
/* A connection that stands, such as one that was accepted, non-blocking: the descriptor is t's
 * from now on; after an error it is the caller's. */
int tcp_adopt(struct tcp_set *s, struct tcp *t, int fd);
/* Small messages leave at once, also while earlier ones are on their way. */
void tcp_no_delay(struct tcp *t);
/* What the socket doesn't take at once is kept, and sent later. False: there is no memory for it,
 * and whatever else is sent would follow a gap: close it. Of a broken connection on_read tells. */
bool tcp_send(struct tcp *t, const uint8_t *data, size_t len);
/* Bytes that wait for the socket. */
static inline size_t tcp_waiting(const struct tcp *t)
{
	return t->late_len;
}
/* Memory that such bytes take, of all connections of the set. */
static inline size_t tcp_set_held(const struct tcp_set *s)
{
	return s->held;
}
/* Nothing is read any more until tcp_resume, so that the peer can't send on either; but of a
 * broken connection on_read tells. */
static inline void tcp_pause(struct tcp *t)
{
	t->paused = true;
}
void tcp_resume(struct tcp *t);
void tcp_close(struct tcp *t); /* may be closed already */
/* The same at once: what is still on its way, to and fro, is lost, and the peer is told by a reset
 * (RFC 9293, 3.10.5). Nothing waits for a minute here, nor in a translator of addresses on the way.
 */
void tcp_drop(struct tcp *t);

#endif
