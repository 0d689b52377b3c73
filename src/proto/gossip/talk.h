/* talk.h: the inside of a gossip session: what it knows, says and understands. Private to
 * session.c (the stream of lines, the deadlines) and talk.c (the messages). */
#ifndef PEERWALK_PROTO_GOSSIP_TALK_H
#define PEERWALK_PROTO_GOSSIP_TALK_H

#include "proto/gossip/messages.h"
#include "proto/gossip/session.h"

enum talk_state {
	TALK_HANDSHAKE,
	TALK_READY,
	TALK_CLOSED,
};

enum {
	TALK_OUT_CAP = 512, /* a few short messages: they are sent before the next line is heard */
	/* Our hello, with every letter of agent and group escaped. It is written whenever a part
	 * of it is sent: ten thousand sessions need not hold it. */
	TALK_HELLO_MAX = 160 + 6 * (PEER_AGENT_MAX + GOSSIP_GROUP_MAX),
	TALK_NEVER = -1,
};

struct talk {
	struct session_params params;
	uint8_t own_id[UUID_LEN];
	enum talk_state state;
	uint64_t start_ms;
	struct session_times times;
	struct session_counts counts;
	struct gossip_hello hello; /* the peer's, once READY */

	/* SESSION_GOAL_PEERS: the answer to our getaddr. */
	uint32_t named;      /* entries so far */
	bool named_others;   /* somebody but the peer was named */
	bool marked;         /* the pong to the ping behind getaddr is here */
	uint64_t quiet_ends; /* UINT64_MAX: no answer yet */

	/* Pings. One that is not answered is said again as it was. */
	uint32_t pings_sent, pongs;
	uint64_t ping_nonce; /* 0: none is outstanding */
	uint64_t ping_at, next_ping, gone_at;

	uint64_t next_ask;    /* SESSION_GOAL_STAY */
	uint64_t answered_at; /* the peer's getaddr; UINT64_MAX: never */

	size_t scanned;  /* of the line that is unfinished: no end was found in so much */
	uint8_t pending; /* events, as bits, told in the order of their enum */
	struct session_event event;
	enum outcome outcome;
	const char *rule;

	bool says_hello; /* before what is in out */
	uint16_t hello_at, out_at, out_len;
	uint8_t out[TALK_OUT_CAP];
};

_Static_assert(sizeof(struct talk) <= SESSION_SIZE_MAX, "the session fits its place");

static inline int64_t talk_since_start(const struct talk *t, uint64_t now_ms)
{
	return (int64_t)(now_ms - t->start_ms);
}

/* at_ms + ms, and UINT64_MAX (never) where that would pass it. */
static inline uint64_t talk_after(uint64_t at_ms, uint64_t ms)
{
	return ms < UINT64_MAX - at_ms ? at_ms + ms : UINT64_MAX;
}

/* Ends the talk, once. */
void gossip_talk_done(struct talk *t, enum outcome outcome, const char *rule);
/* What it came to when it ends without a fault of the peer. */
enum outcome gossip_talk_result(const struct talk *t);
/* Our hello, whole. */
void gossip_talk_hello(const struct talk *t, struct writer *w);
void gossip_talk_ping(struct talk *t, uint64_t now_ms);
void gossip_talk_ask(struct talk *t, uint64_t now_ms);
/* A whole line; bytes that it is made of stay where they are until the next one. */
void gossip_talk_hear(struct talk *t, const struct gossip_message *m, uint64_t now_ms);

#endif
