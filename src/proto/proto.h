/* proto.h: what a network offers the rest of the program.
 *
 * A network (mainnet, signet ...) is data; a protocol (Bitcoin's, later others') is
 * one const vtable of a session: a state machine for one connection that holds no
 * socket, no clock and no randomness of its own and never allocates.
 *
 * How to drive a session:
 *   init; then whenever bytes have come, call recv() again and again with what is
 *   left until it returns 0. After init and after every recv(), tick() and closed():
 *   drain next() until it returns false, then send() until it returns 0. Call tick()
 *   no later than deadline(). Events borrow from the bytes given to the last recv():
 *   use them before the next call. The caller keeps unconsumed bytes and offers them
 *   again, with more behind them. need() tells how many bytes must be there before
 *   recv() can go on, so that the caller can bound its buffer. */
#ifndef PEERWALK_PROTO_PROTO_H
#define PEERWALK_PROTO_PROTO_H

#include "base/glance.h"
#include "base/hash.h"
#include "base/peer.h"

#define NETWORKS_SEEDS_MAX 10

struct proto;
struct identity; /* who we are, where a protocol has keys; each protocol's own */

/* How a network's peers are found. */
enum discovery {
	DISCOVERY_SESSION, /* whoever is connected is asked whom it knows (Bitcoin) */
	DISCOVERY_V4,      /* Ethereum's node discovery v4, over UDP; sessions tell the rest */
};

/* One network as data; rows of `networks`, or built from the command line. */
struct network {
	const char *name;
	const struct proto *proto;
	enum discovery discovery;
	uint16_t default_port;
	uint8_t magic[4];
	const char *dns_seeds[NETWORKS_SEEDS_MAX]; /* names to resolve; NULL-terminated */
	const char *const *boot_nodes;             /* enode URLs; NULL-terminated; NULL: none */
	const char *chain; /* DISCOVERY_V4: the chain whose nodes are wanted; NULL: all */
};

enum session_role {
	SESSION_INITIATOR,
	SESSION_RESPONDER,
};

/* What the session is there for. A responder, unless it is to STAY, has no goal: it answers
 * until closed. */
enum session_goal {
	SESSION_GOAL_PEERS,  /* hand-shake, ask whom it knows, end */
	SESSION_GOAL_PING,   /* hand-shake, ask for a sign of life, count times, end */
	SESSION_GOAL_LISTEN, /* hand-shake, then tell every message; never ends by itself */
	/* In both roles: a standing peer (engine/swarm.h). Asks whom it knows, pings in the
	 * protocol's own interval, tells every message; ends when the peer no longer answers. */
	SESSION_GOAL_STAY,
};

struct session_params {
	const struct network *network;
	enum session_role role;
	enum session_goal goal;
	bool stepwise; /* send nothing before the peer's turn has come (old software) */
	bool patient;  /* wait long for the answer to getaddr */
	/* A second try, where the first session was: what the peer said of itself there is known
	 * until it says it anew. */
	bool again;
	uint64_t nonce; /* random: tells our own connections from others' */
	/* Random, and nobody else's: what a ping asks for, so that no answer can come before it. */
	struct hash_key secret;
	bool (*is_own)(void *ctx, uint64_t nonce); /* NULL: compare with nonce only */
	void *is_own_ctx;
	int64_t unix_s;       /* wall clock at now_ms */
	uint64_t services;    /* offered to the peer; 0 for a crawler */
	int32_t height;       /* claimed; responders only */
	int32_t protocol;     /* 0: the newest we speak */
	struct slice agent;   /* our user agent; must outlive the session */
	struct netaddr peer;  /* whom we dialled, or who dialled us */
	struct slice node_id; /* initiator: the key of whom we dial; empty where there are none */
	struct slice own_id;  /* gossip: the UUID of this run, 16 bytes; outlives the session */
	struct slice group;   /* gossip: the name of the group; the same. Empty: any */
	uint16_t listen_port; /* gossip: where we listen; 0: nowhere */
	const struct identity *identity; /* outlives the session; NULL where there are none */
	uint64_t timeout_ms;             /* the whole session, from init; 0: for ever */
	/* The hand-shake, where the protocol would wait longer; 0: as it does. RLPx's is its own.
	 */
	uint64_t answer_ms;
	uint32_t ping_count; /* SESSION_GOAL_PING */
	uint64_t ping_interval_ms;
};

/* How long the hand-shake may take of a protocol that waits so long. */
static inline uint64_t session_answer_ms(const struct session_params *p, uint64_t protocol_ms)
{
	return p->answer_ms > 0 && p->answer_ms < protocol_ms ? p->answer_ms : protocol_ms;
}

/* Why the connection under a session ended. */
enum session_close {
	SESSION_CLOSE_EOF,   /* the peer closed it in order */
	SESSION_CLOSE_RESET, /* reset, or broken in some other way */
};

enum session_event_kind {
	SESSION_EVENT_HANDSHAKE, /* shaken hands; info() is worth reading */
	SESSION_EVENT_ADVERTS,   /* the peer named peers: count of them, read with adverts() */
	/* The peer asks whom we know, and may: as often as the protocol has it answered. */
	SESSION_EVENT_ASKED,
	SESSION_EVENT_MESSAGE, /* a whole message, in both roles; name, payload */
	SESSION_EVENT_PONG,    /* the answer to our ping: rtt_ms */
	SESSION_EVENT_DONE,    /* the last one: outcome, rule; close the connection */
};

