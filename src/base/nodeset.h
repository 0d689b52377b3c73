/* nodeset.h: a set of nodes, each a public key at an address, with one byte of its owner's.
 *
 * Where peers have keys, one address may be named with several of them (a node that was set
 * up anew) and one key at several addresses (a node that moved, or a liar): each pair is an
 * entry of its own. So that nobody can be made a target by inventing keys, an IP address
 * has NODESET_PER_HOST entries at most. An entry takes 88 bytes, and 5 to 33 for the indexes: the
 * fewer, the more of them share an address. Ids count up in order of insertion; nothing is ever
 * removed. */
#ifndef PEERWALK_BASE_NODESET_H
#define PEERWALK_BASE_NODESET_H

#include "base/hash.h"
#include "base/peer.h"

enum {
	NODESET_MAX = (1 << 24) - 1, /* entries */
	/* Of one IP address. Many nodes behind one address are seen in the wild, some dozens
	 * at most; the rest are keys that nobody has any more. */
	NODESET_PER_HOST = 128,
	NODESET_CHUNK = 1 << 12, /* entries a chunk: no copying, and they never move */
};

struct nodeset_entry {
	uint8_t key[PEER_NODE_ID_MAX];
	uint8_t ip[16];
	uint16_t port, tcp_port;
	uint8_t kind; /* enum netaddr_kind: IPv4 or IPv6 */
	uint8_t tag;
	uint16_t reserved;
};

struct nodeset {
	/* private */
	struct hash_key hash;
	struct nodeset_entry **chunks;
	uint32_t chunk_count, count;
	uint32_t *slots; /* id + 1; 0: empty */
	uint32_t mask;
	uint64_t *hosts; /* how many entries an IP address has */
	uint32_t hosts_mask, hosts_used;
};

/* ERR_NOMEM. The hash key should be random: strangers choose keys and addresses. */
enum err nodeset_init(struct nodeset *s, const struct hash_key *hash);
void nodeset_clear(struct nodeset *s);

/* Finds or adds; *added says which. peer: a key of PEER_NODE_ID_MAX bytes at an IP address.
 * A new entry's tag is 0. A TCP port that was not known before is kept. ERR_NOMEM, or
 * ERR_LIMIT at NODESET_MAX or NODESET_PER_HOST, leaves the set as it was. */
enum err nodeset_add(struct nodeset *s, const struct advert *peer, uint32_t *id, bool *added);
bool nodeset_find(const struct nodeset *s, const struct advert *peer, uint32_t *id);
/* The key borrows from the set. */
void nodeset_get(const struct nodeset *s, uint32_t id, struct advert *out);
uint8_t *nodeset_tag(const struct nodeset *s, uint32_t id);
uint32_t nodeset_count(const struct nodeset *s);
size_t nodeset_bytes(const struct nodeset *s); /* memory held */

#endif
