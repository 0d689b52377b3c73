/* What becomes of a packet: probe.h's second part. */
#include "proto/ethereum/probe_inner.h"

#include <assert.h>
#include <string.h>

static const struct probe_asked *asked_find(const struct probe_asked *asked, unsigned count,
					    struct slice hash)
{
	for (unsigned i = 0; i < count; i++) {
		if (asked[i].known && slice_equal(slice_of(asked[i].hash, DISCV4_HASH_LEN), hash))
			return &asked[i];
	}
	return NULL;
}

static bool is_expired(struct probe *p, int64_t expiration_s, uint64_t now_ms)
{
	if (expiration_s >= probe_unix_s(p, now_ms))
		return false;
	probe_note(p, PROBE_BREACH_EXPIRED);
	return true;
}

static void take_seq(struct probe *p, bool has, uint64_t seq)
{
	if (!has)
		return;
	p->info.has_enr_seq = true;
	if (seq > p->info.enr_seq)
		p->info.enr_seq = seq;
}

static void take_ping(struct probe *p, const struct netaddr *from,
		      const struct discv4_packet *packet, uint64_t now_ms)
{
	const struct discv4_ping *ping = &packet->ping;

	if (is_expired(p, ping->expiration_s, now_ms))
		return;
	p->info.pinged = true;
	p->info.version = ping->version;
	p->info.claims = ping->from;
	take_seq(p, ping->has_enr_seq, ping->enr_seq);
	if (p->pongs == PROBE_PONGS_MAX) {
		probe_note(p, PROBE_BREACH_PINGS);
		return;
	}
	p->pongs++;
	p->pong_due = true;
	memcpy(p->pinged_hash, packet->hash.data, sizeof(p->pinged_hash));
	p->pinged_from = *from; /* where it came from, whatever it says (discv4.md) */
	p->knows_us = true;
	if (p->state == PROBE_SETTLING || (p->state == PROBE_BONDING && p->info.reached))
		probe_begin_asking(p, now_ms);
}

static void take_pong(struct probe *p, const struct discv4_pong *pong, uint64_t now_ms)
{
	const struct probe_asked *asked = asked_find(p->pings, p->ping_count, pong->ping_hash);

	if (asked == NULL) {
		probe_note(p, PROBE_BREACH_WRONG_PONG);
		return;
	}
	if (is_expired(p, pong->expiration_s, now_ms))
		return;
	take_seq(p, pong->has_enr_seq, pong->enr_seq);
	p->info.sees = pong->to;
	if (!p->info.reached) {
		p->info.reached = true;
		p->info.rtt_ms = (int64_t)(now_ms - asked->at_ms);
		p->info.bonded_ms = probe_elapsed(p, now_ms);
		p->info.expires_in_s = pong->expiration_s - probe_unix_s(p, now_ms);
		p->tell_bonded = true;
	}
	if (p->state != PROBE_BONDING)
		return;
	if (p->knows_us) {
		probe_begin_asking(p, now_ms);
		return;
	}
	p->state = PROBE_SETTLING;
	p->ping.wanted = p->ping.waiting = false;
	p->settled_ms = now_ms + PROBE_SETTLE_MS;
}

static void take_neighbors(struct probe *p, const struct discv4_neighbors *m, uint64_t now_ms)
{
	uint8_t hashes[DISCV4_NEIGHBORS_MAX][KADEMLIA_HASH_LEN];
	struct enode node;
	struct reader r;
	size_t count = 0;

	if (p->findnode.ticket == 0) {
		probe_note(p, PROBE_BREACH_UNSOLICITED);
		return;
	}
	/* Late ones of an answer that was whole without them, or was given up. */
	if (!p->findnode.waiting || is_expired(p, m->expiration_s, now_ms))
		return;
	if (p->info.neighbors_ms < 0)
		p->info.neighbors_ms = probe_elapsed(p, now_ms);
	reader_init(&r, m->nodes);
	while (count < DISCV4_NEIGHBORS_MAX && discv4_neighbors_next(&r, &node)) {
		kademlia_hash(node.key, hashes[count]);
		p->answer_new += !drain_has(&p->drain, hashes[count++]);
	}
	if (p->answer_new > DRAIN_REPLY_MAX + p->owed)
		probe_note(p, PROBE_BREACH_MANY);
	p->info.named += (unsigned)count;
	reader_init(&p->nodes, m->nodes);
	if (!p->rest) {
		p->rest = true;
		p->findnode.due_ms = now_ms + PROBE_REST_MS;
	}
	if (drain_neighbors(&p->drain, (const uint8_t(*)[KADEMLIA_HASH_LEN])hashes, count))
		probe_end_answer(p, now_ms);
}

