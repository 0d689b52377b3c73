#include "io/listen.h"

#include "io/dial.h"
#include "io/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROUND = 4, CALLERS = 10, LOOPBACK = 0x7f000001 };

struct place {
	uv_loop_t loop;
	struct listener *listener;
	int fds[CALLERS];
	unsigned taken, refuse; /* refuse: so many, first */
	struct netaddr from;
};

static bool on_caller(void *ctx, int fd, const struct netaddr *from)
{
	struct place *p = ctx;

	if (p->refuse > 0) {
		p->refuse--;
		return false;
	}
	assert_true(p->taken < CALLERS);
	assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
	p->fds[p->taken++] = fd;
	p->from = *from;
	return true;
}

static void place_open(struct place *p)
{
	const struct listen_config config = { .at = netaddr_ipv4(LOOPBACK, 0),
					      .backlog = CALLERS,
					      .round = ROUND,
					      .on_caller = on_caller,
					      .ctx = p };

	*p = (struct place){ 0 };
	assert_int_equal(uv_loop_init(&p->loop), 0);
	assert_int_equal(listener_open(&p->loop, &config, &p->listener), ERR_OK);
}

static void place_close(struct place *p)
{
	listener_close(p->listener);
	listener_close(p->listener);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&p->loop), 0);
	for (unsigned i = 0; i < p->taken; i++)
		close(p->fds[i]);
}

static int call(const struct place *p)
{
	struct netaddr at = listener_local(p->listener);
	struct sockaddr_storage sa;
	socklen_t len = dial_sockaddr(&at, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, len), 0);
	return fd;
}

/* Whether the other side has closed it, which has come about at the latest. */
static bool is_closed(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&p, 1, 0) == 1 && read(fd, &byte, 1) <= 0;
}

static void callers_come_in_rounds(void **state)
{
	struct place p;
	int fds[CALLERS];

	(void)state;
	place_open(&p);
	p.refuse = 1;
	for (unsigned i = 0; i < CALLERS; i++)
		fds[i] = call(&p);
	uv_run(&p.loop, UV_RUN_NOWAIT);
	assert_int_equal(p.taken, ROUND - 1);
	assert_true(is_closed(fds[0]));
	assert_false(is_closed(fds[1]));
	for (unsigned i = 0; i < CALLERS / ROUND; i++)
		uv_run(&p.loop, UV_RUN_NOWAIT);
	assert_int_equal(p.taken, CALLERS - 1);
	assert_int_equal(p.from.kind, NETADDR_IPV4);
	assert_int_equal(listener_unaccepted(p.listener), 0);
	for (unsigned i = 0; i < CALLERS; i++)
		close(fds[i]);
	place_close(&p);
}

static void without_descriptors_callers_are_turned_away(void **state)
{
	struct rlimit limit, low;
	struct place p;
	int fds[3], later;

	(void)state;
	place_open(&p);
	for (unsigned i = 0; i < 3; i++)
		fds[i] = call(&p);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	/* No number below the limit is free; those of the listener are among them. */
	low.rlim_cur = (rlim_t)fds[2] + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	uv_run(&p.loop, UV_RUN_NOWAIT);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(p.taken, 0);
	assert_int_equal(listener_unaccepted(p.listener), 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(is_closed(fds[i]));
		close(fds[i]);
	}
	/* It goes on after a while. */
	later = call(&p);
	while (p.taken == 0)
		uv_run(&p.loop, UV_RUN_ONCE);
	close(later);
	place_close(&p);
}

static void why_it_can_not_is_said(void **state)
{
	static const struct {
		const char *name, *at, *text;
	} rows[] = {
		{ "taken", NULL, "another program does; choose another port" },
		{ "elsewhere", "192.0.2.1:8333", "no address of this machine" },
	};
	struct place p;

	(void)state;
	place_open(&p);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct listen_config config = { .at = listener_local(p.listener), .round = 1 };
		struct listener *second;
		char why[LISTEN_WHY_MAX];

		if (rows[i].at != NULL)
			assert_int_equal(netaddr_parse(slice_text(rows[i].at), 0, &config.at),
					 ERR_OK);
		assert_int_equal(listener_open(&p.loop, &config, &second), ERR_IO);
		listen_why(&config.at, errno, why);
		if (strstr(why, rows[i].text) == NULL)
			fail_msg("%s: %s", rows[i].name, why);
	}
	place_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(callers_come_in_rounds),
		cmocka_unit_test(without_descriptors_callers_are_turned_away),
		cmocka_unit_test(why_it_can_not_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
