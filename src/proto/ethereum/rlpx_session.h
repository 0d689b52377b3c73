/* rlpx_session.h: one RLPx connection, without a socket or a clock, in both roles: asks a
 * node for its name, its capabilities and its chain.
 *
 *     PACKET -> HELLO -> STATUS -> (READY) -> CLOSED
 *
 * The initiator sends auth and waits for ack, the responder the other way round (PACKET).
 * Then both say Hello, and who shares a version of eth says Status. With RLPX_GOAL_LEARN
 * the peer speaks first: its Status is sent back to it as ours, as that of a node of the
 * same chain at the same place, followed by a Disconnect, "client quitting". go-ethereum
 * sends its own without waiting. With RLPX_GOAL_SERVE ours goes out after Hello, and the
 * session answers pings until the peer leaves (READY).
 *
 * Driven like the sessions of proto/proto.h: the caller owns the struct, the bytes and the
 * time. After init and after each recv(), tick() and closed(): drain send(), and look whether
 * it is done(). recv() is called again and again with what is left until it returns 0; bytes
 * that it did not take are offered again, with more behind them; need() says how many there
 * have to be. Once done, what send() still has is worth sending, and the connection is to be
 * closed. Nothing allocates; every buffer is within the struct, which must not be moved. */
#ifndef PEERWALK_PROTO_ETHEREUM_RLPX_SESSION_H
#define PEERWALK_PROTO_ETHEREUM_RLPX_SESSION_H

#include "proto/ethereum/eth.h"
#include "proto/ethereum/rlpx.h"

enum {
	/* From the connection to Hello. go-ethereum gives each of its two steps 5 s. */
	RLPX_HANDSHAKE_MS = 10 * 1000,
	/* From Hello to Status; go-ethereum waits as long. */
	RLPX_STATUS_MS = 5 * 1000,
	/* The same, where a caller's Status is waited for to be sent back. Who has a chain sends it
	 * at once, and one packet may be lost. Who has none, as our own visitors, waits for
	 * ours in vain: he is let go, as a useless peer. */
	RLPX_STATUS_CALLED_MS = 2 * 1000,
	/* Of one message, what is kept: more than a Hello or a Status has. The rest is
	 * decrypted, checked and let go. */
	RLPX_HELD_MAX = P2P_BASE_MAX,
	/* Data between Hello and Status, when we only want to learn: nothing but pings is
	 * due there. */
	RLPX_PASSED_MAX = 256 * 1024,
	/* Our first packet, Hello, Status, Disconnect and a few pongs. */
	RLPX_OUT_CAP = 3072,
	/* Kept free of pongs. */
	RLPX_OUT_RESERVE = 1536,
};

/* How it ended. X(symbol, name, sentence) */
#define RLPX_OUTCOME_LIST(X)                                                              \
	X(OK, "ok", "said Hello and its Status")                                          \
	X(NO_STATUS, "no_status", "said Hello, but no Status")                            \
	X(NO_ETH, "no_eth", "said Hello, but shares no version of eth")                   \
	X(FULL, "full", "said that it has too many peers, before Hello: it lives")        \
	X(DISCONNECTED, "disconnected", "left with a reason of its own")                  \
	X(HUNG_UP, "hung_up", "closed without a byte: full, bans us, or has another key") \
	X(CLOSED, "closed", "closed before the end of the handshake")                     \
	X(MUTE, "mute", "accepted the connection, but never spoke")                       \
	X(TIMEOUT, "handshake_timeout", "spoke, but did not finish the handshake")        \
	X(PROTOCOL_ERROR, "protocol_error", "broke a rule of the protocol")               \
	X(TOO_BIG, "too_big", "announced or sent more than the protocol allows")          \
	X(NO_KEY, "no_key", "the key to call is no point of the curve")                   \
	X(SELF, "self", "this is ourselves")

enum rlpx_outcome {
#define RLPX_OUTCOME_ENUM(symbol, name, text) RLPX_OUTCOME_##symbol,
	RLPX_OUTCOME_LIST(RLPX_OUTCOME_ENUM)
#undef RLPX_OUTCOME_ENUM
		RLPX_OUTCOME_COUNT,
};

