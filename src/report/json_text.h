/* json_text.h: a tree of jansson's as text.
 *
 * Not by json_dumps, whose result belongs to whatever allocator jansson was given: that is one for
 * the whole process, and free() need not be the other half of it. */
#ifndef PEERWALK_REPORT_JSON_TEXT_H
#define PEERWALK_REPORT_JSON_TEXT_H

#include "base/text.h"

#include <jansson.h>

/* Adds doc, as json_dumps would write it with those flags, and lets go of it. NULL: there was no
 * memory for it. ERR_NOMEM, at which out sticks, too. */
enum err json_text_add(struct text *out, json_t *doc, size_t flags);

/* `list`, an array or an object, if it holds so many; else, as jansson drops what it has no memory
 * for, NULL, and lets go of it. */
json_t *json_whole(json_t *list, size_t count);

#endif
