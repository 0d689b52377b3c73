#include "proto/ethereum/probe.h"

#include "proto/ethereum/probe_inner.h"

#include <assert.h>
#include <string.h>

enum probe_state probe_state(const struct probe *p)
{
	return p->state;
}

void probe_note(struct probe *p, enum probe_breach b)
{
	p->info.breaches[b]++;
}

int64_t probe_elapsed(const struct probe *p, uint64_t now_ms)
{
	return (int64_t)(now_ms - p->started_ms);
}

int64_t probe_unix_s(const struct probe *p, uint64_t now_ms)
{
	return (p->params.unix_ms + probe_elapsed(p, now_ms)) / 1000;
}

/* No later than this, whatever the node does. */
static uint64_t visit_end(const struct probe *p)
{
	if (p->params.timeout_ms == 0 || p->params.timeout_ms > UINT64_MAX - p->started_ms)
		return UINT64_MAX;
	return p->started_ms + p->params.timeout_ms;
}

void probe_finish(struct probe *p, enum outcome outcome, const char *rule, uint64_t now_ms)
{
	if (p->state == PROBE_DONE)
		return;
	p->state = PROBE_DONE;
	p->ping.wanted = p->ping.waiting = false;
	p->findnode.wanted = p->findnode.waiting = false;
	p->record.wanted = p->record.waiting = false;
	p->pong_due = false;
	p->info.outcome = outcome;
	p->info.rule = rule;
	p->info.total_ms = probe_elapsed(p, now_ms);
	p->tell_done = true;
}

/* What explains best why no bond came about, if it broke a rule. */
static const char *why_unproven(const struct probe *p)
{
	if (p->info.breaches[PROBE_BREACH_EXPIRED] > 0)
		return probe_breach_text(PROBE_BREACH_EXPIRED);
	if (p->info.breaches[PROBE_BREACH_WRONG_PONG] > 0)
		return probe_breach_text(PROBE_BREACH_WRONG_PONG);
	return NULL;
}

/* All was asked, or the time is over. */
static void finish(struct probe *p, uint64_t now_ms)
{
	if (p->info.reached)
		probe_finish(
			p, p->info.named > 0 || p->params.no_table ? OUTCOME_OK : OUTCOME_NO_PEERS,
			NULL, now_ms);
	else if (p->heard)
		probe_finish(p, OUTCOME_HANDSHAKE_TIMEOUT, why_unproven(p), now_ms);
	else
		probe_finish(p, OUTCOME_CONNECT_TIMEOUT, NULL, now_ms);
}

static void ask(struct probe_question *q)
{
	q->wanted = true;
	q->waiting = false;
	q->tries++;
}

static void begin_bond(struct probe *p)
{
	p->state = PROBE_BONDING;
	p->knows_us = false;
	p->ping.tries = 0;
	ask(&p->ping);
}

static void next_findnode(struct probe *p, uint64_t now_ms);

/* Only now: who has answered FINDNODE takes it. If none is sent, each try has its own bond. */
static void begin_record(struct probe *p)
{
	if (!p->record_over && (p->record.tries == 0 || p->params.no_table))
		ask(&p->record);
}

void probe_end_record(struct probe *p, uint64_t now_ms)
{
	p->record_over = true;
	p->record.wanted = p->record.waiting = false;
	if (p->drain_over)
		finish(p, now_ms);
}

static void end_drain(struct probe *p, uint64_t now_ms)
{
	p->drain_over = true;
	if (!p->params.no_table)
		p->info.drained_ms = probe_elapsed(p, now_ms);
	begin_record(p);
	if (p->record_over)
		finish(p, now_ms);
}

void probe_begin_asking(struct probe *p, uint64_t now_ms)
{
	p->ping.wanted = p->ping.waiting = false;
	p->state = PROBE_ASKING;
	if (!p->params.no_table) {
		next_findnode(p, now_ms);
	} else if (p->pong_due && p->record_over) {
		/* Its PING is answered before the end, which comes at once. */
		p->state = PROBE_SETTLING;
		p->settled_ms = now_ms;
	} else {
		end_drain(p, now_ms);
	}
}

