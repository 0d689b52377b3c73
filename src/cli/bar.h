/* bar.h: a share as a bar of text. */
#ifndef PEERWALK_CLI_BAR_H
#define PEERWALK_CLI_BAR_H

#include <stdbool.h>
#include <stddef.h>

enum { BAR_MAX = 40 /* columns */ };

/* Whether the locale's characters are UTF-8, so that block characters can be shown. */
bool bar_can_unicode(void);
/* A bar of up to `width` columns for a share of 0..1, in eighths of a column if
 * unicode, whole '#' if not. Anything above zero shows at least a sliver. */
void bar_text(double share, size_t width, bool unicode, char out[static 3 * BAR_MAX + 1]);

#endif
