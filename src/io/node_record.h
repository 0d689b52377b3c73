/* node_record.h: what one visit of an Ethereum node has learnt, by discovery and by session, as
 * the one record that comes of it. No I/O. */
#ifndef PEERWALK_IO_NODE_RECORD_H
#define PEERWALK_IO_NODE_RECORD_H

#include "engine/record.h"
#include "proto/ethereum/probe.h"
#include "proto/ethereum/rlpx_session.h"

/* How a session went. */
struct node_session {
	bool tried;           /* all else is zero otherwise */
	bool connected;       /* end, rule and info hold something */
	const char *end;      /* a word (rlpx_session.h); NULL: cut short by us */
	const char *rule;     /* that the node broke, or NULL */
	struct record record; /* of the visit that carried it; its slices may be gone */
	struct rlpx_info info;
};

/* What the slices of a record borrow. */
struct node_texts {
	struct node_info node;
	char record[PEER_RECORD_MAX];
	char faults[PEER_FAULTS_MAX];
	char capabilities[PEER_CAPABILITIES_MAX];
	uint8_t agent[PEER_AGENT_MAX];
};

/* Where the node takes sessions: by its record, or else its PING, or else by whoever named it.
 * 0: nowhere, or nobody knows. */
uint16_t node_record_tcp_port(const struct enode *node, const struct probe_info *probe);
/* Whether its record says another chain than this one; false if chain is NULL. */
bool node_record_is_foreign(const struct probe_info *probe, const struct ethereum_chain *chain);
/* All but started_at_ms and total_ms, which are the caller's. Borrows from texts, node and
 * probe. */
void node_record_make(const struct enode *node, const struct probe_info *probe,
		      const struct node_session *session, const struct ethereum_chain *chain,
		      struct node_texts *texts, struct record *out);

#endif
