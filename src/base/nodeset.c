#include "base/nodeset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* How many entries one IP address has: 56 bits of the hash of the address, and the count. That
 * two addresses share the bits is as good as impossible, and would only lower the limit for
 * both. 0: free. */
enum {
	HOST_COUNT_MASK = 0xff,
	SLOTS_FIRST = 1024,
};

_Static_assert((int)NODESET_PER_HOST <= (int)HOST_COUNT_MASK, "the count has room");

_Static_assert(sizeof(struct nodeset_entry) == 88, "as the header says");

static struct nodeset_entry *entry_of(const struct nodeset *s, uint32_t id)
{
	assert(id < s->count);
	return &s->chunks[id / NODESET_CHUNK][id % NODESET_CHUNK];
}

static uint64_t hash_of(const struct nodeset *s, const struct nodeset_entry *e)
{
	uint8_t bytes[PEER_NODE_ID_MAX + 16 + 2 + 1];

	memcpy(bytes, e->key, PEER_NODE_ID_MAX);
	memcpy(bytes + PEER_NODE_ID_MAX, e->ip, 16);
	bytes[PEER_NODE_ID_MAX + 16] = (uint8_t)(e->port >> 8);
	bytes[PEER_NODE_ID_MAX + 17] = (uint8_t)e->port;
	bytes[PEER_NODE_ID_MAX + 18] = e->kind;
	return hash_siphash13(&s->hash, bytes, sizeof(bytes));
}

static uint64_t host_hash(const struct nodeset *s, const struct nodeset_entry *e)
{
	uint8_t bytes[17] = { e->kind };

	memcpy(bytes + 1, e->ip, 16);
	return hash_siphash13(&s->hash, bytes, sizeof(bytes)) & ~(uint64_t)HOST_COUNT_MASK;
}

static struct nodeset_entry make_entry(const struct advert *peer)
{
	struct nodeset_entry e = { .kind = peer->addr.kind,
				   .port = peer->addr.port,
				   .tcp_port = peer->tcp_port };

	assert(peer->node_id.len == PEER_NODE_ID_MAX && netaddr_is_ip(&peer->addr));
	memcpy(e.key, peer->node_id.data, PEER_NODE_ID_MAX);
	memcpy(e.ip, peer->addr.bytes, netaddr_len(peer->addr.kind));
	return e;
}

