/* probe.h: one visit of one discv4 node, without a socket or a clock: is it there, what does
 * it say of itself, and whom does its table hold?
 *
 *     BONDING -> SETTLING -> ASKING -> DONE
 *        ^                      |
 *        +----------------------+  no answer yet: our PONG may have been lost
 *
 * A node answers questions of those alone that have proven their address to it, by the PONG
 * to a PING of its own (discv4.md, "Endpoint Proof"). So after its PONG to our PING (BONDING)
 * its PING is waited for (SETTLING), and answered; shortly only, as whoever knows us from
 * before doesn't send one. Then its table is drained (drain.h) and its record asked for, side
 * by side: one FINDNODE and one ENRREQUEST at most are outstanding (ASKING).
 *
 * The caller owns the struct, the packets and the time; no call blocks or allocates.
 *
 *     probe_init()
 *     probe_recv() each packet that was decoded, or probe_garbage(); probe_tick() no later
 *         than probe_deadline(); after each of these:
 *     probe_next() until it returns false: what was learnt; it borrows from the last packet
 *     probe_send() until it returns false: sign it, on any core, then probe_sent(), and
 *         only then send it
 *     once probe_state() is PROBE_DONE: probe_info()
 *
 * Packets are taken from the node's key at the node's host alone. What a stranger can forge,
 * ICMP errors and packets that can't be read, decides nothing once the node has answered. */
#ifndef PEERWALK_PROTO_ETHEREUM_PROBE_H
#define PEERWALK_PROTO_ETHEREUM_PROBE_H

#include "base/peer.h"
#include "proto/ethereum/discv4_wire.h"
#include "proto/ethereum/drain.h"
#include "proto/ethereum/relay.h"

enum {
	PROBE_TRIES = 3, /* of a question: two losses in a row are not so rare */
	/* For an answer to begin, once the way there and back is known that much longer.
	 * go-ethereum waits 500 ms; loaded and far nodes need more. */
	PROBE_REPLY_MS = 1000,
	/* After the first packet of NEIGHBORS for the rest, which is sent at the same time. */
	PROBE_REST_MS = 300,
	/* After its PONG for its PING, which is sent at the same time. */
	PROBE_SETTLE_MS = 300,
	PROBE_EXPIRATION_S = 20, /* go-ethereum's, for all that we send */
	/* FINDNODEs, if none is ever answered. Each needs a new bond: one packet lost of five,
	 * and it is in vain, every fourth time if 5 % are lost. */
	PROBE_UNANSWERED_MAX = 5,
	PROBE_FINDNODES_MAX = DRAIN_FINDNODES_MAX + DRAIN_SILENCES,
	PROBE_PINGS_MAX = PROBE_TRIES + PROBE_UNANSWERED_MAX - 1,
	/* PINGs that we answer: a node has a reason for one, or for one after each of ours. */
	PROBE_PONGS_MAX = 2 * PROBE_PINGS_MAX,
	/* Packets of NEIGHBORS over 16 nodes a question that it had not named before. Those that it
	 * had may be of a packet that came twice, or of an answer to a question that did; and what
	 * an earlier question has not got may still come: NEIGHBORS name no question. */
	PROBE_MANY_MAX = 3,
	/* Packets in: if each of NEIGHBORS has only one node, and some. More is a flood. */
	PROBE_PACKETS_MAX = DRAIN_FINDNODES_MAX * DRAIN_REPLY_MAX + 64,
	/* Bytes of a list that we send; the largest, a PING of IPv6, has less than 100. */
	PROBE_LIST_MAX = 128,
};

/* What a node did that it should not: noted, with how often, but no reason to end the visit.
 * X(symbol, name, sentence) */
