#include "faults/run.h"

#include "base/hash.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *program, *shim;
static char base[160], shared[200], folder[200], seed[512];
static pid_t simulator;

const char *run_call_name(enum fault_call call)
{
	static const char *const names[] = {
#define FAULT_NAME(name) #name,
		FAULT_CALLS(FAULT_NAME)
#undef FAULT_NAME
	};

	return names[call];
}

void run_with(const char *the_program, const char *the_shim)
{
	program = the_program;
	shim = the_shim;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void pause_ms(unsigned ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

/* --- folders and files --- */

static void empty_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char file[512];

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		unlink(file);
	}
	if (dir != NULL)
		closedir(dir);
}

/* The beginning of a file as text; "" if there is none. */
static void read_text(const char *in, const char *name, char *out, size_t cap)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", in, name);
	f = fopen(path, "rb");
	out[f != NULL ? fread(out, 1, cap - 1, f) : 0] = 0;
	if (f != NULL)
		fclose(f);
}

/* --- processes --- */

/* Words of a template: %d the run's folder, %c what all runs share, %s somebody to begin with. */
static void fill_words(const char *template, char *room, size_t cap, char **argv)
{
	size_t len = 0;
	int argc = 0;
	char *save, *word;

	for (const char *p = template; *p != 0 && len < cap; p++) {
		char one[2] = { *p };
		const char *piece = one;

		if (*p == '%') {
			p++;
			piece = *p == 'd' ? folder : *p == 'c' ? shared : seed;
		}
		len += (size_t)snprintf(room + len, cap - len, "%s", piece);
	}
	argv[argc++] = (char *)(uintptr_t)program;
	for (word = strtok_r(room, " ", &save); word != NULL && argc + 1 < RUN_ARGS_MAX;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
}

static void redirect(const char *in, const char *name, int fd)
{
	char path[512];
	int file;

	snprintf(path, sizeof(path), "%s/%s", in, name);
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (file < 0)
		die(path);
	dup2(file, fd);
	close(file);
}

static pid_t start(const char *template, const char *in)
{
	char room[4096], *argv[RUN_ARGS_MAX];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	fill_words(template, room, sizeof(room), argv);
	redirect(in, "out", STDOUT_FILENO);
	redirect(in, "err", STDERR_FILENO);
	close(STDIN_FILENO);
	open("/dev/null", O_RDONLY);
	execv(program, argv);
	_exit(127);
}

static void number_into(const char *name, unsigned long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", number);
	setenv(name, text, 1);
}

static void set_fault(const struct fault *fault)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/report", folder);
	setenv("FAULT_REPORT", path, 1);
	setenv("FAULT_CALL", fault != NULL ? run_call_name(fault->call) : "", 1);
	number_into("FAULT_ERRNO", fault != NULL ? (unsigned long)fault->error : 0);
	number_into("FAULT_AT", fault != NULL ? fault->at : 0);
	number_into("FAULT_EVERY", fault != NULL ? fault->every : 0);
	setenv("LD_PRELOAD", shim, 1);
}

static void make_report(void)
{
	static const struct fault_report zero;
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/report", folder);
	f = fopen(path, "wb");
	if (f == NULL || fwrite(&zero, sizeof(zero), 1, f) != 1 || fclose(f) != 0)
		die(path);
}

static void read_report(struct run *out)
{
	struct fault_report report = { 0 };
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/report", folder);
	f = fopen(path, "rb");
	if (f == NULL || fread(&report, sizeof(report), 1, f) != 1)
		die(path);
	fclose(f);
	for (int i = 0; i < FAULT_CALL_COUNT; i++)
		out->calls[i] = report.calls[i];
	out->failed = report.failed;
}

/* Its end, or the end of our patience. */
static void await(pid_t pid, struct run *out)
{
	struct rusage usage;
	int status;

	for (unsigned ms = 0; wait4(pid, &status, WNOHANG, &usage) == 0; ms += 5) {
		if (ms >= HANG_S * 1000 && !out->hung) {
			out->hung = true;
			kill(pid, SIGKILL);
		}
		pause_ms(5);
	}
	out->cpu_s = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
		     (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
	if (WIFSIGNALED(status) && !out->hung)
		out->signal = WTERMSIG(status);
	if (WIFEXITED(status))
		out->status = WEXITSTATUS(status);
}

static bool is_sound(void)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	char path[512];
	struct stat file;
	bool sound;

	snprintf(path, sizeof(path), "%s/x.db", folder);
	if (stat(path, &file) != 0)
		return true;
	sound = sqlite3_open(path, &db) == SQLITE_OK &&
		sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &st, NULL) == SQLITE_OK &&
		sqlite3_step(st) == SQLITE_ROW &&
		strcmp((const char *)sqlite3_column_text(st, 0), "ok") == 0;
	sqlite3_finalize(st);
	sqlite3_close(db);
	return sound;
}

