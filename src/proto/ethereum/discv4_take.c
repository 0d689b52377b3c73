#include "proto/ethereum/discv4_inner.h"
#include "proto/ethereum/relay.h"

#include <assert.h>
#include <string.h>

/* An answer to somebody at the same address. */
static struct discv4_pending *pending_ping(struct discv4 *d, const struct kademlia_node *node)
{
	for (unsigned i = 0; i < DISCV4_PENDING_MAX; i++) {
		struct discv4_pending *p = &d->pending[i];

		if (p->ticket != 0 && p->purpose != DISCV4_PURPOSE_RECORD &&
		    netaddr_same_host(&p->node.addr, &node->addr) &&
		    memcmp(p->node.hash, node->hash, sizeof(node->hash)) == 0)
			return p;
	}
	return NULL;
}

/* Of no more than max bytes; how many, or 0 if it doesn't go out. */
static size_t pong_send(struct discv4 *d, const struct kademlia_node *node, struct slice ping_hash,
			size_t max)
{
	struct discv4_pong m = {
		.to = { .addr = node->addr, .tcp_port = node->tcp_port },
		.ping_hash = ping_hash,
		.expiration_s = discv4_expiration_s(d),
		.has_enr_seq = true,
		.enr_seq = d->seq,
	};
	struct discv4_datagram *datagram;
	struct writer w;

	datagram = discv4_begin_to(d, &node->addr, DISCV4_PONG, &w);
	if (datagram == NULL)
		return 0;
	discv4_pong_encode(&w, &m);
	if (w.len > max)
		return 0;
	discv4_end_to(d, datagram, &w);
	return w.len;
}

/* Into the table goes only what we could name to others. */
static void node_add(struct discv4 *d, const struct kademlia_node *node)
{
	if (relay_check(&node->addr, &node->addr) == RELAY_OK)
		kademlia_add(&d->table, node, d->now_ms, &d->random);
}

/* PONG and PING, if there is credit for both; else the PING alone, if it must be. False: without
 * a PONG. */
static bool answer_stranger(struct discv4 *d, const struct kademlia_node *node, struct slice hash)
{
	struct discv4_pending *ours = pending_ping(d, node);
	size_t left = discv4_credit_left(&d->credit, &node->addr, d->now_ms);
	size_t kept = ours == NULL ? DISCV4_PING_LONGEST : 0, pong, ping = 0;

	pong = left > kept ? pong_send(d, node, hash, left - kept) : 0;
	if (ours == NULL)
		ping = discv4_ping_back(d, node, pong == 0, left - pong);
	discv4_credit_spend(&d->credit, &node->addr, pong + ping, d->now_ms);
	if (ping > 0)
		ours = pending_ping(d, node);
	if (ours == NULL)
		return pong > 0;
	ours->node.tcp_port = node->tcp_port;
	if (pong > 0) {
		ours->pinged_us = true;
		ours->owes_pong = false;
	} else if (!ours->pinged_us && netaddr_equal(&ours->node.addr, &node->addr)) {
		ours->owes_pong = true;
		memcpy(ours->ping_hash, hash.data, sizeof(ours->ping_hash));
	}
	return pong > 0;
}

static enum discv4_fate take_ping(struct discv4 *d, struct kademlia_node *node,
				  const struct discv4_packet *p)
{
	struct discv4_bond *bond;

	/* Only the TCP port is taken from what it says of itself; it is where it speaks. */
	node->tcp_port = p->ping.from.tcp_port;
	bond = discv4_bonds_find(&d->bonds, node->hash, &node->addr, d->now_ms);
	if (bond == NULL) {
		discv4_credit_receive(&d->credit, &node->addr, p->len, d->now_ms);
		if (answer_stranger(d, node, p->hash))
			discv4_search_pinged(d, node->hash, &node->addr);
		return DISCV4_TAKEN;
	}
	if (pong_send(d, node, p->hash, SIZE_MAX) == 0)
		return DISCV4_TAKEN; /* no answer: all is as if it had been lost */
	bond->has_pinged = true;
	bond->pinged_at_ms = d->now_ms;
	node_add(d, node);
	discv4_search_pinged(d, node->hash, &node->addr);
	return DISCV4_TAKEN;
}

