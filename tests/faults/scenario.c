/* scenario.c: runs scenarios with each of their allocations failing (scenario.h).
 *
 *     alloc_faults [GROUP [SCENARIO [NUMBER [once|on]]]]
 *
 * PEERWALK_FAULTS=all: every allocation, and not a sample of them, by some workers side by side. A
 * point is run in a process that goes on with the worker's next one: if it dies, the worker says
 * where, and begins another one behind it. */
#include "faults/scenario.h"

#include "base/hash.h"
#include "cli/spare.h"
#include "support/sanitized.h"

#include <dirent.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	POINT_S = 100,    /* a point that takes longer hangs */
	LEAK_REPEATS = 3, /* what grows each time is a leak; what grows once is kept for later */
	DEATHS_MAX = 20,
	/* In the long form; where there are threads most of a point is waiting. */
	WORKERS = 6,
	WAITERS = 48,
};

static const struct {
	const char *name;
	const struct scenario *scenarios;
} groups[] = {
	{ "base", base_scenarios },     { "engine", engine_scenarios },
	{ "store", store_scenarios },   { "report", report_scenarios },
	{ "export", export_scenarios }, { "places", places_scenarios },
	{ "web", web_scenarios },       { "io", io_scenarios },
	{ "api", api_scenarios },       { "live", live_scenarios },
	{ "cli", cli_scenarios },
};

/* What a worker and whoever runs its points both see. */
static struct shared {
	unsigned first, workers; /* its points are first, first + workers... */
	unsigned long at;        /* the point that is run, or the next one */
	enum failing_how how;    /* ... and how it fails */
	bool began, over;        /* a point is run; all of them are done */
	unsigned points, hits, silent, failures;
} * shared, *of_workers;

static bool is_long;
static struct hash_key result = { 1, 2 };
static const struct scenario *current;

void said(struct slice bytes)
{
	result.k0 = hash_siphash13(&result, bytes.data, bytes.len);
}

void said_number(uint64_t n)
{
	said(slice_of(&n, sizeof(n)));
}

void wanted(bool ok, const char *what, const char *file, int line)
{
	if (ok)
		return;
	shared->failures++;
	fprintf(stderr, "FAILED: %s, allocation %lu%s: %s (%s:%d)\n", current->name, shared->at,
		shared->how == FAIL_ON ? " and later ones" : "", what, file, line);
}

/* --- a folder for each worker --- */

static char folder[128];

const char *scenario_folder(void)
{
	return folder;
}

static void make_folder(void)
{
	const char *base = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%.90s/peerwalk-faults.XXXXXX",
		 base != NULL ? base : "/tmp");
	if (mkdtemp(folder) == NULL) {
		perror(folder);
		exit(1);
	}
}

static void remove_folder(void)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[512];

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		unlink(path);
	}
	closedir(dir);
	rmdir(folder);
}

/* Nothing is lost here by a power cut, and a disk would take most of the time. */
__attribute__((visibility("default"))) int fsync(int fd)
{
	(void)fd;
	return 0;
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
	(void)fd;
	return 0;
}

/* --- one point --- */

/* at 0: nothing fails. */
static enum err run_once(const struct scenario *s, unsigned long at, enum failing_how how,
			 unsigned long *asked, unsigned long *failed, uint64_t *digest, long *left)
{
	long before = failing_live();
	enum err err;

	alarm(POINT_S);
	if (s->before != NULL)
		s->before();
	result = (struct hash_key){ 1, 2 };
	failing_arm(at > 0 ? at : UINT64_MAX, how);
	err = s->run();
	*asked = failing_disarm(failed);
	*digest = result.k0;
	if (s->after != NULL)
		s->after(err);
	alarm(0);
	*left = failing_live() - before;
	return err;
}

static bool leaks(const struct scenario *s, unsigned long at, enum failing_how how)
{
	unsigned long asked, failed;
	uint64_t digest;
	long left = 1;

	for (unsigned i = 0; i < LEAK_REPEATS && left > 0; i++)
		run_once(s, at, how, &asked, &failed, &digest, &left);
	return left > 0;
}

/* False: nothing failed any more. */
static bool run_point(const struct scenario *s, uint64_t right)
{
	unsigned long at = shared->at, asked, failed;
	uint64_t digest;
	long left;
	enum err err = run_once(s, at, shared->how, &asked, &failed, &digest, &left);

	shared->points++;
	shared->hits += failed > 0;
	shared->silent += failed > 0 && err == ERR_OK;
	want(err == ERR_OK || (err == ERR_NOMEM && failed > 0));
	want(err != ERR_OK || digest == right);
	want(left <= 0 || s->foreign_leaks || !leaks(s, at, shared->how));
	return failed > 0;
}

/* --- all of one kind --- */

static unsigned long stride(const struct scenario *s, unsigned long count)
{
	unsigned points = s->points > 0 ? s->points : POINTS_SHORT;

	return is_long || count <= points ? shared->workers : (count + points - 1) / points;
}

