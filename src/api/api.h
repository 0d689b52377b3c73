/* api.h: what the files behind peerwalk.h share: their words and the library's. */
#ifndef PEERWALK_API_API_H
#define PEERWALK_API_API_H

#include "base/peer.h"
#include "peerwalk.h"
#include "proto/gossip/messages.h"
#include "proto/proto.h"

enum {
	/* Every byte of a user agent as \xNN, and the NUL. */
	API_AGENT_TEXT_MAX = 4 * PEER_AGENT_MAX + 1,
	API_GROUP_TEXT_MAX = 4 * GOSSIP_GROUP_MAX + 1, /* the same */
};

enum pw_err api_err(enum err err);
const struct network *api_network(const struct pw_network *network);
const struct pw_network *api_public_network(const struct network *network);
struct pw_bytes api_bytes(struct slice s);

/* Copies a struct that begins with its size into ours, of `own` bytes, zeroing what the
 * caller's version doesn't have. False if it sets members that ours doesn't have. */
bool api_config(void *out, size_t own, const void *in);

/* The other way: fills a caller's struct that begins with its size from ours, of `own` bytes. */
void api_give(void *out, const void *ours, size_t own);

/* NULL: our own, in the form of the network's software. False if it is empty, too long, or not
 * printable ASCII. */
bool api_agent(const struct network *network, const char *text,
	       char out[static PEER_AGENT_MAX + 1]);

/* The name of a group; NULL: none, which becomes empty. False if the network has no groups, or none
 * of that name. */
bool api_group(const struct network *network, const char *text,
	       char out[static GOSSIP_GROUP_MAX + 1]);

/* A pw_info with the text that it points to. */
struct api_info {
	struct pw_info info;
	char agent[API_AGENT_TEXT_MAX];
	char negotiation[PEER_NEGOTIATION_MAX + 1];
	char sees_us_as[NETADDR_TEXT_MAX];
	char id[UUID_TEXT_MAX];
	char group[API_GROUP_TEXT_MAX];
};

/* raw_agent borrows what from->agent borrows. */
void api_info(struct api_info *out, const struct peer_info *from);

#endif
