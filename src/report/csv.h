/* csv.h: reading RFC 4180, one row at a time, out of text in memory.
 *
 * Quoted fields may hold commas, doubled quotes and line breaks. Lines end with LF or
 * CRLF. The fields of a row live until the next call. */
#ifndef PEERWALK_REPORT_CSV_H
#define PEERWALK_REPORT_CSV_H

#include "base/text.h"

enum { CSV_FIELDS_MAX = 64 };

struct csv {
	struct slice rest;
	uint64_t line; /* of the row that was read last, from 1 */
	size_t count;
	struct slice fields[CSV_FIELDS_MAX];
	/* private */
	uint64_t next_line;
	struct text scratch;
};

void csv_init(struct csv *c, struct slice text);
void csv_clear(struct csv *c);
/* False at the end of the text, or on an error: ERR_SYNTAX (a quote without its
 * partner), ERR_LIMIT (too many fields), ERR_NOMEM. */
bool csv_next(struct csv *c, enum err *err);
/* Which field of the row that was read has this text; -1: none. For the heading. */
int csv_find(const struct csv *c, const char *name);

#endif
