/* terminal.h: what the terminal can do, and how wide text is on it. */
#ifndef PEERWALK_CLI_TERMINAL_H
#define PEERWALK_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
	TERMINAL_WIDTH_DEFAULT = 80,   /* where nobody says: files, pipes */
	TERMINAL_WIDTH_MIN = 20,       /* narrower terminals get this, and wrap by themselves */
	TERMINAL_TEXT_WIDTH_MAX = 100, /* longer lines of prose are hard to read */
};

/* A terminal that understands cursor movements (TERM is set and not "dumb"). */
bool terminal_can_draw(int fd);
/* The same, and the user did not set NO_COLOR (https://no-color.org). */
bool terminal_can_colour(int fd);
/* The locale of the environment has UTF-8: LC_ALL, LC_CTYPE or LANG says so. */
bool terminal_is_utf8(void);
/* Columns of the terminal at fd, or the default. */
unsigned terminal_width(int fd);

/* Columns that UTF-8 text takes: East Asian wide characters count two, combining
 * marks none, bytes that are no UTF-8 one each. */
size_t terminal_text_width(const char *text);
/* How many bytes of text fit into `limit` columns. */
size_t terminal_text_fit(const char *text, size_t limit);

/* A line of stderr that says how it goes, cut to fit: drawn anew, or taken away if *drawn. */
void terminal_draw_line(const char *line, bool *drawn);
void terminal_hide_line(bool *drawn);

/* Prints prose, broken between words to fit width, each line after the first
 * indented by `indent`; `column` is where the cursor stands now. No newline at the
 * end. Newlines in the text begin a new line; a line that begins with a space is
 * kept as it is. */
void terminal_wrap(FILE *out, const char *text, size_t column, size_t indent, size_t width);

#endif
