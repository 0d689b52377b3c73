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

json_t *json_whole(json_t *list, size_t count)
{
	size_t has = json_is_array(list) ? json_array_size(list) : json_object_size(list);

	if (list != NULL && has == count)
		return list;
	json_decref(list);
	return NULL;
}
