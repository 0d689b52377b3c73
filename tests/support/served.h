/* served.h: nodes of ours on real sockets of the loopback, all on one loop.
 *
 * Included after cmocka's own. */
#ifndef PEERWALK_TESTS_SUPPORT_SERVED_H
#define PEERWALK_TESTS_SUPPORT_SERVED_H

#include "io/node_serve.h"

#include <string.h>

enum { SERVED_MAX = 16, SERVED_WAIT_MS = 20 * 1000 };

struct served {
	struct identity identity;
	struct node_serve_config config;
	struct node_serve *node; /* NULL: not started, or stopped */
	struct kademlia_node boot;
	unsigned events[DISCV4_EVENT_FOUND + 1];
	unsigned in, out, fates[DISCV4_FATES]; /* as on_datagram was told */
	unsigned unreadable;
	unsigned sessions;
	enum rlpx_outcome outcome; /* of the last session */
	struct rlpx_info info;
	char client[PEER_AGENT_MAX + 1];
	bool stop_at_event, stop_at_session;
};

static uv_loop_t served_loop;
static struct served served[SERVED_MAX];

static inline void served_event(void *ctx, const struct discv4_event *event)
{
	struct served *s = ctx;

	assert_non_null(s->node);
	s->events[event->type]++;
	if (s->stop_at_event) {
		node_serve_stop(s->node);
		s->node = NULL;
	}
}

static inline void served_datagram(void *ctx, const struct node_serve_datagram *d)
{
	struct served *s = ctx;

	assert_int_equal(d->packet != NULL, !d->outgoing && d->type != 0);
	if (d->outgoing) {
		s->out++;
		return;
	}
	s->in++;
	s->fates[d->fate]++;
	s->unreadable += d->type == 0;
}

static inline void served_session(void *ctx, const struct node_session *session)
{
	struct served *s = ctx;
	struct slice client = session->info.hello.client;

	s->sessions++;
	s->outcome = session->outcome;
	s->info = session->info;
	memset(s->client, 0, sizeof(s->client));
	if (client.len > 0)
		memcpy(s->client, client.data, client.len);
	if (s->stop_at_session) {
		node_serve_stop(s->node);
		s->node = NULL;
	}
}

/* With the key `number`, at 127.0.0.1 and any port; to be changed, then started. */
static inline struct served *served_init(unsigned number)
{
	struct served *s = &served[number];
	const uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN] = { 1, 2, (uint8_t)number };
	const struct secp_key key = { { [31] = (uint8_t)(number + 1) } };

	memset(s, 0, sizeof(*s));
	identity_init(&s->identity, &key, random);
	s->config = (struct node_serve_config){
		.identity = &s->identity,
		.places = { { .addr = netaddr_ipv4(0x7f000001, 0) } },
		.places_count = 1,
		.seq = 7,
		.refresh_ms = NODE_SERVE_REFRESH_MS,
		.client = slice_text("served/1"),
		.on_event = served_event,
		.on_datagram = served_datagram,
		.on_session = served_session,
		.ctx = s,
	};
	return s;
}

static inline struct kademlia_node served_node(const struct served *s)
{
	struct netaddr at = node_serve_local(s->node, 0);

	return kademlia_node(s->identity.public, &at, at.port);
}

/* boot: whom it knows at the start, or NULL. */
static inline void served_start(struct served *s, const struct served *boot)
{
	char why[NODE_SERVE_WHY_MAX] = "";

	if (boot != NULL) {
		s->boot = served_node(boot);
		s->config.boots = &s->boot;
		s->config.boots_count = 1;
	}
	if (node_serve_start(&served_loop, &s->config, &s->node, why) != ERR_OK)
		fail_msg("%s", why);
}

static inline struct node_serve_counts served_counts(const struct served *s)
{
	struct node_serve_counts counts;

	node_serve_counts(s->node, &counts);
	return counts;
}

static inline void served_nothing(uv_timer_t *timer)
{
	(void)timer;
}

/* Runs the loop until it is so. */
static inline void served_until(const char *what, bool (*is_so)(void *arg), void *arg)
{
	uv_timer_t *beat = test_malloc(sizeof(*beat));
	uint64_t end;

	uv_timer_init(&served_loop, beat);
	uv_timer_start(beat, served_nothing, 5, 5);
	uv_update_time(&served_loop);
	end = uv_now(&served_loop) + SERVED_WAIT_MS;
	while (!is_so(arg)) {
		uv_run(&served_loop, UV_RUN_ONCE);
		if (uv_now(&served_loop) > end)
			fail_msg("%s: not within %u ms", what, SERVED_WAIT_MS);
	}
	uv_close((uv_handle_t *)beat, NULL);
	uv_run(&served_loop, UV_RUN_NOWAIT);
	test_free(beat);
}

static inline bool served_later(void *arg)
{
	uv_update_time(&served_loop);
	return uv_now(&served_loop) >= *(uint64_t *)arg;
}

static inline void served_for(uint64_t ms)
{
	uint64_t until;

	uv_update_time(&served_loop);
	until = uv_now(&served_loop) + ms;
	served_until("time goes by", served_later, &until);
}

static inline int served_setup(void **state)
{
	(void)state;
	memset(served, 0, sizeof(served));
	return uv_loop_init(&served_loop);
}

/* The loop ends, and can be closed, only if all is. */
static inline int served_teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SERVED_MAX; i++) {
		if (served[i].node != NULL)
			node_serve_stop(served[i].node);
	}
	uv_run(&served_loop, UV_RUN_DEFAULT);
	for (unsigned i = 0; i < SERVED_MAX; i++) {
		if (served[i].config.identity != NULL)
			identity_clear(&served[i].identity);
	}
	return uv_loop_close(&served_loop);
}

#endif
