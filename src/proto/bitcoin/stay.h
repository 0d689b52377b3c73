/* stay.h: a session that is to STAY: a standing peer's connection, in both roles.
 *
 * It does what Bitcoin Core does with a peer: speaks step by step, pings as soon as hands are
 * shaken and every two minutes from then on, and ends when no pong or nothing at all comes for
 * twenty. It offers no services and asks for no transactions, so there is nothing it relays: inv
 * is met with silence, getheaders with an empty headers.
 *
 * What Core ignores is ignored (nearly everything before version and verack); what costs the
 * connection there (an offer that comes after verack) costs it here. Private to session.c and
 * talk.c. */
#ifndef PEERWALK_PROTO_BITCOIN_STAY_H
#define PEERWALK_PROTO_BITCOIN_STAY_H

#include "proto/bitcoin/talk.h"

enum {
	/* Whoever calls may take Core's time (DEFAULT_PEER_CONNECT_TIMEOUT); whom we call,
	 * BITCOIN_HANDSHAKE_MS. */
	BITCOIN_STAY_HANDSHAKE_MS = 60 * 1000,
	BITCOIN_STAY_PING_MS = 2 * 60 * 1000,     /* PING_INTERVAL */
	BITCOIN_STAY_TIMEOUT_MS = 20 * 60 * 1000, /* TIMEOUT_INTERVAL: for a pong, for anything */
	/* A message that we do nothing with is told if it is no longer than this, and passed
	 * over otherwise: ten thousand that never end are 20 MB. */
	BITCOIN_STAY_TOLD_MAX = 2048,
};

extern const struct peer_policy bitcoin_policy;

uint64_t stay_deadline(const struct talk *t);
/* The deadline has come. */
void stay_tick(struct talk *t, uint64_t now_ms);
/* Sends a ping, in the form that the peer's version has. */
void stay_ping(struct talk *t, uint64_t now_ms);
/* Whether the message has its place here; one that must not come at all ends the talk. */
bool stay_hears(struct talk *t, enum bitcoin_command id);

#endif
