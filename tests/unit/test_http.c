/* test_http.c: the server and clients that behave, and those that don't; metrics as text. */
#include "web/http.h"

#include "web/metrics.h"

#include <setjmp.h>
#include <stdarg.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum { ANSWER_MAX = 256 * 1024, SOON_MS = 20 * 1000 };

static const char token[] = "0123456789abcdef+/";

/* --- a handler --- */

struct stage {
	struct http *http;
	char big[100 * 1000];
	_Atomic unsigned told, ended; /* events, and streams that are over */
};

static bool on_event(void *ctx, struct text *out)
{
	struct stage *s = ctx;

	text_printf(out, "event: n\ndata: %u\n\n", atomic_fetch_add(&s->told, 1));
	return true;
}

static void on_end(void *ctx)
{
	struct stage *s = ctx;

	atomic_fetch_add(&s->ended, 1);
}

static void handle(void *ctx, const struct http_request *q, struct http_response *r)
{
	struct stage *s = ctx;
	const char *path = http_path(q), *name, *value;

	if (strcmp(path, "/events") == 0) {
		*r = (struct http_response){ .type = "text/event-stream",
					     .stream = on_event,
					     .stream_end = on_end,
					     .stream_ctx = s };
	} else if (strcmp(path, "/big") == 0) {
		r->fixed = slice_of(s->big, sizeof(s->big));
		r->cache = "max-age=60";
	} else if (strcmp(path, "/wrong") == 0) {
		http_error(r, 404, "there is no \"%s\"", http_param(q, "what"));
	} else {
		text_printf(&r->body, "path=%s", path);
		for (size_t i = 0; http_param_at(q, i, &name, &value); i++)
			text_printf(&r->body, " %s=%s", name, value);
		name = http_param_unknown(q, "a bb");
		text_printf(&r->body, " unknown=%s", name != NULL ? name : "-");
	}
}

static struct stage *start(const char *listen, const char *with_token)
{
	struct stage *s = calloc(1, sizeof(*s));
	char why[HTTP_WHY_MAX] = "";

	assert_non_null(s);
	for (size_t i = 0; i < sizeof(s->big); i++)
		s->big[i] = (char)('a' + i % 13);
	if (http_start(
		    &(struct http_config){
			    .listen = listen, .token = with_token, .handler = handle, .ctx = s },
		    &s->http, why) != ERR_OK)
		fail_msg("%s", why);
	return s;
}

static void end(struct stage *s)
{
	http_stop(s->http);
	free(s);
}

/* --- a client --- */

static int dial(const struct stage *s, const char *from)
{
	struct sockaddr_in to = { .sin_family = AF_INET }, us = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	inet_pton(AF_INET, from, &us.sin_addr);
	to.sin_port = htons((uint16_t)atoi(strrchr(http_where(s->http), ':') + 1));
	assert_int_equal(bind(fd, (void *)&us, sizeof(us)), 0);
	assert_int_equal(connect(fd, (void *)&to, sizeof(to)), 0);
	return fd;
}

/* Up to the end of the stream, or until it has that text in it. */
static size_t hear(int fd, const char *until, char *out)
{
	size_t len = 0;

	out[0] = 0;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n;

		assert_int_equal(poll(&p, 1, SOON_MS), 1);
		n = read(fd, out + len, ANSWER_MAX - 1 - len);
		if (n <= 0)
			return len;
		len += (size_t)n;
		out[len] = 0;
		if (until != NULL && strstr(out, until) != NULL)
			return len;
	}
}

static char answer[ANSWER_MAX];
static size_t answer_len;

static const char *ask_raw(const struct stage *s, const char *request, size_t len)
{
	int fd = dial(s, "127.0.0.1");

	assert_int_equal(send(fd, request, len, MSG_NOSIGNAL), len);
	answer_len = hear(fd, NULL, answer);
	close(fd);
	return answer;
}

/* One request with Host and Connection: close. headers: lines with their ends, or "". */
static const char *ask(const struct stage *s, const char *line, const char *headers)
{
	char request[64 * 1024];
	int len = snprintf(request, sizeof(request),
			   "%s HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n%s\r\n", line,
			   headers);

	return ask_raw(s, request, (size_t)len);
}

