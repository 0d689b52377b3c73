#include "sim/virtual.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum event_kind {
	EVENT_CONNECTED,
	EVENT_REFUSED,
	EVENT_UNREACHABLE,
	EVENT_TO_PEER,   /* bytes arrive at the peer */
	EVENT_TO_CLIENT, /* bytes arrive at the crawler */
	EVENT_CLOSED,    /* the peer's end of the connection arrives */
	EVENT_RESET,
	EVENT_PEER_WAKES,
	EVENT_VISIT_WAKES,
};

enum {
	ADVERTS_AT_ONCE = 1000,
	START_MS = 1000,
	UNIX_START_S = 1790000000, /* September 2026 */
};

struct event {
	uint64_t at_ms, number; /* events of one moment happen in order of their making */
	uint32_t slot, life;    /* void when the flight has gone on to another life */
	enum event_kind kind;
	uint32_t len;
	uint8_t *data; /* owned */
};

/* One visit under way. */
struct flight {
	struct visit *visit;
	struct sim_conn *conn;
	uint32_t slot, life, crawl_id, next_free;
	int64_t index; /* in the world, -1: nobody */
	uint32_t rtt_ms;
	uint64_t to_peer_ms, to_client_ms;      /* the newest arrivals: bytes keep their order */
	uint64_t peer_wakes_ms, visit_wakes_ms; /* already in the heap; UINT64_MAX: not */
	uint8_t *in;                            /* an unfinished message */
	size_t in_len, in_cap;
	uint32_t taken, adverts_new, adverts_cut;
};

struct driver {
	const struct sim_run *run;
	const struct sim_config *config;
	struct visit_config visit;
	struct crawl *crawl;
	uint64_t now_ms, numbers, events_done;
	struct random random;
	struct event *heap;
	size_t heap_len, heap_cap;
	struct flight **flights;
	uint32_t flights_len, flights_cap, first_free;
	size_t flights_bytes, peak_bytes;
	bool changed; /* the crawl may decide anew */
	enum err err;
};

enum { NO_FLIGHT = UINT32_MAX };

/* --- the heap of events --- */

static bool before(const struct event *a, const struct event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->number < b->number;
}

static void heap_push(struct driver *d, const struct event *event)
{
	struct event *grown;
	size_t at = d->heap_len, cap = d->heap_cap == 0 ? 256 : d->heap_cap * 2;

	if (at == d->heap_cap) {
		grown = realloc(d->heap, cap * sizeof(*d->heap));
		if (grown == NULL) {
			free(event->data);
			d->err = ERR_NOMEM;
			return;
		}
		d->heap = grown;
		d->heap_cap = cap;
	}
	d->heap_len++;
	for (; at > 0 && before(event, &d->heap[(at - 1) / 2]); at = (at - 1) / 2)
		d->heap[at] = d->heap[(at - 1) / 2];
	d->heap[at] = *event;
}

static struct event heap_pop(struct driver *d)
{
	struct event top = d->heap[0], last = d->heap[--d->heap_len];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < d->heap_len) {
		if (child + 1 < d->heap_len && before(&d->heap[child + 1], &d->heap[child]))
			child++;
		if (!before(&d->heap[child], &last))
			break;
		d->heap[at] = d->heap[child];
		at = child;
	}
	d->heap[at] = last;
	d->heap[d->heap_len].data = NULL; /* the place behind the heap owns nothing */
	return top;
}

static void schedule(struct driver *d, const struct flight *f, enum event_kind kind, uint64_t at_ms,
		     struct slice bytes)
{
	struct event event = {
		.at_ms = at_ms < d->now_ms ? d->now_ms : at_ms,
		.number = d->numbers++,
		.slot = f->slot,
		.life = f->life,
		.kind = kind,
		.len = (uint32_t)bytes.len,
	};

	if (bytes.len > 0) {
		event.data = malloc(bytes.len);
		if (event.data == NULL) {
			d->err = ERR_NOMEM;
			return;
		}
		memcpy(event.data, bytes.data, bytes.len);
	}
	heap_push(d, &event);
}

