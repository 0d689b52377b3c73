/* The low-level calls are deprecated in favour of EVP, whose contexts live on the heap:
 * a session that owns its ciphers has to be plain memory. */
#define OPENSSL_API_COMPAT 0x10100000L

#include "crypto/aes.h"

#include <assert.h>
#include <openssl/aes.h>
#include <string.h>

_Static_assert(sizeof(AES_KEY) <= sizeof(struct aes_key), "the state fits");

void aes_key_init(struct aes_key *k, struct slice key)
{
	int failed;

	assert(key.len == AES_128_KEY_LEN || key.len == AES_256_KEY_LEN);
	failed = AES_set_encrypt_key(key.data, (int)key.len * 8, (AES_KEY *)(void *)k->state);
	assert(failed == 0);
	(void)failed;
}

void aes_block(const struct aes_key *k, const uint8_t in[static AES_BLOCK_LEN],
	       uint8_t out[static AES_BLOCK_LEN])
{
	AES_encrypt(in, out, (const AES_KEY *)(const void *)k->state);
}

void aes_ctr_init(struct aes_ctr *c, struct slice key, const uint8_t iv[static AES_BLOCK_LEN])
{
	aes_key_init(&c->key, key);
	memcpy(c->counter, iv, AES_BLOCK_LEN);
	c->used = AES_BLOCK_LEN;
}

static void next_block(struct aes_ctr *c)
{
	aes_block(&c->key, c->counter, c->stream);
	c->used = 0;
	for (unsigned i = AES_BLOCK_LEN; i > 0; i--)
		if (++c->counter[i - 1] != 0)
			break;
}

void aes_ctr_apply(struct aes_ctr *c, struct slice in, uint8_t *out)
{
	for (size_t i = 0; i < in.len; i++) {
		if (c->used == AES_BLOCK_LEN)
			next_block(c);
		out[i] = in.data[i] ^ c->stream[c->used++];
	}
}

void aes_ctr_clear(struct aes_ctr *c)
{
	explicit_bzero(c, sizeof(*c));
}