/* Ten hosts said the same: that is our address from now on. */
static void take_statement(struct discv4 *d, const struct kademlia_node *node,
			   const struct netaddr *says)
{
	struct netaddr agreed;
	enum relay verdict = relay_check(&node->addr, says);

	if (verdict != RELAY_OK && verdict != RELAY_LOW_PORT)
		return;
	discv4_tell(d, DISCV4_EVENT_STATEMENT, node)->addr = *says;
	/* With both kinds of addresses we would move to and fro. */
	if (d->params.self.addr.kind != NETADDR_NONE && d->params.self.addr.kind != says->kind)
		return;
	statements_add(&d->statements, &node->addr, says, d->now_ms);
	if (d->params.self_fixed || !statements_agreed(&d->statements, d->now_ms, &agreed) ||
	    !netaddr_is_host(&agreed) || netaddr_equal(&agreed, &d->params.self.addr))
		return;
	d->params.self.addr = agreed;
	d->seq++;
	discv4_record_make(d);
	discv4_tell(d, DISCV4_EVENT_MOVED, NULL)->addr = agreed;
}

/* A node of the table proved that it is there: it may be named to others. */
static void table_alive(struct discv4 *d, const struct discv4_pending *p, uint64_t seq)
{
	const struct kademlia_entry *e = kademlia_find(&d->table, p->node.hash);

	if (e == NULL || !netaddr_equal(&e->node.addr, &p->node.addr))
		return;
	if (p->purpose == DISCV4_PURPOSE_CHECK || !e->live)
		kademlia_alive(&d->table, &p->node, d->now_ms, &d->random);
	/* Not right after a proof: a node that has just been met expects no questions. */
	if (p->purpose == DISCV4_PURPOSE_CHECK && seq > e->node.seq)
		discv4_ask_record(d, &p->node, d->now_ms);
}

static struct discv4_pending *pending_find(struct discv4 *d, const struct kademlia_node *node,
					   bool for_record, struct slice hash)
{
	for (unsigned i = 0; i < DISCV4_PENDING_MAX; i++) {
		struct discv4_pending *p = &d->pending[i];

		if (p->ticket != 0 && p->is_signed &&
		    (p->purpose == DISCV4_PURPOSE_RECORD) == for_record &&
		    memcmp(p->hash, hash.data, sizeof(p->hash)) == 0 &&
		    memcmp(p->node.hash, node->hash, sizeof(node->hash)) == 0 &&
		    netaddr_same_host(&p->node.addr, &node->addr))
			return p;
	}
	return NULL;
}

static enum discv4_fate take_pong(struct discv4 *d, const struct kademlia_node *node,
				  const struct discv4_pong *m)
{
	struct discv4_pending *found = pending_find(d, node, false, m->ping_hash), p;
	struct discv4_bond *bond;
	bool is_new;

	if (found == NULL)
		return DISCV4_UNASKED;
	p = *found;
	discv4_pending_free(d, found);
	is_new = discv4_bonds_find(&d->bonds, node->hash, &node->addr, d->now_ms) == NULL;
	bond = discv4_bonds_prove(&d->bonds, node->hash, &node->addr, d->now_ms);
	discv4_credit_proven(&d->credit, &node->addr);
	if (p.owes_pong &&
	    pong_send(d, &p.node, slice_of(p.ping_hash, sizeof(p.ping_hash)), SIZE_MAX) > 0) {
		p.pinged_us = true;
		discv4_search_pinged(d, node->hash, &node->addr);
	}
	if (p.pinged_us) {
		bond->has_pinged = true;
		bond->pinged_at_ms = d->now_ms;
	}
	if (is_new)
		discv4_tell(d, DISCV4_EVENT_BONDED, &p.node);
	discv4_tell(d, DISCV4_EVENT_ALIVE, &p.node);
	node_add(d, &p.node);
	table_alive(d, &p, m->has_enr_seq ? m->enr_seq : 0);
	take_statement(d, &p.node, &m->to.addr);
	discv4_search_proven(d, bond);
	return DISCV4_TAKEN;
}

