#include "engine/book_nodes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* After Core: beyond use is who was never reached in so many attempts, */
	NEVER_REACHED_FAILURES = 3,
	/* or not in so many over so long, */
	LOST_FAILURES = 10,
	LOST_S = 7 * 24 * 3600,
	/* or whose time lies so far ahead that the clock must have been set back. */
	AHEAD_S = 10 * 60,
	/* But nobody whose attempt may still be on its way. */
	TRYING_S = 60,
	FIRST_CAP = 64,
	FEW_MORE = 8,
};

void ring_add(struct book *b, enum ring ring, uint32_t *first, uint32_t id)
{
	struct node *n = &b->nodes[id];

	if (*first == NODE_NONE) {
		*first = n->links[ring].prev = n->links[ring].next = id;
		return;
	}
	n->links[ring].next = *first;
	n->links[ring].prev = b->nodes[*first].links[ring].prev;
	b->nodes[n->links[ring].prev].links[ring].next = id;
	b->nodes[*first].links[ring].prev = id;
}

void ring_remove(struct book *b, enum ring ring, uint32_t *first, uint32_t id)
{
	uint32_t prev = b->nodes[id].links[ring].prev, next = b->nodes[id].links[ring].next;

	b->nodes[prev].links[ring].next = next;
	b->nodes[next].links[ring].prev = prev;
	if (*first == id)
		*first = next == id ? NODE_NONE : next;
}

static uint64_t hash(const struct book *b, const uint8_t *data, size_t len)
{
	uint64_t h = hash_siphash13(&b->key, data, len);

	return h != 0 ? h : 1;
}

static uint64_t addr_hash(const struct book *b, const struct netaddr *addr)
{
	uint8_t key[NETADDR_KEY_MAX];

	return hash(b, key, netaddr_key(addr, key));
}

/* What belongs to one hand, as far as one can tell from outside: the block that a provider gives
 * out. Names that cost nothing to make (Tor ...) are sixteen groups a kind, as in Core. */
static uint64_t share_hash(const struct book *b, enum share what, const struct netaddr *addr)
{
	uint8_t key[6] = { (uint8_t)what,  addr->kind,     addr->bytes[0],
			   addr->bytes[1], addr->bytes[2], addr->bytes[3] };

	switch ((enum netaddr_kind)addr->kind) {
	case NETADDR_IPV4:
		return hash(b, key, 4);
	case NETADDR_IPV6:
		return hash(b, key, 6);
	case NETADDR_CJDNS: /* each begins with the byte fc */
		key[3] &= 0xf0;
		return hash(b, key, 4);
	case NETADDR_TORV2:
	case NETADDR_TORV3:
	case NETADDR_I2P:
		key[2] &= 0xf0;
		return hash(b, key, 3);
	case NETADDR_NONE:
		break;
	}
	return hash(b, key, 2);
}

enum share share_of_group(enum table table)
{
	return table == TABLE_TRIED ? SHARE_TRIED_GROUP : SHARE_NEW_GROUP;
}

struct keymap_slot *share_find(const struct book *b, enum share what, const struct netaddr *addr)
{
	return keymap_find(&b->shares, share_hash(b, what, addr));
}

uint32_t share_count(const struct book *b, enum share what, const struct netaddr *addr)
{
	const struct keymap_slot *slot = share_find(b, what, addr);

	return slot != NULL ? slot->count : 0;
}

static bool share_enter(struct book *b, enum share what, const struct netaddr *addr, uint32_t id)
{
	struct keymap_slot *slot = keymap_put(&b->shares, share_hash(b, what, addr));

	if (slot == NULL)
		return false;
	if (slot->count++ == 0)
		slot->id = NODE_NONE;
	ring_add(b, what == SHARE_SOURCE ? RING_SOURCE : RING_GROUP, &slot->id, id);
	return true;
}

static void share_leave(struct book *b, enum share what, const struct netaddr *addr, uint32_t id)
{
	struct keymap_slot *slot = share_find(b, what, addr);

	assert(slot != NULL);
	ring_remove(b, what == SHARE_SOURCE ? RING_SOURCE : RING_GROUP, &slot->id, id);
	if (--slot->count == 0)
		keymap_remove(&b->shares, slot->key);
}

uint32_t node_find(const struct book *b, const struct netaddr *addr)
{
	const struct keymap_slot *slot = keymap_find(&b->by_addr, addr_hash(b, addr));

	return slot != NULL && netaddr_equal(&b->nodes[slot->id].addr, addr) ? slot->id : NODE_NONE;
}

/* Room for another one, by doubling: up to `usual`, and only then, by quarters, up to `most`. */
static bool grow(void *array, size_t size, uint32_t used, uint32_t usual, uint32_t most,
		 uint32_t *cap)
{
	uint32_t wanted = *cap == 0 ? FIRST_CAP : *cap < usual ? *cap * 2 : *cap + *cap / 4;
	void **at = array, *grown;

	if (used >= most)
		return false;
	if (used < *cap)
		return true;
	if (*cap < usual && wanted > usual)
		wanted = usual;
	if (wanted > most)
		wanted = most;
	grown = realloc(*at, wanted * size);
	if (grown == NULL)
		return false;
	*at = grown;
	*cap = wanted;
	return true;
}

