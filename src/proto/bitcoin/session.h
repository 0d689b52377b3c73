/* session.h: one Bitcoin connection, without a socket or a clock, in both roles.
 *
 *     HANDSHAKE -> READY -> CLOSED
 *
 * The functions are those of struct proto (proto/proto.h says how to drive them).
 * As initiator it sends version, wtxidrelay, sendaddrv2, verack and getaddr in one
 * flight: Bitcoin Core answers all of it within one round trip. With params.stepwise
 * it waits for its turn before each of them. */
#ifndef PEERWALK_PROTO_BITCOIN_SESSION_H
#define PEERWALK_PROTO_BITCOIN_SESSION_H

#include "proto/proto.h"

extern const struct proto bitcoin_proto;

#endif
