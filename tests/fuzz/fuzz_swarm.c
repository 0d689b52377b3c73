/* fuzz_swarm.c: a standing peer among strangers, of Bitcoin's protocol or a gossip network: they
 * call and are called, say any bytes or what the protocol says, read slowly or not at all, and
 * leave; clocks go on and are set. What has to hold whatever they do: the caps of the policy, no
 * two connections to one address, an event for each end, and nothing but well-formed messages.
 *
 * An input is two bytes of settings and a row of commands: which (and of whom), and as many bytes
 * of data as the command takes. */
#include "engine/swarm_inner.h"
#include "fuzz/far.h"
#include "fuzz/frames.h"

enum {
	FARS = 24,
	COMMANDS_MAX = 400,
	INPUT_MAX = 1 << 15,
	START_MS = 1000,
	STEPS_MAX = 40, /* of one wait; then the machine has slept */
	CONNECT_MS = 5000,
	HELD_MAX = 1 << 20, /* as the driver: no more is kept for one connection */
	LAST_MAX = 2048,
	BYTES_MAX = 8 << 20, /* of the swarm: caches of 1,000 adverts, and its connections */
};

/* The other end of a connection; id 0: there is none. */
struct far {
	uint32_t id;
	struct netaddr remote;
	uint64_t since_ms;
	bool dialling, deaf, unsent, is_real;
	uint8_t *in; /* what the swarm has not taken yet */
	size_t in_len;
	uint8_t last[LAST_MAX]; /* what it was told last */
	size_t last_len;
	struct far_session session;
};

static struct {
	const struct network *network;
	struct swarm_config config;
	struct peer_policy policy;
	struct book *book;
	struct swarm *swarm;
	struct far fars[FARS];
	uint64_t now;
	uint8_t reacts; /* what the owner does when he hears of something */
	bool right;     /* frames are put right */
	bool parrots;   /* the owner has said what strangers said */
	uint64_t ups, downs;
	uint8_t out[SWARM_SEND_MIN];
} rig;

/* --- the owner --- */

static void on_event(void *ctx, const struct swarm_event *e)
{
	(void)ctx;
	if (e->kind == SWARM_EVENT_UP) {
		CHECK(e->peer.up && e->peer.direction != SWARM_CHECK);
		rig.ups++;
	}
	if (e->kind == SWARM_EVENT_DOWN) {
		CHECK(e->why != NULL && e->outcome < OUTCOME_COUNT);
		rig.downs += e->peer.up && e->peer.direction != SWARM_CHECK;
	}
	if (e->kind == SWARM_EVENT_UP && rig.reacts & 1)
		swarm_close(rig.swarm, e->peer.id, "by the owner", rig.now);
	if (e->kind == SWARM_EVENT_MESSAGE && rig.reacts & 2)
		rig.parrots |= swarm_say(rig.swarm, e->peer.id, e->session->whole);
	if (e->kind == SWARM_EVENT_MESSAGE && rig.reacts & 4)
		swarm_close(rig.swarm, e->peer.id, "by the owner", rig.now);
	if (e->kind == SWARM_EVENT_KNOWN && rig.reacts & 8)
		for (unsigned i = 0; i < FARS; i++)
			swarm_close(rig.swarm, rig.fars[i].id, "by the owner", rig.now);
}

/* --- connections --- */

static struct far *far_of(uint32_t id)
{
	for (unsigned i = 0; i < FARS; i++) {
		if (rig.fars[i].id == id)
			return &rig.fars[i];
	}
	return NULL;
}

static struct far *far_new(uint32_t id, const struct netaddr *remote)
{
	struct far *f = far_of(0);

	if (f == NULL)
		return NULL;
	f->id = id;
	f->remote = *remote;
	f->since_ms = rig.now;
	f->dialling = f->deaf = f->unsent = f->is_real = false;
	f->in_len = f->last_len = 0;
	return f;
}

static void far_gone(struct far *f)
{
	free(f->in);
	f->in = NULL;
	f->id = 0;
}

static void far_failed(struct far *f, enum outcome why)
{
	swarm_failed(rig.swarm, f->id, why, rig.now);
	far_gone(f);
}

