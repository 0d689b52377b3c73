#include "base/glance.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 1024, LINE_BYTES = 64 };

void glance_key_init(struct glance_key *k, const struct hash_key *key)
{
	uint64_t halves[2 * (GLANCE_WORDS + 1)] = { 0 };

	for (uint64_t i = 0; i < sizeof(halves) / sizeof(*halves); i++)
		halves[i] = hash_siphash13(key, &i, sizeof(i));
	for (size_t i = 0; i < GLANCE_WORDS; i++)
		k->factors[i] = (unsigned __int128)halves[2 * i] << 64 | halves[2 * i + 1];
	k->offset =
		(unsigned __int128)halves[2 * GLANCE_WORDS] << 64 | halves[2 * GLANCE_WORDS + 1];
}

static uint64_t little(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

uint64_t glance_of(const struct glance_key *k, const struct netaddr *addr)
{
	uint64_t port = (uint16_t)(addr->port >> 8 | addr->port << 8);
	unsigned __int128 sum;

	if (addr->kind == NETADDR_IPV4)
		return glance_ipv4(k, (little(addr->bytes) & UINT32_MAX) | port << 32);
	sum = k->factors[0] * ((uint64_t)addr->kind << 48 | port << 32) + k->offset;
	for (size_t i = 1; i < GLANCE_WORDS; i++)
		sum += k->factors[i] * little(addr->bytes + 8 * (i - 1));
	return glance_end(sum);
}

/* Emptied, as halves of hashes don't say where they belong in a larger one: whoever is named
 * again comes back. */
static enum err set_size(struct glance_cache *c, uint32_t size)
{
	uint32_t *slots = aligned_alloc(LINE_BYTES, size * sizeof(*slots));

	if (slots == NULL)
		return ERR_NOMEM;
	memset(slots, 0, size * sizeof(*slots));
	free(c->slots);
	*c = (struct glance_cache){ .slots = slots, .mask = size - GLANCE_WAYS };
	return ERR_OK;
}

enum err glance_cache_init(struct glance_cache *c)
{
	*c = (struct glance_cache){ 0 };
	return set_size(c, FIRST_SLOTS);
}

void glance_cache_clear(struct glance_cache *c)
{
	free(c->slots);
	*c = (struct glance_cache){ 0 };
}

void glance_cache_put(struct glance_cache *c, uint64_t hash)
{
	uint32_t *ways = &c->slots[hash & c->mask];
	uint32_t size = c->mask + GLANCE_WAYS;

	if (glance_cache_has(c, hash))
		return;
	for (unsigned i = 0; i < GLANCE_WAYS; i++) {
		if (ways[i] == 0) {
			ways[i] = glance_tag(hash);
			c->used++;
			return;
		}
	}
	/* A full group in a nearly empty cache is chance. Without memory for a larger one
	 * this one goes on. */
	if (size < GLANCE_SLOTS_NEAR && c->used > size / 2 && set_size(c, size * 2) == ERR_OK)
		glance_cache_put(c, hash);
	else
		ways[hash >> 60] = glance_tag(hash);
}

void glance_cache_enlarge(struct glance_cache *c, uint32_t known)
{
	uint32_t size = c->mask + GLANCE_WAYS;

	/* Without memory it is tried again when there are more. */
	if (size >= GLANCE_SLOTS_NEAR && size < GLANCE_SLOTS_MAX && known / 3 > size / 2)
		set_size(c, size * 2);
}

void glance_cache_drop(struct glance_cache *c, uint64_t hash)
{
	uint32_t *ways = &c->slots[hash & c->mask];

	for (unsigned i = 0; i < GLANCE_WAYS; i++) {
		if (ways[i] == glance_tag(hash)) {
			ways[i] = 0;
			c->used--;
		}
	}
}

size_t glance_cache_bytes(const struct glance_cache *c)
{
	return ((size_t)c->mask + GLANCE_WAYS) * sizeof(*c->slots);
}