static void schedule_bare(struct driver *d, const struct flight *f, enum event_kind kind,
			  uint64_t at_ms)
{
	schedule(d, f, kind, at_ms, slice_of(NULL, 0));
}

/* --- the link --- */

static bool lost(struct driver *d)
{
	return d->config->loss > 0 && random_unit(&d->random) < d->config->loss;
}

/* How much later bytes arrive because they had to be sent again. */
static uint64_t retransmission_ms(struct driver *d, const struct flight *f)
{
	uint64_t timeout_ms = 2ULL * f->rtt_ms, sum_ms = 0;

	if (timeout_ms < SIM_RETRANSMIT_MS)
		timeout_ms = SIM_RETRANSMIT_MS;
	for (int tries = 1; tries < SIM_SYN_TRIES && lost(d); tries++, timeout_ms *= 2)
		sum_ms += timeout_ms;
	return sum_ms;
}

static void to_peer(struct driver *d, struct flight *f, struct slice bytes)
{
	uint64_t at_ms = d->now_ms + f->rtt_ms / 2 + retransmission_ms(d, f);

	if (at_ms < f->to_peer_ms)
		at_ms = f->to_peer_ms;
	f->to_peer_ms = at_ms;
	schedule(d, f, EVENT_TO_PEER, at_ms, bytes);
}

static void to_client(struct driver *d, struct flight *f, const struct sim_output *output)
{
	uint64_t at_ms = output->at_ms + (f->rtt_ms + 1) / 2 + retransmission_ms(d, f);

	if (d->config->jitter_ms > 0)
		at_ms += random_below(&d->random, d->config->jitter_ms + 1ULL);
	if (at_ms < f->to_client_ms)
		at_ms = f->to_client_ms;
	f->to_client_ms = at_ms;
	switch (output->kind) {
	case SIM_OUTPUT_BYTES:
		schedule(d, f, EVENT_TO_CLIENT, at_ms, output->bytes);
		break;
	case SIM_OUTPUT_CLOSE:
		schedule_bare(d, f, EVENT_CLOSED, at_ms);
		break;
	case SIM_OUTPUT_RESET:
		schedule_bare(d, f, EVENT_RESET, at_ms);
		break;
	}
}

/* What becomes of a connection attempt to an address that is none of the world's. */
static void dial_nobody(struct driver *d, struct flight *f, uint64_t at_ms)
{
	const struct netaddr *addr = &f->visit->addr;
	int offset = addr->port - d->config->port;

	if (!cidr_contains(&d->config->range, addr))
		schedule_bare(d, f, EVENT_UNREACHABLE, at_ms);
	else if (offset >= 0 && offset < SIM_PORTS)
		schedule_bare(d, f, EVENT_CONNECTED, at_ms);
	else if (offset != SIM_PORT_SILENT)
		schedule_bare(d, f, EVENT_REFUSED, at_ms);
}

static uint32_t slowness(const struct driver *d)
{
	uint64_t from_ms = d->run->slower_from_ms;

	return from_ms > 0 && d->now_ms >= START_MS + from_ms ? d->run->slower_by : 1;
}

static void dial(struct driver *d, struct flight *f)
{
	uint64_t at_ms = d->now_ms, retry_ms = SIM_SYN_RETRY_MS;
	struct sim_peer peer;
	int tries = 0;

	f->life++; /* what is still under way belongs to an earlier connection */
	f->in_len = 0;
	f->peer_wakes_ms = f->visit_wakes_ms = UINT64_MAX;
	f->index = sim_world_find(d->run->world, &f->visit->addr);
	f->rtt_ms = d->config->latency_ms;
	for (tries = 0; tries < SIM_SYN_TRIES && lost(d); tries++, retry_ms *= 2)
		at_ms += retry_ms;
	if (tries == SIM_SYN_TRIES)
		return;
	if (f->index < 0) {
		dial_nobody(d, f, at_ms + f->rtt_ms);
		return;
	}
	sim_world_peer(d->run->world, (uint32_t)f->index, &peer);
	f->rtt_ms = peer.rtt_ms * slowness(d);
	at_ms += f->rtt_ms;
	f->to_peer_ms = f->to_client_ms = at_ms;
	if (peer.kind == SIM_GHOST_REFUSED)
		schedule_bare(d, f, EVENT_REFUSED, at_ms);
	else if (peer.kind != SIM_GHOST_SILENT)
		schedule_bare(d, f, EVENT_CONNECTED, at_ms);
}

