#include "proto/ethereum/rlpx.h"

#include "base/wipe.h"
#include "crypto/hmac.h"
#include "proto/ethereum/rlp.h"

#include <assert.h>
#include <string.h>

void rlpx_handshake_init(struct rlpx_handshake *h, enum session_role role,
			 const struct rlpx_local *local, const uint8_t *remote)
{
	assert((remote != NULL) == (role == SESSION_INITIATOR));
	memset(h, 0, sizeof(*h));
	h->role = role;
	h->local = *local;
	if (remote != NULL)
		memcpy(h->remote, remote, sizeof(h->remote));
}

void rlpx_handshake_clear(struct rlpx_handshake *h)
{
	explicit_bzero(h, sizeof(*h));
}

/* --- packets --- */

/* What the ephemeral key signs: the secret that only both static keys can know, so that a
 * stranger who knows the key that is called cannot sign in another's name. */
static bool auth_hash(const struct rlpx_handshake *h, const uint8_t *nonce, uint8_t out[32])
{
	if (!secp_ecdh_x(h->local.secp, &h->local.key, h->remote, out))
		return false;
	for (unsigned i = 0; i < 32; i++)
		out[i] ^= nonce[i];
	return true;
}

/* Fills the text up, encrypts it for the other side and puts the size before it. The text, which
 * holds our nonce, is wiped. */
static struct slice seal(struct rlpx_handshake *h, struct writer *text)
{
	uint8_t *size = h->sent;
	size_t len;
	bool ok;

	writer_zeros(text, (size_t)RLPX_PADDING_MIN + h->local.padding);
	assert(writer_ok(text));
	len = text->len + ECIES_OVERHEAD;
	assert(RLPX_SIZE_LEN + len <= sizeof(h->sent));
	size[0] = (uint8_t)(len >> 8);
	size[1] = (uint8_t)len;
	ok = ecies_encrypt(h->local.secp, h->remote, &h->local.ecies, slice_of(size, RLPX_SIZE_LEN),
			   slice_of(text->data, text->len), h->sent + RLPX_SIZE_LEN);
	assert(ok);
	(void)ok;
	explicit_bzero(text->data, text->len);
	h->sent_len = RLPX_SIZE_LEN + len;
	return slice_of(h->sent, h->sent_len);
}

struct slice rlpx_auth_write(struct rlpx_handshake *h)
{
	uint8_t text[RLPX_SENT_MAX], hash[32];
	uint8_t signature[SECP_SIGNATURE_LEN], public[SECP_PUBLIC_LEN];
	struct writer w;
	size_t list;
	bool ok;

	assert(h->role == SESSION_INITIATOR);
	ok = auth_hash(h, h->local.nonce, hash);
	assert(ok);
	(void)ok;
	secp_sign(h->local.secp, &h->local.ephemeral, hash, signature);
	secp_public(h->local.secp, &h->local.key, public);
	explicit_bzero(hash, sizeof(hash));
	writer_init(&w, text, sizeof(text));
	list = rlp_put_list(&w);
	rlp_put_bytes(&w, slice_of(signature, sizeof(signature)));
	rlp_put_bytes(&w, slice_of(public, sizeof(public)));
	rlp_put_bytes(&w, slice_of(h->local.nonce, sizeof(h->local.nonce)));
	rlp_put_uint(&w, RLPX_VERSION);
	rlp_end_list(&w, list);
	return seal(h, &w);
}

struct slice rlpx_ack_write(struct rlpx_handshake *h)
{
	uint8_t text[RLPX_SENT_MAX], public[SECP_PUBLIC_LEN];
	struct writer w;
	size_t list;

	assert(h->role == SESSION_RESPONDER);
	secp_public(h->local.secp, &h->local.ephemeral, public);
	writer_init(&w, text, sizeof(text));
	list = rlp_put_list(&w);
	rlp_put_bytes(&w, slice_of(public, sizeof(public)));
	rlp_put_bytes(&w, slice_of(h->local.nonce, sizeof(h->local.nonce)));
	rlp_put_uint(&w, RLPX_VERSION);
	rlp_end_list(&w, list);
	return seal(h, &w);
}

size_t rlpx_packet_len(struct slice in)
{
	size_t len = (size_t)in.data[0] << 8 | in.data[1];

	return len < RLPX_PACKET_MIN || len > RLPX_PACKET_MAX ? 0 : RLPX_SIZE_LEN + len;
}

