/* test_forkid.c: fork identifiers: the published ones, and who fits to whom. */
#include "base/text.h"
#include "proto/ethereum/forkid.h"
#include "support/hex.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The identifiers of the four public networks up to August 2026, as published (for mainnet
 * also in EIP-2124): after which fork, the hash, the next one. */
static const struct {
	const char *chain, *hash;
	uint64_t next;
	const char *since;
} id_rows[] = {
	{ "ethereum", "fc64ec04", 1150000, "genesis rules" },
	{ "ethereum", "97c2c34c", 1920000, "Homestead block" },
	{ "ethereum", "91d1f948", 2463000, "DAO block" },
	{ "ethereum", "7a64da13", 2675000, "Tangerine block" },
	{ "ethereum", "3edd5b10", 4370000, "Spurious block" },
	{ "ethereum", "a00bc324", 7280000, "Byzantium block" },
	{ "ethereum", "668db0af", 9069000, "last Constantinople, first Petersburg block" },
	{ "ethereum", "879d6e30", 9200000, "Istanbul and first Muir Glacier block" },
	{ "ethereum", "e029e991", 12244000, "Muir Glacier block" },
	{ "ethereum", "0eb440f6", 12965000, "Berlin block" },
	{ "ethereum", "b715077d", 13773000, "London block" },
	{ "ethereum", "20c327fc", 15050000, "Arrow Glacier block" },
	{ "ethereum", "f0afd0e3", 1681338455, "Gray Glacier block" },
	{ "ethereum", "dce96c2d", 1710338135, "Shanghai block" },
	{ "ethereum", "9f3d2254", 1746612311, "Cancun block" },
	{ "ethereum", "c376cf8b", 1764798551, "Prague block" },
	{ "ethereum", "5167e2a6", 1765290071, "Osaka block" },
	{ "ethereum", "cba2a1c0", 1767747671, "BPO1 block" },
	{ "ethereum", "07c9462e", 0, "BPO2 block" },
	{ "sepolia", "fe3366e7", 1735371, "genesis rules" },
	{ "sepolia", "b96cbd13", 1677557088, "MergeNetsplit block" },
	{ "sepolia", "f7f9bc08", 1706655072, "Shanghai block" },
	{ "sepolia", "88cf81d9", 1741159776, "Cancun block" },
	{ "sepolia", "ed88b5fd", 1760427360, "Prague block" },
	{ "sepolia", "e2ae4999", 1761017184, "Osaka block" },
	{ "sepolia", "56078a1e", 1761607008, "BPO1 block" },
	{ "sepolia", "268956b6", 0, "BPO2 block" },
	{ "holesky", "c61a6098", 1696000704, "genesis rules" },
	{ "holesky", "fd4f016b", 1707305664, "Shanghai block" },
	{ "holesky", "9b192ad0", 1740434112, "Cancun block" },
	{ "holesky", "dfbd9bed", 1759308480, "Prague block" },
	{ "holesky", "783def52", 1759800000, "Osaka block" },
	{ "holesky", "a280a45c", 1760389824, "BPO1 block" },
	{ "holesky", "9bc6cb31", 0, "BPO2 block" },
	{ "hoodi", "bef71d30", 1742999832, "genesis rules" },
	{ "hoodi", "0929e24e", 1761677592, "Prague block" },
	{ "hoodi", "e7e0e7ff", 1762365720, "Osaka block" },
	{ "hoodi", "3893353e", 1762955544, "BPO1 block" },
	{ "hoodi", "23aa1351", 0, "BPO2 block" },
};

static struct forkid id_of(const char *hash, uint64_t next)
{
	struct forkid id = { .next = next };

	hex_bytes(hash, id.hash, sizeof(id.hash));
	return id;
}

