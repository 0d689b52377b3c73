/* fuzz_rlp.c: RLP items of any depth, and the lists of fork identifiers.
 *
 * What is an item, taken apart and put together again, is the same bytes: RLP knows one
 * form for everything. */
#include "fuzz/fields.h"
#include "proto/ethereum/forkid.h"

enum { INPUT_MAX = 4096 };

static void copy_item(struct reader *r, struct writer *w)
{
	struct rlp_item item = rlp_peek(r, "item");
	struct rlp_list list;
	size_t mark;

	CHECK(reader_ok(r));
	if (!item.is_list) {
		CHECK(rlp_bytes_size(item.payload) == rlp_any(r, "string").len);
		rlp_put_bytes(w, item.payload);
		return;
	}
	list = rlp_enter(r, "list");
	mark = rlp_put_list(w);
	while (rlp_more(r))
		copy_item(r, w);
	rlp_end_list(w, mark);
	rlp_leave(r, &list);
	CHECK(rlp_list_size(item.payload.len) == w->len - mark);
}

static void check_item(struct slice in)
{
	uint8_t out[INPUT_MAX];
	struct reader told, quiet;
	struct writer w;
	size_t end = 0;

	reader_init(&told, in);
	told.on_field = check_field;
	told.on_field_ctx = &end;
	rlp_any(&told, "item");
	reader_init(&quiet, in);
	rlp_any(&quiet, "item");
	check_verdicts(&told, &quiet, end);
	if (!reader_ok(&quiet))
		return;
	in.len = quiet.at;
	CHECK(rlp_is_item(in));
	writer_init(&w, out, sizeof(out));
	reader_init(&quiet, in);
	copy_item(&quiet, &w);
	CHECK(reader_ok(&quiet) && writer_ok(&w) && slice_equal(in, slice_of(out, w.len)));
}

/* A strict integer is also a lenient one, and has one form. */
static void check_uint(struct slice in)
{
	struct reader strict, lenient;
	uint64_t a, b;

	reader_init(&strict, in);
	a = rlp_uint(&strict, 8, RLP_STRICT, "uint");
	reader_init(&lenient, in);
	b = rlp_uint(&lenient, 8, RLP_LENIENT, "uint");
	if (!reader_ok(&strict))
		return;
	CHECK(reader_ok(&lenient) && a == b && rlp_uint_size(a) == strict.at);
}

static void check_forkid(struct slice in)
{
	struct forkid id, back;
	uint8_t out[32];
	struct reader r;
	struct writer w;

	reader_init(&r, in);
	forkid_decode(&r, &id);
	if (!reader_ok(&r))
		return;
	writer_init(&w, out, sizeof(out));
	forkid_encode(&w, &id);
	CHECK(writer_ok(&w));
	reader_init(&r, slice_of(out, w.len));
	forkid_decode(&r, &back);
	CHECK(reader_ok(&r) && reader_left(&r) == 0);
	CHECK(back.next == id.next && memcmp(back.hash, id.hash, sizeof(id.hash)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > INPUT_MAX)
		return 0;
	check_item(slice_of(data, size));
	check_uint(slice_of(data, size));
	check_forkid(slice_of(data, size));
	return 0;
}
