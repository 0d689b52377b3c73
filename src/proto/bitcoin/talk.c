#include "proto/bitcoin/talk.h"

#include "base/unset.h"
#include "proto/bitcoin/stay.h"

#include <assert.h>
#include <string.h>

void talk_done(struct talk *t, enum outcome outcome, const char *rule)
{
	if (t->state == TALK_CLOSED)
		return;
	t->state = TALK_CLOSED;
	t->outcome = outcome;
	t->rule = rule;
	t->pending |= PENDING_DONE;
}

enum outcome talk_result(const struct talk *t)
{
	if (t->params.goal != SESSION_GOAL_PEERS || t->named_others)
		return OUTCOME_OK;
	return OUTCOME_NO_PEERS;
}

int32_t talk_protocol(const struct talk *t)
{
	int32_t own = t->params.protocol != 0 ? t->params.protocol : BITCOIN_PROTOCOL;

	return t->has_version && t->protocol < own ? t->protocol : own;
}

/* --- what we say --- */

static void say(struct talk *t, enum bitcoin_command id, uint64_t number)
{
	if (t->say_count == TALK_SAY_MAX) {
		talk_done(t, OUTCOME_PROTOCOL_ERROR, "asks for answers without reading them");
		return;
	}
	t->say[t->say_count] = (uint8_t)id;
	t->say_number[t->say_count++] = number;
}

static void say_version(struct talk *t, uint64_t now_ms)
{
	say(t, BITCOIN_VERSION, (uint64_t)(t->params.unix_s + talk_since_start(t, now_ms) / 1000));
}

static void put_version(struct writer *w, const struct session_params *p, int64_t time_s)
{
	struct bitcoin_version v = {
		.protocol = p->protocol != 0 ? p->protocol : BITCOIN_PROTOCOL,
		.services = p->services,
		.time_s = time_s,
		.recv = { .addr = p->peer },
		/* Core has sent zeros here since 0.14: the receiver knows better. */
		.from = { .services = p->services, .addr = { .kind = NETADDR_IPV6 } },
		.nonce = p->nonce,
		.agent = p->agent,
		.height = p->height,
		/* Whoever asks for peers wants no transactions; a listener does. */
		.relay = p->goal == SESSION_GOAL_LISTEN,
		.has_from = true,
		.has_height = true,
		.has_relay = true,
	};

	bitcoin_version_encode(w, &v);
}

/* Pings of a nonce 0 are those of old, which have none. */
static void put_message(struct writer *w, const struct talk *t, enum bitcoin_command id,
			uint64_t number)
{
	size_t mark = bitcoin_message_begin(w);

	if (id == BITCOIN_VERSION)
		put_version(w, &t->params, (int64_t)number);
	else if (id == BITCOIN_PING || id == BITCOIN_PONG)
		bitcoin_ping_encode(
			w, &(struct bitcoin_ping){ .has_nonce = id == BITCOIN_PONG || number != 0,
						   .nonce = number });
	else if (id == BITCOIN_HEADERS)
		bitcoin_put_compact_size(w, 0);
	bitcoin_message_end(w, mark, t->params.network->magic, id);
}

size_t talk_send(struct talk *t, uint8_t *out, size_t cap)
{
	UNSET uint8_t whole[512]; /* a version with the longest agent has 368 */
	size_t len = 0;

	while (t->say_count > 0 && len < cap) {
		struct writer w;
		size_t n;

		writer_init(&w, whole, sizeof(whole));
		put_message(&w, t, (enum bitcoin_command)t->say[0], t->say_number[0]);
		assert(writer_ok(&w) && t->said < w.len);
		n = w.len - t->said < cap - len ? w.len - t->said : cap - len;
		memcpy(out + len, whole + t->said, n);
		len += n;
		t->said = (uint16_t)(t->said + n);
		if (t->said < w.len)
			break;
		t->said = 0;
		t->say_count--;
		t->counts.messages_out++;
		memmove(t->say, t->say + 1, t->say_count);
		memmove(t->say_number, t->say_number + 1, t->say_count * sizeof(*t->say_number));
	}
	return len;
}

static bool wants_peers(const struct talk *t)
{
	return t->params.role == SESSION_INITIATOR && t->params.goal != SESSION_GOAL_PING;
}

