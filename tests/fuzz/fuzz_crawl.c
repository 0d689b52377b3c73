/* fuzz_crawl.c: a crawl and its visits, without a socket: peers that are named answer, refuse, say
 * any bytes or what the protocol says, and leave, at any times. What has to hold whatever they do:
 * one visit at a time at an IP and per_group in a group, each address dialled once and once more
 * after a timeout, no more known than the cap, no more taken from one peer than his share, sums
 * that agree; and in the end nobody is left waiting.
 *
 * An input is four bytes of settings and a row of commands: which (and of whom), and as many bytes
 * of data as the command takes. */
#include "engine/crawl.h"
#include "engine/visit.h"
#include "fuzz/far.h"
#include "fuzz/frames.h"

enum {
	FLIGHTS = 8,
	DIALLED_MAX = 4096,
	COMMANDS_MAX = 300,
	INPUT_MAX = 1 << 15,
	NAMED_AT_ONCE = 100,
	NEW_PER_PEER = 12,
	KNOWN_MAX = 60,
	START_MS = 1000,
	CONNECT_MS = 5000,
};

/* A visit under way; NULL: there is none. */
struct flight {
	struct visit *visit;
	uint32_t id, taken;
	uint8_t attempt;
	uint8_t *in; /* what the visit has not taken yet */
	size_t in_len;
	bool is_real;
	struct far_session session;
};

/* Whom it has dialled, and how that ended. */
struct dialled {
	struct netaddr addr;
	unsigned times;
	enum outcome outcome;
	bool before; /* by an earlier run */
};

static struct {
	const struct network *network;
	struct visit_config visit;
	struct crawl_config config;
	struct crawl *crawl;
	struct flight flights[FLIGHTS];
	struct dialled dialled[DIALLED_MAX];
	unsigned dialled_count;
	uint64_t now, begun, cancelled, uncapped;
	bool right, stopped;
} rig;

/* --- whom it dials --- */

static struct dialled *dialled_of(const struct netaddr *addr)
{
	for (unsigned i = 0; i < rig.dialled_count; i++) {
		if (netaddr_equal(&rig.dialled[i].addr, addr))
			return &rig.dialled[i];
	}
	CHECK(rig.dialled_count < DIALLED_MAX);
	rig.dialled[rig.dialled_count] = (struct dialled){ .addr = *addr };
	return &rig.dialled[rig.dialled_count++];
}

static bool is_tried_again(enum outcome outcome)
{
	return outcome == OUTCOME_CONNECT_TIMEOUT || outcome == OUTCOME_UNREACHABLE;
}

static bool same_group(const struct netaddr *a, const struct netaddr *b)
{
	return a->kind == b->kind &&
	       memcmp(a->bytes, b->bytes, a->kind == NETADDR_IPV4 ? 2 : 4) == 0;
}

static void check_dial(const struct crawl_dial *order)
{
	struct dialled *d = dialled_of(&order->addr);
	unsigned group = 0, count = 0;

	CHECK(rig.config.allow_private ? netaddr_is_host(&order->addr)
				       : netaddr_is_routable(&order->addr));
	CHECK(netaddr_is_ip(&order->addr));
	for (size_t i = 0; i < rig.config.exclude_count; i++)
		CHECK(!cidr_contains(&rig.config.exclude[i], &order->addr));
	for (unsigned i = 0; i < FLIGHTS; i++) {
		const struct visit *v = rig.flights[i].visit;

		if (v == NULL)
			continue;
		CHECK(!netaddr_same_host(&v->addr, &order->addr));
		group += same_group(&v->addr, &order->addr);
		count++;
	}
	CHECK(group < rig.config.per_group && count < rig.config.concurrency);
	CHECK(d->times == 0 || (d->times == 1 && is_tried_again(d->outcome)));
	CHECK(order->attempt == (d->times > 0 || d->before ? 2 : 1));
	CHECK(order->wait.connect_ms > 0 && order->wait.connect_ms <= 5000);
	CHECK(!order->was_hasty || order->wait.connect_ms == 5000);
	d->times++;
}

