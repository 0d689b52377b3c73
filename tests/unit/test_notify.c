/* test_notify.c: what a service manager is told, and that it is told nothing where there is none.
 */
#include "io/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int stop(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

/* A manager at that name. */
static int listen_at(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	memcpy(at.sun_path, name, strlen(name));
	if (*name == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void assert_told(const char *name)
{
	int fd = listen_at(name);
	char got[64] = "";

	assert_true(notify_send("READY=1\nSTATUS=a b"));
	assert_int_equal(recv(fd, got, sizeof(got), 0), 18);
	assert_string_equal(got, "READY=1\nSTATUS=a b");
	close(fd);
}

static void told(void **state)
{
	char folder[] = "/tmp/test_notify.XXXXXX", path[64], abstract[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/notify", folder);
	snprintf(abstract, sizeof(abstract), "@%s", folder);
	assert_told(path);
	assert_told(abstract);
	unlink(path);
	/* It has gone. */
	assert_false(notify_send("READY=1"));
	rmdir(folder);
}

static void nobody(void **state)
{
	static char longest[200];
	const char *const names[] = { "", "/", "relative/path", "/no/such/folder/notify", longest };

	(void)state;
	assert_false(notify_send("READY=1"));
	memset(longest, '/', sizeof(longest) - 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		assert_false(notify_send("READY=1"));
	}
}

static void watchdog(void **state)
{
	char pid[32];

	(void)state;
	assert_int_equal(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(notify_watchdog_ms(), 15000);
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_ms(), 15000);
	setenv("WATCHDOG_PID", "1", 1); /* meant for another process */
	assert_int_equal(notify_watchdog_ms(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(told, stop),
		cmocka_unit_test_teardown(nobody, stop),
		cmocka_unit_test_teardown(watchdog, stop),
	};

	unsetenv("NOTIFY_SOCKET");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
