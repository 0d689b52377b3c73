/* fuzz_explain.c: all that `peerwalk decode ethereum` takes. Each field begins where the last
 * ended, what is right is covered to its end, what is wrong has a place and a rule. The same
 * once more with a hash that fits, so that most of it is a packet that somebody has signed. */
#include "base/keccak.h"
#include "fuzz/fields.h"
#include "proto/ethereum/discv4_wire.h"
#include "proto/ethereum/explain.h"

enum { INPUT_MAX = 4096 };

static void check(struct slice in)
{
	const char *rule = NULL;
	size_t end = 0, err_at = 0;
	enum err err =
		ethereum_explain(network_find("ethereum"), in, check_field, &end, &err_at, &rule);

	CHECK(end <= in.len);
	if (err == ERR_OK)
		CHECK(end == in.len);
	else
		CHECK(err_at <= in.len && rule != NULL && rule[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t packet[INPUT_MAX];

	if (size > INPUT_MAX)
		return 0;
	check(slice_of(data, size));
	if (size < DISCV4_PACKET_MIN)
		return 0;
	memcpy(packet, data, size);
	keccak_256(slice_of(packet + DISCV4_HASH_LEN, size - DISCV4_HASH_LEN), packet);
	check(slice_of(packet, size));
	return 0;
}
