/* peer_arg.h: a peer as it is written on a command line or in a list of seeds.
 *
 *     NETWORK://HOST[:PORT]   any network name as the scheme
 *     HOST[:PORT]             of the network that the context names
 *
 * HOST is an IPv4 address, an IPv6 address (in brackets if a port follows), a .onion or .b32.i2p
 * name, or a name for DNS, which is left to be resolved.
 *
 * Where nodes have keys (DISCOVERY_V4: Ethereum), nobody is called without one. There a peer is
 *
 *     enode://KEY@IP:PORT[?discport=N]     the URL that a node prints (ethereum/enode.h)
 *     NETWORK://KEY@IP:PORT[?discport=N]   the same, with the network said
 *     enr:...                              a node record (ethereum/enr.h) with an IP address and a
 *                                          UDP port; those of IPv4, if it has both
 *
 * all of them with numbers, as a record has them, and not with names for DNS. */
#ifndef PEERWALK_API_PEER_ARG_H
#define PEERWALK_API_PEER_ARG_H

#include "proto/proto.h"

enum {
	PEER_ARG_NAME_MAX = 254, /* bytes of a DNS name with its NUL: RFC 1035, 2.3.4 */
	PEER_ARG_WHY_MAX = 320,
};

struct peer_arg {
	const struct network *network;
	bool is_name;                 /* resolve name; else addr is the peer */
	char name[PEER_ARG_NAME_MAX]; /* is_name: without the port */
	uint16_t port;                /* the network's usual one if none was given; that of addr */
	struct netaddr addr;          /* !is_name; a node's has its UDP port */
	uint16_t tcp_port;            /* a node's; 0: none, or not said */
	uint8_t node_id[PEER_NODE_ID_MAX];
	size_t node_id_len; /* 0 where the network has none */
};

/* network: whom a bare HOST[:PORT] belongs to; NULL: it has to have a scheme. A scheme
 * that names another network than `network` is an error, unless any_network: then enode:// and
 * enr: stand for "ethereum" where `network` has no such nodes. On failure
 * `why` gets a sentence that says what was expected. */
bool peer_arg_parse(const char *text, const struct network *network, bool any_network,
		    struct peer_arg *out, char why[static PEER_ARG_WHY_MAX]);
/* !is_name: the peer as whoever names it would; its node id borrows from the argument. */
struct advert peer_arg_advert(const struct peer_arg *peer);

#endif
