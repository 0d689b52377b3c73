/* fields.h: a hook that ends the program unless each field begins where the last ended. */
#ifndef PEERWALK_TESTS_FUZZ_FIELDS_H
#define PEERWALK_TESTS_FUZZ_FIELDS_H

#include "base/bytes.h"
#include "fuzz/fuzz.h"

#include <string.h>

static inline void check_field(void *end, const struct field *f)
{
	size_t *at = (size_t *)end;

	CHECK(f->name != NULL && f->name[0] != 0);
	CHECK(f->at == *at);
	*at = f->at + f->len;
}

/* What a decoder made of the same bytes with the hook and without it: one verdict, fields
 * that cover all that was read, and an error that has a place and a rule. */
static inline void check_verdicts(const struct reader *told, const struct reader *quiet, size_t end)
{
	CHECK(told->err == quiet->err && told->err_at == quiet->err_at && told->at == quiet->at);
	CHECK(end <= told->len && told->at <= told->len);
	if (told->err == ERR_OK) {
		CHECK(end == told->at);
		return;
	}
	CHECK(told->err_at <= told->len && told->rule != NULL && told->rule[0] != 0);
	CHECK(quiet->rule != NULL && strcmp(told->rule, quiet->rule) == 0);
}

#endif
