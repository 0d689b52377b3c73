/* field_text.h: a decoded field (base/bytes.h) as text and as JSON, and numbers. */
#ifndef PEERWALK_CLI_FIELD_TEXT_H
#define PEERWALK_CLI_FIELD_TEXT_H

#include "base/field_text.h"

#include <jansson.h>

/* A number for FIELD_INT and for FIELD_UINT that fits, else the text. */
json_t *field_text_json(const struct field *f);
/* A number that fits, else its digits as text. */
json_t *field_text_number_json(uint64_t v);

#endif