/* --- visits --- */

static void far_keeps(struct flight *f, struct slice bytes)
{
	if (bytes.len == 0)
		return;
	f->in = realloc(f->in, f->in_len + bytes.len);
	CHECK(f->in != NULL);
	memcpy(f->in + f->in_len, bytes.data, bytes.len);
	f->in_len += bytes.len;
}

static void on_adverts(struct flight *f, struct session_event reading)
{
	struct advert adverts[NAMED_AT_ONCE];
	enum crawl_verdict verdicts[NAMED_AT_ONCE];
	size_t n;

	while ((n = crawl_read_named(rig.crawl, rig.network->proto, &reading, adverts,
				     NAMED_AT_ONCE)) > 0) {
		CHECK(n <= NAMED_AT_ONCE);
		crawl_add_named(rig.crawl, adverts, n, &f->taken, verdicts);
	}
	CHECK(f->taken <= NEW_PER_PEER);
}

static void on_event(void *ctx, struct visit *v, struct session_event *event)
{
	(void)ctx;
	if (event->kind == SESSION_EVENT_ADVERTS)
		on_adverts(v->owner, *event);
}

static void end_flight(struct flight *f)
{
	struct dialled *d = dialled_of(&f->visit->addr);
	struct record record;

	visit_record(f->visit, rig.now, &record);
	CHECK(record.tries >= 1 && record.tries <= 2 && record.outcome < OUTCOME_COUNT);
	CHECK(record.total_ms >= 0 && record.info.agent.len <= PEER_AGENT_MAX);
	CHECK(record.handshake_ms < 0 || record.reached);
	d->outcome = record.outcome;
	crawl_learn(rig.crawl, &record);
	CHECK(crawl_finish(rig.crawl, f->id, record.outcome, record.reached) ==
	      (!is_tried_again(record.outcome) || f->attempt == 2));
	rig.cancelled += record.outcome == OUTCOME_CANCELLED;
	free(f->visit);
	free(f->in);
	f->visit = NULL;
	f->in = NULL;
}

static void far_hears(struct flight *f, struct slice in)
{
	uint8_t said[FAR_SAID_MAX];
	size_t n;

	while (in.len > 0 && !f->session.over) {
		n = f->session.proto->recv(f->session.memory, in, rig.now);
		CHECK(n <= in.len);
		if (n == 0)
			return; /* it is lost: no visit says half a message, but cut ones are */
		in = slice_from(in, n);
		far_keeps(f, slice_of(said, far_says(&f->session, said)));
	}
}

/* What it says, and what becomes of it. */
static void pump(struct flight *f)
{
	uint8_t out[VISIT_SEND_MIN];
	size_t len = 0, n;

	while ((n = visit_send(f->visit, out + len, sizeof(out) - len)) > 0) {
		CHECK(n <= sizeof(out) - len);
		len += n;
	}
	if (f->is_real)
		far_hears(f, slice_of(out, len));
	if (f->visit->state == VISIT_DONE) {
		end_flight(f);
	} else if (f->visit->state == VISIT_RECONNECT) {
		f->in_len = 0;
		f->is_real = false;
	}
}

/* A message at a time, each time of a size of its own: what lies behind is nobody's. */
static void hear(struct flight *f)
{
	size_t n = 1, used = 0;

	while (f->visit != NULL && f->visit->state == VISIT_OPEN && n > 0 && used < f->in_len) {
		size_t len = f->in_len - used;
		uint8_t *piece = malloc(len);

		CHECK(piece != NULL);
		memcpy(piece, f->in + used, len);
		n = visit_recv(f->visit, slice_of(piece, len), rig.now);
		free(piece);
		CHECK(n <= len && visit_need(f->visit) <= rig.network->proto->buffer_max);
		CHECK(n > 0 || f->visit->state != VISIT_OPEN || len < visit_need(f->visit));
		used += n;
		memmove(f->in, f->in + used, f->in_len - used);
		f->in_len -= used;
		used = 0;
		pump(f);
	}
}

