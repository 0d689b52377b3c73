#include "io/swarm_host.h"

#include "io/limits.h"
#include "io/swarm_host_inner.h"
#include "io/wall.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	BACKLOG = 4096, /* Linux' default net.core.somaxconn */
	HANDLES = 2,
	PORT_TRIES = 16,
};

uint64_t swarm_host_now_ms(const struct swarm_host *h)
{
	return h->start_ms + (uv_now(h->loop) - h->start_ms) * h->config.speed_up;
}

/* --- carrying out what the swarm wants, and time --- */

static void carry_out(struct swarm_host *h, const struct swarm_action *a)
{
	struct conn *c;

	if (a->what == SWARM_DIAL) {
		swarm_host_dial(h, a->id, &a->addr);
		return;
	}
	c = swarm_host_find(h, a->id);
	if (c == NULL)
		return;
	if (a->what == SWARM_SEND)
		swarm_host_send(c);
	else
		swarm_host_end(c);
}

static void on_timer(uv_timer_t *timer);

static void set_timer(struct swarm_host *h)
{
	uint64_t now = swarm_host_now_ms(h), real = uv_now(h->loop), at, wait;

	at = swarm_deadline(h->swarm);
	wait = at <= now ? 0 : (at - now + h->config.speed_up - 1) / h->config.speed_up;
	at = at == UINT64_MAX ? at : real + wait;
	if (h->passing_ms < at)
		at = h->passing_ms;
	/* A timer that rings early only looks and is set anew: no need to move it back. */
	if (at >= h->timer_ms)
		return;
	h->timer_ms = at;
	uv_timer_start(&h->timer, on_timer, at > real ? at - real : 0, 0);
}

static void close_handles(struct swarm_host *h);

/* After all that the swarm was told. */
void swarm_host_step(struct swarm_host *h)
{
	struct swarm_action a;

	if (h->stepping)
		return;
	h->stepping = true;
	while (swarm_next(h->swarm, &a))
		carry_out(h, &a);
	h->stepping = false;
	if (h->left && h->open.first == NULL && h->passing.first == NULL)
		close_handles(h);
	else
		set_timer(h);
}

static void close_listeners(struct swarm_host *h)
{
	for (unsigned i = 0; i < h->listeners_count; i++) {
		h->unaccepted += listener_unaccepted(h->listeners[i]);
		listener_close(h->listeners[i]);
	}
	h->listeners_count = 0;
}

static void take_leave(struct swarm_host *h)
{
	close_listeners(h);
	swarm_stop(h->swarm, swarm_host_now_ms(h));
	h->left = true;
}

static void tick(struct swarm_host *h)
{
	uint64_t now_ms = swarm_host_now_ms(h);

	/* A machine without a clock of its own learns the time after it has started. */
	if (h->config.speed_up == 1)
		swarm_clock(h->swarm, wall_ms() / 1000, now_ms);
	swarm_tick(h->swarm, now_ms);
}

static void on_timer(uv_timer_t *timer)
{
	struct swarm_host *h = timer->data;

	if (h->handles == 0)
		return;
	if (!h->stopping && !h->granted && uv_now(h->loop) > h->timer_ms + SWARM_HOST_LATE_MS) {
		/* What the peers have said meanwhile is heard before their time is called, once.
		 * libuv runs timers first; one of a millisecond lets the sockets have their turn.
		 */
		h->granted = true;
		h->timer_ms = uv_now(h->loop) + 1;
		uv_timer_start(timer, on_timer, 1, 0);
		return;
	}
	h->granted = false;
	h->timer_ms = UINT64_MAX;
	swarm_host_end_passing(h);
	if (h->stopping && !h->left)
		take_leave(h);
	else
		tick(h);
	swarm_host_step(h);
}

static void on_check(uv_check_t *check)
{
	swarm_host_bury(check->data);
}

/* --- beginning and ending --- */

