/* enode_url.h: the text of an Ethereum node, for all that names one. Reading it takes the curve
 * (proto/ethereum/enode.h); writing takes nothing, and databases and files are written by
 * parts that know no protocol. */
#ifndef PEERWALK_BASE_ENODE_URL_H
#define PEERWALK_BASE_ENODE_URL_H

#include "base/netaddr.h"

enum {
	ENODE_KEY_LEN = 64, /* the public key, both coordinates */
	/* The scheme and "@", the key, the longest address, "?discport=65535", NUL. */
	ENODE_URL_MAX = 9 + 2 * ENODE_KEY_LEN + NETADDR_TEXT_MAX + 15 + 1,
};

/* enode://KEY@IP:TCP, and ?discport=UDP where that is another port. addr, which must be one,
 * has the UDP port; tcp_port 0: none. Ends with NUL; the length. */
size_t enode_url(const uint8_t key[static ENODE_KEY_LEN], const struct netaddr *addr,
		 uint16_t tcp_port, char out[static ENODE_URL_MAX]);

#endif
