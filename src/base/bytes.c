#include "base/bytes.h"

#include <string.h>

void reader_init(struct reader *r, struct slice in)
{
	/* C knows no NULL + 0: an empty input gets an address too. */
	*r = (struct reader){ .data = in.data != NULL ? in.data : (const uint8_t *)"",
			      .len = in.len };
}

void reader_fail_at(struct reader *r, enum err err, size_t at, const char *rule)
{
	if (r->err != ERR_OK)
		return;
	r->err = err;
	r->err_at = at;
	r->rule = rule;
}

void reader_fail(struct reader *r, enum err err, const char *rule)
{
	reader_fail_at(r, err, r->at, rule);
}

void reader_end(struct reader *r, const char *rule)
{
	if (reader_left(r) > 0)
		reader_fail(r, ERR_TRAILING, rule);
}

/* The next len bytes, or NULL after a failure. */
static const uint8_t *take(struct reader *r, size_t len, const char *name)
{
	const uint8_t *p;

	if (r->err != ERR_OK)
		return NULL;
	if (len > r->len - r->at) {
		reader_fail(r, ERR_SHORT, name);
		return NULL;
	}
	p = r->data + r->at;
	r->at += len;
	return p;
}

static void tell_value(struct reader *r, const char *name, enum field_kind kind, size_t len,
		       uint64_t value)
{
	if (r->on_field == NULL || r->err != ERR_OK)
		return;
	r->on_field(r->on_field_ctx, &(struct field){ .name = name,
						      .kind = kind,
						      .at = r->at - len,
						      .len = len,
						      .value = value,
						      .bytes = { r->data + r->at - len, len } });
}

static uint64_t little(struct reader *r, size_t len, const char *name)
{
	const uint8_t *p = take(r, len, name);
	uint64_t v = 0;

	if (p == NULL)
		return 0;
	for (size_t i = 0; i < len; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static uint64_t little_field(struct reader *r, size_t len, const char *name, enum field_kind kind)
{
	uint64_t v = little(r, len, name);

	tell_value(r, name, kind, len, v);
	return v;
}

uint8_t reader_u8(struct reader *r, const char *name)
{
	return (uint8_t)little_field(r, 1, name, FIELD_UINT);
}

uint16_t reader_u16le(struct reader *r, const char *name)
{
	return (uint16_t)little_field(r, 2, name, FIELD_UINT);
}

uint16_t reader_u16be(struct reader *r, const char *name)
{
	const uint8_t *p = take(r, 2, name);
	uint16_t v = p != NULL ? (uint16_t)(p[0] << 8 | p[1]) : 0;

	tell_value(r, name, FIELD_UINT, 2, v);
	return v;
}

uint32_t reader_u32le(struct reader *r, const char *name)
{
	return (uint32_t)little_field(r, 4, name, FIELD_UINT);
}

uint64_t reader_u64le(struct reader *r, const char *name)
{
	return little_field(r, 8, name, FIELD_UINT);
}

int32_t reader_i32le(struct reader *r, const char *name)
{
	int32_t v = (int32_t)(uint32_t)little(r, 4, name);

	tell_value(r, name, FIELD_INT, 4, (uint64_t)(int64_t)v);
	return v;
}

int64_t reader_i64le(struct reader *r, const char *name)
{
	return (int64_t)little_field(r, 8, name, FIELD_INT);
}

uint32_t reader_hex32le(struct reader *r, const char *name)
{
	return (uint32_t)little_field(r, 4, name, FIELD_HEX);
}

uint64_t reader_hex64le(struct reader *r, const char *name)
{
	return little_field(r, 8, name, FIELD_HEX);
}

uint32_t reader_time32le(struct reader *r, const char *name)
{
	return (uint32_t)little_field(r, 4, name, FIELD_TIME);
}

int64_t reader_time64le(struct reader *r, const char *name)
{
	return (int64_t)little_field(r, 8, name, FIELD_TIME);
}

static struct slice bytes_field(struct reader *r, size_t len, const char *name,
				enum field_kind kind)
{
	const uint8_t *p = take(r, len, name);

	if (p == NULL)
		return slice_of(NULL, 0);
	tell_value(r, name, kind, len, 0);
	return slice_of(p, len);
}

struct slice reader_bytes(struct reader *r, size_t len, const char *name)
{
	return bytes_field(r, len, name, FIELD_BYTES);
}

struct slice reader_text(struct reader *r, size_t len, const char *name)
{
	return bytes_field(r, len, name, FIELD_TEXT);
}

struct slice reader_hash(struct reader *r, const char *name)
{
	return bytes_field(r, 32, name, FIELD_HASH);
}

void reader_group(struct reader *r, const char *name, uint64_t index)
{
	tell_value(r, name, FIELD_GROUP, 0, index);
}

void reader_tell(struct reader *r, const struct field *field)
{
	if (r->on_field != NULL && r->err == ERR_OK)
		r->on_field(r->on_field_ctx, field);
}

void writer_init(struct writer *w, uint8_t *out, size_t cap)
{
	*w = (struct writer){ .data = out, .cap = cap };
}

void writer_fail(struct writer *w, enum err err)
{
	if (w->err == ERR_OK)
		w->err = err;
}

static uint8_t *room(struct writer *w, size_t len)
{
	uint8_t *p;

	if (w->err != ERR_OK || len == 0)
		return NULL;
	if (len > w->cap - w->len) {
		w->err = ERR_FULL;
		return NULL;
	}
	p = w->data + w->len;
	w->len += len;
	return p;
}

static void put_little(struct writer *w, uint64_t v, size_t len)
{
	uint8_t *p = room(w, len);

	if (p == NULL)
		return;
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

void writer_u8(struct writer *w, uint8_t v)
{
	put_little(w, v, 1);
}

void writer_u16le(struct writer *w, uint16_t v)
{
	put_little(w, v, 2);
}

void writer_u16be(struct writer *w, uint16_t v)
{
	put_little(w, (uint16_t)(v << 8 | v >> 8), 2);
}

void writer_u32le(struct writer *w, uint32_t v)
{
	put_little(w, v, 4);
}

void writer_u64le(struct writer *w, uint64_t v)
{
	put_little(w, v, 8);
}

void writer_bytes(struct writer *w, const void *data, size_t len)
{
	uint8_t *p = room(w, len);

	if (p != NULL)
		memcpy(p, data, len);
}

void writer_slice(struct writer *w, struct slice s)
{
	writer_bytes(w, s.data, s.len);
}

void writer_zeros(struct writer *w, size_t len)
{
	uint8_t *p = room(w, len);

	if (p != NULL)
		memset(p, 0, len);
}

struct slice slice_text(const char *text)
{
	return slice_of(text, strlen(text));
}

bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
