#include "io/node_gate.h"

#include <string.h>

enum { MICROSECONDS = 1000 * 1000, PREFIX_BYTES = 8 };

static size_t host_len(const struct netaddr *host)
{
	return host->kind == NETADDR_IPV4 ? netaddr_len(NETADDR_IPV4) : PREFIX_BYTES;
}

void node_gate_init(struct node_gate *g, const struct hash_key *key, unsigned rate, unsigned burst)
{
	memset(g, 0, sizeof(*g));
	g->key = *key;
	g->interval_us = MICROSECONDS / rate;
	g->burst_us = g->interval_us * burst;
}

bool node_gate_pass(struct node_gate *g, const struct netaddr *host, uint64_t now_ms)
{
	uint64_t hash = hash_siphash13(&g->key, host->bytes, host_len(host));
	uint64_t *free_at_us = &g->free_at_us[hash % NODE_GATE_PLACES];
	uint64_t now_us = now_ms * 1000;

	if (*free_at_us < now_us)
		*free_at_us = now_us;
	if (*free_at_us + g->interval_us > now_us + g->burst_us)
		return false;
	*free_at_us += g->interval_us;
	return true;
}

bool node_gate_same(const struct netaddr *a, const struct netaddr *b)
{
	return a->kind == b->kind && memcmp(a->bytes, b->bytes, host_len(a)) == 0;
}
