#include "cli/confine.h"

#include "cli/alloc.h"
#include "cli/confine_calls.h"
#include "cli/confine_files.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

/* --- what is kept --- */

void confine_allow(struct confine *c, const char *path, unsigned rights)
{
	c->paths = alloc_grow(c->paths, c->paths_count + 1, sizeof(*c->paths));
	c->paths[c->paths_count++] =
		(struct confine_path){ alloc_text(path, strlen(path)), rights };
}

void confine_allow_folder(struct confine *c, const char *path, unsigned rights)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL   ? alloc_text(".", 1)
		       : slash == path ? alloc_text("/", 1)
				       : alloc_text(path, (size_t)(slash - path));

	confine_allow(c, folder, rights);
	free(folder);
}

void confine_allow_port(struct confine *c, uint16_t port)
{
	c->ports = alloc_grow(c->ports, c->ports_count + 1, sizeof(*c->ports));
	c->ports[c->ports_count++] = port;
}

void confine_clear(struct confine *c)
{
	for (size_t i = 0; i < c->paths_count; i++)
		free(c->paths[i].path);
	free(c->paths);
	free(c->ports);
	*c = (struct confine){ 0 };
}

/* --- names --- */

static bool is_builtin(const char *name, size_t len)
{
	return (len == 5 && strncmp(name, "files", len) == 0) ||
	       (len == 3 && strncmp(name, "dns", len) == 0);
}

/* The system's resolver loads what nsswitch.conf names at the first question, and by then nothing
 * can be loaded any more. `files` and `dns` are part of the C library; any other asks a program of
 * this machine, by a Unix socket. */
static bool load_service(const char *name, size_t len)
{
	char file[64];
	int n = snprintf(file, sizeof(file), "libnss_%.*s.so.2", (int)len, name);
	void *service;

	if (is_builtin(name, len) || n < 0 || (size_t)n >= sizeof(file))
		return false;
	/* One that isn't installed is not used either. It stays for as long as the process. */
	service = dlopen(file, RTLD_NOW | RTLD_NODELETE);
	if (service == NULL)
		return false;
	dlclose(service);
	return true;
}

/* "resolve [!UNAVAIL=return] files dns" */
static bool load_services(const char *list)
{
	bool loaded = false;

	for (;;) {
		size_t len;

		list += strspn(list, " \t");
		len = *list == '[' ? strcspn(list, "]\n") : strcspn(list, " \t\n#[");
		if (len == 0)
			return loaded;
		if (*list != '[' && load_service(list, len))
			loaded = true;
		list += len + (list[len] == ']' ? 1 : 0);
	}
}

/* Whether it asks programs of this machine. */
static bool load_resolver(void)
{
	bool loaded = false;
	static const char key[] = "hosts:";
	FILE *f = fopen("/etc/nsswitch.conf", "re");
	char line[1024];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, key, sizeof(key) - 1) == 0)
			loaded |= load_services(line + sizeof(key) - 1);
	}
	if (f != NULL)
		fclose(f);
	return loaded;
}

/* Its files. Who rewrites resolv.conf elsewhere, and has a link to it in /etc, has a folder for
 * that, in which the file is another one each time. */
static void allow_resolver(struct confine *c)
{
	static const char *const files[] = {
		"/etc/resolv.conf", "/etc/hosts",    "/etc/host.conf",  "/etc/nsswitch.conf",
		"/etc/gai.conf",    "/etc/services", "/etc/mdns.allow",
	};
	char *real = realpath(files[0], NULL);

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		confine_allow(c, files[i], CONFINE_READ);
	if (real != NULL && strncmp(real, "/etc/", 5) != 0)
		confine_allow_folder(c, real, CONFINE_READ);
	free(real);
}

/* --- the rest --- */

/* Says how it went. By the limit, and, as a program that takes the dumps knows none, by the flag;
 * with that nobody attaches to it either, but root. */
static void forbid_dumps(char *text, size_t cap)
{
	const char *by_limit = NULL, *by_flag = NULL;
	struct rlimit limit;

	if ((getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max > 0) &&
	    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }) != 0)
		by_limit = strerror(errno);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		by_flag = strerror(errno);
	if (by_limit == NULL && by_flag == NULL)
		snprintf(text, cap, "; no core dumps");
	else
		snprintf(text, cap, "; core dumps may be made (%s)",
			 by_flag != NULL ? by_flag : by_limit);
}

static void apply(struct confine *c, char text[static CONFINE_TEXT_MAX])
{
	char dumps[96] = "";
	int error, abi;
	int len = 0;

	if (c->net & CONFINE_NAMES) {
		c->net |= load_resolver() ? CONFINE_LOCAL : 0;
		allow_resolver(c);
	}
	tzset(); /* reads the time zone's file */
	if (c->secrets)
		forbid_dumps(dumps, sizeof(dumps));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		snprintf(text, CONFINE_TEXT_MAX, "not confined: %s", strerror(errno));
		return;
	}
	abi = confine_files(c);
	if (abi > 0)
		len = snprintf(text, CONFINE_TEXT_MAX, "confined: files and ports by Landlock %d",
			       abi);
	else
		len = snprintf(text, CONFINE_TEXT_MAX,
			       "confined, but not files and ports (no Landlock: %s)",
			       strerror(errno));
	error = confine_calls(c->net);
	if (len < 0 || len >= CONFINE_TEXT_MAX)
		return;
	if (error == 0)
		snprintf(text + len, CONFINE_TEXT_MAX - (size_t)len, "; system calls by seccomp%s",
			 dumps);
	else
		snprintf(text + len, CONFINE_TEXT_MAX - (size_t)len,
			 "; not system calls (no seccomp: %s)%s", strerror(error), dumps);
}

void confine_apply(struct confine *c, char text[static CONFINE_TEXT_MAX])
{
	if (PEERWALK_UNCONFINED[0] != '\0')
		snprintf(text, CONFINE_TEXT_MAX, "not confined: this program is built for %s",
			 PEERWALK_UNCONFINED);
	else
		apply(c, text);
}
