#include "cli/confine_calls.h"

#include "cli/confine.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

enum { FILTER_BYTES = 1 << 20 /* more than the making of our filter takes */ };

/* Calls by name: those that this machine or this libseccomp doesn't have are passed over. */

static const char *const usual[] = {
	/* memory; of what can be run, see below */
	"brk",
	"munmap",
	"mremap",
	"madvise",
	"msync",
	"membarrier",
	/* time */
	"clock_gettime",
	"clock_getres",
	"clock_nanosleep",
	"gettimeofday",
	"nanosleep",
	"time",
	"times",
	"timerfd_create",
	"timerfd_settime",
	"timerfd_gettime",
	"clock_gettime64",
	"clock_getres_time64",
	"clock_nanosleep_time64",
	"timerfd_settime64",
	/* threads and signals */
	"futex",
	"futex_time64",
	"set_robust_list",
	"get_robust_list",
	"rseq",
	"gettid",
	"sched_yield",
	"sched_getaffinity",
	"sched_getparam",
	"sched_getscheduler",
	"getcpu",
	"exit",
	"exit_group",
	"restart_syscall",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigtimedwait",
	"sigaltstack",
	"sigreturn",
	"set_thread_area",
	"set_tls",
	/* the process */
	"getpid",
	"getppid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getuid32",
	"geteuid32",
	"getgid32",
	"getegid32",
	"getrandom",
	"getrlimit",
	"ugetrlimit",
	"getrusage",
	"sysinfo",
	"uname",
	"getcwd",
	"umask",
	/* descriptors */
	"read",
	"write",
	"readv",
	"writev",
	"pread64",
	"pwrite64",
	"preadv",
	"pwritev",
	"lseek",
	"_llseek",
	"close",
	"dup",
	"dup3",
	"fcntl",
	"fcntl64",
	"flock",
	"pipe",
	"pipe2",
	"eventfd",
	"eventfd2",
	"poll",
	"ppoll",
	"ppoll_time64",
	"select",
	"_newselect",
	"pselect6",
	"pselect6_time64",
	"epoll_create",
	"epoll_create1",
	"epoll_ctl",
	"epoll_wait",
	"epoll_pwait",
	"epoll_pwait2",
	"fsync",
	"fdatasync",
	"sync_file_range",
	"ftruncate",
	"ftruncate64",
	"fallocate",
	"fadvise64",
	"fadvise64_64",
	"arm_fadvise64_64",
	"fchmod",
	"fchown",
	"fchown32",
	"sendfile",
	"sendfile64",
	/* files, as far as Landlock lets it */
	"open",
	"openat",
	"openat2",
	"stat",
	"stat64",
	"fstat",
	"fstat64",
	"lstat",
	"lstat64",
	"newfstatat",
	"fstatat64",
	"statx",
	"statfs",
	"statfs64",
	"fstatfs",
	"fstatfs64",
	"access",
	"faccessat",
	"faccessat2",
	"readlink",
	"readlinkat",
	"getdents",
	"getdents64",
	"rename",
	"renameat",
	"renameat2",
	"unlink",
	"unlinkat",
	"truncate",
	"truncate64",
};

static const char *const with_sockets[] = {
	"bind",    "getsockname", "getpeername",     "getsockopt", "setsockopt", "recvfrom",
	"recvmsg", "recvmmsg",    "recvmmsg_time64", "shutdown",   "send",       "recv",
};

/* For whoever calls somebody: a name server and a status socket are called, too. */
static const char *const with_calls[] = { "connect" };

static const char *const with_callers[] = { "listen", "accept", "accept4" };

