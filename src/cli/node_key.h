/* node_key.h: an Ethereum node's private key, read from a file and ready for use. */
#ifndef PEERWALK_CLI_NODE_KEY_H
#define PEERWALK_CLI_NODE_KEY_H

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

#endif
