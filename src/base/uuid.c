#include "base/uuid.h"

#include "base/text.h"

#include <string.h>

/* Where the groups of the text begin, in digits of the hex form. */
static const uint8_t group_at[] = { 0, 8, 12, 16, 20, 2 * UUID_LEN };
enum { GROUPS = sizeof(group_at) - 1 };

void uuid_make(uint8_t id[static UUID_LEN])
{
	id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
	id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
}

void uuid_text(const uint8_t id[static UUID_LEN], char out[static UUID_TEXT_MAX])
{
	char hex[2 * UUID_LEN + 1];

	hex_encode(slice_of(id, UUID_LEN), hex);
	for (unsigned i = 0; i < GROUPS; i++) {
		size_t len = (size_t)(group_at[i + 1] - group_at[i]);

		memcpy(out, hex + group_at[i], len);
		out += len;
		*out++ = i + 1 < GROUPS ? '-' : '\0';
	}
}

enum err uuid_parse(struct slice text, uint8_t out[static UUID_LEN])
{
	uint8_t hex[2 * UUID_LEN];
	size_t at = 0, len;

	if (text.len != UUID_TEXT_MAX - 1)
		return ERR_SYNTAX;
	for (unsigned i = 0; i < GROUPS; i++) {
		len = (size_t)(group_at[i + 1] - group_at[i]);
		memcpy(hex + group_at[i], text.data + at, len);
		at += len;
		if (i + 1 < GROUPS && text.data[at++] != '-')
			return ERR_SYNTAX;
	}
	return hex_decode(slice_of(hex, sizeof(hex)), out, UUID_LEN, &len);
}