static uint32_t take_free(struct book *b)
{
	/* One for each place, a few on their way between tables; and as many again that are gone,
	 * which nobody has read yet. */
	uint32_t places = b->config.new_max + b->config.tried_max, id = b->nodes_free;

	if (id != NODE_NONE) {
		b->nodes_free = b->nodes[id].place;
		return id;
	}
	if (!grow(&b->nodes, sizeof(*b->nodes), b->nodes_made, places + FEW_MORE,
		  2 * places + FEW_MORE, &b->nodes_cap))
		return NODE_NONE;
	return b->nodes_made++;
}

static void give_back(struct book *b, uint32_t id)
{
	keymap_remove(&b->by_addr, addr_hash(b, &b->nodes[id].addr));
	b->nodes[id].place = b->nodes_free;
	b->nodes_free = id;
}

uint32_t node_make(struct book *b, const struct netaddr *addr)
{
	uint64_t key = addr_hash(b, addr);
	struct keymap_slot *slot = keymap_find(&b->by_addr, key);
	struct node fresh = { .addr = *addr, .table = TABLE_GONE, .counts = true }, *n;
	uint32_t id = slot != NULL ? slot->id : take_free(b);

	if (id == NODE_NONE)
		return NODE_NONE;
	n = &b->nodes[id];
	if (slot != NULL) { /* gone; or, once in 2^32 books, another one of the same hash */
		if (!netaddr_equal(&n->addr, addr))
			return NODE_NONE;
		fresh.told = n->told;
		fresh.changed = n->changed;
		memcpy(fresh.links, n->links, sizeof(fresh.links));
		*n = fresh;
	} else {
		*n = fresh;
		slot = keymap_put(&b->by_addr, key);
		if (slot == NULL) {
			n->place = b->nodes_free;
			b->nodes_free = id;
			return NODE_NONE;
		}
		slot->id = id;
	}
	ring_add(b, RING_DEALT, &b->dealt[0], id);
	return id;
}

bool node_enter(struct book *b, uint32_t id, enum table table)
{
	struct node *n = &b->nodes[id];
	enum share group = share_of_group(table);
	uint32_t most = table == TABLE_NEW ? b->config.new_max : b->config.tried_max;

	assert(n->table == TABLE_GONE);
	if (!grow(&b->tables[table].ids, sizeof(uint32_t), b->tables[table].count, most, most,
		  &b->tables[table].cap) ||
	    !share_enter(b, group, &n->addr, id))
		return false;
	if (table == TABLE_NEW && !share_enter(b, SHARE_SOURCE, &n->source, id)) {
		share_leave(b, group, &n->addr, id);
		return false;
	}
	n->table = (uint8_t)table;
	n->place = b->tables[table].count++;
	b->tables[table].ids[n->place] = id;
	return true;
}

void node_leave(struct book *b, uint32_t id)
{
	struct node *n = &b->nodes[id];
	enum table table = n->table;
	uint32_t last;

	assert(table != TABLE_GONE);
	share_leave(b, share_of_group(table), &n->addr, id);
	if (table == TABLE_NEW)
		share_leave(b, SHARE_SOURCE, &n->source, id);
	last = b->tables[table].ids[--b->tables[table].count];
	b->tables[table].ids[n->place] = last;
	b->nodes[last].place = n->place;
	n->table = TABLE_GONE;
}

void node_forget(struct book *b, uint32_t id)
{
	struct node *n = &b->nodes[id];

	assert(n->table == TABLE_GONE);
	ring_remove(b, RING_DEALT, &b->dealt[n->dealt], id);
	if (n->told) {
		node_changed(b, id);
		return;
	}
	if (n->changed)
		ring_remove(b, RING_CHANGED, &b->changed, id);
	give_back(b, id);
}

void node_changed(struct book *b, uint32_t id)
{
	if (!b->nodes[id].changed)
		ring_add(b, RING_CHANGED, &b->changed, id);
	b->nodes[id].changed = true;
}

void node_dealt(struct book *b, uint32_t id)
{
	ring_remove(b, RING_DEALT, &b->dealt[b->nodes[id].dealt], id);
	b->nodes[id].dealt = true;
	ring_add(b, RING_DEALT, &b->dealt[true], id);
}

bool book_changed(struct book *b, struct book_entry *out, bool *gone)
{
	uint32_t id = b->changed;
	struct node *n;

	if (id == NODE_NONE)
		return false;
	n = &b->nodes[id];
	ring_remove(b, RING_CHANGED, &b->changed, id);
	n->changed = false;
	node_entry(n, out);
	*gone = n->table == TABLE_GONE;
	n->told = !*gone;
	if (*gone)
		give_back(b, id);
	return true;
}

uint32_t node_alive_s(const struct node *n)
{
	return n->named_s > n->good_s ? n->named_s : n->good_s;
}

bool node_terrible(const struct book *b, const struct node *n, uint32_t now_s)
{
	uint32_t alive_s = node_alive_s(n);

	if (n->asked_s != 0 && n->asked_s + TRYING_S >= now_s)
		return false;
	if (alive_s > now_s)
		return alive_s - now_s > AHEAD_S;
	if (now_s - alive_s > b->config.known_s)
		return true;
	if (n->good_s == 0)
		return n->failures >= NEVER_REACHED_FAILURES;
	return n->failures >= LOST_FAILURES && now_s > n->good_s && now_s - n->good_s > LOST_S;
}

void node_entry(const struct node *n, struct book_entry *out)
{
	*out = (struct book_entry){
		.addr = n->addr,
		.source = n->source,
		.services = n->services,
		.named_s = n->named_s,
		.asked_s = n->asked_s,
		.good_s = n->good_s,
		.failures = n->failures,
		.tried = n->table == TABLE_TRIED,
	};
}
