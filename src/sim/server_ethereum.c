#include "sim/server_ethereum.h"

#include "io/udp.h"
#include "sim/ethereum_conn.h"
#include "sim/flights.h"
#include "sim/server_conns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct sim_ethereum_server {
	uv_loop_t *loop;
	const struct sim_ethereum *world;
	const struct sim_config *config;
	struct sim_ethereum_peers *peers;
	struct sim_ethereum_server_counts counts;
	struct random random;
	struct udp *udp;
	uv_timer_t timer;
	struct sim_flights flights;
	struct sim_conns *conns;
	struct identity identity; /* random numbers of the sessions */
	uint64_t sessions;
	int refusing;     /* a descriptor, or -1 */
	unsigned closing; /* what is on its way out: the timer, the connections */
};

/* --- datagrams --- */

static bool is_lost(struct sim_ethereum_server *s)
{
	if (s->config->loss == 0 || random_unit(&s->random) >= s->config->loss)
		return false;
	s->counts.lost++;
	return true;
}

static void on_timer(uv_timer_t *timer);

static void set_timer(struct sim_ethereum_server *s)
{
	uint64_t due_ms = sim_flights_due(&s->flights), now_ms = uv_now(s->loop);

	if (due_ms != UINT64_MAX)
		uv_timer_start(&s->timer, on_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct sim_ethereum_server *s = timer->data;
	struct sim_flight *flight;

	while ((flight = sim_flights_take(&s->flights, uv_now(s->loop))) != NULL) {
		udp_send(s->udp, &flight->to, &flight->from, slice_of(flight->bytes, flight->len));
		free(flight);
	}
	set_timer(s);
}

static void on_datagram(void *ctx, const struct udp_datagram *d)
{
	struct sim_ethereum_server *s = ctx;
	int64_t index = sim_ethereum_find(s->world, &d->to);
	uint64_t due_ms = uv_now(s->loop), next_ms = sim_flights_due(&s->flights);
	struct slice answer;

	if (index < 0) {
		s->counts.strangers++;
		return;
	}
	if (d->cut || is_lost(s))
		return;
	due_ms += sim_ethereum_rtt_ms(s->world, (uint32_t)index);
	if (s->config->jitter_ms > 0)
		due_ms += random_below(&s->random, s->config->jitter_ms + 1ULL);
	sim_ethereum_peers_recv(s->peers, (uint32_t)index, &d->from, d->bytes, time(NULL));
	while (sim_ethereum_peers_next(s->peers, &answer)) {
		if (!is_lost(s) && !sim_flights_add(&s->flights, due_ms, &d->to, &d->from, answer))
			s->counts.overrun++;
	}
	if (sim_flights_due(&s->flights) < next_ms)
		set_timer(s);
}

/* --- sessions --- */

static bool find(void *ctx, const struct netaddr *addr, uint32_t *index, uint32_t *rtt_ms)
{
	const struct sim_ethereum_server *s = ctx;
	int64_t at = sim_ethereum_find(s->world, addr);

	if (at < 0 || sim_ethereum_kind(s->world, (uint32_t)at) == SIM_ETHEREUM_GHOST)
		return false;
	*index = (uint32_t)at;
	*rtt_ms = sim_ethereum_rtt_ms(s->world, *index);
	return true;
}

static void *begin(void *ctx, uint32_t index, const struct netaddr *remote, uint64_t now_ms)
{
	struct sim_ethereum_server *s = ctx;
	struct sim_ethereum_conn *c;

	(void)remote;
	sim_ethereum_conn_new(s->world, index, &s->identity, ++s->sessions, now_ms, &c);
	return c;
}

static void talk_free(void *talk)
{
	sim_ethereum_conn_free(talk);
}

static void talk_recv(void *talk, struct slice in, uint64_t now_ms)
{
	sim_ethereum_conn_recv(talk, in, now_ms);
}

static bool talk_next(void *talk, uint64_t now_ms, struct sim_output *out)
{
	return sim_ethereum_conn_next(talk, now_ms, out);
}

static uint64_t talk_deadline(const void *talk)
{
	return sim_ethereum_conn_deadline(talk);
}

static bool talk_asked(const void *talk)
{
	return sim_ethereum_conn_shook_hands(talk);
}

static const struct sim_conns_kind talks = {
	.find = find,
	.begin = begin,
	.free = talk_free,
	.recv = talk_recv,
	.next = talk_next,
	.deadline = talk_deadline,
	.asked = talk_asked,
};

/* --- the whole --- */

static enum err open_udp(struct sim_ethereum_server *s, struct sim_why why)
{
	struct udp_config config = {
		.local = { .kind = s->config->range.base.kind, .port = s->config->port },
		.any_address = true,
		.device = sim_socket_device(s->config),
		.on_datagram = on_datagram,
		.ctx = s,
	};
	enum err err = udp_open(s->loop, &config, &s->udp);

	if (err == ERR_NOMEM)
		snprintf(why.text, why.cap, "%s", err_text(err));
	else if (err != ERR_OK)
		sim_socket_bind_failed(s->config->port, errno, why);
	return err;
}

static enum err open_sockets(struct sim_ethereum_server *s, struct sim_why why)
{
	struct enode first;
	enum err err;

	sim_ethereum_enode(s->world, 0, &first);
	if (!sim_socket_is_local(&first.endpoint.addr, why))
		return ERR_IO;
	err = open_udp(s, why);
	if (err != ERR_OK)
		return err;
	if (!sim_conns_listen(s->conns, s->config->port, why))
		return ERR_IO;
	s->refusing = sim_socket_bind(s->config,
				      (uint16_t)(s->config->port + SIM_ETHEREUM_PORT_CLOSED), why);
	return s->refusing >= 0 ? ERR_OK : ERR_IO;
}

static void closed(struct sim_ethereum_server *s)
{
	if (--s->closing > 0)
		return;
	sim_flights_clear(&s->flights);
	sim_ethereum_peers_free(s->peers);
	identity_clear(&s->identity);
	free(s);
}

static void on_timer_closed(uv_handle_t *handle)
{
	closed(handle->data);
}

static void on_conns_closed(void *ctx)
{
	closed(ctx);
}

enum err sim_ethereum_server_start(uv_loop_t *loop, const struct sim_ethereum *w,
				   struct sim_ethereum_server **out, char *why_text, size_t why_cap)
{
	const struct sim_why why = { why_text, why_cap };
	struct sim_ethereum_server *s = calloc(1, sizeof(*s));
	struct sim_conns_config conns = { .loop = loop,
					  .sim = sim_ethereum_config(w),
					  .kind = &talks,
					  .ctx = s,
					  .open_max = SIM_ETHEREUM_OPEN_MAX,
					  .on_closed = on_conns_closed };
	enum err err;

	*out = NULL;
	if (s == NULL || sim_ethereum_peers_new(w, &s->peers) != ERR_OK ||
	    sim_conns_new(&conns, &s->conns) != ERR_OK) {
		snprintf(why.text, why.cap, "%s", err_text(ERR_NOMEM));
		if (s != NULL)
			sim_ethereum_peers_free(s->peers);
		free(s);
		return ERR_NOMEM;
	}
	s->loop = loop;
	s->world = w;
	s->config = sim_ethereum_config(w);
	s->random.state = s->config->seed;
	s->refusing = -1;
	sim_ethereum_identity(w, &s->identity);
	uv_timer_init(loop, &s->timer);
	s->timer.data = s;
	err = open_sockets(s, why);
	if (err != ERR_OK) {
		sim_ethereum_server_stop(s);
		return err;
	}
	*out = s;
	return ERR_OK;
}

void sim_ethereum_server_counts(const struct sim_ethereum_server *s,
				struct sim_ethereum_server_counts *out)
{
	struct sim_conns_counts conns;
	struct udp_counts udp;

	*out = s->counts;
	sim_conns_counts(s->conns, &conns);
	out->connections = conns.connections;
	out->open = conns.open;
	out->sessions = conns.asked;
	out->strangers += conns.strangers;
	udp_counts(s->udp, &udp);
	out->datagrams_in = udp.datagrams_in;
	out->datagrams_out = udp.datagrams_out;
	out->bytes_in = udp.bytes_in + conns.bytes_in;
	out->bytes_out = udp.bytes_out + conns.bytes_out;
	out->overrun += udp.dropped;
	sim_ethereum_peers_counts(s->peers, &out->peers);
}

void sim_ethereum_server_stop(struct sim_ethereum_server *s)
{
	s->closing = 2;
	if (s->refusing >= 0)
		close(s->refusing);
	if (s->udp != NULL)
		udp_close(s->udp);
	uv_close((uv_handle_t *)&s->timer, on_timer_closed);
	sim_conns_stop(s->conns);
}
