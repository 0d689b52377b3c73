/* field_text.h: a decoded field (base/bytes.h) as text. */
#ifndef PEERWALK_BASE_FIELD_TEXT_H
#define PEERWALK_BASE_FIELD_TEXT_H

#include "base/text.h"

void field_text_add_hex(struct text *t, struct slice s, bool reverse);
/* Its value; of FIELD_BYTES no more than bytes_max, with dots where some are left out. */
void field_text_add(struct text *t, const struct field *f, size_t bytes_max);
/* " (what the value means)", where the decoder knows. */
void field_text_add_meaning(struct text *t, const struct field *f);

#endif