static void say_getaddr(struct talk *t, uint64_t now_ms)
{
	say(t, BITCOIN_GETADDR, 0);
	t->times.asked_ms = talk_since_start(t, now_ms);
}

/* The offers between version and verack, which came with 70016 (BIP 339, Core's rule for
 * BIP 155): whoever is older on either side knows nothing of them. */
static void say_offers(struct talk *t)
{
	if (talk_protocol(t) < BITCOIN_PROTOCOL_WTXIDRELAY)
		return;
	say(t, BITCOIN_WTXIDRELAY, 0);
	say(t, BITCOIN_SENDADDRV2, 0);
}

void talk_ping(struct talk *t, uint64_t now_ms)
{
	bool answered = t->params.goal != SESSION_GOAL_STAY ||
			talk_protocol(t) >= BITCOIN_PROTOCOL_PONG /* BIP 31 */;
	uint64_t numbers[2] = { t->params.nonce };

	numbers[1] = ++t->pings_sent;
	t->ping_nonce =
		answered ? hash_siphash13(&t->params.secret, numbers, sizeof(numbers)) | 1 : 0;
	t->ping_at = now_ms;
	t->next_ping = UINT64_MAX;
	say(t, BITCOIN_PING, t->ping_nonce);
}

/* --- what the peer says --- */

static void note_negotiation(struct talk *t, enum bitcoin_command id)
{
	const char *name = bitcoin_command_name(id);
	size_t len = strlen(name), space = t->negotiation_len > 0;

	if ((t->seen & 1ULL << id) != 0 ||
	    t->negotiation_len + space + len > sizeof(t->negotiation))
		return;
	t->seen |= 1ULL << id;
	if (space)
		t->negotiation[t->negotiation_len] = ' ';
	memcpy(t->negotiation + t->negotiation_len + space, name, len);
	t->negotiation_len = (uint16_t)(t->negotiation_len + space + len);
}

static void handshake_step(struct talk *t, uint64_t now_ms)
{
	if (t->state != TALK_HANDSHAKE || !t->has_version || !t->has_verack)
		return;
	t->state = TALK_READY;
	t->times.handshake_ms = talk_since_start(t, now_ms);
	t->pending |= PENDING_HANDSHAKE;
	if (t->params.stepwise && wants_peers(t))
		say_getaddr(t, now_ms);
	if (t->params.role == SESSION_INITIATOR && t->params.goal == SESSION_GOAL_PING)
		talk_ping(t, now_ms);
	if (t->params.goal == SESSION_GOAL_STAY)
		stay_ping(t, now_ms);
}

static bool is_own_nonce(const struct talk *t, uint64_t nonce)
{
	if (t->params.is_own != NULL)
		return t->params.is_own(t->params.is_own_ctx, nonce);
	return nonce == t->params.nonce;
}

static void keep_version(struct talk *t, const struct bitcoin_version *v, uint64_t now_ms)
{
	t->has_version = true;
	t->times.version_ms = talk_since_start(t, now_ms);
	t->protocol = v->protocol;
	t->services = v->services;
	t->height = v->has_height ? v->height : -1;
	t->relay = v->relay;
	t->sees_us_as = netaddr_is_host(&v->recv.addr) ? v->recv.addr : (struct netaddr){ 0 };
	t->agent_len = (uint16_t)v->agent.len;
	if (v->agent.len > 0)
		memcpy(t->agent, v->agent.data, v->agent.len);
	/* A hostile clock must not overflow; anything past 2^40 s is nonsense anyway. */
	if (v->time_s > -(1LL << 40) && v->time_s < 1LL << 40)
		t->clock_skew_s = v->time_s - t->params.unix_s - talk_since_start(t, now_ms) / 1000;
}

