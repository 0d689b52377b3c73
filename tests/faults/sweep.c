/* sweep.c: the program, run again and again, each time with another call to the system (or for
 * memory) that fails.
 *
 *     fault_sweep PROGRAM SHIM [SCENARIO [CALL ERRNO AT EVERY]]
 *
 * What is asked of it, each time: no signal; the end within a time, and without spinning; an exit
 * status of docs/cli.md, and a sentence where it is 1; a sound database; and where the status is 0
 * the result that there is when nothing fails: nobody is missed or blamed because this machine had
 * no descriptor or no memory. PEERWALK_FAULTS=all: every call in turn, and not a sample. */
#include "faults/run.h"
#include "support/sanitized.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	WORKERS = 6,      /* most of a run is waiting */
	SHORT_POINTS = 3, /* of a call and an error, in the short form */
	TRIES = 3,        /* what a busy machine does once it does not do each time */
};

/* --- what may fail, and how --- */

#define MACHINE 1 /* this machine's fault: nobody else is to suffer for it */

static const struct fault_kind {
	enum fault_call call;
	int error; /* 0: does only a part */
	unsigned flags;
} kinds[] = {
	{ FAULT_malloc, ENOMEM, MACHINE },
	{ FAULT_socket, EMFILE, MACHINE },
	{ FAULT_socket, ENFILE, MACHINE },
	{ FAULT_socket, ENOBUFS, MACHINE },
	{ FAULT_socket, ENOMEM, MACHINE },
	{ FAULT_bind, EADDRINUSE, 0 },
	{ FAULT_bind, EACCES, 0 },
	{ FAULT_listen, EADDRINUSE, 0 },
	{ FAULT_accept4, EMFILE, MACHINE },
	{ FAULT_accept4, ENFILE, MACHINE },
	{ FAULT_accept4, ENOMEM, MACHINE },
	{ FAULT_accept4, ECONNABORTED, 0 },
	{ FAULT_accept4, EINTR, MACHINE },
	{ FAULT_connect, EADDRNOTAVAIL, MACHINE },
	{ FAULT_connect, ENOBUFS, MACHINE },
	{ FAULT_connect, ENETUNREACH, MACHINE },
	{ FAULT_connect, ECONNRESET, 0 },
	{ FAULT_connect, EACCES, 0 },
	{ FAULT_send, EINTR, MACHINE },
	{ FAULT_send, ENOBUFS, MACHINE },
	{ FAULT_send, ECONNRESET, 0 },
	{ FAULT_send, EPIPE, 0 },
	{ FAULT_send, 0, MACHINE },
	{ FAULT_sendto, ENOBUFS, 0 },
	{ FAULT_sendmsg, ENOBUFS, 0 }, /* a datagram that is lost */
	{ FAULT_sendmsg, EINTR, MACHINE },
	{ FAULT_sendmsg, EPERM, 0 },
	{ FAULT_sendmmsg, ENOBUFS, MACHINE },
	{ FAULT_sendmmsg, EINTR, MACHINE },
	{ FAULT_sendmmsg, 0, MACHINE },
	{ FAULT_recvmsg, EINTR, MACHINE },
	{ FAULT_recvmsg, ENOMEM, MACHINE },
	{ FAULT_recvmmsg, EINTR, MACHINE },
	{ FAULT_recvmmsg, ENOMEM, MACHINE },
	{ FAULT_recvmmsg, 0, MACHINE },
	{ FAULT_getsockopt, ENOBUFS, MACHINE },
	{ FAULT_setsockopt, ENOMEM, MACHINE },
	{ FAULT_getsockname, ENOBUFS, MACHINE },
	{ FAULT_read, EINTR, MACHINE },
	{ FAULT_read, ECONNRESET, 0 },
	{ FAULT_read, ENOMEM, MACHINE },
	{ FAULT_read, EIO, 0 },
	{ FAULT_read, 0, MACHINE },
	{ FAULT_write, EINTR, MACHINE },
	{ FAULT_write, EIO, MACHINE },
	{ FAULT_write, ENOSPC, MACHINE },
	{ FAULT_write, 0, MACHINE },
	{ FAULT_writev, EINTR, MACHINE },
	{ FAULT_pread64, EIO, MACHINE },
	{ FAULT_pread64, 0, MACHINE },
	{ FAULT_pwrite64, EIO, MACHINE },
	{ FAULT_pwrite64, ENOSPC, MACHINE },
	{ FAULT_pwrite64, EINTR, MACHINE },
	{ FAULT_pwrite64, 0, MACHINE },
	{ FAULT_fsync, EIO, MACHINE },
	{ FAULT_fdatasync, EIO, MACHINE },
	{ FAULT_fdatasync, ENOSPC, MACHINE },
	{ FAULT_open, EMFILE, MACHINE },
	{ FAULT_open, EACCES, MACHINE },
	{ FAULT_open64, EMFILE, MACHINE },
	{ FAULT_open64, EACCES, MACHINE },
	{ FAULT_open64, EINTR, MACHINE },
	{ FAULT_fopen, EMFILE, MACHINE },
	{ FAULT_fopen, ENOMEM, MACHINE },
	{ FAULT_ftruncate64, ENOSPC, MACHINE },
	{ FAULT_rename, EACCES, MACHINE },
	{ FAULT_mmap64, ENOMEM, MACHINE },
	{ FAULT_epoll_create1, EMFILE, MACHINE },
	{ FAULT_epoll_ctl, ENOMEM, MACHINE },
	{ FAULT_epoll_ctl, ENOSPC, MACHINE },
	{ FAULT_epoll_wait, EINTR, MACHINE },
	{ FAULT_epoll_pwait, EINTR, MACHINE },
	{ FAULT_eventfd, EMFILE, MACHINE },
	{ FAULT_pipe2, EMFILE, MACHINE },
	{ FAULT_pthread_create, EAGAIN, MACHINE },
	{ FAULT_getaddrinfo, ENOMEM, MACHINE },
	{ FAULT_getifaddrs, EMFILE, MACHINE },
	{ FAULT_getrandom, EINTR, MACHINE },
};
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

