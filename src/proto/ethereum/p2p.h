/* p2p.h: the messages that every devp2p connection has: Hello, Disconnect, Ping, Pong; and
 * which capabilities two nodes share.
 *
 * Source: the devp2p specifications, rlpx.md, "p2p Capability". Integers may have leading
 * zeros here (RLP_LENIENT): a crawler wants to know what is there. What a list has more
 * than it needs is ignored. Encoders append to a bounded writer, decoders stick at the first
 * error; neither allocates. */
#ifndef PEERWALK_PROTO_ETHEREUM_P2P_H
#define PEERWALK_PROTO_ETHEREUM_P2P_H

#include "base/bytes.h"
#include "crypto/secp256k1.h"

enum p2p_message {
	P2P_HELLO = 0x00,
	P2P_DISCONNECT = 0x01,
	P2P_PING = 0x02,
	P2P_PONG = 0x03,
	P2P_FIRST_SHARED = 0x10, /* ids below are the p2p capability's own */
};

enum {
	P2P_VERSION = 5,
	P2P_SNAPPY_VERSION = 5, /* EIP-706: both Hellos say this or more */
	/* A message before the end of the handshake; go-ethereum takes no more either. */
	P2P_BASE_MAX = 2048,
	P2P_CAP_NAME_MAX = 8, /* the specification's, in ASCII */
	/* Kept of a Hello. Honest nodes have two to ten; more are counted, no more. */
	P2P_CAPS_MAX = 32,
};

struct p2p_cap {
	char name[P2P_CAP_NAME_MAX + 1];
	uint32_t version;
};

struct p2p_hello {
	uint32_t version;
	struct slice client; /* borrowed; any bytes: escape before showing */
	size_t caps_count;   /* of those kept */
	size_t caps_said;    /* of all that the peer sent */
	struct p2p_cap caps[P2P_CAPS_MAX];
	uint16_t listen_port; /* 0: not listening, or not said */
	uint8_t key[SECP_PUBLIC_LEN];
};

/* Capabilities with names that no specification allows are counted, but not kept. */
void p2p_hello_decode(struct reader *r, struct p2p_hello *out);
void p2p_hello_encode(struct writer *w, const struct p2p_hello *hello);

/* X(symbol, number, sentence) */
#define P2P_REASON_LIST(X)                                           \
	X(REQUESTED, 0x00, "disconnect requested")                   \
	X(TCP_ERROR, 0x01, "error of the TCP connection")            \
	X(BREACH, 0x02, "breach of protocol")                        \
	X(USELESS, 0x03, "useless peer")                             \
	X(TOO_MANY, 0x04, "too many peers")                          \
	X(ALREADY, 0x05, "already connected")                        \
	X(OLD_VERSION, 0x06, "p2p protocol version is incompatible") \
	X(NO_IDENTITY, 0x07, "null node identity received")          \
	X(QUITTING, 0x08, "client quitting")                         \
	X(UNEXPECTED, 0x09, "unexpected identity")                   \
	X(SELF, 0x0a, "connected to itself")                         \
	X(TIMEOUT, 0x0b, "timeout")                                  \
	X(SUBPROTOCOL, 0x10, "error of a subprotocol")

enum p2p_reason {
#define P2P_REASON_ENUM(symbol, number, text) P2P_REASON_##symbol = (number),
	P2P_REASON_LIST(P2P_REASON_ENUM)
#undef P2P_REASON_ENUM
};

/* A sentence without a full stop; "unknown reason" for others. */
const char *p2p_reason_text(uint8_t reason);

/* As the specification has it, a list; also a bare byte, and a list of nothing (0), which
 * are seen in the wild. */
void p2p_disconnect_decode(struct reader *r, uint8_t *reason);
void p2p_disconnect_encode(struct writer *w, enum p2p_reason reason);
/* The payload as it came. snappy: both sides have said version 5; then it may be packed, or
 * not, as some forget it. False: no Disconnect in any of its forms. */
bool p2p_disconnect_read(struct slice payload, bool snappy, uint8_t *reason);

/* Ping and Pong: an empty list. */
void p2p_empty_encode(struct writer *w);

/* A capability that we speak, with the ids that it needs. */
struct p2p_offer {
	struct p2p_cap cap;
	uint8_t ids;
};

struct p2p_shared {
	struct p2p_cap cap;
	uint32_t first_id;
};

/* What both have: of each name the highest version of both, in the alphabetical order of the
 * names, with ids from P2P_FIRST_SHARED on. Returns how many; no more than offers. */
size_t p2p_share(const struct p2p_offer *offers, size_t count, const struct p2p_hello *peer,
		 struct p2p_shared *out);

#endif
