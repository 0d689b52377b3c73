#include "sim/ethereum_liars.h"

#include "proto/ethereum/discv4_wire.h"
#include "proto/ethereum/relay.h"
#include "proto/ethereum/rlp.h"
#include "sim/ethereum_peer.h"
#include "sim/ethereum_sign.h"

#include <stdlib.h>
#include <string.h>

enum {
	PAST_S = 60, /* so long ago has all expired */
	SYSTEM_PORT = 9,
};

struct sim_liars {
	const struct sim_ethereum *world;
	uint32_t made, next;
	struct enode nodes[SIM_INVENTED_MAX];
};

enum err sim_liars_new(const struct sim_ethereum *w, struct sim_liars **out)
{
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return ERR_NOMEM;
	(*out)->world = w;
	return ERR_OK;
}

void sim_liars_free(struct sim_liars *l)
{
	free(l);
}

void sim_liars_invent(struct sim_liars *l, struct enode *out, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (l->next == l->made) {
			sim_ethereum_invented(l->world, l->made, &l->nodes[l->made]);
			l->made++;
		}
		out[i] = l->nodes[l->next];
		l->next = (l->next + 1) % sim_ethereum_invented_count(l->world);
	}
}

void sim_lie_envelope(enum sim_ethereum_kind kind, uint8_t *packet, size_t len)
{
	if (kind == SIM_ETHEREUM_LIAR_BAD_HASH)
		packet[len % DISCV4_HASH_LEN] ^= 0x40;
	if (kind != SIM_ETHEREUM_LIAR_BAD_SIGNATURE)
		return;
	memset(packet + DISCV4_HASH_LEN, 0xff, 32); /* no r is as large */
	sim_hash_packet(packet, len);
}

int64_t sim_lie_expiration(enum sim_ethereum_kind kind, int64_t expiration_s)
{
	return kind == SIM_ETHEREUM_LIAR_EXPIRED ? expiration_s - SIM_ETHEREUM_EXPIRATION_S - PAST_S
						 : expiration_s;
}

void sim_lie_pong(enum sim_ethereum_kind kind, uint8_t ping_hash[static 32])
{
	if (kind != SIM_ETHEREUM_LIAR_WRONG_PONG)
		return;
	for (unsigned i = 0; i < 32; i++)
		ping_hash[i] ^= 0xff;
}

void sim_lie_neighbors(struct writer *w, const struct enode *nodes, size_t count,
		       int64_t expiration_s, uint32_t index)
{
	size_t outer = rlp_put_list(w), inner = rlp_put_list(w);

	for (size_t i = 0; i < count; i++) {
		const struct netaddr *addr = &nodes[i].endpoint.addr;
		size_t node = rlp_put_list(w);

		rlp_put_bytes(w, slice_of(addr->bytes, netaddr_len(addr->kind)));
		rlp_put_uint(w, addr->port);
		rlp_put_uint(w, nodes[i].endpoint.tcp_port);
		rlp_put_bytes(w, slice_of(nodes[i].key, sizeof(nodes[i].key)));
		rlp_end_list(w, node);
	}
	rlp_end_list(w, inner);
	rlp_put_uint(w, (uint64_t)expiration_s);
	rlp_end_list(w, outer);
	if (index % 2 != 0 && w->len < SIM_ETHEREUM_DATAGRAM_MAX)
		writer_zeros(w, SIM_ETHEREUM_DATAGRAM_MAX - w->len);
}

void sim_lie_addresses(const struct sim_ethereum *w, struct enode *nodes, size_t count)
{
	const struct netaddr *base = &sim_ethereum_config(w)->range.base;

	for (size_t i = 0; i < count; i += 2) {
		struct netaddr *addr = &nodes[i].endpoint.addr;
		uint32_t low = (uint32_t)(addr->bytes[2] << 8 | addr->bytes[3]);

		switch (i / 2 % 4) {
		case 0: /* documentation, RFC 5737 */
			*addr = netaddr_ipv4(0xcb007100 | (low & 0xff), addr->port);
			break;
		case 1: /* benchmarks, RFC 2544 */
			*addr = netaddr_ipv4(0xc6120000 | low, addr->port);
			break;
		case 2:
			addr->port = SYSTEM_PORT;
			break;
		case 3: /* for who is there himself, these are neighbors as good as any */
			if (!relay_is_loopback(base))
				*addr = netaddr_ipv4(0x7f000000 | low, addr->port);
			if (!relay_is_lan(base))
				*addr = netaddr_ipv4(0x0a000000 | low, addr->port);
			break;
		}
	}
}

size_t sim_lie_record(const struct sim_ethereum *w, uint32_t index, uint8_t out[static ENR_LEN_MAX])
{
	size_t len;

	switch (index % 3) {
	case 0:
		return sim_ethereum_record(w, 0, out);
	case 1:
		len = sim_ethereum_record(w, index, out);
		out[len - 1] ^= 1; /* of the last value, which is signed */
		return len;
	default: /* a list of nothing but its number */
		out[0] = 0xc1;
		out[1] = 0x01;
		return 2;
	}
}
