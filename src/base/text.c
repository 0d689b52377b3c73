#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	TEXT_CAP_MIN = 256,
	ESCAPED_MAX = 4 * 4, /* four bytes of UTF-8 as \xNN each */
};

/* A hundred years: "now + duration" can't overflow anywhere. */
static const uint64_t DURATION_MAX_MS = 36525ULL * 86400 * 1000;

/* Code points that must not reach a terminal: they move the cursor, turn the writing
 * around, or can't be seen. From the Unicode Character Database: categories Cc, Cf,
 * Zs (but the ordinary blank), Zl, Zp, Co, and Default_Ignorable_Code_Point. */
static const struct {
	uint32_t first, last;
} unsafe[] = {
	{ 0x00, 0x1f },       { 0x7f, 0xa0 },        /* C0, DEL, C1, no-break space */
	{ 0xad, 0xad },       { 0x34f, 0x34f },      /* soft hyphen, grapheme joiner */
	{ 0x600, 0x605 },     { 0x61c, 0x61c },      /* Arabic number signs, letter mark */
	{ 0x6dd, 0x6dd },     { 0x70f, 0x70f },      /* end of ayah, Syriac abbreviation */
	{ 0x890, 0x891 },     { 0x8e2, 0x8e2 },      /* Arabic marks above */
	{ 0x115f, 0x1160 },   { 0x1680, 0x1680 },    /* Hangul fillers, Ogham space */
	{ 0x17b4, 0x17b5 },   { 0x180b, 0x180f },    /* Khmer inherent vowels, Mongolian */
	{ 0x2000, 0x200f },   { 0x2028, 0x202f },    /* spaces, zero-width, lines, bidi */
	{ 0x205f, 0x206f },   { 0x3000, 0x3000 },    /* joiners, isolates, wide space */
	{ 0x3164, 0x3164 },   { 0xe000, 0xf8ff },    /* Hangul filler, private use */
	{ 0xfdd0, 0xfdef },   { 0xfe00, 0xfe0f },    /* noncharacters, variation selectors */
	{ 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },    /* byte order mark, Hangul filler */
	{ 0xfff0, 0xfffb },   { 0xfffe, 0xffff },    /* annotations, noncharacters */
	{ 0x110bd, 0x110bd }, { 0x110cd, 0x110cd },  /* Kaithi number signs */
	{ 0x13430, 0x1343f }, { 0x1bca0, 0x1bca3 },  /* hieroglyph, shorthand controls */
	{ 0x1d173, 0x1d17a }, { 0xe0000, 0x10ffff }, /* musical; tags and private use */
};

void text_clear(struct text *t)
{
	free(t->data);
	*t = (struct text){ 0 };
}

/* Makes room for more bytes and the NUL. */
static bool text_room(struct text *t, size_t more)
{
	size_t cap = t->cap > 0 ? t->cap : TEXT_CAP_MIN;
	char *data;

	if (t->err != ERR_OK)
		return false;
	if (t->data != NULL && more < t->cap - t->len)
		return true;
	if (more >= SIZE_MAX / 4 - t->len) {
		t->err = ERR_NOMEM;
		return false;
	}
	while (cap - t->len <= more)
		cap *= 2;
	data = realloc(t->data, cap);
	if (data == NULL) {
		t->err = ERR_NOMEM;
		return false;
	}
	t->data = data;
	t->cap = cap;
	return true;
}

void text_add_slice(struct text *t, struct slice s)
{
	if (!text_room(t, s.len))
		return;
	if (s.len > 0)
		memcpy(t->data + t->len, s.data, s.len);
	t->len += s.len;
	t->data[t->len] = 0;
}

void text_add(struct text *t, const char *s)
{
	text_add_slice(t, slice_text(s));
}