const char *rlpx_outcome_name(enum rlpx_outcome o);
const char *rlpx_outcome_text(enum rlpx_outcome o); /* a sentence without a full stop */

enum rlpx_goal {
	RLPX_GOAL_LEARN, /* read the peer's Status, mirror it, leave */
	RLPX_GOAL_SERVE, /* be a peer, until the other side leaves */
};

struct rlpx_session_params {
	enum session_role role;
	enum rlpx_goal goal;
	struct rlpx_local local; /* our key and random numbers; copied, and wiped at the end */
	const uint8_t *remote;   /* initiator: the key to call, SECP_PUBLIC_LEN bytes; copied */
	/* What follows must outlive the session. */
	struct slice client;             /* our name, PEER_AGENT_MAX bytes at most */
	uint16_t listen_port;            /* 0: not listening */
	const struct eth_status *status; /* SERVE: ours, whatever its version; else NULL */
	/* What we speak, P2P_CAPS_MAX at most; NULL: eth_offers. */
	const struct p2p_offer *offers;
	size_t offers_count;
	uint64_t timeout_ms; /* the whole session, from init; 0: for ever */
};

enum rlpx_state {
	RLPX_STATE_PACKET,
	RLPX_STATE_HELLO,
	RLPX_STATE_STATUS,
	RLPX_STATE_READY,
	RLPX_STATE_CLOSED,
};

const char *rlpx_state_name(enum rlpx_state s);

/* What was learnt; all as the peer claims it but the key, which it proved. */
struct rlpx_info {
	bool has_key, has_hello, has_status, has_reason;
	uint8_t key[SECP_PUBLIC_LEN];
	struct p2p_hello hello; /* its client, cut to PEER_AGENT_MAX, borrows from the session */
	struct p2p_cap eth;     /* agreed on; version 0: none */
	struct eth_status status;
	uint8_t reason; /* of its Disconnect */
	/* Milliseconds after init, or -1: never. */
	int64_t first_byte_ms, handshake_ms, hello_ms, status_ms;
};

struct rlpx_session {
	struct rlpx_session_params params; /* all private */
	enum rlpx_state state;
	enum rlpx_outcome outcome;
	const char *rule;
	uint64_t start_ms, hello_at_ms;
	struct rlpx_info info;
	uint8_t client[PEER_AGENT_MAX];
	bool snappy; /* packed from now on, both ways */
	uint32_t eth_first_id;
	struct rlpx_handshake handshake;
	struct rlpx_frames frames;

	/* The frame that is being read: its size, what of it (filled up) is still to come. */
	bool in_frame;
	uint32_t data_len, data_left, held_len, need;
	uint64_t passed;
	uint8_t held[RLPX_HELD_MAX];

	size_t out_at, out_len;
	uint8_t out[RLPX_OUT_CAP];
};

void rlpx_session_init(struct rlpx_session *s, const struct rlpx_session_params *params,
		       uint64_t now_ms);
void rlpx_session_clear(struct rlpx_session *s); /* wipes */
size_t rlpx_session_recv(struct rlpx_session *s, struct slice in, uint64_t now_ms);
size_t rlpx_session_need(const struct rlpx_session *s);
size_t rlpx_session_send(struct rlpx_session *s, uint8_t *out, size_t cap);
uint64_t rlpx_session_deadline(const struct rlpx_session *s); /* UINT64_MAX: none */
void rlpx_session_tick(struct rlpx_session *s, uint64_t now_ms);
/* The connection ended. */
void rlpx_session_closed(struct rlpx_session *s, enum session_close how, uint64_t now_ms);
/* We leave, and say so ("client quitting") to whoever can read it. It is done then. */
void rlpx_session_leave(struct rlpx_session *s);
/* True from its end on. *rule: the rule that the peer broke, static text, or NULL. */
bool rlpx_session_done(const struct rlpx_session *s, enum rlpx_outcome *outcome, const char **rule);
void rlpx_session_info(const struct rlpx_session *s, struct rlpx_info *out);

#endif