/* --- one point --- */

static bool is_long;
static unsigned wrong;

/* What does not hold, or NULL. */
static const char *fault_of(const struct fault_kind *kind, unsigned every, const struct run *best,
			    const struct run *run)
{
	if (run->signal != 0)
		return strsignal(run->signal);
	if (run->hung)
		return "it does not end";
	if (run->cpu_s > best->cpu_s + SPIN_S)
		return "it spins";
	if (run->status != 0 && run->status != 1 && run->status != 3)
		return "a status that is not documented";
	if (run->status != 0 && strstr(run->err, "peerwalk: ") == NULL)
		return "it fails without a word";
	/* Of a file that can't be read SQLite itself may say so. */
	if (kind->call != FAULT_pread64 && strstr(run->err, "damaged") != NULL)
		return "it takes this machine's fault for a damaged file";
	if (!run->sound)
		return "the database is not sound";
	/* Where it goes on and on, nobody new can be reached until the crawl's time is over; where
	 * every third call fails, not all of them. */
	if (run->status != 0 || (kind->flags & MACHINE) == 0 || every == 1 ||
	    (every > 1 && run->cut_short))
		return NULL;
	return strcmp(best->result, run->result) == 0 ? NULL : "status 0, and another result";
}

static bool run_point(const struct sweep *s, const struct fault_kind *kind, const struct run *best,
		      unsigned long at, unsigned every)
{
	struct fault fault = { .call = kind->call, .error = kind->error, .at = at, .every = every };
	const char *what = NULL;
	struct run run;

	for (unsigned i = 0; i < TRIES; i++) {
		run_program(s, &fault, &run);
		what = fault_of(kind, every, best, &run);
		if (what == NULL)
			return run.failed > 0;
		fprintf(stderr, "once more: %s: %s %d at %lu/%u: %s\n", s->name,
			run_call_name(kind->call), kind->error, at, every, what);
	}
	wrong++;
	fprintf(stderr, "FAILED: %s: %s %s at %lu%s: %s (status %d, %.1f s of CPU)\n%s\n", s->name,
		run_call_name(kind->call),
		kind->error != 0 ? strerrorname_np(kind->error) : "partly", at,
		every == 0   ? ""
		: every == 1 ? " and all later ones"
			     : " and every third from there",
		what, run.status, run.cpu_s, run.err);
	return run.failed > 0;
}

/* --- all of them --- */

/* A sample of the numbers from 1 to count, each time of another part of them. */
static unsigned long number_of(unsigned i, unsigned of, unsigned long count, unsigned salt)
{
	unsigned long first = count * i / of, room = count * (i + 1) / of - first;

	return first + 1 + (room > 1 ? (salt * 2654435761U) % room : 0);
}

struct tally {
	unsigned points, hits;
};

