#include "cli/spare.h"

#include <jansson.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
	/* The worst line of a gossip network (64 KiB) is a list of 21,845 empty objects, of some
	 * 220 bytes each. Pages that are not touched cost nothing. */
	SPARE_BYTES = 8 << 20,
	SPARE_ALIGN = 16,
};

/* The functions of both are one for the process, and so is what they need. */
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

/* --- libuv wants blocks that can grow --- */

struct sized {
	_Alignas(SPARE_ALIGN) size_t size;
};

static void *uv_take(size_t size)
{
	struct sized *block =
		size <= SIZE_MAX - sizeof(*block) ? take(sizeof(*block) + size) : NULL;

	if (block == NULL)
		return NULL;
	block->size = size;
	return block + 1;
}

static void *uv_take_zeroed(size_t count, size_t size)
{
	size_t bytes;
	void *p = __builtin_mul_overflow(count, size, &bytes) ? NULL : uv_take(bytes);

	return p != NULL ? memset(p, 0, bytes) : NULL;
}

static void uv_give_back(void *p)
{
	if (p != NULL)
		give_back((struct sized *)p - 1);
}

static void *uv_take_again(void *p, size_t size)
{
	const struct sized *was = p != NULL ? (struct sized *)p - 1 : NULL;
	void *grown = uv_take(size);

	if (was == NULL || grown == NULL)
		return grown;
	memcpy(grown, p, was->size < size ? was->size : size);
	uv_give_back(p);
	return grown;
}

void spare_use(void)
{
	json_set_alloc_funcs(take, give_back);
	uv_replace_allocator(uv_take, uv_take_again, uv_take_zeroed, uv_give_back);
}
