#include "cli/alloc.h"
#include "cli/cli.h"
#include "cli/terminal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMN_GAP = 2 };

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

	for (unsigned c = 0; c < t->columns; c++)
		widths[c] = terminal_text_width(header_text(t->headers[c]));
	for (size_t i = 0; i < t->count; i++) {
		size_t width = terminal_text_width(t->cells[i]);

		if (width > widths[i % t->columns])
			widths[i % t->columns] = width;
	}
	print_headers(t, widths);
	for (size_t i = 0; i < t->count; i++) {
		unsigned c = (unsigned)(i % t->columns);
		bool last = c + 1 == t->columns;

		print_cell(t->cells[i], widths[c], is_right(t->headers[c]), last);
		if (last)
			putchar('\n');
		free(t->cells[i]);
	}
	free(widths);
	free(t->cells);
	free(t);
}