/* Each worker takes every WORKERS-th point. */
static void sweep_kind(const struct sweep *s, unsigned number, const struct run *best,
		       unsigned worker, unsigned *turn, struct tally *tally)
{
	const struct fault_kind *kind = &kinds[number];
	unsigned long count = best->calls[kind->call];
	unsigned points = is_long && kind->call != FAULT_malloc ? 40 : is_long ? 400 : SHORT_POINTS;

	if (count < points)
		points = (unsigned)count;
	for (unsigned i = 0; i < points * 3; i++) {
		unsigned every = i / points == 2 ? 3 : i / points;
		unsigned long at;

		/* No call is interrupted for ever. */
		if (kind->error == EINTR && every == 1)
			continue;
		/* The short form is a ninth of that, by turns, and waits for no crawl's time to be
		 * over. */
		if (!is_long && ((number + i) % 9 != 0 || (every == 1 && s->waits)))
			continue;
		if ((*turn)++ % WORKERS != worker)
			continue;
		at = number_of(i % points, points, count, number + i);
		/* Without its first pipe libuv ends the process itself; that there is room for it
		 * the program has seen to before. */
		if (kind->call == FAULT_pipe2 && at == 1)
			continue;
		tally->points++;
		tally->hits += run_point(s, kind, best, at, every);
	}
}

static int work(const struct sweep *s, const struct run *best, unsigned worker)
{
	struct tally tally = { 0 };
	unsigned turn = 0;

	run_worker(worker);
	for (unsigned i = 0; i < KINDS; i++)
		sweep_kind(s, i, best, worker, &turn, &tally);
	printf("%-20s worker %u: %u points, %u failed there, %u faults\n", s->name, worker,
	       tally.points, tally.hits, wrong);
	return wrong > 0;
}

static unsigned sweep(const struct sweep *s)
{
	unsigned bad = 0;
	struct run best;

	run_begin(s);
	run_worker(WORKERS);
	run_program(s, NULL, &best);
	if (best.status != 0 || best.signal != 0 || !best.sound || best.calls[FAULT_malloc] == 0) {
		fprintf(stderr, "FAILED: %s does not even run: status %d\n%s\n", s->name,
			best.status, best.err);
		run_end(s);
		return 1;
	}
	fflush(NULL);
	for (unsigned i = 0; i < WORKERS; i++) {
		pid_t pid = fork();

		if (pid == 0)
			exit(work(s, &best, i));
	}
	for (unsigned i = 0; i < WORKERS; i++)
		bad += !wait_worker();
	run_end(s);
	return bad;
}

static int sweep_one(const struct sweep *s, char **argv)
{
	struct fault fault = { .error = atoi(argv[1]),
			       .at = strtoul(argv[2], NULL, 10),
			       .every = (unsigned)atoi(argv[3]) };
	struct fault_kind kind = { .error = fault.error, .flags = MACHINE };
	struct run best, run;
	const char *what;

	for (int i = 0; i < FAULT_CALL_COUNT; i++)
		if (strcmp(argv[0], run_call_name((enum fault_call)i)) == 0)
			fault.call = kind.call = (enum fault_call)i;
	run_begin(s);
	run_worker(WORKERS);
	run_program(s, NULL, &best);
	run_program(s, &fault, &run);
	run_end(s);
	what = fault_of(&kind, fault.every, &best, &run);
	printf("status %d, signal %d, %.2f s of CPU, %lu of %lu calls failed%s: %s\n%s\n-- %s\n-- "
	       "%s\n",
	       run.status, run.signal, run.cpu_s, run.failed, run.calls[fault.call],
	       run.hung ? ", hung" : "", what != NULL ? what : "fine", run.err, best.result,
	       run.result);
	return what != NULL;
}

int main(int argc, char **argv)
{
	const char *all = getenv("PEERWALK_FAULTS");
	unsigned bad = 0, ran = 0;

#if SANITIZED
	puts("skipped: a sanitizer wants to be the first to see what a program asks for");
	return 77;
#endif
	is_long = all != NULL && strcmp(all, "all") == 0;
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	if (argc < 3)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	run_with(argv[1], argv[2]);
	for (const struct sweep *s = sweeps; s->name != NULL; s++) {
		if (argc > 3 && strcmp(argv[3], s->name) != 0)
			continue;
		ran++;
		bad += argc > 7 ? (unsigned)sweep_one(s, argv + 4) : sweep(s);
	}
	printf("%u scenarios, %u with faults\n", ran, bad);
	return bad > 0 || ran == 0;
}