static void next_findnode(struct probe *p, uint64_t now_ms)
{
	p->rest = false;
	p->answer_new = 0;
	if (drain_next(&p->drain, p->params.targets, p->target))
		ask(&p->findnode);
	else
		end_drain(p, now_ms);
}

static void begin_drain(struct probe *p)
{
	uint8_t hash[KADEMLIA_HASH_LEN];

	kademlia_hash(p->params.node.key, hash);
	drain_init(&p->drain, hash);
}

/* Where no answer ever came, the node may not know us: its PING or our PONG was lost. It will
 * ping again as soon as it is pinged. */
static void never_answered(struct probe *p, uint64_t now_ms)
{
	if (p->info.findnodes >= PROBE_UNANSWERED_MAX) {
		end_drain(p, now_ms);
		return;
	}
	if (p->info.findnodes % DRAIN_SILENCES == 0)
		begin_drain(p); /* which has given it up */
	begin_bond(p);
}

/* What may still come of the answers so far. Nodes that were known already may have been of a
 * packet that came twice, while a part of this answer is still under way: they settle nothing. */
static void settle_owed(struct probe *p)
{
	p->owed += DRAIN_REPLY_MAX;
	p->owed -= p->answer_new < p->owed ? p->answer_new : p->owed;
}

void probe_end_answer(struct probe *p, uint64_t now_ms)
{
	settle_owed(p);
	p->findnode.waiting = false;
	p->answered = p->answered || p->rest;
	drain_reply_end(&p->drain);
	if (drain_endless(&p->drain)) {
		probe_note(p, PROBE_BREACH_ENDLESS);
		probe_finish(p, OUTCOME_TOO_BIG, probe_breach_text(PROBE_BREACH_ENDLESS), now_ms);
	} else if (p->info.breaches[PROBE_BREACH_MANY] >= PROBE_MANY_MAX) {
		probe_finish(p, OUTCOME_TOO_BIG, probe_breach_text(PROBE_BREACH_MANY), now_ms);
	} else if (p->answered) {
		begin_record(p);
		next_findnode(p, now_ms);
	} else {
		never_answered(p, now_ms);
	}
}

void probe_init(struct probe *p, const struct probe_params *params, uint64_t now_ms)
{
	memset(p, 0, sizeof(*p));
	assert(netaddr_is_ip(&params->node.endpoint.addr));
	assert(params->targets != NULL || params->no_table);
	assert(params->unix_ms >= 0);
	assert(params->pings <= PROBE_TRIES);
	p->params = *params;
	if (p->params.pings == 0)
		p->params.pings = PROBE_TRIES;
	if (p->params.pong_ms == 0)
		p->params.pong_ms = PROBE_REPLY_MS;
	p->started_ms = now_ms;
	p->record_over = params->no_record;
	p->info.rtt_ms = p->info.bonded_ms = p->info.neighbors_ms = -1;
	p->info.drained_ms = p->info.record_ms = p->info.total_ms = -1;
	begin_drain(p);
	reader_init(&p->nodes, slice_of(NULL, 0));
	if (memcmp(params->node.key, params->own_key, SECP_PUBLIC_LEN) == 0)
		probe_finish(p, OUTCOME_SELF, NULL, now_ms);
	else
		begin_bond(p);
}

static bool next_node(struct probe *p, struct probe_event *out)
{
	while (discv4_neighbors_next(&p->nodes, &out->node)) {
		/* It may well name us: it knows us by now. */
		if (memcmp(out->node.key, p->params.own_key, SECP_PUBLIC_LEN) == 0)
			continue;
		out->kind = PROBE_EVENT_NODE;
		out->relay = relay_check(&p->params.node.endpoint.addr, &out->node.endpoint.addr);
		out->on_curve = secp_public_valid(out->node.key);
		out->usable = out->on_curve && out->relay == RELAY_OK;
		if (out->relay == RELAY_LOW_PORT)
			probe_note(p, PROBE_BREACH_LOW_PORT);
		else if (out->relay != RELAY_OK)
			probe_note(p, PROBE_BREACH_BAD_ADDRESS);
		if (!out->on_curve)
			probe_note(p, PROBE_BREACH_OFF_CURVE);
		return true;
	}
	return false;
}

