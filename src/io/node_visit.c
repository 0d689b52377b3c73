#include "io/node_visit.h"

#include "io/datagrams.h"
#include "io/node_record.h"
#include "proto/ethereum/session.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* Datagrams that were read and wait for their turn. Checking a signature takes longer than
	 * reading, and what the kernel keeps for us is little: some 90 datagrams. */
	/* Datagrams that wait, of one visit: three times an answer in single packets, PING, PONG
	 * and record. Whoever sends without end takes nobody else's turn. */
	WAITING_PER_VISIT = 64,
	/* Read in one visit at all, of whoever has that address; each may cost a signature. Much
	 * more than probe.h takes from the node itself. */
	DATAGRAMS_PER_VISIT = 4 * PROBE_PACKETS_MAX,
	/* Of them, handled before the sockets are looked at again: some milliseconds. */
	TURN = 64,
	NAMED_BATCH = 64,
	SLOTS_FIRST = 1024,
	/* Visits begin only while nothing that came waits, and so many a millisecond: each brings
	 * work enough for a millisecond or two, but not before a round trip. Begun all at once,
	 * they would wait for each other, and their times would say nothing of the nodes. */
	BEGIN_PER_MS = 4,
	BEGIN_AT_ONCE = 16,
};

enum visit_stage {
	STAGE_WAITING, /* to begin */
	STAGE_DISCOVERY,
	STAGE_SESSION,
	STAGE_ENDED, /* on_done was called */
};

struct node_visit {
	struct node_visitor *visitor;
	void *owner;
	struct enode node;
	uint64_t nonce;
	int64_t started_unix_ms;
	uint64_t started_ms;
	enum visit_stage stage;
	unsigned pings;
	uint32_t pong_ms;
	bool failed_here, cancelled;
	bool lost_here; /* what may have been an answer of it, for want of memory */
	/* Its timer rang: a tick is due as soon as all datagrams that came are handled. */
	bool is_due;
	struct node_visit *next_due, **due_link;
	struct node_visit *next_waiting, *before_waiting; /* STAGE_WAITING */
	uint64_t timer_ms; /* for when the timer is set; UINT64_MAX: it isn't */
	uint64_t heard_ms; /* the newest time that the probe was told */
	uint32_t waiting, datagrams;
	uv_timer_t timer;
	struct dial *dial; /* NULL: no session goes on */
	struct visit_config session_config;
	struct node_session session; /* once it has ended */
	struct probe probe;
};

struct node_visitor {
	struct dialer *dialer;
	struct node_visit_config config;
	struct udp *v4, *v6; /* NULL: this machine has none */
	uv_check_t check;
	uv_idle_t idle; /* keeps the loop from waiting while there is work */
	bool busy;
	struct node_visit *due;
	/* Visits to begin, the first first, and the ticks that begin them. */
	struct node_visit *first_waiting, *last_waiting;
	uv_timer_t pace;
	uint64_t begun_ms; /* up to when what may begin was counted */
	/* Visits by IP address. */
	struct hash_key hash;
	struct node_visit **slots;
	uint32_t mask, count;
	struct datagrams waiting;
	struct advert named[NAMED_BATCH];
	struct enode named_nodes[NAMED_BATCH]; /* whose keys they borrow */
	size_t named_count;
	unsigned closed; /* handles */
};

/* --- visits by IP address --- */

static uint64_t host_hash(const struct node_visitor *n, const struct netaddr *addr)
{
	return hash_siphash13(&n->hash, addr->bytes, netaddr_len(addr->kind));
}

/* The slot of the visit of that host, or the free one where it belongs. */
static uint32_t find_slot(const struct node_visitor *n, const struct netaddr *addr)
{
	uint32_t i = (uint32_t)host_hash(n, addr) & n->mask;

	while (n->slots[i] != NULL && !netaddr_same_host(&n->slots[i]->node.endpoint.addr, addr))
		i = (i + 1) & n->mask;
	return i;
}