void run_program(const struct sweep *s, const struct fault *fault, struct run *out)
{
	pid_t pid;

	memset(out, 0, sizeof(*out));
	empty_folder(folder);
	make_report();
	set_fault(fault);
	pid = start(s->args, folder);
	unsetenv("LD_PRELOAD");
	if (s->visit != NULL) {
		s->visit(folder);
		kill(pid, SIGTERM);
	}
	await(pid, out);
	if (s->visit != NULL && out->status == 128 + SIGTERM)
		out->status = 0; /* as documented */
	if (s->visit != NULL && out->signal == SIGTERM)
		out->signal = 0; /* before it could take it */
	read_report(out);
	read_text(folder, "err", out->err, sizeof(out->err));
	out->sound = is_sound();
	s->look(folder, out);
}

/* --- what the runs of a scenario share --- */

static bool simulate(const struct sweep *s, unsigned port)
{
	char args[512], text[RUN_TEXT_MAX];
	int status;

	snprintf(args, sizeof(args),
		 "simulate %s --peers 6 --ghosts 0 --seed 3 --latency 5ms --jitter 1ms --port %u "
		 "--truth %%c/truth.csv --seeds-out %%c/seeds.txt",
		 s->network, port);
	simulator = start(args, shared);
	for (unsigned i = 0; i < 2000; i++) {
		read_text(shared, "out", text, sizeof(text));
		if (strstr(text, "\"ready\":true") != NULL)
			return true;
		if (waitpid(simulator, &status, WNOHANG) != 0)
			return false; /* the port is taken */
		pause_ms(10);
	}
	return false;
}

/* A database to read. */
static void make_data(void)
{
	struct run run = { 0 };
	char room[256];

	await(start("crawl bitcoin-regtest --no-default-seeds --seeds %c/seeds.txt --allow-private "
		    "--adverts --quiet --db %c/data.db",
		    shared),
	      &run);
	if (run.status == 0)
		return;
	read_text(shared, "err", room, sizeof(room));
	fprintf(stderr, "%s\n", room);
	exit(1);
}

/* Something of each kind that may stand in such a file. */
static void make_settings(void)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/settings.ini", shared);
	f = fopen(path, "wb");
	if (f == NULL ||
	    fputs("; of all\ndb = x.db\n[peers]\nconnect-timeout = 5s\n"
		  "[node]\nlisten = 127.0.0.1:1\n listen = 127.0.0.1:2\n",
		  f) < 0 ||
	    fclose(f) != 0)
		die(path);
}

static void make_folder(char *path, size_t cap, const char *name)
{
	snprintf(path, cap, "%s/%s", base, name);
	if (mkdir(path, 0700) != 0)
		die(path);
}

void run_begin(const struct sweep *s)
{
	const char *tmp = getenv("TMPDIR");
	bool up = s->network == NULL;

	snprintf(base, sizeof(base), "%.90s/peerwalk-sweep.XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(base) == NULL)
		die(base);
	make_folder(shared, sizeof(shared), "shared");
	make_settings();
	for (unsigned i = 0; i < 50 && !up; i++)
		up = simulate(s, 10000 + ((unsigned)getpid() * 5 + i * 500) % 20000);
	if (!up) {
		fprintf(stderr, "cannot simulate %s\n", s->network);
		exit(1);
	}
	if (s->network != NULL) {
		read_text(shared, "seeds.txt", seed, sizeof(seed));
		seed[strcspn(seed, "\n")] = 0;
	}
	if (s->needs_data)
		make_data();
}

void run_worker(unsigned number)
{
	char name[32];

	snprintf(name, sizeof(name), "w%u", number);
	make_folder(folder, sizeof(folder), name);
}

void run_end(const struct sweep *s)
{
	DIR *dir = opendir(base);
	struct dirent *entry;
	char path[512];

	if (s->network != NULL) {
		kill(simulator, SIGTERM);
		waitpid(simulator, NULL, 0);
	}
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", base, entry->d_name);
		empty_folder(path);
		rmdir(path);
	}
	closedir(dir);
	rmdir(base);
}

bool wait_worker(void)
{
	int status = 0;

	while (wait(&status) == simulator)
		continue;
	return status == 0;
}
