/* shim.c: stands between a program and the C library (LD_PRELOAD), and fails the calls that it is
 * told to (shim.h). What the library calls by itself does not come by here. */
/* Its forms of read and pread would be definitions of the same name. */
#undef _FORTIFY_SOURCE
#include "faults/shim.h"

#include "faults/failing.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))

static const char *const names[] = {
#define FAULT_NAME(name) #name,
	FAULT_CALLS(FAULT_NAME)
#undef FAULT_NAME
};

static struct fault_report nobody_asks, *report = &nobody_asks;
static int chosen = -1, how;
static unsigned long at, every;
static bool begun; /* main runs: what the loader does before is none of the program's */

/* The next one of that name: the C library's. */
static void *next(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (f == NULL)
		abort();
	return f;
}

#define NEXT(name)                     \
	static __typeof__(name) *real; \
	if (real == NULL)              \
	real = (__typeof__(name) *)next(#name)

static bool is_its_turn(unsigned long number)
{
	if (number < at)
		return false;
	return number == at || (every > 0 && (number - at) % every == 0);
}

static bool hit(enum fault_call call)
{
	unsigned long number;

	if (!begun)
		return false;
	number = ++report->calls[call];
	if ((int)call != chosen || !is_its_turn(number))
		return false;
	report->failed++;
	return true;
}

/* Whether the call is refused; *len: if it is to do only a part, as much as that. */
static bool refused(enum fault_call call, size_t *len)
{
	if (!hit(call))
		return false;
	if (how == 0 && len != NULL && *len > 1) {
		*len = *len / 2;
		return false;
	}
	errno = how;
	return how != 0;
}

/* What a descriptor of that kind never says is not said of it: an eventfd that can't be written,
 * say, is none of this world, and libuv takes it for that. */
static bool says_such(int fd, bool writes)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	if (S_ISREG(st.st_mode))
		return how != ECONNRESET && how != ENOMEM && how != EPIPE;
	return S_ISSOCK(st.st_mode) && how != EIO && how != ENOSPC && (!writes || how != ENOMEM);
}

/* libuv ends the process where its own set refuses a descriptor: nothing can be done about it.
 * Whatever is taken out of a set, is. */
static bool is_of_libuv(const void *caller)
{
	Dl_info info;

	return dladdr(caller, &info) != 0 && info.dli_fname != NULL &&
	       strstr(info.dli_fname, "libuv") != NULL;
}

/* --- what begins and ends it --- */

static unsigned long number_of(const char *name)
{
	const char *text = getenv(name);

	return text != NULL ? strtoul(text, NULL, 10) : 0;
}

static void map_report(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *map;

	if (fd < 0)
		abort();
	map = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		abort();
	report = map;
}

static void read_orders(void)
{
	const char *call = getenv("FAULT_CALL"), *path = getenv("FAULT_REPORT");

	for (int i = 0; call != NULL && i < FAULT_CALL_COUNT; i++) {
		if (strcmp(call, names[i]) == 0)
			chosen = i;
	}
	how = (int)number_of("FAULT_ERRNO");
	at = number_of("FAULT_AT");
	every = number_of("FAULT_EVERY");
	if (path != NULL)
		map_report(path);
	unsetenv("LD_PRELOAD"); /* not for what it starts itself */
}

static int (*real_main)(int, char **, char **);

static void note_allocations(void)
{
	unsigned long failed, asked = failing_disarm(&failed);

	report->calls[FAULT_malloc] = asked;
	if (chosen == FAULT_malloc)
		report->failed = failed;
}

static int begin(int argc, char **argv, char **envp)
{
	atexit(note_allocations);
	failing_tell(getenv("FAULT_TELL") != NULL);
	failing_arm(chosen == FAULT_malloc ? at : (unsigned long)-1,
		    every == 1 ? FAIL_ON : FAIL_ONCE);
	begun = true;
	return real_main(argc, argv, envp);
}

/* Where the C library begins; it has no header. */
int __libc_start_main(int (*start)(int, char **, char **), int argc, char **argv,
		      void (*init)(void), void (*fini)(void), void (*rtld)(void), void *stack);

SHOWN int __libc_start_main(int (*start)(int, char **, char **), int argc, char **argv,
			    void (*init)(void), void (*fini)(void), void (*rtld)(void), void *stack)
{
	int (*real)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void),
		    void (*)(void), void *) = next("__libc_start_main");

	read_orders();
	real_main = start;
	return real(begin, argc, argv, init, fini, rtld, stack);
}

