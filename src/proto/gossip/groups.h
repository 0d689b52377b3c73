/* groups.h: the gossip network as data: its row for the array in proto/proto.c.
 *
 * Every group is the same network here: which one a peer belongs to, it says in its hello. Port
 * 5999 is the tutorial's that the network comes from. There is nobody who is always there. */
#ifndef PEERWALK_PROTO_GOSSIP_GROUPS_H
#define PEERWALK_PROTO_GOSSIP_GROUPS_H

#include "proto/gossip/session.h"

#define GOSSIP_GROUPS { .name = "gossip", .proto = &gossip_proto, .default_port = 5999 },

#endif
