/* session.h: one Bitcoin connection, without a socket or a clock, in both roles.
 *
 *     HANDSHAKE -> READY -> CLOSED
 *
 * The functions are those of struct proto (proto/proto.h says how to drive them).
 * As initiator it sends version, wtxidrelay, sendaddrv2, verack and getaddr in one
 * flight: Bitcoin Core answers all of it within one round trip. With params.stepwise
 * it waits for its turn before each of them, and leaves out what the peer's version
 * doesn't know.
 *
 * When the answer to getaddr is complete (SESSION_GOAL_PEERS): the protocol has no
 * end mark. A message with one entry is a self-announcement, before or after the
 * reply, and never ends the visit. One with more than BITCOIN_RELAYED_MAX can only be
 * the reply: a short quiet time after it ends the visit. One in between may be the
 * reply of a peer that knows few, or an address relayed unasked: a longer quiet time.
 * Without any of these the deadline ends it.
 *
 * Messages that the goal has no use for (inv, tx, block ...) are checked like the others;
 * what is unknown or longer than BITCOIN_CHECKED_MAX is passed over as it comes, with its
 * checksum verified, and never held in memory. */
#ifndef PEERWALK_PROTO_BITCOIN_SESSION_H
#define PEERWALK_PROTO_BITCOIN_SESSION_H

#include "proto/proto.h"

enum {
	/* From the connection to version and verack. Core itself waits 60 s; peers that
	 * finish at all do so within a few round trips, and a mute peer holds a slot. */
	BITCOIN_HANDSHAKE_MS = 10 * 1000,
	/* From the handshake to the reply. Core since 0.22 answers in the same round
	 * trip; Core 0.21 and its kin wait up to 61 s (measured), so the default leaves
	 * their lists out: they are reached, but name nobody. docs/bitcoin.md says what
	 * that costs in recall. */
	BITCOIN_REPLY_MS = 8 * 1000,
	BITCOIN_REPLY_PATIENT_MS = 75 * 1000,
	/* Quiet after a reply that can't be anything else: the parts of one reply follow
	 * each other in one burst. At least this, at most a second, one round trip in
	 * between. */
	BITCOIN_QUIET_MIN_MS = 20,
	BITCOIN_QUIET_MAX_MS = 1000,
	/* Quiet after a short list that may have been relayed unasked. */
	BITCOIN_QUIET_SHORT_MS = 1500,
	/* Core relays at most ten addresses at a time (MAX_ADDR_TO_RELAY's rule in
	 * net_processing: "nSize <= 10"). */
	BITCOIN_RELAYED_MAX = 10,
	/* Five full replies in one visit; nobody honest comes near. */
	BITCOIN_NAMED_MAX = 5000,
	/* All that is read in a visit that asks for peers: those five, and some blocks. */
	BITCOIN_VISIT_BYTES_MAX = 16 << 20,
	/* Messages that a visit has no use for are waited for and checked up to this; what is
	 * longer is passed over. */
	BITCOIN_CHECKED_MAX = 64 << 10,
	BITCOIN_PING_TIMEOUT_MS = 10 * 1000,
};

extern const struct proto bitcoin_proto;

#endif
