#include "crypto/hmac.h"

#include <string.h>

enum { BLOCK_LEN = 64 /* of SHA-256 */ };

static void begin(struct sha256 *s, const uint8_t key[BLOCK_LEN], uint8_t pad)
{
	uint8_t block[BLOCK_LEN];

	for (unsigned i = 0; i < BLOCK_LEN; i++)
		block[i] = key[i] ^ pad;
	sha256_init(s);
	sha256_update(s, slice_of(block, sizeof(block)));
	explicit_bzero(block, sizeof(block));
}

void hmac_sha256(struct slice key, const struct slice *parts, size_t count, uint8_t out[32])
{
	uint8_t block[BLOCK_LEN] = { 0 };
	struct sha256 s;

	if (key.len > BLOCK_LEN)
		sha256(key, block);
	else if (key.len > 0)
		memcpy(block, key.data, key.len);
	begin(&s, block, 0x36);
	for (size_t i = 0; i < count; i++)
		sha256_update(&s, parts[i]);
	sha256_final(&s, out);
	begin(&s, block, 0x5c);
	sha256_update(&s, slice_of(out, 32));
	sha256_final(&s, out);
	explicit_bzero(block, sizeof(block));
	explicit_bzero(&s, sizeof(s));
}

bool mac_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint8_t differ = 0;

	for (size_t i = 0; i < len; i++)
		differ |= a[i] ^ b[i];
	return differ == 0;
}