static bool grow_slots(struct node_visitor *n)
{
	struct node_visit **old = n->slots;
	uint32_t size = n->mask + 1;

	if (n->count < size / 2)
		return true;
	n->slots = calloc((size_t)size * 2, sizeof(struct node_visit *));
	if (n->slots == NULL) {
		n->slots = old;
		return false;
	}
	n->mask = size * 2 - 1;
	for (uint32_t i = 0; i < size; i++) {
		if (old[i] != NULL)
			n->slots[find_slot(n, &old[i]->node.endpoint.addr)] = old[i];
	}
	free(old);
	return true;
}

/* Frees the slot and closes the gap in its run (linear probing without tombstones). */
static void free_slot(struct node_visitor *n, struct node_visit *v)
{
	uint32_t hole = find_slot(n, &v->node.endpoint.addr), i = hole, home;

	assert(n->slots[hole] == v);
	n->count--;
	for (;;) {
		i = (i + 1) & n->mask;
		if (n->slots[i] == NULL)
			break;
		home = (uint32_t)host_hash(n, &n->slots[i]->node.endpoint.addr) & n->mask;
		if (((i - home) & n->mask) >= ((i - hole) & n->mask)) {
			n->slots[hole] = n->slots[i];
			hole = i;
		}
	}
	n->slots[hole] = NULL;
}

/* --- the end --- */

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void forget_due(struct node_visit *v)
{
	if (!v->is_due)
		return;
	v->is_due = false;
	*v->due_link = v->next_due;
	if (v->next_due != NULL)
		v->next_due->due_link = v->due_link;
}

static void forget_waiting(struct node_visit *v)
{
	struct node_visitor *n = v->visitor;

	if (v->before_waiting != NULL)
		v->before_waiting->next_waiting = v->next_waiting;
	else
		n->first_waiting = v->next_waiting;
	if (v->next_waiting != NULL)
		v->next_waiting->before_waiting = v->before_waiting;
	else
		n->last_waiting = v->before_waiting;
	if (n->first_waiting == NULL)
		uv_timer_stop(&n->pace);
}

static void end(struct node_visit *v)
{
	const struct node_visit_config *config = &v->visitor->config;
	struct node_texts texts;
	struct probe_info probe;
	struct record record;
	uint64_t now = dialer_now_ms(v->visitor->dialer);

	if (v->stage == STAGE_ENDED)
		return;
	v->stage = STAGE_ENDED;
	forget_due(v);
	free_slot(v->visitor, v);
	probe_info(&v->probe, &probe);
	node_record_make(&v->node, &probe, &v->session, config->chain, &texts, &record);
	record.started_at_ms = v->started_unix_ms;
	record.total_ms = (int32_t)(now - v->started_ms);
	if (v->cancelled)
		record.outcome = OUTCOME_CANCELLED;
	config->on_done(config->ctx, v, &record);
	v->timer.data = v;
	uv_close((uv_handle_t *)&v->timer, on_timer_closed);
}

/* NULL: this machine has none of that family. */
static struct udp *socket_of(const struct node_visit *v)
{
	return v->node.endpoint.addr.kind == NETADDR_IPV4 ? v->visitor->v4 : v->visitor->v6;
}

/* --- the session --- */

static void on_session_done(void *ctx, struct dial *dial, const struct record *record)
{
	struct node_visit *v = ctx;
	const struct visit *visit = dial_visit(dial);

	v->dial = NULL;
	v->failed_here = dial_failed_here(dial);
	v->session = (struct node_session){ .tried = true, .record = *record };
	if (record->connect_ms >= 0) {
		v->session.connected = true;
		v->session.end = ethereum_session_end(visit->session, &v->session.rule);
		ethereum_session_info(visit->session, &v->session.info);
	}
	/* While the dial is there: the record borrows from it. */
	end(v);
}

/* Its silence may be this machine's fault. */
static bool is_deaf(const struct node_visit *v)
{
	const struct udp *udp = socket_of(v);

	return v->lost_here || (udp != NULL && udp_is_stuck(udp));
}