static void next(void)
{
	struct crawl_dial order;
	uint64_t wait_until_ms;
	struct flight *f = NULL;
	enum crawl_action action = crawl_next(rig.crawl, rig.now, &order, &wait_until_ms);

	CHECK(action != CRAWL_WAIT || wait_until_ms > rig.now);
	if (action != CRAWL_DIAL)
		return;
	CHECK(!rig.stopped);
	check_dial(&order);
	rig.begun++;
	for (unsigned i = 0; i < FLIGHTS; i++) {
		if (rig.flights[i].visit == NULL)
			f = &rig.flights[i];
	}
	CHECK(f != NULL);
	*f = (struct flight){ .id = order.id, .attempt = order.attempt };
	f->visit = malloc(visit_size(rig.network));
	CHECK(f->visit != NULL);
	visit_init(f->visit, &rig.visit, &order.addr, &order.wait, 7000 + rig.begun, rig.now,
		   FAR_UNIX_S * 1000LL);
	f->visit->owner = f;
}

/* --- what holds always --- */

static void check_sums(void)
{
	uint64_t outcomes = 0, flights = 0;
	struct crawl_stats s;

	crawl_stats(rig.crawl, &s);
	for (unsigned i = 0; i < FLIGHTS; i++)
		flights += rig.flights[i].visit != NULL;
	for (unsigned i = 0; i < OUTCOME_COUNT; i++)
		outcomes += s.outcomes[i];
	CHECK(s.known == s.no_dial + s.resting + s.visited + s.waiting + s.in_flight);
	CHECK(s.in_flight == flights && s.begun == rig.begun);
	CHECK(outcomes == s.visited && s.reached <= s.visited);
	CHECK(s.known <= KNOWN_MAX + rig.uncapped && crawl_unnamed(rig.crawl) <= s.known);
}

/* --- commands --- */

enum command {
	COMMAND_NEXT,
	COMMAND_SEED,
	COMMAND_VISITED,
	COMMAND_WATCHED,
	COMMAND_OWN,
	COMMAND_CONNECTED,
	COMMAND_CONNECTED_REAL,
	COMMAND_FAILED,
	COMMAND_BYTES,
	COMMAND_CLOSED,
	COMMAND_CANCEL,
	COMMAND_GIVE_BACK,
	COMMAND_LATER,
	COMMAND_STOP,
	COMMAND_COUNT,
};

static uint8_t next_byte(struct reader *r)
{
	return reader_left(r) > 0 ? reader_u8(r, "byte") : 0;
}

static struct slice next_bytes(struct reader *r)
{
	size_t len = next_byte(r);

	len = len << 8 | next_byte(r);
	return reader_bytes(r, len < reader_left(r) ? len : reader_left(r), "bytes");
}

/* The number counts those that are open, or are not; NULL: there is none. */
static struct flight *nth(uint8_t number, bool open)
{
	struct flight *found[FLIGHTS];
	unsigned count = 0;

	for (unsigned i = 0; i < FLIGHTS; i++) {
		const struct visit *v = rig.flights[i].visit;

		if (v != NULL && (v->state == VISIT_OPEN) == open)
			found[count++] = &rig.flights[i];
	}
	return count > 0 ? found[number % count] : NULL;
}

static void make_real(struct flight *f, struct reader *in)
{
	uint8_t said[FAR_SAID_MAX], how = next_byte(in);
	struct far_kind kind = {
		.network = rig.network,
		.role = SESSION_RESPONDER,
		.goal = how & 1 ? SESSION_GOAL_STAY : SESSION_GOAL_PEERS,
		.id = how >> 1 & 3,
		.names = next_byte(in),
		.listen_port = 8333,
		.sees_us_as = far_addr(how),
		.nonce = how & 8 ? 7000 + rig.begun : 1,
	};

	f->is_real = true;
	far_begin(&f->session, &kind, rig.now);
	far_keeps(f, slice_of(said, far_says(&f->session, said)));
}