bool probe_next(struct probe *p, struct probe_event *out)
{
	*out = (struct probe_event){ .kind = PROBE_EVENT_DONE };
	if (p->tell_bonded) {
		p->tell_bonded = false;
		out->kind = PROBE_EVENT_BONDED;
		return true;
	}
	if (next_node(p, out))
		return true;
	if (p->tell_record) {
		p->tell_record = false;
		out->kind = PROBE_EVENT_RECORD;
		return true;
	}
	*out = (struct probe_event){ .kind = PROBE_EVENT_DONE };
	if (!p->tell_done)
		return false;
	p->tell_done = false;
	return true;
}

static struct probe_asked *asked_add(struct probe_asked *asked, unsigned *count, unsigned max,
				     uint32_t ticket, uint64_t now_ms)
{
	struct probe_asked *a = &asked[*count];

	assert(*count < max);
	(void)max;
	++*count;
	*a = (struct probe_asked){ .ticket = ticket, .at_ms = now_ms };
	return a;
}

/* From whom it takes long once it takes long again; of whom nothing was heard, the caller knows
 * what to expect. */
static uint64_t reply_ms(const struct probe *p)
{
	if (!p->info.reached)
		return p->params.pong_ms;
	return PROBE_REPLY_MS + (p->info.rtt_ms > 0 ? (uint64_t)p->info.rtt_ms : 0);
}

static void give_out(struct probe *p, struct probe_question *q, uint64_t now_ms)
{
	q->wanted = false;
	q->waiting = true;
	q->ticket = p->tickets;
	q->due_ms = now_ms + reply_ms(p);
}

static void put_ping(struct probe *p, struct writer *w, int64_t expiration_s)
{
	const struct discv4_ping ping = {
		.version = DISCV4_VERSION,
		.from = p->params.own,
		.to = p->params.node.endpoint,
		.expiration_s = expiration_s,
		.has_enr_seq = p->params.has_enr_seq,
		.enr_seq = p->params.enr_seq,
	};

	discv4_ping_encode(w, &ping);
}

static void put_pong(struct probe *p, struct writer *w, int64_t expiration_s)
{
	const struct discv4_pong pong = {
		.to = { .addr = p->pinged_from, .tcp_port = p->info.claims.tcp_port },
		.ping_hash = { p->pinged_hash, sizeof(p->pinged_hash) },
		.expiration_s = expiration_s,
		.has_enr_seq = p->params.has_enr_seq,
		.enr_seq = p->params.enr_seq,
	};

	discv4_pong_encode(w, &pong);
}

/* The PONG first: without it the questions behind it would not be answered. */
bool probe_send(struct probe *p, struct probe_packet *out, uint64_t now_ms)
{
	int64_t expiration_s = probe_unix_s(p, now_ms) + PROBE_EXPIRATION_S;
	struct writer w;

	*out = (struct probe_packet){ .to = p->params.node.endpoint.addr };
	writer_init(&w, out->list, sizeof(out->list));
	if (!p->pong_due && !p->ping.wanted && !p->findnode.wanted && !p->record.wanted)
		return false;
	out->ticket = ++p->tickets;
	if (p->pong_due) {
		p->pong_due = false;
		out->type = DISCV4_PONG;
		out->to = p->pinged_from;
		put_pong(p, &w, expiration_s);
	} else if (p->ping.wanted) {
		give_out(p, &p->ping, now_ms);
		asked_add(p->pings, &p->ping_count, PROBE_PINGS_MAX, out->ticket, now_ms);
		out->type = DISCV4_PING;
		put_ping(p, &w, expiration_s);
	} else if (p->findnode.wanted) {
		give_out(p, &p->findnode, now_ms);
		p->info.findnodes++;
		out->type = DISCV4_FINDNODE;
		discv4_findnode_encode(
			&w, &(struct discv4_findnode){ slice_of(p->target, sizeof(p->target)),
						       expiration_s });
	} else {
		give_out(p, &p->record, now_ms);
		asked_add(p->requests, &p->request_count, PROBE_TRIES, out->ticket, now_ms);
		out->type = DISCV4_ENRREQUEST;
		discv4_enrrequest_encode(&w, &(struct discv4_enrrequest){ expiration_s });
	}
	assert(writer_ok(&w));
	out->len = w.len;
	p->info.packets_out++;
	p->info.bytes_out += DISCV4_HEADER_LEN + w.len;
	return true;
}

