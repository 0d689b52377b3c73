#include "io/node_sessions.h"

#include "io/dial.h"
#include "io/listen.h"
#include "io/node_gate.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	/* More than a session ever waits for: a handshake's packet with its size. */
	HELD_MAX = RLPX_SIZE_LEN + RLPX_PACKET_MAX,
};

struct caller {
	uv_poll_t poll;
	uv_timer_t timer;
	struct node_sessions *all;
	unsigned place;   /* in all->callers */
	unsigned closing; /* handles on their way out */
	int fd;
	bool told, shut, broken;
	uint64_t linger_until_ms, linger_bytes;
	struct netaddr from;
	size_t held_len, out_at, out_len;
	uint8_t held[HELD_MAX], out[RLPX_OUT_CAP];
	struct rlpx_session session;
};

struct node_sessions {
	struct node_sessions_config config;
	uv_loop_t *loop;
	struct listener *listeners[NODE_SESSIONS_SOCKETS_MAX];
	unsigned listeners_count;
	uint16_t port;
	struct caller *callers[NODE_SESSIONS_MAX];
	struct node_gate gate;
	struct node_sessions_counts counts;
	bool stopping;
	unsigned callers_left; /* not yet closed */
};

static void free_if_over(struct node_sessions *s)
{
	if (s->stopping && s->callers_left == 0)
		free(s);
}

/* --- a caller --- */

static void on_caller_closed(uv_handle_t *handle)
{
	struct caller *c = handle->data;
	struct node_sessions *s = c->all;

	if (--c->closing > 0)
		return;
	close(c->fd);
	rlpx_session_clear(&c->session);
	free(c);
	s->callers_left--;
	free_if_over(s);
}

static void drop(struct caller *c)
{
	if (c->closing > 0)
		return;
	c->closing = 2;
	c->all->callers[c->place] = NULL;
	c->all->counts.open--;
	uv_close((uv_handle_t *)&c->poll, on_caller_closed);
	uv_close((uv_handle_t *)&c->timer, on_caller_closed);
}

/* Sends what the session has. What the kernel doesn't take waits here, and what is behind it
 * in the session, which has room for all that it must say. */
static void say(struct caller *c)
{
	for (;;) {
		ssize_t n;

		if (c->out_at == c->out_len) {
			c->out_at = 0;
			c->out_len = rlpx_session_send(&c->session, c->out, sizeof(c->out));
			if (c->out_len == 0)
				return;
		}
		n = send(c->fd, c->out + c->out_at, c->out_len - c->out_at, MSG_NOSIGNAL);
		if (n < 0) {
			c->broken = errno != EAGAIN && errno != EINTR;
			return;
		}
		c->out_at += (size_t)n;
		c->all->counts.bytes_out += (uint64_t)n;
	}
}

static void tell(struct caller *c)
{
	struct node_sessions *s = c->all;
	struct node_session end = { .from = c->from };

	if (c->told || !rlpx_session_done(&c->session, &end.outcome, &end.rule))
		return;
	c->told = true;
	rlpx_session_info(&c->session, &end.info);
	s->counts.hellos += end.info.has_hello;
	s->counts.statuses += end.info.has_status;
	if (s->config.on_end != NULL && !s->stopping)
		s->config.on_end(s->config.ctx, &end);
}

static void on_timer(uv_timer_t *timer);
static void on_poll(uv_poll_t *poll, int status, int events);

/* After all that happens: sends, and says when to look again. Whoever is told may stop it all. */
static void step(struct caller *c)
{
	uint64_t now = uv_now(c->all->loop), at;
	bool unsent;

	say(c);
	tell(c);
	if (c->closing > 0)
		return;
	if (c->broken) {
		drop(c);
		return;
	}
	unsent = c->out_at < c->out_len;
	if (c->told && c->linger_until_ms == 0)
		c->linger_until_ms = now + NODE_SESSIONS_LINGER_MS;
	if (c->told && !unsent && !c->shut) {
		c->shut = true;
		shutdown(c->fd, SHUT_WR);
	}
	at = c->told ? c->linger_until_ms : rlpx_session_deadline(&c->session);
	uv_timer_start(&c->timer, on_timer, at > now ? at - now : 0, 0);
	uv_poll_start(&c->poll, UV_READABLE | (unsent ? UV_WRITABLE : 0), on_poll);
}

static void on_timer(uv_timer_t *timer)
{
	struct caller *c = timer->data;

	if (c->told) {
		drop(c);
		return;
	}
	rlpx_session_tick(&c->session, uv_now(c->all->loop));
	step(c);
}