/* --- visits --- */

static void note_bytes(struct driver *d)
{
	struct crawl_stats stats;
	size_t bytes;

	crawl_stats(d->crawl, &stats);
	bytes = stats.bytes + d->flights_bytes;
	if (bytes > d->peak_bytes)
		d->peak_bytes = bytes;
}

static struct flight *flight_new(struct driver *d)
{
	size_t size = visit_size(d->visit.session.network);
	uint32_t cap = d->flights_cap == 0 ? 64 : d->flights_cap * 2;
	struct flight *f, **grown;

	if (d->first_free != NO_FLIGHT) {
		f = d->flights[d->first_free];
		d->first_free = f->next_free;
		return f;
	}
	if (d->flights_len == d->flights_cap) {
		grown = realloc(d->flights, cap * sizeof(struct flight *));
		if (grown == NULL)
			return NULL;
		d->flights = grown;
		d->flights_cap = cap;
	}
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	f->visit = malloc(size);
	if (f->visit == NULL) {
		free(f);
		return NULL;
	}
	f->slot = d->flights_len;
	d->flights[d->flights_len++] = f;
	d->flights_bytes += sizeof(*f) + size;
	return f;
}

static void start(struct driver *d, const struct crawl_dial *order)
{
	struct flight *f = flight_new(d);
	int64_t unix_ms = (int64_t)UNIX_START_S * 1000 + (int64_t)d->now_ms;

	if (f == NULL) {
		d->err = ERR_NOMEM;
		return;
	}
	f->crawl_id = order->id;
	f->taken = f->adverts_new = f->adverts_cut = 0;
	visit_init(f->visit, &d->visit, &order->addr, &order->wait, random_next(&d->random) | 1,
		   d->now_ms, unix_ms);
	f->visit->owner = f;
	dial(d, f);
	f->visit_wakes_ms = visit_deadline(f->visit);
	schedule_bare(d, f, EVENT_VISIT_WAKES, f->visit_wakes_ms);
}

static void hang_up(struct flight *f)
{
	sim_conn_free(f->conn);
	f->conn = NULL;
}

static void finish(struct driver *d, struct flight *f)
{
	struct record record;
	bool final;

	visit_record(f->visit, d->now_ms, &record);
	record.adverts_new = f->adverts_new;
	record.adverts_cut = f->adverts_cut;
	crawl_learn(d->crawl, &record);
	final = crawl_finish(d->crawl, f->crawl_id, record.outcome, record.reached);
	if (final && d->run->on_record != NULL)
		d->run->on_record(d->run->ctx, f->index < 0 ? SIM_NOBODY : (uint32_t)f->index,
				  &record);
	note_bytes(d);
	hang_up(f);
	d->flights_bytes -= f->in_cap;
	free(f->in);
	f->in = NULL;
	f->in_len = f->in_cap = 0;
	f->life++;
	f->next_free = d->first_free;
	d->first_free = f->slot;
	d->changed = true;
}

/* After every call to the visit: what it says, what it does next. */
static void pump(struct driver *d, struct flight *f)
{
	uint8_t bytes[2048];
	size_t len = 0, n;
	uint64_t deadline_ms;

	while ((n = visit_send(f->visit, bytes + len, sizeof(bytes) - len)) > 0)
		len += n;
	if (len > 0)
		to_peer(d, f, slice_of(bytes, len));
	if (f->visit->state == VISIT_DONE) {
		finish(d, f);
		return;
	}
	if (f->visit->state == VISIT_RECONNECT && f->conn != NULL) {
		hang_up(f);
		dial(d, f);
	}
	deadline_ms = visit_deadline(f->visit);
	if (deadline_ms < f->visit_wakes_ms) {
		f->visit_wakes_ms = deadline_ms;
		schedule_bare(d, f, EVENT_VISIT_WAKES, deadline_ms);
	}
}

