/* swarm_inner.h: the inside of a swarm. Private to its files: swarm.c (the driver's interface),
 * swarm_conn.c (one connection's life, and when it wants to be woken), swarm_out.c (whom to dial
 * and to check), swarm_talk.c (what is taken from peers and told to them), swarm_evict.c (who
 * has a place). */
#ifndef PEERWALK_ENGINE_SWARM_INNER_H
#define PEERWALK_ENGINE_SWARM_INNER_H

#include "base/keymap.h"
#include "base/statements.h"
#include "engine/swarm.h"

enum {
	NO_SLOT = UINT32_MAX,
	/* Addresses that wait to be passed on; whoever has not read one when so many came after
	 * it never gets it. */
	RELAY_RING = 1024,
	/* Passed on to one peer in one message: what is older waits for the next. */
	RELAY_AT_ONCE = 256,
	RELAY_TO_MAX = 2,      /* Core's; policies that say more mean everybody */
	RELAY_BATCH_MS = 1000, /* what comes within this goes out together */
	ANSWER_CACHES = 4,     /* enum reach, and public IPv6 */
	/* Hearsay that was tried in vain just now: at gossip's four checks a second, all of the
	 * last minute has a place. */
	MISSED_MAX = 1024,
};

/* How near an address is: nobody is told, or believed of, what is nearer to us than he is. */
enum reach { REACH_LOOPBACK, REACH_PRIVATE, REACH_PUBLIC };

enum conn_state { CONN_DIALLING, CONN_OPEN, CONN_UP, CONN_GONE };

/* A bucket of tokens, in thousandths. */
struct bucket {
	uint64_t at_ms;
	uint64_t milli;
};

/* Incoming connections by age: all, and those that have not shaken hands. */
enum line_of { LINE_ALL, LINE_RAW, LINES };

/* Slots. */
struct place {
	uint32_t newer, older;
};
struct line {
	uint32_t newest, oldest;
};

struct conn {
	uint32_t id, slot;
	uint8_t state, direction;
	bool dial_told, closed; /* the driver knows of it; and that it is gone */
	bool queued, unsent;    /* in the list of actions; SWARM_SEND is due, or not read up */
	bool wants_answer, wants_self; /* to be made by swarm_send */
	bool began, was_up, told_up;   /* the session; shaken hands; and told */
	bool is_self;                  /* the other end is ourselves */
	bool is_raw;                   /* in the list of them */
	struct netaddr remote, listen;
	uint64_t since_ms, announce_ms, tell_ms;
	int64_t rtt_ms, asked_ms;
	uint64_t nonce, id_key; /* id_key: of its node id, 0: not in the index */
	uint32_t relay_at;      /* the next of the ring */
	uint32_t messages_seen, messages_said, useful;
	struct bucket takes, messages;
	uint8_t *said; /* the caller's messages */
	uint32_t said_len;
	uint32_t next_action;
	uint64_t group_key;
	struct place places[LINES];
	uint32_t heap_at; /* NO_SLOT: not there */
	_Alignas(16) uint8_t session[];
};

struct wake {
	uint64_t at_ms;
	uint32_t slot;
};

struct bootstrap {
	struct netaddr addr;
	uint64_t next_ms, wait_ms; /* wait_ms 0: not tried yet */
};

struct relayed {
	struct netaddr addr;
	uint64_t services;
	int64_t seen_s;
	uint64_t at_ms;
	uint32_t from, to[RELAY_TO_MAX]; /* ids, 0: nobody; to[0] SWARM_NONE: everybody */
};

/* By a hash of the address; a later one takes the place. */
struct missed {
	uint64_t key, at_ms;
};

struct answer_cache {
	uint64_t until_ms;
	uint32_t count;
	uint32_t known;         /* how many were, when it was made */
	struct advert *adverts; /* NULL: none yet */
};

struct swarm {
	struct swarm_config config;
	struct peer_policy policy;
	const struct proto *proto;
	uint64_t now_ms, start_ms;
	struct hash_key key;
	struct random random;
	bool stopping;

	struct conn **conns; /* by slot */
	struct wake *heap;
	uint32_t heap_len;
	uint32_t slots_len, slots_cap;
	uint32_t *free_slots;
	uint32_t free_len;
	uint32_t last_id;
	struct keymap ids, addrs, nodes; /* -> slot; addrs: whom we have a connection to */
	struct keymap hosts, groups;     /* -> count, of incoming ones */
	struct keymap out_groups;        /* the same, of those that we dialled to keep */
	struct line lines[LINES];
	uint32_t first_action, last_action;

	struct netaddr own[SWARM_OWN_MAX];
	unsigned own_count;
	struct netaddr seen_as; /* the one of `own` that others told us of */
	struct statements statements;
	struct bootstrap bootstraps[SWARM_BOOTSTRAPS_MAX];
	unsigned bootstraps_count;
	uint64_t dial_ms, dialled_ms, check_ms, expire_ms;
	struct missed missed[MISSED_MAX];

	struct relayed *ring;
	uint32_t ring_head, ring_told; /* counting up; told: those before it are on their way */
	uint64_t relay_ms;
	struct answer_cache caches[ANSWER_CACHES];
	struct advert *scratch; /* policy.answer_max */

