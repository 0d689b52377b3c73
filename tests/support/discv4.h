/* discv4.h: somebody who talks to a discv4 node: a key, an address, and packets made by hand. */
#ifndef PEERWALK_TESTS_SUPPORT_DISCV4_H
#define PEERWALK_TESTS_SUPPORT_DISCV4_H

#include "proto/ethereum/discv4.h"

#include <string.h>

enum { PLAYER_EXPIRATION_S = 20 };

struct player {
	const struct secp *secp;
	struct secp_key key;
	uint8_t public[SECP_PUBLIC_LEN];
	struct netaddr addr;
};

/* One packet, as it goes out; its first bytes are its hash. */
struct packet {
	size_t len;
	uint8_t bytes[DISCV4_PACKET_MAX];
};

/* The key is the number. */
static inline void player_init(struct player *p, const struct secp *secp, uint32_t number,
			       const struct netaddr *addr)
{
	uint8_t bytes[SECP_KEY_LEN] = { 0 };

	for (unsigned i = 0; i < 4; i++)
		bytes[SECP_KEY_LEN - 1 - i] = (uint8_t)(number >> 8 * i);
	p->secp = secp;
	if (!secp_key_init(&p->key, bytes))
		memset(p, 0, sizeof(*p)); /* the tests use no number 0 */
	secp_public(secp, &p->key, p->public);
	p->addr = *addr;
}

static inline struct slice packet_slice(const struct packet *p)
{
	return slice_of(p->bytes, p->len);
}

static inline struct slice packet_hash(const struct packet *p)
{
	return slice_of(p->bytes, DISCV4_HASH_LEN);
}

static inline void packet_begin(struct packet *p, struct writer *w, unsigned type)
{
	writer_init(w, p->bytes, sizeof(p->bytes));
	discv4_begin(w, (enum discv4_type)type);
}

static inline void packet_end(struct packet *p, struct writer *w, const struct player *by)
{
	discv4_end(w, 0, by->secp, &by->key);
	p->len = writer_ok(w) ? w->len : 0;
}

/* A good ping, to be spoilt and written. */
static inline struct discv4_ping ping_of(const struct player *by, const struct netaddr *to,
					 int64_t now_s)
{
	return (struct discv4_ping){
		.version = DISCV4_VERSION,
		.from = { .addr = by->addr, .tcp_port = by->addr.port },
		.to = { .addr = *to },
		.expiration_s = now_s + PLAYER_EXPIRATION_S,
	};
}

static inline void say_ping(const struct player *by, const struct discv4_ping *m,
			    struct packet *out)
{
	struct writer w;

	packet_begin(out, &w, DISCV4_PING);
	discv4_ping_encode(&w, m);
	packet_end(out, &w, by);
}

static inline void say_pong(const struct player *by, const struct discv4_pong *m,
			    struct packet *out)
{
	struct writer w;

	packet_begin(out, &w, DISCV4_PONG);
	discv4_pong_encode(&w, m);
	packet_end(out, &w, by);
}

static inline void say_findnode(const struct player *by, const uint8_t *target,
				int64_t expiration_s, struct packet *out)
{
	struct discv4_findnode m = { slice_of(target, SECP_PUBLIC_LEN), expiration_s };
	struct writer w;

	packet_begin(out, &w, DISCV4_FINDNODE);
	discv4_findnode_encode(&w, &m);
	packet_end(out, &w, by);
}

static inline void say_neighbors(const struct player *by, const struct enode *nodes, size_t count,
				 int64_t expiration_s, struct packet *out)
{
	struct writer w;

	packet_begin(out, &w, DISCV4_NEIGHBORS);
	discv4_neighbors_encode(&w, nodes, count, expiration_s);
	packet_end(out, &w, by);
}

static inline void say_enrrequest(const struct player *by, int64_t expiration_s, struct packet *out)
{
	struct writer w;

	packet_begin(out, &w, DISCV4_ENRREQUEST);
	discv4_enrrequest_encode(&w, &(struct discv4_enrrequest){ expiration_s });
	packet_end(out, &w, by);
}

/* With a record of the player's at that address, if it is one. */
static inline void say_enrresponse(const struct player *by, struct slice request_hash, uint64_t seq,
				   const struct enode_endpoint *at, struct packet *out)
{
	uint8_t record[ENR_LEN_MAX];
	struct enr_draft draft;
	struct writer w, r;

	enr_draft_init(&draft, seq);
	if (netaddr_is_ip(&at->addr))
		enr_draft_endpoint(&draft, at);
	writer_init(&r, record, sizeof(record));
	enr_draft_sign(&draft, by->secp, &by->key, &r);
	packet_begin(out, &w, DISCV4_ENRRESPONSE);
	discv4_enrresponse_encode(&w, request_hash, slice_of(record, r.len));
	packet_end(out, &w, by);
}

static inline struct kademlia_node player_node(const struct player *p)
{
	return kademlia_node(p->public, &p->addr, p->addr.port);
}

#endif
