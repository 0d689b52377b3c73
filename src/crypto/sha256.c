/* The low-level calls are deprecated in favour of EVP, which allocates and looks the
 * algorithm up at every digest: about a microsecond each, at a dozen a visit. */
#define OPENSSL_API_COMPAT 0x10100000L

#include "crypto/sha256.h"

#include <openssl/sha.h>

void sha256(struct slice in, uint8_t out[32])
{
	SHA256_CTX ctx;

	SHA256_Init(&ctx);
	SHA256_Update(&ctx, in.data, in.len);
	SHA256_Final(out, &ctx);
}

void sha256d(struct slice in, uint8_t out[32])
{
	uint8_t first[32];

	sha256(in, first);
	sha256(slice_of(first, sizeof(first)), out);
}
