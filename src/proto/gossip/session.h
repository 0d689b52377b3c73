/* session.h: one connection of a gossip network, without a socket or a clock, in both roles.
 *
 *     HANDSHAKE --the peer's hello--> READY --the goal is met, a limit--> CLOSED
 *
 * The functions are those of struct proto (proto/proto.h says how to drive them). The dialler
 * says hello first, and the listener answers it, whoever it is: so the other side, too, learns
 * that it has dialled itself, or another group. Send what is left when the session is over.
 *
 * When the answer to getaddr is complete (SESSION_GOAL_PEERS): the protocol has no end mark,
 * but peers read in order, so a ping follows getaddr: with its pong the answer should be there.
 * A list that names the peer alone is its announcement and never counts; any other, even an
 * empty one, may be the answer, or gossip told unasked. A quiet time after the last of them
 * ends the visit: one round trip once the pong is there, a longer one before. Without any the
 * deadline ends it.
 *
 * As a standing peer (SESSION_GOAL_STAY) it pings at once and then every minute, and asks whom
 * the peer knows about as often; its driver announces itself at the event HANDSHAKE, and
 * answers ASKED. In other goals the session itself answers getaddr, with an empty list. */
#ifndef PEERWALK_PROTO_GOSSIP_SESSION_H
#define PEERWALK_PROTO_GOSSIP_SESSION_H

#include "proto/proto.h"

enum {
	/* From the connection to the peer's hello: one round trip for whoever speaks at all. */
	GOSSIP_HANDSHAKE_MS = 10 * 1000,
	/* From getaddr to the answer. Peers answer at once; this is for those that never do. */
	GOSSIP_REPLY_MS = 8 * 1000,
	/* Quiet after an answer: at least and at most, one round trip in between. */
	GOSSIP_QUIET_MIN_MS = 20,
	GOSSIP_QUIET_MAX_MS = 1000,
	/* The same while the pong is still to come; some never send one. */
	GOSSIP_QUIET_SHORT_MS = 1500,
	/* Five full answers in one visit; nobody honest comes near. */
	GOSSIP_NAMED_MAX = 5000,
	/* SESSION_GOAL_PING: as in Bitcoin's sessions. */
	GOSSIP_PING_TIMEOUT_MS = 10 * 1000,
	/* SESSION_GOAL_STAY: promises of the protocol. */
	GOSSIP_PING_MS = 60 * 1000,
	GOSSIP_GONE_MS = 240 * 1000, /* since the last pong */
	GOSSIP_ASKED_MS = 60 * 1000, /* so often a getaddr is answered */
	/* How often we ask: a little later than that, by so much more at random, so that neither
	 * a clock that runs fast nor the network's delays make the question come too early. */
	GOSSIP_ASK_MS = 62 * 1000,
	GOSSIP_ASK_SPREAD_MS = 8 * 1000,
};

extern const struct proto gossip_proto;

#endif