static void begin_session(struct node_visit *v)
{
	struct node_visitor *n = v->visitor;
	struct probe_info info;
	struct netaddr addr = v->node.endpoint.addr;
	uint16_t port;

	/* Discovery is over, also for a timer that rang meanwhile. */
	forget_due(v);
	uv_timer_stop(&v->timer);
	probe_info(&v->probe, &info);
	if (!info.reached && info.outcome == OUTCOME_CONNECT_TIMEOUT && is_deaf(v)) {
		v->failed_here = true;
		end(v);
		return;
	}
	port = node_record_tcp_port(&v->node, &info);
	if (v->cancelled || n->config.no_session || port == 0 ||
	    (!info.reached && !n->config.always_session) || info.outcome == OUTCOME_SELF ||
	    info.outcome == OUTCOME_TOO_BIG || node_record_is_foreign(&info, n->config.chain)) {
		end(v);
		return;
	}
	addr.port = port;
	v->stage = STAGE_SESSION;
	v->session_config = n->config.visit;
	v->session_config.on_event = NULL;
	v->session_config.session.node_id = slice_of(v->node.key, sizeof(v->node.key));
	if (dial_start(n->dialer, &v->session_config, &addr, NULL, v->nonce, on_session_done, v,
		       &v->dial) == ERR_OK)
		return;
	v->failed_here = true;
	end(v);
}

/* --- discovery --- */

static void tell_named(struct node_visit *v)
{
	struct node_visitor *n = v->visitor;

	if (n->named_count > 0 && n->config.on_named != NULL && v->stage == STAGE_DISCOVERY)
		n->config.on_named(n->config.ctx, v, n->named, n->named_count);
	n->named_count = 0;
}

static void take_named(struct node_visit *v, const struct probe_event *event)
{
	struct node_visitor *n = v->visitor;
	struct enode *node = &n->named_nodes[n->named_count];

	if (!event->usable)
		return;
	*node = event->node;
	n->named[n->named_count++] =
		(struct advert){ .addr = node->endpoint.addr,
				 .node_id = slice_of(node->key, sizeof(node->key)),
				 .tcp_port = node->endpoint.tcp_port };
	if (n->named_count == NAMED_BATCH)
		tell_named(v);
}

static void send_packet(struct node_visit *v, const struct probe_packet *packet, uint64_t now)
{
	struct node_visitor *n = v->visitor;
	const struct identity *id = n->config.visit.session.identity;
	uint8_t bytes[DISCV4_HEADER_LEN + PROBE_LIST_MAX];
	struct udp *udp = packet->to.kind == NETADDR_IPV4 ? n->v4 : n->v6;
	struct writer w;
	size_t mark;

	writer_init(&w, bytes, sizeof(bytes));
	mark = discv4_begin(&w, packet->type);
	writer_bytes(&w, packet->list, packet->len);
	discv4_end(&w, mark, &id->secp, &id->key);
	assert(writer_ok(&w));
	probe_sent(&v->probe, packet->ticket, bytes, now);
	if (n->config.on_datagram != NULL)
		n->config.on_datagram(n->config.ctx, v, true, slice_of(bytes, w.len));
	if (udp != NULL && v->stage == STAGE_DISCOVERY)
		udp_send(udp, &packet->to, NULL, slice_of(bytes, w.len));
}

static void on_idle(uv_idle_t *idle)
{
	(void)idle; /* only keeps the loop from waiting */
}

/* The last visit's end may have closed the visitor: then there is no more to do. */
static void keep_busy(struct node_visitor *n)
{
	if (!n->busy && !uv_is_closing((uv_handle_t *)&n->idle))
		uv_idle_start(&n->idle, on_idle);
	n->busy = true;
}

static void on_timer(uv_timer_t *timer)
{
	struct node_visit *v = timer->data;

	v->timer_ms = UINT64_MAX;
	if (v->is_due || v->stage != STAGE_DISCOVERY)
		return;
	v->is_due = true;
	v->next_due = v->visitor->due;
	v->due_link = &v->visitor->due;
	if (v->next_due != NULL)
		v->next_due->due_link = &v->next_due;
	v->visitor->due = v;
	keep_busy(v->visitor);
}