static void far_keeps(struct far *f, struct slice bytes)
{
	if (bytes.len == 0)
		return;
	if (f->in_len + bytes.len > HELD_MAX) {
		swarm_close(rig.swarm, f->id, "no memory", rig.now);
		return;
	}
	f->in = realloc(f->in, f->in_len + bytes.len);
	CHECK(f->in != NULL);
	memcpy(f->in + f->in_len, bytes.data, bytes.len);
	f->in_len += bytes.len;
}

static void check_named(struct far *f, const struct session_event *e)
{
	struct session_event reading = *e;
	struct advert names[16];
	size_t n, count = 0;

	while ((n = f->session.proto->adverts(&reading, names, 16)) > 0)
		for (size_t i = 0; i < n; i++, count++)
			CHECK(rig.parrots ||
			      swarm_reach(&names[i].addr) >= swarm_reach(&f->remote));
	CHECK(count <= rig.policy.answer_max);
}

/* What the swarm told it, it hears. */
static void far_hears(struct far *f, struct slice in)
{
	uint8_t said[FAR_SAID_MAX];
	struct session_event e;
	size_t n, len;

	while (in.len > 0 && !f->session.over) {
		n = f->session.proto->recv(f->session.memory, in, rig.now);
		CHECK(n > 0 && n <= in.len); /* whole messages */
		in = slice_from(in, n);
		len = 0;
		while (far_event(&f->session, &e, said, &len))
			if (e.kind == SESSION_EVENT_ADVERTS)
				check_named(f, &e);
		far_keeps(f, slice_of(said, len));
		far_keeps(f, slice_of(said, far_says(&f->session, said)));
	}
}

static void far_reads(struct far *f)
{
	const char *rule;
	size_t n, at;

	while ((n = swarm_send(rig.swarm, f->id, rig.out, sizeof(rig.out), rig.now)) > 0) {
		CHECK(n <= sizeof(rig.out));
		CHECK(rig.parrots || rig.network->proto->explain(rig.network, slice_of(rig.out, n),
								 NULL, NULL, &at, &rule) == ERR_OK);
		f->last_len = n <= LAST_MAX ? n : 0;
		memcpy(f->last, rig.out, f->last_len);
		if (f->is_real)
			far_hears(f, slice_of(rig.out, n));
	}
	f->unsent = false;
}

/* --- what the swarm wants done --- */

static void dial(const struct swarm_action *action)
{
	struct far *f = far_new(action->id, &action->addr);

	CHECK(netaddr_is_host(&action->addr));
	if (f != NULL)
		f->dialling = true;
	else
		swarm_failed(rig.swarm, action->id, OUTCOME_UNREACHABLE, rig.now);
}

static void act(void)
{
	struct swarm_action action;

	while (swarm_next(rig.swarm, &action)) {
		struct far *f = far_of(action.id);

		CHECK(action.id != 0 && action.id != SWARM_NONE);
		if (action.what == SWARM_DIAL)
			dial(&action);
		else if (action.what == SWARM_CLOSE && f != NULL)
			far_gone(f);
		else if (action.what == SWARM_SEND && f != NULL && f->deaf)
			f->unsent = true;
		else if (action.what == SWARM_SEND && f != NULL)
			far_reads(f);
	}
}

/* A message at a time; true: it took something. Each time of a size of its own: what lies behind
 * is nobody's. */
static bool hear(struct far *f)
{
	uint32_t id = f->id;
	size_t n = 1, used = 0;

	while (f->id == id && n > 0 && used < f->in_len && !f->unsent) {
		size_t len = f->in_len - used;
		uint8_t *piece = malloc(len);

		CHECK(piece != NULL);
		memcpy(piece, f->in + used, len);
		n = swarm_recv(rig.swarm, id, slice_of(piece, len), rig.now);
		free(piece);
		CHECK(n <= len);
		used += n;
		CHECK(swarm_need(rig.swarm, id) <= rig.network->proto->buffer_max);
		act();
		CHECK(n > 0 || f->id != id || f->unsent || len < swarm_need(rig.swarm, id));
	}
	if (f->id != id)
		return true;
	memmove(f->in, f->in + used, f->in_len - used);
	f->in_len -= used;
	return used > 0;
}