static void bytes(struct flight *f, struct reader *in)
{
	struct slice data = next_bytes(in);
	uint8_t *copy = malloc(data.len + 1);

	CHECK(copy != NULL);
	if (data.len > 0)
		memcpy(copy, data.data, data.len);
	if (rig.right)
		put_frames_right(copy, data.len, rig.network->magic);
	far_keeps(f, slice_of(copy, data.len));
	free(copy);
}

static void of_one(enum command command, struct flight *f, struct reader *in)
{
	static const enum outcome failures[] = { OUTCOME_REFUSED, OUTCOME_UNREACHABLE,
						 OUTCOME_RESET, OUTCOME_CONNECT_TIMEOUT };

	if (command == COMMAND_CONNECTED || command == COMMAND_CONNECTED_REAL)
		visit_connected(f->visit, rig.now);
	if (command == COMMAND_CONNECTED_REAL)
		make_real(f, in);
	else if (command == COMMAND_FAILED)
		visit_connect_failed(f->visit, failures[next_byte(in) % 4], rig.now);
	else if (command == COMMAND_BYTES)
		bytes(f, in);
	else if (command == COMMAND_CLOSED)
		visit_closed(f->visit, (enum session_close)(next_byte(in) & 1), rig.now);
	else if (command == COMMAND_CANCEL)
		visit_cancel(f->visit, rig.now);
	pump(f);
	hear(f);
}

static void give_back(struct flight *f)
{
	crawl_give_back(rig.crawl, f->id);
	dialled_of(&f->visit->addr)->times--;
	rig.begun--;
	free(f->visit);
	free(f->in);
	f->visit = NULL;
	f->in = NULL;
}

static void later(uint64_t ms)
{
	uint8_t said[FAR_SAID_MAX];

	rig.now += ms;
	for (unsigned i = 0; i < FLIGHTS; i++) {
		struct flight *f = &rig.flights[i];

		if (f->visit != NULL && f->is_real && !f->session.over) {
			f->session.proto->tick(f->session.memory, rig.now);
			far_keeps(f, slice_of(said, far_says(&f->session, said)));
			hear(f);
		}
		if (f->visit != NULL) {
			visit_tick(f->visit, rig.now);
			CHECK(f->visit->state == VISIT_DONE || visit_deadline(f->visit) > rig.now);
			pump(f);
		}
	}
}

static void visited(const struct advert *peer, uint8_t how)
{
	struct crawl_stats before, after;

	crawl_stats(rig.crawl, &before);
	crawl_add_visited(rig.crawl, peer, (enum outcome)(how % OUTCOME_COUNT), how & 128,
			  how & 64 ? 2 : 1);
	crawl_stats(rig.crawl, &after);
	rig.uncapped += after.known - before.known;
	if (after.waiting > before.waiting)
		dialled_of(&peer->addr)->before = true;
}

static void of_all(enum command command, uint8_t which, struct reader *in)
{
	static const uint64_t waits_ms[] = { 1, 20, 100, 1500, 3000, 10000, 60 * 1000, 600 * 1000 };
	struct advert peer = { .addr = far_addr(which) };

	if (command == COMMAND_NEXT) {
		next();
	} else if (command == COMMAND_SEED) {
		crawl_add(rig.crawl, &peer);
	} else if (command == COMMAND_VISITED) {
		visited(&peer, next_byte(in));
	} else if (command == COMMAND_WATCHED) {
		crawl_add_watched(rig.crawl, &peer, next_byte(in) & 1);
	} else if (command == COMMAND_OWN) {
		crawl_add_own(rig.crawl, &peer.addr);
	} else if (command == COMMAND_LATER) {
		later(waits_ms[which % 8]);
	} else if (command == COMMAND_STOP && which == 1) { /* once in a while */
		crawl_stop(rig.crawl);
		rig.stopped = true;
	}
}

