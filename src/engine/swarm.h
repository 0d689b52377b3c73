/* swarm.h: the connections of a standing peer: whom it takes in, dials, keeps and lets go.
 *
 * Protocol and sockets are others': it holds a session (proto.h, SESSION_GOAL_STAY) for each
 * connection, and a driver (io/swarm_host.h, or a test on virtual time) carries the bytes. It
 * keeps the wanted number of outgoing connections, checks the addresses in its book, answers who
 * asks whom it knows, passes on what is worth it, says where it is, and when it is full lets go
 * whom it misses least. How much of each is the protocol's policy (struct peer_policy).
 *
 * A connection: DIALLING -> OPEN (hand-shake) -> UP -> gone; an incoming one begins at OPEN.
 *
 * How to drive it: after any call drain swarm_next() until it returns false, and do what it
 * says. Call swarm_tick() no later than swarm_deadline(). Of each connection named by
 * SWARM_SEND read swarm_send() until it returns 0, or, with a reader that is slow, leave it for
 * when there is room again: nothing is made before it can be sent, so a slow reader costs no
 * memory here. Until then hear nothing more from it either (swarm_recv): whoever doesn't read
 * our answers has to wait with his questions. Events are told during the calls that cause them,
 * and may call swarm_say, swarm_close and whatever only reads.
 *
 * A swarm allocates; no memory for a connection refuses that connection. */
#ifndef PEERWALK_ENGINE_SWARM_H
#define PEERWALK_ENGINE_SWARM_H

#include "engine/book.h"
#include "proto/proto.h"

struct swarm;

enum {
	SWARM_NONE = UINT32_MAX,
	/* Whoever drains swarm_send offers at least so much room: a message of 1,000 addresses
	 * of any protocol fits. */
	SWARM_SEND_MIN = 72 * 1024,
	SWARM_SAY_MAX = 64 * 1024, /* swarm_say, waiting for one connection */
	SWARM_OWN_MAX = 8,         /* addresses of our own */
	SWARM_BOOTSTRAPS_MAX = 64, /* more than anybody types */
};

enum swarm_direction { SWARM_IN, SWARM_OUT, SWARM_CHECK /* dialled for a sign of life alone */ };

/* One connection, to be looked at. */
struct swarm_peer {
	uint32_t id; /* not used again as long as the peer stands, but for 2^32 */
	enum swarm_direction direction;
	struct netaddr remote; /* the other end of the connection */
	struct netaddr listen; /* where it takes connections itself; NETADDR_NONE: not known */
	bool up;               /* hands are shaken: info holds something */
	struct peer_info info; /* borrowed for the call */
	uint64_t since_ms;     /* the connection stands since */
	int64_t rtt_ms;        /* of its best ping; -1: none */
	struct session_counts counts;
};

enum swarm_event_kind {
	/* A peer: hands are shaken. Whoever calls is one as soon as he asks, names somebody or
	 * sends a message that is not of the protocol, or after two seconds: others' checks come
	 * and go, and are no peers. */
	SWARM_EVENT_UP,
	/* A connection is gone: outcome, why. peer.up: it was told as up; a check: it answered. */
	SWARM_EVENT_DOWN,
	SWARM_EVENT_MESSAGE, /* a message of a peer: session */
	SWARM_EVENT_KNOWN,   /* an address that is new to the book, or reachable again: addr */
	SWARM_EVENT_LOST,    /* an address that was reachable isn't any more: addr */
	SWARM_EVENT_SELF,    /* where others see us has changed: addr */
};

/* Borrowed for the call. */
struct swarm_event {
	enum swarm_event_kind kind;
	struct swarm_peer peer;              /* UP, DOWN, MESSAGE */
	struct netaddr addr;                 /* KNOWN, LOST, SELF */
	enum outcome outcome;                /* DOWN */
	const char *why;                     /* DOWN: in words; static */
	const struct session_event *session; /* MESSAGE */
};

