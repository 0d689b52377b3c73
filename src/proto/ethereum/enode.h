/* enode.h: where an Ethereum node is and who it is, and the enode:// URL that says so.
 *
 *     enode://KEY@IP:PORT[?discport=N]
 *
 * KEY is the public key in 128 hex digits, PORT the TCP port; discport is the UDP port
 * where that is another one. Source: the devp2p specifications, "enode URL format". */
#ifndef PEERWALK_PROTO_ETHEREUM_ENODE_H
#define PEERWALK_PROTO_ETHEREUM_ENODE_H

#include "base/enode_url.h"
#include "crypto/secp256k1.h"

enum {
	ENODE_ID_LEN = 32,
	ENODE_TEXT_MAX = ENODE_URL_MAX,
};

struct enode_endpoint {
	struct netaddr addr; /* IPv4, IPv6 or none; its port is the UDP port */
	uint16_t tcp_port;   /* 0: none */
};

struct enode {
	uint8_t key[SECP_PUBLIC_LEN];
	struct enode_endpoint endpoint;
};

/* The node's place in the tables: Keccak-256 of its public key (EIP-778, "v4"). */
void enode_id(const uint8_t key[static SECP_PUBLIC_LEN], uint8_t out[static ENODE_ID_LEN]);

/* ERR_SYNTAX, or ERR_VALUE for a key that is no point of the curve; *rule says in static
 * text what was expected. */
enum err enode_parse(struct slice text, struct enode *out, const char **rule);
/* The same, and at which character it stands. */
enum err enode_parse_at(struct slice text, struct enode *out, const char **rule, size_t *err_at);
/* Ends with NUL; the length. The endpoint must have an address. */
size_t enode_text(const struct enode *node, char out[static ENODE_TEXT_MAX]);

/* 4 or 16 bytes, as everything of Ethereum has them: an IPv4-mapped address becomes IPv4,
 * all else stays IPv6; any other length is NETADDR_NONE. */
struct netaddr enode_addr(struct slice ip, uint16_t udp_port);

bool enode_endpoint_equal(const struct enode_endpoint *a, const struct enode_endpoint *b);

#endif
