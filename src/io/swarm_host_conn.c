#include "io/swarm_host_inner.h"

#include <stdlib.h>
#include <string.h>

enum {
	HASH_FACTOR = 0x9e3779b1, /* 2^32 by the golden ratio: ids one after the other spread */
};

/* --- connections, by id and in lists --- */

static struct conn **row_of(const struct swarm_host *h, uint32_t id)
{
	return &h->table[(uint32_t)(id * (uint32_t)HASH_FACTOR) >> (32 - h->table_bits)];
}

struct conn *swarm_host_find(const struct swarm_host *h, uint32_t id)
{
	struct conn *c = *row_of(h, id);

	while (c != NULL && c->id != id)
		c = c->chain;
	return c;
}

static void enter(struct conn *c)
{
	struct conn **row = row_of(c->host, c->id);

	c->chain = *row;
	*row = c;
}

static void leave(struct conn *c)
{
	struct conn **at = row_of(c->host, c->id);

	while (*at != NULL && *at != c)
		at = &(*at)->chain;
	if (*at == c)
		*at = c->chain;
}

static void list_add(struct list *list, struct conn *c)
{
	c->prev = NULL;
	c->next = list->first;
	if (c->next != NULL)
		c->next->prev = c;
	list->first = c;
}

static void list_remove(struct list *list, struct conn *c)
{
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		list->first = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
}

static struct list *list_of(struct conn *c)
{
	return c->state == CONN_OPEN ? &c->host->open : &c->host->passing;
}

static struct conn *conn_new(struct swarm_host *h, uint32_t id, enum conn_state state)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->host = h;
	c->id = id;
	c->state = (uint8_t)state;
	c->tcp.fd = -1;
	enter(c);
	list_add(list_of(c), c);
	return c;
}

static void pass(struct conn *c, uint64_t for_ms)
{
	struct swarm_host *h = c->host;

	c->until_ms = uv_now(h->loop) + for_ms;
	if (c->until_ms < h->passing_ms)
		h->passing_ms = c->until_ms;
}

/* The memory stays until this turn of the loop is over: tcp.h. */
static void finish(struct conn *c)
{
	if (c->state == CONN_GONE)
		return;
	leave(c);
	list_remove(list_of(c), c);
	tcp_close(&c->tcp);
	held_clear(&c->held, &c->host->in_bytes);
	c->state = CONN_GONE;
	list_add(&c->host->dead, c);
}

/* The swarm knows it no longer. */
void swarm_host_end(struct conn *c)
{
	if (c->state != CONN_OPEN || c->drop || tcp_waiting(&c->tcp) == 0) {
		finish(c);
		return;
	}
	leave(c);
	list_remove(list_of(c), c);
	c->state = CONN_LINGERING;
	list_add(list_of(c), c);
	held_clear(&c->held, &c->host->in_bytes);
	tcp_pause(&c->tcp);
	pass(c, SWARM_HOST_LINGER_MS);
}

/* --- limits of memory --- */

static size_t held_in(const struct conn *c)
{
	return c->held.cap;
}

static size_t held_out(const struct conn *c)
{
	return tcp_waiting(&c->tcp);
}

static struct conn *most(struct conn *c, size_t (*holds)(const struct conn *c), struct conn *best)
{
	for (; c != NULL; c = c->next) {
		if (best == NULL || holds(c) > holds(best))
			best = c;
	}
	return best;
}

static void let_go(struct swarm_host *h, size_t (*holds)(const struct conn *c), const char *why)
{
	struct conn *c = most(h->open.first, holds, NULL);

	c = most(h->passing.first, holds, c);
	if (c == NULL || holds(c) == 0)
		return;
	h->let_go++;
	c->drop = true;
	if (c->state == CONN_OPEN)
		swarm_close(h->swarm, c->id, why, swarm_host_now_ms(h));
	finish(c);
}

static void mind_limits(struct swarm_host *h)
{
	if (h->in_bytes > SWARM_HOST_IN_MAX)
		let_go(h, held_in, "unfinished messages take too much memory");
	if (tcp_set_held(&h->set) > SWARM_HOST_OUT_MAX)
		let_go(h, held_out, "messages to slow readers take too much memory");
}

/* --- sending and hearing --- */

static void lack_memory(struct conn *c)
{
	c->drop = true;
	swarm_close(c->host->swarm, c->id, "no memory for its message", swarm_host_now_ms(c->host));
}

void swarm_host_send(struct conn *c)
{
	struct swarm_host *h = c->host;
	size_t n;

	while (c->state == CONN_OPEN && !c->drop && tcp_waiting(&c->tcp) == 0) {
		n = swarm_send(h->swarm, c->id, h->out, sizeof(h->out), swarm_host_now_ms(h));
		if (n == 0)
			return;
		if (!tcp_send(&c->tcp, h->out, n))
			lack_memory(c);
	}
	if (c->state != CONN_OPEN || c->drop)
		return;
	/* A slow reader: it may say no more until it has read. */
	tcp_pause(&c->tcp);
	mind_limits(h);
}

/* A message at a time: the answer to one is sent before the next is heard. */
static void hear(struct conn *c, const uint8_t *data, size_t len)
{
	struct swarm_host *h = c->host;
	size_t used = 0, n = 1;

	while (c->state == CONN_OPEN && tcp_waiting(&c->tcp) == 0 && used < len && n > 0) {
		n = swarm_recv(h->swarm, c->id, slice_of(data + used, len - used),
			       swarm_host_now_ms(h));
		used += n;
		swarm_host_step(h);
	}
	if (c->state != CONN_OPEN)
		return;
	if (used == len) {
		held_clear(&c->held, &h->in_bytes);
		return;
	}
	len -= used;
	n = held_cap(&c->held, len, swarm_need(h->swarm, c->id));
	if (!held_keep(&c->held, data + used, len, n, &h->in_bytes))
		lack_memory(c);
	mind_limits(h);
}

