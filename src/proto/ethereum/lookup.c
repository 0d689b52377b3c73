#include "proto/ethereum/lookup.h"

#include <assert.h>
#include <string.h>

void lookup_init(struct lookup *l, const uint8_t target[static KADEMLIA_HASH_LEN],
		 const uint8_t self[static KADEMLIA_HASH_LEN])
{
	memset(l, 0, sizeof(*l));
	memcpy(l->target, target, sizeof(l->target));
	memcpy(l->self, self, sizeof(l->self));
}

/* Makes place at `at` for a new one; the farthest that is not being asked goes, if all
 * places are taken. False if that would be the new one. */
static bool make_place(struct lookup *l, unsigned at)
{
	unsigned last = l->known_count;

	if (l->known_count == LOOKUP_KNOWN_MAX) {
		do {
			if (last == at)
				return false;
			last--;
		} while (l->states[last] == LOOKUP_ASKED);
	} else {
		l->known_count++;
	}
	memmove(&l->known[at + 1], &l->known[at], (last - at) * sizeof(*l->known));
	memmove(&l->states[at + 1], &l->states[at], (last - at) * sizeof(*l->states));
	return true;
}

bool lookup_add(struct lookup *l, const struct kademlia_node *node)
{
	unsigned at = l->known_count;

	if (memcmp(node->hash, l->self, sizeof(l->self)) == 0)
		return false;
	while (at > 0) {
		int order = kademlia_compare(l->target, node->hash, l->known[at - 1].hash);

		if (order == 0)
			return false;
		if (order > 0)
			break;
		at--;
	}
	if (!make_place(l, at))
		return false;
	l->known[at] = *node;
	l->states[at] = LOOKUP_NEW;
	return true;
}

/* The nearest of the 16 that count who wasn't asked; -1 if there is none. Silent ones
 * don't count. */
static int next_new(const struct lookup *l)
{
	unsigned counted = 0;

	if (l->asked >= LOOKUP_ASKED_MAX)
		return -1;
	for (unsigned i = 0; i < l->known_count && counted < LOOKUP_RESULT_MAX; i++) {
		if (l->states[i] == LOOKUP_NEW)
			return (int)i;
		counted += l->states[i] != LOOKUP_SILENT;
	}
	return -1;
}

bool lookup_next(struct lookup *l, struct kademlia_node *out)
{
	int at = next_new(l);

	if (at < 0 || l->outstanding == LOOKUP_PARALLEL)
		return false;
	l->states[at] = LOOKUP_ASKED;
	l->outstanding++;
	l->asked++;
	*out = l->known[at];
	return true;
}

void lookup_end(struct lookup *l, const uint8_t hash[static KADEMLIA_HASH_LEN], bool answered)
{
	for (unsigned i = 0; i < l->known_count; i++) {
		if (l->states[i] != LOOKUP_ASKED ||
		    memcmp(l->known[i].hash, hash, KADEMLIA_HASH_LEN) != 0)
			continue;
		assert(l->outstanding > 0);
		l->outstanding--;
		l->states[i] = answered ? LOOKUP_ANSWERED : LOOKUP_SILENT;
		return;
	}
}

bool lookup_done(const struct lookup *l)
{
	return l->outstanding == 0 && next_new(l) < 0;
}

size_t lookup_closest(const struct lookup *l,
		      const struct kademlia_node *out[static LOOKUP_RESULT_MAX])
{
	size_t count = 0;

	for (unsigned i = 0; i < l->known_count && count < LOOKUP_RESULT_MAX; i++) {
		if (l->states[i] == LOOKUP_ANSWERED)
			out[count++] = &l->known[i];
	}
	return count;
}
