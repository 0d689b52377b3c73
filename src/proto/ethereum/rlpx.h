/* rlpx.h: RLPx, the encrypted stream that Ethereum's nodes speak over TCP: the handshake,
 * and the frames behind it.
 *
 * Source: the devp2p specifications, rlpx.md, and EIP-8. Each side sends one packet, auth
 * (the initiator) and ack; each is
 *
 *     size (2, big-endian) | ECIES of an RLP list and padding; the size is its shared data
 *
 * What the list has more than it needs, another version number, and what stands behind it
 * are ignored, as EIP-8 wants. The form from before EIP-8 (2015) isn't spoken.
 *
 *     initiator: rlpx_handshake_init, rlpx_auth_write, rlpx_ack_read, rlpx_frames_init
 *     responder: rlpx_handshake_init, rlpx_auth_read, rlpx_ack_write, rlpx_frames_init
 *
 * The caller owns all structs, and wipes them. No I/O, no clock, no allocation; what has to
 * be random is an argument. What reads returns NULL, or the rule that was broken, in static
 * text: the connection is of no more use then. */
#ifndef PEERWALK_PROTO_ETHEREUM_RLPX_H
#define PEERWALK_PROTO_ETHEREUM_RLPX_H

#include "base/keccak.h"
#include "crypto/aes.h"
#include "crypto/ecies.h"
#include "proto/proto.h"

enum {
	RLPX_SIZE_LEN = 2,
	RLPX_NONCE_LEN = 32,
	RLPX_VERSION = 4,
	/* A packet that we take. The longest that anybody sends, auth with 300 bytes of
	 * padding, is about 620 bytes long; EIP-8 sees more list elements coming. */
	RLPX_PACKET_MAX = 2048,
	/* With the shortest list, that of ack: a key and a nonce. */
	RLPX_PACKET_MIN = ECIES_OVERHEAD + SECP_PUBLIC_LEN + RLPX_NONCE_LEN,
	/* EIP-8: at least 100 bytes, and random in number: nobody shall know the packet by
	 * its length. */
	RLPX_PADDING_MIN = 100,
	RLPX_PADDING_MAX = RLPX_PADDING_MIN + 255,
	/* A packet that we send: auth with its list of 169 bytes. */
	RLPX_SENT_MAX = RLPX_SIZE_LEN + ECIES_OVERHEAD + 169 + RLPX_PADDING_MAX,
};

/* Who we are, and our random numbers for one connection; none may serve twice. */
struct rlpx_local {
	const struct secp *secp;       /* outlives the handshake */
	struct secp_key key;           /* of the node */
	struct secp_key ephemeral;     /* random */
	uint8_t nonce[RLPX_NONCE_LEN]; /* random */
	struct ecies_random ecies;     /* random */
	uint8_t padding;               /* random: how many bytes more than RLPX_PADDING_MIN */
};

struct rlpx_handshake {
	enum session_role role; /* all private but remote */
	struct rlpx_local local;
	uint8_t remote[SECP_PUBLIC_LEN]; /* who is there; a responder learns it from auth */
	uint8_t remote_ephemeral[SECP_PUBLIC_LEN];
	uint8_t remote_nonce[RLPX_NONCE_LEN];
	uint8_t sent[RLPX_SENT_MAX]; /* the MACs begin with both packets */
	size_t sent_len;
};

/* remote: the initiator's, whom it calls, a point of the curve; NULL for a responder. */
void rlpx_handshake_init(struct rlpx_handshake *h, enum session_role role,
			 const struct rlpx_local *local, const uint8_t *remote);
void rlpx_handshake_clear(struct rlpx_handshake *h); /* wipes */

/* What is to be sent; borrowed from the handshake. */
struct slice rlpx_auth_write(struct rlpx_handshake *h);
struct slice rlpx_ack_write(struct rlpx_handshake *h);

/* The bytes of the whole packet that begins here, its size included; in has at least
 * RLPX_SIZE_LEN bytes. 0: shorter or longer than any packet. */
size_t rlpx_packet_len(struct slice in);
/* A whole packet. */
const char *rlpx_auth_read(struct rlpx_handshake *h, struct slice packet);
const char *rlpx_ack_read(struct rlpx_handshake *h, struct slice packet);

struct rlpx_secrets {
	uint8_t aes[32], mac[32];
};
/* Both packets have gone their ways. */
void rlpx_secrets_derive(const struct rlpx_handshake *h, struct rlpx_secrets *out);

enum {
	RLPX_MAC_LEN = 16,
	RLPX_HEADER_LEN = 16 + RLPX_MAC_LEN,
	RLPX_FRAME_MAX = 0xffffff, /* its size has three bytes */
};

/* Both directions of a stream of frames:
 *
 *     header (16) | its MAC (16) | data, filled up to a multiple of 16 | MAC (16)
 *
 * The data of a frame is read in pieces, so that nobody has to hold 16 MiB of it; it may be
 * relied on only after rlpx_data_check. */
struct rlpx_frames {
	struct aes_ctr send, receive; /* all private */
	struct aes_key mac;
	struct keccak egress, ingress;
};

/* received: the packet of the other side, as it came. */
void rlpx_frames_init(struct rlpx_frames *f, const struct rlpx_handshake *h, struct slice received);
void rlpx_frames_clear(struct rlpx_frames *f); /* wipes */

/* Writes a whole frame; data.len <= RLPX_FRAME_MAX. A writer that is too small fails, and
 * the stream can't go on. */
void rlpx_frame_write(struct rlpx_frames *f, struct writer *w, struct slice data);
/* Bytes that a frame of so much data takes. */
size_t rlpx_frame_size(size_t data_len);

/* What a header and its MAC say of the size of the data. */
const char *rlpx_header_read(struct rlpx_frames *f, const uint8_t in[static RLPX_HEADER_LEN],
			     uint32_t *data_len);
/* The next piece of the data, with what fills it up; out may be in.data. */
void rlpx_data_read(struct rlpx_frames *f, struct slice in, uint8_t *out);
const char *rlpx_data_check(struct rlpx_frames *f, const uint8_t mac[static RLPX_MAC_LEN]);
/* Data with what fills it up. */
static inline uint32_t rlpx_padded(uint32_t data_len)
{
	return (data_len + 15) & ~UINT32_C(15);
}

#endif
