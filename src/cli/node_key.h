/* node_key.h: an Ethereum node's private key, read from a file and ready for use, and where
 * such a node is: what key, enr and node share. */
#ifndef PEERWALK_CLI_NODE_KEY_H
#define PEERWALK_CLI_NODE_KEY_H

#include "base/netaddr.h"
#include "crypto/secp256k1.h"

struct node_key {
	struct secp secp;
	struct secp_key key;
	uint8_t public[SECP_PUBLIC_LEN];
	bool created; /* just now */
};

/* With may_create a missing file is made. Prints what is wrong, and returns an exit status;
 * node_key_clear in every case. */
int node_key_read(const char *path, bool may_create, struct node_key *out);
void node_key_clear(struct node_key *k); /* wipes */

/* An IP address of any kind that a node can have, its port included if with_port (else it is
 * 0, and must not be given). */
bool node_addr_parse(const char *text, bool with_port, struct netaddr *out);
/* Where to listen: such an address or the unspecified one, and any port, also 0. */
bool node_listen_parse(const char *text, uint16_t default_port, struct netaddr *out);

#endif
