#include "cli/json_spare.h"

#include <jansson.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

enum {
	/* The worst line of a gossip network (64 KiB) is a list of 21,845 empty objects, of some
	 * 220 bytes each. Pages that are not touched cost nothing. */
	SPARE_BYTES = 8 << 20,
	SPARE_ALIGN = 16,
};

/* jansson's functions are one for the process, and so is what they need. */
static struct {
	pthread_mutex_t lock;
	size_t used, lent; /* bytes; blocks */
	_Alignas(SPARE_ALIGN) uint8_t bytes[SPARE_BYTES];
} spare = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *take(size_t size)
{
	size_t whole = (size + SPARE_ALIGN - 1) / SPARE_ALIGN * SPARE_ALIGN;
	void *p = malloc(size);

	if (p != NULL)
		return p;
	pthread_mutex_lock(&spare.lock);
	if (whole >= size && whole <= SPARE_BYTES - spare.used) {
		p = spare.bytes + spare.used;
		spare.used += whole;
		spare.lent++;
	}
	pthread_mutex_unlock(&spare.lock);
	return p;
}

static void give_back(void *p)
{
	uintptr_t at = (uintptr_t)p, first = (uintptr_t)spare.bytes;

	if (at < first || at >= first + SPARE_BYTES) {
		free(p);
		return;
	}
	pthread_mutex_lock(&spare.lock);
	if (--spare.lent == 0)
		spare.used = 0;
	pthread_mutex_unlock(&spare.lock);
}

void json_spare_use(void)
{
	json_set_alloc_funcs(take, give_back);
}
