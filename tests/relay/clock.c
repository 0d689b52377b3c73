/* clock.c: clocks that jump, for tests: a library that is loaded before libc (LD_PRELOAD).
 *
 * The file that CLOCK_SHIFT names holds two numbers of 64 bits, in this machine's order:
 * milliseconds that the wall clock and the monotonic one are off by. It is mapped: who writes into
 * it moves the clocks of a running program. Waits that end at a moment end when that moment has
 * come on the kernel's clocks, as if they had jumped before the wait began. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t none[2];
static const volatile int64_t *shift = none;

__attribute__((constructor)) static void map(void)
{
	const char *path = getenv("CLOCK_SHIFT");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *at = fd >= 0 ? mmap(NULL, sizeof(none), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

	if (at != MAP_FAILED)
		shift = at;
	if (fd >= 0)
		close(fd);
}

static void add_ms(struct timespec *t, int64_t ms)
{
	int64_t ns = t->tv_nsec + ms % 1000 * 1000000;

	t->tv_sec += ms / 1000 + (ns < 0 ? -1 : ns >= 1000000000 ? 1 : 0);
	t->tv_nsec = ns < 0 ? ns + 1000000000 : ns % 1000000000;
}

static int64_t shift_of(clockid_t clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		return shift[0];
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_BOOTTIME:
		return shift[1];
	default:
		return 0;
	}
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
	int result = (int)syscall(SYS_clock_gettime, clock, out);

	if (result == 0)
		add_ms(out, shift_of(clock));
	return result;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*out = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
	return 0;
}

time_t time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

/* Which clock such a moment is of: one is forty years older than the other. */
static struct timespec on_kernels_clock(const struct timespec *until)
{
	enum { YEARS_30_S = 30 * 365 * 24 * 3600 };
	struct timespec t = *until;

	add_ms(&t, -shift[t.tv_sec > YEARS_30_S ? 0 : 1]);
	return t;
}

typedef int wait_fn(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
typedef int lock_fn(pthread_mutex_t *, const struct timespec *);
typedef int clocklock_fn(pthread_mutex_t *, clockid_t, const struct timespec *);

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
			   const struct timespec *restrict until)
{
	static wait_fn *next;
	struct timespec t = on_kernels_clock(until);

	if (next == NULL)
		next = (wait_fn *)dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
	if (next == NULL)
		next = (wait_fn *)dlsym(RTLD_NEXT, "pthread_cond_timedwait");
	return next(cond, mutex, &t);
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict until)
{
	static lock_fn *next;
	struct timespec t = on_kernels_clock(until);

	if (next == NULL)
		next = (lock_fn *)dlsym(RTLD_NEXT, "pthread_mutex_timedlock");
	return next(mutex, &t);
}

int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *until)
{
	static clocklock_fn *next;
	struct timespec t = on_kernels_clock(until);

	if (next == NULL)
		next = (clocklock_fn *)dlsym(RTLD_NEXT, "pthread_mutex_clocklock");
	return next(mutex, clock, &t);
}
