/* What a confined process can't do any more, each tried by a child of its own, and what it still
 * can. Each thing that fails when confined is done by an unconfined child first: otherwise nothing
 * would be shown. */
#include "cli/cli.h"
#include "cli/confine.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { DONE = 0, CANNOT_TELL = 200 };

/* In the place of the program's: cli/alloc.c says so when there is no memory. */
void cli_error(const char *format, ...)
{
	fputs(format, stderr);
}

static char folder[64], other[64];
static bool has_landlock;

/* --- a child --- */

/* Its exit status: 0, or the errno that it met; -n: signal n ended it. */
static int child(struct confine *c, int (*act)(void))
{
	char text[CONFINE_TEXT_MAX];
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (c != NULL)
			confine_apply(c, text);
		_exit(act());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static struct confine with(unsigned net, bool secrets)
{
	struct confine c = { .net = net, .secrets = secrets };

	confine_allow(&c, folder, CONFINE_READ | CONFINE_WRITE | CONFINE_MAKE | CONFINE_LIST);
	return c;
}

/* --- what they try --- */

static int failed(void)
{
	return errno;
}

static int act_exec(void)
{
	char *const argv[] = { "true", NULL };

	execv("/bin/true", argv);
	return failed();
}

static int act_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? DONE : failed();
}

static int act_read_memory(void)
{
	char from[1] = { 7 }, to[1];
	const struct iovec a = { to, 1 }, b = { from, 1 };

	return syscall(SYS_process_vm_readv, getpid(), &a, 1, &b, 1, 0) == 1 ? DONE : failed();
}

static int act_unshare(void)
{
	return unshare(CLONE_FS) == 0 ? DONE : failed();
}

static int act_keyring(void)
{
	/* KEYCTL_GET_KEYRING_ID of a ring that there is not: it is the call that counts. */
	syscall(SYS_keyctl, 0, 0, 0);
	return DONE;
}

static int act_bpf(void)
{
	syscall(SYS_bpf, -1, NULL, 0);
	return DONE;
}

static int act_mount(void)
{
	syscall(SYS_mount, NULL, NULL, NULL, 0, NULL);
	return DONE;
}

static int act_io_uring(void)
{
	/* A call without sense: EFAULT or EINVAL of a kernel that has it and gives it. */
	syscall(SYS_io_uring_setup, 0, NULL);
	return errno == ENOSYS || errno == EPERM ? ENOSYS : DONE;
}

static int act_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(DONE);
	return pid > 0 ? DONE : failed();
}

static int act_kill(void)
{
	return kill(getppid(), 0) == 0 ? DONE : failed();
}

static int act_run_memory(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p != MAP_FAILED ? DONE : failed();
}

static int act_make_runnable(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0 ? DONE : failed();
}

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return failed();
	close(fd);
	return DONE;
}

static int act_read_elsewhere(void)
{
	return try_open("/etc/passwd", O_RDONLY);
}

static int act_list_elsewhere(void)
{
	return try_open("/etc", O_RDONLY | O_DIRECTORY);
}

static int act_make_elsewhere(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/new", other);
	return try_open(path, O_WRONLY | O_CREAT);
}

static int act_rename_out(void)
{
	char from[128], to[128];
	int status;

	snprintf(from, sizeof(from), "%s/out", folder);
	snprintf(to, sizeof(to), "%s/out", other);
	status = try_open(from, O_WRONLY | O_CREAT);
	if (status != DONE)
		return status;
	return rename(from, to) == 0 ? DONE : failed();
}

static int try_socket(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return failed();
	close(fd);
	return DONE;
}

static int act_packet(void)
{
	return try_socket(AF_PACKET, SOCK_DGRAM, 0);
}

static int act_raw(void)
{
	return try_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int act_netlink_other(void)
{
	return try_socket(AF_NETLINK, SOCK_RAW, 9 /* NETLINK_AUDIT */);
}

static int act_netlink_route(void)
{
	return try_socket(AF_NETLINK, SOCK_RAW, 0);
}

static int act_udp(void)
{
	return try_socket(AF_INET, SOCK_DGRAM, 0);
}

static int act_tcp(void)
{
	return try_socket(AF_INET, SOCK_STREAM, 0);
}

static int act_unix(void)
{
	return try_socket(AF_UNIX, SOCK_STREAM, 0);
}

static uint16_t listening_port; /* of a socket of the test's own */

static int act_connect(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(listening_port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return failed();
	return connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 ? DONE : failed();
}

/* Another way to connect: with the first bytes. */
static int act_send_there(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(listening_port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return failed();
	if (sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&at, sizeof(at)) != 1)
		return failed();
	return DONE;
}

static int bind_and_listen(uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		return failed();
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 1) != 0)
		return failed();
	return DONE;
}