static void set_timer(struct node_visit *v)
{
	uint64_t at = probe_deadline(&v->probe), now = dialer_now_ms(v->visitor->dialer);

	/* A timer that rings early only looks and is set anew: no need to move it back. */
	if (at >= v->timer_ms || v->is_due)
		return;
	v->timer_ms = at;
	uv_timer_start(&v->timer, on_timer, at > now ? at - now : 0, 0);
}

/* After whatever has happened to the probe: tell, send, wait, or go on with the session. Whoever
 * is told may cancel the visit: then nothing more is told or sent. */
static void step(struct node_visit *v)
{
	struct node_visitor *n = v->visitor;
	uint64_t now = dialer_now_ms(n->dialer);
	struct probe_packet packet;
	struct probe_event event;

	while (v->stage == STAGE_DISCOVERY && probe_next(&v->probe, &event)) {
		if (event.kind != PROBE_EVENT_NODE)
			continue;
		if (n->config.on_node != NULL)
			n->config.on_node(n->config.ctx, v, &event);
		take_named(v, &event);
	}
	tell_named(v);
	while (v->stage == STAGE_DISCOVERY && probe_send(&v->probe, &packet, now))
		send_packet(v, &packet, now);
	if (v->stage != STAGE_DISCOVERY)
		return;
	if (probe_state(&v->probe) == PROBE_DONE)
		begin_session(v);
	else
		set_timer(v);
}

/* Its clock never goes back, though what came may have waited. */
static uint64_t heard_at(struct node_visit *v, uint64_t at_ms)
{
	if (at_ms > v->heard_ms)
		v->heard_ms = at_ms;
	return v->heard_ms;
}

static void handle(struct node_visitor *n, const struct datagram *w)
{
	struct node_visit *v = n->slots[find_slot(n, &w->from)];
	struct slice bytes = slice_of(w->bytes, w->len);
	struct discv4_packet packet;
	struct reader r;

	/* Its visit is over; another of that host may have begun. */
	if (v == NULL || v->nonce != w->nonce)
		return;
	v->waiting--;
	if (v->stage != STAGE_DISCOVERY)
		return;
	if (n->config.on_datagram != NULL)
		n->config.on_datagram(n->config.ctx, v, false, bytes);
	if (v->stage != STAGE_DISCOVERY)
		return;
	reader_init(&r, bytes);
	discv4_decode_from(&r, v->node.key, &packet);
	if (reader_ok(&r) && !w->cut)
		probe_recv(&v->probe, &w->from, &packet, bytes.len, heard_at(v, w->at_ms));
	else if (netaddr_equal(&w->from, &v->node.endpoint.addr))
		probe_garbage(&v->probe, bytes.len);
	step(v);
}

/* Of a visit, and there is memory: it waits for its turn, as the sockets come first. */
static void on_datagram(void *ctx, const struct udp_datagram *d)
{
	struct node_visitor *n = ctx;
	struct node_visit *v = n->slots[find_slot(n, &d->from)];

	/* A stranger, or somebody who has had his share. */
	if (v == NULL || v->waiting == WAITING_PER_VISIT || v->datagrams == DATAGRAMS_PER_VISIT)
		return;
	if (n->waiting.count == DATAGRAMS_MAX) {
		handle(n, datagrams_take(&n->waiting));
		v = n->slots[find_slot(n, &d->from)];
		if (v == NULL)
			return; /* that was its end */
	}
	if (!datagrams_add(&n->waiting, d, v->nonce, dialer_now_ms(n->dialer))) {
		v->lost_here = true;
		return;
	}
	v->waiting++;
	v->datagrams++;
}

static void on_failed(void *ctx, const struct netaddr *to, enum outcome why)
{
	struct node_visitor *n = ctx;
	struct node_visit *v = n->slots[find_slot(n, to)];

	if (v == NULL || v->stage != STAGE_DISCOVERY || !netaddr_equal(to, &v->node.endpoint.addr))
		return;
	probe_failed(&v->probe, why, dialer_now_ms(n->dialer));
	/* Not from within the socket's own work: it is looked at with those that are due. */
	if (probe_state(&v->probe) == PROBE_DONE)
		on_timer(&v->timer);
}

