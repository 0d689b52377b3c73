/* confine.h: what the process gives up before it meets anybody: strangers' bytes are read by a
 * program that can do little else.
 *
 * The program's business, never the library's, which must not confine its host. Called once, before
 * there is a thread; it holds for all that start later. Four things, each if the kernel has it:
 *
 *   no new privileges   no program that is started could have more
 *   Landlock            files: what is named in `struct confine`, and what every process of the C
 *                       library reads; TCP: no listening but at the named ports, no connecting
 *                       without CONFINE_DIAL; nobody else's processes get signals
 *   seccomp             the system calls that are needed, below
 *   no core dumps       of who may have a private key, and nobody looks into its memory
 *
 * A system call has one of three fates. What is needed is allowed, some of it with certain
 * arguments alone: sockets of the kinds named in `net`, threads but no processes, memory that is
 * not run. What only somebody wants who has taken the process over (execve, ptrace, mount, bpf ...)
 * kills it. The rest is answered by ENOSYS: a C library or libuv of another year may try a call
 * that nobody foresaw, and has a way to go on without it, as it must on older kernels; a crawl of
 * three weeks shall not die of that. io_uring is among these, as libuv tries it.
 *
 * The filter costs 5 to 15 hundredths of an empty system call (7 to 21 ns of 130), and of a visit
 * too little to be measured. What stays open: a database's log comes and goes beside it, so that
 * the folder of a database is open with all that lies below. What strangers can reach is best put
 * in a folder of its own. */
#ifndef PEERWALK_CLI_CONFINE_H
#define PEERWALK_CLI_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONFINE_TEXT_MAX = 320 /* bytes of what confine_apply says */ };

enum confine_right {
	CONFINE_READ = 1,
	CONFINE_WRITE = 2, /* what is there */
	CONFINE_LIST = 4,  /* the names in a folder */
	CONFINE_MAKE = 8,  /* files in a folder, and away with them */
	CONFINE_SOCKET = 16,
};

enum confine_net {
	CONFINE_DIAL = 1,    /* TCP, to anybody */
	CONFINE_NAMES = 2,   /* names are looked up; implies CONFINE_PACKETS, and CONFINE_LOCAL
			      * where programs of this machine are asked */
	CONFINE_PACKETS = 4, /* UDP */
	CONFINE_LISTEN = 8,  /* TCP, at `ports` */
	CONFINE_LOCAL = 16,  /* Unix sockets */
	CONFINE_SOURCE = 32, /* TCP from an address of ours: at a port that the kernel chooses */
};

struct confine_path {
	char *path;
	unsigned rights;
};

struct confine {
	unsigned net;
	bool secrets; /* it may have a private key in memory */
	struct confine_path *paths;
	size_t paths_count;
	uint16_t *ports; /* 0 among them: any, as nobody knows which one it will be */
	size_t ports_count;
};

/* A file, or a folder with all that is below it; one that is not there is left out. */
void confine_allow(struct confine *c, const char *path, unsigned rights);
/* The folder that the path stands in. */
void confine_allow_folder(struct confine *c, const char *path, unsigned rights);
void confine_allow_port(struct confine *c, uint16_t port);
void confine_clear(struct confine *c);

/* Says in text what was done and what was not, and why. Nothing is done in a build that needs more
 * than this leaves (sanitizers, coverage): PEERWALK_UNCONFINED names it. */
void confine_apply(struct confine *c, char text[static CONFINE_TEXT_MAX]);

#endif
