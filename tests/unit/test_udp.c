/* test_udp.c: a UDP socket on a loop, over loopback; the kernel's refusals are made up. */
#include "io/udp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

enum { SIDES_MAX = 4, LOG_MAX = 8192, GUARD_MS = 5000 };

/* --- the kernel, which may have its troubles --- */

static int refusal;            /* errno of the next sendmmsg; 0: none */
static unsigned refusals_left; /* so many times */
static unsigned refused_calls;

/* In place of the C library's, for all of this program. */
int sendmmsg(int fd, struct mmsghdr *headers, unsigned count, int flags)
{
	if (refusal != 0 && refusals_left > 0) {
		refusals_left--;
		refused_calls++;
		errno = refusal;
		return -1;
	}
	return (int)syscall(SYS_sendmmsg, fd, headers, count, flags);
}

static void refuse(int error, unsigned times)
{
	refusal = error;
	refusals_left = times;
	refused_calls = 0;
}

static bool deaf; /* no memory to read */
static unsigned deaf_calls;

/* Likewise. */
int recvmmsg(int fd, struct mmsghdr *headers, unsigned count, int flags, struct timespec *timeout)
{
	if (deaf) {
		deaf_calls++;
		errno = ENOMEM;
		return -1;
	}
	return (int)syscall(SYS_recvmmsg, fd, headers, count, flags, timeout);
}

/* --- both ends of conversations, on one loop --- */

struct heard {
	struct netaddr from, to;
	size_t len;
	uint32_t number; /* of the first four bytes */
	bool cut;
};

struct side {
	struct udp *udp;
	struct heard log[LOG_MAX];
	unsigned count;
	struct netaddr failed[16];
	enum outcome why[16];
	unsigned failed_count;
	bool answers;         /* from the address that was asked */
	bool closes_on_heard; /* at the first datagram */
	bool closes_on_failed;
};

static uv_loop_t loop;
static uv_timer_t guard;
static struct side *sides[SIDES_MAX];
static unsigned sides_count;

static void close_side(struct side *s)
{
	if (s->udp != NULL)
		udp_close(s->udp);
	s->udp = NULL;
}

static void on_datagram(void *ctx, const struct udp_datagram *d)
{
	struct side *s = ctx;
	struct heard *h = &s->log[s->count];

	assert_non_null(s->udp); /* nothing after it was closed */
	assert_true(s->count++ < LOG_MAX);
	*h = (struct heard){ .from = d->from, .to = d->to, .len = d->bytes.len, .cut = d->cut };
	if (d->bytes.len >= sizeof(h->number))
		memcpy(&h->number, d->bytes.data, sizeof(h->number));
	if (s->answers)
		udp_send(s->udp, &d->from, d->to.kind != NETADDR_NONE ? &d->to : NULL, d->bytes);
	if (s->closes_on_heard)
		close_side(s);
}

static void on_failed(void *ctx, const struct netaddr *to, enum outcome why)
{
	struct side *s = ctx;

	assert_non_null(s->udp);
	assert_true(s->failed_count < 16);
	s->failed[s->failed_count] = *to;
	s->why[s->failed_count++] = why;
	if (s->closes_on_failed)
		close_side(s);
}

static struct netaddr at(const char *text)
{
	struct netaddr a;

	assert_int_equal(netaddr_parse(slice_text(text), 0, &a), ERR_OK);
	return a;
}

static struct side *open_side(const char *local, bool any_address)
{
	struct udp_config config = { .local = at(local),
				     .any_address = any_address,
				     .on_datagram = on_datagram,
				     .on_failed = on_failed };
	struct side *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	config.ctx = s;
	assert_int_equal(udp_open(&loop, &config, &s->udp), ERR_OK);
	sides[sides_count++] = s;
	return s;
}

static void on_guard(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("nothing more comes");
}

static int begin(void **state)
{
	(void)state;
	refuse(0, 0);
	deaf = false;
	deaf_calls = 0;
	sides_count = 0;
	assert_int_equal(uv_loop_init(&loop), 0);
	uv_timer_init(&loop, &guard);
	uv_unref((uv_handle_t *)&guard);
	return 0;
}

