/* test_signals.c: the first signal asks, the second ends at once, and SIGHUP opens a log anew:
 * of child processes, by what they wrote and how they ended. */

#include "cli/cli.h"
#include "cli/signals.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
	pid_t pid;
	int told; /* a byte for each thing that it does */
};

static void tell(int fd, char what)
{
	assert_int_equal(write(fd, &what, 1), 1);
}

struct inside {
	uv_loop_t loop;
	struct signals signals;
	int tell;
};

static void on_signal(void *ctx, int status)
{
	struct inside *in = ctx;

	tell(in->tell, status == EXIT_TERMINATED ? 'T' : status == EXIT_INTERRUPTED ? 'I' : '?');
}

/* Hears of signals, and does not end for them. */
static void run_child(int fd, const char *log_path)
{
	struct log_config config = { .level = LOG_INFO, .path = log_path };
	char why[LOG_WHY_MAX];
	struct inside in = { .tell = fd };
	struct log *log;

	uv_loop_init(&in.loop);
	signals_watch(&in.signals, &in.loop, on_signal, &in);
	if (log_path != NULL) {
		assert_int_equal(log_open(&config, &log, why), ERR_OK);
		signals_watch_log(&in.signals, log);
	}
	tell(fd, 'r');
	uv_run(&in.loop, UV_RUN_DEFAULT);
	_exit(1);
}

static struct child child_new(const char *log_path)
{
	struct child c;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	fflush(stdout);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (c.pid == 0)
		run_child(ends[1], log_path);
	close(ends[1]);
	c.told = ends[0];
	return c;
}

static void assert_told(const struct child *c, char what)
{
	char got = '\0';

	assert_int_equal(read(c->told, &got, 1), 1);
	assert_int_equal(got, what);
}

static void assert_ended_by(const struct child *c, int signal)
{
	int status;
	char more;

	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal);
	assert_int_equal(read(c->told, &more, 1), 0); /* it was told once */
	close(c->told);
}

static void second_signal_ends(void **state)
{
	static const struct {
		int first, second;
		char told;
	} rows[] = {
		{ SIGTERM, SIGTERM, 'T' },
		{ SIGINT, SIGINT, 'I' },
		{ SIGTERM, SIGINT, 'T' },
		{ SIGINT, SIGTERM, 'I' },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct child c = child_new(NULL);

		assert_told(&c, 'r');
		kill(c.pid, rows[i].first);
		assert_told(&c, rows[i].told);
		kill(c.pid, rows[i].second);
		assert_ended_by(&c, rows[i].second);
	}
}

static void hangup_opens_the_log_anew(void **state)
{
	char folder[] = "test_signals.XXXXXX", path[64], moved[64];
	struct child c;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/log", folder);
	snprintf(moved, sizeof(moved), "%s/log.1", folder);
	c = child_new(path);
	assert_told(&c, 'r');
	assert_int_equal(rename(path, moved), 0);
	kill(c.pid, SIGHUP);
	while (access(path, F_OK) != 0)
		usleep(1000);
	kill(c.pid, SIGTERM);
	assert_told(&c, 'T');
	kill(c.pid, SIGTERM);
	assert_ended_by(&c, SIGTERM);
	unlink(path);
	unlink(moved);
	rmdir(folder);
}

static void hangup_without_a_log_ends(void **state)
{
	struct child c = child_new(NULL);

	(void)state;
	assert_told(&c, 'r');
	kill(c.pid, SIGHUP);
	assert_ended_by(&c, SIGHUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_signal_ends),
		cmocka_unit_test(hangup_opens_the_log_anew),
		cmocka_unit_test(hangup_without_a_log_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
