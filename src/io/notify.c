#include "io/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { READY_TRIES = 40 };

bool notify_send(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t len = path != NULL ? strlen(path) : 0;
	ssize_t sent;
	int fd;

	if (len < 2 || len >= sizeof(at.sun_path) || (path[0] != '/' && path[0] != '@'))
		return false;
	memcpy(at.sun_path, path, len);
	if (path[0] == '@')
		at.sun_path[0] = '\0'; /* of Linux' abstract names */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	sent = sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&at,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
	return sent == (ssize_t)strlen(text);
}

bool notify_ready(void)
{
	static const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };

	for (unsigned i = 0; i < READY_TRIES && getenv("NOTIFY_SOCKET") != NULL; i++) {
		if (notify_send("READY=1"))
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

uint64_t notify_watchdog_ms(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");

	if (us == NULL || (pid != NULL && strtoimax(pid, NULL, 10) != getpid()))
		return 0;
	return strtoumax(us, NULL, 10) / 2000;
}