struct session_event {
	enum session_event_kind kind;
	enum outcome outcome;
	const char *rule;     /* DONE: the rule the peer broke, or NULL; static text */
	bool retry_stepwise;  /* DONE: worth one more try with params.stepwise */
	char name[24];        /* MESSAGE: the command, escaped */
	struct slice payload; /* MESSAGE; ADVERTS: opaque to all but adverts() */
	struct slice whole;   /* MESSAGE: with its header, as explain() takes it */
	uint32_t count;       /* ADVERTS: how many entries the message has */
	uint64_t rtt_ms;      /* PONG */
	struct reader reader; /* ADVERTS: private to adverts() */
	uint32_t variant;     /* private */
};

/* Milliseconds after init, or -1: not reached. */
struct session_times {
	int64_t first_byte_ms, version_ms, handshake_ms, asked_ms, reply_ms;
};

struct session_counts {
	uint64_t bytes_in, bytes_out;
	uint32_t messages_in, unknown_in; /* unknown: commands not in our table */
	uint32_t messages_out;            /* answer()'s as well; RLPx doesn't count them */
};

/* Bytes of any protocol's session, checked when it is compiled. RLPx's is the largest by far: it
 * holds its buffers. */
enum { SESSION_SIZE_MAX = 16 * 1024 };

/* How a standing peer of a protocol behaves toward many others: figures for engine/swarm.h,
 * each with its reason next to the row. */
struct peer_policy {
	uint32_t out_wanted; /* outgoing connections to keep */
	uint32_t in_max;     /* incoming ones */
	uint32_t host_max;   /* of these, of one host (IPv6: one /64), loopback excepted */
	uint32_t known_max;  /* addresses kept that others named; see engine/book.h */
	uint64_t known_s;    /* an address that nobody named or reached for so long is forgotten */
	/* Every known address is contacted by ourselves this often, as far as checks_per_s
	 * goes. 0: only now and then, one at a time, as Core's feelers. */
	uint64_t check_ms;
	uint32_t checks_per_s;
	/* The answer to "whom do you know?" */
	uint32_t answer_max;
	uint32_t answer_percent;  /* of the addresses that we know; 100: all that may be told */
	uint64_t answer_cache_ms; /* the same answer for so long; 0: made anew each time */
	/* Only addresses whose peer answered ourselves so recently are passed on; 0: all. */
	uint64_t vouched_ms;
	/* What is passed on unasked: to how many peers, and of messages of how many at most. */
	uint32_t relay_fanout, relay_max;
	uint64_t announce_ms; /* how often we say where we are; 0: once a connection */
	/* Addresses taken from one peer: so many at first, then so many in ten seconds, saved up
	 * to so many at once. Whom we ask may name a whole answer more. */
	uint32_t take_first, take_per_10s, take_burst;
	/* Messages read from one peer: so many at once, so many a second; over it: closed. */
	uint32_t messages_burst, messages_per_s;
	bool allow_private; /* its peers may stand in private networks, without being told so */
	bool ids_unique; /* peers have ids of their own: two connections to one are one too many */
};

struct proto {
	const char *name;
	const struct peer_policy
		*policy; /* NULL: nobody stands on that network by engine/swarm.h */
	size_t session_size, session_align;
	/* The largest message recv() can ask the caller to hold. */
	size_t buffer_max;
	/* A reset says to its peers what an end says: a visit may end so (io/tcp.h), as nothing
	 * that it said last matters. */
	bool ends_by_reset;

	void (*init)(void *session, const struct session_params *params, uint64_t now_ms);
	size_t (*recv)(void *session, struct slice in, uint64_t now_ms);
	size_t (*need)(const void *session);
	size_t (*send)(void *session, uint8_t *out, size_t cap);
	bool (*next)(void *session, struct session_event *out);
	uint64_t (*deadline)(const void *session); /* UINT64_MAX: none */
	void (*tick)(void *session, uint64_t now_ms);
	void (*closed)(void *session, enum session_close how, uint64_t now_ms);
	void (*info)(const void *session, struct peer_info *out);
	void (*times)(const void *session, struct session_times *out);
	void (*counts)(const void *session, struct session_counts *out);

	/* The next of an ADVERTS event, cap of them at most; 0 at its end. */
	size_t (*adverts)(struct session_event *event, struct advert *out, size_t cap);
	/* The same at a glance, for whoever knows most of them already; and one of those
	 * that was glanced at, whole. Both NULL where a protocol has no quicker way. */
	size_t (*glance)(struct session_event *event, const struct glance_key *key,
			 struct glance *out, size_t cap);
	void (*advert_at)(const struct session_event *event, uint32_t at, struct advert *out);
	/* A responder's answer to ASKED, or an announcement: a whole message with up to
	 * 1,000 adverts in the form this peer has negotiated. Returns the length of
	 * what was written, 0 if it doesn't fit. */
	size_t (*answer)(void *session, const struct advert *adverts, size_t count, uint8_t *out,
			 size_t cap);
	/* Names each field of a message or packet, and the rule of the first error. */
	enum err (*explain)(const struct network *network, struct slice in, field_fn *on_field,
			    void *ctx, size_t *err_at, const char **rule);
	/* Text of a service bit, or NULL for a bit without a name. */
	const char *(*service_name)(unsigned bit);
};

/* Every network, in the order in which they are listed. */
extern const struct network networks[];
extern const size_t networks_count;

/* NULL if there is none of that name. */
const struct network *network_find(const char *name);

#endif
