#include "proto/ethereum/discv4_inner.h"

#include "proto/ethereum/relay.h"

#include <string.h>

/* Keys of random targets need to be no points of the curve: nobody checks. */
static void random_key(struct random *random, uint8_t out[static SECP_PUBLIC_LEN])
{
	for (unsigned i = 0; i < SECP_PUBLIC_LEN; i += 8) {
		uint64_t v = random_next(random);

		memcpy(out + i, &v, 8);
	}
}

static void question_end(struct discv4 *d, struct discv4_question *q)
{
	struct discv4_bond *bond;

	if (q->stage == DISCV4_STAGE_ASKED) {
		bond = discv4_bonds_find(&d->bonds, q->node.hash, &q->node.addr, d->now_ms);
		if (bond != NULL && q->answered)
			bond->failures = 0;
		else if (bond != NULL && bond->failures < UINT8_MAX)
			bond->failures++;
	}
	q->stage = DISCV4_STAGE_FREE;
	lookup_end(&d->lookup, q->node.hash, q->answered);
}

static void question_ask(struct discv4 *d, struct discv4_question *q)
{
	struct discv4_findnode m = {
		.target = slice_of(d->target.key, sizeof(d->target.key)),
		.expiration_s = discv4_expiration_s(d),
	};
	struct discv4_datagram *datagram;
	struct writer w;

	datagram = discv4_begin_to(d, &q->node.addr, DISCV4_FINDNODE, &w);
	if (datagram != NULL) {
		discv4_findnode_encode(&w, &m);
		discv4_end_to(d, datagram, &w);
	}
	q->stage = DISCV4_STAGE_ASKED;
	q->deadline_ms = d->now_ms + DISCV4_REPLY_MS;
}

static void question_begin(struct discv4 *d, const struct kademlia_node *node)
{
	struct discv4_question *q = &d->questions[0];
	const struct discv4_bond *bond;

	while (q->stage != DISCV4_STAGE_FREE)
		q++; /* as many as a lookup asks at a time */
	*q = (struct discv4_question){ .node = *node };
	bond = discv4_bonds_find(&d->bonds, node->hash, &node->addr, d->now_ms);
	if (bond != NULL && discv4_bond_knows_us(bond, d->now_ms) &&
	    bond->failures <= DISCV4_FAILURES_MAX) {
		question_ask(d, q);
		return;
	}
	q->stage = DISCV4_STAGE_PROOF;
	q->deadline_ms = d->now_ms + DISCV4_REPLY_MS;
	if (!discv4_ping_for(d, node, DISCV4_PURPOSE_QUESTION))
		question_end(d, q);
}

static bool is_to(const struct discv4_question *q, const uint8_t hash[static KADEMLIA_HASH_LEN],
		  const struct netaddr *addr)
{
	return memcmp(q->node.hash, hash, KADEMLIA_HASH_LEN) == 0 &&
	       netaddr_same_host(&q->node.addr, addr);
}

void discv4_search_pinged(struct discv4 *d, const uint8_t hash[static KADEMLIA_HASH_LEN],
			  const struct netaddr *from)
{
	for (unsigned i = 0; i < LOOKUP_PARALLEL; i++) {
		struct discv4_question *q = &d->questions[i];

		if (q->stage == DISCV4_STAGE_FREE || !is_to(q, hash, from))
			continue;
		q->pinged_us = true;
		if (q->stage == DISCV4_STAGE_PING_BACK)
			question_ask(d, q);
	}
}

void discv4_search_proven(struct discv4 *d, const struct discv4_bond *bond)
{
	for (unsigned i = 0; i < LOOKUP_PARALLEL; i++) {
		struct discv4_question *q = &d->questions[i];

		if (q->stage != DISCV4_STAGE_PROOF || !is_to(q, bond->hash, &bond->addr))
			continue;
		if (q->pinged_us) {
			question_ask(d, q);
		} else {
			q->stage = DISCV4_STAGE_PING_BACK;
			q->deadline_ms = d->now_ms + DISCV4_PING_BACK_MS;
		}
	}
}

static void take_neighbor(struct discv4 *d, const struct netaddr *from, const struct enode *named)
{
	struct kademlia_node node;

	if (relay_check(from, &named->endpoint.addr) != RELAY_OK || !secp_public_valid(named->key))
		return;
	node = kademlia_node(named->key, &named->endpoint.addr, named->endpoint.tcp_port);
	if (memcmp(node.hash, d->table.self, sizeof(node.hash)) == 0)
		return;
	lookup_add(&d->lookup, &node);
	kademlia_add(&d->table, &node, d->now_ms, &d->random);
}

