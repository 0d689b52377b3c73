/* discv4_wire.h: the packets of Ethereum's node discovery v4, as bytes.
 *
 * Sources: the devp2p specification of discv4, EIP-8 (be lenient: more list elements, bytes
 * behind the list and another version are ignored) and EIP-868 (records).
 *
 *     hash (32)  signature (65)  type (1)  an RLP list
 *
 * The hash is Keccak-256 of all that follows it; the signature is of the Keccak-256 of the
 * type and what follows, and gives away the public key of who made it. There is no other
 * sender: who signed is who speaks. Decoding checks both; it does not know the time, and
 * does not judge an expiration.
 *
 * A decoded packet borrows from its input. Encoders append the type's list between
 * discv4_begin and discv4_end; nothing allocates. */
#ifndef PEERWALK_PROTO_ETHEREUM_DISCV4_WIRE_H
#define PEERWALK_PROTO_ETHEREUM_DISCV4_WIRE_H

#include "proto/ethereum/enr.h"

enum {
	DISCV4_HASH_LEN = 32,
	DISCV4_HEADER_LEN = DISCV4_HASH_LEN + SECP_SIGNATURE_LEN + 1,
	DISCV4_PACKET_MIN = DISCV4_HEADER_LEN,
	DISCV4_PACKET_MAX = 1280, /* the specification's: the MTU that IPv6 promises */
	/* What others send nevertheless: 16 nodes with IPv6 addresses in one packet take 1569. */
	DISCV4_LONG_MAX = 2048,
	DISCV4_VERSION = 4,
	/* A node with an IPv4 address takes 77 bytes or more of a packet: 15 fit, and 16
	 * of those that give no address at all. */
	DISCV4_NEIGHBORS_MAX = 16,
};

/* The numbers are the protocol's. */
enum discv4_type {
	DISCV4_PING = 1,
	DISCV4_PONG = 2,
	DISCV4_FINDNODE = 3,
	DISCV4_NEIGHBORS = 4,
	DISCV4_ENRREQUEST = 5,
	DISCV4_ENRRESPONSE = 6,
};

/* "ping", "pong", "findnode" ...; NULL for a number without a name. */
const char *discv4_type_name(unsigned type);

/* Expirations are seconds since 1970, signed: what is below zero is past, not far ahead. */
struct discv4_ping {
	uint64_t version;
	struct enode_endpoint from, to; /* NETADDR_NONE where no good address stands */
	int64_t expiration_s;
	bool has_enr_seq; /* EIP-868 */
	uint64_t enr_seq;
};

struct discv4_pong {
	struct enode_endpoint to;
	struct slice ping_hash; /* DISCV4_HASH_LEN bytes */
	int64_t expiration_s;
	bool has_enr_seq;
	uint64_t enr_seq;
};

struct discv4_findnode {
	struct slice target; /* a public key, not an id: SECP_PUBLIC_LEN bytes */
	int64_t expiration_s;
};

struct discv4_neighbors {
	size_t count;
	struct slice nodes; /* for discv4_neighbors_next */
	int64_t expiration_s;
};

struct discv4_enrrequest {
	int64_t expiration_s;
};

struct discv4_enrresponse {
	struct slice request_hash; /* DISCV4_HASH_LEN bytes */
	struct enr record;         /* anybody's: compare record.key with the signer */
};

struct discv4_packet {
	struct slice hash;               /* DISCV4_HASH_LEN bytes: what a reply names */
	size_t len;                      /* of the whole datagram */
	uint8_t signer[SECP_PUBLIC_LEN]; /* who speaks */
	enum discv4_type type;
	union {
		struct discv4_ping ping;
		struct discv4_pong pong;
		struct discv4_findnode findnode;
		struct discv4_neighbors neighbors;
		struct discv4_enrrequest enrrequest;
		struct discv4_enrresponse enrresponse;
	};
};

/* The whole input is one packet. The first error sticks in the reader: ERR_SHORT,
 * ERR_LIMIT (too long), ERR_CHECKSUM (hash, or the signature of a record), ERR_VALUE
 * (signature, unknown type, what stands in the list). A hook is told what stands in a packet
 * even if its envelope is wrong, *out is not. */
void discv4_decode(struct reader *r, struct discv4_packet *out);
/* The same for up to DISCV4_LONG_MAX bytes, for who wants to learn from faulty nodes, too
 * (ethereumjs puts 16 nodes into one packet of 1373). */
void discv4_decode_long(struct reader *r, struct discv4_packet *out);
/* The same for who expects it of somebody: to check a signature by a known key takes a sixth less
 * than to recover the key. Whoever else signed is found out as well. A wrong recovery id goes
 * unnoticed, as it isn't needed; others would take the packet for a stranger's. */
void discv4_decode_from(struct reader *r, const uint8_t expected[static SECP_PUBLIC_LEN],
			struct discv4_packet *out);
/* As discv4_decode, but who signed is not asked: the signer is zero. For who takes the sender on
 * trust, as a simulation may; all else is checked. */
void discv4_decode_unproven(struct reader *r, struct discv4_packet *out);

/* The next node; false at the end. Begin with a reader of n->nodes. The key may be no point
 * of the curve (secp_public_valid), the address none at all: both are worth a look. */
bool discv4_neighbors_next(struct reader *nodes, struct enode *out);

/* Leaves room for hash and signature, and writes the type. */
size_t discv4_begin(struct writer *w, enum discv4_type type);
/* Signs what was written since; ERR_LIMIT if it is longer than a packet may be. */
void discv4_end(struct writer *w, size_t mark, const struct secp *s, const struct secp_key *key);

void discv4_ping_encode(struct writer *w, const struct discv4_ping *m);
void discv4_pong_encode(struct writer *w, const struct discv4_pong *m);
void discv4_findnode_encode(struct writer *w, const struct discv4_findnode *m);
void discv4_enrrequest_encode(struct writer *w, const struct discv4_enrrequest *m);
/* record: as enr_draft_sign wrote it. */
void discv4_enrresponse_encode(struct writer *w, struct slice request_hash, struct slice record);
/* As many of the nodes as one packet can hold; returns how many. An answer is made by
 * doing so until none are left, and once if there are none. */
size_t discv4_neighbors_encode(struct writer *w, const struct enode *nodes, size_t count,
			       int64_t expiration_s);

#endif
