#include "report/json_text.h"

static int add_piece(const char *piece, size_t len, void *text)
{
	text_add_slice(text, slice_of(piece, len));
	return ((struct text *)text)->err == ERR_OK ? 0 : -1;
}

enum err json_text_add(struct text *out, json_t *doc, size_t flags)
{
	if (doc == NULL || json_dump_callback(doc, add_piece, out, flags) != 0)
		out->err = ERR_NOMEM;
	json_decref(doc);
	return out->err;
}