/* The same for the peer. */
static void pump_peer(struct driver *d, struct flight *f)
{
	struct sim_output output;
	uint64_t deadline_ms;

	while (sim_conn_next(f->conn, d->now_ms, &output))
		to_client(d, f, &output);
	deadline_ms = sim_conn_deadline(f->conn);
	if (deadline_ms < f->peer_wakes_ms) {
		f->peer_wakes_ms = deadline_ms;
		schedule_bare(d, f, EVENT_PEER_WAKES, deadline_ms);
	}
}

static void on_adverts(struct driver *d, struct flight *f, struct session_event event)
{
	struct advert adverts[ADVERTS_AT_ONCE];
	enum crawl_verdict verdicts[ADVERTS_AT_ONCE];
	const struct proto *proto = d->visit.session.network->proto;
	size_t n;

	while ((n = crawl_read_named(d->crawl, proto, &event, adverts, ADVERTS_AT_ONCE)) > 0) {
		crawl_add_named(d->crawl, adverts, n, &f->taken, verdicts);
		for (size_t i = 0; i < n; i++) {
			f->adverts_new +=
				verdicts[i] == CRAWL_NEW || verdicts[i] == CRAWL_NEW_NO_DIAL;
			f->adverts_cut += verdicts[i] == CRAWL_CUT;
		}
	}
	d->changed = true;
}

static void on_event(void *ctx, struct visit *v, struct session_event *event)
{
	struct driver *d = ctx;
	const struct visit_config *theirs = d->run->visit;

	if (event->kind == SESSION_EVENT_ADVERTS)
		on_adverts(d, v->owner, *event);
	if (theirs->on_event != NULL)
		theirs->on_event(theirs->on_event_ctx, v, event);
}

static void on_connected(struct driver *d, struct flight *f)
{
	const struct netaddr from = netaddr_ipv4(0xc0000201, 40000); /* TEST-NET-1, RFC 5737 */
	uint64_t accepted_ms = d->now_ms - f->rtt_ms / 2;

	visit_connected(f->visit, d->now_ms);
	if (f->index < 0) { /* a stranger's address: accepted and closed at once */
		schedule_bare(d, f, EVENT_CLOSED, d->now_ms);
	} else if (sim_conn_new(d->run->world, (uint32_t)f->index, &from, accepted_ms,
				UNIX_START_S + (int64_t)(accepted_ms / 1000), &f->conn) != ERR_OK) {
		d->err = ERR_NOMEM;
		return;
	} else {
		pump_peer(d, f);
	}
	pump(d, f);
}

static bool append(struct driver *d, struct flight *f, struct slice bytes)
{
	uint8_t *grown;

	if (f->in_len + bytes.len > f->in_cap) {
		grown = realloc(f->in, f->in_len + bytes.len);
		if (grown == NULL) {
			d->err = ERR_NOMEM;
			return false;
		}
		d->flights_bytes += f->in_len + bytes.len - f->in_cap;
		f->in = grown;
		f->in_cap = f->in_len + bytes.len;
	}
	if (bytes.len > 0)
		memcpy(f->in + f->in_len, bytes.data, bytes.len);
	f->in_len += bytes.len;
	return true;
}

/* A message at a time, so that the answer to one leaves before the next is heard. */
static size_t hear(struct driver *d, struct flight *f, struct slice in)
{
	uint8_t bytes[2048];
	size_t used = 0, n, len;

	while ((n = visit_recv(f->visit, slice_from(in, used), d->now_ms)) > 0) {
		used += n;
		while ((len = visit_send(f->visit, bytes, sizeof(bytes))) > 0)
			to_peer(d, f, slice_of(bytes, len));
	}
	return used;
}

static void on_bytes(struct driver *d, struct flight *f, struct slice bytes)
{
	size_t used;

	if (f->in_len == 0) {
		used = hear(d, f, bytes);
		if (f->visit->state == VISIT_OPEN && !append(d, f, slice_from(bytes, used)))
			return;
	} else {
		if (!append(d, f, bytes))
			return;
		if (f->in_len < visit_need(f->visit))
			return;
		used = hear(d, f, slice_of(f->in, f->in_len));
		memmove(f->in, f->in + used, f->in_len - used);
		f->in_len -= used;
	}
	pump(d, f);
}