/* Port 0 is one that the kernel chooses; any other would do. */
static int act_bind(void)
{
	return bind_and_listen(0);
}

/* The right is looked at before it is seen that the port is taken. */
static int act_bind_there(void)
{
	return bind_and_listen(listening_port);
}

static void *thread(void *arg)
{
	return arg;
}

static int act_thread(void)
{
	pthread_t t;
	void *back = NULL;
	int here;

	if (pthread_create(&t, NULL, thread, &here) != 0)
		return EAGAIN;
	pthread_join(t, &back);
	return back == &here ? DONE : EINVAL;
}

static int act_work_at_home(void)
{
	char path[128], renamed[128];
	int status;

	snprintf(path, sizeof(path), "%s/a", folder);
	snprintf(renamed, sizeof(renamed), "%s/b", folder);
	status = try_open(path, O_RDWR | O_CREAT | O_TRUNC);
	if (status == DONE && (rename(path, renamed) != 0 || truncate(renamed, 9) != 0))
		return failed();
	return status == DONE && unlink(renamed) != 0 ? failed() : status;
}

static int act_names(void)
{
	struct addrinfo *list = NULL;
	int rc = getaddrinfo("localhost", "80", NULL, &list);

	if (rc == 0)
		freeaddrinfo(list);
	return rc == 0 ? DONE : CANNOT_TELL;
}

static int act_unforeseen(void)
{
	/* No kernel has this one: EPERM instead of ENOSYS would keep libraries from going on
	 * another way. */
	return syscall(0x7fff) == -1 ? failed() : DONE;
}

static int act_abort(void)
{
	abort();
}

static int act_told(void)
{
	struct rlimit limit;
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	unsigned seen = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		seen += strcmp(line, "NoNewPrivs:\t1\n") == 0;
		seen += strcmp(line, "Seccomp:\t2\n") == 0;
	}
	return seen == 2 && getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0 ? DONE
										       : EINVAL;
}

/* --- tests --- */

static void fails(struct confine *c, int (*act)(void), int error, const char *what)
{
	int status = child(NULL, act);

	/* Where this machine forbids it anyway, there is nothing to see. */
	if (status != DONE)
		print_message("note: %s fails here without being confined: %s\n", what,
			      status > 0 ? strerror(status) : "a signal");
	status = child(c, act);
	if (status != error)
		fail_msg("%s: %d instead of %d", what, status, error);
}

static void works(struct confine *c, int (*act)(void), const char *what)
{
	int status = child(c, act);

	if (status != DONE)
		fail_msg("%s: %d", what, status);
}

static void what_attackers_want_ends_it(void **state)
{
	struct confine c = with(CONFINE_DIAL | CONFINE_NAMES, false);

	(void)state;
	fails(&c, act_exec, -SIGSYS, "another program");
	fails(&c, act_ptrace, -SIGSYS, "ptrace");
	fails(&c, act_read_memory, -SIGSYS, "process_vm_readv");
	fails(&c, act_unshare, -SIGSYS, "unshare");
	fails(&c, act_keyring, -SIGSYS, "keyctl");
	fails(&c, act_bpf, -SIGSYS, "bpf");
	fails(&c, act_mount, -SIGSYS, "mount");
	confine_clear(&c);
}

static void the_rest_is_not_there(void **state)
{
	struct confine c = with(CONFINE_DIAL | CONFINE_NAMES, false);

	(void)state;
	fails(&c, act_io_uring, ENOSYS, "io_uring");
	fails(&c, act_fork, ENOSYS, "another process");
	fails(&c, act_kill, ENOSYS, "a signal to another process");
	fails(&c, act_run_memory, ENOSYS, "memory to run");
	fails(&c, act_make_runnable, ENOSYS, "memory made to run");
	assert_int_equal(child(&c, act_unforeseen), ENOSYS);
	confine_clear(&c);
}

