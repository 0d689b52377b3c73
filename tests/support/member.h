/* member.h: members of networks (peerwalk/member.h), each in a thread of its own, with what they
 * are told. */
#ifndef PEERWALK_TESTS_SUPPORT_MEMBER_H
#define PEERWALK_TESTS_SUPPORT_MEMBER_H

#include "peerwalk.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MEMBER_TEXT = 512, MEMBER_PATIENCE_MS = 20 * 1000 };

struct rig {
	struct pw_member_config config;
	struct pw_member *member;
	pthread_t thread;
	bool running;
	enum pw_err ended; /* after rig_end */
	/* What it was told; strings under the lock. */
	atomic_uint places, seen, ups, downs, messages, known, lost, ticks, listed;
	atomic_uint last_up; /* id */
	pthread_mutex_t lock;
	char place[MEMBER_TEXT], up[MEMBER_TEXT], down[MEMBER_TEXT], message[MEMBER_TEXT];
	char agent[MEMBER_TEXT], address[MEMBER_TEXT], list[MEMBER_TEXT];
	const char *wanted; /* the one kind of message that is counted */
};

static inline void rig_set(struct rig *r, char *to, const char *text)
{
	pthread_mutex_lock(&r->lock);
	snprintf(to, MEMBER_TEXT, "%s", text);
	pthread_mutex_unlock(&r->lock);
}

/* A copy, for this call. */
static inline const char *rig_get(struct rig *r, const char *from, char out[static MEMBER_TEXT])
{
	pthread_mutex_lock(&r->lock);
	memcpy(out, from, MEMBER_TEXT);
	pthread_mutex_unlock(&r->lock);
	return out;
}

static inline void rig_place(void *ctx, const char *address, bool seen)
{
	struct rig *r = ctx;

	rig_set(r, r->place, address);
	*(seen ? &r->seen : &r->places) += 1;
}

static inline void rig_up(void *ctx, const struct pw_member_peer *peer)
{
	struct rig *r = ctx;

	rig_set(r, r->up, peer->listen);
	rig_set(r, r->agent, peer->info->agent);
	r->last_up = peer->id;
	r->ups++;
}

static inline void rig_down(void *ctx, const struct pw_member_peer *peer, enum pw_outcome outcome,
			    const char *why)
{
	struct rig *r = ctx;
	char text[MEMBER_TEXT];

	snprintf(text, sizeof(text), "%s: %s%s", pw_outcome_name(outcome), why,
		 peer->node != NULL ? ", a node" : "");
	rig_set(r, r->down, text);
	r->downs++;
}

static inline void rig_message(void *ctx, const struct pw_member_peer *peer, const char *name,
			       struct pw_bytes payload)
{
	struct rig *r = ctx;
	char text[MEMBER_TEXT];

	(void)peer;
	if (r->wanted == NULL || strcmp(name, r->wanted) != 0)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)payload.len, (const char *)payload.data);
	rig_set(r, r->message, text);
	r->messages++;
}

static inline void rig_known(void *ctx, const char *address)
{
	struct rig *r = ctx;

	rig_set(r, r->address, address);
	r->known++;
}

static inline void rig_lost(void *ctx, const char *address)
{
	struct rig *r = ctx;

	(void)address;
	r->lost++;
}

static inline void rig_listed(void *ctx, const struct pw_member_peer *peer)
{
	struct rig *r = ctx;

	rig_set(r, r->list, peer->remote);
	r->listed += peer->up;
}

static inline void rig_tick(void *ctx, const struct pw_member_stats *stats)
{
	struct rig *r = ctx;

	(void)stats;
	r->listed = 0;
	if (pw_member_peers(r->member, rig_listed, r) == PW_OK)
		r->ticks++;
}

static inline void rig_init(struct rig *r, const char *network)
{
	memset(r, 0, sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	r->config = (struct pw_member_config){
		.size = sizeof(r->config),
		.network = pw_network_find(network),
		.allow_private = true,
		.on_place = rig_place,
		.on_peer_up = rig_up,
		.on_peer_down = rig_down,
		.on_message = rig_message,
		.on_known = rig_known,
		.on_lost = rig_lost,
		.on_progress = rig_tick,
		.ctx = r,
	};
}

static inline void rig_new(struct rig *r, const char *listen, const char *seed)
{
	assert_int_equal(pw_member_new(&r->config, &r->member), PW_OK);
	if (listen != NULL)
		assert_int_equal(pw_member_add_listen(r->member, listen), PW_OK);
	if (seed != NULL)
		assert_int_equal(pw_member_add_seed(r->member, seed), PW_OK);
}

static inline void *rig_run(void *ctx)
{
	struct rig *r = ctx;

	r->ended = pw_member_run(r->member);
	return NULL;
}

static inline bool rig_reaches(const atomic_uint *count, unsigned wanted)
{
	for (unsigned ms = 0; ms < MEMBER_PATIENCE_MS; ms += 10) {
		if (*count >= wanted)
			return true;
		usleep(10 * 1000);
	}
	return false;
}

#define rig_wait(count, wanted)                                       \
	do {                                                          \
		if (!rig_reaches(&(count), wanted))                   \
			fail_msg(#count " is %u", (unsigned)(count)); \
	} while (0)

/* Runs it; it listens by then, if it is to. */
static inline void rig_begin(struct rig *r)
{
	assert_int_equal(pthread_create(&r->thread, NULL, rig_run, r), 0);
	r->running = true;
	if (!r->config.no_listen)
		rig_wait(r->places, 1);
}

static inline void rig_end(struct rig *r, enum pw_err expected)
{
	pw_member_stop(r->member);
	pthread_join(r->thread, NULL);
	r->running = false;
	if (r->ended != expected)
		fail_msg("%s", pw_member_why(r->member));
}

static inline void rig_free(struct rig *r)
{
	pw_member_free(r->member);
	pthread_mutex_destroy(&r->lock);
}

#endif
