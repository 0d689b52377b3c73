#include "cli/alloc.h"
#include "cli/cli.h"
#include "cli/terminal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	COLUMN_GAP = 2,
	LAST_WIDTH_MIN = 16, /* a last column narrower than this is not worth breaking */
};

struct table {
	const char *const *headers;
	unsigned columns;
	char **cells; /* row after row */
	size_t count, cap;
};

struct table *table_new(const char *const *headers, unsigned columns)
{
	struct table *t = alloc_zeroed(1, sizeof(*t));

	t->headers = headers;
	t->columns = columns;
	return t;
}

void table_cell(struct table *t, const char *format, ...)
{
	char *cell = NULL;
	va_list args;

	if (t->count == t->cap) {
		t->cap = t->cap > 0 ? 2 * t->cap : 64;
		t->cells = alloc_grow(t->cells, t->cap, sizeof(*t->cells));
	}
	va_start(args, format);
	if (vasprintf(&cell, format, args) < 0)
		cell = alloc_text("", 0);
	va_end(args);
	t->cells[t->count++] = cell;
}

static bool is_right(const char *header)
{
	return header[0] == '>';
}

static const char *header_text(const char *header)
{
	return is_right(header) ? header + 1 : header;
}

/* Columns for the last cell on a terminal, or 0: no reason to break it there. */
static size_t last_width(const struct table *t, const size_t *widths)
{
	size_t before = 0, width = terminal_width(STDOUT_FILENO);

	if (!isatty(STDOUT_FILENO) || is_right(t->headers[t->columns - 1]))
		return 0;
	for (unsigned c = 0; c + 1 < t->columns; c++)
		before += widths[c] + COLUMN_GAP;
	return before + LAST_WIDTH_MIN < width && before + widths[t->columns - 1] > width ? width
											  : 0;
}

/* Prose of more words than fit: goes on below, in its own column. */
static void print_last(const struct table *t, const size_t *widths, const char *text, size_t width)
{
	size_t before = 0;

	for (unsigned c = 0; c + 1 < t->columns; c++)
		before += widths[c] + COLUMN_GAP;
	terminal_wrap(stdout, text, before, before, width);
}

/* The last column gets no blanks at its end. */
static void print_cell(const char *text, size_t width, bool right, bool last)
{
	size_t own = terminal_text_width(text);
	int pad = own < width ? (int)(width - own) : 0;

	if (right)
		printf("%*s%s", pad, "", text);
	else
		printf("%s%*s", text, last ? 0 : pad, "");
	if (!last)
		printf("%*s", COLUMN_GAP, "");
}

static void print_headers(const struct table *t, const size_t *widths)
{
	bool colour = terminal_can_colour(STDOUT_FILENO);
	bool any = false;

	for (unsigned c = 0; c < t->columns; c++)
		any = any || header_text(t->headers[c])[0] != '\0';
	if (!any)
		return;
	if (colour)
		fputs("\033[1m", stdout);
	for (unsigned c = 0; c < t->columns; c++)
		print_cell(header_text(t->headers[c]), widths[c], is_right(t->headers[c]),
			   c + 1 == t->columns);
	puts(colour ? "\033[0m" : "");
}

void table_print(struct table *t)
{
	size_t *widths = alloc_zeroed(t->columns, sizeof(*widths));
	size_t wrap_at;

	assert(t->columns > 0);
	for (unsigned c = 0; c < t->columns; c++)
		widths[c] = terminal_text_width(header_text(t->headers[c]));
	for (size_t i = 0; i < t->count; i++) {
		size_t width = terminal_text_width(t->cells[i]);

		if (width > widths[i % t->columns])
			widths[i % t->columns] = width;
	}
	wrap_at = last_width(t, widths);
	print_headers(t, widths);
	for (size_t i = 0; i < t->count; i++) {
		unsigned c = (unsigned)(i % t->columns);
		bool last = c + 1 == t->columns;

		if (last && wrap_at > 0)
			print_last(t, widths, t->cells[i], wrap_at);
		else
			print_cell(t->cells[i], widths[c], is_right(t->headers[c]), last);
		if (last)
			putchar('\n');
		free(t->cells[i]);
	}
	free(widths);
	free(t->cells);
	free(t);
}