static void take_record(struct probe *p, const struct discv4_enrresponse *m, uint64_t now_ms)
{
	const struct enr *record = &m->record;

	if (asked_find(p->requests, p->request_count, m->request_hash) == NULL) {
		probe_note(p, PROBE_BREACH_WRONG_REQUEST);
		return;
	}
	if (p->record_over)
		return;
	if (memcmp(record->key, p->params.node.key, SECP_PUBLIC_LEN) != 0) {
		probe_note(p, PROBE_BREACH_BAD_RECORD);
	} else if (p->info.has_enr_seq && record->seq < p->info.enr_seq) {
		probe_note(p, PROBE_BREACH_OLD_RECORD);
	} else {
		assert(record->raw.len <= ENR_LEN_MAX);
		memcpy(p->record_bytes, record->raw.data, record->raw.len);
		p->info.record = slice_of(p->record_bytes, record->raw.len);
		p->info.record_ms = probe_elapsed(p, now_ms);
		take_seq(p, true, record->seq);
		if (relay_check_record(&p->params.node.endpoint.addr, record) != RELAY_OK)
			probe_note(p, PROBE_BREACH_RECORD_ADDRESS);
		p->tell_record = true;
	}
	probe_end_record(p, now_ms);
}

/* Of another key, from the address that was asked. A PONG that names our PING is from
 * whoever lives there now: nobody else has seen it. */
static void take_stranger(struct probe *p, const struct discv4_packet *packet, uint64_t now_ms)
{
	probe_note(p, PROBE_BREACH_OTHER_KEY);
	if (p->info.reached || packet->type != DISCV4_PONG ||
	    asked_find(p->pings, p->ping_count, packet->pong.ping_hash) == NULL)
		return;
	if (memcmp(packet->signer, p->params.own_key, SECP_PUBLIC_LEN) == 0) {
		probe_finish(p, OUTCOME_SELF, NULL, now_ms);
		return;
	}
	memcpy(p->other_key, packet->signer, sizeof(p->other_key));
	p->info.has_other_key = true;
	probe_finish(p, OUTCOME_PROTOCOL_ERROR, probe_breach_text(PROBE_BREACH_OTHER_KEY), now_ms);
}

static void take(struct probe *p, const struct netaddr *from, const struct discv4_packet *packet,
		 size_t len, uint64_t now_ms)
{
	if (len > DISCV4_PACKET_MAX) {
		probe_note(p, PROBE_BREACH_LONG);
		/* As ethereumjs sends them: all 16 nodes in one. */
		if (packet->type != DISCV4_NEIGHBORS)
			return;
	}
	switch (packet->type) {
	case DISCV4_PING:
		take_ping(p, from, packet, now_ms);
		break;
	case DISCV4_PONG:
		take_pong(p, &packet->pong, now_ms);
		break;
	case DISCV4_NEIGHBORS:
		take_neighbors(p, &packet->neighbors, now_ms);
		break;
	case DISCV4_ENRRESPONSE:
		take_record(p, &packet->enrresponse, now_ms);
		break;
	case DISCV4_FINDNODE:
	case DISCV4_ENRREQUEST:
		break; /* we are no node that could answer */
	}
}

bool probe_recv(struct probe *p, const struct netaddr *from, const struct discv4_packet *packet,
		size_t len, uint64_t now_ms)
{
	const struct netaddr *addr = &p->params.node.endpoint.addr;
	bool its_key = memcmp(packet->signer, p->params.node.key, SECP_PUBLIC_LEN) == 0;

	if (!its_key && !netaddr_equal(from, addr))
		return false;
	p->nodes = (struct reader){ .data = NULL };
	if (p->state == PROBE_DONE)
		return true;
	p->info.packets_in++;
	p->info.bytes_in += len;
	if (!its_key) {
		take_stranger(p, packet, now_ms);
		return true;
	}
	/* A bond is with a host (go-ethereum: key and IP address), whatever the port. */
	if (!netaddr_same_host(from, addr)) {
		probe_note(p, PROBE_BREACH_OTHER_HOST);
		return true;
	}
	if (from->port != addr->port)
		probe_note(p, PROBE_BREACH_OTHER_PORT);
	p->heard = true;
	if (++p->taken > PROBE_PACKETS_MAX) {
		probe_note(p, PROBE_BREACH_FLOOD);
		probe_finish(p, OUTCOME_TOO_BIG, probe_breach_text(PROBE_BREACH_FLOOD), now_ms);
		return true;
	}
	take(p, from, packet, len, now_ms);
	return true;
}

void probe_garbage(struct probe *p, size_t len)
{
	if (p->state == PROBE_DONE)
		return;
	probe_note(p, PROBE_BREACH_GARBAGE);
	p->info.bytes_in += len;
}

void probe_failed(struct probe *p, enum outcome why, uint64_t now_ms)
{
	assert(why == OUTCOME_REFUSED || why == OUTCOME_UNREACHABLE);
	if (!p->heard)
		probe_finish(p, why, NULL, now_ms);
}