/* All that came is handled: who has not answered by now has not answered. */
static void tick_due(struct node_visitor *n)
{
	while (n->due != NULL) {
		struct node_visit *v = n->due;
		uint64_t now = dialer_now_ms(n->dialer);

		forget_due(v);
		probe_tick(&v->probe, heard_at(v, now));
		step(v);
	}
}

/* It leaves the list of those that wait. */
static void init_discovery(struct node_visit *v)
{
	const struct node_visitor *n = v->visitor;
	const struct node_visit_config *config = &n->config;
	uint64_t now = dialer_now_ms(n->dialer);
	struct probe_params params = { .node = v->node,
				       .targets = config->targets,
				       .pings = v->pings,
				       .pong_ms = v->pong_ms,
				       .no_table = config->no_table,
				       .no_record = config->no_record,
				       .unix_ms = dialer_unix_ms(n->dialer),
				       .timeout_ms = config->timeout_ms };

	forget_waiting(v);
	v->stage = STAGE_DISCOVERY;
	v->started_ms = v->heard_ms = now;
	v->started_unix_ms = params.unix_ms;
	memcpy(params.own_key, config->visit.session.identity->public, sizeof(params.own_key));
	probe_init(&v->probe, &params, now);
	/* Without a socket of that family there is no way there. */
	if (socket_of(v) == NULL)
		probe_failed(&v->probe, OUTCOME_UNREACHABLE, now);
}

static void begin_some(struct node_visitor *n)
{
	uint64_t now = dialer_now_ms(n->dialer), passed = now - n->begun_ms;
	uint64_t may =
		passed < BEGIN_AT_ONCE / BEGIN_PER_MS ? passed * BEGIN_PER_MS : BEGIN_AT_ONCE;

	n->begun_ms = now;
	while (n->first_waiting != NULL && may-- > 0) {
		struct node_visit *v = n->first_waiting;

		init_discovery(v);
		step(v);
	}
}

static void on_pace(uv_timer_t *timer)
{
	(void)timer; /* only wakes the loop: on_check does it */
}

/* After the sockets had their turn. */
static void on_check(uv_check_t *check)
{
	struct node_visitor *n = check->data;

	if (n->waiting.count == 0 && n->first_waiting != NULL)
		begin_some(n);
	if (n->waiting.count == 0 && n->due == NULL) {
		if (n->busy)
			uv_idle_stop(&n->idle);
		n->busy = false;
		return;
	}
	for (unsigned i = 0; i < TURN && n->waiting.count > 0; i++)
		handle(n, datagrams_take(&n->waiting));
	/* Not before the sockets were looked at with nothing left to handle; but a turn later at
	 * most, as somebody may send without end. */
	if (n->waiting.count == 0)
		tick_due(n);
	keep_busy(n);
}

/* --- the visitor --- */

static enum err open_socket(struct node_visitor *n, const char *local, struct udp **out)
{
	struct udp_config config = { .on_datagram = on_datagram, .on_failed = on_failed, .ctx = n };

	netaddr_parse(slice_text(local), 0, &config.local);
	return udp_open(n->dialer->loop, &config, out);
}

enum err node_visitor_open(struct dialer *dialer, const struct node_visit_config *config,
			   struct node_visitor **out, char why[static NODE_VISIT_WHY_MAX])
{
	struct node_visitor *n = calloc(1, sizeof(*n));
	enum err v4, v6;

