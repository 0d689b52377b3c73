/* discv4.h: a whole node of discovery v4, without a socket or a clock.
 *
 * Source: the devp2p specification of discv4, EIP-868 (records), and, where those leave a
 * choice, go-ethereum (p2p/discover), so that a node of ours answers as most do.
 *
 *     discv4_init()
 *     for each datagram: discv4_recv(); no later than discv4_deadline(): discv4_tick()
 *     after each of these, and after whatever asks for something: discv4_send() until it
 *         returns false, discv4_next() until it returns false
 *
 * The node answers PING, FINDNODE and ENRREQUEST; keeps the table (kademlia.h) by pinging
 * who is in it; looks for others, for itself (refresh_ms) and on request. A talk with a
 * node begins with a proof of the address, in both directions:
 *
 *     we ask:     PING ->, <- PONG, <- PING, PONG ->, FINDNODE ->, <- NEIGHBORS
 *     we answer:  <- PING, PONG ->, PING ->, <- PONG; from now on its questions are answered
 *
 * A bond of an earlier talk (discv4_bonds.h) spares the proof; who doesn't ping back within
 * DISCV4_PING_BACK_MS probably has one. Right after such a proof nothing else is asked
 * of the node, as nobody expects that.
 *
 * To an address that has proven nothing go only answers to its pings, PONG and one PING of
 * ours, which are longer than those: as many bytes as it sent, and an advance (discv4_credit.h).
 * Without one it is asked to prove itself first, by a PING that is as short as can be, and its
 * PONG comes then. FINDNODE and ENRREQUEST, whose answers are longer still, are dropped in
 * silence. Beyond that, an unproven address hears of us when a node that we had asked names
 * it: a lookup and the table may ping it, once each.
 *
 * Signatures are nearly all of the work, and none of it needs the node: discv4_decode is
 * pure, and discv4_recv is no more than it and discv4_take; discv4_send is no more than
 * discv4_send_unsigned, discv4_sign and discv4_signed. A driver with several cores does
 * discv4_decode and discv4_sign in other threads, the rest in that of the node.
 *
 * The caller owns the struct (some 400 KiB); nothing allocates. Time never goes back: a
 * now_ms that does is taken for the last one. */
#ifndef PEERWALK_PROTO_ETHEREUM_DISCV4_H
#define PEERWALK_PROTO_ETHEREUM_DISCV4_H

#include "base/statements.h"
#include "proto/ethereum/discv4_bonds.h"
#include "proto/ethereum/discv4_credit.h"
#include "proto/ethereum/discv4_wire.h"
#include "proto/ethereum/lookup.h"

enum {
	/* From a question to its answer: around the world and back within 0.4 s, and some
	 * time for a busy node; go-ethereum waits about as long. */
	DISCV4_REPLY_MS = 1000,
	/* From a node's PONG to its PING; see above. */
	DISCV4_PING_BACK_MS = 500,
	/* From the first NEIGHBORS to the last; they are sent at once. */
	DISCV4_MORE_MS = 300,
	/* Ten hosts that see us at one address within five minutes are believed (go-ethereum,
	 * p2p/enode/localnode.go). */
	DISCV4_STATEMENTS = 10,
	DISCV4_STATEMENTS_MS = 5 * 60 * 1000,
	/* Of packets that we send, as the specification has it. */
	DISCV4_EXPIRATION_S = 20,
	/* A check of the table is spared if the node has proven itself within this time. */
	DISCV4_FRESH_MS = 5000,
	/* Unanswered FINDNODEs after which the node may have forgotten us (go-ethereum). */
	DISCV4_FAILURES_MAX = 5,
	/* Without anybody in the table the next refresh doesn't wait longer. */
	DISCV4_LONELY_MS = 10 * 1000,
	/* Lookups of a refresh: our own surroundings, and so many random places. */
	DISCV4_REFRESH_RANDOM = 3,

	/* Nodes in one packet of ours: 12 with IPv6 addresses fit, as go-ethereum counts. */
	DISCV4_PACKET_NODES = 12,
	/* A PING of ours, with IPv6 addresses and the longest numbers. */
	DISCV4_PING_LONGEST = 163,
	/* Outstanding PINGs and ENRREQUESTs. Strangers, who make us ping by pinging, may use
	 * up the larger part of them, but never all; a new one takes the place of the oldest,
	 * so that a flood leaves some time to each, rather than none to most. */
	DISCV4_PENDING_MAX = 128,
	DISCV4_PENDING_STRANGERS = 96,
	/* Of `known` are pinged at a time: those of a whole table, gone or not, are through within
	 * 20 s, and an answer is hardly lost for want of a place in a buffer. */
	DISCV4_KNOWN_PARALLEL = 16,
	/* The first lookup waits for them, but not longer: then whoever is there has answered. */
	DISCV4_MEETING_MS = 5000,
	/* Lookups that wait for the one that is going on. */
	DISCV4_LOOKUPS_MAX = 8,
	/* More than one call makes, with checks and questions that are due at once. */
	DISCV4_OUT_MAX = 24,
	DISCV4_EVENTS_MAX = 64, /* the oldest goes, if the caller doesn't fetch them */
};

