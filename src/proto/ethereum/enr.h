/* enr.h: node records: what a node says of itself, signed. Source: EIP-778.
 *
 * A record is a list: a signature, a sequence number that grows with every change, and
 * pairs of a key and a value, the keys sorted and each there once. Only the identity
 * scheme "v4" exists. A record that was decoded is well-formed, its signature right and
 * its public key a point of the curve; what the values of the other keys say is not
 * checked before somebody asks for them. Keys that nobody here knows stay in `raw`.
 *
 * A decoded record borrows from its input and lives no longer. */
#ifndef PEERWALK_PROTO_ETHEREUM_ENR_H
#define PEERWALK_PROTO_ETHEREUM_ENR_H

#include "proto/ethereum/enode.h"
#include "proto/ethereum/forkid.h"

enum {
	ENR_LEN_MAX = 300,                                /* EIP-778 */
	ENR_TEXT_MAX = 4 + (ENR_LEN_MAX + 2) / 3 * 4 + 1, /* "enr:", base64, NUL */
	ENR_SIGNATURE_LEN = 64,                           /* r and s */
	ENR_DRAFT_PAIRS_MAX = 16,                         /* of our own; we have ten */
	ENR_DRAFT_KEY_MAX = 16,                           /* with NUL */
};

struct enr {
	struct slice raw;       /* all of it, borrowed like the rest */
	struct slice signature; /* ENR_SIGNATURE_LEN bytes */
	struct slice pairs;     /* for enr_next */
	uint64_t seq;
	uint8_t key[SECP_PUBLIC_LEN]; /* the public key, both coordinates */
};

/* Reads one record. What is wrong with it sticks in the reader. */
void enr_decode(struct reader *r, struct enr *out);
/* One that enr_decode has accepted before, without another look at its signature, which is nearly
 * all of the work. The key stays zero. False if it is no record at all. */
bool enr_read_proven(struct slice raw, struct enr *out);

/* "enr:" and URL-safe base64 without padding. The bytes go to buf, which *out borrows.
 * *rule says in static text what is wrong. */
enum err enr_parse(struct slice text, uint8_t buf[static ENR_LEN_MAX], struct enr *out,
		   const char **rule);
/* The first half of that: the bytes behind the text, unread; *err_at: the first character that
 * is wrong. */
enum err enr_text_bytes(struct slice text, uint8_t buf[static ENR_LEN_MAX], size_t *len,
			size_t *err_at, const char **rule);
/* Ends with NUL; the length. */
size_t enr_text(const struct enr *e, char out[static ENR_TEXT_MAX]);

/* The pairs one after the other; false at the end. Begin with a reader of e->pairs. */
bool enr_next(struct reader *pairs, struct slice *key, struct slice *value);
/* The value of a key, an RLP item with its header; false if there is none. */
bool enr_find(const struct enr *e, const char *key, struct slice *value);
/* A port ("udp", "tcp", "udp6" ...); false if it is not there, or no port. */
bool enr_port(const struct enr *e, const char *key, uint16_t *out);
/* ip, udp and tcp: kind NETADDR_NONE, and false, without a good ip; a missing port is 0. */
bool enr_endpoint4(const struct enr *e, struct enode_endpoint *out);
/* ip6, udp6 and tcp6; a port without an entry of its own is that of IPv4 (EIP-778). */
bool enr_endpoint6(const struct enr *e, struct enode_endpoint *out);
/* The entry "eth" (EIP-2124): [[hash, next], ...]. */
bool enr_forkid(const struct enr *e, struct forkid *out);

/* A record of one's own, in the making. Set the pairs in any order, "id" and "secp256k1"
 * excepted, then sign, once. The first error sticks: ERR_FULL. */
struct enr_draft {
	/* all private */
	enum err err;
	uint64_t seq;
	size_t count, used;
	struct {
		char key[ENR_DRAFT_KEY_MAX];
		size_t at, len;
	} pairs[ENR_DRAFT_PAIRS_MAX]; /* sorted by key */
	uint8_t values[ENR_LEN_MAX];
};

void enr_draft_init(struct enr_draft *d, uint64_t seq);
/* value: one RLP item. A key may be set once. */
void enr_draft_set(struct enr_draft *d, const char *key, struct slice value);
void enr_draft_bytes(struct enr_draft *d, const char *key, struct slice bytes);
void enr_draft_uint(struct enr_draft *d, const char *key, uint64_t v);
/* ip, udp, tcp or ip6, udp6, tcp6; a port that is 0 is left out. */
void enr_draft_endpoint(struct enr_draft *d, const struct enode_endpoint *e);
void enr_draft_forkid(struct enr_draft *d, const struct forkid *id);
/* The whole record; ERR_LIMIT if it has more than ENR_LEN_MAX bytes. */
void enr_draft_sign(struct enr_draft *d, const struct secp *s, const struct secp_key *key,
		    struct writer *w);

#endif