/* --- what can't bear it --- */

/* libseccomp crashes where an allocation fails, which is said in src/cli/confine_calls.c: before it
 * begins, the program sees that there is memory for all of it. It has no fault of ours to show. */
void *seccomp_init(unsigned action);
int seccomp_attr_set(void *filter, int attribute, unsigned value);
int seccomp_rule_add_array(void *filter, unsigned action, int call, unsigned count,
			   const void *rules);
int seccomp_load(const void *filter);

#define LEFT_ALONE(type, ...)                \
	do {                                 \
		type result_;                \
		failing_exempt(true);        \
		result_ = real(__VA_ARGS__); \
		failing_exempt(false);       \
		return result_;              \
	} while (0)

SHOWN void *seccomp_init(unsigned action)
{
	NEXT(seccomp_init);
	LEFT_ALONE(void *, action);
}

SHOWN int seccomp_attr_set(void *filter, int attribute, unsigned value)
{
	NEXT(seccomp_attr_set);
	LEFT_ALONE(int, filter, attribute, value);
}

SHOWN int seccomp_rule_add_array(void *filter, unsigned action, int call, unsigned count,
				 const void *rules)
{
	NEXT(seccomp_rule_add_array);
	LEFT_ALONE(int, filter, action, call, count, rules);
}

SHOWN int seccomp_load(const void *filter)
{
	NEXT(seccomp_load);
	LEFT_ALONE(int, filter);
}

/* --- sockets --- */

SHOWN int socket(int domain, int type, int protocol)
{
	NEXT(socket);
	return refused(FAULT_socket, NULL) ? -1 : real(domain, type, protocol);
}

SHOWN int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	NEXT(bind);
	return refused(FAULT_bind, NULL) ? -1 : real(fd, addr, len);
}

SHOWN int listen(int fd, int backlog)
{
	NEXT(listen);
	return refused(FAULT_listen, NULL) ? -1 : real(fd, backlog);
}

SHOWN int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	NEXT(accept4);
	return refused(FAULT_accept4, NULL) ? -1 : real(fd, addr, len, flags);
}

SHOWN int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	NEXT(connect);
	return refused(FAULT_connect, NULL) ? -1 : real(fd, addr, len);
}

SHOWN ssize_t send(int fd, const void *data, size_t len, int flags)
{
	NEXT(send);
	return refused(FAULT_send, &len) ? -1 : real(fd, data, len, flags);
}

SHOWN ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
		     socklen_t to_len)
{
	NEXT(sendto);
	return refused(FAULT_sendto, NULL) ? -1 : real(fd, data, len, flags, to, to_len);
}

SHOWN ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	NEXT(sendmsg);
	return refused(FAULT_sendmsg, NULL) ? -1 : real(fd, message, flags);
}

SHOWN int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	size_t len = count;

	NEXT(sendmmsg);
	return refused(FAULT_sendmmsg, &len) ? -1 : real(fd, messages, (unsigned)len, flags);
}

SHOWN ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	NEXT(recvmsg);
	return refused(FAULT_recvmsg, NULL) ? -1 : real(fd, message, flags);
}

SHOWN int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
		   struct timespec *timeout)
{
	size_t len = count;

	NEXT(recvmmsg);
	return refused(FAULT_recvmmsg, &len) ? -1
					     : real(fd, messages, (unsigned)len, flags, timeout);
}

SHOWN int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	NEXT(getsockopt);
	return refused(FAULT_getsockopt, NULL) ? -1 : real(fd, level, name, value, len);
}

SHOWN int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	NEXT(setsockopt);
	return refused(FAULT_setsockopt, NULL) ? -1 : real(fd, level, name, value, len);
}

SHOWN int getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	NEXT(getsockname);
	return refused(FAULT_getsockname, NULL) ? -1 : real(fd, addr, len);
}

/* --- bytes --- */

SHOWN ssize_t read(int fd, void *data, size_t len)
{
	NEXT(read);
	return says_such(fd, false) && refused(FAULT_read, &len) ? -1 : real(fd, data, len);
}

SHOWN ssize_t write(int fd, const void *data, size_t len)
{
	NEXT(write);
	return says_such(fd, true) && refused(FAULT_write, &len) ? -1 : real(fd, data, len);
}