struct discv4_params {
	const struct secp *secp; /* outlives the node */
	struct secp_key key;     /* copied; wiped by discv4_clear */
	uint64_t seed;           /* random: for choices, not for secrets */
	struct hash_key hash;    /* random: for the bonds and the credit */
	int64_t wall_ms;         /* milliseconds since 1970 at now_ms = 0 */
	/* Where we are; without an address, or one of kind NETADDR_NONE, at its port. */
	struct enode_endpoint self;
	bool self_fixed; /* others' statements don't change it */
	uint64_t seq;    /* of our record; one higher than the last time */
	bool has_forkid; /* goes into the record, as "eth" */
	struct forkid forkid;
	/* Made known at the start and at each refresh; they outlive the node. */
	const struct kademlia_node *boots;
	size_t boots_count;
	/* From an earlier time: pinged at the start, first of all; those that answer are in the
	 * table then, and lookups begin. Outlive the node. */
	const struct kademlia_node *known;
	size_t known_count;
	uint64_t refresh_ms; /* between lookups of our own; 0: none. go-ethereum: 30 min */
};

/* What became of a datagram. X(symbol, name) */
#define DISCV4_FATE_LIST(X)       \
	X(TAKEN, "taken")         \
	X(MALFORMED, "malformed") \
	X(SELF, "from_ourselves") \
	X(EXPIRED, "expired")     \
	X(UNBONDED, "unbonded")   \
	X(UNASKED, "unasked")

enum discv4_fate {
#define DISCV4_FATE_ENUM(symbol, name) DISCV4_##symbol,
	DISCV4_FATE_LIST(DISCV4_FATE_ENUM)
#undef DISCV4_FATE_ENUM
};

/* How many there are. */
enum {
#define DISCV4_FATE_ONE(symbol, name) +1
	DISCV4_FATES = DISCV4_FATE_LIST(DISCV4_FATE_ONE)
#undef DISCV4_FATE_ONE
};

const char *discv4_fate_name(enum discv4_fate fate);

enum discv4_event_type {
	DISCV4_EVENT_BONDED,    /* node: proved its address, for the first time in a day */
	DISCV4_EVENT_ALIVE,     /* node: answered a PING */
	DISCV4_EVENT_SILENT,    /* node: did not answer the PING of discv4_ping */
	DISCV4_EVENT_DROPPED,   /* node: left the table, as it answers no more */
	DISCV4_EVENT_STATEMENT, /* node says that it sees us at `addr` */
	DISCV4_EVENT_MOVED,     /* enough say so: we are at `addr`, with a new record */
	DISCV4_EVENT_RECORD,    /* node's record */
	DISCV4_EVENT_FOUND,     /* lookup `number` is over: discv4_found() says more, now */
};

struct discv4_event {
	enum discv4_event_type type;
	struct kademlia_node node;
	struct netaddr addr;
	unsigned number;
	size_t record_len;
	uint8_t record[ENR_LEN_MAX];
};

struct discv4_datagram {
	struct netaddr to;
	uint32_t ticket; /* for discv4_signed */
	size_t len;
	uint8_t bytes[DISCV4_PACKET_MAX];
};

/* Why we ping. */
enum discv4_purpose {
	DISCV4_PURPOSE_STRANGER, /* it pinged us */
	DISCV4_PURPOSE_CHECK,    /* the table wants to know */
	DISCV4_PURPOSE_QUESTION, /* before a FINDNODE */
	DISCV4_PURPOSE_CALLER,   /* discv4_ping */
	DISCV4_PURPOSE_KNOWN,    /* we knew it earlier */
	DISCV4_PURPOSE_RECORD,   /* no PING at all: an ENRREQUEST */
};

struct discv4_pending {
	enum discv4_purpose purpose;
	struct kademlia_node node;
	uint64_t deadline_ms;
	uint32_t ticket; /* 0: free */
	bool is_signed;  /* hash is known */
	bool pinged_us;  /* and got its PONG */
	bool owes_pong;  /* that goes out once it has proven itself, and names ping_hash */
	uint8_t ping_hash[DISCV4_HASH_LEN];
	uint8_t hash[DISCV4_HASH_LEN];
};