/* Decrypts a packet to text, and sets the reader on it. */
static bool open_packet(const struct rlpx_handshake *h, struct slice packet,
			uint8_t text[RLPX_PACKET_MAX], struct reader *r)
{
	struct slice sealed = slice_from(packet, RLPX_SIZE_LEN);

	assert(packet.len == rlpx_packet_len(packet));
	reader_init(r, slice_of(text, sealed.len - ECIES_OVERHEAD));
	return ecies_decrypt(h->local.secp, &h->local.key, slice_of(packet.data, RLPX_SIZE_LEN),
			     sealed, text);
}

static void take(struct reader *r, uint8_t *out, size_t len, const char *name, const char *rule)
{
	struct slice s = rlp_bytes(r, len, len, name, rule);

	if (reader_ok(r))
		memcpy(out, s.data, len);
}

static const char *read_auth(struct rlpx_handshake *h, struct reader *r)
{
	uint8_t signature[SECP_SIGNATURE_LEN], hash[32];
	struct rlp_list list;
	bool ok;

	list = rlp_enter(r, "auth");
	take(r, signature, sizeof(signature), "signature", "auth: a signature of 65 bytes");
	take(r, h->remote, sizeof(h->remote), "public_key", "auth: a public key of 64 bytes");
	take(r, h->remote_nonce, sizeof(h->remote_nonce), "nonce", "auth: a nonce of 32 bytes");
	rlp_leave(r, &list);
	if (!reader_ok(r))
		return r->rule;
	if (!auth_hash(h, h->remote_nonce, hash))
		return "auth: the public key is no point of the curve";
	ok = secp_recover(signature, hash, h->remote_ephemeral);
	explicit_bzero(hash, sizeof(hash));
	return ok ? NULL : "auth: the signature can be nobody's";
}

const char *rlpx_auth_read(struct rlpx_handshake *h, struct slice packet)
{
	uint8_t text[RLPX_PACKET_MAX];
	struct reader r;
	const char *rule;

	assert(h->role == SESSION_RESPONDER);
	if (!open_packet(h, packet, text, &r))
		return "auth: encrypted for another key, or changed on its way";
	rule = read_auth(h, &r);
	explicit_bzero(text, packet.len);
	return rule;
}

static const char *read_ack(struct rlpx_handshake *h, struct reader *r)
{
	struct rlp_list list = rlp_enter(r, "ack");

	take(r, h->remote_ephemeral, sizeof(h->remote_ephemeral), "ephemeral_key",
	     "ack: an ephemeral key of 64 bytes");
	take(r, h->remote_nonce, sizeof(h->remote_nonce), "nonce", "ack: a nonce of 32 bytes");
	rlp_leave(r, &list);
	if (!reader_ok(r))
		return r->rule;
	if (!secp_public_valid(h->remote_ephemeral))
		return "ack: the ephemeral key is no point of the curve";
	return NULL;
}

const char *rlpx_ack_read(struct rlpx_handshake *h, struct slice packet)
{
	uint8_t text[RLPX_PACKET_MAX];
	struct reader r;
	const char *rule;

	assert(h->role == SESSION_INITIATOR);
	if (!open_packet(h, packet, text, &r))
		return "ack: encrypted for another key, or changed on its way";
	rule = read_ack(h, &r);
	explicit_bzero(text, packet.len);
	return rule;
}

/* --- secrets --- */

static void keccak_of_two(const uint8_t a[32], const uint8_t b[32], uint8_t out[32])
{
	struct keccak k;

	keccak_init(&k);
	keccak_update(&k, slice_of(a, 32));
	keccak_update(&k, slice_of(b, 32));
	keccak_digest(&k, out);
	explicit_bzero(&k, sizeof(k));
}

void rlpx_secrets_derive(const struct rlpx_handshake *h, struct rlpx_secrets *out)
{
	bool initiator = h->role == SESSION_INITIATOR;
	uint8_t agreed[32], shared[32], nonces[32];
	bool ok = secp_ecdh_x(h->local.secp, &h->local.ephemeral, h->remote_ephemeral, agreed);

	assert(ok);
	(void)ok;
	/* The responder's nonce comes first. */
	keccak_of_two(initiator ? h->remote_nonce : h->local.nonce,
		      initiator ? h->local.nonce : h->remote_nonce, nonces);
	keccak_of_two(agreed, nonces, shared);
	keccak_of_two(agreed, shared, out->aes);
	keccak_of_two(agreed, out->aes, out->mac);
	explicit_bzero(agreed, sizeof(agreed));
	explicit_bzero(shared, sizeof(shared));
	explicit_bzero(nonces, sizeof(nonces));
	wipe_stack();
}

/* --- frames --- */

static void mac_begin(struct keccak *k, const uint8_t secret[32], const uint8_t nonce[32],
		      struct slice packet)
{
	uint8_t first[32];

