/* fuzz_payload.c: every payload's decoder: the first byte chooses the command.
 *
 * Whatever the bytes: the verdict is the same with and without a hook, the fields lie
 * one behind the other inside the input, an error has a place and a rule; and what was
 * understood, written and read again, is the same. */
#include "fuzz/fuzz.h"
#include "support/bitcoin.h"

enum { OUT_MAX = 1 << 20 };

struct seen {
	size_t end;
	bool failed;
};

static void on_field(void *ctx, const struct field *f)
{
	struct seen *seen = ctx;

	CHECK(f->name != NULL && f->name[0] != 0);
	CHECK(f->at == seen->end);
	seen->end = f->at + f->len;
}

static void check_explain(enum bitcoin_command id, struct slice in)
{
	struct seen seen = { .end = 0 };
	struct reader told, quiet;

	reader_init(&told, in);
	told.on_field = on_field;
	told.on_field_ctx = &seen;
	bitcoin_payload_explain(&told, id);
	reader_init(&quiet, in);
	bitcoin_payload_explain(&quiet, id);
	CHECK(seen.end <= in.len);
	CHECK(told.err == quiet.err && told.err_at == quiet.err_at && told.rule == quiet.rule);
	if (told.err == ERR_OK)
		CHECK(seen.end == in.len);
	else
		CHECK(told.err_at <= in.len && told.rule != NULL && told.rule[0] != 0);
}

static void check_reencoded(enum bitcoin_command id, struct slice in)
{
	static uint8_t first[OUT_MAX], second[OUT_MAX];
	struct writer w, again;
	struct reader r;

	reader_init(&r, in);
	writer_init(&w, first, sizeof(first));
	reencode(id, &r, &w);
	if (!reader_ok(&r))
		return;
	CHECK(writer_ok(&w));
	if (reencodes_exactly(id))
		CHECK(slice_equal(slice_of(in.data, r.at), slice_of(first, w.len)));
	reader_init(&r, slice_of(first, w.len));
	writer_init(&again, second, sizeof(second));
	reencode(id, &r, &again);
	CHECK(reader_ok(&r) && reader_left(&r) == 0 && writer_ok(&again));
	CHECK(slice_equal(slice_of(first, w.len), slice_of(second, again.len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum bitcoin_command id;

	if (size < 1 || size > OUT_MAX / 2)
		return 0;
	id = (enum bitcoin_command)(data[0] % BITCOIN_COMMAND_COUNT);
	check_explain(id, slice_of(data + 1, size - 1));
	check_reencoded(id, slice_of(data + 1, size - 1));
	return 0;
}
