#include "proto/ethereum/discv4.h"

#include "proto/ethereum/discv4_inner.h"
#include "proto/ethereum/relay.h"

#include <assert.h>
#include <string.h>

const char *discv4_fate_name(enum discv4_fate fate)
{
	switch (fate) {
#define DISCV4_FATE_CASE(symbol, name) \
	case DISCV4_##symbol:          \
		return name;
		DISCV4_FATE_LIST(DISCV4_FATE_CASE)
#undef DISCV4_FATE_CASE
	}
	return "";
}

void discv4_clock_set(struct discv4 *d, uint64_t now_ms)
{
	if (now_ms > d->now_ms)
		d->now_ms = now_ms;
}

int64_t discv4_wall_s(const struct discv4 *d)
{
	return (d->params.wall_ms + (int64_t)d->now_ms) / 1000;
}

int64_t discv4_expiration_s(const struct discv4 *d)
{
	return discv4_wall_s(d) + DISCV4_EXPIRATION_S;
}

/* Ten entries of a few bytes: a record of ours has about 150 bytes, of 300. */
void discv4_record_make(struct discv4 *d)
{
	struct enr_draft draft;
	struct writer w;

	enr_draft_init(&draft, d->seq);
	if (netaddr_is_host(&d->params.self.addr))
		enr_draft_endpoint(&draft, &d->params.self);
	if (d->params.has_forkid)
		enr_draft_forkid(&draft, &d->params.forkid);
	writer_init(&w, d->record, sizeof(d->record));
	enr_draft_sign(&draft, d->params.secp, &d->params.key, &w);
	assert(writer_ok(&w));
	d->record_len = w.len;
}

void discv4_init(struct discv4 *d, const struct discv4_params *params, uint64_t now_ms)
{
	uint8_t hash[KADEMLIA_HASH_LEN];

	assert(params->self.addr.kind == NETADDR_NONE || netaddr_is_ip(&params->self.addr));
	memset(d, 0, sizeof(*d));
	d->params = *params;
	d->now_ms = now_ms;
	d->random.state = params->seed;
	d->seq = params->seq;
	d->refresh_at_ms = params->refresh_ms > 0 ? now_ms : UINT64_MAX;
	d->meeting_until_ms = now_ms + DISCV4_MEETING_MS;
	secp_public(params->secp, &params->key, d->key);
	kademlia_hash(d->key, hash);
	kademlia_init(&d->table, hash);
	discv4_bonds_init(&d->bonds, &params->hash);
	discv4_credit_init(&d->credit, &params->hash);
	statements_init(&d->statements, DISCV4_STATEMENTS, DISCV4_STATEMENTS_MS);
	for (size_t i = 0; i < params->boots_count; i++)
		discv4_add(d, &params->boots[i], now_ms);
	discv4_record_make(d);
}

void discv4_clear(struct discv4 *d)
{
	secp_key_clear(&d->params.key);
}

struct discv4_event *discv4_tell(struct discv4 *d, enum discv4_event_type type,
				 const struct kademlia_node *node)
{
	struct discv4_event *e;

	if (d->event_count == DISCV4_EVENTS_MAX) {
		d->event_at = (d->event_at + 1) % DISCV4_EVENTS_MAX;
		d->event_count--;
		d->events_lost++;
	}
	e = &d->events[(d->event_at + d->event_count++) % DISCV4_EVENTS_MAX];
	*e = (struct discv4_event){ .type = type };
	if (node != NULL)
		e->node = *node;
	return e;
}

bool discv4_next(struct discv4 *d, struct discv4_event *out)
{
	if (d->event_count == 0)
		return false;
	*out = d->events[d->event_at];
	d->event_at = (d->event_at + 1) % DISCV4_EVENTS_MAX;
	d->event_count--;
	return true;
}

struct discv4_datagram *discv4_begin_to(struct discv4 *d, const struct netaddr *to,
					enum discv4_type type, struct writer *w)
{
	struct discv4_datagram *datagram;

