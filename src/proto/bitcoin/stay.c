#include "proto/bitcoin/stay.h"

/* Core's figures, where it has one: src/net.h, src/net_processing.cpp, src/addrman_impl.h. */
const struct peer_policy bitcoin_policy = {
	.out_wanted = 8, /* MAX_OUTBOUND_FULL_RELAY_CONNECTIONS */
	/* 200 connections (DEFAULT_MAX_PEER_CONNECTIONS), without 8 outgoing ones, 2 for blocks
	 * alone and a feeler. Of older versions it is 125. */
	.in_max = 189,
	/* Core has no such limit: it protects one of each network group when it evicts. Many
	 * nodes behind one address are a household or an office; dozens are one visitor. */
	.host_max = 8,
	.known_max = 1024 * 64,              /* ADDRMAN_NEW_BUCKET_COUNT of ADDRMAN_BUCKET_SIZE */
	.known_s = 30 * 24 * 3600,           /* ADDRMAN_HORIZON */
	.check_ms = 0,                       /* feelers, as Core */
	.checks_per_s = 1,                   /* not reached: there is one feeler at a time */
	.answer_max = 1000,                  /* MAX_ADDR_TO_SEND */
	.answer_percent = 23,                /* MAX_PCT_ADDR_TO_SEND */
	.answer_cache_ms = 24 * 3600 * 1000, /* Core: 21 to 27 hours, so that nobody can map it */
	.vouched_ms = 0,
	.relay_fanout = 2, /* of RelayAddress */
	.relay_max = BITCOIN_RELAYED_MAX,
	.announce_ms = 24 * 3600 * 1000, /* AVG_LOCAL_ADDRESS_BROADCAST_INTERVAL */
	.take_first = 1,                 /* m_addr_token_bucket: where he is himself */
	.take_per_10s = 1,               /* MAX_ADDR_RATE_PER_SECOND is 0.1 */
	.take_burst = 1000,              /* MAX_ADDR_PROCESSING_TOKEN_BUCKET */
	/* Core has no such limit. A peer that was told that we want no transactions sends a few
	 * messages a minute; one that announces each all the same, as a dozen a second. */
	.messages_burst = 2000,
	.messages_per_s = 100,
	.ids_unique = false,
};

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t handshake_ends(const struct talk *t)
{
	return talk_after(t->start_ms, t->params.role == SESSION_RESPONDER
					       ? BITCOIN_STAY_HANDSHAKE_MS
					       : BITCOIN_HANDSHAKE_MS);
}

static uint64_t session_ends(const struct talk *t)
{
	return t->params.timeout_ms > 0 ? talk_after(t->start_ms, t->params.timeout_ms)
					: UINT64_MAX;
}

static uint64_t pong_ends(const struct talk *t)
{
	return t->ping_nonce != 0 ? talk_after(t->ping_at, BITCOIN_STAY_TIMEOUT_MS) : UINT64_MAX;
}

static uint64_t silence_ends(const struct talk *t)
{
	return talk_after(t->heard_at, BITCOIN_STAY_TIMEOUT_MS);
}

uint64_t stay_deadline(const struct talk *t)
{
	if (t->state == TALK_HANDSHAKE)
		return earlier(session_ends(t), handshake_ends(t));
	return earlier(earlier(session_ends(t), t->next_ping),
		       earlier(pong_ends(t), silence_ends(t)));
}

void stay_tick(struct talk *t, uint64_t now_ms)
{
	if (t->state == TALK_HANDSHAKE)
		talk_done(t,
			  t->times.first_byte_ms == TALK_NEVER ? OUTCOME_MUTE
							       : OUTCOME_HANDSHAKE_TIMEOUT,
			  NULL);
	else if (now_ms >= session_ends(t))
		talk_done(t, OUTCOME_OK, NULL);
	else if (now_ms >= pong_ends(t))
		talk_done(t, OUTCOME_MUTE, "pong: within 20 minutes (TIMEOUT_INTERVAL)");
	else if (now_ms >= silence_ends(t))
		talk_done(t, OUTCOME_MUTE, "silent for 20 minutes (TIMEOUT_INTERVAL)");
	else
		stay_ping(t, now_ms);
}

void stay_ping(struct talk *t, uint64_t now_ms)
{
	talk_ping(t, now_ms);
	/* Who knows no pong is pinged all the same, as Core does: the connection may break. */
	if (t->ping_nonce == 0)
		t->next_ping = talk_after(now_ms, BITCOIN_STAY_PING_MS);
}

static bool is_offer(enum bitcoin_command id)
{
	return id == BITCOIN_WTXIDRELAY || id == BITCOIN_SENDADDRV2 || id == BITCOIN_SENDTXRCNCL ||
	       id == BITCOIN_FEATURE;
}

bool stay_hears(struct talk *t, enum bitcoin_command id)
{
	if (id == BITCOIN_VERSION || id == BITCOIN_VERACK)
		return true;
	if (!t->has_version)
		return false;
	if (is_offer(id) && t->state != TALK_HANDSHAKE) {
		talk_done(t, OUTCOME_PROTOCOL_ERROR,
			  "wtxidrelay, sendaddrv2 and their kin: not after verack (BIP 339, 155)");
		return false;
	}
	return t->state == TALK_READY || is_offer(id) || id == BITCOIN_SENDHEADERS ||
	       id == BITCOIN_SENDCMPCT;
}
