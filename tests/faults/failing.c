#include "faults/failing.h"

#include "support/sanitized.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* The ones that these stand in front of: the sanitizer's, or the C library's. */
#if SANITIZED
#define REAL(name) __interceptor_##name
#else
#define REAL(name) __libc_##name
#endif
#define SHOWN __attribute__((visibility("default")))

void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t count, size_t size);
void *REAL(realloc)(void *p, size_t size);
void *REAL(memalign)(size_t alignment, size_t size);
void REAL(free)(void *p);

static atomic_ulong asked, first, last, failures;
static atomic_long live;
static atomic_bool telling;
static _Thread_local bool exempted;

void failing_arm(unsigned long at, enum failing_how how)
{
	asked = failures = 0;
	last = how == FAIL_ONCE ? at : UINT64_MAX;
	first = at;
}

unsigned long failing_disarm(unsigned long *failed)
{
	first = 0;
	*failed = failures;
	return asked;
}

void failing_exempt(bool exempt)
{
	exempted = exempt;
}

long failing_live(void)
{
	return live;
}

void failing_tell(bool tell)
{
	telling = tell;
}

static void tell_where(void)
{
	void *frames[32];
	int count;

	exempted = true; /* backtrace() allocates when it is called first */
	count = backtrace(frames, 32);
	backtrace_symbols_fd(frames, count, STDERR_FILENO);
	exempted = false;
}

static bool fails(void)
{
	unsigned long from = first, number;

	if (from == 0 || exempted)
		return false;
	number = ++asked;
	if (number < from || number > last)
		return false;
	if (failures++ == 0 && telling)
		tell_where();
	errno = ENOMEM;
	return true;
}

static void *counted(void *p)
{
	if (p != NULL && !exempted)
		live++;
	return p;
}

SHOWN void *malloc(size_t size)
{
	return fails() ? NULL : counted(REAL(malloc)(size));
}

SHOWN void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : counted(REAL(calloc)(count, size));
}

SHOWN void *realloc(void *p, size_t size)
{
	if (fails())
		return NULL;
	if (p == NULL)
		return counted(REAL(realloc)(p, size));
	if (size == 0 && !exempted)
		live--;
	return REAL(realloc)(p, size);
}

SHOWN void *reallocarray(void *p, size_t count, size_t size)
{
	if (size > 0 && count > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, count * size);
}

SHOWN void *memalign(size_t alignment, size_t size)
{
	return fails() ? NULL : counted(REAL(memalign)(alignment, size));
}

SHOWN void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

SHOWN int posix_memalign(void **out, size_t alignment, size_t size)
{
	void *p = memalign(alignment, size);

	if (p == NULL)
		return ENOMEM;
	*out = p;
	return 0;
}

#if SANITIZED
/* What AddressSanitizer asks of a thread that begins: without an answer it ends the process. */
SHOWN int pthread_getattr_np(pthread_t thread, pthread_attr_t *attr)
{
	int (*real)(pthread_t, pthread_attr_t *) =
		(int (*)(pthread_t, pthread_attr_t *))dlsym(RTLD_NEXT, "pthread_getattr_np");
	bool before = exempted;
	int error;

	exempted = true;
	error = real(thread, attr);
	exempted = before;
	return error;
}
#endif

SHOWN void free(void *p)
{
	if (p != NULL && !exempted)
		live--;
	REAL(free)(p);
}
