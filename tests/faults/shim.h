/* shim.h: what a run under the shim is told, by its environment, and what it tells back.
 *
 *     FAULT_CALL    the function that fails: "connect", or "malloc" for all of its kind
 *     FAULT_ERRNO   with what; 0: it is not refused, but does only a part (a byte of a read)
 *     FAULT_AT      the call that fails, counted from 1
 *     FAULT_EVERY   0: no other one; k: every k-th from there on
 *     FAULT_TELL    where an allocation fails first is told on stderr
 *     FAULT_REPORT  a file of struct fault_report, which is written as it goes */
#ifndef PEERWALK_TESTS_FAULTS_SHIM_H
#define PEERWALK_TESTS_FAULTS_SHIM_H

#include <stdatomic.h>

/* Every function that can be chosen. */
#define FAULT_CALLS(X)    \
	X(malloc)         \
	X(socket)         \
	X(bind)           \
	X(listen)         \
	X(accept4)        \
	X(connect)        \
	X(send)           \
	X(sendto)         \
	X(sendmsg)        \
	X(sendmmsg)       \
	X(recvmsg)        \
	X(recvmmsg)       \
	X(getsockopt)     \
	X(setsockopt)     \
	X(getsockname)    \
	X(read)           \
	X(write)          \
	X(writev)         \
	X(pread64)        \
	X(pwrite64)       \
	X(fsync)          \
	X(fdatasync)      \
	X(open)           \
	X(open64)         \
	X(fopen)          \
	X(ftruncate64)    \
	X(rename)         \
	X(mmap64)         \
	X(epoll_create1)  \
	X(epoll_ctl)      \
	X(epoll_wait)     \
	X(epoll_pwait)    \
	X(eventfd)        \
	X(pipe2)          \
	X(pthread_create) \
	X(getaddrinfo)    \
	X(getifaddrs)     \
	X(getrandom)

enum fault_call {
#define FAULT_ENUM(name) FAULT_##name,
	FAULT_CALLS(FAULT_ENUM)
#undef FAULT_ENUM
		FAULT_CALL_COUNT,
};

struct fault_report {
	atomic_ulong calls[FAULT_CALL_COUNT];
	atomic_ulong failed;
};

#endif
