#include "crypto/secp256k1.h"

#include "base/wipe.h"

#include <assert.h>
#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_preallocated.h>
#include <secp256k1_recovery.h>
#include <string.h>

static const secp256k1_context *context(const struct secp *s)
{
	return (const secp256k1_context *)(const void *)s->state;
}

void secp_init(struct secp *s, const uint8_t random[static SECP_RANDOM_LEN])
{
	secp256k1_context *made;
	int done;

	assert(secp256k1_context_preallocated_size(SECP256K1_CONTEXT_NONE) <= sizeof(s->state));
	memset(s->state, 0, sizeof(s->state));
	made = secp256k1_context_preallocated_create(s->state, SECP256K1_CONTEXT_NONE);
	/* context() relies on the library's placing it at the start. */
	assert((void *)made == (void *)s->state);
	done = secp256k1_context_randomize(made, random);
	wipe_stack();
	assert(done == 1);
	(void)done;
}

void secp_clear(struct secp *s)
{
	secp256k1_context_preallocated_destroy((secp256k1_context *)(void *)s->state);
	explicit_bzero(s->state, sizeof(s->state));
}

bool secp_key_init(struct secp_key *key, const uint8_t bytes[static SECP_KEY_LEN])
{
	if (secp256k1_ec_seckey_verify(secp256k1_context_static, bytes) == 0) {
		secp_key_clear(key);
		return false;
	}
	memcpy(key->bytes, bytes, sizeof(key->bytes));
	return true;
}

void secp_key_clear(struct secp_key *key)
{
	explicit_bzero(key->bytes, sizeof(key->bytes));
}

static bool parse(const uint8_t public[static SECP_PUBLIC_LEN], secp256k1_pubkey *out)
{
	uint8_t whole[1 + SECP_PUBLIC_LEN] = { 4 };

	memcpy(whole + 1, public, SECP_PUBLIC_LEN);
	return secp256k1_ec_pubkey_parse(secp256k1_context_static, out, whole, sizeof(whole)) == 1;
}

static void serialize(const secp256k1_pubkey *point, uint8_t out[static SECP_PUBLIC_LEN])
{
	uint8_t whole[1 + SECP_PUBLIC_LEN];
	size_t len = sizeof(whole);

	secp256k1_ec_pubkey_serialize(secp256k1_context_static, whole, &len, point,
				      SECP256K1_EC_UNCOMPRESSED);
	memcpy(out, whole + 1, SECP_PUBLIC_LEN);
}

void secp_public(const struct secp *s, const struct secp_key *key,
		 uint8_t out[static SECP_PUBLIC_LEN])
{
	secp256k1_pubkey point;
	int done = secp256k1_ec_pubkey_create(context(s), &point, key->bytes);

	wipe_stack();
	assert(done == 1);
	(void)done;
	serialize(&point, out);
}

void secp_sign(const struct secp *s, const struct secp_key *key, const uint8_t hash[static 32],
	       uint8_t out[static SECP_SIGNATURE_LEN])
{
	secp256k1_ecdsa_recoverable_signature signature;
	int id, done;

	done = secp256k1_ecdsa_sign_recoverable(context(s), &signature, hash, key->bytes, NULL,
						NULL);
	wipe_stack();
	assert(done == 1);
	(void)done;
	secp256k1_ecdsa_recoverable_signature_serialize_compact(context(s), out, &id, &signature);
	out[64] = (uint8_t)id;
}

/* The library hashes the shared point; these two hand it over as it is. */
static int take_x(unsigned char *out, const unsigned char *x, const unsigned char *y, void *data)
{
	(void)y;
	(void)data;
	memcpy(out, x, 32);
	return 1;
}

static int take_point(unsigned char *out, const unsigned char *x, const unsigned char *y,
		      void *data)
{
	(void)data;
	out[0] = (uint8_t)(2 | (y[31] & 1));
	memcpy(out + 1, x, 32);
	return 1;
}

static bool ecdh(const struct secp *s, const struct secp_key *key, const uint8_t *public,
		 secp256k1_ecdh_hash_function take, uint8_t *out, size_t out_len)
{
	secp256k1_pubkey point;
	int done;

	memset(out, 0, out_len);
	if (!parse(public, &point))
		return false;
	done = secp256k1_ecdh(context(s), out, &point, key->bytes, take, NULL);
	wipe_stack();
	assert(done == 1);
	return done == 1;
}

bool secp_ecdh_x(const struct secp *s, const struct secp_key *key,
		 const uint8_t public[static SECP_PUBLIC_LEN], uint8_t out[static 32])
{
	return ecdh(s, key, public, take_x, out, 32);
}

bool secp_ecdh_point(const struct secp *s, const struct secp_key *key,
		     const uint8_t public[static SECP_PUBLIC_LEN],
		     uint8_t out[static SECP_COMPRESSED_LEN])
{
	return ecdh(s, key, public, take_point, out, SECP_COMPRESSED_LEN);
}

bool secp_recover(const uint8_t signature[static SECP_SIGNATURE_LEN], const uint8_t hash[static 32],
		  uint8_t out[static SECP_PUBLIC_LEN])
{
	secp256k1_ecdsa_recoverable_signature parsed;
	secp256k1_pubkey point;

	memset(out, 0, SECP_PUBLIC_LEN);
	/* Beyond 3 the library calls it a fault of ours. */
	if (signature[64] > 3 ||
	    secp256k1_ecdsa_recoverable_signature_parse_compact(secp256k1_context_static, &parsed,
								signature, signature[64]) == 0 ||
	    secp256k1_ecdsa_recover(secp256k1_context_static, &point, &parsed, hash) == 0)
		return false;
	serialize(&point, out);
	return true;
}

bool secp_verify(const uint8_t signature[static 64], const uint8_t hash[static 32],
		 const uint8_t public[static SECP_PUBLIC_LEN])
{
	secp256k1_ecdsa_signature parsed;
	secp256k1_pubkey point;

	return parse(public, &point) &&
	       secp256k1_ecdsa_signature_parse_compact(secp256k1_context_static, &parsed,
						       signature) == 1 &&
	       secp256k1_ecdsa_verify(secp256k1_context_static, &parsed, hash, &point) == 1;
}

bool secp_public_valid(const uint8_t public[static SECP_PUBLIC_LEN])
{
	secp256k1_pubkey point;

	return parse(public, &point);
}

bool secp_expand(const uint8_t compressed[static SECP_COMPRESSED_LEN],
		 uint8_t out[static SECP_PUBLIC_LEN])
{
	secp256k1_pubkey point;

	memset(out, 0, SECP_PUBLIC_LEN);
	if (secp256k1_ec_pubkey_parse(secp256k1_context_static, &point, compressed,
				      SECP_COMPRESSED_LEN) == 0)
		return false;
	serialize(&point, out);
	return true;
}

void secp_compress(const uint8_t public[static SECP_PUBLIC_LEN],
		   uint8_t out[static SECP_COMPRESSED_LEN])
{
	out[0] = (uint8_t)(2 | (public[63] & 1));
	memcpy(out + 1, public, 32);
}