	if (d->out_count == DISCV4_OUT_MAX)
		return NULL;
	datagram = &d->out[(d->out_at + d->out_count) % DISCV4_OUT_MAX];
	datagram->to = *to;
	datagram->ticket = 0;
	writer_init(w, datagram->bytes, sizeof(datagram->bytes));
	discv4_begin(w, type);
	return datagram;
}

void discv4_end_to(struct discv4 *d, struct discv4_datagram *datagram, const struct writer *w)
{
	assert(writer_ok(w) && w->len >= DISCV4_PACKET_MIN);
	datagram->len = w->len;
	d->out_count++;
}

bool discv4_send_unsigned(struct discv4 *d, struct discv4_datagram *out)
{
	const struct discv4_datagram *first = &d->out[d->out_at];

	if (d->out_count == 0)
		return false;
	out->to = first->to;
	out->ticket = first->ticket;
	out->len = first->len;
	memcpy(out->bytes, first->bytes, first->len);
	d->out_at = (d->out_at + 1) % DISCV4_OUT_MAX;
	d->out_count--;
	return true;
}

void discv4_sign(struct discv4_datagram *datagram, const struct secp *s, const struct secp_key *key)
{
	struct writer w;

	writer_init(&w, datagram->bytes, sizeof(datagram->bytes));
	w.len = datagram->len;
	discv4_end(&w, 0, s, key);
}

void discv4_signed(struct discv4 *d, const struct discv4_datagram *datagram)
{
	if (datagram->ticket == 0)
		return;
	for (unsigned i = 0; i < DISCV4_PENDING_MAX; i++) {
		struct discv4_pending *p = &d->pending[i];

		if (p->ticket != datagram->ticket)
			continue;
		memcpy(p->hash, datagram->bytes, sizeof(p->hash));
		p->is_signed = true;
	}
}

bool discv4_send(struct discv4 *d, struct discv4_datagram *out)
{
	if (!discv4_send_unsigned(d, out))
		return false;
	discv4_sign(out, d->params.secp, &d->params.key);
	discv4_signed(d, out);
	return true;
}

static bool forget_oldest_stranger(struct discv4 *d)
{
	struct discv4_pending *oldest = NULL;

	for (unsigned i = 0; i < DISCV4_PENDING_MAX; i++) {
		struct discv4_pending *p = &d->pending[i];

		if (p->ticket != 0 && p->purpose == DISCV4_PURPOSE_STRANGER &&
		    (oldest == NULL || p->deadline_ms < oldest->deadline_ms))
			oldest = p;
	}
	if (oldest == NULL)
		return false;
	discv4_pending_free(d, oldest);
	return true;
}

/* NULL: no more of this kind may be outstanding. */
static struct discv4_pending *pending_new(struct discv4 *d, const struct kademlia_node *node,
					  enum discv4_purpose purpose)
{
	unsigned max =
		purpose == DISCV4_PURPOSE_STRANGER ? DISCV4_PENDING_STRANGERS : DISCV4_PENDING_MAX;
	struct discv4_pending *p = d->pending;

	while (d->pending_count >= max && purpose == DISCV4_PURPOSE_STRANGER &&
	       forget_oldest_stranger(d))
		continue;
	if (d->pending_count >= max)
		return NULL;
	while (p->ticket != 0)
		p++;
	if (++d->last_ticket == 0)
		d->last_ticket = 1;
	*p = (struct discv4_pending){ .purpose = purpose,
				      .node = *node,
				      .deadline_ms = d->now_ms + DISCV4_REPLY_MS,
				      .ticket = d->last_ticket };
	d->pending_count++;
	return p;
}

void discv4_pending_free(struct discv4 *d, struct discv4_pending *p)
{
	if (p->purpose == DISCV4_PURPOSE_KNOWN)
		d->known_pending--;
	p->ticket = 0;
	d->pending_count--;
}

