#include "proto/ethereum/enr.h"

#include "base/rfc4648.h"

#include <string.h>

static const char prefix[] = "enr:";

enum err enr_text_bytes(struct slice text, uint8_t buf[static ENR_LEN_MAX], size_t *len,
			size_t *err_at, const char **rule)
{
	size_t at = 0;
	enum err err;

	*err_at = 0;
	*len = 0;
	*rule = "enr: and the record in URL-safe base64, without padding";
	if (text.len < strlen(prefix) || memcmp(text.data, prefix, strlen(prefix)) != 0)
		return ERR_SYNTAX;
	err = base64url_decode(slice_from(text, strlen(prefix)), buf, ENR_LEN_MAX, len, &at);
	if (err == ERR_LIMIT)
		*rule = "record: no longer than 300 bytes";
	*err_at = strlen(prefix) + at;
	return err;
}

enum err enr_parse(struct slice text, uint8_t buf[static ENR_LEN_MAX], struct enr *out,
		   const char **rule)
{
	struct reader r;
	size_t len, err_at;
	enum err err = enr_text_bytes(text, buf, &len, &err_at, rule);

	*out = (struct enr){ 0 };
	if (err != ERR_OK)
		return err;
	reader_init(&r, slice_of(buf, len));
	enr_decode(&r, out);
	reader_end(&r, "record: nothing comes behind it");
	*rule = r.rule;
	return r.err;
}

size_t enr_text(const struct enr *e, char out[static ENR_TEXT_MAX])
{
	memcpy(out, prefix, sizeof(prefix));
	return strlen(prefix) + base64url_encode(e->raw, out + strlen(prefix));
}