/* Whatever the test did, all is closed and nothing is left on the loop. */
static int end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sides_count; i++)
		close_side(sides[i]);
	uv_close((uv_handle_t *)&guard, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	for (unsigned i = 0; i < sides_count; i++)
		free(sides[i]);
	return uv_loop_close(&loop);
}

/* Runs the loop until that many are there. */
static void run_until(const unsigned *count, unsigned wanted)
{
	uv_timer_start(&guard, on_guard, GUARD_MS, 0);
	while (*count < wanted)
		uv_run(&loop, UV_RUN_ONCE);
	uv_timer_stop(&guard);
}

/* What can happen without waiting happens. */
static void run_some(void)
{
	for (unsigned i = 0; i < 8; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
}

static struct netaddr where(const struct side *s)
{
	return udp_local(s->udp);
}

static void say(struct side *s, const struct netaddr *to, uint32_t number)
{
	udp_send(s->udp, to, NULL, slice_of((const uint8_t *)&number, sizeof(number)));
}

static struct udp_counts counts_of(const struct side *s)
{
	struct udp_counts counts;

	udp_counts(s->udp, &counts);
	return counts;
}

static void expect_host(const struct netaddr *addr, const char *text)
{
	struct netaddr wanted = at(text);

	if (!netaddr_same_host(addr, &wanted))
		fail_msg("not %s", text);
}

/* An address of loopback where nobody is: whoever was is gone. */
static struct netaddr nobody(void)
{
	struct side *s = open_side("127.0.0.1", false);
	struct netaddr addr = where(s);

	close_side(s);
	run_some();
	return addr;
}

/* --- sending and hearing --- */

static void many_arrive_in_order(void **state)
{
	enum { MANY = 5 * UDP_BATCH + 7 };
	struct side *a = open_side("127.0.0.1", false), *b = open_side("127.0.0.1", false);
	struct netaddr to = where(b), from = where(a);
	struct udp_counts counts;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		say(a, &to, i);
		/* The kernel's buffer may hold no more than some 90. */
		if (i % UDP_BATCH == UDP_BATCH - 1)
			run_until(&b->count, i + 1);
	}
	run_until(&b->count, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(b->log[i].number, i);
		assert_true(netaddr_equal(&b->log[i].from, &from));
		assert_int_equal(b->log[i].to.kind, NETADDR_NONE);
		assert_false(b->log[i].cut);
	}
	counts = counts_of(a);
	assert_int_equal(counts.datagrams_out, MANY);
	assert_int_equal(counts.bytes_out, MANY * sizeof(uint32_t));
	assert_int_equal(counts.datagrams_in + counts.bytes_in + counts.dropped, 0);
	counts = counts_of(b);
	assert_int_equal(counts.datagrams_in, MANY);
	assert_int_equal(counts.bytes_in, MANY * sizeof(uint32_t));
	assert_int_equal(counts.datagrams_out + counts.bytes_out + counts.dropped, 0);
}

/* Nothing leaves one by one, and a full batch does not wait for the loop. */
static void a_batch_is_one_call(void **state)
{
	struct side *a = open_side("127.0.0.1", false), *b = open_side("127.0.0.1", false);
	struct netaddr to = where(b);

	(void)state;
	for (uint32_t i = 0; i < UDP_BATCH - 1; i++)
		say(a, &to, i);
	assert_int_equal(counts_of(a).datagrams_out, 0);
	say(a, &to, UDP_BATCH - 1);
	assert_int_equal(counts_of(a).datagrams_out, UDP_BATCH);
	say(a, &to, UDP_BATCH);
	assert_int_equal(counts_of(a).datagrams_out, UDP_BATCH);
	run_until(&b->count, UDP_BATCH + 1);
}