static void what_is_needed_works(void **state)
{
	struct confine c = with(CONFINE_DIAL | CONFINE_NAMES, true);

	(void)state;
	works(&c, act_thread, "a thread");
	works(&c, act_work_at_home, "files in its folder");
	works(&c, act_names, "a name");
	works(&c, act_tcp, "TCP");
	works(&c, act_udp, "UDP");
	works(&c, act_netlink_route, "the list of our addresses");
	works(&c, act_connect, "a connection");
	works(&c, act_told, "no new privileges, and no dumps");
	assert_int_equal(child(&c, act_abort), -SIGABRT);
	confine_clear(&c);
}

static void files_elsewhere_are_out_of_reach(void **state)
{
	struct confine c = with(CONFINE_DIAL | CONFINE_NAMES, false);

	(void)state;
	if (!has_landlock)
		skip();
	fails(&c, act_read_elsewhere, EACCES, "/etc/passwd");
	fails(&c, act_list_elsewhere, EACCES, "the names in /etc");
	fails(&c, act_make_elsewhere, EACCES, "a file elsewhere");
	fails(&c, act_rename_out, EACCES, "a file that leaves");
	confine_clear(&c);
}

static void sockets_are_of_few_kinds(void **state)
{
	struct confine c = with(CONFINE_DIAL | CONFINE_NAMES, false);
	struct confine none = with(0, false), local = with(CONFINE_LOCAL, false);

	(void)state;
	fails(&c, act_packet, ENOSYS, "AF_PACKET");
	fails(&c, act_raw, ENOSYS, "a raw socket");
	fails(&c, act_netlink_other, ENOSYS, "another netlink");
	fails(&none, act_tcp, ENOSYS, "TCP for who reads files");
	fails(&none, act_udp, ENOSYS, "UDP for who reads files");
	fails(&none, act_unix, ENOSYS, "a Unix socket for who reads files");
	fails(&local, act_tcp, ENOSYS, "TCP for who asks a node's status");
	works(&local, act_unix, "a Unix socket for that");
	confine_clear(&c);
	confine_clear(&none);
	confine_clear(&local);
}

/* With that for nsswitch.conf, in a tree of files of the child's own. */
static int unix_socket_where(const char *hosts)
{
	struct confine c = with(CONFINE_DIAL | CONFINE_NAMES, false);
	char path[128], text[CONFINE_TEXT_MAX];
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/a", folder);
		f = fopen(path, "we");
		if (f == NULL || fprintf(f, "hosts: %s\n", hosts) < 0 || fclose(f) != 0 ||
		    unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 ||
		    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		    mount(path, "/etc/nsswitch.conf", NULL, MS_BIND, NULL) != 0)
			_exit(CANNOT_TELL);
		confine_apply(&c, text);
		_exit(act_unix());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	confine_clear(&c);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void names_need_unix_sockets_where_programs_are_asked(void **state)
{
	int plain = unix_socket_where("files [!UNAVAIL=return] dns # compat");

	(void)state;
	if (plain == CANNOT_TELL)
		skip();
	assert_int_equal(plain, ENOSYS);
	assert_int_equal(unix_socket_where("files nobody_has_this dns"), ENOSYS);
	if (dlopen("libnss_compat.so.2", RTLD_NOW) != NULL)
		assert_int_equal(unix_socket_where("files compat [NOTFOUND=return] dns"), DONE);
}

static void ports_are_named(void **state)
{
	struct confine c = with(CONFINE_LISTEN, false);

	(void)state;
	fails(&c, act_udp, ENOSYS, "UDP for a web server");
	/* Also without Landlock, or with one that doesn't know ports yet. */
	fails(&c, act_connect, ENOSYS, "a connection from a web server");
	fails(&c, act_send_there, ENOSYS, "one that begins with bytes");
	if (has_landlock)
		fails(&c, act_bind, EACCES, "listening at a port that isn't named");
	confine_allow_port(&c, 0);
	works(&c, act_bind, "listening at one that is");
	confine_clear(&c);
}

/* A node that listens at one of our addresses dials from there. */
static void sources_have_any_port(void **state)
{
	struct confine c = with(CONFINE_LISTEN | CONFINE_DIAL | CONFINE_SOURCE, false);

	(void)state;
	confine_allow_port(&c, 1);
	works(&c, act_bind, "a port that the kernel chooses");
	works(&c, act_connect, "a connection");
	if (has_landlock)
		fails(&c, act_bind_there, EACCES, "listening at a port that isn't named");
	confine_clear(&c);
}

/* No core file from who may have a key; one from who has none shows that there could be. */
static int dumps(bool secrets)
{
	struct confine c = { .secrets = secrets };
	int status;
	pid_t pid;

	confine_allow(&c, folder, CONFINE_WRITE | CONFINE_MAKE);
	pid = fork();
	if (pid == 0) {
		char text[CONFINE_TEXT_MAX];

		if (chdir(folder) != 0)
			_exit(1);
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 1 << 20, RLIM_INFINITY });
		confine_apply(&c, text);
		signal(SIGSEGV, SIG_DFL); /* cmocka's */
		raise(SIGSEGV);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	confine_clear(&c);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	return WCOREDUMP(status) ? 1 : 0;
}

