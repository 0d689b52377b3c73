#include "io/datagrams.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool datagrams_add(struct datagrams *d, const struct udp_datagram *come, uint64_t nonce,
		   uint64_t at_ms)
{
	struct datagram **place = &d->ring[(d->first + d->count) % DATAGRAMS_MAX];
	struct datagram *new = *place;

	assert(d->count < DATAGRAMS_MAX && come->bytes.len <= sizeof(new->bytes));
	if (new == NULL)
		new = *place = malloc(sizeof(*new));
	if (new == NULL)
		return false;
	new->from = come->from;
	new->nonce = nonce;
	new->at_ms = at_ms;
	new->cut = come->cut;
	new->len = (uint16_t)come->bytes.len;
	memcpy(new->bytes, come->bytes.data, come->bytes.len);
	d->count++;
	return true;
}

const struct datagram *datagrams_take(struct datagrams *d)
{
	const struct datagram *first = d->ring[d->first];

	assert(d->count > 0);
	d->first = (d->first + 1) % DATAGRAMS_MAX;
	d->count--;
	return first;
}

void datagrams_clear(struct datagrams *d)
{
	for (unsigned i = 0; i < DATAGRAMS_MAX; i++)
		free(d->ring[i]);
	*d = (struct datagrams){ 0 };
}