static void on_version(struct talk *t, struct reader *r, uint64_t now_ms)
{
	struct bitcoin_version v;

	bitcoin_version_decode(r, &v);
	/* Core ignores a second version. */
	if (!reader_ok(r) || t->has_version)
		return;
	assert(v.agent.len <= PEER_AGENT_MAX);
	keep_version(t, &v, now_ms);
	if (t->params.goal == SESSION_GOAL_STAY && v.protocol < BITCOIN_PROTOCOL_MIN) {
		talk_done(t, OUTCOME_PROTOCOL_ERROR,
			  "version: 31800 at least (MIN_PEER_PROTO_VERSION)");
		return;
	}
	if (v.has_from && v.nonce != 0 && is_own_nonce(t, v.nonce)) {
		talk_done(t, OUTCOME_SELF, NULL);
		return;
	}
	if (t->params.role == SESSION_RESPONDER)
		say_version(t, now_ms);
	if (t->params.role == SESSION_RESPONDER || t->params.stepwise) {
		say_offers(t);
		say(t, BITCOIN_VERACK, 0);
	}
	handshake_step(t, now_ms);
}

static uint64_t quiet_ms(const struct talk *t, uint32_t count)
{
	int64_t rtt = t->times.handshake_ms;

	if (count <= BITCOIN_RELAYED_MAX)
		return BITCOIN_QUIET_SHORT_MS;
	if (rtt < BITCOIN_QUIET_MIN_MS)
		return BITCOIN_QUIET_MIN_MS;
	return rtt > BITCOIN_QUIET_MAX_MS ? BITCOIN_QUIET_MAX_MS : (uint64_t)rtt;
}

/* Whether the list of one names somebody else than the peer itself. */
static bool names_another(const struct talk *t, const struct bitcoin_addr *list)
{
	struct advert advert;
	struct reader r;

	reader_init(&r, list->entries);
	return bitcoin_addr_next(&r, list->v2, &advert) &&
	       !netaddr_same_host(&advert.addr, &t->params.peer);
}

static void on_addr(struct talk *t, struct reader *r, bool v2, uint64_t now_ms)
{
	struct bitcoin_addr list;

	bitcoin_addr_decode(r, v2, &list);
	if (!reader_ok(r) || list.count == 0)
		return;
	t->pending |= PENDING_ADVERTS;
	t->entry_count = list.count;
	t->entries_v2 = v2;
	t->entries = list.entries;
	if (list.count > 1 || names_another(t, &list))
		t->named_others = true;
	if (t->params.goal != SESSION_GOAL_PEERS || t->params.role != SESSION_INITIATOR)
		return;
	t->named += list.count;
	if (t->named > BITCOIN_NAMED_MAX) {
		talk_done(t, OUTCOME_TOO_BIG, "addr: more than 5,000 addresses in one visit");
		return;
	}
	/* Before the handshake nobody has been asked: no part of the reply. */
	if (list.count > 1 && t->state == TALK_READY) {
		if (t->times.reply_ms == TALK_NEVER)
			t->times.reply_ms = talk_since_start(t, now_ms);
		t->quiet_ends = now_ms + quiet_ms(t, list.count);
		if (list.count > BITCOIN_RELAYED_MAX) {
			t->leaving = true;
			t->owes_pong = false;
		}
	}
}

void talk_pay_pong(struct talk *t)
{
	if (!t->owes_pong)
		return;
	t->owes_pong = false;
	say(t, BITCOIN_PONG, t->owed_nonce);
}

static void on_ping(struct talk *t, struct reader *r, uint64_t now_ms)
{
	struct bitcoin_ping ping;

	bitcoin_ping_decode(r, &ping);
	if (!reader_ok(r) || !ping.has_nonce || !t->has_version ||
	    talk_protocol(t) < BITCOIN_PROTOCOL_PONG /* BIP 31 */ || t->leaving)
		return;
	talk_pay_pong(t);
	t->owes_pong = true;
	t->owed_nonce = ping.nonce;
	t->owed_at = now_ms;
	if (t->params.goal != SESSION_GOAL_PEERS || t->params.role != SESSION_INITIATOR)
		talk_pay_pong(t);
}

static void on_pong(struct talk *t, struct reader *r, uint64_t now_ms)
{
	struct bitcoin_ping pong;

	bitcoin_ping_decode(r, &pong);
	if (!reader_ok(r) || !pong.has_nonce || t->ping_nonce == 0 || pong.nonce != t->ping_nonce)
		return;
	t->ping_nonce = 0;
	t->pongs++;
	t->pending |= PENDING_PONG;
	t->rtt_ms = now_ms - t->ping_at;
	if (t->params.goal == SESSION_GOAL_STAY)
		t->next_ping = talk_after(t->ping_at, BITCOIN_STAY_PING_MS);
	if (t->params.goal != SESSION_GOAL_PING)
		return;
	if (t->pongs >= t->params.ping_count)
		talk_done(t, OUTCOME_OK, NULL);
	else
		t->next_ping = talk_after(t->ping_at, t->params.ping_interval_ms);
}

