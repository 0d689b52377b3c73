#include "io/held.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

uv_buf_t held_room(const struct held *h, uint8_t *shared, size_t len)
{
	assert(h->len == 0 || h->len < h->cap);
	return h->len > 0 ? uv_buf_init((char *)h->bytes + h->len, h->cap - h->len)
			  : uv_buf_init((char *)shared, (unsigned)len);
}

size_t held_cap(const struct held *h, size_t len, size_t need)
{
	size_t cap = len * 2 < HELD_LEAST ? HELD_LEAST : len * 2;

	/* A line says not how long it will be: one byte more is needed, and more may come. */
	if (cap > need && need > len + 1)
		cap = need;
	if (cap < h->cap && (h->cap <= HELD_SMALL || cap > HELD_SMALL))
		cap = h->cap;
	return cap;
}

bool held_keep(struct held *h, const uint8_t *data, size_t len, size_t cap, size_t *all)
{
	uint8_t *bytes = h->bytes;

	if (cap != h->cap)
		bytes = malloc(cap);
	if (bytes == NULL)
		return false;
	memmove(bytes, data, len); /* data may be what was held before */
	if (bytes != h->bytes) {
		held_clear(h, all);
		h->bytes = bytes;
		h->cap = (uint32_t)cap;
		*all += cap;
	}
	h->len = (uint32_t)len;
	return true;
}

void held_clear(struct held *h, size_t *all)
{
	*all -= h->cap;
	free(h->bytes);
	*h = (struct held){ 0 };
}
