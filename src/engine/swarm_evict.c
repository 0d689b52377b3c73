#include "engine/swarm_inner.h"

#include <assert.h>

/* Who has a place when all are taken, after Bitcoin Core's idea (src/node/eviction.cpp): nobody
 * can buy what protects a peer in bulk. The older half stays. Of the younger half stay those with
 * the best pings (nearness can't be feigned), those who told us of the most addresses that were
 * new, and one each of some network groups that a secret chooses. Of the rest the youngest of the
 * most numerous group goes, if that group is more numerous than the newcomer's would be: he is the
 * youngest of his. Whoever has not shaken hands within SLOW_MS goes before anybody else. */
enum {
	SLOW_MS = 3000,
	PROTECT_PING = 8,   /* Core's */
	PROTECT_USEFUL = 4, /* Core's, for transactions and for blocks */
	PROTECT_GROUP = 4,  /* Core's */
	PROTECT_MAX = 8,
	SHARE = 16, /* each kind protects at most one of so many places */
};

bool swarm_count_more(struct keymap *map, uint64_t key, uint32_t *now)
{
	struct keymap_slot *slot = keymap_put(map, key);

	if (slot == NULL)
		return false;
	*now = ++slot->count;
	return true;
}

void swarm_count_less(struct keymap *map, uint64_t key)
{
	struct keymap_slot *slot = keymap_find(map, key);

	assert(slot != NULL && slot->count > 0);
	if (--slot->count == 0)
		keymap_remove(map, key);
}

static uint32_t count_of(const struct keymap *map, uint64_t key)
{
	const struct keymap_slot *slot = keymap_find(map, key);

	return slot != NULL ? slot->count : 0;
}

bool swarm_evict_enter(struct swarm *s, struct conn *c)
{
	uint64_t host_key = swarm_host_key(s, &c->remote);
	uint32_t n, size;

	if (!swarm_count_more(&s->hosts, host_key, &n))
		return false;
	if (!swarm_count_more(&s->groups, swarm_group_key(s, &c->remote), &size)) {
		swarm_count_less(&s->hosts, host_key);
		return false;
	}
	s->group_sizes[size]++;
	if (size > 1)
		s->group_sizes[size - 1]--;
	if (size > s->largest_group)
		s->largest_group = size;
	s->in_raw++;
	c->newer = NO_SLOT;
	c->older = s->newest_in;
	if (s->newest_in != NO_SLOT)
		s->conns[s->newest_in]->newer = c->slot;
	else
		s->oldest_in = c->slot;
	s->newest_in = c->slot;
	return true;
}

void swarm_evict_leave(struct swarm *s, struct conn *c)
{
	uint64_t group_key = swarm_group_key(s, &c->remote);
	uint32_t size = count_of(&s->groups, group_key);

	swarm_count_less(&s->hosts, swarm_host_key(s, &c->remote));
	swarm_count_less(&s->groups, group_key);
	s->group_sizes[size]--;
	if (size > 1)
		s->group_sizes[size - 1]++;
	if (s->largest_group == size && s->group_sizes[size] == 0)
		s->largest_group--;
	s->in_raw -= c->state != CONN_UP;
	if (c->newer != NO_SLOT)
		s->conns[c->newer]->older = c->older;
	else
		s->newest_in = c->older;
	if (c->older != NO_SLOT)
		s->conns[c->older]->newer = c->newer;
	else
		s->oldest_in = c->newer;
}

/* The best of one kind; small scores are good. */
struct best {
	uint32_t max, len;
	struct {
		uint64_t score;
		uint32_t slot;
	} list[PROTECT_MAX];
};

static struct best best_of(const struct swarm *s, uint32_t max)
{
	uint32_t share = s->policy.in_max / SHARE;

	return (struct best){ .max = max < share ? max : share };
}

static void best_add(struct best *b, uint64_t score, uint32_t slot)
{
	uint32_t at = b->len;

	if (at == b->max && (at == 0 || score >= b->list[at - 1].score))
		return;
	if (at == b->max)
		at--;
	else
		b->len++;
	for (; at > 0 && b->list[at - 1].score > score; at--)
		b->list[at] = b->list[at - 1];
	b->list[at].score = score;
	b->list[at].slot = slot;
}

/* One of each group, the oldest: they come from the youngest on. */
static void best_add_group(struct best *b, uint64_t score, uint32_t slot)
{
	for (uint32_t i = 0; i < b->len; i++)
		if (b->list[i].score == score) {
			b->list[i].slot = slot;
			return;
		}
	best_add(b, score, slot);
}

static bool best_has(const struct best *b, uint32_t slot)
{
	for (uint32_t i = 0; i < b->len; i++)
		if (b->list[i].slot == slot)
			return true;
	return false;
}

static struct conn *slow_one(const struct swarm *s)
{
	if (s->in_raw == 0)
		return NULL;
	for (uint32_t i = s->newest_in; i != NO_SLOT; i = s->conns[i]->older)
		if (s->conns[i]->state != CONN_UP && s->now_ms - s->conns[i]->since_ms >= SLOW_MS)
			return s->conns[i];
	return NULL;
}

/* The youngest of the most numerous group of more than `over`, among the younger half. */
static struct conn *worst(const struct swarm *s, uint32_t over)
{
	struct best pings = best_of(s, PROTECT_PING), useful = best_of(s, PROTECT_USEFUL);
	struct best groups = best_of(s, PROTECT_GROUP);
	uint32_t half = (s->counts.in + 1) / 2, n = 0, size;
	struct conn *found = NULL;

	for (uint32_t i = s->newest_in; n < half; i = s->conns[i]->older, n++) {
		const struct conn *c = s->conns[i];

		if (c->rtt_ms >= 0)
			best_add(&pings, (uint64_t)c->rtt_ms, i);
		if (c->useful > 0)
			best_add(&useful, UINT64_MAX - c->useful, i);
		best_add_group(&groups, swarm_group_key(s, &c->remote), i);
	}
	n = 0;
	for (uint32_t i = s->newest_in; n < half; i = s->conns[i]->older, n++) {
		if (best_has(&pings, i) || best_has(&useful, i) || best_has(&groups, i))
			continue;
		size = count_of(&s->groups, swarm_group_key(s, &s->conns[i]->remote));
		if (size > over) {
			over = size;
			found = s->conns[i];
		}
	}
	return found;
}

bool swarm_evict_for(struct swarm *s, const struct netaddr *remote)
{
	bool counts = s->config.loopback_counts || swarm_reach(remote) != REACH_LOOPBACK;
	uint32_t group;
	struct conn *victim;

	if (counts && count_of(&s->hosts, swarm_host_key(s, remote)) >= s->policy.host_max)
		return false;
	if (s->counts.in < s->policy.in_max)
		return true;
	if (s->policy.in_max == 0)
		return false;
	victim = slow_one(s);
	group = count_of(&s->groups, swarm_group_key(s, remote)) + 1;
	if (victim == NULL && s->largest_group > group)
		victim = worst(s, group);
	if (victim == NULL)
		return false;
	s->counts.evicted++;
	swarm_conn_end(s, victim, OUTCOME_CANCELLED, "let go for another: all places are taken");
	return true;
}
