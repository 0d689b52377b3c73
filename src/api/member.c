#include "api/member.h"

#include "api/pipe_guard.h"
#include "api/place_arg.h"
#include "io/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct member_said {
	struct member_said *next;
	uint32_t peer; /* or MEMBER_ALL */
	size_t len;
	uint8_t bytes[];
};

static const struct member_kind *const kinds[] = { &member_swarm, &member_node };

static const struct member_kind *kind_of(const struct network *network)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i]->serves(network))
			return kinds[i];
	}
	return NULL;
}

/* --- making --- */

static bool take_config(struct pw_member *m, const struct pw_member_config *config)
{
	struct pw_member_config *c = &m->config;

	if (!api_config(c, sizeof(*c), config) || c->network == NULL)
		return false;
	m->network = api_network(c->network);
	m->kind = kind_of(m->network);
	return m->kind != NULL && m->kind->allows(c) && api_agent(m->network, c->agent, m->agent) &&
	       api_group(m->network, c->group, m->group) &&
	       (c->key == NULL || secp_key_init(&m->key, c->key));
}

static void on_wake(uv_async_t *wake);

/* The loop stands as long as the member, so that anybody may wake it at any time. */
static enum pw_err make_loop(struct pw_member *m)
{
	if (loop_init(&m->loop) != 0)
		return PW_ERR_IO;
	if (uv_async_init(&m->loop, &m->wake, on_wake) != 0) {
		uv_loop_close(&m->loop);
		return PW_ERR_IO;
	}
	/* It alone keeps no run going. */
	uv_unref((uv_handle_t *)&m->wake);
	m->wake.data = m->tick.data = m;
	return PW_OK;
}

enum pw_err pw_member_new(const struct pw_member_config *config, struct pw_member **out)
{
	struct pw_member *m = calloc(1, sizeof(*m));
	enum pw_err err = PW_OK;

	*out = NULL;
	if (m == NULL)
		return PW_ERR_NOMEM;
	m->said_end = &m->said;
	if (!take_config(m, config))
		err = PW_ERR_VALUE;
	else if (m->config.database != NULL && (m->database = strdup(m->config.database)) == NULL)
		err = PW_ERR_NOMEM;
	else
		err = make_loop(m);
	if (err != PW_OK) {
		secp_key_clear(&m->key);
		free(m->database);
		free(m);
		return err;
	}
	pthread_mutex_init(&m->lock, NULL);
	*out = m;
	return PW_OK;
}

void pw_member_free(struct pw_member *member)
{
	if (member == NULL)
		return;
	uv_close((uv_handle_t *)&member->wake, NULL);
	uv_run(&member->loop, UV_RUN_DEFAULT);
	uv_loop_close(&member->loop);
	pthread_mutex_destroy(&member->lock);
	secp_key_clear(&member->key);
	free(member->database);
	free(member->seeds);
	free(member);
}

/* --- settings --- */

static enum pw_err refuse(struct pw_member *m, enum pw_err err, const char *why)
{
	snprintf(m->why, sizeof(m->why), "%s", why);
	return err;
}

enum pw_err pw_member_add_listen(struct pw_member *member, const char *place)
{
	struct netaddr addr;

	if (!place_listen_parse(place, member->network->default_port, &addr))
		return refuse(member, PW_ERR_SYNTAX,
			      "a place to listen at is expected to be ADDR or ADDR:PORT, such as "
			      "0.0.0.0:5999 or [::1]:0");
	if (member->places_count == member->kind->places_max)
		return refuse(member, PW_ERR_LIMIT, "there are too many places to listen at");
	member->places[member->places_count++] = addr;
	return PW_OK;
}

enum pw_err pw_member_add_advertise(struct pw_member *member, const char *place)
{
	struct netaddr addr;

	if (!place_addr_parse(place, true, &addr))
		return refuse(
			member, PW_ERR_SYNTAX,
			"the place where others reach us is expected to be ADDR:PORT, such as "
			"192.0.2.1:5999 or [2001:db8::1]:5999");
	if (member->advertised_count == member->kind->advertised_max)
		return refuse(member, PW_ERR_LIMIT,
			      "there are too many places where others reach us");
	member->advertised[member->advertised_count++] = addr;
	return PW_OK;
}