void text_printf(struct text *t, const char *format, ...)
{
	va_list args, again;
	int len;

	if (!text_room(t, 0))
		return;
	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(t->data + t->len, t->cap - t->len, format, args);
	if (len < 0) {
		t->err = ERR_IO;
	} else if ((size_t)len < t->cap - t->len || text_room(t, (size_t)len)) {
		vsnprintf(t->data + t->len, t->cap - t->len, format, again);
		t->len += (size_t)len;
	}
	if (t->err != ERR_OK)
		t->data[t->len] = 0;
	va_end(again);
	va_end(args);
}

/* Length of the well-formed UTF-8 sequence at the start of s (RFC 3629: no overlong
 * form, no surrogate, nothing beyond U+10FFFF), or 0. */
size_t utf8_decode(struct slice s, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t lead = s.data[0];
	size_t len = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	uint32_t v = len == 1 ? lead : lead & (0x7fU >> len);

	if (len == 0 || lead >= 0xf8 || s.len < len)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((s.data[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (s.data[i] & 0x3f);
	}
	if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*out = v;
	return len;
}

static bool is_safe(uint32_t code)
{
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(*unsafe) && unsafe[i].first <= code; i++) {
		if (code <= unsafe[i].last)
			return false;
	}
	return true;
}

/* Takes one character off s and writes its harmless form: the unit that is never cut. */
static size_t escape_one(struct slice *s, char out[static ESCAPED_MAX])
{
	static const char digits[] = "0123456789abcdef";
	uint32_t code = 0;
	size_t len = utf8_decode(*s, &code), n = 0;
	bool safe = len > 0 && is_safe(code);

	if (len == 0)
		len = 1;
	if (code == '\\')
		out[n++] = '\\';
	for (size_t i = 0; i < len; i++) {
		if (safe) {
			out[n++] = (char)s->data[i];
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = digits[s->data[i] >> 4];
		out[n++] = digits[s->data[i] & 15];
	}
	*s = slice_from(*s, len);
	return n;
}

void text_add_escaped(struct text *t, struct slice s)
{
	char one[ESCAPED_MAX];

	text_add_slice(t, slice_of(NULL, 0)); /* data is there even for an empty text */
	while (s.len > 0 && t->err == ERR_OK) {
		size_t n = escape_one(&s, one);

		text_add_slice(t, slice_of(one, n));
	}
}

size_t text_escape(struct slice s, char *out, size_t cap)
{
	char one[ESCAPED_MAX];
	size_t len = 0;

	if (cap == 0)
		return 0;
	while (s.len > 0) {
		size_t n = escape_one(&s, one);

		if (n >= cap - len)
			break;
		memcpy(out + len, one, n);
		len += n;
	}
	out[len] = 0;
	return len;
}

/* Spreadsheets take these at the start for a formula; the full-width ones too. What stands before
 * them, and is one of `passed`, counts for nothing. */
static bool looks_like_formula(struct slice s, struct slice passed)
{
	uint32_t code = 0;

	while (s.len > 0 && memchr(passed.data, s.data[0], passed.len) != NULL)
		s = slice_from(s, 1);
	if (s.len == 0 || utf8_decode(s, &code) == 0)
		return false;
	return code == '=' || code == '+' || code == '-' || code == '@' || code == 0xff1d ||
	       code == 0xff0b || code == 0xff0d || code == 0xff20;
}

void text_add_escaped_rest(struct text *t, const char *text)
{
	for (;;) {
		size_t len = strcspn(text, "\\");

		text_add_escaped(t, slice_of(text, len));
		if (text[len] == '\0')
			break;
		text_add(t, "\\");
		text += len + 1;
	}
}

/* Where the decimal mark is a comma, spreadsheets begin a column at a semicolon, and know no quotes
 * within it. */
static bool begins_formula(struct slice s)
{
	return s.data[0] == ';' && looks_like_formula(slice_from(s, 1), slice_text(" \""));
}

void text_add_csv(struct text *t, struct slice s)
{
	bool quote = s.len > 0 &&
		     (s.data[0] == ' ' || s.data[s.len - 1] == ' ' ||
		      memchr(s.data, ',', s.len) != NULL || memchr(s.data, ';', s.len) != NULL ||
		      memchr(s.data, '"', s.len) != NULL);
	char one[ESCAPED_MAX];

	text_add(t, quote ? "\"" : "");
	if (looks_like_formula(s, slice_text(" ")))
		text_add(t, "'");
	while (s.len > 0 && t->err == ERR_OK) {
		bool formula = begins_formula(s);
		size_t n = escape_one(&s, one);

		if (one[0] == '"')
			text_add(t, "\"");
		text_add_slice(t, formula ? slice_text("\\x3b") : slice_of(one, n));
	}
	text_add(t, quote ? "\"" : "");
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum err hex_decode(struct slice text, uint8_t *out, size_t cap, size_t *len)
{
	*len = 0;
	if (text.len % 2 != 0)
		return ERR_SYNTAX;
	if (text.len / 2 > cap)
		return ERR_FULL;
	for (size_t i = 0; i < text.len / 2; i++) {
		int high = hex_digit(text.data[2 * i]), low = hex_digit(text.data[2 * i + 1]);

		if (high < 0 || low < 0)
			return ERR_SYNTAX;
		out[i] = (uint8_t)(high << 4 | low);
	}
	*len = text.len / 2;
	return ERR_OK;
}

void hex_encode(struct slice s, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < s.len; i++) {
		*out++ = digits[s.data[i] >> 4];
		*out++ = digits[s.data[i] & 15];
	}
	*out = 0;
}

/* A decimal number in two whole parts, so that nothing is lost and no locale matters. */
struct decimal {
	uint64_t whole;
	uint32_t billionths;
};

/* Reads "12" or "1.5" and leaves *text behind it. Digits after the ninth are dropped. */
static enum err decimal_parse(const char **text, struct decimal *out)
{
	const char *p = *text;
	uint32_t worth = 100 * 1000 * 1000;

	*out = (struct decimal){ 0 };
	if (*p < '0' || *p > '9')
		return ERR_SYNTAX;
	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (out->whole > (UINT64_MAX - digit) / 10)
			return ERR_LIMIT;
		out->whole = out->whole * 10 + digit;
	}
	if (*p == '.') {
		p++;
		if (*p < '0' || *p > '9')
			return ERR_SYNTAX;
		for (; *p >= '0' && *p <= '9'; p++, worth /= 10)
			out->billionths += worth * (uint32_t)(*p - '0');
	}
	*text = p;
	return ERR_OK;
}

static double decimal_double(const struct decimal *d)
{
	return (double)d->whole + (double)d->billionths / 1e9;
}

struct unit {
	const char *name;
	uint64_t worth;
};

/* A number and one of the units (the list ends with a NULL name), rounded down. */
static enum err quantity_parse(const char *text, const struct unit *units, uint64_t *out)
{
	struct decimal d;
	enum err err = decimal_parse(&text, &d);
	unsigned __int128 v;

	*out = 0;
	if (err != ERR_OK)
		return err;
	while (units->name != NULL && strcmp(units->name, text) != 0)
		units++;
	if (units->name == NULL)
		return ERR_SYNTAX;
	v = (unsigned __int128)d.whole * units->worth +
	    (unsigned __int128)d.billionths * units->worth / 1000000000;
	if (v > UINT64_MAX)
		return ERR_LIMIT;
	*out = (uint64_t)v;
	return ERR_OK;
}

enum err parse_duration(const char *text, uint64_t *ms)
{
	static const struct unit units[] = {
		{ "", 1000 },         { "ms", 1 },       { "s", 1000 }, { "m", 60000 },
		{ "h", 3600 * 1000 }, { "d", 86400000 }, { NULL, 0 },
	};

	enum err err = quantity_parse(text, units, ms);

	return err == ERR_OK && *ms > DURATION_MAX_MS ? ERR_LIMIT : err;
}

enum err parse_size(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "B", 1 },
		{ "KiB", 1 << 10 },
		{ "MiB", 1 << 20 },
		{ "GiB", 1 << 30 },
		{ "TiB", 1ULL << 40 },
		{ "kB", 1000 },
		{ "KB", 1000 },
		{ "MB", 1000 * 1000 },
		{ "GB", 1000 * 1000 * 1000 },
		{ "TB", 1000ULL * 1000 * 1000 * 1000 },
		{ NULL, 0 },
	};

	return quantity_parse(text, units, bytes);
}

