#include "base/addrset.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_SLOTS = 16, /* of a part */
	TAG_BYTES = 1,
	PORT_BYTES = 2,
	KIND_BYTES = 1, /* where a class holds two kinds */
};

/* An entry is: address, port (big-endian), kind where the class has two, tag. */
static const struct {
	uint8_t address, kind_bytes;
	uint8_t kind; /* of the class, if it holds one */
} layout[ADDRSET_CLASSES] = {
	{ 4, 0, NETADDR_IPV4 },
	{ 16, KIND_BYTES, 0 },
	{ 32, KIND_BYTES, 0 },
	{ 10, 0, NETADDR_TORV2 },
};

static unsigned class_of(unsigned kind)
{
	switch (netaddr_len(kind)) {
	case 4:
		return 0;
	case 16:
		return 1;
	case 32:
		return 2;
	default:
		assert(netaddr_len(kind) == 10);
		return 3;
	}
}

static size_t entry_bytes(unsigned class)
{
	return layout[class].address + PORT_BYTES + layout[class].kind_bytes + TAG_BYTES;
}

static uint8_t *entry(const struct addrset *s, uint32_t id)
{
	unsigned class = id >> ADDRSET_CLASS_SHIFT;
	uint32_t position = id & ADDRSET_CLASS_MAX;

	assert(position < s->classes[class].count);
	return s->classes[class].chunks[position / ADDRSET_CHUNK] +
	       (position % ADDRSET_CHUNK) * entry_bytes(class);
}

/* --- IPv4, the common case: six bytes as one number --- */

enum {
	IPV4_BYTES = 4 + PORT_BYTES,
	/* An entry is read as eight bytes: the last of a chunk reads past its end. */
	CHUNK_SLACK = 8,
};

_Static_assert(ADDRSET_IPV4_ENTRY == IPV4_BYTES + TAG_BYTES, "the layout below");

static uint64_t ipv4_packed(const struct netaddr *a)
{
	uint32_t ip;

	memcpy(&ip, a->bytes, sizeof(ip));
	return le32toh(ip) | (uint64_t)(uint16_t)(a->port >> 8 | a->port << 8) << 32;
}

static bool ipv4_is(const struct addrset *s, uint32_t id, uint64_t packed)
{
	uint64_t e;

	memcpy(&e,
	       s->classes[0].chunks[id / ADDRSET_CHUNK] + (id % ADDRSET_CHUNK) * ADDRSET_IPV4_ENTRY,
	       sizeof(e));
	return (le64toh(e) & ((1ULL << 8 * IPV4_BYTES) - 1)) == packed;
}

/* The bits of the hash that a slot keeps, where a slot keeps them. */
static uint32_t mark_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) & ~(uint32_t)ADDRSET_ID_MASK;
}

static unsigned part_of(uint64_t hash)
{
	return (unsigned)(hash >> 32) % ADDRSET_PARTS;
}

/* As find_slot, below. */
static uint32_t *find_ipv4_slot(const struct addrset *s, uint64_t hash, uint64_t packed)
{
	const struct addrset_part *p = &s->parts[part_of(hash)];
	uint32_t slot = (uint32_t)hash & p->mask, mark = mark_of(hash), value;

	while ((value = p->slots[slot]) != 0) {
		uint32_t id = (value ^ mark) - 1; /* with another mark, beyond all ids */

		if (id < s->classes[0].count && ipv4_is(s, id, packed))
			break;
		slot = (slot + 1) & p->mask;
	}
	return &p->slots[slot];
}

/* The entry's bytes up to the tag: what is hashed and compared. */
static size_t pack(const struct netaddr *a, unsigned class, uint8_t out[static 35])
{
	size_t n = layout[class].address;

	memcpy(out, a->bytes, n);
	out[n++] = (uint8_t)(a->port >> 8);
	out[n++] = (uint8_t)a->port;
	if (layout[class].kind_bytes > 0)
		out[n++] = a->kind;
	return n;
}

enum err addrset_init(struct addrset *s, const struct hash_key *key)
{
	memset(s, 0, sizeof(*s));
	s->key = *key;
	for (unsigned i = 0; i < ADDRSET_PARTS; i++) {
		struct addrset_part *p = &s->parts[i];

		p->slots = calloc(FIRST_SLOTS, sizeof(*p->slots));
		if (p->slots == NULL) {
			addrset_clear(s);
			return ERR_NOMEM;
		}
		p->mask = FIRST_SLOTS - 1;
		s->slot_count += FIRST_SLOTS;
	}
	return ERR_OK;
}

void addrset_clear(struct addrset *s)
{
	for (unsigned c = 0; c < ADDRSET_CLASSES; c++) {
		for (uint32_t i = 0; i < s->classes[c].chunk_count; i++)
			free(s->classes[c].chunks[i]);
		free(s->classes[c].chunks);
	}
	for (unsigned i = 0; i < ADDRSET_PARTS; i++)
		free(s->parts[i].slots);
	memset(s, 0, sizeof(*s));
}

uint64_t addrset_hash(const struct addrset *s, const struct netaddr *addr)
{
	uint8_t packed[35];
	size_t n;

	if (addr->kind == NETADDR_IPV4)
		return hash_siphash13_short(&s->key, ipv4_packed(addr), IPV4_BYTES);
	n = pack(addr, class_of(addr->kind), packed);
	return hash_siphash13(&s->key, packed, n);
}

static enum err grow_part(struct addrset *s, struct addrset_part *p)
{
	uint32_t mask = p->mask * 2 + 1;
	uint32_t *slots = calloc((size_t)mask + 1, sizeof(*slots));