static void run(struct reader *in)
{
	enum command command = (enum command)(next_byte(in) % COMMAND_COUNT);
	uint8_t which = next_byte(in);
	bool of_dial = (command >= COMMAND_CONNECTED && command <= COMMAND_FAILED) ||
		       command == COMMAND_GIVE_BACK;
	bool of_open = command >= COMMAND_BYTES && command <= COMMAND_CANCEL;
	struct flight *f = of_dial || of_open ? nth(which, of_open) : NULL;

	if (!of_dial && !of_open)
		of_all(command, which, in);
	else if (f != NULL && command == COMMAND_GIVE_BACK && f->visit->attempts == 1)
		give_back(f);
	else if (f != NULL && command != COMMAND_GIVE_BACK)
		of_one(command, f, in);
	check_sums();
}

/* --- from the beginning to the end --- */

static void begin(const uint8_t how[static 4])
{
	static struct cidr exclude;

	cidr_parse(slice_text("5.8.0.0/13"), &exclude);
	rig.network = network_find(how[0] & 1 ? "gossip" : "bitcoin");
	rig.right = (how[0] & 1) == 0 && how[0] & 2;
	rig.now = START_MS;
	rig.dialled_count = 0;
	rig.begun = rig.cancelled = rig.uncapped = 0;
	rig.stopped = false;
	rig.config = (struct crawl_config){
		.concurrency = 1 + how[1] % FLIGHTS,
		.rate_per_s = how[0] & 16 ? 1 + how[2] % 16 : 0,
		.max_visits = how[0] & 32 ? 1 + how[3] % 64 : 0,
		.duration_ms = how[0] & 64 ? 1000 * (1 + how[3] % 64) : 0,
		.allow_private = how[0] & 4,
		.per_group = 1 + (how[1] >> 3) % 4,
		.new_per_peer = NEW_PER_PEER,
		.known_max = KNOWN_MAX,
		.patience = { .connect_ms = 5000, .answer_ms = 10000 },
		.exclude = &exclude,
		.exclude_count = how[0] & 8 ? 1 : 0,
		.key = { 1, 2 },
	};
	rig.visit = (struct visit_config){
		.session = { .network = rig.network,
			     .role = SESSION_INITIATOR,
			     .goal = SESSION_GOAL_PEERS,
			     .agent = slice_text("/peerwalk:fuzz/"),
			     .stepwise = how[1] & 32,
			     .patient = how[1] & 64,
			     .own_id = slice_text("0123456789abcdef"),
			     .timeout_ms = 30 * 1000 },
		.connect_timeout_ms = CONNECT_MS,
		.on_event = on_event,
	};
	CHECK(crawl_new(&rig.config, rig.now, &rig.crawl) == ERR_OK);
}

/* Everybody refuses from now on. */
static void end(void)
{
	bool limited = rig.config.max_visits > 0 || rig.config.duration_ms > 0 || rig.stopped;
	struct crawl_stats s;

	for (unsigned i = 0; i < DIALLED_MAX; i++) {
		rig.now += 1000;
		next();
		for (unsigned k = 0; k < FLIGHTS; k++) {
			struct flight *f = &rig.flights[k];

			if (f->visit == NULL)
				continue;
			if (f->visit->state == VISIT_OPEN)
				visit_closed(f->visit, SESSION_CLOSE_RESET, rig.now);
			else
				visit_connect_failed(f->visit, OUTCOME_REFUSED, rig.now);
			pump(f);
		}
		crawl_stats(rig.crawl, &s);
		if (s.in_flight == 0 && (limited || s.waiting == rig.cancelled))
			break;
	}
	CHECK(s.in_flight == 0 && (limited || s.waiting == rig.cancelled));
	check_sums();
	crawl_free(rig.crawl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in;

	if (size < 4 || size > INPUT_MAX)
		return 0;
	begin(data);
	reader_init(&in, slice_of(data + 4, size - 4));
	for (unsigned i = 0; i < COMMANDS_MAX && reader_left(&in) > 0; i++)
		run(&in);
	end();
	return 0;
}