static void there_are_no_dumps_of_keys(void **state)
{
	(void)state;
	if (dumps(false) == 0)
		print_message("note: nobody dumps a core here\n");
	assert_int_equal(dumps(true), 0);
}

/* Where somebody else's filter refuses a call of ours. */
static bool says_of_dumps(int refused, const char *what)
{
	static const struct scmp_arg_cmp dumpable = { 0, SCMP_CMP_EQ, PR_SET_DUMPABLE, 0 };
	static const struct scmp_arg_cmp limits = { 2, SCMP_CMP_NE, 0, 0 };
	struct confine c = { .secrets = true };
	char text[CONFINE_TEXT_MAX];
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

		if (refused >= 0)
			seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), refused, 1,
					       refused == SCMP_SYS(prctl) ? &dumpable : &limits);
		if (seccomp_load(filter) != 0)
			_exit(2);
		seccomp_release(filter);
		confine_apply(&c, text);
		_exit(strstr(text, what) != NULL ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void what_is_said_of_dumps_is_true(void **state)
{
	static const char made[] = "; core dumps may be made (Operation not permitted)";
	struct rlimit limit;

	(void)state;
	assert_true(says_of_dumps(-1, "; no core dumps"));
	assert_true(says_of_dumps(SCMP_SYS(prctl), made));
	/* setrlimit of the C library, which asks by it, too; where there is something to forbid */
	if (getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max > 0)
		assert_true(says_of_dumps(SCMP_SYS(prlimit64), made));
}

static int setup(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct confine c = { 0 };
	socklen_t len = sizeof(at);
	char text[CONFINE_TEXT_MAX];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;
	int status;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test_confine.XXXXXX");
	snprintf(other, sizeof(other), "/tmp/test_confine.XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_non_null(mkdtemp(other));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	listening_port = ntohs(at.sin_port);
	pid = fork();
	if (pid == 0) {
		confine_apply(&c, text);
		fprintf(stderr, "%s\n", text);
		_exit(strstr(text, "no seccomp") != NULL    ? 2
		      : strstr(text, "no Landlock") != NULL ? 1
							    : 0);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	has_landlock = WEXITSTATUS(status) == 0;
	return WEXITSTATUS(status) == 2 ? -1 : 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "a", "b", "new", "out", "core" };

	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
		snprintf(path, sizeof(path), "%s/%s", other, names[i]);
		unlink(path);
	}
	rmdir(folder);
	rmdir(other);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_attackers_want_ends_it),
		cmocka_unit_test(the_rest_is_not_there),
		cmocka_unit_test(what_is_needed_works),
		cmocka_unit_test(files_elsewhere_are_out_of_reach),
		cmocka_unit_test(sockets_are_of_few_kinds),
		cmocka_unit_test(names_need_unix_sockets_where_programs_are_asked),
		cmocka_unit_test(ports_are_named),
		cmocka_unit_test(sources_have_any_port),
		cmocka_unit_test(there_are_no_dumps_of_keys),
		cmocka_unit_test(what_is_said_of_dumps_is_true),
	};

	if (PEERWALK_UNCONFINED[0] != '\0') {
		puts("skipped: built for " PEERWALK_UNCONFINED ", and not confined");
		return 77;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
