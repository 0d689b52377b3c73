#include "api/api.h"

#include "base/field_text.h"

#include <assert.h>

struct explain {
	pw_field_fn *on_field;
	void *ctx;
	struct text text; /* of the current field */
	bool failed;
};

static enum pw_field_kind public_kind(enum field_kind kind)
{
	switch (kind) {
	case FIELD_UINT:
		return PW_FIELD_UINT;
	case FIELD_INT:
		return PW_FIELD_INT;
	case FIELD_HEX:
		return PW_FIELD_HEX;
	case FIELD_TIME:
		return PW_FIELD_TIME;
	case FIELD_BYTES:
		return PW_FIELD_BYTES;
	case FIELD_TEXT:
		return PW_FIELD_TEXT;
	case FIELD_HASH:
		return PW_FIELD_HASH;
	case FIELD_ADDR:
		return PW_FIELD_ADDR;
	case FIELD_GROUP:
		return PW_FIELD_GROUP;
	}
	assert(false);
	return PW_FIELD_BYTES;
}

static void on_field(void *ctx, const struct field *f)
{
	struct explain *e = ctx;
	struct pw_field field = {
		.name = f->name,
		.kind = public_kind(f->kind),
		.at = f->at,
		.len = f->len,
		.value = f->value,
		.bytes = api_bytes(f->bytes),
		.text = "",
	};

	e->text.len = 0;
	field_text_add(&e->text, f, SIZE_MAX);
	field_text_add_meaning(&e->text, f);
	if (e->text.err != ERR_OK) {
		e->failed = true;
		return;
	}
	if (e->text.len > 0)
		field.text = e->text.data;
	e->on_field(e->ctx, &field);
}

enum pw_err pw_explain(const struct pw_network *network, const void *data, size_t len,
		       pw_field_fn *tell, void *ctx, struct pw_fault *fault)
{
	const struct network *n = api_network(network);
	struct explain e = { .on_field = tell, .ctx = ctx };
	const char *rule = "";
	size_t at = 0;
	enum err err = n->proto->explain(n, slice_of(data, len), on_field, &e, &at, &rule);

	text_clear(&e.text);
	if (e.failed)
		return PW_ERR_NOMEM;
	if (err != ERR_OK && fault != NULL)
		*fault = (struct pw_fault){ .at = at, .rule = rule };
	return api_err(err);
}