static void asked_sent(struct probe_asked *asked, unsigned count, uint32_t ticket,
		       const uint8_t hash[static DISCV4_HASH_LEN], uint64_t now_ms)
{
	for (unsigned i = 0; i < count; i++) {
		if (asked[i].ticket != ticket)
			continue;
		memcpy(asked[i].hash, hash, DISCV4_HASH_LEN);
		asked[i].at_ms = now_ms;
		asked[i].known = true;
	}
}

static void wait_anew(struct probe_question *q, uint32_t ticket, uint64_t due_ms)
{
	if (q->waiting && q->ticket == ticket)
		q->due_ms = due_ms;
}

void probe_sent(struct probe *p, uint32_t ticket, const uint8_t hash[static DISCV4_HASH_LEN],
		uint64_t now_ms)
{
	asked_sent(p->pings, p->ping_count, ticket, hash, now_ms);
	asked_sent(p->requests, p->request_count, ticket, hash, now_ms);
	wait_anew(&p->ping, ticket, now_ms + reply_ms(p));
	wait_anew(&p->findnode, ticket, now_ms + reply_ms(p));
	wait_anew(&p->record, ticket, now_ms + reply_ms(p));
}

static void earlier(uint64_t *at, const struct probe_question *q)
{
	if (q->waiting && q->due_ms < *at)
		*at = q->due_ms;
}

uint64_t probe_deadline(const struct probe *p)
{
	uint64_t at = visit_end(p);

	switch (p->state) {
	case PROBE_BONDING:
		earlier(&at, &p->ping);
		break;
	case PROBE_SETTLING:
		if (p->settled_ms < at)
			at = p->settled_ms;
		break;
	case PROBE_ASKING:
		earlier(&at, &p->findnode);
		earlier(&at, &p->record);
		break;
	case PROBE_DONE:
		return UINT64_MAX;
	}
	return at;
}

static void no_pong(struct probe *p, uint64_t now_ms)
{
	/* Once it has proven itself, its PONGs are no more than a means to get its PING. */
	if (p->info.reached)
		probe_begin_asking(p, now_ms);
	else if (p->ping.tries < p->params.pings)
		ask(&p->ping);
	else
		finish(p, now_ms);
}

/* A node that announces no number has most likely never heard of records (EIP-868). */
static void no_record(struct probe *p, uint64_t now_ms)
{
	if (!p->info.has_enr_seq || p->record.tries == PROBE_TRIES)
		probe_end_record(p, now_ms);
	else if (p->params.no_table)
		begin_bond(p);
	else
		ask(&p->record);
}

void probe_tick(struct probe *p, uint64_t now_ms)
{
	p->nodes = (struct reader){ .data = NULL };
	if (now_ms < probe_deadline(p))
		return;
	if (now_ms >= visit_end(p)) {
		finish(p, now_ms);
		return;
	}
	switch (p->state) {
	case PROBE_BONDING:
		if (p->ping.waiting && p->ping.due_ms <= now_ms)
			no_pong(p, now_ms);
		break;
	case PROBE_SETTLING:
		probe_begin_asking(p, now_ms);
		break;
	case PROBE_ASKING:
		if (p->findnode.waiting && p->findnode.due_ms <= now_ms)
			probe_end_answer(p, now_ms);
		if (p->state == PROBE_ASKING && p->record.waiting && p->record.due_ms <= now_ms)
			no_record(p, now_ms);
		break;
	case PROBE_DONE:
		break;
	}
}

void probe_cancel(struct probe *p, uint64_t now_ms)
{
	p->nodes = (struct reader){ .data = NULL };
	probe_finish(p, OUTCOME_CANCELLED, NULL, now_ms);
}

void probe_info(const struct probe *p, struct probe_info *out)
{
	*out = p->info;
	out->completeness = drain_result(&p->drain);
	out->table = drain_count(&p->drain);
	out->other = p->info.has_other_key ? p->other_key : NULL;
	if (out->record.len > 0)
		out->record.data = p->record_bytes;
}