static void carry_out(struct driver *d, const struct event *event)
{
	struct flight *f = d->flights[event->slot];
	struct slice bytes = slice_of(event->data, event->len);

	if (f->life != event->life)
		return;
	/* A stranger's address has nobody to hear or wake. */
	if (f->conn == NULL && (event->kind == EVENT_TO_PEER || event->kind == EVENT_PEER_WAKES))
		return;
	switch (event->kind) {
	case EVENT_CONNECTED:
		on_connected(d, f);
		break;
	case EVENT_REFUSED:
		visit_connect_failed(f->visit, OUTCOME_REFUSED, d->now_ms);
		pump(d, f);
		break;
	case EVENT_UNREACHABLE:
		visit_connect_failed(f->visit, OUTCOME_UNREACHABLE, d->now_ms);
		pump(d, f);
		break;
	case EVENT_TO_PEER:
		sim_conn_recv(f->conn, bytes, d->now_ms);
		pump_peer(d, f);
		break;
	case EVENT_TO_CLIENT:
		on_bytes(d, f, bytes);
		break;
	case EVENT_CLOSED:
		visit_closed(f->visit, SESSION_CLOSE_EOF, d->now_ms);
		pump(d, f);
		break;
	case EVENT_RESET:
		visit_closed(f->visit, SESSION_CLOSE_RESET, d->now_ms);
		pump(d, f);
		break;
	case EVENT_PEER_WAKES:
		f->peer_wakes_ms = UINT64_MAX;
		pump_peer(d, f);
		break;
	case EVENT_VISIT_WAKES:
		f->visit_wakes_ms = UINT64_MAX;
		visit_tick(f->visit, d->now_ms);
		pump(d, f);
		break;
	}
}

static void drive(struct driver *d)
{
	uint64_t wait_until_ms = 0;
	struct crawl_dial order;
	struct event event;

	d->changed = true;
	while (d->err == ERR_OK) {
		if (d->changed || d->now_ms >= wait_until_ms) {
			switch (crawl_next(d->crawl, d->now_ms, &order, &wait_until_ms)) {
			case CRAWL_DIAL:
				start(d, &order);
				continue;
			case CRAWL_DONE:
				return;
			case CRAWL_WAIT:
				break;
			}
			d->changed = false;
		}
		if (d->heap_len == 0 || d->heap[0].at_ms > wait_until_ms) {
			assert(wait_until_ms != UINT64_MAX);
			d->now_ms = wait_until_ms;
			continue;
		}
		event = heap_pop(d);
		d->now_ms = event.at_ms;
		d->events_done++;
		carry_out(d, &event);
		free(event.data);
	}
}

static void driver_clear(struct driver *d)
{
	for (size_t i = 0; i < d->heap_len; i++)
		free(d->heap[i].data);
	free(d->heap);
	for (uint32_t i = 0; i < d->flights_len; i++) {
		sim_conn_free(d->flights[i]->conn);
		free(d->flights[i]->in);
		free(d->flights[i]->visit);
		free(d->flights[i]);
	}
	free(d->flights);
	crawl_free(d->crawl);
}

enum err sim_run(const struct sim_run *run, const struct netaddr *seeds, size_t seeds_count,
		 struct sim_result *out)
{
	struct driver d = {
		.run = run,
		.config = sim_world_config(run->world),
		.visit = *run->visit,
		.now_ms = START_MS,
		.first_free = NO_FLIGHT,
	};

	*out = (struct sim_result){ 0 };
	d.random.state = random_mix(d.config->seed);
	d.visit.on_event = on_event;
	d.visit.on_event_ctx = &d;
	d.err = crawl_new(run->crawl, d.now_ms, &d.crawl);
	if (d.err != ERR_OK)
		return d.err;
	for (size_t i = 0; i < seeds_count; i++)
		crawl_add(d.crawl, &(struct advert){ .addr = seeds[i] });
	drive(&d);
	note_bytes(&d);
	crawl_stats(d.crawl, &out->stats);
	out->virtual_ms = d.now_ms - START_MS;
	out->events = d.events_done;
	out->peak_bytes = d.peak_bytes;
	driver_clear(&d);
	return d.err;
}
