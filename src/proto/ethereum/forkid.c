#include "proto/ethereum/forkid.h"

#include <string.h>

/* The genesis hashes and the forks that the four chains had published by August 2026.
 * test_forkid.c computes every published fork hash from them. */
const struct ethereum_chain ethereum_chains[] = {
	{ .name = "ethereum",
	  .network_id = 1,
	  .genesis = { 0xd4, 0xe5, 0x67, 0x40, 0xf8, 0x76, 0xae, 0xf8, 0xc0, 0x10, 0xb8,
		       0x6a, 0x40, 0xd5, 0xf5, 0x67, 0x45, 0xa1, 0x18, 0xd0, 0x90, 0x6a,
		       0x34, 0xe6, 0x9a, 0xec, 0x8c, 0x0d, 0xb1, 0xcb, 0x8f, 0xa3 },
	  .block_forks = 12,
	  .forks_count = 18,
	  .forks = { 1150000, 1920000, 2463000, 2675000, 4370000, 7280000, 9069000, 9200000,
		     12244000, 12965000, 13773000, 15050000, 1681338455, 1710338135, 1746612311,
		     1764798551, 1765290071, 1767747671 } },
	{ .name = "sepolia",
	  .network_id = 11155111,
	  .genesis = { 0x25, 0xa5, 0xcc, 0x10, 0x6e, 0xea, 0x71, 0x38, 0xac, 0xab, 0x33,
		       0x23, 0x1d, 0x71, 0x60, 0xd6, 0x9c, 0xb7, 0x77, 0xee, 0x0c, 0x2c,
		       0x55, 0x3f, 0xcd, 0xdf, 0x51, 0x38, 0x99, 0x3e, 0x6d, 0xd9 },
	  .block_forks = 1,
	  .forks_count = 7,
	  .forks = { 1735371, 1677557088, 1706655072, 1741159776, 1760427360, 1761017184,
		     1761607008 } },
	{ .name = "holesky",
	  .network_id = 17000,
	  .genesis = { 0xb5, 0xf7, 0xf9, 0x12, 0x44, 0x3c, 0x94, 0x0f, 0x21, 0xfd, 0x61,
		       0x1f, 0x12, 0x82, 0x8d, 0x75, 0xb5, 0x34, 0x36, 0x4e, 0xd9, 0xe9,
		       0x5c, 0xa4, 0xe3, 0x07, 0x72, 0x9a, 0x46, 0x61, 0xbd, 0xe4 },
	  .block_forks = 0,
	  .forks_count = 6,
	  .forks = { 1696000704, 1707305664, 1740434112, 1759308480, 1759800000, 1760389824 } },
	{ .name = "hoodi",
	  .network_id = 560048,
	  .genesis = { 0xbb, 0xe3, 0x12, 0x86, 0x8b, 0x37, 0x6a, 0x30, 0x01, 0x69, 0x2a,
		       0x64, 0x6d, 0xd2, 0xd7, 0xd1, 0xe4, 0x40, 0x63, 0x80, 0xdf, 0xd8,
		       0x6b, 0x98, 0xaa, 0x8a, 0x34, 0xd1, 0x55, 0x7c, 0x97, 0x1b },
	  .block_forks = 0,
	  .forks_count = 4,
	  .forks = { 1742999832, 1761677592, 1762365720, 1762955544 } },
};
const size_t ethereum_chains_count = sizeof(ethereum_chains) / sizeof(*ethereum_chains);

const struct ethereum_chain *ethereum_chain_find(const char *name)
{
	for (size_t i = 0; i < ethereum_chains_count; i++) {
		if (strcmp(ethereum_chains[i].name, name) == 0)
			return &ethereum_chains[i];
	}
	return NULL;
}