static void empty_and_cut(void **state)
{
	static uint8_t bytes[UDP_DATAGRAM_MAX + 100];
	static const struct {
		size_t len;
		bool cut;
	} rows[] = { { 0, false },
		     { 1, false },
		     { UDP_DATAGRAM_MAX, false },
		     { UDP_DATAGRAM_MAX + 1, true },
		     { sizeof(bytes), true } };
	struct side *s = open_side("127.0.0.1", false);
	struct netaddr local = where(s);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(local.port) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	memcpy(&to.sin_addr, local.bytes, 4);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t kept = rows[i].cut ? UDP_DATAGRAM_MAX : rows[i].len;

		assert_int_equal(
			sendto(fd, bytes, rows[i].len, 0, (struct sockaddr *)&to, sizeof(to)),
			rows[i].len);
		run_until(&s->count, i + 1);
		assert_int_equal(s->log[i].len, kept);
		assert_int_equal(s->log[i].cut, rows[i].cut);
	}
	close(fd);
}

static void addresses_of_this_machine(void **state)
{
	static const char *const asked[] = { "127.0.0.2", "127.0.0.3", "127.1.2.3", "127.0.0.2" };
	struct side *all = open_side("0.0.0.0", true), *one = open_side("127.0.0.9", false);

	(void)state;
	all->answers = true;
	for (unsigned i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		struct netaddr to = at(asked[i]);

		to.port = where(all).port;
		say(one, &to, i);
		run_until(&one->count, i + 1);
		assert_true(netaddr_equal(&all->log[i].to, &to));
		expect_host(&all->log[i].from, "127.0.0.9");
		/* The answer comes from the address that was asked. */
		assert_true(netaddr_equal(&one->log[i].from, &to));
		assert_int_equal(one->log[i].number, i);
	}
}

static void ipv6(void **state)
{
	struct udp_config config = { .local = at("[::1]"), .on_datagram = on_datagram };
	struct netaddr to, four = at("127.0.0.1");
	struct side *all, *one;
	struct udp *probe;

	(void)state;
	if (udp_open(&loop, &config, &probe) != ERR_OK)
		skip(); /* a machine without IPv6 */
	udp_close(probe);
	all = open_side("[::]", true);
	one = open_side("[::1]", false);
	all->answers = true;
	to = at("[::1]");
	to.port = where(all).port;
	say(one, &to, 7);
	run_until(&one->count, 1);
	assert_true(netaddr_equal(&all->log[0].to, &to));
	assert_true(netaddr_equal(&one->log[0].from, &to));
	/* IPv4 is another socket's. */
	four.port = to.port;
	say(one, &four, 8);
	assert_int_equal(counts_of(one).dropped, 1);
}

/* --- who can't be reached --- */

static void refused_is_told_and_the_socket_goes_on(void **state)
{
	struct netaddr gone = nobody();
	struct side *a = open_side("127.0.0.1", false), *b = open_side("127.0.0.1", false);
	struct netaddr to = where(b), back = where(a);

	(void)state;
	for (unsigned round = 1; round <= 3; round++) {
		say(a, &gone, 1);
		run_until(&a->failed_count, round);
		assert_true(netaddr_equal(&a->failed[round - 1], &gone));
		assert_int_equal(a->why[round - 1], OUTCOME_REFUSED);
		/* It hears and speaks as before. */
		say(a, &to, 2);
		run_until(&b->count, round);
		say(b, &back, 3);
		run_until(&a->count, round);
	}
	assert_int_equal(counts_of(a).dropped, 0);
	assert_int_equal(a->failed_count, 3);
}

/* Many at once who are not there, and in between those who are. */
static void refusals_hit_nobody_else(void **state)
{
	struct netaddr gone = nobody();
	struct side *a = open_side("127.0.0.1", false), *b = open_side("127.0.0.1", false);
	struct netaddr to = where(b);

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		say(a, &gone, i);
		say(a, &to, i);
	}
	run_until(&b->count, 8);
	run_until(&a->failed_count, 1);
	run_some();
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(b->log[i].number, i);
	for (unsigned i = 0; i < a->failed_count; i++)
		assert_true(netaddr_equal(&a->failed[i], &gone));
	assert_int_equal(counts_of(a).datagrams_out, 16);
	assert_int_equal(counts_of(a).dropped, 0);
}

/* An error that the kernel tells at the next call is about an earlier datagram: whoever is
 * next has nothing to do with it. */
