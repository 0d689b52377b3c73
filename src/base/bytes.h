/* bytes.h: bounded reading and writing of bytes.
 *
 * Readers and writers stick at the first error: everything after it reads as zero
 * or is dropped, and the caller checks once, at the end. Slices borrow; they live
 * as long as the bytes they point into.
 *
 * Every read names its field. With a field hook set, the hook is told each field
 * as it is read: the same decoder serves the wire and `peerwalk decode`. */
#ifndef PEERWALK_BASE_BYTES_H
#define PEERWALK_BASE_BYTES_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
	const uint8_t *data;
	size_t len;
};

/* How a field wants to be shown. */
enum field_kind {
	FIELD_UINT,  /* value, unsigned */
	FIELD_INT,   /* value, as int64_t */
	FIELD_HEX,   /* value, in hexadecimal: magic numbers, bit fields */
	FIELD_TIME,  /* value, seconds since 1970 */
	FIELD_BYTES, /* bytes, as hex */
	FIELD_TEXT,  /* bytes, a stranger's text: escape before printing */
	FIELD_HASH,  /* bytes, 32 of them, shown in reverse as block explorers do */
	FIELD_ADDR,  /* bytes, a network address; its text is in `text` */
	FIELD_GROUP, /* the start of element `value` of a list called `name` */
};

struct field {
	const char *name;
	enum field_kind kind;
	size_t at, len; /* where it stands in the reader's input */
	uint64_t value;
	struct slice bytes;
	const char *text; /* borrowed for the call, NULL if there is none */
};

typedef void field_fn(void *ctx, const struct field *field);

struct reader {
	const uint8_t *data;
	size_t len, at;
	enum err err;
	size_t err_at;    /* offset of the first byte that broke the rule */
	const char *rule; /* the rule it broke: static text */
	field_fn *on_field;
	void *on_field_ctx;
};

void reader_init(struct reader *r, struct slice in);
static inline bool reader_ok(const struct reader *r)
{
	return r->err == ERR_OK;
}
static inline size_t reader_left(const struct reader *r)
{
	return r->err == ERR_OK ? r->len - r->at : 0;
}
/* Sticks: the first failure wins. at is where it happened, rule is static text. */
void reader_fail_at(struct reader *r, enum err err, size_t at, const char *rule);
/* The same, at the place where the reader stands. */
void reader_fail(struct reader *r, enum err err, const char *rule);
/* Fails with ERR_TRAILING unless everything was read. */
void reader_end(struct reader *r, const char *rule);

uint8_t reader_u8(struct reader *r, const char *name);
uint16_t reader_u16le(struct reader *r, const char *name);
uint16_t reader_u16be(struct reader *r, const char *name);
uint32_t reader_u32le(struct reader *r, const char *name);
uint64_t reader_u64le(struct reader *r, const char *name);
int32_t reader_i32le(struct reader *r, const char *name);
int64_t reader_i64le(struct reader *r, const char *name);
/* Hexadecimal and time in the eyes of a reader; the same bytes as u32le, u64le. */
uint32_t reader_hex32le(struct reader *r, const char *name);
uint64_t reader_hex64le(struct reader *r, const char *name);
uint32_t reader_time32le(struct reader *r, const char *name);
int64_t reader_time64le(struct reader *r, const char *name);
struct slice reader_bytes(struct reader *r, size_t len, const char *name);
struct slice reader_text(struct reader *r, size_t len, const char *name);
struct slice reader_hash(struct reader *r, const char *name); /* 32 bytes */
/* Tells the hook that element index of the list `name` begins. */
void reader_group(struct reader *r, const char *name, uint64_t index);
/* For decoders that read a field in parts: tells the hook of the whole. */
void reader_tell(struct reader *r, const struct field *field);

struct writer {
	uint8_t *data;
	size_t cap, len;
	enum err err;
};

void writer_init(struct writer *w, uint8_t *out, size_t cap);
static inline bool writer_ok(const struct writer *w)
{
	return w->err == ERR_OK;
}
void writer_fail(struct writer *w, enum err err);
void writer_u8(struct writer *w, uint8_t v);
void writer_u16le(struct writer *w, uint16_t v);
void writer_u16be(struct writer *w, uint16_t v);
void writer_u32le(struct writer *w, uint32_t v);
void writer_u64le(struct writer *w, uint64_t v);
void writer_bytes(struct writer *w, const void *data, size_t len);
void writer_slice(struct writer *w, struct slice s);
void writer_zeros(struct writer *w, size_t len);

static inline struct slice slice_of(const void *data, size_t len)
{
	return (struct slice){ .data = data, .len = len };
}
struct slice slice_text(const char *text); /* without its NUL */
static inline struct slice slice_from(struct slice s, size_t at)
{
	return at < s.len ? slice_of(s.data + at, s.len - at) : slice_of(s.data, 0);
}
bool slice_equal(struct slice a, struct slice b);

#endif