static void settle(void)
{
	bool busy = true;

	act();
	for (unsigned round = 0; busy && round < 64; round++) {
		busy = false;
		for (unsigned i = 0; i < FARS; i++) {
			struct far *f = &rig.fars[i];

			if (f->id != 0 && !f->dialling && f->in_len > 0 && !f->unsent)
				busy |= hear(f);
		}
	}
}

/* --- what holds always --- */

static unsigned same_host(const struct swarm_peer *peers, unsigned count, unsigned of)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		n += peers[i].direction == SWARM_IN &&
		     swarm_host_key(rig.swarm, &peers[i].remote) ==
			     swarm_host_key(rig.swarm, &peers[of].remote);
	return n;
}

static void check_peers(const struct swarm_counts *c)
{
	struct swarm_peer peers[2 * FARS];
	unsigned count = 0, up = 0;
	uint32_t at = 0;

	while (count < 2 * FARS && (at = swarm_look(rig.swarm, at, &peers[count])) != SWARM_NONE) {
		up += peers[count].up && peers[count].direction != SWARM_CHECK;
		count++;
	}
	CHECK(count < 2 * FARS && count == c->in + c->out + c->checking && up == c->up);
	for (unsigned i = 0; i < count; i++) {
		if (peers[i].direction == SWARM_IN) {
			CHECK(same_host(peers, count, i) <= rig.policy.host_max ||
			      (!rig.config.loopback_counts &&
			       swarm_reach(&peers[i].remote) == REACH_LOOPBACK));
			continue;
		}
		for (unsigned j = 0; j < i; j++)
			CHECK(peers[j].direction == SWARM_IN ||
			      !netaddr_equal(&peers[i].remote, &peers[j].remote));
	}
}

static void check_caps(void)
{
	struct swarm_counts c;

	swarm_counts(rig.swarm, &c);
	CHECK(c.in <= rig.policy.in_max && c.out <= rig.policy.out_wanted);
	CHECK(c.out + c.checking <= swarm_dials_max(&rig.policy));
	CHECK(c.book.new_count <= 64 && c.book.tried_count <= 16);
	CHECK(c.bytes <= BYTES_MAX);
	CHECK(rig.downs <= rig.ups && rig.ups - rig.downs <= c.up);
	check_peers(&c);
}

/* --- time --- */

static void time_of_fars(void)
{
	uint8_t said[FAR_SAID_MAX];

	for (unsigned i = 0; i < FARS; i++) {
		struct far *f = &rig.fars[i];

		if (f->id != 0 && f->dialling && rig.now >= f->since_ms + CONNECT_MS) {
			far_failed(f, OUTCOME_CONNECT_TIMEOUT);
		} else if (f->id != 0 && f->is_real && !f->session.over) {
			f->session.proto->tick(f->session.memory, rig.now);
			far_keeps(f, slice_of(said, far_says(&f->session, said)));
		}
	}
}

static void later(uint64_t ms)
{
	uint64_t end = rig.now + ms, next;
	unsigned idle = 0;

	for (unsigned i = 0; i < STEPS_MAX && (next = swarm_deadline(rig.swarm)) <= end; i++) {
		idle = next > rig.now ? 0 : idle + 1;
		CHECK(idle < 64);
		if (next > rig.now)
			rig.now = next;
		swarm_tick(rig.swarm, rig.now);
		time_of_fars();
		settle();
	}
	rig.now = end;
	swarm_tick(rig.swarm, rig.now);
	time_of_fars();
	settle();
}

/* --- commands --- */

enum command {
	COMMAND_ACCEPT,
	COMMAND_ACCEPT_REAL,
	COMMAND_CONNECTED,
	COMMAND_CONNECTED_REAL,
	COMMAND_FAILED,
	COMMAND_BYTES,
	COMMAND_ECHO, /* what somebody was told, somebody says: also to ourselves */
	COMMAND_CLOSED,
	COMMAND_LATER,
	COMMAND_DEAF,
	COMMAND_READS,
	COMMAND_SAY,
	COMMAND_CLOSE,
	COMMAND_BOOK,
	COMMAND_BOOTSTRAP,
	COMMAND_OWN,
	COMMAND_CLOCK,
	COMMAND_REACT,
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

/* The number counts those that are of that kind; NULL: there is none. */
static struct far *nth(uint8_t number, bool dialling)
{
	struct far *found[FARS];
	unsigned count = 0;