enum pw_err pw_member_add_seed(struct pw_member *member, const char *peer)
{
	struct peer_arg seed, *seeds;
	char why[PEER_ARG_WHY_MAX];

	if (!peer_arg_parse(peer, member->network, false, &seed, why))
		return refuse(member, PW_ERR_SYNTAX, why);
	if (member->seeds_count == MEMBER_SEEDS_MAX)
		return refuse(member, PW_ERR_LIMIT, "there are too many peers to begin with");
	seeds = realloc(member->seeds, (member->seeds_count + 1) * sizeof(*seeds));
	if (seeds == NULL)
		return refuse(member, PW_ERR_NOMEM, "out of memory");
	member->seeds = seeds;
	seeds[member->seeds_count++] = seed;
	return PW_OK;
}

/* --- what is to be said --- */

static struct member_said *make_said(struct pw_member *m, uint32_t peer, const char *name,
				     struct pw_bytes payload, enum pw_err *err)
{
	const struct pw_network *network = m->config.network;
	struct member_said *said;
	size_t len;

	/* How long is it? */
	*err = pw_message_encode(network, name, payload, NULL, 0, &len);
	if (*err == PW_ERR_FULL && len > MEMBER_MESSAGE_MAX)
		*err = PW_ERR_LIMIT;
	if (*err != PW_ERR_FULL)
		return NULL;
	said = malloc(sizeof(*said) + len);
	*err = said != NULL ? pw_message_encode(network, name, payload, said->bytes, len, &len)
			    : PW_ERR_NOMEM;
	if (*err != PW_OK) {
		free(said);
		return NULL;
	}
	said->next = NULL;
	said->peer = peer;
	said->len = len;
	return said;
}

static enum pw_err say(struct pw_member *m, uint32_t peer, const char *name,
		       struct pw_bytes payload)
{
	struct member_said *said;
	enum pw_err err;
	size_t bytes;

	if (m->kind->say == NULL)
		return PW_ERR_NOT_FOUND;
	said = make_said(m, peer, name, payload, &err);
	if (said == NULL)
		return err;
	bytes = sizeof(*said) + said->len;
	pthread_mutex_lock(&m->lock);
	if (!m->running)
		err = PW_ERR_NOT_FOUND;
	else if (bytes > MEMBER_SAY_MAX - m->said_bytes)
		err = PW_ERR_FULL;
	if (err == PW_OK) {
		*m->said_end = said;
		m->said_end = &said->next;
		m->said_bytes += bytes;
	}
	pthread_mutex_unlock(&m->lock);
	if (err == PW_OK)
		uv_async_send(&m->wake);
	else
		free(said);
	return err;
}

enum pw_err pw_member_say(struct pw_member *member, uint32_t peer, const char *name,
			  struct pw_bytes payload)
{
	return peer != MEMBER_ALL ? say(member, peer, name, payload) : PW_ERR_NOT_FOUND;
}

enum pw_err pw_member_say_all(struct pw_member *member, const char *name, struct pw_bytes payload)
{
	return say(member, MEMBER_ALL, name, payload);
}

/* All that waits; nobody is told when it is dropped, or when there is no peer for it. */
static void take_said(struct pw_member *m, bool drop)
{
	struct member_said *said, *next;
	uint64_t unsaid = 0;

	pthread_mutex_lock(&m->lock);
	said = m->said;
	m->said = NULL;
	m->said_end = &m->said;
	m->said_bytes = 0;
	pthread_mutex_unlock(&m->lock);
	for (; said != NULL; said = next) {
		next = said->next;
		if (drop || !m->kind->say(m, said->peer, slice_of(said->bytes, said->len)))
			unsaid++;
		free(said);
	}
	pthread_mutex_lock(&m->lock);
	m->stats.unsaid += unsaid;
	pthread_mutex_unlock(&m->lock);
}

/* --- running --- */

/* How it is doing now, for whoever asks. */
static void look(struct pw_member *m)
{
	struct pw_member_stats s = { 0 };

	m->kind->stats(m, &s);
	pthread_mutex_lock(&m->lock);
	s.uptime_ms = uv_now(&m->loop) - m->started_ms;
	s.unsaid = m->stats.unsaid;
	s.database = api_err(m->failed);
	m->stats = s;
	pthread_mutex_unlock(&m->lock);
}