enum discv4_stage {
	DISCV4_STAGE_FREE,
	DISCV4_STAGE_PROOF,     /* our PING is out */
	DISCV4_STAGE_PING_BACK, /* it answered; its own PING is to come */
	DISCV4_STAGE_ASKED,     /* our FINDNODE is out */
};

struct discv4_question {
	enum discv4_stage stage;
	struct kademlia_node node;
	uint64_t deadline_ms;
	bool pinged_us, answered;
	unsigned named;
};

struct discv4_target {
	uint8_t key[SECP_PUBLIC_LEN];
	unsigned number; /* 0: of our own */
};

struct discv4 {
	struct discv4_params params; /* all private */
	uint8_t key[SECP_PUBLIC_LEN];
	uint64_t now_ms;
	struct random random;
	struct kademlia table;
	struct discv4_bonds bonds;
	struct discv4_credit credit;
	struct statements statements;
	uint64_t seq;
	size_t record_len;
	uint8_t record[ENR_LEN_MAX];

	struct discv4_pending pending[DISCV4_PENDING_MAX];
	unsigned pending_count;
	uint32_t last_ticket;
	size_t known_at; /* the next of params.known */
	unsigned known_pending;
	uint64_t meeting_until_ms;

	struct lookup lookup;
	struct discv4_target target; /* of the lookup */
	bool looking;
	struct discv4_question questions[LOOKUP_PARALLEL];
	struct discv4_target waiting[DISCV4_LOOKUPS_MAX];
	unsigned waiting_count, last_number, refresh_left;
	uint64_t refresh_at_ms; /* UINT64_MAX: never */

	struct discv4_datagram out[DISCV4_OUT_MAX];
	unsigned out_at, out_count;
	struct discv4_event events[DISCV4_EVENTS_MAX];
	unsigned event_at, event_count;
	uint64_t events_lost;
};

void discv4_init(struct discv4 *d, const struct discv4_params *params, uint64_t now_ms);
void discv4_clear(struct discv4 *d); /* wipes the key */

enum discv4_fate discv4_recv(struct discv4 *d, const struct netaddr *from, struct slice datagram,
			     uint64_t now_ms);
/* The same with what discv4_decode made of a datagram, which is still there: packets
 * borrow. */
enum discv4_fate discv4_take(struct discv4 *d, const struct netaddr *from,
			     const struct discv4_packet *p, uint64_t now_ms);
/* The next datagram to send. */
bool discv4_send(struct discv4 *d, struct discv4_datagram *out);
/* The same in steps. discv4_signed before the datagram is on its way: its hash is what the
 * answer will name. */
bool discv4_send_unsigned(struct discv4 *d, struct discv4_datagram *out);
void discv4_sign(struct discv4_datagram *datagram, const struct secp *s,
		 const struct secp_key *key);
void discv4_signed(struct discv4 *d, const struct discv4_datagram *datagram);

bool discv4_next(struct discv4 *d, struct discv4_event *out);
uint64_t discv4_deadline(const struct discv4 *d); /* UINT64_MAX: none */
void discv4_tick(struct discv4 *d, uint64_t now_ms);

/* Makes a node known; the table will check whether it is there. */
enum kademlia_added discv4_add(struct discv4 *d, const struct kademlia_node *node, uint64_t now_ms);
/* Ends with the event ALIVE or SILENT. False: too much is outstanding; ask later. */
bool discv4_ping(struct discv4 *d, const struct kademlia_node *node, uint64_t now_ms);
/* Ends with the event RECORD, or nothing. Only who knows us will answer. */
bool discv4_ask_record(struct discv4 *d, const struct kademlia_node *node, uint64_t now_ms);
/* Begins a lookup, or puts it behind the others; its number, or 0: too many wait. Ends with
 * the event FOUND. */
unsigned discv4_lookup(struct discv4 *d, const uint8_t target[static SECP_PUBLIC_LEN],
		       uint64_t now_ms);
/* The nearest that answered, the nearest first; until the next datagram or tick. */
size_t discv4_found(const struct discv4 *d,
		    const struct kademlia_node *out[static LOOKUP_RESULT_MAX]);

/* Our record, and its sequence number. */
struct slice discv4_record(const struct discv4 *d);
uint64_t discv4_seq(const struct discv4 *d);
struct enode_endpoint discv4_endpoint(const struct discv4 *d);
/* The clock of the wall was set. */
void discv4_set_wall(struct discv4 *d, int64_t wall_ms);

#endif
