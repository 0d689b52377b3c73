#include "engine/swarm_inner.h"

#include <assert.h>

/* Who has a place when all are taken, after Bitcoin Core's idea (src/node/eviction.cpp): nobody
 * can buy what protects a peer in bulk. The older half stays. Of the younger half stay those with
 * the best pings (nearness can't be feigned), those who told us of the most addresses that were
 * new, and one each of some network groups that a secret chooses. Of the rest the youngest of the
 * most numerous group goes, if that is more numerous than the newcomer's with him. If it is about
 * as numerous, he goes if he has had his turn: whoever knows nobody but us needs a place for a
 * moment, and then knows others. Otherwise the newcomer is refused. Whoever has not shaken hands
 * within SLOW_MS goes before anybody else. */
enum {
	SLOW_MS = 3000,
	TURN_MS = 10 * 1000, /* to shake hands, ask, hear the answer, and be reached by others */
	LOOK_MAX = 1000,     /* of the younger half: a flood of callers costs no more each */
	PROTECT_PING = 8,    /* Core's */
	PROTECT_USEFUL = 4,  /* Core's, for transactions and for blocks */
	PROTECT_GROUP = 4,   /* Core's */
	PROTECT_MAX = 8,
	SHARE = 16, /* each kind protects at most one of so many places */
};

bool swarm_count_more(struct keymap *map, uint64_t key)
{
	struct keymap_slot *slot = keymap_put(map, key);

	if (slot != NULL)
		slot->count++;
	return slot != NULL;
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

/* --- lists by age --- */

static void line_add(struct swarm *s, enum line_of of, struct conn *c)
{
	struct line *line = &s->lines[of];

	c->places[of] = (struct place){ .newer = NO_SLOT, .older = line->newest };
	if (line->newest != NO_SLOT)
		s->conns[line->newest]->places[of].newer = c->slot;
	else
		line->oldest = c->slot;
	line->newest = c->slot;
}

static void line_remove(struct swarm *s, enum line_of of, const struct conn *c)
{
	const struct place *place = &c->places[of];

	if (place->newer != NO_SLOT)
		s->conns[place->newer]->places[of].older = place->older;
	else
		s->lines[of].newest = place->older;
	if (place->older != NO_SLOT)
		s->conns[place->older]->places[of].newer = place->newer;
	else
		s->lines[of].oldest = place->newer;
}

bool swarm_evict_enter(struct swarm *s, struct conn *c)
{
	uint64_t host_key = swarm_host_key(s, &c->remote);

	if (!swarm_count_more(&s->hosts, host_key))
		return false;
	if (!swarm_count_more(&s->groups, c->group_key)) {
		swarm_count_less(&s->hosts, host_key);
		return false;
	}
	line_add(s, LINE_ALL, c);
	line_add(s, LINE_RAW, c);
	c->is_raw = true;
	return true;
}

void swarm_evict_shaken(struct swarm *s, struct conn *c)
{
	if (c->is_raw)
		line_remove(s, LINE_RAW, c);
	c->is_raw = false;
}

void swarm_evict_leave(struct swarm *s, struct conn *c)
{
	swarm_count_less(&s->hosts, swarm_host_key(s, &c->remote));
	swarm_count_less(&s->groups, c->group_key);
	swarm_evict_shaken(s, c);
	line_remove(s, LINE_ALL, c);
}

/* --- who goes --- */

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
	struct conn *c =
		s->lines[LINE_RAW].oldest != NO_SLOT ? s->conns[s->lines[LINE_RAW].oldest] : NULL;

	return c != NULL && s->now_ms - c->since_ms >= SLOW_MS ? c : NULL;
}

/* Whether it yields to a newcomer of whose group so many are here already. */
static bool yields(const struct swarm *s, const struct conn *c, uint32_t size, uint32_t before)
{
	return size > before + 1 || (size >= before && s->now_ms - c->since_ms >= TURN_MS);
}

/* Among the younger half. */
static struct conn *worst(const struct swarm *s, uint32_t before)
{
	struct best pings = best_of(s, PROTECT_PING), useful = best_of(s, PROTECT_USEFUL);
	struct best groups = best_of(s, PROTECT_GROUP);
	uint32_t half = (uint32_t)swarm_earlier((s->counts.in + 1) / 2, LOOK_MAX);
	uint32_t n = 0, size, largest = 0;
	struct conn *found = NULL;

	for (uint32_t i = s->lines[LINE_ALL].newest; n < half;
	     i = s->conns[i]->places[LINE_ALL].older, n++) {
		const struct conn *c = s->conns[i];

		if (c->rtt_ms >= 0)
			best_add(&pings, (uint64_t)c->rtt_ms, i);
		if (c->useful > 0)
			best_add(&useful, UINT64_MAX - c->useful, i);
		best_add_group(&groups, c->group_key, i);
	}
	n = 0;
	for (uint32_t i = s->lines[LINE_ALL].newest; n < half;
	     i = s->conns[i]->places[LINE_ALL].older, n++) {
		if (best_has(&pings, i) || best_has(&useful, i) || best_has(&groups, i))
			continue;
		size = count_of(&s->groups, s->conns[i]->group_key);
		if (size > largest && yields(s, s->conns[i], size, before)) {
			largest = size;
			found = s->conns[i];
		}
	}
	return found;
}

bool swarm_evict_for(struct swarm *s, const struct netaddr *remote)
{
	bool counts = s->config.loopback_counts || swarm_reach(remote) != REACH_LOOPBACK;
	struct conn *victim;

	if (counts && count_of(&s->hosts, swarm_host_key(s, remote)) >= s->policy.host_max)
		return false;
	if (s->counts.in < s->policy.in_max)
		return true;
	if (s->policy.in_max == 0)
		return false;
	victim = slow_one(s);
	if (victim == NULL)
		victim = worst(s, count_of(&s->groups, swarm_group_key(s, remote)));
	if (victim == NULL)
		return false;
	s->counts.evicted++;
	swarm_conn_end(s, victim, OUTCOME_CANCELLED, "let go for another: all places are taken");
	return true;
}