static void leave(struct pw_member *m)
{
	if (m->leaving)
		return;
	look(m);
	m->leaving = true;
	uv_close((uv_handle_t *)&m->tick, NULL);
	m->kind->leave(m);
}

static void on_wake(uv_async_t *wake)
{
	struct pw_member *m = wake->data;

	if (m->own == NULL || m->leaving)
		return;
	take_said(m, false);
	if (m->stop)
		leave(m);
}

static void on_tick(uv_timer_t *tick)
{
	struct pw_member *m = tick->data;
	struct pw_member_stats stats = { .size = sizeof(stats) };

	look(m);
	if (m->config.on_progress == NULL)
		return;
	pw_member_stats(m, &stats);
	m->config.on_progress(m->config.ctx, &stats);
}

void member_keeps_nothing(struct pw_member *m, enum err err, const char *why)
{
	if (m->failed != ERR_OK)
		return;
	m->failed = err;
	snprintf(m->why, sizeof(m->why), "%s", why);
}

void member_tell_place(struct pw_member *m, const char *address, bool seen)
{
	if (m->config.on_place != NULL)
		m->config.on_place(m->config.ctx, address, seen);
}

void member_tell_address(struct pw_member *m, pw_address_fn *tell, const struct netaddr *addr)
{
	char text[NETADDR_TEXT_MAX];

	if (tell == NULL)
		return;
	netaddr_text(addr, text);
	tell(m->config.ctx, text);
}

static void set_running(struct pw_member *m, bool running)
{
	pthread_mutex_lock(&m->lock);
	m->running = running;
	m->runner = pthread_self();
	if (running)
		m->stats = (struct pw_member_stats){ 0 };
	pthread_mutex_unlock(&m->lock);
}

static enum err run(struct pw_member *m)
{
	enum err err, end;

	m->failed = ERR_OK;
	m->leaving = false;
	uv_update_time(&m->loop);
	m->started_ms = uv_now(&m->loop);
	err = m->kind->begin(m);
	if (err == ERR_OK) {
		uv_timer_init(&m->loop, &m->tick);
		uv_timer_start(&m->tick, on_tick, MEMBER_TICK_MS, MEMBER_TICK_MS);
		if (m->stop)
			leave(m);
	} else {
		m->leaving = true; /* there is nothing to leave */
	}
	uv_run(&m->loop, UV_RUN_DEFAULT); /* on failure: closes what was opened */
	set_running(m, false);
	take_said(m, true);
	if (err == ERR_OK)
		err = m->failed;
	end = m->kind->end(m);
	m->own = NULL;
	return err != ERR_OK ? err : end;
}

enum pw_err pw_member_run(struct pw_member *member)
{
	struct pipe_guard guard;
	enum err err;

	member->why[0] = 0;
	pipe_guard_begin(&guard);
	set_running(member, true);
	err = run(member);
	pipe_guard_end(&guard);
	member->stop = false;
	return api_err(err);
}

void pw_member_stop(struct pw_member *member)
{
	member->stop = true;
	uv_async_send(&member->wake);
}

/* --- to be looked at --- */

enum pw_err pw_member_peers(struct pw_member *member, pw_peer_fn *on_peer, void *ctx)
{
	bool here;

	pthread_mutex_lock(&member->lock);
	here = member->running && pthread_equal(member->runner, pthread_self());
	pthread_mutex_unlock(&member->lock);
	if (!here)
		return PW_ERR_BUSY;
	if (member->own != NULL && !member->leaving)
		member->kind->peers(member, on_peer, ctx);
	return PW_OK;
}

void pw_member_stats(struct pw_member *member, struct pw_member_stats *out)
{
	struct pw_member_stats stats;

	pthread_mutex_lock(&member->lock);
	stats = member->stats;
	pthread_mutex_unlock(&member->lock);
	api_give(out, &stats, sizeof(stats));
}

const char *pw_member_why(const struct pw_member *member)
{
	return member->why;
}