enum err parse_rate(const char *text, double *per_s)
{
	struct decimal d;
	enum err err = decimal_parse(&text, &d);
	double seconds;

	*per_s = 0;
	if (err != ERR_OK)
		return err;
	if (strcmp(text, "") == 0 || strcmp(text, "/s") == 0)
		seconds = 1;
	else if (strcmp(text, "/m") == 0)
		seconds = 60;
	else if (strcmp(text, "/h") == 0)
		seconds = 3600;
	else
		return ERR_SYNTAX;
	*per_s = decimal_double(&d) / seconds;
	return ERR_OK;
}

enum err parse_uint(const char *text, uint64_t max, uint64_t *out)
{
	struct decimal d;
	const char *end = text;
	enum err err = decimal_parse(&end, &d);

	*out = 0;
	if (err != ERR_OK)
		return err;
	if (*end != 0 || strchr(text, '.') != NULL)
		return ERR_SYNTAX;
	if (d.whole > max)
		return ERR_LIMIT;
	*out = d.whole;
	return ERR_OK;
}

enum err parse_fraction(const char *text, double *out)
{
	struct decimal d;
	enum err err = decimal_parse(&text, &d);
	double v;

	*out = 0;
	if (err != ERR_OK)
		return err;
	v = decimal_double(&d);
	if (strcmp(text, "%") == 0)
		v /= 100;
	else if (*text != 0)
		return ERR_SYNTAX;
	if (v > 1)
		return ERR_LIMIT;
	*out = v;
	return ERR_OK;
}

