#include "cli/confine_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What came after the first version of the header, under names of our own: the header may be older
 * than the kernel that this runs on. (linux/landlock.h of Linux 6.15; nothing of it changes.) */
enum {
	FIRST_FS = (1 << 13) - 1, /* 1: EXECUTE to MAKE_SYM */
	FS_REFER = 1 << 13,       /* 2 */
	FS_TRUNCATE = 1 << 14,    /* 3 */
	FS_IOCTL_DEV = 1 << 15,   /* 5 */
	/* What a file can have; the rest is said of folders alone. */
	OF_FILES = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
		   LANDLOCK_ACCESS_FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV,
	NET_BIND_TCP = 1 << 0, /* 4 */
	NET_CONNECT_TCP = 1 << 1,
	RULE_NET_PORT = 2,
	SCOPE_ABSTRACT_UNIX = 1 << 0, /* 6 */
	SCOPE_SIGNAL = 1 << 1,
	RESTRICT_TSYNC = 1 << 3, /* 8 */
};

struct ruleset {
	uint64_t handled_fs, handled_net, scoped;
};

struct port_rule {
	uint64_t allowed, port;
};

/* How much of `struct ruleset` a version knows. */
static size_t ruleset_size(int abi)
{
	if (abi >= 6)
		return sizeof(struct ruleset);
	return abi >= 4 ? offsetof(struct ruleset, scoped) : offsetof(struct ruleset, handled_net);
}

static bool notifies_abstractly(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path != NULL && path[0] == '@';
}

/* Of a port that the kernel chooses for UDP a node wants the same number for TCP. */
static bool any_port(const struct confine *c)
{
	for (size_t i = 0; i < c->ports_count; i++) {
		if (c->ports[i] == 0)
			return true;
	}
	return false;
}

static struct ruleset what_is_handled(const struct confine *c, int abi)
{
	struct ruleset r = { .handled_fs = FIRST_FS };

	r.handled_fs |= abi >= 2 ? FS_REFER : 0;
	r.handled_fs |= abi >= 3 ? FS_TRUNCATE : 0;
	r.handled_fs |= abi >= 5 ? FS_IOCTL_DEV : 0;
	if (abi >= 4 && !any_port(c))
		r.handled_net |= NET_BIND_TCP;
	if (abi >= 4 && (c->net & (CONFINE_DIAL | CONFINE_NAMES)) == 0)
		r.handled_net |= NET_CONNECT_TCP;
	if (abi >= 6)
		r.scoped = SCOPE_SIGNAL | (notifies_abstractly() ? 0 : SCOPE_ABSTRACT_UNIX);
	return r;
}

static uint64_t access_of(unsigned rights)
{
	uint64_t out = 0;

	out |= rights & CONFINE_READ ? LANDLOCK_ACCESS_FS_READ_FILE : 0;
	out |= rights & CONFINE_WRITE ? LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE : 0;
	out |= rights & CONFINE_LIST ? LANDLOCK_ACCESS_FS_READ_DIR : 0;
	out |= rights & CONFINE_MAKE ? LANDLOCK_ACCESS_FS_MAKE_REG : 0;
	out |= rights & CONFINE_SOCKET ? LANDLOCK_ACCESS_FS_MAKE_SOCK : 0;
	out |= rights & (CONFINE_MAKE | CONFINE_SOCKET) ? LANDLOCK_ACCESS_FS_REMOVE_FILE : 0;
	return out;
}

/* 0, or errno. What is not there needs no rule. */
static int add_path(int ruleset, uint64_t handled, const struct confine_path *path)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = access_of(path->rights) & handled,
		.parent_fd = open(path->path, O_PATH | O_CLOEXEC),
	};
	struct stat st;
	int error = 0;

	if (rule.parent_fd < 0)
		return 0;
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= OF_FILES;
	if (rule.allowed_access != 0 &&
	    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
		error = errno;
	close(rule.parent_fd);
	/* A pipe, say, which is in no tree of files, and not restricted. */
	return error == EBADFD ? 0 : error;
}

static int add_port(int ruleset, uint16_t port)
{
	const struct port_rule rule = { .allowed = NET_BIND_TCP, .port = port };

	return syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) == 0 ? 0 : errno;
}

/* What every process reads sooner or later: the C library, SQLite, our metrics. */
static const struct confine_path common[] = {
	{ "/dev/null", CONFINE_READ | CONFINE_WRITE },
	{ "/dev/urandom", CONFINE_READ },
	{ "/etc/localtime", CONFINE_READ },
	{ "/usr/share/zoneinfo", CONFINE_READ },
	{ "/usr/lib/locale", CONFINE_READ | CONFINE_LIST },
	{ "/proc/self", CONFINE_READ | CONFINE_LIST },
	{ "/proc/stat", CONFINE_READ },
	{ "/proc/sys/vm/overcommit_memory", CONFINE_READ },
	{ "/sys/devices/system/cpu/online", CONFINE_READ },
};

static int add_rules(const struct confine *c, int ruleset, const struct ruleset *handled)
{
	int error = 0;

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]) && error == 0; i++)
		error = add_path(ruleset, handled->handled_fs, &common[i]);
	for (size_t i = 0; i < c->paths_count && error == 0; i++)
		error = add_path(ruleset, handled->handled_fs, &c->paths[i]);
	for (size_t i = 0; i < c->ports_count && error == 0 && handled->handled_net & NET_BIND_TCP;
	     i++)
		error = add_port(ruleset, c->ports[i]);
	/* To Landlock 0 is a port as others are. */
	if (error == 0 && c->net & CONFINE_SOURCE && handled->handled_net & NET_BIND_TCP)
		error = add_port(ruleset, 0);
	return error;
}

int confine_files(const struct confine *c)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset handled;
	int fd, error;

	if (abi < 1)
		return 0;
	handled = what_is_handled(c, (int)abi);
	fd = (int)syscall(SYS_landlock_create_ruleset, &handled, ruleset_size((int)abi), 0);
	if (fd < 0)
		return 0;
	error = add_rules(c, fd, &handled);
	if (error == 0 &&
	    syscall(SYS_landlock_restrict_self, fd, abi >= 8 ? RESTRICT_TSYNC : 0) != 0)
		error = errno;
	close(fd);
	errno = error;
	return error == 0 ? (int)abi : 0;
}