/* CRC-32 of IEEE 802.3, bit by bit: some hundred bytes a time. */
static uint32_t crc32_add(uint32_t crc, const uint8_t *data, size_t len)
{
	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static uint32_t crc32_add_fork(uint32_t crc, uint64_t fork)
{
	uint8_t big[8];

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(fork >> (56 - 8 * i));
	return crc32_add(crc, big, sizeof(big));
}

static uint32_t genesis_sum(const struct ethereum_chain *chain)
{
	return crc32_add(0, chain->genesis, sizeof(chain->genesis));
}

static uint32_t hash_number(const uint8_t hash[static 4])
{
	return (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
}

static void put_hash(uint32_t sum, uint8_t out[static 4])
{
	for (size_t i = 0; i < 4; i++)
		out[i] = (uint8_t)(sum >> (24 - 8 * i));
}

/* How many forks somebody at this place has passed. */
static size_t passed(const struct ethereum_chain *chain, const struct forkid_head *head)
{
	size_t n = 0;

	while (n < chain->forks_count &&
	       (n < chain->block_forks ? head->block : head->time_s) >= chain->forks[n])
		n++;
	return n;
}

static uint64_t fork_after(const struct ethereum_chain *chain, size_t n)
{
	return n < chain->forks_count ? chain->forks[n] : 0;
}

struct forkid forkid_after(const struct ethereum_chain *chain, size_t n)
{
	uint32_t sum = genesis_sum(chain);
	struct forkid id = { .next = fork_after(chain, n) };

	for (size_t i = 0; i < n; i++)
		sum = crc32_add_fork(sum, chain->forks[i]);
	put_hash(sum, id.hash);
	return id;
}

struct forkid forkid_at(const struct ethereum_chain *chain, const struct forkid_head *head)
{
	return forkid_after(chain, passed(chain, head));
}

bool forkid_place(const struct ethereum_chain *chain, const uint8_t hash[static 4], size_t *out)
{
	uint32_t sum = genesis_sum(chain), wanted = hash_number(hash);

	for (size_t n = 0;; n++) {
		if (sum == wanted) {
			*out = n;
			return true;
		}
		if (n == chain->forks_count)
			return false;
		sum = crc32_add_fork(sum, chain->forks[n]);
	}
}

const struct ethereum_chain *forkid_chain(const uint8_t hash[static 4], size_t *place)
{
	for (size_t i = 0; i < ethereum_chains_count; i++) {
		if (forkid_place(&ethereum_chains[i], hash, place))
			return &ethereum_chains[i];
	}
	return NULL;
}

bool forkid_is_time(uint64_t fork)
{
	return fork > ETHEREUM_FIRST_TIME_S;
}

enum forkid_verdict forkid_check(const struct ethereum_chain *chain, const struct forkid_head *head,
				 const struct forkid *remote)
{
	size_t ours = passed(chain, head), theirs;

	if (!forkid_place(chain, remote->hash, &theirs))
		return FORKID_INCOMPATIBLE;
	if (theirs > ours)
		return FORKID_AHEAD;
	if (theirs < ours)
		return remote->next == chain->forks[theirs] ? FORKID_BEHIND : FORKID_STALE;
	if (remote->next != 0 &&
	    (forkid_is_time(remote->next) ? head->time_s : head->block) >= remote->next)
		return FORKID_MISSED;
	return FORKID_SAME;
}

bool forkid_compatible(enum forkid_verdict v)
{
	switch (v) {
	case FORKID_SAME:
	case FORKID_BEHIND:
	case FORKID_AHEAD:
		return true;
	case FORKID_STALE:
	case FORKID_MISSED:
	case FORKID_INCOMPATIBLE:
		break;
	}
	return false;
}

const char *forkid_verdict_text(enum forkid_verdict v)
{
	switch (v) {
	case FORKID_SAME:
		return "on this chain, after the same forks";
	case FORKID_BEHIND:
		return "on this chain, still catching up";
	case FORKID_AHEAD:
		return "on this chain, further than we are";
	case FORKID_STALE:
		return "stopped before a fork that its software does not know";
	case FORKID_MISSED:
		return "announces a fork that this chain did not have";
	case FORKID_INCOMPATIBLE:
		break;
	}
	return "on another chain";
}

void forkid_decode(struct reader *r, struct forkid *out)
{
	struct rlp_list list = rlp_enter(r, "fork id");
	struct slice hash = rlp_bytes(r, 4, 4, "fork hash", "fork hash: 4 bytes");

	*out = (struct forkid){ 0 };
	out->next = rlp_uint(r, 8, RLP_STRICT, "next fork");
	rlp_leave(r, &list);
	if (reader_ok(r))
		memcpy(out->hash, hash.data, sizeof(out->hash));
}

void forkid_encode(struct writer *w, const struct forkid *id)
{
	size_t list = rlp_put_list(w);

	rlp_put_bytes(w, slice_of(id->hash, sizeof(id->hash)));
	rlp_put_uint(w, id->next);
	rlp_end_list(w, list);
}
