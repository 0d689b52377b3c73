/* member.h: a member of a network, as the library has it: what all kinds of them share
 * (member.c: settings, the loop, threads, what is to be said), and the kinds. */
#ifndef PEERWALK_API_MEMBER_H
#define PEERWALK_API_MEMBER_H

#include "api/node.h"
#include "api/peer_arg.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

enum {
	MEMBER_PLACES_MAX = 4,
	MEMBER_ADVERTISED_MAX = 2, /* IPv4 and IPv6 */
	MEMBER_SEEDS_MAX = 64,
	MEMBER_WHY_MAX = 640,
	/* Of what is said, waiting for the loop. */
	MEMBER_SAY_MAX = 4 << 20,
	MEMBER_MESSAGE_MAX = 64 * 1024, /* one message; a connection's queue holds no more */
	MEMBER_TICK_MS = 1000,
};

/* To whom something is said; no connection has this id. */
enum { MEMBER_ALL = 0 };

/* A kind of member. All but say happen on the thread that runs it. */
struct member_kind {
	unsigned places_max, advertised_max;
	bool (*serves)(const struct network *network);
	/* Whether the settings are of its kind. */
	bool (*allows)(const struct pw_member_config *config);
	/* Begins on m->loop; *own is its state. On failure m->why says why, and the loop is run
	 * once more before end(). */
	enum err (*begin)(struct pw_member *m);
	/* False: it was not sent. NULL: there is nothing to say there. */
	bool (*say)(struct pw_member *m, uint32_t peer, struct slice message);
	void (*peers)(struct pw_member *m, pw_peer_fn *on_peer, void *ctx);
	void (*stats)(struct pw_member *m, struct pw_member_stats *out);
	/* Takes leave, once: the loop ends when all is closed. */
	void (*leave)(struct pw_member *m);
	/* After the loop has ended; frees its state. */
	enum err (*end)(struct pw_member *m);
};

extern const struct member_kind member_swarm, member_node;

struct member_said; /* one message that waits */

struct pw_member {
	struct pw_member_config config;
	const struct member_kind *kind;
	const struct network *network;
	char agent[PEER_AGENT_MAX + 1], group[GOSSIP_GROUP_MAX + 1];
	char *database;
	struct secp_key key; /* ours, if config.key was given */
	struct netaddr places[MEMBER_PLACES_MAX], advertised[MEMBER_ADVERTISED_MAX];
	unsigned places_count, advertised_count;
	struct peer_arg *seeds;
	size_t seeds_count;
	void *own; /* the kind's state; NULL: it doesn't run */
	uv_loop_t loop;
	uv_async_t wake;
	uv_timer_t tick;
	uint64_t started_ms;
	bool leaving;
	enum err failed; /* while it ran */
	char why[MEMBER_WHY_MAX];

	atomic_bool stop;
	pthread_mutex_t lock; /* of what follows */
	bool running;
	pthread_t runner;
	struct member_said *said, **said_end;
	size_t said_bytes;
	struct pw_member_stats stats;
};

/* From a kind: what it was told by its own means, in the library's words. */
void member_tell_place(struct pw_member *m, const char *address, bool seen);
void member_tell_address(struct pw_member *m, pw_address_fn *tell, const struct netaddr *addr);
/* The database has failed: it goes on without, and says so at its end. */
void member_keeps_nothing(struct pw_member *m, enum err err, const char *why);

/* A pw_member_peer with all that it points to. */
struct member_peer {
	struct pw_member_peer peer;
	char remote[ENODE_TEXT_MAX], listen[NETADDR_TEXT_MAX];
	struct api_info info;
	struct api_node node;
};

#endif