static void hear(struct caller *c, uint64_t now)
{
	size_t used = 0, n;

	while ((n = rlpx_session_recv(&c->session, slice_of(c->held + used, c->held_len - used),
				      now)) > 0) {
		used += n;
		say(c); /* the answer to one before the next is heard */
	}
	memmove(c->held, c->held + used, c->held_len - used);
	c->held_len -= used;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct caller *c = poll->data;
	uint64_t now = uv_now(c->all->loop);
	ssize_t n = 0;

	if (status == 0 && (events & UV_READABLE) == 0) {
		step(c);
		return;
	}
	/* Nobody listens any more to what comes behind the end. */
	if (c->told)
		c->held_len = 0;
	assert(c->held_len < sizeof(c->held));
	n = recv(c->fd, c->held + c->held_len, sizeof(c->held) - c->held_len, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		rlpx_session_closed(&c->session, n == 0 ? SESSION_CLOSE_EOF : SESSION_CLOSE_RESET,
				    now);
		say(c);
		tell(c);
		drop(c);
		return;
	}
	c->all->counts.bytes_in += (uint64_t)n;
	if (c->told) {
		c->linger_bytes += (uint64_t)n;
		if (c->linger_bytes > NODE_SESSIONS_LINGER_BYTES)
			drop(c);
		return;
	}
	c->held_len += (size_t)n;
	hear(c, now);
	step(c);
}

/* --- taking callers --- */

static bool place_for(const struct node_sessions *s, const struct netaddr *from, unsigned *place)
{
	unsigned same = 0;
	bool found = false;

	for (unsigned i = NODE_SESSIONS_MAX; i-- > 0;) {
		if (s->callers[i] == NULL) {
			*place = i;
			found = true;
		} else if (node_gate_same(&s->callers[i]->from, from)) {
			same++;
		}
	}
	return found && same < NODE_SESSIONS_PER_HOST;
}

static void begin_session(struct caller *c)
{
	const struct node_sessions_config *config = &c->all->config;
	struct rlpx_session_params params = {
		.role = SESSION_RESPONDER,
		.goal = RLPX_GOAL_LEARN,
		.client = config->client,
		.listen_port = c->all->port,
		.timeout_ms = config->life_ms,
	};
	uint64_t nonce;

	dial_random(&nonce, sizeof(nonce));
	identity_local(config->identity, nonce, &params.local);
	rlpx_session_init(&c->session, &params, uv_now(c->all->loop));
	explicit_bzero(&params, sizeof(params));
}

static bool on_caller(void *ctx, int fd, const struct netaddr *from)
{
	struct node_sessions *s = ctx;
	struct caller *c = NULL;
	unsigned place = 0;

	s->counts.refused++; /* until it is taken */
	if (place_for(s, from, &place) && node_gate_pass(&s->gate, from, uv_now(s->loop)))
		c = calloc(1, sizeof(*c));
	if (c == NULL)
		return false;
	c->all = s;
	c->fd = fd;
	c->place = place;
	c->from = *from;
	c->poll.data = c->timer.data = c;
	if (uv_poll_init(s->loop, &c->poll, fd) != 0) {
		free(c);
		return false;
	}
	uv_timer_init(s->loop, &c->timer);
	s->callers[place] = c;
	s->callers_left++;
	s->counts.refused--;
	s->counts.taken++;
	s->counts.open++;
	begin_session(c);
	step(c);
	return true;
}

/* --- the whole --- */

enum err node_sessions_new(uv_loop_t *loop, const struct node_sessions_config *config,
			   struct node_sessions **out)
{
	struct node_sessions *s = calloc(1, sizeof(*s));
	struct hash_key key;

	*out = s;
	if (s == NULL)
		return ERR_NOMEM;
	s->config = *config;
	if (s->config.life_ms == 0)
		s->config.life_ms = NODE_SESSIONS_LIFE_MS;
	s->loop = loop;
	dial_random(&key, sizeof(key));
	node_gate_init(&s->gate, &key, NODE_SESSIONS_RATE, NODE_SESSIONS_BURST);
	return ERR_OK;
}

enum err node_sessions_listen(struct node_sessions *s, const struct netaddr *at)
{
	struct listen_config config = { .at = *at,
					.backlog = NODE_SESSIONS_MAX,
					.round = NODE_SESSIONS_ROUND,
					.on_caller = on_caller,
					.ctx = s };
	enum err err;

	if (s->listeners_count == NODE_SESSIONS_SOCKETS_MAX)
		return ERR_FULL;
	err = listener_open(s->loop, &config, &s->listeners[s->listeners_count]);
	if (err != ERR_OK)
		return err;
	s->port = listener_local(s->listeners[s->listeners_count++]).port;
	return ERR_OK;
}

void node_sessions_counts(const struct node_sessions *s, struct node_sessions_counts *out)
{
	*out = s->counts;
}

void node_sessions_stop(struct node_sessions *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	for (unsigned i = 0; i < s->listeners_count; i++)
		listener_close(s->listeners[i]);
	for (unsigned i = 0; i < NODE_SESSIONS_MAX; i++) {
		struct caller *c = s->callers[i];

		if (c == NULL)
			continue;
		rlpx_session_leave(&c->session);
		say(c);
		tell(c);
		drop(c);
	}
	free_if_over(s);
}
