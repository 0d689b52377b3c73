#include "cli/terminal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_can_draw(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

bool terminal_can_colour(int fd)
{
	const char *no_color = getenv("NO_COLOR");

	return terminal_can_draw(fd) && (no_color == NULL || no_color[0] == '\0');
}

bool terminal_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	/* The first one that is set counts: POSIX, 8.2. */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && value[0] != '\0')
			return strcasestr(value, "utf-8") != NULL ||
			       strcasestr(value, "utf8") != NULL;
	}
	return false;
}

unsigned terminal_width(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return TERMINAL_WIDTH_DEFAULT;
	return size.ws_col < TERMINAL_WIDTH_MIN ? TERMINAL_WIDTH_MIN : size.ws_col;
}

/* Ranges of characters that are not one column wide: the blocks of Unicode's East
 * Asian Width "W" and "F" that hold text, and the combining marks. */
static const struct {
	uint32_t first, last;
	unsigned columns;
} widths[] = {
	{ 0x300, 0x36f, 0 },     { 0x483, 0x489, 0 },     { 0x591, 0x5bd, 0 },
	{ 0x64b, 0x65f, 0 },     { 0x1100, 0x115f, 2 },   { 0x1ab0, 0x1aff, 0 },
	{ 0x1dc0, 0x1dff, 0 },   { 0x20d0, 0x20ff, 0 },   { 0x2e80, 0x303e, 2 },
	{ 0x3041, 0x33ff, 2 },   { 0x3400, 0x4dbf, 2 },   { 0x4e00, 0xa4cf, 2 },
	{ 0xac00, 0xd7a3, 2 },   { 0xf900, 0xfaff, 2 },   { 0xfe00, 0xfe0f, 0 },
	{ 0xfe20, 0xfe2f, 0 },   { 0xfe30, 0xfe6f, 2 },   { 0xff01, 0xff60, 2 },
	{ 0xffe0, 0xffe6, 2 },   { 0x1f300, 0x1f64f, 2 }, { 0x1f680, 0x1f6ff, 2 },
	{ 0x1f900, 0x1f9ff, 2 }, { 0x20000, 0x3fffd, 2 },
};

static unsigned char_columns(uint32_t c)
{
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
		if (c >= widths[i].first && c <= widths[i].last)
			return widths[i].columns;
	}
	return 1;
}

/* One character: its length in bytes, and its columns. */
static size_t next_char(const char *text, unsigned *columns)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc0 ? 2 : 1;
	uint32_t c = len == 1 ? p[0] : p[0] & (0x7fU >> len);

	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			*columns = 1;
			return 1;
		}
		c = c << 6 | (p[i] & 0x3f);
	}
	*columns = char_columns(c);
	return len;
}

size_t terminal_text_width(const char *text)
{
	size_t width = 0;
	unsigned columns;

	while (*text != '\0') {
		text += next_char(text, &columns);
		width += columns;
	}
	return width;
}

size_t terminal_text_fit(const char *text, size_t limit)
{
	size_t at = 0, width = 0;
	unsigned columns;

	while (text[at] != '\0') {
		size_t len = next_char(text + at, &columns);

		if (width + columns > limit)
			break;
		width += columns;
		at += len;
	}
	return at;
}

static size_t word_width(const char *text, size_t len)
{
	size_t width = 0;
	unsigned columns;

	for (size_t at = 0; at < len;) {
		at += next_char(text + at, &columns);
		width += columns;
	}
	return width;
}

/* One line of the source text: words flow, unless it begins with a space. */
static void wrap_line(FILE *out, const char *line, size_t len, size_t column, size_t indent,
		      size_t width)
{
	bool first = true;

	if (len > 0 && line[0] == ' ') {
		fwrite(line, 1, len, out);
		return;
	}
	while (len > 0) {
		const char *space = memchr(line, ' ', len);
		size_t word = space != NULL ? (size_t)(space - line) : len;
		size_t columns = word_width(line, word);

		if (!first && column + 1 + columns > width) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			putc(' ', out);
			column++;
		}
		fwrite(line, 1, word, out);
		column += columns;
		first = false;
		line += word;
		len -= word;
		while (len > 0 && line[0] == ' ') {
			line++;
			len--;
		}
	}
}

void terminal_wrap(FILE *out, const char *text, size_t column, size_t indent, size_t width)
{
	for (;;) {
		const char *end = strchr(text, '\n');
		size_t len = end != NULL ? (size_t)(end - text) : strlen(text);

		wrap_line(out, text, len, column, indent, width);
		if (end == NULL || end[1] == '\0')
			return;
		text = end + 1;
		putc('\n', out);
		if (*text != '\n' && *text != '\0')
			fprintf(out, "%*s", (int)indent, "");
		column = indent;
	}
}

void terminal_draw_line(const char *line, bool *drawn)
{
	unsigned width = terminal_width(STDERR_FILENO);

	/* A line that wraps can't be taken back. */
	fprintf(stderr, "\r\x1b[K%.*s", (int)terminal_text_fit(line, width - 1), line);
	fflush(stderr);
	*drawn = true;
}

void terminal_hide_line(bool *drawn)
{
	if (*drawn)
		fputs("\r\x1b[K", stderr);
	*drawn = false;
}
