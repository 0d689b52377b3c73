#include "sim/server.h"

#include "sim/server_conns.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct sim_server {
	const struct sim_world *world;
	struct sim_conns *conns;
	int refusing, silent, filler; /* descriptors, or -1 */
};

/* --- talks --- */

static bool find(void *ctx, const struct netaddr *addr, uint32_t *index, uint32_t *rtt_ms)
{
	const struct sim_server *s = ctx;
	int64_t at = sim_world_find(s->world, addr);
	struct sim_peer peer;

	if (at < 0)
		return false;
	sim_world_peer(s->world, (uint32_t)at, &peer);
	*index = peer.index;
	*rtt_ms = peer.rtt_ms;
	return true;
}

static void *begin(void *ctx, uint32_t index, const struct netaddr *remote, uint64_t now_ms)
{
	const struct sim_server *s = ctx;
	struct sim_conn *c;

	return sim_conn_new(s->world, index, remote, now_ms, time(NULL), &c) == ERR_OK ? c : NULL;
}

static void talk_free(void *talk)
{
	sim_conn_free(talk);
}

static void talk_recv(void *talk, struct slice in, uint64_t now_ms)
{
	sim_conn_recv(talk, in, now_ms);
}

static bool talk_next(void *talk, uint64_t now_ms, struct sim_output *out)
{
	return sim_conn_next(talk, now_ms, out);
}

static uint64_t talk_deadline(const void *talk)
{
	return sim_conn_deadline(talk);
}

static bool talk_asked(const void *talk)
{
	return sim_conn_asked(talk);
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

static void on_closed(void *ctx)
{
	free(ctx);
}

static bool open_sockets(struct sim_server *s, struct sim_why why)
{
	const struct sim_config *config = sim_world_config(s->world);
	struct sim_peer first;

	sim_world_peer(s->world, 0, &first);
	if (!sim_socket_is_local(&first.addr, why))
		return false;
	for (unsigned i = 0; i < SIM_PORTS; i++) {
		if (!sim_conns_listen(s->conns, (uint16_t)(config->port + i), why))
			return false;
	}
	s->refusing = sim_socket_bind(config, (uint16_t)(config->port + SIM_PORT_REFUSED), why);
	if (s->refusing < 0)
		return false;
	s->silent = sim_socket_silent(config, (uint16_t)(config->port + SIM_PORT_SILENT),
				      &s->filler, why);
	return s->silent >= 0;
}

enum err sim_server_start(uv_loop_t *loop, const struct sim_world *w, struct sim_server **out,
			  char *why_text, size_t why_cap)
{
	const struct sim_why why = { why_text, why_cap };
	struct sim_server *s = calloc(1, sizeof(*s));
	struct sim_conns_config config = { .loop = loop,
					   .sim = sim_world_config(w),
					   .kind = &talks,
					   .ctx = s,
					   .open_max = SIM_SERVER_OPEN_MAX,
					   .on_closed = on_closed };

	*out = NULL;
	if (s == NULL || sim_conns_new(&config, &s->conns) != ERR_OK) {
		free(s);
		snprintf(why.text, why.cap, "%s", err_text(ERR_NOMEM));
		return ERR_NOMEM;
	}
	s->world = w;
	s->refusing = s->silent = s->filler = -1;
	if (!open_sockets(s, why)) {
		sim_server_stop(s);
		return ERR_IO;
	}
	*out = s;
	return ERR_OK;
}

void sim_server_counts(const struct sim_server *s, struct sim_server_counts *out)
{
	struct sim_conns_counts n;

	sim_conns_counts(s->conns, &n);
	*out = (struct sim_server_counts){ .connections = n.connections,
					   .open = n.open,
					   .bytes_in = n.bytes_in,
					   .bytes_out = n.bytes_out,
					   .getaddr = n.asked,
					   .strangers = n.strangers };
}

void sim_server_stop(struct sim_server *s)
{
	if (s->refusing >= 0)
		close(s->refusing);
	if (s->silent >= 0)
		close(s->silent);
	if (s->filler >= 0)
		close(s->filler);
	sim_conns_stop(s->conns);
}
