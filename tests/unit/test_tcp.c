#include "io/tcp.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	MANY = 3 * 1000 * 1000, /* more than any socket's buffers */
	ROOM = 4096,
};

/* The other side: accepts one connection, in a thread of its own. */
struct peer {
	int listener;
	struct sockaddr_in at;
	pthread_t thread;
	size_t says, hears; /* bytes; it says them first, and then reads to the end */
	bool resets;
};

static void *peer_run(void *arg)
{
	static const uint8_t zeros[64 * 1024];
	uint8_t buf[ROOM];
	struct peer *p = arg;
	int fd = accept(p->listener, NULL, NULL);
	ssize_t n;

	for (size_t left = p->says; left > 0; left -= (size_t)n) {
		n = write(fd, zeros, left < sizeof(zeros) ? left : sizeof(zeros));
		if (n <= 0)
			break;
	}
	if (p->resets)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 },
			   sizeof(struct linger));
	else
		shutdown(fd, SHUT_WR);
	while (!p->resets && (n = read(fd, buf, sizeof(buf))) > 0)
		p->hears += (size_t)n;
	close(fd);
	return NULL;
}

static void peer_start(struct peer *p)
{
	socklen_t len = sizeof(p->at);

	p->at = (struct sockaddr_in){ .sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&p->at, len), 0);
	assert_int_equal(listen(p->listener, 4), 0);
	assert_int_equal(getsockname(p->listener, (struct sockaddr *)&p->at, &len), 0);
	assert_int_equal(pthread_create(&p->thread, NULL, peer_run, p), 0);
}

/* Our side. */
struct end {
	struct tcp tcp; /* first */
	struct tcp_set set;
	uv_loop_t loop;
	struct sockaddr_in at;
	size_t says, heard;
	int connected, ended;           /* what was told */
	unsigned connects, ends, again; /* again: connects so often once more */
	uint8_t buf[ROOM];
};

static void on_connect(struct tcp *t, int error)
{
	struct end *e = (struct end *)(void *)t;
	uint8_t *bytes = calloc(1, e->says + 1);

	e->connects++;
	e->connected = error;
	if (error == 0)
		tcp_send(t, bytes, e->says);
	else
		tcp_close(t);
	free(bytes);
}

static uv_buf_t room(struct tcp *t)
{
	struct end *e = (struct end *)(void *)t;

	return uv_buf_init((char *)e->buf, sizeof(e->buf));
}

static void on_read(struct tcp *t, ssize_t n, const uint8_t *bytes)
{
	struct end *e = (struct end *)(void *)t;

	assert_ptr_equal(bytes, e->buf);
	if (n > 0) {
		e->heard += (size_t)n;
		return;
	}
	e->ends++;
	e->ended = (int)n;
	/* The end of the reading side: what waits to be sent is sent first. */
	if (tcp_waiting(t) > 0 && n == UV_EOF)
		return;
	tcp_close(t);
	if (e->again > 0) {
		e->again--;
		assert_int_equal(
			tcp_connect(&e->set, t, (struct sockaddr *)&e->at, sizeof(e->at), NULL), 0);
	}
}

static const struct tcp_calls calls = { on_connect, room, on_read, NULL };

static struct end *talk_to(const struct sockaddr_in *at, size_t says, unsigned again)
{
	struct end *e = calloc(1, sizeof(*e));
	int err;

	assert_non_null(e);
	e->at = *at;
	e->says = says;
	e->again = again;
	assert_int_equal(uv_loop_init(&e->loop), 0);
	tcp_set_init(&e->set, &e->loop, &calls);
	err = tcp_connect(&e->set, &e->tcp, (const struct sockaddr *)at, sizeof(*at), NULL);
	if (err != 0)
		e->connected = err; /* Linux knows at once that nobody listens here */
	uv_run(&e->loop, UV_RUN_DEFAULT);
	/* Without connections nothing keeps the loop. */
	assert_int_equal(uv_loop_close(&e->loop), 0);
	return e;
}

static void everything_arrives(void **state)
{
	static const struct {
		const char *name;
		size_t peer_says, we_say;
		bool resets;
		int ended;
	} rows[] = {
		{ "nothing", 0, 0, false, UV_EOF },
		{ "a little", 10, 10, false, UV_EOF },
		{ "exactly a buffer", ROOM, ROOM, false, UV_EOF },
		{ "more than one turn reads", MANY, 0, false, UV_EOF },
		{ "a reset", 0, 0, true, UV_ECONNRESET },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct peer p = { .says = rows[i].peer_says, .resets = rows[i].resets };
		struct end *e;

		peer_start(&p);
		e = talk_to(&p.at, rows[i].we_say, 0);
		pthread_join(p.thread, NULL);
		close(p.listener);
		if (e->heard != rows[i].peer_says || p.hears != rows[i].we_say ||
		    (e->connected == 0 && (e->ended != rows[i].ended || e->ends != 1)))
			fail_msg("%s: heard %zu, said %zu, connected %d, ended %d", rows[i].name,
				 e->heard, p.hears, e->connected, e->ended);
		assert_int_equal(e->connects, 1);
		free(e);
	}
}