/* Each at its first moment and at its last. */
static void published(void **state)
{
	struct forkid_head head = { 0, 0 };
	const char *chain_before = "";
	size_t place = 0, found;

	(void)state;
	for (size_t i = 0; i < sizeof(id_rows) / sizeof(*id_rows); i++) {
		const struct ethereum_chain *chain = ethereum_chain_find(id_rows[i].chain);
		struct forkid expected = id_of(id_rows[i].hash, id_rows[i].next), id;

		assert_non_null(chain);
		if (strcmp(chain_before, chain->name) != 0) {
			head = (struct forkid_head){ 0, 0 };
			place = 0;
		}
		chain_before = chain->name;
		for (unsigned last = 0; last < 2; last++) {
			if (last == 1 && place == chain->forks_count)
				head = (struct forkid_head){ UINT64_MAX, UINT64_MAX };
			else if (last == 1 && place < chain->block_forks)
				head.block = id_rows[i].next - 1;
			else if (last == 1)
				head.time_s = id_rows[i].next - 1;
			id = forkid_at(chain, &head);
			if (memcmp(id.hash, expected.hash, 4) != 0 || id.next != expected.next)
				fail_msg("row \"%s, %s\"", id_rows[i].chain, id_rows[i].since);
			assert_int_equal(forkid_check(chain, &head, &id), FORKID_SAME);
		}
		assert_true(forkid_place(chain, expected.hash, &found));
		assert_int_equal(found, place);
		if (place < chain->block_forks)
			head.block = id_rows[i].next;
		else
			head.time_s = id_rows[i].next;
		place++;
	}
}

/* The validation cases of EIP-2124, on mainnet. Times are 0: before the Merge. */
static const struct {
	const char *name;
	uint64_t block;
	const char *hash;
	uint64_t next;
	enum forkid_verdict verdict;
} check_rows[] = {
	{ "both in Petersburg, no next fork", 7987396, "668db0af", 0, FORKID_SAME },
	{ "both in Petersburg, one far ahead", 7987396, "668db0af", UINT64_MAX, FORKID_SAME },
	{ "both in Byzantium, it knows no next", 7279999, "a00bc324", 0, FORKID_SAME },
	{ "both in Byzantium, same next", 7279999, "a00bc324", 7280000, FORKID_SAME },
	{ "both in Byzantium, another next", 7279999, "a00bc324", UINT64_MAX, FORKID_SAME },
	{ "it is syncing, and knows Petersburg", 7987396, "a00bc324", 7280000, FORKID_BEHIND },
	{ "it is two forks back", 7987396, "3edd5b10", 4370000, FORKID_BEHIND },
	{ "we are behind", 7279999, "668db0af", 0, FORKID_AHEAD },
	{ "we are behind, it knows no next", 4369999, "a00bc324", 0, FORKID_AHEAD },
	{ "it never heard of Petersburg", 7987396, "a00bc324", 0, FORKID_STALE },
	{ "an unknown fork", 7987396, "5cddc0e1", 0, FORKID_INCOMPATIBLE },
	{ "an unknown fork while we are behind", 7279999, "5cddc0e1", 0, FORKID_INCOMPATIBLE },
	{ "Rinkeby", 7987396, "afec6b27", 0, FORKID_INCOMPATIBLE },
	{ "a next fork that is now", 88888888, "f0afd0e3", 88888888, FORKID_MISSED },
	{ "a next fork that was", 7279999, "a00bc324", 7279999, FORKID_MISSED },
};

static void validation(void **state)
{
	const struct ethereum_chain *mainnet = ethereum_chain_find("ethereum");

	(void)state;
	for (size_t i = 0; i < sizeof(check_rows) / sizeof(*check_rows); i++) {
		struct forkid_head head = { check_rows[i].block, 0 };
		struct forkid id = id_of(check_rows[i].hash, check_rows[i].next);
		enum forkid_verdict v = forkid_check(mainnet, &head, &id);

		if (v != check_rows[i].verdict)
			fail_msg("row \"%s\": %s", check_rows[i].name, forkid_verdict_text(v));
		assert_int_equal(forkid_compatible(v), v <= FORKID_AHEAD);
	}
}

/* EIP-6122: the same by time. Local: Cancun, at 1,720,000,000. */
static const struct {
	const char *name, *hash;
	uint64_t next;
	enum forkid_verdict verdict;
} time_rows[] = {
	{ "same", "9f3d2254", 1746612311, FORKID_SAME },
	{ "it knows no Prague yet", "9f3d2254", 0, FORKID_SAME },
	{ "a fork that we missed", "9f3d2254", 1715000000, FORKID_MISSED },
	{ "still before Cancun", "dce96c2d", 1710338135, FORKID_BEHIND },
	{ "will not follow to Cancun", "dce96c2d", 0, FORKID_STALE },
	{ "in Prague already", "c376cf8b", 1764798551, FORKID_AHEAD },
	{ "Sepolia in Cancun", "88cf81d9", 1741159776, FORKID_INCOMPATIBLE },
};