	struct swarm_counts counts;
};

/* --- swarm.c --- */

int64_t swarm_unix_s(const struct swarm *s);
void swarm_tell(struct swarm *s, const struct swarm_event *event);
void swarm_tell_addr(struct swarm *s, enum swarm_event_kind kind, const struct netaddr *addr);
void swarm_show(const struct swarm *s, const struct conn *c, struct swarm_peer *out);
/* SWARM_SEND of that connection is due. */
void swarm_wants_send(struct swarm *s, struct conn *c);
void swarm_queue(struct swarm *s, struct conn *c);
static inline uint64_t swarm_earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* --- swarm_conn.c --- */

/* NULL: no memory. It is in all indexes; nothing was told. */
struct conn *swarm_conn_new(struct swarm *s, enum swarm_direction direction,
			    const struct netaddr *remote);
void swarm_conn_free(struct swarm *s, struct conn *c);
/* NULL: gone; the second knows those, too, that the driver has still to close. */
struct conn *swarm_conn_find(const struct swarm *s, uint32_t id);
struct conn *swarm_conn_any(const struct swarm *s, uint32_t id);
/* Whom the address belongs to; NULL: nobody connected. */
struct conn *swarm_conn_at(const struct swarm *s, const struct netaddr *addr);
/* The connection stands: its session begins. */
void swarm_conn_open(struct swarm *s, struct conn *c);
/* What the session has to say after each call of it. The connection may be gone then. */
void swarm_conn_events(struct swarm *s, struct conn *c);
/* Out of all indexes and told; swarm_next has it closed by the driver, and frees it. */
void swarm_conn_end(struct swarm *s, struct conn *c, enum outcome outcome, const char *why);
/* SWARM_EVENT_UP, once. */
void swarm_conn_tell(struct swarm *s, struct conn *c);
/* When it wants to be woken may have changed. */
void swarm_conn_schedule(struct swarm *s, struct conn *c);
void swarm_conn_tick(struct swarm *s, struct conn *c);
/* The first of the heap that is due; NULL: none is. It is out of the heap then. */
struct conn *swarm_conn_due(struct swarm *s);
bool swarm_conn_is_own_nonce(void *ctx, uint64_t nonce);

/* --- swarm_out.c --- */

enum reach swarm_reach(const struct netaddr *addr);
uint64_t swarm_group_key(const struct swarm *s, const struct netaddr *addr);
uint64_t swarm_host_key(const struct swarm *s, const struct netaddr *addr);
uint64_t swarm_addr_key(const struct swarm *s, const struct netaddr *addr);
bool swarm_is_own(const struct swarm *s, const struct netaddr *addr);
void swarm_out_tick(struct swarm *s);
uint64_t swarm_out_deadline(const struct swarm *s);
/* Somebody new is known, or a place is free: look at once. */
void swarm_out_hurry(struct swarm *s);
/* Whom we dialled has shaken hands; a peer has answered a ping. */
void swarm_out_shaken(struct swarm *s, const struct conn *c, const struct peer_info *info);
void swarm_out_pong(struct swarm *s, const struct conn *c);
/* It was hearsay, nobody answered, and it is out of the book: not taken in again yet. */
bool swarm_out_missed(struct swarm *s, const struct netaddr *addr);
/* What an ended connection says about the address. */
void swarm_out_ended(struct swarm *s, const struct conn *c, enum outcome outcome);

/* --- swarm_talk.c --- */

enum err swarm_talk_new(struct swarm *s);
void swarm_talk_clear(struct swarm *s);
size_t swarm_talk_bytes(const struct swarm *s);
/* Hands are shaken. */
void swarm_talk_begin(struct swarm *s, struct conn *c, const struct peer_info *info);
void swarm_talk_named(struct swarm *s, struct conn *c, const struct session_event *event);
/* An address that is worth passing on. */
void swarm_talk_relay(struct swarm *s, const struct advert *peer, uint32_t from);
/* False: it sends more messages than it may. */
bool swarm_talk_messages(struct swarm *s, struct conn *c);
void swarm_talk_tick(struct swarm *s);
uint64_t swarm_talk_deadline(const struct swarm *s);
/* The next message of our own to that peer; 0: none. */
size_t swarm_talk_make(struct swarm *s, struct conn *c, uint8_t *out, size_t cap);
/* The time of its next self-announcement has come, or is to be set. */
void swarm_talk_announce(struct swarm *s, struct conn *c);
bool swarm_bucket_take(struct bucket *b, uint64_t now_ms, uint64_t first, uint64_t per_10s,
		       uint64_t burst);

/* --- swarm_evict.c --- */

/* Counts a key once more (false: no memory), and once less. */
bool swarm_count_more(struct keymap *map, uint64_t key);
void swarm_count_less(struct keymap *map, uint64_t key);
/* Makes room for an incoming connection; false: there is none for it. */
bool swarm_evict_for(struct swarm *s, const struct netaddr *remote);
/* Counts an incoming connection in its host and group (false: no memory), and out again. */
bool swarm_evict_enter(struct swarm *s, struct conn *c);
void swarm_evict_shaken(struct swarm *s, struct conn *c);
void swarm_evict_leave(struct swarm *s, struct conn *c);

#endif
