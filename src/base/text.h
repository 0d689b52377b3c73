/* text.h: text for people and files: escaping what strangers wrote, hex, units, times.
 *
 * Functions that fill a caller's array always end it with NUL and return the length. */
#ifndef PEERWALK_BASE_TEXT_H
#define PEERWALK_BASE_TEXT_H

#include "base/bytes.h"

/* A growing text in memory, for output that is made in pieces. Sticks at ERR_NOMEM. */
struct text {
	char *data; /* NUL-terminated once anything was added; NULL before */
	size_t len, cap;
	enum err err;
};

void text_clear(struct text *t); /* frees */
void text_add(struct text *t, const char *s);
void text_add_slice(struct text *t, struct slice s);
void text_printf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A stranger's bytes made harmless for a terminal or a log: printable ASCII stays,
 * well-formed UTF-8 letters stay, control and format characters (C0, C1, bidi
 * marks, zero-width, line separators), bytes that are no UTF-8 and the backslash
 * become \xNN (\\ for the backslash). */
void text_add_escaped(struct text *t, struct slice s);
/* The same for a text of which parts were escaped before: their backslashes stay as they are. */
void text_add_escaped_rest(struct text *t, const char *text);
/* One CSV field of RFC 4180, after text_add_escaped; quoted where needed, and with
 * a leading apostrophe where a spreadsheet would take it for a formula (= + - @). A
 * semicolon before a formula, where some of them begin a column, becomes \x3b. */
void text_add_csv(struct text *t, struct slice s);

/* The first character of text in UTF-8: how many bytes it has; 0 if it is none (no well-formed
 * one, in its shortest form). */
size_t utf8_decode(struct slice s, uint32_t *out);

/* text_add_escaped into a fixed array, cut at its end (never inside an escape). */
size_t text_escape(struct slice s, char *out, size_t cap);

/* Pairs of digits only, no blanks: ERR_SYNTAX; ERR_FULL beyond cap bytes. */
enum err hex_decode(struct slice text, uint8_t *out, size_t cap, size_t *len);
/* Writes 2 * len digits and NUL; out must have room. */
void hex_encode(struct slice s, char *out);

/* These take decimal digits and a unit, no sign and no blanks: ERR_SYNTAX, or ERR_LIMIT
 * for a number that is too big. */
/* "250ms", "5s", "10m", "2h", "1d", "90d", "1.5s"; a bare number is seconds; at most
 * a hundred years. */
enum err parse_duration(const char *text, uint64_t *ms);
/* "64MiB", "10KiB", "1GB", "4096". */
enum err parse_size(const char *text, uint64_t *bytes);
/* "2000/s", "100/m", "500" (a second). */
enum err parse_rate(const char *text, double *per_s);
enum err parse_uint(const char *text, uint64_t max, uint64_t *out);
/* "0.25" or "25%": between 0 and 1. */
enum err parse_fraction(const char *text, double *out);

/* ISO 8601: "2026-08-01" (its first moment), "2026-08-01T12:00", "2026-08-01T12:00:00.250Z",
 * "2026-08-01T14:00+02:00"; a blank may stand for the T, and without a zone it is UTC. From 1970
 * to 9999. ERR_SYNTAX; ERR_VALUE for a day or an hour that there is not. */
enum err parse_time(const char *text, int64_t *unix_ms);

/* UTC, ISO 8601: "2026-08-01T12:00:00Z", or with_ms "2026-08-01T12:00:00.250Z".
 * Empty for a negative time. */
size_t format_time(int64_t unix_ms, bool with_ms, char out[static 32]);
/* "1,234,567" */
size_t format_count(uint64_t n, char out[static 32]);
/* "1.5 MiB"; rounded down, as is the next */
size_t format_bytes(uint64_t n, char out[static 32]);
/* "250 ms", "12.3 s", "4 min 05 s", "2 h 03 min" */
size_t format_duration(uint64_t ms, char out[static 32]);

#endif
