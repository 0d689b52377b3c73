#include "api/api.h"

#include "base/text.h"
#include "proto/gossip/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The public lists are ours with another prefix. Whoever adds to one of ours gets an error
 * here: add it at the end of the list in peerwalk.h as well. */
#define PW_ERR_OK            PW_OK
#define SAME_ERR(name, text) _Static_assert((int)PW_ERR_##name == (int)ERR_##name, #name);
ERR_LIST(SAME_ERR)
#define SAME_OUTCOME(symbol, name, text) \
	_Static_assert((int)PW_OUTCOME_##symbol == (int)OUTCOME_##symbol, name);
OUTCOME_LIST(SAME_OUTCOME)
_Static_assert((int)PW_OUTCOME_COUNT == (int)OUTCOME_COUNT, "no outcome of the public list is new");

const char *pw_version(void)
{
	return PEERWALK_VERSION;
}

/* --- errors and outcomes --- */

enum pw_err api_err(enum err err)
{
	return (enum pw_err)err;
}

const char *pw_err_text(enum pw_err err)
{
	return err_text((enum err)err);
}

const char *pw_outcome_name(enum pw_outcome outcome)
{
	return outcome_name((enum outcome)outcome);
}

const char *pw_outcome_text(enum pw_outcome outcome)
{
	return outcome_text((enum outcome)outcome);
}

/* --- text --- */

struct pw_bytes api_bytes(struct slice s)
{
	return (struct pw_bytes){ .data = s.data, .len = s.len };
}

size_t pw_escape(struct pw_bytes bytes, char *out, size_t cap)
{
	return cap > 0 ? text_escape(slice_of(bytes.data, bytes.len), out, cap) : 0;
}

/* BIP 14 for Bitcoin; Ethereum's clients call themselves name/version. */
bool api_agent(const struct network *network, const char *text, char out[static PEER_AGENT_MAX + 1])
{
	size_t len;

	if (text == NULL)
		text = network->discovery == DISCOVERY_V4 ? "peerwalk/v" PEERWALK_VERSION
							  : "/peerwalk:" PEERWALK_VERSION "/";
	len = strlen(text);
	if (len == 0 || len > PEER_AGENT_MAX)
		return false;
	for (const char *p = text; *p != 0; p++) {
		if (*p < 0x20 || *p > 0x7e)
			return false;
	}
	memcpy(out, text, len + 1);
	return true;
}

bool api_group(const struct network *network, const char *text,
	       char out[static GOSSIP_GROUP_MAX + 1])
{
	out[0] = 0;
	if (text == NULL)
		return true;
	if (network->proto != &gossip_proto || !gossip_is_group(slice_text(text)))
		return false;
	strcpy(out, text);
	return true;
}

/* Bitcoin's version always has the field; zeros in it say nothing. */
static bool is_said(const struct netaddr *addr)
{
	const struct netaddr zero = { .kind = addr->kind };

	return addr->kind != NETADDR_NONE && !netaddr_equal(addr, &zero);
}

void api_info(struct api_info *out, const struct peer_info *from)
{
	size_t len = from->negotiation.len;

	text_escape(from->agent, out->agent, sizeof(out->agent));
	if (len > PEER_NEGOTIATION_MAX)
		len = PEER_NEGOTIATION_MAX;
	if (len > 0)
		memcpy(out->negotiation, from->negotiation.data, len);
	out->negotiation[len] = 0;
	out->sees_us_as[0] = 0;
	if (is_said(&from->sees_us_as))
		netaddr_text(&from->sees_us_as, out->sees_us_as);
	out->id[0] = 0;
	if (from->node_id.len == UUID_LEN)
		uuid_text(from->node_id.data, out->id);
	text_escape(from->group, out->group, sizeof(out->group));
	out->info = (struct pw_info){
		.has_version = from->has_version,
		.agent = out->agent,
		.raw_agent = api_bytes(from->agent),
		.protocol = from->protocol,
		.services = from->services,
		.height = from->has_version ? from->height : -1,
		.relay = from->relay,
		.clock_skew_s = from->clock_skew_s,
		.negotiation = out->negotiation,
		.sees_us_as = out->sees_us_as,
		.listen_port = from->listen_port,
		.id = out->id,
		.group = out->group,
	};
}

/* --- structs with a size --- */

bool api_config(void *out, size_t own, const void *in)
{
	size_t given;

	if (in == NULL)
		return false;
	memcpy(&given, in, sizeof(given));
	if (given < sizeof(given))
		return false;
	memset(out, 0, own);
	memcpy(out, in, given < own ? given : own);
	for (size_t i = own; i < given; i++) {
		if (((const uint8_t *)in)[i] != 0)
			return false;
	}
	return true;
}

void api_give(void *out, const void *ours, size_t own)
{
	size_t given;

	memcpy(&given, out, sizeof(given));
	if (given < sizeof(given))
		return;
	memset(out, 0, given);
	memcpy(out, ours, given < own ? given : own);
	memcpy(out, &given, sizeof(given));
}

/* --- networks --- */

/* A pw_network is a struct network under another name: a row of the list, or the first
 * member of one of these. */
struct made_network {
	struct network network;
	char name[];
};

enum { NETWORK_NAME_MAX = 32 };

const struct network *api_network(const struct pw_network *network)
{
	return (const struct network *)(const void *)network;
}

const struct pw_network *api_public_network(const struct network *network)
{
	return (const struct pw_network *)(const void *)network;
}

const struct pw_network *pw_network_find(const char *name)
{
	return api_public_network(network_find(name));
}

const struct pw_network *pw_network_at(size_t index)
{
	return index < networks_count ? api_public_network(&networks[index]) : NULL;
}

enum pw_err pw_network_new(const char *name, const uint8_t magic[4], uint16_t port,
			   struct pw_network **out)
{
	const struct network *bitcoin = network_find("bitcoin");
	size_t len = strlen(name);
	struct made_network *made;

	*out = NULL;
	if (len == 0 || len > NETWORK_NAME_MAX || network_find(name) != NULL || port == 0 ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len)
		return PW_ERR_VALUE;
	made = calloc(1, sizeof(*made) + len + 1);
	if (made == NULL)
		return PW_ERR_NOMEM;
	memcpy(made->name, name, len + 1);
	made->network = (struct network){ .name = made->name,
					  .proto = bitcoin->proto,
					  .default_port = port };
	memcpy(made->network.magic, magic, sizeof(made->network.magic));
	*out = (struct pw_network *)(void *)made;
	return PW_OK;
}

void pw_network_free(struct pw_network *network)
{
	free(network);
}

const char *pw_network_name(const struct pw_network *network)
{
	return api_network(network)->name;
}

uint16_t pw_network_port(const struct pw_network *network)
{
	return api_network(network)->default_port;
}

const char *pw_service_name(const struct pw_network *network, unsigned bit)
{
	return api_network(network)->proto->service_name(bit);
}
