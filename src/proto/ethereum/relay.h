/* relay.h: which addresses to believe when one node names another.
 *
 * A node that names addresses could send us, and all who ask us, to places that are
 * none of its business: into our own network, or to a victim. The rules are those of
 * the reference client (go-ethereum, p2p/netutil CheckRelayAddr and discover/v4_udp
 * nodeFromRPC), with IANA's special-purpose registries as netaddr_is_routable knows them. */
#ifndef PEERWALK_PROTO_ETHEREUM_RELAY_H
#define PEERWALK_PROTO_ETHEREUM_RELAY_H

#include "proto/ethereum/enr.h"

/* X(symbol, sentence) */
#define RELAY_LIST(X)                                               \
	X(OK, "may be called on")                                   \
	X(NO_IP, "not an IP address, or the unspecified one")       \
	X(LOW_PORT, "the UDP port is 1024 or lower")                \
	X(SPECIAL, "a special-purpose network, never a node's")     \
	X(LOOPBACK, "a loopback address, named by another machine") \
	X(LAN, "an address of a local network, named from outside of one")

enum relay {
#define RELAY_ENUM(symbol, text) RELAY_##symbol,
	RELAY_LIST(RELAY_ENUM)
#undef RELAY_ENUM
};

enum {
	/* Ports up to here belong to the system's services: a list of them would make us
	 * send packets to a stranger's DNS or NTP server. */
	RELAY_PORT_SYSTEM = 1024,
};

/* A sentence without a full stop; never NULL. */
const char *relay_text(enum relay verdict);
/* Whether `named`, with its UDP port, is to be believed of the node at `from`. */
enum relay relay_check(const struct netaddr *from, const struct netaddr *named);

/* The same for the addresses in its own record, whose ports need not be said. */
enum relay relay_check_record(const struct netaddr *from, const struct enr *record);

bool relay_is_loopback(const struct netaddr *a);
/* Private (RFC 1918), unique-local and link-local IPv6 addresses; loopback, too. */
bool relay_is_lan(const struct netaddr *a);

#endif