static struct conn *conn_of(struct tcp *tcp)
{
	return (struct conn *)(void *)tcp;
}

static uv_buf_t room(struct tcp *tcp)
{
	struct conn *c = conn_of(tcp);

	return held_room(&c->held, c->host->in, sizeof(c->host->in));
}

static void on_read(struct tcp *tcp, ssize_t n, const uint8_t *data)
{
	struct conn *c = conn_of(tcp);
	struct swarm_host *h = c->host;
	enum outcome why;

	if (c->state == CONN_LINGERING) {
		if (n < 0)
			finish(c);
		return;
	}
	if (n < 0 && n != UV_EOF && !dial_outcome((int)n, &why)) {
		c->drop = true;
		swarm_close(h->swarm, c->id, "this machine has no memory", swarm_host_now_ms(h));
		finish(c);
	} else if (n < 0) {
		swarm_closed(h->swarm, c->id, n == UV_EOF ? SESSION_CLOSE_EOF : SESSION_CLOSE_RESET,
			     swarm_host_now_ms(h));
		finish(c);
	} else if (c->held.len > 0) {
		hear(c, c->held.bytes, c->held.len + (size_t)n);
	} else {
		hear(c, data, (size_t)n);
	}
	swarm_host_step(h);
}

static void on_sent(struct tcp *tcp)
{
	struct conn *c = conn_of(tcp);
	struct swarm_host *h = c->host;

	if (c->state == CONN_LINGERING) {
		finish(c);
		return;
	}
	swarm_host_send(c);
	if (c->state == CONN_OPEN && !c->drop && tcp_waiting(tcp) == 0) {
		tcp_resume(tcp);
		if (c->held.len > 0)
			hear(c, c->held.bytes, c->held.len);
	}
	swarm_host_step(h);
}

/* --- connecting --- */

static void connect_failed(struct conn *c, int error)
{
	struct swarm_host *h = c->host;
	enum outcome why;

	/* Of this machine's own faults, too, the swarm learns that nothing came of it. */
	dial_outcome(error, &why);
	swarm_failed(h->swarm, c->id, why, swarm_host_now_ms(h));
	finish(c);
}

static void on_connect(struct tcp *tcp, int error)
{
	struct conn *c = conn_of(tcp);
	struct swarm_host *h = c->host;

	if (error != 0) {
		connect_failed(c, error);
	} else {
		list_remove(list_of(c), c);
		c->state = CONN_OPEN;
		list_add(list_of(c), c);
		tcp_no_delay(tcp);
		swarm_connected(h->swarm, c->id, swarm_host_now_ms(h));
	}
	swarm_host_step(h);
}

static bool is_loopback(const struct netaddr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return a->kind == NETADDR_IPV4 ? a->bytes[0] == 127 : memcmp(a->bytes, one, 16) == 0;
}

/* From where we listen: others see us as they can reach us. But from loopback no way leads out. */
static const struct netaddr *source_for(const struct swarm_host *h, const struct netaddr *to)
{
	for (unsigned i = 0; i < h->listeners_count; i++) {
		const struct netaddr *from = &h->sources[i];

		if (from->kind == to->kind && (!is_loopback(from) || is_loopback(to)))
			return from;
	}
	return NULL;
}

void swarm_host_dial(struct swarm_host *h, uint32_t id, const struct netaddr *to)
{
	struct conn *c;
	int err;

	if (!netaddr_is_ip(to)) {
		swarm_failed(h->swarm, id, OUTCOME_UNREACHABLE, swarm_host_now_ms(h));
		return;
	}
	c = conn_new(h, id, CONN_DIALLING);
	if (c == NULL) {
		swarm_failed(h->swarm, id, OUTCOME_CANCELLED, swarm_host_now_ms(h));
		return;
	}
	pass(c, h->config.connect_timeout_ms);
	err = dial_connect(&h->set, &c->tcp, to, source_for(h, to));
	if (err != 0)
		connect_failed(c, err);
}

bool swarm_host_on_caller(void *ctx, int fd, const struct netaddr *from)
{
	struct swarm_host *h = ctx;
	uint32_t id = swarm_accepted(h->swarm, from, swarm_host_now_ms(h));
	struct conn *c = id != SWARM_NONE ? conn_new(h, id, CONN_OPEN) : NULL;
	bool taken = c != NULL && tcp_adopt(&h->set, &c->tcp, fd) == 0;

	if (id != SWARM_NONE && !taken) {
		swarm_closed(h->swarm, id, SESSION_CLOSE_RESET, swarm_host_now_ms(h));
		if (c != NULL)
			finish(c);
	}
	swarm_host_step(h);
	return taken;
}

/* --- time --- */

void swarm_host_end_passing(struct swarm_host *h)
{
	uint64_t real = uv_now(h->loop);
	struct conn *c = h->passing.first, *next;

	h->passing_ms = UINT64_MAX;
	for (; c != NULL; c = next) {
		next = c->next;
		if (c->until_ms > real) {
			if (c->until_ms < h->passing_ms)
				h->passing_ms = c->until_ms;
		} else if (c->state == CONN_DIALLING) {
			connect_failed(c, UV_ETIMEDOUT);
		} else {
			finish(c);
		}
	}
}

void swarm_host_bury(struct swarm_host *h)
{
	struct conn *c = h->dead.first, *next;

	h->dead.first = NULL;
	for (; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
}

const struct tcp_calls swarm_host_calls = {
	.on_connect = on_connect,
	.room = room,
	.on_read = on_read,
	.on_sent = on_sent,
};
