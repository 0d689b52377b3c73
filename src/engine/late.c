#include "engine/late.h"

#include "base/addrset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void late_clear(struct late *l)
{
	for (unsigned c = 0; c < LATE_CLASSES; c++)
		free(l->counts[c]);
	memset(l, 0, sizeof(*l));
}

/* A quarter more at a time: few are copied, and little is held for nothing. */
static enum err grow(struct late *l, unsigned class, uint32_t block)
{
	uint32_t blocks = block + 1 + block / 4;
	uint16_t *counts = realloc(l->counts[class], blocks * sizeof(*counts));

	if (counts == NULL)
		return ERR_NOMEM;
	memset(counts + l->blocks[class], 0, (blocks - l->blocks[class]) * sizeof(*counts));
	l->counts[class] = counts;
	l->blocks[class] = blocks;
	return ERR_OK;
}

enum err late_add(struct late *l, uint32_t id)
{
	unsigned class = id >> ADDRSET_CLASS_SHIFT;
	uint32_t block = (id & ADDRSET_CLASS_MAX) / LATE_BLOCK;

	assert(class < LATE_CLASSES);
	if (block >= l->blocks[class] && grow(l, class, block) != ERR_OK)
		return ERR_NOMEM;
	l->counts[class][block]++;
	l->total++;
	return ERR_OK;
}

/* The first from there on in its block, then those before it. */
static uint32_t find_in_block(uint32_t from, unsigned class, late_waits_fn *waits, const void *ctx)
{
	uint32_t start = from / LATE_BLOCK * LATE_BLOCK, position = from;

	/* Beyond the last id nobody may be asked about: but one that waits comes before it, or
	 * before `from`. */
	for (uint32_t tries = 0; tries < LATE_BLOCK; tries++) {
		if (waits(ctx, addrset_id(class, position)))
			return position;
		position = start + (position + 1 - start) % LATE_BLOCK;
	}
	assert(!"a count without anybody");
	return from;
}

bool late_next(struct late *l, late_waits_fn *waits, const void *ctx, uint32_t *id)
{
	uint32_t block;

	if (l->total == 0)
		return false;
	while (l->position / LATE_BLOCK >= l->blocks[l->class] ||
	       l->counts[l->class][l->position / LATE_BLOCK] == 0) {
		l->position = (l->position / LATE_BLOCK + 1) * LATE_BLOCK;
		if (l->position / LATE_BLOCK < l->blocks[l->class])
			continue;
		l->class = (l->class + 1) % LATE_CLASSES;
		l->position = 0;
	}
	block = l->position / LATE_BLOCK;
	l->position = find_in_block(l->position, l->class, waits, ctx);
	*id = addrset_id(l->class, l->position);
	l->counts[l->class][block]--;
	l->total--;
	/* On to the next one; at the end of the block, of this one again while somebody waits. */
	if ((l->position + 1) % LATE_BLOCK != 0)
		l->position++;
	else if (l->counts[l->class][block] > 0)
		l->position = block * LATE_BLOCK;
	return true;
}

size_t late_bytes(const struct late *l)
{
	size_t n = 0;

	for (unsigned c = 0; c < LATE_CLASSES; c++)
		n += l->blocks[c] * sizeof(*l->counts[c]);
	return n;
}
