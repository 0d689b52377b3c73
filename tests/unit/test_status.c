/* test_status.c: questions and answers over a Unix socket, and clients that ask for trouble. */
#include "io/status.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	BIG = 8 << 20, /* more than the socket's buffers hold */
	/* The time of a client, where the test waits for its end: a machine that has much else to
	 * do answers by then. */
	SOON_MS = 1000,
};

static char folder[64], path[96];

/* A node in a thread of its own. */
struct server {
	uv_loop_t loop;
	uv_thread_t thread;
	uv_async_t stop;
	struct status *status;
	unsigned asked;
};

static bool answer(void *ctx, const char *question, struct text *out)
{
	struct server *s = ctx;

	s->asked++;
	if (strcmp(question, "big") == 0) {
		for (unsigned i = 0; i < BIG / 1024; i++)
			text_printf(out, "%1024u", i);
		return true;
	}
	text_printf(out, "{\"asked\":\"%s\"}", question);
	return strcmp(question, "status") == 0;
}

static void on_stop(uv_async_t *async)
{
	struct server *s = async->data;

	status_stop(s->status);
	uv_close((uv_handle_t *)async, NULL);
}

static void serve(void *arg)
{
	struct server *s = arg;

	uv_run(&s->loop, UV_RUN_DEFAULT);
}

static void server_start(struct server *s, uint64_t client_ms)
{
	char why[STATUS_WHY_MAX] = "";

	*s = (struct server){ 0 };
	uv_loop_init(&s->loop);
	uv_async_init(&s->loop, &s->stop, on_stop);
	s->stop.data = s;
	if (status_start(&s->loop,
			 &(struct status_config){
				 .path = path, .answer = answer, .ctx = s, .client_ms = client_ms },
			 &s->status, why) != ERR_OK)
		fail_msg("%s", why);
	assert_int_equal(uv_thread_create(&s->thread, serve, s), 0);
}

static void server_stop(struct server *s)
{
	uv_async_send(&s->stop);
	uv_thread_join(&s->thread);
	assert_int_equal(uv_loop_close(&s->loop), 0); /* nothing is left open */
}

/* Somebody who is about to start at the same path. */
static enum err try_start(char why[static STATUS_WHY_MAX])
{
	struct status *status = NULL;
	uv_loop_t loop;
	enum err err;

	uv_loop_init(&loop);
	err = status_start(&loop, &(struct status_config){ .path = path, .answer = answer },
			   &status, why);
	status_stop(status);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
	return err;
}

