#include "io/status.h"

#include "io/listen.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { SOCKET_MODE = 0600, READ_BYTES = 64 * 1024 };

struct client {
	struct status *status; /* NULL: free */
	uv_pipe_t pipe;
	uv_timer_t timer;
	unsigned open; /* handles that are not closed yet */
	bool closing;
	char line[STATUS_LINE_MAX];
	size_t len;
	struct text answer;
	uv_write_t write;
};

struct status {
	uv_loop_t *loop;
	struct listener *listener;
	struct sockaddr_un at;
	dev_t dev; /* of the socket's name: somebody else's is left alone */
	ino_t ino;
	struct status_config config; /* without path */
	struct client clients[STATUS_CLIENTS_MAX];
	bool stopped;
};

/* --- one client --- */

static void free_if_done(struct status *s)
{
	if (!s->stopped)
		return;
	for (unsigned i = 0; i < STATUS_CLIENTS_MAX; i++) {
		if (s->clients[i].status != NULL)
			return;
	}
	free(s);
}

static void on_client_closed(uv_handle_t *handle)
{
	struct client *c = handle->data;
	struct status *s = c->status;

	if (--c->open > 0)
		return;
	text_clear(&c->answer);
	*c = (struct client){ 0 };
	free_if_done(s);
}

static void close_client(struct client *c)
{
	if (c->closing)
		return;
	c->closing = true;
	uv_close((uv_handle_t *)&c->pipe, on_client_closed);
	uv_close((uv_handle_t *)&c->timer, on_client_closed);
}

static void on_time(uv_timer_t *timer)
{
	close_client(timer->data);
}

static void on_written(uv_write_t *write, int status)
{
	(void)status;
	close_client(write->data);
}

static void send_answer(struct client *c)
{
	uv_buf_t buf;

	if (c->answer.err != ERR_OK) {
		close_client(c);
		return;
	}
	buf = uv_buf_init(c->answer.data, (unsigned)c->answer.len);
	c->write.data = c;
	if (uv_write(&c->write, (uv_stream_t *)&c->pipe, &buf, 1, on_written) != 0)
		close_client(c);
}

static void answer(struct client *c, size_t len)
{
	struct status *s = c->status;

	c->line[len] = '\0';
	uv_read_stop((uv_stream_t *)&c->pipe);
	if (strlen(c->line) < len || !s->config.answer(s->config.ctx, c->line, &c->answer)) {
		text_clear(&c->answer);
		text_add(&c->answer, "{\"error\":\"there is no such question\"}");
	}
	text_add(&c->answer, "\n");
	send_answer(c);
}

static void refuse_line(struct client *c)
{
	uv_read_stop((uv_stream_t *)&c->pipe);
	text_add(&c->answer, "{\"error\":\"expected a question in one short line\"}\n");
	send_answer(c);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct client *c = handle->data;

	(void)suggested;
	*buf = uv_buf_init(c->line + c->len, (unsigned)(sizeof(c->line) - c->len));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
	struct client *c = stream->data;
	const char *end;

	(void)buf;
	if (got < 0) {
		close_client(c);
		return;
	}
	c->len += (size_t)got;
	end = memchr(c->line, '\n', c->len);
	if (end != NULL)
		answer(c, (size_t)(end - c->line));
	else if (c->len == sizeof(c->line))
		refuse_line(c);
}

/* --- all of them --- */

static bool on_caller(void *ctx, int fd, const struct netaddr *from)
{
	struct status *s = ctx;
	struct client *c = NULL;

	(void)from; /* has none */
	for (unsigned i = 0; i < STATUS_CLIENTS_MAX && c == NULL; i++) {
		if (s->clients[i].status == NULL)
			c = &s->clients[i];
	}
	if (c == NULL)
		return false; /* there is no place */
	c->status = s;
	c->open = 2;
	uv_pipe_init(s->loop, &c->pipe, 0);
	uv_timer_init(s->loop, &c->timer);
	c->pipe.data = c->timer.data = c;
	uv_timer_start(&c->timer, on_time, s->config.client_ms, 0);
	if (uv_pipe_open(&c->pipe, fd) != 0) {
		close_client(c);
		return false;
	}
	if (uv_read_start((uv_stream_t *)&c->pipe, on_room, on_read) != 0)
		close_client(c);
	return true;
}

