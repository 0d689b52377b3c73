/* fuzz_status.c: clients of a node's status socket, several at once, who say any bytes, in pieces,
 * read or do not, and leave. What has to hold: each gets one answer at most, to the first line that
 * it sent, and the end; and when the node ends, nothing stays open.
 *
 * An input is a row of commands: which and of whom in a byte, and what is said. */
#include "fuzz/fuzz.h"
#include "io/status.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	CLIENTS = 8, /* twice as many as are served */
	INPUT_MAX = 2048,
	LONG_BYTES = 300 * 1000, /* more than a socket holds */
	TURNS = 4,
};

struct client {
	int fd; /* -1: none */
	char sent[STATUS_LINE_MAX + 1];
	size_t sent_len;
	size_t got; /* bytes of its answer */
};

static struct client clients[CLIENTS];
static uv_loop_t loop;
static struct status *status;
static char path[64];
static char *long_answer; /* with its line feed */

static bool answer(void *ctx, const char *question, struct text *out)
{
	(void)ctx;
	CHECK(strlen(question) < STATUS_LINE_MAX && strchr(question, '\n') == NULL);
	if (strcmp(question, "peers") == 0)
		text_add_slice(out, slice_of(long_answer, LONG_BYTES - 1));
	else
		text_add(out, "{\"asked\":1}");
	return strcmp(question, "status") == 0 || strcmp(question, "peers") == 0;
}

static void turn(void)
{
	for (unsigned i = 0; i < TURNS; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
}

/* What it is told, by all that it has sent so far; "": nothing yet. */
static struct slice expected(const struct client *c)
{
	size_t room = c->sent_len < STATUS_LINE_MAX ? c->sent_len : STATUS_LINE_MAX;
	const char *end = memchr(c->sent, '\n', room);
	struct slice line = slice_of(c->sent, end != NULL ? (size_t)(end - c->sent) : 0);

	if (end == NULL && room < STATUS_LINE_MAX)
		return slice_of(NULL, 0);
	if (end == NULL)
		return slice_text("{\"error\":\"expected a question in one short line\"}\n");
	if (slice_equal(line, slice_text("status")))
		return slice_text("{\"asked\":1}\n");
	if (slice_equal(line, slice_text("peers")))
		return slice_of(long_answer, LONG_BYTES);
	return slice_text("{\"error\":\"there is no such question\"}\n");
}

static void hang_up(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	*c = (struct client){ .fd = -1 };
}

static void dial(struct client *c)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	hang_up(c);
	strcpy(at.sun_path, path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK(c->fd >= 0);
	if (connect(c->fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		hang_up(c);
}

static void say(struct client *c, struct slice s)
{
	ssize_t n = c->fd >= 0 ? send(c->fd, s.data, s.len, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
	size_t room = sizeof(c->sent) - c->sent_len;

	if (n <= 0)
		return;
	room = (size_t)n < room ? (size_t)n : room;
	memcpy(c->sent + c->sent_len, s.data, room);
	c->sent_len += room;
}

static void hear(struct client *c)
{
	static char bytes[LONG_BYTES + 1];
	struct slice want = expected(c);
	ssize_t n;

	while (c->fd >= 0 && (n = recv(c->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		CHECK((size_t)n <= want.len - c->got);
		CHECK(memcmp(bytes, want.data + c->got, (size_t)n) == 0);
		c->got += (size_t)n;
		turn();
	}
}

/* The bytes that it took. */
static size_t command(struct slice in)
{
	struct client *c = &clients[in.data[0] / 8 % CLIENTS];
	size_t len = 0;

	switch (in.data[0] % 8) {
	case 0:
		dial(c);
		break;
	case 1:
		len = in.len > 1 ? 1U + in.data[1] : 0;
		len = len < in.len - 1 ? len : in.len - 1;
		if (len > 1)
			say(c, slice_of(in.data + 2, len - 1));
		break;
	case 2:
		say(c, slice_text("status\n"));
		break;
	case 3:
		say(c, slice_text("peers\n"));
		break;
	case 4:
		if (c->fd >= 0)
			shutdown(c->fd, SHUT_WR);
		break;
	case 5:
		hang_up(c);
		break;
	case 6:
		hear(c);
		break;
	case 7:
		turn();
		break;
	}
	return 1 + len;
}

static void begin(void)
{
	struct status_config config = { .path = path, .answer = answer };
	char why[STATUS_WHY_MAX];

	if (long_answer == NULL) {
		signal(SIGPIPE, SIG_IGN);
		long_answer = malloc(LONG_BYTES);
		CHECK(long_answer != NULL);
		memset(long_answer, 'x', LONG_BYTES - 1);
		long_answer[LONG_BYTES - 1] = '\n';
		snprintf(path, sizeof(path), "/tmp/peerwalk-fuzz.%ld", (long)getpid());
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		clients[i].fd = -1;
	CHECK(uv_loop_init(&loop) == 0);
	CHECK(status_start(&loop, &config, &status, why) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);

	if (size > INPUT_MAX)
		return 0;
	begin();
	while (in.len > 0)
		in = slice_from(in, command(in));
	turn();
	for (unsigned i = 0; i < CLIENTS; i++) {
		hear(&clients[i]);
		hang_up(&clients[i]);
	}
	status_stop(status);
	uv_run(&loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&loop) == 0);
	CHECK(access(path, F_OK) != 0);
	return 0;
}
