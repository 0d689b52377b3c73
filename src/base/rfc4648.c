#include "base/rfc4648.h"

#include <string.h>

static const char upper32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
static const char lower32[] = "abcdefghijklmnopqrstuvwxyz234567";
static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t encode(struct slice in, const char *digits, unsigned each, char *out)
{
	uint32_t bits = 0, mask = (1U << each) - 1;
	unsigned have = 0;
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++) {
		bits = bits << 8 | in.data[i];
		have += 8;
		while (have >= each) {
			have -= each;
			out[n++] = digits[bits >> have & mask];
		}
	}
	if (have > 0)
		out[n++] = digits[bits << (each - have) & mask];
	out[n] = 0;
	return n;
}

size_t base32_encode(struct slice in, bool upper, char *out)
{
	return encode(in, upper ? upper32 : lower32, 5, out);
}

size_t base64url_encode(struct slice in, char *out)
{
	return encode(in, digits64, 6, out);
}

bool base32_decode(struct slice in, uint8_t *out, size_t out_len)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	if (in.len != BASE32_DIGITS(out_len))
		return false;
	for (size_t i = 0; i < in.len; i++) {
		int c = in.data[i] >= 'A' && in.data[i] <= 'Z' ? in.data[i] + 32 : in.data[i];
		const char *digit = c != 0 ? strchr(lower32, c) : NULL;

		if (digit == NULL)
			return false;
		bits = bits << 5 | (uint32_t)(digit - lower32);
		have += 5;
		if (have >= 8) {
			have -= 8;
			out[n++] = (uint8_t)(bits >> have);
			bits &= (1U << have) - 1;
		}
	}
	return bits == 0 && n == out_len;
}

enum err base64url_decode(struct slice in, uint8_t *out, size_t cap, size_t *len, size_t *at)
{
	uint32_t bits = 0;
	unsigned have = 0;

	*len = 0;
	for (size_t i = 0; i < in.len; i++) {
		const char *digit = in.data[i] != 0 ? strchr(digits64, in.data[i]) : NULL;

		*at = i;
		if (digit == NULL)
			return ERR_SYNTAX;
		bits = bits << 6 | (uint32_t)(digit - digits64);
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
