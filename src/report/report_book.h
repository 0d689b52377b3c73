/* report_book.h: what our own nodes know, in numbers: a summary of each book of the store. */
#ifndef PEERWALK_REPORT_REPORT_BOOK_H
#define PEERWALK_REPORT_REPORT_BOOK_H

#include "store/book.h"

#include <jansson.h>

/* An array of objects: book (escaped), known, reached (by ourselves), day (of these, within the
 * last day), failing (not since), last_reached (seconds since 1970, or null), kinds{name: known}.
 * network NULL: all; else the book of that one, and of its groups. now_s: seconds since 1970.
 * Errors of the store, told by store_why; ERR_NOMEM. json_decref it. */
enum err report_books(struct store *s, const char *network, int64_t now_s, json_t **out);

#endif
