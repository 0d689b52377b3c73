#include "proto/ethereum/discv4_bonds.h"

#include "proto/ethereum/relay.h"

#include <string.h>

void discv4_bonds_init(struct discv4_bonds *b, const struct hash_key *key)
{
	memset(b, 0, sizeof(*b));
	b->key = *key;
}

static struct discv4_bond *set_of(struct discv4_bonds *b,
				  const uint8_t hash[static KADEMLIA_HASH_LEN],
				  const struct netaddr *addr)
{
	uint8_t bytes[1 + 16 + KADEMLIA_HASH_LEN] = { addr->kind };
	size_t len = 1 + (addr->kind == NETADDR_IPV4 ? 4 : 8);

	if (relay_is_lan(addr)) {
		memcpy(bytes + 1, addr->bytes, 16);
		memcpy(bytes + 1 + 16, hash, KADEMLIA_HASH_LEN);
		len = sizeof(bytes);
	} else {
		memcpy(bytes + 1, addr->bytes, len - 1);
	}
	return b->sets[hash_siphash13(&b->key, bytes, len) % DISCV4_BOND_SETS];
}

static bool holds(const struct discv4_bond *bond, uint64_t now_ms)
{
	return bond->used && now_ms - bond->proven_at_ms < DISCV4_BOND_MS;
}

static bool is_of(const struct discv4_bond *bond, const uint8_t hash[static KADEMLIA_HASH_LEN],
		  const struct netaddr *addr)
{
	return bond->used && memcmp(bond->hash, hash, KADEMLIA_HASH_LEN) == 0 &&
	       netaddr_same_host(&bond->addr, addr);
}

struct discv4_bond *discv4_bonds_find(struct discv4_bonds *b,
				      const uint8_t hash[static KADEMLIA_HASH_LEN],
				      const struct netaddr *addr, uint64_t now_ms)
{
	struct discv4_bond *set = set_of(b, hash, addr);

	for (unsigned i = 0; i < DISCV4_BOND_WAYS; i++) {
		if (is_of(&set[i], hash, addr))
			return holds(&set[i], now_ms) ? &set[i] : NULL;
	}
	return NULL;
}

struct discv4_bond *discv4_bonds_prove(struct discv4_bonds *b,
				       const uint8_t hash[static KADEMLIA_HASH_LEN],
				       const struct netaddr *addr, uint64_t now_ms)
{
	struct discv4_bond *set = set_of(b, hash, addr), *place = &set[0];

	for (unsigned i = 0; i < DISCV4_BOND_WAYS; i++) {
		if (is_of(&set[i], hash, addr)) {
			set[i].addr = *addr;
			set[i].proven_at_ms = now_ms;
			return &set[i];
		}
		if (place->used && (!set[i].used || set[i].proven_at_ms < place->proven_at_ms))
			place = &set[i];
	}
	*place = (struct discv4_bond){ .addr = *addr, .proven_at_ms = now_ms, .used = true };
	memcpy(place->hash, hash, sizeof(place->hash));
	return place;
}

bool discv4_bond_knows_us(const struct discv4_bond *bond, uint64_t now_ms)
{
	return bond->has_pinged && now_ms - bond->pinged_at_ms < DISCV4_BOND_MS;
}

unsigned discv4_bonds_count(const struct discv4_bonds *b, uint64_t now_ms)
{
	unsigned n = 0;

	for (unsigned i = 0; i < DISCV4_BOND_SETS; i++) {
		for (unsigned j = 0; j < DISCV4_BOND_WAYS; j++)
			n += holds(&b->sets[i][j], now_ms);
	}
	return n;
}