static bool same(const struct nodeset_entry *a, const struct nodeset_entry *b)
{
	return a->port == b->port && a->kind == b->kind &&
	       memcmp(a->key, b->key, sizeof(a->key)) == 0 &&
	       memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

/* The slot of the entry, or the free one where it belongs. */
static uint32_t *find_slot(const struct nodeset *s, const struct nodeset_entry *e)
{
	uint32_t i = (uint32_t)hash_of(s, e) & s->mask;

	while (s->slots[i] != 0 && !same(entry_of(s, s->slots[i] - 1), e))
		i = (i + 1) & s->mask;
	return &s->slots[i];
}

/* The host's place, or the free one where it belongs. What is there has a count, so that it is
 * not 0 whatever the hash. */
static uint64_t *find_host(const struct nodeset *s, uint64_t hash)
{
	uint32_t i = (uint32_t)(hash >> 32) & s->hosts_mask;

	while (s->hosts[i] != 0 && (s->hosts[i] & ~(uint64_t)HOST_COUNT_MASK) != hash)
		i = (i + 1) & s->hosts_mask;
	return &s->hosts[i];
}

enum err nodeset_init(struct nodeset *s, const struct hash_key *hash)
{
	memset(s, 0, sizeof(*s));
	s->hash = *hash;
	s->slots = calloc(SLOTS_FIRST, sizeof(*s->slots));
	s->hosts = calloc(SLOTS_FIRST, sizeof(*s->hosts));
	if (s->slots == NULL || s->hosts == NULL) {
		nodeset_clear(s);
		return ERR_NOMEM;
	}
	s->mask = s->hosts_mask = SLOTS_FIRST - 1;
	return ERR_OK;
}

void nodeset_clear(struct nodeset *s)
{
	for (uint32_t i = 0; i < s->chunk_count; i++)
		free(s->chunks[i]);
	free(s->chunks);
	free(s->slots);
	free(s->hosts);
	memset(s, 0, sizeof(*s));
}

/* Both indexes grow before they are three quarters full. */
static bool grow_slots(struct nodeset *s)
{
	uint32_t size = s->mask + 1;
	uint32_t *old = s->slots;

	if (s->count < size / 4 * 3)
		return true;
	s->slots = calloc((size_t)size * 2, sizeof(*s->slots));
	if (s->slots == NULL) {
		s->slots = old;
		return false;
	}
	s->mask = size * 2 - 1;
	free(old);
	for (uint32_t id = 0; id < s->count; id++)
		*find_slot(s, entry_of(s, id)) = id + 1;
	return true;
}

static bool grow_hosts(struct nodeset *s)
{
	uint32_t size = s->hosts_mask + 1;
	uint64_t *old = s->hosts;

	if (s->hosts_used < size / 4 * 3)
		return true;
	s->hosts = calloc((size_t)size * 2, sizeof(*s->hosts));
	if (s->hosts == NULL) {
		s->hosts = old;
		return false;
	}
	s->hosts_mask = size * 2 - 1;
	for (uint32_t i = 0; i < size; i++) {
		if (old[i] != 0)
			*find_host(s, old[i] & ~(uint64_t)HOST_COUNT_MASK) = old[i];
	}
	free(old);
	return true;
}

static bool grow_chunks(struct nodeset *s)
{
	struct nodeset_entry **chunks;

	if (s->count < s->chunk_count * (uint32_t)NODESET_CHUNK)
		return true;
	chunks = realloc(s->chunks, (s->chunk_count + 1) * sizeof(struct nodeset_entry *));
	if (chunks == NULL)
		return false;
	s->chunks = chunks;
	chunks[s->chunk_count] = malloc(NODESET_CHUNK * sizeof(**chunks));
	if (chunks[s->chunk_count] == NULL)
		return false;
	s->chunk_count++;
	return true;
}

enum err nodeset_add(struct nodeset *s, const struct advert *peer, uint32_t *id, bool *added)
{
	struct nodeset_entry e = make_entry(peer);
	uint32_t *slot = find_slot(s, &e);
	uint64_t *host, hash;

	*added = false;
	if (*slot != 0) {
		struct nodeset_entry *known = entry_of(s, *slot - 1);

		if (known->tcp_port == 0)
			known->tcp_port = e.tcp_port;
		*id = *slot - 1;
		return ERR_OK;
	}
	if (s->count >= NODESET_MAX)
		return ERR_LIMIT;
	if (!grow_slots(s) || !grow_hosts(s) || !grow_chunks(s))
		return ERR_NOMEM;
	hash = host_hash(s, &e);
	host = find_host(s, hash);
	if ((*host & HOST_COUNT_MASK) >= NODESET_PER_HOST)
		return ERR_LIMIT;
	s->hosts_used += *host == 0;
	*host = hash | ((*host & HOST_COUNT_MASK) + 1);
	*id = s->count++;
	*entry_of(s, *id) = e;
	*find_slot(s, &e) = *id + 1;
	*added = true;
	return ERR_OK;
}

bool nodeset_find(const struct nodeset *s, const struct advert *peer, uint32_t *id)
{
	struct nodeset_entry e = make_entry(peer);
	uint32_t slot = *find_slot(s, &e);

	*id = slot - 1;
	return slot != 0;
}

void nodeset_get(const struct nodeset *s, uint32_t id, struct advert *out)
{
	const struct nodeset_entry *e = entry_of(s, id);

	*out = (struct advert){ .addr = { .kind = e->kind, .port = e->port },
				.node_id = slice_of(e->key, sizeof(e->key)),
				.tcp_port = e->tcp_port };
	memcpy(out->addr.bytes, e->ip, netaddr_len(e->kind));
}

uint8_t *nodeset_tag(const struct nodeset *s, uint32_t id)
{
	return &entry_of(s, id)->tag;
}

uint32_t nodeset_count(const struct nodeset *s)
{
	return s->count;
}

size_t nodeset_bytes(const struct nodeset *s)
{
	return (size_t)s->chunk_count *
		       (NODESET_CHUNK * sizeof(**s->chunks) + sizeof(struct nodeset_entry *)) +
	       ((size_t)s->mask + 1) * sizeof(*s->slots) +
	       ((size_t)s->hosts_mask + 1) * sizeof(*s->hosts);
}