static void an_error_of_before_is_not_the_next_ones(void **state)
{
	static const int errors[] = { ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EPROTO, EMSGSIZE };
	struct side *a = open_side("127.0.0.1", false), *b = open_side("127.0.0.1", false);
	struct netaddr to = where(b);

	(void)state;
	for (unsigned i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		refuse(errors[i], 1);
		say(a, &to, i);
		run_until(&b->count, i + 1);
		assert_int_equal(refused_calls, 1);
		assert_int_equal(a->failed_count, 0);
	}
	assert_int_equal(counts_of(a).dropped, 0);
}

/* What the kernel refuses again and again is the datagram's own fault. */
static void no_way_there(void **state)
{
	struct side *a = open_side("127.0.0.1", false), *b = open_side("127.0.0.1", false);
	/* A socket of loopback can't reach the world; a broadcast needs leave. */
	struct netaddr away = at("255.255.255.255:9"), to = where(b);

	(void)state;
	say(a, &to, 1);
	say(a, &away, 2);
	say(a, &to, 3);
	run_until(&b->count, 2);
	assert_int_equal(b->log[1].number, 3);
	assert_int_equal(a->failed_count, 1);
	assert_true(netaddr_equal(&a->failed[0], &away));
	assert_int_equal(a->why[0], OUTCOME_UNREACHABLE);
	assert_int_equal(counts_of(a).dropped, 1);
	assert_int_equal(counts_of(a).datagrams_out, 2);
}

/* --- a kernel that takes no more --- */

static void what_the_kernel_does_not_take_waits(void **state)
{
	static const int errors[] = { EAGAIN, ENOBUFS, ENOMEM };
	struct side *a = open_side("127.0.0.1", false), *b = open_side("127.0.0.1", false);
	struct netaddr to = where(b);

	(void)state;
	for (unsigned i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		refuse(errors[i], 3);
		say(a, &to, i);
		run_until(&b->count, i + 1);
		assert_int_equal(refused_calls, 3);
		assert_int_equal(b->log[i].number, i);
	}
	assert_int_equal(counts_of(a).dropped, 0);
	assert_int_equal(a->failed_count, 0);
}

static void a_full_queue_drops_and_counts(void **state)
{
	enum { MANY = UDP_QUEUE_MAX + 100 };
	struct side *a = open_side("127.0.0.1", false), *b = open_side("127.0.0.1", false);
	struct netaddr to = where(b);

	(void)state;
	refuse(EAGAIN, UINT32_MAX);
	for (uint32_t i = 0; i < MANY; i++)
		say(a, &to, i);
	assert_int_equal(counts_of(a).dropped, MANY - UDP_QUEUE_MAX);
	assert_int_equal(counts_of(a).datagrams_out, 0);
	/* Not a call for each. */
	assert_in_range(refused_calls, 1, UDP_QUEUE_MAX / UDP_BATCH + 2);
	refuse(0, 0);
	/* Those that waited go first and in order; b's kernel may have room for few. */
	run_until(&b->count, 1);
	run_some();
	assert_int_equal(b->log[0].number, 0);
	for (unsigned i = 1; i < b->count; i++)
		assert_true(b->log[i].number > b->log[i - 1].number);
	assert_int_equal(counts_of(a).datagrams_out, UDP_QUEUE_MAX);
	/* There is room again. */
	run_some();
	b->count = 0;
	say(a, &to, 5);
	run_until(&b->count, 1);
	assert_int_equal(counts_of(a).dropped, MANY - UDP_QUEUE_MAX);
}

enum { A_WHILE_MS = 60, TRIES_MAX = A_WHILE_MS / 5 + 2 /* a rest is 5 ms */ };

static void on_while(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void run_a_while(void)
{
	uv_timer_t timer;

	uv_timer_init(&loop, &timer);
	uv_timer_start(&timer, on_while, A_WHILE_MS, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&timer, NULL);
	run_some();
}

/* Where the system has no memory a socket is ready all the same, and asking is of no use. */
static void without_memory_it_rests(void **state)
{
	static const int errors[] = { ENOBUFS, ENOMEM };
	struct side *a = open_side("127.0.0.1", false), *b = open_side("127.0.0.1", false);
	struct netaddr to = where(b);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		refuse(errors[i], UINT32_MAX);
		say(a, &to, i);
		run_a_while();
		assert_in_range(refused_calls, 2, TRIES_MAX);
		refuse(0, 0);
		run_until(&b->count, i + 1);
	}
	deaf = true;
	say(a, &to, 2);
	run_a_while();
	assert_in_range(deaf_calls, 2, TRIES_MAX);
	deaf = false;
	run_until(&b->count, 3);
	assert_int_equal(b->log[2].number, 2);
}

