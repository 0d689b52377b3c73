/* world.h: the population of a simulated network of Bitcoin or gossip, made from a seed.
 *
 * Everything about peer number i follows from (seed, i): its address, agent, version,
 * services, height, round-trip time, behaviour, and whom it knows. Nothing is kept
 * per edge, so 100,000 peers cost a few megabytes, and the truth of a crawl can be
 * computed. The same world serves virtual time (sim/virtual.h) and real sockets
 * (sim/server.h). */
#ifndef PEERWALK_SIM_WORLD_H
#define PEERWALK_SIM_WORLD_H

#include "base/hash.h"
#include "proto/proto.h"

/* What is at an address. Everything from LIAR_* on is a liar. X(symbol, name) */
#define SIM_KIND_LIST(X)                                                                     \
	X(HONEST, "honest")                                                                  \
	X(OLD, "old")           /* Core 0.21 and before: answers getaddr after 16 to 61 s */ \
	X(STEPWISE, "stepwise") /* closes on what comes before its verack */                 \
	X(TUTORIAL, "tutorial") /* gossip: says no more than msgtype, nodeid and peers */    \
	X(FULL, "full")         /* accepts, closes without a byte */                         \
	X(GHOST_REFUSED, "ghost_refused")                                                    \
	X(GHOST_SILENT, "ghost_silent")                                                      \
	X(LIAR_MAGIC, "wrong_magic")                                                         \
	X(LIAR_CHECKSUM, "wrong_checksum")                                                   \
	X(LIAR_HUGE, "huge_length") /* a length of 4 GiB; gossip: a line without an end */   \
	X(LIAR_GARBAGE, "garbage")                                                           \
	X(LIAR_TRUNCATED, "truncated") /* half a message, then closes */                     \
	X(LIAR_DRIBBLE, "dribble")     /* one byte a second */                               \
	X(LIAR_INVENT, "invent")       /* endless invented addresses */                      \
	X(LIAR_MUTE, "mute")                                                                 \
	X(LIAR_ECHO, "echo")         /* my own nonce or id back */                           \
	X(LIAR_BAD_ADDR, "bad_addr") /* shakes hands, then an addr with 2,000 entries */

enum sim_kind {
#define SIM_KIND_ENUM(symbol, name) SIM_##symbol,
	SIM_KIND_LIST(SIM_KIND_ENUM)
#undef SIM_KIND_ENUM
		SIM_KIND_COUNT,
};

const char *sim_kind_name(enum sim_kind kind);
/* Whether peers of that kind are met on that network. */
bool sim_kind_is_of(enum sim_kind kind, const struct network *network);
/* Whether a crawler gets through the handshake with a peer of that kind: the real
 * peers, and the liars that lie only later. Everybody else stays unheard. */
bool sim_kind_shakes_hands(enum sim_kind kind);
/* The outcomes that a right crawler may record for that kind (bit set of 1 << outcome). */
uint32_t sim_kind_outcomes(enum sim_kind kind);

struct sim_config {
	const struct network *network;
	uint32_t peers, ghosts;
	uint64_t seed;
	uint32_t latency_ms; /* median round-trip time */
	uint32_t tail_ms;    /* 0: log-normal; else a long tail, up to this (sim/hosts.h) */
	bool black_holes;    /* all ghosts are silent; false: half of them refuse */
	uint32_t jitter_ms;  /* added to each answer, 0..jitter */
	double loss;       /* virtual time: chance that a connection attempt or an answer is lost */
	double liars;      /* share of the peers that lie, 0..1 */
	struct cidr range; /* where the addresses lie */
	uint16_t port;     /* the usual one; others use port+1, port+2 */
	/* Real sockets: the network device that callers come from; NULL: the loopback. */
	const char *device;
};

struct sim_peer {
	uint32_t index;
	enum sim_kind kind;
	struct netaddr addr;
	const char *agent;
	int32_t protocol;
	uint64_t services;
	int32_t height;
	uint32_t rtt_ms;
	int64_t clock_skew_s;
	bool listed; /* at least one other peer may know it; false: hidden from all */
};

enum {
	/* Port offsets: peers listen on the first three, see sim/server.h. */
	SIM_PORTS = 3,
	SIM_PORT_REFUSED = 3,
	SIM_PORT_SILENT = 4,
	SIM_TABLE_MAX = 1000, /* Bitcoin Core's MAX_ADDR_TO_SEND */
	/* More than a crawler should take from one peer, few enough to be dialled. */
	SIM_INVENTED_MAX = 4096,
};

struct sim_world;

/* ERR_NOMEM; ERR_VALUE if the range has no room for peers + ghosts. */
enum err sim_world_new(const struct sim_config *config, struct sim_world **out);
void sim_world_free(struct sim_world *w);
const struct sim_config *sim_world_config(const struct sim_world *w);
uint32_t sim_world_count(const struct sim_world *w); /* peers, then ghosts */
void sim_world_peer(const struct sim_world *w, uint32_t index, struct sim_peer *out);
/* Index of the peer or ghost at that address, or -1. */
int64_t sim_world_find(const struct sim_world *w, const struct netaddr *addr);
/* Whom peer `index` names when asked: at most 1,000 and 23 % of whom it knows, the
 * same at every asking (Bitcoin Core caches its answer for a day). Returns the count;
 * last_seen_s is relative to now_s. */
size_t sim_world_table(const struct sim_world *w, uint32_t index, int64_t now_s, struct advert *out,
		       size_t cap);
/* Address number `number` of those that LIAR_INVENT and LIAR_BAD_ADDR make up. They lie
 * inside the range, on the port where nothing listens, so that a crawler that falls for
 * them sends nothing to strangers; there are SIM_INVENTED_MAX of them. */
struct netaddr sim_world_invented(const struct sim_world *w, uint64_t number);
/* First contacts: count well-connected honest peers. Peer 0 is honest in every world. */
size_t sim_world_seeds(const struct sim_world *w, struct netaddr *out, size_t count);
/* Marks in reachable[] (sim_world_count entries) whom a right crawler reaches: who is a
 * seed, or is named by an answer on the way there, and completes a handshake
 * (sim_kind_shakes_hands). Answers count of honest and stepwise peers, and of old ones
 * if patient. Ghosts, full peers, hidden ones and the liars that never shake hands are
 * never reachable. */
enum err sim_world_reachable(const struct sim_world *w, const struct netaddr *seeds, size_t count,
			     bool patient, bool *reachable);

#endif
