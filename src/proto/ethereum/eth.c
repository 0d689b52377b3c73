#include "proto/ethereum/eth.h"

#include "proto/ethereum/rlp.h"

#include <assert.h>
#include <string.h>

/* How many ids each needs matters only to a capability that follows in the alphabet. */
const struct p2p_offer eth_offers[ETH_VERSIONS] = {
	{ { "eth", 66 }, 17 }, { { "eth", 67 }, 17 },
	{ { "eth", 68 }, 17 }, { { "eth", 69 }, 18 }, /* EIP-7642: BlockRangeUpdate */
	{ { "eth", 70 }, 18 }, { { "eth", 71 }, 20 }, /* EIP-8159: two for access lists */
	{ { "eth", 72 }, 22 },                        /* EIP-8070: two for cells */
};

static void hash_decode(struct reader *r, uint8_t out[32], const char *name)
{
	struct slice s = rlp_bytes(r, 32, 32, name, "status: hashes have 32 bytes");

	if (reader_ok(r))
		memcpy(out, s.data, 32);
}

static void difficulty_decode(struct reader *r, uint8_t out[32])
{
	struct slice s = rlp_bytes(r, 0, 32, "total_difficulty",
				   "status: a total difficulty of 32 bytes at most");

	if (reader_ok(r) && s.len > 0)
		memcpy(out + 32 - s.len, s.data, s.len);
}

void eth_status_decode(struct reader *r, uint32_t version, struct eth_status *out)
{
	struct rlp_list list;

	assert(version >= ETH_VERSION_FIRST && version <= ETH_VERSION_LAST);
	memset(out, 0, sizeof(*out));
	list = rlp_enter(r, "status");
	out->version = (uint32_t)rlp_uint(r, 4, RLP_LENIENT, "version");
	if (reader_ok(r) && out->version != version)
		reader_fail(r, ERR_VALUE, "status: the version that both sides agreed on");
	out->network_id = rlp_uint(r, 8, RLP_LENIENT, "network_id");
	if (version < ETH_VERSION_RANGES) {
		difficulty_decode(r, out->difficulty);
		hash_decode(r, out->head, "head");
		hash_decode(r, out->genesis, "genesis");
		forkid_decode(r, &out->forkid);
	} else {
		hash_decode(r, out->genesis, "genesis");
		forkid_decode(r, &out->forkid);
		out->earliest = rlp_uint(r, 8, RLP_LENIENT, "earliest");
		out->latest = rlp_uint(r, 8, RLP_LENIENT, "latest");
		hash_decode(r, out->head, "latest_hash");
	}
	rlp_leave(r, &list);
}

static void difficulty_encode(struct writer *w, const uint8_t difficulty[32])
{
	struct slice s = slice_of(difficulty, 32);

	while (s.len > 0 && s.data[0] == 0)
		s = slice_of(s.data + 1, s.len - 1);
	rlp_put_bytes(w, s);
}

void eth_status_encode(struct writer *w, const struct eth_status *s)
{
	size_t list = rlp_put_list(w);

	assert(s->version >= ETH_VERSION_FIRST && s->version <= ETH_VERSION_LAST);
	rlp_put_uint(w, s->version);
	rlp_put_uint(w, s->network_id);
	if (s->version < ETH_VERSION_RANGES) {
		difficulty_encode(w, s->difficulty);
		rlp_put_bytes(w, slice_of(s->head, 32));
		rlp_put_bytes(w, slice_of(s->genesis, 32));
		forkid_encode(w, &s->forkid);
	} else {
		rlp_put_bytes(w, slice_of(s->genesis, 32));
		forkid_encode(w, &s->forkid);
		rlp_put_uint(w, s->earliest);
		rlp_put_uint(w, s->latest);
		rlp_put_bytes(w, slice_of(s->head, 32));
	}
	rlp_end_list(w, list);
}