#define PROBE_BREACH_LIST(X)                                                         \
	X(GARBAGE, "garbage", "a packet that could not be read")                     \
	X(OTHER_KEY, "other_key", "another key speaks at its address")               \
	X(OTHER_HOST, "other_host", "its key speaks from another host")              \
	X(OTHER_PORT, "other_port", "it speaks from another port than it was asked") \
	X(EXPIRED, "expired", "a packet that had expired before it came")            \
	X(WRONG_PONG, "wrong_pong", "a PONG that names no PING of ours")             \
	X(WRONG_REQUEST, "wrong_request", "a record for no request of ours")         \
	X(UNSOLICITED, "unsolicited", "NEIGHBORS that nobody had asked for")         \
	X(LONG, "long", "a packet of more than 1280 bytes")                          \
	X(MANY, "many", "more than 16 nodes in one answer")                          \
	X(PINGS, "pings", "more PINGs than there are reasons for")                   \
	X(FLOOD, "flood", "more packets than all questions together can have")       \
	X(ENDLESS, "endless", "names more nodes than any table holds")               \
	X(BAD_ADDRESS, "bad_address", "names a node where none can be")              \
	X(LOW_PORT, "low_port", "names a node at a port of the system's services")   \
	X(OFF_CURVE, "off_curve", "names a node whose key is no point of the curve") \
	X(BAD_RECORD, "bad_record", "sends the record of another node as its own")   \
	X(OLD_RECORD, "old_record", "sends an older record than it announced")       \
	X(RECORD_ADDRESS, "record_address", "its record says an address where no node can be")

enum probe_breach {
#define PROBE_BREACH_ENUM(symbol, name, text) PROBE_BREACH_##symbol,
	PROBE_BREACH_LIST(PROBE_BREACH_ENUM)
#undef PROBE_BREACH_ENUM
		PROBE_BREACH_COUNT,
};

const char *probe_breach_name(enum probe_breach b); /* "wrong_pong" */
const char *probe_breach_text(enum probe_breach b); /* a sentence without a full stop */

enum probe_state {
	PROBE_BONDING,
	PROBE_SETTLING,
	PROBE_ASKING,
	PROBE_DONE,
};

const char *probe_state_name(enum probe_state s);

struct probe_params {
	struct enode node;             /* whom to visit, at its UDP port */
	const struct targets *targets; /* shared; must outlive the visit; NULL with no_table */
	bool no_table, no_record;      /* what it is not asked for; without both: is it there? */
	uint8_t own_key[SECP_PUBLIC_LEN];
	struct enode_endpoint own; /* for PING; NETADDR_NONE if we don't know */
	bool has_enr_seq;          /* we have a record, with this number */
	uint64_t enr_seq;
	unsigned pings;      /* before it counts as silent; 0: PROBE_TRIES, and no more than that */
	uint64_t pong_ms;    /* for the PONG to each, as long as none came; 0: PROBE_REPLY_MS */
	int64_t unix_ms;     /* the wall clock at now_ms of init */
	uint64_t timeout_ms; /* the whole visit; 0: for ever */
};

/* One packet to sign and send: discv4_begin(), the list, discv4_end(). */
struct probe_packet {
	enum discv4_type type;
	struct netaddr to;
	uint32_t ticket; /* for probe_sent */
	size_t len;
	uint8_t list[PROBE_LIST_MAX];
};

enum probe_event_kind {
	PROBE_EVENT_BONDED, /* it has answered our PING: it is there */
	PROBE_EVENT_NODE,   /* it named a node; the same one more than once */
	PROBE_EVENT_RECORD, /* its record is there: see probe_info */
	PROBE_EVENT_DONE,   /* the last one */
};

struct probe_event {
	enum probe_event_kind kind;
	struct enode node; /* NODE */
	enum relay relay;  /* whether its address is to be believed */
	bool on_curve;     /* whether its key is one: nobody else can sign */
	bool usable;       /* both are good */
};

