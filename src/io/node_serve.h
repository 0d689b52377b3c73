/* node_serve.h: a node of Ethereum's discovery, on real sockets: discv4.h over UDP, for IPv4 and
 * IPv6 side by side, and RLPx sessions for whoever calls (node_sessions.h).
 *
 * All that decides is in discv4.h; this carries its packets and its time. Whatever strangers
 * do, it holds one struct of less than 400 KiB, the sockets' queues (udp.h) and the sessions of
 * a capped number; a host that sends more than its share of datagrams (node_gate.h) is not
 * read for as long as it does.
 *
 * Everything happens on the loop's thread; signatures are made there, too. Callbacks may call
 * all functions here, node_serve_stop included. */
#ifndef PEERWALK_IO_NODE_SERVE_H
#define PEERWALK_IO_NODE_SERVE_H

#include "io/listen.h"
#include "io/node_sessions.h"
#include "proto/ethereum/discv4.h"

struct node_serve;

enum {
	NODE_SERVE_PLACES_MAX = 2, /* IPv4 and IPv6 */
	/* Datagrams of one host that are read in a second, and at once. A visitor who wants the
	 * whole table sends some twenty in all, and many may live behind one address; a host
	 * that sends nothing but good PINGs gets a tenth of a core. */
	NODE_SERVE_RATE = 500,
	NODE_SERVE_BURST = 1000,
	/* go-ethereum's: looks for others once in half an hour, beside all that it hears. */
	NODE_SERVE_REFRESH_MS = 30 * 60 * 1000,
	/* Attempts to find a port that is free for UDP and TCP both. */
	NODE_SERVE_PORT_TRIES = 16,
	NODE_SERVE_WHY_MAX = LISTEN_WHY_MAX,
};

/* A datagram as it came or goes; borrowed for the call. */
struct node_serve_datagram {
	bool outgoing;
	struct netaddr peer;
	struct slice bytes;
	const struct discv4_packet *packet; /* incoming, and well-formed; else NULL */
	unsigned type;                      /* enum discv4_type; 0: it can't be read */
	enum discv4_fate fate;              /* incoming: what became of it */
};

struct node_serve_config {
	const struct identity *identity; /* outlives the node */
	/* Of one kind each. All get the port of the first, if theirs is 0. */
	struct listen_place places[NODE_SERVE_PLACES_MAX];
	unsigned places_count;
	/* What others are told of where we are. NETADDR_NONE: the first place, if it is one
	 * address; else what others see us at. A port that is 0 is the one that is bound. */
	struct netaddr advertise;
	/* Where others saw us an earlier time, while node_serve_local(n, 0) was `bound`. Believed,
	 * if that is so again, until they see us elsewhere. */
	struct {
		struct netaddr bound, seen;
	} earlier;
	bool no_sessions; /* UDP alone */
	uint64_t seq;     /* of our record: higher than ever before with this key */
	/* Bootstrap nodes; they outlive the node. */
	const struct kademlia_node *boots;
	size_t boots_count;
	/* Nodes of an earlier time, who are asked first of all; the same. */
	const struct kademlia_node *known;
	size_t known_count;
	uint64_t refresh_ms;  /* between lookups of our own; 0: none */
	struct slice client;  /* our name, for Hello; outlives the node */
	uint64_t sessions_ms; /* of a session at most; 0: NODE_SESSIONS_LIFE_MS */
	/* Any may be NULL. */
	void (*on_event)(void *ctx, const struct discv4_event *event);
	void (*on_datagram)(void *ctx, const struct node_serve_datagram *d);
	void (*on_session)(void *ctx, const struct node_session *s);
	void *ctx;
};

struct node_serve_counts {
	uint64_t datagrams_in, datagrams_out, bytes_in, bytes_out;
	uint64_t unsent; /* the kernel took no more, or there is no socket of that kind */
	uint64_t unread; /* of hosts that had had their share */
	uint64_t fates[DISCV4_FATES]; /* of those that were read; by enum discv4_fate */
	unsigned table, live, bonds;  /* nodes; live: answered a check */
	struct node_sessions_counts sessions;
};

/* ERR_IO, ERR_NOMEM, and why in a sentence with the remedy; then the loop has to be run once
 * more, to close what was opened. */
enum err node_serve_start(uv_loop_t *loop, const struct node_serve_config *config,
			  struct node_serve **out, char why[static NODE_SERVE_WHY_MAX]);
/* Takes leave of the sessions, and closes; no callback comes any more, and nothing but the
 * loop may look at the node, which frees itself once its close callbacks have run. */
void node_serve_stop(struct node_serve *n);

/* Asks whether it is there: ends with the event ALIVE or SILENT. False: ask later. */
bool node_serve_ping(struct node_serve *n, const struct kademlia_node *node);
/* Ends with the event FOUND; its number, or 0: too many wait. */
unsigned node_serve_lookup(struct node_serve *n, const uint8_t target[static SECP_PUBLIC_LEN]);

/* The node itself, to be looked at. */
const struct discv4 *node_serve_node(const struct node_serve *n);
/* Its URL. False: nobody has said yet where it is, and the URL is good on this machine alone. */
bool node_serve_url(const struct node_serve *n, char out[static ENODE_TEXT_MAX]);
/* Where it listens, with its port; i below node_serve_places. */
unsigned node_serve_places(const struct node_serve *n);
struct netaddr node_serve_local(const struct node_serve *n, unsigned i);
void node_serve_counts(const struct node_serve *n, struct node_serve_counts *out);

#endif