/* A peer that reads late gets what the socket didn't take at first. */
static void what_waits_is_sent_later(void **state)
{
	struct peer p = { .says = MANY };
	struct end *e = calloc(1, sizeof(*e));

	(void)state;
	assert_non_null(e);
	peer_start(&p);
	e->says = MANY;
	assert_int_equal(uv_loop_init(&e->loop), 0);
	tcp_set_init(&e->set, &e->loop, &calls);
	assert_int_equal(
		tcp_connect(&e->set, &e->tcp, (struct sockaddr *)&p.at, sizeof(p.at), NULL), 0);
	while (e->ends == 0 || tcp_waiting(&e->tcp) > 0)
		uv_run(&e->loop, UV_RUN_ONCE);
	tcp_close(&e->tcp);
	uv_run(&e->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&e->loop), 0);
	pthread_join(p.thread, NULL);
	close(p.listener);
	assert_int_equal(e->heard, MANY);
	assert_int_equal(p.hears, MANY);
	free(e);
}

static void nobody_listens(void **state)
{
	struct peer p = { 0 };
	struct end *e;

	(void)state;
	peer_start(&p);
	e = talk_to(&p.at, 0, 0);
	pthread_join(p.thread, NULL);
	close(p.listener);
	free(e);
	e = talk_to(&p.at, 0, 0);
	assert_int_equal(e->connected, UV_ECONNREFUSED);
	assert_int_equal(e->ends, 0);
	free(e);
}

/* In the callback that tells of the end: the place is the same, the connection another. */
static void a_connection_may_follow_at_once(void **state)
{
	struct peer p = { .says = 100 };
	pthread_t second;
	struct end *e;

	(void)state;
	peer_start(&p);
	assert_int_equal(pthread_create(&second, NULL, peer_run, &p), 0);
	e = talk_to(&p.at, 0, 1);
	pthread_join(p.thread, NULL);
	pthread_join(second, NULL);
	close(p.listener);
	assert_int_equal(e->connects, 2);
	assert_int_equal(e->ends, 2);
	assert_int_equal(e->heard, 200);
	free(e);
}

/* Ends of socket pairs in one set, as connections that were accepted would be. */
struct pair {
	struct tcp tcp; /* first */
	int other;
	size_t heard,
		others_heard; /* others: what the pair beside it had heard when it heard first */
	int ended;
	unsigned sents;
	const struct pair *beside;
	uint8_t buf[ROOM];
};

static uv_buf_t pair_room(struct tcp *t)
{
	struct pair *p = (struct pair *)(void *)t;

	return uv_buf_init((char *)p->buf, sizeof(p->buf));
}

static void pair_read(struct tcp *t, ssize_t n, const uint8_t *bytes)
{
	struct pair *p = (struct pair *)(void *)t;

	(void)bytes;
	if (n < 0) {
		p->ended = (int)n;
		tcp_close(t);
		return;
	}
	if (p->heard == 0 && p->beside != NULL)
		p->others_heard = p->beside->heard;
	p->heard += (size_t)n;
}

static void pair_sent(struct tcp *t)
{
	struct pair *p = (struct pair *)(void *)t;

	p->sents++;
}

static const struct tcp_calls pair_calls = { NULL, pair_room, pair_read, pair_sent };

static void pair_open(struct tcp_set *set, struct pair *p)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
			 0);
	*p = (struct pair){ .other = fds[1] };
	assert_int_equal(tcp_adopt(set, &p->tcp, fds[0]), 0);
}

/* Says until the socket takes no more, or len bytes. */
static size_t pair_say(struct pair *p, size_t len)
{
	static const uint8_t zeros[ROOM];
	size_t said = 0;

	while (said < len) {
		size_t left = len - said;
		ssize_t n = write(p->other, zeros, left < sizeof(zeros) ? left : sizeof(zeros));

		if (n < 0)
			break;
		said += (size_t)n;
	}
	return said;
}

static void turns(uv_loop_t *loop, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		uv_run(loop, UV_RUN_NOWAIT);
}