static void release(struct swarm_host *h)
{
	swarm_host_bury(h);
	swarm_free(h->swarm);
	free(h->table);
	free(h);
}

static void on_closed(uv_handle_t *handle)
{
	struct swarm_host *h = handle->data;

	if (--h->handles == 0)
		release(h);
}

static void close_handles(struct swarm_host *h)
{
	if (uv_is_closing((uv_handle_t *)&h->timer))
		return;
	uv_close((uv_handle_t *)&h->timer, on_closed);
	uv_close((uv_handle_t *)&h->check, on_closed);
}

static enum err listen_at(struct swarm_host *h, struct netaddr at)
{
	const struct listen_config config = { .at = at,
					      .backlog = BACKLOG,
					      .round = SWARM_HOST_ROUND,
					      .on_caller = swarm_host_on_caller,
					      .ctx = h };
	struct netaddr *source = &h->sources[h->listeners_count];
	enum err err = listener_open(h->loop, &config, &h->listeners[h->listeners_count]);

	if (err != ERR_OK)
		return err;
	h->listeners_count++;
	*source = (struct netaddr){ 0 };
	if (!listen_is_anywhere(&at)) {
		*source = at;
		source->port = 0;
	}
	return ERR_OK;
}

/* All places, at one port if any will do; *failed is the one that could not be opened. */
static enum err listen_once(struct swarm_host *h, struct netaddr *failed)
{
	for (unsigned i = 0; i < h->config.places_count; i++) {
		const struct listen_place *place = &h->config.places[i];
		enum err err;

		*failed = place->addr;
		if (failed->port == 0 && h->listeners_count > 0)
			failed->port = listener_local(h->listeners[0]).port;
		err = listen_at(h, *failed);
		if (err != ERR_OK &&
		    !(err == ERR_IO && place->optional && listen_no_such_address(errno)))
			return err;
	}
	if (h->listeners_count > 0 || h->config.places_count == 0)
		return ERR_OK;
	errno = EADDRNOTAVAIL;
	return ERR_IO;
}

static enum err listen_everywhere(struct swarm_host *h, char why[static SWARM_HOST_WHY_MAX])
{
	struct netaddr failed = { 0 };
	unsigned tries = 0;
	int error;
	enum err err;

	do {
		close_listeners(h);
		err = listen_once(h, &failed);
		error = errno;
		/* A port that is free for IPv4 may be taken for IPv6, if any will do. */
	} while (err == ERR_IO && error == EADDRINUSE && h->listeners_count > 0 &&
		 h->config.places[0].addr.port == 0 && ++tries < PORT_TRIES);
	if (err == ERR_IO)
		listen_why(&failed, error, why);
	return err;
}

/* As many callers as there are descriptors for. */
static void fit_descriptors(struct swarm_host *h)
{
	struct peer_policy *p = &h->policy;
	uint64_t limit = limits_raise_descriptors(), taken = limits_open_descriptors();
	uint64_t room;

	taken += SWARM_HOST_SPARE + (uint64_t)p->out_wanted + swarm_dials_max(p);
	room = limit > taken ? limit - taken : 1;
	if (p->in_max > room)
		p->in_max = (uint32_t)room;
	for (h->table_bits = 8; 1U << h->table_bits < p->in_max + p->out_wanted; h->table_bits++)
		continue;
}

static enum err start_swarm(struct swarm_host *h)
{
	struct swarm_config *c = &h->config.swarm;
	const struct netaddr *advertise = h->config.advertise;
	enum err err;

