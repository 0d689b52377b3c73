#include "engine/book.h"

#include "engine/book_nodes.h"

#include <assert.h>
#include <stdlib.h>

enum {
	FEW = 8, /* looked at, to give up the worst of them */
	/* After Core: who was reached so recently is not given up for somebody newer, */
	SAFE_S = 4 * 3600,
	/* and a time that can't be true (the future, long before there was any such network)
	 * is taken for this long ago. */
	UNBELIEVED_S = 5 * 24 * 3600,
	PREHISTORY_S = 100 * 1000 * 1000, /* 1973 */
	/* Being named again is worth a note (and a write to the disk) so often. */
	RENAMED_S = 3600,
	VICTIMS_MAX = 3, /* for a source, a group, a full table */
};

static uint32_t seconds(int64_t s)
{
	return s < 0 ? 0 : s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

enum err book_new(const struct book_config *config, struct book **out)
{
	const struct hash_key secret = { config->seed, ~config->seed };
	struct book *b = calloc(1, sizeof(*b));

	assert(config->new_max > 0 && config->tried_max > 0);
	assert(config->source_max > 0 && config->group_max > 0 && config->known_s > 0);
	*out = NULL;
	if (b == NULL)
		return ERR_NOMEM;
	b->config = *config;
	if (b->config.wait_s == 0)
		b->config.wait_s = BOOK_WAIT_S;
	/* What the choices let strangers guess of one tells nothing of the other. */
	b->key.k0 = hash_siphash13(&secret, "table 0", 7);
	b->key.k1 = hash_siphash13(&secret, "table 1", 7);
	b->random.state = hash_siphash13(&secret, "choice", 6);
	b->nodes_free = b->dealt[false] = b->dealt[true] = b->changed = NODE_NONE;
	if (keymap_init(&b->by_addr) != ERR_OK || keymap_init(&b->shares) != ERR_OK) {
		book_free(b);
		return ERR_NOMEM;
	}
	*out = b;
	return ERR_OK;
}

void book_free(struct book *b)
{
	if (b == NULL)
		return;
	for (unsigned t = 0; t < TABLES; t++)
		free(b->tables[t].ids);
	keymap_clear(&b->by_addr);
	keymap_clear(&b->shares);
	free(b->nodes);
	free(b);
}

/* NULL: it is not in the book. */
static struct node *known(const struct book *b, const struct netaddr *addr, uint32_t *id)
{
	*id = node_find(b, addr);
	return *id != NODE_NONE && b->nodes[*id].table != TABLE_GONE ? &b->nodes[*id] : NULL;
}

/* How many of one source or group: whoever allows private addresses vouches for them, and a
 * group of thousands may stand behind one. */
static uint32_t limit(const struct book *b, const struct netaddr *addr, uint32_t most)
{
	return b->config.allow_private && !netaddr_is_routable(addr) ? UINT32_MAX : most;
}

/* --- room for one more --- */

struct victims {
	uint32_t ids[VICTIMS_MAX];
	unsigned count;
};

static bool chosen(const struct victims *v, uint32_t id)
{
	for (unsigned i = 0; i < v->count; i++)
		if (v->ids[i] == id)
			return true;
	return false;
}

/* Whether x is rather given up than y. Among the new whoever named most gives up first: a flood
 * from many corners takes no more than an equal share for each. */
static bool worse(const struct book *b, const struct node *x, const struct node *y, uint32_t now_s)
{
	bool terrible = node_terrible(b, x, now_s);

	if (terrible != node_terrible(b, y, now_s))
		return terrible;
	if (x->table == TABLE_NEW) {
		uint32_t named_x = share_count(b, SHARE_SOURCE, &x->source);
		uint32_t named_y = share_count(b, SHARE_SOURCE, &y->source);

		if (named_x != named_y)
			return named_x > named_y;
	}
	if (x->failures != y->failures)
		return x->failures > y->failures;
	return x->table == TABLE_TRIED ? x->good_s < y->good_s : node_alive_s(x) < node_alive_s(y);
}

/* Whether it has to go for the newcomer. */
static bool yields(const struct book *b, const struct node *n, const struct node *newcomer,
		   uint32_t now_s)
{
	const struct keymap_slot *mine, *theirs;

	if (node_terrible(b, n, now_s))
		return true;
	if (n->table == TABLE_TRIED)
		return n->failures > 0 || (n->good_s < now_s && now_s - n->good_s > SAFE_S);
	mine = share_find(b, SHARE_SOURCE, &n->source);
	theirs = share_find(b, SHARE_SOURCE, &newcomer->source);
	return mine == theirs || mine->count > (theirs != NULL ? theirs->count : 0);
}

/* Adds the worst of these to the victims; false if there is nobody, or he has not to go. */
static bool give_up(const struct book *b, const uint32_t *ids, unsigned count,
		    const struct node *newcomer, uint32_t now_s, struct victims *v)
{
	const struct node *worst = NULL;

	for (unsigned i = 0; i < count; i++) {
		const struct node *n = &b->nodes[ids[i]];

		if (!chosen(v, ids[i]) && (worst == NULL || worse(b, n, worst, now_s)))
			worst = n;
	}
	if (worst == NULL || !yields(b, worst, newcomer, now_s))
		return false;
	v->ids[v->count++] = (uint32_t)(worst - b->nodes);
	return true;
}

/* Of a share's ring: the first few, of whom the first one goes to its end. */
static bool give_up_of_share(struct book *b, enum ring ring, struct keymap_slot *share,
			     const struct node *newcomer, uint32_t now_s, struct victims *v)
{
	uint32_t ids[FEW], id = share->id;
	unsigned count = least(share->count, FEW);

	for (unsigned i = 0; i < count; i++) {
		ids[i] = id;
		id = b->nodes[id].links[ring].next;
	}
	share->id = b->nodes[share->id].links[ring].next;
	return give_up(b, ids, count, newcomer, now_s, v);
}

static bool give_up_of_table(struct book *b, enum table table, const struct node *newcomer,
			     uint32_t now_s, struct victims *v)
{
	uint32_t ids[FEW];

	for (unsigned i = 0; i < FEW; i++)
		ids[i] = b->tables[table].ids[random_below(&b->random, b->tables[table].count)];
	return give_up(b, ids, FEW, newcomer, now_s, v);
}

/* Who has to go, for the newcomer to enter the table; false: there is no place for it. */
static bool find_room(struct book *b, enum table table, const struct node *newcomer, uint32_t now_s,
		      struct victims *v)
{
	const struct book_config *c = &b->config;
	struct keymap_slot *source, *group;

	v->count = 0;
	source = table == TABLE_NEW ? share_find(b, SHARE_SOURCE, &newcomer->source) : NULL;
	group = share_find(b, share_of_group(table), &newcomer->addr);
	if (source != NULL && source->count >= limit(b, &newcomer->source, c->source_max) &&
	    !give_up_of_share(b, RING_SOURCE, source, newcomer, now_s, v))
		return false;
	if (group != NULL && group->count >= limit(b, &newcomer->addr, c->group_max)) {
		bool same = v->count > 0 && share_find(b, share_of_group(table),
						       &b->nodes[v->ids[0]].addr) == group;

		if (!same && !give_up_of_share(b, RING_GROUP, group, newcomer, now_s, v))
			return false;
	}
	if (v->count == 0 &&
	    b->tables[table].count >= (table == TABLE_NEW ? c->new_max : c->tried_max))
		return give_up_of_table(b, table, newcomer, now_s, v);
	return true;
}

/* Among the new. False: no place; then it is in no table. */
static bool settle(struct book *b, uint32_t id, uint32_t now_s)
{
	struct victims v;

	if (!find_room(b, TABLE_NEW, &b->nodes[id], now_s, &v))
		return false;
	for (unsigned i = 0; i < v.count; i++) {
		node_leave(b, v.ids[i]);
		node_forget(b, v.ids[i]);
	}
	return node_enter(b, id, TABLE_NEW);
}

/* Among the tried, if there is a place: those who make it are new again. False: it stays where it
 * was. */
static bool promote(struct book *b, uint32_t id, uint32_t now_s)
{
	struct victims v;

	if (!find_room(b, TABLE_TRIED, &b->nodes[id], now_s, &v))
		return false;
	if (b->nodes[id].table == TABLE_NEW)
		node_leave(b, id);
	for (unsigned i = 0; i < v.count; i++)
		node_leave(b, v.ids[i]);
	if (!node_enter(b, id, TABLE_TRIED) && !settle(b, id, now_s))
		node_forget(b, id);
	for (unsigned i = 0; i < v.count; i++) {
		if (settle(b, v.ids[i], now_s))
			node_changed(b, v.ids[i]);
		else
			node_forget(b, v.ids[i]);
	}
	return true;
}

/* --- what comes in --- */

static bool is_own(const struct book *b, const struct netaddr *addr)
{
	for (unsigned i = 0; i < b->own_count && i < BOOK_OWN_MAX; i++)
		if (netaddr_equal(&b->own[i], addr))
			return true;
	return false;
}

static bool takes(const struct book *b, const struct netaddr *addr)
{
	return (b->config.allow_private ? netaddr_is_host(addr) : netaddr_is_routable(addr)) &&
	       !is_own(b, addr);
}

/* When it was seen, as far as the claim can be true. */
static uint32_t named_at(const struct book *b, int64_t claim_s, uint32_t now_s)
{
	uint32_t claim = seconds(claim_s), back_s = UNBELIEVED_S;

	if (claim_s == 0 || (claim_s > now_s && claim - now_s <= BOOK_AHEAD_S))
		return now_s;
	if (claim >= PREHISTORY_S && claim <= now_s)
		return claim;
	if (b->config.known_s / 2 < back_s)
		back_s = (uint32_t)b->config.known_s / 2;
	return now_s > back_s ? now_s - back_s : 0;
}

static void named_again(struct book *b, uint32_t id, uint32_t named_s, uint64_t services)
{
	struct node *n = &b->nodes[id];
	int64_t every_s = b->config.known_s / 16;

	if (every_s > RENAMED_S)
		every_s = RENAMED_S;
	if (named_s <= n->named_s || named_s - n->named_s < every_s)
		return;
	n->named_s = named_s;
	if (n->good_s == 0) /* else it has told ourselves */
		n->services = services;
	node_changed(b, id);
}

bool book_add(struct book *b, const struct advert *peer, const struct netaddr *source,
	      int64_t now_s)
{
	uint32_t now = seconds(now_s), named_s = named_at(b, peer->last_seen_s, now), id;

	if (known(b, &peer->addr, &id) != NULL) {
		named_again(b, id, named_s, peer->services);
		return false;
	}
	if (!takes(b, &peer->addr) || now - named_s > b->config.known_s)
		return false;
	id = node_make(b, &peer->addr);
	if (id == NODE_NONE) {
		b->refused++;
		return false;
	}
	b->nodes[id].source = *source;
	b->nodes[id].services = peer->services;
	b->nodes[id].named_s = named_s;
	if (!settle(b, id, now)) {
		node_forget(b, id);
		b->refused++;
		return false;
	}
	node_changed(b, id);
	return true;
}

void book_restore(struct book *b, const struct book_entry *entry, int64_t now_s)
{
	uint32_t now = seconds(now_s), id;
	struct node *n;

	if (netaddr_len(entry->addr.kind) == 0 || known(b, &entry->addr, &id) != NULL)
		return;
	id = node_make(b, &entry->addr);
	if (id == NODE_NONE)
		return;
	n = &b->nodes[id];
	n->source = entry->source;
	n->services = entry->services;
	/* Not later than now, which may be if the clock was wrong. */
	n->named_s = least(seconds(entry->named_s), now);
	n->asked_s = least(seconds(entry->asked_s), now);
	n->good_s = least(seconds(entry->good_s), now);
	n->failures = (uint16_t)least(entry->failures, UINT16_MAX);
	n->told = true;
	if (n->asked_s != 0 || n->good_s != 0)
		node_dealt(b, id);
	if (!takes(b, &entry->addr) ||
	    (!(entry->tried && promote(b, id, now)) && !settle(b, id, now)))
		node_forget(b, id);
}

void book_drop(struct book *b, const struct netaddr *addr)
{
	uint32_t id;

	if (known(b, addr, &id) == NULL)
		return;
	node_leave(b, id);
	node_forget(b, id);
}

void book_own(struct book *b, const struct netaddr *addr)
{
	if (is_own(b, addr))
		return;
	b->own[b->own_count++ % BOOK_OWN_MAX] = *addr;
	book_drop(b, addr);
}

/* --- what became of it --- */

void book_asked(struct book *b, const struct netaddr *addr, int64_t now_s)
{
	uint32_t id;
	struct node *n = known(b, addr, &id);

	if (n == NULL)
		return;
	/* As Core: while nobody at all can be reached, that is not everybody's fault. */
	n->counts = n->failures == 0 || n->asked_s <= b->good_s;
	n->asked_s = seconds(now_s);
	node_dealt(b, id);
	node_changed(b, id);
}

void book_reached(struct book *b, const struct netaddr *addr, uint64_t services, int64_t now_s)
{
	uint32_t id;
	struct node *n = known(b, addr, &id);

	if (n == NULL)
		return;
	n->good_s = b->good_s = seconds(now_s);
	n->services = services;
	n->failures = 0;
	n->counts = true;
	node_dealt(b, id);
	node_changed(b, id);
	if (n->table == TABLE_NEW)
		promote(b, id, seconds(now_s));
}

void book_failed(struct book *b, const struct netaddr *addr, int64_t now_s)
{
	uint32_t id;
	struct node *n = known(b, addr, &id);

	if (n == NULL)
		return;
	n->asked_s = seconds(now_s);
	if (n->counts && n->failures < UINT16_MAX)
		n->failures++;
	n->counts = false;
	node_dealt(b, id);
	node_changed(b, id);
}

/* Times of a clock that was ahead: else nobody would be checked or told of until they come. */
static void not_later(struct node *n, uint32_t now_s)
{
	n->named_s = least(n->named_s, now_s);
	n->asked_s = least(n->asked_s, now_s);
	n->good_s = least(n->good_s, now_s);
}

void book_expire(struct book *b, int64_t now_s)
{
	uint32_t now = seconds(now_s);

	b->good_s = least(b->good_s, now);
	for (unsigned t = 0; t < TABLES; t++) {
		for (uint32_t i = b->tables[t].count; i-- > 0;) {
			uint32_t id = b->tables[t].ids[i];

			not_later(&b->nodes[id], now);
			if (now - node_alive_s(&b->nodes[id]) <= b->config.known_s)
				continue;
			node_leave(b, id); /* the last one, seen already, takes its place */
			node_forget(b, id);
		}
	}
}

/* --- to be looked at --- */

bool book_find(const struct book *b, const struct netaddr *addr, struct book_entry *out)
{
	uint32_t id;
	const struct node *n = known(b, addr, &id);

	if (n != NULL && out != NULL)
		node_entry(n, out);
	return n != NULL;
}

void book_each(const struct book *b, book_each_fn *fn, void *ctx)
{
	struct book_entry entry;

	for (unsigned t = 0; t < TABLES; t++) {
		for (uint32_t i = 0; i < b->tables[t].count; i++) {
			node_entry(&b->nodes[b->tables[t].ids[i]], &entry);
			if (!fn(ctx, &entry))
				return;
		}
	}
}

void book_counts(const struct book *b, struct book_counts *out)
{
	*out = (struct book_counts){
		.new_count = b->tables[TABLE_NEW].count,
		.tried_count = b->tables[TABLE_TRIED].count,
		.refused = b->refused,
		.bytes = sizeof(*b) + b->nodes_cap * sizeof(*b->nodes) + keymap_bytes(&b->by_addr) +
			 keymap_bytes(&b->shares),
	};
	for (unsigned t = 0; t < TABLES; t++)
		out->bytes += b->tables[t].cap * sizeof(uint32_t);
}