/* --- the socket and its name --- */

static bool set_path(struct sockaddr_un *at, const char *path, char *why)
{
	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (*path == '\0' || strlen(path) >= sizeof(at->sun_path)) {
		snprintf(why, STATUS_WHY_MAX,
			 "the status socket's path \"%.100s\" has to have 1 to %zu bytes", path,
			 sizeof(at->sun_path) - 1);
		return false;
	}
	strcpy(at->sun_path, path);
	return true;
}

/* Connects and returns the descriptor, or -1 and errno. */
static int dial(const struct sockaddr_un *at, int flags)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), number;

	if (fd < 0 || connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0)
		return fd;
	number = errno;
	close(fd);
	errno = number;
	return -1;
}

static int bind_at(int fd, const struct sockaddr_un *at)
{
	return bind(fd, (const struct sockaddr *)at, sizeof(*at));
}

/* Something has that name. ERR_OK: it was a dead process's, and is gone. */
static enum err clear_name(const struct sockaddr_un *at, char *why)
{
	struct stat st;
	int fd;

	if (lstat(at->sun_path, &st) != 0)
		return errno == ENOENT ? ERR_OK : ERR_IO;
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(why, STATUS_WHY_MAX,
			 "%s is no socket, and is left as it is; name another "
			 "path for the status socket",
			 at->sun_path);
		return ERR_IO;
	}
	/* Without waiting: one whose queue is full lives, too. */
	fd = dial(at, SOCK_NONBLOCK);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 || errno != ECONNREFUSED) {
		snprintf(why, STATUS_WHY_MAX,
			 "another process answers at the status socket %s; end it, or name another "
			 "path",
			 at->sun_path);
		return ERR_BUSY;
	}
	return unlink(at->sun_path) == 0 || errno == ENOENT ? ERR_OK : ERR_IO;
}

static enum err bind_failed(const char *path, char *why)
{
	const char *remedy = "";

	if (errno == ENOENT)
		remedy = "; make its folder first";
	else if (errno == EACCES || errno == EROFS)
		remedy = "; its folder has to be writable for the user that peerwalk runs as";
	snprintf(why, STATUS_WHY_MAX, "cannot make the status socket %s: %s%s", path,
		 strerror(errno), remedy);
	return ERR_IO;
}

/* A bound socket, or -1. Linux gives the name the mode that the socket has by then. */
static int make_socket(struct status *s, enum err *err, char *why)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct stat st;

	why[0] = '\0';
	*err = ERR_OK;
	if (fd < 0 || fchmod(fd, SOCKET_MODE) != 0) {
		*err = ERR_IO;
	} else if (bind_at(fd, &s->at) != 0) {
		*err = errno == EADDRINUSE ? clear_name(&s->at, why) : ERR_IO;
		if (*err == ERR_OK && bind_at(fd, &s->at) != 0)
			*err = ERR_IO;
	}
	if (*err == ERR_OK && lstat(s->at.sun_path, &st) == 0) {
		s->dev = st.st_dev;
		s->ino = st.st_ino;
		return fd;
	}
	if (why[0] == '\0')
		*err = bind_failed(s->at.sun_path, why);
	if (fd >= 0)
		close(fd);
	return -1;
}

