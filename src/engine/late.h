/* late.h: who waits for a second try, as ids of an address set (base/addrset.h), without a list:
 * of most networks that would be nearly everybody. Each block of ids has a count of those that
 * wait; who they are, their owner's state of them says. */
#ifndef PEERWALK_ENGINE_LATE_H
#define PEERWALK_ENGINE_LATE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LATE_CLASSES = 2,  /* of ids: those that can be dialled */
	LATE_BLOCK = 1024, /* ids: so many states are looked at to find one, at most */
};

/* Whether that id waits; the others of its block don't count. */
typedef bool late_waits_fn(const void *ctx, uint32_t id);

struct late {
	/* private */
	uint16_t *counts[LATE_CLASSES];
	uint32_t blocks[LATE_CLASSES]; /* that have a count */
	uint32_t total;
	unsigned class; /* where the search goes on */
	uint32_t position;
};

/* All zero is empty. */
void late_clear(struct late *l);
/* It has begun to wait. ERR_NOMEM. */
enum err late_add(struct late *l, uint32_t id);
/* The next one, which waits no more: the owner says so before it asks again. In the order of ids,
 * round and round. False if there is none. */
bool late_next(struct late *l, late_waits_fn *waits, const void *ctx, uint32_t *id);
size_t late_bytes(const struct late *l);

#endif