SHOWN ssize_t writev(int fd, const struct iovec *parts, int count)
{
	NEXT(writev);
	return refused(FAULT_writev, NULL) ? -1 : real(fd, parts, count);
}

SHOWN ssize_t pread64(int fd, void *data, size_t len, off64_t offset)
{
	NEXT(pread64);
	return refused(FAULT_pread64, &len) ? -1 : real(fd, data, len, offset);
}

SHOWN ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset)
{
	NEXT(pwrite64);
	return refused(FAULT_pwrite64, &len) ? -1 : real(fd, data, len, offset);
}

/* What it really writes, no disk keeps here any longer than the test does. */
SHOWN int fsync(int fd)
{
	(void)fd;
	return refused(FAULT_fsync, NULL) ? -1 : 0;
}

SHOWN int fdatasync(int fd)
{
	(void)fd;
	return refused(FAULT_fdatasync, NULL) ? -1 : 0;
}

/* --- files --- */

static mode_t mode_of(int flags, va_list args)
{
	return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(args, mode_t)
									  : 0;
}

SHOWN int open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	NEXT(open);
	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return refused(FAULT_open, NULL) ? -1 : real(path, flags, mode);
}

SHOWN int open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	NEXT(open64);
	va_start(args, flags);
	mode = mode_of(flags, args);
	va_end(args);
	return refused(FAULT_open64, NULL) ? -1 : real(path, flags, mode);
}

SHOWN FILE *fopen(const char *path, const char *mode)
{
	NEXT(fopen);
	return refused(FAULT_fopen, NULL) ? NULL : real(path, mode);
}

SHOWN int ftruncate64(int fd, off64_t len)
{
	NEXT(ftruncate64);
	return refused(FAULT_ftruncate64, NULL) ? -1 : real(fd, len);
}

SHOWN int rename(const char *from, const char *to)
{
	NEXT(rename);
	return refused(FAULT_rename, NULL) ? -1 : real(from, to);
}

SHOWN void *mmap64(void *addr, size_t len, int protection, int flags, int fd, off64_t offset)
{
	NEXT(mmap64);
	return refused(FAULT_mmap64, NULL) ? MAP_FAILED
					   : real(addr, len, protection, flags, fd, offset);
}

/* --- waiting --- */

SHOWN int epoll_create1(int flags)
{
	NEXT(epoll_create1);
	return refused(FAULT_epoll_create1, NULL) ? -1 : real(flags);
}

SHOWN int epoll_ctl(int set, int what, int fd, struct epoll_event *event)
{
	NEXT(epoll_ctl);
	if (what != EPOLL_CTL_ADD || is_of_libuv(__builtin_return_address(0)))
		return real(set, what, fd, event);
	return refused(FAULT_epoll_ctl, NULL) ? -1 : real(set, what, fd, event);
}

SHOWN int epoll_wait(int set, struct epoll_event *events, int max, int timeout)
{
	NEXT(epoll_wait);
	return refused(FAULT_epoll_wait, NULL) ? -1 : real(set, events, max, timeout);
}

SHOWN int epoll_pwait(int set, struct epoll_event *events, int max, int timeout,
		      const sigset_t *signals)
{
	NEXT(epoll_pwait);
	return refused(FAULT_epoll_pwait, NULL) ? -1 : real(set, events, max, timeout, signals);
}

SHOWN int eventfd(unsigned count, int flags)
{
	NEXT(eventfd);
	return refused(FAULT_eventfd, NULL) ? -1 : real(count, flags);
}

SHOWN int pipe2(int fds[2], int flags)
{
	NEXT(pipe2);
	return refused(FAULT_pipe2, NULL) ? -1 : real(fds, flags);
}

/* --- the rest --- */

SHOWN int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
			 void *arg)
{
	NEXT(pthread_create);
	return refused(FAULT_pthread_create, NULL) ? errno : real(thread, attr, fn, arg);
}

SHOWN int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
		      struct addrinfo **out)
{
	NEXT(getaddrinfo);
	return refused(FAULT_getaddrinfo, NULL) ? EAI_SYSTEM : real(name, service, hints, out);
}

SHOWN int getifaddrs(struct ifaddrs **out)
{
	NEXT(getifaddrs);
	return refused(FAULT_getifaddrs, NULL) ? -1 : real(out);
}

SHOWN ssize_t getrandom(void *data, size_t len, unsigned flags)
{
	NEXT(getrandom);
	return refused(FAULT_getrandom, &len) ? -1 : real(data, len, flags);
}