/* That many digits, or -1. */
static int fixed_digits(const char **at, unsigned count)
{
	int v = 0;

	for (unsigned i = 0; i < count; i++, ++*at) {
		if (**at < '0' || **at > '9')
			return -1;
		v = 10 * v + (**at - '0');
	}
	return v;
}

/* mark, and so many digits behind it; *out is left alone where the mark is missing. */
static bool marked_digits(const char **at, char mark, unsigned count, int *out)
{
	if (**at != mark)
		return true;
	++*at;
	*out = fixed_digits(at, count);
	return *out >= 0;
}

/* "Z", "+02:00", or nothing; seconds ahead of UTC. */
static enum err zone_parse(const char **at, int *ahead_s)
{
	int hours, minutes = -1, sign = **at == '-' ? -1 : 1;

	*ahead_s = 0;
	if (**at == 'Z' || **at == 0) {
		*at += **at == 'Z';
		return ERR_OK;
	}
	if (**at != '+' && **at != '-')
		return ERR_SYNTAX;
	++*at;
	hours = fixed_digits(at, 2);
	if (hours < 0 || !marked_digits(at, ':', 2, &minutes) || minutes < 0)
		return ERR_SYNTAX;
	*ahead_s = sign * (hours * 3600 + minutes * 60);
	return hours < 24 && minutes < 60 ? ERR_OK : ERR_VALUE;
}

/* "12:00", "12:00:30", "12:00:30.250", and the zone. */
static enum err clock_parse(const char **at, struct tm *tm, int *ms, int *ahead_s)
{
	int minutes = -1;
	const char *seconds;

	tm->tm_hour = fixed_digits(at, 2);
	if (tm->tm_hour < 0 || !marked_digits(at, ':', 2, &minutes) || minutes < 0)
		return ERR_SYNTAX;
	seconds = *at;
	if (!marked_digits(at, ':', 2, &tm->tm_sec) ||
	    (*at != seconds && !marked_digits(at, '.', 3, ms)))
		return ERR_SYNTAX;
	tm->tm_min = minutes;
	return zone_parse(at, ahead_s);
}

