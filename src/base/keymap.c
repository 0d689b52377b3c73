#include "base/keymap.h"

#include <assert.h>
#include <stdlib.h>

enum { FIRST_SLOTS = 64 };

enum err keymap_init(struct keymap *m)
{
	m->slots = calloc(FIRST_SLOTS, sizeof(*m->slots));
	m->mask = FIRST_SLOTS - 1;
	m->used = 0;
	return m->slots != NULL ? ERR_OK : ERR_NOMEM;
}

void keymap_clear(struct keymap *m)
{
	free(m->slots);
	*m = (struct keymap){ 0 };
}

/* The slot that holds the key, or the empty one where it belongs. */
static uint32_t find(const struct keymap_slot *slots, uint32_t mask, uint64_t key)
{
	uint32_t i = (uint32_t)key & mask;

	assert(key != 0);
	while (slots[i].key != 0 && slots[i].key != key)
		i = (i + 1) & mask;
	return i;
}

struct keymap_slot *keymap_find(const struct keymap *m, uint64_t key)
{
	struct keymap_slot *slot = &m->slots[find(m->slots, m->mask, key)];

	return slot->key != 0 ? slot : NULL;
}

static enum err grow(struct keymap *m)
{
	uint32_t mask = m->mask * 2 + 1;
	struct keymap_slot *slots = calloc((size_t)mask + 1, sizeof(*slots));

	if (slots == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i <= m->mask; i++)
		if (m->slots[i].key != 0)
			slots[find(slots, mask, m->slots[i].key)] = m->slots[i];
	free(m->slots);
	m->slots = slots;
	m->mask = mask;
	return ERR_OK;
}

struct keymap_slot *keymap_put(struct keymap *m, uint64_t key)
{
	struct keymap_slot *slot = keymap_find(m, key);

	if (slot != NULL)
		return slot;
	if ((uint64_t)(m->used + 1) * 4 > ((uint64_t)m->mask + 1) * 3 && grow(m) != ERR_OK)
		return NULL;
	slot = &m->slots[find(m->slots, m->mask, key)];
	*slot = (struct keymap_slot){ .key = key };
	m->used++;
	return slot;
}

/* Closes the gap in the run (linear probing without tombstones). */
void keymap_remove(struct keymap *m, uint64_t key)
{
	uint32_t hole = find(m->slots, m->mask, key), i = hole;

	if (m->slots[hole].key == 0)
		return;
	for (;;) {
		uint32_t home;

		i = (i + 1) & m->mask;
		if (m->slots[i].key == 0)
			break;
		home = (uint32_t)m->slots[i].key & m->mask;
		if (((i - home) & m->mask) >= ((i - hole) & m->mask)) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole] = (struct keymap_slot){ 0 };
	m->used--;
}

size_t keymap_bytes(const struct keymap *m)
{
	return ((size_t)m->mask + 1) * sizeof(*m->slots);
}