static int status_of(const char *reply)
{
	int status = 0;

	return sscanf(reply, "HTTP/1.1 %d", &status) == 1 ? status : -1;
}

static bool header(const char *name, char out[static 256])
{
	char look[64];
	const char *at, *body = strstr(answer, "\r\n\r\n");

	snprintf(look, sizeof(look), "\r\n%s: ", name);
	at = strstr(answer, look);
	if (at == NULL || at > body)
		return false;
	snprintf(out, 256, "%.*s", (int)strcspn(at + strlen(look), "\r"), at + strlen(look));
	return true;
}

static const char *body(void)
{
	const char *at = strstr(answer, "\r\n\r\n");

	assert_non_null(at);
	return at + 4;
}

/* --- requests --- */

static void test_requests(void **state)
{
	struct stage *s = start("127.0.0.1:0", NULL);
	/* Each row: a request line, its status, and what the body begins with. */
	static const struct {
		const char *name, *line;
		int status;
		const char *body;
	} rows[] = {
		{ "plain", "GET /x", 200, "path=/x unknown=-" },
		{ "escaped", "GET /a%20b?a=%C3%BC+x&bb=", 200, "path=/a b a=\xc3\xbc x bb= unk" },
		{ "unknown parameter", "GET /?a=1&c=2", 200, "path=/ a=1 c=2 unknown=c" },
		{ "without a value", "GET /?a", 200, "path=/ a= unknown=-" },
		{ "given twice", "GET /?a=1&a=2", 400, "{\"error\": \"a parameter is given twi" },
		{ "zero in a value", "GET /?a=1%00", 400, "{\"error\": \"the URL has a zero by" },
		{ "zero in the path", "GET /x%00y", 400, "{\"error\": " },
		{ "head has no body", "HEAD /x", 200, "" },
		{ "post", "POST /x", 405, "{\"error\": \"expected GET or HEAD\"}" },
		{ "another method", "BREW /x", 405, "{\"error\": " },
		{ "error with quotes", "GET /wrong?what=%22%3Cb%3E%0A%5C", 404,
		  "{\"error\": \"there is no \\\"\\\"<b>\\\\x0a\\\\\\\\\\\"\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ask(s, rows[i].line, "");
		if (status_of(answer) != rows[i].status ||
		    strncmp(body(), rows[i].body, strlen(rows[i].body)) != 0)
			fail_msg("%s: %s", rows[i].name, answer);
		if (rows[i].body[0] == 0)
			assert_string_equal(body(), "");
	}
	end(s);
}

static void test_headers(void **state)
{
	struct stage *s = start(":0", NULL);
	char value[256];

	(void)state;
	for (int i = 0; i < 2; i++) {
		ask(s, i == 0 ? "GET /x" : "GET /wrong?what=x", "");
		assert_true(header("Content-Security-Policy", value));
		assert_memory_equal(value, "default-src 'none'; script-src 'self';", 38);
		assert_true(header("X-Content-Type-Options", value));
		assert_string_equal(value, "nosniff");
		assert_true(header("Referrer-Policy", value));
		assert_true(header("Cache-Control", value));
		assert_string_equal(value, "no-cache");
		assert_true(header("Content-Type", value));
		assert_string_equal(value, "application/json");
	}
	ask(s, "POST /", "Content-Length: 3\r\n");
	assert_true(header("Allow", value));
	assert_string_equal(value, "GET, HEAD");
	end(s);
}

static void test_etag(void **state)
{
	struct stage *s = start("127.0.0.1:0", NULL);
	char tag[256], headers[512], length[256];

	(void)state;
	ask(s, "GET /big", "");
	assert_true(header("ETag", tag));
	assert_true(header("Cache-Control", length));
	assert_string_equal(length, "max-age=60");
	snprintf(headers, sizeof(headers), "If-None-Match: \"x\", %s\r\n", tag);
	assert_int_equal(status_of(ask(s, "GET /big", headers)), 304);
	assert_string_equal(body(), "");
	snprintf(headers, sizeof(headers), "If-None-Match: \"x\"\r\n");
	assert_int_equal(status_of(ask(s, "GET /big", headers)), 200);
	/* HEAD says what GET would. */
	ask(s, "HEAD /big", "");
	assert_true(header("Content-Length", length));
	assert_string_equal(length, "100000");
	assert_true(header("ETag", length));
	assert_string_equal(length, tag);
	end(s);
}

static void test_gzip(void **state)
{
	struct stage *s = start("127.0.0.1:0", NULL);
	char value[256], out[128 * 1024];
	z_stream z = { .next_out = (void *)out, .avail_out = sizeof(out) };
	/* What the client says, and whether the answer is compressed. */
	static const struct {
		const char *header;
		bool gzip;
	} rows[] = {
		{ "", false },
		{ "Accept-Encoding: br, gzip\r\n", true },
		{ "Accept-Encoding: gzip;q=0.5\r\n", true },
		{ "Accept-Encoding: gzip;q=0\r\n", false },
		{ "Accept-Encoding: gzip;q=0.000, br\r\n", false },
		{ "Accept-Encoding: gzippy\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ask(s, "GET /big", rows[i].header);
		if (header("Content-Encoding", value) != rows[i].gzip)
			fail_msg("%s", rows[i].header);
	}
	ask(s, "GET /big", rows[1].header);
	z.next_in = (void *)body();
	z.avail_in = (unsigned)(answer_len - (size_t)(body() - answer));
	assert_true(z.avail_in < sizeof(s->big) / 10);
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, sizeof(s->big));
	assert_memory_equal(out, s->big, sizeof(s->big));
	inflateEnd(&z);
	/* What is small stays as it is. */
	ask(s, "GET /x", rows[1].header);
	assert_false(header("Content-Encoding", value));
	end(s);
}

static void test_sizes(void **state)
{
	struct stage *s = start("127.0.0.1:0", NULL);
	static char line[40 * 1024], headers[40 * 1024];
	int at;

	(void)state;
	memset(line, 'x', sizeof(line));
	memcpy(line, "GET /", 5);
	line[HTTP_REQUEST_MAX / 2 + 100] = 0;
	assert_int_equal(status_of(ask(s, line, "")), 414);
	memset(line, 'x', sizeof(line));
	memcpy(line, "GET /", 5);
	line[39 * 1024] = 0;
	assert_int_equal(status_of(ask(s, line, "")), 414);
	at = snprintf(headers, sizeof(headers), "X: ");
	memset(headers + at, 'y', HTTP_REQUEST_MAX);
	strcpy(headers + at + HTTP_REQUEST_MAX, "\r\n");
	assert_int_equal(status_of(ask(s, "GET /", headers)), 431);
	memset(headers + at, 'y', 39 * 1024);
	strcpy(headers + at + 39 * 1024, "\r\n");
	assert_int_equal(status_of(ask(s, "GET /", headers)), 431);
	assert_int_equal(status_of(ask(s, "GET /", "Content-Length: 5\r\n")), 413);
	assert_int_equal(status_of(ask(s, "GET /", "Transfer-Encoding: chunked\r\n")), 413);
	/* A parameter, and many of them. */
	memset(line, 'x', sizeof(line));
	memcpy(line, "GET /?a=", 8);
	line[8 + HTTP_PARAM_MAX] = 0;
	assert_int_equal(status_of(ask(s, line, "")), 200);
	strcpy(line + 8 + HTTP_PARAM_MAX, "x");
	assert_int_equal(status_of(ask(s, line, "")), 400);
	at = snprintf(line, sizeof(line), "GET /?");
	for (int i = 0; i <= HTTP_PARAMS_MAX; i++)
		at += snprintf(line + at, sizeof(line) - (size_t)at, "p%d=1&", i);
	assert_int_equal(status_of(ask(s, line, "")), 400);
	end(s);
}

static void test_garbage(void **state)
{
	struct stage *s = start("127.0.0.1:0", NULL);
	static const char *const rows[] = {
		"\r\n\r\n\r\n\r\n",
		"GET\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
		"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
		"GET / HTTP/1.1\r\nHost localhost\r\n: \r\n\r\n",
		"GET /?%%%%&=&&&==%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
		("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\nConnection: "
		 "close\r\n\r\n"),
		"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: ;;=;a\r\nConnection: close\r\n\r\n",
	};

	enum { ROWS = sizeof(rows) / sizeof(*rows) };
	int fds[ROWS];

	(void)state;
	/* Some are answered, and some wait for more until they are too slow: all at once. */
	for (size_t i = 0; i < ROWS; i++) {
		fds[i] = dial(s, "127.0.0.1");
		send(fds[i], rows[i], strlen(rows[i]), MSG_NOSIGNAL);
		shutdown(fds[i], SHUT_WR);
	}
	assert_int_equal(status_of(ask(s, "GET /x", "")), 200);
	for (size_t i = 0; i < ROWS; i++)
		close(fds[i]);
	end(s);
}

/* --- who may ask --- */

static void test_hosts(void **state)
{
	struct stage *s = start("127.0.0.1:0", NULL);
	static const struct {
		const char *host;
		int status;
	} rows[] = {
		{ "localhost", 200 },
		{ "LOCALHOST:80", 200 },
		{ "127.0.0.1:8080", 200 },
		{ "[::1]", 200 },
		{ "[::1]:8080", 200 },
		{ "192.0.2.1", 200 },
		{ "evil.example", 400 },
		{ "evil.example:8080", 400 },
		{ "localhost.evil.example", 400 },
		{ "127.0.0.1.evil.example", 400 },
		{ "", 400 },
		{ "[::1]evil.example", 400 },
		{ "[evil]", 400 },
		{ "[::1", 400 },
		{ "[", 400 },
		{ "127.0.0.1@evil.example", 400 },
	};
	char request[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int len = snprintf(request, sizeof(request),
				   "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
				   rows[i].host);

		if (status_of(ask_raw(s, request, (size_t)len)) != rows[i].status)
			fail_msg("%s: %s", rows[i].host, answer);
	}
	end(s);
}

static void test_token(void **state)
{
	struct stage *s = start("0.0.0.0:0", token);
	char value[256], headers[512], line[128];

	(void)state;
	assert_int_equal(status_of(ask(s, "GET /x", "")), 401);
	assert_true(header("WWW-Authenticate", value));
	assert_int_equal(status_of(ask(s, "GET /x", "Accept: text/html\r\n")), 401);
	assert_non_null(strstr(body(), "<form action=\"/\">"));
	assert_int_equal(status_of(ask(s, "GET /healthz", "")), 200);
	snprintf(headers, sizeof(headers), "Authorization: Bearer %s\r\n", token);
	assert_int_equal(status_of(ask(s, "GET /x", headers)), 200);
	snprintf(headers, sizeof(headers), "Authorization: Bearer %sx\r\n", token);
	assert_int_equal(status_of(ask(s, "GET /x", headers)), 401);
	assert_int_equal(status_of(ask(s, "GET /x", "Authorization: Bearer \r\n")), 401);
	assert_int_equal(status_of(ask(s, "GET /x", "Authorization: Basic abc\r\n")), 401);
	/* By the address: it sets a cookie, and leads to an address without it. */
	snprintf(line, sizeof(line), "GET /?token=%s", "0123456789abcdef%2B/");
	assert_int_equal(status_of(ask(s, line, "")), 303);
	assert_true(header("Location", value));
	assert_string_equal(value, "/");
	assert_true(header("Set-Cookie", value));
	assert_non_null(strstr(value, "; HttpOnly; SameSite=Strict"));
	assert_null(strstr(value, "0123456789abcdef"));
	snprintf(headers, sizeof(headers), "Cookie: %.*s\r\n", (int)strcspn(value, ";"), value);
	assert_int_equal(status_of(ask(s, "GET /x", headers)), 200);
	assert_int_equal(status_of(ask(s, "GET /?token=wrong", headers)), 401);
	/* The address of another page is no way in. */
	snprintf(line, sizeof(line), "GET /x?token=%s", "0123456789abcdef%2B/");
	assert_int_equal(status_of(ask(s, line, "")), 401);
	end(s);
}

static void test_refused_places(void **state)
{
	static const struct {
		const char *listen, *why;
		enum err err;
	} rows[] = {
		{ "0.0.0.0:0", "with --token FILE", ERR_VALUE },
		{ "[::]:0", "with --token FILE", ERR_VALUE },
		{ "192.0.2.1:0", "with --token FILE", ERR_VALUE },
		{ "example.org:80", "expected ADDR:PORT", ERR_VALUE },
		{ "127.0.0.1", "expected ADDR:PORT", ERR_VALUE },
		{ "::1:80", "expected ADDR:PORT", ERR_VALUE },
		{ "127.0.0.1:70000", "expected ADDR:PORT", ERR_VALUE },
		{ "", "expected ADDR:PORT", ERR_VALUE },
	};
	struct stage *s = start("localhost:0", NULL);
	char why[HTTP_WHY_MAX];
	struct http *h;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct http_config c = { .listen = rows[i].listen, .handler = handle, .ctx = s };

		assert_int_equal(http_start(&c, &h, why), rows[i].err);
		assert_null(h);
		if (strstr(why, rows[i].why) == NULL)
			fail_msg("%s: %s", rows[i].listen, why);
	}
	/* Taken by the first one. */
	assert_int_equal(http_start(&(struct http_config){ .listen = http_where(s->http),
							   .handler = handle,
							   .ctx = s },
				    &h, why),
			 ERR_IO);
	assert_non_null(strstr(why, "choose another port"));
	end(s);
}

