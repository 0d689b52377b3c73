/* test_resolve.c: names against a resolver of the test's own, in a network namespace of
 * its own: one that answers, one that says there is no such name, one that is dead. */
#include "io/resolve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DNS_HEADER = 12, DNS_PORT = 53, ADDRESSES = 3 };

static bool private_network; /* else there is nowhere to send a question to */

/* --- a name server: RFC 1035, as far as this test needs it --- */

/* The answer to the question in `msg`; 0: none, ever. */
static size_t dns_answer(uint8_t *msg, size_t len, size_t cap)
{
	static const uint8_t record[12] = { 0xc0, DNS_HEADER, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4 };
	size_t name = DNS_HEADER, end = name;

	while (end < len && msg[end] != 0)
		end += msg[end] + 1U;
	end += 5; /* the root's zero, type, class */
	if (end > len || memcmp(msg + name, "\4dead", 5) == 0)
		return 0;
	msg[2] = 0x81; /* an answer, recursion desired */
	msg[3] = 0x80; /* recursion available, no error */
	memset(msg + 6, 0, 6);
	if (memcmp(msg + name, "\4live", 5) != 0) {
		msg[3] |= 3; /* no such name */
		return end;
	}
	if (msg[end - 3] != 1) /* not an A question: a name without such records */
		return end;
	msg[7] = ADDRESSES;
	for (uint8_t i = 0; i < ADDRESSES && end + sizeof(record) + 4 <= cap; i++) {
		memcpy(msg + end, record, sizeof(record));
		memcpy(msg + end + sizeof(record), (uint8_t[]){ 192, 0, 2, i }, 4);
		end += sizeof(record) + 4;
	}
	return end;
}

static void *serve_names(void *arg)
{
	int fd = *(int *)arg;
	struct sockaddr_in from;
	uint8_t msg[512];

	for (;;) {
		socklen_t from_len = sizeof(from);
		ssize_t n = recvfrom(fd, msg, sizeof(msg), 0, (struct sockaddr *)&from, &from_len);
		size_t len;

		if (n < DNS_HEADER)
			return NULL; /* shut down */
		len = dns_answer(msg, (size_t)n, sizeof(msg));
		if (len > 0)
			sendto(fd, msg, len, 0, (struct sockaddr *)&from, from_len);
	}
}

/* --- the private network --- */

static bool loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;

	if (fd >= 0)
		close(fd);
	return up;
}

static bool own_resolver(void)
{
	char path[] = "/tmp/test-resolve-XXXXXX";
	static const char text[] = "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n";
	int fd = mkstemp(path);
	bool ok = fd >= 0 && write(fd, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1 &&
		  mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		  mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0;

	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
	return ok;
}

static bool enter_private_network(void)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) != 0)
		return false;
	return loopback_up() && own_resolver();
}

/* --- tests --- */

struct answers {
	struct resolve *resolve;
	unsigned live, none, dead;
	size_t count, left;
};

static void on_answer(void *ctx, const struct resolve_answer *answer)
{
	struct answers *a = ctx;

	a->left = answer->left;
	if (strcmp(answer->name, "live.test") == 0) {
		a->live++;
		a->count = answer->count;
		assert_null(answer->error);
		for (size_t i = 0; i < answer->count; i++) {
			assert_int_equal(answer->addrs[i].kind, NETADDR_IPV4);
			assert_int_equal(answer->addrs[i].port, 8333);
			assert_int_equal(answer->addrs[i].bytes[0], 192);
		}
	} else if (strcmp(answer->name, "none.test") == 0) {
		a->none++;
		assert_non_null(answer->error);
		assert_int_equal(answer->count, 0);
	} else {
		a->dead++;
	}
	if (a->live + a->none == 2)
		resolve_stop(a->resolve);
}

/* The dead one would take 30 s; those beside it don't notice, and resolve_stop leaves
 * its thread behind. */
static void a_dead_name_costs_nothing(void **state)
{
	static const struct resolve_name names[] = { { "dead.test", 1 },
						     { "live.test", 8333 },
						     { "none.test", 2 } };
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(DNS_PORT),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct answers answers = { 0 };
	uint64_t start = uv_hrtime();
	pthread_t thread;
	uv_loop_t loop;
	int fd;

	(void)state;
	if (!private_network)
		skip();
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve_names, &fd), 0);
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(resolve_start(&loop, names, 3, on_answer, &answers, &answers.resolve),
			 ERR_OK);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(answers.live, 1);
	assert_int_equal(answers.none, 1);
	assert_int_equal(answers.dead, 0);
	assert_int_equal(answers.count, ADDRESSES);
	assert_int_equal(answers.left, 1);
	/* Not a timing of ours: a third of what the dead one takes. */
	assert_true(uv_hrtime() - start < 10ULL * 1000 * 1000 * 1000);
	shutdown(fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(fd);
}

static void too_many_names_are_refused(void **state)
{
	struct resolve_name names[RESOLVE_NAMES_MAX + 1];
	struct resolve *resolve;
	uv_loop_t loop;

	(void)state;
	for (size_t i = 0; i <= RESOLVE_NAMES_MAX; i++)
		names[i] = (struct resolve_name){ "x.test", 1 };
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(
		resolve_start(&loop, names, RESOLVE_NAMES_MAX + 1, on_answer, NULL, &resolve),
		ERR_LIMIT);
	assert_null(resolve);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dead_name_costs_nothing),
		cmocka_unit_test(too_many_names_are_refused),
	};

	private_network = enter_private_network();
	if (!private_network)
		printf("no network namespace of our own (%s): names are not looked up\n",
		       strerror(errno));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