	for (unsigned i = 0; i < FARS; i++) {
		if (rig.fars[i].id != 0 && rig.fars[i].dialling == dialling)
			found[count++] = &rig.fars[i];
	}
	return count > 0 ? found[number % count] : NULL;
}

static void make_real(struct far *f, enum session_role role, struct reader *in)
{
	uint8_t said[FAR_SAID_MAX], how = next_byte(in), id = next_byte(in);
	struct far_kind kind = {
		.network = rig.network,
		.role = role,
		.goal = role == SESSION_RESPONDER ? SESSION_GOAL_STAY
						  : (enum session_goal)(how & 3),
		.id = id & 7,
		.names = next_byte(in),
		.listen_port = how & 4 ? f->remote.port : (uint16_t)(id >> 6) * 8333U,
		.sees_us_as = far_addr((uint8_t)(how >> 3 << 3)),
		.nonce = 7000 + f->id,
	};

	f->is_real = true;
	far_begin(&f->session, &kind, rig.now);
	far_keeps(f, slice_of(said, far_says(&f->session, said)));
}

static void accept_one(struct reader *in, bool real)
{
	struct netaddr remote = far_addr(next_byte(in));
	struct far *f;
	uint32_t id;

	if (!netaddr_is_host(&remote) || far_of(0) == NULL)
		return;
	id = swarm_accepted(rig.swarm, &remote, rig.now);
	f = id != SWARM_NONE ? far_new(id, &remote) : NULL;
	if (f != NULL && real)
		make_real(f, SESSION_INITIATOR, in);
}

static void connected(struct far *f, struct reader *in, bool real)
{
	f->dialling = false;
	swarm_connected(rig.swarm, f->id, rig.now);
	if (real)
		make_real(f, SESSION_RESPONDER, in);
}

static void bytes(struct far *f, struct reader *in)
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

static void of_one(enum command command, struct far *f, struct reader *in)
{
	const struct far *other = nth(command == COMMAND_ECHO ? next_byte(in) : 0, false);

	if (command == COMMAND_BYTES) {
		bytes(f, in);
	} else if (command == COMMAND_ECHO) {
		far_keeps(f, slice_of(other->last, other->last_len));
	} else if (command == COMMAND_CLOSED) {
		swarm_closed(rig.swarm, f->id, (enum session_close)(next_byte(in) & 1), rig.now);
		far_gone(f);
	} else if (command == COMMAND_DEAF) {
		f->deaf = true;
	} else if (command == COMMAND_READS) {
		f->deaf = false;
		far_reads(f);
	} else if (command == COMMAND_SAY) {
		swarm_say(rig.swarm, f->id, slice_of(f->last, f->last_len));
	} else {
		swarm_close(rig.swarm, f->id, "by the owner", rig.now);
	}
}

static void of_all(enum command command, uint8_t which, struct reader *in)
{
	static const uint64_t waits_ms[] = { 1,     100,       1000,        2500,
					     10000, 60 * 1000, 1200 * 1000, 86400 * 1000 };
	struct netaddr addr = far_addr(next_byte(in)), source = far_addr(which);
	struct advert peer = { .addr = addr, .services = which, .last_seen_s = FAR_UNIX_S };

	if (command == COMMAND_LATER)
		later(waits_ms[which % 8]);
	else if (command == COMMAND_BOOK)
		book_add(rig.book, &peer, &source, swarm_unix_s(rig.swarm));
	else if (command == COMMAND_BOOTSTRAP && netaddr_is_host(&addr))
		swarm_bootstrap(rig.swarm, &addr);
	else if (command == COMMAND_OWN)
		swarm_own(rig.swarm, &addr);
	else if (command == COMMAND_CLOCK)
		swarm_clock(rig.swarm, FAR_UNIX_S + (int64_t)(int8_t)which * 3600, rig.now);
	else if (command == COMMAND_REACT)
		rig.reacts = which;
}

static void run(struct reader *in)
{
	static const enum outcome failures[] = { OUTCOME_REFUSED, OUTCOME_UNREACHABLE,
						 OUTCOME_RESET, OUTCOME_CONNECT_TIMEOUT };
	enum command command = (enum command)(next_byte(in) % COMMAND_COUNT);
	uint8_t which = next_byte(in);
	bool of_dial = command >= COMMAND_CONNECTED && command <= COMMAND_FAILED;
	bool of_conn = command == COMMAND_BYTES || command == COMMAND_ECHO ||
		       command == COMMAND_CLOSED ||
		       (command >= COMMAND_DEAF && command <= COMMAND_CLOSE);
	struct far *f = of_dial || of_conn ? nth(which, of_dial) : NULL;

	if (command <= COMMAND_ACCEPT_REAL)
		accept_one(in, command == COMMAND_ACCEPT_REAL);
	else if (of_dial && f != NULL && command != COMMAND_FAILED)
		connected(f, in, command == COMMAND_CONNECTED_REAL);
	else if (of_dial && f != NULL)
		far_failed(f, failures[next_byte(in) % 4]);
	else if (of_conn && f != NULL)
		of_one(command, f, in);
	else if (!of_dial && !of_conn)
		of_all(command, which, in);
	settle();
	check_caps();
}

/* --- from the beginning to the end --- */

static void begin(uint8_t how, uint8_t sizes)
{
	static const uint8_t own_id[16] = { 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3 };
	struct book_config book = { .new_max = 64,
				    .tried_max = 16,
				    .source_max = 16,
				    .group_max = 8,
				    .known_s = 30 * 86400,
				    .seed = 43 };

	memset(&rig.config, 0, sizeof(rig.config));
	rig.network = network_find(how & 1 ? "gossip" : "bitcoin");
	rig.now = START_MS;
	rig.ups = rig.downs = rig.reacts = 0;
	rig.parrots = false;
	rig.right = (how & 1) == 0 && how & 2;
	rig.policy = *rig.network->proto->policy;
	rig.policy.in_max = sizes & 15;
	rig.policy.host_max = 1 + (sizes >> 4 & 3);
	rig.policy.out_wanted = sizes >> 6;
	rig.policy.messages_burst = 100;
	rig.config = (struct swarm_config){
		.network = rig.network,
		.policy = &rig.policy,
		.session = { .agent = slice_text("/peerwalk:fuzz/"),
			     .unix_s = FAR_UNIX_S,
			     .listen_port = how & 4 ? 8333 : 0,
			     .own_id = slice_of(own_id, sizeof(own_id)),
			     .group = how & 8 ? slice_text("group") : slice_of(NULL, 0) },
		.allow_private = how & 16,
		.loopback_counts = how & 32,
		.relay_nothing = how & 64,
		.seed = 42,
		.on_event = on_event,
	};
	book.allow_private = rig.config.allow_private;
	CHECK(book_new(&book, &rig.book) == ERR_OK);
	rig.config.book = rig.book;
	CHECK(swarm_new(&rig.config, rig.now, &rig.swarm) == ERR_OK);
}

static void end(void)
{
	struct swarm_counts c;

	rig.reacts = 0;
	swarm_stop(rig.swarm, rig.now);
	for (unsigned i = 0; i < FARS; i++)
		rig.fars[i].deaf = false;
	act();
	check_caps();
	swarm_counts(rig.swarm, &c);
	CHECK(c.in + c.out + c.checking + c.up == 0 && rig.ups == rig.downs);
	for (unsigned i = 0; i < FARS; i++)
		CHECK(rig.fars[i].id == 0);
	swarm_free(rig.swarm);
	book_free(rig.book);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in;

	if (size < 2 || size > INPUT_MAX)
		return 0;
	begin(data[0], data[1]);
	reader_init(&in, slice_of(data + 2, size - 2));
	for (unsigned i = 0; i < COMMANDS_MAX && reader_left(&in) > 0; i++)
		run(&in);
	end();
	return 0;
}
