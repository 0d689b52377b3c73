#include "cli/field_text.h"

#include <inttypes.h>

json_t *field_text_json(const struct field *f)
{
	struct text t = { 0 };
	json_t *value;

	if (f->kind == FIELD_INT || f->kind == FIELD_GROUP ||
	    (f->kind == FIELD_UINT && f->value <= INT64_MAX))
		return json_integer((json_int_t)f->value);
	field_text_add(&t, f, SIZE_MAX);
	value = json_stringn(t.data != NULL ? t.data : "", t.len);
	text_clear(&t);
	return value;
}

json_t *field_text_number_json(uint64_t v)
{
	return v <= INT64_MAX ? json_integer((json_int_t)v) : json_sprintf("%" PRIu64, v);
}