static int start(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "test_status.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/status", folder);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static int dial(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* All until the end, NUL added. */
static size_t read_all(int fd, char *out, size_t cap)
{
	size_t len = 0;
	ssize_t got;

	while ((got = recv(fd, out + len, cap - 1 - len, 0)) > 0)
		len += (size_t)got;
	out[len] = '\0';
	return len;
}

static void assert_asked(const char *question, const char *expected)
{
	char why[STATUS_WHY_MAX] = "";
	struct text out = { 0 };

	if (status_ask(path, question, &out, why) != ERR_OK)
		fail_msg("%s", why);
	assert_string_equal(out.data, expected);
	text_clear(&out);
}

/* Places are free again: at the end of the turn of the loop in which a client was closed, so that
 * whoever comes at once may be sent away. */
static void assert_asked_at_last(void)
{
	char why[STATUS_WHY_MAX];
	struct text out = { 0 };

	while (status_ask(path, "status", &out, why) != ERR_OK)
		usleep(1000);
	assert_string_equal(out.data, "{\"asked\":\"status\"}\n");
	text_clear(&out);
}

/* --- questions --- */

static void questions(void **state)
{
	struct server s;
	struct stat st;

	(void)state;
	server_start(&s, 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_asked("status", "{\"asked\":\"status\"}\n");
	assert_asked("nonsense", "{\"error\":\"there is no such question\"}\n");
	assert_asked("", "{\"error\":\"there is no such question\"}\n");
	server_stop(&s);
	assert_int_equal(stat(path, &st), -1);
}

static void big_answer(void **state)
{
	char why[STATUS_WHY_MAX];
	struct text out = { 0 };
	struct server s;

	(void)state;
	server_start(&s, 0);
	assert_int_equal(status_ask(path, "big", &out, why), ERR_OK);
	assert_int_equal(out.len, BIG + 1);
	text_clear(&out);
	server_stop(&s);
}

static void many_one_after_the_other(void **state)
{
	struct server s;

	(void)state;
	server_start(&s, 0);
	for (unsigned i = 0; i < 1000; i++)
		assert_asked("status", "{\"asked\":\"status\"}\n");
	server_stop(&s);
	assert_int_equal(s.asked, 1000);
}

/* --- trouble --- */

static const char no_line[] = "{\"error\":\"expected a question in one short line\"}\n";
static const char no_question[] = "{\"error\":\"there is no such question\"}\n";

static const struct {
	const char *name, *bytes;
	size_t len;
	const char *expected;
} garbage[] = {
	{ "NUL in a question", "status\0\n", 8, no_question },
	{ "a question and more", "status now\n", 11, no_question },
	{ "a web browser", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27, no_question },
	{ "what comes after the line", "status\nstatus\nstatus\n", 21, "{\"asked\":\"status\"}\n" },
	{ "bytes that are no text", "\xff\x00\x80\n", 4, no_question },
	{ "nothing but the end of a line", "\n", 1, no_question },
};

static void garbage_is_answered(void **state)
{
	char out[256], flood[4096];
	struct server s;
	int fd;

	(void)state;
	server_start(&s, 0);
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		fd = dial();
		assert_int_equal(send(fd, garbage[i].bytes, garbage[i].len, MSG_NOSIGNAL),
				 garbage[i].len);
		read_all(fd, out, sizeof(out));
		close(fd);
		if (strcmp(out, garbage[i].expected) != 0)
			fail_msg("%s: %s", garbage[i].name, out);
	}
	memset(flood, 'x', sizeof(flood));
	fd = dial();
	send(fd, flood, sizeof(flood), MSG_NOSIGNAL);
	read_all(fd, out, sizeof(out));
	close(fd);
	assert_string_equal(out, no_line);
	/* One byte at a time is a question like any other. */
	fd = dial();
	for (const char *p = "status\n"; *p != '\0'; p++)
		send(fd, p, 1, MSG_NOSIGNAL);
	read_all(fd, out, sizeof(out));
	close(fd);
	assert_string_equal(out, "{\"asked\":\"status\"}\n");
	server_stop(&s);
}

static void gone_before_the_answer(void **state)
{
	struct server s;

	(void)state;
	server_start(&s, 0);
	for (unsigned i = 0; i < 50; i++) {
		int fd = dial();

		if (i % 2 == 0)
			send(fd, "big\n", 4, MSG_NOSIGNAL);
		close(fd);
	}
	assert_asked_at_last();
	server_stop(&s);
}

/* Silent ones and slow readers hold their places for so long, and no longer. */
static void slow_clients(void **state)
{
	int fds[STATUS_CLIENTS_MAX];
	char *out = malloc(BIG + 2);
	struct server s;

	(void)state;
	assert_non_null(out);
	server_start(&s, SOON_MS);
	_Static_assert(STATUS_CLIENTS_MAX % 2 == 0, "the last one is silent");
	for (unsigned i = 0; i < STATUS_CLIENTS_MAX; i++) {
		fds[i] = dial();
		if (i % 2 == 0)
			send(fds[i], "big\n", 4, MSG_NOSIGNAL);
	}
	for (unsigned i = 1; i < STATUS_CLIENTS_MAX; i += 2)
		assert_int_equal(read_all(fds[i], out, BIG + 2), 0);
	assert_asked_at_last();
	/* They had the same time, and came before the last of the silent ones. Who comes late gets
	 * what the kernel held, and no more. */
	for (unsigned i = 0; i < STATUS_CLIENTS_MAX; i += 2) {
		size_t len = read_all(fds[i], out, BIG + 2);

		assert_true(len > 0 && len < BIG);
	}
	for (unsigned i = 0; i < STATUS_CLIENTS_MAX; i++)
		close(fds[i]);
	server_stop(&s);
	free(out);
}

static void too_many_at_once(void **state)
{
	int fds[STATUS_CLIENTS_MAX], more;
	struct server s;
	char out[256];

	(void)state;
	server_start(&s, 0);
	for (unsigned i = 0; i < STATUS_CLIENTS_MAX; i++)
		fds[i] = dial();
	more = dial();
	assert_int_equal(read_all(more, out, sizeof(out)), 0);
	close(more);
	send(fds[0], "status\n", 7, MSG_NOSIGNAL);
	read_all(fds[0], out, sizeof(out));
	assert_string_equal(out, "{\"asked\":\"status\"}\n");
	for (unsigned i = 0; i < STATUS_CLIENTS_MAX; i++)
		close(fds[i]);
	server_stop(&s);
}

static void stopped_in_the_middle(void **state)
{
	struct server s;
	char out[16];
	int fd;

	(void)state;
	server_start(&s, 0);
	fd = dial();
	send(fd, "big\n", 4, MSG_NOSIGNAL);
	assert_int_equal(recv(fd, out, sizeof(out), 0), sizeof(out)); /* it is being answered */
	server_stop(&s);
	close(fd);
}

/* --- the name of the socket --- */

/* As kill -9 leaves it. */
static void dead_process(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct server s;

	(void)state;
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	close(fd);
	server_start(&s, 0);
	assert_asked("status", "{\"asked\":\"status\"}\n");
	server_stop(&s);
}

static void living_process(void **state)
{
	char why[STATUS_WHY_MAX], expected[STATUS_WHY_MAX];
	struct server s;

	(void)state;
	server_start(&s, 0);
	assert_int_equal(try_start(why), ERR_BUSY);
	snprintf(expected, sizeof(expected),
		 "another process answers at the status socket %s; end it, or name another path",
		 path);
	assert_string_equal(why, expected);
	assert_asked("status", "{\"asked\":\"status\"}\n");
	server_stop(&s);
}

static void no_socket(void **state)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	char why[STATUS_WHY_MAX];
	struct stat st;

	(void)state;
	close(fd);
	assert_int_equal(try_start(why), ERR_IO);
	assert_non_null(strstr(why, "is no socket, and is left as it is"));
	assert_int_equal(stat(path, &st), 0);
}

