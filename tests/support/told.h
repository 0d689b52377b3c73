/* told.h: a hook for readers that notes what it is told: the names, and whether one field
 * begins where the last ended. */
#ifndef PEERWALK_TESTS_SUPPORT_TOLD_H
#define PEERWALK_TESTS_SUPPORT_TOLD_H

#include "base/bytes.h"

#include <stdio.h>
#include <string.h>

struct told {
	char names[4000]; /* "version|from|ip"; the start of a list's element is "node#0" */
	size_t covered;   /* every byte before this belongs to exactly one field */
	bool gap;
};

static inline void told_field(void *ctx, const struct field *f)
{
	struct told *t = ctx;
	size_t len = strlen(t->names);
	const char *bar = len > 0 ? "|" : "";

	if (f->kind == FIELD_GROUP)
		snprintf(t->names + len, sizeof(t->names) - len, "%s%s#%u", bar, f->name,
			 (unsigned)f->value);
	else
		snprintf(t->names + len, sizeof(t->names) - len, "%s%s", bar, f->name);
	if (f->at != t->covered)
		t->gap = true;
	t->covered = f->at + f->len;
}

#endif