static void run_points(const struct scenario *s)
{
	unsigned long count = 0, failed;
	uint64_t right;
	long left;

	/* What libraries keep for good is there by the second time. */
	for (unsigned i = 0; i < 2; i++)
		want(run_once(s, 0, FAIL_ONCE, &count, &failed, &right, &left) == ERR_OK);
	for (; shared->how <= FAIL_ON; shared->how++, shared->at = shared->first) {
		for (;; shared->at += stride(s, count)) {
			if (s->threads && shared->at > count)
				break; /* there may always be one more */
			shared->began = true;
			if (!run_point(s, right))
				break;
		}
	}
	shared->over = true;
}

static void tell_death(const struct scenario *s, int status)
{
	shared->failures++;
	fprintf(stderr, "FAILED: %s, allocation %lu%s: %s\n", s->name, shared->at,
		shared->how == FAIL_ON ? " and later ones" : "",
		WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "it hangs"
		: WIFSIGNALED(status)                              ? strsignal(WTERMSIG(status))
								   : "it exits");
}

/* Where that was. */
static void show_point(const struct scenario *s)
{
	unsigned long asked, failed;
	uint64_t digest;
	long left;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		run_once(s, 0, FAIL_ONCE, &asked, &failed, &digest, &left);
		failing_tell(true);
		run_once(s, shared->at, shared->how, &asked, &failed, &digest, &left);
		_exit(0);
	}
	waitpid(pid, &status, 0);
}

static void work(const struct scenario *s)
{
	unsigned deaths = 0;

	make_folder();
	while (!shared->over && deaths < DEATHS_MAX) {
		pid_t pid;
		int status = 0;

		fflush(NULL);
		shared->began = false;
		pid = fork();
		if (pid == 0) {
			run_points(s);
			exit(0); /* where a leak checker looks */
		}
		waitpid(pid, &status, 0);
		if (status == 0)
			continue;
		tell_death(s, status);
		if (!shared->began || shared->over)
			break;
		show_point(s);
		deaths++;
		shared->at += shared->workers;
	}
	remove_folder();
}

static bool run_scenario(const struct scenario *s)
{
	struct shared sum = { 0 };
	unsigned workers = !is_long ? 1 : s->threads ? WAITERS : WORKERS;
	int status;

	current = s;
	for (unsigned i = 0; i < workers; i++) {
		shared = &of_workers[i];
		*shared = (struct shared){ .first = i + 1, .workers = workers, .at = i + 1 };
		if (fork() == 0) {
			work(s);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		sum.failures += status != 0;
	for (unsigned i = 0; i < workers; i++) {
		sum.points += of_workers[i].points;
		sum.hits += of_workers[i].hits;
		sum.silent += of_workers[i].silent;
		sum.failures += of_workers[i].failures;
	}
	printf("%-28s %6u points, %6u failed here, %5u of them harmless, %u faults\n", s->name,
	       sum.points, sum.hits, sum.silent, sum.failures);
	return sum.failures == 0 && sum.hits > 0;
}

/* One point, in this process, for a debugger. */
static int run_one(const struct scenario *s, const char *at, const char *how)
{
	unsigned long asked, failed;
	uint64_t digest, right;
	long left;
	enum err err;

	current = s;
	make_folder();
	shared = of_workers;
	shared->at = strtoul(at, NULL, 10);
	shared->how = how != NULL && strcmp(how, "on") == 0 ? FAIL_ON : FAIL_ONCE;
	for (unsigned i = 0; i < 2; i++)
		run_once(s, 0, FAIL_ONCE, &asked, &failed, &right, &left);
	printf("%lu allocations, %ld left\n", asked, left);
	failing_tell(true);
	err = run_once(s, shared->at, shared->how, &asked, &failed, &digest, &left);
	printf("%s, %lu failed, %s, %ld left, %s\n", err_name(err), failed,
	       digest == right ? "the same" : "another result", left,
	       leaks(s, shared->at, shared->how) ? "leaks" : "no leak");
	remove_folder();
	return shared->failures > 0;
}

int main(int argc, char **argv)
{
	const char *all = getenv("PEERWALK_FAULTS");
	size_t size = sizeof(struct shared) * WAITERS;
	unsigned bad = 0, ran = 0;

#if defined(__SANITIZE_THREAD__)
	puts("skipped: ThreadSanitizer bears no process that forks beside its own allocator");
	return 77;
#endif
	is_long = all != NULL && strcmp(all, "all") == 0;
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	signal(SIGPIPE, SIG_IGN);
	/* Each allocation of SQLite's is one of malloc's. */
	sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
	spare_use();
	of_workers = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (of_workers == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		if (argc > 1 && strcmp(argv[1], groups[i].name) != 0)
			continue;
		for (const struct scenario *s = groups[i].scenarios; s->name != NULL; s++) {
			if (argc > 2 ? strcmp(argv[2], s->name) != 0 : s->long_form && !is_long)
				continue;
			ran++;
			bad += argc > 3 ? (unsigned)run_one(s, argv[3], argv[4]) : !run_scenario(s);
		}
	}
	printf("%u scenarios, %u with faults\n", ran, bad);
	return bad > 0 || ran == 0;
}
