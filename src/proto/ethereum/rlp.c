#include "proto/ethereum/rlp.h"

#include <assert.h>
#include <string.h>

enum {
	STRING = 0x80,      /* 80..b7: a string of 0 to 55 bytes */
	LONG_STRING = 0xb7, /* b8..bf: one of 1 to 8 bytes of length */
	LIST = 0xc0,        /* c0..f7: a list of 0 to 55 bytes */
	LONG_LIST = 0xf7,   /* f8..ff: one of 1 to 8 bytes of length */
	SHORT_MAX = 55,
};

static const char length_rule[] = "length: in its shortest form";
static const char list_text[] = "bytes in this list";
static const char depth_rule[] = "lists: no more than 16 within each other";

/* The length behind a first byte that says how many bytes it has. */
static bool long_length(struct reader *r, size_t at, size_t bytes, const char *name, uint64_t *out)
{
	uint64_t len = 0;

	if (bytes > r->len - at - 1) {
		reader_fail(r, ERR_SHORT, name);
		return false;
	}
	if (r->data[at + 1] == 0) {
		reader_fail(r, ERR_NONCANONICAL, length_rule);
		return false;
	}
	for (size_t i = 0; i < bytes; i++)
		len = len << 8 | r->data[at + 1 + i];
	if (len <= SHORT_MAX) {
		reader_fail(r, ERR_NONCANONICAL, length_rule);
		return false;
	}
	*out = len;
	return true;
}

struct rlp_item rlp_peek(struct reader *r, const char *name)
{
	struct rlp_item item = { .at = r->at };
	size_t header = 1;
	uint64_t len;
	uint8_t first;

	if (!reader_ok(r))
		return item;
	if (r->at == r->len) {
		reader_fail(r, ERR_SHORT, name);
		return item;
	}
	first = r->data[r->at];
	item.is_list = first >= LIST;
	if (first < STRING) {
		header = 0;
		len = 1;
	} else if (first > LONG_LIST || (first > LONG_STRING && first < LIST)) {
		header += (size_t)first - (item.is_list ? LONG_LIST : LONG_STRING);
		if (!long_length(r, r->at, header - 1, name, &len))
			return item;
	} else {
		len = (size_t)first - (item.is_list ? LIST : STRING);
	}
	if (len > r->len - r->at - header) {
		reader_fail(r, ERR_SHORT, name);
		return item;
	}
	if (first == STRING + 1 && r->data[r->at + 1] < STRING) {
		reader_fail(r, ERR_NONCANONICAL, "a byte below 80: without a header");
		return item;
	}
	item.payload = slice_of(r->data + r->at + header, (size_t)len);
	return item;
}

void rlp_pass(struct reader *r, const struct rlp_item *item)
{
	if (reader_ok(r))
		r->at = (size_t)(item->payload.data - r->data) + item->payload.len;
}

void rlp_tell(struct reader *r, const char *name, enum field_kind kind, const struct rlp_item *item,
	      uint64_t value, const char *text)
{
	reader_tell(r, &(struct field){ .name = name,
					.kind = kind,
					.at = item->at,
					.len = r->at - item->at,
					.value = value,
					.bytes = item->payload,
					.text = text });
}

static void expect(struct reader *r, const struct rlp_item *item, bool list)
{
	if (item->is_list != list)
		reader_fail(r, ERR_VALUE,
			    list ? "a list is expected here" : "no list is expected here");
}

/* Goes behind the header of a list that was peeked at, and tells it. */
static void pass_header(struct reader *r, const struct rlp_item *item, const char *name)
{
	if (!reader_ok(r))
		return;
	r->at = (size_t)(item->payload.data - r->data);
	rlp_tell(r, name, FIELD_UINT, item, item->payload.len, list_text);
}

bool rlp_field_is_list(const struct field *f)
{
	return f->kind == FIELD_UINT && f->text != NULL && strcmp(f->text, list_text) == 0;
}

struct rlp_list rlp_enter(struct reader *r, const char *name)
{
	struct rlp_list list = { r->len };
	struct rlp_item item = rlp_peek(r, name);

	expect(r, &item, true);
	pass_header(r, &item, name);
	if (reader_ok(r))
		r->len = r->at + item.payload.len;
	return list;
}

void rlp_leave(struct reader *r, const struct rlp_list *list)
{
	rlp_rest(r, "more");
	r->len = list->outer_len;
}

static struct slice string(struct reader *r, size_t min, size_t max, const char *name,
			   const char *rule, enum field_kind kind)
{
	struct rlp_item item = rlp_peek(r, name);

	expect(r, &item, false);
	if (reader_ok(r) && (item.payload.len < min || item.payload.len > max))
		reader_fail(r, ERR_VALUE, rule);
	if (!reader_ok(r))
		return slice_of(NULL, 0);
	rlp_pass(r, &item);
	rlp_tell(r, name, kind, &item, 0, NULL);
	return item.payload;
}

struct slice rlp_bytes(struct reader *r, size_t min, size_t max, const char *name, const char *rule)
{
	return string(r, min, max, name, rule, FIELD_BYTES);
}

