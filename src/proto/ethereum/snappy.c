#include "proto/ethereum/snappy.h"

#include <assert.h>
#include <snappy-c.h>

enum err snappy_declared(struct slice in, size_t *len)
{
	if (snappy_uncompressed_length((const char *)in.data, in.len, len) != SNAPPY_OK)
		return ERR_SYNTAX;
	return *len > SNAPPY_DECLARED_MAX ? ERR_LIMIT : ERR_OK;
}

enum err snappy_unpack(struct slice in, uint8_t *out, size_t cap, size_t *len)
{
	enum err err = snappy_declared(in, len);

	if (err != ERR_OK)
		return err;
	if (*len > cap)
		return ERR_FULL;
	if (snappy_uncompress((const char *)in.data, in.len, (char *)out, len) != SNAPPY_OK)
		return ERR_SYNTAX;
	return ERR_OK;
}

void snappy_pack(struct writer *w, struct slice in)
{
	enum { LITERAL_1 = 60 << 2, LITERAL_2 = 61 << 2, LITERAL_SHORT_MAX = 60 };
	size_t left = in.len;

	assert(in.len <= SNAPPY_PACK_MAX);
	for (; left >= 0x80; left >>= 7)
		writer_u8(w, (uint8_t)(left | 0x80));
	writer_u8(w, (uint8_t)left);
	if (in.len == 0)
		return;
	if (in.len <= LITERAL_SHORT_MAX) {
		writer_u8(w, (uint8_t)((in.len - 1) << 2));
	} else if (in.len <= 1 << 8) {
		writer_u8(w, LITERAL_1);
		writer_u8(w, (uint8_t)(in.len - 1));
	} else {
		writer_u8(w, LITERAL_2);
		writer_u16le(w, (uint16_t)(in.len - 1));
	}
	writer_slice(w, in);
}