/* What came of the visit. What is claimed is the node's claim. */
struct probe_info {
	enum outcome outcome;
	const char *rule;     /* the rule it broke, static text; NULL if none ended the visit */
	bool reached;         /* it answered our PING */
	bool pinged;          /* it sent a PING */
	bool has_other_key;   /* somebody else answered our PING at the node's address ... */
	const uint8_t *other; /* ... by this key */
	enum drain_result completeness;
	unsigned findnodes, named, table; /* asked; nodes named, with repeats, and without */
	uint32_t breaches[PROBE_BREACH_COUNT];
	bool has_enr_seq;
	uint64_t enr_seq;             /* the highest that it announced */
	struct slice record;          /* its record (enr_decode), proven its own; empty if none */
	struct enode_endpoint sees;   /* how it sees us; NETADDR_NONE if not said */
	struct enode_endpoint claims; /* how it sees itself, in its PING */
	uint64_t version;             /* of discovery, in its PING */
	/* Its PONG's expiration less our clock: 20 and some if both clocks are right. */
	int64_t expires_in_s;
	/* Milliseconds from the PING to the PONG that names it; from init to the first PONG,
	 * the first NEIGHBORS, the end of the drain, the record, the end. -1: never. */
	int64_t rtt_ms, bonded_ms, neighbors_ms, drained_ms, record_ms, total_ms;
	uint32_t packets_in, packets_out;
	uint64_t bytes_in, bytes_out;
};

/* A packet of ours by whose hash the answer names it. */
struct probe_asked {
	uint8_t hash[DISCV4_HASH_LEN];
	uint64_t at_ms;
	uint32_t ticket;
	bool known; /* its hash, by probe_sent */
};

/* A question of one kind, over and over. */
struct probe_question {
	bool wanted;  /* to be given out by probe_send */
	bool waiting; /* for the answer, until due_ms */
	unsigned tries;
	uint32_t ticket;
	uint64_t due_ms;
};

struct probe {
	/* all private */
	struct probe_params params;
	enum probe_state state;
	uint64_t started_ms, settled_ms;
	uint32_t tickets;
	struct probe_question ping, findnode, record;
	struct probe_asked pings[PROBE_PINGS_MAX], requests[PROBE_TRIES];
	unsigned ping_count, request_count, pongs, taken;
	bool heard;    /* something of its key came */
	bool pong_due; /* its PING, to be answered */
	bool knows_us; /* it pinged since our last bond was begun */
	bool answered; /* some FINDNODE */
	bool rest;     /* NEIGHBORS have begun to come */
	bool drain_over, record_over;
	uint8_t pinged_hash[DISCV4_HASH_LEN];
	struct netaddr pinged_from;
	uint8_t target[SECP_PUBLIC_LEN];
	/* Nodes that the answer under way was the first to name, and how many more new ones
	 * earlier questions could have got. */
	unsigned answer_new, owed;
	bool tell_bonded, tell_record, tell_done;
	struct reader nodes; /* of the last packet, not yet told */
	struct probe_info info;
	uint8_t other_key[SECP_PUBLIC_LEN], record_bytes[ENR_LEN_MAX];
	struct drain drain;
};

void probe_init(struct probe *p, const struct probe_params *params, uint64_t now_ms);
/* A packet, decoded (discv4_decode_long: too long NEIGHBORS are taken); len is that of the
 * datagram. False if it is none of this visit's: neither of its key nor from its address. */
bool probe_recv(struct probe *p, const struct netaddr *from, const struct discv4_packet *packet,
		size_t len, uint64_t now_ms);
/* A datagram from its address could not be decoded. */
void probe_garbage(struct probe *p, size_t len);
/* The system says that it can't be reached: OUTCOME_REFUSED, OUTCOME_UNREACHABLE. */
void probe_failed(struct probe *p, enum outcome why, uint64_t now_ms);
bool probe_next(struct probe *p, struct probe_event *out);
bool probe_send(struct probe *p, struct probe_packet *out, uint64_t now_ms);
/* It is signed, and about to be sent; hash: the first DISCV4_HASH_LEN bytes of the packet.
 * The wait for the answer begins anew. */
void probe_sent(struct probe *p, uint32_t ticket, const uint8_t hash[static DISCV4_HASH_LEN],
		uint64_t now_ms);
uint64_t probe_deadline(const struct probe *p); /* UINT64_MAX: done */
void probe_tick(struct probe *p, uint64_t now_ms);
/* Ends it from our side; what was learnt stands. */
void probe_cancel(struct probe *p, uint64_t now_ms);
enum probe_state probe_state(const struct probe *p);
/* What is known so far; slices borrow from the probe. */
void probe_info(const struct probe *p, struct probe_info *out);

#endif
