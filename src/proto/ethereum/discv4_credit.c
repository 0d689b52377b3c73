#include "proto/ethereum/discv4_credit.h"

#include <assert.h>
#include <string.h>

enum { PREFIX_BYTES = 8 };

void discv4_credit_init(struct discv4_credit *c, const struct hash_key *key)
{
	memset(c, 0, sizeof(*c));
	c->key = *key;
}

static size_t place_of(const struct discv4_credit *c, const struct netaddr *host)
{
	uint8_t bytes[1 + PREFIX_BYTES] = { host->kind };
	size_t len = host->kind == NETADDR_IPV4 ? netaddr_len(NETADDR_IPV4) : PREFIX_BYTES;

	memcpy(bytes + 1, host->bytes, len);
	return hash_siphash13(&c->key, bytes, 1 + len) % DISCV4_CREDIT_PLACES;
}

/* What is owed by now. Bytes are whole ones: it is counted up to the time of the last of them. */
static struct discv4_debt owed(const struct discv4_debt *d, uint64_t now_ms)
{
	uint64_t passed = now_ms - d->at_ms;
	uint64_t back = passed * DISCV4_CREDIT_ADVANCE / DISCV4_CREDIT_BACK_MS, back_ms;

	if (passed >= DISCV4_CREDIT_BACK_MS || back >= d->bytes)
		return (struct discv4_debt){ .at_ms = now_ms };
	back_ms =
		(back * DISCV4_CREDIT_BACK_MS + DISCV4_CREDIT_ADVANCE - 1) / DISCV4_CREDIT_ADVANCE;
	return (struct discv4_debt){ d->bytes - (uint32_t)back, d->at_ms + back_ms };
}

void discv4_credit_receive(struct discv4_credit *c, const struct netaddr *host, size_t bytes,
			   uint64_t now_ms)
{
	struct discv4_debt *d = &c->places[place_of(c, host)];

	*d = owed(d, now_ms);
	d->bytes = d->bytes > bytes ? d->bytes - (uint32_t)bytes : 0;
}

size_t discv4_credit_left(const struct discv4_credit *c, const struct netaddr *host,
			  uint64_t now_ms)
{
	return DISCV4_CREDIT_ADVANCE - owed(&c->places[place_of(c, host)], now_ms).bytes;
}

void discv4_credit_spend(struct discv4_credit *c, const struct netaddr *host, size_t bytes,
			 uint64_t now_ms)
{
	struct discv4_debt *d = &c->places[place_of(c, host)];

	*d = owed(d, now_ms);
	assert(bytes <= DISCV4_CREDIT_ADVANCE - d->bytes);
	d->bytes += (uint32_t)bytes;
}

void discv4_credit_proven(struct discv4_credit *c, const struct netaddr *host)
{
	c->places[place_of(c, host)].bytes = 0;
}
