/* peer_arg.h: a peer as it is written on a command line or in a list of seeds.
 *
 *     NETWORK://HOST[:PORT]   any network name as the scheme
 *     HOST[:PORT]             of the network that the context names
 *
 * HOST is an IPv4 address, an IPv6 address (in brackets if a port follows), a .onion or .b32.i2p
 * name, or a name for DNS, which is left to be resolved. */
#ifndef PEERWALK_API_PEER_ARG_H
#define PEERWALK_API_PEER_ARG_H

#include "proto/proto.h"

enum {
	PEER_ARG_NAME_MAX = 254, /* bytes of a DNS name with its NUL: RFC 1035, 2.3.4 */
	PEER_ARG_WHY_MAX = 256,
};

struct peer_arg {
	const struct network *network;
	bool is_name;                 /* resolve name; else addr is the peer */
	char name[PEER_ARG_NAME_MAX]; /* is_name: without the port */
	uint16_t port;                /* the network's usual one if none was given */
	struct netaddr addr;          /* !is_name */
};

/* network: whom a bare HOST[:PORT] belongs to; NULL: it has to have a scheme. A scheme
 * that names another network than `network` is an error, unless any_network. On failure
 * `why` gets a sentence that says what was expected. */
bool peer_arg_parse(const char *text, const struct network *network, bool any_network,
		    struct peer_arg *out, char why[static PEER_ARG_WHY_MAX]);

#endif
