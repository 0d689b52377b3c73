/* talk.h: the inside of a Bitcoin session: what it knows, says and understands. Private
 * to session.c (the stream of bytes, the deadlines), talk.c (the messages) and stay.c (what is
 * different where a session is to STAY). */
#ifndef PEERWALK_PROTO_BITCOIN_TALK_H
#define PEERWALK_PROTO_BITCOIN_TALK_H

#include "crypto/sha256.h"
#include "proto/bitcoin/messages.h"
#include "proto/bitcoin/session.h"

enum talk_state {
	TALK_HANDSHAKE,
	TALK_READY,
	TALK_CLOSED,
};

/* Events wait as bits and are told in this order, which is also that of the enum. */
enum pending {
	PENDING_HANDSHAKE = 1 << SESSION_EVENT_HANDSHAKE,
	PENDING_ADVERTS = 1 << SESSION_EVENT_ADVERTS,
	PENDING_ASKED = 1 << SESSION_EVENT_ASKED,
	PENDING_MESSAGE = 1 << SESSION_EVENT_MESSAGE,
	PENDING_PONG = 1 << SESSION_EVENT_PONG,
	PENDING_DONE = 1 << SESSION_EVENT_DONE,
};

enum {
	/* What waits to be said: the first flight is five messages, the rest are answers to who
	 * does not read them. */
	TALK_SAY_MAX = 16,
	TALK_NEVER = -1,
};

struct talk {
	struct session_params params;
	enum talk_state state;
	uint64_t start_ms, heard_at; /* heard_at: the last bytes of the peer */
	struct session_times times;
	struct session_counts counts;

	/* What the peer said. */
	bool has_version, has_verack, wants_addrv2, asked;
	bool had_version; /* in a first try; what it said there is what follows */
	int32_t protocol, height;
	uint64_t services, feefilter;
	bool relay, has_feefilter;
	int64_t clock_skew_s;
	struct netaddr sees_us_as;
	uint16_t agent_len, negotiation_len;
	uint64_t seen; /* commands in the negotiation list, as bits */
	uint8_t agent[PEER_AGENT_MAX];
	char negotiation[PEER_NEGOTIATION_MAX];

	/* The answer to getaddr. */
	uint32_t named;      /* entries so far */
	bool named_others;   /* somebody but itself was named */
	bool leaving;        /* the reply is there: only its further parts are of interest */
	uint64_t quiet_ends; /* UINT64_MAX: no reply yet */

	/* Pings. */
	uint32_t pings_sent, pongs;
	uint64_t ping_nonce, ping_at, next_ping; /* ping_nonce 0: none outstanding */
	/* A pong that may wait until all that came with its ping is heard: it is due at
	 * once, but has no place once the reply is there, and spares a packet then. */
	bool owes_pong;
	uint64_t owed_nonce, owed_at;

	/* A message that is passed over. */
	struct sha256 skip_hash;
	uint32_t skip_left;
	bool skipping;
	uint8_t skip_checksum[4];

	bool partial; /* an unfinished message waits in the caller's buffer */
	uint32_t need;
	uint8_t pending;
	/* What the events are about; borrowed from the bytes given to the last recv. */
	struct slice message; /* MESSAGE: with its header */
	struct slice entries; /* ADVERTS */
	uint32_t entry_count;
	bool entries_v2;
	uint64_t rtt_ms; /* PONG */
	enum outcome outcome;
	const char *rule;
	bool retry_stepwise;

	/* What is to be said, as commands: a message is written when it is sent, so that little
	 * is kept of it. With each a number: the nonce of a ping or pong, the time of a version. */
	uint8_t say[TALK_SAY_MAX], say_count;
	uint64_t say_number[TALK_SAY_MAX];
	uint16_t said; /* bytes of the first of them that are sent already */
};

_Static_assert(sizeof(struct talk) <= SESSION_SIZE_MAX, "the session fits its place");
_Static_assert(BITCOIN_COMMAND_COUNT <= 64, "the commands fit the bit set");

static inline int64_t talk_since_start(const struct talk *t, uint64_t now_ms)
{
	return (int64_t)(now_ms - t->start_ms);
}

/* The protocol version that both speak; ours while the peer has not said its own. */
int32_t talk_protocol(const struct talk *t);
/* at_ms + ms, and UINT64_MAX (never) where that would pass it. */
static inline uint64_t talk_after(uint64_t at_ms, uint64_t ms)
{
	return ms < UINT64_MAX - at_ms ? at_ms + ms : UINT64_MAX;
}

/* Ends the talk, once. */
void talk_done(struct talk *t, enum outcome outcome, const char *rule);
/* What it came to when it ends without a fault of the peer. */
enum outcome talk_result(const struct talk *t);

/* Writes what is to be said, as struct proto's send. */
size_t talk_send(struct talk *t, uint8_t *out, size_t cap);
/* The initiator's first words. */
void talk_begin(struct talk *t, uint64_t now_ms);
/* Says the pong that is owed. */
void talk_pay_pong(struct talk *t);
/* Sends a ping of our own; one without a nonce to who knows no pong (STAY). */
void talk_ping(struct talk *t, uint64_t now_ms);
/* Whether talk_hear does something with that command; others are for listeners. */
bool talk_understands(enum bitcoin_command id);
/* One whole message, its payload in the reader. Ends the talk if it breaks a rule. */
void talk_hear(struct talk *t, enum bitcoin_command id, struct reader *r, uint64_t now_ms);

#endif