/* Who comes after us keeps his. */
static void another_ones_name(void **state)
{
	struct server first, second;

	(void)state;
	server_start(&first, 0);
	assert_int_equal(unlink(path), 0);
	server_start(&second, 0);
	server_stop(&first);
	assert_asked("status", "{\"asked\":\"status\"}\n");
	server_stop(&second);
}

static void impossible_paths(void **state)
{
	static const struct {
		const char *path, *text;
	} rows[] = {
		{ "no-such-folder/status", "make its folder first" },
		{ "", "has to have 1 to 107 bytes" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		  "has to have 1 to 107 bytes" },
	};
	char why[STATUS_WHY_MAX];
	struct text out = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct status *status = NULL;
		uv_loop_t loop;

		uv_loop_init(&loop);
		assert_int_equal(status_start(&loop,
					      &(struct status_config){ .path = rows[i].path },
					      &status, why),
				 ERR_IO);
		assert_non_null(strstr(why, rows[i].text));
		uv_run(&loop, UV_RUN_DEFAULT);
		assert_int_equal(uv_loop_close(&loop), 0);
		assert_int_not_equal(status_ask(rows[i].path, "status", &out, why), ERR_OK);
	}
	assert_int_equal(status_ask(path, "status", &out, why), ERR_NOT_FOUND);
	assert_non_null(strstr(why, "is one running with --status"));
	text_clear(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(questions),
		TEST(big_answer),
		TEST(many_one_after_the_other),
		TEST(garbage_is_answered),
		TEST(gone_before_the_answer),
		TEST(slow_clients),
		TEST(too_many_at_once),
		TEST(stopped_in_the_middle),
		TEST(dead_process),
		TEST(living_process),
		TEST(no_socket),
		TEST(another_ones_name),
		TEST(impossible_paths),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
