/* addrset.h: a compact set of addresses, each with one byte of its owner's.
 *
 * An IPv4 address and its port take 7 bytes and an index slot (4 bytes at a load of
 * 37 to 75 %), 13 to 18 in all; IPv6 takes 13 more, Tor v3 29 more. A slot also keeps a
 * few bits of the hash, so that a look-up nearly never reads a wrong entry. The index has many
 * parts, each of which grows by itself: no more than a part is there twice at a time, and nobody
 * waits for all of it. Ids are stable: class, then position, in order of insertion. Nothing is ever
 * removed. */
#ifndef PEERWALK_BASE_ADDRSET_H
#define PEERWALK_BASE_ADDRSET_H

#include "base/hash.h"
#include "base/netaddr.h"

enum {
	ADDRSET_CLASSES = 4,
	ADDRSET_CLASS_SHIFT = 24,
	ADDRSET_CLASS_MAX = (1 << ADDRSET_CLASS_SHIFT) - 1, /* entries of one class */
	ADDRSET_ID_MASK = (1 << (ADDRSET_CLASS_SHIFT + 2)) - 1,
	ADDRSET_CHUNK = 1 << 14, /* entries a chunk: no doubling, no copying */
	ADDRSET_IPV4_ENTRY = 7,  /* bytes: address, port, tag */
	ADDRSET_PARTS = 64,
};

struct addrset_part {
	uint32_t *slots; /* 6 bits of the hash, then id + 1; 0: empty */
	uint32_t mask, used;
};

struct addrset {
	/* private */
	struct hash_key key;
	struct addrset_part parts[ADDRSET_PARTS];
	uint32_t used;
	size_t slot_count;
	struct {
		uint8_t **chunks;
		uint32_t count, chunk_count, chunk_cap;
	} classes[ADDRSET_CLASSES];
};

/* ERR_NOMEM. The key should be random where strangers choose the addresses. */
enum err addrset_init(struct addrset *s, const struct hash_key *key);
void addrset_clear(struct addrset *s);

/* Finds or adds; *added says which. A new entry's tag is 0. The kind must be known
 * (netaddr_len > 0). ERR_NOMEM, or ERR_LIMIT at ADDRSET_CLASS_MAX, leaves the set as it
 * was. */
enum err addrset_add(struct addrset *s, const struct netaddr *addr, uint32_t *id, bool *added);
/* False if it isn't there. */
bool addrset_find(const struct addrset *s, const struct netaddr *addr, uint32_t *id);
void addrset_get(const struct addrset *s, uint32_t id, struct netaddr *out);
uint8_t *addrset_tag(const struct addrset *s, uint32_t id);
/* For many addresses at once: hash some, bring their slots near the processor, then
 * look them up. */
uint64_t addrset_hash(const struct addrset *s, const struct netaddr *addr);
static inline const uint32_t *addrset_slot(const struct addrset *s, uint64_t hash)
{
	/* Of the bits that neither a place in the part nor a slot's mark is made of. */
	const struct addrset_part *p = &s->parts[(hash >> 32) % ADDRSET_PARTS];

	return &p->slots[hash & p->mask];
}
static inline void addrset_prefetch(const struct addrset *s, uint64_t hash)
{
	__builtin_prefetch(addrset_slot(s, hash));
}
/* A second step: the entry that the slot leads to. */
static inline void addrset_prefetch_entry(const struct addrset *s, uint64_t hash)
{
	uint32_t id = (*addrset_slot(s, hash) & ADDRSET_ID_MASK) - 1;

	if (id < s->classes[0].count)
		__builtin_prefetch(s->classes[0].chunks[id / ADDRSET_CHUNK] +
				   (id % ADDRSET_CHUNK) * ADDRSET_IPV4_ENTRY);
}
bool addrset_find_hashed(const struct addrset *s, const struct netaddr *addr, uint64_t hash,
			 uint32_t *id);
enum err addrset_add_hashed(struct addrset *s, const struct netaddr *addr, uint64_t hash,
			    uint32_t *id, bool *added);

uint32_t addrset_count(const struct addrset *s);
/* Entries of one class (0: IPv4, 1: IPv6 and CJDNS, 2: Tor v3 and I2P, 3: Tor v2). */
uint32_t addrset_class_count(const struct addrset *s, unsigned class);
static inline uint32_t addrset_id(unsigned class, uint32_t position)
{
	return (uint32_t) class << ADDRSET_CLASS_SHIFT | position;
}
size_t addrset_bytes(const struct addrset *s); /* memory held */

#endif
