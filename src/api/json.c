#include "api/api.h"
#include "base/text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* --- writing --- */

enum { QUOTED_MAX = 6 + 1 /* \uXXXX, NUL */ };

/* The first character of *s as it stands in a string; its length. */
static size_t quote_one(struct slice *s, char out[static QUOTED_MAX])
{
	uint32_t code;
	size_t len = utf8_decode(*s, &code);
	const uint8_t *c = s->data;

	*s = slice_from(*s, len > 0 ? len : 1);
	if (len == 0)
		return (size_t)snprintf(out, QUOTED_MAX, "\\ufffd");
	if (code < 0x20)
		return (size_t)snprintf(out, QUOTED_MAX, "\\u%04x", (unsigned)code);
	if (code == '"' || code == '\\')
		return (size_t)snprintf(out, QUOTED_MAX, "\\%c", *c);
	memcpy(out, c, len);
	return len;
}

size_t pw_json_quote(struct pw_bytes text, char *out, size_t cap)
{
	struct slice left = slice_of(text.data, text.len);
	char one[QUOTED_MAX];
	size_t n, len = 0;

	out[0] = 0;
	if (cap < 3)
		return 0;
	out[len++] = '"';
	while (left.len > 0) {
		n = quote_one(&left, one);
		if (cap - len < n + 2) { /* the last quote and the NUL */
			out[0] = 0;
			return 0;
		}
		memcpy(out + len, one, n);
		len += n;
	}
	out[len++] = '"';
	out[len] = 0;
	return len;
}

/* --- reading --- */

enum pw_err pw_json_text(struct pw_bytes object, const char *key, char *out, size_t cap,
			 size_t *len)
{
	json_error_t error;
	json_t *o =
		json_loadb((const char *)object.data, object.len, JSON_REJECT_DUPLICATES, &error);
	const json_t *text = json_object_get(o, key);
	size_t n = json_string_length(text);
	enum pw_err err = PW_OK;

	out[0] = 0;
	if (o == NULL && json_error_code(&error) == json_error_out_of_memory)
		err = PW_ERR_NOMEM;
	else if (!json_is_object(o))
		err = PW_ERR_SYNTAX;
	else if (!json_is_string(text))
		err = PW_ERR_NOT_FOUND;
	else if (n >= cap)
		err = PW_ERR_FULL;
	if (err == PW_OK)
		memcpy(out, json_string_value(text), n + 1);
	if (len != NULL)
		*len = err == PW_OK ? n : 0;
	json_decref(o);
	return err;
}