	if (slots == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i <= p->mask; i++) {
		uint32_t id = (p->slots[i] & ADDRSET_ID_MASK) - 1, slot;

		if (p->slots[i] == 0)
			continue;
		slot = (uint32_t)hash_siphash13(&s->key, entry(s, id),
						entry_bytes(id >> ADDRSET_CLASS_SHIFT) -
							TAG_BYTES) &
		       mask;
		while (slots[slot] != 0)
			slot = (slot + 1) & mask;
		slots[slot] = p->slots[i];
	}
	s->slot_count += mask - p->mask;
	free(p->slots);
	p->slots = slots;
	p->mask = mask;
	return ERR_OK;
}

/* Room for one more entry of the class. */
static enum err grow_class(struct addrset *s, unsigned class)
{
	uint8_t **chunks = s->classes[class].chunks;
	uint32_t cap = s->classes[class].chunk_cap, n = s->classes[class].chunk_count;

	if (s->classes[class].count < n * ADDRSET_CHUNK)
		return ERR_OK;
	if (n == cap) {
		uint8_t **grown;

		cap = cap == 0 ? 16 : cap * 2;
		grown = realloc(chunks, cap * sizeof(*chunks));
		if (grown == NULL)
			return ERR_NOMEM;
		chunks = s->classes[class].chunks = grown;
		s->classes[class].chunk_cap = cap;
	}
	chunks[n] = malloc(ADDRSET_CHUNK * entry_bytes(class) + CHUNK_SLACK);
	if (chunks[n] == NULL)
		return ERR_NOMEM;
	s->classes[class].chunk_count++;
	return ERR_OK;
}

/* The slot that holds the packed address, or the empty one where it belongs. */
static uint32_t *find_slot(const struct addrset *s, uint64_t hash, unsigned class,
			   const uint8_t *packed, size_t len)
{
	const struct addrset_part *p = &s->parts[part_of(hash)];
	uint32_t slot = (uint32_t)hash & p->mask, mark = mark_of(hash), value;

	while ((value = p->slots[slot]) != 0) {
		uint32_t id = (value ^ mark) - 1;

		if (id >> ADDRSET_CLASS_SHIFT == class && memcmp(entry(s, id), packed, len) == 0)
			break;
		slot = (slot + 1) & p->mask;
	}
	return &p->slots[slot];
}

bool addrset_find_hashed(const struct addrset *s, const struct netaddr *addr, uint64_t hash,
			 uint32_t *id)
{
	uint8_t packed[35];
	const uint32_t *slot;
	unsigned class;

	if (addr->kind == NETADDR_IPV4) {
		slot = find_ipv4_slot(s, hash, ipv4_packed(addr));
	} else {
		size_t len;

		class = class_of(addr->kind);
		len = pack(addr, class, packed);
		slot = find_slot(s, hash, class, packed, len);
	}
	*id = (*slot & ADDRSET_ID_MASK) - 1;
	return *slot != 0;
}

enum err addrset_add_hashed(struct addrset *s, const struct netaddr *addr, uint64_t hash,
			    uint32_t *id, bool *added)
{
	unsigned class = class_of(addr->kind);
	uint8_t packed[35];
	size_t len = pack(addr, class, packed);
	struct addrset_part *p = &s->parts[part_of(hash)];
	uint32_t *slot;
	uint8_t *e;

	*added = !addrset_find_hashed(s, addr, hash, id);
	if (!*added)
		return ERR_OK;
	if (s->classes[class].count == ADDRSET_CLASS_MAX)
		return ERR_LIMIT;
	if (grow_class(s, class) != ERR_OK)
		return ERR_NOMEM;
	if ((uint64_t)(p->used + 1) * 4 > (uint64_t)(p->mask + 1) * 3 && grow_part(s, p) != ERR_OK)
		return ERR_NOMEM;
	slot = find_slot(s, hash, class, packed, len);
	*id = addrset_id(class, s->classes[class].count++);
	p->used++;
	s->used++;
	*slot = mark_of(hash) | (*id + 1);
	e = entry(s, *id);
	memcpy(e, packed, len);
	e[len] = 0;
	return ERR_OK;
}

enum err addrset_add(struct addrset *s, const struct netaddr *addr, uint32_t *id, bool *added)
{
	return addrset_add_hashed(s, addr, addrset_hash(s, addr), id, added);
}

bool addrset_find(const struct addrset *s, const struct netaddr *addr, uint32_t *id)
{
	return addrset_find_hashed(s, addr, addrset_hash(s, addr), id);
}

void addrset_get(const struct addrset *s, uint32_t id, struct netaddr *out)
{
	unsigned class = id >> ADDRSET_CLASS_SHIFT;
	const uint8_t *e = entry(s, id);
	size_t n = layout[class].address;

	*out = (struct netaddr){ .kind = layout[class].kind_bytes > 0 ? e[n + PORT_BYTES]
								      : layout[class].kind,
				 .port = (uint16_t)(e[n] << 8 | e[n + 1]) };
	memcpy(out->bytes, e, n);
}

uint8_t *addrset_tag(const struct addrset *s, uint32_t id)
{
	return entry(s, id) + entry_bytes(id >> ADDRSET_CLASS_SHIFT) - TAG_BYTES;
}

uint32_t addrset_count(const struct addrset *s)
{
	return s->used;
}

uint32_t addrset_class_count(const struct addrset *s, unsigned class)
{
	return s->classes[class].count;
}

size_t addrset_bytes(const struct addrset *s)
{
	size_t n = s->slot_count * sizeof(*s->parts[0].slots);

	for (unsigned c = 0; c < ADDRSET_CLASSES; c++) {
		n += s->classes[c].chunk_count * (ADDRSET_CHUNK * entry_bytes(c) + CHUNK_SLACK);
		n += s->classes[c].chunk_cap * sizeof(uint8_t *);
	}
	return n;
}