static void validation_by_time(void **state)
{
	static const struct forkid_head head = { UINT64_MAX, 1720000000 };
	const struct ethereum_chain *mainnet = ethereum_chain_find("ethereum");

	(void)state;
	for (size_t i = 0; i < sizeof(time_rows) / sizeof(*time_rows); i++) {
		struct forkid id = id_of(time_rows[i].hash, time_rows[i].next);
		enum forkid_verdict v = forkid_check(mainnet, &head, &id);

		if (v != time_rows[i].verdict)
			fail_msg("row \"%s\": %s", time_rows[i].name, forkid_verdict_text(v));
	}
}

/* Each row is one form of the list. */
static const struct {
	const char *name, *hex;
	enum err err;
	size_t at;
	uint64_t next;
} wire_rows[] = {
	{ "no next fork", "c6 84deadbeef 80", ERR_OK, 0, 0 },
	{ "a block", "ca 84fc64ec04 84 000f4240", ERR_NONCANONICAL, 6, 0 },
	{ "a block, shortest", "c9 84fc64ec04 8311 8c30", ERR_OK, 0, 1150000 },
	{ "the farthest", "ce 84ffffffff 88ffffffffffffffff", ERR_OK, 0, UINT64_MAX },
	{ "more elements", "c8 84deadbeef 01 02 c0", ERR_OK, 0, 1 },
	{ "a short hash", "c5 83deadbe 80", ERR_VALUE, 1, 0 },
	{ "a hash alone", "c5 84deadbeef", ERR_SHORT, 6, 0 },
	{ "no list", "84deadbeef", ERR_VALUE, 0, 0 },
};

static void wire(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wire_rows) / sizeof(*wire_rows); i++) {
		uint8_t bytes[32], out[32];
		struct slice in = hex_bytes(wire_rows[i].hex, bytes, sizeof(bytes));
		struct forkid id, back;
		struct reader r;
		struct writer w;

		reader_init(&r, in);
		forkid_decode(&r, &id);
		if (r.err != wire_rows[i].err || r.err_at != wire_rows[i].at ||
		    (r.err == ERR_OK && id.next != wire_rows[i].next))
			fail_msg("row \"%s\": %s at %zu", wire_rows[i].name, err_name(r.err),
				 r.err_at);
		if (r.err != ERR_OK)
			continue;
		writer_init(&w, out, sizeof(out));
		forkid_encode(&w, &id);
		reader_init(&r, slice_of(out, w.len));
		forkid_decode(&r, &back);
		assert_true(reader_ok(&r) && back.next == id.next);
		assert_memory_equal(back.hash, id.hash, sizeof(id.hash));
	}
}

/* Forks ascend in each part, and no two chains share a hash. */
static void chains(void **state)
{
	struct forkid_head newest = { UINT64_MAX, UINT64_MAX };
	size_t place;

	(void)state;
	assert_null(ethereum_chain_find("bitcoin"));
	for (size_t i = 0; i < ethereum_chains_count; i++) {
		const struct ethereum_chain *c = &ethereum_chains[i];

		assert_ptr_equal(ethereum_chain_find(c->name), c);
		assert_in_range(c->forks_count, 1, ETHEREUM_FORKS_MAX);
		assert_true(c->block_forks <= c->forks_count);
		for (size_t n = 1; n < c->forks_count; n++)
			assert_true(c->forks[n] > c->forks[n - 1]);
		for (size_t j = 0; j < ethereum_chains_count; j++) {
			struct forkid id = forkid_at(&ethereum_chains[j], &newest);

			assert_int_equal(forkid_place(c, id.hash, &place), i == j);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published),
		cmocka_unit_test(validation),
		cmocka_unit_test(validation_by_time),
		cmocka_unit_test(wire),
		cmocka_unit_test(chains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