static void on_getaddr(struct talk *t)
{
	/* Core answers a peer that dialled in, once a connection. */
	if (t->params.role != SESSION_RESPONDER || t->state != TALK_READY || t->asked)
		return;
	t->asked = true;
	t->pending |= PENDING_ASKED;
}

/* Less than nothing says nothing; Core takes no notice of it, either. */
static void on_feefilter(struct talk *t, struct reader *r)
{
	int64_t fee;

	bitcoin_feefilter_decode(r, &fee);
	if (!reader_ok(r) || fee < 0)
		return;
	t->has_feefilter = true;
	t->feefilter = (uint64_t)fee;
}

/* An honest "I have none": whoever waits for headers need not wait for us. */
static void on_getheaders(struct talk *t)
{
	if (t->state == TALK_READY &&
	    (t->params.role == SESSION_RESPONDER || t->params.goal == SESSION_GOAL_STAY))
		say(t, BITCOIN_HEADERS, 0);
}

static bool is_negotiation(enum bitcoin_command id)
{
	return id == BITCOIN_VERSION || id == BITCOIN_VERACK || id == BITCOIN_WTXIDRELAY ||
	       id == BITCOIN_SENDADDRV2 || id == BITCOIN_SENDTXRCNCL || id == BITCOIN_FEATURE ||
	       id == BITCOIN_SENDHEADERS || id == BITCOIN_SENDCMPCT || id == BITCOIN_FEEFILTER;
}

bool talk_understands(enum bitcoin_command id)
{
	return is_negotiation(id) || id == BITCOIN_ADDR || id == BITCOIN_ADDRV2 ||
	       id == BITCOIN_GETADDR || id == BITCOIN_PING || id == BITCOIN_PONG ||
	       id == BITCOIN_GETHEADERS;
}

void talk_hear(struct talk *t, enum bitcoin_command id, struct reader *r, uint64_t now_ms)
{
	if (t->params.goal == SESSION_GOAL_STAY && !stay_hears(t, id))
		return;
	if (is_negotiation(id))
		note_negotiation(t, id);
	if (id == BITCOIN_VERSION) {
		on_version(t, r, now_ms);
	} else if (id == BITCOIN_VERACK) {
		t->has_verack = true;
		handshake_step(t, now_ms);
	} else if (id == BITCOIN_SENDADDRV2) {
		t->wants_addrv2 = true;
	} else if (id == BITCOIN_ADDR || id == BITCOIN_ADDRV2) {
		on_addr(t, r, id == BITCOIN_ADDRV2, now_ms);
	} else if (id == BITCOIN_GETADDR) {
		on_getaddr(t);
	} else if (id == BITCOIN_PING) {
		on_ping(t, r, now_ms);
	} else if (id == BITCOIN_PONG) {
		on_pong(t, r, now_ms);
	} else if (id == BITCOIN_FEEFILTER) {
		on_feefilter(t, r);
	} else if (id == BITCOIN_GETHEADERS) {
		on_getheaders(t);
	} else if (id != BITCOIN_UNKNOWN &&
		   (t->params.goal != SESSION_GOAL_STAY || talk_understands(id))) {
		/* To a standing peer what it passes over is no fault, either. */
		bitcoin_payload_check(r, id);
	}
	/* A limit that is passed is too much; any other rule is broken. What is cut off has the
	 * name of its field for a rule, which says little without the bytes. */
	if (!reader_ok(r))
		talk_done(t, r->err == ERR_LIMIT ? OUTCOME_TOO_BIG : OUTCOME_PROTOCOL_ERROR,
			  r->err == ERR_SHORT ? bitcoin_short_rule(id) : r->rule);
}

void talk_begin(struct talk *t, uint64_t now_ms)
{
	say_version(t, now_ms);
	if (t->params.stepwise)
		return;
	say_offers(t);
	say(t, BITCOIN_VERACK, 0);
	if (wants_peers(t))
		say_getaddr(t, now_ms);
}