static struct enode_endpoint from_endpoint(const struct discv4 *d)
{
	struct enode_endpoint e = d->params.self;

	/* Nobody looks at the address, but some read no packet without four bytes here. */
	if (e.addr.kind == NETADDR_NONE)
		e.addr = netaddr_ipv4(0, e.addr.port);
	return e;
}

static void ping_encode(const struct discv4 *d, const struct kademlia_node *node, bool brief,
			struct writer *w)
{
	struct discv4_ping m = {
		.version = DISCV4_VERSION,
		.from = from_endpoint(d),
		.to = { .addr = node->addr, .tcp_port = brief ? 0 : node->tcp_port },
		.expiration_s = discv4_expiration_s(d),
		.has_enr_seq = !brief,
		.enr_seq = d->seq,
	};

	discv4_ping_encode(w, &m);
}

/* The length, or 0 if it doesn't go out. */
static size_t ping_send(struct discv4 *d, const struct kademlia_node *node,
			enum discv4_purpose purpose, bool brief, size_t max)
{
	struct discv4_datagram *datagram;
	struct discv4_pending *p;
	struct writer w;

	datagram = discv4_begin_to(d, &node->addr, DISCV4_PING, &w);
	if (datagram == NULL)
		return 0;
	ping_encode(d, node, brief, &w);
	p = w.len <= max ? pending_new(d, node, purpose) : NULL;
	if (p == NULL)
		return 0;
	datagram->ticket = p->ticket;
	discv4_end_to(d, datagram, &w);
	return w.len;
}

bool discv4_ping_for(struct discv4 *d, const struct kademlia_node *node,
		     enum discv4_purpose purpose)
{
	return ping_send(d, node, purpose, false, SIZE_MAX) > 0;
}

size_t discv4_ping_back(struct discv4 *d, const struct kademlia_node *node, bool brief, size_t max)
{
	return ping_send(d, node, DISCV4_PURPOSE_STRANGER, brief, max);
}

static void check_failed(struct discv4 *d, const struct kademlia_node *node)
{
	kademlia_silent(&d->table, node, d->now_ms, &d->random);
	if (kademlia_find(&d->table, node->hash) == NULL)
		discv4_tell(d, DISCV4_EVENT_DROPPED, node);
	if (kademlia_count(&d->table) == 0 && d->refresh_at_ms != UINT64_MAX &&
	    d->refresh_at_ms > d->now_ms + DISCV4_LONELY_MS)
		d->refresh_at_ms = d->now_ms + DISCV4_LONELY_MS;
}

static void pending_due(struct discv4 *d, struct discv4_pending *p)
{
	struct kademlia_node node = p->node;
	enum discv4_purpose purpose = p->purpose;

	discv4_pending_free(d, p);
	switch (purpose) {
	case DISCV4_PURPOSE_CHECK:
		check_failed(d, &node);
		break;
	case DISCV4_PURPOSE_CALLER:
		discv4_tell(d, DISCV4_EVENT_SILENT, &node);
		break;
	case DISCV4_PURPOSE_STRANGER:
	case DISCV4_PURPOSE_KNOWN:
	case DISCV4_PURPOSE_QUESTION: /* the question has a deadline of its own */
	case DISCV4_PURPOSE_RECORD:
		break;
	}
}

/* Room for a check that the table may ask for. */
static bool can_check(const struct discv4 *d)
{
	return d->pending_count < DISCV4_PENDING_MAX && d->out_count < DISCV4_OUT_MAX;
}

static void check(struct discv4 *d, const struct kademlia_node *node)
{
	const struct discv4_bond *bond =
		discv4_bonds_find(&d->bonds, node->hash, &node->addr, d->now_ms);

	if (bond != NULL && netaddr_equal(&bond->addr, &node->addr) &&
	    d->now_ms - bond->proven_at_ms < DISCV4_FRESH_MS)
		kademlia_alive(&d->table, node, d->now_ms, &d->random);
	else if (!discv4_ping_for(d, node, DISCV4_PURPOSE_CHECK))
		assert(!"there was room");
}

