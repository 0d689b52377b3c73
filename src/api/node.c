#include "api/node.h"

#include "api/peer_arg.h"
#include "io/dial.h"
#include "io/node_record.h"
#include "proto/ethereum/session.h"

#include <stdlib.h>
#include <string.h>

bool api_has_nodes(const struct network *network)
{
	return network->discovery == DISCOVERY_V4;
}

/* --- chains --- */

/* As people call it: the list has the network's name for it. */
static const char mainnet[] = "mainnet", mainnet_network[] = "ethereum";

const struct ethereum_chain *api_chain(const char *name)
{
	return ethereum_chain_find(strcmp(name, mainnet) == 0 ? mainnet_network : name);
}

static const char *chain_name(const struct peer_chain *says)
{
	const struct ethereum_chain *chain;
	size_t place;

	if (!says->has_fork || (chain = forkid_chain(says->fork_hash, &place)) == NULL)
		return NULL;
	return strcmp(chain->name, mainnet_network) == 0 ? mainnet : chain->name;
}

/* --- what is told --- */

/* What doesn't fit is a fault of ours: the caps of both ends are the same. */
static const char *copy_text(struct slice from, char *out, size_t cap)
{
	size_t len = from.len < cap ? from.len : cap - 1;

	if (len > 0)
		memcpy(out, from.data, len);
	out[len] = 0;
	return out;
}

void api_node(struct api_node *out, const struct node_info *from, struct slice key)
{
	const struct peer_chain *chain = &from->chain;
	struct pw_node *node = &out->node;

	*node = (struct pw_node){
		.public_key = api_bytes(key),
		.tcp_port = from->tcp_port,
		.completeness = from->completeness,
		.questions = from->findnodes,
		.entries = from->entries,
		.record = copy_text(from->record, out->record, sizeof(out->record)),
		.has_record_seq = from->has_record_seq,
		.record_seq = from->record_seq,
		.faults = copy_text(from->faults, out->faults, sizeof(out->faults)),
		.session = from->session,
		.session_rule = from->session_rule,
		.has_hello = from->has_hello,
		.capabilities =
			copy_text(from->capabilities, out->capabilities, sizeof(out->capabilities)),
		.listen_port = from->listen_port,
		.chain = chain_name(chain),
		.has_fork = chain->has_fork,
		.fork_next = chain->fork_next,
		.has_status = chain->has_status,
		.network_id = chain->network_id,
	};
	memcpy(node->fork_hash, chain->fork_hash, sizeof(node->fork_hash));
	memcpy(node->genesis, chain->genesis, sizeof(node->genesis));
	memcpy(node->head, chain->head, sizeof(node->head));
}

/* Of sessions alone there is no word by discovery. */
static const struct probe_info no_discovery;

void api_called(const struct netaddr *from, const struct rlpx_info *info, enum rlpx_outcome outcome,
		const char *rule, struct api_node *node, struct api_info *told)
{
	const struct node_session session = { .tried = true,
					      .connected = true,
					      .end = rlpx_outcome_name(outcome),
					      .rule = rule,
					      .info = *info };
	struct enode remote = { .endpoint = { .addr = *from } };
	struct node_texts texts;
	struct record record;

	memcpy(remote.key, info->key, sizeof(remote.key));
	node_record_make(&remote, &no_discovery, &session, NULL, &texts, &record);
	api_node(node, &texts.node, slice_of(info->key, info->has_key ? sizeof(info->key) : 0));
	api_info(told, &record.info);
	told->info.raw_agent = api_bytes(info->hello.client); /* not the texts' copy */
}

/* --- sessions --- */

enum pw_err session_node_new(const uint8_t *ours, struct session_params *params,
			     struct session_node **out)
{
	uint8_t random[SECP_RANDOM_LEN + IDENTITY_SEED_LEN];
	struct session_node *n;
	struct secp_key key;

	*out = NULL;
	if (ours != NULL && !secp_key_init(&key, ours))
		return PW_ERR_VALUE;
	n = calloc(1, sizeof(*n));
	if (n != NULL) {
		dial_random(random, sizeof(random));
		identity_init(&n->identity, ours != NULL ? &key : NULL, random);
		explicit_bzero(random, sizeof(random));
		params->identity = &n->identity;
	}
	if (ours != NULL)
		secp_key_clear(&key);
	*out = n;
	return n != NULL ? PW_OK : PW_ERR_NOMEM;
}

void session_node_free(struct session_node *n)
{
	if (n == NULL)
		return;
	identity_clear(&n->identity);
	free(n);
}

enum pw_err session_node_call(struct session_node *n, const char *peer,
			      struct session_params *params)
{
	char why[PEER_ARG_WHY_MAX];
	struct peer_arg arg;

	if (peer == NULL || !peer_arg_parse(peer, params->network, false, &arg, why))
		return PW_ERR_SYNTAX;
	memcpy(n->remote.key, arg.node_id, sizeof(n->remote.key));
	n->remote.endpoint = (struct enode_endpoint){ arg.addr, arg.tcp_port };
	n->calls = true;
	params->peer = arg.addr;
	params->node_id = slice_of(n->remote.key, sizeof(n->remote.key));
	return PW_OK;
}

const struct pw_node *session_node_tell(struct session_node *n, const void *state)
{
	struct node_session session = { .tried = true, .connected = true };
	struct node_texts texts;
	struct record record;

	ethereum_session_info(state, &session.info);
	session.end = ethereum_session_end(state, &session.rule);
	/* Who calls says who it is, and who was called has proven it. */
	if (session.info.has_key)
		memcpy(n->remote.key, session.info.key, sizeof(n->remote.key));
	node_record_make(&n->remote, &no_discovery, &session, NULL, &texts, &record);
	if (session.end == NULL)
		texts.node.session = NULL;
	api_node(&n->told, &texts.node,
		 n->calls || session.info.has_key ? record.info.node_id : slice_of(NULL, 0));
	return &n->told.node;
}