static void test_token_file(void **state)
{
	char path[] = "/tmp/test_http_XXXXXX", out[HTTP_PARAM_MAX + 1], why[HTTP_WHY_MAX];
	static const struct {
		const char *text;
		mode_t mode;
		enum err err;
	} rows[] = {
		{ "0123456789abcdef\nmore", 0600, ERR_OK },
		{ "0123456789abcdef", 0640, ERR_OK },
		{ "0123456789abcdef", 0644, ERR_VALUE },
		{ "0123456789abcde\n", 0600, ERR_VALUE },
		{ "0123456789 abcdef\n", 0600, ERR_VALUE },
		{ "", 0600, ERR_VALUE },
	};
	int fd = mkstemp(path);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t len = strlen(rows[i].text);

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, rows[i].text, len, 0), len);
		fchmod(fd, rows[i].mode);
		assert_int_equal(http_token_read(path, out, why), rows[i].err);
	}
	assert_int_equal(http_token_read("/", out, why), ERR_IO);
	close(fd);
	unlink(path);
	assert_int_equal(http_token_read(path, out, why), ERR_NOT_FOUND);
}

/* --- streams --- */

static int listen_to(const struct stage *s, const char *from)
{
	static const char request[] = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";
	int fd = dial(s, from);

	assert_int_equal(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
	return fd;
}

static void wait_for(const _Atomic unsigned *value, unsigned wanted)
{
	for (int i = 0; i < SOON_MS / 10 && atomic_load(value) < wanted; i++)
		poll(NULL, 0, 10);
	assert_true(atomic_load(value) >= wanted);
}

static void test_stream(void **state)
{
	struct stage *s = start("127.0.0.1:0", NULL);
	int fd = listen_to(s, "127.0.0.1");
	char value[256];

	(void)state;
	hear(fd, "data: 1\n\n", answer);
	assert_int_equal(status_of(answer), 200);
	assert_true(header("Content-Type", value));
	assert_string_equal(value, "text/event-stream");
	assert_non_null(strstr(answer, "data: 0\n\n"));
	/* It has something at once when it is woken. */
	for (int i = 0; i < 20; i++) {
		unsigned told = atomic_load(&s->told);

		http_wake(s->http);
		wait_for(&s->told, told + 1);
	}
	/* Others are answered meanwhile; and who goes is forgotten. */
	assert_int_equal(status_of(ask(s, "GET /x", "")), 200);
	close(fd);
	wait_for(&s->ended, 1);
	/* HEAD listens to nothing. */
	assert_int_equal(status_of(ask(s, "HEAD /events", "")), 200);
	wait_for(&s->ended, 2);
	fd = listen_to(s, "127.0.0.1");
	hear(fd, "data: ", answer);
	/* The server's end is the stream's, in good order. */
	http_stop(s->http);
	hear(fd, NULL, answer);
	assert_int_equal(atomic_load(&s->ended), 3);
	close(fd);
	free(s);
}

static void test_many_streams(void **state)
{
	struct stage *s = start("127.0.0.1:0", NULL);
	int fds[HTTP_STREAMS_MAX], more;

	(void)state;
	for (int i = 0; i < HTTP_STREAMS_MAX; i++) {
		fds[i] = listen_to(s, i % 2 == 0 ? "127.0.0.1" : "127.0.0.2");
		hear(fds[i], "data: ", answer);
		assert_int_equal(status_of(answer), 200);
	}
	more = listen_to(s, "127.0.0.3");
	hear(more, "}\n", answer);
	assert_int_equal(status_of(answer), 503);
	close(more);
	for (int i = 0; i < HTTP_STREAMS_MAX; i++)
		close(fds[i]);
	wait_for(&s->ended, HTTP_STREAMS_MAX + 1);
	more = listen_to(s, "127.0.0.1");
	hear(more, "data: ", answer);
	assert_int_equal(status_of(answer), 200);
	close(more);
	end(s);
}

/* One host may hold so many connections; another one is served all the same. */
static void test_many_connections(void **state)
{
	struct stage *s = start("127.0.0.1:0", NULL);
	int fds[HTTP_PER_HOST_MAX + 8];

	(void)state;
	for (int i = 0; i < HTTP_PER_HOST_MAX + 8; i++)
		fds[i] = dial(s, "127.0.0.2");
	/* Those over the limit are closed. */
	hear(fds[HTTP_PER_HOST_MAX + 7], NULL, answer);
	assert_int_equal(status_of(ask(s, "GET /x", "")), 200);
	for (int i = 0; i < HTTP_PER_HOST_MAX + 8; i++)
		close(fds[i]);
	end(s);
}

/* --- metrics --- */

static void tell(void *ctx, struct text *out)
{
	(void)ctx;
	metrics_begin(out, "x_total", "counter", "Things.");
	metrics_value(out, "x_total", "agent", slice_text("a\"b\\c\n\x1b\xe2\x80\xae"), 3);
	metrics_value(out, "x_total", NULL, slice_text(""), 1764433200.5);
	metrics_value(out, "x_total", NULL, slice_text(""), -INFINITY);
	metrics_process(out);
}

static void test_metrics(void **state)
{
	struct stage s = { 0 };
	char why[HTTP_WHY_MAX], value[256];
	double number;
	const char *at;

	(void)state;
	assert_int_equal(metrics_serve("127.0.0.1:0", NULL, tell, NULL, &s.http, why), ERR_OK);
	assert_int_equal(status_of(ask(&s, "GET /metrics", "")), 200);
	assert_true(header("Content-Type", value));
	assert_string_equal(value, METRICS_TYPE);
	assert_memory_equal(
		body(),
		"# HELP x_total Things.\n# TYPE x_total counter\n"
		"x_total{agent=\"a\\\"b\\\\\\\\c\\\\x0a\\\\x1b\\\\xe2\\\\x80\\\\xae\"} 3\n"
		"x_total 1764433200.5\nx_total -Inf\n",
		130);
	at = strstr(body(), "\nprocess_resident_memory_bytes ");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "\nprocess_resident_memory_bytes %lf", &number), 1);
	assert_true(number > 1e6);
	at = strstr(body(), "\nprocess_start_time_seconds ");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "\nprocess_start_time_seconds %lf", &number), 1);
	assert_true(fabs(number - (double)time(NULL)) < 600);
	assert_int_equal(status_of(ask(&s, "GET /healthz", "")), 200);
	assert_string_equal(body(), "ok\n");
	assert_int_equal(status_of(ask(&s, "GET /metrics?x=1", "")), 400);
	assert_int_equal(status_of(ask(&s, "GET /", "")), 404);
	http_stop(s.http);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_etag),
		cmocka_unit_test(test_gzip),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_refused_places),
		cmocka_unit_test(test_token_file),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_many_streams),
		cmocka_unit_test(test_many_connections),
		cmocka_unit_test(test_metrics),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
