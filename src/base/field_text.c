#include "base/field_text.h"

#include <inttypes.h>

/* A piece at a time: scripts and blocks have megabytes. */
void field_text_add_hex(struct text *t, struct slice s, bool reverse)
{
	enum { PIECE = 256 };
	uint8_t bytes[PIECE];
	char digits[2 * PIECE + 1];

	for (size_t at = 0, n; at < s.len; at += n) {
		n = s.len - at < PIECE ? s.len - at : PIECE;
		for (size_t i = 0; i < n; i++)
			bytes[i] = s.data[reverse ? s.len - 1 - at - i : at + i];
		hex_encode(slice_of(bytes, n), digits);
		text_add(t, digits);
	}
}

static void add_bytes(struct text *t, struct slice s, size_t max)
{
	size_t shown = s.len < max ? s.len : max;

	field_text_add_hex(t, slice_of(s.data, shown), false);
	if (shown < s.len)
		text_add(t, "...");
}

static void add_time(struct text *t, int64_t s)
{
	char time[32];

	/* Nonsense stays a number: the year 9999 ends at 253,402,300,799. */
	if (s < 0 || s > 253402300799) {
		text_printf(t, "%" PRId64, s);
		return;
	}
	format_time(s * 1000, false, time);
	text_add(t, time);
}

void field_text_add(struct text *t, const struct field *f, size_t bytes_max)
{
	switch (f->kind) {
	case FIELD_UINT:
		text_printf(t, "%" PRIu64, f->value);
		break;
	case FIELD_INT:
		text_printf(t, "%" PRId64, (int64_t)f->value);
		break;
	case FIELD_HEX:
		text_printf(t, "0x%0*" PRIx64, f->len <= 8 ? (int)(2 * f->len) : 16, f->value);
		break;
	case FIELD_TIME:
		add_time(t, (int64_t)f->value);
		break;
	case FIELD_BYTES:
		add_bytes(t, f->bytes, bytes_max);
		break;
	case FIELD_TEXT:
		text_add_escaped(t, f->bytes);
		break;
	case FIELD_HASH:
		field_text_add_hex(t, f->bytes, true);
		break;
	case FIELD_ADDR:
		text_add(t, f->text != NULL ? f->text : "");
		break;
	case FIELD_GROUP:
		break;
	}
}

void field_text_add_meaning(struct text *t, const struct field *f)
{
	if (f->text != NULL && f->text[0] != '\0' && f->kind != FIELD_ADDR)
		text_printf(t, t->len > 0 ? " (%s)" : "(%s)", f->text);
}