struct swarm_config {
	const struct network *network;
	const struct peer_policy *policy; /* NULL: the protocol's */
	/* Template: agent, services, height, own_id, group, listen_port, unix_s at now_ms. */
	struct session_params session;
	struct book *book; /* outlives the swarm */
	bool allow_private;
	/* The policy's host_max is also for loopback addresses. Else any number of connections
	 * may come from there: a group that is tried out on one machine works. */
	bool loopback_counts;
	bool relay_nothing; /* passes on no addresses (a listener in a test) */
	uint64_t seed;      /* random, secret */
	void (*on_event)(void *ctx, const struct swarm_event *event); /* may be NULL */
	void *ctx;
};

/* How many connections of its own making it has at once: those that it keeps, and checks. */
uint32_t swarm_dials_max(const struct peer_policy *policy);
/* ERR_NOMEM. */
enum err swarm_new(const struct swarm_config *config, uint64_t now_ms, struct swarm **out);
void swarm_free(struct swarm *s);
/* An address under which others reach us: announced, and never dialled. */
void swarm_own(struct swarm *s, const struct netaddr *addr);
/* Somebody to begin with: dialled first, and again, waiting longer each time, whenever nobody
 * else is known. Where checks are made, a sign of life is looked for as well, at most every five
 * minutes, while it is not in the book. */
void swarm_bootstrap(struct swarm *s, const struct netaddr *addr);

enum swarm_do {
	SWARM_DIAL,  /* connect id to addr, then swarm_connected or swarm_failed */
	SWARM_SEND,  /* swarm_send of id has something */
	SWARM_CLOSE, /* the connection: send what was drained and close; id is gone */
};
struct swarm_action {
	enum swarm_do what;
	uint32_t id;
	struct netaddr addr; /* DIAL */
};
bool swarm_next(struct swarm *s, struct swarm_action *out);

/* Somebody has connected to us. SWARM_NONE: close it at once, there is no place for it. */
uint32_t swarm_accepted(struct swarm *s, const struct netaddr *remote, uint64_t now_ms);
void swarm_connected(struct swarm *s, uint32_t id, uint64_t now_ms);
/* REFUSED, UNREACHABLE, RESET or CONNECT_TIMEOUT: the driver's clock ends an attempt. */
void swarm_failed(struct swarm *s, uint32_t id, enum outcome why, uint64_t now_ms);
/* As proto.h's recv and need. */
size_t swarm_recv(struct swarm *s, uint32_t id, struct slice in, uint64_t now_ms);
size_t swarm_need(const struct swarm *s, uint32_t id);
/* cap is at least SWARM_SEND_MIN. */
size_t swarm_send(struct swarm *s, uint32_t id, uint8_t *out, size_t cap, uint64_t now_ms);
/* The other end closed it, or it broke; id is gone. */
void swarm_closed(struct swarm *s, uint32_t id, enum session_close how, uint64_t now_ms);
/* The machine's limits are reached (memory for buffers, a reader that is too slow): let it go. */
void swarm_close(struct swarm *s, uint32_t id, const char *why, uint64_t now_ms);
uint64_t swarm_deadline(const struct swarm *s);
void swarm_tick(struct swarm *s, uint64_t now_ms);
/* What the wall clock says now: it may have been set since the swarm began. */
void swarm_clock(struct swarm *s, int64_t unix_s, uint64_t now_ms);
/* Takes leave of everybody: SWARM_CLOSE for each follows, and nothing new begins. */
void swarm_stop(struct swarm *s, uint64_t now_ms);

/* A whole message of the caller's own, to one peer that is up. False: no such peer, or its queue
 * is full. */
bool swarm_say(struct swarm *s, uint32_t id, struct slice message);
/* The peers, one after the other: from 0 on; returns where to go on, or SWARM_NONE at the end. */
uint32_t swarm_look(const struct swarm *s, uint32_t from, struct swarm_peer *out);

struct swarm_counts {
	uint32_t in, out, checking, dialling; /* connections; in and out: up or on their way */
	uint32_t up;
	uint64_t accepted, refused, evicted, dialled, failed;
	uint64_t messages_in, messages_out, bytes_in, bytes_out;
	uint64_t named, relayed, answered; /* addresses: taken, passed on; questions answered */
	uint64_t ends[OUTCOME_COUNT];
	struct book_counts book;
	size_t bytes; /* memory of the swarm, without the book */
};
void swarm_counts(const struct swarm *s, struct swarm_counts *out);

#endif
