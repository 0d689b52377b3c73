/* fuzz_message.c: whole messages in their frames, as `peerwalk decode` takes them.
 *
 * A fuzzer doesn't guess checksums: each is tried as it stands, and with the frames put
 * right, so that what lies behind them is reached as well. */
#include "fuzz/frames.h"
#include "fuzz/fuzz.h"
#include "proto/bitcoin/explain.h"

#include <string.h>

enum { INPUT_MAX = 1 << 16 };

static const struct network chain = { .name = "fuzz", .magic = { 0xf9, 0xbe, 0xb4, 0xd9 } };

static void on_field(void *ctx, const struct field *f)
{
	size_t *end = ctx;

	CHECK(f->at == *end);
	*end = f->at + f->len;
}

static void check(struct slice in)
{
	const char *rule, *quiet_rule;
	size_t end = 0, at, quiet_at;
	enum err err = bitcoin_explain(&chain, in, on_field, &end, &at, &rule);

	CHECK(end <= in.len && at <= in.len);
	CHECK(err == ERR_OK ? end == in.len : rule != NULL);
	CHECK(bitcoin_explain(&chain, in, NULL, NULL, &quiet_at, &quiet_rule) == err);
	CHECK(quiet_at == at && (err == ERR_OK || strcmp(quiet_rule, rule) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	check(slice_of(data, size));
	copy = malloc(size);
	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	put_frames_right(copy, size, chain.magic);
	check(slice_of(copy, size));
	free(copy);
	return 0;
}
