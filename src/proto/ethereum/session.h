/* session.h: an RLPx connection as the rest of the program drives sessions (proto/proto.h).
 *
 * As initiator it learns what rlpx_session.h says, with SESSION_GOAL_PEERS and
 * SESSION_GOAL_PING alike: who is there, what it speaks, on which chain it is. Nobody is
 * named in a session: that is discovery's part (probe.h). As responder it is a node without a
 * chain of its own: it says Hello, mirrors the caller's Status and leaves.
 *
 * params.identity and, as initiator, params.node_id (the key to call) have to be there. */
#ifndef PEERWALK_PROTO_ETHEREUM_SESSION_H
#define PEERWALK_PROTO_ETHEREUM_SESSION_H

#include "proto/ethereum/identity.h"
#include "proto/ethereum/rlpx_session.h"

extern const struct proto ethereum_proto;

/* What such a session has learnt, and the word for how it ended (rlpx_session.h); NULL while
 * it goes on. *rule: the rule that the peer broke, or NULL. */
const char *ethereum_session_end(const void *session, const char **rule);
void ethereum_session_info(const void *session, struct rlpx_info *out);
/* "eth/67 eth/68 snap/1": what a Hello offers; ends with NUL. */
size_t ethereum_capabilities(const struct p2p_hello *hello, char out[static PEER_CAPABILITIES_MAX]);

/* The outcome of the one list that comes nearest to that of a session. */
enum outcome ethereum_outcome(enum rlpx_outcome o, bool has_hello);

#endif