	for (unsigned i = 0; i < 32; i++)
		first[i] = secret[i] ^ nonce[i];
	keccak_init(k);
	keccak_update(k, slice_of(first, sizeof(first)));
	keccak_update(k, packet);
	explicit_bzero(first, sizeof(first));
}

void rlpx_frames_init(struct rlpx_frames *f, const struct rlpx_handshake *h, struct slice received)
{
	static const uint8_t zero_iv[AES_BLOCK_LEN];
	struct rlpx_secrets secrets;
	struct slice key;

	rlpx_secrets_derive(h, &secrets);
	key = slice_of(secrets.aes, sizeof(secrets.aes));
	aes_ctr_init(&f->send, key, zero_iv);
	aes_ctr_init(&f->receive, key, zero_iv);
	aes_key_init(&f->mac, slice_of(secrets.mac, sizeof(secrets.mac)));
	mac_begin(&f->egress, secrets.mac, h->remote_nonce, slice_of(h->sent, h->sent_len));
	mac_begin(&f->ingress, secrets.mac, h->local.nonce, received);
	explicit_bzero(&secrets, sizeof(secrets));
	wipe_stack(); /* Keccak's */
}

void rlpx_frames_clear(struct rlpx_frames *f)
{
	explicit_bzero(f, sizeof(*f));
}

/* Moves a MAC on by 16 bytes: the header's, or for the data (seed NULL) its own digest. */
static void mac_step(const struct aes_key *key, struct keccak *k, const uint8_t *seed,
		     uint8_t out[RLPX_MAC_LEN])
{
	uint8_t digest[32], block[AES_BLOCK_LEN];

	keccak_digest(k, digest);
	aes_block(key, digest, block);
	for (unsigned i = 0; i < sizeof(block); i++)
		block[i] ^= seed != NULL ? seed[i] : digest[i];
	keccak_update(k, slice_of(block, sizeof(block)));
	keccak_digest(k, digest);
	memcpy(out, digest, RLPX_MAC_LEN);
}

size_t rlpx_frame_size(size_t data_len)
{
	return RLPX_HEADER_LEN + rlpx_padded((uint32_t)data_len) + RLPX_MAC_LEN;
}

void rlpx_frame_write(struct rlpx_frames *f, struct writer *w, struct slice data)
{
	uint8_t header[16] = { 0, 0, 0, 0xc2, 0x80, 0x80 }; /* [0, 0], of no meaning today */
	uint8_t mac[RLPX_MAC_LEN];
	uint8_t *start;
	size_t padded;

	assert(data.len <= RLPX_FRAME_MAX);
	padded = rlpx_padded((uint32_t)data.len);
	header[0] = (uint8_t)(data.len >> 16);
	header[1] = (uint8_t)(data.len >> 8);
	header[2] = (uint8_t)data.len;
	if (writer_ok(w) && w->cap - w->len < rlpx_frame_size(data.len))
		writer_fail(w, ERR_FULL);
	if (!writer_ok(w))
		return;
	aes_ctr_apply(&f->send, slice_of(header, sizeof(header)), header);
	writer_bytes(w, header, sizeof(header));
	mac_step(&f->mac, &f->egress, header, mac);
	writer_bytes(w, mac, sizeof(mac));
	start = w->data + w->len;
	writer_slice(w, data);
	writer_zeros(w, padded - data.len);
	aes_ctr_apply(&f->send, slice_of(start, padded), start);
	keccak_update(&f->egress, slice_of(start, padded));
	mac_step(&f->mac, &f->egress, NULL, mac);
	writer_bytes(w, mac, sizeof(mac));
}

const char *rlpx_header_read(struct rlpx_frames *f, const uint8_t in[static RLPX_HEADER_LEN],
			     uint32_t *data_len)
{
	uint8_t header[16], mac[RLPX_MAC_LEN];

	mac_step(&f->mac, &f->ingress, in, mac);
	if (!mac_equal(mac, in + sizeof(header), sizeof(mac)))
		return "frame: the MAC of the header is wrong";
	aes_ctr_apply(&f->receive, slice_of(in, sizeof(header)), header);
	*data_len = (uint32_t)header[0] << 16 | (uint32_t)header[1] << 8 | header[2];
	return NULL;
}

void rlpx_data_read(struct rlpx_frames *f, struct slice in, uint8_t *out)
{
	keccak_update(&f->ingress, in);
	aes_ctr_apply(&f->receive, in, out);
}

const char *rlpx_data_check(struct rlpx_frames *f, const uint8_t mac[static RLPX_MAC_LEN])
{
	uint8_t own[RLPX_MAC_LEN];

	mac_step(&f->mac, &f->ingress, NULL, own);
	return mac_equal(own, mac, sizeof(own)) ? NULL : "frame: the MAC of the data is wrong";
}
