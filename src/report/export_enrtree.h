/* export_enrtree.h: Ethereum nodes as a signed tree of DNS records (EIP-1459), for a zone file.
 *
 * The leaves are records (EIP-778) of nodes that are good: that name an IPv4 address and a TCP
 * port, that the newest visit reached, no longer ago than the rules say, and that as many of all
 * visits reached as they want. In order of the node ids, thirteen to a branch, as many branches to
 * the next, up to one; each at the name of its hash. Links to other trees make a tree of their own.
 * Only the root changes its text at the same name, so the time to live of all others is a day. */
#ifndef PEERWALK_REPORT_EXPORT_ENRTREE_H
#define PEERWALK_REPORT_EXPORT_ENRTREE_H

#include "crypto/secp256k1.h"
#include "report/dns_zone.h"
#include "report/export.h"

enum {
	ENRTREE_LINKS_MAX = 64, /* other people's trees; each costs a client a look-up */
	ENRTREE_NAME_LEN = 26,  /* of a hash: base32 of 16 bytes */
};

struct export_tree {
	const struct secp *secp;
	const struct secp_key *key;
	uint64_t seq; /* grows with each change */
	const char *const *links;
	size_t links_count;
};

/* enrtree://KEY@NAME, NAME as dns_name_parse leaves it. */
bool enrtree_url_valid(struct slice url);

/* Takes zone, rules and tree of the options; note gets the tree's URL. *rows counts the nodes.
 * Holds what export_nodes.h says, and 27 bytes of each node besides. ERR_VALUE, and note says why:
 * there is no good node. ERR_NOMEM; store errors; the sink's. */
export_run_fn export_enrtree_run;

#endif