enum err parse_time(const char *text, int64_t *unix_ms)
{
	struct tm tm = { 0 }, given;
	int month = -1, day = -1, ms = 0, ahead_s = 0;
	enum err err = ERR_OK;
	time_t seconds;

	*unix_ms = 0;
	tm.tm_year = fixed_digits(&text, 4) - 1900;
	if (tm.tm_year < -1900 || !marked_digits(&text, '-', 2, &month) || month < 0 ||
	    !marked_digits(&text, '-', 2, &day) || day < 0)
		return ERR_SYNTAX;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	if (*text == 'T' || *text == ' ') {
		text++;
		err = clock_parse(&text, &tm, &ms, &ahead_s);
	}
	if (err != ERR_OK || *text != 0)
		return err != ERR_OK ? err : ERR_SYNTAX;
	given = tm;
	seconds = timegm(&tm);
	/* timegm makes the 31st of June the 1st of July. */
	if (tm.tm_mon != given.tm_mon || tm.tm_mday != given.tm_mday ||
	    tm.tm_hour != given.tm_hour || tm.tm_min != given.tm_min || tm.tm_sec != given.tm_sec ||
	    seconds - ahead_s < 0)
		return ERR_VALUE;
	*unix_ms = (int64_t)(seconds - ahead_s) * 1000 + ms;
	return ERR_OK;
}

size_t format_time(int64_t unix_ms, bool with_ms, char out[static 32])
{
	time_t seconds = unix_ms / 1000;
	struct tm tm;
	size_t n;

	out[0] = 0;
	if (unix_ms < 0 || gmtime_r(&seconds, &tm) == NULL)
		return 0;
	n = (size_t)snprintf(out, 32, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900,
			     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (with_ms)
		n += (size_t)snprintf(out + n, 32 - n, ".%03d", (int)(unix_ms % 1000));
	out[n++] = 'Z';
	out[n] = 0;
	return n;
}

size_t format_count(uint64_t n, char out[static 32])
{
	char digits[24];
	size_t count = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n), len = 0;

	for (size_t i = 0; i < count; i++) {
		if (i > 0 && (count - i) % 3 == 0)
			out[len++] = ',';
		out[len++] = digits[i];
	}
	out[len] = 0;
	return len;
}

size_t format_bytes(uint64_t n, char out[static 32])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned unit = 0;
	uint64_t tenths;

	if (n < 1024)
		return (size_t)snprintf(out, 32, "%u B", (unsigned)n);
	while (n >= 1 << 20) {
		n >>= 10;
		unit++;
	}
	tenths = n * 10 >> 10; /* rounded down, so that 1023.99 KiB doesn't read 1024.0 */
	return (size_t)snprintf(out, 32, "%u.%u %s", (unsigned)(tenths / 10),
				(unsigned)(tenths % 10), units[unit]);
}

size_t format_duration(uint64_t ms, char out[static 32])
{
	uint64_t s = ms / 1000;

	if (ms < 1000)
		return (size_t)snprintf(out, 32, "%u ms", (unsigned)ms);
	if (s < 60)
		return (size_t)snprintf(out, 32, "%u.%u s", (unsigned)s,
					(unsigned)(ms % 1000 / 100));
	if (s < 3600)
		return (size_t)snprintf(out, 32, "%u min %02u s", (unsigned)(s / 60),
					(unsigned)(s % 60));
	if (s < 86400)
		return (size_t)snprintf(out, 32, "%u h %02u min", (unsigned)(s / 3600),
					(unsigned)(s % 3600 / 60));
	return (size_t)snprintf(out, 32, "%" PRIu64 " d %02u h", s / 86400,
				(unsigned)(s % 86400 / 3600));
}