static void closed_while_it_rests(void **state)
{
	struct side *a = open_side("127.0.0.1", false), *b = open_side("127.0.0.1", false);
	struct netaddr to = where(b);

	(void)state;
	refuse(ENOBUFS, UINT32_MAX);
	say(a, &to, 1);
	run_some();
	assert_int_equal(refused_calls, 1);
	close_side(a);
	run_a_while();
	assert_int_equal(refused_calls, 2); /* the last try, at the end */
	assert_int_equal(b->count, 0);
}

/* --- closing --- */

static void closed_by_what_it_hears(void **state)
{
	struct side *a = open_side("127.0.0.1", false), *b = open_side("127.0.0.1", false);
	struct netaddr to = where(b);

	(void)state;
	b->closes_on_heard = true;
	b->answers = true; /* the answer still goes out */
	for (unsigned i = 0; i < 10; i++)
		say(a, &to, i);
	run_until(&b->count, 1);
	run_until(&a->count, 1);
	run_some();
	assert_int_equal(b->count, 1);
	assert_null(b->udp);
}

static void closed_by_a_refusal(void **state)
{
	static const struct {
		const char *name;
		bool by_kernel; /* at once; or later, by ICMP */
	} rows[] = { { "by ICMP", false }, { "by the kernel", true } };
	struct netaddr gone = nobody(), away = at("255.255.255.255:9");

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct side *a = open_side("127.0.0.1", false);

		a->closes_on_failed = true;
		for (unsigned n = 0; n < 10; n++)
			say(a, rows[i].by_kernel ? &away : &gone, n);
		run_until(&a->failed_count, 1);
		run_some();
		if (a->failed_count != 1 || a->udp != NULL)
			fail_msg("%s", rows[i].name);
	}
}

static void what_waits_is_sent_before_the_end(void **state)
{
	struct side *a = open_side("127.0.0.1", false), *b = open_side("127.0.0.1", false);
	struct netaddr to = where(b);

	(void)state;
	say(a, &to, 1);
	say(a, &to, 2);
	close_side(a);
	run_until(&b->count, 2);
}

/* --- opening --- */

static void what_cannot_be_opened(void **state)
{
	struct side *a = open_side("127.0.0.1", false);
	struct udp_config config = { .local = where(a), .on_datagram = on_datagram };
	struct udp *udp;

	(void)state;
	assert_int_equal(udp_open(&loop, &config, &udp), ERR_IO);
	assert_int_equal(errno, EADDRINUSE);
	assert_null(udp);
	config.local = at("127.0.0.1");
	config.device = "no-such-device";
	assert_int_equal(udp_open(&loop, &config, &udp), ERR_IO);
	assert_true(errno == ENODEV || errno == EPERM);
	config.device = NULL;
	config.local = at("192.0.2.77"); /* nobody's (RFC 5737) */
	assert_int_equal(udp_open(&loop, &config, &udp), ERR_IO);
	assert_int_equal(errno, EADDRNOTAVAIL);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		ROW(many_arrive_in_order),
		ROW(a_batch_is_one_call),
		ROW(empty_and_cut),
		ROW(addresses_of_this_machine),
		ROW(ipv6),
		ROW(refused_is_told_and_the_socket_goes_on),
		ROW(refusals_hit_nobody_else),
		ROW(an_error_of_before_is_not_the_next_ones),
		ROW(no_way_there),
		ROW(what_the_kernel_does_not_take_waits),
		ROW(a_full_queue_drops_and_counts),
		ROW(without_memory_it_rests),
		ROW(closed_while_it_rests),
		ROW(closed_by_what_it_hears),
		ROW(closed_by_a_refusal),
		ROW(what_waits_is_sent_before_the_end),
		ROW(what_cannot_be_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