/* Nodes that have proven to be there, and that this asker may be told of. */
static size_t nameable(const struct discv4 *d, const struct netaddr *asker, struct slice target,
		       struct enode out[static KADEMLIA_BUCKET_SIZE])
{
	const struct kademlia_node *nodes[KADEMLIA_BUCKET_SIZE];
	uint8_t hash[KADEMLIA_HASH_LEN];
	size_t count, n = 0;

	kademlia_hash(target.data, hash);
	count = kademlia_closest(&d->table, hash, nodes);
	for (size_t i = 0; i < count; i++) {
		if (!kademlia_find(&d->table, nodes[i]->hash)->live ||
		    relay_check(asker, &nodes[i]->addr) != RELAY_OK)
			continue;
		memcpy(out[n].key, nodes[i]->key, sizeof(out[n].key));
		out[n].endpoint.addr = nodes[i]->addr;
		out[n++].endpoint.tcp_port = nodes[i]->tcp_port;
	}
	return n;
}

static enum discv4_fate take_findnode(struct discv4 *d, const struct kademlia_node *node,
				      const struct discv4_findnode *m)
{
	struct enode nodes[KADEMLIA_BUCKET_SIZE];
	struct discv4_datagram *datagram;
	struct writer w;
	size_t count, at = 0;

	if (discv4_bonds_find(&d->bonds, node->hash, &node->addr, d->now_ms) == NULL)
		return DISCV4_UNBONDED;
	count = nameable(d, &node->addr, m->target, nodes);
	do {
		size_t left = count - at;

		datagram = discv4_begin_to(d, &node->addr, DISCV4_NEIGHBORS, &w);
		if (datagram == NULL)
			break;
		at += discv4_neighbors_encode(
			&w, nodes + at, left < DISCV4_PACKET_NODES ? left : DISCV4_PACKET_NODES,
			discv4_expiration_s(d));
		discv4_end_to(d, datagram, &w);
	} while (at < count);
	return DISCV4_TAKEN;
}

static enum discv4_fate take_enrrequest(struct discv4 *d, const struct kademlia_node *node,
					struct slice hash)
{
	struct discv4_datagram *datagram;
	struct writer w;

	if (discv4_bonds_find(&d->bonds, node->hash, &node->addr, d->now_ms) == NULL)
		return DISCV4_UNBONDED;
	datagram = discv4_begin_to(d, &node->addr, DISCV4_ENRRESPONSE, &w);
	if (datagram == NULL)
		return DISCV4_TAKEN;
	discv4_enrresponse_encode(&w, hash, discv4_record(d));
	discv4_end_to(d, datagram, &w);
	return DISCV4_TAKEN;
}

/* A newer record of a node of the table may say that it has moved. One that names no place,
 * or none to believe, moves nothing, but isn't asked for again. */
static void record_apply(struct discv4 *d, const struct kademlia_node *node, const struct enr *e)
{
	const struct kademlia_entry *entry = kademlia_find(&d->table, node->hash);
	struct kademlia_node newer;
	struct enode_endpoint at;
	bool has;

	if (entry == NULL || e->seq <= entry->node.seq)
		return;
	has = entry->node.addr.kind == NETADDR_IPV6 ? enr_endpoint6(e, &at) : enr_endpoint4(e, &at);
	newer = entry->node;
	newer.seq = e->seq;
	if (has && relay_check(&node->addr, &at.addr) == RELAY_OK) {
		newer.addr = at.addr;
		newer.tcp_port = at.tcp_port;
	}
	kademlia_add(&d->table, &newer, d->now_ms, &d->random);
}