struct slice rlp_text(struct reader *r, size_t max, const char *name, const char *rule)
{
	return string(r, 0, max, name, rule, FIELD_TEXT);
}

uint64_t rlp_uint_as(struct reader *r, size_t bytes, enum rlp_mode mode, enum field_kind kind,
		     const char *name)
{
	struct rlp_item item = rlp_peek(r, name);
	struct slice digits = item.payload;
	uint64_t v = 0;

	assert(bytes <= 8);
	expect(r, &item, false);
	if (!reader_ok(r))
		return 0;
	if (mode == RLP_STRICT && digits.len > 0 && digits.data[0] == 0) {
		reader_fail(r, ERR_NONCANONICAL, "an integer: no leading zeros, and 0 is empty");
		return 0;
	}
	if (digits.len > RLP_UINT_MAX)
		reader_fail(r, ERR_LIMIT, "an integer: no longer than 32 bytes");
	while (digits.len > 0 && digits.data[0] == 0)
		digits = slice_from(digits, 1);
	if (digits.len > bytes)
		reader_fail(r, ERR_LIMIT, "an integer: no more than this field can hold");
	if (!reader_ok(r))
		return 0;
	for (size_t i = 0; i < digits.len; i++)
		v = v << 8 | digits.data[i];
	rlp_pass(r, &item);
	rlp_tell(r, name, kind, &item, v, NULL);
	return v;
}

uint64_t rlp_uint(struct reader *r, size_t bytes, enum rlp_mode mode, const char *name)
{
	return rlp_uint_as(r, bytes, mode, FIELD_UINT, name);
}

struct slice rlp_any(struct reader *r, const char *name)
{
	size_t start = r->at, outer = r->len, depth = 0;
	size_t ends[RLP_DEPTH_MAX] = { 0 }; /* of the lists that the reader is in */

	do {
		struct rlp_item item = rlp_peek(r, name);

		if (item.is_list && depth == RLP_DEPTH_MAX)
			reader_fail(r, ERR_LIMIT, depth_rule);
		if (!reader_ok(r))
			break;
		if (item.is_list) {
			ends[depth++] = r->len;
			pass_header(r, &item, name);
			r->len = r->at + item.payload.len;
		} else {
			rlp_pass(r, &item);
			rlp_tell(r, name, FIELD_BYTES, &item, 0, NULL);
		}
		while (depth > 0 && r->at == r->len)
			r->len = ends[--depth];
	} while (depth > 0);
	r->len = outer;
	return reader_ok(r) ? slice_of(r->data + start, r->at - start) : slice_of(NULL, 0);
}

void rlp_rest(struct reader *r, const char *name)
{
	while (rlp_more(r))
		rlp_any(r, name);
}

bool rlp_is_item(struct slice in)
{
	struct reader r;

	reader_init(&r, in);
	rlp_any(&r, "item");
	return reader_ok(&r) && reader_left(&r) == 0;
}

static size_t digits_of(uint64_t v)
{
	size_t n = 0;

	for (; v > 0; v >>= 8)
		n++;
	return n;
}

static size_t header_size(size_t len)
{
	return len <= SHORT_MAX ? 1 : 1 + digits_of(len);
}

static void put_big(struct writer *w, uint64_t v)
{
	for (size_t i = digits_of(v); i > 0; i--)
		writer_u8(w, (uint8_t)(v >> (8 * (i - 1))));
}

static void put_header(struct writer *w, size_t len, uint8_t short_form, uint8_t long_form)
{
	if (len <= SHORT_MAX) {
		writer_u8(w, (uint8_t)(short_form + len));
		return;
	}
	writer_u8(w, (uint8_t)(long_form + digits_of(len)));
	put_big(w, len);
}

void rlp_put_bytes(struct writer *w, struct slice s)
{
	if (s.len != 1 || s.data[0] >= STRING)
		put_header(w, s.len, STRING, LONG_STRING);
	writer_slice(w, s);
}

void rlp_put_uint(struct writer *w, uint64_t v)
{
	if (v == 0 || v >= STRING)
		put_header(w, digits_of(v), STRING, LONG_STRING);
	put_big(w, v);
}

size_t rlp_put_list(struct writer *w)
{
	return w->len;
}

void rlp_end_list(struct writer *w, size_t mark)
{
	uint8_t header[RLP_HEADER_MAX];
	struct writer h;
	size_t len;

	if (!writer_ok(w))
		return;
	assert(mark <= w->len);
	len = w->len - mark;
	writer_init(&h, header, sizeof(header));
	put_header(&h, len, LIST, LONG_LIST);
	writer_zeros(w, h.len);
	if (!writer_ok(w))
		return;
	memmove(w->data + mark + h.len, w->data + mark, len);
	memcpy(w->data + mark, header, h.len);
}

size_t rlp_bytes_size(struct slice s)
{
	return s.len == 1 && s.data[0] < STRING ? 1 : header_size(s.len) + s.len;
}

size_t rlp_uint_size(uint64_t v)
{
	return v > 0 && v < STRING ? 1 : 1 + digits_of(v);
}

size_t rlp_list_size(size_t payload_len)
{
	return header_size(payload_len) + payload_len;
}
