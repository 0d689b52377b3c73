/* messages.h: the messages of a gossip network: one JSON object on one line each.
 *
 * gossip_decode() reads any of them; what it yields borrows from the line. Messages of other
 * types and fields of other names are no fault (they are an application's own), but every line
 * is one JSON object in UTF-8 with no key twice in an object (two readers might take different
 * ones for true), no deeper than GOSSIP_DEPTH_MAX, and says its msgtype. jansson allocates
 * while it parses; nothing is left of that when a function returns. */
#ifndef PEERWALK_PROTO_GOSSIP_MESSAGES_H
#define PEERWALK_PROTO_GOSSIP_MESSAGES_H

#include "base/peer.h"
#include "base/uuid.h"

enum gossip_type {
	GOSSIP_HELLO,
	GOSSIP_PING,
	GOSSIP_PONG,
	GOSSIP_GETADDR,
	GOSSIP_ADDR,
	GOSSIP_UNKNOWN, /* last: it is an application's own */
};

enum {
	GOSSIP_MESSAGE_MAX = 64 * 1024, /* the object: a promise of the protocol */
	/* With its line's end, LF or CR LF. */
	GOSSIP_LINE_MAX = GOSSIP_MESSAGE_MAX + 2,
	/* Our own messages are three deep; this leaves room for an application's. */
	GOSSIP_DEPTH_MAX = 32,
	GOSSIP_PEERS_MAX = 1000, /* addresses in one addr: a promise of the protocol */
	GOSSIP_TYPE_MAX = 64,    /* bytes of a msgtype; they are words */
	GOSSIP_GROUP_MAX = 64,   /* bytes of the name of a network; the same */
	GOSSIP_NONCE_MAX = 64,   /* as it is written: it has to be echoed */
	/* A host's name has 253 bytes at most (RFC 1035), the port five more behind a colon. */
	GOSSIP_PLACE_MAX = 253 + 1 + 5,
	GOSSIP_NAME_MAX = 24, /* as struct session_event has room for */
};

struct gossip_hello {
	uint8_t node_id[UUID_LEN];
	uint16_t port; /* where it takes connections; 0: it takes none */
	uint16_t agent_len, group_len;
	uint8_t agent[PEER_AGENT_MAX];
	uint8_t group[GOSSIP_GROUP_MAX]; /* its `network`; empty: not said */
};

struct gossip_message {
	enum gossip_type type;
	char name[GOSSIP_NAME_MAX]; /* its msgtype, escaped, cut */
	struct gossip_hello hello;  /* HELLO */
	struct slice nonce;         /* PING, PONG: as it is written in the line; empty: none */
	bool nonce_is_number;       /* nonce_value is it */
	double nonce_value;
	struct slice peers; /* ADDR: the list, for gossip_peer_next */
	uint32_t count;     /* ADDR: of its entries */
};

/* One entry of an addr. */
struct gossip_peer {
	struct netaddr addr; /* NETADDR_NONE: no number of IPv4 or IPv6 with a port */
	bool has_id;
	uint8_t node_id[UUID_LEN];
};

/* "hello" ... NULL for GOSSIP_UNKNOWN. */
const char *gossip_type_name(enum gossip_type type);

/* Whether a group can have that name: 1 to GOSSIP_GROUP_MAX bytes of UTF-8. */
bool gossip_is_group(struct slice name);

/* A line without its end. ERR_SYNTAX or ERR_VALUE: a rule is broken; ERR_LIMIT: too much of
 * something; *rule says what. ERR_NOMEM: this machine's fault, without a rule. */
enum err gossip_decode(struct slice line, struct gossip_message *out, const char **rule);
/* The next entry: the reader stands in the list (json_enter). False at the end. */
bool gossip_peer_next(struct reader *r, struct gossip_peer *out);

/* Each writes a line with its end. An agent or group that is no UTF-8 is left out. */
void gossip_hello_encode(struct writer *w, const struct gossip_hello *hello);
/* PING or PONG; nonce as it is to stand there, empty: none. */
void gossip_ping_encode(struct writer *w, enum gossip_type type, struct slice nonce);
void gossip_getaddr_encode(struct writer *w);
/* With node ids where they are known, unless the message would be longer than it may be: then
 * with none at all. Only IPv4 and IPv6 have a form here; others are left out. */
void gossip_addr_encode(struct writer *w, const struct advert *adverts, size_t count);

#endif