static enum discv4_fate take_enrresponse(struct discv4 *d, const struct kademlia_node *node,
					 const struct discv4_enrresponse *m)
{
	struct discv4_pending *p = pending_find(d, node, true, m->request_hash);
	struct discv4_event *event;

	if (p == NULL)
		return DISCV4_UNASKED;
	discv4_pending_free(d, p);
	if (memcmp(m->record.key, node->key, sizeof(node->key)) != 0)
		return DISCV4_MALFORMED; /* somebody else's */
	event = discv4_tell(d, DISCV4_EVENT_RECORD, node);
	assert(m->record.raw.len <= sizeof(event->record));
	memcpy(event->record, m->record.raw.data, m->record.raw.len);
	event->record_len = m->record.raw.len;
	record_apply(d, node, &m->record);
	return DISCV4_TAKEN;
}

/* Signed: what is below zero is past (go-ethereum compares so, and is tested for it). */
static bool expired(const struct discv4 *d, const struct discv4_packet *p)
{
	switch (p->type) {
	case DISCV4_PING:
		return p->ping.expiration_s < discv4_wall_s(d);
	case DISCV4_PONG:
		return p->pong.expiration_s < discv4_wall_s(d);
	case DISCV4_FINDNODE:
		return p->findnode.expiration_s < discv4_wall_s(d);
	case DISCV4_NEIGHBORS:
		return p->neighbors.expiration_s < discv4_wall_s(d);
	case DISCV4_ENRREQUEST:
		return p->enrrequest.expiration_s < discv4_wall_s(d);
	case DISCV4_ENRRESPONSE:
		break; /* has none */
	}
	return false;
}

static enum discv4_fate take(struct discv4 *d, struct kademlia_node *node,
			     const struct discv4_packet *p)
{
	switch (p->type) {
	case DISCV4_PING:
		return take_ping(d, node, p);
	case DISCV4_PONG:
		return take_pong(d, node, &p->pong);
	case DISCV4_FINDNODE:
		return take_findnode(d, node, &p->findnode);
	case DISCV4_NEIGHBORS:
		return discv4_search_neighbors(d, node->hash, &node->addr, &p->neighbors)
			       ? DISCV4_TAKEN
			       : DISCV4_UNASKED;
	case DISCV4_ENRREQUEST:
		return take_enrrequest(d, node, p->hash);
	case DISCV4_ENRRESPONSE:
		return take_enrresponse(d, node, &p->enrresponse);
	}
	return DISCV4_MALFORMED;
}

enum discv4_fate discv4_take(struct discv4 *d, const struct netaddr *from,
			     const struct discv4_packet *p, uint64_t now_ms)
{
	struct kademlia_node node = kademlia_node(p->signer, from, 0);
	enum discv4_fate fate;

	discv4_clock_set(d, now_ms);
	if (!netaddr_is_host(from) || !netaddr_is_ip(from))
		return DISCV4_MALFORMED; /* nowhere to answer to */
	if (memcmp(node.hash, d->table.self, sizeof(node.hash)) == 0)
		return DISCV4_SELF;
	if (expired(d, p))
		return DISCV4_EXPIRED;
	fate = take(d, &node, p);
	discv4_search_tick(d);
	return fate;
}

enum discv4_fate discv4_recv(struct discv4 *d, const struct netaddr *from, struct slice datagram,
			     uint64_t now_ms)
{
	struct discv4_packet p;
	struct reader r;

	discv4_clock_set(d, now_ms);
	reader_init(&r, datagram);
	discv4_decode(&r, &p);
	if (!reader_ok(&r))
		return DISCV4_MALFORMED;
	return discv4_take(d, from, &p, now_ms);
}
