#include "engine/gates.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum err gates_init(struct gates *g, uint32_t max_active)
{
	uint32_t size = 64;

	memset(g, 0, sizeof(*g));
	while (size < max_active * 2ULL && size < 1U << 30)
		size *= 2;
	g->slots = calloc(size, sizeof(*g->slots));
	if (g->slots == NULL)
		return ERR_NOMEM;
	g->mask = size - 1;
	g->pool_free = g->ready_first = g->ready_last = GATE_NONE;
	return ERR_OK;
}

void gates_clear(struct gates *g)
{
	free(g->slots);
	free(g->pool);
	memset(g, 0, sizeof(*g));
}

uint64_t gates_ip_key(const struct hash_key *secret, const struct netaddr *addr)
{
	uint8_t bytes[17] = { addr->kind };

	memcpy(bytes + 1, addr->bytes, netaddr_len(addr->kind));
	return hash_siphash13(secret, bytes, sizeof(bytes)) | 1;
}

uint64_t gates_group_key(const struct hash_key *secret, const struct netaddr *addr)
{
	uint8_t bytes[6] = { 'g', addr->kind };

	memcpy(bytes + 2, addr->bytes, addr->kind == NETADDR_IPV4 ? 2 : 4);
	return hash_siphash13(secret, bytes, sizeof(bytes)) | 1;
}

static struct gate *find(struct gates *g, uint64_t key)
{
	uint32_t i = (uint32_t)key & g->mask;

	while (g->slots[i].key != 0 && g->slots[i].key != key)
		i = (i + 1) & g->mask;
	return &g->slots[i];
}

/* Frees the slot and closes the gap in its run (linear probing without tombstones). */
static void forget(struct gates *g, struct gate *gate)
{
	uint32_t hole = (uint32_t)(gate - g->slots), i = hole;

	for (;;) {
		uint32_t home;

		i = (i + 1) & g->mask;
		if (g->slots[i].key == 0)
			break;
		home = (uint32_t)g->slots[i].key & g->mask;
		if (((i - home) & g->mask) >= ((i - hole) & g->mask)) {
			g->slots[hole] = g->slots[i];
			hole = i;
		}
	}
	g->slots[hole] = (struct gate){ 0 };
}

bool gates_enter(struct gates *g, uint64_t key, uint32_t limit)
{
	struct gate *gate = find(g, key);

	assert(key != 0);
	if (gate->key == 0)
		*gate = (struct gate){ .key = key, .first = GATE_NONE, .last = GATE_NONE };
	if (gate->active >= limit)
		return false;
	gate->active++;
	return true;
}

static uint32_t take_waiter(struct gates *g)
{
	uint32_t i = g->pool_free, cap;
	struct gate_waiter *pool;

	if (i == GATE_NONE) {
		cap = g->pool_cap == 0 ? 256 : g->pool_cap * 2;
		pool = realloc(g->pool, cap * sizeof(*pool));
		if (pool == NULL)
			return GATE_NONE;
		for (uint32_t k = g->pool_cap; k < cap; k++)
			pool[k].next = k + 1 < cap ? k + 1 : GATE_NONE;
		i = g->pool_cap;
		g->pool = pool;
		g->pool_cap = cap;
	}
	g->pool_free = g->pool[i].next;
	g->pool[i].next = GATE_NONE;
	return i;
}

enum err gates_park(struct gates *g, uint64_t key, uint32_t id)
{
	struct gate *gate = find(g, key);
	uint32_t i = take_waiter(g);

	assert(gate->key == key && gate->active > 0);
	if (i == GATE_NONE)
		return ERR_NOMEM;
	g->pool[i].id = id;
	if (gate->first == GATE_NONE)
		gate->first = i;
	else
		g->pool[gate->last].next = i;
	gate->last = i;
	g->parked++;
	return ERR_OK;
}

static void push_ready(struct gates *g, uint32_t i)
{
	g->pool[i].next = GATE_NONE;
	if (g->ready_first == GATE_NONE)
		g->ready_first = i;
	else
		g->pool[g->ready_last].next = i;
	g->ready_last = i;
}

static void wake_first(struct gates *g, struct gate *gate)
{
	uint32_t i = gate->first;

	if (i == GATE_NONE)
		return;
	gate->first = g->pool[i].next;
	push_ready(g, i);
}

enum err gates_make_ready(struct gates *g, uint32_t id)
{
	uint32_t i = take_waiter(g);

	if (i == GATE_NONE)
		return ERR_NOMEM;
	g->pool[i].id = id;
	g->parked++;
	push_ready(g, i);
	return ERR_OK;
}

void gates_leave(struct gates *g, uint64_t key)
{
	struct gate *gate = find(g, key);

	assert(gate->key == key && gate->active > 0);
	gate->active--;
	wake_first(g, gate);
	if (gate->active == 0 && gate->first == GATE_NONE)
		forget(g, gate);
}

void gates_pass_on(struct gates *g, uint64_t key)
{
	struct gate *gate = find(g, key);

	if (gate->key != key || gate->active > 0)
		return;
	wake_first(g, gate);
	if (gate->first == GATE_NONE)
		forget(g, gate);
}

bool gates_ready(struct gates *g, uint32_t *id)
{
	uint32_t i = g->ready_first;

	if (i == GATE_NONE)
		return false;
	g->ready_first = g->pool[i].next;
	*id = g->pool[i].id;
	g->pool[i].next = g->pool_free;
	g->pool_free = i;
	g->parked--;
	return true;
}

size_t gates_bytes(const struct gates *g)
{
	return ((size_t)g->mask + 1) * sizeof(*g->slots) + g->pool_cap * sizeof(*g->pool);
}