/* Nothing here or below has a use for these, on any machine. */
static const char *const deadly[] = {
	/* other programs */
	"execve",
	"execveat",
	"uselib",
	/* other processes, and their memory and descriptors */
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"process_madvise",
	"process_mrelease",
	"kcmp",
	"pidfd_getfd",
	"pidfd_send_signal",
	"migrate_pages",
	"move_pages",
	/* the tree of files */
	"mount",
	"umount",
	"umount2",
	"pivot_root",
	"chroot",
	"fsopen",
	"fsconfig",
	"fsmount",
	"fspick",
	"move_mount",
	"open_tree",
	"mount_setattr",
	"name_to_handle_at",
	"open_by_handle_at",
	"quotactl",
	"quotactl_fd",
	"fanotify_init",
	/* another view of the machine */
	"unshare",
	"setns",
	/* the kernel itself */
	"init_module",
	"finit_module",
	"delete_module",
	"create_module",
	"kexec_load",
	"kexec_file_load",
	"bpf",
	"perf_event_open",
	"userfaultfd",
	"lookup_dcookie",
	"iopl",
	"ioperm",
	"modify_ldt",
	"vm86",
	"vm86old",
	"personality",
	"seccomp",
	"reboot",
	"swapon",
	"swapoff",
	"syslog",
	"acct",
	"vhangup",
	"nfsservctl",
	/* its keys, its clock, its names */
	"add_key",
	"request_key",
	"keyctl",
	"settimeofday",
	"clock_settime",
	"clock_settime64",
	"clock_adjtime",
	"clock_adjtime64",
	"adjtimex",
	"stime",
	"sethostname",
	"setdomainname",
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct filter {
	scmp_filter_ctx ctx;
	int error; /* the first */
};

static void add(struct filter *f, uint32_t action, const char *name, unsigned count,
		const struct scmp_arg_cmp *args)
{
	int call = seccomp_syscall_resolve_name(name);
	int rc;

	if (call == __NR_SCMP_ERROR || f->error != 0)
		return;
	rc = seccomp_rule_add_array(f->ctx, action, call, count, args);
	/* Not on this machine. */
	if (rc != 0 && rc != -EDOM)
		f->error = -rc;
}

static void add_all(struct filter *f, uint32_t action, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add(f, action, names[i], 0, NULL);
}

/* The call, if argument number `arg`, with the bits of mask alone, has this value. */
static void allow_if(struct filter *f, const char *name, unsigned arg, uint64_t mask,
		     uint64_t value)
{
	const struct scmp_arg_cmp cmp = { arg, SCMP_CMP_MASKED_EQ, mask, value };

	add(f, SCMP_ACT_ALLOW, name, 1, &cmp);
}

static void allow_socket(struct filter *f, int family, int type)
{
	/* The type has flags beside it (SOCK_CLOEXEC, SOCK_NONBLOCK). */
	const struct scmp_arg_cmp cmp[] = {
		{ 0, SCMP_CMP_EQ, (uint64_t)family, 0 },
		{ 1, SCMP_CMP_MASKED_EQ, 0xf, (uint64_t)type },
	};

	add(f, SCMP_ACT_ALLOW, "socket", COUNT(cmp), cmp);
}

/* The kernel's list of our own addresses, and no other part of netlink. */
static void allow_netlink_route(struct filter *f)
{
	const struct scmp_arg_cmp cmp[] = {
		{ 0, SCMP_CMP_EQ, AF_NETLINK, 0 },
		{ 1, SCMP_CMP_MASKED_EQ, 0xf, SOCK_RAW },
		{ 2, SCMP_CMP_EQ, 0 /* NETLINK_ROUTE */, 0 },
	};

	add(f, SCMP_ACT_ALLOW, "socket", COUNT(cmp), cmp);
}

static void add_sockets(struct filter *f, unsigned net)
{
	const unsigned packets = CONFINE_NAMES | CONFINE_PACKETS;
	const unsigned calls = CONFINE_DIAL | CONFINE_LOCAL | packets;

	if (net == 0)
		return;
	add_all(f, SCMP_ACT_ALLOW, with_sockets, COUNT(with_sockets));
	/* A connection that begins with its first bytes is none that Landlock would see. */
	allow_if(f, "sendto", 3, MSG_FASTOPEN, 0);
	allow_if(f, "sendmsg", 2, MSG_FASTOPEN, 0);
	allow_if(f, "sendmmsg", 3, MSG_FASTOPEN, 0);
	if (net & calls)
		add_all(f, SCMP_ACT_ALLOW, with_calls, COUNT(with_calls));
	if (net & (CONFINE_DIAL | CONFINE_LISTEN | CONFINE_NAMES)) {
		allow_socket(f, AF_INET, SOCK_STREAM);
		allow_socket(f, AF_INET6, SOCK_STREAM);
	}
	if (net & packets) {
		allow_socket(f, AF_INET, SOCK_DGRAM);
		allow_socket(f, AF_INET6, SOCK_DGRAM);
	}
	if (net & CONFINE_LOCAL) {
		allow_socket(f, AF_UNIX, SOCK_STREAM);
		allow_socket(f, AF_UNIX, SOCK_DGRAM);
	}
	if (net & CONFINE_DIAL)
		allow_netlink_route(f);
	if (net & CONFINE_LISTEN)
		add_all(f, SCMP_ACT_ALLOW, with_callers, COUNT(with_callers));
	allow_if(f, "socketpair", 0, UINT64_MAX, AF_UNIX);
}

/* Calls that do several things. */
static void add_parts(struct filter *f)
{
	static const uint64_t ioctls[] = { TCGETS, TIOCGWINSZ, FIONBIO, FIONREAD, FIOCLEX };

	allow_if(f, "mmap", 2, PROT_EXEC, 0);
	allow_if(f, "mmap2", 2, PROT_EXEC, 0);
	allow_if(f, "mprotect", 2, PROT_EXEC, 0);
	/* A thread, no process. (Of clone3 the flags can't be seen: the C library goes on with
	 * this one.) */
	allow_if(f, "clone", 0, CLONE_THREAD | CLONE_NEWUSER | CLONE_NEWNS, CLONE_THREAD);
	/* To ourselves: raise() and abort(). */
	allow_if(f, "tgkill", 0, UINT64_MAX, (uint64_t)getpid());
	allow_if(f, "prlimit64", 0, UINT64_MAX, 0);
	allow_if(f, "prctl", 0, UINT64_MAX, PR_SET_NAME);
	for (size_t i = 0; i < COUNT(ioctls); i++)
		allow_if(f, "ioctl", 1, UINT32_MAX, ioctls[i]);
}

static int set_attributes(scmp_filter_ctx ctx)
{
	static const struct {
		enum scmp_filter_attr name;
		uint32_t value;
	} attributes[] = {
		{ SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS },
		{ SCMP_FLTATR_API_SYSRAWRC, 1 }, /* errno, and not ECANCELED */
		/* A search instead of a walk through the list: a crawl makes many calls. */
		{ SCMP_FLTATR_CTL_OPTIMIZE, 2 },
		{ SCMP_FLTATR_CTL_TSYNC, 1 },
		/* No code of strangers runs here: older kernels would slow us down. */
		{ SCMP_FLTATR_CTL_SSB, 1 },
	};
	int rc = 0;

	for (size_t i = 0; i < COUNT(attributes) && rc == 0; i++)
		rc = seccomp_attr_set(ctx, attributes[i].name, attributes[i].value);
	return rc;
}

int confine_calls(unsigned net)
{
	struct filter f = { 0 };
	void *volatile room = malloc(FILTER_BYTES); /* or the compiler would know better */

	/* libseccomp (2.5) does not bear that memory runs out on the way: it crashes, goes round in
	 * circles, or loads a part of the filter. */
	if (room == NULL)
		return ENOMEM;
	free(room);
	f.ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (f.ctx == NULL)
		return ENOMEM;
	f.error = -set_attributes(f.ctx);
	add_all(&f, SCMP_ACT_ALLOW, usual, COUNT(usual));
	add_all(&f, SCMP_ACT_KILL_PROCESS, deadly, COUNT(deadly));
	add_parts(&f);
	add_sockets(&f, net);
	if (f.error == 0)
		f.error = -seccomp_load(f.ctx);
	seccomp_release(f.ctx);
	return f.error;
}
