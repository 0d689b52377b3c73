/* keymap.h: numbers by 64-bit keys that are hashes already; entries can be taken out again.
 *
 * A key is the SipHash (base/hash.h) of something under a secret key: equal keys are taken for
 * the same thing, so whoever can't bear one mistake in 2^32 compares what the number leads to. A
 * slot takes 16 bytes, at a load of 37 to 75 % while it grows. */
#ifndef PEERWALK_BASE_KEYMAP_H
#define PEERWALK_BASE_KEYMAP_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct keymap_slot {
	uint64_t key;       /* 0: empty */
	uint32_t id, count; /* the owner's */
};

struct keymap {
	/* private */
	struct keymap_slot *slots;
	uint32_t mask, used;
};

/* ERR_NOMEM. */
enum err keymap_init(struct keymap *m);
void keymap_clear(struct keymap *m);
/* NULL if it isn't there. Slots move when another key is put or taken out. Keys aren't 0. */
struct keymap_slot *keymap_find(const struct keymap *m, uint64_t key);
/* The key's slot, with id and count 0 if it is new; NULL without memory for it. */
struct keymap_slot *keymap_put(struct keymap *m, uint64_t key);
void keymap_remove(struct keymap *m, uint64_t key);
size_t keymap_bytes(const struct keymap *m); /* memory held */

#endif