	*out = NULL;
	snprintf(why, NODE_VISIT_WHY_MAX, "out of memory");
	if (n == NULL)
		return ERR_NOMEM;
	n->dialer = dialer;
	n->config = *config;
	if (n->config.timeout_ms == 0)
		n->config.timeout_ms = NODE_VISIT_TIMEOUT_MS;
	n->mask = SLOTS_FIRST - 1;
	n->slots = calloc(SLOTS_FIRST, sizeof(struct node_visit *));
	dial_random(&n->hash, sizeof(n->hash));
	if (n->slots == NULL) {
		free(n);
		return ERR_NOMEM;
	}
	v4 = open_socket(n, "0.0.0.0", &n->v4);
	v6 = open_socket(n, "[::]", &n->v6); /* a machine without IPv6 is no error */
	if (v4 != ERR_OK && v6 != ERR_OK) {
		snprintf(why, NODE_VISIT_WHY_MAX,
			 "cannot open a UDP socket: %s; ulimit -n raises the limit of open files",
			 strerror(errno));
		free(n->slots);
		free(n);
		return v4;
	}
	uv_check_init(dialer->loop, &n->check);
	uv_idle_init(dialer->loop, &n->idle);
	n->check.data = n->idle.data = n;
	uv_check_start(&n->check, on_check);
	uv_timer_init(dialer->loop, &n->pace);
	n->pace.data = n;
	*out = n;
	return ERR_OK;
}

static void on_visitor_closed(uv_handle_t *handle)
{
	struct node_visitor *n = handle->data;

	if (++n->closed == 3) { /* check, idle, pace */
		datagrams_clear(&n->waiting);
		free(n->slots);
		free(n);
	}
}

void node_visitor_close(struct node_visitor *n)
{
	assert(n->count == 0);
	if (n->v4 != NULL)
		udp_close(n->v4);
	if (n->v6 != NULL)
		udp_close(n->v6);
	uv_close((uv_handle_t *)&n->check, on_visitor_closed);
	uv_close((uv_handle_t *)&n->idle, on_visitor_closed);
	uv_close((uv_handle_t *)&n->pace, on_visitor_closed);
}

enum err node_visit_start(struct node_visitor *n, const struct enode *node, unsigned pings,
			  uint32_t pong_ms, uint64_t nonce, void *owner, struct node_visit **out)
{
	struct node_visit *v;

	*out = NULL;
	if (n->slots[find_slot(n, &node->endpoint.addr)] != NULL)
		return ERR_BUSY;
	v = calloc(1, sizeof(*v));
	if (v == NULL || !grow_slots(n)) {
		free(v);
		return ERR_NOMEM;
	}
	v->visitor = n;
	v->owner = owner;
	v->node = *node;
	v->pings = pings;
	v->pong_ms = pong_ms;
	v->nonce = nonce;
	v->started_ms = dialer_now_ms(n->dialer);
	v->started_unix_ms = dialer_unix_ms(n->dialer);
	v->timer_ms = UINT64_MAX;
	uv_timer_init(n->dialer->loop, &v->timer);
	v->timer.data = v;
	n->slots[find_slot(n, &node->endpoint.addr)] = v;
	n->count++;
	v->before_waiting = n->last_waiting;
	if (n->last_waiting != NULL)
		n->last_waiting->next_waiting = v;
	else
		n->first_waiting = v;
	n->last_waiting = v;
	if (!uv_is_active((uv_handle_t *)&n->pace))
		uv_timer_start(&n->pace, on_pace, 1, 1);
	*out = v;
	return ERR_OK;
}

void node_visit_cancel(struct node_visit *v)
{
	if (v->stage == STAGE_ENDED)
		return;
	v->cancelled = true;
	if (v->dial != NULL) {
		dial_cancel(v->dial); /* ends in on_session_done */
		return;
	}
	if (v->stage == STAGE_WAITING)
		init_discovery(v);
	probe_cancel(&v->probe, dialer_now_ms(v->visitor->dialer));
	end(v);
}

void *node_visit_owner(const struct node_visit *v)
{
	return v->owner;
}

const struct enode *node_visit_node(const struct node_visit *v)
{
	return &v->node;
}

void node_visit_probe(const struct node_visit *v, struct probe_info *out)
{
	probe_info(&v->probe, out);
}

bool node_visit_session(const struct node_visit *v, struct rlpx_info *out)
{
	*out = v->session.info;
	return v->session.connected;
}

bool node_visit_failed_here(const struct node_visit *v)
{
	return v->failed_here;
}