	c->session.unix_s = wall_ms() / 1000;
	if (h->listeners_count > 0)
		c->session.listen_port = advertise[0].kind != NETADDR_NONE
						 ? advertise[0].port
						 : listener_local(h->listeners[0]).port;
	c->policy = &h->policy;
	err = swarm_new(c, h->start_ms, &h->swarm);
	if (err != ERR_OK)
		return err;
	for (unsigned i = 0; i < 2; i++) {
		if (advertise[i].kind != NETADDR_NONE)
			swarm_own(h->swarm, &advertise[i]);
	}
	for (unsigned i = 0; i < h->listeners_count; i++) {
		struct netaddr local = listener_local(h->listeners[i]);

		if (h->sources[i].kind != NETADDR_NONE && advertise[0].kind == NETADDR_NONE)
			swarm_own(h->swarm, &local);
	}
	return ERR_OK;
}

static enum err prepare(struct swarm_host *h, const struct swarm_host_config *config,
			char why[static SWARM_HOST_WHY_MAX])
{
	enum err err;

	h->config = *config;
	if (h->config.connect_timeout_ms == 0)
		h->config.connect_timeout_ms = SWARM_HOST_CONNECT_MS;
	if (h->config.speed_up == 0)
		h->config.speed_up = 1;
	h->policy = config->swarm.policy != NULL ? *config->swarm.policy
						 : *config->swarm.network->proto->policy;
	h->timer_ms = h->passing_ms = UINT64_MAX;
	fit_descriptors(h);
	h->table = calloc((size_t)1 << h->table_bits, sizeof(struct conn *));
	err = h->table != NULL ? listen_everywhere(h, why) : ERR_NOMEM;
	return err == ERR_OK ? start_swarm(h) : err;
}

enum err swarm_host_start(uv_loop_t *loop, const struct swarm_host_config *config,
			  struct swarm_host **out, char why[static SWARM_HOST_WHY_MAX])
{
	struct swarm_host *h = calloc(1, sizeof(*h));
	enum err err = ERR_NOMEM;

	*out = NULL;
	why[0] = '\0';
	if (h != NULL) {
		h->loop = loop;
		uv_update_time(loop);
		h->start_ms = uv_now(loop);
		tcp_set_init(&h->set, loop, &swarm_host_calls);
		h->set.turn_bytes = SWARM_HOST_TURN_BYTES;
		err = prepare(h, config, why);
	}
	if (err != ERR_OK) {
		if (why[0] == '\0')
			snprintf(why, SWARM_HOST_WHY_MAX, "%s", err_text(err));
		if (h != NULL) {
			close_listeners(h);
			release(h);
		}
		return err;
	}
	uv_timer_init(loop, &h->timer);
	uv_check_init(loop, &h->check);
	h->timer.data = h->check.data = h;
	h->handles = HANDLES;
	uv_check_start(&h->check, on_check);
	/* It begins with the next turn of the loop: whoever is told of something has h by then. */
	h->timer_ms = h->start_ms;
	uv_timer_start(&h->timer, on_timer, 0, 0);
	*out = h;
	return ERR_OK;
}

void swarm_host_stop(struct swarm_host *h)
{
	if (h->stopping)
		return;
	h->stopping = true;
	h->timer_ms = uv_now(h->loop);
	uv_timer_start(&h->timer, on_timer, 0, 0);
}

/* --- looking --- */

struct swarm *swarm_host_swarm(struct swarm_host *h)
{
	return h->swarm;
}

uint32_t swarm_host_in_max(const struct swarm_host *h)
{
	return h->policy.in_max;
}

unsigned swarm_host_places(const struct swarm_host *h)
{
	return h->listeners_count;
}

struct netaddr swarm_host_local(const struct swarm_host *h, unsigned i)
{
	return listener_local(h->listeners[i]);
}

void swarm_host_counts(const struct swarm_host *h, struct swarm_host_counts *out)
{
	*out = (struct swarm_host_counts){ .in_bytes = h->in_bytes,
					   .out_bytes = tcp_set_held(&h->set),
					   .let_go = h->let_go,
					   .unaccepted = h->unaccepted };
	swarm_counts(h->swarm, &out->swarm);
	for (unsigned i = 0; i < h->listeners_count; i++)
		out->unaccepted += listener_unaccepted(h->listeners[i]);
}
