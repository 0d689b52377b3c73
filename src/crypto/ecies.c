#include "crypto/ecies.h"

#include "crypto/aes.h"
#include "crypto/hmac.h"

#include <string.h>

enum {
	IV_AT = 1 + SECP_PUBLIC_LEN,
	TEXT_AT = IV_AT + ECIES_IV_LEN,
	UNCOMPRESSED = 4, /* SEC 1, 2.3.3: the byte before x and y */
};

struct keys {
	uint8_t cipher[AES_128_KEY_LEN];
	uint8_t mac[32];
};

/* Of a secret: what is left of it in between is wiped, too. */
static void digest(struct slice in, uint8_t out[32])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, in);
	sha256_final(&s, out);
	explicit_bzero(&s, sizeof(s));
}

static bool derive(const struct secp *s, const struct secp_key *key,
		   const uint8_t public[static SECP_PUBLIC_LEN], struct keys *out)
{
	uint8_t counted[4 + 32] = { 0, 0, 0, 1 }; /* one round gives all 32 bytes */
	uint8_t derived[32];

	if (!secp_ecdh_x(s, key, public, counted + 4))
		return false;
	digest(slice_of(counted, sizeof(counted)), derived);
	memcpy(out->cipher, derived, sizeof(out->cipher));
	digest(slice_of(derived + sizeof(out->cipher), 16), out->mac);
	explicit_bzero(counted, sizeof(counted));
	explicit_bzero(derived, sizeof(derived));
	return true;
}

static void code(const struct keys *keys, const uint8_t *iv, struct slice in, uint8_t *out)
{
	struct aes_ctr ctr;

	aes_ctr_init(&ctr, slice_of(keys->cipher, sizeof(keys->cipher)), iv);
	aes_ctr_apply(&ctr, in, out);
	aes_ctr_clear(&ctr);
}

static void authenticate(const struct keys *keys, const uint8_t *iv, size_t text_len,
			 struct slice shared, uint8_t out[ECIES_MAC_LEN])
{
	const struct slice parts[] = { slice_of(iv, ECIES_IV_LEN + text_len), shared };

	hmac_sha256(slice_of(keys->mac, sizeof(keys->mac)), parts, 2, out);
}

bool ecies_encrypt(const struct secp *s, const uint8_t to[static SECP_PUBLIC_LEN],
		   const struct ecies_random *random, struct slice shared, struct slice text,
		   uint8_t *out)
{
	struct keys keys;

	if (!derive(s, &random->ephemeral, to, &keys))
		return false;
	out[0] = UNCOMPRESSED;
	secp_public(s, &random->ephemeral, out + 1);
	memcpy(out + IV_AT, random->iv, ECIES_IV_LEN);
	code(&keys, random->iv, text, out + TEXT_AT);
	authenticate(&keys, out + IV_AT, text.len, shared, out + TEXT_AT + text.len);
	explicit_bzero(&keys, sizeof(keys));
	return true;
}

bool ecies_decrypt(const struct secp *s, const struct secp_key *key, struct slice shared,
		   struct slice in, uint8_t *out)
{
	struct keys keys;
	uint8_t mac[ECIES_MAC_LEN];
	size_t text_len;
	bool ok;

	if (in.len < ECIES_OVERHEAD || in.data[0] != UNCOMPRESSED ||
	    !derive(s, key, in.data + 1, &keys))
		return false;
	text_len = in.len - ECIES_OVERHEAD;
	authenticate(&keys, in.data + IV_AT, text_len, shared, mac);
	ok = mac_equal(mac, in.data + TEXT_AT + text_len, sizeof(mac));
	if (ok)
		code(&keys, in.data + IV_AT, slice_of(in.data + TEXT_AT, text_len), out);
	explicit_bzero(&keys, sizeof(keys));
	return ok;
}
