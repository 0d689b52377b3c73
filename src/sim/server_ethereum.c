#include "sim/server_ethereum.h"

#include "io/udp.h"
#include "sim/flights.h"
#include "sim/server_sockets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* --- the whole --- */

static enum err open_udp(struct sim_ethereum_server *s, struct sim_why why)
{
	struct udp_config config = {
		.local = { .kind = s->config->range.base.kind, .port = s->config->port },
		.any_address = true,
		.device = "lo",
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

enum err sim_ethereum_server_start(uv_loop_t *loop, const struct sim_ethereum *w,
				   struct sim_ethereum_server **out, char *why_text, size_t why_cap)
{
	const struct sim_why why = { why_text, why_cap };
	struct sim_ethereum_server *s = calloc(1, sizeof(*s));
	enum err err = ERR_NOMEM;
	struct enode first;

	*out = NULL;
	if (s == NULL || sim_ethereum_peers_new(w, &s->peers) != ERR_OK) {
		snprintf(why.text, why.cap, "%s", err_text(err));
		goto fail;
	}
	s->loop = loop;
	s->world = w;
	s->config = sim_ethereum_config(w);
	s->random.state = s->config->seed;
	sim_ethereum_enode(w, 0, &first);
	err = ERR_IO;
	if (!sim_socket_is_local(&first.endpoint.addr, why))
		goto fail;
	err = open_udp(s, why);
	if (err != ERR_OK)
		goto fail;
	uv_timer_init(loop, &s->timer);
	s->timer.data = s;
	*out = s;
	return ERR_OK;
fail:
	if (s != NULL)
		sim_ethereum_peers_free(s->peers);
	free(s);
	return err;
}

void sim_ethereum_server_counts(const struct sim_ethereum_server *s,
				struct sim_ethereum_server_counts *out)
{
	struct udp_counts udp;

	*out = s->counts;
	udp_counts(s->udp, &udp);
	out->datagrams_in = udp.datagrams_in;
	out->datagrams_out = udp.datagrams_out;
	out->bytes_in = udp.bytes_in;
	out->bytes_out = udp.bytes_out;
	out->overrun += udp.dropped;
	sim_ethereum_peers_counts(s->peers, &out->peers);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct sim_ethereum_server *s = handle->data;

	sim_flights_clear(&s->flights);
	sim_ethereum_peers_free(s->peers);
	free(s);
}

void sim_ethereum_server_stop(struct sim_ethereum_server *s)
{
	udp_close(s->udp);
	uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}