static void remove_name(const struct status *s)
{
	struct stat st;

	if (lstat(s->at.sun_path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
		unlink(s->at.sun_path);
}

void status_stop(struct status *s)
{
	if (s == NULL || s->stopped)
		return;
	s->stopped = true;
	remove_name(s);
	if (s->listener != NULL)
		listener_close(s->listener);
	for (unsigned i = 0; i < STATUS_CLIENTS_MAX; i++) {
		if (s->clients[i].status != NULL)
			close_client(&s->clients[i]);
	}
	free_if_done(s);
}

enum err status_start(uv_loop_t *loop, const struct status_config *config, struct status **out,
		      char why[static STATUS_WHY_MAX])
{
	struct listen_config listen_config = { .backlog = STATUS_CLIENTS_MAX,
					       .round = STATUS_CLIENTS_MAX,
					       .on_caller = on_caller };
	struct status *s = calloc(1, sizeof(*s));
	enum err err = ERR_OK;
	int fd;

	if (s == NULL) {
		snprintf(why, STATUS_WHY_MAX, "out of memory");
		return ERR_NOMEM;
	}
	fd = set_path(&s->at, config->path, why) ? make_socket(s, &err, why) : -1;
	if (fd < 0) {
		free(s);
		return err != ERR_OK ? err : ERR_IO;
	}
	s->config = *config;
	s->config.path = NULL;
	if (s->config.client_ms == 0)
		s->config.client_ms = STATUS_CLIENT_MS;
	s->loop = loop;
	listen_config.ctx = s;
	err = listener_take(loop, fd, &listen_config, &s->listener);
	if (err != ERR_OK) {
		snprintf(why, STATUS_WHY_MAX, "cannot listen at the status socket %s: %s",
			 config->path, strerror(err == ERR_NOMEM ? ENOMEM : errno));
		status_stop(s);
		return err;
	}
	*out = s;
	return ERR_OK;
}

/* --- the other end --- */

static enum err dial_failed(const char *path, char *why)
{
	switch (errno) {
	case ENOENT:
	case ECONNREFUSED:
	case ENOTSOCK:
		snprintf(why, STATUS_WHY_MAX,
			 "no node answers at %s; is one running with --status %s?", path, path);
		return ERR_NOT_FOUND;
	case EACCES:
		snprintf(why, STATUS_WHY_MAX,
			 "%s belongs to another user; ask as that user, or as root", path);
		return ERR_IO;
	case EAGAIN:
		snprintf(why, STATUS_WHY_MAX,
			 "the node at %s is asked by too many at once; try again", path);
		return ERR_IO;
	default:
		snprintf(why, STATUS_WHY_MAX, "cannot ask at %s: %s", path, strerror(errno));
		return ERR_IO;
	}
}

/* Waits for bytes; false: none came in time. */
static bool await(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, STATUS_ASK_MS) == 1;
}

static enum err read_answer(int fd, struct text *out)
{
	char *bytes = malloc(READ_BYTES);
	enum err err = bytes != NULL ? ERR_OK : ERR_NOMEM;

	while (err == ERR_OK) {
		ssize_t got;

		if (!await(fd)) {
			err = ERR_IO;
			break;
		}
		got = recv(fd, bytes, READ_BYTES, 0);
		if (got == 0)
			break;
		if (got < 0) {
			err = ERR_IO;
		} else {
			text_add_slice(out, slice_of(bytes, (size_t)got));
			err = out->len > STATUS_ANSWER_MAX ? ERR_LIMIT : out->err;
		}
	}
	free(bytes);
	return err;
}

enum err status_ask(const char *path, const char *question, struct text *out,
		    char why[static STATUS_WHY_MAX])
{
	struct sockaddr_un at;
	char line[STATUS_LINE_MAX];
	int fd, len = snprintf(line, sizeof(line), "%s\n", question);
	enum err err = ERR_IO;

	assert(len > 0 && len < (int)sizeof(line));
	if (!set_path(&at, path, why))
		return ERR_IO;
	fd = dial(&at, SOCK_NONBLOCK);
	if (fd < 0)
		return dial_failed(path, why);
	if (send(fd, line, (size_t)len, MSG_NOSIGNAL) == len)
		err = read_answer(fd, out);
	close(fd);
	if (err == ERR_OK && out->len == 0)
		err = ERR_IO;
	if (err != ERR_OK)
		snprintf(why, STATUS_WHY_MAX, "the node at %s does not answer%s", path,
			 err == ERR_LIMIT ? " in a reasonable length" : "; try again");
	return err;
}
