/* peer_url.h: a peer of any network in one word, as every report and export has it, and as the
 * command line takes it. */
#ifndef PEERWALK_REPORT_PEER_URL_H
#define PEERWALK_REPORT_PEER_URL_H

#include "base/enode_url.h"

enum {
	/* network://HOST:PORT, or enode://KEY@HOST:PORT?discport=PORT, which is the longer. */
	PEER_URL_MAX = ENODE_URL_MAX,
};

/* public: a node's key, or empty. Ends with NUL; the length. */
size_t peer_url(const char *network, const struct netaddr *addr, struct slice public,
		uint16_t tcp_port, char out[static PEER_URL_MAX]);

#endif
