#include "proto/ethereum/enr.h"

#include <string.h>

static const char prefix[] = "enr:";
/* RFC 4648, section 5. */
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* *at: the character that is wrong. */
static enum err base64_decode(struct slice in, uint8_t *out, size_t cap, size_t *len, size_t *at)
{
	uint32_t bits = 0;
	unsigned have = 0;

	*len = 0;
	for (size_t i = 0; i < in.len; i++) {
		const char *digit = in.data[i] != 0 ? strchr(digits, in.data[i]) : NULL;

		*at = i;
		if (digit == NULL)
			return ERR_SYNTAX;
		bits = bits << 6 | (uint32_t)(digit - digits);
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (*len == cap)
			return ERR_LIMIT;
		out[(*len)++] = (uint8_t)(bits >> have);
		bits &= (1U << have) - 1;
	}
	/* A last digit that adds no byte, or has bits beyond it, is no text of ours. */
	return have < 6 && bits == 0 ? ERR_OK : ERR_SYNTAX;
}

static size_t base64_encode(struct slice in, char *out)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++) {
		bits = bits << 8 | in.data[i];
		have += 8;
		while (have >= 6) {
			have -= 6;
			out[n++] = digits[bits >> have & 63];
		}
	}
	if (have > 0)
		out[n++] = digits[bits << (6 - have) & 63];
	out[n] = 0;
	return n;
}

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
	err = base64_decode(slice_from(text, strlen(prefix)), buf, ENR_LEN_MAX, len, &at);
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
	return strlen(prefix) + base64_encode(e->raw, out + strlen(prefix));
}