bool discv4_search_neighbors(struct discv4 *d, const uint8_t hash[static KADEMLIA_HASH_LEN],
			     const struct netaddr *from, const struct discv4_neighbors *n)
{
	struct discv4_question *q = d->questions;
	struct enode named;
	struct reader r;

	while (q < d->questions + LOOKUP_PARALLEL &&
	       (q->stage != DISCV4_STAGE_ASKED || !is_to(q, hash, from)))
		q++;
	if (q == d->questions + LOOKUP_PARALLEL)
		return false;
	reader_init(&r, n->nodes);
	while (q->named < KADEMLIA_BUCKET_SIZE && discv4_neighbors_next(&r, &named)) {
		q->named++;
		take_neighbor(d, from, &named);
	}
	if (!q->answered && d->now_ms + DISCV4_MORE_MS < q->deadline_ms)
		q->deadline_ms = d->now_ms + DISCV4_MORE_MS;
	q->answered = true;
	if (q->named == KADEMLIA_BUCKET_SIZE)
		question_end(d, q);
	return true;
}

static void lookup_begin(struct discv4 *d, const struct discv4_target *target)
{
	const struct kademlia_node *nodes[KADEMLIA_BUCKET_SIZE];
	uint8_t hash[KADEMLIA_HASH_LEN];
	size_t count;

	d->target = *target;
	d->looking = true;
	kademlia_hash(target->key, hash);
	lookup_init(&d->lookup, hash, d->table.self);
	count = kademlia_closest(&d->table, hash, nodes);
	for (size_t i = 0; i < count; i++)
		lookup_add(&d->lookup, nodes[i]);
}

static void begin_next(struct discv4 *d)
{
	struct discv4_target target = { .number = 0 };

	if (d->waiting_count > 0) {
		target = d->waiting[0];
		memmove(d->waiting, d->waiting + 1, --d->waiting_count * sizeof(*d->waiting));
	} else if (d->refresh_left > 0) {
		if (d->refresh_left-- > DISCV4_REFRESH_RANDOM)
			memcpy(target.key, d->key, sizeof(target.key));
		else
			random_key(&d->random, target.key);
	} else {
		return;
	}
	lookup_begin(d, &target);
}

static void lookup_step(struct discv4 *d)
{
	struct kademlia_node node;

	if (!d->looking)
		return;
	while (lookup_next(&d->lookup, &node))
		question_begin(d, &node);
	if (!lookup_done(&d->lookup))
		return;
	d->looking = false;
	if (d->target.number > 0)
		discv4_tell(d, DISCV4_EVENT_FOUND, NULL)->number = d->target.number;
}

static void question_due(struct discv4 *d, struct discv4_question *q)
{
	switch (q->stage) {
	case DISCV4_STAGE_FREE:
		break;
	case DISCV4_STAGE_PING_BACK:
		question_ask(d, q); /* it may know us from before */
		break;
	case DISCV4_STAGE_PROOF:
	case DISCV4_STAGE_ASKED:
		question_end(d, q);
		break;
	}
}

static void refresh(struct discv4 *d)
{
	const struct discv4_params *p = &d->params;

	d->refresh_left = 1 + DISCV4_REFRESH_RANDOM;
	d->refresh_at_ms = d->now_ms + p->refresh_ms;
	for (size_t i = 0; i < p->boots_count; i++)
		kademlia_add(&d->table, &p->boots[i], d->now_ms, &d->random);
}

void discv4_search_tick(struct discv4 *d)
{
	for (unsigned i = 0; i < LOOKUP_PARALLEL; i++) {
		if (d->questions[i].stage != DISCV4_STAGE_FREE &&
		    d->questions[i].deadline_ms <= d->now_ms)
			question_due(d, &d->questions[i]);
	}
	if (d->refresh_at_ms <= d->now_ms && !discv4_is_meeting(d))
		refresh(d);
	if (!d->looking)
		begin_next(d);
	lookup_step(d);
}

uint64_t discv4_search_deadline(const struct discv4 *d)
{
	uint64_t deadline = d->refresh_at_ms;

	if (discv4_is_meeting(d) && deadline < d->meeting_until_ms)
		deadline = d->meeting_until_ms;

	if (!d->looking && (d->waiting_count > 0 || d->refresh_left > 0))
		return d->now_ms;
	for (unsigned i = 0; i < LOOKUP_PARALLEL; i++) {
		const struct discv4_question *q = &d->questions[i];

		if (q->stage != DISCV4_STAGE_FREE && q->deadline_ms < deadline)
			deadline = q->deadline_ms;
	}
	return deadline;
}

unsigned discv4_lookup(struct discv4 *d, const uint8_t target[static SECP_PUBLIC_LEN],
		       uint64_t now_ms)
{
	struct discv4_target *t = &d->waiting[d->waiting_count];

	if (now_ms > d->now_ms)
		d->now_ms = now_ms;
	if (d->waiting_count == DISCV4_LOOKUPS_MAX)
		return 0;
	d->waiting_count++;
	memcpy(t->key, target, sizeof(t->key));
	if (++d->last_number == 0)
		d->last_number = 1;
	t->number = d->last_number;
	return t->number;
}

size_t discv4_found(const struct discv4 *d,
		    const struct kademlia_node *out[static LOOKUP_RESULT_MAX])
{
	return lookup_closest(&d->lookup, out);
}
