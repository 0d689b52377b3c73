/* The low-level calls are deprecated in favour of EVP, which allocates and looks the
 * algorithm up at every digest: about a microsecond each, at a dozen a visit. */
#define OPENSSL_API_COMPAT 0x10100000L

#include "crypto/sha256.h"

#include <openssl/sha.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256), "the state fits");

void sha256_init(struct sha256 *s)
{
	SHA256_Init((SHA256_CTX *)(void *)s->state);
}

void sha256_update(struct sha256 *s, struct slice in)
{
	SHA256_Update((SHA256_CTX *)(void *)s->state, in.data, in.len);
}

void sha256_final(struct sha256 *s, uint8_t out[32])
{
	SHA256_Final(out, (SHA256_CTX *)(void *)s->state);
}

void sha256(struct slice in, uint8_t out[32])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, in);
	sha256_final(&s, out);
}

void sha256d(struct slice in, uint8_t out[32])
{
	uint8_t first[32];

	sha256(in, first);
	sha256(slice_of(first, sizeof(first)), out);
}
