/* node.h: nodes of Ethereum in the library's words: what is told of one, and a session's part
 * that only they have: keys. */
#ifndef PEERWALK_API_NODE_H
#define PEERWALK_API_NODE_H

#include "api/api.h"
#include "proto/ethereum/enode.h"
#include "proto/ethereum/forkid.h"
#include "proto/ethereum/identity.h"
#include "proto/ethereum/rlpx_session.h"

/* Whether peers of that network have keys. */
bool api_has_nodes(const struct network *network);

/* The chain that a name stands for, "mainnet" among them; NULL if there is none. */
const struct ethereum_chain *api_chain(const char *name);

/* A pw_node with the text that it points to. */
struct api_node {
	struct pw_node node;
	char record[PEER_RECORD_MAX];
	char faults[PEER_FAULTS_MAX];
	char capabilities[PEER_CAPABILITIES_MAX];
};

/* key: the node's; empty if it is not known. Borrowed, as are the words of `from`, all of which
 * are static. */
void api_node(struct api_node *out, const struct node_info *from, struct slice key);

/* What a session with whoever called us has learnt by its end. Borrows what info borrows. */
void api_called(const struct netaddr *from, const struct rlpx_info *info, enum rlpx_outcome outcome,
		const char *rule, struct api_node *node, struct api_info *told);

/* What a session with a node needs beside the protocol's own state: which borrows from it. */
struct session_node {
	struct identity identity; /* ours */
	struct enode remote;      /* an initiator's: whom it calls */
	bool calls;               /* remote is somebody */
	struct api_node told;
};

/* ours: 32 bytes of a private key, or NULL for a new one. PW_ERR_VALUE if they are none;
 * PW_ERR_NOMEM. Sets the identity of params. */
enum pw_err session_node_new(const uint8_t *ours, struct session_params *params,
			     struct session_node **out);
void session_node_free(struct session_node *n); /* wipes; takes NULL */
/* Whom an initiator calls. PW_ERR_SYNTAX if the text is no node of params->network, or NULL. */
enum pw_err session_node_call(struct session_node *n, const char *peer,
			      struct session_params *params);
/* What the protocol's state knows by now; until the next call. */
const struct pw_node *session_node_tell(struct session_node *n, const void *state);

#endif