static bool can_ping_known(const struct discv4 *d)
{
	return d->known_at < d->params.known_count && d->known_pending < DISCV4_KNOWN_PARALLEL &&
	       can_check(d);
}

static void ping_known(struct discv4 *d)
{
	const struct kademlia_node *node = &d->params.known[d->known_at++];

	if (memcmp(node->hash, d->table.self, sizeof(node->hash)) != 0 &&
	    relay_check(&node->addr, &node->addr) == RELAY_OK &&
	    discv4_ping_for(d, node, DISCV4_PURPOSE_KNOWN))
		d->known_pending++;
}

bool discv4_is_meeting(const struct discv4 *d)
{
	return d->now_ms < d->meeting_until_ms &&
	       (d->known_at < d->params.known_count || d->known_pending > 0);
}

void discv4_tick(struct discv4 *d, uint64_t now_ms)
{
	struct kademlia_node node;

	discv4_clock_set(d, now_ms);
	for (unsigned i = 0; i < DISCV4_PENDING_MAX; i++) {
		if (d->pending[i].ticket != 0 && d->pending[i].deadline_ms <= d->now_ms)
			pending_due(d, &d->pending[i]);
	}
	while (can_ping_known(d))
		ping_known(d);
	while (can_check(d) && kademlia_due(&d->table, d->now_ms, &d->random, &node))
		check(d, &node);
	discv4_search_tick(d);
}

uint64_t discv4_deadline(const struct discv4 *d)
{
	uint64_t deadline = discv4_search_deadline(d);
	uint64_t checks = kademlia_deadline(&d->table);

	for (unsigned i = 0; i < DISCV4_PENDING_MAX; i++) {
		if (d->pending[i].ticket != 0 && d->pending[i].deadline_ms < deadline)
			deadline = d->pending[i].deadline_ms;
	}
	if (can_ping_known(d))
		return d->now_ms;
	return can_check(d) && checks < deadline ? checks : deadline;
}

enum kademlia_added discv4_add(struct discv4 *d, const struct kademlia_node *node, uint64_t now_ms)
{
	discv4_clock_set(d, now_ms);
	return kademlia_add(&d->table, node, d->now_ms, &d->random);
}

bool discv4_ping(struct discv4 *d, const struct kademlia_node *node, uint64_t now_ms)
{
	discv4_clock_set(d, now_ms);
	return discv4_ping_for(d, node, DISCV4_PURPOSE_CALLER);
}

bool discv4_ask_record(struct discv4 *d, const struct kademlia_node *node, uint64_t now_ms)
{
	struct discv4_datagram *datagram;
	struct discv4_pending *p;
	struct writer w;

	discv4_clock_set(d, now_ms);
	datagram = discv4_begin_to(d, &node->addr, DISCV4_ENRREQUEST, &w);
	if (datagram == NULL)
		return false;
	p = pending_new(d, node, DISCV4_PURPOSE_RECORD);
	if (p == NULL)
		return false;
	datagram->ticket = p->ticket;
	discv4_enrrequest_encode(
		&w, &(struct discv4_enrrequest){ .expiration_s = discv4_expiration_s(d) });
	discv4_end_to(d, datagram, &w);
	return true;
}

struct slice discv4_record(const struct discv4 *d)
{
	return slice_of(d->record, d->record_len);
}

uint64_t discv4_seq(const struct discv4 *d)
{
	return d->seq;
}

struct enode_endpoint discv4_endpoint(const struct discv4 *d)
{
	return d->params.self;
}

void discv4_set_wall(struct discv4 *d, int64_t wall_ms)
{
	d->params.wall_ms = wall_ms;
}