static void an_adopted_one_is_heard_unless_paused(void **state)
{
	struct tcp_set set;
	struct pair p;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	tcp_set_init(&set, &loop, &pair_calls);
	pair_open(&set, &p);
	assert_int_equal(pair_say(&p, 100), 100);
	turns(&loop, 3);
	assert_int_equal(p.heard, 100);
	tcp_pause(&p.tcp);
	assert_int_equal(pair_say(&p, 50), 50);
	turns(&loop, 3);
	assert_int_equal(p.heard, 100);
	tcp_resume(&p.tcp);
	turns(&loop, 3);
	assert_int_equal(p.heard, 150);
	tcp_pause(&p.tcp);
	close(p.other);
	turns(&loop, 3);
	assert_int_equal(p.ended, UV_EOF);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* A socket of ours that is bound to a port of loopback. */
static int bound(struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*at);

	*at = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

/* A socket tells once that the peer has reset it: to a send, if that comes first. */
static void a_send_that_meets_a_reset_does_not_hide_it(void **state)
{
	struct sockaddr_in at;
	int listener = bound(&at), other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
	struct pollfd reset;
	struct tcp_set set;
	struct pair p = { 0 };
	uv_loop_t loop;

	(void)state;
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(connect(other, (struct sockaddr *)&at, sizeof(at)), 0);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fd >= 0);
	setsockopt(other, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 },
		   sizeof(struct linger));
	close(other);
	reset = (struct pollfd){ .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&reset, 1, -1), 1);
	assert_int_equal(uv_loop_init(&loop), 0);
	tcp_set_init(&set, &loop, &pair_calls);
	assert_int_equal(tcp_adopt(&set, &p.tcp, fd), 0);
	tcp_send(&p.tcp, (const uint8_t *)"hello", 5);
	turns(&loop, 3);
	assert_int_equal(p.ended, UV_ECONNRESET);
	close(listener);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void whoever_says_much_waits_for_the_others(void **state)
{
	struct tcp_set set;
	struct pair much, little;
	uv_loop_t loop;
	size_t said;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	tcp_set_init(&set, &loop, &pair_calls);
	set.turn_bytes = 2 * ROOM;
	pair_open(&set, &much);
	pair_open(&set, &little);
	little.beside = &much;
	said = pair_say(&much, MANY);
	assert_true(said > 4 * ROOM);
	pair_say(&little, 10);
	turns(&loop, 1);
	assert_int_equal(little.heard, 10);
	assert_int_equal(little.others_heard, 2 * ROOM);
	turns(&loop, (unsigned)(said / ROOM));
	assert_int_equal(much.heard, said);
	close(much.other);
	close(little.other);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void what_waits_is_counted_and_told_when_sent(void **state)
{
	uint8_t *bytes = calloc(1, MANY), buf[ROOM];
	struct tcp_set set;
	struct pair p;
	uv_loop_t loop;
	size_t got = 0;
	ssize_t n;

	(void)state;
	assert_non_null(bytes);
	assert_int_equal(uv_loop_init(&loop), 0);
	tcp_set_init(&set, &loop, &pair_calls);
	pair_open(&set, &p);
	tcp_send(&p.tcp, bytes, MANY);
	assert_true(tcp_waiting(&p.tcp) > 0);
	assert_int_equal(tcp_set_held(&set), tcp_waiting(&p.tcp));
	while (got < MANY && p.ended == 0) {
		while ((n = read(p.other, buf, sizeof(buf))) > 0)
			got += (size_t)n;
		uv_run(&loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(p.sents, 1);
	assert_int_equal(tcp_set_held(&set), 0);
	close(p.other);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	free(bytes);
}

static void a_socket_that_reached_nobody_tries_the_next(void **state)
{
	struct end *e = calloc(1, sizeof(*e)), *beside = calloc(1, sizeof(*beside));
	struct sockaddr_in refuses, at;
	int refusing = bound(&refuses), listener = bound(&at), fds[2], taken[2], fd;

	(void)state;
	assert_true(e != NULL && beside != NULL);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(uv_loop_init(&e->loop), 0);
	tcp_set_init(&e->set, &e->loop, &calls);
	/* One that stays, so that the set does. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
			 0);
	assert_int_equal(tcp_adopt(&e->set, &beside->tcp, fds[0]), 0);
	assert_int_equal(
		tcp_connect(&e->set, &e->tcp, (struct sockaddr *)&refuses, sizeof(refuses), NULL),
		0);
	fd = e->tcp.fd;
	while (e->connects == 0)
		uv_run(&e->loop, UV_RUN_ONCE);
	assert_int_equal(e->connected, UV_ECONNREFUSED);
	/* It takes one that is given up before the loop can tell that it stands, and then another:
	 * of the first nothing is told. */
	for (unsigned i = 0; i < 2; i++) {
		tcp_close(&e->tcp);
		assert_int_equal(
			tcp_connect(&e->set, &e->tcp, (struct sockaddr *)&at, sizeof(at), NULL), 0);
		assert_int_equal(e->tcp.fd, fd);
		taken[i] = accept(listener, NULL, NULL);
		assert_true(taken[i] >= 0);
	}
	turns(&e->loop, 3);
	assert_int_equal(e->connects, 2);
	assert_int_equal(e->connected, 0);
	assert_int_equal(write(taken[1], "ten bytes.", 10), 10);
	close(taken[1]);
	while (e->ends == 0)
		uv_run(&e->loop, UV_RUN_ONCE);
	assert_int_equal(e->ended, UV_EOF);
	assert_int_equal(e->heard, 10);
	close(taken[0]);
	close(fds[1]);
	close(refusing);
	close(listener);
	uv_run(&e->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&e->loop), 0);
	free(beside);
	free(e);
}

/* The peer reads what was sent before, and then of a reset; the next peer has the socket, and
 * nothing that the first one still says. */
static void a_dropped_connection_leaves_its_socket(void **state)
{
	struct end *e = calloc(1, sizeof(*e)), *beside = calloc(1, sizeof(*beside));
	struct sockaddr_in at;
	int listener = bound(&at), fds[2], first, second, fd;
	char told[16];

	(void)state;
	assert_true(e != NULL && beside != NULL);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(uv_loop_init(&e->loop), 0);
	tcp_set_init(&e->set, &e->loop, &calls);
	/* One that stays, so that the set does. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
			 0);
	assert_int_equal(tcp_adopt(&e->set, &beside->tcp, fds[0]), 0);
	assert_int_equal(tcp_connect(&e->set, &e->tcp, (struct sockaddr *)&at, sizeof(at), NULL),
			 0);
	fd = e->tcp.fd;
	first = accept(listener, NULL, NULL);
	assert_true(first >= 0);
	while (e->connects == 0)
		uv_run(&e->loop, UV_RUN_ONCE);
	assert_true(tcp_send(&e->tcp, (const uint8_t *)"farewell", 8));
	assert_int_equal(write(first, "unread", 6), 6);
	tcp_drop(&e->tcp);
	assert_int_equal(tcp_connect(&e->set, &e->tcp, (struct sockaddr *)&at, sizeof(at), NULL),
			 0);
	assert_int_equal(e->tcp.fd, fd);
	assert_int_equal(read(first, told, sizeof(told)), 8);
	assert_int_equal(read(first, told, sizeof(told)), -1);
	assert_int_equal(errno, ECONNRESET);
	second = accept(listener, NULL, NULL);
	assert_true(second >= 0);
	assert_int_equal(write(second, "ten bytes.", 10), 10);
	close(second);
	while (e->ends == 0)
		uv_run(&e->loop, UV_RUN_ONCE);
	assert_int_equal(e->connects, 2);
	assert_int_equal(e->ended, UV_EOF);
	assert_int_equal(e->heard, 10);
	close(first);
	close(fds[1]);
	close(listener);
	uv_run(&e->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&e->loop), 0);
	free(beside);
	free(e);
}

static void it_goes_out_where_it_is_told(void **state)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000009) };
	struct sockaddr_in at, seen;
	socklen_t len = sizeof(at);
	struct end *e = calloc(1, sizeof(*e));
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	(void)state;
	assert_non_null(e);
	at = (struct sockaddr_in){ .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(uv_loop_init(&e->loop), 0);
	tcp_set_init(&e->set, &e->loop, &calls);
	assert_int_equal(tcp_connect(&e->set, &e->tcp, (struct sockaddr *)&at, sizeof(at),
				     (struct sockaddr *)&from),
			 0);
	fd = accept(listener, (struct sockaddr *)&seen, &len);
	assert_true(fd >= 0);
	assert_int_equal(ntohl(seen.sin_addr.s_addr), 0x7f000009);
	close(fd);
	close(listener);
	uv_run(&e->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&e->loop), 0);
	free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_arrives),
		cmocka_unit_test(what_waits_is_sent_later),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(a_connection_may_follow_at_once),
		cmocka_unit_test(an_adopted_one_is_heard_unless_paused),
		cmocka_unit_test(a_send_that_meets_a_reset_does_not_hide_it),
		cmocka_unit_test(whoever_says_much_waits_for_the_others),
		cmocka_unit_test(what_waits_is_counted_and_told_when_sent),
		cmocka_unit_test(a_socket_that_reached_nobody_tries_the_next),
		cmocka_unit_test(a_dropped_connection_leaves_its_socket),
		cmocka_unit_test(it_goes_out_where_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
