#include "io/node_record.h"

#include "proto/ethereum/session.h"

#include <stdio.h>
#include <string.h>

/* Its record, which the probe has found to be its own. */
static bool read_record(const struct probe_info *probe, struct enr *out)
{
	return probe->record.len > 0 && enr_read_proven(probe->record, out);
}

uint16_t node_record_tcp_port(const struct enode *node, const struct probe_info *probe)
{
	struct enode_endpoint e;
	struct enr record;

	if (read_record(probe, &record)) {
		bool v4 = node->endpoint.addr.kind == NETADDR_IPV4;

		if (v4 ? enr_endpoint4(&record, &e) : enr_endpoint6(&record, &e))
			return e.tcp_port;
	}
	if (probe->pinged && probe->claims.tcp_port != 0)
		return probe->claims.tcp_port;
	return node->endpoint.tcp_port;
}

/* Its newest word about its fork: Status, or else the record. */
static void read_chain(const struct probe_info *probe, const struct node_session *session,
		       struct peer_chain *out)
{
	const struct eth_status *status = &session->info.status;
	struct forkid fork;
	struct enr record;

	*out = (struct peer_chain){ 0 };
	if (session->connected && session->info.has_status) {
		out->has_status = true;
		out->network_id = status->network_id;
		memcpy(out->genesis, status->genesis, sizeof(out->genesis));
		memcpy(out->head, status->head, sizeof(out->head));
		fork = status->forkid;
	} else if (!read_record(probe, &record) || !enr_forkid(&record, &fork)) {
		return;
	}
	out->has_fork = true;
	memcpy(out->fork_hash, fork.hash, sizeof(out->fork_hash));
	out->fork_next = fork.next;
}

/* What a node says of its chain, against one. The genesis alone does not tell: Ethereum Classic has
 * that of mainnet (EIP-2124). */
static bool is_foreign(const struct peer_chain *says, const struct ethereum_chain *chain)
{
	size_t place;

	if (chain == NULL)
		return false;
	if (says->has_status && memcmp(says->genesis, chain->genesis, sizeof(says->genesis)) != 0)
		return true;
	return says->has_fork && !forkid_place(chain, says->fork_hash, &place);
}

bool node_record_is_foreign(const struct probe_info *probe, const struct ethereum_chain *chain)
{
	static const struct node_session none;
	struct peer_chain says;

	read_chain(probe, &none, &says);
	return is_foreign(&says, chain);
}

static void write_faults(const struct probe_info *probe, struct node_texts *t)
{
	size_t len = 0;

	for (unsigned b = 0; b < PROBE_BREACH_COUNT; b++) {
		int n;

		if (probe->breaches[b] == 0)
			continue;
		n = snprintf(t->faults + len, sizeof(t->faults) - len, "%s%s %u",
			     len > 0 ? ", " : "", probe_breach_name(b), probe->breaches[b]);
		if (n < 0 || (size_t)n >= sizeof(t->faults) - len)
			break;
		len += (size_t)n;
	}
	t->node.faults = slice_of(t->faults, len);
}

static void write_node(const struct enode *node, const struct probe_info *probe,
		       const struct node_session *session, struct node_texts *t)
{
	struct node_info *out = &t->node;
	struct enr record;

	out->completeness = probe->reached && probe->findnodes > 0
				    ? drain_result_name(probe->completeness)
				    : NULL;
	out->findnodes = probe->findnodes;
	out->entries = probe->table;
	out->datagrams_out = probe->packets_out;
	out->has_record_seq = probe->has_enr_seq;
	out->record_seq = probe->enr_seq;
	if (read_record(probe, &record)) {
		out->record = slice_of(t->record, enr_text(&record, t->record));
		/* Of this very record, which need not be the one that it announced. */
		out->has_record_seq = true;
		out->record_seq = record.seq;
	}
	write_faults(probe, t);
	out->tcp_port = node_record_tcp_port(node, probe);
	read_chain(probe, session, &out->chain);
	if (!session->tried)
		return;
	out->session = outcome_name(session->record.outcome);
	if (!session->connected)
		return;
	if (session->end != NULL)
		out->session = session->end;
	out->session_rule = session->rule;
	out->has_hello = session->info.has_hello;
	if (!out->has_hello)
		return;
	out->listen_port = session->info.hello.listen_port;
	out->capabilities = slice_of(t->capabilities,
				     ethereum_capabilities(&session->info.hello, t->capabilities));
}

static int32_t clamp_ms(int64_t ms)
{
	return ms > INT32_MAX ? INT32_MAX : (int32_t)ms;
}

/* The client's name, which borrows from a session that may go before the record does. */
static void write_agent(const struct node_session *session, struct node_texts *t,
			struct peer_info *out)
{
	struct slice agent = session->info.hello.client;
	const struct eth_status *status = &session->info.status;

	if (!session->connected || !session->info.has_hello)
		return;
	if (agent.len > sizeof(t->agent))
		agent.len = sizeof(t->agent);
	if (agent.len > 0)
		memcpy(t->agent, agent.data, agent.len);
	out->agent = slice_of(t->agent, agent.len);
	out->has_version = true;
	out->protocol = session->info.eth.version;
	if (session->info.has_status && session->info.eth.version >= ETH_VERSION_RANGES &&
	    status->latest <= INT64_MAX)
		out->height = (int64_t)status->latest;
}

void node_record_make(const struct enode *node, const struct probe_info *probe,
		      const struct node_session *session, const struct ethereum_chain *chain,
		      struct node_texts *texts, struct record *out)
{
	texts->node = (struct node_info){ 0 };
	write_node(node, probe, session, texts);
	*out = (struct record){
		.addr = node->endpoint.addr,
		.outcome = probe->outcome,
		.reached = probe->reached,
		.tries = 1,
		.rule = probe->rule,
		.connect_ms = clamp_ms(probe->rtt_ms),
		.version_ms = -1,
		.handshake_ms = clamp_ms(probe->bonded_ms),
		.reply_ms = clamp_ms(probe->neighbors_ms),
		.info = { .node_id = slice_of(node->key, sizeof(node->key)),
			  .height = -1,
			  .sees_us_as = probe->sees.addr },
		.node = &texts->node,
		.adverts = probe->named,
		.messages_in = probe->packets_in,
		.bytes_in = probe->bytes_in + session->record.bytes_in,
		.bytes_out = probe->bytes_out + session->record.bytes_out,
	};
	write_agent(session, texts, &out->info);
	if (probe->reached && is_foreign(&texts->node.chain, chain))
		out->outcome = OUTCOME_WRONG_NETWORK;
}
